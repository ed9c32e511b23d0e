"""Studies that judge a reader's own data: what each offers, and where it stands.

A study joins by one line in `MODULES` and a module beside it with a function
`task(weights, scale)` that returns a `Task`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from firstlight.evaluation.metrics import Interval

__all__ = ["MODULES", "Metric", "Scored", "Task", "binary_metrics", "get", "yes_or_no"]

MODULES = {
    "galaxy-zoo": "firstlight.studies.galaxy_zoo_data",
    "lens-finder": "firstlight.studies.lens_finder_data",
    "mergers": "firstlight.studies.mergers_data",
    "rr-lyrae": "firstlight.studies.rr_lyrae_data",
}


class Scored(NamedTuple):
    """What a network says of some objects.

    Args:
        scores: One number an object, 0 to 1, (k,).
        classes: Its name for each, (k,).
        more: Further columns for the table of predictions, (k, columns).
    """

    scores: NDArray[np.float32]
    classes: NDArray[Any]
    more: NDArray[np.float32]


def yes_or_no(scores: NDArray[np.float32], no: str, yes: str, threshold: float = 0.5) -> Scored:
    """What a network says that has one output and no further columns.

    Args:
        scores: Shape (k,).
        no: Name of what scores up to the threshold.
        yes: Name of what scores above.
        threshold: Of the score.

    Example:
        >>> yes_or_no(np.array([0.2, 0.7], np.float32), "dark", "bright").classes.tolist()
        ['dark', 'bright']
    """
    names = np.array([no, yes])[(scores > threshold).astype(int)]
    return Scored(scores, names, np.empty((len(scores), 0), np.float32))


class Metric(NamedTuple):
    """A number of the report, with its 95 % interval."""

    name: str
    value: Interval
    words: str


@dataclass(frozen=True)
class Task:
    """A trained network and all that is needed to apply it to data from outside.

    Args:
        study: Its name.
        accepts: An `inputs.ImageInput`, or a `curve_inputs.CurveInput`.
        score: What the score is, in words.
        score_batch: From input to `Scored`.
        columns: Names of the further columns.
        classes: Names that labels may have, and their numbers.
        judge: `judge(labels, scored, votes)` for the objects that have labels or votes.
        reliable: `reliable(labels, scores)`: labels of 0 and 1 as the score means them.
        caution: What the score does not mean, in one or two sentences.
        weights: For the report.
        votes: Number of vote fractions that may stand in for labels, 0 if none may.
    """

    study: str
    accepts: Any
    score: str
    score_batch: Callable[[Any], Scored]
    classes: Mapping[str, int]
    judge: Callable[[NDArray[Any], Scored], list[Metric]]
    positive: Callable[[NDArray[Any]], NDArray[np.bool_]]
    caution: str
    weights: Path
    columns: tuple[str, ...] = ()
    votes: int = 0
    judge_votes: Callable[[NDArray[Any], Scored], list[Metric]] | None = None
    positive_votes: Callable[[NDArray[Any]], NDArray[Any]] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def get(name: str, weights: Path | None = None, scale: str = "full") -> Task:
    """The task of a study.

    Args:
        name: One of `MODULES`.
        weights: An npz file beside its card; None for those of the package.
        scale: Which of the package's weights, where there are several ("full-hard").

    Raises:
        ValueError: If the study does not take data from outside.
        FileNotFoundError: If there are no weights.
    """
    if name not in MODULES:
        raise ValueError(f"--data: received the study {name!r}, expected one that takes data from "
                         f"outside: {', '.join(MODULES)}.")  # fmt: skip
    return import_module(MODULES[name]).task(weights, scale)


def binary_metrics(
    labels: NDArray[Any], scores: NDArray[np.float32], threshold: float = 0.5
) -> list[Metric]:
    """What can be said of any yes-or-no question, with 95 % intervals.

    Args:
        labels: 0 or 1, (n,).
        scores: Shape (n,).
        threshold: Of a yes.

    Returns:
        AUROC where both classes are there; precision and recall at the threshold.
    """
    from firstlight.evaluation import detection

    y, said = np.asarray(labels) == 1, np.asarray(scores) > threshold
    out = []
    if 0 < y.sum() < len(y):
        out.append(Metric("AUROC", detection.auroc(scores, y.astype(int)),
                          "how often a yes scores above a no"))  # fmt: skip
    for name, hits, of, words in (
        ("precision", int((y & said).sum()), int(said.sum()), "of those called so, how many are"),
        ("recall", int((y & said).sum()), int(y.sum()), "of those that are, how many were found"),
        ("error rate", int((y != said).sum()), len(y), f"on the wrong side of {threshold:g}"),
    ):
        if of:
            low, high = detection.wilson(hits, of)
            value = Interval(hits / of, float(low), float(high))
            out.append(Metric(name, value, f"{words} ({hits} of {of})"))
    return out
