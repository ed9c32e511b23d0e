"""Facts that *Transfer learning* stands on: patches of sky, splits, measures, small networks."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.archive import cache
from firstlight.evaluation import radio_morphology as morphology
from firstlight.studies import radio_sweeps, radio_training
from firstlight.studies import radio_transfer as study
from firstlight.studies.cards import same_fingerprint
from firstlight.studies.stored import RUNS, read_run

HERE = cache.available("first/galaxy_data_h5.zip", "imagenet/efficientnet-lite0.pth")
needs_data = pytest.mark.skipif(not HERE, reason="the data wheels are not installed")
quick = settings(max_examples=25, deadline=None)


def blob(x, y, size=3.0, flux=200.0, side=140):
    grid = np.arange(side) - (side - 1) / 2
    picture = flux * np.exp(-0.5 * ((grid - x) ** 2 + (grid[:, None] - y) ** 2) / size**2)
    return np.where(picture > 1, picture, 0)


def of(images, name):
    values, names = morphology.radio_features(np.asarray(images))
    return values[:, names.index(name)]


def test_fields_that_overlap_chain_into_patches():
    ra = np.array([10.0, 10.1, 10.2, 50.0, 50.0, 200.0])
    dec = np.array([0.0, 0.0, 0.0, 80.0, 80.1, -30.0])
    patch = study.same_sky(ra, dec, field_arcsec=360)
    assert patch[0] == patch[1] == patch[2] and patch[3] == patch[4]
    assert len(set(patch)) == 3


def test_patches_do_not_care_for_the_seam_at_zero_hours():
    patch = study.same_sky([359.99, 0.01], [20.0, 20.0], field_arcsec=100)
    assert patch[0] == patch[1]


@quick
@given(st.integers(0, 10**6))
def test_no_patch_is_on_both_sides_and_each_row_is_tested_once(seed):
    random = np.random.default_rng(seed)
    radio = SimpleNamespace(
        labels=random.integers(4, size=200), patch=random.integers(90, size=200)
    )
    tested = np.zeros(200, int)
    for train, test in study.folds(radio, 5, seed % 1000):
        assert not np.isin(radio.patch[test], radio.patch[train]).any()
        tested[test] += 1
    assert (tested == 1).all()


@quick
@given(st.integers(0, 10**6), st.integers(4, 60))
def test_fewer_labels_are_the_first_of_more_and_balanced(seed, n):
    labels = np.random.default_rng(seed).integers(4, size=400)
    rows = np.arange(0, 400, 2)
    few, more = (study.subset(labels, rows, k, seed) for k in (n, 2 * n))
    assert len(set(few)) == n and set(few) <= set(more) and np.isin(few, rows).all()
    assert np.ptp(np.bincount(labels[few], minlength=4)) <= 1


def test_accuracy_does_not_reward_the_largest_class():
    truth = np.array([0] * 90 + [1] * 10)
    assert study.accuracy(truth, np.zeros(100, int)) == 0.5
    assert study.accuracy(truth, truth) == 1.0


def test_class_weights_give_each_class_the_same_sum():
    weighted = radio_training.class_weights(np.array([0, 0, 0, 1, 2, 2, 3, 3]))
    np.testing.assert_allclose(weighted.sum(axis=0), 2.0, rtol=1e-6)


@pytest.mark.parametrize("stretch", ["linear", "sqrt", "log"])
def test_stamps_show_the_middle_from_black_to_white(stretch):
    images = np.zeros((1, 300, 300), np.uint8)
    images[0, 130:170, 130:170] = 255
    stamp = study.stamps(images, 70, 96, stretch)
    assert stamp.shape == (1, 96, 96, 1)
    assert stamp.min() == pytest.approx(-127 / 128) and stamp.max() == pytest.approx(1, abs=0.01)
    assert stamp[0, 48, 48, 0] > 0.99 > stamp[0, 2, 2, 0]


def test_a_stretch_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="expected one of linear, sqrt, log"):
        study.stamps(np.zeros((1, 300, 300)), 70, 96, "asinh")


def test_zernike_polynomials_are_orthogonal_on_their_disk():
    basis = morphology.zernike_basis(100, 48, order=6)
    products = np.real(basis.reshape(len(basis), -1) @ basis.reshape(len(basis), -1).conj().T)
    size = np.sqrt(np.diag(products))
    off = products / np.outer(size, size) - np.eye(len(basis))
    assert len(basis) == 16 and np.abs(off).max() < 0.05


def test_turned_and_mirrored_maps_measure_the_same():
    picture = blob(-20, 3) + blob(15, -6, flux=90) + blob(2, 1, 2)
    views = [np.rot90(picture, k) for k in range(4)] + [picture.T]
    values = morphology.radio_features(np.array(views))[0]
    np.testing.assert_allclose(values, np.broadcast_to(values[:1], values.shape),
                               rtol=2e-3, atol=2e-3)  # fmt: skip


def test_the_fanaroff_riley_ratio_orders_its_two_classes():
    inner, outer = blob(-8, 0, 3) + blob(8, 0, 3), blob(-8, 0, 3, 60) + blob(8, 0, 3, 60)
    first = inner + blob(-35, 0, 4, 30) + blob(35, 0, 4, 30)
    second = outer + blob(-35, 0, 3) + blob(35, 0, 3)
    ratio = of([first, second], "fanaroff_riley")
    assert ratio[0] < 0.5 < ratio[1]


def test_bent_sources_have_an_opening_and_compact_ones_are_small():
    straight = blob(-25, 0) + blob(25, 0)
    bent = blob(-20, 15) + blob(20, 15) + blob(0, -3)
    compact = blob(0, 0, 2)
    opening = of([straight, bent], "flux_45_opening")
    assert opening[0] < -0.95 < opening[1]
    assert of([straight, bent], "flux_45_bow")[1] > 5 * of([straight, bent], "flux_45_bow")[0]
    assert of([compact], "size")[0] < 0.5 * of([straight], "size")[0]


def test_an_empty_map_is_measured_without_complaint():
    assert np.isfinite(morphology.radio_features(np.zeros((2, 120, 120)))[0]).all()


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 100, 100)),
        np.zeros((2, 130, 120)),
        np.full((1, 120, 120), np.nan),
        -np.ones((1, 120, 120)),
    ],
)
def test_maps_that_cannot_be_measured_are_refused(images):
    with pytest.raises(ValueError, match="images: received"):
        morphology.radio_features(images)


def test_maps_are_measured_alike_in_any_company(monkeypatch):
    maps = [blob(-20, 3) + blob(15, -6, flux=90), blob(0, 0, 2), blob(9, 9, 5)]
    alone, names = morphology.radio_features(np.array(maps))
    monkeypatch.setattr(morphology, "AT_ONCE", 2)
    np.testing.assert_allclose(morphology.radio_features(np.array(maps))[0], alone, rtol=1e-5)
    assert len(names) == len(set(names)) == alone.shape[1]


def test_stamps_do_not_depend_on_how_many_are_made_at_once():
    images = np.random.default_rng(4).integers(0, 256, (600, 80, 80)).astype(np.uint8)
    whole = study.stamps(images, 64, 32)
    np.testing.assert_allclose(whole[500:503], study.stamps(images[500:503], 64, 32), atol=1e-6)


@quick
@given(st.integers(1, 5000))
def test_settings_from_scratch_fit_the_labels(n):
    now, more = radio_training.scratch_settings(n), radio_training.scratch_settings(n + 1)
    assert 1 <= now["batch"] <= n and 300 <= now["steps"] <= more["steps"] <= 800
    assert 0 < now["learning_rate"] < 0.01


def test_a_network_from_scratch_learns_and_its_two_modes_agree():
    images = np.zeros((48, 64, 64, 2), "float32")
    labels = np.arange(48) % 4
    for k, (size, gap) in enumerate(((2, 0), (8, 0), (2, 12), (8, 12))):
        two = blob(-gap, 0, size, side=64) + blob(gap, 0, size, side=64)
        images[labels == k] = (two / two.max())[..., None]
    model = radio_training.scratch(images, labels, 1, steps=80, learning_rate=3e-3, batch=16)
    says = [np.asarray(model(images, training=mode)).argmax(axis=1) for mode in (False, True)]
    assert study.accuracy(labels, says[0]) > 0.7 and study.accuracy(labels, says[1]) > 0.7


def test_labels_needed_reads_a_curve_backward():
    labels, height = [10, 100, 1000], [0.4, 0.6, 0.7]
    assert radio_sweeps.labels_needed(labels, height, 0.6) == pytest.approx(100)
    assert radio_sweeps.labels_needed(labels, height, 0.5) == pytest.approx(10**1.5)
    assert radio_sweeps.labels_needed(labels, height, 0.9) == float("inf")


def test_the_frozen_head_learns_a_simple_rule():
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), 40)
    features = random.normal(size=(2, 160, 8)).astype("float32")
    features[:, np.arange(160), labels] += 4
    model = radio_training.frozen_head(features, labels, seed=1, steps=150)
    assert study.accuracy(labels, np.asarray(model(features[0])).argmax(axis=1)) > 0.9


@needs_data
def test_the_tuned_network_starts_as_the_linear_head_and_training_changes_it():
    random = np.random.default_rng(2)
    pictures = random.normal(size=(40, study.SIDE, study.SIDE, 1)).astype("float32")
    maps, features = study.show_to(study.backbone(study.SIDE), pictures)
    maps, labels = maps[None], np.arange(40) % 4
    head = radio_training.linear_head(features, labels)
    model = radio_training.tuned_network(head)
    says = radio_sweeps.answers(model, maps, np.arange(40))
    np.testing.assert_allclose(says, head.predict_proba(features), atol=5e-3)
    curve = radio_training.fine_tune(model, maps, labels, np.arange(40), seed=1, steps=12)
    assert np.mean(curve[-3:]) < np.mean(curve[:3])


@needs_data
def test_the_two_images_of_one_galaxy_share_a_patch():
    radio = study.load()
    for a, b in ((69, 1928), (932, 1224), (564, 731)):
        assert radio.patch[a] == radio.patch[b]


@needs_data
@pytest.mark.parametrize("name", ["transfer-labels", "transfer-full", "transfer-reference"])
def test_stored_runs_belong_to_this_code(name):
    import json

    card = json.loads((RUNS / f"{name}.card.json").read_text("utf-8"))
    assert card["complete"], f"run: {card['command']}"
    assert same_fingerprint(card["fingerprint"], radio_sweeps.SWEEPS[name].fingerprint()) == []


@pytest.mark.parametrize("name", ["transfer-full", "transfer-reference"])
def test_every_galaxy_was_tested_once_at_full_scale(name):
    rows = read_run(name)
    counts = [sum(row[f"count_{k}"] for row in rows) for k in range(4)]
    assert counts == [495, 924, 391, 348]
    for k in range(4 if name == "transfer-full" else 0):
        said = sum(row[f"said_{k}_{j}"] for row in rows for j in range(4))
        assert said == counts[k]
