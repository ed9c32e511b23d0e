"""The gradient reversal and the two distances, against NumPy and against finite differences."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from firstlight.layers.domain_alignment import (
    SCALES,
    DomainCritic,
    MomentAlignment,
    coral,
    mmd,
)
from firstlight.layers.gradient_reversal import GradientReversal, reversal_schedule


def samples(seed, n=20, m=24, d=3, shift=0.0, spread=1.0):
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(n, d)), shift + spread * rng.normal(size=(m, d))
    return first.astype("float32"), second.astype("float32")


def mmd_by_definition(a, b):
    """Sums over all pairs, one by one in double precision."""
    a, b = a.astype(float), b.astype(float)
    width = np.mean([np.sum((x - y) ** 2) for x in a for y in b])

    def mean_kernel(x, y):
        d = ((x[:, None] - y[None]) ** 2).sum(axis=-1)
        return np.mean([np.exp(-d / (c * width)) for c in SCALES])

    return mean_kernel(a, a) + mean_kernel(b, b) - 2 * mean_kernel(a, b)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 9999), st.floats(0, 2), st.floats(0.5, 2))
def test_both_distances_equal_their_definitions(seed, shift, spread):
    a, b = samples(seed, shift=shift, spread=spread)
    assert float(mmd(a, b)) == pytest.approx(mmd_by_definition(a, b), abs=2e-6)
    gap = np.cov(a, rowvar=False) - np.cov(b, rowvar=False)
    assert float(coral(a, b)) == pytest.approx((gap**2).sum() / (4 * 9), rel=1e-3, abs=1e-7)


def test_a_sample_has_no_distance_from_itself_and_grows_with_a_shift():
    a, b = samples(0)
    assert float(mmd(a, a)) == pytest.approx(0, abs=1e-6)
    assert float(coral(a, a)) == 0
    grown = [float(mmd(a, b + shift)) for shift in (0, 1, 2, 4)]
    assert (np.diff(grown) > 0).all() and grown[-1] < 2


def test_coral_sees_no_shift_of_the_mean_and_mmd_does():
    a, b = samples(1, n=40, m=40)
    assert float(coral(a, b + 3)) == pytest.approx(float(coral(a, b)), rel=1e-3)
    assert float(mmd(a, b + 3)) > 5 * float(mmd(a, b))


@given(st.floats(0, 1))
def test_the_schedule_rises_from_nothing_to_one(progress):
    assert 0 <= reversal_schedule(progress) < 1
    assert reversal_schedule(progress) <= reversal_schedule(min(1.0, progress + 0.1))


def model_of(layer, seed=0):
    """features -> layer -> a mean, with a weight in front whose change can be watched."""
    keras.utils.set_random_seed(seed)
    x = keras.Input((3,))
    h = keras.layers.Dense(3, use_bias=False, name="front")(x)
    return keras.Model(x, keras.layers.Dense(1, use_bias=False, name="head")(layer(h)))


def changes(layer, sample_weight=None, n=16):
    """Steps of plain gradient descent in the front and the head."""
    model = model_of(layer)
    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(n, 3)), rng.normal(size=(n, 1))
    before = [np.array(model.get_layer(name).kernel) for name in ("front", "head")]
    model.train_on_batch(x.astype("float32"), y.astype("float32"), sample_weight=sample_weight)
    after = [np.array(model.get_layer(name).kernel) for name in ("front", "head")]
    return [b - a for a, b in zip(before, after, strict=True)]


@pytest.mark.parametrize("strength", [0.0, 1.0, 2.5])
def test_forward_is_the_identity_and_backward_is_reversed(strength):
    x = np.random.default_rng(1).normal(size=(4, 3)).astype("float32")
    np.testing.assert_allclose(GradientReversal(strength)(x), x, rtol=1e-6, atol=1e-6)
    plain, turned = changes(keras.layers.Identity()), changes(GradientReversal(strength))
    np.testing.assert_allclose(turned[0], -strength * plain[0], rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(turned[1], plain[1], rtol=1e-4)


def test_the_strength_can_be_changed_between_steps():
    layer = GradientReversal(1.0)
    model = model_of(layer)
    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
    x, y = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")
    model.train_on_batch(x, y)
    layer.strength.assign(0.0)
    before = np.array(model.get_layer("front").kernel)
    model.train_on_batch(x, y)
    np.testing.assert_array_equal(before, model.get_layer("front").kernel)
    assert float(np.asarray(layer.strength)) == 0


@pytest.mark.parametrize("kind", ["mmd", "coral"])
def test_alignment_brings_two_halves_together(kind):
    keras.utils.set_random_seed(2)
    model = model_of(MomentAlignment(kind, 3.0))
    model.compile(keras.optimizers.Adam(0.02), "mse", jit_compile=False)
    a, b = samples(3, n=64, m=64, shift=1.0, spread=2.0)
    x, y = np.concatenate([a, b]), np.zeros((128, 1), "float32")
    weight = np.repeat([2.0, 0.0], 64)
    distance = {"mmd": mmd, "coral": coral}[kind]

    def gap():
        h = x @ np.array(model.get_layer("front").kernel)
        return float(distance(h[:64], h[64:])) / (1e-9 + (h**2).mean() ** (kind == "coral"))

    before = gap()
    for _ in range(100):
        model.train_on_batch(x, y, sample_weight=weight)
    assert gap() < before


def test_the_loss_is_there_only_while_training():
    a, b = samples(4, n=8, m=8, shift=2.0)
    x = np.concatenate([a, b])
    for layer in (MomentAlignment("mmd"), DomainCritic(4)):
        np.testing.assert_array_equal(layer(x, training=False), x)
        assert layer.losses == []
        np.testing.assert_array_equal(layer(x, training=True), x)
        assert len(layer.losses) == 1 and float(layer.losses[0]) > 0


def told_apart(critic, front, x):
    """The critic's cross-entropy on features of a front, and the share it gets right."""
    logits = np.asarray(critic.logits(ops.convert_to_tensor(x @ front)))[:, 0]
    second = np.repeat([False, True], len(x) // 2)
    return np.logaddexp(0, np.where(second, -logits, logits)).mean(), np.mean(
        (logits > 0) == second
    )


def test_the_critic_learns_to_tell_the_halves_apart():
    x = np.concatenate(samples(5, n=64, m=64, shift=1.5))
    critic = DomainCritic(8, strength=0.0)
    model = model_of(critic)
    model.compile(keras.optimizers.Adam(0.03), "mse", jit_compile=False)
    for _ in range(80):
        model.train_on_batch(x, np.zeros((128, 1), "float32"))
    assert told_apart(critic, np.array(model.get_layer("front").kernel), x)[1] > 0.85


def test_the_features_move_to_where_the_critic_errs_in_proportion_to_the_strength():
    x = np.concatenate(samples(5, n=64, m=64, shift=1.5))
    moved, before, after = {}, {}, {}
    for strength in (0.0, 1.0, 2.0):
        critic = DomainCritic(8, strength=strength)
        model = model_of(critic)
        model.compile(keras.optimizers.SGD(0.01), "mse", jit_compile=False)
        old = [np.array(w) for w in critic.weights]
        start = np.array(model.get_layer("front").kernel)
        before[strength] = told_apart(critic, start, x)[0]
        model.train_on_batch(x, np.zeros((128, 1), "float32"))
        critic.set_weights(old)  # only the features have moved
        end = np.array(model.get_layer("front").kernel)
        moved[strength], after[strength] = end - start, told_apart(critic, end, x)[0]
    assert before[0.0] == before[1.0] == before[2.0]
    assert after[0.0] < after[1.0] < after[2.0]
    np.testing.assert_allclose(
        moved[2.0] - moved[0.0], 2 * (moved[1.0] - moved[0.0]), rtol=1e-3, atol=1e-7
    )


def test_saved_layers_are_the_same_layers():
    for layer in (GradientReversal(0.5), MomentAlignment("coral", 3.0), DomainCritic(5, 2.0, 0.1)):
        again = type(layer).from_config(layer.get_config())
        assert again.get_config() == layer.get_config()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GradientReversal(-1.0), "received -1.0, expected 0 or more"),
        (lambda: GradientReversal(float("nan")), "received nan"),
        (lambda: MomentAlignment("mean"), "received kind='mean'.*expected one of mmd, coral"),
        (lambda: MomentAlignment("mmd", -1), "weight=-1"),
        (lambda: DomainCritic(0), "units=0"),
        (lambda: reversal_schedule(1.5), "received 1.5, expected a share"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
