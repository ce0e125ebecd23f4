//! The front end that sent a cell, as the session sees it: its events go to iopub, its questions to stdin.

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::Arc;

use super::iopub::Publisher;
use super::stdin::Stdin;
use crate::session::event::{Event, FrontEnd, NoInput};
use crate::wire::header::Header;
use crate::wire::publish;

/// Whoever sent an execute request.
pub(crate) struct Caller {
    pub(crate) parent: Arc<Header>,
    pub(crate) identities: Vec<Bytes>,
    pub(crate) publisher: Publisher,
    /// None if the request said that it cannot be asked.
    pub(crate) stdin: Option<Stdin>,
}

impl FrontEnd for Caller {
    fn tell(&self, event: Event) {
        let content = match event {
            Event::Stream { name, text } => return self.publisher.stream(&self.parent, name, text),
            Event::Input { code, count } => publish::execute_input(code, count),
            Event::Display { bundle, display_id } => publish::display_data(bundle, display_id),
            Event::UpdateDisplay { bundle, display_id } => publish::update_display_data(bundle, display_id),
            Event::ClearOutput { wait } => publish::clear_output(wait),
            Event::Value { bundle, count } => publish::execute_result(bundle, count),
            Event::Error(report) => publish::error(report),
        };
        self.publisher.publish(&self.parent, content);
    }

    fn ask(&self, prompt: String, password: bool) -> BoxFuture<'_, Result<String, NoInput>> {
        async move {
            let stdin = self.stdin.as_ref().ok_or(NoInput::NotAllowed)?;
            // What the cell printed is on the page before the question is.
            self.publisher.barrier().await;
            stdin.ask(self.identities.clone(), Arc::clone(&self.parent), prompt, password).await
        }
        .boxed()
    }
}
