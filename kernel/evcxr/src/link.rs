//! This end of the link: the socket that came as standard input, a writer that all threads share, and nothing else.

use assay_link::evcxr::{Command, Event};
use assay_link::frame::{self, FrameError};
use rustix::stdio::dup2_stdin;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};

/// The writing half. A message is written as a whole, whoever else writes.
#[derive(Clone)]
pub(crate) struct Link(Arc<Mutex<UnixStream>>);

/// The reading half.
pub(crate) struct Commands(UnixStream);

/// Takes the socket from standard input, so that no process started from here inherits it.
pub(crate) fn open() -> io::Result<(Link, Commands)> {
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    dup2_stdin(File::open("/dev/null")?)?;
    Ok((Link(Arc::new(Mutex::new(socket.try_clone()?))), Commands(socket)))
}

impl Link {
    /// Tells the kernel. If the kernel is gone, so is what could be done about it: the reading half finds out and ends the process.
    pub(crate) fn tell(&self, event: &Event) {
        let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = frame::write(&mut *stream, event) {
            crate::report(&format!("the kernel cannot be told: {error}"));
        }
    }
}

impl Commands {
    /// The next command; none when the kernel has gone.
    pub(crate) fn next(&mut self) -> Result<Option<Command>, FrameError> {
        frame::read(&mut self.0)
    }
}
