"""Two-sample tests ring as often as they may when nothing has changed, and when it has."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.evaluation.shift_tests import calibration_error, mean_test, mmd_test

TESTS = [mmd_test, mean_test]


def normal(seed, n=40, d=3, shift=0.0, spread=1.0):
    return shift + spread * np.random.default_rng(seed).normal(size=(n, d))


@pytest.mark.parametrize("test", TESTS)
def test_false_alarms_are_as_rare_as_promised(test):
    rings = [test(normal(2 * s, 20), normal(2 * s + 1, 20), permutations=39, seed=s).p_value <= 0.1
             for s in range(300)]  # fmt: skip
    # One tenth, within four standard deviations of a count of 300.
    assert np.mean(rings) == pytest.approx(0.1, abs=4 * np.sqrt(0.1 * 0.9 / 300))


@pytest.mark.parametrize("test", TESTS)
def test_a_shift_is_found_and_its_p_value_is_the_smallest(test):
    found = test(normal(1), normal(2, shift=1.5))
    assert found.p_value == pytest.approx(1 / 200)
    assert found.statistic > test(normal(1), normal(2)).statistic


def test_only_the_discrepancy_sees_a_change_of_width():
    a, b = normal(1, 150, 2), normal(2, 150, 2, spread=1.8)
    assert mmd_test(a, b).p_value < 0.02
    assert mean_test(a, b).p_value > 0.05


def test_the_statistic_is_that_of_the_definition():
    a, b = normal(3, 12), normal(4, 15, shift=0.5)
    pooled = np.concatenate([a, b])
    pairs = [np.sum((pooled[i] - pooled[j]) ** 2) for i in range(27) for j in range(i)]
    m = np.median(pairs)

    def k(x, y):
        return np.mean(np.exp(-((x[:, None] - y[None]) ** 2).sum(axis=-1) / m))

    expected = k(a, a) + k(b, b) - 2 * k(a, b)
    assert mmd_test(a, b).statistic == pytest.approx(expected, rel=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 9999), st.integers(2, 8))
def test_swapping_the_samples_changes_nothing_and_p_is_never_zero(seed, n):
    a, b = normal(seed, n), normal(seed + 1, n + 1)
    assert mmd_test(a, b).statistic == pytest.approx(mmd_test(b, a).statistic)
    assert 0 < mmd_test(a, b, permutations=9).p_value <= 1


def test_a_calibrated_forecaster_has_no_error_but_chance():
    rng = np.random.default_rng(1)
    p = rng.random(20_000)
    y = rng.random(20_000) < p
    assert calibration_error(y, p) < 2 * 0.3 * np.sqrt(10 / 20_000)
    assert calibration_error(y, np.clip(p + 0.2, 0, 1)) > 0.1
    assert calibration_error(y, (p > 0.5).astype(float)) == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize(
    "change",
    [
        {"second": np.ones((5, 2))},
        {"second": np.ones((1, 3))},
        {"second": np.full((5, 3), np.nan)},
        {"first": np.ones(5)},
    ],
    ids=str,
)
def test_samples_that_do_not_fit_are_refused(test, change):
    with pytest.raises(ValueError, match="expected two samples of two rows or more"):
        test(**{"first": np.ones((5, 3)), "second": np.ones((5, 3)), **change})


@pytest.mark.parametrize(
    ("labels", "probability", "message"),
    [
        ([0, 1], [0.5], "expected one probability for each label"),
        ([0, 1], [0.5, 0.5], "as many objects as bins"),
        ([0] * 12, [1.5] * 12, "expected probabilities"),
        ([0] * 12, [np.nan] * 12, "expected probabilities"),
    ],
)
def test_what_is_no_forecast_is_refused(labels, probability, message):
    with pytest.raises(ValueError, match=message):
        calibration_error(labels, probability)
