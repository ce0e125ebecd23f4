//! What the process prints and shows, on its way to whoever looks.

use super::blocks::Question;
use super::output::Page;
use super::process::Pipe;
use crate::engine::{Host, Output};
use crate::session::event::{NoInput, StreamName};
use assay_link::text::Decoder;
use assay_magics::render::Bundle;
use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;

/// How long what may be the beginning of something is held back.
const PAUSE: Duration = Duration::from_millis(50);

/// What a thread says before its process is aborted, and what that means for the user: <https://github.com/rust-lang/rust/tree/1.95.0/library/std/src>, `sys/pal/unix/stack_overflow.rs` and `alloc.rs`.
const LAST_WORDS: [(&str, &str); 2] =
    [("has overflowed its stack", "stack overflow"), ("memory allocation of ", "out of memory")];

/// A program that reads to the end of an empty input may fail far from there, or not at all.
const WITHOUT_INPUT: &str = "note: standard input is empty: this front end allows no input\n";

/// The outputs of the process, and the page that they make.
pub(super) struct Screen {
    stdout: Pipe,
    stderr: Pipe,
    page: Page,
    stderr_text: Decoder,
    /// What the process is about to die of, by its own words.
    dying_of: Option<&'static str>,
    /// Who sees output: the host of the last cell, also after it.
    host: Option<Arc<dyn Host>>,
    /// What is said where standard input is read and nobody can be asked, until it has been said.
    without_input: Option<&'static str>,
}

impl Screen {
    pub(super) fn new(stdout: Pipe, stderr: Pipe) -> Self {
        Self {
            stdout,
            stderr,
            page: Page::default(),
            stderr_text: Decoder::default(),
            dying_of: None,
            host: None,
            without_input: None,
        }
    }

    /// A cell begins, whose output this host sees. What threads printed since the last one belongs there.
    pub(super) fn begin(&mut self, host: Arc<dyn Host>) {
        self.drain();
        self.host = Some(host);
        self.dying_of = None;
        self.without_input = Some(WITHOUT_INPUT);
    }

    /// Waits for something to show, and shows it.
    pub(super) async fn watch(&mut self) {
        tokio::select! {
            () = self.stdout.readable() => {
                let bytes = self.stdout.read();
                self.print(&bytes);
            }
            () = self.stderr.readable() => {
                let bytes = self.stderr.read();
                self.print_error(&bytes);
            }
            () = tokio::time::sleep(PAUSE), if self.page.waits() => {
                let shown = self.page.pause();
                self.show(shown);
            }
        }
    }

    /// Shows what has been printed up to now.
    pub(super) fn drain(&mut self) {
        let (printed, errors) = (self.stdout.drain(), self.stderr.drain());
        self.print(&printed);
        self.print_error(&errors);
    }

    /// Changes the page, and shows what comes of it.
    pub(super) fn turn(&mut self, change: impl FnOnce(&mut Page) -> Vec<Output>) {
        let shown = change(&mut self.page);
        self.show(shown);
    }

    /// The cell has ended. Its value, if it had one.
    pub(super) fn end(&mut self) -> Option<Bundle> {
        self.turn(Page::end);
        self.end_errors();
        self.page.take_value()
    }

    /// The process has ended: nothing more comes from it.
    pub(super) fn last(&mut self) {
        self.drain();
        self.dying_of = None;
        self.turn(Page::end);
        self.end_errors();
    }

    /// Half a character at the end belongs to nothing that comes.
    fn end_errors(&mut self) {
        let rest = std::mem::take(&mut self.stderr_text).end();
        self.show(stream(rest));
    }

    /// What the process has died of, by its own words.
    pub(super) fn dying_of(&self) -> Option<&'static str> {
        self.dying_of
    }

    /// Asks the user. None if there is nobody to ask.
    pub(super) fn ask(
        &mut self,
        prompt: String,
        password: bool,
    ) -> Option<BoxFuture<'static, Result<String, NoInput>>> {
        self.turn(Page::flush);
        // A plain read of standard input says neither.
        let plain = prompt.is_empty() && !password;
        let question = if plain { self.page.take_question() } else { Question { prompt, password } };
        if !plain {
            // The call that asks is in error.
            self.without_input = None;
        }
        let host = self.host.clone()?;
        Some(Box::pin(async move { host.ask(question.prompt, question.password).await }))
    }

    /// Nobody could be asked: says so once in each cell.
    pub(super) fn without_input(&mut self) {
        let said = self.without_input.take().map(str::to_owned);
        self.show(said.and_then(stream));
    }

    fn print(&mut self, bytes: &[u8]) {
        self.turn(|page| page.print(bytes));
    }

    fn print_error(&mut self, bytes: &[u8]) {
        let text = self.stderr_text.decode(bytes);
        let said = LAST_WORDS.iter().find(|(words, _)| text.contains(words));
        self.dying_of = said.map(|(_, cause)| *cause).or(self.dying_of);
        self.show(stream(text));
    }

    fn show(&self, outputs: impl IntoIterator<Item = Output>) {
        for output in outputs {
            match &self.host {
                Some(host) => host.output(output),
                None => tracing::info!(?output, "nobody sees output of the process that runs cells"),
            }
        }
    }
}

fn stream(text: String) -> Option<Output> {
    (!text.is_empty()).then_some(Output::Stream { name: StreamName::Stderr, text })
}
