"""``%prun`` of code whose split is known: how far its shares are off, how many stacks are complete, and what it costs to be watched."""

from __future__ import annotations

import argparse
import math
import statistics
from dataclasses import dataclass, field

from .figures import Goal, Ratio, progress, table
from .notebook import Notebook, cells, notebook

# Points beyond the error of sampling, 1.96 standard errors.
TOLERANCE = 2.0
COMPLETE = 0.98
OVERHEAD = 0.02


@dataclass
class Case:
    name: str
    code: str
    options: str
    # The share of each function and of all that it calls.
    total: dict[str, float]
    off: list[float] = field(default_factory=list)
    # How far it was beyond the error, in points.
    beyond: list[float] = field(default_factory=list)
    samples: list[int] = field(default_factory=list)
    incomplete: list[int] = field(default_factory=list)

    def try_once(self, kernel: Notebook) -> None:
        result = kernel.run(f"%prun {self.options} {self.code}").result
        count = result["samples"]
        self.samples.append(count)
        self.incomplete.append(result["incomplete"])
        found = {function["name"]: function["total"] / count for function in result["functions"]}
        for name, truth in self.total.items():
            share = found.get(name, 0.0)
            self.off.append(100 * abs(share - truth))
            error = 196 * math.sqrt(max(share * (1 - share), 1 / count) / count)
            self.beyond.append(100 * abs(share - truth) - error)


def cases() -> list[Case]:
    # With what the compiler has put into them: `black_box`, `wrapping_mul`.
    thirds = {"seventy": 0.7, "twenty": 0.2, "ten": 0.1}
    return [
        Case("70 / 20 / 10", "split(2_000_000)", "", {**thirds, "split": 1.0}),
        Case("recursion, 200 deep", "deep(200, 4_000_000)", "", {"seventy": 1.0, "deep": 1.0}),
        Case("two threads", "two_threads(2_000_000)", "", {"left": 0.5, "right": 0.5}),
        Case("strings, in C", "copies(400_000)", "", {"copies": 1.0}),
        Case("half asleep, on the wall", "half_asleep(80_000)", "--wall", {"nap": NAP}),
    ]


# What it sleeps of its time is measured in the same run: see `measure`.
NAP = math.nan


def measure(asked: argparse.Namespace) -> list[Goal]:
    all_cases = cases()
    overhead: list[float] = []
    with notebook(asked.kernel, asked.data, cells("profiled.cells")) as kernel:
        for turn in range(asked.rounds):
            progress(f"split: round {turn + 1} of {asked.rounds}")
            for case in all_cases:
                if "nap" in case.total:
                    whole = kernel.run("%time half_asleep(80_000)").result["wall"]
                    asleep = kernel.run("%time for _ in 0..100 { nap(5); }").result["wall"]
                    case.total["nap"] = asleep / whole
                case.try_once(kernel)
            times = {}
            for watched in (True, False) if turn % 2 else (False, True):
                times[watched] = kernel.run(f"%{'prun' if watched else 'time'} split(4_000_000)").result["wall"]
            overhead.append(times[True] / times[False])
    rows = [
        [
            case.name,
            f"{statistics.mean(case.samples):.0f}",
            f"{statistics.mean(case.off):.2f}",
            f"{max(case.off):.2f}",
            f"{max(case.beyond):.2f}",
            f"{100 * (1 - sum(case.incomplete) / sum(case.samples)):.2f} %",
        ]
        for case in all_cases
    ]
    heads = ["", "samples", "off by, points", "at most", "beyond 1.96 standard errors", "complete stacks"]
    table(f"%prun: {asked.rounds} runs of each", heads, rows)
    ratio = Ratio.of(overhead)
    print(f"\nWatched, by not watched, in alternating runs: {ratio}")
    worst = max(max(case.beyond) for case in all_cases)
    complete = 1 - sum(sum(case.incomplete) for case in all_cases) / sum(sum(case.samples) for case in all_cases)
    # What is not known to the tolerance decides nothing.
    cheap = None if ratio.noise > OVERHEAD else ratio.value < 1 + OVERHEAD
    return [
        Goal("shares of time", f"{worst:.2f} points beyond the error, at most", f"{TOLERANCE:.0f} points", worst <= TOLERANCE),
        Goal("complete stacks", f"{100 * complete:.2f} %", f"above {100 * COMPLETE:.0f} %", complete > COMPLETE),
        Goal("cost of being sampled", f"{100 * (ratio.value - 1):.2f} % ±{100 * ratio.noise:.2f}", "below 2 %", cheap),
    ]
