//! What the session tells while it answers one request. iopub translates.

use assay_magics::render::Bundle;
use futures::future::BoxFuture;

/// Something that happened, in the order in which the user should see it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// A cell begins: its source, and the count it is run under.
    Input { code: String, count: u32 },
    /// Text on one of the user's two streams.
    Stream { name: StreamName, text: String },
    /// Something to show. With a `display_id` it can be replaced later.
    Display { bundle: Bundle, display_id: Option<String> },
    /// A new content for a display that is on the page.
    UpdateDisplay { bundle: Bundle, display_id: String },
    /// The cell's output is cleared, at once or when the next output comes.
    ClearOutput { wait: bool },
    /// The cell's value.
    Value { bundle: Bundle, count: u32 },
    /// Why the cell failed: at most once for a request.
    Error(ErrorReport),
}

/// The user's two output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum StreamName {
    Stdout,
    Stderr,
}

/// A failure as it is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ErrorReport {
    /// A short name: `E0308`, `Panic`, `Interrupted`, `UsageError`, `MagicError`.
    pub(crate) name: String,
    /// One line that says what went wrong.
    pub(crate) value: String,
    /// The lines to show, with ANSI colours.
    pub(crate) traceback: Vec<String>,
}

/// Whoever made a request, as the session sees it.
pub(crate) trait FrontEnd: Send + Sync {
    /// Tells an event. Never blocks.
    fn tell(&self, event: Event);

    /// Asks the user for a line (without its newline).
    fn ask(&self, prompt: String, password: bool) -> BoxFuture<'_, Result<String, NoInput>>;
}

/// Why no input came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoInput {
    /// The request said that its front end cannot ask (`allow_stdin` false).
    NotAllowed,
    /// An interrupt came while the user was asked.
    Interrupted,
    /// The user said that there is no more, or the front end went away.
    Ended,
}
