"""One small network trained twice on simulated galaxies: by our engine, and by Keras.

Both start from the same weights, see the same batches in the same order, and step with the same
optimizer, in 64 bits. If the engine is right, the two loss curves are one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from firstlight.autodiff.fit import batches, fit
from firstlight.autodiff.losses import sparse_categorical_crossentropy
from firstlight.autodiff.optimizers import Adam
from firstlight.autodiff.sequential import Sequential
from firstlight.sky import galaxies

__all__ = ["Samples", "Twins", "keras_fit", "network", "samples", "train"]

SIZE = 32  # pixels


@dataclass(frozen=True)
class Samples:
    """Color images, and whether people see a disk or features in them, or not.

    Args:
        x: Training images, `(n, SIZE, SIZE, 3)`, mean 0 and standard deviation 1.
        y: 1 where most volunteers would see a disk or features, else 0; `(n,)`.
        x_new: Images that nobody trains on.
        y_new: Their labels.
    """

    x: np.ndarray
    y: np.ndarray
    x_new: np.ndarray
    y_new: np.ndarray


@dataclass(frozen=True)
class Twins:
    """What became of the two.

    Args:
        ours: Loss of each batch before its step, our engine.
        theirs: The same by Keras.
        accuracy_ours: Share of new galaxies that are named rightly, our engine.
        accuracy_theirs: The same by Keras.
        weights_apart: Largest difference between any two weights in the end.
    """

    ours: np.ndarray
    theirs: np.ndarray
    accuracy_ours: float
    accuracy_theirs: float
    weights_apart: float


def samples(n_train: int, n_new: int, seed: int) -> Samples:
    """Simulated galaxies in the bands g, r, i.

    Args:
        n_train: Galaxies to train on.
        n_new: Galaxies to test with.
        seed: Of the sky.

    Example:
        >>> samples(30, 10, seed=1).x.shape
        (30, 32, 32, 3)
    """
    sky = galaxies.simulate(n_train + n_new, seed=seed, size=SIZE)
    images = galaxies.stretch(sky.images).astype(float)
    images = (images - images[:n_train].mean()) / images[:n_train].std()
    featured = (sky.probabilities[:, 1] > 0.5).astype(int)
    return Samples(images[:n_train], featured[:n_train], images[n_train:], featured[n_train:])


def network(seed: int, dtype: str = "float64") -> Any:
    """Two convolutions with pooling, batch normalization between, and a dense end: in Keras.

    Args:
        seed: Of the random start.
        dtype: float64 for a comparison, float32 as Keras has it.

    Returns:
        Built `keras.Sequential` that gives two scores an image.
    """
    import keras

    keras.utils.set_random_seed(seed)
    layers = keras.layers
    return keras.Sequential([
        keras.Input((SIZE, SIZE, 3), dtype=dtype),
        layers.Conv2D(8, 5, strides=2, padding="same", activation="relu", dtype=dtype),
        layers.MaxPooling2D(2, dtype=dtype),
        layers.Conv2D(16, 3, dtype=dtype),
        layers.BatchNormalization(momentum=0.9, dtype=dtype),
        layers.Activation("relu", dtype=dtype),
        layers.AveragePooling2D(2, dtype=dtype),
        layers.Flatten(dtype=dtype),
        layers.Dense(16, activation="tanh", dtype=dtype),
        layers.Dense(2, dtype=dtype),
    ])  # fmt: skip


def keras_fit(model: Any, x: np.ndarray, y: np.ndarray, optimizer: Any, order: Any) -> np.ndarray:
    """Train by Keras, batch after batch in a given order.

    Args:
        model: As of `network`.
        x: Images.
        y: Labels.
        optimizer: Of Keras.
        order: Row numbers of each batch.

    Returns:
        The loss of each batch before its step.
    """
    import keras
    import tensorflow as tf

    measure = keras.losses.SparseCategoricalCrossentropy(True, dtype=x.dtype.name)
    optimizer.build(model.trainable_variables)

    @tf.function(reduce_retracing=True)
    def step(images: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = measure(labels, model(images, training=True))
        slopes = tape.gradient(loss, [v.value for v in model.trainable_variables])
        optimizer.apply(slopes, model.trainable_variables)
        return loss

    return np.array([float(step(tf.constant(x[rows]), tf.constant(y[rows]))) for rows in order])


def train(data: Samples, seed: int, epochs: int, rate: float = 0.003, batch: int = 50) -> Twins:
    """Train both, by Adam, and compare.

    Args:
        data: Galaxies.
        seed: Of the start and of the order.
        epochs: How often each galaxy is seen.
        rate: Learning rate.
        batch: Galaxies in a step.

    Returns:
        The loss curves and what stands at their end.

    Example:
        >>> twins = train(samples(200, 200, seed=1), seed=1, epochs=2)  # doctest: +SKIP
        >>> np.abs(twins.ours - twins.theirs).max() < 1e-9  # doctest: +SKIP
        True
    """
    import keras

    order = list(batches(len(data.x), batch, epochs, seed))

    def loss(y_true: np.ndarray, y_pred: Any) -> Any:
        return sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)

    with _double_precision():
        theirs = network(seed)
        ours = Sequential.from_keras(theirs)
        our_losses = fit(ours, data.x, data.y, loss, Adam(rate), order=order)
        # Keras rounds a Python float to 32 bits before it widens it; a NumPy float stays exact.
        constants = map(np.float64, (rate, 0.9, 0.999, 1e-7))
        their_losses = keras_fit(theirs, data.x, data.y, keras.optimizers.Adam(*constants), order)
        answers = np.asarray(theirs(data.x_new))
    pairs = zip(ours.get_weights(), theirs.get_weights(), strict=True)
    return Twins(
        ours=np.array(our_losses),
        theirs=their_losses,
        accuracy_ours=_accuracy(ours(data.x_new), data.y_new),
        accuracy_theirs=_accuracy(answers, data.y_new),
        weights_apart=max(float(np.abs(one - other).max()) for one, other in pairs),
    )


def _accuracy(scores: np.ndarray, y: np.ndarray) -> float:
    return float((scores.argmax(axis=1) == y).mean())


@contextlib.contextmanager
def _double_precision() -> Iterator[None]:
    """Keras keeps the learning rate in its default precision, whatever the network's is."""
    import keras

    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    try:
        yield
    finally:
        keras.config.set_floatx(before)
