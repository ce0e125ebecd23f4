//! What was measured, as plain data.

use crate::clock::Precision;
use crate::routine::Counts;
use assay_statistics::{Circumstances, Decision, Estimate, NotSamples, RawBatch, Samples, Sorted};
use std::time::Duration;

/// What was measured of one piece of code.
///
/// A measurement never has more than some thousand batches: if its budget is long, they are longer.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// What the clock gave, block by block, in the order in which it was measured. One batch at least, unless nothing was to be timed.
    pub blocks: Vec<Vec<RawBatch>>,
    /// The same batches as each thread saw them, one list a thread. Empty where the code ran on one thread.
    pub threads: Vec<Vec<RawBatch>>,
    /// What the very first run took, by the clock of the code. None if the number of loops was prescribed. If the first run spent the whole budget, it is the only batch as well.
    pub first: Option<Duration>,
    /// What an iteration of the loop takes with nothing in it, in seconds: the median of as many trials as there are blocks, each beside its block.
    pub empty_loop: f64,
    /// How finely the clock of the code can be read.
    pub clock: Precision,
    /// What the heap was asked for, if a counter was given and there was time for it.
    pub counted: Option<Counted>,
    /// How often the code ran in all: first run, warm-up, calibration, counting and batches, on all threads. That many times its side effects happened.
    pub calls: u64,
    /// What all of it took by the clock on the wall, with what was measured in turns with it.
    pub elapsed: Duration,
    /// Why it ended.
    pub ending: Ending,
    /// What became of the claim, if there was one. It is the same for all that is measured in turns.
    pub claimed: Option<Claimed>,
}

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Claimed {
    /// Whether it holds.
    pub decision: Decision,
    /// The figure that it is about, with the interval that decides it, at a level of 99 % and no narrower than the floor. None if there are too few samples for one, or something takes no time.
    pub estimate: Option<Estimate>,
}

/// Why a measurement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The figure is as sure as it was to be.
    Sure,
    /// The budget is spent.
    Spent,
    /// The claim is decided.
    Decided,
    /// All repeats that were asked for are done, or all counts.
    Complete,
    /// There are some thousand batches of the prescribed loops, and more would say no more.
    Plenty,
    /// The observer stopped it: the measurement is partial.
    Stopped,
}

/// How all that is measured together ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    pub(crate) elapsed: Duration,
    pub(crate) ending: Ending,
    pub(crate) claimed: Option<Claimed>,
}

/// What iterations asked of the heap, each counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// How many iterations were counted.
    pub iterations: u64,
    /// The least that one asked for, of allocations and of bytes apart.
    pub least: Counts,
    /// The most that one asked for.
    pub most: Counts,
}

impl Measurement {
    /// The seconds of an iteration, the empty loop's taken off.
    pub fn samples(&self) -> Result<Samples, NotSamples> {
        Samples::from_batches(&self.blocks, self.empty_loop)
    }

    /// The same as one thread saw them, one for each thread. Threads share memory, caches and power: where they differ, or take longer than one alone does, they
    /// are in each other's way.
    pub fn thread_samples(&self) -> Result<Vec<Samples>, NotSamples> {
        self.threads
            .iter()
            .map(|batches| {
                let mut rest = batches.as_slice();
                let in_blocks = |block: &Vec<RawBatch>| {
                    let (now, later) = rest.split_at(block.len().min(rest.len()));
                    rest = later;
                    now
                };
                let blocks: Vec<&[RawBatch]> = self.blocks.iter().map(in_blocks).collect();
                Samples::from_batches(&blocks, self.empty_loop)
            })
            .collect()
    }

    /// Takes in what was measured of the same code later.
    pub(crate) fn append(&mut self, later: Self) {
        // An empty loop is measured beside each block.
        let blocks = |one: &Self| one.blocks.len().max(1) as f64;
        let (here, there) = (blocks(self), blocks(&later));
        self.empty_loop = (self.empty_loop * here + later.empty_loop * there) / (here + there);
        self.blocks.extend(later.blocks);
        self.threads.iter_mut().zip(later.threads).for_each(|(all, more)| all.extend(more));
        self.counted = self.counted.or(later.counted);
        self.calls += later.calls;
        self.elapsed += later.elapsed;
        self.ending = later.ending;
    }

    /// The median seconds of a batch, all of its iterations together.
    pub fn batch(&self) -> f64 {
        let all: Vec<f64> = self.blocks.iter().flatten().map(|batch| batch.elapsed.as_secs_f64()).collect();
        Sorted::new(&all).map_or(0.0, |sorted| sorted.median())
    }

    /// Whether it was stopped before its time.
    pub fn is_partial(&self) -> bool {
        self.ending == Ending::Stopped
    }

    /// What else is to be known to judge the samples, on a machine with such a noise floor.
    pub fn circumstances(&self, floor: f64) -> Circumstances {
        Circumstances {
            empty_loop: self.empty_loop,
            clock: self.clock.step,
            batch: self.batch(),
            first_run: self.first.map(|first| first.as_secs_f64()),
            floor,
        }
    }
}

impl Counted {
    /// Of one iteration.
    pub(crate) fn once(counts: Counts) -> Self {
        Self { iterations: 1, least: counts, most: counts }
    }

    /// With one iteration more.
    pub(crate) fn and(self, counts: Counts) -> Self {
        let choose = |one: Counts, choose: fn(u64, u64) -> u64| Counts {
            allocations: choose(one.allocations, counts.allocations),
            bytes: choose(one.bytes, counts.bytes),
        };
        Self {
            iterations: self.iterations + 1,
            least: choose(self.least, u64::min),
            most: choose(self.most, u64::max),
        }
    }

    /// Whether every iteration asked for the same.
    pub fn is_constant(&self) -> bool {
        self.least == self.most
    }
}
