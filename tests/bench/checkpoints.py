"""What checkpoints cost, and how soon a notebook is usable again after a cell was stopped or crashed.

A program, run by hand with the Python of ``target/tests/venv``, after ``run.sh`` or ``tests/run.sh`` has made what it needs.

Cost: the trivial cell with checkpoints and without (``%config checkpoint=off``), in turns; and a first sweep over 8 MB, timed by the cell's
own ``Instant``, in a fresh cell each time, in turns likewise: what the copy of the process costs by page faults would show there.

Usable again: from the signal, or from what the cell printed last, to idle; and then the trivial cell.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable
from time import perf_counter, sleep

from jupyter_client.manager import start_new_kernel

MEGABYTE = 1 << 20
TRIVIAL = "1 + 1"
SWEEP = 'let t = std::time::Instant::now(); for x in &mut sweep { *x = x.wrapping_add(1); } println!("{}", t.elapsed().as_nanos());'
NULL = "unsafe { std::ptr::null_mut::<u8>().write_volatile(1) }"
# Generous: it ends what hangs.
PATIENCE = 300


class Kernel:
    """A kernel, driven as a front end would."""

    def __init__(self) -> None:
        self.manager, self.client = start_new_kernel(kernel_name="assay")

    def run(self, code: str, hook: Callable[[str], None] = lambda text: None) -> float:
        """Runs a cell; the seconds from the request to idle."""
        began = perf_counter()
        self.client.execute_interactive(code, timeout=PATIENCE, output_hook=lambda m: hook(m["content"].get("text", "")))
        return perf_counter() - began

    def number(self, code: str) -> float:
        """What the cell prints."""
        printed: list[str] = []
        self.run(code, printed.append)
        return float("".join(printed))

    def end(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel()


def milliseconds(values: list[float]) -> str:
    quartiles = statistics.quantiles(values, n=4)
    return f"median {statistics.median(values) * 1e3:6.1f} ms, half of them from {quartiles[0] * 1e3:.1f} to {quartiles[2] * 1e3:.1f}"


def cost(kernel: Kernel, rounds: int) -> None:
    latency: dict[str, list[float]] = {"on": [], "off": []}
    sweeps: dict[str, list[float]] = {"on": [], "off": []}
    kernel.run(f"let mut sweep = vec![1u8; {8 * MEGABYTE}];")
    for _ in range(rounds):
        for setting in ("on", "off"):
            kernel.run(f"%config checkpoint={setting}")
            latency[setting].append(kernel.run(TRIVIAL))
            sweeps[setting].append(kernel.number(SWEEP) / 1e9)
    kernel.run("%config checkpoint=on")
    for what, values in (("trivial cell", latency), ("first sweep over 8 MB, timed in the cell", sweeps)):
        for setting, seconds in values.items():
            print(f"{what}, checkpoints {setting:3}: {milliseconds(seconds)}")
        print(f"    ratio of the medians: {statistics.median(values['on']) / statistics.median(values['off']):.2f}")


def usable(kernel: Kernel, rounds: int, label: str) -> None:
    stopped: list[float] = []
    crashed: list[float] = []
    after: list[float] = []
    for _ in range(rounds):
        pressed: list[float] = []

        def press(text: str, pressed: list[float] = pressed) -> None:
            if "running" in text:
                sleep(0.05)
                pressed.append(perf_counter())
                kernel.manager.interrupt_kernel()

        kernel.run('state[0] = 2; println!("running"); loop {}', press)
        stopped.append(perf_counter() - pressed[0])
        after.append(kernel.run(TRIVIAL))
        said: list[float] = []
        kernel.run(f'state[0] = 2; println!("now"); {NULL}', lambda text, said=said: said.append(perf_counter()) if "now" in text else None)
        crashed.append(perf_counter() - said[0])
    print(f"{label}: interrupt to idle: {milliseconds(stopped)}")
    print(f"{label}: last print to idle, segmentation fault with its back trace: {milliseconds(crashed)}")
    print(f"{label}: the cell after an interrupt: {milliseconds(after)}")
    value = re.sub(r"\D", "", str(int(kernel.number('println!("{}", state[0]);'))))
    assert value == "1", "the variable is not what it was"


def main() -> None:
    kernel = Kernel()
    kernel.run(TRIVIAL)
    cost(kernel, 20)
    for threads in (False, True):
        if threads:
            kernel.run(':dep rayon = "1"')
            kernel.run("use rayon::prelude::*; (0..1000u64).into_par_iter().sum::<u64>()")
        for size in (1, 64, 1024):
            kernel.run(f"let mut state = vec![1u8; {size * MEGABYTE}];")
            usable(kernel, 10, f"{size:5} MB{', with a rayon pool' if threads else ''}")
    kernel.end()


if __name__ == "__main__":
    main()
