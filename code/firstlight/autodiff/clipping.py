"""Shorten gradients that are too long, before they throw the parameters away.

By value, each number alone, turns the gradient; by norm keeps the direction of each array; by
global norm keeps the direction of the whole step (Pascanu, Mikolov & Bengio 2013).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from firstlight.autodiff.checks import Floats

__all__ = ["clip_by_global_norm", "clip_by_norm", "clip_by_value", "finite", "global_norm"]


def global_norm(gradients: Sequence[Any]) -> float:
    """Length of all gradients taken as one vector; also where their squares would overflow.

    Args:
        gradients: Arrays of any shapes, one a parameter.

    Returns:
        The Euclidean length; 0 for an empty list.

    Raises:
        ValueError: If a number is NaN or infinite.

    Example:
        >>> global_norm([[3.0], [[4e200]]])
        4e+200
    """
    arrays = finite(gradients)
    largest = max((float(np.abs(array).max()) for array in arrays if array.size), default=0.0)
    if largest == 0:
        return 0.0
    return largest * float(np.sqrt(sum(np.square(array / largest).sum() for array in arrays)))


def clip_by_global_norm(gradients: Sequence[Any], clipnorm: float) -> list[Floats]:
    """All gradients times one factor, so that together they are at most so long.

    Args:
        gradients: Arrays, one a parameter.
        clipnorm: Largest length allowed, above 0.

    Returns:
        New arrays; unchanged where they were short enough.

    Raises:
        ValueError: If a gradient is not finite, or the length not positive.

    Example:
        >>> [float(g[0]) for g in clip_by_global_norm([[3.0], [4.0]], 2.5)]
        [1.5, 2.0]
    """
    limit = _positive(clipnorm, "clipnorm")
    arrays = finite(gradients)
    length = global_norm(arrays)
    return [array * 1.0 if length <= limit else array * (limit / length) for array in arrays]


def clip_by_norm(gradients: Sequence[Any], clipnorm: float) -> list[Floats]:
    """Each gradient for itself at most so long; the ratios between arrays change.

    Args:
        gradients: Arrays, one a parameter.
        clipnorm: Largest length allowed to each, above 0.

    Returns:
        New arrays.

    Raises:
        ValueError: If a gradient is not finite, or the length not positive.
    """
    _positive(clipnorm, "clipnorm")
    return [clip_by_global_norm([array], clipnorm)[0] for array in finite(gradients)]


def clip_by_value(gradients: Sequence[Any], clipvalue: float) -> list[Floats]:
    """Each number between minus and plus a limit; the direction changes.

    Args:
        gradients: Arrays, one a parameter.
        clipvalue: Largest size allowed to a number, above 0.

    Returns:
        New arrays.

    Raises:
        ValueError: If a gradient is not finite, or the limit not positive.
    """
    limit = _positive(clipvalue, "clipvalue")
    return [np.clip(array, -limit, limit) for array in finite(gradients)]


def finite(gradients: Sequence[Any]) -> list[Floats]:
    """Gradients as arrays of floats, or an error that says which one is not.

    Args:
        gradients: Arrays, one a parameter.

    Returns:
        The arrays; not copied where they were floats.

    Raises:
        ValueError: If one is no array of real numbers, or holds NaN or infinity.
    """
    found = []
    for k, gradient in enumerate(gradients):
        array = np.asarray(gradient)
        if array.dtype.kind not in "fiub":
            raise ValueError(
                f"gradient {k}: received {type(gradient).__name__} that is no array of real "
                "numbers, expected one. Give one gradient for each parameter, zeros where the "
                "loss does not depend on it."
            )
        array = array if array.dtype.kind == "f" else array.astype(float)
        bad = int(np.sum(~np.isfinite(array)))
        if bad:
            raise ValueError(
                f"gradient {k}: received {bad} of {array.size} numbers that are NaN or infinite, "
                "expected finite ones. Lower the learning rate or clip earlier gradients; if "
                "it is so at the first step, look for a NaN in the data or a logarithm of zero."
            )
        found.append(array)
    return found


def _positive(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < np.inf:
        raise ValueError(f"{name}: received {value!r}, expected a number above 0.")
    return float(value)
