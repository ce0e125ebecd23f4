//! What the kernel hears beside the channel: which process has ended, and which stands by as a checkpoint.

use assay_link::keeper::{LENGTH, Note};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use tokio::io::Interest;
use tokio::net::UnixStream;

/// The kernel's end of that socket.
pub(super) struct Notes {
    socket: UnixStream,
    closed: bool,
}

/// A note.
pub(super) enum Heard {
    /// A process has ended.
    Ended { pid: u32, status: ExitStatus },
    /// A process is about to end.
    Crashing { pid: u32, status: ExitStatus },
    /// A process stands by.
    Checkpoint(Checkpoint),
    /// Something that is of no use.
    Nothing,
}

/// A process that stands by. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Checkpoint {
    pub(super) pid: u32,
    /// The kernel's end of its channel.
    pub(super) channel: UnixStream,
}

impl Notes {
    /// Of a socket that does not block.
    pub(super) fn new(socket: std::os::unix::net::UnixStream) -> io::Result<Self> {
        Ok(Self { socket: UnixStream::from_std(socket)?, closed: false })
    }

    /// Returns when there is a note to read. Never, if nobody can write one any more.
    pub(super) async fn readable(&self) {
        if self.closed || self.socket.readable().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// The next one, if it is there.
    pub(super) fn next(&mut self) -> Option<Heard> {
        match self.socket.try_io(Interest::READABLE, || receive(&self.socket)) {
            Ok(heard) => {
                self.closed = heard.is_none();
                heard
            }
            Err(error) => {
                self.closed = !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted);
                None
            }
        }
    }
}

/// The next note; none when there will be no more.
fn receive(socket: &UnixStream) -> io::Result<Option<Heard>> {
    let mut bytes = [0; LENGTH];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let got = recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    if got.bytes == 0 {
        return Ok(None);
    }
    let descriptors = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    let channel = descriptors.flatten().next();
    let note = Note::decode(bytes).filter(|_| got.bytes == LENGTH);
    Ok(Some(match (note, channel) {
        (Some(Note::Ended { pid, status }), _) => Heard::Ended { pid, status: ExitStatus::from_raw(status) },
        (Some(Note::Crashing { pid, signal }), _) => {
            // As `waitpid` has it, a signal is the status of whom it has ended.
            Heard::Crashing { pid, status: ExitStatus::from_raw(signal) }
        }
        (Some(Note::Checkpoint { pid }), Some(channel)) => {
            Heard::Checkpoint(Checkpoint { pid, channel: stream(channel)? })
        }
        _ => Heard::Nothing,
    }))
}

fn stream(descriptor: OwnedFd) -> io::Result<UnixStream> {
    let socket = std::os::unix::net::UnixStream::from(descriptor);
    socket.set_nonblocking(true)?;
    UnixStream::from_std(socket)
}
