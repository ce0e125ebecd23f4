"""A kernel that may not use much: what a limit forbids is an error that names it, or is done without; the kernel and its variables live."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from frontend import FrontEnd, plain
from launch import Kernel, running

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux sets limits of a running process")

GROUPS = Path("/sys/fs/cgroup/pids")


def limit(pid: int, what: int, most: int) -> None:
    """What the process starts from now on is limited too."""
    resource.prlimit(pid, what, (most, most))


def runner(front: FrontEnd) -> psutil.Process:
    """The process that runs cells."""
    return psutil.Process(int(front.execute("std::process::id()").ok().text()))


def test_few_descriptors() -> None:
    """As under `ulimit -n 64`: enough for cells, their checkpoints and crates."""
    with running() as kernel:
        limit(kernel.pid, resource.RLIMIT_NOFILE, 64)
        front = kernel.connect()
        front.execute("let mut all = vec![0];").ok()
        for number in range(1, 20):
            front.execute(f"all.push({number}); fn f{number}() {{}}").ok()
        front.execute("all.clear(); std::process::abort();").error()
        front.execute("%undo").ok().everything()
        assert front.execute("all.len()").ok().text() == "19"
        front.execute(':dep fastrand = "2"').ok().everything()
        assert front.execute("fastrand::u8(3..4)").ok().text() == "3"
        front.finish()


def test_little_memory() -> None:
    """As under `ulimit -v`: what does not fit ends the cell, and nothing else."""
    with running() as kernel:
        limit(kernel.pid, resource.RLIMIT_AS, 4 << 30)
        front = kernel.connect()
        front.execute("let mut state = vec![1u8; 1000];").ok()
        failed = front.execute("state.clear(); let large = vec![1u8; 5 << 30]; large.len()")
        error = failed.error()
        assert "out of memory" in plain(error) and "as they were before the cell" in plain(error)
        assert "memory allocation of 5368709120 bytes failed" in failed.stderr()
        assert front.execute("state.len()").ok().text() == "1000"
        front.finish()


@pytest.mark.skipif(psutil.virtual_memory().available < 12 << 30, reason="memory is short")
def test_more_than_is_copied() -> None:
    """A cell with 4.2 GB alive runs as any other; when it ends the process, the reason is there."""
    with running() as kernel:
        front = kernel.connect()
        front.execute("let mut state = vec![1u8; 4300 << 20];").ok()
        first = front.execute("state[0] += 1; state[0]").ok()
        assert first.text() == "2"
        assert "4.2 GB are in use, and up to 4 are copied" in first.stderr()
        told = plain(front.execute("std::process::abort();").error())
        assert "`state`" in told and "4.2 GB are in use, and up to 4 are copied" in told
        front.execute("let state = 3;").ok()
        front.execute("std::process::abort();").error()
        assert front.execute("state").ok().text() == "3"
        front.finish()


def without_descriptors(front: FrontEnd) -> None:
    """One is free, which a library needs to be opened: a copy needs two."""
    process = runner(front)
    free, number = 1, 0
    taken = {int(entry.name) for entry in Path(f"/proc/{process.pid}/fd").iterdir()}
    while free > 0:
        free -= number not in taken
        number += 1
    limit(process.pid, resource.RLIMIT_NOFILE, number)


def without_processes(front: FrontEnd) -> None:
    if os.getuid() == 0:
        pytest.skip("RLIMIT_NPROC does not bind root")
    limit(runner(front).pid, resource.RLIMIT_NPROC, 1)


@contextmanager
def group() -> Iterator[Path]:
    """A control group in which processes are counted."""
    own = [line.split(":", 2)[2] for line in Path("/proc/self/cgroup").read_text().splitlines() if ":pids:" in line]
    if own != ["/"]:
        pytest.skip(f"no group for the number of processes can be made here: {own or 'there is no such controller'}")
    folder = GROUPS / f"assay-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no group can be made: {error}")
    try:
        yield folder
    finally:
        # The kernel has ended by now, and all that was in it.
        folder.rmdir()


def check_that_it_does_without(front: FrontEnd, reason: str) -> None:
    """Cells run, and the first one says why it has no copy; what ends one names the reason for which nothing is left."""
    said = front.execute("let mut state = vec![1];").ok().stderr()
    assert said.startswith("note: there is no copy of the variables to return to") and reason in said
    front.execute("state.push(2);").ok()
    assert front.execute("state.len()").ok().text() == "2"
    told = plain(front.execute("std::process::abort();").error())
    assert "`state`" in told and reason in told
    assert "was lost" in plain(front.execute("state").error())
    # The process that has been started instead is not limited.
    front.execute("let state = 3;").ok()
    front.execute("std::process::abort();").error()
    assert front.execute("state").ok().text() == "3"
    front.finish()


@pytest.mark.parametrize(("forbid", "reason"), [(without_descriptors, "Too many open files"), (without_processes, "Resource temporarily")])
def test_a_limit_that_forbids_checkpoints(forbid: object, reason: str) -> None:
    with running() as kernel:
        front = kernel.connect()
        assert callable(forbid)
        forbid(front)
        check_that_it_does_without(front, reason)


def test_a_group_that_forbids_checkpoints() -> None:
    """What binds root too: the group of the process that runs cells may have no more threads than it has."""
    with group() as folder, running() as kernel:
        front = kernel.connect()
        process = runner(front)
        (folder / "cgroup.procs").write_text(str(process.pid))
        (folder / "pids.max").write_text((folder / "pids.current").read_text())
        check_that_it_does_without(front, "Resource temporarily unavailable")


def test_a_program_that_cannot_be_started(kernel: Kernel, front: FrontEnd) -> None:
    """The kernel itself has no descriptor left: the cell is told so, and the next one works when there are some again."""
    front.execute("let kept = 4;").ok()
    before = resource.prlimit(kernel.pid, resource.RLIMIT_NOFILE)
    few = psutil.Process(kernel.pid).num_fds()
    resource.prlimit(kernel.pid, resource.RLIMIT_NOFILE, (few, before[1]))
    try:
        error = front.execute("kept + 1").error()
    finally:
        resource.prlimit(kernel.pid, resource.RLIMIT_NOFILE, before)
    assert "rustc does not start" in plain(error) and "Too many open files" in plain(error)
    assert "ulimit" in plain(error), "what to look at"
    assert front.execute("kept + 1").ok().text() == "5"
