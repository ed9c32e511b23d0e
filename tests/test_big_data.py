"""Facts that the chapter *Why Deep Learning is cool* stands on."""

import math

import numpy as np
import pytest

from firstlight.exercises.big_data import EXERCISES


def test_the_interval_is_that_of_a_library():
    from scipy import stats

    years = np.array([1997.0, 2000.0, 2023.0, 2027.0])
    volumes = np.array([25.4, 50, 200e3, 4.6e6])
    low, high = EXERCISES["doubling_interval"].right()(years, volumes)
    fit = stats.linregress(years, np.log10(volumes))
    factor = stats.t.ppf(0.975, 2) * fit.stderr
    assert low == pytest.approx(math.log10(2) / (fit.slope + factor))
    assert high == pytest.approx(math.log10(2) / (fit.slope - factor))


def test_student_s_factor_is_larger_for_few_points_and_becomes_the_normal_one():
    from scipy import stats

    factors = stats.t.ppf(0.975, [2, 4, 10, 10_000])
    assert np.all(np.diff(factors) < 0)
    assert factors[-1] == pytest.approx(1.96, abs=1e-3)


def test_squared_bias_and_variance_add():
    random = np.random.default_rng(3)
    n, p, bias = 400, 0.5, 0.02
    shares = random.binomial(n, p + bias, 200_000) / n
    expected = (p + bias) * (1 - p - bias) / n + bias**2
    assert np.mean((shares - p) ** 2) == pytest.approx(expected, rel=0.02)


def test_mirroring_half_of_the_pictures_cancels_the_bias():
    random = np.random.default_rng(4)
    n, bias = 1_000, 0.02
    upright = random.binomial(n, 0.5 + bias, 100_000)
    mirrored = n - random.binomial(n, 0.5 + bias, 100_000)
    assert np.mean((upright + mirrored) / (2 * n)) == pytest.approx(0.5, abs=2e-4)


def test_a_cast_to_int_truncates_and_a_nullable_one_refuses():
    pandas = pytest.importorskip("pandas")
    column = pandas.Series([25.4, -25.9])
    assert column.astype(int).tolist() == [25, -25]
    with pytest.raises(TypeError, match="safely cast"):
        column.astype("Int64")
