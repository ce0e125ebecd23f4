//! Writes out what a cell has printed without a newline, while the cell goes on, and while threads do that it has left behind.

use std::io::Write;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long text may stay in the buffer: below what a person notices, and rare enough to cost the cell nothing.
const PERIOD: Duration = Duration::from_millis(50);

/// The threads of a process in which cells have left none: the one that runs them, the one that listens to the kernel, and this one.
const OURS: usize = 3;

static STATE: Mutex<State> = Mutex::new(State { wanted: false, flushing: false, thread: None, begun: false });
static WAKE: Condvar = Condvar::new();

struct State {
    /// Whether a cell runs.
    wanted: bool,
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

/// It has ended. If the thread waits for a lock of standard output that the user keeps, it is left to wait, and to go on in the next cell.
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
        let (woken, waited) = WAKE.wait_timeout(state, PERIOD).unwrap_or_else(PoisonError::into_inner);
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
