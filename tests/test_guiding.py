"""The guide camera: where the light goes, what noise allows, and what the mount does."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.sky import guiding
from firstlight.sky.guiding import CAMERA, MOUNT, frames, least_error, least_pointing_error

STILL = replace(CAMERA, shake=0.0, fwhm_scatter=0.0)
QUIET = replace(STILL, sky=1e-9, read_noise=0.0, zero_point=1e16)  # photon noise is negligible


def centroid(picture):
    axis = np.arange(picture.shape[-1]) - (picture.shape[-1] - 1) / 2
    total = picture.sum()
    return picture.sum(axis=0) @ axis / total, picture.sum(axis=1) @ axis / total


@given(st.floats(-3, 3), st.floats(-3, 3))
@settings(max_examples=25, deadline=None)
def test_a_star_stands_where_it_was_put(x, y):
    picture = frames([[x, y]], 10.0, seed=1, camera=replace(QUIET, size=40))[0]
    assert centroid(picture) == pytest.approx((x, y), abs=0.01)


def test_five_magnitudes_are_a_factor_of_a_hundred():
    light = [frames([[0, 0]], m, seed=2, camera=QUIET).sum() for m in (5.0, 10.0)]
    assert light[0] / light[1] == pytest.approx(100, rel=1e-3)


def test_all_but_a_little_of_the_light_is_in_the_frame():
    light = frames([[0, 0]], 10.0, seed=2, camera=QUIET).sum()
    assert light == pytest.approx(1e16 * 10**-4.0, rel=1e-3)


def test_the_empty_frame_has_the_noise_of_sky_and_read_out():
    noise = frames(np.zeros((400, 2)), 40.0, seed=3)
    assert noise.mean() == pytest.approx(0, abs=0.03)
    assert noise.var() == pytest.approx(CAMERA.sky + CAMERA.read_noise**2, rel=0.02)


def test_the_air_moves_the_picture():
    bright = replace(QUIET, shake=0.1)
    places = [centroid(p) for p in frames(np.zeros((800, 2)), 10.0, seed=4, camera=bright)]
    assert np.std(places, axis=0) == pytest.approx([0.1, 0.1], rel=0.1)


def test_a_seed_gives_one_night():
    assert np.array_equal(frames([[1, 2]], 12.0, seed=5), frames([[1, 2]], 12.0, seed=5))
    assert not np.array_equal(frames([[1, 2]], 12.0, seed=5), frames([[1, 2]], 12.0, seed=6))


def test_the_floor_of_a_faint_star_is_that_of_the_formula():
    """A star much fainter than the background, without wings: sqrt(8 pi v) sigma^2 / F."""
    sigma = 2.0
    camera = replace(STILL, size=40, fwhm=sigma * np.sqrt(8 * np.log(2)))
    one = guiding._WING_LIGHT, guiding._WING_WIDTH
    guiding._WING_LIGHT, guiding._WING_WIDTH = 0.0, 1.0
    try:
        floor = float(least_error(16.0, camera=camera))
    finally:
        guiding._WING_LIGHT, guiding._WING_WIDTH = one
    flux = camera.zero_point * 10 ** (-0.4 * 16)
    variance = camera.sky + camera.read_noise**2
    wide = np.sqrt(sigma**2 + 1 / 12)  # the pixel widens the star
    assert floor == pytest.approx(np.sqrt(8 * np.pi * variance) * wide**2 / flux, rel=0.01)


def test_the_floor_rises_with_every_magnitude():
    assert (np.diff(least_error(np.arange(6, 16))) > 0).all()
    assert least_error(10.0).shape == () and least_error([9.0, 10.0]).shape == (2,)


def test_a_fit_of_the_true_shape_reaches_the_floor():
    """Least squares on one parameter, at the true seeing: within a tenth of the bound."""
    magnitude, offsets = 11.0, np.zeros((300, 2))
    pictures = frames(offsets, magnitude, seed=7, camera=STILL)
    trial = np.linspace(-1, 1, 81)
    stars = guiding._stars(np.stack([trial, 0 * trial], axis=1), np.full(81, STILL.fwhm), 24)
    stars = stars * STILL.zero_point * 10 ** (-0.4 * magnitude)
    misfit = ((pictures[:, None] - stars[None]) ** 2).sum(axis=(2, 3))
    error = np.sqrt(np.mean(trial[misfit.argmin(axis=1)] ** 2))
    assert error == pytest.approx(float(least_error(magnitude, camera=STILL)), rel=0.12)


@given(st.floats(0.01, 2), st.floats(0.01, 1))
def test_the_steady_state_reproduces_itself(reading, wander):
    variance = float(least_pointing_error(reading, wander)) ** 2
    again = 1 / (1 / variance + 1 / reading**2) + wander**2
    assert again == pytest.approx(variance, rel=1e-9)


def test_a_filter_with_the_best_gain_reaches_the_floor_of_the_loop():
    rng, wander, reading = np.random.default_rng(8), 0.15, 0.3
    variance = float(least_pointing_error(reading, wander)) ** 2
    gain = variance / (variance + reading**2)
    error, seen = np.zeros(4000), []
    for _ in range(60):
        error = error - gain * (error + reading * rng.standard_normal(4000))
        error = error + wander * rng.standard_normal(4000)
        seen.append(error)
    assert np.std(seen[30:]) == pytest.approx(np.sqrt(variance), rel=0.02)


def test_the_mount_drifts_wanders_and_is_blown():
    steps = replace(MOUNT, gusts=0.0).step(20_000, np.random.default_rng(9))
    assert steps.mean(axis=0) == pytest.approx(MOUNT.drift, abs=0.005)
    assert steps.std(axis=0) == pytest.approx([MOUNT.wander] * 2, rel=0.03)
    pushes = replace(MOUNT, drift=(0, 0), wander=0.0, gusts=0.25).step(
        8000, np.random.default_rng(1)
    )
    length = np.hypot(*pushes.T)
    assert np.mean(length > 0) == pytest.approx(0.25, abs=0.02)
    assert length.max() == pytest.approx(MOUNT.gust)


@pytest.mark.parametrize("bad", [[1.0, 2.0], [[1.0]], [[np.nan, 0.0]]])
def test_offsets_that_are_no_pairs_are_refused(bad):
    with pytest.raises(ValueError, match=r"offsets: received shape .* expected \(n, 2\)"):
        frames(bad, 10.0, seed=1)


@pytest.mark.parametrize("bad", [[9.0, 10.0, 11.0], np.nan, [[9.0]]])
def test_magnitudes_that_do_not_fit_are_refused(bad):
    with pytest.raises(ValueError, match="magnitudes: received shape"):
        frames([[0, 0], [1, 1]], bad, seed=1)


def test_errors_that_are_none_are_refused():
    for bad in (-0.1, np.inf):
        with pytest.raises(ValueError, match="expected finite errors of 0"):
            least_pointing_error(bad, 0.1)
