"""Layers and networks for periodic maps: no edges, a known spectrum, the baseline to begin with."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from firstlight.evaluation import mapped_fields, web_statistics
from firstlight.layers import periodic
from firstlight.models import cosmic_web

rng = np.random.default_rng(0)


def numbers(*shape):
    return rng.normal(size=shape).astype(np.float32)


def web(n=40, pixels=16):
    one = np.fft.fftfreq(pixels) * pixels
    k = np.hypot(one[:, None], one)
    k[0, 0] = np.inf
    field = np.fft.ifft2(np.fft.fft2(numbers(n, pixels, pixels)) / np.sqrt(k)).real
    return np.exp(1.2 * field / field.std() - 0.72).astype(np.float32)


# ---------------------------------------------------------------- layers


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 4), st.sampled_from([4, 5, 8]))
def test_a_map_is_continued_as_numpy_does_it(width, side):
    maps = numbers(2, side, side, 3)
    layer = periodic.WrapPadding(width)
    wide = np.pad(maps, ((0, 0), (width, width), (width, width), (0, 0)), mode="wrap")
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(maps)), wide)
    assert layer.compute_output_shape((None, side, side, 3))[1:] == wide.shape[1:]
    assert periodic.WrapPadding.from_config(layer.get_config()).width == width


def test_noise_takes_on_a_spectrum():
    power = mapped_fields.smooth_power(web())
    power *= power.size / power.sum()
    layer, noise = periodic.GaussianField(), numbers(300, 16, 16, 1)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(noise)), noise, atol=1e-4)
    layer.set_power(power)
    field = ops.convert_to_numpy(layer(noise))[..., 0]
    waves = np.fft.fft2(noise[..., 0]) * np.sqrt(power)
    np.testing.assert_allclose(field, np.fft.ifft2(waves).real, atol=1e-4)
    assert field.std() == pytest.approx(1, abs=0.1)
    for bad in (power[:8], -power, np.where(np.arange(16) == 3, 2.0, 1.0) * power):
        with pytest.raises(ValueError, match="set_power"):
            layer.set_power(bad)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 40), st.floats(-3, 0), st.floats(0.5, 3))
def test_a_table_is_read_as_numpy_does_it(entries, low, high):
    layer, x = periodic.Lookup(low, high, entries), np.linspace(-4, 4, 57).astype(np.float32)
    np.testing.assert_allclose(
        ops.convert_to_numpy(layer(x)), np.clip(x, low, high), atol=1e-5
    )  # fmt: skip
    values = numbers(entries)
    layer.set_table(values)
    wanted = np.interp(x, np.linspace(low, high, entries), values)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), wanted, atol=2e-4)
    assert periodic.Lookup.from_config(layer.get_config()).entries == entries


def test_log_power_is_that_of_the_statistics():
    side, box = 32, 128.0
    edges = np.array([0.1, 0.2, 0.4, 0.6])  # h/Mpc
    slices = web(5, side)
    layer = periodic.LogPower(edges * box / (2 * np.pi))
    found = np.exp(ops.convert_to_numpy(layer(slices[..., None]))) * box**2 / side**2
    np.testing.assert_allclose(
        found, web_statistics.power_spectra(slices, box, edges), rtol=1e-3
    )  # fmt: skip
    assert layer.compute_output_shape((None, side, side, 1)) == (None, 3)
    assert periodic.LogPower.from_config(layer.get_config()).edges == layer.edges


def test_bad_layers_are_refused():
    with pytest.raises(ValueError, match="width=0"):
        periodic.WrapPadding(0)
    with pytest.raises(ValueError, match="at least the width"):
        periodic.WrapPadding(5)(numbers(1, 4, 4, 1))
    with pytest.raises(ValueError, match="2 or more, rising"):
        periodic.Lookup(1, 0, 5)
    with pytest.raises(ValueError, match="finite numbers"):
        layer = periodic.Lookup(0, 1, 5)
        layer(numbers(3))
        layer.set_table(np.full(5, np.nan))
    with pytest.raises(ValueError, match="two or more rising"):
        periodic.LogPower((2, 1))
    with pytest.raises(ValueError, match="up to half the side"):
        periodic.LogPower((1, 9))(numbers(1, 16, 16, 1))
    with pytest.raises(ValueError, match="no wave from 1.1"):
        periodic.LogPower((1.1, 1.2))(numbers(1, 16, 16, 1))


# ---------------------------------------------------------------- networks


def generator(pixels=16):
    model = cosmic_web.web_generator(pixels, channels=4, blocks=1)
    field = mapped_fields.fit(web(40, pixels))
    return cosmic_web.set_field(model, field.power, field.log_density), field


def test_the_tables_of_model_and_baseline_fit():
    assert cosmic_web.SCORE_LIMIT == mapped_fields.LIMIT
    assert cosmic_web.TABLE == len(mapped_fields.SCORES)


def test_an_untrained_generator_draws_the_web_without_learning():
    model, field = generator()
    noise = numbers(50, 16, 16, 2)
    drawn = np.exp(model.predict_on_batch(noise)[..., 0])
    scores = np.fft.ifft2(np.fft.fft2(noise[..., 0]) * np.sqrt(field.power)).real
    np.testing.assert_allclose(drawn, field.density(scores), rtol=2e-3)


def shaken(model):
    """Every weight of the network moved, the field's own left alone."""
    keras.utils.set_random_seed(1)
    for variable in model.trainable_variables:
        variable.assign(variable + 0.1 * numbers(*variable.shape))
    return model


def test_a_generator_knows_no_edges_and_no_place():
    model = shaken(generator()[0])
    noise = numbers(2, 16, 16, 2)
    here = np.roll(model.predict_on_batch(noise), (4, 6), axis=(1, 2))
    there = model.predict_on_batch(np.roll(noise, (4, 6), axis=(1, 2)))
    np.testing.assert_allclose(here, there, atol=2e-4)
    assert np.ptp(here) > 0.5


def test_a_critic_gives_one_number_and_may_see_the_power():
    maps = numbers(3, 16, 16, 1)
    plain = cosmic_web.web_critic(16, (4, 8))
    seeing = cosmic_web.web_critic(16, (4, 8), (0.5, 2, 4), np.zeros(2), np.ones(2))
    assert plain(maps).shape == seeing(maps).shape == (3, 1)
    assert seeing.count_params() > plain.count_params()


def test_networks_that_cannot_be_are_refused():
    for bad in ({"pixels": 15}, {"channels": 0}, {"extra": 0}):
        with pytest.raises(ValueError, match="web_generator: received"):
            cosmic_web.web_generator(**bad)
    with pytest.raises(ValueError, match="halved as often"):
        cosmic_web.web_critic(12, (4, 4, 4))
