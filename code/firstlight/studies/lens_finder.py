"""The lens finder: from a simulated sky to trained weights and what they find.

The sky and the scales stand in `lens_finder_sky`.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.evaluation import detection
from firstlight.evaluation.completeness import completeness
from firstlight.sky import lenses
from firstlight.studies import full_scale
from firstlight.studies.cards import Fingerprint, Verdict, architecture_digest, digest
from firstlight.studies.lens_finder_sky import BUILD, FULL, HARD, simulate, training_set
from firstlight.studies.study import Config, Study

__all__ = ["BUILD", "FULL", "HARD", "HARD_WEIGHTS", "STUDY", "VIEWS", "WEIGHTS", "build_model",
           "check", "evaluate", "fingerprint", "fit_model", "judged", "looks", "score", "simulate",
           "train", "training_set"]  # fmt: skip

Floats = NDArray[np.float32]

_FOLDER = Path(__file__).parents[1] / "models" / "weights"
WEIGHTS = _FOLDER / "lens-finder.npz"
HARD_WEIGHTS = _FOLDER / "lens-finder-hard.npz"
SEED_OF_FINGERPRINT = 20_181_703  # any fixed number
VIEWS = (0, 1, 4, 5)  # a half turn only changes the sign of one channel: four looks do for eight


def build_model(config: Config) -> Any:
    """The Keras model that a configuration describes."""
    from firstlight.models import lens_finder as networks

    keys = ("size", "stem", "widths", "depths", "ratio", "activation", "dropout", "channels",
            "crop")  # fmt: skip
    return networks.lens_finder(bands=len(config["bands"]), **{key: config[key] for key in keys})


def fit_model(
    config: Config,
    images: NDArray[Any],
    labels: Floats,
    seed: int,
    *,
    checkpoint: Path | None = None,
    resume: bool = True,
    progress: bool = False,
) -> tuple[Any, Any]:
    """Build, compile and train the network of a configuration.

    Args:
        config: Everything but the sky.
        images: Shape (n, size, size, bands), in units of the sky noise.
        labels: Shape (n, 1), 1 for a lens.
        seed: Of weights, order, dropout and augmentation.
        checkpoint: See `training.fit`.
        resume: See `training.fit`.
        progress: Show a progress bar.

    Returns:
        The trained model and its history.
    """
    from firstlight.layers.augmentation import random_symmetry

    return full_scale.fit(
        build_model,
        config,
        images,
        labels,
        seed,
        loss="binary_crossentropy",
        augment=random_symmetry,
        checkpoint=checkpoint,
        resume=resume,
        progress=progress,
    )


def looks(
    model: Any, images: NDArray[Any], views: tuple[int, ...] = VIEWS, *, batch_size: int = 256
) -> Floats:
    """The probability of a lens for each image, from several turned or mirrored views of it.

    Args:
        model: From `fit_model` or `build_model`.
        images: Shape (n, size, size, bands), in units of the sky noise.
        views: Symmetries, as `augmentation.dihedral` numbers them.
        batch_size: Images at a time.

    Returns:
        Shape (views, n).
    """
    from firstlight.layers.augmentation import dihedral

    channels, rest = _halves(model)
    out = np.empty((len(views), len(images)), np.float32)
    for start in range(0, len(images), batch_size):
        rows = slice(start, start + batch_size)
        shown = np.asarray(channels.predict_on_batch(np.asarray(images[rows], np.float32)))
        for line, view in zip(out, views, strict=True):
            turned = np.ascontiguousarray(dihedral(shown, view))
            line[rows] = np.asarray(rest.predict_on_batch(turned))[:, 0]
    return out


@lru_cache(maxsize=2)
def _halves(model: Any) -> tuple[Any, Any]:
    from firstlight.models import lens_finder as networks

    return networks.halves(model)


def score(model: Any, images: NDArray[Any], views: tuple[int, ...] = VIEWS) -> Floats:
    """The mean over several views: see `looks`.

    Args:
        model: From `fit_model` or `build_model`.
        images: Shape (n, size, size, bands), in units of the sky noise.
        views: Symmetries, as `augmentation.dihedral` numbers them.

    Returns:
        Shape (n,).
    """
    return np.asarray(looks(model, images, views).mean(axis=0), np.float32)


def train(
    config: Config, seed: int, out: Path, *, resume: bool = True, progress: bool = False
) -> Path:
    """Simulate, train, evaluate; write `lens-finder.npz` (or `lens-finder-hard.npz`) and its card.

    Args:
        config: `BUILD`, `FULL`, `HARD`, or one like them.
        seed: Of everything.
        out: Folder for checkpoint, training set, weights and card.
        resume: Continue from the checkpoint, if there is one.
        progress: Show a progress bar.

    Returns:
        The weights.
    """
    out, watch = Path(out), full_scale.Stopwatch()
    workers = max(1, (os.cpu_count() or 1) // 2 if config["n_train"] > 50_000 else 1)
    images, labels = training_set(config, seed, workers=workers)
    model, history = fit_model(config, images, labels, seed, checkpoint=out / "checkpoint.npz",
                               resume=resume, progress=progress)  # fmt: skip
    name = HARD_WEIGHTS.name if config["impostors"] == "mixed" else WEIGHTS.name
    train_cpu_s = round(history.cpu_s[-1], 1) if history.cpu_s else 0.0
    return full_scale.keep(
        STUDY, config, seed, model, out / name, fingerprint(config),
        {**watch.read(), "train_cpu_s": train_cpu_s},
        lambda weights: evaluate(weights, simulate(config, seed + 1, workers=workers)),
        # Weights do not change when they are measured again, only the test sky does.
        lambda found: {
            name: (found[name] - half, min(1.0, found[name] + half))
            for name, half in (("auroc", 0.004), ("completeness", 0.05))
        },
    )  # fmt: skip


def evaluate(weights: Path | None, data: lenses.Lenses) -> dict[str, float]:
    """What stored weights find on a test sky.

    Args:
        weights: An npz file beside its card; None for those of the package.
        data: From `simulate`, in the bands of the weights.

    Returns:
        See `judged`.
    """
    return judged(full_scale.load(STUDY, weights, build_model), data)


def judged(model: Any, data: lenses.Lenses) -> dict[str, float]:
    """The paper's metrics of a model in memory, for gold lenses against all non-lenses.

    Args:
        model: The network.
        data: A test sky.

    Returns:
        `auroc` and `completeness` (at 99 % rejection) of gold lenses, the same with one look
        (`_once`) and of all lenses (`_all`).
    """
    found: dict[str, float] = {}
    gold, other = data.gold, data.labels == 0
    each = looks(model, data.images)
    averaged, once = each.mean(axis=0), each[0]
    for name, values, wanted in (("", averaged, gold), ("_once", once, gold),
                                 ("_all", averaged, data.labels == 1)):  # fmt: skip
        rows = wanted | other
        found[f"auroc{name}"] = detection.auroc(values[rows], wanted[rows]).value
        share = completeness(values[rows], wanted[rows], repeats=100)
        found[f"completeness{name}"] = share.value
    return found


def fingerprint(config: Config) -> Fingerprint:
    """What a result with this configuration depends on, as things are now."""
    sky = lenses.simulate(64, seed=SEED_OF_FINGERPRINT, bands=tuple(config["bands"]),
                          impostors=config["impostors"], size=config["size"])  # fmt: skip
    levels = np.quantile(np.arcsinh(sky.images), np.linspace(0.02, 0.98, 25), axis=(0, 1, 2))
    return Fingerprint(
        architecture=architecture_digest(build_model(config)),
        training=digest(full_scale.tuples(config)),
        simulator=(*sky.labels[:16].tolist(), *levels.ravel().tolist()),
    )


def check(write: bool = True, weights: Path = WEIGHTS) -> Verdict:
    """Do the package's full-scale weights still belong to this code? See `cards.check_card`."""
    return full_scale.check(STUDY, weights, fingerprint, simulate, write=write)


STUDY = Study(
    "lens-finder", {"build": BUILD, "full": FULL, "full-hard": HARD}, simulate, train, evaluate,
    WEIGHTS,
)  # fmt: skip
