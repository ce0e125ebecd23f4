"""What a ``%timeit`` costs whoever waits for it: from the request to idle, beside its budget."""

from __future__ import annotations

import argparse
import statistics

from .figures import Goal, duration, progress, table
from .notebook import FUNCTIONS, notebook

# Seconds; the first is the usual one.
BUDGETS = [1.0, 0.3]
# One batch, and the judging of all.
EXCESS = 0.05
# What else a cell takes: compiling, linking, the reference, the report with its chart.
BESIDES = 0.5


def measure(asked: argparse.Namespace) -> list[Goal]:
    whole: dict[str, list[float]] = {}
    parts: dict[str, list[tuple[float, float]]] = {}
    with notebook(asked.kernel, asked.data, FUNCTIONS) as kernel:
        for turn in range(asked.rounds):
            progress(f"cost: round {turn + 1} of {asked.rounds}")
            whole.setdefault("2 + 2", []).append(kernel.run("2 + 2").seconds)
            for budget in BUDGETS:
                name = f"%timeit --budget {budget}s fib(20)"
                answer = kernel.run(name)
                whole.setdefault(name, []).append(answer.seconds)
                parts.setdefault(name, []).append((answer.lane["elapsed"], answer.result["facts"]["compile"]))
    return print_cost(whole, parts)


def print_cost(whole: dict[str, list[float]], parts: dict[str, list[tuple[float, float]]]) -> list[Goal]:
    shown = []
    for name, seconds in whole.items():
        row = [name, duration(statistics.median(seconds)), "-", "-", "-"]
        if name in parts:
            measuring, compiling = zip(*parts[name], strict=True)
            rest = [all_of_it - sum(part) for all_of_it, part in zip(seconds, parts[name], strict=True)]
            row[2:] = [duration(statistics.median(figures)) for figures in (measuring, compiling, rest)]
        shown.append(row)
    rounds = len(next(iter(whole.values())))
    table(f"Cost: request to idle, medians of {rounds} rounds", ["", "in all", "measuring", "compiling", "the rest"], shown)
    over = max(measuring / budget - 1 for budget, rows in zip(BUDGETS, parts.values(), strict=True) for measuring, _ in rows)
    besides = max(
        statistics.median(all_of_it - measuring for all_of_it, (measuring, _) in zip(whole[name], rows, strict=True))
        for name, rows in parts.items()
    )
    return [
        Goal("measuring, at most beyond its budget", f"{100 * over:+.1f} %", "at most 5 %", over <= EXCESS),
        Goal("a cell with %timeit, besides measuring", duration(besides), f"at most {duration(BESIDES)}", besides <= BESIDES),
    ]
