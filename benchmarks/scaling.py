"""What scaling up costs and buys: the input pipeline's rungs, and two processes against one.

Both run in child processes, as in the chapter. The pipeline's rungs deliver the same images;
the processes train the same network on the same batches, and must end in the same weights.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import Row
from firstlight.scaling import processes

N, SIZE, BATCH, STEPS = 512, 48, 64, 40
SHARDS_OVER_FITS = 2.0  # times the rate from one file an image
CLOSE = 2e-4  # between the weights of one process and of two


def write(folder: Path) -> None:
    """The same images as FITS files and as shards."""
    from astropy.io import fits

    images = np.random.default_rng(1).normal(size=(N, SIZE, SIZE, 3)).astype(np.float32)
    for i, image in enumerate(images):
        fits.PrimaryHDU(image).writeto(folder / f"{i:05d}.fits")
    for i, part in enumerate(np.split(images, N // BATCH)):
        np.save(folder / f"{i:05d}.npy", part)


def read(folder: str) -> dict[str, float]:
    """Images per CPU second through tf.data, from files and from shards."""
    import tensorflow as tf
    from astropy.io import fits

    def rate(generator: Any, *shape: int | None, batch: int = 0) -> float:
        spec = tf.TensorSpec((*shape, SIZE, SIZE, 3), tf.float32)
        data = tf.data.Dataset.from_generator(generator, output_signature=spec)
        data = data.batch(batch) if batch else data
        takes = []
        for _ in range(4):
            begun = time.process_time()
            assert sum(len(part) for part in data) == N
            takes.append(time.process_time() - begun)
        return N / min(takes)

    files, parts = sorted(Path(folder).glob("*.fits")), sorted(Path(folder).glob("*.npy"))
    return {
        "FITS": rate(lambda: (fits.getdata(f).astype("float32") for f in files), batch=BATCH),
        "shards": rate(lambda: (np.load(p) for p in parts), None),
    }


def train(folder: str) -> tuple[float, list[np.ndarray]]:
    """Milliseconds a step, and the weights after all of them; in however many processes."""
    import jax
    import keras
    from keras import layers

    x = np.concatenate([np.load(p) for p in sorted(Path(folder).glob("*.npy"))])
    rank, n = jax.process_index(), jax.process_count()
    mine = slice(rank * BATCH // n, (rank + 1) * BATCH // n)
    keras.utils.set_random_seed(1)
    model = keras.Sequential([
        keras.Input((SIZE, SIZE, 3)), layers.Conv2D(16, 3, strides=2, activation="relu"),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.GlobalAveragePooling2D(), layers.Dense(37),
    ])  # fmt: skip
    model.compile("adam", "mse")
    takes = []
    for step in range(STEPS):
        rows = np.random.default_rng(step).permutation(N)[:BATCH][mine]
        begun = time.perf_counter()
        float(np.asarray(model.train_on_batch(x[rows], x[rows].mean((1, 2))[:, :1].repeat(37, 1))))
        takes.append(time.perf_counter() - begun)
    best = float(np.sort(takes)[: STEPS // 2].mean())
    return 1000 * best, [np.asarray(v) for v in model.trainable_variables]


def run() -> list[Row]:
    """Measure both.

    Returns:
        Three rows: the pipeline, two processes against one, and how far apart they end.
    """
    with tempfile.TemporaryDirectory() as name:
        write(Path(name))
        (reading,) = processes.call(read, name, backend="tensorflow")
        (one,) = processes.call(train, name, pin=True)
        two = processes.call(train, name, processes=2, pin=True)
    rates = reading.value
    (ms, weights), (ms_2, weights_2) = one.value, two[0].value
    apart = max(float(np.abs(a - b).max()) for a, b in zip(weights, weights_2, strict=True))
    cores = len(processes.cores())
    here = f"{cores} cores; load {os.getloadavg()[0]:.1f}"
    return [
        Row("input pipeline, shards", rates["shards"], rates["FITS"], "images/s",
            rates["shards"] / rates["FITS"], SHARDS_OVER_FITS, at_most=False,
            note=f"per CPU second, {N} images of {SIZE} x {SIZE} x 3; other: a FITS file each."),
        Row("two processes", 1000 * BATCH / ms_2, 1000 * BATCH / ms, "images/s", ms / ms_2,
            1.2 if cores > 1 else 0.4, at_most=False,
            note=f"JAX over the loopback, other: one process; {here}."),
        Row("two processes, weights", apart, CLOSE, "", apart / CLOSE, 1.0,
            note="largest difference to those of one process, and what is allowed."),
    ]  # fmt: skip
