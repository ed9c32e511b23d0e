"""Who belongs to a group of galaxies: friends of friends, and a mixture that is fitted."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.sky.groups import log_odds

__all__ = ["friends", "mixture", "offsets", "tuned"]

Bools = NDArray[np.bool_]


def friends(galaxies: NDArray[Any], apart: float, speed: float) -> Bools:
    """The largest group of galaxies that hang together by links (Huchra & Geller 1982).

    Args:
        galaxies: Shape (n, nodes, 3): x, y in Mpc, velocity in 1000 km/s.
        apart: Longest link on the sky, Mpc.
        speed: Longest link in velocity, 1000 km/s.

    Returns:
        Shape (n, nodes), True for its members.

    Example:
        >>> cone = np.array([[[0, 0, 0], [0.1, 0, 0.1], [1, 1, 2]]])
        >>> friends(cone, 0.3, 0.3).tolist()
        [[True, True, False]]
    """
    difference = galaxies[:, :, None] - galaxies[:, None]
    linked = (np.hypot(difference[..., 0], difference[..., 1]) < apart) & (
        np.abs(difference[..., 2]) < speed
    )
    step, nodes = linked.astype(np.float32), galaxies.shape[1]
    for _ in range(int(np.ceil(np.log2(nodes)))):  # paths of twice the length each time
        step = (step @ step > 0).astype(np.float32)
    largest = step.sum(axis=2).argmax(axis=1)
    return np.asarray(step[np.arange(len(galaxies)), largest] > 0)


def mixture(galaxies: NDArray[Any], offset: Any, rounds: int = 1) -> NDArray[np.float64]:
    """Probability of membership after fitting a group on an even background.

    The group has the simulator's own profile (`sky.groups.log_odds`), so this is as good a
    model as a classical method could wish for. Every galaxy in turn is the first guess of the
    center. Each round weighs the galaxies by their probabilities, takes center, dispersion and
    number anew, and the probabilities from these. In the end each first guess counts by its
    likelihood, times a Gaussian of how far groups stand from the middle of their cone.

    Args:
        galaxies: As for `friends`.
        offset: Rms offset of a group's center from the cone's middle, as a galaxy's three
            numbers; see `offsets`. Infinite ones say that nothing is known.
        rounds: Of the iteration.

    Returns:
        Shape (n, nodes), from 0 to 1.
    """
    from scipy.special import expit

    n, nodes, _ = galaxies.shape
    cones = np.repeat(galaxies[:, None], nodes, axis=1).reshape(n * nodes, nodes, 3)
    center = galaxies.reshape(n * nodes, 3).astype(float)
    sigma, number = np.full(n * nodes, 0.35), np.full(n * nodes, 9.0)
    for _ in range(rounds):
        weight = expit(log_odds(cones, center, sigma, number))
        total = np.maximum(weight.sum(axis=1), 3.0)
        share = weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-9)
        center = np.einsum("nk,nkc->nc", share, cones)
        spread = np.einsum("nk,nk->n", share, (cones[..., 2] - center[:, None, 2]) ** 2)
        sigma = np.clip(np.sqrt(spread * total / (total - 1)), 0.2, 0.55)
        number = np.clip(total, 4, 14)
    odds = log_odds(cones, center, sigma, number)
    likely = np.logaddexp(odds, 0).sum(axis=1) + nodes * np.log(nodes - number)
    likely -= 0.5 * np.sum((center / np.asarray(offset)) ** 2, axis=1)
    likely = likely.reshape(n, nodes)
    trust = np.exp(likely - likely.max(axis=1, keepdims=True))
    trust /= trust.sum(axis=1, keepdims=True)
    return np.asarray(np.einsum("nsk,ns->nk", expit(odds.reshape(n, nodes, nodes)), trust))


def offsets(galaxies: NDArray[Any], member: Bools) -> NDArray[np.float64]:
    """How far groups stand from the middle of their cone: rms of the mean of their members.

    Args:
        galaxies: As for `friends`.
        member: The truth, shape (n, nodes).

    Returns:
        Three numbers, in the units of a galaxy's.
    """
    center = (galaxies * member[..., None]).sum(axis=1) / member.sum(axis=1)[:, None]
    return np.asarray(np.sqrt((center**2).mean(axis=0)), float)


def tuned(galaxies: NDArray[Any], member: Bools) -> tuple[float, float]:
    """The lengths of the links that get most galaxies of a training sample right.

    Args:
        galaxies: As for `friends`.
        member: The truth, shape (n, nodes).

    Returns:
        `apart` and `speed` of `friends`.
    """
    grid = product((0.4, 0.5, 0.6, 0.7, 0.8), (0.4, 0.5, 0.6, 0.7))
    return max(grid, key=lambda s: float(np.mean(friends(galaxies, *s) == member)))
