"""The desk of a person who works with several notebooks in JupyterLab."""

from __future__ import annotations

from pathlib import Path
from time import monotonic, sleep
from typing import Any

import nbformat
from playwright.sync_api import Browser, Locator

from launch import KERNEL_NAME
from window import MODIFIER, PATIENCE, Lab, Notebook

KERNEL = "Rust (assay)"


class Desk:
    """Notebooks in a folder, each opened in a window of its own: what one saved, another may read."""

    def __init__(self, chromium: Browser, root: Path, address: str, artefacts: Path) -> None:
        self.chromium = chromium
        self.root = root
        self.address = address
        self.artefacts = artefacts
        self.labs: list[Lab] = []

    def open(self, name: str) -> Notebook:
        lab = Lab(self.chromium.new_page(viewport={"width": 1280, "height": 1200}), self.address, self.artefacts)
        self.labs.append(lab)
        return lab.open(name, KERNEL)

    def new(self, name: str) -> Notebook:
        metadata = {"kernelspec": {"name": KERNEL_NAME, "display_name": KERNEL, "language": "rust"}}
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell()], metadata=metadata), self.root / name)
        return self.open(name)

    def saved(self, notebook: Notebook, name: str, code: str) -> Any:
        """Saves the notebook; the cell that holds this code as it is in the file."""
        notebook.page.keyboard.press(f"{MODIFIER}+S")
        deadline = monotonic() + PATIENCE / 1000
        while monotonic() < deadline:
            for cell in nbformat.read(self.root / name, as_version=4).cells:
                if cell.source == code and cell.execution_count:
                    return cell
            sleep(0.1)
        raise AssertionError(f"{name} was not saved with {code}")


def size(picture: Locator) -> tuple[int, int]:
    """How large it stands on the page."""
    box = picture.bounding_box()
    assert box is not None
    return round(box["width"]), round(box["height"])
