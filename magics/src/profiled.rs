//! What was found out about code while it ran, in the user's own terms: functions, lines, bytes. The engine makes it, the reports of the profilers read it.

use crate::measured::Facts;
use crate::result::figures::counted;
use crate::units::{count, duration};
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

/// The same where it is most of the time: then less of it is known well enough.
const MOSTLY: (f64, f64) = (0.5, 0.02);

/// The part of the time without a processor from which on it is the machine that was busy, and not the code that waited.
const STARVED: f64 = 0.5;

/// Of the time on the wall so much may be without a processor without a word, and so much in seconds, where samples are of that time.
const DELAYED: (f64, f64) = (0.2, 0.05);

/// A first run that takes so much longer than the others, or shorter, is another than they are, if it is by so much, in seconds.
const UNLIKE: (f64, f64) = (1.5, 0.01);

impl Profiled {
    /// A sentence where much of the time went by without the processor: that the machine was busy, or else what is said of code that waits. Where samples are of the time on the
    /// wall, they show where it waits.
    pub(crate) fn waiting(
        &self,
        time: &Time,
        is_much: bool,
        waits: impl FnOnce() -> String,
    ) -> Option<String> {
        if time.wall {
            return self.busy_machine();
        }
        is_much.then(|| self.busy_machine().unwrap_or_else(waits))
    }

    /// A sentence where it was not the code that waited: it was ready to run, and others had the processors.
    fn busy_machine(&self) -> Option<String> {
        let Run { wall, user, system, ready, .. } = self.run;
        let (busy, ready) = (user + system, ready?);
        if self.time.as_ref()?.wall {
            let is_much = ready > DELAYED.0 * wall && ready > DELAYED.1;
            return is_much.then(|| {
                format!(
                    "The machine was busy: for {} of {} on the wall it was ready to run and had no processor, and that is in these times.",
                    duration(ready.min(wall)),
                    duration(wall)
                )
            });
        }
        let without = wall - busy;
        (ready > STARVED * without).then(|| {
            format!(
                "The machine was busy: it was ready to run for {} and had no processor. So it took {} on the wall; these times are of the {} that it ran.",
                duration(ready.min(without)),
                duration(wall),
                duration(busy)
            )
        })
    }

    /// Whether most of the processor's time was spent in the system, where no sample sees it.
    pub(crate) fn is_mostly_unseen(&self) -> bool {
        self.is_system_time(MOSTLY)
    }

    fn is_system_time(&self, (share, seconds): (f64, f64)) -> bool {
        let Run { user, system, .. } = self.run;
        let sampled = |time: &Time| !time.wall && !time.timers && time.period > 0.0;
        self.time.as_ref().is_some_and(sampled) && system > share * (user + system) && system > seconds
    }

    /// The system's events see the program alone: what it does for the program (page faults, reads) is in no sample. A sentence where that is much.
    pub(crate) fn unseen_system_time(&self) -> Option<String> {
        let Run { user, system, .. } = self.run;
        if self.is_mostly_unseen() {
            let seen = self.time.as_ref().map_or(0.0, Time::seconds_of_run);
            let seen = if seen > 0.0 {
                format!("; what is shown are the {} beside it", duration(seen))
            } else {
                String::new()
            };
            return Some(format!(
                "Most of the processor's time was spent in the system for it (pages of memory that are new, files, sockets): {} of {}. No sample sees that{seen}. `--wall` sees it.",
                duration(system),
                duration(user + system)
            ));
        }
        self.is_system_time(SYSTEM).then(|| {
            format!(
                "Of {} of the processor's time {} were spent in the system for it (pages of memory that are new, files, sockets), and no sample sees that: \
                what asks much of the system has a larger share than is shown. `--wall` sees it.",
                duration(user + system),
                duration(system)
            )
        })
    }

    /// Times are of one run on average: a sentence where the one that has happened was another than those in the copy.
    pub(crate) fn unlike_runs(&self) -> Option<String> {
        let time = self.time.as_ref()?;
        let others = time.runs.checked_sub(1).filter(|others| *others > 0)?;
        let (first, all, clock) = if time.wall {
            (self.run.wall, time.wall_of_runs, "on the wall")
        } else {
            (self.run.user + self.run.system, time.processor_of_runs, "of the processor's time")
        };
        let other = (all - first) / others as f64;
        let (less, more) = (first.min(other), first.max(other));
        if less <= 0.0 || more < UNLIKE.0 * less || more - less < UNLIKE.1 {
            return None;
        }
        let why = if first > other {
            "what a run keeps (a cache that is filled, memory that is new) was there for those after it"
        } else {
            "what runs leave (a collection that grows) is there for those after them"
        };
        let others = match others {
            1 => format!("the other {}", duration(other)),
            others => format!("the {} others {} each on average", count(others), duration(other)),
        };
        Some(format!(
            "The runs were not alike: the first took {} {clock}, {others}: {why}. What is shown is the mean of all.",
            duration(first)
        ))
    }

    /// A sentence where the places that allocate are estimates.
    pub(crate) fn estimated_places(&self) -> Option<String> {
        let heap = self.heaps.iter().find(|heap| !heap.sites.is_empty())?;
        let first = heap.estimated?;
        Some(format!(
            "There were {}, too many to take the stack of each: it was taken of the first {} and of a random part of the others. How they share out among places is estimated from these.",
            counted(heap.allocations, "allocation"),
            count(first)
        ))
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
    /// Seconds that the thread which waited longest for a processor was ready to run and had none; none where the system does not say.
    pub ready: Option<f64>,
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
    /// Seconds of the processor of all those runs.
    pub processor_of_runs: f64,
}

impl Time {
    /// Seconds of one run that samples were taken of.
    fn seconds_of_run(&self) -> f64 {
        let samples: u64 = self.stacks.iter().map(|stack| stack.samples).sum();
        samples as f64 * self.period / self.runs.max(1) as f64
    }
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
    /// Where the figures of the places are estimates, for there were too many allocations to take the stack of each: of how many, the first ones, it was taken; of the others it was of a random part.
    pub estimated: Option<u64>,
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
