//! Checkpoints: a copy of this process that stands still, made before a cell, and takes over if the cell ends otherwise than it should. Its variables are then
//! what they were before the cell, and its threads where they were.
//!
//! Or it comes to life beside the process that it is a copy of, for a *rehearsal*: a run that finds something out, and of which nothing is left. Nothing that it prints is seen, and nothing
//! is there for it to read (`nowhere.rs`); it is killed after its run, with all that it started.
//!
//! The copy is made by a fork, which costs what the page tables cost: 0.1 ms to 20 ms for a gigabyte. What a process shares with its copy is not taken back: files
//! and where they are read next, pipes, sockets, what an epoll instance knows (a rehearsal has instances of its own, `epolls.rs`); and its child processes are not the copy's. So a rehearsal that reads an open file
//! moves the place where the other process reads on, what it writes to a file or says on a socket has been written and said, and bytes that it takes from a pipe are gone.

mod call;
mod epolls;
mod memory;
mod nowhere;
mod pages;
mod raw;
mod threads;

use crate::cells::Taken;
use crate::kernel::Kernel;
use crate::{keeper, stdio};
use assay_link::keeper::Note;
use call::Call;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use rustix::process::Pid;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use threads::{Fork, Hold};

/// State above which its pages stay shared with the checkpoint, in bytes: to take them apart takes as long as a cell is compiled.
const TAKEN_APART: u64 = 100 << 20;

/// What is to be done when this process begins.
pub(crate) fn prepare() {
    memory::be_expendable();
    nowhere::remember();
}

/// Makes a checkpoint, on the thread that runs cells, while none does.
pub(crate) fn take(kernel: &Kernel, notes: &UnixStream) -> Taken {
    let Some(bytes) = memory::resident() else { return Taken::Refused("this system has none".to_owned()) };
    match memory::refusal(bytes) {
        Some(why) => Taken::Refused(why),
        None => fork(kernel, notes, bytes).unwrap_or_else(|error| Taken::Refused(why_not(&error))),
    }
}

fn why_not(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::QuotaExceeded => format!("there are more than {} threads", threads::MOST),
        io::ErrorKind::Unsupported => "threads are not kept as expected by this C library".to_owned(),
        _ => format!("no copy can be made: {error}"),
    }
}

fn fork(kernel: &Kernel, notes: &UnixStream, bytes: u64) -> io::Result<Taken> {
    let (ours, theirs) = UnixStream::pair()?;
    stdio::flush();
    // Nobody is in the middle of a message to the kernel. What a cell printed is written out at its end: no buffer is there twice.
    let quiet = kernel.hush();
    let hold = threads::hold()?;
    match hold.fork() {
        Err(error) => {
            hold.release();
            Err(error)
        }
        Ok(Fork::Copy) => {
            drop(theirs);
            let call = stand_by(kernel, &ours, hold);
            drop(quiet);
            memory::be_expendable();
            if call == Call::Rehearse && bytes <= TAKEN_APART {
                // As below; the process that this is a copy of is alive, and has its pages still.
                let _ = pages::take_apart();
            }
            kernel.answer_all();
            Ok(Taken::Woken)
        }
        Ok(Fork::Original(pid)) => {
            let lost = hold.release();
            keeper::lead(Pid::from_raw(pid.cast_signed()));
            drop((quiet, ours));
            announce(notes, pid, &theirs)?;
            if bytes <= TAKEN_APART {
                // Where it does not work, the cell is slower, and no less right.
                let _ = pages::take_apart();
            }
            Ok(Taken::Made { bytes, without: lost.into_iter().filter_map(name).collect() })
        }
    }
}

/// The name of a thread, unless it is gone.
fn name(id: u32) -> Option<String> {
    let name = std::fs::read_to_string(format!("/proc/self/task/{id}/comm")).ok()?;
    Some(name.trim_end().to_owned())
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

/// Stands still until the kernel wakes this process; ends it if the kernel has no use for it. Nothing here allocates before the threads are back.
fn stand_by(kernel: &Kernel, channel: &UnixStream, hold: Hold) -> Call {
    keeper::lead(None);
    memory::be_kept();
    // At once: the kernel sees that the other process has ended when nobody keeps its channel.
    if kernel.move_to(channel).is_err() {
        leave()
    }
    let Some(call) = call::next(channel) else { leave() };
    // Before any thread goes on, for each of them may print at once.
    if call == Call::Rehearse && (nowhere::turn_to().is_err() || epolls::renew().is_err()) {
        leave()
    }
    if hold.bring_back() > 0 {
        // Whoever waits for such a thread would wait for ever. The kernel sees that the channel is closed.
        leave()
    }
    call
}

/// Ends this process, and nothing that it shares with the one that it is a copy of.
#[expect(unsafe_code, reason = "there is no safe way to end a process without what it would do at its end")]
fn leave() -> ! {
    // SAFETY: it runs nothing of this process's.
    unsafe { libc::_exit(0) }
}
