"""What the RR Lyrae study looks at: simulated stars of two surveys, folded with several periods."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.sky import cadence, folding, variables
from firstlight.sky.periods import candidate_periods

__all__ = ["CHANNELS", "DEEP", "FEW", "Stars", "candidates_of", "folded", "known", "light_curves",
           "observe", "right_period", "simulate", "thinned"]  # fmt: skip

Floats = NDArray[np.float32]
Curves = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]

CHANNELS = ("sine of phase", "cosine of phase", "magnitude", "log error", "log period")
# VVV as it is and with fewer visits; and a survey in I that is deeper than it: Stripe 82's
# cadence with errors down to six millimagnitudes, so that S/N reaches a thousand.
FEW = replace(cadence.VVV, name="VVV, 20 to 75 visits", epochs=(20, 75))
DEEP = replace(cadence.STRIPE82, name="I, 20 to 75 visits", epochs=(20, 75), floor_mag=0.006)
PEAKS = 10  # looked at beyond the highest ones
PIECE = 1_000  # stars at a time, to keep the peak of memory low
OTHER = 10**6  # added to a seed: other stars
SURE = 40.0  # the S/N above which a search finds the period
SLIP = 0.25  # of a cycle, from the first visit to the last: with more a period counts as wrong


@dataclass(frozen=True)
class Stars:
    """Stars with the periods that a search gives them.

    Args:
        sky: The light curves and their truth.
        periods: Candidates in days, highest peak first, (n, candidates).
    """

    sky: variables.Variables
    periods: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.sky)

    @property
    def rrab(self) -> NDArray[np.bool_]:
        """Which are RRab stars, (n,)."""
        return np.asarray(self.sky.labels == "RRab")

    @property
    def right(self) -> NDArray[np.bool_]:
        """Which candidates are the true period, (n, candidates); none of a constant star."""
        times, _, _, mask = self.sky.curves
        return right_period(times, mask, self.periods, self.sky.period_days)

    def take(self, rows: NDArray[Any]) -> Stars:
        """Some of the stars."""
        return Stars(self.sky.take(rows), self.periods[rows])


def right_period(
    times: NDArray[Any], mask: NDArray[Any], found: NDArray[Any], true: NDArray[Any]
) -> NDArray[np.bool_]:
    """Does a period keep step with the true one through the whole curve, to a quarter cycle?

    Args:
        times: Days, (n, epochs).
        mask: True for a measurement, likewise.
        found: Periods in days, (n,) or (n, candidates).
        true: In days, NaN where there is none, (n,).

    Returns:
        The shape of `found`.
    """
    seen = np.where(mask, times, np.nan)
    span = np.nanmax(seen, axis=1) - np.nanmin(seen, axis=1)
    found = np.asarray(found)
    shape = (-1,) + (1,) * (found.ndim - 1)
    slip = np.abs(1 / found - 1 / np.reshape(true, shape)) * span.reshape(shape)
    return np.asarray(slip < SLIP)  # a comparison with NaN is False


def simulate(n: int, seed: int, *, part: str, survey: str = "both", candidates: int = 2) -> Stars:
    """Stars of one survey, or half and half of two.

    Args:
        n: How many.
        seed: 0 or more.
        part: Which OGLE stars lend their shapes: see `variables.simulate`.
        survey: "vvv" (as it was), "few" (20 to 75 visits), "deep" (in I), or "both" of the last.
        candidates: Periods a star.

    Raises:
        ValueError: If there is no such survey.
    """
    return observe(light_curves(n, seed, part=part, survey=survey), candidates)


def light_curves(
    n: int, seed: int, *, part: str, survey: str = "both", shares: Any = variables.SHARES
) -> variables.Variables:
    """What `simulate` looks at, without the search for periods.

    Args:
        n: How many.
        seed: 0 or more.
        part: See `variables.simulate`.
        survey: See `simulate`.
        shares: See `variables.simulate`.

    Raises:
        ValueError: If there is no such survey.
    """
    surveys = {"vvv": (cadence.VVV,), "few": (FEW,), "deep": (DEEP,), "both": (FEW, DEEP)}
    if survey not in surveys:
        raise ValueError(f"survey: received {survey!r}, expected one of {', '.join(surveys)}.")
    chosen = surveys[survey]
    share = -(-n // len(chosen))
    parts = [
        variables.simulate(share, len(chosen) * seed + k, survey=one, part=part, shares=shares)
        for k, one in enumerate(chosen)
    ]
    return _together(parts).take(np.arange(n)) if len(parts) > 1 else parts[0]


def _together(parts: list[variables.Variables]) -> variables.Variables:
    """Star by star in turns, so that any first part of them holds both surveys."""
    import pandas as pd

    n = len(parts[0])
    turn = np.arange(len(parts) * n).reshape(len(parts), n).T.ravel()
    wide = max(part.times.shape[1] for part in parts)

    def joined(name: str) -> NDArray[Any]:
        arrays = [getattr(part, name) for part in parts]
        wider = [np.pad(a, ((0, 0), (0, wide - a.shape[1]))) for a in arrays]
        return np.concatenate(wider)[turn]

    truth = pd.concat([p.truth.assign(band=p.band) for p in parts], ignore_index=True)
    times, magnitudes, errors, mask = map(joined, ("times", "magnitudes", "errors", "mask"))
    return variables.Variables(
        times, magnitudes, errors, mask, truth.iloc[turn].reset_index(drop=True), "Ks, I"
    )


def known(n: int, seed: int, *, part: str, survey: str = "both") -> Stars:
    """Stars with the one period that a search without a slip would find.

    A search costs twenty times as much as the simulation. Where the truth is known it can be
    spared: the true period, half of it for binaries, whose two eclipses look alike, each
    wrong by a twentieth of a cycle from the first visit to the last. Constant stars have none, so
    there are none here; and where the S/N is below 40 a search does slip, so those are left out.
    (With them the network trusts every period: at low S/N half of what it called RRab was not.)

    Args:
        n: How many are simulated; about half of VVV's remain.
        seed: 0 or more; stars differ from those of `simulate` with the same seed.
        part: See `simulate`.
        survey: Likewise.
    """
    shares = {name: share for name, share in variables.SHARES.items() if name != "constant"}
    sky = light_curves(n, seed + OTHER, part=part, survey=survey, shares=shares)
    sky = sky.take(sky.snr > SURE)
    times, _, _, mask = sky.curves
    span = times.max(axis=1) - np.where(mask, times, np.inf).min(axis=1)
    rng = np.random.default_rng([seed, 7])
    true = sky.period_days / np.where(sky.labels == "EB", 2, 1)
    return Stars(sky, 1 / (1 / true + 0.05 * rng.standard_normal(len(sky)) / span)[:, None])


def observe(sky: variables.Variables, candidates: int = 2) -> Stars:
    """Searches the periods of stars.

    Args:
        sky: Their light curves.
        candidates: How many periods for each.
    """
    return Stars(sky, candidates_of(sky.curves, candidates))


def candidates_of(curves: Curves, count: int) -> NDArray[np.float64]:
    """Periods worth a look: the highest peaks of a periodogram, and what three harmonics prefer.

    The periodogram fits one sine, and an RRab star is none: where errors are small, what the sine
    leaves over is larger than the noise, and a wrong peak may win. So the last candidate is the
    one of the next ten peaks whose fit of three harmonics leaves the least.

    Args:
        curves: Times, magnitudes, errors and mask, padded, each (n, epochs).
        count: How many for each star.

    Returns:
        In days, (n, count); the highest peak first.
    """
    parts = [
        _candidates(tuple(a[start : start + PIECE] for a in curves), count)
        for start in range(0, len(curves[0]), PIECE)
    ]
    return np.concatenate(parts)


def _candidates(curves: Any, count: int) -> NDArray[np.float64]:
    if count < 2:
        return candidate_periods(*curves, count=count)[0]
    found = candidate_periods(*curves, count=count - 1 + PEAKS)[0]
    rest = found[:, count - 1 :]
    left = [folding.fourier_fit(*curves, period, harmonics=3, clip=np.inf) for period in rest.T]
    best = np.argmin([fit.scatter_mag for fit in left], axis=0)
    return np.column_stack([found[:, : count - 1], rest[np.arange(len(rest)), best]])


def thinned(curves: Curves, most: int, seed: int = 0) -> Curves:
    """Curves of at most so many visits: of longer ones some, at random, in their order.

    Args:
        curves: Times, magnitudes, errors and mask, padded, each (n, epochs).
        most: Visits.
        seed: Which stay.
    """
    mask = np.asarray(curves[3], bool)
    if mask.shape[1] <= most:
        return curves
    rank = np.where(mask, np.random.default_rng(seed).uniform(size=mask.shape), 2.0)
    kept = np.sort(np.argsort(rank, axis=1)[:, :most], axis=1)
    first = np.argsort(~np.take_along_axis(mask, kept, axis=1), axis=1, kind="stable")
    order = np.take_along_axis(kept, first, axis=1)
    return tuple(np.take_along_axis(np.asarray(a), order, axis=1) for a in curves)  # type: ignore[return-value]


def folded(
    curves: Curves, periods: NDArray[Any], points: int, days: NDArray[Any] | None = None
) -> NDArray[np.float16]:
    """What the network sees: points of a curve in the order of phase, all zero where padded.

    Magnitudes lose their mean and are divided by their own standard deviation, errors by the same;
    so neither distance nor amplitude is left, and a band that makes both smaller changes little.

    Args:
        curves: Times, magnitudes, errors and mask, padded, each (n, epochs).
        periods: In the unit of the times, (n, candidates).
        points: Length of the network's curves; longer ones are thinned.
        days: The same in days, where the times are phases already and the periods are one.

    Returns:
        Shape (n, candidates, points, len(CHANNELS)).
    """
    times, magnitudes, errors, mask = thinned(curves, points)
    weight = np.where(mask, 1 / np.where(mask, errors, 1.0) ** 2, 0.0)
    weight = weight / weight.sum(axis=1, keepdims=True)
    level = (weight * magnitudes).sum(axis=1, keepdims=True)
    spread = np.sqrt((weight * (magnitudes - level) ** 2).sum(axis=1, keepdims=True))
    shown = np.clip((magnitudes - level) / spread, -5, 5)
    noise = 1.0 + np.log10(np.where(mask, errors, 1.0) / spread)
    shown_days = np.asarray(periods if days is None else days, float)
    out = np.zeros((len(times), periods.shape[1], points, len(CHANNELS)), np.float16)
    for k, period in enumerate(np.asarray(periods, float).T):
        phase, z, e, there = folding.fold(times, shown, noise + 10.0, mask, period)
        angle = 2 * np.pi * phase
        day = np.broadcast_to(2 * np.log10(shown_days[:, k])[:, None], z.shape)
        columns = (np.sin(angle), np.cos(angle), z, e - 10.0, day)
        wide = z.shape[1]
        for c, column in enumerate(columns):
            out[:, k, :wide, c] = np.where(there, column, 0)
    return out
