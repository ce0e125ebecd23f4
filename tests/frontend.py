"""A strict Jupyter front end: what a test did not account for fails the test.

It signs, sends and receives frames itself (over pyzmq), so that nothing is repaired or dropped on the way. Every message is checked as
it arrives: signature, topic, schema, true copy of the parent header, busy first, idle last, reply before idle. A test reads the output of
its requests through :class:`Exchange`; output that nobody read is an error when the test ends.

How a kernel is started and what it may leave behind is in ``launch.py``.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import zmq
from jupyter_client.session import Session
from jupyter_kernel_test import msgspec_v5

# Generous, because it only bounds a failure: nothing here is a measurement.
PATIENCE = 90.0
DELIMITER = b"<IDS|MSG>"

# What msgspec_v5 does not know, in its own notation; and `password`, a boolean that it takes for a number.
msgspec_v5.schema_fragments.update(
    {
        "iopub_welcome": {"properties": {"subscription": {"type": "string"}}},
        "comm_close": {"properties": {"comm_id": {"type": "string"}, "data": {"type": "object"}}},
        "input_request": {"properties": {"prompt": {"type": "string"}, "password": {"type": "boolean"}}},
        "usage_reply": {"properties": {"pid": {"type": "number"}}},
    }
)


@dataclass
class Message:
    """One message, as it came."""

    channel: str
    header: dict[str, Any]
    parent: dict[str, Any]
    metadata: dict[str, Any]
    content: dict[str, Any]
    buffers: list[bytes] = field(default_factory=list)

    @property
    def type(self) -> str:
        return self.header["msg_type"]

    def __str__(self) -> str:
        content = json.dumps(self.content, ensure_ascii=False)
        return f"{self.channel}/{self.type} {content[:400]}"


def validate(message: Message) -> None:
    """Checks a message against the published schema, which is stricter here than in its package: unknown types are refused."""
    assert message.type in msgspec_v5.schema_fragments, f"a kernel does not send this: {message}"
    status = message.content.get("status")
    if status == "aborted":
        # The schema spells it `abort`; every kernel and every front end says `aborted`.
        assert message.type == "execute_reply", f"aborted, but no execute_reply: {message}"
        return
    msgspec_v5.validate_message(
        {
            "header": message.header,
            "parent_header": message.parent,
            "metadata": message.metadata,
            "content": message.content,
            "buffers": message.buffers,
        }
    )
    if message.type == "execute_reply":
        assert isinstance(message.content.get("execution_count"), int), f"no execution_count: {message}"
    if message.type in ("execute_result", "display_data", "update_display_data"):
        assert "text/plain" in message.content["data"] or message.type != "execute_result", f"no text/plain: {message}"
        assert isinstance(message.content.get("transient", {}), dict), f"transient is no object: {message}"


@dataclass
class Exchange:
    """A request and everything that came in answer to it."""

    channel: str
    header: dict[str, Any]
    content: dict[str, Any]
    replies: bool = True
    reply: Message | None = None
    busy: Message | None = None
    idle: Message | None = None
    echo: Message | None = None
    outputs: list[Message] = field(default_factory=list)
    # Answers an input_request; none means that no question is expected.
    answer: Callable[[str, bool], str | None] | None = None
    # Whether something of the cell goes on after it: what that prints comes after idle.
    goes_on: bool = False
    _read: set[int] = field(default_factory=set)

    @property
    def done(self) -> bool:
        return self.idle is not None and (self.reply is not None or not self.replies)

    def __str__(self) -> str:
        shown = json.dumps(self.content, ensure_ascii=False)[:200]
        return f"{self.header['msg_type']} on {self.channel} {shown}"

    # What a test reads.

    def take(self, *types: str) -> list[Message]:
        """The outputs of these types, in order; they count as read."""
        found = [(i, m) for i, m in enumerate(self.outputs) if m.type in types]
        self._read.update(i for i, _ in found)
        return [m for _, m in found]

    def everything(self) -> list[Message]:
        """All outputs in order; they count as read."""
        self._read.update(range(len(self.outputs)))
        return list(self.outputs)

    def stream(self, name: str) -> str:
        """All text of one stream."""
        found = [(i, m) for i, m in enumerate(self.outputs) if m.type == "stream" and m.content["name"] == name]
        self._read.update(i for i, _ in found)
        return "".join(m.content["text"] for _, m in found)

    def stdout(self) -> str:
        return self.stream("stdout")

    def stderr(self) -> str:
        return self.stream("stderr")

    def displays(self) -> list[dict[str, Any]]:
        """The data of every display, in order."""
        return [m.content["data"] for m in self.take("display_data")]

    def value(self) -> dict[str, Any] | None:
        """The data of the cell's value."""
        found = self.take("execute_result")
        assert len(found) <= 1, f"several values: {[str(m) for m in found]}"
        if not found:
            return None
        assert self.reply is not None
        assert found[0].content["execution_count"] == self.reply.content["execution_count"]
        return found[0].content["data"]

    def text(self) -> str:
        """The plain text of the cell's value, or of its only display."""
        value = self.value()
        if value is not None:
            return value["text/plain"]
        shown = self.displays()
        assert len(shown) == 1, f"neither a value nor one display: {self.describe()}"
        return shown[0]["text/plain"]

    def paged(self) -> str:
        """The plain text of the only page in the pager."""
        assert self.reply is not None
        pages = [p for p in self.reply.content.get("payload", []) if p["source"] == "page"]
        assert len(pages) == 1, f"not one page: {self.reply}"
        return pages[0]["data"]["text/plain"]

    def ok(self) -> Exchange:
        """Insists that it went well."""
        assert self.reply is not None
        if self.reply.content["status"] != "ok":
            raise AssertionError(f"{self} failed:\n{self.describe()}")
        return self

    def error(self) -> dict[str, Any]:
        """Insists that it failed, told it exactly once, and told the same in the reply."""
        assert self.reply is not None
        assert self.reply.content["status"] == "error", f"{self} did not fail:\n{self.describe()}"
        told = self.take("error")
        assert len(told) == 1, f"not exactly one error message:\n{self.describe()}"
        for key in ("ename", "evalue", "traceback"):
            assert told[0].content[key] == self.reply.content[key], f"reply and message differ in {key}"
        return told[0].content

    def describe(self) -> str:
        """The whole story, for a failure's message."""
        lines = [str(m) for m in self.outputs]
        if self.reply is not None:
            lines.append(str(self.reply))
            lines.extend(self.reply.content.get("traceback", []))
        return "\n".join(lines)

    def unread(self) -> list[Message]:
        return [m for i, m in enumerate(self.outputs) if i not in self._read]


class FrontEnd:
    """One client of a kernel."""

    def __init__(self, connection: dict[str, Any], name: str = "front") -> None:
        self.connection = connection
        self.session = Session(key=_bytes(connection["key"]), signature_scheme=connection["signature_scheme"])
        self.identity = f"{name}-{uuid.uuid4().hex[:8]}".encode()
        self.context = zmq.Context()
        self.exchanges: dict[str, Exchange] = {}
        # What other clients' requests made the kernel publish.
        self.foreign: list[Message] = []
        self.welcomes: list[Message] = []
        self.kernel_session: str | None = None
        self._first_on_iopub: str | None = None
        self.sockets = {
            "iopub": self._connect("iopub", zmq.SUB),
            "shell": self._connect("shell", zmq.DEALER),
            "control": self._connect("control", zmq.DEALER),
            "stdin": self._connect("stdin", zmq.DEALER),
        }
        self.poller = zmq.Poller()
        for socket in self.sockets.values():
            self.poller.register(socket, zmq.POLLIN)

    def _connect(self, channel: str, kind: int) -> zmq.Socket:
        socket = self.context.socket(kind)
        socket.linger = 0
        if kind == zmq.SUB:
            # The strict front end must not lose what it wants to count.
            socket.rcvhwm = 0
            socket.subscribe(b"")
        else:
            socket.identity = self.identity
        socket.connect(self.endpoint(channel))
        return socket

    def endpoint(self, channel: str) -> str:
        """Where a channel listens."""
        c = self.connection
        port = c[f"{channel}_port"]
        return f"ipc://{c['ip']}-{port}" if c["transport"] == "ipc" else f"{c['transport']}://{c['ip']}:{port}"

    # Sending.

    def make_header(self, msg_type: str, **extra: Any) -> dict[str, Any]:
        return {
            "msg_id": uuid.uuid4().hex,
            "session": self.session.session,
            "username": "tester",
            "date": datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "msg_type": msg_type,
            "version": "5.4",
            **extra,
        }

    def frames(self, header: Any, content: Any, parent: Any = None, metadata: Any = None) -> list[bytes]:
        """The signed frames of a message, each part as JSON (bytes are taken as they are)."""
        parts = [_json(header), _json(parent or {}), _json(metadata or {}), _json(content)]
        return [DELIMITER, self.session.sign(parts), *parts]

    def send(
        self,
        msg_type: str,
        content: dict[str, Any],
        channel: str = "shell",
        replies: bool = True,
        answer: Callable[[str, bool], str | None] | None = None,
        header: dict[str, Any] | None = None,
        buffers: list[bytes] | None = None,
        on_page: bool = False,
    ) -> Exchange:
        """Sends a request and does not wait."""
        header = header or self.make_header(msg_type)
        exchange = Exchange(channel, header, content, replies, answer=answer)
        self.exchanges[header["msg_id"]] = exchange
        # A cell has a name where it stands on a page.
        metadata = {"cellId": header["msg_id"]} if on_page else None
        self.sockets[channel].send_multipart(self.frames(header, content, metadata=metadata) + (buffers or []))
        return exchange

    def send_frames(self, frames: list[bytes], channel: str = "shell") -> None:
        """Sends anything at all. No answer is expected."""
        self.sockets[channel].send_multipart(frames)

    def request(self, msg_type: str, content: dict[str, Any] | None = None, **options: Any) -> Exchange:
        """Sends a request and waits for the whole answer."""
        return self.wait(self.send(msg_type, content or {}, **options))

    def start(self, code: str, **fields: Any) -> Exchange:
        """Sends a cell and does not wait."""
        answer = fields.pop("answer", None)
        goes_on = fields.pop("goes_on", False)
        on_page = fields.pop("on_page", True)
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": answer is not None,
            "stop_on_error": True,
            **fields,
        }
        exchange = self.send("execute_request", content, answer=answer, on_page=on_page)
        exchange.goes_on = goes_on
        return exchange

    def execute(self, code: str, **fields: Any) -> Exchange:
        """Runs a cell to its end."""
        return self.wait(self.start(code, **fields))

    # Receiving.

    def wait(self, *exchanges: Exchange, patience: float = PATIENCE) -> Exchange:
        """Waits until these are answered in full; gives the first."""
        self.until(lambda: all(e.done for e in exchanges), lambda: _waiting(exchanges), patience)
        return exchanges[0]

    def until(
        self,
        condition: Callable[[], bool],
        waiting_for: str | Callable[[], str] = "a condition",
        patience: float = PATIENCE,
    ) -> None:
        """Receives until the condition holds."""
        deadline = monotonic() + patience
        while not condition():
            left = deadline - monotonic()
            if left <= 0:
                what = waiting_for() if callable(waiting_for) else waiting_for
                raise AssertionError(f"nothing more came in {patience:.0f} s; waiting for {what}")
            ready = dict(self.poller.poll(min(left, 0.5) * 1000))
            for channel, socket in self.sockets.items():
                if socket in ready:
                    self._receive(channel, socket)

    def until_output(self, exchange: Exchange, text: str) -> None:
        """Receives until a running cell has printed a text."""
        self.until(
            lambda: text in "".join(m.content["text"] for m in exchange.outputs if m.type == "stream") or exchange.done,
            f"the output {text!r}",
        )
        assert not exchange.done, f"the cell ended too early:\n{exchange.describe()}"

    def welcome(self) -> None:
        """Waits until the kernel has welcomed this subscriber: nothing published from now on is missed."""
        self.until(lambda: bool(self.welcomes), "iopub_welcome")

    def _receive(self, channel: str, socket: zmq.Socket) -> None:
        self._file(self.decode(channel, socket.recv_multipart()))

    def decode(self, channel: str, frames: list[bytes]) -> Message:
        """Frames to a message, with everything checked that can be checked without knowing the request."""
        at = frames.index(DELIMITER)
        if channel == "iopub":
            assert at <= 1, f"more than one topic frame: {frames[:at]}"
        signature, parts, buffers = frames[at + 1], frames[at + 2 : at + 6], frames[at + 6 :]
        assert self.session.sign(parts) == signature, f"wrong signature on {channel}: {parts}"
        header, parent, metadata, content = (json.loads(p) for p in parts)
        message = Message(channel, header, parent, metadata, content, buffers)
        validate(message)
        assert header["version"].startswith("5."), f"version: {header}"
        datetime.fromisoformat(header["date"].replace("Z", "+00:00"))
        self._check_session(message)
        return message

    def _check_session(self, message: Message) -> None:
        if self.kernel_session is None:
            self.kernel_session = message.header["session"]
        assert message.header["session"] == self.kernel_session, f"the kernel changed its session id: {message.header}"
        assert self.kernel_session != self.session.session

    def _file(self, message: Message) -> None:
        if message.channel == "iopub" and self._first_on_iopub is None:
            self._first_on_iopub = message.type
            assert message.type == "iopub_welcome", f"the first message on iopub is no welcome: {message}"
        if not message.parent:
            self._file_parentless(message)
        elif message.parent.get("session") != self.session.session:
            assert message.channel == "iopub", f"somebody else's answer: {message}"
            self.foreign.append(message)
        else:
            exchange = self.exchanges.get(message.parent.get("msg_id", ""))
            assert exchange is not None, f"an answer to nothing that was asked: {message}"
            assert message.parent == exchange.header, f"no true copy of the header: {message.parent} of {exchange.header}"
            self._file_answer(exchange, message)

    def _file_parentless(self, message: Message) -> None:
        if message.type == "iopub_welcome":
            self.welcomes.append(message)
            assert len(self.welcomes) == 1, "welcomed twice"
        else:
            assert message.type == "status" and message.content["execution_state"] == "starting", f"no parent: {message}"

    def _file_answer(self, exchange: Exchange, message: Message) -> None:
        if message.channel == "stdin":
            self._answer_input(exchange, message)
        elif message.channel == "iopub":
            self._file_published(exchange, message)
        else:
            assert message.channel == exchange.channel, f"reply on the wrong channel: {message}"
            assert exchange.reply is None, f"two replies: {message}"
            expected = exchange.header["msg_type"].replace("_request", "_reply")
            assert message.type == expected, f"expected {expected}: {message}"
            exchange.reply = message
        if exchange.done:
            _check_end(exchange)

    def _answer_input(self, exchange: Exchange, message: Message) -> None:
        assert message.type == "input_request"
        assert exchange.answer is not None, f"the kernel asks, though it may not: {message}"
        text = exchange.answer(message.content["prompt"], bool(message.content["password"]))
        if text is not None:
            header = self.make_header("input_reply")
            self.send_frames(self.frames(header, {"value": text}, parent=message.header), "stdin")

    def _file_published(self, exchange: Exchange, message: Message) -> None:
        late = exchange.goes_on and message.type == "stream"
        assert exchange.idle is None or late, f"published after idle: {message}"
        if message.type == "status":
            _file_status(exchange, message)
            return
        assert exchange.busy is not None, f"published before busy: {message}"
        if message.type == "execute_input":
            assert exchange.echo is None, "two execute_input"
            assert not exchange.outputs, f"output before execute_input: {exchange.outputs[0]}"
            assert message.content["code"] == exchange.content["code"]
            exchange.echo = message
        else:
            exchange.outputs.append(message)

    # The end.

    def finish(self) -> None:
        """Insists that nothing is left: no open request, no unread output. A last request on each channel is the barrier."""
        self.wait(self.send("kernel_info_request", {}, "shell"), self.send("kernel_info_request", {}, "control"))
        self.until(lambda: all(e.done for e in self.exchanges.values()), lambda: _waiting(self.exchanges.values()))
        unread = [f"{e}: {m}" for e in self.exchanges.values() for m in e.unread()]
        assert not unread, "messages left unread:\n" + "\n".join(unread)

    def close(self) -> None:
        self.context.destroy(linger=0)


def _file_status(exchange: Exchange, message: Message) -> None:
    state = message.content["execution_state"]
    if state == "busy":
        assert exchange.busy is None, f"busy twice: {exchange}"
        exchange.busy = message
    else:
        assert state == "idle" and exchange.busy is not None, f"{state} before busy: {exchange}"
        exchange.idle = message


def _check_end(exchange: Exchange) -> None:
    """What can be told only when both the reply and idle are there."""
    reply = exchange.reply
    assert exchange.idle is not None
    if reply is None:
        return
    # They travel on different sockets; their dates tell which was made first.
    assert _date(reply) <= _date(exchange.idle), f"idle was sent before the reply: {exchange}"
    if reply.type != "execute_reply":
        return
    late = [m for m in exchange.outputs if _date(m) > _date(reply) and not exchange.goes_on]
    assert not late, f"{exchange}: sent after the reply: {late[0]}"
    silent = exchange.content.get("silent", False)
    aborted = reply.content["status"] == "aborted"
    assert (exchange.echo is None) == (silent or aborted), f"execute_input: {exchange}"
    if silent:
        assert not exchange.outputs, f"silent, but: {exchange.describe()}"
    if exchange.echo is not None:
        assert exchange.echo.content["execution_count"] == reply.content["execution_count"]
    if reply.content["status"] == "ok":
        assert isinstance(reply.content.get("user_expressions"), dict), f"user_expressions: {reply}"


def _date(message: Message) -> datetime:
    return datetime.fromisoformat(message.header["date"].replace("Z", "+00:00"))


def _waiting(exchanges: Any) -> str:
    missing = []
    for e in (e for e in exchanges if not e.done):
        parts = [n for n, there in (("reply", e.reply or not e.replies), ("idle", e.idle)) if not there]
        missing.append(f"{' and '.join(parts)} of {e}\n{e.describe()}")
    return f"{len(missing)} answers, first: {missing[0]}" if missing else "nothing"


def plain(error: dict[str, Any]) -> str:
    """An error's one line and its traceback, without colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join([error["evalue"], *error["traceback"]]))


def _json(part: Any) -> bytes:
    return part if isinstance(part, bytes) else json.dumps(part, ensure_ascii=False).encode()


def _bytes(key: Any) -> bytes:
    return key if isinstance(key, bytes) else key.encode()
