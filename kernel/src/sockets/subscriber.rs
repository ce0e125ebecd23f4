//! One subscriber of iopub: a publishing socket of its own, so that whoever does not read holds back nobody else.
//!
//! ZeroMQ's XPUB sends to its peers in turn and cannot send to one of them. So every connection gets an XPUB that has no other
//! peer. An XPUB takes peers from a listener alone: it listens in a private folder, once, and a relay carries the bytes
//! between that connection and the subscriber's.

use bytes::Bytes;
use futures::StreamExt;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, copy_buf};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use zeromq::{Endpoint, Socket, SocketEvent, SocketRecv, SocketSend, XPubSocket, ZmqMessage};

use super::iopub::Command;
use crate::wire::header::Header;
use crate::wire::message::{Author, Content};
use crate::wire::publish;

/// How long a connection may take until it has said that it is a ZeroMQ socket.
const HANDSHAKE: Duration = Duration::from_secs(30);

/// What the relay carries at once.
const CARRY: usize = 64 << 10;

/// The address of a Unix socket has room for 107 bytes; the name in the folder needs some of them.
const LONGEST_FOLDER: usize = 80;

/// The connection of a subscriber, whatever carries it.
pub(crate) type Connected = Box<dyn Duplex>;

/// Bytes both ways.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// What a subscriber gets.
pub(crate) struct Feed {
    /// Its number, for the log.
    pub(crate) number: usize,
    pub(crate) messages: mpsc::UnboundedReceiver<ZmqMessage>,
    /// Bytes in `messages`.
    pub(crate) backlog: Arc<AtomicUsize>,
    pub(crate) author: Arc<Author>,
    pub(crate) owner: mpsc::UnboundedSender<Command>,
}

/// Serves one subscriber until it goes or its queue is closed and empty; then everything has been written to its connection.
pub(crate) async fn attend(stream: Connected, feed: Feed) {
    let number = feed.number;
    match relay(stream, feed).await {
        Ok(()) => tracing::debug!("iopub: subscriber {number} is gone"),
        Err(why) => tracing::warn!("iopub: subscriber {number} is let go: {why}"),
    }
}

async fn relay(stream: Connected, feed: Feed) -> Result<(), String> {
    let (socket, near) =
        Private::open().await.map_err(|error| format!("no socket could be made for it ({error})"))?;
    let (from_client, mut to_client) = tokio::io::split(stream);
    let (from_socket, mut to_socket) = near.into_split();
    let mut from_client = BufReader::with_capacity(CARRY, from_client);
    let mut from_socket = BufReader::with_capacity(CARRY, from_socket);
    {
        let mut down = pin!(copy_buf(&mut from_socket, &mut to_client));
        tokio::select! {
            // Both ends of the relay end with the client: how it left does not matter.
            _ = copy_buf(&mut from_client, &mut to_socket) => return Ok(()),
            _ = &mut down => return Ok(()),
            fed = feed.pump(socket) => fed?,
        }
        // All is written into the private connection. Its other end closes when it reads that this end did; then the way
        // down ends too.
        to_socket.shutdown().await.map_err(|error| error.to_string())?;
        down.await.map_err(|error| error.to_string())?;
    }
    to_client.shutdown().await.map_err(|error| error.to_string())
}

impl Feed {
    /// Sends what comes, and a welcome for each subscription before anything else.
    async fn pump(mut self, mut socket: Private) -> Result<(), String> {
        socket.accepted().await?;
        loop {
            tokio::select! {
                subscription = socket.publisher.recv() => {
                    let subscription = subscription.map_err(|error| error.to_string())?;
                    self.welcome(&mut socket, &subscription).await?;
                }
                message = self.messages.recv() => {
                    let Some(message) = message else { return Ok(()) };
                    let size = size(&message);
                    socket.publisher.send(message).await.map_err(|error| error.to_string())?;
                    self.backlog.fetch_sub(size, Ordering::Relaxed);
                }
            }
        }
    }

    async fn welcome(&self, socket: &mut Private, subscription: &ZmqMessage) -> Result<(), String> {
        // One frame: 1 and the topic for a subscription, 0 and the topic for its end.
        let Some([1, topic @ ..]) = subscription.get(0).map(Bytes::as_ref) else {
            return Ok(());
        };
        let content = publish::welcome(String::from_utf8_lossy(topic).into_owned());
        let message = message(&self.author, Bytes::copy_from_slice(topic), None, &content)?;
        socket.publisher.send(message).await.map_err(|error| error.to_string())?;
        // An error says that iopub is closed already: this subscriber then came too late for anything else.
        let _closed = self.owner.send(Command::Subscribed).is_err();
        Ok(())
    }
}

/// An XPUB with a single peer, whose other end we hold.
struct Private {
    publisher: XPubSocket,
    events: futures::channel::mpsc::Receiver<SocketEvent>,
    endpoint: Endpoint,
    /// Nobody else may enter it; it is gone as soon as the peer is accepted.
    folder: Option<TempDir>,
}

impl Private {
    async fn open() -> io::Result<(Self, UnixStream)> {
        let folder = tempfile::Builder::new()
            .prefix("assay-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(short_folder())?;
        let path = folder.path().join("iopub");
        let listener = UnixListener::bind(&path)?;
        let mut publisher = XPubSocket::new();
        let events = publisher.monitor();
        let endpoint = publisher.bind_listener(listener).await.map_err(io::Error::other)?;
        let near = UnixStream::connect(&path).await?;
        Ok((Self { publisher, events, endpoint, folder: Some(folder) }, near))
    }

    /// Waits for the handshake with the subscriber, and closes the door behind it.
    async fn accepted(&mut self) -> Result<(), String> {
        let result = tokio::time::timeout(HANDSHAKE, self.handshake()).await;
        // Closing removes the socket file; the folder can go then.
        let closed = self.publisher.unbind(self.endpoint.clone()).await;
        drop(self.folder.take());
        closed.map_err(|error| error.to_string())?;
        result.unwrap_or_else(|_| Err(format!("it said nothing for {} seconds", HANDSHAKE.as_secs())))
    }

    async fn handshake(&mut self) -> Result<(), String> {
        loop {
            match self.events.next().await {
                Some(SocketEvent::Accepted(..)) => return Ok(()),
                Some(SocketEvent::AcceptFailed(error)) => return Err(error.to_string()),
                Some(_) => {}
                None => return Err("its socket is closed".to_owned()),
            }
        }
    }
}

/// A folder for temporary files whose name is short enough.
fn short_folder() -> PathBuf {
    let folder = std::env::temp_dir();
    match folder.as_os_str().len() > LONGEST_FOLDER {
        true => PathBuf::from("/tmp"),
        false => folder,
    }
}

/// Writes a message with its topic.
pub(crate) fn message(
    author: &Author,
    topic: Bytes,
    parent: Option<&Header>,
    content: &Content,
) -> Result<ZmqMessage, String> {
    let outgoing = author.write(vec![topic], parent, content).map_err(|error| error.to_string())?;
    ZmqMessage::try_from(outgoing.frames).map_err(|error| error.to_string())
}

/// The bytes of a message.
pub(crate) fn size(message: &ZmqMessage) -> usize {
    message.iter().map(Bytes::len).sum()
}
