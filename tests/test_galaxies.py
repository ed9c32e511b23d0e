"""Images of simulated galaxies: units, noise, seeds, and what a worse sky hides."""

from functools import cache

import galsim
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.sky import galaxies, population, render
from firstlight.sky.surveys import BANDS, SDSS
from sky_kit import blurred, draw, plain, sky, visible

TURNED = ("angle_rad", "companion_phase_rad", "companion_angle_rad", "tail_phase_rad",
          "arc_phase_rad", "trail_angle_rad")  # fmt: skip


def clean(truth, **settings):
    """Noise-free images, the same grain every time."""
    return galaxies.render(truth, np.random.default_rng(5), **settings)[0]


def electrons(truth):
    """The sky's sigma per pixel, `(n, 3)`."""
    return SDSS.sky_sigma(truth["pixel_arcsec"].to_numpy())


# What is drawn


def galsim_galaxy(row):
    """The same bulge and disc as GalSim makes them, light 1, lengths in arcsec."""
    bulge = galsim.Sersic(
        row["sersic_n"], half_light_radius=row["bulge_radius_r90"] * row["r90_arcsec"]
    ).shear(q=row["bulge_axis_ratio"], beta=row["angle_rad"] * galsim.radians)
    scale = row["disc_scale_r90"] * row["r90_arcsec"]
    disc = galsim.InclinedExponential(
        row["inclination_rad"] * galsim.radians,
        scale_radius=scale,
        scale_height=row["disc_thickness"] * scale,
    ).rotate(row["angle_rad"] * galsim.radians)
    share = row["bulge_share"]
    return bulge.withFlux(share), disc.withFlux(1 - share)


@pytest.mark.parametrize("band", range(3))
def test_a_bulge_and_a_disc_are_drawn_as_galsim_draws_them_in_electrons(band):
    truth = plain(4, bulge_share=0.3, disc_truncation=0.0, sersic_n=2.5, r90_arcsec=5.6,
                  pixel_arcsec=population.STAMP_IN_R90 * 5.6 / 48)  # fmt: skip
    ours = clean(truth)[..., band] * electrons(truth)[:, band, None, None]
    for image, (_, row) in zip(ours, truth.iterrows(), strict=True):
        old, young = (
            row["r_mag"] + np.array([row[f"{age}_g_r"], 0, -row[f"{age}_r_i"]])[band]
            for age in ("old", "young")
        )
        bulge, disc = galsim_galaxy(row)
        whole = bulge * 10 ** (-0.4 * (old - SDSS.zero_point_mag[band]))
        whole += disc * 10 ** (-0.4 * (young - SDSS.zero_point_mag[band]))
        fwhm = row[f"seeing_{BANDS[band]}_arcsec"]
        seen = galsim.Convolve(whole, galsim.Moffat(beta=render.MOFFAT_BETA, fwhm=fwhm))
        offset = np.array([row["x_r90"], row["y_r90"]]) * 48 / population.STAMP_IN_R90
        theirs = seen.drawImage(nx=48, ny=48, scale=row["pixel_arcsec"], offset=offset).array
        assert np.abs(image - theirs).max() <= 0.003 * theirs.max()


def test_a_star_holds_the_electrons_of_its_magnitude():
    truth = plain(8, kind="star", x_r90=0.0, y_r90=0.0)
    found = (clean(truth) * electrons(truth)[:, None, None, :]).sum(axis=(1, 2))
    r = truth["r_mag"].to_numpy()
    expected = SDSS.electrons(
        np.stack([r + truth["other_g_r"], r, r - truth["other_r_i"]], axis=1)
    )  # fmt: skip
    np.testing.assert_allclose(found, expected, rtol=0.04)  # the wings leave the stamp


@settings(max_examples=5, deadline=None)
@given(st.floats(-2, 4))
def test_images_are_linear_in_flux(magnitudes):
    truth = draw(16, trail_sigma=0.0)
    usual, other = clean(truth), clean(truth.assign(r_mag=truth["r_mag"] + magnitudes))
    atol = 1e-5 * usual.max()
    np.testing.assert_allclose(other * 10 ** (0.4 * magnitudes), usual, rtol=1e-4, atol=atol)


def test_a_quarter_turn_of_all_angles_turns_the_image():
    truth = draw(64, clumpiness=0.0)
    turned = truth.assign(
        x_r90=-truth["y_r90"], y_r90=truth["x_r90"],
        star_x_r90=-truth["star_y_r90"], star_y_r90=truth["star_x_r90"],
        **{name: truth[name] + np.pi / 2 for name in TURNED},
    )  # fmt: skip
    before, after = clean(truth), clean(turned)
    peak = before.max(axis=(1, 2, 3), keepdims=True)
    np.testing.assert_allclose(after / peak, np.rot90(before, -1, axes=(1, 2)) / peak, atol=2e-3)


def test_redder_galaxies_are_fainter_in_g_and_brighter_in_i():
    truth = plain(8, bulge_share=0.9)
    red = clean(truth.assign(old_g_r=truth["old_g_r"] + 0.3, old_r_i=truth["old_r_i"] + 0.2))
    change = red.sum(axis=(1, 2)) / clean(truth).sum(axis=(1, 2))
    assert (change[:, 0] < 0.9).all() and (change[:, 2] > 1.1).all()
    np.testing.assert_allclose(change[:, 1], 1)


def test_galaxies_are_drawn_alone_as_they_are_in_company():
    truth = draw(64, clumpiness=0.0)
    order = np.random.default_rng(0).permutation(64)[:10]
    np.testing.assert_allclose(clean(truth.iloc[order]), clean(truth)[order], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("kind", population.KINDS)
def test_one_galaxy_of_any_kind_can_be_drawn(kind):
    truth = draw(400)
    assert np.isfinite(clean(truth[truth["kind"] == kind][:1])).all()


# Noise


def test_the_empty_sky_has_unit_sigma_in_every_band():
    truth = draw(256, r_mag=40.0, trail_sigma=0.0)
    images = galaxies.observe(clean(truth), electrons(truth), np.random.default_rng(1))
    np.testing.assert_allclose(images.std(axis=(0, 1, 2)), 1, rtol=0.005)
    np.testing.assert_allclose(images.mean(axis=(0, 1, 2)), 0, atol=0.005)


def test_empty_corners_of_a_simulated_sky_have_unit_sigma():
    whole = sky(6000, 90210)
    alone = whole.truth["kind"].isin(["elliptical", "disc"]) & (
        whole.truth["r_mag"] > whole.truth["r_mag"].quantile(0.7)
    )
    for name in ("companion_share", "star_share", "tail_share", "trail_sigma"):
        alone &= whole.truth[name] == 0
    corners = whole.images[alone.to_numpy()][:, :4, :4]
    median = np.median(corners, axis=(0, 1, 2))
    spread = 1.4826 * np.median(np.abs(corners - median), axis=(0, 1, 2))
    np.testing.assert_allclose(spread, 1, rtol=0.08)
    assert (np.abs(median) < 0.5).all()  # the faintest wings of the galaxies


@settings(max_examples=8, deadline=None)
@given(st.floats(0, 300), st.floats(5, 200))
def test_the_variance_of_the_noise_is_one_plus_signal_over_sigma(signal, sigma):
    images = np.full((20, 32, 32, 3), signal, dtype=np.float32)
    noisy = galaxies.observe(images, np.full((20, 3), sigma), np.random.default_rng(2))
    assert float(noisy.var()) == pytest.approx(1 + signal / sigma, rel=0.03)
    assert noisy.mean() == pytest.approx(signal, abs=0.02 * float(noisy.std()))


def test_noise_is_drawn_anew_in_every_band_and_pixel():
    noise = galaxies.observe(
        np.zeros((200, 32, 32, 3)), np.ones((200, 3)), np.random.default_rng(3)
    )
    for left, right in ((noise[..., 0], noise[..., 1]), (noise[:, 1:], noise[:, :-1])):
        assert abs(np.corrcoef(left.ravel(), right.ravel())[0, 1]) < 0.01


# Seeds, blocks, workers


def test_the_first_galaxies_are_the_same_however_many_are_asked_for():
    few, many = galaxies.simulate(70, 5), galaxies.simulate(140, 5)
    np.testing.assert_array_equal(few.images, many.images[:70])
    np.testing.assert_array_equal(few.probabilities, many.probabilities[:70])
    assert few.truth.equals(many.truth[:70])
    assert len(few) == 70


def test_two_workers_draw_what_one_draws():
    one, two = galaxies.simulate(130, 6), galaxies.simulate(130, 6, workers=2)
    np.testing.assert_array_equal(one.images, two.images)
    np.testing.assert_array_equal(one.probabilities, two.probabilities)
    assert one.truth.equals(two.truth)


def test_seeds_and_blocks_differ():
    one, two = galaxies.simulate(128, 7), galaxies.simulate(64, 8)
    assert not np.isin(one.truth["r_mag"], two.truth["r_mag"]).any()
    assert one.truth["r_mag"].is_unique
    noise = one.images[:64] - one.images[64:]
    assert np.abs(noise).min(axis=(1, 2, 3)).max() < 1 < noise.std()


def test_the_shapes_and_types_are_those_promised():
    found = galaxies.simulate(3, 1, size=32, progress=True)
    assert found.images.shape == (3, 32, 32, 3) and found.images.dtype == np.float32
    assert found.probabilities.shape == (3, 37) and found.probabilities.dtype == np.float32
    assert np.isfinite(found.images).all()
    assert {f"visible_{name}" for name in galaxies.FEATURES} <= set(found.truth.columns)


def test_a_finer_stamp_shows_the_same_galaxy():
    coarse, fine = plain(4), plain(4)
    fine = fine.assign(pixel_arcsec=coarse["pixel_arcsec"] / 2)
    small = clean(coarse) * electrons(coarse)[:, None, None, :]
    large = clean(fine, size=96) * electrons(fine)[:, None, None, :]
    binned = large.reshape(4, 48, 2, 48, 2, 3).sum(axis=(2, 4))
    np.testing.assert_allclose(binned, small, atol=0.003 * small.max())


# What can be seen


def columns(names):
    return [f"visible_{name}" for name in names]


@cache
def under(seeing=1.0, depth_mag=0.0):
    """The same 300 galaxies under another sky."""
    return visible(blurred(draw(300), seeing), survey=SDSS.worse(depth_mag=depth_mag))


def test_features_that_are_not_there_are_not_seen():
    seen = visible(plain(16, inclination_rad=0.5))
    assert (seen[columns(galaxies.FEATURES)] < 1e-6).all().all()


@pytest.mark.parametrize("feature", sorted(set(galaxies.FEATURES) - {"trail"}))
def test_a_shallower_survey_hides_every_feature(feature):
    usual, shallow = (under(depth_mag=depth)[f"visible_{feature}"] for depth in (0.0, 1.0))
    there = usual > 1e-3
    assert there.sum() >= 3
    assert (shallow[there] < usual[there]).all()


@pytest.mark.parametrize("feature", ["arms", "clumps", "lopsided", "tail", "arc"])
def test_worse_seeing_washes_out_fine_structure(feature):
    sharp, soft, softer = (under(seeing=factor)[f"visible_{feature}"] for factor in (1, 2, 4))
    there = sharp > 1e-2
    assert softer[there].mean() < soft[there].mean() < 0.9 * sharp[there].mean()


def test_stronger_arms_are_seen_better():
    seen = [
        visible(plain(16, inclination_rad=0.5, arms=2, arm_strength=s))["visible_arms"]
        for s in (0.2, 0.5, 1.0)
    ]
    assert (seen[0] < seen[1]).all() and (seen[1] < seen[2]).all()


# What is refused


@pytest.mark.parametrize(
    "arguments",
    [
        {"n": 0}, {"n": -3}, {"n": 2.0}, {"n": True}, {"seed": 1.5}, {"seed": -1},
        {"seed": None}, {"size": 47}, {"size": 16}, {"size": 48.0}, {"workers": 0},
        {"survey": "SDSS"},
    ],
    ids=str,
)  # fmt: skip
def test_simulate_refuses_and_says_what_it_expects(arguments):
    name, value = next(iter(arguments.items()))
    with pytest.raises(ValueError, match=f"received {name}={value!r}, expected"):
        galaxies.simulate(**{"n": 2, "seed": 1, **arguments})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda truth: truth.assign(sersic_n=np.nan), r"NaN or infinity in \['sersic_n'\]"),
        (lambda truth: truth.assign(r_mag=np.inf), r"NaN or infinity in \['r_mag'\]"),
        (lambda truth: truth.drop(columns=["arms"]), r"without \['arms'\]"),
        (
            lambda truth: truth.assign(seeing_r_arcsec=-1.3),
            r"zero or less in \['seeing_r_arcsec'\]",
        ),
        (lambda truth: truth.assign(r90_arcsec=0.0), r"zero or less in \['r90_arcsec'\]"),
    ],
)
def test_render_refuses_an_unsound_truth_by_the_name_of_its_column(change, message):
    with pytest.raises(ValueError, match=message):
        clean(change(draw(4)))


@pytest.mark.parametrize("size", [47, -2, 4096, 48.0])
def test_render_refuses_other_sizes(size):
    with pytest.raises(ValueError, match=f"render: received size={size}, expected"):
        clean(draw(2), size=size)


@pytest.mark.parametrize(
    ("shape", "sigma"), [((3, 8, 8, 3), np.ones((4, 3))), ((8, 8, 3), np.ones((8, 3))),
                         ((2, 8, 8, 3), np.zeros((2, 3)))]
)  # fmt: skip
def test_observe_refuses_shapes_that_do_not_fit(shape, sigma):
    with pytest.raises(ValueError, match=r"observe: received images of shape"):
        galaxies.observe(np.zeros(shape), sigma, np.random.default_rng(0))


# The stretch


@given(st.floats(-50, 1e5), st.floats(-50, 1e5))
def test_the_stretch_keeps_the_order_of_brightness(a, b):
    low, high = galaxies.stretch(np.sort(np.float32([a, b])))
    assert low <= high


def test_the_stretch_is_linear_for_faint_and_logarithmic_for_bright_light():
    faint = np.float32([-0.1, 0.1])
    np.testing.assert_allclose(galaxies.stretch(faint), faint / 12, rtol=1e-3)
    bright = galaxies.stretch(np.float32([1e4, 1e5]))
    assert bright[1] - bright[0] == pytest.approx(np.log(10) / 4, rel=1e-3)
    assert galaxies.stretch(np.zeros(3)).dtype == np.float32


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_the_stretch_refuses_bad_pixels_and_counts_them(bad):
    with pytest.raises(ValueError, match="received 2 pixels that are NaN or infinite"):
        galaxies.stretch(np.array([0.0, bad, bad]))


@pytest.mark.parametrize("softening", [0.0, -1.0, np.nan, np.inf])
def test_the_stretch_refuses_an_impossible_softening(softening):
    with pytest.raises(ValueError, match="softening: received"):
        galaxies.stretch(np.zeros(3), softening)
