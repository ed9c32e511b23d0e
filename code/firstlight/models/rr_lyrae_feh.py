"""Metallicity from the shape of a light curve: two convolutions, then a recurrent layer both ways.

Dekany & Grebel (2022, ApJS 261, 33) stack two bidirectional recurrent layers. Recurrence is paid
for step by step; two small convolutions in front shorten the curve threefold and cost little.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

__all__ = ["CHANNELS", "FLOOR", "gaussian_loss", "metallicity_network"]

CHANNELS = 7
FLOOR = 0.05  # smallest standard deviation, in units of the labels' own spread


def metallicity_network(
    points: int, filters: int = 32, units: int = 16, stride: int = 3, dropout: float = 0.1
) -> keras.Model:
    """A network from folded light curves to a mean and a standard deviation.

    Args:
        points: Of each curve, which goes round again where it has fewer.
        filters: Of both convolutions.
        units: Of the gated recurrent layer, in each direction.
        stride: Of the second convolution; the recurrent layer walks `points / stride` steps.
        dropout: Share of the pooled numbers that are dropped while training.

    Returns:
        A model from (n, points, 7) to (n, 2): mean and standard deviation of the label, both in
        units of the labels' spread, the second positive.

    Raises:
        ValueError: If a curve has fewer points than the stride.

    Example:
        >>> metallicity_network(12, filters=4, units=2).output_shape
        (None, 2)
    """
    if points < stride:
        raise ValueError(f"points: received {points}, expected at least the stride, {stride}.")
    curve = keras.Input((points, CHANNELS), name="curve")
    x = layers.Conv1D(filters, 5, padding="same", activation="gelu")(curve)
    x = layers.Conv1D(filters, stride + 1, strides=stride, padding="same", activation="gelu")(x)
    x = layers.Bidirectional(layers.GRU(units, return_sequences=True))(x)
    x = layers.GlobalAveragePooling1D()(x)
    x = layers.Dropout(dropout)(x)
    x = layers.Dense(32, activation="gelu")(x)
    mean = layers.Dense(1, name="mean")(x)
    sigma = layers.Dense(1, activation="softplus", name="sigma")(x)
    return keras.Model(curve, layers.Concatenate()([mean, sigma]), name="metallicity")


def gaussian_loss(y_true: Any, y_pred: Any) -> Any:
    """Negative log-likelihood of a normal distribution whose width the network states itself.

    Args:
        y_true: Labels, shape (n, 1).
        y_pred: Mean and standard deviation, shape (n, 2).

    Returns:
        Mean over the stars, in nats, without the constant.

    Example:
        >>> round(float(gaussian_loss(ops.ones((1, 1)), ops.array([[1.0, 0.95]]))), 6)
        0.0
    """
    sigma = y_pred[:, 1:] + FLOOR
    pull = (y_true - y_pred[:, :1]) / sigma
    return ops.mean(ops.log(sigma) + 0.5 * pull**2)
