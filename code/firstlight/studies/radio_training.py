"""Four ways to learn radio galaxies from a few labels: linear, frozen, fine-tuned, from scratch."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from firstlight import training
from firstlight.layers.augmentation import random_symmetry, random_warp
from firstlight.models import efficientnet_lite as lite
from firstlight.models.galaxy_zoo import residual_features
from firstlight.studies.radio_transfer import CUT, LEVELS, SIDE

__all__ = ["class_weights", "fine_tune", "frozen_head", "linear_head", "scratch",
           "scratch_settings", "steps_for", "tuned_network"]  # fmt: skip

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]
N_CLASSES = 4
RENEWALS = 30  # batches; at a momentum of 0.9, less than a twentieth of the old moments is left


def class_weights(labels: Labels) -> Floats:
    """One-hot labels, each class weighing as much in all as any other; shape (n, 4)."""
    counts = np.maximum(np.bincount(labels, minlength=N_CLASSES), 1)
    weight = len(labels) / N_CLASSES / counts
    return (np.eye(N_CLASSES)[labels] * weight[labels][:, None]).astype(np.float32)


def steps_for(n: int) -> int:
    """How long to train on n labels: more for more, slower than in proportion."""
    return int(np.clip(10 * np.sqrt(n), 60, 400))


def scratch_settings(n: int) -> dict[str, float]:
    """How long, at what rate and in what batches a network from scratch learns from n labels.

    Chosen on a split of its own (`folds` with seed 777), on galaxies not shown in training.
    """
    steps = int(np.clip(40 * np.sqrt(n), 300, 800))
    return {"steps": steps, "learning_rate": 2e-3 if n < 600 else 3e-3, "batch": min(n, 32)}


def linear_head(features: Floats, labels: Labels, strength: float = 0.01) -> Any:
    """Standardize, then logistic regression with equal weight for each class.

    Args:
        features: Shape (n, features).
        labels: Shape (n,).
        strength: Inverse of the penalty on large weights (scikit-learn's C).
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classifier = LogisticRegression(C=strength, class_weight="balanced", max_iter=400)
    return make_pipeline(StandardScaler(), classifier).fit(features, labels)


def _loss(weighted: Any, says: Any) -> Any:
    return -keras.ops.sum(weighted * keras.ops.log(says + 1e-7), axis=-1)


def frozen_head(
    features: Floats, labels: Labels, seed: int, steps: int, batch: int = 64
) -> keras.Model:
    """A small new network on frozen features, shown another view of each galaxy in each step.

    Args:
        features: Of all views, shape (views, n, features).
        labels: Shape (n,).
        seed: Of weights, order, views and dropout.
        steps: Optimizer steps.
        batch: Galaxies a step.

    Returns:
        A model from features to four probabilities.
    """
    training.set_seed(seed)
    normal = layers.Normalization()
    normal.adapt(features.reshape(-1, features.shape[-1]))
    image = keras.Input(features.shape[2:])
    x = layers.Dropout(0.5)(normal(image))
    x = layers.Dropout(0.5)(layers.Dense(128, activation="relu")(x))
    model = keras.Model(image, layers.Dense(N_CLASSES, activation="softmax")(x))
    training.compile_model(model, steps=steps, learning_rate=2e-3, weight_decay=0.05, loss=_loss)
    weighted, random = class_weights(labels), np.random.default_rng([seed, 5])
    for _ in range(steps):
        rows = random.choice(len(labels), min(batch, len(labels)), replace=False)
        view = random.integers(len(features), size=len(rows))
        model.train_on_batch(features[view, rows], weighted[rows])
    return model


def tuned_network(head: Any | None = None, dropout: float = 0.3) -> keras.Model:
    """Blocks 11 to 15 with ImageNet weights, and a head on the same three levels as the features.

    Args:
        head: From `linear_head` on features: the network then begins by saying what it says.
        dropout: Share of the 624 features dropped in training.

    Returns:
        A model from maps of block 10 to four probabilities.
    """
    whole = lite.efficientnet_lite0((SIDE, SIDE, 1), include_top=False)
    start = lite.block_output(whole, CUT)
    means = [layers.GlobalAveragePooling2D()(lite.block_output(whole, k)) for k in LEVELS]
    x = layers.Concatenate()(means)
    x = layers.Dropout(dropout)(x)
    answer = layers.Dense(N_CLASSES, activation="softmax", name="answer")(x)
    model = keras.Model(start, answer, name="fine_tuned")
    if head is not None:
        scaler, classifier = head[0], head[-1]
        kernel = classifier.coef_.T / scaler.scale_[:, None]
        bias = classifier.intercept_ - scaler.mean_ @ kernel
        model.get_layer("answer").set_weights([kernel, bias])
    return model


def fine_tune(
    model: keras.Model,
    maps: NDArray[np.float16],
    labels: Labels,
    rows: NDArray[np.intp],
    *,
    seed: int,
    steps: int,
    body: float = 1e-4,
    head: float = 1e-4,
    batch: int = 32,
    batch_norm: bool = True,
) -> list[float]:
    """Train the upper blocks and the head at two learning rates, from kept maps of the lower ones.

    Args:
        model: From `tuned_network`; it is changed.
        maps: Of all views and galaxies, shape (views, n, side, side, 112).
        labels: Of all galaxies, shape (n,).
        rows: Which to train on.
        seed: Of order, views and dropout.
        steps: Optimizer steps.
        body: Peak learning rate of the blocks.
        head: Peak learning rate of the head.
        batch: Galaxies a step.
        batch_norm: Whether the normalizations keep ImageNet's means and variances.

    Returns:
        The loss of every step.
    """
    import tensorflow as tf

    training.set_seed(seed)
    lite.freeze(model, CUT, batch_norm=batch_norm)
    ours = model.get_layer("answer").trainable_variables
    theirs = [v for v in model.trainable_variables if not any(v is w for w in ours)]
    optimizers = [
        keras.optimizers.AdamW(training.warmup_cosine(rate, steps), weight_decay=0.01)
        for rate in (body, head)
    ]
    for optimizer, variables in zip(optimizers, (theirs, ours), strict=True):
        optimizer.build(variables)

    @tf.function(reduce_retracing=True)
    def step(pictures: Any, weighted: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = keras.ops.mean(_loss(weighted, model(pictures, training=True)))
        slopes = tape.gradient(loss, [*theirs, *ours])
        optimizers[0].apply(slopes[: len(theirs)], theirs)
        optimizers[1].apply(slopes[len(theirs) :], ours)
        return loss

    weighted, random, curve = class_weights(labels[rows]), np.random.default_rng([seed, 6]), []
    for _ in range(steps):
        chosen = random.choice(len(rows), min(batch, len(rows)), replace=False)
        view = random.integers(len(maps), size=len(chosen))
        pictures = maps[view, rows[chosen]].astype(np.float32)
        curve.append(float(step(tf.constant(pictures), tf.constant(weighted[chosen]))))
    return curve


def scratch(
    pictures: Floats, labels: Labels, seed: int, *, steps: int, learning_rate: float, batch: int
) -> keras.Model:
    """A residual network of our own that has never seen a picture.

    Args:
        pictures: Shape (n, side, side, channels).
        labels: Shape (n,).
        seed: Of weights, order and augmentation.
        steps: Optimizer steps; like the next two, see `scratch_settings`.
        learning_rate: Its peak.
        batch: Galaxies a step.

    Returns:
        A model from pictures to four probabilities.
    """
    training.set_seed(seed)
    image = keras.Input(pictures.shape[1:])
    x = residual_features(image, (16, 32, 64, 128), (0, 1, 1, 1))
    x = layers.Dropout(0.3)(x)
    model = keras.Model(image, layers.Dense(N_CLASSES, activation="softmax")(x))
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.9  # runs are short: the running means must have arrived at the end
    training.compile_model(
        model, steps=steps, learning_rate=learning_rate, weight_decay=0.01, ema=0.98, loss=_loss
    )

    def change(pictures: Floats, random: np.random.Generator) -> Floats:
        return random_warp(random_symmetry(pictures, random), random, shift=2.0, zoom=1.15)

    training.fit(model, pictures, class_weights(labels), steps=steps, seed=seed,
                 batch_size=batch, augment=change)  # fmt: skip
    random = np.random.default_rng([seed, 7])
    for _ in range(RENEWALS):  # moments of the averaged weights, which no batch has seen so far
        model(change(pictures[random.choice(len(labels), batch, replace=False)], random),
              training=True)  # fmt: skip
    return model
