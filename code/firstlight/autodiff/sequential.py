"""Layers in a row, each used once: the feedforward network in NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from firstlight.autodiff.base import Layer
from firstlight.autodiff.checks import Floats
from firstlight.autodiff.tensor import Variable
from firstlight.autodiff.translation import translate

__all__ = ["Sequential"]


class Sequential:
    """A stack of layers; the output of each is the input of the next.

    Args:
        layers: In the order in which the input meets them.
        seed: Gives a seed of its own to each layer that wants one and has none.
        input_shape: Shape of one example; with it, the parameters exist at once.

    Raises:
        ValueError: If there is no layer, one layer stands in it twice, or something else is none.

    Example:
        >>> model = Sequential([Dense(3, "relu"), Dense(1)], seed=1, input_shape=(2,))
        >>> model(np.zeros((5, 2))).shape, model.count_params()
        ((5, 1), 13)
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        seed: int | None = None,
        input_shape: Sequence[int] | None = None,
    ) -> None:
        self.layers = list(layers)
        if not self.layers or not all(isinstance(layer, Layer) for layer in self.layers):
            kinds = [type(layer).__name__ for layer in self.layers]
            raise ValueError(
                f"layers: received {kinds}, expected one layer of firstlight.autodiff or more. "
                "A Keras model comes in through Sequential.from_keras(model)."
            )
        if len({id(layer) for layer in self.layers}) < len(self.layers):
            raise ValueError("layers: received one layer twice, expected each once; make another.")
        self._name_and_seed(seed)
        if input_shape is not None:
            self.build(input_shape)

    def _name_and_seed(self, seed: int | None) -> None:
        streams = np.random.SeedSequence(seed).generate_state(len(self.layers))
        for number, layer in enumerate(self.layers):
            if layer.name == type(layer).__name__.lower():
                layer.name = f"{layer.name}_{number}"
            if getattr(layer, "seed", 0) is None and seed is not None:
                layer.seed = int(streams[number])  # type: ignore[attr-defined]

    @property
    def built(self) -> bool:
        """Whether all parameters exist."""
        return all(layer.built for layer in self.layers)

    def build(self, input_shape: Sequence[int]) -> None:
        """Make the parameters that do not exist yet.

        Args:
            input_shape: Shape of one example, without the number of examples.
        """
        shape = tuple(input_shape)
        for layer in self.layers:
            after = layer.output_shape(shape)
            if not layer.built:
                layer.build(shape[-1])
            shape = after

    def __call__(self, x: Any, training: bool = False) -> Any:
        """Output for a batch of examples along the first axis of x.

        Args:
            x: Array, or tensor.
            training: Whether the pass is part of training; see `Layer`.

        Returns:
            Array for an array; tensor for a tensor, and in training.
        """
        return self.outputs(x, training)[-1]

    def outputs(self, x: Any, training: bool = False) -> list[Any]:
        """What every layer passes on: the input of a figure, or of a diagnosis.

        Args:
            x: Examples along the first axis.
            training: As for a call.

        Returns:
            One array or tensor a layer; the last is the answer.
        """
        passed = []
        for layer in self.layers:
            x = layer(x, training)
            passed.append(x)
        return passed

    @property
    def trainable_variables(self) -> list[Variable]:
        """What an optimizer may change, layer by layer, in Keras's order."""
        return [variable for layer in self.layers for variable in layer.trainable_variables]

    def count_params(self) -> int:
        """How many numbers training may adjust, in all layers."""
        return sum(layer.count_params() for layer in self.layers)

    def get_weights(self) -> list[Floats]:
        """All parameters, layer by layer, in Keras's order; copies."""
        return [weight for layer in self.layers for weight in layer.get_weights()]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Put all parameters in place, in the order of `get_weights`."""
        counts = [layer.n_weights for layer in self.layers]
        if len(weights) != sum(counts):
            raise ValueError(f"received {len(weights)} arrays, expected {sum(counts)}.")
        rest = list(weights)
        for layer, count in zip(self.layers, counts, strict=True):
            layer.set_weights(rest[:count])
            rest = rest[count:]

    def summary(self) -> str:
        """A line for each layer, with its parameters, and their sum."""
        rows = [(layer.name, f"{layer.count_params():,d}") for layer in self.layers]
        rows.append(("sum", f"{self.count_params():,d}"))
        left, right = (max(len(row[i]) for row in rows) for i in (0, 1))
        return "\n".join(f"{name:<{left}}  {count:>{right}}" for name, count in rows)

    @classmethod
    def from_keras(cls, model: Any, dtype: str = "float64", seed: int | None = None) -> Sequential:
        """The same network in NumPy, with copies of the weights.

        Args:
            model: Built `keras.Sequential` of the layers that this package has.
            dtype: Of the parameters.
            seed: Of the dropout, whose masks are not Keras's.

        Returns:
            A network that agrees with Keras's to float32 rounding.

        Raises:
            ValueError: If a layer is of another kind, or has no weights yet.

        Example:
            >>> Sequential.from_keras(model)(x)  # doctest: +SKIP
        """
        translated = [translate(layer, dtype) for layer in model.layers]
        return cls([layer for layer in translated if layer is not None], seed)
