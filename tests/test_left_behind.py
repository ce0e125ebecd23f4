"""Nothing of a kernel stays: no process, no file, no shared memory, whatever it is doing when it is restarted or killed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from frontend import PATIENCE, FrontEnd
from launch import Kernel, describe, new_folder, running, runs

ENDLESS = "#![allow(long_running_const_eval)]\nconst ENDLESS: u64 = { let mut n = 0; while n < u64::MAX { n += 1; } n }; ENDLESS"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """One home for the kernels of this file, which run one after the other: what is compiled once for all stays."""
    folder = new_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def wait_for(kernel: Kernel, program: str) -> None:
    deadline = monotonic() + PATIENCE
    while not any(runs(process, program) for process in kernel.processes()):
        assert monotonic() < deadline, f"no {program} among\n{describe(kernel.processes())}"
        sleep(0.02)


def print_and(front: FrontEnd, code: str) -> None:
    front.until_output(front.start(f'println!("running"); {code}'), "running")


def loop(_kernel: Kernel, front: FrontEnd) -> None:
    print_and(front, "loop {}")


def compile_for_ever(kernel: Kernel, front: FrontEnd) -> None:
    front.start(ENDLESS)
    wait_for(kernel, "rustc cell_")


def build_for_ever(kernel: Kernel, front: FrontEnd) -> None:
    package = kernel.cwd / "endless"
    (package / "src").mkdir(parents=True, exist_ok=True)
    (package / "Cargo.toml").write_text('[package]\nname = "endless"\nversion = "0.1.0"\nedition = "2024"\n')
    (package / "src" / "lib.rs").touch()
    (package / "build.rs").write_text("fn main() { loop {} }")
    front.start(':dep endless = { path = "endless" }')
    wait_for(kernel, "build-script-build")


def ask(_kernel: Kernel, front: FrontEnd) -> None:
    asked: list[str] = []
    front.start("std::io::read_to_string(std::io::stdin())?", answer=lambda prompt, _password: asked.append(prompt))
    front.until(lambda: bool(asked), "the question")


def keep_a_pool(_kernel: Kernel, front: FrontEnd) -> None:
    front.execute(':dep rayon = "1"').ok().everything()
    front.execute("use rayon::prelude::*; let sum: u64 = (0..1000u64).into_par_iter().sum();").ok()
    print_and(front, "(0..u64::MAX).into_par_iter().for_each(|n| { std::hint::black_box(n); });")


def sleep_in_the_background(kernel: Kernel, front: FrontEnd) -> None:
    """A program that has left its group and its session, and a thread that waits for another."""
    front.execute('std::process::Command::new("setsid").args(["sleep", "100000"]).spawn()?;').ok()
    front.execute('std::thread::spawn(|| std::process::Command::new("sleep").arg("200000").status());').ok()
    wait_for(kernel, "sleep 100000")
    wait_for(kernel, "sleep 200000")


def run_the_shell(_kernel: Kernel, front: FrontEnd) -> None:
    front.execute("!sleep 300000 >/dev/null 2>&1 &").ok().everything()
    front.until_output(front.start("%%bash\necho running\nsleep 100000 | cat"), "running")


WORK = [loop, compile_for_ever, build_for_ever, ask, keep_a_pool, sleep_in_the_background, run_the_shell]


def shared_memory(kernel: Kernel) -> list[str]:
    """What the kernel's processes have of memory that would outlive them."""
    found = []
    for process in kernel.processes():
        maps = Path(f"/proc/{process.pid}/maps")
        try:
            lines = maps.read_text().splitlines()
        except OSError:
            continue
        found += [f"{process.pid} {line}" for line in lines if "/dev/shm/" in line or "/SYSV" in line]
    return found


def wait_for_end(kernel: Kernel, before: set[int]) -> None:
    """Until the processes from before are gone, all of them."""
    deadline = monotonic() + PATIENCE
    while left := [process for process in kernel.processes() if process.pid in before]:
        assert monotonic() < deadline, f"left behind:\n{describe(left)}"
        sleep(0.02)


@pytest.mark.parametrize("killed", [False, True], ids=["restarted", "killed"])
@pytest.mark.parametrize("work", WORK, ids=lambda work: work.__name__)
def test_a_restart(folder: Path, work: object, killed: bool) -> None:
    with running(folder=folder) as kernel:
        front = kernel.connect()
        front.execute("let before = 1;").ok()
        assert callable(work)
        work(kernel, front)
        assert not shared_memory(kernel)
        before, pid = {process.pid for process in kernel.processes()}, kernel.pid
        front.close()
        kernel.manager.restart_kernel(now=killed)
        wait_for_end(kernel, before)
        # What the killed one could not take away, the next one does with its first cell.
        again = kernel.connect("again")
        assert again.execute("before").error()["ename"] == "E0425"
        assert not [file for file in kernel.files_left() if f"-{pid}-" in str(file)]
        again.finish()


def test_a_hundred_restarts(folder: Path) -> None:
    """Every second time it is killed; every tenth kernel runs a cell."""
    with running(folder=folder) as kernel:
        for number in range(100):
            front = kernel.connect(f"front {number}")
            front.request("kernel_info_request").ok()
            if number % 10 == 0:
                assert front.execute("1 + 1").ok().text() == "2"
            front.finish()
            front.close()
            kernel.fronts.remove(front)
            before = {process.pid for process in kernel.processes()}
            kernel.manager.restart_kernel(now=number % 2 == 0)
            wait_for_end(kernel, before)
        front = kernel.connect()
        assert front.execute("1 + 1").ok().text() == "2"
        front.finish()
        # The keeper, the process that runs cells, and the checkpoint of the one cell, at most, beside the kernel and its sweeper.
        assert len(kernel.processes()) <= 5, describe(kernel.processes())
        assert not shared_memory(kernel)
        folders = list((kernel.folder / "cache" / "assay").glob("native-*"))
        assert [folder.name.split("-")[1] for folder in folders] == [str(kernel.pid)]


def test_the_front_end_goes_while_a_cell_runs(folder: Path) -> None:
    """Another one finds the kernel as the first has left it."""
    with running(folder=folder) as kernel:
        first = kernel.connect("first")
        wait = 'while !std::path::Path::new("go").exists() { std::thread::yield_now() }'
        first.until_output(first.start(f'let mut count = 1; println!("running"); {wait} count += 1;'), "running")
        first.close()
        second = kernel.connect("second")
        second.request("kernel_info_request", channel="control").ok()
        look = second.start("count")
        (kernel.cwd / "go").touch()
        assert second.wait(look).ok().text() == "2"
        second.foreign.clear()
        second.finish()


def test_the_front_end_goes_while_it_is_asked(folder: Path) -> None:
    """Its input has ended: the cell does not wait for ever, and nobody else is asked."""
    with running(folder=folder) as kernel:
        first = kernel.connect("first")
        asked: list[str] = []
        reading = "let all = std::io::read_to_string(std::io::stdin())?;"
        first.start(reading, answer=lambda prompt, _password: asked.append(prompt))
        first.until(lambda: bool(asked), "the question")
        first.close()
        second = kernel.connect("second")
        assert second.execute("all").ok().text() == '""'
        second.finish()
