//! Samples, where nobody has found a way to take them yet: all but Linux with glibc, on the processors whose stacks are walked.

use assay_link::watch::{Clock, Seen};

const WHY: &str = "this system lets the kernel take no samples of stacks";

/// It cannot.
pub(crate) fn start(_: Clock, _: u64) -> Result<(), String> {
    Err(WHY.to_owned())
}

/// Nothing was seen.
pub(crate) fn stop() -> Seen {
    Seen::Nothing { why: WHY.to_owned() }
}
