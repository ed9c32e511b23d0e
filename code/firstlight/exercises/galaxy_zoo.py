"""Exercises of the chapter *Galaxy Zoo*."""

from typing import Any

import numpy as np

from firstlight.exercises.engine import Exercise, Hint, expect, expect_close

__all__ = ["EXERCISES"]


def _check_cumulative(answer: Any) -> None:
    expect(callable(answer), "give the function itself, not its value for one galaxy.")
    shares = (0.8, 0.5, 0.25)
    features, not_edge_on, bar = shares
    value = answer(*shares)
    for wrong, hint in (
        (bar, "that is the share among those who were asked; not every volunteer was."),
        (features * bar, "a disk seen edge-on is never asked about its bar: that step is missing."),
        (not_edge_on * bar, "those who saw no features went another way: start at the root."),
        (sum(shares) / 3, "a mean could exceed the share that got this far; a fraction may not."),
        (sum(shares), "shares of one path do not add up; each is a part of the one before."),
        (features * not_edge_on, "so many are asked the question; how many of them say yes?"),
    ):
        expect(not np.allclose(value, wrong), hint)
    expect_close(value, 0.1, "of ten volunteers eight go on, then four, then one. Yours differs.")
    columns = np.random.default_rng(1).uniform(0.1, 0.9, size=(3, 5))
    expect_close(
        answer(*columns), columns.prod(axis=0), "five galaxies in, five fractions out, one by one."
    )


def _check_vote_floor(answer: Any) -> None:
    expect(callable(answer), "give the function itself: vote_floor, without brackets.")
    p = np.random.default_rng(2).beta(0.5, 1.5, size=(60, 37))
    n, variance = 25, p * (1 - p)
    value = answer(p, n)
    expect(
        np.ndim(value) == 0,
        f"the shape is {np.shape(value)}; one number for all galaxies and answers is asked for.",
    )
    for wrong, hint in (
        (np.mean(variance / n), "that is the mean squared error: the root is missing."),
        (np.sqrt(np.mean(variance)), "that is the scatter of one vote; the mean of n is quieter."),
        (np.sqrt(np.mean(variance)) / n, "the variance falls as 1/n, so the scatter falls slower."),
        (np.std(p), "that is how galaxies differ; asked is how the votes for one galaxy scatter."),
        (np.std(p) / np.sqrt(n), "galaxies that differ are no noise; start from one galaxy's p."),
        (np.mean(np.sqrt(variance / n)), "average the squares first and take the root last; the "
         "other way round is always smaller (Jensen)."),
        (np.sqrt(np.mean(p / n)), "at p = 1 everybody agrees and nothing scatters; yours does."),
    ):  # fmt: skip
        expect(not np.allclose(value, wrong), hint)
    expect_close(float(answer(np.array([0.0, 1.0]), 40)), 0.0, "unanimous votes do not scatter.")
    expect_close(
        value, np.sqrt(np.mean(variance / n)), "what is the variance of the mean of n yes-or-no "
        "votes? Try p = 0.5 and n = 25: the answer is 0.1."
    )  # fmt: skip


def _check_divide(answer: Any) -> None:
    expect(callable(answer), "give the function itself, not the shares of one galaxy.")
    logits = np.random.default_rng(3).normal(size=(6, 3)).astype("float32")
    logits[:, 0] = np.abs(logits[:, 0])
    logits[1] = (2.0, 1.0, -1.0)
    shares = _shares(answer, logits)
    expect(shares.shape == logits.shape, f"the shape is {shares.shape}, it should be (6, 3).")
    expect(np.isfinite(shares).all(), "some shares are not finite, though every sum is positive.")
    positive = np.maximum(logits, 0)
    power = np.exp(logits)
    expect(
        not np.allclose(shares, power / power.sum(axis=1, keepdims=True), rtol=1e-3),
        "that is softmax: it exaggerates differences and never comes near zero. No exponential.",
    )
    expect(
        not np.allclose(shares.sum(axis=0), 1, rtol=1e-3),
        "each column sums to one: you divided among the galaxies, not among the answers.",
    )
    expect(shares.min() >= 0, "a share is negative: what should happen to a logit below zero?")
    dead = _shares(answer, np.full((1, 4), -2.0, dtype="float32"))
    expect(
        np.isfinite(dead).all(),
        "with all logits negative you compute 0 / 0; what keeps the sum from zero?",
    )
    expect(
        np.allclose(shares.sum(axis=1), 1, rtol=1e-5) and np.allclose(dead.sum(), 1, rtol=1e-5),
        "the shares of one galaxy do not sum to one; whatever stands below must be the sum of what "
        "stands above.",
    )
    expect_close(dead, np.full((1, 4), 0.25), "all logits negative: nothing is preferred.")
    given = positive + 0.5
    expect_close(
        np.asarray(answer(logits, 0.5)), given / given.sum(axis=1, keepdims=True),
        "with epsilon = 0.5, logits 2, 1 and -1 should share as 2.5 : 1.5 : 0.5.", rtol=1e-4,
    )  # fmt: skip
    given = positive + 1e-3
    expect_close(
        shares, given / given.sum(axis=1, keepdims=True), "is the default of epsilon 1e-3?",
        rtol=1e-4,
    )  # fmt: skip


def _shares(answer: Any, logits: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.asarray(answer(logits), dtype=float)


_SIDE, _BANDS, _OUTPUTS = 6, 2, 4
_WEIGHTS = np.random.default_rng(4).normal(size=(_SIDE * _SIDE * _BANDS, _OUTPUTS))


def _predict(images: Any) -> np.ndarray:
    """A stand-in for the network: it bends, and it has a different weight for every pixel."""
    pixels = np.asarray(images, dtype=float)
    if pixels.shape[1:] != (_SIDE, _SIDE, _BANDS):
        raise Hint(
            f"predict received the shape {pixels.shape}, it should be (n, {_SIDE}, {_SIDE}, "
            f"{_BANDS}): turn the sky, axes 1 and 2, not rows against galaxies or bands."
        )
    return np.tanh(0.2 * pixels.reshape(len(pixels), -1) @ _WEIGHTS)


def _turned(images: np.ndarray) -> list[np.ndarray]:
    return [np.rot90(images, turns, axes=(1, 2)) for turns in range(4)]


def _views(images: np.ndarray) -> list[np.ndarray]:
    return _turned(images) + _turned(images[:, :, ::-1])


def _average(predict: Any, images: np.ndarray) -> np.ndarray:
    return np.mean([predict(view) for view in _views(images)], axis=0)


def _check_average_views(answer: Any) -> None:
    expect(callable(answer), "give the function itself: average_views, without brackets.")
    images = np.random.default_rng(5).normal(size=(5, _SIDE, _SIDE, _BANDS))
    value = np.asarray(answer(_predict, images), dtype=float)
    expect(
        value.shape == (5, _OUTPUTS),
        f"the shape is {value.shape}, it should be (5, {_OUTPUTS}): one row a galaxy, and the "
        "views averaged away.",
    )
    alone = np.asarray(answer(_predict, images[:1]), dtype=float)[0]
    expect(
        np.allclose(value[0], alone, rtol=1e-4, atol=1e-6),
        "a galaxy's answer depends on its neighbors in the list: axis 0 counts galaxies, and "
        "nothing may be flipped or averaged along it.",
    )
    right = _average(_predict, images)
    blurred = _predict(np.mean(_views(images), axis=0))
    turns = np.mean([_predict(view) for view in _turned(images)], axis=0)
    for wrong, hint in (
        (_predict(images), "you asked once; the other seven views were not used."),
        (turns, "four quarter turns; in a mirror your answer changes, and the sky has no left."),
        (blurred, "you averaged the pictures, and the network saw a blur; average what it says."),
        (right * 8, "that is a sum over the eight; with it a fraction may exceed one."),
        (turns * 4, "that is a sum over the turns, and the mirror was left out."),
    ):
        expect(not np.allclose(value, wrong, rtol=1e-4, atol=1e-6), hint)
    same = all(
        np.allclose(answer(_predict, view), value, rtol=1e-4, atol=1e-6) for view in _views(images)
    )
    expect(
        same,
        "a turned or mirrored galaxy still gets another answer: are the eight views all "
        "different? A mirror left to right, half a turn later, is a mirror top to bottom.",
    )
    expect_close(
        value, right, "the same for every view, and yet not the mean of the eight predictions.",
        rtol=1e-4, atol=1e-6,
    )  # fmt: skip


def _divide(logits: Any, epsilon: float = 1e-3) -> Any:
    given = np.maximum(logits, 0) + epsilon
    return given / given.sum(axis=-1, keepdims=True)


def _softmax(logits: Any, epsilon: float = 1e-3) -> Any:
    return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


def _over_galaxies(logits: Any, epsilon: float = 1e-3) -> Any:
    return _divide(np.transpose(logits), epsilon).T


def _no_relu(logits: Any, epsilon: float = 1e-3) -> Any:
    return (logits + epsilon) / (logits + epsilon).sum(axis=-1, keepdims=True)


def _only_below(logits: Any, epsilon: float = 1e-3) -> Any:
    given = np.maximum(logits, 0)
    return given / (given.sum(axis=-1, keepdims=True) + epsilon)


def _floor(p: Any, n: Any) -> Any:
    return np.sqrt(np.mean(p * (1 - p) / n))


def _repeated(predict: Any, images: np.ndarray) -> np.ndarray:
    mirrored = [images[:, :, ::-1], images[:, ::-1]]
    views = _turned(images) + mirrored + [np.rot90(view, 2, axes=(1, 2)) for view in mirrored]
    return np.mean([predict(view) for view in views], axis=0)


def _mixed(predict: Any, images: np.ndarray) -> np.ndarray:
    stacked = predict(np.concatenate(_views(images)))
    return stacked.reshape(len(images), 8, -1).mean(axis=1)


def _wrong_axes(predict: Any, images: np.ndarray) -> np.ndarray:
    return np.mean([predict(np.rot90(images, turns)) for turns in range(4)], axis=0)


EXERCISES = {
    "cumulative": Exercise(
        check=_check_cumulative,
        right=lambda: lambda features, not_edge_on, bar: features * not_edge_on * bar,
        praise="Right. Deep in the tree a fraction is small, and so is its error: remember that "
        "when one RMSE is quoted for all 37.",
        wrong={
            "bar alone": (lambda: lambda f, e, b: b, "among those who were asked"),
            "edge-on forgotten": (lambda: lambda f, e, b: f * b, "seen edge-on is never asked"),
            "root forgotten": (lambda: lambda f, e, b: e * b, "start at the root"),
            "mean": (lambda: lambda f, e, b: (f + e + b) / 3, "a mean could exceed"),
            "sum": (lambda: lambda f, e, b: f + e + b, "do not add up"),
            "asked, not answered": (lambda: lambda f, e, b: f * e, "how many of them say yes"),
            "one number for all": (lambda: lambda *shares: np.prod(shares), "five fractions out"),
            "value": (lambda: 0.1, "not its value"),
        },
    ),
    "vote_floor": Exercise(
        check=_check_vote_floor,
        right=lambda: _floor,
        praise="Right: not even a perfect network gets below this, for its judges are the votes of "
        "n people.",
        wrong={
            "no root": (lambda: lambda p, n: np.mean(p * (1 - p) / n), "the root is missing"),
            "no n": (lambda: lambda p, n: _floor(p, 1), "the scatter of one vote"),
            "n outside": (lambda: lambda p, n: _floor(p, 1) / n, "falls slower"),
            "spread of p": (lambda: lambda p, n: np.std(p), "how galaxies differ"),
            "error of the mean p": (lambda: lambda p, n: np.std(p) / n**0.5, "are no noise"),
            "mean of roots": (
                lambda: lambda p, n: np.mean(np.sqrt(p * (1 - p) / n)),
                "take the root last",
            ),
            "Poisson": (lambda: lambda p, n: np.sqrt(np.mean(p / n)), "everybody agrees"),
            "by answer": (
                lambda: lambda p, n: np.sqrt(np.mean(p * (1 - p) / n, axis=0)),
                "one number for all",
            ),
            "value": (lambda: 0.05, "without brackets"),
        },
    ),
    "divide": Exercise(
        check=_check_divide,
        right=lambda: _divide,
        praise="Right: a share is linear in its logit, so a confident no can reach almost zero.",
        wrong={
            "softmax": (lambda: _softmax, "that is softmax"),
            "over galaxies": (lambda: _over_galaxies, "among the galaxies"),
            "no relu": (lambda: _no_relu, "a share is negative"),
            "no epsilon": (lambda: lambda z, epsilon=1e-3: _divide(z, 0.0), "you compute 0 / 0"),
            "epsilon only below": (lambda: _only_below, "do not sum to one"),
            "epsilon fixed": (lambda: lambda z, epsilon=1e-3: _divide(z), "2.5 : 1.5 : 0.5"),
            "other default": (lambda: lambda z, epsilon=0.1: _divide(z, epsilon), "the default"),
            "value": (lambda: np.ones((6, 3)) / 3, "not the shares"),
        },
    ),
    "average_views": Exercise(
        check=_check_average_views,
        right=lambda: _average,
        praise="Right: whatever the network has learned, this answer does not depend on how the "
        "camera was held. It costs eight predictions.",
        wrong={
            "one view": (lambda: lambda predict, x: predict(x), "the other seven"),
            "no mirror": (
                lambda: lambda predict, x: np.mean([predict(v) for v in _turned(x)], axis=0),
                "in a mirror your answer changes",
            ),
            "average of images": (
                lambda: lambda predict, x: predict(np.mean(_views(x), axis=0)),
                "averaged the pictures",
            ),
            "sum": (lambda: lambda predict, x: 8 * _average(predict, x), "sum over the eight"),
            "wrong axes": (lambda: _wrong_axes, "not rows against galaxies"),
            "galaxies mixed": (lambda: _mixed, "depends on its neighbors"),
            "views repeated": (lambda: _repeated, "all different"),
            "galaxies averaged": (
                lambda: lambda predict, x: _average(predict, x).mean(axis=0),
                "one row a galaxy",
            ),
            "value": (lambda: np.zeros((5, 4)), "without brackets"),
        },
    ),
}
