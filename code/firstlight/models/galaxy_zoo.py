"""Networks that predict the 37 vote fractions of a galaxy from its image (g, r, i)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import ArrayLike, NDArray

from firstlight.layers.decision_tree import DecisionTreeHead, TreeCrossEntropy
from firstlight.layers.rotated_views import MergeViews, RotatedViews
from firstlight.sky import gz2_tree

__all__ = [
    "HEADS",
    "galaxy_cnn",
    "mean_predictor",
    "plain_cnn",
    "residual_features",
    "rotated_cnn",
    "tree_loss",
    "vote_head",
]

SIZES = list(gz2_tree.SIZES)
PARENTS = [question.parent for question in gz2_tree.QUESTIONS]
FRAME = 4  # pixels of sky cut from each side: the middle, 2 R90 wide, holds the galaxy
HEADS = ("tree", "tree_relu", "sigmoid")


def mean_predictor(votes: ArrayLike) -> NDArray[np.float32]:
    """The best that can be said of a galaxy without looking: the mean votes of the others.

    Args:
        votes: Training votes, shape (n, 37).

    Returns:
        Their mean, shape (37,); it obeys the decision tree, being a mean of votes.
    """
    return np.asarray(votes, np.float64).mean(axis=0).astype(np.float32)


def tree_loss() -> TreeCrossEntropy:
    """The negative log-likelihood of Galaxy Zoo votes, for networks that end in the tree."""
    return TreeCrossEntropy(SIZES, PARENTS)


def vote_head(features: Any, head: str = "tree") -> Any:
    """Vote fractions from the last features of a network.

    Args:
        features: Shape (n, features).
        head: `"tree"` (softmax in each question, then the tree), `"tree_relu"` (the paper's
            divisive normalization; its logits start at one, since a question whose logits are
            all negative has no gradient and never recovers) or `"sigmoid"` (37 independent
            fractions, which may contradict each other).

    Returns:
        Shape (n, 37).
    """
    if head not in HEADS:
        raise ValueError(f"head: received {head!r}, expected one of {', '.join(HEADS)}.")
    start = "ones" if head == "tree_relu" else "zeros"
    logits = layers.Dense(gz2_tree.N_ANSWERS, bias_initializer=start, name="logits")(features)
    if head == "sigmoid":
        return layers.Activation("sigmoid", name="votes")(logits)
    activation = "relu" if head == "tree_relu" else "softmax"
    return DecisionTreeHead(SIZES, PARENTS, activation=activation, name="votes")(logits)


def plain_cnn(
    size: int = 48, width: int = 16, dense: int = 128, head: str = "tree", dropout: float = 0.0
) -> keras.Model:
    """A network as one draws it on a napkin: three convolutions with pooling, two dense layers.

    Args:
        size: Side of the images in pixels.
        width: Filters of the first convolution; the next have twice and four times as many.
        dense: Units of the hidden dense layer.
        head: See `vote_head`.
        dropout: Share of the hidden units dropped while training.

    Returns:
        A model from images (n, size, size, 3) to votes (n, 37).
    """
    images = keras.Input((size, size, 3), name="images")
    x: Any = images
    for filters, kernel in ((width, 5), (2 * width, 3), (4 * width, 3)):
        x = layers.Conv2D(filters, kernel, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2)(x)
    x = layers.Dense(dense, activation="relu")(layers.Flatten()(x))
    x = layers.Dropout(dropout)(x)
    return keras.Model(images, vote_head(x, head), name="plain_cnn")


def _normalized(x: Any) -> Any:
    # A fast-moving average: runs are a few thousand steps, and the default remembers too long.
    return layers.BatchNormalization(momentum=0.95)(x)


def residual_features(
    images: Any, widths: Sequence[int] = (16, 32, 64, 128), depths: Sequence[int] = (0, 1, 1, 1)
) -> Any:
    """Convolutional features at a quarter of the cost: stride first, think later.

    The frame of sky around the galaxy is cut off. A 6x6 convolution of stride 2 halves the
    image at once: the seeing is about four pixels wide, so little is lost, and every later layer
    costs a quarter. Each stage halves the image again and adds residual 3x3 convolutions (He et
    al. 2016, arXiv 1512.03385).

    Args:
        images: Shape (n, size, size, channels).
        widths: Filters of each stage.
        depths: Residual convolutions of each stage.

    Returns:
        The mean over the last, coarsest map: shape (n, widths[-1]).
    """
    if len(widths) != len(depths) or not widths:
        raise ValueError(
            f"widths, depths: received {len(widths)} and {len(depths)}, expected one of each for "
            "every stage."
        )
    x = layers.Cropping2D(FRAME)(images)
    for stage, (filters, depth) in enumerate(zip(widths, depths, strict=True)):
        kernel = 6 if stage == 0 else 3
        x = layers.Conv2D(filters, kernel, strides=2, padding="same", use_bias=False)(x)
        x = layers.ReLU()(_normalized(x))
        for _ in range(depth):
            change = _normalized(layers.Conv2D(filters, 3, padding="same", use_bias=False)(x))
            x = layers.ReLU()(layers.Add()([x, change]))
    return layers.GlobalAveragePooling2D()(x)


def galaxy_cnn(
    size: int = 48,
    widths: Sequence[int] = (16, 32, 64, 128),
    depths: Sequence[int] = (0, 1, 1, 1),
    dense: int = 128,
    head: str = "tree",
    dropout: float = 0.0,
) -> keras.Model:
    """The study's network: residual features, one hidden layer, the tree.

    Args:
        size: Side of the images in pixels.
        widths: See `residual_features`.
        depths: See `residual_features`.
        dense: Units of the hidden dense layer.
        head: See `vote_head`.
        dropout: Share of the hidden units dropped while training.

    Returns:
        A model from images (n, size, size, 3) to votes (n, 37).
    """
    images = keras.Input((size, size, 3), name="images")
    x = residual_features(images, widths, depths)
    x = layers.Dropout(dropout)(layers.Dense(dense, activation="relu")(x))
    return keras.Model(images, vote_head(x, head), name="galaxy_cnn")


def rotated_cnn(
    size: int = 48,
    widths: Sequence[int] = (16, 32, 64, 128),
    depths: Sequence[int] = (0, 1, 1, 1),
    dense: int = 128,
    head: str = "tree",
    dropout: float = 0.0,
    turns: int = 4,
    flips: bool = False,
    merge: str = "concatenate",
) -> keras.Model:
    """The same features, shared by rotated views of each galaxy and then merged.

    The idea of Dieleman, Willett & Dambre (2015, MNRAS 450, 1441). With `merge="mean"` the
    answer is exactly the same for every quarter turn; concatenated, the views may be compared.

    Args:
        size: Side of the images in pixels.
        widths: See `residual_features`.
        depths: See `residual_features`.
        dense: Units of the hidden dense layer.
        head: See `vote_head`.
        dropout: Share of the hidden units dropped while training.
        turns: Quarter turns, 1, 2 or 4.
        flips: Mirrored views as well.
        merge: `"concatenate"`, `"mean"` or `"max"`.

    Returns:
        A model from images (n, size, size, 3) to votes (n, 37).
    """
    images = keras.Input((size, size, 3), name="images")
    views = RotatedViews(turns, flips=flips)
    x = residual_features(views(images), widths, depths)
    x = MergeViews(views.views, merge)(x)
    x = layers.Dropout(dropout)(layers.Dense(dense, activation="relu")(x))
    return keras.Model(images, vote_head(x, head), name="rotated_cnn")
