"""Galaxy Zoo's stored runs: many seeds, fewer galaxies, networks and classical methods."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from firstlight.evaluation import floors, metrics
from firstlight.sky import galaxies, volunteers
from firstlight.studies.cards import Fingerprint
from firstlight.studies.galaxy_zoo import (
    BUILD,
    FULL,
    WEIGHTS,
    build_model,
    classical_votes,
    evaluate,
    fingerprint,
    fit_model,
    judged,
    network_input,
    simulate,
    train,
    training_set,
)
from firstlight.studies.stored import Band, Sweep, prediction_interval, read_run
from firstlight.studies.study import Config

__all__ = ["LADDER", "SWEEPS", "band", "measure_ensemble", "measure_seed", "measure_variant"]

ENSEMBLE = Path("_build") / "ensemble"


def measure_seed(seed: int) -> dict[str, float]:
    """Everything the chapter claims, under one seed: a row of the stored run of seeds.

    Args:
        seed: Of skies, votes and training.
    """
    from firstlight.models.galaxy_zoo import mean_predictor

    sky = galaxies.simulate(BUILD["n_train"], 4 * seed, size=BUILD["size"])
    votes = volunteers.poll(sky.probabilities, 4 * seed + 1, BUILD["n_volunteers"])
    data = simulate(BUILD, seed)
    found = judged(fit_model(BUILD, network_input(sky.images), votes, seed)[0], data)
    mean = np.broadcast_to(mean_predictor(votes), data.votes.shape)
    found["rmse_mean_predictor"] = metrics.rmse(data.votes, mean)
    classical = classical_votes(sky.images, votes, data.sky, seed)
    found["rmse_classical"] = metrics.rmse(data.votes, classical)
    found["over_classical"] = found["rmse_averaged"] / found["rmse_classical"]
    found["averaging_gain"] = 1 - found["rmse_averaged"] / found["rmse"]
    return found


def measure_variant(seed: int, **changes: Any) -> dict[str, float]:
    """Errors and cost of the build network with something changed.

    Args:
        seed: Of skies, votes and training.
        **changes: Overrides of `BUILD`.
    """
    config = {**BUILD, **changes}
    images, votes = training_set(config, int(seed))
    began = time.process_time()
    model, _ = fit_model(config, images, votes, int(seed))
    cpu_s = time.process_time() - began
    found = judged(model, simulate(config, int(seed)))
    return {**found, "parameters": float(model.count_params()), "train_cpu_s": cpu_s}


_AS_IT_LIES: Config = {"align": False, "augment": "symmetry"}
_SHORT: Config = {"steps": 1_000}  # the same for every rung; a fraction of the build's
LADDER: Mapping[str, Config] = {
    "plain network": {**_SHORT, **_AS_IT_LIES, "network": "plain_cnn", "head": "sigmoid",
                      "loss": "mse"},
    "+ question tree": {**_SHORT, **_AS_IT_LIES, "network": "plain_cnn"},
    "+ residual stages": {**_SHORT, **_AS_IT_LIES},
    "+ four rotated views": {**_SHORT, **_AS_IT_LIES, "network": "rotated_cnn", "turns": 4},
    "aligned instead": _SHORT,
}  # fmt: skip


def measure_rung(rung: str, seed: int) -> dict[str, float]:
    """One rung of the ladder of networks: see `LADDER`."""
    return measure_variant(int(seed), **LADDER[rung])


def measure_size(n_train: int, seed: int) -> dict[str, float]:
    """Errors after training on fewer galaxies, with the same number of steps."""
    return measure_variant(int(seed), n_train=int(n_train))


def measure_ensemble(seed: int, members: int) -> dict[str, float]:
    """What networks of full scale know together, and what infinitely many of them would.

    The members lie in `_build/ensemble/seed-<seed>`; those that are missing are trained.

    Args:
        seed: Of the first member and of the test sky; the others have the next seeds.
        members: How many networks, 2 or more.

    Returns:
        `rmse_member`, `rmse_ensemble`, `rmse_limit` (see `floors.ensemble_floor`), the same over
        the vote floor, and the floor.
    """
    from firstlight import training
    from firstlight.layers.augmentation import MIRRORS

    data = simulate(FULL, int(seed))
    predictions = []
    for member in range(int(seed), int(seed) + int(members)):
        weights = ENSEMBLE / f"seed-{member}" / WEIGHTS.name
        if not weights.with_suffix(".card.json").exists():
            train(FULL, member, weights.parent)
        model = training.load_weights(build_model(FULL), weights)
        predictions.append(training.predict(model, data.images, symmetries=MIRRORS))
    found = floors.ensemble_floor(data.votes, np.stack(predictions))
    floor = floors.vote_floor(data.probabilities, FULL["n_volunteers"])
    errors = {"member": found.member_rmse, "ensemble": found.ensemble_rmse, "limit": found.rmse}
    return {
        **{f"rmse_{name}": error for name, error in errors.items()},
        **{f"over_floor_{name}": error / floor for name, error in errors.items()},
        "rmse_vote_floor": floor,
    }


def measure_full(seed: int) -> dict[str, float]:
    """The package's full-scale weights on the test sky of a chapter run with this seed."""
    found = evaluate(None, simulate(BUILD, int(seed)))
    return {
        name: found[name] for name in ("rmse", "rmse_averaged", "rmse_vote_floor", "over_floor")
    }


CLASSICAL: tuple[Config, ...] = (
    {"kind": "extra_trees", "trees": 100, "leaf": 3, "share": 0.4},  # the one on the page
    {"kind": "extra_trees", "trees": 300, "leaf": 2, "share": 0.6},
    {"kind": "boosting", "trees": 100, "leaf": 20, "share": 0.4},
)


def measure_classical(
    kind: str, trees: int, leaf: int, share: float, seed: int
) -> dict[str, float]:
    """Error and cost of one setting of the classical baseline.

    Args:
        kind: See `evaluation.classical.classical_regressor`, as for the next three.
        trees: Number of trees, or of boosting rounds.
        leaf: Fewest galaxies in a leaf.
        share: Share of the features tried at each split.
        seed: Of skies, votes and trees.

    Returns:
        `rmse` on the test sky, and `fit_cpu_s`, the features not counted.
    """
    from firstlight.evaluation.classical import classical_regressor

    features, votes, unseen, answers = _classical_sky(int(seed))
    began = time.process_time()
    regressor = classical_regressor(
        kind, trees=int(trees), leaf=int(leaf), share=share, seed=int(seed)
    ).fit(features, votes)
    cpu_s = time.process_time() - began
    return {"rmse": metrics.rmse(answers, regressor.predict(unseen)), "fit_cpu_s": cpu_s}


@cache
def _classical_sky(seed: int) -> tuple[Any, Any, Any, Any]:
    """Features and votes of a training and a test sky at build scale."""
    from firstlight.evaluation.classical import classical_features

    sky = galaxies.simulate(BUILD["n_train"], 4 * seed, size=BUILD["size"])
    votes = volunteers.poll(sky.probabilities, 4 * seed + 1, BUILD["n_volunteers"])
    features = classical_features(sky.images)[0]
    del sky
    data = simulate(BUILD, seed)
    return features, votes, classical_features(data.sky)[0], data.votes


def _fingerprint_of_full() -> Fingerprint:
    return fingerprint(FULL)


def _fingerprint_of_build() -> Fingerprint:
    return fingerprint(BUILD)


SWEEPS = {
    "galaxy-zoo-seeds": Sweep(
        "galaxy-zoo-seeds",
        [{"seed": seed} for seed in range(101, 111)],
        measure_seed,
        _fingerprint_of_build,
    ),
    "galaxy-zoo-size": Sweep(
        "galaxy-zoo-size",
        [{"n_train": n, "seed": 201} for n in (1500, 5000)],
        measure_size,
        _fingerprint_of_build,
    ),
    "galaxy-zoo-ladder": Sweep(
        "galaxy-zoo-ladder",
        [{"rung": rung, "seed": seed} for seed in (301, 302) for rung in LADDER],
        measure_rung,
        _fingerprint_of_build,
    ),
    "galaxy-zoo-classical": Sweep(
        "galaxy-zoo-classical",
        [{**setting, "seed": 601} for setting in CLASSICAL],
        measure_classical,
        _fingerprint_of_build,
    ),
    "galaxy-zoo-full": Sweep(
        "galaxy-zoo-full",
        [{"seed": seed} for seed in range(101, 111)],
        measure_full,
        _fingerprint_of_full,
    ),
    "galaxy-zoo-ensemble": Sweep(
        "galaxy-zoo-ensemble",
        [{"seed": 1, "members": 2}],
        measure_ensemble,
        _fingerprint_of_full,
    ),
}


def band(metric: str, confidence: float = 0.999, folder: Path | None = None) -> Band:
    """The prediction interval of one metric, from the stored run of seeds.

    Args:
        metric: A column of `galaxy-zoo-seeds`, such as `rmse_averaged`.
        confidence: Probability that the next seed lies inside.
        folder: Of the stored run; the package's by default.
    """
    rows = read_run("galaxy-zoo-seeds", folder)
    if metric not in rows[0]:
        raise ValueError(f"metric: received {metric!r}, expected one of {', '.join(rows[0])}.")
    return prediction_interval([row[metric] for row in rows], confidence)
