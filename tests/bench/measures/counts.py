"""What the profilers count, beside what was counted by hand: calls, lines, and bytes of the heap; the heap beside dhat too."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from pathlib import Path

from .figures import Goal, table
from .notebook import Notebook, cells, notebook

# Code, function, calls and primitive calls.
CALLS = [
    ("fib(25)", "fib", 242785, 1),
    ("(is_even(1000), is_odd(500))", "is_even", 751, 2),
    ("(is_even(1000), is_odd(500))", "is_odd", 751, 2),
    ("on_threads(250)", "twice", 1000, 1000),
    ("chained(1000)", "chained", 1, 1),
    ("for _ in 0..7 { black_box(count_to(3)); }", "count_to", 7, 7),
]
# Code, function, and the hits of its lines from its first, as far as they have code.
HITS = [
    ("count_to(1000)", "count_to", {2: 1, 3: 1000, 4: 1000, 5: 334, 7: 666, 10: 1}),
    ("chained(1000)", "chained", {3: 1000, 4: 1000}),
]
# Code, and allocations, bytes, frees, peak and what is live at the end.
HEAP = [
    # A Vec of u64 has 4 places first, then 8, 16, … 1024: nine blocks; while it grows the older one is given up by `realloc`.
    ("grown(1000)", 9, 8 * (4 + 8 + 16 + 32 + 64 + 128 + 256 + 512 + 1024), 9, 8 * 1024, 0),
    ("vec![1_u64; 100]", 1, 800, 1, 800, 0),
    ('String::from("sixteen letters!")', 1, 16, 1, 16, 0),
    # Two counts, a flag, a pointer and four words.
    ("cycle()", 1, 64, 0, 64, 64),
    ("leaked()", 1, 1000, 0, 1000, 1000),
    ("one_and_three()", 2, 4 << 20, 2, 4 << 20, 0),
    ("in_c()", 1, 17, 1, 17, 0),
]
DHAT_MANIFEST = """[package]
name = "by_dhat"
version = "0.0.0"
edition = "2024"

[dependencies]
dhat = "0.3"

[profile.release]
debug = 1

[workspace]
"""
DHAT_CODE = """#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

{function}

fn main() {{
    let _profiler = dhat::Profiler::builder().testing().build();
    std::hint::black_box({call});
    let stats = dhat::HeapStats::get();
    println!("{{}} {{}} {{}} {{}}", stats.total_blocks, stats.total_bytes, stats.max_bytes, stats.curr_bytes);
}}
"""
FUNCTION = """fn counted(text: &str) -> std::collections::HashMap<String, usize> {
    let mut counts = std::collections::HashMap::new();
    for word in text.split(' ') { *counts.entry(word.to_uppercase()).or_insert(0) += 1; }
    counts
}"""
CALL = 'counted("the quick brown fox jumps over the lazy dog and the other dog").len()'


def measure(asked: argparse.Namespace) -> list[Goal]:
    with notebook(asked.kernel, asked.data, [*cells("profiled.cells"), FUNCTION]) as kernel:
        calls = [row_of_calls(kernel, *case) for case in CALLS]
        hits = [row for case in HITS for row in rows_of_hits(kernel, *case)]
        heap = [row for case in HEAP for row in rows_of_heap(kernel, *case)]
        heap += rows_beside_dhat(kernel, asked.work / "by_dhat")
    rows = calls + hits + heap
    table(
        "Counted, and counted by hand",
        ["", "what", "counted", "by hand", ""],
        [[*row[:4], "" if row[4] else "WRONG"] for row in rows],
        words=2,
    )

    def goal(what: str, some: list[Row]) -> Goal:
        right = sum(row[4] for row in some)
        return Goal(what, f"{right} of {len(some)} exact", "all", right == len(some))

    return [goal("calls", calls), goal("hits of lines", hits), goal("figures of the heap", heap)]


Row = tuple[str, str, str, str, bool]


def row(code: str, what: str, found: object, truth: object) -> Row:
    return (code, what, str(found), str(truth), found == truth)


def row_of_calls(kernel: Notebook, code: str, function: str, total: int, primitive: int) -> Row:
    functions = kernel.run(f"%prun -a -s calls {code}").result["functions"]
    found = next((one for one in functions if one["name"] == function), None)
    said = f"{found['calls']}/{found['primitive']}" if found else None
    return row(code, f"calls of {function}", said, f"{total}/{primitive}")


def rows_of_hits(kernel: Notebook, code: str, function: str, truth: dict[int, int]) -> list[Row]:
    result = kernel.run(f"%lprun -f {function} {code}").result
    [asked] = result["functions"]
    found = {line["line"] - asked["line"] + 1: line["hits"] for line in asked["lines"]}
    return [row(code, f"hits of line {line} of {function}", found.get(line), hits) for line, hits in truth.items()]


def rows_of_heap(kernel: Notebook, code: str, allocations: int, size: int, frees: int, peak: int, live: int) -> list[Row]:
    [heap] = kernel.run(f"%memit {code}").result["heaps"]
    truths = {"allocations": allocations, "bytes": size, "frees": frees, "peak": peak, "live": live}
    return [row(code, what, heap[what], truth) for what, truth in truths.items()]


def rows_beside_dhat(kernel: Notebook, folder: Path) -> list[Row]:
    (folder / "src").mkdir(parents=True, exist_ok=True)
    (folder / "Cargo.toml").write_text(DHAT_MANIFEST)
    (folder / "src" / "main.rs").write_text(DHAT_CODE.format(function=FUNCTION, call=CALL))
    env = {key: value for key, value in os.environ.items() if not key.startswith("CARGO_TARGET") and key != "RUSTFLAGS"}
    order = ["cargo", "build", "--release", "--quiet", "--message-format=json"]
    built = subprocess.run(order, cwd=folder, env=env, stdout=subprocess.PIPE, check=True, text=True)
    programs = [message["executable"] for message in map(json.loads, built.stdout.splitlines()) if message.get("executable")]
    said = subprocess.run(programs, capture_output=True, check=True, text=True).stdout.split()
    [heap] = kernel.run(f"%memit {CALL}").result["heaps"]
    names = ("allocations", "bytes", "peak", "live")
    return [row("a word count, by dhat", name, heap[name], int(truth)) for name, truth in zip(names, said, strict=True)]
