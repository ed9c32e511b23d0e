"""Random symmetries and small distortions of training images, in NumPy, batch by batch.

A galaxy has no up and no left. These functions run between the data and the network; measured
on one thread they cost a tenth or less of a training step, where Keras's preprocessing layers
cost as much as the network itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["SYMMETRIES", "dihedral", "random_symmetry", "random_warp"]

Floats = NDArray[np.float32]

SYMMETRIES = 8  # four quarter turns, each also mirrored


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
    chosen = rng.integers(0, SYMMETRIES, len(images))
    out = np.empty_like(images)
    for symmetry in range(SYMMETRIES):
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
    n, side, _, channels = images.shape
    angle = np.radians(rng.uniform(-rotation_deg, rotation_deg, n))
    scale = np.exp(rng.uniform(-1, 1, n) * np.log(zoom))
    move = rng.uniform(-shift, shift, (2, n, 1, 1)).astype(np.float32)
    grid = np.arange(side, dtype=np.float32) - (side - 1) / 2
    cos = (np.cos(angle) / scale).astype(np.float32)[:, None, None]
    sin = (np.sin(angle) / scale).astype(np.float32)[:, None, None]
    middle = np.float32((side - 1) / 2)
    y = cos * grid[:, None] - sin * grid + (middle + move[0])
    x = sin * grid[:, None] + cos * grid + (middle + move[1])
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
