//! iopub alone, with a subscriber that does not read.

use bytes::Bytes;
use std::sync::Arc;
use zeromq::{Socket, SocketRecv, SubSocket};

use super::client::soon;
use crate::session::event::StreamName;
use crate::sockets::carrier::Carrier;
use crate::sockets::iopub::{self, Publisher};
use crate::wire::header::Header;
use crate::wire::message::Author;

/// What one subscriber may leave unread: less than is published here, more than a fast one ever does.
const LIMIT: usize = 32 << 20;

/// What is published: 64 texts of a megabyte. Far more than all buffers between the kernel and a subscriber hold.
const TEXTS: usize = 64;

async fn open(folder: &tempfile::TempDir, carrier: &Carrier) -> (Publisher, String) {
    let path = folder.path().join("iopub");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let author = Arc::new(Author::new("").unwrap());
    let opening = carrier.handle().spawn(async move { iopub::open(listener.into(), author, LIMIT) });
    (opening.await.unwrap().unwrap(), format!("ipc://{}", path.display()))
}

async fn subscribe(endpoint: &str) -> SubSocket {
    let mut socket = SubSocket::new();
    socket.connect(endpoint).await.unwrap();
    socket.subscribe("").await.unwrap();
    soon("the welcome", socket.recv()).await.unwrap();
    socket
}

/// One browser sleeps; the other must see everything, and the kernel must not grow without end. ZeroMQ's XPUB would wait for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_that_does_not_read_is_cut_off_and_holds_back_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let carrier = Carrier::new().unwrap();
    let (publisher, endpoint) = open(&folder, &carrier).await;
    let mut asleep = subscribe(&endpoint).await;
    let mut awake = subscribe(&endpoint).await;
    let parent = Arc::new(Header::parse(Bytes::from_static(br#"{"msg_type":"execute_request"}"#)).unwrap());
    let mut seen = 0;
    for _ in 0..TEXTS {
        publisher.stream(&parent, StreamName::Stdout, "x".repeat(1 << 20));
        while seen < (1 << 20) {
            seen += text_length(&mut awake).await;
        }
        seen -= 1 << 20;
    }
    publisher.close();
    // The one that sleeps holds no task any more: it was cut off. Its connection has ended within what was under way.
    assert!(carrier.delivered().await, "the end of the kernel waits for the one that does not read");
    let mut received = 0;
    while let Ok(Ok(message)) = tokio::time::timeout(std::time::Duration::from_secs(1), asleep.recv()).await {
        received += message.iter().map(Bytes::len).sum::<usize>();
    }
    assert!(received < TEXTS << 20, "{received} bytes reached the one that was cut off");
}

/// The length of the text in the next message, nothing if that is of another type.
async fn text_length(socket: &mut SubSocket) -> usize {
    let message = soon("a message", socket.recv()).await.unwrap();
    let content: serde_json::Value = serde_json::from_slice(message.iter().last().unwrap()).unwrap();
    content["text"].as_str().map_or(0, str::len)
}
