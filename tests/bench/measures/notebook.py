"""A kernel, driven as a front end would, and what its magics showed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from jupyter_client.manager import KernelManager

HERE = Path(__file__).parent.parent
# Generous: it ends what hangs.
PATIENCE = 300


class Trouble(Exception):
    """A cell did not do what it should."""


@dataclass
class Answer:
    """What came of a cell."""

    # From the request to idle.
    seconds: float
    ok: bool = True
    # What it printed.
    said: str = ""
    # The raw figures in the metadata of what the magics showed.
    results: list[dict[str, Any]] = field(default_factory=list)
    # Those as text.
    texts: list[str] = field(default_factory=list)

    @property
    def result(self) -> dict[str, Any]:
        if len(self.results) != 1:
            raise Trouble(f"{len(self.results)} results were shown instead of one; {self.said}")
        return self.results[0]

    @property
    def lane(self) -> dict[str, Any]:
        """The figures of the only piece of code."""
        return self.result["lanes"][0]


class Notebook:
    """A running kernel. Its data folder is the benchmark's own: what it learns of the machine's noise stays out of the person's."""

    def __init__(self, kernelspec: str, data: Path) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self.manager = KernelManager(kernel_name=kernelspec)
        self.manager.start_kernel(env={**os.environ, "XDG_DATA_HOME": str(data.resolve())})
        self.client = self.manager.client()
        self.client.start_channels()
        try:
            self.client.wait_for_ready(timeout=PATIENCE)
        except RuntimeError as why:
            self.stop()
            raise Trouble(f"no kernel: {why}") from why

    def run(self, code: str) -> Answer:
        """Runs a cell. One that fails is trouble."""
        answer = Answer(0.0)

        def listen(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] == "stream":
                answer.said += content["text"]
            elif message["msg_type"] == "error":
                answer.said += f"{content['ename']}: {content['evalue']}"
            # A result may take the place of the line that showed how far it was.
            elif message["msg_type"] in ("display_data", "update_display_data") and "assay" in content["metadata"]:
                answer.results.append(content["metadata"]["assay"])
                answer.texts.append(content["data"]["text/plain"])

        start = perf_counter()
        try:
            reply = self.client.execute_interactive(code, timeout=PATIENCE, allow_stdin=False, output_hook=listen)
        except TimeoutError as why:
            raise Trouble(f"no answer in {PATIENCE} s\n{code}") from why
        answer.seconds = perf_counter() - start
        if reply["content"]["status"] != "ok":
            raise Trouble(f"{answer.said}\n{code}")
        return answer

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@contextmanager
def notebook(kernelspec: str, data: Path, definitions: list[str]) -> Iterator[Notebook]:
    """A fresh kernel in which these cells have run."""
    opened = Notebook(kernelspec, data)
    try:
        for cell in definitions:
            opened.run(cell)
        yield opened
    finally:
        opened.stop()


def cells(*files: str) -> list[str]:
    return [cell.strip("\n") for file in files for cell in (HERE / file).read_text().split("\n---\n")]


# The functions that are measured, and their inputs.
FUNCTIONS = cells("fidelity.cells", "instruments.cells")
INPUTS = "let (items, bytes, a) = (shuffled(100), text(), floats());"
