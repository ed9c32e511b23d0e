"""Facts about the small universe of five magnitudes."""

import numpy as np
import pytest

from firstlight.sky import photometry
from firstlight.sky.photometry import DEPTH, colors, posterior_mean, simulate, spectrum


def test_same_seed_same_sky_other_seed_another():
    a, b, c = simulate(50, seed=1), simulate(50, seed=1), simulate(50, seed=2)
    assert np.array_equal(a.magnitudes, b.magnitudes)
    assert not np.array_equal(a.magnitudes, c.magnitudes)


def test_truth_lies_where_it_is_said_to_lie():
    sky = simulate(2000, seed=3)
    assert 0.02 <= sky.redshift.min() and sky.redshift.max() <= 1.5
    assert 0 <= sky.kind.min() and sky.kind.max() <= 1
    red = simulate(2000, seed=3, red=True)
    assert 0.14 < red.redshift.min() and red.redshift.max() < 0.61
    assert red.kind.max() < 0.1


def test_old_galaxies_have_a_break_and_young_ones_do_not():
    flux = spectrum(np.array([3700.0, 4300.0]), np.array([0.0, 1.0]))
    assert flux[0, 1] > 1.5 * flux[0, 0]
    assert flux[1, 1] < flux[1, 0]


def test_the_break_walks_through_g_minus_r_with_redshift():
    z = np.array([0.05, 0.2, 0.35])
    table = colors(z, np.zeros(3))
    g_minus_r = table[:, 1] - table[:, 2]
    assert np.all(np.diff(g_minus_r) > 0.1)
    assert np.allclose(table[:, 3], 0)


def test_a_flat_spectrum_in_frequency_has_no_colors(monkeypatch):
    """AB magnitudes: equal flux per unit frequency is equal magnitude in every band."""
    monkeypatch.setattr(photometry, "spectrum", lambda w, kind: np.ones((len(kind), 1)) * w**-2.0)
    assert np.allclose(photometry._color_table.__wrapped__(), 0, atol=1e-12)


def test_magnitudes_agree_with_pogson_where_noise_is_small():
    flux = np.full((1, 5), 1000.0)  # in sky sigma
    pogson = DEPTH - 2.5 * np.log10(flux / 5)
    assert np.allclose(photometry._asinh_magnitude(flux), pogson, atol=1e-5)
    assert np.allclose(photometry._flux_of_asinh(pogson), flux, rtol=1e-4)


def test_noise_is_the_sky_and_the_calibration():
    random = np.random.default_rng(0)
    bright = 1000 * (1 + photometry.CALIBRATION * random.normal(size=20_000))
    scatter = np.std(-2.5 * np.log10(bright))
    assert scatter == pytest.approx(1.0857 * photometry.CALIBRATION, rel=0.03)


def test_posterior_mean_is_unbiased_and_beats_a_polynomial():
    train, test = simulate(6000, seed=5), simulate(600, seed=6)
    y_train, y_test = np.log1p(train.redshift), np.log1p(test.redshift)
    best = posterior_mean(test.magnitudes)

    def features(m):
        m = (m - train.magnitudes.mean(0)) / train.magnitudes.std(0)
        pairs = [m[:, i] * m[:, j] for i in range(5) for j in range(i, 5)]
        return np.column_stack([np.ones(len(m)), m, *pairs])

    slope, *_ = np.linalg.lstsq(features(train.magnitudes), y_train, rcond=None)
    quadratic = features(test.magnitudes) @ slope
    error = best - y_test
    assert abs(error.mean()) < 4 * error.std() / np.sqrt(len(error))
    assert np.sqrt(np.mean(error**2)) < 0.8 * np.sqrt(np.mean((quadratic - y_test) ** 2))


def test_posterior_mean_is_orthogonal_to_functions_of_the_magnitudes():
    """The defining property of a conditional mean: its error correlates with nothing seen."""
    sky = simulate(800, seed=8)
    error = posterior_mean(sky.magnitudes) - np.log1p(sky.redshift)
    for band in range(5):
        r = np.corrcoef(error, sky.magnitudes[:, band])[0, 1]
        assert abs(r) < 4 / np.sqrt(len(error))


def test_impossible_numbers_are_refused():
    with pytest.raises(ValueError, match="received 0"):
        simulate(0, seed=1)
