"""The same galaxies as two surveys see them, down to the last clump.

Galaxies are drawn once, as light on the sky, in the pixels of the finer survey. Each survey
then puts its own atmosphere, pixels, passbands and noise on that light. Going to coarser
pixels is exact in Fourier space, where it means to leave out the high wavenumbers: the two
pictures of a galaxy differ by what the telescopes did, and by nothing else.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from . import checks, parts, population
from .render import Grid, point_spread
from .surveys import SDSS, Survey

__all__ = ["CLASSES", "LEGACY", "SLOAN", "Pair", "View", "band_magnitudes", "look", "simulate"]

BLOCK = 64
CLASSES = ("early", "late")  # ellipticals; disks and irregulars
FARTHER = 3.0  # than the galaxies of Galaxy Zoo: a ninth of their light, a third of their size
_REDSHIFT = 0.1  # at which the template spectra are seen
_TEMPLATES = ("CWW_E_ext.sed", "CWW_Sbc_ext.sed", "CWW_Scd_ext.sed", "CWW_Im_ext.sed")
_BANDS = "griz"


@dataclass(frozen=True)
class View:
    """A survey, and the passbands of its three images.

    Args:
        survey: Seeing, sky and depth in three bands.
        bands: Which bands they are, of g, r, i, z; they begin with g and r.

    Raises:
        ValueError: If the bands are not three of those.
    """

    survey: Survey
    bands: str = "gri"

    def __post_init__(self) -> None:
        if self.bands not in ("gri", "grz"):
            raise ValueError(f"bands: received {self.bands!r}, expected 'gri' or 'grz'.")

    @property
    def pixel_arcsec(self) -> float:
        """Side of a pixel, arcsec."""
        return self.survey.native_pixel_arcsec


SLOAN = View(SDSS)
# Approximate values of a single pass of the DESI Legacy Surveys (Dey et al. 2019), whose pixels
# are 0.262 arcsec; here two thirds of Sloan's, so that one grid serves both.
LEGACY = View(
    Survey(
        name="Legacy-like",
        seeing_arcsec=(1.29, 1.18, 1.11),
        seeing_scatter=0.10,
        zero_point_mag=(31.9, 31.9, 31.3),
        sky_mag_arcsec2=(22.0, 21.0, 18.8),
        read_noise_electrons=7.0,
        native_pixel_arcsec=0.264,
    ),
    "grz",
)


@dataclass(frozen=True)
class Pair:
    """The same galaxies, twice.

    Args:
        first: `(n, size, size, 3)` float32 in sky sigma, as the first survey sees them.
        second: The same galaxies, in the same order, by the second.
        labels: 1 for late types (disks, irregulars), 0 for early ones, `(n,)`.
        truth: One row a galaxy, see `population.draw`; the seeing is not in it, since each
            survey has its own nights.
    """

    first: np.ndarray
    second: np.ndarray
    labels: np.ndarray
    truth: pd.DataFrame

    def __len__(self) -> int:
        return len(self.labels)


def simulate(
    n: int,
    seed: int,
    *,
    first: View = SLOAN,
    second: View = LEGACY,
    late_share: float = 0.5,
    size: int = 32,
) -> Pair:
    """Simulates n galaxies, each seen by two surveys.

    Args:
        n: How many, at least 1.
        seed: Same seed, same galaxies; the first k of n are the same for any n. The galaxies
            do not depend on the surveys, so a survey can be changed and all else kept.
        first: The survey with labels, usually.
        second: The other one.
        late_share: Share of late types, from 0 to 1.
        size: Pixels on a side of both stamps, even: the sharper survey's are smaller on the sky.

    Returns:
        A `Pair`.

    Raises:
        ValueError: For an empty batch, a bad size, seed or share, or two surveys whose pixels
            are not in a ratio of small whole numbers.

    Example:
        >>> pair = simulate(4, seed=1)
        >>> pair.first.shape == pair.second.shape == (4, 32, 32, 3)
        True
    """
    checks.whole("simulate", "n", n, 1, 100_000_000)
    checks.whole("simulate", "seed", seed, 0, 2**63)
    _check_size(size)
    if not 0 <= late_share <= 1:
        raise ValueError(f"late_share: received {late_share}, expected a share from 0 to 1.")
    images = np.empty((2, n, size, size, 3), dtype=np.float32)
    tables = []
    for block in range(-(-n // BLOCK)):
        truth = _draw(np.random.default_rng([seed, block]), late_share, size)
        rows = slice(block * BLOCK, min((block + 1) * BLOCK, n))
        seen = look(truth, (first, second), [seed, block], size=size)
        for which in (0, 1):
            images[which, rows] = seen[which][: rows.stop - rows.start]
        tables.append(truth)
    truth = pd.concat(tables, ignore_index=True)[:n]
    labels = (truth["kind"] != "elliptical").to_numpy(np.int64)
    return Pair(images[0], images[1], labels, truth)


def look(
    truth: pd.DataFrame,
    views: tuple[View, ...],
    seed: int | list[int],
    *,
    size: int = 32,
    noise: bool = True,
) -> list[np.ndarray]:
    """The same light through the telescopes of several surveys.

    Args:
        truth: As `population.draw` returns it; `pixel_arcsec` and the seeing are overwritten.
        views: The surveys.
        seed: Of clumps, nights and noise.
        size: Pixels on a side of each stamp.
        noise: False leaves out all noise.

    Returns:
        One array `(n, size, size, 3)` for each survey, in units of its empty sky's sigma.

    Raises:
        ValueError: If a column is missing, or the pixels have no common grid.

    Example:
        >>> truth = population.draw(2, np.random.default_rng(1))
        >>> [image.shape for image in look(truth, (SLOAN, LEGACY), 1)]
        [(2, 32, 32, 3), (2, 32, 32, 3)]
    """
    _check_size(size)
    checks.table("look", truth, population.columns(), population.POSITIVE)
    seeds = [seed] if isinstance(seed, int) else list(seed)
    fields = _fields(tuple(view.pixel_arcsec for view in views), size)
    finest = min(range(len(views)), key=lambda v: views[v].pixel_arcsec)
    truth = truth.assign(pixel_arcsec=views[finest].pixel_arcsec)
    pixels = parts.Pixels(truth)
    groups, _ = parts.light(fields[finest], truth, pixels, np.random.default_rng([*seeds, 1]))
    seen = []
    for v, (view, field) in enumerate(zip(views, fields, strict=True)):
        rng = np.random.default_rng([*seeds, 2, v])
        clean, sigma = _image(groups, truth, view, field, fields[finest], rng)
        if noise:
            variance = 1 + np.maximum(clean, 0) / sigma.astype(np.float32)
            clean += np.sqrt(variance) * rng.standard_normal(clean.shape, dtype=np.float32)
        seen.append(clean)
    return seen


def band_magnitudes(truth: pd.DataFrame, group: str, bands: str) -> np.ndarray:
    """Magnitudes of a galaxy's light, were all of it of one color group.

    The truth holds g - r and r - i. What is missing, i - z, is that of an observed galaxy of the
    same g - r: Coleman, Wu & Weedman's four spectra through the Rubin passbands, by GalSim.

    Args:
        truth: As `population.draw` returns it.
        group: "old", "young" or "other".
        bands: Any of g, r, i, z.

    Returns:
        Shape `(n, len(bands))`.

    Raises:
        ValueError: If a band is not known.
    """
    unknown = sorted(set(bands) - set(_BANDS))
    if unknown or not bands:
        raise ValueError(f"bands: received {bands!r}, expected some of {_BANDS!r}.")
    r, g_r = truth["r_mag"].to_numpy(), truth[f"{group}_g_r"].to_numpy()
    i = r - truth[f"{group}_r_i"].to_numpy()
    known, i_z = _colors()
    mags = {"g": r + g_r, "r": r, "i": i, "z": i - np.interp(g_r, known, i_z)}
    return np.stack([mags[band] for band in bands], axis=1)


@cache
def _colors() -> tuple[np.ndarray, np.ndarray]:
    """g - r, rising, and i - z of the four template spectra."""
    import galsim

    bands = {b: galsim.Bandpass(f"LSST_{b}.dat", "nm").withZeropoint("AB") for b in _BANDS}
    rows = []
    for name in _TEMPLATES:
        sed = galsim.SED(name, wave_type="ang", flux_type="flambda").atRedshift(_REDSHIFT)
        m = {b: sed.calculateMagnitude(band) for b, band in bands.items()}
        rows.append((m["g"] - m["r"], m["i"] - m["z"]))
    table = np.asarray(sorted(rows))
    return table[:, 0], table[:, 1]




@dataclass(frozen=True)
class _Padded(Grid):
    """A grid whose padding is chosen, so that two surveys cover the same patch of sky."""

    pixels: int = 0
    arcsec: float = 1.0

    @property
    def padded(self) -> int:
        return self.pixels

    @property
    def middle_arcsec(self) -> float:
        return (self.start + (self.size - 1) / 2) * self.arcsec


def _fields(pixel_arcsec: tuple[float, ...], size: int) -> list[_Padded]:
    """Grids that cover one patch of sky, in whole pixels of each survey."""
    finest, coarsest = min(pixel_arcsec), max(pixel_arcsec)
    least = int(np.ceil(1.5 * size * coarsest / finest))
    for number in range(least, 2 * least + 1):
        counts = [number * finest / pixel for pixel in pixel_arcsec]
        if all(abs(count - round(count)) < 1e-6 * count for count in counts):
            return [_Padded(size, round(count), pixel)
                    for count, pixel in zip(counts, pixel_arcsec, strict=True)]  # fmt: skip
    raise ValueError(
        f"pixels: received {pixel_arcsec} arcsec, expected a ratio of small whole numbers, such as "
        "0.396 to 0.264: both surveys are drawn from one grid. Change a pixel by a percent or so."
    )


def _image(
    groups: dict[str, np.ndarray],
    truth: pd.DataFrame,
    view: View,
    field: _Padded,
    fine: _Padded,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Noise-free stamps in sky sigma, and the sky's sigma in electrons, `(1, 1, 1, 3)`."""
    survey, n = view.survey, len(truth)
    sigma = survey.sky_sigma(np.array([field.arcsec]))
    night = np.exp(rng.normal(0.0, survey.seeing_scatter, n))
    kept = {name: _coarser(light, field.pixels) for name, light in groups.items()}
    weights = {
        name: survey.electrons(band_magnitudes(truth, name, view.bands)) / sigma for name in kept
    }
    move = np.full((1, 2), (field.middle_arcsec - fine.middle_arcsec) / field.arcsec)
    kx, ky = field.wavenumbers()
    ramp = np.exp(-1j * (kx * move[0, 0] + ky * move[0, 1])).astype(np.complex64)
    images = np.empty((n, field.size, field.size, 3), dtype=np.float32)
    for b, seeing in enumerate(survey.seeing_arcsec):
        total = sum(kept[name] * weights[name][:, b, None, None].astype(np.float32)
                    for name in kept)  # fmt: skip
        psf = point_spread(field, seeing * night / field.arcsec)
        images[..., b] = field.images(total * (psf * ramp))
    return images, sigma[:, None, None, :]


def _coarser(transforms: np.ndarray, pixels: int) -> np.ndarray:
    """The transform on fewer pixels of the same patch of sky: the low wavenumbers alone."""
    p = transforms.shape[1]
    if pixels == p:
        return transforms
    positive, negative = (pixels + 1) // 2, pixels // 2
    rows = np.r_[0:positive, p - negative : p]
    return transforms[:, rows, : pixels // 2 + 1]


def _draw(rng: np.random.Generator, late_share: float, size: int) -> pd.DataFrame:
    """One block of galaxies of which the wanted share is late, all of them far away."""
    pool = population.draw(12 * BLOCK, rng, size=size)
    kind = pool["kind"].astype(str).to_numpy()
    wanted = rng.random(BLOCK) < late_share
    early = np.flatnonzero(kind == "elliptical")
    late = np.flatnonzero(np.isin(kind, ("disc", "irregular")))
    chosen = np.where(wanted, rng.permutation(late)[:BLOCK], rng.permutation(early)[:BLOCK])
    truth = pool.iloc[chosen].reset_index(drop=True)
    return truth.assign(
        r_mag=truth["r_mag"] + 5 * np.log10(FARTHER),
        r90_arcsec=truth["r90_arcsec"] / FARTHER,
    )


def _check_size(size: int) -> None:
    checks.whole("size", "size", size, 16, 256)
    if size % 2:
        raise ValueError(f"size: received {size}, expected an even number of pixels.")
