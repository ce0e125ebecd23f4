"""`install/lab.sh`: the one command on a fresh machine. Here the kernel is built already; everything else is new the first time."""

from __future__ import annotations

import os
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import nbformat
import psutil
import pytest

from launch import isolated_environment
from window import address_of

REPOSITORY = Path(__file__).parents[2]
SCRIPT = REPOSITORY / "install" / "lab.sh"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An empty home. The virtual environment is kept from run to run of the tests, as a person keeps it."""
    env = isolated_environment(tmp_path / "nobody")
    return {**env, "ASSAY_LAB": str(TARGET / "tests" / "lab"), "CARGO_TARGET_DIR": str(TARGET)}


def run(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SCRIPT, *arguments], env=env, capture_output=True, text=True, timeout=800, check=False)


def refuses(env: dict[str, str], arguments: list[str], *says: str) -> None:
    done = run(env, *arguments)
    assert done.returncode == 1, done
    assert "error:" in done.stderr
    for text in says:
        assert text in done.stderr, done.stderr


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder with what every Unix has, to be the whole PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bash", "env", "dirname", "sed", "cut", "sort", "head", "cat", "id", "sh"):
        found = next(p for p in (Path(d) / name for d in ("/bin", "/usr/bin")) if p.exists())
        (folder / name).symlink_to(found)
    return folder


def test_without_rust(env: dict[str, str], tools: Path, tmp_path: Path) -> None:
    refuses({**env, "PATH": str(tools), "CARGO_HOME": str(tmp_path)}, [], "Rust is not installed", "rustup.rs")


def test_without_python(env: dict[str, str], tools: Path) -> None:
    for name in ("cargo", "rustc", "cc"):
        stand_in(tools, name, "echo 'rustc 99.0.0 (stand-in)'")
    refuses({**env, "PATH": str(tools)}, [], "Python 3 is not installed", "apt-get install python3")


def test_with_a_python_that_cannot_make_environments(env: dict[str, str], tools: Path) -> None:
    """Debian splits venv off; pip's own message named neither the cause nor the package."""
    for name in ("cargo", "rustc", "cc"):
        stand_in(tools, name, "echo 'rustc 99.0.0 (stand-in)'")
    stand_in(tools, "python3", 'case "$*" in *ensurepip*) exit 1 ;; esac')
    refuses({**env, "PATH": str(tools)}, [], "apt-get install python3-venv")


def test_with_an_old_rust(env: dict[str, str], tools: Path) -> None:
    stand_in(tools, "cargo", "exit 0")
    stand_in(tools, "rustc", "echo 'rustc 1.60.0 (stand-in)'")
    refuses({**env, "PATH": str(tools)}, [], "Rust 1.60.0 is too old", "rustup update")


def stand_in(folder: Path, name: str, script: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_wrong_arguments(env: dict[str, str]) -> None:
    refuses(env, ["--run"], "--run needs a notebook")
    refuses(env, ["--run", "missing.ipynb"], "missing.ipynb")


def test_run_executes_a_notebook_and_writes_beside_it(env: dict[str, str], tmp_path: Path) -> None:
    notebook = tmp_path / "small.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("6 * 7")]), notebook)
    done = run(env, "--run", str(notebook))
    assert done.returncode == 0, done
    (cell,) = nbformat.read(tmp_path / "small.nbconvert.ipynb", as_version=4).cells
    assert cell.outputs[0].data["text/plain"] == "42"
    assert "outputs" not in notebook.read_text() or not nbformat.read(notebook, as_version=4).cells[0].outputs


def test_run_fails_with_its_notebook(env: dict[str, str], tmp_path: Path) -> None:
    notebook = tmp_path / "broken.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell('panic!("broken");')]), notebook)
    refuses(env, ["--run", str(notebook)], "broken.ipynb", "did not run to its end")


@pytest.fixture
def course(env: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """The course as the script opens it on a server; its address."""
    log = tmp_path / "lab.log"
    with log.open("w") as out:
        command = [str(SCRIPT), "--no-browser", "--ServerApp.port=0"]
        process = subprocess.Popen(command, env=env, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield address_of(Path(env["JUPYTER_RUNTIME_DIR"]), process, log)
    finally:
        for child in [*psutil.Process(process.pid).children(recursive=True), process]:
            child.terminate()
        process.wait(timeout=60)


def test_the_course_is_opened(course: str) -> None:
    base, token = course.split("lab?token=")
    for path in ("api/kernelspecs", "api/contents/00-tour.ipynb"):
        with urllib.request.urlopen(f"{base}{path}?token={token}") as answer:
            assert answer.status == 200
            text = answer.read().decode()
        assert "Rust (assay)" in text


# How the evcxr engine is built behind a JupyterLab: here cargo is played by a script, and JupyterLab by `sleep`.


@pytest.fixture
def behind(tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "bin"
    folder.mkdir()
    env = isolated_environment(tmp_path / "nobody")
    return {**env, "PATH": f"{folder}:{env['PATH']}", "CARGO_TARGET_DIR": str(tmp_path / "target")}


def build_behind(env: dict[str, str], cargo: str, owner: int) -> subprocess.Popen[str]:
    stand_in(Path(env["PATH"].split(":")[0]), "cargo", cargo)
    return subprocess.Popen([str(REPOSITORY / "install" / "engine.sh"), str(owner)], env=env, text=True)


def beside(env: dict[str, str], what: str) -> Path:
    return Path(env["CARGO_TARGET_DIR"]) / "release" / f"assay-evcxr.{what}"


def wait_for(path: Path) -> None:
    deadline = monotonic() + 30
    while not path.exists():
        assert monotonic() < deadline, path
        sleep(0.05)


def test_the_engine_is_built_once_and_ends_with_its_owner(behind: dict[str, str], tmp_path: Path) -> None:
    owner = subprocess.Popen(["sleep", "600"])
    try:
        began = tmp_path / "began"
        first = build_behind(behind, f"echo $$ >{began}.new; mv {began}.new {began}; sleep 600", owner.pid)
        wait_for(began)
        assert int(beside(behind, "building").read_text()) == first.pid
        second = subprocess.run([str(REPOSITORY / "install" / "engine.sh"), str(owner.pid)], env=behind, timeout=30, check=False)
        assert second.returncode == 0 and first.poll() is None, "one build is enough"
    finally:
        owner.kill()
        owner.wait()
    first.wait(timeout=30)
    assert not psutil.pid_exists(int(began.read_text())), "cargo outlived JupyterLab"
    assert not beside(behind, "building").exists()
    assert "failed" not in beside(behind, "log").read_text(), "it was ended, and did not fail"


def test_a_build_that_fails_is_told_by_the_next_start(behind: dict[str, str]) -> None:
    beside(behind, "building").parent.mkdir(parents=True)
    # A build that was killed leaves its mark; whoever made it is gone.
    beside(behind, "building").write_text("4194305")
    assert build_behind(behind, "echo no network >&2; exit 101", os.getpid()).wait(timeout=30) != 0
    assert beside(behind, "log").read_text().splitlines() == ["no network", "failed"]
    assert not beside(behind, "building").exists()
    script = f"set -euo pipefail; source {REPOSITORY}/install/environment.sh; build_engine_behind $$; wait"
    told = subprocess.run(["bash", "-c", script], env=behind, capture_output=True, text=True, timeout=60, check=False)
    assert "failed" in told.stderr and "tried again" in told.stderr, told
