//! evcxr's start-up files, so that its users find what they set up: `init.evcxr` holds commands, `prelude.rs` Rust. They are run before the
//! first cell, and again by `:load_config`.

use super::Session;
use super::event::{ErrorReport, Event, StreamName};
use super::interrupt::Stopped;
use super::perform::Context;
use super::stage::Keep;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::Ordering;

/// In this order.
const FILES: [&str; 2] = ["init.evcxr", "prelude.rs"];

impl Session {
    /// Runs the start-up files unless that has been done.
    pub(super) async fn start_up(&self, context: &Context, stopped: &Stopped) {
        if !self.started.swap(true, Ordering::Relaxed) {
            self.load_startup(true, context, stopped).await;
        }
    }

    /// Runs the start-up files that there are. One that fails is told, and keeps nothing else from running. What commands say is told unless it is to be quiet.
    pub(super) async fn load_startup(
        &self,
        quiet: bool,
        context: &Context,
        stopped: &Stopped,
    ) -> Vec<String> {
        let mut loaded = Vec::new();
        for name in FILES {
            let path = self.startup.join(name);
            match std::fs::read_to_string(&path) {
                Ok(text) => {
                    let quiet = quiet && name == FILES[0];
                    if let Err(report) = self.run_startup(&text, quiet, context, stopped).await {
                        self.complain(&path, &report.traceback.join("\n"));
                    }
                    loaded.push(path.display().to_string());
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => self.complain(&path, &error.to_string()),
            }
        }
        loaded
    }

    async fn run_startup(
        &self,
        text: &str,
        quiet: bool,
        context: &Context,
        stopped: &Stopped,
    ) -> Result<(), ErrorReport> {
        // A number that no cell has.
        self.state().sources.remember(0, text);
        let context = Context { number: 0, ..*context };
        if quiet {
            self.stage.start_capture(Keep::EVERYTHING);
        }
        // Boxed, because a start-up file is a cell, and a cell may load the start-up files.
        let ran = Box::pin(self.run_piece(0..text.len(), &context, stopped)).await;
        if quiet {
            self.stage.end_capture();
        }
        ran.map(drop)
    }

    fn complain(&self, path: &Path, why: &str) {
        let text = format!("{} did not run to its end:\n{why}\n", path.display());
        self.stage.tell(Event::Stream { name: StreamName::Stderr, text });
    }
}
