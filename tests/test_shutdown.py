"""The end of a kernel: it answers, goes, and leaves no process, socket or temporary file behind."""

import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from time import monotonic, sleep

import pytest

from frontend import FrontEnd
from launch import KERNEL_NAME, MARK, describe, end, isolated_environment, marked, running

BUSY = {
    "nothing": None,
    "rust": 'println!("running"); loop {}',
    "shell": "%%bash\necho running\nsleep 100000",
}


def occupy(front: FrontEnd, code: str | None) -> None:
    if code is not None:
        front.until_output(front.start(code), "running")


@pytest.mark.parametrize("busy", BUSY)
@pytest.mark.parametrize("channel", ["control", "shell"])
def test_shutdown(busy: str, channel: str) -> None:
    with running() as kernel:
        front = kernel.connect()
        occupy(front, BUSY[busy])
        end = front.send("shutdown_request", {"restart": False}, channel=channel)
        front.until(lambda: end.reply is not None, "shutdown_reply")
        assert end.reply is not None and end.reply.content == {"status": "ok", "restart": False}
        assert kernel.wait_for_end() == 0
        kernel.check_nothing_left()


def test_a_sparse_shutdown_is_answered() -> None:
    with running() as kernel:
        end = kernel.connect().request("shutdown_request", {}, channel="control")
        assert end.reply is not None and end.reply.content["restart"] is False
        assert kernel.wait_for_end() == 0


def test_restart() -> None:
    """As JupyterLab does it: the same connection file, a new process, nothing of the old one."""
    with running() as kernel:
        front = kernel.connect()
        front.execute("let forgotten = 1;").ok()
        front.finish()
        before = {p.pid for p in kernel.processes()}
        kernel.manager.restart_kernel(now=False)
        again = kernel.connect("again")
        assert again.kernel_session != front.kernel_session, "a new process has a new session id"
        assert not before & {p.pid for p in kernel.processes()}
        failed = again.execute("forgotten")
        assert failed.error()["ename"] == "E0425"
        assert failed.reply is not None and failed.reply.content["execution_count"] == 1
        again.finish()


@pytest.mark.parametrize("busy", ["nothing", "rust"])
def test_a_termination_signal_ends_it(busy: str) -> None:
    with running() as kernel:
        occupy(kernel.connect(), BUSY[busy])
        os.kill(kernel.pid, signal.SIGTERM)
        kernel.wait_for_end()
        kernel.check_nothing_left()


def test_a_signal_to_its_group_does_not_end_it() -> None:
    """A terminal's Ctrl-C reaches every process of the group; a kernel is interrupted by a message."""
    with running() as kernel:
        front = kernel.connect()
        front.execute("let alive = 1;").ok()
        os.killpg(os.getpgid(kernel.pid), signal.SIGINT)
        assert front.execute("alive").ok().text() == "1"
        front.finish()


@pytest.mark.parametrize("engine", ["evcxr", "native"])
def test_a_killed_kernel_leaves_no_process(engine: str) -> None:
    """Whoever kills the kernel must not have to find out what it had started."""
    with running() as kernel:
        front = kernel.connect()
        front.execute(f"%engine {engine}").ok()
        occupy(front, BUSY["rust"])
        assert len(kernel.processes()) > 1
        os.kill(kernel.pid, signal.SIGKILL)
        kernel.wait_for_end()
        # Its temporary folder is swept by the next kernel; the processes go at once.
        kernel.check_no_process()


STARTER = """
import sys
from jupyter_client.manager import KernelManager
manager = KernelManager(kernel_name=sys.argv[1])
manager.start_kernel()
client = manager.blocking_client()
client.start_channels()
client.wait_for_ready(timeout=60)
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_kernel_whose_front_end_was_killed_ends(tmp_path: Path) -> None:
    """A console that was killed left its kernel, and the engine's half a gigabyte, running for ever."""
    mark = f"orphan-{uuid.uuid4().hex}"
    env = {**isolated_environment(tmp_path / "nobody"), MARK: mark}
    with subprocess.Popen([sys.executable, "-c", STARTER, KERNEL_NAME], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None and starter.stdout.readline() == b"ready\n"
        assert len(marked(mark)) == 2
        starter.kill()
    deadline = monotonic() + 20
    while marked(mark) and monotonic() < deadline:
        sleep(0.05)
    left = marked(mark)
    told = describe(left)
    end(left)
    assert not left, told


def sockets(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_socket())


def test_ipc() -> None:
    with running(transport="ipc") as kernel:
        front = kernel.connect()
        assert front.execute("!echo by file").ok().stdout() == "by file\n"
        front.finish()
        folder = Path(kernel.connection["ip"]).parent
        name = Path(kernel.connection["ip"]).name
        there = [p for p in sockets(folder) if p.name.startswith(name)]
        assert len(there) == 5
        kernel.shut_down()
        assert not [p for p in there if p.exists()], "socket files left behind"


def test_a_stale_ipc_socket_is_cleared() -> None:
    """A kernel that was killed leaves its socket files, and the next one with the same connection file could not start."""
    with running(transport="ipc") as kernel:
        kernel.connect().finish()
        os.kill(kernel.pid, signal.SIGKILL)
        kernel.wait_for_end()
        kernel.manager.start_kernel(env=kernel.env, cwd=str(kernel.cwd))
        front = kernel.connect("again")
        assert front.execute("!echo again").ok().stdout() == "again\n"
        front.finish()
