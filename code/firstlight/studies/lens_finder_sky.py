"""The lens finder: its scales, and the skies that it is trained and examined on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from firstlight.sky import lenses
from firstlight.studies.study import Config

__all__ = ["BUILD", "FULL", "HARD", "simulate", "training_set"]

_TRAINING = 2**60
BUILD: Config = {
    "n_train": 16_000,
    "n_test": 11_700,
    "lens_fraction_test": 0.13,
    "bands": ("g",),
    "impostors": "plain",
    "size": 48,
    "stem": 16,
    "widths": (32, 64, 128),
    "depths": (1, 2, 2),
    "ratio": 4,
    "activation": "elu",
    "dropout": 0.0,
    "channels": ("image", "half_turn", "isophotes"),
    "crop": 4,
    "steps": 3_200,
    "batch_size": 32,
    "learning_rate": 4e-3,
    "weight_decay": 1e-4,
    "ema": 0.99,
}
FULL: Config = {
    **BUILD,
    "n_train": 64_000,
    "crop": 0,
    "n_test": 24_000,
    "stem": 24,
    "widths": (48, 96, 192),
    "depths": (2, 2, 2),
    "steps": 11_000,
    "batch_size": 64,
    "learning_rate": 3e-3,
    "weight_decay": 5e-4,
    "ema": 0.995,
}
HARD: Config = {**FULL, "bands": ("g", "r", "i"), "impostors": "mixed"}


def simulate(
    config: Config,
    seed: int,
    *,
    n: int | None = None,
    impostors: str | None = None,
    workers: int = 1,
) -> lenses.Lenses:
    """A fresh test sky; no training ever sees it, whatever the seeds.

    Args:
        config: `n_test`, `lens_fraction_test`, `bands`, `impostors` and `size` are used.
        seed: 0 or more.
        n: Number of stamps; `n_test` by default.
        impostors: `"plain"` or `"hard"`; by default those of the configuration, and `"hard"`
            for a network that was trained on a mixture: the two test sets are never mixed.
        workers: Processes that draw side by side.
    """
    kind = impostors or ("hard" if config["impostors"] == "mixed" else config["impostors"])
    return lenses.simulate(
        n or config["n_test"],
        seed=4 * seed + (3 if kind == "hard" else 2),
        bands=tuple(config["bands"]),
        lens_fraction=config["lens_fraction_test"],
        impostors=kind,
        size=config["size"],
        workers=workers,
    )


def training_set(
    config: Config, seed: int, *, workers: int = 1
) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
    """What the network is trained on: half of them lenses.

    Args:
        config: `n_train`, `bands`, `impostors` and `size` are used.
        seed: 0 or more.
        workers: Processes that draw side by side.

    Returns:
        Images, shape (n_train, size, size, bands), in units of the sky noise (float16: its steps
        are below the noise wherever an arc could hide), and labels, shape (n_train, 1).
    """
    images = np.empty((config["n_train"], config["size"], config["size"], len(config["bands"])),
                      np.float16)  # fmt: skip
    labels = np.empty((config["n_train"], 1), np.float32)
    piece = 2_048  # a stamp's truth is a hundred numbers: keep few at a time
    for part, start in enumerate(range(0, len(images), piece)):
        end = min(start + piece, len(images))
        sky = lenses.simulate(
            end - start,
            seed=_TRAINING + 10_000 * seed + part,  # no test sky has such a seed
            bands=tuple(config["bands"]),
            impostors=config["impostors"],
            size=config["size"],
            workers=workers,
        )
        images[start:end] = np.clip(sky.images, -6e4, 6e4)
        labels[start:end, 0] = sky.labels
    return images, labels
