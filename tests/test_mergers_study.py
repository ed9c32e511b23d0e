"""The mergers' study: transfer puts weights where they belong, tests count, errors are counted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from firstlight.evaluation import cas, heads
from firstlight.evaluation.transfer_tests import corrected_fraction, error_rate, paired_test
from firstlight.studies import mergers as study
from firstlight.studies import mergers_runs

TINY = {**study.BUILD, "n_train": 96, "n_test": 60, "size": 32, "steps": 2, "batch_size": 8}


def disc(side=48, scale=5.0, x=0.0):
    yy, xx = np.indices((side, side)) - (side - 1) / 2
    return 300 * np.exp(-np.hypot(xx - x, yy) / scale)


# --- networks and their starts -------------------------------------------------------


def test_transfer_copies_the_features_and_leaves_the_head():
    from firstlight.studies import galaxy_zoo

    zoo = study.build_model(study.BUILD, "galaxy-zoo")
    plain = galaxy_zoo.build_model(galaxy_zoo.FULL)
    from firstlight.models.storage import load_weights

    load_weights(plain, galaxy_zoo.WEIGHTS)
    first = [layer for layer in zoo.layers if "conv2d" in layer.name][0].get_weights()[0]
    origin = [layer for layer in plain.layers if "conv2d" in layer.name][0].get_weights()[0]
    np.testing.assert_array_equal(first, origin)
    assert zoo.output_shape == (None, 1)
    with pytest.raises(ValueError, match="start"):
        study.build_model(study.BUILD, "cats")


def test_a_network_of_another_shape_is_refused():
    from firstlight.models.mergers import copy_features, merger_cnn

    with pytest.raises(ValueError, match="same features"):
        copy_features(merger_cnn(32, (4, 8), (0, 0)), merger_cnn(32, (4, 6), (0, 0)))


def test_training_is_repeatable_and_writes_both_weights_and_a_card(tmp_path):
    from firstlight.studies.cards import read_card

    weights = study.train(TINY, 1, tmp_path)
    card = read_card(weights.with_suffix(".card.json"))
    assert (tmp_path / study.SCRATCH.name).exists() and card["study"] == "mergers"
    found = study.evaluate(weights, study.simulate(TINY, 2))
    assert found["error_transfer"] == card["metrics"]["error_transfer"]
    assert weights.stat().st_size + (tmp_path / study.SCRATCH.name).stat().st_size < 8e6


def test_missing_weights_name_the_command(tmp_path):
    with pytest.raises(FileNotFoundError, match="firstlight train mergers --scale full"):
        study.load(tmp_path / "none.npz")


def test_network_input_and_pictures():
    images = np.random.default_rng(0).normal(0, 30, (4, 8, 8, 3)).astype(np.float32)
    shown = study.network_input(images)
    assert shown.dtype == np.float16 and np.all(np.diff(np.sort(shown.ravel())) >= 0)
    rgb = study.pictures(images)
    assert rgb.min() >= 0 and rgb.max() <= 255
    red = np.zeros((1, 4, 4, 3), np.float32)
    red[..., 2] = 50
    assert study.pictures(red)[0, 0, 0].argmax() == 0  # i is shown red


def test_small_training_sets_are_balanced():
    labels = np.random.default_rng(0).integers(0, 2, 300)
    rows = study.balanced(labels, 50)
    assert len(rows) == 50 and labels[rows].sum() == 25 and (np.diff(rows) > 0).all()
    for n in (3, 0, 400):
        with pytest.raises(ValueError, match="balanced"):
            study.balanced(labels, n)


def test_sweeps_are_listed_and_their_points_known():
    from firstlight import studies

    for name, sweep in mergers_runs.SWEEPS.items():
        assert name in studies.SWEEPS and len(sweep.points) == len({str(p) for p in sweep.points})
    assert max(mergers_runs.LABELS) < study.BUILD["n_train"]


# --- tests and fractions -------------------------------------------------------------


def test_error_rate_counts_and_refuses():
    assert error_rate([0, 1], [0.2, 0.9]) == 0 and error_rate([0, 1], [0.8, 0.1]) == 1
    for labels, p in (([], []), ([0, 1], [0.5]), ([0], [np.nan])):
        with pytest.raises(ValueError, match="error_rate"):
            error_rate(labels, p)


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=8), st.floats(0.1, 5))
@settings(max_examples=40, deadline=None)
def test_the_paired_test_has_no_side_and_no_unit(gaps, unit):
    first = np.array(gaps) + 3
    one, other = (
        paired_test(first, np.full(len(gaps), 3.0)),
        paired_test(np.full(len(gaps), 3.0), first),
    )
    assert one.p_value == other.p_value and one.difference == pytest.approx(-other.difference)
    assert 2.0 ** (1 - len(gaps)) <= one.p_value <= 1
    scaled = paired_test(unit * first, np.full(len(gaps), 3 * unit))
    assert scaled.difference == pytest.approx(unit * one.difference)


def test_the_paired_test_agrees_with_scipy_and_with_student():
    rng = np.random.default_rng(4)
    a, b = rng.normal(1, 0.3, 10), rng.normal(0.8, 0.3, 10)
    exact = stats.permutation_test((a, b), lambda x, y, axis: np.mean(x - y, axis=axis),
                                   permutation_type="samples", vectorized=True,
                                   n_resamples=np.inf).pvalue  # fmt: skip
    assert paired_test(a, b).p_value == pytest.approx(exact)
    assert paired_test(a, b).p_value == pytest.approx(stats.ttest_rel(a, b).pvalue, abs=0.05)
    with pytest.raises(ValueError, match="2 to 20"):
        paired_test([1.0], [2.0])


def test_a_corrected_fraction_is_unbiased_and_its_uncertainty_right():
    rng = np.random.default_rng(0)
    f, complete, false, n = 0.1, 0.8, 0.05, 2000
    found = [corrected_fraction(rng.binomial(n, f * complete + (1 - f) * false), n,
                                rng.binomial(500, complete), 500, rng.binomial(500, false), 500)
             for _ in range(400)]  # fmt: skip
    values = np.array([x.value for x in found])
    assert values.mean() == pytest.approx(f, abs=0.003)
    assert values.std() == pytest.approx(np.mean([x.uncertainty for x in found]), rel=0.15)


@pytest.mark.parametrize("counts", [(11, 10, 5, 10, 1, 10), (1, 10, -1, 10, 1, 10),
                                    (1, 10, 3, 10, 5, 10), (1, 0, 5, 10, 1, 10)])  # fmt: skip
def test_impossible_counts_are_refused(counts):
    with pytest.raises(ValueError, match="corrected_fraction"):
        corrected_fraction(*counts)


# --- shapes --------------------------------------------------------------------------


def test_statmorph_and_the_fast_shapes_agree_on_a_plain_galaxy_and_on_a_pair():
    rng = np.random.default_rng(0)
    pictures = np.stack([disc(), disc() + 0.7 * disc(x=9)]) + rng.normal(0, 1, (2, 48, 48))
    slow, fast = cas.cas_gini_m20(pictures), heads.shapes(pictures.astype(np.float32))
    assert slow["good"].all()
    for table in (slow, fast):
        assert table["asymmetry"][1] > table["asymmetry"][0] + 0.1
        assert table["m20"][1] > table["m20"][0]
    assert fast["gini"].to_numpy() == pytest.approx(slow["gini"].to_numpy(), abs=0.1)


def test_smoothness_rises_with_clumps_and_is_zero_for_noise():
    rng = np.random.default_rng(1)
    smooth = disc() + rng.normal(0, 1, (48, 48))
    clumpy = smooth.copy()
    for x, y in rng.integers(16, 32, (12, 2)):
        clumpy[x, y] += 400
    found = cas.smoothness(np.stack([smooth, clumpy]), np.full(2, 12.0))
    assert found[1] > found[0] + 0.02 and abs(found[0]) < 0.05


def test_the_published_cuts():
    assert cas.cas_merger([0.4, 0.4, 0.3], [0.01, 0.05, 0.01]).tolist() == [True, False, False]
    assert cas.gini_m20_merger([0.6, 0.5], [-1.5, -1.5]).tolist() == [True, False]


@pytest.mark.parametrize("bad", [np.zeros((0, 8, 8)), np.zeros((8, 8)), np.full((1, 8, 8), np.nan)])
def test_bad_images_are_refused(bad):
    with pytest.raises(ValueError, match="cas_gini_m20"):
        cas.cas_gini_m20(bad)


def test_an_empty_image_gets_numbers_all_the_same():
    noise = np.random.default_rng(0).normal(0, 1, (2, 48, 48))
    assert np.isfinite(cas.cas_gini_m20(noise)[list(cas.NAMES)]).all(axis=None)
    assert cas.segment(np.zeros((48, 48)), 1.0).any()


def test_heads_learn_what_is_there():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 5))
    y = (x[:, 0] > 0).astype(int)
    for fit in (heads.linear_head, heads.tuned_trees):
        assert error_rate(y, fit(x, y).predict_proba(x)[:, 1]) < 0.1
