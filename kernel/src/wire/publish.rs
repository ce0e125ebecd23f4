//! What everybody sees: the session's events as messages on iopub.

use assay_magics::render::Bundle;
use jupyter_protocol::{
    ClearOutput, CommClose, ErrorOutput, ExecuteInput, ExecutionCount, IoPubWelcome, Status, Stdio,
    StreamContent,
};
use serde_json::{Map, Value};

use super::message::{Content, content, object};
use crate::session::event::{ErrorReport, StreamName};

/// What the kernel is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Starting,
    Busy,
    Idle,
}

/// The kernel's state.
pub(crate) fn status(state: State) -> Content {
    Content::Status(match state {
        State::Starting => Status::starting(),
        State::Busy => Status::busy(),
        State::Idle => Status::idle(),
    })
}

/// The first message that a subscriber sees.
pub(crate) fn welcome(subscription: String) -> Content {
    Content::IoPubWelcome(IoPubWelcome::new(subscription))
}

/// A cell begins.
pub(crate) fn execute_input(code: String, count: u32) -> Content {
    Content::ExecuteInput(ExecuteInput { code, execution_count: ExecutionCount::new(count as usize) })
}

/// Text on a stream.
pub(crate) fn stream(name: StreamName, text: String) -> Content {
    let name = match name {
        StreamName::Stdout => Stdio::Stdout,
        StreamName::Stderr => Stdio::Stderr,
    };
    Content::StreamContent(StreamContent { name, text })
}

/// Something to show.
pub(crate) fn display_data(bundle: Bundle, display_id: Option<String>) -> Content {
    content("display_data", display(bundle, display_id))
}

/// A new content for something shown.
pub(crate) fn update_display_data(bundle: Bundle, display_id: String) -> Content {
    content("update_display_data", display(bundle, Some(display_id)))
}

/// A cell's value. It always has a plain text, be it an empty one.
pub(crate) fn execute_result(mut bundle: Bundle, count: u32) -> Content {
    bundle.data.entry("text/plain").or_insert_with(|| Value::String(String::new()));
    let mut shown = display(bundle, None);
    shown["execution_count"] = count.into();
    content("execute_result", shown)
}

/// The cell's output is cleared.
pub(crate) fn clear_output(wait: bool) -> Content {
    Content::ClearOutput(ClearOutput { wait })
}

/// Why a cell failed.
pub(crate) fn error(report: ErrorReport) -> Content {
    let ErrorReport { name, value, traceback } = report;
    Content::ErrorOutput(ErrorOutput { ename: name, evalue: value, traceback })
}

/// A comm that does not exist is at its end.
pub(crate) fn comm_close(comm_id: String) -> Content {
    Content::CommClose(CommClose { comm_id: comm_id.into(), data: Map::new() })
}

fn display(bundle: Bundle, display_id: Option<String>) -> Value {
    // jupyter-protocol sorts and retypes the bundle; what the magics made goes out as they made it.
    let transient = display_id.map(|id| ("display_id".to_owned(), Value::String(id)));
    object([
        ("data", bundle.data.into()),
        ("metadata", bundle.metadata.into()),
        ("transient", Map::from_iter(transient).into()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::check;
    use serde_json::json;

    #[test]
    fn events_are_what_the_protocol_documents() {
        let bundle = || Bundle::text("7").with("text/html", "<b>7</b>");
        let data = json!({"text/plain": "7", "text/html": "<b>7</b>"});
        check(&status(State::Starting), "status", &json!({"execution_state": "starting"}));
        check(&status(State::Busy), "status", &json!({"execution_state": "busy"}));
        check(&status(State::Idle), "status", &json!({"execution_state": "idle"}));
        check(&welcome("topic".to_owned()), "iopub_welcome", &json!({"subscription": "topic"}));
        check(
            &execute_input("x".to_owned(), 3),
            "execute_input",
            &json!({"code": "x", "execution_count": 3}),
        );
        let text = || "é\n".to_owned();
        check(&stream(StreamName::Stdout, text()), "stream", &json!({"name": "stdout", "text": "é\n"}));
        check(&stream(StreamName::Stderr, text()), "stream", &json!({"name": "stderr", "text": "é\n"}));
        let shown = json!({"data": data, "metadata": {}, "transient": {}});
        check(&display_data(bundle(), None), "display_data", &shown);
        let with_id = json!({"data": data, "metadata": {}, "transient": {"display_id": "d"}});
        check(&display_data(bundle(), Some("d".to_owned())), "display_data", &with_id);
        check(&update_display_data(bundle(), "d".to_owned()), "update_display_data", &with_id);
        let result = json!({"data": data, "metadata": {}, "transient": {}, "execution_count": 3});
        check(&execute_result(bundle(), 3), "execute_result", &result);
        check(&clear_output(true), "clear_output", &json!({"wait": true}));
        let report = ErrorReport {
            name: "E0308".to_owned(),
            value: "mismatched".to_owned(),
            traceback: vec!["a".to_owned()],
        };
        check(
            &error(report),
            "error",
            &json!({"ename": "E0308", "evalue": "mismatched", "traceback": ["a"]}),
        );
        check(&comm_close("c".to_owned()), "comm_close", &json!({"comm_id": "c", "data": {}}));
    }

    #[test]
    fn a_value_always_has_a_plain_text() {
        let value = execute_result(Bundle::default().with("image/png", "iVBORw0KGgo="), 1);
        let data = json!({"image/png": "iVBORw0KGgo=", "text/plain": ""});
        check(
            &value,
            "execute_result",
            &json!({"data": data, "metadata": {}, "transient": {}, "execution_count": 1}),
        );
    }
}
