"""Exercises of the chapter *The Cosmic Web*."""

from typing import Any

import numpy as np

from firstlight.exercises.engine import Exercise, expect, expect_close

__all__ = ["EXERCISES"]


def _check_nyquist(answer: Any) -> None:
    expect(callable(answer), "give the function itself: nyquist, without brackets.")
    for pixels, side in ((64, 256.0), (128, 500.0)):
        got = float(answer(pixels, side))
        right = np.pi * pixels / side
        expect(
            not np.isclose(got, 2 * right),
            "that wave has one pixel a period; the shortest that can be seen has two.",
        )
        expect(not np.isclose(got, right / np.pi / 2), "a wavenumber counts radians, not periods.")
        expect(
            not np.isclose(got, 2 * np.pi / side),
            "that is the longest wave in the box, the smallest wavenumber.",
        )
        expect(
            not np.isclose(got, 2 * side / pixels),
            "that is the shortest wavelength: a wavenumber is two pi over it.",
        )
        expect_close(got, right, "two pi over twice a pixel.")


def _ranked(field: Any, data: Any) -> Any:
    out = np.empty(field.size)
    out[np.argsort(field, axis=None)] = np.sort(data, axis=None)
    return out.reshape(field.shape)


def _check_rank(answer: Any) -> None:
    expect(callable(answer), "give the function itself: give_histogram, without brackets.")
    rng = np.random.default_rng(2)
    field, data = rng.normal(size=(8, 8)), rng.lognormal(0, 1.2, (8, 8))
    got = np.asarray(answer(field.copy(), data.copy()), float)
    expect(got.shape == field.shape, "give back a field of the same shape.")
    right = _ranked(field, data)
    expect(not np.allclose(got, _ranked(-field, data)), "the highest place got the least matter.")
    expect(
        not np.allclose(got, np.sort(data, axis=None).reshape(8, 8)),
        "the field is gone: put each value where the field has the same rank.",
    )
    expect(
        np.allclose(np.sort(got, axis=None), np.sort(data, axis=None)),
        "these are not the data's values: a shift and a stretch keep the Gaussian's shape.",
    )
    expect_close(got, right, "the highest pixel gets the highest value, and so on down.")


def _check_copied(answer: Any) -> None:
    expect(callable(answer), "give the function itself: copying, without brackets.")
    rng = np.random.default_rng(4)
    training, unseen = rng.normal(size=(40, 3)), rng.normal(size=(30, 3))
    made = training[:25] + 0.1 * rng.normal(size=(25, 3))
    got = float(answer(made, unseen, training))

    def near(points: Any, library: Any) -> Any:
        return np.linalg.norm(points[:, None] - library, axis=2).min(axis=1)

    right = np.median(near(made, training)) / np.median(near(unseen, training))
    expect(
        not np.isclose(got, 1 / right),
        "upside down: a generator that copies should have a ratio near zero.",
    )
    expect(
        not np.isclose(got, np.median(near(made, unseen)) / np.median(near(unseen, training))),
        "the generator never saw the unseen ones: both distances are to the *training* set.",
    )
    expect(
        not np.isclose(got, np.median(near(made, training))),
        "near compared with what? Divide by the same for slices that nobody learned.",
    )
    far = [np.median(np.linalg.norm(a[:, None] - training, axis=2)) for a in (made, unseen)]
    expect(not np.isclose(got, far[0] / far[1]), "the *nearest* training slice: take the minimum.")
    expect_close(got, right, "median nearest distance of the made, over that of the unseen.")


def _check_walk(answer: Any) -> None:
    expect(callable(answer), "give the function itself: walk, without brackets.")
    one, other = np.random.default_rng(6).normal(size=(2, 2000))
    start, end = np.asarray(answer(one, other, 0.0)), np.asarray(answer(one, other, 1.0))
    expect(not np.allclose(start, other), "you begin at the wrong end.")
    expect_close(start, one, "with a share of zero it should be the first noise.")
    expect_close(end, other, "with a share of one it should be the other noise.")
    middle = np.asarray(answer(one, other, 0.5))
    expect(
        not np.allclose(middle, (one + other) / 2),
        "halfway the noise has half its variance: the web there is too smooth. Keep "
        "the sum of the squared weights at one.",
    )
    expect(abs(middle.std() - 1) < 0.06, "the noise must keep its variance of one on the way.")
    quarter = np.asarray(answer(one, other, 0.25))
    expect(abs(quarter.std() - 1) < 0.06, "the noise must keep its variance of one on the way.")


def _circle(one: Any, other: Any, share: float) -> Any:
    return np.cos(share * np.pi / 2) * one + np.sin(share * np.pi / 2) * other


EXERCISES = {
    "nyquist": Exercise(
        check=_check_nyquist,
        right=lambda: lambda pixels, side: np.pi * pixels / side,
        praise="Right. Beyond it, power of shorter waves is counted as that of longer ones.",
        wrong={
            "one pixel": (lambda: lambda n, side: 2 * np.pi * n / side, "one pixel a period"),
            "periods": (lambda: lambda n, side: n / side / 2, "counts radians"),
            "longest": (lambda: lambda n, side: 2 * np.pi / side, "longest wave"),
            "length": (lambda: lambda n, side: 2 * side / n, "shortest wavelength"),
        },
    ),
    "rank": Exercise(
        check=_check_rank,
        right=lambda: _ranked,
        praise="Right. Every quantile is right now, and no place has been told where to be.",
        wrong={
            "upside down": (lambda: lambda f, d: _ranked(-f, d), "got the least"),
            "sorted": (
                lambda: lambda f, d: np.sort(d, axis=None).reshape(f.shape),
                "field is gone",
            ),
            "stretched": (
                lambda: lambda f, d: d.mean() + d.std() * f,
                "keep the Gaussian",
            ),
            "data": (lambda: lambda f, d: d, "highest pixel gets"),
        },
    ),
    "copied": Exercise(
        check=_check_copied,
        right=lambda: (
            lambda made, unseen, training: (
                np.median(np.linalg.norm(made[:, None] - training, axis=2).min(axis=1))
                / np.median(np.linalg.norm(unseen[:, None] - training, axis=2).min(axis=1))
            )
        ),
        praise="Right. It sees copies, and not those who paint a copy in other colors.",
        wrong={
            "upside down": (
                lambda: (
                    lambda made, unseen, training: (
                        np.median(np.linalg.norm(unseen[:, None] - training, axis=2).min(axis=1))
                        / np.median(np.linalg.norm(made[:, None] - training, axis=2).min(axis=1))
                    )
                ),
                "upside down",
            ),
            "no yardstick": (
                lambda: (
                    lambda made, unseen, training: np.median(
                        np.linalg.norm(made[:, None] - training, axis=2).min(axis=1)
                    )
                ),
                "compared with what",
            ),
            "not nearest": (
                lambda: (
                    lambda made, unseen, training: (
                        np.median(np.linalg.norm(made[:, None] - training, axis=2))
                        / np.median(np.linalg.norm(unseen[:, None] - training, axis=2))
                    )
                ),
                "take the minimum",
            ),
        },
    ),
    "walk": Exercise(
        check=_check_walk,
        right=lambda: _circle,
        praise="Right. On the way every slice is as likely as any other.",
        wrong={
            "straight": (lambda: lambda a, b, s: (1 - s) * a + s * b, "half its variance"),
            "backward": (lambda: lambda a, b, s: _circle(b, a, s), "wrong end"),
            "stays": (lambda: lambda a, b, s: a, "with a share of one"),
            "late": (
                lambda: lambda a, b, s: _circle(a, b, s) * (1 + s * (1 - s)),
                "keep its variance",
            ),
        },
    ),
}
