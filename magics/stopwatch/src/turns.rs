//! The measurement inside out: code stands in a loop of its own, within whatever function it likes, and asks what to do next. So it may wait, fail, and borrow what is there.
//!
//! ```
//! use assay_stopwatch::{Instruments, Progress, Settings, Turns};
//! use std::ops::ControlFlow;
//! use std::time::Duration;
//!
//! fn total(lines: &[&str]) -> Result<f64, std::num::ParseIntError> {
//!     let settings = Settings { budget: Duration::from_millis(50), ..Settings::default() };
//!     let instruments = Instruments::new(|_: &Progress<'_>| ControlFlow::Continue(()));
//!     let mut turns = Turns::measure(settings, instruments);
//!     while let Some(turn) = turns.next_turn() {
//!         // Whatever the turn says, as often as it says. The `?` leaves the loop, and nothing is measured.
//!         turns.try_run(turn, || lines.iter().map(|line| line.parse::<u64>()).sum::<Result<u64, _>>())?;
//!     }
//!     Ok(turns.finish()[0].samples().map_or(0.0, |samples| samples.summary().median))
//! }
//!
//! assert!(total(&["1", "2", "3"]).is_ok_and(|seconds| seconds > 0.0));
//! assert!(total(&["1", "two"]).is_err());
//! ```

use crate::clock::{Clock, Precision, Wall};
use crate::course::{self, Course, Job, Step};
use crate::desk::{Desk, Introduction, Request};
use crate::each::empty_each;
use crate::loops::{run_async, run_plain};
use crate::measurement::Measurement;
use crate::observer::{Observer, Progress};
use crate::routine::{Counter, Counts, Size};
use crate::settings::Settings;
use crate::sweep::{Point, Sizes, Sweep};
use std::cell::RefCell;
use std::ops::ControlFlow;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

mod run;

/// A measurement that is taken from turn to turn. It may be dropped at any time: then nothing is measured.
pub struct Turns<'a> {
    clock: Rc<dyn Clock + 'a>,
    wall: Rc<dyn Clock + 'a>,
    observer: Rc<RefCell<dyn Observer + 'a>>,
    counter: Option<Box<dyn Counter + 'a>>,
    nobody: Nobody,
    settings: Settings,
    /// One for each piece of code, as soon as it is known.
    forms: Vec<Form>,
    desk: Rc<Desk>,
    /// What is under way.
    course: Option<Course<'a, Vec<Measurement>>>,
    measurements: Vec<Measurement>,
    sweep: Option<Sizes>,
    /// The size that is measured, and when it was begun to make it ready.
    size: (u64, Duration),
}

/// What a measurement is made with.
pub struct Instruments<'a> {
    /// What the code is timed with.
    pub clock: Rc<dyn Clock + 'a>,
    /// What the budget is kept by.
    pub wall: Rc<dyn Clock + 'a>,
    /// Who looks on.
    pub observer: Rc<RefCell<dyn Observer + 'a>>,
    /// Who counts allocations, if that is possible.
    pub counter: Option<Box<dyn Counter + 'a>>,
}

/// Who counts where nobody can. Then no turn asks for it.
struct Nobody;

/// What is to be done next, by one piece of code. A turn that is not answered is given again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    lane: usize,
    task: Task,
}

/// What code is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Tell what kind of code it is. Nothing runs.
    Introduce,
    /// Run as often as the size says, and tell what the clock counted meanwhile.
    Run(Size),
    /// Run once, untimed, with the counter on, and tell the counts.
    Count,
    /// Run once, untimed, and keep the result.
    Once,
}

/// What kind of code it is: in which loop it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// In [`run_plain`] or [`run_fallible`](crate::run_fallible).
    Plain,
    /// In [`run_async`] or [`run_fallible_async`](crate::run_fallible_async).
    Async,
    /// In [`run_each`](crate::run_each) or [`run_fallible_each`](crate::run_fallible_each), with [so many](crate::Inputs::most) inputs at a time at most.
    Each {
        /// How many.
        most_inputs: u64,
    },
}

impl<'a> Instruments<'a> {
    /// The clock on the wall, and nobody who counts.
    pub fn new(observer: impl Observer + 'a) -> Self {
        let wall = Rc::new(Wall::new());
        Self { clock: Rc::clone(&wall) as _, wall, observer: Rc::new(RefCell::new(observer)), counter: None }
    }
}

impl<'a> Turns<'a> {
    /// Measures one piece of code: lane 0.
    pub fn measure(settings: Settings, instruments: Instruments<'a>) -> Self {
        Self::compare(settings, 1, false, instruments)
    }

    /// Measures several pieces of code in turns, as [`Stopwatch::compare`](crate::Stopwatch::compare) does. Before everything else each runs [`Once`](Task::Once), if results are to be kept.
    pub fn compare(
        settings: Settings,
        lanes: usize,
        keep_results: bool,
        instruments: Instruments<'a>,
    ) -> Self {
        let mut turns = Self::new(settings, instruments);
        let job = Job { settings, counts: turns.counter.is_some(), keeps: keep_results, size: None };
        turns.begin(job, lanes);
        turns
    }

    /// Measures code at several sizes, as [`Stopwatch::sweep`](crate::Stopwatch::sweep) does. The turns of a size begin after [`next_size`](Self::next_size).
    pub fn sweep(settings: Settings, sizes: &[u64], instruments: Instruments<'a>) -> Self {
        let mut turns = Self::new(settings, instruments);
        turns.sweep = Some(Sizes::new(sizes, settings, turns.wall.now()));
        turns
    }

    fn new(settings: Settings, instruments: Instruments<'a>) -> Self {
        let Instruments { clock, wall, observer, counter } = instruments;
        Self {
            clock,
            wall,
            observer,
            counter,
            nobody: Nobody,
            settings,
            forms: Vec::new(),
            desk: Rc::default(),
            course: None,
            measurements: Vec::new(),
            sweep: None,
            size: (0, Duration::ZERO),
        }
    }

    fn begin(&mut self, job: Job, lanes: usize) {
        self.forms = vec![Form::Plain; lanes];
        self.desk = Rc::default();
        let (desk, wall, observer) =
            (Rc::clone(&self.desk), Rc::clone(&self.wall), Rc::clone(&self.observer));
        let course = async move {
            let mut observer = |progress: &Progress<'_>| look(&observer, progress);
            course::in_turns(&desk, job, lanes, &*wall, &mut observer).await
        };
        self.course = Some(Course::new(Rc::clone(&self.desk), course));
    }

    /// The next size that is to be measured: it is made ready, and then its turns are asked for until there are none.
    pub fn next_size(&mut self) -> Option<u64> {
        let begun = self.wall.now();
        let (size, settings) = self.sweep.as_mut()?.next(begun)?;
        let job = Job { settings, counts: self.counter.is_some(), keeps: false, size: Some(size) };
        self.size = (size, begun);
        self.begin(job, 1);
        Some(size)
    }

    /// What is to be done next; none when the measurement is over, in a sweep that of the size.
    pub fn next_turn(&mut self) -> Option<Turn> {
        loop {
            let order = match self.course.as_mut()?.step() {
                Step::Over(measurements) => {
                    self.end(measurements);
                    return None;
                }
                Step::Ask(order) => order,
            };
            match order.request {
                Request::Code(task) => return Some(Turn { lane: order.lane, task }),
                Request::Empty(size) => self.done(self.forms[order.lane].empty(&*self.clock, size)),
            }
        }
    }

    fn end(&mut self, measurements: Vec<Measurement>) {
        self.course = None;
        let Some(sweep) = &mut self.sweep else {
            self.measurements = measurements;
            return;
        };
        let (size, begun) = self.size;
        let elapsed = self.wall.now().saturating_sub(begun);
        sweep.keep(measurements.into_iter().map(|measurement| Point { size, measurement, elapsed }));
    }

    /// What was measured, in the order of the lanes. Nothing, if it is not over.
    pub fn finish(self) -> Vec<Measurement> {
        self.measurements
    }

    /// What was measured at all sizes until now. Nothing, if it is no sweep.
    pub fn finish_sweep(self) -> Sweep {
        self.sweep.map(Sizes::finish).unwrap_or_default()
    }

    /// How it measures.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What the code is timed with.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// What an iteration is counted with, if a turn asks for that.
    pub fn counter(&mut self) -> &mut dyn Counter {
        match &mut self.counter {
            Some(counter) => &mut **counter,
            None => &mut self.nobody,
        }
    }
}

impl Counter for Nobody {
    fn start(&mut self) {}

    fn stop(&mut self) -> Counts {
        Counts::default()
    }
}

/// Answers, where code is run by other means than the methods that run it.
impl Turns<'_> {
    /// The answer to [`Task::Introduce`].
    pub fn introduce(&mut self, form: Form) {
        let most_inputs = match form {
            Form::Each { most_inputs } => Some(most_inputs),
            Form::Plain | Form::Async => None,
        };
        self.forms[self.desk.order().lane] = form;
        self.desk.introduce(Introduction { clock: Precision::of(&*self.clock), most_inputs, threads: 0 });
    }

    /// The answer to [`Task::Run`].
    pub fn done(&self, elapsed: Duration) {
        self.desk.done(elapsed, &[]);
    }

    /// The answer to [`Task::Count`].
    pub fn counted(&self, counts: Counts) {
        self.desk.counted(counts);
    }

    /// The answer to [`Task::Once`].
    pub fn kept(&self) {
        self.desk.kept();
    }
}

impl Turn {
    /// Whose turn it is, counted from 0.
    pub fn lane(self) -> usize {
        self.lane
    }

    /// What is to be done.
    pub fn task(self) -> Task {
        self.task
    }
}

impl Form {
    /// What the loop takes with nothing in it.
    fn empty(self, clock: &dyn Clock, size: Size) -> Duration {
        match self {
            Self::Plain => run_plain(clock, size, || ()),
            Self::Async => at_once(run_async(clock, size, async || ())),
            Self::Each { .. } => empty_each(clock, size),
        }
    }
}

/// What a future gives that waits for nothing, so that it is ready when it is asked first.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}

fn look(observer: &RefCell<dyn Observer + '_>, progress: &Progress<'_>) -> ControlFlow<()> {
    observer.borrow_mut().between(progress)
}

#[cfg(test)]
mod tests;
