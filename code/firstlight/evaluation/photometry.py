"""Photometry of whole batches of stamps: centers, exact circular apertures, curves of growth.

A circle's share of each pixel is computed once per stamp size, so that the curves of growth of
a batch are one matrix product.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft

__all__ = [
    "Apertures",
    "Growth",
    "apertures",
    "as_batch",
    "border_sky",
    "centers",
    "growth_curve",
    "recenter",
]

Floats = NDArray[np.float32]

ANNULUS = 1.25  # the Petrosian annulus reaches from r / 1.25 to 1.25 r (Blanton et al. 2001)
STEPS = 4  # aperture radii in one such factor
PETROSIAN_RATIO = 0.2
APERTURE = 1.5  # total flux and asymmetry are measured within 1.5 Petrosian radii
OVERSAMPLING = 20
CHUNK = 128  # stamps worked on at a time: they fit the processor's cache


class Apertures(NamedTuple):
    """Circles of radius `radii` about one of four sub-pixel centers of a stamp."""

    radii: Floats  # (n_radii,) pixels
    weights: Floats  # (4, side * side, n_radii) share of each pixel inside each circle
    areas: Floats  # (4, n_radii) pixels
    distance: Floats  # (4, side, side) distance of pixel centers from the center


@lru_cache(maxsize=4)
def apertures(side: int) -> Apertures:
    """The exact apertures for stamps of `side` pixels, one set for each parity of the center."""
    n_radii = STEPS + 1 + int(np.ceil(STEPS * np.log(side * 1.25) / np.log(ANNULUS)))
    radii = 0.5 * ANNULUS ** (np.arange(n_radii) / STEPS)
    fine = (np.arange(side * OVERSAMPLING) + 0.5) / OVERSAMPLING - 0.5
    pixel = np.arange(side * OVERSAMPLING) // OVERSAMPLING
    weights, distance = [], []
    for parity in range(4):
        cy, cx = (side - 1 + np.array(divmod(parity, 2))) / 2
        r = np.hypot((fine - cy)[:, None], (fine - cx)[None, :])
        ring = np.searchsorted(radii, r.ravel())
        cell = (pixel[:, None] * side + pixel[None, :]).ravel() * (n_radii + 1) + ring
        counts = np.bincount(cell, minlength=side * side * (n_radii + 1))
        shares = counts.reshape(side * side, -1).cumsum(axis=1)[:, :-1] / OVERSAMPLING**2
        weights.append(shares.astype(np.float32))
        y, x = np.arange(side)[:, None] - cy, np.arange(side)[None, :] - cx
        distance.append(np.hypot(y, x).astype(np.float32))
    stacked = np.stack(weights)
    return Apertures(radii.astype(np.float32), stacked, stacked.sum(axis=1), np.stack(distance))


def as_batch(images: ArrayLike) -> Floats:
    batch = np.asarray(images, dtype=np.float32)
    if batch.ndim != 3 or batch.shape[1] != batch.shape[2] or batch.shape[1] < 8:
        raise ValueError(
            f"images: received shape {batch.shape}, expected (n, side, side), square stamps of "
            "8 pixels or more in one band. Pick a band with images[..., 1]."
        )
    return batch


def border_sky(images: ArrayLike, width: int = 3) -> tuple[Floats, Floats]:
    """Level and noise of the sky, from the frame of pixels at the edge of each stamp.

    Args:
        images: One band, shape (n, side, side).
        width: Width of the frame in pixels.

    Returns:
        The median and 1.4826 times the median absolute deviation, each of shape (n,).
    """
    batch = as_batch(images)
    frame = np.ones(batch.shape[1:], dtype=bool)
    frame[width:-width, width:-width] = False
    sky = batch[:, frame]
    level = np.median(sky, axis=1)
    return level, 1.4826 * np.median(np.abs(sky - level[:, None]), axis=1)


def centers(batch: Floats) -> NDArray[np.intp]:
    """Twice the (y, x) center of each galaxy, to half a pixel: shape (n, 2).

    The center is where the galaxy looks most like itself turned by 180 degrees. The image
    convolved with itself, at 2c, is the overlap of the image with its own rotation about c:
    one Fourier transform tries every center at once. The search stays within two pixels of the
    brightest smoothed pixel, lest two galaxies be centered on the void between them.
    """
    n, side, _ = batch.shape
    transform = fft.rfft2(batch)
    overlap = fft.irfft2(transform**2, s=(side, side))
    k_y, k_x = fft.fftfreq(side), fft.rfftfreq(side)
    blur = np.exp(-2 * (np.pi * 1.5) ** 2 * (k_y[:, None] ** 2 + k_x**2)).astype(np.float32)
    smooth = fft.irfft2(transform * blur, s=(side, side))
    quarter = side // 4
    middle = smooth[:, quarter : side - quarter, quarter : side - quarter]
    peak = middle.reshape(n, -1).argmax(axis=1)
    peak_yx = np.stack(divmod(peak, middle.shape[2]), axis=1) + quarter
    steps = np.arange(-4, 5)
    twice_y = 2 * peak_yx[:, 0, None, None] + steps[:, None]
    twice_x = 2 * peak_yx[:, 1, None, None] + steps
    near = overlap[np.arange(n)[:, None, None], twice_y % side, twice_x % side]
    best = near.reshape(n, -1).argmax(axis=1)
    return 2 * peak_yx + np.stack(divmod(best, len(steps)), axis=1) - 4


def recenter(batch: Floats, twice: NDArray[np.intp]) -> tuple[Floats, NDArray[np.intp]]:
    """Stamps shifted by whole pixels so that the galaxy sits in the middle, and their parity.

    After the shift the center is at (side - 1) / 2, plus half a pixel where the parity says so
    (0: neither, 1: x, 2: y, 3: both). What was outside the stamp is filled with sky, zero.
    """
    n, side, _ = batch.shape
    offset = twice - (side - 1)
    shift, half = offset // 2, offset % 2
    margin = int(np.abs(shift).max(initial=0))
    padded = np.pad(batch, ((0, 0), (margin, margin), (margin, margin)))
    centered = np.empty_like(batch)
    code = (shift[:, 0] + margin) * (2 * margin + 1) + shift[:, 1] + margin
    for value in np.unique(code):
        rows = np.flatnonzero(code == value)
        y, x = divmod(int(value), 2 * margin + 1)
        centered[rows] = padded[rows, y : y + side, x : x + side]
    return centered, 2 * half[:, 0] + half[:, 1]


def _first_crossing(
    curve: Floats, level: Floats, radii: Floats, rising: bool
) -> tuple[Floats, NDArray[np.bool_]]:
    """Radius at which each curve first crosses its level, interpolated in log radius."""
    reached = np.asarray(curve >= level[:, None] if rising else curve <= level[:, None])
    found: NDArray[np.bool_] = np.asarray(reached.any(axis=1))
    after = np.where(found, reached.argmax(axis=1), curve.shape[1] - 1)
    before = np.maximum(after - 1, 0)
    rows = np.arange(len(curve))
    low, high = curve[rows, before], curve[rows, after]
    step = np.where(high != low, (level - low) / np.where(high == low, 1, high - low), 0.0)
    share = np.clip(step, 0.0, 1.0)
    radius = radii[before] * (radii[after] / radii[before]) ** share
    return radius.astype(np.float32), found


class Growth(NamedTuple):
    """The curve of growth of each galaxy and what follows from it."""

    petrosian_radius: Floats
    r20: Floats
    r50: Floats
    r80: Floats
    flux: Floats
    edge: Floats  # surface brightness at the Petrosian radius


def growth_curve(centered: Floats, parity: NDArray[np.intp]) -> Growth:
    """Curves of growth, Petrosian radii and the radii of 20, 50 and 80 % of the light."""
    n, side, _ = centered.shape
    circles = apertures(side)
    inside = np.empty((n, len(circles.radii)), np.float32)
    for value in np.unique(parity):
        rows = parity == value
        inside[rows] = centered[rows].reshape(-1, side * side) @ circles.weights[value]
    area = circles.areas[parity]
    k = STEPS
    annulus = (inside[:, 2 * k :] - inside[:, : -2 * k]) / (area[:, 2 * k :] - area[:, : -2 * k])
    mean = np.maximum(inside[:, k:-k] / area[:, k:-k], 1e-12)
    radii = circles.radii[k:-k]
    # In the last annuli the stamp holds only corners: no Petrosian radius is sought there.
    usable = radii <= side / 2
    ratio = (annulus / mean)[:, usable]
    target = np.full(n, PETROSIAN_RATIO, np.float32)
    petrosian, found = _first_crossing(ratio, target, radii[usable], rising=False)
    petrosian = np.where(found, petrosian, side / 2).astype(np.float32)
    rows = np.arange(n)

    def at(radius: Floats) -> Floats:
        place = np.log(np.clip(radius, 0.5, circles.radii[-2]) / 0.5) * k / np.log(ANNULUS)
        low = np.minimum(place.astype(int), len(circles.radii) - 2)
        part = place - low
        return (1 - part) * inside[rows, low] + part * inside[rows, low + 1]

    flux = at(APERTURE * petrosian)
    light = [
        _first_crossing(inside, np.float32(share) * flux, circles.radii, rising=True)[0]
        for share in (0.2, 0.5, 0.8)
    ]
    edge = PETROSIAN_RATIO * at(petrosian) / (np.pi * petrosian**2)
    return Growth(petrosian, light[0], light[1], light[2], flux, edge.astype(np.float32))
