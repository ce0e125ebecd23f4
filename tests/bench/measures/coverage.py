"""How often the 95 % interval that ``%timeit`` prints covers the truth: the median of the medians of many fresh kernels.

They share a data folder that is empty at first: how they learn the noise floor of the machine is part of what is measured.
"""

from __future__ import annotations

import argparse
import shutil
import statistics

from .figures import Goal, duration, progress, share, spread, table
from .notebook import FUNCTIONS, INPUTS, notebook

CALLS = {
    "fib(20)": "fib(20)",
    "hash of 43 bytes": "fnv(&bytes)",
    "sort of 100": "sorted(&items)",
    "dot product of 1024": "dot(&a, &a)",
    "nine strings": "words(&bytes)",
}
COVERED = 0.90


def measure(asked: argparse.Namespace) -> list[Goal]:
    data = asked.work / "data-of-coverage"
    shutil.rmtree(data, ignore_errors=True)
    # Median and the ends of the interval, for each start.
    rows: dict[str, list[tuple[float, float, float]]] = {name: [] for name in CALLS}
    floors: list[float] = []
    for start in range(asked.starts):
        progress(f"coverage: start {start + 1} of {asked.starts}")
        with notebook(asked.kernel, data, [*FUNCTIONS, INPUTS]) as kernel:
            for name, call in CALLS.items():
                answer = kernel.run(f"%timeit {call}")
                rows[name].append((answer.lane["median"], *answer.lane["interval"]))
            floors.append(answer.result["facts"]["noise_floor"])
    return print_coverage(rows, floors)


def print_coverage(rows: dict[str, list[tuple[float, float, float]]], floors: list[float]) -> list[Goal]:
    shown = []
    covered = of = 0
    for name, figures in rows.items():
        medians = [median for median, _, _ in figures]
        truth = statistics.median(medians)
        hits = sum(low <= truth <= high for _, low, high in figures)
        covered, of = covered + hits, of + len(figures)
        width = statistics.median((high - low) / 2 / median for median, low, high in figures)
        off = sorted(abs(median / truth - 1) for median in medians)
        worst = [f"{100 * off[int(share * (len(off) - 1))]:.1f} %" for share in (0.5, 0.8, 1.0)]
        shown.append([name, duration(truth), share(hits, len(figures)), f"±{100 * width:.1f} %", spread(medians), *worst])
    heads = ["", "median", "covered", "interval", "spread", "off: half", "80 %", "all"]
    table(
        f"Coverage: {len(floors)} starts; how far their medians are off the median of all, and how often its interval covers that",
        heads,
        shown,
    )
    steps = sorted({0, *range(4, len(floors), 5), len(floors) - 1})
    learnt = ", ".join(f"±{100 * floors[step]:.1f} % at start {step + 1}" for step in steps)
    print(f"The noise floor, as it was learnt: {learnt}")
    return [Goal("intervals that cover the truth", share(covered, of), "at least 90 %", covered >= COVERED * of)]
