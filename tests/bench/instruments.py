"""What the magics that time and those that profile are worth. A program, run by hand: ``instruments.sh`` makes what it needs.

Each part measures in rounds, so that a drift of the machine hits all that is compared alike, and says to what its figures are known: what
is noise decides no goal. The parts stand in ``measures/``, a file for each, which begins with what it measures. The machine should be idle.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
from pathlib import Path
from time import perf_counter

from measures.figures import Goal, table
from measures.notebook import Trouble

PARTS = ("bias", "functions", "verdicts", "coverage", "growth", "cost", "split", "counts", "hook")
# Rounds, trials, starts and sweeps.
USUAL = {"rounds": 10, "trials": 200, "starts": 20, "sweeps": 3}
QUICK = {"rounds": 2, "trials": 3, "starts": 3, "sweeps": 1}
SAID = {True: "reached", False: "MISSED", None: "cannot be told"}


def measure(part: str, asked: argparse.Namespace) -> list[Goal]:
    """One that fails does not keep the others from being measured."""
    began, load = perf_counter(), os.getloadavg()[0]
    try:
        return importlib.import_module(f"measures.{part}").measure(asked)
    except (Trouble, subprocess.CalledProcessError) as why:
        print(f"\n{part} was not measured: {why}", flush=True)
        return [Goal(part, "not measured", "", None)]
    finally:
        print(
            f"({part} took {perf_counter() - began:.0f} s; load of the machine {load:.1f} before, {os.getloadavg()[0]:.1f} behind)",
            flush=True,
        )


def chosen(text: str) -> list[str]:
    parts = text.split(",")
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return parts


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", type=chosen, default=list(PARTS), metavar="PART,…", help=f"of {', '.join(PARTS)}")
    options.add_argument("--quick", action="store_true", help="a short run, to see that all works: its figures say little")
    options.add_argument("--rounds", type=int, help=f"of bias, functions and cost ({USUAL['rounds']})")
    options.add_argument("--trials", type=int, help=f"of each case of %%%%compare ({USUAL['trials']})")
    options.add_argument("--starts", type=int, help=f"fresh kernels for the coverage ({USUAL['starts']})")
    options.add_argument("--sweeps", type=int, help=f"of each function whose growth is known ({USUAL['sweeps']})")
    options.add_argument("--kernel", default="assay", help="the kernelspec")
    options.add_argument("--work", type=Path, default=Path("target/tests/bench"), help="where things are built and kept")
    asked = options.parse_args()
    for name, number in (QUICK if asked.quick else USUAL).items():
        if getattr(asked, name) is None:
            setattr(asked, name, number)
    asked.data = asked.work / "data"
    goals = [goal for part in asked.only for goal in measure(part, asked)]
    table("Goals", ["", "figure", "goal", ""], [[goal.what, goal.figure, goal.goal, SAID[goal.reached]] for goal in goals], words=4)


if __name__ == "__main__":
    main()
