"""Encounters and the scenes made of them: mechanics, light, labels, and no cue but morphology."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.sky import encounters, merger_light, mergers
from firstlight.sky.render import Grid


def table(n=2, **columns):
    plain = {"hot_1": False, "hot_2": False, "disrupted": False, "size_ratio": 1.0}
    return encounters.draw(n, np.random.default_rng(1)).assign(**{**plain, **columns})


@cache
def scenes(n=96, seed=3, **options):
    return mergers.simulate(n, seed, **options)


# --- mechanics -----------------------------------------------------------------------


def still(n=1):
    """A galaxy that nothing approaches: the second one is light, and far away."""
    paths = encounters.orbits(table(n, mass_ratio=1e-9, pericenter_r90=50.0))
    return paths, *encounters.stars(paths.table, 300, np.random.default_rng(2))


def test_stars_of_an_undisturbed_galaxy_keep_energy_and_angular_momentum():
    paths, x, v, radius, _ = still()
    seen, moving = encounters.follow(paths, x, v, np.array([[0, 200]]))
    own = seen[0, :, 0] - paths.centers[[0, 200], 0, 0][:, None]
    pace = moving[0, :, 0] - paths.velocities[[0, 200], 0, 0][:, None]
    size = np.sqrt((own**2).sum(-1))
    energy = 0.5 * (pace**2).sum(-1) + encounters.potential(size, 1.0, encounters.SOFTENING)
    spin = np.cross(own, pace)
    np.testing.assert_allclose(energy[1], energy[0], rtol=3e-3)
    np.testing.assert_allclose(spin[1], spin[0], atol=3e-3)
    kept = np.abs(np.sqrt((own[1] ** 2).sum(-1)) - radius[0, 0]) < 0.3 * radius[0, 0] + 0.02
    assert kept.mean() > 0.97  # a disc on circular orbits stays one


def test_a_hot_galaxy_is_in_equilibrium():
    paths = encounters.orbits(table(1, mass_ratio=1e-9, pericenter_r90=50.0, hot_1=True))
    x, v, _, _ = encounters.stars(paths.table, 4000, np.random.default_rng(2))
    seen, _ = encounters.follow(paths, x, v, np.array([[0, 200]]))
    own = seen[0, :, 0] - paths.centers[[0, 200], 0, 0][:, None]
    half = np.median(np.sqrt((own**2).sum(-1)), axis=-1)
    assert half[1] == pytest.approx(half[0], rel=0.04)
    # Half the mass of a Plummer sphere lies within 1.305 softenings; 98 % of it was drawn.
    assert half[0] == pytest.approx(1.28 * encounters.SOFTENING, rel=0.05)


def test_the_free_orbit_is_a_parabola_with_its_pericenter_where_it_was_asked():
    pair = table(3, mass_ratio=1.0, pericenter_r90=np.array([0.5, 1.0, 2.0]))
    x, v = encounters._parabola(pair["pericenter_r90"].to_numpy(), 1 + pair["mass_ratio"])
    speed2, radius = (v**2).sum(1), np.sqrt((x**2).sum(1))
    np.testing.assert_allclose(0.5 * speed2, 2 / radius)  # energy zero, total mass two
    momentum = np.cross(x, v)[:, 2]
    np.testing.assert_allclose(momentum**2 / (2 * 2), pair["pericenter_r90"])


def test_the_barycenter_rests_and_friction_makes_mergers():
    paths = encounters.orbits(table(20, mass_ratio=np.linspace(0.3, 1, 20), pericenter_r90=0.3))
    weight = np.stack([np.ones(20), paths.table["mass_ratio"]], 1)[None, :, :, None]
    assert np.abs((paths.centers * weight).sum(2)).max() < 1e-9
    assert np.abs((paths.velocities * weight).sum(2)).max() < 1e-9
    assert (paths.table["t_coalescence"] > paths.table["t_pericenter"]).all()
    assert np.isfinite(paths.table["t_coalescence"][10:]).all()


def test_discs_that_turn_with_the_orbit_lose_more_stars():
    spins = {f"spin_{g}_{k}": 0.0 for g in (1, 2) for k in "xy"}
    pair = table(2, mass_ratio=0.8, pericenter_r90=1.0, **spins, spin_1_z=[1.0, -1.0],
                 spin_2_z=[1.0, -1.0])  # fmt: skip
    paths = encounters.orbits(pair)
    x, v, _, light = encounters.stars(pair, 1000, np.random.default_rng(0))
    seen, _ = encounters.follow(paths, x, v, np.array([[160], [160]]))
    away = seen[:, 0, 0] - paths.centers[160, :, 0][:, None]
    flung = ((np.sqrt((away**2).sum(-1)) > 2) * light[:, 0]).sum(-1)
    assert flung[0] > 2 * flung[1]


def test_the_order_of_encounters_does_not_matter():
    paths = encounters.orbits(table(4, disrupted=[True, False, True, False]))
    back = encounters.orbits(paths.table.iloc[::-1].drop(columns=["t_pericenter"]))
    np.testing.assert_allclose(back.centers[:, ::-1], paths.centers, atol=1e-12)
    np.testing.assert_allclose(back.mass[:, ::-1], paths.mass)


@given(ratio=st.floats(0.1, 1), scale=st.floats(0.3, 1))
@settings(max_examples=20, deadline=None)
def test_stars_carry_the_light_of_their_galaxy(ratio, scale):
    pair = table(1, mass_ratio=ratio, size_ratio=scale)
    x, v, radius, light = encounters.stars(pair, 200, np.random.default_rng(5))
    np.testing.assert_allclose(light.sum(-1), 1)
    assert (light >= 0).all() and np.isfinite(v).all()
    np.testing.assert_allclose(radius, np.sqrt((x**2).sum(-1)))
    assert np.median(radius[0, 1]) == pytest.approx(scale * np.median(radius[0, 0]), rel=0.3)


@pytest.mark.parametrize("column", ["mass_ratio", "size_ratio", "pericenter_r90"])
@pytest.mark.parametrize("value", [-1.0, 0.0, np.nan, np.inf])
def test_impossible_encounters_are_refused(column, value):
    with pytest.raises(ValueError, match=column):
        encounters.orbits(table(2, **{column: value}))


def test_empty_and_incomplete_tables_are_refused():
    with pytest.raises(ValueError, match="empty table"):
        encounters.orbits(table(1).iloc[:0])
    with pytest.raises(ValueError, match="without"):
        encounters.orbits(table(1).drop(columns="spin_1_x"))
    with pytest.raises(ValueError, match="n=0"):
        encounters.draw(0, np.random.default_rng(0))
    paths, x, v, _, _ = still()
    with pytest.raises(ValueError, match="expected 1 rows"):
        encounters.follow(paths, x, v, np.array([[99_999]]))


# --- light ---------------------------------------------------------------------------


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_deposited_light_is_conserved_and_keeps_its_center(seed):
    rng = np.random.default_rng(seed)
    grid, weight = Grid(32), rng.random((2, 30))
    pixels = rng.uniform(-15, 15, (2, 30, 2))
    maps = merger_light.deposit(grid, pixels, weight)
    np.testing.assert_allclose(maps.sum((1, 2)), weight.sum(1), rtol=1e-5)
    x, y = grid.offsets(np.zeros((2, 2)))
    mean = (maps * x).sum((1, 2)), (maps * y).sum((1, 2))
    np.testing.assert_allclose(mean, (weight[..., None] * pixels).sum(1).T, atol=1e-3)
    order = rng.permutation(30)
    np.testing.assert_allclose(
        merger_light.deposit(grid, pixels[:, order], weight[:, order]), maps, atol=1e-5
    )


def test_light_outside_is_lost_and_bad_light_refused():
    grid = Grid(32)
    assert merger_light.deposit(grid, np.full((1, 1, 2), 500.0), np.ones((1, 1))).sum() == 0
    for pixels, weight in ((np.full((1, 1, 2), np.nan), np.ones((1, 1))),
                           (np.zeros((1, 2, 2)), np.ones((1, 1)))):  # fmt: skip
        with pytest.raises(ValueError, match="deposit"):
            merger_light.deposit(grid, pixels, weight)


def test_the_light_of_a_scene_is_what_its_magnitude_says():
    part = scenes()
    survey, truth = mergers.COADD, part.truth
    r_mag = np.repeat(truth["r_mag"].to_numpy()[:, None], 3, 1)
    sigma = survey.sky_sigma(truth["pixel_arcsec"].to_numpy())
    ratio = part.images[..., 1].sum((1, 2)) / (survey.electrons(r_mag) / sigma)[:, 1]
    inside = ratio[truth["kind"] == "isolated"]
    assert 0.85 < np.median(inside) < 1.15  # a star in front adds, the edge takes away
    assert 0.7 < np.median(ratio[truth["merger"]]) < 1.15


# --- scenes --------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_sky_and_more_scenes_the_same_beginning():
    again, more = mergers.simulate(20, 3), scenes()
    np.testing.assert_array_equal(again.images, more.images[:20])
    pd.testing.assert_frame_equal(again.truth, more.truth[:20])
    assert not np.array_equal(mergers.simulate(5, 4).images, again.images[:5])


def test_truth_is_consistent():
    truth = scenes().truth
    assert ((truth["kind"] == "merger") == truth["merger"]).all()
    assert (scenes().labels == truth["merger"]).all() and len(scenes()) == 96
    assert truth["moved"].between(0, 1).all() and (truth["moved"][~truth["merger"]] == 0).all()
    assert truth["separation_r90"].isna().equals(truth["kind"] == "isolated")
    near = truth.loc[truth["kind"] == "superposition", "separation_r90"]
    assert (near >= mergers.CLOSEST - 1e-9).all()
    assert set(truth["stage"]) <= set(mergers.STAGES)
    assert ((truth["stage"] == "none") != truth["merger"]).all()
    assert np.isfinite(scenes().images).all()


def test_kinds_come_in_the_shares_asked_for():
    only = mergers.simulate(30, 1, shares=(1, 0, 0), when=(-1.5, -0.3)).truth
    assert (only["stage"] == "approach").all() and (only["time"] < 0).all()
    assert (mergers.simulate(30, 1, shares=(0, 0, 1)).truth["kind"] == "superposition").all()


def test_hardly_anything_has_moved_before_the_encounter():
    before = mergers.simulate(60, 5, shares=(1, 0, 0), when=(-1.5, -0.8)).truth["moved"]
    after = mergers.simulate(60, 5, shares=(1, 0, 0), when=(2.0, 5.0)).truth["moved"]
    assert before.median() < 0.5 * after.median()


def test_brightness_size_and_seeing_do_not_know_the_label():
    from scipy.stats import ks_2samp

    truth = scenes(384, 8).truth
    for name in ("r_mag", "pixel_arcsec", "seeing_r_arcsec"):
        a, b = truth.loc[truth["merger"], name], truth.loc[~truth["merger"], name]
        assert ks_2samp(a, b).pvalue > 1e-3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n": 0}, "n=0"),
        ({"n": 2.5}, "n=2.5"),
        ({"seed": -1}, "seed=-1"),
        ({"size": 33}, "size=33"),
        ({"size": 8}, "size=8"),
        ({"shares": (0.5, 0.5)}, "shares"),
        ({"shares": (1.5, -0.5, 0)}, "shares"),
        ({"shares": (np.nan, 0.5, 0.5)}, "shares"),
        ({"when": (3.0, 1.0)}, "when"),
        ({"when": (-9.0, 1.0)}, "when"),
        ({"survey": "SDSS"}, "survey='SDSS'"),
    ],
)
def test_bad_wishes_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        mergers.simulate(**{"n": 3, "seed": 1, **options})
