//! How a measurement is made.

use assay_statistics::{Claim, LEAST_BLOCKS, UNKNOWN_FLOOR};
use std::num::NonZeroU64;
use std::time::Duration;

/// More batches of one measurement say no more, and take time to judge.
pub(crate) const MOST_BATCHES: u32 = 4000;

/// A claim that is undecided when the budget is spent is measured on, up to so many budgets: the width of an interval falls with the root of the time, so three make it little more than half as wide, and
/// more would be a wait for little.
const BUDGETS_TO_DECIDE: u32 = 3;

/// How a measurement is made. The defaults are what was found best on shared machines: see the fields.
///
/// `loops` and `repeats` mean what `-n` and `-r` mean to IPython. With both given the code runs exactly `loops · repeats` times (on each thread, if there are several): there is no first run, no warm-up, no
/// calibration and no pass that counts allocations, and the budget ends nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// The iterations of a batch. None: as many as take [`batch`](Self::batch). Given, nothing runs before the first batch, which may be a cold one.
    pub loops: Option<NonZeroU64>,
    /// The number of batches. None: until the figure is sure or the budget spent. Given, neither of the two ends it.
    pub repeats: Option<NonZeroU64>,
    /// How long the whole of it may take: warm-up, calibration and batches. It is exceeded by no more than one batch (one round, where several are measured in turns), except that what takes less than the
    /// budget runs a second time, since a first run is none to judge by. Half a second is enough where the machine is quiet.
    pub budget: Duration,
    /// How long the code runs before it is measured, the first run included: until caches, predictors and the processor's frequency are where they will be. At most a quarter of the
    /// budget. Where several are measured in turns each has a warm-up, and a quarter is for all of them.
    pub warm_up: Duration,
    /// What a batch is to take, its setup included: timing errors are small at 1 to 2 ms (a clock costs 25 ns), and more samples are better than longer ones. (Batches of
    /// 1 µs quantise; between 10 µs and 20 ms no difference could be shown.) What takes longer runs once a batch. In a long measurement batches are longer, see [`Measurement`](crate::Measurement).
    pub batch: Duration,
    /// In how many blocks, spread over the budget, batches are measured: five at least.
    pub blocks: u32,
    /// The half-width of the 95 % interval, as a share of the figure, at which it is sure: the noise floor of the machine, for a smaller one means nothing. Of several that
    /// are measured in turns it is that of the ratios to the first. Zero: it is never sure before the budget is spent.
    pub target: f64,
    /// Where the random orders begin in which several are measured in turns.
    pub seed: u64,
    /// What somebody claims: of the median of lane 0, or for [`FasterBy`](Claim::FasterBy) of the ratio of lane 0 to lane 1. Given, the measurement ends when the claim is decided, and neither when the figure is
    /// sure nor when the budget is spent: undecided it goes on to three times the budget.
    pub claim: Option<Claim>,
    /// The share of the figure to which the interval that decides a claim reaches at least, to either side: the noise floor of the machine, or for a ratio [`MARGIN`](assay_statistics::MARGIN). A claim within it stays
    /// undecided, since another run on the same machine might say otherwise.
    pub floor: f64,
    /// Nothing is timed: so many iterations are counted, or as many as the budget has room for, but one at least. The measurement has no batches then, and decides no claim.
    pub counts_only: Option<NonZeroU64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            loops: None,
            repeats: None,
            budget: Duration::from_secs(1),
            warm_up: Duration::from_millis(100),
            batch: Duration::from_micros(1500),
            blocks: 10,
            target: UNKNOWN_FLOOR,
            seed: 0,
            claim: None,
            floor: UNKNOWN_FLOOR,
            counts_only: None,
        }
    }
}

impl Settings {
    /// The number of blocks that is meant.
    pub(crate) fn blocks(&self) -> u32 {
        self.blocks.max(LEAST_BLOCKS as u32)
    }

    /// How long the whole of it may take at most.
    pub(crate) fn limit(&self) -> Duration {
        self.budget.saturating_mul(if self.claim.is_some() { BUDGETS_TO_DECIDE } else { 1 })
    }

    /// What a batch is meant to take: in a long measurement more, so that there are not too many.
    pub(crate) fn batch_time(&self) -> Duration {
        self.batch.max(self.limit() / MOST_BATCHES)
    }
}
