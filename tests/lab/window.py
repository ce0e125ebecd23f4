"""JupyterLab in a real browser, as a person uses it. Everything waits for a state that can be seen; nothing sleeps and hopes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

from playwright.sync_api import Browser, Locator, Page, TimeoutError, expect, sync_playwright

BIN = Path(sys.executable).parent
# Milliseconds until a failure; the engine alone takes seconds to start, and a crate half a minute to build.
PATIENCE = 120_000
ARGUMENTS = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-dev-shm-usage"
MODIFIER = "Meta" if sys.platform == "darwin" else "Control"


def browser_path() -> str | None:
    """The browser that tests/run.sh found, or one that is there."""
    named = os.environ.get("ASSAY_BROWSER")
    return named or next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)


@contextmanager
def server(folder: Path, log: Path) -> Iterator[str]:
    """A JupyterLab over a folder; its address with the token."""
    runtime = folder.parent / "runtime"
    runtime.mkdir()
    command = [
        BIN / "jupyter",
        "lab",
        "--no-browser",
        "--ServerApp.port=0",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={folder}",
    ]
    if hasattr(os, "getuid") and os.getuid() == 0:
        command.append("--allow-root")
    env = {**os.environ, "JUPYTER_RUNTIME_DIR": str(runtime), "JUPYTER_CONFIG_DIR": str(_configuration(folder.parent))}
    with log.open("w") as out:
        process = subprocess.Popen([str(c) for c in command], env=env, stdout=out, stderr=subprocess.STDOUT, cwd=folder)
        try:
            yield address_of(runtime, process, log)
        finally:
            process.terminate()
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _configuration(folder: Path) -> Path:
    """A configuration in which nothing pops up (no question about news, no look for updates), and every cell is on the page.

    JupyterLab takes cells that cannot be seen out of a long notebook, and the last one on the page was not the last one.
    """
    configuration = folder / "configuration"
    (configuration / "labconfig").mkdir(parents=True)
    quiet = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (configuration / "labconfig" / "page_config.json").write_text(json.dumps(quiet))
    settings = configuration / "lab" / "user-settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    (settings / "tracker.jupyterlab-settings").write_text(json.dumps({"windowingMode": "none"}))
    return configuration


def address_of(runtime: Path, process: subprocess.Popen[bytes], log: Path) -> str:
    """The address of a server that is starting, with its token."""
    deadline = monotonic() + PATIENCE / 1000
    while monotonic() < deadline and process.poll() is None:
        for file in runtime.glob("jpserver-*.json"):
            try:
                told = json.loads(file.read_text())
                return f"{told['url']}lab?token={told['token']}"
            except (ValueError, KeyError):
                break
        sleep(0.05)
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


@contextmanager
def browser() -> Iterator[Browser]:
    path = browser_path()
    assert path is not None
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS.split())
        yield browser
        browser.close()


class Lab:
    """One window of JupyterLab."""

    def __init__(self, page: Page, address: str, artefacts: Path) -> None:
        self.page = page
        self.artefacts = artefacts
        page.set_default_timeout(PATIENCE)
        # A workspace of its own for each window, so that none restores what another had open.
        page.goto(re.sub(r"/lab\?", "/lab/workspaces/test?reset&", address))
        expect(page.locator("#jupyterlab-splash")).to_have_count(0)

    def screenshot(self, name: str) -> None:
        self.page.screenshot(path=self.artefacts / f"{name}.png")

    def launch(self, kernel: str) -> Notebook:
        """Chooses a kernel in the launcher."""
        card = self.page.locator(f'.jp-LauncherCard[data-category="Notebook"][title^="{kernel}"]').first
        expect(card).to_be_visible(timeout=PATIENCE)
        self.screenshot("launcher")
        card.click()
        return self.notebook(kernel)

    def open(self, name: str, kernel: str) -> Notebook:
        """Opens a notebook of the folder in the file browser."""
        self.page.locator(f'.jp-DirListing-item:has-text("{name}")').dblclick()
        return self.notebook(kernel)

    def notebook(self, kernel: str) -> Notebook:
        panel = self.page.locator(".jp-NotebookPanel:visible")
        expect(panel.locator(".jp-Toolbar-kernelName")).to_contain_text(kernel)
        notebook = Notebook(self, panel)
        notebook.wait_until_idle()
        return notebook


class Notebook:
    """One notebook in the window."""

    def __init__(self, lab: Lab, panel: Locator) -> None:
        self.lab = lab
        self.page = lab.page
        self.panel = panel

    def wait_until_idle(self) -> None:
        expect(self.panel.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]')).to_be_attached(timeout=PATIENCE)

    def cell(self, number: int) -> Cell:
        """A cell, counted from 0."""
        return Cell(self, self.panel.locator(".jp-Cell").nth(number))

    def last(self) -> Cell:
        return Cell(self, self.panel.locator(".jp-CodeCell").last)

    def write(self, code: str) -> Cell:
        """Puts text into the last cell, which is empty, without the help of the editor's automatic brackets."""
        cell = self.cell(self.panel.locator(".jp-Cell").count() - 1)
        cell.editor().click()
        self.page.keyboard.press(f"{MODIFIER}+A")
        self.page.keyboard.insert_text(code)
        expect(cell.editor()).to_contain_text(code.splitlines()[0][:20])
        return cell

    def start(self, code: str) -> Cell:
        """Runs a new cell and does not wait for its end. A fresh empty cell stands below it."""
        cell = self.write(code)
        before = self.panel.locator(".jp-Cell").count()
        self.page.keyboard.press("Shift+Enter")
        expect(self.panel.locator(".jp-Cell")).to_have_count(before + 1)
        return cell

    def run(self, code: str) -> Cell:
        """Runs a new cell to its end."""
        cell = self.start(code)
        cell.wait()
        return cell

    def complete(self, expected: str) -> None:
        """Presses Tab until the list offers this. JupyterLab waits one second for a kernel and then shows nothing: a person asks again."""
        offered = self.page.locator(".jp-Completer:visible .jp-Completer-item").filter(has_text=expected).first
        deadline = monotonic() + PATIENCE / 1000
        while monotonic() < deadline:
            self.page.keyboard.press("Tab")
            with suppress(TimeoutError):
                offered.wait_for(state="visible", timeout=3_000)
                return
        raise AssertionError(f"{expected} was not offered")

    def toolbar(self, command: str) -> None:
        """Presses a button of the notebook's toolbar."""
        self.panel.locator(f'.jp-Toolbar [data-command="{command}"]').first.click()

    def interrupt(self) -> None:
        self.toolbar("notebook:interrupt-kernel")

    def restart(self, and_run_all: bool = False) -> None:
        """Restarts the kernel, and says yes to the question."""
        self.toolbar("notebook:restart-run-all" if and_run_all else "notebook:restart-kernel")
        self.page.locator(".jp-Dialog .jp-mod-accept").click()
        expect(self.page.locator(".jp-Dialog")).to_have_count(0)


class Cell:
    """One cell of a notebook."""

    def __init__(self, notebook: Notebook, locator: Locator) -> None:
        self.notebook = notebook
        # Pinned to this very cell: its place among the others moves while others are added.
        number = locator.evaluate("cell => (cell.dataset.testCell ??= String(Math.random()))")
        self.locator = notebook.panel.locator(f'[data-test-cell="{number}"]')

    def editor(self) -> Locator:
        return self.locator.locator(".cm-content")

    def prompt(self) -> Locator:
        return self.locator.locator(".jp-InputArea-prompt")

    def output(self) -> Locator:
        return self.locator.locator(".jp-OutputArea")

    def wait(self) -> None:
        """Until it has run: its prompt shows a number, not a star."""
        expect(self.prompt()).to_have_text(re.compile(r"^\[\d+\]:$"))

    def shows(self, text: str | re.Pattern[str]) -> None:
        """Until its output contains this."""
        expect(self.output().first).to_contain_text(text)

    def is_running(self) -> None:
        expect(self.prompt()).to_have_text("[*]:")

    def picture(self) -> Locator:
        """Its picture, once the browser has drawn it."""
        picture = self.output().locator("img, svg").first
        expect(picture).to_be_visible(timeout=PATIENCE)
        picture.scroll_into_view_if_needed()
        drawn = "p => p.tagName !== 'IMG' || (p.complete && p.naturalWidth > 0)"
        self.notebook.page.wait_for_function(drawn, arg=picture.element_handle())
        return picture
