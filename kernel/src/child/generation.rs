//! The process that runs cells, as the kernel speaks with it. There is one at a time: where it dies, or is left, a checkpoint takes its place.

use super::channel;
use super::notes::Checkpoint;
use crate::subprocess;
use assay_link::native::{Command, Event};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::mpsc::UnboundedReceiver;

/// How long a copy may take to say that it has come to life.
pub(super) const WAKE: Duration = Duration::from_secs(10);

/// The process, and the kernel's end of its channel.
pub(super) struct Generation {
    /// Its id, for those who only look.
    pid: Arc<AtomicU32>,
    writer: OwnedWriteHalf,
    events: UnboundedReceiver<Event>,
    /// Whether the process has closed its end.
    deaf: bool,
}

impl Generation {
    /// A process that has said hello.
    pub(super) fn new(pid: Arc<AtomicU32>, channel: UnixStream) -> Self {
        let (reader, writer) = channel.into_split();
        Self { pid, writer, events: channel::listen(reader), deaf: false }
    }

    pub(super) fn pid(&self) -> u32 {
        // Only the task that owns this changes it.
        self.pid.load(Ordering::Relaxed)
    }

    /// What it says next; none once, when it will say no more: it is dying, or says what nobody understands.
    pub(super) async fn next(&mut self) -> Option<Event> {
        if self.deaf {
            std::future::pending::<()>().await;
        }
        let event = self.events.recv().await;
        self.deaf = event.is_none();
        event
    }

    /// What is left of what it said before it died.
    pub(super) async fn last(&mut self, until: tokio::time::Instant) -> Option<Event> {
        tokio::time::timeout_at(until, self.events.recv()).await.ok().flatten()
    }

    pub(super) async fn tell(&mut self, command: &Command) {
        channel::send(&mut self.writer, command).await;
    }

    /// Ends it, and all that it started which has not left its group.
    pub(super) fn kill(&self) {
        subprocess::kill(self.pid());
    }

    /// Lets the checkpoint take its place. False if it does not.
    pub(super) async fn replace(&mut self, checkpoint: Checkpoint) -> bool {
        let (reader, writer) = checkpoint.channel.into_split();
        (self.events, self.writer, self.deaf) = (channel::listen(reader), writer, false);
        self.tell(&Command::Wake).await;
        let hello = tokio::time::timeout(WAKE, self.events.recv()).await;
        if !matches!(hello, Ok(Some(Event::Hello { .. }))) {
            tracing::warn!(?hello, "a checkpoint did not take over");
            subprocess::kill(checkpoint.pid);
            return false;
        }
        self.pid.store(checkpoint.pid, Ordering::Relaxed);
        true
    }
}
