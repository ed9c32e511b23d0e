"""Galaxies as five magnitudes: colors that carry a redshift, with truth and with its posterior.

A deliberately small universe: one family of spectra from old to young, a power law of
counts, a redshift distribution that deepens with magnitude, noise of the sky and of the
calibration. It is small so that Bayes' theorem can be summed on a grid, which gives the
error that no method can beat.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RegularGridInterpolator

__all__ = ["BANDS", "Catalog", "colors", "posterior_mean", "simulate", "spectrum"]

BANDS = ("u", "g", "r", "i", "z")
# Top hats in the places of the SDSS filters, in Angstrom.
EDGES = ((3250, 3850), (4000, 5400), (5500, 7000), (6900, 8250), (8200, 9600))
DEPTH = np.array([23.9, 25.0, 24.7, 24.2, 23.2])  # magnitude at five times the sky noise
CALIBRATION = 0.03  # relative error of every flux, beside the sky noise
BRIGHT, FAINT = 18.0, 22.0  # limits of the true i magnitude
_REDSHIFTS = np.linspace(0.02, 1.5, 297)
_KINDS = np.linspace(0.0, 1.0, 41)
_RED_QUANTILE, _RED_REDSHIFTS = 0.25, (0.15, 0.6)


@dataclass(frozen=True)
class Catalog:
    """What the telescope measures, and the truth.

    Attributes:
        magnitudes: Measured asinh magnitudes in u, g, r, i, z, shape (n, 5).
        redshift: True redshifts, shape (n,).
        kind: Place in the family of spectra, 0 old and red to 1 young and blue, shape (n,).
    """

    magnitudes: NDArray[np.float32]
    redshift: NDArray[np.float32]
    kind: NDArray[np.float32]


def spectrum(wavelength: NDArray[np.float64], kind: NDArray[np.float64]) -> NDArray[np.float64]:
    """Flux per unit wavelength of the family of spectra, at rest.

    Old stars have a break near 4000 Angstrom, where their metals absorb; young stars
    rise toward the blue with a small Balmer break. Both are sketches, not models.

    Args:
        wavelength: In Angstrom, shape (w,).
        kind: 0 old to 1 young, shape (k,).

    Returns:
        Flux in units of the flux at 5500 Angstrom, roughly; shape (k, w).

    Example:
        >>> flux = spectrum(np.array([3500.0, 4500.0]), np.array([0.0, 1.0]))
        >>> [bool(row[0] < row[1]) for row in flux]
        [True, False]
    """

    def step(place: float, width: float) -> NDArray[np.float64]:
        return np.asarray(1 / (1 + np.exp((place - wavelength) / width)))

    x = wavelength / 5500
    breaks = (0.15 + 0.85 * step(2900, 250)) * (0.38 + 0.62 * step(4000, 60))
    old = x**-0.2 * breaks * (0.45 + 0.55 * step(5150, 400))
    young = x**-1.9 * (0.75 + 0.25 * step(3750, 80))
    share = np.asarray(kind)[:, None]
    return (1 - share) * old + share * young


def colors(redshift: NDArray[np.float64], kind: NDArray[np.float64]) -> NDArray[np.float64]:
    """True magnitude in each band less that in i.

    Args:
        redshift: Between 0.02 and 1.5, shape (n,).
        kind: Between 0 and 1, shape (n,).

    Returns:
        Magnitude differences (AB), shape (n, 5); the fourth column is zero.

    Example:
        >>> colors(np.array([0.3]), np.array([0.5])).shape
        (1, 5)
    """
    grid = RegularGridInterpolator((_REDSHIFTS, _KINDS), _color_table())
    return np.asarray(grid(np.column_stack([redshift, kind])))


def simulate(n: int, seed: int, *, red: bool = False) -> Catalog:
    """Draw galaxies and measure them once.

    Args:
        n: Number of galaxies.
        seed: Seed of the sky and of the noise.
        red: Keep to old galaxies between redshifts 0.15 and 0.6, all alike in spectrum.

    Returns:
        The catalog.

    Raises:
        ValueError: If `n` is not positive.

    Example:
        >>> simulate(100, seed=1).magnitudes.shape
        (100, 5)
    """
    if n < 1:
        raise ValueError(f"n: received {n}, expected at least 1.")
    random = np.random.default_rng(seed)
    i_grid, i_prior = _magnitude_prior()
    i_true = random.choice(i_grid, n, p=i_prior) + random.uniform(-0.5, 0.5, n) * 0.05
    redshift = _draw_redshift(i_true, random.random(n), red)
    kind = _kind(random.random(n) * (_RED_QUANTILE if red else 1.0))
    flux = _flux(i_true[:, None] + colors(redshift, kind))
    flux = flux * (1 + CALIBRATION * random.normal(size=flux.shape))
    flux = flux + random.normal(size=flux.shape)
    magnitudes = _asinh_magnitude(flux)
    return Catalog(*(a.astype(np.float32) for a in (magnitudes, redshift, kind)))


def posterior_mean(magnitudes: NDArray[np.float32], *, red: bool = False) -> NDArray[np.float64]:
    """Mean of ln(1 + z) given the magnitudes, by summing Bayes' theorem over a grid.

    With the true prior and the true noise this is the estimate with the smallest mean
    squared error that any method can have: the floor.

    Args:
        magnitudes: As measured, shape (n, 5).
        red: Prior of `simulate(..., red=True)`.

    Returns:
        Posterior mean of ln(1 + z), shape (n,).

    Example:
        >>> sky = simulate(3, seed=1)
        >>> posterior_mean(sky.magnitudes).shape
        (3,)
    """
    quantiles = (np.arange(30) + 0.5) / 30 * (_RED_QUANTILE if red else 1.0)
    z, kind = np.meshgrid(_REDSHIFTS, _kind(quantiles), indexing="ij")
    shape = 10 ** (-0.4 * colors(z.ravel(), kind.ravel())).astype(np.float32)
    log_z = np.log1p(z.ravel())
    i_grid, i_prior = _magnitude_prior()
    prior = np.log(i_prior[:, None] * _redshift_prior(i_grid, red) + 1e-30)
    means = np.empty(len(magnitudes))
    for k, observed in enumerate(_flux_of_asinh(np.asarray(magnitudes, float))):
        near = _brightnesses(observed[3], i_grid)
        scale = _flux(i_grid[near, None] * np.ones(5)).astype(np.float32)
        expected = scale[:, None, :] * shape  # (brightness, z and kind, band)
        variance = 1 + (CALIBRATION * expected) ** 2
        fit = ((observed.astype(np.float32) - expected) ** 2 / variance + np.log(variance)).sum(-1)
        log_weight = np.repeat(prior[near], len(quantiles), axis=1) - 0.5 * fit
        weight = np.exp(log_weight - log_weight.max()).sum(0)
        means[k] = (weight * log_z).sum() / weight.sum()
    return means


def _brightnesses(flux: float, i_grid: NDArray[np.float64]) -> NDArray[np.intp]:
    """Indices of the true magnitudes that a measured i flux allows, to three sigma."""
    bright = max(float(flux), 3.0)
    center = DEPTH[3] - 2.5 * np.log10(bright / 5)
    reach = 3 * np.hypot(CALIBRATION, 1 / bright) * 1.0857 + 0.05
    near = np.flatnonzero(np.abs(i_grid - center) < reach)
    return near if len(near) else np.array([np.abs(i_grid - center).argmin()])


@cache
def _color_table() -> NDArray[np.float64]:
    table = np.empty((len(_REDSHIFTS), len(_KINDS), len(BANDS)))
    for band, (low, high) in enumerate(EDGES):
        wavelength = np.linspace(low, high, 60)
        for k, z in enumerate(_REDSHIFTS):
            photons = spectrum(wavelength / (1 + z), _KINDS) * wavelength
            table[k, :, band] = -2.5 * np.log10(photons.mean(1) / (1 / wavelength).mean())
    return table - table[:, :, 3:4]


def _magnitude_prior() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    grid = np.arange(BRIGHT, FAINT, 0.05) + 0.025
    counts = 10 ** (0.3 * (grid - BRIGHT))
    return grid, counts / counts.sum()


def _redshift_prior(i: NDArray[np.float64], red: bool) -> NDArray[np.float64]:
    typical = 0.12 + 0.10 * (np.asarray(i)[:, None] - BRIGHT)
    density = _REDSHIFTS**2 * np.exp(-((_REDSHIFTS / typical) ** 1.5))
    if red:
        low, high = _RED_REDSHIFTS
        density = density * ((low <= _REDSHIFTS) & (high >= _REDSHIFTS))
    return density / density.sum(1, keepdims=True)


def _draw_redshift(
    i: NDArray[np.float64], u: NDArray[np.float64], red: bool
) -> NDArray[np.float64]:
    cumulative = np.cumsum(_redshift_prior(i, red), axis=1)
    index = (cumulative < u[:, None]).sum(1).clip(1, len(_REDSHIFTS) - 1)
    rows = np.arange(len(i))
    below, above = cumulative[rows, index - 1], cumulative[rows, index]
    fraction = np.clip((u - below) / np.maximum(above - below, 1e-12), 0, 1)
    return np.asarray(_REDSHIFTS[index - 1] + fraction * (_REDSHIFTS[1] - _REDSHIFTS[0]))


def _kind(quantile: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(quantile ** (1 / 0.6))  # more old galaxies than a uniform draw


def _flux(magnitude: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(5 * 10 ** (-0.4 * (magnitude - DEPTH)))  # in sky sigma


def _asinh_magnitude(flux: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(DEPTH + 2.5 * np.log10(5) - 2.5 / np.log(10) * np.arcsinh(flux / 2))


def _flux_of_asinh(magnitude: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(2 * np.sinh((DEPTH + 2.5 * np.log10(5) - magnitude) * np.log(10) / 2.5))
