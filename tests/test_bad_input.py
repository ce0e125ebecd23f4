"""Input that no decent client sends. Nothing of it may end the kernel, hold anybody up, or go unexplained."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zmq

from frontend import DELIMITER, Exchange, FrontEnd
from launch import MARK, isolated_environment, kernel_command, marked, running

# Connection files.

PORTS = ("shell_port", "control_port", "iopub_port", "stdin_port", "hb_port")


def free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    for s in held:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def connection(**changes: Any) -> dict[str, Any]:
    content: dict[str, Any] = {
        "ip": "127.0.0.1",
        "transport": "tcp",
        "key": "secret",
        "signature_scheme": "hmac-sha256",
    }
    content.update(zip(PORTS, free_ports(len(PORTS)), strict=True))
    content.update(changes)
    return {k: v for k, v in content.items() if v is not None}


def refuses(file: Path, *says: str) -> None:
    """The kernel ends at once, with an error for a person: what, where, and no back trace."""
    mark = f"refused-{file.name}"
    env = {**isolated_environment(file.parent / "nobody"), MARK: mark}
    done = subprocess.run(kernel_command(file), capture_output=True, text=True, timeout=60, env=env, check=False)
    assert done.returncode not in (0, 101), done
    told = done.stderr
    for text in says:
        assert text in told, f"{text!r} is not in: {told}"
    assert "panicked" not in told
    assert not marked(mark)


def test_a_connection_file_that_is_missing(tmp_path: Path) -> None:
    refuses(tmp_path / "missing.json", "missing.json")


@pytest.mark.parametrize("content", ["", "no json", "[1, 2]", '{"ip": "127.0.0.1"', "\x00\x01"])
def test_a_connection_file_that_is_not_json(tmp_path: Path, content: str) -> None:
    file = tmp_path / "kernel.json"
    file.write_text(content)
    refuses(file, str(file))


@pytest.mark.parametrize("key", [*PORTS, "ip", "transport", "key"])
def test_a_connection_file_that_lacks_a_key(tmp_path: Path, key: str) -> None:
    file = tmp_path / "kernel.json"
    file.write_text(json.dumps(connection(**{key: None})))
    refuses(file, str(file), key)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("shell_port", "eight", "shell_port"),
        ("hb_port", 70_000, "hb_port"),
        ("transport", "pigeon", "pigeon"),
        ("signature_scheme", "rot13", "rot13"),
        ("key", 5, "key"),
    ],
)
def test_a_connection_file_with_a_wrong_value(tmp_path: Path, key: str, value: Any, says: str) -> None:
    file = tmp_path / "kernel.json"
    file.write_text(json.dumps(connection(**{key: value})))
    refuses(file, str(file), says)


@pytest.mark.parametrize("key", PORTS)
def test_a_port_in_use(tmp_path: Path, key: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        file = tmp_path / "kernel.json"
        file.write_text(json.dumps(connection(**{key: port})))
        refuses(file, str(port), key)


# Frames.


def info(front: FrontEnd) -> list[bytes]:
    return front.frames(front.make_header("kernel_info_request"), {})


def wrong_signature(front: FrontEnd) -> list[bytes]:
    frames = info(front)
    return [frames[0], b"0" * 64, *frames[2:]]


def resigned(front: FrontEnd, header: Any, content: Any = b"{}", parent: Any = b"{}", metadata: Any = b"{}") -> list[bytes]:
    return front.frames(header, content, parent, metadata)


DROPPED: dict[str, Callable[[FrontEnd], list[bytes]]] = {
    "wrong signature": wrong_signature,
    "empty signature": lambda f: [DELIMITER, b"", *info(f)[2:]],
    "signature that is no hexadecimal": lambda f: [DELIMITER, b"\xff\xfe", *info(f)[2:]],
    "signature of upper case that is wrong": lambda f: [DELIMITER, b"A" * 64, *info(f)[2:]],
    "no frames but one": lambda f: [b""],
    "no delimiter": lambda f: info(f)[1:],
    "delimiter alone": lambda f: [DELIMITER],
    "header missing": lambda f: info(f)[:2],
    "content missing": lambda f: info(f)[:5],
    "two delimiters": lambda f: [DELIMITER, *info(f)],
    "header that is no JSON": lambda f: resigned(f, b"{nope"),
    "header that is no object": lambda f: resigned(f, b"[]"),
    "header without a type": lambda f: resigned(f, {"msg_id": "1", "session": "s"}),
    "header of invalid UTF-8": lambda f: resigned(f, b'{"msg_id": "\xff\xfe"}'),
    "deeply nested header": lambda f: resigned(f, b"[" * 100_000 + b"]" * 100_000),
    "many empty frames": lambda f: [b""] * 1000,
}


@pytest.mark.parametrize("channel", ["shell", "control", "stdin"])
@pytest.mark.parametrize("kind", DROPPED)
def test_frames_that_are_dropped(front: FrontEnd, kind: str, channel: str) -> None:
    """They are dropped without an answer: the front end fails on anything that comes back, and insists on the next answer."""
    front.send_frames(DROPPED[kind](front), channel)
    for good in ("shell", "control"):
        front.request("kernel_info_request", channel=good).ok()


@pytest.mark.parametrize("channel", ["shell", "control"])
def test_surplus_frames_are_buffers(front: FrontEnd, channel: str) -> None:
    front.request("kernel_info_request", channel=channel, buffers=[b"", b"\xff" * 1000, b"<IDS|MSG>"]).ok()


@pytest.mark.parametrize("content", [b"[]", b"5", b"null", b"{nope", b'{"code": "\xff\xfe"}', b""])
def test_a_content_that_is_nonsense_costs_one_request(front: FrontEnd, content: bytes) -> None:
    """The header is good and so is the signature. Whether it is answered by an error or dropped is the kernel's choice; it goes on."""
    header = front.make_header("execute_request")
    front.sockets["shell"].send_multipart(front.frames(header, content))
    stray = front.exchanges[header["msg_id"]] = Exchange("shell", header, {"code": "", "silent": True}, replies=False)
    front.request("kernel_info_request").ok()
    assert stray.reply is None or stray.reply.content["status"] == "error"
    stray.everything()
    # Only a request that has been taken up must be brought to its end.
    if stray.busy is None:
        del front.exchanges[header["msg_id"]]


@pytest.mark.parametrize(
    ("msg_type", "content"),
    [
        ("execute_request", {"code": "%cd -q .", "user_expressions": None, "silent": None}),
        ("execute_request", {"code": "%cd -q .", "user_expressions": {}, "stop_on_error": "yes"}),
        ("history_request", {"hist_access_type": "tail", "n": -3}),
        ("history_request", {"hist_access_type": "range", "session": 99_999, "start": -5, "stop": 2**40}),
        ("history_request", {"hist_access_type": "search", "pattern": "[" * 50}),
        ("comm_info_request", {"target_name": None}),
        ("inspect_request", {"code": "a", "cursor_pos": 10**12, "detail_level": 7}),
        ("complete_request", {"code": "", "cursor_pos": 3}),
    ],
)
def test_strange_fields_are_answered(front: FrontEnd, msg_type: str, content: dict[str, Any]) -> None:
    front.request(msg_type, content).ok().everything()


# Cells.


def test_a_cell_of_ten_megabytes(front: FrontEnd) -> None:
    comment = "// " + "x" * 97 + "\n"
    code = comment * 105_000 + "%cd -q .\n"
    assert len(code) > 10_000_000
    front.execute(code).ok()
    front.request("is_complete_request", {"code": code})
    front.request("complete_request", {"code": code, "cursor_pos": len(code)}).ok()


def test_an_error_at_the_end_of_a_big_cell_is_short(front: FrontEnd) -> None:
    code = "// x\n" * 100_000 + "%nosuchmagic\n"
    error = front.execute(code).error()
    assert ":100001:1" in "\n".join(error["traceback"]).replace("\x1b", "")
    assert len("".join(error["traceback"])) < 10_000


@pytest.mark.parametrize(
    "code", ["\x00", "let a = \x00;", "\ufeff%cd -q .", "a\u202eb", "%", "%%", "!", "?", ":", "%\x00", "\r\n\r\n", "'"]
)
def test_a_cell_of_odd_characters_is_answered(front: FrontEnd, code: str) -> None:
    front.execute(code).everything()


def test_deeply_nested_brackets_are_answered(front: FrontEnd) -> None:
    """A parser that recurses overflows its stack, and took the kernel with it."""
    front.request("is_complete_request", {"code": "(" * 100_000})
    front.execute("(" * 5_000 + ")" * 5_000).everything()
    front.request("kernel_info_request").ok()


def test_output_that_is_not_utf8(front: FrontEnd) -> None:
    text = front.execute("!printf 'a\\377b\\n'").ok().stdout()
    assert text.startswith("a") and text.endswith("b\n")
    done = front.execute('use std::io::Write; std::io::stdout().write_all(b"a\\xffb\\n").unwrap();').ok()
    assert done.stdout().startswith("a") and done.stdout().endswith("b\n")


# Clients.


def test_two_clients_at_once() -> None:
    with running() as kernel:
        one, two = kernel.connect("one"), kernel.connect("two")
        mine = [one.start(f"!echo one {n}") for n in range(20)]
        others = [two.start(f"!echo two {n}") for n in range(20)]
        one.wait(*mine)
        two.wait(*others)
        assert [e.ok().stdout() for e in mine] == [f"one {n}\n" for n in range(20)]
        assert [e.ok().stdout() for e in others] == [f"two {n}\n" for n in range(20)]
        one.finish()
        two.finish()
        # Everyone hears everything: what the other one ran is published to this one too.
        heard = [m.content["code"] for m in one.foreign if m.type == "execute_input"]
        assert heard == [f"!echo two {n}" for n in range(20)]


def test_a_failure_of_one_client_does_not_abort_the_other(tmp_path: Path) -> None:
    with running() as kernel:
        one, two = kernel.connect("one"), kernel.connect("two")
        failing = one.start(f"%%bash\necho running\nuntil [ -e {tmp_path}/go ]; do sleep 0.02; done\nexit 1")
        one.until_output(failing, "running")
        front_info = two.send("kernel_info_request", {})
        (tmp_path / "go").touch()
        one.wait(failing)
        failing.stdout()
        failing.error()
        two.wait(front_info)
        assert two.execute("!echo fine").ok().stdout() == "fine\n"
        one.finish()
        two.finish()


def test_a_client_that_vanishes_in_mid_cell(front: FrontEnd, tmp_path: Path) -> None:
    guest = FrontEnd(front.connection, "guest")
    guest.welcome()
    cell = guest.start(f"%%bash\necho running\nuntil [ -e {tmp_path}/go ]; do sleep 0.02; done\nseq 10000")
    guest.until_output(cell, "running")
    guest.close()
    (tmp_path / "go").touch()
    assert front.execute("!echo still here").ok().stdout() == "still here\n"


def test_a_client_that_vanishes_while_it_is_asked(front: FrontEnd) -> None:
    """Nobody will answer. The kernel may wait, but an interrupt from another client ends it."""
    guest = FrontEnd(front.connection, "guest")
    guest.welcome()
    asked: list[str] = []
    guest.start("%reset", answer=lambda prompt, _: asked.append(prompt))
    guest.until(lambda: bool(asked), "the question")
    guest.close()
    front.request("interrupt_request", channel="control").ok()
    assert front.execute("!echo still here").ok().stdout() == "still here\n"


def test_a_thousand_queued_cells(front: FrontEnd) -> None:
    cells = [front.start("%cd -q .") for _ in range(1000)]
    front.wait(*cells)
    counts = [c.ok().reply.content["execution_count"] for c in cells if c.reply]
    assert counts == list(range(counts[0], counts[0] + 1000))


def test_a_stalled_subscriber_stalls_nobody(front: FrontEnd) -> None:
    """A publisher that sends to its peers in turn waited for the one that never reads, and every notebook stood still."""
    context = zmq.Context()
    try:
        stalled = context.socket(zmq.SUB)
        stalled.linger = 0
        stalled.rcvhwm = 1
        stalled.rcvbuf = 4096
        stalled.subscribe(b"")
        stalled.connect(front.endpoint("iopub"))
        # Its welcome is read, so that it is subscribed; nothing after that.
        stalled.rcvtimeo = 60_000
        stalled.recv_multipart()
        # 50 MB, of as much as a cell shows: far more than any buffer of the system between here and there.
        for _ in range(100):
            done = front.execute("!head -c 500000 /dev/zero | tr '\\0' 'x'").ok()
            assert len(done.stdout()) == 500_000
    finally:
        context.destroy(linger=0)
