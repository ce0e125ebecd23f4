//! Who hears of a run that is watched.

use crate::engine::{Host, Output};
use crate::session::event::NoInput;
use assay_link::watch::Watched;
use futures::future::BoxFuture;
use std::sync::{Arc, Mutex, PoisonError};

/// The host of a run that is watched.
pub(super) struct Watching {
    host: Arc<dyn Host>,
    seen: Mutex<Vec<Watched>>,
}

impl Watching {
    pub(super) fn new(host: Arc<dyn Host>) -> Self {
        Self { host, seen: Mutex::default() }
    }

    /// What was seen, of each run.
    pub(super) fn take(&self) -> Vec<Watched> {
        std::mem::take(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Host for Watching {
    fn output(&self, output: Output) {
        match output {
            Output::Watched { what, .. } => {
                self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(*what);
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
