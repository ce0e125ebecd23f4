"""`assay install`, `uninstall` and `doctor`, as a person types them."""

import json
import os
import struct
import subprocess
from pathlib import Path

import pytest

from launch import assay, isolated_environment


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    env = isolated_environment(tmp_path / "nobody")
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX", "JUPYTER_DATA_DIR"):
        env.pop(variable, None)
    return env


def run(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([assay(), *arguments], env=env, capture_output=True, text=True, timeout=120, check=False)


def kernelspec(folder: Path) -> dict:
    return json.loads((folder / "kernel.json").read_text())


def test_install_into_a_prefix(env: dict[str, str], tmp_path: Path) -> None:
    done = run(env, "install", "--prefix", str(tmp_path / "prefix"))
    assert done.returncode == 0, done
    folder = tmp_path / "prefix/share/jupyter/kernels/assay"
    assert str(folder) in done.stdout + done.stderr, "it says where it installed"
    spec = kernelspec(folder)
    assert spec["display_name"] == "Rust (assay)"
    assert spec["language"] == "rust"
    assert spec["interrupt_mode"] == "message"
    assert spec["argv"][1:] == ["kernel", "-f", "{connection_file}"]
    program = Path(spec["argv"][0])
    assert program.is_absolute() and os.access(program, os.X_OK)


def test_the_logos_are_pictures_of_their_size(env: dict[str, str], tmp_path: Path) -> None:
    assert run(env, "install", "--prefix", str(tmp_path)).returncode == 0
    folder = tmp_path / "share/jupyter/kernels/assay"
    for size in (32, 64):
        content = (folder / f"logo-{size}x{size}.png").read_bytes()
        assert content.startswith(b"\x89PNG\r\n\x1a\n")
        assert struct.unpack(">II", content[16:24]) == (size, size)
    assert "<svg" in (folder / "logo-svg.svg").read_text()


def test_install_for_the_user_and_again(env: dict[str, str]) -> None:
    for _ in range(2):
        done = run(env, "install", "--user")
        assert done.returncode == 0, done
    found = list(Path(env["HOME"]).parent.rglob("kernels/assay/kernel.json"))
    assert len(found) == 1, found


def test_another_name_and_uninstall(env: dict[str, str], tmp_path: Path) -> None:
    prefix = str(tmp_path)
    kernels = tmp_path / "share/jupyter/kernels"
    assert run(env, "install", "--prefix", prefix, "--name", "rusty").returncode == 0
    assert run(env, "install", "--prefix", prefix).returncode == 0
    assert sorted(p.name for p in kernels.iterdir()) == ["assay", "rusty"]
    assert run(env, "uninstall", "--prefix", prefix, "--name", "rusty").returncode == 0
    assert [p.name for p in kernels.iterdir()] == ["assay"]
    again = run(env, "uninstall", "--prefix", prefix, "--name", "rusty")
    assert again.returncode != 0 and "rusty" in again.stderr


@pytest.mark.parametrize("name", ["../escape", "a/b", "", "sp ace", "ü"])
def test_a_name_that_is_no_kernel_name_is_refused(env: dict[str, str], tmp_path: Path, name: str) -> None:
    done = run(env, "install", "--prefix", str(tmp_path / "p"), "--name", name)
    assert done.returncode != 0 and done.stderr
    assert not (tmp_path / "p").exists()


def test_an_install_that_cannot_write_says_where(env: dict[str, str], tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    done = run(env, "install", "--prefix", str(blocked))
    assert done.returncode not in (0, 101)
    assert str(blocked) in done.stderr and "panicked" not in done.stderr


def test_doctor_is_content_here(env: dict[str, str]) -> None:
    done = run(env, "doctor")
    text = done.stdout + done.stderr
    assert done.returncode == 0, text
    for thing in ("rustc", "cargo", "rust-src", "linker", "jupyter"):
        assert thing in text.lower(), f"doctor says nothing of {thing}: {text}"


def test_doctor_says_what_to_do_without_rust(env: dict[str, str], tmp_path: Path) -> None:
    env["PATH"] = str(tmp_path)
    done = run(env, "doctor")
    text = done.stdout + done.stderr
    assert done.returncode not in (0, 101), text
    assert "rustup.rs" in text and "panicked" not in text


def test_doctor_does_without_the_second_engine(env: dict[str, str], tmp_path: Path) -> None:
    """On a fresh machine it is built while the first cells run."""
    env["ASSAY_EVCXR"] = str(tmp_path / "assay-evcxr")
    done = run(env, "doctor")
    assert done.returncode == 0 and "cargo build --release -p assay-evcxr" in done.stdout, done
    (tmp_path / "assay-evcxr.building").write_text(str(os.getpid()))
    assert "being built" in run(env, "doctor").stdout


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["kernel"], ["install", "--nonsense"]])
def test_a_wrong_command_shows_the_usage(env: dict[str, str], arguments: list[str]) -> None:
    done = run(env, *arguments)
    assert done.returncode != 0
    assert "Usage" in done.stderr


def test_help_and_version(env: dict[str, str]) -> None:
    shown = run(env, "--help")
    assert shown.returncode == 0 and "install" in shown.stdout and "doctor" in shown.stdout
    assert run(env, "--version").stdout.startswith("assay")
