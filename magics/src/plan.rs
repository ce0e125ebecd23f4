//! What a magic asks the session to do. The enum is closed: whoever carries plans out handles every one of them.

use std::ops::Range;
use std::path::PathBuf;

/// What has to be done before a magic can report.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// Nothing: the report follows from the arguments alone.
    Nothing,
    /// Something that the session knows or keeps.
    Session(SessionStep),
    /// Something in the file system, relative to the session's current folder.
    File(FileStep),
    /// A process that is run and whose output is streamed.
    Process(ProcessStep),
    /// A piece of the cell is run with its output kept back (`%%capture`).
    Capture(CaptureStep),
    /// Rust of the user's that is compiled with its cell, where it stands, with something of ours around it (`%timeit`).
    Code(CodeStep),
    /// Rust of the user's that is watched while it runs, apart from what stands around it (`%prun`). Answered by `Outcome::Profiled`.
    Profile(Box<ProfileStep>),
}

/// Steps on what the session knows: variables, history, folder, environment, configuration, engine.
#[derive(Debug, Clone, PartialEq)]
pub enum SessionStep {
    /// Tell the variables. Answered by `Outcome::Variables`.
    Variables,
    /// Forget every variable and item, after asking `question` if there is one. `Outcome::Done` or `Outcome::Declined`.
    Reset {
        /// What to ask the user first; none with `-f`.
        question: Option<String>,
    },
    /// Return to the state before the last cell that changed anything. Answered by `Outcome::Undone`.
    Undo,
    /// Drop variables. Answered by `Outcome::Done`; a name that is no variable is an error of the session's.
    Forget {
        /// The variables' names.
        names: Vec<String>,
    },
    /// Tell cells from the history. Answered by `Outcome::History`.
    History(HistoryStep),
    /// Write cells of the history to a file. Answered by `Outcome::Written`.
    SaveCells {
        /// Which cells.
        from: HistoryStep,
        /// Where to, relative to the current folder.
        path: PathBuf,
        /// Add to the file instead of replacing it.
        append: bool,
        /// Replace an existing file without asking.
        force: bool,
    },
    /// Tell the current folder. Answered by `Outcome::Folder`.
    Folder,
    /// Go to another folder (`-` is the one before). Answered by `Outcome::Folder`.
    ChangeFolder {
        /// Where to, as typed: `~` and `-` are the session's to resolve.
        to: String,
    },
    /// Environment variables of everything that the session runs. Answered by `Outcome::Environment`.
    Environment(EnvironmentStep),
    /// The session's settings. Answered by `Outcome::Config`.
    Config(ConfigStep),
    /// Tell the engine, or change to the one named. Answered by `Outcome::Engine`.
    Engine {
        /// The engine to change to.
        change_to: Option<String>,
    },
    /// Add crates at once; each is what may follow `:dep`. Answered by `Outcome::Done`.
    Dependencies {
        /// For instance `regex = "1"`. [`crate::specification`] reads them.
        specifications: Vec<String>,
    },
    /// A command of the engine's own, such as evcxr's `:opt 2`. Answered by `Outcome::Text`.
    EngineCommand {
        /// The whole line, with its colon.
        line: String,
    },
    /// Run evcxr's start-up files again. Answered by `Outcome::Text`: which there were.
    LoadConfig {
        /// What the commands in them say is not shown.
        quiet: bool,
    },
    /// Tell the versions of everything involved. Answered by `Outcome::Versions`.
    Versions,
}

/// Which cells of the history are meant.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HistoryStep {
    /// Which lines of which sessions; empty for all of this session.
    pub ranges: Vec<HistoryRange>,
    /// Only cells that match this glob pattern, in every session.
    pub pattern: Option<String>,
    /// Only the last so many.
    pub last: Option<usize>,
    /// Only the first of equal cells.
    pub unique: bool,
}

/// Lines `start..stop` of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryRange {
    /// 0 is this session, a negative number counts back, a positive one is a session's number in the history file.
    pub session: i64,
    /// The first line, from 1.
    pub start: i64,
    /// The line after the last one; none for all that follow.
    pub stop: Option<i64>,
}

/// Steps on the environment.
#[derive(Debug, Clone, PartialEq)]
pub enum EnvironmentStep {
    /// All of it.
    List,
    /// One variable.
    Get {
        /// Its name.
        name: String,
    },
    /// Set one variable.
    Set {
        /// Its name.
        name: String,
        /// Its new value.
        value: String,
    },
}

/// Steps on the settings.
#[derive(Debug, Clone, PartialEq)]
pub enum ConfigStep {
    /// All of them.
    List,
    /// One setting.
    Get {
        /// Its key.
        key: String,
    },
    /// Change one.
    Set {
        /// Its key.
        key: String,
        /// Its new value, as typed.
        value: String,
    },
}

/// Steps in the file system.
#[derive(Debug, Clone, PartialEq)]
pub enum FileStep {
    /// Read a text file. Answered by `Outcome::Text`.
    Read {
        /// Which, relative to the current folder.
        path: PathBuf,
    },
    /// Write a text file. Answered by `Outcome::Written`.
    Write {
        /// Which, relative to the current folder.
        path: PathBuf,
        /// What it will hold, or what is added to it.
        content: String,
        /// Add instead of replacing.
        append: bool,
    },
}

/// A process to run in the session's folder and environment. Its output is streamed as it comes. Answered by `Outcome::Exit`.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessStep {
    /// Program and arguments, for instance `sh -c …` or `bash`.
    pub command: Vec<String>,
    /// What it reads on its standard input.
    pub input: String,
}

/// A piece of the cell to run with its output kept back. Answered by `Outcome::Captured`.
#[derive(Debug, Clone, PartialEq)]
pub struct CaptureStep {
    /// The code to run, a cell of its own.
    pub body: String,
    /// Where `body` begins in the cell, in bytes.
    pub offset: usize,
    /// Keep back standard output.
    pub stdout: bool,
    /// Keep back standard error.
    pub stderr: bool,
    /// Keep back displays and the value.
    pub display: bool,
    /// The variable that receives what was kept back.
    pub variable: Option<String>,
}

/// Rust that is measured where it stands. The magic's line is blank but for what is kept, and ours is inserted there: so one compile is enough, the code sees
/// what stands around it, and every position is the user's. What happens comes back as an `Outcome` each time that the code is reached: a loop may reach it often.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodeStep {
    /// The bytes of the cell that stay, in order. Everything else of the call is blank.
    pub kept: Vec<Range<usize>>,
    /// What is inserted, in the order of the places. It holds no line break.
    pub inserts: Vec<Insert>,
    /// Whether it has a value: then it may be assigned (`let r = %timeit -o …`).
    pub has_value: bool,
    /// How it is built, once for each; empty if it is built as its cell is, with it. What is built apart stands outside of every block.
    pub builds: Vec<Build>,
    /// The name of an earlier result that this is compared with. If there is none of that name, nothing runs.
    pub against: Option<String>,
    /// The name under which the result is kept.
    pub keep: Option<String>,
}

/// Code that is watched while it runs. It runs once, with all its effects; whatever has to run again for an answer does so in a copy of the process, of which nothing is left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileStep {
    /// The code as it runs once, between what tells the runtime that it begins and ends.
    pub once: CodeStep,
    /// The same in a loop that asks the runtime for another turn, for a run that is too short to be seen; it need not compile (the code may consume a variable).
    /// None where once is what was asked for.
    pub again: Option<CodeStep>,
    /// What is asked.
    pub ask: Ask,
    /// The functions that were asked for by name, with where the name stands in the cell. If there is none of a name, nothing runs.
    pub functions: Vec<(String, Range<usize>)>,
    /// The name of an earlier profile that this is compared with. If there is none of that name, nothing runs.
    pub against: Option<String>,
    /// Whether nothing is shown: progress neither.
    pub quiet: bool,
    /// Whether the result is wanted as a value, and what stands before it: `let r =` for `let r = %prun -r f();`, nothing for the cell's value. What the magic leaves empty, the
    /// cell fills in.
    pub result: Option<String>,
}

/// What is asked about code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ask {
    /// Where its time goes.
    pub time: bool,
    /// The wall's time and not the processor's.
    pub wall: bool,
    /// How often functions are called, and lines run: counted in another run, of code that counts.
    pub counts: bool,
    /// What it does to the heap; so many times, each with its effects.
    pub heap: Option<usize>,
    /// Where it allocates and frees: found out in another run.
    pub sites: bool,
}

/// Text of ours within a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insert {
    /// Before which byte of the cell. Several at one place stand in their order.
    pub at: usize,
    /// The text.
    pub text: String,
    /// Whether it is left out, and the cell compiled again, if rustc finds an error in it.
    pub optional: bool,
}

/// How code is built that is built apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Build {
    /// The level of optimisation: `0` to `3`, `s`, `z`.
    pub optimisation: Option<String>,
    /// What the processor's features are chosen for.
    pub target_cpu: Option<String>,
}
