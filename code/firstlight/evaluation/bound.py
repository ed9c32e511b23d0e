"""The Cramer-Rao bound of a picture: how well its numbers can be known, whoever measures them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["bound", "dispersion", "fisher", "jacobian", "propagate", "robust_ratio"]

Doubles = NDArray[np.float64]


def jacobian(decoder: Any, parameters: ArrayLike, batch_size: int = 100) -> NDArray[np.float32]:
    """Slopes of every pixel in every number.

    Args:
        decoder: A layer from (n, p) to (n, side, side, 1), see `layers.scoring.slopes`.
        parameters: Shape (n, p).
        batch_size: Galaxies at a time.

    Returns:
        Shape (n, pixels, p).
    """
    from firstlight.layers.scoring import slopes

    rows = np.asarray(parameters, np.float32)
    if rows.ndim != 2 or not len(rows) or not np.isfinite(rows).all():
        raise ValueError(
            f"parameters: received shape {rows.shape}, with or without NaN; expected (n, p), n of "
            "1 or more, and finite numbers."
        )
    parts = []
    for start in range(0, len(rows), batch_size):
        found = np.asarray(slopes(decoder, rows[start : start + batch_size])[1])
        parts.append(found.reshape(len(found), -1, rows.shape[1]))
    return np.concatenate(parts)


def fisher(slope: ArrayLike, noise: ArrayLike) -> Doubles:
    """Fisher information of the numbers behind pictures with Gaussian noise.

    The logarithm of the likelihood of pixels x_i with standard deviation sigma_i is
    -sum (x_i - f_i)^2 / (2 sigma_i^2) and a constant. The mean of its second derivatives, with
    the sign changed, is sum_i J_ia J_ib / sigma_i^2.

    Args:
        slope: From `jacobian`, shape (n, pixels, p).
        noise: Standard deviation of a pixel: one number, or shape (n,) or (n, pixels).

    Returns:
        Shape (n, p, p).

    Raises:
        ValueError: If a standard deviation is not above zero.
    """
    slope = np.asarray(slope)
    sigma = np.asarray(noise, float)
    if not (np.isfinite(sigma).all() and (sigma > 0).all()):
        raise ValueError("noise: received zero, negative or NaN; expected standard deviations.")
    sigma = sigma[:, None] if sigma.ndim == 1 else sigma
    sigma = np.broadcast_to(sigma, slope.shape[:2])
    each = [(one / s[:, None]).astype(float) for one, s in zip(slope, sigma, strict=True)]
    return np.stack([one.T @ one for one in each])


def bound(decoder: Any, parameters: ArrayLike, noise: ArrayLike, batch_size: int = 100) -> Doubles:
    """Smallest covariance that an unbiased measurement of the numbers can have.

    Args:
        decoder: See `jacobian`.
        parameters: Shape (n, p): the truth.
        noise: Standard deviation of a pixel: one number, or shape (n,).
        batch_size: Galaxies at a time.

    Returns:
        Shape (n, p, p), the inverse of the Fisher information.

    Raises:
        ValueError: If some number leaves the picture as it is, so that nothing can be known.

    Example:
        >>> from firstlight.layers.sersic import ExponentialDisk
        >>> bound(ExponentialDisk(16), [[-4.0, 0.5, 0.2]], 0.025).shape
        (1, 3, 3)
    """
    rows = np.asarray(parameters, np.float32)
    sigma = np.broadcast_to(np.asarray(noise, float), (len(rows),))
    parts = []
    for start in range(0, len(rows), batch_size):
        piece = slice(start, start + batch_size)
        parts.append(fisher(jacobian(decoder, rows[piece], batch_size), sigma[piece]))
    information = np.concatenate(parts)
    size = np.sqrt(np.einsum("naa->na", information))
    scaled = information / np.maximum(size[:, :, None] * size[:, None, :], 1e-300)
    blind = (size <= 0).any(axis=1) | (np.linalg.eigvalsh(scaled)[:, 0] < 1e-7)
    if blind.any():
        raise ValueError(
            f"bound: received {int(blind.sum())} of {len(rows)} galaxies whose picture does not "
            f"tell all numbers apart, first number {int(np.flatnonzero(blind)[0])}; expected a "
            "regular Fisher matrix. Fix one of the numbers, or choose others."
        )
    inverse = np.linalg.inv(scaled) / (size[:, :, None] * size[:, None, :])
    return np.asarray((inverse + inverse.transpose(0, 2, 1)) / 2)


def propagate(
    covariance: ArrayLike, change: Callable[[Doubles], Doubles], parameters: ArrayLike
) -> Doubles:
    """A covariance in other numbers, to first order.

    Args:
        covariance: Shape (n, p, p).
        change: From (n, p) to the other numbers, (n, q); differences are taken of it.
        parameters: Shape (n, p).

    Returns:
        Shape (n, q, q).
    """
    at, step = np.asarray(parameters, float), 1e-5
    columns = []
    for k in range(at.shape[1]):
        one = step * np.eye(at.shape[1])[k]
        columns.append((change(at + one) - change(at - one)) / (2 * step))
    slope = np.stack(columns, axis=2)
    return np.asarray(slope @ np.asarray(covariance, float) @ slope.transpose(0, 2, 1))


def dispersion(residual: ArrayLike) -> Doubles:
    """Standard deviation as the middle of the distribution has it, blind to a few outliers.

    Args:
        residual: Shape (n, ...).

    Returns:
        1.4826 times the median distance from the median, along the first axis.
    """
    values = np.asarray(residual, float)
    return np.asarray(1.4826 * np.median(np.abs(values - np.median(values, axis=0)), axis=0))


def robust_ratio(residual: ArrayLike, covariance: ArrayLike) -> Doubles:
    """Dispersion of errors in units of the bound: one is as good as anyone can be.

    Args:
        residual: Measured minus true, shape (n, p).
        covariance: The bound of each, shape (n, p, p).

    Returns:
        Shape (p,).
    """
    sigma = np.sqrt(np.einsum("naa->na", np.asarray(covariance, float)))
    return dispersion(np.asarray(residual, float) / sigma)
