"""The table of endings: whatever ends a cell, whatever is alive, with threads and without, the variables are what they were before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psutil
import pytest

from frontend import FrontEnd, plain
from launch import running

GIGABYTE = 1 << 30

OVERFLOW = "fn deep(n: u64) -> u64 { if n == u64::MAX { 0 } else { 1 + deep(n + 1) + std::hint::black_box(n) } } deep(0);"
LIMIT = """unsafe extern "C" { fn setrlimit(resource: i32, limit: *const [u64; 2]) -> i32; }
fn limit(bytes: u64) { unsafe { setrlimit(9, &[bytes, bytes]); } }
limit(16 << 20); let mut all: Vec<Vec<u8>> = Vec::new(); loop { all.push(vec![1; 1 << 20]); }"""
READ = """use std::io::Read as _; let (mut end, _writer) = std::io::pipe()?; println!("running"); end.read(&mut [0])?;"""
IN_DROP = 'struct Bad; impl Drop for Bad { fn drop(&mut self) { panic!("in drop") } } let _bad = Bad; std::mem::forget(state.len());'
TWICE = 'struct Bad; impl Drop for Bad { fn drop(&mut self) { panic!("again") } } let _bad = Bad; panic!("first");'
KILL = 'std::process::Command::new("kill").args(["-9", &std::process::id().to_string()]).status()?; loop {}'
POOL = "(0..u64::MAX).into_par_iter().for_each(|n| { std::hint::black_box(n); });"
SCOPE = "std::thread::scope(|all| { all.spawn(|| loop {}); all.spawn(|| loop {}); });"

RUNNING = 'println!("running");'

# What ends the cell, whether it is interrupted, and what is said of it.
ENDINGS = {
    "loop": (f"{RUNNING} loop {{}}", True, "interrupted"),
    "sleep": (f"{RUNNING} std::thread::sleep(std::time::Duration::MAX);", True, "interrupted"),
    "read": (READ, True, "interrupted"),
    "pool": (f"{RUNNING} {POOL}", True, "interrupted"),
    "segmentation fault": ("unsafe { std::ptr::null_mut::<u8>().write_volatile(1) };", False, "segmentation fault"),
    "abort": ("std::process::abort();", False, "abort"),
    "stack overflow": (OVERFLOW, False, "stack overflow"),
    "exit": ("std::process::exit(3);", False, "exit status 3"),
    "out of memory": (LIMIT, False, "out of memory"),
    "panic while panicking": (TWICE, False, "abort"),
    "killed by itself": (KILL, False, "killed"),
}

LOOK = "(state.len(), state[0], state[state.len() - 1], count)"

SIZES = {"1 KB": 1 << 10, "1 GB": GIGABYTE}


@dataclass
class Notebook:
    front: FrontEnd
    size: int
    threads: bool

    @property
    def whole(self) -> str:
        return f"({self.size}, 1, 1, 1)"

    def prepare(self) -> None:
        """Makes the variables, unless they are as they should be: another test may have failed."""
        seen = self.front.execute(LOOK)
        value = seen.value()
        seen.everything()
        if value is not None and value["text/plain"] == self.whole:
            return
        if self.threads:
            self.front.execute(':dep rayon = "1"').ok().everything()
            self.front.execute("use rayon::prelude::*; let pooled: u64 = (0..1000u64).into_par_iter().sum();").ok()
        self.front.execute(f"let mut state = vec![1u8; {self.size}]; let mut count = 1u64;").ok()

    def check(self) -> None:
        """They are what they were, and threads work."""
        assert self.front.execute(LOOK).ok().text() == self.whole
        if self.threads:
            sum_of_all = "(0..1000u64).into_par_iter().sum::<u64>() == pooled"
            assert self.front.execute(sum_of_all).ok().text() == "true"


@pytest.fixture(scope="module", params=[(size, threads) for size in SIZES for threads in (False, True)], ids=str)
def shared(request: pytest.FixtureRequest) -> Iterator[Notebook]:
    size, threads = request.param
    if size == "1 GB" and psutil.virtual_memory().available < 5 * GIGABYTE:
        pytest.skip("memory is short")
    with running() as kernel:
        yield Notebook(kernel.connect(), SIZES[size], threads)


@pytest.fixture
def notebook(shared: Notebook) -> Notebook:
    shared.prepare()
    return shared


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_variables_are_as_before_the_cell(notebook: Notebook, ending: str) -> None:
    code, interrupted, cause = ENDINGS[ending]
    if ending == "pool" and not notebook.threads:
        code = f"{RUNNING} {SCOPE}"
    front = notebook.front
    cell = front.start(f"state[0] = 7; count += 1; let new = 1; state.truncate(100); {{ {code} }}")
    if interrupted:
        front.until_output(cell, "running")
        front.request("interrupt_request", channel="control").ok()
    error = front.wait(cell).error()
    cell.everything()
    assert cause in plain(error), "what happened"
    assert "as they were before the cell" in plain(error)
    notebook.check()
    assert front.execute("new").error()["ename"] == "E0425"


def test_a_panic_in_a_destructor_leaves_what_has_happened(notebook: Notebook) -> None:
    error = notebook.front.execute(f"count += 1; {{ {IN_DROP} }}").error()
    assert error["ename"] == "Panic" and "in drop" in plain(error)
    assert notebook.front.execute("count").ok().text() == "2"
    notebook.front.execute("count = 1;").ok()
    notebook.check()


@pytest.mark.parametrize("what", ["rustc", "cargo"])
def test_compilers_are_interrupted(notebook: Notebook, what: str) -> None:
    """A constant that takes for ever to compute, and a build script that does."""
    front = notebook.front
    if what == "rustc":
        cell = front.start(
            "#![allow(long_running_const_eval)]\nconst ENDLESS: u64 = { let mut n = 0; while n < u64::MAX { n += 1; } n }; count = ENDLESS;"
        )
        program = "rustc"
    else:
        front.execute(
            "!mkdir -p endless/src && touch endless/src/lib.rs"
            " && printf 'fn main() { loop {} }' > endless/build.rs"
            ' && printf \'[package]\\nname = "endless"\\nversion = "0.1.0"\\nedition = "2024"\\n\' > endless/Cargo.toml'
        ).ok().everything()
        cell = front.start(':dep endless = { path = "endless" }')
        program = "build-script-build"
    front.until(lambda: works(program), f"{program} to run")
    front.request("interrupt_request", channel="control").ok()
    error = front.wait(cell).error()
    cell.everything()
    assert error["ename"] == "Interrupted"
    front.until(lambda: not works(program), f"{program} to end")
    notebook.check()


def works(program: str) -> bool:
    """Whether a child of ours runs such a program."""
    children = psutil.Process().children(recursive=True)
    return any(name(child).startswith(program[:15]) for child in children)


def name(process: psutil.Process) -> str:
    try:
        return process.name() if process.status() != psutil.STATUS_ZOMBIE else ""
    except psutil.NoSuchProcess:
        return ""
