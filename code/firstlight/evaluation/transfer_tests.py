"""Error rates, paired tests over seeds, and a merger fraction corrected for its errors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Fraction", "Paired", "corrected_fraction", "error_rate", "paired_test"]


def error_rate(labels: ArrayLike, probability: ArrayLike, threshold: float = 0.5) -> float:
    """Share of objects on the wrong side of a threshold.

    Args:
        labels: 0 or 1, shape (n,).
        probability: Of a one, shape (n,).
        threshold: Above it, an object is called a one.

    Raises:
        ValueError: If the shapes differ, nothing is there, or a value is not finite.

    Example:
        >>> error_rate([1, 0, 1, 0], [0.9, 0.2, 0.4, 0.1])
        0.25
    """
    y, p = np.asarray(labels), np.asarray(probability, float)
    if y.shape != p.shape or y.ndim != 1 or not len(y) or not np.isfinite(p).all():
        raise ValueError(
            f"error_rate: received shapes {y.shape} and {p.shape}, expected one probability for "
            "each label, finite, and one object or more."
        )
    return float(np.mean((p > threshold) != (y > 0.5)))


class Paired(NamedTuple):
    """Two methods on the same seeds."""

    gain: float  # mean over seeds of one minus second over first
    difference: float  # mean of first minus second
    uncertainty: float  # standard error of that mean
    p_value: float  # two-sided, by all flips of sign


def paired_test(first: ArrayLike, second: ArrayLike) -> Paired:
    """Is the second method better than the first, seed by seed?

    If they were equally good, each seed's difference might as well have had the other sign. The
    p-value is the share of all 2^n patterns of signs whose mean difference is at least as large.

    Args:
        first: Errors of one method under n seeds, n from 2 to 20.
        second: Errors of the other under the same seeds.

    Returns:
        A `Paired`.

    Raises:
        ValueError: If they differ in number, or there are fewer than two or more than twenty.

    Example:
        >>> paired_test([4.0, 5.0, 6.0], [3.0, 4.0, 5.0]).p_value
        0.25
    """
    a, b = np.asarray(first, float), np.asarray(second, float)
    if a.shape != b.shape or a.ndim != 1 or not 2 <= len(a) <= 20:
        raise ValueError(
            f"paired_test: received shapes {a.shape} and {b.shape}, expected the same 2 to 20 "
            "seeds for both."
        )
    gap = a - b
    n = len(gap)
    signs = 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
    means = np.abs(signs @ gap) / n
    p_value = float(np.mean(means >= np.abs(gap.mean()) * (1 - 1e-12)))
    return Paired(float(np.mean(1 - b / a)), float(gap.mean()),
                  float(gap.std(ddof=1) / np.sqrt(n)), p_value)  # fmt: skip


class Fraction(NamedTuple):
    """A share of a survey."""

    value: float
    uncertainty: float


def corrected_fraction(
    called: int, n: int, hits: int, n_positive: int, alarms: int, n_negative: int
) -> Fraction:
    """The true share behind a share that was called, from a known completeness and contamination.

    Of a true share f the classifier calls f C + (1 - f) F, with completeness C and false-alarm
    rate F. Solved for f: (share - F) / (C - F). The uncertainty adds the binomial noise of the
    survey and of both rates, which were themselves counted.

    Args:
        called: Objects of the survey that the classifier called mergers.
        n: Objects of the survey.
        hits: True mergers it called mergers, in a test sample.
        n_positive: True mergers of that sample.
        alarms: Others it called mergers.
        n_negative: Others of that sample.

    Returns:
        A `Fraction`; it may fall below zero, as an unbiased estimate must be allowed to.

    Raises:
        ValueError: If a count exceeds its total, or the classifier is not better than a coin.

    Example:
        >>> round(corrected_fraction(170, 1000, 90, 100, 10, 100).value, 4)
        0.0875
    """
    counts = np.array([[called, n], [hits, n_positive], [alarms, n_negative]], float)
    if (counts[:, 1] < 1).any() or (counts[:, 0] < 0).any() or (counts[:, 0] > counts[:, 1]).any():
        raise ValueError(f"corrected_fraction: received {counts.tolist()}, expected counts of 0 up "
                         "to their totals of 1 or more.")  # fmt: skip
    share, complete, false = counts[:, 0] / counts[:, 1]
    if complete <= false:
        raise ValueError(
            f"corrected_fraction: received completeness {complete:.3f} and false alarms "
            f"{false:.3f}, expected more hits than alarms. Such a classifier counts nothing."
        )
    f = (share - false) / (complete - false)
    noise = np.array([share, complete, false])
    variance = noise * (1 - noise) / counts[:, 1]
    slope = np.array([1.0, -f, -(1 - f)]) / (complete - false)
    return Fraction(float(f), float(np.sqrt((slope**2 * variance).sum())))
