//! What addresses are in the user's own terms: the functions, lines and files of a profile.
//!
//! The process that runs cells says where it was in addresses of files ([`assay_link::watch`]). Debug information and symbol tables say what stands there
//! ([`frames`]), the text of the cells says which function of the user's that is ([`Outline`]), and what is not the watched code's is cut off ([`stacks`]).
//! Nothing here fails: where less can be known, names are poorer.

mod frames;
mod names;
mod naming;
mod outline;
mod sources;
mod stacks;
#[cfg(test)]
mod tests;
mod threads;
mod variants;

pub(super) use outline::{Local, Outline};

use assay_link::watch::{self, ALL_STACKS, Clock, Means, Samples, Seen, Watched};
use assay_magics::profiled::{Frame, Function, Heap, Site, Stack, Time};
use stacks::Stacks;
use std::collections::HashMap;
use threads::Threads;

/// Gives every function one number.
#[derive(Debug, Clone, Default)]
pub(super) struct Functions {
    all: Vec<Function>,
    numbers: HashMap<Function, usize>,
}

impl Functions {
    /// The number of a function.
    pub(super) fn index(&mut self, function: Function) -> usize {
        let next = self.all.len();
        let number = *self.numbers.entry(function.clone()).or_insert(next);
        if number == next {
            self.all.push(function);
        }
        number
    }

    /// All of them, each at its number.
    pub(super) fn into_vec(self) -> Vec<Function> {
        self.all
    }
}

/// Where time went, in one run or in several: threads of the same role are one.
pub(super) fn time(watched: &[Watched], outline: &Outline, functions: &mut Functions) -> Time {
    let runs: Vec<(&Watched, &Samples)> =
        watched.iter().filter_map(|one| Some((one, samples(one)?))).collect();
    let mut time = Time::default();
    let Some((_, first)) = runs.first() else { return time };
    time.wall = first.clock == Clock::Wall;
    time.period = seconds(first.period);
    let traces = runs.iter().map(|(_, seen)| {
        let traces = seen.stacks.iter().map(|stack| &stack.trace);
        (seen.modules.as_slice(), traces)
    });
    let stacks = Stacks::read(traces, outline);
    let mut threads = Threads::default();
    let mut numbers: HashMap<(usize, Vec<Frame>, bool), usize> = HashMap::new();
    for (run, samples) in &runs {
        let roles = threads.roles(&samples.threads);
        for stack in &samples.stacks {
            let Some(frames) = stacks.timed(&samples.modules, &stack.trace, functions) else { continue };
            let role = roles.get(stack.thread as usize).copied().unwrap_or_default();
            let key = (role, frames, stack.trace.complete);
            let number = *numbers.entry(key.clone()).or_insert(time.stacks.len());
            if number == time.stacks.len() {
                time.stacks.push(Stack { thread: key.0, frames: key.1, samples: 0, complete: key.2 });
            }
            time.stacks[number].samples += stack.samples;
        }
        time.lost += samples.lost;
        time.spent += seconds(samples.spent);
        time.timers |= samples.means == Means::Timers;
        time.runs += run.runs;
        time.wall_of_runs += seconds(run.wall);
        time.processor_of_runs += seconds(run.user + run.system);
    }
    time.threads = threads.names();
    time
}

/// What a run did to the heap; where, says `sites`, another run of the same, if this one has not been asked.
pub(super) fn heap(
    watched: &Watched,
    sites: Option<&Watched>,
    outline: &Outline,
    functions: &mut Functions,
) -> Heap {
    let Seen::Heap(seen) = &watched.seen else { return Heap::default() };
    let with_sites = match sites.map(|sites| &sites.seen) {
        Some(Seen::Heap(sites)) => sites,
        _ => seen,
    };
    Heap {
        allocations: seen.allocations,
        bytes: seen.bytes,
        frees: seen.frees,
        freed: seen.freed,
        peak: seen.peak,
        peak_at: seconds(seen.peak_at),
        live: seen.live,
        timeline: seen.timeline.iter().map(|(at, live)| (seconds(*at), *live)).collect(),
        resident: seen.resident,
        sites: places(with_sites, outline, functions),
        estimated: (with_sites.allocations.max(with_sites.frees) > ALL_STACKS).then_some(ALL_STACKS),
    }
}

fn places(seen: &watch::Heap, outline: &Outline, functions: &mut Functions) -> Vec<Site> {
    let traces = seen.sites.iter().map(|site| &site.trace);
    let stacks = Stacks::read([(seen.modules.as_slice(), traces)].into_iter(), outline);
    let site = |site: &watch::Site| Site {
        frames: stacks.allocating(&seen.modules, &site.trace, functions),
        allocations: site.allocations,
        bytes: site.bytes,
        frees: site.frees,
        freed: site.freed,
        at_peak: site.at_peak,
        live: site.live,
        live_blocks: site.live_blocks,
        heap_after: site.heap_after,
        heap_most: site.heap_most,
    };
    seen.sites.iter().map(site).collect()
}

fn samples(watched: &Watched) -> Option<&Samples> {
    match &watched.seen {
        Seen::Samples(samples) => Some(samples),
        _ => None,
    }
}

fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}
