"""Radio galaxies without a network: what astronomers measure on a map, and Zernike moments."""

from __future__ import annotations

from functools import lru_cache
from math import factorial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["radio_features", "zernike_basis"]

Doubles = NDArray[np.float64]

SIDE = 120  # pixels of 1.8 arcsec around the catalog position
RADII = (3, 6, 10, 15, 22, 32, 45, 60)
LEVELS = (1.0, 20.0, 80.0, 200.0)
ORDER = 10
ZERNIKE_RADII = (18, 50)
AT_ONCE = 128  # maps: a moment of all of them would take a gigabyte


@lru_cache(maxsize=4)
def zernike_basis(side: int, radius: float, order: int = ORDER) -> NDArray[np.complex128]:
    """Zernike's polynomials on a disk in the middle of a square (Zernike 1934).

    They are orthogonal on the disk, so each is a shape that the others do not measure; turning
    the picture changes only the phase of a moment, not its size.

    Args:
        side: Pixels of the square.
        radius: Of the disk, in pixels.
        order: Highest radial order n.

    Returns:
        Shape (moments, side, side): all (n, m) with n up to `order`, 0 <= m <= n, n - m even.
    """
    grid = np.arange(side) - (side - 1) / 2
    x, y = np.meshgrid(grid, grid)
    rho, phi = np.hypot(x, y) / radius, np.arctan2(y, x)
    inside = rho <= 1
    shapes = []
    for n in range(order + 1):
        for m in range(n % 2, n + 1, 2):
            radial = sum(
                (-1) ** k * factorial(n - k)
                / (factorial(k) * factorial((n + m) // 2 - k) * factorial((n - m) // 2 - k))
                * rho ** (n - 2 * k)
                for k in range((n - m) // 2 + 1)
            )  # fmt: skip
            wave = np.where(inside, radial, 0) * np.exp(-1j * m * phi)
            shapes.append(wave * (n + 1) / (np.pi * radius**2))
    return np.array(shapes)


def radio_features(images: ArrayLike) -> tuple[NDArray[np.float32], list[str]]:
    """Sizes, flux ratios, peaks, bending, symmetry and Zernike moments of radio maps.

    Among them is the ratio by which Fanaroff & Riley (1974, MNRAS 167, 31P) told their two
    classes apart: the distance between the brightest spots over the size of the whole.

    Args:
        images: Shape (n, side, side), side of 120 or more, non-negative, empty sky at zero; the
            source in the middle.

    Returns:
        Shape (n, features), finite, and the features' names.

    Raises:
        ValueError: If the images are smaller, negative or not finite.
    """
    cube = np.asarray(images)
    if cube.ndim != 3 or min(cube.shape[1:]) < SIDE or cube.shape[1] != cube.shape[2]:
        raise ValueError(
            f"images: received shape {cube.shape}, expected (n, side, side) with a side of "
            f"{SIDE} or more. Cut larger stamps."
        )
    first = (cube.shape[1] - SIDE) // 2
    cube = cube[:, first : first + SIDE, first : first + SIDE]
    if not np.isfinite(cube).all() or cube.min() < 0:
        raise ValueError("images: received negative or infinite pixels, expected flux above zero.")
    parts = [_table(cube[k : k + AT_ONCE].astype(np.float64)) for k in range(0, len(cube), AT_ONCE)]
    values = np.concatenate([np.stack(list(part.values()), axis=1) for part in parts])
    return np.nan_to_num(values, posinf=0.0, neginf=0.0).astype(np.float32), list(parts[0])


def _table(cube: Doubles) -> dict[str, Doubles]:
    """All measures of some maps, by name."""
    rows = [{**_islands(image), **_shape(image), **_peaks(image)} for image in cube]
    single = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return {**_fluxes(cube), **_zernike(cube), **single}


@lru_cache(maxsize=1)
def _grid() -> tuple[Doubles, Doubles, Doubles]:
    grid = np.arange(SIDE) - (SIDE - 1) / 2
    x, y = np.meshgrid(grid, grid)
    return x, y, np.hypot(x, y)


def _fluxes(cube: Doubles) -> dict[str, Doubles]:
    """Growth curves of the flux and of its logarithm, and half-turn asymmetry."""
    r = _grid()[2]
    out = {}
    for name, stack in (("flux", cube), ("log", np.log1p(cube))):
        total = stack.sum(axis=(1, 2)) + 1e-9
        out[f"{name}_total"] = np.log(total)
        for radius in RADII:
            out[f"{name}_within_{radius}"] = stack[:, r <= radius].sum(axis=1) / total
        turned = np.abs(stack - stack[:, ::-1, ::-1]).sum(axis=(1, 2))
        out[f"{name}_asymmetry"] = turned / total
    out["center"] = np.log1p(cube[:, r < 3].max(axis=1))
    out["brightest"] = np.log1p(cube.max(axis=(1, 2)))
    return out


def _zernike(cube: Doubles) -> dict[str, Doubles]:
    """Sizes of the Zernike moments of the logarithm, over that of the mean."""
    out, flat = {}, np.log1p(cube).reshape(len(cube), -1)
    for radius in ZERNIKE_RADII:
        basis = zernike_basis(SIDE, radius).reshape(-1, SIDE * SIDE)
        size = np.abs(flat @ basis.T)
        for k in range(1, len(basis)):
            out[f"zernike_{radius}_{k}"] = size[:, k] / (size[:, 0] + 1e-9)
    return out


def _islands(image: Doubles) -> dict[str, float]:
    """How many islands stand above each level, how large, and how far out."""
    from scipy import ndimage

    r = _grid()[2]
    out: dict[str, float] = {}
    for level in LEVELS:
        marks, count = ndimage.label(image >= level, np.ones((3, 3)))
        areas = np.bincount(marks.ravel())[1:]
        near = np.full(max(count, 1), 99.0)
        np.minimum.at(near, marks[marks > 0] - 1, r[marks > 0])
        middle = marks == (1 + int(np.argmin(near))) if count else np.zeros_like(r, bool)
        out |= {
            f"islands_{level:.0f}": float(np.sum(areas >= 4)),
            f"area_{level:.0f}": np.log1p(areas.sum()),
            f"largest_{level:.0f}": areas.max() / areas.sum() if count else 0.0,
            f"middle_area_{level:.0f}": np.log1p(middle.sum()),
            f"middle_reach_{level:.0f}": r[middle].max() if middle.any() else 0.0,
            f"middle_away_{level:.0f}": float(np.min(near)),
        }
    return out


def _shape(image: Doubles) -> dict[str, float]:
    """Moments in the frame of the principal axes: length, width, bending, lopsidedness."""
    lit = image > 0  # one pixel in fifty
    x, y, r = (plane[lit] for plane in _grid())
    flux = image[lit]
    out: dict[str, float] = {}
    for radius, weigh in ((20, "flux"), (45, "flux"), (20, "log"), (45, "log"), (60, "log")):
        w = np.where(r <= radius, flux if weigh == "flux" else np.log1p(flux), 0.0)
        w = w / (w.sum() + 1e-9)
        mx, my = (w * x).sum(), (w * y).sum()
        dx, dy = x - mx, y - my
        angle = 0.5 * np.arctan2(2 * (w * dx * dy).sum(), (w * (dx**2 - dy**2)).sum())
        u = dx * np.cos(angle) + dy * np.sin(angle)  # along the source
        v = dy * np.cos(angle) - dx * np.sin(angle)  # across it
        a, b = np.sqrt((w * u**2).sum()) + 1e-3, np.sqrt((w * v**2).sum()) + 1e-3
        found = {
            "length": a,
            "width": b,
            "round": b / a,
            "offset": np.hypot(mx, my) / a,
            "bend": abs((w * v * (u**2 - a**2)).sum()) / (a**2 * b),
            "bow": abs((w * v * u**2).sum()) / a**3,
            "lopsided": abs((w * u**3).sum()) / a**3,
            "twist": abs((w * v * u**3).sum()) / (a**3 * b),
            "two_humps": (w * u**4).sum() / a**4,
            "opening": _opening(w, x, y, angle),
        }
        out |= {f"{weigh}_{radius}_{name}": float(value) for name, value in found.items()}
    return out


def _opening(w: Doubles, x: Doubles, y: Doubles, angle: float) -> float:
    """Cosine of the angle between the two halves of the source, as seen from the middle."""
    side = x * np.cos(angle) + y * np.sin(angle) > 0
    halves = [np.array([(w * x)[part].sum(), (w * y)[part].sum()]) for part in (side, ~side)]
    lengths = np.linalg.norm(halves[0]) * np.linalg.norm(halves[1])
    return float(halves[0] @ halves[1] / lengths) if lengths > 1e-9 else 0.0


def _peaks(image: Doubles) -> dict[str, float]:
    """The brightest spots: how many, how far apart, in what angle, over what total size."""
    from scipy import ndimage

    x, y, r = _grid()
    smooth = np.round(ndimage.gaussian_filter(image, 1.0), 6)
    marks, count = ndimage.label(
        (smooth == ndimage.maximum_filter(smooth, 5)) & (smooth > 3) & (r < 50), np.ones((3, 3))
    )  # a saturated top has many pixels and is one peak
    which = np.arange(1, count + 1)
    places = [ndimage.mean(plane, marks, which) for plane in (x, y)] if count else [[], []]
    top = np.asarray(ndimage.maximum(smooth, marks, which)) if count else np.zeros(0)
    order = np.lexsort((np.hypot(*places), -top))[:3]  # equals: the nearer first
    heights = top[order]
    spots: list[Any] = [np.array([places[0][k], places[1][k]]) for k in order]
    h = [*heights, 0.0, 0.0, 0.0]
    while len(spots) < 3:
        spots.append(spots[0] if spots else np.zeros(2))
    near = (image > 0) & (r < 50)
    size = 2 * np.quantile(r[near], 0.95) if near.any() else 1.0
    gap = float(np.linalg.norm(spots[0] - spots[1]))
    arms = np.linalg.norm(spots[0]) * np.linalg.norm(spots[1])
    middle = (spots[0] + spots[1]) / 2
    return {
        "peaks": float(count),
        "peak_ratio": h[1] / (h[0] + 1e-9),
        "third_ratio": h[2] / (h[0] + 1e-9),
        "peak_gap": gap,
        "fanaroff_riley": gap / size,
        "peak_away": float(np.linalg.norm(spots[0])) / size,
        "peak_angle": float(spots[0] @ spots[1] / arms) if arms > 1e-9 else 0.0,
        "third_aside": float(np.linalg.norm(spots[2] - middle)) / size,
        "size": float(size),
    }
