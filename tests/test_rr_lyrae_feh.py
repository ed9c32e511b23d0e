"""[Fe/H] from light curves: network, classical shapes, the whole way, on made-up stars."""

import numpy as np
import pytest

from firstlight.evaluation import feh_baselines
from firstlight.models.rr_lyrae_feh import CHANNELS, metallicity_network
from firstlight.studies import cards, stored
from firstlight.studies import rr_lyrae_feh as study
from firstlight.studies import rr_lyrae_feh_runs as runs


def shapes(stars):
    return {f: feh_baselines.damped_shapes(stars.phases, stars.magnitudes, stars.mask,
                                           stars.period_days, f)
            for f in feh_baselines.FITS}  # fmt: skip


def test_the_damped_series_finds_the_known_shape():
    stars = study.made_up(200, seed=1)
    turn = (stars.feh_dex + 1.4 + 5 * (stars.period_days - 0.6)) / 0.8
    table = shapes(stars)["five"]
    found = table["phi21"] + feh_baselines.PHI21
    off = np.angle(np.exp(1j * (found - turn)))
    assert np.median(np.abs(off)) < 0.05
    assert np.median(np.abs(table["r21"] - 0.5)) < 0.04
    with pytest.raises(ValueError, match="received 'two'"):
        feh_baselines.damped_shapes(stars.phases, stars.magnitudes, stars.mask,
                                    stars.period_days, "two")  # fmt: skip


def test_both_classical_methods_learn_made_up_stars():
    stars = study.made_up(400, seed=2)
    train, test = np.flatnonzero(stars.fold > 0), np.flatnonzero(stars.fold == 0)
    for method in (feh_baselines.tuned_process, feh_baselines.tuned_forest):
        guess = method(shapes(stars), stars.feh_dex, train, test, 3)
        error = np.sqrt(np.mean((guess.feh_dex - stars.feh_dex[test]) ** 2))
        assert error < 0.5 * stars.feh_dex.std()
        assert guess.fit in feh_baselines.FITS


def test_labels_of_test_stars_are_not_looked_at():
    stars = study.made_up(120, seed=4)
    train, test = np.flatnonzero(stars.fold > 1), np.flatnonzero(stars.fold <= 1)
    other = stars.feh_dex.copy()
    other[test] = 99
    first, second = (feh_baselines.tuned_process(shapes(stars), y, train, test, 3)
                     for y in (stars.feh_dex, other))  # fmt: skip
    np.testing.assert_array_equal(first.feh_dex, second.feh_dex)


def test_short_curves_go_round_again_and_long_ones_are_thinned():
    stars = study.made_up(30, seed=5)
    for points in (20, 60):
        curves = study.draw(stars, np.arange(30), points, 1)
        assert curves.shape == (30, points, CHANNELS) and np.isfinite(curves).all()
        seen = np.round(curves[:, :, 0], 5)
        fewest = np.minimum(stars.mask.sum(axis=1), points)
        assert [len(set(row)) for row in seen.tolist()] == fewest.tolist()


def test_the_network_learns_made_up_stars_and_states_a_width():
    stars = study.made_up(400, seed=6)
    train, test = np.flatnonzero(stars.fold > 1), np.flatnonzero(stars.fold <= 1)
    toy = {"points": 24, "filters": 12, "units": 4, "epochs": 25, "starts": 1, "batch": 32}
    mean, sigma = study.train_and_predict(stars, train, test, 1, toy)
    assert np.sqrt(np.mean((mean - stars.feh_dex[test]) ** 2)) < 0.6 * stars.feh_dex.std()
    assert (sigma > 0).all()
    with pytest.raises(ValueError, match="stars on both sides"):
        study.train_and_predict(stars, train, train, 1, toy)


def test_a_curve_shorter_than_the_stride_is_refused():
    with pytest.raises(ValueError, match="expected at least the stride"):
        metallicity_network(2)


def test_a_stored_run_comes_back_star_by_star():
    fold = np.array([1, 0, 1])
    words = {name: "5 -1500" for name in runs.COLUMNS}
    found = runs.pooled([{"fold": 1.0, **words}], fold)
    np.testing.assert_allclose(found["network"], [0.005, np.nan, -1.5])
    with pytest.raises(ValueError, match="received 1 stars, expected the 2"):
        runs.pooled([{"fold": 0.0, **words}], fold)


def test_calibrated_widths_hold_their_share_of_stars():
    rng = np.random.default_rng(1)
    pulls, fold = 1.7 * rng.normal(size=20_000), rng.integers(0, 10, 20_000)
    widths = runs.calibrated(pulls, fold, 0.683)
    assert abs(np.mean(np.abs(pulls) < widths) - 0.683) < 0.01
    assert abs(widths.mean() - 1.7) < 0.05


def test_the_stored_run_belongs_to_this_code():
    sweep = runs.SWEEPS["rr-lyrae-feh"]
    now = sweep.fingerprint()
    assert not cards.same_fingerprint(now.as_dict(), sweep.fingerprint())
    path = stored.RUNS / f"{sweep.name}.card.json"
    if path.exists():
        changed = cards.same_fingerprint(cards.read_card(path)["fingerprint"], now)
        assert not changed, f"{changed} changed. Run: {sweep.command}"
