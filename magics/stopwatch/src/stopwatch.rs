//! What is called from outside: one piece of code, several in turns, or one at many sizes.

use crate::clock::{Clock, Precision};
use crate::course::{self, Course, Job, Step};
use crate::desk::{Desk, Introduction, Request};
use crate::measurement::Measurement;
use crate::observer::Observer;
use crate::routine::{Counter, Counts, Routine};
use crate::settings::Settings;
use crate::turns::Task;
use std::rc::Rc;

/// Measures code.
///
/// A panic of the code goes through it, and what was measured until then is lost but for what the observer was told.
pub struct Stopwatch<'a> {
    /// How it measures.
    pub settings: Settings,
    /// What the budget is kept by: the clock on the wall, whatever clock the code is timed with.
    pub wall: &'a dyn Clock,
    /// Who looks on.
    pub observer: &'a mut dyn Observer,
    /// Who counts allocations, if that is possible: in ten iterations after the first block, or in as many as take a tenth of the budget; in one that takes up to a
    /// quarter of it; in none that takes longer, and in none where [`Settings::loops`] is given.
    pub counter: Option<&'a mut dyn Counter>,
}

impl<'a> Stopwatch<'a> {
    /// A stopwatch that counts nothing.
    pub fn new(settings: Settings, wall: &'a dyn Clock, observer: &'a mut dyn Observer) -> Self {
        Self { settings, wall, observer, counter: None }
    }

    /// Measures one piece of code.
    pub fn measure(&mut self, routine: &mut dyn Routine) -> Measurement {
        let job = self.job(self.settings, None);
        self.measure_as(job, routine)
    }

    /// The same at one of the sizes of a sweep, and with its share of the budget.
    pub(crate) fn measure_at(
        &mut self,
        size: u64,
        settings: Settings,
        routine: &mut dyn Routine,
    ) -> Measurement {
        let job = self.job(settings, Some(size));
        self.measure_as(job, routine)
    }

    /// Measures several pieces of code in turns: in each round each has one batch, in a random order, so that what the machine does meets all of them. Their batches take about the
    /// same time. The measurements are in the order of the routines and have the same number of batches in the same blocks, so their samples can be
    /// [compared](assay_statistics::Interleaved).
    pub fn compare(&mut self, routines: &mut [&mut dyn Routine]) -> Vec<Measurement> {
        let (job, count) = (self.job(self.settings, None), routines.len());
        let desk = Rc::<Desk>::default();
        let course = course::in_turns(&desk, job, count, self.wall, self.observer);
        drive(Course::new(Rc::clone(&desk), course), &desk, routines, &mut self.counter)
    }

    fn measure_as(&mut self, job: Job, routine: &mut dyn Routine) -> Measurement {
        let desk = Rc::<Desk>::default();
        let course = course::alone(&desk, job, self.wall, self.observer);
        drive(Course::new(Rc::clone(&desk), course), &desk, &mut [routine], &mut self.counter)
    }

    fn job(&self, settings: Settings, size: Option<u64>) -> Job {
        Job { settings, counts: self.counter.is_some(), keeps: false, size }
    }
}

/// Calls the routines until it is over.
fn drive<R>(
    mut course: Course<'_, R>,
    desk: &Desk,
    routines: &mut [&mut dyn Routine],
    counter: &mut Option<&mut dyn Counter>,
) -> R {
    loop {
        match course.step() {
            Step::Over(result) => return result,
            Step::Ask(order) => answer(desk, order.request, &mut *routines[order.lane], counter),
        }
    }
}

fn answer(desk: &Desk, request: Request, routine: &mut dyn Routine, counter: &mut Option<&mut dyn Counter>) {
    match request {
        Request::Code(Task::Introduce) => desk.introduce(Introduction {
            clock: Precision::of(routine.clock()),
            most_inputs: routine.most_inputs(),
            threads: routine.threads().len(),
        }),
        Request::Code(Task::Run(size)) => {
            let elapsed = routine.run(size);
            desk.done(elapsed, routine.threads());
        }
        Request::Empty(size) => desk.done(routine.empty(size), &[]),
        // Without a counter nobody asks.
        Request::Code(Task::Count) => {
            desk.counted(
                counter.as_mut().map_or_else(Counts::default, |counter| routine.count(&mut **counter)),
            );
        }
        // Nobody keeps the result of a routine.
        Request::Code(Task::Once) => desk.kept(),
    }
}
