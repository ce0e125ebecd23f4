"""What stays the same of a notebook's outputs from run to run: all but figures, durations, and whom they name as the faster one."""

from __future__ import annotations

import re
from typing import Any

# What may differ between two runs of the same notebook, and what it becomes.
VARIES = [
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
    (re.compile(r"\b\d+(\.\d+)? ?(ns|µs|us|ms|s)\b"), "<duration>"),
    (re.compile(r"0x[0-9a-f]{6,}"), "<address>"),
    (re.compile(r"built \d+ crates?"), "built <crates>"),
    (re.compile(r"rustc \d+\.\d+\.\d+[^\n]*"), "<rustc>"),
    (re.compile(r"/[\w./-]+/(?=[\w.-])"), "<folder>/"),
    # Which versions there are today, and how many of the crates were built before.
    (re.compile(r"^added [\w-]+ .*$", re.MULTILINE), "added <crates>"),
]

# A figure with its unit, as a measurement writes it, and as Rust does.
FIGURE = re.compile(r"<?-?\d[\d,._]*(e-?\d+)?( ?(ns|µs|ms|s|[KMG]?i?B|%|×))?(?!\w)")

# In what a measurement says, also the figures, how many there are of something, and whether there were outliers.
FIGURES = [
    (re.compile(r"^.* · (?=opt-level \d)", re.MULTILINE), "<machine> · "),
    (FIGURE, "#"),
    (re.compile(r"<#"), "#"),
    (re.compile(r"# to #"), "#"),
    (re.compile(r" · # outliers? of #"), ""),
    (re.compile(r"\b(allocation|free|loop|run|start|thread)s\b"), r"\1"),
    (re.compile(r"\((# start|supposed)\)"), "(# start)"),
    (re.compile(r"[ \n]*\n"), "\n"),
    (re.compile(r" {2,}"), " "),
]

# The lines of a result that are there in every run, by its kind. The last one, where it comes from, is there in all kinds but one.
CONTEXT = "noise floor"
KEPT = {
    "timeit": re.compile(rf"per loop|^median |^Not timed|{CONTEXT}"),
    "time": re.compile(r"^CPU times|^Wall time|^Compiler"),
    "compare": re.compile(rf"^The results|^Not checked|{CONTEXT}"),
    "memit": re.compile(rf"^peak |still live:|^What is still live|^Where it was|{CONTEXT}"),
    # Which functions and lines samples met is a figure: with -z, lines of which nothing is known are left out.
    "lprun": re.compile(rf"^File:|^Function:|{CONTEXT}"),
    # The lines of the source: bytes are counted.
    "mprun": re.compile(rf"^# |{CONTEXT}"),
}
# The names of rows that are there in every run; those of other kinds are figures themselves, or stand in the order of figures.
ROWS = ("timeit", "time")
# A claim is kept, and not whether the machine could tell it.
CLAIM = re.compile(r"claimed: (.*?)(?=, which cannot be told|$)", re.MULTILINE)


def normal(text: str) -> str:
    for pattern, instead in VARIES:
        text = pattern.sub(instead, text)
    return text.strip()


def without_figures(text: str) -> str:
    """What a cell printed, or why it failed: the words, and what stands where a number stood, however wide that was."""
    return re.sub(r"[ \t]{2,}", " ", FIGURE.sub("#", normal(text)))


def without_fractions(text: str) -> str:
    """A value: whole numbers are counts and stay, all others may come from a clock. A result that is a value is figures alone."""
    text = re.sub(r"^<(\w+Result) : .*>$", r"<\1>", normal(text), flags=re.DOTALL)
    return re.sub(r"-?\d[\d_]*\.\d+(e-?\d+)?", "#", text)


def form(output: Any) -> tuple[Any, ...] | None:
    """What stays the same of a result that was measured, or of its chart; nothing of other outputs."""
    text = output.data.get("text/plain", "")
    if {"image/png", "image/svg+xml"} <= output.data.keys():
        return ("chart", text.splitlines()[0], output.metadata["image/png"]["width"])
    raw = output.metadata.get("assay")
    if raw is None:
        return None
    kind = raw["kind"]
    for doubt in raw.get("warnings", []):
        text = text.replace(doubt, "")
    for pattern, instead in FIGURES:
        text = pattern.sub(instead, text)
    kept = KEPT.get(kind, re.compile(CONTEXT))
    told = [line for line in map(str.strip, text.splitlines()) if kept.search(line)]
    if kind == "complexity":
        # Which class is named, and whether a busy machine came to the larger sizes, is a figure too.
        told = [line for line in text.splitlines() if line.strip().startswith(f"{raw['variable']} ")] + told
    if kind == "mprun":
        told = [line.lstrip("# ▁▂▃▄▅▆▇█") for line in told]
    told += CLAIM.findall(output.data.get("text/plain", ""))
    heads = re.findall(r'<th scope="(col|row)"[^>]*>(.*?)</th>', output.data["text/html"])
    named = [head for scope, head in heads if head != "Outliers" and (scope == "col" or kind in ROWS)]
    return (kind, told, named)


def error(output: Any) -> tuple[str, str, Any]:
    """An error's name and text; of a claim that did not hold the claim."""
    claim = CLAIM.findall(output.evalue)
    return ("error", output.ename, claim or without_figures("\n".join(output.traceback)))


def outputs(cell: Any) -> list[Any]:
    """A cell's outputs as they are compared: streams joined, what varies replaced, of what was measured the form alone."""
    told: list[Any] = []
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            if told and told[-1][:2] == ("stream", output.name):
                told[-1] = ("stream", output.name, told[-1][2] + output.text)
            else:
                told.append(("stream", output.name, output.text))
        elif output.output_type == "error":
            told.append(error(output))
        elif measured := form(output):
            told.append((output.output_type, measured))
        else:
            data = {mime: without_fractions(text) if isinstance(text, str) else text for mime, text in sorted(output.data.items())}
            told.append((output.output_type, data))
    return [(*t[:2], without_figures(t[2])) if t[0] == "stream" else t for t in told]
