"""Eight pairs of curves without a label, for the reader to diagnose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from firstlight.studies import validation_curves as study
from firstlight.studies.cards import Fingerprint, architecture_digest, digest
from firstlight.studies.stored import Sweep

__all__ = ["LETTERS", "SWEEPS", "drawn", "run"]

SEED = 4_711
N_TRAIN, N_VALIDATION = 1_600, 1_000
STEPS, EVERY = 1_500, 75
# What was done to each: galaxies learned from, galaxies looked at, network, training.
CASES: Mapping[str, tuple[int, int, dict[str, Any], dict[str, Any]]] = {
    "A": (N_TRAIN, N_VALIDATION, {"width": 1}, {"learning_rate": 5e-3, "augment": True}),
    "B": (400, 0, {}, {}),  # nothing of its own: it looks at what it learns from
    "C": (400, N_VALIDATION, {}, {}),
    "D": (N_TRAIN, N_VALIDATION, {}, {"learning_rate": 1.5e-4, "augment": True}),
    "E": (N_TRAIN, 24, {}, {"augment": True}),
    "F": (N_TRAIN, N_VALIDATION, {}, {"augment": True}),
    "G": (N_TRAIN, N_VALIDATION, {}, {"learning_rate": 5e-2, "augment": True}),
    "H": (400, N_VALIDATION, {}, {}),
}
MIXED = "H"  # its labels went to other galaxies
LETTERS = tuple(CASES)


def run(letter: str) -> dict[str, float]:
    """Both curves of one case.

    Args:
        letter: One of `LETTERS`.

    Returns:
        `training_<step>` and `validation_<step>` for every report.

    Raises:
        ValueError: If there is no such case.
    """
    if letter not in CASES:
        raise ValueError(f"letter: received {letter!r}, expected one of {', '.join(LETTERS)}.")
    n_train, n_validation, of_network, of_training = CASES[letter]
    train = study.simulate(n_train, SEED)
    if letter == MIXED:
        train = study.Stamps(train.x, np.random.default_rng(SEED).permutation(train.y))
    looked_at = study.simulate(n_validation, SEED + 1) if n_validation else train
    curves = study.fit(
        study.network(SEED, **of_network), train, looked_at,
        seed=SEED, steps=STEPS, every=EVERY, **of_training,
    )  # fmt: skip
    row = {f"training_{step}": v for step, v in zip(curves.step, curves.training, strict=True)}
    pairs = zip(curves.step, curves.validation, strict=True)
    return row | {f"validation_{step}": v for step, v in pairs}


def drawn(row: Mapping[str, Any]) -> tuple[list[int], list[float], list[float]]:
    """Steps, training and validation losses of a row of the stored run."""
    steps = sorted(int(key.split("_")[1]) for key in row if key.startswith("training_"))
    return (steps, [row[f"training_{step}"] for step in steps],
            [row[f"validation_{step}"] for step in steps])  # fmt: skip


def fingerprint() -> Fingerprint:
    """What the curves depend on: the network, the cases, two discs."""
    sample = study.simulate(2, SEED).x[:, 4:12:3, 4:12:3].ravel()
    settings = digest(
        {
            "study": study.CONFIG,
            "cases": CASES,
            "seed": SEED,
            "steps": (STEPS, EVERY),
            "mixed": MIXED,
        }
    )
    return Fingerprint(architecture_digest(study.network(0)), settings, tuple(map(float, sample)))


SWEEPS = {
    "validation-eight": Sweep(
        "validation-eight", [{"letter": letter} for letter in LETTERS], run, fingerprint
    )
}
