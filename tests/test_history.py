"""History: tail, range and search, within a session and across restarts. Magics are cells too, so no engine is started here."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from frontend import FrontEnd
from launch import new_folder, running


@pytest.fixture
def home() -> Iterator[Path]:
    folder = new_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def history(front: FrontEnd, **content: Any) -> list[list[Any]]:
    """Sends these fields and no others: public clients leave out what does not concern their kind of access."""
    reply = front.request("history_request", content).ok().reply
    assert reply is not None
    return reply.content["history"]


def run(front: FrontEnd, *cells: str) -> None:
    for cell in cells:
        front.execute(cell).everything()


CELLS = ["%pwd", "%cd -q .", "%pwd", "%version", "%pwd"]


def test_tail_range_and_search(home: Path) -> None:
    with running(folder=home) as kernel:
        front = kernel.connect()
        run(front, *CELLS)
        tail = history(front, hist_access_type="tail", n=2, output=False, raw=True)
        assert [(line, code) for _, line, code in tail] == [(4, "%version"), (5, "%pwd")]
        session = tail[0][0]
        assert history(front, hist_access_type="range", session=0, start=2, stop=4, output=False, raw=True) == [
            [session, 2, "%cd -q ."],
            [session, 3, "%pwd"],
        ]
        assert history(front, hist_access_type="range", session=session, start=4) == [
            [session, 4, "%version"],
            [session, 5, "%pwd"],
        ]
        found = history(front, hist_access_type="search", pattern="%p*")
        assert [line for _, line, _ in found] == [1, 3, 5]
        assert [line for _, line, _ in history(front, hist_access_type="search", pattern="%p*", n=2)] == [3, 5]
        assert [code for _, _, code in history(front, hist_access_type="search", pattern="%p*", unique=True)] == ["%pwd"]
        assert history(front, hist_access_type="search", pattern="nothing like it") == []
        front.finish()


def test_output_comes_as_a_pair(home: Path) -> None:
    with running(folder=home) as kernel:
        front = kernel.connect()
        run(front, "%cd -q .")
        ((_, line, pair),) = history(front, hist_access_type="tail", n=1, output=True)
        assert line == 1
        assert pair == ["%cd -q .", None]
        front.finish()


def test_what_is_not_stored_is_not_in_it(home: Path) -> None:
    with running(folder=home) as kernel:
        front = kernel.connect()
        run(front, "%pwd")
        front.execute("%version", silent=True)
        front.execute("%version", store_history=False).everything()
        assert [code for _, _, code in history(front, hist_access_type="tail", n=10)] == ["%pwd"]
        front.finish()


def test_it_outlives_the_kernel(home: Path) -> None:
    with running(folder=home) as kernel:
        first = kernel.connect()
        run(first, "%pwd", "// 🦀 of the first session")
        (old, *_), *_ = history(first, hist_access_type="tail", n=1)
    with running(folder=home) as kernel:
        second = kernel.connect()
        run(second, "%version")
        assert [code for _, _, code in history(second, hist_access_type="tail", n=3)] == [
            "%pwd",
            "// 🦀 of the first session",
            "%version",
        ]
        assert history(second, hist_access_type="range", session=-1, start=2, stop=3) == [[old, 2, "// 🦀 of the first session"]]
        assert history(second, hist_access_type="range", session=old, start=1, stop=2) == [[old, 1, "%pwd"]]
        assert [line for _, line, _ in history(second, hist_access_type="range", session=0, start=1)] == [1]
        second.finish()


def test_two_kernels_at_once_keep_apart(home: Path) -> None:
    with running(folder=home) as one, running(folder=home) as two:
        first, second = one.connect(), two.connect()
        run(first, "%pwd")
        run(second, "%version")
        mine = history(first, hist_access_type="range", session=0, start=1)
        other = history(second, hist_access_type="range", session=0, start=1)
        assert [c for _, _, c in mine] == ["%pwd"]
        assert [c for _, _, c in other] == ["%version"]
        assert mine[0][0] != other[0][0]
        first.finish()
        second.finish()


def test_a_broken_history_file_costs_the_history_only(home: Path) -> None:
    with running(folder=home) as kernel:
        front = kernel.connect()
        run(front, "%pwd")
        front.finish()
    files = [p for p in (home / "data").rglob("*") if p.is_file()]
    assert files, "the history is kept below the user's data folder"
    for file in files:
        file.write_bytes(b"this is no history \xff\x00" * 100)
    with running(folder=home) as kernel:
        front = kernel.connect()
        run(front, "%cd -q .")
        assert [c for _, _, c in history(front, hist_access_type="range", session=0, start=1)] in (["%cd -q ."], [])
        front.finish()
