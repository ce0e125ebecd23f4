"""Eight functions by ``%timeit`` in a notebook, by a plain loop in a release binary of the same text, by criterion and by divan.

The plain loop also stands in a cell, and in a binary that is laid out as the notebook's process is: with the standard library as a
shared object, and a second thread that sleeps. Where these differ from the binary, it is the build that does, and not the magic.

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
TIMEIT, CELL, BINARY, LIKEWISE, CRITERION, DIVAN = NAMES = ("%timeit", "in a cell", "binary", "shared std", "criterion", "divan")


def measure(asked: argparse.Namespace) -> list[Goal]:
    progress("functions: building the release binary and the benchmarks of criterion and divan (minutes, the first time)")
    peers = Peers(asked.work / "peers", FUNCTIONS, INPUTS, list(CALLS.values()))
    peers.build()
    seconds = 0.1 if asked.quick else 0.5
    times: dict[str, dict[str, list[float]]] = {name: {who: [] for who in NAMES} for name in CALLS}
    floor = 0.0
    for turn in range(asked.rounds):
        progress(f"functions: round {turn + 1} of {asked.rounds}")
        with (
            notebook(asked.kernel, asked.data, [*FUNCTIONS, INPUTS]) as kernel,
            peers.binary("peers") as binary,
            peers.binary("likewise") as likewise,
        ):
            for number, (name, call) in enumerate(CALLS.items()):
                contestants: list[tuple[str, Callable[[], float]]] = [
                    (TIMEIT, lambda call=call, kernel=kernel: by_timeit(kernel, call)),
                    (CELL, lambda call=call, kernel=kernel: in_a_cell(kernel, call, seconds)),
                    (BINARY, lambda number=number, binary=binary: ask(binary, number, seconds)),
                    (LIKEWISE, lambda number=number, likewise=likewise: ask(likewise, number, seconds)),
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
    verdicts, explained, peers = [], [], []
    for name, by in times.items():
        ratios = {who: Ratio.of([a / b for a, b in zip(by[TIMEIT], by[who], strict=True)]) for who in NAMES[1:]}
        verdicts.append(ratios[BINARY].verdict())
        explained.append(better(verdicts[-1], ratios[LIKEWISE].verdict()))
        peers.append(better(ratios[CRITERION].verdict(), ratios[DIVAN].verdict()))
        medians = [duration(statistics.median(by[who])) for who in NAMES]
        shown.append([name, *medians, *(str(ratio) for ratio in ratios.values()), verdicts[-1], explained[-1], peers[-1]])
        spreads.append([name, *(spread(by[who]) for who in NAMES)])
    heads = ["", *NAMES, *(f"to {who}" for who in NAMES[1:]), "binary", "or shared std", "criterion or divan"]
    noise = f"the floor of the machine is ±{100 * floor:.1f} %"
    table(f"Functions: medians of {rounds} rounds, and the ratios of %timeit with their 95 % intervals; {noise}", heads, shown)
    table("Functions: half the middle half of the rounds, as a share of the median", ["", *NAMES], spreads)
    what = "%timeit of eight functions by"
    return [
        Goal(f"{what} a release binary", counted(verdicts), "all within 3 %", all_within(verdicts)),
        Goal(f"{what} one with a shared std and two threads where not", counted(explained), "all within 3 %", all_within(explained)),
        Goal(f"{what} the nearer of criterion and divan", counted(peers), "all within 3 %", all_within(peers)),
    ]


def better(one: str, other: str) -> str:
    order = ("within", "in the noise", "too noisy", "OUTSIDE")
    return min(one, other, key=order.index)
