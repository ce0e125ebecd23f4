"""A person who measures in JupyterLab: looks at figures and pictures, asks what an option is called, stops what takes too long, and gives
the notebook to someone else."""

from __future__ import annotations

import re

import nbformat
import pytest
from playwright.sync_api import expect

from desk import Desk, size
from window import Cell, browser_path

LINE = re.compile(r"(ns|µs|ms) ± .* per loop \(mean ± std\. dev\. of ")
PROGRESS = re.compile(r"^%%?\w+: .* runs", re.MULTILINE)
SLEEP = "std::thread::sleep(std::time::Duration::from_millis({}))"

pytestmark = [
    pytest.mark.skipif(browser_path() is None, reason="no Chromium"),
    pytest.mark.timeout(600),
]


def shows_the_figures(cell: Cell) -> None:
    expect(cell.output().first).to_contain_text(LINE)
    table = cell.output().locator("table").first
    expect(table.locator("th[scope=col]")).to_have_text(["Figure", "Per loop"])
    for name in ("Median", "95 % interval", "Minimum", "Allocations", "Bytes allocated"):
        expect(table.locator("th[scope=row]", has_text=re.compile(f"^{name}$"))).to_be_visible()
    cell.shows("rustc ")
    # The form for terminals is not shown beside the one for pages, nor html as text.
    expect(cell.output().first).not_to_contain_text("min ")
    expect(cell.output().first).not_to_contain_text("<t")


def test_figures_and_picture_trusted_and_untrusted(desk: Desk) -> None:
    code = "%timeit vec![1_u8; 100]"
    notebook = desk.new("measured.ipynb")
    cell = notebook.run(code)
    shows_the_figures(cell)
    drawn = cell.picture()
    result, chart = desk.saved(notebook, "measured.ipynb", code).outputs
    told = chart.metadata["image/png"]["width"], chart.metadata["image/png"]["height"]
    assert size(drawn) == told
    assert "text/html" in result.data and "assay" in result.metadata
    # Someone else wrote it, as far as this JupyterLab knows.
    strange = nbformat.read(desk.root / "measured.ipynb", as_version=4)
    strange.cells.insert(0, nbformat.v4.new_markdown_cell("From elsewhere."))
    nbformat.write(strange, desk.root / "elsewhere.ipynb")
    foreign = desk.open("elsewhere.ipynb")
    cell = Cell(foreign, foreign.panel.locator(".jp-CodeCell").first)
    expect(cell.output().locator(".jp-mod-trusted")).to_have_count(0)
    shows_the_figures(cell)
    picture = cell.picture()
    assert picture.evaluate("p => p.src.slice(0, 14)") == "data:image/png", "svg is not shown untrusted"
    assert size(picture) == told
    assert picture.evaluate("p => [p.naturalWidth, p.naturalHeight]") == [2 * side for side in told]


def test_a_comparison_and_a_class_of_growth(desk: Desk) -> None:
    notebook = desk.new("compared.ipynb")
    compared = notebook.run(
        "%%compare --budget 0.4\n"
        'let words = vec!["gold"; 100];\n'
        '\'format: { words.iter().fold(String::new(), |line, word| format!("{line}{word}")) }\n'
        "'concat: { words.concat() }"
    )
    compared.shows(re.compile("`?concat`? is .*× faster than `?format`?"))
    compared.shows("The results are equal.")
    expect(compared.output().locator("th[scope=row]")).to_have_text(["concat", "format"])
    assert size(compared.picture())[0] == 600
    grown = notebook.run("%%complexity --memory n=16..4096\nvec![0_u8; n]")
    grown.shows("O(n)")
    assert size(grown.picture())[0] == 600


def test_the_line_of_progress_goes(desk: Desk) -> None:
    code = f"%timeit --budget 4 -r 40 {SLEEP.format(60)}"
    notebook = desk.new("long.ipynb")
    notebook.run("let kept = 5;")
    cell = notebook.start(code)
    cell.shows(PROGRESS)
    cell.wait()
    cell.shows(LINE)
    cell.picture()
    expect(cell.output().first).not_to_contain_text(PROGRESS)
    outputs = desk.saved(notebook, "long.ipynb", code).outputs
    assert [sorted(output.data) for output in outputs] == [["text/html", "text/plain"], ["image/png", "image/svg+xml", "text/plain"]]
    assert not any(PROGRESS.search(output.data["text/plain"]) for output in outputs)


def test_a_failed_assertion_leaves_its_figures_and_its_error(desk: Desk) -> None:
    code = f"%assert_time --budget 3 {SLEEP.format(60)} < 50ms"
    notebook = desk.new("failed.ipynb")
    cell = notebook.start(code)
    cell.shows(PROGRESS)
    cell.wait()
    cell.shows("claimed: less than 50 ms")
    figures, error = desk.saved(notebook, "failed.ipynb", code).outputs
    assert error.ename == "AssertionError"
    assert figures.data["text/plain"].startswith("not so: ") and "noise floor" in figures.data["text/plain"]


def test_the_stop_button_leaves_a_partial_result(desk: Desk) -> None:
    code = f"%timeit --budget 100 -r 100000 {{ calls += 1; {SLEEP.format(1)} }}"
    notebook = desk.new("stopped.ipynb")
    notebook.run("let mut calls = 0_u64; let kept = 41;")
    cell = notebook.start(code)
    cell.shows(PROGRESS)
    notebook.interrupt()
    cell.wait()
    cell.shows("Partial: it was interrupted")
    cell.shows(LINE)
    cell.shows("the cell was interrupted")
    expect(cell.output().first).not_to_contain_text(PROGRESS)
    cell.picture()
    notebook.run("(kept + 1, calls > 0)").shows("(42, true)")
    outputs = desk.saved(notebook, "stopped.ipynb", code).outputs
    assert [output.output_type for output in outputs] == ["display_data", "display_data", "error"]


def test_what_an_option_is_called(desk: Desk) -> None:
    notebook = desk.new("asked.ipynb")
    notebook.write("%timeit --b")
    notebook.complete("--budget")
    notebook.page.keyboard.press("Escape")
    notebook.write("%tim")
    notebook.complete("%timeit")
    notebook.page.keyboard.press("Escape")
    notebook.write("%timeit 1 + 1")
    # Into the name.
    for _ in range(9):
        notebook.page.keyboard.press("ArrowLeft")
    notebook.page.keyboard.press("Shift+Tab")
    tooltip = notebook.page.locator(".jp-Tooltip:visible")
    expect(tooltip).to_contain_text("measure how long code takes")
    expect(tooltip).to_contain_text("--budget TIME")
