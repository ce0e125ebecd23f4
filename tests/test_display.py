"""What a cell does to the page itself: displays that are replaced, output that is cleared."""

import json

import pytest

from frontend import FrontEnd


def order(what: dict) -> str:
    """Rust that gives an order to the page: a content block of a type of its own."""
    return f'println!("EVCXR_BEGIN_CONTENT application/x-assay-order\\n{{}}\\nEVCXR_END_CONTENT", r#"{json.dumps(what)}"#);'


def test_a_display_is_replaced_in_place(front: FrontEnd) -> None:
    shown = order({"display": {"data": {"text/html": "<b>1</b>"}, "display_id": "bar"}})
    replaced = order({"update_display": {"data": {"text/plain": "2"}, "display_id": "bar"}})
    ran = front.execute(f'{shown}\nprintln!("between");\n{replaced}').ok()
    display, stream, update = ran.everything()
    assert (display.type, stream.type, update.type) == ("display_data", "stream", "update_display_data")
    assert display.content["transient"] == update.content["transient"] == {"display_id": "bar"}
    assert display.content["data"]["text/html"] == "<b>1</b>"
    assert update.content["data"] == {"text/plain": "2"}


@pytest.mark.parametrize("wait", [True, False])
def test_output_is_cleared_where_the_cell_says(front: FrontEnd, wait: bool) -> None:
    ran = front.execute(f'println!("old");\n{order({"clear_output": {"wait": wait}})}\nprintln!("new");').ok()
    old, clear, new = ran.everything()
    assert (old.content["text"], new.content["text"]) == ("old\n", "new\n")
    assert (clear.type, clear.content) == ("clear_output", {"wait": wait})


def test_an_order_that_cannot_be_read_is_told(front: FrontEnd) -> None:
    ran = front.execute(order({"clear_everything": {}})).ok()
    assert "clear_everything" in ran.stderr()
    assert "cannot be read" in ran.stderr()
    ran.everything()
