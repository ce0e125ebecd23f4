//! What the kernel and the process that runs the native engine's cells say to each other.
//!
//! The process says [`Event::Hello`] first, or [`Event::Refused`] if it cannot run cells. Each [`Command::Run`] is answered by one [`Event::Done`]
//! with its id; [`Command::Drop`], [`Command::Environment`] and [`Command::Folder`] by [`Event::Obeyed`] or [`Event::Refused`]. What the user's code
//! writes to its standard output and error does not come this way: the kernel reads both descriptors. The process has flushed them
//! before it sends an event, so all that was written before it is readable when it arrives.

use crate::watch::{Lens, Watched};
use serde::{Deserialize, Serialize};

/// What the kernel tells the process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Open libraries and run the entry of the last one: [`Event::Done`].
    Run {
        /// The answer carries it.
        id: u64,
        /// Absolute paths, in the order in which they depend on each other. They are opened once and never closed. The last one
        /// holds the entry, unless there is none.
        libraries: Vec<String>,
        /// The symbol of the entry: none if the cell has only items.
        entry: Option<String>,
        /// The noise floor of the machine, as a share: no measurement is surer.
        floor: f64,
        /// What is watched of it.
        lens: Lens,
    },
    /// Drop variables.
    Drop {
        /// Their names. Those that are not there are passed over.
        names: Vec<String>,
    },
    /// Set a variable of the environment.
    Environment {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// Change the current folder.
    Folder {
        /// Where to.
        path: String,
    },
    /// The answer to [`Event::Ask`], without a newline: none if the user cannot be asked.
    Input(Option<String>),
    /// The answer to [`Event::Showing`], [`Event::Display`], [`Event::Update`], [`Event::Clear`] and [`Event::Measured`]: all that was printed before has been read.
    Proceed,
    /// Stop the cell of this id if it stands where it can: [`Event::Stopping`]. It may have ended by now.
    Interrupt {
        /// The id that its command had.
        id: u64,
    },
    /// Tell what has been seen so far of the cell of this id, which is about to be ended: [`Event::Watched`], if it is watched, and [`Event::Stopping`].
    Cut {
        /// The id that its command had.
        id: u64,
    },
    /// Make a checkpoint: [`Event::Checkpointed`], and a [`Note`](crate::keeper::Note) before it; or [`Event::Refused`].
    Checkpoint,
    /// The checkpoint of this id has been ended: it is waited for.
    Discarded {
        /// The id.
        pid: u32,
    },
    /// To a checkpoint, on its own channel: it takes over, and says [`Event::Hello`].
    Wake,
    /// To a checkpoint, on its own channel: it comes to life beside the process that it is a copy of, for one run that nobody sees. What it reads is empty, what it
    /// prints goes nowhere, from before any of its threads go on. It says [`Event::Hello`].
    Rehearse,
    /// End.
    Stop,
}

/// What the process tells the kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The first message.
    Hello {
        /// See [`crate::version`].
        version: u32,
        /// The process that runs cells.
        pid: u32,
    },
    /// There is a checkpoint.
    Checkpointed {
        /// The size of what was copied, in bytes.
        bytes: u64,
        /// The names of threads that it does not have.
        without: Vec<String>,
    },
    /// The value of the cell's trailing expression.
    Value {
        /// What it looks like.
        content: Content,
    },
    /// Something to show at this point of the output. One without contents shows nothing: it ends what was printed as content blocks. It comes from any thread,
    /// at any time, as do [`Event::Update`] and [`Event::Clear`]. Who sent it waits for [`Command::Proceed`]: so it stands where it should, and nobody
    /// sends faster than the kernel reads.
    Display {
        /// What it looks like.
        content: Content,
        /// The id under which it can be replaced.
        display_id: Option<String>,
    },
    /// Something in the place of what was shown under an id.
    Update {
        /// What it looks like.
        content: Content,
        /// The id.
        display_id: String,
    },
    /// The cell's output is to be cleared.
    Clear {
        /// Not before the next output comes.
        wait: bool,
    },
    /// Something is measured, or has been. It has its place in the output, as a display has.
    Measured {
        /// The magic that asked for it: where it stands in its cell, in bytes.
        id: u64,
        /// What there is to tell.
        what: Told,
        /// It, as JSON.
        data: String,
    },
    /// What was seen through the lens: once for each piece of code that is watched. It has no place in the output.
    Watched {
        /// The magic that asked for it: where it stands in its cell, in bytes.
        id: u64,
        /// What was seen.
        what: Box<Watched>,
    },
    /// A function of the user's is about to show the cell's value by itself, as `evcxr_display` does: the content blocks that it
    /// prints until [`Event::Shown`] are the value. It may turn out that there is no such function; then the next event is another one.
    /// The cell waits for [`Command::Proceed`], for nothing else would tell what was printed before from what is printed after.
    Showing,
    /// It has.
    Shown,
    /// The cell wants a line of the user's; [`Command::Input`] is the answer.
    Ask {
        /// What the user is shown: nothing where standard input is read.
        prompt: String,
        /// Whether what is typed is hidden.
        password: bool,
    },
    /// The cell has been told to stop, as [`Command::Interrupt`] and [`Command::Cut`] have it.
    Stopping {
        /// The id.
        id: u64,
        /// Whether it ends by itself soon: it stands where it can stop, or has ended. Otherwise nothing but the end of the process ends it.
        here: bool,
    },
    /// A cell is done.
    Done {
        /// The id that its command had.
        id: u64,
        /// How it ended.
        ending: Ending,
        /// The variables that were put into the store while it ran, in order.
        kept: Vec<Kept>,
    },
    /// The process crashes: these frames were under way in cells, the innermost first.
    Crashed {
        /// The frames.
        frames: Vec<Frame>,
    },
    /// What was to be set or dropped is.
    Obeyed,
    /// It is not: there is no such folder, a destructor panicked. Or the process cannot run cells at all.
    Refused {
        /// Why.
        why: String,
    },
}

/// What there is to tell of a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Told {
    /// How far it is.
    Progress,
    /// What was measured.
    Result,
    /// How long one run took.
    Time,
}

/// What something looks like.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Its representations by MIME type: JSON types as JSON, images in base64 but for SVG, everything else as text.
    pub data: Vec<(String, String)>,
    /// What is said about it, as JSON by key.
    pub metadata: Vec<(String, String)>,
}

/// A variable that was put into the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Which of the cell's slots it came from: the kernel knows its name and type.
    pub slot: u32,
    /// The size of its type, in bytes.
    pub bytes: u64,
}

/// How a cell ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// It ran to its end.
    Ok,
    /// It panicked.
    Panic {
        /// The message.
        message: String,
        /// Where, as the compiler calls it.
        place: Option<Place>,
        /// The frames of the back trace that have a place, the innermost first.
        frames: Vec<Frame>,
    },
    /// A `?` at its top level met an error.
    Question {
        /// The error as `Debug` shows it.
        message: String,
    },
    /// A claim about what was measured does not hold. The measurement was told before.
    Refuted,
    /// It was stopped where it can be: what it kept is there, and what it did has happened.
    Interrupted,
    /// It could not be run: a library that cannot be opened, a variable that is not what the kernel believes. A fault of ours.
    Trouble {
        /// What went wrong.
        what: String,
    },
}

/// A place in a source file, as the compiler wrote it into the code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The name of the file: `cell[3]` where it is a cell.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1; 0 if it is not known.
    pub column: u32,
}

/// A frame of a back trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The name of the function, demangled.
    pub function: String,
    /// Where in it.
    pub place: Place,
}
