//! Drives the process: the one task that hears it, reads it and tells it what to do, so that everything has an order.

use super::blocks::Question;
use super::notes::{Checkpoint, Heard, Notes};
use super::output::Page;
use super::process::{self, Pipe, Process};
use super::{Ended, channel};
use crate::engine::{Host, Output};
use crate::session::event::{NoInput, StreamName};
use crate::subprocess;
use assay_link::native::{Command, Event};
use assay_link::text::Decoder;
use futures::future::BoxFuture;
use std::collections::VecDeque;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::net::unix::OwnedWriteHalf;
use tokio::process::Child;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{oneshot, watch};

/// How long what may be the beginning of something is held back.
const PAUSE: Duration = Duration::from_millis(50);

/// How long the last words of a process that has died may take to be read. They are there already, unless a process that it left behind keeps its channel.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What the process shall do.
pub(super) enum Order {
    /// Run a cell.
    Run { libraries: Vec<String>, entry: Option<String>, host: Arc<dyn Host>, answer: oneshot::Sender<Ended> },
    /// End the cell that runs or waits, and go on.
    Interrupt,
    /// End everything.
    End,
    /// Something that it obeys or refuses.
    Obey { command: Command, answer: oneshot::Sender<Result<(), String>> },
}

/// Who waits for what is under way.
enum Call {
    Run { id: u64, answer: oneshot::Sender<Ended> },
    Obey { answer: oneshot::Sender<Result<(), String>> },
}

/// How long a checkpoint may take to say that it has taken over.
const WAKE: Duration = Duration::from_secs(10);

/// What Rust's standard library says before it aborts for it.
const OVERFLOWED: &str = "has overflowed its stack";

/// The task.
pub(super) struct Driver {
    keeper: Child,
    /// The process that runs cells.
    pid: Arc<AtomicU32>,
    notes: Notes,
    /// What takes over if the process dies. There is one only as long as nothing has run since it was made, or while a cell runs.
    checkpoint: Option<Checkpoint>,
    /// Whether the process was killed for the cell that it runs: what it still says of the cell's end is not so.
    interrupted: bool,
    /// Whether nothing is to take over any more.
    ending: bool,
    writer: OwnedWriteHalf,
    events: UnboundedReceiver<Event>,
    /// Whether the process has closed its end of the channel.
    deaf: bool,
    stdout: Pipe,
    stderr: Pipe,
    page: Page,
    stderr_text: Decoder,
    /// Whether a thread had no room on its stack any more.
    overflowed: bool,
    orders: UnboundedReceiver<Order>,
    /// Whether nobody is left who could give orders.
    alone: bool,
    waiting: VecDeque<Order>,
    call: Option<Call>,
    /// The last id of a cell.
    id: u64,
    /// Who sees output: the host of the last cell, also after it.
    host: Option<Arc<dyn Host>>,
    question: Option<BoxFuture<'static, Result<String, NoInput>>>,
    /// What it died of.
    gone: watch::Sender<Option<String>>,
}

impl Driver {
    /// A driver of a process that has said hello.
    pub(super) fn new(
        process: Process,
        orders: UnboundedReceiver<Order>,
        gone: watch::Sender<Option<String>>,
        pid: Arc<AtomicU32>,
    ) -> Self {
        let Process { keeper, pid: _, channel, notes, stdout, stderr } = process;
        let (reader, writer) = channel.into_split();
        Self {
            keeper,
            pid,
            notes,
            checkpoint: None,
            interrupted: false,
            ending: false,
            writer,
            events: channel::listen(reader),
            deaf: false,
            stdout,
            stderr,
            page: Page::default(),
            stderr_text: Decoder::default(),
            overflowed: false,
            orders,
            alone: false,
            waiting: VecDeque::new(),
            call: None,
            id: 0,
            host: None,
            question: None,
            gone,
        }
    }

    /// Drives the process until it has died.
    pub(super) async fn drive(mut self) {
        let cause = loop {
            if self.call.is_none()
                && let Some(order) = self.waiting.pop_front()
            {
                self.obey(order).await;
            }
            tokio::select! {
                status = self.keeper.wait() => break match self.listen_to_notes().await {
                    Some(cause) => cause,
                    None => self.cause(status),
                },
                () = self.notes.readable() => {
                    if let Some(cause) = self.listen_to_notes().await {
                        break cause;
                    }
                }
                event = self.events.recv(), if !self.deaf => {
                    if let Some(cause) = self.heard(event).await {
                        break cause;
                    }
                }
                order = self.orders.recv(), if !self.alone => self.ordered(order),
                () = self.stdout.readable() => {
                    let bytes = self.stdout.read();
                    self.print(&bytes);
                }
                () = self.stderr.readable() => {
                    let bytes = self.stderr.read();
                    self.print_error(&bytes);
                }
                line = answer(&mut self.question) => {
                    self.question = None;
                    self.tell(&Command::Input(line.ok())).await;
                }
                () = tokio::time::sleep(PAUSE), if self.page.waits() => {
                    let shown = self.page.pause();
                    self.show(shown);
                }
            }
        };
        self.died(cause).await;
    }

    /// Hears which processes have ended, and which stand by. What the one that runs cells died of, if nothing takes over.
    async fn listen_to_notes(&mut self) -> Option<String> {
        while let Some(heard) = self.notes.next() {
            match heard {
                Heard::Ended { pid, status } if pid == self.pid() => {
                    self.drain();
                    let cause = self.cause(Ok(status));
                    if !self.restore(&cause).await {
                        return Some(cause);
                    }
                }
                Heard::Checkpoint(checkpoint) => {
                    self.discard().await;
                    self.checkpoint = Some(checkpoint);
                }
                Heard::Ended { .. } | Heard::Nothing => {}
            }
        }
        None
    }

    /// The process that runs cells. Only this task changes it.
    fn pid(&self) -> u32 {
        self.pid.load(Ordering::Relaxed)
    }

    /// What the process died of, in words.
    fn cause(&self, status: std::io::Result<ExitStatus>) -> String {
        // The standard library says so, and aborts.
        if self.overflowed { "stack overflow".to_owned() } else { process::cause(status) }
    }

    /// Ends the checkpoint, if there is one: the process has gone on without it.
    async fn discard(&mut self) {
        if let Some(Checkpoint { pid, channel }) = self.checkpoint.take() {
            subprocess::kill(pid);
            drop(channel);
            self.tell(&Command::Discarded { pid }).await;
        }
    }

    /// The process has ended: lets the checkpoint take over. False if there is none that can.
    async fn restore(&mut self, cause: &str) -> bool {
        let Some(checkpoint) = self.checkpoint.take().filter(|_| !self.ending) else { return false };
        // If it had come to the cell's end, that is undone.
        self.interrupted = true;
        self.last_words().await;
        let (reader, writer) = checkpoint.channel.into_split();
        (self.events, self.writer, self.deaf) = (channel::listen(reader), writer, false);
        self.tell(&Command::Wake).await;
        let hello = tokio::time::timeout(WAKE, self.events.recv()).await;
        if !matches!(hello, Ok(Some(Event::Hello { .. }))) {
            tracing::warn!(?hello, "a checkpoint did not take over");
            subprocess::kill(checkpoint.pid);
            return false;
        }
        self.pid.store(checkpoint.pid, Ordering::Relaxed);
        (self.interrupted, self.question) = (false, None);
        match self.call.take() {
            Some(Call::Run { answer, .. }) => drop(answer.send(Ended::Restored { cause: cause.to_owned() })),
            Some(Call::Obey { answer }) => {
                drop(answer.send(Err(format!("the process that runs cells died: {cause}"))));
            }
            None => {}
        }
        true
    }

    /// Shows what the process still said, and ends what it left behind.
    async fn last_words(&mut self) {
        subprocess::kill(self.pid());
        let until = tokio::time::Instant::now() + LAST_WORDS;
        while let Ok(Some(event)) = tokio::time::timeout_at(until, self.events.recv()).await {
            self.drain();
            self.take(event);
        }
        self.drain();
        let mut shown = self.page.end();
        shown.extend(stream(StreamName::Stderr, std::mem::take(&mut self.stderr_text).end()));
        self.show(shown);
    }

    fn ordered(&mut self, order: Option<Order>) {
        match order {
            Some(Order::Interrupt) => self.interrupt(),
            Some(Order::End) => self.end(),
            Some(order) => self.waiting.push_back(order),
            None => {
                self.alone = true;
                self.end();
            }
        }
    }

    /// Ends the cell. One that has just ended needs nothing: its end has been heard, and the checkpoint is gone.
    fn interrupt(&mut self) {
        if matches!(self.call, Some(Call::Run { .. })) {
            self.interrupted = true;
            subprocess::kill(self.pid());
        }
        for order in std::mem::take(&mut self.waiting) {
            match order {
                // It has not begun.
                Order::Run { answer, .. } => {
                    let _ = answer.send(Ended::Restored { cause: "interrupted".to_owned() });
                }
                other => self.waiting.push_back(other),
            }
        }
    }

    fn end(&mut self) {
        self.ending = true;
        subprocess::kill(self.pid());
    }

    async fn obey(&mut self, order: Order) {
        match order {
            Order::Run { libraries, entry, host, answer } => {
                // What threads printed since the last cell belongs there.
                self.drain();
                self.host = Some(host);
                self.id += 1;
                self.overflowed = false;
                let id = self.id;
                self.call = Some(Call::Run { id, answer });
                self.tell(&Command::Run { id, libraries, entry }).await;
            }
            Order::Obey { command, answer } => {
                self.call = Some(Call::Obey { answer });
                self.tell(&command).await;
            }
            // They do not wait.
            Order::Interrupt | Order::End => {}
        }
    }

    /// What the process died of, if that turns out meanwhile.
    async fn heard(&mut self, event: Option<Event>) -> Option<String> {
        let Some(event) = event else {
            self.deaf = true;
            // It is dying, or says what nobody understands.
            subprocess::kill(self.pid());
            return None;
        };
        self.drain();
        if event == Event::Checkpointed {
            // The note was sent before.
            let died = self.listen_to_notes().await;
            self.settle(Ok(()));
            return died;
        }
        let waits = matches!(
            event,
            Event::Showing | Event::Display { .. } | Event::Update { .. } | Event::Clear { .. }
        );
        if let Event::Ask { prompt, password } = event {
            let shown = self.page.flush();
            self.show(shown);
            // A plain read of standard input says neither.
            let plain = prompt.is_empty() && !password;
            let question = if plain { self.page.take_question() } else { Question { prompt, password } };
            self.question = self.host.clone().map(|host| ask(host, question));
            if self.question.is_none() {
                self.tell(&Command::Input(None)).await;
            }
            return None;
        }
        let done = matches!(event, Event::Done { .. }) && !self.interrupted;
        self.take(event);
        if done {
            self.discard().await;
        }
        if waits {
            self.tell(&Command::Proceed).await;
        }
        None
    }

    /// What an event does here, whether or not the process waits for an answer.
    fn take(&mut self, event: Event) {
        let shown = match event {
            Event::Showing => self.page.begin_value(),
            Event::Value { content } => self.page.value(content),
            Event::Display { content, display_id } => self.page.place(content, display_id),
            Event::Update { content, display_id } => self.page.replace(content, display_id),
            Event::Clear { wait } => self.page.clear(wait),
            Event::Shown => self.page.end_value(),
            Event::Done { .. } if self.interrupted => return,
            Event::Done { id, ending, kept } => {
                let shown = self.page.end();
                self.show(shown);
                let value = self.page.take_value();
                if let Some(Call::Run { answer, .. }) =
                    self.call.take_if(|call| matches!(call, Call::Run { id: of, .. } if *of == id))
                {
                    // Whoever waited may have given up.
                    let _ = answer.send(Ended::Done { ending, kept, value });
                }
                return;
            }
            Event::Obeyed => return self.settle(Ok(())),
            Event::Refused { why } => return self.settle(Err(why)),
            Event::Hello { .. } | Event::Checkpointed | Event::Ask { .. } => return,
        };
        self.show(shown);
    }

    fn settle(&mut self, outcome: Result<(), String>) {
        if let Some(Call::Obey { answer }) = self.call.take_if(|call| matches!(call, Call::Obey { .. })) {
            let _ = answer.send(outcome);
        }
    }

    /// The process has ended: tells its last words, and ends what it left behind.
    async fn died(mut self, cause: String) {
        self.last_words().await;
        self.gone.send_replace(Some(cause.clone()));
        if let Some(Call::Run { answer, .. }) = self.call.take() {
            let _ = answer.send(Ended::Died { cause });
        }
        // Whoever waits for anything else finds nobody who would answer.
    }

    /// Shows what has been printed up to now.
    fn drain(&mut self) {
        let (printed, errors) = (self.stdout.drain(), self.stderr.drain());
        self.print(&printed);
        self.print_error(&errors);
    }

    fn print(&mut self, bytes: &[u8]) {
        let shown = self.page.print(bytes);
        self.show(shown);
    }

    fn print_error(&mut self, bytes: &[u8]) {
        let text = self.stderr_text.decode(bytes);
        self.overflowed |= text.contains(OVERFLOWED);
        self.show(stream(StreamName::Stderr, text));
    }

    fn show(&self, outputs: impl IntoIterator<Item = Output>) {
        for output in outputs {
            match &self.host {
                Some(host) => host.output(output),
                None => tracing::info!(?output, "nobody sees output of the process that runs cells"),
            }
        }
    }

    async fn tell(&mut self, command: &Command) {
        channel::send(&mut self.writer, command).await;
    }
}

fn stream(name: StreamName, text: String) -> Option<Output> {
    (!text.is_empty()).then_some(Output::Stream { name, text })
}

fn ask(host: Arc<dyn Host>, question: Question) -> BoxFuture<'static, Result<String, NoInput>> {
    Box::pin(async move { host.ask(question.prompt, question.password).await })
}

/// What the user answers; never, if nobody asked.
async fn answer(
    question: &mut Option<BoxFuture<'static, Result<String, NoInput>>>,
) -> Result<String, NoInput> {
    match question {
        Some(question) => question.await,
        None => std::future::pending().await,
    }
}
