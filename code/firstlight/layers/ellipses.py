"""Ellipses without an angle: a shape is a vector, and a round galaxy is its origin.

The axis ratio is q = exp(-|eta|), and the major axis stands at half the angle of (eta_1, eta_2),
counted from +x (columns) toward +y (rows). So nothing jumps from 180 degrees to zero.
"""

from __future__ import annotations

from typing import Any

from keras import ops

__all__ = ["hyperbolic", "stretch_matrix", "third"]


def stretch_matrix(eta_1: Any, eta_2: Any) -> tuple[Any, Any, Any]:
    """The matrix exp [[eta_1, eta_2], [eta_2, -eta_1]], smooth also where the galaxy is round.

    Its eigenvalues are 1 / q along the major axis and q along the minor one. It turns a circle's
    squared radius into that of an ellipse of equal area.

    Args:
        eta_1: Any shape.
        eta_2: The same shape.

    Returns:
        Elements xx, yy and xy, each of that shape.

    Example:
        >>> [round(float(element), 3) for element in stretch_matrix(0.0, np.log(2.0))]
        [1.25, 1.25, 0.75]
    """
    cosh, sinh = hyperbolic(eta_1**2 + eta_2**2)
    return cosh + sinh * eta_1, cosh - sinh * eta_1, sinh * eta_2


def hyperbolic(squared: Any) -> tuple[Any, Any]:
    """cosh(eta) and sinh(eta) / eta from eta^2, by the series where the quotient is 0 / 0."""
    eta = ops.sqrt(ops.maximum(squared, 1e-8))
    large = squared > 1e-4
    up, down = ops.exp(eta), ops.exp(-eta)
    return (ops.where(large, (up + down) / 2, 1 + squared / 2),
            ops.where(large, (up - down) / (2 * eta), 1 + squared / 6))  # fmt: skip


def third(cosh: Any, sinh: Any, squared: Any) -> Any:
    """(cosh(eta) - sinh(eta) / eta) / eta^2, a third where the galaxy is round."""
    quotient = (cosh - sinh) / ops.maximum(squared, 1e-8)
    return ops.where(squared > 1e-2, quotient, 1 / 3 + squared / 30)
