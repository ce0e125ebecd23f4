"""Cells: values, output, displays, errors, the counter and the queue."""

import re
from pathlib import Path

import pytest

from frontend import Exchange, FrontEnd
from launch import running

# Waits inside a cell until the test lets it go on, so that no test guesses how long something takes.
WAIT = 'while !std::path::Path::new("{}").exists() {{ std::thread::sleep(std::time::Duration::from_millis(10)); }}'


def plain(error: dict) -> str:
    """A traceback without its colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error["traceback"]))


def count(exchange: Exchange) -> int:
    assert exchange.reply is not None
    return exchange.reply.content["execution_count"]


def test_the_counter_begins_at_one_and_counts_what_is_stored() -> None:
    """A kernel numbered its first cell 2, and every hidden request of a front end moved the numbers on."""
    with running() as kernel:
        front = kernel.connect()
        counted = [count(front.execute("%cd -q ."))]
        front.execute("%cd -q .", silent=True)
        front.execute("%cd -q .", store_history=False)
        counted.append(count(front.execute("%cd -q .")))
        assert counted == [1, 2]
        front.finish()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("40 + 2", "42"),
        ('"text"', '"text"'),
        ("vec![1, 2, 3]", "[1, 2, 3]"),
        ("let five = 5; five * five", "25"),
        ('"🦀 krabbe".len()', "11"),
        ("// only said\n7", "7"),
    ],
)
def test_value(front: FrontEnd, code: str, expected: str) -> None:
    value = front.execute(code).ok().value()
    assert value is not None
    assert value["text/plain"] == expected


@pytest.mark.parametrize("code", ["", "   \n\n", "// a comment", "/* a\n /* nested */ comment */", "let unit = ();", "fn item() {}"])
def test_no_value(front: FrontEnd, code: str) -> None:
    assert front.execute(code).ok().everything() == []


def test_a_value_that_displays_itself(front: FrontEnd) -> None:
    front.execute(
        """struct Bold(&'static str);
impl Bold {
    fn evcxr_display(&self) {
        println!("EVCXR_BEGIN_CONTENT text/html\\n<b>{}</b>\\nEVCXR_END_CONTENT", self.0);
    }
}"""
    ).ok()
    value = front.execute('Bold("strong")').ok().value()
    assert value is not None
    assert value["text/html"].strip() == "<b>strong</b>"


def test_state_is_kept_from_cell_to_cell(front: FrontEnd) -> None:
    front.execute("let mut numbers = vec![3, 1, 2]; fn double(n: i32) -> i32 { 2 * n }").ok()
    front.execute("numbers.sort();").ok()
    assert front.execute("numbers.iter().map(|n| double(*n)).collect::<Vec<_>>()").ok().text() == "[2, 4, 6]"


def test_both_streams_arrive_whole_before_the_reply(front: FrontEnd) -> None:
    done = front.execute('for i in 0..500 { println!("out {i}"); eprintln!("err {i}"); }').ok()
    assert done.stdout() == "".join(f"out {i}\n" for i in range(500))
    assert done.stderr() == "".join(f"err {i}\n" for i in range(500))


def test_text_without_a_newline_is_not_lost(front: FrontEnd) -> None:
    done = front.execute('print!("no newline"); eprint!("here neither");').ok()
    assert (done.stdout(), done.stderr()) == ("no newline", "here neither")


def test_streams_are_coalesced(front: FrontEnd) -> None:
    """Jupyter Server drops what exceeds 1,000 messages a second; a message for each line lost output."""
    done = front.execute('for i in 0..20_000 { println!("{i}"); }').ok()
    messages = done.take("stream")
    assert "".join(m.content["text"] for m in messages) == "".join(f"{i}\n" for i in range(20_000))
    assert len(messages) < 2_000


def test_output_streams_while_the_cell_runs(front: FrontEnd, tmp_path: Path) -> None:
    go = tmp_path / "go"
    cell = front.start(f'println!("before"); {WAIT.format(go)} println!("after");')
    front.until_output(cell, "before")
    go.touch()
    assert front.wait(cell).ok().stdout() == "before\nafter\n"


def test_displays_stay_in_order_with_the_text_around_them(front: FrontEnd) -> None:
    """evcxr keeps one block for each MIME type and shows all of them at the end of the cell."""
    block = 'println!("EVCXR_BEGIN_CONTENT text/html\\n<i>{}</i>\\nEVCXR_END_CONTENT");'
    code = "\n".join(
        [
            'println!("one");',
            block.replace("{}", "first"),
            'println!("two");',
            block.replace("{}", "second"),
            'println!("three");',
        ]
    )
    outputs = front.execute(code).ok().everything()
    seen = [m.content["text"] if m.type == "stream" else m.content["data"]["text/html"].strip() for m in outputs]
    assert seen == ["one\n", "<i>first</i>", "two\n", "<i>second</i>", "three\n"]
    assert [m.type for m in outputs[1::2]] == ["display_data", "display_data"]


def test_a_compile_error_points_into_the_cell(front: FrontEnd) -> None:
    failed = front.execute("let number = 1;\nlet text: String = number;")
    error = failed.error()
    assert error["ename"] == "E0308"
    assert "mismatched types" in error["evalue"]
    assert f"cell[{count(failed)}]:2:20" in plain(error)
    assert "\x1b[" in "".join(error["traceback"]), "no colours"


def test_an_error_after_an_emoji_counts_characters(front: FrontEnd) -> None:
    failed = front.execute('let crabs = "🦀🦀"; let text: String = 1;')
    assert f"cell[{count(failed)}]:1:38" in plain(failed.error())


def test_a_cell_that_does_not_compile_leaves_no_trace(front: FrontEnd) -> None:
    front.execute("let kept = 1;").ok()
    front.execute('let kept = 2; fn gone() {} let bad: u8 = "";').error()
    assert front.execute("kept").ok().text() == "1"
    assert front.execute("gone()").error()["ename"] == "E0425"


def test_a_panic_is_one_error(front: FrontEnd) -> None:
    """A kernel answered a panic ok, with the message on stderr: `nbconvert --execute` went on after it."""
    front.execute("let before_panic = 3;").ok()
    failed = front.execute('\nlet empty: Option<u8> = None;\nempty.expect("nothing in it");')
    error = failed.error()
    assert failed.stderr() == ""
    assert error["ename"] == "Panic"
    assert "nothing in it" in error["evalue"]
    assert f"cell[{count(failed)}]:3:" in plain(error)


def test_a_panic_in_another_thread_is_not_the_cells(front: FrontEnd) -> None:
    done = front.execute('std::thread::spawn(|| panic!("far away")).join().is_err()').ok()
    assert done.text() == "true"
    assert "far away" in done.stderr()


def test_a_failed_question_mark_is_one_error(front: FrontEnd) -> None:
    failed = front.execute('let parsed: i32 = "x".parse::<i32>()?;')
    error = failed.error()
    assert "InvalidDigit" in error["evalue"] or "invalid digit" in error["evalue"]
    assert failed.stderr() == ""


def test_a_process_that_dies_is_an_error_and_the_kernel_goes_on(front: FrontEnd) -> None:
    front.execute("let kept = 1;").ok()
    error = front.execute("std::process::exit(7);").error()
    assert "7" in error["evalue"]
    assert "as they were before the cell" in plain(error)
    assert front.execute("kept + 1").ok().text() == "2"


def test_user_expressions_succeed_and_fail_one_by_one(front: FrontEnd) -> None:
    asked = {"sum": "1 + 2", "wrong": "no_such_name", "text": '"t"'}
    reply = front.execute("let _ = 0;", user_expressions=asked).ok().reply
    assert reply is not None
    told = reply.content["user_expressions"]
    assert told.keys() == asked.keys()
    assert told["sum"]["status"] == "ok" and told["sum"]["data"]["text/plain"] == "3"
    assert told["text"]["status"] == "ok" and told["text"]["data"]["text/plain"] == '"t"'
    assert told["wrong"]["status"] == "error" and told["wrong"]["ename"] == "E0425"
    assert {"evalue", "traceback"} <= told["wrong"].keys()


def test_silence(front: FrontEnd) -> None:
    """Nothing but busy and idle is published: the front end insists on it for every silent request."""
    front.execute('println!("unheard"); 42', silent=True).ok()
    failed = front.execute("let text: String = 1;", silent=True).reply
    assert failed is not None and failed.content["status"] == "error"


def test_a_sparse_request_has_the_documented_defaults(front: FrontEnd) -> None:
    """Public clients leave fields out; a strictly typed request had no answer at all."""
    assert front.request("execute_request", {"code": "%cd -q ."}).ok().everything() == []


def test_an_error_aborts_what_is_queued(front: FrontEnd, tmp_path: Path) -> None:
    go = tmp_path / "go"
    failing = front.start(f'println!("runs"); {WAIT.format(go)} panic!("now");')
    queued = [front.start(f"{n}") for n in range(3)]
    asked = front.send("kernel_info_request", {})
    front.until_output(failing, "runs")
    go.touch()
    front.wait(failing, asked, *queued)
    assert failing.error()["evalue"].startswith("now")
    failing.stdout()
    assert [e.reply.content["status"] for e in queued if e.reply] == ["aborted"] * 3
    assert front.execute("%cd -q .").ok()


def test_an_error_need_not_abort(front: FrontEnd, tmp_path: Path) -> None:
    go = tmp_path / "go"
    failing = front.start(f'println!("runs"); {WAIT.format(go)} panic!("now");', stop_on_error=False)
    queued = front.start("6 * 7")
    front.until_output(failing, "runs")
    go.touch()
    front.wait(failing, queued)
    failing.error()
    failing.stdout()
    assert queued.ok().text() == "42"


def test_a_dependency_is_added_by_a_cell(front: FrontEnd) -> None:
    front.execute(':dep hex = "0.4"').ok().everything()
    assert front.execute('hex::encode("assay")').ok().text() == '"6173736179"'


def test_a_dependency_that_does_not_exist_is_an_error(front: FrontEnd) -> None:
    error = front.execute(':dep hex = "999"').error()
    assert "hex" in plain(error)
    assert front.execute("1 + 1").ok().text() == "2"
