//! The meter: what the user's loop asks, and what tells the kernel in the end.

use super::instruments::{Allocations, Observer, Timer, counts, floor, instruments, settings};
use super::tell::tell;
use super::{Claim, Options, TimeitResult};
use crate::flusher::Quiet;
use crate::{cell, stop};
use assay_stopwatch::{Counter, Ending, Inputs, Measurement, Progress, Stopwatch, Turns, Wall};
use std::num::NonZeroUsize;
use std::time::Duration;

pub use assay_stopwatch::Turn;

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
    _quiet: Quiet,
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
        Self {
            id,
            options,
            turns,
            is_sweep: false,
            agree: Vec::new(),
            _region: stop::Region::enter(),
            _quiet: Quiet::keep(),
        }
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
        let Self { id, options, turns, is_sweep, agree, _region, _quiet } = self;
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
    let (region, _quiet) = (stop::Region::enter(), Quiet::keep());
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
