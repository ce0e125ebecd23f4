//! Code that can be timed, and the loop around it. This is what the compiler builds together with the user's code; all else is compiled once.
//!
//! **What a figure contains.** The result of an iteration passes `black_box`, so that it is computed, and is dropped within the loop, as a statement `f();`
//! in a plain loop drops it: the figure is what the whole call costs, as Python's `timeit` has it. (criterion's `iter` does the same.) Code whose result is not to be dropped
//! while the clock runs is timed with [`Each`](crate::Each). The code itself passes `black_box` once before the loop: what it captured has then to be read in each iteration,
//! so that nothing is computed ahead of the loop, and nothing is added to the loop.

use crate::clock::Clock;
use std::hint::black_box;
use std::time::Duration;

/// How much of a routine runs at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// How often the code runs while the clock counts.
    pub iterations: u64,
    /// How many inputs are made ready at a time, 1 to `iterations`; the clock stands while that is done. Without inputs it says nothing.
    pub at_once: u64,
}

impl Size {
    /// One iteration.
    pub const ONE: Self = Self { iterations: 1, at_once: 1 };
}

/// Code that can be timed: [`Plain`], [`Each`](crate::Each), or on [threads](crate::on_threads).
pub trait Routine {
    /// Runs the code as often as `size` says, and returns what the clock counted meanwhile.
    fn run(&mut self, size: Size) -> Duration;

    /// The same loop with nothing in it, timed in the same way. No code of the user's runs.
    fn empty(&mut self, size: Size) -> Duration;

    /// Runs the code once, untimed, on this thread, with `counter` on while it runs.
    fn count(&mut self, counter: &mut dyn Counter) -> Counts;

    /// The clock that `run` reads.
    fn clock(&self) -> &dyn Clock;

    /// How many inputs may be ready at a time, as far as their own size tells; none where there are no inputs.
    fn most_inputs(&self) -> Option<u64> {
        None
    }

    /// What each of several threads took in the latest run, each all its iterations; as many as there are threads from the beginning on. Empty on one thread.
    fn threads(&self) -> &[Duration] {
        &[]
    }
}

/// Counts what code does besides taking time. It is off while code is timed.
pub trait Counter {
    /// Counting begins, from zero.
    fn start(&mut self);
    /// Counting ends.
    fn stop(&mut self) -> Counts;
}

/// What one iteration asked of the heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// How many allocations; one that grows or shrinks is another.
    pub allocations: u64,
    /// The bytes that they asked for.
    pub bytes: u64,
}

/// Code that needs nothing made ready.
#[derive(Debug)]
pub struct Plain<'c, C, F> {
    clock: &'c C,
    body: F,
}

impl<'c, C: Clock, T, F: FnMut() -> T> Plain<'c, C, F> {
    /// The code `body`, timed with `clock`.
    pub fn new(clock: &'c C, body: F) -> Self {
        Self { clock, body }
    }
}

impl<C: Clock, T, F: FnMut() -> T> Routine for Plain<'_, C, F> {
    fn run(&mut self, size: Size) -> Duration {
        timed(self.clock, size.iterations, &mut self.body)
    }

    fn empty(&mut self, size: Size) -> Duration {
        timed(self.clock, size.iterations, &mut || ())
    }

    fn count(&mut self, counter: &mut dyn Counter) -> Counts {
        counted(counter, &mut self.body)
    }

    fn clock(&self) -> &dyn Clock {
        self.clock
    }
}

/// The loop. Never inlined, so that its code is the same wherever it is called from.
#[inline(never)]
pub(crate) fn timed<C: Clock + ?Sized, T>(
    clock: &C,
    iterations: u64,
    body: &mut impl FnMut() -> T,
) -> Duration {
    let body = black_box(body);
    let start = clock.now();
    for _ in 0..iterations {
        black_box(body());
    }
    clock.now().saturating_sub(start)
}

/// One iteration with the counter on.
pub(crate) fn counted<T>(counter: &mut dyn Counter, body: &mut impl FnMut() -> T) -> Counts {
    counter.start();
    black_box(body());
    counter.stop()
}
