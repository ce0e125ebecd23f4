//! What one client is answered: the session's replies as the content of reply messages.

use assay_magics::render::Bundle;
use jupyter_protocol::{
    CommInfoReply, CompleteReply as WireComplete, InputRequest, InterruptReply, ReplyStatus, ShutdownReply,
};
use serde_json::{Map, Value, json};
use std::time::Duration;

use super::connection::{Channel, Connection};
use super::cursor;
use super::header::PROTOCOL_VERSION;
use super::message::{Content, content, object};
use crate::session::event::ErrorReport;
use crate::session::reply::{
    CompleteReply, ExecuteReply, HistoryReply, InspectReply, IsCompleteReply, KernelInfo, Usage,
};

/// How a cell ended.
pub(crate) fn execute(reply: ExecuteReply) -> Content {
    let mut body = match reply.error {
        None => json!({ "status": "ok" }),
        Some(report) => failure(report),
    };
    body["execution_count"] = reply.count.into();
    body["user_expressions"] =
        reply.user_expressions.into_iter().map(expression).collect::<Map<_, _>>().into();
    let pages = reply
        .paged
        .into_iter()
        .map(|page| object([("source", "page".into()), ("data", page.data.into()), ("start", 0.into())]));
    let next = reply
        .next_input
        .map(|next| json!({ "source": "set_next_input", "text": next.text, "replace": next.replace }));
    body["payload"] = pages.chain(next).collect::<Vec<_>>().into();
    content("execute_reply", body)
}

/// A cell that did not run because one before it failed.
pub(crate) fn execute_aborted(count: u32) -> Content {
    let body =
        json!({ "status": "aborted", "execution_count": count, "user_expressions": {}, "payload": [] });
    content("execute_reply", body)
}

/// The request could not be answered, because of an error of ours.
pub(crate) fn trouble(request_type: &str, report: ErrorReport) -> Content {
    content(&request_type.replace("_request", "_reply"), failure(report))
}

/// What could stand at the cursor of `code`.
pub(crate) fn complete(reply: CompleteReply, code: &str) -> Content {
    let start = cursor::to_code_points(code, reply.start);
    let end = cursor::to_code_points(code, reply.end);
    // Not in the specification; JupyterLab shows its icons by it, and inserts `text`.
    let types: Vec<Value> = reply
        .matches
        .iter()
        .map(|one| json!({ "text": one.text, "type": one.kind, "start": start, "end": end }))
        .collect();
    let metadata = Map::from_iter([("_jupyter_types_experimental".to_owned(), Value::Array(types))]);
    let matches = reply.matches.into_iter().map(|one| one.text).collect();
    Content::CompleteReply(WireComplete {
        matches,
        cursor_start: start,
        cursor_end: end,
        metadata,
        status: ReplyStatus::Ok,
        error: None,
    })
}

/// What stands at the cursor.
pub(crate) fn inspect(reply: InspectReply) -> Content {
    let found = reply.found.is_some();
    let Bundle { data, metadata } = reply.found.unwrap_or_default();
    let body = [
        ("status", "ok".into()),
        ("found", found.into()),
        ("data", data.into()),
        ("metadata", metadata.into()),
    ];
    content("inspect_reply", object(body))
}

/// Cells of the history; with what they gave if that was asked.
pub(crate) fn history(reply: HistoryReply, output: bool) -> Content {
    let lines: Vec<Value> = reply
        .lines
        .into_iter()
        .map(|line| match output {
            true => json!([line.session, line.line, [line.input, line.output]]),
            false => json!([line.session, line.line, line.input]),
        })
        .collect();
    content("history_reply", json!({ "status": "ok", "history": lines }))
}

/// Whether a cell could run as it stands.
pub(crate) fn is_complete(reply: &IsCompleteReply) -> Content {
    let body = match reply {
        IsCompleteReply::Complete => json!({ "status": "complete" }),
        IsCompleteReply::Incomplete { indent } => json!({ "status": "incomplete", "indent": indent }),
        IsCompleteReply::Invalid => json!({ "status": "invalid" }),
    };
    content("is_complete_reply", body)
}

/// What the kernel is.
pub(crate) fn kernel_info(info: &KernelInfo) -> Content {
    let links = [
        ("The Rust Book", "https://doc.rust-lang.org/book/"),
        ("The Rust standard library", "https://doc.rust-lang.org/std/"),
        ("Rust by Example", "https://doc.rust-lang.org/rust-by-example/"),
        ("Crates: docs.rs", "https://docs.rs/"),
    ];
    let body = json!({
        "status": "ok",
        "protocol_version": PROTOCOL_VERSION,
        "implementation": "assay",
        "implementation_version": env!("CARGO_PKG_VERSION"),
        "language_info": {
            "name": "rust",
            "version": info.rust_version,
            "mimetype": "text/rust",
            "file_extension": ".rs",
            "pygments_lexer": "rust",
            "codemirror_mode": "rust",
        },
        "banner": info.banner,
        "help_links": links.map(|(text, url)| json!({ "text": text, "url": url })),
        "supported_features": ["iopub_welcome"],
    });
    content("kernel_info_reply", body)
}

/// No comm is ever open.
pub(crate) fn comm_info() -> Content {
    Content::CommInfoReply(CommInfoReply::default())
}

/// The kernel goes.
pub(crate) fn shutdown(restart: bool) -> Content {
    Content::ShutdownReply(ShutdownReply { restart, status: ReplyStatus::Ok, error: None })
}

/// The running cell was told to stop.
pub(crate) fn interrupt() -> Content {
    Content::InterruptReply(InterruptReply::new())
}

/// The ports, for clients of old.
pub(crate) fn connect(connection: &Connection) -> Content {
    let ports = Channel::ALL.map(|channel| (channel.key().to_owned(), connection.port(channel).into()));
    let mut body = Map::from_iter(ports);
    body.insert("status".to_owned(), "ok".into());
    content("connect_reply", body.into())
}

/// The machine that the kernel runs on. What could not be found out is none.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Machine {
    pub(crate) hostname: String,
    pub(crate) processors: usize,
    pub(crate) memory: Option<Memory>,
}

/// The machine's memory in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) total: u64,
    pub(crate) available: u64,
}

/// What the kernel and its processes use, under the names that ipykernel gives it; `processes` is ours.
///
/// `cpu` is the share of one processor, in percent, since the last time that somebody asked.
pub(crate) fn usage(usage: &Usage, cpu: Option<f64>, machine: &Machine) -> Content {
    let processes: Vec<Value> = usage
        .processes
        .iter()
        .map(|one| {
            json!({ "pid": one.pid, "name": one.name, "memory": one.resident, "cpu_seconds": one.cpu.as_secs_f64() })
        })
        .collect();
    let mut body = json!({
        "status": "ok",
        "hostname": machine.hostname,
        "pid": std::process::id(),
        "kernel_memory": usage.processes.iter().map(|one| one.resident).sum::<u64>(),
        "cpu_count": machine.processors,
        "processes": processes,
    });
    if let Some(cpu) = cpu {
        body["kernel_cpu"] = cpu.into();
    }
    if let Some(Memory { total, available }) = machine.memory {
        let used = total.saturating_sub(available);
        let percent = used as f64 / total.max(1) as f64 * 100.0;
        body["host_virtual_memory"] =
            json!({ "total": total, "available": available, "used": used, "percent": percent });
    }
    content("usage_reply", body)
}

/// The processor time of all processes together.
pub(crate) fn processor_time(usage: &Usage) -> Duration {
    usage.processes.iter().map(|one| one.cpu).sum()
}

/// A line is asked of the user.
pub(crate) fn input_request(prompt: String, password: bool) -> Content {
    Content::InputRequest(InputRequest { prompt, password })
}

fn expression((key, value): (String, Result<Bundle, ErrorReport>)) -> (String, Value) {
    let value = match value {
        Ok(Bundle { data, metadata }) => {
            object([("status", "ok".into()), ("data", data.into()), ("metadata", metadata.into())])
        }
        Err(report) => failure(report),
    };
    (key, value)
}

fn failure(report: ErrorReport) -> Value {
    let ErrorReport { name, value, traceback } = report;
    object([
        ("status", "error".into()),
        ("ename", name.into()),
        ("evalue", value.into()),
        ("traceback", traceback.into()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::reply::{Completion, ProcessUsage};
    use crate::wire::connection;
    use crate::wire::message::check;
    use assay_magics::magic::NextInput;
    use assay_magics::outcome::HistoryLine;

    fn report() -> ErrorReport {
        ErrorReport { name: "Panic".to_owned(), value: "no".to_owned(), traceback: vec!["a".to_owned()] }
    }

    #[test]
    fn a_cell_that_ran_carries_expressions_pages_and_the_next_input() {
        let reply = ExecuteReply {
            count: 2,
            error: None,
            user_expressions: vec![("a".to_owned(), Ok(Bundle::text("7"))), ("b".to_owned(), Err(report()))],
            paged: vec![Bundle::text("help")],
            next_input: Some(NextInput { text: "fn".to_owned(), replace: true }),
        };
        let expected = json!({
            "status": "ok",
            "execution_count": 2,
            "user_expressions": {
                "a": {"status": "ok", "data": {"text/plain": "7"}, "metadata": {}},
                "b": {"status": "error", "ename": "Panic", "evalue": "no", "traceback": ["a"]},
            },
            "payload": [
                {"source": "page", "data": {"text/plain": "help"}, "start": 0},
                {"source": "set_next_input", "text": "fn", "replace": true},
            ],
        });
        check(&execute(reply), "execute_reply", &expected);
    }

    #[test]
    fn a_cell_that_failed_or_never_ran_still_has_its_count() {
        let reply = ExecuteReply {
            count: 3,
            error: Some(report()),
            user_expressions: vec![],
            paged: vec![],
            next_input: None,
        };
        let mut expected = json!({"status": "error", "ename": "Panic", "evalue": "no", "traceback": ["a"],
            "execution_count": 3, "user_expressions": {}, "payload": []});
        check(&execute(reply), "execute_reply", &expected);
        expected = json!({"status": "aborted", "execution_count": 3, "user_expressions": {}, "payload": []});
        check(&execute_aborted(3), "execute_reply", &expected);
        expected = json!({"status": "error", "ename": "Panic", "evalue": "no", "traceback": ["a"]});
        check(&trouble("inspect_request", report()), "inspect_reply", &expected);
    }

    #[test]
    fn completions_are_placed_in_code_points() {
        let reply = CompleteReply {
            matches: vec![Completion { text: "len".to_owned(), kind: "method".to_owned() }],
            start: 3,
            end: 4,
        };
        let expected = json!({
            "status": "ok",
            "matches": ["len"],
            "cursor_start": 2,
            "cursor_end": 3,
            "metadata": {"_jupyter_types_experimental": [{"text": "len", "type": "method", "start": 2, "end": 3}]},
        });
        check(&complete(reply, "é.l"), "complete_reply", &expected);
    }

    #[test]
    fn inspect_says_whether_it_found_something() {
        let found = InspectReply { found: Some(Bundle::text("fn f()")) };
        let expected =
            json!({"status": "ok", "found": true, "data": {"text/plain": "fn f()"}, "metadata": {}});
        check(&inspect(found), "inspect_reply", &expected);
        let expected = json!({"status": "ok", "found": false, "data": {}, "metadata": {}});
        check(&inspect(InspectReply::default()), "inspect_reply", &expected);
    }

    #[test]
    fn history_has_outputs_only_when_they_were_asked() {
        let line = |line, output: Option<&str>| HistoryLine {
            session: 4,
            line,
            input: "x".to_owned(),
            output: output.map(str::to_owned),
        };
        let reply = || HistoryReply { lines: vec![line(1, Some("7")), line(2, None)] };
        let expected = json!({"status": "ok", "history": [[4, 1, "x"], [4, 2, "x"]]});
        check(&history(reply(), false), "history_reply", &expected);
        let found = serde_json::to_value(history(reply(), true)).unwrap();
        assert_eq!(found, json!({"status": "ok", "history": [[4, 1, ["x", "7"]], [4, 2, ["x", null]]]}));
    }

    #[test]
    fn the_smaller_replies_are_exact() {
        let incomplete = IsCompleteReply::Incomplete { indent: "    ".to_owned() };
        check(&is_complete(&IsCompleteReply::Complete), "is_complete_reply", &json!({"status": "complete"}));
        check(
            &is_complete(&incomplete),
            "is_complete_reply",
            &json!({"status": "incomplete", "indent": "    "}),
        );
        check(&is_complete(&IsCompleteReply::Invalid), "is_complete_reply", &json!({"status": "invalid"}));
        check(&comm_info(), "comm_info_reply", &json!({"status": "ok", "comms": {}}));
        check(&shutdown(true), "shutdown_reply", &json!({"status": "ok", "restart": true}));
        check(&interrupt(), "interrupt_reply", &json!({"status": "ok"}));
        let asked = json!({"prompt": "Name: ", "password": true});
        check(&input_request("Name: ".to_owned(), true), "input_request", &asked);
        let connection = connection::tests::connection("tcp", "127.0.0.1", [1, 2, 3, 4, 5], "");
        let ports = json!({"status": "ok", "shell_port": 1, "iopub_port": 2, "stdin_port": 3, "control_port": 4,
            "hb_port": 5});
        check(&connect(&connection), "connect_reply", &ports);
    }

    #[test]
    fn kernel_info_has_every_field_that_clients_read() {
        let info = KernelInfo { rust_version: "1.95.0".to_owned(), banner: "Assay".to_owned() };
        let found = serde_json::to_value(kernel_info(&info)).unwrap();
        let language = json!({"name": "rust", "version": "1.95.0", "mimetype": "text/rust", "file_extension": ".rs",
            "pygments_lexer": "rust", "codemirror_mode": "rust"});
        assert_eq!(found["language_info"], language);
        assert_eq!(found["protocol_version"], "5.5");
        assert_eq!(found["implementation"], "assay");
        assert_eq!(found["supported_features"], json!(["iopub_welcome"]));
        Content::from_type_and_content("kernel_info_reply", found).unwrap();
    }

    #[test]
    fn usage_claims_only_what_was_measured() {
        let process = |pid, resident| ProcessUsage {
            pid,
            name: "assay".to_owned(),
            resident,
            cpu: Duration::from_millis(1500),
        };
        let used = Usage { processes: vec![process(7, 100), process(8, 20)] };
        let machine = Machine { hostname: "host".to_owned(), processors: 2, memory: None };
        let mut expected = json!({
            "status": "ok", "hostname": "host", "pid": std::process::id(), "kernel_memory": 120, "cpu_count": 2,
            "processes": [{"pid": 7, "name": "assay", "memory": 100, "cpu_seconds": 1.5},
                {"pid": 8, "name": "assay", "memory": 20, "cpu_seconds": 1.5}],
        });
        check(&usage(&used, None, &machine), "usage_reply", &expected);
        let machine = Machine { memory: Some(Memory { total: 400, available: 100 }), ..machine };
        expected["kernel_cpu"] = json!(12.5);
        expected["host_virtual_memory"] =
            json!({"total": 400, "available": 100, "used": 300, "percent": 75.0});
        check(&usage(&used, Some(12.5), &machine), "usage_reply", &expected);
        assert_eq!(processor_time(&used), Duration::from_secs(3));
    }
}
