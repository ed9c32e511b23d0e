"""RR Lyrae in a reader's own light curves: what the network takes, and how it is judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.studies import full_scale, rr_lyrae
from firstlight.studies import rr_lyrae_sky as skies
from firstlight.studies.cards import read_card
from firstlight.studies.curve_inputs import CurveInput, Padded
from firstlight.studies.own_data import Metric, Scored, Task, binary_metrics, yes_or_no
from firstlight.studies.study import Config

__all__ = ["FEWEST", "accepts", "home", "periods", "task"]

FEWEST = 15


def home(n: int, seed: int) -> Padded:
    """Stars of the training sky, their periods not given.

    Args:
        n: How many.
        seed: 0 or more.
    """
    sky = skies.light_curves(n, seed, part="validation", survey="both")
    return Padded(*sky.curves, np.full(n, np.nan))


def periods(model: Any, config: Config, curves: Padded) -> NDArray[np.float64]:
    """Given periods, and where there are none the candidate that the network believes most.

    Args:
        model: The network.
        config: `candidates` and `points` are used.
        curves: Padded light curves.

    Returns:
        In days, (n,).
    """
    found = np.array(curves.period_days, float)
    rows = np.flatnonzero(~np.isfinite(found))
    if len(rows):
        some = tuple(np.asarray(a)[rows] for a in curves[:4])
        days = skies.candidates_of(some, config["candidates"])
        believed = rr_lyrae.predict(model, skies.folded(some, days, config["points"]))
        found[rows] = days[np.arange(len(rows)), believed.argmax(axis=1)]
    return found


def accepts(config: Config, model: Any) -> CurveInput:
    """The declaration of a network with this configuration.

    Args:
        config: `candidates` and `points` are used.
        model: The network, which chooses between periods.
    """
    return CurveInput(
        fewest=FEWEST,
        most=config["points"],
        band="K_s as VVV measures it and I, 20 to 75 visits over years, S/N from 10 to 1000",
        free="band from red to infrared, zero point, amplitude: a curve is divided by its own "
        "standard deviation",
        home=home,
        fold=lambda curves: periods(model, config, curves),
    )


def task(weights: Path | None, scale: str = "full") -> Task:
    """The stored network.

    Args:
        weights: An npz file beside its card; None for those of the package.
        scale: There is one.
    """
    path = Path(weights) if weights is not None else rr_lyrae.WEIGHTS
    model = full_scale.load(rr_lyrae.STUDY, path, rr_lyrae.build_model)
    config = full_scale.tuples(read_card(path.with_suffix(".card.json"))["config"])

    def score(curves: Padded) -> Scored:
        folds = skies.folded(curves[:4], np.asarray(curves.period_days)[:, None], config["points"])
        return yes_or_no(rr_lyrae.predict(model, folds)[:, 0], "other", "RRab")

    return Task(
        "rr-lyrae", accepts(config, model),
        "probability of an RRab star on its true period, if one star in three were one",
        score, {"RRab": 1, "ab": 1, "RRc": 0, "c": 0, "Cep": 0, "T2Cep": 0, "EB": 0,
                "constant": 0, "other": 0},
        _judge, lambda labels: np.asarray(labels) == 1,
        "Of the training stars one in three was RRab. Among all stars it is one in many thousands: "
        "select what varies first, and count false alarms by hand.",
        path,
    )  # fmt: skip


def _judge(labels: NDArray[Any], scored: Scored) -> list[Metric]:
    return binary_metrics(labels, scored.scores)
