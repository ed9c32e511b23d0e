"""Simulated volunteers: votes that add up, that scatter as they must, that resemble real ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.archive import cache, galaxies
from firstlight.sky import gz2_tree, volunteers
from sky_kit import GALAXIES, blurred, draw, plain, sky, visible

COLUMN = {name: index for index, name in enumerate(gz2_tree.ANSWERS)}
GZ2 = "gz2/table5.csv.gz"


def fresh():
    """The true vote fractions of 6 000 galaxies on which nothing was tuned."""
    return sky(6000, 90210)


def vote(truth, answer, **settings):
    return volunteers.probabilities(visible(truth, **settings))[:, COLUMN[answer]]


def rmse(a, b):
    return float(np.sqrt(np.mean((np.asarray(a) - np.asarray(b)) ** 2)))


def sums_to_its_parent(fractions, question):
    column = gz2_tree.parent_column(question)
    asked = 1.0 if column is None else fractions[:, column]
    total = fractions[:, gz2_tree.slices(question)].sum(axis=1)
    np.testing.assert_allclose(total, asked, atol=2e-6)


# The arithmetic of votes


@pytest.mark.parametrize("question", range(11), ids=lambda q: gz2_tree.QUESTIONS[q].name)
def test_true_and_polled_fractions_sum_to_their_parent_answer(question):
    fractions = fresh().probabilities[:500]
    assert fractions.min() >= 0 and fractions.max() <= 1
    sums_to_its_parent(fractions, question)
    sums_to_its_parent(volunteers.poll(fractions, 1, 40), question)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 300), st.integers(0, 2**31))
def test_votes_are_whole_numbers_of_volunteers(n_volunteers, seed):
    counts = volunteers.poll(fresh().probabilities[:20], seed, n_volunteers) * n_volunteers
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-3)
    assert counts.min() >= 0 and counts.max() <= n_volunteers + 1e-3


def test_the_poll_is_unbiased_and_its_variance_is_binomial():
    p = fresh().probabilities[11].astype(float)
    n, repeats = 40, 20_000
    votes = volunteers.poll(np.tile(p, (repeats, 1)), 2, n).astype(float)
    variance = p * (1 - p) / n
    error = np.sqrt(variance / repeats) + 1e-9
    assert (np.abs(votes.mean(axis=0) - p) < 5 * error).all()
    common = p > 0.005
    np.testing.assert_allclose(votes.var(axis=0)[common], variance[common], rtol=0.12)


def test_the_floor_of_finite_votes_falls_as_one_over_the_root_of_their_number():
    p = fresh().probabilities
    errors = [rmse(volunteers.poll(p, 3, n), p) for n in (10, 40, 160, 640)]
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 2, rtol=0.03)


def test_each_galaxy_may_have_its_own_number_of_volunteers():
    p = np.tile(fresh().probabilities[11], (4000, 1))
    votes = volunteers.poll(p, 4, np.repeat([10, 1000], 2000))
    assert rmse(votes[:2000], p[:2000]) > 5 * rmse(votes[2000:], p[2000:])


def test_the_same_seed_gives_the_same_votes_and_another_others():
    p = fresh().probabilities[:50]
    np.testing.assert_array_equal(volunteers.poll(p, 5), volunteers.poll(p, 5))
    assert (volunteers.poll(p, 5) != volunteers.poll(p, 6)).any()


def test_sure_answers_get_all_votes():
    shares = np.zeros((1, 37))
    for question in range(11):
        shares[:, gz2_tree.slices(question).start] = 1
    sure = gz2_tree.cumulative(shares)
    np.testing.assert_array_equal(volunteers.poll(sure, 1, 7), sure.astype(np.float32))


# What can be seen decides


def test_a_galaxy_blurred_beyond_recognition_is_voted_smooth():
    truth = draw(500)
    blank = truth["kind"].isin(GALAXIES)
    for name in ("companion_share", "star_share", "bar_share", "ring_share", "dust", "tail_share"):
        blank &= truth[name] == 0
    truth = truth[blank].copy()
    for band in "gri":
        truth[f"seeing_{band}_arcsec"] = 1.5 * truth["r90_arcsec"]
    assert (truth["arms"] > 0).sum() > 30
    smooth = vote(truth, "smooth_or_features/smooth")
    assert np.median(smooth) > 0.8 and np.quantile(smooth, 0.05) > 0.5


def test_without_anything_to_see_hidden_parameters_change_no_vote():
    truth = visible(plain(16, inclination_rad=0.4))
    hidden = truth.assign(arms=4, pitch_rad=0.2, merging=True, arm_phase_rad=1.0, dust=0.9)
    before, after = volunteers.probabilities(truth), volunteers.probabilities(hidden)
    np.testing.assert_allclose(after, before, atol=1e-4)


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"arms": 2, "arm_strength": 0.9}, "spiral/yes"),
        ({"arms": 2, "arm_strength": 0.9}, "smooth_or_features/features"),
        ({"bar_share": 0.25, "bar_length_r90": 0.45}, "bar/yes"),
        ({"ring_share": 0.25}, "odd_feature/ring"),
        ({"companion_share": 0.4}, "odd_feature/merger"),
        ({"tail_share": 0.2}, "odd/yes"),
        ({"clumpiness": 1.0}, "odd_feature/irregular"),
        ({"inclination_rad": 1.55}, "edge_on/yes"),
        ({"kind": "star"}, "smooth_or_features/star"),
        ({"trail_sigma": 60.0}, "smooth_or_features/star"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_what_stands_out_is_voted_for(change, answer):
    truth = plain(32, inclination_rad=0.5)
    before, after = vote(truth, answer), vote(truth.assign(**change), answer)
    assert (after > before).all() and np.median(after) > 1.5 * np.median(before)


def test_dust_lanes_are_seen_in_edge_on_discs():
    truth = plain(32, inclination_rad=1.55)
    dusty = vote(truth.assign(dust=0.9), "odd_feature/dust_lane")
    clean = vote(truth, "odd_feature/dust_lane")
    assert (dusty > clean).all() and np.median(dusty) > 10 * np.median(clean)


@pytest.mark.parametrize(
    ("number", "answer"), [(1, "1"), (2, "2"), (3, "3"), (4, "4"), (6, "more")]
)
def test_those_who_count_bright_arms_count_them_rightly(number, answer):
    truth = plain(16, inclination_rad=0.3, arms=number, arm_strength=1.0, arm_sharpness=2.0,
                  pitch_rad=0.35, r_mag=15.0)  # fmt: skip
    votes = volunteers.probabilities(visible(truth))[:, gz2_tree.slices("arms")]
    names = gz2_tree.QUESTIONS[10].answers
    counts = votes.mean(axis=0)[:-1]  # without those who cannot tell
    assert names[counts.argmax()] == answer


def test_rounder_galaxies_are_called_rounder():
    truth = plain(16, kind="elliptical", bulge_share=1.0)
    order = [vote(truth.assign(bulge_axis_ratio=q), "roundness/round") for q in (0.3, 0.6, 0.95)]
    assert (order[0] < order[1]).all() and (order[1] < order[2]).all()


def test_looser_arms_are_called_looser():
    truth = plain(16, inclination_rad=0.3, arms=2, arm_strength=1.0, r_mag=15.0)
    answers = [vote(truth.assign(pitch_rad=np.radians(p)), "winding/loose") for p in (10, 22, 38)]
    assert (answers[0] < answers[1]).all() and (answers[1] < answers[2]).all()


def test_worse_seeing_turns_spirals_smooth():
    truth = plain(32, inclination_rad=0.5, arms=2, arm_strength=0.8)
    smooth = [vote(blurred(truth, f), "smooth_or_features/smooth") for f in (1, 2, 4)]
    assert (smooth[0] < smooth[1]).all() and (smooth[1] < smooth[2] + 0.02).all()
    assert np.median(smooth[2]) > np.median(smooth[1]) + 0.1


@given(st.floats(0.01, 1), st.floats(0.01, 1))
def test_what_stands_out_more_is_noticed_more_often(low, high):
    low, high = sorted((low, high))
    noticed = volunteers.seen(np.array([low, high]), 0.1)
    assert 0 < noticed[0] <= noticed[1] < 1
    assert volunteers.seen(np.array([0.1]), 0.1)[0] == pytest.approx(0.5)


def test_blur_rounds_what_is_flat():
    truth = plain(16, inclination_rad=1.2)
    q = [volunteers.apparent_axis_ratio(blurred(truth, factor)) for factor in (0.1, 1, 5)]
    assert (q[0] < q[1]).all() and (q[1] < q[2]).all() and (q[2] <= 1).all()


# Against the real votes


def test_mean_answers_agree_with_the_real_ones_on_fresh_galaxies():
    found = fresh().probabilities.mean(axis=0)
    target = np.array(volunteers.TARGET_MEANS)
    off = np.abs(found - target) > np.maximum(0.1 * target, 0.002)
    assert not off.any(), [
        f"{gz2_tree.ANSWERS[k]}: {found[k]:.4f}, real {target[k]:.4f}" for k in np.flatnonzero(off)
    ]


def test_predicting_the_mean_errs_as_much_as_on_the_real_votes():
    votes = volunteers.poll(fresh().probabilities, 7, 20)  # the median number in the catalogue
    assert rmse(votes, votes.mean(axis=0)) == pytest.approx(0.147, rel=0.10)


@pytest.mark.skipif(not cache.available(GZ2), reason=f"{GZ2} is not in the data cache")
def test_the_targets_are_the_means_of_the_catalogue():
    real = galaxies.gz2_votes()
    found = real[list(gz2_tree.ANSWERS)].mean().to_numpy()
    np.testing.assert_allclose(found, volunteers.TARGET_MEANS, atol=1e-4)
    assert rmse(real, real.mean()) == pytest.approx(0.147, abs=0.001)


def test_calibration_finds_the_constants_that_give_the_targets():
    whole = fresh()
    bias = volunteers.calibrate(whole.truth, steps=40)
    found = volunteers.probabilities(whole.truth, tuple(bias)).mean(axis=0)
    np.testing.assert_allclose(found, volunteers.TARGET_MEANS, rtol=0.02, atol=5e-4)
    np.testing.assert_allclose(bias, volunteers.BIAS, atol=0.5)  # rare answers scatter most


# What is refused


def truth_of(**columns):
    return visible(plain(4)).assign(**columns)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: plain(4), r"without \['visible_arms', .* expected the columns"),
        (lambda: truth_of().drop(columns="visible_ring"), r"without \['visible_ring'\]"),
        (lambda: truth_of(visible_bar=np.nan), r"NaN or infinity in \['visible_bar'\]"),
        (lambda: truth_of(arms=np.nan), r"NaN or infinity in \['arms'\]"),
    ],
)
def test_an_unsound_truth_is_refused_by_the_name_of_its_column(make, message):
    with pytest.raises(ValueError, match=message):
        volunteers.probabilities(make())


@pytest.mark.parametrize("n_volunteers", [0, -1, 2.5, True, None, [40, 40, 40], [40, 0]])
def test_impossible_numbers_of_volunteers_are_refused(n_volunteers):
    with pytest.raises(ValueError, match=r"n_volunteers: received .* expected"):
        volunteers.poll(fresh().probabilities[:2], 1, n_volunteers)


@pytest.mark.parametrize("seed", [1.5, -1, None, True])
def test_impossible_seeds_are_refused(seed):
    with pytest.raises(ValueError, match=r"poll: received seed=.* expected a whole number"):
        volunteers.poll(fresh().probabilities[:2], seed)


@pytest.mark.parametrize(
    "fractions",
    [np.ones((2, 36)), np.ones(37), np.full((2, 37), np.nan), -np.ones((2, 37)),
     40 * np.ones((2, 37))],
    ids=["36 answers", "one axis", "NaN", "negative", "counts"],
)  # fmt: skip
def test_impossible_fractions_are_refused(fractions):
    with pytest.raises(ValueError, match=r"fractions: received .* expected"):
        volunteers.poll(fractions, 1)


@pytest.mark.parametrize("values", [(1.0, 2.0), (np.nan,) * 37, (0.0,) * 37])
def test_impossible_targets_are_refused(values):
    with pytest.raises(ValueError, match=r"target: received .* expected"):
        volunteers.calibrate(truth_of(), values)


def test_a_bias_needs_one_number_per_answer():
    with pytest.raises(ValueError, match=r"bias: received shape \(3,\), expected 37"):
        volunteers.probabilities(truth_of(), (1.0, 2.0, 3.0))
