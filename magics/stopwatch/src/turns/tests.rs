use super::{Form, Instruments, Task, Turn, Turns, at_once};
use crate::clock::Clock;
use crate::each::{Each, Inputs};
use crate::measurement::{Ending, Measurement};
use crate::observer::{Observer, Progress};
use crate::routine::{Counter, Counts, Plain, Routine};
use crate::settings::Settings;
use crate::simulation::{Time, go_on, noise, to_the_end};
use crate::stopwatch::Stopwatch;
use crate::sweep::Measure;
use assay_statistics::Generator;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::num::NonZeroU64;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

/// In which loop code runs.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Plain,
    Fallible,
    Async,
    FallibleAsync,
    Each,
    FallibleEach,
}

const KINDS: [Kind; 6] =
    [Kind::Plain, Kind::Fallible, Kind::Async, Kind::FallibleAsync, Kind::Each, Kind::FallibleEach];

/// The error of code that fails.
#[derive(Debug, PartialEq)]
struct Failed;

/// What code did, which takes a microsecond or two for an iteration. It fails in the iteration of this number.
struct Code {
    time: Time,
    generator: RefCell<Generator>,
    calls: Cell<u64>,
    alive: Cell<u64>,
    fails: u64,
}

/// An input that is alive until it is dropped.
struct Input<'c>(&'c Code);

impl Drop for Input<'_> {
    fn drop(&mut self) {
        self.0.alive.set(self.0.alive.get() - 1);
    }
}

impl Code {
    fn new(fails: u64) -> Self {
        let generator = RefCell::new(Generator::new(7));
        Self { time: Time::default(), generator, calls: Cell::new(0), alive: Cell::new(0), fails }
    }

    fn iterate(&self) -> Result<u64, Failed> {
        self.calls.set(self.calls.get() + 1);
        self.time.pass(1500.0 * noise(&mut self.generator.borrow_mut()));
        if self.calls.get() == self.fails { Err(Failed) } else { Ok(self.calls.get()) }
    }

    fn call(&self) {
        self.iterate().unwrap();
    }

    fn input(&self) -> Input<'_> {
        self.time.pass(500.0);
        self.alive.set(self.alive.get() + 1);
        Input(self)
    }

    /// The code in a loop of its own, and what it failed with.
    async fn in_turns(&self, kind: Kind, mut turns: Turns<'_>) -> Result<Vec<Measurement>, Failed> {
        let mut inputs = Inputs::new();
        let mut fallible_inputs = Inputs::new();
        while let Some(turn) = turns.next_turn() {
            match kind {
                Kind::Plain => turns.run(turn, || self.call()),
                Kind::Fallible => turns.try_run(turn, || self.iterate())?,
                Kind::Async => turns.run_async(turn, async || self.call()).await,
                Kind::FallibleAsync => turns.try_run_async(turn, async || self.iterate()).await?,
                Kind::Each => {
                    turns.run_each(turn, &mut inputs, || self.input(), |input| (self.call(), input));
                }
                Kind::FallibleEach => {
                    let body = |input| Ok((self.iterate()?, input));
                    turns.try_run_each(turn, &mut fallible_inputs, || self.input(), body)?;
                }
            }
        }
        Ok(turns.finish())
    }

    /// The same code, called.
    fn called(&self, kind: Kind, settings: Settings) -> Measurement {
        let clock = self.time.clock();
        let (mut observer, mut counter) = (go_on, Calls(self, 0));
        let mut stopwatch = Stopwatch::new(settings, &clock, &mut observer);
        stopwatch.counter = Some(&mut counter);
        match kind {
            Kind::Each | Kind::FallibleEach => {
                stopwatch.measure(&mut Each::consuming(&clock, || self.input(), |input| (self.call(), input)))
            }
            _ => stopwatch.measure(&mut Plain::new(&clock, || self.call())),
        }
    }
}

/// Counts calls in the place of allocations.
struct Calls<'c>(&'c Code, u64);

impl Counter for Calls<'_> {
    fn start(&mut self) {
        self.1 = self.0.calls.get();
    }

    fn stop(&mut self) -> Counts {
        Counts { allocations: self.0.calls.get() - self.1, bytes: 0 }
    }
}

/// Whoever looks on, on the clock of this code, with a counter of its calls.
fn instruments<'c>(code: &'c Code, observer: impl Observer + 'c) -> Instruments<'c> {
    let clock: Rc<dyn Clock + 'c> = Rc::new(code.time.clock());
    Instruments {
        wall: Rc::clone(&clock),
        clock,
        counter: Some(Box::new(Calls(code, 0))),
        ..Instruments::new(observer)
    }
}

fn turns(code: &Code, settings: Settings) -> Turns<'_> {
    Turns::measure(settings, instruments(code, go_on))
}

fn prescribed(loops: Option<u64>, repeats: Option<u64>) -> Settings {
    let [loops, repeats] = [loops, repeats].map(|number| number.and_then(NonZeroU64::new));
    Settings { loops, repeats, ..Settings::default() }
}

/// Asks so often until it is ready.
fn wait<T>(future: impl Future<Output = T>) -> T {
    at_once(future)
}

#[test]
fn inside_out_it_is_the_same_measurement() {
    let short = Settings { budget: Duration::from_millis(200), ..to_the_end() };
    for settings in [Settings::default(), short, prescribed(Some(300), Some(7)), prescribed(None, Some(20))] {
        for kind in KINDS {
            let (code, other) = (Code::new(0), Code::new(0));
            let measurements = wait(code.in_turns(kind, turns(&code, settings))).unwrap();
            assert_eq!(measurements, [other.called(kind, settings)], "{kind:?}");
            assert_eq!((measurements[0].calls, code.alive.get()), (code.calls.get(), 0));
            let counted = measurements[0].counted.map(|counted| counted.least.allocations);
            assert_eq!(counted, settings.loops.is_none().then_some(1));
        }
    }
}

#[test]
fn code_that_fails_leaves_its_loop_and_nothing_is_left() {
    let all = Code::new(0);
    wait(all.in_turns(Kind::Fallible, turns(&all, Settings::default()))).unwrap();
    for kind in [Kind::Fallible, Kind::FallibleAsync, Kind::FallibleEach] {
        for fails in [1, 2, 3, 1000, 65_000, all.calls.get() / 2, all.calls.get() * 3 / 4] {
            let code = Code::new(fails);
            let result = wait(code.in_turns(kind, turns(&code, Settings::default())));
            assert_eq!(result, Err(Failed));
            assert_eq!((code.calls.get(), code.alive.get()), (fails, 0), "{kind:?}");
        }
        // While its allocations are counted.
        let (code, body) = (Code::new(1), Code::new(1));
        let mut turns = turns(&code, Settings::default());
        let turn = Turn { lane: 0, task: Task::Count };
        let result = match kind {
            Kind::Fallible => turns.try_run(turn, || body.iterate()),
            Kind::FallibleAsync => wait(turns.try_run_async(turn, async || body.iterate())),
            _ => turns.try_run_each(turn, &mut Inputs::new(), || (), |()| body.iterate()),
        };
        assert_eq!((result, body.calls.get()), (Err(Failed), 1));
    }
}

#[test]
fn code_waits_within_its_loop() {
    let code = Code::new(0);
    let (polls, awaited) = (Cell::new(0_u64), Cell::new(0_u64));
    // Pending twice, while 500 ns pass each time.
    let later = || {
        let asked = Cell::new(0);
        poll_fn(move |_| {
            asked.set(asked.get() + 1);
            if asked.get() == 3 { Poll::Ready(()) } else { Poll::Pending }
        })
    };
    let measured = async {
        let mut turns = turns(&code, Settings::default());
        while let Some(turn) = turns.next_turn() {
            let body = async || {
                later().await;
                awaited.set(awaited.get() + 1);
            };
            turns.run_async(turn, body).await;
        }
        turns.finish()
    };
    let mut measured = std::pin::pin!(measured);
    let waiting = poll_fn(|context| {
        polls.set(polls.get() + 1);
        code.time.pass(500.0);
        measured.as_mut().poll(context)
    });
    let [measurement] = wait(waiting).try_into().unwrap();
    assert_eq!((measurement.calls, 2 * measurement.calls + 1), (awaited.get(), polls.get()));
    let median = measurement.samples().unwrap().sorted().median() * 1e9;
    assert!((median / 1000.0 - 1.0).abs() < 0.01, "{median}");
}

#[test]
fn a_turn_that_nobody_answers_is_given_again_and_early_ends_report_nothing() {
    let code = Code::new(0);
    let mut turns = turns(&code, Settings::default());
    let first = turns.next_turn().unwrap();
    assert_eq!((first.lane(), first.task()), (0, Task::Introduce));
    assert_eq!(turns.next_turn(), Some(first));
    // An answer to another question is none.
    turns.done(Duration::from_secs(1));
    turns.kept();
    assert_eq!(turns.next_turn(), Some(first));
    turns.introduce(Form::Plain);
    let Some(Task::Run(size)) = turns.next_turn().map(Turn::task) else { panic!("no run") };
    assert_eq!((size.iterations, code.calls.get()), (1, 0));
    assert_eq!(turns.finish(), []);
}

#[test]
fn before_a_comparison_each_runs_once_and_its_result_is_kept() {
    for kind in [Kind::Plain, Kind::Fallible, Kind::Async, Kind::FallibleAsync] {
        let (code, calls) = (Code::new(0), Cell::new([0_u64; 2]));
        let iterate = |lane: usize| {
            let mut all = calls.get();
            all[lane] += 1;
            calls.set(all);
            code.call();
            all.iter().sum::<u64>()
        };
        let mut turns = Turns::compare(Settings::default(), 2, true, instruments(&code, go_on));
        let mut kept = [None, None];
        while let Some(turn) = turns.next_turn() {
            let lane = turn.lane();
            let kept = &mut kept[lane];
            match kind {
                Kind::Plain => turns.run_keeping(turn, kept, || iterate(lane)),
                Kind::Fallible => {
                    turns.try_run_keeping(turn, kept, || Ok::<_, Failed>(iterate(lane))).unwrap();
                }
                Kind::Async => wait(turns.run_keeping_async(turn, kept, async || iterate(lane))),
                _ => wait(turns.try_run_keeping_async(turn, kept, async || Ok::<_, Failed>(iterate(lane))))
                    .unwrap(),
            }
        }
        assert_eq!(kept, [Some(1), Some(2)]);
        let measurements = turns.finish();
        let counted: Vec<u64> = measurements.iter().map(|measurement| measurement.calls).collect();
        assert_eq!(counted, calls.get());
        assert!(measurements.iter().all(|one| one.ending == Ending::Sure && one.first.is_some()));
    }
}

#[test]
fn a_comparison_inside_out_is_the_same_and_ends_when_it_is_interrupted() {
    for looks in [3, u64::MAX] {
        let observer = || {
            let seen = Cell::new(0);
            move |_: &Progress<'_>| {
                seen.set(seen.get() + 1);
                if seen.get() == looks { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            }
        };
        let (code, other) = (Code::new(0), Code::new(0));
        let mut turns = Turns::compare(Settings::default(), 3, false, instruments(&code, observer()));
        while let Some(turn) = turns.next_turn() {
            turns.run(turn, || (0..=turn.lane()).for_each(|_| code.call()));
        }
        let clock = other.time.clock();
        let body = |lane: usize| {
            let other = &other;
            move || (0..=lane).for_each(|_| other.call())
        };
        let (mut observer, mut counter) = (observer(), Calls(&other, 0));
        let mut stopwatch = Stopwatch::new(Settings::default(), &clock, &mut observer);
        stopwatch.counter = Some(&mut counter);
        let mut all = [0, 1, 2].map(|lane| Plain::new(&clock, body(lane)));
        let mut routines: Vec<&mut dyn Routine> = all.iter_mut().map(|one| one as _).collect();
        let measurements = turns.finish();
        assert_eq!(measurements, stopwatch.compare(&mut routines));
        let counted = measurements.iter().map(|one| one.counted.unwrap().most.allocations);
        assert!(counted.eq([1, 2, 3]));
        assert!(measurements.iter().all(|one| one.is_partial() == (looks == 3)));
    }
}

#[test]
fn a_sweep_inside_out_is_the_same_and_ends_when_it_is_interrupted() {
    let sizes = [16, 4, 64, 4, 20_000_000];
    let settings = Settings { budget: Duration::from_secs(2), ..Settings::default() };
    for looks in [8, u64::MAX] {
        let observer = || {
            let seen = Cell::new(0);
            move |progress: &Progress<'_>| {
                assert!(progress.size.is_some());
                seen.set(seen.get() + 1);
                if seen.get() == looks { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            }
        };
        let (code, other) = (Code::new(0), Code::new(0));
        let mut turns = Turns::sweep(settings, &sizes, instruments(&code, observer()));
        assert_eq!(turns.next_turn(), None);
        while let Some(size) = turns.next_size() {
            code.time.pass(1000.0 * size as f64);
            while let Some(turn) = turns.next_turn() {
                turns.run(turn, || code.time.pass(100.0 * size as f64));
            }
        }
        let clock = other.time.clock();
        let (mut observer, mut counter) = (observer(), Calls(&other, 0));
        let mut stopwatch = Stopwatch::new(settings, &clock, &mut observer);
        stopwatch.counter = Some(&mut counter);
        let mut at = |size: u64, measure: &mut Measure<'_>| {
            other.time.pass(1000.0 * size as f64);
            measure(&mut Plain::new(&clock, || other.time.pass(100.0 * size as f64)));
        };
        let sweep = turns.finish_sweep();
        assert_eq!(sweep, stopwatch.sweep(&sizes, &mut at));
        assert_eq!(sweep.is_partial(), looks == 8);
        let measured: Vec<u64> = sweep.points.iter().map(|point| point.size).collect();
        let expected: (&[u64], &[u64]) =
            if looks == 8 { (&[4, 16], &[64, 20_000_000]) } else { (&[4, 16, 64], &[20_000_000]) };
        assert_eq!((&*measured, &*sweep.left_out), expected);
    }
}

#[test]
fn a_size_that_is_left_is_passed_over() {
    let code = Code::new(0);
    let mut turns = Turns::sweep(Settings::default(), &[1, 2, 3], instruments(&code, go_on));
    while let Some(size) = turns.next_size() {
        if size == 2 {
            turns.next_turn();
            continue;
        }
        while let Some(turn) = turns.next_turn() {
            turns.run(turn, || code.call());
        }
    }
    let sweep = turns.finish_sweep();
    assert!(sweep.points.iter().map(|point| point.size).eq([1, 3]) && sweep.left_out.is_empty());
}

#[test]
fn counts_are_all_that_is_made_where_nothing_is_to_be_timed() {
    for kind in KINDS {
        let settings = Settings { counts_only: NonZeroU64::new(10), ..Settings::default() };
        let code = Code::new(0);
        let [measurement] = wait(code.in_turns(kind, turns(&code, settings))).unwrap().try_into().unwrap();
        assert_eq!((measurement.calls, code.calls.get()), (10, 10));
        assert_eq!(measurement.counted.unwrap().iterations, 10);
        assert!(
            measurement.blocks.is_empty() && measurement.first.is_none() && measurement.samples().is_err()
        );
        assert_eq!(measurement.ending, Ending::Complete);
    }
    let settings = Settings {
        counts_only: NonZeroU64::new(10),
        budget: Duration::from_micros(4),
        ..Settings::default()
    };
    let code = Code::new(0);
    let few = wait(code.in_turns(Kind::Plain, turns(&code, settings))).unwrap();
    assert!(few[0].ending == Ending::Spent && (2..=4).contains(&few[0].calls), "{few:?}");
    let mut nobody = instruments(&code, go_on);
    nobody.counter = None;
    let none = wait(code.in_turns(Kind::Plain, Turns::measure(settings, nobody))).unwrap();
    assert_eq!((none[0].calls, none[0].counted), (0, None));
}
