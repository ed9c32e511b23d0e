"""What an evaluation of a reader's data has found, before it is drawn or written."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.evaluation.home_sky import Shift
from firstlight.studies.own_data import Metric, Scored

__all__ = ["Collected", "Example", "Outcome", "Predictions"]

STATUS = ("judged", "mended", "left out")


@dataclass(frozen=True)
class Example:
    """One object for the figure: an image in sky sigma, or a curve (phases, magnitudes)."""

    name: str
    score: float
    picture: Any


@dataclass
class Outcome:
    """All that the report says.

    Args:
        study: Name of the study.
        source: What was read, in words.
        score: What the score is, in words.
        caution: What it does not mean.
        weights: The file of weights.
        objects: "stamps" or "stars".
        n: Objects in the file.
        left_out: Row, name and reason of each that was not judged.
        mended: Likewise, of those that were judged after a repair.
        scores: Of those judged.
        classes: Name and number of each class.
        home_scores: The same network on its own sky.
        shifts: Statistic by statistic.
        strangers: How many objects lie beyond the training sky in some statistic.
        notes: What was assumed.
        warnings: What should make a reader stop.
        metrics: Where labels are given.
        labeled: How many objects had one.
        reliability: Predicted, observed, counts in bins; None without labels.
        high: Examples of the highest scores.
        low: Examples of the lowest.
    """

    study: str
    source: str
    score: str
    caution: str
    weights: Path
    objects: str
    n: int = 0
    left_out: list[tuple[int, str, str]] = field(default_factory=list)
    mended: list[tuple[int, str, str]] = field(default_factory=list)
    scores: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    classes: Counter[str] = field(default_factory=Counter)
    home_scores: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    shifts: list[Shift] = field(default_factory=list)
    strangers: int = 0
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    metrics: list[Metric] = field(default_factory=list)
    labeled: int = 0
    reliability: tuple[NDArray[Any], NDArray[Any], NDArray[Any]] | None = None
    high: list[Example] = field(default_factory=list)
    low: list[Example] = field(default_factory=list)

    @property
    def judged(self) -> int:
        """How many objects have a score."""
        return len(self.scores)


class Predictions:
    """The table of predictions, written row by row and put in place when it is whole.

    Args:
        path: The csv file.
        columns: Further columns of the network.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path = path
        self.part = path.with_name(f".{path.name}.{os.getpid()}.part")
        self.columns = columns

    def __enter__(self) -> Predictions:
        self.file = open(self.part, "w", newline="", encoding="utf-8")  # noqa: SIM115
        self.rows = csv.writer(self.file)
        self.rows.writerow(["row", "id", "score", "class", "status", "reason", "unlike_training",
                            *self.columns])  # fmt: skip
        return self

    def judged(self, row: int, name: str, scored: Scored, k: int, reason: str, far: str) -> None:
        """One object with a score."""
        more = [f"{value:.5f}" for value in scored.more[k]]
        self.rows.writerow([row, name, f"{scored.scores[k]:.6f}", scored.classes[k],
                            STATUS[bool(reason)], reason, far, *more])  # fmt: skip

    def left_out(self, row: int, name: str, reason: str) -> None:
        """One object without."""
        self.rows.writerow([row, name, "", "", STATUS[2], reason, "", *[""] * len(self.columns)])

    def __exit__(self, kind: object, *_: object) -> None:
        self.file.close()
        if kind is None:
            os.replace(self.part, self.path)
        else:
            self.part.unlink(missing_ok=True)


class Collected:
    """The few objects with the highest and the lowest scores, as they go by.

    Args:
        each: How many of either.
    """

    def __init__(self, each: int) -> None:
        self.each = each
        self.high: list[Example] = []
        self.low: list[Example] = []

    def add(self, examples: Iterable[Example]) -> None:
        """Looks at a batch."""
        batch = list(examples)
        self.high = sorted([*self.high, *batch], key=lambda e: -e.score)[: self.each]
        self.low = sorted([*self.low, *batch], key=lambda e: e.score)[: self.each]
