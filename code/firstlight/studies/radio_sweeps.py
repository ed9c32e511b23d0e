"""Stored runs of *Transfer learning*: accuracy against labels, and cross-validation of it all."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.evaluation.radio_morphology import radio_features
from firstlight.models import efficientnet_lite as lite
from firstlight.studies import radio_training as ways
from firstlight.studies import radio_transfer as study
from firstlight.studies.cards import Fingerprint, architecture_digest, digest
from firstlight.studies.stored import Sweep

__all__ = ["FULL", "LABELS", "SWEEPS", "answers", "at", "cross_validated", "from_scratch", "kept",
           "labels_needed", "reference", "thumbnails"]  # fmt: skip

LABELS = (20, 60, 200, 600, 1700)
SEEDS = range(801, 804)
FULL = {"views": 8, "steps": 1000, "body": 1e-3, "head": 3e-3, "seed": 911, "folds": 5}
SCRATCH_CROP = 64


@cache
def kept(views: int) -> tuple[study.Radio, NDArray[np.float16], NDArray[np.float32]]:
    """The galaxies, with maps and features of their first views: a minute or two, once."""
    radio = study.load()
    model = study.backbone(study.SIDE)
    pictures = study.stamps(radio.images, study.CROP, study.SIDE)
    found = [study.show_to(model, pictures, view) for view in range(views)]
    return radio, np.stack([maps for maps, _ in found]), np.stack([f for _, f in found])


@cache
def _classical() -> NDArray[np.float32]:
    return radio_features(study.load().images)[0]


def thumbnails(images: NDArray[Any]) -> NDArray[np.float32]:
    """What the network from scratch sees: the middle, linear and logarithmic, (n, 64, 64, 2)."""
    first = (images.shape[1] - SCRATCH_CROP) // 2
    cut = images[:, first : first + SCRATCH_CROP, first : first + SCRATCH_CROP].astype(np.float32)
    return np.stack([cut / 64, np.log1p(cut) / 3], axis=-1)


def answers(model: Any, maps: NDArray[Any], rows: NDArray[np.intp]) -> NDArray[np.float32]:
    """Probabilities of a fine-tuned network, the mean over all kept views; shape (rows, 4)."""
    views = [
        np.concatenate([
            np.asarray(model(view[rows[k : k + 64]].astype(np.float32), training=False))
            for k in range(0, len(rows), 64)
        ])
        for view in maps
    ]  # fmt: skip
    return np.mean(views, axis=0, dtype=np.float32)


def forest(seed: int) -> Any:
    """The classical classifier: as tuned as the rest, see the stored run of the chapter."""
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(
        300, min_samples_leaf=3, max_features=0.3, class_weight="balanced", random_state=seed
    )


def from_scratch(
    radio: study.Radio, rows: NDArray[np.intp], test: NDArray[np.intp], seed: int
) -> float:
    """Accuracy of a network that starts from random weights, over the eight symmetries."""
    from firstlight import training

    pictures = thumbnails(radio.images)
    settings: Any = ways.scratch_settings(len(rows))
    model = ways.scratch(pictures[rows], radio.labels[rows], seed, **settings)
    says = training.predict(model, pictures[test], symmetries=8)
    return study.accuracy(radio.labels[test], says.argmax(axis=1))


def at(seed: int, labels: int) -> dict[str, float]:
    """Every way to learn, from one set of labels, tested on a fifth of the sky.

    Args:
        seed: Of the split, the labels drawn and all training.
        labels: How many.

    Returns:
        Accuracy of `linear`, `frozen`, `tuned`, `scratch` and `forest`.
    """
    seed, labels = int(seed), int(labels)
    radio, maps, features = kept(4)
    train, test = study.folds(radio, 5, seed)[0]
    rows = study.subset(radio.labels, train, labels, seed)
    y, mean, steps = radio.labels, features.mean(axis=0), ways.steps_for(len(rows))
    linear = ways.linear_head(mean[rows], y[rows])
    frozen = ways.frozen_head(features[:, rows], y[rows], seed, 2 * steps)
    tuned = ways.tuned_network(linear)
    ways.fine_tune(tuned, maps, y, rows, seed=seed, steps=steps,
                   body=float(FULL["body"]), head=float(FULL["head"]))  # fmt: skip
    says = {
        "linear": linear.predict(mean[test]),
        "frozen": np.asarray(frozen(mean[test])).argmax(axis=1),
        "tuned": answers(tuned, maps, test).argmax(axis=1),
        "forest": forest(seed).fit(_classical()[rows], y[rows]).predict(_classical()[test]),
    }
    found = {name: study.accuracy(y[test], said) for name, said in says.items()}
    return {**found, "scratch": from_scratch(radio, rows, test, seed)}


def cross_validated(fold: int) -> dict[str, float]:
    """The full scale on one fold: all views, all labels, longer fine-tuning, and a forest beside.

    Args:
        fold: Of `FULL["folds"]`; all together test every galaxy once.

    Returns:
        `right_<class>` and `count_<class>` for the fine-tuned network, `said_<i>_<j>` (true i,
        said j), and `<way>_<class>` for the linear head, the forest, and the mean of the
        fine-tuned network's and the forest's probabilities.
    """
    radio, maps, features = kept(int(FULL["views"]))
    seed = int(FULL["seed"])
    rows, test = study.folds(radio, int(FULL["folds"]), seed)[int(fold)]
    y, mean = radio.labels, features.mean(axis=0)
    linear = ways.linear_head(mean[rows], y[rows])
    tuned = ways.tuned_network(linear)
    ways.fine_tune(tuned, maps, y, rows, seed=seed + int(fold), steps=int(FULL["steps"]),
                   body=float(FULL["body"]), head=float(FULL["head"]))  # fmt: skip
    trees = forest(seed).fit(_classical()[rows], y[rows]).predict_proba(_classical()[test])
    network = answers(tuned, maps, test)
    ways_said = {
        "tuned": network.argmax(axis=1),
        "linear": linear.predict(mean[test]),
        "forest": trees.argmax(axis=1),
        "both": (network + trees).argmax(axis=1),
    }
    out: dict[str, float] = {}
    for k in range(4):
        of_class = y[test] == k
        out[f"count_{k}"] = float(of_class.sum())
        for name, said in ways_said.items():
            out[f"{name}_{k}"] = float((said[of_class] == k).sum())
        for j in range(4):
            out[f"said_{k}_{j}"] = float((ways_said["tuned"][of_class] == j).sum())
    return out


@cache
def _whole_fields() -> tuple[study.Radio, NDArray[np.float32]]:
    """What the reference recipe sees: the last layer's features of whole fields, 224 pixels."""
    radio = study.load()
    model = lite.efficientnet_lite0((224, 224, 1), include_top=False, pooling="avg")
    fields = study.stamps(radio.images, radio.images.shape[1], 224)
    return radio, model.predict(fields, batch_size=32, verbose=0)


def reference(fold: int) -> dict[str, float]:
    """The recipe of the result to beat, on one fold of the full scale: whole field, last layer.

    Args:
        fold: Of `FULL["folds"]`.

    Returns:
        `count_<class>` galaxies tested and `reference_<class>` of them recognized.
    """
    radio, features = _whole_fields()
    rows, test = study.folds(radio, int(FULL["folds"]), int(FULL["seed"]))[int(fold)]
    y = radio.labels
    said = ways.linear_head(features[rows], y[rows]).predict(features[test])
    out: dict[str, float] = {}
    for k in range(4):
        out[f"count_{k}"] = float((y[test] == k).sum())
        out[f"reference_{k}"] = float((said[y[test] == k] == k).sum())
    return out


def labels_needed(labels: Any, accuracy: Any, target: float) -> float:
    """Where a learning curve reaches an accuracy, by interpolation in log(labels).

    Args:
        labels: Label counts, ascending.
        accuracy: Mean accuracy at each; made monotonic by its running maximum.
        target: Accuracy to reach.

    Returns:
        The number of labels, or infinity if the curve ends below.
    """
    height = np.maximum.accumulate(np.asarray(accuracy, float))
    if target > height[-1]:
        return float("inf")
    return float(np.exp(np.interp(target, height, np.log(np.asarray(labels, float)))))


def _fingerprint(settings: Any) -> Fingerprint:
    """What the stored runs depend on: the two networks, their settings, a few stamps."""
    radio = study.load()
    sample = study.stamps(radio.images[:4], study.CROP, study.SIDE)[:, 40:56:4, 40:56:4].ravel()
    return Fingerprint(
        architecture_digest(ways.tuned_network()),
        digest({"config": study.CONFIG, **settings}),
        tuple(map(float, sample)),
    )


SWEEPS = {
    "transfer-labels": Sweep(
        "transfer-labels",
        [{"seed": seed, "labels": n} for seed in SEEDS for n in LABELS],
        at,
        lambda: _fingerprint(
            {
                "labels": LABELS,
                "full": {k: FULL[k] for k in ("body", "head")},
                "scratch": [sorted(ways.scratch_settings(n).items()) for n in LABELS],
            }
        ),
    ),
    "transfer-full": Sweep(
        "transfer-full",
        [{"fold": fold} for fold in range(int(FULL["folds"]))],
        cross_validated,
        lambda: _fingerprint({"full": FULL}),
    ),
    "transfer-reference": Sweep(
        "transfer-reference",
        [{"fold": fold} for fold in range(int(FULL["folds"]))],
        reference,
        lambda: _fingerprint({"seed": FULL["seed"], "folds": FULL["folds"], "side": 224}),
    ),
}
