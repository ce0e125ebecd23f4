//! The user wants the cell to end: whether it stands where it can, and how it does. What ran until there has happened, and what the cell made is kept.
//!
//! A cell can stop between two items of a loop that looks at [`requested`] ([`Region`]), and where it awaits ([`waits`]). Anywhere else there is nobody who
//! would: then the process is ended. All of this is about the thread that runs cells; what other threads do is not stopped.

use crate::run;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

/// How long ago a cell may have waited that is taken for one that will again: one that is woken all the time is between two waits whenever it is looked at.
const LATELY: Duration = Duration::from_millis(100);

/// Whether the run is to end.
static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Locked for moments, and never while code of the user's runs.
static STAND: Mutex<Stand> = Mutex::new(Stand { regions: 0, waits: None, waited: None });

/// Where the cell stands.
struct Stand {
    /// How many regions it is in.
    regions: u32,
    /// What wakes it, while it awaits.
    waits: Option<Waker>,
    /// When it last began to.
    waited: Option<Instant>,
}

/// What unwinds a cell that stops.
struct Stop;

/// A run begins, or has ended: nobody has asked it to end yet.
pub(crate) fn clear() {
    let mut stand = lock();
    REQUESTED.store(false, Ordering::Relaxed);
    let before = std::mem::replace(&mut *stand, Stand { regions: 0, waits: None, waited: None });
    drop(stand);
    drop(before);
}

/// Asks the run to end, on whatever thread. Whether it stands where it can, so that it will soon.
pub(crate) fn request() -> bool {
    let stand = lock();
    REQUESTED.store(true, Ordering::Relaxed);
    if let Some(waker) = &stand.waits {
        waker.wake_by_ref();
    }
    let lately = || stand.waited.is_some_and(|waited| waited.elapsed() < LATELY);
    stand.regions > 0 || stand.waits.is_some() || lately()
}

/// Whether the run is to end.
#[inline]
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// Ends the cell here: what unwinds is no panic, and no hook hears of it.
pub(crate) fn now() -> ! {
    resume_unwind(Box::new(Stop))
}

/// Whether a payload is what [`now`] unwinds with.
pub(crate) fn is_stop(payload: &(dyn std::any::Any + Send)) -> bool {
    payload.is::<Stop>()
}

/// The cell awaits: this wakes it.
pub(crate) fn waits(waker: &Waker) {
    let mut stand = lock();
    stand.waited = Some(Instant::now());
    let before = stand.waits.replace(waker.clone());
    // It was asked after it had looked.
    if requested() {
        waker.wake_by_ref();
    }
    drop(stand);
    drop(before);
}

/// It goes on.
pub(crate) fn goes_on() {
    let before = lock().waits.take();
    drop(before);
}

/// What looks, between two items, whether the cell is to end. On threads that run no cell it does nothing.
#[derive(Debug)]
pub(crate) struct Region {
    /// The run that it was entered in.
    run: u64,
    /// Whether it counts.
    counted: bool,
}

impl Region {
    /// From now on, until this is dropped, this code looks every now and then.
    pub(crate) fn enter() -> Self {
        let (run, counted) = (run::number(), run::is_here());
        if counted {
            lock().regions += 1;
        }
        Self { run, counted }
    }

    /// Looks, and does not return if the cell is to end. One that an earlier cell has left is entered anew.
    #[inline]
    pub(crate) fn look(&mut self) {
        if self.run != run::number() {
            *self = Self::enter();
        }
        if requested() && may_stop() {
            now();
        }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        if self.counted {
            let mut stand = lock();
            // That of an earlier run is not counted any more.
            if self.run == run::number() {
                stand.regions = stand.regions.saturating_sub(1);
            }
        }
    }
}

/// Whether this is the cell's own code, and nothing unwinds: to unwind twice would abort the process. While the cell awaits, this thread may run tasks for others.
#[cold]
fn may_stop() -> bool {
    run::is_here() && !thread::panicking() && lock().waits.is_none()
}

fn lock() -> MutexGuard<'static, Stand> {
    STAND.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
