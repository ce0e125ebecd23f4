//! A socket that front ends send requests to: messages in, messages out to whoever asked.
//!
//! Shell, control and stdin are such sockets. What a request means is not known here.

use bytes::Bytes;
use futures::StreamExt;
use futures::channel::mpsc;
use std::sync::Arc;
use std::time::Duration;
use zeromq::{
    Listener, RouterRecvHalf, RouterSendHalf, RouterSocket, Socket, SocketEvent, SocketRecv, SocketSend,
    ZmqError, ZmqMessage,
};

use crate::wire::header::Header;
use crate::wire::message::{Author, Content, Incoming};

/// How long a client that reads nothing can hold back the one who answers it, once 100,000 messages wait for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Opens a socket on `listener`: its two halves, and who goes away.
pub(crate) async fn open(
    listener: Listener,
    author: Arc<Author>,
    channel: &'static str,
) -> Result<(Sender, Receiver, Departures), ZmqError> {
    let mut socket = RouterSocket::new();
    let departures = Departures(socket.monitor());
    socket.bind_listener(listener).await?;
    let (sender, receiver) = socket.split();
    let sender = Sender { socket: sender, author: Arc::clone(&author), channel };
    Ok((sender, Receiver { socket: receiver, author, channel }, departures))
}

/// Where requests come in.
pub(crate) struct Receiver {
    socket: RouterRecvHalf,
    author: Arc<Author>,
    channel: &'static str,
}

impl Receiver {
    /// The next message that can be understood. Others are logged and dropped; no error ends this. Can be cancelled.
    pub(crate) async fn next(&mut self) -> Incoming {
        loop {
            let frames = match self.socket.recv().await {
                Ok(message) => message.into_vec(),
                Err(error) => {
                    tracing::warn!("{}: a message could not be received: {error}", self.channel);
                    tokio::task::yield_now().await;
                    continue;
                }
            };
            match self.author.read(frames) {
                Ok(incoming) => return incoming,
                Err(error) => tracing::warn!("{}: a message was dropped: {error}", self.channel),
            }
        }
    }
}

/// Where answers go out.
#[derive(Clone)]
pub(crate) struct Sender {
    socket: RouterSendHalf,
    author: Arc<Author>,
    channel: &'static str,
}

impl Sender {
    /// Answers the one who sent `parent`. That it has gone away is logged, and no error.
    pub(crate) async fn reply(&mut self, identities: Vec<Bytes>, parent: &Header, content: &Content) {
        if let Err(why) = self.send(identities, parent, content).await {
            tracing::warn!("{}: a {} could not be sent: {why}", self.channel, content.message_type());
        }
    }

    /// Sends a message and says under which identifier.
    pub(crate) async fn send(
        &mut self,
        identities: Vec<Bytes>,
        parent: &Header,
        content: &Content,
    ) -> Result<String, String> {
        let outgoing =
            self.author.write(identities, Some(parent), content).map_err(|error| error.to_string())?;
        let message = ZmqMessage::try_from(outgoing.frames).map_err(|error| error.to_string())?;
        match tokio::time::timeout(PATIENCE, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(outgoing.msg_id),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("its client reads nothing".to_owned()),
        }
    }
}

/// Clients that go away.
pub(crate) struct Departures(mpsc::Receiver<SocketEvent>);

impl Departures {
    /// The identity of the next client that goes away. Never ends.
    pub(crate) async fn next(&mut self) -> Bytes {
        while let Some(event) = self.0.next().await {
            if let SocketEvent::Disconnected(identity) = event {
                return identity.into();
            }
        }
        std::future::pending().await
    }
}
