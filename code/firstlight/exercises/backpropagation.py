"""Exercises of the chapter *Backpropagation*."""

from typing import Any

import numpy as np

from firstlight.exercises.engine import Exercise, expect, expect_close

__all__ = ["EXERCISES"]


def _period_gradient(t: Any, d: Any, A: float, P: float) -> Any:
    phase = 2 * np.pi * t / P
    return np.sum(2 * (A * np.sin(phase) - d) * A * np.cos(phase) * -phase / P)


def _check_period(answer: Any) -> None:
    expect(callable(answer), "give the function itself: period_gradient, without brackets.")
    random = np.random.default_rng(3)
    t, d, A, P = random.uniform(0, 9, 30), random.normal(size=30), 1.4, 2.3
    got = np.asarray(answer(t, d, A, P), dtype=float)
    true = _period_gradient(t, d, A, P)
    expect(got.shape == (), f"the shape is {got.shape}; all times share one P, so uses add up.")
    expect(not np.isclose(got, -true), "the sign: a longer period makes the phase smaller.")
    expect(not np.isclose(got, true / 2), "the outermost factor is missing: the slope of a square.")
    expect(not np.isclose(got, true / A), "the amplitude stands between sine and residual.")
    phase = 2 * np.pi * t / P
    outer = 2 * (A * np.sin(phase) - d) * A * np.cos(phase)
    expect(not np.isclose(got, outer.sum()), "that is by the phase; one factor more, to P.")
    expect(not np.isclose(got, np.sum(outer * -phase)), "t / P has the slope -t / P squared.")
    expect_close(got, true, "write the values from P to the loss, with a slope beside each.")


def _hypot_rule(g: Any, x: Any, y: Any) -> tuple[Any, Any]:
    r = np.hypot(x, y)
    return (g * x / r).sum(axis=0, keepdims=True), (g * y / r).sum(axis=1, keepdims=True)


def _check_hypot(answer: Any) -> None:
    expect(callable(answer), "give the function itself: hypot_rule, without brackets.")
    random = np.random.default_rng(4)
    x, y, g = (random.normal(size=shape) for shape in ((1, 5), (3, 1), (3, 5)))
    got = answer(g, x, y)
    expect(isinstance(got, tuple | list) and len(got) == 2, "give two gradients: of x and of y.")
    of_x, of_y = (np.asarray(part, dtype=float) for part in got)
    expect(
        not (of_x.shape == of_y.shape == (3, 5)),
        "both have the shape of the result; copies were made, so their gradients add up.",
    )
    expect(
        of_x.shape == x.shape and of_y.shape == y.shape,
        f"the shapes are {of_x.shape} and {of_y.shape}, they should be (1, 5) and (3, 1).",
    )
    right = _hypot_rule(g, x, y)
    expect(not np.allclose(of_x, right[0] / 3), "a mean over the copies? Every copy is a use.")
    expect(
        not np.allclose(of_x, _hypot_rule(np.ones_like(g), x, y)[0]),
        "that is the local slope; what became of g, which comes from further on?",
    )
    r = np.hypot(x, y)
    expect(
        not np.allclose(of_x, (2 * g * x).sum(axis=0, keepdims=True)),
        "that is the slope of the square of the distance; there is a root around it.",
    )
    expect(
        not np.allclose(of_x, (g * y / r).sum(axis=0, keepdims=True)),
        "x and y are exchanged: where y = 0, the distance grows with x alone.",
    )
    for mine, true in zip((of_x, of_y), right, strict=True):
        expect_close(mine, true, "differentiate r squared = x squared + y squared by x.")


def _check_passes(answer: Any) -> None:
    expect(callable(answer), "give the function itself: passes, without brackets.")
    for n, m in ((5, 225), (2194, 1), (3, 200), (40, 7), (6, 6)):
        got = answer(n, m)
        expect(isinstance(got, tuple | list) and len(got) == 2, "give a pair: mode and number.")
        mode, count = got
        mine, best = ("forward", n) if n <= m else ("backward", m)
        expect(
            not (mode != mine and count == best and n != m),
            f"{n} inputs, {m} outputs: the number is right, the direction is not. What does one "
            "backward pass start from?",
        )
        expect(
            not (mode == "backward" and count == m and n < m),
            f"{n} inputs, {m} outputs: backward is not always cheaper.",
        )
        expect(count != n * m, "one pass yields a whole column or a whole row, not one number.")
        expect(not (n == m and mode == "backward"), "at a draw go forward: it needs no tape.")
        expect((mode, count) == (mine, best), f"{n} inputs, {m} outputs: columns or rows?")


def _worst(f: Any, gradient: Any, theta: Any, h: float = 6e-6, sides: int = 2) -> int | None:
    low = h if sides == 2 else 0.0
    numeric = np.array(
        [(f(theta + h * e) - f(theta - low * e)) / (h + low) for e in np.eye(len(theta))]
    )
    off = np.abs(gradient(theta) - numeric) / np.maximum(np.abs(numeric), 1e-3)
    return int(off.argmax()) if off.max() > 1e-5 else None


def _check_worst(answer: Any) -> None:
    expect(callable(answer), "give the function itself: worst, without brackets.")
    center = np.array([0.4, -1.2, 0.9, 0.3])

    def f(theta: Any) -> float:
        return float(np.sum(np.exp(theta) * np.sin(3 * theta + center)))

    def slope(theta: Any) -> Any:
        a = 3 * theta + center
        return np.exp(theta) * (np.sin(a) + 3 * np.cos(a))

    theta = np.array([0.5, 0.2, -0.3, 0.8])
    got = answer(f, slope, theta)
    expect(
        got is None,
        f"received {got} for a right gradient, expected None. Central, or one-sided? How small "
        "is the step?",
    )
    for place in (2, 0, 3):
        for factor in (-1.0, 1.001):
            wrong = np.where(np.arange(4) == place, factor, 1.0)
            got = answer(f, lambda x, wrong=wrong: wrong * slope(x), theta)
            expect(got is not None, f"a derivative wrong by the factor {factor} went unnoticed.")
            expect(
                not isinstance(got, float | np.floating),
                "give the index of the parameter, not the difference.",
            )
            expect(got == place, f"the fault was in parameter {place}, not in {got}.")


def _check_skip(answer: Any) -> None:
    expect(callable(answer), "give the function itself: skip_strength, without brackets.")
    for v, n, growth in ((1.0, 24, 2.0), (4.0, 100, 1.5)):
        got, true = float(answer(v, n, growth)), np.sqrt(2 / v * (growth ** (1 / n) - 1))
        expect(abs(got - true**2) > 1e-12, "that is beta squared.")
        expect(
            abs(got - np.sqrt(2 / v * (growth - 1) / n)) > 1e-12,
            "growth of the sum: factors multiply, and so compound like interest.",
        )
        expect(abs(got - np.sqrt(2 / v * (growth - 1))) > 1e-12, "that is one block for all.")
        expect(
            abs(got - np.sqrt((growth ** (1 / n) - 1) / v)) > 1e-12,
            "ReLU passes half of the squares: v / 2, not v.",
        )
        expect_close(got, true, "(1 + beta^2 v / 2) to the power n_layers is the growth.")


def _check_deepest(answer: Any) -> None:
    expect(callable(answer), "give the function itself: deepest, without brackets.")
    for room, c in ((144, 3), (1000, 2), (97, 3)):
        got = answer(room, c)
        expect(isinstance(got, tuple | list) and len(got) == 2, "give two numbers: with, without.")
        true = (room**2 // (4 * c), room // c)
        expect(tuple(got) != true[::-1], "first with checkpointing, then without.")
        expect(
            got[0] != room**2 // c,
            "the segments' inputs and one segment's tape are held together: a factor of two.",
        )
        expect(got[0] != room**2 // 4, "each layer leaves c arrays on its tape, not one.")
        expect(
            all(float(part).is_integer() for part in got), "whole layers: round down what is left."
        )
        expect(tuple(map(int, got)) == true, f"{room} arrays, {c} a layer: expected {true}.")


EXERCISES = {
    "period_gradient": Exercise(
        check=_check_period,
        right=lambda: _period_gradient,
        praise="Right. It grows with t: late observations pin the period down.",
        wrong={
            "sign": (lambda: lambda *a: -_period_gradient(*a), "makes the phase smaller"),
            "no two": (lambda: lambda *a: _period_gradient(*a) / 2, "slope of a square"),
            "no amplitude": (
                lambda: lambda t, d, A, P: _period_gradient(t, d, A, P) / A,
                "between sine and residual",
            ),
            "by the phase": (
                lambda: (
                    lambda t, d, A, P: np.sum(
                        2
                        * (A * np.sin(2 * np.pi * t / P) - d)
                        * A
                        * np.cos(2 * np.pi * t / P)
                    )
                ),
                "one factor more",
            ),
            "P once": (
                lambda: lambda t, d, A, P: P * _period_gradient(t, d, A, P),
                "P squared",
            ),
            "not summed": (
                lambda: lambda t, d, A, P: _period_gradient(t, d, A, P) + 0 * t,
                "so uses add up",
            ),
        },
    ),
    "hypot_rule": Exercise(
        check=_check_hypot,
        right=lambda: _hypot_rule,
        praise="Right. At the center itself there is no slope; add a small number under the root.",
        wrong={
            "broadcast": (
                lambda: lambda g, x, y: (g * x / np.hypot(x, y), g * y / np.hypot(x, y)),
                "copies were made",
            ),
            "mean": (
                lambda: (
                    lambda g, x, y: tuple(
                        part / n for part, n in zip(_hypot_rule(g, x, y), g.shape, strict=True)
                    )
                ),
                "mean over the copies",
            ),
            "no g": (lambda: lambda g, x, y: _hypot_rule(np.ones_like(g), x, y), "became of g"),
            "squared": (
                lambda: (
                    lambda g, x, y: (
                        (2 * g * x).sum(axis=0, keepdims=True),
                        (2 * g * y).sum(axis=1, keepdims=True),
                    )
                ),
                "a root around it",
            ),
            "exchanged": (
                lambda: (
                    lambda g, x, y: (
                        (g * y / np.hypot(x, y)).sum(axis=0, keepdims=True),
                        (g * x / np.hypot(x, y)).sum(axis=1, keepdims=True),
                    )
                ),
                "are exchanged",
            ),
            "wrong axes": (
                lambda: lambda g, x, y: _hypot_rule(g.T, x.T, y.T),
                "they should be (1, 5)",
            ),
        },
    ),
    "passes": Exercise(
        check=_check_passes,
        right=lambda: lambda n, m: ("forward", n) if n <= m else ("backward", m),
        praise="Right. Training is the extreme case, with one output.",
        wrong={
            "always back": (lambda: lambda n, m: ("backward", m), "not always cheaper"),
            "reversed": (
                lambda: lambda n, m: ("backward" if n <= m else "forward", min(n, m)),
                "the direction is not",
            ),
            "one by one": (
                lambda: lambda n, m: ("forward" if n <= m else "backward", n * m),
                "not one number",
            ),
            "draw": (
                lambda: lambda n, m: ("forward", n) if n < m else ("backward", m),
                "at a draw",
            ),
        },
    ),
    "worst": Exercise(
        check=_check_worst,
        right=lambda: _worst,
        praise="Right. Keep it: it finds wrong signs in five-year-old code.",
        wrong={
            "tiny step": (
                lambda: lambda f, g, x: _worst(f, g, x, h=1e-12),
                "for a right gradient",
            ),
            "never": (lambda: lambda f, g, x: None, "went unnoticed"),
            "the size": (
                lambda: (
                    lambda f, g, x: None if _worst(f, g, x) is None else float(np.abs(g(x)).max())
                ),
                "not the difference",
            ),
            "the first": (
                lambda: lambda f, g, x: None if _worst(f, g, x) is None else 0,
                "the fault was in",
            ),
        },
    ),
    "skip_strength": Exercise(
        check=_check_skip,
        right=lambda: lambda v, n, growth: np.sqrt(2 / v * (growth ** (1 / n) - 1)),
        praise="Right. For deep stacks it goes as one over the root of their number.",
        wrong={
            "squared": (lambda: lambda v, n, g: 2 / v * (g ** (1 / n) - 1), "beta squared"),
            "linear": (lambda: lambda v, n, g: np.sqrt(2 / v * (g - 1) / n), "like interest"),
            "one block": (lambda: lambda v, n, g: np.sqrt(2 / v * (g - 1)), "one block for all"),
            "no half": (lambda: lambda v, n, g: np.sqrt((g ** (1 / n) - 1) / v), "half of the"),
        },
    ),
    "deepest": Exercise(
        check=_check_deepest,
        right=lambda: lambda room, c: (room**2 // (4 * c), room // c),
        praise="Right. The deeper the stack, the better the bargain.",
        wrong={
            "reversed": (
                lambda: lambda room, c: (room // c, room**2 // (4 * c)),
                "first with checkpointing",
            ),
            "no two": (lambda: lambda room, c: (room**2 // c, room // c), "a factor of two"),
            "one array": (lambda: lambda room, c: (room**2 // 4, room // c), "c arrays"),
            "fractions": (lambda: lambda room, c: (room**2 / (4 * c) + 0.5, room / c),
                          "round down"),
        },
    ),
}  # fmt: skip
