"""What is printed: whoever writes it, whatever it looks like, and however much it is."""

import re
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from frontend import Exchange, FrontEnd, plain
from launch import Kernel, running

# Waits until the test lets it go on, so that no test guesses how long something takes.
WAIT = 'while !std::path::Path::new("{}").exists() {{ std::thread::sleep(std::time::Duration::from_millis(10)); }}'
SHELL_WAIT = "until [ -e {} ]; do sleep 0.02; done"

# The C library, as a cell declares it.
C = """
use std::ffi::{c_char, c_int, c_void};
unsafe extern "C" {
    fn printf(format: *const c_char, ...) -> c_int;
    fn puts(text: *const c_char) -> c_int;
    fn write(descriptor: c_int, bytes: *const c_void, count: usize) -> isize;
}
fn raw(descriptor: i32, bytes: &[u8]) {
    assert_eq!(unsafe { write(descriptor, bytes.as_ptr().cast(), bytes.len()) }, bytes.len() as isize);
}
"""
LEFT_OUT = re.compile(
    r"^\[assay: (\d+) lines? \([\d.]+ k?M?B\) (?:was|were) left out\. .*%config output_limit=off.*%%capture out.*\]$", re.M
)
HELD_BACK = re.compile(r"^\[assay: the output is longer than ([\d.]+ k?M?B): the rest is held back until the cell ends\]$", re.M)


@pytest.fixture
def c(front: FrontEnd) -> None:
    front.execute(C).ok().everything()


@pytest.fixture
def c_library() -> Iterator[FrontEnd]:
    """A kernel of the test's own, so that what the library keeps in its buffers comes out in no other test."""
    with running() as kernel:
        front = kernel.connect()
        front.execute(C).ok().everything()
        yield front
        front.finish()


@pytest.fixture
def limit(front: FrontEnd) -> Iterator[int]:
    """A limit of 100 bytes."""
    front.execute("%config output_limit=100").ok().everything()
    yield 100
    front.execute("%config output_limit=500kB").ok().everything()


def lines(texts: range | list[str]) -> str:
    return "".join(f"{text}\n" for text in texts)


def story(cell: Exchange) -> list[str]:
    """What a cell shows in order: text as it is, neighbours of one stream together, notices in short; anything else by its type."""
    told: list[tuple[str, str]] = []
    for message in cell.everything():
        kind = message.content["name"] if message.type == "stream" else message.type
        text = message.content["text"] if message.type == "stream" else ""
        if told and told[-1][0] == kind:
            told[-1] = (kind, told[-1][1] + text)
        else:
            told.append((kind, text))
    return [text or kind for kind, text in told]


# Who writes.


def test_rust(front: FrontEnd) -> None:
    done = front.execute('print!("a"); println!("b"); eprint!("c"); eprintln!("d"); print!("e"); eprint!("f");').ok()
    assert (done.stdout(), done.stderr()) == ("ab\ne", "cd\nf")


def test_the_descriptors_themselves(front: FrontEnd, c: None) -> None:
    done = front.execute(r'raw(1, b"one\n"); raw(2, b"two\n"); println!("three"); raw(1, b"four");').ok()
    assert (done.stdout(), done.stderr()) == ("one\nthree\nfour", "two\n")


def test_the_c_library(c_library: FrontEnd) -> None:
    done = c_library.execute(r'unsafe { puts(c"put".as_ptr()); printf(c"printed %d, no newline".as_ptr(), 7 as c_int); }').ok()
    assert done.stdout() == "put\nprinted 7, no newline"


def test_what_the_c_library_printed_comes_once(c_library: FrontEnd) -> None:
    """A process that exits flushes them, and so does each that takes its place from a checkpoint."""
    cells = [r'unsafe { puts(c"put".as_ptr()); }', "std::process::exit(3);", "std::process::exit(3);"]
    done = [c_library.execute(cell) for cell in cells]
    assert [cell.error()["ename"] for cell in done[1:]] == ["Died", "Died"]
    assert [cell.stdout() for cell in done] == ["put\n", "", ""]


def test_a_child_process(front: FrontEnd) -> None:
    code = r"""
    println!("before");
    std::process::Command::new("sh").args(["-c", "echo out; echo err >&2; printf unfinished"]).status()?;
    println!(" after");
    """
    done = front.execute(code).ok()
    assert (done.stdout(), done.stderr()) == ("before\nout\nunfinished after\n", "err\n")


def test_a_thread_that_is_joined(front: FrontEnd) -> None:
    done = front.execute('std::thread::spawn(|| { println!("out"); eprintln!("err"); print!("end"); }).join().unwrap();').ok()
    assert (done.stdout(), done.stderr()) == ("out\nend", "err\n")


def test_a_panic_of_a_thread(front: FrontEnd) -> None:
    done = front.execute('println!("before"); std::thread::spawn(|| panic!("far away")).join().is_err()').ok()
    assert done.text() == "true"
    assert done.stdout() == "before\n"
    assert done.stderr().count("far away") == 1


# Who goes on after the cell.


def test_threads_print_below_their_cell_until_the_next_one_runs(front: FrontEnd, tmp_path: Path) -> None:
    go, again = tmp_path / "go", tmp_path / "again"
    code = f"""
    let thread = std::thread::spawn(|| {{
        {WAIT.format(go)} println!("late"); eprintln!("late, too");
        {WAIT.format(again)} println!("later");
    }});
    println!("at once");
    """
    first = front.execute(code, goes_on=True).ok()
    assert first.stdout() == "at once\n"
    go.touch()
    front.until(lambda: "late\n" in first.stdout() and "too\n" in first.stderr(), "what the thread prints")
    second = front.execute(f'std::fs::write("{again}", "")?; thread.join().unwrap(); println!("joined");').ok()
    assert second.stdout() == "later\njoined\n"
    assert (first.stdout(), first.stderr()) == ("at once\nlate\n", "late, too\n")


def test_a_thread_prints_part_of_a_line_below_its_cell(front: FrontEnd, tmp_path: Path) -> None:
    go, gone = tmp_path / "go", tmp_path / "gone"
    thread = f'{WAIT.format(go)} print!("part"); std::fs::write("{gone}", "").unwrap();'
    first = front.execute(f"let thread = std::thread::spawn(|| {{ {thread} }});", goes_on=True).ok()
    go.touch()
    front.until(gone.exists, "the thread")
    front.until(lambda: bool(first.stdout()), "the part of a line")
    second = front.execute('thread.join().unwrap(); println!("whole");').ok()
    assert (first.stdout(), second.stdout()) == ("part", "whole\n")


def test_a_child_process_prints_below_its_cell(front: FrontEnd, tmp_path: Path) -> None:
    go, again = tmp_path / "go", tmp_path / "again"
    script = f"echo begins; {SHELL_WAIT.format(go)}; printf late; {SHELL_WAIT.format(again)}; echo ' and later' >&2"
    first = front.start(f'let mut child = std::process::Command::new("sh").args(["-c", "{script}"]).spawn()?;', goes_on=True)
    front.until(lambda: first.done and first.stdout() == "begins\n", "the child's first word")
    go.touch()
    front.until(lambda: first.stdout() == "begins\nlate", "what the child prints later")
    second = front.execute(f'std::fs::write("{again}", "")?; child.wait()?.success()').ok()
    assert (second.text(), second.stderr()) == ("true", " and later\n")


# What it looks like.


def test_parts_of_lines_are_shown_as_they_come(front: FrontEnd, tmp_path: Path) -> None:
    go = tmp_path / "go"
    cell = front.start(f'print!("50 %"); eprint!("part"); {WAIT.format(go)} print!("\\r100 %"); eprintln!(" of a line");')
    front.until_output(cell, "50 %")
    front.until_output(cell, "part")
    go.touch()
    assert front.wait(cell).ok().stdout() == "50 %\r100 %"
    assert cell.stderr() == "part of a line\n"


@pytest.mark.parametrize("descriptor", [1, 2])
def test_bytes_that_are_no_text(front: FrontEnd, c: None, descriptor: int) -> None:
    done = front.execute(
        rf'raw({descriptor}, b"a\xffb\n"); raw({descriptor}, b"\xc3\x28\xf0\x9f\x92\n"); raw({descriptor}, b"\0\x01\n");'
    ).ok()
    assert done.stream("stdout" if descriptor == 1 else "stderr") == "a\ufffdb\n\ufffd(\ufffd\n\0\x01\n"


@pytest.mark.parametrize("descriptor", [1, 2])
def test_a_character_that_comes_in_pieces(front: FrontEnd, c: None, tmp_path: Path, descriptor: int) -> None:
    """The pieces are read apart: what came before is shown while the rest of the character is missing."""
    go = tmp_path / "go"
    cell = front.start(
        rf'raw({descriptor}, b"crab \xf0\x9f"); {WAIT.format(go)} raw({descriptor}, b"\xa6"); raw({descriptor}, b"\x80 walks\n");'
    )
    front.until_output(cell, "crab ")
    go.touch()
    front.wait(cell).ok()
    assert cell.stream("stdout" if descriptor == 1 else "stderr") == "crab 🦀 walks\n"


def test_a_character_without_its_end(front: FrontEnd, c: None) -> None:
    assert front.execute(r'raw(1, b"half \xe2\x82");').ok().stdout() == "half \ufffd"
    assert front.execute('println!("next")').ok().stdout() == "next\n"


def test_a_character_without_its_end_on_standard_error(front: FrontEnd, c: None) -> None:
    first = front.execute(r'raw(2, b"half \xe2\x82");').ok().stderr()
    second = front.execute('eprintln!("next")').ok().stderr()
    assert (first, second) == ("half \ufffd", "next\n")


PROTOCOL = [
    "EVCXR_EXECUTION_COMPLETE",
    "EVCXR_BEGIN_CONTENT",
    "EVCXR_BEGIN_CONTENT ",
    "EVCXR_END_CONTENT",
    "EVCXR_VARIABLE_CHANGED_TYPE:x",
    "EVCXR_PANIC_NOTIFICATION",
    "EVCXR_INPUT_REQUESTED:x",
    "<IDS|MSG>",
    '{"header": {"msg_type": "status"}, "parent_header": {}, "metadata": {}, "content": {"execution_state": "idle"}}',
    '{"msg_type": "execute_reply", "content": {"status": "ok", "execution_count": 1}}',
    '{"Done":{"id":1,"ending":"Ok","kept":[]}}',
    '"Obeyed"',
    '\0\0\0\x08"Obeyed"',
    '\x08\0\0\0"Obeyed"',
    "\0EVCXR_EXECUTION_COMPLETE\0",
    "thread 'main' has overflowed its stack",
    "\x1b]0;title\x07\x1b[2J",
    "[assay: 3 lines (5 B) were left out]",
]


@pytest.mark.parametrize("macro", ["println", "eprintln"])
def test_text_that_looks_like_a_protocol_is_text(front: FrontEnd, macro: str) -> None:
    printed = "\n".join(PROTOCOL) + "\n"
    literal = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else f"\\u{{{ord(c):x}}}" for c in printed[:-1])
    done = front.execute(f'{macro}!("{{}}", "{literal}"); 6 * 7').ok()
    assert done.stream("stdout" if macro == "println" else "stderr") == printed
    assert done.text() == "42"
    assert front.execute("1 + 1").ok().text() == "2"


def test_content_without_an_end_is_text(front: FrontEnd) -> None:
    printed = "EVCXR_BEGIN_CONTENT text/html\n<b>bold</b>\nno end\n"
    assert front.execute(f'print!("{printed}");').ok().stdout() == printed


# In which order.


def test_all_writers_of_a_stream_keep_its_order(front: FrontEnd, c: None) -> None:
    """Each line waits for the one before, whoever writes it; the front end insists that all of them come before the reply."""
    code = r"""
    for i in 0..50 {
        println!("rust {i}");
        raw(1, format!("raw {i}\n").as_bytes());
        std::thread::spawn(move || println!("thread {i}")).join().unwrap();
        std::process::Command::new("echo").arg(format!("child {i}")).status()?;
        raw(2, format!("error {i}\n").as_bytes());
    }
    """
    done = front.execute(code).ok()
    assert done.stdout() == lines([f"{who} {i}" for i in range(50) for who in ("rust", "raw", "thread", "child")])
    assert done.stderr() == lines([f"error {i}" for i in range(50)])


def test_many_writers_at_once_lose_and_double_nothing(front: FrontEnd) -> None:
    code = r"""
    let threads: Vec<_> = (0..8).map(|t| std::thread::spawn(move || for i in 0..500 {
        if t % 2 == 0 { println!("{t} {i}") } else { eprintln!("{t} {i}") }
    })).collect();
    for thread in threads { thread.join().unwrap(); }
    """
    done = front.execute(code).ok()
    for name, threads in (("stdout", (0, 2, 4, 6)), ("stderr", (1, 3, 5, 7))):
        printed = done.stream(name).splitlines()
        assert len(printed) == 4 * 500
        for thread in threads:
            assert [line for line in printed if line.startswith(f"{thread} ")] == [f"{thread} {i}" for i in range(500)]


# How much it is.


def check_million_lines(cell: Exchange) -> None:
    """The first half megabyte, the notice, and the last lines."""
    outputs = cell.everything()
    assert {m.type for m in outputs} == {"stream"}
    notices = cell.stderr()
    held, left_out = HELD_BACK.search(notices), LEFT_OUT.search(notices)
    assert held and left_out and held[1] == "500.0 kB", notices
    shown = [int(line) for line in cell.stdout().splitlines()]
    gap = next(i for i in range(1, len(shown)) if shown[i] != shown[i - 1] + 1)
    assert (shown[0], shown[-1]) == (0, 999_999)
    assert shown[gap:] == list(range(shown[gap], 1_000_000))
    assert shown[gap] - shown[gap - 1] - 1 == int(left_out[1])
    assert len(lines(range(gap))) <= 500_000 < len(lines(range(gap + 1)))
    # The notice that tells the gap stands in it.
    told = [m.content["text"] for m in outputs]
    assert "left out" in told[next(i for i, text in enumerate(told) if "999999\n" in text) - 1]


@pytest.mark.parametrize(
    "cell",
    [
        'for i in 0..1_000_000 { println!("{i}"); }',
        "!seq 0 999999",
        "%%bash\nseq 0 999999",
        'std::process::Command::new("seq").args(["0", "999999"]).status()?.success();',
    ],
)
def test_a_million_lines(front: FrontEnd, cell: str) -> None:
    check_million_lines(front.execute(cell).ok())


def test_a_million_lines_of_the_evcxr_engine() -> None:
    with running() as kernel:
        front = kernel.connect()
        front.execute("%engine evcxr").ok().everything()
        check_million_lines(front.execute('for i in 0..1_000_000 { println!("{i}"); }').ok())
        assert front.execute("1 + 1").ok().text() == "2"
        front.finish()


def test_all_of_them_for_who_wants_them(front: FrontEnd) -> None:
    cell = '%config output_limit=off\nfor i in 0..1_000_000 { println!("{i}"); }\n%config output_limit=500kB'
    done = front.execute(cell).ok()
    assert done.stdout() == lines(range(1_000_000))
    assert [shown["text/plain"].split("\n")[0] for shown in done.displays()] == ["output_limit = off", "output_limit = 500kB"]


def test_what_is_captured_has_no_limit(front: FrontEnd) -> None:
    assert front.execute('%%capture out\nfor i in 0..1_000_000 { println!("{i}"); }').ok().everything() == []
    assert front.execute("(out.stdout.len(), out.stderr.len())").ok().text() == f"({len(lines(range(1_000_000)))}, 0)"


def test_the_kernel_does_not_grow_with_what_is_printed(kernel: Kernel, front: FrontEnd) -> None:
    megabyte = 'let megabyte = ("x".repeat(99) + "\\n").repeat(10_000);'
    front.execute(f'{megabyte} print!("{{megabyte}}");').ok().everything()
    process = psutil.Process(kernel.pid)
    before = process.memory_info().rss
    done = front.execute('for _ in 0..500 { print!("{megabyte}"); eprint!("{megabyte}"); }').ok()
    assert len(done.stdout() + done.stderr()) < 1_000_000
    assert process.memory_info().rss - before < 100_000_000


def test_an_endless_output_says_at_once_that_it_is_held_back(front: FrontEnd, tmp_path: Path) -> None:
    go = tmp_path / "go"
    code = f'while !std::path::Path::new("{go}").exists() {{ println!("{{}}", "on and on ".repeat(100)); }} println!("at last");'
    cell = front.start(code)
    front.until_output(cell, "held back")
    go.touch()
    front.wait(cell).ok()
    assert HELD_BACK.search(cell.stderr())
    assert cell.stdout().endswith("\nat last\n")


def beginning(texts: list[str], most: int) -> str:
    """The lines that fit into so many bytes."""
    return lines([text for i, text in enumerate(texts) if len(lines(texts[: i + 1])) <= most])


def ending(texts: list[str], most: int) -> str:
    return lines([text for i, text in enumerate(texts) if len(lines(texts[i:])) <= most])


def short(text: str) -> str:
    """Notices in short."""
    return LEFT_OUT.sub(r"<\1 left out>", HELD_BACK.sub("<held back>", text))


OUT = [f"out {i}" for i in range(1_000)]
PRINT_OUT = 'for i in 0..1_000 { println!("out {i}"); }'


def test_the_end_of_each_stream_is_kept(front: FrontEnd, limit: int) -> None:
    """The one line on the other stream is not lost among the thousand."""
    done = front.execute(f'{PRINT_OUT} eprintln!("trouble"); {PRINT_OUT}').ok()
    # Of two pipes nobody knows which was written to first: the line may count before the others.
    assert done.stdout() in [beginning(OUT, most) + ending(OUT, limit) for most in (limit, limit - len("trouble\n"))]
    assert done.stderr().count("trouble\n") == 1
    assert "left out" in short(done.stderr())


def test_both_streams_count_together(front: FrontEnd, limit: int) -> None:
    done = front.execute('println!("{}", "x".repeat(59)); eprintln!("{}", "Y".repeat(59));').ok()
    assert len(done.stdout()) + done.stderr().count("Y") == 60 + 59
    assert "held back" in done.stderr() and "nothing was left out" in done.stderr()


@pytest.mark.parametrize(
    ("end", "last"),
    [
        ("panic!();", "error"),
        ("std::process::exit(3);", "error"),
        ("6 * 7", "execute_result"),
        ('assay::display(&assay::Text("x"));', "display_data"),
    ],
)
def test_the_last_lines_come_before_what_ends_the_cell(front: FrontEnd, limit: int, end: str, last: str) -> None:
    told = story(front.execute(f"{PRINT_OUT} {end}"))
    assert told[-2:] == [ending(OUT, limit), last]
    assert LEFT_OUT.search(told[-3])


def test_the_last_lines_of_an_interrupted_cell(front: FrontEnd, limit: int) -> None:
    cell = front.start('for i in 0_u64.. { println!("{i}"); }')
    front.until_output(cell, "held back")
    front.request("interrupt_request", channel="control")
    front.wait(cell)
    numbers, notices, last, error = story(cell)
    assert numbers.startswith("0\n1\n") and HELD_BACK.search(notices) and LEFT_OUT.search(notices)
    assert int(last.splitlines()[0]) > int(numbers.splitlines()[-1]) and error == "error"
    assert "nterrupt" in cell.error()["ename"]


def test_a_program_of_the_shell_that_fails(front: FrontEnd, limit: int) -> None:
    failed = front.execute("%%bash\nseq 1000\nexit 3")
    assert story(failed)[-2:] == [ending([str(i) for i in range(1_001)], limit), "error"]


def test_displays_are_all_shown_in_their_places(front: FrontEnd, limit: int) -> None:
    code = """
    for picture in 0..3 {
        for i in 0..100 { println!("{picture} {i}"); }
        assay::display(&assay::Text("picture"));
    }
    println!("end");
    """
    told = [short(text) for text in story(front.execute(code).ok())]
    texts = [[f"{picture} {i}" for i in range(100)] for picture in range(3)]
    assert told == [
        *(beginning(texts[0], limit), "<held back>\n<58 left out>\n", ending(texts[0], limit), "display_data"),
        *("<80 left out>\n", ending(texts[1], limit), "display_data"),
        *("<80 left out>\n", ending(texts[2], limit), "display_data"),
        *("[assay: here it goes on: nothing was left out]\n", "end\n"),
    ]


def test_cleared_output_does_not_count(front: FrontEnd, limit: int) -> None:
    code = 'for frame in 0..20 { println!("{}", "x".repeat(80)); assay::clear_output(true); } print!("end");'
    done = front.execute(code).ok()
    assert len(done.take("clear_output")) == 20
    assert done.stdout() == ("x" * 80 + "\n") * 20 + "end"


def test_threads_that_go_on_have_the_limit_of_their_cell(front: FrontEnd, limit: int, tmp_path: Path) -> None:
    go, gone = tmp_path / "go", tmp_path / "gone"
    code = f"""
    let thread = std::thread::spawn(|| {{
        {WAIT.format(go)} for i in 0..1_000 {{ println!("late {{i}}"); }} std::fs::write("{gone}", "").unwrap();
    }});
    println!("at once");
    """
    first = front.execute(code, goes_on=True).ok()
    go.touch()
    front.until(lambda: "held back until the next cell begins" in first.stderr() and gone.exists(), "the notice")
    # The process that runs the cells has written all of it, and with this cell the kernel has read it.
    second = front.execute('thread.join().unwrap(); println!("{}", "y".repeat(90));').ok()
    assert second.stdout().endswith("y" * 90 + "\n") and second.stderr() == ""
    assert LEFT_OUT.search(first.stderr())
    assert first.stdout().startswith("at once\nlate 0\n") and first.stdout().endswith("late 999\n")


@pytest.mark.parametrize("value", ["lots", "-1", "0", "1 furlong", "", "on"])
def test_a_wrong_limit_is_an_error_that_says_what_is_right(front: FrontEnd, value: str) -> None:
    error = plain(front.execute(f"%config output_limit={value}").error())
    assert "a size such as 1MB or 200kB, or off" in error


def test_the_limit_is_a_setting(front: FrontEnd) -> None:
    shown = front.execute("%config output_limit").ok().text()
    assert shown.startswith("output_limit = 500kB\n")
    front.execute("%config output_limit = 1.5 MB").ok().everything()
    assert front.execute("%config output_limit").ok().text().startswith("output_limit = 1500kB\n")
    assert "output_limit" in front.execute("%config output_limit=500kB\n%config").ok().displays()[-1]["text/plain"]
