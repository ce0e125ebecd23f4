//! Checkpoints: a copy of this process that stands still, made before a cell, and takes over if the cell ends otherwise than it should. Its variables are then
//! what they were before the cell.
//!
//! The copy is made by a fork, which costs what the page tables cost: 0.1 ms to 20 ms for a gigabyte. It has the one thread that runs cells and owns
//! their variables. So a process with threads of the user's cannot be copied: what they hold would be held for ever.

use crate::kernel::Kernel;
use crate::{keeper, listen_in};
use assay_link::keeper::Note;
use assay_link::native::{Command, Event};
use assay_link::version;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::{exit, id};
use std::sync::mpsc::Receiver;
use std::{fs, io};

/// What became of the wish for one.
pub(crate) enum Taken {
    /// There is one, and the kernel has been told of it.
    Made,
    /// There is none.
    Refused(String),
    /// This is the copy, and it has been woken: its commands come from here.
    Woken(Receiver<Command>),
}

/// State above which there is no checkpoint, in bytes: the copy of the page tables alone takes a tenth of a second.
const LARGEST: u64 = 4 << 30;

/// State above which its pages stay shared with the checkpoint, in bytes: to take them apart takes as long as a cell is compiled.
#[cfg(target_os = "linux")]
const TAKEN_APART: u64 = 100 << 20;

/// The threads of this process without any of the user's: the one that listens, and the one that runs cells.
const OURS: usize = 2;

/// Makes a checkpoint, on the thread that runs cells, while none does.
pub(crate) fn take(kernel: &'static Kernel, notes: &UnixStream) -> Taken {
    match refusal() {
        Some(why) => Taken::Refused(why),
        None => fork(kernel, notes)
            .unwrap_or_else(|error| Taken::Refused(format!("no copy can be made: {error}"))),
    }
}

/// Why there can be no checkpoint, if there cannot.
fn refusal() -> Option<String> {
    let threads = fs::read_dir("/proc/self/task").map(Iterator::count);
    let Ok(threads) = threads else { return Some("this system has none".to_owned()) };
    if threads > OURS {
        return Some("threads that earlier cells started still run".to_owned());
    }
    let size = resident()?;
    if size > LARGEST {
        return Some(format!("{} GB are in use", size >> 30));
    }
    let free = available()?;
    (free < 2 * size).then(|| "memory is short".to_owned())
}

/// The resident set of this process in bytes; none if that is not known. <https://man7.org/linux/man-pages/man5/proc_pid_statm.5.html>
fn resident() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

/// What could be used without swapping, in bytes; none if that is not known. <https://man7.org/linux/man-pages/man5/proc_meminfo.5.html>
fn available() -> Option<u64> {
    let info = fs::read_to_string("/proc/meminfo").ok()?;
    let line = info.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
}

#[expect(unsafe_code, reason = "a fork is unsafe where there are threads")]
fn fork(kernel: &'static Kernel, notes: &UnixStream) -> io::Result<Taken> {
    let (ours, theirs) = UnixStream::pair()?;
    // What a cell printed is written out at its end: no buffer is there twice.
    // SAFETY: there is one other thread (`refusal`), and it waits in a read of the channel, holding no lock: the kernel has sent a command
    // that it waits for the answer to, and sends no other before. The C library keeps its own locks across a fork.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            drop(theirs);
            keeper::lead();
            Ok(stand_by(kernel, &ours))
        }
        pid => {
            drop(ours);
            let pid = pid.unsigned_abs();
            announce(notes, pid, &theirs)?;
            #[cfg(target_os = "linux")]
            if resident().is_some_and(|size| size <= TAKEN_APART) {
                // Where it does not work, the cell is slower, and no less right.
                let _ = crate::pages::take_apart();
            }
            Ok(Taken::Made)
        }
    }
}

fn announce(notes: &UnixStream, pid: u32, channel: &UnixStream) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = [channel.as_fd()];
    control.push(SendAncillaryMessage::ScmRights(&descriptors));
    let note = Note::Checkpoint { pid }.encode();
    sendmsg(notes, &[IoSlice::new(&note)], &mut control, SendFlags::empty())?;
    Ok(())
}

/// Stands still until the kernel wakes this process; ends it if the kernel has no use for it.
fn stand_by(kernel: &'static Kernel, channel: &UnixStream) -> Taken {
    let Ok(mut commands) = kernel.move_to(channel) else { leave() };
    loop {
        match commands.next() {
            Ok(Some(Command::Wake)) => break,
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => leave(),
        }
    }
    match listen_in(kernel, commands) {
        Ok(work) => {
            kernel.tell(&Event::Hello { version: version::VERSION, pid: id() });
            Taken::Woken(work)
        }
        Err(error) => {
            kernel.tell(&Event::Refused { why: format!("no thread can be made: {error}") });
            exit(1)
        }
    }
}

/// Ends this process, and nothing that it shares with the one that it is a copy of.
#[expect(unsafe_code, reason = "there is no safe way to end a process without what it would do at its end")]
fn leave() -> ! {
    // SAFETY: it runs nothing of this process's.
    unsafe { libc::_exit(0) }
}
