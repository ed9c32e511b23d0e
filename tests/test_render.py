"""Profiles drawn in Fourier space, against GalSim's own drawings of the same galaxies."""

import galsim
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.sky import render
from firstlight.sky.render import Grid, point_spread, sersic, tilted_disc

GRID = Grid(48)
CENTER = (0.3, -0.7)
angles, ratios = st.floats(0, np.pi), st.floats(0.25, 1)


def one(value):
    return np.array([value], dtype=float)


def draw(transforms, fwhm, center=CENTER):
    """Our drawing of one profile through a point-spread function."""
    whole = transforms * point_spread(GRID, one(fwhm)) * GRID.phase(np.array([center]))
    return GRID.images(whole)[0]


def galsim_draw(profile, fwhm, center=CENTER):
    """GalSim's drawing of the same."""
    seen = galsim.Convolve(profile, galsim.Moffat(beta=render.MOFFAT_BETA, fwhm=fwhm))
    return seen.drawImage(nx=48, ny=48, scale=1, offset=center).array


def same(ours, theirs, tolerance=0.003):
    worst = np.abs(ours - theirs).max() / theirs.max()
    assert worst <= tolerance, f"differs by {worst:.2%} of the peak"


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from(render.SERSIC_INDICES),
    st.floats(2, 5),
    st.floats(0.45, 1),
    angles,
    st.floats(3, 5),
)
def test_sersic_profiles_are_those_of_galsim(n, radius, q, angle, fwhm):
    ours = draw(sersic(GRID, one(radius), one(n), one(q), one(angle)), fwhm)
    profile = galsim.Sersic(n, half_light_radius=radius).shear(q=q, beta=angle * galsim.radians)
    same(ours, galsim_draw(profile, fwhm))


@settings(max_examples=12, deadline=None)
@given(st.floats(2, 5), st.floats(0.05, 0.3), st.floats(0, np.pi / 2), angles, st.floats(3, 5))
def test_tilted_discs_are_those_of_galsim(scale, thickness, inclination, angle, fwhm):
    disc = tilted_disc(
        GRID, one(scale), one(0), one(thickness), one(inclination), one(angle)
    )  # fmt: skip
    profile = galsim.InclinedExponential(
        inclination * galsim.radians, scale_radius=scale, scale_height=thickness * scale
    ).rotate(angle * galsim.radians)
    same(draw(disc, fwhm), galsim_draw(profile, fwhm))


def test_a_fully_truncated_disc_is_flat_topped_with_the_same_half_light_radius():
    scale, fine = 4.0, 0.2
    disc = tilted_disc(GRID, one(scale), one(1), one(0.1), one(0), one(0))
    axis = (np.arange(400) - 199.5) * fine
    u = np.add.outer(axis**2, axis**2) / (2 * (render.SAME_HALF_LIGHT * scale) ** 2)
    light = (1 + u) * np.exp(-u)
    profile = galsim.InterpolatedImage(galsim.Image(light, scale=fine), flux=1.0)
    same(draw(disc, 3.0), galsim_draw(profile, 3.0))
    half_light = galsim.Exponential(scale_radius=scale).half_light_radius
    inside = np.add.outer(axis**2, axis**2) < half_light**2
    assert light[inside].sum() / light.sum() == pytest.approx(0.5, abs=0.002)


@pytest.mark.parametrize("fwhm", [2.5, 3.0, 6.0])
def test_a_star_is_the_point_spread_function_of_galsim(fwhm):
    star = np.ones((1, GRID.padded, GRID.padded // 2 + 1))
    theirs = galsim.Moffat(beta=render.MOFFAT_BETA, fwhm=fwhm)
    theirs = theirs.drawImage(nx=48, ny=48, scale=1, offset=CENTER).array
    same(draw(star, fwhm), theirs, 0.005)


def test_seeing_sharper_than_the_pixels_can_carry_is_band_limited():
    star = np.ones((1, GRID.padded, GRID.padded // 2 + 1))
    theirs = galsim.Moffat(beta=render.MOFFAT_BETA, fwhm=1.5)
    theirs = theirs.drawImage(nx=48, ny=48, scale=1, offset=CENTER).array
    same(draw(star, 1.5), theirs, 0.05)
    assert draw(star, 1.5).sum() == pytest.approx(theirs.sum(), rel=1e-3)


@settings(max_examples=20, deadline=None)
@given(st.floats(1, 8), st.sampled_from(render.SERSIC_INDICES), ratios, angles, st.floats(1, 6))
def test_every_profile_has_unit_flux(radius, n, q, angle, fwhm):
    profiles = (
        sersic(GRID, one(radius), one(n), one(q), one(angle)),
        tilted_disc(GRID, one(radius), one(0.4), one(q), one(q), one(angle)),
        point_spread(GRID, one(fwhm)),
    )
    for transforms in profiles:
        assert transforms[0, 0, 0] == pytest.approx(1, abs=2e-4)
        assert transforms.max() <= 1 + 1e-5


def test_a_quarter_turn_of_the_angle_turns_the_image():
    for profile in (
        lambda angle: sersic(GRID, one(4), one(2), one(0.4), one(angle)),
        lambda angle: tilted_disc(GRID, one(4), one(0.5), one(0.1), one(1.2), one(angle)),
    ):
        before = draw(profile(0.4), 3, center=(2.0, 1.0))
        after = draw(profile(0.4 + np.pi / 2), 3, center=(-1.0, 2.0))
        np.testing.assert_allclose(after, np.rot90(before, -1), atol=2e-5 * before.max())


def test_a_star_lies_where_it_was_put():
    x, y = np.meshgrid(*2 * [np.arange(48) - 23.5])
    star = np.ones((1, GRID.padded, GRID.padded // 2 + 1))
    image = draw(star, 4.0, center=(3.25, -5.5))
    near = np.hypot(x - 3.25, y + 5.5) < 8
    found = [(axis * image)[near].sum() / image[near].sum() for axis in (x, y)]
    np.testing.assert_allclose(found, (3.25, -5.5), atol=0.05)


def test_worse_seeing_lowers_the_peak_and_keeps_the_flux():
    disc = tilted_disc(GRID, one(3), one(1), one(0.1), one(0.3), one(0))
    sharp, soft = draw(disc, 2.0, (0, 0)), draw(disc, 4.0, (0, 0))
    assert soft.max() < 0.9 * sharp.max()
    assert soft.sum() == pytest.approx(sharp.sum(), rel=0.02)  # wings beyond the stamp


def test_a_map_comes_back_from_its_transform():
    maps = np.random.default_rng(0).random((3, GRID.padded, GRID.padded), dtype=np.float32)
    kept = slice(GRID.start, GRID.start + GRID.size)
    np.testing.assert_allclose(
        GRID.images(GRID.transform(maps)), maps[:, kept, kept], rtol=1e-4, atol=1e-6
    )


@given(st.integers(16, 256))
def test_the_padding_keeps_wrapped_wings_out(size):
    grid = Grid(size)
    assert grid.padded >= 1.5 * size
    assert 0 <= grid.start <= grid.padded - grid.size
