"""A step of a least-squares fit as a layer: slopes of the decoder turn a guess into an estimate."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

__all__ = ["GaussNewton", "slopes"]

STEP = 0.01  # of the differences: truncation and rounding in float32 are both near 1e-4


def slopes(decoder: Any, parameters: Any, step: float = STEP) -> tuple[Any, Any]:
    """What a decoder draws, and the derivatives of each pixel in its numbers.

    Args:
        decoder: A layer from (n, p) to (n, side, side, 1). Its own method `slopes` is used if it
            has one; otherwise differences over two steps to either side, right to fourth order.
        parameters: Shape (n, p).
        step: Of the differences.

    Returns:
        Images, shape (n, side, side, 1), and slopes, shape (n, side, side, p).
    """
    if hasattr(decoder, "slopes"):
        return decoder.slopes(parameters)
    columns = []
    for k in range(parameters.shape[1]):
        one = step * ops.one_hot(ops.full((1,), k, dtype="int32"), parameters.shape[1])
        near = decoder(parameters + one) - decoder(parameters - one)
        far = decoder(parameters + 2 * one) - decoder(parameters - 2 * one)
        columns.append((8 * near - far) / (12 * step))
    return decoder(parameters), ops.concatenate(columns, axis=-1)


@keras.saving.register_keras_serializable("firstlight")
class GaussNewton(keras.layers.Layer):
    """Move a guess to where the linearized decoder fits the image best.

    With slopes J of the picture f at the guess and noise that is the same in every pixel, the sum
    of squares of x - f - J d is least for d = (J^T J)^-1 J^T (x - f). From a guess within a few
    standard errors one such step gives an estimate as good as the best fit (R. A. Fisher's method
    of scoring). It has no weights, and gradients pass through it.

    Args:
        decoder: See `slopes`.
        steps: How many.
        ridge: Share by which the diagonal of J^T J is raised, so that it can always be inverted.
        longest: No number is moved by more than this in one step.

    Input: a list of images (n, side, side, 1) and guesses (n, p).
    Output shape: `(n, p)`.

    Example:
        >>> from firstlight.layers.sersic import ExponentialDisk
        >>> import numpy as np
        >>> disk, truth = ExponentialDisk(16), np.array([[-4.0, 0.5, 0.2]], "float32")
        >>> found = GaussNewton(disk, steps=3)([disk(truth), truth + 0.1])
        >>> bool(np.allclose(found, truth, atol=1e-3))
        True
    """

    def __init__(
        self, decoder: Any, steps: int = 1, ridge: float = 1e-5, longest: float = 0.5, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if not (steps >= 1 and ridge >= 0 and longest > 0):
            raise ValueError(
                f"steps, ridge, longest: received {steps}, {ridge}, {longest}; expected 1 or "
                "more, 0 or more, and above 0."
            )
        self.decoder, self.steps, self.ridge, self.longest = decoder, steps, ridge, longest

    def build(self, input_shape: Any) -> None:
        """Build the decoder."""
        if not self.decoder.built:
            self.decoder.build(input_shape[1])

    def call(self, inputs: Any) -> Any:
        """Estimates of shape `(n, p)`."""
        images, guess = inputs
        for _ in range(self.steps):
            drawn, slope = slopes(self.decoder, guess)
            slope = ops.reshape(slope, (-1, slope.shape[1] * slope.shape[2], slope.shape[3]))
            rest = ops.reshape(images - drawn, (-1, slope.shape[1], 1))
            across = ops.transpose(slope, (0, 2, 1))
            normal = ops.matmul(across, slope)
            size = ops.sum(normal * ops.eye(slope.shape[2]), axis=1, keepdims=True)
            normal = normal + ops.eye(slope.shape[2]) * (self.ridge * size + 1e-12)
            move = ops.solve(normal, ops.matmul(across, rest))[:, :, 0]
            guess = guess + ops.clip(move, -self.longest, self.longest)
        return guess

    def compute_output_shape(self, input_shape: Any) -> Any:
        """As the guesses."""
        return input_shape[1]

    def get_config(self) -> dict[str, Any]:
        """What `from_config` makes the same layer from."""
        own = {"decoder": keras.saving.serialize_keras_object(self.decoder), "steps": self.steps,
               "ridge": self.ridge, "longest": self.longest}  # fmt: skip
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> GaussNewton:
        """The layer of `get_config`."""
        decoder = keras.saving.deserialize_keras_object(config["decoder"])
        return cls(**{**config, "decoder": decoder})
