"""Bias: ``%timeit`` of code whose length is known, beside a plain loop by hand before and behind it in the same cell.

What is timed is nothing at all, and dependent steps from one to some 600 million. From both the empty loop is taken off, each with its own
means.
"""

from __future__ import annotations

import argparse
import statistics

from .figures import Goal, Ratio, all_within, counted, duration, progress, spread, table
from .notebook import FUNCTIONS, notebook

# A step takes five cycles or so: these are from 1 ns to 1 s.
STEPS = [1, 6, 60, 600, 6_000, 60_000, 600_000, 6_000_000, 60_000_000, 600_000_000]
STEPS_QUICK = [1, 60, 6_000, 6_000_000]
# A third of a cycle.
NOTHING = 0.1e-9


def cell(steps: int, seconds: float) -> str:
    by_hand = f"by_hand({seconds}, || spin(black_box({steps})))"
    return f"""let before = {by_hand};
%timeit spin({steps})
let behind = {by_hand};
println!("{{before}} {{behind}}");"""


def measure(asked: argparse.Namespace) -> list[Goal]:
    lengths = STEPS_QUICK if asked.quick else STEPS
    seconds = 0.05 if asked.quick else 0.2
    rounds = asked.rounds
    empty: list[float] = []
    rows: dict[int, list[tuple[float, float]]] = {steps: [] for steps in lengths}
    floor = 0.0
    with notebook(asked.kernel, asked.data, FUNCTIONS) as kernel:
        for turn in range(rounds):
            progress(f"bias: round {turn + 1} of {rounds}")
            empty.append(kernel.run("%timeit ()").lane["median"])
            for steps in lengths:
                answer = kernel.run(cell(steps, seconds))
                before, behind = (float(text) * 1e-9 for text in answer.said.split())
                rows[steps].append((answer.lane["median"], (before + behind) / 2))
                floor = answer.result["facts"]["noise_floor"]
    return print_bias(empty, rows, floor)


def print_bias(empty: list[float], rows: dict[int, list[tuple[float, float]]], floor: float) -> list[Goal]:
    nothing = statistics.median(empty)
    shown = [["nothing", duration(nothing), "-", "-", "-", "-", ""]]
    verdicts = []
    for steps, pairs in rows.items():
        timeit, by_hand = zip(*pairs, strict=True)
        ratio = Ratio.of([a / b for a, b in pairs])
        verdicts.append(ratio.verdict())
        figures = [duration(statistics.median(timeit)), duration(statistics.median(by_hand))]
        shown.append([f"{steps:,} steps", *figures, str(ratio), spread(timeit), spread(by_hand), verdicts[-1]])
    noise = f"the floor of the machine is ±{100 * floor:.1f} %"
    title = f"Bias: medians of {len(empty)} rounds; the ratio with its 95 % interval, and the spread of each; {noise}"
    table(title, ["", "%timeit", "by hand", "ratio", "spread", "spread", "3 %"], shown)
    return [
        Goal("%timeit of nothing", duration(nothing), f"at most {duration(NOTHING)}", nothing <= NOTHING),
        Goal("%timeit by a loop by hand", counted(verdicts), "all within 3 %", all_within(verdicts)),
    ]
