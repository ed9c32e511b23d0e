"""The decision-tree head against the catalogue's own arithmetic, and its loss."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from firstlight.layers.decision_tree import DecisionTreeHead, TreeCrossEntropy
from firstlight.sky import gz2_tree

SIZES = list(gz2_tree.SIZES)
PARENTS = [question.parent for question in gz2_tree.QUESTIONS]


def expected_fractions(logits, activation, epsilon=1e-3):
    """The same by the definition, in double precision."""
    x = np.asarray(logits, np.float64)
    x = np.maximum(x, 0) + epsilon if activation == "relu" else np.exp(x)
    shares = np.empty_like(x)
    for question in range(len(SIZES)):
        part = x[:, gz2_tree.slices(question)]
        shares[:, gz2_tree.slices(question)] = part / part.sum(axis=1, keepdims=True)
    return gz2_tree.cumulative(shares)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["relu", "softmax"]), st.floats(0.1, 20))
def test_equals_the_definition_to_float_precision(seed, activation, spread):
    logits = np.random.default_rng(seed).normal(0, spread, (16, 37)).astype("float32")
    found = ops.convert_to_numpy(DecisionTreeHead(SIZES, PARENTS, activation=activation)(logits))
    np.testing.assert_allclose(found, expected_fractions(logits, activation), rtol=3e-6, atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 50))
def test_every_question_sums_to_its_parent_answer(seed, spread):
    logits = np.random.default_rng(seed).normal(0, spread, (8, 37)).astype("float32")
    fractions = ops.convert_to_numpy(DecisionTreeHead(SIZES, PARENTS)(logits))
    assert fractions.min() >= 0 and fractions.max() <= 1
    for question in range(len(SIZES)):
        column = gz2_tree.parent_column(question)
        asked = 1.0 if column is None else fractions[:, column]
        total = fractions[:, gz2_tree.slices(question)].sum(axis=1)
        np.testing.assert_allclose(total, asked, rtol=1e-6)


def test_relu_shares_do_not_depend_on_the_scale_of_the_logits():
    logits = np.random.default_rng(0).uniform(1, 2, (4, 37)).astype("float32")
    head = DecisionTreeHead(SIZES, PARENTS, epsilon=1e-9)
    np.testing.assert_allclose(head(logits), head(7 * logits), rtol=1e-5)


def test_a_silent_question_gets_equal_shares_not_nan():
    fractions = DecisionTreeHead([4], [None])(-np.ones((1, 4), "float32"))
    np.testing.assert_allclose(fractions, [[0.25] * 4])


def test_children_may_stand_before_their_parents():
    logits = np.array([[2.0, 2.0, 1.0, 3.0]], "float32")
    head = DecisionTreeHead([2, 2], [(1, 0), None], epsilon=1e-9)
    np.testing.assert_allclose(head(logits), [[0.125, 0.125, 0.25, 0.75]], rtol=1e-5)


@pytest.mark.parametrize(
    ("sizes", "parents", "reason"),
    [
        ([2, 2], [None], "2 sizes and 1 parents"),
        ([], [], "0 sizes"),
        ([1], [None], r"sizes\[0\]: received 1"),
        ([2, 2], [None, (2, 0)], "question from 0 to 1"),
        ([2, 2], [None, (0, 2)], "received answer 2"),
        ([2, 2, 2], [None, (2, 0), (1, 0)], r"loop among questions \[1, 2\]"),
        ([2], [(0, 1)], r"loop among questions \[0\]"),
    ],
)
def test_a_bad_tree_is_refused_with_the_reason(sizes, parents, reason):
    with pytest.raises(ValueError, match=reason):
        DecisionTreeHead(sizes, parents)
    with pytest.raises(ValueError, match=reason):
        TreeCrossEntropy(sizes, parents)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="activation: received 'tanh'"):
        DecisionTreeHead([2], [None], activation="tanh")
    with pytest.raises(ValueError, match="received 5 logits, expected 37"):
        DecisionTreeHead(SIZES, PARENTS)(np.zeros((1, 5), "float32"))


def test_it_survives_saving(tmp_path):
    inputs = keras.Input((6,))
    outputs = DecisionTreeHead(SIZES, PARENTS, activation="softmax")(keras.layers.Dense(37)(inputs))
    model = keras.Model(inputs, outputs)
    model.compile(loss=TreeCrossEntropy(SIZES, PARENTS))
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    x = np.random.default_rng(0).normal(size=(3, 6)).astype("float32")
    np.testing.assert_allclose(model(x), again(x), rtol=1e-6)
    assert again.layers[-1].get_config() == model.layers[-1].get_config()


def test_cross_entropy_is_least_at_the_truth_and_counts_who_was_asked():
    rng = np.random.default_rng(0)
    truth = expected_fractions(rng.normal(0, 2, (5, 37)), "softmax").astype("float32")
    other = expected_fractions(rng.normal(0, 2, (5, 37)), "softmax").astype("float32")
    loss = TreeCrossEntropy(SIZES, PARENTS, floor=1e-12, reduction=None)
    assert np.all(np.asarray(loss(truth, truth)) < np.asarray(loss(truth, other)))
    total = np.zeros(5)
    for question in range(len(SIZES)):
        cut, column = gz2_tree.slices(question), gz2_tree.parent_column(question)
        asked = np.ones((5, 1)) if column is None else other[:, [column]]
        total -= (truth[:, cut] * np.log(other[:, cut] / asked)).sum(axis=1)
    np.testing.assert_allclose(loss(truth, other), total, rtol=1e-5)
