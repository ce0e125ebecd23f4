"""The notation of the engines' scenarios: what is written is what is checked."""

import pytest

from scenarios import ENGINES, Outcome, differences, joined, read, scenarios

FILE = """Prose.

=== one
let a = 1;
match a { 1 => "x", _ => "y" }
stdout> first
stdout> second
=> "x"
evcxr because: it is another
error> E0425 cannot find … at cell[1]:1:1
---
a
lines> CRLF
evcxr skips: there is no `a`

=== two
b();
"""


def test_a_file_is_scenarios_of_cells() -> None:
    one, two = read("file", FILE)
    assert (one.title, len(one.cells), two.title, len(two.cells)) == ("one", 2, "two", 1)
    first, second = one.cells
    assert first.code == 'let a = 1;\nmatch a { 1 => "x", _ => "y" }'
    assert first.on("native") == Outcome(shown=[("stdout>", "first\nsecond"), ("=>", '"x"')])
    assert first.on("evcxr") == Outcome(error="E0425 cannot find … at cell[1]:1:1")
    assert second.on("native") == Outcome() and second.on("evcxr") is None
    assert two.cells[0].expected == Outcome()


@pytest.mark.parametrize(
    "text",
    [
        "=== t\na\n=> 1\nevcxr because: it is the same\n=> 1\n",
        "=== t\na\n=> 1\nno such line\n",
        "=== t\na\n=> 1\nsteam because: there is none\n=> 2\n",
    ],
)
def test_what_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="t: "):
        read("file", text)


PANIC = Outcome(error="Panic no way at cell[1]:2:12", says=["error: no way\n --> cell[1]:2:12"])


@pytest.mark.parametrize(
    ("expected", "seen", "alike"),
    [
        (Outcome(), Outcome(), True),
        (Outcome(), Outcome([("=>", "1")]), False),
        (Outcome([("=>", "1")]), Outcome(), False),
        (Outcome([("=>", "1")]), Outcome([("=>", "12")]), False),
        (Outcome([("=>", "0x…")]), Outcome([("=>", "0x7f")]), True),
        (Outcome([("stdout>", "a"), ("=>", "1")]), Outcome([("=>", "1"), ("stdout>", "a")]), False),
        (Outcome(), Outcome(stderr=["warning: x"]), False),
        (Outcome(stderr=["warning"]), Outcome(stderr=["warning: x"]), True),
        (Outcome(stderr=["warning"]), Outcome(), False),
        (Outcome(), PANIC, False),
        (Outcome(error="Panic no way"), Outcome(), False),
        (Outcome(error="Panic no way at cell[1]:2:12"), PANIC, True),
        (Outcome(error="Panic … at cell[1]:2:1"), PANIC, False),
        (Outcome(error="Panic another"), PANIC, False),
        (Outcome(error="E0308 no way"), PANIC, False),
        (Outcome(error="… no way"), PANIC, True),
        (Outcome(error="Panic", says=["error: no"]), PANIC, True),
        (Outcome(error="Panic", says=["help"]), PANIC, False),
        (Outcome(error="Panic", never=["way"]), PANIC, False),
        (Outcome(error="Panic", never=["help"]), PANIC, True),
    ],
)
def test_a_difference_is_noticed(expected: Outcome, seen: Outcome, alike: bool) -> None:
    assert (differences(expected, seen) == []) == alike


def test_messages_of_one_stream_are_one_text() -> None:
    assert joined([("stdout>", "a\nb"), ("stdout>", "c\n"), ("=>", "1")]) == [("stdout>", "a\nbc"), ("=>", "1")]


def test_there_are_enough_cells_and_every_title_is_unique() -> None:
    titles = [str(scenario) for scenario in scenarios()]
    assert len(set(titles)) == len(titles)
    for engine in ENGINES:
        assert sum(cell.on(engine) is not None for scenario in scenarios() for cell in scenario.cells) >= 170
