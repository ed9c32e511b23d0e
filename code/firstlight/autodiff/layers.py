"""Layers of a NumPy network: they keep the parameters and call plain functions.

An array goes in and an array comes out; a tensor goes in, or the network is in training, and a
tensor comes out, with a tape behind it. The nouns are Keras's. Two habits are not: a dense layer
takes one example to a row and nothing else, where Keras would quietly treat an image as a set of
rows; and a NaN is refused.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from firstlight.autodiff import activations, functional, initializers
from firstlight.autodiff import operations as ops
from firstlight.autodiff.checks import Floats, as_floats
from firstlight.autodiff.tensor import Tensor, Variable, as_tensor

__all__ = ["Activation", "Dense", "Flatten", "Layer"]

Function = Callable[[Any], Any]


class Layer:
    """What every layer has: parameters, perhaps none, and a call.

    Args:
        name: What errors and summaries call it; by default its class in lower case.
    """

    n_weights = 0  # arrays in get_weights
    dtype: Any = None  # of the parameters, and so of the output; None leaves it as it is

    def __init__(self, name: str | None = None) -> None:
        self.name = name or type(self).__name__.lower()

    @property
    def built(self) -> bool:
        """Whether the parameters exist."""
        return True

    @property
    def trainable_variables(self) -> list[Variable]:
        """What an optimizer may change, in Keras's order."""
        return []

    def __call__(self, x: Any, training: bool = False) -> Any:
        """Output for a batch of examples, one along the first axis.

        Args:
            x: Array, or tensor.
            training: Whether the pass is part of training: dropout then drops, batch
                normalization measures, and the result is a tensor whatever x is.

        Returns:
            Array for an array; tensor for a tensor, and in training.
        """
        recorded = training or isinstance(x, Tensor)
        given = as_tensor(x, self.name, self.dtype)
        given = ops.cast(given, self.dtype or given.value.dtype)
        self.check(given.shape)
        weights: list[Tensor] = list(self.trainable_variables)
        if not recorded:
            weights = [ops.stop_gradient(weight) for weight in weights]
        result = self.forward(given, *weights, training=training)
        return result if recorded else result.value

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse a batch of a shape that does not fit; make parameters that are missing."""

    def forward(self, x: Tensor, *weights: Tensor, training: bool) -> Tensor:
        """What the layer computes, in operations that leave a tape."""
        raise NotImplementedError

    def build(self, n_in: int) -> None:
        """Make the parameters, for examples of `n_in` numbers."""

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of one example after the layer, given its shape before."""
        return shape

    def count_params(self) -> int:
        """How many numbers training may adjust."""
        return sum(weight.size for weight in self.get_weights())

    def get_weights(self) -> list[Floats]:
        """Copies of the parameters, in Keras's order."""
        return []

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Put parameters in place; a layer without any takes an empty list."""
        if len(weights):
            raise ValueError(f"{self.name}: received {len(weights)} arrays, expected none.")


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


class Dense(Layer):
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
        super().__init__(name)
        if isinstance(units, bool) or not isinstance(units, int | np.integer) or units < 1:
            raise ValueError(
                f"units: received {units!r}, expected a whole number of neurons, 1 or more."
            )
        self.units = int(units)
        self.activation: Function = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.seed = seed
        self.dtype = np.dtype(dtype)
        self.n_weights = 1 + use_bias
        self._variables: list[Variable] = []

    @property
    def built(self) -> bool:
        """Whether the kernel exists; the first call makes it."""
        return bool(self._variables)

    @property
    def trainable_variables(self) -> list[Variable]:
        """`[kernel, bias]`, or `[kernel]` without bias."""
        if not self._variables:
            raise ValueError(
                f"{self.name}: received no input yet, so the number of weights is unknown. "
                "Call the layer once, or build(n_in)."
            )
        return self._variables

    @property
    def kernel(self) -> Floats:
        """Weights, `(n_in, units)`: one column a neuron."""
        return self.trainable_variables[0].value

    @property
    def bias(self) -> Floats | None:
        """One constant a neuron, `(units,)`; None without `use_bias`."""
        variables = self.trainable_variables
        return variables[1].value if self.use_bias else None

    def build(self, n_in: int) -> None:
        """Draw the kernel for `n_in` inputs; the bias starts at zero."""
        if n_in < 1:
            raise ValueError(f"{self.name}: received {n_in} inputs, expected 1 or more.")
        known = self.kernel_initializer in (initializers.zeros, initializers.ones)
        if self.seed is None and not known:
            raise ValueError(
                f"{self.name}: received no seed for a random start, expected a whole number. "
                "Give Dense(..., seed=...), or one seed to Sequential([...], seed=...)."
            )
        kernel = self.kernel_initializer((n_in, self.units), self.seed or 0)
        self._place(kernel, np.zeros(self.units))

    def _place(self, *arrays: Any) -> None:
        """Put the values into the variables; an optimizer may hold on to these."""
        values = [np.array(array, dtype=self.dtype) for array in arrays[: self.n_weights]]
        if not self._variables:
            names = ("kernel", "bias")[: self.n_weights]
            self._variables = [Variable(value, f"{self.name}/{name}")
                               for value, name in zip(values, names, strict=True)]  # fmt: skip
        for variable, value in zip(self._variables, values, strict=True):
            variable.value = value

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

    def get_weights(self) -> list[Floats]:
        """`[kernel, bias]`, or `[kernel]` without bias; copies."""
        return [variable.value.copy() for variable in self.trainable_variables]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Put `[kernel, bias]` in place; a layer not built yet takes its `n_in` from them."""
        arrays = [as_floats(array, f"{self.name} weights", self.dtype) for array in weights]
        n_in = len(self.kernel) if self.built else (len(arrays[0]) if arrays else 0)
        wanted = [(n_in, self.units)] + [(self.units,)] * self.use_bias
        given = [array.shape for array in arrays]
        if given != wanted:
            raise ValueError(
                f"{self.name}: received weights of shapes {given}, expected {wanted}. Keras keeps "
                "one column a neuron; transpose if yours has one row."
            )
        self._place(*arrays)
