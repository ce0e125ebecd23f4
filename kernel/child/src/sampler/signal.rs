//! The signals in whose handlers stacks are taken.
//!
//! They are such that programs have no use for, and not `SIGPROF`: a profiler of the user's own goes on beside this one.

use super::{HANDLERS, SESSION};
use libc::{SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, c_int, c_void, siginfo_t};
use std::io;
use std::mem::zeroed;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A coprocessor's stack fault, which there has not been for decades: <https://man7.org/linux/man-pages/man7/signal.7.html>. Of a signal as old as this no more than one is
/// waiting for a thread, so there is always room for it.
pub(super) const SIGNAL: c_int = libc::SIGSTKFLT;

/// What an event brings about by itself, with fewer interrupts on the way. It is also what a debugger's breakpoint does: so whoever handles it goes on doing that.
///
/// Its handler stays, and hands on what is not from events: one of these may come late, for it is sent by the thread itself when it comes back from the interrupt, which may be
/// after the event was closed. Without a handler it would end the process.
pub(super) const TRAP: c_int = libc::SIGTRAP;

/// The code of those that events bring about: <https://man7.org/linux/man-pages/man2/sigaction.2.html>.
const BY_EVENT: c_int = 6;

/// What was done about [`SIGNAL`] before.
pub(super) struct Before(libc::sigaction);

/// What was done about traps before.
static THEIRS: AtomicUsize = AtomicUsize::new(libc::SIG_DFL);

type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);

/// From now on, stacks are taken when it comes; also when there are traps, if this is asked for.
pub(super) fn handle(traps: bool) -> io::Result<Before> {
    let before = install(SIGNAL, take)?;
    if traps {
        let theirs = install(TRAP, trapped)?.sa_sigaction;
        if !is(theirs, trapped) {
            THEIRS.store(theirs, Ordering::SeqCst);
        }
    }
    Ok(Before(before))
}

fn is(action: libc::sighandler_t, handler: Handler) -> bool {
    action == handler as libc::sighandler_t
}

/// What was done about it before.
#[expect(unsafe_code, reason = "a signal's handler is installed")]
fn install(signal: c_int, handler: Handler) -> io::Result<libc::sigaction> {
    // SAFETY: all zeros are values of this type.
    let (mut action, mut before): (libc::sigaction, libc::sigaction) = unsafe { (zeroed(), zeroed()) };
    action.sa_sigaction = handler as libc::sighandler_t;
    // Not on another stack, which has 8 kB as a rule: a walk needs more.
    action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
    // SAFETY: the handler allocates nothing, locks nothing, and leaves `errno` as it was.
    let installed = unsafe {
        libc::sigfillset(&raw mut action.sa_mask);
        // A crash in it is told as any other.
        for fatal in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT] {
            libc::sigdelset(&raw mut action.sa_mask, fatal);
        }
        libc::sigaction(signal, &raw const action, &raw mut before)
    };
    if installed == 0 { Ok(before) } else { Err(io::Error::last_os_error()) }
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
            let put_back = if is(now.sa_sigaction, take) { &raw const self.0 } else { &raw const now };
            libc::sigaction(SIGNAL, put_back, std::ptr::null_mut());
        }
    }
}

/// The handler of traps.
#[expect(unsafe_code, reason = "the kernel gives a handler what it knows by pointers")]
extern "C" fn trapped(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: it is what the handler was given.
    if unsafe { (*info).si_code } == BY_EVENT {
        return take(signal, info, context);
    }
    match THEIRS.load(Ordering::SeqCst) {
        libc::SIG_IGN => {}
        // SAFETY: the system ends the process, when this handler returns.
        libc::SIG_DFL => unsafe {
            libc::signal(signal, libc::SIG_DFL);
            libc::raise(signal);
        },
        theirs => {
            // SAFETY: it is the handler that was there before. One that takes the number alone does not look at the rest.
            let theirs = unsafe { std::mem::transmute::<usize, Handler>(theirs) };
            theirs(signal, info, context);
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
