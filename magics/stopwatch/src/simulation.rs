//! A machine that is not there, whose time passes only by what runs on it. For tests.

use crate::clock::Clock;
use crate::observer::Progress;
use crate::routine::{Counter, Counts, Routine, Size};
use crate::settings::Settings;
use assay_statistics::{Generator, RawBatch};
use std::cell::Cell;
use std::ops::ControlFlow;
use std::time::Duration;

/// What a reading of the clock costs, in nanoseconds.
pub(crate) const READING: f64 = 25.0;

/// What an iteration of the empty loop costs, in nanoseconds.
pub(crate) const EMPTY: f64 = 0.25;

/// The time, in nanoseconds.
#[derive(Default)]
pub(crate) struct Time(Cell<f64>);

impl Time {
    pub(crate) fn pass(&self, nanoseconds: f64) {
        self.0.set(self.0.get() + nanoseconds);
    }

    /// The seconds that are over.
    pub(crate) fn seconds(&self) -> f64 {
        self.0.get() / 1e9
    }

    /// A clock that shows whole nanoseconds.
    pub(crate) fn clock(&self) -> impl Clock {
        || {
            self.pass(READING);
            Duration::from_nanos(self.0.get() as u64)
        }
    }
}

/// A run of a routine, as it was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) size: Size,
    /// When it began, in seconds.
    pub(crate) begun: f64,
}

/// Code that takes what a function says, in nanoseconds for each iteration, for the number of the run and its iterations.
pub(crate) struct Simulated<'t, C, F> {
    time: &'t Time,
    clock: &'t C,
    cost: F,
    pub(crate) calls: u64,
    pub(crate) runs: Vec<Run>,
}

impl<'t, C: Clock, F: FnMut(usize, u64) -> f64> Simulated<'t, C, F> {
    pub(crate) fn new(time: &'t Time, clock: &'t C, cost: F) -> Self {
        Self { time, clock, cost, calls: 0, runs: Vec::new() }
    }

    fn timed(&self, iterations: u64, cost: f64) -> Duration {
        let begun = self.clock.now();
        self.time.pass(iterations as f64 * (EMPTY + cost));
        self.clock.now() - begun
    }
}

impl<C: Clock, F: FnMut(usize, u64) -> f64> Routine for Simulated<'_, C, F> {
    fn run(&mut self, size: Size) -> Duration {
        let cost = (self.cost)(self.runs.len(), size.iterations);
        self.runs.push(Run { size, begun: self.time.seconds() });
        self.calls += size.iterations;
        self.timed(size.iterations, cost)
    }

    fn empty(&mut self, size: Size) -> Duration {
        self.timed(size.iterations, 0.0)
    }

    fn count(&mut self, counter: &mut dyn Counter) -> Counts {
        counter.start();
        self.time.pass((self.cost)(self.runs.len(), 1));
        self.calls += 1;
        counter.stop()
    }

    fn clock(&self) -> &dyn Clock {
        self.clock
    }
}

/// Noise: a factor about 1 that is far above it once in a while, when something else has the processor.
pub(crate) fn noise(generator: &mut Generator) -> f64 {
    let unit = |generator: &mut Generator| generator.below(1_000_000) as f64 / 1e6;
    let normal = (0..12).map(|_| unit(generator)).sum::<f64>() - 6.0;
    let interrupted = unit(generator) < 0.04;
    (0.02 * normal).exp() * if interrupted { 1.0 + 3.0 * unit(generator) } else { 1.0 }
}

/// Settings under which the budget alone ends a measurement.
pub(crate) fn to_the_end() -> Settings {
    Settings { target: 0.0, ..Settings::default() }
}

/// An observer who wants to go on.
pub(crate) fn go_on(_: &Progress<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// The seconds of an iteration of a batch.
pub(crate) fn seconds(batch: &RawBatch) -> f64 {
    batch.elapsed.as_secs_f64() / batch.iterations as f64
}
