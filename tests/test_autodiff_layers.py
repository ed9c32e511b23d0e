"""firstlight.autodiff.layers, its functional, checks and sequential: a forward pass."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight import autodiff
from firstlight.autodiff import Activation, Dense, Flatten, Sequential, affine, flatten
from firstlight.autodiff.checks import as_floats
from firstlight.autodiff.functional import affine as plain_affine
from firstlight.autodiff.sequential import Sequential as Stack

sizes = st.integers(1, 7)
seeds = st.integers(0, 2**31)
bends = st.sampled_from(["relu", "tanh", "sigmoid", "linear"])
quick = settings(max_examples=40, deadline=None)


def examples(n, n_in, seed):
    return np.random.default_rng([seed, 99]).normal(size=(n, n_in))


# ---------------------------------------------------------------- properties


@quick
@given(n=sizes, n_in=sizes, units=sizes, seed=seeds, c=st.floats(-3, 3))
def test_the_first_stage_is_linear(n, n_in, units, seed, c):
    layer = Dense(units, use_bias=False, seed=seed)
    x, y = examples(n, n_in, seed), examples(n, n_in, seed + 1)
    assert np.allclose(layer(c * x + y), c * layer(x) + layer(y), atol=1e-12)


@quick
@given(n=sizes, n_in=sizes, units=sizes, seed=seeds)
def test_the_bias_moves_every_example_alike(n, n_in, units, seed):
    layer = Dense(units, seed=seed)
    x = examples(n, n_in, seed)
    before = layer(x)
    shift = np.arange(units) + 0.5
    layer.set_weights([layer.kernel, shift])
    assert np.allclose(layer(x) - before, shift, atol=1e-12)


@quick
@given(n_in=sizes, width=st.integers(2, 9), out=sizes, bend=bends, seed=seeds)
def test_hidden_neurons_may_change_places(n_in, width, out, bend, seed):
    model = Sequential([Dense(width, bend), Dense(out)], seed=seed, input_shape=(n_in,))
    x = examples(5, n_in, seed)
    before = model(x)
    order = np.random.default_rng(seed).permutation(width)
    kernel, bias, after, last = model.get_weights()
    model.set_weights([kernel[:, order], bias[order], after[order], last])
    assert np.allclose(model(x), before, atol=1e-12)


@quick
@given(n=st.integers(2, 8), n_in=sizes, width=sizes, bend=bends, seed=seeds)
def test_an_example_does_not_know_its_batch(n, n_in, width, bend, seed):
    model = Sequential([Dense(width, bend), Dense(3, "softmax")], seed=seed)
    x = examples(n, n_in, seed)
    together = model(x)
    alone = np.concatenate([model(row[None]) for row in x])
    assert np.allclose(together, alone, atol=1e-12)
    assert np.allclose(model(x[::-1]), together[::-1], atol=1e-12)


@quick
@given(n_in=sizes, widths=st.lists(sizes, min_size=1, max_size=4), bias=st.booleans())
def test_the_count_is_the_sum_over_layers(n_in, widths, bias):
    model = Sequential([Dense(w, use_bias=bias) for w in widths], seed=1, input_shape=(n_in,))
    pairs = zip([n_in, *widths], widths, strict=False)
    assert model.count_params() == sum((before + bias) * after for before, after in pairs)
    assert model.count_params() == sum(w.size for w in model.get_weights())


@quick
@given(shape=st.lists(sizes, min_size=1, max_size=3), n=st.integers(0, 4), seed=seeds)
def test_flattening_loses_no_number_and_keeps_their_order(shape, n, seed):
    x = np.random.default_rng(seed).normal(size=(n, *shape))
    flat = Flatten()(x)
    assert flat.shape == (n, np.prod(shape))
    assert np.array_equal(flat.reshape(x.shape), x)
    assert Flatten().output_shape(tuple(shape)) == flat.shape[1:]


def test_without_a_bend_two_layers_are_one():
    model = Sequential([Dense(6), Dense(3)], seed=4, input_shape=(5,))
    first, b1, second, b2 = model.get_weights()
    x = examples(7, 5, 2)
    assert np.allclose(model(x), affine(x, first @ second, b1 @ second + b2))


def test_linear_stage_of_a_hand_made_neuron():
    assert plain_affine(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), np.array([5.0])) == 16
    assert affine(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]])) == 11


def test_equal_neurons_stay_equal():
    model = Sequential([Dense(6, "relu", kernel_initializer="ones")])
    hidden = model(np.abs(examples(9, 4, 1)))
    assert np.ptp(hidden, axis=1).max() == 0 and np.ptp(hidden[:, 0]) > 0


def test_outputs_are_what_each_layer_passes_on():
    model = Sequential([Flatten(), Dense(4, "relu"), Dense(1)], seed=3)
    x = examples(6, 4, 3).reshape(6, 2, 2)
    flat, hidden, answer = model.outputs(x)
    assert (flat.shape, hidden.shape, answer.shape) == ((6, 4), (6, 4), (6, 1))
    assert (hidden >= 0).all() and np.array_equal(answer, model(x))


# ---------------------------------------------------------------- Keras


@pytest.mark.parametrize("bend", ["linear", "relu", "sigmoid", "tanh", "softmax"])
@pytest.mark.parametrize("bias", [True, False])
def test_a_dense_layer_equals_keras(bend, bias):
    keras = pytest.importorskip("keras")
    x = examples(11, 8, 5)
    theirs = keras.layers.Dense(6, activation=bend, use_bias=bias, dtype="float64",
                                bias_initializer="random_normal")  # fmt: skip
    theirs.build((None, 8))
    ours = Dense(6, bend, use_bias=bias)
    ours.set_weights(theirs.get_weights())
    assert np.abs(np.asarray(theirs(x)) - ours(x)).max() < 1e-12
    assert ours.count_params() == theirs.count_params()


@pytest.mark.parametrize("seed", range(5))
def test_a_keras_network_comes_in_and_gives_the_same_answers(seed):
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    theirs = keras.Sequential([
        keras.Input((6, 5, 2)), layers.Flatten(), layers.Dense(32, activation="relu"),
        layers.Dropout(0.5), layers.Dense(16), layers.Activation("tanh"),
        layers.Dense(4, activation="softmax"),
    ])  # fmt: skip
    ours = Stack.from_keras(theirs)
    x = np.random.default_rng(seed).normal(size=(50, 6, 5, 2)).astype("float32")
    expected = np.asarray(theirs(x))
    assert np.abs(ours(x) - expected).max() < 1e-6
    assert ours.count_params() == theirs.count_params()
    assert Sequential.from_keras(theirs, dtype="float32")(x).dtype == np.float32


def test_a_layer_that_is_not_ours_is_named():
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.Input((8, 8)), keras.layers.GRU(2, name="eye")])
    with pytest.raises(ValueError, match="'eye' of type GRU, expected one of Dense, Flatten"):
        Sequential.from_keras(model)
    with pytest.raises(ValueError, match="without weights"):
        Sequential.from_keras(keras.Sequential([keras.layers.Dense(2)]))


# ---------------------------------------------------------------- seeds and weights


def test_equal_layers_of_one_network_start_apart():
    model = Sequential([Dense(4), Dense(4)], seed=1, input_shape=(4,))
    assert not np.array_equal(model.layers[0].kernel, model.layers[1].kernel)
    again = Sequential([Dense(4), Dense(4)], seed=1, input_shape=(4,))
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        assert np.array_equal(one, other)


def test_a_seed_given_to_a_layer_is_kept():
    model = Sequential([Dense(4, seed=5)], seed=1, input_shape=(3,))
    assert np.array_equal(model.layers[0].kernel, Dense(4, seed=5)(np.eye(3)))


def test_weights_come_out_as_copies():
    layer = Dense(2, seed=1)
    layer.build(3)
    layer.get_weights()[0][:] = 7
    assert not (layer.kernel == 7).any()


def test_build_makes_what_the_first_call_makes():
    one, other = Dense(3, seed=2), Dense(3, seed=2)
    one.build(4)
    other(np.zeros((1, 4)))
    assert one.built and other.built and np.array_equal(one.kernel, other.kernel)


def test_the_summary_adds_up():
    model = Sequential([Flatten(), Dense(100), Dense(3)], seed=1, input_shape=(48, 48, 3))
    lines = model.summary().splitlines()
    assert lines[1].split() == ["dense_1", "691,300"] and lines[-1].split() == ["sum", "691,603"]


def test_the_room_names_what_it_has():
    with pytest.raises(AttributeError, match="no 'GRU'; it has Activation, Adam"):
        autodiff.GRU  # noqa: B018


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize("units", [-3, 0, 2.5, "4", True, None])
def test_a_width_that_is_none(units):
    with pytest.raises(ValueError, match="whole number of neurons, 1 or more"):
        Dense(units)


@pytest.mark.parametrize(
    ("x", "match"),
    [
        (np.zeros((5, 4, 4)), r"shape \(5, 4, 4\), expected \(n, n_in\).*Flatten"),
        (np.zeros(3), r"shape \(3,\), expected \(n, n_in\).*x\[None\]"),
        (np.zeros((5, 4)), r"received 4 numbers an example .*expected 3"),
        (np.array([[0, np.nan, 0]]), r"1 of 3 numbers that are NaN.*first at \(0, 1\)"),
        (np.array([[np.inf, 0, 0]]), "NaN or infinite"),
        ([[1, 2, 3], [4, 5]], "no array of real numbers"),
        ([["a", "b", "c"]], "no array of real numbers"),
        (np.zeros((2, 3), complex), "no array of real numbers"),
    ],
)
def test_an_input_that_does_not_fit(x, match):
    layer = Dense(2, seed=1, name="dense")
    layer.build(3)
    with pytest.raises(ValueError, match=match):
        layer(x)


def test_other_errors_say_what_to_do():
    with pytest.raises(ValueError, match="received no seed"):
        Dense(2)(np.zeros((1, 2)))
    with pytest.raises(ValueError, match="received no input yet"):
        Dense(2).count_params()
    with pytest.raises(ValueError, match="received no input yet"):
        Dense(2).bias  # noqa: B018
    with pytest.raises(ValueError, match="received 0 inputs"):
        Dense(2, seed=1).build(0)
    with pytest.raises(ValueError, match="activation"):
        Dense(2, activation="rellu")
    with pytest.raises(ValueError, match="initializer"):
        Dense(2, kernel_initializer="glorot")
    with pytest.raises(ValueError, match=r"received weights of shapes \[\(2, 3\)\], expected"):
        Dense(2, seed=1).set_weights([np.zeros((2, 3))])
    with pytest.raises(ValueError, match="received 1 arrays, expected none"):
        Flatten().set_weights([np.zeros(2)])
    with pytest.raises(ValueError, match="no axis of examples|single number"):
        flatten(np.array(1.0))
    with pytest.raises(ValueError, match="a bias of shape"):
        affine(np.zeros((1, 2)), np.zeros((2, 3)), np.zeros(2))
    with pytest.raises(ValueError, match="flatten images first"):
        affine(np.zeros((1, 2, 2)), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="no array of real numbers"):
        as_floats(None, "x")


def test_errors_of_a_stack():
    with pytest.raises(ValueError, match="expected one layer"):
        Sequential([])
    with pytest.raises(ValueError, match="expected one layer"):
        Sequential(["relu"])
    layer = Dense(2, seed=1)
    with pytest.raises(ValueError, match="one layer twice"):
        Sequential([layer, layer])
    with pytest.raises(ValueError, match="Put Flatten"):
        Sequential([Dense(2)], seed=1, input_shape=(4, 4))
    model = Sequential([Dense(2), Activation("relu")], seed=1, input_shape=(4,))
    with pytest.raises(ValueError, match="received 1 arrays, expected 2"):
        model.set_weights([np.zeros((4, 2))])
