"""A generator that refines Gaussian fields into slices of the cosmic web, and its critic.

Rodriguez et al. (2018, Comput. Astrophys. Cosmol. 5, 4) let a network draw slices from a vector of
random numbers. This one begins with a field that has the right spectrum and the right histogram
already, the web without learning of `evaluation.mapped_fields`, and learns what is wrong with it.
All convolutions continue beyond the edges, for the slices are periodic.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from firstlight.layers.periodic import GaussianField, LogPower, Lookup, WrapPadding

__all__ = ["SCORE_LIMIT", "TABLE", "set_field", "web_critic", "web_generator"]

SCORE_LIMIT = 4.8  # as `evaluation.mapped_fields.LIMIT`
TABLE = 193  # entries, as `evaluation.mapped_fields.SCORES`
_SLOPE = 0.2  # of the leaky units below zero


def web_generator(
    pixels: int = 64, channels: int = 8, blocks: int = 2, extra: int = 1
) -> keras.Model:
    """From white noise to the logarithm of the density.

    The first channel of the noise becomes a Gaussian field with a given spectrum; a small U-shaped
    network adds a change to it, fed by the other channels at both of its scales; a table maps the
    sum to log densities. The last convolution begins with zeros: an untrained generator draws
    mapped Gaussian fields, no more and no less.

    Args:
        pixels: Along a side, even.
        channels: Of the convolutions on full maps; those on halved maps have twice as many.
        blocks: Residual blocks on halved maps.
        extra: Further channels of noise, for what the field leaves open.

    Returns:
        A model from noise (n, pixels, pixels, 1 + extra) to log densities (n, pixels, pixels, 1).

    Raises:
        ValueError: If the pixels are odd, or a number is too small.

    Example:
        >>> web_generator(16, channels=4, blocks=1).output_shape
        (None, 16, 16, 1)
    """
    if pixels % 2 or pixels < 8 or channels < 1 or blocks < 0 or extra < 1:
        raise ValueError(
            f"web_generator: received pixels={pixels}, channels={channels}, blocks={blocks}, "
            f"extra={extra}; expected an even number of 8 pixels or more, and at least 1, 0 and 1."
        )
    noise = keras.Input((pixels, pixels, 1 + extra), name="noise")
    field = GaussianField(name="field")(noise[..., :1])
    free = noise[..., 1:]
    fine = _convolve(layers.Concatenate()([field, free]), channels, 5)
    x = _convolve(fine, 2 * channels, 4, strides=2)
    pooled = layers.Rescaling(2.0)(layers.AveragePooling2D(2)(free))  # of variance 1 again
    x = layers.Concatenate()([x, pooled])
    for _ in range(blocks):
        change = _convolve(_convolve(x, 2 * channels, 3), x.shape[-1], 3, bend=False)
        x = layers.Add()([x, change])
    x = layers.Concatenate()([fine, layers.UpSampling2D(2)(x)])
    x = _convolve(x, channels, 3)
    change = _convolve(x, 1, 3, bend=False, kernel_initializer="zeros", name="change")
    scores = layers.Add(name="scores")([field, change])
    log_density = Lookup(-SCORE_LIMIT, SCORE_LIMIT, TABLE, name="histogram")(scores)
    return keras.Model(noise, log_density, name="web_generator")


def set_field(generator: keras.Model, power: Any, log_density: Any) -> keras.Model:
    """Give a generator the field it begins with: spectrum and histogram of the data.

    Args:
        generator: From `web_generator`.
        power: Mean square of each wave, shape (pixels, pixels), as `GaussianField.set_power`.
        log_density: Log density at `TABLE` evenly spaced scores, as `Lookup.set_table`.

    Returns:
        The same generator.
    """
    generator.get_layer("field").set_power(power)
    generator.get_layer("histogram").set_table(log_density)
    return generator


def web_critic(
    pixels: int = 64,
    widths: Sequence[int] = (12, 24, 48),
    rings: Sequence[float] = (),
    power_mean: Any = 0.0,
    power_std: Any = 1.0,
) -> keras.Model:
    """One number that is large where slices are like the simulated ones.

    Args:
        pixels: Along a side, divisible by 2 for each width.
        widths: Channels of the convolutions, each of which halves the map.
        rings: Edges of rings of wavenumber, in waves along the side, whose log power the critic
            sees as well; none by default.
        power_mean: Mean log power of the data in each ring, from which it is measured.
        power_std: Its scatter, in units of which it is measured.

    Returns:
        A model from log densities (n, pixels, pixels, 1) to numbers (n, 1). Its last layer sees
        every place by itself: a critic that only sees means over the map lets the training
        diverge.

    Raises:
        ValueError: If the pixels cannot be halved so often.
    """
    if not widths or pixels % 2 ** len(widths):
        raise ValueError(
            f"web_critic: received pixels={pixels} for {len(widths)} widths, expected one width or "
            "more, and a side that can be halved as often."
        )
    log_density = keras.Input((pixels, pixels, 1), name="log_density")
    x = layers.Rescaling(1.0, offset=0.6)(log_density)  # the median density is half the mean
    for width in widths:
        x = _convolve(x, width, 4, strides=2)
    features = [layers.Flatten()(x)]
    if len(rings):
        density = layers.Activation(ops.exp)(log_density)
        scale = 1 / np.broadcast_to(np.asarray(power_std, float), (len(rings) - 1,))
        power = layers.Rescaling(scale.tolist(), (-scale * power_mean).tolist())(
            LogPower(rings)(density)
        )
        features += [power, layers.LeakyReLU(_SLOPE)(layers.Dense(16)(power))]
    return keras.Model(
        log_density, layers.Dense(1, name="score")(layers.Concatenate()(features) if len(rings)
                                                   else features[0]), name="web_critic",
    )  # fmt: skip


def _convolve(
    x: Any, filters: int, kernel: int, *, strides: int = 1, bend: bool = True, **kwargs: Any
) -> Any:
    """A convolution of a periodic map, and a leaky unit."""
    x = WrapPadding((kernel - 1) // 2)(x)
    kwargs.setdefault("kernel_initializer", "he_normal")
    x = layers.Conv2D(filters, kernel, strides=strides, **kwargs)(x)
    return layers.LeakyReLU(_SLOPE)(x) if bend else x
