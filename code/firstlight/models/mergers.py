"""Networks that tell mergers from other galaxies: from nothing, from Galaxy Zoo, from ImageNet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from firstlight.models.galaxy_zoo import FRAME, residual_features

__all__ = ["copy_features", "imagenet_features", "merger_cnn", "merger_head"]


def merger_head(features: Any, dropout: float = 0.0) -> Any:
    """Probability of a merger from the mean features of a network, shape (n, 1)."""
    x = layers.Dropout(dropout, name="merger_dropout")(features)
    return layers.Dense(1, activation="sigmoid", name="merger")(x)


def merger_cnn(
    size: int = 64,
    widths: Sequence[int] = (24, 48, 96, 192),
    depths: Sequence[int] = (1, 1, 1, 1),
    dropout: float = 0.0,
) -> keras.Model:
    """The features of the Galaxy Zoo network, with another question at the end.

    Args:
        size: Side of the images in pixels. The Galaxy Zoo network cuts a frame off; here it is
            put on first, so that tails at the edge are kept.
        widths: See `models.galaxy_zoo.residual_features`.
        depths: The same.
        dropout: Share of the features dropped while training.

    Returns:
        A model from stretched images (n, size, size, 3) to probabilities (n, 1).

    Example:
        >>> merger_cnn(32, widths=(4, 8), depths=(0, 0)).output_shape
        (None, 1)
    """
    images = keras.Input((size, size, 3), name="images")
    x = residual_features(layers.ZeroPadding2D(FRAME)(images), widths, depths)
    return keras.Model(images, merger_head(x, dropout), name="merger_cnn")


def copy_features(source: keras.Model, target: keras.Model) -> keras.Model:
    """Give the convolutional features of one network to another: the transfer.

    Args:
        source: A `galaxy_cnn` with its weights.
        target: A `merger_cnn` of the same widths and depths; its head is left alone.

    Returns:
        The target.

    Raises:
        ValueError: If the features of the two differ in number or shape.
    """
    kinds = (layers.Conv2D, layers.BatchNormalization)
    from_, to = ([x for x in m.layers if isinstance(x, kinds)] for m in (source, target))
    shapes = [[[tuple(w.shape) for w in layer.weights] for layer in part] for part in (from_, to)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"copy_features: received {len(from_)} layers to copy into {len(to)} of other shapes, "
            "expected the same features. Build the target with the source's widths and depths."
        )
    for old, new in zip(from_, to, strict=True):
        new.set_weights(old.get_weights())
    return target


def imagenet_features(
    rgb: NDArray[Any], *, side: int = 96, block: int = 12, batch_size: int = 50
) -> NDArray[np.float32]:
    """What EfficientNet-Lite0, trained on everyday photographs, makes of galaxies.

    Args:
        rgb: Pictures of 0 to 255, shape (n, size, size, 3).
        side: To which they are enlarged.
        block: After which block the mean over the picture is taken; the last ones are more
            about dogs than about edges.
        batch_size: Pictures at a time.

    Returns:
        Shape (n, 192) for the twelfth block.
    """
    from firstlight.models import efficientnet_lite as lite

    net = lite.efficientnet_lite0((side, side, 3), include_top=False)
    means = layers.GlobalAveragePooling2D()(lite.block_output(net, block))
    model = keras.Model(net.input, means)
    parts = []
    for start in range(0, len(rgb), batch_size):
        batch = np.asarray(rgb[start : start + batch_size], np.float32)
        large = keras.ops.image.resize(batch, (side, side), interpolation="bilinear")
        parts.append(np.asarray(model.predict_on_batch(lite.preprocess_input(large))))
    return np.concatenate(parts)
