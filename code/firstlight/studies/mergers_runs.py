"""The mergers' stored runs: what a transfer is worth against the number of labels; statmorph."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from firstlight.evaluation import cas, heads
from firstlight.evaluation.transfer_tests import error_rate
from firstlight.sky import mergers
from firstlight.studies.cards import Fingerprint
from firstlight.studies.mergers import (
    BUILD,
    balanced,
    fingerprint,
    fit_model,
    network_input,
    pictures,
    predict,
)
from firstlight.studies.stored import Sweep

__all__ = [
    "LABELS",
    "PATIENCE",
    "SWEEPS",
    "measure_labels",
    "measure_patience",
    "measure_statmorph",
]

LABELS = {50: 80, 200: 150, 1400: 300}  # number of labels, and the steps that go with it
PATIENCE = 3  # times as many steps, for the most labels


@lru_cache(maxsize=1)
def _skies(seed: int) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Training and test scenes of a seed: images, labels, and what the network sees."""
    parts = []
    for n, offset in ((BUILD["n_train"], 0), (BUILD["n_test"], 1)):
        scenes = mergers.simulate(n, 2 * seed + offset, size=BUILD["size"])
        parts.append((scenes.images, scenes.labels, network_input(scenes.images)))
    return parts[0], parts[1]


@lru_cache(maxsize=1)
def _measured(seed: int) -> tuple[tuple[Any, Any], ...]:
    """Of both skies: features of photographs, and the classical shapes."""
    from firstlight.models.mergers import imagenet_features

    return tuple((imagenet_features(pictures(images)), heads.shapes(images[..., 1]))
                 for images, _, _ in _skies(seed))  # fmt: skip


def measure_labels(seed: int, labels: int) -> dict[str, float]:
    """Error rates of every method after so many labels.

    Args:
        seed: Of skies and trainings.
        labels: A key of `LABELS`; half of them mergers.

    Returns:
        `imagenet` (frozen features), `galaxy_zoo` (fine-tuned), `scratch` (the same network from
        random weights) and `classical` (trees on measured shapes).
    """
    found = _both_starts(int(seed), int(labels), LABELS[int(labels)])
    (_, y, _), (_, truth, _) = _skies(int(seed))
    (seen, measured), (far, other) = _measured(int(seed))
    rows = balanced(y, int(labels))
    line = heads.linear_head(seen[rows], y[rows], int(seed))
    found["imagenet"] = error_rate(truth, line.predict_proba(far)[:, 1])
    trees = heads.tuned_trees(measured.iloc[rows], y[rows], int(seed))
    found["classical"] = error_rate(truth, trees.predict_proba(np.asarray(other))[:, 1])
    return found


def measure_patience(seed: int, steps: int) -> dict[str, float]:
    """Error rates of both starts with all labels, after so many steps.

    Args:
        seed: Of skies and trainings.
        steps: Of 32 scenes each; the schedule is as long.

    Returns:
        `galaxy_zoo` and `scratch`.
    """
    return _both_starts(int(seed), max(LABELS), int(steps))


def _both_starts(seed: int, labels: int, steps: int) -> dict[str, float]:
    (_, y, shown), (_, truth, unseen) = _skies(seed)
    rows = balanced(y, labels)
    given = y[rows, None].astype(np.float32)
    found = {}
    for start, name in (("galaxy-zoo", "galaxy_zoo"), ("random", "scratch")):
        model, _ = fit_model({**BUILD, "steps": steps}, shown[rows], given, seed, start)
        found[name] = error_rate(truth, predict(model, unseen))
    return found


def measure_statmorph(seed: int, n: int) -> dict[str, float]:
    """Error rates with shapes from statmorph and with our faster ones, on the same images.

    Args:
        seed: Of both skies.
        n: Scenes of each.

    Returns:
        `trees_statmorph`, `trees_ours`, and the published cuts `cas_cut` and `gini_m20_cut`.
    """
    skies = [mergers.simulate(int(n), 2 * int(seed) + k, size=BUILD["size"]) for k in (0, 1)]
    slow = [cas.cas_gini_m20(sky.images[..., 1]) for sky in skies]
    fast = [heads.shapes(sky.images[..., 1]) for sky in skies]
    y, truth = skies[0].labels, skies[1].labels
    found = {}
    for name, table in (("statmorph", slow), ("ours", fast)):
        columns = list(cas.NAMES)
        trees = heads.tuned_trees(table[0][columns], y, int(seed))
        guess = trees.predict_proba(np.asarray(table[1][columns]))[:, 1]
        found[f"trees_{name}"] = error_rate(truth, guess)
    cut = cas.cas_merger(slow[1]["asymmetry"], slow[1]["smoothness"])
    found["cas_cut"] = error_rate(truth, cut.astype(float))
    line = cas.gini_m20_merger(slow[1]["gini"], slow[1]["m20"])
    found["gini_m20_cut"] = error_rate(truth, line.astype(float))
    return found


def _fingerprint() -> Fingerprint:
    return fingerprint(BUILD)


SWEEPS = {
    "mergers-labels": Sweep(
        "mergers-labels",
        [{"seed": seed, "labels": n} for seed in range(201, 207) for n in LABELS],
        measure_labels,
        _fingerprint,
    ),
    "mergers-patience": Sweep(
        "mergers-patience",
        [{"seed": seed, "steps": PATIENCE * LABELS[max(LABELS)]} for seed in range(201, 207)],
        measure_patience,
        _fingerprint,
    ),
    "mergers-statmorph": Sweep(
        "mergers-statmorph",
        [{"seed": 231, "n": 800}],
        measure_statmorph,
        _fingerprint,
    ),
}
