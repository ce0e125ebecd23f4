"""A terminal's Ctrl-C reaches every process of its group, and harms nobody; the stop button does nothing where nothing runs."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

from frontend import Exchange, FrontEnd
from launch import Kernel


def wait_for(file: str) -> str:
    """Rust that waits until a file is there."""
    return f'while !std::path::Path::new("{file}").exists() {{ std::thread::yield_now() }}'


def press(kernel: Kernel) -> None:
    """Ctrl-C."""
    os.killpg(os.getpgid(kernel.pid), signal.SIGINT)


def still(front: FrontEnd, cell: Exchange) -> None:
    """The cell runs, and what went to the control channel after it has been answered."""
    front.request("kernel_info_request", channel="control").ok()
    assert not cell.done, cell.describe()


def test_while_nothing_runs(kernel: Kernel, front: FrontEnd) -> None:
    front.execute("let mine = std::process::id();").ok()
    for _ in range(3):
        press(kernel)
        assert front.execute("mine == std::process::id()").ok().text() == "true"


def test_while_a_cell_runs(kernel: Kernel, front: FrontEnd) -> None:
    cell = front.start('println!("running"); ' + wait_for("loop") + " 5")
    front.until_output(cell, "running")
    before = {p.pid for p in kernel.processes()}
    press(kernel)
    still(front, cell)
    assert before == {p.pid for p in kernel.processes()}
    (kernel.cwd / "loop").touch()
    assert front.wait(cell).ok().text() == "5"
    assert cell.stdout() == "running\n"


def test_while_a_question_is_open(kernel: Kernel, front: FrontEnd) -> None:
    def answer(_prompt: str, _password: bool) -> str:
        press(kernel)
        return "six"

    assert front.execute('assay::input("? ")?', answer=answer).ok().text() == '"six"'


def test_while_a_cell_of_the_shell_runs(kernel: Kernel, front: FrontEnd) -> None:
    cell = front.start("%%bash\necho running\nwhile [ ! -e shell ]; do sleep 0.01; done\necho done")
    front.until_output(cell, "running")
    press(kernel)
    still(front, cell)
    (kernel.cwd / "shell").touch()
    assert front.wait(cell).ok().stdout() == "running\ndone\n"


def test_while_rustc_works(kernel: Kernel, front: FrontEnd) -> None:
    """It waits in the middle of the cell, for a text that is written after the signal."""
    pipe = kernel.cwd / "text"
    os.mkfifo(pipe)
    cell = front.start(f'const TEXT: &str = include_str!("{pipe}"); TEXT.len()')
    writer = -1

    def read() -> bool:
        nonlocal writer
        writer = opened(pipe)
        return writer >= 0

    front.until(read, "rustc to read")
    press(kernel)
    still(front, cell)
    os.write(writer, b"seven..")
    os.close(writer)
    assert front.wait(cell).ok().text() == "7"


def opened(pipe: Path) -> int:
    """A pipe that somebody reads, to be written to; negative if nobody does."""
    try:
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        assert error.errno == errno.ENXIO
        return -1


def test_while_cargo_builds(kernel: Kernel, front: FrontEnd) -> None:
    package = kernel.cwd / "patient"
    (package / "src").mkdir(parents=True)
    (package / "Cargo.toml").write_text('[package]\nname = "patient"\nversion = "0.1.0"\nedition = "2024"\n')
    (package / "src" / "lib.rs").write_text("pub const EIGHT: u64 = 8;")
    begun, go = package / "begun", package / "go"
    (package / "build.rs").write_text(f'fn main() {{ std::fs::write("{begun}", "").unwrap(); {wait_for(str(go))} }}')
    cell = front.start(':dep patient = { path = "patient" }\npatient::EIGHT')
    front.until(begun.exists, "the build script")
    press(kernel)
    still(front, cell)
    go.touch()
    front.wait(cell).ok()
    assert cell.value() == {"text/plain": "8"}
    cell.everything()


def test_the_stop_button_does_nothing_where_nothing_runs(kernel: Kernel, front: FrontEnd) -> None:
    front.execute("let mut alive = vec![1];").ok()
    before = {p.pid for p in kernel.processes()}
    for _ in range(10):
        front.request("interrupt_request", channel="control").ok()
    assert before == {p.pid for p in kernel.processes()}
    assert front.execute("alive.push(2); alive.len()").ok().text() == "2"
    for _ in range(10):
        front.request("interrupt_request", channel="control").ok()
    assert front.execute("alive").ok().text() == "[1, 2]"
