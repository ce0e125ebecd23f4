"""The course: every notebook and every solution runs as it is committed, exercises fail before they are solved and pass afterwards, and
all of it can be read wherever notebooks are read."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest

import course
from alike import outputs
from course import CHECK, EXERCISE, FOLDER, RAISES, SANITY, SOLUTION, code, error_of, headings, is_undecided, read, tags
from launch import KERNEL_NAME

BIN = Path(sys.executable).parent
REPOSITORY = FOLDER.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))

ALL = course.notebooks()
SOLVED = [path for path in ALL if path.parent.name == course.SOLUTIONS]
# The tour has no exercise; it is run in test_frontends.py.
MODULES = [path for path in ALL if path not in SOLVED and path.name != "00-tour.ipynb"]
PAGES = [*FOLDER.rglob("README.md")]


def named(path: Path) -> str:
    return path.relative_to(FOLDER).with_suffix("").as_posix()


def each(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=named)


def with_tag(notebook: Any, *wanted: str) -> list[Any]:
    return [cell for cell in code(notebook) if set(wanted) & set(tags(cell))]


# What is run: each notebook once, whichever test needs it first.

Run = Callable[[Path], Any]
# The limit is the notebook's own; this one is for what does not heed it.
runs_a_notebook = pytest.mark.timeout(course.LIMIT + 100)


@pytest.fixture(scope="session")
def run(artefacts: Path) -> Run:
    """Runs a notebook, or tells again how that went."""
    done: dict[Path, Any] = {}

    def run(path: Path) -> Any:
        if path not in done:
            try:
                done[path] = course.execute(path, KERNEL_NAME)
            except Exception as error:
                done[path] = error
            else:
                kept = artefacts / "course" / path.relative_to(FOLDER)
                kept.parent.mkdir(parents=True, exist_ok=True)
                nbformat.write(done[path], kept)
        if isinstance(done[path], Exception):
            pytest.fail(f"{named(path)} did not run to its end: {done[path]!r}")
        return done[path]

    return run


def count_undecided(path: Path, cells: list[Any]) -> None:
    """Checks that a busy machine could not decide are told at the end of the tests, and fail nothing."""
    if undecided := [cell.source for cell in cells if is_undecided(cell)]:
        told = "\n".join(undecided)
        warnings.warn(f"{named(path)}: {len(undecided)} of {len(cells)} checks were undecided:\n{told}", stacklevel=2)


@runs_a_notebook
@each(MODULES + SOLVED)
def test_it_runs_and_fails_only_where_it_says_so(path: Path, run: Run) -> None:
    assert not (surprises := course.surprises(run(path))), "\n\n".join(surprises)


@runs_a_notebook
@each(MODULES + SOLVED)
def test_it_comes_out_as_committed(path: Path, run: Run) -> None:
    differ = []
    for number, (before, after) in enumerate(zip(read(path).cells, run(path).cells, strict=True)):
        assert before.source == after.source
        # What a check that was not decided shows is another page.
        if not is_undecided(before) and not is_undecided(after) and outputs(before) != outputs(after):
            differ.append(f"cell {number}:\n{before.source}\n  committed: {outputs(before)}\n  now:       {outputs(after)}")
    assert not differ, "\n\n".join(differ)


@runs_a_notebook
@each(MODULES)
def test_before_it_is_solved_every_check_fails(path: Path, run: Run) -> None:
    checks = with_tag(run(path), CHECK)
    count_undecided(path, checks)
    passed = [cell.source for cell in checks if error_of(cell) is None]
    assert not passed, "these pass before anything is solved; what holds anyhow is tagged sanity:\n" + "\n\n".join(passed)
    broken = [cell.source for cell in checks if error_of(cell).ename not in ("AssertionError", "Panic", "Undecided")]
    assert not broken, "a check says what is not so, and not that something is missing:\n" + "\n\n".join(broken)


@runs_a_notebook
@each(SOLVED)
def test_when_it_is_solved_every_check_passes(path: Path, run: Run) -> None:
    checks = with_tag(run(path), CHECK)
    count_undecided(path, checks)
    failed = [f"{cell.source}\n{error_of(cell).evalue}" for cell in checks if error_of(cell) and not is_undecided(cell)]
    assert not failed, "\n\n".join(failed)


# What an exercise and its solution have in common.


def test_every_module_has_its_solution() -> None:
    assert [path.name for path in MODULES] == [path.name for path in SOLVED]
    assert [path.name[:2] for path in MODULES] == [f"{number:02}" for number in range(1, len(MODULES) + 1)]


@each(MODULES)
def test_the_solution_has_the_checks_of_the_exercise(path: Path) -> None:
    exercise, solution = read(path), read(path.parent / course.SOLUTIONS / path.name)

    def asked(notebook: Any) -> list[tuple[list[str], str]]:
        return [([tag for tag in tags(cell) if tag != RAISES], cell.source) for cell in with_tag(notebook, CHECK, SANITY)]

    assert asked(solution) == asked(exercise)
    assert 2 <= len(with_tag(exercise, CHECK)) <= 5
    assert with_tag(exercise, EXERCISE), "a cell to begin with"
    assert not with_tag(exercise, SOLUTION) and with_tag(solution, SOLUTION)
    assert not [cell.source for cell in with_tag(solution, CHECK, SANITY) if RAISES in tags(cell)]
    assert all(cell.metadata.jupyter.source_hidden for cell in with_tag(solution, SOLUTION)), "a solution is folded"


@each(MODULES)
def test_a_module_has_its_parts(path: Path) -> None:
    notebook = read(path)
    assert re.search(r"^About \d+ minutes\. Needs: ", notebook.cells[0].source, re.MULTILINE)
    found = [text for level, text in headings_of(notebook) if level == 2]
    begin = ["What you will be able to do", "Exercise: ", "In the real world", "What to remember", "Where next"]
    order = [next((place for place, text in enumerate(found) if text.startswith(wanted)), None) for wanted in begin]
    assert None not in order and order == sorted(order), f"{begin} among {found}"


# How all of them are committed.


def headings_of(notebook: Any) -> list[tuple[int, str]]:
    return [heading for cell in notebook.cells for heading in headings(cell)]


@each(ALL)
def test_it_is_committed_as_it_ran(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    counts = [cell.execution_count for cell in code(notebook)]
    assert counts == list(range(1, len(counts) + 1)), "run it from top to bottom: python tests/course.py --execute"
    assert not (surprises := course.surprises(notebook)), "\n\n".join(surprises)
    assert not [cell.source for cell in code(notebook) if is_undecided(cell)], "undecided: run it again on a machine that is idle"
    assert path.stat().st_size < 1_000_000, "below 1 MB, so that code hosts show it"


@each(ALL)
def test_it_is_written_as_all_are(path: Path) -> None:
    notebook = read(path)
    assert dict(notebook.metadata.kernelspec) == course.KERNEL
    assert not [cell.id for cell in notebook.cells if "execution" in cell.metadata]
    differences = course.differences(notebook, course.normalised(notebook))
    assert not differences, "python tests/course.py writes it so"
    assert course.written(notebook) == path.read_text()


@each(ALL)
def test_its_headings_are_in_order(path: Path) -> None:
    found = headings_of(read(path))
    assert found[0][0] == 1 and [level for level, _ in found].count(1) == 1, "one title, at the top"
    skipped = [text for (above, _), (below, text) in zip(found, found[1:], strict=False) if below > above + 1]
    assert not skipped, "a level is left out above these"


def prose(text: str) -> str:
    """Markdown without its code."""
    text = re.sub(r"^ {0,3}(```+|~~~+).*?^ {0,3}\1[^\n]*$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "", text, flags=re.DOTALL)


def prose_of(path: Path) -> str:
    if path.suffix == ".md":
        return prose(path.read_text())
    return "\n\n".join(prose(cell.source) for cell in read(path).cells if cell.cell_type == "markdown")


@each(ALL)
def test_its_text_is_markdown_and_can_be_folded(path: Path) -> None:
    tags = re.findall(r"</?([a-zA-Z][\w-]*)[^>\n]*>", re.sub(r"<https?://[^>]*>", "", prose_of(path)))
    assert set(tags) <= {"details", "summary"}
    for cell in read(path).cells:
        if "<details>" in cell.source and cell.cell_type == "markdown":
            hidden = re.findall(r"<details>.*?</summary>(.*?)</details>", cell.source, re.DOTALL)
            assert len(hidden) == cell.source.count("<details>"), cell.source
            assert all(text.startswith("\n\n") and text.endswith("\n\n") for text in hidden), "Markdown needs an empty line there"


@each(ALL)
def test_every_picture_is_described(path: Path) -> None:
    assert not re.findall(r"!\[\s*\]", prose_of(path)), "pictures in the text"
    for cell in code(read(path)):
        for output in cell.outputs:
            for mime in {"image/png", "image/jpeg"} & set(output.get("data", {})):
                described = output.metadata.get(mime, {}).get("alt", "").strip()
                assert described, f"a picture of\n{cell.source}"


@each(ALL + PAGES)
def test_every_link_in_the_project_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(\s*<?([^)>\s]+)>?[^)]*\)", prose_of(path))
    ours = [link.split("#")[0] for link in links if not re.match(r"[a-z]+:|#", link)]
    assert not [link for link in ours if not (path.parent / link).exists()]


@each(ALL)
def test_nothing_tells_of_the_machine_that_ran_it(path: Path) -> None:
    for cell in code(read(path)):
        told = copy.deepcopy(cell.outputs)
        for output in told:
            output.get("data", {}).pop("image/png", None)
        found = re.findall(r"/(?:root|home|work|tmp|Users|mnt|opt)/[^\s\"\\]*|[^\s\"]*\.cargo/[^\s\"\\]*", json.dumps(told))
        assert not found, cell.source


def test_the_readme_names_all_of_them() -> None:
    text = (FOLDER / "README.md").read_text()
    assert not [named(path) for path in ALL if f"]({path.relative_to(FOLDER)})" not in text]
    told = dict(re.findall(r"^\| \[(\S+)\].*\| (\d+) minutes \|$", text, re.MULTILINE))
    takes = {path.stem: re.search(r"^About (\d+) minutes\.", read(path).cells[0].source, re.MULTILINE) for path in MODULES}
    assert {name: told.get(name) for name in takes} == {name: found and found[1] for name, found in takes.items()}


# How they are shown.


class Pictures(HTMLParser):
    """The pictures of a page: how each is described."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.described: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.described.append(dict(attrs).get("alt") or "")


@pytest.mark.parametrize("form", ["html", "slides"])
def test_it_is_made_a_page_and_slides(form: str, tmp_path: Path) -> None:
    command = [BIN / "jupyter", "nbconvert", "--config", FOLDER / "pages.py", "--to", form, "--output-dir", tmp_path]
    for paths in (path for path in (MODULES, SOLVED) if path):
        done = subprocess.run([*command, *paths], cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False)
        assert done.returncode == 0, done.stderr
        assert "WARN" not in done.stderr and "Warning" not in done.stderr, done.stderr
        for path in paths:
            page = (tmp_path / f"{path.stem}{'.slides' if form == 'slides' else ''}.html").read_text()
            described = Pictures(page).described
            assert all(text and text != "No description has been provided for this image" for text in described), path
            begun = [cell for cell in read(path).cells if cell.metadata.get("slideshow", {}).get("slide_type") == "slide"]
            assert form == "html" or page.count("<section><section>") == len(begun), "a slide for each title"


# The crate with planted problems, and the one without.

CRATES = [path.parent for path in (FOLDER / "logbook/Cargo.toml", FOLDER / course.SOLUTIONS / "logbook/Cargo.toml") if path.exists()]


def cargo(crate: Path, *arguments: str) -> str:
    env = {**os.environ, "CARGO_TARGET_DIR": str(TARGET / "tests" / "course")}
    done = subprocess.run(["cargo", *arguments], cwd=crate, env=env, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, f"cargo {' '.join(arguments)} in {crate.relative_to(FOLDER)}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("crate", CRATES, ids=named)
def test_the_crate_is_a_good_one(crate: Path) -> None:
    cargo(crate, "fmt", "--check")
    cargo(crate, "clippy", "--locked", "--all-targets", "--", "-D", "warnings")
    assert "test result: ok" in cargo(crate, "test", "--locked")


def test_both_crates_write_the_same_report() -> None:
    """The report is compared, letter by letter, by tests that both have."""
    tests = [{path.name: path.read_text() for path in sorted((crate / "tests").iterdir())} for crate in CRATES]
    assert all(found == tests[0] for found in tests)
    assert not CRATES or "expected.txt" in tests[0]


# The tool that writes the notebooks.


FOLDED = "Text.\n\n<details><summary>Hint 1</summary>\n\n## Within\n\n</details>"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A notebook as an editor leaves it."""
    cells = [
        nbformat.v4.new_markdown_cell("# Title", metadata={"editable": True}),
        nbformat.v4.new_markdown_cell("## A part\n\n```sh\n# no heading\n```"),
        nbformat.v4.new_code_cell("6 * 7", metadata={"execution": {"iopub.status.idle": "2026"}, "scrolled": True}),
        nbformat.v4.new_code_cell("let kept = 1;", metadata={"tags": ["solution"]}),
        nbformat.v4.new_markdown_cell(FOLDED + "\n\n### A part\n\nText.\n\n#### Below\n"),
        nbformat.v4.new_code_cell("let s: String = 7;", metadata={"tags": ["raises-exception"]}),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": {"name": "other", "display_name": "?"}, "widgets": {}})
    path = tmp_path / "01-small.ipynb"
    nbformat.write(notebook, path)
    return path


def test_the_tool_says_what_would_change_and_changes_it(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = small.read_text()
    assert course.main(["--check", str(small)]) == 1 and small.read_text() == before
    told = capsys.readouterr().out
    assert "the notebook's metadata" in told and "headings that stand within a cell" in told
    assert course.main([str(small)]) == 0
    assert course.main(["--check", str(small)]) == 0
    notebook = read(small)
    assert notebook.metadata == {"kernelspec": course.KERNEL}
    assert [(cell.id, cell.metadata.get("slideshow", {}).get("slide_type")) for cell in notebook.cells] == [
        ("title", "slide"),
        ("a-part", "slide"),
        ("a-part__1", None),
        ("a-part__2", None),
        ("a-part__3", None),
        ("a-part_2", "subslide"),
        ("a-part_2__1", None),
    ]
    assert notebook.cells[4].source == FOLDED
    assert notebook.cells[5].source == "### A part\n\nText.\n\n#### Below"
    assert notebook.cells[3].metadata == {"tags": ["solution"], "jupyter": {"source_hidden": True}}
    assert notebook.cells[2].metadata == {}


def test_a_new_cell_renames_its_section_alone(small: Path) -> None:
    notebook = course.normalised(read(small))
    before = course.names(notebook)
    notebook.cells.insert(3, nbformat.v4.new_code_cell("8"))
    after = course.names(notebook)
    assert after[:3] == before[:3] and after[6:] == before[5:]
    assert len(set(after)) == len(after)


def test_the_tool_runs_notebooks_where_nothing_has_run(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (small.parent / ".assay").mkdir()
    (small.parent / ".assay" / "before.json").write_text("{}")
    (small.parent / "data.txt").write_text("data")
    notebook = read(small)
    source = 'let found: Vec<bool> = [".assay", "data.txt"].map(|name| std::path::Path::new(name).exists()).to_vec();\nfound'
    notebook.cells[2].source = source
    nbformat.write(notebook, small)
    assert course.main([str(small)]) == 0 and course.main(["--execute", "--kernel", KERNEL_NAME, str(small)]) == 0
    ran = read(small)
    assert ran.cells[2].outputs[0].data["text/plain"] == "[false, true]"
    assert error_of(ran.cells[6]).ename == "E0308"
    assert [cell.execution_count for cell in code(ran)] == [1, 2, 3]
    assert not course.surprises(ran)

    before = small.read_text()
    ran.cells[2].source, ran.cells[6].source = "missing", "kept"
    nbformat.write(ran, small)
    assert course.main(["--execute", "--kernel", KERNEL_NAME, str(small)]) == 1
    told = capsys.readouterr().err
    assert "cell 2 failed: E0425" in told and "cell 6 did not fail" in told and "not written" in told
    assert small.read_text() != before and error_of(read(small).cells[6]).ename == "E0308"


def test_a_notebook_that_does_not_end_is_ended(small: Path) -> None:
    notebook = read(small)
    notebook.cells[3].source = "loop {\n    std::thread::yield_now();\n}"
    nbformat.write(notebook, small)
    with pytest.raises(TimeoutError, match="did not end within 20 s; it was at\nloop"):
        course.execute(small, KERNEL_NAME, limit=20)
