"""Mergers on a reader's own stamps: what the network takes, and how it is judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.sky import mergers as sky
from firstlight.sky.surveys import BANDS
from firstlight.studies import full_scale, mergers
from firstlight.studies.cards import read_card
from firstlight.studies.inputs import ImageInput
from firstlight.studies.own_data import Metric, Scored, Task, binary_metrics, yes_or_no
from firstlight.studies.study import Config

__all__ = ["accepts", "task"]


def accepts(config: Config) -> ImageInput:
    """The declaration of a network with this configuration.

    Args:
        config: `size` is used.
    """
    return ImageInput(
        bands=tuple(BANDS),
        size=config["size"],
        pixel_arcsec=None,
        frame="the galaxy or pair in the middle; the side is about four times the radius of its "
        "light (`firstlight.sky.mergers.FIELD`), whatever the pixel",
        free="pixel scale, seeing, any linear unit; the depth of a coadd is what it learned on",
        home=lambda n, seed: np.asarray(
            sky.simulate(n, seed, size=config["size"]).images, np.float32
        ),
    )


def task(weights: Path | None, scale: str = "full") -> Task:
    """The stored network that began with the weights of Galaxy Zoo.

    Args:
        weights: An npz file beside its card; None for those of the package.
        scale: There is one.
    """
    path = Path(weights) if weights is not None else mergers.WEIGHTS
    model = full_scale.load(mergers.STUDY, path, mergers.build_model)
    config = full_scale.tuples(read_card(path.with_suffix(".card.json"))["config"])

    def score(images: NDArray[np.float32]) -> Scored:
        scores = mergers.predict(model, mergers.network_input(images), symmetries=4)
        return yes_or_no(scores, "no merger", "merger")

    return Task(
        "mergers", accepts(config), "probability of a merger, if half of all stamps were mergers",
        score, {"merger": 1, "no merger": 0, "isolated": 0, "superposition": 0, "other": 0}, _judge,
        lambda labels: np.asarray(labels) == 1,
        "Half of the training stamps were mergers. In the field it is a few in a hundred: to turn "
        "the share of yeses into a merger fraction, use "
        "`firstlight.evaluation.transfer_tests.corrected_fraction`.",
        path,
    )  # fmt: skip


def _judge(labels: NDArray[Any], scored: Scored) -> list[Metric]:
    return binary_metrics(labels, scored.scores)
