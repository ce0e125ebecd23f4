"""What is kept when a cell ends otherwise than it should: everything, as it was before the cell."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from time import monotonic, sleep

import psutil
import pytest

from frontend import PATIENCE, FrontEnd, plain
from launch import running

GIGABYTE = 1 << 30

NULL = "unsafe { std::ptr::null_mut::<u8>().write_volatile(1) };"
OVERFLOW = "fn deep(n: u64) -> u64 { if n == u64::MAX { 0 } else { 1 + deep(n + 1) + std::hint::black_box(n) } } deep(0);"
KILL = 'std::process::Command::new("kill").args(["-9", &std::process::id().to_string()]).status()?; loop {}'
TWICE = 'struct Bad; impl Drop for Bad { fn drop(&mut self) { panic!("again") } } let _bad = Bad; panic!("first");'

ENDINGS = {
    "segmentation fault": NULL,
    "abort": "std::process::abort();",
    "stack overflow": OVERFLOW,
    "exit status 3": "std::process::exit(3);",
    "killed": KILL,
    "abort, while it panicked": TWICE,
}


@pytest.fixture
def native(front: FrontEnd) -> FrontEnd:
    front.execute("%reset -f").ok().everything()
    return front


@pytest.fixture
def gigabyte() -> Iterator[FrontEnd]:
    """A notebook with a value of one gigabyte, where there is room for three."""
    if psutil.virtual_memory().available < 5 * GIGABYTE:
        pytest.skip("memory is short")
    with running() as kernel:
        front = kernel.connect()
        front.execute(f"let mut value = vec![1u8; {GIGABYTE}];").ok()
        yield front


@pytest.mark.parametrize("cause", ENDINGS)
def test_the_variables_are_as_before_the_cell(native: FrontEnd, cause: str) -> None:
    native.execute('struct Account(Vec<u64>);\nlet mut account = Account(vec![1, 2]); let gone = String::from("not");').ok()
    failed = native.execute(f"account.0.push(3); drop(gone); let new = 1; {{ {ENDINGS[cause]} }}")
    error = failed.error()
    failed.everything()
    assert cause.split(",")[0] in plain(error), "what happened"
    assert "as they were before the cell" in plain(error)
    assert native.execute("(&account.0, &gone)").ok().text() == '([1, 2], "not")'
    assert native.execute("new").error()["ename"] == "E0425"


def test_again_and_again(native: FrontEnd) -> None:
    """A checkpoint that has taken over makes checkpoints of its own."""
    native.execute("let mut count = 0;").ok()
    for number in range(1, 16):
        native.execute("count += 1;").ok()
        native.execute(f"count = 1000; {NULL}").error()
        assert native.execute("count").ok().text() == str(number)


def test_a_gigabyte(gigabyte: FrontEnd) -> None:
    gigabyte.execute(f"value[5] = 7; {NULL}").error()
    assert gigabyte.execute("(value.len(), value[5])").ok().text() == f"({GIGABYTE}, 1)"
    gigabyte.execute("value[5] = 7;").ok()
    gigabyte.execute("value.clear(); std::process::abort();").error()
    assert gigabyte.execute("(value.len(), value[5])").ok().text() == f"({GIGABYTE}, 7)"


def test_what_it_printed_has_been_printed_once(native: FrontEnd) -> None:
    failed = native.execute(f'print!("a"); println!("b"); {NULL}')
    failed.error()
    assert failed.stdout() == "ab\n"
    assert native.execute('println!("c");').ok().stdout() == "c\n"


def test_threads_are_named_where_they_forbid_it(native: FrontEnd) -> None:
    native.execute("let kept = 1; std::thread::spawn(|| loop { std::thread::park() });").ok()
    error = native.execute("std::process::abort();").error()
    assert "`kept`" in plain(error) and "threads" in plain(error)
    assert native.execute("1 + 1").ok().text() == "2"
    native.execute("%reset -f").ok().everything()


def test_a_process_that_ends_between_cells(native: FrontEnd) -> None:
    """There is nothing to return to: what is gone is named by the next cell, and told where it is used."""
    quit = 'std::thread::spawn(|| { while !std::path::Path::new("sign").exists() { std::thread::yield_now() } std::process::exit(4) });'
    native.execute(f"let x = 5; let pid = std::process::id(); {quit}").ok()
    process = psutil.Process(int(native.execute("pid").ok().text()))
    native.execute("%%bash\ntouch sign").ok().everything()
    psutil.wait_procs([process], timeout=PATIENCE)
    told = native.execute("1 + 1")
    assert told.reply is not None
    # The end may be noticed only when the cell is about to run.
    text = told.stderr() if told.reply.content["status"] == "ok" else plain(told.error())
    told.everything()
    assert "exit status 4" in text and "`x`" in text
    assert "`x` was lost" in plain(native.execute("x").error())
    native.execute("%%bash\nrm sign").ok().everything()


def test_nothing_is_left_of_a_kernel_that_is_killed() -> None:
    with running() as kernel:
        front = kernel.connect()
        front.execute('std::process::Command::new("setsid").args(["sleep", "100000"]).spawn()?;').ok()
        front.start('println!("running"); loop {}')
        mine = psutil.Process(kernel.pid)
        # The keeper, the process with the endless cell, its checkpoint, and the sleeper.
        deadline = monotonic() + PATIENCE
        while len(family := mine.children(recursive=True)) < 4:
            assert monotonic() < deadline, family
            sleep(0.05)
        os.kill(kernel.pid, signal.SIGKILL)
        _, alive = psutil.wait_procs(family, timeout=PATIENCE)
        assert not alive
