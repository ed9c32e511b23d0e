"""Exercises of the chapter *CNNs*."""

from typing import Any

import numpy as np
from scipy import signal

from firstlight.exercises.engine import Exercise, expect, expect_close

__all__ = ["EXERCISES"]


def _function(answer: Any, name: str) -> None:
    expect(callable(answer), f"give the function itself: {name}, without brackets.")


def _pair(given: Any, names: str) -> Any:
    expect(isinstance(given, tuple | list) and len(given) == 2, f"give two things: {names}.")
    return given


def _check_convolve(answer: Any) -> None:
    _function(answer, "convolve")
    random = np.random.default_rng(3)
    x, w = random.normal(size=(7, 8)), random.normal(size=(3, 3))
    got = np.asarray(answer(x.copy(), w.copy()), dtype=float)
    expect(got.shape != (9, 10), "the kernel hangs over the border; keep it inside.")
    expect(got.shape == (5, 6), f"the map is {got.shape}; a 3 x 3 kernel has 5 x 6 stops here.")
    for turned, hint in (
        (w, "that is the correlation: the kernel has not been turned."),
        (w[::-1], "turned along one axis only; half a turn changes both."),
        (w[:, ::-1], "turned along one axis only; half a turn changes both."),
        (w.T, "transposed; half a turn reverses both axes instead."),
    ):
        expect(not np.allclose(got, signal.correlate2d(x, turned, "valid")), hint)
    expect_close(got, signal.convolve2d(x, w, "valid"), "turn the kernel, then slide and add.")


def _size(n: int, k: int, s: int = 1, d: int = 1, p: int = 0) -> int:
    return (n + p - d * (k - 1) - 1) // s + 1


def _check_size(answer: Any) -> None:
    _function(answer, "stops")
    for n, k, s, d, p in (
        (24, 3, 1, 1, 0), (24, 5, 1, 1, 4), (25, 3, 2, 1, 1),
        (28, 5, 3, 1, 0), (24, 3, 1, 2, 0), (24, 5, 1, 2, 4),
    ):  # fmt: skip
        got, right = float(answer(n, k, s, d, p)), _size(n, k, s, d, p)
        told = s == 1 and p > 0
        expect(not (told and got == _size(n, k, s, d)), "the border of p pixels adds room.")
        expect(not (told and got == _size(n, k, s, d, 2 * p)), "p is already both ends together.")
        expect(got != right - 1, "one too few: the stop at zero counts, too.")
        expect(got == int(got), f"{got:g} stops; a stop that does not fit is left out.")
        expect(got != right + 1 or s == 1, "one too many: round down, the last kernel must fit.")
        expect(d == 1 or got != _size(n, k, s, 1, p), "a dilated kernel reaches further.")
        expect_close(got, right, f"n={n}, k={k}, s={s}, d={d}, p={p}: place the last stop.")


def _receptive(stack: Any) -> tuple[int, int]:
    r, j = 1, 1
    for k, s, d in stack:
        r, j = r + d * (k - 1) * j, j * s
    return r, j


def _no_dilation(stack: Any) -> tuple[int, int]:
    return _receptive([(k, s, 1) for k, s, _ in stack])


def _no_strides(stack: Any) -> int:
    return 1 + sum(d * (k - 1) for k, _, d in stack)


def _check_receptive(answer: Any) -> None:
    _function(answer, "field")
    for stack in (
        [(3, 1, 1), (3, 1, 1)], [(3, 1, 1), (2, 2, 1), (5, 1, 1), (2, 2, 1), (3, 1, 1)],
        [(7, 2, 1), (5, 2, 1)], [(3, 1, 1), (3, 1, 2), (3, 2, 4), (3, 1, 3)],
    ):  # fmt: skip
        r, j = _pair(answer(list(stack)), "the width r and the distance j")
        flat = _no_strides(stack)
        strided = any(s > 1 for _, s, _ in stack[:-1])
        dilated = any(d > 1 for _, _, d in stack)
        expect(not (dilated and r == _no_dilation(stack)[0]), "a dilated kernel spans more units.")
        expect(not (strided and r == flat), "after a stride, a step of one unit spans more pixels.")
        early, step = 1, 1
        for k, s, d in stack:
            step *= s
            early += d * (k - 1) * step
        expect(not (early != _receptive(stack)[0] and r == early),
               "a layer's own stride acts on the *next* layer; update j last.")  # fmt: skip
        expect(r != 1 + sum(k for k, _, _ in stack), "k units lie k - 1 steps apart.")
        expect_close([float(r), float(j)], _receptive(stack), f"follow the recursion for {stack}.")


def _check_count(answer: Any) -> None:
    _function(answer, "count")
    for k, c, out, stops in ((3, 8, 16, 144), (5, 1, 6, 100)):
        parameters, operations = _pair(answer(k, c, out, stops), "parameters and operations")
        expect(parameters != k * k * c * out, "each channel that goes out has a bias.")
        expect(parameters != k * k * c * out + 1, "one bias for *each* channel that goes out.")
        expect(
            parameters != (k * k + 1) * out or c == 1, "a kernel looks at all channels below it."
        )
        expect_close(float(parameters), (k * k * c + 1) * out, "kernels and biases.")
        expect(operations != k * k * c * out, "the kernels are laid on once for every stop.")
        expect(operations != k * k * out * stops or c == 1, "every channel below is weighed, too.")
        expect_close(float(operations), k * k * c * out * stops, "weights times stops.")


def _fold(kernel: Any, gamma: Any, beta: Any, mean: Any, variance: Any, epsilon: float) -> Any:
    scale = gamma / np.sqrt(variance + epsilon)
    return kernel * scale, beta - mean * scale


def _check_fold(answer: Any) -> None:
    _function(answer, "fold")
    random = np.random.default_rng(5)
    kernel, gamma, beta, mean = (random.normal(size=s) for s in ((3, 3, 2, 4), 4, 4, 4))
    variance = random.uniform(2, 5, 4)
    given = answer(kernel.copy(), gamma, beta, mean, variance, 1e-3)
    new, bias = (np.asarray(a, dtype=float) for a in _pair(given, "the kernel and the bias"))
    want, right = _fold(kernel, gamma, beta, mean, variance, 1e-3)
    expect(new.shape == kernel.shape, "the kernel keeps its shape.")
    expect(not np.allclose(new, kernel * gamma / (variance + 1e-3)), "divide by the *root*.")
    expect(not np.allclose(new, kernel / np.sqrt(variance + 1e-3)), "gamma scales the kernel, too.")
    expect_close(new, want, "scale each kernel by gamma over the root of variance plus epsilon.")
    expect(not np.allclose(bias, beta), "the mean was subtracted; where has it gone?")
    expect(not np.allclose(bias, beta - mean), "the mean is scaled like all the rest.")
    expect_close(bias, right, "what a zero map would give: beta less the scaled mean.")


def _check_paired(answer: Any) -> None:
    _function(answer, "paired")
    whole = np.array([24.0, 21.0, 27.0, 30.0, 18.0])
    without = whole + np.array([1.0, 2.0, 1.5, 0.5, 2.0])
    mean, error = _pair(answer(whole.copy(), without.copy()), "the mean and its error")
    change, n = without - whole, len(whole)
    expect(not np.isclose(mean, -change.mean()), "without less whole: a loss should be positive.")
    expect_close(float(mean), change.mean(), "the mean of the differences.")
    apart = np.sqrt((whole.var(ddof=1) + without.var(ddof=1)) / n)
    expect(not np.isclose(error, apart), "both share their skies: use the scatter of differences.")
    expect(not np.isclose(error, change.std(ddof=1)), "that is the scatter of one sky, not of n.")
    expect(not np.isclose(error, change.std() / np.sqrt(n)), "the mean was fitted: n - 1 are left.")
    expect_close(float(error), change.std(ddof=1) / np.sqrt(n), "scatter over the root of n.")


def _halve(x: Any) -> Any:
    for axis in (0, 1):
        x = (np.roll(x, 1, axis) + 2 * x + np.roll(x, -1, axis)) / 4
    return x[::2, ::2]


def _check_halve(answer: Any) -> None:
    _function(answer, "halve")
    x = np.random.default_rng(6).normal(size=(8, 8))
    got = np.asarray(answer(x.copy()), dtype=float)
    expect(got.shape == (4, 4), f"half of 8 x 8 is 4 x 4, not {got.shape}.")
    expect(not np.allclose(got, x[::2, ::2]), "that is a stride alone; nothing is blurred.")
    want = _halve(x)
    small = x[::2, ::2]
    for axis in (0, 1):
        small = (np.roll(small, 1, axis) + 2 * small + np.roll(small, -1, axis)) / 4
    expect(not np.allclose(got, small), "too late: what the stride has folded, no blur unfolds.")
    expect(not np.allclose(got, 16 * want), "a constant sky must stay as bright: divide.")
    once = ((np.roll(x, 1, 1) + 2 * x + np.roll(x, -1, 1)) / 4)[::2, ::2]
    expect(not np.allclose(got, once), "blurred along one axis only.")
    expect_close(got, want, "weights 1 2 1 along both axes, then every other pixel.")


def _cam(maps: Any, slopes: Any) -> Any:
    return np.maximum((maps * slopes.mean(axis=(0, 1))).sum(axis=-1), 0)


def _check_cam(answer: Any) -> None:
    _function(answer, "cam")
    random = np.random.default_rng(7)
    maps, slopes = np.abs(random.normal(size=(4, 5, 3))), random.normal(size=(4, 5, 3))
    got = np.asarray(answer(maps.copy(), slopes.copy()), dtype=float)
    expect(got.shape == (4, 5), f"one value a place, (4, 5), not {got.shape}.")
    signed = (maps * slopes.mean(axis=(0, 1))).sum(axis=-1)
    expect(not np.allclose(got, signed), "what speaks against the answer is to be cut off.")
    local = np.maximum((maps * slopes).sum(axis=-1), 0)
    expect(not np.allclose(got, local), "one weight for each map: average its slopes first.")
    each = np.maximum(maps * slopes.mean(axis=(0, 1)), 0).sum(axis=-1)
    expect(not np.allclose(got, each), "add first, then cut: maps may argue with each other.")
    expect_close(got, _cam(maps, slopes), "weigh by mean slopes, add, and cut at zero.")


EXERCISES = {
    "convolve": Exercise(
        check=_check_convolve,
        right=lambda: lambda x, w: signal.convolve2d(x, w, "valid"),
        praise="Right. What Keras calls a convolution is the other one.",
        wrong={
            "correlation": (
                lambda: lambda x, w: signal.correlate2d(x, w, "valid"), "not been turned"),
            "one axis": (
                lambda: lambda x, w: signal.correlate2d(x, w[::-1], "valid"), "one axis only"),
            "transposed": (
                lambda: lambda x, w: signal.correlate2d(x, w.T, "valid"), "transposed"),
            "full": (lambda: lambda x, w: signal.convolve2d(x, w), "hangs over"),
        },
    ),
    "size": Exercise(
        check=_check_size,
        right=lambda: _size,
        praise="Right, for every layer with a window, pooling included.",
        wrong={
            "no stop at zero": (lambda: lambda *a: _size(*a) - 1, "stop at zero"),
            "rounded up": (
                lambda: lambda n, k, s, d, p: -(-(n + p - d * (k - 1) - 1) // s) + 1, "round down"),
            "not rounded": (
                lambda: lambda n, k, s, d, p: (n + p - d * (k - 1) - 1) / s + 1, "is left out"),
            "no dilation": (lambda: lambda n, k, s, d, p: _size(n, k, s, 1, p), "reaches further"),
            "no border": (lambda: lambda n, k, s, d, p: _size(n, k, s, d), "adds room"),
            "border twice": (
                lambda: lambda n, k, s, d, p: _size(n, k, s, d, 2 * p), "both ends together"),
        },
    ),
    "receptive": Exercise(
        check=_check_receptive,
        right=lambda: _receptive,
        praise="Right. Whether the unit looks at all of it is another question.",
        wrong={
            "no strides": (
                lambda: lambda stack: (_no_strides(stack), _receptive(stack)[1]),
                "spans more pixels"),
            "too early": (lambda: _too_early, "update j last"),
            "k steps": (
                lambda: lambda stack: (1 + sum(k for k, _, _ in stack), _receptive(stack)[1]),
                "k - 1 steps"),
            "no dilation": (lambda: _no_dilation, "spans more units"),
        },
    ),
    "count": Exercise(
        check=_check_count,
        right=lambda: lambda k, c, out, stops: ((k * k * c + 1) * out, k * k * c * out * stops),
        praise="Right. Twice the image, four times the work, and not one parameter more.",
        wrong={
            "no bias": (
                lambda: lambda k, c, o, n: (k * k * c * o, k * k * c * o * n),
                "goes out has a bias"),
            "one bias": (
                lambda: lambda k, c, o, n: (k * k * c * o + 1, k * k * c * o * n), "for *each*"),
            "one channel": (
                lambda: lambda k, c, o, n: ((k * k + 1) * o, k * k * o * n), "all channels below"),
            "one stop": (
                lambda: lambda k, c, o, n: ((k * k * c + 1) * o, k * k * c * o), "every stop"),
        },
    ),
    "fold": Exercise(
        check=_check_fold,
        right=lambda: _fold,
        praise="Right. In use, a batch normalization costs nothing: it has moved into its kernel.",
        wrong={
            "no root": (
                lambda: lambda w, g, b, m, v, e: (w * g / (v + e), b - m * g / (v + e)),
                "the *root*"),
            "no gamma": (
                lambda: lambda w, g, b, m, v, e: (w / np.sqrt(v + e), b - m / np.sqrt(v + e)),
                "gamma scales"),
            "no mean": (
                lambda: lambda w, g, b, m, v, e: (w * g / np.sqrt(v + e), b), "where has it gone"),
            "mean not scaled": (
                lambda: lambda w, g, b, m, v, e: (w * g / np.sqrt(v + e), b - m),
                "scaled like all"),
        },
    ),
    "paired": Exercise(
        check=_check_paired,
        right=lambda: lambda a, b: (np.mean(b - a), np.std(b - a, ddof=1) / np.sqrt(len(a))),
        praise="Right. Ask for this line wherever a table of parts lacks it.",
        wrong={
            "unpaired": (
                lambda: lambda a, b: (
                    np.mean(b - a), np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / len(a))),
                "share their skies"),
            "scatter": (
                lambda: lambda a, b: (np.mean(b - a), np.std(b - a, ddof=1)), "one sky, not of n"),
            "sign": (
                lambda: lambda a, b: (np.mean(a - b), np.std(b - a, ddof=1) / np.sqrt(len(a))),
                "should be positive"),
            "n": (
                lambda: lambda a, b: (np.mean(b - a), np.std(b - a) / np.sqrt(len(a))),
                "n - 1 are left"),
        },
    ),
    "halve": Exercise(
        check=_check_halve,
        right=lambda: _halve,
        praise="Right. Nyquist would have liked it.",
        wrong={
            "stride only": (lambda: lambda x: x[::2, ::2], "stride alone"),
            "too late": (lambda: _too_late, "too late"),
            "not divided": (lambda: lambda x: 16 * _halve(x), "must stay as bright"),
            "one axis": (
                lambda: lambda x: ((np.roll(x, 1, 1) + 2 * x + np.roll(x, -1, 1)) / 4)[::2, ::2],
                "one axis only"),
        },
    ),
    "cam": Exercise(
        check=_check_cam,
        right=lambda: _cam,
        praise="Right. Two lines, and a figure in many papers.",
        wrong={
            "not cut": (
                lambda: lambda maps, slopes: (maps * slopes.mean(axis=(0, 1))).sum(axis=-1),
                "to be cut off"),
            "not averaged": (
                lambda: lambda maps, slopes: np.maximum((maps * slopes).sum(axis=-1), 0),
                "average its slopes"),
            "cut first": (
                lambda: lambda maps, slopes: np.maximum(
                    maps * slopes.mean(axis=(0, 1)), 0).sum(axis=-1),
                "add first, then cut"),
        },
    ),
}  # fmt: skip


def _too_early(stack: Any) -> tuple[int, int]:
    r, j = 1, 1
    for k, s, d in stack:
        j *= s
        r += d * (k - 1) * j
    return r, j


def _too_late(x: Any) -> Any:
    small = x[::2, ::2]
    for axis in (0, 1):
        small = (np.roll(small, 1, axis) + 2 * small + np.roll(small, -1, axis)) / 4
    return small
