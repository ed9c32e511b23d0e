"""Facts about galaxy morphology: known profiles, symmetries, limits, and invariances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize

from firstlight.evaluation import morphology, photometry
from firstlight.evaluation.alignment import align

PROFILES = {
    "exponential": lambda r: np.exp(-r / 7.0),
    "gaussian": lambda r: np.exp(-0.5 * (r / 7.0) ** 2),
    "de_vaucouleurs": lambda r: np.exp(-7.669 * ((r / 10.0) ** 0.25 - 1)),
}


def drawn(profile, side=128, center=(0.0, 0.0), axis_ratio=1.0, angle_deg=0.0, fine=9):
    """A profile integrated over pixels, by brute oversampling."""
    grid = (np.arange(side * fine) + 0.5) / fine - side / 2
    x, y = grid[None, :] - center[0], grid[:, None] - center[1]
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    r = np.hypot(c * x + s * y, (-s * x + c * y) / axis_ratio)
    return profile(r).reshape(side, fine, side, fine).mean(axis=(1, 3)).astype(np.float32)


def by_integration(profile):
    """Petrosian radius, r20, r80 of a round profile by quadrature and root finding."""

    def light(radius):
        return integrate.quad(lambda r: 2 * np.pi * r * profile(r), 0, radius, limit=200)[0]

    def excess(r):
        inner, outer = r / 1.25, 1.25 * r
        ring = (light(outer) - light(inner)) / (np.pi * (outer**2 - inner**2))
        return ring / (light(r) / (np.pi * r**2)) - 0.2

    petrosian = optimize.brentq(excess, 2, 60)
    total = light(1.5 * petrosian)
    r20 = optimize.brentq(lambda r: light(r) / total - 0.2, 0.01, 100)
    r80 = optimize.brentq(lambda r: light(r) / total - 0.8, 0.01, 100)
    return petrosian, r20, r80


@pytest.mark.parametrize("name", PROFILES)
def test_radii_and_concentration_agree_with_quadrature(name):
    petrosian, r20, r80 = by_integration(PROFILES[name])
    found = morphology.measure([drawn(PROFILES[name])], noise=0)
    assert found["petrosian_radius"][0] == pytest.approx(petrosian, rel=0.02)
    assert found["r20"][0] == pytest.approx(r20, rel=0.03)
    assert found["r80"][0] == pytest.approx(r80, rel=0.02)
    assert found["concentration"][0] == pytest.approx(5 * np.log10(r80 / r20), abs=0.06)


def test_half_light_radius_of_a_gaussian_is_known_in_closed_form():
    found = morphology.measure([drawn(PROFILES["gaussian"])], noise=0)
    assert found["r50"][0] == pytest.approx(7.0 * np.sqrt(2 * np.log(2)), rel=0.01)


def test_concentration_orders_the_profiles():
    stack = [drawn(PROFILES[k]) for k in ("gaussian", "exponential", "de_vaucouleurs")]
    assert np.all(np.diff(morphology.measure(stack, noise=0)["concentration"]) > 0.3)


def test_apertures_hold_the_area_of_their_circle():
    circles = photometry.apertures(48)
    inside = circles.radii < 23
    area = np.pi * circles.radii[inside] ** 2
    np.testing.assert_allclose(circles.areas[:, inside], np.tile(area, (4, 1)), rtol=0.02)
    assert circles.weights.max() == 1 and circles.weights.min() == 0


def test_gini_of_even_light_is_zero_and_of_one_pixel_is_one():
    even, one = np.full((1, 500), 3.0), np.zeros((1, 500))
    one[0, 17] = 5
    assert morphology.gini(even)[0] == pytest.approx(0, abs=1e-5)
    assert morphology.gini(one)[0] == pytest.approx(1, abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 60))
def test_gini_equals_its_definition_by_mean_differences(seed, count):
    values = np.random.default_rng(seed).exponential(size=(2, count))
    mask = np.random.default_rng(seed + 1).random((2, count)) < 0.8
    mask[:, :2] = True
    for row, inside, found in zip(values, mask, morphology.gini(values, mask), strict=True):
        x = row[inside]
        differences = np.abs(x[:, None] - x).sum()
        assert found == pytest.approx(
            differences / (2 * x.mean() * len(x) * (len(x) - 1)), abs=1e-4
        )


@pytest.mark.parametrize("center", [(0, 0), (0.5, 0), (1.0, -2.5), (3.5, 2.0)])
@pytest.mark.parametrize("side", [47, 48])
def test_a_symmetric_galaxy_has_no_asymmetry_wherever_its_center(center, side):
    image = drawn(lambda r: np.exp(-r / 3), side, center, axis_ratio=0.6, angle_deg=30)
    assert abs(morphology.measure([image], noise=0)["asymmetry"][0]) < 0.02


def test_asymmetry_grows_with_a_clump_on_one_side():
    smooth = drawn(PROFILES["exponential"], 64)
    y, x = np.mgrid[:64, :64] - 31.5
    clump = np.exp(-0.5 * ((x - 9) ** 2 + (y - 3) ** 2) / 4)
    found = morphology.measure([smooth + f * clump for f in (0, 0.1, 0.3, 0.6)], noise=0)
    assert found["asymmetry"][0] == pytest.approx(0, abs=0.01)
    assert np.all(np.diff(found["asymmetry"]) > 0.01)


def test_the_sky_adds_no_asymmetry_on_average():
    rng = np.random.default_rng(3)
    image = 60 * drawn(lambda r: np.exp(-r / 3), 48)
    noisy = image + rng.normal(size=(200, 48, 48))
    found = morphology.measure(noisy, noise=1)["asymmetry"]
    raw_sky = 2 / np.sqrt(np.pi) * np.pi * 15**2 / image.sum()
    assert abs(found.mean()) < 0.15 * raw_sky


@pytest.mark.parametrize("axis_ratio", [0.3, 0.5, 0.8, 1.0])
def test_second_moments_find_the_axis_ratio_and_the_angle(axis_ratio):
    image = drawn(PROFILES["exponential"], axis_ratio=axis_ratio, angle_deg=35)
    found = morphology.measure([image], noise=0)
    assert found["axis_ratio"][0] == pytest.approx(axis_ratio, abs=0.04)
    if axis_ratio < 1:
        assert found["position_angle"][0] == pytest.approx(35, abs=2)


def test_m20_rises_from_one_nucleus_to_two():
    single = drawn(PROFILES["exponential"])
    pair = drawn(PROFILES["exponential"], center=(8, 0)) + drawn(
        PROFILES["exponential"], center=(-8, 0)
    )
    found = morphology.measure([drawn(PROFILES["de_vaucouleurs"]), single, pair], noise=0)
    assert found["m20"][0] < found["m20"][1] < found["m20"][2] < 0


def noisy_galaxy(seed):
    rng = np.random.default_rng(seed)
    image = 80 * drawn(
        lambda r: np.exp(-r / 3.5), 48, rng.normal(size=2), rng.uniform(0.4, 1), 180 * rng.random()
    )
    return image + rng.normal(size=image.shape).astype(np.float32)


SHAPES = ("petrosian_radius", "r20", "r80", "concentration", "asymmetry", "gini", "m20")


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 100))
def test_shapes_do_not_depend_on_the_flux_scale(seed, scale):
    image = noisy_galaxy(seed)
    found = morphology.measure([image, scale * image], noise=[1.0, scale])
    for name in (*SHAPES, "axis_ratio", "signal_to_noise"):
        assert found[name][1] == pytest.approx(found[name][0], rel=1e-2, abs=1e-2), name
    assert found["flux"][1] == pytest.approx(scale * found["flux"][0], rel=1e-3)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_shapes_do_not_depend_on_quarter_turns_and_mirrors(seed):
    image = noisy_galaxy(seed)
    found = morphology.measure([image, np.rot90(image), image[::-1], image.T], noise=1)
    for name in (*SHAPES, "axis_ratio"):
        np.testing.assert_allclose(found[name], found[name][0], rtol=1e-2, atol=1e-2)
    turned = (found["position_angle"][1] - found["position_angle"][0] + 90) % 180
    assert min(turned, 180 - turned) < 1 or found["axis_ratio"][0] > 0.95


def test_a_batch_gives_what_its_images_give_alone():
    batch = np.stack([noisy_galaxy(k) for k in range(5)])
    together = morphology.measure(batch, noise=1)
    for k in range(5):
        alone = morphology.measure(batch[k : k + 1], noise=1)
        for name, values in alone.items():
            assert together[name][k] == pytest.approx(values[0], rel=1e-4, abs=1e-4), name


def test_border_sky_finds_level_and_noise():
    image = 5 + 2 * np.random.default_rng(0).normal(size=(50, 48, 48))
    level, sigma = morphology.border_sky(image)
    assert level.mean() == pytest.approx(5, abs=0.05)
    assert sigma.mean() == pytest.approx(2, rel=0.03)


def test_colors_are_magnitude_differences():
    image = 100 * drawn(lambda r: np.exp(-r / 3), 48)
    cube = np.stack([image, 2 * image, 3 * image], axis=-1)[None]
    expected = -2.5 * np.log10([1 / 2, 2 / 3])
    np.testing.assert_allclose(morphology.colors(cube)[0], expected, atol=1e-3)


def test_noise_alone_is_measured_without_a_crash():
    sky = np.random.default_rng(0).normal(size=(20, 32, 32))
    found = morphology.measure(sky, noise=1)
    assert all(np.isfinite(values).all() for values in found.values())


def test_color_images_are_refused_with_the_way_out():
    with pytest.raises(ValueError, match=r"received shape \(2, 48, 48, 3\).*images\[\.\.\., 1\]"):
        morphology.measure(np.zeros((2, 48, 48, 3)))


def test_aligned_galaxies_lie_along_x_in_the_middle_and_keep_their_light():
    rng = np.random.default_rng(0)
    stamps = []
    for angle in (0, 20, 45, 90, 133):
        image = 80 * drawn(lambda r: np.exp(-r / 3.5), 48, rng.uniform(-2, 2, 2), 0.5, angle)
        stamps.append(image)
    sky = np.stack(stamps)[..., None] * np.ones(3, np.float32)
    turned = align(sky)
    found = morphology.measure(turned[..., 1], noise=0)
    angles = np.abs((found["position_angle"] + 90) % 180 - 90)
    assert angles.max() < 2
    np.testing.assert_allclose(found["axis_ratio"], 0.5, atol=0.05)
    np.testing.assert_allclose(turned.sum(axis=(1, 2)), sky.sum(axis=(1, 2)), rtol=0.02)
    middle = turned[:, 22:26, 22:26, 1].sum(axis=(1, 2))
    assert np.all(middle > 0.9 * middle.max())
    with pytest.raises(ValueError, match="the same"):
        align(sky, sky[:2])
