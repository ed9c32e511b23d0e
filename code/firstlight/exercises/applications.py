"""Exercises of the chapter *Some example applications*."""

from functools import cache
from typing import Any

import numpy as np

from firstlight.exercises.engine import Exercise, expect, expect_close

__all__ = ["EXERCISES"]

_TEACHERS = {
    "driving": "what a person did",
    "proteins": "a measurement",
    "language": "part of the input, hidden",
    "vision": "what a person drew",
    "games": "the outcome",
}
_TEACHER_HINTS = {
    "driving": "the steering wheel was recorded; who was turning it?",
    "proteins": "nobody drew or guessed those structures; they came out of an instrument.",
    "language": "nobody labeled the web pages; what was the network asked to put back?",
    "vision": "an outline of each object is needed; where could it come from in 2017?",
    "games": "in the second stage nobody shows a move; what does a player learn at the end of a "
    "game?",
}


def _check_teacher(answer: Any) -> None:
    expect(isinstance(answer, dict), "give the dictionary, with the five applications as its keys.")
    missing = [name for name in _TEACHERS if answer.get(name, ...) in (None, ...)]
    expect(not missing, f"still open: {', '.join(missing)}.")
    words = set(_TEACHERS.values())
    for name, teacher in _TEACHERS.items():
        given = str(answer[name]).strip().lower()
        expect(given in words, f"{answer[name]!r} is none of the five answers offered.")
        expect(given == teacher, f"{name}: {_TEACHER_HINTS[name]}")


def _check_least_error(answer: Any) -> None:
    expect(callable(answer), "give the function itself, not its value for one star.")
    flux, sigma, variance = 500.0, 1.5, 11.0
    value = float(answer(flux, sigma, variance))
    true = (8 * np.pi * variance) ** 0.5 * sigma**2 / flux
    wrong = {
        1 / true**2: "that is the information; the error is one over its root.",
        true**2: "that is the variance; an rms error has the unit of a pixel.",
        true / sigma: "twice the seeing must cost four times; which power of sigma is that?",
        sigma / flux**0.5: "that is the limit of a bright star, without background; this one has "
        "a background and no noise of its own.",
        true * variance**0.5: "the variance stands under the root; the noise is its root.",
    }
    for number, hint in wrong.items():
        expect(not np.isclose(value, number, rtol=1e-6), hint)
    expect_close(value, true, "differentiate the star by its place, square, integrate: the page "
                 "does it in two lines. Is the factor 8 pi there?")  # fmt: skip


def _check_view(answer: Any) -> None:
    expect(callable(answer), "give the function itself: shifted_view, without brackets.")
    wide, size, shift = _star_at(2.0, -1.0), 24, (3, -5)
    given = answer(wide, np.array([0.25, -0.5]), shift, size)
    expect(
        isinstance(given, tuple | list) and len(given) == 2,
        "give two things: the stamp and the correction.",
    )
    stamp, correction = np.asarray(given[0], dtype=float), np.asarray(given[1], dtype=float)
    expect(stamp.shape == (size, size), f"the stamp has shape {stamp.shape}, not ({size}, {size}).")
    expect(
        not np.allclose(correction, [0.25, -0.5]),
        "the star has moved and the correction has not: this teaches the network to stay away.",
    )
    expect(
        not np.allclose(correction, [-2.75, 4.5]),
        "the correction went the other way; if the star is 3 pixels to the right, the answer is "
        "3 larger.",
    )
    expect_close(correction, [3.25, -5.5], "what does the expert's answer become when the star "
                 "stands (dx, dy) further?")  # fmt: skip
    y, x = np.divmod(stamp.argmax(), size)
    moved = (int(x) - 13, int(y) - 10)  # in the middle stamp its brightest pixel is (13, 10)
    expect(moved != (-3, 5), "the star moved the opposite way: to move it right, cut further left.")
    expect(moved != (-5, 3), "dx and dy are exchanged: rows are y, columns are x.")
    expect(moved == shift, f"the star moved by {moved} instead of {shift}; check the margin.")


def _star_at(x: float, y: float) -> np.ndarray:
    axis = np.arange(40) - 19.5
    return np.exp(-((axis - x + 0.5) ** 2 + (axis[:, None] - y + 0.5) ** 2) / 4)


@cache
def _trial() -> tuple[np.ndarray, np.ndarray]:
    """Unseen galaxies, true and forged: the noise of the latter is smoothed a little."""
    from firstlight.sky import galaxies

    sky = galaxies.simulate(128, seed=987_654_321, size=48).images[..., 1]
    true, kept = sky[:64], sky[64:]
    faint = 0.5 * (kept + np.roll(kept, 1, axis=1))
    forged = 0.5 * (faint + np.roll(faint, 1, axis=2))
    return true, (forged / forged[:, :6, :6].std() * true[:, :6, :6].std()).astype("float32")


def _check_detector(answer: Any) -> None:
    from sklearn.metrics import roc_auc_score

    expect(callable(answer), "give a function of the images, not its answers.")
    true, forged = _trial()
    scores = np.asarray(answer(np.concatenate([true, forged])), dtype=float)
    expect(scores.shape != (128, 1), "the shape is (128, 1): Keras gives a column; take [:, 0].")
    expect(scores.shape == (128,), f"the shape is {scores.shape}; give one number an image.")
    expect(np.isfinite(scores).all(), "some scores are not finite; a logarithm of zero?")
    expect(scores.std() > 0, "every image gets the same score.")
    area = float(roc_auc_score(np.repeat([0, 1], 64), scores))
    expect(area > 0.1, "the order is reversed: larger means more suspicious.")
    expect(
        area > 0.97,
        f"the area under the ROC curve is {area:.2f}; the test with one number has 1.00. What does "
        "averaging neighbors do to the noise at the highest wavenumbers?",
    )


def _power(images: Any, low: float = 0.4) -> Any:
    k = np.hypot(*np.meshgrid(np.fft.fftfreq(48), np.fft.fftfreq(48)))
    return -np.log(np.abs(np.fft.fft2(images)) ** 2)[:, k > low].mean(axis=1)


def _check_innocent(answer: Any) -> None:
    expect(callable(answer), "give the function itself, not its value for one case.")
    fakes, found, alarms = 0.01, 0.9, 0.05
    value = float(answer(fakes, found, alarms))
    rightly, wrongly = fakes * found, (1 - fakes) * alarms
    wrong = {
        alarms: "that is the share of the true images that are accused; asked is the share of the "
        "accused that are true.",
        rightly / (rightly + wrongly): "that is the share of the accused that is guilty.",
        alarms / (alarms + found): "this holds if half of all images are fakes; how rare are they?",
        wrongly: "that is a share of all images; divide by the share of all that is accused.",
    }
    for number, hint in wrong.items():
        expect(not np.isclose(value, number, rtol=1e-6), hint)
    expect_close(value, wrongly / (rightly + wrongly), "imagine 10 000 images and count: how many "
                 "are accused, and how many of those are true?")  # fmt: skip
    expect_close(float(answer(1.0, 0.9, 0.05)), 0.0, "if all are fakes, nobody is innocent.")


def _view(wide: Any, correction: Any, shift: Any, size: int, sign: int = -1) -> Any:
    margin = (len(wide) - size) // 2
    x, y = margin + sign * shift[0], margin + sign * shift[1]
    return wide[y : y + size, x : x + size], np.add(correction, shift)


EXERCISES = {
    "teacher": Exercise(
        check=_check_teacher,
        right=lambda: dict(_TEACHERS),
        praise="Right. Whenever a label is free, look who paid for it.",
        wrong={
            "people everywhere": (
                lambda: dict.fromkeys(_TEACHERS, "what a person did"),
                "out of an instrument",
            ),
            "drew the wheel": (
                lambda: {**_TEACHERS, "driving": "what a person drew"},
                "who was turning it",
            ),
            "labeled pages": (
                lambda: {**_TEACHERS, "language": "what a person drew"},
                "put back",
            ),
            "measured outlines": (
                lambda: {**_TEACHERS, "vision": "a measurement"},
                "where could it come from",
            ),
            "games copied": (
                lambda: {**_TEACHERS, "games": "what a person did"},
                "nobody shows a move",
            ),
            "open": (lambda: dict.fromkeys(_TEACHERS, ...), "still open"),
            "other words": (lambda: dict.fromkeys(_TEACHERS, "nobody"), "none of the five"),
        },
    ),
    "least_error": Exercise(
        check=_check_least_error,
        right=lambda: lambda f, s, v: (8 * np.pi * v) ** 0.5 * s**2 / f,
        praise="Right: half the light, twice the error; twice the seeing, four times.",
        wrong={
            "information": (lambda: lambda f, s, v: f**2 / (8 * np.pi * s**4 * v), "information"),
            "variance": (lambda: lambda f, s, v: 8 * np.pi * v * s**4 / f**2, "unit of a pixel"),
            "one sigma": (lambda: lambda f, s, v: (8 * np.pi * v) ** 0.5 * s / f, "which power"),
            "bright": (lambda: lambda f, s, v: s / f**0.5, "limit of a bright star"),
            "no root": (
                lambda: lambda f, s, v: (8 * np.pi) ** 0.5 * v * s**2 / f,
                "under the root",
            ),
            "no factor": (lambda: lambda f, s, v: v**0.5 * s**2 / f, "factor 8 pi"),
            "value": (lambda: 0.1, "not its value"),
        },
    ),
    "shifted_view": Exercise(
        check=_check_view,
        right=lambda: _view,
        praise="Right: one night of an expert, and a star anywhere in the frame.",
        wrong={
            "old label": (lambda: lambda w, c, s, n: (_view(w, c, s, n)[0], c), "stay away"),
            "label back": (
                lambda: lambda w, c, s, n: (_view(w, c, s, n)[0], np.subtract(c, s)),
                "the other way",
            ),
            "cut the other way": (
                lambda: lambda w, c, s, n: _view(w, c, s, n, sign=1),
                "cut further left",
            ),
            "axes": (
                lambda: lambda w, c, s, n: (_view(w, c, s[::-1], n)[0], np.add(c, s)),
                "are exchanged",
            ),
            "stamp only": (lambda: lambda w, c, s, n: _view(w, c, s, n)[0], "two things"),
            "uncut": (lambda: lambda w, c, s, n: (w, np.add(c, s)), "the stamp has shape"),
            "not moved": (
                lambda: lambda w, c, s, n: (_view(w, c, (0, 0), n)[0], np.add(c, s)),
                "check the margin",
            ),
        },
    ),
    "detector": Exercise(
        check=_check_detector,
        right=lambda: _power,
        praise="Right: it holds for a forger you have not seen, who left the same kind of trace.",
        wrong={
            "brightness": (lambda: lambda x: x.mean(axis=(1, 2)), "neighbors"),
            "reversed": (lambda: lambda x: -_power(x), "order is reversed"),
            "a column": (lambda: lambda x: np.zeros((len(x), 1)), "take [:, 0]"),
            "one number": (lambda: lambda x: 0.5, "one number an image"),
            "constant": (lambda: lambda x: np.zeros(len(x)), "the same score"),
            "not finite": (lambda: lambda x: np.full(len(x), np.nan), "not finite"),
            "answers": (lambda: np.zeros(128), "a function of the images"),
        },
    ),
    "innocent": Exercise(
        check=_check_innocent,
        right=lambda: lambda f, d, a: (1 - f) * a / ((1 - f) * a + f * d),
        praise="Right: ask for the share of fakes before you believe an alarm.",
        wrong={
            "alarms": (lambda: lambda f, d, a: a, "share of the true images"),
            "guilty": (lambda: lambda f, d, a: f * d / ((1 - f) * a + f * d), "is guilty"),
            "no base rate": (lambda: lambda f, d, a: a / (a + d), "how rare"),
            "not divided": (lambda: lambda f, d, a: (1 - f) * a, "share of all images; divide"),
            "missed": (lambda: lambda f, d, a: 1 - d, "10 000 images"),
            "value": (lambda: 0.9, "not its value"),
        },
    ),
}
