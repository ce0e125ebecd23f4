//! What is watched while a cell runs, and what was seen: through one lens at a time, that of the command which runs the cell.
//!
//! The code that is watched says itself where it begins and ends: what stands around it in its cell is none of it.

use crate::{processor, sampler};
use assay_link::watch::{Lens, Seen, Watched};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The lens of the cell that runs, and what is under way.
static WATCH: Mutex<Watch> = Mutex::new(Watch { lens: Lens::Clear, under_way: None });

struct Watch {
    lens: Lens,
    under_way: Option<UnderWay>,
}

/// Code that is watched.
struct UnderWay {
    /// The magic that asked for it.
    id: u64,
    began: Instant,
    /// The processor's time by then: in the program, and in the system.
    times: Option<(u64, u64)>,
    /// Why nothing is seen.
    blind: Option<String>,
}

/// The next cell is watched through this.
pub(crate) fn through(lens: Lens) {
    *watch() = Watch { lens, under_way: None };
}

/// The code of this magic begins, on this thread. False if there is nothing to watch, or something is watched already.
pub(crate) fn begin(id: u64) -> bool {
    let mut watch = watch();
    if watch.lens == Lens::Clear || watch.under_way.is_some() {
        return false;
    }
    let blind = start(&watch.lens).err();
    watch.under_way = Some(UnderWay { id, began: Instant::now(), times: times(), blind });
    true
}

/// It has ended, after so many runs: what was seen. None if it was not watched.
pub(crate) fn end(id: u64, finished: bool, runs: u64) -> Option<(u64, Watched)> {
    take(|under_way| under_way.id == id, finished, runs)
}

/// What has been seen of the code that is under way, which does not come to its end: it goes on unwatched. None if nothing is watched. Called on any thread.
pub(crate) fn cut() -> Option<(u64, Watched)> {
    take(|_| true, false, 0)
}

fn take(which: impl FnOnce(&mut UnderWay) -> bool, finished: bool, runs: u64) -> Option<(u64, Watched)> {
    let now = Instant::now();
    let mut watch = watch();
    let UnderWay { id, began, times: before, blind } = watch.under_way.take_if(which)?;
    let spent = before
        .zip(times())
        .map(|(before, now)| (now.0.saturating_sub(before.0), now.1.saturating_sub(before.1)));
    let seen = match blind {
        Some(why) => Seen::Nothing { why },
        None => stop(&watch.lens),
    };
    let (user, system) = spent.unwrap_or_default();
    let wall = u64::try_from((now - began).as_nanos()).unwrap_or(u64::MAX);
    Some((id, Watched { wall, user, system, runs, finished, seen }))
}

/// Begins to look; why nothing can be seen otherwise.
fn start(lens: &Lens) -> Result<(), String> {
    match lens {
        Lens::Clear => Ok(()),
        Lens::Samples { clock, period } => sampler::start(*clock, *period),
        Lens::Heap { .. } | Lens::Counts { .. } => Err("not there yet".to_owned()),
    }
}

/// Looks no more.
fn stop(lens: &Lens) -> Seen {
    match lens {
        Lens::Samples { .. } => sampler::stop(),
        Lens::Clear | Lens::Heap { .. } | Lens::Counts { .. } => {
            Seen::Nothing { why: "not there yet".to_owned() }
        }
    }
}

fn times() -> Option<(u64, u64)> {
    processor::times().map(|times| (times.user, times.system))
}

fn watch() -> MutexGuard<'static, Watch> {
    WATCH.lock().unwrap_or_else(PoisonError::into_inner)
}
