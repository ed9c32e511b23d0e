"""What the book asserts: claims with bands, quoted numbers, and honest gaps.

A chapter calls `claim` in a code cell; its prose shows the value by name with the
role ``{claim}`study.metric:.3f` ``. Nothing is written anywhere unless the press asks
for it (`FIRSTLIGHT_TRACE`), so the same lines run in a reader's own notebook.
"""

import json
import math
import os
import re
from typing import SupportsFloat, TypeVar

__all__ = ["ClaimError", "claim", "quote", "skip"]

NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_LONGEST_QUOTE = 80
Quotable = TypeVar("Quotable", int, float, str)


class ClaimError(AssertionError):
    """A measured value lies outside its stated band.

    Attributes:
        name: Name of the claim.
        value: Measured value.
        band: `(low, high)`; `None` on an open side.
    """

    def __init__(self, name: str, value: float, band: tuple[float | None, float | None]):
        self.name, self.value, self.band = name, value, band
        super().__init__(
            f"claim {name}: received {value:.6g}, expected {_band_in_words(*band)}. "
            "Either the code changed the result (find out why), or the band is wrong "
            "(measure it on ten seeds: `make seeds`)."
        )


def claim(
    name: str,
    value: SupportsFloat,
    *,
    low: float | None = None,
    high: float | None = None,
    unit: str = "",
) -> float:
    """Assert that a measured value lies in its band, and make it known to the prose.

    Args:
        name: `study.metric`, lower case with underscores, such as `galaxy_zoo.rmse`.
        value: The measured value; anything that `float` accepts.
        low: Smallest value that is still right, or `None` for no lower bound.
        high: Largest value that is still right, or `None` for no upper bound.
        unit: Unit in words or symbols, empty for a pure number.

    Returns:
        The value as a Python float.

    Raises:
        ClaimError: If the value is out of its band. With `FIRSTLIGHT_CLAIMS=record`
            (seeds, mutants) it is only recorded.
        ValueError: If the name, the value or the band makes no sense.

    Example:
        >>> claim("demo.pi", 3.1416, low=3.1, high=3.2)
        claim demo.pi = 3.142 (band: 3.1 to 3.2)
        3.1416
    """
    number = float(value)
    _check_name(name)
    _check_band(name, number, low, high)
    record = {"claim": name, "value": number, "low": low, "high": high, "unit": unit}
    _trace(record)
    held = (low is None or number >= low) and (high is None or number <= high)
    if not held and os.environ.get("FIRSTLIGHT_CLAIMS") != "record":
        raise ClaimError(name, number, (low, high))
    verdict = "band" if held else "OUT OF BAND"
    spaced_unit = f" {unit}" if unit else ""
    print(f"claim {name} = {number:.4g}{spaced_unit} ({verdict}: {_band_in_words(low, high)})")
    return number


def quote(name: str, value: Quotable, unit: str = "") -> Quotable:
    """Make a value known to the prose without judging it.

    For what is a setting (how many images) or belongs to this machine (seconds):
    true of this build, but no statement of the book.

    Args:
        name: `study.metric`, like a claim's.
        value: A finite number, or a string of at most 80 characters.
        unit: Unit in words or symbols, empty for a pure number.

    Returns:
        The value, unchanged.

    Raises:
        ValueError: If the name or the value makes no sense.

    Example:
        >>> quote("demo.n_train", 12000, "images")
        12000
    """
    _check_name(name)
    plain: int | float | str
    if isinstance(value, str):
        if len(value) > _LONGEST_QUOTE:
            raise ValueError(
                f"quote {name}: received a string of {len(value)} characters, expected at "
                f"most {_LONGEST_QUOTE}. Longer text belongs in the prose."
            )
        plain = value
    else:
        number = float(value)
        if not math.isfinite(number):
            raise ValueError(f"quote {name}: received {number}, expected a finite number.")
        plain = int(number) if number.is_integer() and not isinstance(value, float) else number
    _trace({"quote": name, "value": plain, "unit": unit})
    return value


def skip(name: str, reason: str) -> None:
    """Say that a claim cannot be measured in this build, and why.

    Args:
        name: Name the claim would have.
        reason: One sentence for the reader, such as "the COSMOS images are absent".

    Raises:
        ValueError: If the name makes no sense or the reason is empty.

    Example:
        >>> skip("demo.real_sky", "the real images are not on this machine")
        claim demo.real_sky not measured: the real images are not on this machine
    """
    _check_name(name)
    if not reason.strip():
        raise ValueError(f"skip {name}: received no reason, expected one sentence.")
    _trace({"claim": name, "skipped": reason})
    print(f"claim {name} not measured: {reason}")


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise ValueError(
            f"claim name: received {name!r}, expected study.metric in lower case with "
            "underscores, such as galaxy_zoo.rmse."
        )


def _check_band(name: str, value: float, low: float | None, high: float | None) -> None:
    if not math.isfinite(value):
        raise ValueError(
            f"claim {name}: received {value}, expected a finite number. "
            "Look for an empty selection or a diverged training."
        )
    if low is None and high is None:
        raise ValueError(
            f"claim {name}: received no band, expected low=, high= or both. "
            "A number that is shown but not judged is a quote()."
        )
    if low is not None and high is not None and low > high:
        raise ValueError(f"claim {name}: received low={low} above high={high}; swap them.")


def _band_in_words(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high:g}"
    if high is None:
        return f"at least {low:g}"
    return f"{low:g} to {high:g}"


def _trace(record: dict[str, object]) -> None:
    """Append one line to the press's trace, in a single write, if there is one."""
    path = os.environ.get("FIRSTLIGHT_TRACE")
    if not path:
        return
    line = (json.dumps(record) + "\n").encode()
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)
