"""What every layer asks of the numbers that it is given."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "as_floats"]

Floats = NDArray[np.floating[Any]]


def as_floats(x: Any, name: str, dtype: Any = None) -> Floats:
    """Floats, all of them finite, or an error that says which are not.

    Args:
        x: Anything that NumPy makes an array of.
        name: Whom the error names.
        dtype: Wanted dtype; by default floats are left as they are and all else is float64.

    Returns:
        The array; not copied where nothing had to change.

    Raises:
        ValueError: If x is not numeric, or holds NaN or infinity.
    """
    try:
        array = np.asarray(x)
        if array.dtype.kind not in "fiub":
            raise TypeError(array.dtype)
        kept = dtype or (array.dtype if array.dtype.kind == "f" else np.float64)
        array = array.astype(kept, copy=False)
        finite = np.isfinite(array)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name}: received {type(x).__name__} that is no array of real numbers, expected one, "
            "all rows of one length."
        ) from None
    if not finite.all():
        bad = np.argwhere(~finite)
        raise ValueError(
            f"{name}: received {len(bad)} of {array.size} numbers that are NaN or infinite, the "
            f"first at {tuple(map(int, bad[0]))}, expected finite ones. Find where they come from; "
            "mask or interpolate bad pixels before the network sees them."
        )
    return array
