//! A lock that may be taken within `malloc`: whoever waits for it neither allocates nor sleeps in the C library. It is kept for moments.
//!
//! - A signal's handler that allocates while its thread has the lock is told no, for it would wait for itself.
//! - A thread that is held for a checkpoint while it has the lock gives it back when it goes on, in the copy as well as here.
//! - In a process that the user forks the other threads are gone, and one of them may have had it: see [`Guarded::abandon`].

use std::cell::{Cell, UnsafeCell};
use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, Ordering};

thread_local! {
    /// Whether this thread has a lock, or waits for one. A variable of this kind is where the thread begins, without a first time and without an end: it may be looked at
    /// within `malloc`.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// How often it is looked at before another thread is let run: the lock is kept for some ten nanoseconds.
const LOOKS: u32 = 100;

/// How often others are let run before this thread sleeps: who has the lock may be of less priority.
const YIELDS: u32 = 1000;

/// Something that one thread at a time can have.
pub(super) struct Guarded<T> {
    taken: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: the value is given to one thread at a time.
#[expect(unsafe_code, reason = "a lock is what makes it so")]
unsafe impl<T: Send> Sync for Guarded<T> {}

impl<T> Guarded<T> {
    pub(super) const fn new(value: T) -> Self {
        Self { taken: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }

    /// Gives the value to `change`, which does not panic. None if this thread has it already.
    #[expect(unsafe_code, reason = "the lock is what makes it exclusive")]
    pub(super) fn with<R>(&self, change: impl FnOnce(&mut T) -> R) -> Option<R> {
        if INSIDE.replace(true) {
            return None;
        }
        if self.taken.swap(true, Ordering::Acquire) {
            self.wait();
        }
        // SAFETY: the lock is this thread's.
        let result = change(unsafe { &mut *self.value.get() });
        self.taken.store(false, Ordering::Release);
        INSIDE.set(false);
        Some(result)
    }

    #[cold]
    fn wait(&self) {
        let mut yields = 0;
        loop {
            for _ in 0..LOOKS {
                if !self.taken.load(Ordering::Relaxed) && !self.taken.swap(true, Ordering::Acquire) {
                    return;
                }
                spin_loop();
            }
            rest(yields);
            yields += 1;
        }
    }

    /// Puts this in its place, whoever had it, and whatever became of that: it is left where it is.
    ///
    /// # Safety
    ///
    /// No other thread of this process is there.
    #[expect(unsafe_code, reason = "what another thread had is overwritten")]
    pub(super) unsafe fn abandon(&self, value: T) {
        // SAFETY: nobody else looks at it.
        unsafe { self.value.get().write(value) };
        self.taken.store(false, Ordering::Release);
        INSIDE.set(false);
    }
}

/// Lets others run. `errno` stays what it is.
#[expect(unsafe_code, reason = "the system is asked to")]
fn rest(yields: u32) {
    super::with_errno(|| {
        let moment = libc::timespec { tv_sec: 0, tv_nsec: 100_000 };
        // SAFETY: the time outlives the call.
        unsafe {
            if yields < YIELDS {
                libc::sched_yield();
            } else {
                libc::nanosleep(&raw const moment, std::ptr::null_mut());
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::Guarded;

    #[test]
    fn one_at_a_time_has_it() {
        static SUM: Guarded<u64> = Guarded::new(0);
        let threads = [(); 4].map(|()| {
            std::thread::spawn(|| {
                for _ in 0..20_000 {
                    SUM.with(|sum| *sum += 1).unwrap();
                }
            })
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(SUM.with(|sum| *sum), Some(80_000));
    }

    #[test]
    #[expect(unsafe_code, reason = "a lock is taken from nobody")]
    fn who_has_it_cannot_have_it_again() {
        let lock = Guarded::new(1);
        assert_eq!(lock.with(|_| lock.with(|value| *value)), Some(None));
        assert_eq!(lock.with(|value| *value), Some(1));
        let inner = lock.with(|_| {
            // SAFETY: there is no other thread that knows this lock.
            unsafe { lock.abandon(2) };
            lock.with(|value| *value)
        });
        assert_eq!(inner, Some(Some(2)));
    }
}
