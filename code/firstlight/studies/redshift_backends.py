"""The same little study on another Keras backend, in a process of its own.

A backend is chosen before Keras is imported, and then for good. So the page that compares two
starts a child: `python -m firstlight.studies.redshift_backends IN.npz OUT.npz`, with
`KERAS_BACKEND` set. Start, batches and data are in the file; nothing random is left to the child.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["network", "on_backend", "train"]

BACKENDS = ("tensorflow", "jax")


def network(start: Sequence[NDArray[Any]], activation: str = "relu") -> Any:
    """A Keras network of dense layers that starts at given weights.

    Args:
        start: A kernel and a bias for each layer, as `redshifts.start` makes them.
        activation: Of the hidden layers.

    Returns:
        A `keras.Sequential`, built.
    """
    import keras

    widths = [bias.shape[0] for bias in start[1::2]]
    hidden = [keras.layers.Dense(width, activation=activation) for width in widths[:-1]]
    model = keras.Sequential(
        [keras.Input((start[0].shape[0],)), *hidden, keras.layers.Dense(widths[-1])]
    )
    model.set_weights(list(start))
    return model


def train(
    start: Sequence[NDArray[Any]],
    x: NDArray[Any],
    y: NDArray[Any],
    rows: NDArray[Any],
    rate: float = 3e-3,
) -> tuple[Any, NDArray[np.float64]]:
    """Train on whatever backend this process has.

    Args:
        start: Weights to start from.
        x: Inputs, shape (n, 5).
        y: Targets, shape (n, 1).
        rows: Rows of each batch, shape (steps, size).
        rate: Of Adam.

    Returns:
        The trained model, and the loss of each step.
    """
    import keras

    model = network(start)
    jit = keras.backend.backend() == "jax"  # what it is made for; TensorFlow has its graphs
    model.compile(keras.optimizers.Adam(rate), "mse", jit_compile=jit)
    x, y = np.asarray(x, np.float32), np.asarray(y, np.float32)
    losses = [float(np.asarray(model.train_on_batch(x[r], y[r]))) for r in rows]
    return model, np.array(losses)


def on_backend(backend: str, start: Sequence[NDArray[Any]], **data: Any) -> dict[str, Any]:
    """Train in a child process that has the backend asked for.

    Args:
        backend: "tensorflow" or "jax".
        start: Weights to start from.
        **data: `x`, `y`, `rows` as for `train`, and `x_test`.

    Returns:
        `predicted` for x_test, `losses`, `weights` (all in one row), `drawn` (three numbers
        from `keras.random.normal` with seed 1), `backend`, `version` of the backend's package.

    Raises:
        ValueError: If the backend is another one.
        RuntimeError: If the child fails; with its last lines.
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend: received {backend!r}, expected one of {', '.join(BACKENDS)}.")
    package = str(Path(__file__).parents[2])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    settings = {**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu",
                "PYTHONPATH": os.pathsep.join(paths)}  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        given, told = Path(folder) / "in.npz", Path(folder) / "out.npz"
        arrays: dict[str, Any] = {f"w{k:02d}": w for k, w in enumerate(start)}
        np.savez(given, **arrays, **data)
        command = [sys.executable, "-m", __name__, str(given), str(told)]
        done = subprocess.run(command, env=settings, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{backend}: the child stopped: {done.stderr.strip()[-400:]}")
        with np.load(told) as file:
            found = dict(file)
    return {key: value.item() if value.ndim == 0 else value for key, value in found.items()}


def main(given: str, told: str) -> None:
    """What the child does."""
    import keras

    with np.load(given) as file:
        data = dict(file)
    start = [data[key] for key in sorted(data) if key.startswith("w")]
    model, losses = train(start, data["x"], data["y"], data["rows"])
    backend = keras.backend.backend()
    np.savez(
        told,
        predicted=np.asarray(model.predict_on_batch(data["x_test"].astype(np.float32))),
        losses=losses,
        weights=np.concatenate([np.ravel(w) for w in model.get_weights()]),
        drawn=np.asarray(keras.random.normal((3,), seed=1)),
        backend=np.array(backend),
        version=np.array(__import__(backend).__version__),
    )


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main(sys.argv[1], sys.argv[2])
