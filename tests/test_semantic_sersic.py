"""Seven numbers behind a star's image: the sky, the loss on noisy pictures, the classical fit."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest

from firstlight.studies import semantic_autoencoder, semantic_sersic

TOY = {**semantic_sersic.BUILD, "n_train": 64, "n_test": 30, "widths": (8,), "binning": 4,
       "steps": 2, "batch_size": 8}  # fmt: skip


@pytest.fixture(scope="module")
def data():
    return semantic_sersic.simulate(TOY, 1)


def test_the_sky_is_in_units_of_its_noise_and_covers_the_prior(data):
    corner = data.images[:, :6, :6].std(axis=(1, 2, 3))
    assert np.median(corner) == pytest.approx(1, abs=0.1)
    assert 8 < data.snr.min() and data.snr.max() < 1500
    assert (np.linalg.eigvalsh(data.covariance)[:, 0] > 0).all()
    again, other = semantic_sersic.simulate(TOY, 1, n=5), semantic_sersic.simulate(TOY, 2, n=5)
    assert again.images.shape == (5, 48, 48, 1) and not np.isin(again.numbers, other.numbers).any()
    assert not np.isin(data.numbers, semantic_sersic.training_numbers(TOY, 1)).any()
    many = semantic_sersic.training_numbers({**TOY, "n_train": 20_000}, 0)
    np.testing.assert_allclose(many.mean(axis=0), semantic_sersic.CENTER, atol=0.15)
    np.testing.assert_allclose(many.std(axis=0), semantic_sersic.SPREAD, rtol=0.25)


def test_a_training_step_needs_no_truth_and_gives_seven_numbers(data):
    model, history = semantic_sersic.fit_model(TOY, semantic_sersic.training_numbers(TOY, 0), 0)
    encoder = semantic_autoencoder.encoder_of(model)
    assert encoder.output_shape == (None, 7) and np.isfinite(history.loss).all()
    found = np.asarray(encoder.predict_on_batch(data.images))
    table = semantic_sersic.ratios(found, data, [0, 1e4])
    assert table.shape == (1, 7) and (table > 1).all()
    assert np.isnan(semantic_sersic.ratios(found, data, [0, 1])).all()


def test_the_classical_fit_is_at_the_bound(data):
    draw = semantic_sersic.decoder()
    bright = np.flatnonzero(data.snr > 60)[:4]
    for k in bright:
        found = semantic_sersic.fit(data.images[k, ..., 0], draw)
        sigma = np.sqrt(np.diag(data.covariance[k]))
        assert (np.abs(found.parameters - data.numbers[k]) < 5 * sigma).all()
        assert abs(found.chi2 - 48**2) < 6 * np.sqrt(2 * 48**2)


def test_the_truth_has_ratio_zero_and_time_is_counted(data):
    assert np.abs(semantic_sersic.ratios(data.numbers, data, [0, 1e4])).max() == 0
    calls = []
    assert semantic_sersic.seconds_each(calls.append, np.zeros((5, 2))) >= 0 and len(calls) == 4
    assert semantic_sersic.star().sum() == pytest.approx(1)
