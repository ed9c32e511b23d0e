"""Layers of a NumPy network: they keep the parameters and call plain functions.

An array goes in and an array comes out; a tensor goes in, or the network is in training, and a
tensor comes out, with a tape behind it. The nouns are Keras's. Two habits are not: a dense layer
takes one example to a row and nothing else, where Keras would quietly treat an image as a set of
rows; and a NaN is refused.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from firstlight.autodiff import activations, functional, initializers
from firstlight.autodiff import operations as ops
from firstlight.autodiff.base import Layer, Weighted
from firstlight.autodiff.checks import Floats
from firstlight.autodiff.tensor import Tensor

__all__ = ["Activation", "Dense", "Flatten", "Layer", "Neurons"]

Function = Callable[[Any], Any]


class Flatten(Layer):
    """Write each example's numbers in one row. An image forgets which pixels were neighbors.

    Example:
        >>> Flatten()(np.zeros((5, 4, 3))).shape
        (5, 12)
    """

    def forward(self, x: Tensor, *weights: Tensor, training: bool) -> Tensor:
        """Shape `(n, ...)` to `(n, product of the rest)`."""
        return functional.flatten(x)

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """One axis, as long as the product of the others."""
        return (int(np.prod(shape, dtype=int)),)


class Activation(Layer):
    """The bend alone, without weights.

    Args:
        activation: Name, or function of an array.
        name: See `Layer`.

    Example:
        >>> Activation("relu")(np.array([[-1.0, 2.0]]))
        array([[0., 2.]])
    """

    def __init__(self, activation: str | Function | None, name: str | None = None) -> None:
        super().__init__(name)
        self.activation: Function = activations.get(activation)

    def forward(self, x: Tensor, *weights: Tensor, training: bool) -> Tensor:
        """Shape and dtype as given."""
        return ops.activate(x, self.activation)


class Neurons(Weighted):
    """Neurons that weigh, add a bias and bend: what dense and convolutional layers share.

    Args:
        units: How many.
        activation: Name, or function of an array; None for no bend.
        use_bias: Whether each neuron adds a constant.
        kernel_initializer: See `initializers`; biases start at zero.
        seed: Of the random start.
        dtype: float64, or float32 as Keras has it.
        name: See `Layer`.

    Raises:
        ValueError: If the number, the activation or the initializer is none.
    """

    def __init__(
        self,
        units: int,
        activation: str | Function | None = None,
        use_bias: bool = True,
        kernel_initializer: str | initializers.Initializer = "glorot_uniform",
        seed: int | None = None,
        dtype: str = "float64",
        name: str | None = None,
    ) -> None:
        super().__init__(dtype, name)
        if isinstance(units, bool) or not isinstance(units, int | np.integer) or units < 1:
            raise ValueError(
                f"units: received {units!r}, expected a whole number of neurons, 1 or more."
            )
        self.units = int(units)
        self.activation: Function = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.seed = seed
        self.n_weights = 1 + use_bias

    @property
    def kernel(self) -> Floats:
        """Weights: along the last axis one entry a neuron, along the last but one its inputs."""
        return self.variables[0].value

    @property
    def bias(self) -> Floats | None:
        """One constant a neuron, `(units,)`; None without `use_bias`."""
        variables = self.variables
        return variables[1].value if self.use_bias else None

    def shapes(self, n_in: int) -> dict[str, tuple[int, ...]]:
        """`kernel`, and `bias` if there is one."""
        bias = {"bias": (self.units,)} if self.use_bias else {}
        return {"kernel": (n_in, self.units), **bias}

    def starts(self, n_in: int) -> list[Any]:
        """A kernel drawn at random, a bias of zeros."""
        known = self.kernel_initializer in (initializers.zeros, initializers.ones)
        if self.seed is None and not known:
            kind = type(self).__name__
            raise ValueError(
                f"{self.name}: received no seed for a random start, expected a whole number. "
                f"Give {kind}(..., seed=...), or one seed to Sequential([...], seed=...)."
            )
        kernel, *bias = self.shapes(n_in).values()
        return [self.kernel_initializer(kernel, self.seed or 0), *map(np.zeros, bias)]


class Dense(Neurons):
    """A fully connected layer: every neuron looks at every input.

    Args:
        units: Neurons, 1 or more: the width.
        activation: Name, or function of an array; None for no bend.
        use_bias: Whether each neuron adds a constant.
        kernel_initializer: See `initializers`; biases start at zero.
        seed: Of the random start. Two layers of one shape and one seed start alike, so give
            each its own, or give one to `Sequential`.
        dtype: float64, or float32 as Keras has it.
        name: See `Layer`.

    Raises:
        ValueError: If the width, the activation or the initializer is none; when called, if
            the input has another shape than one row an example, or is not finite.

    Example:
        >>> layer = Dense(2, activation="relu", seed=1)
        >>> layer(np.ones((5, 3))).shape, layer.count_params()
        ((5, 2), 8)
    """

    keras_keeps = "Keras keeps one column a neuron; transpose if yours has one row."

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse what is not one example to a row; the first call makes the kernel."""
        if len(shape) != 2:
            cure = (
                "Put Flatten() first." if len(shape) > 2 else "Put one example in a row, x[None]."
            )
            raise ValueError(
                f"{self.name}: received an input of shape {shape}, expected (n, n_in), one "
                f"example to a row. {cure}"
            )
        if not self.built:
            self.build(shape[1])
        if shape[1] != len(self.kernel):
            raise ValueError(
                f"{self.name}: received {shape[1]} numbers an example (shape {shape}), expected "
                f"{len(self.kernel)}, as when the layer was built. Check the order of the axes, or "
                "build a new layer."
            )

    def forward(self, x: Tensor, *weights: Tensor, training: bool) -> Tensor:
        """From `(n, n_in)` to `(n, units)`."""
        return ops.cast(ops.activate(functional.affine(x, *weights), self.activation), self.dtype)

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """`(units,)`, from a flat example."""
        if len(shape) != 1:
            raise ValueError(
                f"{self.name}: received examples of shape {shape}, expected one axis. "
                "Put Flatten() first."
            )
        return (self.units,)
