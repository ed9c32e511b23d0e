"""Small discs, a small network, and a training loop that records both curves.

Hundreds of short trainings make the stored runs of the chapter *Validation Curves*. So the stamps
are small, and a whole report interval is one graph, which halves the cost of a step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from firstlight.layers.augmentation import SYMMETRIES, dihedral, warp
from firstlight.sky import galaxies
from firstlight.studies import features

__all__ = [
    "CONFIG",
    "Curves",
    "Stamps",
    "all_turns",
    "fit",
    "light",
    "network",
    "scores",
    "simulate",
]

Floats = NDArray[np.float32]

CONFIG: Mapping[str, Any] = {
    "side": 16,
    "width": 16,
    "steps": 1_000,
    "every": 50,
    "batch_size": 64,
    "learning_rate": 2e-3,
}


class Stamps(NamedTuple):
    """Small gray images of discs, and whether they have arms.

    Args:
        x: Stretched, shape (n, 16, 16, 1).
        y: 1 with arms, 0 without, shape (n, 1).
    """

    x: Floats
    y: Floats

    def pick(self, rows: ArrayLike | slice) -> Stamps:
        """The stamps in these rows: a slice, indices or booleans."""
        chosen = rows if isinstance(rows, slice) else np.asarray(rows)
        return Stamps(self.x[chosen], self.y[chosen])


def light(n: int, seed: int, turns: int = 0) -> tuple[Floats, Floats]:
    """Discs of `studies.features` in gray, the mean of two by two pixels and three bands.

    Args:
        n: How many, 1 or more; arms and no arms by turns.
        seed: Same seed, same discs; the first k are the same for any n.
        turns: If given, each disc comes this often, turned by equal steps from an angle of its own.

    Returns:
        Light in units of the sky noise of one pixel of one band, shape (n, 16, 16), and labels,
        shape (n, 1); with turns, n discs once, then n discs turned, and so on.
    """
    discs = features.simulate(n, seed)
    gray = discs.images.mean(axis=-1, keepdims=True)
    if turns:
        start = np.random.default_rng([seed, 6]).uniform(0, 360, n)
        gray = np.concatenate([warp(gray, start + 360 * k / turns) for k in range(turns)])
    side = CONFIG["side"]
    gray = gray.reshape(-1, side, 2, side, 2).mean(axis=(2, 4))
    return gray, np.tile(discs.labels, (max(1, turns), 1))


def simulate(n: int, seed: int) -> Stamps:
    """The same discs, stretched, as the network takes them.

    Args:
        n: How many, 1 or more.
        seed: As of `light`.

    Returns:
        Images and labels.

    Example:
        >>> simulate(4, seed=1).y.ravel().tolist()
        [1.0, 0.0, 1.0, 0.0]
    """
    gray, labels = light(n, seed)
    return Stamps(galaxies.stretch(gray)[..., None], labels)


def all_turns(stamps: Stamps) -> Stamps:
    """Every stamp in its eight symmetries: all as they are first, then all turned, and so on.

    Args:
        stamps: n of them.

    Returns:
        8 n stamps; row i shows galaxy i modulo n.
    """
    turned = [dihedral(stamps.x, symmetry) for symmetry in range(SYMMETRIES)]
    return Stamps(np.concatenate(turned), np.tile(stamps.y, (SYMMETRIES, 1)))


def network(seed: int, width: int = 0, dropout: float = 0.0) -> Any:
    """Two convolutions, one hidden layer, one neuron whose sigmoid is left to the loss.

    Args:
        seed: Of the first weights and of dropout.
        width: Patterns of the first convolution; twice as many further on.
        dropout: Share of numbers set to zero before the hidden layer and after it.
    """
    import keras
    from keras import layers

    keras.utils.set_random_seed(int(seed) % 2**32)
    w = width or CONFIG["width"]
    return keras.Sequential(
        [
            keras.Input((CONFIG["side"], CONFIG["side"], 1)),
            layers.Conv2D(w, 5, strides=2, padding="same", activation="relu"),
            layers.Conv2D(2 * w, 3, strides=2, padding="same", activation="relu"),
            layers.Flatten(),
            *([layers.Dropout(dropout)] if dropout else []),
            layers.Dense(2 * w, activation="relu"),
            *([layers.Dropout(dropout)] if dropout else []),
            layers.Dense(1),
        ]
    )


def scores(model: Any, stamps: Stamps) -> tuple[float, float]:
    """Cross-entropy, and the share of right answers.

    Args:
        model: Gives the weighted sum before the sigmoid.
        stamps: To be judged on.
    """
    a = np.concatenate(
        [np.asarray(model(stamps.x[k : k + 2_000])) for k in range(0, len(stamps.x), 2_000)]
    )
    loss = float(np.mean(np.logaddexp(0, a) - stamps.y * a))
    return loss, float(np.mean((a > 0) == (stamps.y > 0.5)))


@dataclass
class Curves:
    """What a training leaves behind, one entry a report.

    Args:
        step: Steps taken.
        training: Mean loss of the batches since the report before, dropout included.
        validation: Loss on the validation set.
        right: Share of right answers on the validation set.
        best: Place of the lowest validation loss.
        best_weights: The weights there.
    """

    step: list[int]
    training: list[float]
    validation: list[float]
    right: list[float]
    best: int = 0
    best_weights: list[Any] | None = None


def fit(
    model: Any,
    train: Stamps,
    validation: Stamps,
    *,
    seed: int,
    steps: int = 0,
    every: int = 0,
    batch_size: int = 0,
    learning_rate: float = 0.0,
    weight_decay: float = 0.0,
    augment: bool = False,
    patience: int = 0,
) -> Curves:
    """Train with Adam for a number of steps, looking at the validation set now and then.

    Args:
        model: As `network` makes it; it keeps its last weights.
        train: To learn from.
        validation: To look at.
        seed: Of the order.
        steps: How many.
        every: Steps between two reports.
        batch_size: Stamps a step.
        learning_rate: Constant.
        weight_decay: Decoupled (AdamW), on everything but biases.
        augment: Learn from all eight symmetries instead of one.
        patience: Stop when the validation loss has not improved for so many reports; 0 never.

    Returns:
        Both curves, and the weights of the lowest validation loss.
    """
    import tensorflow as tf

    every, steps = every or CONFIG["every"], steps or CONFIG["steps"]
    go = _graph(model, learning_rate or CONFIG["learning_rate"], weight_decay)
    shown = all_turns(train) if augment else train
    x, y = tf.constant(np.ascontiguousarray(shown.x)), tf.constant(shown.y)
    batches = _rows(len(shown.x), batch_size or CONFIG["batch_size"], steps, seed)
    curves = Curves([], [], [], [])
    for start in range(0, steps, every):
        curves.training.append(float(go(x, y, tf.constant(batches[start : start + every]))))
        loss, right = scores(model, validation)
        curves.step.append(start + every)
        curves.validation.append(loss)
        curves.right.append(right)
        if loss <= min(curves.validation):
            curves.best, curves.best_weights = len(curves.step) - 1, model.get_weights()
        elif patience and len(curves.step) - 1 - curves.best >= patience:
            break
    return curves


def _rows(n: int, batch_size: int, steps: int, seed: int) -> NDArray[np.int32]:
    """Rows of each batch, shape (steps, batch_size): one random order after another."""
    rng = np.random.default_rng([seed, 1])
    passes = -(-steps * batch_size // n)
    order = np.concatenate([rng.permutation(n) for _ in range(passes)])
    return order[: steps * batch_size].reshape(steps, batch_size).astype(np.int32)


def _graph(model: Any, learning_rate: float, weight_decay: float) -> Any:
    """A function that takes as many steps as it is given rows of batches."""
    import keras
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")  # it warns that each network has a graph of its own
    optimizer = keras.optimizers.AdamW(learning_rate, weight_decay=weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.build(model.trainable_variables)
    side = CONFIG["side"]

    @tf.function(
        input_signature=[
            tf.TensorSpec((None, side, side, 1)),
            tf.TensorSpec((None, 1)),
            tf.TensorSpec((None, None), tf.int32),
        ]
    )
    def go(x: Any, y: Any, batches: Any) -> Any:
        total = 0.0
        for rows in batches:
            with tf.GradientTape() as tape:
                a = model(tf.gather(x, rows), training=True)
                losses = tf.nn.sigmoid_cross_entropy_with_logits(
                    labels=tf.gather(y, rows), logits=a
                )
                loss = tf.reduce_mean(losses)
            variables = model.trainable_variables
            optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
            total += loss
        return total / tf.cast(tf.shape(batches)[0], tf.float32)

    return go
