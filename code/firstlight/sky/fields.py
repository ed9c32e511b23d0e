"""Crowded fields of stars and galaxies, many of them blended, every source kept as truth.

Lengths are in pixels, fluxes in units of the empty sky's standard deviation in one pixel. The
profiles are those of `render`. Numbers and sizes are ours, chosen so that about half of the
sources have a neighbor close enough to disturb a detector; they imitate no survey.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from . import checks
from .render import Grid, point_spread, sersic

__all__ = ["BLOCK", "Fields", "Pairs", "background", "centers", "pairs", "simulate", "stamps"]

BLOCK = 16
FAINTEST, BRIGHTEST = 5.0, 300.0  # S/N of a star of that flux
_SLOPE = 0.7  # of the counts: N(> S) falls as S^-0.7
_STARS = 0.25
_PAIRED = 0.5  # share of sources that get a companion
_APART = (2.0, 7.0)  # distance of the companion, pixels
_INDICES = (1.0, 2.0, 4.0)


@dataclass(frozen=True)
class Fields:
    """Simulated fields and their sources.

    Args:
        images: `(n, size, size)` float32, in sky sigma, the sky subtracted.
        truth: One row a source: `field` (row of `images`), `x`, `y` (pixels, along the second
            and the first axis of the image, counted from the middle of the first pixel),
            `flux`, `snr` (of a matched filter, were it alone in the dark), `star`,
            `radius` (half of the light, before seeing), `sersic_n`, `axis_ratio`, `angle_rad`,
            `nearest` (pixels to the next source that has a fifth of its S/N or more).
    """

    images: np.ndarray
    truth: pd.DataFrame

    def __len__(self) -> int:
        return len(self.images)

    def sources(self, field: int, snr: float = 0.0) -> pd.DataFrame:
        """The sources of one field, of at least that S/N."""
        table = self.truth
        return table[(table["field"] == field) & (table["snr"] >= snr)]


def simulate(
    n: int, seed: int, *, size: int = 64, sources: float = 14.0, fwhm: float = 2.5,
    noise: float = 1.0,
) -> Fields:  # fmt: skip
    """Simulates n fields.

    Args:
        n: How many.
        seed: Same seed, same fields; the first k of n are the same for any n.
        size: Pixels on a side, even.
        sources: Mean number of sources on 64 x 64 pixels, companions not counted.
        fwhm: Of the Moffat point-spread function.
        noise: Standard deviation of the sky's noise, in the units of the fluxes.

    Returns:
        The fields.

    Raises:
        ValueError: For a count or size out of range, or a number that is not positive.

    Example:
        >>> simulate(3, seed=1, size=32).images.shape
        (3, 32, 32)
    """
    checks.whole("simulate", "n", n, 1, 1_000_000)
    checks.whole("simulate", "seed", seed, 0, 2**63)
    checks.whole("simulate", "size", size, 16, 512)
    if size % 2 or not min(sources, fwhm, noise) > 0:
        raise ValueError(
            f"simulate: received size={size}, sources={sources}, fwhm={fwhm}, noise={noise}; "
            "expected an even size and positive numbers."
        )
    parts = [
        _block(np.random.default_rng([seed, block]), block * BLOCK, size, sources, fwhm, noise)
        for block in range(-(-n // BLOCK))
    ]
    truth = pd.concat([table for _, table in parts], ignore_index=True)
    return Fields(np.concatenate([images for images, _ in parts])[:n], truth[truth["field"] < n])


def _block(
    rng: np.random.Generator, first: int, size: int, mean: float, fwhm: float, noise: float
) -> tuple[np.ndarray, pd.DataFrame]:
    truth = _draw(rng, size, mean)
    grid = Grid(size)
    seeing = point_spread(grid, np.full(1, fwhm))
    light = np.zeros((BLOCK, grid.padded, grid.padded // 2 + 1), np.complex64)
    power = np.empty(len(truth))
    star = np.sqrt(_squared(seeing, grid.padded))[0]
    truth["flux"] = truth.pop("star_snr") / star
    for field in range(BLOCK):
        rows = np.flatnonzero(truth["field"] == field)
        if len(rows) == 0:
            continue
        t = truth.iloc[rows]
        profile = seeing * _bodies(grid, t)
        power[rows] = _squared(profile, grid.padded)
        shift = grid.phase(t[["x", "y"]].to_numpy() - (size - 1) / 2)
        flux = t["flux"].to_numpy(np.float32)[:, None, None]
        light[field] = (flux * profile * shift).sum(axis=0)
    truth["snr"] = truth["flux"] * np.sqrt(power) / noise
    truth["nearest"] = _nearest(truth)
    truth["field"] += first
    clean = grid.images(light)
    return clean + noise * rng.standard_normal(clean.shape, dtype=np.float32), truth


def _draw(rng: np.random.Generator, size: int, mean: float) -> pd.DataFrame:
    """Positions, brightness (S/N of a star of that flux) and shapes of one block's sources."""
    count = rng.poisson(mean * (size / 64) ** 2, BLOCK)
    field = np.repeat(np.arange(BLOCK), count)
    place = rng.uniform(-0.5, size - 0.5, (len(field), 2))
    low, high = FAINTEST**-_SLOPE, BRIGHTEST**-_SLOPE
    bright = rng.uniform(high, low, len(field)) ** (-1 / _SLOPE)
    pair = np.flatnonzero(rng.random(len(field)) < _PAIRED)
    turn = rng.uniform(0, 2 * np.pi, len(pair))
    step = rng.uniform(*_APART, len(pair))[:, None] * np.stack([np.cos(turn), np.sin(turn)], 1)
    field = np.concatenate([field, field[pair]])
    bright = np.concatenate([bright, bright[pair] * rng.uniform(0.15, 1.0, len(pair))])
    place = np.concatenate([place, place[pair] + step])
    n = len(field)
    star = rng.random(n) < _STARS
    radius = np.clip(np.exp(rng.normal(np.log(1.6), 0.35, n)) * (bright / 30) ** 0.15, 0.7, 5)
    truth = pd.DataFrame({
        "field": field, "x": place[:, 0], "y": place[:, 1], "star": star,
        "star_snr": np.maximum(bright, FAINTEST), "radius": np.where(star, 1e-3, radius),
        "sersic_n": rng.choice(_INDICES, n, p=(0.5, 0.3, 0.2)),
        "axis_ratio": np.where(star, 1.0, rng.uniform(0.35, 1.0, n)),
        "angle_rad": rng.uniform(0, np.pi, n),
    })  # fmt: skip
    inside = (np.abs(place - (size - 1) / 2) < size / 2).all(axis=1)
    return truth[inside].sort_values("field", kind="stable").reset_index(drop=True)


def _bodies(grid: Grid, truth: pd.DataFrame) -> np.ndarray:
    """Transforms of the sources of a table, centered, of unit flux, before seeing."""
    shape = ("radius", "sersic_n", "axis_ratio", "angle_rad")
    return sersic(grid, *(truth[name].to_numpy() for name in shape))


def stamps(truth: pd.DataFrame, *, size: int = 32, fwhm: float = 2.5) -> np.ndarray:
    """Noise-free images of single sources, one each, for planting into an image of the sky.

    Args:
        truth: Rows as `simulate` makes them; `x` and `y` count from the middle of the stamp.
        size: Pixels on a side, even.
        fwhm: Of the point-spread function.

    Returns:
        `(n, size, size)`; a source in the dark has the signal-to-noise ratio `snr`.
    """
    grid = Grid(size)
    profile = point_spread(grid, np.full(1, fwhm)) * _bodies(grid, truth)
    flux = (truth["snr"] / np.sqrt(_squared(profile, grid.padded))).to_numpy(np.float32)
    shift = grid.phase(truth[["x", "y"]].to_numpy())
    return grid.images((flux[:, None, None] * profile * shift).astype(np.complex64))


def _squared(profile: np.ndarray, side: int) -> np.ndarray:
    """Sum of squares over the pixels of real images, from their half-plane transforms."""
    weight = np.full(profile.shape[-1], 2.0)
    weight[0] = 1.0
    if side % 2 == 0:
        weight[-1] = 1.0
    return np.asarray((np.abs(profile) ** 2 * weight).sum(axis=(1, 2)) / side**2)


def _nearest(truth: pd.DataFrame) -> np.ndarray:
    """Distance to the nearest source of the field that is not much fainter, or inf."""
    place, snr = truth[["x", "y"]].to_numpy(), truth["snr"].to_numpy()
    field = truth["field"].to_numpy()
    apart = np.hypot(*(place[:, None] - place[None]).transpose(2, 0, 1))
    counts = (field[:, None] == field) & (snr[None] >= 0.2 * snr[:, None])
    np.fill_diagonal(counts, False)
    return np.where(counts, apart, np.inf).min(axis=1, initial=np.inf)


def background(n: int, seed: int, *, size: int = 64, scale: float = 8.0) -> np.ndarray:
    """Light that lies under a field and changes smoothly: scattered light, cirrus, a bright halo.

    A Gaussian random field: white noise, smoothed.

    Args:
        n: How many.
        seed: Same seed, same backgrounds.
        size: Pixels on a side.
        scale: Standard deviation of the smoothing, pixels.

    Returns:
        `(n, size, size)` float32, mean zero and standard deviation one over all draws.

    Example:
        >>> background(2, seed=1, size=32).shape
        (2, 32, 32)
    """
    from scipy.ndimage import gaussian_filter

    checks.whole("background", "n", n, 1, 1_000_000)
    checks.whole("background", "size", size, 16, 512)
    rng = np.random.default_rng([seed, 6])
    edge = int(np.ceil(4 * scale))
    white = rng.standard_normal((n, size + 2 * edge, size + 2 * edge), dtype=np.float32)
    smooth = np.stack([gaussian_filter(w, scale)[edge:-edge, edge:-edge] for w in white])
    return np.asarray(smooth * (2 * np.sqrt(np.pi) * scale), np.float32)


def centers(fields: Fields, *, snr: float = 8.0, width: float = 1.0) -> np.ndarray:
    """What a network is to paint: a small round hill on each source that could be found.

    Args:
        fields: The fields.
        snr: The faintest source that is painted.
        width: Standard deviation of a hill, pixels.

    Returns:
        `(n, size, size)` float32 from 0 to 1; where hills overlap, the higher one.
    """
    size = fields.images.shape[1]
    axis = np.arange(size)
    maps = np.zeros(fields.images.shape, np.float32)
    seen = fields.truth[fields.truth["snr"] >= snr]
    for field, x, y in zip(seen["field"], seen["x"], seen["y"], strict=True):
        hill = np.exp(-((axis[:, None] - y) ** 2 + (axis - x) ** 2) / (2 * width**2))
        np.maximum(maps[field], hill, out=maps[field])
    return maps


@dataclass(frozen=True)
class Pairs:
    """Stamps with one source or two of them, anywhere in the frame.

    Args:
        images: `(n, size, size)` float32, in sky sigma.
        double: `(n,)` bool, True for two.
        center: `(n, 2)` float32, x and y of the middle of the light, pixels from the middle of
            the stamp.
    """

    images: np.ndarray
    double: np.ndarray
    center: np.ndarray


def pairs(n: int, seed: int, *, size: int = 24, fwhm: float = 2.5, spread: float = 7.0) -> Pairs:
    """Simulates stamps that hold either an elongated galaxy or a close pair of small sources.

    Args:
        n: How many; half of them double, on average.
        seed: Same seed, same stamps.
        size: Pixels on a side, even.
        fwhm: Of the point-spread function, pixels.
        spread: The light's middle lies within so many pixels of the stamp's, along either axis.

    Returns:
        The stamps. A pair is 3 to 5 pixels apart, and its light lies as far out as a galaxy's.
    """
    checks.whole("pairs", "n", n, 1, 1_000_000)
    checks.whole("pairs", "size", size, 16, 512)
    rng = np.random.default_rng([seed, 1])
    grid = Grid(size)
    seeing = point_spread(grid, np.full(1, fwhm))
    images, double, center = [], [], []
    for start in range(0, n, 512):
        m = min(512, n - start)
        two = rng.random(m) < 0.5
        middle = rng.uniform(-spread, spread, (m, 2))
        turn = rng.uniform(0, np.pi, m)
        along = np.stack([np.cos(turn), np.sin(turn)], axis=1)
        apart = rng.uniform(3, 5, m)[:, None]
        share = rng.uniform(0.35, 0.65, m)[:, None]
        one, other = middle + (1 - share) * apart * along, middle - share * apart * along
        flux = np.exp(rng.uniform(np.log(150), np.log(600), m))[:, None, None]
        radius, q = np.where(two, 0.6, rng.uniform(1.5, 3.0, m)), rng.uniform(0.25, 0.7, m)
        body = seeing * sersic(grid, radius, np.full(m, 1.0), np.where(two, 0.99, q), turn)
        w = share[:, :, None]
        place = np.where(two[:, None, None], w * grid.phase(one) + (1 - w) * grid.phase(other),
                         grid.phase(middle))  # fmt: skip
        clean = grid.images((flux * body * place).astype(np.complex64))
        images.append(clean + rng.standard_normal(clean.shape, dtype=np.float32))
        double.append(two)
        center.append(middle.astype(np.float32))
    return Pairs(np.concatenate(images), np.concatenate(double), np.concatenate(center))
