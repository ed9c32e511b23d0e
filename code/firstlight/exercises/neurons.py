"""Exercises of the chapter *Generic Architecture and Neurons*."""

from typing import Any

import numpy as np

from firstlight.exercises.engine import Exercise, expect, expect_close

__all__ = ["EXERCISES"]

_READ = {"input neurons": 2304, "depth": 2, "hidden neurons": 180, "output neurons": 3}


def _check_read(answer: Any) -> None:
    expect(isinstance(answer, dict), "give the dictionary, with the four words as its keys.")
    missing = [word for word in _READ if answer.get(word, ...) in (None, ...)]
    expect(not missing, f"still open: {', '.join(missing)}.")
    given = answer["input neurons"]
    expect(given != 48, "48 is one side of the image; each of its pixels is an input neuron.")
    expect(given == 2304, f"{given} input neurons: multiply the two sides of the image.")
    depth = answer["depth"]
    expect(
        depth not in (4, 5), "Flatten moves numbers about; it computes nothing and adds no depth."
    )
    expect(depth != 3, "the output layer is not hidden, and depth counts hidden layers.")
    expect(depth == 2, f"depth {depth}: count the Dense layers between input and output.")
    hidden = answer["hidden neurons"]
    expect(hidden != 183, "the three neurons of the output are not hidden from anybody.")
    expect(hidden != 8000, "neurons of different layers add; it is weights that multiply.")
    expect(hidden == 180, f"{hidden} hidden neurons: add the widths of the hidden layers.")
    expect(answer["output neurons"] == 3, "what the last Dense layer gives are three numbers.")


def _widest(n_inputs: int, n_outputs: int, budget: int) -> int:
    return (budget - n_outputs) // (n_inputs + 1 + n_outputs)


_CASES = ((1024, 1, 67_713), (5, 1, 181), (100, 10, 5_000), (3, 4, 100))


def _check_count(answer: Any) -> None:
    expect(callable(answer), "give the function itself: widest, without brackets.")
    widths = [answer(*case) for case in _CASES]
    expect(all(w == int(w) for w in widths), "a width is a whole number of neurons.")
    expect(
        widths != [budget // (n + m) for n, m, budget in _CASES],
        "the biases are forgotten, one for each computing neuron.",
    )
    expect(
        widths != [budget // (n + 1) for n, m, budget in _CASES],
        "you pay for what enters the hidden neurons; what leaves them costs too.",
    )
    true = [_widest(*case) for case in _CASES]
    expect(
        widths != [w + 1 for w in true],
        "that is the first width over the budget; round down.",
    )
    for (n, m, budget), given, right in zip(_CASES, widths, true, strict=True):
        expect(
            given == right,
            f"with {n} inputs, {m} outputs and a budget of {budget} you give {given}; what does "
            "one more hidden neuron cost, in and out?",
        )


def _forward(x: Any, weights: Any) -> Any:
    for layer in range(0, len(weights), 2):
        x = x @ weights[layer] + weights[layer + 1]
        if layer < len(weights) - 2:
            x = np.maximum(0, x)
    return x


def _weights(*widths: int) -> list[Any]:
    random = np.random.default_rng(7)
    pairs = zip(widths, widths[1:], strict=False)
    return [a for n, m in pairs for a in (random.normal(size=(n, m)), random.normal(size=m))]


def _check_forward(answer: Any) -> None:
    expect(callable(answer), "give the function itself, not what it gives for one x.")
    x = np.random.default_rng(3).normal(size=(40, 4))
    one, two, three = _weights(4, 2), _weights(4, 4, 2), _weights(4, 4, 4, 2)
    value = np.asarray(answer(x, two), dtype=float)
    truth = _forward(x, two)
    expect(
        value.shape == truth.shape,
        f"the shape is {value.shape}, it should be {truth.shape}: one row an example, in and out.",
    )
    expect(
        not np.allclose(value, np.maximum(0, truth)),
        "the output is never negative: the last layer must not bend.",
    )
    expect(
        not np.allclose(value, (x @ two[0] + two[1]) @ two[2] + two[3]),
        "nothing bends: without ReLU your two layers are one.",
    )
    expect(
        not np.allclose(value, np.maximum(0, x @ two[0]) @ two[2]),
        "the odd entries of the list are biases; add them.",
    )
    expect(
        not np.allclose(value, np.maximum(0, x @ two[0].T + two[1]) @ two[2] + two[3]),
        "a kernel of Keras has a column for each neuron; do not transpose it.",
    )
    expect_close(value, truth, "two layers of four and two neurons come out wrong.", rtol=1e-9)
    deep = np.asarray(answer(x, three), dtype=float)
    expect(
        deep.shape == (40, 2) and np.allclose(deep, _forward(x, three)),
        "right for two layers, wrong for three: let a loop run through the pairs of the list.",
    )
    expect_close(answer(x, one), _forward(x, one), "a single layer is an output layer: no bend.")


def _rescaled(w1: Any, b1: Any, w2: Any, b2: Any, c: Any) -> tuple[Any, ...]:
    return w1 * c, b1 * c, w2 / c[:, None], b2


def _check_permute(answer: Any) -> None:
    expect(callable(answer), "give the function itself, not four arrays.")
    weights = _weights(3, 5, 5)
    c = np.array([0.5, 2.0, 3.0, 0.1, 7.0])
    given = answer(*weights, c)
    expect(
        isinstance(given, tuple | list) and len(given) == 4,
        "give four arrays back: W1, b1, W2, b2.",
    )
    expect(
        np.allclose(given[0], weights[0] * c),
        "the first kernel should be W1 * c: column k is what enters neuron k.",
    )
    expect(
        not np.allclose(given[1], weights[1]),
        "the bias enters the neuron too; it has to grow like the weights.",
    )
    expect(
        not np.allclose(given[2], weights[2]),
        "what leaves neuron k is now c_k times too large; nothing takes it back.",
    )
    expect(
        not np.allclose(given[2], weights[2] / c),
        "W2 / c divides columns, the neurons of the next layer; what leaves neuron k is a row.",
    )
    expect(
        not np.allclose(given[2], weights[2] * c[:, None]),
        "what leaves must be divided by c_k, not multiplied once more.",
    )
    x = np.random.default_rng(5).normal(size=(20, 3))
    expect(
        np.allclose(_forward(x, list(given)), _forward(x, weights)),
        "the function has changed; try it with one hidden neuron on paper.",
    )


def _unshuffled(kernel: Any, order: Any) -> Any:
    result = np.empty_like(kernel)
    result[order] = kernel
    return result


def _check_unshuffle(answer: Any) -> None:
    expect(callable(answer), "give the function itself, not a kernel.")
    random = np.random.default_rng(11)
    kernel, order = random.normal(size=(12, 3)), random.permutation(12)
    x = random.normal(size=(6, 12))
    given = np.asarray(answer(kernel.copy(), order.copy()), dtype=float)
    expect(given.shape == (12, 3), f"the shape is {given.shape}; the kernel's own is (12, 3).")
    expect(
        not np.allclose(given, kernel), "nothing has moved: the images are in another order now."
    )
    expect(
        not np.allclose(given, kernel[order]),
        "kernel[order] shuffles a second time. Row j belongs to pixel order[j]: put it there.",
    )
    expect(
        not np.allclose(given, kernel[::-1]),
        "turning the list around undoes only an order that was turned around.",
    )
    expect(
        np.allclose(x @ given, x[:, order] @ kernel),
        "on the images as they are the sums differ; follow one pixel through both lists.",
    )


EXERCISES = {
    "read": Exercise(
        check=_check_read,
        right=lambda: dict(_READ),
        praise="Right. Drawing and code say the same thing in two languages.",
        wrong={
            "one side": (lambda: {**_READ, "input neurons": 48}, "one side of the image"),
            "sum of sides": (lambda: {**_READ, "input neurons": 96}, "multiply the two sides"),
            "flatten counted": (lambda: {**_READ, "depth": 4}, "adds no depth"),
            "output counted": (lambda: {**_READ, "depth": 3}, "the output layer is not hidden"),
            "depth one": (lambda: {**_READ, "depth": 1}, "count the Dense layers"),
            "output hidden": (lambda: {**_READ, "hidden neurons": 183}, "not hidden from anybody"),
            "multiplied": (lambda: {**_READ, "hidden neurons": 8000}, "weights that multiply"),
            "not filled in": (lambda: dict.fromkeys(_READ, ...), "still open"),
        },
    ),
    "count": Exercise(
        check=_check_count,
        right=lambda: _widest,
        praise="Right. With many inputs, nearly the whole budget goes into the first layer.",
        wrong={
            "no biases": (lambda: lambda n, m, b: b // (n + m), "biases are forgotten"),
            "only what enters": (lambda: lambda n, m, b: b // (n + 1), "leaves them costs too"),
            "one over": (lambda: lambda n, m, b: _widest(n, m, b) + 1, "round down"),
            "fraction": (lambda: lambda n, m, b: (b - m) / (n + 1 + m), "whole number"),
            "all the money": (lambda: lambda n, m, b: b, "what does one more"),
        },
    ),
    "forward": Exercise(
        check=_check_forward,
        right=lambda: _forward,
        praise="Right: a dozen lines are a whole network of any depth, as long as it only answers.",
        wrong={
            "output bent": (
                lambda: lambda x, w: np.maximum(0, _forward(x, w)),
                "the last layer must not bend",
            ),
            "no bend": (
                lambda: lambda x, w: (x @ w[0] + w[1]) @ w[2] + w[3],
                "without ReLU",
            ),
            "no bias": (
                lambda: lambda x, w: np.maximum(0, x @ w[0]) @ w[2],
                "add them",
            ),
            "transposed": (
                lambda: lambda x, w: np.maximum(0, x @ w[0].T + w[1]) @ w[2] + w[3],
                "do not transpose",
            ),
            "two layers only": (
                lambda: lambda x, w: np.maximum(0, x @ w[0] + w[1]) @ w[2] + w[3],
                "wrong for three",
            ),
            "columns out": (lambda: lambda x, w: _forward(x, w).T, "one row an example"),
        },
    ),
    "permute": Exercise(
        check=_check_permute,
        right=lambda: _rescaled,
        praise="Right. So the size of one weight of a ReLU network means nothing by itself.",
        wrong={
            "bias forgotten": (
                lambda: lambda w1, b1, w2, b2, c: (w1 * c, b1, w2 / c[:, None], b2),
                "the bias enters",
            ),
            "not taken back": (
                lambda: lambda w1, b1, w2, b2, c: (w1 * c, b1 * c, w2, b2),
                "nothing takes it back",
            ),
            "columns divided": (
                lambda: lambda w1, b1, w2, b2, c: (w1 * c, b1 * c, w2 / c, b2),
                "divides columns",
            ),
            "multiplied again": (
                lambda: lambda w1, b1, w2, b2, c: (w1 * c, b1 * c, w2 * c[:, None], b2),
                "not multiplied once more",
            ),
            "output bias divided": (
                lambda: lambda w1, b1, w2, b2, c: (w1 * c, b1 * c, w2 / c[:, None], b2 / c),
                "the function has changed",
            ),
            "first kernel kept": (
                lambda: lambda w1, b1, w2, b2, c: (w1, b1, w2, b2),
                "should be W1 * c",
            ),
        },
    ),
    "unshuffle": Exercise(
        check=_check_unshuffle,
        right=lambda: _unshuffled,
        praise="Right. What the network learned on noise was a galaxy all along.",
        wrong={
            "as it is": (lambda: lambda w, order: w, "nothing has moved"),
            "shuffled twice": (lambda: lambda w, order: w[order], "a second time"),
            "reversed": (lambda: lambda w, order: w[::-1], "turned around"),
            "sorted": (lambda: lambda w, order: np.sort(w, axis=0), "follow one pixel"),
            "columns": (lambda: lambda w, order: w.T, "the kernel's own"),
        },
    ),
}
