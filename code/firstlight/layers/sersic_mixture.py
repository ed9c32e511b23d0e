"""A Sersic profile as a sum of Gaussians, with weights that are smooth in its index.

A profile that falls off as exp(-b r^(1/n)) is a superposition of Gaussians with known weights:
Shajib (2019, MNRAS 488, 1387) inverts the integral by Euler's algorithm. That is exact here
to a part in a hundred million for indices of 0.7 and more, with a few hundred Gaussians. Fourteen
do nearly as well: their widths are fixed functions of the index and their weights are fitted to
the exact transform, then interpolated in the logarithm of the index by Chebyshev polynomials.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import comb
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["INDICES", "Mixture", "exact_transform", "gaussians", "mixture"]

INDICES = (0.6, 6.0)
TERMS = 14
DEGREE = 8
# Widths run from exp(-2 - 0.6 n) to exp(0.1 + 0.7 n) half-light radii: cusp and wings.
NARROW, WIDE = (-2.0, -0.6), (0.1, 0.7)
ORDER = 12  # of Euler's algorithm: digits won over digits lost to rounding

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Mixture:
    """Gaussians that add up to a Sersic profile of unit flux and half-light radius.

    Args:
        weights: Chebyshev coefficients of each weight, shape (degree + 1, terms).
        offset: Logarithm of each width at index zero, shape (terms,).
        slope: Its change with the index, shape (terms,).
    """

    weights: NDArray[np.float32]
    offset: NDArray[np.float32]
    slope: NDArray[np.float32]


def gaussians(log_index: Any, slopes: bool = False) -> tuple[Any, ...]:
    """Shares and half variances of the Gaussians of Sersic profiles.

    Args:
        log_index: Shape (n, 1), a tensor or an array; held inside the range of `INDICES`.
        slopes: Also what the derivative of the profile's transform in log_index is made of.

    Returns:
        Shares of the light, shape (n, terms), that add up to one; half of the variances, in
        squared half-light radii, the same shape; with `slopes` also the derivatives of the
        shares, and shares times those of the half variances.
    """
    from keras import ops

    low, high = (float(np.log(n)) for n in INDICES)
    fit, width = mixture(), (high - low) / 2
    inside = ops.clip(log_index, low, high)
    x = (inside - low) / width - 1
    terms, rising = [ops.ones_like(x), x], [ops.zeros_like(x), ops.ones_like(x)]
    while len(terms) <= DEGREE:
        rising.append(2 * terms[-1] + 2 * x * rising[-1] - rising[-2])
        terms.append(2 * x * terms[-1] - terms[-2])
    shares = ops.matmul(ops.concatenate(terms, axis=1), fit.weights)
    total = ops.sum(shares, axis=1, keepdims=True)
    shares = shares / total
    index = ops.exp(inside)
    half_variance = ops.exp(2 * (fit.offset + fit.slope * index)) / 2
    if not slopes:
        return shares, half_variance
    moves = ops.cast((log_index > low) & (log_index < high), "float32")
    change = ops.matmul(ops.concatenate(rising, axis=1), fit.weights) / (width * total)
    change = change - shares * ops.sum(change, axis=1, keepdims=True)
    wider = shares * half_variance * (2 * fit.slope * index)
    return shares, half_variance, moves * change, moves * wider


def exact_transform(k: ArrayLike, index: float) -> Floats:
    """Transform of a round Sersic profile of unit flux and unit half-light radius.

    Args:
        k: Wavenumbers times the half-light radius, any shape.
        index: Sersic index from 0.6 to 10; exact to 1e-8 from 0.7 on, to 3e-4 below.

    Returns:
        The same shape; one at k = 0.

    Raises:
        ValueError: If the index is out of range.

    Example:
        >>> bool(np.isclose(exact_transform(2.0, 1.0), (1 + (2 / 1.678347) ** 2) ** -1.5))
        True
    """
    if not 0.6 <= index <= 10:
        raise ValueError(f"index: received {index}, expected 0.6 to 10.")
    log_sigma, weights = _many_gaussians(index)
    k = np.asarray(k, dtype=float)
    return np.asarray(np.exp(-0.5 * (k[..., None] * np.exp(log_sigma)) ** 2) @ weights)


def _many_gaussians(index: float) -> tuple[Floats, Floats]:
    """Closely spaced widths (logarithms) and their shares of the light."""
    from scipy.special import gammaincinv

    b = gammaincinv(2 * index, 0.5)
    step = 0.02 if index < 0.75 else 0.1  # near an index of a half a single width holds it all
    log_sigma = np.arange(np.log(1e-6), np.log(3e3), step)
    eta, chi = _euler(ORDER)
    sigma = np.exp(log_sigma)
    light = (np.exp(-b * (sigma[:, None] * chi) ** (1 / index)).real @ eta) * sigma**2
    kept = np.abs(light) > 1e-9 * np.abs(light).max()
    return log_sigma[kept], light[kept] / light[kept].sum()


def _euler(order: int) -> tuple[Floats, NDArray[np.complex128]]:
    """Weights and complex nodes of Euler's algorithm for the inverse Laplace transform."""
    n = np.arange(2 * order + 1)
    xi = np.ones(2 * order + 1)
    xi[0], xi[-1] = 0.5, 2.0**-order
    for k in range(1, order):
        xi[-1 - k] = xi[-k] + 2.0**-order * comb(order, k)
    return (-1.0) ** n * xi, np.sqrt(2 * order * np.log(10) / 3 + 2j * np.pi * n)


@cache
def mixture() -> Mixture:
    """The fourteen Gaussians, fitted once per process in a few milliseconds."""
    share = np.linspace(0, 1, TERMS)
    offset = NARROW[0] + share * (WIDE[0] - NARROW[0])
    slope = NARROW[1] + share * (WIDE[1] - NARROW[1])
    k = np.concatenate([np.zeros(30), np.geomspace(0.03, 100, 300)])  # the flux counts most
    x = np.cos(np.pi * (np.arange(DEGREE + 1) + 0.5) / (DEGREE + 1))
    low, high = np.log(INDICES)
    rows = []
    for index in np.exp(low + (x + 1) / 2 * (high - low)):
        waves = np.exp(-0.5 * (k[:, None] * np.exp(offset + slope * index)) ** 2)
        normal = waves.T @ waves + 1e-6 * np.eye(TERMS)  # keeps the weights of order one
        rows.append(np.linalg.solve(normal, waves.T @ exact_transform(k, index)))
    vandermonde = np.polynomial.chebyshev.chebvander(x, DEGREE)
    weights = np.linalg.solve(vandermonde, np.asarray(rows))
    return Mixture(*(a.astype(np.float32) for a in (weights, offset, slope)))
