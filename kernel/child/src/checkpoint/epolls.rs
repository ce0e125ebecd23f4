//! Epoll instances of its own, for a rehearsal.
//!
//! A copy shares the instances of the process that it is a copy of. What the one asks to be told about would be told to the other, with the data that it gave: for tokio that is an address, of a place that only the one
//! has. And an event that is told once would be told to whoever looks first. So each instance is made anew, with the same interests, under the same numbers. As CRIU does it, from what `/proc/self/fdinfo` says
//! (<https://docs.kernel.org/filesystems/proc.html#proc-pid-fdinfo-fd-information-about-opened-file>). Nothing here allocates: a thread that is not back yet may be in the allocator.

use super::nowhere::each_descriptor;
use rustix::event::epoll;
use rustix::fs::{CWD, Mode, OFlags, fstat, open, readlinkat_raw};
use rustix::io::{Errno, read};
use std::ffi::CStr;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// The most descriptors of epoll instances: a runtime has two or three.
const MOST: usize = 128;

/// What `kcmp` is asked: whether two descriptors are one open file (`linux/kcmp.h`).
const KCMP_FILE: libc::c_int = 0;

/// What a link in `/proc/self/fd` says of an epoll instance.
const EPOLL: &[u8] = b"anon_inode:[eventpoll]";

/// A line is shorter than that: five numbers with their names.
const LINE: usize = 512;

/// Makes all of them anew.
pub(super) fn renew() -> io::Result<()> {
    let mut found: [RawFd; MOST] = [-1; MOST];
    let mut count = 0;
    each_descriptor(|descriptor| {
        if is_epoll(descriptor) {
            if let Some(place) = found.get_mut(count) {
                *place = descriptor;
            }
            count += 1;
        }
    })?;
    let found = found.get(..count).ok_or(Errno::MFILE)?;
    // One instance may have several numbers, which are compared as long as all stand for the old ones.
    let mut first = [0; MOST];
    for (at, descriptor) in found.iter().enumerate() {
        first[at] = at;
        for (before, other) in found[..at].iter().enumerate() {
            if is_same(*descriptor, *other)? {
                first[at] = before;
                break;
            }
        }
    }
    for at in (0..count).filter(|at| first[*at] == *at) {
        let new = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        adopt(found[at], &new)?;
        for same in (at..count).filter(|same| first[*same] == at) {
            replace(found[same], &new)?;
        }
    }
    Ok(())
}

fn is_epoll(descriptor: RawFd) -> bool {
    let mut path = [0; 64];
    // Longer by one, so that what is longer is not taken for it.
    let mut said = [0_u8; EPOLL.len() + 1];
    let Some(path) = path_of(&mut path, "fd", descriptor) else { return false };
    readlinkat_raw(CWD, path, said.as_mut_slice()).is_ok_and(|length| said.get(..length) == Some(EPOLL))
}

/// The path of a file about a descriptor.
fn path_of<'p>(space: &'p mut [u8; 64], folder: &str, descriptor: RawFd) -> Option<&'p CStr> {
    write!(&mut space[..63], "/proc/self/{folder}/{descriptor}").ok()?;
    CStr::from_bytes_until_nul(space).ok()
}

/// Whether two numbers stand for one open file.
#[expect(unsafe_code, reason = "no crate here has this call")]
fn is_same(one: RawFd, other: RawFd) -> io::Result<bool> {
    let own = std::process::id();
    // SAFETY: it compares numbers, and is given no memory.
    match unsafe { libc::syscall(libc::SYS_kcmp, own, own, KCMP_FILE, one, other) } {
        -1 => Err(io::Error::last_os_error()),
        answer => Ok(answer == 0),
    }
}

#[expect(unsafe_code, reason = "descriptors are replaced under their numbers")]
fn replace(descriptor: RawFd, new: &OwnedFd) -> io::Result<()> {
    // SAFETY: both are open; nothing is given to either but the number.
    let done = unsafe {
        match libc::fcntl(descriptor, libc::F_GETFD) {
            -1 => -1,
            flags if flags & libc::FD_CLOEXEC != 0 => {
                libc::dup3(new.as_raw_fd(), descriptor, libc::O_CLOEXEC)
            }
            _ => libc::dup2(new.as_raw_fd(), descriptor),
        }
    };
    if done == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Asks the new instance what the old one was asked.
fn adopt(old: RawFd, new: &OwnedFd) -> io::Result<()> {
    let mut path = [0; 64];
    let path = path_of(&mut path, "fdinfo", old).ok_or(Errno::NAMETOOLONG)?;
    let file = open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut space = [0; 8 * LINE];
    let mut kept = 0;
    loop {
        let got = match read(&file, &mut space[kept..]) {
            Ok(got) => got,
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        };
        let held = kept + got;
        // A line that has not come to its end is kept for the next turn.
        let whole = space[..held].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let lines = if got == 0 { &space[..held] } else { &space[..whole] };
        for line in lines.split(|byte| *byte == b'\n') {
            if let Some(interest) = std::str::from_utf8(line).ok().and_then(Interest::read) {
                interest.add(new)?;
            }
        }
        if got == 0 {
            return Ok(());
        }
        space.copy_within(whole..held, 0);
        kept = held - whole;
        if kept == space.len() {
            return Err(Errno::OVERFLOW.into());
        }
    }
}

/// What an epoll instance was asked about one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Interest {
    descriptor: RawFd,
    events: u32,
    data: u64,
    /// Of the file that was meant: the number may stand for another one by now.
    inode: u64,
}

impl Interest {
    /// `tfd:        7 events: 8000201d data:         7fb3c0a1  pos:0 ino:1a2b sdev:8`
    fn read(line: &str) -> Option<Self> {
        let mut words = line.strip_prefix("tfd:")?.split_ascii_whitespace();
        let descriptor = words.next()?.parse().ok()?;
        let hexadecimal = |word: &str| u64::from_str_radix(word, 16).ok();
        let (mut events, mut data, mut inode) = (None, None, None);
        while let Some(word) = words.next() {
            match word {
                "events:" => events = words.next().and_then(hexadecimal),
                "data:" => data = words.next().and_then(hexadecimal),
                other => {
                    if let Some(number) = other.strip_prefix("ino:") {
                        inode = hexadecimal(number);
                    }
                }
            }
        }
        Some(Self { descriptor, events: u32::try_from(events?).ok()?, data: data?, inode: inode? })
    }

    #[expect(unsafe_code, reason = "a descriptor comes as a number, and events as they were")]
    fn add(self, to: &OwnedFd) -> io::Result<()> {
        // SAFETY: it is only asked about, at once; one that is not open is refused.
        let file = unsafe { BorrowedFd::borrow_raw(self.descriptor) };
        // It was closed under this number, and lives on under another one: nobody could tell which.
        if !fstat(file).is_ok_and(|file| file.st_ino == self.inode) {
            return Ok(());
        }
        let mut event = libc::epoll_event { events: self.events, u64: self.data };
        // SAFETY: the event lives through the call.
        match unsafe { libc::epoll_ctl(to.as_raw_fd(), libc::EPOLL_CTL_ADD, self.descriptor, &raw mut event) }
        {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Interest;

    #[test]
    fn interests_are_read_as_the_system_writes_them() {
        let line = "tfd:        7 events: 8000201d data:     7fb3c0a10010  pos:0 ino:1a2b sdev:8";
        let interest = Interest { descriptor: 7, events: 0x8000_201d, data: 0x7fb3_c0a1_0010, inode: 0x1a2b };
        assert_eq!(Interest::read(line), Some(interest));
        for other in
            ["pos:\t0", "flags:\t02", "mnt_id:\t15", "", "tfd: x events: 1 data: 1 ino:1", "tfd: 1 events: 1"]
        {
            assert_eq!(Interest::read(other), None, "{other}");
        }
    }
}
