"""Crates of the user's own, and what can go wrong with crates. Only the tests of a lost network need one before it is lost."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from frontend import Exchange, FrontEnd
from launch import running

# Generous: it ends what hangs.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def notebook(front: FrontEnd) -> FrontEnd:
    """An empty notebook of the native engine."""
    return begun(front)


@pytest.fixture
def pair() -> Iterator[tuple[FrontEnd, FrontEnd]]:
    """Two kernels with one cache."""
    with running() as one, running(env={"XDG_CACHE_HOME": f"{one.folder}/cache"}) as other:
        yield begun(one.connect()), begun(other.connect())


def begun(front: FrontEnd) -> FrontEnd:
    front.execute("%engine native").ok().everything()
    front.execute("%reset -f").ok().everything()
    return front


def crate(folder: Path, name: str, source: str, manifest: str = "", build: str | None = None) -> Path:
    """Writes a crate without dependencies."""
    place = folder / name
    (place / "src").mkdir(parents=True)
    (place / "Cargo.toml").write_text(f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2024"\n{manifest}\n[workspace]\n')
    (place / "src" / "lib.rs").write_text(source)
    if build is not None:
        (place / "build.rs").write_text(build)
    return place


def add(front: FrontEnd, *lines: str) -> str:
    """Adds crates in one cell; the line that stays."""
    exchange = front.execute("\n".join(f":dep {line}" for line in lines)).ok()
    return last_shown(exchange)


def last_shown(exchange: Exchange) -> str:
    shown = [m for m in exchange.everything() if m.type in ("display_data", "update_display_data")]
    assert len([m for m in shown if m.type == "display_data"]) <= 1, "one line at most"
    return shown[-1].content["data"]["text/plain"] if shown else ""


def worded(exchange: Exchange) -> str:
    error = exchange.error()
    last_shown(exchange)
    return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join([error["evalue"], *error["traceback"]]))


def test_a_crate_of_ones_own_is_built_again_when_it_changes(notebook: FrontEnd, tmp_path: Path) -> None:
    mine = crate(tmp_path, "mine", "#[derive(Debug)] pub struct Config { pub a: i32 }")
    assert re.match(r"added mine 0\.1\.0 · 1 crate built in \d+\.\d s", add(notebook, f'mine = {{ path = "{mine}" }}'))
    notebook.execute("struct Holder(mine::Config); let held = Holder(mine::Config { a: 1 });").ok()
    notebook.execute("let config = mine::Config { a: 2 }; let other = 3;").ok()
    # Another field type: what is made of it now must never be taken for what was made of it before.
    (mine / "src" / "lib.rs").write_text("#[derive(Debug)] pub struct Config { pub a: String }")
    cell = notebook.execute("other").ok()
    assert cell.text() == "3"
    said = cell.stderr()
    last_shown(cell)
    assert "mine 0.1.0" in said and "`config`" in said and "`held`" in said and "`other`" not in said
    assert "`config` was of a type of mine 0.1.0, which was replaced" in worded(notebook.execute("config"))
    value = 'Holder(mine::Config { a: "new".to_string() }).0.a'
    assert notebook.execute(value).ok().text() == '"new"'


def test_a_crate_that_does_not_build_is_told_with_its_place(notebook: FrontEnd, tmp_path: Path) -> None:
    notebook.execute("let kept = 1;").ok()
    bad = crate(tmp_path, "bad", 'pub fn f() -> u8 {\n    "text"\n}\n')
    told = worded(notebook.execute(f':dep bad = {{ path = "{bad}" }}'))
    assert "mismatched types" in told and f"{bad}/src/lib.rs:2:5" in told
    assert notebook.execute("kept").ok().text() == "1"
    (bad / "src" / "lib.rs").write_text("pub fn f() -> u8 { 7 }")
    add(notebook, f'bad = {{ path = "{bad}" }}')
    assert notebook.execute("bad::f()").ok().text() == "7"
    # Broken while it is in use: the cells fail, and go on where they were once it is mended.
    (bad / "src" / "lib.rs").write_text("pub fn f() -> u8 { x }")
    assert "cannot find value `x`" in worded(notebook.execute("kept"))
    (bad / "src" / "lib.rs").write_text("pub fn f() -> u8 { 8 }")
    mended = notebook.execute("kept as u8 + bad::f()").ok()
    assert mended.text() == "9"
    assert "bad 0.1.0" in mended.stderr()
    last_shown(mended)


def test_paths_build_scripts_and_inner_crates(notebook: FrontEnd, tmp_path: Path) -> None:
    crate(
        tmp_path,
        "inner",
        "pub mod deep { #[derive(Debug, Clone)] pub struct VALUE(pub f64); }"
        ' unsafe extern "C" { fn cos(x: f64) -> f64; } #[inline] pub fn one() -> deep::VALUE { deep::VALUE(unsafe { cos(0.0) }) }',
        build='fn main() { println!("cargo::rustc-link-lib=m"); }',
    )
    crate(tmp_path, "outer-crate", "pub fn make() -> inner::deep::VALUE { inner::one() }", '[dependencies]\ninner = { path = "../inner" }')
    notebook.execute(f"%cd {tmp_path}").ok().everything()
    assert add(notebook, "./outer-crate").startswith("added outer-crate 0.1.0 · 2 crates built")
    # A type of a crate that only another crate depends on has no name that could be typed, and yet is kept.
    notebook.execute("let value = outer_crate::make();").ok()
    assert notebook.execute("value.clone()").ok().text() == "VALUE(1.0)"
    notebook.execute("%cd -").ok().everything()


def test_a_cell_that_fails_after_its_dep_keeps_the_crate(notebook: FrontEnd, tmp_path: Path) -> None:
    place = crate(tmp_path, "kept-crate", "pub fn f() -> u8 { 1 }")
    failed = notebook.execute(f':dep kept-crate = {{ path = "{place}" }}\nlet x: u8 = "";')
    assert "mismatched types" in worded(failed)
    assert notebook.execute("kept_crate::f()").ok().text() == "1"
    shown = notebook.execute(":show_deps").ok()
    assert "kept-crate = " in last_shown(shown)


def test_a_crate_is_taken_back_with_its_cell(notebook: FrontEnd, tmp_path: Path) -> None:
    place = crate(tmp_path, "taken", "pub fn f() -> u8 { 1 }")
    line = f'taken = {{ path = "{place}" }}'
    notebook.execute("let kept = 1;").ok()
    add(notebook, line)
    notebook.execute("let used = taken::f();").ok()
    for _ in range(2):
        notebook.execute("%undo").ok().everything()
    assert "taken" in worded(notebook.execute("taken::f()"))
    assert "no crate was added" in last_shown(notebook.execute(":show_deps").ok())
    assert notebook.execute("kept").ok().text() == "1"
    add(notebook, line)
    assert notebook.execute("taken::f()").ok().text() == "1"


def test_an_interrupt_ends_cargo(notebook: FrontEnd, tmp_path: Path) -> None:
    notebook.execute("let kept = 1;").ok()
    slow = crate(tmp_path, "slow", "", build="fn main() { std::thread::sleep(std::time::Duration::from_secs(100_000)); }")
    cell = notebook.start(f':dep slow = {{ path = "{slow}" }}')
    notebook.until(lambda: bool(cell.outputs) and "slow(build)" in str(cell.outputs[-1].content), "cargo to run the build script")
    notebook.request("interrupt_request", channel="control").ok()
    notebook.wait(cell)
    assert "interrupted" in worded(cell)
    assert notebook.execute("kept").ok().text() == "1"
    (slow / "build.rs").write_text("fn main() {}")
    add(notebook, f'slow = {{ path = "{slow}" }}')


def test_two_kernels_add_one_crate_at_once(pair: tuple[FrontEnd, FrontEnd], tmp_path: Path) -> None:
    place = crate(tmp_path, "shared", "pub fn f() -> u8 { 5 }")
    cells = [(front, front.start(f':dep shared = {{ path = "{place}" }}\nshared::f()')) for front in pair]
    for front, cell in cells:
        front.wait(cell).ok()
        assert cell.text() == "5"
        last_shown(cell)


def test_a_second_kernel_builds_nothing(tmp_path: Path) -> None:
    place = crate(tmp_path, "once", "pub fn f() -> u8 { 6 }")
    with running() as first:
        assert "1 crate built" in add(begun(first.connect()), f'once = {{ path = "{place}" }}')
        with running(env={"XDG_CACHE_HOME": f"{first.folder}/cache"}) as second:
            assert add(begun(second.connect()), f'once = {{ path = "{place}" }}') == "added once 0.1.0"


def test_offline_says_so() -> None:
    with running(env={"CARGO_NET_OFFLINE": "true"}) as kernel:
        front = begun(kernel.connect())
        told = worded(front.execute(':dep assay-no-such-crate-at-all = "1"'))
        assert "cargo is kept offline" in told


def test_what_was_downloaded_before_serves_without_a_network() -> None:
    with running() as first:
        add(begun(first.connect()), 'hex = "=0.4.3"')
    # Nobody listens on port 9, which is kept for discarding.
    with running(env={"CARGO_HTTP_PROXY": "http://127.0.0.1:9", "CARGO_NET_RETRY": "0"}) as kernel:
        front = begun(kernel.connect())
        told = add(front, 'hex = "=0.4.3"')
        assert "added hex 0.4.3" in told and "cannot be reached" in told
        assert front.execute("hex::encode([1u8, 255])").ok().text() == '"01ff"'
        told = worded(front.execute(':dep assay-no-such-crate-at-all = "1"'))
        assert "connect to the network" in told
        assert front.execute("hex::encode([7u8])").ok().text() == '"07"'


def test_cargo_can_be_told_to_stay_offline(tmp_path: Path) -> None:
    place = crate(tmp_path, "near", "pub fn f() -> u8 { 3 }")
    with running() as kernel:
        front = begun(kernel.connect())
        front.execute(":offline 1").ok().everything()
        assert "1 crate built" in add(front, f'near = {{ path = "{place}" }}')
        assert front.execute("near::f()").ok().text() == "3"
        assert "cargo is kept offline" in worded(front.execute(':dep assay-no-such-crate-at-all = "1"'))


def test_a_crate_of_a_repository(notebook: FrontEnd, tmp_path: Path) -> None:
    place = crate(tmp_path, "stored", "pub fn f() -> u8 { 1 }")

    def git(*words: str) -> None:
        subprocess.run(["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *words], cwd=place, check=True, capture_output=True)

    git("init", "-q", "-b", "trunk")
    git("add", "-A")
    git("commit", "-q", "-m", "one")
    git("tag", "v1")
    (place / "src" / "lib.rs").write_text("pub fn f() -> u8 { 2 }")
    git("commit", "-q", "-a", "-m", "two")
    add(notebook, f'stored = {{ git = "{place.as_uri()}" }}')
    assert notebook.execute("stored::f()").ok().text() == "2"
    add(notebook, f'stored = {{ git = "{place.as_uri()}", tag = "v1" }}')
    assert notebook.execute("stored::f()").ok().text() == "1"
    told = worded(notebook.execute(f':dep stored = {{ git = "{place.as_uri()}", tag = "v9" }}'))
    assert "v9" in told
    assert notebook.execute("stored::f()").ok().text() == "1"


def test_other_features_make_another_crate(notebook: FrontEnd, tmp_path: Path) -> None:
    source = '#[derive(Debug)] pub struct V; pub fn has() -> bool { cfg!(feature = "more") }'
    place = crate(tmp_path, "featured", source, "[features]\nmore = []")
    add(notebook, f'featured = {{ path = "{place}" }}')
    notebook.execute("let v = featured::V; fn has() -> bool { featured::has() }").ok()
    assert notebook.execute("has()").ok().text() == "false"
    told = add(notebook, f'featured = {{ path = "{place}", features = ["more"] }}')
    assert "featured 0.1.0" in told and "`v`" in told
    assert notebook.execute("has()").ok().text() == "true"
    assert "which was replaced" in worded(notebook.execute("v"))


def test_what_does_not_need_a_crate_outlives_it(notebook: FrontEnd, tmp_path: Path) -> None:
    """Declarations of a crate stand above everything that is defined later; only the compiler knows what needs them."""
    source = "pub struct V; pub trait Twice { fn twice(&self) -> u32; } impl Twice for u32 { fn twice(&self) -> u32 { self * 2 } }"
    place = crate(tmp_path, "around", source)
    add(notebook, f'around = {{ path = "{place}" }}')
    notebook.execute("use around::{V, Twice};").ok()
    notebook.execute("struct Mine(u32);\nlet mine = Mine(1);").ok()
    notebook.execute("struct Other(u32); impl Other { fn calls(&self) -> u32 { self.0.twice() } }\nlet other = Other(1);").ok()
    (place / "src" / "lib.rs").write_text(source.replace("self * 2", "self * 2 + 100"))
    exchange = notebook.execute("mine.0").ok()
    assert exchange.text() == "1"
    assert "`other` is of the `Other` of before" in exchange.stderr() and "`mine`" not in exchange.stderr()
    last_shown(exchange)
    notebook.execute("fn of(mine: &Mine) -> u32 { mine.0 }").ok()
    assert notebook.execute("of(&mine) + Other(2).calls()").ok().text() == "105"


def test_a_kernel_without_dependencies_leaves_no_folder_for_them() -> None:
    with running() as kernel:
        begun(kernel.connect()).execute("1 + 1").ok().text()
        assert not (Path(kernel.folder) / "cache" / "assay" / "dependencies").exists()
