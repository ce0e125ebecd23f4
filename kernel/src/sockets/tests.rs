//! The kernel's sockets as a front end meets them: a client over ZeroMQ, and a notebook that does what its cells say.

mod client;
mod notebook;
mod stalled;

use bytes::Bytes;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::task::JoinHandle;

use super::{Notebook as _, ServeError, serve};
use crate::wire::connection::Connection;
use crate::wire::connection::tests::connection;
use client::{Client, Got};
use notebook::Notebook;

/// A kernel over ipc in a folder of its own.
struct Kernel {
    connection: Connection,
    notebook: Arc<Notebook>,
    serving: JoinHandle<Result<(), ServeError>>,
    folder: tempfile::TempDir,
}

impl Kernel {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ip = folder.path().join("kernel").display().to_string();
        Self::start_at(connection("ipc", &ip, [1, 2, 3, 4, 5], "key"), folder)
    }

    fn start_at(connection: Connection, folder: tempfile::TempDir) -> Self {
        let notebook = Arc::new(Notebook::default());
        let (served, with) = (connection.clone(), Arc::clone(&notebook));
        let serving = tokio::spawn(async move { serve(&served, with, std::future::pending()).await });
        Self { connection, notebook, serving, folder }
    }

    async fn client(&self, name: &str) -> Client {
        Client::connect(&self.connection, name).await
    }

    /// The kernel ends by itself, and leaves nothing behind.
    async fn ends(self) {
        client::soon("the kernel ends", self.serving).await.unwrap().unwrap();
        assert_eq!(std::fs::read_dir(self.folder.path()).unwrap().count(), 0, "socket files are left");
    }
}

/// A kernel, and a client that has seen its welcome.
async fn kernel_and_client() -> (Kernel, Client) {
    let kernel = Kernel::start();
    let client = kernel.client("ada").await;
    (kernel, client)
}

fn kinds(messages: &[Got]) -> Vec<&str> {
    messages.iter().map(|message| message.msg_type.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_is_welcomed_and_hears_that_the_kernel_starts() {
    let kernel = Kernel::start();
    let mut client = Client::connect_unheard(&kernel.connection, "ada").await;
    let welcome = client.published().await;
    assert_eq!((welcome.msg_type.as_str(), welcome.parent), ("iopub_welcome", json!({})));
    assert_eq!(welcome.content, json!({"subscription": ""}));
    let starting = client.published().await;
    assert_eq!(starting.content, json!({"execution_state": "starting"}));
    // The next one is welcomed too; the kernel starts once.
    let mut late = Client::connect_unheard(&kernel.connection, "bob").await;
    assert_eq!(late.published().await.msg_type, "iopub_welcome");
    let request = late.ask("kernel_info_request", json!({})).await;
    late.reply(&request).await;
    assert_eq!(late.published().await.content, json!({"execution_state": "busy"}));
}

/// The replies to what needs no cell, on either socket: busy, the reply, idle.
#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_answered_between_busy_and_idle_on_shell_and_control() {
    let (_kernel, mut client) = kernel_and_client().await;
    let requests = [
        ("kernel_info_request", json!({}), "kernel_info_reply"),
        ("complete_request", json!({"code": "é.l", "cursor_pos": 3}), "complete_reply"),
        ("inspect_request", json!({"code": "x"}), "inspect_reply"),
        ("history_request", json!({"hist_access_type": "tail"}), "history_reply"),
        ("is_complete_request", json!({"code": "x"}), "is_complete_reply"),
        ("comm_info_request", json!({}), "comm_info_reply"),
        ("usage_request", json!({}), "usage_reply"),
        ("connect_request", json!({}), "connect_reply"),
        ("interrupt_request", json!({}), "interrupt_reply"),
        ("execute_request", json!({"code": "value"}), "execute_reply"),
    ];
    for (msg_type, content, expected) in requests {
        let request = client.ask(msg_type, content.clone()).await;
        let reply = client.reply(&request).await;
        assert_eq!(
            (reply.msg_type.as_str(), &reply.content["status"]),
            (expected, &reply.ok()),
            "{msg_type}"
        );
        assert_eq!(reply.parent, request.header, "the parent header is a true copy");
        client.until_idle(&request).await;
        let request = client.ask_control(msg_type, content).await;
        assert_eq!(client.reply_control(&request).await.msg_type, expected);
        client.until_idle(&request).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_reply_has_busy_and_idle() {
    let (_kernel, mut client) = kernel_and_client().await;
    let unknown = client.ask("create_subshell_request", json!({})).await;
    assert_eq!(client.until_idle(&unknown).await.len(), 2);
    let open = client.ask("comm_open", json!({"comm_id": "c", "target_name": "jupyter.widget"})).await;
    let messages = client.until_idle(&open).await;
    assert_eq!(kinds(&messages), ["status", "comm_close", "status"]);
    assert_eq!(messages[1].content, json!({"comm_id": "c", "data": {}}));
    let comm = client.ask("comm_msg", json!({"comm_id": "c", "data": {}})).await;
    assert_eq!(client.until_idle(&comm).await.len(), 2);
    let reply = client.ask("kernel_info_request", json!({})).await;
    assert_eq!(client.reply(&reply).await.msg_type, "kernel_info_reply");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_output_of_a_cell_is_in_order_and_its_streams_are_joined() {
    let (_kernel, mut client) = kernel_and_client().await;
    let request = client.execute("input\nout a\nout b\nerr c\nout d\ndisplay\nout e\nvalue").await;
    client.reply(&request).await;
    let messages = client.until_idle(&request).await;
    let expected = [
        "status",
        "execute_input",
        "stream",
        "stream",
        "stream",
        "display_data",
        "stream",
        "execute_result",
        "status",
    ];
    // Text may come in more pieces if the machine was slow between two of them, and never in another order.
    let mut found = kinds(&messages);
    found.dedup_by(|after, before| after == before && *after != "stream");
    let texts: Vec<_> = messages.iter().filter(|message| message.msg_type == "stream").collect();
    let joined = |name: &str| {
        texts
            .iter()
            .filter(|text| text.content["name"] == name)
            .map(|text| text.content["text"].as_str().unwrap())
            .collect::<String>()
    };
    assert_eq!((joined("stdout").as_str(), joined("stderr").as_str()), ("abde", "c"));
    found.retain(|kind| *kind != "stream");
    let expected: Vec<_> = expected.into_iter().filter(|kind| *kind != "stream").collect();
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_text_becomes_few_messages_of_bounded_size() {
    let (_kernel, mut client) = kernel_and_client().await;
    let request = client.execute("flood 200000").await;
    client.reply(&request).await;
    let messages = client.until_idle(&request).await;
    let texts: Vec<_> = messages.iter().filter_map(|message| message.content["text"].as_str()).collect();
    assert_eq!(texts.concat(), "éé 0123456789\n".repeat(200_000));
    assert!(texts.iter().all(|text| text.len() <= 1 << 20), "a message is too long");
    assert!(texts.len() < 2_000, "{} messages for 200,000 lines", texts.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_queued_cells_are_answered_in_order() {
    let (_kernel, mut client) = kernel_and_client().await;
    let mut requests = Vec::new();
    for _ in 0..1_000 {
        requests.push(client.execute("value").await);
    }
    for (index, request) in requests.iter().enumerate() {
        let reply = client.reply(request).await;
        assert_eq!(reply.content["execution_count"], json!(index + 1));
    }
    for request in &requests {
        assert_eq!(kinds(&client.until_idle(request).await), ["status", "execute_result", "status"]);
    }
}

/// A cell fails: what was queued behind it is aborted, but only cells, and only those that were there.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_aborts_the_cells_that_wait() {
    let (kernel, mut client) = kernel_and_client().await;
    let failing = client.execute("gate\nfail").await;
    let aborted = [client.execute("value").await, client.execute("value").await];
    let info = client.ask("kernel_info_request", json!({})).await;
    client.has_been_read().await;
    kernel.notebook.gate.notify_one();
    let reply = client.reply(&failing).await;
    assert_eq!((&reply.content["status"], &reply.content["ename"]), (&json!("error"), &json!("Failure")));
    for request in &aborted {
        let reply = client.reply(request).await;
        assert_eq!(
            reply.content,
            json!({"status": "aborted", "execution_count": 1, "user_expressions": {}, "payload": []})
        );
    }
    assert_eq!(client.reply(&info).await.content["status"], "ok");
    let after = client.execute("value").await;
    assert_eq!(client.reply(&after).await.content["status"], "ok");
    assert_eq!(kinds(&client.until_idle(&failing).await), ["status", "error", "status"]);
    for request in &aborted {
        assert_eq!(kinds(&client.until_idle(request).await), ["status", "status"]);
    }
}

/// Two front ends on one kernel: the failure of one aborted the cell that the other had sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_aborts_no_cell_of_another_client() {
    let (kernel, mut ada) = kernel_and_client().await;
    let mut bob = kernel.client("bob").await;
    let failing = ada.execute("gate\nfail").await;
    let own = ada.execute("value").await;
    // Two clients' messages have no order between them: bob's cell is sent once ada's wait.
    ada.has_been_read().await;
    let other = bob.execute("value").await;
    bob.has_been_read().await;
    kernel.notebook.gate.notify_one();
    assert_eq!(ada.reply(&failing).await.content["status"], "error");
    assert_eq!(ada.reply(&own).await.content["status"], "aborted");
    assert_eq!(bob.reply(&other).await.content["status"], "ok");
}

/// A client that has seen the error and goes on at once was answered `aborted`: the mark was set after the answer.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_after_a_failure_was_answered_runs() {
    let (_kernel, mut client) = kernel_and_client().await;
    for _ in 0..50 {
        let failing = client.execute("fail").await;
        assert_eq!(client.reply(&failing).await.content["status"], "error");
        let next = client.execute("value").await;
        assert_eq!(client.reply(&next).await.content["status"], "ok");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_aborts_nothing_if_its_sender_says_so() {
    let (_kernel, mut client) = kernel_and_client().await;
    let failing = client.ask("execute_request", json!({"code": "fail", "stop_on_error": false})).await;
    let next = client.execute("value").await;
    assert_eq!(client.reply(&failing).await.content["status"], "error");
    assert_eq!(client.reply(&next).await.content["status"], "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn control_answers_while_a_cell_runs_and_can_interrupt_it() {
    let (_kernel, mut client) = kernel_and_client().await;
    let running = client.execute("input\nwait").await;
    client.until(&running, "execute_input").await;
    let info = client.ask_control("kernel_info_request", json!({})).await;
    assert_eq!(client.reply_control(&info).await.msg_type, "kernel_info_reply");
    client.until_idle(&info).await;
    let interrupt = client.ask_control("interrupt_request", json!({})).await;
    assert_eq!(client.reply_control(&interrupt).await.content, json!({"status": "ok"}));
    assert_eq!(client.reply(&running).await.content["ename"], "Interrupted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_goes_to_the_one_whose_cell_asks() {
    let (kernel, mut ada) = kernel_and_client().await;
    let _bob = kernel.client("bob").await;
    let request = ada.execute("out Name: \nask").await;
    let question = ada.question().await;
    assert_eq!(question.content, json!({"prompt": "> ", "password": false}));
    assert_eq!(question.parent, request.header);
    // What the cell printed came before the question.
    assert_eq!(ada.until(&request, "stream").await.content["text"], "Name: ");
    ada.answer("Ada", None).await;
    ada.reply(&request).await;
    assert_eq!(ada.until(&request, "execute_result").await.content["data"]["text/plain"], "Ok(\"Ada\")");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_an_older_question_is_dropped() {
    let (_kernel, mut client) = kernel_and_client().await;
    let request = client.execute("ask").await;
    let question = client.question().await;
    client.answer("stale", Some(json!({"msg_id": "older", "msg_type": "input_request"}))).await;
    client.answer("fresh", Some(question.header)).await;
    client.reply(&request).await;
    assert_eq!(client.until(&request, "execute_result").await.content["data"]["text/plain"], "Ok(\"fresh\")");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_front_end_that_cannot_be_asked_is_not_asked() {
    let (_kernel, mut client) = kernel_and_client().await;
    let request = client.ask("execute_request", json!({"code": "ask", "allow_stdin": false})).await;
    client.reply(&request).await;
    let text = &client.until(&request, "execute_result").await.content["data"]["text/plain"];
    assert_eq!(text, "Err(NotAllowed)");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_can_be_the_end_of_the_input() {
    let (_kernel, mut client) = kernel_and_client().await;
    for (line, expected) in
        [("\u{4}", "Err(Ended)"), ("^D", "Err(Ended)"), ("", "Ok(\"\")"), ("^D ", "Ok(\"^D \")")]
    {
        let request = client.execute("ask").await;
        client.question().await;
        client.answer(line, None).await;
        client.reply(&request).await;
        let text = &client.until(&request, "execute_result").await.content["data"]["text/plain"];
        assert_eq!(text, expected, "{line:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_cancels_a_question() {
    let (_kernel, mut client) = kernel_and_client().await;
    let request = client.execute("ask").await;
    client.question().await;
    let interrupt = client.ask_control("interrupt_request", json!({})).await;
    client.reply_control(&interrupt).await;
    client.reply(&request).await;
    let text = &client.until(&request, "execute_result").await.content["data"]["text/plain"];
    assert_eq!(text, "Err(Interrupted)");
}

/// A browser tab is closed while its cell asks, and another while its cell runs: the kernel goes on for the others.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_vanishes_takes_nobody_with_it() {
    let (kernel, mut ada) = kernel_and_client().await;
    let mut bob = kernel.client("bob").await;
    let asking = bob.execute("ask").await;
    bob.question().await;
    drop(bob);
    let text = &ada.until(&asking, "execute_result").await.content["data"]["text/plain"];
    assert_eq!(text, "Err(Ended)");
    ada.until_idle(&asking).await;
    let mut eve = kernel.client("eve").await;
    let running = eve.execute("input\ngate\nvalue").await;
    ada.until(&running, "execute_input").await;
    drop(eve);
    let mine = ada.execute("value").await;
    kernel.notebook.gate.notify_one();
    assert_eq!(ada.reply(&mine).await.content["status"], "ok");
    assert_eq!(kinds(&ada.until_idle(&running).await), ["execute_result", "status"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clients_get_their_own_replies_and_see_the_same() {
    let (kernel, mut ada) = kernel_and_client().await;
    let mut bob = kernel.client("bob").await;
    let first = ada.execute("value").await;
    ada.reply(&first).await;
    let second = bob.execute("value").await;
    bob.reply(&second).await;
    for client in [&mut ada, &mut bob] {
        for request in [&first, &second] {
            assert_eq!(kinds(&client.until_idle(request).await), ["status", "execute_result", "status"]);
        }
    }
}

/// Messages of somebody who has not the key, or who sends rubbish, are dropped; the next good one is answered.
#[tokio::test(flavor = "multi_thread")]
async fn bad_messages_are_dropped() {
    let (kernel, mut client) = kernel_and_client().await;
    let frame = Bytes::from_static;
    for frames in [
        vec![frame(b"rubbish")],
        vec![frame(b"<IDS|MSG>"), frame(b""), frame(b"{}")],
        vec![frame(b"<IDS|MSG>"), frame(b"00"), frame(b"{}"), frame(b"{}"), frame(b"{}"), frame(b"{}")],
        client.frames("execute_request", b"{\"code\": \"\xff\"}"),
        client.frames("execute_request", b"not json"),
    ] {
        client.send_frames(frames).await;
    }
    let mut stranger = Client::connect_with(&kernel.connection, "stranger", "another key").await;
    stranger.execute("value").await;
    let mut surplus = client.frames("execute_request", b"{\"code\": \"value\"}");
    surplus.push(frame(b"a buffer"));
    client.send_frames(surplus).await;
    let reply = client.next_reply().await;
    assert_eq!((reply.msg_type.as_str(), &reply.content["execution_count"]), ("execute_reply", &json!(1)));
    let request = client.execute("value").await;
    assert_eq!(client.reply(&request).await.content["execution_count"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cell_of_ten_megabytes_is_run() {
    let (_kernel, mut client) = kernel_and_client().await;
    let request = client.execute(&format!("length {}", "x".repeat(10 << 20))).await;
    client.reply(&request).await;
    let text = &client.until(&request, "execute_result").await.content["data"]["text/plain"];
    assert_eq!(text, "10485767");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_of_the_kernel_is_an_answer() {
    let (_kernel, mut client) = kernel_and_client().await;
    let request = client.execute("panic").await;
    assert_eq!(client.reply(&request).await.content["ename"], "KernelPanic");
    assert_eq!(kinds(&client.until_idle(&request).await), ["status", "error", "status"]);
    let request = client.execute("value").await;
    assert_eq!(client.reply(&request).await.content["status"], "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_heart_beats_on_after_rubbish() {
    let (_kernel, mut client) = kernel_and_client().await;
    for beat in ["ping", "", "another"] {
        assert_eq!(
            client.beat(vec![Bytes::new(), Bytes::from(beat)]).await,
            [Bytes::new(), Bytes::from(beat)]
        );
    }
    assert_eq!(
        client.beat(vec![Bytes::from_static(b"no delimiter")]).await,
        [Bytes::from_static(b"no delimiter")]
    );
}

/// Everything that was published before the end reaches a client that reads: ZeroMQ in Rust loses what is under way.
#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_delivers_what_was_published_before_it() {
    let (kernel, mut client) = kernel_and_client().await;
    let request = client.execute("displays 500").await;
    let shutdown = client.ask_control_after(&request, "shutdown_request", json!({"restart": true})).await;
    let reading = async {
        assert_eq!(client.reply_control(&shutdown).await.content, json!({"status": "ok", "restart": true}));
        assert_eq!(client.until_idle(&request).await.len(), 502);
        client.until_idle(&shutdown).await;
    };
    tokio::join!(reading, kernel.ends());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_does_not_wait_for_a_cell() {
    for on_control in [true, false] {
        let (kernel, mut client) = kernel_and_client().await;
        let running = client.execute("input\nwait").await;
        let waiting = client.execute("value").await;
        client.until(&running, "execute_input").await;
        let notebook = Arc::clone(&kernel.notebook);
        let shutdown = json!({"restart": false});
        let reply = if on_control {
            let request = client.ask_control("shutdown_request", shutdown).await;
            client.reply_control(&request).await
        } else {
            let request = client.ask("shutdown_request", shutdown).await;
            let (first, second) = (client.next_reply().await, client.next_reply().await);
            // The running cell is answered too, in whichever order.
            [first, second].into_iter().find(|reply| reply.parent == request.header).unwrap()
        };
        assert_eq!(reply.content, json!({"status": "ok", "restart": false}));
        kernel.ends().await;
        assert!(notebook.closed.load(Ordering::SeqCst));
        assert_eq!(notebook.ran.load(Ordering::SeqCst), 1, "{} ran after the end", waiting.msg_id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tcp_serves_as_ipc_does() {
    let listeners: Vec<_> = (0..5).map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let ports: Vec<u16> = listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
    drop(listeners);
    let connection = connection("tcp", "127.0.0.1", ports.try_into().unwrap(), "");
    let kernel = Kernel::start_at(connection, tempfile::tempdir().unwrap());
    let mut client = kernel.client("ada").await;
    let request = client.execute("value").await;
    assert_eq!(client.reply(&request).await.content["status"], "ok");
    assert_eq!(kinds(&client.until_idle(&request).await), ["status", "execute_result", "status"]);
    assert_eq!(kernel.notebook.info().rust_version, "1.95.0");
    client.ask_control("shutdown_request", json!({})).await;
    kernel.ends().await;
}
