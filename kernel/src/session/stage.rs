//! Where a cell's output goes: to the front end that asked last, unless a piece of the cell keeps it back or it is too much.

use super::cap::{self, Cap, Text};
use super::event::{Event, FrontEnd, NoInput, StreamName};
use crate::engine::{Host, Output};
use assay_magics::render::Bundle;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The one place through which everything reaches a front end. Threads of the user's may write when no cell runs: their output
/// goes to the front end of the last one.
pub(crate) struct Stage {
    state: Mutex<State>,
}

struct State {
    front: Option<Arc<dyn FrontEnd>>,
    capture: Option<Capture>,
    cap: Cap,
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
    /// From now on output goes to `front`. What threads of the last cell printed too much goes where the rest of it went.
    pub(crate) fn enter(&self, front: Arc<dyn FrontEnd>) {
        let mut state = self.state();
        let left = state.cap.enter();
        state.show(left);
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
        if let Some(event) = event {
            state.tell(event);
        }
    }

    /// The cell prints nothing more, unless threads go on: tells what was too much.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        let last = state.cap.end();
        state.show(last);
    }

    /// From now on so much text is shown, in bytes; all of it if there is no limit.
    pub(crate) fn limit(&self, limit: Option<usize>) {
        let mut state = self.state();
        let held = state.cap.change(limit);
        state.show(held);
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

impl Default for Stage {
    fn default() -> Self {
        let cap = Cap::new(Some(cap::USUAL));
        Self { state: Mutex::new(State { front: None, capture: None, cap }) }
    }
}

impl State {
    /// Tells an event in its place among the text, of which there may be too much.
    fn tell(&mut self, event: Event) {
        let before = match event {
            Event::Stream { name, text } => {
                let text = self.cap.print(name, text);
                return self.show(text);
            }
            Event::Display { .. } => self.cap.display(),
            Event::ClearOutput { wait } => self.cap.clear(wait),
            Event::Value { .. } | Event::Error(_) => self.cap.rest(),
            Event::Input { .. } | Event::UpdateDisplay { .. } => Vec::new(),
        };
        self.show(before);
        if let Some(front) = &self.front {
            front.tell(event);
        }
    }

    fn show(&self, texts: Vec<Text>) {
        let Some(front) = &self.front else { return };
        for Text { name, text } in texts {
            front.tell(Event::Stream { name, text });
        }
    }
}

impl Host for Stage {
    fn output(&self, output: Output) {
        self.tell(match output {
            Output::Stream { name, text } => Event::Stream { name, text },
            Output::Display { bundle, display_id } => Event::Display { bundle, display_id },
            Output::UpdateDisplay { bundle, display_id } => Event::UpdateDisplay { bundle, display_id },
            Output::Clear { wait } => Event::ClearOutput { wait },
            // Who asked for a measurement hears of it before it comes here.
            Output::Compiled(_) | Output::Measured(_) | Output::Watched { .. } | Output::Pass(_) => return,
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
