"""The bends and the softmax on tensors, joined to the slopes that stand in `activations`."""

from collections.abc import Callable
from typing import Any

import numpy as np

from firstlight.autodiff import activations
from firstlight.autodiff.tensor import Tensor, as_tensor

__all__ = ["activate", "elu", "gelu", "leaky_relu", "log_softmax", "relu", "selu", "sigmoid",
           "silu", "softmax", "softplus", "tanh"]  # fmt: skip


def softmax(x: Any, axis: int = -1) -> Tensor:
    """Shares of one along an axis; each depends on all scores (see `activations.softmax`)."""
    x = as_tensor(x, "softmax")
    p = activations.softmax(x.value, axis).astype(x.value.dtype)
    links = [(x, lambda g: p * (g - (g * p).sum(axis, keepdims=True)))]
    return Tensor(p, "softmax", links)


def log_softmax(x: Any, axis: int = -1) -> Tensor:
    """Logarithm of the shares, exact where a share itself would round to 0.

    Args:
        x: Scores, at least one dimension.
        axis: The axis whose entries exclude each other.

    Example:
        >>> log_softmax([0.0, 1000.0]).value
        array([-1000.,     0.])
    """
    x = as_tensor(x, "log_softmax")
    p = softmax(x, axis).value
    lowered = x.value - x.value.max(axis, keepdims=True)
    value = lowered - np.log(np.exp(lowered).sum(axis, keepdims=True))
    links = [(x, lambda g: g - p * g.sum(axis, keepdims=True))]
    return Tensor(value, "log_softmax", links)


def activate(x: Any, function: str | Callable[..., Any] | None, **options: float) -> Tensor:
    """Bend a tensor by an activation of `activations`, with the derivative that stands there.

    Args:
        x: Weighted sums.
        function: Name, or function. A function of your own must be written with operations of
            `operations`, so that it returns a tensor; of a constant it may return an array.
        **options: Such as `negative_slope` and `alpha`.

    Raises:
        ValueError: If the function's derivative is not known.

    Example:
        >>> activate(Tensor([-1.0, 2.0]), "relu").value
        array([0., 2.])
    """
    x = as_tensor(x, "activation")
    bend: Any = activations.get(function)
    if bend is activations.softmax:
        return softmax(x, **options)  # type: ignore[arg-type]
    if bend not in activations.FUNCTIONS:
        return _foreign(x, bend)
    slope = activations.derivative(bend)
    a, dtype = x.value, x.value.dtype
    links = [(x, lambda g: g * slope(a, **options).astype(dtype, copy=False))]
    return Tensor(bend(a, **options).astype(dtype, copy=False), bend.__name__, links)


def _foreign(x: Tensor, bend: Callable[..., Any]) -> Tensor:
    """A function that somebody else wrote; without a tape it may be any function of an array."""
    if x.constant:
        return as_tensor(bend(x.value), "activation")
    result: Any = None
    cause: Exception | None = None
    try:
        result = bend(x)
    except (TypeError, RuntimeError) as error:  # it asked for an array
        cause = error
    if isinstance(result, Tensor):
        return result
    raise ValueError(
        f"activation: received {getattr(bend, '__name__', bend)!r}, which makes no tensor of a "
        "tensor, expected one that does: its derivative is not known. Write it with the functions "
        "of firstlight.autodiff.operations, or call the network with an array."
    ) from cause


def relu(x: Any) -> Tensor:
    """max(0, x), by `activations.relu`."""
    return activate(x, activations.relu)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Tensor:
    """x where positive, a fraction of it elsewhere."""
    return activate(x, activations.leaky_relu, negative_slope=negative_slope)


def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """x where positive, alpha (exp x - 1) elsewhere."""
    return activate(x, activations.elu, alpha=alpha)


def selu(x: Any) -> Tensor:
    """A scaled ELU that keeps mean 0 and variance 1."""
    return activate(x, activations.selu)


def gelu(x: Any) -> Tensor:
    """x times the normal distribution function at x."""
    return activate(x, activations.gelu)


def sigmoid(x: Any) -> Tensor:
    """1 / (1 + exp(-x))."""
    return activate(x, activations.sigmoid)


def tanh(x: Any) -> Tensor:
    """The hyperbolic tangent."""
    return activate(x, activations.tanh)


def softplus(x: Any) -> Tensor:
    """log(1 + exp x), a smooth ReLU."""
    return activate(x, activations.softplus)


def silu(x: Any) -> Tensor:
    """x sigmoid(x), also called swish."""
    return activate(x, activations.silu)
