"""Other people's front ends: nbclient, nbconvert, `jupyter run`, `jupyter console`; and the tour, as it is committed."""

from __future__ import annotations

import copy
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pexpect
import pytest

from alike import form, outputs
from launch import KERNEL_NAME

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
TOUR = NOTEBOOKS / "00-tour.ipynb"
BIN = Path(sys.executable).parent


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


def test_of_what_was_measured_the_form_is_compared_and_not_the_figures() -> None:
    shown = [output for cell in nbformat.read(TOUR, as_version=4).cells for output in cell.get("outputs", [])]
    measured = [output for output in shown if "assay" in output.get("metadata", {})]
    assert [output.metadata["assay"]["kind"] for output in measured] == [
        "timeit",
        "time",
        "compare",
        "complexity",
        "assert_allocs",
        "prun",
        "lprun",
        "memit",
    ]
    for output in measured:
        before = form(output)
        assert before is not None and before[1]
        other = copy.deepcopy(output)
        text = output.data["text/plain"]
        for doubt in output.metadata["assay"].get("warnings", []):
            text = text.replace(doubt + "\n", "")
        text = re.sub(r"\d[\d.]* (ns|µs|ms|s)\b", "123 ns", text)
        doubt = "It took 7 s."
        other.data["text/plain"] = f"{text}\n{doubt}"
        other.metadata["assay"]["warnings"] = [doubt]
        assert form(other) == before, "other figures, and another doubt"
        other.data["text/plain"] = text.replace("noise floor", "noise").replace("Wall time", "Wall")
        assert form(other) != before, "a line that is another one"


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


def test_a_measured_notebook_through_nbconvert(tmp_path: Path) -> None:
    """Executed and made a page of: the table and the picture once each, and the text for terminals not beside them."""
    metadata = {"kernelspec": {"name": KERNEL_NAME, "display_name": "Rust", "language": "rust"}}
    cells = [nbformat.v4.new_code_cell("%timeit --budget 0.3 vec![1_u8; 100]")]
    path = tmp_path / "measured.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)
    command = [str(BIN / "jupyter"), "nbconvert", "--execute", "--to", "html", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    page = path.with_suffix(".html").read_text()
    assert re.search(r"<strong>[^<]* ± [^<]*</strong> per loop \(mean ± std\. dev\. of ", page)
    for name in ("Median", "95 % interval", "Minimum", "Allocations"):
        assert len(re.findall(f'<th scope="row"[^>]*>{name}</th>', page)) == 1
    assert len(re.findall(r"<img[^>]*data:image/(svg\+xml|png);base64,", page)) == 1
    assert "▁" not in page and "%timeit:" not in page


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


LINE = r"[\d.]+ (ns|µs) ± [\d.]+ (ns|µs|ms) per loop \(mean ± std\. dev\. of [\d,]+ runs?, [\d, to]+ loops? each\)\r\n"


@contextmanager
def console() -> Iterator[pexpect.spawn]:
    """A person at a terminal, who leaves at the end."""
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
        yield console
        console.sendeof()
        if console.expect([r"\[y\]/n", pexpect.EOF]) == 0:
            console.sendline("y")
            console.expect(pexpect.EOF)
    finally:
        console.close(force=True)


def test_jupyter_console() -> None:
    """A prompt, a value, a cell of several lines, an error, the end."""
    with console() as terminal:
        terminal.sendline("6 * 7")
        terminal.expect(r"Out\[1\]: 42")
        terminal.expect(r"In \[2\]: ")
        terminal.sendline('println!("from a terminal");')
        terminal.expect("from a terminal\r\n")
        terminal.expect(r"In \[3\]: ")
        terminal.sendline("let wrong: String = 1;")
        terminal.expect("mismatched types")
        terminal.expect(r"In \[4\]: ")


def test_measuring_in_jupyter_console() -> None:
    """All that a page shows is there as text, the chart too, and nothing of the page's own language."""
    with console() as terminal:
        terminal.sendline("%timeit --budget 0.3 vec![1_u8; 100]")
        terminal.expect(LINE)
        terminal.expect(r"median [^\r]*, 95 % interval [^\r]* · min [^\r]*\r\n")
        terminal.expect(r"1 allocation, 100 B per loop\r\n")
        terminal.expect(r" · rustc [^\r]* · opt-level 3 · noise floor ±[^\r]*\r\n")
        terminal.expect(r"vec!\[1_u8; 100\]\r\nmedian ")
        terminal.expect("█")
        terminal.expect(r"In \[2\]: ")
        assert "<" not in terminal.before and "image/png" not in terminal.before
        terminal.sendline("%compare --budget 0.3 vec![1_u8; 9] vs 1 + 1")
        terminal.expect(r"`1 \+ 1` is [^\r]* than `vec!\[1_u8; 9\]`")
        terminal.expect(r"In \[3\]: ")


def test_a_long_measurement_in_jupyter_console() -> None:
    with console() as terminal:
        terminal.sendline("%timeit --budget 4 -r 40 std::thread::sleep(std::time::Duration::from_millis(60))")
        terminal.expect(r"In \[2\]: ")
        assert re.search(LINE.replace("(ns|µs)", "ms", 1), terminal.before)
