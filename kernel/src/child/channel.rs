//! The channel to the process: messages in both directions, in tokio's terms.

use assay_link::frame::{self, FrameError};
use assay_link::native::{Command, Event};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The next event; none when the process has closed its end.
pub(super) async fn receive(reader: &mut (impl AsyncRead + Unpin)) -> Result<Option<Event>, FrameError> {
    let mut header = [0; frame::HEADER];
    match reader.read_exact(&mut header).await {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        result => result.map_err(FrameError::Io)?,
    };
    let mut bytes = vec![0; frame::length(header)?];
    reader.read_exact(&mut bytes).await.map_err(FrameError::Io)?;
    frame::decode(&bytes).map(Some)
}

/// Receives from now on, in a task of its own: half a message is lost when a future is dropped.
pub(super) fn listen(reader: OwnedReadHalf) -> UnboundedReceiver<Event> {
    let (events, heard) = unbounded_channel();
    tokio::spawn(pass_on(reader, events));
    heard
}

async fn pass_on(mut reader: OwnedReadHalf, events: UnboundedSender<Event>) {
    loop {
        match receive(&mut reader).await {
            Ok(Some(event)) => {
                if events.send(event).is_err() {
                    return;
                }
            }
            Ok(None) => return,
            Err(error) => return tracing::debug!(%error, "the channel to the process that runs cells"),
        }
    }
}

/// Sends a command. If the process is gone, that shows elsewhere.
pub(super) async fn send(writer: &mut OwnedWriteHalf, command: &Command) {
    let sent = match frame::encode(command) {
        Ok(bytes) => writer.write_all(&bytes).await.map_err(FrameError::Io),
        Err(error) => Err(error),
    };
    if let Err(error) = sent {
        tracing::debug!(%error, "the process that runs cells cannot be told");
    }
}
