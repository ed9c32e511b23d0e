"""Galaxy Zoo: its two scales, and the skies that the network is trained and examined on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.evaluation.alignment import align
from firstlight.sky import galaxies, volunteers
from firstlight.studies.study import Config, Data

__all__ = ["BUILD", "FULL", "network_input", "simulate", "training_set"]

Floats = NDArray[np.float32]

BUILD: Config = {
    "n_train": 14_000,
    "n_test": 3_000,
    "n_volunteers": volunteers.VOLUNTEERS,
    "size": 48,
    "align": True,
    "network": "galaxy_cnn",
    "widths": (16, 32, 64, 128),
    "depths": (0, 1, 1, 1),
    "dense": 128,
    "head": "tree",
    "dropout": 0.0,
    "loss": "cross_entropy",
    "steps": 9_000,
    "batch_size": 32,
    "learning_rate": 5e-3,
    "weight_decay": 1e-4,
    "ema": 0.99,
    "augment": "mirror",
}
FULL: Config = {
    **BUILD,
    "n_train": 100_000,
    "n_test": 20_000,
    "widths": (24, 48, 96, 192),
    "depths": (1, 1, 1, 1),
    "dense": 256,
    "dropout": 0.1,
    "steps": 14_000,
    "batch_size": 64,
    "learning_rate": 4e-3,
    "ema": 0.995,
}


def simulate(
    config: Config,
    seed: int,
    *,
    n: int | None = None,
    workers: int = 1,
    progress: bool = False,
) -> Data:
    """A fresh test sky with its votes; no training ever sees it, whatever the seeds.

    Args:
        config: `n_test`, `size` and `n_volunteers` are used.
        seed: 0 or more.
        n: Number of galaxies; `n_test` by default.
        workers: Processes that draw side by side.
        progress: Show a progress bar.
    """
    sky = galaxies.simulate(
        n or config["n_test"],
        4 * seed + 2,
        size=config["size"],
        workers=workers,
        progress=progress,
    )
    votes = volunteers.poll(sky.probabilities, 4 * seed + 3, config["n_volunteers"])
    shown = network_input(sky.images, config)
    return Data(shown, sky.images, votes, sky.probabilities, dict(config))


def network_input(sky: Floats, config: Config = BUILD) -> NDArray[np.float16]:
    """What the network sees of images in units of the sky noise: stretched, aligned if asked.

    Args:
        sky: Shape (n, size, size, 3).
        config: Aligned if it has a true `align`.

    Returns:
        The same shape, float16: its steps are far below the noise, and memory is half.
    """
    images = np.empty(sky.shape, np.float16)
    for start in range(0, len(sky), 1024):  # in pieces, to keep the peak of memory low
        piece = sky[start : start + 1024]
        images[start : start + 1024] = galaxies.stretch(align(piece) if config["align"] else piece)
    return images


def training_set(
    config: Config, seed: int, *, workers: int = 1, progress: bool = False
) -> tuple[NDArray[Any], Floats]:
    """What the network is trained on: its input, and the votes.

    Args:
        config: `n_train`, `size` and `n_volunteers` are used.
        seed: 0 or more.
        workers: Processes that draw side by side.
        progress: Show a progress bar.

    Returns:
        Images, shape (n_train, size, size, 3), float16 for the sake of memory, and votes, shape
        (n_train, 37).
    """
    sky = galaxies.simulate(
        config["n_train"], 4 * seed, size=config["size"], workers=workers, progress=progress
    )
    votes = volunteers.poll(sky.probabilities, 4 * seed + 1, config["n_volunteers"])
    return network_input(sky.images, config), votes
