"""Sharp and blurred galaxies: light is kept, noise is one, and knots are where the table says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import convolve2d

from firstlight.sky.degradation import (
    KERNEL_FWHM,
    KNOT_SHARES,
    atmosphere,
    blur,
    degrade,
    simulate,
)


@pytest.fixture(scope="module")
def scenes():
    return simulate(128, 3)


def test_shapes_units_and_truth(scenes):
    assert scenes.sharp.shape == scenes.blurred.shape == (128, 64, 64)
    assert scenes.sharp.dtype == np.float32 and scenes.sharp.min() >= 0
    clean = blur(scenes.sharp, scenes.kernel)
    noise = scenes.blurred - clean
    assert noise.std() == pytest.approx(1, rel=0.01)
    assert noise.mean() == pytest.approx(0, abs=0.01)
    np.testing.assert_allclose(np.sqrt((clean**2).sum(axis=(1, 2))), scenes.snr, rtol=1e-3)
    assert ((scenes.snr >= 20) & (scenes.snr <= 300)).all()
    assert set(scenes.truth["kind"].astype(str)) <= {"elliptical", "disc", "irregular"}


def test_the_first_galaxies_do_not_depend_on_how_many_there_are(scenes):
    few = simulate(70, 3)
    np.testing.assert_array_equal(few.blurred, scenes.blurred[:70])
    assert few.knots.equals(scenes.knots[scenes.knots["galaxy"] < 70].reset_index(drop=True))
    assert (simulate(70, 4).blurred != few.blurred).any()


def test_knots_are_where_the_table_says_and_as_bright():
    with_knots, without = simulate(64, 5, knots=3.0), simulate(64, 5, knots=0.0)
    assert len(without.knots) == 0
    knots = with_knots.knots
    lonely = knots.groupby("galaxy").filter(lambda part: len(part) == 1)
    assert len(lonely) > 3
    for row in lonely.itertuples():
        g = int(row.galaxy)
        total = with_knots.sharp[g].sum()
        bare = without.sharp[g] / without.sharp[g].sum() * (total - row.flux)
        extra = with_knots.sharp[g] - bare
        peak = np.unravel_index(extra.argmax(), extra.shape)
        assert abs(peak[1] - row.x) <= 1 and abs(peak[0] - row.y) <= 1
        y, x = np.indices(extra.shape)
        near = np.hypot(x - row.x, y - row.y) < 6
        assert extra[near].sum() == pytest.approx(row.flux, rel=0.15)


def test_knots_lie_in_disks_within_their_range(scenes):
    kinds = scenes.truth["kind"].astype(str).to_numpy()[scenes.knots["galaxy"]]
    assert set(kinds) <= {"disc", "irregular"}
    share = scenes.knots["flux"] / scenes.sharp.sum(axis=(1, 2))[scenes.knots["galaxy"]]
    assert (share < 1.2 * KNOT_SHARES[1]).all() and (share > 0.5 * KNOT_SHARES[0]).all()
    assert (scenes.knots["snr"] > 0).all()


def test_arms_can_be_given_and_taken_away():
    given_, taken = simulate(64, 6, arms=True, knots=0.0), simulate(64, 6, arms=False, knots=0.0)
    disc = (given_.truth["kind"] == "disc").to_numpy()
    assert (given_.truth.loc[disc, "arms"] == 2).all()
    assert (taken.truth["arms"] == 0).all() and (taken.truth["clumpiness"] == 0).all()

    def lopsided(images):
        """Light that half a turn does not bring onto itself, and fine structure, in one number."""
        fine = images - blur(images, atmosphere(4.0))
        return np.abs(fine).sum(axis=(1, 2)) / images.sum(axis=(1, 2))

    open_ = disc & (given_.truth["inclination_rad"] < 1.0).to_numpy()
    assert np.median(lopsided(given_.sharp[open_]) / lopsided(taken.sharp[open_])) > 1.1


@settings(max_examples=10, deadline=None)
@given(st.floats(1.0, 12.0), st.integers(3, 40))
def test_an_atmosphere_keeps_the_light_and_is_symmetric(fwhm, half):
    kernel = atmosphere(fwhm, 2 * half + 1) if fwhm <= 2 * half + 1 else atmosphere(fwhm)
    assert kernel.sum() == pytest.approx(1)
    np.testing.assert_allclose(kernel, kernel.T, atol=1e-8)
    np.testing.assert_allclose(kernel, kernel[::-1, ::-1], atol=1e-8)
    assert kernel.argmax() == kernel.size // 2


def test_the_atmosphere_is_as_wide_as_it_says():
    kernel = atmosphere(KERNEL_FWHM)
    row = kernel[15] / kernel[15, 15]
    assert row[15 + 3] == pytest.approx(0.5, abs=0.01)


def test_blur_is_the_convolution_that_scipy_knows():
    image = np.random.default_rng(1).random((1, 20, 20)).astype("float32")
    kernel = np.random.default_rng(2).random((7, 7))
    kernel /= kernel.sum()
    expected = convolve2d(image[0], kernel, mode="same")
    np.testing.assert_allclose(blur(image, kernel)[0], expected, atol=1e-5)


def test_a_galaxy_in_the_middle_loses_no_light():
    image = np.zeros((1, 64, 64), "float32")
    image[0, 28:36, 28:36] = 1.0
    assert blur(image, atmosphere()).sum() == pytest.approx(64, rel=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sharp": np.full((1, 8, 8), np.nan)}, "64 pixels that are NaN"),
        ({"sharp": np.ones((1, 7, 7))}, r"shape \(1, 7, 7\), expected .* even size"),
        ({"sharp": np.ones((8, 8))}, "expected"),
        ({"sharp": np.empty((0, 8, 8))}, "one image or more"),
        ({"kernel": 2 * atmosphere(2.0, 3)}, "sum 2, expected .* a sum of one"),
        ({"kernel": np.full((4, 4), 1 / 16)}, "odd side"),
        ({"snr": -1.0}, "smallest S/N of -1"),
        ({"sharp": np.zeros((1, 8, 8))}, "faintest image of power 0"),
        ({"seed": -1}, "received seed=-1"),
    ],
    ids=str,
)
def test_what_cannot_be_degraded_is_refused(change, message):
    good = {"sharp": np.ones((1, 8, 8)), "kernel": atmosphere(2.0, 3), "snr": 50.0, "seed": 1}
    with pytest.raises(ValueError, match=message):
        degrade(**{**good, **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": 0}, "received n=0"),
        ({"size": 63}, "size=63"),
        ({"snr": (50.0, 20.0)}, "two rising positive"),
        ({"knots": -1.0}, "knots=-1.0"),
        ({"kernel": 3 * atmosphere(2.0, 3)}, "a sum of one"),
    ],
    ids=str,
)
def test_scenes_that_cannot_be_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        simulate(**{"n": 2, "seed": 1, **change})


@pytest.mark.parametrize("arguments", [(0.1, 5), (3.0, 4), (9.0, 5), (float("nan"), 5)])
def test_atmospheres_that_cannot_be_are_refused(arguments):
    with pytest.raises(ValueError, match="expected a width"):
        atmosphere(*arguments)
