//! What the session answers, free of Jupyter's spelling. Positions are byte offsets.

use super::event::ErrorReport;
use assay_magics::magic::NextInput;
use assay_magics::outcome::HistoryLine;
use assay_magics::render::Bundle;
use std::time::Duration;

/// How a cell ended.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ExecuteReply {
    /// The count that the cell ran under.
    pub(crate) count: u32,
    /// What went wrong, if anything did. The same report has been told as an event.
    pub(crate) error: Option<ErrorReport>,
    /// A value or an error for each key that was asked.
    pub(crate) user_expressions: Vec<(String, Result<Bundle, ErrorReport>)>,
    /// What goes to the pager, in order.
    pub(crate) paged: Vec<Bundle>,
    /// Text for this or the next input cell.
    pub(crate) next_input: Option<NextInput>,
}

/// What could stand at the cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CompleteReply {
    pub(crate) matches: Vec<Completion>,
    /// The bytes of the source that a match replaces.
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// One completion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Completion {
    /// What is inserted.
    pub(crate) text: String,
    /// What it is, for an icon: `function`, `method`, `struct`, `field`, `magic`, …
    pub(crate) kind: String,
}

/// What stands at the cursor, if it is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct InspectReply {
    pub(crate) found: Option<Bundle>,
}

/// Whether a cell could run as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IsCompleteReply {
    Complete,
    /// More must follow; the next line should begin with `indent`.
    Incomplete {
        indent: String,
    },
    /// No continuation can make it Rust.
    Invalid,
}

/// Cells of the history, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct HistoryReply {
    pub(crate) lines: Vec<HistoryLine>,
}

/// What the kernel is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KernelInfo {
    /// rustc's version, `1.95.0`, or `unknown` where there is none.
    pub(crate) rust_version: String,
    pub(crate) banner: String,
}

/// What the kernel and its processes use now.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Usage {
    pub(crate) processes: Vec<ProcessUsage>,
}

/// What one process uses.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ProcessUsage {
    pub(crate) pid: u32,
    pub(crate) name: String,
    /// Resident set in bytes.
    pub(crate) resident: u64,
    /// User and system time since it started.
    pub(crate) cpu: Duration,
}
