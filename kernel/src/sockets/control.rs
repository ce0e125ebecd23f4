//! control: what must not wait for a cell.
//!
//! Every request is a task of its own, so that nothing here waits for anything else here. Only a cell goes where cells go.

use std::sync::Arc;
use tokio::task::JoinSet;

use super::desk::Desk;
use super::router::{Receiver, Sender};
use super::shell::Queue;
use crate::wire::request::Request;

/// Reads control for ever.
pub(crate) async fn read(mut receiver: Receiver, sender: Sender, queue: Queue, desk: Arc<Desk>) {
    let mut requests = JoinSet::new();
    loop {
        let incoming = receiver.next().await;
        if matches!(incoming.request, Request::Execute(_)) {
            queue.put(incoming, sender.clone());
            continue;
        }
        let (desk, sender) = (Arc::clone(&desk), sender.clone());
        requests.spawn(async move { desk.answer(incoming, sender, None).await });
        while requests.try_join_next().is_some() {}
    }
}
