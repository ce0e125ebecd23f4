"""The course's notebooks: where they are, what their cells are for, how they are run, and how they are written.

    python tests/course.py [--execute] [--check] [--kernel NAME] [NOTEBOOK…]

writes notebooks (all of the course, if none is named) as they are committed. notebooks/README.md tells authors what that means.
"""

from __future__ import annotations

import argparse
import asyncio
import copy
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import nbclient
import nbformat

FOLDER = Path(__file__).parent.parent / "notebooks"
SOLUTIONS = "solutions"

# A cell whose tag is the first may fail; the others say what a cell is for.
RAISES, EXERCISE, SOLUTION, CHECK, SANITY = "raises-exception", "exercise", "solution", "check", "sanity"

KERNEL = {"display_name": "Rust (assay)", "language": "rust", "name": "assay"}

# Longer than any notebook takes on a slow machine that is busy.
LIMIT = 900.0

# What running, or other programs, leave in the folder.
DEBRIS = shutil.ignore_patterns(".assay", ".ipynb_checkpoints", "target", "*.nbconvert.ipynb")

SLIDES = {1: "slide", 2: "slide", 3: "subslide"}
LONGEST_SLUG = 48


def notebooks(folder: Path = FOLDER) -> list[Path]:
    """All of the course, each exercise before its solution."""
    found = [*folder.glob("[0-9][0-9]-*.ipynb"), *(folder / SOLUTIONS).glob("[0-9][0-9]-*.ipynb")]
    return sorted((path for path in found if not path.match("*.nbconvert.ipynb")), key=lambda path: (path.name, len(path.parts)))


def root_of(path: Path) -> Path:
    """The folder of the course that a notebook belongs to."""
    return path.parent.parent if path.parent.name == SOLUTIONS else path.parent


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def tags(cell: Any) -> list[str]:
    return cell.metadata.get("tags", [])


def code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def headings(cell: Any) -> list[tuple[int, str]]:
    """Level and text of the headings of a cell. A line of a fenced block is none."""
    found = [heading_of(line) for line in cell.source.splitlines()]
    shown = outside_of_blocks(cell.source)
    return [heading for heading, is_shown in zip(found, shown, strict=True) if heading and is_shown] if cell.cell_type == "markdown" else []


def heading_of(line: str) -> tuple[int, str] | None:
    found = re.match(r" {0,3}(#{1,6})[ \t]+(.*?)[ \t#]*$", line)
    return (len(found[1]), found[2]) if found else None


def title_of(cell: Any) -> tuple[int, str] | None:
    """The heading with which a cell begins."""
    return heading_of(cell.source.partition("\n")[0]) if cell.cell_type == "markdown" else None


def outside_of_blocks(source: str) -> list[bool]:
    """Of each line of Markdown, whether it is in no fenced block."""
    told = []
    fence = ""
    for line in source.splitlines():
        mark = re.match(r" {0,3}(```+|~~~+)", line)
        told.append(not fence and not mark)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence):
            fence = ""
    return told


def error_of(cell: Any) -> Any | None:
    """The error with which a cell ended."""
    return next((output for output in cell.get("outputs", []) if output.output_type == "error"), None)


def surprises(notebook: Any) -> list[str]:
    """What did not come out as the cells' tags say. A check that could not be decided is no surprise."""
    told = []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        error = error_of(cell)
        if error is None and RAISES in tags(cell):
            told.append(f"cell {number} did not fail, and its tag says that it does:\n{cell.source}")
        if error is not None and RAISES not in tags(cell) and not is_undecided(cell):
            trace = "\n".join(error.traceback)
            told.append(f"cell {number} failed: {error.ename}: {error.evalue}\n{cell.source}\n{trace}")
    return told


def is_undecided(cell: Any) -> bool:
    """Whether a check could not tell whether its claim holds, on a machine that was too busy."""
    error = error_of(cell)
    return error is not None and error.ename == "Undecided" and CHECK in tags(cell)


# How a notebook is run.


@contextmanager
def clean(path: Path) -> Iterator[Path]:
    """A notebook in a copy of its course, in which nothing has run yet."""
    with tempfile.TemporaryDirectory(prefix="course-") as folder:
        root = root_of(path)
        place = Path(folder) / "notebooks"
        shutil.copytree(root, place, ignore=DEBRIS)
        yield place / path.relative_to(root)


def execute(path: Path, kernel: str = KERNEL["name"], limit: float = LIMIT) -> Any:
    """Runs a notebook to its end, from a clean state, whatever fails in it."""
    notebook = read(path)
    at = ""

    def begins(cell: Any, **_: Any) -> None:
        nonlocal at
        at = cell.source

    with clean(path) as place:
        client = nbclient.NotebookClient(
            notebook,
            timeout=None,
            kernel_name=kernel,
            allow_errors=True,
            record_timing=False,
            resources={"metadata": {"path": str(place.parent)}},
            on_cell_start=begins,
        )
        for cell in code(notebook):
            cell.execution_count, cell.outputs = None, []
        began = monotonic()
        try:
            asyncio.run(asyncio.wait_for(client.async_execute(), limit))
        except Exception as error:
            # nbclient takes being cancelled for the kernel's death.
            if monotonic() - began < limit:
                raise
            raise TimeoutError(f"{path.name} did not end within {limit:.0f} s; it was at\n{at}") from error
    return notebook


# How a notebook is written.


def normalised(notebook: Any) -> Any:
    """A notebook as it is committed: ids that stay when it is made anew, slides, folded solutions, and nothing of who ran it when."""
    notebook = copy.deepcopy(notebook)
    language = notebook.metadata.get("language_info")
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, **({"language_info": language} if language else {})})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.cells = [part for cell in notebook.cells for part in parts(cell)]
    for cell, name in zip(notebook.cells, names(notebook), strict=True):
        cell.id = name
        cell.metadata = nbformat.from_dict(metadata(cell))
        if cell.cell_type == "code":
            cell.outputs = joined(cell.outputs)
    return notebook


def parts(cell: Any) -> list[Any]:
    """A text in as many cells as it has headings that begin a slide; what is folded stays together."""
    if not headings(cell):
        return [cell]
    texts = [""]
    folded = 0
    for line, is_shown in zip(cell.source.splitlines(keepends=True), outside_of_blocks(cell.source), strict=True):
        heading = heading_of(line.rstrip("\n"))
        if heading and heading[0] in SLIDES and is_shown and not folded and texts[-1].strip():
            texts.append("")
        folded += line.count("<details") - line.count("</details>") if is_shown else 0
        texts[-1] += line
    told = [copy.deepcopy(cell) for _ in texts]
    for part, text in zip(told, texts, strict=True):
        part.source = text.strip("\n")
    return told


def metadata(cell: Any) -> dict[str, Any]:
    """What a cell says of itself: tags, whether it is folded, and where a slide begins."""
    kept: dict[str, Any] = {}
    if tags(cell):
        kept["tags"] = tags(cell)
    if SOLUTION in tags(cell):
        kept["jupyter"] = {"source_hidden": True}
    title = title_of(cell)
    if title and title[0] in SLIDES:
        kept["slideshow"] = {"slide_type": SLIDES[title[0]]}
    return kept


def joined(outputs: list[Any]) -> list[Any]:
    """Text that follows text of the same stream is one output, as JupyterLab has it, in however many pieces it came."""
    told: list[Any] = []
    for output in outputs:
        if output.output_type == "stream" and told and told[-1].get("name") == output.name:
            told[-1].text += output.text
        else:
            told.append(output)
    return told


def names(notebook: Any) -> list[str]:
    """An id for each cell: of its heading, or of the last one before it with a number. So a new cell renames those of its section alone."""
    slugs: list[str] = []
    told = []
    section, place = "top", 0
    for cell in notebook.cells:
        place += 1
        if title := title_of(cell):
            slug = re.sub(r"[^a-z0-9]+", "-", title[1].lower())[:LONGEST_SLUG].strip("-") or "section"
            slugs.append(slug)
            again = slugs.count(slug)
            section, place = slug if again == 1 else f"{slug}_{again}", 0
        told.append(f"{section}__{place}" if place else section)
    return told


def written(notebook: Any) -> str:
    return nbformat.writes(notebook).rstrip("\n") + "\n"


# The program.


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="course.py", description="Writes the course's notebooks as they are committed.")
    parser.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK", help="the whole course if none is named")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--execute", action="store_true", help="run them first, each in a copy of the course where nothing has run yet")
    what.add_argument("--check", action="store_true", help="write nothing; tell what would change, and fail if anything would")
    parser.add_argument("--kernel", default=KERNEL["name"], help="the kernel that runs them (assay)")
    return parser.parse_args(arguments)


def differences(before: Any, after: Any) -> list[str]:
    """In a line each, what normalising changes."""
    told = ["the notebook's metadata"] if before.metadata != after.metadata else []
    told += ["the format's version"] if before.nbformat_minor != after.nbformat_minor else []
    if len(before.cells) != len(after.cells):
        return [*told, "headings that stand within a cell begin one"]
    for what in ("id", "metadata", "outputs", "source"):
        cells = zip(before.cells, after.cells, strict=True)
        differ = [str(number) for number, (old, new) in enumerate(cells) if old.get(what) != new.get(what)]
        told += [f"the {what} of cells {', '.join(differ)}"] if differ else []
    return told


def ran(path: Path, kernel: str) -> Any | None:
    """The notebook with its new outputs; none if something failed that should not."""
    began = monotonic()
    notebook = execute(path, kernel)
    took = f"{monotonic() - began:.0f} s"
    wrong = surprises(notebook)
    undecided = [f"undecided, so run it again when the machine is idle:\n{cell.source}" for cell in code(notebook) if is_undecided(cell)]
    for what in wrong + undecided:
        print(f"{path}: {what}", file=sys.stderr)
    print(f"{path}: {took}")
    return None if wrong or undecided else notebook


def main(arguments: list[str] | None = None) -> int:
    given = parsed(arguments)
    status = 0
    for path in given.notebooks or notebooks():
        notebook = before = read(path)
        if given.execute:
            notebook = ran(path, given.kernel)
            if notebook is None:
                print(f"{path}: not written", file=sys.stderr)
                status = 1
                continue
        text = written(normalised(notebook))
        if text == path.read_text():
            continue
        if given.check:
            status = 1
            told = differences(before, normalised(before)) or ["how it is written as text"]
            print(f"{path} would change:", *told, sep="\n  ")
        else:
            path.write_text(text)
            print(f"{path}: written")
    return status


if __name__ == "__main__":
    sys.exit(main())
