"""Questions to the user. `%reset` asks before it forgets, without any Rust; `evcxr_input` asks from a cell."""

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


def test_a_cell_reads_a_line(front: FrontEnd) -> None:
    front.execute("%engine evcxr").ok().everything()
    front.execute(':dep evcxr_input = "1"').ok().everything()
    done = front.execute('evcxr_input::get_string("Name? ")', answer=lambda prompt, _: f"{prompt}Ferris").ok()
    assert done.text() == '"Name? Ferris"'
