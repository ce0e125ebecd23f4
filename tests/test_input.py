"""Standard input of a cell of the native engine: whoever reads it asks the front end, a line at a time, until the user ends it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from frontend import Exchange, FrontEnd, plain
from launch import Kernel

READ_LINE = "let mut line = String::new(); let count = std::io::stdin().read_line(&mut line)?;"

# What Jupyter's consoles send for Ctrl-D, and what can be typed into a notebook's field.
END = "\x04"


@dataclass
class User:
    """Answers with these lines, in their order, and then leaves questions open."""

    lines: list[str] = field(default_factory=list)
    asked: list[tuple[str, bool]] = field(default_factory=list)

    def __call__(self, prompt: str, password: bool) -> str | None:
        self.asked.append((prompt, password))
        return self.lines.pop(0) if self.lines else None


def begin_to_ask(front: FrontEnd, code: str) -> Exchange:
    """Starts a cell, whose question is left open."""
    user = User()
    cell = front.start(code, answer=user)
    front.until(lambda: bool(user.asked), "the question")
    return cell


def interrupt(front: FrontEnd, cell: Exchange) -> None:
    front.request("interrupt_request", channel="control").ok()
    error = front.wait(cell).error()
    assert error["ename"] == "Interrupted" and "as they were before the cell" in plain(error)


def test_a_line(front: FrontEnd) -> None:
    user = User(["Zoë"])
    assert front.execute(f"{READ_LINE} (count, line)", answer=user).ok().text() == '(5, "Zoë\\n")'
    assert user.asked == [("", False)]


def test_what_was_printed_stands_before_the_question(front: FrontEnd) -> None:
    """Also where no newline ends it, as after a program's own prompt."""
    seen: list[str] = []

    def answer(_prompt: str, _password: bool) -> str:
        seen.append(cell.stdout())
        return "7"

    cell = front.start(f'print!("How many? "); {READ_LINE} line.trim().parse::<u64>()? + 1', answer=answer)
    assert front.wait(cell).ok().text() == "8"
    assert seen == ["How many? "]


def test_an_empty_answer_is_an_empty_line(front: FrontEnd) -> None:
    user = User(["", "b"])
    cell = "std::io::stdin().lines().take(2).collect::<Result<Vec<_>, _>>()?"
    assert front.execute(cell, answer=user).ok().text() == '["", "b"]'
    assert len(user.asked) == 2


def test_no_more_is_asked_than_is_read(front: FrontEnd) -> None:
    """What one cell leaves of a line is there for the next."""
    user = User(["one two"])
    byte = "let mut byte = [0]; std::io::Read::read_exact(&mut std::io::stdin(), &mut byte)?; byte[0] as char"
    assert front.execute(byte, answer=user).ok().text() == "'o'"
    assert front.execute(f"{READ_LINE} line", answer=user).ok().text() == '"ne two\\n"'
    assert len(user.asked) == 1


@pytest.mark.parametrize("end", [END, "^D"])
def test_to_the_end(front: FrontEnd, end: str) -> None:
    user = User(["a", "b", end])
    assert front.execute("std::io::read_to_string(std::io::stdin())?", answer=user).ok().text() == '"a\\nb\\n"'
    user = User(["1", "2", "3", end])
    numbers = "std::io::stdin().lines().map(|line| line.unwrap().parse::<u64>().unwrap()).sum::<u64>()"
    assert front.execute(numbers, answer=user).ok().text() == "6"
    assert len(user.asked) == 4


def test_after_the_end_there_may_be_more(front: FrontEnd) -> None:
    """As at a terminal."""
    front.execute("std::io::read_to_string(std::io::stdin())?", answer=User([END])).ok().everything()
    assert front.execute(f"{READ_LINE} line", answer=User(["again"])).ok().text() == '"again\\n"'


def test_calls_tell_the_end(front: FrontEnd) -> None:
    cell = 'let mut all = Vec::new(); while let Ok(line) = assay::input("> ") { all.push(line); } all'
    user = User(["a", "b", END])
    assert front.execute(cell, answer=user).ok().text() == '["a", "b"]'
    assert user.asked == [("> ", False)] * 3


def test_a_password_may_be_anything(front: FrontEnd) -> None:
    """It is asked for as one, and what ends an input elsewhere is taken as it is."""
    user = User(["^D"])
    assert front.execute('assay::password("Token: ")?', answer=user).ok().text() == '"^D"'
    assert user.asked == [("Token: ", True)]


def test_the_end_is_no_yes(front: FrontEnd) -> None:
    front.execute("let kept = 3;").ok()
    front.execute("%reset", answer=User([END])).ok().everything()
    assert front.execute("kept").ok().text() == "3"


def test_threads_ask_one_after_the_other(front: FrontEnd) -> None:
    user = User([f"line {number}" for number in range(6)])
    reader = "|| { let mut line = String::new(); std::io::stdin().read_line(&mut line).unwrap(); line }"
    caller = '|| { assay::input("? ").unwrap() + "\\n" }'
    cell = (
        f"let mut all: Vec<String> = std::thread::scope(|scope| {{"
        f" let readers: Vec<_> = (0..3).map(|_| scope.spawn({reader})).collect();"
        f" let callers: Vec<_> = (0..3).map(|_| scope.spawn({caller})).collect();"
        f" readers.into_iter().chain(callers).map(|one| one.join().unwrap()).collect() }}); all.sort(); all.concat()"
    )
    assert front.execute(cell, answer=user).ok().text() == '"' + "".join(f"line {number}\\n" for number in range(6)) + '"'
    assert sorted(user.asked) == [("", False)] * 3 + [("? ", False)] * 3


@pytest.mark.parametrize("question", [f"{READ_LINE}", 'assay::input("? ")?;', "std::io::read_to_string(std::io::stdin())?;"])
def test_an_interrupt_while_a_question_is_open(front: FrontEnd, question: str) -> None:
    """The cell does not go on as if its input had ended."""
    front.execute("let mut precious = vec![17];").ok()
    interrupt(front, begin_to_ask(front, f'precious.push(1); {question} println!("went on");'))
    assert front.execute("precious").ok().text() == "[17]"
    assert front.execute(f"{READ_LINE} line", answer=User(["next"])).ok().text() == '"next\\n"'


def test_an_answer_that_comes_after_the_interrupt(front: FrontEnd) -> None:
    """It is not taken for that to the next question, though it comes while that one is open."""
    late: list[str] = []

    def leave_open(prompt: str, _password: bool) -> None:
        late.append(prompt)

    cell = front.start(f"{READ_LINE}", answer=leave_open)
    front.until(lambda: bool(late), "the question")
    interrupt(front, cell)
    stale = front.make_header("input_reply")

    def answer(_prompt: str, _password: bool) -> str:
        # It names the question that it answers, as JupyterLab does: another one than this.
        front.send_frames(front.frames(stale, {"value": "late"}, parent=front.make_header("input_request")), "stdin")
        return "in time"

    assert front.execute(f"{READ_LINE} line", answer=answer).ok().text() == '"in time\\n"'


def test_a_thread_that_asks_when_its_cell_has_ended(kernel: Kernel, front: FrontEnd) -> None:
    """Front ends take the questions of running cells alone: the thread sees the end of the input, and holds up nobody who reads later."""
    user = User()
    wait = "while !std::path::Path::new(NAME).exists() { std::thread::yield_now() }"
    reading = (
        "std::thread::spawn(|| { for name in [NAMES] { let mut line = String::new();"
        " let count = std::io::stdin().read_line(&mut line).unwrap(); std::fs::write(name, count.to_string()).unwrap(); WAIT } });"
    )
    reading = reading.replace("NAMES", '"first", "second"').replace("WAIT", wait.replace("NAME", '"go"'))
    cell = front.start(reading + wait.replace("NAME", '"asked"'), answer=user)
    front.until(lambda: bool(user.asked), "the question")
    (kernel.cwd / "asked").touch()
    front.wait(cell).ok()
    front.until(lambda: written(kernel.cwd / "first"), "the end of the input")
    (kernel.cwd / "go").touch()
    front.until(lambda: written(kernel.cwd / "second"), "another end of it")
    assert [(kernel.cwd / name).read_text() for name in ("first", "second")] == ["0", "0"]
    assert front.execute(f"{READ_LINE} line", answer=User(["mine"])).ok().text() == '"mine\\n"'
    assert len(user.asked) == 1


def written(file: Path) -> bool:
    return file.exists() and file.stat().st_size > 0


def test_where_nobody_can_be_asked_the_input_is_empty(front: FrontEnd) -> None:
    """And the cell is told so, once: the program may not say it."""
    for _ in range(2):
        cell = front.execute(f"{READ_LINE} let all = std::io::read_to_string(std::io::stdin())?; (count, all)").ok()
        assert cell.text() == '(0, "")'
        assert cell.stderr() == "note: standard input is empty: this front end allows no input\n"
    error = front.execute('assay::input("? ")?').error()
    assert "this front end allows none" in plain(error)


def test_input_of_c_is_empty(front: FrontEnd) -> None:
    """The C library reads for itself: what it is given ends at once, and asks nobody."""
    cell = 'unsafe extern "C" { fn getchar() -> i32; } unsafe { getchar() }'
    user = User()
    assert front.execute(cell, answer=user).ok().text() == "-1"
    assert not user.asked
