"""What spectrum and histogram do not see: how the web hangs together, and its ridges.

Mapping the pixels of a Gaussian field one by one changes no contour line, only its label. So the
regions above a density, their islands and their holes, stay those of the Gaussian field, at the
same share of the area. Gravity draws matter together along filaments, and does not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft

from firstlight.evaluation.web_statistics import checked

__all__ = ["SHARES", "euler_curve", "euler_gap", "levels", "ridge_share"]

Floats = NDArray[np.float64]

SHARES = (0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9)  # of the area below a level


def levels(slices: ArrayLike, shares: ArrayLike = SHARES) -> Floats:
    """Densities below which given shares of the area lie.

    Args:
        slices: Shape (n, pixels, pixels).
        shares: From 0 to 1.

    Returns:
        As many densities.
    """
    return np.asarray(np.quantile(checked("levels", slices), np.asarray(shares, float)), float)


def euler_curve(slices: ArrayLike, thresholds: ArrayLike) -> NDArray[np.float64]:
    """Islands less holes of the region above each threshold, in each slice.

    Pixels hang together along their sides, not their corners. With so many corners (pixels above),
    edges (pairs of neighbors above) and faces (blocks of four above), the number is corners less
    edges plus faces, after Euler.

    Args:
        slices: Densities in units of the mean, shape (n, pixels, pixels).
        thresholds: Densities.

    Returns:
        Shape (n, thresholds).

    Example:
        >>> ring = np.ones((1, 6, 6)); ring[0, 1:4, 1:4] = 3; ring[0, 2, 2] = 1
        >>> euler_curve(ring, [2]).tolist()
        [[0.0]]
    """
    density = checked("euler_curve", slices)
    out = []
    for threshold in np.atleast_1d(np.asarray(thresholds, float)):
        above = density > threshold
        down = above & np.roll(above, -1, axis=1)
        right = above & np.roll(above, -1, axis=2)
        block = down & np.roll(down, -1, axis=2)
        parts = [part.sum(axis=(1, 2), dtype=np.int64) for part in (above, down, right, block)]
        out.append(parts[0] - parts[1] - parts[2] + parts[3])
    return np.stack(out, axis=1).astype(float)


def euler_gap(slices: ArrayLike, reference: ArrayLike, shares: ArrayLike = SHARES) -> float:
    """Rms difference of two mean Euler curves, in islands less holes a slice.

    Both are cut at densities with the same shares of area below them, each at its own: so a wrong
    histogram does not count, only how the regions hang together.

    Args:
        slices: Shape (n, pixels, pixels).
        reference: Shape (m, pixels, pixels).
        shares: Of the area below the thresholds.

    Returns:
        0 for the same topology.
    """
    curves = [euler_curve(each, levels(each, shares)).mean(axis=0) for each in (slices, reference)]
    return float(np.sqrt(np.mean((curves[0] - curves[1]) ** 2)))


def ridge_share(slices: ArrayLike, *, smooth: float = 1.0, top: float = 0.1) -> float:
    """How much of the dense area is drawn out: bent down across, and hardly bent along.

    The logarithm of the density is smoothed, and its second derivatives taken. A pixel is on a
    ridge if the larger curvature is downward and the other less than three tenths of it.

    Args:
        slices: Densities in units of the mean, shape (n, pixels, pixels).
        smooth: Standard deviation of the Gaussian, pixels.
        top: Share of the area, the densest, that is asked.

    Returns:
        Share of that area on ridges, from 0 to 1.

    Raises:
        ValueError: If `smooth` or `top` is out of range.
    """
    if not 0 < smooth <= 10 or not 0 < top <= 1:
        raise ValueError(
            f"ridge_share: received smooth={smooth}, top={top}; expected 0 to 10 pixels, and a "
            "share of 0 to 1, both above 0."
        )
    density = checked("ridge_share", slices)
    pixels = density.shape[1]
    k = 2 * np.pi * np.hypot(np.fft.fftfreq(pixels)[:, None], np.fft.rfftfreq(pixels))
    blur = np.exp(-((k * smooth) ** 2) / 2).astype(np.float32)
    log = fft.irfft2(fft.rfft2(np.log(density + np.float32(0.05))) * blur, s=density.shape[1:])

    def step(field: NDArray[np.float32], by: int, axis: int) -> NDArray[np.float32]:
        return np.roll(field, -by, axis=axis)

    across = step(log, 1, 1) + step(log, -1, 1) - 2 * log
    along = step(log, 1, 2) + step(log, -1, 2) - 2 * log
    slope = (step(log, 1, 1) - step(log, -1, 1)) / 2
    mixed = (step(slope, 1, 2) - step(slope, -1, 2)) / 2
    middle, half = (across + along) / 2, np.hypot((across - along) / 2, mixed)
    steep, flat = middle - half, middle + half
    ridge = (steep < 0) & (np.abs(flat) < 0.3 * np.abs(steep))
    return float(ridge[log >= np.quantile(log, 1 - top)].mean())
