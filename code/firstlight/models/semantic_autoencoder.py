"""Autoencoders whose decoder is physics: the numbers in the middle must mean what it draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import ArrayLike, NDArray

from firstlight.layers.scoring import GaussNewton

__all__ = ["ShapeFromAngle", "autoencoder", "dense_encoder", "from_shape", "paper_encoder",
           "pixel_loss", "refined", "to_shape"]  # fmt: skip

SCALES, ELLIPTICITIES = (0.01, 0.05), (0.2, 0.75)  # of Aragon-Calvo & Carvajal (2020)


def to_shape(parameters: ArrayLike) -> NDArray[np.float64]:
    """The paper's three numbers from the decoder's.

    Args:
        parameters: log_scale (of the geometric mean), eta_1 and eta_2, shape (n, 3).

    Returns:
        Scale along the major axis, ellipticity 1 - b/a, and position angle in degrees from 0
        to 180, shape (n, 3).

    Example:
        >>> to_shape([[np.log(0.02), 0.0, np.log(4.0)]]).round(3).tolist()
        [[0.04, 0.75, 45.0]]
    """
    log_scale, eta_1, eta_2 = np.asarray(parameters, float).T
    eta = np.hypot(eta_1, eta_2)
    angle = np.degrees(np.arctan2(eta_2, eta_1)) / 2
    return np.stack([np.exp(log_scale + eta / 2), 1 - np.exp(-eta), angle % 180], axis=1)


def from_shape(shape: ArrayLike) -> NDArray[np.float64]:
    """The decoder's three numbers from the paper's: the inverse of `to_shape`.

    Args:
        shape: Scale, ellipticity and angle in degrees, shape (n, 3).

    Returns:
        log_scale, eta_1 and eta_2, shape (n, 3).

    Raises:
        ValueError: If a scale is not positive or an ellipticity is not between 0 and 1.
    """
    scale, ellipticity, angle = np.asarray(shape, float).T
    if not ((scale > 0).all() and (ellipticity >= 0).all() and (ellipticity < 1).all()):
        raise ValueError(
            f"shape: received scales from {scale.min():.3g} and ellipticities from "
            f"{ellipticity.min():.3g} to {ellipticity.max():.3g}; expected positive scales, and "
            "1 - b/a from 0 to below 1."
        )
    eta, twice = -np.log1p(-ellipticity), np.radians(2 * angle)
    return np.stack([np.log(scale) - eta / 2, eta * np.cos(twice), eta * np.sin(twice)], axis=1)


@keras.saving.register_keras_serializable("firstlight")
class ShapeFromAngle(layers.Layer):
    """The paper's way to say a shape: three numbers from 0 to 1, of which one is an angle.

    They stand for the scale, the ellipticity and the angle over 180 degrees, each along its
    range. Just below one and just above zero the angle is the same and the number is not.

    Input shape: `(n, 3)`. Output shape: `(n, 3)`: log_scale, eta_1, eta_2.
    """

    def call(self, numbers: Any) -> Any:
        """What the decoder takes."""
        low, high = zip(SCALES, ELLIPTICITIES, strict=True)
        scale = low[0] + (high[0] - low[0]) * numbers[:, 0]
        eta = -ops.log(1 - low[1] - (high[1] - low[1]) * numbers[:, 1])
        twice = float(2 * np.pi) * numbers[:, 2]
        parts = [ops.log(scale) - eta / 2, eta * ops.cos(twice), eta * ops.sin(twice)]
        return ops.stack(parts, axis=1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of the input."""
        return input_shape


def paper_encoder(size: int = 64, filters: Sequence[int] = (32, 64, 128)) -> keras.Model:
    """The encoder of Aragon-Calvo & Carvajal (2020, MNRAS 498, 3713), angle and all.

    Args:
        size: Pixels on a side, a multiple of 8.
        filters: Of each pair of convolutions, which a pooling follows.

    Returns:
        A model from (n, size, size, 1) to log_scale, eta_1, eta_2.
    """
    image = keras.Input((size, size, 1), name="image")
    x = image
    for width in filters:
        for _ in range(2):
            x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Flatten()(x)
    for units in (64, 32, 3):
        x = layers.Dense(units, activation="sigmoid")(x)
    return keras.Model(image, ShapeFromAngle(name="shape")(x), name="paper_encoder")


def dense_encoder(
    size: int,
    center: Sequence[float],
    spread: Sequence[float],
    *,
    binning: int = 2,
    widths: Sequence[int] = (256, 256, 128),
    soft: float | None = None,
) -> keras.Model:
    """A plain network on binned pixels: enough, where the galaxy stands in the middle.

    Args:
        size: Pixels on a side.
        center: What the network says before training, one number each.
        spread: In units of which its last layer speaks, one number each.
        binning: Pixels on a side that are averaged into one.
        widths: Units of the hidden layers.
        soft: Compress the pixels by arcsinh(x / soft) first; None leaves them.

    Returns:
        A model from (n, size, size, 1) to (n, len(center)).

    Raises:
        ValueError: If the binning does not divide the size, or the spreads are not as many.

    Example:
        >>> dense_encoder(16, (0, 0), (1, 1), widths=(8,)).output_shape
        (None, 2)
    """
    if size % binning or len(center) != len(spread):
        raise ValueError(
            f"binning, center, spread: received {binning} for {size} pixels, {len(center)} and "
            f"{len(spread)} numbers; expected a divisor of the size, and as many of both."
        )
    image = keras.Input((size, size, 1), name="image")
    x = layers.AveragePooling2D(binning)(image) if binning > 1 else image
    x = layers.Flatten()(x)
    if soft is not None:
        x = ops.arcsinh(x / soft)
    for units in widths:
        x = layers.Dense(units, activation="gelu")(x)
    x = layers.Dense(len(center), kernel_initializer="zeros")(x)
    x = x * np.asarray(spread, np.float32) + np.asarray(center, np.float32)
    return keras.Model(image, x, name="dense_encoder")


def refined(encoder: keras.Model, decoder: Any, steps: int = 1) -> keras.Model:
    """An encoder whose last layer is a step of a fit through the decoder.

    Args:
        encoder: From images to the decoder's numbers.
        decoder: The layer that draws them.
        steps: How many; more than one makes up for a bad guess.

    Returns:
        A model of the same input and output; it shares the encoder's weights and adds none.
    """
    image = keras.Input(encoder.input_shape[1:], name="image")
    numbers = GaussNewton(decoder, steps)([image, encoder(image)])
    return keras.Model(image, numbers, name="refined")


def autoencoder(
    encoder: keras.Model, decoder: Any, noise: float, target: str = "noisy"
) -> keras.Model:
    """From the numbers of a simulated galaxy to the misfit of its reconstruction.

    The decoder draws the numbers, noise is added while training, the encoder looks, the decoder
    draws what the encoder said. So every step sees fresh noise. The numbers are used to draw and
    for nothing else: what is compared are pictures.

    Args:
        encoder: From images to the decoder's numbers.
        decoder: The layer that draws them.
        noise: Standard deviation of a pixel.
        target: `"noisy"` compares with the image that the encoder saw (no truth is needed), and
            `"clean"` with the one before the noise (the paper's way; only a simulation has it).

    Returns:
        A model from (n, p) to the mean squared residual over the variance of the noise, (n, 1).

    Raises:
        ValueError: If the target is unknown.
    """
    if target not in ("noisy", "clean"):
        raise ValueError(f"target: received {target!r}, expected 'noisy' or 'clean'.")
    numbers = keras.Input((encoder.output_shape[1],), name="numbers")
    clean = decoder(numbers)
    seen = layers.GaussianNoise(noise, name="noise")(clean)
    again = decoder(encoder(seen))
    goal = seen if target == "noisy" else clean
    misfit = ops.mean((again - goal) ** 2, axis=(1, 2)) / noise**2
    return keras.Model(numbers, misfit, name="semantic_autoencoder")


def pixel_loss(misfit: float) -> Any:
    """The logarithm of the misfit, so that no galaxy drowns the others.

    A bright galaxy drawn wrong costs a thousand times as much as one drawn nearly right. The
    logarithm lets each count for its *relative* misfit, down to a floor where noise rules.

    Args:
        misfit: The floor: for a clean target the share of the numbers among the pixels, p / N;
            for a noisy one zero, since the noise is a floor already.

    Returns:
        A Keras loss of targets (ignored) and misfits.
    """

    def loss(_: Any, found: Any) -> Any:
        return ops.log(found + misfit)

    return loss

