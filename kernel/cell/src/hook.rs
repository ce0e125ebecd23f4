//! What is heard of a panic before the stack unwinds.

use crate::run;
use crate::trace::{self, Frame, Place};
use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::io::Write;
use std::panic::PanicHookInfo;

thread_local! {
    /// The last panic of the run, until the run has ended with it. Who else caught it, if anybody did, nobody tells.
    static LATEST: RefCell<Option<Seen>> = const { RefCell::new(None) };
}

/// A panic.
pub(crate) struct Seen {
    pub(crate) message: String,
    pub(crate) place: Option<Place>,
    /// Not looked up in the debug information before it is needed: that takes long.
    trace: Option<Backtrace>,
}

/// Hears of all panics from now on. Those on the thread of a run are the run's; of all others the standard library tells as ever.
pub(crate) fn install() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| if run::is_here() { remember(info) } else { usual(info) }));
}

/// The panic that unwound with this payload.
pub(crate) fn seen(payload: &(dyn Any + Send)) -> Seen {
    let message = message(payload);
    match LATEST.take() {
        Some(seen) if seen.message == message => seen,
        // It was passed on from another thread or by `resume_unwind`, of which no hook hears, and the last one was caught.
        other => {
            LATEST.set(other);
            Seen { message: message.to_owned(), place: None, trace: None }
        }
    }
}

/// Tells of the last panic if it did not end the run.
pub(crate) fn tell_caught() {
    if let Some(caught) = LATEST.take() {
        say(&caught.text());
    }
}

/// Tells the user of a panic that did not end the run.
pub(crate) fn say(text: &str) {
    // Without standard error there is nowhere to say it.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

impl Seen {
    /// What the standard library says of it.
    pub(crate) fn text(&self) -> String {
        let Self { message, place, .. } = self;
        match place {
            Some(Place { file, line, column }) => {
                format!("thread 'main' panicked at {file}:{line}:{column}:\n{message}\n")
            }
            None => format!("thread 'main' panicked:\n{message}\n"),
        }
    }

    /// The frames that stand in cells, the innermost first.
    pub(crate) fn frames(&self) -> Vec<Frame> {
        self.trace.as_ref().map(|trace| trace::frames(&trace.to_string())).unwrap_or_default()
    }
}

fn remember(info: &PanicHookInfo<'_>) {
    let place =
        info.location().map(|at| Place { file: at.file().to_owned(), line: at.line(), column: at.column() });
    let message = message(info.payload()).to_owned();
    let seen = Seen { message, place, trace: Some(Backtrace::force_capture()) };
    if let Some(before) = LATEST.replace(Some(seen)) {
        // The run went on after it.
        say(&before.text());
    }
}

/// The message in a payload, as the standard library shows it.
fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("Box<dyn Any>")
}
