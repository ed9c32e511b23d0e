"""Which inputs a network's outputs listen to: touch one input at a time, and look what moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["reach"]


def reach(
    function: Callable[[NDArray[Any]], Any], x: NDArray[Any], *, step: float = 0.05,
    draws: int = 8, seed: int = 0,
) -> NDArray[np.float64]:  # fmt: skip
    """Root mean squared slope of every output place by every input place, by finite differences.

    Works for anything that maps a batch to a batch, on any backend. A receptive field is a row
    of the matrix; a memory is the last row, read backward.

    Args:
        function: Takes `(batch, places, channels)`, returns `(batch, places')` or
            `(batch, places', channels')`.
        x: One example, `(places, channels)`, around which the inputs are touched.
        step: Length of a touch.
        draws: Random directions across the channels in which each place is touched.
        seed: Of the directions.

    Returns:
        Shape (places', places).

    Raises:
        ValueError: If the example is not of two axes, or an answer is not finite.

    Example:
        >>> reach(lambda x: 3 * x, np.zeros((2, 1))).round(6).tolist()
        [[3.0, 0.0], [0.0, 3.0]]
    """
    x = np.asarray(x, np.float64)
    if x.ndim != 2:
        raise ValueError(
            f"reach: received an example of shape {x.shape}, expected (places, channels). Write an "
            "image in one row, and put the reshaping into the function."
        )
    places, channels = x.shape
    random = np.random.default_rng(seed)
    total: Any = 0.0
    way: Any
    for _ in range(draws):
        way = random.normal(size=channels)
        way *= step / np.linalg.norm(way)
        batch = np.concatenate([x[None] + np.eye(places)[..., None] * way,
                                x[None] - np.eye(places)[..., None] * way])  # fmt: skip
        said = np.asarray(function(batch.astype(np.float32)), np.float64)
        if not np.isfinite(said).all():
            raise ValueError("reach: the function gave NaN or infinity. Touch a valid example.")
        said = said.reshape(*said.shape[:2], -1)
        slope = (said[:places] - said[places:]) / (2 * step)
        total = total + (slope**2).mean(axis=-1)
    return np.asarray(np.sqrt(total / draws).T)
