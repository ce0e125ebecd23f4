//! What an iteration takes, as far as is known, and how large a batch follows from that.

use crate::routine::Size;
use std::time::Duration;

/// So many of the latest trials are looked at. The least of them counts: a trial that the system interrupted tells of the system, and a single one of those once made all
/// batches a thousand times too small. No more are looked at, because code may change its cost.
const LATEST: usize = 5;

/// Inputs at a time: enough for so many steps of the clock (a quarter of a per cent), for then the clock does not show, and the inputs still lie in the caches.
const STEPS_OF_CLOCK: f64 = 400.0;

/// Inputs at a time: no more than are made in so many seconds. Whatever an input owns, memory that is filled in this time is some ten megabytes.
const PREPARING: f64 = 4e-3;

/// No batch is larger: 4 · 10⁹ iterations take a second where nothing takes less.
const MOST_ITERATIONS: u64 = 1 << 32;

/// What the latest trials took.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    latest: [Option<Trial>; LATEST],
    next: usize,
}

/// Seconds of an iteration.
#[derive(Debug, Clone, Copy)]
struct Trial {
    /// By the clock on the wall, with the setup.
    wall: f64,
    /// By the clock of the code, which stands during the setup.
    timed: f64,
}

/// What a batch is to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Aim {
    /// The seconds that it is to take by the clock on the wall.
    pub(crate) batch: f64,
    /// The smallest step of the clock of the code, in seconds.
    pub(crate) step: f64,
    /// How many inputs may be ready at a time, if there are inputs.
    pub(crate) most_inputs: Option<u64>,
}

impl Gauge {
    /// So many iterations took so long, by either clock.
    pub(crate) fn record(&mut self, iterations: u64, timed: Duration, wall: Duration) {
        let each = |elapsed: Duration| elapsed.as_secs_f64() / iterations as f64;
        self.latest[self.next % LATEST] = Some(Trial { wall: each(wall), timed: each(timed) });
        self.next += 1;
    }

    /// The seconds of an iteration by the clock on the wall; none as long as nothing is known.
    pub(crate) fn wall(&self) -> Option<f64> {
        self.least(|trial| trial.wall)
    }

    fn least(&self, figure: impl Fn(&Trial) -> f64) -> Option<f64> {
        self.latest.iter().flatten().map(figure).min_by(f64::total_cmp)
    }

    /// The batch that takes as long as is aimed at, or one iteration, if that takes longer or nothing is known.
    pub(crate) fn size(&self, aim: Aim) -> Size {
        let (Some(wall), Some(timed)) = (self.wall(), self.least(|trial| trial.timed)) else {
            return Size::ONE;
        };
        // A quotient by zero is infinite, and the cast ends at the largest number.
        let iterations = ((aim.batch / wall).round() as u64).clamp(1, MOST_ITERATIONS);
        let Some(most) = aim.most_inputs else {
            return Size { iterations, at_once: iterations };
        };
        let to_be_seen = (STEPS_OF_CLOCK * aim.step / timed).ceil() as u64;
        let to_be_made = (PREPARING / (wall - timed).max(0.0)).round() as u64;
        let at_once = to_be_seen.min(to_be_made).clamp(1, most.max(1));
        Size { iterations: (iterations / at_once).max(1) * at_once, at_once }
    }
}

#[cfg(test)]
mod tests {
    use super::{Aim, Gauge, MOST_ITERATIONS};
    use crate::routine::Size;
    use std::time::Duration;

    const AIM: Aim = Aim { batch: 1.5e-3, step: 25e-9, most_inputs: None };
    const INPUTS: Aim = Aim { most_inputs: Some(8192), ..AIM };

    /// The size after trials that took so many nanoseconds for each iteration, by the clock of the code and on the wall.
    fn size(aim: Aim, trials: &[(u64, u64)]) -> Size {
        let mut gauge = Gauge::default();
        for (timed, wall) in trials {
            gauge.record(1000, Duration::from_nanos(1000 * timed), Duration::from_nanos(1000 * wall));
        }
        gauge.size(aim)
    }

    #[test]
    fn the_least_of_the_latest_trials_counts() {
        assert_eq!(size(AIM, &[]), Size::ONE);
        assert_eq!(size(AIM, &[(100, 100)]).iterations, 15_000);
        assert_eq!(
            size(AIM, &[(10_000_000, 10_000_000), (100, 100), (5_000_000, 5_000_000)]).iterations,
            15_000
        );
        assert_eq!(size(AIM, &[(7_000_000, 7_000_000)]), Size::ONE);
        let slower = [(10, 10), (100, 100), (100, 100), (100, 100), (100, 100), (100, 100)];
        assert_eq!(size(AIM, &slower).iterations, 15_000);
        assert_eq!(size(AIM, &[(0, 0)]).iterations, MOST_ITERATIONS);
    }

    #[test]
    fn short_code_has_many_inputs_at_a_time_and_long_code_one() {
        assert_eq!(size(INPUTS, &[(100, 200)]), Size { iterations: 7500, at_once: 100 });
        assert_eq!(size(INPUTS, &[(20_000, 30_000)]), Size { iterations: 50, at_once: 1 });
        assert_eq!(size(INPUTS, &[(1, 3)]), Size { iterations: 60 * 8192 + 8192, at_once: 8192 });
        assert_eq!(size(INPUTS, &[(5_000_000, 9_000_000)]), Size::ONE);
    }

    #[test]
    fn inputs_that_take_long_to_make_are_few() {
        assert_eq!(size(INPUTS, &[(10, 1_000_010)]), Size { iterations: 4, at_once: 4 });
        assert_eq!(size(INPUTS, &[(10, 100_000_010)]), Size::ONE);
    }
}
