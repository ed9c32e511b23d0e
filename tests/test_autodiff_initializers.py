"""firstlight.autodiff.initializers: the variances that the papers ask for, and Keras's."""

import numpy as np
import pytest

from firstlight.autodiff import initializers

VARIANCE = {
    "glorot_uniform": 2 / (300 + 200),
    "glorot_normal": 2 / (300 + 200),
    "he_uniform": 2 / 300,
    "he_normal": 2 / 300,
    "lecun_uniform": 1 / 300,
    "lecun_normal": 1 / 300,
    "random_normal": 0.05**2,
    "zeros": 0.0,
    "ones": 0.0,
}


def test_every_initializer_is_tested():
    assert set(VARIANCE) == set(initializers.NAMES)


@pytest.mark.parametrize("name", VARIANCE)
def test_the_variance_is_the_formula_s(name):
    kernel = initializers.get(name)((300, 200), 5)
    assert kernel.shape == (300, 200) and kernel.dtype == np.float64
    # 60 000 numbers know their variance to sqrt(2 / 60 000) = 0.6 %; five times that.
    assert kernel.var() == pytest.approx(VARIANCE[name], rel=0.03)


@pytest.mark.parametrize("name", VARIANCE)
def test_keras_draws_from_the_same_distribution(name):
    keras = pytest.importorskip("keras")
    theirs = np.asarray(keras.initializers.get(name)((300, 200)), dtype=float)
    ours = initializers.get(name)((300, 200), 8)
    assert theirs.std() == pytest.approx(ours.std(), rel=0.03)
    assert np.abs(theirs).max() == pytest.approx(np.abs(ours).max(), rel=0.2)
    for share in (0.1, 0.25, 0.75, 0.9):
        scale = max(ours.std(), 1e-12)
        assert abs(np.quantile(theirs, share) - np.quantile(ours, share)) < 0.04 * scale


@pytest.mark.parametrize("name", ["glorot_normal", "he_normal", "lecun_normal"])
def test_no_normal_start_is_beyond_two_standard_deviations(name):
    kernel = initializers.get(name)((300, 200), 3)
    assert np.abs(kernel).max() <= 2 * np.sqrt(VARIANCE[name]) / 0.87962566103423978


def test_a_signal_keeps_its_variance_through_lecun_and_its_power_through_he_and_relu():
    x = np.random.default_rng(1).normal(size=(4000, 300))
    assert (x @ initializers.lecun_normal((300, 400), 1)).var() == pytest.approx(1, rel=0.05)
    bent = np.maximum(x @ initializers.he_normal((300, 400), 2), 0)
    assert np.mean(bent**2) == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("name", [n for n in VARIANCE if n not in ("zeros", "ones")])
def test_the_seed_decides_and_nothing_else(name):
    draw = initializers.get(name)
    assert np.array_equal(draw((4, 3), 7), draw((4, 3), 7))
    assert not np.array_equal(draw((4, 3), 7), draw((4, 3), 8))


def test_a_function_is_taken_as_it_is():
    def quarter(shape, seed):
        return np.full(shape, 0.25)

    assert initializers.get(quarter) is quarter


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match="received 'he', expected one of zeros"):
        initializers.get("he")
    with pytest.raises(ValueError, match=r"received \(4,\), expected \(n_in, units\)"):
        initializers.glorot_uniform((4,), 1)
    with pytest.raises(ValueError, match="whole numbers, 1 or more"):
        initializers.zeros((3, -1))
    with pytest.raises(ValueError, match="stddev: received -1"):
        initializers.random_normal((3, 1), 1, stddev=-1)
