"""Two surveys of one sky: what differs between the pictures is what the telescopes did."""

from dataclasses import replace

import galsim
import numpy as np
import pytest

from firstlight.sky import two_surveys
from firstlight.sky.render import MOFFAT_BETA
from firstlight.sky.two_surveys import LEGACY, SLOAN, View, band_magnitudes, look, simulate
from sky_kit import plain


def steady(view, **changes):
    """A survey whose nights are all alike."""
    return replace(view, survey=replace(view.survey, seeing_scatter=0.0, **changes))


def small(n=8, **columns):
    usual = {"r90_arcsec": 2.5, "r_mag": 18.0, "x_r90": 0.0, "y_r90": 0.0}
    return plain(n).assign(**{**usual, **columns})


@pytest.fixture(scope="module")
def pair():
    return simulate(300, 7)


def test_shapes_and_truth(pair):
    assert pair.first.shape == pair.second.shape == (300, 32, 32, 3)
    assert pair.first.dtype == np.float32 and len(pair) == 300
    late = pair.truth["kind"].isin(["disc", "irregular"])
    np.testing.assert_array_equal(pair.labels, late)
    assert set(pair.truth["kind"].astype(str)) == {"elliptical", "disc", "irregular"}
    assert abs(pair.labels.mean() - 0.5) < 0.1


def test_the_empty_sky_of_both_has_unit_noise(pair):
    faint = simulate(64, 3)
    truth = faint.truth.assign(r_mag=40.0)
    for images in look(truth, (SLOAN, LEGACY), 1):
        assert images.std(axis=(0, 1, 2)) == pytest.approx(1, rel=0.02)
        assert images.mean() == pytest.approx(0, abs=0.02)


def test_the_first_galaxies_do_not_depend_on_how_many_there_are(pair):
    few = simulate(70, 7)
    np.testing.assert_array_equal(few.first, pair.first[:70])
    np.testing.assert_array_equal(few.second, pair.second[:70])
    assert few.truth.equals(pair.truth[:70])


def test_changing_one_survey_leaves_the_other_and_the_galaxies_alone(pair):
    other = simulate(70, 7, second=View(LEGACY.survey.worse(seeing=1.5), "grz"))
    np.testing.assert_array_equal(other.first, pair.first[:70])
    assert other.truth.equals(pair.truth[:70])
    assert (other.second != pair.second[:70]).any()


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_the_share_of_late_types_is_the_one_asked_for(share):
    found = simulate(320, 2, late_share=share).labels.mean()
    assert found == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 320) + 1e-9)


def test_two_surveys_that_are_one_see_the_same():
    truth = simulate(64, 3).truth
    one, other = look(truth, (steady(SLOAN), steady(SLOAN)), 1, noise=False)
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("view", [SLOAN, LEGACY], ids=["Sloan", "Legacy"])
def test_each_survey_collects_the_light_that_its_zero_point_says(view):
    # A galaxy so far inside its stamp that all of its light is there.
    truth = small(kind="elliptical", r90_arcsec=1.2, sersic_n=1.0)
    which = (SLOAN, LEGACY).index(view)
    image = look(truth, (steady(SLOAN), steady(LEGACY)), 1, noise=False, size=64)[which]
    sigma = view.survey.sky_sigma(np.array([view.pixel_arcsec]))
    electrons = view.survey.electrons(band_magnitudes(truth, "old", view.bands))
    np.testing.assert_allclose(image.sum(axis=(1, 2)), electrons / sigma, rtol=0.03)


@pytest.mark.parametrize("which", [0, 1])
def test_galsim_draws_the_same_galaxy(which):
    truth = small(4, kind="elliptical", sersic_n=1.0)
    views = (steady(SLOAN), steady(LEGACY))
    image = look(truth, views, 1, noise=False)[which][..., 1]
    pixel, seeing = views[which].pixel_arcsec, views[which].survey.seeing_arcsec[1]
    for k, row in enumerate(truth.itertuples()):
        radius = row.bulge_radius_r90 * row.r90_arcsec
        galaxy = galsim.Sersic(n=1.0, half_light_radius=radius, flux=1.0)
        shear = galsim.Shear(q=row.bulge_axis_ratio, beta=row.angle_rad * galsim.radians)
        psf = galsim.Moffat(beta=MOFFAT_BETA, fwhm=seeing)
        theirs = galsim.Convolve(galaxy.shear(shear), psf).drawImage(nx=32, ny=32, scale=pixel)
        expected = theirs.array / theirs.array.sum()
        ours = image[k] / image[k].sum()
        np.testing.assert_allclose(ours, expected, atol=0.01 * expected.max())


def test_one_galaxy_has_one_place_and_one_size_on_the_sky():
    # Behind the same wide seeing the two pictures differ in their pixels only.
    views = [steady(v, seeing_arcsec=(2.0, 2.0, 2.0)) for v in (SLOAN, LEGACY)]
    truth = small(16, kind="disc", clumpiness=0.5, clump_grain_r90=0.1, arms=2.0,
                  arm_strength=0.8, x_r90=0.2, y_r90=-0.1)  # fmt: skip
    moments = []
    for view, images in zip(views, look(truth, tuple(views), 1, noise=False, size=64), strict=True):
        axis = (np.arange(64) - 31.5) * view.pixel_arcsec
        light = images[..., 1] / images[..., 1].sum(axis=(1, 2), keepdims=True)
        x, y = (light.sum(axis=1) * axis).sum(axis=1), (light.sum(axis=2) * axis).sum(axis=1)
        dx, dy = axis[None, None, :] - x[:, None, None], axis[None, :, None] - y[:, None, None]
        moments.append((x, y, (light * (np.hypot(dx, dy) < 1.5)).sum(axis=(1, 2))))
    np.testing.assert_allclose(moments[0][:2], moments[1][:2], atol=0.02)
    np.testing.assert_allclose(moments[0][2], moments[1][2], rtol=0.05)


def test_the_legacy_like_survey_is_deeper_and_sharper(pair):
    bright = [images[..., 1].max(axis=(1, 2)) for images in (pair.first, pair.second)]
    assert (bright[1] > bright[0]).mean() > 0.9
    assert LEGACY.survey.seeing_arcsec < SLOAN.survey.seeing_arcsec


def test_i_less_z_is_that_of_the_template_with_the_same_g_less_r():
    known, i_z = two_surveys._colors()
    assert (np.diff(known) > 0).all() and (np.abs(i_z) < 0.5).all()
    truth = small(len(known)).assign(old_g_r=known, old_r_i=0.3)
    mags = band_magnitudes(truth, "old", "griz")
    np.testing.assert_allclose(mags[:, 0] - mags[:, 1], known)
    np.testing.assert_allclose(mags[:, 1] - mags[:, 2], 0.3)
    np.testing.assert_allclose(mags[:, 2] - mags[:, 3], i_z)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": 0}, "received n=0, expected a whole number"),
        ({"seed": -1}, "received seed=-1"),
        ({"size": 33}, "received 33, expected an even number"),
        ({"size": 4}, "received size=4, expected a whole number from 16"),
        ({"late_share": 1.5}, "received 1.5, expected a share from 0 to 1"),
        ({"late_share": np.nan}, "received nan, expected a share"),
        ({"second": steady(LEGACY, native_pixel_arcsec=0.26111)}, "ratio of small whole numbers"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        simulate(**{"n": 4, "seed": 1, **change})


def test_unknown_bands_are_refused():
    with pytest.raises(ValueError, match="received 'ugr', expected 'gri' or 'grz'"):
        View(SLOAN.survey, "ugr")
    with pytest.raises(ValueError, match="received 'ux', expected some of 'griz'"):
        band_magnitudes(small(2), "old", "ux")


def test_a_table_without_a_column_is_refused():
    with pytest.raises(ValueError, match=r"without \['arms'\]"):
        look(small(2).drop(columns="arms"), (SLOAN, LEGACY), 1)
