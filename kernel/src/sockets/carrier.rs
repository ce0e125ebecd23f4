//! The runtime that carries bytes, apart from the one that does the work.
//!
//! ZeroMQ's own tasks run here, and iopub and the heartbeat, so that nothing that the kernel does delays them. And ZeroMQ in
//! Rust does not say when a message has been delivered: but its tasks end when they have written everything, and here
//! they can be counted.

use std::io;
use std::time::Duration;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::Instant;

/// How long a client that reads slowly can hold up the end of the kernel.
const DELIVERY: Duration = Duration::from_secs(3);

/// A runtime that can be waited for.
pub(crate) struct Carrier {
    /// Present until it is dropped: a runtime must be told not to wait when that happens inside of another.
    runtime: Option<Runtime>,
    handle: Handle,
}

impl Carrier {
    pub(crate) fn new() -> io::Result<Self> {
        let runtime =
            Builder::new_multi_thread().worker_threads(1).thread_name("sockets").enable_all().build()?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    /// Where to spawn.
    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Waits until all tasks have ended, once their sockets are dropped: everything is delivered then. False if a client is too slow.
    pub(crate) async fn delivered(&self) -> bool {
        let late = Instant::now() + DELIVERY;
        while self.handle.metrics().num_alive_tasks() > 0 {
            if Instant::now() > late {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        true
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
