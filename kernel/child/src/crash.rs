//! What is told of a crash before it ends the process: which signal it was, and where in the cell.
//!
//! The handler of such a signal may do little, for the thread may have been in the allocator. So the signal is told first, by one write; a back trace is
//! tried after that, and an alarm ends the process if it does not come to its end.

use crate::runtime;
use assay_link::keeper::Note;
use libc::{SIGABRT, SIGALRM, SIGBUS, SIGFPE, SIGILL, SIGSEGV, c_int, c_void, siginfo_t};
use std::mem::zeroed;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;

/// The signals of a crash.
const FATAL: [c_int; 5] = [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT];

/// How long a back trace may take, in seconds.
const PATIENCE: u32 = 2;

/// The room for a back trace, in bytes. It is read from debug information there, which a signal's usual stack of 8 kB has no room for.
const ROOM: usize = 256 << 10;

/// How far below a stack its guard may reach, in bytes. Code touches each page of a large frame, so an overflow is always found there.
const GUARD: usize = 64 << 10;

static WATCH: OnceLock<Watch> = OnceLock::new();

/// What the handler knows.
struct Watch {
    /// The thread that runs cells, as it calls itself: copies of this process call it the same.
    thread: libc::pthread_t,
    /// Where its stack ends; 0 if that is not known.
    bottom: usize,
    /// Where notes for the kernel are written to.
    notes: c_int,
    /// How the standard library tells an overflow of the stack, for the first two signals.
    before: [libc::sigaction; 2],
}

/// From now on crashes of the calling thread are told, which runs cells. The socket stays open.
#[expect(unsafe_code, reason = "handlers of signals are installed")]
pub(crate) fn watch(notes: &UnixStream) {
    let room = Box::leak(vec![0_u8; ROOM].into_boxed_slice());
    // SAFETY: all zeros are values of these types.
    let (mut stack, mut before): (libc::stack_t, [libc::sigaction; 2]) = unsafe { (zeroed(), zeroed()) };
    (stack.ss_sp, stack.ss_size) = (room.as_mut_ptr().cast(), room.len());
    // SAFETY: the room is there for ever, and this thread's alone; the rest is filled in.
    unsafe {
        libc::sigaltstack(&raw const stack, std::ptr::null_mut());
        for (signal, before) in FATAL.iter().zip(&mut before) {
            libc::sigaction(*signal, std::ptr::null(), before);
        }
    }
    // SAFETY: it is always possible.
    let thread = unsafe { libc::pthread_self() };
    WATCH.get_or_init(|| Watch {
        thread,
        bottom: bottom(thread).unwrap_or(0),
        notes: notes.as_raw_fd(),
        before,
    });
    for signal in FATAL {
        handle(signal, crashed as extern "C" fn(c_int, *mut siginfo_t, *mut c_void) as libc::sighandler_t);
    }
}

/// Where the thread's stack ends.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the C library knows it")]
fn bottom(thread: libc::pthread_t) -> Option<usize> {
    // SAFETY: the attributes are filled in before they are read, and freed.
    unsafe {
        let mut attributes = zeroed();
        if libc::pthread_getattr_np(thread, &raw mut attributes) != 0 {
            return None;
        }
        let (mut address, mut size) = (std::ptr::null_mut(), 0);
        libc::pthread_attr_getstack(&raw const attributes, &raw mut address, &raw mut size);
        libc::pthread_attr_destroy(&raw mut attributes);
        Some(address.addr())
    }
}

#[cfg(not(target_os = "linux"))]
fn bottom(_: libc::pthread_t) -> Option<usize> {
    None
}

#[expect(unsafe_code, reason = "handlers of signals are installed")]
fn handle(signal: c_int, handler: libc::sighandler_t) {
    // SAFETY: all zeros are a value of this type; the handler is one, or says what the system is to do.
    unsafe {
        let mut action: libc::sigaction = zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigaction(signal, &raw const action, std::ptr::null_mut());
    }
}

/// The handler. When it returns, the signal comes again and does what it does to every process.
#[expect(unsafe_code, reason = "this is called where a signal has interrupted the program")]
extern "C" fn crashed(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    for fatal in FATAL {
        handle(fatal, libc::SIG_DFL);
    }
    let Some(watch) = WATCH.get() else { return };
    if watch.overflowed(signal, info) {
        return watch.tell_overflow(signal, info, context);
    }
    // SAFETY: it is always possible.
    if unsafe { libc::pthread_self() } == watch.thread {
        watch.tell(signal);
    }
    // SAFETY: its handler is the system's now, and ends the process.
    unsafe { libc::raise(signal) };
}

impl Watch {
    #[expect(unsafe_code, reason = "the kernel says where memory was touched")]
    fn overflowed(&self, signal: c_int, info: *mut siginfo_t) -> bool {
        // SAFETY: the kernel gives a handler its information.
        let address = || unsafe { (*info).si_addr() }.addr();
        let guard = self.bottom.saturating_sub(GUARD)..self.bottom;
        (signal == SIGSEGV || signal == SIGBUS) && guard.contains(&address())
    }

    /// The standard library says which thread it was, and aborts.
    #[expect(unsafe_code, reason = "a handler of a signal is called")]
    fn tell_overflow(&self, signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
        let before = &self.before[usize::from(signal == SIGBUS)];
        if before.sa_sigaction != libc::SIG_DFL && before.sa_flags & libc::SA_SIGINFO != 0 {
            type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);
            // SAFETY: a handler that was installed with this flag is such a function.
            let handler: Handler = unsafe { std::mem::transmute(before.sa_sigaction) };
            handler(signal, info, context);
        }
    }

    /// Tells the kernel what the process dies of, and where in the cell if that can be found out.
    #[expect(unsafe_code, reason = "only what a handler may call is called first")]
    fn tell(&self, signal: c_int) {
        let note = Note::Crashing { pid: std::process::id(), signal }.encode();
        // SAFETY: the socket is open, and the note is as long as it is. An alarm ends the process.
        unsafe {
            libc::write(self.notes, note.as_ptr().cast(), note.len());
            handle(SIGALRM, libc::SIG_DFL);
            let mut alarm = zeroed();
            libc::sigemptyset(&raw mut alarm);
            libc::sigaddset(&raw mut alarm, SIGALRM);
            libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const alarm, std::ptr::null_mut());
            libc::alarm(PATIENCE);
        }
        runtime::trace();
    }
}
