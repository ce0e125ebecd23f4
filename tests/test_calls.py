"""What a cell of the native engine can call: displays that are replaced, output that is cleared, bars, questions."""

import re

import pytest

from frontend import FrontEnd, Message


@pytest.fixture(autouse=True)
def native(front: FrontEnd) -> None:
    front.execute("%engine native").ok().everything()


def plain(message: Message) -> str:
    return message.content["data"]["text/plain"]


def test_a_handle_replaces_what_was_shown_from_later_cells_and_threads(front: FrontEnd) -> None:
    (shown,) = front.execute('let bar = assay::display_handle(&assay::Text("one"));').ok().everything()
    assert (shown.type, plain(shown)) == ("display_data", "one")
    identity = shown.content["transient"]
    assert identity["display_id"]
    code = """
    bar.update(&assay::Html("<i>two</i>"));
    let copy = bar.clone();
    std::thread::spawn(move || copy.update(&assay::Text("three"))).join().unwrap();
    let other = assay::display_handle(&assay::Text("other"));
    """
    two, three, other = front.execute(code).ok().everything()
    assert (two.type, three.type, other.type) == ("update_display_data", "update_display_data", "display_data")
    assert two.content["transient"] == three.content["transient"] == identity
    assert (two.content["data"]["text/html"], plain(three)) == ("<i>two</i>", "three")
    assert other.content["transient"] != identity


def test_images_have_a_size(front: FrontEnd) -> None:
    code = 'assay::display(&assay::Png(b"png").width(300).svg("<svg/>").metadata("assay", r#"{"n": [1]}"#)); assay::Png(b"png").height(2)'
    shown, value = front.execute(code).ok().everything()
    assert shown.content["data"]["image/png"] == "cG5n"
    size = {"width": 300}
    assert shown.content["metadata"] == {"image/png": size, "image/svg+xml": size, "assay": {"n": [1]}}
    assert (value.type, value.content["metadata"]) == ("execute_result", {"image/png": {"height": 2}})


@pytest.mark.parametrize("wait", [True, False])
def test_output_is_cleared_where_the_cell_says(front: FrontEnd, wait: bool) -> None:
    code = f'println!("old"); assay::clear_output({str(wait).lower()}); println!("new");'
    old, clear, new = front.execute(code).ok().everything()
    assert (old.content["text"], new.content["text"]) == ("old\n", "new\n")
    assert (clear.type, clear.content) == ("clear_output", {"wait": wait})


def states(shown: list[Message]) -> list[str]:
    """The texts of the one display that a bar is."""
    assert [message.type for message in shown] == ["display_data"] + ["update_display_data"] * (len(shown) - 1)
    assert len({message.content["transient"]["display_id"] for message in shown}) == 1
    assert all("<div>" in message.content["data"]["text/html"] for message in shown)
    return [plain(message) for message in shown]


def test_a_bar_is_one_display_and_leaves_its_last_state(front: FrontEnd) -> None:
    code = "for _ in assay::progress(0..1_000_000u32) { assay::black_box(()); }"
    texts = states(front.execute(code).ok().everything())
    assert len(texts) < 40, "a few updates a second"
    assert "0/1000000" in texts[0]
    assert re.fullmatch(r"100 % ━{20} 1000000/1000000  [\d.]+ s  [\d.]+[kM] it/s", texts[-1])


def test_a_bar_says_how_fast_it_goes_and_how_long_it_takes(front: FrontEnd) -> None:
    code = 'for _ in assay::progress(0..4).label("naps") { std::thread::sleep(std::time::Duration::from_millis(300)); }'
    texts = states(front.execute(code).ok().everything())
    assert any(re.match(r"naps  50 % ━{10} {11}2/4  0\.\d s  [\d.]+ it/s  0\.\d s left", text) for text in texts)


def test_a_loop_that_is_left_says_where(front: FrontEnd) -> None:
    texts = states(front.execute("for x in assay::progress(0..1000) { if x == 370 { break; } }").ok().everything())
    assert texts[-1].startswith(" 37 %") and texts[-1].endswith("stopped in item 371")
    code = 'for x in assay::progress((0..9).filter(|x| x % 2 == 0)) { if x == 4 { panic!("no"); } }'
    panicked = front.execute(code)
    last = states(panicked.take("display_data", "update_display_data"))[-1]
    assert last.startswith("2 items") and last.endswith("stopped in item 3")
    assert "no" in panicked.error()["evalue"]


def test_loops_within_loops_share_a_display(front: FrontEnd) -> None:
    code = """
    for _ in assay::progress(0..3).label("outer") {
        for _ in assay::progress(0..4).label("inner") { std::thread::sleep(std::time::Duration::from_millis(90)); }
    }
    """
    texts = states(front.execute(code).ok().everything())
    assert any(re.match(r"outer .*\ninner ", text) for text in texts)
    assert texts[-1].startswith("outer 100 %") and "\n" not in texts[-1]


def test_a_bar_that_another_cell_left_open_is_not_drawn_on(front: FrontEnd) -> None:
    (first,) = front.execute("let mut open = assay::progress(0..9); open.next();").ok().everything()
    later = front.execute("assay::progress(0..1).count()").ok().everything()
    assert later[0].content["transient"] != first.content["transient"]


def test_a_cell_asks_for_lines_and_passwords(front: FrontEnd) -> None:
    asked: list[tuple[str, bool]] = []

    def answer(prompt: str, password: bool) -> str:
        asked.append((prompt, password))
        return "geheim" if password else "Ferris"

    code = 'print!("first "); let name = assay::input("Name? ")?; let token = assay::password("Token: ")?; (name, token)'
    done = front.execute(code, answer=answer).ok()
    assert asked == [("Name? ", False), ("Token: ", True)]
    assert done.stdout() == "first "
    assert done.text() == '("Ferris", "geheim")'


def test_an_interrupt_ends_a_question(front: FrontEnd) -> None:
    asked: list[str] = []
    cell = front.start('assay::input("Name? ")?', answer=lambda prompt, _: asked.append(prompt))
    front.until(lambda: bool(asked), "the question")
    front.request("interrupt_request", channel="control")
    front.wait(cell).error()
    assert front.execute("1").ok().text() == "1"


def test_more_than_a_page_can_take_is_said_and_costs_nothing(front: FrontEnd) -> None:
    code = 'let large = "x".repeat(300 << 20); assay::display(&assay::Text(&large)); large.len()'
    done = front.execute(code).ok()
    assert "300 MB are more than a page can be given at once" in done.stderr()
    assert done.text() == str(300 << 20)


@pytest.mark.timeout(300)
def test_tasks_of_tokio_live_from_cell_to_cell(front: FrontEnd) -> None:
    adding = front.start(':dep tokio = { version = "1", features = ["rt-multi-thread", "time"] }')
    front.wait(adding, patience=240).ok().everything()
    front.execute("use std::time::Duration; use tokio::time::sleep;").ok().everything()
    # A cell that does not await is in the runtime, too.
    front.execute("let task = tokio::spawn(async { sleep(Duration::from_millis(300)).await; 42 });").ok().everything()
    assert front.execute("let waited = sleep(Duration::from_millis(5)).await; task.await?").ok().text() == "42"
    assert front.execute("let kept = vec![waited]; sleep(Duration::ZERO).await; panic!()").error()["ename"] == "Panic"
    assert front.execute("kept").ok().text() == "[()]"
    # There is one runtime: what one cell made in it works in another.
    front.execute("let (tell, told) = tokio::runtime::Handle::current().block_on(async { (1, 2) });").ok().everything()
    assert front.execute("tell + told").ok().text() == "3"
