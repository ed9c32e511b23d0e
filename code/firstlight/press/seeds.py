"""Runs a chapter under other seeds and prints every claim's scatter beside its band."""

from __future__ import annotations

import csv
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from firstlight.press.chapter import read_chapter
from firstlight.press.chapter_runs import store
from firstlight.press.errors import PressError
from firstlight.press.execute import Manner, Outcome, Task, describe, execute
from firstlight.press.toc import Book
from firstlight.press.tracing import read_trace


@dataclass
class Scatter:
    """A claim under several seeds.

    Args:
        name: The claim.
        unit: Its unit.
        rows: `(seed, value, low, high)` of each seed that measured it.
        skipped: Why it was not measured, where it was not.
    """

    name: str
    unit: str = ""
    rows: list[tuple[int, float, float | None, float | None]] = field(default_factory=list)
    skipped: str = ""

    @property
    def out(self) -> list[int]:
        """The seeds whose value is out of the band (or no number at all)."""
        return [seed for seed, value, low, high in self.rows if not held(value, low, high)]


def held(value: float, low: float | None, high: float | None) -> bool:
    """Does a value lie in its band? A value that is no number never does."""
    low = -math.inf if low is None else low
    return math.isfinite(value) and low <= value <= (math.inf if high is None else high)


def run_seeds(
    book: Book, name: str, n: int = 5, *, first: int = 101, jobs: int | None = None,
    table: Path | None = None,
) -> int:  # fmt: skip
    """Execute a chapter under other seeds, in a temporary folder, and print its claims.

    Args:
        book: The book.
        name: The chapter.
        n: How many seeds.
        first: The first of them; the others follow.
        jobs: How many at once.
        table: A CSV file to write the values to (`claim, seed, value, low, high, unit`);
            the card goes beside it, see `chapter_runs`.

    Returns:
        0 if every claim held under every seed, else 1.

    Raises:
        PressError: If the page is not a chapter with cells.
    """
    page = book.page(name)
    if not page.executable:
        raise PressError(f"{page.docname}.md has no code cells, so no claims.")
    chapter = read_chapter(book.root, page)
    tasks = [
        Task(chapter, f"seed {seed}", None,
             {"FIRSTLIGHT_SEED": str(seed), "FIRSTLIGHT_CLAIMS": "record"})
        for seed in range(first, first + n)
    ]  # fmt: skip
    claims: dict[str, Scatter] = {}
    failures: list[str] = []
    cpu_s: list[float] = []

    def ended(outcome: Outcome) -> str:
        label = outcome.task.label
        if outcome.failure:
            failures.append(describe(f"{page.docname}.md, {label}", outcome.failure))
            return "failed"
        cpu_s.append(outcome.result["cpu_s"])
        _collect(claims, int(label.split()[-1]), read_trace(outcome.trace).claims)
        return f"done in {outcome.result['wall_s']:.0f} s"

    print(f"{page.docname} under seeds {first} to {first + n - 1}:")
    execute(book, tasks, ended, Manner(jobs=jobs))
    print(report(claims))
    for failure in failures:
        print(f"\n{failure}")
    if table is not None:
        write_table(table, claims)
        card = store(book, name, table, mean(cpu_s)) if claims else "no card: no claims"
        print(f"values in {table}, {card}")
    return 1 if failures or any(claim.out for claim in claims.values()) else 0


def _collect(claims: dict[str, Scatter], seed: int, found: list[dict[str, Any]]) -> None:
    for claim in found:
        scatter = claims.setdefault(claim["name"], Scatter(claim["name"], claim.get("unit", "")))
        if "skipped" in claim:
            scatter.skipped = claim["skipped"]
        else:
            scatter.rows.append((seed, float(claim["value"]), claim["low"], claim["high"]))
            scatter.rows.sort()


def report(claims: dict[str, Scatter]) -> str:
    """The table that `make seeds` prints.

    Args:
        claims: The claims.

    Returns:
        For each claim its mean, scatter, extremes and band, with a mark for every
        claim that was out of its band, and a closing line.
    """
    if not claims:
        return "no claims"
    width = max(len(name) for name in claims)
    heads = ("mean", "scatter", "lowest", "highest")
    lines = ["", f"{'claim':<{width}}  " + "  ".join(f"{h:>10}" for h in heads) + "  band"]
    for claim in claims.values():
        if not claim.rows:
            lines.append(f"{claim.name:<{width}}  not measured: {claim.skipped}")
            continue
        values = [row[1] for row in claim.rows]
        spread = stdev(values) if len(values) > 1 else math.nan
        numbers = (mean(values), spread, min(values), max(values))
        mark = "  OUT at seed " + ", ".join(map(str, claim.out)) if claim.out else ""
        lines.append(
            f"{claim.name:<{width}}  " + "  ".join(f"{x:>10.5g}" for x in numbers)
            + f"  {_band(*claim.rows[0][2:])}{mark}"
        )  # fmt: skip
        lines.append(f"{'':<{width}}  values: " + ", ".join(f"{x:.5g}" for x in values))
    out = [claim.name for claim in claims.values() if claim.out]
    lines += ["", f"out of band: {', '.join(out)}" if out else "every claim held"]
    return "\n".join(lines)


def _band(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high:g}"
    return f"at least {low:g}" if high is None else f"{low:g} to {high:g}"


def write_table(path: Path, claims: dict[str, Scatter]) -> None:
    """Write the values as a CSV table, one row per claim and seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("claim", "seed", "value", "low", "high", "unit"))
        for claim in claims.values():
            for seed, value, low, high in claim.rows:
                writer.writerow((claim.name, seed, repr(value), low, high, claim.unit))
    os.replace(partial, path)
