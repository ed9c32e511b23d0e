"""A plane with eight clusters of stars, and generators that shall learn to draw them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.studies import adversarial

__all__ = ["CLUSTERS", "RADIUS", "SCATTER", "Played", "centers", "play", "ring", "told"]

Floats = NDArray[np.float32]

CLUSTERS = 8
RADIUS = 2.0
SCATTER = 0.15


def centers(clusters: int = CLUSTERS) -> Floats:
    """Middles of the clusters, evenly around a circle of `RADIUS`, shape (clusters, 2)."""
    if clusters < 1:
        raise ValueError(f"centers: received clusters={clusters}, expected 1 or more.")
    turn = 2 * np.pi * np.arange(clusters) / clusters
    return (RADIUS * np.stack([np.cos(turn), np.sin(turn)], axis=1)).astype(np.float32)


def ring(n: int, rng: np.random.Generator, clusters: int = CLUSTERS) -> Floats:
    """Stars of the clusters.

    Args:
        n: How many.
        rng: Where the randomness comes from.
        clusters: How many clusters, all equally rich.

    Returns:
        Positions, shape (n, 2).
    """
    which = rng.integers(0, clusters, n)
    around = SCATTER * rng.standard_normal((n, 2), np.float32)
    return centers(clusters)[which] + around


def told(n: int, rng: np.random.Generator, clusters: int = CLUSTERS) -> Floats:
    """Stars with the cluster they belong to, one number for each: shape (n, 2 + clusters)."""
    which = rng.integers(0, clusters, n)
    around = SCATTER * rng.standard_normal((n, 2), np.float32)
    label = np.eye(clusters, dtype=np.float32)[which]
    return np.concatenate([centers(clusters)[which] + around, label], axis=1)


@dataclass(frozen=True)
class Played:
    """A game that is over.

    Args:
        generator: Holds the mean of its weights.
        critic: As it was in the end.
        duel: How it went.
        latent: What the generator takes, `latent(n, rng)`.
    """

    generator: Any
    critic: Any
    duel: adversarial.Duel
    latent: Callable[[int, np.random.Generator], Floats]

    def draw(self, n: int, seed: int) -> Floats:
        """Generated points, shape (n, 2) or, if told, (n, 2 + clusters)."""
        noise = self.latent(n, np.random.default_rng([seed, 5]))
        return np.asarray(self.generator.predict_on_batch(noise), np.float32)


def play(
    game: adversarial.Game,
    seed: int,
    *,
    real: Callable[[int, np.random.Generator], Floats] = ring,
    latent: int = 2,
    width: int = 64,
    conditional: bool = False,
    monitor: Callable[[Any], float] | None = None,
    report_every: int = 100,
) -> Played:
    """Build two small players and let them play.

    Args:
        game: The rules.
        seed: Of weights, noise and examples.
        real: `real(n, rng)`: real points; `told` with `conditional`.
        latent: Numbers of noise.
        width: Of the two hidden layers.
        conditional: Whether both players are told the cluster.
        monitor: See `adversarial.fit`.
        report_every: See `adversarial.fit`.

    Returns:
        The game, over.
    """
    from firstlight import training
    from firstlight.models.toy_gan import toy_critic, toy_generator

    training.set_seed(seed)
    labels = CLUSTERS if conditional else 0
    generator = toy_generator(latent, width, labels=labels)
    critic = toy_critic(width, labels=labels)

    def noise(n: int, rng: np.random.Generator) -> Floats:
        plain = rng.standard_normal((n, latent), np.float32)
        if not conditional:
            return plain
        label = np.eye(labels, dtype=np.float32)[rng.integers(0, labels, n)]
        return np.concatenate([plain, label], axis=1)

    duel = adversarial.fit(
        generator, critic, real, game, seed=seed, latent=noise, monitor=monitor,
        report_every=report_every,
    )  # fmt: skip
    return Played(generator, critic, duel, noise)
