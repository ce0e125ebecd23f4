//! iopub: what every front end sees, in one order.
//!
//! One task owns it. Whoever publishes puts a message and the request that it belongs to into its queue and goes on; the task
//! joins text of one stream, signs, and hands each subscriber its copy. No subscriber can hold it back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::Instant;
use zeromq::{Listener, ZmqMessage};

use super::subscriber::{self, Connected, Feed};
use crate::session::event::StreamName;
use crate::wire::header::Header;
use crate::wire::message::{Author, Content};
use crate::wire::publish::{self, State};

/// How long text waits for more of its stream: shorter than a reader notices, and 16 messages a second, where Jupyter Server
/// begins to drop at 1,000.
const GATHER: Duration = Duration::from_millis(60);

/// The longest text in one message. A browser lays out a megabyte at once without complaint.
const LONGEST_TEXT: usize = 1 << 20;

/// Where everybody publishes. Nothing that it does waits, but [`Publisher::barrier`].
#[derive(Clone)]
pub(crate) struct Publisher {
    commands: mpsc::UnboundedSender<Command>,
}

/// What the task is told.
pub(crate) enum Command {
    Publish {
        parent: Arc<Header>,
        content: Content,
    },
    Stream {
        parent: Arc<Header>,
        name: StreamName,
        text: String,
    },
    Barrier(oneshot::Sender<()>),
    /// Somebody connected.
    Connected(Connected),
    /// Somebody subscribed, and has got the welcome.
    Subscribed,
    /// Everything before this is delivered, and no more.
    Close,
}

impl Publisher {
    /// Publishes what happened while `parent` was answered.
    pub(crate) fn publish(&self, parent: &Arc<Header>, content: Content) {
        self.tell(Command::Publish { parent: Arc::clone(parent), content });
    }

    /// Publishes text, joined with what follows soon.
    pub(crate) fn stream(&self, parent: &Arc<Header>, name: StreamName, text: String) {
        self.tell(Command::Stream { parent: Arc::clone(parent), name, text });
    }

    /// Returns when everything that was published before is on its way to the subscribers.
    pub(crate) async fn barrier(&self) {
        let (passed, wait) = oneshot::channel();
        self.tell(Command::Barrier(passed));
        // An error says that iopub is closed: then there is nothing to wait for.
        let _closed = wait.await.is_err();
    }

    /// Ends the task when it has handed out everything.
    pub(crate) fn close(&self) {
        self.tell(Command::Close);
    }

    fn tell(&self, command: Command) {
        if self.commands.send(command).is_err() {
            tracing::debug!("iopub is closed: something that came after the kernel's end is not published");
        }
    }
}

/// Opens iopub on `listener`. It runs on the runtime that this is called on, and cuts off a subscriber for which more than
/// `largest_backlog` bytes wait.
pub(crate) fn open(
    listener: Listener,
    author: Arc<Author>,
    largest_backlog: usize,
) -> std::io::Result<Publisher> {
    let (commands, queue) = mpsc::unbounded_channel();
    match listener {
        Listener::Tcp(listener) => {
            listener.set_nonblocking(true)?;
            let listener = TcpListener::from_std(listener)?;
            tokio::spawn(accept(Door::Tcp(listener), commands.clone()));
        }
        Listener::Ipc(listener) => {
            listener.set_nonblocking(true)?;
            let listener = UnixListener::from_std(listener)?;
            tokio::spawn(accept(Door::Ipc(listener), commands.clone()));
        }
        // The type may grow; bind.rs makes no other.
        other => return Err(std::io::Error::other(format!("iopub cannot listen on {other:?}"))),
    }
    let owner = Owner {
        author,
        largest_backlog,
        queue,
        commands: commands.clone(),
        subscribers: Vec::new(),
        gathered: None,
        spoken: false,
        count: 0,
    };
    tokio::spawn(owner.run());
    Ok(Publisher { commands })
}

enum Door {
    Tcp(TcpListener),
    Ipc(UnixListener),
}

impl Door {
    async fn next(&self) -> std::io::Result<Connected> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream))
            }
            Self::Ipc(listener) => Ok(Box::new(listener.accept().await?.0)),
        }
    }
}

/// Lets subscribers in until iopub is closed.
async fn accept(door: Door, commands: mpsc::UnboundedSender<Command>) {
    loop {
        let next = tokio::select! {
            next = door.next() => next,
            () = commands.closed() => return,
        };
        match next {
            Ok(stream) => {
                if commands.send(Command::Connected(stream)).is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!("iopub: a subscriber could not be let in: {error}");
                // Most likely there are too many open files: trying again at once would only burn time.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// The task that owns iopub.
struct Owner {
    author: Arc<Author>,
    largest_backlog: usize,
    queue: mpsc::UnboundedReceiver<Command>,
    commands: mpsc::UnboundedSender<Command>,
    subscribers: Vec<Subscriber>,
    gathered: Option<Gathered>,
    /// Whether anything has been published: "starting" comes first or not at all.
    spoken: bool,
    /// How many subscribers there have been, for the log.
    count: usize,
}

/// Text that waits for more of its stream.
struct Gathered {
    parent: Arc<Header>,
    name: StreamName,
    text: String,
    due: Instant,
}

/// A subscriber, seen from the owner.
struct Subscriber {
    number: usize,
    queue: mpsc::UnboundedSender<ZmqMessage>,
    /// Bytes in its queue.
    backlog: Arc<AtomicUsize>,
    task: AbortHandle,
}

impl Owner {
    async fn run(mut self) {
        loop {
            let command = match &self.gathered {
                None => self.queue.recv().await,
                Some(gathered) => match tokio::time::timeout_at(gathered.due, self.queue.recv()).await {
                    Ok(command) => command,
                    Err(_) => {
                        self.flush();
                        continue;
                    }
                },
            };
            match command {
                Some(Command::Stream { parent, name, text }) => self.gather(parent, name, text),
                Some(Command::Publish { parent, content }) => {
                    self.flush();
                    self.broadcast(Some(&parent), &content);
                }
                Some(Command::Barrier(passed)) => {
                    self.flush();
                    // Whoever waited may have been cancelled; that concerns nobody.
                    let _cancelled = passed.send(()).is_err();
                }
                Some(Command::Connected(stream)) => self.admit(stream),
                Some(Command::Subscribed) => self.greet(),
                Some(Command::Close) | None => return self.flush(),
            }
        }
    }

    fn gather(&mut self, parent: Arc<Header>, name: StreamName, text: String) {
        match &mut self.gathered {
            Some(gathered) if gathered.name == name && gathered.parent.msg_id == parent.msg_id => {
                gathered.text.push_str(&text);
            }
            _ => {
                self.flush();
                self.gathered = Some(Gathered { parent, name, text, due: Instant::now() + GATHER });
            }
        }
        // A flood never lets the queue run empty: the clock is looked at here too.
        let full =
            |gathered: &Gathered| gathered.text.len() >= LONGEST_TEXT || gathered.due <= Instant::now();
        if self.gathered.as_ref().is_some_and(full) {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let Some(Gathered { parent, name, text, .. }) = self.gathered.take() else {
            return;
        };
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.floor_char_boundary(LONGEST_TEXT));
            self.broadcast(Some(&parent), &publish::stream(name, piece.to_owned()));
            rest = after;
        }
    }

    /// The first subscriber of a kernel that has said nothing yet hears that it starts.
    fn greet(&mut self) {
        if !self.spoken {
            self.broadcast(None, &publish::status(State::Starting));
        }
    }

    fn broadcast(&mut self, parent: Option<&Header>, content: &Content) {
        self.spoken = true;
        let topic = format!("kernel.{}.{}", self.author.session(), content.message_type());
        let message = match subscriber::message(&self.author, topic.into(), parent, content) {
            Ok(message) => message,
            Err(why) => {
                tracing::error!("iopub: a {} could not be written: {why}", content.message_type());
                return;
            }
        };
        let limit = self.largest_backlog;
        self.subscribers.retain(|subscriber| subscriber.give(&message, limit));
    }

    fn admit(&mut self, stream: Connected) {
        self.count += 1;
        let (queue, messages) = mpsc::unbounded_channel();
        let backlog = Arc::new(AtomicUsize::new(0));
        let feed = Feed {
            number: self.count,
            messages,
            backlog: Arc::clone(&backlog),
            author: Arc::clone(&self.author),
            owner: self.commands.clone(),
        };
        let task = tokio::spawn(subscriber::attend(stream, feed)).abort_handle();
        self.subscribers.push(Subscriber { number: self.count, queue, backlog, task });
    }
}

impl Subscriber {
    /// Puts a message into its queue; false if it is gone, or cut off because it does not read.
    fn give(&self, message: &ZmqMessage, limit: usize) -> bool {
        let size = subscriber::size(message);
        let backlog = self.backlog.fetch_add(size, Ordering::Relaxed) + size;
        if backlog > limit {
            tracing::warn!(
                "iopub: subscriber {} does not read and is cut off: {backlog} bytes wait for it",
                self.number
            );
            self.task.abort();
            return false;
        }
        self.queue.send(message.clone()).is_ok()
    }
}
