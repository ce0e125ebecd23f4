//! The heap, where nobody has found a way to count it yet: all but Linux with glibc, which alone lets a program stand in for `malloc` by its name and still call what it
//! stands in for. Nothing is counted, and whoever asks is told so.

use crate::table::Counts;
use assay_link::watch::Heap;

const WHY: &str = "this system lets no program see what is allocated in it";

/// It cannot count.
pub(crate) fn start() -> bool {
    false
}

/// Nothing was counted.
pub(crate) fn stop() -> Option<Counts> {
    None
}

/// It cannot watch.
pub(crate) fn watch(_: bool) -> Result<(), String> {
    Err(WHY.to_owned())
}

/// Nothing was seen.
pub(crate) fn seen() -> Result<Heap, String> {
    Err(WHY.to_owned())
}
