"""Grades Rust notebooks without a window: runs them, and counts the cells that are tagged `check`.

    python grade.py exercise.ipynb
    python grade.py *.ipynb -p words 5000 -p title '"Moby Dick"' --output graded --original handed-out/

A check passes, fails, or is undecided: a claim about time that a busy machine could not tell is an error called `Undecided`, which is
counted and forgiven. `-p NAME VALUE` sets a variable of the notebook: papermill puts a cell behind the one that is tagged `parameters`.
Ends with 1 if a check failed, or if anything else did that is not tagged `raises-exception`.

It needs nbclient and papermill (pip install papermill), and the kernel in the Jupyter of the same Python.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.models import Parameter
from papermill.parameterize import parameterize_notebook
from papermill.translators import Translator, papermill_translators

# What a declaration in a parameters cell looks like: `let words: usize = 5000;`
DECLARATION = re.compile(r"^\s*let\s+(?:mut\s+)?(\w+)\s*(?::\s*([^=;]+?))?\s*=\s*(.*?);\s*(?://\s*(.*))?$", re.MULTILINE)


class Rust(Translator):
    """papermill's parameters as Rust. A variable keeps the type that the notebook declares; others get one that suits the value."""

    declared: dict[str, str] = {}

    @classmethod
    def codify(cls, parameters: dict[str, Any], comment: str = "Parameters") -> str:
        return f"// {comment}\n" + "".join(cls.let(name, value) for name, value in parameters.items())

    @classmethod
    def let(cls, name: str, value: Any) -> str:
        declared = cls.declared.get(name) or type_of(value)
        try:
            return f"let {name}: {declared} = {literal(value, declared)};\n"
        except TypeError:
            raise TypeError(f"{name} is a {declared}, which {json.dumps(value)} is not") from None

    @classmethod
    def inspect(cls, parameters_cell: Any) -> list[Parameter]:
        found = DECLARATION.findall(parameters_cell.source)
        return [Parameter(name, declared or "None", value, about) for name, declared, value, about in found]


def type_of(value: Any) -> str:
    """The type of a variable that the notebook does not declare."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "i64" if -(2**63) <= value < 2**63 else "i128"
    if isinstance(value, float):
        return "f64"
    if isinstance(value, str):
        return "&str"
    if isinstance(value, list) and value:
        types = {type_of(item) for item in value}
        if len(types) == 1 or types == {"i64", "f64"}:
            return f"Vec<{'f64' if len(types) > 1 else types.pop()}>"
    raise TypeError(f"what type {json.dumps(value)} has in Rust cannot be told: declare it in a cell that is tagged `parameters`")


def literal(value: Any, declared: str) -> str:
    """A value of a type, in Rust."""
    inner = re.fullmatch(r"(Option|Vec)\s*<\s*(.+?)\s*>|(&?\[)\s*(.+?)\s*(?:;.*)?\]", declared)
    if inner and inner[1] == "Option":
        return "None" if value is None else f"Some({literal(value, inner[2])})"
    if inner and isinstance(value, list):
        items = ", ".join(literal(item, inner[2] or inner[4]) for item in value)
        return f"{'vec![' if inner[1] else inner[3]}{items}]"
    if declared == "bool" and isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and not isinstance(value, bool) and re.fullmatch(r"[iu](8|16|32|64|128|size)", declared):
        return str(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and declared in ("f32", "f64"):
        return repr(float(value)) if abs(value) != float("inf") else f"{'-' * (value < 0)}{declared}::INFINITY"
    if isinstance(value, str) and re.fullmatch(r"&\s*('\w+\s+)?str|String", declared):
        return text(value) + (".to_owned()" if declared == "String" else "")
    raise TypeError


def text(value: str) -> str:
    escaped = "".join({'"': '\\"', "\\": "\\\\"}.get(char, char) if char.isprintable() else f"\\u{{{ord(char):x}}}" for char in value)
    return f'"{escaped}"'


@dataclass
class Grade:
    """What came of a notebook."""

    name: str
    passed: int = 0
    undecided: int = 0
    # Why each check failed, and what else did not work.
    failed: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def is_good(self) -> bool:
        return not self.failed and not self.broken

    def count(self, cell: Any) -> None:
        """Takes in a cell of code that has run, or has not."""
        tags = cell.metadata.get("tags", [])
        error = next((output for output in cell.outputs if output.output_type == "error"), None)
        first = cell.source.strip().partition("\n")[0]
        where = f"cell[{cell.execution_count or ' '}] `{first}`"
        if "check" not in tags:
            if error and "raises-exception" not in tags:
                self.broken.append(f"{where}: {error.ename}: {error.evalue}")
        elif error and error.ename == "Undecided":
            self.undecided += 1
        elif error:
            self.failed.append(f"{where}: {error.ename}: {error.evalue}")
        elif cell.execution_count is None:
            self.failed.append(f"{where}: it was not run")
        else:
            self.passed += 1


def run(notebook: Any, folder: Path, kernel: str | None, limit: int) -> str | None:
    """Runs all cells, whatever fails in them. Why it did not get to the end, if so."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = None, []
    options = {"kernel_name": kernel} if kernel else {}
    where = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, timeout=limit, allow_errors=True, record_timing=False, resources=where, **options)
    try:
        client.execute()
    except CellTimeoutError:
        return f"a cell took longer than {limit} seconds, and what follows it was not run"
    except DeadKernelError:
        return "the kernel died, and what follows was not run"
    return None


def with_parameters(notebook: Any, parameters: dict[str, Any]) -> Any:
    """The notebook with a cell of these parameters, which have to be in it."""
    cells = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    declared = {parameter.name: parameter.inferred_type_name for cell in cells for parameter in Rust.inspect(cell)}
    if unknown := [name for name in parameters if name not in declared]:
        raise SystemExit(f"grade.py: there is no {' and no '.join(unknown)} in a cell that is tagged `parameters`")
    Rust.declared = {name: kind for name, kind in declared.items() if kind != "None"}
    # What papermill expects of a notebook that it has read itself: a place to note what it set, and tags.
    notebook.metadata.setdefault("papermill", nbformat.from_dict({}))
    for cell in notebook.cells:
        cell.metadata.setdefault("tags", [])
    try:
        return parameterize_notebook(notebook, parameters)
    except TypeError as wrong:
        raise SystemExit(f"grade.py: {wrong}") from None


def checks_of(notebook: Any) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code" and "check" in cell.metadata.get("tags", [])]


def grade(path: Path, name: str, given: argparse.Namespace) -> Grade:
    result = Grade(name)
    began = monotonic()
    notebook = nbformat.read(path, as_version=4)
    if not checks_of(notebook):
        result.broken.append("there is no cell tagged `check` in it")
    if given.original:
        original = given.original / name
        if not original.exists() or checks_of(notebook) != checks_of(nbformat.read(original, as_version=4)):
            result.broken.append(f"its checks are not those of {original}")
    if given.parameters:
        notebook = with_parameters(notebook, dict(given.parameters))
    if why := run(notebook, path.parent, given.kernel, given.timeout):
        result.broken.append(why)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            result.count(cell)
    if given.output:
        kept = given.output / name
        kept.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, kept)
    result.seconds = monotonic() - began
    return result


def tell(grades: list[Grade]) -> None:
    """The table, and below it what is wrong."""
    width = max(len(grade.name) for grade in grades)
    print(f"{'Notebook':{width}}  Passed  Failed  Undecided  Seconds")
    for grade in grades:
        print(f"{grade.name:{width}}  {grade.passed:6}  {len(grade.failed):6}  {grade.undecided:9}  {grade.seconds:7.0f}")
    for grade in grades:
        for what, lines in (("failed", grade.failed), ("broken", grade.broken)):
            for line in lines:
                print(f"\n{grade.name}: {what}: {line}")


def value(text: str) -> Any:
    """`true`, `7`, `0.5`, `[1, 2]` and `"7"` are what they are in JSON. Everything else is a string."""
    try:
        return json.loads(text)
    except ValueError:
        return text


class Pair(argparse.Action):
    """Collects `-p NAME VALUE`."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: str | None = None) -> None:
        setattr(namespace, self.dest, [*getattr(namespace, self.dest), (values[0], value(values[1]))])


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Runs Rust notebooks and counts the cells that are tagged `check`.")
    parser.add_argument("notebooks", nargs="+", type=Path, metavar="NOTEBOOK")
    pair = {"nargs": 2, "action": Pair, "default": [], "dest": "parameters", "metavar": ("NAME", "VALUE")}
    parser.add_argument(
        "-p", "--parameter", **pair, help="a variable of the cell that is tagged `parameters`, and its value as JSON or a string"
    )
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="where to keep the notebooks as they ran")
    parser.add_argument("--original", type=Path, metavar="FOLDER", help="the notebooks as handed out: the checks have to be theirs")
    parser.add_argument("--kernel", help="the kernel that runs them; else each notebook's own")
    parser.add_argument("--timeout", type=int, default=300, metavar="SECONDS", help="for each cell (300)")
    return parser.parse_args()


def main() -> int:
    given = parsed()
    logging.getLogger("papermill").setLevel(logging.ERROR)
    # What `install/lab.sh --run` wrote beside a notebook is none of its own.
    paths = [path.resolve() for path in given.notebooks if not path.match("*.nbconvert.ipynb")]
    if not paths:
        raise SystemExit("grade.py: there is no notebook to grade")
    above = os.path.commonpath([path.parent for path in paths])
    grades = [grade(path, path.relative_to(above).as_posix(), given) for path in paths]
    tell(grades)
    return 0 if all(grade.is_good for grade in grades) else 1


papermill_translators.register("rust", Rust)

if __name__ == "__main__":
    sys.exit(main())
