//! Stacks as the user knows them: from where the watched code begins, without what is ours and without what allocates.

use super::Functions;
use super::names;
use super::naming::{self, Named, Role};
use super::outline::Outline;
use assay_link::watch::{Module, Trace};
use assay_magics::profiled::{Frame, Origin};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The functions of all addresses that stacks have.
pub(super) struct Stacks<'m> {
    /// The innermost first.
    named: HashMap<&'m str, HashMap<u64, Vec<Named>>>,
}

impl<'m> Stacks<'m> {
    /// Finds out what is at the addresses of these stacks. Each has its own modules.
    pub(super) fn read<'t, T: Iterator<Item = &'t Trace>>(
        runs: impl Iterator<Item = (&'m [Module], T)>,
        outline: &Outline,
    ) -> Self {
        let mut addresses: BTreeMap<&'m str, BTreeSet<u64>> = BTreeMap::new();
        for (modules, traces) in runs {
            for (module, address) in traces.flat_map(|trace| &trace.frames) {
                addresses.entry(path(modules, *module)).or_default().insert(*address);
            }
        }
        Self { named: naming::name(addresses, outline) }
    }

    /// A stack that time was seen in; none if it is that of what watches.
    pub(super) fn timed(
        &self,
        modules: &[Module],
        trace: &Trace,
        functions: &mut Functions,
    ) -> Option<Vec<Frame>> {
        let all = self.frames(modules, trace);
        if all.iter().any(|frame| frame.role == Role::Watching) {
            return None;
        }
        let frames = watched(&all, trace.complete);
        (!frames.is_empty()).then(|| shown(frames, functions))
    }

    /// A stack that allocates or frees.
    pub(super) fn allocating(
        &self,
        modules: &[Module],
        trace: &Trace,
        functions: &mut Functions,
    ) -> Vec<Frame> {
        let all = self.frames(modules, trace);
        let mut frames = watched(&all, trace.complete);
        while frames.last().is_some_and(|last| allocates(last)) {
            frames.pop();
        }
        shown(frames, functions)
    }

    /// The outermost first.
    fn frames(&self, modules: &[Module], trace: &Trace) -> Vec<&Named> {
        let named = trace
            .frames
            .iter()
            .filter_map(|(module, address)| self.named.get(path(modules, *module))?.get(address));
        let mut all: Vec<&Named> = named.flatten().collect();
        all.reverse();
        all
    }
}

/// The file of a module.
fn path(modules: &[Module], module: u32) -> &str {
    modules.get(module as usize).map_or("", |module| module.path.as_str())
}

/// What of a stack is the watched code's.
fn watched<'n>(all: &[&'n Named], complete: bool) -> Vec<&'n Named> {
    let theirs = &all[beginning(all, complete)..];
    let program = |frame: &&&Named| frame.role == Role::Ours && frame.function.origin == Origin::System;
    theirs.iter().filter(|frame| !program(frame)).copied().collect()
}

/// Where the watched code begins: with the statements of the cell, or where a thread comes to somebody's code.
fn beginning(all: &[&Named], complete: bool) -> usize {
    let users = |frame: &&Named| frame.users() && frame.role != Role::Statements;
    let first = all.iter().position(users).unwrap_or(all.len());
    // A cell's statements are functions within each other: the last one is under way.
    if let Some(at) = all[..first].iter().rposition(|frame| frame.role == Role::Statements) {
        return at;
    }
    let ours = |frame: &&&Named| frame.role == Role::Ours;
    if !complete {
        return all.iter().take_while(ours).count();
    }
    let outside =
        |frame: &&&Named| ours(frame) || matches!(frame.function.origin, Origin::Standard | Origin::System);
    let begun = all.iter().take_while(outside).count();
    if begun < all.len() {
        return begun;
    }
    // It is all the system's and the standard library's.
    all.iter()
        .rposition(|frame| frame.role == Role::Ours || starts(&frame.function.name))
        .map_or(0, |at| at + 1)
}

/// Whether a function is one of those that every thread begins with.
fn starts(name: &str) -> bool {
    let last = names::last(name);
    [
        "thread_start",
        "start_thread",
        "clone",
        "clone3",
        "__clone3",
        "_start",
        "__libc_start_main",
        "__libc_start_call_main",
    ]
    .contains(&last)
        || ["__rust_begin_short_backtrace", "catch_unwind", "do_call", "AssertUnwindSafe", "spawn_unchecked"]
            .iter()
            .any(|part| name.contains(part))
}

/// Whether a function is a part of the allocator, or of what stands between it and a collection.
fn allocates(frame: &Named) -> bool {
    let function = &frame.function;
    match function.origin {
        Origin::System => {
            frame.role == Role::Code && naming::is_allocator(&function.name)
                || function.name.contains("malloc")
        }
        Origin::Standard => {
            let of_file = [
                "alloc/src/alloc.rs",
                "alloc/src/raw_vec",
                "core/src/alloc/",
                "std/src/alloc.rs",
                "std/src/sys/alloc/",
            ];
            let by_name = [
                "alloc::alloc::",
                "alloc::raw_vec::",
                "core::alloc::",
                "std::alloc::",
                "std::sys::alloc::",
                "__rust_",
                "__rustc::",
            ];
            of_file.iter().any(|start| function.file.starts_with(start))
                || by_name.iter().any(|start| function.name.starts_with(start))
        }
        _ => {
            function.name.contains("__rust_alloc")
                || function.name.contains("__rust_dealloc")
                || function.name.contains("__rust_realloc")
        }
    }
}

/// Frames as a report has them. What is a part of the function before it is not one of its own.
fn shown(frames: Vec<&Named>, functions: &mut Functions) -> Vec<Frame> {
    let mut shown: Vec<Frame> = Vec::with_capacity(frames.len());
    let mut before: Option<&Named> = None;
    for frame in frames {
        let same = before.is_some_and(|before| before.function == frame.function);
        match shown.last_mut() {
            Some(last) if same && frame.part => last.line = frame.line,
            last => {
                let inlined = frame.inlined && last.is_some();
                let function = functions.index(frame.function.clone());
                shown.push(Frame { function, line: frame.line, inlined });
            }
        }
        before = Some(frame);
    }
    shown
}
