//! Where the cell runtime and the process that loads it meet: C types alone. This file is compiled into both.
//!
//! The runtime exports `assay_start`, `assay_run`, `assay_drop`, `assay_environment`, `assay_flush`, `assay_trace` and `assay_interrupt`; the types of these functions are here, too.

use std::ffi::c_void;

/// Raised whenever anything in this file changes.
pub(crate) const VERSION: u32 = 6;

/// Text in UTF-8, lent for the time of the call. The pointer is never null.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text {
    pub(crate) data: *const u8,
    pub(crate) len: usize,
}

/// What the runtime calls: [`ended`](Self::ended), [`traced`](Self::traced), [`showing`](Self::showing) and [`shown`](Self::shown) on the thread that runs cells, the others on any.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Table {
    /// [`VERSION`]. Nothing behind it may be looked at if it is another one.
    pub(crate) version: u32,
    /// The cell's value is about to be shown; returns when the kernel has all that was printed before.
    pub(crate) showing: extern "C" fn(),
    /// The value has shown itself.
    pub(crate) shown: extern "C" fn(),
    /// Something to show; returns when the kernel has it and all that was printed before. False if it is too large to be shown.
    pub(crate) display: extern "C" fn(*const Display) -> bool,
    /// The cell's output is cleared: at once, or when the next output comes.
    pub(crate) clear: extern "C" fn(bool),
    /// Asks the user for a line, with a prompt, and whether what is typed is hidden. The line is given to the function together with the
    /// pointer, before this returns; false if nobody can be asked.
    pub(crate) ask: extern "C" fn(Text, bool, *mut c_void, Answered) -> bool,
    /// Something is measured or has been: [`PROGRESS`], [`RESULT`] or [`TIME`], the number of the magic, and JSON. Returns when the kernel has it and all
    /// that was printed before; false if it is too large to be told.
    pub(crate) measured: extern "C" fn(u32, u64, Text) -> bool,
    /// The noise floor of the machine, as a share.
    pub(crate) floor: extern "C" fn() -> f64,
    /// The run is over: called once by each `assay_run`.
    pub(crate) ended: extern "C" fn(*const Report),
    /// These frames are under way in cells: called once by each `assay_trace`.
    pub(crate) traced: extern "C" fn(*const Frame, usize),
    /// True: allocations are counted from now on, from zero. False: they are not any more, and here are those since the start, of all threads. It tells
    /// whether they can be counted here; otherwise nothing is written. The pointer may be null at the start.
    pub(crate) count: extern "C" fn(bool, *mut Counts) -> bool,
    /// True: the code of the magic of this number begins, and is watched as the command says that runs it. False: it has ended, by itself or not (the second flag), after
    /// so many runs (the next number), and what was seen is told, with these calls, so many of them. Whether anything is watched.
    pub(crate) watch: extern "C" fn(bool, u64, bool, u64, *const Calls, usize) -> bool,
    /// The processor time of all threads so far; false, and nothing is written, if it is not known.
    pub(crate) times: extern "C" fn(*mut Times) -> bool,
    /// The same as one number, in nanoseconds, and sooner.
    pub(crate) processor: extern "C" fn() -> u64,
}

/// What was allocated.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    /// How often. A block that grows or shrinks is allocated once more.
    pub(crate) allocations: u64,
    /// How much was asked for, in bytes.
    pub(crate) bytes: u64,
}

/// Calls of a function that says when it begins and ends.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Calls {
    /// Its number.
    pub(crate) number: u32,
    /// How many there were.
    pub(crate) total: u64,
    /// How many of them while no other one of it was under way on the same thread.
    pub(crate) primitive: u64,
}

/// Processor time in nanoseconds. The parts are less exact than their sum: from one call to the next one of them may go back by some microseconds.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Times {
    /// In the program.
    pub(crate) user: u64,
    /// In the system, for the program.
    pub(crate) system: u64,
}

/// Takes an answer.
pub(crate) type Answered = unsafe extern "C" fn(*mut c_void, Text);

/// Something to show.
#[repr(C)]
pub(crate) struct Display {
    /// [`VALUE`], [`PAGE`] or [`INSTEAD`].
    pub(crate) kind: u32,
    /// The id under which it can be replaced, or which it replaces; empty if there is none.
    pub(crate) id: Text,
    /// Its contents by MIME type.
    pub(crate) contents: *const Content,
    pub(crate) content_count: usize,
    /// What is said about it, as JSON by key.
    pub(crate) metadata: *const Content,
    pub(crate) metadata_count: usize,
}

/// [`Display::kind`]: it is the cell's value.
pub(crate) const VALUE: u32 = 0;
/// [`Display::kind`]: it comes next on the page.
pub(crate) const PAGE: u32 = 1;
/// [`Display::kind`]: it replaces what was shown under its id.
pub(crate) const INSTEAD: u32 = 2;

/// [`Table::measured`]: how far a measurement is.
pub(crate) const PROGRESS: u32 = 0;
/// [`Table::measured`]: what was measured.
pub(crate) const RESULT: u32 = 1;
/// [`Table::measured`]: how long one run took.
pub(crate) const TIME: u32 = 2;

/// A text under a key.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Content {
    pub(crate) key: Text,
    pub(crate) text: Text,
}

/// How a run ended.
#[repr(C)]
pub(crate) struct Report {
    /// [`OK`], [`PANIC`], [`QUESTION`], [`TROUBLE`], [`INTERRUPTED`] or [`REFUTED`].
    pub(crate) ending: u32,
    /// What was said.
    pub(crate) message: Text,
    /// Where it panicked; line 0 if that is not known.
    pub(crate) place: Place,
    pub(crate) frames: *const Frame,
    pub(crate) frame_count: usize,
    pub(crate) kept: *const Kept,
    pub(crate) kept_count: usize,
}

/// [`Report::ending`]: it ran to its end.
pub(crate) const OK: u32 = 0;
/// [`Report::ending`]: it panicked.
pub(crate) const PANIC: u32 = 1;
/// [`Report::ending`]: a `?` met an error.
pub(crate) const QUESTION: u32 = 2;
/// [`Report::ending`]: the store does not hold what the cell was told.
pub(crate) const TROUBLE: u32 = 3;
/// [`Report::ending`]: a claim about what was measured does not hold; the measurement has been told.
pub(crate) const REFUTED: u32 = 5;
/// [`Report::ending`]: the user stopped it where it could be.
pub(crate) const INTERRUPTED: u32 = 4;

/// A place in a source file.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) file: Text,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// A frame of a back trace.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) function: Text,
    pub(crate) place: Place,
}

/// A variable that was put into the store.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) slot: u32,
    /// The size of its type.
    pub(crate) bytes: u64,
}

/// `assay_start`: gives the runtime its table, once, before anything else. Returns the runtime's [`VERSION`]; if that is not the table's, it has not started.
pub(crate) type Start = unsafe extern "C" fn(*const Table) -> u32;
/// `assay_run`: runs the entry of a cell on this thread, which must always be the same one. None is a cell that has only items.
pub(crate) type Run = extern "C" fn(Option<Entry>);
/// The entry of a cell.
pub(crate) type Entry = extern "C-unwind" fn();
/// `assay_drop`: drops a variable, on the thread that runs cells; false if its destructor panicked.
pub(crate) type DropVariable = unsafe extern "C" fn(Text) -> bool;
/// `assay_environment`: sets a variable of the environment; false if it can have no such name or value.
pub(crate) type Environment = unsafe extern "C" fn(Text, Text) -> bool;
/// `assay_flush`: writes out what the thread that runs cells has printed; on other threads it does nothing, for that might wait for a lock.
pub(crate) type Flush = extern "C" fn();
/// `assay_trace`: tells which frames are under way on the calling thread. It allocates, and reads files.
pub(crate) type Trace = extern "C" fn();
/// `assay_interrupt`: asks the run that is under way to end, on any other thread than that which runs cells. Whether the cell stands where it can, so that it will
/// soon. It takes a lock that is kept for moments, and wakes the cell if it awaits.
pub(crate) type Interrupt = extern "C" fn() -> bool;
