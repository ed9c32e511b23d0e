"""What a network looked at: saliency, Grad-CAM, occlusion, and how to catch such a map lying.

Every map has one value a pixel and belongs to one output of the network. None of them is the
truth; `share_inside` and `rank_correlation` judge them where the truth is known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["grad_cam", "occlusion", "rank_correlation", "saliency", "share_inside"]

Floats = NDArray[np.float32]
BATCH = 256


def saliency(model: Any, images: ArrayLike, output: int = 0) -> Floats:
    """Slope of one output with respect to every pixel (Simonyan et al. 2014, arXiv 1312.6034).

    Give it a network whose last layer has no sigmoid: where a sigmoid is sure of itself, its
    slope vanishes and takes the map along.

    Args:
        model: Keras model from (n, height, width, channels) to (n, outputs).
        images: Shape (n, height, width, channels).
        output: Which one.

    Returns:
        Slopes with their signs, in the shape of the images. Of a linear model they are its
        weights, whatever the image.

    Raises:
        ValueError: If the images are no batch, or there is no such output.

    Example:
        >>> np.abs(saliency(model, images)).max(axis=-1)  # doctest: +SKIP
    """
    import tensorflow as tf

    parts = []
    for batch in _batches("saliency", images):
        x = tf.constant(batch)
        with tf.GradientTape() as tape:
            tape.watch(x)
            score = _one(model(x, training=False), output)
        parts.append(np.asarray(tape.gradient(score, x)))
    return np.concatenate(parts)


def grad_cam(model: Any, images: ArrayLike, layer: str, output: int = 0) -> Floats:
    """Where the maps of a layer speak for an output (Selvaraju et al. 2017, ICCV, 618).

    Each map is weighted by the mean slope of the output with respect to it, the weighted maps
    are added, and what speaks against the output is cut off.

    Args:
        model: Keras model from (n, height, width, channels) to (n, outputs).
        images: Shape (n, height, width, channels).
        layer: Name of a layer that gives maps; usually the last one with an area left.
        output: Which one.

    Returns:
        Zero or more, at the layer's resolution, shape (n, rows, columns).

    Raises:
        ValueError: If the images are no batch, or there is no such layer or output, or the layer
            gives no maps.

    Example:
        >>> grad_cam(model, images, "bend_3").shape  # doctest: +SKIP
        (10, 8, 8)
    """
    import tensorflow as tf

    names = [each.name for each in model.layers]
    if layer not in names or len(model.get_layer(layer).output.shape) != 4:
        raise ValueError(
            f"grad_cam: received layer {layer!r}, expected one that gives maps, of {names}."
        )
    forward = _forward(model, layer)
    parts = []
    for batch in _batches("grad_cam", images):
        with tf.GradientTape() as tape:
            maps, outputs = forward(tf.constant(batch))
            score = _one(outputs, output)
        slope = np.asarray(tape.gradient(score, maps))
        weights = slope.mean(axis=(1, 2), keepdims=True)
        parts.append(np.maximum((weights * np.asarray(maps)).sum(axis=-1), 0))
    return np.concatenate(parts)


def occlusion(
    predict: Callable[[Floats], ArrayLike],
    images: ArrayLike,
    patch: int = 4,
    step: int = 2,
    fill: float = 0.0,
) -> Floats:
    """How far an answer falls when a square of the image is covered (Zeiler & Fergus 2014).

    The only one of the three that intervenes: it says what the network *would have* answered.

    Args:
        predict: From images (m, height, width, channels) to one number each, (m,) or (m, 1).
        images: Shape (n, height, width, channels).
        patch: Side of the square in pixels.
        step: Pixels from one square to the next.
        fill: What the square is painted with: an image's "nothing", such as empty sky.

    Returns:
        Fall of the answer, mean over all squares that cover a pixel, shape (n, height, width).

    Raises:
        ValueError: If the images are no batch, or the squares do not fit or leave gaps.

    Example:
        >>> occlusion(lambda x: x.sum(axis=(1, 2, 3)), np.ones((1, 4, 4, 1)), 2, 2)[0, 0, 0]
        np.float32(4.0)
    """
    pictures = np.concatenate(_batches("occlusion", images))
    n, height, width, _ = pictures.shape
    if not 1 <= step <= patch <= min(height, width):
        raise ValueError(
            f"occlusion: received patch {patch} and step {step}, expected 1 <= step <= patch <= "
            f"{min(height, width)}, so that the squares fit and leave no gap."
        )
    before = _flat(predict(pictures))
    total, count = np.zeros((n, height, width), np.float32), np.zeros((height, width), np.float32)
    for i in _places(height, patch, step):
        for j in _places(width, patch, step):
            covered = pictures.copy()
            covered[:, i : i + patch, j : j + patch] = fill
            fall = before - _flat(predict(covered))
            total[:, i : i + patch, j : j + patch] += fall[:, None, None]
            count[i : i + patch, j : j + patch] += 1
    return total / count


def share_inside(maps: ArrayLike, mask: ArrayLike) -> NDArray[np.float64]:
    """Share of a map's total size that lies inside a region, for each image.

    Args:
        maps: Shape (n, rows, columns); signs do not count.
        mask: Booleans, shape (rows, columns).

    Returns:
        Shape (n,). A map that knows nothing of the region gives the region's share of the area;
        a map of zeros counts as that.

    Raises:
        ValueError: If the shapes do not fit.

    Example:
        >>> share_inside(np.ones((1, 2, 2)), [[True, False], [False, False]])
        array([0.25])
    """
    size, inside = np.abs(np.asarray(maps, np.float64)), np.asarray(mask, bool)
    if size.ndim != 3 or inside.shape != size.shape[1:]:
        raise ValueError(
            f"share_inside: received maps {size.shape} and a mask {inside.shape}, expected "
            "(n, rows, columns) and (rows, columns)."
        )
    total = size.sum(axis=(1, 2))
    known = np.where(total > 0, total, 1.0)
    share = (size * inside).sum(axis=(1, 2)) / known
    return np.asarray(np.where(total > 0, share, inside.mean()))


def rank_correlation(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Spearman's correlation of two maps of the same image, for each image.

    Args:
        first: Shape (n, rows, columns).
        second: The same shape.

    Returns:
        Shape (n,), from -1 to 1; 0 where one of the two is constant and ranks nothing.

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> rank_correlation([[[1, 2], [3, 4]]], [[[10, 20], [30, 70]]])
        array([1.])
    """
    from scipy.stats import rankdata

    one, two = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if one.shape != two.shape or one.ndim != 3:
        raise ValueError(
            f"rank_correlation: received {one.shape} and {two.shape}, expected the same "
            "(n, rows, columns) twice."
        )
    ranks = [rankdata(maps.reshape(len(maps), -1), axis=1) for maps in (one, two)]
    a, b = (r - r.mean(axis=1, keepdims=True) for r in ranks)
    size = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return np.asarray((a * b).sum(axis=1) / np.where(size > 0, size, 1.0))


def _forward(model: Any, layer: str) -> Callable[[Any], tuple[Any, Any]]:
    """From images to the maps of a layer and the outputs that were computed from them."""
    import keras

    if not isinstance(model, keras.Sequential):
        both = keras.Model(model.inputs[0], [model.get_layer(layer).output, model.outputs[0]])
        return lambda x: both(x, training=False)

    def walk(x: Any) -> tuple[Any, Any]:  # layers that were added one by one have old outputs, too
        maps = None
        for each in model.layers:
            x = each(x)
            maps = x if each.name == layer else maps
        return maps, x

    return walk


def _batches(where: str, images: ArrayLike) -> list[Floats]:
    batch = np.asarray(images, np.float32)
    if batch.ndim != 4 or not len(batch):
        raise ValueError(
            f"{where}: received shape {batch.shape}, expected (n, height, width, channels) with n "
            "of 1 or more. One image makes a batch by x[None]."
        )
    return [batch[k : k + BATCH] for k in range(0, len(batch), BATCH)]


def _one(outputs: Any, output: int) -> Any:
    if len(outputs.shape) != 2 or not 0 <= output < outputs.shape[1]:
        raise ValueError(
            f"output: received {output} for outputs of shape {tuple(outputs.shape)}, expected a "
            "column of (n, outputs)."
        )
    return outputs[:, output]


def _flat(answers: ArrayLike) -> Floats:
    return np.asarray(answers, np.float32).reshape(-1)


def _places(length: int, patch: int, step: int) -> list[int]:
    """Starts of the squares; the last one ends at the border."""
    return sorted({*range(0, length - patch + 1, step), length - patch})
