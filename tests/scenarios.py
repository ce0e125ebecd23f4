"""The notation of ``engines/*.cells``: short notebooks, each cell with what must come of it, and how the two are compared.

    === the name of a scenario
    let kept = 1;
    ---
    println!("kept"); kept
    stdout> kept
    => 1
    ---
    let text: String = kept;
    error> E0308 mismatched types at cell[3]:1:20
    says> expected `String`, found `i32`

What stands above the first scenario is prose. A line of ``---`` ends a cell. Below the code stands its outcome, a line for each thing:

    => TEXT             the value, as plain text
    stdout> TEXT        a line of standard output
    TYPE/SUBTYPE> TEXT  a line of something shown, of this MIME type
    stderr> PIECE       a piece of what is on standard error (warnings and notes are there)
    error> NAME PIECE   the cell fails: the error's name, and a piece of its one line, which ends with its place
    says> PIECE         a piece of the error's whole text
    never> PIECE        a piece that stands neither in the error's text nor on standard error

Values, output and displays must be these and no others, in this order, and standard error is empty unless a line tells of it; a cell
without such lines does nothing that can be seen. Lines of one kind that follow each other are one text. ``…`` stands for anything
within a line.
``cell[2]`` is the scenario's second cell, whatever its number is in the kernel.

``lines> CRLF`` sends the cell with other line ends; ``interrupt> TEXT`` interrupts it when it has printed the text.

The lines above hold for every engine. An intended difference is stated below them, with its reason and with the whole outcome on that
engine, which is checked as well (so a difference that vanishes is noticed); or the cell is left out there:

    evcxr because: it keeps no closures
    error> E0425 cannot find value

    evcxr skips: it hangs
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from frontend import Exchange, FrontEnd

FOLDER = Path(__file__).parent / "engines"
ENGINES = ("native", "evcxr")

LINE = re.compile(r"(?P<kind>=>|stdout>|stderr>|error>|says>|never>|lines>|interrupt>|[a-z]+/[a-z.+-]+>)(?: (?P<text>.*))?")
DIFFERENCE = re.compile(r"(?P<engine>\w+) (?P<how>because|skips): (?P<reason>.+)")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Outcome:
    """What must come of a cell, or what came of it."""

    # Values, lines of output and displays in their order: the kind as the notation spells it, and the text.
    shown: list[tuple[str, str]] = field(default_factory=list)
    stderr: list[str] = field(default_factory=list)
    # "NAME PIECE", or none if the cell must not fail.
    error: str | None = None
    says: list[str] = field(default_factory=list)
    never: list[str] = field(default_factory=list)

    def show(self, kind: str, text: str) -> None:
        """Adds to what is seen; the same kind twice is one text of several lines."""
        if self.shown and self.shown[-1][0] == kind:
            text = f"{self.shown.pop()[1]}\n{text}"
        self.shown.append((kind, text))

    def __str__(self) -> str:
        lines = [(kind, line) for kind, text in self.shown for line in text.split("\n")]
        lines += [("stderr>", piece) for piece in self.stderr]
        lines += [("error>", self.error)] if self.error is not None else []
        lines += [("says>", piece) for piece in self.says] + [("never>", piece) for piece in self.never]
        return "\n".join(f"{kind} {text}".rstrip() for kind, text in lines) or "(nothing)"


@dataclass
class Cell:
    """A cell and what must come of it."""

    number: int
    code: str
    expected: Outcome
    # What comes of it on an engine that differs on purpose; none where the cell is left out.
    differing: dict[str, Outcome | None] = field(default_factory=dict)
    interrupt: str | None = None

    def on(self, engine: str) -> Outcome | None:
        return self.differing.get(engine, self.expected)


@dataclass
class Scenario:
    """A short notebook."""

    file: str
    title: str
    cells: list[Cell]

    def __str__(self) -> str:
        return f"{self.file}: {self.title}"


def scenarios() -> list[Scenario]:
    """Every scenario of every file."""
    return [scenario for path in sorted(FOLDER.glob("*.cells")) for scenario in read(path.stem, path.read_text())]


def read(file: str, text: str) -> list[Scenario]:
    """The scenarios of a file."""
    found = []
    for part in re.split(r"^=== ", text, flags=re.MULTILINE)[1:]:
        title, _, body = part.partition("\n")
        cells = re.split(r"^---\n", body, flags=re.MULTILINE)
        try:
            found.append(Scenario(file, title, [read_cell(n, cell) for n, cell in enumerate(cells, 1)]))
        except ValueError as error:
            raise ValueError(f"{file}.cells, {title}: {error}") from error
    return found


def read_cell(number: int, text: str) -> Cell:
    """A cell with what stands below it."""
    lines = text.rstrip("\n").split("\n")
    end = next((i for i, line in enumerate(lines) if LINE.fullmatch(line) or DIFFERENCE.fullmatch(line)), len(lines))
    cell = Cell(number, "\n".join(lines[:end]).rstrip("\n"), Outcome())
    outcome = cell.expected
    for line in filter(None, lines[end:]):
        if difference := DIFFERENCE.fullmatch(line):
            outcome = Outcome()
            engine = difference["engine"]
            if engine not in ENGINES or engine in cell.differing:
                raise ValueError(f"not an engine, or named twice: {line}")
            cell.differing[engine] = outcome if difference["how"] == "because" else None
        elif expectation := LINE.fullmatch(line):
            read_line(cell, outcome, expectation["kind"], expectation["text"] or "")
        else:
            raise ValueError(f"no such line below a cell: {line}")
    same = [engine for engine, outcome in cell.differing.items() if outcome == cell.expected]
    if same:
        raise ValueError(f"no difference is stated for {same} at cell {number}")
    return cell


def read_line(cell: Cell, outcome: Outcome, kind: str, text: str) -> None:
    match kind:
        case "error>":
            outcome.error = text
        case "stderr>" | "says>" | "never>":
            getattr(outcome, kind[:-1]).append(text)
        case "lines>":
            cell.code = cell.code.replace("\n", {"CRLF": "\r\n"}[text])
        case "interrupt>":
            cell.interrupt = text
        case _:
            outcome.show(kind, text)


def play(scenario: Scenario, engine: str, front: FrontEnd) -> None:
    """Runs a scenario's cells on the engine in use, and insists on each outcome; tells of every cell that had another."""
    numbers: dict[str, int] = {}
    told = []
    for cell in scenario.cells:
        expected = cell.on(engine)
        if expected is None:
            continue
        exchange = run(cell, front)
        assert exchange.reply is not None
        numbers[str(exchange.reply.content["execution_count"])] = cell.number
        seen = outcome_of(exchange, numbers)
        if wrong := differences(expected, seen):
            told.append("\n".join([f"--- cell {cell.number}", cell.code, *wrong, "--- what came", str(seen)]))
    assert not told, f"{scenario}, on {engine}\n" + "\n\n".join(told)


def run(cell: Cell, front: FrontEnd) -> Exchange:
    exchange = front.start(cell.code)
    if cell.interrupt is not None:
        front.until_output(exchange, cell.interrupt)
        front.request("interrupt_request", channel="control").ok()
    return front.wait(exchange)


def outcome_of(exchange: Exchange, numbers: dict[str, int]) -> Outcome:
    """What came of a cell, in the notation's terms."""

    def plain(text: str) -> str:
        """Without colours, and with the scenario's own numbers of cells."""
        return re.sub(r"cell\[(\d+)\]", lambda m: f"cell[{numbers.get(m[1], f'number {m[1]}')}]", COLOUR.sub("", text))

    outcome = Outcome()
    stderr = plain(exchange.stderr())
    outcome.stderr = [stderr] if stderr else []
    replaceable: dict[str, int] = {}
    for message in exchange.everything():
        if message.type == "stream" and message.content["name"] == "stdout":
            # Messages may be cut anywhere.
            outcome.shown.append(("stdout>", message.content["text"]))
        elif message.type in ("display_data", "execute_result"):
            if display := message.content.get("transient", {}).get("display_id"):
                replaceable[display] = len(outcome.shown)
            outcome.shown += [(kind, plain(text)) for kind, text in displayed(message.type, message.content["data"])]
        elif message.type == "update_display_data":
            # What was shown is replaced where it stands.
            at = replaceable[message.content["transient"]["display_id"]]
            [outcome.shown[at]] = [(kind, plain(text)) for kind, text in displayed(message.type, message.content["data"])]
    outcome.shown = joined(outcome.shown)
    assert exchange.reply is not None
    if exchange.reply.content["status"] == "error":
        error = exchange.error()
        outcome.error = plain(f"{error['ename']} {error['evalue']}")
        outcome.says = [plain("\n".join(error["traceback"]))]
    return outcome


def displayed(message: str, data: dict[str, str]) -> list[tuple[str, str]]:
    """What a bundle shows: its plain text only where there is nothing better."""
    better = [(f"{mime}>", text.strip("\n")) for mime, text in sorted(data.items()) if mime != "text/plain"]
    return better or [("=>" if message == "execute_result" else "text/plain>", data["text/plain"].strip("\n"))]


def joined(shown: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Pieces of output in one text each, without its last line end."""
    together: list[tuple[str, str]] = []
    for kind, text in shown:
        if kind == "stdout>" and together and together[-1][0] == kind:
            text = together.pop()[1] + text
        together.append((kind, text))
    return [(kind, text.removesuffix("\n")) for kind, text in together]


def differences(expected: Outcome, seen: Outcome) -> list[str]:
    """Each way in which what came is not what had to come."""
    wrong = []
    if not shown_alike(expected.shown, seen.shown):
        wrong.append(f"expected to be shown:\n{Outcome(expected.shown)}")
    if bool(expected.error) != bool(seen.error):
        wrong.append("it had to fail" if expected.error else "it failed")
    elif expected.error and not error_alike(expected.error, seen.error or ""):
        wrong.append(f"expected error> {expected.error}")
    if seen.stderr and not expected.stderr:
        wrong.append("nothing was expected on standard error")
    stderr, text = "".join(seen.stderr), "".join(seen.says)
    wrong += [f"expected stderr> {piece}" for piece in expected.stderr if not found(piece, stderr)]
    wrong += [f"expected says> {piece}" for piece in expected.says if not found(piece, text)]
    return wrong + [f"never> {piece}" for piece in expected.never if found(piece, stderr) or found(piece, text)]


def shown_alike(expected: list[tuple[str, str]], seen: list[tuple[str, str]]) -> bool:
    kinds_alike = [kind for kind, _ in expected] == [kind for kind, _ in seen]
    return kinds_alike and all(pattern(e).fullmatch(s) for (_, e), (_, s) in zip(expected, seen, strict=True))


def error_alike(expected: str, seen: str) -> bool:
    """The same name; the piece, and its place to the last figure."""
    name, _, piece = expected.partition(" ")
    seen_name, _, value = seen.partition(" ")
    # A column 1 is no piece of a column 12.
    whole = re.compile(pattern(piece).pattern + (r"(?!\d)" if piece else ""))
    return pattern(name).fullmatch(seen_name) is not None and whole.search(value) is not None


def found(piece: str, text: str) -> bool:
    return pattern(piece).search(text) is not None


def pattern(text: str) -> re.Pattern[str]:
    """A text in which `…` stands for anything."""
    return re.compile(".*".join(re.escape(part) for part in text.split("…")))
