"""Figures of several rounds: ratios with what they are known to, shares with what they may be, goals, and tables of text."""

from __future__ import annotations

import math
import random
import statistics
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# What a ratio may be off by: the project's goal for medians.
TOLERANCE = 0.03
# A ratio that is not known to this says nothing of three percent.
USELESS = 0.10
RESAMPLES = 2000
# Of the normal distribution, for 95 %.
Z = 1.96


@dataclass
class Goal:
    """A figure beside what it should be."""

    what: str
    figure: str
    goal: str
    # None if it could not be told.
    reached: bool | None


@dataclass
class Ratio:
    """The median of the ratios of several rounds, with its 95 % interval by the bootstrap."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, ratios: Sequence[float]) -> Ratio:
        draw = random.Random(1)
        medians = sorted(statistics.median(draw.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES))
        return cls(statistics.median(ratios), medians[int(0.025 * RESAMPLES)], medians[int(0.975 * RESAMPLES) - 1])

    @property
    def noise(self) -> float:
        """To what it is known."""
        return (self.high - self.low) / 2

    def verdict(self) -> str:
        """Whether it is 1, to the tolerance."""
        if self.noise > USELESS:
            return "too noisy"
        if abs(self.value - 1) <= TOLERANCE:
            return "within"
        # The interval reaches into the tolerance.
        return "in the noise" if self.low <= 1 + TOLERANCE and self.high >= 1 - TOLERANCE else "OUTSIDE"

    def __str__(self) -> str:
        return f"{self.value:.3f} ±{self.noise:.3f}"


def all_within(verdicts: Iterable[str]) -> bool | None:
    """None if nothing is outside, and something too noisy to tell."""
    verdicts = set(verdicts)
    if "OUTSIDE" in verdicts:
        return False
    return None if not verdicts or "too noisy" in verdicts else True


def counted(verdicts: Sequence[str]) -> str:
    kinds = ("within", "in the noise", "OUTSIDE", "too noisy")
    return ", ".join(f"{verdicts.count(kind)} {kind}" for kind in kinds if kind in verdicts)


def spread(values: Sequence[float]) -> str:
    """Half the width of the middle half, as a share of the median."""
    if len(values) < 2:
        return "-"
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{50 * (high - low) / middle:.1f} %" if middle else "-"


def share(found: int, of: int) -> str:
    """A share with its 95 % interval, Wilson's."""
    if of == 0:
        return "-"
    p = found / of
    centre = (p + Z**2 / (2 * of)) / (1 + Z**2 / of)
    half = Z * math.sqrt(p * (1 - p) / of + Z**2 / (4 * of**2)) / (1 + Z**2 / of)
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return f"{100 * p:.1f} % of {of} ({100 * low:.1f} to {100 * high:.1f})"


def duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if abs(seconds) >= size:
            return f"{seconds / size:.4g} {unit}"
    return f"{seconds / 1e-9:.3f} ns"


def table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> None:
    """Prints a table. The first columns are words and stand to the left, the others to the right."""
    rows = [heads, *rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    print(f"\n{title}")
    for row in rows:
        places = zip(row, widths, strict=True)
        aligned = (text.ljust(width) if column < words else text.rjust(width) for column, (text, width) in enumerate(places))
        print("  ".join(aligned).rstrip(), flush=True)


def progress(text: str) -> None:
    print(f"==> {text}", file=sys.stderr, flush=True)
