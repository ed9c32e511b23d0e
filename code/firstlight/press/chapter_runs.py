"""Stored runs of chapters: a page's claims under many seeds, and a card that says if they stand.

The table holds the values; the bands stand in the page alone, so that a band that is tightened
is at once judged against every stored value.
"""

from __future__ import annotations

import ast
import csv
import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from firstlight.press.toc import Book
from firstlight.studies.cards import TOLERANCE, digest, versions, write_card

LINES = (
    r"simulate\(|train|\.fit\(|Dense\(|Conv2D\(|default_rng|random\.|seed\(|[Ss]teps|rate|"
    r"\.draw\(|sweep"
)
"""The lines of a page on which its results depend, where its card does not say otherwise."""


def _photometry() -> np.ndarray:
    from firstlight.sky import photometry

    both = [photometry.simulate(4, seed=5, red=red).magnitudes for red in (False, True)]
    return np.concatenate(both)


def _galaxies() -> np.ndarray:
    from firstlight.sky import galaxies

    sample = galaxies.simulate(3, seed=5, size=32)
    return np.concatenate([sample.images.mean(axis=(1, 2)), sample.probabilities[:, :3]], axis=1)


def _guiding() -> np.ndarray:
    from firstlight.sky import guiding

    return guiding.frames([[1.0, -2.0]], 10.0, seed=5)[0, 8:14, 11:15] / 10


def _lenses() -> np.ndarray:
    from firstlight.sky import lenses

    sample = lenses.simulate(3, seed=5, impostors="mixed")
    return np.concatenate([sample.images.mean(axis=(1, 2))[:, 0], sample.einstein_radius_arcsec])


def _mergers() -> np.ndarray:
    from firstlight.sky import mergers

    sample = mergers.simulate(4, seed=5, size=32)
    return np.concatenate([sample.images.mean(axis=(1, 2))[:, 1], sample.truth["moved"]])


SKIES: dict[str, tuple[str, Callable[[], np.ndarray]]] = {
    "photometry": (r"\b(photometry\.|redshifts\.samples\b)", _photometry),
    "galaxies": (r"\b(galaxies|population|galaxy_zoo)\.\w", _galaxies),
    "guiding": (r"\bguiding\.", _guiding),
    "lenses": (r"\blens_finder\b", _lenses),
    "mergers": (r"\bmergers\.simulate\b", _mergers),
}
"""For each simulator, how a page that uses it is recognised, and a few numbers it makes."""


@dataclass(frozen=True)
class Band:
    """A band as it stands in a page.

    Args:
        claim: Regular expression of the claim's name.
        low: Lower end, -inf if there is none.
        high: Upper end, inf if there is none.
    """

    claim: str
    low: float
    high: float


def code(text: str) -> list[str]:
    """The code cells of a page, without their options."""
    cells = re.findall(r"^```\{code-cell\}.*?\n(.*?)^```", text, flags=re.S | re.M)
    return [re.sub(r"^:.*\n", "", cell, flags=re.M) for cell in cells]


def bands(text: str) -> list[Band]:
    """The bands of a page's claims whose ends are plain numbers.

    Args:
        text: The page.

    Returns:
        One for every such `claim(...)`, in order; a name with a variable part, as in
        `f"demo.{name}"`, matches any claim that fits it.
    """
    found = []
    for cell in code(text):
        for node in ast.walk(ast.parse(cell)):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "claim"):
                continue
            ends = {k.arg: _number(k.value) for k in node.keywords if k.arg in ("low", "high")}
            if None not in ends.values():
                low, high = ends.get("low", -math.inf), ends.get("high", math.inf)
                found.append(Band(_pattern(node.args[0]), float(low), float(high)))  # type: ignore[arg-type]
    return found


def _number(node: ast.expr) -> float | None:
    """The value of a plain number or a sum or quotient of such, None for anything else."""
    plain = (ast.Constant, ast.UnaryOp, ast.BinOp, ast.operator, ast.unaryop)
    if not all(isinstance(part, plain) for part in ast.walk(node)):
        return None
    value = eval(compile(ast.Expression(node), "band", "eval"), {"__builtins__": {}})
    return None if value is None else float(value)


def _pattern(name: ast.expr) -> str:
    if isinstance(name, ast.Constant):
        return re.escape(str(name.value))
    if isinstance(name, ast.JoinedStr):
        return "".join(
            re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+?"
            for part in name.values
        )
    return "(?!)"


def fingerprint(text: str, lines: str = LINES) -> dict[str, Any]:
    """What a page's results depend on.

    Args:
        text: The page.
        lines: Regular expression that marks the lines on which they do.

    Returns:
        `training`: digest of the marked lines, without comments and without bands;
        `simulator`: a few numbers from each simulator that the page uses.
    """
    plain = [
        re.sub(r"\s+#.*", "", line).strip() for cell in code(text) for line in cell.split("\n")
    ]
    marked = [re.sub(r", (low|high)=.*", "", line) for line in plain if re.search(lines, line)]
    used = "\n".join(code(text))
    skies = {name: make() for name, (known, make) in SKIES.items() if re.search(known, used)}
    rounded = {name: np.round(np.asarray(a, float), 4).ravel() for name, a in skies.items()}
    return {"training": digest(marked), "simulator": rounded}


def store(book: Book, name: str, table: Path, cpu_s: float, lines: str = "") -> Path:
    """Write the card of a table that `seeds` has just written, beside it.

    Args:
        book: The book.
        name: The chapter.
        table: The table.
        cpu_s: CPU seconds of one seed.
        lines: See `fingerprint`; empty for those of the card that is there, or `LINES`.

    Returns:
        The card's path.
    """
    path = table.with_suffix(".card.json")
    before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    lines = lines or before.get("lines", LINES)
    rows = read_table(table)
    seeds = sorted({row[1] for row in rows})
    page = book.page(name)
    means = {c: float(np.mean([v for k, _, v, _, _ in rows if k == c])) for c, *_ in rows}
    write_card(path, {
        "chapter": page.docname.removeprefix("book/"),
        "command": f"python -m firstlight.press seeds {page.docname.removeprefix('book/')} "
                   f"-n {len(seeds)} --first {seeds[0]} --csv {_inside(book, table)}",
        "seeds": seeds, "versions": versions(), "device": "CPU, one thread",
        "cpu_s_per_seed": round(cpu_s), "metrics": {k: float(f"{v:.6g}") for k, v in means.items()},
        "lines": lines, "fingerprint": fingerprint(page.text, lines),
    })  # fmt: skip
    return path


def _inside(book: Book, table: Path) -> str:
    table, root = table.resolve(), book.root.resolve()
    return table.relative_to(root).as_posix() if table.is_relative_to(root) else table.as_posix()


def read_table(table: Path) -> list[tuple[str, int, float, float, float]]:
    """The rows of a table: claim, seed, value, and the band it had when it was run."""

    def end(text: str, none: float) -> float:
        return float(text) if text else none

    with table.open(newline="", encoding="utf-8") as file:
        return [
            (r["claim"], int(r["seed"]), float(r["value"]), end(r["low"], -math.inf),
             end(r["high"], math.inf))
            for r in csv.DictReader(file)
        ]  # fmt: skip


def troubles(table: Path, card: dict[str, Any], text: str) -> Iterator[str]:
    """What is wrong with a chapter's stored run.

    Args:
        table: The table.
        card: Its card.
        text: The chapter's page, as it is now.

    Yields:
        One line for every trouble: too few seeds, a value outside its present band, a line
        of the page or a simulator that has changed since, each with the command that mends it.
    """
    rows = read_table(table)
    seeds = sorted({row[1] for row in rows})
    again = f"make it anew: {card['command']}"
    if len(seeds) < 10 or seeds != card["seeds"]:
        yield f"{table.name}: {len(seeds)} seeds, expected ten or more, those of its card; {again}"
    present = bands(text)
    for claim, seed, value, low, high in rows:
        for band in present:
            if re.fullmatch(band.claim, claim):
                low, high = band.low, band.high
                break
        if not low <= value <= high:
            yield f"{claim} is {value:.6g} at seed {seed}, outside {low:g} to {high:g}"
    now = fingerprint(text, card["lines"])
    if card["fingerprint"]["training"] != now["training"]:
        yield f"{table.name}: a line of the page that its results depend on has changed; {again}"
    for sky, numbers in now["simulator"].items():
        then = card["fingerprint"]["simulator"].get(sky, [])
        if len(then) != len(numbers) or not np.allclose(then, numbers, TOLERANCE, TOLERANCE):
            yield f"{table.name}: sky.{sky} has changed; {again}"
