//! The signal in whose handler stacks are taken.
//!
//! It is one that no program has a use for, and not `SIGPROF`: a profiler of the user's own goes on beside this one.

use super::{HANDLERS, SESSION};
use libc::{SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, c_int, c_void, siginfo_t};
use std::io;
use std::mem::zeroed;
use std::sync::atomic::Ordering;

/// A coprocessor's stack fault, which there has not been for decades: <https://man7.org/linux/man-pages/man7/signal.7.html>. Of a signal as old as this no more than one is
/// waiting for a thread, so there is always room for it.
pub(super) const SIGNAL: c_int = libc::SIGSTKFLT;

/// What was done about the signal before.
pub(super) struct Before(libc::sigaction);

type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);

/// From now on, stacks are taken when it comes.
#[expect(unsafe_code, reason = "a signal's handler is installed")]
pub(super) fn handle() -> io::Result<Before> {
    // SAFETY: all zeros are values of this type.
    let (mut action, mut before): (libc::sigaction, libc::sigaction) = unsafe { (zeroed(), zeroed()) };
    action.sa_sigaction = take as Handler as libc::sighandler_t;
    // Not on another stack, which has 8 kB as a rule: a walk needs more.
    action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
    // SAFETY: the handler allocates nothing, locks nothing, and leaves `errno` as it was.
    let installed = unsafe {
        libc::sigfillset(&raw mut action.sa_mask);
        // A crash in it is told as any other.
        for fatal in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT] {
            libc::sigdelset(&raw mut action.sa_mask, fatal);
        }
        libc::sigaction(SIGNAL, &raw const action, &raw mut before)
    };
    if installed == 0 { Ok(Before(before)) } else { Err(io::Error::last_os_error()) }
}

impl Before {
    /// Puts it back. No source sends the signal any more.
    #[expect(unsafe_code, reason = "a signal's handler is given up")]
    pub(super) fn restore(self) {
        // SAFETY: all zeros are values of this type.
        let (mut nothing, mut now): (libc::sigaction, libc::sigaction) = unsafe { (zeroed(), zeroed()) };
        nothing.sa_sigaction = libc::SIG_IGN;
        // SAFETY: both actions are such. To ignore a signal takes it from all threads that have not seen it yet, and might die of it later:
        // <https://pubs.opengroup.org/onlinepubs/9799919799/functions/V2_chap02.html>, section 2.4.3.
        unsafe {
            libc::sigaction(SIGNAL, &raw const nothing, &raw mut now);
            // The user's code may have put its own there meanwhile.
            let ours = now.sa_sigaction == take as Handler as libc::sighandler_t;
            let put_back = if ours { &raw const self.0 } else { &raw const now };
            libc::sigaction(SIGNAL, put_back, std::ptr::null_mut());
        }
    }
}

/// The handler.
#[expect(
    unsafe_code,
    reason = "the session is behind a pointer, and errno belongs to whom the signal has interrupted"
)]
extern "C" fn take(_: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: it is the thread's own.
    let errno = unsafe { *libc::__errno_location() };
    // Whoever ends the session takes it away first, and waits for those who may have seen it.
    HANDLERS.fetch_add(1, Ordering::SeqCst);
    // SAFETY: it is there as long as this handler is counted. The arguments are the handler's.
    if let Some(session) = unsafe { SESSION.load(Ordering::SeqCst).as_ref() } {
        // SAFETY: as above.
        unsafe { session.take(info, context) };
    }
    HANDLERS.fetch_sub(1, Ordering::SeqCst);
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

/// How often a timer has run out meanwhile, beside the one time that is told.
#[derive(Clone, Copy)]
pub(super) struct Overrun(pub(super) u64);

/// The head of what the kernel tells of a timer: <https://github.com/torvalds/linux/blob/v6.12/include/uapi/asm-generic/siginfo.h>.
#[repr(C)]
struct Timer {
    signal: c_int,
    errno: c_int,
    code: c_int,
    _padding: c_int,
    _id: c_int,
    overrun: c_int,
}

impl Overrun {
    /// # Safety
    ///
    /// The information is what the signal's handler was given.
    #[expect(unsafe_code, reason = "the kernel gives what it tells by pointer")]
    pub(super) unsafe fn of(info: *const siginfo_t) -> Self {
        // SAFETY: the caller promises it, and what is told of any signal is larger than this.
        let timer = unsafe { &*info.cast::<Timer>() };
        let ran_out = (timer.signal, timer.errno, timer.code) == (SIGNAL, 0, libc::SI_TIMER);
        Self(if ran_out { u64::try_from(timer.overrun).unwrap_or(0) } else { 0 })
    }
}
