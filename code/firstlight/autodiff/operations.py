"""Functions of tensors beyond arithmetic, each beside its derivative.

They take tensors or arrays and return tensors; an array is a constant. The activations stand
in `bends`, and are to be had from here as well.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from firstlight.autodiff import checks
from firstlight.autodiff.bends import (
    activate,
    elu,
    gelu,
    leaky_relu,
    log_softmax,
    relu,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)  # fmt: skip
from firstlight.autodiff.checks import Floats
from firstlight.autodiff.tensor import Tensor, as_tensor, lift

__all__ = ["absolute", "activate", "as_tensor", "cast", "concatenate", "elu", "exp", "gelu",
           "leaky_relu", "log", "log_softmax", "maximum", "minimum", "relu", "selu", "sigmoid",
           "silu", "softmax", "softplus", "sqrt", "square", "stop_gradient", "tanh",
           "where"]  # fmt: skip


def stop_gradient(x: Any) -> Tensor:
    """The same numbers as a constant: what comes before gets no gradient from here."""
    return Tensor(as_tensor(x, "stop_gradient").value, "stop_gradient")


def cast(x: Any, dtype: Any) -> Tensor:
    """The same numbers in another precision; the gradient comes back in the old one."""
    x = as_tensor(x, "cast")
    old = x.value.dtype
    if old == np.dtype(dtype):
        return x
    return Tensor(x.value.astype(dtype), "cast", [(x, lambda g: g.astype(old))])


def exp(x: Any) -> Tensor:
    """e to the power x, which is its own derivative.

    Args:
        x: Tensor or array of any shape. So for all functions of one operand here.

    Returns:
        Tensor of the same shape.

    Example:
        >>> x = Tensor(0.0)
        >>> exp(3 * x).backward()
        >>> x.gradient
        array(3.)
    """
    x = as_tensor(x, "exp")
    value = np.exp(x.value)
    return Tensor(value, "exp", [(x, lambda g: g * value)])


def log(x: Any) -> Tensor:
    """Natural logarithm; for logarithms of shares see `log_softmax`."""
    x = as_tensor(x, "log")
    a = x.value
    return Tensor(np.log(a), "log", [(x, lambda g: g / a)])


def sqrt(x: Any) -> Tensor:
    """Square root, vertical at 0."""
    x = as_tensor(x, "sqrt")
    value = np.sqrt(x.value)
    return Tensor(value, "sqrt", [(x, lambda g: g / (2 * value))])


def square(x: Any) -> Tensor:
    """x times x."""
    x = as_tensor(x, "square")
    a = x.value
    return Tensor(np.square(a), "square", [(x, lambda g: 2 * g * a)])


def absolute(x: Any) -> Tensor:
    """Distance from 0; the slope at 0 is taken as 0."""
    x = as_tensor(x, "absolute")
    sign = np.sign(x.value)
    return Tensor(np.abs(x.value), "absolute", [(x, lambda g: g * sign)])


def _pair(a: Any, b: Any) -> tuple[Tensor, Tensor]:
    """Two operands; a constant takes the precision of a tensor beside it."""
    if isinstance(a, Tensor):
        return a, lift(b, a)
    b = as_tensor(b)
    return lift(a, b), b


def maximum(a: Any, b: Any) -> Tensor:
    """The larger of two, element by element; where they are equal, a gets the gradient."""
    a, b = _pair(a, b)
    value, left = checks.attempt(np.maximum, a.value, b.value), a.value >= b.value
    return Tensor(value, "maximum", [(a, lambda g: g * left), (b, lambda g: g * ~left)])


def minimum(a: Any, b: Any) -> Tensor:
    """The smaller of two, element by element; where they are equal, a gets the gradient."""
    a, b = _pair(a, b)
    value, left = checks.attempt(np.minimum, a.value, b.value), a.value <= b.value
    return Tensor(value, "minimum", [(a, lambda g: g * left), (b, lambda g: g * ~left)])


def where(condition: Any, a: Any, b: Any) -> Tensor:
    """a where the condition holds, b elsewhere; so does the gradient go.

    Args:
        condition: True or False, an array. It has no gradient.
        a: Tensor or array.
        b: Tensor or array; all three broadcast.

    Returns:
        Tensor of the shape to which they broadcast.

    Raises:
        ValueError: If the condition is not of True and False, or the shapes do not fit.

    Example:
        >>> where(np.array([True, False]), Tensor([1.0, 2.0]), 0.0).value
        array([1., 0.])
    """
    a, b = _pair(a, b)
    chosen = np.asarray(condition)
    if chosen.dtype != bool:
        raise ValueError(
            f"where: received a condition of {chosen.dtype}, expected True and False. Compare "
            "values: where(x.value > 0, ...)."
        )
    try:
        value = np.where(chosen, a.value, b.value)
    except ValueError:
        raise ValueError(
            f"where: received shapes {chosen.shape}, {a.shape} and {b.shape}, expected ones that "
            "agree from the right, or have length 1."
        ) from None
    return Tensor(value, "where", [(a, lambda g: g * chosen), (b, lambda g: g * ~chosen)])


def concatenate(tensors: Sequence[Any], axis: int = -1) -> Tensor:
    """Tensors one after the other along an axis; each gets its own stretch of the gradient.

    Args:
        tensors: One or more, equal in shape but for that axis.
        axis: Along which they are joined.

    Raises:
        ValueError: If there is none, or the shapes do not fit.

    Example:
        >>> concatenate([np.zeros((2, 1)), np.ones((2, 3))]).shape
        (2, 4)
    """
    like = next((tensor for tensor in tensors if isinstance(tensor, Tensor)), None)
    dtype = None if like is None else like.value.dtype
    parts = [as_tensor(tensor, "concatenate", dtype) for tensor in tensors]
    shapes = [part.shape for part in parts]
    try:
        value = np.concatenate([part.value for part in parts], axis)
    except ValueError:
        raise ValueError(
            f"concatenate: received shapes {shapes}, expected one or more that differ along axis "
            f"{axis} only. Reshape them, or name another axis."
        ) from None
    ends = np.cumsum([shape[axis] for shape in shapes])[:-1]

    def stretch(number: int) -> Callable[[Floats], Floats]:
        return lambda g: np.split(g, ends, axis)[number]

    return Tensor(value, "concatenate", [(part, stretch(i)) for i, part in enumerate(parts)])
