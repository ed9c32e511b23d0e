"""What is left of a galaxy once it is taken out of its image, and the arcs in it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from firstlight.evaluation.photometry import centers, recenter

__all__ = ["arc_statistics", "isophote_residual", "pixel_offsets", "turned_residual"]

Floats = NDArray[np.float32]
Columns = dict[str, Floats]

RINGS = np.array([2, 3.5, 5, 6.5, 8, 10, 12, 14.5, 17])  # radii of the polar map, pixels
ANGLES = 36
WINDOWS = (3, 6, 12)  # lengths of arcs, in steps of 10 degrees


def turned_residual(images: ArrayLike) -> Floats:
    """What changes when a galaxy is turned by half a turn about its center.

    Args:
        images: One band, shape (n, side, side).

    Returns:
        The image, centered to half a pixel, minus itself turned; same shape.
    """
    batch = np.asarray(images, np.float32)
    centered, parity = recenter(batch, centers(batch))
    turned = centered[:, ::-1, ::-1].copy()
    # about the center of the stamp's middle pixel rather than its corner, where that is closer
    for value in range(1, 4):
        rows = np.flatnonzero(parity == value)
        dy, dx = divmod(value, 2)
        turned[rows] = np.roll(turned[rows], (dy, dx), axis=(1, 2))
    return np.asarray(centered - turned, np.float32)


@lru_cache(maxsize=4)
def pixel_offsets(side: int) -> tuple[Floats, Floats]:
    """x and y of every pixel from the middle of the stamp, flat."""
    axis = np.arange(side, dtype=np.float32) - (side - 1) / 2
    x, y = np.meshgrid(axis, axis)
    return x.ravel(), y.ravel()


def _ellipses(flat: Floats, side: int) -> Floats:
    """Elliptical radius of every pixel, by moments in a round Gaussian window, `(n, pixels)`."""
    x, y = pixel_offsets(side)
    window = np.exp(-(x**2 + y**2) / (2 * 5.0**2))
    light = np.maximum(flat, 0) * window
    total = np.maximum(light.sum(axis=1), 1e-6)
    xx, yy, xy = (light @ moment / total for moment in (x * x, y * y, x * y))
    size = np.maximum(xx + yy, 1e-3)
    e1, e2 = (xx - yy) / size, 2 * xy / size
    # the window rounds the galaxy: its inverse variance must be taken off again
    gain = 1 / np.clip(1 - size / (2 * 5.0**2), 0.3, 1)
    e1, e2 = np.clip(e1 * gain, -0.6, 0.6), np.clip(e2 * gain, -0.6, 0.6)
    squared = (1 - e1)[:, None] * (x * x) + (1 + e1)[:, None] * (y * y) - 2 * e2[:, None] * (x * y)
    return np.sqrt(np.maximum(squared, 0) / np.sqrt(1 - e1**2 - e2**2)[:, None])


def isophote_residual(images: ArrayLike) -> Floats:
    """The image less a galaxy of concentric elliptical isophotes.

    Args:
        images: One band, shape (n, side, side), the galaxy in the middle.

    Returns:
        Same shape. The brightness at each elliptical radius is a low quantile, so that an arc
        raises the model little.
    """
    batch = np.asarray(images, np.float32)
    side = batch.shape[1]
    flat = batch.reshape(len(batch), -1)
    radius = _ellipses(flat, side)
    order = np.argsort(radius, axis=1)
    bins = np.unique(np.r_[np.arange(0, 24, 6), np.geomspace(24, side * side, 18).astype(int)])
    sorted_light = np.take_along_axis(flat, order, 1)
    sorted_radius = np.take_along_axis(radius, order, 1)
    level = np.stack([np.quantile(sorted_light[:, a:b], 0.42, axis=1)
                      for a, b in zip(bins[:-1], bins[1:], strict=True)], axis=1)  # fmt: skip
    middle = np.stack([sorted_radius[:, a:b].mean(axis=1)
                       for a, b in zip(bins[:-1], bins[1:], strict=True)], axis=1)  # fmt: skip
    model = np.stack([np.interp(r, m, v) for r, m, v in zip(radius, middle, level, strict=True)])
    return np.asarray((flat - model).reshape(batch.shape), np.float32)


@lru_cache(maxsize=4)
def _polar(side: int) -> Floats:
    """Weights that average pixels into a polar map, `(pixels, RINGS * ANGLES)`."""
    x, y = pixel_offsets(side)
    turn = 2 * np.pi * np.arange(ANGLES) / ANGLES
    weights = np.empty((len(RINGS), ANGLES, len(x)), np.float32)
    for k, radius in enumerate(RINGS):
        for j, angle in enumerate(turn):
            gap = np.hypot(x - radius * np.cos(angle), y - radius * np.sin(angle))
            near = np.exp(-0.5 * (gap / 1.4) ** 2)
            weights[k, j] = near / np.sqrt((near**2).sum())  # unit noise in, unit noise out
    return weights.reshape(-1, side * side).T.copy()


def arc_statistics(significance: Floats, name: str) -> Columns:
    """Statistics of arcs on residuals: light along circles, its counter-image, the largest piece.

    Args:
        significance: Residuals in units of their noise, shape (n, side, side).
        name: What their names begin with; "turned" for residuals of a half turn.

    Returns:
        Feature name to values of shape (n,).
    """
    n, side, _ = significance.shape
    polar = (significance.reshape(n, -1) @ _polar(side)).reshape(n, len(RINGS), ANGLES)
    out: Columns = {}
    clipped = np.clip(polar, -30, 30)
    best = {}
    for window in WINDOWS:
        wide = np.concatenate([clipped, clipped[..., : window - 1]], axis=2)
        total = np.cumsum(np.pad(wide, ((0, 0), (0, 0), (1, 0))), axis=2)
        sums = (total[..., window:] - total[..., :-window]) / np.sqrt(window)
        ordered = sums.max(axis=2)
        best[window] = sums
        for k in range(len(RINGS)):
            out[f"{name}_arc_{window}_{k}"] = ordered[:, k]
        out[f"{name}_arc_{window}"] = ordered.max(axis=1)
    sums = best[WINDOWS[1]]
    where = sums.reshape(n, -1).argmax(axis=1)
    ring, angle = np.divmod(where, ANGLES)
    rows = np.arange(n)
    out[f"{name}_radius"] = RINGS[ring]
    opposite = (angle + ANGLES // 2 + np.arange(-3, 4)[:, None]) % ANGLES
    inside = np.stack([np.where(np.arange(len(RINGS))[None] <= ring[:, None], sums[rows, :, o], -9)
                       .max(axis=1) for o in opposite])  # fmt: skip
    out[f"{name}_counter"] = inside.max(axis=0)
    out[f"{name}_contrast"] = sums[rows, ring].max(1) - np.median(sums[rows, ring], axis=1)
    waves = np.abs(np.fft.rfft(clipped, axis=2))[..., 1:5] / ANGLES
    for m in range(4):
        out[f"{name}_wave_{m + 1}"] = waves[:, 2:7, m].mean(axis=1)
    if name != "turned":  # an image less itself turned has a mean of zero on every circle
        out |= {f"{name}_mean_{k}": clipped[:, k].mean(axis=1) for k in range(len(RINGS))}
    return out | _pieces(significance, name)


def _pieces(significance: Floats, name: str) -> Columns:
    """The largest connected piece above the noise: size, light, elongation, how it lies."""
    n, side, _ = significance.shape
    smooth = ndimage.gaussian_filter(significance, (0, 1.2, 1.2)) * np.float32(2 * 1.2 * 1.7725)
    out = np.zeros((n, 6), np.float32)
    x, y = pixel_offsets(side)
    links = np.ones((3, 3), int)
    for i in range(n):
        labels, count = ndimage.label(smooth[i] > 3.5, structure=links)
        if not count:
            continue
        flat, light = labels.ravel(), np.maximum(significance[i].ravel(), 0)
        sums = np.bincount(flat, light)
        sums[0] = 0
        top = int(sums.argmax())
        mine = flat == top
        w = light[mine] / max(sums[top], 1e-6)
        mx, my = w @ x[mine], w @ y[mine]
        dx, dy = x[mine] - mx, y[mine] - my
        xx, yy, xy = w @ (dx * dx) + 0.1, w @ (dy * dy) + 0.1, w @ (dx * dy)
        e = np.array([xx - yy, 2 * xy]) / (xx + yy)
        radial = 2 * np.arctan2(my, mx)
        tangential = -(e[0] * np.cos(radial) + e[1] * np.sin(radial))
        out[i] = (
            count,
            mine.sum(),
            np.arcsinh(sums[top]),
            np.hypot(*e),
            tangential,
            np.hypot(mx, my),
        )
    names = ("pieces", "area", "light", "elongation", "tangential", "distance")
    return {f"{name}_{label}": out[:, k] for k, label in enumerate(names)}
