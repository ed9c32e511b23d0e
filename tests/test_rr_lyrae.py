"""RR Lyrae stars: candidate periods, folds, the network, Fourier features, the whole way."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from functools import cache

import numpy as np
import pandas as pd
import pytest

from firstlight import training
from firstlight.models import rr_lyrae as models
from firstlight.reports import own_curves
from firstlight.sky import periods
from firstlight.studies import cards, get, own_data, rr_lyrae_data
from firstlight.studies import rr_lyrae as study
from firstlight.studies import rr_lyrae_sky as skies
from variables_kit import TURN, sawteeth

TOY = {**study.BUILD, "n_train": 40, "n_known": 60, "n_test": 40, "units": (3,), "dense": (4,),
       "points": 75, "steps": 3, "batch_size": 16}  # fmt: skip


@cache
def stars(n=60, seed=1, part="train", survey="both", candidates=2):
    return skies.simulate(n, seed, part=part, survey=survey, candidates=candidates)


# --- candidate periods ---------------------------------------------------------------


def test_the_first_candidate_is_the_strongest_peak_and_the_true_period_is_among_them():
    curves, true, *_ = sawteeth()
    found, heights = periods.candidate_periods(*curves, count=4)
    strongest, _ = periods.strongest_period(*curves)
    assert found.shape == heights.shape == (6, 4)
    np.testing.assert_allclose(found[:, 0], strongest, rtol=2e-4)
    assert (np.diff(heights, axis=1) <= 0).all() and (heights > 0).all()
    assert (np.abs(found / true[:, None] - 1).min(axis=1) < 1e-3).all()
    apart = np.abs(1 / found[:, :, None] - 1 / found[:, None, :]) * np.ptp(curves[0][0])
    assert apart[:, ~np.eye(4, dtype=bool)].min() > 0.3  # peaks, not shoulders of one


def test_searches_that_make_no_sense_are_refused():
    curves, *_ = sawteeth(2)
    for wrong in ({"count": 0}, {"samples_per_peak": 1.0}, {"period_range_days": (2.0, 1.0)}):
        with pytest.raises(ValueError, match="candidate_periods: received"):
            periods.candidate_periods(*curves, **wrong)


def test_three_harmonics_find_the_period_that_the_sine_misses():
    curves, true, *_ = sawteeth(40, epochs=22, seed=3)
    right = skies.right_period(curves[0], curves[3], skies.candidates_of(curves, 2), true)
    one = skies.right_period(curves[0], curves[3], skies.candidates_of(curves, 1), true)
    np.testing.assert_array_equal(right[:, 0], one[:, 0])
    assert right.any(axis=1).sum() > one.sum()


def test_a_period_is_right_that_slips_by_less_than_a_quarter_cycle():
    times, mask = np.array([[10.0, 510.0, 1010.0]]), np.ones((1, 3), bool)
    true = np.array([0.5])
    slips = np.array([[0.0, 0.24, -0.24, 0.26, 500.0]])
    found = 1 / (1 / true[:, None] + slips / 1000)
    expected = [[True, True, True, False, False]]
    assert skies.right_period(times, mask, found, true).tolist() == expected
    assert not skies.right_period(times, mask, found, np.array([np.nan])).any()
    padded = np.pad(times, ((0, 0), (0, 4))), np.pad(mask, ((0, 0), (0, 4)))
    assert skies.right_period(*padded, found, true).tolist() == expected  # zeros are no visit
    assert skies.right_period(times, mask, found[:, 1], true).tolist() == [True]


# --- skies ---------------------------------------------------------------------------


def test_a_sky_is_what_was_asked_for_and_comes_again():
    sky = stars()
    assert len(sky) == 60 and sky.periods.shape == sky.right.shape == (60, 2)
    assert set(sky.sky.truth["band"]) == {"Ks", "I"}
    again = skies.simulate(60, 1, part="train")
    for a, b in zip(sky.sky.curves, again.sky.curves, strict=True):
        np.testing.assert_array_equal(a, b)
    first = skies.light_curves(20, 1, part="train")
    assert first.truth["type"].tolist() == sky.sky.truth["type"].tolist()[:20]
    part = sky.take(np.array([3, 1]))
    assert part.periods.tolist() == sky.periods[[3, 1]].tolist()
    assert part.rrab.tolist() == sky.rrab[[3, 1]].tolist()
    with pytest.raises(ValueError, match="survey: received 'gaia', expected one of"):
        skies.light_curves(4, 1, part="train", survey="gaia")


def test_constant_stars_have_no_right_period_and_clear_ones_nearly_always_do():
    sky = stars(400, 2, "train", "vvv")
    assert not sky.right[sky.sky.labels == "constant"].any()
    clear = sky.rrab & (sky.sky.snr > study.CLEAR)
    assert clear.sum() > 60 and sky.right[clear].any(axis=1).mean() > 0.95


def test_no_star_is_in_two_parts_and_no_sky_in_another():
    parents = {}
    for part in ("train", "validation", "test"):
        truth = pd.concat([skies.light_curves(600, 5, part=part).truth,
                           skies.known(200, 5, part=part).sky.truth])  # fmt: skip
        parents[part] = set(truth["parent"]) - {""}
        assert len(parents[part]) > 100
    assert not parents["train"] & parents["validation"]
    assert not (parents["train"] | parents["validation"]) & parents["test"]
    shown = study.simulate({**study.BUILD, "candidates": 1}, 5, n=300).sky.truth
    assert not (set(shown["parent"]) - {""}) & (parents["train"] | parents["validation"])
    searched = set(skies.light_curves(60, 5, part="train").truth["epoch_mjd"].dropna())
    assert not searched & set(skies.known(60, 5, part="train").sky.truth["epoch_mjd"].dropna())


def test_stars_with_known_periods_have_them_and_binaries_half():
    known = skies.known(300, 4, part="train")
    assert known.periods.shape == (len(known), 1) and 100 < len(known) < 300
    assert not (known.sky.labels == "constant").any() and known.sky.snr.min() > skies.SURE
    binary = known.sky.labels == "EB"
    assert known.right[~binary].all() and not known.right[binary].any()
    half = known.sky.period_days[binary] / 2
    np.testing.assert_allclose(known.periods[binary, 0], half, rtol=0.02)


# --- what the network sees -----------------------------------------------------------


def test_a_fold_is_in_the_order_of_phase_and_free_of_distance_and_amplitude():
    curves, true, *_ = sawteeth(5, epochs=30)
    shown = skies.folded(curves, true[:, None], 40).astype(float)
    assert shown.shape == (5, 1, 40, len(skies.CHANNELS))
    there = np.abs(shown).max(axis=-1)[:, 0] > 0
    assert there.sum(axis=1).tolist() == [30] * 5 and there[:, :30].all()
    sine, cosine, z, error, day = np.moveaxis(shown[:, 0, :30], -1, 0)
    phase = np.arctan2(sine, cosine) / TURN % 1
    assert (np.diff(phase) > -2e-3).all()
    np.testing.assert_allclose(z.mean(axis=1), 0, atol=2e-3)
    np.testing.assert_allclose(z.std(axis=1), 1, atol=2e-3)
    np.testing.assert_allclose(day, 2 * np.log10(true)[:, None] + 0 * z, atol=1e-3)
    assert np.ptp(error) < 0.2 and (error < 0.1).all()  # a hundredth of the spread, all alike
    times, magnitudes, errors, mask = curves
    far = skies.folded((times, 3 + 2.5 * magnitudes, 2.5 * errors, mask), true[:, None], 40)
    np.testing.assert_allclose(far.astype(float), shown, atol=5e-3)


def test_phases_of_folded_files_and_days_of_raw_ones_give_the_same_fold():
    curves, true, *_ = sawteeth(4, epochs=25)
    plain = skies.folded(curves, true[:, None], 25)
    phases = (curves[0] / true[:, None]) % 1.0
    already = skies.folded((phases, *curves[1:]), np.ones((4, 1)), 25, true[:, None])
    np.testing.assert_allclose(already.astype(float), plain.astype(float), atol=5e-3)


def test_long_curves_are_thinned_and_short_ones_left_alone():
    curves, *_ = sawteeth(3, epochs=30)
    curves[3][0, 18:] = False
    times, magnitudes, errors, mask = skies.thinned(curves, 20)
    assert mask.sum(axis=1).tolist() == [18, 20, 20] and times.shape == (3, 20)
    assert all((np.diff(t[m]) > 0).all() for t, m in zip(times, mask, strict=True))
    for k in range(3):
        assert set(magnitudes[k, mask[k]]) <= set(curves[1][k, curves[3][k]])
    assert skies.thinned(curves, 30) is curves
    other = skies.thinned(curves, 20, seed=1)[0]
    assert (other[1] != times[1]).any() and (errors == curves[2][0, 0]).all()


def test_training_rows_are_searched_folds_first_and_labels_fit_them():
    rows, labels = study.training_set(TOY, 3)
    count = 40 * 2 + len(skies.known(60, 3, part="train", survey="few"))
    assert rows.shape == (count, 75, len(skies.CHANNELS)) and labels.shape == (count, 1)
    assert np.isfinite(rows.astype(float)).all() and np.abs(rows).max() < 20
    searched = skies.simulate(40, 3, part="train", survey="few")
    np.testing.assert_array_equal(labels[:80], study.labels_of(searched))
    assert 80 < count < 140 and 0.05 < labels.mean() < 0.6


# --- the network ---------------------------------------------------------------------


def network():
    training.set_seed(2)
    return study.build_model({**TOY, "dense": (12,)})


def test_padding_changes_nothing():
    model = network()
    curves, true, *_ = sawteeth(4, epochs=20)
    short, long = (
        skies.folded(curves, true[:, None], points)[:, 0].astype("f4") for points in (20, 33)
    )
    np.testing.assert_allclose(model(short), model(long), atol=1e-6)
    extremes = models.MaskedExtremes()
    values = np.array([[[-3.0], [-2.0], [0.0]]], "f4")
    assert float(extremes(values, mask=np.array([[True, True, False]]))[0, 0]) == -2.0
    assert float(extremes(values)[0, 0]) == 0.0
    assert extremes.compute_output_shape((None, 9, 4)) == (None, 4)


def test_the_network_reads_order_and_both_ways():
    model = network()
    curve = np.random.default_rng(0).normal(size=(1, 12, 5)).astype("f4")
    other = curve[:, np.random.default_rng(1).permutation(12)]
    assert abs(float(model(curve)[0, 0]) - float(model(other)[0, 0])) > 1e-6
    cell = model.get_layer("both_ways_0")
    assert cell.forward_layer.units == cell.backward_layer.units == 3
    assert study.build_model(study.FULL).count_params() * 2 < 8e6  # bytes in float16


def test_predictions_do_not_depend_on_the_company_and_folds_add_up():
    model = network()
    shown = study.network_input(stars(7), TOY)
    whole = study.predict(model, shown, batch_size=16)
    assert whole.shape == (7, 2) and ((whole > 0) & (whole < 1)).all()
    np.testing.assert_allclose(study.predict(model, shown[4:5], 16), whole[4:5], atol=1e-5)
    np.testing.assert_allclose(study.of_star([[0.2, 0.3], [0.9, 0.4]]), [0.5, 1.0])


def test_precision_and_recall_count_what_they_say():
    truth = np.array([True, True, True, False, False])
    called = np.array([True, True, False, True, False])
    score = study.precision_recall(truth, called)
    assert score.precision == pytest.approx(2 / 3) and score.recall == pytest.approx(2 / 3)
    some = study.precision_recall(truth, called, np.array([True, True, False, False, True]))
    assert tuple(some) == (1.0, 1.0)
    nothing = study.precision_recall(truth, np.zeros(5, bool))
    assert np.isnan(nothing.precision) and nothing.recall == 0


def test_the_whole_way_at_toy_scale_and_a_copy_that_adapts(tmp_path):
    weights = study.train(TOY, 3, tmp_path)
    card = cards.read_card(weights.with_suffix(".card.json"))
    assert card["study"] == "rr-lyrae" and card["config"]["steps"] == 3
    assert set(card["metrics"]) == {"precision", "recall", "recall_one"}
    model = study.load(weights)
    before = [w.copy() for w in model.get_weights()]
    rows, labels = study.training_set({**TOY, "n_train": 20, "n_known": 12}, 9)
    adapted = study.adapt(model, rows, labels, 0, steps=2, batch_size=16)
    for old, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, now)
    assert any((a != b).any() for a, b in zip(before, adapted.get_weights(), strict=True))
    verdict = study.check(weights=weights, write=False)
    assert verdict.ok, verdict.message
    assert get("rr-lyrae") is study.STUDY
    _own_curves(weights, tmp_path)


def _own_curves(weights, tmp_path):
    """The same weights on a reader's table: scores are those of the study, without a period."""
    sky = stars(24, 6, "test", "vvv").sky
    rows = [
        pd.DataFrame({"star_id": f"s{k:02d}", "mjd": sky.times[k, m], "mag": sky.magnitudes[k, m],
                      "mag_err": sky.errors[k, m], "period": sky.period_days[k],
                      "label": "RRab" if sky.labels[k] == "RRab" else "other"})
        for k, m in enumerate(sky.mask) if sky.labels[k] != "constant"
    ]  # fmt: skip
    table, path = pd.concat(rows), tmp_path / "curves.csv"
    table.to_csv(path, index=False)
    task = own_data.get("rr-lyrae", weights)
    found = own_curves.evaluate(task, path, tmp_path / "out", home=30)
    assert found.labeled == len(rows) and found.metrics
    kept = np.flatnonzero(sky.labels != "constant")
    shown = skies.folded(
        tuple(a[kept] for a in sky.curves), sky.period_days[kept][:, None], TOY["points"]
    )
    known = study.predict(study.load(weights), shown)[:, 0]
    np.testing.assert_allclose(found.scores, known, atol=2e-3)
    table.drop(columns=["period", "label"]).to_csv(path, index=False)
    bare = own_curves.evaluate(task, path, tmp_path / "out", home=30)
    assert any("no periods" in note for note in bare.notes) and len(bare.scores) == len(rows)
    wants = task.accepts
    assert wants.fewest == rr_lyrae_data.FEWEST and wants.most == TOY["points"]


def test_missing_weights_name_the_command(tmp_path):
    with pytest.raises(FileNotFoundError, match="firstlight train rr-lyrae --scale full"):
        own_data.get("rr-lyrae", tmp_path / "none.npz")
