//! What the magics that measure are compiled to. Cells are given calls of these by the kernel; nobody else has a reason to call them.
//!
//! The loop stands in the user's own code, which asks a [`Meter`] what to do next; what is measured is told to the kernel, where the magic words it.

pub mod agree;
pub mod calls;
pub mod profile;
pub mod time;

mod instruments;
mod json;
mod meter;
mod reference;
mod result;
mod tell;

pub use assay_stopwatch::Inputs;
pub use meter::{Meter, Turn, on_threads};
pub use result::TimeitResult;

/// How something is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// The iterations of a batch; 0: as many as take some milliseconds.
    pub loops: u64,
    /// The number of batches; 0: until the figure is sure.
    pub repeats: u64,
    /// The seconds that all of it may take.
    pub budget: f64,
    /// Whether it is the processor's time that is measured, of all threads of the process, and not the time on the wall.
    pub cpu: bool,
    /// Whether nothing is shown while it is under way.
    pub silent: bool,
    /// Whether the heap alone is looked at, and nothing is timed.
    pub memory: bool,
    /// What is claimed.
    pub claim: Claim,
}

impl Options {
    /// What is usual.
    pub const USUAL: Self = Self {
        loops: 0,
        repeats: 0,
        budget: 1.0,
        cpu: false,
        silent: false,
        memory: false,
        claim: Claim::None,
    };
}

/// What is claimed of what is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Claim {
    /// Nothing.
    None,
    /// The first code is faster than the second, so many times at least.
    Faster {
        /// 1: faster at all.
        by: f64,
    },
    /// An iteration takes less than this, or more.
    Takes {
        /// Whether less is claimed.
        less: bool,
        /// The limit.
        seconds: f64,
    },
    /// Every iteration makes so many allocations at most.
    Allocates {
        /// The most.
        most: u64,
    },
    /// Every iteration makes so many allocations, no more and no less.
    AllocatesExactly {
        /// The number.
        count: u64,
    },
}
