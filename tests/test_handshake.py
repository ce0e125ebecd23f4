"""What happens before the first cell: welcome, kernel_info, heartbeat; and what a kernel does with messages that it does not know."""

import subprocess

import pytest
import zmq

from frontend import FrontEnd
from launch import Kernel, running


@pytest.mark.parametrize("channel", ["shell", "control"])
def test_kernel_info(front: FrontEnd, channel: str) -> None:
    reply = front.request("kernel_info_request", channel=channel).reply
    assert reply is not None
    info = reply.content
    assert info["protocol_version"] == "5.5"
    assert info["implementation"] == "assay"
    assert info["implementation_version"]
    assert "Rust" in info["banner"]
    # A feature that is listed must work: welcome is tested below, and there is neither a debugger nor a subshell.
    assert info["supported_features"] == ["iopub_welcome"]
    assert not info.get("debugger", False)
    assert all(link["url"].startswith("https://") and link["text"] for link in info["help_links"])


def test_language_info_names_the_real_compiler(front: FrontEnd) -> None:
    reply = front.request("kernel_info_request").reply
    assert reply is not None
    language = reply.content["language_info"]
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout
    assert language["version"] == rustc.split()[1]
    assert language["name"] == "rust"
    assert language["mimetype"] == "text/rust"
    assert language["file_extension"] == ".rs"
    # A kernel that spelled it `pygment_lexer` had no colours in any exported notebook.
    assert language["pygments_lexer"] == "rust"


def test_every_subscriber_is_welcomed(kernel: Kernel, front: FrontEnd) -> None:
    """One kernel welcomed its first subscriber only, and the second front end waited for ever."""
    others = [kernel.connect(f"other{i}") for i in range(3)]
    assert [f.welcomes[0].content for f in [front, *others]] == [{"subscription": ""}] * 4
    for other in others:
        other.finish()


def test_the_parent_header_is_a_true_copy(front: FrontEnd) -> None:
    """Typed headers dropped what they did not know, and subshells could not work. The front end compares every parent."""
    header = front.make_header("kernel_info_request", subshell_id=None, x_unknown={"deep": [1, 2.5, "ü🦀"]})
    front.request("kernel_info_request", header=header)


def test_a_header_without_username_is_answered(front: FrontEnd) -> None:
    header = front.make_header("kernel_info_request")
    del header["username"]
    front.request("kernel_info_request", header=header)


def test_the_heartbeat_echoes(kernel: Kernel) -> None:
    with zmq.Context() as context, context.socket(zmq.REQ) as socket:
        socket.linger = 0
        socket.rcvtimeo = 30_000
        connection = kernel.connection
        socket.connect(f"tcp://{connection['ip']}:{connection['hb_port']}")
        for beat in (b"ping", b"", b"\xff\x00" * 100):
            socket.send(beat)
            assert socket.recv() == beat


@pytest.mark.parametrize("channel", ["shell", "control"])
def test_an_unknown_request_is_passed_over(front: FrontEnd, channel: str) -> None:
    """Unknown types get no reply, but the page that asked sees busy and idle, and the next request is answered."""
    front.request("teleport_request", {"to": "mars"}, channel=channel, replies=False)


def test_usage_is_told(front: FrontEnd, kernel: Kernel) -> None:
    reply = front.request("usage_request", channel="control").reply
    assert reply is not None
    assert reply.content["pid"] == kernel.pid


def test_an_interrupt_of_nothing_is_answered(front: FrontEnd) -> None:
    reply = front.request("interrupt_request", channel="control").reply
    assert reply is not None and reply.content["status"] == "ok"


def test_shaking_hands_does_not_start_the_engine() -> None:
    """Start-up is quick because the engine, which loads for seconds, is started by the first cell of Rust only."""
    with running() as kernel:
        front = kernel.connect()
        front.request("kernel_info_request")
        front.request("is_complete_request", {"code": "let a = 1;"})
        front.request("complete_request", {"code": "%lsm", "cursor_pos": 4})
        front.execute("%pwd").everything()
        assert not kernel.engine_runs()
        front.finish()
