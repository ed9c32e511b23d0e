"""Exercises of the chapter *Optimizers*."""

from typing import Any

import numpy as np

from firstlight.exercises.engine import Exercise, expect, expect_close

__all__ = ["EXERCISES"]


def _pair(answer: Any, names: str) -> Any:
    expect(isinstance(answer, tuple | list) and len(answer) == 2, f"give two things: {names}.")
    return answer


def _check_momentum(answer: Any) -> None:
    expect(callable(answer), "give the function itself: momentum, without brackets.")
    theta, m = np.array([1.0, -2.0]), np.array([0.3, 0.1])
    g, eta, beta = np.array([0.5, -1.0]), 0.1, 0.8
    new, memory = (np.asarray(a, dtype=float) for a in _pair(
        answer(theta.copy(), m.copy(), g, eta, beta), "the parameters and the memory"))  # fmt: skip
    expect(not np.allclose(memory, beta * m + eta * g), "uphill: the slope enters with a minus.")
    expect(not np.allclose(memory, m - eta * g), "nothing is forgotten; where is beta?")
    expect(
        not np.allclose(memory, beta * m - (1 - beta) * eta * g),
        "that is a mean; here slopes that agree add up to more than one step.",
    )
    expect_close(memory, beta * m - eta * g, "the memory: beta times the old, less eta times g.")
    expect(not np.allclose(new, theta + m), "step with the new memory, not with the old one.")
    expect_close(new, theta + memory, "the parameters move by exactly the new memory.")


def _check_best(answer: Any) -> None:
    expect(callable(answer), "give the function itself: best, without brackets.")
    for low, high in ((1.0, 9.0), (0.002, 5.0)):
        eta, beta = (float(a) for a in _pair(answer(low, high), "eta and beta"))
        q = (np.sqrt(high / low) - 1) / (np.sqrt(high / low) + 1)
        plain = (high - low) / (high + low)
        expect(abs(beta - q) > 1e-9, "that is the root of beta; the plateau lies at the root.")
        expect(abs(beta - plain**2) > 1e-9, "kappa has become its root; see the formula of beta.")
        expect_close(beta, q**2, "put both ends of the spectrum at the ends of the plateau.")
        expect(
            abs(eta - 2 / (low + high)) > 1e-9,
            "the step of plain descent; with momentum nearly twice as long a step is best.",
        )
        expect(
            abs(eta - (1 + q) ** 2 / low) > 1e-9, "the longest stable step hangs on the *highest*."
        )
        expect_close(eta, (1 + q) ** 2 / high, "eta times high is the right end of the plateau.")


def _adam(theta: Any, m: Any, v: Any, t: int, g: Any, eta: float) -> Any:
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    mean, square = m / (1 - 0.9**t), v / (1 - 0.999**t)
    return theta - eta * mean / (np.sqrt(square) + 1e-7), m, v


def _check_adam(answer: Any) -> None:
    expect(callable(answer), "give the function itself: adam, without brackets.")
    random = np.random.default_rng(4)
    theta, m, v = random.normal(size=3), np.zeros(3), np.zeros(3)
    for t in (1, 2, 3):
        g = random.normal(size=3) * [1, 10, 100]
        given = answer(theta.copy(), m.copy(), v.copy(), t, g, 0.01)
        expect(isinstance(given, tuple | list) and len(given) == 3, "give theta, m and v.")
        got = [np.asarray(a, dtype=float) for a in given]
        want = _adam(theta, m, v, t, g, 0.01)
        mean, square = want[1], want[2]
        expect(not np.allclose(got[2], 0.999 * v + 0.001 * g), "v is a mean of *squares*.")
        expect_close(got[1], mean, "m keeps 0.9 of itself and takes 0.1 of the gradient.")
        expect_close(got[2], square, "v keeps 0.999 of itself and takes 0.001 of the square.")
        step = theta - got[0]
        expect(
            not np.allclose(step, 0.01 * mean / (np.sqrt(square) + 1e-7)),
            "the first step is three times too long: both means start at zero. Correct them.",
        )
        bare = 0.01 * mean / (1 - 0.9**t) / (square / (1 - 0.999**t))
        expect(not np.allclose(step, bare), "divide by the *root* of the mean square.")
        expect(not np.allclose(step, theta - (2 * theta - want[0])), "uphill: mind the sign.")
        expect_close(got[0], want[0], f"step {t}: corrected mean over root of corrected square.",
                     rtol=1e-4, atol=1e-5)  # fmt: skip
        theta, m, v = want


def _check_schedule(answer: Any) -> None:
    expect(callable(answer), "give the function itself: rate, without brackets.")
    got = np.array([float(answer(step, 110, 10, 0.4)) for step in (0, 5, 10, 60, 85, 110)])
    expect(abs(got[1] - 0.4) > 1e-9, "there is no warm-up: half way through it, half the rate.")
    expect_close(got[:2], [0.0, 0.2], "the warm-up is a straight line from 0 at step 0.")
    expect(
        abs(got[2] - 0.4) < 1e-9,
        "at the end of the warm-up the rate should be the highest; count the cosine from there.",
    )
    expect(abs(got[4] - 0.1) > 1e-9, "that is a straight line down; half a cosine was asked for.")
    expect(abs(got[5]) < 1e-9, "at the last step the rate should be zero: half a cosine, not all.")
    down = 0.2 * (1 + np.cos(np.pi * np.array([0, 0.5, 0.75, 1])))
    expect_close(got[2:], down, "0.5 (1 + cos(pi x)), where x runs from 0 to 1 after the warm-up.")


def _check_clip(answer: Any) -> None:
    expect(callable(answer), "give the function itself: clip, without brackets.")
    gradients = [np.array([3.0, 0.0]), np.array([[0.0], [4.0]])]
    short = answer([g.copy() for g in gradients], 10.0)
    expect(isinstance(short, tuple | list) and len(short) == 2, "give a list of as many arrays.")
    flat = np.concatenate([np.ravel(np.asarray(g, dtype=float)) for g in short])
    expect(
        not np.isclose(np.linalg.norm(flat), 10),
        "this gradient was short, and you made it longer; only cut what is too long.",
    )
    expect_close(flat, [3, 0, 0, 4], "a gradient within the limit should stay as it is.")
    cut = answer([g.copy() for g in gradients], 2.0)
    flat = np.concatenate([np.ravel(np.asarray(g, dtype=float)) for g in cut])
    expect(
        not np.allclose(flat, [2, 0, 0, 2]),
        "each array for itself: the direction of the whole step has changed.",
    )
    expect(
        not np.allclose(flat, np.array([3, 0, 0, 4]) * 2 / 7), "add the squares, not the lengths."
    )
    expect(not np.allclose(flat, np.array([3, 0, 0, 4]) * 2 / 25), "25 is the squared length.")
    expect_close(flat, [1.2, 0, 0, 1.6], "limit over the length of all numbers together, 5 here.")


def _check_half_life(answer: Any) -> None:
    expect(callable(answer), "give the function itself: decay, without brackets.")
    for eta, steps in ((0.1, 3), (0.01, 50)):
        got = float(answer(eta, steps))
        right = (1 - 0.5 ** (1 / steps)) / eta
        expect(
            abs(got - right * eta) > 1e-12, "in a step the decay is multiplied by the rate, too."
        )
        expect(
            abs(got - 0.5 / steps / eta) > 1e-12,
            "the losses do not add up; each takes its share of what is left.",
        )
        expect(
            abs(got - np.log(2) / steps / eta) > 1e-12,
            "right for endlessly many small steps; for three steps solve it exactly.",
        )
        expect_close(got, right, "solve (1 - eta decay)^steps = 1/2.")


def _check_referee(answer: Any) -> None:
    expect(callable(answer), "give the function itself: referee, without brackets.")
    tuning = np.array([[0.30, 0.31, 0.35], [0.20, 0.22, 0.60], [0.10, 0.40, 0.41]])
    judging = np.array([[0.18, 0.20, 0.19, 0.5], [0.24, 0.26, 0.23, 0.9], [0.42, 0.4, 0.1, 0.5]])
    trial, error = _pair(answer(tuning.copy(), judging.copy()), "the trial and its error")
    expect(int(trial) != 0, "you let the judging seeds choose; then they can no longer judge.")
    expect(int(trial) != 2, "that trial was lucky once; choose by the median over the seeds.")
    expect(int(trial) == 1, "choose the row with the lowest median in `tuning`.")
    expect(abs(error - 0.22) > 1e-9, "the seeds that chose it flatter it; publish the others.")
    expect(abs(error - 0.23) > 1e-9, "the best seed is not the result; take the median.")
    expect_close(float(error), 0.25, "the median of the chosen row in `judging`.")


def _warm(step: int, steps: int, warm: int, top: float) -> float:
    if step < warm:
        return top * step / warm
    return float(top * 0.5 * (1 + np.cos(np.pi * (step - warm) / (steps - warm))))


def _clipped(gradients: Any, limit: float) -> Any:
    length = np.sqrt(sum(np.sum(g**2) for g in gradients))
    return [g * min(1, limit / length) for g in gradients]


def _best(low: float, high: float) -> tuple[float, float]:
    q = (np.sqrt(high / low) - 1) / (np.sqrt(high / low) + 1)
    return (1 + q) ** 2 / high, q**2


def _momentum(theta: Any, m: Any, g: Any, eta: float, beta: float) -> Any:
    m = beta * m - eta * g
    return theta + m, m


def _referee(tuning: Any, judging: Any) -> tuple[int, float]:
    trial = int(np.argmin(np.median(tuning, axis=1)))
    return trial, float(np.median(judging[trial]))


EXERCISES = {
    "momentum": Exercise(
        check=_check_momentum,
        right=lambda: _momentum,
        praise="Right. Two lines, and the square root of a condition number.",
        wrong={
            "uphill": (
                lambda: lambda th, m, g, e, b: (th + b * m + e * g, b * m + e * g),
                "uphill: the slope",
            ),
            "no forgetting": (
                lambda: lambda th, m, g, e, b: (th + m - e * g, m - e * g),
                "where is beta",
            ),
            "a mean": (
                lambda: lambda th, m, g, e, b: (th, b * m - (1 - b) * e * g),
                "that is a mean",
            ),
            "old memory": (lambda: lambda th, m, g, e, b: (th + m, b * m - e * g), "the old one"),
            "one thing": (lambda: lambda th, m, g, e, b: th + b * m - e * g, "and the memory."),
        },
    ),
    "best": Exercise(
        check=_check_best,
        right=lambda: _best,
        praise="Right. Polyak had it in 1964, and it still stands in every library.",
        wrong={
            "root of beta": (
                lambda: lambda low, high: (_best(low, high)[0], _best(low, high)[1] ** 0.5),
                "root of beta",
            ),
            "no root of kappa": (
                lambda: lambda low, high: (1.0, ((high - low) / (high + low)) ** 2),
                "become its root",
            ),
            "plain step": (
                lambda: lambda low, high: (2 / (low + high), _best(low, high)[1]),
                "plain descent",
            ),
            "lowest": (
                lambda: lambda low, high: (_best(low, high)[0] * high / low, _best(low, high)[1]),
                "*highest*",
            ),
        },
    ),
    "adam": Exercise(
        check=_check_adam,
        right=lambda: _adam,
        praise="Right. You have just written what trains most networks of this decade.",
        wrong={
            "not corrected": (
                lambda: (
                    lambda th, m, v, t, g, e: (
                        th - e * (0.9 * m + 0.1 * g) / (np.sqrt(0.999 * v + 0.001 * g**2) + 1e-7),
                        0.9 * m + 0.1 * g,
                        0.999 * v + 0.001 * g**2,
                    )
                ),
                "both means start at zero",
            ),
            "no squares": (
                lambda: lambda th, m, v, t, g, e: (th, 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g),
                "of *squares*",
            ),
            "no root": (
                lambda: (
                    lambda th, m, v, t, g, e: (
                        th
                        - e
                        * (0.9 * m + 0.1 * g)
                        / (1 - 0.9**t)
                        / ((0.999 * v + 0.001 * g**2) / (1 - 0.999**t)),
                        0.9 * m + 0.1 * g,
                        0.999 * v + 0.001 * g**2,
                    )
                ),
                "the *root*",
            ),
            "uphill": (
                lambda: (
                    lambda th, m, v, t, g, e: (
                        2 * th - _adam(th, m, v, t, g, e)[0],
                        *_adam(th, m, v, t, g, e)[1:],
                    )
                ),
                "mind the sign",
            ),
            "parameters only": (
                lambda: lambda th, m, v, t, g, e: _adam(th, m, v, t, g, e)[0],
                "give theta, m and v",
            ),
        },
    ),
    "schedule": Exercise(
        check=_check_schedule,
        right=lambda: _warm,
        praise="Right. Two lines of code that often matter more than the optimizer.",
        wrong={
            "no warm-up": (
                lambda: (
                    lambda step, n, w, top: (
                        (top if step <= w else _warm(step, n, w, top)) * (step > 0)
                    )
                ),
                "no warm-up",
            ),
            "cosine from the start": (
                lambda: (
                    lambda step, n, w, top: (
                        top * step / w if step < w else top / 2 * (1 + np.cos(np.pi * step / n))
                    )
                ),
                "count the cosine from there",
            ),
            "straight": (
                lambda: (
                    lambda step, n, w, top: (
                        top * step / w if step < w else top * (n - step) / (n - w)
                    )
                ),
                "straight line down",
            ),
            "a whole cosine": (
                lambda: (
                    lambda step, n, w, top: (
                        top * step / w
                        if step < w
                        else top / 2 * (1 + np.cos(2 * np.pi * (step - w) / (n - w)))
                    )
                ),
                "half a cosine, not all",
            ),
        },
    ),
    "clip": Exercise(
        check=_check_clip,
        right=lambda: _clipped,
        praise="Right: the direction stays, and only the stride is cut.",
        wrong={
            "always scaled": (
                lambda: (
                    lambda gradients, limit: [
                        g * limit / np.sqrt(sum(np.sum(h**2) for h in gradients)) for g in gradients
                    ]
                ),
                "only cut what is too long",
            ),
            "each array": (
                lambda: lambda gradients, limit: [_clipped([g], limit)[0] for g in gradients],
                "direction of the whole step",
            ),
            "lengths added": (
                lambda: (
                    lambda gradients, limit: [
                        g * min(1, limit / sum(np.linalg.norm(h) for h in gradients))
                        for g in gradients
                    ]
                ),
                "not the lengths",
            ),
            "no root": (
                lambda: (
                    lambda gradients, limit: [
                        g * min(1, limit / sum(np.sum(h**2) for h in gradients)) if limit < 5 else g
                        for g in gradients
                    ]
                ),
                "squared length",
            ),
        },
    ),
    "half_life": Exercise(
        check=_check_half_life,
        right=lambda: lambda eta, steps: (1 - 0.5 ** (1 / steps)) / eta,
        praise="Right. Halve the rate, and the half-life doubles: decay and rate are one choice.",
        wrong={
            "no rate": (lambda: lambda eta, steps: 1 - 0.5 ** (1 / steps), "by the rate, too"),
            "added up": (lambda: lambda eta, steps: 0.5 / steps / eta, "do not add up"),
            "logarithm": (lambda: lambda eta, steps: np.log(2) / steps / eta, "solve it exactly"),
        },
    ),
    "referee": Exercise(
        check=_check_referee,
        right=lambda: _referee,
        praise="Right. Your optimizer may lose now, and you will know it first.",
        wrong={
            "judges choose": (
                lambda: (
                    lambda tuning, judging: (
                        int(np.argmin(np.median(judging, axis=1))),
                        float(np.median(judging, axis=1).min()),
                    )
                ),
                "can no longer judge",
            ),
            "lucky seed": (
                lambda: lambda tuning, judging: (int(np.argmin(tuning.min(axis=1))), 0.41),
                "lucky once",
            ),
            "flattered": (
                lambda: lambda tuning, judging: (1, float(np.median(tuning[1]))),
                "flatter it",
            ),
            "best seed": (
                lambda: lambda tuning, judging: (1, float(judging[1].min())),
                "not the result",
            ),
        },
    ),
}
