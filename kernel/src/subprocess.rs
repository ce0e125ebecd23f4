//! What the processes that the kernel starts have in common, whatever they say: their messages come in frames, and they are ended with all that
//! they started.

use assay_link::frame::{self, FrameError};
use rustix::process::{Pid, Signal, kill_process_group};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The next message; none when the process has closed its end.
pub(crate) async fn receive<T: DeserializeOwned>(
    reader: &mut (impl AsyncRead + Unpin),
) -> Result<Option<T>, FrameError> {
    let mut header = [0; frame::HEADER];
    match reader.read_exact(&mut header).await {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        result => result.map_err(FrameError::Io)?,
    };
    let mut bytes = vec![0; frame::length(header)?];
    reader.read_exact(&mut bytes).await.map_err(FrameError::Io)?;
    frame::decode(&bytes).map(Some)
}

/// Kills the group that a process leads; one that is gone needs nothing.
pub(crate) fn kill(pid: u32) {
    if let Some(group) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}
