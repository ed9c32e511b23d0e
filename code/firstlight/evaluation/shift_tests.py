"""Has the sky changed? Two-sample tests on features, before any label exists, and calibration."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["TwoSample", "calibration_error", "mean_test", "mmd_test"]

Doubles = NDArray[np.float64]


class TwoSample(NamedTuple):
    """What a permutation test found."""

    statistic: float
    p_value: float


def mmd_test(
    first: ArrayLike, second: ArrayLike, *, permutations: int = 199, seed: int = 0
) -> TwoSample:
    """Do two samples of features come from one distribution? By maximum mean discrepancy.

    The kernel is Gaussian, exp(-d^2 / m) with m the median squared distance of the pooled
    sample (Gretton et al. 2012, JMLR 13, 723). Were there no difference, the labels "first" and
    "second" could be dealt out anew; the p-value is the share of such deals with a discrepancy
    at least as large, the true one counted among them. So a threshold of 5 % on p rings falsely
    in at most 5 % of the cases, whatever the features are.

    Args:
        first: Shape (n, d).
        second: Shape (m, d).
        permutations: How many deals; the smallest p-value is one over one more than this.
        seed: Of the deals.

    Returns:
        A `TwoSample`.

    Raises:
        ValueError: If a sample has fewer than two rows, values that are not finite, or another
            number of columns.

    Example:
        >>> x = np.random.default_rng(1).normal(size=(40, 2))
        >>> mmd_test(x[:20], x[20:] + 5).p_value
        0.005
    """
    pooled, n = _pooled("mmd_test", first, second)
    square = (pooled**2).sum(axis=1)
    d2 = np.maximum(square[:, None] + square[None] - 2 * pooled @ pooled.T, 0)
    kernel = np.exp(-d2 / (np.median(d2[np.triu_indices(len(d2), 1)]) + 1e-12))
    weights = _deals(len(pooled), n, permutations, seed)
    return _judge(np.einsum("pi,pi->p", weights @ kernel, weights))


def mean_test(
    first: ArrayLike, second: ArrayLike, *, permutations: int = 199, seed: int = 0
) -> TwoSample:
    """The same question to the means alone: the largest difference of any feature, in sigma.

    Args:
        first: Shape (n, d).
        second: Shape (m, d).
        permutations: How many deals.
        seed: Of the deals.

    Returns:
        A `TwoSample`; blind to a change of width or shape.

    Raises:
        ValueError: As `mmd_test`.
    """
    pooled, n = _pooled("mean_test", first, second)
    scaled = (pooled - pooled.mean(axis=0)) / (pooled.std(axis=0) + 1e-12)
    weights = _deals(len(pooled), n, permutations, seed)
    return _judge(np.abs(weights @ scaled).max(axis=1))


def calibration_error(labels: ArrayLike, probability: ArrayLike, bins: int = 10) -> float:
    """Expected calibration error: by how much stated probabilities miss the observed shares.

    Objects are sorted by probability and cut into bins of equal number, so that no bin is empty.

    Args:
        labels: 0 or 1, shape (n,).
        probability: Of a one, shape (n,).
        bins: How many.

    Returns:
        Mean over the bins of |share of ones - mean probability|. With n objects, chance alone
        gives about 0.3 sqrt(bins / n).

    Raises:
        ValueError: If shapes differ, there are fewer objects than bins, or a value is no
            probability.

    Example:
        >>> calibration_error([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5], bins=1)
        0.0
    """
    y, p = np.asarray(labels, float), np.asarray(probability, float)
    if y.shape != p.shape or y.ndim != 1 or len(y) < bins or bins < 1:
        raise ValueError(
            f"calibration_error: received shapes {y.shape}, {p.shape} and {bins} bins; expected "
            "one probability for each label, and as many objects as bins or more."
        )
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("calibration_error: received values outside 0 to 1 or NaN, expected "
                         "probabilities. Apply the sigmoid to logits first.")  # fmt: skip
    order = np.argsort(p, kind="stable")
    parts = np.array_split(order, bins)
    gaps = [abs(y[part].mean() - p[part].mean()) * len(part) for part in parts]
    return float(np.sum(gaps) / len(y))


def _pooled(where: str, first: ArrayLike, second: ArrayLike) -> tuple[Doubles, int]:
    a, b = np.asarray(first, float), np.asarray(second, float)
    fits = a.ndim == b.ndim == 2 and a.shape[1:] == b.shape[1:] and min(len(a), len(b)) >= 2
    if not fits or not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError(
            f"{where}: received shapes {a.shape} and {b.shape}, expected two samples of two rows "
            "or more with the same number of finite features. Drop galaxies without features."
        )
    return np.concatenate([a, b]), len(a)


def _deals(total: int, n: int, permutations: int, seed: int) -> Doubles:
    """Rows of +1/n and -1/m: first the true deal, then random ones."""
    rng = np.random.default_rng(seed)
    true = np.r_[np.full(n, 1.0 / n), np.full(total - n, -1.0 / (total - n))]
    return np.stack([true, *(rng.permutation(true) for _ in range(permutations))])


def _judge(statistics: Doubles) -> TwoSample:
    at_least = statistics >= statistics[0] * (1 - 1e-12)
    return TwoSample(float(statistics[0]), float(np.mean(at_least)))
