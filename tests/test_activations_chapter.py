"""Facts that the chapter *Activation Functions* stands on, without its training runs."""

import numpy as np
import pytest
from scipy.special import ndtri

from firstlight.autodiff.activations import derivative, get
from firstlight.exercises.activations import EXERCISES

BELL = ndtri((np.arange(20_000) + 0.5) / 20_000)


def test_relu_passes_half_of_the_power_and_half_of_the_squared_derivative():
    assert np.mean(get("relu")(BELL) ** 2) == pytest.approx(0.5, rel=1e-3)
    assert np.mean(derivative("relu")(BELL) ** 2) == pytest.approx(0.5, rel=1e-3)
    assert get("relu")(BELL).mean() == pytest.approx(1 / np.sqrt(2 * np.pi), rel=1e-3)


@pytest.mark.parametrize("alpha", [0.0, 0.2, 0.5, 1.0])
def test_the_start_of_the_exercise_keeps_the_variance_of_leaky_relu(alpha):
    variance = EXERCISES["start_variance"].right()(256, alpha)
    passed = np.mean(get("leaky_relu")(BELL, negative_slope=alpha) ** 2)
    assert 256 * variance * passed == pytest.approx(1, rel=1e-3)


def test_selu_reproduces_mean_and_variance_and_gelu_is_half_its_sum_near_zero():
    h = get("selu")(BELL)
    assert h.mean() == pytest.approx(0, abs=1e-4) and h.var() == pytest.approx(1, rel=1e-3)
    assert derivative("gelu")(0.0) == pytest.approx(0.5)


def test_the_sigmoid_is_never_steeper_than_a_quarter():
    a = np.linspace(-9, 9, 1801)
    assert derivative("sigmoid")(a).max() == pytest.approx(0.25)


@pytest.mark.parametrize("n", [2, 16, 64])
def test_a_mean_sets_the_condition_number(n):
    mean, variance = 0.4, 0.34
    curvature = np.linalg.eigvalsh(variance * np.eye(n) + mean**2 * np.ones((n, n)))
    assert curvature[-1] / curvature[0] == pytest.approx(1 + n * mean**2 / variance)


@pytest.mark.parametrize("degree", [2, 3])
def test_any_number_of_polynomial_neurons_spans_d_plus_one_functions(degree):
    random = np.random.default_rng(8)
    x = np.linspace(0, 1, 200)
    h = (np.outer(x, random.normal(size=40)) + random.normal(size=40)) ** degree
    assert np.linalg.matrix_rank(h, tol=1e-9) == degree + 1


def test_log_odds_of_two_bells_of_equal_width_are_linear():
    x = np.linspace(-3, 3, 61)
    bells = np.exp(-((x - np.array([[1.0], [-0.5]])) ** 2) / 2)
    odds = 0.3 * bells[0] / (0.7 * bells[1])
    assert np.allclose(get("sigmoid")(np.log(odds)), odds / (1 + odds))
    assert np.allclose(np.diff(np.log(odds), 2), 0)
