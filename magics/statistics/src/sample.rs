//! The stages of a measurement as types: what the clock gave, and what one iteration cost, so that nobody averages something raw.

use crate::quantiles::{Sorted, Summary};
use std::fmt;
use std::ops::Range;
use std::time::Duration;

/// A sweep over sizes goes over them so often, if there is time: what the machine does for a second then meets a part of what is measured at some sizes, and not all that is
/// measured at one. Of twelve known functions on a busy machine one was named rightly by a single pass, and half of them when a size's figure was one of all its blocks.
pub const PASSES: usize = 3;

/// What the clock gave: so many iterations took so long together. Not yet a figure of anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawBatch {
    /// How often the code ran.
    pub iterations: u64,
    /// From before the first iteration to after the last.
    pub elapsed: Duration,
}

/// The cost of one iteration, measured many times, in blocks that are spread over the time of the measurement.
///
/// Blocks matter because samples of the same moment are alike: how sure a figure is shows in how far blocks differ, and not in how many samples
/// there are. Never empty, every value finite and not negative. The unit is seconds where [`from_batches`](Self::from_batches) made it, otherwise the caller's
/// (bytes, instructions).
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    values: Vec<f64>,
    blocks: Vec<Range<usize>>,
}

/// Why values are no samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSamples {
    /// There is no value at all.
    Empty,
    /// A batch holds no iteration, so there is no cost of one.
    NoIterations,
    /// A value is infinite, negative or no number.
    NotACost,
}

impl Samples {
    /// Values in blocks, both in the order in which they were measured. Empty blocks are passed over.
    pub fn new<B: AsRef<[f64]>>(blocks: &[B]) -> Result<Self, NotSamples> {
        let mut samples = Self { values: Vec::new(), blocks: Vec::new() };
        for block in blocks.iter().map(AsRef::as_ref).filter(|block| !block.is_empty()) {
            if !block.iter().all(|value| value.is_finite() && *value >= 0.0) {
                return Err(NotSamples::NotACost);
            }
            let start = samples.values.len();
            samples.values.extend_from_slice(block);
            samples.blocks.push(start..samples.values.len());
        }
        if samples.values.is_empty() { Err(NotSamples::Empty) } else { Ok(samples) }
    }

    /// The seconds of one iteration in each batch, less `empty_loop`, the seconds that an iteration of the loop costs when there is nothing in it.
    ///
    /// What comes out below zero is zero: no code takes less. A median above zero is not changed by that.
    pub fn from_batches<B: AsRef<[RawBatch]>>(blocks: &[B], empty_loop: f64) -> Result<Self, NotSamples> {
        let seconds = |batch: &RawBatch| match batch.iterations {
            0 => Err(NotSamples::NoIterations),
            n => Ok((batch.elapsed.as_secs_f64() / n as f64 - empty_loop).max(0.0)),
        };
        let block = |block: &B| block.as_ref().iter().map(seconds).collect::<Result<Vec<f64>, NotSamples>>();
        Self::new(&blocks.iter().map(block).collect::<Result<Vec<_>, _>>()?)
    }

    /// All values in the order in which they were measured.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The values block by block, in the order in which they were measured.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.blocks.iter().map(|block| &self.values[block.clone()])
    }

    /// Where each block stands in [`values`](Self::values).
    pub(crate) fn shape(&self) -> &[Range<usize>] {
        &self.blocks
    }

    /// The median of each block, in the order in which they were measured.
    pub fn block_medians(&self) -> Vec<f64> {
        self.blocks().map(|block| Sorted::of(block).median()).collect()
    }

    /// The median of each of so many parts, which are blocks that follow each other; of as many as there are blocks, if those are fewer. A part has more samples than a block, and so
    /// a moment in which the machine did something else is less of it.
    pub fn part_medians(&self, parts: usize) -> Vec<f64> {
        let parts = parts.clamp(1, self.blocks.len());
        let bounds = |part: usize| {
            let (first, next) = (part * self.blocks.len() / parts, (part + 1) * self.blocks.len() / parts);
            self.blocks[first].start..self.blocks[next - 1].end
        };
        (0..parts).map(|part| Sorted::of(&self.values[bounds(part)]).median()).collect()
    }

    /// The least of the medians of [`PASSES`] parts: whatever disturbs a machine for a while makes it slower.
    pub fn least_disturbed(&self) -> f64 {
        self.part_medians(PASSES).into_iter().fold(f64::INFINITY, f64::min)
    }

    /// The values in ascending order, for quantiles.
    pub fn sorted(&self) -> Sorted {
        Sorted::of(&self.values)
    }

    /// The figures of a table.
    pub fn summary(&self) -> Summary {
        Summary::of(&self.values)
    }

    /// How many there are, one or more.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }
}

impl fmt::Display for NotSamples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "nothing was measured"),
            Self::NoIterations => write!(f, "a batch has no iterations, so there is no cost of one"),
            Self::NotACost => write!(f, "a value is infinite, negative or no number, so it is no cost"),
        }
    }
}

impl std::error::Error for NotSamples {}

#[cfg(test)]
mod tests {
    use super::{NotSamples, RawBatch, Samples};
    use std::time::Duration;

    fn batch(iterations: u64, nanoseconds: u64) -> RawBatch {
        RawBatch { iterations, elapsed: Duration::from_nanos(nanoseconds) }
    }

    #[test]
    fn parts_are_blocks_that_follow_each_other() {
        let samples = Samples::new(&[vec![1.0, 9.0], vec![2.0], vec![3.0], vec![4.0], vec![5.0]]).unwrap();
        assert_eq!(samples.part_medians(1), [3.5]);
        assert_eq!(samples.part_medians(2), [2.0, 4.0]);
        assert_eq!(samples.part_medians(5), samples.block_medians());
        assert_eq!(samples.part_medians(9), samples.block_medians());
        assert_eq!(samples.part_medians(0), [3.5]);
    }

    #[test]
    fn the_empty_loop_is_taken_off_and_nothing_takes_less_than_no_time() {
        let blocks = [vec![batch(1000, 2500), batch(10, 2)], vec![batch(1, 1_000_000)]];
        let samples = Samples::from_batches(&blocks, 0.5e-9).unwrap();
        let rounded: Vec<f64> = samples.values().iter().map(|s| (s * 1e10).round() / 10.0).collect();
        assert_eq!(rounded, [2.0, 0.0, 999_999.5]);
        assert_eq!(samples.blocks().map(<[f64]>::len).collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn what_is_no_cost_is_refused() {
        let none: [&[f64]; 2] = [&[], &[]];
        assert_eq!(Samples::new(&none), Err(NotSamples::Empty));
        assert_eq!(Samples::new(&[[f64::NAN]]), Err(NotSamples::NotACost));
        assert_eq!(Samples::new(&[[1.0, f64::INFINITY]]), Err(NotSamples::NotACost));
        assert_eq!(Samples::new(&[[-1.0]]), Err(NotSamples::NotACost));
        assert_eq!(Samples::from_batches(&[[batch(0, 5)]], 0.0), Err(NotSamples::NoIterations));
        assert_eq!(Samples::from_batches(&[[batch(1, 5)]], f64::NAN).map(|s| s.len()), Ok(1));
    }

    #[test]
    fn blocks_keep_their_order_and_empty_ones_go() {
        let samples = Samples::new(&[vec![3.0, 1.0, 2.0], vec![], vec![9.0]]).unwrap();
        assert_eq!(samples.values(), [3.0, 1.0, 2.0, 9.0]);
        assert_eq!(samples.block_medians(), [2.0, 9.0]);
    }
}
