"""The pictures of `sky.mergers`: what the tide has moved star by star, the rest as galaxies."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from . import galaxies, population
from .render import Grid, point_spread
from .surveys import BANDS, Survey

__all__ = ["Placed", "deposit", "draw"]

KERNELS = (0.08, 0.19)  # by which stars are blurred near their center and far out, R90
Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Placed:
    """Stars and galaxies on the sky, in R90 of the primary, shapes (n, 2, ...)."""

    place: Doubles  # (n, 2, 2) of the centers
    stars: Doubles  # (n, 2, STARS, 2) about the primary
    weight: Doubles  # (n, 2, STARS): light drawn as stars, over the galaxy's light in stars
    spin: Doubles  # (n, 2, 3) in the frame of the sky
    share: Doubles  # (n, 2) of the light of the scene
    all_light: Doubles  # (n, 2, STARS)


def draw(
    truth: pd.DataFrame, scene: Placed, size: int, survey: Survey, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Noise-free images of placed galaxies and stars.

    Args:
        truth: One row a scene, with its conditions; gets a column `moved`, the share of the
            light that is drawn as displaced stars.
        scene: Where everything is.
        size: Pixels on a side.
        survey: Depth and bands.
        rng: Of the galaxies' looks.

    Returns:
        In sky sigma, `(n, size, size, 3)`, bands g, r, i.
    """
    images = np.zeros((len(truth), size, size, 3), np.float32)
    carried = np.zeros((len(truth), 2))
    pool = population.draw(8 * len(truth), rng, survey, size)
    for g in (0, 1):
        rows = np.flatnonzero(scene.share[:, g] > 0)
        parts, stars_share, colors = _galaxies(truth, scene, g, pool, rng)
        carried[:, g] = stars_share * scene.share[:, g]
        for start in range(0, len(rows), 32):
            some = rows[start : start + 32]
            piece = parts.iloc[some].reset_index(drop=True)
            images[some] += galaxies.render(piece, rng, survey=survey, size=size)[0]
        images[rows] += _starlight(truth, scene, g, carried, colors, size, survey)[rows]
    truth["moved"] = np.where(truth["merger"], carried.sum(1), 0.0)
    return np.maximum(images, 0)  # the finest grain of an irregular may overshoot below the sky


def _galaxies(truth, scene: Placed, g: int, pool: pd.DataFrame, rng):
    """What is left of one galaxy of each scene, and how much of its light is drawn as stars."""
    n = len(truth)
    hot = truth[f"hot_{g + 1}"].to_numpy()
    kind = pool["kind"].astype(str).to_numpy()
    old, young = (
        np.flatnonzero(kind == "elliptical"),
        np.flatnonzero((kind == "disc") | (kind == "irregular")),
    )
    rows = np.where(hot, rng.choice(old, n), rng.choice(young, n))
    part = pool.iloc[rows].reset_index(drop=True)
    for name in ("companion_share", "tail_share", "arc_share", "trail_sigma"):
        part[name] = 0.0
    if g:
        part["star_share"] = 0.0
    size = truth["size_ratio"].to_numpy() if g else 1.0
    part["r90_arcsec"] = truth["r90_arcsec"] * size
    place = (scene.place[:, g] + truth[["x_r90", "y_r90"]].to_numpy()) / np.reshape(size, (-1, 1))
    part["x_r90"], part["y_r90"] = place.T
    for name in ("pixel_arcsec", *(f"seeing_{band}_arcsec" for band in BANDS)):
        part[name] = truth[name]
    spin = scene.spin[:, g]
    tilt = np.arccos(np.clip(np.abs(spin[:, 2]), 0, 1))
    part["inclination_rad"] = np.where(hot, part["inclination_rad"], tilt)
    along = np.mod(np.arctan2(spin[:, 1], spin[:, 0]) + np.pi / 2, np.pi)
    part["angle_rad"] = np.where(hot, part["angle_rad"], along)
    disc = np.where(hot, 1.0, 1 - part["bulge_share"])
    stars_share = np.minimum(scene.weight[:, g].sum(-1) * disc, 0.995)
    part["bulge_share"] = np.where(hot, 1.0, part["bulge_share"] / (1 - stars_share))
    kept = np.maximum(scene.share[:, g] * (1 - stars_share), 1e-6)
    part["r_mag"] = truth["r_mag"] - 2.5 * np.log10(kept)
    color = [np.where(hot, part[f"old_{c}"], part[f"young_{c}"]) for c in ("g_r", "r_i")]
    return part, stars_share, np.stack(color, axis=1)


def _starlight(truth, scene: Placed, g, carried, colors, size, survey) -> NDArray[np.float32]:
    """The light that is drawn star by star, behind the same atmosphere."""
    grid = Grid(size)
    scale = (truth["r90_arcsec"] / truth["pixel_arcsec"]).to_numpy()  # pixels in an R90
    shift = truth[["x_r90", "y_r90"]].to_numpy()[:, None]
    pixels = (scene.stars[:, g] + shift) * scale[:, None, None]
    weight = scene.weight[:, g] / np.maximum(scene.weight[:, g].sum(-1, keepdims=True), 1e-9)
    size_ratio = truth["size_ratio"].to_numpy() ** 0.5 if g else np.ones(len(truth))
    own = scene.stars[:, g] - scene.place[:, g, None]
    far = np.sqrt((own**2).sum(-1)) > 0.8 * size_ratio[:, None]
    kx, ky = grid.wavenumbers()
    transform = np.zeros((), np.complex64)
    for kernel, some in zip(KERNELS, (~far, far), strict=True):  # few stars have to be many
        soft = (kernel * scale * size_ratio)[:, None, None]
        blur = np.exp(-0.5 * (kx**2 + ky**2) * soft**2)
        transform = transform + blur * grid.transform(deposit(grid, pixels, weight * some))
    sigma = survey.sky_sigma(truth["pixel_arcsec"].to_numpy())
    r_mag = truth["r_mag"].to_numpy() - 2.5 * np.log10(np.maximum(carried[:, g], 1e-9))
    magnitudes = np.stack([r_mag + colors[:, 0], r_mag, r_mag - colors[:, 1]], axis=1)
    flux = survey.electrons(magnitudes) / sigma
    out = np.empty((len(truth), size, size, 3), np.float32)
    for b, band in enumerate(BANDS):
        fwhm = (truth[f"seeing_{band}_arcsec"] / truth["pixel_arcsec"]).to_numpy()
        out[..., b] = grid.images(transform * point_spread(grid, fwhm))
        out[..., b] *= flux[:, b, None, None]
    return out


def deposit(grid: Grid, pixels: Doubles, weight: Doubles) -> NDArray[np.float32]:
    """Spreads each star over the four pixels around it, its light conserved.

    Args:
        grid: The pixels, padding included; light beyond them is lost.
        pixels: Places from the middle of the stamp, pixels, shape (n, stars, 2).
        weight: Light of the stars, shape (n, stars).

    Returns:
        Maps of shape (n, padded, padded).

    Raises:
        ValueError: If a place or a weight is not finite, or the shapes do not fit.
    """
    if pixels.shape != (*weight.shape, 2) or not (
        np.isfinite(pixels).all() and np.isfinite(weight).all()
    ):
        raise ValueError(
            f"deposit: received places of shape {pixels.shape} and weights of {weight.shape}, "
            "expected (n, stars, 2) and (n, stars), all finite."
        )
    p, n = grid.padded, len(weight)
    at = pixels + grid.start + (grid.size - 1) / 2
    low = np.floor(at).astype(int)
    rest = at - low
    maps = np.zeros(n * p * p)
    scene = np.arange(n)[:, None] * p * p
    for dy in (0, 1):
        for dx in (0, 1):
            x, y = low[..., 0] + dx, low[..., 1] + dy
            part = weight * np.abs(1 - dx - rest[..., 0]) * np.abs(1 - dy - rest[..., 1])
            inside = (x >= 0) & (x < p) & (y >= 0) & (y < p)
            index = (scene + np.clip(y, 0, p - 1) * p + np.clip(x, 0, p - 1)).ravel()
            maps += np.bincount(index, (part * inside).ravel(), len(maps))
    return maps.reshape(n, p, p).astype(np.float32)
