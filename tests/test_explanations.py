"""Maps of what a network looked at, where the right map is known."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from firstlight.evaluation import explanations
from firstlight.evaluation.explanations import (
    grad_cam,
    occlusion,
    rank_correlation,
    saliency,
    share_inside,
)

SIDE = 8
quick = settings(max_examples=20, deadline=None)


def images(seed=0, n=3):
    return np.random.default_rng(seed).normal(size=(n, SIDE, SIDE, 1)).astype("float32")


def linear(weights):
    """A model whose answer is the sum of weights times pixels."""
    model = keras.Sequential(
        [keras.Input((SIDE, SIDE, 1)), layers.Flatten(), layers.Dense(1, use_bias=False)]
    )
    model.layers[-1].set_weights([np.reshape(weights, (-1, 1))])
    return model


def test_saliency_of_a_linear_model_is_its_weights():
    w = images(1, 1)[0]
    found = saliency(linear(w), images())
    np.testing.assert_allclose(found, np.broadcast_to(w, found.shape), rtol=1e-5)


def test_saliency_agrees_with_finite_differences():
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [keras.Input((SIDE, SIDE, 1)), layers.Conv2D(4, 3, activation="tanh"), layers.Flatten(),
         layers.Dense(2)]
    )  # fmt: skip
    x = images(2, 1)
    for output in (0, 1):
        found = saliency(model, x, output)
        for i, j in ((0, 0), (3, 5), (7, 7)):
            step = np.zeros_like(x)
            step[0, i, j] = 1e-2
            apart = np.asarray(model(x + step) - model(x - step))[0, output]
            assert found[0, i, j, 0] == pytest.approx(apart / 2e-2, abs=2e-4)


@quick
@given(st.integers(0, SIDE - 1), st.integers(0, SIDE - 1))
def test_grad_cam_finds_the_only_pixel_that_counts(i, j):
    w = np.zeros((SIDE, SIDE, 1), "float32")
    w[i, j] = 1
    inputs = keras.Input((SIDE, SIDE, 1))
    maps = layers.Conv2D(1, 1, use_bias=False, kernel_initializer="ones", name="maps")(inputs)
    flat = layers.Flatten()(maps)
    answer = layers.Dense(1, use_bias=False)
    model = keras.Model(inputs, answer(flat))
    answer.set_weights([w.reshape(-1, 1)])
    x = np.zeros((1, SIDE, SIDE, 1), "float32")
    x[0, i, j] = 2
    found = grad_cam(model, x, "maps")
    assert np.unravel_index(found[0].argmax(), found[0].shape) == (i, j)
    assert found.sum() == pytest.approx(2 / SIDE**2)  # the mean slope is one over the pixels
    assert (occlusion(model, x, 1, 1)[0] > 0).sum() == 1


def test_grad_cam_after_a_global_mean_is_the_class_activation_map():
    keras.utils.set_random_seed(5)
    head = layers.Dense(2)
    model = keras.Sequential(
        [keras.Input((SIDE, SIDE, 1)), layers.Conv2D(6, 3, activation="relu", name="maps"),
         layers.GlobalAveragePooling2D(), head]
    )  # fmt: skip
    x = images(4)
    seen = np.asarray(keras.Model(model.inputs, model.get_layer("maps").output)(x))
    for output in (0, 1):
        weights = np.asarray(head.kernel)[:, output] / seen[0, ..., 0].size
        expected = np.maximum((seen * weights).sum(axis=-1), 0)
        np.testing.assert_allclose(grad_cam(model, x, "maps", output), expected, atol=1e-6)


def test_grad_cam_is_never_negative_and_has_the_layer_s_size():
    keras.utils.set_random_seed(6)
    model = keras.Sequential(
        [keras.Input((SIDE, SIDE, 1)), layers.Conv2D(4, 3, name="maps"), layers.MaxPooling2D(2),
         layers.Flatten(), layers.Dense(1)]
    )  # fmt: skip
    found = grad_cam(model, images(n=300), "maps")
    assert found.shape == (300, 6, 6) and found.min() >= 0


def test_layers_added_one_by_one_make_no_difference():
    keras.utils.set_random_seed(6)
    parts = [layers.Conv2D(4, 3, name="maps"), layers.Flatten(), layers.Dense(1)]
    model = keras.Sequential([keras.Input((SIDE, SIDE, 1)), *parts])
    grown = keras.Sequential([keras.Input((SIDE, SIDE, 1))])
    for part in parts:
        grown.add(part.__class__.from_config(part.get_config()))
    grown.set_weights(model.get_weights())
    np.testing.assert_allclose(
        grad_cam(grown, images(), "maps"), grad_cam(model, images(), "maps"), atol=1e-6
    )


@quick
@given(st.integers(0, 100), st.sampled_from([(1, 1), (2, 2), (4, 4)]))
def test_occlusion_of_a_linear_model_adds_up_to_its_answer(seed, squares):
    w, x = images(seed, 1)[0], images(seed + 1)
    patch, step = squares
    found = occlusion(linear(w), x, patch, step)
    np.testing.assert_allclose(
        found.sum(axis=(1, 2)) / patch**2, (x * w).sum(axis=(1, 2, 3)), rtol=1e-3, atol=1e-3
    )


def test_occlusion_covers_every_pixel_even_where_steps_do_not_fit():
    found = occlusion(lambda v: v.sum(axis=(1, 2, 3)), np.ones((1, 8, 8, 1)), 3, 2)
    np.testing.assert_allclose(found, 9)


def test_what_is_covered_with_itself_changes_nothing():
    x = np.full((2, SIDE, SIDE, 1), 0.7, "float32")
    assert np.all(occlusion(linear(images(1, 1)[0]), x, 4, 2, fill=0.7) == 0)


def test_share_inside_of_an_even_map_is_the_area():
    mask = np.zeros((4, 6), bool)
    mask[:2, :3] = True
    np.testing.assert_allclose(share_inside(np.ones((3, 4, 6)), mask), 0.25)
    np.testing.assert_allclose(share_inside(np.zeros((3, 4, 6)), mask), 0.25)
    np.testing.assert_allclose(share_inside(-np.ones((3, 4, 6)) * mask, mask), 1)


@quick
@given(st.integers(0, 1000))
def test_rank_correlation_is_spearman_s_and_blind_to_stretches(seed):
    from scipy.stats import spearmanr

    one, two = np.random.default_rng(seed).normal(size=(2, 3, 5, 5)).round(1)
    expected = [spearmanr(a.ravel(), b.ravel()).statistic for a, b in zip(one, two, strict=True)]
    np.testing.assert_allclose(rank_correlation(one, two), expected, atol=1e-12)
    np.testing.assert_allclose(rank_correlation(one, np.exp(one)), 1)
    np.testing.assert_allclose(rank_correlation(one, -one), -1)
    np.testing.assert_allclose(rank_correlation(one, np.zeros_like(one)), 0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: saliency(None, np.zeros((8, 8))), "expected (n, height"),
        (lambda: saliency(linear(images(1, 1)[0]), images(), output=1), "output: received 1"),
        (lambda: grad_cam(linear(images(1, 1)[0]), images(), "maps"), "expected one that gives"),
        (lambda: occlusion(lambda v: v, images(), 9, 2), "1 <= step <= patch"),
        (lambda: occlusion(lambda v: v, images(), 2, 3), "1 <= step <= patch"),
        (lambda: share_inside(np.ones((2, 4, 4)), np.ones((3, 3))), "expected (n, rows"),
        (lambda: rank_correlation(np.ones((2, 4, 4)), np.ones((2, 4, 5))), "expected the same"),
    ],
)
def test_errors_say_what_was_expected(call, words):
    with pytest.raises(ValueError) as caught:
        call()
    assert words in str(caught.value)


def test_everything_public_is_named():
    assert set(explanations.__all__) == {
        "grad_cam", "occlusion", "rank_correlation", "saliency", "share_inside",
    }  # fmt: skip
