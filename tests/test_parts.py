"""The light of a galaxy, part by part: nothing is lost, nothing is added twice."""

import numpy as np
import pytest

from firstlight.sky import parts
from firstlight.sky.population import STAMP_IN_R90
from firstlight.sky.render import Grid
from sky_kit import draw, plain

GRID = Grid(48)
NONE = {"arm_strength": 0.0, "arms": 0, "clumpiness": 0.0, "lopsidedness": 0.0}


def light(truth, seed=3):
    groups, by_feature = parts.light(GRID, truth, parts.Pixels(truth), np.random.default_rng(seed))
    return groups, by_feature


def total(truth, seed=3):
    """All the light of each galaxy: the transform at zero wavenumber."""
    return sum(group[:, 0, 0].real for group in light(truth, seed)[0].values())


def test_a_plain_galaxy_holds_all_its_light():
    np.testing.assert_allclose(total(plain()), 1, atol=2e-3)


@pytest.mark.parametrize("kind", ["elliptical", "disc", "irregular", "star", "artifact"])
def test_each_kind_holds_all_its_light(kind):
    truth = draw(kind=kind, companion_share=0.0, tail_share=0.0, arc_share=0.0, star_share=0.0,
                 dust=0.0, boxy=0.0)  # fmt: skip
    np.testing.assert_allclose(total(truth), 1, atol=2e-3)


@pytest.mark.parametrize(
    "structure",
    [
        {"arms": 2, "arm_strength": 0.9},
        {"clumpiness": 0.9},
        {"lopsidedness": 0.6},
        {"arms": 3, "arm_strength": 1.0, "clumpiness": 0.6, "lopsidedness": 0.4},
    ],
    ids=lambda s: " ".join(s),
)
def test_arms_clumps_and_lopsidedness_move_light_and_add_none(structure):
    truth = plain(inclination_rad=0.5)
    before, after = light(truth)[0], light(truth.assign(**structure))[0]
    moved = np.abs(after["young"] - before["young"]).max(axis=(1, 2))
    assert (moved > 1e-3).all()
    change = (after["young"] - before["young"])[:, 0, 0]
    np.testing.assert_allclose(np.abs(change), 0, atol=1e-4)


def test_a_bar_and_a_ring_take_their_light_from_the_disc():
    truth = plain(inclination_rad=0.4, bulge_share=0.0)
    groups, by_feature = light(truth.assign(bar_share=0.2, ring_share=0.1))
    # What makes them visible is their difference from as much light without a shape.
    for feature in ("bar", "ring"):
        change = by_feature[feature][1]
        np.testing.assert_allclose(np.abs(change[:, 0, 0]), 0, atol=1e-4)
        assert (np.abs(change).max(axis=(1, 2)) > 1e-2).all()
    # Bars are of old stars, the disc and its rings of young ones.
    np.testing.assert_allclose(groups["old"][:, 0, 0].real, 0.2, atol=1e-3)
    np.testing.assert_allclose(groups["young"][:, 0, 0].real, 0.8, atol=1e-3)


def test_a_bar_cannot_be_made_out_edge_on_and_its_light_stays_in_the_disc():
    truth = plain(inclination_rad=1.5, bar_share=0.3, ring_share=0.2)
    by_feature = light(truth)[1]
    assert "bar" not in by_feature and "ring" not in by_feature
    np.testing.assert_allclose(total(truth), 1, atol=2e-3)


def test_dust_takes_light_away_in_edge_on_discs_only():
    edge_on, face_on = plain(inclination_rad=1.5), plain(inclination_rad=0.3)
    assert (total(edge_on.assign(dust=0.9)) < total(edge_on) - 0.05).all()
    np.testing.assert_allclose(total(face_on.assign(dust=0.9)), total(face_on), atol=1e-6)


@pytest.mark.parametrize("share", ["companion_share", "tail_share", "arc_share", "star_share"])
def test_what_lies_beside_the_galaxy_adds_its_share(share):
    truth = plain()
    np.testing.assert_allclose(total(truth.assign(**{share: 0.2})) - total(truth), 0.2, atol=1e-3)


def test_features_are_recorded_where_they_are_and_nowhere_else():
    truth = plain(inclination_rad=0.4)
    truth.loc[5, ["arms", "arm_strength"]] = 2, 0.8
    truth.loc[9, "star_share"] = 0.3
    by_feature = light(truth)[1]
    assert by_feature["arms"][0].tolist() == [5]
    assert by_feature["star"][0].tolist() == [9]
    assert {"bar", "ring", "dust", "boxy", "companion", "tail", "arc"}.isdisjoint(by_feature)


def test_the_mirror_image_winds_the_other_way():
    truth = plain(
        4, inclination_rad=0.0, angle_rad=0.0, x_r90=0.0, y_r90=0.0, arms=2, arm_strength=0.9
    )  # fmt: skip
    left, right = (
        GRID.images(light(truth.assign(arm_hand=hand))[0]["young"]) for hand in (-1.0, 1.0)
    )
    np.testing.assert_allclose(left, right[:, ::-1], atol=1e-4 * right.max())
    assert np.abs(left - right).max() > 0.05 * right.max()


def test_lengths_are_in_pixels_of_each_galaxys_own_stamp():
    truth = draw(8)
    pixels = parts.Pixels(truth)
    np.testing.assert_allclose(pixels.r90, 48 / STAMP_IN_R90, rtol=1e-6)
    np.testing.assert_allclose(
        pixels("disc_scale_r90"), truth["disc_scale_r90"] * 48 / STAMP_IN_R90
    )
    fwhm = truth["seeing_g_arcsec"] / truth["pixel_arcsec"]
    np.testing.assert_allclose(pixels.fwhm("g"), fwhm)
