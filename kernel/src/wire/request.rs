//! What front ends ask, read leniently: whatever a public client sends is understood.
//!
//! A field that is missing, null or of the wrong type has the value that the protocol documents as its default.

use serde_json::{Map, Value};

use super::cursor;
use crate::session::request::{
    CompleteRequest, ExecuteRequest, HistoryAccess, HistoryRequest, InspectRequest,
};

/// How many lines of the history a client gets that does not say how many it wants.
const HISTORY_LINES: usize = 10;

/// A request of any type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Request {
    Execute(Execute),
    Complete(CompleteRequest),
    Inspect(InspectRequest),
    History(HistoryRequest),
    IsComplete {
        code: String,
    },
    KernelInfo,
    CommInfo,
    CommOpen {
        comm_id: String,
    },
    /// A message for a comm, or its end. No comm is ever open, so there is nothing to do.
    Comm,
    Shutdown {
        restart: bool,
    },
    Interrupt,
    Usage,
    Connect,
    /// The user's line.
    InputReply {
        value: String,
    },
    /// A type that we do not answer.
    Unknown,
}

/// A cell to run, with what concerns the wire alone.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Execute {
    pub(crate) request: ExecuteRequest,
    /// Whether the front end can be asked for input.
    pub(crate) allow_stdin: bool,
    /// Whether a failure aborts the cells that wait.
    pub(crate) stop_on_error: bool,
}

impl Request {
    /// The same request with what its metadata say: who has pages names the cell of an `execute_request` there. (JupyterLab and VS Code do, consoles and nbclient do not.)
    pub(crate) fn with_metadata(self, metadata: &[u8]) -> Self {
        match self {
            Self::Execute(mut execute) => {
                // Nobody is refused for metadata that are none.
                let metadata: Value = serde_json::from_slice(metadata).unwrap_or_default();
                execute.request.on_page = metadata.get("cellId").is_some_and(Value::is_string);
                Self::Execute(execute)
            }
            other => other,
        }
    }

    /// Reads the content of a message of type `msg_type`.
    pub(crate) fn parse(msg_type: &str, content: &Map<String, Value>) -> Self {
        let content = Fields(content);
        match msg_type {
            "execute_request" => Self::Execute(content.execute()),
            "complete_request" => Self::Complete(content.complete()),
            "inspect_request" => Self::Inspect(content.inspect()),
            "history_request" => Self::History(content.history()),
            "is_complete_request" => Self::IsComplete { code: content.text("code") },
            "kernel_info_request" => Self::KernelInfo,
            "comm_info_request" => Self::CommInfo,
            "comm_open" => Self::CommOpen { comm_id: content.text("comm_id") },
            "comm_msg" | "comm_close" => Self::Comm,
            "shutdown_request" => Self::Shutdown { restart: content.flag("restart", false) },
            "interrupt_request" => Self::Interrupt,
            "usage_request" => Self::Usage,
            "connect_request" => Self::Connect,
            "input_reply" => Self::InputReply { value: content.text("value") },
            _ => Self::Unknown,
        }
    }
}

/// The fields of a content.
struct Fields<'a>(&'a Map<String, Value>);

impl Fields<'_> {
    fn execute(&self) -> Execute {
        let silent = self.flag("silent", false);
        Execute {
            request: ExecuteRequest {
                code: self.text("code"),
                silent,
                store_history: !silent && self.flag("store_history", true),
                user_expressions: self.user_expressions(),
                on_page: false,
            },
            allow_stdin: self.flag("allow_stdin", true),
            stop_on_error: self.flag("stop_on_error", true),
        }
    }

    fn user_expressions(&self) -> Vec<(String, String)> {
        let Some(Value::Object(map)) = self.0.get("user_expressions") else {
            return Vec::new();
        };
        // An expression that is not a string is written as JSON, which Rust reads alike: 7, true, [1, 2].
        let source = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        map.iter().map(|(key, value)| (key.clone(), source(value))).collect()
    }

    fn complete(&self) -> CompleteRequest {
        let code = self.text("code");
        CompleteRequest { cursor: self.cursor(&code), code }
    }

    fn inspect(&self) -> InspectRequest {
        let code = self.text("code");
        let detailed = self.number("detail_level").is_some_and(|level| level > 0);
        InspectRequest { cursor: self.cursor(&code), code, detailed }
    }

    fn history(&self) -> HistoryRequest {
        HistoryRequest { output: self.flag("output", false), access: self.history_access() }
    }

    fn history_access(&self) -> HistoryAccess {
        let count = self.number("n").map(|n| usize::try_from(n).unwrap_or(0));
        match self.text("hist_access_type").as_str() {
            "tail" => HistoryAccess::Tail { n: count.unwrap_or(HISTORY_LINES) },
            "search" => HistoryAccess::Search {
                pattern: self.0.get("pattern").and_then(Value::as_str).unwrap_or("*").to_owned(),
                n: count,
                unique: self.flag("unique", false),
            },
            // Clients that do not say mean a range.
            _ => HistoryAccess::Range {
                session: self.number("session").unwrap_or(0),
                start: self.number("start").unwrap_or(0),
                stop: self.number("stop"),
            },
        }
    }

    fn cursor(&self, code: &str) -> usize {
        self.number("cursor_pos").map_or(code.len(), |position| cursor::to_byte(code, position))
    }

    fn text(&self, key: &str) -> String {
        self.0.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    fn flag(&self, key: &str, default: bool) -> bool {
        self.0.get(key).and_then(Value::as_bool).unwrap_or(default)
    }

    /// A whole number, also where a client writes it as `3.0`.
    fn number(&self, key: &str) -> Option<i64> {
        let value = self.0.get(key)?;
        let whole = |number: f64| (number.fract() == 0.0).then_some(number as i64);
        value.as_i64().or_else(|| value.as_f64().and_then(whole))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(msg_type: &str, content: &Value, expected: &Request) {
        let found = Request::parse(msg_type, content.as_object().unwrap());
        assert_eq!(&found, expected, "{msg_type} {content}");
    }

    fn execute(code: &str) -> Execute {
        Execute {
            request: ExecuteRequest {
                code: code.to_owned(),
                silent: false,
                store_history: true,
                user_expressions: vec![],
                on_page: false,
            },
            allow_stdin: true,
            stop_on_error: true,
        }
    }

    #[test]
    fn a_cell_that_is_named_stands_on_a_page() {
        let on_page = |metadata: &str| {
            let request = Request::Execute(execute("1")).with_metadata(metadata.as_bytes());
            matches!(request, Request::Execute(Execute { request: ExecuteRequest { on_page: true, .. }, .. }))
        };
        assert!(on_page(r#"{"cellId": "a1b2", "deletedCells": []}"#));
        for other in ["{}", "", "[]", "{\"cellId\": 7}", "{\"cellId\""] {
            assert!(!on_page(other), "{other}");
        }
    }

    #[test]
    fn a_sparse_execute_request_has_the_documented_defaults() {
        check("execute_request", &json!({"code": "1"}), &Request::Execute(execute("1")));
        check("execute_request", &json!({}), &Request::Execute(execute("")));
        let odd = json!({"code": "1", "silent": null, "store_history": "yes", "user_expressions": [], "allow_stdin": 0,
            "stop_on_error": null});
        check("execute_request", &odd, &Request::Execute(execute("1")));
    }

    #[test]
    fn silent_forces_store_history_off() {
        let mut expected = execute("1");
        expected.request.silent = true;
        expected.request.store_history = false;
        check(
            "execute_request",
            &json!({"code": "1", "silent": true, "store_history": true}),
            &Request::Execute(expected),
        );
    }

    #[test]
    fn every_user_expression_keeps_its_key() {
        let mut expected = execute("");
        expected.request.user_expressions = [("a", "x + 1"), ("b", "7"), ("c", "[1,true]"), ("d", "null")]
            .map(|(key, source)| (key.to_owned(), source.to_owned()))
            .to_vec();
        let expressions = json!({"a": "x + 1", "b": 7, "c": [1, true], "d": null});
        check("execute_request", &json!({"user_expressions": expressions}), &Request::Execute(expected));
    }

    #[test]
    fn a_cursor_counts_code_points_and_is_the_end_of_the_code_when_it_is_missing() {
        let complete = |cursor| Request::Complete(CompleteRequest { code: "é.x".to_owned(), cursor });
        check("complete_request", &json!({"code": "é.x", "cursor_pos": 2}), &complete(3));
        check("complete_request", &json!({"code": "é.x", "cursor_pos": 2.0}), &complete(3));
        check("complete_request", &json!({"code": "é.x"}), &complete(4));
        check("complete_request", &json!({"code": "é.x", "cursor_pos": null}), &complete(4));
        check("complete_request", &json!({"code": "é.x", "cursor_pos": 99}), &complete(4));
        check("complete_request", &json!({"code": "é.x", "cursor_pos": -3}), &complete(0));
        let inspect =
            |detailed| Request::Inspect(InspectRequest { code: "é".to_owned(), cursor: 2, detailed });
        check("inspect_request", &json!({"code": "é", "cursor_pos": 1, "detail_level": 1}), &inspect(true));
        check("inspect_request", &json!({"code": "é"}), &inspect(false));
    }

    fn check_history(content: &Value, output: bool, access: HistoryAccess) {
        check("history_request", content, &Request::History(HistoryRequest { output, access }));
    }

    /// What `KernelClient.history()` of jupyter_client sends, and jupyter_kernel_test with it.
    #[test]
    fn sparse_history_requests_are_understood() {
        let search = |n, unique| HistoryAccess::Search { pattern: "a*".to_owned(), n, unique };
        check_history(
            &json!({"raw": true, "output": false, "hist_access_type": "search", "pattern": "a*"}),
            false,
            search(None, false),
        );
        check_history(
            &json!({"hist_access_type": "search", "pattern": "a*", "n": 3, "unique": true}),
            false,
            search(Some(3), true),
        );
        check_history(
            &json!({"hist_access_type": "tail", "output": true}),
            true,
            HistoryAccess::Tail { n: 10 },
        );
        check_history(&json!({"hist_access_type": "tail", "n": -1}), false, HistoryAccess::Tail { n: 0 });
        let range = |start, stop| HistoryAccess::Range { session: 0, start, stop };
        check_history(&json!({"hist_access_type": "range", "session": 0, "start": 1}), false, range(1, None));
        check_history(&json!({"start": 1, "stop": 4}), false, range(1, Some(4)));
    }

    #[test]
    fn what_needs_little_asks_for_little() {
        check("shutdown_request", &json!({}), &Request::Shutdown { restart: false });
        check("shutdown_request", &json!({"restart": true}), &Request::Shutdown { restart: true });
        check("comm_open", &json!({"comm_id": "c"}), &Request::CommOpen { comm_id: "c".to_owned() });
        check("comm_msg", &json!({"comm_id": "c", "data": {}}), &Request::Comm);
        check("comm_close", &json!({}), &Request::Comm);
        check("comm_info_request", &json!({"target_name": null}), &Request::CommInfo);
        check("is_complete_request", &json!({"code": "{"}), &Request::IsComplete { code: "{".to_owned() });
        check("kernel_info_request", &json!({}), &Request::KernelInfo);
        check("interrupt_request", &json!({}), &Request::Interrupt);
        check("usage_request", &json!({}), &Request::Usage);
        check("connect_request", &json!({}), &Request::Connect);
        check(
            "input_reply",
            &json!({"value": "Ada", "status": "ok"}),
            &Request::InputReply { value: "Ada".to_owned() },
        );
        check("create_subshell_request", &json!({"x": 1}), &Request::Unknown);
    }
}
