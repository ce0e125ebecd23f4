//! The process itself: how it is started, read, ended, and what it died of.

use super::Setup;
use super::notes::Notes;
use crate::engine::Trouble;
use rustix::io::{Errno, FdFlags, fcntl_setfd, ioctl_fionread, read};
use rustix::process::Signal;
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use tokio::net::UnixStream;
use tokio::net::unix::pipe::{self, Receiver, Sender};
use tokio::process::{Child, Command};

/// A process and its ends.
pub(super) struct Process {
    /// The one that keeps those that run cells: their parent, which ends when the last of them has.
    pub(super) keeper: Child,
    /// The one that runs cells; the keeper, until it has said hello.
    pub(super) pid: u32,
    pub(super) channel: UnixStream,
    pub(super) notes: Notes,
    pub(super) stdout: Pipe,
    pub(super) stderr: Pipe,
}

/// The reading end of an output of the process.
pub(super) struct Pipe {
    receiver: Receiver,
    closed: bool,
}

/// What is read at once, in bytes: what a pipe holds.
const CHUNK: usize = 64 << 10;

/// The variable that says where the loader finds the standard library of cells.
const LIBRARIES: &str = "LD_LIBRARY_PATH";

/// Starts the process. It has not said anything yet.
pub(super) fn spawn(setup: &Setup) -> Result<Process, Trouble> {
    let program = setup.program.display();
    if !setup.program.is_file() {
        let what = format!("the process that runs cells is not installed: there is no {program}");
        return Err(Trouble {
            what,
            remedy: Some("`cargo build --release -p assay-child` builds it".into()),
        });
    }
    if !setup.folder.is_dir() {
        let what = format!("there is no folder {} for cells to run in", setup.folder.display());
        return Err(Trouble { what, remedy: Some("`%cd` to one that exists".to_owned()) });
    }
    start(setup).map_err(|error| Trouble {
        what: format!("{program} does not start: {error}"),
        remedy: Some("`assay doctor` looks at the installation".to_owned()),
    })
}

fn start(setup: &Setup) -> io::Result<Process> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let (our_notes, their_notes) = std::os::unix::net::UnixStream::pair()?;
    our_notes.set_nonblocking(true)?;
    let (stdout_writer, stdout) = Pipe::new()?;
    let (stderr_writer, stderr) = Pipe::new()?;
    let mut command = Command::new(&setup.program);
    command
        .arg(theirs.as_raw_fd().to_string())
        .arg(their_notes.as_raw_fd().to_string())
        .arg(&setup.runtime)
        .env_clear()
        .envs(&setup.environment)
        .env(LIBRARIES, library_path(setup))
        .current_dir(&setup.folder)
        .stdin(Stdio::null())
        .stdout(stdout_writer.into_blocking_fd()?)
        .stderr(stderr_writer.into_blocking_fd()?)
        .process_group(0);
    bequeath(&mut command, theirs.into());
    bequeath(&mut command, their_notes.into());
    let keeper = command.spawn()?;
    let pid = keeper.id().unwrap_or_default();
    let (channel, notes) = (UnixStream::from_std(ours)?, Notes::new(our_notes)?);
    Ok(Process { keeper, pid, channel, notes, stdout, stderr })
}

/// Lets the process inherit a descriptor under its number, which closes with `command`. No other process does that is started meanwhile.
#[expect(unsafe_code, reason = "there is no safe way to pass a descriptor that is none of the three")]
fn bequeath(command: &mut Command, descriptor: OwnedFd) {
    // SAFETY: between fork and exec the closure makes one system call, which neither allocates nor locks.
    unsafe { command.pre_exec(move || Ok(fcntl_setfd(&descriptor, FdFlags::empty())?)) };
}

/// The process takes the first folder away again, so that programs which cells start find what they would without us.
fn library_path(setup: &Setup) -> OsString {
    let mut path = setup.libraries.clone().into_os_string();
    if let Some(users) = setup.environment.get(LIBRARIES) {
        path.push(":");
        path.push(users);
    }
    path
}

impl Pipe {
    fn new() -> io::Result<(Sender, Self)> {
        let (writer, receiver) = pipe::pipe()?;
        Ok((writer, Self { receiver, closed: false }))
    }

    /// Returns when there is something to read. Never, if nobody can write any more.
    pub(super) async fn readable(&self) {
        if self.closed || self.receiver.readable().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// What there is, or a part of it.
    pub(super) fn read(&mut self) -> Vec<u8> {
        let mut bytes = vec![0; CHUNK];
        let got = self.receiver.try_read(&mut bytes);
        self.closed = match &got {
            Ok(count) => *count == 0,
            Err(error) => !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted),
        };
        bytes.truncate(got.unwrap_or(0));
        bytes
    }

    /// All that there is at this moment, and nothing that comes later: whoever goes on writing holds nobody up.
    pub(super) fn drain(&self) -> Vec<u8> {
        let there = ioctl_fionread(&self.receiver).ok().and_then(|count| usize::try_from(count).ok());
        let mut bytes = vec![0; there.unwrap_or(0)];
        let mut filled = 0;
        while filled < bytes.len() {
            // Not through tokio, which may not know yet that there is something.
            match read(&self.receiver, &mut bytes[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(Errno::INTR) => {}
                Err(_) => break,
            }
        }
        bytes.truncate(filled);
        bytes
    }
}

/// How many processes the system has ended because memory ran out; none where it does not count them. <https://docs.kernel.org/filesystems/proc.html>, `vmstat`.
pub(super) fn starved() -> Option<u64> {
    let counts = std::fs::read_to_string("/proc/vmstat").ok()?;
    counts.lines().find_map(|line| line.strip_prefix("oom_kill "))?.parse().ok()
}

/// What a process died of, in words.
pub(super) fn cause(status: io::Result<ExitStatus>) -> String {
    let status = match status {
        Ok(status) => status,
        Err(error) => return format!("unknown: {error}"),
    };
    let Some(signal) = status.signal() else {
        return format!("exit status {}", status.code().unwrap_or_default());
    };
    let name = match Signal::from_named_raw(signal) {
        Some(Signal::SEGV) => "segmentation fault",
        Some(Signal::ABORT) => "abort",
        Some(Signal::KILL) => "killed",
        Some(Signal::ILL) => "illegal instruction",
        Some(Signal::BUS) => "bus error",
        Some(Signal::FPE) => "arithmetic fault",
        Some(Signal::TERM) => "terminated",
        _ => return format!("signal {signal}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::cause;
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    #[test]
    fn the_cause_of_a_death_is_in_words() {
        let check = |raw, expected: &str| assert_eq!(cause(Ok(ExitStatus::from_raw(raw))), expected);
        check(7 << 8, "exit status 7");
        check(0, "exit status 0");
        check(11, "segmentation fault");
        check(6, "abort");
        check(9, "killed");
        check(64, "signal 64");
    }
}
