"""The magics that time: used as their users do, with what goes wrong.

What their figures are worth is shown by ``bench/instruments.py``; what they print in detail is tested beside them, in Rust.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from time import sleep

import pytest

from frontend import Exchange, FrontEnd, plain

# Enough for a figure, and not for a good one.
QUICK = "--budget 0.1"
LINE = re.compile(
    r"^[\d.<]+ (ns|µs|ms|s) ± [\d.<]+ (ns|µs|ms|s) per loop \(mean ± std\. dev\. of [\d,]+ runs?, [\d,]+( to [\d,]+)? loops? each\)",
    re.MULTILINE,
)
SLOW = "fn slow(n: u64) -> u64 { let mut s = n; for i in 0..2000 { s = std::hint::black_box(s.wrapping_mul(31).wrapping_add(i)); } s }"


def shown(done: Exchange) -> list[str]:
    """The plain text of everything that is shown and told, in order."""
    texts = []
    for message in done.everything():
        if message.type == "stream":
            texts.append(message.content["text"])
        elif message.type != "error":
            texts.append(message.content["data"]["text/plain"])
    return texts


def run(front: FrontEnd, code: str) -> str:
    """All that a cell shows."""
    return "\n".join(shown(front.execute(code).ok()))


@pytest.fixture
def folder(front: FrontEnd, tmp_path: Path) -> Iterator[Path]:
    """The session stands in a folder of the test's own, and goes back at the end."""
    front.execute(f"%cd -q {tmp_path}").ok().everything()
    yield tmp_path
    front.execute("%cd -q ~").ok().everything()


# The documentation of IPython, in Rust.


def test_timeit_as_ipython_documents_it(front: FrontEnd) -> None:
    assert LINE.search(run(front, "%timeit ()"))
    front.execute("use std::time::Duration; let u: Option<i32> = None;").ok()
    assert LINE.search(run(front, "%timeit u.is_none()"))
    text = run(front, "%timeit -r 4 u == None")
    assert "of 4 runs" in text
    text = run(front, "%timeit -n1 -r2 std::thread::sleep(Duration::from_millis(2))")
    assert "of 2 runs, 1 loop each" in text and re.search(r"^[23456789]\.?\d* ms", text, re.MULTILINE)


def test_time_as_ipython_documents_it(front: FrontEnd) -> None:
    done = front.execute("%time 2_u128.pow(100)").ok()
    assert done.value()["text/plain"] == str(2**100)
    text = "\n".join(shown(done))
    assert re.search(r"CPU times: user .+, sys: .+, total: .+", text) and re.search(r"Wall time: .+", text)
    front.execute("let n = 1000000_u64;").ok()
    assert "Wall time" in run(front, "%time (0..n).sum::<u64>()")
    # A statement, and what it binds is the notebook's.
    assert "Wall time" in run(front, "%time let total: u64 = (0..n).sum();")
    assert front.execute("total").ok().text() == "499999500000"


def test_time_of_a_cell(front: FrontEnd) -> None:
    done = front.execute("%%time\nlet parts = vec![1, 2, 3];\nlet sum: i32 = parts.iter().sum();\nsum * 2").ok()
    assert done.value()["text/plain"] == "12"
    assert "Wall time" in "\n".join(shown(done))
    assert front.execute("(parts.len(), sum)").ok().text() == "(3, 6)"
    done = front.execute("%%time\nlet whole = vec![1];\nwhole").ok()
    assert done.value()["text/plain"] == "[1]", "a variable as the last expression is not moved"
    done.everything()
    assert front.execute("whole").ok().text() == "[1]"


def test_time_that_ends_early(front: FrontEnd) -> None:
    done = front.execute('%time panic!("over")')
    assert "over" in done.error()["evalue"]
    assert "Wall time" in "\n".join(shown(done)), "the time until then is told"
    done = front.execute('%time "x".parse::<i32>()?')
    assert done.error()["ename"] == "Error"
    assert "Wall time" in "\n".join(shown(done))


# Where it stands.


def test_it_borrows_what_it_measures(front: FrontEnd) -> None:
    front.execute("let words = vec![String::from('a'), String::from('b')]; struct Opaque(u8); let opaque = Opaque(1);").ok()
    assert LINE.search(run(front, f'%timeit {QUICK} words.join(",")'))
    assert LINE.search(run(front, f"%timeit {QUICK} Opaque(opaque.0 + 1)")), "a value without Debug"
    assert front.execute("(words.len(), opaque.0)").ok().text() == "(2, 1)"


def test_in_the_middle_of_a_cell_and_in_loops(front: FrontEnd) -> None:
    cell = f"""
    let base = 3_u64;
    println!("before");
    for n in [10_u64, 20] {{
        println!("n = {{n}}");
        %timeit {QUICK} (0..n).map(|x| x ^ base).sum::<u64>()
    }}
    println!("after");
    base + 1
    """
    done = front.execute(cell).ok()
    assert done.value()["text/plain"] == "4"
    texts = shown(done)
    assert len([text for text in texts if LINE.search(text)]) == 2
    order = [index for index, text in enumerate(texts) if text.startswith(("before", "n = ", "after")) or LINE.search(text)]
    assert order == sorted(order) and "after" in texts[-1] + texts[-2]


def test_question_marks(front: FrontEnd) -> None:
    front.execute('let (good, bad) = ("12".to_string(), "twelve".to_string());').ok()
    assert LINE.search(run(front, f"%timeit {QUICK} good.parse::<i32>()? + 1"))
    error = front.execute(f"let kept = 5;\n%timeit {QUICK} bad.parse::<i32>()? + 1").error()
    assert error["ename"] == "Error" and "InvalidDigit" in plain(error)
    assert front.execute("kept").ok().text() == "5"


def test_awaits(front: FrontEnd) -> None:
    front.execute("async fn twice(n: u64) -> u64 { n * 2 }").ok()
    assert LINE.search(run(front, f"%timeit {QUICK} twice(21).await"))
    cell = f"let x = twice(4).await;\n%timeit {QUICK} twice(x).await\nx"
    assert front.execute(cell).ok().everything()


def test_a_function_is_no_place_for_it(front: FrontEnd) -> None:
    error = front.execute("fn f() {\n    %timeit 1 + 1\n}").error()
    assert "within a function" in plain(error)


# What it gives.


def test_results_are_values(front: FrontEnd) -> None:
    done = front.execute(f"let result = %timeit -o {QUICK} [3, 1, 2].iter().max()\n(result.repeat > 0, result.best <= result.median)").ok()
    assert done.value()["text/plain"] == "(true, true)"
    done.everything()
    done = front.execute(f"%timeit -o -n 10 -r 3 {QUICK} [3, 1, 2].iter().max()").ok()
    assert "<TimeitResult : " in done.value()["text/plain"] and "3 runs, 10 loops each" in done.value()["text/plain"]
    done.everything()
    done = front.execute(f"%timeit -q -v kept -n 10 -r 3 {QUICK} [3, 1, 2].iter().max()").ok()
    assert not done.everything(), "-q shows nothing"
    assert front.execute("(kept.loops, kept.repeat, kept.calls, kept.all_runs.len())").ok().text() == "(10, 3, 30, 3)"


def test_the_form_of_a_result(front: FrontEnd) -> None:
    done = front.execute(f"{SLOW}\n%timeit --budget 0.3 slow(7)").ok()
    messages = done.take("display_data")
    first = messages[0].content
    assert LINE.search(first["data"]["text/plain"]) and "text/html" in first["data"]
    for forbidden in ("<script", "<style", "<svg", "<iframe", "var(--"):
        assert forbidden not in first["data"]["text/html"]
    assert "assay" in first["metadata"]
    json.dumps(first["metadata"])
    chart = messages[1].content
    assert {"image/svg+xml", "image/png", "text/plain"} <= chart["data"].keys()
    assert chart["metadata"]["image/png"]["width"] <= 800
    assert sum(len(str(content)) for content in chart["data"].values()) < 200_000
    assert "rustc" in first["data"]["text/plain"], "a line of context"


def test_side_effects_are_counted(front: FrontEnd) -> None:
    front.execute("let mut calls = 0_u64;").ok()
    front.execute("let r = %timeit -o -q -n 10 -r 3 calls += 1").ok()
    assert front.execute("(calls, r.calls)").ok().text() == "(30, 30)"
    front.execute(f"let r = %timeit -o -q {QUICK} calls += 1").ok()
    assert front.execute("calls == 30 + r.calls").ok().text() == "true"


# Options.


def test_each_gives_a_fresh_input(front: FrontEnd) -> None:
    front.execute("let v: Vec<u32> = (0..100).rev().collect();").ok()
    assert LINE.search(run(front, f"%timeit {QUICK} --each 'let mut w = v.clone();' w.sort()"))
    assert LINE.search(run(front, f"%timeit {QUICK} --each 'let w = v.clone();' drop(w)")), "it may be consumed"
    setup = "let w = v.clone(); let mut n = 1;"
    body = "{ n += w.len(); w.into_iter().map(|x| x as usize + n).sum::<usize>() }"
    assert LINE.search(run(front, f"%timeit {QUICK} --each '{setup}' {body}")), "one is consumed and the other is not"
    assert front.execute("v.len()").ok().text() == "100"


def test_code_that_consumes_is_refused_with_a_hint(front: FrontEnd) -> None:
    front.execute("let v = vec![1];").ok()
    error = front.execute("%timeit drop(v)").error()
    assert "cannot move out of `v`" in plain(error) or "use of moved value" in plain(error)
    assert "--each" in plain(error)
    assert front.execute("v").ok().text() == "[1]"


def test_allocations(front: FrontEnd) -> None:
    text = run(front, f"%timeit {QUICK} vec![1_u8; 100]")
    assert re.search(r"\b1 allocation", text) and "100 B" in text
    assert re.search(r"\b(0|no) allocations", run(front, f"%timeit {QUICK} std::hint::black_box(1) + 1"))


def test_throughput_threads_clock_and_digits(front: FrontEnd) -> None:
    front.execute(SLOW).ok()
    assert re.search(r"items/s", run(front, f"%timeit {QUICK} --items 2000 slow(1)"))
    assert re.search(r"B/s", run(front, f"%timeit {QUICK} --bytes 2000 slow(1)"))
    assert re.search(r"2 threads", run(front, f"%timeit {QUICK} --threads 2 slow(1)"))
    assert LINE.search(run(front, f"%timeit -c {QUICK} slow(1)"))
    assert LINE.search(run(front, f"%timeit -t -p 5 {QUICK} slow(1)"))


def test_a_dash_begins_rust_behind_two(front: FrontEnd) -> None:
    front.execute("let x = 5;").ok()
    assert LINE.search(run(front, f"%timeit {QUICK} -- -x"))


def test_levels_of_optimisation(front: FrontEnd) -> None:
    front.execute(SLOW.replace("slow", "leveled")).ok()
    text = run(front, f"%timeit {QUICK} --opt 0 --opt 3 leveled(3)")
    assert re.search(r"opt-level.?0|-O0|\b0\b", text) and re.search(r"opt-level.?3|-O3|\b3\b", text)
    # The notebook has what it had.
    assert front.execute("leveled(1) == leveled(1)").ok().text() == "true"
    assert LINE.search(run(front, f"%timeit {QUICK} leveled(3)"))
    error = front.execute(f"for _ in 0..2 {{\n    %timeit {QUICK} --opt 0 leveled(3)\n}}").error()
    assert "inside braces" in plain(error)
    assert "native" in run(front, f"%timeit {QUICK} --target-cpu native leveled(3)")


def test_results_are_kept_under_names(front: FrontEnd, folder: Path) -> None:
    front.execute(SLOW).ok()
    run(front, "%timeit --budget 0.3 --save before slow(1)")
    kept = folder / ".assay" / "before.json"
    assert json.loads(kept.read_text()) and kept.parent.stat().st_mode & 0o077 == 0
    text = run(front, "%timeit --budget 0.3 --against before slow(1)")
    assert "before" in text
    assert "cannot be read" in plain(front.execute("%timeit --against never slow(1)").error())
    kept.write_text("{")
    assert "before" in plain(front.execute(f"%timeit {QUICK} --against before slow(1)").error())


def test_code_in_a_box_is_said_to_be_in_one(front: FrontEnd) -> None:
    front.execute("let boxed: Box<dyn Fn(u64) -> u64> = Box::new(|x| x * 3);\nfn plain(x: u64) -> u64 { x * 3 }").ok()
    assert "What `boxed` holds is called through a pointer" in run(front, f"%timeit {QUICK} boxed(3)")
    assert "pointer" not in run(front, f"%timeit {QUICK} plain(3)")
    assert "`boxed` holds code" in run(front, f"%timeit {QUICK} --opt 1 boxed(3)")


# Comparisons.


def test_compare(front: FrontEnd) -> None:
    front.execute("fn fib(n: u32) -> u64 { if n < 2 { n.into() } else { fib(n - 1) + fib(n - 2) } }").ok()
    front.execute("fn iterate(n: u32) -> u64 { (0..n).fold((0, 1), |(a, b), _| (b, a + b)).0 }").ok()
    text = run(front, "%%compare --budget 0.3\nlet n = 15;\n'recursive: { fib(n) }\n'iterative: { iterate(n) }")
    assert re.search(r"`?iterative`? is .*faster than `?recursive`?", text)
    text = run(front, "%compare --budget 0.3 fib(12) vs fib(15)")
    assert "differ" in text, "the results are not the same, which is said"
    text = run(front, "%compare --budget 0.3 fib(12) vs fib(12)")
    assert "No difference" in text


def test_blocks_that_change_the_same_variable(front: FrontEnd) -> None:
    setup = "let mut v: Vec<u32> = (0..50).collect();"
    blocks = "'stable: { v.reverse(); v.sort(); }\n'unstable: { v.reverse(); v.sort_unstable(); }"
    assert "The results are equal" in run(front, f"%%compare --budget 0.2\n{setup}\n{blocks}")


def test_complexity(front: FrontEnd) -> None:
    setup = "let v: Vec<u64> = (0..n as u64).collect();"
    text = run(front, f"%%complexity --budget 1 n=64..8192 {setup}\nv.iter().map(|x| std::hint::black_box(*x)).sum::<u64>()")
    # Which class it is hangs on the machine's noise: a program shows how often it is the right one.
    assert re.search(r"O\(|No class|cannot be told", text) and "8,191" in text
    text = run(front, "%%complexity --memory n=16..4096\nvec![0_u8; n]")
    assert text.startswith("O(n)"), "bytes are exact"


def test_assertions(front: FrontEnd) -> None:
    front.execute(SLOW).ok()
    assert "ok" in run(front, "%assert_faster std::hint::black_box(1) + 1 than slow(1) by 2x")
    done = front.execute("%assert_faster slow(1) than std::hint::black_box(1) + 1")
    assert done.error()["ename"] == "AssertionError"
    done.everything()
    assert "ok" in run(front, "%assert_time slow(1) < 10s")
    done = front.execute("let kept = 1;\n%assert_time slow(1) < 1ns\nlet never = 1;")
    assert done.error()["ename"] == "AssertionError"
    assert "not so" in "\n".join(shown(done)), "the figures stand on the page, with their context"
    assert front.execute("kept").ok().text() == "1"
    assert front.execute("never").error()["ename"] == "E0425"
    assert "ok" in run(front, "%assert_allocs vec![1, 2, 3] <= 1")
    done = front.execute("%assert_allocs vec![vec![1], vec![2]] <= 2")
    failed = done.error()
    assert failed["ename"] == "AssertionError" and "3 allocations" in failed["evalue"]
    done.everything()


def test_a_claim_that_cannot_be_decided_has_a_name_of_its_own(front: FrontEnd) -> None:
    front.execute(SLOW).ok()
    done = front.execute("%assert_faster --budget 0.1 slow(1) than slow(1)")
    assert done.error()["ename"] in ("Undecided", "AssertionError")
    done.everything()


# What goes wrong.


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("%timeit -z f()", "-z"),
        ("%timeit -n x f()", "-n"),
        ("%timeit -n", "-n"),
        ("%timeit --budget soon f()", "soon"),
        ("%timeit --opt 9 f()", "9"),
        ("%timeit fib(20", "Rust"),
        ("%timeit 1 +", "Rust"),
        ("%timeit --each 'let x' f()", "--each"),
        ("%%timeit\n", "nothing"),
        ("%%compare\nlet x = 1;", "label"),
        ("%compare f()", "vs"),
        ("%%complexity\nf()", "n="),
        ("%assert_time f()", "<"),
        ("%assert_faster f()", "than"),
        ("let x = %timeit f()", "-o"),
        ("%timeit --save ../x f()", "../x"),
    ],
)
def test_a_bad_call_is_one_clear_error_and_nothing_runs(front: FrontEnd, cell: str, says: str) -> None:
    before = f'println!("ran");\n{cell}' if not cell.startswith("%%") else cell
    done = front.execute(before)
    error = done.error()
    assert says in plain(error), plain(error)
    assert done.stdout() == ""


def test_code_that_does_not_compile(front: FrontEnd) -> None:
    error = front.execute("let a = 1;\n%timeit a + nothing_of_that_name").error()
    assert error["ename"] == "E0425" and re.search(r"cell\[\d+\]:2:13", plain(error)), "it points into the magic's line"


def test_code_that_panics(front: FrontEnd) -> None:
    front.execute("let kept = vec![1];").ok()
    done = front.execute(f'%timeit {QUICK} panic!("inside {{}}", kept.len())')
    error = done.error()
    assert error["ename"] == "Panic" and "inside 1" in error["evalue"]
    done.everything()
    assert front.execute("kept").ok().text() == "[1]"


def test_an_interrupt_keeps_what_was_measured(front: FrontEnd) -> None:
    front.execute("let mut calls = 0_u64;").ok()
    cell = front.start(
        'println!("running");\n%timeit --budget 60 -r 100000 { calls += 1; std::thread::sleep(std::time::Duration::from_millis(1)) }'
    )
    front.until(lambda: any(m.type in ("display_data", "update_display_data") for m in cell.outputs), "progress")
    front.request("interrupt_request", channel="control").ok()
    front.wait(cell)
    assert cell.error()["ename"] == "Interrupted"
    texts = shown(cell)
    assert any("Partial" in text and LINE.search(text) for text in texts)
    assert front.execute("calls > 0").ok().text() == "true", "what ran has happened"


def test_code_that_never_ends_is_stopped_all_the_same(front: FrontEnd) -> None:
    front.execute("let kept = 3;").ok()
    cell = front.start('println!("running");\n%timeit loop {}')
    front.until_output(cell, "running")
    front.request("interrupt_request", channel="control").ok()
    front.wait(cell)
    assert cell.error()["ename"] == "Interrupted"
    cell.everything()
    assert front.execute("kept").ok().text() == "3"


def test_a_saved_notebook_holds_no_debris(front: FrontEnd) -> None:
    done = front.execute("%timeit --budget 2 -r 40 std::thread::sleep(std::time::Duration::from_millis(60))").ok()
    displays: dict[str, str] = {}
    plain_displays = []
    for message in done.everything():
        content = message.content
        name = content.get("transient", {}).get("display_id")
        if message.type == "display_data" and not name:
            plain_displays.append(content["data"]["text/plain"])
        elif name:
            displays[name] = content["data"]["text/plain"]
    texts = [*displays.values(), *plain_displays]
    assert sum(bool(LINE.search(text)) for text in texts) == 1
    assert len(displays) == 1, "progress and result are one display"


def test_where_nothing_can_be_replaced_there_is_no_progress(front: FrontEnd) -> None:
    done = front.execute("%timeit -r 30 std::thread::sleep(std::time::Duration::from_millis(60))", on_page=False).ok()
    figures, chart = done.take("display_data")
    assert LINE.search(figures.content["data"]["text/plain"]) and "image/png" in chart.content["data"]
    cell = front.start("%timeit -r 100000 std::thread::sleep(std::time::Duration::from_millis(5))", on_page=False)
    front.until(lambda: cell.busy is not None, "the cell's beginning")
    sleep(2)
    front.request("interrupt_request", channel="control").ok()
    front.wait(cell)
    assert cell.error()["ename"] == "Interrupted"
    assert all(message.type == "display_data" for message in cell.outputs if message.type != "error")
    assert "Partial" in "\n".join(shown(cell))


def test_evcxr_says_that_it_cannot(front: FrontEnd) -> None:
    front.execute("%engine evcxr").ok().everything()
    assert "%engine native" in plain(front.execute("%timeit 1 + 1").error())
    front.execute("%engine native").ok().everything()


def test_a_block_that_takes_long_shows_what_it_prints(front: FrontEnd, tmp_path: Path) -> None:
    """Text without a newline is written out by a thread, which is quiet while code is measured, but not for ever."""
    go = tmp_path / "go"
    wait = f'while !std::path::Path::new("{go}").exists() {{ std::thread::sleep(std::time::Duration::from_millis(5)); }}'
    cell = front.start(f'%timeit -n1 -r1 {{ print!("begun"); {wait} }}')
    front.until_output(cell, "begun")
    go.touch()
    front.wait(cell).ok().everything()


# How often the thread that writes out has given up the processor by itself: once for each time that it sleeps.
SLEEPS = """use std::path::PathBuf;
fn flusher() -> Option<PathBuf> {
    let mut threads = std::fs::read_dir("/proc/self/task").unwrap().map(|thread| thread.unwrap().path());
    threads.find(|thread| std::fs::read_to_string(thread.join("comm")).is_ok_and(|name| name.trim() == "flusher"))
}
fn sleeps() -> u64 {
    // It takes its name when it begins.
    let flusher = loop {
        if let Some(found) = flusher() {
            break found;
        }
        std::thread::yield_now();
    };
    let status = std::fs::read_to_string(flusher.join("status")).unwrap();
    let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    count.unwrap().trim().parse().unwrap()
}
fn slept() -> u64 {
    let before = sleeps();
    std::thread::sleep(std::time::Duration::from_millis(200));
    sleeps() - before
}"""


@pytest.mark.skipif(sys.platform != "linux", reason="it is read from /proc")
def test_the_threads_of_the_kernel_sleep_while_code_is_measured(front: FrontEnd) -> None:
    front.execute(SLEEPS).ok()
    # It wakes in a cell that is not measured, or this would show nothing.
    assert int(front.execute("slept()").ok().text()) > 0
    front.execute("let mut all: Vec<u64> = Vec::new();").ok()
    front.execute("%timeit -q -n1 -r5 all.push(slept())").ok().everything()
    # One block may take more than a second on a busy machine, five do not.
    assert int(front.execute("*all.iter().min().unwrap()").ok().text()) == 0
    assert int(front.execute("slept()").ok().text()) > 0
