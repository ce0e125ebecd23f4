"""What is kept when a cell ends otherwise than it should: everything, as it was before the cell."""

from __future__ import annotations

import os
import signal
from time import monotonic, sleep

import psutil
import pytest

from frontend import PATIENCE, FrontEnd, plain
from launch import running

NULL = "unsafe { std::ptr::null_mut::<u8>().write_volatile(1) };"


@pytest.fixture
def native(front: FrontEnd) -> FrontEnd:
    front.execute("%reset -f").ok().everything()
    return front


def test_again_and_again(native: FrontEnd) -> None:
    """A checkpoint that has taken over makes checkpoints of its own."""
    native.execute("let mut count = 0;").ok()
    for number in range(1, 16):
        native.execute("count += 1;").ok()
        native.execute(f"count = 1000; {NULL}").error()
        assert native.execute("count").ok().text() == str(number)


def test_what_it_printed_has_been_printed_once(native: FrontEnd) -> None:
    failed = native.execute(f'print!("a"); println!("b"); {NULL}')
    failed.error()
    assert failed.stdout() == "ab\n"
    assert native.execute('println!("c");').ok().stdout() == "c\n"


def test_a_moved_variable_comes_back(native: FrontEnd) -> None:
    native.execute('struct Account(Vec<u64>);\nlet mut account = Account(vec![1, 2]); let gone = String::from("not");').ok()
    native.execute(f"account.0.push(3); drop(gone); let new = 1; {NULL}").error()
    assert native.execute("(&account.0, &gone)").ok().text() == '([1, 2], "not")'
    assert native.execute("new").error()["ename"] == "E0425"


def test_a_runtime_and_its_tasks_come_back(native: FrontEnd) -> None:
    """A worker thread, a task that sleeps, and a channel between them and later cells."""
    native.execute(':dep tokio = { version = "1", features = ["rt-multi-thread", "time", "sync"] }').ok().everything()
    native.execute(
        "let (ask, mut asked) = tokio::sync::mpsc::channel::<tokio::sync::oneshot::Sender<u64>>(1);"
        "tokio::spawn(async move { let mut count = 0; while let Some(answer) = asked.recv().await {"
        " tokio::time::sleep(std::time::Duration::from_millis(1)).await; count += 1; let _ = answer.send(count); } });"
    ).ok()
    look = "let (answer, count) = tokio::sync::oneshot::channel(); ask.send(answer).await.unwrap(); count.await?"
    assert native.execute(look).ok().text() == "1"
    for _ in range(3):
        failed = native.execute(f'println!("{{}}", {{ {look} }}); std::process::abort();')
        failed.error()
        assert failed.stdout() == "2\n", "the task goes on where it was"
    assert native.execute(look).ok().text() == "2"


def test_a_thread_that_cannot_be_kept_is_named(native: FrontEnd) -> None:
    """One that lets no signal through."""
    deaf = """unsafe extern "C" { fn pthread_sigmask(how: i32, set: *const [u64; 16], before: *mut [u64; 16]) -> i32; }
let kept = 1;
{
    let (ready, begun) = std::sync::mpsc::channel();
    std::thread::Builder::new().name("deaf".into()).spawn(move || {
        unsafe { pthread_sigmask(2, &[u64::MAX; 16], std::ptr::null_mut()); }
        ready.send(()).unwrap();
        loop { std::thread::park() }
    })?;
    begun.recv()?;
}"""
    native.execute(deaf).ok()
    error = native.execute("std::process::abort();").error()
    assert "as they were before the cell" in plain(error) and "deaf" in plain(error)
    assert native.execute("kept").ok().text() == "1"


def test_without_checkpoints_items_are_left(native: FrontEnd) -> None:
    native.execute(
        "fn twice(n: u64) -> u64 { 2 * n }\nstatic COUNT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(3);"
    ).ok()
    native.execute("let a = twice(2);").ok()
    native.execute("let b = 5; COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);").ok()
    native.execute("%config checkpoint=off").ok().everything()
    failed = native.execute("std::process::abort();")
    told = plain(failed.error())
    assert failed.reply is not None
    count = failed.reply.content["execution_count"]
    assert "`a`, `b`" in told and "checkpoints are off" in told
    assert f"cell[{count - 3}], cell[{count - 2}] made the variables" in told
    assert native.execute("(twice(4), COUNT.load(std::sync::atomic::Ordering::Relaxed))").ok().text() == "(8, 3)"
    assert "was lost" in plain(native.execute("a").error())
    native.execute("%config checkpoint=on").ok().everything()
    native.execute("let a = 1;").ok()
    native.execute("std::process::abort();").error()
    assert native.execute("a").ok().text() == "1"


def test_a_cell_is_taken_back_with_all_its_pieces(native: FrontEnd) -> None:
    """Magics between its Rust make pieces of it: they are one cell to whoever takes it back, and to what ends it."""
    native.execute("let mut v = vec![1];").ok()
    native.execute("v.push(2);\n%pwd\nv.push(3); fn new() {}").ok().everything()
    assert native.execute("%undo").ok().text().startswith("Variables and names are as they were before cell[")
    assert native.execute("v").ok().text() == "[1]"
    assert native.execute("new()").error()["ename"] == "E0425"
    failed = native.execute("v.push(4);\n%pwd\nstd::process::abort();")
    assert "as they were before the cell" in plain(failed.error())
    failed.everything()
    assert native.execute("v").ok().text() == "[1]"


def test_undo_goes_back_cell_by_cell(native: FrontEnd) -> None:
    native.execute("let mut v = vec![0];").ok()
    for number in range(1, 8):
        native.execute(f"v.push({number});").ok()
    native.execute("v.push(nothing);").error()
    native.execute("%who").ok().everything()
    for number in range(7, 2, -1):
        native.execute("%undo").ok().everything()
        assert native.execute("%whos").ok().displays()
        native.execute(f"assert_eq!(v.len(), {number});").ok()
        # That was a cell too.
        native.execute("%undo").ok().everything()


def test_undo_brings_back_what_was_deleted_and_typed_anew(native: FrontEnd) -> None:
    native.execute("struct P(i32); let p = P(3); let n = 1;").ok()
    native.execute("%del n").ok().everything()
    native.execute("%undo").ok().everything()
    assert native.execute("n").ok().text() == "1"
    native.execute("struct P(f64); let n = P(0.5);").ok().everything()
    native.execute("%undo").ok().everything()
    assert native.execute("n + p.0").ok().text() == "4"


def test_undo_without_anything_to_take_back(native: FrontEnd) -> None:
    assert "no cell to take back" in plain(native.execute("%undo").error())
    native.execute("%engine evcxr").ok().everything()
    assert "%engine native" in plain(native.execute("%undo").error())
    native.execute("%engine native").ok().everything()


def test_a_process_that_ends_between_cells(native: FrontEnd) -> None:
    """It returns to the state before the last cell, and the next one says so."""
    quit = 'std::thread::spawn(|| { while !std::path::Path::new("sign").exists() { std::thread::yield_now() } std::process::exit(4) });'
    native.execute("let x = 5; let pid = std::process::id();").ok()
    native.execute(f"let y = 6; {quit}").ok()
    process = psutil.Process(int(native.execute("pid").ok().text()))
    native.execute("%%bash\ntouch sign").ok().everything()
    psutil.wait_procs([process], timeout=PATIENCE)
    told = native.execute("1 + 1")
    assert told.reply is not None
    # The end may be noticed only when the cell is about to run.
    text = told.stderr() if told.reply.content["status"] == "ok" else plain(told.error())
    told.everything()
    assert "exit status 4" in text and "as they were before cell[" in text
    native.execute("%%bash\nrm sign").ok().everything()
    assert native.execute("x").ok().text() == "5"


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
