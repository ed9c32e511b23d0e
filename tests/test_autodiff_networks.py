"""Layers and networks of the engine in training: beside Keras's, step by step."""

import numpy as np
import pytest

from autodiff_kit import near
from firstlight.autodiff import SGD, Activation, Dense, Flatten, Sequential, Tensor, gradients
from firstlight.autodiff import operations as ops
from firstlight.autodiff.base import Layer, Weighted
from firstlight.autodiff.convolutional import (
    AveragePooling2D,
    Conv2D,
    GlobalAveragePooling2D,
    MaxPooling2D,
)
from firstlight.autodiff.fit import batches, fit
from firstlight.autodiff.losses import mean_squared_error
from firstlight.autodiff.regularization import BatchNormalization, Dropout
from firstlight.autodiff.translation import translate
from firstlight.studies import twins

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")


def images(n=4, size=9, channels=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, size, size, channels))


def beside(theirs, x, training=True, passes=1):
    """Our layer and Keras's: the same answers, gradients and weights after some passes."""
    theirs.build(x.shape)
    rng = np.random.default_rng(5)
    theirs.set_weights([weight + 0.1 * rng.random(weight.shape) for weight in theirs.get_weights()])
    ours = translate(theirs)
    for number in range(passes):
        ours_x, their_x = Tensor(x + number), tf.constant(x + number)
        with tf.GradientTape() as tape:
            tape.watch(their_x)
            expected = theirs(their_x, training=training)
        result = ours(ours_x, training)
        near(result.value, expected, 1e-12)
    weights = rng.normal(size=result.shape)
    variables = [v.value for v in theirs.trainable_variables]
    wanted = tape.gradient(expected, [their_x, *variables], tf.constant(weights))
    found = gradients(result, [ours_x, *ours.trainable_variables], weights)
    for one, other in zip(found, wanted, strict=True):
        near(one, other, 1e-10)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        near(one, other, 1e-10)
    near(ours(x), np.asarray(theirs(x)), 1e-12)
    assert ours.count_params() == theirs.count_params()
    assert ours.output_shape(x.shape[1:]) == result.shape[1:]
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in theirs.get_weights()]


L = keras.layers
LAYERS = {
    "dense": (L.Dense(4, "tanh", dtype="float64"), (5, 3)),
    "dense, no bias": (L.Dense(4, "softmax", use_bias=False, dtype="float64"), (5, 3)),
    "flatten": (L.Flatten(dtype="float64"), (2, 3, 4, 2)),
    "activation": (L.Activation("silu", dtype="float64"), (5, 3)),
    "convolution": (L.Conv2D(4, 3, activation="relu", dtype="float64"), (2, 7, 6, 3)),
    "convolution, same": (L.Conv2D(4, (3, 2), 2, "same", dtype="float64"), (2, 7, 6, 3)),
    "convolution, no bias": (L.Conv2D(2, 2, use_bias=False, dtype="float64"), (2, 5, 5, 1)),
    "max pooling": (L.MaxPooling2D(2, dtype="float64"), (2, 7, 6, 3)),
    "max pooling, same": (L.MaxPooling2D(3, 1, "same", dtype="float64"), (2, 7, 6, 3)),
    "average pooling": (L.AveragePooling2D((2, 3), dtype="float64"), (2, 7, 6, 3)),
    "global average": (L.GlobalAveragePooling2D(dtype="float64"), (2, 7, 6, 3)),
    "normalization": (L.BatchNormalization(dtype="float64"), (9, 4)),
    "normalization of images": (L.BatchNormalization(momentum=0.8, dtype="float64"), (3, 5, 5, 2)),
    "normalization, bare": (
        L.BatchNormalization(center=False, scale=False, epsilon=0.01, dtype="float64"), (9, 4)),
    "dropout in use": (L.Dropout(0.5, dtype="float64"), (9, 4)),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_beside_keras_s(name):
    layer, shape = LAYERS[name]
    theirs = type(layer).from_config(layer.get_config())
    x = 2 + 3 * np.random.default_rng(1).normal(size=shape)
    beside(theirs, x, training=name != "dropout in use", passes=3)


def test_batch_normalization_in_use_is_the_moving_averages():
    layer, shape = LAYERS["normalization of images"]
    theirs = type(layer).from_config(layer.get_config())
    beside(theirs, images(3, 5, 2), training=False)


def test_an_array_gives_the_array_that_a_tensor_holds():
    model = Sequential([Conv2D(4, 3, activation="relu"), BatchNormalization(), MaxPooling2D(),
                        Dropout(0.3), Flatten(), Dense(2)], seed=1)  # fmt: skip
    x = images()
    plain = model(x)
    assert isinstance(plain, np.ndarray)
    assert np.array_equal(model(Tensor(x)).value, plain)
    recorded = model(x, training=True)
    assert isinstance(recorded, Tensor) and not np.allclose(recorded.value, plain)
    names = [variable.name for variable in model.trainable_variables]
    assert names == ["conv2d_0/kernel", "conv2d_0/bias", "batchnormalization_1/gamma",
                     "batchnormalization_1/beta", "dense_5/kernel", "dense_5/bias"]  # fmt: skip
    assert len(model.get_weights()) == 8


def test_the_gradient_of_the_input_is_there_for_the_asking():
    model = Sequential([Conv2D(2, 3), GlobalAveragePooling2D(), Dense(1)], seed=1)
    x = Tensor(images())
    model(x).sum().backward()
    assert x.gradient.shape == x.shape and np.abs(x.gradient).min() > 0


def test_layers_with_weights_say_so():
    for layer in (Dense(1), Conv2D(1, 1), BatchNormalization()):
        assert isinstance(layer, Weighted) and not layer.built
    for plain in (Flatten(), MaxPooling2D(), AveragePooling2D(), Dropout(0.1)):
        assert isinstance(plain, Layer) and plain.built and plain.get_weights() == []


def test_new_weights_go_into_the_variables_that_an_optimizer_holds():
    layer = Dense(2, seed=1)
    layer.build(3)
    held = layer.trainable_variables[0]
    layer.set_weights([np.ones((3, 2)), np.ones(2)])
    assert layer.trainable_variables[0] is held and (held.value == 1).all()
    assert layer.kernel is held.value


def test_dropout_keeps_the_mean_and_its_mask_goes_back():
    layer = Dropout(0.3, seed=4)
    x = Tensor(np.ones((200, 300)))
    y = layer(x, training=True)
    assert set(np.unique(y.value)) == {0.0, 1 / 0.7}
    assert (y.value == 0).mean() == pytest.approx(0.3, abs=0.01)
    assert np.array_equal(gradients(y.sum(), [x])[0], y.value)
    assert not np.array_equal(layer(x, training=True).value, y.value)
    assert np.array_equal(Dropout(0.3, seed=4)(x, training=True).value, y.value)
    assert np.array_equal(layer(x).value, x.value)
    assert np.array_equal(Dropout(0.0)(np.ones((2, 2)), training=True).value, np.ones((2, 2)))


def test_normalization_makes_a_layer_blind_to_the_units_of_its_input():
    x = images(6, 5, 2)
    one, other = (
        BatchNormalization(epsilon=1e-12)(a, training=True).value for a in (x, 40 * x - 7)
    )
    near(one, other, 1e-9)
    near(one.mean(axis=(0, 1, 2)), [0, 0], 1e-12)
    near(one.var(axis=(0, 1, 2)), [1, 1], 1e-9)


def test_a_bias_before_normalization_has_no_gradient():
    model = Sequential([Dense(4), BatchNormalization(), Activation("relu"), Dense(1)], seed=1)
    x = np.random.default_rng(2).normal(size=(20, 3))
    loss = mean_squared_error(np.ones((20, 1)), model(x, training=True))
    bias = gradients(loss, model.trainable_variables)[1]
    assert np.abs(bias).max() < 1e-15


def test_single_precision_stays_single_through_a_network():
    model = Sequential([Conv2D(3, 3, activation="gelu", dtype="float32"), MaxPooling2D(),
                        BatchNormalization(dtype="float32"), Dropout(0.2), Flatten(),
                        Dense(2, "softmax", dtype="float32")], seed=1)  # fmt: skip
    result = model(images().astype(np.float32), training=True)
    assert result.value.dtype == np.float32
    assert {g.dtype for g in gradients(result[0, 0], model.trainable_variables)} == {
        np.dtype("float32")
    }
    assert {w.dtype for w in model.get_weights()} == {np.dtype("float32")}


def test_a_bend_of_one_s_own():
    own = Dense(2, lambda a: ops.tanh(a) * 2, seed=1)
    x = np.ones((3, 2))
    assert np.array_equal(own(x), own(Tensor(x)).value)
    step = Dense(2, lambda a: a > 0, seed=1)
    assert set(np.unique(step(x))) <= {0.0, 1.0}
    with pytest.raises(ValueError, match="derivative is not known"):
        step(Tensor(x))


# ---------------------------------------------------------------- training


def test_twins_lie_on_each_other():
    data = twins.samples(300, 100, seed=3)
    pair = twins.train(data, seed=1, epochs=4)
    assert len(pair.ours) == len(pair.theirs) == 24
    assert np.abs(pair.ours - pair.theirs).max() < 1e-11
    assert pair.weights_apart < 1e-8
    assert pair.accuracy_ours == pair.accuracy_theirs
    assert np.mean(pair.ours[-6:]) < np.mean(pair.ours[:6])


@pytest.mark.parametrize(
    "options", [{"momentum": 0.9, "nesterov": True}, {"momentum": 0.9}, {}], ids=str
)
def test_a_dense_twin_with_momentum(options):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(64, 5))
    y = np.sin(x[:, :1]) + x[:, 1:2] ** 2
    theirs = keras.Sequential([keras.Input((5,), dtype="float64"),
                               L.Dense(16, "selu", dtype="float64"),
                               L.Dense(1, dtype="float64")])  # fmt: skip
    ours = Sequential.from_keras(theirs)
    order = list(batches(64, 16, 6, seed=2))
    rate = 2.0**-5  # exact in 32 bits, as Keras keeps it
    found = fit(ours, x, y, "mean_squared_error", SGD(rate, **options), order=order)
    exact = {name: np.float64(v) if name == "momentum" else v for name, v in options.items()}
    optimizer, expected = keras.optimizers.SGD(rate, **exact), []
    optimizer.build(theirs.trainable_variables)
    for rows in order:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((theirs(x[rows]) - y[rows]) ** 2)
        values = [v.value for v in theirs.trainable_variables]
        optimizer.apply(tape.gradient(loss, values), theirs.trainable_variables)
        expected.append(float(loss))
    near(found, expected, 1e-12)
    assert found[-1] < found[0] / 2


def test_fit_repeats_itself_and_sees_every_example():
    x = np.linspace(-1, 1, 50)[:, None]

    def once(seed):
        model = Sequential([Dense(1)], seed=1)
        return fit(model, x, 3 * x, "mean_squared_error", SGD(0.1), 20, 3, seed)

    assert once(1) == once(1) != once(2)
    assert len(once(1)) == 3 * 3
    rows = list(batches(50, 20, 2, seed=1))
    assert [len(r) for r in rows] == [20, 20, 10] * 2
    assert sorted(np.concatenate(rows[:3])) == list(range(50))
    assert not np.array_equal(rows[0], rows[3])


def test_a_network_learns_what_a_line_cannot():
    x = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    y = np.array([[0.0], [1], [1], [0]])
    model = Sequential([Dense(8, "tanh"), Dense(1, "sigmoid")], seed=3)
    losses = fit(model, x, y, "binary_crossentropy", SGD(1.0, momentum=0.9), 4, 300, seed=1)
    assert losses[-1] < 0.01 < losses[0]
    assert np.array_equal(model(x) > 0.5, y > 0.5)


# ---------------------------------------------------------------- errors

line = np.linspace(-1, 1, 8)[:, None]


def trained(rate=0.1, y=line, **options):
    model = Sequential([Dense(1)], seed=1)
    return fit(model, line, y, "mean_squared_error", SGD(rate), **{"seed": 1, **options})


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        (lambda: trained(y=line[:5]), "8 examples and 5 truths"),
        (lambda: trained(y=line[:, 0]), r"step 0: mean_squared_error: .*y\[:, None\]"),
        (lambda: trained(seed=None), "Without a seed no run can be repeated"),
        (lambda: trained(batch_size=0), "batch_size=0"),
        (lambda: trained(rate=1e200, epochs=9), "step [123]: .*NaN or infinite"),
        (lambda: trained(y=line * np.nan), "step 0: y_true"),
        (lambda: Dropout(1.0), "rate: received 1.0"),
        (lambda: Dropout("a"), "rate: received 'a'"),
        (lambda: Dropout(0.5)(line, training=True), "received no seed for its masks"),
        (lambda: BatchNormalization(momentum=1.0), "momentum 1.0"),
        (lambda: BatchNormalization(epsilon=0), "epsilon 0"),
        (lambda: BatchNormalization()(np.ones(3)), "expected .n, ..., channels."),
        (lambda: BatchNormalization().get_weights(), "received no input yet"),
        (lambda: BatchNormalization().set_weights([np.ones(2)]), "gamma, beta, moving mean"),
        (lambda: Conv2D(0, 3), "units: received 0"),
        (lambda: Conv2D(2, 3, padding="full"), "'valid' or 'same'"),
        (lambda: Conv2D(2, 3)(images()), "Give Conv2D.*seed"),
        (lambda: Conv2D(2, 3, seed=1)(images()[0]), "One image makes a batch"),
        (lambda: Conv2D(2, 3, seed=1)(images(size=2)), "expected one that fits"),
        (lambda: Conv2D(2, 3).set_weights([np.ones((2, 3)), np.ones(2)]), "height, width, ch"),
        (lambda: MaxPooling2D()(line), "received a batch of shape .8, 1."),
        (lambda: Sequential([Conv2D(2, 3), Dense(1)], 1, (8, 8, 1)), "Put Flatten.. first"),
        (lambda: Dense(1, seed=1)(Tensor(np.full((1, 1), 1e308)) * 10), "backward|finite|NaN"),
        (lambda: translate(L.Conv2D(2, 3, data_format="channels_first")), "channels_first"),
        (lambda: translate(L.Conv2D(2, 3)), "without weights"),
    ],
)  # fmt: skip
def test_what_cannot_be(wrong, match):
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=match):
        wrong()


def test_other_channels_than_at_first():
    for layer in (Conv2D(2, 3, seed=1), BatchNormalization()):
        layer(images(channels=3), training=True)
        with pytest.raises(ValueError, match="4 channels .*expected 3"):
            layer(images(channels=4), training=True)
