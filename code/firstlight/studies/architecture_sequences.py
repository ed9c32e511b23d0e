"""Two sequences that ask for two kinds of memory: alerts to be matched, flares with a direction."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["alerts", "cross_match", "flares"]

Floats = NDArray[np.float32]


def alerts(
    n: int, seed: int, *, steps: int = 16, error: float = 0.02, ask_first: bool = False
) -> tuple[Floats, Floats]:
    """A night's alerts, the last of which comes from where an earlier one came from.

    Args:
        n: How many nights.
        seed: Of everything.
        steps: Alerts a night, the last included; 2 or more.
        error: Of the last position, along each axis of a unit vector (radians).
        ask_first: Put the question before the others instead of behind them.

    Returns:
        `(n, steps, 4)`: a unit vector (the direction, anywhere on the sky) and a brightness, of
        mean zero and variance one; the last alert's is not measured yet and stands as zero. And
        `(n, 1)`: the brightness of the earlier alert from the same direction.

    Example:
        >>> x, y = alerts(5, seed=1, steps=8)
        >>> x.shape, y.shape
        ((5, 8, 4), (5, 1))
    """
    if steps < 2:
        raise ValueError(f"alerts: received steps={steps}, expected 2 or more.")
    random = np.random.default_rng([seed, 3])
    place = _unit(random.normal(size=(n, steps, 3)))
    bright = random.normal(size=(n, steps))
    same = random.integers(steps - 1, size=n)
    rows = np.arange(n)
    y = bright[rows, same]
    place[:, -1] = _unit(place[rows, same] + error * random.normal(size=(n, 3)))
    bright[:, -1] = 0.0
    x = np.concatenate([place, bright[..., None]], axis=-1)
    return (x[:, ::-1] if ask_first else x).astype(np.float32), y[:, None].astype(np.float32)


def _unit(vectors: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def cross_match(x: Floats) -> Floats:
    """The classical answer: the brightness of the alert nearest to the last one, `(n, 1)`."""
    cosine = np.einsum("ntk,nk->nt", x[:, :-1, :3], x[:, -1, :3])
    return x[np.arange(len(x)), cosine.argmax(axis=1), 3][:, None]


def flares(n: int, seed: int, *, steps: int = 32, noise: float = 0.35) -> tuple[Floats, Floats]:
    """A flare that rises fast and falls slowly, or the same backward.

    Args:
        n: How many.
        seed: Of everything.
        steps: Regular visits.
        noise: Standard deviation of one measurement; peaks are between 1 and 2.

    Returns:
        Fluxes `(n, steps, 1)`, and `(n, 1)`: one where time runs forward.
    """
    random = np.random.default_rng([seed, 4])
    forward = random.integers(0, 2, (n, 1))
    peak = random.uniform(4, steps - 4, (n, 1))
    height, rise = random.uniform(1, 2, (n, 1)), random.uniform(0.5, 1.2, (n, 1))
    fall = random.uniform(2, 5, (n, 1))
    u = (np.arange(steps) - peak) * np.where(forward, 1, -1)
    light = height * np.where(u < 0, np.exp(np.minimum(u, 0) / rise),
                              np.exp(-np.maximum(u, 0) / fall))  # fmt: skip
    flux = light + noise * random.normal(size=light.shape)
    return flux[..., None].astype(np.float32), forward.astype(np.float32)
