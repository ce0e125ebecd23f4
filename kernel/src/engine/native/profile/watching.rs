//! Who hears of a run that is watched.

use super::queue::Queue;
use crate::engine::{Host, Output};
use crate::session::event::NoInput;
use assay_link::watch::Watched;
use futures::future::BoxFuture;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The host of a run that is watched.
pub(super) struct Watching {
    host: Arc<dyn Host>,
    /// The process that runs it, and how long its threads had waited for a processor before.
    pid: u32,
    before: Queue,
    seen: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    /// What was seen, of each run.
    runs: Vec<Watched>,
    /// How long a thread was ready to run in the first one, and had no processor, in nanoseconds.
    ready: Option<u64>,
}

impl Watching {
    /// Of what this process is about to run.
    pub(super) fn new(host: Arc<dyn Host>, pid: u32) -> Self {
        Self { host, pid, before: Queue::of(pid), seen: Mutex::default() }
    }

    /// What was seen, of each run; and for how many nanoseconds a thread was ready to run in the first, and had no processor.
    pub(super) fn take(&self) -> (Vec<Watched>, Option<u64>) {
        let Found { runs, ready } = std::mem::take(&mut *self.found());
        (runs, ready)
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host for Watching {
    fn output(&self, output: Output) {
        match output {
            Output::Watched { what, .. } => {
                let mut found = self.found();
                if found.runs.is_empty() {
                    found.ready = Queue::of(self.pid).since(&self.before);
                }
                found.runs.push(*what);
            }
            other => self.host.output(other),
        }
    }

    fn ask(&self, prompt: String, password: bool) -> BoxFuture<'_, Result<String, NoInput>> {
        self.host.ask(prompt, password)
    }
}

/// The host of what is compiled once more: how that was has been told.
pub(super) struct Quiet(pub(super) Arc<Watching>);

impl Host for Quiet {
    fn output(&self, output: Output) {
        if !matches!(output, Output::Compiled(_)) {
            self.0.output(output);
        }
    }

    fn ask(&self, prompt: String, password: bool) -> BoxFuture<'_, Result<String, NoInput>> {
        self.0.ask(prompt, password)
    }
}
