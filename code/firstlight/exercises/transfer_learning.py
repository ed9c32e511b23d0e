"""Exercises of the chapter *Transfer learning*."""

from typing import Any

import numpy as np

from firstlight.exercises.engine import Exercise, expect, expect_close

__all__ = ["EXERCISES"]


def _check_balanced(answer: Any) -> None:
    expect(callable(answer), "give the function itself: balanced, without brackets.")
    truth = np.array([0, 0, 0, 0, 0, 0, 1, 1, 2, 2])
    said = np.array([0, 0, 0, 0, 0, 1, 0, 1, 0, 2])
    got = answer(truth.copy(), said.copy())
    expect(np.ndim(got) == 0, "give one number: the mean over the classes.")
    expect(
        not np.isclose(got, np.mean(truth == said)),
        "that counts galaxies; the most frequent class then counts most. Average over classes.",
    )
    precision = np.mean([np.mean(truth[said == k] == k) for k in range(3)])
    expect(
        not np.isclose(got, precision),
        "you divided by how often a class was *said*; that is purity. Divide by how often it is.",
    )
    expect_close(float(got), (5 / 6 + 0.5 + 0.5) / 3, "the mean of 5/6, 1/2 and 1/2 here.")
    expect_close(float(answer(truth + 3, said + 3)), float(got),
                 "with other class numbers the same galaxies got another accuracy.")  # fmt: skip
    never = answer(np.array([0, 0, 1, 1]), np.zeros(4, int))
    expect_close(float(never), 0.5, "a class that is never said counts, too: loop over the true.")


def _check_leak(answer: Any) -> None:
    expect(callable(answer), "give the function itself: leak, without brackets.")
    patch = np.array([0, 0, 1, 1, 2, 3, 4, 4, 4, 5, 6, 6])
    test = np.array([1, 0, 1, 1, 1, 0, 1, 1, 0, 0, 0, 0], bool)
    got = answer(patch.copy(), test.copy())
    expect(np.ndim(got) == 0, "give one number: a share of the test images.")
    expect(
        not np.isclose(got, 2 / 6), "that is the share of the *other* images; ask the test images."
    )
    expect(
        not np.isclose(got, 5 / 6),
        "two test images in one patch do no harm: both are on the same side.",
    )
    expect(not np.isclose(got, 3.0), "that is how many; divide by the number of test images.")
    expect(not np.isclose(got, 0.25), "the share of all images; divide by the test images only.")
    expect_close(float(got), 0.5, "three of the six test images have a partner outside.")
    patch, test = np.array([0, 0, 0, 0, 1, 1]), np.array([1, 1, 1, 0, 1, 1], bool)
    got = float(answer(patch, test))
    expect(not np.isclose(got, 0.5), "that is the share of the test *patches*; count images.")
    expect_close(got, 0.6, "three of five test images have a partner outside.")


def _check_fold(answer: Any) -> None:
    expect(callable(answer), "give the function itself: fold, without brackets.")
    random = np.random.default_rng(3)
    m, s = random.normal(size=5), random.uniform(0.5, 3, 5)
    coef, intercept = random.normal(size=(3, 5)), random.normal(size=3)
    given = answer(m.copy(), s.copy(), coef.copy(), intercept.copy())
    expect(isinstance(given, tuple | list) and len(given) == 2, "give kernel and bias.")
    kernel, bias = (np.asarray(part, float) for part in given)
    expect(kernel.shape == (5, 3), "a dense kernel has shape (features, classes): transpose.")
    right = coef.T / s[:, None]
    expect(not np.allclose(kernel, coef.T), "the weights still expect standardized features.")
    expect(
        not np.allclose(kernel, coef.T * s[:, None]),
        "a feature that scatters twice as much needs half the weight: divide by s.",
    )
    expect_close(kernel, right, "each feature's weights, divided by that feature's s.")
    expect(
        not np.allclose(bias, intercept),
        "subtracting the mean shifts the sum: it goes to the bias.",
    )
    expect(not np.allclose(bias, intercept + m @ right), "mind the sign: x minus m.")
    expect(
        not np.allclose(bias, intercept - coef @ m),
        "the means are in raw units; multiply them by the kernel that takes raw features.",
    )
    expect_close(bias, intercept - m @ right, "intercept minus the means times the new kernel.")


def _check_cut(answer: Any) -> None:
    expect(callable(answer), "give the function itself: cut, without brackets.")
    depth = np.array([1, 4, 7, 10, 13, 15])
    accuracy = np.array([0.5, 0.6, 0.70, 0.775, 0.78, 0.74])
    error = np.array([0.01, 0.01, 0.01, 0.009, 0.009, 0.05])
    got = answer(depth, accuracy, error)
    expect(np.ndim(got) == 0, "give one block.")
    expect(int(got) != 13, "that is the best one; an earlier one is as good within its error.")
    expect(int(got) != 15, "that is the last one within its error; the earliest was asked.")
    expect(int(got) != 3, "that is a place in the list; give the block, `depth` there.")
    expect(int(got) != 1, "block 1 is far below the best: compare with the best, not with chance.")
    expect(int(got) == 10, "accuracy plus error should reach the best accuracy; take the first.")
    flat = answer(depth[:3], np.array([0.7, 0.7, 0.7]), np.zeros(3))
    expect(int(flat) == 1, "where all are equal the first is within its error, even if that is 0.")
    accuracy = np.array([0.7, 0.765, 0.78])
    own = answer(depth[:3], accuracy.copy(), np.array([0.09, 0.01, 0.01]))
    both = answer(depth[:3], accuracy.copy(), np.full(3, 0.01))
    expect(int(own) == 1 and int(both) == 7, "add to each accuracy its own error, and no other.")


def _check_worth(answer: Any) -> None:
    expect(callable(answer), "give the function itself: worth, without brackets.")
    labels = np.array([10.0, 100.0, 1000.0, 10000.0])
    scratch, transfer = np.array([0.2, 0.4, 0.6, 0.8]), np.array([0.5, 0.6, 0.7, 0.8])
    got = answer(labels, scratch, transfer, 100)
    expect(np.ndim(got) == 0, "give one number.")
    expect(not np.isclose(got, 1000), "that many labels; how many *times* as many as `at`?")
    expect(not np.isclose(got, 0.1), "upside down: labels from scratch over labels with transfer.")
    expect(not np.isclose(got, 0.6 / 0.4), "a ratio of accuracies; of labels was asked.")
    expect_close(float(got), 10.0, "scratch reaches 0.6 with 1000 labels, transfer with 100.")
    between = float(answer(labels, scratch, transfer, 10))
    straight = np.interp(0.5, scratch, labels) / 10
    expect(
        not np.isclose(between, straight),
        "you interpolated in the labels; halfway between 100 and 1000 is 316 in the logarithm.",
    )
    expect_close(between, 10**2.5 / 10, "0.5 lies halfway between 100 and 1000 labels.", rtol=1e-4)
    off = float(answer(labels, scratch, transfer, 10**1.5))
    expect_close(off, 10**1.25, "read the first curve in the logarithm, too.", rtol=1e-4)
    never = answer(labels, scratch / 2, transfer, 100)
    expect(np.isinf(never), "scratch never gets there, and interp holds its last value: infinity.")


def _check_unmix(answer: Any) -> None:
    expect(callable(answer), "give the function itself: unmix, without brackets.")
    matrix = np.array([[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.0, 0.3, 0.7]])
    true = np.array([0.7, 0.2, 0.1])
    counts = 1000 * true @ matrix
    got = np.asarray(answer(counts.copy(), matrix.copy()), float)
    expect(got.shape == (3,), "give one share for each class.")
    expect(
        not np.allclose(got / got.sum(), counts / counts.sum()),
        "those are the shares of what was said; undo the confusion.",
    )
    expect(not np.allclose(got, 1000 * true), "these are numbers; shares sum to one.")
    wrong = np.linalg.solve(matrix, counts)
    expect(
        not np.allclose(got, wrong / wrong.sum()),
        "the counts sum over the *true* class: transpose the matrix.",
    )
    again = counts @ matrix
    expect(not np.allclose(got, again / again.sum()), "you confused them once more; invert.")
    diagonal = counts * np.diag(matrix)
    expect(
        not np.allclose(got, diagonal / diagonal.sum()),
        "dropping the errors is not enough: what was lost from a class has to come back.",
    )
    expect_close(got, true, "solve C transposed times true numbers equals counts.")


def _fold(m: Any, s: Any, coef: Any, intercept: Any) -> Any:
    kernel = coef.T / s[:, None]
    return kernel, intercept - m @ kernel


def _worth(labels: Any, scratch: Any, transfer: Any, at: float) -> Any:
    target = np.interp(np.log(at), np.log(labels), transfer)
    if target > scratch[-1]:
        return np.inf
    return np.exp(np.interp(target, scratch, np.log(labels))) / at


def _shares(counts: Any) -> Any:
    return counts / counts.sum()


EXERCISES = {
    "balanced": Exercise(
        check=_check_balanced,
        right=lambda: lambda t, s: np.mean([np.mean(s[t == k] == k) for k in np.unique(t)]),
        praise="Right. Guessing the largest class now earns no more than guessing any other.",
        wrong={
            "plain": (lambda: lambda t, s: np.mean(t == s), "counts galaxies"),
            "purity": (
                lambda: lambda t, s: np.mean([np.mean(t[s == k] == k) for k in np.unique(t)]),
                "that is purity",
            ),
            "by class": (
                lambda: lambda t, s: np.array([np.mean(s[t == k] == k) for k in np.unique(t)]),
                "one number",
            ),
        },
    ),
    "leak": Exercise(
        check=_check_leak,
        right=lambda: lambda patch, test: np.isin(patch[test], patch[~test]).mean(),
        praise="Right. On a clean split it is zero, and it takes one line to know.",
        wrong={
            "the other side": (
                lambda: lambda p, t: np.isin(p[~t], p[t]).mean(),
                "*other* images",
            ),
            "any partner": (
                lambda: lambda p, t: np.mean([np.sum(p == q) > 1 for q in p[t]]),
                "do no harm",
            ),
            "how many": (lambda: lambda p, t: float(np.isin(p[t], p[~t]).sum()), "how many"),
            "of all": (lambda: lambda p, t: np.isin(p[t], p[~t]).sum() / len(p), "all images"),
        },
    ),
    "fold": Exercise(
        check=_check_fold,
        right=lambda: _fold,
        praise="Right. The network now starts where the regression ended.",
        wrong={
            "not scaled": (lambda: lambda m, s, c, b: (c.T, b), "standardized features"),
            "multiplied": (
                lambda: lambda m, s, c, b: (c.T * s[:, None], b),
                "divide by s",
            ),
            "not transposed": (lambda: lambda m, s, c, b: (c / s, b), "transpose"),
            "means forgotten": (lambda: lambda m, s, c, b: (c.T / s[:, None], b), "to the bias"),
            "sign": (
                lambda: lambda m, s, c, b: (c.T / s[:, None], b + m @ (c.T / s[:, None])),
                "the sign",
            ),
            "raw means": (
                lambda: lambda m, s, c, b: (c.T / s[:, None], b - c @ m),
                "in raw units",
            ),
        },
    ),
    "cut": Exercise(
        check=_check_cut,
        right=lambda: lambda d, a, e: d[np.argmax(a + e >= np.max(a))],
        praise="Right. Every block you do not run is time for something else.",
        wrong={
            "the best": (lambda: lambda d, a, e: d[np.argmax(a)], "that is the best one"),
            "the last": (
                lambda: lambda d, a, e: d[np.flatnonzero(a + e >= np.max(a))[-1]],
                "the last one",
            ),
            "the place": (
                lambda: lambda d, a, e: np.argmax(a + e >= np.max(a)),
                "place in the list",
            ),
        },
    ),
    "worth": Exercise(
        check=_check_worth,
        right=lambda: _worth,
        praise="Right. And where the curves meet, the photographs are worth nothing.",
        wrong={
            "how many": (lambda: lambda n, s, t, at: _worth(n, s, t, at) * at, "how many *times*"),
            "upside down": (lambda: lambda n, s, t, at: 1 / _worth(n, s, t, at), "upside down"),
            "accuracies": (
                lambda: lambda n, s, t, at: np.interp(at, n, t) / np.interp(at, n, s),
                "ratio of accuracies",
            ),
            "straight": (
                lambda: lambda n, s, t, at: np.interp(np.interp(at, n, t), s, n) / at,
                "in the logarithm",
            ),
        },
    ),
    "unmix": Exercise(
        check=_check_unmix,
        right=lambda: lambda counts, C: _shares(np.linalg.solve(C.T, counts)),
        praise="Right, if the survey's galaxies are mistaken as the tested ones were.",
        wrong={
            "as said": (lambda: lambda counts, C: _shares(counts), "what was said"),
            "not transposed": (
                lambda: lambda counts, C: _shares(np.linalg.solve(C, counts)),
                "transpose the matrix",
            ),
            "forward": (lambda: lambda counts, C: _shares(counts @ C), "once more"),
            "numbers": (lambda: lambda counts, C: np.linalg.solve(C.T, counts), "sum to one"),
            "diagonal": (
                lambda: lambda counts, C: _shares(counts * np.diag(C)),
                "has to come back",
            ),
        },
    ),
}
