"""CAS and Gini-M20 by statmorph, and the cuts that were published for mergers.

Asymmetry and smoothness after Conselice (2003), Gini and M20 after Lotz et al. (2004, 2008),
measured by the maintained library statmorph (Rodriguez-Gomez et al. 2019).
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

__all__ = ["NAMES", "cas_gini_m20", "cas_merger", "gini_m20_merger", "segment", "smoothness"]

NAMES = ("concentration", "asymmetry", "smoothness", "gini", "m20")
_BLUR = 1.0  # pixels, before the threshold


def segment(image: NDArray[np.floating[Any]], noise: float, threshold: float = 1.5) -> NDArray:
    """The pixels of the object in the middle: one piece above a threshold.

    Args:
        image: Shape (side, side), sky subtracted.
        noise: Standard deviation of the sky.
        threshold: In units of the noise of the image after a slight blur.

    Returns:
        Boolean map; the brightest pixel's own surroundings if nothing stands out.
    """
    smooth = ndimage.gaussian_filter(np.asarray(image, float), _BLUR)
    labels, _ = ndimage.label(smooth > threshold * noise / (2 * np.sqrt(np.pi) * _BLUR))
    side = len(image)
    middle = slice(side // 2 - side // 8, side // 2 + side // 8)
    found = labels[middle, middle]
    if found.any():
        return labels == np.bincount(found[found > 0]).argmax()
    y, x = np.indices(image.shape)
    return np.hypot(y - side / 2, x - side / 2) < side / 8


def cas_gini_m20(images: ArrayLike, noise: float = 1.0) -> pd.DataFrame:
    """Measures concentration, asymmetry, smoothness, Gini and M20 of each image.

    Args:
        images: Shape (n, side, side), one band, sky subtracted.
        noise: Standard deviation of the sky.

    Returns:
        The columns of `NAMES`; `good` is False where statmorph gave up, and the numbers are the
        medians of the others.

    Raises:
        ValueError: If the shape is wrong, the batch empty, or a value not finite.
    """
    batch = np.asarray(images, float)
    if batch.ndim != 3 or not len(batch) or not np.isfinite(batch).all() or not noise > 0:
        raise ValueError(
            f"cas_gini_m20: received shape {batch.shape} and noise={noise}, expected "
            "(n, side, side) with n of 1 or more, finite, and a positive noise."
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = [_one(image, noise) for image in batch]
    table = pd.DataFrame(rows, columns=NAMES)
    table["good"] = np.isfinite(table[list(NAMES)]).all(axis=1) & (table["asymmetry"] > -90)
    for name in NAMES:
        middle = table.loc[table["good"], name].median() if table["good"].any() else 0.0
        table[name] = table[name].where(table["good"], middle)
    return table


def _one(image: NDArray[np.floating[Any]], noise: float) -> list[float]:
    from statmorph import SourceMorphology

    class Few(SourceMorphology):
        """Only what is asked for: statmorph would fit a Sersic profile, too."""

        def _calculate_morphology(self) -> None:
            pass

    try:
        found = Few(
            image,
            segment(image, noise).astype(np.int32),
            label=1,
            weightmap=np.full(image.shape, noise),
        )
        return [float(getattr(found, name)) for name in NAMES]
    except (ValueError, AssertionError, IndexError, RuntimeError, AttributeError):
        return [np.nan] * len(NAMES)


def cas_merger(asymmetry: ArrayLike, smoothness: ArrayLike) -> NDArray[np.bool_]:
    """Conselice's merger: asymmetry above 0.35 and above his smoothness (2003, ApJS 147, 1).

    Args:
        asymmetry: Shape (n,).
        smoothness: As statmorph and `smoothness` give it, shape (n,). Conselice's own is ten
            times that; the factor is put in here.

    Returns:
        Shape (n,).
    """
    a = np.asarray(asymmetry)
    return (a > 0.35) & (a > 10 * np.asarray(smoothness))


def gini_m20_merger(gini: ArrayLike, m20: ArrayLike) -> NDArray[np.bool_]:
    """Lotz's merger: Gini above -0.14 M20 + 0.33 (2008, ApJ 672, 177)."""
    return np.asarray(gini) > -0.14 * np.asarray(m20) + 0.33


def smoothness(images: ArrayLike, radius: ArrayLike, noise: float = 1.0) -> NDArray[np.float64]:
    """Conselice's clumpiness: what a blur of a quarter Petrosian radius takes away.

    Only excesses count, between a quarter and one and a half Petrosian radii, less what noise
    alone would leave, over the light of the whole circle.

    Args:
        images: Shape (n, side, side), the galaxy near the middle.
        radius: Petrosian radii in pixels, shape (n,).
        noise: Standard deviation of the sky.

    Returns:
        Shape (n,).
    """
    batch = np.asarray(images, float)
    y, x = np.indices(batch.shape[1:]) - (batch.shape[1] - 1) / 2
    distance = np.hypot(x, y)
    out = np.zeros(len(batch))
    for k, (image, r) in enumerate(zip(batch, np.asarray(radius, float), strict=True)):
        width = max(int(round(0.25 * r)), 2)
        excess = image - ndimage.uniform_filter(image, width)
        ring = (distance > 0.25 * r) & (distance < 1.5 * r)
        left = noise * np.sqrt(1 - 1 / width**2) / np.sqrt(2 * np.pi)  # mean excess of pure noise
        light = image[distance < 1.5 * r].sum()
        out[k] = (np.maximum(excess, 0) - left)[ring].sum() / max(light, 1e-9)
    return out
