"""RR Lyrae: folded light curves, a recurrent network, and how many RRab stars it finds.

After Dekany & Grebel (2020, ApJ 898, 46), who looked for RRab stars toward the Galactic bulge.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.studies import full_scale
from firstlight.studies import rr_lyrae_sky as skies
from firstlight.studies.cards import Fingerprint, Verdict, architecture_digest, digest
from firstlight.studies.study import Config, Study

__all__ = ["BUILD", "FULL", "STUDY", "WEIGHTS", "Score", "adapt", "build_model", "check",
           "evaluate", "fingerprint", "fit_model", "load", "network_input", "of_star", "predict",
           "precision_recall", "simulate", "train", "training_set"]  # fmt: skip

Floats = NDArray[np.float32]

WEIGHTS = Path(__file__).parents[1] / "models" / "weights" / "rr-lyrae.npz"
CLEAR = 60.0  # the S/N above which the paper gives its numbers
SEED_OF_FINGERPRINT = 20_200_898  # any fixed number

BUILD: Config = {
    "n_train": 6_000,
    "n_known": 24_000,
    "n_test": 4_000,
    "survey": "few",
    "candidates": 2,
    "points": 75,
    "units": (24,),
    "dense": (32,),
    "dropout": 0.1,
    "steps": 2_600,
    "batch_size": 128,
    "learning_rate": 1e-2,
    "weight_decay": 1e-4,
    "ema": 0.99,
}
FULL: Config = {
    **BUILD,
    "n_train": 40_000,
    "n_known": 100_000,
    "n_test": 12_000,
    "survey": "both",
    "units": (32,),
    "steps": 20_000,
    "learning_rate": 8e-3,
    "ema": 0.998,
}


def simulate(config: Config, seed: int, *, n: int | None = None) -> skies.Stars:
    """A fresh test sky as VVV saw it, of shapes that no training ever sees.

    Args:
        config: `n_test` and `candidates` are used.
        seed: 0 or more.
        n: How many stars; `n_test` by default.
    """
    return skies.simulate(n or config["n_test"], seed, part="test", survey="vvv",
                          candidates=config["candidates"])  # fmt: skip


def training_set(config: Config, seed: int) -> tuple[NDArray[np.float16], Floats]:
    """What the network is trained on: folds, and 1 for an RRab star on its true period.

    Args:
        config: `n_train` stars are searched; of `n_known` more the clear ones are folded with what
            they are known to have; `survey`, `candidates` and `points` are used as well.
        seed: 0 or more.

    Returns:
        Curves, shape (n_train * candidates + clear ones, points, channels), and labels, (..., 1).
    """
    kind = {"part": "train", "survey": config["survey"]}
    searched = skies.simulate(config["n_train"], seed, candidates=config["candidates"], **kind)
    both = [searched, skies.known(config["n_known"], seed, **kind)]
    rows = [as_rows(network_input(stars, config)) for stars in both if len(stars)]
    return np.concatenate(rows), np.concatenate([labels_of(stars) for stars in both])


def network_input(stars: skies.Stars, config: Config = BUILD) -> NDArray[np.float16]:
    """Every star folded with each of its candidate periods, (n, candidates, points, channels)."""
    parts = [
        skies.folded(
            tuple(a[rows] for a in stars.sky.curves), stars.periods[rows], config["points"]
        )  # fmt: skip
        for rows in (slice(start, start + 2_000) for start in range(0, len(stars), 2_000))
    ]
    return np.concatenate(parts)


def as_rows(curves: NDArray[Any]) -> NDArray[Any]:
    """One row a fold: shape (n * candidates, points, channels)."""
    return curves.reshape(-1, *curves.shape[2:])


def labels_of(stars: skies.Stars) -> Floats:
    """1 where an RRab star is folded with its true period, (n * candidates, 1)."""
    return (stars.rrab[:, None] & stars.right).reshape(-1, 1).astype(np.float32)


def build_model(config: Config) -> Any:
    """The network of a configuration, with random weights."""
    from firstlight.models.rr_lyrae import light_curve_network

    return light_curve_network(
        len(skies.CHANNELS), config["units"], config["dense"], config["dropout"]
    )


def fit_model(
    config: Config, rows: NDArray[Any], labels: Floats, seed: int, *,
    checkpoint: Path | None = None, resume: bool = True, progress: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """Build, compile and train the network of a configuration.

    The recurrence is compiled as a whole by XLA, which makes a step several times faster here.

    Args:
        config: Everything but the sky.
        rows: From `training_set`.
        labels: Likewise.
        seed: Of weights, order and dropout.
        checkpoint: See `training.fit`.
        resume: See `training.fit`.
        progress: Show a progress bar.

    Returns:
        The trained model and its history; with no steps, both fresh.
    """
    from firstlight import training

    training.set_seed(seed)
    model = build_model(config)
    if config["steps"] < 1:
        return model, training.History()
    _compile(model, config)
    batch = min(config["batch_size"], len(rows))
    history = training.fit(
        model, rows, labels, steps=config["steps"], batch_size=batch, seed=seed,
        checkpoint=checkpoint, resume=resume, progress=progress,
    )  # fmt: skip
    return model, history


def _compile(model: Any, config: Config) -> None:
    from firstlight import training

    training.compile_model(
        model, steps=config["steps"], learning_rate=config["learning_rate"],
        weight_decay=config["weight_decay"], ema=config["ema"], loss="binary_crossentropy",
    )  # fmt: skip
    model.jit_compile = True


def adapt(
    model: Any, rows: NDArray[Any], labels: Floats, seed: int, *, steps: int = 60,
    learning_rate: float = 5e-4, batch_size: int = 64,
) -> Any:  # fmt: skip
    """A copy of a network, trained a little further on other curves.

    Args:
        model: With its weights.
        rows: Folds, (m, points, channels).
        labels: Shape (m, 1).
        seed: Of order and dropout.
        steps: Few, or it forgets what it knew.
        learning_rate: Its peak.
        batch_size: At most.
    """
    import keras

    from firstlight import training

    training.set_seed(seed)
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    _compile(copy, {"steps": steps, "learning_rate": learning_rate, "weight_decay": 0.0,
                    "ema": 0.9})  # fmt: skip
    training.fit(copy, rows, labels, steps=steps, batch_size=min(batch_size, len(rows)), seed=seed)
    return copy


def predict(model: Any, curves: NDArray[Any], batch_size: int = 512) -> Floats:
    """Probability of each fold to be an RRab star on its true period, (n, candidates).

    Args:
        model: The network.
        curves: From `network_input`, (n, candidates, points, channels).
        batch_size: Folds at a time; the last ones are padded, so that one program serves all.
    """
    rows = as_rows(np.asarray(curves))
    model.jit_compile = True
    parts = []
    for start in range(0, len(rows), batch_size):
        batch = rows[start : start + batch_size].astype(np.float32)
        wide = np.pad(batch, ((0, batch_size - len(batch)), (0, 0), (0, 0)))
        wide[len(batch) :, 0] = 1.0  # a curve of nothing but padding has no mean
        parts.append(np.asarray(model.predict_on_batch(wide))[: len(batch), 0])
    return np.concatenate(parts).reshape(curves.shape[:2])


def of_star(folds: NDArray[Any]) -> Floats:
    """Probability that a star is RRab: no two of its folds can be right, so they add.

    Args:
        folds: From `predict`, (n, candidates).

    Returns:
        Shape (n,), at most one.
    """
    return np.minimum(np.asarray(folds).sum(axis=1), 1.0).astype(np.float32)


class Score(tuple[float, float]):
    """Precision and recall."""

    @property
    def precision(self) -> float:
        """Of those called RRab, how many are."""
        return self[0]

    @property
    def recall(self) -> float:
        """Of RRab stars, how many are called so."""
        return self[1]


def precision_recall(
    truth: NDArray[Any], called: NDArray[Any], among: NDArray[Any] | slice = slice(None)
) -> Score:
    """Both, of some of the stars.

    Args:
        truth: True for RRab, (n,).
        called: True where called so, (n,).
        among: Which stars count.

    Returns:
        NaN where nothing is called, or nothing is there.
    """
    y, said = np.asarray(truth)[among], np.asarray(called)[among]
    hits = float((y & said).sum())
    return Score((hits / said.sum() if said.any() else np.nan,
                  hits / y.sum() if y.any() else np.nan))  # fmt: skip


def load(weights: Path | None = None) -> Any:
    """The network of stored weights.

    Args:
        weights: An npz file beside its card; None for those of the package.

    Raises:
        FileNotFoundError: If they were never made, with the command that makes them.
    """
    return full_scale.load(STUDY, weights, build_model)


def train(
    config: Config, seed: int, out: Path, *, resume: bool = True, progress: bool = False
) -> Path:
    """Train, and write checkpoint, weights and card.

    Args:
        config: `BUILD`, `FULL`, or one like them.
        seed: Of everything.
        out: Folder.
        resume: Continue from the checkpoint, if there is one.
        progress: Show a progress bar.

    Returns:
        The weights.
    """
    out, watch = Path(out), full_scale.Stopwatch()
    rows, labels = training_set(config, seed)
    model, history = fit_model(config, rows, labels, seed, checkpoint=out / "checkpoint.npz",
                               resume=resume, progress=progress)  # fmt: skip
    spent = history.cpu_s[-1] if history.cpu_s else 0.0
    test = simulate(config, seed + 1)
    return full_scale.keep(
        STUDY, config, seed, model, out / WEIGHTS.name, fingerprint(config),
        {**watch.read(), "train_cpu_s": round(spent, 1)}, lambda weights: evaluate(weights, test),
        lambda found: {name: _counted(value, len(test)) for name, value in found.items()},
    )  # fmt: skip


def _counted(share: float, n: int) -> tuple[float, float]:
    """Another sky: three standard deviations of a share of the clear RRab stars, about n / 4."""
    half = 3 * float(np.sqrt(2 * max(share * (1 - share), 4 / n) / (n / 4)))
    return max(share - half, 0.0), min(share + half, 1.0)


def evaluate(weights: Path | None, data: skies.Stars) -> dict[str, float]:
    """Precision and recall on stars of S/N above 60.

    Args:
        weights: An npz file beside its card; None for those of the package.
        data: From `simulate`.

    Returns:
        `precision` and `recall`, both of the sum over all candidate periods, and `recall_one`,
        with the highest peak alone.
    """
    folds = predict(load(weights), network_input(data, FULL))
    clear = data.sky.snr > CLEAR
    both = precision_recall(data.rrab, of_star(folds) > 0.5, clear)
    one = precision_recall(data.rrab, folds[:, 0] > 0.5, clear)
    return {"precision": both.precision, "recall": both.recall, "recall_one": one.recall}


def fingerprint(config: Config) -> Fingerprint:
    """What a result with this configuration depends on, as things are now."""
    stars = skies.simulate(128, SEED_OF_FINGERPRINT, part="train", survey=config["survey"],
                           candidates=config["candidates"])  # fmt: skip
    shown = network_input(stars, config).astype(np.float32)
    levels = np.quantile(as_rows(shown), np.linspace(0.02, 0.98, 9), axis=(0, 1))
    return Fingerprint(
        architecture=architecture_digest(build_model(config)),
        training=digest(full_scale.tuples(config)),
        simulator=(float(stars.right.mean()), float(stars.rrab.mean()), *levels.ravel().tolist()),
    )


def check(write: bool = True, weights: Path = WEIGHTS) -> Verdict:
    """Do the package's full-scale weights still belong to this code? See `cards.check_card`."""
    return full_scale.check(STUDY, weights, fingerprint, simulate, write=write)


STUDY = Study("rr-lyrae", {"build": BUILD, "full": FULL}, simulate, train, evaluate, WEIGHTS)
