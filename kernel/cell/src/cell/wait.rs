//! Cells that await: what their parts run in, and what drives them.
//!
//! All of it is compiled once. A cell gives its future as a `dyn` one, so it holds no executor of its own, which would be compiled again with each.

use super::{Failed, Flow, panicked};
use crate::run::{self, Failure};
use crate::stop;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// Runs a future to its end on this thread.
pub type Drive = fn(Pin<&mut dyn Future<Output = ()>>);

/// What drives cells: a runtime of the notebook's dependencies, once they have one.
static DRIVE: Mutex<Drive> = Mutex::new(drive);

/// From now on cells that await are driven by this.
pub fn use_runtime(drive: Drive) {
    *lock() = drive;
}

/// Runs a cell that awaits.
pub fn block_on(cell: Pin<&mut dyn Future<Output = ()>>) {
    let drive = *lock();
    drive(pin!(Stoppable(cell)));
}

fn lock() -> MutexGuard<'static, Drive> {
    DRIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What [`catch`](super::catch) is for a part of a cell that does not await. It is ready when the part has ended, however it did.
pub fn catch_async(part: Pin<&mut dyn Future<Output = Flow>>) -> Caught<'_> {
    Caught(part)
}

/// See [`catch_async`].
#[must_use = "nothing runs before it is awaited"]
pub struct Caught<'a>(Pin<&'a mut dyn Future<Output = Flow>>);

impl Future for Caught<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        WAITS.set(false);
        // What the part may have left half-done is the user's, who sees it as after any panic that is caught.
        match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(context))) {
            Ok(Poll::Pending) if WAITS.get() => return Poll::Pending,
            Ok(Poll::Pending) if !stop::requested() => {
                WAITS.set(true);
                return Poll::Pending;
            }
            // The innermost that waits ends: those around it put what they have.
            Ok(Poll::Pending) => {
                run::fail(Failure::Interrupted);
            }
            Ok(Poll::Ready(Ok(()))) => {}
            Ok(Poll::Ready(Err(Failed(message)))) => {
                run::fail(Failure::Question(message));
            }
            Err(payload) => panicked(payload),
        }
        Poll::Ready(())
    }
}

thread_local! {
    /// Whether a part waits within the one that has been polled.
    static WAITS: Cell<bool> = const { Cell::new(false) };
}

/// A cell that is known to wait when it does, and is woken if it is to end.
struct Stoppable<'a>(Pin<&'a mut dyn Future<Output = ()>>);

impl Future for Stoppable<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        stop::goes_on();
        let polled = self.0.as_mut().poll(context);
        if polled.is_pending() {
            stop::waits(context.waker());
        }
        polled
    }
}

/// An executor for notebooks without one: it polls, and sleeps until it is woken.
fn drive(mut cell: Pin<&mut dyn Future<Output = ()>>) {
    let sleeper = Arc::new(Sleeper { thread: thread::current(), woken: AtomicBool::new(false) });
    let waker = Waker::from(Arc::clone(&sleeper));
    let mut context = Context::from_waker(&waker);
    while cell.as_mut().poll(&mut context).is_pending() {
        sleeper.sleep();
    }
}

/// A thread that waits. The flag is what counts: others may park and unpark this thread for reasons of their own.
struct Sleeper {
    thread: Thread,
    woken: AtomicBool,
}

impl Sleeper {
    fn sleep(&self) {
        while !self.woken.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

#[cfg(test)]
mod tests;
