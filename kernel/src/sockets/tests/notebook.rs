//! A notebook whose cells are lists of what it should do, a line each.

use assay_magics::render::Bundle;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::session::event::{ErrorReport, Event, FrontEnd, StreamName};
use crate::session::reply::{
    CompleteReply, ExecuteReply, HistoryReply, InspectReply, IsCompleteReply, KernelInfo, Usage,
};
use crate::session::request::{CompleteRequest, ExecuteRequest, HistoryRequest, InspectRequest};

#[derive(Default)]
pub(super) struct Notebook {
    pub(super) ran: AtomicU32,
    /// Opens for the cell that says `gate`.
    pub(super) gate: Notify,
    pub(super) closed: AtomicBool,
    stop: Notify,
}

impl Notebook {
    async fn line(
        &self,
        line: &str,
        count: u32,
        front_end: &dyn FrontEnd,
        stop: Pin<&mut Notified<'_>>,
    ) -> Result<(), ErrorReport> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let stream = |name, text: &str| {
            let text = text.to_owned();
            front_end.tell(Event::Stream { name, text });
        };
        let value = |text: String| {
            let bundle = Bundle::text(text);
            front_end.tell(Event::Value { bundle, count });
        };
        let number = || rest.parse::<usize>().unwrap();
        match word {
            "input" => front_end.tell(Event::Input { code: line.to_owned(), count }),
            "out" => stream(StreamName::Stdout, rest),
            "err" => stream(StreamName::Stderr, rest),
            "flood" => (0..number()).for_each(|_| stream(StreamName::Stdout, "éé 0123456789\n")),
            "display" => front_end.tell(Event::Display { bundle: Bundle::text("d"), display_id: None }),
            "displays" => (0..number()).for_each(|_| {
                front_end.tell(Event::Display { bundle: Bundle::text("d".repeat(200)), display_id: None });
            }),
            "value" => value("7".to_owned()),
            "length" => value(line.len().to_string()),
            "ask" => value(format!("{:?}", front_end.ask("> ".to_owned(), false).await)),
            "gate" => self.gate.notified().await,
            "wait" => {
                stop.await;
                return Err(report("Interrupted"));
            }
            "fail" => {
                front_end.tell(Event::Error(report("Failure")));
                return Err(report("Failure"));
            }
            other => panic!("a cell says {other}"),
        }
        Ok(())
    }
}

fn report(name: &str) -> ErrorReport {
    ErrorReport { name: name.to_owned(), ..ErrorReport::default() }
}

impl super::super::Notebook for Notebook {
    fn execute(&self, request: ExecuteRequest, front_end: Arc<dyn FrontEnd>) -> BoxFuture<'_, ExecuteReply> {
        async move {
            let count = self.ran.fetch_add(1, Ordering::SeqCst) + 1;
            // From its first line on: whoever sees that the cell runs may interrupt it.
            let stop = self.stop.notified();
            tokio::pin!(stop);
            stop.as_mut().enable();
            let mut error = None;
            for line in request.code.lines() {
                error = error.or(self.line(line, count, &*front_end, stop.as_mut()).await.err());
            }
            ExecuteReply { count, error, user_expressions: vec![], paged: vec![], next_input: None }
        }
        .boxed()
    }

    fn complete(&self, request: CompleteRequest) -> BoxFuture<'_, CompleteReply> {
        async move { CompleteReply { matches: vec![], start: request.cursor, end: request.cursor } }.boxed()
    }

    fn inspect(&self, _: InspectRequest) -> BoxFuture<'_, InspectReply> {
        async { InspectReply::default() }.boxed()
    }

    fn history(&self, _: HistoryRequest) -> BoxFuture<'_, HistoryReply> {
        async { HistoryReply::default() }.boxed()
    }

    fn is_complete(&self, _: String) -> BoxFuture<'_, IsCompleteReply> {
        async { IsCompleteReply::Complete }.boxed()
    }

    fn info(&self) -> KernelInfo {
        KernelInfo { rust_version: "1.95.0".to_owned(), banner: "a test".to_owned() }
    }

    fn usage(&self) -> Usage {
        Usage::default()
    }

    fn interrupt(&self) -> BoxFuture<'_, ()> {
        async { self.stop.notify_waiters() }.boxed()
    }

    fn shutdown(&self, _: bool) -> BoxFuture<'_, ()> {
        async {
            self.closed.store(true, Ordering::SeqCst);
            self.stop.notify_waiters();
        }
        .boxed()
    }
}
