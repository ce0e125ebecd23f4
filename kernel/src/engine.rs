//! What compiles and runs cells. The session knows this trait alone; which engine is behind it does not matter to it.

pub(crate) mod content;
pub(crate) mod evcxr;
pub(crate) mod native;

mod folder;
mod surroundings;

use assay_link::watch::Watched;
use assay_magics::outcome::Variable;
use assay_magics::plan::{Ask, Build, Insert};
use assay_magics::profiled::Profiled;
use assay_magics::render::Bundle;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde::Serialize;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::session::event::{NoInput, StreamName};
use crate::session::reply::{CompleteReply, InspectReply};

/// A piece of Rust to run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cell {
    /// The number it is reported under: `cell[number]`.
    pub(crate) number: u32,
    /// Its text. What is not Rust (magics that have been carried out) is blank, so that every position is the user's.
    pub(crate) source: String,
    /// What is inserted into it, in the order of the places.
    pub(crate) inserts: Vec<Insert>,
    /// The noise floor of the machine, as a share: no measurement in it is surer.
    pub(crate) floor: f64,
    /// How it is built, with all that it reaches, if not as cells are. Then the notebook is as it was afterwards, but for what the variables hold.
    pub(crate) build: Option<Build>,
}

impl Cell {
    /// A cell into which nothing is inserted.
    pub(crate) fn new(number: u32, source: impl Into<String>) -> Self {
        Self { number, source: source.into(), inserts: Vec::new(), floor: 0.0, build: None }
    }
}

/// A piece of a cell that is watched.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Profiling {
    /// As it runs once.
    pub(crate) once: Cell,
    /// As it runs again and again, where once says too little. It need not compile.
    pub(crate) again: Option<Cell>,
    /// What is asked.
    pub(crate) ask: Ask,
    /// The functions that are asked for by name.
    pub(crate) functions: Vec<String>,
}

/// Compiles and runs Rust, and keeps what it made. Every method may be called while `run` is under way; they say what then happens.
pub(crate) trait Engine: Send + Sync {
    /// The name that `%engine` takes.
    fn name(&self) -> &'static str;

    /// A cell of the user's begins, whose pieces run next. What there is to say that happened since the last one.
    fn begin(&self, cell: u32) -> BoxFuture<'_, Vec<String>>;

    /// Whether code can be measured where it stands: what is inserted into a cell for that is there to be called.
    fn measures(&self) -> bool;

    /// Runs a cell, or a piece of one. Everything that it printed has been given to `host` when this returns; threads that go on after the cell
    /// write to the same host until the next cell.
    fn run(&self, cell: Cell, host: Arc<dyn Host>) -> BoxFuture<'_, Result<Ran, Failure>>;

    /// Runs a piece of a cell that is watched, and finds out what is asked about it. All that its one run printed has been given to `host` when this returns. What was seen
    /// is there also where the run failed; none if it did not begin.
    fn profile(
        &self,
        what: Profiling,
        host: Arc<dyn Host>,
    ) -> BoxFuture<'_, (Option<Profiled>, Result<Ran, Failure>)> {
        // What does not measure is asked for nothing of the kind.
        async move { (None, self.run(what.once, host).await) }.boxed()
    }

    /// The functions of the notebook, of a cell that is to run, and of the user's own crates that can be asked for by name, as they are called there (`Grid::step`).
    fn functions(&self, _: Cell) -> BoxFuture<'_, Vec<String>> {
        async { Vec::new() }.boxed()
    }

    /// Adds crates at once, each as `:dep` has it: `regex = "1"`. Where one cannot be had, those that were there before stay.
    fn add_dependencies(
        &self,
        specifications: Vec<String>,
        host: Arc<dyn Host>,
    ) -> BoxFuture<'_, Result<(), Failure>>;

    /// A command of the engine's own (`:opt 2`); what it says comes back as a bundle.
    fn command(&self, line: String, host: Arc<dyn Host>) -> BoxFuture<'_, Result<Option<Bundle>, Failure>>;

    /// What could stand at byte `cursor` of `source`. The evcxr engine waits for a running cell, the native one does not.
    fn complete(&self, source: String, cursor: usize) -> BoxFuture<'_, Result<CompleteReply, Trouble>>;

    /// What stands at byte `cursor` of `source`, as `complete`.
    fn inspect(&self, source: String, cursor: usize) -> BoxFuture<'_, Result<InspectReply, Trouble>>;

    /// The variables that are alive, sorted by name.
    fn variables(&self) -> BoxFuture<'_, Result<Vec<Variable>, Trouble>>;

    /// Returns to the state before the last cell that changed anything.
    fn undo(&self) -> BoxFuture<'_, Result<Undone, Failure>>;

    /// From now on there are checkpoints, or none. An engine that has none does nothing.
    fn keep_checkpoints(&self, wanted: bool);

    /// Drops variables. Those that are not there are passed over.
    fn forget(&self, names: Vec<String>) -> BoxFuture<'_, Result<(), Failure>>;

    /// Ends what `run` is doing: it returns `Failure::Interrupted`. Does nothing when nothing runs.
    fn interrupt(&self) -> BoxFuture<'_, ()>;

    /// From now on the user's code runs in `folder`.
    fn set_folder(&self, folder: PathBuf) -> BoxFuture<'_, Result<(), Trouble>>;

    /// From now on the user's code sees this environment variable.
    fn set_variable(&self, name: String, value: String) -> BoxFuture<'_, Result<(), Trouble>>;

    /// Forgets every variable and item.
    fn reset(&self) -> BoxFuture<'_, Result<(), Trouble>>;

    /// Ends every process of the engine. It starts again when it is next asked something.
    fn stop(&self) -> BoxFuture<'_, ()>;

    /// The processes that are alive, with a name for each.
    fn processes(&self) -> Vec<(u32, String)>;
}

/// What an engine needs of the session while a cell runs. Output may come at any time, even after the cell.
pub(crate) trait Host: Send + Sync {
    /// Tells output. Never blocks.
    fn output(&self, output: Output);

    /// Asks the user for a line.
    fn ask(&self, prompt: String, password: bool) -> BoxFuture<'_, Result<String, NoInput>>;
}

/// What a running cell shows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Output {
    /// Text on a stream.
    Stream { name: StreamName, text: String },
    /// Something to show. With a `display_id` it can be replaced later.
    Display { bundle: Bundle, display_id: Option<String> },
    /// A new content for what was shown under that id.
    UpdateDisplay { bundle: Bundle, display_id: String },
    /// The cell's output is cleared, at once or when the next output comes.
    Clear { wait: bool },
    /// The cell has been compiled, and runs next.
    Compiled(Compilation),
    /// Something is measured, or has been.
    Measured(Told),
    /// What was seen of the code of a magic. It has no place in the output.
    Watched {
        /// The magic that asked for it: where it stands in its cell, in bytes.
        id: u64,
        /// What was seen.
        what: Box<Watched>,
    },
    /// The cell has run, and more is found out about it.
    Pass(Pass),
}

/// What is done to find out more about code that has run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    /// It runs again and again.
    Repeats,
    /// Crates of the user's own are built so that they count.
    Crates,
    /// It is compiled so that it counts.
    Counting,
    /// What it does is counted.
    Counts,
    /// It is found out where it allocates.
    Sites,
    /// Names and lines are looked up.
    Names,
}

/// How a cell was compiled.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Compilation {
    /// How long that took, linking included.
    pub(crate) took: Duration,
    /// The compiler, for instance `rustc 1.95.0`.
    pub(crate) compiler: String,
    /// The level at which it was optimised: `3`.
    pub(crate) optimisation: String,
    /// What the processor's features were chosen for, where they were.
    pub(crate) target_cpu: Option<String>,
    /// The variables that it takes and that hold code: it was built when they were made.
    pub(crate) holding_code: Vec<String>,
}

/// What is told of a measurement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    /// The magic that asked for it: where it stands in its cell, in bytes.
    pub(crate) id: u64,
    /// What there is to tell.
    pub(crate) what: assay_link::native::Told,
    /// It, as JSON.
    pub(crate) data: String,
}

/// A cell that ran to its end.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Ran {
    /// The value of a trailing expression.
    pub(crate) value: Option<Bundle>,
    /// Warnings on the user's own text.
    pub(crate) warnings: Vec<Diagnostic>,
    /// What the user should know: variables that were lost or replaced.
    pub(crate) notes: Vec<String>,
    /// How long it took to compile.
    pub(crate) compile: Duration,
    /// How long it ran.
    pub(crate) run: Duration,
}

/// Why a cell did not run to its end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Failure {
    /// It does not compile. Nothing has run.
    Compile(Vec<Diagnostic>),
    /// It panicked.
    Panic {
        message: String,
        /// Where, if that is in a cell.
        place: Option<Place>,
        /// The user's functions that were under way, the innermost first, if the engine knows them.
        frames: Vec<Frame>,
        /// Variables that were moved into the cell and are gone.
        lost: Vec<String>,
    },
    /// A `?` at its top level met an error.
    Question {
        /// The error as `Debug` shows it.
        message: String,
    },
    /// A claim about what was measured does not hold. Whoever was told the measurement knows which.
    Refuted,
    /// It was interrupted.
    Interrupted {
        /// Variables that are gone, and what the others are.
        lost: Box<Lost>,
    },
    /// Its process died.
    Died {
        /// What ended it, in the user's words: `segmentation fault`, `exit status 7`.
        cause: String,
        /// The user's functions that were under way, the innermost first, if that is known.
        frames: Vec<Frame>,
        /// Variables that are gone. The others are what they were before the cell.
        lost: Box<Lost>,
    },
    /// It could not be tried.
    Trouble(Trouble),
}

/// What went with a cell that did not come to its end, and mostly with its process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    /// Variables that are gone. If there are none, all are what they were before a cell, unless nothing was taken back.
    pub(crate) names: Vec<String>,
    /// Whether nothing was taken back: the process lives, and what ran has happened.
    pub(crate) happened: bool,
    /// The cell before which they are what they were, if it is an earlier one.
    pub(crate) back_to: Option<u32>,
    /// The cells that made them, if that is known.
    pub(crate) cells: BTreeSet<u32>,
    /// Why they could not be kept, if that is known.
    pub(crate) why: Option<String>,
    /// The names of threads that are gone although the variables are not.
    pub(crate) threads: Vec<String>,
}

impl Failure {
    /// It was interrupted where nothing had to be taken back.
    pub(crate) fn stopped() -> Self {
        Self::Interrupted { lost: Box::new(Lost { happened: true, ..Lost::default() }) }
    }
}

impl Lost {
    /// The variables, as they are named in a sentence.
    pub(crate) fn named(&self) -> String {
        self.names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    }
}

/// What `undo` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Undone {
    /// The first cell that was taken back.
    pub(crate) cell: u32,
    /// The names of threads that are gone.
    pub(crate) without: Vec<String>,
}

/// Something that is wrong with the engine and not with the cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// What went wrong and where.
    pub(crate) what: String,
    /// What the user can do.
    pub(crate) remedy: Option<String>,
}

/// A position in a cell, in lines and columns (characters) from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) cell: u32,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// A function of the user's that was under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Its name; none for the statements of a cell.
    pub(crate) function: Option<String>,
    /// Where it was.
    pub(crate) place: Place,
}

/// What the compiler says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Diagnostic {
    pub(crate) level: Level,
    /// `E0308`, or a lint's name.
    pub(crate) code: Option<String>,
    pub(crate) message: String,
    /// Where, the primary spans first.
    pub(crate) spans: Vec<Span>,
    /// Notes and helps, in the compiler's order.
    pub(crate) children: Vec<Child>,
}

/// How grave a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    Error,
    Warning,
    Note,
    Help,
}

/// A piece of a cell that a diagnostic is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Span {
    pub(crate) cell: u32,
    /// Bytes of the cell's source.
    pub(crate) range: Range<usize>,
    pub(crate) label: Option<String>,
    pub(crate) primary: bool,
}

/// A note or a help below a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Child {
    pub(crate) level: Level,
    pub(crate) message: String,
    pub(crate) spans: Vec<Span>,
    /// The text that the compiler suggests in the place of each span.
    pub(crate) suggestions: Vec<(Span, String)>,
}
