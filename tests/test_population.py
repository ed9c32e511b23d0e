"""The priors: who is drawn, how bright and how large."""

import numpy as np
import pytest

from firstlight.sky import population
from firstlight.sky.surveys import SDSS
from sky_kit import draw

N = 20_000
TRUTH = draw(N, seed=8)
STAMP = population.STAMP_IN_R90


def test_kinds_come_in_their_shares():
    found = TRUTH["kind"].value_counts()
    for kind, share in zip(population.KINDS, population.KIND_SHARES, strict=True):
        assert abs(found[kind] - N * share) < 5 * np.sqrt(N * share * (1 - share)), kind
    assert sum(population.KIND_SHARES) == pytest.approx(1)
    assert sum(population.ARM_SHARES) == pytest.approx(1)


def test_counts_rise_as_ten_to_the_045_r_within_the_limits():
    r = TRUTH["r_mag"]
    faint = r.max()
    assert r.min() > 10 and faint <= 17.8  # Galaxy Zoo 2 stops at 17 (17.77 in Stripe 82)
    counts = [np.count_nonzero((r > faint - k - 1) & (r <= faint - k)) for k in (1, 0)]
    assert counts[1] / counts[0] == pytest.approx(10**0.45, rel=0.1)


def test_brighter_galaxies_are_larger_and_all_pass_the_size_limit():
    assert TRUTH["r90_arcsec"].min() >= 3.0
    assert TRUTH["r_mag"].corr(np.log(TRUTH["r90_arcsec"])) < -0.3


def test_shares_are_shares():
    for name in TRUTH.columns[TRUTH.columns.str.endswith("_share")]:
        assert TRUTH[name].between(0, 1).all(), name
    assert (TRUTH["bar_share"] + TRUTH["ring_share"]).max() < 1


def test_every_number_is_finite_and_every_length_positive():
    numbers = TRUTH.drop(columns="kind").to_numpy(float)
    assert np.isfinite(numbers).all()
    assert set(population.POSITIVE) <= set(population.columns()) == set(TRUTH.columns)
    assert (TRUTH[list(population.POSITIVE)] > 0).all().all()


def test_arms_bars_and_rings_belong_to_discs():
    others = TRUTH[TRUTH["kind"] != "disc"]
    for name in ("arms", "arm_strength", "bar_share", "ring_share", "dust", "boxy"):
        assert (others[name] == 0).all(), name
    assert (TRUTH.loc[TRUTH["arms"] == 0, "arm_strength"] == 0).all()


def test_position_angles_favor_no_direction():
    angle = 2 * TRUTH["angle_rad"]
    assert np.hypot(np.cos(angle).mean(), np.sin(angle).mean()) < 4 / np.sqrt(N)


def test_old_stars_are_redder_than_young_ones_and_irregulars_are_bluest():
    assert TRUTH["old_g_r"].mean() > TRUTH["young_g_r"].mean() + 0.1
    by_kind = TRUTH.groupby("kind", observed=True)["young_g_r"].mean()
    assert by_kind["irregular"] < by_kind["disc"]


def test_the_pixel_scale_follows_the_galaxy_and_the_size_of_the_stamp():
    small, large = draw(50, size=48), population.draw(50, np.random.default_rng(1), size=96)
    np.testing.assert_allclose(small["pixel_arcsec"], 2 * large["pixel_arcsec"])
    np.testing.assert_allclose(48 * small["pixel_arcsec"], STAMP * small["r90_arcsec"])


def test_the_three_bands_share_one_night():
    for band, median in zip("gri", SDSS.seeing_arcsec, strict=True):
        ratio = TRUTH[f"seeing_{band}_arcsec"] / median
        np.testing.assert_allclose(ratio, TRUTH["seeing_r_arcsec"] / SDSS.seeing_arcsec[1])
    assert np.log(ratio).std() == pytest.approx(SDSS.seeing_scatter, rel=0.05)


def test_a_worse_sky_changes_the_seeing_and_nothing_else():
    worse = population.draw(100, np.random.default_rng(1), SDSS.worse(seeing=2))
    usual = draw(100)
    changed = [name for name in usual if not usual[name].equals(worse[name])]
    assert changed == [f"seeing_{band}_arcsec" for band in "gri"]
    np.testing.assert_allclose(worse["seeing_r_arcsec"], 2 * usual["seeing_r_arcsec"])


def test_the_same_generator_draws_the_same_galaxies_and_another_others():
    assert draw(20, seed=3).equals(draw(20, seed=3))
    assert not draw(20, seed=3)["r_mag"].equals(draw(20, seed=4)["r_mag"])


@pytest.mark.parametrize("n", [-1, 2.0, "3", True])
def test_an_impossible_number_of_galaxies_is_refused(n):
    with pytest.raises(ValueError, match=r"draw: received n=.* expected a whole number"):
        population.draw(n, np.random.default_rng(0))


def test_no_galaxies_are_an_empty_table_with_all_columns():
    assert len(draw(0)) == 0 and set(draw(0).columns) == set(population.columns())
