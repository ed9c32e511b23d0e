"""The studies of the book by name: simulate, train, evaluate, and the stored runs.

Importing this costs nothing; a study's networks are loaded when it is asked for.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firstlight.studies.study import Study

__all__ = ["NAMES", "SWEEPS", "get", "sweep"]

_MODULES = {
    "galaxy-zoo": "firstlight.studies.galaxy_zoo",
    "lens-finder": "firstlight.studies.lens_finder",
    "mergers": "firstlight.studies.mergers",
    "rr-lyrae": "firstlight.studies.rr_lyrae",
    "semantic-autoencoder": "firstlight.studies.semantic_autoencoder",
    "cosmic-web": "firstlight.studies.cosmic_web",
}
_SWEEPS = {
    "galaxy-zoo-seeds": "firstlight.studies.galaxy_zoo_runs",
    "galaxy-zoo-size": "firstlight.studies.galaxy_zoo_runs",
    "galaxy-zoo-ladder": "firstlight.studies.galaxy_zoo_runs",
    "galaxy-zoo-full": "firstlight.studies.galaxy_zoo_runs",
    "galaxy-zoo-classical": "firstlight.studies.galaxy_zoo_runs",
    "galaxy-zoo-ensemble": "firstlight.studies.galaxy_zoo_runs",
    "architectures-cells": "firstlight.studies.architecture_runs",
    "architectures-sky": "firstlight.studies.architecture_runs",
    "architectures-starts": "firstlight.studies.architecture_runs",
    "cnns-rates": "firstlight.studies.cnn_parts",
    "cnns-parts": "firstlight.studies.cnn_parts",
    "features": "firstlight.studies.features",
    "mergers-labels": "firstlight.studies.mergers_runs",
    "mergers-patience": "firstlight.studies.mergers_runs",
    "mergers-statmorph": "firstlight.studies.mergers_runs",
    "optimizers-race": "firstlight.studies.optimizer_race",
    "optimizers-schedules": "firstlight.studies.optimizer_race",
    "validation-eight": "firstlight.studies.validation_eight",
    "validation-leaks": "firstlight.studies.validation_sweeps",
    "validation-cures": "firstlight.studies.validation_sweeps",
    "validation-sizes": "firstlight.studies.validation_sweeps",
    "rr-lyrae-feh": "firstlight.studies.rr_lyrae_feh_runs",
    "transfer-labels": "firstlight.studies.radio_sweeps",
    "transfer-full": "firstlight.studies.radio_sweeps",
    "transfer-reference": "firstlight.studies.radio_sweeps",
}

NAMES: tuple[str, ...] = tuple(_MODULES)
SWEEPS: tuple[str, ...] = tuple(_SWEEPS)


def get(name: str) -> Study:
    """A study by name.

    Args:
        name: One of `NAMES`.

    Returns:
        The study.

    Raises:
        ValueError: If there is no study of that name.
    """
    if name not in _MODULES:
        raise ValueError(f"study: received {name!r}, expected one of {', '.join(NAMES)}.")
    return import_module(_MODULES[name]).STUDY


def sweep(name: str, out: str | os.PathLike[str] | None = None, resume: bool = True) -> Path:
    """Make a stored run: every point of a sweep, one row of a table each.

    Args:
        name: One of `SWEEPS`.
        out: Folder of the table and its card; beside the package by default.
        resume: Keep the rows that are done already, if they were made with the same settings.

    Returns:
        The table, a csv file.

    Raises:
        ValueError: If there is no sweep of that name.
    """
    if name not in _SWEEPS:
        raise ValueError(f"sweep: received {name!r}, expected one of {', '.join(SWEEPS)}.")
    from firstlight.studies.stored import run_sweep

    module = import_module(_SWEEPS[name])
    return run_sweep(module.SWEEPS[name], Path(out) if out is not None else None, resume)
