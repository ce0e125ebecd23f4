//! Drives the process: the one task that hears it, reads it and tells it what to do, so that everything has an order.

use super::generation::Generation;
use super::notes::{Checkpoint, Heard, Notes};
use super::output::Page;
use super::process::{self, Process};
use super::screen::Screen;
use super::{Ended, Errand, Fallen, Rehearsal, Standing};
use crate::engine::{Host, Output, Told};
use crate::session::event::NoInput;
use crate::subprocess;
use assay_link::native::{Command, Event, Frame};
use assay_link::watch::Lens;
use futures::future::BoxFuture;
use std::collections::VecDeque;
use std::process::ExitStatus;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::process::Child;
use tokio::sync::mpsc::{UnboundedReceiver, WeakUnboundedSender};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

/// How long the last words of a process that has died may take to be read. They are there already, unless a process that it left behind keeps its channel.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How long the process may take to say whether the cell stands where it can stop. Whoever answers has nothing else to do, and is there within a millisecond; a
/// cell may have kept it from running at all.
const ANSWER: Duration = Duration::from_millis(50);

/// The same where it is watched, and first tells what was seen: that may be a lot.
const WATCHED: Duration = Duration::from_secs(1);

/// How long a cell that stands where it can stop may take to come to its end: a batch of a measurement, or an item of a loop, may be under way. Whoever waits longer takes
/// the button for broken.
pub(super) const LEISURE: Duration = Duration::from_secs(1);

/// What the process shall do.
pub(super) enum Order {
    /// Run a cell.
    Run { what: Errand, host: Arc<dyn Host>, answer: oneshot::Sender<Ended> },
    /// Something that it obeys or refuses.
    Obey { command: Command, answer: oneshot::Sender<Result<(), String>> },
    /// Make a checkpoint, which takes over if the process dies from now on.
    Stand { answer: oneshot::Sender<Result<Standing, String>> },
    /// Make a copy for a run beside the process. It takes over from nobody.
    Rehearse { orders: WeakUnboundedSender<Order>, answer: oneshot::Sender<Result<Rehearsal, String>> },
    /// End the copy of this id that was made for such a run, at once: whatever runs meanwhile goes on.
    Dismiss { pid: u32 },
    /// End the checkpoint of this id.
    Discard { pid: u32 },
    /// Leave the process for the checkpoint of this id.
    Return { pid: u32, answer: oneshot::Sender<Result<(), String>> },
    /// End the cell that runs or waits, and go on: by itself where it can stop, otherwise with its process. It does not wait for others, and nor does the next one.
    Interrupt,
    /// End everything.
    End,
}

/// Who waits for what is under way.
enum Call {
    Run { id: u64, watched: bool, answer: oneshot::Sender<Ended> },
    Obey { answer: oneshot::Sender<Result<(), String>> },
    Stand { answer: oneshot::Sender<Result<Standing, String>> },
    Rehearse { orders: WeakUnboundedSender<Order>, answer: oneshot::Sender<Result<Rehearsal, String>> },
}

/// The task.
pub(super) struct Driver {
    keeper: Child,
    notes: Notes,
    cells: Generation,
    /// The checkpoints, the latest last: that one takes over if the process dies.
    standing: Vec<Checkpoint>,
    /// The copy that was announced for a run beside the process, until whoever asked for it has it.
    apart: Option<Checkpoint>,
    /// The ids of those that somebody has.
    rehearsals: Vec<u32>,
    /// Until when the cell that was told to stop may take to end by itself.
    leisure: Option<Instant>,
    /// Whether the process was asked what it has seen of that cell, since it takes too long.
    cut: bool,
    /// Whether the process was killed for the cell that it runs: what it still says of the cell's end is not so.
    interrupted: bool,
    /// What the process says of its end.
    crash: Crash,
    /// Whether nothing is to take over any more.
    ending: bool,
    screen: Screen,
    orders: UnboundedReceiver<Order>,
    /// Whether nobody is left who could give orders.
    alone: bool,
    waiting: VecDeque<Order>,
    call: Option<Call>,
    /// The last id of a cell.
    id: u64,
    /// How many processes the system had ended for want of memory when the cell began, if it counts.
    starved: Option<u64>,
    question: Option<BoxFuture<'static, Result<String, NoInput>>>,
    /// Whether the process waits for an answer.
    asked: bool,
    /// Which checkpoint has taken over while no cell ran, until somebody has been told.
    fallen: Arc<Mutex<Option<Fallen>>>,
    /// What it died of.
    gone: watch::Sender<Option<String>>,
}

/// What a process says that crashes.
#[derive(Default)]
struct Crash {
    /// How it is about to end. What ends it may be that it cannot tell where.
    status: Option<ExitStatus>,
    /// What was under way in cells.
    frames: Vec<Frame>,
}

/// What others see of it.
pub(super) struct Seen {
    /// The id of the process that runs cells.
    pub(super) pid: Arc<AtomicU32>,
    pub(super) fallen: Arc<Mutex<Option<Fallen>>>,
    pub(super) gone: watch::Sender<Option<String>>,
}

impl Driver {
    /// A driver of a process that has said hello.
    pub(super) fn new(process: Process, orders: UnboundedReceiver<Order>, seen: Seen) -> Self {
        let Process { keeper, pid: _, channel, notes, stdout, stderr } = process;
        Self {
            keeper,
            notes,
            cells: Generation::new(seen.pid, channel),
            standing: Vec::new(),
            apart: None,
            rehearsals: Vec::new(),
            leisure: None,
            cut: false,
            interrupted: false,
            crash: Crash::default(),
            ending: false,
            screen: Screen::new(stdout, stderr),
            orders,
            alone: false,
            waiting: VecDeque::new(),
            call: None,
            id: 0,
            starved: None,
            question: None,
            asked: false,
            fallen: seen.fallen,
            gone: seen.gone,
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
                event = self.cells.next() => {
                    if let Some(cause) = self.heard(event).await {
                        break cause;
                    }
                }
                order = self.orders.recv(), if !self.alone => self.ordered(order).await,
                () = over(self.leisure) => self.end_cell().await,
                () = self.screen.watch() => {}
                line = answer(&mut self.question) => self.answered(line).await,
            }
        };
        self.died(cause).await;
    }

    /// Hears which processes have ended, and which stand by. What the one that runs cells died of, if nothing takes over.
    async fn listen_to_notes(&mut self) -> Option<String> {
        while let Some(heard) = self.notes.next() {
            match heard {
                Heard::Ended { pid, status } if pid == self.cells.pid() => {
                    self.screen.drain();
                    let cause = self.cause(Ok(status));
                    if !self.fall_back(&cause).await {
                        return Some(cause);
                    }
                }
                Heard::Crashing { pid, status } if pid == self.cells.pid() => {
                    self.crash.status = Some(status);
                }
                Heard::Checkpoint(checkpoint) if matches!(self.call, Some(Call::Rehearse { .. })) => {
                    self.apart = Some(checkpoint);
                }
                Heard::Checkpoint(checkpoint) => self.standing.push(checkpoint),
                // It was waited for by another, which is gone.
                Heard::Ended { pid, .. } if self.rehearsals.contains(&pid) => {
                    self.rehearsals.retain(|other| *other != pid);
                }
                Heard::Ended { .. } | Heard::Crashing { .. } | Heard::Nothing => {}
            }
        }
        None
    }

    /// What the process died of, in words.
    fn cause(&self, status: std::io::Result<ExitStatus>) -> String {
        if let Some(cause) = self.screen.dying_of() {
            return cause.to_owned();
        }
        let status = self.crash.status.map_or(status, Ok);
        let starved = !self.interrupted && self.starved < process::starved();
        if starved { "killed by the system, out of memory".to_owned() } else { process::cause(status) }
    }

    /// The process has ended: lets the latest checkpoint take over that can. What ends the process may be a thread that it has too. False if there is none.
    async fn fall_back(&mut self, cause: &str) -> bool {
        let pid = loop {
            let Some(checkpoint) = self.standing.pop().filter(|_| !self.ending) else { return false };
            let pid = checkpoint.pid;
            if self.replace(checkpoint).await {
                break pid;
            }
        };
        let crash = std::mem::take(&mut self.crash);
        let fallen = Fallen { cause: cause.to_owned(), frames: crash.frames, to: pid };
        match self.call.take_if(|call| matches!(call, Call::Run { .. })) {
            Some(Call::Run { answer, .. }) => drop(answer.send(Ended::Restored(fallen))),
            _ => {
                self.settle(Err(format!("the process that runs cells died: {cause}")));
                self.fallen.lock().unwrap_or_else(PoisonError::into_inner).replace(fallen);
            }
        }
        true
    }

    /// Puts a checkpoint in the place of the process, which is ended. False if it does not take over.
    async fn replace(&mut self, checkpoint: Checkpoint) -> bool {
        // If it had come to the cell's end, that is undone.
        self.interrupted = true;
        self.last_words().await;
        let replaced = self.cells.replace(checkpoint).await;
        (self.interrupted, self.leisure, self.question, self.asked) = (false, None, None, false);
        replaced
    }

    /// Shows what the process still said, and ends what it left behind.
    async fn last_words(&mut self) {
        self.cells.kill();
        // Nobody would wait for them: the keeper does, when they have ended.
        self.rehearsals.drain(..).for_each(subprocess::kill);
        let until = Instant::now() + LAST_WORDS;
        while let Some(event) = self.cells.last(until).await {
            self.screen.drain();
            self.take(event);
        }
        self.screen.last();
    }

    async fn ordered(&mut self, order: Option<Order>) {
        match order {
            Some(Order::Interrupt) => self.interrupt().await,
            Some(Order::End) => self.end(),
            Some(Order::Dismiss { pid }) => self.dismiss(pid).await,
            Some(order) => self.waiting.push_back(order),
            None => {
                self.alone = true;
                self.end();
            }
        }
    }

    /// Ends the cell. One that has just ended needs nothing: its end has been heard.
    async fn interrupt(&mut self) {
        if let Some(Call::Run { id, watched, .. }) = self.call {
            // Whoever waits for the user's line does not stand where it can stop; but what has been seen of it is wanted.
            if self.leisure.is_some() || (self.asked && !watched) || self.interrupted {
                self.end_cell().await;
            } else {
                self.leisure = Some(Instant::now() + if watched { WATCHED } else { ANSWER });
                self.cells.tell(&Command::Interrupt { id }).await;
            }
        }
        for order in std::mem::take(&mut self.waiting) {
            match order {
                Order::Run { answer, .. } => drop(answer.send(Ended::NotBegun)),
                other => self.waiting.push_back(other),
            }
        }
    }

    /// Does not wait for the cell any more. If it is watched, the process says first what it has seen.
    async fn end_cell(&mut self) {
        match self.call {
            Some(Call::Run { id, watched: true, .. }) if !self.cut && !self.interrupted => {
                self.cut = true;
                self.leisure = Some(Instant::now() + WATCHED);
                self.cells.tell(&Command::Cut { id }).await;
            }
            _ => self.kill_cell(),
        }
    }

    /// Ends the process for the cell that it runs.
    fn kill_cell(&mut self) {
        (self.interrupted, self.leisure) = (true, None);
        self.cells.kill();
    }

    /// The cell has been told to stop: waits for its end if it will come to one.
    fn stopping(&mut self, id: u64, here: bool) {
        let runs = matches!(self.call, Some(Call::Run { id: of, .. }) if of == id);
        match self.leisure {
            Some(_) if runs && here => self.leisure = Some(Instant::now() + LEISURE),
            Some(_) if runs => self.kill_cell(),
            _ => {}
        }
    }

    fn end(&mut self) {
        self.ending = true;
        self.cells.kill();
    }

    async fn obey(&mut self, order: Order) {
        match order {
            Order::Run { what: Errand { libraries, entry, floor, lens }, host, answer } => {
                if self.fallen.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
                    // It was compiled for what is not there any more.
                    return drop(answer.send(Ended::NotBegun));
                }
                self.screen.begin(host);
                self.id += 1;
                self.starved = process::starved();
                let id = self.id;
                self.cut = false;
                self.call = Some(Call::Run { id, watched: lens != Lens::Clear, answer });
                self.cells.tell(&Command::Run { id, libraries, entry, floor, lens }).await;
            }
            Order::Obey { command, answer } => {
                self.call = Some(Call::Obey { answer });
                self.cells.tell(&command).await;
            }
            Order::Stand { answer } => {
                self.call = Some(Call::Stand { answer });
                self.cells.tell(&Command::Checkpoint).await;
            }
            Order::Rehearse { orders, answer } => {
                self.call = Some(Call::Rehearse { orders, answer });
                self.cells.tell(&Command::Checkpoint).await;
            }
            Order::Discard { pid } => self.discard(pid).await,
            Order::Return { pid, answer } => {
                let wanted = self.standing.extract_if(.., |standing| standing.pid == pid).next();
                let replaced = match wanted {
                    Some(checkpoint) => self.replace(checkpoint).await,
                    None => false,
                };
                let _ = answer.send(if replaced { Ok(()) } else { Err("the copy is gone".to_owned()) });
            }
            // They do not wait.
            Order::Interrupt | Order::End | Order::Dismiss { .. } => {}
        }
    }

    /// Ends a copy that was made for a run beside the process, if it is there.
    async fn dismiss(&mut self, pid: u32) {
        if self.rehearsals.extract_if(.., |other| *other == pid).next().is_some() {
            subprocess::kill(pid);
            self.cells.tell(&Command::Discarded { pid }).await;
        }
    }

    /// Ends a checkpoint, if it is there.
    async fn discard(&mut self, pid: u32) {
        if self.standing.extract_if(.., |standing| standing.pid == pid).next().is_some() {
            subprocess::kill(pid);
            self.cells.tell(&Command::Discarded { pid }).await;
        }
    }

    /// What the process died of, if that turns out meanwhile.
    async fn heard(&mut self, event: Option<Event>) -> Option<String> {
        let Some(event) = event else {
            self.cells.kill();
            return None;
        };
        self.screen.drain();
        match event {
            Event::Checkpointed { bytes, without } => {
                // The note was sent before.
                let died = self.listen_to_notes().await;
                self.copied(bytes, without).await;
                return died;
            }
            Event::Ask { prompt, password } => {
                self.asked = true;
                self.question = self.screen.ask(prompt, password);
                if self.question.is_none() {
                    self.answer(None).await;
                }
            }
            Event::Showing
            | Event::Display { .. }
            | Event::Update { .. }
            | Event::Clear { .. }
            | Event::Measured { .. } => {
                self.take(event);
                self.cells.tell(&Command::Proceed).await;
            }
            other => self.take(other),
        }
        if self.asked && !matches!(self.call, Some(Call::Run { .. })) {
            // A thread asks, and front ends take questions of a running cell alone. It would wait for ever, and whoever reads next for it.
            self.answer(None).await;
        }
        None
    }

    /// There is a copy, as was asked.
    async fn copied(&mut self, bytes: u64, without: Vec<String>) {
        let unannounced = || "the copy was not announced".to_owned();
        match self.call.take_if(|call| matches!(call, Call::Stand { .. } | Call::Rehearse { .. })) {
            Some(Call::Stand { answer }) => {
                let pid = self.standing.last().map(|checkpoint| checkpoint.pid);
                let standing = pid.map(|pid| Standing { pid, bytes, without });
                if let (Err(_), Some(pid)) = (answer.send(standing.ok_or_else(unannounced)), pid) {
                    // Whoever wanted it was interrupted, and nobody will ever name it.
                    self.discard(pid).await;
                }
            }
            Some(Call::Rehearse { orders, answer }) => {
                let rehearsal = self.apart.take().map(|checkpoint| {
                    self.rehearsals.push(checkpoint.pid);
                    Rehearsal::new(checkpoint, bytes, without, orders)
                });
                // If nobody wants it any more, it is dropped, which ends it.
                let _ = answer.send(rehearsal.ok_or_else(unannounced));
            }
            _ => {}
        }
    }

    async fn answered(&mut self, line: Result<String, NoInput>) {
        self.question = None;
        match line {
            // The cell is about to be ended, and must not go on as if its input had.
            Err(NoInput::Interrupted) => return,
            Err(NoInput::NotAllowed) => self.screen.without_input(),
            Ok(_) | Err(NoInput::Ended) => {}
        }
        self.answer(line.ok()).await;
    }

    async fn answer(&mut self, line: Option<String>) {
        (self.question, self.asked) = (None, false);
        self.cells.tell(&Command::Input(line)).await;
    }

    /// What an event does here, whether or not the process waits for an answer.
    fn take(&mut self, event: Event) {
        match event {
            Event::Showing => self.screen.turn(Page::begin_value),
            Event::Value { content } => self.screen.turn(|page| page.value(content)),
            Event::Display { content, display_id } => {
                self.screen.turn(|page| page.place(content, display_id));
            }
            Event::Update { content, display_id } => {
                self.screen.turn(|page| page.replace(content, display_id));
            }
            Event::Clear { wait } => self.screen.turn(|page| page.clear(wait)),
            Event::Measured { id, what, data } => {
                self.screen.turn(|page| page.measured(Told { id, what, data }));
                // A cell that has told its last result comes to its end once that is drawn.
                self.leisure = self.leisure.map(|_| Instant::now() + LEISURE);
            }
            Event::Shown => self.screen.turn(Page::end_value),
            Event::Done { id, ending, kept } if !self.interrupted => {
                self.leisure = None;
                let value = self.screen.end();
                if let Some(Call::Run { answer, .. }) =
                    self.call.take_if(|call| matches!(call, Call::Run { id: of, .. } if *of == id))
                {
                    // Whoever waited may have given up.
                    let _ = answer.send(Ended::Done { ending, kept, value });
                }
            }
            Event::Stopping { id, here } => self.stopping(id, here),
            Event::Crashed { frames } => self.crash.frames = frames,
            Event::Obeyed => self.settle(Ok(())),
            Event::Refused { why } => self.settle(Err(why)),
            // It is no part of the output, so nothing is shown before it.
            Event::Watched { id, what } => self.screen.turn(|_| vec![Output::Watched { id, what }]),
            Event::Done { .. } | Event::Hello { .. } | Event::Checkpointed { .. } | Event::Ask { .. } => {}
        }
    }

    fn settle(&mut self, outcome: Result<(), String>) {
        match self.call.take_if(|call| !matches!(call, Call::Run { .. })) {
            Some(Call::Obey { answer }) => drop(answer.send(outcome)),
            Some(Call::Stand { answer }) => {
                let _ = answer.send(outcome.and_then(|()| Err("no copy was made".to_owned())));
            }
            Some(Call::Rehearse { answer, .. }) => {
                self.apart = None;
                let _ = answer.send(outcome.and_then(|()| Err("no copy was made".to_owned())));
            }
            _ => {}
        }
    }

    /// The process has ended: tells its last words, and ends what it left behind.
    async fn died(mut self, cause: String) {
        self.last_words().await;
        self.gone.send_replace(Some(cause.clone()));
        if let Some(Call::Run { answer, .. }) = self.call.take() {
            let _ = answer.send(Ended::Died { cause, frames: self.crash.frames });
        }
        // Whoever waits for anything else finds nobody who would answer.
    }
}

/// Returns at that moment; never, if there is none.
async fn over(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
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
