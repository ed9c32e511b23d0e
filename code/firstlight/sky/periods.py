"""Periods of light curves: the Lomb-Scargle periodogram, for many stars at once."""

import numpy as np

from .folding import check

__all__ = ["candidate_periods", "periodogram", "strongest_period"]


def strongest_period(
    times: np.ndarray,
    magnitudes: np.ndarray,
    errors: np.ndarray,
    mask: np.ndarray,
    *,
    period_range_days: tuple[float, float] = (0.2, 60.0),
    samples_per_peak: float = 4.0,
) -> tuple[np.ndarray, np.ndarray]:
    """The highest peak of each curve's Lomb-Scargle periodogram, with a free mean.

    The periodogram of `astropy.timeseries.LombScargle` (Zechmeister & Kuerster 2009), for
    many stars: on a grid of frequencies exp(i w t) is a product of two short tables, so the
    sums over epochs become three small matrix products. It errs as periodograms do: by a
    cycle a day, and on binaries whose eclipses are alike it finds half the period.

    Args:
        times: Shape (n, epochs), days.
        magnitudes: Same shape.
        errors: Same shape, positive where the mask is True.
        mask: Same shape, True for a measurement.
        period_range_days: Shortest and longest period looked at.
        samples_per_peak: Frequencies per 1 / (time from first to last visit); the best one is
            refined afterwards.

    Returns:
        Periods in days and the height of the peak (share of the variance, 0 to 1), both (n,).

    Raises:
        ValueError: If shapes do not fit or the range is not two positive, rising numbers.
    """
    check("strongest_period", times, magnitudes, errors, mask, np.ones(len(times)))
    short, long = period_range_days
    if not (0 < short < long < np.inf and samples_per_peak > 0):
        raise ValueError(
            f"strongest_period: received period_range_days={period_range_days} and "
            f"samples_per_peak={samples_per_peak}; expected two positive, rising numbers of "
            "days and a positive number."
        )
    periods, powers = np.empty(len(times)), np.empty(len(times))
    for i, seen in enumerate(mask):
        t = times[i, seen] - times[i, seen].mean()
        y, sigma = magnitudes[i, seen].astype(float), errors[i, seen].astype(float)
        step = 1 / (samples_per_peak * np.ptp(t))
        count = int((1 / short - 1 / long) / step) + 1
        power = periodogram(t, y, sigma, 1 / long, step, count)
        best = 1 / long + step * int(np.argmax(power))
        fine = periodogram(t, y, sigma, best - step, step / 16, 33)
        periods[i] = 1 / (best - step + step / 16 * int(np.argmax(fine)))
        powers[i] = fine.max()
    return periods, powers


def periodogram(
    times: np.ndarray,
    magnitudes: np.ndarray,
    errors: np.ndarray,
    first: float,
    step: float,
    count: int,
) -> np.ndarray:
    """Lomb-Scargle power of one star at `first + step * arange(count)` cycles a day.

    Args:
        times: Shape (epochs,), days, counted from about their middle.
        magnitudes: Same shape.
        errors: Same shape, positive.
        first: The lowest frequency, positive.
        step: Between frequencies.
        count: How many.

    Returns:
        Share of the weighted variance that a sine with a free mean takes away, (count,).
    """
    weight = errors**-2.0 / (errors**-2.0).sum()
    y = magnitudes - weight @ magnitudes
    wide = int(np.ceil(np.sqrt(count)))
    coarse = np.exp(
        2j * np.pi * (first + step * wide * np.arange(-(-count // wide)))[:, None] * times
    )
    fine = np.exp(2j * np.pi * (step * np.arange(wide))[:, None] * times)
    coarse, fine = coarse.astype(np.complex64), fine.astype(np.complex64)
    sums = [
        ((c * factor.astype(np.float32)) @ f.T).ravel()[:count]
        for c, f, factor in (
            (coarse, fine, weight * y / np.abs(y).max()), (coarse, fine, weight),
            (coarse**2, fine**2, weight),
        )
    ]  # fmt: skip
    (yc, ys), (c, s), (c2, s2) = ((z.real, z.imag) for z in sums)
    cc, ss, cs = 0.5 * (1 + c2) - c**2, 0.5 * (1 - c2) - s**2, 0.5 * s2 - c * s
    variance = float(weight @ (y / np.abs(y).max()) ** 2)
    determinant = np.maximum(cc * ss - cs**2, 1e-6)
    return np.asarray((ss * yc**2 + cc * ys**2 - 2 * cs * yc * ys) / (variance * determinant))


def candidate_periods(
    times: np.ndarray,
    magnitudes: np.ndarray,
    errors: np.ndarray,
    mask: np.ndarray,
    *,
    count: int = 3,
    period_range_days: tuple[float, float] = (0.2, 60.0),
    samples_per_peak: float = 4.0,
) -> tuple[np.ndarray, np.ndarray]:
    """The highest few peaks of each curve's periodogram: where the first one errs, look on.

    Nights follow each other every day and seasons every year, so a true frequency f throws
    peaks at f + 1 and f - 1 cycles a day and at f +- 1/365, and noise may lift one of them
    above it. Each peak is a local maximum of its own, refined by a parabola.

    Args:
        times: Shape (n, epochs), days.
        magnitudes: Same shape.
        errors: Same shape, positive where the mask is True.
        mask: Same shape, True for a measurement.
        count: How many peaks, at least 1.
        period_range_days: Shortest and longest period looked at.
        samples_per_peak: See `strongest_period`; at least 2, or peaks melt into one another.

    Returns:
        Periods in days and heights of the peaks (share of the variance), both (n, count), the
        highest first; of a curve with fewer peaks the same ones again.

    Raises:
        ValueError: If shapes do not fit, or the range is not two positive, rising numbers.
    """
    check("candidate_periods", times, magnitudes, errors, mask, np.ones(len(times)))
    short, long = period_range_days
    if not (0 < short < long < np.inf and samples_per_peak >= 2 and count >= 1):
        raise ValueError(
            f"candidate_periods: received period_range_days={period_range_days}, samples_per_peak="
            f"{samples_per_peak}, count={count}; expected two positive, rising numbers of days, "
            "2 or more samples, 1 peak or more."
        )
    periods, powers = np.empty((len(times), count)), np.empty((len(times), count))
    for i, seen in enumerate(mask):
        t = times[i, seen] - times[i, seen].mean()
        y, sigma = magnitudes[i, seen].astype(float), errors[i, seen].astype(float)
        step = 1 / (samples_per_peak * np.ptp(t))
        power = periodogram(t, y, sigma, 1 / long, step, int((1 / short - 1 / long) / step) + 1)
        before, here, after = power[:-2], power[1:-1], power[2:]
        tops = np.flatnonzero((here >= before) & (here > after))
        tops = tops if len(tops) else np.array([int(np.argmax(here))])
        tops = np.resize(tops[np.argsort(-here[tops], kind="stable")], max(count, len(tops)))
        best = tops[:count]
        a, b, c = before[best], here[best], after[best]
        shift = np.clip(0.5 * (a - c) / np.minimum(a - 2 * b + c, -1e-12), -0.5, 0.5)
        periods[i] = 1 / (1 / long + step * (best + 1 + shift))
        powers[i] = b
    return periods, powers
