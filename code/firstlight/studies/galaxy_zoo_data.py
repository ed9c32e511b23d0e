"""Galaxy Zoo on a reader's own stamps: what the network takes, and how it is judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight import training
from firstlight.evaluation import metrics
from firstlight.layers.augmentation import MIRRORS
from firstlight.sky import galaxies, gz2_tree
from firstlight.sky.surveys import BANDS
from firstlight.studies import full_scale, galaxy_zoo
from firstlight.studies.cards import read_card
from firstlight.studies.inputs import ImageInput
from firstlight.studies.own_data import Metric, Scored, Task, binary_metrics
from firstlight.studies.study import Config

__all__ = ["accepts", "task"]

FIRST = gz2_tree.slices("smooth_or_features")
NAMES = np.array(gz2_tree.QUESTIONS[0].answers)
FEATURES = int(np.flatnonzero(NAMES == "features")[0])


def accepts(config: Config) -> ImageInput:
    """The declaration of a network with this configuration.

    Args:
        config: `size` is used.
    """
    return ImageInput(
        bands=tuple(BANDS),
        size=config["size"],
        pixel_arcsec=None,
        frame="one galaxy in the middle; the side is 2.4 times the radius that holds 90 % of its "
        "light (`firstlight.sky.population.STAMP_IN_R90`), whatever the pixel",
        free="pixel scale, seeing, any linear unit; the galaxy's orientation (it is turned)",
        home=lambda n, seed: galaxies.simulate(n, seed, size=config["size"]).images,
    )


def task(weights: Path | None, scale: str = "full") -> Task:
    """The stored network.

    Args:
        weights: An npz file beside its card; None for those of the package.
        scale: There is one.
    """
    path = Path(weights) if weights is not None else galaxy_zoo.WEIGHTS
    model = full_scale.load(galaxy_zoo.STUDY, path, galaxy_zoo.build_model)
    config = full_scale.tuples(read_card(path.with_suffix(".card.json"))["config"])
    symmetries = MIRRORS if config["align"] else 8

    def score(images: NDArray[np.float32]) -> Scored:
        shown = galaxy_zoo.network_input(images, config)
        votes = training.predict(model, shown, symmetries=symmetries)
        first = votes[:, FIRST]
        return Scored(first[:, FEATURES], NAMES[first.argmax(axis=1)], votes)

    return Task(
        "galaxy-zoo", accepts(config), "share of volunteers who would see a disk or features",
        score, {name: code for code, name in enumerate(NAMES.tolist())}, _judge,
        lambda labels: np.asarray(labels) == FEATURES,
        "The numbers are votes, not probabilities: 0.4 means that four volunteers in ten would "
        "say so of this galaxy.",
        path,
        columns=gz2_tree.ANSWERS,
        votes=gz2_tree.N_ANSWERS,
        judge_votes=_judge_votes,
        positive_votes=lambda votes: votes[:, FIRST][:, FEATURES],
    )  # fmt: skip


def _judge(labels: NDArray[Any], scored: Scored) -> list[Metric]:
    """Of people who gave each galaxy one word: smooth, features, star."""
    from firstlight.evaluation.detection import wilson

    right = scored.classes == NAMES[labels]
    low, high = wilson(right.sum(), len(right))
    share = metrics.Interval(float(right.mean()), float(low), float(high))
    agreed = Metric("agreement", share, "the most voted answer is the label")
    return [agreed, *binary_metrics(np.asarray(labels) == FEATURES, scored.scores)]


def _judge_votes(votes: NDArray[Any], scored: Scored) -> list[Metric]:
    """Of 37 vote fractions."""
    error = metrics.bootstrap_rmse(votes, scored.more)
    first = metrics.bootstrap_rmse(votes[:, FIRST], scored.more[:, FIRST])
    return [
        Metric("RMSE", error, "of the 37 vote fractions, the metric of the challenge"),
        Metric("RMSE, first question", first, "smooth, features or star"),
    ]
