//! The run that is under way on this thread: what it kept, and how it failed first.

use crate::hook::Seen;
use crate::stop;
use crate::table::Kept;
use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many runs have begun.
static COUNT: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static RUN: RefCell<Option<Run>> = const { RefCell::new(None) };
}

/// What is known of a run.
#[derive(Default)]
pub(crate) struct Run {
    /// Its first failure.
    pub(crate) failure: Option<Failure>,
    /// What it put into the store, in order.
    pub(crate) kept: Vec<Kept>,
    /// The names of these.
    names: Vec<&'static str>,
}

/// Why a run did not come to its end.
pub(crate) enum Failure {
    /// It panicked.
    Panic(Seen),
    /// A `?` met an error, which says this.
    Question(String),
    /// A claim about what was measured does not hold, which has been told.
    Refuted,
    /// The user stopped it where it could be.
    Interrupted,
    /// Our own fault.
    Trouble(String),
}

/// A run begins on this thread.
pub(crate) fn begin() {
    COUNT.fetch_add(1, Ordering::Relaxed);
    stop::clear();
    RUN.set(Some(Run::default()));
}

/// There is one run at a time in a process, and so there is in tests.
#[cfg(test)]
pub(crate) fn alone() -> std::sync::MutexGuard<'static, ()> {
    static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
    TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The number of the latest run.
pub(crate) fn number() -> u64 {
    COUNT.load(Ordering::Relaxed)
}

/// It is over.
pub(crate) fn end() -> Run {
    stop::clear();
    RUN.take().unwrap_or_default()
}

/// Whether one is under way on this thread.
pub(crate) fn is_here() -> bool {
    // Not to be had: this thread is ending, or it is in one of the functions of this file.
    RUN.try_with(|run| run.try_borrow().is_ok_and(|run| run.is_some())).unwrap_or(false)
}

/// The run has failed; false if it had before, or if there is none.
pub(crate) fn fail(failure: Failure) -> bool {
    RUN.with_borrow_mut(|run| match run {
        Some(run) if run.failure.is_none() => {
            run.failure = Some(failure);
            true
        }
        _ => false,
    })
}

/// Whether `name` is kept by this run already.
pub(crate) fn has(name: &str) -> bool {
    RUN.with_borrow(|run| run.as_ref().is_some_and(|run| run.names.contains(&name)))
}

/// `name` is kept.
pub(crate) fn keep(name: &'static str, kept: Kept) {
    RUN.with_borrow_mut(|run| {
        if let Some(run) = run {
            run.names.push(name);
            run.kept.push(kept);
        }
    });
}
