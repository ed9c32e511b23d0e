"""Fourier features of variable stars, trees on them, and the real stars of the study."""

# ruff: noqa: F811  (fixtures are imported by name)
import numpy as np
import pytest

from archive_kit import real  # noqa: F401
from firstlight.evaluation import variable_features
from firstlight.studies import rr_lyrae_real
from variables_kit import sawteeth

# --- the classical features ----------------------------------------------------------


def test_features_are_the_terms_that_a_curve_was_made_of():
    curves, true, amplitudes, phases = sawteeth(30, epochs=60, noise=0.004)
    table = variable_features.features(*curves, true)
    assert tuple(table.columns) == variable_features.NAMES and len(table) == 30
    np.testing.assert_allclose(table["log_period"], np.log10(true), rtol=1e-5)
    np.testing.assert_allclose(table["r21"], amplitudes[1] / amplitudes[0], atol=0.04)
    np.testing.assert_allclose(table["r31"], amplitudes[2] / amplitudes[0], atol=0.04)
    for name, k in (("phi21", 2), ("phi31", 3)):
        wanted = phases[:, k - 1] - k * phases[:, 0]
        np.testing.assert_allclose(table[f"cos_{name}"], np.cos(wanted), atol=0.2)
        np.testing.assert_allclose(table[f"sin_{name}"], np.sin(wanted), atol=0.2)
    np.testing.assert_allclose(10 ** table["log_chi2"], 1, atol=0.35)  # left over: the noise
    assert (table["log_gain"] < -0.5).all()  # one sine leaves the harmonics over
    assert (table["visits"] == 60).all()


def test_features_ignore_padding_and_what_one_outlier_does():
    curves, true, *_ = sawteeth(5, epochs=50)
    plain = variable_features.features(*curves, true)
    wide = [np.pad(a, ((0, 0), (0, 9))) for a in curves]
    padded = variable_features.features(*wide, true)
    np.testing.assert_allclose(padded, plain, atol=1e-4)
    times, magnitudes, errors, mask = curves
    magnitudes = magnitudes.copy()
    magnitudes[:, 7] += 0.5
    bad = variable_features.features(times, magnitudes, errors, mask, true)
    np.testing.assert_allclose(bad["r21"], plain["r21"], atol=0.02)
    with pytest.raises(ValueError, match="positive"):
        variable_features.features(*curves, -true)
    with pytest.raises(ValueError, match="fewer harmonics"):
        variable_features.features(*(a[:, :8] for a in curves), true)


def test_the_best_trees_on_other_stars_are_taken():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 4)).astype("f4")
    y = x[:, 0] + x[:, 1] > 0
    trees = variable_features.tuned_forest((x[:200], y[:200]), (x[200:], y[200:]), 1)
    again = variable_features.tuned_forest((x[:200], y[:200]), (x[200:], y[200:]), 1)
    shown = trees.predict_proba(x[200:])[:, 1]
    assert ((shown > 0.5) == y[200:]).mean() > 0.85
    np.testing.assert_array_equal(shown, again.predict_proba(x[200:])[:, 1])


# --- real stars ----------------------------------------------------------------------


def test_every_fold_of_an_adaptation_has_its_share_of_both_types():
    rrab = np.random.default_rng(0).uniform(size=101) < 0.8
    fold = rr_lyrae_real.adaptation_folds(rrab, 5, 3)
    counts = np.array([[((fold == k) & (rrab == kind)).sum() for k in range(5)]
                       for kind in (False, True)])  # fmt: skip
    assert counts.sum() == 101 and (np.ptp(counts, axis=1) <= 1).all()
    np.testing.assert_array_equal(fold, rr_lyrae_real.adaptation_folds(rrab, 5, 3))


def test_stars_of_stripe_82_as_the_network_takes_them(real):
    found = rr_lyrae_real.stripe82_stars()
    assert len(found) == 483 and found.rrab.sum() == 379
    assert np.median(found.snr) > 150 and found.curves[3].sum(axis=1).min() >= 9
    assert found.curves[2][found.curves[3]].min() >= rr_lyrae_real.LEAST_ERROR
    shown = found.folded(found.period_days, 75)
    assert shown.shape == (483, 1, 75, 5) and np.isfinite(shown.astype(float)).all()
    # Published periods fold them well: RRab stars are steep where they brighten.
    table = variable_features.features(*found.curves, found.period_days)
    assert table["r21"][found.rrab].median() > 0.4 > 0.3 > table["r21"][~found.rrab].median()


def test_stars_of_vvv_come_folded_and_keep_their_period(real):
    found = rr_lyrae_real.vvv_stars()
    assert len(found) == 4447 and found.rrab.all() and found.unit_periods
    shown = found.folded(found.period_days, 75)
    np.testing.assert_allclose(
        shown[:, 0, 0, 4].astype(float), 2 * np.log10(found.period_days), atol=2e-3
    )
    assert 0.5 < np.median(found.period_days) < 0.65
