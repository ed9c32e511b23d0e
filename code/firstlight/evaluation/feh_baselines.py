"""The classical way to [Fe/H]: Fourier shapes of the light curve, a Gaussian process, a forest.

Both are tuned inside the training stars: how many harmonics, how much they are damped, length
scales and noise, leaves and features. The shapes go back to Jurcsik & Kovacs (1996).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["FITS", "SHAPES", "Guess", "damped_shapes", "tuned_forest", "tuned_process"]

Doubles = NDArray[np.float64]
SHAPES = ("period_days", "phi31", "amplitude", "phi21", "r21", "r31", "log_points", "log_scatter")
# Name: harmonics, noise in mag that sets how strongly they are damped, and how fast their
# expected size falls from one harmonic to the next.
FITS = {"five": (5, 0.02, 0.45), "seven": (7, 0.04, 0.45), "nine": (9, 0.03, 0.5)}
PHI31, PHI21 = 5.46, 2.61  # radians, circular means of the Gaia stars
_FIRST_MAG = 0.4
_SUBSET = 600
_TURN = 2 * np.pi


class Guess(NamedTuple):
    """What a method says of unseen stars.

    Args:
        feh_dex: Shape (n,).
        sigma_dex: Its own standard deviation, (n,); NaN for a forest.
        fit: The key of `FITS` that the training stars preferred.
    """

    feh_dex: Doubles
    sigma_dex: Doubles
    fit: str


def damped_shapes(
    phases: Doubles, magnitudes: Doubles, mask: NDArray[np.bool_], period_days: Doubles, fit: str
) -> pd.DataFrame:
    """Shape of each curve by a damped, robust Fourier series.

    Least squares with a normal prior on each coefficient, so that thirty points bear nine
    harmonics; points far off count little (weights of Cauchy, three rounds).

    Args:
        phases: Shape (n, points), 0 to 1.
        magnitudes: Same shape.
        mask: True for a measurement.
        period_days: Shape (n,).
        fit: A key of `FITS`.

    Returns:
        One row a star, columns `SHAPES`: phases as sines, radians, counted from what is usual
        (`PHI31`, `PHI21`); the peak-to-peak amplitude in mag.

    Raises:
        ValueError: If there is no such fit.
    """
    if fit not in FITS:
        raise ValueError(f"fit: received {fit!r}, expected one of {tuple(FITS)}.")
    harmonics, noise, falls = FITS[fit]
    k = np.arange(1, harmonics + 1)
    angles = _TURN * phases[:, :, None] * k
    design = np.concatenate([np.ones((*phases.shape, 1)), np.sin(angles), np.cos(angles)], axis=2)
    damping = (noise / (_FIRST_MAG * np.exp(-falls * (k - 1)))) ** 2
    prior = np.diag(np.concatenate([[1e-6], damping, damping]))
    weight = mask.astype(float)
    for _ in range(3):
        scaled = np.swapaxes(design * weight[:, :, None], 1, 2)
        right = scaled @ magnitudes[:, :, None]
        found = np.linalg.solve(scaled @ design + prior, right)
        off = np.abs(magnitudes - (design @ found)[:, :, 0])
        scatter = np.maximum(1.4826 * np.nanmedian(np.where(mask, off, np.nan), axis=1), 0.005)
        weight = np.where(mask, 1 / (1 + (off / (2.5 * scatter[:, None])) ** 2), 0.0)
    sine, cosine = found[:, 1 : harmonics + 1, 0], found[:, harmonics + 1 :, 0]
    size, phi = np.hypot(sine, cosine), np.arctan2(cosine, sine)
    grid = _TURN * np.arange(100)[:, None] / 100 * k
    series = sine @ np.sin(grid).T + cosine @ np.cos(grid).T
    return pd.DataFrame({
        "period_days": period_days,
        "phi31": _turned(phi[:, 2] - 3 * phi[:, 0], PHI31),
        "amplitude": np.ptp(series, axis=1),
        "phi21": _turned(phi[:, 1] - 2 * phi[:, 0], PHI21),
        "r21": size[:, 1] / size[:, 0],
        "r31": size[:, 2] / size[:, 0],
        "log_points": np.log(mask.sum(axis=1)),
        "log_scatter": np.log(scatter),
    })  # fmt: skip


def _turned(angle: Doubles, zero: float) -> Doubles:
    """An angle between -pi and pi, counted from what is usual."""
    return np.angle(np.exp(1j * (angle - zero)))


def tuned_process(
    shapes: Mapping[str, pd.DataFrame], feh_dex: Doubles, train: Doubles, test: Doubles, seed: int
) -> Guess:
    """A Gaussian process with a length scale for each shape, tuned on training stars alone.

    Length scales and noise maximize the marginal likelihood of a subset; of the Fourier fits the
    one with the smallest error on other training stars is taken. Then all of them are learned.

    Args:
        shapes: Of all stars, for each of `FITS`, from `damped_shapes`.
        feh_dex: Labels of all stars; those of test stars are not looked at.
        train: Rows to learn from.
        test: Rows to predict.
        seed: Of the subset.

    Returns:
        Means and standard deviations of the label, noise included.
    """
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

    order = np.random.default_rng(seed).permutation(train)
    seen, aside = order[:_SUBSET], order[_SUBSET:][:_SUBSET]
    best = (np.inf, "", None)
    for name, table in shapes.items():
        x = _standard(table, train)
        kernel = ConstantKernel(1.0) * RBF(np.ones(x.shape[1]), (0.1, 1e4)) + WhiteKernel(0.1)
        with warnings.catch_warnings():  # a shape that does not matter has no length
            warnings.simplefilter("ignore")
            small = GaussianProcessRegressor(kernel, normalize_y=True).fit(x[seen], feh_dex[seen])
        judged = aside if len(aside) else seen
        error = float(np.mean((small.predict(x[judged]) - feh_dex[judged]) ** 2))
        if error < best[0]:
            best = error, name, small.kernel_
    x = _standard(shapes[best[1]], train)
    whole = GaussianProcessRegressor(best[2], optimizer=None, normalize_y=True)
    whole.fit(x[train], feh_dex[train])
    mean, sigma = whole.predict(x[test], return_std=True)
    return Guess(mean, sigma, best[1])


def tuned_forest(
    shapes: Mapping[str, pd.DataFrame], feh_dex: Doubles, train: Doubles, test: Doubles, seed: int
) -> Guess:
    """A random forest, tuned by the stars that each of its trees has not seen.

    Args:
        shapes: As for `tuned_process`.
        feh_dex: Likewise.
        train: Likewise.
        test: Likewise.
        seed: Of the trees.

    Returns:
        Means; a forest states no uncertainty.
    """
    from sklearn.ensemble import RandomForestRegressor

    best = (-np.inf, "", None)
    for name, table in shapes.items():
        x = np.asarray(table)
        for leaf, share in ((2, 0.4), (2, 0.7), (4, 0.4), (4, 0.7)):
            forest = RandomForestRegressor(
                100, min_samples_leaf=leaf, max_features=share, oob_score=True, random_state=seed
            ).fit(x[train], feh_dex[train])
            if forest.oob_score_ > best[0]:
                best = forest.oob_score_, name, forest
    forest = best[2].set_params(n_estimators=300, warm_start=True, oob_score=False)
    x = np.asarray(shapes[best[1]])
    forest.fit(x[train], feh_dex[train])
    return Guess(forest.predict(x[test]), np.full(len(test), np.nan), best[1])


def _standard(table: pd.DataFrame, train: Doubles) -> Doubles:
    x = np.asarray(table, float)
    return (x - x[train].mean(axis=0)) / x[train].std(axis=0)
