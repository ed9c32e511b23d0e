"""Activation functions and their derivatives in NumPy, with Keras's names and defaults.

Each takes an array of any shape and returns float64 of the same shape, equal to Keras.
None overflows: exponentials are only taken of numbers that are not positive.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

__all__ = ["FUNCTIONS", "NAMES", "derivative", "elu", "gelu", "get", "leaky_relu", "linear",
           "relu", "selu", "sigmoid", "silu", "softmax", "softmax_jacobian", "softplus", "swish",
           "tanh"]  # fmt: skip

Doubles = NDArray[np.float64]
Activation = Callable[..., Doubles]

# Klambauer et al. 2017: with these, mean 0 and variance 1 reproduce themselves.
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def _finite(a: ArrayLike) -> Doubles:
    try:
        values = np.asarray(a, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"activation: received {type(a).__name__} that is no array of real numbers, expected "
            "numbers of any shape. Convert the data, and give every row the same length."
        ) from error
    if not np.isfinite(values).all():
        bad = int(np.count_nonzero(~np.isfinite(values)))
        raise ValueError(
            f"activation: received {bad} NaN or infinite among {values.size} values, expected "
            "finite numbers. Mask missing data before the network; if the weights were trained, "
            "the training has diverged: take a smaller step."
        )
    return values


def linear(a: ArrayLike) -> Doubles:
    """No bend at all, a: for outputs that may take any value."""
    return _finite(a)


def relu(a: ArrayLike) -> Doubles:
    """max(0, a), the rectified linear unit (Nair & Hinton 2010).

    Args:
        a: Weighted sums, any shape.

    Returns:
        Array of the same shape.

    Raises:
        ValueError: If a value is NaN, infinite or no number. So do all functions here.

    Example:
        >>> relu([-2.0, 0.0, 3.0])
        array([0., 0., 3.])
    """
    return np.maximum(_finite(a), 0)


def leaky_relu(a: ArrayLike, negative_slope: float = 0.2) -> Doubles:
    """a where positive, `negative_slope * a` elsewhere (Maas et al. 2013)."""
    a = _finite(a)
    return np.where(a > 0, a, negative_slope * a)


def elu(a: ArrayLike, alpha: float = 1.0) -> Doubles:
    """a where positive, alpha (exp a - 1) elsewhere (Clevert et al. 2016)."""
    a = _finite(a)
    return np.where(a > 0, a, alpha * np.expm1(np.minimum(a, 0)))


def selu(a: ArrayLike) -> Doubles:
    """A scaled ELU that keeps mean 0 and variance 1 (Klambauer et al. 2017)."""
    return SELU_SCALE * elu(a, SELU_ALPHA)


def gelu(a: ArrayLike) -> Doubles:
    """a times the normal distribution function at a (Hendrycks & Gimpel 2016)."""
    a = _finite(a)
    return a * ndtr(a)


def sigmoid(a: ArrayLike) -> Doubles:
    """1 / (1 + exp(-a)), a step from 0 to 1: for outputs that are probabilities.

    Args:
        a: Log odds, any shape.

    Returns:
        Array of the same shape, between 0 and 1.

    Example:
        >>> sigmoid([-1000.0, 0.0, 1000.0])
        array([0. , 0.5, 1. ])
    """
    a = _finite(a)
    small = np.exp(-np.abs(a))
    return np.where(a >= 0, 1, small) / (1 + small)


def tanh(a: ArrayLike) -> Doubles:
    """The hyperbolic tangent, 2 sigmoid(2a) - 1: a step from -1 to 1."""
    return np.tanh(_finite(a))


def softplus(a: ArrayLike) -> Doubles:
    """log(1 + exp a), a smooth ReLU: for outputs that must be positive."""
    return np.logaddexp(0, _finite(a))


def silu(a: ArrayLike) -> Doubles:
    """a sigmoid(a), also called swish (Elfwing et al. 2018; Ramachandran et al. 2017)."""
    return _finite(a) * sigmoid(a)


swish = silu


def softmax(a: ArrayLike, axis: int = -1) -> Doubles:
    """Exponentials divided by their sum along `axis`: for outputs that are shares of one.

    Args:
        a: Scores, at least one dimension.
        axis: The axis whose entries exclude each other.

    Returns:
        Array of the same shape; every sum along `axis` is 1.

    Raises:
        ValueError: If `a` is a single number: shares need something to share with.

    Example:
        >>> softmax([1000.0, 1000.0])
        array([0.5, 0.5])
    """
    a = _finite(a)
    if not a.ndim or not a.shape[axis]:
        raise ValueError(
            f"softmax: received shape {a.shape}, expected one score or more along axis {axis}. "
            "For a single probability use sigmoid."
        )
    powers = np.exp(a - a.max(axis=axis, keepdims=True))
    shares: Doubles = powers / powers.sum(axis=axis, keepdims=True)
    return shares


def softmax_jacobian(a: ArrayLike) -> Doubles:
    """Derivative of share i by score j along the last axis, p_i (1[i = j] - p_j).

    Args:
        a: Scores, shape (..., n).

    Returns:
        Array of shape (..., n, n), symmetric, whose rows add up to 0.

    Example:
        >>> softmax_jacobian([0.0, 0.0])
        array([[ 0.25, -0.25],
               [-0.25,  0.25]])
    """
    p = softmax(a)
    return p[..., :, None] * (np.eye(p.shape[-1]) - p[..., None, :])


def _d_leaky_relu(a: ArrayLike, negative_slope: float = 0.2) -> Doubles:
    return np.where(_finite(a) > 0, 1.0, negative_slope)


def _d_elu(a: ArrayLike, alpha: float = 1.0) -> Doubles:
    a = _finite(a)
    return np.where(a >= 0, 1.0, alpha * np.exp(np.minimum(a, 0)))


def _d_gelu(a: ArrayLike) -> Doubles:
    a = _finite(a)
    return ndtr(a) + a * np.exp(-np.square(a) / 2) / np.sqrt(2 * np.pi)


def _d_silu(a: ArrayLike) -> Doubles:
    s = sigmoid(a)
    return s * (1 + _finite(a) * (1 - s))


_ALL: dict[str, tuple[Activation, Activation | None]] = {
    "linear": (linear, lambda a: np.ones_like(_finite(a))),
    "relu": (relu, lambda a: _d_leaky_relu(a, 0.0)),
    "leaky_relu": (leaky_relu, _d_leaky_relu),
    "elu": (elu, _d_elu),
    "selu": (selu, lambda a: SELU_SCALE * _d_elu(a, SELU_ALPHA)),
    "gelu": (gelu, _d_gelu),
    "sigmoid": (sigmoid, lambda a: sigmoid(a) * sigmoid(-_finite(a))),
    "tanh": (tanh, lambda a: 1 - np.square(tanh(a))),
    "softplus": (softplus, sigmoid),
    "silu": (silu, _d_silu),
    "swish": (silu, _d_silu),
    "softmax": (softmax, None),
}
NAMES = tuple(_ALL)
FUNCTIONS = tuple(bend for bend, _ in _ALL.values())


def get(name: str | Activation | None) -> Activation:
    """The activation function of that name; a callable passes, None is `linear`, as in Keras.

    Args:
        name: One of `NAMES`, a function of an array, or None.

    Returns:
        Function from an array to an array of the same shape.

    Raises:
        ValueError: If the name is unknown, or it is neither text, function nor None.

    Example:
        >>> get("relu")(-3.0)
        np.float64(0.0)
    """
    if name is None:
        return linear
    if callable(name):
        return name
    if isinstance(name, str) and name in _ALL:
        return _ALL[name][0]
    raise ValueError(
        f"activation: received {name!r}, expected one of {', '.join(NAMES)}, "
        "a function of an array, or None for no bend at all."
    )


def derivative(name: str | Activation | None) -> Activation:
    """The derivative of an activation, as a function of the same weighted sum a.

    At a kink it gives the value that Keras gives on TensorFlow: the left slope for ReLU
    and leaky ReLU, the right slope for SELU.

    Args:
        name: As for `get`; a function must be one of this module.

    Returns:
        Function from an array to an array of the same shape, with the same options
        (`negative_slope`, `alpha`).

    Raises:
        ValueError: For softmax, whose derivative is a matrix, and for foreign functions.

    Example:
        >>> derivative("tanh")(0.0)
        np.float64(1.0)
    """
    chosen: Any = get(name)
    slope = next((slope for bend, slope in _ALL.values() if bend is chosen), None)
    if chosen is softmax:
        raise ValueError(
            "derivative: received softmax, expected a function of single numbers. Every share "
            "depends on every score; softmax_jacobian gives the matrix."
        )
    if slope is None:
        raise ValueError(
            f"derivative: received {getattr(chosen, '__name__', chosen)!r}, which is not of this "
            "module, expected one of its functions. Write the derivative beside your function."
        )
    return slope
