"""The lens finder: pre-activated bottleneck units, after Lanusse et al. (2018).

The paper's CMU DeepLens (MNRAS 473, 3895) has a 7x7 convolution and five stages of three units,
32 to 512 features. Ours is built of the same units, with fewer of them at the build scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from firstlight.layers.lens_channels import HalfTurnDifference, IsophoteResidual, SkyStretch

__all__ = ["CHANNELS", "bottleneck_unit", "halves", "lens_channels", "lens_finder",
           "receptive_field"]  # fmt: skip

CHANNELS = ("image", "half_turn", "isophotes")


def _bend(x: Any, activation: str) -> Any:
    # A fast-moving average: runs are a few thousand steps, and the default remembers too long.
    return layers.Activation(activation)(layers.BatchNormalization(momentum=0.95)(x))


def bottleneck_unit(
    x: Any, filters: int, stride: int = 1, ratio: int = 4, activation: str = "elu"
) -> Any:
    """A pre-activated bottleneck: normalize and bend first, then squeeze, look around, widen.

    He et al. (2016, arXiv 1603.05027): on the way past the unit nothing happens to `x`, unless
    its shape must change. Then a 1x1 convolution of the bent input carries it over.

    Args:
        x: Shape (n, side, side, features).
        filters: Features of the output.
        stride: 2 halves the side.
        ratio: The 3x3 convolution works on `filters // ratio` features.
        activation: Any Keras activation; the paper has `"elu"`.

    Returns:
        Shape (n, side / stride, side / stride, filters).

    Raises:
        ValueError: If the bottleneck would have no features.
    """
    if ratio < 1 or filters < ratio:
        raise ValueError(
            f"filters, ratio: received {filters}, {ratio}; expected a ratio from 1 to filters."
        )
    narrow = filters // ratio
    bent = _bend(x, activation)
    carried = x
    if stride > 1 or x.shape[-1] != filters:
        carried = layers.Conv2D(filters, 1, strides=stride, use_bias=False)(bent)
    change = layers.Conv2D(narrow, 1, use_bias=False)(bent)
    change = layers.Conv2D(narrow, 3, strides=stride, padding="same", use_bias=False)(
        _bend(change, activation)
    )
    change = layers.Conv2D(filters, 1, use_bias=False)(_bend(change, activation))
    return layers.Add()([carried, change])


def lens_channels(images: Any, channels: Sequence[str] = CHANNELS) -> Any:
    """Images as the first convolution sees them: stretched, with the galaxy taken off in two ways.

    Args:
        images: Shape (n, size, size, bands), in units of the sky noise.
        channels: Of `"image"`, `"half_turn"` (`HalfTurnDifference`) and `"isophotes"`
            (`IsophoteResidual`).

    Returns:
        Shape (n, size, size, bands * channels).
    """
    subtract: dict[str, Any] = {
        "image": lambda x: x,
        "half_turn": HalfTurnDifference(),
        "isophotes": IsophoteResidual(),
    }
    if not channels or set(channels) - set(subtract):
        raise ValueError(
            f"channels: received {tuple(channels)}, expected some of {', '.join(subtract)}."
        )
    shown = [SkyStretch()(subtract[name](images)) for name in channels]
    return layers.Concatenate()(shown) if len(shown) > 1 else shown[0]


def lens_finder(
    size: int = 48,
    bands: int = 1,
    channels: Sequence[str] = CHANNELS,
    stem: int = 16,
    widths: Sequence[int] = (32, 64, 128),
    depths: Sequence[int] = (2, 2, 2),
    ratio: int = 4,
    activation: str = "elu",
    dropout: float = 0.0,
    crop: int = 0,
) -> keras.Model:
    """The probability that a picture shows a lens, if lenses were as frequent as in training.

    Args:
        size: Side of the images in pixels.
        bands: Of the images.
        channels: What the first convolution sees of each band, see `lens_channels`.
        stem: Filters of the first convolution, 7x7 with stride 2: the seeing is four pixels wide.
        widths: Features of each stage; the second and later ones halve the image.
        depths: Units of each stage.
        ratio: See `bottleneck_unit`.
        activation: See `bottleneck_unit`.
        dropout: Share of the last features dropped while training.
        crop: Pixels cut from each side, once the galaxy is taken off.

    Returns:
        A model from images (n, size, size, bands), in units of the sky noise, to probabilities
        (n, 1).

    Example:
        >>> lens_finder(widths=(8,), depths=(1,)).output_shape
        (None, 1)
    """
    if len(widths) != len(depths) or not widths or min(depths) < 1:
        raise ValueError(
            f"widths, depths: received {tuple(widths)}, {tuple(depths)}; expected one width and "
            "one depth of 1 or more for every stage."
        )
    images = keras.Input((size, size, bands), name="images")
    x = lens_channels(images, channels)
    x = layers.Cropping2D(crop)(x) if crop else x
    x = layers.Conv2D(stem, 7, strides=2, padding="same", use_bias=False)(x)
    for stage, (filters, depth) in enumerate(zip(widths, depths, strict=True)):
        for unit in range(depth):
            stride = 2 if stage > 0 and unit == 0 else 1
            x = bottleneck_unit(x, filters, stride, ratio, activation)
    x = layers.GlobalAveragePooling2D()(_bend(x, activation))
    x = layers.Dropout(dropout)(x) if dropout else x
    lens = layers.Dense(1, activation="sigmoid", name="lens")(x)
    return keras.Model(images, lens, name="lens_finder")


def halves(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """A lens finder in two: what has nothing to learn, and all from the first convolution on.

    The first half turns with the images, so that several looks at them need it only once.

    Args:
        model: From `lens_finder`, or one with the same channels in front of a convolution.

    Returns:
        A model from images to channels, and one from channels to probabilities. They share
        their layers with `model`.
    """
    first = [layer for layer in model.layers if isinstance(layer, layers.Conv2D)]
    if not first:
        raise ValueError("model: received one without a Conv2D, expected a lens finder.")
    between = first[0].input
    return keras.Model(model.input, between), keras.Model(between, model.output)


def receptive_field(depths: Sequence[int] = (2, 2, 2), stem: int = 7) -> int:
    """How many pixels across one feature of the last stage can see.

    A convolution of width k adds k - 1 steps of the grid it works on, and each stride of 2
    doubles the step: in a unit only the 3x3 convolution widens the view.

    Args:
        depths: Units of each stage, as in `lens_finder`.
        stem: Width of the first convolution.

    Returns:
        Pixels of the input, along one side.

    Example:
        >>> receptive_field((1,))
        11
    """
    field, step = stem, 2
    for stage, depth in enumerate(depths):
        for unit in range(depth):
            field += 2 * step
            if stage > 0 and unit == 0:
                step *= 2
    return field
