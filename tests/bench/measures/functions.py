"""Eight functions by ``%timeit`` in a notebook, by a plain loop in a release binary of the same text, by criterion and by divan.

The plain loop also stands in a cell: where that differs from the binary, it is the build that does, and not the magic.

In each round all are fresh processes, and take turns at each function. criterion and divan are left to their defaults, but for the
time that criterion takes. Rayon is not among the eight: it has two speeds, and the one that it happens to find decides.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
from collections.abc import Callable

from .figures import Goal, Ratio, all_within, counted, duration, progress, spread, table
from .notebook import FUNCTIONS, INPUTS, Notebook, notebook
from .peers import Peers

CALLS = {
    "add, 1 ns": "add(black_box(1), black_box(2))",
    "fib(20)": "fib(black_box(20))",
    "hash of 43 bytes": "fnv(black_box(&bytes))",
    "sort of 100": "sorted(black_box(&items))",
    "dot product of 1024": "dot(black_box(&a), black_box(&a))",
    "nine strings": "words(black_box(&bytes))",
    "5 ms loop": "collatz(black_box(25_000))",
    "sleep of 2 ms": "nap()",
}
TIMEIT, CELL, BINARY, CRITERION, DIVAN = NAMES = ("%timeit", "in a cell", "binary", "criterion", "divan")


def measure(asked: argparse.Namespace) -> list[Goal]:
    progress("functions: building the release binary and the benchmarks of criterion and divan (minutes, the first time)")
    peers = Peers(asked.work / "peers", FUNCTIONS, INPUTS, list(CALLS.values()))
    peers.build()
    seconds = 0.1 if asked.quick else 0.5
    times: dict[str, dict[str, list[float]]] = {name: {who: [] for who in NAMES} for name in CALLS}
    floor = 0.0
    for turn in range(asked.rounds):
        progress(f"functions: round {turn + 1} of {asked.rounds}")
        with notebook(asked.kernel, asked.data, [*FUNCTIONS, INPUTS]) as kernel, peers.binary() as binary:
            for number, (name, call) in enumerate(CALLS.items()):
                contestants: list[tuple[str, Callable[[], float]]] = [
                    (TIMEIT, lambda call=call, kernel=kernel: by_timeit(kernel, call)),
                    (CELL, lambda call=call, kernel=kernel: in_a_cell(kernel, call, seconds)),
                    (BINARY, lambda number=number, binary=binary: ask(binary, number, seconds)),
                    (CRITERION, lambda number=number: peers.criterion(number, seconds)),
                    (DIVAN, lambda number=number: peers.divan(number)),
                ]
                # Whoever is first in this round is last in the next.
                first = turn % len(contestants)
                for who, run in contestants[first:] + contestants[:first]:
                    times[name][who].append(run())
            floor = kernel.run("%timeit ()").result["facts"]["noise_floor"]
    return print_functions(times, asked.rounds, floor)


def by_timeit(kernel: Notebook, call: str) -> float:
    return kernel.run(f"%timeit {call}").lane["median"]


def in_a_cell(kernel: Notebook, call: str, seconds: float) -> float:
    return float(kernel.run(f'println!("{{}}", by_hand({seconds}, || {call}));').said) * 1e-9


def ask(binary: subprocess.Popen[str], number: int, seconds: float) -> float:
    assert binary.stdin is not None and binary.stdout is not None
    binary.stdin.write(f"{number} {seconds}\n")
    return float(binary.stdout.readline()) * 1e-9


def print_functions(times: dict[str, dict[str, list[float]]], rounds: int, floor: float) -> list[Goal]:
    shown, spreads = [], []
    verdicts = []
    for name, by in times.items():
        ratios = {who: Ratio.of([a / b for a, b in zip(by[TIMEIT], by[who], strict=True)]) for who in NAMES[1:]}
        verdicts.append(ratios[BINARY].verdict())
        medians = [duration(statistics.median(by[who])) for who in NAMES]
        shown.append([name, *medians, *(str(ratio) for ratio in ratios.values()), verdicts[-1]])
        spreads.append([name, *(spread(by[who]) for who in NAMES)])
    heads = ["", *NAMES, *(f"to {who}" for who in NAMES[1:]), "3 %"]
    noise = f"the floor of the machine is ±{100 * floor:.1f} %"
    table(f"Functions: medians of {rounds} rounds, and the ratios of %timeit with their 95 % intervals; {noise}", heads, shown)
    table("Functions: half the middle half of the rounds, as a share of the median", ["", *NAMES], spreads)
    return [Goal("%timeit of eight functions by a release binary", counted(verdicts), "all within 3 %", all_within(verdicts))]
