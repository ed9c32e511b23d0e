"""Detection: two bells of known overlap, counts of known chance, priors by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from firstlight.evaluation import completeness, detection, prevalence


def bells(distance, m=4000, n=4000, seed=0):
    """Scores of two normal classes, `distance` standard deviations apart."""
    rng = np.random.default_rng(seed)
    scores = np.concatenate([rng.normal(distance, 1, m), rng.normal(0, 1, n)])
    return scores, np.concatenate([np.ones(m, int), np.zeros(n, int)])


@pytest.mark.parametrize("distance", [0.0, 0.7, 1.5, 2.5])
def test_two_bells_have_the_area_that_theory_gives(distance):
    found = detection.auroc(*bells(distance))
    truth = norm.cdf(distance / np.sqrt(2))
    assert found.low - 0.003 < truth < found.high + 0.003
    assert found.value == pytest.approx(roc_auc_score(*bells(distance)[::-1]), abs=1e-12)


def test_delongs_interval_holds_as_often_as_it_says():
    truth = norm.cdf(1.0 / np.sqrt(2))
    held = [
        found.low < truth < found.high
        for found in (detection.auroc(*bells(1.0, 80, 120, seed)) for seed in range(400))
    ]
    assert 0.92 < np.mean(held) < 0.98


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=4, max_size=30), st.integers(0, 99))
def test_ties_count_half_and_order_does_not_matter(values, seed):
    labels = np.arange(len(values)) % 2
    expected = roc_auc_score(labels, values)
    turned = np.random.default_rng(seed).permutation(len(values))
    found = detection.auroc(np.asarray(values)[turned], labels[turned])
    assert found.value == pytest.approx(expected)
    opposite = detection.auroc(-np.asarray(values), labels)
    assert opposite.value == pytest.approx(1 - expected)


def test_a_difference_of_areas_is_known_better_than_either():
    scores, labels = bells(1.2, 600, 600)
    noisy = scores + np.random.default_rng(5).normal(0, 0.3, len(scores))
    apart = detection.auroc_difference(scores, noisy, labels)
    one = detection.auroc(scores, labels)
    assert apart.value == pytest.approx(one.value - detection.auroc(noisy, labels).value)
    assert apart.high - apart.low < 0.7 * (one.high - one.low)
    same = detection.auroc_difference(scores, scores, labels)
    assert same == (0, 0, 0)


def test_the_curve_begins_and_ends_in_the_corners():
    curve = detection.roc(*bells(1.0, 50, 60))
    assert (curve.false_positive_rate[0], curve.true_positive_rate[0]) == (0, 0)
    assert (curve.false_positive_rate[-1], curve.true_positive_rate[-1]) == (1, 1)
    assert (np.diff(curve.true_positive_rate) >= 0).all()
    area = np.trapezoid(curve.true_positive_rate, curve.false_positive_rate)
    assert area == pytest.approx(detection.auroc(*bells(1.0, 50, 60)).value)


@pytest.mark.parametrize(("distance", "rejection"), [(2.0, 0.99), (3.0, 0.99), (1.0, 0.9)])
def test_completeness_of_two_bells(distance, rejection):
    found = completeness.completeness(*bells(distance, 20_000, 20_000), rejection=rejection)
    truth = norm.sf(norm.ppf(rejection) - distance)
    assert found.low - 0.005 < truth < found.high + 0.005
    assert found.high - found.low < 0.06


def test_completeness_interval_holds_as_often_as_it_says():
    truth = norm.sf(norm.ppf(0.9) - 1.5)
    held = [
        found.low <= truth <= found.high
        for found in (
            completeness.completeness(*bells(1.5, 200, 300, seed), rejection=0.9, repeats=1000)
            for seed in range(300)
        )
    ]
    assert 0.90 < np.mean(held) < 0.99


def test_few_negatives_make_completeness_uncertain():
    wide = completeness.completeness(*bells(2.0, 5000, 300))
    narrow = completeness.completeness(*bells(2.0, 5000, 30_000))
    binomial = np.subtract(*detection.wilson(int(narrow.value * 5000), 5000)[::-1])
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)
    assert narrow.high - narrow.low > binomial


@settings(max_examples=30, deadline=None)
@given(st.integers(5, 400), st.floats(0.05, 1.0), st.integers(0, 99))
def test_a_threshold_rejects_what_it_promises_and_no_lower_one_does(n, rejection, seed):
    rng = np.random.default_rng(seed)
    scores, labels = rng.integers(0, 50, n + 1).astype(float), np.r_[1, np.zeros(n, int)]
    limit = completeness.rejection_threshold(scores, labels, rejection)
    negative = scores[1:]
    assert (negative <= limit).mean() >= rejection - 1e-9
    assert (negative < limit).mean() < rejection


def test_completeness_among_some_uses_the_threshold_of_all():
    scores, labels = bells(2.0, 1000, 1000)
    bright = scores > 2
    whole, some = (completeness.completeness(scores, labels, among=a) for a in (None, bright))
    limit = completeness.rejection_threshold(scores, labels)
    chosen = bright & (labels == 1)
    assert some.value == pytest.approx((scores[chosen] > limit).mean())
    assert some.value > whole.value


def test_paired_completeness():
    scores, labels = bells(2.0, 2000, 4000)
    worse = scores + np.random.default_rng(1).normal(0, 1, len(scores))
    apart = completeness.completeness_difference(scores, worse, labels, repeats=200)
    expected = [completeness.completeness(s, labels).value for s in (scores, worse)]
    assert apart.value == pytest.approx(expected[0] - expected[1])
    assert 0 < apart.low < apart.value < apart.high


def test_found_before_counts_false_positives():
    scores, labels = np.array([9, 8, 7, 6, 5, 4, 3.0]), np.array([1, 1, 0, 1, 0, 1, 0])
    assert completeness.found_before(scores, labels, 1).value == 0.5
    assert completeness.found_before(scores, labels, 2).value == 0.75
    assert completeness.found_before(scores, labels, 3).value == 1.0


def test_wilson_against_its_published_values_and_coverage():
    low, high = detection.wilson([0, 81, 10], [10, 263, 10])
    np.testing.assert_allclose(low, [0, 0.2553, 0.7225], atol=2e-4)  # Newcombe 1998: 81 of 263
    np.testing.assert_allclose(high, [0.2775, 0.3662, 1], atol=2e-4)
    hits = np.random.default_rng(0).binomial(30, 0.93, 20_000)
    low, high = detection.wilson(hits, np.full(20_000, 30))
    assert 0.93 < ((low < 0.93) & (high > 0.93)).mean() < 0.98


def test_a_map_adds_up_to_the_whole():
    scores, labels = bells(2.0, 3000, 3000)
    rng = np.random.default_rng(2)
    x, y = rng.uniform(0, 1, (2, 6000))
    found = completeness.binned_completeness(
        scores, labels, [x, y], [[0, 0.5, 1], [0, 0.2, 0.6, 1]], rejection=0.99
    )
    assert found.value.shape == (2, 3)
    whole = (found.value * found.counts).sum() / 3000
    assert whole == pytest.approx(completeness.completeness(scores, labels).value)
    assert ((found.low < found.value) & (found.value < found.high)).all()
    empty = completeness.binned_completeness(scores, labels, [x], [[0, 1, 2]])
    assert np.isnan(empty.value[1]) and empty.counts[1] == 0


def test_calibration_and_temperature_of_a_too_sure_network():
    rng = np.random.default_rng(3)
    true = rng.normal(0, 2, 20_000)
    labels = (rng.random(20_000) < 1 / (1 + np.exp(-true))).astype(int)
    sure = 2.5 * true
    found = prevalence.temperature(sure, labels)
    assert found == pytest.approx(2.5, rel=0.05)
    before, after = (
        prevalence.reliability(1 / (1 + np.exp(-z)), labels) for z in (sure, sure / found)
    )
    assert before.error > 0.08
    assert after.error < 0.015
    inside = (after.low <= after.predicted) & (after.predicted <= after.high)
    assert inside.mean() > 0.6
    assert after.counts.sum() == 20_000


def test_the_prior_shift_is_bayes_rule():
    share, distance = 0.02, 2.0
    x = np.linspace(-2, 4, 7)
    ratio = norm.pdf(x - distance) / norm.pdf(x)
    balanced = ratio / (1 + ratio)
    expected = share * ratio / (share * ratio + 1 - share)
    np.testing.assert_allclose(prevalence.at_prevalence(balanced, share), expected)
    back = prevalence.at_prevalence(expected, 0.5, trained_at=share)
    np.testing.assert_allclose(back, balanced)


def test_a_yield_counts_lenses_and_false_alarms():
    scores, labels = bells(3.0, 20_000, 50_000)
    found = prevalence.survey_yield(
        scores, labels, 3.0, galaxies_per_deg2=2000, area_deg2=18_000, prevalence=1e-4, repeats=500
    )
    rate, wrong = 0.5, norm.sf(3.0)
    assert found.lenses.low - 20 < 3600 * rate < found.lenses.high + 20
    assert found.false_per_deg2.low < 2000 * wrong < found.false_per_deg2.high
    per_lens = wrong * (1 - 1e-4) / (rate * 1e-4)
    assert found.false_per_lens.low < per_lens < found.false_per_lens.high
    odds = prevalence.selection_odds(rate, wrong, 1e-4)
    assert 1 / odds == pytest.approx(per_lens)


def test_no_false_alarm_in_the_test_set_is_not_none_on_the_sky():
    scores, labels = bells(3.0, 300, 300)
    found = prevalence.survey_yield(
        scores, labels, 10.0, galaxies_per_deg2=1000, area_deg2=1, repeats=300
    )
    assert found.false_per_deg2.value == 0
    assert found.false_per_deg2.high > 2


def test_weights_move_the_yield_to_another_population():
    scores, labels = bells(1.0, 2000, 2000)
    heavy = np.where(scores > 1, 3.0, 1.0)
    settings_ = {"galaxies_per_deg2": 1e4, "area_deg2": 100.0, "prevalence": 1e-3, "repeats": 300}
    plain = prevalence.survey_yield(scores, labels, 1.0, **settings_)
    moved = prevalence.survey_yield(scores, labels, 1.0, weights=heavy, **settings_)
    assert plain.lenses.value == pytest.approx(500, rel=0.05)
    assert moved.lenses.value == pytest.approx(750, rel=0.05)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: detection.auroc([0.1, 0.2], [1, 1]), "some of each"),
        (lambda: detection.auroc([[0.1], [0.2]], [1, 0]), r"scores\[:, 0\]"),
        (lambda: detection.auroc([np.nan, 0.2], [1, 0]), "finite"),
        (lambda: detection.auroc([0.1, 0.2], [1, 0], confidence=95), "between 0 and 1"),
        (lambda: completeness.completeness([1.0, 2], [0, 1], rejection=0), "rejection"),
        (lambda: completeness.completeness([1.0, 2], [0, 1], among=[True, False]), "selection"),
        (lambda: completeness.found_before([1.0, 2], [0, 1], 0), "false_positives"),
        (lambda: completeness.binned_completeness([1.0, 2], [0, 1], [], []), "one each"),
        (lambda: prevalence.reliability([1.0, 2.0], [0, 1]), "sigmoid"),
        (lambda: prevalence.at_prevalence(0.5, 0.0), "prevalence"),
        (lambda: prevalence.selection_odds(0.9, 0.0, 1e-4), "upper limit"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
