//! A front end of the tests: five sockets, and a memory for messages that came before they were asked for.

use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::time::Duration;
use zeromq::util::PeerIdentity;
use zeromq::{DealerSocket, Socket, SocketOptions, SocketRecv, SocketSend, SubSocket, ZmqMessage};

use crate::wire::connection::{Channel, Connection};
use crate::wire::frames::{Frames, Signer};
use crate::wire::message::{Author, content};

/// Waits for what must come. Only a test that fails waits this long.
pub(super) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(60), future).await {
        Ok(value) => value,
        Err(_) => panic!("this never came: {what}"),
    }
}

/// A message that came, or that was sent.
#[derive(Debug, Clone)]
pub(super) struct Got {
    pub(super) msg_type: String,
    pub(super) msg_id: String,
    pub(super) header: Value,
    pub(super) parent: Value,
    pub(super) content: Value,
}

impl Got {
    fn new(frames: Vec<Bytes>, key: &str) -> Self {
        let frames = Frames::decode(frames, &Signer::new(key).unwrap()).unwrap();
        let json = |frame: &Bytes| serde_json::from_slice::<Value>(frame).unwrap();
        let header = json(&frames.header);
        let field = |name: &str| header[name].as_str().unwrap().to_owned();
        Self {
            msg_type: field("msg_type"),
            msg_id: field("msg_id"),
            parent: json(&frames.parent_header),
            content: json(&frames.content),
            header,
        }
    }

    /// The status of a reply that says that all is well, in the words of its type.
    pub(super) fn ok(&self) -> Value {
        json!(if self.msg_type == "is_complete_reply" { "complete" } else { "ok" })
    }

    fn answers(&self, request: &Self) -> bool {
        self.parent["msg_id"] == request.header["msg_id"]
    }

    fn is_idle(&self) -> bool {
        self.content["execution_state"] == "idle"
    }
}

pub(super) struct Client {
    key: String,
    author: Author,
    shell: DealerSocket,
    control: DealerSocket,
    stdin: DealerSocket,
    heartbeat: DealerSocket,
    iopub: SubSocket,
    /// Published and not yet asked for.
    unread: VecDeque<Got>,
}

impl Client {
    /// A client that has heard its welcome, and that the kernel starts if it does.
    pub(super) async fn connect(connection: &Connection, name: &str) -> Self {
        let mut client = Self::connect_unheard(connection, name).await;
        let welcome = client.published().await;
        assert_eq!(welcome.msg_type, "iopub_welcome");
        client
    }

    pub(super) async fn connect_unheard(connection: &Connection, name: &str) -> Self {
        Self::connect_with(connection, name, connection.key()).await
    }

    pub(super) async fn connect_with(connection: &Connection, name: &str, key: &str) -> Self {
        let endpoint = |channel| connection.endpoint(channel).to_string();
        let mut iopub = SubSocket::new();
        iopub.connect(&endpoint(Channel::Iopub)).await.unwrap();
        iopub.subscribe("").await.unwrap();
        Self {
            key: key.to_owned(),
            author: Author::new(key).unwrap(),
            shell: dealer(&endpoint(Channel::Shell), name).await,
            control: dealer(&endpoint(Channel::Control), name).await,
            stdin: dealer(&endpoint(Channel::Stdin), name).await,
            heartbeat: dealer(&endpoint(Channel::Heartbeat), name).await,
            iopub,
            unread: VecDeque::new(),
        }
    }

    pub(super) async fn execute(&mut self, code: &str) -> Got {
        self.ask("execute_request", json!({ "code": code })).await
    }

    pub(super) async fn ask(&mut self, msg_type: &str, body: Value) -> Got {
        let frames = self.frames(msg_type, body.to_string().as_bytes());
        self.send_frames(frames.clone()).await;
        Got::new(frames, &self.key)
    }

    pub(super) async fn ask_control(&mut self, msg_type: &str, body: Value) -> Got {
        let frames = self.frames(msg_type, body.to_string().as_bytes());
        self.control.send(ZmqMessage::try_from(frames.clone()).unwrap()).await.unwrap();
        Got::new(frames, &self.key)
    }

    /// Asks on control once `request` is answered on shell.
    pub(super) async fn ask_control_after(&mut self, request: &Got, msg_type: &str, body: Value) -> Got {
        self.reply(request).await;
        self.ask_control(msg_type, body).await
    }

    /// A signed message with any bytes as its content.
    pub(super) fn frames(&self, msg_type: &str, body: &[u8]) -> Vec<Bytes> {
        let outgoing = self.author.write(vec![], None, &content(msg_type, json!({}))).unwrap();
        let signer = Signer::new(&self.key).unwrap();
        let frames = Frames::decode(outgoing.frames, &signer).unwrap();
        Frames { content: Bytes::copy_from_slice(body), ..frames }.encode(&signer)
    }

    pub(super) async fn send_frames(&mut self, frames: Vec<Bytes>) {
        self.shell.send(ZmqMessage::try_from(frames).unwrap()).await.unwrap();
    }

    /// The next reply on shell, which must be to `request`.
    pub(super) async fn reply(&mut self, request: &Got) -> Got {
        let reply = self.next_reply().await;
        assert!(reply.answers(request), "{reply:?} does not answer {request:?}");
        reply
    }

    pub(super) async fn next_reply(&mut self) -> Got {
        receive("a reply on shell", &mut self.shell, &self.key).await
    }

    pub(super) async fn reply_control(&mut self, request: &Got) -> Got {
        let reply = receive("a reply on control", &mut self.control, &self.key).await;
        assert!(reply.answers(request), "{reply:?} does not answer {request:?}");
        reply
    }

    pub(super) async fn question(&mut self) -> Got {
        let question = receive("a question on stdin", &mut self.stdin, &self.key).await;
        assert_eq!(question.msg_type, "input_request");
        question
    }

    pub(super) async fn answer(&mut self, line: &str, parent: Option<Value>) {
        let signer = Signer::new(&self.key).unwrap();
        let body = json!({ "value": line }).to_string();
        let mut frames = Frames::decode(self.frames("input_reply", body.as_bytes()), &signer).unwrap();
        frames.parent_header = parent.unwrap_or_else(|| json!({})).to_string().into();
        self.stdin.send(ZmqMessage::try_from(frames.encode(&signer)).unwrap()).await.unwrap();
    }

    pub(super) async fn beat(&mut self, frames: Vec<Bytes>) -> Vec<Bytes> {
        self.heartbeat.send(ZmqMessage::try_from(frames).unwrap()).await.unwrap();
        soon("a heartbeat", self.heartbeat.recv()).await.unwrap().into_vec()
    }

    /// Waits until the kernel has read everything that this client has sent on shell: an interrupt there is answered when it is
    /// read, ahead of the cells that wait.
    pub(super) async fn has_been_read(&mut self) {
        let request = self.ask("interrupt_request", json!({})).await;
        self.reply(&request).await;
    }

    /// The next message on iopub.
    pub(super) async fn published(&mut self) -> Got {
        match self.unread.pop_front() {
            Some(message) => message,
            None => receive("a message on iopub", &mut self.iopub, &self.key).await,
        }
    }

    /// The first message of `msg_type` that belongs to `request`, and which is not looked at again.
    pub(super) async fn until(&mut self, request: &Got, msg_type: &str) -> Got {
        let of_request = |message: &Got| message.answers(request) && message.msg_type == msg_type;
        let mut others = VecDeque::new();
        let found = loop {
            let message = self.published().await;
            match of_request(&message) {
                true => break message,
                false => others.push_back(message),
            }
        };
        // Those of the same request that came before it have been passed over; others' are kept.
        others.retain(|message| !message.answers(request));
        others.append(&mut self.unread);
        self.unread = others;
        found
    }

    /// What belongs to `request`, from here to its idle.
    pub(super) async fn until_idle(&mut self, request: &Got) -> Vec<Got> {
        let (mut mine, mut others) = (Vec::new(), VecDeque::new());
        loop {
            let message = self.published().await;
            if !message.answers(request) {
                others.push_back(message);
                continue;
            }
            let idle = message.is_idle();
            mine.push(message);
            if idle {
                others.append(&mut self.unread);
                self.unread = others;
                return mine;
            }
        }
    }
}

async fn dealer(endpoint: &str, name: &str) -> DealerSocket {
    let mut options = SocketOptions::default();
    options.peer_identity(PeerIdentity::try_from(name.as_bytes()).unwrap());
    let mut socket = DealerSocket::with_options(options);
    socket.connect(endpoint).await.unwrap();
    socket
}

async fn receive(what: &str, socket: &mut impl SocketRecv, key: &str) -> Got {
    Got::new(soon(what, socket.recv()).await.unwrap().into_vec(), key)
}
