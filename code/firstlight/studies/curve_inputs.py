"""What a network wants of light curves that come from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from firstlight.archive.errors import DataError
from firstlight.archive.own_curves import Curve, Curves

__all__ = ["CurveInput", "Padded", "admit_curves", "check_curve", "padded"]

Doubles = NDArray[np.float64]
DAYS = ("", "d", "day", "days", "mjd", "jd", "bjd", "hjd")
MAGNITUDES = ("", "mag", "mags", "magnitude", "mag(ab)", "abmag")
LONGEST_SPAN = 20_000.0  # days: photometry is younger


class Padded(NamedTuple):
    """Light curves as arrays of one length, (n, most visits), as `sky.folding` takes them.

    Args:
        times: Days; 0 where the mask is False.
        magnitudes: Likewise.
        errors: Likewise.
        mask: True for a measurement.
        period_days: NaN where the table gave none, (n,).
    """

    times: Doubles
    magnitudes: Doubles
    errors: Doubles
    mask: NDArray[np.bool_]
    period_days: Doubles


@dataclass(frozen=True)
class CurveInput:
    """Light curves as one study's network takes them.

    Args:
        fewest: Visits that a star must have.
        most: Visits that it is shown at most; more are thinned at random.
        band: In words, which band and cadence it was trained on.
        free: In words, what is allowed to differ.
        home: `home(n, seed)`: stars of the simulated sky that it was trained on.
        fold: `fold(curves)`: periods in days, found where none is given, (n,).
    """

    fewest: int
    most: int
    band: str
    free: str
    home: Callable[[int, int], Padded]
    fold: Callable[[Padded], Doubles]


def padded(curves: Sequence[Curve]) -> Padded:
    """Curves of unequal length as arrays of one length.

    Args:
        curves: One or more.
    """
    shape = len(curves), max(len(curve.times) for curve in curves)
    arrays = [np.zeros(shape) for _ in range(3)]
    mask = np.zeros(shape, bool)
    for k, curve in enumerate(curves):
        visits = len(curve.times)
        for array, values in zip(
            arrays, (curve.times, curve.magnitudes, curve.errors), strict=True
        ):
            array[k, :visits] = values
        mask[k, :visits] = True
    times, magnitudes, errors = arrays
    return Padded(
        times, magnitudes, errors, mask, np.array([curve.period_days for curve in curves])
    )


def admit_curves(curves: Curves, first: Sequence[Curve], wants: CurveInput) -> list[str]:
    """Compares a table with what a network wants.

    Args:
        curves: From `own_curves.open_curves`.
        first: Some of its stars.
        wants: The declaration.

    Returns:
        What was assumed, for the report.

    Raises:
        DataError: If units do not fit: received, expected, how to mend it.
    """
    for what, fine, fix in (
        ("time", DAYS, "Divide seconds by 86400, hours by 24."),
        ("period", DAYS, "Divide seconds by 86400, hours by 24."),
        ("mag", MAGNITUDES, "mag = zero_point - 2.5 * log10(flux)."),
        ("mag_err", MAGNITUDES, "mag_err = 1.086 * flux_err / flux."),
    ):
        unit = curves.units.get(what, "").strip().lower()
        if unit not in fine:
            wanted = "days" if fine is DAYS else "magnitudes"
            raise DataError(f"{curves.path}: received the column {curves.columns[what]} in "
                            f"{curves.units[what]}, expected {wanted}. {fix}")  # fmt: skip
    full = [curve for curve in first if len(curve.times) > 1]
    if full:
        _numbers(curves, full)
    notes = [] if "period" in curves.columns else [
        "the table gives no periods; the strongest peak of a periodogram was taken"]  # fmt: skip
    if not any(unit for what, unit in curves.units.items() if what == "time"):
        notes.append("the table states no unit of time; days were assumed")
    return notes


def _numbers(curves: Curves, full: Sequence[Curve]) -> None:
    span = float(np.median([np.ptp(curve.times) for curve in full]))
    if span > LONGEST_SPAN:
        raise DataError(
            f"{curves.path}: received times that span {span:.3g}, expected days, at most "
            f"{LONGEST_SPAN:.0f} of them. Divide seconds by 86400."
        )
    level = float(np.median([np.median(curve.magnitudes) for curve in full]))
    error = float(np.median([np.median(curve.errors) for curve in full]))
    swing = float(np.median([np.ptp(curve.magnitudes) for curve in full]))
    if not -30 < level < 40 or swing > 15:
        raise DataError(
            f"{curves.path}: received magnitudes about {level:.3g} that swing by {swing:.3g}, "
            "expected magnitudes. Fluxes: mag = zero_point - 2.5 * log10(flux)."
        )
    if error > 1:
        raise DataError(
            f"{curves.path}: received errors about {error:.3g}, expected magnitudes below 1. "
            "Millimagnitudes: divide by 1000; S/N: 1.086 / S/N."
        )


def check_curve(curve: Curve, wants: CurveInput) -> str:
    """Why a star cannot be judged, or "".

    Args:
        curve: From `own_curves`.
        wants: The declaration.
    """
    visits = len(curve.times)
    if visits < wants.fewest:
        lost = f" ({curve.dropped} without a number)" if curve.dropped else ""
        return f"{visits} usable visits{lost}, expected {wants.fewest} or more"
    if not np.ptp(curve.times) > 0:
        return "all visits at one time"
    if not np.ptp(curve.magnitudes) > 0:
        return f"constant magnitude ({curve.magnitudes[0]:g} at every visit)"
    if np.isfinite(curve.period_days) and curve.period_days <= 0:
        return f"period of {curve.period_days:g} days, expected a positive number or none"
    return ""
