"""A layer that does nothing on the way forward and changes the sign on the way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

__all__ = ["GradientReversal", "reversal_schedule"]


def reversal_schedule(progress: float, steepness: float = 10.0) -> float:
    """Strength of the reversal over a training: nothing at first, while the critic learns.

    Args:
        progress: Share of the steps taken, from 0 to 1.
        steepness: Of the rise.

    Returns:
        2 / (1 + exp(-steepness progress)) - 1, from 0 to nearly 1 (Ganin et al. 2016,
        JMLR 17, 59).

    Raises:
        ValueError: If the progress is not from 0 to 1.

    Example:
        >>> reversal_schedule(0.0)
        0.0
    """
    if not 0 <= progress <= 1:
        raise ValueError(f"progress: received {progress}, expected a share of steps, 0 to 1.")
    return float(2 / (1 + np.exp(-steepness * progress)) - 1)


@keras.saving.register_keras_serializable("firstlight")
class GradientReversal(keras.layers.Layer):
    """The identity, whose gradient is multiplied by minus `strength`.

    What comes after it learns to tell two surveys apart. What comes before it is driven the
    other way, toward features from which they cannot be told (Ganin et al. 2016, JMLR 17, 59).

    Args:
        strength: Factor on the reversed gradient; 0 cuts the gradient off. It is a variable,
            so `layer.strength.assign(value)` changes it while training.

    Input shape: any. Output shape: the same.

    Raises:
        ValueError: If the strength is negative or not finite.

    Example:
        >>> GradientReversal(2.0)(keras.ops.ones((1, 3))).shape  # doctest: +SKIP
        TensorShape([1, 3])
    """

    def __init__(self, strength: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= strength < float("inf"):
            raise ValueError(
                f"strength: received {strength}, expected 0 or more. The sign is changed already."
            )
        self.start = float(strength)
        self.strength = self.add_weight(
            shape=(), initializer=keras.initializers.Constant(self.start), trainable=False,
            name="strength",
        )  # fmt: skip

    def call(self, x: Any) -> Any:
        """The input, unchanged."""
        # (1 + s) x - s x, of which the gradient sees the second term only: no backend is named.
        s = ops.cast(ops.stop_gradient(self.strength), x.dtype)
        return ops.stop_gradient((1 + s) * x) - s * x

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """The shape of the input."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """For saving."""
        return {**super().get_config(), "strength": self.start}
