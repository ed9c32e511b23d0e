"""Exercises of the chapter *Keras*."""

from typing import Any

import numpy as np

from firstlight.exercises.engine import Exercise, expect, expect_close

__all__ = ["EXERCISES"]


def _check_functional(answer: Any) -> None:
    import keras

    expect(callable(answer), "give the function itself: functional, without brackets.")
    model = answer([7, 3])
    expect(isinstance(model, keras.Model), "give a keras.Model.")
    expect(not isinstance(model, keras.Sequential), "that is Sequential; the graph was asked for.")
    expect(model.input_shape == (None, 5), "five numbers go in.")
    expect(model.output_shape == (None, 1), "one number comes out, after the hidden layers.")
    shapes = [tuple(w.shape) for w in model.weights]
    expect(len(shapes) != 2, "the hidden layers hang on nothing: pass the result on.")
    expect(
        shapes == [(5, 7), (7,), (7, 3), (3,), (3, 1), (1,)],
        "one hidden layer for each width, in their order, then the answer.",
    )
    random = np.random.default_rng(6)
    values = [random.normal(size=shape) for shape in shapes]
    model.set_weights(values)
    x = random.normal(size=(40, 5))
    said = np.asarray(model(x.astype("float32")))
    h = x
    for k in (0, 2):
        h = np.maximum(h @ values[k] + values[k + 1], 0)
    right = h @ values[4] + values[5]
    expect(
        not np.allclose(said, np.maximum(right, 0), atol=1e-4) or (right >= 0).all(),
        "the last layer bends, too: no redshift below zero, and no slope there.",
    )
    expect(np.allclose(said, right, atol=1e-4), "the hidden layers should be ReLU.")


def _functional(widths: Any, last: Any = None, hidden: Any = "relu") -> Any:
    import keras

    x = h = keras.Input((5,))
    for width in widths:
        h = keras.layers.Dense(width, activation=hidden)(h)
    return keras.Model(x, keras.layers.Dense(1, activation=last)(h))


def _sequential(widths: Any) -> Any:
    import keras

    hidden = [keras.layers.Dense(width, activation="relu") for width in widths]
    return keras.Sequential([keras.Input((5,)), *hidden, keras.layers.Dense(1)])


def _judge(seed: int = 3) -> Any:
    import keras

    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(4, activation="tanh"),
                              keras.layers.Dense(1)])  # fmt: skip
    random = np.random.default_rng(seed)
    model.set_weights([random.normal(size=w.shape) for w in model.weights])
    return model


def _check_pair(answer: Any) -> None:
    import keras

    expect(callable(answer), "give the function itself: pair, without brackets.")
    judge = _judge()
    both = answer(judge)
    expect(isinstance(both, keras.Model), "give a keras.Model.")
    expect(len(both.inputs) == 2, "two galaxies go in, each by an input of its own.")
    random = np.random.default_rng(7)
    a, b = random.normal(size=(2, 9, 5)).astype("float32")
    says_a, says_b = (np.asarray(judge(x)) for x in (a, b))
    got = np.asarray(both([a, b]))
    expect(
        both.count_params() == judge.count_params(),
        "there are new parameters: call the judge itself twice, not a copy of it.",
    )
    expect(not np.allclose(got, says_a - says_b, atol=1e-5), "the sign: b less a was asked for.")
    expect_close(got, says_b - says_a, "what the judge says of b less what it says of a.",
                 rtol=1e-4, atol=1e-5)  # fmt: skip


def _pair(judge: Any, sign: int = 1) -> Any:
    import keras

    a, b = keras.Input((5,)), keras.Input((5,))
    return keras.Model([a, b], sign * (judge(b) - judge(a)))


def _pair_copy(judge: Any) -> Any:
    import keras

    twin = _judge()
    twin.set_weights(judge.get_weights())
    a, b = keras.Input((5,)), keras.Input((5,))
    return keras.Model([a, b], twin(b) - judge(a))


def _check_metric(answer: Any) -> None:
    import keras
    import tensorflow as tf

    made = isinstance(answer, type) and issubclass(answer, keras.metrics.Metric)
    expect(made, "give the class itself, a keras.metrics.Metric.")
    random = np.random.default_rng(8)
    y_true, y_pred = random.normal(size=(2, 100, 1)).astype("float32")
    y_pred[:3] += 20
    parts = np.array_split(np.arange(100), [3, 10, 55])
    metric = answer()
    for part in parts:
        metric.update_state(y_true[part], y_pred[part])
    got = float(metric.result())
    roots = [np.sqrt(np.mean((y_true[p] - y_pred[p]) ** 2)) for p in parts]
    squares = [np.mean((y_true[p] - y_pred[p]) ** 2) for p in parts]
    expect(
        not np.isclose(got, np.mean(roots), rtol=1e-4),
        "the mean of the roots of batches is not the root of the whole.",
    )
    expect(
        not np.isclose(got, np.sqrt(np.mean(squares)), rtol=1e-4),
        "a batch of three counts as much as one of forty-five; keep sums, not means.",
    )
    expect(
        not np.isclose(got, roots[-1], rtol=1e-4), "that is the last batch; the sums must add up."
    )
    right = float(np.sqrt(np.mean((y_true - y_pred) ** 2)))
    expect(abs(got / right**2 - 1) > 1e-4, "that is the mean square; take the root at the end.")
    expect_close(got, right, "the root of the mean square over all galaxies.", rtol=1e-4)
    metric.reset_state()
    signature = [tf.TensorSpec((None, 1), tf.float32)] * 2  # as `fit` calls it
    in_graph = tf.function(lambda a, b: metric.update_state(a, b), input_signature=signature)
    try:
        in_graph(y_true[:10], y_pred[:10])
    except (TypeError, ValueError):
        expect(False, "inside `fit` the length of a batch is not known beforehand; count with "
               "ops.size or ops.shape.")  # fmt: skip
    again = np.sqrt(np.mean((y_true[:10] - y_pred[:10]) ** 2))
    expect_close(float(metric.result()), again, "after a reset it still knows the last epoch; "
                 "keep the sums in weights.", rtol=1e-4)  # fmt: skip


def _metric(kind: str = "sums") -> Any:
    import keras
    from keras import ops

    class Rms(keras.metrics.Metric):
        def __init__(self, name: str = "rms", **kwargs: Any) -> None:
            super().__init__(name=name, **kwargs)
            self.total = self.add_weight(name="total", initializer="zeros")
            self.count = self.add_weight(name="count", initializer="zeros")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            squares = (ops.cast(y_true, "float32") - ops.cast(y_pred, "float32")) ** 2
            many = kind in ("sums", "no root", "eager")
            value = ops.sum(squares) if many else ops.mean(squares)
            self.total.assign_add(ops.sqrt(value) if kind == "roots" else value)
            if kind == "eager":
                self.count.assign_add(float(np.prod(squares.shape)))
            else:
                self.count.assign_add(ops.cast(ops.size(squares), "float32") if many else 1.0)

        def result(self) -> Any:
            mean = self.total / self.count
            return mean if kind in ("roots", "no root") else ops.sqrt(mean)

    return Rms


def _check_laplace(answer: Any) -> None:
    import keras

    made = isinstance(answer, type) and issubclass(answer, keras.losses.Loss)
    expect(made, "give the class itself, a keras.losses.Loss.")
    random = np.random.default_rng(9)
    y = random.normal(size=(7, 1)).astype("float32")
    said = random.normal(size=(7, 2)).astype("float32")
    off, s = y[:, 0] - said[:, 0], said[:, 1]
    got = np.asarray(answer().call(y, said))
    expect(
        got.shape != (7, 7),
        "a table of n times n: y_true is (n, 1), a column of y_pred is (n,), and every galaxy "
        "was compared with every other. Take the column y_true[:, 0].",
    )
    expect(got.shape in ((7,), (7, 1)), "one number for each galaxy; Keras takes the mean itself.")
    got = got.ravel()
    expect(not np.allclose(got, np.abs(off) * np.exp(-s), rtol=1e-4), "without s the width is "
           "free: a network that claims an infinite one has no loss.")  # fmt: skip
    expect(not np.allclose(got, np.abs(off) * np.exp(s) + s, rtol=1e-4), "divide by b = exp(s).")
    gauss = 0.5 * (off * np.exp(-s)) ** 2 + s
    expect(not np.allclose(got, gauss, rtol=1e-4), "that is the Gaussian's, with a square.")
    expect_close(got, np.abs(off) * np.exp(-s) + s, "|y - mu| / b + ln b.", rtol=1e-4, atol=1e-5)


def _laplace(kind: str = "right") -> Any:
    import keras
    from keras import ops

    class LaplaceLoss(keras.losses.Loss):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            mu, s = y_pred[:, 0], y_pred[:, 1]
            off = (y_true if kind == "table" else y_true[:, 0]) - mu
            scaled = off * ops.exp(s if kind == "times" else -s)
            if kind == "gauss":
                return 0.5 * scaled**2 + s
            each = ops.abs(scaled) + (0.0 if kind == "free" else s)
            return ops.mean(each) if kind == "mean" else each

    return LaplaceLoss


def _check_doubled(answer: Any) -> None:
    expect(callable(answer), "give the function itself: lowest, without brackets.")
    for f in (0.3, 0.1):
        got = float(answer(f))
        expect(got > 1e-9, "zero would need a logit of infinity; the sigmoid ends at one.")
        entropy = -f * np.log(f) - (1 - f) * np.log(1 - f)
        right = f * np.log1p(np.exp(-1)) + (1 - f) * np.log(2)
        swapped = (1 - f) * np.log1p(np.exp(-1)) + f * np.log(2)
        expect(
            abs(got - entropy) > 1e-9,
            "that is one who knows the share and nothing else.",
        )
        expect(abs(got - np.log(2)) > 1e-9, "for the blue ones it can do better: say one.")
        expect(abs(got - swapped) > 1e-9, "the shares are exchanged.")
        expect(
            abs(got - np.log1p(np.exp(-1))) > 1e-9,
            "for those that are not blue the lowest logit is zero, which is one half.",
        )
        expect_close(got, right, "logits of one for the blue, of zero for the others.")


def _check_stretch(answer: Any) -> None:
    import keras

    made = isinstance(answer, type) and issubclass(answer, keras.layers.Layer)
    expect(made, "give the class itself, a keras.layers.Layer.")
    x = np.array([[-2.0, 0.5, 30.0]], "float32")
    plain = np.asarray(answer()(x))
    expect_close(plain, np.arcsinh(x / 3), "arcsinh(x / soft), with soft 3 by default.", rtol=1e-5)
    layer = answer(soft=0.5)
    said = np.asarray(layer(x))
    expect_close(said, np.arcsinh(x / 0.5), "the argument soft has no effect.", rtol=1e-5)
    config = layer.get_config()
    expect("soft" in config, "the description leaves soft out: what comes back has the default.")
    expect(config["soft"] == 0.5, "the description says another soft than the layer has.")
    expect("name" in config, "add to the description of keras.layers.Layer, do not replace it.")
    back = np.asarray(answer.from_config(config)(x))
    expect_close(back, said, "what comes back is another layer.", rtol=1e-5)


def _stretch(kind: str = "right") -> Any:
    import keras
    from keras import ops

    class Stretch(keras.layers.Layer):
        def __init__(self, soft: float = 3.0, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.soft = soft

        def call(self, x: Any) -> Any:
            return ops.arcsinh(x / self.soft)

        def get_config(self) -> dict[str, Any]:
            base = super().get_config() if kind != "alone" else {}
            found = {"right": self.soft, "alone": self.soft, "stale": 3.0}
            return {**base, **({"soft": found[kind]} if kind in found else {})}

    return Stretch


def _check_agree(answer: Any) -> None:
    expect(callable(answer), "give the function itself: agree, without brackets.")
    first = np.array([0.5, 0.4, 0.3])
    seeds = np.array([0.060, 0.062, 0.064])  # standard deviation 0.002
    near = first * (1 + 1e-6)
    expect(
        answer(near, first, 0.0608, 0.0612, seeds),
        "rounding at first, and less than the scatter at the end: that is agreement.",
    )
    expect(
        not answer(first * 1.01, first, 0.0608, 0.0608, seeds),
        "first steps a per cent apart are no rounding, whatever the end says.",
    )
    expect(
        not answer(first * 0.99, first, 0.0608, 0.0608, seeds),
        "the sign: a first loss may also be too small.",
    )
    expect(
        answer(near, first, 0.0608, 0.0643, seeds),
        "two draws differ by 1.75 standard deviations every fifth time, with no fault in either.",
    )
    expect(
        not answer(near, first, 0.0608, 0.0670, seeds),
        "the ends differ by more than three standard deviations of the seeds.",
    )
    expect(
        not answer(near, first, 0.0670, 0.0608, seeds),
        "the sign: the second end may also be the smaller one.",
    )
    expect(
        answer(near, first, 0.0608, 0.0663, seeds),
        "the sample's standard deviation, with n - 1, is 0.002 here.",
    )


def _agree(
    a: Any, b: Any, end_a: float, end_b: float, seeds: Any, ddof: int = 1, times: float = 3
) -> bool:
    early = np.all(np.abs(a / b - 1) <= 1e-4)
    return bool(early and abs(end_a - end_b) <= times * np.std(seeds, ddof=ddof))


EXERCISES = {
    "functional": Exercise(
        _check_functional,
        right=lambda: _functional,
        wrong={
            "a list": (lambda: _sequential, "that is Sequential"),
            "a bend at the end": (lambda: lambda w: _functional(w, "relu"), "the last layer bends"),
            "no bend at all": (lambda: lambda w: _functional(w, None, None), "should be ReLU"),
        },
        praise="Right. From here on it may fork wherever you like.",
    ),
    "pair": Exercise(
        _check_pair,
        right=lambda: _pair,
        wrong={
            "a copy": (lambda: _pair_copy, "there are new parameters"),
            "a less b": (lambda: lambda judge: _pair(judge, -1), "b less a was asked"),
        },
        praise="Right. Such twins are called siamese networks.",
    ),
    "metric": Exercise(
        _check_metric,
        right=_metric,
        wrong={
            "mean of roots": (lambda: _metric("roots"), "the mean of the roots"),
            "mean of means": (lambda: _metric("means"), "a batch of three"),
            "no root": (lambda: _metric("no root"), "that is the mean square"),
            "a length for Python": (lambda: _metric("eager"), "is not known beforehand"),
        },
        praise="Right, however the batches fall.",
    ),
    "laplace": Exercise(
        _check_laplace,
        right=_laplace,
        wrong={
            "n times n": (lambda: _laplace("table"), "a table of n times n"),
            "the mean": (lambda: _laplace("mean"), "Keras takes the mean itself"),
            "no width": (lambda: _laplace("free"), "without s the width"),
            "times b": (lambda: _laplace("times"), "divide by b"),
            "a square": (lambda: _laplace("gauss"), "the Gaussian's"),
        },
        praise="Right. One wild galaxy now pulls with the force of one, however wild it is.",
    ),
    "doubled": Exercise(
        _check_doubled,
        right=lambda: lambda f: f * np.log1p(np.exp(-1)) + (1 - f) * np.log(2),
        wrong={
            "zero": (lambda: lambda f: 0.0, "a logit of infinity"),
            "the entropy": (
                lambda: lambda f: -f * np.log(f) - (1 - f) * np.log(1 - f),
                "knows the share and nothing else",
            ),
            "ln 2": (lambda: lambda f: np.log(2), "for the blue ones"),
            "one for all": (lambda: lambda f: np.log1p(np.exp(-1)), "for those that are not blue"),
        },
        praise="Right. If your loss has stalled at half a nat, look here first.",
    ),
    "stretch": Exercise(
        _check_stretch,
        right=_stretch,
        wrong={
            "left out": (lambda: _stretch("nothing"), "leaves soft out"),
            "the default": (lambda: _stretch("stale"), "says another soft"),
            "nothing else": (lambda: _stretch("alone"), "do not replace it"),
        },
        praise="Right. Better still without a default, so that a loss is loud.",
    ),
    "agree": Exercise(
        _check_agree,
        right=lambda: _agree,
        wrong={
            "the end alone": (
                lambda: lambda a, b, end_a, end_b, s: abs(end_a - end_b) <= 3 * np.std(s, ddof=1),
                "are no rounding",
            ),
            "the beginning alone": (
                lambda: lambda a, b, end_a, end_b, s: np.all(np.abs(a / b - 1) <= 1e-4),
                "more than three standard deviations",
            ),
            "to rounding at the end": (
                lambda: (
                    lambda a, b, end_a, end_b, s: (
                        _agree(a, b, end_a, end_b, s) and abs(end_a - end_b) < 1e-6
                    )
                ),
                "that is agreement",
            ),
            "one standard deviation": (
                lambda: lambda a, b, end_a, end_b, s: _agree(a, b, end_a, end_b, s, 1, 1),
                "every fifth time",
            ),
            "by n": (
                lambda: lambda a, b, end_a, end_b, s: _agree(a, b, end_a, end_b, s, 0),
                "with n - 1",
            ),
        },
        praise="Right. Early by rounding, late by scatter.",
    ),
}
