//! What was measured, as data: what the loop beside the user's code tells when it is over. `kernel/cell/src/measure/` writes it, as JSON.

use assay_statistics::{NotSamples, RawBatch, Samples};
use serde::Deserialize;
use std::time::Duration;

/// A measurement of one piece of code, of several in turns, or of one at several sizes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Measured {
    /// One for each piece of code, in the order in which they stand in the cell; in a sweep one for each size, in ascending order.
    pub lanes: Vec<Lane>,
    /// For each piece of code behind the first, whether its result equals the first one's; none where the two cannot be compared.
    pub agree: Vec<Option<bool>>,
    /// The sizes that a sweep left out, because one run would have ended after the budget or because it was interrupted.
    pub left_out: Vec<u64>,
    /// What became of a claim (`%assert_faster` and its kin).
    pub decision: Option<Decided>,
}

/// What was measured of one piece of code.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Lane {
    /// The size, in a sweep.
    pub size: Option<u64>,
    /// Iterations and seconds of each batch, block by block, in the order in which they were measured.
    pub blocks: Vec<Vec<(u64, f64)>>,
    /// The same batches as each of several threads saw them, a list for each thread; empty on one thread.
    pub threads: Vec<Vec<(u64, f64)>>,
    /// Seconds of the very first run; none if the number of loops was prescribed.
    pub first: Option<f64>,
    /// Seconds of an iteration of the loop with nothing in it.
    pub empty_loop: f64,
    /// What a reading of the clock costs, in seconds.
    pub clock_cost: f64,
    /// The smallest step of the clock, in seconds.
    pub clock_step: f64,
    /// What the heap was asked for in one iteration, if that was counted.
    pub counted: Option<Counted>,
    /// How often the code ran in all, warm-up and calibration included: so often its side effects happened.
    pub calls: u64,
    /// Seconds of all of it, on the wall.
    pub elapsed: f64,
    /// Why it ended.
    pub ending: Ending,
}

/// Why a measurement ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// The figure is as sure as it was to be.
    #[default]
    Sure,
    /// The budget is spent.
    Spent,
    /// All repeats that were asked for are done.
    Complete,
    /// There are so many batches that more would say no more.
    Plenty,
    /// It was interrupted: the measurement is partial.
    Stopped,
}

/// What iterations asked of the heap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct Counted {
    /// How many iterations were counted.
    pub iterations: u64,
    /// The least that one asked for: allocations, and bytes, each apart.
    pub least: (u64, u64),
    /// The most that one asked for.
    pub most: (u64, u64),
}

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decided {
    /// The whole interval is on its side.
    Holds,
    /// The whole interval is against it.
    Fails,
    /// The interval holds both, after three times the budget.
    Undecided,
}

/// What `%time` measured: seconds of one run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
pub struct Timed {
    /// On the wall.
    pub wall: f64,
    /// Of the processor, of all threads, in user code.
    pub user: f64,
    /// Of the processor, of all threads, in the system.
    pub system: f64,
    /// Whether it ended by itself; if not, a panic or a `?` ended it.
    pub finished: bool,
}

/// How far a measurement is, between two of its blocks.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// Seconds since it began.
    pub elapsed: f64,
    /// Seconds that it may take.
    pub budget: f64,
    /// How many batches there are, of each piece of code.
    pub batches: u64,
    /// How many there will be, where that is prescribed.
    pub repeats: Option<u64>,
    /// The median so far of each piece of code, in seconds.
    pub medians: Vec<f64>,
    /// The half-width of the interval, as a share.
    pub half_width: Option<f64>,
    /// The size, in a sweep.
    pub size: Option<u64>,
}

/// Where and how something was measured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// The processor, as the system names it; empty if it does not say.
    pub processor: String,
    /// `rustc 1.95.0`.
    pub compiler: String,
    /// The level at which the cell was optimised: `3` unless the user chose another.
    pub optimisation: String,
    /// What the processor's features were chosen for (`native`), where they were chosen.
    pub target_cpu: Option<String>,
    /// The noise floor of this machine, as a share: no interval is narrower.
    pub floor: f64,
    /// From how many starts of the kernel the floor was learnt.
    pub starts: usize,
    /// Seconds that the cell took to be compiled and linked.
    pub compile: f64,
    /// The variables in the code that hold code themselves: a closure in a box, a function pointer.
    pub holding_code: Vec<String>,
}

impl Lane {
    /// The seconds of an iteration, the empty loop's taken off.
    pub fn samples(&self) -> Result<Samples, NotSamples> {
        let batch = |&(iterations, seconds): &(u64, f64)| RawBatch {
            iterations,
            elapsed: Duration::try_from_secs_f64(seconds).unwrap_or_default(),
        };
        let blocks: Vec<Vec<RawBatch>> =
            self.blocks.iter().map(|block| block.iter().map(batch).collect()).collect();
        Samples::from_batches(&blocks, self.empty_loop)
    }
}
