"""A small network as one list of numbers: its loss, and the slope of the loss.

The chapter on gradient descent walks about in the space of all weights. For that a network
is best kept as one vector; how its derivatives come about is the next chapter's business.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["Network"]

Floats = NDArray[np.float64]


class Network:
    """Fully connected layers with tanh between them, all parameters in one vector.

    Args:
        sizes: Numbers of inputs, of neurons in each hidden layer, and of outputs.

    Attributes:
        n_parameters: Length of the vector `theta` that the methods take.

    Raises:
        ValueError: If there are fewer than two sizes, or one is not positive.

    Example:
        >>> network = Network((5, 8, 1))
        >>> network.n_parameters, network.start(seed=1).shape
        (57, (57,))
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self.sizes = tuple(sizes)
        if len(self.sizes) < 2 or min(self.sizes) < 1:
            raise ValueError(
                f"sizes: received {self.sizes}, expected two positive numbers or more, inputs "
                "first, outputs last, such as (5, 24, 1)."
            )
        self.n_parameters = sum((m + 1) * n for m, n in pairwise(self.sizes))

    def start(self, seed: int) -> Floats:
        """Weights with variance one over the number of inputs, biases zero (see activations)."""
        random = np.random.default_rng(seed)
        parts = [
            np.vstack([random.normal(size=(m, n)) / np.sqrt(m), np.zeros(n)]).ravel()
            for m, n in pairwise(self.sizes)
        ]
        return np.concatenate(parts)

    def matrices(self, theta: Floats) -> list[Floats]:
        """For each layer its weights, and in the last row its biases; views of `theta`."""
        views, begin = [], 0
        for m, n in pairwise(self.sizes):
            end = begin + (m + 1) * n
            views.append(theta[begin:end].reshape(m + 1, n))
            begin = end
        return views

    def predict(self, theta: Floats, x: Floats) -> Floats:
        """Answers for inputs `(n, inputs)`; shape `(n,)` if there is one output."""
        return self._layers(theta, x)[-1].squeeze(-1)

    def loss(self, theta: Floats, x: Floats, y: Floats) -> float:
        """Half the mean squared error."""
        return float(0.5 * np.mean((self.predict(theta, x) - y) ** 2))

    def gradient(self, theta: Floats, x: Floats, y: Floats) -> Floats:
        """Derivative of the loss by every parameter, shape of `theta`.

        Args:
            theta: All weights and biases.
            x: Inputs, shape `(n, inputs)`.
            y: Truths, shape `(n,)`.

        Returns:
            The gradient, by the chain rule from the last layer to the first.
        """
        matrices, layers = self.matrices(theta), self._layers(theta, x)
        slope = np.empty_like(theta)
        slopes = self.matrices(slope)
        delta = (layers[-1] - y[:, None]) / len(x)
        for k in range(len(matrices) - 1, -1, -1):
            slopes[k][:-1] = layers[k].T @ delta
            slopes[k][-1] = delta.sum(axis=0)
            if k:
                delta = (delta @ matrices[k][:-1].T) * (1 - layers[k] ** 2)
        return slope

    def _layers(self, theta: Floats, x: Floats) -> list[Floats]:
        layers = [x]
        for k, matrix in enumerate(self.matrices(theta), start=2):
            a = layers[-1] @ matrix[:-1] + matrix[-1]
            layers.append(np.tanh(a) if k < len(self.sizes) else a)
        return layers
