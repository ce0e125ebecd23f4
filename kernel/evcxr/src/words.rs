//! What the relay tells the evcxr process: one word of JSON per line on the relay's standard error, which evcxr hands over by lines.

use assay_link::evcxr::Stream;
use serde::{Deserialize, Serialize};

/// Something that happened in the process that runs cells, in the order in which it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Word {
    /// The process that runs cells is there.
    Runtime { pid: u32 },
    /// It was told to run the function `entry`.
    Began { entry: String },
    /// It wrote text.
    Text { stream: Stream, text: String },
    /// It showed something.
    Block { mime: String, content: String },
    /// The thread that runs cells panicked. Whether that ends the cell is not known yet.
    Panic(Panic),
    /// The last panic ended the cell.
    Panicked,
    /// A `?` at the cell's top level met this error.
    Question { message: String },
    /// This variable's type was redefined and its value dropped.
    Redefined { name: String },
    /// It waits for a line of input.
    Ask { prompt: String, password: bool },
    /// The function returned, and all of its output has been told.
    Ended { entry: String },
    /// The process died, and all of its output has been told.
    Died { cause: String },
}

/// What a panic says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Panic {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) message: String,
}

impl Panic {
    /// The text that Rust prints for a panic.
    pub(crate) fn text(&self) -> String {
        let Self { file, line, column, message } = self;
        format!("\nthread 'main' panicked at {file}:{line}:{column}:\n{message}\n")
    }
}
