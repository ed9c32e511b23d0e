"""The information floors, against simulated volunteers and simulated ensembles."""

import numpy as np
import pytest

from firstlight.evaluation import floors
from firstlight.evaluation.metrics import rmse
from firstlight.sky import gz2_tree


def tree_probabilities(n, seed=0):
    """Conditional and cumulative probabilities of n galaxies."""
    rng = np.random.default_rng(seed)
    conditional = np.concatenate(
        [rng.dirichlet(np.full(size, 0.6), n) for size in gz2_tree.SIZES], axis=1
    )
    return conditional, gz2_tree.cumulative(conditional)


def walk(conditional, n_volunteers, rng):
    """Every volunteer walks the tree one by one; counts divided by volunteers, question by
    question and parent by parent, as the challenge computed its fractions."""
    n = len(conditional)
    votes = np.zeros((n, 37))
    answers = np.full((n, n_volunteers, len(gz2_tree.SIZES)), -1)
    for question in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10):
        parent = gz2_tree.QUESTIONS[question].parent
        edges = conditional[:, gz2_tree.slices(question)].cumsum(axis=1)
        drawn = (rng.random((n, n_volunteers))[..., None] > edges[:, None, :-1]).sum(axis=2)
        asked = np.ones((n, n_volunteers), bool)
        weight = np.ones(n)
        if parent is not None:
            asked = answers[:, :, parent[0]] == parent[1]
            weight = votes[:, gz2_tree.parent_column(question)]
        answers[:, :, question] = np.where(asked, drawn, -1)
        n_asked = np.maximum(asked.sum(axis=1), 1)
        for answer in range(gz2_tree.SIZES[question]):
            share = (answers[:, :, question] == answer).sum(axis=1) / n_asked
            votes[:, gz2_tree.STARTS[question] + answer] = share * weight
    return votes


@pytest.mark.parametrize("n_volunteers", [3, 40])
def test_the_formula_agrees_with_volunteers_who_walk_the_tree(n_volunteers):
    conditional, truth = tree_probabilities(3000)
    votes = walk(conditional, n_volunteers, np.random.default_rng(1))
    floor = floors.vote_floor(truth, n_volunteers)
    assert rmse(votes, truth) == pytest.approx(floor, rel=0.01)
    per_answer = ((votes - truth) ** 2).mean(axis=0)
    expected = floors.vote_variance(truth, n_volunteers).mean(axis=0)
    np.testing.assert_allclose(per_answer, expected, rtol=0.25, atol=2e-4)


def test_no_prediction_beats_the_floor_on_average():
    conditional, truth = tree_probabilities(3000)
    votes = walk(conditional, 20, np.random.default_rng(2))
    floor = floors.vote_floor(truth, 20)
    for wrong in (truth * 0.9, truth + 0.02, np.broadcast_to(truth.mean(axis=0), truth.shape)):
        assert rmse(votes, wrong) > floor * 1.01


def test_the_floor_estimated_from_votes_alone_is_unbiased():
    conditional, truth = tree_probabilities(4000)
    votes = walk(conditional, 5, np.random.default_rng(3))
    assert floors.vote_floor_from_votes(votes, 5) == pytest.approx(
        floors.vote_floor(truth, 5), rel=0.02
    )


def test_four_times_the_volunteers_halve_the_floor():
    _, truth = tree_probabilities(50)
    assert floors.vote_floor(truth, 10) == pytest.approx(2 * floors.vote_floor(truth, 40))
    mixed = floors.vote_floor(truth, np.where(np.arange(50) % 2, 10, 40))
    assert floors.vote_floor(truth, 40) < mixed < floors.vote_floor(truth, 10)


def test_certain_answers_have_no_floor():
    assert floors.vote_floor([[1.0, 0.0]], 7) == 0


def test_a_finite_ensemble_tells_the_error_of_an_infinite_one():
    rng = np.random.default_rng(0)
    truth = rng.random((4000, 37))
    votes = truth + rng.normal(0, 0.05, truth.shape)
    members = truth + rng.normal(0, 0.08, (4, *truth.shape))
    found = floors.ensemble_floor(votes, members)
    assert found.rmse == pytest.approx(0.05, rel=0.01)
    assert found.ensemble_rmse == pytest.approx(np.hypot(0.05, 0.04), rel=0.01)
    assert found.member_rmse == pytest.approx(np.hypot(0.05, 0.08), rel=0.01)
    assert found.members == 4


def test_the_ensemble_floor_equals_the_mean_over_pairs_of_networks():
    rng = np.random.default_rng(1)
    votes, members = rng.random((30, 5)), rng.random((4, 30, 5))
    pairs = [
        ((votes - members[a]) * (votes - members[b])).mean()
        for a in range(4)
        for b in range(4)
        if a != b
    ]
    assert floors.ensemble_floor(votes, members).rmse == pytest.approx(np.sqrt(np.mean(pairs)))


def test_what_has_no_floor_is_refused():
    with pytest.raises(ValueError, match="received values from 0 to 40"):
        floors.vote_floor([[0.0, 40.0]], 40)
    with pytest.raises(ValueError, match="n_volunteers: received 0"):
        floors.vote_floor([[0.5]], 0)
    with pytest.raises(ValueError, match="2 networks or more"):
        floors.ensemble_floor(np.zeros((3, 2)), np.zeros((1, 3, 2)))
