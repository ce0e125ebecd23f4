"""Completion and inspection, of magics (without the engine) and of Rust. Positions count Unicode code points.

rust-analyzer loads for seconds. The native engine answers meanwhile with the names that it knows itself: who wants to hear more asks again.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import TypeVar

import pytest

from frontend import PATIENCE, FrontEnd
from launch import evcxr, running

T = TypeVar("T")


def complete(front: FrontEnd, marked: str) -> list[str]:
    """The texts that the cell could become when it is completed at the `|`."""
    cursor = marked.index("|")
    code = marked.replace("|", "", 1)
    reply = front.request("complete_request", {"code": code, "cursor_pos": cursor}).ok().reply
    assert reply is not None
    content = reply.content
    start, end = content["cursor_start"], content["cursor_end"]
    assert 0 <= start <= cursor <= end <= len(code), f"{start}..{end} for a cursor at {cursor}"
    typed = content["metadata"].get("_jupyter_types_experimental", [])
    assert [t["text"] for t in typed] == content["matches"], "JupyterLab inserts these texts"
    assert all(t["type"] for t in typed), "JupyterLab shows a badge for each type"
    return [code[:start] + match + code[end:] for match in content["matches"]]


def patiently(ask: Callable[[], T], good: Callable[[T], object]) -> T:
    """Asks until the answer is good."""
    deadline = monotonic() + PATIENCE
    while not good(answer := ask()):
        assert monotonic() < deadline, answer
        sleep(0.2)
    return answer


@pytest.fixture(params=["native", "evcxr"])
def engine(request: pytest.FixtureRequest, front: FrontEnd) -> str:
    """Both engines, one after the other, on an empty notebook."""
    front.execute(f"%engine {request.param}").ok().everything()
    front.execute("%reset -f").ok().everything()
    return request.param


def inspect(front: FrontEnd, marked: str, detail: int = 0) -> dict[str, str]:
    """What is told about the place of the `|`; empty if nothing is."""
    cursor = marked.index("|")
    content = {"code": marked.replace("|", "", 1), "cursor_pos": cursor, "detail_level": detail}
    reply = front.request("inspect_request", content).ok().reply
    assert reply is not None
    assert reply.content["found"] == bool(reply.content["data"])
    assert not reply.content["found"] or reply.content["data"]["text/plain"].strip()
    return reply.content["data"]


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("%lsm|", "%lsmagic"),
        ("%%writef|", "%%writefile"),
        ("// 🦀🦀 first\n%lsm|", "// 🦀🦀 first\n%lsmagic"),
        ("%who|", "%whos"),
        ('let crabs = "🦀";\n%pw|\nlet more = 1;', 'let crabs = "🦀";\n%pwd\nlet more = 1;'),
    ],
)
def test_a_magic_is_completed(front: FrontEnd, marked: str, expected: str) -> None:
    assert expected in complete(front, marked)


def test_a_remainder_is_no_magic(front: FrontEnd) -> None:
    assert not [c for c in complete(front, "let a = 7\n%ls|") if "lsmagic" in c]


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("String::from_utf8_lo|", "String::from_utf8_lossy"),
        ('let t = "🦀🦀"; t.trim_sta|', 'let t = "🦀🦀"; t.trim_start'),
        ('let 数 = vec![1u8]; let s = "🦀"; 数.is_emp|', 'let 数 = vec![1u8]; let s = "🦀"; 数.is_empty'),
    ],
)
@pytest.mark.usefixtures("engine")
def test_rust_is_completed(front: FrontEnd, marked: str, expected: str) -> None:
    patiently(lambda: complete(front, marked), lambda found: any(f.startswith(expected) for f in found))


@pytest.mark.usefixtures("engine")
def test_variables_and_items_of_earlier_cells_are_completed(front: FrontEnd) -> None:
    front.execute("struct Account { owner: String, cents: i64 }").ok()
    front.execute('let account = Account { owner: "me".to_owned(), cents: 5 };').ok()
    assert any(f.startswith("account.owner") for f in complete(front, "account.ow|"))
    assert any(f.startswith("Account") for f in complete(front, "Accou|"))
    assert "%pwd\naccount.cents" in complete(front, "%pwd\naccount.ce|")


@pytest.mark.parametrize("marked", ["|", "let a = 1;\n|", '"in a string \\|'])
def test_a_place_without_completions_is_answered(front: FrontEnd, marked: str) -> None:
    complete(front, marked)


@pytest.mark.parametrize("cursor", [None, 999, -1])
def test_a_strange_cursor_is_answered(front: FrontEnd, cursor: int | None) -> None:
    content = {"code": "%lsm"} if cursor is None else {"code": "%lsm", "cursor_pos": cursor}
    front.request("complete_request", content).ok()


def test_a_magic_is_explained(front: FrontEnd) -> None:
    text = inspect(front, "%lsmag|ic")["text/plain"]
    assert "%lsmagic" in text


@pytest.mark.usefixtures("engine")
def test_rust_is_explained(front: FrontEnd) -> None:
    marked = 'let s = "🦀🦀"; let v = Vec::<u8>::with_cap|acity(4);'
    patiently(lambda: inspect(front, marked), lambda found: "with_capacity" in found.get("text/plain", ""))


def test_the_notebooks_own_are_explained(front: FrontEnd) -> None:
    front.execute("%engine native").ok().everything()
    front.execute("/// Adds one.\nfn up(n: u8) -> u8 { n + 1 }\nlet seven = up(6);").ok()
    assert "Adds one." in inspect(front, "u|p(1)")["text/plain"]
    variable = inspect(front, "seve|n")["text/plain"]
    assert "u8" in variable and "1 byte" in variable and "cell[" in variable


def test_nothing_is_explained_where_nothing_is(front: FrontEnd) -> None:
    assert inspect(front, "  |  ") == {}


def test_without_an_analyzer(tmp_path: Path) -> None:
    """What the notebook's own text knows is completed; what is missing is said by a tooltip, and not at every key."""
    with running(env={"ASSAY_EVCXR": str(tmp_path / "assay-evcxr")}) as kernel:
        front = kernel.connect()
        front.execute("struct Part { grams: u32 }\nimpl Part { fn weigh(&self) {} }\nlet part = Part { grams: 1 };").ok()
        assert complete(front, "part.|") == ["part.grams", "part.weigh"]
        assert "part" in complete(front, "pa|")
        assert "grams" in inspect(front, "Par|t")["text/plain"]
        assert "assay-evcxr" in inspect(front, "Ve|c")["text/plain"]
        (tmp_path / "assay-evcxr.building").write_text(str(os.getpid()))
        assert "still being built" in inspect(front, "Ve|c")["text/plain"]
        front.finish()


def test_an_analyzer_that_dies_costs_one_answer() -> None:
    with running() as kernel:
        front = kernel.connect()
        front.execute("let numbers = vec![1u8];").ok()
        whole = "numbers.is_empty"

        def ask() -> list[str]:
            return complete(front, "numbers.is_emp|")

        patiently(ask, lambda found: any(f.startswith(whole) for f in found))
        for process in kernel.processes():
            if evcxr(process):
                process.send_signal(signal.SIGKILL)
        assert any(f == "numbers" for f in complete(front, "numb|"))
        patiently(ask, lambda found: any(f.startswith(whole) for f in found))
        assert front.execute("numbers.len()").ok().text() == "1", "no variable was touched"
        front.finish()


def test_the_crates_of_a_notebook_are_known(front: FrontEnd, tmp_path: Path) -> None:
    place = tmp_path / "shelf"
    (place / "src").mkdir(parents=True)
    (place / "Cargo.toml").write_text('[package]\nname = "shelf"\nversion = "0.1.0"\nedition = "2024"\n')
    (place / "src" / "lib.rs").write_text("/// Counts books.\npub fn count_books() -> u8 { 1 }\n")
    front.execute("%engine native").ok().everything()
    front.execute("%reset -f").ok().everything()
    front.execute(f':dep shelf = {{ path = "{place}" }}\n:dep hex = "=0.4.3"').ok().everything()
    assert "hex::encode_to_slice(input, output)" in patiently(lambda: complete(front, "hex::encode_to|"), bool)
    assert complete(front, "shelf::|") == ["shelf::count_books()"]
    assert "Counts books." in inspect(front, "shelf::count_books|")["text/plain"]
