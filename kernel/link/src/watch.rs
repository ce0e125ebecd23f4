//! How a run is watched, and what was seen of it, as it was found: addresses and bytes. What they are in the user's code is the kernel's to say.

use serde::{Deserialize, Serialize};

/// What is watched while a piece of code runs. The code itself says where it begins and ends, through the cell runtime.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lens {
    /// Nothing.
    #[default]
    Clear,
    /// Where time goes: the stacks of threads are taken again and again.
    Samples {
        /// Which time.
        clock: Clock,
        /// How much of it goes by between two samples of a thread, in nanoseconds.
        period: u64,
    },
    /// The heap: what was allocated and freed, how much was live, and when.
    Heap {
        /// Whether the stack is taken at each allocation and each release, of many at a part of them ([`ALL_STACKS`]): exact places, and many times slower.
        sites: bool,
    },
    /// Counters that the compiler has put into the code.
    Counts {
        /// Where they are.
        counters: Vec<Counters>,
    },
}

/// Of so many allocations, and of so many releases, all stacks are taken. Of more they are taken of a random part, each of which stands for several; then the figures of sites are estimates.
pub const ALL_STACKS: u64 = 500_000;

/// Which time samples are taken of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Clock {
    /// The processor's: a thread that waits has no part in it.
    #[default]
    Processor,
    /// The wall's: a thread that waits is seen where it waits.
    Wall,
}

/// The counters of a library: 64 bits each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// The absolute path under which it was opened.
    pub library: String,
    /// The address of the first, as the library's file has it.
    pub address: u64,
    /// How many there are.
    pub count: u32,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// How long the code ran on the wall, in nanoseconds, from its first beginning to its last end.
    pub wall: u64,
    /// The processor's time of all threads meanwhile, in the program, in nanoseconds.
    pub user: u64,
    /// The same in the system, for the program.
    pub system: u64,
    /// How often it ran.
    pub runs: u64,
    /// Whether it came to its end; if not, a panic, a `?` or an interrupt ended it.
    pub finished: bool,
    /// Through the lens.
    pub seen: Seen,
}

/// What was seen through the lens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Seen {
    /// Nothing: why.
    Nothing {
        /// Such as "this system lets no program take samples".
        why: String,
    },
    /// [`Lens::Samples`].
    Samples(Samples),
    /// [`Lens::Heap`].
    Heap(Heap),
    /// [`Lens::Counts`].
    Counts(Counts),
}

/// Samples of stacks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Samples {
    /// Which time they are of.
    pub clock: Clock,
    /// How much of it each stands for, in nanoseconds.
    pub period: u64,
    /// How they were taken.
    pub means: Means,
    /// The libraries and programs that frames are in.
    pub modules: Vec<Module>,
    /// The threads that were seen, the one that ran the code first.
    pub threads: Vec<Thread>,
    /// Stacks that differ, each with how often it was seen.
    pub stacks: Vec<Stack>,
    /// Samples that there was no room for, or no time.
    pub lost: u64,
    /// How long it took to take them, of all threads' time together, in nanoseconds.
    pub spent: u64,
}

/// How samples were taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Means {
    /// Events of the system's, which know who runs (`perf_event_open`).
    #[default]
    Events,
    /// A timer for each thread, for there are no such events here.
    Timers,
}

/// A library, or the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Module {
    /// Its file; empty for code that is in none (the vDSO).
    pub path: String,
}

/// A thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// Its id.
    pub id: u32,
    /// Its name; empty if it had ended before it was asked for.
    pub name: String,
}

/// A stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    /// Whose: an index into the threads.
    pub thread: u32,
    /// Its frames.
    pub trace: Trace,
    /// How often it was seen.
    pub samples: u64,
}

/// The frames of a stack, the innermost first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Trace {
    /// Index of the module, and the address as its file has it. Of all frames but the innermost it is the last byte of the call, so that it lies within the line that calls.
    pub frames: Vec<(u32, u64)>,
    /// Whether the last frame is where the thread began, or the code that is watched.
    pub complete: bool,
}

/// The heap while code ran. All figures are of blocks that the code asked for, in the sizes that it asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heap {
    /// How often memory was asked for; a block that grows or shrinks is asked for once more.
    pub allocations: u64,
    /// How much was asked for, in bytes.
    pub bytes: u64,
    /// How often blocks were given back; a block that grows or shrinks gives back its old size once, at the moment at which it has the new one.
    pub frees: u64,
    /// How much was given back, in bytes. Of blocks from before the beginning, whose size nobody asked, it is what the C library holds for them.
    pub freed: u64,
    /// The most that was live at once, less what was at the beginning, in bytes.
    pub peak: u64,
    /// When that was, in nanoseconds since the beginning.
    pub peak_at: u64,
    /// What is live at the end, less what was at the beginning, in bytes.
    pub live: i64,
    /// Nanoseconds since the beginning, and what was live then, less what was at the beginning; in the order of time, and so that no extreme is left out that a chart would show.
    pub timeline: Vec<(u64, i64)>,
    /// The process's resident set at the beginning, at its peak and at the end, in bytes; none where the system does not say.
    pub resident: Option<[u64; 3]>,
    /// Where it was allocated; empty unless the stacks were taken. Figures add up to those above up to [`ALL_STACKS`], and to about those beyond. Where they are too many, frames that a stack has already are left out of the ones that come later, and outer ones if
    /// that is not enough (then the trace is not complete).
    pub sites: Vec<Site>,
    /// The modules of the sites' frames.
    pub modules: Vec<Module>,
    /// The threads, the one that ran the code first.
    pub threads: Vec<Thread>,
}

/// What was allocated, or given back, by one stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Whose: an index into the threads.
    pub thread: u32,
    /// The stack.
    pub trace: Trace,
    /// How often it allocated.
    pub allocations: u64,
    /// How much, in bytes.
    pub bytes: u64,
    /// How often it gave back a block, whoever had allocated it.
    pub frees: u64,
    /// How much it gave back, in bytes.
    pub freed: u64,
    /// How much of what it allocated was live at the peak (to within 1 % of it), in bytes.
    pub at_peak: u64,
    /// How much of what it allocated is live at the end, in bytes.
    pub live: u64,
    /// In how many blocks.
    pub live_blocks: u64,
    /// What was live of the whole heap after its last event, less what was at the beginning, in bytes.
    pub heap_after: i64,
    /// The most that was live of the whole heap after one of its events, less what was at the beginning, in bytes.
    pub heap_most: i64,
}

/// What was counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// The counters of each library, in the order of the lens; empty for one that is not loaded.
    pub libraries: Vec<Vec<u64>>,
    /// The calls of functions that say when they begin and end, by their number: how many there were, and how many of them while none of the same function was under
    /// way on the same thread.
    pub calls: Vec<(u64, u64, u64)>,
}
