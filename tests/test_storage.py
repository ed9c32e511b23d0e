"""Weights on the shelf: half the bytes, the same answers, and clear words when they do not fit."""

import keras
import numpy as np
import pytest

from firstlight.models import storage


def small(units=5):
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [keras.Input((7,)), keras.layers.Dense(units, activation="relu"), keras.layers.Dense(2)]
    )


def test_weights_come_back_to_half_precision(tmp_path):
    model, x = small(), np.random.default_rng(1).normal(size=(9, 7)).astype("float32")
    before = model.predict(x, verbose=0)
    path = storage.save_weights(model, tmp_path / "w.npz")
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    after = storage.load_weights(model, path).predict(x, verbose=0)
    np.testing.assert_allclose(after, before, atol=5e-3 * np.abs(before).max())
    assert np.abs(after).max() > 0


def test_weights_of_another_network_are_refused(tmp_path):
    path = storage.save_weights(small(), tmp_path / "w.npz")
    with pytest.raises(ValueError, match="expected"):
        storage.load_weights(small(units=6), path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises((FileNotFoundError, ValueError), match="none"):
        storage.load_weights(small(), tmp_path / "none.npz")
