"""Kernels as a front end starts them, each with a home of its own, and the check that nothing of them is left.

Every process that a kernel starts inherits a mark in its environment: whoever still carries it after the kernel's end was left behind.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psutil
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from frontend import PATIENCE, FrontEnd

KERNEL_NAME = os.environ.get("ASSAY_KERNEL_NAME", "assay")
MARK = "ASSAY_TEST_MARK"


def isolated_environment(folder: Path) -> dict[str, str]:
    """An environment whose home, data, cache and temporary files lie in `folder`. The Rust toolchain and its downloads stay shared."""
    home = Path.home()
    env = {key: value for key, value in os.environ.items() if not key.startswith("XDG_")}
    env.setdefault("CARGO_HOME", str(home / ".cargo"))
    env.setdefault("RUSTUP_HOME", str(home / ".rustup"))
    places = {
        "HOME": "home",
        "XDG_DATA_HOME": "data",
        "XDG_CACHE_HOME": "cache",
        "XDG_CONFIG_HOME": "config",
        "XDG_STATE_HOME": "state",
        "XDG_RUNTIME_DIR": "run",
        "TMPDIR": "tmp",
        "JUPYTER_RUNTIME_DIR": "jupyter",
        "JUPYTER_CONFIG_DIR": "jupyter-config",
        "IPYTHONDIR": "ipython",
    }
    for variable, name in places.items():
        place = folder / name
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        env[variable] = str(place)
    return env


def new_folder() -> Path:
    """A folder with a short path: unix sockets may have only 108 bytes of it."""
    return Path(tempfile.mkdtemp(prefix="assay-", dir="/tmp"))


def kernel_command(connection_file: Path | str) -> list[str]:
    """The command line of the kernelspec."""
    argv = KernelSpecManager().get_kernel_spec(KERNEL_NAME).argv
    return [a.replace("{connection_file}", str(connection_file)) for a in argv]


def assay() -> str:
    """The program itself."""
    return kernel_command("")[0]


def marked(mark: str) -> list[psutil.Process]:
    """The living processes that carry a mark."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def describe(processes: list[psutil.Process]) -> str:
    lines = []
    for process in processes:
        try:
            lines.append(f"{process.pid} {' '.join(process.cmdline())}")
        except psutil.Error:
            continue
    return "\n".join(lines)


def end(processes: list[psutil.Process]) -> None:
    """Kills processes, some of which may end by themselves in the meantime."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def evcxr(process: psutil.Process) -> bool:
    """Whether this process belongs to the engine; one that has ended meanwhile does not."""
    try:
        return "evcxr" in " ".join(process.cmdline())
    except psutil.Error:
        return False


class Kernel:
    """One kernel process."""

    def __init__(
        self,
        folder: Path | None = None,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
        **manager: Any,
    ) -> None:
        self.folder = folder or new_folder()
        self.owns_folder = folder is None
        self.mark = uuid.uuid4().hex
        self.env = {**isolated_environment(self.folder), MARK: self.mark, **(env or {})}
        self.cwd = cwd or self.folder / "home"
        if manager.get("transport") == "ipc":
            # jupyter_client's own choice is relative, and kernel and client stand in different folders.
            manager["ip"] = str(self.folder / "ipc")
        self.manager = KernelManager(kernel_name=KERNEL_NAME, **manager)
        self.manager.start_kernel(env=self.env, cwd=str(self.cwd))
        self.connection = self.manager.get_connection_info()
        self.fronts: list[FrontEnd] = []

    @property
    def pid(self) -> int:
        return self.manager.provisioner.pid

    def connect(self, name: str = "front") -> FrontEnd:
        """A new client, welcomed."""
        front = FrontEnd(self.connection, name)
        self.fronts.append(front)
        front.welcome()
        return front

    def processes(self) -> list[psutil.Process]:
        """The kernel and everything it started."""
        return marked(self.mark)

    def engine_runs(self) -> bool:
        """Whether the engine's process has been started."""
        return any(evcxr(p) for p in self.processes())

    def wait_for_end(self, patience: float = PATIENCE) -> int:
        """Waits until the kernel process has ended; its exit status."""
        process = self.manager.provisioner.process
        return process.wait(timeout=patience)

    def shut_down(self) -> None:
        """Ends the kernel as a front end does, and insists that it goes by itself, at once and without a trace."""
        for front in self.fronts:
            front.close()
        front = FrontEnd(self.connection, "last")
        try:
            front.welcome()
            reply = front.request("shutdown_request", {"restart": False}, channel="control").reply
            assert reply is not None and reply.content == {"status": "ok", "restart": False}, f"shutdown: {reply}"
        finally:
            front.close()
        status = self.wait_for_end()
        assert status == 0, f"the kernel ended with status {status}"
        self.check_nothing_left()

    def check_nothing_left(self, patience: float = 20.0) -> None:
        """No process and no temporary file; the bound is for the operating system to reap, not for the kernel to think."""
        self.check_no_process(patience)
        deadline = monotonic() + patience
        while (left := self.files_left()) and monotonic() < deadline:
            sleep(0.05)
        assert not left, f"files left behind: {left}"

    def check_no_process(self, patience: float = 20.0) -> None:
        """No process alone; the operating system gets a moment to reap."""
        deadline = monotonic() + patience
        while (left := self.processes()) and monotonic() < deadline:
            sleep(0.05)
        assert not left, f"processes left behind:\n{describe(left)}"

    def files_left(self) -> list[Path]:
        """What is in the temporary folders and in the kernel's private cache: there, nothing may outlive a kernel but what it
        compiled once and for all: for a toolchain, and of the crates that notebooks depend on."""
        temporary = [p for name in ("tmp", "run") for p in (self.folder / name).iterdir()]
        cache = self.folder / "cache" / "assay"
        kept = (cache / "native", cache / "dependencies")
        private = [p for p in cache.rglob("*") if not p.is_dir() and not any(p.is_relative_to(place) for place in kept)]
        return temporary + private

    def discard(self) -> None:
        """Gets rid of whatever is still there."""
        for front in self.fronts:
            front.close()
        end(self.processes())
        self.manager.provisioner.process.wait()
        self.manager.cleanup_resources()
        if self.owns_folder:
            shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def running(**options: Any) -> Iterator[Kernel]:
    """A kernel for one test; it is shut down politely unless the test failed or ended it."""
    kernel = Kernel(**options)
    try:
        yield kernel
        if kernel.manager.provisioner.process.poll() is None:
            kernel.shut_down()
    finally:
        kernel.discard()
