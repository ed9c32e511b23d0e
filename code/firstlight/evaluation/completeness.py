"""Completeness where almost everything else is rejected, whole and in bins.

Something is *found* where its score is above a threshold, and the threshold is where a given
share of the non-lenses (or whatever is not looked for) is rejected. Intervals say how far the
finite test set alone could have moved a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from firstlight.evaluation.detection import _split, wilson
from firstlight.evaluation.metrics import Interval

__all__ = [
    "Map",
    "binned_completeness",
    "completeness",
    "completeness_difference",
    "found_before",
    "rejection_threshold",
]

Doubles = NDArray[np.float64]


def rejection_threshold(scores: ArrayLike, labels: ArrayLike, rejection: float = 0.99) -> float:
    """The lowest threshold that rejects at least this share of the negatives.

    Args:
        scores: Shape (n,).
        labels: 0 or 1, shape (n,).
        rejection: Share of negatives at or below the threshold.

    Returns:
        One of the negatives' scores; found is what lies above it.

    Example:
        >>> rejection_threshold([1.0, 2.0, 3.0, 4.0, 5.0], [0, 0, 0, 0, 1], 0.75)
        3.0
    """
    _, negative = _split(scores, labels)
    if not 0 < rejection <= 1:
        raise ValueError(f"rejection: received {rejection}, expected a share above 0, up to 1.")
    # guards against 0.99 * 100 = 99.00000000000001
    place = int(np.ceil(rejection * len(negative) - 1e-9)) - 1
    return float(np.sort(negative)[max(place, 0)])


def completeness(
    scores: ArrayLike,
    labels: ArrayLike,
    *,
    rejection: float = 0.99,
    among: ArrayLike | None = None,
    confidence: float = 0.95,
    repeats: int = 4000,
    seed: int = 0,
) -> Interval:
    """Share of the positives that are found where a given share of negatives is rejected.

    Two things are uncertain: how many positives there are above the threshold, and where the
    threshold lies, which rests on the few highest negatives. Both are drawn again: the rank of
    the threshold among the negatives follows a beta distribution, whatever their scores.

    Args:
        scores: Shape (n,).
        labels: 0 or 1, shape (n,).
        rejection: Share of negatives that must be rejected.
        among: Which positives count (for example, gold lenses), boolean, shape (n,); entries
            of negatives are ignored, since the threshold is that of all of them.
        confidence: Probability that the interval should hold.
        repeats: Draws.
        seed: Of the draws.

    Returns:
        The completeness and its interval.
    """
    positive, negative = _split(scores, labels)
    if among is not None:
        positive = positive[np.asarray(among, bool)[np.asarray(labels) == 1]]
    if not len(positive):
        raise ValueError("among: received a selection without positives, expected at least one.")
    value = float((positive > rejection_threshold(scores, labels, rejection)).mean())
    rng = np.random.default_rng(seed)
    shares = _redrawn(np.sort(negative), np.sort(positive), rejection, repeats, rng)
    low, high = np.quantile(shares, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(value, min(float(low), value), max(float(high), value))


def _redrawn(
    negative: Doubles, positive: Doubles, rejection: float, repeats: int, rng: np.random.Generator
) -> Doubles:
    n, m = len(negative), len(positive)
    place = max(int(np.ceil(rejection * n - 1e-9)), 1)
    rank = rng.beta(place, n - place + 1, repeats)
    thresholds = negative[np.minimum((rank * n).astype(int), n - 1)]
    rate = 1 - np.searchsorted(positive, thresholds, side="right") / m
    return np.asarray(rng.binomial(m, rate) / m)


def completeness_difference(
    scores: ArrayLike,
    others: ArrayLike,
    labels: ArrayLike,
    *,
    rejection: float = 0.99,
    among: ArrayLike | None = None,
    confidence: float = 0.95,
    repeats: int = 1000,
    seed: int = 0,
) -> Interval:
    """By how much one method is more complete than another at the same rejection.

    Paired: positives and negatives are drawn again together, for both methods alike.

    Args:
        scores: Of the one method, shape (n,).
        others: Of the other, on the same objects.
        labels: 0 or 1, shape (n,).
        rejection: Share of negatives that must be rejected.
        among: Which positives count, boolean, shape (n,).
        confidence: Probability that the interval should hold.
        repeats: Bootstrap samples.
        seed: Of the resampling.

    Returns:
        The difference and its interval.
    """
    y = np.asarray(labels)
    counted = (y == 1) if among is None else (y == 1) & np.asarray(among, bool)
    pair = np.stack([np.asarray(scores, np.float64), np.asarray(others, np.float64)])
    for each in pair:
        _split(each, y)
    rng = np.random.default_rng(seed)
    negative, positive = pair[:, y == 0], pair[:, counted]
    place = max(int(np.ceil(rejection * negative.shape[1] - 1e-9)), 1) - 1

    def apart(low: Doubles, high: Doubles) -> float:
        limits = np.partition(low, place, axis=1)[:, place, None]
        rates = (high > limits).mean(axis=1)
        return float(rates[0] - rates[1])

    drawn = [
        apart(
            negative[:, rng.integers(negative.shape[1], size=negative.shape[1])],
            positive[:, rng.integers(positive.shape[1], size=positive.shape[1])],
        )
        for _ in range(repeats)
    ]
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(apart(negative, positive), float(low), float(high))


def found_before(
    scores: ArrayLike, labels: ArrayLike, false_positives: int = 1, *, confidence: float = 0.95
) -> Interval:
    """Share of positives found with fewer than so many false positives.

    Metcalf et al. (2019) call it TPR_0 for `false_positives=1` and TPR_10 for 10.

    Args:
        scores: Shape (n,).
        labels: 0 or 1, shape (n,).
        false_positives: The number that must not be reached; it means something only together
            with the number of negatives.
        confidence: Of the Wilson interval, for the threshold as it is.

    Returns:
        The share and its interval.

    Example:
        >>> found_before([0.9, 0.8, 0.7, 0.6], [1, 0, 1, 0], 1).value
        0.5
    """
    positive, negative = _split(scores, labels)
    if not 1 <= false_positives <= len(negative):
        raise ValueError(
            f"false_positives: received {false_positives}, expected a whole number from 1 to the "
            f"{len(negative)} negatives there are."
        )
    limit = np.partition(negative, -false_positives)[-false_positives]
    found = int((positive > limit).sum())
    low, high = wilson(found, len(positive), confidence)
    return Interval(found / len(positive), float(low), float(high))


class Map(NamedTuple):
    """Completeness in bins of one or two properties; NaN where there is no positive."""

    value: Doubles
    low: Doubles
    high: Doubles
    counts: NDArray[np.int64]


def binned_completeness(
    scores: ArrayLike,
    labels: ArrayLike,
    properties: Sequence[ArrayLike],
    edges: Sequence[ArrayLike],
    *,
    rejection: float = 0.99,
    confidence: float = 0.95,
) -> Map:
    """Completeness of the positives in bins, at one threshold for all of them.

    Args:
        scores: Shape (n,).
        labels: 0 or 1, shape (n,).
        properties: One or more arrays of shape (n,), for example Einstein radius and S/N.
        edges: Of the bins of each.
        rejection: Share of all negatives that must be rejected.
        confidence: Of the Wilson intervals.

    Returns:
        A `Map` with one axis for each property.
    """
    if len(properties) != len(edges) or not len(properties):
        raise ValueError(
            f"edges: received {len(edges)} for {len(properties)} properties, expected one each."
        )
    limit = rejection_threshold(scores, labels, rejection)
    positive = np.asarray(labels) == 1
    where = np.stack([np.asarray(each, float)[positive] for each in properties], axis=1)
    found = np.asarray(scores, float)[positive] > limit
    bins = [np.asarray(each, float) for each in edges]
    of = np.histogramdd(where, bins)[0]
    hits = np.histogramdd(where[found], bins)[0]
    with np.errstate(invalid="ignore"):
        value = hits / of
    return Map(value, *wilson(hits, of, confidence), of.astype(np.int64))
