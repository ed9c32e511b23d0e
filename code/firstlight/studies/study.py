"""What a study is: a sky, a training and a test, at more than one scale."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Config", "Data", "Parts", "Study", "Trainer"]

Config = Mapping[str, Any]  # flat: names to numbers, strings, or tuples of numbers


@dataclass(frozen=True)
class Data:
    """Simulated galaxies as a network takes them.

    Args:
        images: Network input, shape (n, size, size, 3), stretched.
        sky: The same before the stretch, in units of the sky noise, for classical methods.
        votes: Shape (n, 37), of finitely many volunteers.
        probabilities: Shape (n, 37), the truth behind the votes.
        config: The configuration they were simulated with.
    """

    images: NDArray[np.float16]
    sky: NDArray[np.float32]
    votes: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    config: Config

    def __len__(self) -> int:
        return len(self.images)


class Trainer(Protocol):
    """How `Study.train` is called."""

    def __call__(
        self, config: Config, seed: int, out: Path, *, resume: bool = True, progress: bool = False
    ) -> Path:
        """Train, writing checkpoints, weights and card to `out`; returns the weights."""
        ...


@dataclass(frozen=True)
class Parts:
    """A training that is one fit on arrays, in its three parts: what can be shared out.

    Args:
        training_set: `training_set(config, seed, workers=...)`: images and targets.
        fit: `fit(config, images, targets, seed, checkpoint=..., resume=..., progress=...)`: the
            model and its history.
        keep: `keep(config, seed, out, model, facts)`: weights and card; returns the weights.
    """

    training_set: Callable[..., tuple[NDArray[Any], NDArray[np.float32]]]
    fit: Callable[..., tuple[Any, Any]]
    keep: Callable[[Config, int, Path, Any, Mapping[str, Any]], Path]


@dataclass(frozen=True)
class Study:
    """One landmark study, the same functions at every scale.

    Args:
        name: As on the command line.
        scales: `"build"` (live, within the chapter's budget) and `"full"` (GPU or overnight).
        simulate: `simulate(config, seed)`: a fresh test sky.
        train: See `Trainer`.
        evaluate: `evaluate(weights, data)`: metrics; `weights=None` takes those of the package.
        weights: Where the package keeps the full-scale weights.
        parts: The parts of `train`, where it is one fit on arrays; None where it is more.
    """

    name: str
    scales: Mapping[str, Config]
    simulate: Callable[[Config, int], Any]
    train: Trainer
    evaluate: Callable[[Path | None, Any], dict[str, float]]
    weights: Path
    parts: Parts | None = None
