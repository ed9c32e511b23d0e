"""EfficientNet-Lite0 in Keras: counts, parts that fit together, and what it was trained to see."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest

from firstlight import training
from firstlight.archive import cache
from firstlight.models import efficientnet_lite as net

HERE = cache.available("imagenet/efficientnet-lite0.pth")
needs_weights = pytest.mark.skipif(not HERE, reason="the package of weights is not installed")


def small(channels=1, **settings):
    training.set_seed(3)
    settings = {"include_top": False, "weights": None, "pooling": "avg", **settings}
    return net.efficientnet_lite0((32, 32, channels), **settings)


def pictures(n=3, side=32, channels=1):
    return np.random.default_rng(0).normal(size=(n, side, side, channels)).astype("float32")


def count(weights):
    return sum(int(np.prod(weight.shape)) for weight in weights)


def test_it_has_the_published_number_of_parameters():
    model = net.efficientnet_lite0(weights=None)
    assert model.count_params() == 4_694_024
    assert model.output_shape == (None, 1000)
    assert sum(isinstance(layer, keras.layers.Add) for layer in model.layers) == 9


def test_strides_halve_five_times_and_channels_widen():
    model = net.efficientnet_lite0((224, 224, 3), include_top=False, weights=None)
    assert model.output_shape == (None, 7, 7, 1280)
    sides = [net.block_output(model, k).shape[1] for k in range(net.BLOCKS)]
    assert sides == [112, 56, 56, 28, 28, 14, 14, 14, 14, 14, 14, 7, 7, 7, 7, 7]
    widths = [net.block_output(model, k).shape[-1] for k in (0, 1, 3, 5, 8, 11, 15)]
    assert widths == [16, 24, 40, 80, 112, 192, 320]
    assert net.block_output(model, -1) is net.block_output(model, 15)


@pytest.mark.parametrize("block", [0, 4, 10, 15])
def test_two_parts_do_what_the_whole_does(block):
    model, images = small(), pictures()
    lower, upper = net.cut(model, block)
    np.testing.assert_allclose(upper(lower(images)), model(images), atol=1e-6)
    assert count(lower.weights) + count(upper.weights) == model.count_params()


def test_freezing_counts_down_to_the_head_and_to_nothing():
    model = small()
    left = [count(net.freeze(model, k, batch_norm=False).trainable_weights)
            for k in range(-1, net.BLOCKS)]  # fmt: skip
    assert all(a > b for a, b in zip(left[:-1], left[1:], strict=True))
    assert left[-1] == 320 * 1280 + 2 * 1280
    assert net.freeze(model).trainable_weights == []
    assert count(net.freeze(model, -1).non_trainable_weights) == 2 * 42_016


def test_a_frozen_normalization_keeps_its_statistics():
    images = pictures(8)
    for frozen in (True, False):
        model = net.freeze(small(), 14, batch_norm=frozen)
        model.compile("sgd", "mse")
        before = [np.asarray(w) for w in model.non_trainable_weights]
        model.train_on_batch(images, np.zeros((8, 1280), "float32"))
        same = all(np.array_equal(a, b) for a, b in
                   zip(before, model.non_trainable_weights, strict=True))  # fmt: skip
        assert same is frozen


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"input_shape": (16, 16, 3)}, "sides of 32"),
        ({"input_shape": (64, 64)}, "height, width, channels"),
        ({"input_shape": (64, 64, 2)}, "3 or 1 with ImageNet"),
        ({"weights": "noisy-student"}, "'imagenet' or None"),
        ({"pooling": "max"}, "'avg' or None"),
    ],
)
def test_what_it_cannot_be_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        net.efficientnet_lite0(**settings)


def test_blocks_that_do_not_exist_are_refused():
    model = small()
    with pytest.raises(ValueError, match="expected 0 to 15"):
        net.cut(model, 16)
    with pytest.raises(ValueError, match="expected -1 to 15 or 'all'"):
        net.freeze(model, "most")


def picture(name, side=224):
    from skimage import data, transform

    image = getattr(data, name)()
    short = min(image.shape[:2])
    top, left = ((n - short) // 2 for n in image.shape[:2])
    square = image[top : top + short, left : left + short]
    return transform.resize(square, (side, side), preserve_range=True, anti_aliasing=True)


@needs_weights
def test_it_knows_a_cat_and_an_espresso():
    """The scikit-image pictures: classes 281 to 285 are the domestic cats, 967 is espresso."""
    model = net.efficientnet_lite0()
    images = net.preprocess_input([picture("chelsea"), picture("coffee")])
    says = np.asarray(model(images))
    assert says.argmax(axis=1).tolist() == [285, 967]
    assert says[0, 281:286].sum() == pytest.approx(0.894, abs=0.003)
    assert says[1, 967] == pytest.approx(0.941, abs=0.003)


@needs_weights
def test_one_channel_gives_what_three_equal_ones_give():
    settings = {"include_top": False, "pooling": "avg"}
    gray = net.efficientnet_lite0((64, 64, 1), **settings)
    color = net.efficientnet_lite0((64, 64, 3), **settings)
    images = pictures(2, 64)
    np.testing.assert_allclose(gray(images), color(np.repeat(images, 3, axis=-1)), atol=2e-5)


@needs_weights
def test_weights_can_be_put_into_a_part():
    model = small(weights="imagenet")
    _, upper = net.cut(model, 12)
    bare = keras.models.clone_model(upper)
    images = np.random.default_rng(1).normal(size=(2, 1, 1, 192)).astype("float32")
    assert np.abs(np.asarray(bare(images)) - np.asarray(upper(images))).max() > 1e-3
    np.testing.assert_allclose(net.load_imagenet(bare)(images), upper(images), atol=1e-6)
