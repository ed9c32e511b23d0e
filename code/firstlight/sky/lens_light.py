"""Draws the parts of a lens scene: what has a Fourier transform there, the rest on the sky.

Lens galaxies and unlensed galaxies are Sersic profiles, evaluated in Fourier space (see
`sky.render`). A lensed source has no closed transform. Its rays are traced back pixel by
pixel: once through every pixel's center, which is enough for the source's faint outskirts, then
`FINE` x `FINE` times through the pixels that see the rest. Arms, rings and tails are drawn with
2 x 2 points a pixel.
"""

from functools import cache

import numpy as np
import pandas as pd

from .lens_impostors import ridge
from .lensing import Lens, deflection, sersic_brightness
from .render import Grid, sersic

__all__ = ["FINE", "feature_transforms", "lens_transforms", "neighbor_transforms", "traced"]

FINE = 4  # points on a side of a pixel for lensed sources
SHARP = 2.5  # half-light radii (or widths of a knot) beyond which a source varies slowly
MARGIN = 4  # pixels around the stamp from which light is blurred into it
_CHUNK = 16


@cache
def _axis(size: int, pixel: float, fine: int = 1) -> np.ndarray:
    """Coordinates along a side of the stamp with its margin, `fine` points a pixel, arcsec."""
    n = (size + 2 * MARGIN) * fine
    return ((np.arange(n) - (n - 1) / 2) * pixel / fine).astype(np.float32)


def _on_grid(maps: np.ndarray, grid: Grid) -> np.ndarray:
    """Maps of stamp and margin, placed on the padded pixels."""
    whole = np.zeros((len(maps), grid.padded, grid.padded), np.float32)
    first = grid.start - MARGIN
    there = slice(first, first + maps.shape[1])
    whole[:, there, there] = maps
    return whole


def _values(table: pd.DataFrame, *names: str) -> list[np.ndarray]:
    return [table[name].to_numpy(np.float32) for name in names]


def lens_transforms(grid: Grid, truth: pd.DataFrame, pixel: float) -> np.ndarray:
    """Transforms of the lens galaxies, each of unit flux."""
    x, y, radius, n, q, angle = _values(
        truth, "lens_x_arcsec", "lens_y_arcsec", "lens_radius_arcsec", "lens_sersic_n",
        "lens_axis_ratio", "lens_angle_rad",
    )  # fmt: skip
    return sersic(grid, radius / pixel, n, q, angle) * grid.phase(
        np.stack([x, y], axis=1) / np.float32(pixel)
    )


def _blobs(grid: Grid, parts: pd.DataFrame, pixel: float) -> np.ndarray:
    """Transforms of unlensed Sersic galaxies and Gaussian knots, each of its `flux`."""
    x, y, radius, n, q, angle, flux = _values(
        parts, "x_arcsec", "y_arcsec", "radius_arcsec", "sersic_n", "axis_ratio", "angle_rad",
        "flux",
    )  # fmt: skip
    shape = sersic(grid, radius / pixel, n, q, angle)
    knots = np.flatnonzero(parts["shape"].to_numpy() == "knot")
    if len(knots):
        kx, ky = grid.wavenumbers()
        sigma = (radius[knots] / np.float32(pixel))[:, None, None]
        shape[knots] = np.exp(-0.5 * sigma**2 * (kx**2 + ky**2))
    center = np.stack([x, y], axis=1) / np.float32(pixel)
    return shape * (grid.phase(center) * flux[:, None, None])


def _add(total: np.ndarray, owner: np.ndarray, pieces: np.ndarray) -> None:
    """Adds each piece to its owner's total, in place, in an order that no batch changes."""
    if len(owner):
        order = np.argsort(owner, kind="stable")
        owners, first = np.unique(owner[order], return_index=True)
        total[owners] += np.add.reduceat(pieces[order], first, axis=0)


def neighbor_transforms(
    grid: Grid, parts: pd.DataFrame, n: int, pixel: float, electrons: np.ndarray
) -> np.ndarray:
    """Transforms of all field galaxies of each stamp, `(n, bands, p, p // 2 + 1)`.

    Args:
        grid: Where to draw.
        parts: Those of role "neighbor".
        n: Number of stamps.
        pixel: Side of a pixel, arcsec.
        electrons: Flux of each part in each band, `(len(parts), bands)`.
    """
    half = grid.padded // 2 + 1
    total = np.zeros((n, electrons.shape[1], grid.padded, half), np.complex64)
    owner = parts["owner"].to_numpy()
    blobs = _blobs(grid, parts, pixel)
    for band in range(electrons.shape[1]):
        _add(total[:, band], owner, blobs * electrons[:, band, None, None].astype(np.float32))
    return total


def feature_transforms(
    grid: Grid, truth: pd.DataFrame, parts: pd.DataFrame, pixel: float
) -> tuple[np.ndarray, np.ndarray]:
    """Transforms of what decides the label: lensed sources, field sources, impostors.

    Args:
        grid: Where to draw.
        truth: All stamps.
        parts: Those of roles "source", "field" and "feature".
        pixel: Side of a pixel, arcsec.

    Returns:
        Transforms of unit flux, `(n, p, p // 2 + 1)`, zero where there is nothing, and the
        magnification of each source (1 for what is not lensed).
    """
    n = len(truth)
    total = np.zeros((n, grid.padded, grid.padded // 2 + 1), np.complex64)
    magnified = np.ones(n, np.float32)
    role, shape = parts["role"].to_numpy(), parts["shape"].to_numpy()
    blobs = parts[(role != "source") & (shape != "ridge")]
    _add(total, blobs["owner"].to_numpy(), _blobs(grid, blobs, pixel))
    ridges = parts[shape == "ridge"]
    _add(total, ridges["owner"].to_numpy(), _ridges(grid, ridges, pixel))
    sources = parts[role == "source"]
    rows = np.unique(sources["owner"].to_numpy())
    if len(rows):
        maps = traced(truth.iloc[rows], sources, rows, grid.size, pixel)
        magnified[rows] = maps.sum(axis=(1, 2))
        total[rows] += grid.transform(_on_grid(maps, grid))
    flux = np.maximum(total[:, 0, 0].real, 1e-12)  # the transform at k = 0 is the flux
    return total / flux[:, None, None], magnified


def _ridges(grid: Grid, parts: pd.DataFrame, pixel: float) -> np.ndarray:
    """Transforms of arms, rings and tails, each of its `flux`."""
    axis = _axis(grid.size, pixel, 2)
    side = len(axis) // 2
    names = ("radius_arcsec", "axis_ratio", "angle_rad", "growth", "reach_rad", "width",
             "phase_rad", "clumps", "x_arcsec", "y_arcsec", "flux")  # fmt: skip
    done = [np.zeros((0, grid.padded, grid.padded // 2 + 1), np.complex64)]
    for first in range(0, len(parts), _CHUNK):
        chunk = parts.iloc[first : first + _CHUNK]
        *curve, x, y, flux = (value[:, None, None] for value in _values(chunk, *names))
        radius, q, angle, growth, reach, width, phase, clumps = curve
        light = ridge(
            axis[None, None, :] - x, axis[None, :, None] - y, radius=radius, axis_ratio=q,
            angle=angle, growth=growth, reach=reach, width=width, phase=phase, clumps=clumps,
        )  # fmt: skip
        maps = light.reshape(len(chunk), side, 2, side, 2).sum(axis=(2, 4))
        maps *= flux / np.maximum(maps.sum(axis=(1, 2), keepdims=True), 1e-9)
        done.append(grid.transform(_on_grid(maps, grid)))
    return np.concatenate(done)


def _lens(truth: pd.DataFrame) -> Lens:
    return Lens(*_values(truth, "einstein_radius_arcsec", "mass_axis_ratio", "mass_angle_rad",
                         "shear_1", "shear_2"))  # fmt: skip


def traced(
    truth: pd.DataFrame, parts: pd.DataFrame, rows: np.ndarray, size: int, pixel: float,
    fine: int = FINE,
) -> np.ndarray:  # fmt: skip
    """Lensed images of sources before any blurring.

    Args:
        truth: One row for each lens, in the order of `rows`.
        parts: Pieces of the sources, fluxes adding up to the unlensed flux.
        rows: The owner that belongs to each lens.
        size: Pixels on a side of the stamp; a margin of `MARGIN` is drawn around it.
        pixel: Side of a pixel, arcsec.
        fine: Points on a side of a pixel.

    Returns:
        Flux in each pixel, `(len(rows), size + 2 MARGIN, size + 2 MARGIN)`. Where the unlensed
        flux is 1, the sum is the magnification, but for light outside.
    """
    lens = _lens(truth)
    center = np.stack(_values(truth, "lens_x_arcsec", "lens_y_arcsec"))
    axis = _axis(size, pixel)
    x = np.broadcast_to(axis[None, None, :], (len(rows), len(axis), len(axis)))
    y = np.swapaxes(x, 1, 2)
    whole = Lens(*(np.asarray(value)[:, None, None] for value in lens))
    bent = deflection(x - center[0, :, None, None], y - center[1, :, None, None], whole)
    sources = _stacked(parts, rows)
    x_source, y_source = x - bent[0], y - bent[1]
    everyone = np.arange(len(rows))[:, None]
    maps = _brightness(x_source, y_source, sources, everyone)
    near = (x - center[0, :, None, None]) ** 2 + (y - center[1, :, None, None]) ** 2
    stretch = 1 + np.asarray(lens.einstein_radius)[:, None, None] / np.sqrt(
        np.maximum(near, pixel**2 / 4)
    )
    mx, my, reach = (value[:, None, None] for value in _bounds(sources))
    edge = reach + np.float32(0.75 * pixel) * stretch
    owner, row, column = np.nonzero((x_source - mx) ** 2 + (y_source - my) ** 2 < edge**2)
    step = ((np.arange(fine) - (fine - 1) / 2) / fine * pixel).astype(np.float32)
    dx, dy = (d.ravel() for d in np.meshgrid(step, step))
    x_fine, y_fine = axis[column][:, None] + dx, axis[row][:, None] + dy
    one = Lens(*(np.asarray(value)[owner][:, None] for value in lens))
    shift_x, shift_y = center[0, owner][:, None], center[1, owner][:, None]
    bent = deflection(x_fine - shift_x, y_fine - shift_y, one)
    light = _brightness(x_fine - bent[0], y_fine - bent[1], sources, owner[:, None])
    maps[owner, row, column] = light.mean(axis=1)
    return maps * np.float32(pixel**2)


Stack = list[tuple[str, np.ndarray]]


def _stacked(parts: pd.DataFrame, rows: np.ndarray) -> Stack:
    """The k-th piece of every source, k after k: shape, and parameters `(7, len(rows))`."""
    names = ("x_arcsec", "y_arcsec", "radius_arcsec", "sersic_n", "axis_ratio", "angle_rad", "flux")
    stack: Stack = []
    for shape in ("sersic", "knot"):
        some = parts[parts["shape"] == shape]
        turn = some.groupby("owner").cumcount().to_numpy()
        for k in range(turn.max(initial=-1) + 1):
            piece = some[turn == k]
            values = np.zeros((7, len(rows)), np.float32)
            values[2:5] = 1.0  # a stand-in of no flux for sources without a k-th piece
            values[:, np.searchsorted(rows, piece["owner"])] = np.stack(_values(piece, *names))
            stack.append((shape, values))
    return stack


def _bounds(sources: Stack) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Center and radius of a circle that holds what varies fast in each source, arcsec."""
    x, y = sources[0][1][:2]
    reach = np.zeros_like(x)
    for _, values in sources:
        px, py, radius, _, q, _, flux = values
        out = np.hypot(px - x, py - y) + SHARP * radius / np.sqrt(q)
        reach = np.maximum(reach, np.where(flux > 0, out, 0))
    return x, y, reach


def _brightness(x: np.ndarray, y: np.ndarray, sources: Stack, owner: np.ndarray) -> np.ndarray:
    """Surface brightness of each point's source, flux per square arcsec."""
    light = np.zeros(x.shape, np.float32)
    owner = owner.reshape(owner.shape[:1] + (1,) * (x.ndim - 1))
    for shape, values in sources:
        px, py, radius, n, q, angle, flux = values[:, owner]
        u, v = x - px, y - py
        if shape == "knot":
            two = 2 * radius**2
            light += flux / (np.float32(np.pi) * two) * np.exp(-(u * u + v * v) / two)
        else:
            light += flux * sersic_brightness(u, v, radius, n, q, angle)
    return light
