"""The classical way with variable stars: numbers of a Fourier fit, and a forest on them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from firstlight.sky import folding

__all__ = ["NAMES", "features", "tuned_forest"]

HARMONICS = 3
NAMES = (
    "log_period", "log_amplitude", "r21", "r31", "cos_phi21", "sin_phi21", "cos_phi31",
    "sin_phi31", "log_left_over", "log_chi2", "log_gain", "skewness", "kurtosis", "faint_share",
    "visits",
)  # fmt: skip
# Tried beside these: 4 or 6 harmonics (worse below 40 visits), Stetson's J and K, von Neumann's
# ratio of the folded curve (no change).
_PIECE = 2_000
_SETTINGS = (
    ("forest", {"min_samples_leaf": 1, "max_features": 4}),
    ("forest", {"min_samples_leaf": 3, "max_features": 6}),
    ("extra", {"min_samples_leaf": 1, "max_features": 6}),
    ("boosted", {"max_leaf_nodes": 15, "learning_rate": 0.1}),
)


def features(
    times: NDArray[Any], magnitudes: NDArray[Any], errors: NDArray[Any], mask: NDArray[Any],
    period_days: NDArray[Any],
) -> pd.DataFrame:  # fmt: skip
    """Fifteen numbers of each light curve, folded with one period.

    Args:
        times: Days, (n, epochs), padded.
        magnitudes: Likewise.
        errors: Likewise, positive where the mask is True.
        mask: True for a measurement; a curve has at least nine.
        period_days: Shape (n,).

    Returns:
        The columns of `NAMES`: period and amplitude (peak to peak, mag), amplitude ratios and
        phase differences of the first harmonics (Simon & Lee 1981), what the fit leaves over
        (against the amplitude, against the errors, and against one sine alone), and the shape of
        the distribution of magnitudes.

    Raises:
        ValueError: As `sky.folding.fourier_fit`.
    """
    curves = (times, magnitudes, errors, mask)
    parts = [
        _some(*(a[start : start + _PIECE] for a in curves), period_days[start : start + _PIECE])
        for start in range(0, len(times), _PIECE)
    ]
    return pd.concat(parts, ignore_index=True)


def _some(
    times: NDArray[Any], magnitudes: NDArray[Any], errors: NDArray[Any], mask: NDArray[Any],
    period: NDArray[Any],
) -> pd.DataFrame:  # fmt: skip
    one, fit = (
        folding.fourier_fit(times, magnitudes, errors, mask, period, harmonics=k)
        for k in (1, HARMONICS)
    )
    n = mask.sum(axis=1)
    center = np.where(mask, magnitudes - fit.mean_mag[:, None], 0.0)
    spread = np.maximum(np.sqrt((center**2).sum(axis=1) / n), 1e-6)
    z = center / spread[:, None]
    sigma = np.sqrt(np.where(mask, errors**2, 0.0).sum(axis=1) / n)
    left = np.maximum(fit.scatter_mag, 1e-6)
    phi = fit.relative_phases
    columns = (
        np.log10(period), np.log10(np.maximum(fit.amplitude_mag, 1e-6)),
        np.clip(fit.ratios[:, 1], 0, 3), np.clip(fit.ratios[:, 2], 0, 3),
        np.cos(phi[:, 1]), np.sin(phi[:, 1]), np.cos(phi[:, 2]), np.sin(phi[:, 2]),
        np.log10(left / spread), np.log10(left / sigma),
        np.log10(left / np.maximum(one.scatter_mag, 1e-6)),
        (z**3).sum(axis=1) / n, (z**4).sum(axis=1) / n, ((z > 0) & mask).sum(axis=1) / n, n,
    )  # fmt: skip
    return pd.DataFrame(dict(zip(NAMES, map(np.asarray, columns), strict=True))).astype(np.float32)


def tuned_forest(
    train: tuple[Any, NDArray[Any]], validation: tuple[Any, NDArray[Any]], seed: int = 0
) -> Any:
    """The best of forests and boosted trees on stars that none of them learned from.

    Args:
        train: Features (n, k) and labels (n,).
        validation: The same of other stars; the smallest log loss on it decides.
        seed: Of the trees.

    Returns:
        A fitted scikit-learn classifier with `predict_proba`, learned from the first set alone.
    """
    from sklearn.ensemble import (
        ExtraTreesClassifier,
        HistGradientBoostingClassifier,
        RandomForestClassifier,
    )
    from sklearn.metrics import log_loss

    kinds: dict[str, Any] = {
        "forest": lambda said: RandomForestClassifier(150, random_state=seed, **said),
        "extra": lambda said: ExtraTreesClassifier(150, random_state=seed, **said),
        "boosted": lambda said: HistGradientBoostingClassifier(
            max_iter=300, early_stopping=True, random_state=seed, **said
        ),
    }
    best, lowest = None, np.inf
    for kind, settings in _SETTINGS:
        trees = kinds[kind](settings).fit(train[0], np.ravel(train[1]))
        loss = log_loss(np.ravel(validation[1]), trees.predict_proba(validation[0])[:, 1])
        if loss < lowest:
            best, lowest = trees, loss
    return best
