"""Metallicity of RR Lyrae stars: damped shapes, the classical guesses, the network and its loss."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd
import pytest

from firstlight.evaluation import feh_baselines
from firstlight.models import rr_lyrae_feh as models
from variables_kit import TURN, sawteeth


def sines(n=8, points=40, seed=0):
    """Folded sine series of known shape, one of them with an outlier."""
    rng = np.random.default_rng(seed)
    phases = np.sort(rng.uniform(size=(n, points)), axis=1)
    amplitudes, angles = np.array([0.3, 0.12, 0.06]), rng.uniform(0, TURN, (n, 3))
    k = np.arange(1, 4)
    series = (amplitudes * np.sin(TURN * phases[..., None] * k + angles[:, None])).sum(axis=-1)
    return phases, series + 0.005 * rng.standard_normal(series.shape), angles


def test_damped_shapes_are_those_of_the_series_and_shrug_off_an_outlier():
    phases, magnitudes, angles = sines()
    magnitudes[0, 5] += 1.0
    mask, period = np.ones(phases.shape, bool), np.linspace(0.4, 0.8, 8)
    for fit in feh_baselines.FITS:
        table = feh_baselines.damped_shapes(phases, magnitudes, mask, period, fit)
        assert tuple(table.columns) == feh_baselines.SHAPES
        np.testing.assert_allclose(table["r21"], 0.4, atol=0.06)
        np.testing.assert_allclose(table["r31"], 0.2, atol=0.06)
        for name, k in (("phi21", 2), ("phi31", 3)):
            wanted = angles[:, k - 1] - k * angles[:, 0]
            off = np.angle(np.exp(1j * (table[name] + 4.9 - wanted)))
            assert np.abs(off).max() < 0.3, (fit, name)
        np.testing.assert_array_equal(table["period_days"], period)
        np.testing.assert_allclose(table["log_points"], np.log(40))
    wide = [np.pad(a, ((0, 0), (0, 5))) for a in (phases, magnitudes, mask)]
    again = feh_baselines.damped_shapes(*wide, period, fit)
    pd.testing.assert_frame_equal(again, table)
    with pytest.raises(ValueError, match="fit: received 'ten', expected one of"):
        feh_baselines.damped_shapes(phases, magnitudes, mask, period, "ten")


def made_shapes(n=160, seed=0):
    """Tables whose label depends on the first two shapes; one table is half noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, len(feh_baselines.SHAPES)))
    label = -1.2 + 0.3 * x[:, 0] - 0.2 * np.sin(x[:, 1]) + 0.05 * rng.standard_normal(n)
    good = pd.DataFrame(x, columns=list(feh_baselines.SHAPES))
    return {"nine": good + rng.normal(size=x.shape), "five": good}, label


@pytest.mark.parametrize("guess", [feh_baselines.tuned_process, feh_baselines.tuned_forest])
def test_the_classical_guesses_take_the_better_fit_and_look_at_no_test_label(guess):
    shapes, label = made_shapes()
    train, test = np.arange(120), np.arange(120, 160)
    found = guess(shapes, label, train, test, 0)
    assert found.fit == "five" and found.feh_dex.shape == (40,)
    error = np.sqrt(np.mean((found.feh_dex - label[test]) ** 2))
    assert error < 0.6 * label[test].std()
    blind = label.copy()
    blind[test] = np.nan
    np.testing.assert_allclose(guess(shapes, blind, train, test, 0).feh_dex, found.feh_dex)
    if guess is feh_baselines.tuned_process:
        pulls = (found.feh_dex - label[test]) / found.sigma_dex
        assert 0.6 < pulls.std() < 1.6 and (found.sigma_dex > 0).all()
    else:
        assert np.isnan(found.sigma_dex).all()


def test_the_metallicity_network_states_a_mean_and_a_width():
    model = models.metallicity_network(15, filters=4, units=2)
    curves, *_ = sawteeth(4, epochs=15)
    shown = np.repeat(curves[1][..., None] - 15, models.CHANNELS, axis=2).astype("f4")
    said = np.asarray(model(shown))
    assert said.shape == (4, 2) and (said[:, 1] > 0).all()
    with pytest.raises(ValueError, match="points: received 2, expected at least the stride, 3"):
        models.metallicity_network(2)


def test_the_loss_is_least_where_mean_and_width_are_right():
    rng = np.random.default_rng(0)
    label = (0.4 + 0.7 * rng.standard_normal((4000, 1))).astype("f4")

    def loss(mean, width):
        said = np.tile(np.array([[mean, width - models.FLOOR]], "f4"), (4000, 1))
        return float(models.gaussian_loss(label, said))

    best = loss(0.4, 0.7)
    assert all(best < loss(*other) for other in ((0.6, 0.7), (0.2, 0.7), (0.4, 0.9), (0.4, 0.5)))
    assert best == pytest.approx(np.log(0.7) + 0.5, abs=0.03)
