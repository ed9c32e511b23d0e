"""Stamps that came from outside: which of them can be judged, and in which unit they are.

The networks of the book look at flux in units of the sky noise, the sky's level taken away. Here
flux of any linear unit is brought there, and what is not flux is recognized.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from firstlight.evaluation.photometry import border_sky

__all__ = ["FRAME", "MENDED", "Checked", "Sky", "check_stamps", "guess_unit", "in_sky_sigma",
           "sky_of"]  # fmt: skip

Floats = NDArray[np.float32]
FRAME = 3  # pixels at the edge of a stamp in which the sky is measured
MENDED = 0.01  # share of pixels without a value up to which a stamp is mended and judged
WHITE = (0.75, 1.35)  # noise of the frame that passes for one unit of sky noise
_SIDES = ("rows at the bottom", "rows at the top", "columns at the left", "columns at the right")


class Checked(NamedTuple):
    """Stamps fit to be judged, and what was wrong with the others.

    Args:
        images: Those that are fit, (good, side, side, bands) float32, without NaN.
        good: Which of the batch they are, (n,).
        reasons: Of each of the n: why it is left out, how it was mended, or "".
    """

    images: Floats
    good: NDArray[np.bool_]
    reasons: list[str]


def check_stamps(images: NDArray[np.generic], bands: Sequence[str]) -> Checked:
    """Finds stamps with missing or constant pixels; fills the few holes of the others.

    A hole is filled with the mean of its neighbors in the same band, which is no measurement: so
    it is done for at most `MENDED` of the pixels, never silently.

    Args:
        images: Shape (n, side, side, bands), any number type.
        bands: Their names.
    """
    batch = np.asarray(images, np.float32)
    holes = ~np.isfinite(batch)
    share = holes.mean(axis=(1, 2, 3))
    flat = np.where(holes, np.nan, batch)
    reasons = []
    for k in range(len(batch)):
        reason = ""
        if share[k] > MENDED:
            reason = f"{share[k]:.1%} of the pixels are NaN or infinite{_where(holes[k], bands)}"
        else:
            low, high = np.nanmin(flat[k], axis=(0, 1)), np.nanmax(flat[k], axis=(0, 1))
            dead = [name for name, a, b in zip(bands, low, high, strict=True) if a == b]
            if dead:
                value = float(low[list(bands).index(dead[0])])
                reason = f"band {', '.join(dead)} is constant ({value:g} everywhere)"
        reasons.append(reason)
    good = np.array([not reason for reason in reasons], bool)
    kept = batch[good]
    for row, k in enumerate(np.flatnonzero(good).tolist()):
        if share[k]:
            kept[row] = _filled(kept[row], holes[k])
            reasons[k] = f"mended: {int(holes[k].sum())} pixels without a value"
    return Checked(kept, good, reasons)


def _where(holes: NDArray[np.bool_], bands: Sequence[str]) -> str:
    """Which band, and whether they lie along one side as a chip's edge does."""
    in_band = holes.any(axis=(0, 1))
    text = "" if in_band.all() else f" in {', '.join(np.array(list(bands))[in_band])}"
    flat = np.asarray(holes.any(axis=2))
    if flat.all():
        return text + ", everywhere"
    rows, columns = np.asarray(flat.all(axis=1)), np.asarray(flat.all(axis=0))
    counts = [int(np.argmin(line)) for line in (rows, rows[::-1], columns, columns[::-1])]
    best = int(np.argmax(counts))
    if counts[best]:
        return f"{text}, {counts[best]} {_SIDES[best]}: the edge of a chip?"
    middle = slice(len(flat) // 4, -(len(flat) // 4))
    return text + (", in the middle: a saturated core?" if flat[middle, middle].any() else "")


def _filled(image: Floats, holes: NDArray[np.bool_]) -> Floats:
    from scipy.ndimage import uniform_filter

    out = np.where(holes, np.float32(0), image)
    known = (~holes).astype(np.float32)
    for b in range(image.shape[-1]):
        if holes[..., b].any():
            weight = uniform_filter(known[..., b], 5)
            near = uniform_filter(out[..., b], 5) / np.maximum(weight, 1e-6)
            empty = float(np.median(image[..., b][~holes[..., b]]))
            value = np.where(weight > 1e-3, near, empty)
            out[..., b] = np.where(holes[..., b], value, out[..., b])
    return np.asarray(out, np.float32)


class Sky(NamedTuple):
    """Level and noise of the sky at the edge of each stamp, both (n, bands)."""

    level: Floats
    noise: Floats


def sky_of(images: Floats) -> Sky:
    """The sky of each stamp, from a frame of `FRAME` pixels: median and robust scatter.

    Args:
        images: Shape (n, side, side, bands).
    """
    found = [border_sky(images[..., b], FRAME) for b in range(images.shape[-1])]
    return Sky(np.stack([f[0] for f in found], 1), np.stack([f[1] for f in found], 1))


def in_sky_sigma(images: Floats, noise: Any = None) -> Floats:
    """Flux of any linear unit in units of the sky noise, with the sky's level taken away.

    Args:
        images: Shape (n, side, side, bands), finite.
        noise: Known noise per pixel, that can be broadcast to (n, bands); by default it is
            measured in each stamp's frame. Galaxies that reach the frame make it too large.

    Returns:
        Same shape. A band whose frame has no scatter at all is divided by its tiniest step.
    """
    sky = sky_of(images)
    used = sky.noise if noise is None else np.broadcast_to(noise, sky.noise.shape)
    used = np.maximum(used, 1e-12 * np.abs(images).max(axis=(1, 2)) + 1e-30)
    return np.asarray((images - sky.level[:, None, None]) / used[:, None, None], np.float32)


def guess_unit(images: Floats) -> str:
    """What stamps without a unit look like: "sky sigma", "magnitudes", "stretched" or "flux".

    Args:
        images: Shape (n, side, side, bands), finite.

    Returns:
        "sky sigma" if the frame has the noise and the level that images in that unit have;
        "magnitudes" if values lie where magnitudes do and the middle is lower than the frame;
        "stretched" if everything is of order one and the noise far below it; else "flux".
    """
    sky, side = sky_of(images), images.shape[1]
    middle = images[:, side // 2 - 2 : side // 2 + 2, side // 2 - 2 : side // 2 + 2]
    level, noise = float(np.median(sky.level)), float(np.median(sky.noise))
    if WHITE[0] <= noise <= WHITE[1] and abs(level) < 1.5:
        return "sky sigma"
    if 14 < level < 35 and noise < 3 and float(np.median(middle)) < level:
        return "magnitudes"
    if float(np.quantile(np.abs(images), 0.999)) <= 3 and 0.005 < noise < 0.3:
        return "stretched"
    return "flux"
