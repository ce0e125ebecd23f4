"""How long the engines take for a cell, and how fast what they compile runs. A program, run by hand: ``run.sh`` makes what it needs.

Latency: every contestant is a kernel of its own, started afresh in each run. They take turns cell by cell, so that a drift of the machine
hits all alike (``--alone``: one after the other, so that nothing that one still does in the background hits another). Start-up is spawn to
kernel_info_reply; a cell's time is request to idle. Each contestant is started once before, unmeasured: caches are warm.

Fidelity: functions of ``fidelity.cells``, defined in cells and in a release binary that cargo makes of the same text, timed by the same
loop, which stands in a cell as they do. Cell and binary take turns. The noise beside each ratio is half the width of the middle half of
its rounds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

HERE = Path(__file__).parent
TRIVIAL = "2 + 2"
ITEM_CELLS = 60
CRATES = """
:dep rayon = "1"
:dep regex = "1"
:dep serde = { version = "1", features = ["derive"] }
:dep serde_json = "1"
:dep rand = "0.8"
"""
# Generous: it ends what hangs.
PATIENCE = 600

# Each function with the calls in one batch, which takes a few milliseconds, and the call.
FIDELITY = {
    "add, 1 ns": (2_000_000, "add(black_box(1), black_box(2))"),
    "fib(20)": (60, "fib(black_box(20))"),
    "hash of 43 bytes": (50_000, "fnv(black_box(&bytes))"),
    "sort of 100": (2_000, "sorted(black_box(&items))"),
    "dot product of 1024": (3_000, "dot(black_box(&a), black_box(&a))"),
    "table lookup": (2_000_000, "look_up(black_box(7))"),
    "5 ms loop": (1, "collatz(black_box(25_000))"),
    "calls three cells": (2_000, "together(black_box(&items), black_box(&bytes))"),
}
INPUTS = "let (items, bytes, a) = (shuffled(100), text(), floats());"


@dataclass
class Contestant:
    """A kernel to measure, and what chooses the engine in it."""

    name: str
    kernelspec: str
    # The cell that does it.
    choose: str | None = None
    figures: dict[str, list[float]] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)

    def note(self, what: str, seconds: float) -> None:
        self.figures.setdefault(what, []).append(seconds)

    def median(self, what: str) -> float:
        return statistics.median(self.figures[what])


class Notebook:
    """A running kernel of a contestant."""

    def __init__(self, contestant: Contestant) -> None:
        self.contestant = contestant
        start = perf_counter()
        self.manager = KernelManager(kernel_name=contestant.kernelspec)
        self.manager.start_kernel()
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.kernel_info()
        self.client.get_shell_msg(timeout=PATIENCE)
        self.startup = perf_counter() - start
        self.client.wait_for_ready(timeout=PATIENCE)

    def run(self, code: str) -> tuple[float, bool, str]:
        """Runs a cell: the seconds, whether it went well, and what it printed on its standard output or as an error."""
        said: list[str] = []

        def listen(message: dict) -> None:
            content = message["content"]
            if message["msg_type"] == "stream" and content["name"] == "stdout":
                said.append(content["text"])
            elif message["msg_type"] == "error":
                said.append(f"{content['ename']}: {content['evalue']}")

        start = perf_counter()
        reply = self.client.execute_interactive(code, timeout=PATIENCE, allow_stdin=False, output_hook=listen)
        return perf_counter() - start, reply["content"]["status"] == "ok", "".join(said)

    def measure(self, what: str, code: str) -> None:
        seconds, ok, _ = self.run(code)
        self.contestant.note(what, seconds)
        if not ok:
            self.contestant.failed.add(what)

    def choose(self) -> str | None:
        """Chooses the engine; what is said where there is none."""
        if self.contestant.choose is None:
            return None
        _, ok, said = self.run(self.contestant.choose)
        return None if ok else said

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def cells(file: str) -> list[str]:
    return [cell.strip("\n") for cell in (HERE / file).read_text().split("\n---\n")]


def progress(text: str) -> None:
    print(f"==> {text}", file=sys.stderr, flush=True)


# Latency.


def present(contestants: list[Contestant]) -> list[Contestant]:
    """Those that can be started; this fills their caches."""
    there = []
    for contestant in contestants:
        if contestant.kernelspec not in KernelSpecManager().find_kernel_specs():
            progress(f"{contestant.name} is left out: there is no kernelspec `{contestant.kernelspec}`")
            continue
        progress(f"warming up {contestant.name}")
        notebook = Notebook(contestant)
        trouble = notebook.choose()
        if trouble is None:
            notebook.run(TRIVIAL)
            there.append(contestant)
        else:
            progress(f"{contestant.name} is left out: {trouble}")
        notebook.stop()
    return there


def opened(contestants: list[Contestant]) -> list[Notebook]:
    """A fresh kernel of each, its engine chosen and its start-up noted. The first cell, which is the next, may have to start the engine."""
    notebooks = []
    for contestant in contestants:
        notebook = Notebook(contestant)
        contestant.note("start-up", notebook.startup)
        notebook.choose()
        notebooks.append(notebook)
    return notebooks


def in_turn(notebooks: list[Notebook], what: str, code: str) -> None:
    for notebook in notebooks:
        notebook.measure(what, code)


def item_cell(n: int) -> str:
    return f"""struct Item{n} {{ value: u64 }}
impl Item{n} {{ fn get(&self) -> u64 {{ self.value + {n} }} }}
fn item_{n}(n: u64) -> u64 {{ Item{n} {{ value: n }}.get() }}"""


def measure_trivial(group: list[Contestant], times: int) -> None:
    """The first cell, trivial ones, then many cells of items, then trivial ones again."""
    notebooks = opened(group)
    in_turn(notebooks, "first cell", TRIVIAL)
    for _ in range(times):
        in_turn(notebooks, "trivial cell", TRIVIAL)
    for n in range(ITEM_CELLS):
        in_turn(notebooks, "item cell", item_cell(n))
    for _ in range(times):
        in_turn(notebooks, f"after {ITEM_CELLS} item cells", TRIVIAL)
    for notebook in notebooks:
        notebook.stop()


def measure_crates(group: list[Contestant], times: int) -> None:
    """Trivial cells before and after crates were added. Building them is no part of the figures."""
    notebooks = opened(group)
    in_turn(notebooks, "first cell", TRIVIAL)
    for _ in range(times):
        in_turn(notebooks, "trivial cell before :dep", TRIVIAL)
    in_turn(notebooks, "the five crates added", CRATES)
    # evcxr builds them with the cell after.
    for notebook in notebooks:
        notebook.run(TRIVIAL)
    for _ in range(times):
        in_turn(notebooks, "trivial cell after :dep", TRIVIAL)
    for notebook in notebooks:
        notebook.stop()


def measure_course(group: list[Contestant], course: list[str]) -> None:
    notebooks = opened(group)
    in_turn(notebooks, "first cell", TRIVIAL)
    for number, code in enumerate(course):
        in_turn(notebooks, f"course {number}", code)
    for notebook in notebooks:
        notebook.stop()


def latency(contestants: list[Contestant], asked: argparse.Namespace) -> None:
    course = cells("course.cells")
    groups = [[c] for c in contestants] if asked.alone else [contestants]
    for run in range(asked.runs):
        for group in groups:
            progress(f"run {run + 1} of {asked.runs}: {', '.join(c.name for c in group)}")
            measure_trivial(group, asked.trivial)
            measure_crates(group, asked.trivial)
            measure_course(group, course)
    print_latency(contestants, course, asked)


def print_latency(contestants: list[Contestant], course: list[str], asked: argparse.Namespace) -> None:
    how = "each alone" if asked.alone else "in turn"
    print(f"\nLatency in milliseconds, medians of {asked.runs} runs, {how}; x: times {contestants[0].name}; !: the cell failed")
    print(f"{'':<44}", *(f"{c.name:>22}" for c in contestants))
    after = f"after {ITEM_CELLS} item cells"
    for what in ("start-up", "first cell", "trivial cell", "item cell", after):
        print_row(what, contestants, lambda c, what=what: c.median(what), what)
    ratios = (f"{c.median(after) / c.median('trivial cell'):>18.2f}    " for c in contestants)
    print(f"{'  its ratio to the trivial cell':<44}", *ratios)
    before, after = "trivial cell before :dep", "trivial cell after :dep"
    for what in (before, "the five crates added", after):
        print_row(what, contestants, lambda c, what=what: c.median(what), what)
    ratios = (f"{c.median(after) / c.median(before):>18.2f}    " for c in contestants)
    print(f"{'  its ratio to the one before':<44}", *ratios)
    for number, code in enumerate(course):
        what = f"course {number}"
        print_row(f"  {code.splitlines()[0]}", contestants, lambda c, what=what: c.median(what), what)
    # Only what all can run is compared.
    everywhere = [f"course {n}" for n in range(len(course)) if not any(f"course {n}" in c.failed for c in contestants)]
    if not everywhere:
        return
    name = f"course, {len(everywhere)} cells"
    print_row(f"{name}: median", contestants, lambda c: statistics.median(c.median(w) for w in everywhere))
    print_row(f"{name}: 90th percentile", contestants, lambda c: sorted(c.median(w) for w in everywhere)[int(0.9 * (len(everywhere) - 1))])
    print_row("restart and run all", contestants, lambda c: c.median("start-up") + c.median("first cell") + sum(map(c.median, everywhere)))


def print_row(label: str, contestants: list[Contestant], figure: Callable[[Contestant], float], what: str = "") -> None:
    figures = [figure(c) for c in contestants]
    shown = []
    for contestant, seconds in zip(contestants, figures, strict=True):
        ratio = "" if contestant is contestants[0] else f" x{seconds / figures[0]:.2f}"
        shown.append(f"{seconds * 1e3:>13.1f}{'!' if what in contestant.failed else ' '}{ratio:<8}")
    print(f"{label[:44]:<44}", *shown)


# Fidelity.


def release_binary(work: Path) -> Path:
    """A program of the same text as the cells. It times the function whose number it reads, and prints nanoseconds a call."""
    folder = work / "fidelity"
    (folder / "src").mkdir(parents=True, exist_ok=True)
    manifest = '[package]\nname = "fidelity"\nversion = "0.0.0"\nedition = "2024"\n\n[workspace]\n'
    arms = "".join(f"{n} => per_call({calls}, || {call}),\n" for n, (calls, call) in enumerate(FIDELITY.values()))
    main = f"""fn main() {{
    {INPUTS}
    for line in std::io::stdin().lines() {{
        let nanoseconds = match line.unwrap().parse::<u32>().unwrap() {{
            {arms}
            _ => unreachable!(),
        }};
        println!("{{nanoseconds}}");
    }}
}}
"""
    (folder / "Cargo.toml").write_text(manifest)
    (folder / "src" / "main.rs").write_text("\n".join([*cells("fidelity.cells"), main]))
    built = {key: value for key, value in os.environ.items() if not key.startswith("CARGO_TARGET") and key != "RUSTFLAGS"}
    subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=folder, env=built, check=True)
    return folder / "target" / "release" / "fidelity"


def fidelity(contestant: Contestant, asked: argparse.Namespace) -> None:
    """Cell and binary in turns; each round goes through all functions."""
    progress(f"fidelity of {contestant.name}: {asked.rounds} rounds")
    notebook = Notebook(contestant)
    notebook.choose()
    for cell in [*cells("fidelity.cells"), INPUTS]:
        _, ok, said = notebook.run(cell)
        if not ok:
            print(f"\nFidelity was not measured: {said}\n{cell}")
            notebook.stop()
            return
    binary = subprocess.Popen([release_binary(asked.work)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    assert binary.stdin is not None and binary.stdout is not None
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in FIDELITY}
    for _ in range(asked.rounds):
        for number, (name, (calls, call)) in enumerate(FIDELITY.items()):
            _, ok, said = notebook.run(f'println!("{{}}", per_call({calls}, || {call}));')
            if not ok:
                raise SystemExit(f"{name}: {said}")
            binary.stdin.write(f"{number}\n")
            times[name].append((float(said), float(binary.stdout.readline())))
    binary.stdin.close()
    binary.wait()
    notebook.stop()
    print_fidelity(contestant, times, asked.rounds)


def print_fidelity(contestant: Contestant, times: dict[str, list[tuple[float, float]]], rounds: int) -> None:
    print(f"\nFidelity: nanoseconds a call, medians of {rounds} rounds, in a cell of {contestant.name} and in a release binary")
    print(f"{'':<24}{'cell':>14}{'binary':>14}{'ratio':>9}{'noise':>9}")
    for name, rows in times.items():
        cell, binary = (statistics.median(column) for column in zip(*rows, strict=True))
        print(f"{name:<24}{cell:>14.2f}{binary:>14.2f}{cell / binary:>9.3f}{noise([c / b for c, b in rows]):>9.3f}")


def noise(ratios: list[float]) -> float:
    if len(ratios) < 2:
        return 0.0
    low, _, high = statistics.quantiles(ratios, n=4)
    return (high - low) / 2


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=3, help="fresh starts of every kernel")
    options.add_argument("--trivial", type=int, default=15, help="trivial cells before and after the item cells")
    options.add_argument("--rounds", type=int, default=15, help="rounds of the fidelity measurement")
    options.add_argument("--alone", action="store_true", help="run one kernel after the other instead of in turns")
    options.add_argument("--only", choices=("latency", "fidelity"), help="leave out the rest")
    options.add_argument("--beside", action="append", default=[], metavar="NAME=KERNELSPEC", help="another kernel to measure")
    options.add_argument("--work", type=Path, default=Path("target/tests/bench"), help="where the release binary is built")
    asked = options.parse_args()
    assay = [Contestant(engine, "assay", f"%engine {engine}") for engine in ("native", "evcxr")]
    contestants = present(assay + [Contestant(*beside.split("=", 1)) for beside in asked.beside])
    if not contestants:
        raise SystemExit("no kernel could be started")
    if asked.only != "fidelity":
        latency(contestants, asked)
    if asked.only != "latency":
        fidelity(contestants[0], asked)


if __name__ == "__main__":
    main()
