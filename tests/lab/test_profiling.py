"""A person who profiles in JupyterLab: finds the guilty line by looking, opens what a stranger wrote, and stops what takes too long."""

from __future__ import annotations

import re

import nbformat
import pytest
from playwright.sync_api import Locator, expect

from desk import Desk, size
from window import Cell, browser_path

pytestmark = [
    pytest.mark.skipif(browser_path() is None, reason="no Chromium"),
    pytest.mark.timeout(600),
]

DEFINITIONS = """use std::hint::black_box;
fn quick(n: u64) -> u64 { let mut sum = 0; for i in 0..n { sum ^= black_box(i); } sum }
fn guilty(n: u64) -> u64 { let mut sum = 1; for i in 0..n * 9 { sum = black_box(sum ^ i).wrapping_mul(31); } sum }
fn work(n: u64) -> u64 { black_box(quick(n)) ^ black_box(guilty(n)) }
fn grow(n: u64) -> Vec<String> {
    let mut all = Vec::new();
    for i in 0..n {
        all.push(i.to_string());
    }
    all
}
fn fib(n: u32) -> u64 { if n < 2 { n as u64 } else { fib(n - 1) + fib(n - 2) } }"""


def foreign(desk: Desk, name: str) -> Cell:
    """The last cell of a notebook as someone else opens it, who has run nothing of it."""
    strange = nbformat.read(desk.root / name, as_version=4)
    strange.cells.insert(0, nbformat.v4.new_markdown_cell("From elsewhere."))
    strange.cells = [cell for cell in strange.cells if cell.source]
    nbformat.write(strange, desk.root / f"foreign-{name}")
    opened = desk.open(f"foreign-{name}")
    cell = Cell(opened, opened.panel.locator(".jp-CodeCell").last)
    expect(cell.output().locator(".jp-mod-trusted")).to_have_count(0)
    return cell


def row(cell: Cell, name: str) -> Locator:
    return cell.output().locator("tr", has_text=re.compile(rf"\b{name}\b")).first


def flames(cell: Cell, name: str) -> Locator:
    """The boxes of a function in the flame graph."""
    return cell.output().locator(f"div[title^='{name}']")


def test_where_time_goes_trusted_and_untrusted(desk: Desk) -> None:
    code = "%prun work(3_000_000)"
    notebook = desk.new("profiled.ipynb")
    notebook.run(DEFINITIONS)
    cell = notebook.run(code)
    saved = desk.saved(notebook, "profiled.ipynb", code)
    assert not any("…" in output.data["text/plain"][-3:] for output in saved.outputs), "no line of progress is left"
    assert len(saved.outputs) == 2
    for seen in (cell, foreign(desk, "profiled.ipynb")):
        expect(row(seen, "guilty")).to_be_visible()
        expect(seen.output().locator("th[scope=col]", has_text="ncalls").first).to_be_visible()
        box = flames(seen, "guilty").first
        expect(box).to_be_visible()
        wide = flames(seen, "quick").first
        assert size(box)[0] > 4 * size(wide)[0], "the guilty one is the wide one"
        seen.notebook.lab.screenshot(f"prun-{'foreign' if seen is not cell else 'own'}")


def test_lines_and_bytes(desk: Desk) -> None:
    notebook = desk.new("lines.ipynb")
    notebook.run(DEFINITIONS)
    lines = notebook.run("%lprun -f grow grow(20_000)")
    guilty = lines.output().locator("tr", has_text="all.push(i.to_string())").first
    expect(guilty).to_contain_text(re.compile("20,?000"))
    notebook.lab.screenshot("lprun")
    memory = notebook.run("let kept = grow(100);\n%memit grow(20_000)")
    memory.shows("peak")
    assert size(memory.picture())[0] == 600
    notebook.lab.screenshot("memit")
    by_line = notebook.run("%mprun -f grow grow(1000)")
    expect(by_line.output().locator("tr", has_text="all.push(i.to_string())").first).to_contain_text(re.compile("1,?000"))
    notebook.lab.screenshot("mprun")


def test_the_stop_button_leaves_what_was_seen(desk: Desk) -> None:
    notebook = desk.new("stopped.ipynb")
    notebook.run(DEFINITIONS + "\nlet kept = 41;")
    cell = notebook.start('%prun { black_box(guilty(3_000_000)); println!("half"); guilty(u64::MAX / 9) }')
    cell.shows("half")
    notebook.interrupt()
    cell.wait()
    cell.shows("Partial: it was interrupted")
    expect(row(cell, "guilty")).to_be_visible()
    notebook.run("kept + 1").shows("42")


def test_names_of_functions_are_completed(desk: Desk) -> None:
    notebook = desk.new("asked.ipynb")
    notebook.run(DEFINITIONS)
    notebook.write("%lprun -f gui")
    notebook.complete("guilty")
