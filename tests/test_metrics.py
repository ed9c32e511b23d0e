"""Metrics against definitions, limits and their own coverage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.evaluation import metrics
from firstlight.sky.gz2_tree import QUESTIONS, SIZES


def fractions(seed, n=200):
    return np.random.default_rng(seed).random((n, 37))


def test_rmse_of_a_constant_offset_is_the_offset():
    y = fractions(0)
    assert metrics.rmse(y, y + 0.07) == pytest.approx(0.07)
    assert metrics.rmse(y, y) == 0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_question_errors_average_to_the_whole(seed):
    y, p = fractions(seed, 20), fractions(seed + 1, 20)
    parts = metrics.question_rmse(y, p)
    assert list(parts) == [question.name for question in QUESTIONS]
    mean = sum(size * value**2 for size, value in zip(SIZES, parts.values(), strict=True)) / 37
    assert np.sqrt(mean) == pytest.approx(metrics.rmse(y, p))


def test_the_column_mean_is_the_best_constant():
    y = fractions(0)
    best = metrics.rmse(y, np.broadcast_to(y.mean(axis=0), y.shape))
    assert best == pytest.approx(np.sqrt(y.var(axis=0).mean()))
    assert best < metrics.rmse(y, np.broadcast_to(y.mean(axis=0) + 0.01, y.shape))


def test_votes_drawn_from_the_prediction_are_calibrated_and_shifted_ones_are_not():
    p = fractions(1, 4000)
    votes = np.random.default_rng(2).binomial(20, p) / 20
    good = metrics.calibration(votes, p)
    assert good.error < 0.005
    assert good.counts.sum() == p.size
    np.testing.assert_allclose(good.observed, good.predicted, atol=0.01)
    assert metrics.calibration(votes, p / 2).error == pytest.approx(0.25, abs=0.01)


def test_bootstrap_interval_holds_the_truth_as_often_as_it_says():
    rng, hits = np.random.default_rng(0), 0
    for trial in range(100):
        errors = rng.normal(0, 0.1, (150, 37))
        found = metrics.bootstrap_rmse(errors, 0 * errors, seed=trial, repeats=200)
        hits += found.low <= 0.1 <= found.high
    assert 87 <= hits <= 100


def test_paired_ratio_is_known_better_than_either_error():
    rng = np.random.default_rng(0)
    hard = rng.exponential(1, (300, 1))
    y = hard * rng.normal(0, 0.1, (300, 37))
    ratio = metrics.bootstrap_ratio(y, 0.2 * y, 0 * y)
    assert ratio.value == pytest.approx(0.8)
    alone = metrics.bootstrap_rmse(y, 0 * y)
    assert ratio.high - ratio.low < 0.1 * (alone.high - alone.low) / alone.value
    assert ratio.low <= ratio.value <= ratio.high


@pytest.mark.parametrize(
    ("observed", "predicted", "reason"),
    [
        (np.zeros((3, 37)), np.zeros((4, 37)), r"\(3, 37\) and \(4, 37\)"),
        (np.zeros((0, 37)), np.zeros((0, 37)), "n of 1 or more"),
        (np.zeros((3, 37)), np.full((3, 37), np.nan), "has diverged"),
    ],
)
def test_what_cannot_be_compared_is_refused(observed, predicted, reason):
    with pytest.raises(ValueError, match=reason):
        metrics.rmse(observed, predicted)
