"""`notebooks/grade.py`: a teacher's or a pipeline's count of which checks pass, without a window."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from course import FOLDER
from launch import KERNEL_NAME

GRADE = FOLDER / "grade.py"
RUST = runpy.run_path(str(GRADE))["Rust"]


def cell(source: str, *tags: str) -> Any:
    return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)} if tags else {})


def notebook(path: Path, *cells: Any) -> Path:
    metadata = {"kernelspec": {"name": KERNEL_NAME, "display_name": "Rust", "language": "rust"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)
    return path


def grade(*arguments: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, GRADE, *arguments]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=200, check=False)


def counts(done: subprocess.CompletedProcess[str], name: str) -> tuple[int, ...]:
    """Passed, failed and undecided, from the table."""
    assert done.stdout.splitlines()[0].split() == ["Notebook", "Passed", "Failed", "Undecided", "Seconds"], done
    found = re.search(rf"^{re.escape(name)} +(\d+) +(\d+) +(\d+) +\d+$", done.stdout, re.MULTILINE)
    assert found, done
    return tuple(int(figure) for figure in found.groups())


# The same against itself, so long that where the code lies in memory makes no difference.
NAP = "fn nap() {\n    std::thread::sleep(std::time::Duration::from_millis(4));\n}"
UNDECIDABLE = "%assert_faster nap() than nap()"
FIB = "fn fib(n: u64) -> u64 {\n    if n < 2 { n } else { fib(n - 1) + fib(n - 2) }\n}"


def test_passed_failed_and_undecided_are_counted(tmp_path: Path) -> None:
    path = notebook(
        tmp_path / "exercise.ipynb",
        cell("let n: u64 = 12;", "parameters"),
        cell(f"{FIB}\n{NAP}", "exercise"),
        cell("%assert_allocs fib(n) <= 0", "check"),
        cell("let s: String = 7;", "raises-exception"),
        cell("assert_eq!(fib(n), 7);", "check", "raises-exception"),
        cell(UNDECIDABLE, "check"),
        cell("assert_eq!(fib(10), 55);", "check"),
        cell("assert!(fib(1) == 1);", "sanity"),
    )
    done = grade(path, "--output", tmp_path / "graded")
    assert done.returncode == 1, done
    assert counts(done, "exercise.ipynb") == (2, 1, 1), done
    assert "exercise.ipynb: failed: cell[5] `assert_eq!(fib(n), 7);`: Panic: assertion `left == right` failed" in done.stdout
    assert "broken" not in done.stdout
    kept = nbformat.read(tmp_path / "graded" / "exercise.ipynb", as_version=4)
    assert [error.ename for c in kept.cells for error in c.outputs if error.output_type == "error"] == ["E0308", "Panic", "Undecided"]
    assert not nbformat.read(path, as_version=4).cells[2].outputs, "the notebook itself stays as it was"


DECLARED = """\
let words: usize = 10; // how many
let names: Vec<String> = vec![];
let share = 0.5;
let title: &str = "none";"""


def test_parameters_are_variables_of_the_declared_types(tmp_path: Path) -> None:
    path = notebook(
        tmp_path / "exercise.ipynb",
        cell(DECLARED, "parameters"),
        cell("let text = vec![title; words];"),
        cell('assert_eq!((text.len(), text[2], names[1].len(), share), (3, "Moby \\"Dick\\"", 4, 0.25));', "check"),
    )
    given = ["-p", "words", 3, "-p", "names", '["Ahab", "Mapl"]', "-p", "share", 0.25, "-p", "title", 'Moby "Dick"']
    done = grade(path, *given)
    assert done.returncode == 0 and counts(done, "exercise.ipynb") == (1, 0, 0), done
    done = grade(path)
    assert done.returncode == 1 and counts(done, "exercise.ipynb") == (0, 1, 0), done


def test_what_else_fails_is_told(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    first = notebook(tmp_path / "first.ipynb", cell("let x: usize = missing;"), cell("assert!(true);", "check"))
    second = notebook(tmp_path / "second.ipynb", cell("assert!(false);"))
    slow = "std::thread::sleep(std::time::Duration::from_secs(200));"
    slow = notebook(tmp_path / "more" / "first.ipynb", cell(slow), cell("1 + 1", "check"))
    done = grade(first, second, slow, "--timeout", 20)
    assert done.returncode == 1 and counts(done, "first.ipynb") == (1, 0, 0) and counts(done, "more/first.ipynb") == (0, 1, 0), done
    assert "first.ipynb: broken: cell[1] `let x: usize = missing;`: E0425" in done.stdout
    assert "second.ipynb: broken: there is no cell tagged `check` in it" in done.stdout
    assert "more/first.ipynb: broken: a cell took longer than 20 seconds" in done.stdout
    assert "more/first.ipynb: failed: cell[ ] `1 + 1`: it was not run" in done.stdout


def test_checks_that_were_changed_are_told(tmp_path: Path) -> None:
    (tmp_path / "original").mkdir()
    notebook(tmp_path / "original" / "exercise.ipynb", cell("assert!(fib(9) == 34);", "check"))
    done = grade(notebook(tmp_path / "exercise.ipynb", cell("assert!(true);", "check")), "--original", tmp_path / "original")
    assert done.returncode == 1 and "its checks are not those of " in done.stdout


def test_parameters_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = notebook(tmp_path / "exercise.ipynb", cell("let n: u64 = 1;", "parameters"), cell("assert!(n > 1);", "check"))
    done = grade(path, "-p", "words", 3)
    assert done.returncode == 1 and "there is no words in a cell that is tagged `parameters`" in done.stderr
    done = grade(path, "-p", "n", "many")
    assert done.returncode == 1 and 'n is a u64, which "many" is not' in done.stderr


@pytest.mark.parametrize(
    ("value", "declared", "expected"),
    [
        (True, None, "let x: bool = true;"),
        (7, None, "let x: i64 = 7;"),
        (-7, "isize", "let x: isize = -7;"),
        (2**63, None, "let x: i128 = 9223372036854775808;"),
        (7, "f32", "let x: f32 = 7.0;"),
        (1e300, None, "let x: f64 = 1e+300;"),
        ('a "b"\\\n€\0', None, 'let x: &str = "a \\"b\\"\\\\\\u{a}€\\u{0}";'),
        ("a", "String", 'let x: String = "a".to_owned();'),
        ("a", "&'static str", 'let x: &\'static str = "a";'),
        ([1, 2], None, "let x: Vec<i64> = vec![1, 2];"),
        ([1, 0.5], None, "let x: Vec<f64> = vec![1.0, 0.5];"),
        ([], "Vec<u8>", "let x: Vec<u8> = vec![];"),
        ([[1], []], "Vec<Vec<u8>>", "let x: Vec<Vec<u8>> = vec![vec![1], vec![]];"),
        ([1, 2], "[u8; 2]", "let x: [u8; 2] = [1, 2];"),
        ([1, 2], "&[u8]", "let x: &[u8] = &[1, 2];"),
        (None, "Option<u8>", "let x: Option<u8> = None;"),
        (3, "Option<u8>", "let x: Option<u8> = Some(3);"),
    ],
)
def test_values_become_rust(value: Any, declared: str | None, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RUST, "declared", {"x": declared} if declared else {})
    assert RUST.codify({"x": value}) == f"// Parameters\n{expected}\n"


@pytest.mark.parametrize(
    ("value", "declared"), [("7", "u8"), (7, "bool"), (True, "u8"), ([], None), ({"a": 1}, None), (1, "HashMap<u8, u8>")]
)
def test_values_that_do_not_become_rust(value: Any, declared: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RUST, "declared", {"x": declared} if declared else {})
    with pytest.raises(TypeError):
        RUST.codify({"x": value})
