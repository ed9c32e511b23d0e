"""The study of a shift between surveys: its sets, its methods, its network."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest

from firstlight.models.domain_shift import ALIGNMENTS, copy_weights, feature_model, survey_cnn
from firstlight.studies import domain_shift as study

TINY = {**study.BUILD, "n_labeled": 64, "n_unlabeled": 64, "n_few": 20, "n_test": 64,
        "widths": (4, 8), "features": 6, "steps": 3, "adapt_steps": 2,
        "batch_size": 16}  # fmt: skip


@pytest.fixture(scope="module")
def data():
    return study.skies(TINY, 1)


@pytest.fixture(scope="module")
def base(data):
    return study.train_source(TINY, data, 1)


def test_no_galaxy_is_in_two_sets(data):
    assert data.labeled.shape == (64, 32, 32, 3) and len(data.test) == 64
    sets = (data.labeled, data.unlabeled[:64], data.test.second)
    flat = [part.reshape(64, -1) for part in sets]
    nearest = [np.abs(a[:, None, :64] - b[None, :, :64]).max(axis=2).min()
               for a, b in ((flat[1], flat[2]), (flat[0], flat[2]))]  # fmt: skip
    assert min(nearest) > 0.5


def test_the_second_survey_can_have_other_galaxies():
    late = study.skies(TINY, 1, late_share=0.0)
    assert late.test.labels.mean() == 0 and late.few_labels.mean() == 0
    assert 0.25 < late.labels.mean() < 0.75


@pytest.mark.parametrize("align", ALIGNMENTS)
def test_alignment_does_not_change_what_is_predicted(align):
    images = np.random.default_rng(1).normal(size=(6, 16, 16, 3)).astype("float32")
    plain = survey_cnn(16, (4, 8), 6)
    other = copy_weights(plain, survey_cnn(16, (4, 8), 6, align=align))
    np.testing.assert_allclose(
        other.predict_on_batch(images), plain.predict_on_batch(images), rtol=1e-5
    )
    assert feature_model(other).output_shape == (None, 6)


@pytest.mark.parametrize("method", study.METHODS)
def test_every_method_gives_another_network_and_leaves_the_base_alone(method, data, base):
    before = [np.array(w) for w in base.get_weights()]
    model = study.adapt(TINY, base, data, 1, method)
    p = study.predict(model, data.test.second)
    assert p.shape == (64,) and ((p >= 0) & (p <= 1)).all()
    assert np.abs(p - study.predict(base, data.test.second)).max() > 0
    for old, new in zip(before, base.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_new_statistics_move_no_weight(data, base):
    model = study.adapt(TINY, base, data, 1, "statistics")
    for name, same in (("conv_0", True), ("late", True), ("norm_0", False)):
        pairs = zip(base.get_layer(name).get_weights(), model.get_layer(name).get_weights(),
                    strict=True)  # fmt: skip
        assert all(np.array_equal(a, b) for a, b in pairs) is same


def test_labels_can_be_bought(data, base):
    model = study.adapt(TINY, base, data, 1, "labels", labels=10)
    assert study.predict(model, data.test.second).shape == (64,)
    with pytest.raises(ValueError, match="labels=21; expected .* at most 20"):
        study.adapt(TINY, base, data, 1, "labels", labels=21)
    with pytest.raises(ValueError, match="method='magic'"):
        study.adapt(TINY, base, data, 1, "magic")


def test_another_telescope_has_another_gain_and_no_quieter_sky():
    rng = np.random.default_rng(1)
    sky = rng.normal(size=(200, 32, 32, 3)).astype("float32")
    sky[:, 14:18, 14:18] += 50
    seen = study.other_telescope(sky, rng)
    assert seen.shape == sky.shape and np.isfinite(seen).all()
    assert seen[:, :4].std(axis=(1, 2)).min() > 0.8
    light = seen[:, 8:24, 8:24].sum(axis=(1, 2))
    assert np.std(np.log(np.maximum(light, 1))) > 0.4


def test_accuracies():
    y, p = np.array([1, 0, 0, 0]), np.array([0.2, 0.1, 0.2, 0.9], "float32")
    assert study.accuracy(y, p) == 0.5
    assert study.balanced_accuracy(y, p) == pytest.approx(1 / 3)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="received 'mean', expected one of"):
        survey_cnn(16, align="mean")
    with pytest.raises(ValueError, match="other shapes"):
        copy_weights(survey_cnn(16, (4, 8), 6), survey_cnn(16, (4, 16), 6))


def test_the_stored_runs_measure_what_their_columns_say():
    from firstlight.studies import domain_shift_runs as runs

    for method in ("mmd", "labels", "all labels"):
        found = runs.measure_methods(1, method, 10, size=64)
        assert set(found) == {"first", "second"} and all(0 <= v <= 1 for v in found.values())
    found = runs.measure_balance(1, "coral", 0.1, size=64)
    assert 0 <= found["balanced"] <= 1 and 0 <= found["called"] <= 1
    assert all(sweep.name == name for name, sweep in runs.SWEEPS.items())
