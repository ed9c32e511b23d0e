"""Facts that the chapter *CNNs* stands on: its network, its parts and its stored runs."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import firstlight
from firstlight.autodiff.convolution import conv2d
from firstlight.autodiff.tensor import Variable
from firstlight.studies import cnn_parts as study
from firstlight.studies.cards import same_fingerprint
from firstlight.studies.stored import read_run

RUNS = Path(firstlight.__file__).parent / "studies" / "runs"
quick = settings(max_examples=30, deadline=None)


def images(n=5, seed=1):
    return np.random.default_rng(seed).normal(size=(n, 24, 24, 1)).astype("float32")


@quick
@given(st.integers(1, 5), st.integers(1, 3), st.integers(0, 1000))
def test_a_valid_convolution_moves_with_the_sky(k, d, seed):
    random = np.random.default_rng(seed)
    x, w = random.normal(size=(1, 16, 17, 2)), random.normal(size=(k, k, 2, 3))
    before = conv2d(x[:, :, :-1], w, dilation=d).value
    after = conv2d(x[:, :, 1:], w, dilation=d).value
    np.testing.assert_allclose(before[:, :, 1:], after[:, :, :-1], atol=1e-12)


@quick
@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 2)), min_size=1, max_size=4))
def test_the_recursion_gives_the_field_that_gradients_measure(stack):
    r, j = 1, 1
    for k, s in stack:
        r, j = r + (k - 1) * j, j * s
    x = Variable(np.ones((1, r, r, 1)))  # the field just fits, once
    a = x
    for k, s in stack:
        a = conv2d(a, np.ones((k, k, 1, 1)), strides=s)
    assert a.shape == (1, 1, 1, 1)
    a.sum().backward()
    seen = x.gradient[0, :, :, 0] != 0
    assert seen[0, 0] and seen[-1, -1]


@pytest.mark.parametrize("part", study.PARTS)
def test_every_network_answers_and_depends_on_its_seed_alone(part):
    x, one = images(), study.network(4, part)
    answer = np.asarray(one(x))
    assert answer.shape == (5, 1) and np.isfinite(answer).all()
    np.testing.assert_array_equal(answer, study.network(4, part)(x))
    assert not np.array_equal(answer, study.network(5, part)(x))


@pytest.mark.parametrize("part", study.PARTS)
def test_what_is_removed_is_gone_and_the_rest_is_there(part):
    kinds = [type(layer).__name__ for layer in study.network(0, part).layers]
    assert ("ReLU" in kinds) is ("activation" not in part)
    assert ("MaxPooling2D" in kinds) is ("pooling" not in part)
    assert ("BatchNormalization" in kinds) is (part != "batch norm")
    assert ("Dropout" in kinds) is (part != "dropout")
    assert kinds.count("Dense") == (1 if part == "fully connected" else 2)
    assert kinds.count("Conv2D") == (1 if part == "depth" else 3)


@settings(max_examples=4, deadline=None)  # each builds two networks
@given(st.integers(0, 1000))
def test_without_bend_and_pooling_the_network_is_linear(seed):
    model = study.network(seed, "activation and pooling")
    x, y = images(2, seed), images(2, seed + 1)
    zero = np.asarray(model(np.zeros_like(x)))
    left = np.asarray(model(x + y)) - zero
    right = np.asarray(model(x)) + np.asarray(model(y)) - 2 * zero
    np.testing.assert_allclose(left, right, atol=1e-4)
    bent = study.network(seed, "activation")  # max pooling is left
    zero = np.asarray(bent(np.zeros_like(x)))
    assert not np.allclose(bent(x + y) - zero, bent(x) + bent(y) - 2 * zero, atol=1e-3)


def test_an_unknown_part_gets_a_clear_error():
    with pytest.raises(ValueError, match="expected one of nothing, activation"):
        study.network(0, "coffee")


def test_stamps_are_gray_framed_and_repeatable():
    stamps = study.simulate(6, seed=3)
    assert stamps.x.shape == (6, 24, 24, 1)
    assert stamps.y.ravel().tolist() == [1, 0, 1, 0, 1, 0]
    np.testing.assert_array_equal(stamps.x[:4], study.simulate(4, seed=3).x)


def test_training_is_repeatable_and_learns():
    train = study.simulate(64, seed=9)
    weights = []
    for _ in range(2):
        model = study.network(2)
        losses = study.fit(model, train, 2, augment=False, steps=40)
        weights.append(model.get_weights())
    assert len(losses) == 40 and np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])
    for one, two in zip(*weights, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)


@pytest.mark.parametrize("name", study.SWEEPS)
def test_the_stored_runs_are_complete_and_not_stale(name):
    card = json.loads((RUNS / f"{name}.card.json").read_text(encoding="utf-8"))
    assert card["complete"] and card["points"] == len(study.SWEEPS[name].points)
    assert not same_fingerprint(card["fingerprint"], study.fingerprint())


def test_the_rates_are_those_that_the_tuning_skies_chose():
    runs = pd.DataFrame(read_run("cnns-rates"))
    best = runs.groupby(["without", "rate"])["wrong"].mean().unstack().idxmin(axis=1)
    assert best.to_dict() == dict(study.RATES)
    judged = pd.DataFrame(read_run("cnns-parts"))
    assert judged.groupby("without")["rate"].unique().explode().to_dict() == dict(study.RATES)
    assert not set(judged["seed"]) & set(runs["seed"])
