"""Three things to minimize: zero points of exposures, redshifts from a raw catalog, votes.

Under one seed a problem is the same for every optimizer: same sky, same start, same batches.
The first is built again on the page of the chapter *Optimizers*.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from firstlight.sky import galaxies, photometry

__all__ = ["Problem", "catalog", "votes", "zero_points"]

Arrays = list[NDArray[np.float64]]
Slope = Callable[[Arrays, int], Arrays]
Batch = NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """Something to be minimized, the same for every optimizer under one seed.

    Args:
        values: Where all start.
        slope: Gradients at some values, in the batch of a step.
        score: What is judged at the end; smaller is better.
        steps: How many steps everybody has.
    """

    values: Arrays
    slope: Slope
    score: Callable[[Arrays], float]
    steps: int


def zero_points(seed: int, n: int = 100, steps: int = 600) -> Problem:
    """A strip of exposures, calibrated against each other by the stars in their overlaps.

    Args:
        seed: Of zero points, stars and their noise.
        n: Exposures.
        steps: Given to each optimizer.

    Returns:
        The problem; its score is the rms distance in mmag from the solution of least squares.
    """
    random = np.random.default_rng(seed)
    true = 0.02 * random.normal(size=n) + 0.01 * np.cumsum(random.normal(size=n))
    stars = random.poisson(30, n - 1) + 1
    seen = np.diff(true) + 0.02 * random.normal(size=n - 1) / np.sqrt(stars)
    share = stars / stars.mean()
    ties = np.diff(np.eye(n), axis=0)  # row i: zero point i + 1 less zero point i
    exact = np.linalg.lstsq(np.sqrt(share)[:, None] * ties, np.sqrt(share) * seen)[0]

    def slope(values: Arrays, step: int) -> Arrays:
        return [ties.T @ (share * (np.diff(values[0]) - seen))]

    def score(values: Arrays) -> float:
        return 1e3 * float(np.std(values[0] - exact))

    return Problem([np.zeros(n)], slope, score, steps)


def catalog(seed: int, standardized: bool = False, steps: int = 600) -> Problem:
    """Redshifts by a small network, from four colors in magnitudes and a flux in sky noises.

    Args:
        seed: Of galaxies, start and batches.
        standardized: Whether each column is divided by its standard deviation.
        steps: Given to each optimizer.

    Returns:
        The problem; its score is the rms error of ln(1 + z) on other galaxies.
    """
    train, test = (photometry.simulate(4_000, 10 * seed + k) for k in (1, 2))
    columns = [_columns(sky.magnitudes.astype(float)) for sky in (train, test)]
    scale = columns[0].std(axis=0) if standardized else np.ones(5)
    x, x_test = ((c - columns[0].mean(axis=0)) / scale for c in columns)
    y, y_test = (np.log1p(sky.redshift.astype(float))[:, None] for sky in (train, test))
    mean, size = y.mean(), y.std()

    def score(values: Arrays) -> float:
        error = size * network(values, x_test)[-1] + mean - y_test
        return float(np.sqrt(np.mean(error**2)))

    target = (y - mean) / size
    slope = batched(x, target, lambda out, true: out - true, seed)
    return Problem(dense_start([5, 32, 16, 1], seed), slope, score, steps)


def votes(seed: int, steps: int = 600) -> Problem:
    """What volunteers say of a galaxy - smooth, features, artifact - from 16 x 16 pixels.

    Args:
        seed: Of galaxies, start and batches.
        steps: Given to each optimizer.

    Returns:
        The problem; its score is the divergence in nats between true and predicted votes, on
        other galaxies: cross-entropy less its smallest possible value.
    """
    x, y = _sky(3_000, 10 * seed + 1)
    x_test, y_test = _sky(1_000, 10 * seed + 2)

    def score(values: Arrays) -> float:
        log_p = _log_softmax(network(values, x_test)[-1])
        return float(np.mean(np.sum(y_test * (np.log(y_test + 1e-12) - log_p), axis=1)))

    slope = batched(x, y, lambda out, true: np.exp(_log_softmax(out)) - true, seed)
    return Problem(dense_start([x.shape[1], 64, 32, 3], seed), slope, score, steps)


def _columns(magnitudes: NDArray[np.float64]) -> NDArray[np.float64]:
    flux = 5 * 10 ** (-0.4 * (magnitudes[:, 3] - photometry.DEPTH[3]))
    return np.column_stack([-np.diff(magnitudes, axis=1), flux])


@cache
def _sky(n: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    sky = galaxies.simulate(n, seed, size=32)
    small = galaxies.stretch(sky.images).reshape(n, 16, 2, 16, 2, 3).mean(axis=(2, 4))
    return small.reshape(n, -1).astype(float), sky.probabilities[:, :3].astype(float)


def _log_softmax(a: NDArray[np.float64]) -> NDArray[np.float64]:
    a = a - a.max(axis=1, keepdims=True)
    return np.asarray(a - np.log(np.exp(a).sum(axis=1, keepdims=True)))


def dense_start(widths: Sequence[int], seed: int) -> Arrays:
    """Kernels of variance 2 / n_in and biases of zero, for dense layers of these widths."""
    random = np.random.default_rng(seed)
    values = []
    for n_in, n_out in zip(widths, widths[1:], strict=False):
        values += [random.normal(size=(n_in, n_out)) * np.sqrt(2 / n_in), np.zeros(n_out)]
    return values


def network(values: Arrays, x: NDArray[np.float64]) -> Arrays:
    """Input, outputs of the hidden layers (ReLU), output without a bend."""
    layers = [x]
    for k in range(0, len(values), 2):
        a = layers[-1] @ values[k] + values[k + 1]
        layers.append(np.maximum(a, 0) if k + 2 < len(values) else a)
    return layers


def batched(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    error: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]],
    seed: int,
    size: int = 64,
) -> Slope:
    """Gradients by backpropagation, in batches whose order hangs on the seed alone.

    Args:
        x: Inputs, one example to a row.
        y: Targets.
        error: Derivative of the loss by the network's output, from output and target.
        seed: Of the order.
        size: Of a batch.

    Returns:
        A function of the values and the step.
    """

    def slope(values: Arrays, step: int) -> Arrays:
        rows = np.random.default_rng([seed, step]).integers(len(x), size=size)
        layers = network(values, x[rows])
        found: Arrays = []
        delta = error(layers[-1], y[rows]) / size
        for k in range(len(values) - 2, -1, -2):
            before = layers[k // 2]
            found[:0] = [before.T @ delta, delta.sum(axis=0)]
            if k:
                delta = (delta @ values[k].T) * (before > 0)
        return found

    return slope
