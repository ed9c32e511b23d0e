"""How well a score tells rare things from common ones: the ROC and its area, shares of a count.

Scores are higher for what is looked for; labels are 1 for it and 0 for everything else.
All intervals say how far the finite test set alone could have moved a number.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from firstlight.evaluation.metrics import Interval

__all__ = [
    "Roc",
    "auroc",
    "auroc_difference",
    "roc",
    "wilson",
]

Doubles = NDArray[np.float64]


def _split(scores: ArrayLike, labels: ArrayLike) -> tuple[Doubles, Doubles]:
    """Scores of the positives and of the negatives."""
    s, y = np.asarray(scores, np.float64), np.asarray(labels)
    if s.ndim != 1 or s.shape != y.shape:
        raise ValueError(
            f"scores and labels: received shapes {s.shape} and {y.shape}, expected (n,) for both. "
            "A network's (n, 1) output wants scores[:, 0]."
        )
    if not np.isfinite(s).all():
        raise ValueError(
            "scores: received NaN or infinite values, expected finite numbers. A sigmoid that "
            "saturates is finite; its logit is not."
        )
    if not np.isin(y, (0, 1)).all() or len(np.unique(y)) < 2:
        raise ValueError(
            f"labels: received the values {np.unique(y)[:5]}, expected 0 and 1, some of each."
        )
    return s[y == 1], s[y == 0]


def _normal(confidence: float) -> float:
    """How many standard deviations to either side hold this share of a normal distribution."""
    from scipy.stats import norm

    if not 0 < confidence < 1:
        raise ValueError(f"confidence: received {confidence}, expected a number between 0 and 1.")
    return float(norm.ppf(0.5 + confidence / 2))


class Roc(NamedTuple):
    """Receiver operating characteristic, from the highest threshold down."""

    false_positive_rate: Doubles
    true_positive_rate: Doubles
    thresholds: Doubles


def roc(scores: ArrayLike, labels: ArrayLike) -> Roc:
    """What a threshold lets through of either class, for every threshold there is.

    Args:
        scores: Shape (n,).
        labels: 0 or 1, shape (n,).

    Returns:
        A `Roc` that begins at (0, 0) and ends at (1, 1).

    Example:
        >>> roc([0.9, 0.6, 0.4, 0.1], [1, 0, 1, 0]).true_positive_rate.tolist()
        [0.0, 0.5, 0.5, 1.0, 1.0]
    """
    from sklearn.metrics import roc_curve

    _split(scores, labels)
    return Roc(*roc_curve(np.asarray(labels), np.asarray(scores), drop_intermediate=False))


def _placements(scores: ArrayLike, labels: ArrayLike) -> tuple[Doubles, Doubles]:
    """Of each positive the share of negatives below it, of each negative that of positives above.

    Ties count half. Both have the AUROC as their mean (DeLong et al. 1988).
    """
    from scipy.stats import rankdata

    positive, negative = _split(scores, labels)
    m, n = len(positive), len(negative)
    ranks = rankdata(np.concatenate([positive, negative]))
    of_positive = (ranks[:m] - rankdata(positive)) / n
    of_negative = 1 - (ranks[m:] - rankdata(negative)) / m
    return of_positive, of_negative


def auroc(scores: ArrayLike, labels: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Area under the ROC: how often a random positive scores above a random negative.

    Args:
        scores: Shape (n,).
        labels: 0 or 1, shape (n,).
        confidence: Probability that the interval should hold.

    Returns:
        The area and its interval after DeLong, DeLong & Clarke-Pearson (1988), symmetric in
        the logit so that it stays within 0 and 1.

    Example:
        >>> auroc([0.9, 0.6, 0.4, 0.1], [1, 0, 1, 0]).value
        0.75
    """
    deviations = _normal(confidence)
    positive, negative = _placements(scores, labels)
    area = float(positive.mean())
    variance = _variance(positive) + _variance(negative)
    if not 0 < area < 1 or variance == 0:
        return Interval(area, area, area)
    half = deviations * np.sqrt(variance) / (area * (1 - area))
    logit = np.log(area / (1 - area))
    low, high = 1 / (1 + np.exp(-logit - np.array([-half, half])))
    return Interval(area, float(low), float(high))


def _variance(placements: Doubles) -> float:
    """Variance of the mean; 0 for a single value, which cannot say."""
    return float(placements.var(ddof=1) / len(placements)) if len(placements) > 1 else 0.0


def auroc_difference(
    scores: ArrayLike, others: ArrayLike, labels: ArrayLike, *, confidence: float = 0.95
) -> Interval:
    """By how much the first score's area exceeds the second's on the same objects.

    Paired: an object that is hard for both moves both areas, and not their difference.

    Args:
        scores: Of the one method, shape (n,).
        others: Of the other, on the same objects.
        labels: 0 or 1, shape (n,).
        confidence: Probability that the interval should hold.

    Returns:
        The difference and its DeLong interval.
    """
    ours, theirs = _placements(scores, labels), _placements(others, labels)
    apart = [a - b for a, b in zip(ours, theirs, strict=True)]
    value = float(apart[0].mean())
    half = _normal(confidence) * np.sqrt(sum(_variance(each) for each in apart))
    return Interval(value, float(value - half), float(value + half))


def wilson(found: ArrayLike, of: ArrayLike, confidence: float = 0.95) -> tuple[Doubles, Doubles]:
    """Wilson's interval for a share (1927): sensible at 0, at 1 and for few objects.

    Args:
        found: How many were found, any shape.
        of: Out of how many, same shape.
        confidence: Probability that the interval should hold.

    Returns:
        Lower and upper ends; 0 and 1 where there is nothing to count.

    Example:
        >>> [round(float(end), 3) for end in wilson(0, 10)]
        [0.0, 0.278]
    """
    k, n, z = np.asarray(found, float), np.asarray(of, float), _normal(confidence)
    total = np.maximum(n, 1e-300)
    center = (k + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * np.sqrt(k * (n - k) / total + z**2 / 4)
    return np.clip(center - half, 0, 1), np.clip(center + half, 0, 1)
