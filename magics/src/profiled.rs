//! What was found out about code while it ran, in the user's own terms: functions, lines, bytes. The engine makes it, the reports of the profilers read it.

use crate::measured::Facts;
use crate::units::duration;
use std::path::PathBuf;

/// The name of the code of a cell that is in no function.
pub const STATEMENTS: &str = "<statements>";

/// What there is to say about a profiled piece of code.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profiled {
    /// Where, and how it was built.
    pub facts: Facts,
    /// The run that has happened: its effects are there.
    pub run: Run,
    /// Where its time went, if that was asked.
    pub time: Option<Time>,
    /// What it did to the heap, if that was asked: a figure for each repeat, in order.
    pub heaps: Vec<Heap>,
    /// How often functions were called, if that was asked and could be found out.
    pub calls: Vec<Calls>,
    /// How often lines ran, if that was asked and could be found out; of cells alone.
    pub hits: Vec<Hits>,
    /// Every function that was asked for by name.
    pub asked: Vec<Asked>,
    /// All functions that anything here speaks of.
    pub functions: Vec<Function>,
    /// What was not found out, or not exactly, and why: a sentence each.
    pub doubts: Vec<String>,
    /// The content of the file of the earlier profile that this is compared with.
    pub against: Option<String>,
}

/// What share of the processor's time may be the system's without a word, and how much of it, in seconds: of less the system itself knows it badly.
const SYSTEM: (f64, f64) = (0.1, 0.05);

impl Profiled {
    /// The system's events see the program alone: what it does for the program (page faults, reads) is in no sample. A sentence where that is much.
    pub(crate) fn unseen_system_time(&self) -> Option<String> {
        let Run { user, system, .. } = self.run;
        let time = self.time.as_ref().filter(|time| !time.wall && !time.timers)?;
        let is_much = time.period > 0.0 && system > SYSTEM.0 * (user + system) && system > SYSTEM.1;
        is_much.then(|| {
            format!(
                "Of {} of the processor's time {} were spent in the system for it (pages of memory that are new, files, sockets), and no sample sees that: \
                what asks much of the system has a larger share than is shown. `--wall` sees it.",
                duration(user + system),
                duration(system)
            )
        })
    }
}

/// The run itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    /// Seconds on the wall.
    pub wall: f64,
    /// Seconds of the processor, of all threads, in the program and in the system.
    pub user: f64,
    /// The same in the system, for the program.
    pub system: f64,
    /// How it ended.
    pub ending: Ending,
}

/// How profiled code ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ending {
    /// It came to its end.
    #[default]
    Finished,
    /// A panic or a `?` ended it: the error stands below the profile.
    Failed,
    /// The user stopped it: this is what was seen by then.
    Interrupted,
}

/// A function, or a closure: what a row of a profile is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Function {
    /// Its name as a person would write it: `fib`, `Grid::step`, `main::{closure#0}` (the first closure in `main`), `<statements>` for those of a cell. Without the
    /// hash and the crate's internal names; generic parameters only where they tell two apart.
    pub name: String,
    /// The file: `cell[3]`, `src/lib.rs` of a crate with the crate's name before it (`words/src/lib.rs`), `core/src/iter/range.rs`; `libc.so.6` where there is no source.
    pub file: String,
    /// The line of the file where it is defined, from 1; none where that is not known.
    pub line: Option<u32>,
    /// Whose it is.
    pub origin: Origin,
}

/// Whose a function is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// A cell's.
    #[default]
    Cell,
    /// That of a crate whose source is the user's own (`:dep` with a path).
    Local,
    /// A dependency's.
    Dependency,
    /// The standard library's.
    Standard,
    /// The system's: C libraries.
    System,
}

/// Samples of where time went.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Time {
    /// Whether samples are of the wall's time (`--wall`) and not of the processor's.
    pub wall: bool,
    /// Seconds that a sample stands for.
    pub period: f64,
    /// The names of the threads, the one that ran the code first.
    pub threads: Vec<String>,
    /// What was seen.
    pub stacks: Vec<Stack>,
    /// Samples that could not be kept.
    pub lost: u64,
    /// Seconds of the processor that the sampling itself took.
    pub spent: f64,
    /// Whether the system gave no events of its own, so that timers took their place.
    pub timers: bool,
    /// How often the code ran in all while samples were taken, the one run that has happened included; the others ran in a copy of the process, and nothing of them is left.
    pub runs: u64,
    /// Seconds on the wall of all those runs.
    pub wall_of_runs: f64,
}

/// A stack, and how often it was seen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stack {
    /// Index of the thread.
    pub thread: usize,
    /// Its frames, the outermost first: what ran the cell is cut off. Inlined functions are frames like any other.
    pub frames: Vec<Frame>,
    /// How often.
    pub samples: u64,
    /// Whether it begins where the code or the thread began.
    pub complete: bool,
}

/// A function under way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Frame {
    /// Index of the function.
    pub function: usize,
    /// The line of the function's file that was under way, from 1; none where it is not known.
    pub line: Option<u32>,
    /// Whether it was compiled into the frame before it.
    pub inlined: bool,
}

/// How often a function was called, exactly.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    /// Index of the function.
    pub function: usize,
    /// All calls.
    pub total: u64,
    /// Those while no other call of it was under way on the same thread; none if that cannot be told (`async`).
    pub primitive: Option<u64>,
    /// Whether there may have been more: code that was made before calls it too.
    pub at_least: bool,
}

/// How often the lines of a function ran, exactly.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hits {
    /// The file: `cell[3]`.
    pub file: String,
    /// Line and hits, in order. A line that is compiled, and never ran, has 0; one without code is not there.
    pub lines: Vec<(u32, u64)>,
}

/// A function that was asked for by name, with its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// As it was asked for.
    pub name: String,
    /// Index of the function.
    pub function: usize,
    /// The number of its first line in its file.
    pub first_line: u32,
    /// Its lines, from its signature to its end.
    pub lines: Vec<String>,
}

/// What code did to the heap: exact, in the sizes that were asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Heap {
    /// How often memory was asked for; a block that grows or shrinks is asked for once more.
    pub allocations: u64,
    /// How much was asked for, in bytes.
    pub bytes: u64,
    /// How often blocks were given back.
    pub frees: u64,
    /// How much was given back, in bytes.
    pub freed: u64,
    /// The most that was live at once, above the beginning, in bytes.
    pub peak: u64,
    /// When, in seconds since the beginning.
    pub peak_at: f64,
    /// What is still live at the end, above the beginning, in bytes.
    pub live: i64,
    /// Seconds since the beginning, and the bytes that were live then, above the beginning.
    pub timeline: Vec<(f64, i64)>,
    /// The resident set of the process at the beginning, at its peak and at the end, in bytes; none where the system does not say.
    pub resident: Option<[u64; 3]>,
    /// By place. Empty if the places were not asked for, or not found out.
    pub sites: Vec<Site>,
}

/// What one stack did to the heap.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Site {
    /// Its frames, the outermost first, without those of the allocator itself.
    pub frames: Vec<Frame>,
    /// How often it allocated.
    pub allocations: u64,
    /// How much, in bytes.
    pub bytes: u64,
    /// How often it gave back a block.
    pub frees: u64,
    /// How much it gave back, in bytes.
    pub freed: u64,
    /// How much of what it allocated was live at the peak, in bytes.
    pub at_peak: u64,
    /// How much of what it allocated is live at the end, in bytes.
    pub live: u64,
    /// In how many blocks.
    pub live_blocks: u64,
    /// What was live of the whole heap after its last event, above the beginning, in bytes.
    pub heap_after: i64,
    /// The most that was live of the whole heap after one of its events, above the beginning, in bytes.
    pub heap_most: i64,
}

/// A file that a report wants written, relative to the notebook's folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileToWrite {
    /// Which.
    pub path: PathBuf,
    /// What it will hold.
    pub content: String,
    /// What is said once it is there: ``profile printout saved to text file `x.txt` ``.
    pub said: String,
}
