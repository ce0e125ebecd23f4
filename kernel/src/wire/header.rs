//! Message headers: those that come in, kept byte for byte, and those that we write.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};

/// The version of the protocol that we speak.
pub(crate) const PROTOCOL_VERSION: &str = "5.5";

/// The header of a message that came in.
///
/// Its bytes are kept, because the parent header of whatever we answer is a true copy of it, fields that we never heard of included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) raw: Bytes,
    pub(crate) msg_id: String,
    pub(crate) msg_type: String,
    /// Who sent it: a client keeps one name for as long as it lives.
    pub(crate) session: String,
}

impl Header {
    /// Reads a header. It must be a JSON object with a message type; what else is missing counts as empty.
    pub(crate) fn parse(raw: Bytes) -> Result<Self, String> {
        let map: Map<String, Value> = serde_json::from_slice(&raw)
            .map_err(|error| format!("its header is not a JSON object ({error})"))?;
        let field = |key: &str| map.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (msg_id, msg_type) = (field("msg_id"), field("msg_type"));
        if msg_type.is_empty() {
            return Err("its header has no `msg_type`".to_owned());
        }
        let session = field("session");
        Ok(Self { raw, msg_id, msg_type, session })
    }
}

/// A header of ours.
#[derive(Debug, Serialize)]
pub(crate) struct NewHeader<'a> {
    pub(crate) msg_id: String,
    pub(crate) msg_type: &'a str,
    session: &'a str,
    username: &'static str,
    date: String,
    version: &'static str,
}

impl<'a> NewHeader<'a> {
    /// A header with an identifier of its own and the time of now.
    pub(crate) fn new(session: &'a str, msg_type: &'a str) -> Self {
        Self {
            msg_id: uuid::Uuid::new_v4().to_string(),
            msg_type,
            session,
            username: "kernel",
            date: format!("{:.6}", jiff::Timestamp::now()),
            version: PROTOCOL_VERSION,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &'static str, expected: Result<(&str, &str), &str>) {
        match (Header::parse(Bytes::from_static(raw.as_bytes())), expected) {
            (Ok(header), Ok((msg_id, msg_type))) => {
                assert_eq!((header.msg_id.as_str(), header.msg_type.as_str()), (msg_id, msg_type));
                assert_eq!(header.raw, raw);
            }
            (Err(error), Err(expected)) => assert!(error.contains(expected), "{error}"),
            (found, expected) => panic!("{raw}: {found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn headers_are_read_leniently_and_kept_byte_for_byte() {
        check(r#"{"msg_id":"a","msg_type":"execute_request"}"#, Ok(("a", "execute_request")));
        check(r#"{ "msg_type" : "x", "subshell_id": null, "username": 7, "é": [1] }"#, Ok(("", "x")));
        check(r#"{"msg_id":"a"}"#, Err("no `msg_type`"));
        check("[]", Err("not a JSON object"));
        check("", Err("not a JSON object"));
    }

    #[test]
    fn our_headers_have_what_the_protocol_asks_for() {
        let header = serde_json::to_value(NewHeader::new("session", "status")).unwrap();
        let typed: jupyter_protocol::Header = serde_json::from_value(header.clone()).unwrap();
        assert_eq!(
            (typed.session.as_str(), typed.msg_type.as_str(), typed.version.as_str()),
            ("session", "status", "5.5")
        );
        let date = header["date"].as_str().unwrap();
        // 2026-11-22T14:06:23.123456Z: jupyter_client parses no other than six digits.
        assert_eq!((date.len(), &date[10..11], &date[19..20], &date[26..]), (27, "T", ".", "Z"), "{date}");
    }
}
