//! Where a cell's output goes: to the front end that asked last, unless a piece of the cell keeps it back.

use super::event::{Event, FrontEnd, NoInput, StreamName};
use crate::engine::{Host, Output};
use assay_magics::render::Bundle;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The one place through which everything reaches a front end. Threads of the user's may write when no cell runs: their output
/// goes to the front end of the last one.
#[derive(Default)]
pub(crate) struct Stage {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    front: Option<Arc<dyn FrontEnd>>,
    capture: Option<Capture>,
}

/// Output that is kept back.
#[derive(Debug, Default)]
pub(crate) struct Captured {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) displays: Vec<Bundle>,
}

/// Which output is kept back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keep {
    pub(crate) stdout: bool,
    pub(crate) stderr: bool,
    /// Displays and values.
    pub(crate) display: bool,
}

impl Keep {
    pub(crate) const EVERYTHING: Self = Self { stdout: true, stderr: true, display: true };
}

struct Capture {
    keep: Keep,
    kept: Captured,
}

impl Stage {
    /// From now on output goes to `front`.
    pub(crate) fn enter(&self, front: Arc<dyn FrontEnd>) {
        let mut state = self.state();
        state.front = Some(front);
        state.capture = None;
    }

    /// Tells an event, or keeps it back.
    pub(crate) fn tell(&self, event: Event) {
        let mut state = self.state();
        let event = match &mut state.capture {
            Some(capture) => capture.keep(event),
            None => Some(event),
        };
        // Told under the lock, so that two writers cannot overtake each other; telling never blocks.
        if let (Some(event), Some(front)) = (event, &state.front) {
            front.tell(event);
        }
    }

    /// From now on the output that `keep` names is kept back.
    pub(crate) fn start_capture(&self, keep: Keep) {
        self.state().capture = Some(Capture { keep, kept: Captured::default() });
    }

    /// Ends keeping back, and gives what was kept.
    pub(crate) fn end_capture(&self) -> Captured {
        self.state().capture.take().map(|capture| capture.kept).unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host for Stage {
    fn output(&self, output: Output) {
        self.tell(match output {
            Output::Stream { name, text } => Event::Stream { name, text },
            Output::Display { bundle, display_id } => Event::Display { bundle, display_id },
            Output::UpdateDisplay { bundle, display_id } => Event::UpdateDisplay { bundle, display_id },
            Output::Clear { wait } => Event::ClearOutput { wait },
        });
    }

    fn ask(&self, prompt: String, password: bool) -> BoxFuture<'_, Result<String, NoInput>> {
        let front = self.state().front.clone();
        async move {
            match front {
                Some(front) => front.ask(prompt, password).await,
                None => Err(NoInput::NotAllowed),
            }
        }
        .boxed()
    }
}

impl Capture {
    /// Takes the event if it is to be kept back, else returns it.
    fn keep(&mut self, event: Event) -> Option<Event> {
        match event {
            Event::Stream { name: StreamName::Stdout, text } if self.keep.stdout => {
                self.kept.stdout.push_str(&text);
            }
            Event::Stream { name: StreamName::Stderr, text } if self.keep.stderr => {
                self.kept.stderr.push_str(&text);
            }
            Event::Display { bundle, .. } | Event::Value { bundle, .. } if self.keep.display => {
                self.kept.displays.push(bundle);
            }
            other => return Some(other),
        }
        None
    }
}

/// A front end that is asked but told nothing: what a silent request sees.
pub(crate) struct Muted(pub(crate) Arc<dyn FrontEnd>);

impl FrontEnd for Muted {
    fn tell(&self, _: Event) {}

    fn ask(&self, prompt: String, password: bool) -> BoxFuture<'_, Result<String, NoInput>> {
        self.0.ask(prompt, password)
    }
}
