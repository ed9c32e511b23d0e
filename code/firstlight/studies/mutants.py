"""Break a study on purpose: every headline claim must notice.

A claim that holds whatever one does to the training says nothing. Each mutant here trains the
build-scale network with one thing wrong, crude or subtle, and must fall outside the band of at
least one claim. `make mutants` prints the table; results are kept, so that an interrupted run
goes on where it stopped.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from firstlight.studies import galaxy_zoo, galaxy_zoo_runs
from firstlight.studies.cards import Fingerprint, same_fingerprint, write_card
from firstlight.studies.stored import Band

__all__ = ["MUTANTS", "Mutant", "bands", "measure", "run", "verdict"]

OUT = Path("_build") / "mutants"
SEED = 300
METRICS = ("rmse", "rmse_averaged", "over_floor", "calibration_error", "averaging_gain",
           "tree_violation")  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One thing wrong.

    Args:
        name: What is wrong, in words.
        kind: "control" (nothing), "crude" or "near miss".
        changes: Overrides of the build configuration.
        shuffle: Shuffle the labels among the galaxies.
    """

    name: str
    kind: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    shuffle: bool = False


_STEPS = galaxy_zoo.BUILD["steps"]
MUTANTS: tuple[Mutant, ...] = (
    Mutant("nothing wrong", "control"),
    Mutant("labels shuffled", "crude", shuffle=True),
    Mutant("training skipped", "crude", {"steps": 0}),
    Mutant(
        "half the data",
        "near miss",
        {"n_train": galaxy_zoo.BUILD["n_train"] // 2, "steps": _STEPS // 2},
    ),
    Mutant("no augmentation", "near miss", {"augment": "none"}),
    Mutant("a third of the steps", "near miss", {"steps": _STEPS // 3}),
    Mutant("no decision tree", "near miss", {"head": "sigmoid", "loss": "mse"}),
    Mutant("half of everything dropped", "near miss", {"dropout": 0.6}),
)


def bands(folder: Path | None = None) -> dict[str, Band]:
    """The bands that a mutant must leave: of the stored run, and the tree's own."""
    found = {name: galaxy_zoo_runs.band(name, folder=folder) for name in METRICS[:-1]}
    return {**found, "tree_violation": Band(0.0, 1e-5)}


def measure(mutant: Mutant, seed: int = SEED) -> dict[str, float]:
    """Train one mutant and judge it on the test sky.

    Args:
        mutant: What to do wrong.
        seed: Of everything; not among the seeds of the bands.
    """
    config = {**galaxy_zoo.BUILD, **mutant.changes}
    images, votes = galaxy_zoo.training_set(config, seed)
    if mutant.shuffle:
        votes = votes[np.random.default_rng(seed).permutation(len(votes))]
    model, _ = galaxy_zoo.fit_model(config, images, votes, seed)
    found = galaxy_zoo.judged(model, galaxy_zoo.simulate(config, seed))
    found["averaging_gain"] = 1 - found["rmse_averaged"] / found["rmse"]
    return {name: found[name] for name in METRICS}


def verdict(
    mutant: Mutant, found: Mapping[str, float], limits: Mapping[str, Band]
) -> tuple[bool, list[str]]:
    """Is the mutant judged rightly, and which claims did it break?

    Args:
        mutant: The mutant; a control must break nothing, any other at least one.
        found: Its metrics.
        limits: Bands by metric.
    """
    broken = [name for name, limit in limits.items() if not limit.low <= found[name] <= limit.high]
    return (not broken) == (mutant.kind == "control"), broken


def _kept(path: Path, now: Fingerprint) -> dict[str, float] | None:
    if not path.exists():
        return None
    stored = json.loads(path.read_text(encoding="utf-8"))
    return None if same_fingerprint(stored["fingerprint"], now) else stored["metrics"]


def run(*names: str, out: Path = OUT, folder: Path | None = None) -> int:
    """Train all mutants that are not done, and print which claim each one breaks.

    Args:
        *names: Studies; all by default.
        out: Folder in which results are kept.
        folder: Of the stored run that gives the bands; the package's by default.

    Returns:
        0 if every mutant was caught and the control was not, 1 otherwise.
    """
    unknown = set(names) - {galaxy_zoo.STUDY.name}
    if unknown:
        raise ValueError(
            f"study: received {sorted(unknown)}, expected {galaxy_zoo.STUDY.name} or nothing."
        )
    limits = bands(folder)
    now = galaxy_zoo.fingerprint(galaxy_zoo.BUILD)
    print(f"{'mutant':28}{'kind':12}{'rmse':>9}{'averaged':>10}  breaks")
    missed = 0
    for mutant in MUTANTS:
        path = out / f"{galaxy_zoo.STUDY.name}-{mutant.name.replace(' ', '-')}.json"
        found = _kept(path, now)
        if found is None:
            found = measure(mutant)
            write_card(path, {"fingerprint": now.as_dict(), "metrics": found})
        right, broken = verdict(mutant, found, limits)
        missed += not right
        says = ", ".join(broken) or "nothing"
        mark = "" if right else "   <-- not as it should be"
        print(f"{mutant.name:28}{mutant.kind:12}{found['rmse']:9.4f}{found['rmse_averaged']:10.4f}"
              f"  {says}{mark}", flush=True)  # fmt: skip
    if missed:
        print(f"{missed} of {len(MUTANTS)} were not judged rightly: tighten the claims.")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:]))
