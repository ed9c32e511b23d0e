"""Errors of predicted vote fractions: overall, by question, by bin, and how well we know them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from firstlight.sky.gz2_tree import QUESTIONS, slices

__all__ = [
    "Calibration",
    "Interval",
    "bootstrap_ratio",
    "bootstrap_rmse",
    "calibration",
    "question_rmse",
    "rmse",
    "squared_errors",
]

Doubles = NDArray[np.float64]


def _pair(observed: ArrayLike, predicted: ArrayLike) -> tuple[Doubles, Doubles]:
    y, p = np.asarray(observed, np.float64), np.asarray(predicted, np.float64)
    if y.shape != p.shape or y.ndim != 2 or not len(y):
        raise ValueError(
            f"observed and predicted: received shapes {y.shape} and {p.shape}, expected the same "
            "(n, answers) for both, with n of 1 or more."
        )
    if not (np.isfinite(y).all() and np.isfinite(p).all()):
        raise ValueError(
            "observed and predicted: received NaN or infinite values, expected finite fractions. "
            "Drop galaxies without votes; a network that returns NaN has diverged."
        )
    return y, p


def squared_errors(observed: ArrayLike, predicted: ArrayLike) -> Doubles:
    """Mean squared error of each galaxy over its answers, shape (n,)."""
    y, p = _pair(observed, predicted)
    return ((y - p) ** 2).mean(axis=1)


def rmse(observed: ArrayLike, predicted: ArrayLike) -> float:
    """Root of the mean squared error over galaxies and answers, the metric of the challenge.

    Args:
        observed: Vote fractions, shape (n, answers).
        predicted: Predicted fractions, same shape.

    Returns:
        The error as a number (Dieleman, Willett & Dambre 2015, MNRAS 450, 1441).

    Example:
        >>> rmse([[0.0, 1.0]], [[0.3, 0.6]])
        0.3535533905932738
    """
    return float(np.sqrt(squared_errors(observed, predicted).mean()))


def question_rmse(observed: ArrayLike, predicted: ArrayLike) -> dict[str, float]:
    """The same error for each question of the Galaxy Zoo 2 tree.

    Args:
        observed: Vote fractions, shape (n, 37).
        predicted: Predicted fractions, same shape.

    Returns:
        Question name to error. Their squares, weighted by the number of answers, average to
        the square of `rmse`.
    """
    y, p = _pair(observed, predicted)
    if y.shape[1] != 37:
        raise ValueError(f"observed: received {y.shape[1]} answers, expected the 37 of the tree.")
    squares = (y - p) ** 2
    return {
        question.name: float(np.sqrt(squares[:, slices(index)].mean()))
        for index, question in enumerate(QUESTIONS)
    }


class Calibration(NamedTuple):
    """Observed against predicted fractions, in bins of the prediction."""

    predicted: Doubles  # mean prediction in each bin that is not empty
    observed: Doubles  # mean observation there
    counts: NDArray[np.int64]
    error: float  # mean |observed - predicted| over bins, weighted by counts


def calibration(observed: ArrayLike, predicted: ArrayLike, bins: int = 10) -> Calibration:
    """Is a predicted 30 % right for 30 % of the votes?

    Args:
        observed: Vote fractions, shape (n, answers).
        predicted: Predicted fractions, same shape.
        bins: Number of equal bins from 0 to 1.

    Returns:
        A `Calibration`; its `error` is the expected calibration error.
    """
    y, p = (values.ravel() for values in _pair(observed, predicted))
    if bins < 1:
        raise ValueError(f"bins: received {bins}, expected 1 or more.")
    place = np.clip((p * bins).astype(int), 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    full = count > 0
    mean_p = np.bincount(place, p, bins)[full] / count[full]
    mean_y = np.bincount(place, y, bins)[full] / count[full]
    error = float(np.average(np.abs(mean_y - mean_p), weights=count[full]))
    return Calibration(mean_p, mean_y, count[full].astype(np.int64), error)


class Interval(NamedTuple):
    """A number and the interval that holds it with the given confidence."""

    value: float
    low: float
    high: float


def _resampled_means(values: Doubles, repeats: int, seed: int) -> Doubles:
    """Means of bootstrap samples of the rows of `values`, shape (repeats, columns)."""
    rng = np.random.default_rng(seed)
    n = len(values)
    weights = rng.multinomial(n, np.full(n, 1 / n), size=repeats)
    return weights @ values / n


def bootstrap_rmse(
    observed: ArrayLike,
    predicted: ArrayLike,
    *,
    confidence: float = 0.95,
    repeats: int = 400,
    seed: int = 0,
) -> Interval:
    """The RMSE and its interval, by drawing the test galaxies again with replacement.

    Galaxies are drawn whole, since the 37 errors of one galaxy go together.

    Args:
        observed: Vote fractions, shape (n, answers).
        predicted: Predicted fractions, same shape.
        confidence: Probability that the interval should hold.
        repeats: Bootstrap samples.
        seed: Of the resampling.

    Returns:
        The value and its interval.
    """
    squares = squared_errors(observed, predicted)
    means = np.sqrt(_resampled_means(squares[:, None], repeats, seed)[:, 0])
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(np.sqrt(squares.mean())), float(low), float(high))


def bootstrap_ratio(
    observed: ArrayLike,
    predicted: ArrayLike,
    reference: ArrayLike,
    *,
    confidence: float = 0.95,
    repeats: int = 400,
    seed: int = 0,
) -> Interval:
    """RMSE of one prediction over that of another on the same galaxies, and its interval.

    Paired: both are judged on the same resampled galaxies, so that a hard galaxy counts
    against both and the ratio is known better than either error.

    Args:
        observed: Vote fractions, shape (n, answers).
        predicted: The numerator's predictions.
        reference: The denominator's predictions.
        confidence: Probability that the interval should hold.
        repeats: Bootstrap samples.
        seed: Of the resampling.

    Returns:
        The ratio and its interval.
    """
    both = np.stack(
        [squared_errors(observed, predicted), squared_errors(observed, reference)], axis=1
    )
    means = _resampled_means(both, repeats, seed)
    ratios = np.sqrt(means[:, 0] / means[:, 1])
    low, high = np.quantile(ratios, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(np.sqrt(both[:, 0].mean() / both[:, 1].mean())), float(low), float(high))
