"""What the simulators ask of their arguments, said in one way."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["table", "whole"]


def whole(where: str, name: str, value: Any, low: int, high: int) -> int:
    """Insists on a whole number.

    Args:
        where: The function that was called.
        name: Its argument.
        value: What was passed.
        low: The smallest number allowed.
        high: The largest number allowed.

    Returns:
        The value as an `int`.

    Raises:
        ValueError: If it is not an integer in that range; `True` and `3.0` are none.

    Example:
        >>> whole("simulate", "n", 3, 1, 10)
        3
    """
    is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not is_whole or not low <= value <= high:
        raise ValueError(
            f"{where}: received {name}={value!r}, expected a whole number from {low} to {high}."
        )
    return int(value)


def table(
    where: str, truth: pd.DataFrame, needed: Iterable[str], positive: Iterable[str] = ()
) -> None:
    """Insists that a table holds some columns, all finite and some of them positive.

    Args:
        where: The function that was called.
        truth: The table.
        needed: Columns that must be there; those that are numbers must be finite.
        positive: Those among them that must be above zero.

    Raises:
        ValueError: If a column is missing, not finite, or not positive where it must be.
    """
    missing = [name for name in needed if name not in truth]
    if missing:
        raise ValueError(
            f"{where}: received a table without {missing}, expected the columns of "
            "sky.population.draw and, for votes, the visible_* columns of sky.galaxies.render."
        )
    numbers = [name for name in needed if truth[name].dtype.kind in "fiub"]
    values = truth[numbers].to_numpy(dtype=float)
    finite = np.isfinite(values).all(axis=0)
    bad = [name for name, ok in zip(numbers, finite, strict=True) if not ok]
    if bad:
        raise ValueError(
            f"{where}: received NaN or infinity in {bad}, expected finite numbers. Drop those rows "
            "or draw them again."
        )
    flat = [name for name in positive if len(truth) and not truth[name].min() > 0]
    if flat:
        raise ValueError(
            f"{where}: received values of zero or less in {flat}, expected positive numbers."
        )
