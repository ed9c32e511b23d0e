"""The drawing of one neuron: every number on it is the layer's own."""

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from figures_kit import house_style  # noqa: F401  (applies to every test here)
from firstlight.autodiff import Dense
from firstlight.figures.neurons import neuron


def dense(kernel, bias, activation="sigmoid"):
    kernel = np.asarray(kernel, dtype=float)
    layer = Dense(kernel.shape[1], activation=activation, kernel_initializer="zeros")
    layer.set_weights([kernel, bias])
    return layer


def words(fig):
    texts = [text.get_text() for ax in fig.findobj(plt.Axes) for text in ax.texts]
    return " | ".join(texts).replace("\u2212", "-")


def test_the_numbers_are_those_of_the_layer():
    said = words(neuron(dense([[-0.125], [1.125], [-1]], [-0.55]), [21.6, 20.0, 19.2]))
    for piece in ("21.6", "\u00d7 -0.125", "= -2.7", "= 22.5", "= -19.2", "$b$ = -0.55",
                  "$a$ = 0.05", "= 0.5125", "2  sigmoid"):  # fmt: skip
        assert piece in said, piece


@settings(max_examples=15, deadline=None)
@given(n=st.integers(1, 8), seed=st.integers(0, 10**6))
def test_the_output_written_is_the_output_computed(n, seed):
    random = np.random.default_rng(seed)
    layer = dense(random.normal(size=(n, 2)), random.normal(size=2), "tanh")
    x = random.normal(size=n)
    said = words(neuron(layer, x, unit=1))
    assert f"= {layer(x[None])[0, 1]:.4g}" in said
    plt.close("all")


def test_the_second_neuron_of_a_layer_has_its_own_weights():
    layer = dense([[1.0, 3.0]], [0.0, 0.5], "linear")
    assert "\u00d7 3" in words(neuron(layer, [2.0], unit=1))
    assert "= 6.5" in words(neuron(layer, [2.0], unit=1))


def test_a_layer_without_bias_has_none():
    layer = Dense(1, "relu", use_bias=False, kernel_initializer="ones")
    layer.build(2)
    assert "$b$ = 0" in words(neuron(layer, [1.0, 2.0]))


def test_names_stand_beside_the_inputs():
    assert "flux" in words(neuron(dense([[1.0]], [0.0]), [2.0], inputs=["flux"]))
    with pytest.raises(ValueError, match="2 names, expected 1"):
        neuron(dense([[1.0]], [0.0]), [2.0], inputs=["flux", "color"])


@pytest.mark.parametrize(
    ("x", "unit", "message"),
    [([1.0, 2.0], 0, r"shape \(2,\)"), ([[1.0]], 0, "one finite example"),
     ([np.nan], 0, "finite"), ([1.0], 1, "received 1 for a kernel"), ([1.0], -1, "from 0")],
)  # fmt: skip
def test_what_does_not_fit_is_refused(x, unit, message):
    with pytest.raises(ValueError, match=message):
        neuron(dense([[1.0]], [0.0]), x, unit=unit)


def test_a_layer_without_weights_is_refused():
    with pytest.raises(ValueError, match="without weights"):
        neuron(Dense(1, "relu", seed=1), [1.0])
    with pytest.raises(ValueError, match="without weights"):
        neuron(object(), [1.0])


def test_nine_inputs_are_too_many_to_read():
    with pytest.raises(ValueError, match="at most 8"):
        neuron(dense(np.ones((9, 1)), [0.0]), np.ones(9))


def test_a_softmax_neuron_is_not_alone():
    with pytest.raises(ValueError, match="softmax"):
        neuron(dense([[1.0, 2.0]], [0.0, 0.0], "softmax"), [1.0])


def test_keras_and_ours_draw_alike():
    keras = pytest.importorskip("keras")
    layer = keras.layers.Dense(1, activation="relu")
    layer.build((None, 2))
    layer.set_weights([np.array([[0.5], [-2.0]]), np.array([1.0])])
    ours = dense([[0.5], [-2.0]], [1.0], "relu")
    assert words(neuron(layer, [3.0, 1.0])) == words(neuron(ours, [3.0, 1.0]))
