//! Whole messages: from frames to a request with its header, and from content to signed frames.

use bytes::Bytes;
use jupyter_protocol::UnknownMessage;
use serde_json::{Map, Value};
use std::fmt;

use super::frames::{FrameError, Frames, Signer};
use super::header::{Header, NewHeader};
use super::request::Request;

/// What a message of ours says, with its type: a type of jupyter-protocol where that is exact, else `UnknownMessage`.
pub(crate) use jupyter_protocol::JupyterMessageContent as Content;

/// Content for which jupyter-protocol has no type, or one that would change it.
pub(crate) fn content(msg_type: &str, content: Value) -> Content {
    Content::UnknownMessage(UnknownMessage { msg_type: msg_type.to_owned(), content })
}

/// An object of `fields`. Unlike `json!` it moves them, which may be megabytes.
pub(crate) fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>().into()
}

/// A message that came in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Incoming {
    /// Who must get the answer.
    pub(crate) identities: Vec<Bytes>,
    pub(crate) header: Header,
    /// The identifier of the message that this one answers, if it names one.
    pub(crate) parent_id: Option<String>,
    pub(crate) request: Request,
}

/// A message to send.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) msg_id: String,
    pub(crate) frames: Vec<Bytes>,
}

/// Reads and writes the messages of one kernel process.
#[derive(Debug, Clone)]
pub(crate) struct Author {
    signer: Signer,
    session: String,
}

impl Author {
    /// An author with a session identifier of its own.
    pub(crate) fn new(key: &str) -> Result<Self, FrameError> {
        Ok(Self { signer: Signer::new(key)?, session: uuid::Uuid::new_v4().to_string() })
    }

    /// The identifier of this kernel process in its headers.
    pub(crate) fn session(&self) -> &str {
        &self.session
    }

    /// Understands a message.
    pub(crate) fn read(&self, frames: Vec<Bytes>) -> Result<Incoming, MessageError> {
        let frames = Frames::decode(frames, &self.signer).map_err(MessageError::Frames)?;
        let header = Header::parse(frames.header).map_err(MessageError::Json)?;
        let content: Map<String, Value> = serde_json::from_slice(&frames.content).map_err(|error| {
            MessageError::Json(format!(
                "the content of its {} is not a JSON object ({error})",
                header.msg_type
            ))
        })?;
        let request = Request::parse(&header.msg_type, &content).with_metadata(&frames.metadata);
        let parent_id = Header::parse(frames.parent_header).ok().map(|parent| parent.msg_id);
        Ok(Incoming { identities: frames.identities, header, parent_id, request })
    }

    /// Writes a message to `identities` (a topic, on iopub) that answers `parent`.
    pub(crate) fn write(
        &self,
        identities: Vec<Bytes>,
        parent: Option<&Header>,
        content: &Content,
    ) -> Result<Outgoing, MessageError> {
        let json = |error: serde_json::Error| MessageError::Json(error.to_string());
        let header = NewHeader::new(&self.session, content.message_type());
        let frames = Frames {
            identities,
            header: serde_json::to_vec(&header).map_err(json)?.into(),
            parent_header: parent.map_or(Bytes::from_static(b"{}"), |parent| parent.raw.clone()),
            metadata: Bytes::from_static(b"{}"),
            content: serde_json::to_vec(content).map_err(json)?.into(),
            buffers: Vec::new(),
        };
        Ok(Outgoing { msg_id: header.msg_id, frames: frames.encode(&self.signer) })
    }
}

/// Why a message cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MessageError {
    Frames(FrameError),
    Json(String),
}

impl fmt::Display for MessageError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frames(error) => error.fmt(formatter),
            Self::Json(what) => formatter.write_str(what),
        }
    }
}

impl std::error::Error for MessageError {}

/// Whether a content is the one expected, and a stranger's reader takes it too.
#[cfg(test)]
#[track_caller]
pub(crate) fn check(content: &Content, msg_type: &str, expected: &Value) {
    assert_eq!(content.message_type(), msg_type);
    let found = serde_json::to_value(content).unwrap();
    assert_eq!(&found, expected);
    Content::from_type_and_content(msg_type, found).unwrap();
}

#[cfg(test)]
mod tests {
    use super::*;
    use jupyter_protocol::Status;
    use serde_json::json;

    fn request(content: &'static [u8]) -> Vec<Bytes> {
        let frames = Frames {
            identities: vec![Bytes::from_static(b"client")],
            header: Bytes::from_static(
                br#"{ "msg_id": "7",  "msg_type": "kernel_info_request", "subshell_id": null }"#,
            ),
            parent_header: Bytes::from_static(b"{}"),
            metadata: Bytes::from_static(b"{}"),
            content: Bytes::from_static(content),
            buffers: vec![],
        };
        frames.encode(&Signer::new("key").unwrap())
    }

    #[test]
    fn the_parent_header_is_a_true_copy() {
        let author = Author::new("key").unwrap();
        let incoming = author.read(request(b"{}")).unwrap();
        let status = Content::Status(Status::busy());
        let outgoing =
            author.write(vec![Bytes::from_static(b"topic")], Some(&incoming.header), &status).unwrap();
        let frames = Frames::decode(outgoing.frames, &author.signer).unwrap();
        assert_eq!(frames.parent_header, incoming.header.raw);
        assert_eq!(frames.content, r#"{"execution_state":"busy"}"#);
        let header: Value = serde_json::from_slice(&frames.header).unwrap();
        assert_eq!((&header["msg_type"], &header["session"]), (&json!("status"), &json!(author.session())));
    }

    #[test]
    fn content_that_is_no_object_is_an_error_that_says_so() {
        let author = Author::new("key").unwrap();
        for content in [&b"[]"[..], b"", b"{\"code\": \"\xff\"}", b"null"] {
            let error = author.read(request(content)).unwrap_err().to_string();
            assert!(error.contains("the content of its kernel_info_request is not a JSON object"), "{error}");
        }
    }

    #[test]
    fn unknown_content_is_written_as_it_is() {
        let outgoing = Author::new("")
            .unwrap()
            .write(vec![], None, &content("connect_reply", json!({"b": 1, "a": 2})))
            .unwrap();
        assert_eq!(outgoing.frames[5], r#"{"b":1,"a":2}"#);
        assert_eq!(outgoing.frames[3], "{}");
    }
}
