"""Labels that come with a reader's data: names or numbers, and what is not one of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.archive.errors import DataError

__all__ = ["coded"]


def coded(path: object, labels: NDArray[Any], n: int, known: Mapping[str, int]) -> NDArray[Any]:
    """Labels as whole numbers; -1 where there is none.

    Args:
        path: For messages.
        labels: Names or numbers; "", NaN and -1 mean that the object has no label.
        n: How many objects there are.
        known: Names of the classes and their numbers.

    Returns:
        Shape (n,), int.

    Raises:
        DataError: If their number is wrong, or one of them is not known.
    """
    values = np.asarray(labels)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.shape != (n,):
        raise DataError(
            f"{path}: received labels of shape {values.shape}, expected ({n},), one for each "
            "object, in the order of the objects. Use -1 or an empty text where there is none."
        )
    names = {name.lower(): code for name, code in known.items()}
    out = np.empty(n, int)
    for k, value in enumerate(values.tolist()):
        text = value.decode() if isinstance(value, bytes) else str(value)
        text = text.strip().lower().removesuffix(".0")
        if text in ("", "-1", "nan", "none", "--", "unknown"):
            out[k] = -1
        elif text in names:
            out[k] = names[text]
        elif text.isdecimal() and int(text) in names.values():
            out[k] = int(text)
        else:
            raise DataError(
                f"{path}: received the label {value!r} (object {k}), expected one of "
                f"{', '.join(dict.fromkeys([*known, *map(str, sorted(set(known.values())))]))}, "
                "or -1 for none. Rename it, or rename the labels as a whole to have them ignored."
            )
    return out
