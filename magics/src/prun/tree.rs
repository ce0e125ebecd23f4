//! Stacks as a tree of calls, in the form that a person can read: recursion folded, and of the standard library no more than what was called and where the time is.

use super::figures::Figures;
use crate::profiled::{Frame, Function, Origin, Stack};
use crate::render::chart::{self, Kind};
use crate::units::count;

/// Cycles of calls up to this length are folded: a recursion through an iterator and its closures has about so many.
const CYCLE: usize = 12;

/// More threads than these are not told apart in the graph.
const THREADS: usize = 8;

/// A stack on its way to the tree: functions, and how many calls of each lie within each other here.
type Path = Vec<Step>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    function: usize,
    depth: usize,
    inlined: bool,
}

/// The graph. `all` frames are in it, or the standard library's workings are left out.
pub(super) fn flame(figures: &Figures, title: &str, all: bool) -> chart::Flame {
    let stacks: &[Stack] = figures.time().map_or(&[], |time| &time.stacks);
    let functions = &figures.profiled.functions;
    let by_thread = (2..=THREADS).contains(&figures.threads.len());
    let mut root = Node::default();
    let mut deepest = 1;
    for stack in stacks.iter().filter(|stack| stack.samples > 0) {
        let frames: Vec<Frame> =
            stack.frames.iter().copied().filter(|frame| frame.function < functions.len()).collect();
        let kept = if all { frames } else { without_workings(&frames, functions) };
        let path = folded(&kept, functions);
        deepest = path.iter().map(|step| step.depth).fold(deepest, usize::max);
        let group = by_thread.then_some(stack.thread);
        root.add(group, &path, stack.samples);
    }
    let names = figures.time().map_or(&[][..], |time| &time.threads);
    let mut notes = Vec::new();
    if deepest > 1 {
        notes.push(format!("×{deepest}: up to {deepest} calls of it within each other, drawn as one"));
    }
    if !all && stacks.iter().any(|stack| hides_workings(stack, functions)) {
        notes.push(
            "of the standard library only what was called and where the time is; -a draws all".to_owned(),
        );
    }
    if figures.incomplete > 0 {
        let (some, all) = (count(figures.incomplete), count(figures.samples));
        notes.push(format!("{some} of {all} stacks are not whole and begin further in"));
    }
    chart::Flame {
        title: title.to_owned(),
        unit: "samples".to_owned(),
        frames: root.children.iter().map(|node| node.frame(functions, names)).collect(),
        notes,
    }
}

/// The frames without what starts a thread, and without those of the standard library that are called by it and call something: of a chain of iterators, the last one alone is
/// what somebody wrote.
fn without_workings(frames: &[Frame], functions: &[Function]) -> Vec<Frame> {
    let is_standard = |frame: &Frame| functions[frame.function].origin == Origin::Standard;
    let starts = |frame: &Frame| is_standard(frame) || functions[frame.function].origin == Origin::System;
    let start = frames.iter().position(|frame| !starts(frame)).unwrap_or_default();
    let frames = &frames[start..];
    let keep = |(place, frame): &(usize, &Frame)| {
        let is_inner = *place > 0 && is_standard(&frames[place - 1]);
        !is_standard(frame) || !is_inner || place + 1 == frames.len()
    };
    frames.iter().enumerate().filter(keep).map(|(_, frame)| *frame).collect()
}

fn hides_workings(stack: &Stack, functions: &[Function]) -> bool {
    let standard = |frame: &Frame| {
        functions.get(frame.function).is_some_and(|function| function.origin == Origin::Standard)
    };
    let inner = stack.frames.split_last().map_or(&[][..], |(_, outer)| outer);
    inner.windows(2).any(|pair| pair.iter().all(standard))
}

/// The path without recursion. A function of the user's own that is met again stands where it was met first: `a b a c` is `a c`, with `a` twice deep. Of other functions each cycle
/// is one turn of it, for a function of a library that is met again may do something else there.
fn folded(frames: &[Frame], functions: &[Function]) -> Path {
    let mut path: Path = Vec::new();
    for frame in frames {
        let is_yours = functions[frame.function].is_yours();
        let met = path.iter().position(|step| step.function == frame.function).filter(|_| is_yours);
        match met {
            Some(place) => {
                path.truncate(place + 1);
                path[place].depth += 1;
                path[place].inlined &= frame.inlined;
            }
            None => path.push(Step { function: frame.function, depth: 1, inlined: frame.inlined }),
        }
    }
    for length in 1..=CYCLE {
        path = fold(&path, length);
    }
    path
}

/// Folds cycles of this length.
fn fold(path: &[Step], length: usize) -> Path {
    let same = |one: &[Step], other: &[Step]| {
        one.iter().zip(other).all(|(one, other)| one.function == other.function)
    };
    let mut done: Path = Vec::with_capacity(path.len());
    let mut at = 0;
    while at < path.len() {
        let behind = done.len().checked_sub(length).filter(|_| at + length <= path.len());
        match behind {
            Some(start) if same(&done[start..], &path[at..at + length]) => {
                for (kept, more) in done[start..].iter_mut().zip(&path[at..at + length]) {
                    kept.depth += more.depth;
                    kept.inlined &= more.inlined;
                }
                at += length;
            }
            _ => {
                done.push(path[at]);
                at += 1;
            }
        }
    }
    done
}

/// A place in the tree.
#[derive(Debug, Default)]
struct Node {
    what: What,
    depth: usize,
    inlined: bool,
    weight: u64,
    children: Vec<Node>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum What {
    #[default]
    Root,
    Thread(usize),
    Function(usize),
    /// Of a stack without frames.
    Unknown,
}

impl Node {
    fn add(&mut self, group: Option<usize>, path: &[Step], samples: u64) {
        self.weight += samples;
        let thread = group.map(|thread| (What::Thread(thread), 1, false));
        let steps = path.iter().map(|step| (What::Function(step.function), step.depth, step.inlined));
        let unknown = path.is_empty().then_some((What::Unknown, 1, false));
        let mut node = self;
        for (what, depth, inlined) in thread.into_iter().chain(steps).chain(unknown) {
            node = node.child(what, inlined);
            node.weight += samples;
            node.depth = node.depth.max(depth);
            node.inlined &= inlined;
        }
    }

    fn child(&mut self, what: What, inlined: bool) -> &mut Self {
        let found = self.children.iter().position(|child| child.what == what);
        let place = found.unwrap_or_else(|| {
            self.children.push(Self { what, inlined, ..Self::default() });
            self.children.len() - 1
        });
        &mut self.children[place]
    }

    fn frame(&self, functions: &[Function], threads: &[String]) -> chart::Frame {
        let (name, place, kind) = match self.what {
            What::Function(index) => {
                let function = &functions[index];
                (function.name.clone(), function.place(), kind(function.origin))
            }
            What::Thread(index) => (thread_name(threads, index), String::new(), Kind::Group),
            What::Root | What::Unknown => ("(not known)".to_owned(), String::new(), Kind::Group),
        };
        let children = self.children.iter().map(|child| child.frame(functions, threads)).collect();
        chart::Frame {
            name,
            place,
            depth: self.depth,
            inlined: self.inlined,
            kind,
            weight: self.weight,
            children,
        }
    }
}

/// What a thread is called.
pub(super) fn thread_name(threads: &[String], index: usize) -> String {
    match threads.get(index).map(String::as_str) {
        Some("") | None if index == 0 => "the cell's thread".to_owned(),
        Some("") | None => format!("thread {}", index + 1),
        Some(name) => format!("thread {name}"),
    }
}

fn kind(origin: Origin) -> Kind {
    match origin {
        Origin::Cell => Kind::Cell,
        Origin::Local => Kind::Local,
        Origin::Dependency => Kind::Dependency,
        Origin::Standard => Kind::Standard,
        Origin::System => Kind::System,
    }
}

#[cfg(test)]
mod tests {
    use super::{Frame, folded, without_workings};
    use crate::profiled::{Function, Origin};

    fn path(text: &str) -> Vec<Frame> {
        text.bytes().map(|sign| Frame { function: usize::from(sign - b'a'), ..Frame::default() }).collect()
    }

    /// a to r: a cell's; s to z: the standard library's.
    fn functions() -> Vec<Function> {
        let of = |origin| Function { origin, ..Function::default() };
        (b'a'..=b'z').map(|sign| of(if sign < b's' { Origin::Cell } else { Origin::Standard })).collect()
    }

    #[test]
    fn recursion_is_folded() {
        let check = |text: &str, expected: &str| {
            let steps = folded(&path(text), &functions());
            let name = |function: usize| char::from(b'a' + function as u8);
            let show = |depth: usize| if depth > 1 { depth.to_string() } else { String::new() };
            let shown: String =
                steps.iter().map(|step| format!("{}{}", name(step.function), show(step.depth))).collect();
            assert_eq!(shown, expected, "{text}");
        };
        check("", "");
        check("abc", "abc");
        check("aaaa", "a4");
        check("baaac", "ba3c");
        check("atbatbac", "a3c");
        check("atbat", "a2t");
        check("ssss", "s4");
        check("astst", "as2t2");
        check("stusts", "stusts");
        check("stustust", "s2t2u2st");
        check("sstsst", "s4t2");
    }

    #[test]
    fn of_the_standard_library_the_ends_remain() {
        let check = |text: &str, expected: &str| {
            let kept = without_workings(&path(text), &functions());
            let shown: String = kept.iter().map(|frame| char::from(b'a' + frame.function as u8)).collect();
            assert_eq!(shown, expected, "{text}");
        };
        check("astub", "asb");
        check("astu", "asu");
        check("as", "as");
        check("stuabst", "abst");
        check("st", "st");
    }
}
