"""The stored runs of the chapter *Architectures*: every task from several starts, in pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.sky import fields, groups, variables
from firstlight.studies import (
    architecture_cells,
    architecture_crowd,
    architecture_depth,
    architecture_tasks,
)
from firstlight.studies.architecture_sequences import alerts, flares
from firstlight.studies.cards import Fingerprint, architecture_digest, digest
from firstlight.studies.stored import Sweep

__all__ = ["NAMES", "NIGHTLY", "SEEDS", "SWEEPS", "cells_fingerprint", "fingerprint", "measure",
           "ratio", "sky_fingerprint"]  # fmt: skip

SEEDS = range(501, 506)
NIGHTLY = range(501, 503)  # of nights of several lengths
LATER = ("sky",)  # has a stored run of its own
NAMES = (*(name for name in architecture_tasks.TASKS if name not in LATER), "thirty layers")


def measure(task: str, seed: int) -> dict[str, float]:
    """Errors of all arms of a task from one start, one column an arm, as `task: arm`."""
    seed = int(seed)
    if task == "crowd":
        errors = architecture_crowd.measure(seed)
    elif task in architecture_tasks.TASKS:
        errors = architecture_tasks.measure(task, seed)
    else:
        errors = architecture_depth.measure(task, seed)
    return {f"{task}: {arm}": error for arm, error in errors.items()}


def ratio(rows: list[dict[str, Any]], task: str, own: str, rival: str) -> NDArray[np.float64]:
    """Error of the rival over one's own, start by start, from the rows of stored runs."""
    merged: dict[float, dict[str, Any]] = {}
    for row in rows:
        if row["task"] == task:
            measured = {k: v for k, v in row.items() if v != ""}
            merged[row["seed"]] = merged.get(row["seed"], {}) | measured
    name = task.rstrip("0123456789 ")
    pair = f"{name}: {rival}", f"{name}: {own}"
    both = [row for row in merged.values() if all(column in row for column in pair)]
    return np.array([row[pair[0]] / row[pair[1]] for row in both])


def fingerprint() -> Fingerprint:
    """What the first run depends on: networks, settings, a few numbers of each sky."""
    tasks = {k: task for k, task in architecture_tasks.TASKS.items() if k in NAMES}
    networks = {
        name: {arm: architecture_digest(who.build()) for arm, who in task.arms.items()}
        for name, task in tasks.items()
    }
    settings = {
        name: [task.steps, task.batch, [who.rate for who in task.arms.values()]]
        for name, task in tasks.items()
    }
    towers = {arm: dict(kind) for arm, kind in architecture_depth.ARMS.items()}
    finders = [dict(architecture_crowd.DEBLEND), dict(architecture_crowd.FILTER),
               dict(architecture_crowd.THRESHOLD)]  # fmt: skip
    skies = [
        fields.simulate(1, seed=5, size=32).images[0, :2, :8] / 10,
        fields.pairs(2, seed=5).images[:, 10, 10:14] / 10,
        groups.simulate(2, seed=5).galaxies[:, :3],
        variables.simulate(2, seed=5).magnitudes[:, :3] / 20,
        alerts(2, seed=5)[0][:, :2],
        flares(2, seed=5)[0][:, :3],
    ]
    numbers = np.concatenate([np.ravel(a) for a in skies])
    return Fingerprint(
        digest(networks), digest([settings, towers, finders]), tuple(map(float, numbers))
    )


def sky_fingerprint() -> Fingerprint:
    """What the run of the task "sky" depends on."""
    task = architecture_tasks.TASKS["sky"]
    x, y = (a[:2, 10, 10:14, 0] for a in task.make(5, "test"))
    return Fingerprint(
        digest({arm: architecture_digest(who.build()) for arm, who in task.arms.items()}),
        digest([task.steps, task.batch, [who.rate for who in task.arms.values()]]),
        tuple(map(float, np.concatenate([x.ravel(), y.ravel()]))),
    )


def cells_fingerprint() -> Fingerprint:
    """What the run of the three cells depends on."""
    chosen = [architecture_cells.folded(), architecture_cells.night(4)]
    return Fingerprint(
        digest([{arm: architecture_digest(who.build()) for arm, who in task.arms.items()}
                for task in chosen]),
        digest([[task.steps, task.batch, [who.rate for who in task.arms.values()]]
                for task in chosen]),
        tuple(map(float, np.ravel(alerts(2, seed=6, steps=4)[0]))),
    )  # fmt: skip


SWEEPS = {
    "architectures-starts": Sweep(
        "architectures-starts",
        [{"task": task, "seed": seed} for seed in SEEDS for task in NAMES],
        measure,
        fingerprint,
    ),
    "architectures-cells": Sweep(
        "architectures-cells",
        [{"task": f"recall {n}", "seed": seed} for seed in NIGHTLY
         for n in architecture_cells.NIGHTS]
        + [{"task": "light curves", "seed": seed} for seed in SEEDS[:3]],
        architecture_cells.measure,
        cells_fingerprint,
    ),
    "architectures-sky": Sweep(
        "architectures-sky",
        [{"task": "sky", "seed": seed} for seed in SEEDS],
        measure,
        sky_fingerprint,
    ),
}
