//! Processes that a cell starts itself (`!command`, `%%bash`): streamed, interruptible, and never left behind.

use super::event::{Event, StreamName};
use super::interrupt::Stopped;
use super::stage::Stage;
use crate::sweeper::{self, Watched};
use assay_link::text::Decoder;
use assay_magics::plan::ProcessStep;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use tokio::io::AsyncWriteExt;
use tokio::net::unix::pipe;

/// What one read takes at most, in bytes: a pipe's capacity on Linux.
const CHUNK: usize = 65_536;

/// The processes that cells started.
#[derive(Default)]
pub(crate) struct Processes {
    /// Process groups that outlived the command that led them (`sleep 60 &`); they end with the kernel.
    left: Mutex<Vec<(Pid, Watched)>>,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Exit(ExitStatus),
    Interrupted,
}

impl Processes {
    /// Runs a process to its end and streams what it writes. All of it is told before this returns.
    pub(crate) async fn run(
        &self,
        step: &ProcessStep,
        folder: &Path,
        environment: &BTreeMap<String, String>,
        stage: &Stage,
        stopped: &Stopped,
    ) -> io::Result<Ending> {
        let (program, arguments) = step.command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let (mut stdout, out_end) = pipe_pair()?;
        let (mut stderr, err_end) = pipe_pair()?;
        let mut command = tokio::process::Command::new(program);
        command.args(arguments).current_dir(folder).env_clear().envs(environment).process_group(0);
        command.stdin(Stdio::piped()).stdout(out_end).stderr(err_end).kill_on_drop(true);
        let mut child = command.spawn()?;
        // The command holds the writing ends of both pipes: without them gone, the end of a stream would never come.
        drop(command);
        let watched = child.id().map(sweeper::watch);
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let stdin = child.stdin.take();
        let input = step.input.clone();
        // A task of its own: a process that never reads must not keep its output from being shown.
        let feeding = tokio::spawn(async move {
            if let Some(mut stdin) = stdin {
                // It may end without reading all of it; that is its own affair.
                stdin.write_all(input.as_bytes()).await.ok();
            }
        });
        let (mut out_text, mut err_text) = (Decoder::default(), Decoder::default());
        let ending = loop {
            tokio::select! {
                biased;
                () = stopped.wait() => {
                    if let Some(group) = group { kill_process_group(group, Signal::KILL).ok(); }
                    child.wait().await?;
                    break Ending::Interrupted;
                }
                read = read(&mut stdout, &mut out_text, StreamName::Stdout, stage), if !out_text.ended() => read?,
                read = read(&mut stderr, &mut err_text, StreamName::Stderr, stage), if !err_text.ended() => read?,
                status = child.wait() => break Ending::Exit(status?),
            }
        };
        feeding.abort();
        // What it wrote before it ended is in the pipes now; what its background processes write later is not waited for.
        drain(&stdout, &mut out_text, StreamName::Stdout, stage)?;
        drain(&stderr, &mut err_text, StreamName::Stderr, stage)?;
        self.remember(group.zip(watched));
        Ok(ending)
    }

    /// Ends every process that was left in the background.
    pub(crate) fn stop(&self) {
        for (group, _) in self.left.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // It may have ended by itself.
            kill_process_group(group, Signal::KILL).ok();
        }
    }

    fn remember(&self, group: Option<(Pid, Watched)>) {
        if let Some(group) = group.filter(|(group, _)| test_kill_process_group(*group).is_ok()) {
            self.left.lock().unwrap_or_else(PoisonError::into_inner).push(group);
        }
    }
}

fn pipe_pair() -> io::Result<(pipe::Receiver, Stdio)> {
    let (reader, writer) = io::pipe()?;
    let receiver = pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?;
    Ok((receiver, Stdio::from(OwnedFd::from(writer))))
}

async fn read(
    from: &mut pipe::Receiver,
    decoder: &mut Decoder,
    name: StreamName,
    stage: &Stage,
) -> io::Result<()> {
    from.readable().await?;
    read_once(from, decoder, name, stage).map(drop)
}

/// Tells everything that is in the pipe now, and not what comes meanwhile: a background process may never stop writing.
fn drain(from: &pipe::Receiver, decoder: &mut Decoder, name: StreamName, stage: &Stage) -> io::Result<()> {
    let mut left = rustix::io::ioctl_fionread(from)?;
    while !decoder.ended() {
        let count = read_once(from, decoder, name, stage)?;
        // One read more than there are bytes: it meets the end of the stream, if that has come.
        if count == 0 || left == 0 {
            break;
        }
        left = left.saturating_sub(count as u64);
    }
    Ok(())
}

/// Tells what one read takes, and how many bytes those were: none at the end, and where nothing has come.
fn read_once(
    from: &pipe::Receiver,
    decoder: &mut Decoder,
    name: StreamName,
    stage: &Stage,
) -> io::Result<usize> {
    let mut buffer = [0; CHUNK];
    let (text, count) = match from.try_read(&mut buffer) {
        Ok(0) => (decoder.end(), 0),
        Ok(count) => (decoder.decode(&buffer[..count]), count),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
        Err(error) => return Err(error),
    };
    if !text.is_empty() {
        stage.tell(Event::Stream { name, text });
    }
    Ok(count)
}
