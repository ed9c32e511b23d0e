"""Finding sources in an image: the classical ways, and how good any list of positions is.

Positions are (x, y) in pixels, x along the second axis of the image.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Found", "deblended", "match", "peaks", "score", "sharpened"]

Doubles = NDArray[np.float64]


class Found(NamedTuple):
    """How a list of positions compares with the truth.

    Args:
        completeness: Share of the wanted sources that were found.
        purity: Share of what was found that is a source, however faint.
        f1: Harmonic mean of a count of both: 2 found / (2 found + missed + false).
        blended: Completeness of wanted sources with a neighbor within `near` pixels.
    """

    completeness: float
    purity: float
    f1: float
    blended: float


def match(found: Doubles, true: Doubles, radius: float = 1.5) -> NDArray[np.intp]:
    """Pairs of a found and a true position, each used once, as many and as close as possible.

    Args:
        found: Shape (n, 2).
        true: Shape (m, 2).
        radius: Farthest distance of a pair, pixels.

    Returns:
        Rows of `found` and of `true`, shape (pairs, 2).

    Example:
        >>> match(np.array([[0.0, 0], [5, 5]]), np.array([[5.0, 6], [0, 9]])).tolist()
        [[1, 0]]
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    if not (len(found) and len(true)):
        return np.empty((0, 2), np.intp)
    apart = cdist(found, true)
    cost = np.where(apart <= radius, apart, 1e3 * radius)
    rows, columns = linear_sum_assignment(cost)
    close = apart[rows, columns] <= radius
    return np.stack([rows[close], columns[close]], axis=1)


def score(
    catalogs: Sequence[Doubles], true: Sequence[Doubles], snr: Sequence[Doubles],
    nearest: Sequence[Doubles], *, limit: float = 8.0, near: float = 5.0, radius: float = 1.5,
) -> Found:  # fmt: skip
    """Compare catalogs with the truth, field by field.

    Args:
        catalogs: Positions found in each field, (n, 2) each.
        true: Positions of all sources of each field, however faint.
        snr: Their S/N.
        nearest: Pixels to their nearest neighbor.
        limit: Sources of that S/N or more are wanted. Fainter ones may be found, which counts
            neither for nor against.
        near: Neighbors closer than that make a source blended.
        radius: See `match`.

    Returns:
        Shares over all fields together.
    """
    hits = missed = false = right = near_hits = near_all = 0
    for found, places, bright, apart in zip(catalogs, true, snr, nearest, strict=True):
        pairs = match(np.asarray(found, float).reshape(-1, 2), places, radius)
        got = np.zeros(len(places), bool)
        got[pairs[:, 1]] = True
        wanted, blend = bright >= limit, (bright >= limit) & (apart < near)
        hits, missed = hits + int((got & wanted).sum()), missed + int((~got & wanted).sum())
        right, false = right + len(pairs), false + len(found) - len(pairs)
        near_hits, near_all = near_hits + int((got & blend).sum()), near_all + int(blend.sum())
    return Found(
        hits / max(hits + missed, 1), right / max(right + false, 1),
        2 * hits / max(2 * hits + missed + false, 1), near_hits / max(near_all, 1),
    )  # fmt: skip


def peaks(maps: NDArray[Any], threshold: float, reach: int = 1) -> list[Doubles]:
    """Pixels that are higher than all their neighbors and than a threshold.

    Args:
        maps: Shape (n, size, size).
        threshold: In the maps' units.
        reach: Neighbors so many pixels away, along either axis, are compared.

    Returns:
        Positions in each map, (found, 2), to a fraction of a pixel: a parabola through the
        peak and its two neighbors along either axis.
    """
    from scipy.ndimage import maximum_filter

    found = []
    for image in np.asarray(maps, float):
        top = (image == maximum_filter(image, 2 * reach + 1)) & (image > threshold)
        y, x = np.nonzero(top)
        padded = np.pad(image, 1, mode="edge")
        shift = [
            _vertex(padded[y + 1 - dy, x + 1 - dx], image[y, x], padded[y + 1 + dy, x + 1 + dx])
            for dy, dx in ((0, 1), (1, 0))
        ]
        found.append(np.stack([x + shift[0], y + shift[1]], axis=1))
    return found


def _vertex(before: Doubles, top: Doubles, after: Doubles) -> Doubles:
    bend = before - 2 * top + after
    return np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, -1.0), 0.0)


def sharpened(images: NDArray[Any], narrow: float, wide: float, share: float) -> Doubles:
    """A smoothed image less a share of a smoother one, in units of its own noise.

    With share 0 it is a matched filter; with a larger share, neighbors stand apart.

    Args:
        images: Shape (n, size, size), independent noise in every pixel.
        narrow: Standard deviation of the first Gaussian, pixels.
        wide: Of the second.
        share: Of the second, subtracted.

    Returns:
        The same shape; empty sky has standard deviation one.
    """
    from scipy.ndimage import gaussian_filter

    def filtered(image: Doubles) -> Doubles:
        return gaussian_filter(image, narrow) - share * gaussian_filter(image, wide)

    point = np.zeros((61, 61))
    point[30, 30] = 1.0
    noise = np.sqrt((filtered(point) ** 2).sum())
    return np.stack([filtered(np.asarray(image, float)) for image in images]) / noise


def deblended(
    images: NDArray[Any], *, threshold: float, pixels: int, narrow: float, wide: float = 1.0,
    share: float = 0.0, contrast: float = 1e-3, levels: int = 32,
) -> list[Doubles]:  # fmt: skip
    """Filter, threshold, connect, deblend: SExtractor's way (Bertin & Arnouts 1996), by photutils.

    Args:
        images: Shape (n, size, size), in sky sigma.
        threshold: On the filtered image, in its own sigma.
        pixels: Fewest connected pixels of a source.
        narrow: Of the filter, see `sharpened`.
        wide: Likewise.
        share: Likewise.
        contrast: Share of a blend's light that a part must have to become a source.
        levels: Thresholds between the lowest and the peak at which parts are sought.

    Returns:
        Centroids in each image, (found, 2).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of progress bars, which are not used
        from photutils.segmentation import SourceCatalog, deblend_sources, detect_sources

    found = []
    for smooth in sharpened(images, narrow, wide, share):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "no sources were found" is an answer
            segments = detect_sources(smooth, threshold, pixels)
            if segments is None:
                found.append(np.empty((0, 2)))
                continue
            segments = deblend_sources(
                smooth, segments, pixels, nlevels=levels, contrast=contrast, progress_bar=False
            )
            table = SourceCatalog(smooth, segments)
            found.append(np.stack([table.xcentroid, table.ycentroid], axis=1))
    return found
