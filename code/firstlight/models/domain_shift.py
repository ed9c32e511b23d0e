"""A small network for galaxies of any survey, with a place where features can be aligned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from firstlight.layers.domain_alignment import DomainCritic, MomentAlignment

__all__ = ["ALIGNMENTS", "copy_weights", "feature_model", "survey_cnn"]

ALIGNMENTS = ("none", "mmd", "coral", "adversarial")


def survey_cnn(
    size: int = 32,
    widths: Sequence[int] = (16, 32, 64),
    features: int = 32,
    *,
    align: str = "none",
    weight: float = 1.0,
    critic_units: int = 32,
) -> keras.Model:
    """Convolutions, a mean over the image, a few features, and one probability.

    Args:
        size: Side of the images in pixels.
        widths: Filters of each stage; every stage halves the image.
        features: Length of the feature vector, on which surveys are compared.
        align: `"none"`, `"mmd"`, `"coral"` or `"adversarial"`: what is added to the loss. A
            batch must then hold the survey with labels in its first half.
        weight: Factor on what is added.
        critic_units: Hidden units of the adversary.

    Returns:
        A model from stretched images `(n, size, size, 3)` to probabilities `(n, 1)`.

    Raises:
        ValueError: If the alignment is unknown.

    Example:
        >>> survey_cnn(16, widths=(4, 8), features=4).output_shape
        (None, 1)
    """
    if align not in ALIGNMENTS:
        raise ValueError(f"align: received {align!r}, expected one of {', '.join(ALIGNMENTS)}.")
    images = keras.Input((size, size, 3), name="images")
    x: Any = images
    for stage, filters in enumerate(widths):
        kernel = 5 if stage == 0 else 3
        x = layers.Conv2D(filters, kernel, strides=2, padding="same", use_bias=False,
                          name=f"conv_{stage}")(x)  # fmt: skip
        x = layers.BatchNormalization(momentum=0.95, name=f"norm_{stage}")(x)
        x = layers.ReLU()(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(features, activation="relu", name="features")(x)
    if align == "adversarial":
        x = DomainCritic(critic_units, weight, strength=0.0, name="critic")(x)
    elif align != "none":
        x = MomentAlignment(align, weight, name="alignment")(x)
    p = layers.Dense(1, activation="sigmoid", name="late")(x)
    return keras.Model(images, p, name=f"survey_cnn_{align}")


def feature_model(model: keras.Model) -> keras.Model:
    """The same network up to its feature vector, sharing its weights.

    Args:
        model: From `survey_cnn`.
    """
    return keras.Model(model.input, model.get_layer("features").output)


def copy_weights(source: keras.Model, target: keras.Model) -> keras.Model:
    """Give a network the weights of another that may lack its alignment.

    Args:
        source: From `survey_cnn`.
        target: From `survey_cnn` with the same size, widths and features.

    Returns:
        The target.

    Raises:
        ValueError: If a layer of the source has other shapes in the target.
    """
    for layer in source.layers:
        if not layer.weights or layer.name in ("critic", "alignment"):
            continue
        twin = target.get_layer(layer.name)
        if [tuple(w.shape) for w in twin.weights] != [tuple(w.shape) for w in layer.weights]:
            raise ValueError(
                f"copy_weights: received a layer {layer.name!r} of other shapes, expected the same "
                "size, widths and features. Build both with the same settings."
            )
        twin.set_weights(layer.get_weights())
    return target
