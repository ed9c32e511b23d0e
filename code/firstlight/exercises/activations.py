"""Exercises of the chapter *Activation Functions*."""

import math
from typing import Any

import numpy as np

from firstlight.exercises.engine import Exercise, expect

__all__ = ["EXERCISES"]


def _check_softsign_slope(answer: Any) -> None:
    expect(callable(answer), "give the function itself, not its value at one a.")
    a = np.array([-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0])
    slope = np.asarray(answer(a), dtype=float)
    expect(slope.shape == a.shape, f"for 7 sums you give shape {slope.shape}; one slope for each.")
    size = np.abs(a)
    expect(not np.allclose(slope, 1 / (1 + size)), "the quotient rule squares what is below.")
    expect(not np.allclose(slope, a / (1 + size)), "that is the function; its slope is asked.")
    expect(
        not np.allclose(slope, np.sign(a) / (1 + size) ** 2),
        "the function rises on both sides, so its slope is positive on both.",
    )
    expect(
        np.isfinite(slope).all() and (slope <= 1 + 1e-9).all(),
        "for negative a your slope exceeds 1 or is infinite; what became of the bars of |a|?",
    )
    step = 1e-6
    finite = ((a + step) / (1 + np.abs(a + step)) - (a - step) / (1 + np.abs(a - step))) / 2 / step
    expect(np.allclose(slope, finite, atol=1e-5), "compare with [g(a + h) - g(a - h)] / 2h.")


def _check_start_variance(answer: Any) -> None:
    expect(callable(answer), "give the function itself, not its value for one n.")
    value = float(answer(100, 0.5))
    expect(not math.isclose(value, 0.02), "that is He's, for ReLU; the leak lets more through.")
    expect(not math.isclose(value, 0.01), "that is for the identity; here one side is damped.")
    expect(not math.isclose(value, 2 / 150), "the leak enters a mean square, so square it.")
    expect(
        not math.isclose(value, 0.016**0.5), "that is the standard deviation; square it once more."
    )
    expect(not math.isclose(value, 1.6), "each sum has n terms: where is n?")
    expect(
        math.isclose(value, 0.016) and math.isclose(float(answer(50, 1.0)), 0.02),
        "work out E[h²] for a symmetric a: half of the squares pass whole, half times alpha².",
    )


def _check_layers_until(answer: Any) -> None:
    expect(callable(answer), "give the function itself, not its value for one limit.")
    value = answer(1e-8)
    expect(value != 7, "the rms falls by the slope itself; its square is for the variance.")
    expect(value != 27, "at zero the sigmoid's value is 1/2, but its slope is 1/4.")
    expect(value != 13, "after 13 layers the derivative is still above 1e-8; one more.")
    expect(value != 19, "that is the natural logarithm of the limit; one layer makes ln 4 of it.")
    expect(
        value == 14 and answer(1e-3) == 5 and answer(0.5) == 1,
        "multiply 1 by the largest slope, layer by layer, and count until it is below the limit.",
    )


# Five units: dead, half on, dead with a zero, on for one example only, always on.
_SUMS = np.array(
    [[-1.0, 2.0, 0.0, -3.0, 1.0], [-2.0, -2.0, -1.0, -3.0, 2.0], [-0.5, 1.0, -4.0, 0.1, 3.0]]
)


def _check_dead_units(answer: Any) -> None:
    expect(callable(answer), "give the function itself, not its value for one layer.")
    given = np.asarray(answer(_SUMS))
    expect(given.shape == (), f"one number is asked; you give shape {given.shape}.")
    value = int(given)
    expect(value != 4, "dead is a unit that is off for every example, not for one of them.")
    expect(value != 0, "examples run down, units across: reduce along the first axis.")
    expect(value != 9, "those are single sums that are off; a unit is a whole column.")
    expect(value != 1, "a sum of exactly zero: which slope does Keras give there?")
    expect(value != 3, "those are the living.")
    expect(
        value == 2 and int(answer(np.ones((4, 3)))) == 0 and int(answer(-np.ones((4, 3)))) == 3,
        "take each column: is any of its sums positive?",
    )


_FLUX = "the flux of a star in nanomaggies, before noise"
_COLOR = "the color g - r"
_LENS = "whether a stamp shows a lens"
_CLASS = "the class: RR Lyrae, Cepheid, or eclipsing binary"
_ANGLE = "cos and sin of twice a position angle"
_LAST = {
    _FLUX: "softplus",
    _COLOR: "linear",
    _LENS: "sigmoid",
    _CLASS: "softmax",
    _ANGLE: "linear",
}
_LAST_HINTS = {
    _FLUX: "the flux of a star has one limit, at zero, and none above.",
    _COLOR: "a color may be negative, zero, or large; is there any limit to respect?",
    _LENS: "one question with yes or no: log odds in, one probability out.",
    _CLASS: "exactly one of three classes is true, so their probabilities add up to one.",
    _ANGLE: "both may be negative and need not be clipped: the angle is taken from their ratio.",
}


def _check_last_layer(answer: Any) -> None:
    expect(isinstance(answer, dict), "give the dictionary, with the five answers as its keys.")
    missing = [key for key in _LAST if answer.get(key, ...) in (None, ...)]
    expect(not missing, f"still open: {'; '.join(missing)}.")
    for key, right in _LAST.items():
        expect(
            answer[key] in ("linear", "sigmoid", "softmax", "softplus"),
            f'{answer[key]!r} is none of "linear", "sigmoid", "softmax", "softplus".',
        )
        expect(answer[key] == right, f"{key}: {_LAST_HINTS[key]}")


_HARD = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0])
_WOBBLE = np.array([0.01, -0.01] * 5)


def _check_verdict(answer: Any) -> None:
    expect(callable(answer), "give the function itself, not one verdict.")
    tie = answer(_HARD, _HARD - 0.005 + _WOBBLE)  # 1.5 standard errors
    clear = answer(_HARD, _HARD + 0.1 + _WOBBLE)
    expect(
        tie in ("a", "b", "no difference") and clear in ("a", "b", "no difference"),
        f'{tie!r}, {clear!r}: the answers are "a", "b" and "no difference".',
    )
    expect(
        clear != "no difference",
        "A is better by 0.1 under each of ten seeds, though the seeds differ by much more; "
        "subtract in pairs before you take the scatter.",
    )
    expect(clear == "a", "smaller errors are better; you gave the prize to the larger ones.")
    expect(
        tie == "no difference",
        "a difference of 1.5 standard errors is no difference; chance does that one time in six.",
    )
    small = answer(_HARD, _HARD - 0.02 + 3 * _WOBBLE)  # 2.0 standard errors
    far = answer(_HARD, _HARD - 0.02 + _WOBBLE)  # 6 standard errors, 2 scatters
    expect(
        far == "b",
        "the mean of ten differences is known better than a single one: divide the scatter by "
        "the root of their number.",
    )
    expect(small == "no difference", "two standard errors; three were asked for.")


def _verdict(errors_a: Any, errors_b: Any, *, n_sigma: float = 3.0, single: bool = False) -> str:
    difference = np.asarray(errors_b) - np.asarray(errors_a)
    doubt = difference.std(ddof=1) / (1 if single else len(difference) ** 0.5)
    if abs(difference.mean()) <= n_sigma * doubt:
        return "no difference"
    return "a" if difference.mean() > 0 else "b"


def _unpaired(errors_a: Any, errors_b: Any) -> str:
    a, b = np.asarray(errors_a), np.asarray(errors_b)
    doubt = ((a.var(ddof=1) + b.var(ddof=1)) / len(a)) ** 0.5
    if abs(b.mean() - a.mean()) <= 3 * doubt:
        return "no difference"
    return "a" if b.mean() > a.mean() else "b"


_SWAP = {"a": "b", "b": "a", "no difference": "no difference"}

EXERCISES = {
    "softsign_slope": Exercise(
        check=_check_softsign_slope,
        right=lambda: lambda a: 1 / (1 + np.abs(a)) ** 2,
        praise="Right: largest at zero, and flat on both sides, though not so soon as tanh.",
        wrong={
            "no square": (lambda: lambda a: 1 / (1 + np.abs(a)), "squares what is below"),
            "sign": (lambda: lambda a: np.sign(a) / (1 + np.abs(a)) ** 2, "positive on both"),
            "no bars": (lambda: lambda a: 1 / (1.001 + a) ** 2, "the bars"),
            "the function": (lambda: lambda a: a / (1 + np.abs(a)), "that is the function"),
            "one number": (lambda: lambda a: 1.0, "one slope for each"),
            "tanh": (lambda: lambda a: 1 - np.tanh(a) ** 2, "compare with"),
        },
    ),
    "start_variance": Exercise(
        check=_check_start_variance,
        right=lambda: lambda n, alpha: 2 / (n * (1 + alpha**2)),
        praise="Right: He's two at alpha = 0, Glorot's one at alpha = 1, where nothing is bent.",
        wrong={
            "He": (lambda: lambda n, alpha: 2 / n, "that is He's"),
            "Glorot": (lambda: lambda n, alpha: 1 / n, "for the identity"),
            "not squared": (lambda: lambda n, alpha: 2 / (n * (1 + alpha)), "so square it"),
            "deviation": (
                lambda: lambda n, alpha: (2 / (n * (1 + alpha**2))) ** 0.5,
                "the standard deviation",
            ),
            "no n": (lambda: lambda n, alpha: 2 / (1 + alpha**2), "where is n"),
            "upside down": (lambda: lambda n, alpha: (1 + alpha**2) / n, "work out"),
        },
    ),
    "layers_until": Exercise(
        check=_check_layers_until,
        right=lambda: lambda limit: math.floor(math.log(limit) / math.log(0.25)) + 1,
        praise="Right: fourteen layers take it below the last digit of single precision.",
        wrong={
            "variance": (
                lambda: lambda limit: math.ceil(math.log(limit) / math.log(1 / 16)),
                "for the variance",
            ),
            "value": (lambda: lambda limit: math.ceil(math.log(limit) / math.log(0.5)), "slope is"),
            "rounded down": (
                lambda: lambda limit: math.floor(math.log(limit) / math.log(0.25)),
                "one more",
            ),
            "natural": (lambda: lambda limit: math.ceil(-math.log(limit)), "natural logarithm"),
            "decades": (lambda: lambda limit: round(-math.log10(limit)), "multiply 1 by"),
        },
    ),
    "dead_units": Exercise(
        check=_check_dead_units,
        right=lambda: lambda a: int(np.sum(np.all(np.asarray(a) <= 0, axis=0))),
        praise="Right. Count them in the first epochs; it costs nothing, and tells you early.",
        wrong={
            "off once": (lambda: lambda a: np.any(a <= 0, axis=0).sum(), "not for one of them"),
            "across": (lambda: lambda a: np.all(a <= 0, axis=1).sum(), "along the first axis"),
            "sums": (lambda: lambda a: np.sum(a <= 0), "a whole column"),
            "zero alive": (lambda: lambda a: np.all(a < 0, axis=0).sum(), "exactly zero"),
            "living": (lambda: lambda a: np.any(a > 0, axis=0).sum(), "the living"),
            "not summed": (lambda: lambda a: np.all(a <= 0, axis=0), "one number"),
        },
    ),
    "last_layer": Exercise(
        check=_check_last_layer,
        right=lambda: dict(_LAST),
        praise="Right. The last layer is where you tell the network what it is talking about.",
        wrong={
            "linear flux": (lambda: {**_LAST, _FLUX: "linear"}, "one limit, at zero"),
            "softplus color": (lambda: {**_LAST, _COLOR: "softplus"}, "any limit to respect"),
            "softmax lens": (lambda: {**_LAST, _LENS: "softmax"}, "one question"),
            "sigmoid class": (lambda: {**_LAST, _CLASS: "sigmoid"}, "add up to one"),
            "sigmoid angle": (lambda: {**_LAST, _ANGLE: "sigmoid"}, "from their ratio"),
            "not filled in": (lambda: dict.fromkeys(_LAST, ...), "still open"),
            "other word": (lambda: dict.fromkeys(_LAST, "relu"), "is none of"),
        },
    ),
    "verdict": Exercise(
        check=_check_verdict,
        right=lambda: _verdict,
        praise="Right. A draw that is stated is worth more than a winner that is not.",
        wrong={
            "means only": (
                lambda: lambda a, b: "a" if np.mean(a) < np.mean(b) else "b",
                "no difference; chance",
            ),
            "unpaired": (lambda: _unpaired, "subtract in pairs"),
            "larger wins": (lambda: lambda a, b: _SWAP[_verdict(a, b)], "smaller errors"),
            "two sigma": (lambda: lambda a, b: _verdict(a, b, n_sigma=1.9), "three were asked"),
            "no root": (lambda: lambda a, b: _verdict(a, b, single=True), "divide the scatter"),
            "other words": (lambda: lambda a, b: "A", "the answers are"),
        },
    ),
}
