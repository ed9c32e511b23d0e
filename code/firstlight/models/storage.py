"""Weights on disk: float16, whole or not at all, read without pickles."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import keras
import numpy as np

__all__ = ["load_weights", "save_weights"]


def save_weights(model: keras.Model, path: str | os.PathLike[str]) -> Path:
    """Write a model's weights as float16, whole or not at all.

    Args:
        model: The network.
        path: An `.npz` file.

    Returns:
        The path.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    with np.errstate(over="ignore"):
        arrays: dict[str, Any] = {
            f"w{i}": np.asarray(w).astype(np.float16) for i, w in enumerate(model.weights)
        }
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(
                f"weights {name}: received values beyond float16 (65504) or NaN, expected finite "
                "weights. The run has diverged, or a layer needs another scale."
            )
    try:
        with open(scratch, "wb") as file:
            np.savez_compressed(file, **arrays)
        os.replace(scratch, target)
    finally:
        scratch.unlink(missing_ok=True)
    return target


def load_weights(model: keras.Model, path: str | os.PathLike[str]) -> keras.Model:
    """Put weights from `save_weights` into a model of the same architecture.

    Args:
        model: The network, built.
        path: The `.npz` file.

    Returns:
        The same model.

    Raises:
        ValueError: If the shapes do not fit.
    """
    with open(path, "rb") as handle, np.load(handle, allow_pickle=False) as file:
        arrays = [file[f"w{i}"].astype(np.float32) for i in range(len(file.files))]
    expected = [tuple(w.shape) for w in model.weights]
    if [a.shape for a in arrays] != expected:
        raise ValueError(
            f"{path}: received {len(arrays)} arrays whose shapes do not fit the {len(expected)} "
            "of the model, expected the same architecture. Build the model with the card's "
            "arguments, or train it anew."
        )
    model.set_weights(arrays)
    return model
