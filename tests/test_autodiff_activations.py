"""Facts about the activation functions: parity with Keras, slopes, limits, errors."""

import warnings

import numpy as np
import pytest

from firstlight.autodiff import activations
from firstlight.autodiff.activations import NAMES, derivative, get, softmax, softmax_jacobian

A = np.concatenate([np.linspace(-9, 9, 361), [-1e3, -40.0, -1e-9, 0.0, 1e-9, 40.0, 1e3]])
PLAIN = [name for name in NAMES if name != "softmax"]
ZERO_AT_ZERO = set(PLAIN) - {"sigmoid", "softplus"}


@pytest.fixture(scope="module")
def tf():
    pytest.importorskip("keras")
    return pytest.importorskip("tensorflow")


@pytest.mark.parametrize("name", NAMES)
def test_equal_to_keras(name, tf):
    import keras

    theirs = np.asarray(keras.activations.get(name)(tf.constant(A)))
    assert theirs.dtype == np.float64
    np.testing.assert_allclose(get(name)(A), theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", PLAIN)
def test_derivative_is_what_keras_differentiates_also_at_the_kink(name, tf):
    import keras

    a = tf.constant(A)
    with tf.GradientTape() as tape:
        tape.watch(a)
        out = keras.activations.get(name)(a)
    theirs = np.asarray(tape.gradient(out, a))
    np.testing.assert_allclose(derivative(name)(A), theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", PLAIN)
def test_derivative_against_finite_differences(name):
    a = np.linspace(-6, 6, 240)  # even: misses the kink at zero
    h = 1e-5
    slope = (get(name)(a + h) - get(name)(a - h)) / (2 * h)
    np.testing.assert_allclose(derivative(name)(a), slope, atol=1e-8)


@pytest.mark.parametrize("slope", [0.0, 0.01, 0.3])
def test_options_change_function_and_derivative_alike(slope, tf):
    import keras

    theirs = np.asarray(keras.activations.leaky_relu(tf.constant(A), negative_slope=slope))
    np.testing.assert_allclose(activations.leaky_relu(A, slope), theirs, atol=1e-12)
    assert np.all(derivative("leaky_relu")(A[A < 0], negative_slope=slope) == slope)
    theirs = np.asarray(keras.activations.elu(tf.constant(A), alpha=slope))
    np.testing.assert_allclose(activations.elu(A, alpha=slope), theirs, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_overflows(name):
    far = np.array([-1e3, 1e3, -1e300, 1e300])
    with warnings.catch_warnings(), np.errstate(over="raise", invalid="raise", divide="raise"):
        warnings.simplefilter("error")
        assert np.isfinite(get(name)(far)).all()
        if name == "softmax":
            assert np.isfinite(softmax_jacobian(far)).all()
        elif name in ("gelu", "silu", "swish"):
            assert np.isfinite(derivative(name)(far[:2])).all()
        else:
            assert np.isfinite(derivative(name)(far)).all()


@pytest.mark.parametrize("name", NAMES)
def test_shape_is_kept_and_numbers_are_doubles(name):
    for shape in ((3,), (2, 3), (4, 2, 3)):
        out = get(name)(np.ones(shape, dtype="float32"))
        assert out.shape == shape and out.dtype == np.float64
    if name != "softmax":
        assert get(name)(2).shape == () and get(name)([]).shape == (0,)


def test_known_values_and_identities():
    a = np.linspace(-5, 5, 101)
    assert np.allclose(activations.sigmoid(a) + activations.sigmoid(-a), 1)
    assert np.allclose(activations.tanh(a), 2 * activations.sigmoid(2 * a) - 1)
    assert np.allclose(activations.softplus(a) - activations.softplus(-a), a)
    assert np.allclose(activations.relu(a) - activations.relu(-a), a)
    assert np.allclose(activations.silu(a) - activations.silu(-a), a)
    assert np.allclose(activations.gelu(a) - activations.gelu(-a), a)
    assert all(get(name)(0.0) == 0 for name in ZERO_AT_ZERO)
    assert activations.softplus(0.0) == pytest.approx(np.log(2))


@pytest.mark.parametrize("name", set(PLAIN) - {"gelu", "silu", "swish"})
def test_monotonic(name):
    assert (np.diff(get(name)(np.sort(A))) >= 0).all()


def test_silu_and_gelu_dip_below_zero_and_return():
    for name in ("silu", "gelu"):
        dip = get(name)(A).min()
        assert -0.3 < dip < -0.1 and get(name)(-40.0) == pytest.approx(0, abs=1e-12)


def test_selu_keeps_mean_zero_and_variance_one():
    a, weight = np.polynomial.hermite_e.hermegauss(200)
    h = activations.selu(a)
    assert weight @ h / weight.sum() == pytest.approx(0, abs=2e-3)
    assert weight @ h**2 / weight.sum() == pytest.approx(1, abs=2e-3)


def test_softmax_gives_shares_and_ignores_a_common_shift():
    a = np.random.default_rng(3).normal(size=(4, 5, 6))
    for axis in (0, 1, 2, -1):
        p = softmax(a, axis=axis)
        assert np.allclose(p.sum(axis=axis), 1) and (p > 0).all()
        assert np.allclose(softmax(a + 700, axis=axis), p)
    two = np.array([1.3, -0.4])
    assert softmax(two)[0] == pytest.approx(float(activations.sigmoid(two[0] - two[1])))


def test_softmax_jacobian_against_finite_differences():
    a, h = np.array([0.3, -1.2, 2.0]), 1e-6
    step = np.eye(3) * h
    columns = [(softmax(a + s) - softmax(a - s)) / (2 * h) for s in step]
    np.testing.assert_allclose(softmax_jacobian(a), np.array(columns).T, atol=1e-9)
    assert softmax_jacobian(np.zeros((2, 4, 3))).shape == (2, 4, 3, 3)
    assert np.allclose(softmax_jacobian(a).sum(axis=1), 0)


def test_get_and_derivative_take_names_functions_and_none():
    assert get("swish") is get("silu") is activations.silu
    assert get(None) is activations.linear
    assert get(np.sin) is np.sin
    assert derivative(activations.relu)(2.0) == 1
    assert derivative(None)(-7.0) == 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_is_refused_with_the_way_out(name, bad):
    with pytest.raises(ValueError, match=r"received 1 NaN or infinite among 3.*expected.*Mask"):
        get(name)([0.0, bad, 1.0])
    if name != "softmax":
        with pytest.raises(ValueError, match="NaN or infinite"):
            derivative(name)([0.0, bad, 1.0])


@pytest.mark.parametrize("bad", ["many", [[1.0], [1.0, 2.0]], [1j], {"a": 1}])
def test_what_is_no_array_of_numbers_is_refused(bad):
    with pytest.raises(ValueError, match="expected numbers of any shape"):
        activations.relu(bad)


@pytest.mark.parametrize("name", ["ReLU", "rectifier", "", 3, ["relu"]])
def test_unknown_name_is_refused_with_the_list(name):
    with pytest.raises(ValueError, match=r"received .*expected one of linear, relu, .*softmax"):
        get(name)
    with pytest.raises(ValueError, match="expected one of linear"):
        derivative(name)


def test_derivatives_that_do_not_exist_say_so():
    with pytest.raises(ValueError, match="softmax_jacobian"):
        derivative("softmax")
    with pytest.raises(ValueError, match="'sin', which is not of this module"):
        derivative(np.sin)
    with pytest.raises(ValueError, match="shape \\(\\)"):
        softmax(3.0)
    with pytest.raises(ValueError, match="expected one score or more"):
        softmax(np.ones((2, 0)))
