//! What sends a thread the signal: events of the system's where it lets programs have them, and timers everywhere.
//!
//! Events follow the processor: they come while the thread runs code of the program's own, and so never to one that waits. Timers come to those too, and end their waiting:
//! most functions begin to wait again, but some give an error.

use super::signal::SIGNAL;
use libc::{c_int, c_ulong, pid_t};
use std::io;
use std::mem::zeroed;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// The shortest interval, in nanoseconds. It has room for an interrupt and the beginning of a handler; where these are met by the next interrupt, nothing goes on.
pub(super) const SHORTEST: u64 = 50_000;

/// Ways to send, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// An event that makes the thread trap: 16 us for each sample, where the next takes 26 (a virtual machine, Linux 6.18).
    Trap,
    /// An event that sends a signal.
    Signal,
    /// A timer.
    Timer,
}

impl Way {
    /// The best that there may be. Before this release, a trap in a handler of signals ended the process: <https://git.kernel.org/linus/78ed93d72ded>.
    pub(super) fn best() -> Self {
        const LEAST: (u32, u32) = (5, 18);
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        if version(&release).is_some_and(|version| version >= LEAST) { Self::Trap } else { Self::Signal }
    }
}

/// The first two numbers.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|other: char| !other.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// It sends as long as it is kept.
pub(super) enum Source {
    Event(Event),
    Timer(Timer),
}

/// An event of one thread's.
pub(super) struct Event(OwnedFd);

/// A timer of one thread's.
pub(super) struct Timer(libc::timer_t);

// SAFETY: it is the kernel's name for a timer, and no pointer.
#[expect(unsafe_code, reason = "a timer's name has the type of a pointer")]
unsafe impl Send for Timer {}

/// Descriptors below this are for the user's code, which may expect them to be free, or close them all.
const APART: c_int = 200;

/// What is counted: <https://man7.org/linux/man-pages/man2/perf_event_open.2.html>, in the first form of the structure, which all systems know.
#[repr(C)]
#[derive(Default)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    period: u64,
    sample: u64,
    read: u64,
    flags: u64,
    wakeup: u32,
    breakpoint: u32,
    address: u64,
}

const SOFTWARE: u32 = 1;
const CPU_CLOCK: u64 = 0;
const DISABLED: u64 = 1 << 0;
const EXCLUDE_KERNEL: u64 = 1 << 5;
const EXCLUDE_HYPERVISOR: u64 = 1 << 6;
const REMOVE_ON_EXEC: u64 = 1 << 36;
const TRAPS: u64 = 1 << 37;
const CLOSE_ON_EXEC: c_ulong = 8;
const ENABLE: c_ulong = 0x2400;
const DISABLE: c_ulong = 0x2401;
const PERIOD: c_ulong = 0x4008_2404;

impl Event {
    /// One that does not send yet, and then first after `first` nanoseconds of the thread's.
    ///
    /// To look at the program alone is what every user may do as a rule; and a thread that is in the system may be about to wait there.
    #[expect(unsafe_code, reason = "the C library has no function for this call")]
    pub(super) fn of(thread: u32, first: u64, traps: bool) -> io::Result<Self> {
        let attributes = Attributes {
            kind: SOFTWARE,
            size: size_of::<Attributes>() as u32,
            config: CPU_CLOCK,
            period: first.max(1),
            flags: DISABLED
                | EXCLUDE_KERNEL
                | EXCLUDE_HYPERVISOR
                | if traps { TRAPS | REMOVE_ON_EXEC } else { 0 },
            wakeup: 1,
            ..Attributes::default()
        };
        let thread = thread as pid_t;
        const ANY: c_int = -1;
        // SAFETY: the structure is as large as it says.
        let made = unsafe {
            libc::syscall(libc::SYS_perf_event_open, &raw const attributes, thread, ANY, ANY, CLOSE_ON_EXEC)
        };
        if made < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call has just opened it.
        let low = unsafe { OwnedFd::from_raw_fd(made as RawFd) };
        let event = rustix::io::fcntl_dupfd_cloexec(&low, APART).unwrap_or(low);
        if traps {
            return Ok(Self(event));
        }
        let to = Owner { kind: OWNER_THREAD, id: thread };
        let number = event.as_raw_fd();
        // SAFETY: the descriptor is open, and the arguments are those of the calls.
        let set = unsafe {
            libc::fcntl(number, SET_OWNER, &raw const to) == 0
                && libc::fcntl(number, SET_SIGNAL, SIGNAL) == 0
                && libc::fcntl(number, libc::F_SETFL, libc::O_ASYNC) == 0
        };
        if set { Ok(Self(event)) } else { Err(io::Error::last_os_error()) }
    }
}

/// Whom the signal is sent to: <https://man7.org/linux/man-pages/man2/F_GETSIG.2const.html>.
#[repr(C)]
struct Owner {
    kind: c_int,
    id: pid_t,
}

const OWNER_THREAD: c_int = 0;
const SET_SIGNAL: c_int = 10;
const SET_OWNER: c_int = 15;

/// What a handler knows of a source.
#[derive(Clone, Copy)]
pub(super) enum Handle {
    Event(RawFd),
    Timer(libc::timer_t),
}

impl Handle {
    /// It sends next after so many nanoseconds, and then each time after as many. May be called from a signal's handler.
    #[expect(unsafe_code, reason = "no crate that is here has these calls")]
    pub(super) fn send_after(self, next: u64) {
        let next = next.max(1);
        match self {
            // SAFETY: the kernel reads the number. If it refuses, the event comes at the pace that it had.
            Self::Event(event) => unsafe {
                libc::ioctl(event, PERIOD, &raw const next);
            },
            Self::Timer(timer) => {
                let value = libc::itimerspec { it_interval: span(next), it_value: span(next) };
                // SAFETY: there is such a timer.
                unsafe { libc::timer_settime(timer, 0, &raw const value, std::ptr::null_mut()) };
            }
        }
    }
}

impl Drop for Event {
    #[expect(unsafe_code, reason = "no crate that is here has this call")]
    fn drop(&mut self) {
        // A process that the user's code has forked may still keep it open.
        // SAFETY: the descriptor is open.
        unsafe {
            libc::ioctl(self.0.as_raw_fd(), DISABLE, 0);
            libc::fcntl(self.0.as_raw_fd(), libc::F_SETFL, 0);
        }
    }
}

impl Timer {
    /// One that does not send yet.
    #[expect(unsafe_code, reason = "no crate that is here has this call")]
    pub(super) fn of(thread: u32) -> io::Result<Self> {
        // SAFETY: all zeros are values of these types; the kernel reads the one and writes the other.
        unsafe {
            let mut event: libc::sigevent = zeroed();
            event.sigev_notify = libc::SIGEV_THREAD_ID;
            event.sigev_signo = SIGNAL;
            event.sigev_notify_thread_id = thread as pid_t;
            let mut timer: libc::timer_t = zeroed();
            match libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut timer) {
                0 => Ok(Self(timer)),
                _ => Err(io::Error::last_os_error()),
            }
        }
    }
}

impl Drop for Timer {
    #[expect(unsafe_code, reason = "no crate that is here has this call")]
    fn drop(&mut self) {
        // SAFETY: there is such a timer, and nobody else gives it up.
        unsafe { libc::timer_delete(self.0) };
    }
}

impl Source {
    /// The best for a thread that there is, but no better than this. It sends first after `first` nanoseconds, once it has begun.
    pub(super) fn of(thread: u32, best: Way, first: u64) -> io::Result<(Self, Way)> {
        for (way, traps) in [(Way::Trap, true), (Way::Signal, false)] {
            if way >= best
                && let Ok(event) = Event::of(thread, first, traps)
            {
                return Ok((Self::Event(event), way));
            }
        }
        Ok((Self::Timer(Timer::of(thread)?), Way::Timer))
    }

    /// Sends from now on: first after so many nanoseconds.
    #[expect(unsafe_code, reason = "no crate that is here has this call")]
    pub(super) fn begin(&self, first: u64) {
        match self {
            // SAFETY: the descriptor is open.
            Self::Event(event) => unsafe {
                libc::ioctl(event.0.as_raw_fd(), ENABLE, 0);
            },
            Self::Timer(_) => self.handle().send_after(first),
        }
    }

    /// For handlers, as long as it is kept.
    pub(super) fn handle(&self) -> Handle {
        match self {
            Self::Event(event) => Handle::Event(event.0.as_raw_fd()),
            Self::Timer(timer) => Handle::Timer(timer.0),
        }
    }
}

fn span(nanoseconds: u64) -> libc::timespec {
    let part = |part: u64| i64::try_from(part).unwrap_or(i64::MAX);
    libc::timespec { tv_sec: part(nanoseconds / 1_000_000_000), tv_nsec: part(nanoseconds % 1_000_000_000) }
}

/// Nanoseconds on a clock that only goes forward. May be called from a signal's handler.
pub(super) fn monotonic() -> u64 {
    clock(libc::CLOCK_MONOTONIC)
}

/// Nanoseconds that the calling thread has had of a processor. May be called from a signal's handler.
pub(super) fn processor() -> u64 {
    clock(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// The same for any thread: <https://github.com/torvalds/linux/blob/v6.12/include/linux/posix-timers_types.h>. 0 if it is gone.
pub(super) fn processor_of(thread: u32) -> u64 {
    const THREAD: c_int = 4;
    const SCHEDULER: c_int = 2;
    clock(!(thread.cast_signed()) << 3 | THREAD | SCHEDULER)
}

#[expect(
    unsafe_code,
    reason = "what is called here may be called in a handler, which rustix does not say of its own"
)]
fn clock(which: libc::clockid_t) -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: there is room for the time. The call is among those that a handler may make.
    unsafe { libc::clock_gettime(which, &raw mut now) };
    now.tv_sec.cast_unsigned().wrapping_mul(1_000_000_000).wrapping_add(now.tv_nsec.cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn the_release_of_the_system_is_read() {
        for (release, expected) in [
            ("6.18.44-fc-v669\n", Some((6, 18))),
            ("5.4-rc1", Some((5, 4))),
            ("10.0", Some((10, 0))),
            ("6", None),
            ("", None),
            ("x.1", None),
        ] {
            assert_eq!(version(release), expected, "{release}");
        }
    }
}
