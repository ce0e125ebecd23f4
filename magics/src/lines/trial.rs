//! For tests: what was found out about code of a cell, by hand.

use crate::magic::Report;
use crate::outcome::Outcome;
use crate::plan::{Plan, ProfileStep};
use crate::profiled::{Asked, Calls, Frame, Function, Heap, Hits, Origin, Profiled, Run, Site, Stack, Time};
use crate::trial::{facts, plan, report};

/// What the cell's one magic has watched.
pub(crate) fn step(cell: &str) -> ProfileStep {
    let Ok(Plan::Profile(step)) = plan(cell) else { panic!("{cell:?}: {:?}", plan(cell)) };
    *step
}

/// What it makes of what was found out.
pub(crate) fn said(cell: &str, profiled: Profiled) -> Report {
    report(cell, Outcome::Profiled(Box::new(profiled))).unwrap()
}

/// The text of that.
pub(crate) fn text(cell: &str, profiled: Profiled) -> String {
    said(cell, profiled).shown.unwrap().plain().to_owned()
}

/// A profile that grows.
pub(crate) struct Scene(pub(crate) Profiled);

impl Scene {
    /// A run of half a second, all of it on the processor, with a sample each millisecond.
    pub(crate) fn new() -> Self {
        let time = Time {
            period: 1e-3,
            threads: vec!["main".to_owned()],
            runs: 1,
            wall_of_runs: 0.5,
            ..Time::default()
        };
        let run = Run { wall: 0.5, user: 0.5, ..Run::default() };
        Self(Profiled { facts: facts(), run, time: Some(time), ..Profiled::default() })
    }

    /// A function of a cell, asked for by name, with its text.
    pub(crate) fn asked(mut self, name: &str, first_line: u32, text: &str) -> Self {
        let function = self.function(name, first_line);
        let lines = text.lines().map(str::to_owned).collect();
        self.0.asked.push(Asked { name: name.to_owned(), function, first_line, lines });
        self
    }

    /// The index of a function of `cell[3]` that begins at this line.
    pub(crate) fn function(&mut self, name: &str, line: u32) -> usize {
        let file = "cell[3]".to_owned();
        let function = Function { name: name.to_owned(), file, line: Some(line), origin: Origin::Cell };
        self.0.functions.push(function);
        self.0.functions.len() - 1
    }

    /// The same function, for a chain.
    pub(crate) fn with(mut self, name: &str, line: u32) -> Self {
        self.function(name, line);
        self
    }

    /// So many samples of a stack such as `fib:3 fib:4 Vec::push`, the outermost first; what no function of the cell is called is the standard library's.
    pub(crate) fn samples(mut self, stack: &str, samples: u64) -> Self {
        let frames = self.frames(stack);
        let time = self.0.time.get_or_insert_default();
        time.stacks.push(Stack { thread: 0, frames, samples, complete: true });
        self
    }

    /// What a stack did to the heap.
    pub(crate) fn site(mut self, stack: &str, mut site: Site) -> Self {
        site.frames = self.frames(stack);
        if self.0.heaps.is_empty() {
            self.0.heaps.push(Heap::default());
        }
        let heap = &mut self.0.heaps[0];
        heap.allocations += site.allocations;
        heap.bytes += site.bytes;
        heap.frees += site.frees;
        heap.freed += site.freed;
        heap.live += i64::try_from(site.bytes).unwrap() - i64::try_from(site.freed).unwrap();
        heap.sites.push(site);
        self
    }

    /// Line and hits of `cell[3]`.
    pub(crate) fn hits(mut self, lines: &[(u32, u64)]) -> Self {
        self.0.hits.push(Hits { file: "cell[3]".to_owned(), lines: lines.to_vec() });
        self
    }

    /// How often a function was called.
    pub(crate) fn calls(mut self, function: usize, total: u64) -> Self {
        self.0.calls.push(Calls { function, total, primitive: Some(total), at_least: false });
        self
    }

    fn frames(&mut self, stack: &str) -> Vec<Frame> {
        stack.split_whitespace().map(|frame| self.frame(frame)).collect()
    }

    fn frame(&mut self, frame: &str) -> Frame {
        let placed = frame.rsplit_once(':').and_then(|(name, line)| Some((name, Some(line.parse().ok()?))));
        let (name, line) = placed.unwrap_or((frame, None));
        let found = self.0.functions.iter().position(|function| function.name == name);
        let function = found.unwrap_or_else(|| {
            let origin = Origin::Standard;
            self.0.functions.push(Function {
                name: name.to_owned(),
                file: "alloc/src/vec/mod.rs".to_owned(),
                line: None,
                origin,
            });
            self.0.functions.len() - 1
        });
        Frame { function, line, inlined: false }
    }
}

/// `n` allocations of so many bytes in all, after which so much is live of the heap.
pub(crate) fn allocates(allocations: u64, bytes: u64, heap_after: i64) -> Site {
    Site { allocations, bytes, heap_after, heap_most: heap_after, ..Site::default() }
}

/// `n` frees of so many bytes in all, after which so much is live of the heap.
pub(crate) fn frees(frees: u64, freed: u64, heap_after: i64) -> Site {
    Site { frees, freed, heap_after, heap_most: heap_after, ..Site::default() }
}

/// A word counter whose planted problem is line 5: it makes a string of each word, twice.
pub(crate) const COUNT: &str = "\
fn count(text: &str) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for word in text
        .split_whitespace() {
        let word = word.to_lowercase().to_string();
        *counts
            .entry(word)
            .or_insert(0) += 1;
    }
    counts
}";

/// What is found out of the word counter, in `cell[3]` from line 2 on.
pub(crate) fn words() -> Scene {
    let strings = "count:6 str::to_lowercase";
    let table = "count:8 HashMap::entry";
    Scene::new()
        .asked("count", 2, COUNT)
        .with("<statements>", 1)
        .samples(&format!("<statements>:14 {strings}"), 350)
        .samples("<statements>:14 count:4 SplitWhitespace::next", 50)
        .samples(&format!("<statements>:14 {table}"), 90)
        .samples("<statements>:14 count:10 drop", 5)
        .samples("<statements>:15", 5)
        .site(
            &format!("<statements>:14 {strings}"),
            Site {
                frees: 10_000,
                freed: 70_000,
                at_peak: 2_000,
                live: 1_500,
                live_blocks: 300,
                ..allocates(20_000, 140_000, 12_000)
            },
        )
        .site(
            &format!("<statements>:14 {table}"),
            Site {
                frees: 4,
                freed: 6_000,
                at_peak: 12_288,
                live: 12_288,
                live_blocks: 1,
                ..allocates(5, 18_288, 24_000)
            },
        )
        .site("<statements>:14 count:10 drop", frees(9_700, 68_500, 13_788))
        .hits(&[
            (2, 1),
            (3, 1),
            (4, 10_001),
            (6, 10_000),
            (7, 10_000),
            (8, 10_000),
            (9, 10_000),
            (10, 1),
            (11, 1),
            (12, 1),
        ])
}
