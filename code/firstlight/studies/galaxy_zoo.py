"""Galaxy Zoo: from a simulated sky and its volunteers to trained weights and their errors.

The sky and the two scales stand in `galaxy_zoo_sky`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.evaluation import floors, metrics
from firstlight.sky import galaxies, gz2_tree
from firstlight.studies import full_scale
from firstlight.studies.cards import Fingerprint, Verdict, architecture_digest, digest
from firstlight.studies.galaxy_zoo_sky import BUILD, FULL, network_input, simulate, training_set
from firstlight.studies.study import Config, Data, Parts, Study

__all__ = [
    "BUILD",
    "FULL",
    "STUDY",
    "build_model",
    "check",
    "classical_votes",
    "evaluate",
    "fingerprint",
    "fit_model",
    "keep",
    "network_input",
    "scores",
    "simulate",
    "train",
    "training_set",
]

Floats = NDArray[np.float32]

WEIGHTS = Path(__file__).parents[1] / "models" / "weights" / "galaxy-zoo.npz"
SEED_OF_FINGERPRINT = 20_151_441  # any fixed number


def build_model(config: Config) -> Any:
    """The Keras model that a configuration describes."""
    from firstlight.models import galaxy_zoo as networks

    shared = ("size", "dense", "head", "dropout")
    wanted = {
        "plain_cnn": (*shared, "width"),
        "galaxy_cnn": (*shared, "widths", "depths"),
        "rotated_cnn": (*shared, "widths", "depths", "turns", "flips", "merge"),
    }
    name = config["network"]
    if name not in wanted:
        raise ValueError(f"network: received {name!r}, expected one of {', '.join(wanted)}.")
    return getattr(networks, name)(**{key: config[key] for key in wanted[name] if key in config})


def _augmentation(name: str) -> Any:
    from firstlight.layers.augmentation import random_mirror, random_symmetry, random_warp

    def both(images: Floats, rng: np.random.Generator) -> Floats:
        return random_warp(random_symmetry(images, rng), rng)

    known = {"none": None, "mirror": random_mirror, "symmetry": random_symmetry, "warp": both}
    if name not in known:
        raise ValueError(f"augment: received {name!r}, expected one of {', '.join(known)}.")
    return known[name]


def fit_model(
    config: Config,
    images: NDArray[Any],
    votes: Floats,
    seed: int,
    *,
    checkpoint: Path | None = None,
    resume: bool = True,
    progress: bool = False,
) -> tuple[Any, Any]:
    """Build, compile and train the network of a configuration.

    Args:
        config: Everything but the sky.
        images: Stretched images, shape (n, size, size, 3).
        votes: Shape (n, 37).
        seed: Of weights, order, dropout and augmentation.
        checkpoint: See `training.fit`.
        resume: See `training.fit`.
        progress: Show a progress bar.

    Returns:
        The trained model and its history.
    """
    from firstlight.models.galaxy_zoo import tree_loss

    losses = {"cross_entropy": tree_loss(), "mse": "mse"}
    if config["loss"] not in losses:
        raise ValueError(f"loss: received {config['loss']!r}, expected {' or '.join(losses)}.")
    return full_scale.fit(
        build_model,
        config,
        images,
        votes,
        seed,
        loss=losses[config["loss"]],
        augment=_augmentation(config["augment"]),
        checkpoint=checkpoint,
        resume=resume,
        progress=progress,
    )


def train(
    config: Config, seed: int, out: Path, *, resume: bool = True, progress: bool = False
) -> Path:
    """Simulate, train, evaluate; write `galaxy-zoo.npz` and its card.

    Args:
        config: `BUILD`, `FULL`, or one like them.
        seed: Of everything.
        out: Folder for checkpoint, weights and card.
        resume: Continue from the checkpoint, if there is one.
        progress: Show progress bars.

    Returns:
        The weights.
    """
    out, watch = Path(out), full_scale.Stopwatch()
    images, votes = training_set(config, seed, workers=_workers(config), progress=progress)
    model, _ = fit_model(
        config,
        images,
        votes,
        seed,
        checkpoint=out / "checkpoint.npz",
        resume=resume,
        progress=progress,
    )
    return keep(config, seed, out, model, watch.read(), progress=progress)


def keep(
    config: Config, seed: int, out: Path, model: Any, facts: Mapping[str, Any],
    *, progress: bool = False,
) -> Path:  # fmt: skip
    """Write a trained network and its card, with what it says of a fresh sky.

    Args:
        config: The network was trained with.
        seed: Likewise.
        out: Folder for weights and card.
        model: The network.
        facts: More for the card, such as times.
        progress: Show a progress bar.

    Returns:
        The weights.
    """
    workers = _workers(config)
    return full_scale.keep(
        STUDY, config, seed, model, out / WEIGHTS.name, fingerprint(config), facts,
        lambda weights: evaluate(
            weights, simulate(config, seed + 1, workers=workers, progress=progress)
        ),
        # Weights do not change when they are measured again, only the test sky does: two per
        # cent is many times what one test sky differs from another.
        lambda found: {
            name: (found[name] * 0.98, found[name] * 1.02) for name in ("rmse", "rmse_averaged")
        },
    )  # fmt: skip


def _workers(config: Config) -> int:
    return max(1, (os.cpu_count() or 1) if config["n_train"] > 30_000 else 1)


def scores(votes: Floats, predicted: Floats) -> dict[str, float]:
    """Errors of predicted votes, and by how much they break the decision tree.

    Args:
        votes: Observed, shape (n, 37).
        predicted: Same shape.
    """
    broken = 0.0
    for index in range(len(gz2_tree.QUESTIONS)):
        column = gz2_tree.parent_column(index)
        asked = 1.0 if column is None else predicted[:, column]
        total = predicted[:, gz2_tree.slices(index)].sum(axis=1)
        broken = max(broken, float(np.abs(total - asked).max()))
    return {
        "rmse": metrics.rmse(votes, predicted),
        "calibration_error": metrics.calibration(votes, predicted).error,
        "bias": float(np.abs((predicted - votes).mean(axis=0)).max()),
        "tree_violation": broken,
    }


def evaluate(weights: Path | None, data: Data) -> dict[str, float]:
    """Errors of stored weights on a test sky.

    Args:
        weights: An npz file beside its card; None for those of the package.
        data: From `simulate`.

    Returns:
        `rmse` of one look, `rmse_averaged` over the eight symmetries, and their company.
    """
    return judged(full_scale.load(STUDY, weights, build_model), data)


def judged(model: Any, data: Data) -> dict[str, float]:
    """The metrics of a model in memory on a test sky; see `evaluate`."""
    from firstlight import training
    from firstlight.layers.augmentation import MIRRORS

    once = training.predict(model, data.images)
    symmetries = MIRRORS if data.config["align"] else 8
    averaged = training.predict(model, data.images, symmetries=symmetries)
    floor = floors.vote_floor(data.probabilities, data.config["n_volunteers"])
    found = scores(data.votes, once)
    found["rmse_averaged"] = metrics.rmse(data.votes, averaged)
    found["rmse_vote_floor"] = floor
    found["over_floor"] = found["rmse_averaged"] / floor
    found["rmse_truth"] = metrics.rmse(data.probabilities, averaged)
    return found


def fingerprint(config: Config) -> Fingerprint:
    """What a result with this configuration depends on, as things are now."""
    sky = galaxies.simulate(64, SEED_OF_FINGERPRINT, size=config["size"])
    levels = np.quantile(galaxies.stretch(sky.images), np.linspace(0.02, 0.98, 13), axis=(0, 1, 2))
    return Fingerprint(
        architecture=architecture_digest(build_model(config)),
        training=digest(full_scale.tuples(config)),
        simulator=(*sky.probabilities.mean(axis=0).tolist(), *levels.ravel().tolist()),
    )


def check(write: bool = True, weights: Path = WEIGHTS) -> Verdict:
    """Do the package's full-scale weights still belong to this code? See `cards.check_card`."""
    return full_scale.check(STUDY, weights, fingerprint, simulate, write=write)


def classical_votes(train_sky: Floats, votes: Floats, test_sky: Floats, seed: int = 0) -> Floats:
    """What the classical baseline says of the test galaxies.

    Args:
        train_sky: Images in units of the sky noise, shape (n, size, size, 3).
        votes: Their votes, shape (n, 37).
        test_sky: As `train_sky`.
        seed: Of the forest.

    Returns:
        Predicted votes of the test galaxies.
    """
    from firstlight.evaluation.classical import classical_features, classical_regressor

    forest = classical_regressor(seed=seed).fit(classical_features(train_sky)[0], votes)
    return forest.predict(classical_features(test_sky)[0]).astype(np.float32)


STUDY = Study(
    "galaxy-zoo", {"build": BUILD, "full": FULL}, simulate, train, evaluate, WEIGHTS,
    Parts(training_set, fit_model, keep),
)  # fmt: skip
