"""A study's fit shared among processes: the same steps as in one, to the last rounding or so."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.scaling import processes as children
from firstlight.studies import full_scale
from firstlight.studies.cards import digest
from firstlight.studies.study import Config, Study

__all__ = ["train"]

_FILES = ("training-images.npy", "training-targets.npy")
_ABOUT = "training.json"


def train(
    study: Study, config: Config, seed: int, out: Path, processes: int, *, resume: bool = True
) -> Path:
    """Train a study's network in several processes of this machine, on the JAX backend.

    The sky is simulated once and lies in `out`, where all processes read it without copying.
    Each takes its share of every batch; gradients are averaged over the loopback.

    Args:
        study: One whose training is one fit on arrays (it has `parts`).
        config: One of its scales.
        seed: Of everything.
        out: Folder for training set, checkpoint, weights and card.
        processes: How many; the batch must be a multiple.
        resume: Go on from the checkpoint, whatever the number of processes that wrote it.

    Returns:
        The weights.

    Raises:
        ValueError: If the study cannot be shared, or the batch not evenly.
        ChildDied: If a process died; the checkpoint stays.
    """
    if study.parts is None:
        raise ValueError(
            f"--processes: received {processes} for {study.name}, expected 1. Its training is "
            "more than one fit on arrays, and only such a fit can be shared among processes. "
            "Leave --processes out."
        )
    if config["batch_size"] % processes:
        raise ValueError(
            f"--processes: received {processes} for batches of {config['batch_size']}, expected "
            "a divisor, so that each process takes the same share."
        )
    out, watch = Path(out), full_scale.Stopwatch()
    out.mkdir(parents=True, exist_ok=True)
    images, targets = _training_set(study, config, seed, out, processes)
    checkpoint = out / "checkpoint.npz"
    answers = children.call(
        _fit, study.parts.fit, dict(config), seed, out, checkpoint, resume, processes=processes
    )
    # The checkpoint is that of a finished run: this fit restores it and takes no step.
    model, _ = study.parts.fit(config, images, targets, seed, checkpoint=checkpoint, resume=True)
    facts = {
        **watch.read(),
        "processes": processes,
        "train_cpu_s": round(sum(answer.cpu_s for answer in answers), 1),
    }
    return study.parts.keep(config, seed, out, model, facts)


def _fit(fit: Any, config: Config, seed: int, out: Path, checkpoint: Path, resume: bool) -> int:
    """What each process does; returns the steps taken in all."""
    images, targets = _stored(out)
    _, history = fit(config, images, targets, seed, checkpoint=checkpoint, resume=resume)
    return int(history.step[-1]) if history.step else 0


def _training_set(
    study: Study, config: Config, seed: int, out: Path, workers: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """The arrays of a run, simulated once and read back without a copy in memory."""
    identity = digest({**full_scale.tuples(config), "study": study.name, "seed": seed})
    if _about(out).get("identity") != identity or not _whole(out):
        assert study.parts is not None
        hashes = {}
        (out / _ABOUT).unlink(missing_ok=True)
        arrays = study.parts.training_set(config, seed, workers=workers)
        for name, array in zip(_FILES, arrays, strict=True):
            part = out / f".{name}.{os.getpid()}.part"
            with open(part, "wb") as file:
                np.save(file, array)
            hashes[name] = _sha256(part)
            part.replace(out / name)
        about = {"identity": identity, "sha256": hashes}
        (out / _ABOUT).write_text(json.dumps(about), encoding="utf-8")
    return _stored(out)


def _about(out: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((out / _ABOUT).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _whole(out: Path) -> bool:
    wanted = _about(out).get("sha256", {})
    try:
        return all(_sha256(out / name) == wanted.get(name) for name in _FILES)
    except OSError:
        return False


def _stored(out: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    images, targets = (np.load(out / name, mmap_mode="r") for name in _FILES)
    return images, targets


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
