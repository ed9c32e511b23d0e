"""Redshifts of galaxies from five magnitudes: the example that TensorFlow and Keras share.

The skies come from `sky.photometry`, so the best estimate possible is known. Starting weights
and the order of the batches are NumPy's: every library, and every backend, gets the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firstlight.sky import photometry

__all__ = ["Sample", "batch_rows", "columns", "rmse", "samples", "start"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """Galaxies as a network sees them, with the truth.

    Attributes:
        inputs: Four colors and the i magnitude, standardized, shape (n, 5).
        target: ln(1 + z), shape (n, 1).
        blue: 1 where the spectrum is nearer the young end of its family, else 0, shape (n, 1).
        magnitudes: As measured, shape (n, 5).
    """

    inputs: Floats
    target: Floats
    blue: Floats
    magnitudes: NDArray[np.float32]


def columns(magnitudes: NDArray[np.floating]) -> Floats:
    """The colors u - g, g - r, r - i, i - z, and the i magnitude.

    Args:
        magnitudes: In u, g, r, i, z, shape (n, 5).

    Returns:
        Shape (n, 5), in magnitudes.

    Example:
        >>> columns(np.array([[22.0, 21.0, 20.5, 20.25, 20.0]]))
        array([[ 1.  ,  0.5 ,  0.25,  0.25, 20.25]])
    """
    m = np.asarray(magnitudes, np.float64)
    return np.column_stack([-np.diff(m, axis=1), m[:, 3]])


def samples(seed: int, n_train: int = 8_000, n_test: int = 4_000) -> tuple[Sample, Sample]:
    """Galaxies to learn from, and others to be judged by.

    Args:
        seed: Of both skies, which differ.
        n_train: Galaxies to learn from.
        n_test: Galaxies to be judged by.

    Returns:
        Both samples; the inputs of both are standardized with the moments of the first.

    Example:
        >>> train, test = samples(1, 100, 50)
        >>> train.inputs.shape, test.target.shape
        ((100, 5), (50, 1))
    """
    skies = [photometry.simulate(n, 10 * seed + k) for k, n in enumerate((n_train, n_test), 1)]
    raw = [columns(sky.magnitudes) for sky in skies]
    mean, size = raw[0].mean(axis=0), raw[0].std(axis=0)
    train, test = (
        Sample(
            (x - mean) / size,
            np.log1p(sky.redshift.astype(float))[:, None],
            (sky.kind > 0.5).astype(float)[:, None],
            sky.magnitudes,
        )
        for x, sky in zip(raw, skies, strict=True)
    )
    return train, test


def start(seed: int, widths: Sequence[int] = (5, 32, 32, 1)) -> list[Floats]:
    """Kernels of variance 2 / n_in and biases of zero, in Keras's order.

    Args:
        seed: Of the draw.
        widths: Inputs, hidden layers, outputs.

    Returns:
        A kernel (n_in, n_out) and a bias (n_out,) for each layer, float64.

    Example:
        >>> [p.shape for p in start(1, (5, 3, 1))]
        [(5, 3), (3,), (3, 1), (1,)]
    """
    random = np.random.default_rng([seed, 1])
    values: list[Floats] = []
    for n_in, n_out in zip(widths, widths[1:], strict=False):
        values += [random.normal(size=(n_in, n_out)) * np.sqrt(2 / n_in), np.zeros(n_out)]
    return values


def batch_rows(seed: int, steps: int, n: int, size: int = 128) -> NDArray[np.int64]:
    """Which galaxies each step sees: epoch after epoch in a new order.

    Args:
        seed: Of the order.
        steps: Of the training.
        n: Galaxies; those left over at the end of an epoch are not used in it.
        size: Of a batch.

    Returns:
        Row numbers, shape (steps, size).

    Raises:
        ValueError: If a batch is larger than the sample.

    Example:
        >>> batch_rows(1, 3, 10, 4).shape
        (3, 4)
    """
    if not 0 < size <= n:
        raise ValueError(f"size: received {size}, expected from 1 to the {n} galaxies there are.")
    random, each = np.random.default_rng([seed, 2]), n // size
    epochs = [random.permutation(n)[: each * size] for _ in range(-(-steps // each))]
    return np.concatenate(epochs).reshape(-1, size)[:steps]


def rmse(predicted: object, sample: Sample) -> float:
    """Root-mean-square error of ln(1 + z).

    Args:
        predicted: Shape (n, 1); an array or a tensor on the CPU.
        sample: The galaxies it was said of.

    Raises:
        ValueError: If the shape is another one, which NumPy would broadcast in silence.

    Example:
        >>> train, _ = samples(1, 100, 50)
        >>> rmse(train.target, train)
        0.0
    """
    given = np.asarray(predicted, np.float64)
    if given.shape != sample.target.shape:
        raise ValueError(
            f"predicted: received shape {given.shape}, expected {sample.target.shape}, one "
            "galaxy to a row."
        )
    return float(np.sqrt(np.mean((given - sample.target) ** 2)))
