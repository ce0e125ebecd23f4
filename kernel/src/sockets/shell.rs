//! shell: cells and questions, one at a time and in order.
//!
//! A reader always reads; a worker answers. So it is known what waits when a cell fails, and a shutdown never waits for a cell.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::desk::{Aftermath, Desk};
use super::router::{Receiver, Sender};
use crate::wire::message::Incoming;
use crate::wire::request::Request;

/// Where requests wait for the worker.
#[derive(Clone)]
pub(crate) struct Queue(mpsc::UnboundedSender<Item>);

enum Item {
    Request(Box<Incoming>, Sender),
    /// Everything before it had arrived when a cell failed.
    Mark,
}

impl Queue {
    /// A queue, and what the worker takes from it.
    pub(crate) fn new() -> (Self, Waiting) {
        let (queue, waiting) = mpsc::unbounded_channel();
        (Self(queue), Waiting(waiting))
    }

    /// Puts in a request whose answer goes to `socket`.
    pub(crate) fn put(&self, incoming: Incoming, socket: Sender) {
        self.send(Item::Request(Box::new(incoming), socket));
    }

    fn send(&self, item: Item) {
        if self.0.send(item).is_err() {
            tracing::info!("a request that came after the kernel's end is not answered");
        }
    }
}

/// What waits in the queue.
pub(crate) struct Waiting(mpsc::UnboundedReceiver<Item>);

/// Asks the reader for a mark.
pub(crate) struct Marker(mpsc::UnboundedSender<oneshot::Sender<()>>);

/// The marks that the reader is asked for; it says when each one stands in the queue.
pub(crate) struct Marks(mpsc::UnboundedReceiver<oneshot::Sender<()>>);

impl Marker {
    /// A marker, and what the reader takes from it.
    pub(crate) fn new() -> (Self, Marks) {
        let (marker, marks) = mpsc::unbounded_channel();
        (Self(marker), Marks(marks))
    }

    /// Waits until a mark stands behind everything that has arrived. False if there is no reader any more, and so nothing to come.
    pub(crate) async fn mark(&self) -> bool {
        let (placed, wait) = oneshot::channel();
        self.0.send(placed).is_ok() && wait.await.is_ok()
    }
}

/// Reads shell for ever.
pub(crate) async fn read(
    mut receiver: Receiver,
    sender: Sender,
    queue: Queue,
    desk: Arc<Desk>,
    mut marks: Marks,
) {
    let mut urgent = JoinSet::new();
    loop {
        tokio::select! {
            // A mark comes behind everything that has arrived: it waits until nothing can be read.
            biased;
            incoming = receiver.next() => match incoming.request {
                // Old clients send these here; a running cell is what they want to end.
                Request::Shutdown { .. } | Request::Interrupt => {
                    let (desk, sender) = (Arc::clone(&desk), sender.clone());
                    urgent.spawn(async move { desk.answer(incoming, sender, None).await });
                }
                _ => queue.put(incoming, sender.clone()),
            },
            Some(placed) = marks.0.recv() => {
                queue.send(Item::Mark);
                // The worker may be gone by now; then nobody waits for it.
                placed.send(()).ok();
            }
        }
        while urgent.try_join_next().is_some() {}
    }
}

/// Answers what is in the queue until the kernel goes. `marker` asks the reader for a mark.
///
/// A failure aborts the cells behind it that came from the same session: another front end's cells are not its business.
pub(crate) async fn work(mut waiting: Waiting, desk: Arc<Desk>, marker: Marker) {
    // Whose cells are aborted, in the order of the marks behind which they run again.
    let mut aborting: VecDeque<String> = VecDeque::new();
    while let Some(item) = waiting.0.recv().await {
        if desk.closing.load(Ordering::Relaxed) {
            return;
        }
        let (incoming, socket) = match item {
            Item::Mark => {
                aborting.pop_front();
                continue;
            }
            Item::Request(incoming, socket) => (*incoming, socket),
        };
        let session = incoming.header.session.clone();
        if matches!(incoming.request, Request::Execute(_)) && aborting.contains(&session) {
            desk.abort(incoming, socket).await;
        } else if desk.answer(incoming, socket, Some(&marker)).await == Aftermath::StopQueue {
            aborting.push_back(session);
        }
    }
}
