"""Layers that behave one way in training and another in use: dropout and batch normalization."""

from typing import Any

import numpy as np

from firstlight.autodiff import operations as ops
from firstlight.autodiff.base import Layer, Weighted
from firstlight.autodiff.tensor import Tensor, Variable

__all__ = ["BatchNormalization", "Dropout"]


class Dropout(Layer):
    """Silence a random share of the numbers in training, and scale up the rest to make up for it.

    Srivastava et al. 2014. In use, everything passes.

    Args:
        rate: Share that is silenced, from 0 to less than 1.
        seed: Of the masks; each call in training draws the next one.
        name: See `Layer`.

    Raises:
        ValueError: If the rate is none; when called in training, if there is no seed.

    Example:
        >>> Dropout(0.5, seed=1)(np.ones((1, 4)), training=True).value
        array([[2., 2., 0., 2.]])
    """

    def __init__(self, rate: float, seed: int | None = None, name: str | None = None) -> None:
        super().__init__(name)
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate < 1:
            raise ValueError(
                f"rate: received {rate!r}, expected the share to silence, from 0 to less than 1."
            )
        self.rate = float(rate)
        self.seed = seed
        self._rng: np.random.Generator | None = None

    def forward(self, x: Tensor, *weights: Tensor, training: bool) -> Tensor:
        """The same shape; zeros where the mask is."""
        if not training or not self.rate:
            return x
        if self.seed is None:
            raise ValueError(
                f"{self.name}: received no seed for its masks, expected a whole number. Give "
                "Dropout(..., seed=...), or one seed to Sequential([...], seed=...)."
            )
        self._rng = self._rng or np.random.default_rng(self.seed)
        kept = self._rng.random(x.shape) >= self.rate
        return x * (kept / (1 - self.rate))


class BatchNormalization(Weighted):
    """Give each channel the mean 0 and the variance 1 over the batch, then a scale and an offset.

    Ioffe & Szegedy 2015. In training, mean and variance are those of the batch, and moving
    averages follow them; in use, the moving averages stand in for the batch.

    Args:
        momentum: How much of the moving averages stays at each step.
        epsilon: Added to the variance, so that a constant channel does no harm.
        center: Whether each channel gets an offset, beta, that is trained.
        scale: Whether each channel gets a scale, gamma, that is trained.
        dtype: float64, or float32 as Keras has it.
        name: See `Layer`.

    Raises:
        ValueError: If an argument makes no sense; when called, if the channels changed.

    Example:
        >>> x = np.random.default_rng(1).normal(7, 3, (500, 2))
        >>> BatchNormalization()(x, training=True).value.std(axis=0).round(3)
        array([1., 1.])
    """

    keras_keeps = "Keras keeps gamma, beta, moving mean, moving variance."

    def __init__(
        self,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        dtype: str = "float64",
        name: str | None = None,
    ) -> None:
        super().__init__(dtype, name)
        if not 0 <= momentum < 1 or not epsilon > 0:
            raise ValueError(
                f"BatchNormalization: received momentum {momentum!r} and epsilon {epsilon!r}, "
                "expected a momentum from 0 to less than 1 and a small positive epsilon."
            )
        self.momentum, self.epsilon = momentum, epsilon
        self.center, self.scale = center, scale
        self.n_weights = 2 + center + scale

    def shapes(self, n_in: int) -> dict[str, tuple[int, ...]]:
        """One number a channel each: `gamma`, `beta`, `moving_mean`, `moving_variance`."""
        names = ["gamma"] * self.scale + ["beta"] * self.center
        return dict.fromkeys([*names, "moving_mean", "moving_variance"], (n_in,))

    def starts(self, n_in: int) -> list[Any]:
        """Ones for what multiplies, zeros for what adds."""
        ones = ("gamma", "moving_variance")
        return [np.ones(n_in) if name in ones else np.zeros(n_in) for name in self.shapes(n_in)]

    @property
    def trainable_variables(self) -> list[Variable]:
        """`[gamma, beta]`; the moving averages are measured, not trained."""
        return self.variables[:-2]

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse other channels than at first; the first call makes the weights."""
        if len(shape) < 2:
            raise ValueError(
                f"{self.name}: received a batch of shape {shape}, expected (n, ..., channels). "
                "Put one example in a row, x[None]."
            )
        if not self.built:
            self.build(shape[-1])
        channels = self.variables[0].size
        if shape[-1] != channels:
            raise ValueError(
                f"{self.name}: received {shape[-1]} channels (shape {shape}), expected {channels}, "
                "as when the layer was built. Channels are the last axis."
            )

    def forward(self, x: Tensor, *weights: Tensor, training: bool) -> Tensor:
        """The same shape; mean and variance are functions of the batch, so they are on the tape."""
        moving_mean, moving_variance = self.variables[-2:]
        rest = list(weights)
        if training:
            over = tuple(range(x.ndim - 1))
            mean = x.mean(axis=over)
            variance = ops.square(x - mean).mean(axis=over)
            self._follow(moving_mean, mean)
            self._follow(moving_variance, variance)
        else:
            mean, variance = ops.stop_gradient(moving_mean), ops.stop_gradient(moving_variance)
        normal = (x - mean) / ops.sqrt(variance + self.epsilon)
        normal = normal * rest.pop(0) if self.scale else normal
        return normal + rest.pop(0) if self.center else normal

    def _follow(self, moving: Variable, batch: Tensor) -> None:
        moving.value = self.momentum * moving.value + (1 - self.momentum) * batch.value
