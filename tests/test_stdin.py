"""Questions to the user. `%reset` asks before it forgets, without any Rust; `evcxr_input` asks from a cell, on either engine."""

import pytest

from frontend import FrontEnd
from launch import Kernel


def test_the_one_who_ran_the_cell_is_asked(kernel: Kernel, front: FrontEnd) -> None:
    asked: list[tuple[str, bool]] = []

    def answer(prompt: str, password: bool) -> str:
        asked.append((prompt, password))
        return "n"

    # The other client's front end fails the test when a question comes to it.
    other = kernel.connect("other")
    front.execute("%reset", answer=answer).everything()
    assert len(asked) == 1
    prompt, password = asked[0]
    assert prompt and not password
    other.finish()


def test_who_cannot_be_asked_gets_an_error(front: FrontEnd) -> None:
    """The front end insists that no question comes."""
    error = front.execute("%reset").error()
    assert error["evalue"]


def test_an_interrupt_ends_the_question(front: FrontEnd) -> None:
    asked: list[str] = []

    def leave_open(prompt: str, _password: bool) -> None:
        asked.append(prompt)

    cell = front.start("%reset", answer=leave_open)
    front.until(lambda: bool(asked), "the question")
    front.request("interrupt_request", channel="control")
    front.wait(cell).error()
    assert front.execute("%cd -q .").ok().everything() == []


def test_a_late_answer_is_not_taken_for_the_next_question(front: FrontEnd) -> None:
    """An answer that nobody waits for any more must not say yes to something else."""
    stray = front.make_header("input_reply")
    front.send_frames(front.frames(stray, {"value": "y"}), "stdin")
    asked: list[str] = []

    def answer(prompt: str, _password: bool) -> str:
        asked.append(prompt)
        return "n"

    front.execute("%reset", answer=answer).everything()
    assert len(asked) == 1


@pytest.mark.parametrize("engine", ["native", "evcxr"])
def test_a_cell_asks_as_evcxr_does(front: FrontEnd, engine: str) -> None:
    """With `evcxr_input`, whose request is a line of output that nobody sees."""
    asked: list[tuple[str, bool]] = []

    def answer(prompt: str, password: bool) -> str:
        asked.append((prompt, password))
        return f"answer {len(asked)}"

    front.execute(f"%engine {engine}").ok().everything()
    front.execute(':dep evcxr_input = "1"').ok().everything()
    cell = 'print!("first "); (evcxr_input::get_string("Name? "), evcxr_input::get_password("Pin? "))'
    done = front.execute(cell, answer=answer).ok()
    assert done.text() == '("answer 1", "answer 2")'
    assert done.stream("stdout") == "first "
    assert asked == [("Name? ", False), ("Pin? ", True)]
