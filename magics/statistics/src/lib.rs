//! What measurements are judged with: pure functions over samples. No input, no output, no clock, no state; what is random comes from a seed.
mod assertion;
mod bootstrap;
mod comparison;
mod complexity;
mod distribution;
mod floor;
mod generator;
mod interval;
mod outliers;
mod quantiles;
mod rank_test;
mod sample;
#[cfg(test)]
mod simulation;
mod stopping;

pub use assertion::{Claim, Decision};
pub use bootstrap::Bootstrap;
pub use comparison::{
    Comparison, Interleaved, MARGIN, NotInterleaved, Pair, Place, Ranking, SIGNIFICANT, Verdict,
};
pub use complexity::{Class, Fit, Growth, GrowthVerdict, Knee, LEAST_RANGE, LEAST_SIZES, growth};
pub use floor::{UNKNOWN_FLOOR, noise_floor};
pub use generator::Generator;
pub use interval::{Estimate, Interval};
pub use outliers::Outliers;
pub use quantiles::{Sorted, Summary};
pub use rank_test::{MannWhitney, holm, mann_whitney};
pub use sample::{NotSamples, RawBatch, Samples};
pub use stopping::{LEAST_BLOCKS, LEAST_SAMPLES, Next, Stopping};
