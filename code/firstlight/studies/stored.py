"""Stored runs: sweeps too long for the build, kept as a small table with a card."""

from __future__ import annotations

import csv
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from firstlight.studies.cards import Fingerprint, same_fingerprint, versions, write_card

__all__ = ["Band", "RUNS", "Sweep", "prediction_interval", "read_run", "run_sweep", "write_rows"]

RUNS = Path(__file__).with_name("runs")
Row = dict[str, Any]


@dataclass(frozen=True)
class Sweep:
    """A table to be made: a function, and the points at which it is called.

    Args:
        name: Of the files `runs/<name>.csv` and `.card.json`.
        points: Keyword arguments of each call; they become the first columns.
        measure: Called as `measure(**point)`, returns the other columns.
        fingerprint: What the rows depend on, now.
    """

    name: str
    points: Sequence[Mapping[str, Any]]
    measure: Callable[..., Mapping[str, float]]
    fingerprint: Callable[[], Fingerprint]

    @property
    def command(self) -> str:
        """What makes the table anew."""
        return f"firstlight sweep {self.name} --resume"


def read_run(name: str, folder: Path | None = None) -> list[Row]:
    """The rows of a stored run; numbers as floats, anything else as text.

    Args:
        name: Of the stored run.
        folder: Where it lies; the package's `studies/runs` by default.

    Raises:
        FileNotFoundError: If it was never made, with the command that makes it.
    """
    path = (folder or RUNS) / f"{name}.csv"
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such stored run. Make it: firstlight sweep {name}")
    with open(path, newline="", encoding="utf-8") as file:
        return [{key: _number(text) for key, text in row.items()} for row in csv.DictReader(file)]


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a table, whole or not at all."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    scratch = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(scratch, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            for row in rows:
                writer.writerow({k: f"{v:.6g}" if isinstance(v, float) else v
                                 for k, v in row.items()})  # fmt: skip
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


def _same_point(row: Mapping[str, Any], point: Mapping[str, Any]) -> bool:
    return all(str(_number(str(row.get(k)))) == str(_number(str(v))) for k, v in point.items())


def run_sweep(sweep: Sweep, out: Path | None = None, resume: bool = True) -> Path:
    """Make every point of a sweep that is not made yet, writing the table after each.

    Args:
        sweep: What to make.
        out: Folder; the package's `studies/runs` by default.
        resume: Keep the rows of a table whose card still matches. Otherwise start anew.

    Returns:
        The csv file.
    """
    folder = out or RUNS
    folder.mkdir(parents=True, exist_ok=True)
    table, card = folder / f"{sweep.name}.csv", folder / f"{sweep.name}.card.json"
    now = sweep.fingerprint()
    rows = read_run(sweep.name, folder) if resume and _matches(card, now) and table.exists() else []
    began = time.perf_counter()
    for point in _watched(sweep.points):
        if not any(_same_point(row, point) for row in rows):
            rows.append({**point, **sweep.measure(**point)})
            write_rows(table, rows)
        wall = time.perf_counter() - began
        write_card(card, _card(sweep, rows, now, wall))
    return table


def _matches(card: Path, now: Fingerprint) -> bool:
    if not card.exists():
        return False
    stored = json.loads(card.read_text(encoding="utf-8"))
    return not same_fingerprint(stored["fingerprint"], now)


def _watched(points: Sequence[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    from tqdm import tqdm

    return tqdm(points, unit="point", disable=None)


def _card(sweep: Sweep, rows: Sequence[Row], now: Fingerprint, wall_s: float) -> Row:
    import platform

    first = {k: v for k, v in rows[0].items() if isinstance(v, float) and k not in sweep.points[0]}
    return {
        "name": sweep.name,
        "command": sweep.command,
        "points": len(rows),
        "complete": len(rows) == len(sweep.points),
        "fingerprint": now.as_dict(),
        "metrics": first,
        "bands": {},
        "device": platform.processor() or platform.machine(),
        "wall_s": round(wall_s, 1),
        "versions": versions(),
    }


class Band(NamedTuple):
    """The interval in which the next value is expected."""

    low: float
    high: float


def prediction_interval(values: Sequence[float], confidence: float = 0.999) -> Band:
    """Where one more value from the same normal distribution will lie.

    Args:
        values: Ten or more measurements under different seeds.
        confidence: Probability that the next one lies inside.

    Returns:
        Mean plus and minus t s sqrt(1 + 1/n), with Student's t of n - 1 degrees of freedom.

    Raises:
        ValueError: If there are fewer than ten values.
    """
    from scipy import stats

    x = np.asarray(values, float)
    if len(x) < 10:
        raise ValueError(
            f"values: received {len(x)}, expected 10 or more. Run more seeds: firstlight sweep."
        )
    t = stats.t.ppf((1 + confidence) / 2, len(x) - 1)
    half = t * x.std(ddof=1) * np.sqrt(1 + 1 / len(x))
    return Band(float(x.mean() - half), float(x.mean() + half))
