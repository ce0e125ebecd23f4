"""Fixtures: a home that is nobody's, a kernel for each module, a strict front end for each test."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from frontend import FrontEnd
from launch import MARK, Kernel, describe, end, isolated_environment, marked, new_folder

ARTEFACTS = Path(__file__).parent / "artefacts"
failed_key = pytest.StashKey[bool]()


@pytest.fixture(scope="session", autouse=True)
def nobodys_home() -> Iterator[Path]:
    """Whatever the tests start without saying more lives in a temporary home, and is gone at the end."""
    folder = new_folder()
    mark = f"session-{uuid.uuid4().hex}"
    before = dict(os.environ)
    # Made before anything is cleared: it looks for the Rust toolchain in the home that is the person's.
    ours = {**isolated_environment(folder), MARK: mark}
    os.environ.clear()
    os.environ.update(ours)
    yield folder
    left = [p for p in marked(mark) if p.pid != os.getpid()]
    told = describe(left)
    end(left)
    os.environ.clear()
    os.environ.update(before)
    shutil.rmtree(folder, ignore_errors=True)
    assert not left, f"processes left behind by the tests:\n{told}"


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Where screenshots and executed notebooks are kept for a person to look at."""
    ARTEFACTS.mkdir(exist_ok=True)
    return ARTEFACTS


class Slot:
    """Holds the kernel that the tests of a module share; after a failed test the next one gets a new kernel."""

    def __init__(self) -> None:
        self.kernel: Kernel | None = None

    def get(self) -> Kernel:
        if self.kernel is None:
            self.kernel = Kernel()
        return self.kernel

    def spoil(self) -> None:
        if self.kernel is not None:
            self.kernel.discard()
            self.kernel = None


@pytest.fixture(scope="module")
def slot() -> Iterator[Slot]:
    slot = Slot()
    yield slot
    try:
        if slot.kernel is not None:
            slot.kernel.shut_down()
    finally:
        slot.spoil()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    if report.when == "call":
        item.stash[failed_key] = report.failed
    return report


@pytest.fixture
def kernel(slot: Slot, request: pytest.FixtureRequest) -> Iterator[Kernel]:
    """A kernel that other tests of the module use too: leave it as it was."""
    yield slot.get()
    if request.node.stash.get(failed_key, True):
        slot.spoil()


@pytest.fixture
def front(kernel: Kernel, request: pytest.FixtureRequest) -> Iterator[FrontEnd]:
    """A client of the shared kernel; what it left unread fails the test."""
    front = kernel.connect()
    yield front
    try:
        if not request.node.stash.get(failed_key, True):
            front.finish()
    finally:
        kernel.fronts.remove(front)
        front.close()
