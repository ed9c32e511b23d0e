"""Exercises of the chapter *Why Deep Learning is cool*."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from firstlight.exercises.engine import Exercise, expect

__all__ = ["EXERCISES"]


def _near(value: Any, other: float) -> bool:
    return math.isclose(float(value), other, rel_tol=2e-3)


def _check_honest_cast(answer: Any) -> None:
    import pandas as pd

    expect(callable(answer), "give the function itself: honest_cast, without brackets.")
    whole = answer(pd.Series([1997.0, 2000.0]))
    expect(isinstance(whole, pd.Series), "it should give a Series back, as long as the old one.")
    expect(
        pd.api.types.is_integer_dtype(whole.dtype) and whole.tolist() == [1997, 2000],
        "years without a fraction should come back as the same whole numbers.",
    )
    large = answer(pd.Series([25_400_000_000_000.0]))
    expect(
        int(large.iloc[0]) == 25_400_000_000_000,
        f"25 400 000 000 000 bytes became {int(large.iloc[0])}: 32 bits hold only two billion.",
    )
    try:
        gaps = answer(pd.Series([1997.0, math.nan]))
    except (TypeError, ValueError):
        expect(False, "a gap in the column stopped it; a nullable type keeps gaps as gaps.")
    expect(len(gaps) == 2, "the row with a gap has disappeared; a gap is information too.")
    expect(pd.isna(gaps.iloc[1]), f"the gap became {gaps.iloc[1]}, a number nobody measured.")
    for volume in (25.4, 25.9):
        try:
            given = answer(pd.Series([volume]))
        except (TypeError, ValueError):
            continue
        lost = int(given.iloc[0])
        expect(
            not (volume == 25.9 and lost == 26),
            "25.9 became 26: rounding is still a change, and nobody asked for it.",
        )
        if volume == 25.9 or lost != 25:
            expect(False, f"{volume} became {lost} in silence; it should raise an error instead.")
    try:
        answer(pd.Series([25.4]))
    except (TypeError, ValueError):
        return
    expect(False, "25.4 passed; only whole numbers may.")


def _honest(column: Any) -> Any:
    return column.astype("Int64")


def _rounded(column: Any) -> Any:
    return column.round().astype("Int64")


def _truncated(column: Any) -> Any:
    return np.trunc(column).astype("Int64")


def _small(column: Any) -> Any:
    if (column.dropna() % 1 != 0).any():
        raise ValueError("a fraction")
    wrapped = column.fillna(0).astype("int64").astype("int32").astype("Int64")
    return wrapped.mask(column.isna())


def _plain(column: Any) -> Any:
    if (column.dropna() % 1 != 0).any():
        raise ValueError("a fraction")
    return column.astype(int)


_YEARS = np.array([2000.0, 2004.0, 2010.0, 2013.0, 2020.0])
_STEEP = np.array([10.0, 60.0, 250.0, 900.0, 5000.0])
_FLAT = np.array([10.0, 900.0, 20.0, 3000.0, 60.0])


def _interval(
    years: Any,
    volumes: Any,
    *,
    quantile: Callable[[int], float] | None = None,
    freedom: int = 2,
    unbounded: bool = True,
) -> tuple[float, float]:
    from scipy import stats

    t, y, n = np.asarray(years, float), np.log10(volumes), len(years)
    spread = ((t - t.mean()) ** 2).sum()
    slope = ((t - t.mean()) * y).sum() / spread
    scatter = np.sqrt(((y - y.mean() - slope * (t - t.mean())) ** 2).sum() / (n - freedom))
    factor = quantile(n) if quantile else stats.t.ppf(0.975, n - 2)
    low, high = slope + np.array([-1, 1]) * factor * scatter / np.sqrt(spread)
    slowest = math.log10(2) / low if low > 0 or not unbounded else math.inf
    return math.log10(2) / high, slowest


def _check_doubling_interval(answer: Any) -> None:
    expect(callable(answer), "give the function itself: doubling_interval, without brackets.")
    given = answer(_YEARS, _STEEP)
    expect(
        isinstance(given, tuple | list | np.ndarray) and len(given) == 2,
        "give two times, the shortest and the longest.",
    )
    low, high = map(float, given)
    right = _interval(_YEARS, _STEEP)
    slopes = tuple(math.log10(2) / value for value in right)
    normal = _interval(_YEARS, _STEEP, quantile=lambda n: 1.96)
    biased = _interval(_YEARS, _STEEP, freedom=0)
    expect(
        not (_near(low, slopes[1]) and _near(high, slopes[0])),
        "these are slopes, in powers of ten a year; a time is wanted.",
    )
    expect(
        not (_near(low, right[0] / math.log10(2)) and _near(high, right[1] / math.log10(2))),
        "that is the time to grow tenfold; a doubling is log10(2) of it.",
    )
    expect(
        not (_near(low, right[1]) and _near(high, right[0])),
        "the larger slope makes the shorter time, so the ends change places.",
    )
    expect(
        not (_near(low, normal[0]) and _near(high, normal[1])),
        "1.96 belongs to a scatter that is known; yours comes from five points, so Student's t.",
    )
    expect(
        not (_near(low, biased[0]) and _near(high, biased[1])),
        "two of the points paid for slope and level: divide the squares by n - 2.",
    )
    expect(
        _near(low, right[0]) and _near(high, right[1]),
        f"for {_YEARS.astype(int).tolist()} and {_STEEP.astype(int).tolist()} TB the interval "
        f"is not {low:.3g} to {high:.3g} years. Is it the logarithm that you fit?",
    )
    low, high = map(float, answer(_YEARS, _FLAT))
    expect(
        high > 0,
        "a scattered table gave a negative longest time: once a slope of zero is allowed, "
        "no time is too long; say math.inf.",
    )
    expect(
        math.isinf(high) and _near(low, _interval(_YEARS, _FLAT)[0]),
        "try a table whose slope may be zero: what is the longest doubling time then?",
    )


def _check_transfer_hours(answer: Any) -> None:
    expect(callable(answer), "give the function itself, not its value for one night.")
    value = float(answer(20.0, 100.0))
    right = 20e12 * 8 / 100e9 / 3600
    expect(not _near(value, right / 8), "a link is sold in bits, a disk in bytes: eight to one.")
    expect(not _near(value, right * 3600), "these are seconds; hours are asked for.")
    expect(not _near(value, right / 60 * 3600), "these are minutes; hours are asked for.")
    expect(
        not _near(value, right * 1.024) and not _near(value, right * 1.024**4),
        "tera is ten to the twelfth; powers of two are called tebi.",
    )
    expect(not _near(value, 1 / right), "upside down: the larger the volume, the longer it takes.")
    expect(
        _near(value, right),
        f"20 TB over 100 Gbit/s do not take {value:.3g} hours. Write both in bits first.",
    )
    expect(
        _near(answer(40.0, 100.0), 2 * right) and _near(answer(20.0, 10.0), 10 * right),
        "right for one night and one link, but not for others: use both arguments.",
    )


def _transfer(volume_tb: float, link_gbit_s: float) -> float:
    return volume_tb * 8e12 / (link_gbit_s * 1e9) / 3600


def _check_disks(answer: Any) -> None:
    expect(callable(answer), "give the function itself: disks, without brackets.")
    value = float(answer(60.0, 30.0, 250.0))
    exact = 60e15 / (30 * 86400 * 250e6)
    expect(value == int(value), f"{value:.4g} disks cannot be bought; go to a whole number.")
    expect(value != math.floor(exact), "rounded down, the last petabyte is not read in time.")
    expect(value != math.ceil(exact / 1000), "that is for terabytes; the volume is in petabytes.")
    expect(value != math.ceil(8 * exact), "disks are sold in bytes a second; there are no bits.")
    expect(value != math.ceil(exact * 24), "a day has 24 hours: did you take hours for days?")
    expect(
        value == math.ceil(exact),
        f"60 PB in 30 days at 250 MB/s each do not need {value:.0f} disks. How much does one "
        "disk read in that time?",
    )
    expect(answer(1.0, 1.0, 1e6) == 1, "one disk is the least, when it has time enough.")


def _disks(volume_pb: float, days: float, mb_per_s: float) -> int:
    return math.ceil(volume_pb * 1e15 / (days * 86400 * mb_per_s * 1e6))


def _check_on_duty(answer: Any) -> None:
    expect(callable(answer), "give the function itself: on_duty, without brackets.")
    value = float(answer(10e6, 10.0, 10.0, 1))
    exact = 10e6 * 10 / (10 * 3600)
    expect(value == int(value), f"{value:.5g} people: who is the fraction? Go to a whole number.")
    expect(value != math.floor(exact), "rounded down, some alerts are never seen.")
    expect(
        value != math.ceil(10e6 / (10 * 3600)),
        "that many alerts come each second; each keeps its observer busy for ten.",
    )
    expect(
        value != math.ceil(10e6 * 10 / (24 * 3600)),
        "the alerts come in the night's ten hours, not in twenty-four.",
    )
    expect(
        value == math.ceil(exact),
        f"10 million alerts in 10 hours at 10 s each do not need {value:.0f} people. How many "
        "can one person see in the night?",
    )
    expect(
        answer(10e6, 10.0, 10.0, 40) == math.ceil(40 * exact),
        "with 40 looks at each alert the answer should be forty times as many people.",
    )


def _on_duty(alerts: float, hours: float, seconds: float, looks: int) -> int:
    return math.ceil(alerts * looks * seconds / (hours * 3600))


def _check_fair_enough(answer: Any) -> None:
    expect(callable(answer), "give the function itself: fair_enough, without brackets.")
    value = float(answer(0.5, 0.02))
    expect(value == int(value), f"{value:.5g} votes: go up to a whole number.")
    expect(value != 25, "that is the ratio of the two errors; variance is the error squared.")
    expect(value != 2500, "one over the bias squared leaves out the variance of a vote, p(1 - p).")
    expect(value != 1250, "the variance of a yes or no is p(1 - p), not p.")
    expect(
        value != 624,
        "624 fair votes are still a little worse than endlessly many biased ones; go up.",
    )
    expect(
        value in (625, 626),
        f"for p = 0.5 and a bias of 0.02, {value:.0f} is wrong. Set p(1 - p)/n equal to the "
        "square of the bias.",
    )
    other = float(answer(0.2, 0.01))
    expect(
        other in (1600, 1601), "right at p = 0.5 only: a share of 0.2 has the variance 0.2 x 0.8."
    )


def _fair_enough(p: float, bias: float) -> int:
    return math.ceil(round(p * (1 - p) / bias**2, 9))


EXERCISES = {
    "honest_cast": Exercise(
        check=_check_honest_cast,
        right=lambda: _honest,
        praise="Right: it casts what is whole, keeps gaps as gaps, and refuses the rest.",
        wrong={
            "as in the lecture": (lambda: _truncated, "in silence"),
            "rounded": (lambda: _rounded, "rounding is still a change"),
            "32 bits": (lambda: _small, "hold only two billion"),
            "no gaps": (lambda: _plain, "a nullable type keeps gaps"),
            "dropped": (lambda: lambda c: _honest(c.dropna()), "the row with a gap"),
            "filled": (lambda: lambda c: _honest(c.fillna(0)), "a number nobody measured"),
        },
    ),
    "doubling_interval": Exercise(
        check=_check_doubling_interval,
        right=lambda: _interval,
        praise="Right. Quote both ends, the infinite one too.",
        wrong={
            "slopes": (
                lambda: lambda t, v: tuple(math.log10(2) / x for x in _interval(t, v)[::-1]),
                "these are slopes",
            ),
            "swapped": (lambda: lambda t, v: _interval(t, v)[::-1], "ends change places"),
            "tenfold": (
                lambda: lambda t, v: tuple(x / math.log10(2) for x in _interval(t, v)),
                "grow tenfold",
            ),
            "normal": (
                lambda: lambda t, v: _interval(t, v, quantile=lambda n: 1.96),
                "Student's t",
            ),
            "n": (lambda: lambda t, v: _interval(t, v, freedom=0), "divide the squares"),
            "negative": (
                lambda: lambda t, v: _interval(t, v, unbounded=False),
                "no time is too long",
            ),
            "one number": (lambda: lambda t, v: _interval(t, v)[0], "give two times"),
            "volume itself": (
                lambda: lambda t, v: _interval(t, 10 ** (np.asarray(v) / 1e3)),
                "Is it the logarithm",
            ),
        },
    ),
    "transfer_hours": Exercise(
        check=_check_transfer_hours,
        right=lambda: _transfer,
        praise="Right: the night is out of Chile before breakfast, if the link is yours alone.",
        wrong={
            "bytes": (lambda: lambda v, g: _transfer(v, g) / 8, "eight to one"),
            "seconds": (lambda: lambda v, g: _transfer(v, g) * 3600, "these are seconds"),
            "minutes": (lambda: lambda v, g: _transfer(v, g) * 60, "these are minutes"),
            "binary": (lambda: lambda v, g: _transfer(v, g) * 1.024, "powers of two"),
            "upside down": (lambda: lambda v, g: 1 / _transfer(v, g), "upside down"),
            "fixed": (lambda: lambda v, g: _transfer(20, 100), "use both arguments"),
        },
    ),
    "disks": Exercise(
        check=_check_disks,
        right=lambda: _disks,
        praise="Right. Whoever reprocesses a survey first buys a room full of disks.",
        wrong={
            "fraction": (
                lambda: lambda v, d, s: v * 1e15 / (d * 86400 * s * 1e6),
                "cannot be bought",
            ),
            "rounded down": (lambda: lambda v, d, s: _disks(v, d, s) - 1, "rounded down"),
            "terabytes": (lambda: lambda v, d, s: _disks(v / 1000, d, s), "that is for terabytes"),
            "bits": (lambda: lambda v, d, s: _disks(8 * v, d, s), "there are no bits"),
            "hours": (lambda: lambda v, d, s: _disks(v, d / 24, s), "hours for days"),
        },
    ),
    "on_duty": Exercise(
        check=_check_on_duty,
        right=lambda: _on_duty,
        praise="Right: a small town, every night for ten years, if one look is enough.",
        wrong={
            "no time to look": (
                lambda: lambda a, h, s, k: _on_duty(a, h, 1, k),
                "come each second",
            ),
            "day and night": (lambda: lambda a, h, s, k: _on_duty(a, 24, s, k), "ten hours, not"),
            "rounded down": (lambda: lambda a, h, s, k: _on_duty(a, h, s, k) - 1, "never seen"),
            "fraction": (
                lambda: lambda a, h, s, k: a * k * s / (h * 3600),
                "who is the fraction",
            ),
            "one look": (lambda: lambda a, h, s, k: _on_duty(a, h, s, 1), "with 40 looks"),
        },
    ),
    "fair_enough": Exercise(
        check=_check_fair_enough,
        right=lambda: _fair_enough,
        praise="Right: the number does not depend on how many biased votes there are.",
        wrong={
            "not squared": (lambda: lambda p, b: round(p / b), "variance is the error squared"),
            "no variance": (lambda: lambda p, b: round(1 / b**2), "leaves out the variance"),
            "p for p(1 - p)": (lambda: lambda p, b: round(p / b**2), "p(1 - p), not p"),
            "rounded down": (lambda: lambda p, b: _fair_enough(p, b) - 1, "624 fair votes"),
            "always one half": (lambda: lambda p, b: round(0.25 / b**2), "p = 0.5 only"),
            "fraction": (lambda: lambda p, b: p * (1 - p) / b**2 + 0.5, "to a whole number"),
        },
    ),
}
