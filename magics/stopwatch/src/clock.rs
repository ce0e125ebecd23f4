//! What time is read from, and how finely it can be read.

use std::time::{Duration, Instant};

/// Readings of which one step is thought to be seen at least: a clock that does not move in so many is not waited for.
const MOST_READINGS: u32 = 100_000;

/// The smallest of so many steps is the step.
const STEPS: u32 = 16;

/// The cost of a reading is the least of so many trials, each of so many readings.
const COST_TRIALS: u32 = 8;
const COST_READINGS: u32 = 32;

/// A clock: time since some moment of its own, never running backwards.
///
/// Any closure that returns a `Duration` is one: the processor time of the process, say, which `std` cannot read.
pub trait Clock {
    /// The time since the clock's own beginning.
    fn now(&self) -> Duration;
}

impl<F: Fn() -> Duration> Clock for F {
    #[inline]
    fn now(&self) -> Duration {
        self()
    }
}

/// The clock on the wall: the operating system's monotonic clock.
#[derive(Debug, Clone, Copy)]
pub struct Wall(Instant);

impl Wall {
    /// A clock that begins now.
    pub fn new() -> Self {
        Self(Instant::now())
    }
}

impl Default for Wall {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for Wall {
    #[inline]
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

/// How finely a clock can be read. Both in seconds; zero where a clock never moved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Precision {
    /// What a reading costs.
    pub cost: f64,
    /// The smallest difference between two readings that is not zero. Of a fine clock it is about the cost, for nothing can be read in between.
    pub step: f64,
}

impl Precision {
    /// Reads the clock some hundred times, or until it moves.
    pub fn of(clock: &dyn Clock) -> Self {
        let costs = (0..COST_TRIALS).map(|_| cost(clock));
        Self { cost: costs.fold(f64::INFINITY, f64::min), step: step(clock) }
    }
}

fn cost(clock: &dyn Clock) -> f64 {
    let start = clock.now();
    let end = (0..COST_READINGS).fold(start, |_, _| clock.now());
    end.saturating_sub(start).as_secs_f64() / f64::from(COST_READINGS)
}

fn step(clock: &dyn Clock) -> f64 {
    let (mut smallest, mut steps) = (Duration::MAX, 0);
    let mut last = clock.now();
    for _ in 0..MOST_READINGS {
        let now = clock.now();
        if now > last {
            smallest = smallest.min(now - last);
            steps += 1;
        }
        if steps == STEPS {
            break;
        }
        last = now;
    }
    if steps == 0 { 0.0 } else { smallest.as_secs_f64() }
}

#[cfg(test)]
mod tests {
    use super::{Clock, Precision, Wall};
    use std::cell::Cell;
    use std::time::Duration;

    /// A clock of which each reading takes `cost` and that shows whole steps of `step`, in nanoseconds.
    fn precision(cost: u64, step: u64) -> Precision {
        let time = Cell::new(0);
        Precision::of(&|| {
            time.set(time.get() + cost);
            Duration::from_nanos(time.get() / step * step)
        })
    }

    #[test]
    fn fine_and_coarse_clocks_are_told_apart() {
        assert_eq!(precision(25, 1), Precision { cost: 25e-9, step: 25e-9 });
        assert_eq!(precision(100, 1000).step, 1e-6);
        assert_eq!(precision(100, 4_000_000).step, 4e-3);
        assert_eq!(precision(0, 1), Precision { cost: 0.0, step: 0.0 });
    }

    #[test]
    fn the_wall_moves_on() {
        let wall = Wall::default();
        let (first, second) = (wall.now(), wall.now());
        assert!(first <= second);
    }
}
