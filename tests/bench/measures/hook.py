"""What it costs that the heap can be looked at, and that it is: the example ``heap`` of the child, whose loops take turns."""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess

from .figures import Goal, progress

# A block is allocated and freed: two calls.
CALLS = 2
# Nanoseconds a call.
IDLE = 1.0


def measure(asked: argparse.Namespace) -> list[Goal]:
    progress("hook: building and running the example `heap`")
    run = ["cargo", "run", "--release", "--locked", "--quiet", "-p", "assay-child", "--example", "heap"]
    said = subprocess.run(run, capture_output=True, check=True, text=True).stdout
    print(f"\nNanoseconds for a block that is allocated and freed: medians, and the first deciles\n{said}", flush=True)
    # Threads, bytes, and a figure for each way: glibc, idle, counted, watched, with stacks.
    rows = [re.findall(r"([\d.]+) \([\d.]+\)", line) for line in said.splitlines() if re.match(r" +1 ", line)]
    idle = statistics.median((float(row[1]) - float(row[0])) / CALLS for row in rows)
    return [Goal("idle hook of the heap", f"{idle:.2f} ns a call", f"at most {IDLE:.0f} ns", idle <= IDLE)]
