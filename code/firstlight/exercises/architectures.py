"""Exercises of the chapter *Architectures*."""

from typing import Any

import numpy as np

from firstlight.exercises.engine import Exercise, expect, expect_close

__all__ = ["EXERCISES"]


def _check_price(answer: Any) -> None:
    expect(callable(answer), "give the function itself: price, without brackets.")
    got = answer(100, 8)
    expect(isinstance(got, tuple | list) and len(got) == 2, "give parameters and operations.")
    parameters, operations = (float(v) for v in got)
    expect(parameters != 4 * 64 * 100, "weights do not multiply with the length of the sequence.")
    expect(parameters != 3 * 64, "queries, keys, values, and a fourth matrix for the result.")
    expect_close(parameters, 4 * 64, "four matrices of width by width.")
    expect(operations != 4 * 64 * 100, "you forgot that everybody asks everybody.")
    expect(
        operations != 4 * 64 * 100 + 100**2 * 8,
        "the pairs cost twice: once to compare, once to add up the values.",
    )
    expect(operations != 4 * 64 + 2 * 100**2 * 8, "the four matrices act on every element.")
    expect_close(operations, 4 * 64 * 100 + 2 * 100**2 * 8, "four matrices an element, two a pair.")


def _check_attend(answer: Any) -> None:
    expect(callable(answer), "give the function itself: attend, without brackets.")
    random = np.random.default_rng(5)
    Q, K, V = random.normal(size=(3, 4)), random.normal(size=(6, 4)), random.normal(size=(6, 2))
    got = np.asarray(answer(Q.copy(), K.copy(), V.copy()), float)
    expect(got.shape == (3, 2), "one row for each query, as long as a value.")
    right = _attend(Q, K, V)
    expect(not np.allclose(got, _attend(2 * Q, K, V)), "divide by the root of the width, 2 here.")
    expect(not np.allclose(got, _attend(Q / 2, K, V)), "divide by the *root* of the width.")
    a = Q @ K.T / 2
    expect(
        not np.allclose(got, np.exp(a) @ V),
        "the weights of a query must sum to one: divide by their sum.",
    )
    expect(
        not np.allclose(got, np.exp(a) / np.exp(a).sum(axis=0) @ V),
        "you normalized over the queries; each *query* shares itself out over the keys.",
    )
    expect_close(got, right, "softmax over the keys of the scaled products, times the values.")
    big = np.asarray(answer(1000 * Q, K, V), float)
    expect(np.isfinite(big).all(), "large products overflow: subtract the row's maximum first.")


def _check_length(answer: Any) -> None:
    expect(callable(answer), "give the function itself: bias, without brackets.")
    got = float(answer(20.0))
    gate = np.exp(-1 / 20)
    expect(not np.isclose(got, gate), "that is the gate; which sum gives it, through a sigmoid?")
    expect(not np.isclose(got, np.log(19)), "one step in twenty lost is only near: ask the e-fold.")
    expect(not np.isclose(got, np.log((1 - gate) / gate)), "mind the sign: this gate forgets fast.")
    expect_close(got, np.log(gate / (1 - gate)), "solve sigmoid(b) to the power tau = 1/e.")
    expect_close(float(answer(2.0)), np.log(np.exp(-0.5) / (1 - np.exp(-0.5))), "also for 2 steps.")


def _check_symmetric(answer: Any) -> None:
    expect(callable(answer), "give the function itself: symmetric, without brackets.")
    x = np.random.default_rng(2).normal(size=(6, 2))

    def center(h: Any) -> Any:
        return h - h.mean(axis=0)

    def total(h: Any) -> Any:
        return np.tile(h.sum(axis=0), (len(h), 1))

    def running(h: Any) -> Any:
        return np.cumsum(h, axis=0)

    def numbered(h: Any) -> Any:
        return h * np.arange(len(h))[:, None]

    expect(bool(answer(center, x.copy())), "a layer that subtracts the mean treats all alike; "
           "you shuffled what goes in, so shuffle what comes out, too.")  # fmt: skip
    expect(bool(answer(total, x.copy())), "a sum over all nodes treats all alike.")
    expect(not answer(running, x.copy()), "a running sum knows the order, and you let it pass; "
           "compare all nodes, not only their sum.")  # fmt: skip
    expect(not answer(numbered, x.copy()), "numbering the nodes is no symmetry, and it passed; "
           "does your shuffle move anything?")  # fmt: skip


def _check_pays(answer: Any) -> None:
    expect(callable(answer), "give the function itself: pays, without brackets.")
    own, rival = np.array([0.1, 0.2, 0.1, 0.3]), np.array([0.2, 0.5, 0.15, 0.9])
    got = answer(own.copy(), rival.copy())
    expect(isinstance(got, tuple | list) and len(got) == 2, "give mean and error.")
    mean, error = (float(v) for v in got)
    logs = np.log(rival / own)
    expect(not np.isclose(mean, -logs.mean()), "positive should mean that one's own is better.")
    expect(
        not np.isclose(mean, np.log(rival.mean() / own.mean())),
        "take the ratio start by start, then the mean: starts are paired.",
    )
    expect_close(mean, logs.mean(), "the mean of ln(rival / own), start by start.")
    expect(not np.isclose(error, logs.std(ddof=1)), "that is the scatter; the mean is known better")
    unpaired = np.hypot(np.log(own).std(ddof=1), np.log(rival).std(ddof=1)) / 2
    expect(
        not np.isclose(error, unpaired),
        "you added the scatter of both as if they were strangers; take that of the differences.",
    )
    expect(not np.isclose(error, logs.std() / 2), "four starts, one mean taken: divide by n - 1.")
    expect_close(error, logs.std(ddof=1) / 2, "scatter of the logarithms over the root of n.")


def _check_recovered(answer: Any) -> None:
    expect(callable(answer), "give the function itself: recovered, without brackets.")
    planted = np.array([[10.0, 10], [20, 20], [30, 30], [40, 40]])
    found = np.array([[10.5, 10], [10, 10.6], [21, 21], [50, 50], [30, 32], [60, 60], [70, 70]])
    got = answer(found.copy(), planted.copy(), 1.5)
    expect(np.ndim(got) == 0, "give one number: a share.")
    got = float(got)
    expect(not np.isclose(got, 3 / 7), "that is the share of the detections; ask the planted ones.")
    expect(not np.isclose(got, 3 / 4), "two detections on one planted source count once.")
    expect(not np.isclose(got, 2.0), "that is how many; divide by the number planted.")
    expect_close(got, 0.5, "two of the four have a detection within 1.5 pixels.")
    corner = float(answer(np.array([[1.2, 1.2]]), np.zeros((1, 2)), 1.5))
    expect(corner == 0, "distance is the root of the sum of squares, not the larger of the two.")
    none = answer(np.empty((0, 2)), planted.copy(), 1.5)
    expect_close(float(none), 0.0, "an empty catalog recovers nothing, without an error.")


def _attend(Q: Any, K: Any, V: Any) -> Any:
    a = Q @ K.T / np.sqrt(Q.shape[1])
    w = np.exp(a - a.max(axis=1, keepdims=True))
    return w / w.sum(axis=1, keepdims=True) @ V


def _columns(Q: Any, K: Any, V: Any) -> Any:
    w = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return w / w.sum(axis=0) @ V


def _symmetric(layer: Any, x: Any) -> bool:
    order = np.random.default_rng(0).permutation(len(x))
    return bool(np.allclose(layer(x[order]), layer(x)[order]))


def _pays(own: Any, rival: Any) -> Any:
    logs = np.log(rival / own)
    return logs.mean(), logs.std(ddof=1) / np.sqrt(len(logs))


def _apart(found: Any, planted: Any) -> Any:
    return np.hypot(*(planted[:, None] - found[None]).transpose(2, 0, 1))


def _recovered(found: Any, planted: Any, radius: float) -> float:
    if len(found) == 0:
        return 0.0
    return float(np.mean(_apart(found, planted).min(axis=1) <= radius))


def _gate(tau: float) -> float:
    return float(np.exp(-1 / tau))


EXERCISES = {
    "price": Exercise(
        check=_check_price,
        right=lambda: lambda T, d: (4 * d**2, 4 * T * d**2 + 2 * T**2 * d),
        praise="Right. Where T exceeds twice the width, the pairs cost most.",
        wrong={
            "grows": (lambda: lambda T, d: (4 * T * d**2, 4 * T * d**2), "do not multiply"),
            "three": (lambda: lambda T, d: (3 * d**2, 3 * T * d**2), "a fourth matrix"),
            "no pairs": (lambda: lambda T, d: (4 * d**2, 4 * T * d**2), "asks everybody"),
            "once": (
                lambda: lambda T, d: (4 * d**2, 4 * T * d**2 + T**2 * d),
                "cost twice",
            ),
        },
    ),
    "attend": Exercise(
        check=_check_attend,
        right=lambda: _attend,
        praise="Right: a weighted mean whose weights the data choose.",
        wrong={
            "not scaled": (lambda: lambda Q, K, V: _attend(2 * Q, K, V), "divide by the root"),
            "by the width": (lambda: lambda Q, K, V: _attend(Q / 2, K, V), "*root* of the width"),
            "not shared": (
                lambda: lambda Q, K, V: np.exp(Q @ K.T / np.sqrt(Q.shape[1])) @ V,
                "sum to one",
            ),
            "columns": (lambda: _columns, "over the queries"),
        },
    ),
    "length": Exercise(
        check=_check_length,
        right=lambda: lambda tau: np.log(_gate(tau) / (1 - _gate(tau))),
        praise="Right. Start the bias there, and the cell remembers so long before it has learned.",
        wrong={
            "the gate": (lambda: lambda tau: _gate(tau), "that is the gate"),
            "one in twenty": (lambda: lambda tau: np.log(tau - 1), "is only near"),
            "sign": (lambda: lambda tau: np.log((1 - _gate(tau)) / _gate(tau)), "mind the sign"),
        },
    ),
    "symmetric": Exercise(
        check=_check_symmetric,
        right=lambda: _symmetric,
        praise="Right. Run it on every layer that is said to have no order.",
        wrong={
            "invariant": (
                lambda: lambda f, x: bool(np.allclose(f(x[::-1]), f(x))),
                "shuffle what comes out",
            ),
            "sums only": (
                lambda: lambda f, x: bool(np.allclose(f(x[::-1])[-1:].shape, f(x)[-1:].shape)),
                "knows the order",
            ),
            "still": (
                lambda: (
                    lambda f, x: bool(
                        np.allclose(f(x), f(x)) and not np.allclose(f(x), np.cumsum(x, axis=0))
                    )
                ),
                "move anything",
            ),
        },
    ),
    "pays": Exercise(
        check=_check_pays,
        right=lambda: _pays,
        praise="Right. Hard skies are hard for both, and drop out of the ratio.",
        wrong={
            "upside down": (
                lambda: lambda own, rival: (-_pays(own, rival)[0], _pays(own, rival)[1]),
                "own is better",
            ),
            "of means": (
                lambda: lambda own, rival: (np.log(rival.mean() / own.mean()), 0.1),
                "start by start",
            ),
            "scatter": (
                lambda: lambda own, rival: (_pays(own, rival)[0], np.log(rival / own).std(ddof=1)),
                "that is the scatter",
            ),
            "strangers": (
                lambda: (
                    lambda own, rival: (
                        _pays(own, rival)[0],
                        np.hypot(np.log(own).std(ddof=1), np.log(rival).std(ddof=1))
                        / np.sqrt(len(own)),
                    )
                ),
                "as if they were strangers",
            ),
        },
    ),
    "recovered": Exercise(
        check=_check_recovered,
        right=lambda: _recovered,
        praise="Right. On a real sky this is the only completeness that one can measure.",
        wrong={
            "of detections": (
                lambda: lambda f, p, r: float(np.mean(_apart(f, p).min(axis=0) <= r)),
                "share of the detections",
            ),
            "twice": (
                lambda: lambda f, p, r: float((_apart(f, p) <= r).sum() / len(p)),
                "count once",
            ),
            "how many": (
                lambda: lambda f, p, r: float((_apart(f, p).min(axis=1) <= r).sum()),
                "how many",
            ),
        },
    ),
}
