"""Exercises of the chapter *Features, made and learned*."""

from typing import Any

import numpy as np

from firstlight.exercises.engine import Exercise, expect, expect_close

__all__ = ["EXERCISES"]


def _asymmetry(image: Any) -> Any:
    return np.abs(image - image[::-1, ::-1]).sum() / np.abs(image).sum()


def _check_asymmetry(answer: Any) -> None:
    expect(callable(answer), "give the function itself, not its value for one image.")
    image = np.random.default_rng(3).normal(size=(9, 9))
    value, true = float(answer(image)), float(_asymmetry(image))
    light = np.abs(image).sum()

    def is_(other: Any) -> bool:
        return bool(np.isclose(value, float(other)))

    expect(abs(value) > 1e-9, "without absolute values the differences cancel, whatever the image.")
    expect(
        not is_(np.abs(image - np.rot90(image)).sum() / light),
        "that is a quarter of a circle; half a circle is asked for.",
    )
    expect(
        not is_(np.abs(image - image[:, ::-1]).sum() / light)
        and not is_(np.abs(image - image[::-1]).sum() / light),
        "one axis reversed is a mirror; half a circle reverses two.",
    )
    expect(
        not is_(true * light),
        "divide by the light, or a bright galaxy is more asymmetric than a faint one.",
    )
    expect(not is_(true / 2), "that is half of it; nothing is to be halved here.")
    expect_close(value, true, "try an image that half a circle leaves unchanged: it must give 0.")


_SIZES, _FIRST, _SECOND = (100, 400, 1600, 6400), (0.7, 0.72, 0.73, 0.74), (0.6, 0.68, 0.77, 0.8)


def _crossing(sizes: Any, first: Any, second: Any) -> float:
    x, gap = np.log(sizes), np.asarray(second) - np.asarray(first)
    k = np.flatnonzero((gap[:-1] < 0) & (gap[1:] >= 0))[0]
    return float(np.exp(x[k] - gap[k] * (x[k + 1] - x[k]) / (gap[k + 1] - gap[k])))


def _linear(sizes: Any, first: Any, second: Any) -> float:
    gap = np.asarray(second) - np.asarray(first)
    return float(np.interp(0.0, gap, sizes))


def _check_crossing(answer: Any) -> None:
    expect(callable(answer), "give the function itself, not the crossing of one pair of curves.")
    value = float(answer(np.array(_SIZES), np.array(_FIRST), np.array(_SECOND)))
    true = _crossing(_SIZES, _FIRST, _SECOND)
    expect(
        not np.isclose(value, _linear(_SIZES, _FIRST, _SECOND)),
        "you interpolated in the number itself; the sizes grow by factors, so take its logarithm.",
    )
    expect(not np.isclose(value, np.log(true)), "that is still a logarithm; go back to galaxies.")
    expect(
        not np.isclose(value, 1600),
        "1600 is the first size at which the second curve is ahead; it overtook before that.",
    )
    expect(
        not np.isclose(value, 400),
        "400 is the last size at which the first curve is ahead; where is the gap zero?",
    )
    expect_close(value, true, "the gap is -0.04 at 400 and +0.04 at 1600. What lies in between?")
    other = (np.array([10, 1000]), np.array([0.8, 0.8]), np.array([0.6, 0.9]))
    expect_close(float(answer(*other)), _crossing(*other), "try two sizes and an unequal gap.")


def _remove_sky(images: Any) -> Any:
    frame = np.ones(images.shape[1:3], dtype=bool)
    frame[3:-3, 3:-3] = False
    return images - np.median(images[:, frame], axis=1)[:, None, None, :]


def _check_remove_sky(answer: Any) -> None:
    expect(callable(answer), "give the function itself: remove_sky, without brackets.")
    random = np.random.default_rng(8)
    images = random.normal(size=(4, 16, 16, 3))
    images[:, 5:11, 5:11] += 40.0 * np.arange(1, 5)[:, None, None, None]
    left = np.asarray(answer(images.copy()))
    expect(left.shape == images.shape, f"the shape is {left.shape}, it should be {images.shape}.")
    taken = images - left
    expect(
        np.allclose(taken, taken[:, :1, :1]),
        "what you subtract differs from pixel to pixel; the sky is one level for a stamp and band.",
    )
    level, true = taken[:, 0, 0], (images - _remove_sky(images))[:, 0, 0]
    moved = images + random.uniform(-3, 3, (4, 1, 1, 3))
    expect(
        not np.allclose(level, 0),
        "nothing was subtracted; is the changed array returned?",
    )
    expect(
        np.ptp(level, axis=0).max() > 1e-6,
        "all stamps lost the same level, so a night that differs from the others still shows.",
    )
    expect(
        np.ptp(level, axis=1).max() > 1e-6,
        "the three bands lost one common level; each band has a sky of its own.",
    )
    expect(
        level.max() < 3,
        "too much is gone: the galaxy itself was averaged in. Use the frame, and the median.",
    )
    expect_close(
        answer(moved), left, "add a level to a stamp: the result must not depend on it.", rtol=1e-4
    )
    expect_close(level, true, "the frame is three pixels wide, on all four sides.", rtol=1e-3)


def _write(nodes: Any, values: Any) -> tuple[Any, Any, Any]:
    slopes = np.diff(values) / np.diff(nodes)
    return nodes[:-1], np.diff(slopes, prepend=0), values[0]


def _check_write(answer: Any) -> None:
    expect(callable(answer), "give the function itself, not the weights of one curve.")
    nodes = np.array([0.0, 0.1, 0.35, 0.6, 1.0])
    values = np.array([0.3, -0.2, 0.4, 0.1, 0.9])
    got = answer(nodes, values)
    expect(isinstance(got, tuple | list) and len(got) == 3, "give three things: bends, strengths, "
           "start.")  # fmt: skip
    bends, strengths, start = (np.asarray(part, float) for part in got)
    true_bends, true_strengths, true_start = _write(nodes, values)
    expect(
        bends.shape == strengths.shape,
        f"{bends.size} bends and {strengths.size} strengths; each neuron has one of both. "
        "Which slope comes before the first?",
    )
    expect(
        not np.allclose(bends, nodes[1:]),
        "a neuron must bend where its piece begins, not where it ends.",
    )
    expect(
        strengths.shape != true_strengths.shape
        or not np.allclose(strengths, np.diff(values) / np.diff(nodes)),
        "these are the slopes; the neurons before are still at work, so only the change is needed.",
    )
    even = np.diff(np.diff(values) * 4, prepend=0)
    expect(
        strengths.shape != even.shape or not np.allclose(strengths, even),
        "the points are not equally spaced: divide each rise by its own run.",
    )
    expect(np.isclose(start, true_start), "the curve starts at its first value, not at zero.")
    t = np.linspace(0, 1, 101)
    drawn = start + np.maximum(0, t[:, None] - bends) @ strengths
    expect_close(
        drawn, np.interp(t, nodes, values), "the curve misses its points; plot it over them."
    )


def _width(error: float, bend: float) -> int:
    return int(np.ceil(np.sqrt(bend / np.sqrt(120) / error)))


def _check_width(answer: Any) -> None:
    expect(callable(answer), "give the function itself, not the width for one error.")
    value, true = float(answer(1e-3, 20.0)), _width(1e-3, 20.0)
    exact = 20 / np.sqrt(120) / 1e-3
    expect(
        value < 1000,
        "that is the square of the width, since the error falls with the square; take the root.",
    )
    expect(value == int(value), "a width is a whole number of neurons.")
    expect(
        value != int(np.floor(np.sqrt(exact))),
        "one neuron less than needed: round up, or the promise is not kept.",
    )
    expect(
        value != int(np.ceil(np.sqrt(20 / 8 / 1e-3))),
        "that is the law for the largest error, with 8; the rms has the root of 120.",
    )
    expect(
        value != int(np.ceil(np.sqrt(20 / np.sqrt(12) / 1e-3))),
        "12 belongs to the law for steps; slopes have 120.",
    )
    expect(value == true, "insert your width into the law: is the error just below the wish?")
    expect(answer(1e-5, 3.0) == _width(1e-5, 3.0), "it is right for one curve and not for another.")


EXERCISES = {
    "asymmetry": Exercise(
        check=_check_asymmetry,
        right=lambda: _asymmetry,
        praise="Right. It is blind to brightness, to quarter turns and to anything that half a "
        "circle maps onto itself, two-armed spirals included.",
        wrong={
            "no absolute value": (
                lambda: lambda i: (i - i[::-1, ::-1]).sum() / np.abs(i).sum(),
                "differences cancel",
            ),
            "quarter turn": (
                lambda: lambda i: np.abs(i - np.rot90(i)).sum() / np.abs(i).sum(),
                "quarter of a circle",
            ),
            "mirror": (
                lambda: lambda i: np.abs(i - i[:, ::-1]).sum() / np.abs(i).sum(),
                "is a mirror",
            ),
            "not divided": (lambda: lambda i: np.abs(i - i[::-1, ::-1]).sum(), "by the light"),
            "halved": (lambda: lambda i: _asymmetry(i) / 2, "that is half"),
            "squared": (
                lambda: lambda i: ((i - i[::-1, ::-1]) ** 2).sum() / (i**2).sum(),
                "must give 0",
            ),
        },
    ),
    "crossing": Exercise(
        check=_check_crossing,
        right=lambda: _crossing,
        praise="Right. Quote it with the scatter over seeds: flat curves cross anywhere.",
        wrong={
            "linear": (lambda: _linear, "take its logarithm"),
            "logarithm": (lambda: lambda *c: np.log(_crossing(*c)), "still a logarithm"),
            "first ahead": (
                lambda: lambda n, a, b: n[np.argmax(np.asarray(b) > np.asarray(a))],
                "overtook before",
            ),
            "last behind": (
                lambda: lambda n, a, b: n[np.argmax(np.asarray(b) > np.asarray(a)) - 1],
                "where is the gap zero",
            ),
            "a guess": (lambda: lambda n, a, b: 500.0 + 0 * n[0], "What lies in between"),
            "value": (lambda: 800.0, "of one pair"),
        },
    ),
    "remove_sky": Exercise(
        check=_check_remove_sky,
        right=lambda: _remove_sky,
        praise="Right. What a network cannot see it cannot use. Now name the next cue.",
        wrong={
            "mean of the stamp": (
                lambda: lambda im: im - im.mean(axis=(1, 2), keepdims=True),
                "averaged in",
            ),
            "one level for all": (
                lambda: lambda im: im - np.median(im, axis=(0, 1, 2)),
                "the same level",
            ),
            "one level for the bands": (
                lambda: lambda im: im - np.median(im, axis=(1, 2, 3), keepdims=True),
                "a sky of its own",
            ),
            "nothing": (lambda: lambda im: im, "nothing was subtracted"),
            "median of all pixels": (
                lambda: lambda im: im - np.median(im, axis=(1, 2), keepdims=True),
                "three pixels wide",
            ),
            "levels only": (lambda: lambda im: np.median(im, axis=(1, 2)), "the shape is"),
            "row by row": (
                lambda: lambda im: im - np.median(im, axis=2, keepdims=True),
                "pixel to pixel",
            ),
        },
    ),
    "write_layer": Exercise(
        check=_check_write,
        right=lambda: _write,
        praise="Right: this is a network that nobody trained.",
        wrong={
            "slopes": (
                lambda: lambda n, v: (n[:-1], np.diff(v) / np.diff(n), v[0]),
                "these are the slopes",
            ),
            "first slope lost": (
                lambda: lambda n, v: (n[:-1], np.diff(np.diff(v) / np.diff(n)), v[0]),
                "before the first",
            ),
            "ends": (lambda: lambda n, v: (n[1:], *_write(n, v)[1:]), "piece begins"),
            "equal spacing": (
                lambda: lambda n, v: (n[:-1], np.diff(np.diff(v) * (len(n) - 1), prepend=0), v[0]),
                "its own run",
            ),
            "from zero": (lambda: lambda n, v: (*_write(n, v)[:2], 0.0), "starts at its first"),
            "two things": (lambda: lambda n, v: _write(n, v)[:2], "three things"),
            "values": (lambda: lambda n, v: (n[:-1], v[:-1], v[0]), "misses its points"),
        },
    ),
    "width_for": Exercise(
        check=_check_width,
        right=lambda: _width,
        praise="Right. A hundred times the accuracy costs ten times the neurons.",
        wrong={
            "no root": (lambda: lambda e, b: np.ceil(b / np.sqrt(120) / e), "take the root"),
            "floor": (lambda: lambda e, b: _width(e, b) - 1, "round up"),
            "largest error": (
                lambda: lambda e, b: int(np.ceil(np.sqrt(b / 8 / e))),
                "largest error",
            ),
            "steps": (
                lambda: lambda e, b: int(np.ceil(np.sqrt(b / np.sqrt(12) / e))),
                "law for steps",
            ),
            "fraction": (lambda: lambda e, b: np.sqrt(b / np.sqrt(120) / e), "whole number"),
            "generous": (lambda: lambda e, b: _width(e, b) + 2, "just below the wish"),
        },
    ),
}
