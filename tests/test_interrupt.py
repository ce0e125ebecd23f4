"""Interrupts: the cell ends, nothing is lost, and the next cell works."""

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
