"""A person with JupyterLab: chooses the kernel, runs cells, watches, asks, interrupts, restarts, and opens the tour."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from launch import new_folder
from window import Lab, browser, browser_path, server

KERNEL = "Rust (assay)"
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

pytestmark = [
    pytest.mark.skipif(browser_path() is None, reason="no Chromium"),
    pytest.mark.timeout(600),
]


@pytest.fixture(scope="module")
def address(artefacts_of_lab: Path) -> Iterator[str]:
    folder = new_folder()
    (folder / "root").mkdir()
    shutil.copy(NOTEBOOKS / "00-tour.ipynb", folder / "root")
    with server(folder / "root", artefacts_of_lab / "jupyterlab.log") as address:
        yield address
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def artefacts_of_lab() -> Path:
    folder = Path(__file__).parents[1] / "artefacts"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as chromium:
        yield chromium


@pytest.fixture
def lab(chromium: Browser, address: str, artefacts_of_lab: Path, request: pytest.FixtureRequest) -> Iterator[Lab]:
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    lab = Lab(page, address, artefacts_of_lab)
    yield lab
    # The last thing that the person saw, also when the test failed.
    lab.screenshot(f"end-of-{request.node.name}")
    page.close()


def test_cells_output_a_picture_and_an_error(lab: Lab) -> None:
    notebook = lab.launch(KERNEL)
    value = notebook.run("let answer = 6 * 7;\nanswer")
    value.shows("42")
    expect(value.prompt()).to_have_text("[1]:")
    notebook.run('println!("printed {}", answer);').shows("printed 42")
    square = '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="60"><rect width="120" height="60" fill="#ce5a2c"/></svg>'
    notebook.run(f'println!("EVCXR_BEGIN_CONTENT image/svg+xml\\n{{}}\\nEVCXR_END_CONTENT", r##"{square}"##);').picture()
    table = "<table><tr><th>metal</th></tr><tr><td>gold</td></tr></table>"
    shown = notebook.run(f'println!("EVCXR_BEGIN_CONTENT text/html\\n{table}\\nEVCXR_END_CONTENT");')
    expect(shown.output().locator("td").first).to_have_text("gold")
    wrong = notebook.run("let text: String = answer;")
    wrong.shows("mismatched types")
    wrong.shows(re.compile(r"cell\[5\]:1:\d+"))
    lab.screenshot("cells")
    notebook.run("answer + 1").shows("43")


def test_output_streams_while_the_cell_runs(lab: Lab, tmp_path: Path) -> None:
    notebook = lab.launch(KERNEL)
    go = tmp_path / "go"
    pause = "std::thread::sleep(std::time::Duration::from_millis(10));"
    cell = notebook.start(f'println!("first half"); while !std::path::Path::new("{go}").exists() {{ {pause} }} println!("second half");')
    cell.shows("first half")
    cell.is_running()
    lab.screenshot("streaming")
    go.touch()
    cell.shows("second half")
    cell.wait()


def test_a_million_lines_leave_the_page_alive(lab: Lab) -> None:
    """Jupyter Server drops what is more than it likes, and the page stood still on the rest: the end was never seen."""
    notebook = lab.launch(KERNEL)
    many = notebook.run('for i in 0..1_000_000 { println!("{i}"); }')
    many.shows("999999")
    notice = many.output().locator("pre", has_text="left out")
    expect(notice).to_contain_text("%config output_limit=off")
    expect(many.output()).not_to_contain_text("rate exceeded")
    notice.scroll_into_view_if_needed()
    lab.screenshot("million-lines")
    notebook.run("6 * 7").shows("42")


def test_completion_and_tooltip(lab: Lab) -> None:
    notebook = lab.launch(KERNEL)
    notebook.run('let crabs = String::from("🦀🦀");')
    notebook.write("let 数 = 1; crabs.trim_sta")
    notebook.complete("trim_start")
    lab.screenshot("completion")
    notebook.page.keyboard.press("Escape")
    cell = notebook.write("%lsmag")
    notebook.complete("%lsmagic")
    notebook.page.keyboard.press("Enter")
    expect(cell.editor()).to_have_text("%lsmagic")
    notebook.write("Vec::<u8>::with_capacity(4)")
    # Into the name.
    for _ in range(6):
        notebook.page.keyboard.press("ArrowLeft")
    notebook.page.keyboard.press("Shift+Tab")
    expect(notebook.page.locator(".jp-Tooltip:visible")).to_contain_text("with_capacity")
    lab.screenshot("tooltip")


def test_interrupt_and_restart(lab: Lab) -> None:
    notebook = lab.launch(KERNEL)
    notebook.run("let kept = 5;")
    endless = notebook.start('println!("turning"); loop {}')
    endless.shows("turning")
    notebook.interrupt()
    endless.wait()
    endless.shows(re.compile("nterrupt"))
    endless.shows("as they were before the cell")
    lab.screenshot("interrupt")
    notebook.run("kept + 37").shows("42")
    notebook.restart()
    again = notebook.run('"after the restart"')
    again.shows("after the restart")
    expect(again.prompt()).to_have_text("[1]:")
    notebook.run("kept").shows("cannot find value")


def test_a_question_is_asked_below_the_cell(lab: Lab) -> None:
    notebook = lab.launch(KERNEL)
    cell = notebook.start("%reset")
    box = cell.output().locator("input.jp-Stdin-input")
    expect(box).to_be_visible()
    box.fill("n")
    box.press("Enter")
    cell.wait()


def test_the_tour_runs_as_a_new_user_runs_it(lab: Lab) -> None:
    notebook = lab.open("00-tour.ipynb", KERNEL)
    lab.screenshot("tour-opened")
    notebook.restart(and_run_all=True)
    code = notebook.panel.locator(".jp-CodeCell")
    # Cells that stop on purpose are tagged; JupyterLab goes on after them as nbconvert does.
    last = notebook.last()
    last.locator.scroll_into_view_if_needed()
    last.wait()
    last.shows("peak memory")
    notebook.wait_until_idle()
    assert code.count() > 10
    plot = notebook.panel.locator(".jp-OutputArea img").first
    plot.scroll_into_view_if_needed()
    expect(plot).to_be_visible()
    lab.screenshot("tour-plot")
