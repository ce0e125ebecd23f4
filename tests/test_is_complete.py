"""Whether a cell could run as it stands: what a console asks at every Enter."""

import pytest

from frontend import FrontEnd


def check(front: FrontEnd, code: str, status: str, indent: str | None = None) -> None:
    reply = front.request("is_complete_request", {"code": code}).reply
    assert reply is not None
    assert reply.content["status"] == status, f"{code!r}: {reply.content}"
    assert reply.content.get("indent") == indent, f"{code!r}: {reply.content}"


@pytest.mark.parametrize(
    "code",
    [
        "",
        "1 + 1",
        "let a = 1;",
        "fn f() {\n    1;\n}",
        'let s = "a { in a string";',
        'let r = r#"raw " { "#;',
        "let c = '{';",
        "// a { in a comment",
        "/* a { /* nested */ */",
        "struct S<'a>(&'a str);",
        "%lsmagic",
        "!ls (",
        "let b = b'[';",
    ],
)
def test_complete(front: FrontEnd, code: str) -> None:
    check(front, code, "complete")


@pytest.mark.parametrize(
    ("code", "indent"),
    [
        ("fn f() {", "    "),
        ("fn f() {\n    if true {", "        "),
        ("let v = vec![\n    1,", "    "),
        ('let s = "open', ""),
        ('let s = r#"open"', ""),
        ("/* open /* nested */", ""),
        ("let a = 1 +", ""),
    ],
)
def test_incomplete(front: FrontEnd, code: str, indent: str) -> None:
    reply = front.request("is_complete_request", {"code": code}).reply
    assert reply is not None
    assert reply.content["status"] == "incomplete", f"{code!r}: {reply.content}"
    # What a line that goes on should begin with is taste, except below an open bracket.
    if indent:
        assert reply.content["indent"] == indent


@pytest.mark.parametrize("code", ["fn f() { ) }", "let a = (1];", "}"])
def test_invalid(front: FrontEnd, code: str) -> None:
    check(front, code, "invalid")
