"""A recurrent network that reads a folded light curve point by point, from both ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

__all__ = ["MaskedExtremes", "light_curve_network"]


@keras.saving.register_keras_serializable(package="firstlight")
class MaskedExtremes(layers.Layer):
    """The largest value of each feature over the points that are there, whatever is padding.

    Shape (n, points, features) in, (n, features) out.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Pools over the points.

        Args:
            inputs: Shape (n, points, features).
            mask: True for a point, (n, points); None if all are.
        """
        if mask is not None:
            there = keras.ops.expand_dims(keras.ops.cast(mask, inputs.dtype), -1)
            inputs = inputs * there - 1e4 * (1 - there)
        return keras.ops.max(inputs, axis=1)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """There is no padding any more."""
        return None

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """Without the points."""
        return (input_shape[0], input_shape[-1])


def light_curve_network(
    channels: int,
    units: Sequence[int] = (24,),
    dense: Sequence[int] = (32,),
    dropout: float = 0.0,
) -> keras.Model:
    """Bidirectional GRUs over the points of a curve, pooled, and one question at the end.

    After Dekany & Grebel (2020), who take LSTMs. A point whose channels are all zero is padding:
    no layer sees it.

    Args:
        channels: Numbers that describe a point.
        units: Of each recurrent layer, in each direction.
        dense: Widths of the layers that follow.
        dropout: Share of the pooled features dropped while training.

    Returns:
        A model from curves (n, points, channels) to probabilities (n, 1).

    Example:
        >>> light_curve_network(3, units=(4,), dense=(8,)).output_shape
        (None, 1)
    """
    curve = keras.Input((None, channels), name="curve")
    x = layers.Masking(0.0, name="padding")(curve)
    for number, width in enumerate(units):
        cell = layers.GRU(width, return_sequences=True)
        x = layers.Bidirectional(cell, name=f"both_ways_{number}")(x)
    mean = layers.GlobalAveragePooling1D(name="mean")(x)
    most = MaskedExtremes(name="most")(x)
    x = layers.Concatenate(name="features")([mean, most])
    x = layers.Dropout(dropout, name="dropout")(x)
    for number, width in enumerate(dense):
        x = layers.Dense(width, activation="relu", name=f"dense_{number}")(x)
    return keras.Model(curve, layers.Dense(1, activation="sigmoid", name="rrab")(x))
