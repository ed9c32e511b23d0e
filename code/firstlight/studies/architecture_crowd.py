"""Blended sources: networks and tuned classical detectors on the same simulated fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from firstlight.evaluation.source_finding import Found, deblended, peaks, score, sharpened
from firstlight.sky import fields
from firstlight.studies.architecture_tasks import SIDE, TASKS, fit, split

__all__ = ["DEBLEND", "FILTER", "THRESHOLD", "catalogs", "judge", "measure", "test_fields"]

# The best of 4 x 3 x 4 filters at 3 thresholds (peaks), and of 4 filters with 6 pairs of
# threshold and least area (deblending), by F1 on 48 fields of seed 77; the networks'
# threshold is the best of 5 on fields of seed 99.
FILTER: Mapping[str, float] = {"narrow": 1.0, "wide": 1.8, "share": 0.8}
DEBLEND: Mapping[str, Any] = {
    "threshold": 4.5, "pixels": 1, "narrow": 0.8, "wide": 1.8, "share": 0.8,
}  # fmt: skip
THRESHOLD: Mapping[str, float] = {"network": 0.4, "peaks": 4.5}


def test_fields(seed: int) -> fields.Fields:
    """The fields on which everybody is judged; the same as the task's own test set."""
    return fields.simulate(80, split(seed, "test"), size=SIDE)


def catalogs(sky: fields.Fields, answers: Mapping[str, NDArray[Any]]) -> dict[str, list[Any]]:
    """What networks and classical detectors find in every field.

    Args:
        sky: The fields.
        answers: Maps `(n, size, size)` of each network, by name.

    Returns:
        For each network, and for "peaks" and "deblended", positions field by field.
    """
    found = {name: peaks(m, THRESHOLD["network"]) for name, m in answers.items()}
    found["peaks"] = peaks(sharpened(sky.images, **FILTER), THRESHOLD["peaks"])
    return found | {"deblended": deblended(sky.images, **DEBLEND)}


def judge(sky: fields.Fields, found: Mapping[str, list[Any]]) -> dict[str, Found]:
    """Completeness, purity and more of every catalog."""
    parts = [sky.sources(k) for k in range(len(sky))]
    places = [part[["x", "y"]].to_numpy() for part in parts]
    rest = [[part[name].to_numpy() for part in parts] for name in ("snr", "nearest")]
    return {name: score(catalog, places, *rest) for name, catalog in found.items()}


def measure(seed: int) -> dict[str, float]:
    """1 - F1 of both networks and both classical detectors, from one start."""
    task = TASKS["crowd"]
    data = task.make(seed, "train"), task.make(seed, "test")
    answers = {arm: fit(task, arm, seed, data).answers[..., 0] for arm in task.arms}
    sky = test_fields(seed)
    return {name: 1 - found.f1 for name, found in judge(sky, catalogs(sky, answers)).items()}
