//! stdin: asks the front end that sent a cell for a line of input.
//!
//! One task owns the socket and the one question that can be open.

use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::router::{Departures, Receiver, Sender};
use crate::session::event::NoInput;
use crate::wire::header::Header;
use crate::wire::message::Incoming;
use crate::wire::reply;
use crate::wire::request::Request;

/// A front end opens its sockets one after the other: its stdin may be connected a moment after its first cell arrives.
const LATECOMER: Duration = Duration::from_secs(1);

/// What a front end answers for an end of the input: Jupyter's consoles send this when Ctrl-D is pressed, and ipykernel takes it for that.
const END: &str = "\u{4}";

/// What the user can type for it in a notebook's field, which knows no such key: a terminal shows the key so.
const TYPED_END: &str = "^D";

/// Where questions are asked.
#[derive(Clone)]
pub(crate) struct Stdin {
    commands: mpsc::UnboundedSender<Command>,
}

enum Command {
    Ask(Question),
    Cancel,
}

#[derive(Clone)]
struct Asking {
    identities: Vec<Bytes>,
    parent: Arc<Header>,
    prompt: String,
    password: bool,
}

struct Question {
    asking: Asking,
    answer: oneshot::Sender<Answer>,
}

enum Answer {
    Line(String),
    /// The front end has no stdin socket.
    Unreachable,
    /// The front end has gone.
    Gone,
}

impl Stdin {
    /// Asks the sender of `parent`. It is an error when an interrupt comes, when the user ends the input, or when there is nobody to ask.
    pub(crate) async fn ask(
        &self,
        identities: Vec<Bytes>,
        parent: Arc<Header>,
        prompt: String,
        password: bool,
    ) -> Result<String, NoInput> {
        let asking = Asking { identities, parent, prompt, password };
        let given_up = Instant::now() + LATECOMER;
        loop {
            match self.ask_once(asking.clone()).await? {
                Answer::Line(line) if line == END || line == TYPED_END && !password => {
                    return Err(NoInput::Ended);
                }
                Answer::Line(line) => return Ok(line),
                Answer::Unreachable if Instant::now() < given_up => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Answer::Unreachable | Answer::Gone => return Err(NoInput::Ended),
            }
        }
    }

    /// Ends the open question, if there is one, with `NoInput::Interrupted`.
    pub(crate) fn cancel(&self) {
        if self.commands.send(Command::Cancel).is_err() {
            tracing::debug!("stdin is closed: there is no question to cancel");
        }
    }

    async fn ask_once(&self, asking: Asking) -> Result<Answer, NoInput> {
        let (answer, wait) = oneshot::channel();
        let question = Question { asking, answer };
        self.commands.send(Command::Ask(question)).map_err(|_| NoInput::Interrupted)?;
        wait.await.map_err(|_| NoInput::Interrupted)
    }
}

/// Opens stdin; the future is its task.
pub(crate) fn open(
    sender: Sender,
    receiver: Receiver,
    departures: Departures,
) -> (Stdin, impl Future<Output = ()>) {
    let (commands, queue) = mpsc::unbounded_channel();
    let desk = Desk { sender, open: None };
    (Stdin { commands }, desk.run(receiver, departures, queue))
}

struct Desk {
    sender: Sender,
    open: Option<Open>,
}

/// A question that was sent.
struct Open {
    msg_id: String,
    identity: Option<Bytes>,
    answer: oneshot::Sender<Answer>,
}

impl Desk {
    async fn run(
        mut self,
        mut receiver: Receiver,
        mut departures: Departures,
        mut queue: mpsc::UnboundedReceiver<Command>,
    ) {
        loop {
            tokio::select! {
                command = queue.recv() => match command {
                    Some(Command::Ask(question)) => self.ask(question).await,
                    Some(Command::Cancel) => self.open = None,
                    None => return,
                },
                incoming = receiver.next() => self.hear(incoming),
                identity = departures.next() => {
                    if let Some(open) = self.open.take_if(|open| open.identity.as_ref() == Some(&identity)) {
                        let _cancelled = open.answer.send(Answer::Gone).is_err();
                    }
                }
            }
        }
    }

    async fn ask(&mut self, question: Question) {
        let Question { asking: Asking { identities, parent, prompt, password }, answer } = question;
        let identity = identities.first().cloned();
        match self.sender.send(identities, &parent, &reply::input_request(prompt, password)).await {
            Ok(msg_id) => {
                let open = Open { msg_id, identity, answer };
                self.open = Some(open);
            }
            Err(why) => {
                tracing::debug!("stdin: nobody can be asked: {why}");
                // Whoever asked may have been cancelled; that concerns nobody.
                let _cancelled = answer.send(Answer::Unreachable).is_err();
            }
        }
    }

    fn hear(&mut self, incoming: Incoming) {
        let msg_type = incoming.header.msg_type.clone();
        let Incoming { identities, parent_id, request: Request::InputReply { value }, .. } = incoming else {
            tracing::warn!("stdin: a {msg_type} does not belong here and is dropped");
            return;
        };
        // jupyter_client names no parent: then it must be the one that was asked.
        let fits = |open: &mut Open| match &parent_id {
            Some(parent) => *parent == open.msg_id,
            None => open.identity.as_ref() == identities.first(),
        };
        match self.open.take_if(fits) {
            Some(open) => {
                let _cancelled = open.answer.send(Answer::Line(value)).is_err();
            }
            None => tracing::info!("stdin: an input_reply that answers no open question is dropped"),
        }
    }
}
