//! What the kernel and the evcxr process say to each other.
//!
//! The process says [`Event::Hello`] first. Each [`Command::Call`] is answered by one [`Event::Done`] with its id, in order; everything
//! that a cell printed or showed comes before. Output may also come between calls, from threads that a cell left running.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;

/// What the kernel tells the process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Something to do. Calls are done one after the other.
    Call {
        /// The answer carries it.
        id: u64,
        /// What to do.
        call: Call,
    },
    /// End the call that is under way. Nothing happens if there is none.
    Interrupt,
    /// The answer to [`Event::Ask`]: none if the user cannot be asked.
    Input(Option<String>),
    /// End, and leave nothing behind.
    Stop,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Call {
    /// Run a cell: [`Outcome::Ran`].
    Run {
        /// The number that it is reported under.
        number: u32,
        /// Its text.
        source: String,
    },
    /// Add a dependency as `:dep` has it: [`Outcome::Ran`].
    Dependency {
        /// `regex = "1"`.
        specification: String,
    },
    /// One of evcxr's own commands, `:opt 2`: [`Outcome::Ran`] with what it says as the value.
    Own {
        /// The whole line.
        line: String,
    },
    /// What could stand at a byte of a text: [`Outcome::Completions`].
    Complete {
        /// The text.
        source: String,
        /// The byte.
        cursor: usize,
    },
    /// What stands before a byte of a text: [`Outcome::Found`].
    Inspect {
        /// The text.
        source: String,
        /// The byte.
        cursor: usize,
    },
    /// The variables: [`Outcome::Variables`].
    Variables,
    /// Set a variable of the environment that the user's code sees: [`Outcome::Ran`].
    Environment {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// Change the user's current folder: [`Outcome::Ran`].
    Folder {
        /// Where to.
        path: String,
    },
    /// Forget every variable and item: [`Outcome::Ran`].
    Reset,
}

/// What the process tells the kernel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The first message.
    Hello {
        /// See [`crate::version`].
        version: u32,
    },
    /// The processes below this one that are alive now.
    Processes(Vec<Process>),
    /// Text of the user's.
    Stream {
        /// Where it was written.
        stream: Stream,
        /// The text.
        text: String,
    },
    /// Something to show.
    Display(Contents),
    /// The cell wants something done to what is shown.
    Order(Order),
    /// The cell asks the user; [`Command::Input`] is the answer.
    Ask {
        /// What to show.
        prompt: String,
        /// Whether what is typed should not be shown.
        password: bool,
    },
    /// A call is done.
    Done {
        /// The id that the call had.
        id: u64,
        /// How it went.
        outcome: Result<Outcome, Failure>,
    },
}

/// The MIME type of a content block that is no content but an [`Order`], as JSON.
pub const ORDER: &str = "application/x-assay-order";

/// What a cell wants done to what is shown: `{"clear_output": {"wait": true}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Order {
    /// Show something that can be replaced later.
    Display {
        /// MIME type to content.
        data: Contents,
        /// The name by which it can be replaced.
        display_id: String,
    },
    /// Replace what is shown under that name.
    UpdateDisplay {
        /// MIME type to content.
        data: Contents,
        /// The name that it was shown under.
        display_id: String,
    },
    /// Clear the cell's output.
    ClearOutput {
        /// Not before the next output comes.
        #[serde(default)]
        wait: bool,
    },
}

/// A process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// What it does.
    pub name: String,
}

/// One of the user's output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// MIME type to content, in the order in which they were shown.
pub type Contents = Map<String, Value>;

/// How a call went that could be carried out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// To its end.
    Ran {
        /// The value of a trailing expression, or what a command said.
        value: Option<Contents>,
        /// What the user should know.
        notes: Vec<String>,
        /// How long it took to compile.
        compile: Duration,
        /// How long it ran.
        run: Duration,
    },
    /// Completions of the bytes `start..end`.
    Completions {
        /// What could stand there.
        matches: Vec<Completion>,
        /// The first byte that is replaced.
        start: usize,
        /// The byte behind the last that is replaced.
        end: usize,
    },
    /// What is known about the thing at the cursor, if anything.
    Found(Option<Contents>),
    /// The variables, sorted by name.
    Variables(Vec<Variable>),
}

/// One completion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    /// What is inserted.
    pub text: String,
    /// What it is.
    pub kind: String,
}

/// A variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its type.
    pub type_name: String,
}

/// Why a call did not come to its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Failure {
    /// It does not compile.
    Compile(Vec<Diagnostic>),
    /// It panicked.
    Panic {
        /// What the panic said.
        message: String,
        /// Where, if that is in a cell.
        place: Option<Place>,
        /// Variables that are gone.
        lost: Vec<String>,
    },
    /// A `?` at the top level met an error.
    Question {
        /// The error.
        message: String,
    },
    /// It was interrupted.
    Interrupted {
        /// Variables that are gone.
        lost: Vec<String>,
    },
    /// The process that runs cells died.
    Died {
        /// Of what.
        cause: String,
        /// Variables that are gone.
        lost: Vec<String>,
    },
    /// It could not be tried.
    Trouble {
        /// What went wrong.
        what: String,
        /// What the user can do.
        remedy: Option<String>,
    },
}

/// A place in a cell: lines and columns (characters) from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The cell's number.
    pub cell: u32,
    /// Its line.
    pub line: u32,
    /// The character in the line.
    pub column: u32,
}

/// What the compiler says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// How grave it is.
    pub level: Level,
    /// `E0308`.
    pub code: Option<String>,
    /// In one sentence.
    pub message: String,
    /// Where.
    pub spans: Vec<Span>,
    /// Notes and helps.
    pub children: Vec<Child>,
}

/// How grave a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Level {
    /// It does not compile.
    Error,
    /// It compiles.
    Warning,
    /// More about another.
    Note,
    /// What to do about another.
    Help,
}

/// A note or a help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Child {
    /// Which.
    pub level: Level,
    /// In one sentence.
    pub message: String,
    /// Where.
    pub spans: Vec<Span>,
    /// The text that the compiler suggests in the place of each span.
    pub suggestions: Vec<(Span, String)>,
}

/// A piece of the cell that was run, in lines and columns (characters) from 1; the end is behind the last character.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Line and column of its first character.
    pub start: (usize, usize),
    /// Line and column behind its last character.
    pub end: (usize, usize),
    /// What is said about it.
    pub label: Option<String>,
    /// Whether it is the place of the error itself.
    pub primary: bool,
}
