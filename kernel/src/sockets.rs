//! The five sockets between a kernel and its front ends: a file for each.
//!
//! They know the wire, and of the session only what [`Notebook`] asks for.

mod bind;
mod carrier;
mod control;
mod desk;
mod front_end;
mod heartbeat;
mod iopub;
mod router;
mod shell;
mod stdin;
mod subscriber;
mod usage;

#[cfg(test)]
mod tests;

use futures::future::BoxFuture;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};
use zeromq::{RouterSocket, ZmqError};

use crate::session::event::FrontEnd;
use crate::session::reply::{
    CompleteReply, ExecuteReply, HistoryReply, InspectReply, IsCompleteReply, KernelInfo, Usage,
};
use crate::session::request::{CompleteRequest, ExecuteRequest, HistoryRequest, InspectRequest};
use crate::wire::connection::Connection;
use crate::wire::frames::FrameError;
use crate::wire::message::Author;
use bind::{BindError, Files, Listeners};
use carrier::Carrier;
use desk::Desk;
use iopub::Publisher;
use router::{Departures, Receiver, Sender};

/// How long the running cell may take to end once the notebook is closed.
const LAST_CELL: Duration = Duration::from_secs(1);

/// What may wait for one subscriber of iopub before it is cut off, in bytes.
const LARGEST_BACKLOG: usize = 256 << 20;

/// What the sockets need of the session.
///
/// `execute` is called for one cell at a time. Everything else may be called while a cell runs.
pub(crate) trait Notebook: Send + Sync {
    /// Runs a cell. Everything that it shows has been told to `front_end` when this returns.
    fn execute(&self, request: ExecuteRequest, front_end: Arc<dyn FrontEnd>) -> BoxFuture<'_, ExecuteReply>;

    /// What could stand at the cursor.
    fn complete(&self, request: CompleteRequest) -> BoxFuture<'_, CompleteReply>;

    /// What stands at the cursor.
    fn inspect(&self, request: InspectRequest) -> BoxFuture<'_, InspectReply>;

    /// What was run before.
    fn history(&self, request: HistoryRequest) -> BoxFuture<'_, HistoryReply>;

    /// Whether a cell could run as it stands.
    fn is_complete(&self, code: String) -> BoxFuture<'_, IsCompleteReply>;

    /// What the kernel is. Must not wait.
    fn info(&self) -> KernelInfo;

    /// What the kernel and its processes use now. Must not wait.
    fn usage(&self) -> Usage;

    /// Ends the running cell, if there is one. An open question has been cancelled before.
    fn interrupt(&self) -> BoxFuture<'_, ()>;

    /// Ends the running cell and every process. No cell comes after this.
    fn shutdown(&self, restart: bool) -> BoxFuture<'_, ()>;
}

/// Serves front ends until one of them or a signal ends the kernel, or `abandoned` says that nobody will, and everything has been delivered.
pub(crate) async fn serve(
    connection: &Connection,
    notebook: Arc<dyn Notebook>,
    abandoned: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let signals = Signals::new().map_err(ServeError::Start)?;
    let author = Arc::new(Author::new(connection.key()).map_err(ServeError::Key)?);
    let listeners = bind::listen(connection).map_err(ServeError::Bind)?;
    let carrier = Carrier::new().map_err(ServeError::Start)?;
    let opened = carrier.handle().spawn(Opened::new(listeners, author)).await.map_err(io::Error::from);
    let opened = opened.map_err(ServeError::Start)?.map_err(ServeError::Start)?;
    let kernel = Kernel::start(opened, connection, notebook, &carrier);
    kernel.wait(signals, abandoned).await;
    let files = kernel.close().await;
    if !carrier.delivered().await {
        tracing::warn!("a front end reads too slowly: what was still on its way to it is lost");
    }
    drop(files);
    Ok(())
}

/// The sockets, open and not yet served.
struct Opened {
    shell: (Sender, Receiver, Departures),
    control: (Sender, Receiver, Departures),
    stdin: (Sender, Receiver, Departures),
    heartbeat: RouterSocket,
    publisher: Publisher,
    files: Files,
}

impl Opened {
    async fn new(listeners: Listeners, author: Arc<Author>) -> io::Result<Self> {
        let Listeners { shell, control, iopub, stdin, heartbeat, files } = listeners;
        let other = |error: ZmqError| io::Error::other(error.to_string());
        Ok(Self {
            shell: router::open(shell, Arc::clone(&author), "shell").await.map_err(other)?,
            control: router::open(control, Arc::clone(&author), "control").await.map_err(other)?,
            stdin: router::open(stdin, Arc::clone(&author), "stdin").await.map_err(other)?,
            heartbeat: heartbeat::open(heartbeat).await.map_err(other)?,
            publisher: iopub::open(iopub, author, LARGEST_BACKLOG)?,
            files,
        })
    }
}

/// A kernel that serves.
struct Kernel {
    desk: Arc<Desk>,
    /// Those that read; they never end by themselves.
    readers: JoinSet<()>,
    worker: JoinHandle<()>,
    heartbeat: JoinHandle<()>,
    files: Files,
}

impl Kernel {
    fn start(
        opened: Opened,
        connection: &Connection,
        notebook: Arc<dyn Notebook>,
        carrier: &Carrier,
    ) -> Self {
        let Opened { shell, control, stdin, heartbeat, publisher, files } = opened;
        let (sender, receiver, departures) = stdin;
        let (stdin, asking) = stdin::open(sender, receiver, departures);
        let desk = Arc::new(Desk {
            notebook,
            publisher,
            stdin,
            connection: connection.clone(),
            meter: usage::Meter::default(),
            count: AtomicU32::new(0),
            closing: AtomicBool::new(false),
            closed: Notify::new(),
        });
        let (queue, waiting) = shell::Queue::new();
        let (marker, marks) = shell::Marker::new();
        let mut readers = JoinSet::new();
        readers.spawn(asking);
        readers.spawn(control::read(control.1, control.0, queue.clone(), Arc::clone(&desk)));
        readers.spawn(shell::read(shell.1, shell.0, queue, Arc::clone(&desk), marks));
        let worker = tokio::spawn(shell::work(waiting, Arc::clone(&desk), marker));
        let heartbeat = carrier.handle().spawn(heartbeat::echo(heartbeat));
        Self { desk, readers, worker, heartbeat, files }
    }

    /// Waits until somebody wants the kernel to go.
    async fn wait(&self, mut signals: Signals, abandoned: impl Future<Output = ()>) {
        tokio::select! {
            () = self.desk.closed.notified() => {}
            () = signals.terminate() => {
                tracing::info!("a signal ends the kernel");
                self.desk.close(false).await;
            }
            () = abandoned => {
                tracing::warn!("whoever started the kernel is gone: it ends too");
                self.desk.close(false).await;
            }
        }
    }

    /// Ends everything that holds a socket. A cell that was running still gets its reply.
    async fn close(mut self) -> Files {
        // Without readers nothing comes into the queue any more, and the worker ends.
        self.readers.shutdown().await;
        if tokio::time::timeout(LAST_CELL, &mut self.worker).await.is_err() {
            tracing::warn!("the running cell does not end: it gets no reply");
            self.worker.abort();
        }
        self.heartbeat.abort();
        self.desk.publisher.close();
        self.files
    }
}

/// The signals of a kernel.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the signal that ends the kernel. Ctrl-C in the terminal of Jupyter reaches the kernel too, and must not
    /// end it: it is interrupted by a message.
    async fn terminate(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => tracing::debug!("an interrupt signal is ignored"),
            }
        }
    }
}

/// Why a kernel cannot serve.
#[derive(Debug)]
pub(crate) enum ServeError {
    Bind(BindError),
    Key(FrameError),
    Start(io::Error),
}

impl fmt::Display for ServeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bind(error) => error.fmt(formatter),
            Self::Key(error) => error.fmt(formatter),
            Self::Start(error) => write!(
                formatter,
                "the kernel's sockets could not be set up ({error}): check the limits on threads and open files (`ulimit -a`)"
            ),
        }
    }
}

impl std::error::Error for ServeError {}
