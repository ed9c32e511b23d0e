"""What all layers share: the call, and the keeping of weights."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from firstlight.autodiff import operations as ops
from firstlight.autodiff.checks import Floats, as_floats
from firstlight.autodiff.tensor import Tensor, Variable, as_tensor

__all__ = ["Layer", "Weighted"]


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
        """Make the parameters, for examples whose last axis has length `n_in`."""

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of one example after the layer, given its shape before."""
        return shape

    def count_params(self) -> int:
        """How many numbers the layer keeps, as Keras counts them."""
        return sum(weight.size for weight in self.get_weights())

    def get_weights(self) -> list[Floats]:
        """Copies of the parameters, in Keras's order."""
        return []

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Put parameters in place; a layer without any takes an empty list."""
        if len(weights):
            raise ValueError(f"{self.name}: received {len(weights)} arrays, expected none.")


class Weighted(Layer):
    """A layer with weights, made when the length of the last axis of its input is known.

    Args:
        dtype: float64, or float32 as Keras has it.
        name: See `Layer`.
    """

    keras_keeps = ""  # what the error about shapes adds

    def __init__(self, dtype: str, name: str | None) -> None:
        super().__init__(name)
        self.dtype = np.dtype(dtype)
        self._variables: list[Variable] = []

    def shapes(self, n_in: int) -> dict[str, tuple[int, ...]]:
        """Name and shape of each weight, in Keras's order."""
        raise NotImplementedError

    def starts(self, n_in: int) -> list[Any]:
        """Where each weight begins."""
        raise NotImplementedError

    @property
    def built(self) -> bool:
        """Whether the weights exist; the first call makes them."""
        return bool(self._variables)

    @property
    def variables(self) -> list[Variable]:
        """All weights, also those that training only measures."""
        if not self._variables:
            raise ValueError(
                f"{self.name}: received no input yet, so the number of weights is unknown. "
                "Call the layer once, or build(n_in)."
            )
        return self._variables

    @property
    def trainable_variables(self) -> list[Variable]:
        """What an optimizer may change, in Keras's order."""
        return self.variables

    def build(self, n_in: int) -> None:
        """Make the weights for examples whose last axis has length `n_in`."""
        if n_in < 1:
            raise ValueError(f"{self.name}: received {n_in} inputs, expected 1 or more.")
        self._place(self.starts(n_in), n_in)

    def get_weights(self) -> list[Floats]:
        """Copies of all weights, in Keras's order."""
        return [variable.value.copy() for variable in self.variables]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Put weights in place; a layer not built yet takes its `n_in` from them."""
        arrays = [as_floats(array, f"{self.name} weights", self.dtype) for array in weights]
        known = self._variables[0].value if self.built else (arrays or [np.zeros(0)])[0]
        n_in = known.shape[-2] if known.ndim > 1 else len(np.atleast_1d(known))
        given, wanted = [array.shape for array in arrays], list(self.shapes(n_in).values())
        if given != wanted:
            raise ValueError(
                f"{self.name}: received weights of shapes {given}, expected {wanted}. "
                f"{self.keras_keeps}"
            )
        self._place(arrays, n_in)

    def _place(self, arrays: Sequence[Any], n_in: int) -> None:
        """Put the values into the variables: optimizers may hold on to these."""
        values = [np.array(array, dtype=self.dtype) for array in arrays]
        if not self._variables:
            named = zip(self.shapes(n_in), values, strict=True)
            self._variables = [Variable(value, f"{self.name}/{name}") for name, value in named]
        for variable, value in zip(self._variables, values, strict=True):
            variable.value = value
