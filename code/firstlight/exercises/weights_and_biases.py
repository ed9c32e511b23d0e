"""Exercises of the chapter *Weights and Biases*."""

from typing import Any

import numpy as np

from firstlight.exercises.engine import Exercise, expect, expect_close

__all__ = ["EXERCISES"]


def _sigmoid(a: Any) -> Any:
    return 1 / (1 + np.exp(-np.asarray(a, dtype=float)))


def _catalog() -> tuple[Any, Any, float]:
    random = np.random.default_rng(11)
    return random.normal(size=(7, 3)), np.array([0.8, -1.3, 0.4]), 0.9


def _check_forward(answer: Any) -> None:
    expect(callable(answer), "give the function itself: forward, without brackets.")
    x, w, b = _catalog()
    got = np.asarray(answer(x, w, b), dtype=float)
    expect(got.shape != (7, 3), "multiply and *sum*: seven galaxies should give seven outputs.")
    expect(got.shape != (), "one number came out for the whole catalog; sum over inputs only.")
    expect(got.shape == (7,), f"the shape is {got.shape}, it should be (7,): one for each galaxy.")
    a = x @ w + b
    expect(not np.allclose(got, a), "that is the first stage alone; now the bend.")
    expect(not np.allclose(got, _sigmoid(x @ w)), "what became of the bias?")
    expect(not np.allclose(got, _sigmoid(-a)), "near and far are exchanged: the sign in e^(-a).")
    expect(not np.allclose(got, a > 0), "that is the step; the sigmoid is its rounded form.")
    expect_close(got, _sigmoid(a), "try one galaxy by hand: products, sum, bias, 1/(1 + e^-a).")


def _check_distance(answer: Any) -> None:
    expect(callable(answer), "give the function itself: distance, without brackets.")
    x, w, b = _catalog()
    got = np.asarray(answer(x, w, b), dtype=float)
    expect(got.shape == (7,), f"the shape is {got.shape}, it should be (7,): one for each row.")
    a, size = x @ w + b, float(np.linalg.norm(w))
    expect(not np.allclose(got, a), "that is a. How much does a grow along one unit of length?")
    expect(not np.allclose(got, np.abs(a) / size), "on which side? The distance should be signed.")
    expect(
        not np.allclose(got, a / size**2),
        "try weights (2, 0): the sum grows by 2 for a unit of length, not by 4.",
    )
    expect(
        not np.allclose(got, x @ w / size + b),
        "the bias has to be divided by the length of the weights as well.",
    )
    expect_close(got, a / size, "take a point on the boundary and walk one unit along w / |w|.")


def _check_new_prior(answer: Any) -> None:
    expect(callable(answer), "give the function itself: new_bias, without brackets.")
    expect_close(
        float(answer(1.5, 0.3, 0.3)), 1.5, "where the fraction stays, the bias has to stay."
    )
    got = float(answer(1.0, 0.5, 0.1))
    expect(abs(got - (1 + np.log(9))) > 1e-9, "far galaxies have become rarer, so a must go down.")
    expect(
        abs(got - (1 + np.log(0.2))) > 1e-9,
        "ln(new / old) forgets the near galaxies; the odds have two sides.",
    )
    expect(abs(got - 1 / 9) > 1e-9, "the odds multiply, but a is their logarithm.")
    expect(abs(got - 0.6) > 1e-9, "fractions do not add to a; a is the logarithm of odds.")
    for b, old, new in ((1.0, 0.5, 0.1), (-3.0, 0.2, 0.7)):
        target = b + np.log(new / (1 - new)) - np.log(old / (1 - old))
        expect_close(
            float(answer(b, old, new)), target, "write the odds before and after; what changed?"
        )


def _check_xor(answer: Any) -> None:
    expect(
        isinstance(answer, tuple | list) and len(answer) == 4, "give four things: W1, b1, w2, b2."
    )
    w1, b1, w2, b2 = (np.asarray(part, dtype=float) for part in answer)
    shapes = (w1.shape, b1.shape, w2.reshape(-1).shape, b2.reshape(-1).shape)
    expect(
        shapes == ((2, 2), (2,), (2,), (1,)),
        f"the shapes are {shapes}, they should be ((2, 2), (2,), (2,), (1,)).",
    )
    bits = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
    a = np.maximum(0, bits @ w1 + b1) @ w2.reshape(-1) + b2
    told = {
        tuple(map(int, pair)): float(value) for pair, value in zip(bits, a.ravel(), strict=True)
    }
    expect(
        not ((a.ravel() > 0) == [False, True, True, True]).all(),
        "this is the ordinary or: (1, 1) is let through. Which neuron wakes up at two ones only?",
    )
    expect(
        not ((a.ravel() > 0) == [False, False, False, True]).all(),
        "this is the and: it fires at (1, 1) alone, where it should be silent.",
    )
    expect(
        not ((a.ravel() > 0) == [True, False, False, True]).all(),
        "upside down: it fires where the bits agree. Change the signs of the last stage.",
    )
    expect(
        ((a.ravel() > 0) == [False, True, True, False]).all() and (a != 0).all(),
        f"the four sums are {told}; those of (0, 1) and (1, 0) should be above zero, "
        "the other two below.",
    )


def _check_fold(answer: Any) -> None:
    expect(callable(answer), "give the function itself: fold, without brackets.")
    random = np.random.default_rng(5)
    w, b = random.normal(size=(3, 2)), random.normal(size=2)
    mean, std = np.array([21.0, 20.0, -3.0]), np.array([2.0, 0.5, 4.0])
    folded = answer(w, b, mean, std)
    expect(
        isinstance(folded, tuple | list) and len(folded) == 2,
        "give two things: the weights and the bias.",
    )
    expect(
        not np.allclose(folded[0], w * std[:, None]),
        "the inputs were divided by their standard deviations, so the weights are, too.",
    )
    right = w / std[:, None]
    expect_close(folded[0], right, "each input has its own std; it belongs to a row of W.")
    expect(not np.allclose(folded[1], b), "the means were subtracted; where did they go?")
    expect(
        not np.allclose(folded[1], b - mean @ w),
        "the means, too, are divided by std on their way to the sum.",
    )
    expect(
        not np.allclose(folded[1], b + mean @ right), "the means were subtracted: mind the sign."
    )
    expect_close(folded[1], b - mean @ right, "put x = mean in: both layers must give b.")


def _check_color_error(answer: Any) -> None:
    expect(callable(answer), "give the function itself: sum_error, without brackets.")
    w, sigma = np.array([2.0, 1.0]), np.array([0.3, 0.5, 0.2])
    got = float(answer(w, sigma))
    g, r, i = sigma**2
    true = 4 * g + r + i
    forgot = 4 * (g + r) + (r + i)
    expect(abs(got - true) > 1e-9, "that is the variance; take the root.")
    expect(
        abs(got - forgot**0.5) > 1e-9,
        "both colors contain the same error of r; their covariance is missing.",
    )
    expect(
        abs(got - (forgot + 4 * r) ** 0.5) > 1e-9,
        "the sign of the covariance: r enters one color with minus, the other with plus.",
    )
    expect(
        abs(got - (2 * (g + r) ** 0.5 + (r + i) ** 0.5)) > 1e-9,
        "errors do not simply add up; write a as a sum over g, r, i first.",
    )
    expect_close(got, true**0.5, "write a = c_g g + c_r r + c_i i and collect the factor of r.")
    expect_close(
        float(answer(np.array([1.0, 1.0]), sigma)),
        (g + i) ** 0.5,
        "weights (1, 1) make g - i, which knows nothing of r.",
    )


def _check_own_cut(answer: Any) -> None:
    from firstlight.sky import photometry

    expect(isinstance(answer, tuple | list) and len(answer) == 2, "give two things: (w, b).")
    w, b = np.asarray(answer[0], dtype=float), float(np.asarray(answer[1], dtype=float))
    expect(w.shape == (2,), f"w has shape {w.shape}, it should be (2,): one weight for each color.")
    sky = photometry.simulate(6000, seed=987_654_321, red=True)
    m = sky.magnitudes.astype(float)
    a = np.column_stack([m[:, 1] - m[:, 2], m[:, 2] - m[:, 3]]) @ w + b
    far = sky.redshift > 0.4
    share, loss = float(np.mean((a > 0) == far)), float(np.mean(np.logaddexp(0, a) - far * a))
    expect(share > 0.4, f"{share:.0%} are right: you have taken near for far. Turn all signs.")
    constant = len(np.unique(a > 0)) == 1 or min(np.mean(a > 0), np.mean(a < 0)) < 0.02
    expect(
        not constant,
        "nearly all galaxies lie on one side of your line; count the bias from colors of zero, "
        "not from the middle of the cloud.",
    )
    expect(
        share > 0.83,
        f"{share:.1%} are right; the best line reaches 85 %. Does yours lean the right way?",
    )
    small = float(np.linalg.norm(w)) < 15
    expect(
        loss < 0.36 or not small,
        f"the line is good ({share:.1%}), the loss is {loss:.2f}: too timid. Multiply everything.",
    )
    expect(
        loss < 0.36,
        f"the line is good ({share:.1%}), the loss is {loss:.2f}: too sure. Divide everything.",
    )


_CUT = np.array([-4.0, 27.0])
_CUT_BIAS = 0.5 - float(_CUT @ [1.5, 0.8])

EXERCISES = {
    "forward": Exercise(
        check=_check_forward,
        right=lambda: lambda x, w, b: _sigmoid(x @ w + b),
        praise="Right, and the same line serves a million galaxies.",
        wrong={
            "no bend": (lambda: lambda x, w, b: x @ w + b, "first stage alone"),
            "no bias": (lambda: lambda x, w, b: _sigmoid(x @ w), "became of the bias"),
            "sign": (lambda: lambda x, w, b: _sigmoid(-(x @ w + b)), "are exchanged"),
            "not summed": (lambda: lambda x, w, b: _sigmoid(x * w + b), "multiply and *sum*"),
            "summed over all": (
                lambda: lambda x, w, b: _sigmoid((x * w).sum() + b),
                "whole catalog",
            ),
            "step": (lambda: lambda x, w, b: (x @ w + b > 0) * 1.0, "its rounded form"),
        },
    ),
    "distance": Exercise(
        check=_check_distance,
        right=lambda: lambda x, w, b: (x @ w + b) / np.linalg.norm(w),
        praise="Right. Divided by its error, this is how many sigma a galaxy is from the cut.",
        wrong={
            "the sum": (lambda: lambda x, w, b: x @ w + b, "that is a."),
            "no sign": (
                lambda: lambda x, w, b: np.abs(x @ w + b) / np.linalg.norm(w),
                "should be signed",
            ),
            "length squared": (lambda: lambda x, w, b: (x @ w + b) / (w @ w), "not by 4"),
            "bias left out": (
                lambda: lambda x, w, b: x @ w / np.linalg.norm(w) + b,
                "length of the weights as well",
            ),
        },
    ),
    "new_prior": Exercise(
        check=_check_new_prior,
        right=lambda: lambda b, old, new: b + np.log(new / (1 - new)) - np.log(old / (1 - old)),
        praise="Right. Balance your training set if you like; then put the true prior back.",
        wrong={
            "sign": (
                lambda: lambda b, old, new: b - np.log(new / (1 - new)) + np.log(old / (1 - old)),
                "must go down",
            ),
            "one side": (lambda: lambda b, old, new: b + np.log(new / old), "two sides"),
            "multiplied": (
                lambda: lambda b, old, new: b * new / (1 - new) * (1 - old) / old,
                "odds multiply",
            ),
            "difference": (lambda: lambda b, old, new: b + new - old, "do not add to a"),
            "prior alone": (
                lambda: lambda b, old, new: np.log(new / (1 - new)),
                "the bias has to stay",
            ),
        },
    ),
    "xor": Exercise(
        check=_check_xor,
        right=lambda: ([[1, 1], [1, 1]], [0, -1], [1, -2], -0.5),
        praise="Right. There are infinitely many answers; name a second one.",
        wrong={
            "or": (lambda: ([[1, 1], [1, 1]], [0, -1], [1, 0], -0.5), "the ordinary or"),
            "and": (lambda: ([[1, 1], [1, 1]], [0, -1], [0, 1], -0.5), "this is the and"),
            "upside down": (lambda: ([[1, 1], [1, 1]], [0, -1], [-1, 2], 0.5), "upside down"),
            "undecided": (
                lambda: ([[1, 1], [1, 1]], [0, -1], [1, -2], 0.0),
                "the four sums are",
            ),
            "three parts": (lambda: ([[1, 1], [1, 1]], [0, -1], [1, -2]), "give four things"),
        },
    ),
    "fold": Exercise(
        check=_check_fold,
        right=lambda: (
            lambda w, b, mean, std: (
                w / std[:, None],
                b - mean @ (w / std[:, None]),
            )
        ),
        praise="Right: the user of your network need never hear of the scaling.",
        wrong={
            "multiplied": (
                lambda: lambda w, b, mean, std: (w * std[:, None], b - mean @ w),
                "so the weights are",
            ),
            "bias kept": (lambda: lambda w, b, mean, std: (w / std[:, None], b), "did they go"),
            "means raw": (
                lambda: lambda w, b, mean, std: (w / std[:, None], b - mean @ w),
                "on their way",
            ),
            "sign": (
                lambda: (
                    lambda w, b, mean, std: (
                        w / std[:, None],
                        b + mean @ (w / std[:, None]),
                    )
                ),
                "mind the sign",
            ),
            "one scale": (
                lambda: lambda w, b, mean, std: (w / std.mean(), b - mean @ w / std.mean()),
                "its own std",
            ),
            "weights only": (lambda: lambda w, b, mean, std: w / std[:, None], "two things"),
        },
    ),
    "color_error": Exercise(
        check=_check_color_error,
        right=lambda: (
            lambda w, sigma: np.sqrt(np.sum((np.array([w[0], w[1] - w[0], -w[1]]) * sigma) ** 2))
        ),
        praise="Right. Two colors that share a band are never independent.",
        wrong={
            "no covariance": (
                lambda: (
                    lambda w, s: np.sqrt(
                        w[0] ** 2 * (s[0] ** 2 + s[1] ** 2) + w[1] ** 2 * (s[1] ** 2 + s[2] ** 2)
                    )
                ),
                "covariance is missing",
            ),
            "sign of the covariance": (
                lambda: (
                    lambda w, s: np.sqrt(np.sum((np.array([w[0], w[0] + w[1], w[1]]) * s) ** 2))
                ),
                "sign of the covariance",
            ),
            "variance": (
                lambda: lambda w, s: np.sum((np.array([w[0], w[1] - w[0], -w[1]]) * s) ** 2),
                "take the root",
            ),
            "errors added": (
                lambda: lambda w, s: w[0] * np.hypot(s[0], s[1]) + w[1] * np.hypot(s[1], s[2]),
                "do not simply add",
            ),
        },
    ),
    "own_cut": Exercise(
        check=_check_own_cut,
        right=lambda: (_CUT, _CUT_BIAS),
        praise="Right: as good as the survey's, and you know how sure to be.",
        wrong={
            "signs": (lambda: (-_CUT, -_CUT_BIAS), "near for far"),
            "centered bias": (lambda: (_CUT, 0.5), "on one side"),
            "timid": (lambda: (_CUT / 10, _CUT_BIAS / 10), "too timid"),
            "sure": (lambda: (10 * _CUT, 10 * _CUT_BIAS), "too sure"),
            "one color": (lambda: (np.array([27.0, 0.0]), -27 * 1.5), "lean the right way"),
            "one weight": (lambda: (np.array([27.0]), -20.0), "one weight for each color"),
        },
    ),
}
