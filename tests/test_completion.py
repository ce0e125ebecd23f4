"""Completion and inspection, of magics (without the engine) and of Rust. Positions count Unicode code points."""

import pytest

from frontend import FrontEnd


def complete(front: FrontEnd, marked: str) -> list[str]:
    """The texts that the cell could become when it is completed at the `|`."""
    cursor = marked.index("|")
    code = marked.replace("|", "", 1)
    reply = front.request("complete_request", {"code": code, "cursor_pos": cursor}).ok().reply
    assert reply is not None
    content = reply.content
    start, end = content["cursor_start"], content["cursor_end"]
    assert 0 <= start <= cursor <= end <= len(code), f"{start}..{end} for a cursor at {cursor}"
    typed = content["metadata"].get("_jupyter_types_experimental", [])
    assert [t["text"] for t in typed] == content["matches"], "JupyterLab inserts these texts"
    assert all(t["type"] for t in typed), "JupyterLab shows a badge for each type"
    return [code[:start] + match + code[end:] for match in content["matches"]]


def inspect(front: FrontEnd, marked: str, detail: int = 0) -> dict[str, str]:
    """What is told about the place of the `|`; empty if nothing is."""
    cursor = marked.index("|")
    content = {"code": marked.replace("|", "", 1), "cursor_pos": cursor, "detail_level": detail}
    reply = front.request("inspect_request", content).ok().reply
    assert reply is not None
    assert reply.content["found"] == bool(reply.content["data"])
    assert not reply.content["found"] or reply.content["data"]["text/plain"].strip()
    return reply.content["data"]


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("%lsm|", "%lsmagic"),
        ("%%writef|", "%%writefile"),
        ("// 🦀🦀 first\n%lsm|", "// 🦀🦀 first\n%lsmagic"),
        ("%who|", "%whos"),
        ('let crabs = "🦀";\n%pw|\nlet more = 1;', 'let crabs = "🦀";\n%pwd\nlet more = 1;'),
    ],
)
def test_a_magic_is_completed(front: FrontEnd, marked: str, expected: str) -> None:
    assert expected in complete(front, marked)


def test_a_remainder_is_no_magic(front: FrontEnd) -> None:
    assert not [c for c in complete(front, "let a = 7\n%ls|") if "lsmagic" in c]


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("String::from_utf8_lo|", "String::from_utf8_lossy"),
        ('let t = "🦀🦀"; t.trim_sta|', 'let t = "🦀🦀"; t.trim_start'),
        ('let 数 = vec![1u8]; let s = "🦀"; 数.is_emp|', 'let 数 = vec![1u8]; let s = "🦀"; 数.is_empty'),
    ],
)
def test_rust_is_completed(front: FrontEnd, marked: str, expected: str) -> None:
    found = complete(front, marked)
    assert any(f.startswith(expected) for f in found), found


def test_variables_and_items_of_earlier_cells_are_completed(front: FrontEnd) -> None:
    front.execute("struct Account { owner: String, cents: i64 }").ok()
    front.execute('let account = Account { owner: "me".to_owned(), cents: 5 };').ok()
    assert any(f.startswith("account.owner") for f in complete(front, "account.ow|"))
    assert any(f.startswith("Account") for f in complete(front, "Accou|"))


@pytest.mark.parametrize("marked", ["|", "let a = 1;\n|", '"in a string \\|'])
def test_a_place_without_completions_is_answered(front: FrontEnd, marked: str) -> None:
    complete(front, marked)


@pytest.mark.parametrize("cursor", [None, 999, -1])
def test_a_strange_cursor_is_answered(front: FrontEnd, cursor: int | None) -> None:
    content = {"code": "%lsm"} if cursor is None else {"code": "%lsm", "cursor_pos": cursor}
    front.request("complete_request", content).ok()


def test_a_magic_is_explained(front: FrontEnd) -> None:
    text = inspect(front, "%lsmag|ic")["text/plain"]
    assert "%lsmagic" in text


def test_rust_is_explained(front: FrontEnd) -> None:
    assert "with_capacity" in inspect(front, 'let s = "🦀🦀"; let v = Vec::<u8>::with_cap|acity(4);')["text/plain"]


def test_nothing_is_explained_where_nothing_is(front: FrontEnd) -> None:
    assert inspect(front, "  |  ") == {}
