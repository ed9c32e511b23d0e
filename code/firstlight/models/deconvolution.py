"""A U-net that sharpens galaxies, and a critic that tells sharpened ones from sharp ones."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

__all__ = ["adversarial_pair", "patch_critic", "restoration_unet"]


def _convolutions(x: Any, filters: int) -> Any:
    for _ in range(2):
        x = layers.Conv2D(filters, 3, padding="same")(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    return x


def restoration_unet(size: int = 64, width: int = 16, levels: int = 3) -> keras.Model:
    """A U-net from blurred to sharp images, both stretched; it learns what to add.

    A shrunken pix2pix generator (Isola et al. 2017; Schawinski et al. 2017): steps down, steps
    up, a bridge at every scale. The last convolution begins at zero, so the network begins by
    handing the blurred image on.

    Args:
        size: Pixels on a side; 2^levels must divide it.
        width: Filters at full size; each level down has twice as many.
        levels: Steps down.

    Returns:
        A model from `(n, size, size, 1)` to the same shape.

    Raises:
        ValueError: If the size cannot be halved so often.

    Example:
        >>> restoration_unet(16, 4, 2).output_shape
        (None, 16, 16, 1)
    """
    if levels < 1 or size % 2**levels:
        raise ValueError(
            f"restoration_unet: received size={size}, levels={levels}; expected 1 level or more, "
            f"and a side that can be halved as often, such as {2 ** max(levels, 1) * 4}."
        )
    blurred = keras.Input((size, size, 1), name="blurred")
    x: Any = blurred
    bridges = []
    for level in range(levels):
        x = _convolutions(x, width * 2**level)
        bridges.append(x)
        x = layers.AveragePooling2D(2)(x)
    x = _convolutions(x, width * 2**levels)
    for level in reversed(range(levels)):
        x = layers.UpSampling2D(2)(x)
        x = layers.Concatenate()([x, bridges[level]])
        x = _convolutions(x, width * 2**level)
    change = layers.Conv2D(1, 1, kernel_initializer="zeros", name="change")(x)
    return keras.Model(blurred, layers.Add(name="sharp")([blurred, change]), name="restoration")


def patch_critic(size: int = 64, width: int = 16, levels: int = 3) -> keras.Model:
    """Is each patch of a sharp image a real one, given the blurred image beside it?

    Args:
        size: Pixels on a side.
        width: Filters of the first convolution; each of the next has twice as many.
        levels: Convolutions of stride 2.

    Returns:
        A model from `[blurred, sharp]`, each `(n, size, size, 1)`, to logits
        `(n, size / 2^levels, size / 2^levels, 1)`: positive for real.

    Raises:
        ValueError: If the size cannot be halved so often.

    Example:
        >>> patch_critic(16, 4, 2).output_shape
        (None, 4, 4, 1)
    """
    if levels < 1 or size % 2**levels:
        raise ValueError(
            f"patch_critic: received size={size}, levels={levels}; expected 1 level or more, and "
            "a side that can be halved as often."
        )
    inputs = [keras.Input((size, size, 1), name=name) for name in ("condition", "candidate")]
    x: Any = layers.Concatenate()(inputs)
    for level in range(levels):
        x = layers.Conv2D(width * 2**level, 4, strides=2, padding="same")(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    return keras.Model(inputs, layers.Conv2D(1, 3, padding="same")(x), name="critic")


def adversarial_pair(generator: keras.Model, critic: keras.Model) -> keras.Model:
    """The generator with a critic behind it that does not learn: what the generator trains in.

    Args:
        generator: From `restoration_unet`.
        critic: Its layers are frozen; give a copy, and bring it up to date with `set_weights`.

    Returns:
        A model from blurred images to `[sharp, logits]`.
    """
    critic.trainable = False
    blurred = keras.Input(generator.input_shape[1:])
    sharp = generator(blurred)
    return keras.Model(blurred, [sharp, critic([blurred, sharp])], name="adversarial")
