"""Mergers: simulated encounters, a network that starts somewhere, and how often it errs.

After Ackermann et al. (2018, MNRAS 479, 415): the same network from random weights and from
weights that another task has left behind.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.evaluation.transfer_tests import error_rate
from firstlight.sky import galaxies, mergers
from firstlight.studies import full_scale
from firstlight.studies.cards import Fingerprint, Verdict, architecture_digest, digest
from firstlight.studies.study import Config, Study

__all__ = ["BUILD", "FULL", "SCRATCH", "STARTS", "STUDY", "WEIGHTS", "balanced", "build_model",
           "check", "evaluate", "fingerprint", "fit_model", "load", "network_input", "predict",
           "simulate", "train"]  # fmt: skip

Floats = NDArray[np.float32]

_FOLDER = Path(__file__).parents[1] / "models" / "weights"
WEIGHTS = _FOLDER / "mergers.npz"
SCRATCH = _FOLDER / "mergers-scratch.npz"
STARTS = ("galaxy-zoo", "random")
SEED_OF_FINGERPRINT = 20_181_805  # any fixed number
FAINTER = 4.0  # the coadd's sky is four times quieter than that of the Galaxy Zoo pictures

BUILD: Config = {
    "n_train": 1_500,
    "n_test": 2_000,
    "size": 64,
    "widths": (24, 48, 96, 192),
    "depths": (1, 1, 1, 1),
    "dropout": 0.2,
    "steps": 300,
    "batch_size": 32,
    "learning_rate": 1.5e-3,
    "weight_decay": 1e-4,
    "ema": 0.98,
    "augment": True,
}
FULL: Config = {
    **BUILD,
    "n_train": 12_000,
    "n_test": 4_000,
    "steps": 5_000,
    "ema": 0.995,
}


def simulate(config: Config, seed: int, *, n: int | None = None) -> mergers.Scenes:
    """A fresh test sky, of encounters that no training ever sees.

    Args:
        config: `n_test` and `size` are used.
        seed: 0 or more.
        n: How many scenes; `n_test` by default.
    """
    return mergers.simulate(n or config["n_test"], 2 * seed + 1, size=config["size"])


def training_set(config: Config, seed: int) -> tuple[NDArray[np.float16], Floats]:
    """What the network is trained on: its input, and 1 for mergers.

    Args:
        config: `n_train` and `size` are used.
        seed: 0 or more.

    Returns:
        Images, shape (n_train, size, size, 3), and labels, shape (n_train, 1).
    """
    scenes = mergers.simulate(config["n_train"], 2 * seed, size=config["size"])
    return network_input(scenes.images), scenes.labels[:, None].astype(np.float32)


def network_input(images: Floats) -> NDArray[np.float16]:
    """Images in sky sigma as the networks see them: as faint as those of Galaxy Zoo, stretched.

    Args:
        images: Shape (n, size, size, 3).
    """
    out = np.empty(images.shape, np.float16)
    for start in range(0, len(images), 1024):  # in pieces, to keep the peak of memory low
        piece = slice(start, start + 1024)
        out[piece] = galaxies.stretch(images[piece] / np.float32(FAINTER))
    return out


def pictures(images: Floats) -> Floats:
    """Red, green and blue from 0 to 255 for a network that knows photographs.

    Args:
        images: Bands g, r, i in sky sigma, shape (n, size, size, 3).
    """
    out = np.empty(images.shape, np.float32)
    for start in range(0, len(images), 256):  # in pieces, to keep the peak of memory low
        bright = galaxies.stretch(images[start : start + 256, ..., ::-1])
        out[start : start + 256] = 255 * np.clip((bright + 0.15) / 1.35, 0, 1)
    return out


def build_model(config: Config, start: str = "random") -> Any:
    """The network of a configuration, with random weights or those of Galaxy Zoo.

    Args:
        config: `size`, `widths`, `depths` and `dropout` are used.
        start: One of `STARTS`.

    Returns:
        A Keras model from images to the probability of a merger.

    Raises:
        ValueError: If the start is unknown.
    """
    import tensorflow as tf

    from firstlight.models.mergers import copy_features, merger_cnn

    tf.get_logger().setLevel("ERROR")  # it warns that each network has a graph of its own
    if start not in STARTS:
        raise ValueError(f"start: received {start!r}, expected one of {', '.join(STARTS)}.")
    keys = ("size", "widths", "depths", "dropout")
    model = merger_cnn(**{key: config[key] for key in keys})
    if start == "galaxy-zoo":
        from firstlight.models.storage import load_weights
        from firstlight.studies import galaxy_zoo

        zoo = load_weights(galaxy_zoo.build_model(galaxy_zoo.FULL), galaxy_zoo.WEIGHTS)
        copy_features(zoo, model)
    return model


def fit_model(
    config: Config,
    images: NDArray[Any],
    labels: Floats,
    seed: int,
    start: str = "random",
    *,
    checkpoint: Path | None = None,
    resume: bool = True,
    progress: bool = False,
) -> tuple[Any, Any]:
    """Build, compile and train the network of a configuration.

    Args:
        config: Everything but the sky.
        images: From `network_input`.
        labels: Shape (n, 1).
        seed: Of weights, order, dropout and augmentation.
        start: One of `STARTS`.
        checkpoint: See `training.fit`.
        resume: See `training.fit`.
        progress: Show a progress bar.

    Returns:
        The trained model and its history.
    """
    from firstlight.layers.augmentation import random_symmetry

    return full_scale.fit(
        partial(build_model, start=start),
        {**config, "batch_size": min(config["batch_size"], len(images))},
        images,
        labels,
        seed,
        loss="binary_crossentropy",
        augment=random_symmetry if config["augment"] else None,
        checkpoint=checkpoint,
        resume=resume,
        progress=progress,
    )


def balanced(labels: NDArray[np.int64], n: int) -> NDArray[np.intp]:
    """The first n scenes with as many mergers as others, for small training sets.

    Args:
        labels: 0 or 1, shape (m,).
        n: Even.

    Raises:
        ValueError: If there are not enough of one kind, or n is odd.
    """
    flat = np.asarray(labels).ravel()
    rows = [np.flatnonzero(flat == kind)[: n // 2] for kind in (0, 1)]
    if n < 2 or n % 2 or min(map(len, rows)) < n // 2:
        raise ValueError(
            f"balanced: received n={n} of {len(flat)} scenes with {int(flat.sum())} mergers, "
            "expected an even number of which half can be mergers and half others."
        )
    return np.sort(np.concatenate(rows))


def predict(model: Any, images: NDArray[Any], symmetries: int = 1) -> Floats:
    """Probability of a merger, shape (n,), averaged over symmetries of the square if asked."""
    from firstlight import training

    return training.predict(model, images, symmetries=symmetries)[:, 0]


def load(weights: Path | None = None, start: str = "galaxy-zoo") -> Any:
    """One of the two networks whose weights are stored, as their card describes them.

    Args:
        weights: Those of the transfer, the others beside them; None for those of the package.
        start: One of `STARTS`: which of the two.

    Raises:
        FileNotFoundError: If they were never made, with the command that makes them.
    """
    path = Path(weights) if weights is not None else WEIGHTS
    file = path if start == "galaxy-zoo" else path.with_name(SCRATCH.name)
    return full_scale.load(STUDY, file, build_model, path.with_suffix(".card.json"))


def train(
    config: Config, seed: int, out: Path, *, resume: bool = True, progress: bool = False
) -> Path:
    """Train twice, from Galaxy Zoo's weights and from random ones; write both, and a card.

    Args:
        config: `BUILD`, `FULL`, or one like them.
        seed: Of everything.
        out: Folder for checkpoints, weights and card.
        resume: Continue from the checkpoints, if there are some.
        progress: Show progress bars.

    Returns:
        The weights of the transfer; those from scratch lie beside them.
    """
    from firstlight import training

    out, watch = Path(out), full_scale.Stopwatch()
    images, labels = training_set(config, seed)
    fits = {
        start: fit_model(config, images, labels, seed, start, resume=resume, progress=progress,
                         checkpoint=out / f"checkpoint-{start}.npz")
        for start in STARTS
    }  # fmt: skip
    training.save_weights(fits["random"][0], out / SCRATCH.name)
    spent = sum(history.cpu_s[-1] for _, history in fits.values() if history.cpu_s)
    test = simulate(config, seed + 1)
    return full_scale.keep(
        STUDY, config, seed, fits["galaxy-zoo"][0], out / WEIGHTS.name, fingerprint(config),
        {**watch.read(), "train_cpu_s": round(spent, 1)}, lambda weights: evaluate(weights, test),
        # The weights stay, the test sky changes: three standard deviations of a counted error.
        lambda found: {name: _counted(value, len(test)) for name, value in found.items()},
    )  # fmt: skip


_SUFFIX = {"galaxy-zoo": "transfer", "random": "scratch"}


def _counted(error: float, n: int) -> tuple[float, float]:
    half = 3 * float(np.sqrt(2 * error * (1 - error) / n))
    return max(error - half, 0.0), error + half


def evaluate(weights: Path | None, data: mergers.Scenes) -> dict[str, float]:
    """Error rates of the stored weights on a test sky.

    Args:
        weights: Those of the transfer, the others beside them; None for those of the package.
        data: From `simulate`.

    Returns:
        `error_transfer` and `error_scratch`.
    """
    shown, found = network_input(data.images), {}
    for start, suffix in _SUFFIX.items():
        guess = predict(load(weights, start), shown, symmetries=4)
        found[f"error_{suffix}"] = error_rate(data.labels, guess)
    return found


def fingerprint(config: Config) -> Fingerprint:
    """What a result with this configuration depends on, as things are now."""
    scenes = mergers.simulate(96, SEED_OF_FINGERPRINT, size=config["size"])
    levels = np.quantile(network_input(scenes.images).astype(np.float32),
                         np.linspace(0.02, 0.98, 13), axis=(0, 1, 2))  # fmt: skip
    truth = scenes.truth[["merger", "moved", "time", "mass_ratio"]].mean()
    return Fingerprint(
        architecture=architecture_digest(build_model(config)),
        training=digest(full_scale.tuples(config)),
        simulator=(*truth.tolist(), *levels.ravel().tolist()),
    )


def check(write: bool = True, weights: Path = WEIGHTS) -> Verdict:
    """Do the package's full-scale weights still belong to this code? See `cards.check_card`."""
    return full_scale.check(STUDY, weights, fingerprint, simulate, write=write)


STUDY = Study("mergers", {"build": BUILD, "full": FULL}, simulate, train, evaluate, WEIGHTS)
