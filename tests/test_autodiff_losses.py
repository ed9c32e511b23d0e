"""Losses against Keras, forward and backward."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autodiff_kit import agree, near
from firstlight.autodiff import losses
from firstlight.autodiff.losses import mean_squared_error as mse
from firstlight.autodiff.losses import sparse_categorical_crossentropy as sparse
from firstlight.autodiff.tensor import Tensor, gradients

tf = pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")
often = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**31)
sizes = st.integers(1, 5)
reductions = st.sampled_from(["sum_over_batch_size", "sum", None])


@pytest.fixture(autouse=True, scope="module")
def double():
    """Keras casts to its own floats."""
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx(before)


def pair(n, classes, seed, kind):
    rng = np.random.default_rng(seed)
    scores = 2 * rng.normal(size=(n, classes))
    powers = np.exp(rng.uniform(-1, 1, (n, classes)))  # no share so small that 1 / p is steep
    shares = powers / powers.sum(axis=1, keepdims=True)
    return {
        "mean_squared_error": (rng.normal(size=(n, classes)), scores),
        "mean_absolute_error": (scores + np.where(rng.random((n, classes)) < 0.5, 1, -1), scores),
        "binary_crossentropy": (rng.integers(0, 2, (n, classes)).astype(float),
                                rng.uniform(0.1, 0.9, (n, classes))),
        "binary logits": (rng.random((n, classes)), scores),
        "categorical_crossentropy": (rng.dirichlet(np.ones(classes), n), shares),
        "categorical, not normal": (rng.dirichlet(np.ones(classes), n), shares / 2),
        "categorical logits": (rng.dirichlet(np.ones(classes), n), scores),
        "sparse_categorical_crossentropy": (rng.integers(0, classes, n), shares),
        "sparse, not normal": (rng.integers(0, classes, n), shares / 2),
        "sparse logits": (rng.integers(0, classes, n), scores),
    }[kind]  # fmt: skip


def functions(kind):
    logits = {"from_logits": True} if "logits" in kind else {}
    name = {
        "binary": "binary_crossentropy",
        "categorical": "categorical_crossentropy",
        "sparse": "sparse_categorical_crossentropy",
    }.get(kind.replace(",", "").split()[0], kind)
    classes = {"mean_squared_error": "MeanSquaredError", "mean_absolute_error": "MeanAbsoluteError",
               "binary_crossentropy": "BinaryCrossentropy",
               "categorical_crossentropy": "CategoricalCrossentropy",
               "sparse_categorical_crossentropy": "SparseCategoricalCrossentropy"}  # fmt: skip
    return getattr(losses, name), getattr(keras.losses, classes[name]), logits


@pytest.mark.parametrize(
    "kind",
    ["mean_squared_error", "mean_absolute_error", "binary_crossentropy", "binary logits",
     "categorical_crossentropy", "categorical, not normal", "categorical logits",
     "sparse_categorical_crossentropy", "sparse, not normal", "sparse logits"],
)  # fmt: skip
@often
@given(n=sizes, classes=st.integers(2, 5), seed=seeds, reduction=reductions)
def test_a_loss_is_keras_s(kind, n, classes, seed, reduction):
    ours, theirs, logits = functions(kind)
    y_true, y_pred = pair(n, classes, seed, kind)
    measure = theirs(reduction=reduction or "none", dtype="float64", **logits)
    agree(lambda p: ours(y_true, p, reduction=reduction, **logits), lambda p: measure(y_true, p),
          [y_pred], seed)  # fmt: skip


def test_every_loss_has_keras_s_name():
    for name in losses.__all__:
        if name != "get":
            assert callable(getattr(keras.losses, name))
            assert losses.get(name) is getattr(losses, name)
    assert losses.get(losses.mean_squared_error) is losses.mean_squared_error


def test_sure_and_wrong_stays_finite_from_scores():
    x = Tensor([[1000.0], [-1000.0]])
    loss = losses.binary_crossentropy([[0.0], [1.0]], x, from_logits=True)
    assert float(loss) == 1000
    near(gradients(loss, [x])[0], [[0.5], [-0.5]], 1e-12)
    scores = Tensor([[1000.0, 0.0]])
    loss = losses.sparse_categorical_crossentropy([1], scores, from_logits=True)
    assert float(loss) == 1000
    near(gradients(loss, [scores])[0], [[1, -1]], 1e-12)


def test_sure_and_wrong_is_clipped_as_probability_and_then_learns_nothing():
    p = Tensor([[1.0], [0.0]])
    loss = losses.binary_crossentropy([[0.0], [1.0]], p)
    assert float(loss) == pytest.approx(-np.log(1e-7))
    assert not gradients(loss, [p])[0].any()


def test_minus_truth_plus_share_is_the_gradient_of_scores():
    scores = Tensor([[1.0, 2.0, 0.5], [0.0, 0.0, 3.0]])
    loss = losses.sparse_categorical_crossentropy([2, 0], scores, from_logits=True)
    shares = np.exp(scores.value) / np.exp(scores.value).sum(axis=1, keepdims=True)
    near(gradients(loss, [scores])[0], (shares - np.eye(3)[[2, 0]]) / 2, 1e-12)


def test_labels_in_a_column_and_as_floats():
    scores = np.eye(3)
    plain = losses.sparse_categorical_crossentropy([0, 1, 1], scores, from_logits=True)
    for labels in ([[0], [1], [1]], [0.0, 1.0, 1.0], np.array([0, 1, 1], np.uint8)):
        other = losses.sparse_categorical_crossentropy(labels, scores, from_logits=True)
        assert float(plain) == float(other)


column = np.zeros((4, 1))


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        (lambda: mse(np.zeros(4), column), r"\(4,\) and y_pred .*y\[:, None\]"),
        (lambda: mse(1.0, 2.0), "expected one shape"),
        (lambda: mse(Tensor(column), column), "a Tensor as y_true"),
        (lambda: mse(column + np.nan, column), "y_true: .*NaN"),
        (lambda: mse(column, column + np.inf), "y_pred: .*infinite"),
        (lambda: mse(column, column, "mean"), "reduction: received 'mean'"),
        (lambda: losses.binary_crossentropy(column, column - 3), "from -3 to -3.*from_logits=True"),
        (lambda: losses.binary_crossentropy(column + 2, column), "y_true: .*labels of 0 and 1"),
        (lambda: losses.categorical_crossentropy([[0, 1]], [[-1.0, 2.0]]), "from_logits=True"),
        (lambda: sparse([1, 3], np.ones((2, 3)) / 3), "from 0 to 2"),
        (lambda: sparse([-1, 0], np.ones((2, 3)) / 3), "from 0 to 2"),
        (lambda: sparse([0.5, 0], np.ones((2, 3)) / 3), "whole num"),
        (lambda: sparse(["a", "b"], np.ones((2, 3)) / 3), "whole num"),
        (lambda: sparse(np.eye(3), np.eye(3)), "One-hot labels"),
        (lambda: losses.get("mse"), "expected one of mean_squared_error"),
    ],
)  # fmt: skip
def test_what_cannot_be(wrong, match):
    with pytest.raises(ValueError, match=match):
        wrong()
