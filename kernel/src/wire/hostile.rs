//! Whatever arrives, reading it ends in a message or in an error: never in a panic.
//!
//! A fuzz target that runs bounded with the tests. `cargo bolero test wire::hostile::any_frames` runs it for as long as one likes.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Map, Value};

use super::frames::{Frames, Signer};
use super::message::Author;
use super::reply;
use super::request::Request;
use crate::session::reply::CompleteReply;

/// The types whose content is read.
const TYPES: [&str; 15] = [
    "execute_request",
    "complete_request",
    "inspect_request",
    "history_request",
    "is_complete_request",
    "kernel_info_request",
    "comm_info_request",
    "comm_open",
    "comm_close",
    "shutdown_request",
    "interrupt_request",
    "usage_request",
    "connect_request",
    "input_reply",
    "",
];

#[test]
fn any_frames() {
    let unsigned = Author::new("").unwrap();
    let signed = Author::new("key").unwrap();
    bolero::check!().with_type::<(Vec<Vec<u8>>, Vec<u8>, u8)>().for_each(|(identities, content, kind)| {
        let raw = |frames: &[Vec<u8>]| frames.iter().cloned().map(Bytes::from).collect::<Vec<_>>();
        assert!(signed.read(raw(identities)).is_err());
        // The same bytes where a message has them: behind the delimiter, as content of a known type.
        let msg_type = TYPES[usize::from(*kind) % TYPES.len()];
        let message = Frames {
            identities: raw(identities),
            header: format!("{{\"msg_type\":\"{msg_type}\"}}").into(),
            content: content.clone().into(),
            ..Frames::default()
        };
        let frames = message.encode(&Signer::new("").unwrap());
        let readable = serde_json::from_slice::<Map<String, Value>>(content).is_ok() && !msg_type.is_empty();
        let delimited = identities.iter().any(|frame| frame == b"<IDS|MSG>");
        assert_eq!(unsigned.read(frames).is_ok(), readable && !delimited);
    });
}

/// Any JSON, with the keys that requests have more often than others.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map("[a-z_]{1,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn content() -> impl Strategy<Value = Map<String, Value>> {
    let key = prop::sample::select(vec![
        "code",
        "silent",
        "store_history",
        "user_expressions",
        "allow_stdin",
        "stop_on_error",
        "cursor_pos",
        "detail_level",
        "hist_access_type",
        "n",
        "start",
        "stop",
        "session",
        "pattern",
        "unique",
        "output",
        "restart",
        "comm_id",
        "value",
    ]);
    proptest::collection::hash_map(key.prop_map(str::to_owned), json(), 0..8)
        .prop_map(|map| map.into_iter().collect())
}

proptest! {
    /// Whatever the content, the request is understood, and its cursor can slice its code.
    #[test]
    fn any_content(msg_type in prop::sample::select(TYPES.to_vec()), content in content()) {
        let (code, cursor) = match Request::parse(msg_type, &content) {
            Request::Complete(request) => (request.code, request.cursor),
            Request::Inspect(request) => (request.code, request.cursor),
            _ => return Ok(()),
        };
        prop_assert!(code.is_char_boundary(cursor));
        let answer = reply::complete(CompleteReply { matches: vec![], start: 0, end: cursor }, &code);
        prop_assert!(serde_json::to_value(answer).is_ok());
    }
}
