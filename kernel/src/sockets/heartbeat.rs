//! The heartbeat: whatever comes goes back, for ever.

use zeromq::{Listener, RouterSocket, Socket, SocketRecv, SocketSend, ZmqError};

/// Opens the heartbeat on `listener`.
///
/// A ROUTER, which front ends' REQ sockets take as well as a REP: one that sends something malformed or stops reading
/// disturbs no other, and the frames go back exactly as they came.
pub(crate) async fn open(listener: Listener) -> Result<RouterSocket, ZmqError> {
    let mut socket = RouterSocket::new();
    socket.bind_listener(listener).await?;
    Ok(socket)
}

/// Echoes. No error ends this.
pub(crate) async fn echo(mut socket: RouterSocket) {
    loop {
        let result = match socket.recv().await {
            Ok(beat) => socket.send(beat).await,
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            tracing::debug!("heartbeat: a beat was lost: {error}");
            tokio::task::yield_now().await;
        }
    }
}
