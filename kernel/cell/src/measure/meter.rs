//! The meter: what the user's loop asks, and what tells the kernel in the end.

use super::json::{Number, Object, list};
use super::{Claim, Options, TimeitResult, reference};
use crate::outlet::{self, Told};
use crate::{cell, cost, run, stop};
use assay_statistics::{self as statistics, Decision, RawBatch, UNKNOWN_FLOOR};
use assay_stopwatch::{
    Clock, Counted, Counter, Counts, Ending, Inputs, Instruments, Measurement, Progress, Settings, Stopwatch,
    Turns, Wall,
};
use std::num::{NonZeroU64, NonZeroUsize};
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::{Duration, Instant};

pub use assay_stopwatch::Turn;

/// A measurement that takes less shows no progress: it would be gone before it is read.
const SILENCE: Duration = Duration::from_secs(1);

/// How often progress is told: whoever draws it is busy for a while, on the other processor at best.
const PERIOD: Duration = Duration::from_millis(500);

/// So many iterations are counted where nothing but allocations is claimed.
const COUNTED: NonZeroU64 = NonZeroU64::new(10).unwrap();

/// The number of iterations of which the allocated bytes are counted at each size: what a collection grows by differs with what is random in it.
const COUNTED_IN_SWEEP: NonZeroU64 = NonZeroU64::new(5).unwrap();

/// A measurement that a magic asked for.
pub struct Meter {
    /// Where the magic stands in its cell.
    id: u64,
    options: Options,
    turns: Turns<'static>,
    is_sweep: bool,
    agree: Vec<Option<bool>>,
    /// While it is under way the cell can stop: between two blocks somebody looks.
    _region: stop::Region,
}

impl Meter {
    /// Measures one piece of code.
    pub fn new(id: u64, options: Options) -> Self {
        Self::of(id, options, Turns::measure(settings(&options), instruments(id, &options)))
    }

    /// Measures several pieces of code in turns; the result of each is kept once.
    pub fn compare(id: u64, options: Options, lanes: usize) -> Self {
        let keeps = options.claim == Claim::None;
        Self::of(id, options, Turns::compare(settings(&options), lanes, keeps, instruments(id, &options)))
    }

    /// Measures code at several sizes: [`size`](Self::size) gives the next one.
    pub fn sweep(id: u64, options: Options, sizes: &[u64]) -> Self {
        let turns = Turns::sweep(settings(&options), sizes, instruments(id, &options));
        Self { is_sweep: true, ..Self::of(id, options, turns) }
    }

    fn of(id: u64, options: Options, turns: Turns<'static>) -> Self {
        Self { id, options, turns, is_sweep: false, agree: Vec::new(), _region: stop::Region::enter() }
    }

    /// The next size; none when all are measured.
    pub fn size(&mut self) -> Option<usize> {
        self.turns.next_size().and_then(|size| usize::try_from(size).ok())
    }

    /// What is to be done next; none when it is over.
    pub fn turn(&mut self) -> Option<Turn> {
        self.turns.next_turn()
    }

    /// Takes the turn with code.
    pub fn run<T>(&mut self, turn: Turn, body: impl FnMut() -> T) {
        self.turns.run(turn, body);
    }

    /// Takes the turn with code that may fail.
    pub fn try_run<T>(&mut self, turn: Turn, body: impl FnMut() -> Result<T, cell::Failed>) -> cell::Flow {
        self.turns.try_run(turn, body)
    }

    /// Takes the turn with code that may wait.
    pub async fn run_async<T>(&mut self, turn: Turn, body: impl AsyncFnMut() -> T) {
        self.turns.run_async(turn, body).await;
    }

    /// Takes the turn with code that may wait and fail.
    pub async fn try_run_async<T>(
        &mut self,
        turn: Turn,
        body: impl AsyncFnMut() -> Result<T, cell::Failed>,
    ) -> cell::Flow {
        self.turns.try_run_async(turn, body).await
    }

    /// Takes the turn with code that has a fresh input each time.
    pub fn run_each<S, T>(
        &mut self,
        turn: Turn,
        inputs: &mut Inputs<S, T>,
        setup: impl FnMut() -> S,
        body: impl FnMut(S) -> T,
    ) {
        self.turns.run_each(turn, inputs, setup, body);
    }

    /// The same with code that may fail.
    pub fn try_run_each<S, T>(
        &mut self,
        turn: Turn,
        inputs: &mut Inputs<S, T>,
        setup: impl FnMut() -> S,
        body: impl FnMut(S) -> Result<T, cell::Failed>,
    ) -> cell::Flow {
        self.turns.try_run_each(turn, inputs, setup, body)
    }

    /// As [`run`](Self::run); a result that is to be kept is.
    pub fn run_keeping<T>(&mut self, turn: Turn, kept: &mut Option<T>, body: impl FnMut() -> T) {
        self.turns.run_keeping(turn, kept, body);
    }

    /// As [`try_run`](Self::try_run); a result that is to be kept is.
    pub fn try_run_keeping<T>(
        &mut self,
        turn: Turn,
        kept: &mut Option<T>,
        body: impl FnMut() -> Result<T, cell::Failed>,
    ) -> cell::Flow {
        self.turns.try_run_keeping(turn, kept, body)
    }

    /// As [`run_async`](Self::run_async); a result that is to be kept is.
    pub async fn run_keeping_async<T>(
        &mut self,
        turn: Turn,
        kept: &mut Option<T>,
        body: impl AsyncFnMut() -> T,
    ) {
        self.turns.run_keeping_async(turn, kept, body).await;
    }

    /// As [`try_run_async`](Self::try_run_async); a result that is to be kept is.
    pub async fn try_run_keeping_async<T>(
        &mut self,
        turn: Turn,
        kept: &mut Option<T>,
        body: impl AsyncFnMut() -> Result<T, cell::Failed>,
    ) -> cell::Flow {
        self.turns.try_run_keeping_async(turn, kept, body).await
    }

    /// Whether the next code's result equals the first one's.
    pub fn agrees(&mut self, whether: Option<bool>) {
        self.agree.push(whether);
    }

    /// It is over: tells the kernel, and gives what was measured of the first code. Ends the cell if it was interrupted, or if a claim does not hold.
    pub fn end(self) -> TimeitResult {
        let floor = floor();
        let all = self.finish();
        TimeitResult::of(all.first().unwrap_or(&nothing()), floor)
    }

    /// The same for all that was measured.
    pub fn end_all(self) -> Vec<TimeitResult> {
        let floor = floor();
        self.finish().iter().map(|measurement| TimeitResult::of(measurement, floor)).collect()
    }

    fn finish(self) -> Vec<Measurement> {
        let Self { id, options, turns, is_sweep, agree, _region } = self;
        let (sizes, measurements, left_out) = match is_sweep {
            false => (Vec::new(), turns.finish(), Vec::new()),
            true => {
                let sweep = turns.finish_sweep();
                let (sizes, all) =
                    sweep.points.into_iter().map(|point| (Some(point.size), point.measurement)).unzip();
                (sizes, all, sweep.left_out)
            }
        };
        tell(id, &options, &measurements, &sizes, &left_out, &agree);
        measurements
    }
}

/// Measures code on so many threads at once.
pub fn on_threads<T>(
    id: u64,
    options: Options,
    threads: usize,
    body: &(impl Fn() -> T + Sync),
) -> TimeitResult {
    let region = stop::Region::enter();
    let (clock, wall) = (Timer::new(options.cpu), Wall::new());
    let mut observer = Observer::new(id, &options);
    let threads = NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN);
    let mut look = |progress: &Progress<'_>| observer.look(progress);
    let measured = assay_stopwatch::on_threads(&clock, threads, body, |routine| {
        let mut counter = Allocations;
        let mut stopwatch = Stopwatch::new(settings(&options), &wall, &mut look);
        stopwatch.counter = counts().then_some(&mut counter as &mut dyn Counter);
        stopwatch.measure(routine)
    });
    let floor = floor();
    match measured {
        Ok(measurement) => {
            let all = [measurement];
            tell(id, &options, &all, &[], &[], &[]);
            drop(region);
            TimeitResult::of(&all[0], floor)
        }
        Err(error) => cell::trouble(format!("{threads} threads cannot be started: {error}")),
    }
}

fn settings(options: &Options) -> Settings {
    let usual = Settings::default();
    let (claim, floor) = claimed(options.claim);
    let counts_only = match (options.claim, options.memory) {
        (Claim::Allocates { .. } | Claim::AllocatesExactly { .. }, _) => Some(COUNTED),
        (_, true) => Some(COUNTED_IN_SWEEP),
        _ => None,
    };
    Settings {
        loops: NonZeroU64::new(options.loops),
        repeats: NonZeroU64::new(options.repeats),
        budget: Duration::try_from_secs_f64(options.budget).unwrap_or(usual.budget),
        target: self::floor(),
        // Another order in each run of a cell and in each process; it need not be more random than that.
        seed: u64::from(std::process::id()) << 32 | run::number(),
        claim,
        floor,
        counts_only,
        ..usual
    }
}

/// What is claimed of times, and what the interval that decides is to be as wide as at least.
fn claimed(claim: Claim) -> (Option<statistics::Claim>, f64) {
    match claim {
        Claim::Faster { by } => (Some(statistics::Claim::FasterBy(by)), statistics::MARGIN),
        Claim::Takes { less: true, seconds } => (Some(statistics::Claim::Below(seconds)), floor()),
        Claim::Takes { less: false, seconds } => (Some(statistics::Claim::Above(seconds)), floor()),
        Claim::None | Claim::Allocates { .. } | Claim::AllocatesExactly { .. } => (None, floor()),
    }
}

fn floor() -> f64 {
    outlet::floor().unwrap_or(UNKNOWN_FLOOR)
}

fn instruments(id: u64, options: &Options) -> Instruments<'static> {
    let mut observer = Observer::new(id, options);
    let instruments = Instruments::new(move |progress: &Progress<'_>| observer.look(progress));
    let clock = Rc::new(Timer::new(options.cpu));
    let counter = counts().then(|| Box::new(Allocations) as Box<dyn Counter>);
    Instruments { clock, counter, ..instruments }
}

/// The time on the wall, or that of the processor.
struct Timer {
    wall: Wall,
    cpu: bool,
}

impl Timer {
    fn new(cpu: bool) -> Self {
        Self { wall: Wall::new(), cpu: cpu && cost::processor_time().is_some() }
    }
}

impl Clock for Timer {
    #[inline]
    fn now(&self) -> Duration {
        if self.cpu { cost::processor_time().unwrap_or_default() } else { self.wall.now() }
    }
}

/// Whether allocations can be counted here.
fn counts() -> bool {
    cost::start_counting();
    cost::stop_counting().is_some()
}

/// Counts allocations.
struct Allocations;

impl Counter for Allocations {
    fn start(&mut self) {
        cost::start_counting();
    }

    fn stop(&mut self) -> Counts {
        let (allocations, bytes) = cost::stop_counting().unwrap_or_default();
        Counts { allocations, bytes }
    }
}

/// Tells the kernel how far it is, and hears whether the cell is to stop.
struct Observer {
    id: u64,
    silent: bool,
    /// What all of it may take, in seconds.
    budget: f64,
    /// When progress was last told, since the beginning.
    told: Duration,
    begun: Instant,
}

impl Observer {
    fn new(id: u64, options: &Options) -> Self {
        Self {
            id,
            silent: options.silent,
            budget: options.budget,
            told: SILENCE.saturating_sub(PERIOD),
            begun: Instant::now(),
        }
    }

    fn look(&mut self, progress: &Progress<'_>) -> ControlFlow<()> {
        if stop::requested() {
            return ControlFlow::Break(());
        }
        // In a sweep each size begins at zero, and has a share of the budget.
        let elapsed = self.begun.elapsed();
        let budget = if progress.size.is_some() { self.budget } else { progress.budget.as_secs_f64() };
        if !self.silent && elapsed >= self.told + PERIOD {
            self.told = elapsed;
            let mut object = Object::default();
            object.number("elapsed", elapsed.as_secs_f64()).number("budget", budget);
            object
                .raw("batches", progress.batches)
                .raw("medians", list(progress.medians.iter().copied().map(Number)));
            object.raw("repeats", or_null(progress.repeats)).maybe("half_width", progress.half_width);
            object.raw("size", or_null(progress.size));
            outlet::measured(Told::Progress, self.id, &object.end());
        }
        ControlFlow::Continue(())
    }
}

fn or_null(number: Option<u64>) -> String {
    number.map_or_else(|| "null".to_owned(), |number| number.to_string())
}

/// Tells the kernel what was measured, and ends the cell if it is to end.
fn tell(
    id: u64,
    options: &Options,
    measurements: &[Measurement],
    sizes: &[Option<u64>],
    left_out: &[u64],
    agree: &[Option<bool>],
) {
    let decision = decision(options.claim, measurements);
    let lanes = measurements.iter().enumerate();
    let lanes = lanes.map(|(index, measurement)| lane(measurement, sizes.get(index).copied().flatten()));
    let mut object = Object::default();
    object.raw("lanes", list(lanes)).raw("left_out", list(left_out));
    let agree = agree.iter().map(|whether| whether.map_or("null".to_owned(), |whether| whether.to_string()));
    object.raw("agree", list(agree)).number("reference", reference::median());
    if let Some(decision) = decision {
        object.raw("decision", word(decision));
    }
    outlet::measured(Told::Result, id, &object.end());
    if stop::requested() {
        stop::now();
    }
    if decision.is_some_and(|decision| decision != Decision::Holds) {
        cell::refute();
    }
}

/// What becomes of the claim; none if nothing is claimed.
fn decision(claim: Claim, measurements: &[Measurement]) -> Option<Decision> {
    let first = measurements.first();
    let counted = || first.and_then(|measurement| measurement.counted);
    let whether = |holds: bool| if holds { Decision::Holds } else { Decision::Fails };
    match claim {
        Claim::None => None,
        Claim::Faster { .. } | Claim::Takes { .. } => {
            let claimed = first.and_then(|measurement| measurement.claimed);
            Some(claimed.map_or(Decision::Undecided, |claimed| claimed.decision))
        }
        // Where nothing can be counted nothing is decided.
        Claim::Allocates { most } => {
            Some(counted().map_or(Decision::Undecided, |counted| whether(counted.most.allocations <= most)))
        }
        Claim::AllocatesExactly { count } => Some(counted().map_or(Decision::Undecided, |counted| {
            whether(counted.least.allocations == count && counted.most.allocations == count)
        })),
    }
}

fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Holds => "\"holds\"",
        Decision::Fails => "\"fails\"",
        Decision::Undecided => "\"undecided\"",
    }
}

fn lane(measurement: &Measurement, size: Option<u64>) -> String {
    let batch = |batch: &RawBatch| format!("[{},{}]", batch.iterations, Number(batch.elapsed.as_secs_f64()));
    let blocks = |blocks: &[Vec<RawBatch>]| list(blocks.iter().map(|block| list(block.iter().map(batch))));
    let mut object = Object::default();
    object.raw("size", or_null(size)).raw("blocks", blocks(&measurement.blocks));
    object.raw("threads", blocks(&measurement.threads));
    object.maybe("first", measurement.first.map(|first| first.as_secs_f64()));
    object.number("empty_loop", measurement.empty_loop);
    object.number("clock_cost", measurement.clock.cost).number("clock_step", measurement.clock.step);
    if let Some(Counted { iterations, least, most }) = measurement.counted {
        let counts = |counts: Counts| format!("[{},{}]", counts.allocations, counts.bytes);
        let mut counted = Object::default();
        counted.raw("iterations", iterations).raw("least", counts(least)).raw("most", counts(most));
        object.raw("counted", counted.end());
    }
    object.raw("calls", measurement.calls).number("elapsed", measurement.elapsed.as_secs_f64());
    object.raw("ending", ending(measurement.ending));
    object.end()
}

fn ending(ending: Ending) -> &'static str {
    match ending {
        Ending::Sure | Ending::Decided => "\"sure\"",
        Ending::Spent => "\"spent\"",
        Ending::Complete => "\"complete\"",
        Ending::Plenty => "\"plenty\"",
        Ending::Stopped => "\"stopped\"",
    }
}

/// What was measured where nothing was.
fn nothing() -> Measurement {
    Measurement {
        blocks: Vec::new(),
        threads: Vec::new(),
        first: None,
        empty_loop: 0.0,
        clock: assay_stopwatch::Precision { cost: 0.0, step: 0.0 },
        counted: None,
        calls: 0,
        elapsed: Duration::ZERO,
        ending: Ending::Complete,
        claimed: None,
    }
}
