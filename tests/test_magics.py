"""Every general magic, used once as its user would. What they print in detail is tested beside them, in Rust."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from frontend import FrontEnd, plain
from launch import running

NAMES = (
    *("lsmagic", "magic", "who", "whos", "reset", "del", "env", "cd", "pwd", "history", "save", "load"),
    *("writefile", "bash", "capture", "config", "engine", "dep", "version"),
)


def shown(front: FrontEnd, code: str) -> str:
    """All that a cell shows, as plain text."""
    texts = []
    for message in front.execute(code).ok().everything():
        texts.append(message.content["text"] if message.type == "stream" else message.content["data"]["text/plain"])
    return "\n".join(texts)


@pytest.fixture
def folder(front: FrontEnd, tmp_path: Path) -> Iterator[Path]:
    """The session stands in a folder of the test's own, and goes back at the end."""
    front.execute(f"%cd -q {tmp_path}").ok().everything()
    yield tmp_path
    front.execute("%cd -q ~").ok().everything()


def test_lsmagic_lists_them_all(front: FrontEnd) -> None:
    text = shown(front, "%lsmagic")
    assert not [name for name in NAMES if not re.search(rf"%{name}\b", text)]


@pytest.mark.parametrize("name", NAMES)
def test_help(front: FrontEnd, name: str) -> None:
    page = front.execute(f"%{name}?").ok()
    assert f"%{name}" in page.paged()


def test_magic_pages_the_manual(front: FrontEnd) -> None:
    done = front.execute("%magic").ok()
    done.everything()
    assert "%timeit" in done.paged() or "%whos" in done.paged()


def test_pwd_and_cd(front: FrontEnd, folder: Path) -> None:
    (folder / "below").mkdir()
    assert str(folder) in shown(front, "%pwd")
    front.execute("%cd -q below").ok()
    assert str(folder / "below") in shown(front, "%pwd")
    front.execute("%cd -q -").ok()
    assert str(folder) in shown(front, "%pwd")
    assert "missing" in plain(front.execute("%cd missing").error())


def test_env(front: FrontEnd) -> None:
    shown(front, "%env ASSAY_TEST=1 and 2")
    assert "1 and 2" in shown(front, "%env ASSAY_TEST")
    assert "ASSAY_TEST" in shown(front, "%env")
    assert front.execute("!echo $ASSAY_TEST").ok().stdout() == "1 and 2\n"


def test_env_and_cd_reach_the_cells(front: FrontEnd, folder: Path) -> None:
    shown(front, "%env ASSAY_CELL=seen")
    assert front.execute('std::env::var("ASSAY_CELL").unwrap()').ok().text() == '"seen"'
    assert front.execute("std::env::current_dir().unwrap()").ok().text() == f'"{folder}"'


def test_history_save_and_load(folder: Path) -> None:
    with running(cwd=folder) as kernel:
        front = kernel.connect()
        front.execute("!echo first").ok().everything()
        front.execute("!echo second").ok().everything()
        listed = shown(front, "%history")
        assert listed.index("!echo first") < listed.index("!echo second")
        shown(front, "%save kept 1-2")
        (file,) = [p for p in folder.iterdir() if p.name.startswith("kept")]
        assert file.read_text().split("\n")[::2] == ["!echo first", "!echo second"]
        done = front.execute(f"%load {file.name}").ok()
        done.everything()
        assert done.reply is not None
        (payload,) = done.reply.content["payload"]
        assert payload["source"] == "set_next_input" and payload["replace"] is True
        assert "!echo second" in payload["text"]
        front.finish()


def test_writefile(front: FrontEnd, folder: Path) -> None:
    shown(front, "%%writefile made.txt\none\n  two 🦀\n")
    assert (folder / "made.txt").read_text().rstrip("\n") == "one\n  two 🦀"
    shown(front, "%%writefile -a made.txt\nthree\n")
    assert (folder / "made.txt").read_text().split() == ["one", "two", "🦀", "three"]


def test_bash_streams_both(front: FrontEnd, folder: Path) -> None:
    done = front.execute('%%bash\nfor i in 1 2 3; do echo "line $i"; done\necho trouble >&2').ok()
    assert done.stdout() == "line 1\nline 2\nline 3\n"
    assert done.stderr() == "trouble\n"


def test_bash_shows_its_output_while_it_runs(front: FrontEnd, folder: Path) -> None:
    cell = front.start("%%bash\necho before\nuntil [ -e go ]; do sleep 0.02; done\necho after")
    front.until_output(cell, "before")
    (folder / "go").touch()
    assert front.wait(cell).ok().stdout() == "before\nafter\n"


def test_bash_that_fails_is_an_error(front: FrontEnd) -> None:
    failed = front.execute("%%bash\nexit 3")
    assert "3" in failed.error()["evalue"]


def test_rust_and_magics_mix(front: FrontEnd) -> None:
    done = front.execute('println!("rust one");\n!echo shell\nprintln!("rust two");\n%lsmagic').ok()
    outputs = done.everything()
    text = "".join(m.content["text"] for m in outputs if m.type == "stream")
    assert text == "rust one\nshell\nrust two\n"
    assert outputs[-1].type != "stream"


def test_capture(front: FrontEnd) -> None:
    assert front.execute('%%capture\nprintln!("unseen"); eprintln!("unseen"); 42').ok().everything() == []


def test_what_was_captured_is_a_variable(front: FrontEnd) -> None:
    front.execute('%%capture kept\nprintln!("out"); eprintln!("err");\n!echo shell').ok().everything()
    assert front.execute("(kept.stdout, kept.stderr)").ok().text() == r'("out\nshell\n", "err\n")'
    front.execute('%%capture kept\nprint!("again");').ok().everything()
    assert front.execute("kept.stdout.len()").ok().text() == "5"


def test_who_whos_del_reset() -> None:
    with running() as kernel:
        front = kernel.connect()
        front.execute('let apple = 1u8; let pear = "p".to_owned();').ok()
        assert shown(front, "%who").split() == ["apple", "pear"]
        table = shown(front, "%whos")
        assert re.search(r"apple\s+u8\b", table) and re.search(r"pear\s+(\S*::)?String\b", table)
        shown(front, "%del apple")
        assert "apple" not in shown(front, "%who")
        assert front.execute("pear").ok().text() == '"p"'
        shown(front, "%reset -f")
        assert "pear" not in shown(front, "%who")
        assert front.execute("pear").error()["ename"] == "E0425"
        assert front.execute("1 + 1").ok().text() == "2"
        front.finish()


def test_the_commands_of_evcxr_notebooks(front: FrontEnd) -> None:
    front.execute("let melon = 2;").ok()
    assert "melon" in shown(front, ":vars")
    assert "dep" in shown(front, ":help")


def test_config_engine_version(front: FrontEnd) -> None:
    shown(front, "%config")
    assert "evcxr" in shown(front, "%engine")
    text = shown(front, "%version")
    assert "rustc" in text and "assay" in text.lower()


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("%lsmagics", "%lsmagic"),
        ("%history --nonsense", "--nonsense"),
        ("%cd one two three", "two"),
        ("%%writefile", "%%writefile"),
        ("%config no_such_key=1", "no_such_key"),
        ("%engine teleport", "teleport"),
        ("%del no_such_variable", "no_such_variable"),
        ("%load no_such_file.rs", "no_such_file.rs"),
        (":nonsense", ":nonsense"),
    ],
)
def test_a_wrong_call_is_one_error_that_names_it(front: FrontEnd, cell: str, says: str) -> None:
    assert says in plain(front.execute(cell).error())


def test_nothing_runs_when_a_magic_is_wrong(front: FrontEnd) -> None:
    """A cell is read as a whole before its first line runs."""
    failed = front.execute('println!("ran");\n%lsmagics\n')
    assert ":2:1" in plain(failed.error())


def test_a_missing_shell_command_is_told_and_is_no_error(front: FrontEnd) -> None:
    """As in IPython: what a shell command returns is said, and the cell goes on."""
    done = front.execute("!no-such-command-anywhere").ok()
    assert "not found" in done.stderr()
    assert "127" in done.text()


def test_a_kernel_in_a_folder_starts_there(tmp_path: Path) -> None:
    with running(cwd=tmp_path) as kernel:
        front = kernel.connect()
        assert str(tmp_path) in shown(front, "%pwd")
        front.finish()
