"""Thirty layers with and without a way around them, on the book's own NumPy engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.autodiff.functional import affine
from firstlight.autodiff.operations import maximum
from firstlight.autodiff.optimizers import Adam
from firstlight.autodiff.schedules import CosineDecay
from firstlight.autodiff.tape import gradients
from firstlight.autodiff.tensor import Tensor, Variable, as_tensor
from firstlight.sky import photometry

__all__ = ["ARMS", "count", "error", "fit", "measure", "photometric", "start", "tower"]

Doubles = NDArray[np.float64]


def start(
    seed: int, *, inputs: int = 5, width: int = 16, blocks: int = 15, skip: bool = True
) -> list[Variable]:
    """Random parameters of a tower: a first layer, blocks of two, a last one.

    Args:
        seed: Of the weights, after He et al. (2015).
        inputs: Numbers that come in.
        width: Neurons of a layer.
        blocks: Of two layers each; 15 make thirty hidden layers with a bend.
        skip: Whether the tower will have skips: the second layer of a block then starts at zero.
    """
    random = np.random.default_rng([seed, 7])
    sizes = [(inputs, width)] + [(width, width)] * (2 * blocks) + [(width, 1)]
    found = []
    for k, (n, m) in enumerate(sizes):
        gain = 0.0 if skip and 0 < k < len(sizes) - 1 and k % 2 == 0 else 2.0
        found += [
            Variable(random.normal(size=(n, m)) * np.sqrt(gain / n), f"W{k}"),
            Variable(np.zeros(m), f"b{k}"),
        ]
    return found


def tower(theta: Sequence[Variable], x: Doubles, *, skip: bool = True) -> Tensor:
    """What the tower says, `(n, 1)`. With `skip`, a block adds to what it was given."""
    pairs = [(theta[k], theta[k + 1]) for k in range(0, len(theta), 2)]
    h: Tensor = affine(as_tensor(x), *pairs[0])
    for first, second in zip(pairs[1:-1:2], pairs[2:-1:2], strict=True):
        new = affine(maximum(affine(maximum(h, 0), *first), 0), *second)
        h = h + new if skip else new
    return affine(maximum(h, 0), *pairs[-1])


def count(theta: Sequence[Variable]) -> int:
    """Number of parameters."""
    return sum(v.value.size for v in theta)


def fit(
    x: Doubles, y: Doubles, seed: int, *, width: int = 16, blocks: int = 15, skip: bool = True,
    rate: float = 0.01, steps: int = 500, batch: int = 64,
) -> tuple[list[Variable], list[float]]:  # fmt: skip
    """Train a tower by Adam under half a cosine.

    Args:
        x: Inputs, `(n, inputs)`.
        y: Targets, `(n,)`.
        seed: Of weights and batches.
        width: Of the layers.
        blocks: Of two layers.
        skip: With the way around, or without.
        rate: First learning rate.
        steps: How many.
        batch: Examples a step.

    Returns:
        The parameters and the loss of every step.
    """
    theta = start(seed, inputs=x.shape[1], width=width, blocks=blocks, skip=skip)
    warm = steps // 10
    schedule = CosineDecay(0.0, steps - warm, warmup_target=rate, warmup_steps=warm)
    optimizer = Adam(learning_rate=schedule)
    random = np.random.default_rng([seed, 8])
    losses = []
    for _ in range(steps):
        rows = random.integers(len(x), size=batch)
        wrong = ((tower(theta, x[rows], skip=skip) - y[rows, None]) ** 2).mean()
        optimizer.apply(gradients(wrong, theta), theta)
        losses.append(float(wrong))
    return theta, losses


ARMS: Mapping[str, Mapping[str, Any]] = {
    "skips": {"skip": True, "rate": 0.02},
    "plain": {"skip": False, "rate": 0.01},
    "three layers": {"skip": False, "rate": 0.04, "width": 63, "blocks": 1, "steps": 2500},
}
"""Towers that compete; the last is as large as the others, and has their time, not their steps."""


def photometric(seed: int, n: int = 6000) -> tuple[Doubles, Doubles]:
    """Galaxies with five magnitudes and ln(1 + z), both standardized by fixed numbers."""
    sky = photometry.simulate(n, seed)
    x = (sky.magnitudes - np.array([23.6, 22.7, 21.8, 21.2, 20.9])) / 1.5
    return x.astype(float), (np.log1p(sky.redshift.astype(float)) - 0.36) / 0.14


def measure(task: str, seed: int) -> dict[str, float]:
    """The error of every tower from one start, in standard deviations of the answer.

    Args:
        task: "thirty layers", the name under which the stored run keeps this.
        seed: Of galaxies, weights and batches.
    """
    if task != "thirty layers":
        raise ValueError(f"task: received {task!r}, expected 'thirty layers'.")
    data = photometric(2 * seed), photometric(2 * seed + 1, 4000)
    return {arm: error(fit(*data[0], seed, **kind)[0], *data[1], skip=kind["skip"])
            for arm, kind in ARMS.items()}  # fmt: skip


def error(theta: Sequence[Variable], x: Doubles, y: Doubles, *, skip: bool) -> float:
    """Root mean squared error of a tower, in standard deviations of the answers."""
    said = tower(theta, x, skip=skip).value[:, 0]
    return float(np.sqrt(np.mean((said - y) ** 2) / np.var(y)))
