"""Interrupts: the cell ends, nothing is lost, and the next cell works."""

import re

import pytest

from frontend import Exchange, FrontEnd, plain


def interrupt(front: FrontEnd, cell: Exchange) -> dict:
    """Interrupts a cell that has printed `running`; its error."""
    front.until_output(cell, "running")
    reply = front.request("interrupt_request", channel="control").reply
    assert reply is not None and reply.content["status"] == "ok"
    front.wait(cell)
    cell.stdout()
    # One of them prints more than is shown, which is said.
    cell.stderr()
    return cell.error()


@pytest.mark.parametrize(
    "endless",
    [
        "loop {}",
        "loop { std::hint::spin_loop(); }",
        "std::thread::sleep(std::time::Duration::from_secs(100_000));",
        'loop { println!("more and more"); }',
    ],
)
def test_a_cell_of_rust(front: FrontEnd, endless: str) -> None:
    front.execute("let mut precious = vec![17]; fn kept_item() -> i32 { 4 }").ok()
    error = interrupt(front, front.start(f'let new = 1; precious.push(new); println!("running"); {endless}'))
    assert "nterrupt" in error["ename"]
    assert "as they were before the cell" in plain(error)
    assert front.execute("precious").ok().text() == "[17]"
    assert front.execute("kept_item()").ok().text() == "4"
    assert front.execute("new").error()["ename"] == "E0425"


LOOP = 'for _ in assay::progress(0..u64::MAX) { done += 1; if done == 1000 { println!("running"); } }'
NOW = "has happened, and the variables are as they are now"
BEFORE = "as they were before the cell"


def bar(cell: Exchange) -> str:
    """The last state of a cell's bar."""
    return cell.take("display_data", "update_display_data")[-1].content["data"]["text/plain"]


def test_a_loop_with_a_bar_stops_between_two_items(front: FrontEnd) -> None:
    front.execute("let mut list = vec![1]; let process = std::process::id();").ok()
    cell = front.start(f"let mut done = 0u64; list.push(2); {LOOP}")
    assert NOW in plain(interrupt(front, cell))
    shown = re.search(r"(\d+)/18446744073709551615 .* stopped$", bar(cell))
    assert shown is not None
    assert front.execute("done").ok().text() == shown[1]
    assert front.execute("(&list, process == std::process::id())").ok().text() == "([1, 2], true)"
    counted = front.execute("assay::progress(0..9).count()").ok()
    assert counted.value() == {"text/plain": "9"}, "the button was meant for that cell alone"
    counted.everything()


def test_undo_takes_back_a_cell_that_was_stopped(front: FrontEnd) -> None:
    front.execute("let mut done = 5u64;").ok()
    cell = front.start(LOOP)
    assert NOW in plain(interrupt(front, cell))
    bar(cell)
    assert front.execute("done > 999").ok().text() == "true"
    assert "as they were before cell[" in front.execute("%undo").ok().text()
    front.execute("%undo").ok().everything()
    assert front.execute("done").ok().text() == "5"


def test_without_checkpoints_a_cell_is_stopped_where_it_can_be(front: FrontEnd) -> None:
    front.execute("%config checkpoint=off").ok().everything()
    front.execute("let process = std::process::id(); let mut done = 0u64;").ok()
    for _ in range(3):
        cell = front.start(f"done = 0; {LOOP}")
        assert NOW in plain(interrupt(front, cell))
        bar(cell)
    assert front.execute("done > 999 && process == std::process::id()").ok().text() == "true"
    front.execute("%config checkpoint=on").ok().everything()


def test_a_cell_that_awaits_stops_there(front: FrontEnd) -> None:
    cell = front.start('let a = 1; println!("running"); std::future::pending::<()>().await; let b = 2;')
    assert NOW in plain(interrupt(front, cell))
    assert front.execute("a").ok().text() == "1"
    assert front.execute("b").error()["ename"] == "E0425"


@pytest.mark.timeout(300)
def test_a_cell_of_tokio_stops_where_it_awaits(front: FrontEnd) -> None:
    """Also one that is woken all the time. A task of its own is not stopped."""
    adding = front.start(':dep tokio = { version = "1", features = ["rt-multi-thread", "time"] }')
    front.wait(adding, patience=240).ok().everything()
    task = (
        "let task = tokio::spawn(async { let mut ticks = 0u64; loop { ticks += 1; TICKS.store(ticks, Relaxed);"
        " tokio::time::sleep(std::time::Duration::from_millis(1)).await; } }).abort_handle();"
    )
    front.execute(f"use std::sync::atomic::{{AtomicU64, Ordering::Relaxed}}; static TICKS: AtomicU64 = AtomicU64::new(0); {task}").ok()
    for forever in ["tokio::time::sleep(std::time::Duration::from_secs(100_000)).await", "loop { tokio::task::yield_now().await; }"]:
        cell = front.start(f'let mut a = vec![1]; println!("running"); a.push(2); {forever};')
        assert NOW in plain(interrupt(front, cell))
        assert front.execute("a").ok().text() == "[1, 2]"
        front.execute("drop(a);").ok()
    wait = "while TICKS.load(Relaxed) < before + 3 { tokio::time::sleep(std::time::Duration::from_millis(1)).await; }"
    front.execute(f"let before = TICKS.load(Relaxed); {wait} task.abort();").ok().everything()


@pytest.mark.parametrize("presses", [1, 2])
def test_an_item_that_takes_for_ever_is_taken_back(front: FrontEnd, presses: int) -> None:
    """Once pressed, the button gives the cell a while to come to the next item; pressed again, it does not."""
    front.execute("let mut list = vec![1];").ok()
    cell = front.start('for _ in assay::progress(0..3) { list.clear(); println!("running"); loop {} }')
    front.until_output(cell, "running")
    for _ in range(presses - 1):
        front.request("interrupt_request", channel="control").ok()
    assert BEFORE in plain(interrupt(front, cell))
    bar(cell)
    assert front.execute("list").ok().text() == "[1]"


@pytest.mark.parametrize("thread", ["std::thread::scope(|all| { all.spawn(|| THERE); });", "rayon::scope(|all| all.spawn(|_| THERE));"])
def test_a_bar_in_another_thread_is_no_place_to_stop(front: FrontEnd, thread: str) -> None:
    if "rayon" in thread:
        front.execute(':dep rayon = "1"').ok().everything()
    front.execute("let mut done = 0u64;").ok()
    cell = front.start(thread.replace("THERE", f"{{ {LOOP} }}"))
    assert BEFORE in plain(interrupt(front, cell))
    bar(cell)
    assert front.execute("done").ok().text() == "0"


def test_the_evcxr_engine_names_what_it_loses(front: FrontEnd) -> None:
    front.execute("%engine evcxr").ok().everything()
    front.execute("let precious = 17;").ok()
    error = interrupt(front, front.start('println!("running"); loop {}'))
    assert "precious" in plain(error), "the variables that are gone are named"
    assert front.execute("precious").error()["ename"] == "E0425"


@pytest.mark.parametrize("cell", ["%%bash\necho running\nsleep 100000", "!echo running; sleep 100000"])
def test_a_cell_of_the_shell(front: FrontEnd, cell: str) -> None:
    interrupt(front, front.start(cell))
    assert front.execute("!echo again").ok().stdout() == "again\n"


def test_a_running_cell_does_not_hold_up_the_control_channel(front: FrontEnd) -> None:
    cell = front.start('println!("running"); loop {}')
    front.until_output(cell, "running")
    front.request("kernel_info_request", channel="control").ok()
    interrupt(front, cell)


def test_an_interrupt_aborts_what_is_queued(front: FrontEnd) -> None:
    cell = front.start('println!("running"); loop {}')
    queued = front.start("1 + 1")
    interrupt(front, cell)
    front.wait(queued)
    assert queued.reply is not None and queued.reply.content["status"] == "aborted"
