"""What somebody who comes from evcxr_jupyter finds under the native engine: its commands, its start-up files, its way to show things."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from frontend import FrontEnd
from launch import isolated_environment, kernel_command, running


@pytest.fixture
def native(front: FrontEnd) -> FrontEnd:
    front.execute("%engine native").ok().everything()
    front.execute("%reset -f").ok().everything()
    return front


def said(front: FrontEnd, command: str) -> str:
    return front.execute(command).ok().text()


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (":t melon", "melon: u8"),
        (":type melon", "melon: u8"),
        (":vars", "melon"),
        (":help", "%whos"),
        (":version", "rustc"),
        (":last_compile_dir", "/"),
        (":linker", "Linker: "),
        (":linker lld", "Linker: "),
        (":opt", "Optimization: 0"),
        (":opt", "Optimization: 3"),
        (":toolchain", "rustc "),
        (":preserve_vars_on_panic 1", "always"),
        (":cache 500", "Nothing to set"),
        (":sccache 1", "Nothing to set"),
        (":efmt {:?}", "Debug"),
        (":quit", "Shut Down"),
        (":load_config", "no start-up file"),
    ],
)
def test_a_command_has_its_answer(front: FrontEnd, command: str, says: str) -> None:
    front.execute("let melon = 2u8;").ok()
    assert says in said(front, command)


@pytest.mark.parametrize(
    "command", [":type nothing", ":time_passes", ":codegen_backend cranelift", ":efmt {}", ":fmt {}", ":toolchain no-such"]
)
def test_a_command_that_cannot_be_says_why(native: FrontEnd, command: str) -> None:
    assert "help: " in "\n".join(native.execute(command).error()["traceback"]), "what to do"


def test_the_last_error_is_explained(native: FrontEnd) -> None:
    assert native.execute('let n: u8 = "one";').error()["ename"] == "E0308"
    assert "E0308" in said(native, ":explain") and "mismatched" not in said(native, ":explain")
    (error,) = json.loads(said(native, ":last_error_json"))
    assert error["code"] == "E0308" and error["spans"]


def test_values_in_another_form_and_with_their_types(native: FrontEnd) -> None:
    assert said(native, ":fmt {:#?}") == "Output format: {:#?}"
    assert native.execute("Some(255)").ok().text() == "Some(\n    255,\n)"
    said(native, ":fmt {:x?}")
    assert said(native, ":types") == "Types: true"
    assert native.execute("struct Mine;\nvec![255u8]").ok().text() == ": alloc::vec::Vec<u8> = [ff]"
    assert said(native, ":fmt") == "Output format: {:?}"
    assert native.execute("#[derive(Debug)] struct Own;\nOwn").ok().text() == ": Own = Own"
    assert said(native, ":types") == "Types: false"
    assert native.execute("vec![255u8]").ok().text() == "[255]"


def test_timing(native: FrontEnd) -> None:
    assert said(native, ":timing") == "Timing: true"
    assert "to compile" in native.execute("let a = 1;").ok().stderr()
    assert said(native, ":timing") == "Timing: false"
    native.execute("let a = 2;").ok()


def test_a_restart_keeps_items(native: FrontEnd) -> None:
    native.execute("fn two() -> u8 { 2 }\nlet gone = 1;").ok()
    said(native, ":restart")
    assert native.execute("gone").error()["ename"] == "E0425"
    assert native.execute("two()").ok().text() == "2"


@pytest.mark.parametrize("engine", ["native", "evcxr"])
def test_start_up_files(engine: str, tmp_path: Path) -> None:
    (tmp_path / "init.evcxr").write_text(":opt 2\n:efmt {:?}\n")
    (tmp_path / "prelude.rs").write_text('const MESSAGE: &str = "hello";\nlet from_prelude = 5;\n')
    with running(env={"EVCXR_CONFIG_DIR": str(tmp_path), "ASSAY_ENGINE": engine}) as kernel:
        front = kernel.connect()
        assert front.execute("(MESSAGE.len(), from_prelude)").ok().text() == "(5, 5)", "and the commands are quiet"
        front.execute("%reset -f").ok().everything()
        assert front.execute("from_prelude").error()
        assert "prelude.rs" in "".join(str(front.execute(":load_config").ok().everything()))
        assert front.execute("from_prelude").ok().text() == "5"
        front.finish()


def test_a_start_up_file_that_fails_costs_no_cell(tmp_path: Path) -> None:
    (tmp_path / "prelude.rs").write_text("let broken: u8 = ;")
    with running(env={"EVCXR_CONFIG_DIR": str(tmp_path)}) as kernel:
        front = kernel.connect()
        done = front.execute("1 + 1").ok()
        assert "prelude.rs did not run" in done.stderr()
        assert done.text() == "2"
        front.finish()


@pytest.mark.parametrize("engine", ["native", "evcxr"])
def test_the_engine_is_chosen_at_the_start(engine: str) -> None:
    with running(env={"ASSAY_ENGINE": engine}) as kernel:
        front = kernel.connect()
        assert said(front, "%engine").startswith(engine)
        front.finish()


def test_an_engine_that_is_none_ends_the_start_and_says_which_there_are(tmp_path: Path) -> None:
    # It ends before it listens.
    names = ("shell", "iopub", "stdin", "control", "hb")
    connection = {f"{name}_port": 40_000 + at for at, name in enumerate(names)} | {
        "transport": "tcp",
        "ip": "127.0.0.1",
        "key": "k",
        "signature_scheme": "hmac-sha256",
    }
    file = tmp_path / "connection.json"
    file.write_text(json.dumps(connection))
    env = {**isolated_environment(tmp_path / "nobody"), "ASSAY_ENGINE": "steam"}
    done = subprocess.run(kernel_command(file), env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "ASSAY_ENGINE" in done.stderr and "native, evcxr" in done.stderr
