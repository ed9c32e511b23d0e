"""Galaxies cut from a color picture of the Hubble field, as the Galaxy Zoo network takes them.

The picture was made for the eye, so what lies between its numbers and flux is not known. But
an eye is served by much the same stretch as a network: we take the picture for one, and undo it.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Cutouts", "cutouts"]

SIDE = 48
HALF_LIGHT = 8.6  # pixels: the radius of half the stretched light of a simulated galaxy
PEAK = 1.05  # what white becomes: the stretched peak of a bright simulated galaxy
THRESHOLD, SMOOTHING = 4.0, 2.0  # in sky noise; pixels
SMALLEST = 150  # pixels of the picture
NEIGHBORS = 0.05  # of the inner half of a stamp that may belong to somebody else


class Cutouts(NamedTuple):
    """Galaxies from a picture, the largest first.

    Args:
        images: As `sky.galaxies` would have them, in units of the sky noise, bands g, r, i
            (blue, green and red of the picture), shape (n, 48, 48, 3).
        pictures: The same for the eye, red, green and blue from 0 to 1, shape (n, 48, 48, 3).
        at: Row and column of the centers, shape (n, 2).
        side: Of each stamp in pixels of the picture, shape (n,).
    """

    images: NDArray[np.float32]
    pictures: NDArray[np.float32]
    at: NDArray[np.float64]
    side: NDArray[np.float64]


def cutouts(picture: NDArray[np.uint8], n: int, *, seed: int = 0) -> Cutouts:
    """Find the n largest sources that stand alone, and put each on a stamp, scaled to its size.

    Args:
        picture: Shape (height, width, 3), uint8: red, green, blue.
        n: How many at most, 1 or more.
        seed: Of the sky noise that is laid over them: on a picture there is hardly any.

    Returns:
        At most n galaxies (and stars: nobody has sorted them out).

    Raises:
        ValueError: If this is no color picture, or n is less than 1.

    Example:
        >>> from firstlight.archive.galaxies import hubble_deep_field
        >>> cutouts(hubble_deep_field(), 2).images.shape
        (2, 48, 48, 3)
    """
    picture = np.asarray(picture)
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise ValueError(
            f"picture: received shape {picture.shape}, {picture.dtype}; expected a color picture "
            "of shape (height, width, 3), uint8."
        )
    if n < 1:
        raise ValueError(f"n: received {n}, expected 1 or more.")
    shades: NDArray[np.float32] = (picture / 255).astype(np.float32)
    sky = np.median(shades, axis=(0, 1))
    labels = _sources(shades.mean(axis=-1))
    found = []
    for label, (row, column), radius in _sizes(np.clip(shades - sky, 0, None).mean(-1), labels):
        side = SIDE * radius / HALF_LIGHT
        inside = side / 2 <= min(row, column, labels.shape[0] - row, labels.shape[1] - column)
        if inside and _alone(labels, label, row, column, side):
            found.append((_stamp(shades, row, column, side), row, column, side))
        if len(found) == n:
            break
    stamps = np.array([stamp for stamp, *_ in found], np.float32).reshape(-1, SIDE, SIDE, 3)
    where = np.array([place for _, *place in found]).reshape(-1, 3)
    light = np.clip(stamps - sky, 0, None)[..., ::-1]
    noise = np.random.default_rng(seed).normal(size=light.shape)
    flux = 3 * np.sinh(4 * PEAK * light) + noise  # the inverse of sky.galaxies.stretch
    return Cutouts(flux.astype(np.float32), stamps, where[:, :2], where[:, 2])


def _sources(gray: NDArray[np.float32]) -> NDArray[np.int32]:
    """A label for every pixel of a source, 0 for the sky; touching sources are parted."""
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(gray, SMOOTHING)
    sky = np.median(gray)
    noise = 1.4826 * np.median(np.abs(gray - sky))
    with warnings.catch_warnings():
        # In a notebook its bars want widgets; and an empty sky is no fault.
        warnings.simplefilter("ignore")
        from photutils.segmentation import deblend_sources, detect_sources

        found = detect_sources(smooth, sky + THRESHOLD * noise, n_pixels=SMALLEST)
    if found is None:
        return np.zeros(gray.shape, np.int32)
    return np.asarray(
        deblend_sources(
            smooth, found, n_pixels=60, n_levels=32, contrast=0.01, progress_bar=False
        ).data
    )


def _sizes(
    light: NDArray[np.float32], labels: NDArray[np.int32]
) -> list[tuple[int, tuple[float, float], float]]:
    """Label, center of light and half-light radius of every source, the largest first."""
    from skimage.measure import regionprops

    out = []
    for source in sorted(regionprops(labels, light), key=lambda source: -source.area):
        rows, columns = source.coords.T
        weight = light[rows, columns]
        row, column = np.average(source.coords, axis=0, weights=weight)
        distance = np.hypot(rows - row, columns - column)
        order = np.argsort(distance)
        share = np.cumsum(weight[order])
        radius = distance[order][np.searchsorted(share, share[-1] / 2)]
        out.append((int(source.label), (float(row), float(column)), float(radius)))
    return out


def _alone(labels: NDArray[np.int32], label: int, row: float, column: float, side: float) -> bool:
    """Whether the inner half of the stamp belongs to this source and the sky."""
    reach = round(side / 4)
    inner = labels[
        max(0, round(row) - reach) : round(row) + reach + 1,
        max(0, round(column) - reach) : round(column) + reach + 1,
    ]
    return float(np.mean((inner > 0) & (inner != label))) <= NEIGHBORS


def _stamp(
    shades: NDArray[np.float32], row: float, column: float, side: float
) -> NDArray[np.float32]:
    """One source on a stamp of 48 pixels, blurred first where pixels would be skipped."""
    from scipy.ndimage import gaussian_filter, map_coordinates

    step = side / SIDE
    reach = int(side / 2 + 6)
    top, left = max(0, int(row) - reach), max(0, int(column) - reach)
    piece = shades[top : int(row) + reach, left : int(column) + reach]
    piece = gaussian_filter(piece, (max(0.3, step / 2.355), max(0.3, step / 2.355), 0))
    at = (np.indices((SIDE, SIDE)) - (SIDE - 1) / 2) * step
    at += np.array([row - top, column - left])[:, None, None]
    bands = [map_coordinates(piece[..., k], at, order=1, mode="nearest") for k in range(3)]
    return np.stack(bands, axis=-1).astype(np.float32)
