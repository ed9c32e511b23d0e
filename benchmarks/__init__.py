"""Benchmarks: what this book costs, beside what one would otherwise do.

One module per benchmark, each with `run() -> list[Row]`; `python -m benchmarks` (or
`make bench`) finds them, runs them one after the other and prints all rows side by side.
To add one, add a module; nothing else lists them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One comparison.

    Args:
        what: What is compared, in a few words.
        ours: What this book needs or reaches.
        other: What the alternative needs or reaches, in the same unit.
        unit: The unit of both.
        ratio: The number that is judged.
        aim: What it should be.
        at_most: Whether `aim` is an upper bound (else a lower one).
        note: The conditions that a reader must know to believe the row.
    """

    what: str
    ours: float
    other: float
    unit: str
    ratio: float
    aim: float
    at_most: bool = True
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether the ratio is where it should be."""
        return self.ratio <= self.aim if self.at_most else self.ratio >= self.aim

    def cells(self) -> list[str]:
        """The row as it is printed."""
        bound = "at most" if self.at_most else "at least"
        ours, other = (f"{value:,.4g} {self.unit}" for value in (self.ours, self.other))
        judged = "met" if self.met else "MISSED"
        return [self.what, ours, other, f"{self.ratio:.3g}", f"{bound} {self.aim:g}", judged]


def table(rows: Sequence[Row]) -> str:
    """All rows side by side, their notes below.

    Args:
        rows: What the benchmarks found.

    Returns:
        Plain text.

    Example:
        >>> print(table([Row("draw", 400, 100, "images/s", 4, 3, at_most=False)]))
        benchmark  ours          other         ratio  aim         verdict
        draw       400 images/s  100 images/s  4      at least 3  met
    """
    head = ["benchmark", "ours", "other", "ratio", "aim", "verdict"]
    lines = [head] + [row.cells() for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines]  # fmt: skip
    notes = [f"{row.what}: {row.note}" for row in rows if row.note]
    return "\n".join(text + ([""] + notes if notes else []))
