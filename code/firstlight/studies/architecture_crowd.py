"""Blended sources: networks and tuned classical detectors on the same simulated fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from firstlight.evaluation.source_finding import Found, deblended, peaks, score, sharpened
from firstlight.models import architectures as nets
from firstlight.sky import fields
from firstlight.studies import architecture_hubble as hubble
from firstlight.studies.architecture_tasks import SIDE, TASKS, answers, fit, shown, split

__all__ = ["DEBLEND", "FILTER", "THRESHOLD", "catalogs", "hubble_maps", "judge", "measure",
           "test_fields"]  # fmt: skip

# The best of 4 x 3 x 4 filters at 3 thresholds (peaks), and of 4 filters with 6 pairs of
# threshold and least area (deblending), by F1 on 48 fields of seed 77; the networks'
# threshold is the best of 5 on fields of seed 99.
FILTER: Mapping[str, float] = {"narrow": 1.0, "wide": 1.8, "share": 0.8}
DEBLEND: Mapping[str, Any] = {
    "threshold": 4.5, "pixels": 1, "narrow": 0.8, "wide": 1.8, "share": 0.8,
}  # fmt: skip
THRESHOLD: Mapping[str, float] = {"network": 0.4, "peaks": 4.5}


def test_fields(seed: int, n: int = 240) -> fields.Fields:
    """The fields on which everybody is judged; the first 80 are the task's own test set."""
    return fields.simulate(n, split(seed, "test"), size=SIDE)


def catalogs(sky: fields.Fields, maps: Mapping[str, NDArray[Any]]) -> dict[str, list[Any]]:
    """What networks and classical detectors find in every field.

    Args:
        sky: The fields.
        maps: `(n, size, size)` of each network, by name.

    Returns:
        For each network, and for "peaks" and "deblended", positions field by field.
    """
    found = {name: peaks(m, THRESHOLD["network"]) for name, m in maps.items()}
    found["peaks"] = peaks(sharpened(sky.images, **FILTER), THRESHOLD["peaks"])
    return found | {"deblended": deblended(sky.images, **DEBLEND)}


def judge(sky: fields.Fields, found: Mapping[str, list[Any]]) -> dict[str, Found]:
    """Completeness, purity and more of every catalog."""
    parts = [sky.sources(k) for k in range(len(sky))]
    places = [part[["x", "y"]].to_numpy() for part in parts]
    rest = [[part[name].to_numpy() for part in parts] for name in ("snr", "nearest")]
    return {name: score(catalog, places, *rest) for name, catalog in found.items()}


def hubble_maps(model: keras.Model) -> dict[str, Callable[[NDArray[Any]], NDArray[Any]]]:
    """What turns any image into a map of sources: a U-net with a model's weights, and the filter.

    Args:
        model: A U-net that was trained on fields of `SIDE` pixels.
    """
    free = nets.unet(8)
    free.set_weights(model.get_weights())
    return {
        "U-net": lambda image: np.asarray(free(shown(image[None])))[..., 0],
        "peaks": lambda image: sharpened(image[None], **FILTER),
    }


def measure(seed: int) -> dict[str, float]:
    """From one start: 1 - F1 of networks and classical detectors; shares found of the blended.

    Returns:
        By method 1 - F1; as `blended: method` the share found of wanted sources with a close
        neighbor; as `planted: method` that of sources planted into the Hubble Deep Field.
    """
    task = TASKS["crowd"]
    data = task.make(seed, "train"), task.make(seed, "test")
    sky = test_fields(seed, 400)
    seen = shown(sky.images)
    models = {arm: fit(task, arm, seed, data).model for arm in task.arms}
    maps = {arm: answers(model, seen)[..., 0] for arm, model in models.items()}
    found = judge(sky, catalogs(sky, maps))
    planted = hubble.trial(hubble.sky(), hubble_maps(models["U-net"]), seed, rounds=6).got
    return (
        {name: 1 - f.f1 for name, f in found.items()}
        | {f"blended: {name}": f.blended for name, f in found.items()}
        | {f"planted: {name}": float(got.mean()) for name, got in planted.items()}
    )
