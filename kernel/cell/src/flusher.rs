//! Writes out what a cell has printed without a newline, while the cell goes on, and while threads do that it has left behind.

use std::io::Write;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long text may stay in the buffer: below what a person notices, and rare enough to cost the cell nothing.
const PERIOD: Duration = Duration::from_millis(50);

/// The same while something is measured, where what was printed is written out between two blocks: only in a block that takes
/// longer does the thread wake.
const QUIET_PERIOD: Duration = Duration::from_secs(1);

/// The threads of a process in which cells have left none: the one that runs them, the one that listens to the kernel, and this one.
const OURS: usize = 3;

static STATE: Mutex<State> =
    Mutex::new(State { wanted: false, measuring: 0, flushing: false, thread: None, begun: false });
static WAKE: Condvar = Condvar::new();

struct State {
    /// Whether a cell runs.
    wanted: bool,
    /// The number of measurements that are under way.
    measuring: usize,
    /// Whether the thread is writing, or waits until it may.
    flushing: bool,
    thread: Option<JoinHandle<()>>,
    /// Whether the thread has begun its work.
    begun: bool,
}

/// A cell begins.
pub(crate) fn start() {
    let mut state = lock();
    state.wanted = true;
    if state.thread.is_none() {
        state.begun = false;
        // Without the thread, text appears at the next newline.
        state.thread = std::thread::Builder::new().name("flusher".into()).spawn(work).ok();
    }
}

/// Returns when the thread does nothing any more that allocates, as it does when it begins.
pub(crate) fn settle() {
    // The first to write out allocates the buffer.
    flush();
    let mut state = lock();
    while state.thread.is_some() && !state.begun {
        state = WAKE.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
}

/// While it lives, something is measured, and the thread is to disturb it as little as it can.
pub(crate) struct Quiet(());

impl Quiet {
    pub(crate) fn keep() -> Self {
        lock().measuring += 1;
        // Else it wakes once more in the first block.
        WAKE.notify_all();
        Self(())
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        lock().measuring -= 1;
        WAKE.notify_all();
    }
}

/// The cell has ended. If the thread waits for a lock of standard output that the user keeps, it is left to wait, and to go on in the next cell.
pub(crate) fn stop() {
    if others() {
        return;
    }
    let mut state = lock();
    state.wanted = false;
    let idle = if state.flushing { None } else { state.thread.take() };
    drop(state);
    WAKE.notify_all();
    if let Some(thread) = idle {
        // It does not panic, and if it did, nothing would be lost.
        let _ = thread.join();
    }
}

/// Whether there are threads that a cell has left behind. Where the system does not tell, there are none.
fn others() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() > OURS)
}

fn work() {
    let mut state = lock();
    state.begun = true;
    WAKE.notify_all();
    while state.wanted {
        let period = if state.measuring > 0 { QUIET_PERIOD } else { PERIOD };
        let (woken, waited) = WAKE.wait_timeout(state, period).unwrap_or_else(PoisonError::into_inner);
        state = woken;
        if waited.timed_out() && state.wanted {
            state.flushing = true;
            drop(state);
            flush();
            state = lock();
            state.flushing = false;
        }
    }
    // Whoever joins has taken the handle. Otherwise it is given up, so that the next cell starts a thread of its own.
    state.thread = None;
}

/// Writes out what was printed.
pub(crate) fn flush() {
    // Nobody reads any more: then nobody misses it.
    let _ = std::io::stdout().flush();
}

fn lock() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}
