"""How the weights begin: Keras's usual random starts, by their variances.

Each function takes the shape of a kernel, `(n_in, units)`, and a seed; a convolution's kernel
`(height, width, channels, filters)` has height x width x channels inputs. A weighted sum of
`n_in` inputs has `n_in` times the variance of a single product, so a start that keeps the signal
at its size has a variance of order one over `n_in`: `lecun_normal` 1 / n_in (LeCun et al. 1998),
`glorot_*` 2 / (n_in + units) (Glorot & Bengio 2010), `he_*` 2 / n_in (He et al. 2015).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "NAMES", "get", "glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "lecun_normal",
    "lecun_uniform", "ones", "random_normal", "zeros",
]  # fmt: skip

Initializer = Callable[[Sequence[int], int], NDArray[np.float64]]
# A normal distribution cut off at two standard deviations has this much of its own left.
_TRUNCATED_STD = 0.87962566103423978


def zeros(shape: Sequence[int], seed: int = 0) -> NDArray[np.float64]:
    """All zeros: right for biases, fatal for the kernel of a hidden layer.

    Args:
        shape: Any shape.
        seed: Not used; there so that all initializers are called alike.

    Returns:
        float64 array.
    """
    return np.zeros(_checked(shape))


def ones(shape: Sequence[int], seed: int = 0) -> NDArray[np.float64]:
    """All ones: every neuron of the layer alike.

    Args:
        shape: Any shape.
        seed: Not used.

    Returns:
        float64 array.
    """
    return np.ones(_checked(shape))


def random_normal(shape: Sequence[int], seed: int, *, stddev: float = 0.05) -> NDArray[np.float64]:
    """Normal deviates of one size, whatever the width of the layer.

    Args:
        shape: Any shape.
        seed: Same seed, same numbers.
        stddev: Standard deviation; Keras's 0.05 by default.

    Returns:
        float64 array.

    Raises:
        ValueError: If the standard deviation is negative or not finite.
    """
    if not (np.isfinite(stddev) and stddev >= 0):
        raise ValueError(f"stddev: received {stddev!r}, expected a number of 0 or more.")
    return np.random.default_rng(seed).normal(0.0, stddev, _checked(shape))


def glorot_uniform(shape: Sequence[int], seed: int) -> NDArray[np.float64]:
    """Keras's default: uniform, variance 2 / (n_in + units), a compromise of both directions.

    Args:
        shape: `(n_in, units)`.
        seed: Same seed, same numbers.

    Returns:
        float64 array, within sqrt(6 / (n_in + units)) of zero.

    Example:
        >>> bool(np.abs(glorot_uniform((4, 2), seed=1)).max() <= 1)
        True
    """
    n_in, units = _fans(shape)
    return _uniform(shape, seed, 2 / (n_in + units))


def glorot_normal(shape: Sequence[int], seed: int) -> NDArray[np.float64]:
    """Normal, cut at two standard deviations, variance 2 / (n_in + units). See `glorot_uniform`."""
    n_in, units = _fans(shape)
    return _normal(shape, seed, 2 / (n_in + units))


def he_uniform(shape: Sequence[int], seed: int) -> NDArray[np.float64]:
    """Uniform, variance 2 / n_in. See `he_normal`."""
    return _uniform(shape, seed, 2 / _fans(shape)[0])


def he_normal(shape: Sequence[int], seed: int) -> NDArray[np.float64]:
    """For ReLU, which halves the power it receives: variance 2 / n_in makes up for it.

    Args:
        shape: `(n_in, units)`.
        seed: Same seed, same numbers.

    Returns:
        float64 array of normal deviates, cut at two standard deviations before scaling.
    """
    return _normal(shape, seed, 2 / _fans(shape)[0])


def lecun_uniform(shape: Sequence[int], seed: int) -> NDArray[np.float64]:
    """Uniform, variance 1 / n_in. See `lecun_normal`."""
    return _uniform(shape, seed, 1 / _fans(shape)[0])


def lecun_normal(shape: Sequence[int], seed: int) -> NDArray[np.float64]:
    """Variance 1 / n_in: a weighted sum of inputs of variance one has variance one.

    Args:
        shape: `(n_in, units)`.
        seed: Same seed, same numbers.

    Returns:
        float64 array of normal deviates, cut at two standard deviations before scaling.
    """
    return _normal(shape, seed, 1 / _fans(shape)[0])


_ALL: dict[str, Initializer] = {
    function.__name__: function
    for function in (
        zeros, ones, random_normal, glorot_uniform, glorot_normal, he_uniform, he_normal,
        lecun_uniform, lecun_normal,
    )
}  # fmt: skip
NAMES = tuple(_ALL)


def get(initializer: str | Initializer) -> Initializer:
    """The initializer of that name, or the function itself.

    Args:
        initializer: One of `NAMES`, or a function of `(shape, seed)`.

    Returns:
        The function.

    Raises:
        ValueError: If the name is unknown.

    Example:
        >>> get("zeros")((1, 2), 0)
        array([[0., 0.]])
    """
    if callable(initializer):
        return initializer
    if initializer not in _ALL:
        raise ValueError(
            f"initializer: received {initializer!r}, expected one of {', '.join(NAMES)}, or a "
            "function of (shape, seed)."
        )
    return _ALL[initializer]


def _uniform(shape: Sequence[int], seed: int, variance: float) -> NDArray[np.float64]:
    limit = np.sqrt(3 * variance)
    return np.random.default_rng(seed).uniform(-limit, limit, _checked(shape))


def _normal(shape: Sequence[int], seed: int, variance: float) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    values = rng.standard_normal(_checked(shape))
    while (outside := np.abs(values) > 2).any():
        values[outside] = rng.standard_normal(int(outside.sum()))
    return values * (np.sqrt(variance) / _TRUNCATED_STD)


def _fans(shape: Sequence[int]) -> tuple[int, int]:
    if len(shape) < 2:
        raise ValueError(
            f"shape: received {tuple(shape)}, expected (n_in, units), or (height, width, channels, "
            "filters): the variance of this start depends on both ends."
        )
    *window, n_in, units = _checked(shape)
    places = int(np.prod(window, dtype=int))
    return places * n_in, places * units


def _checked(shape: Sequence[Any]) -> tuple[int, ...]:
    if any(int(length) != length or length < 1 for length in shape):
        raise ValueError(f"shape: received {tuple(shape)}, expected whole numbers, 1 or more.")
    return tuple(int(length) for length in shape)
