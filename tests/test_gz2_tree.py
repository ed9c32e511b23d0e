"""The Galaxy Zoo 2 tree: its shape, and the arithmetic of cumulative fractions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.sky import gz2_tree


def random_shares(seed, n=16, spread=3.0):
    """Shares that sum to one within each question."""
    shares = np.exp(np.random.default_rng(seed).normal(0, spread, (n, gz2_tree.N_ANSWERS)))
    for question in range(len(gz2_tree.QUESTIONS)):
        columns = gz2_tree.slices(question)
        shares[:, columns] /= shares[:, columns].sum(axis=1, keepdims=True)
    return shares


def test_there_are_11_questions_and_37_answers_with_names_of_their_own():
    assert len(gz2_tree.QUESTIONS) == 11
    assert gz2_tree.N_ANSWERS == len(gz2_tree.ANSWERS) == len(set(gz2_tree.ANSWERS)) == 37
    assert gz2_tree.SIZES == (3, 2, 2, 2, 4, 2, 3, 7, 3, 3, 6)  # Willett et al. 2013, table 2


def test_the_slices_cover_every_column_once():
    columns = np.concatenate([np.arange(37)[gz2_tree.slices(q)] for q in range(11)])
    np.testing.assert_array_equal(columns, np.arange(37))


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("edge_on", "smooth_or_features/features"),
        ("bar", "edge_on/no"),
        ("spiral", "edge_on/no"),
        ("bulge", "edge_on/no"),
        ("roundness", "smooth_or_features/smooth"),
        ("odd_feature", "odd/yes"),
        ("edge_on_bulge", "edge_on/yes"),
        ("winding", "spiral/yes"),
        ("arms", "spiral/yes"),
    ],
)
def test_each_question_hangs_on_the_answer_that_leads_to_it(question, answer):
    index = [q.name for q in gz2_tree.QUESTIONS].index(question)
    assert gz2_tree.ANSWERS[gz2_tree.parent_column(index)] == answer


def test_two_questions_are_put_to_everybody():
    roots = [q.name for q in gz2_tree.QUESTIONS if q.parent is None]
    assert roots == ["smooth_or_features", "odd"]


def test_parents_come_before_their_children():
    order = gz2_tree.top_down()
    assert sorted(order) == list(range(11))
    for question in order:
        parent = gz2_tree.QUESTIONS[question].parent
        assert parent is None or order.index(parent[0]) < order.index(question)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.0, 20.0))
def test_every_question_sums_to_its_parent_answer(seed, spread):
    fractions = gz2_tree.cumulative(random_shares(seed, spread=spread))
    for question in range(len(gz2_tree.QUESTIONS)):
        column = gz2_tree.parent_column(question)
        asked = 1.0 if column is None else fractions[:, column]
        total = fractions[:, gz2_tree.slices(question)].sum(axis=1)
        np.testing.assert_allclose(total, asked, rtol=1e-12)


def test_a_leaf_is_the_product_of_all_shares_on_the_way_down():
    shares = random_shares(3)
    column = {name: index for index, name in enumerate(gz2_tree.ANSWERS)}
    path = ["smooth_or_features/features", "edge_on/no", "spiral/yes", "arms/2"]
    expected = np.prod([shares[:, column[name]] for name in path], axis=0)
    found = gz2_tree.cumulative(shares)[:, column["arms/2"]]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_cumulative_leaves_its_argument_alone_and_takes_any_leading_axes():
    shares = random_shares(4)
    kept = shares.copy()
    stacked = gz2_tree.cumulative(shares.reshape(4, 4, 37))
    np.testing.assert_array_equal(shares, kept)
    np.testing.assert_array_equal(stacked.reshape(16, 37), gz2_tree.cumulative(shares))


@pytest.mark.parametrize("question", ["bars", 11, -1])
def test_an_unknown_question_is_named(question):
    with pytest.raises(KeyError, match=f"received '?{question}'?, expected"):
        gz2_tree.slices(question)


@pytest.mark.parametrize("shape", [(3, 36), (37, 3), ()])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"received shape .* expected \(\.\.\., 37\)"):
        gz2_tree.cumulative(np.ones(shape))
