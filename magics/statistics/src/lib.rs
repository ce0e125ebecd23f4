//! What measurements are judged with: pure functions over samples. No input, no output, no clock, no state; what is random comes from a seed, so the same samples
//! give the same figures.
//!
//! The loop beside the user's code asks [`Stopping`] between blocks whether to go on; what it measured becomes a report:
//!
//! ```
//! use assay_statistics::{Bootstrap, Circumstances, Next, RawBatch, Samples, Stopping, noise_floor, warnings};
//! use std::time::Duration;
//!
//! // The clock gave ten batches of 1000 iterations in each of five blocks; an empty loop costs 0.25 ns.
//! let block = |block: u64| (0..10).map(move |batch| RawBatch {
//!     iterations: 1000,
//!     elapsed: Duration::from_nanos(1_234_000 + 900 * block + 700 * (batch % 4)),
//! });
//! let blocks: Vec<Vec<RawBatch>> = (0..5).map(|number| block(number).collect()).collect();
//! let samples = Samples::from_batches(&blocks, 0.25e-9)?;
//!
//! // May it end?
//! let bootstrap = Bootstrap::default();
//! let stopping = Stopping { target: 0.02, budget: Duration::from_secs(1) };
//! let estimate = bootstrap.median(&samples, 0.0);
//! let next = stopping.next(&samples, &estimate, Duration::from_millis(90), Duration::from_millis(15));
//! assert_eq!(next, Next::Sure);
//!
//! // The figures, with an interval that is no narrower than this machine allows, and what makes them doubtful.
//! let floor = noise_floor(&[1.00e-6, 1.01e-6, 0.99e-6], &[]);
//! let figures = samples.summary();
//! let shown = bootstrap.median(&samples, floor);
//! let circumstances = Circumstances { empty_loop: 0.25e-9, clock: 25e-9, batch: 1.2e-3, first_run: None, floor };
//! assert!((figures.median - 1.237e-6).abs() < 0.002e-6);
//! assert!(shown.interval.contains(figures.median) && shown.relative_half_width() >= Some(floor));
//! assert!(warnings(&samples, &shown, &circumstances).is_empty());
//! # Ok::<(), assay_statistics::NotSamples>(())
//! ```
//!
//! [`Interleaved`] compares what was measured in turns, [`growth`] tells how costs grow with the size of the input, and [`Claim`] decides what
//! somebody says of a figure.

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
pub mod units;
mod warning;

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
pub use sample::{NotSamples, PASSES, RawBatch, Samples};
pub use stopping::{LEAST_BLOCKS, LEAST_SAMPLES, Next, Stopping};
pub use warning::{Circumstances, Warning, warnings};
