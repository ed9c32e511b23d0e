"""Exercises of the chapter *TensorFlow*."""

from itertools import pairwise
from typing import Any

import numpy as np

from firstlight.exercises.engine import Exercise, expect, expect_close

__all__ = ["EXERCISES"]


def _check_chi2(answer: Any) -> None:
    import tensorflow as tf

    expect(callable(answer), "give the function itself: chi2, without brackets.")
    flux, sigma = tf.constant([1.2, 7.0, 0.9, 1.4]), tf.constant([0.1, 0.0, 0.1, 0.2])
    model = tf.Variable([1.0, 1.0, 1.0, 1.0])
    with tf.GradientTape() as tape:
        value = answer(flux, model, sigma)
    expect(tf.is_tensor(value), "give a tensor; what has been through NumPy has no slope.")
    expect(np.ndim(value) == 0, "one number for all points: add them up.")
    expect(np.isfinite(value), "a point without a measurement got in: its error is zero.")
    expect(
        abs(float(value) - 9 / 4) > 1e-4,
        "that is the mean over all points, the masked one counted as a perfect fit; add them up.",
    )
    expect(abs(float(value) - 9 / 3) > 1e-4, "that is the mean over the good points; add them up.")
    expect_close(float(value), 9, "the squares of (f - m) / sigma, over good points.", rtol=1e-4)
    slope = tape.gradient(value, model)
    expect(slope is not None, "the slope is lost on the way; keep to TensorFlow's operations.")
    expect(
        np.isfinite(np.asarray(slope)).all(),
        "the value is right and the slope is NaN: the division by zero was done, then not picked.",
    )
    right = [-40, 0, 20, -20]
    expect_close(np.asarray(slope), right, "the slope by the model is off.", rtol=1e-3, atol=1e-3)


def _chi2(flux: Any, model: Any, sigma: Any) -> Any:
    import tensorflow as tf

    good = sigma > 0
    pull = (flux - model) / tf.where(good, sigma, 1.0)
    return tf.reduce_sum(tf.where(good, pull, 0.0) ** 2)


def _chi2_late(flux: Any, model: Any, sigma: Any) -> Any:
    import tensorflow as tf

    pull = (flux - model) / sigma
    return tf.reduce_sum(tf.where(sigma > 0, pull, 0.0) ** 2)


def _chi2_all(flux: Any, model: Any, sigma: Any) -> Any:
    import tensorflow as tf

    return tf.reduce_sum(((flux - model) / sigma) ** 2)


def _chi2_numpy(flux: Any, model: Any, sigma: Any) -> Any:
    good = np.asarray(sigma) > 0
    return np.sum(((np.asarray(flux) - np.asarray(model))[good] / np.asarray(sigma)[good]) ** 2)


def _check_slopes(answer: Any) -> None:
    import tensorflow as tf

    expect(callable(answer), "give the function itself: slopes, without brackets.")
    x = tf.constant([0.5, 1.0, 2.0])
    got = answer(lambda t: t**3, x)
    expect(got is not None, "None: x is no variable, so the tape must be told to watch it.")
    expect(tuple(got.shape) != (3, 3), "a matrix; elements do not touch, so the sum will do.")
    expect(tuple(got.shape) == (3,), "one slope for each element of x.")
    expect(
        not np.allclose(got, np.full(3, np.mean(3 * np.asarray(x) ** 2))),
        "that is the mean slope; each element has its own.",
    )
    expect(
        not np.allclose(got, np.asarray(x) ** 2),
        "each slope is a third of it: sum, do not average.",
    )
    expect_close(np.asarray(got), 3 * np.asarray(x) ** 2, "the slope of t^3 is 3 t^2.", rtol=1e-5)
    again = np.asarray(answer(tf.sin, x))
    expect_close(again, np.cos(np.asarray(x)), "right for t^3, not for a sine.", rtol=1e-5)


def _slopes(f: Any, x: Any) -> Any:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x)


def _slopes_unwatched(f: Any, x: Any) -> Any:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        y = f(x)
    return tape.gradient(y, x)


def _slopes_mean(f: Any, x: Any) -> Any:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_mean(f(x))
    return tape.gradient(y, x)


def _slopes_matrix(f: Any, x: Any) -> Any:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.jacobian(y, x)


_CALLS: list[tuple[Any, ...]] = [
    ("tensor", "float32", (128, 5)), ("tensor", "float32", (128, 5)),
    ("tensor", "float32", (64, 5)), ("tensor", "float64", (64, 5)),
    ("python", 0.1), ("python", 0.2), ("python", 0.1), ("tensor", "float32", (64, 5)),
]  # fmt: skip


def _check_traces(answer: Any) -> None:
    expect(callable(answer), "give the function itself: traces, without brackets.")
    expect(answer([]) == 0, "a function that was never called was never traced.")
    got = answer(list(_CALLS))
    expect(got != len(_CALLS), "that is the number of calls; what is known is not traced again.")
    expect(got != 4, "a Python number is filed under its value: 0.1 and 0.2 are two.")
    expect(got != 3, "the shape counts, too: a batch of 64 is another graph than one of 128.")
    expect(
        got not in (6, 7),
        "what came back, 0.1 or the batch of 64, was still on file: nothing is forgotten.",
    )
    expect(got == 5, "one trace for each type with its shape, and for each Python value.")


def _traces_kinds(calls: list[tuple[Any, ...]]) -> int:
    return len({call[:1] if call[0] == "python" else call for call in calls})


def _traces_types(calls: list[tuple[Any, ...]]) -> int:
    return len({call[:2] if call[0] == "tensor" else call[:1] for call in calls})


def _check_feed(answer: Any) -> None:
    import tensorflow as tf

    expect(callable(answer), "give the function itself: feed, without brackets.")
    x = np.repeat(np.arange(100.0)[:, None], 5, axis=1).astype(np.float32)
    stream = answer(x)
    expect(isinstance(stream, tf.data.Dataset), "give a tf.data.Dataset.")
    epochs = []
    for _ in range(2):
        batches = list(stream.take(200).as_numpy_iterator())
        expect(batches[0].ndim == 2, "single galaxies come out; batch them.")
        widest = max(map(len, batches))  # one holds the rest, and need not come last
        expect(widest == 8, "batches of 8 were asked for.")
        epochs.append(np.concatenate(batches))
    expect(len(epochs[0]) == 100, "each galaxy once an epoch: a hundred in, a hundred out.")
    rows = [np.round(epoch[:, 0]).astype(int) for epoch in epochs]
    ordered = [np.argsort(r, kind="stable") for r in rows]
    expect(sorted(rows[0]) == list(range(100)), "each galaxy once an epoch; some came twice.")
    shaken = [epoch[order] - x for epoch, order in zip(epochs, ordered, strict=True)]
    expect(np.std(shaken[0]) > 0, "there is no noise.")
    expect(
        not np.allclose(shaken[0], shaken[1], atol=1e-5),
        "both epochs have the same noise: a cache froze it, or a seed starts it anew.",
    )
    expect(0.02 < np.std(shaken[0]) < 0.04, "the noise should have a standard deviation of 0.03.")
    expect(not (rows[0] == rows[1]).all(), "both epochs have the same order; shuffle.")
    together = np.mean(np.abs(np.diff(rows[0])) == 1)
    expect(together < 0.4, "batches were shuffled, galaxies were not: neighbors stay together.")


def _feed(x: Any) -> Any:
    import tensorflow as tf

    source = tf.random.Generator.from_seed(3)
    stream = tf.data.Dataset.from_tensor_slices(x).cache().shuffle(len(x)).batch(8)
    return stream.map(lambda b: b + 0.03 * source.normal(tf.shape(b), dtype=b.dtype))


def _feed_frozen(x: Any) -> Any:
    import tensorflow as tf

    stream = tf.data.Dataset.from_tensor_slices(x)
    stream = stream.map(lambda b: b + 0.03 * tf.random.normal(tf.shape(b), dtype=b.dtype))
    return stream.cache().shuffle(len(x)).batch(8)


def _feed_batches(x: Any) -> Any:
    import tensorflow as tf

    stream = tf.data.Dataset.from_tensor_slices(x).cache().batch(8).shuffle(len(x))
    return stream.map(lambda b: b + 0.03 * tf.random.normal(tf.shape(b), dtype=b.dtype))


def _feed_endless(x: Any) -> Any:
    return _feed(x).repeat()


def _check_cost(answer: Any) -> None:
    expect(callable(answer), "give the function itself: cost, without brackets.")
    for c, r in ((5e-6, 2e9), (1e-3, 4e10)):
        k1, k2 = 1e4, 3e8
        got = answer(k1, c + k1 / r, k2, c + k2 / r)
        expect(isinstance(got, tuple | list) and len(got) == 2, "give two things: c and r.")
        seconds, rate = (float(a) for a in got)
        expect(
            abs(rate * r - 1) > 1e-6,
            "that is seconds per operation; the inverse is asked.",
        )
        expect(
            abs(rate / (k2 / (c + k2 / r)) - 1) > 1e-6,
            "the longer run divided by its own time still holds one call; use the difference.",
        )
        expect_close(rate, r, "the slope of operations against seconds.", rtol=1e-6)
        expect(abs(seconds / (c + k1 / r) - 1) > 1e-9, "the shorter run holds some arithmetic.")
        expect_close(seconds, c, "what is left of a run without its arithmetic.", rtol=1e-4)


def _cost(k1: float, t1: float, k2: float, t2: float) -> tuple[float, float]:
    r = (k2 - k1) / (t2 - t1)
    return t1 - k1 / r, r


EXERCISES = {
    "chi2": Exercise(
        _check_chi2,
        right=lambda: _chi2,
        wrong={
            "divide, then pick": (lambda: _chi2_late, "the slope is NaN"),
            "the mean": (
                lambda: lambda f, m, s: _chi2(f, m, s) / len(f),
                "counted as a perfect fit",
            ),
            "no mask": (lambda: _chi2_all, "without a measurement got in"),
            "in NumPy": (lambda: _chi2_numpy, "been through NumPy"),
        },
        praise="Right, value and slope. The same trap waits under every log and every root.",
    ),
    "slopes": Exercise(
        _check_slopes,
        right=lambda: _slopes,
        wrong={
            "not watched": (lambda: _slopes_unwatched, "the tape must be told"),
            "of the mean": (lambda: _slopes_mean, "do not average"),
            "the whole matrix": (lambda: _slopes_matrix, "a matrix; elements"),
        },
        praise="Right. One walk back, as many slopes as there are galaxies.",
    ),
    "traces": Exercise(
        _check_traces,
        right=lambda: lambda calls: len(set(calls)),
        wrong={
            "every call": (lambda: len, "the number of calls"),
            "Python values are one": (lambda: _traces_kinds, "0.1 and 0.2 are two"),
            "types alone": (lambda: _traces_types, "the shape counts"),
            "the last alone": (
                lambda: lambda calls: sum(a != b for a, b in pairwise([None, *calls])),
                "nothing is forgotten",
            ),
        },
        praise="Right. `experimental_get_tracing_count` counts them in a function of yours.",
    ),
    "feed": Exercise(
        _check_feed,
        right=lambda: _feed,
        wrong={
            "noise, then cache": (lambda: _feed_frozen, "froze it"),
            "batch, then shuffle": (lambda: _feed_batches, "neighbors stay together"),
            "without an end": (lambda: _feed_endless, "a hundred in, a hundred out"),
        },
        praise="Right. Two words in another order, and the network would have seen no noise.",
    ),
    "cost": Exercise(
        _check_cost,
        right=lambda: _cost,
        wrong={
            "no call": (lambda: lambda k1, t1, k2, t2: (t1, k2 / t2), "still holds one call"),
            "upside down": (
                lambda: lambda k1, t1, k2, t2: (t1, (t2 - t1) / (k2 - k1)),
                "seconds per operation",
            ),
            "the short run": (
                lambda: lambda k1, t1, k2, t2: (t1, (k2 - k1) / (t2 - t1)),
                "the shorter run holds",
            ),
        },
        praise="Right. If c is larger than k/r, compile or enlarge the batch.",
    ),
}
