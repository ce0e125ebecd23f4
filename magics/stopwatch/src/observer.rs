//! Who looks on between blocks.

use std::ops::ControlFlow;
use std::time::Duration;

/// What is known between two blocks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress<'a> {
    /// What is over since the beginning.
    pub elapsed: Duration,
    /// What it may take at most. Batches of a prescribed number may take longer.
    pub budget: Duration,
    /// How many batches (or counts, where nothing else is done) there are, of each of what is measured in turns.
    pub batches: u64,
    /// How many there will be, where it is prescribed.
    pub repeats: Option<u64>,
    /// The medians so far, in seconds for each iteration: one, or several that are measured in turns.
    pub medians: &'a [f64],
    /// The half-width of the interval, as a share, which is to become the target, or is to decide the claim; none as long as there are too few blocks.
    pub half_width: Option<f64>,
    /// The size at which this is measured, in a sweep.
    pub size: Option<u64>,
}

/// Who looks on. It is asked between blocks alone, several times a second unless a single batch takes longer: here a line of progress may be shown, and an interrupt noticed.
pub trait Observer {
    /// Whether to go on. What is measured so far is kept in either case.
    fn between(&mut self, progress: &Progress<'_>) -> ControlFlow<()>;
}

impl<F: FnMut(&Progress<'_>) -> ControlFlow<()>> Observer for F {
    fn between(&mut self, progress: &Progress<'_>) -> ControlFlow<()> {
        self(progress)
    }
}
