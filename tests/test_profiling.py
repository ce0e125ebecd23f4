"""The profilers: used as their users do, with what goes wrong.

What their figures are worth is shown by ``bench/instruments.py``; what they print in detail is tested beside them, in Rust.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from frontend import Exchange, FrontEnd, plain

DEFINITIONS = """
use std::hint::black_box;
fn fib(n: u32) -> u64 { if n < 2 { n as u64 } else { fib(n - 1) + fib(n - 2) } }
fn busy(n: u64) -> u64 {
    let mut sum = 0;
    for i in 0..n {
        sum ^= black_box(i).wrapping_mul(31);
    }
    sum
}
fn words(text: &str) -> usize {
    let mut all = Vec::new();
    for word in text.split(' ') {
        all.push(word.to_uppercase());
    }
    all.len()
}
"""


@pytest.fixture
def notebook(front: FrontEnd) -> FrontEnd:
    front.execute(DEFINITIONS).ok()
    return front


@pytest.fixture
def folder(front: FrontEnd, tmp_path: Path) -> Iterator[Path]:
    """The session stands in a folder of the test's own, and goes back at the end."""
    front.execute(f"%cd -q {tmp_path}").ok().everything()
    yield tmp_path
    front.execute("%cd -q ~").ok().everything()


def results(done: Exchange) -> tuple[str, list[dict[str, Any]]]:
    """All that is shown, as text, and the raw figures."""
    texts, raw = [], []
    for message in done.everything():
        if message.type == "stream":
            texts.append(message.content["text"])
        elif message.type != "error":
            texts.append(message.content["data"]["text/plain"])
            raw += [message.content["metadata"]["assay"]] if "assay" in message.content["metadata"] else []
    return "\n".join(texts), raw


def run(front: FrontEnd, code: str) -> tuple[str, dict[str, Any]]:
    text, raw = results(front.execute(code).ok())
    assert len(raw) == 1, text
    return text, raw[0]


def function(result: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in result["functions"] if one["name"] == name)


def test_prun_counts_calls_and_finds_where_time_goes(notebook: FrontEnd) -> None:
    text, result = run(notebook, "%prun (fib(20), busy(30_000_000))")
    calls = function(result, "fib")
    assert (calls["calls"], calls["primitive"]) == (21891, 1)
    assert "21891/1" in text and re.search(r"ncalls +tottime", text)
    assert function(result, "busy")["total"] > 0.9 * result["samples"]
    assert "opt-level 3 · noise floor" in text, "the context closes it"


def test_prun_shows_a_flame_graph_in_every_form(notebook: FrontEnd) -> None:
    done = notebook.execute("%prun busy(30_000_000)").ok()
    displays = [message.content for message in done.everything() if message.type == "display_data"]
    shown = [display["data"] for display in displays]
    said = [display["metadata"][mime]["alt"] for display in displays for mime in ("image/svg+xml", "image/png") if mime in display["data"]]
    assert len(said) == 2 and said[0] == said[1]
    assert re.match(r"Flame graph\. .*busy.*: [\d,]+ samples; .*; the most of its own has busy, \d", said[0]), said[0]
    assert any("image/svg+xml" in data and "image/png" in data for data in shown)
    html = "".join(data.get("text/html", "") for data in shown)
    assert "busy" in html and "<script" not in html and "<svg" not in html and "<style" not in html


def test_the_options_of_cprofile(notebook: FrontEnd, folder: Path) -> None:
    text, _ = run(notebook, "%prun -l 1 -s cumulative busy(30_000_000)")
    assert "Ordered by: cumulative time" in text
    done = notebook.execute("%prun -q -T profile.txt -D profile.json busy(30_000_000)").ok()
    text, _ = results(done)
    assert "profile.txt" in text and "profile.json" in text
    assert "busy" in (folder / "profile.txt").read_text()
    profile = json.loads((folder / "profile.json").read_text())
    assert profile["threads"][0]["samples"]["length"] > 0
    run(notebook, "%prun --save before busy(30_000_000)")
    assert (folder / ".assay" / "before.json").exists()
    text, _ = run(notebook, "%prun --diff before busy(30_000_000)")
    assert "busy" in text


def test_effects_happen_once(notebook: FrontEnd, folder: Path) -> None:
    notebook.execute("let mut seen: Vec<u32> = Vec::new();").ok()
    done = notebook.execute('%prun { seen.push(1); println!("once"); fib(5) }').ok()
    text, _ = results(done)
    assert text.count("once\n") == 1
    assert notebook.execute("seen.len()").ok().text() == "1"
    run(notebook, "%%prun\nlet kept = fib(10);\nlet more = kept + 1;")
    assert notebook.execute("(kept, more)").ok().text() == "(55, 56)"
    run(notebook, "%lprun -f fib { seen.push(2); fib(5) }")
    run(notebook, "%memit seen.push(3)")
    run(notebook, '%mprun -f words { seen.push(4); words("a b") }')
    assert notebook.execute("seen.clone()").ok().text() == "[1, 2, 3, 4]"


def test_what_cannot_run_twice_runs_once(notebook: FrontEnd) -> None:
    notebook.execute("let gone = vec![1_u8; 100];").ok()
    text, _ = run(notebook, "%prun drop(gone)")
    assert "consumes" in text
    assert notebook.execute("gone").error()["ename"] == "E0425"


def test_a_panic_shows_both(notebook: FrontEnd) -> None:
    done = notebook.execute('%prun { busy(30_000_000); panic!("over") }')
    assert "over" in done.error()["evalue"]
    text, [result] = results(done)
    assert "Partial" in text and function(result, "busy")["total"] > 0
    assert notebook.execute("fib(10)").ok().text() == "55"


def test_lines_are_hit_exactly(notebook: FrontEnd) -> None:
    text, result = run(notebook, "%lprun -f busy busy(1000)")
    assert re.search(r"Line # +Hits +Time +Per Hit +% Time", text)
    [asked] = result["functions"]
    hits = {line["line"]: line["hits"] for line in asked["lines"]}
    first = asked["line"]
    assert (hits[first + 1], hits[first + 3]) == (1, 1000), hits


def test_lines_of_the_cell_itself(notebook: FrontEnd) -> None:
    text, result = run(notebook, "%%lprun\nlet mut total = 0;\nfor i in 0..100u64 {\n    total += busy(i);\n}\nblack_box(total);")
    assert "<statements>" in text
    lines = {line["line"]: line["hits"] for line in result["functions"][0]["lines"]}
    assert lines[4] == 100, lines


def test_memory_is_exact(notebook: FrontEnd) -> None:
    text, result = run(notebook, "%memit vec![1_u8; 10 << 20]")
    assert re.search(r"^peak memory: [\d.]+ MiB, increment: [\d.]+ MiB$", text, re.MULTILINE)
    [heap] = result["heaps"]
    assert (heap["allocations"], heap["bytes"], heap["peak"], heap["live"]) == (1, 10 << 20, 10 << 20, 0)
    text, result = run(notebook, "%memit { std::mem::forget(black_box(vec![7_u8; 5000])); }")
    assert result["heaps"][0]["live"] == 5000
    text, result = run(notebook, "%memit -r 3 vec![1_u8; 100]")
    assert len(result["heaps"]) == 3


def test_of_many_allocations_the_places_are_estimated(notebook: FrontEnd) -> None:
    """The stack of each of 46 million allocations took four minutes, and the page did not say for what."""
    notebook.execute("fn boxes(n: u64) -> u64 {\n    (0..n).map(|i| *black_box(Box::new(i))).sum()\n}").ok()
    text, result = run(notebook, "%memit boxes(5_000_000)")
    [heap] = result["heaps"]
    assert (heap["allocations"], heap["bytes"], heap["peak"], heap["live"]) == (5_000_000, 40_000_000, 8, 0)
    assert "There were 5,000,000 allocations, too many to take the stack of each" in text
    [place] = [place for place in result["places"] if place["function"].startswith("boxes")]
    assert place["allocations"] == pytest.approx(5_000_000, rel=0.02)
    assert place["bytes"] == pytest.approx(40_000_000, rel=0.02)
    text, result = run(notebook, "%mprun -f boxes boxes(2_000_000)")
    [line] = [line for line in result["functions"][0]["lines"] if line["allocations"]]
    assert line["allocations"] == pytest.approx(2_000_000, rel=0.02) and line["increment"] == 0
    assert "is estimated from these" in text and "Figures are in the bytes" in text
    text, result = run(notebook, "%mprun -f boxes boxes(400_000)")
    assert [line["allocations"] for line in result["functions"][0]["lines"] if line["allocations"]] == [400_000]
    assert "estimated" not in text and "Figures are exact" in text


def test_memory_by_line(notebook: FrontEnd) -> None:
    text, _ = run(notebook, '%mprun -f words words("one two three")')
    assert re.search(r"Line # +Mem usage +Increment +Occurrences +Line Contents", text)
    [line] = [line for line in text.splitlines() if "word.to_uppercase()" in line and line.split()[0].isdigit()][:1]
    assert re.search(r"\b3\b", line), "it was reached three times"


def test_results_are_values(notebook: FrontEnd) -> None:
    notebook.execute("let m = %memit -o vec![1_u8; 1000];").ok().everything()
    assert notebook.execute("m.allocations").ok().text() == "1"
    notebook.execute("let p = %prun -r fib(15);").ok().everything()
    found = notebook.execute('p.functions.iter().find(|one| one.name == "fib").unwrap().ncalls').ok().text()
    assert "1973" in found
    notebook.execute("let l = %lprun -r -f busy busy(10);").ok().everything()
    assert notebook.execute("l.functions.len()").ok().text() == "1"


def test_all_threads_are_seen(notebook: FrontEnd) -> None:
    code = "std::thread::scope(|scope| { for _ in 0..2 { scope.spawn(|| black_box(busy(30_000_000))); } })"
    _, result = run(notebook, f"%prun {code}")
    found = function(result, "busy")
    assert found["calls"] == 2 and found["total"] > 0.9 * result["samples"]


def test_waiting_is_seen_on_the_wall(notebook: FrontEnd) -> None:
    nap = "std::thread::sleep(std::time::Duration::from_millis(400))"
    text, result = run(notebook, f"%prun {nap}")
    assert result["samples"] < 100, "the processor has hardly anything to do"
    _, result = run(notebook, f"%prun --wall {nap}")
    assert result["samples"] > 100


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("%prun -z fib(1)", "-z"),
        ("%prun -l", "-l"),
        ("%prun -s nonsense fib(1)", "nonsense"),
        ("%lprun fib(1)", "-f"),
        ("%lprun -f fbi fib(1)", "`fib`"),
        ("%memit -r none fib(1)", "none"),
        ("%mprun -f", "-f"),
        ("for i in 0..3 {\n%prun fib(i)\n}", "braces"),
        ("%prun fib(", "no Rust"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_runs(notebook: FrontEnd, code: str, said: str) -> None:
    done = notebook.execute(code)
    error = done.error()
    assert said in error["evalue"] or any(said in line for line in error["traceback"]), error
    done.everything()


def test_nothing_to_profile_is_nothing(notebook: FrontEnd) -> None:
    done = notebook.execute("%prun").ok()
    assert results(done) == ("", [])


def test_code_that_does_not_compile(notebook: FrontEnd) -> None:
    done = notebook.execute("%prun missing(3)")
    assert done.error()["ename"] == "E0425"
    assert notebook.execute("fib(3)").ok().text() == "2"


def test_a_function_that_is_not_called_says_so(notebook: FrontEnd) -> None:
    text, _ = run(notebook, "%lprun -f words fib(5)")
    assert "never called" in text or "not called" in text


def test_an_interrupt_keeps_what_was_seen(notebook: FrontEnd) -> None:
    cell = notebook.start('%prun { println!("running"); busy(100_000_000); println!("half"); busy(u64::MAX) }')
    notebook.until_output(cell, "half")
    notebook.request("interrupt_request", channel="control")
    notebook.wait(cell)
    assert "nterrupt" in cell.error()["ename"]
    text, [result] = results(cell)
    assert "Partial" in text and function(result, "busy")["total"] > 0
    assert notebook.execute("fib(3)").ok().text() == "2"


def test_runs_that_are_not_alike_are_told(notebook: FrontEnd) -> None:
    """A mean of a run that fills a cache and of others that find it full is said to be one."""
    notebook.execute(
        "fn look_up() -> u64 {\n"
        "    static KEPT: std::sync::OnceLock<u64> = std::sync::OnceLock::new();\n"
        "    KEPT.get_or_init(|| busy(60_000_000)) + busy(4_000_000)\n"
        "}"
    ).ok()
    for magic in ["%prun", "%lprun -f look_up"]:
        text, _ = run(notebook, f"{magic} look_up()")
        if magic == "%prun":
            assert "The runs were not alike: the first took" in text
        # It is full now.
        else:
            assert "not alike" not in text


def test_what_the_system_does_is_told_first(notebook: FrontEnd) -> None:
    write = 'let mut f = std::fs::File::create("/dev/null").unwrap(); for _ in 0..600_000 { f.write_all(b"x").unwrap(); }'
    code = f"{{ use std::io::Write; {write} }}"
    text, _ = run(notebook, f"%prun {code}")
    assert "Most of the processor's time was spent in the system for it" in text
    assert "libc.so.6(libc.so.6)" not in text


def test_what_stands_above_a_profile_has_its_types(front: FrontEnd) -> None:
    done = front.execute("let mut seen = std::collections::HashMap::new();\n%memit seen.insert(1u32, 2u32)")
    told = plain(done.error())
    assert "E0282" in told
    assert "help: what stands above `%memit` is compiled before the rest of the cell: write the type down" in told


MINE = """
use std::sync::atomic::{AtomicU64, Ordering};
static CALLS: AtomicU64 = AtomicU64::new(0);
pub fn fib(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    fib(n - 1) + fib(n - 2)
}
pub fn each<T: Copy>(all: &[T], mut f: impl FnMut(T)) {
    for one in all {
        f(*one);
    }
}
pub struct Rule(pub Box<dyn Fn(u64) -> u64>);
pub fn apply(rule: &Rule, n: u64) -> u64 {
    (rule.0)(n)
}
pub fn called() -> u64 {
    CALLS.fetch_add(1, Ordering::Relaxed)
}
"""

OTHER = """
pub fn total(all: &[u64]) -> u64 {
    let mut sum = 0;
    mine::each(all, |x| {
        sum += mine::fib(x);
    });
    sum
}
"""


def write_crate(folder: Path, name: str, source: str, dependencies: str = "") -> Path:
    """Writes a crate, which nothing else can have been built of before."""
    place = folder / name
    (place / "src").mkdir(parents=True, exist_ok=True)
    manifest = f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2024"\n[workspace]\n[dependencies]\n{dependencies}'
    (place / "Cargo.toml").write_text(manifest)
    (place / "src" / "lib.rs").write_text(source)
    return place


def hits(result: dict[str, Any], name: str, source: str) -> list[tuple[str, int]]:
    """The lines of a function that have hits, by what stands there."""
    text = source.splitlines()
    lines = function(result, name)["lines"]
    return [(text[line["line"] - 1].strip(), line["hits"]) for line in lines if line["hits"] is not None]


@pytest.fixture
def crates(front: FrontEnd, folder: Path) -> Iterator[Path]:
    write_crate(folder, "mine", MINE)
    write_crate(folder, "other", OTHER, 'mine = { path = "../mine" }')
    front.execute(f':dep mine = {{ path = "{folder}/mine" }}\n:dep other = {{ path = "{folder}/other" }}').ok().everything()
    yield folder
    front.execute("%reset -f").ok().everything()


def test_crates_of_ones_own_are_counted_exactly(front: FrontEnd, crates: Path) -> None:
    front.execute("fn f(n: u64) -> u64 { other::total(&[n, 1]) + mine::fib(n) }").ok()
    text, result = run(front, "%prun { f(10); mine::each(&[1, 2, 3], |x| { mine::called(); }); }")
    calls = {one["name"]: one["calls"] for one in result["functions"] if one["calls"]}
    expected = {"f": 1, "mine::fib": 2 * 177 + 1, "mine::each": 2, "mine::called": 3, "other::total": 1}
    assert {name: calls.get(name) for name in expected} == expected, calls
    assert calls["other::total::{closure#0}"] == 2, calls
    assert "cells alone" not in text and "exact, of functions in cells and in crates of your own" in text
    assert "statics of crates of your own began anew: `mine::CALLS`" in text
    text, result = run(front, "%lprun -f mine::fib -f other::total { f(10) }")
    assert hits(result, "mine::fib", MINE) == [
        ("pub fn fib(n: u64) -> u64 {", 355),
        ("if n < 2 {", 355),
        ("return n;", 179),
        ("fib(n - 1) + fib(n - 2)", 176),
        ("}", 355),
    ]
    assert ("sum += mine::fib(x);", 2) in hits(result, "other::total", OTHER)


def test_a_changed_crate_is_counted_as_it_is_now(front: FrontEnd, crates: Path) -> None:
    _, result = run(front, "%prun mine::fib(5)")
    assert function(result, "mine::fib")["calls"] == 15
    (crates / "mine" / "src" / "lib.rs").write_text(MINE.replace("n < 2", "n < 3"))
    _, result = run(front, "%prun { mine::fib(5); other::total(&[5]) }")
    assert function(result, "mine::fib")["calls"] == 18
    assert function(result, "other::total")["calls"] == 1


def test_code_made_before_counts_at_least(front: FrontEnd, crates: Path) -> None:
    front.execute("let rule = mine::Rule(Box::new(|n| mine::fib(n)));").ok()
    text, result = run(front, "%prun { mine::apply(&rule, 5); mine::fib(5) }")
    assert function(result, "mine::fib")["calls"] == 15 and "≥15" in text
    assert "earlier cells and of crates of your own ran at least so often" in text
    assert "began anew" not in text or "mine::CALLS" in text


def test_what_reaches_no_crate_says_nothing_of_them(front: FrontEnd, crates: Path) -> None:
    front.execute("fn g(n: u64) -> u64 { n + 1 }").ok()
    text, result = run(front, "%prun g(1)")
    assert function(result, "g")["calls"] == 1
    assert "crates of your own" not in text
