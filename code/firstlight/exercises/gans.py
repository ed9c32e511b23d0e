"""Exercises of the chapter *Adversarial Networks*."""

from typing import Any

import numpy as np

from firstlight.exercises.engine import Exercise, expect, expect_close

__all__ = ["EXERCISES"]


def _check_best(answer: Any) -> None:
    expect(callable(answer), "give the function itself: best_critic, without brackets.")
    p, q = np.array([0.1, 0.5, 0.3, 0.0]), np.array([0.3, 0.5, 0.02, 0.4])
    got = np.asarray(answer(p, q), float)
    expect(got.shape == p.shape, "one probability for each place.")
    expect(not np.allclose(got, q / (p + q)), "that is the probability of *generated*.")
    expect(not np.allclose(got, p / q), "that is the ratio; a probability stays below one.")
    expect(not np.allclose(got, p), "the critic must weigh both densities.")
    with np.errstate(divide="ignore"):
        expect(
            not np.allclose(got, np.log(p / q)),
            "that is its logit, the number before the sigmoid.",
        )
    expect_close(got, p / (p + q), "Bayes with even priors: p over p plus q.")


def _soft(x: Any) -> Any:
    return np.logaddexp(0, x)


def _check_loss(answer: Any) -> None:
    expect(callable(answer), "give the function itself: generator_loss, without brackets.")
    logits = np.array([-4.0, 0.5, 2.0])
    got = np.asarray(answer(logits), float)
    expect(got.shape == (), "one number: the mean over the batch.")
    expect(
        not np.isclose(got, -_soft(logits).mean()),
        "that is the first game's loss, which is flat where the critic is sure.",
    )
    expect(
        not np.isclose(got, _soft(logits).mean()),
        "that is what the *critic* wants of generated points.",
    )
    expect(
        not np.isclose(got, -_soft(-logits).mean()),
        "mind the sign: a loss falls as the critic is taken in.",
    )
    expect(not np.isclose(got, -logits.mean()), "that is the loss of Wasserstein's game.")
    expect_close(got, _soft(-logits).mean(), "minus the logarithm of the sigmoid, averaged.")


def _check_wasserstein(answer: Any) -> None:
    expect(callable(answer), "give the function itself: wasserstein, without brackets.")
    rng = np.random.default_rng(3)
    one, other = rng.normal(0, 1, 60), rng.normal(0.3, 2, 60)
    got = np.asarray(answer(one, other), float)
    right = np.abs(np.sort(one) - np.sort(other)).mean()
    expect(got.shape == (), "one number for two samples.")
    expect(
        not np.isclose(got, np.abs(one - other).mean()),
        "you carry each grain to a place by chance: sort both first.",
    )
    expect(
        not np.isclose(got, abs(one.mean() - other.mean())),
        "the means may agree while the shapes do not: take absolute values of every pair.",
    )
    squares = ((np.sort(one) - np.sort(other)) ** 2).mean()
    expect(
        not np.isclose(got, squares) and not np.isclose(got, np.sqrt(squares)),
        "the cost of a grain is its distance, not the square.",
    )
    expect(not np.isclose(got, right * len(one)), "the mass is one: take the mean over grains.")
    expect_close(got, right, "the mean distance between equal ranks.")


def _check_penalty(answer: Any) -> None:
    expect(callable(answer), "give the function itself: penalty, without brackets.")
    slopes = np.array([[0.6, 0.8], [3.0, 4.0], [0.0, 0.2], [-1.0, 0.0]])
    got = np.asarray(answer(slopes), float)
    size = np.linalg.norm(slopes, axis=1)
    expect(got.shape == (), "one number: the mean over the batch.")
    expect(
        not np.isclose(got, ((size**2 - 1) ** 2).mean()),
        "the length of a slope is the *root* of the sum of squares.",
    )
    expect(
        not np.isclose(got, ((np.abs(slopes) - 1) ** 2).mean()),
        "one slope for each point: its length over both directions, not each by itself.",
    )
    expect(
        not np.isclose(got, (np.maximum(size - 1, 0) ** 2).mean()),
        "that is the one-sided penalty: here slopes below one are to be mended too.",
    )
    expect(not np.isclose(got, (size**2).mean()), "slopes are drawn to one, not to zero.")
    expect(not np.isclose(got, (size.mean() - 1) ** 2), "square each point's miss, then average.")
    expect_close(got, ((size - 1) ** 2).mean(), "the mean square of length minus one.")


EXERCISES = {
    "best": Exercise(
        check=_check_best,
        right=lambda: lambda p, q: p / (p + q),
        praise="Right. Where the generator is right, the best critic says one half.",
        wrong={
            "generated": (lambda: lambda p, q: q / (p + q), "probability of *generated*"),
            "ratio": (lambda: lambda p, q: p / np.maximum(q, 1e-9), "that is the ratio"),
            "data only": (lambda: lambda p, q: p, "weigh both"),
            "product": (lambda: lambda p, q: p * (1 - q), "Bayes with even priors"),
        },
    ),
    "loss": Exercise(
        check=_check_loss,
        right=lambda: lambda s: np.logaddexp(0, -s).mean(),
        praise="Right. Its slope is largest where the critic is surest.",
        wrong={
            "minimax": (lambda: lambda s: -np.logaddexp(0, s).mean(), "first game's loss"),
            "critic's": (lambda: lambda s: np.logaddexp(0, s).mean(), "what the *critic* wants"),
            "sign": (lambda: lambda s: -np.logaddexp(0, -s).mean(), "mind the sign"),
            "wasserstein": (lambda: lambda s: -s.mean(), "Wasserstein"),
            "no mean": (lambda: lambda s: np.logaddexp(0, -s), "one number"),
        },
    ),
    "wasserstein": Exercise(
        check=_check_wasserstein,
        right=lambda: lambda a, b: np.abs(np.sort(a) - np.sort(b)).mean(),
        praise="Right. In one dimension no plan is cheaper than keeping the order.",
        wrong={
            "unsorted": (lambda: lambda a, b: np.abs(a - b).mean(), "place by chance"),
            "means": (lambda: lambda a, b: abs(a.mean() - b.mean()), "means may agree"),
            "squares": (
                lambda: lambda a, b: ((np.sort(a) - np.sort(b)) ** 2).mean(),
                "not the square",
            ),
            "sum": (lambda: lambda a, b: np.abs(np.sort(a) - np.sort(b)).sum(), "mass is one"),
        },
    ),
    "penalty": Exercise(
        check=_check_penalty,
        right=lambda: lambda g: ((np.linalg.norm(g, axis=1) - 1) ** 2).mean(),
        praise="Right. A slope of one everywhere is what the best critic has.",
        wrong={
            "no root": (lambda: lambda g: (((g**2).sum(1) - 1) ** 2).mean(), "is the *root*"),
            "by axis": (lambda: lambda g: ((np.abs(g) - 1) ** 2).mean(), "over both directions"),
            "one-sided": (
                lambda: lambda g: (np.maximum(np.linalg.norm(g, axis=1) - 1, 0) ** 2).mean(),
                "one-sided",
            ),
            "to zero": (lambda: lambda g: (g**2).sum(axis=1).mean(), "not to zero"),
            "of the mean": (
                lambda: lambda g: (np.linalg.norm(g, axis=1).mean() - 1) ** 2,
                "then average",
            ),
        },
    ),
}
