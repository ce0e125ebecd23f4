"""``%%compare``: how often it finds a difference where there is none, and where there is one of a known size.

Each trial is a cell of its own with a short budget. Code that is the same stands twice in the cell; spins differ by their number of steps.
The slower one stands first and last in turns.
"""

from __future__ import annotations

import argparse
import statistics
from collections import Counter
from dataclasses import dataclass, field

from .figures import Goal, progress, share, table
from .notebook import FUNCTIONS, INPUTS, Notebook, Trouble, notebook

BUDGET = "0.25s"
STEPS = 2000
FALSE_ALARMS = 0.01
POWER = 0.90
# The difference of which the goal speaks.
GOAL = 1.05


@dataclass
class Case:
    name: str
    # The cost of the second by the first's.
    ratio: float
    first: str
    second: str
    said: Counter[str] = field(default_factory=Counter)
    # As measured, of all trials and of those with a false verdict.
    ratios: list[float] = field(default_factory=list)
    false_ratios: list[float] = field(default_factory=list)

    def try_once(self, kernel: Notebook, is_turned: bool) -> None:
        code = [f"'first: {{ {self.first} }}", f"'second: {{ {self.second} }}"]
        lines = code[::-1] if is_turned else code
        result = kernel.run("\n".join([f"%%compare --budget {BUDGET}", *lines])).result
        # There is none if one of the two takes no time.
        if len(result["pairs"]) != 1:
            raise Trouble(f"{self.name}: {len(result['pairs'])} verdicts instead of one")
        [pair] = result["pairs"]
        labels = [lane["label"] for lane in result["lanes"]]
        first, second = labels[pair["first"]], labels[pair["second"]]
        # The ratio is the first one's cost by the second's.
        self.ratios.append(1 / pair["ratio"] if first == "first" else pair["ratio"])
        faster = {"first is faster": first, "second is faster": second}.get(pair["verdict"])
        self.said[f"{faster} is faster" if faster else "no difference"] += 1
        if faster == "second" or faster and self.ratio == 1:
            self.false_ratios.append(self.ratios[-1])

    @property
    def trials(self) -> int:
        return self.said.total()

    @property
    def right(self) -> int:
        return self.said["first is faster" if self.ratio > 1 else "no difference"]

    @property
    def false(self) -> int:
        """A difference where there is none, or the wrong way round."""
        return len(self.false_ratios)


def cases() -> list[Case]:
    spin = f"spin({STEPS})"
    same = {"spin": spin, "sort": "sorted(&items)", "hash": "fnv(&bytes)", "strings": "words(&bytes)"}
    differing = [Case(f"spin +{100 * (ratio - 1):.0f} %", ratio, spin, f"spin({STEPS * ratio:.0f})") for ratio in (1.01, 1.02, GOAL, 1.20)]
    return [Case(f"{name}, twice the same", 1.0, code, code) for name, code in same.items()] + differing


def measure(asked: argparse.Namespace) -> list[Goal]:
    all_cases = cases()
    with notebook(asked.kernel, asked.data, [*FUNCTIONS, INPUTS]) as kernel:
        for trial in range(asked.trials):
            if trial % 10 == 0:
                progress(f"verdicts: trial {trial + 1} of {asked.trials}")
            try:
                for case in all_cases:
                    case.try_once(kernel, trial % 2 == 1)
            except Trouble as why:
                # What there is took long: it is not thrown away.
                if trial == 0:
                    raise
                print(f"\nThe trials of %%compare ended early: {why}", flush=True)
                break
    return print_verdicts(all_cases)


def print_verdicts(all_cases: list[Case]) -> list[Goal]:
    shown = []
    for case in all_cases:
        found = share(case.right, case.trials) if case.ratio > 1 else "-"
        shown.append([case.name, found, share(case.false, case.trials), f"{statistics.median(case.ratios):.3f}"])
    trials = all_cases[0].trials
    title = f"%%compare with a budget of {BUDGET}, {trials} trials of each case; in brackets the 95 % interval of the share"
    table(title, ["", "found", "false", "median ratio"], shown)
    for case in all_cases:
        if case.false_ratios:
            # Where all lie on one side, the two may really differ: the same text twice is not always the same code at the same place.
            print(f"False of {case.name}: second by first {', '.join(f'{ratio:.3f}' for ratio in case.false_ratios)}")
    same = [case for case in all_cases if case.ratio == 1]
    false, of = sum(case.false for case in same), sum(case.trials for case in same)
    [five] = [case for case in all_cases if case.ratio == GOAL]
    wrong = sum(case.false for case in all_cases if case.ratio > 1)
    return [
        Goal("false alarms of %%compare", share(false, of), "at most 1 %", false <= FALSE_ALARMS * of),
        Goal("the slower one called the faster", str(wrong), "never", wrong == 0),
        Goal("differences of 5 % found", share(five.right, five.trials), "at least 90 %", five.right >= POWER * five.trials),
    ]
