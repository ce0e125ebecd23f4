//! When a measurement ends: early once it is sure enough, and never later than its budget.

use crate::interval::Estimate;
use crate::sample::Samples;
use std::time::Duration;

/// Fewer blocks say too little about what the machine does from moment to moment.
pub const LEAST_BLOCKS: usize = 5;

/// Fewer samples have no median worth an interval.
pub const LEAST_SAMPLES: usize = 10;

/// The rule that ends a measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stopping {
    /// The half-width of the interval, as a share of the figure, at which more samples are of no use: the noise floor, or what the user
    /// asked for. Zero means that only the budget ends it.
    pub target: f64,
    /// How long the measurement may take.
    pub budget: Duration,
}

/// What to do after a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Measure another block.
    Measure,
    /// The figure is as sure as it was to be.
    Sure,
    /// Another block would end after the budget.
    Spent,
}

impl Stopping {
    /// What to do when `samples` are measured, `elapsed` is over, and another block is thought to take `block`. It is asked between blocks, and at least one
    /// block has to be measured before, however long it takes.
    ///
    /// `estimate` is what is to become sure, with a floor of 0, for a floor is never passed by measuring on: the median of the samples, or a ratio
    /// to others that were measured in turns with them.
    pub fn next(&self, samples: &Samples, estimate: &Estimate, elapsed: Duration, block: Duration) -> Next {
        let enough = samples.shape().len() >= LEAST_BLOCKS && samples.len() >= LEAST_SAMPLES;
        // Code that takes no time will not take more of it.
        let tight = estimate.relative_half_width().is_none_or(|half_width| half_width <= self.target);
        if enough && tight {
            Next::Sure
        } else if elapsed.saturating_add(block) > self.budget {
            Next::Spent
        } else {
            Next::Measure
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Next, Stopping};
    use crate::bootstrap::Bootstrap;
    use crate::sample::Samples;
    use crate::simulation::Machine;
    use std::time::Duration;

    const BOOTSTRAP: Bootstrap = Bootstrap { level: 0.95, resamples: 300, seed: 1 };

    fn next(samples: &Samples, target: f64, elapsed_ms: u64) -> Next {
        let stopping = Stopping { target, budget: Duration::from_millis(1000) };
        let estimate = BOOTSTRAP.median(samples, 0.0);
        stopping.next(samples, &estimate, Duration::from_millis(elapsed_ms), Duration::from_millis(100))
    }

    #[test]
    fn it_ends_when_the_interval_is_tight_or_the_budget_spent() {
        let samples = Machine::new(1).blocks(1e-6, 6, 40, 0.005);
        assert_eq!(next(&samples, 0.05, 500), Next::Sure);
        assert_eq!(next(&samples, 1e-6, 500), Next::Measure);
        assert_eq!(next(&samples, 1e-6, 900), Next::Measure);
        assert_eq!(next(&samples, 1e-6, 901), Next::Spent);
    }

    #[test]
    fn few_blocks_are_never_sure_however_alike_they_are() {
        assert_eq!(next(&Samples::new(&[[1.0; 100]; 4]).unwrap(), 0.05, 100), Next::Measure);
        assert_eq!(next(&Samples::new(&[[1.0; 1]; 9]).unwrap(), 0.05, 100), Next::Measure);
        assert_eq!(next(&Samples::new(&[[1.0; 2]; 5]).unwrap(), 0.0, 100), Next::Sure);
        assert_eq!(next(&Samples::new(&[[0.0; 2]; 5]).unwrap(), 0.0, 100), Next::Sure);
    }

    #[test]
    fn blocks_that_differ_are_measured_on() {
        let moods = Machine::new(2).blocks(1e-6, 5, 200, 0.1);
        assert_eq!(next(&moods, 0.03, 500), Next::Measure);
    }
}
