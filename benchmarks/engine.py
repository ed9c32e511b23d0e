"""What it costs to see through a network: one training step of our engine, beside Keras's.

Both start from the same weights and take one step of stochastic gradient descent on one batch:
forward, loss, backward, new weights. Keras's step is compiled by TensorFlow and takes its data
as tensors, which is the fastest that it can be called. One thread, no accelerator; both in turns,
so that they see one machine, in a process of its own, whose threads can be set.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import Row

ROUNDS = 15
AIM = {"dense": 5.0, "convolution": 30.0}
SHAPE = {"dense": (128, 784), "convolution": (64, 32, 32, 3)}
WHY = {
    "dense": "both spend most of it in the same matrix products of BLAS; ours adds a pass over "
    "memory for each operation and for each check that a number is finite",
    "convolution": "im2col writes every pixel nine times into memory before it multiplies, the "
    "product is a thin one, and bias, bend and pooling each pass over memory again; TensorFlow's "
    "kernels work on tiles that stay in the cache",
}
ONE_THREAD = {
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3",
}  # fmt: skip


def network(kind: str, dtype: str) -> Any:
    """A dense network of 269 322 weights, or a small convolutional one, in Keras."""
    import keras

    layers = keras.layers
    own = {"dtype": dtype}
    if kind == "dense":
        hidden = [layers.Dense(256, "relu", **own), layers.Dense(256, "relu", **own)]
    else:
        hidden = [
            layers.Conv2D(16, 3, padding="same", activation="relu", **own),
            layers.MaxPooling2D(2, **own),
            layers.Conv2D(32, 3, padding="same", activation="relu", **own),
            layers.MaxPooling2D(2, **own),
            layers.Flatten(**own),
        ]
    keras.utils.set_random_seed(1)
    start = keras.Input(SHAPE[kind][1:], **own)
    return keras.Sequential([start, *hidden, layers.Dense(10, **own)])


def our_step(model: Any, x: np.ndarray, y: np.ndarray) -> Callable[[], float]:
    """A step of the engine with the weights of a Keras network, in the precision of x."""
    from firstlight.autodiff import SGD, Sequential, gradients
    from firstlight.autodiff.losses import sparse_categorical_crossentropy

    ours, optimizer = Sequential.from_keras(model, dtype=x.dtype.name), SGD(0.01)
    variables = ours.trainable_variables

    def step() -> float:
        loss = sparse_categorical_crossentropy(y, ours(x, training=True), from_logits=True)
        optimizer.apply(gradients(loss, variables), variables)
        return float(loss)

    return step


def keras_step(model: Any, x: np.ndarray, y: np.ndarray) -> Callable[[], float]:
    """The same step, compiled; the data are tensors already."""
    import keras
    import tensorflow as tf

    measure = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.SGD(0.01)
    optimizer.build(model.trainable_variables)
    images, labels = tf.constant(x), tf.constant(y)

    @tf.function
    def step() -> Any:
        with tf.GradientTape() as tape:
            loss = measure(labels, model(images, training=True))
        slopes = tape.gradient(loss, [v.value for v in model.trainable_variables])
        optimizer.apply(slopes, model.trainable_variables)
        return loss

    return lambda: float(step())


def bare_products(kind: str, dtype: str) -> Callable[[], None]:
    """The matrix products that a step cannot do without, and nothing else."""
    n = SHAPE[kind][0]
    sizes = {
        "dense": [(n, 784, 256), (n, 256, 256), (n, 256, 10)],
        "convolution": [(n * 1024, 27, 16), (n * 256, 144, 32), (n, 2048, 10)],
    }[kind]
    work = [(np.ones((rows, n_in), dtype), np.ones((n_in, units), dtype),
             np.ones((rows, units), dtype)) for rows, n_in, units in sizes]  # fmt: skip

    def products() -> None:
        for number, (x, kernel, gradient) in enumerate(work):
            np.matmul(x, kernel)
            np.matmul(x.T, gradient)
            if number:  # nobody asks for the gradient of the images
                np.matmul(gradient, kernel.T)

    return products


def measure(kind: str) -> dict[str, float]:
    """CPU milliseconds of a step, the best of some rounds in turns, in this process.

    Args:
        kind: "dense" or "convolution".

    Returns:
        By name: "ours" and "theirs" in 32 bits, "ours, 64 bits", and the "products".

    Raises:
        RuntimeError: If the first losses of the two are not the same: then they do other work.
    """
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=SHAPE[kind]), rng.integers(0, 10, SHAPE[kind][0])
    model, narrow = network(kind, "float32"), x.astype(np.float32)
    calls: dict[str, Callable[[], Any]] = {
        "ours": our_step(model, narrow, y),
        "ours, 64 bits": our_step(model, x, y),
        "theirs": keras_step(model, narrow, y),
        "products": bare_products(kind, "float32"),
    }
    first = [calls[name]() for name in ("ours", "ours, 64 bits", "theirs")]
    if np.ptp(first) > 1e-4:
        raise RuntimeError(f"engine: received first losses {first}, expected one number.")
    best = dict.fromkeys(calls, np.inf)
    for _ in range(ROUNDS):
        for name, call in calls.items():
            begun = time.process_time()
            call()
            best[name] = min(best[name], 1000 * (time.process_time() - begun))
    return {name: float(value) for name, value in best.items()}


def rows(kind: str, ms: dict[str, float]) -> list[Row]:
    """Two rows: both in 32 bits, and ours as it comes, in 64.

    Args:
        kind: "dense" or "convolution".
        ms: As of `measure`.
    """
    images = " x ".join(map(str, SHAPE[kind][1:]))
    note = (
        f"CPU time of one step of SGD on {SHAPE[kind][0]} examples of {images} numbers, in 32 "
        f"bits, one thread, best of {ROUNDS} in turns; the bare matrix products take NumPy "
        f"{ms['products']:.2g} ms. Why: {WHY[kind]}."
    )
    wide = "ours as it comes, in 64 bits, beside Keras as it comes, in 32."
    theirs = ms["theirs"]
    return [
        Row(f"engine, {kind}", ms["ours"], theirs, "ms", ms["ours"] / theirs, AIM[kind], note=note),
        Row(f"engine, {kind}, 64 bits", ms["ours, 64 bits"], theirs, "ms",
            ms["ours, 64 bits"] / theirs, AIM[kind], note=wide),
    ]  # fmt: skip


def run() -> list[Row]:
    """Measure both kinds, each in a process of one thread.

    Returns:
        Four rows.
    """
    found = []
    for kind in AIM:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.engine", kind],
            env={**os.environ, **ONE_THREAD}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        found += rows(kind, json.loads(done.stdout.splitlines()[-1]))
    return found


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
