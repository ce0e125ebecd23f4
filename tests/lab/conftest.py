"""Fixtures: a JupyterLab for each module, a browser, a desk for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from desk import Desk
from launch import new_folder
from window import browser, server


@pytest.fixture(scope="module")
def artefacts_of_lab() -> Path:
    folder = Path(__file__).parents[1] / "artefacts"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def place(artefacts_of_lab: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Path, str]]:
    """The folder of the notebooks, and the address of the JupyterLab over it."""
    folder = new_folder()
    root = folder / "root"
    root.mkdir()
    with server(root, artefacts_of_lab / f"jupyterlab-{Path(request.path).stem}.log") as address:
        yield root, address
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as chromium:
        yield chromium


@pytest.fixture
def desk(chromium: Browser, place: tuple[Path, str], artefacts_of_lab: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    desk = Desk(chromium, *place, artefacts_of_lab)
    yield desk
    for lab in desk.labs:
        lab.screenshot(f"end-of-{request.node.name}")
        lab.page.close()
