"""Galaxies cut from a color picture: found where they lie, scaled to their size, stretch undone."""

import numpy as np
import pytest

from firstlight.archive.galaxies import hubble_deep_field
from firstlight.sky import galaxies
from firstlight.studies.galaxy_zoo_hubble import HALF_LIGHT, PEAK, SIDE, cutouts


def painted(*blobs: tuple[float, float, float], shape: tuple[int, int] = (300, 400)) -> np.ndarray:
    """A picture of round Gaussian blobs: row, column and sigma in pixels."""
    row, column = np.indices(shape)
    light = sum(
        np.exp(-((row - y) ** 2 + (column - x) ** 2) / (2 * sigma**2)) for y, x, sigma in blobs
    )
    shade = 12 + 220 * np.clip(light, 0, 1)
    shade = shade + np.random.default_rng(1).normal(0, 1.5, shape)
    return np.repeat(np.clip(shade, 0, 255)[..., None], 3, axis=2).astype(np.uint8)


def test_finds_blobs_where_they_lie_largest_first():
    found = cutouts(painted((100, 100, 8), (180, 280, 14)), 5)
    assert len(found.images) == 2
    np.testing.assert_allclose(found.at, [[180, 280], [100, 100]], atol=0.6)
    assert found.side[0] / found.side[1] == pytest.approx(14 / 8, rel=0.08)


def test_a_stamp_holds_a_source_at_the_same_size_whatever_its_size_in_the_picture():
    small, large = (cutouts(painted((150, 200, sigma)), 1).pictures[0, ..., 0] for sigma in (8, 14))
    assert np.abs(small - large).mean() < 0.03
    assert small[SIDE // 2, SIDE // 2] > 0.85


def test_half_of_the_light_of_a_stamp_lies_within_the_stated_radius():
    light = cutouts(painted((150, 200, 12)), 1).pictures[0, ..., 0].astype(float)
    light = np.clip(light - 13 / 255, 0, None) * (light > 0.1)
    row, column = np.indices(light.shape)
    near = np.hypot(row - 23.5, column - 23.5) <= HALF_LIGHT
    assert light[near].sum() / light.sum() == pytest.approx(0.5, abs=0.06)


def test_stretching_the_flux_again_gives_the_picture_back():
    found = cutouts(painted((150, 200, 12)), 1)
    shade = galaxies.stretch(found.images[0, ..., 2])  # noise of one sky sigma lies over it
    wanted = PEAK * np.clip(found.pictures[0, ..., 0] - 12 / 255, 0, None)
    bright = wanted > 0.6
    np.testing.assert_allclose(shade[bright], wanted[bright], atol=0.05)


def test_red_of_the_picture_is_band_i():
    picture = painted((150, 200, 12))
    picture[..., 2] = picture[..., 2] // 3
    flux = cutouts(picture, 1).images[0, 20:28, 20:28].mean(axis=(0, 1))
    assert flux[2] > 2 * flux[0]


def test_a_source_under_a_neighbor_is_left_out_and_so_is_one_at_the_edge():
    assert len(cutouts(painted((5, 200, 12)), 3).images) == 0
    alone = cutouts(painted((150, 100, 12), (150, 300, 12)), 3)
    crowded = cutouts(painted((150, 180, 12), (150, 205, 5)), 3)
    assert len(alone.images) == 2
    assert len(crowded.images) < 2


def test_an_empty_sky_gives_nothing_and_wrong_pictures_say_so():
    assert cutouts(painted((0, 0, 1e-3)), 3).images.shape == (0, SIDE, SIDE, 3)
    with pytest.raises(ValueError, match="expected a color picture"):
        cutouts(np.zeros((20, 20)), 3)
    with pytest.raises(ValueError, match="expected 1 or more"):
        cutouts(painted((150, 200, 12)), 0)


def test_the_same_seed_gives_the_same_noise():
    picture = hubble_deep_field()[:400, :400]
    first, again, other = (cutouts(picture, 3, seed=seed).images for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.std(first - other) == pytest.approx(np.sqrt(2), rel=0.05)
