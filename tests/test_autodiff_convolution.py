"""Convolution and pooling against TensorFlow, finite differences and plain loops."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from autodiff_kit import agree, near, ours
from firstlight.autodiff.convolution import average_pooling, conv2d, max_pooling
from firstlight.autodiff.tensor import Tensor, gradients, tape
from firstlight.autodiff.window import Window, pair

tf = pytest.importorskip("tensorflow")
often = settings(max_examples=40, deadline=None)
pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
images = st.tuples(st.integers(1, 3), st.integers(1, 7), st.integers(1, 7), st.integers(1, 3))
paddings = st.sampled_from(["valid", "same"])
seeds = st.integers(0, 2**31)
filters = st.integers(1, 3)


def drawn(shape, seed):
    return np.random.default_rng(seed).normal(size=shape)


def fits(shape, size, padding, dilation=(1, 1)):
    reach = [(n - 1) * d + 1 for n, d in zip(size, dilation, strict=True)]
    return padding == "same" or (reach[0] <= shape[1] and reach[1] <= shape[2])


@often
@given(shape=images, size=pairs, filters=filters, strides=pairs, padding=paddings, seed=seeds)
def test_a_convolution(shape, size, filters, strides, padding, seed):
    assume(fits(shape, size, padding))
    x, kernel = drawn(shape, seed), drawn((*size, shape[3], filters), seed + 1)
    agree(lambda x, k: conv2d(x, k, strides, padding),
          lambda x, k: tf.nn.conv2d(x, k, strides, padding.upper()), [x, kernel], seed,
          numerically=x.size < 80)  # fmt: skip


@often
@given(shape=images, size=pairs, dilation=pairs, padding=paddings, seed=seeds)
def test_a_dilated_kernel_is_one_with_holes(shape, size, dilation, padding, seed):
    assume(fits(shape, size, padding, dilation))
    x, kernel = drawn(shape, seed), drawn((*size, shape[3], 2), seed + 1)
    reach = [(n - 1) * d + 1 for n, d in zip(size, dilation, strict=True)]
    holes = np.zeros((*reach, *kernel.shape[2:]))
    holes[:: dilation[0], :: dilation[1]] = kernel
    spread = conv2d(x, Tensor(kernel), 1, padding, dilation)
    weights = drawn(spread.shape, seed + 2)
    value, (to_x, to_holes) = ours(lambda x, k: conv2d(x, k, 1, padding), [x, holes], weights)
    near(spread.value, value, 1e-12)
    agree(lambda x, k: conv2d(x, k, 1, padding, dilation), None, [x, kernel], seed,
          numerically=x.size < 60)  # fmt: skip
    _, slopes = ours(lambda x, k: conv2d(x, k, 1, padding, dilation), [x, kernel], weights)
    near(slopes[0], to_x, 1e-12)
    near(slopes[1], to_holes[:: dilation[0], :: dilation[1]], 1e-12)


@often
@given(shape=images, size=pairs, strides=pairs, padding=paddings, seed=seeds)
def test_pooling(shape, size, strides, padding, seed):
    assume(fits(shape, size, padding))
    x, small = drawn(shape, seed), np.prod(shape) < 80
    agree(lambda x: max_pooling(x, size, strides, padding),
          lambda x: tf.nn.max_pool2d(x, size, strides, padding.upper()),
          [x], seed, small)  # fmt: skip
    agree(lambda x: average_pooling(x, size, strides, padding),
          lambda x: tf.nn.avg_pool2d(x, size, strides, padding.upper()),
          [x], seed, small)  # fmt: skip


@often
@given(shape=images, size=pairs, strides=pairs, padding=paddings, seed=seeds)
def test_among_equals_tensorflow_and_ours_choose_the_same(shape, size, strides, padding, seed):
    assume(fits(shape, size, padding))
    x = np.random.default_rng(seed).integers(-1, 2, shape).astype(float)
    agree(lambda x: max_pooling(x, size, strides, padding),
          lambda x: tf.nn.max_pool2d(x, size, strides, padding.upper()),
          [x], seed, False)  # fmt: skip


def test_a_convolution_is_its_definition():
    x, kernel = drawn((2, 6, 5, 3), 1), drawn((3, 2, 3, 4), 2)
    expected = np.zeros((2, 4, 4, 4))
    for n, i, j, f in np.ndindex(expected.shape):
        expected[n, i, j, f] = (x[n, i : i + 3, j : j + 2] * kernel[..., f]).sum()
    near(conv2d(x, kernel).value, expected, 1e-12)


def test_a_window_as_large_as_the_image_is_a_dense_layer():
    x, kernel = drawn((4, 5, 5, 2), 1), drawn((5, 5, 2, 3), 2)
    near(conv2d(x, kernel).value[:, 0, 0], x.reshape(4, -1) @ kernel.reshape(-1, 3), 1e-12)


def test_a_moved_galaxy_gives_a_moved_answer():
    x = np.zeros((1, 16, 16, 1))
    x[0, 4:8, 5:9, 0] = drawn((4, 4), 3)
    kernel = drawn((3, 3, 1, 2), 4)
    moved = np.roll(x, (3, 4), axis=(1, 2))
    one, other = (conv2d(image, kernel, padding="same").value for image in (x, moved))
    near(np.roll(one, (3, 4), axis=(1, 2)), other, 1e-12)


def test_an_empty_batch_stays_empty():
    for function in (lambda x: conv2d(x, np.ones((3, 3, 2, 4))), max_pooling, average_pooling):
        x = Tensor(np.zeros((0, 6, 6, 2)))
        y = function(x)
        assert len(y) == 0 and gradients(y.sum(), [x])[0].shape == x.shape


def test_only_what_is_asked_for_is_computed():
    kernel = Tensor(drawn((3, 3, 1, 2), 1))
    y = conv2d(drawn((1, 5, 5, 1), 2), kernel)
    assert tape(y)[0] is kernel and len(tape(y)) == 2
    assert gradients(y.sum(), [kernel])[0].shape == kernel.shape


def test_single_precision_stays_single():
    x = Tensor(np.ones((1, 4, 4, 1), np.float32))
    for y in (conv2d(x, np.ones((2, 2, 1, 1))), max_pooling(x), average_pooling(x, 3, 1, "same"),
              max_pooling(x, 3, 1, "same")):  # fmt: skip
        assert y.value.dtype == np.float32
        assert gradients(y.sum(), [x])[0].dtype == np.float32
    double = conv2d(np.ones((1, 4, 4, 1), np.float32), Tensor(np.ones((2, 2, 1, 1))))
    assert double.value.dtype == np.float64


@often
@given(length=st.integers(1, 40), size=st.integers(1, 5), stride=st.integers(1, 5))
def test_same_padding_makes_length_over_stride_stops(length, size, stride):
    window = Window((size, 1), (stride, 1), "same")
    assert window.stops((length, 3)) == (-(-length // stride), 3)
    padded = window.pad(np.ones((1, length, 3, 1)))
    assert window.crop(padded, (length, 3)).shape == (1, length, 3, 1)
    assert window.crop(padded, (length, 3)).all()


x4 = np.ones((2, 5, 5, 3))


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        (lambda: conv2d(x4[..., 0], np.ones((3, 3, 1, 1))), r"images \(2, 5, 5\).*x\[..., None\]"),
        (lambda: conv2d(x4, np.ones((3, 3, 1, 2))), "received images .2, 5, 5, 3. and a kernel"),
        (lambda: conv2d(x4, np.ones((3, 3))), "kernels of PyTorch"),
        (lambda: conv2d(x4, np.ones((6, 3, 3, 1))), "5 x 5 pixels and a window of .6, 3.*same"),
        (lambda: conv2d(x4, np.ones((3, 3, 3, 1)), dilation=3), "with dilation .3, 3."),
        (lambda: conv2d(x4, np.ones((3, 3, 3, 1)), 0), "strides: received 0, expected a whole"),
        (lambda: conv2d(x4, np.ones((3, 3, 3, 1)), padding="full"), "'valid' or 'same'"),
        (lambda: conv2d(x4, np.full((3, 3, 3, 1), np.nan)), "NaN"),
        (lambda: max_pooling(x4[0]), "One image makes a batch"),
        (lambda: max_pooling(x4, 6), "5 x 5 pixels"),
        (lambda: average_pooling(x4, (2, 2, 2)), "or two of them"),
        (lambda: average_pooling(x4, 2.0), "size: received 2.0"),
        (lambda: max_pooling(x4, 2, True), "strides: received True"),
        (lambda: max_pooling(np.full((1, 2, 2, 1), np.nan)), "NaN"),
        (lambda: pair("size", "22"), "received '22'"),
    ],
)  # fmt: skip
def test_what_cannot_be(wrong, match):
    with pytest.raises(ValueError, match=match):
        wrong()
