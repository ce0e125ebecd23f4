"""What counts as the same output of a notebook that ran again, and what does not. The tour and the course are compared so."""

from __future__ import annotations

from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_output

from alike import outputs


def printed(text: str) -> Any:
    return new_output("stream", name="stdout", text=text)


def value(text: str) -> Any:
    return new_output("execute_result", data={"text/plain": text}, execution_count=1)


def failed(name: str, told: str) -> Any:
    return new_output("error", ename=name, evalue=told, traceback=[f"\x1b[1m\x1b[91m{name}\x1b[0m: {told}"])


def measured(kind: str, told: str) -> Any:
    page = '<table><tr><th scope="col">Figure</th></tr><tr><th scope="row">Median</th></tr></table>'
    return new_output("display_data", data={"text/plain": told, "text/html": page}, metadata={"assay": {"kind": kind, "warnings": []}})


def checked(decision: str, told: str) -> Any:
    page = "<p>ok</p>"
    raw = {"kind": "assert_time", "decision": decision, "warnings": []}
    return new_output("display_data", data={"text/plain": told, "text/html": page}, metadata={"assay": raw})


CONTEXT = "\nSome Processor · rustc 1.95.0 · opt-level 3 · noise floor ±2.2 % (2 starts)"
ELSEWHERE = "\nAnother One · rustc 1.96.0 · opt-level 3 · noise floor ±12.2 % (supposed)"

ALIKE = [
    (printed("2 threads: 308.5ms,   41 % less\n"), printed("16 threads: 1.2µs, 7 % less\n")),
    (printed("1,000 words of 20 in 0.5 s"), printed("20 words of 1,000 in 17 ms")),
    (value("1.25"), value("1.0e-7")),
    (value("308.5ms"), value("1.2µs")),
    (value("<TimeitResult : 1.2 µs ± 3 ns per loop (7 runs)>"), value("<TimeitResult : 9.9 ms ± 1 ms per loop (90 runs)>")),
    (
        failed("AssertionError", "`f()` takes 12 ms (95 % interval 11 … 13 ms); claimed: less than 2 ms"),
        failed("AssertionError", "`f()` takes 9 ms (95 % interval 8 … 10 ms); claimed: less than 2 ms"),
    ),
    (
        measured("timeit", f"median 1.2 ns, 95 % interval 1.1 … 1.3 ns · min 1 ns · 3 outliers of 9\n2 allocations, 9 B per loop{CONTEXT}"),
        measured("timeit", f"median 0 ns, 95 % interval <0.1 … 0.1 ns · min 0 ns\n1 allocation, 8 B per loop{ELSEWHERE}"),
    ),
    (
        measured("compare", f"`a` is 3.2× faster than `b` (3–4).\nThe results are equal.{CONTEXT}"),
        measured("compare", f"No difference between `a` and `b` that this machine can show.\nThe results are equal.{ELSEWHERE}"),
    ),
    (
        checked("holds", f"ok: `f()` takes 1 ms; claimed: less than 2 ms{CONTEXT}"),
        checked("holds", f"ok: `f()` takes 1.5 ms; claimed: less than 2 ms{ELSEWHERE}"),
    ),
]

DIFFERENT = [
    (measured("timeit", f"no allocations per loop{CONTEXT}"), measured("timeit", f"1 allocation, 8 B per loop{CONTEXT}")),
    (
        measured("compare", f"The results are equal.{CONTEXT}"),
        measured("compare", f"The results differ: `b` does not give what `a` gives.{CONTEXT}"),
    ),
    (measured("timeit", f"median 1.2 ns{CONTEXT}"), measured("timeit", "median 1.2 ns")),
    (measured("timeit", f"median 1.2 ns{CONTEXT}"), measured("memit", f"median 1.2 ns{CONTEXT}")),
    (printed("2 threads: faster"), printed("2 threads: slower")),
    (printed("a line"), printed("a line\nand another")),
    (value("2262"), value("2263")),
    (value('["gold", "silver"]'), value('["silver", "gold"]')),
    (printed("42"), value("42")),
    (
        failed("AssertionError", "`f()` takes 12 ms; claimed: less than 2 ms"),
        failed("AssertionError", "`f()` takes 12 ms; claimed: less than 3 ms"),
    ),
    (failed("AssertionError", "`f()` was slow"), failed("Panic", "`f()` was slow")),
    (failed("E0308", "mismatched types at cell[3]:2:14"), failed("E0308", "cannot move at cell[3]:2:14")),
    (
        checked("holds", f"ok: `f()` takes 1 ms; claimed: less than 2 ms{CONTEXT}"),
        checked("holds", f"ok: `f()` takes 1 ms; claimed: less than 5 ms{CONTEXT}"),
    ),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_figures_do_not_make_a_difference(one: Any, other: Any) -> None:
    assert outputs(new_code_cell(outputs=[one])) == outputs(new_code_cell(outputs=[other]))


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_everything_else_does(one: Any, other: Any) -> None:
    assert outputs(new_code_cell(outputs=[one])) != outputs(new_code_cell(outputs=[other]))


def test_text_that_came_in_pieces_is_the_same_text() -> None:
    assert outputs(new_code_cell(outputs=[printed("a li"), printed("ne\n")])) == outputs(new_code_cell(outputs=[printed("a line\n")]))
