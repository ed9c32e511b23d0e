"""Gravitational lensing by an elliptical isothermal galaxy with external shear, in closed form.

The profiles and their conventions are lenstronomy's `SIE` and `SHEAR` (Birrer & Amara 2018),
to which tests hold these lines within 1e-6. Written out they broadcast: one call deflects
the rays of many lenses, each with its own parameters, where the library takes one lens a call.

Angles on the sky are in arcsec, directions in radians from +x toward +y.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Lens", "convergence", "deflection", "magnification", "sersic_brightness"]

_ROUND = 1e-3  # ellipticities below this would divide by zero: the error is of the order 1e-7


class Lens(NamedTuple):
    """Parameters of one lens or many; arrays must broadcast with the positions.

    Args:
        einstein_radius: Radius of the circle with the area inside the critical curve, arcsec.
        axis_ratio: Minor over major axis of the surface density, in (0, 1].
        angle: Direction of the major axis.
        shear_1, shear_2: External shear, dimensionless.
    """

    einstein_radius: ArrayLike
    axis_ratio: ArrayLike = 1.0
    angle: ArrayLike = 0.0
    shear_1: ArrayLike = 0.0
    shear_2: ArrayLike = 0.0


def _aligned(x: np.ndarray, y: np.ndarray, lens: Lens) -> tuple[np.ndarray, ...]:
    """Coordinates along and across the major axis, the axis's cosine and sine, axis ratio."""
    cos, sin = np.cos(lens.angle), np.sin(lens.angle)
    q = np.minimum(lens.axis_ratio, 1 - _ROUND**2 / 2).astype(np.result_type(x))
    return x * cos + y * sin, y * cos - x * sin, cos, sin, q


def deflection(x: ArrayLike, y: ArrayLike, lens: Lens) -> tuple[np.ndarray, np.ndarray]:
    """By how much light that is seen at (x, y) was bent: the source is at (x, y) minus this.

    Args:
        x, y: Positions on the sky from the middle of the lens, arcsec.
        lens: Its parameters.

    Returns:
        Both components, arcsec (Kormann, Schneider & Bartelmann 1994).

    Example:
        >>> toward_x, toward_y = deflection(np.array([2.0]), np.array([0.0]), Lens(1.5))
        >>> np.round(toward_x, 3), np.round(toward_y, 3)
        (array([1.5]), array([0.]))
    """
    x, y = np.asarray(x), np.asarray(y)
    along, across, cos, sin, q = _aligned(x, y, lens)
    f = np.sqrt(1 - q * q)
    psi = np.maximum(np.sqrt((q * along) ** 2 + across**2), 1e-12)
    b = np.asarray(lens.einstein_radius) * np.sqrt(q) / f
    bent_along = b * np.arctan(f * along / psi)
    bent_across = b * np.arctanh(f * across / psi)
    return (
        bent_along * cos - bent_across * sin + lens.shear_1 * x + lens.shear_2 * y,
        bent_along * sin + bent_across * cos + lens.shear_2 * x - lens.shear_1 * y,
    )


def convergence(x: ArrayLike, y: ArrayLike, lens: Lens) -> np.ndarray:
    """Surface mass density over the critical one, 1/2 on the critical curve of an SIE."""
    along, across, _, _, q = _aligned(np.asarray(x), np.asarray(y), lens)
    radius = np.sqrt(q * along**2 + across**2 / q)
    return np.asarray(0.5 * np.asarray(lens.einstein_radius) / np.maximum(radius, 1e-12))


def magnification(x: ArrayLike, y: ArrayLike, lens: Lens) -> np.ndarray:
    """Area of a small image over that of its source; negative where the image is mirrored.

    An isothermal ellipse shears as much as it converges, always along the direction to its
    middle, so the Jacobian of the lens equation needs nothing but kappa.

    Args:
        x, y: Positions on the sky from the middle of the lens, arcsec.
        lens: Its parameters.

    Returns:
        Signed magnification, infinite on the critical curve.

    Example:
        >>> float(np.round(magnification(np.array(3.0), np.array(0.0), Lens(1.0)), 6))
        1.5
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    kappa = convergence(x, y, lens)
    twice = 2 * np.arctan2(y, x)
    gamma_1 = -kappa * np.cos(twice) + lens.shear_1
    gamma_2 = -kappa * np.sin(twice) + lens.shear_2
    with np.errstate(divide="ignore"):
        return np.asarray(1 / ((1 - kappa) ** 2 - gamma_1**2 - gamma_2**2))


def sersic_brightness(
    x: np.ndarray, y: np.ndarray, radius: np.ndarray, n: np.ndarray, q: np.ndarray,
    angle: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Surface brightness of Sersic profiles of unit flux.

    Args:
        x, y: Positions from the center.
        radius: Half-light radius of the circle of equal area, in the unit of x.
        n: Sersic index, 0.5 to 10.
        q: Axis ratio.
        angle: Direction of the major axis.

    Returns:
        Flux per unit area, the shape of x.
    """
    from scipy.special import gamma

    cos, sin = np.cos(angle), np.sin(angle)
    along, across = x * cos + y * sin, y * cos - x * sin
    squared = (q * along**2 + across**2 / q) / radius**2
    n64 = np.asarray(n, dtype=float)
    b = 2 * n64 - 1 / 3 + 4 / (405 * n64) + 46 / (25515 * n64**2)  # Ciotti & Bertin 1999
    flux = 2 * np.pi * n64 * np.exp(b) * b ** (-2 * n64) * gamma(2 * n64)
    peak = (np.exp(b) / (flux * np.asarray(radius) ** 2)).astype(x.dtype)
    slope = b.astype(x.dtype)
    power = (0.5 / n64).astype(x.dtype)
    return np.asarray(peak * np.exp(-slope * squared**power))
