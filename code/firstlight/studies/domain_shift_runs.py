"""The stored runs of the shift between surveys: every method over seeds, and other class shares."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from firstlight.studies import domain_shift as study
from firstlight.studies.cards import Fingerprint, architecture_digest, digest
from firstlight.studies.stored import Sweep

__all__ = ["SWEEPS", "fingerprint", "measure_balance", "measure_methods"]

SEEDS = 10
LATE_SHARES = (0.5, 0.1)  # of the second survey; the first has one half
SEED_OF_FINGERPRINT = 20_161_112  # any fixed number


@lru_cache(maxsize=1)
def _start(seed: int, late_share: float, size: int) -> tuple[dict[str, Any], study.Skies, Any]:
    config = {**study.BUILD} if not size else {**study.BUILD, "n_labeled": size, "steps": 2,
                                               "n_unlabeled": size, "n_test": size,
                                               "adapt_steps": 2}  # fmt: skip
    data = study.skies(config, seed, late_share=late_share)
    return config, data, study.train_source(config, data, seed)


def measure_methods(seed: int, method: str, labels: int, size: int = 0) -> dict[str, float]:
    """Accuracies of one method.

    Args:
        seed: Of skies and trainings.
        method: One of `study.METHODS`, "labels", or "all labels": the ceiling.
        labels: Of the second survey, for "labels".
        size: A small number of galaxies for tests; 0 takes those of `study.BUILD`.

    Returns:
        `first` and `second`: accuracy on the test galaxies as either survey sees them.
    """
    config, data, base = _start(int(seed), 0.5, int(size))
    if method == "all labels":
        pair = study.two_surveys.simulate(
            config["n_unlabeled"], 4 * int(seed) + 1, late_share=0.5, size=config["size"]
        )
        model = study.train_target(config, pair.second, pair.labels, int(seed))
    else:
        model = study.adapt(config, base, data, int(seed), method, int(labels))
    y = data.test.labels
    return {name: study.accuracy(y, study.predict(model, getattr(data.test, name)))
            for name in ("first", "second")}  # fmt: skip


def measure_balance(seed: int, method: str, late_share: float, size: int = 0) -> dict[str, float]:
    """Balanced accuracy on a second survey with another share of late types.

    Args:
        seed: Of skies and trainings.
        method: One of `study.METHODS`.
        late_share: Of the second survey.
        size: As for `measure_methods`.

    Returns:
        `balanced`: mean over both classes; `called`: the share called late.
    """
    config, data, base = _start(int(seed), float(late_share), int(size))
    p = study.predict(study.adapt(config, base, data, int(seed), method), data.test.second)
    return {"balanced": study.balanced_accuracy(data.test.labels, p),
            "called": float(np.mean(p > 0.5))}  # fmt: skip


def fingerprint() -> Fingerprint:
    """What the rows depend on, now."""
    pair = study.two_surveys.simulate(96, SEED_OF_FINGERPRINT)
    levels = [np.quantile(study.stretch(images), np.linspace(0.02, 0.98, 7), axis=(0, 1, 2))
              for images in (pair.first, pair.second)]  # fmt: skip
    return Fingerprint(
        architecture=architecture_digest(study._network(study.BUILD)),
        training=digest(dict(study.BUILD)),
        simulator=tuple(np.concatenate(levels).ravel().tolist()),
    )


_POINTS = [
    {"seed": seed, "method": method, "labels": labels}
    for seed in range(SEEDS)
    for method, labels in (
        *((method, 0) for method in study.METHODS),
        *(("labels", n) for n in study.FEW),
        ("all labels", 0),
    )
]
_BALANCE = [
    {"seed": seed, "method": method, "late_share": share}
    for share in LATE_SHARES
    for seed in range(SEEDS)
    for method in ("none", "mmd", "coral", "adversarial")
]
# Not yet in `studies._SWEEPS`: a sweep is offered there once its run is stored.
SWEEPS = {
    "domain-shift-methods": Sweep("domain-shift-methods", _POINTS, measure_methods, fingerprint),
    "domain-shift-balance": Sweep("domain-shift-balance", _BALANCE, measure_balance, fingerprint),
}
