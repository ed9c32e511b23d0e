"""Surveys: magnitudes, the noise of the sky, and worse skies."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstlight.sky.surveys import SDSS


@given(st.floats(10, 25))
def test_five_magnitudes_are_a_factor_of_one_hundred(magnitude):
    bright, faint = SDSS.electrons([magnitude] * 3), SDSS.electrons([magnitude + 5] * 3)
    np.testing.assert_allclose(bright / faint, 100, rtol=1e-9)


def test_a_source_at_the_zero_point_yields_one_electron():
    np.testing.assert_allclose(SDSS.electrons(SDSS.zero_point_mag), 1)


@given(st.floats(0.05, 5), st.floats(1.1, 10))
def test_the_variance_of_the_sky_grows_with_the_area_of_the_pixel(pixel, factor):
    sigma = SDSS.sky_sigma(np.array([pixel, factor * pixel]))
    np.testing.assert_allclose(sigma[1] / sigma[0], factor, rtol=1e-9)


def test_without_read_noise_the_sky_is_poisson():
    dark = replace(SDSS, read_noise_electrons=0.0)
    pixel = 0.396
    electrons = dark.electrons(dark.sky_mag_arcsec2) * pixel**2
    np.testing.assert_allclose(dark.sky_sigma(np.array([pixel]))[0] ** 2, electrons)


@given(st.floats(-2, 3), st.floats(0.2, 5))
def test_a_magnitude_of_depth_is_a_factor_in_noise(depth, seeing):
    pixel = np.array([0.3, 0.5])
    worse = SDSS.worse(seeing=seeing, depth_mag=depth)
    factor = worse.sky_sigma(pixel) / SDSS.sky_sigma(pixel)
    np.testing.assert_allclose(factor, 10 ** (0.4 * depth), rtol=1e-9)
    np.testing.assert_allclose(np.array(worse.seeing_arcsec) / SDSS.seeing_arcsec, seeing)


@pytest.mark.parametrize(
    "settings",
    [{"seeing": -1.0}, {"seeing": 0.0}, {"seeing": np.nan}, {"depth_mag": np.inf}],
)
def test_impossible_skies_are_refused(settings):
    with pytest.raises(ValueError, match=r"received seeing=.* expected a positive factor"):
        SDSS.worse(**settings)


@pytest.mark.parametrize(
    "changes",
    [
        {"seeing_arcsec": (1.4, -1.3, 1.2)},
        {"seeing_arcsec": (1.4, 1.3)},
        {"zero_point_mag": (30.0, np.nan, 29.0)},
        {"sky_mag_arcsec2": "dark"},
        {"seeing_scatter": -0.1},
        {"read_noise_electrons": -5.0},
        {"read_noise_electrons": np.nan},
        {"native_pixel_arcsec": 0.0},
    ],
)
def test_a_survey_that_cannot_be_is_refused(changes):
    with pytest.raises(ValueError):
        replace(SDSS, **changes)


def test_the_error_says_what_came_and_what_should_have_come():
    with pytest.raises(ValueError, match=r"seeing_arcsec: received .*-1.3.* three positive"):
        replace(SDSS, seeing_arcsec=(1.4, -1.3, 1.2))
