"""Exercises of the chapter *Scaling up*."""

import math
from typing import Any

import numpy as np

from firstlight.exercises.engine import Exercise, expect, expect_close

__all__ = ["EXERCISES"]


def _function(answer: Any, name: str) -> None:
    expect(callable(answer), f"give the function itself: {name}, without brackets.")


# --- Amdahl -----------------------------------------------------------------------------


def _check_share(answer: Any) -> None:
    _function(answer, "share")
    value = float(answer(100.0, 28.0, 4))  # 4 + 96 / 4
    expect(
        not math.isclose(value, 0.72, rel_tol=1e-9),
        "that is the share of the time saved. Four workers save at most three quarters of what "
        "can be divided, so divide by 1 - 1/n.",
    )
    expect(
        not math.isclose(value, 0.04, rel_tol=1e-9),
        "that is the share which can *not* be divided; p is the other one.",
    )
    expect(
        not math.isclose(value, 100 / 28 / 4, rel_tol=1e-9),
        "that is the efficiency, speed-up over workers. Solve Amdahl's law for p instead.",
    )
    expect_close(value, 0.96, "4 s that cannot be divided and 96 s that can give 28 s on four.")
    expect_close(answer(50.0, 50.0, 8), 0.0, "if eight workers gain nothing, nothing is shared.",
                 atol=1e-12)  # fmt: skip


def _share(t_one: float, t_many: float, n: int) -> float:
    return (1 - t_many / t_one) / (1 - 1 / n)


# --- shards -----------------------------------------------------------------------------

_MANIFEST = {"shard-00000": "aa", "shard-00001": "bb", "shard-00003": "dd"}
_FOUND = {"shard-00000": "aa", "shard-00001": "b!", "shard-00002": "cc"}


def _check_missing(answer: Any) -> None:
    _function(answer, "missing")
    given = answer(dict(_MANIFEST), dict(_FOUND), 5)
    expect(isinstance(given, list), "give a list of names.")
    names = list(given)
    expect(
        "shard-00001" in names,
        "shard-00001 is there and in the manifest, but holds something else than was written.",
    )
    expect(
        "shard-00002" in names,
        "shard-00002 lies in the folder but not in the manifest: nobody knows whether it is whole.",
    )
    expect("shard-00003" in names, "shard-00003 is in the manifest, and its file is gone.")
    expect("shard-00004" in names, "shard-00004 was never begun; five shards are wanted.")
    expect("shard-00000" not in names, "shard-00000 is in order, and need not be made again.")
    expect(names == sorted(set(names)), "each name once, in order.")
    expect(not answer({"shard-00000": "x"}, {"shard-00000": "x"}, 1), "a finished set needs none.")


def _missing(manifest: dict[str, str], found: dict[str, str], n: int) -> list[str]:
    names = [f"shard-{i:05d}" for i in range(n)]
    return [s for s in names if s not in manifest or found.get(s) != manifest[s]]


def _without_checksum(manifest: dict[str, str], found: dict[str, str], n: int) -> list[str]:
    names = [f"shard-{i:05d}" for i in range(n)]
    return [s for s in names if s not in manifest or s not in found]


def _without_manifest(manifest: dict[str, str], found: dict[str, str], n: int) -> list[str]:
    names = [f"shard-{i:05d}" for i in range(n)]
    return [s for s in names if s not in found or (s in manifest and found[s] != manifest[s])]


def _only_listed(manifest: dict[str, str], found: dict[str, str], n: int) -> list[str]:
    wrong = {s for s in manifest if found.get(s) != manifest[s]}
    return sorted(wrong | {s for s in found if s not in manifest})


# --- the pipeline -----------------------------------------------------------------------


def _check_epoch(answer: Any) -> None:
    _function(answer, "epoch")
    value = float(answer(10, 3.0, 2.0))
    expect(
        not math.isclose(value, 50.0),
        "that is the sum of it all: nothing overlaps. While one batch trains, the next is read.",
    )
    expect(
        not math.isclose(value, 30.0),
        "ten times the slower of the two. But training on the last batch still comes after the "
        "last reading, and when training is slower, the first reading comes before.",
    )
    expect(
        not math.isclose(value, 23.0),
        "you let the faster of the two set the pace; the other cannot keep up with it.",
    )
    expect_close(value, 32.0, "one reading, nine times the slower of the two, one step.")
    expect_close(answer(1, 3.0, 2.0), 5.0, "a single batch is read and trained, with no overlap.")
    expect_close(answer(4, 1.0, 5.0), 21.0, "when training is slower, it sets the pace.")


def _epoch(n: int, t_in: float, t_step: float) -> float:
    return t_in + (n - 1) * max(t_in, t_step) + t_step


# --- precision --------------------------------------------------------------------------


def _check_scale(answer: Any) -> None:
    _function(answer, "scale")
    gradients = np.array([1e-9, -5e-3, 2e-3], np.float32)
    value = float(answer(gradients))
    expect(
        math.isfinite(value) and value > 0, "the scale is a positive number; mind gradients of 0."
    )
    expect(
        value * 5e-3 <= 65504,
        f"with {value:g} the gradient of -0.005 overflows: look at the largest in size, not in "
        "value, and round down.",
    )
    exponent = math.log2(value)
    expect(
        abs(exponent - round(exponent)) < 1e-9,
        f"{value:g} is no power of two; multiplying by it would change digits.",
    )
    expect(
        2 * value * 5e-3 > 65504,
        f"twice {value:g} would still fit, and rescue more of the small ones.",
    )
    expect_close(answer(np.array([65504.0])), 1.0, "65504 itself still fits into float16.")


def _scale(gradients: Any) -> float:
    return float(2.0 ** np.floor(np.log2(65504 / np.abs(gradients).max())))


# --- two processes ----------------------------------------------------------------------


def _check_reduce(answer: Any) -> None:
    _function(answer, "reduce")
    gradients = [np.array([1.0, 0.0]), np.array([5.0, 4.0])]
    value = np.asarray(answer(gradients, [3, 1]), float)
    expect(value.shape == (2,), "the result has the shape of one gradient.")
    expect(
        not np.allclose(value, [3.0, 2.0]),
        "that is the plain mean: the one image of the second process counts as much as the three "
        "of the first.",
    )
    expect(
        not np.allclose(value, [8.0, 4.0]),
        "that is the sum over images; the loss is a mean, and so is its gradient.",
    )
    expect_close(value, [2.0, 1.0], "weigh each mean by its images.")
    with np.errstate(invalid="ignore"):
        empty = np.asarray(answer([*gradients, np.full(2, np.nan)], [3, 1, 0]), float)
    expect(
        np.isfinite(empty).all(),
        "a process without images sent NaN and spoiled the mean: zero times NaN is NaN.",
    )
    expect_close(empty, [2.0, 1.0], "a process without images changes nothing.")


def _reduce(gradients: Any, sizes: Any) -> Any:
    some = [(g, n) for g, n in zip(gradients, sizes, strict=True) if n > 0]
    return np.average([g for g, _ in some], axis=0, weights=[n for _, n in some])


def _weighted_nan(gradients: Any, sizes: Any) -> Any:
    total = sum(np.asarray(g) * n for g, n in zip(gradients, sizes, strict=True))
    return total / sum(sizes)


def _summed(gradients: Any, sizes: Any) -> Any:
    return sum(np.asarray(g) * n for g, n in zip(gradients, sizes, strict=True) if n)


# --- how often to save ------------------------------------------------------------------


def _check_interval(answer: Any) -> None:
    _function(answer, "interval")
    value = float(answer(10.0, 100, 50.0))
    right = math.sqrt(2 * 10.0 * 43200.0)
    expect(
        not math.isclose(value, math.sqrt(2 * 10.0 * 50 * 86400), rel_tol=1e-6),
        "that is right for one node. A hundred of them fail a hundred times as often.",
    )
    expect(
        not math.isclose(value, math.sqrt(2 * 10.0 * 0.5), rel_tol=1e-6),
        "days were taken for seconds.",
    )
    expect(
        not math.isclose(value, right / math.sqrt(2), rel_tol=1e-6),
        "the two is missing: a kill destroys *half* an interval on average.",
    )
    expect_close(value, right, "the root of twice the time to save times the mean life.")


def _interval(save_s: float, nodes: int, days: float) -> float:
    return math.sqrt(2 * save_s * days * 86400 / nodes)


# --- carbon -----------------------------------------------------------------------------


def _check_carbon(answer: Any) -> None:
    _function(answer, "carbon")
    value = float(answer(3.6e6, 10.0, 20.0, 1.5, 400.0))  # 100 h, 3 kWh, 1.2 kg
    expect(
        not math.isclose(value, 1200.0, rel_tol=1e-6), "those are grams; kilograms were asked for."
    )
    expect(
        not math.isclose(value, 0.8, rel_tol=1e-6),
        "the building is missing: what the cooling draws is also drawn.",
    )
    expect(
        not math.isclose(value, 4320.0, rel_tol=1e-6),
        "seconds were taken for hours: a watt for a second is a joule, not a watt hour.",
    )
    expect_close(value, 1.2, "seconds, hours, kilowatt hours, grams, kilograms.")


def _carbon(n: float, rate: float, watts: float, pue: float, grid: float) -> float:
    return n / rate / 3600 * watts / 1000 * pue * grid / 1000


EXERCISES = {
    "share": Exercise(
        _check_share,
        lambda: _share,
        {
            "time saved": (lambda: lambda a, b, n: 1 - b / a, "the share of the time saved"),
            "the other share": (
                lambda: lambda a, b, n: 1 - _share(a, b, n),
                "can *not* be divided",
            ),
            "efficiency": (lambda: lambda a, b, n: a / b / n, "that is the efficiency"),
        },
        "Right. Measure it on two and four workers before you ask for two hundred.",
    ),
    "missing": Exercise(
        _check_missing,
        lambda: _missing,
        {
            "no checksums": (lambda: _without_checksum, "holds something else"),
            "files as proof": (lambda: _without_manifest, "nobody knows whether it is whole"),
            "only what was begun": (lambda: _only_listed, "was never begun"),
        },
        "Right. What is not in the manifest does not exist.",
    ),
    "epoch": Exercise(
        _check_epoch,
        lambda: _epoch,
        {
            "no overlap": (lambda: lambda n, a, b: n * (a + b), "nothing overlaps"),
            "the ends forgotten": (lambda: lambda n, a, b: n * max(a, b), "ten times the slower"),
            "the faster": (
                lambda: lambda n, a, b: a + b + (n - 1) * min(a, b),
                "the faster of the two set the pace",
            ),
        },
        "Right. For many batches only the slower of the two is left.",
    ),
    "scale": Exercise(
        _check_scale,
        lambda: _scale,
        {
            "largest value": (
                lambda: lambda g: 2.0 ** np.floor(np.log2(65504 / np.max(g))),
                "overflows",
            ),
            "no power": (lambda: lambda g: 65504 / np.abs(g).max(), "no power of two"),
            "too careful": (
                lambda: lambda g: 2.0 ** (np.floor(np.log2(65504 / np.abs(g).max())) - 1),
                "would still fit",
            ),
        },
        "Right. Frameworks find this power by trial, because gradients change as they train.",
    ),
    "reduce": Exercise(
        _check_reduce,
        lambda: _reduce,
        {
            "plain mean": (lambda: lambda g, n: np.mean(g, axis=0), "that is the plain mean"),
            "sum": (lambda: _summed, "the sum over images"),
            "an empty process": (lambda: _weighted_nan, "zero times NaN"),
        },
        "Right. This is what an all-reduce must compute when shares are unequal.",
    ),
    "interval": Exercise(
        _check_interval,
        lambda: _interval,
        {
            "one node": (lambda: lambda s, n, d: math.sqrt(2 * s * d * 86400), "one node"),
            "days": (lambda: lambda s, n, d: math.sqrt(2 * s * d / n), "taken for seconds"),
            "no two": (lambda: lambda s, n, d: math.sqrt(s * d * 86400 / n), "the two is missing"),
        },
        "Right. The larger the machine, the more often it must save.",
    ),
    "carbon": Exercise(
        _check_carbon,
        lambda: _carbon,
        {
            "grams": (lambda: lambda *a: 1000 * _carbon(*a), "those are grams"),
            "no building": (
                lambda: lambda n, r, w, p, g: _carbon(n, r, w, 1.0, g),
                "the building is missing",
            ),
            "joules": (lambda: lambda *a: 3600 * _carbon(*a), "seconds were taken for hours"),
        },
        "Right. The number of cores has dropped out: haste costs queue time, not carbon.",
    ),
}
