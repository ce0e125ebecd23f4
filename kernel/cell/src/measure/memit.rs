//! What `%memit -o` gives to the notebook.

use crate::content::{Bundle, Show};
use std::fmt;

/// What code did to the memory: `let m = %memit -o f();`. Sizes are in bytes.
///
/// `peak` and its kin are of the resident set, as memory_profiler has them: pages that the system has given to the process. The others are of the heap: exact, in the sizes that were
/// asked for, of the run with the largest peak of the heap.
#[derive(Clone, PartialEq)]
pub struct MemitResult {
    /// The resident set of the process at its largest, in all runs; none where the system does not say.
    pub peak: Option<u64>,
    /// How much larger that is than before the first run.
    pub increment: Option<u64>,
    /// The resident set at its largest, for each run.
    pub peaks: Vec<u64>,
    /// How often the code ran.
    pub repeat: usize,
    /// The most that was live at once, above the beginning.
    pub heap_peak: u64,
    /// When that was, in seconds since the beginning.
    pub heap_peak_at: f64,
    /// How often memory was asked for; a block that grows or shrinks is asked for once more.
    pub allocations: u64,
    /// How much was asked for.
    pub bytes: u64,
    /// How often blocks were given back.
    pub frees: u64,
    /// How much was given back.
    pub freed: u64,
    /// What was still live at the end, above the beginning.
    pub live: i64,
    /// Whether the code did not come to its end: it panicked, a `?` left it, or it was interrupted.
    pub partial: bool,
}

impl fmt::Display for MemitResult {
    /// memory_profiler's line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| bytes as f64 / (1024.0 * 1024.0);
        match (self.peak, self.increment) {
            (Some(peak), Some(increment)) => {
                write!(f, "peak memory: {:.2} MiB, increment: {:.2} MiB", mib(peak), mib(increment))
            }
            _ => write!(f, "peak heap: {:.2} MiB", mib(self.heap_peak)),
        }
    }
}

impl fmt::Debug for MemitResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<MemitResult : {self}>")
    }
}

impl Show for MemitResult {
    fn mime_bundle(&self) -> Bundle {
        Bundle::new().text(format!("{self:?}"))
    }
}
