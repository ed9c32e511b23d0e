"""Exercises of the chapter *Gradient Descent and Loss*."""

from typing import Any

import numpy as np

from firstlight.exercises.engine import Exercise, expect, expect_close

__all__ = ["EXERCISES"]

_POGSON = 2.5 / np.log(10)


def _close(got: Any, value: Any) -> bool:
    return bool(np.allclose(got, value, rtol=1e-6, atol=1e-12))


def _check_gaussian_loss(answer: Any) -> None:
    expect(callable(answer), "give the function itself: gaussian_loss, without brackets.")
    random = np.random.default_rng(3)
    y, mean = random.normal(size=(2, 9))
    log_sigma = random.normal(size=9) / 2
    got = np.asarray(answer(y, mean, log_sigma), dtype=float)
    expect(got.shape == (), f"the shape is {got.shape}; one number is wanted, the mean.")
    share = (y - mean) ** 2 / (2 * np.exp(2 * log_sigma))
    right = np.mean(share + log_sigma)
    expect(
        not _close(got, share.mean()),
        "nothing stops the network from claiming endless errors. Which term would?",
    )
    expect(not _close(got, np.mean(share - log_sigma)), "the sign of the logarithm: p has 1/σ.")
    expect(
        not _close(got, np.mean((y - mean) ** 2 / (2 * np.exp(log_sigma)) + log_sigma)),
        "the residual is divided by σ squared; e to the log_sigma is σ itself.",
    )
    expect(
        not _close(got, np.mean(2 * share + log_sigma)),
        "where is the one half of the exponent? With it missing, σ comes out too large.",
    )
    expect(not _close(got, 9 * right), "that is the sum over examples; the mean is wanted.")
    expect(
        not _close(got, right + 0.5 * np.log(2 * np.pi)),
        "right, except for a constant that no parameter can change; leave it out.",
    )
    expect_close(got, right, "write ln p for one example, with σ = exp(log_sigma), and average.")


def _check_power_bias(answer: Any) -> None:
    expect(callable(answer), "give the function itself: power_bias, without brackets.")
    values = {q: float(answer(0.1, q)) for q in (0, 0.5, 2)}
    law = {q: -_POGSON * (q - 0.5) * 0.01 for q in values}
    expect(
        not _close(values[0], -law[0]),
        "the sign: with equal weights the mean is too faint, a *larger* magnitude.",
    )
    expect(
        not _close(values[2], law[2] / _POGSON),
        "that is in natural logarithms of flux; magnitudes have 2.5 / ln 10 of them.",
    )
    expect(
        not (_close(values[0], 0) and _close(values[2], -_POGSON * 0.02)),
        "you took the weights into account and forgot the curve of the logarithm, δ²/2.",
    )
    expect(
        not (_close(values[0], law[0]) and _close(values[2], law[0])),
        "the weights are missing: for every q you give the bias of equal ones.",
    )
    expect(not _close(values[2], -_POGSON * 0.15), "s enters squared; the bias is even in noise.")
    for q, value in values.items():
        expect_close(value, law[q], "take E[(1 + qδ)(δ - δ²/2)] to order δ², times -2.5/ln 10.")
    expect_close(
        float(answer(0.03, 1)), -_POGSON * 0.5 * 0.0009, "it should go as s squared for every q."
    )


def _quadratic(turned: bool) -> tuple[Any, Any]:
    random = np.random.default_rng(8)
    axes = np.linalg.qr(random.normal(size=(6, 6)))[0] if turned else np.eye(6)
    curvature = axes @ np.diag([0.02, 0.5, 1, 2, 3, 8]) @ axes.T
    center = random.normal(size=6)
    return (lambda theta: curvature @ (theta - center)), center


def _check_longest_step(answer: Any) -> None:
    expect(callable(answer), "give the function itself: longest_step, without brackets.")
    for turned in (False, True):
        gradient, center = _quadratic(turned)
        for theta in (center, center + 1):
            got = float(np.asarray(answer(gradient, theta.copy())))
            expect(np.isfinite(got), "at a minimum the gradient is zero; use its *changes*.")
            expect(not _close(got, 8), "that is the curvature itself; the step is two over it.")
            expect(
                abs(got - 1 / 8) > 1e-3, "one over the curvature is the step straight to the floor "
                "of the steepest direction; the edge lies twice as far.",
            )  # fmt: skip
            expect(
                abs(got - 100) > 1, "that is two over the *smallest* curvature; steps that long "
                "run away along all other directions.",
            )  # fmt: skip
            expect_close(
                got, 0.25, "2/λ should be 0.25 on a bowl of curvatures 0.02 to 8, wherever its "
                "axes point. Does your first direction contain the steepest? Are there enough "
                "rounds?", rtol=2e-3,
            )  # fmt: skip


def _check_batch_noise(answer: Any) -> None:
    expect(callable(answer), "give the function itself: batch_noise, without brackets.")
    rows = np.random.default_rng(5).normal(size=(40, 3)) * [1.0, 2.0, 0.3] + 4
    trace, size, n = rows.var(axis=0).sum(), 10, 40
    got = float(np.asarray(answer(rows, size)))
    right = np.sqrt(trace / size * (n - size) / (n - 1))
    expect(
        not _close(got, np.sqrt(trace / size)),
        "that is for drawing with replacement. What is left when all 40 are in the batch?",
    )
    expect(not _close(got, right**2), "that is the mean *square*; take the root.")
    expect(
        not _close(got, np.sqrt(np.mean(rows**2) * 3 / size * (n - size) / (n - 1))),
        "subtract the mean gradient first: noise is the scatter about it.",
    )
    expect(
        not _close(got, np.sqrt(trace) / size * np.sqrt((n - size) / (n - 1))),
        "the *variance* falls as one over B; the rms falls as its root.",
    )
    expect(
        not _close(got, np.sqrt(trace / 3 / size * (n - size) / (n - 1))),
        "the length of a vector: add the variances of its components, do not average them.",
    )
    expect_close(got, right, "tr Σ / B, times (N - B)/(N - 1), and then the root.", rtol=1e-6)
    expect_close(float(answer(rows, n)), 0.0, "with all examples in the batch no noise is left.")


def _check_steps_needed(answer: Any) -> None:
    expect(callable(answer), "give the function itself: steps_needed, without brackets.")
    got = answer(100, 1e-3)
    right = int(np.ceil(np.log(1e-3) / np.log(99 / 101)))
    expect(float(got) == int(got), f"{got} is no whole number of steps; round up.")
    expect(
        int(got) != int(np.ceil(np.log(1e-3) / np.log(0.99))),
        "1 - 1/κ belongs to the step 1/λ_max; the best step is longer.",
    )
    expect(
        int(got) != int(np.ceil(np.log(1e-3) / (2 * np.log(99 / 101)))),
        "that is for the *loss*, which falls with the square; the distance is asked for.",
    )
    expect(int(got) != right - 1, "rounded down, the last step is missing.")
    expect(int(got) == right, f"for κ = 100 and 1/1000 it should be {right}, not {got}.")
    expect(answer(1, 1e-3) == 1, "a round bowl, κ = 1, takes one step; mind the logarithm of 0.")


_CURVES = {
    "every step multiplies the loss by 1.21": "step too long",
    "the loss falls by one per cent at every step; with ten times the step, by ten": (
        "step too short"
    ),
    "falls 1000-fold in ten steps, then stands; twice the step, and it explodes": (
        "inputs unscaled"
    ),
    "falls to the noise in twenty steps": "fine",
}
_HINTS = {
    "every step multiplies the loss by 1.21": (
        "the same factor above one at every step: (1 - ηλ)² = 1.21. What is ηλ?"
    ),
    "the loss falls by one per cent at every step; with ten times the step, by ten": (
        "ten times the step helped ten times as much. So what was wrong with the first?"
    ),
    "falls 1000-fold in ten steps, then stands; twice the step, and it explodes": (
        "one direction is already at its edge while another has hardly moved."
    ),
    "falls to the noise in twenty steps": "nothing is left to be gained below the noise.",
}


def _check_diagnose(answer: Any) -> None:
    expect(isinstance(answer, dict), "give the dictionary, with your words in place of the dots.")
    allowed = set(_CURVES.values())
    for curve, right in _CURVES.items():
        said = answer.get(curve)
        expect(said in allowed, f"{curve!r}: received {said!r}, expected one of {sorted(allowed)}.")
        expect(said == right, f"{curve!r}: {_HINTS[curve]}")


def _power(gradient: Any, theta: Any, v: Any, rounds: int = 500) -> float:
    with np.errstate(invalid="ignore"):
        for _ in range(rounds):
            v = v / np.linalg.norm(v)
            v = (gradient(theta + 1e-4 * v) - gradient(theta - 1e-4 * v)) / 2e-4
    return float(np.linalg.norm(v))


def _random_direction(theta: Any) -> Any:
    return np.random.default_rng(1).normal(size=theta.shape)


def _noise(scale: Any) -> Any:
    """A wrong or right answer to `batch_noise`, from the variance it makes of (rows, B, N)."""
    return lambda rows, size: np.sqrt(scale(rows, size, len(rows)))


EXERCISES = {
    "gaussian_loss": Exercise(
        check=_check_gaussian_loss,
        right=lambda: lambda y, m, ls: np.mean((y - m) ** 2 / (2 * np.exp(2 * ls)) + ls),
        praise="Right. Give the network two outputs and train it on this.",
        wrong={
            "no logarithm": (
                lambda: lambda y, m, ls: np.mean((y - m) ** 2 / (2 * np.exp(2 * ls))),
                "claiming endless errors",
            ),
            "sign": (
                lambda: lambda y, m, ls: np.mean((y - m) ** 2 / (2 * np.exp(2 * ls)) - ls),
                "sign of the logarithm",
            ),
            "not squared": (
                lambda: lambda y, m, ls: np.mean((y - m) ** 2 / (2 * np.exp(ls)) + ls),
                "is σ itself",
            ),
            "no half": (
                lambda: lambda y, m, ls: np.mean((y - m) ** 2 / np.exp(2 * ls) + ls),
                "one half of the exponent",
            ),
            "sum": (
                lambda: lambda y, m, ls: np.sum((y - m) ** 2 / (2 * np.exp(2 * ls)) + ls),
                "sum over examples",
            ),
            "constant": (
                lambda: (
                    lambda y, m, ls: (
                        np.mean((y - m) ** 2 / (2 * np.exp(2 * ls)) + ls) + np.log(2 * np.pi) / 2
                    )
                ),
                "except for a constant",
            ),
        },
    ),
    "power_bias": Exercise(
        check=_check_power_bias,
        right=lambda: lambda s, q: -_POGSON * (q - 0.5) * s**2,
        praise="Right: q = 1/2 has no bias to this order. Flux has none to any.",
        wrong={
            "sign": (lambda: lambda s, q: _POGSON * (q - 0.5) * s**2, "too faint"),
            "natural logarithm": (lambda: lambda s, q: -(q - 0.5) * s**2, "natural logarithms"),
            "weights only": (lambda: lambda s, q: -_POGSON * q * s**2, "curve of the logarithm"),
            "no weights": (lambda: lambda s, q: _POGSON * 0.5 * s**2, "weights are missing"),
            "linear in s": (lambda: lambda s, q: -_POGSON * (q - 0.5) * s, "enters squared"),
        },
    ),
    "longest_step": Exercise(
        check=_check_longest_step,
        right=lambda: lambda gradient, theta: 2 / _power(gradient, theta, _random_direction(theta)),
        praise="Right, and the matrix was never written down.",
        wrong={
            "the curvature": (
                lambda: lambda g, theta: _power(g, theta, _random_direction(theta)),
                "curvature itself",
            ),
            "one over": (
                lambda: lambda g, theta: 1 / _power(g, theta, _random_direction(theta)),
                "twice as far",
            ),
            "along one axis": (
                lambda: lambda g, theta: 2 / _power(g, theta, np.eye(len(theta))[0]),
                "*smallest* curvature",
            ),
            "two rounds": (
                lambda: lambda g, theta: 2 / _power(g, theta, _random_direction(theta), 2),
                "enough rounds",
            ),
            "from the gradient itself": (
                lambda: lambda g, theta: 2 / _power(g, theta, g(theta)),
                "use its *changes*",
            ),
        },
    ),
    "batch_noise": Exercise(
        check=_check_batch_noise,
        right=lambda: _noise(lambda r, b, n: r.var(0).sum() / b * (n - b) / (n - 1)),
        praise="Right. For a survey the correction is one; for your test set it may not be.",
        wrong={
            "with replacement": (
                lambda: _noise(lambda r, b, n: r.var(0).sum() / b),
                "with replacement",
            ),
            "variance": (
                lambda: lambda r, b: r.var(0).sum() / b * (len(r) - b) / (len(r) - 1),
                "take the root",
            ),
            "mean kept": (
                lambda: _noise(lambda r, b, n: np.mean(r**2) * 3 / b * (n - b) / (n - 1)),
                "subtract the mean",
            ),
            "one over B": (
                lambda: _noise(lambda r, b, n: r.var(0).sum() / b**2 * (n - b) / (n - 1)),
                "falls as its root",
            ),
            "components averaged": (
                lambda: _noise(lambda r, b, n: r.var(0).mean() / b * (n - b) / (n - 1)),
                "do not average",
            ),
        },
    ),
    "steps_needed": Exercise(
        check=_check_steps_needed,
        right=lambda: (
            lambda kappa, fraction: (
                1
                if kappa == 1
                else int(np.ceil(np.log(fraction) / np.log((kappa - 1) / (kappa + 1))))
            )
        ),
        praise="Right: about κ/2 steps for each factor of e.",
        wrong={
            "short step": (
                lambda: lambda k, f: int(np.ceil(np.log(f) / np.log(1 - 1 / k))),
                "best step is longer",
            ),
            "the loss": (
                lambda: lambda k, f: int(np.ceil(np.log(f) / (2 * np.log((k - 1) / (k + 1))))),
                "falls with the square",
            ),
            "rounded down": (
                lambda: lambda k, f: int(np.log(f) / np.log((k - 1) / (k + 1))),
                "rounded down",
            ),
            "not whole": (
                lambda: lambda k, f: np.log(f) / np.log((k - 1) / (k + 1)),
                "no whole number",
            ),
        },
    ),
    "diagnose": Exercise(
        check=_check_diagnose,
        right=lambda: dict(_CURVES),
        praise="Right. Real curves are noisier; the questions to ask of them are the same.",
        wrong={
            "growth": (
                lambda: {**_CURVES, next(iter(_CURVES)): "inputs unscaled"},
                "factor above one",
            ),
            "short for scaling": (
                lambda: {**_CURVES, list(_CURVES)[1]: "inputs unscaled"},
                "helped ten times",
            ),
            "scaling for long": (
                lambda: {**_CURVES, list(_CURVES)[2]: "step too long"},
                "hardly moved",
            ),
            "greed": (lambda: {**_CURVES, list(_CURVES)[3]: "step too short"}, "below the noise"),
            "own words": (lambda: {**_CURVES, list(_CURVES)[3]: "good"}, "expected one of"),
        },
    ),
}
