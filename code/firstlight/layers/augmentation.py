"""Random symmetries and small distortions of training images, in NumPy, batch by batch.

A galaxy has no up and no left. These functions run between the data and the network; measured
on one thread they cost a tenth or less of a training step, where Keras's preprocessing layers
cost as much as the network itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "MIRRORS",
    "SYMMETRIES",
    "dihedral",
    "random_mirror",
    "random_symmetry",
    "random_warp",
    "warp",
]

Floats = NDArray[np.float32]

SYMMETRIES = 8  # four quarter turns, each also mirrored
MIRRORS = (0, 2, 4, 6)  # those that keep the axes: as it is, half a turn, two mirrors


def dihedral(images: Floats, symmetry: int) -> Floats:
    """One of the eight exact symmetries of the square applied to a batch.

    Args:
        images: Shape (n, side, side, channels).
        symmetry: 0 to 3 quarter turns counterclockwise; 4 to 7 the same, mirrored first.

    Returns:
        A view or array of the same shape. No pixel is interpolated.
    """
    if not 0 <= symmetry < SYMMETRIES:
        raise ValueError(f"symmetry: received {symmetry!r}, expected 0 to {SYMMETRIES - 1}.")
    mirrored = images[:, :, ::-1] if symmetry >= 4 else images
    return np.rot90(mirrored, symmetry % 4, axes=(1, 2))


def random_symmetry(images: Floats, rng: np.random.Generator) -> Floats:
    """Turn and mirror each image of a batch by one of the eight symmetries, at random.

    Args:
        images: Shape (n, side, side, channels).
        rng: Source of randomness.

    Returns:
        A new array of the same shape.
    """
    return _one_of(images, range(SYMMETRIES), rng)


def random_mirror(images: Floats, rng: np.random.Generator) -> Floats:
    """Mirror each image left to right, top to bottom, both or not: the symmetries of an ellipse.

    For images that have been turned so that the major axis lies along x; a quarter turn would
    undo that.

    Args:
        images: Shape (n, side, side, channels).
        rng: Source of randomness.

    Returns:
        A new array of the same shape.
    """
    return _one_of(images, MIRRORS, rng)


def _one_of(images: Floats, allowed: Sequence[int], rng: np.random.Generator) -> Floats:
    chosen = rng.choice(np.asarray(allowed), len(images))
    out = np.empty_like(images)
    for symmetry in allowed:
        rows = np.flatnonzero(chosen == symmetry)
        out[rows] = dihedral(images[rows], symmetry)
    return out


def random_warp(
    images: Floats,
    rng: np.random.Generator,
    *,
    rotation_deg: float = 180.0,
    shift: float = 1.0,
    zoom: float = 1.1,
) -> Floats:
    """Rotate, shift and zoom each image at random, with bilinear interpolation.

    Interpolation blurs a little and correlates the noise of neighboring pixels: a network
    trained only on warped images sees a slightly quieter sky than the telescope's.

    Args:
        images: Shape (n, side, side, channels).
        rng: Source of randomness.
        rotation_deg: Angles are uniform from minus to plus this, in degrees.
        shift: Shifts along each axis are uniform from minus to plus this, in pixels.
        zoom: Zooms are log-uniform from 1/zoom to zoom.

    Returns:
        A new array of the same shape; what came from outside the image repeats its edge.
    """
    n = len(images)
    angle = rng.uniform(-rotation_deg, rotation_deg, n)
    scale = np.exp(rng.uniform(-1, 1, n) * np.log(zoom))
    return warp(images, angle, shift_x=rng.uniform(-shift, shift, n),
                shift_y=rng.uniform(-shift, shift, n), zoom=scale)  # fmt: skip


def warp(
    images: Floats,
    angle_deg: ArrayLike = 0.0,
    *,
    shift_x: ArrayLike = 0.0,
    shift_y: ArrayLike = 0.0,
    zoom: ArrayLike = 1.0,
) -> Floats:
    """Rotate, zoom and shift each image by its own amount, with bilinear interpolation.

    Args:
        images: Shape (n, side, side, channels).
        angle_deg: What lies along this direction (from the x axis, columns, toward the y axis,
            rows) comes to lie along the x axis. A number or shape (n,), like the rest.
        shift_x: The point this far from the middle, in pixels, comes to the middle.
        shift_y: The same along y.
        zoom: How much larger things become.

    Returns:
        A new array of the same shape; what came from outside the image repeats its edge.
    """
    n, side, _, channels = images.shape
    angle, scale, dx, dy = (
        np.broadcast_to(np.asarray(value, np.float32), (n,))[:, None, None]
        for value in (np.radians(angle_deg), zoom, shift_x, shift_y)
    )
    middle = np.float32((side - 1) / 2)
    grid = np.arange(side, dtype=np.float32) - middle
    cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
    x = cos * grid - sin * grid[:, None] + (middle + dx)
    y = sin * grid + cos * grid[:, None] + (middle + dy)
    np.clip(y, 0, side - 1.001, out=y)
    np.clip(x, 0, side - 1.001, out=x)
    y0, x0 = y.astype(np.int32), x.astype(np.int32)
    y -= y0
    x -= x0
    corner = (np.arange(n, dtype=np.int32) * side * side)[:, None, None] + y0 * side + x0
    pixels = images.reshape(-1, channels)
    y, x = y[..., None], x[..., None]
    top = pixels[corner] * (1 - x) + pixels[corner + 1] * x
    bottom = pixels[corner + side] * (1 - x) + pixels[corner + side + 1] * x
    return top + (bottom - top) * y
