//! The desk where requests are answered, whichever socket they came on: busy, the answer, idle.
//!
//! In which order requests come here is the business of shell.rs and control.rs.

use futures::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

use super::Notebook;
use super::front_end::Caller;
use super::iopub::Publisher;
use super::router::Sender;
use super::shell::Marker;
use super::stdin::Stdin;
use super::usage::Meter;
use crate::session::event::{ErrorReport, Event, FrontEnd};
use crate::session::reply::ExecuteReply;
use crate::wire::connection::Connection;
use crate::wire::header::Header;
use crate::wire::message::{Content, Incoming};
use crate::wire::publish::{self, State};
use crate::wire::reply;
use crate::wire::request::{Execute, Request};

/// How long the notebook may take to end its processes. Jupyter kills a kernel 5 s after it asked it to go.
const FAREWELL: Duration = Duration::from_secs(2);

/// Answers requests.
pub(crate) struct Desk {
    pub(crate) notebook: Arc<dyn Notebook>,
    pub(crate) publisher: Publisher,
    pub(crate) stdin: Stdin,
    pub(crate) connection: Connection,
    pub(crate) meter: Meter,
    /// The count of the last cell that ran, for those that did not.
    pub(crate) count: AtomicU32,
    /// The kernel is going: no cell begins any more.
    pub(crate) closing: AtomicBool,
    /// Somebody asked the kernel to go, and has been answered.
    pub(crate) closed: Notify,
}

/// What follows from a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aftermath {
    Nothing,
    /// A cell failed whose sender wants the cells behind it not to run.
    StopQueue,
    /// The kernel was asked to go.
    Leave,
}

impl Desk {
    /// Answers a request on the socket that it came from. When the cells behind a failed one are not to run, the mark behind
    /// those that have arrived is set before the answer: what is sent by somebody who has seen the answer comes after it.
    pub(crate) async fn answer(
        &self,
        incoming: Incoming,
        mut socket: Sender,
        marker: Option<&Marker>,
    ) -> Aftermath {
        let Incoming { identities, header, request, .. } = incoming;
        let parent = Arc::new(header);
        self.publisher.publish(&parent, publish::status(State::Busy));
        let caller = Caller {
            parent: Arc::clone(&parent),
            identities: identities.clone(),
            publisher: self.publisher.clone(),
            stdin: None,
        };
        let (content, mut aftermath) =
            match AssertUnwindSafe(self.content(request, caller)).catch_unwind().await {
                Ok(result) => result,
                Err(_) => (Some(self.panicked(&parent)), Aftermath::Nothing),
            };
        if aftermath == Aftermath::StopQueue && !self.marked(marker).await {
            aftermath = Aftermath::Nothing;
        }
        self.publisher.barrier().await;
        if let Some(content) = content {
            socket.reply(identities, &parent, &content).await;
        }
        self.publisher.publish(&parent, publish::status(State::Idle));
        if aftermath == Aftermath::Leave {
            self.closed.notify_one();
        }
        aftermath
    }

    /// Whether a mark stands behind what has arrived. Without a reader there is none, and nothing to abort either.
    async fn marked(&self, marker: Option<&Marker>) -> bool {
        match marker {
            Some(marker) => marker.mark().await,
            None => false,
        }
    }

    /// Answers a cell that will not run.
    pub(crate) async fn abort(&self, incoming: Incoming, mut socket: Sender) {
        let parent = Arc::new(incoming.header);
        self.publisher.publish(&parent, publish::status(State::Busy));
        let content = reply::execute_aborted(self.count.load(Ordering::Relaxed));
        socket.reply(incoming.identities, &parent, &content).await;
        self.publisher.publish(&parent, publish::status(State::Idle));
    }

    /// Ends the notebook: what runs, what asks, what waits.
    pub(crate) async fn close(&self, restart: bool) {
        self.closing.store(true, Ordering::Relaxed);
        self.stdin.cancel();
        if tokio::time::timeout(FAREWELL, self.notebook.shutdown(restart)).await.is_err() {
            tracing::warn!("the notebook did not end in {} s: it is left behind", FAREWELL.as_secs());
        }
    }

    async fn content(&self, request: Request, caller: Caller) -> (Option<Content>, Aftermath) {
        let content = match request {
            Request::Execute(execute) => return self.execute(execute, caller).await,
            Request::Shutdown { restart } => {
                self.close(restart).await;
                return (Some(reply::shutdown(restart)), Aftermath::Leave);
            }
            Request::Complete(request) => {
                let code = request.code.clone();
                reply::complete(self.notebook.complete(request).await, &code)
            }
            Request::Inspect(request) => reply::inspect(self.notebook.inspect(request).await),
            Request::History(request) => {
                let output = request.output;
                reply::history(self.notebook.history(request).await, output)
            }
            Request::IsComplete { code } => reply::is_complete(&self.notebook.is_complete(code).await),
            Request::KernelInfo => reply::kernel_info(&self.notebook.info()),
            Request::CommInfo => reply::comm_info(),
            Request::Usage => self.meter.answer(&self.notebook.usage()),
            Request::Connect => reply::connect(&self.connection),
            Request::Interrupt => {
                self.stdin.cancel();
                self.notebook.interrupt().await;
                reply::interrupt()
            }
            Request::CommOpen { comm_id } => {
                // Nobody here knows its target: it is closed before its sender waits for it.
                self.publisher.publish(&caller.parent, publish::comm_close(comm_id));
                return (None, Aftermath::Nothing);
            }
            Request::Comm => return (None, Aftermath::Nothing),
            Request::InputReply { .. } | Request::Unknown => {
                tracing::info!("a message of type {} is not answered", caller.parent.msg_type);
                return (None, Aftermath::Nothing);
            }
        };
        (Some(content), Aftermath::Nothing)
    }

    async fn execute(&self, execute: Execute, caller: Caller) -> (Option<Content>, Aftermath) {
        let stdin = execute.allow_stdin.then(|| self.stdin.clone());
        let caller = Arc::new(Caller { stdin, ..caller });
        let reply = self.notebook.execute(execute.request, caller).await;
        self.count.store(reply.count, Ordering::Relaxed);
        let aftermath = match &reply.error {
            Some(_) if execute.stop_on_error => Aftermath::StopQueue,
            _ => Aftermath::Nothing,
        };
        (Some(reply::execute(reply)), aftermath)
    }

    /// The answer where ours panicked: a fault of the kernel, which must not leave its sender waiting.
    fn panicked(&self, parent: &Arc<Header>) -> Content {
        tracing::error!("the kernel panicked while it answered a {}", parent.msg_type);
        let value =
            "the kernel itself panicked while it answered; the notebook goes on. Please report it".to_owned();
        let report = ErrorReport { name: "KernelPanic".to_owned(), traceback: vec![value.clone()], value };
        if parent.msg_type != "execute_request" {
            return reply::trouble(&parent.msg_type, report);
        }
        let caller = Caller {
            parent: Arc::clone(parent),
            identities: Vec::new(),
            publisher: self.publisher.clone(),
            stdin: None,
        };
        caller.tell(Event::Error(report.clone()));
        reply::execute(ExecuteReply {
            count: self.count.load(Ordering::Relaxed),
            error: Some(report),
            user_expressions: Vec::new(),
            paged: Vec::new(),
            next_input: None,
        })
    }
}
