//! A run of which nothing is left: in a copy of the process that runs cells, which comes to life beside it.
//!
//! The copy has the variables and the threads that the process had when it was made. What it does to them is done to its own; nothing that it prints or shows is seen, and what it asks is answered with the end
//! of the input. What it shares with the process cannot be taken back: files and where they are read next, sockets. Its epoll instances are its own.

use super::channel;
use super::driver::Order;
use super::generation::WAKE;
use super::notes::Checkpoint;
use super::{Errand, Standing};
use assay_link::native::{Command, Ending, Event};
use assay_link::watch::{Clock, Lens, Watched};
use std::time::Duration;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::mpsc::{UnboundedReceiver, WeakUnboundedSender};

/// It runs one cell.
const RUN: u64 = 1;

/// A copy that has done less than [`WORK`] within this time does nothing: the threads that look whether there is anything to do take much less.
const IDLE: Duration = Duration::from_secs(10);

/// Time of the processor.
const WORK: Duration = Duration::from_millis(100);

/// A copy of the process that stands still. It is ended, with all that it has started, when this is dropped, before its run or in the middle of it.
#[derive(Debug)]
pub(crate) struct Rehearsal {
    standing: Standing,
    /// The kernel's end of its channel, until it runs.
    channel: Option<UnixStream>,
    /// To the driver, which ends it: it alone knows whether the id is still that of the copy. Where nobody gives it orders any more, it ends everything.
    orders: WeakUnboundedSender<Order>,
}

/// What came of such a run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rehearsed {
    /// How it ended; in words why it did not come to an end.
    pub(crate) ended: Result<Ending, String>,
    /// What was watched, each with the magic that asked for it, in order.
    pub(crate) watched: Vec<(u64, Watched)>,
}

impl Rehearsal {
    /// Of a copy that this is the only owner of. `bytes` of it were copied, and `without` are the names of threads that it does not have.
    pub(super) fn new(
        checkpoint: Checkpoint,
        bytes: u64,
        without: Vec<String>,
        orders: WeakUnboundedSender<Order>,
    ) -> Self {
        let Checkpoint { pid, channel } = checkpoint;
        Self { standing: Standing { pid, bytes, without }, channel: Some(channel), orders }
    }

    /// What stands there.
    pub(crate) fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Opens libraries and runs the entry of the last one. Nothing is left of it when this returns, but what was watched. Dropping the future ends it.
    ///
    /// It may wait for so long as `patience` says. After that it is ended when it does nothing any more: what it waits for may have come to the process that it is a copy of, as what a
    /// socket receives does, and never comes again. A copy whose waiting threads are woken to be sampled is never seen to do nothing, and is ended then in any case.
    pub(crate) async fn run(mut self, what: Errand, patience: Duration) -> Rehearsed {
        let mut watched = Vec::new();
        let pid = self.standing.pid;
        let woken = matches!(what.lens, Lens::Samples { clock: Clock::Wall, .. });
        let ended = match self.channel.take() {
            Some(channel) => tokio::select! {
                ended = perform(channel, what, &mut watched) => ended,
                () = idle(pid, patience, woken) => Err("the copy of the process waited for what did not come to it, and was ended".to_owned()),
            },
            // It is taken here alone.
            None => Err("it has run before".to_owned()),
        };
        Rehearsed { ended, watched }
    }
}

impl Drop for Rehearsal {
    fn drop(&mut self) {
        if let Some(orders) = self.orders.upgrade() {
            // Where nobody takes the order, everything has ended.
            let _ = orders.send(Order::Dismiss { pid: self.standing.pid });
        }
    }
}

/// Returns when a process does nothing any more, after it has had time to; where its threads are `woken` for nothing, when it has had that time. Never where the system does not say.
async fn idle(pid: u32, patience: Duration, woken: bool) {
    tokio::time::sleep(patience).await;
    if woken {
        return tokio::time::sleep(IDLE).await;
    }
    let mut before = processor_time(pid);
    loop {
        tokio::time::sleep(IDLE).await;
        let now = processor_time(pid);
        match (before, now) {
            (Some(before), Some(now)) if now.saturating_sub(before) < WORK => return,
            (_, None) => std::future::pending().await,
            _ => before = now,
        }
    }
}

/// What a process has used of the processors, all of its threads together.
fn processor_time(pid: u32) -> Option<Duration> {
    let pid = Pid::from_u32(pid);
    let mut system = System::new().ok()?;
    let what = ProcessRefreshKind::nothing().with_cpu();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, what);
    system.process(pid).map(|process| Duration::from_millis(process.accumulated_cpu_time()))
}

async fn perform(
    channel: UnixStream,
    what: Errand,
    watched: &mut Vec<(u64, Watched)>,
) -> Result<Ending, String> {
    let (reader, mut writer) = channel.into_split();
    let mut events = channel::listen(reader);
    channel::send(&mut writer, &Command::Rehearse).await;
    let hello = tokio::time::timeout(WAKE, events.recv()).await;
    if !matches!(hello, Ok(Some(Event::Hello { .. }))) {
        return Err("the copy of the process did not come to life".to_owned());
    }
    let Errand { libraries, entry, floor, lens } = what;
    channel::send(&mut writer, &Command::Run { id: RUN, libraries, entry, floor, lens }).await;
    attend(&mut events, &mut writer, watched).await.ok_or_else(|| "the copy of the process ended".to_owned())
}

/// Answers it until its run has ended. None if it has died.
async fn attend(
    events: &mut UnboundedReceiver<Event>,
    writer: &mut OwnedWriteHalf,
    watched: &mut Vec<(u64, Watched)>,
) -> Option<Ending> {
    loop {
        match events.recv().await? {
            Event::Done { id: RUN, ending, .. } => return Some(ending),
            Event::Watched { id, what } => watched.push((id, *what)),
            Event::Ask { .. } => channel::send(writer, &Command::Input(None)).await,
            Event::Showing
            | Event::Display { .. }
            | Event::Update { .. }
            | Event::Clear { .. }
            | Event::Measured { .. } => channel::send(writer, &Command::Proceed).await,
            // Nobody sees it.
            Event::Value { .. } | Event::Shown | Event::Crashed { .. } => {}
            // Nobody has asked.
            Event::Done { .. }
            | Event::Hello { .. }
            | Event::Checkpointed { .. }
            | Event::Stopping { .. }
            | Event::Obeyed
            | Event::Refused { .. } => {}
        }
    }
}
