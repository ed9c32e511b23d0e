"""The lens finder on a reader's own stamps: what it takes, and how it is judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.evaluation.completeness import completeness
from firstlight.sky import lenses
from firstlight.studies import full_scale, lens_finder
from firstlight.studies.cards import read_card
from firstlight.studies.inputs import ImageInput
from firstlight.studies.own_data import Metric, Scored, Task, binary_metrics, yes_or_no
from firstlight.studies.study import Config

__all__ = ["accepts", "task"]


def accepts(config: Config) -> ImageInput:
    """The declaration of a network with this configuration.

    Args:
        config: `bands`, `size` and `impostors` are used.
    """

    def home(n: int, seed: int) -> NDArray[np.float32]:
        return lenses.simulate(n, seed=seed, bands=tuple(config["bands"]), size=config["size"],
                               impostors=config["impostors"]).images  # fmt: skip

    return ImageInput(
        bands=tuple(config["bands"]),
        size=config["size"],
        pixel_arcsec=0.2,
        frame=f"the candidate galaxy in the middle of {config['size'] * 0.2:g} arcsec, pixels of "
        "0.2 arcsec as those of the Rubin Observatory",
        free="seeing from about 0.65 to 1.05 arcsec; any linear unit; any calibration",
        home=home,
    )


def task(weights: Path | None, scale: str = "full") -> Task:
    """The stored network.

    Args:
        weights: An npz file beside its card; None for those of the package.
        scale: "full-hard" takes the package's weights for three bands and hard impostors.
    """
    default = lens_finder.HARD_WEIGHTS if scale == "full-hard" else lens_finder.WEIGHTS
    path = Path(weights) if weights is not None else default
    model = full_scale.load(lens_finder.STUDY, path, lens_finder.build_model)
    config = full_scale.tuples(read_card(path.with_suffix(".card.json"))["config"])

    def score(images: NDArray[np.float32]) -> Scored:
        scores = lens_finder.score(model, images)
        return yes_or_no(scores, "no lens", "lens")

    return Task(
        "lens-finder", accepts(config), "probability of a lens, if half of all stamps were lenses",
        score, {"lens": 1, "no lens": 0, "nonlens": 0, "other": 0}, _judge,
        lambda labels: np.asarray(labels) == 1,
        "Half of the training stamps were lenses. On the sky it is one galaxy in thousands: of "
        "the stamps that score above one half, most will be none "
        "(`firstlight.evaluation.prevalence.at_prevalence` turns one prior into another).",
        path,
    )  # fmt: skip


def _judge(labels: NDArray[Any], scored: Scored) -> list[Metric]:
    found = binary_metrics(labels, scored.scores)
    y = np.asarray(labels)
    if (y == 0).sum() >= 100 and (y == 1).any():  # with fewer, 99 % of them means all
        found.insert(1, Metric("completeness at 99 % rejection", completeness(scored.scores, y),
                               "lenses found where one non-lens in a hundred passes"))  # fmt: skip
    return found
