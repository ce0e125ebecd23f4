//! Nothing to read, and nobody who sees what is printed: what a rehearsal has in the place of the user's input and output.

use rustix::fs::{FileType, Mode, OFlags, RawDir, fstat, open};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::OnceLock;

/// The most descriptors that are looked at: more than the usual limit of a process.
const MOST: usize = 1024;

/// What tells a pipe from others: its device and its number.
type Pipe = (u64, u64);

/// The pipes that the kernel reads, from before any cell: one that prints elsewhere for a while keeps them under other numbers.
static USERS: OnceLock<[Option<Pipe>; 2]> = OnceLock::new();

/// Remembers where the user sees what is printed.
pub(super) fn remember() {
    USERS.get_or_init(|| [1, 2].map(pipe));
}

/// Puts an empty device in the place of standard input, output and error, and of every descriptor through which the user would see something. Nothing is allocated.
pub(super) fn turn_to() -> io::Result<()> {
    let nowhere = open(c"/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    let mut found = [0; MOST];
    let mut count = 0;
    // Where they are not listed, the three are all that is known.
    let _ = each_descriptor(|descriptor| {
        let users = USERS
            .get()
            .is_some_and(|users| users.iter().flatten().any(|user| pipe(descriptor) == Some(*user)));
        if let (true, Some(place)) = (users, found.get_mut(count)) {
            *place = descriptor;
            count += 1;
        }
    });
    for descriptor in found[..count].iter().copied().chain(0..3) {
        replace(descriptor, &nowhere)?;
    }
    Ok(())
}

/// The pipe that the descriptor stands for, if it is one.
#[expect(unsafe_code, reason = "a descriptor comes as a number")]
fn pipe(descriptor: RawFd) -> Option<Pipe> {
    // SAFETY: it is only asked about, at once; one that is not open is refused.
    let known = fstat(unsafe { BorrowedFd::borrow_raw(descriptor) }).ok()?;
    (FileType::from_raw_mode(known.st_mode) == FileType::Fifo).then_some((known.st_dev, known.st_ino))
}

#[expect(unsafe_code, reason = "descriptors are replaced under their numbers")]
fn replace(descriptor: RawFd, nowhere: &OwnedFd) -> io::Result<()> {
    // The three are for programs that cells start, too.
    let flags = if descriptor < 3 { 0 } else { libc::O_CLOEXEC };
    // SAFETY: whoever uses the descriptor finds one there; what it stood for stays open for the process that this is a copy of.
    match unsafe { libc::dup3(nowhere.as_raw_fd(), descriptor, flags) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Visits the number of each open descriptor, one of its own among them.
pub(super) fn each_descriptor(mut visit: impl FnMut(RawFd)) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = open(c"/proc/self/fd", flags, Mode::empty())?;
    let mut space = [MaybeUninit::uninit(); 4096];
    let mut entries = RawDir::new(&folder, &mut space);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        if let Some(number) =
            std::str::from_utf8(entry.file_name().to_bytes()).ok().and_then(|name| name.parse().ok())
        {
            visit(number);
        }
    }
    Ok(())
}
