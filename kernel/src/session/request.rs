//! What a front end can ask of the session, free of Jupyter's spelling. Positions are byte offsets.

/// A cell to run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ExecuteRequest {
    pub(crate) code: String,
    /// Show nothing, count nothing, store nothing.
    pub(crate) silent: bool,
    /// Count the cell and keep it in the history. False when `silent`.
    pub(crate) store_history: bool,
    /// Expressions to evaluate when the cell has run, by the caller's key.
    pub(crate) user_expressions: Vec<(String, String)>,
    /// Whether the cell stands on a page, where what was shown can be replaced. In a console it cannot.
    pub(crate) on_page: bool,
}

/// What could stand at the cursor?
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CompleteRequest {
    pub(crate) code: String,
    pub(crate) cursor: usize,
}

/// What is this at the cursor?
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InspectRequest {
    pub(crate) code: String,
    pub(crate) cursor: usize,
    /// More than the summary.
    pub(crate) detailed: bool,
}

/// What was run before?
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HistoryRequest {
    /// With each cell's value.
    pub(crate) output: bool,
    pub(crate) access: HistoryAccess,
}

/// Which cells of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HistoryAccess {
    /// The last `n`, of any session.
    Tail { n: usize },
    /// Lines `start..stop` of one session: 0 is this one, negative counts back, positive is a number from the file.
    Range { session: i64, start: i64, stop: Option<i64> },
    /// Cells that match a glob pattern, the last `n` of them.
    Search { pattern: String, n: Option<usize>, unique: bool },
}
