"""Arms, bars, rings, tails: what they do to the light of a circle, and how much they hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.sky import structure
from firstlight.sky.render import Grid, tilted_disc

GRID = Grid(48)
AZIMUTH = np.linspace(-np.pi, np.pi, 720, endpoint=False, dtype=np.float32)[None, None]
arm_numbers = st.integers(1, 6)
pitches = st.floats(np.radians(8), np.radians(45))


def one(value):
    return np.array([value], dtype=float)


def contrast(radius, azimuth=AZIMUTH, *, arms=2, pitch=0.35, sharpness=2.0, phase=0.0, wander=0.0):
    """Spiral contrast along a circle of `radius` scale lengths."""
    radii = np.full(azimuth.shape, radius, dtype=np.float32)
    values = structure.spiral(
        radii, azimuth, scale=one(1), arms=one(arms), pitch=one(pitch),
        sharpness=one(sharpness), phase=one(phase), wander=one(wander),
    )  # fmt: skip
    return values[0, 0]


def plane(inclination=0.0, angle=0.0, center=(0.0, 0.0)):
    return structure.disc_plane(GRID, np.array([center]), one(inclination), one(angle))


@settings(max_examples=40, deadline=None)
@given(arm_numbers, pitches, st.floats(0.1, 6), st.floats(0, 0.5), st.floats(0.3, 5))
def test_arms_add_no_light_to_any_circle(arms, pitch, sharpness, wander, radius):
    values = contrast(radius, arms=arms, pitch=pitch, sharpness=sharpness, wander=wander, phase=1.0)
    assert values.mean() == pytest.approx(0, abs=1e-4)
    assert values.min() >= -1


@given(arm_numbers)
def test_the_arms_are_as_many_as_asked_for(arms):
    values = contrast(2.0, arms=arms, sharpness=4.0, phase=0.3)
    above = values > 0
    assert np.count_nonzero(above & ~np.roll(above, 1)) == arms


@settings(max_examples=20, deadline=None)
@given(pitches)
def test_arms_cross_every_circle_at_the_pitch_angle(pitch):
    # tan(pitch) = d ln r / d azimuth along the ridge, so a small step outward turns the ridge.
    step = 0.02
    turn = step / np.tan(pitch)
    inner = contrast(2.0, pitch=pitch, phase=0.2)
    outer = contrast(
        2.0 * np.exp(step), (AZIMUTH + turn).astype(np.float32), pitch=pitch, phase=0.2
    )
    np.testing.assert_allclose(inner, outer, atol=0.01)


def test_sharper_arms_have_more_contrast_and_none_have_none():
    peaks = [contrast(2.0, sharpness=s).max() for s in (0.0, 0.5, 2.0, 6.0)]
    assert peaks[0] == pytest.approx(0, abs=1e-6)
    assert peaks == sorted(peaks)


@pytest.mark.parametrize("radius", [0.05, 12.0])
def test_there_are_no_arms_in_the_center_nor_far_outside(radius):
    assert np.abs(contrast(radius)).max() < 0.05


def test_the_plane_of_a_disc_seen_face_on_is_the_sky():
    radius, azimuth = plane(center=(1.0, -2.0))
    axis = np.arange(GRID.padded) - (GRID.padded - 1) / 2
    x, y = axis[None, :] - 1.0, axis[:, None] + 2.0
    np.testing.assert_allclose(radius[0], np.hypot(x, y), rtol=1e-5)
    np.testing.assert_allclose(azimuth[0], np.arctan2(y, x), atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 1.3), st.floats(0, np.pi))
def test_tilting_stretches_the_minor_axis_only(inclination, angle):
    radius, azimuth = plane(inclination, angle)
    flat, place = plane(0.0, angle)
    along, across = flat * np.cos(place), flat * np.sin(place)
    np.testing.assert_allclose(radius * np.cos(azimuth), along, atol=2e-3)
    np.testing.assert_allclose(
        radius * np.sin(azimuth) * np.cos(inclination), across, atol=2e-3
    )  # fmt: skip


@pytest.mark.parametrize("truncation", [0.0, 0.4, 1.0])
def test_the_light_of_the_map_is_the_light_of_the_transform(truncation):
    scale, tilt, angle = 4.0, 0.8, 0.6
    radius, _ = plane(tilt, angle)
    light = structure.disc_light(radius, one(scale), one(truncation), one(tilt))[0]
    thin = tilted_disc(GRID, one(scale), one(truncation), one(1e-6), one(tilt), one(angle))
    whole = GRID.images(thin * GRID.phase(np.zeros((1, 2))))[0]
    kept = slice(GRID.start, GRID.start + GRID.size)
    away = radius[0, kept, kept] > 4  # the cusp of an exponential falls between pixels
    difference = np.abs(light[kept, kept] - whole)[away]
    assert difference.max() < 0.01 * whole.max()
    assert light.sum() == pytest.approx(1, abs=0.02)


def all_shapes():
    radius, azimuth = plane(0.5, 0.3)
    yield "bar", structure.bar(radius, azimuth, one(9), one(0.3), one(0.7))
    yield "ring", structure.ring(radius, one(8), one(1))
    yield "spikes", structure.spikes(GRID, np.zeros((1, 2)), one(0.2), one(5))
    yield "tail", structure.tail(
        radius, azimuth, start=one(6), reach=one(2), growth=one(0.2), width=one(0.13),
        phase=one(1.0),
    )  # fmt: skip


@pytest.mark.parametrize(("name", "light"), all_shapes(), ids=lambda value: str(value)[:6])
def test_every_shape_holds_one_unit_of_light_and_none_below_zero(name, light):
    assert light.sum() == pytest.approx(1, abs=1e-4), name
    assert light.min() >= 0, name


def test_a_bar_points_where_it_should_and_is_longer_than_wide():
    x, y = (axis[0] for axis in GRID.offsets(np.zeros((1, 2))))
    light = structure.bar(*plane(), one(10), one(0.3), one(0.5))[0]
    xx, yy, xy = ((light * moment).sum() for moment in (x**2, y**2, x * y))
    assert 0.5 * np.arctan2(2 * xy, xx - yy) == pytest.approx(0.5, abs=0.01)
    major, minor = np.linalg.eigvalsh([[xx, xy], [xy, yy]])[::-1] ** 0.5
    assert 0.2 < minor / major < 0.45


def test_a_ring_is_brightest_at_its_radius():
    radius, _ = plane()
    light = structure.ring(radius, one(9), one(1.2))
    assert radius.ravel()[light.argmax()] == pytest.approx(9, abs=0.3)


def test_a_tail_starts_at_its_phase_opens_outward_and_ends():
    radius, azimuth = plane()
    light = structure.tail(
        radius, azimuth, start=one(6), reach=one(2.0), growth=one(0.3), width=one(0.08),
        phase=one(0.4),
    )[0]  # fmt: skip
    bright = light > 0.2 * light.max()
    turn = np.mod(azimuth[0] - 0.4, 2 * np.pi)[bright]
    assert 0 < turn.min() < 0.3 and 1.7 < turn.max() < 2.3
    middle = np.log(radius[0][bright] / 6)
    assert np.polyfit(turn, middle, 1)[0] == pytest.approx(0.3, abs=0.05)


def test_clumps_have_zero_mean_unit_variance_and_the_grain_asked_for():
    fields = structure.clumps(GRID, np.random.default_rng(0), np.array([1.0, 3.0, 3.0]))
    np.testing.assert_allclose(fields.mean(axis=(1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(fields.std(axis=(1, 2)), 1, rtol=1e-4)
    neighbor = (fields * np.roll(fields, 1, axis=2)).mean(axis=(1, 2))
    # White noise smoothed by a Gaussian g is correlated as exp(-d^2 / 4 g^2).
    np.testing.assert_allclose(neighbor, np.exp(-1 / (4 * np.array([1, 9, 9]))), atol=0.05)
    assert np.abs(fields[1] - fields[2]).max() > 0.5


def test_a_trail_carries_one_unit_of_light_per_pixel_of_its_length():
    light = structure.trail(GRID, one(0.0), one(2.3))[0]
    np.testing.assert_allclose(light.sum(axis=0), 1, atol=0.01)
    rows = np.arange(GRID.padded) - (GRID.padded - 1) / 2
    assert (light.sum(axis=1) * rows).sum() / light.sum() == pytest.approx(2.3, abs=0.05)
