"""Other people's front ends: nbclient, nbconvert, `jupyter run`, `jupyter console`; and the tour, as it is committed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pexpect
import pytest

from launch import KERNEL_NAME

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
TOUR = NOTEBOOKS / "00-tour.ipynb"
BIN = Path(sys.executable).parent

# What may differ between two runs of the same notebook, and what it becomes.
VARIES = [
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
    (re.compile(r"\b\d+(\.\d+)? ?(ns|µs|us|ms|s)\b"), "<duration>"),
    (re.compile(r"0x[0-9a-f]{6,}"), "<address>"),
    (re.compile(r"built \d+ crates?"), "built <crates>"),
    (re.compile(r"rustc \d+\.\d+\.\d+[^\n]*"), "<rustc>"),
    (re.compile(r"/[\w./-]+/(?=[\w.-])"), "<folder>/"),
    # Which versions there are today, and how many of the crates were built before.
    (re.compile(r"^added [a-z_]+ .*$", re.MULTILINE), "added <crates>"),
]


def normal(text: str) -> str:
    for pattern, instead in VARIES:
        text = pattern.sub(instead, text)
    return text.strip()


def outputs(cell: Any) -> list[Any]:
    """A cell's outputs as they are compared: streams joined, what varies replaced."""
    told: list[Any] = []
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            if told and told[-1][:2] == ("stream", output.name):
                told[-1] = ("stream", output.name, told[-1][2] + output.text)
            else:
                told.append(("stream", output.name, output.text))
        elif output.output_type == "error":
            told.append(("error", output.ename, normal("\n".join(output.traceback))))
        else:
            data = {mime: normal(text) if isinstance(text, str) else text for mime, text in sorted(output.data.items())}
            told.append((output.output_type, data))
    return [(*t[:2], normal(t[2])) if t[0] == "stream" else t for t in told]


def execute(path: Path) -> Any:
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=240, kernel_name=KERNEL_NAME, resources={"metadata": {"path": str(path.parent)}})
    return client.execute()


@pytest.mark.timeout(600)
def test_the_tour_comes_out_as_committed(artefacts: Path) -> None:
    committed = nbformat.read(TOUR, as_version=4)
    executed = execute(TOUR)
    nbformat.write(executed, artefacts / "00-tour.nbclient.ipynb")
    for number, (before, after) in enumerate(zip(committed.cells, executed.cells, strict=True)):
        assert outputs(after) == outputs(before), f"cell {number} of the tour:\n{before.source}"


def test_the_tour_is_committed_with_its_outputs() -> None:
    notebook = nbformat.read(TOUR, as_version=4)
    nbformat.validate(notebook)
    code = [c for c in notebook.cells if c.cell_type == "code"]
    assert [c.execution_count for c in code] == list(range(1, len(code) + 1)), "run it from top to bottom: install/lab.sh --run"
    assert notebook.metadata.kernelspec.name == "assay"
    assert any("image/svg+xml" in o.get("data", {}) for c in code for o in c.outputs), "no plot"


@pytest.mark.timeout(600)
def test_the_tour_through_nbconvert(artefacts: Path) -> None:
    command = [
        BIN / "jupyter",
        "nbconvert",
        "--execute",
        "--to",
        "html",
        "--output-dir",
        artefacts,
        "--output",
        "00-tour",
        TOUR,
    ]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr
    page = (artefacts / "00-tour.html").read_text()
    # Coloured as Rust: the lexer named by kernel_info is one that pygments has.
    assert 'class="k">let</span>' in page or 'class="kd">let</span>' in page


def test_nbconvert_stops_at_a_panic(tmp_path: Path) -> None:
    """A panic that was answered ok let a course pass its tests with broken cells."""
    cells = [nbformat.v4.new_code_cell('panic!("stop here");'), nbformat.v4.new_code_cell("1 + 1")]
    metadata = {"kernelspec": {"name": KERNEL_NAME, "display_name": "Rust", "language": "rust"}}
    path = tmp_path / "fails.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="stop here"):
        execute(path)


def test_jupyter_run(tmp_path: Path) -> None:
    script = tmp_path / "script.rs"
    script.write_text('println!("by jupyter run");')
    done = subprocess.run(
        [str(BIN / "jupyter"), "run", "--kernel", KERNEL_NAME, str(script)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done
    assert "by jupyter run" in done.stdout


def test_jupyter_console() -> None:
    """A person at a terminal: a prompt, a value, a cell of several lines, an error, the end."""
    console = pexpect.spawn(
        str(BIN / "jupyter"),
        ["console", "--kernel", KERNEL_NAME, "--simple-prompt"],
        encoding="utf-8",
        timeout=90,
        dimensions=(40, 120),
        env={**os.environ, "TERM": "dumb"},
    )
    try:
        console.expect(r"In \[1\]: ")
        console.sendline("6 * 7")
        console.expect(r"Out\[1\]: 42")
        console.expect(r"In \[2\]: ")
        console.sendline('println!("from a terminal");')
        console.expect("from a terminal\r\n")
        console.expect(r"In \[3\]: ")
        console.sendline("let wrong: String = 1;")
        console.expect("mismatched types")
        console.expect(r"In \[4\]: ")
        console.sendeof()
        if console.expect([r"\[y\]/n", pexpect.EOF]) == 0:
            console.sendline("y")
            console.expect(pexpect.EOF)
    finally:
        console.close(force=True)
