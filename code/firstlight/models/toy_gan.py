"""The smallest players: two perceptrons for examples that are points in a plane."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

__all__ = ["toy_critic", "toy_generator"]


def toy_generator(latent: int = 2, width: int = 64, depth: int = 2, labels: int = 0) -> keras.Model:
    """From noise to points.

    Args:
        latent: Numbers of noise.
        width: Units of a hidden layer.
        depth: Hidden layers.
        labels: Kinds of points, if the generator is told which to draw: the kind, one number for
            each, follows the noise in the input and the coordinates in the output.

    Returns:
        A model from (n, latent + labels) to (n, 2 + labels).

    Raises:
        ValueError: If a number is too small.

    Example:
        >>> toy_generator(3, width=8, labels=4).output_shape
        (None, 6)
    """
    _check("toy_generator", latent=latent, width=width, depth=depth)
    given = keras.Input((latent + labels,), name="noise")
    points = layers.Dense(2, name="points")(_hidden(given, width, depth))
    out = layers.Concatenate()([points, given[:, latent:]]) if labels else points
    return keras.Model(given, out, name="toy_generator")


def toy_critic(width: int = 64, depth: int = 2, labels: int = 0) -> keras.Model:
    """From points to a number: large for real ones.

    Args:
        width: Units of a hidden layer.
        depth: Hidden layers.
        labels: As for `toy_generator`; the critic sees the kind beside the point.

    Returns:
        A model from (n, 2 + labels) to (n, 1).

    Raises:
        ValueError: If a number is too small.
    """
    _check("toy_critic", width=width, depth=depth)
    given = keras.Input((2 + labels,), name="points")
    return keras.Model(given, layers.Dense(1)(_hidden(given, width, depth)), name="toy_critic")


def _hidden(x: Any, width: int, depth: int) -> Any:
    for _ in range(depth):
        x = layers.LeakyReLU(0.2)(layers.Dense(width, kernel_initializer="he_normal")(x))
    return x


def _check(where: str, **numbers: int) -> None:
    for name, value in numbers.items():
        if value < 1:
            raise ValueError(f"{where}: received {name}={value}, expected 1 or more.")
