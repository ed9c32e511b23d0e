"""Has a generator copied its training slices, or does it draw the same few again and again?

Both questions ask for nearest neighbors. Two slices count as near if one can be shifted, or
mirrored and turned, until it looks like the other: their distance is sqrt(1 - r), with r the
largest correlation of the logarithms of their densities over all shifts and symmetries. Copies
have distance 0, unrelated slices one near 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft

from firstlight.evaluation.web_statistics import checked

__all__ = ["copying", "distances", "nearest", "variety"]

Floats = NDArray[np.float64]

_FLOOR = 0.05  # of the density before the logarithm, in units of the mean
_SIDE = 32  # larger slices are averaged down to this: neighbors are known by their large features


def distances(slices: ArrayLike, library: ArrayLike, *, symmetries: int = 8) -> Floats:
    """Distance of every slice from every member of a library.

    Args:
        slices: Densities in units of the mean, shape (n, pixels, pixels).
        library: Shape (m, pixels, pixels).
        symmetries: 8 tries all turns and mirror images of the square, 1 none.

    Returns:
        Shape (n, m), from 0 to about 1.

    Raises:
        ValueError: If the sizes differ, or symmetries is not 1 or 8.
    """
    ours, theirs = (_prepared(name, each) for name, each in
                    (("slices", slices), ("library", library)))  # fmt: skip
    if ours.shape[1:] != theirs.shape[1:] or symmetries not in (1, 8):
        raise ValueError(
            f"distances: received slices of {ours.shape[1:]} and {theirs.shape[1:]} pixels and "
            f"symmetries={symmetries}, expected the same size, and 1 or 8."
        )
    side = ours.shape[1]
    waves = fft.rfft2(theirs)
    best = np.full((len(ours), len(theirs)), -1.0)
    piece = max(1, 2**22 // (len(theirs) * side**2))
    for turn in range(symmetries):
        turned = np.rot90(ours, turn % 4, axes=(1, 2))
        turned = np.conj(fft.rfft2(turned[:, :, ::-1] if turn >= 4 else turned))
        for start in range(0, len(ours), piece):
            rows = slice(start, start + piece)
            shifted = fft.irfft2(turned[rows, None] * waves, s=(side, side))
            best[rows] = np.maximum(best[rows], shifted.max(axis=(2, 3)))
    return np.sqrt(np.maximum(1 - best, 0))


def _prepared(name: str, slices: ArrayLike) -> NDArray[np.float32]:
    """Log densities, small, without mean, of length one."""
    density = checked(f"distances: {name}", slices)
    factor = max(1, density.shape[1] // _SIDE)
    if density.shape[1] % factor == 0 and factor > 1:
        n, side = len(density), density.shape[1] // factor
        density = density.reshape(n, side, factor, side, factor).mean(axis=(2, 4))
    log = np.log(density + np.float32(_FLOOR))
    log -= log.mean(axis=(1, 2), keepdims=True)
    size = np.sqrt(np.square(log).sum(axis=(1, 2), keepdims=True))
    if not size.min() > 1e-3:
        raise ValueError(
            f"distances: received {name} with a slice of even density, expected some contrast in "
            "each. A generator that has died gives such."
        )
    return np.asarray(log / size, np.float32)


def nearest(
    slices: ArrayLike, library: ArrayLike, *, symmetries: int = 8
) -> tuple[Floats, NDArray[np.intp]]:
    """The nearest member of a library to each slice.

    Args:
        slices: Shape (n, pixels, pixels).
        library: Shape (m, pixels, pixels).
        symmetries: See `distances`.

    Returns:
        Distance and number, both of shape (n,).
    """
    found = distances(slices, library, symmetries=symmetries)
    return found.min(axis=1), found.argmin(axis=1)


def copying(
    generated: ArrayLike, unseen: ArrayLike, training: ArrayLike, *, symmetries: int = 8
) -> float:
    """How near generated slices come to the training slices, beside slices that nobody learned.

    Args:
        generated: Shape (n, pixels, pixels).
        unseen: Simulated slices of other boxes than those of the training.
        training: What the generator learned from.
        symmetries: See `distances`.

    Returns:
        Ratio of the median distances to the nearest training slice. About 1 is as it should be;
        a generator that copies has 0.
    """
    ours, theirs = (
        np.median(nearest(each, training, symmetries=symmetries)[0]) for each in (generated, unseen)
    )
    return float(ours / theirs)


def variety(generated: ArrayLike, reference: ArrayLike, *, symmetries: int = 8) -> float:
    """How near generated slices come to each other, beside simulated ones.

    Args:
        generated: Shape (n, pixels, pixels), 3 or more.
        reference: As many simulated slices, far apart: of different boxes, or well separated.
        symmetries: See `distances`.

    Returns:
        Ratio of the median distances to the nearest other slice. About 1 is as it should be; a
        generator whose modes have collapsed has less.

    Raises:
        ValueError: If the two are not equally many, since neighbors are nearer in a crowd.
    """
    if len(np.asarray(generated)) != len(np.asarray(reference)) or len(np.asarray(generated)) < 3:
        raise ValueError(
            f"variety: received {len(np.asarray(generated))} and {len(np.asarray(reference))} "
            "slices, expected equally many and at least 3: in a crowd neighbors are nearer."
        )
    medians = []
    for each in (generated, reference):
        found = distances(each, each, symmetries=symmetries)
        np.fill_diagonal(found, np.inf)
        medians.append(np.median(found.min(axis=1)))
    return float(medians[0] / medians[1])
