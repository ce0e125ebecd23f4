//! The story of the cell that runs, as the relay tells it: passes its output on to the kernel and keeps what decides how the cell ended.

use crate::link::Link;
use crate::words::{Panic, Word};
use assay_link::evcxr::{Contents, Event, ORDER, Process, Stream};
use serde_json::Value;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A display at the end of a cell may be its value, so it waits for what comes next: but no longer than this.
pub(crate) const PATIENCE: Duration = Duration::from_millis(200);

/// The relay tells the end of a function before evcxr hears of it, so the word is under way. A relay that was killed tells nothing.
const UNDER_WAY: Duration = Duration::from_secs(10);

/// What the relay has told, shared by the thread that listens, the one that runs cells and the one that interrupts.
#[derive(Clone)]
pub(crate) struct Story {
    link: Link,
    shared: Arc<(Mutex<Told>, Condvar)>,
}

/// What is known of the cell that runs.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The panic that ended the cell.
    pub(crate) panic: Option<Panic>,
    /// The error that ended the cell at a `?`.
    pub(crate) question: Option<String>,
    /// Variables that were dropped because their type was redefined.
    pub(crate) redefined: Vec<String>,
    /// The blocks that were shown last, which may be the value.
    pub(crate) last: Vec<(String, String)>,
    /// What the process that runs cells died of.
    pub(crate) died: Option<String>,
    /// The process that runs cells.
    runtime: Option<u32>,
    /// Whether it runs a function.
    running: bool,
    /// The function that returned last.
    ended: Option<String>,
    /// Panics that did not end the cell, so far.
    caught: Option<Panic>,
    /// Whether nothing is shown: evcxr runs something of its own at the start.
    quiet: bool,
    /// A question to the user that nobody has put yet.
    ask: Option<(String, bool)>,
}

impl Story {
    pub(crate) fn new(link: Link) -> Self {
        let told = Told { quiet: true, ..Told::default() };
        Self { link, shared: Arc::new((Mutex::new(told), Condvar::new())) }
    }

    /// A new cell begins.
    pub(crate) fn begin(&self) {
        let mut told = self.told();
        *told = Told { runtime: told.runtime, ..Told::default() };
    }

    /// What was told up to the end of the function `entry`.
    pub(crate) fn ended(&self, entry: &str) -> Told {
        self.wait(|told| told.ended.as_deref() == Some(entry) || told.died.is_some())
    }

    /// What was told up to the death of the process that runs cells.
    pub(crate) fn died(&self) -> Told {
        self.wait(|told| told.died.is_some())
    }

    /// The question that the cell puts to the user.
    pub(crate) fn asked(&self) -> (String, bool) {
        let mut asked = (String::new(), false);
        self.wait_then(
            |told| told.ask.is_some() || told.died.is_some(),
            |told| asked = told.ask.take().unwrap_or_default(),
        );
        asked
    }

    /// The process that runs cells.
    pub(crate) fn runtime(&self) -> Option<u32> {
        self.told().runtime
    }

    /// The same, if it is running a cell.
    pub(crate) fn running(&self) -> Option<u32> {
        let told = self.told();
        told.runtime.filter(|_| told.running)
    }

    /// A line that came from the relay.
    pub(crate) fn hear(&self, line: &str) {
        match serde_json::from_str(line) {
            Ok(word) => self.take(word),
            // Whatever else a process writes there is worth reading.
            Err(_) => self.stream(Stream::Stderr, format!("{line}\n")),
        }
        self.shared.1.notify_all();
    }

    /// Nothing came for a while.
    pub(crate) fn pause(&self) {
        self.show(&mut self.told());
    }

    /// Shows something that is no value.
    pub(crate) fn display(&self, blocks: Vec<(String, String)>) {
        if !blocks.is_empty() {
            self.link.tell(&Event::Display(contents(blocks)));
        }
    }

    fn take(&self, word: Word) {
        let mut told = self.told();
        // Standard error has no order with the rest, and the value may be followed by what was on its way there.
        if matches!(word, Word::Text { stream: Stream::Stdout, .. } | Word::Ask { .. } | Word::Died { .. }) {
            self.show(&mut told);
        }
        match word {
            Word::Runtime { pid } => self.started(&mut told, pid),
            Word::Began { .. } => told.running = true,
            Word::Text { .. } | Word::Block { .. } if told.quiet => {}
            Word::Text { stream, text } => self.stream(stream, text),
            Word::Block { mime, content } => self.block(&mut told, mime, content),
            Word::Panic(panic) => {
                self.caught(&mut told);
                told.caught = Some(panic);
            }
            Word::Panicked => told.panic = Some(told.caught.take().unwrap_or_else(unknown_panic)),
            Word::Question { message } => told.question = Some(message),
            Word::Redefined { name } => told.redefined.push(name),
            Word::Ask { prompt, password } => told.ask = Some((prompt, password)),
            Word::Ended { entry } => {
                self.caught(&mut told);
                told.running = false;
                told.ended = Some(entry);
            }
            Word::Died { cause } => {
                self.caught(&mut told);
                (told.running, told.runtime, told.died) = (false, None, Some(cause));
                self.link.tell(&Event::Processes(Vec::new()));
            }
        }
    }

    fn started(&self, told: &mut Told, pid: u32) {
        told.runtime = Some(pid);
        self.link.tell(&Event::Processes(vec![Process { pid, name: "evcxr cells".to_owned() }]));
    }

    /// Consecutive blocks of different types are one thing in several forms; a type that comes again begins the next.
    fn block(&self, told: &mut Told, mime: String, content: String) {
        if mime == ORDER {
            self.show(told);
            return self.order(&content);
        }
        if told.last.iter().any(|(before, _)| *before == mime) {
            self.show(told);
        }
        told.last.push((mime, content));
    }

    fn order(&self, content: &str) {
        match serde_json::from_str(content) {
            Ok(order) => self.link.tell(&Event::Order(order)),
            Err(error) => {
                let text = format!("the content of type {ORDER} cannot be read: {error}\n{content}\n");
                self.stream(Stream::Stderr, text);
            }
        }
    }

    fn show(&self, told: &mut Told) {
        self.display(std::mem::take(&mut told.last));
    }

    /// A panic that somebody caught is text as always.
    fn caught(&self, told: &mut Told) {
        if let Some(panic) = told.caught.take() {
            self.stream(Stream::Stderr, panic.text());
        }
    }

    fn stream(&self, stream: Stream, text: String) {
        self.link.tell(&Event::Stream { stream, text });
    }

    fn wait(&self, done: impl Fn(&Told) -> bool) -> Told {
        let mut all = Told::default();
        self.wait_then(done, |told| {
            let rest = Told { runtime: told.runtime, quiet: told.quiet, ..Told::default() };
            all = std::mem::replace(told, rest);
        });
        all
    }

    fn wait_then(&self, done: impl Fn(&Told) -> bool, then: impl FnOnce(&mut Told)) {
        let until = Instant::now() + UNDER_WAY;
        let mut told = self.told();
        while !done(&told) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                crate::report("the relay did not tell how the cell ended");
                break;
            }
            told = self.shared.1.wait_timeout(told, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        then(&mut told);
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Blocks as the link carries them: JSON types as JSON, everything else as text.
pub(crate) fn contents(blocks: Vec<(String, String)>) -> Contents {
    let value = |mime: &str, content: String| {
        let json = mime == "application/json" || mime.ends_with("+json");
        let parsed = if json { serde_json::from_str(&content).ok() } else { None };
        parsed.unwrap_or(Value::String(content))
    };
    blocks.into_iter().map(|(mime, content)| (mime.clone(), value(&mime, content))).collect()
}

/// The user's own panic hook spoke in the prelude's place.
fn unknown_panic() -> Panic {
    let message = "the cell panicked; a panic hook of its own was told why".to_owned();
    Panic { file: String::new(), line: 0, column: 0, message }
}

#[cfg(test)]
mod tests {
    use super::contents;
    use serde_json::json;

    #[test]
    fn json_types_are_json() {
        let check = |mime: &str, content: &str, expected: serde_json::Value| {
            let got = contents(vec![(mime.to_owned(), content.to_owned())]);
            assert_eq!(serde_json::Value::Object(got), json!({ mime: expected }));
        };
        check("application/json", "{\"a\": 1}", json!({"a": 1}));
        check("application/vnd.vegalite.v5+json", "[]", json!([]));
        check("application/json", "no json", json!("no json"));
        check("text/html", "1", json!("1"));
    }
}
