//! The channel to the process: messages in both directions, in tokio's terms.

use crate::subprocess;
use assay_link::frame::{self, FrameError};
use assay_link::native::{Command, Event};
use tokio::io::AsyncWriteExt;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Receives from now on, in a task of its own: half a message is lost when a future is dropped.
pub(super) fn listen(reader: OwnedReadHalf) -> UnboundedReceiver<Event> {
    let (events, heard) = unbounded_channel();
    tokio::spawn(pass_on(reader, events));
    heard
}

async fn pass_on(mut reader: OwnedReadHalf, events: UnboundedSender<Event>) {
    loop {
        match subprocess::receive(&mut reader).await {
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
