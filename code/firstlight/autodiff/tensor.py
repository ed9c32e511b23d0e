"""Arithmetic that leaves a tape: each operator beside the rules that carry its gradient back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from firstlight.autodiff import checks
from firstlight.autodiff.checks import Floats
from firstlight.autodiff.tape import Node, gradients, sweep, tape, unbroadcast

__all__ = ["Tensor", "Variable", "as_tensor", "gradients", "lift", "sweep", "tape",
           "unbroadcast"]  # fmt: skip


class Tensor(Node):
    """An array that remembers how it was made.

    Args:
        value: Real numbers of any shape, copied. Whole numbers are refused: they cannot change a
            little.
        operation: See `tape.Node`, which also has `gradient` and `backward`.
        links: See `tape.Node`.

    Raises:
        ValueError: If a leaf is not finite, or is no array of real numbers.

    Example:
        >>> x = Tensor([1.0, 2.0])
        >>> (x * x).sum().backward()
        >>> x.gradient
        array([2., 4.])

        An operation of your own is its value, its name, and a rule for each operand:

        >>> y = Tensor(np.sin(x.value), "sin", [(x, lambda g: g * np.cos(x.value))])
    """

    __array_ufunc__ = None  # NumPy shall leave `array * tensor` to us

    def __add__(self, other: Any) -> Tensor:
        return _combine(np.add, self, other, lambda g, a, b: g, lambda g, a, b: g)

    def __sub__(self, other: Any) -> Tensor:
        return _combine(np.subtract, self, other, lambda g, a, b: g, lambda g, a, b: -g)

    def __mul__(self, other: Any) -> Tensor:
        return _combine(np.multiply, self, other, lambda g, a, b: g * b, lambda g, a, b: g * a)

    def __truediv__(self, other: Any) -> Tensor:
        return _combine(
            np.divide, self, other, lambda g, a, b: g / b, lambda g, a, b: -g * a / (b * b)
        )

    def __pow__(self, other: Any) -> Tensor:
        return _combine(np.power, self, other, _slope_of_base, _slope_of_exponent)

    def __matmul__(self, other: Any) -> Tensor:
        return _combine(np.matmul, self, other, _slope_of_left, _slope_of_right)

    def __radd__(self, other: Any) -> Tensor:
        return lift(other, self) + self

    def __rsub__(self, other: Any) -> Tensor:
        return lift(other, self) - self

    def __rmul__(self, other: Any) -> Tensor:
        return lift(other, self) * self

    def __rtruediv__(self, other: Any) -> Tensor:
        return lift(other, self) / self

    def __rpow__(self, other: Any) -> Tensor:
        return lift(other, self) ** self

    def __rmatmul__(self, other: Any) -> Tensor:
        return lift(other, self) @ self

    def __neg__(self) -> Tensor:
        return Tensor(-self.value, "negative", [(self, lambda g: -g)])

    def __getitem__(self, index: Any) -> Tensor:
        def pull(g: Floats) -> Floats:
            spread = np.zeros_like(self.value)
            np.add.at(spread, index, g)  # a number picked twice is pulled twice
            return spread

        return Tensor(self.value[index], "index", [(self, pull)])

    def sum(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Sum over the axes given, or over all; every summand gets the whole gradient."""
        return _reduce("sum", self, self.value.sum(axis, keepdims=True), 1.0, axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Mean over the axes given, or over all; the n values get an n-th each."""
        mean = self.value.mean(axis, keepdims=True)
        return _reduce("mean", self, mean, mean.size / max(self.size, 1), axis, keepdims)

    def reshape(self, *shape: Any) -> Tensor:
        """The same numbers in another shape, as NumPy does it."""
        links = [(self, lambda g: g.reshape(self.shape))]
        return Tensor(self.value.reshape(*shape), "reshape", links)

    def transpose(self, *axes: int) -> Tensor:
        """The axes in another order; without arguments, reversed."""
        order = np.arange(self.ndim)[list(axes) if axes else slice(None, None, -1)]
        links = [(self, lambda g: g.transpose(np.argsort(order)))]
        return Tensor(self.value.transpose(order), "transpose", links)

    shape = property(lambda self: self.value.shape)
    ndim = property(lambda self: self.value.ndim)
    size = property(lambda self: self.value.size)
    T = property(lambda self: self.transpose())

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __float__(self) -> float:
        return float(self.value.item())

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError(checks.OFF_THE_TAPE)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.value!r}, operation={self.operation!r})"


class Variable(Tensor):
    """A leaf that training changes: weights, biases. An optimizer replaces its `value`.

    Replace it by a new array, `v.value = v.value - step`: rules on a tape hold on to the old one.

    Args:
        value: Where it starts; what replaces it must have the same shape.
        name: What errors and drawings call it.
    """

    def __init__(self, value: Any, name: str = "variable") -> None:
        self.name = name
        super().__init__(value)

    def __setattr__(self, name: str, new: Any) -> None:
        if name == "value" and hasattr(self, "value"):
            new = checks.replacement(self.name, self.value, new)
        super().__setattr__(name, new)


def as_tensor(x: Any, name: str = "operand", dtype: Any = None) -> Tensor:
    """The tensor itself, or a constant that holds the array.

    Args:
        x: Tensor, or finite real numbers of any shape.
        name: Whom an error names.
        dtype: Of the constant; by default that of a float array, else float64.

    Raises:
        ValueError: If there are NaN among the numbers, or no numbers.

    Example:
        >>> as_tensor([1.0, 2.0]).constant
        True
    """
    return x if isinstance(x, Tensor) else Tensor(checks.as_floats(x, name, dtype), "constant")


def lift(other: Any, like: Tensor) -> Tensor:
    """A constant in the precision of the tensor that it meets; tensors pass."""
    return as_tensor(other, "constant", like.value.dtype)


def _combine(function: Any, a: Tensor, other: Any, pull_a: Any, pull_b: Any) -> Tensor:
    """Record a function of two operands, with the rule of each."""
    b = lift(other, a)
    x, y = a.value, b.value
    links = [(a, lambda g: pull_a(g, x, y)), (b, lambda g: pull_b(g, x, y))]
    return Tensor(checks.attempt(function, x, y), function.__name__, links)


def _reduce(name: str, a: Tensor, kept: Floats, scale: float, axis: Any, keepdims: bool) -> Tensor:
    """Record a reduction, given its result with all axes kept."""
    links = [(a, lambda g: np.broadcast_to(scale * g.reshape(kept.shape), a.shape))]
    return Tensor(kept if keepdims else kept.squeeze(axis), name, links)


def _slope_of_base(g: Floats, a: Floats, b: Floats) -> Floats:
    return g * b * np.power(a, np.where(b == 0, 1, b - 1))  # a to the 0 is flat, at 0 as well


def _slope_of_exponent(g: Floats, a: Floats, b: Floats) -> Floats:
    return g * np.power(a, b) * np.log(np.where(a > 0, a, 1))


def _as_matrix(g: Floats, a: Floats, b: Floats) -> Floats:
    """Give the gradient of a @ b the axes that NumPy drops when an operand is a vector."""
    g = g[..., None] if b.ndim == 1 else g
    return g[..., None, :] if a.ndim == 1 else g


def _slope_of_left(g: Floats, a: Floats, b: Floats) -> Floats:
    columns = b[:, None] if b.ndim == 1 else b
    return _as_matrix(g, a, b) @ columns.swapaxes(-1, -2)


def _slope_of_right(g: Floats, a: Floats, b: Floats) -> Floats:
    slope = np.atleast_2d(a).swapaxes(-1, -2) @ _as_matrix(g, a, b)
    return slope[..., 0] if b.ndim == 1 else slope
