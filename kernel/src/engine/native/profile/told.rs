//! What was seen, as a profile: in the user's terms, with what was not seen and why.

use super::super::symbols::{self, Functions, Outline};
use super::{Found, lens};
use assay_link::watch::{Lens, Seen, Watched};
use assay_magics::plan::Ask;
use assay_magics::profiled::{Ending, Profiled, Run};
use std::time::Duration;

/// All that was found out, in the user's terms.
pub(super) fn told(
    found: &Found,
    ask: &Ask,
    names: &[String],
    outline: &Outline,
    ending: Ending,
) -> Profiled {
    let Found { runs, ready, repeats, counts, sites, doubts } = found;
    let mut functions = Functions::default();
    let mut profiled = Profiled { doubts: doubts.clone(), ..Profiled::default() };
    let sampled = || runs.iter().chain(repeats.iter().map(|(_, watched)| watched));
    for run in sampled() {
        if let Seen::Nothing { why } = &run.seen {
            let what = if matches!(lens(ask), Lens::Heap { .. }) {
                "What it did to the heap"
            } else {
                "Where its time goes"
            };
            profiled.doubts.push(format!("{what} was not seen: {why}."));
            break;
        }
    }
    if let Some(first) = runs.first() {
        let seconds = |nanoseconds: u64| Duration::from_nanos(nanoseconds).as_secs_f64();
        profiled.run = Run {
            wall: seconds(first.wall),
            user: seconds(first.user),
            system: seconds(first.system),
            ready: ready.map(seconds),
            ending,
        };
    }
    let sampled: Vec<Watched> =
        sampled().filter(|run| matches!(run.seen, Seen::Samples(_))).cloned().map(begun).collect();
    if ask.time && !sampled.is_empty() {
        profiled.time = Some(symbols::time(&sampled, outline, &mut functions));
    }
    let sites = sites
        .as_ref()
        .filter(|sites| seen_of(sites, &mut profiled.doubts, "Where it allocates was not seen"));
    let heaps: Vec<&Watched> = runs.iter().filter(|run| matches!(run.seen, Seen::Heap(_))).collect();
    let heaps = if heaps.is_empty() { Vec::from_iter(sites) } else { heaps };
    profiled.heaps =
        heaps.into_iter().map(|run| symbols::heap(run, sites, outline, &mut functions)).collect();
    if let Some((counted, watched)) = counts
        && seen_of(watched, &mut profiled.doubts, "How often functions and lines ran was not seen")
        && let Seen::Counts(seen) = &watched.seen
    {
        (profiled.calls, profiled.hits) = counted.read(seen, outline, &mut functions);
        profiled.doubts.extend(counted.doubts(watched, &profiled.hits));
    }
    profiled.asked = outline.asked(names, &mut functions);
    profiled.functions = functions.into_vec();
    profiled
}

/// A run that did not come to its end was one.
fn begun(run: Watched) -> Watched {
    Watched { runs: run.runs.max(1), ..run }
}

/// Whether anything was seen; why not is a doubt.
fn seen_of(watched: &Watched, doubts: &mut Vec<String>, lack: &str) -> bool {
    match &watched.seen {
        Seen::Nothing { why } => {
            doubts.push(format!("{lack}: {why}."));
            false
        }
        _ => true,
    }
}
