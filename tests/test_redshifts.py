"""The example of the library chapters: its galaxies, its batches, and its child processes."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest

from firstlight.studies import redshift_backends, redshifts


def test_colors_do_not_know_the_distance_of_a_lamp_and_the_magnitude_does():
    m = np.array([[22.0, 21.0, 20.5, 20.25, 20.0]])
    near, far = redshifts.columns(m), redshifts.columns(m + 5)
    np.testing.assert_allclose(near[:, :4], far[:, :4])
    assert far[0, 4] - near[0, 4] == 5


def test_the_two_skies_differ_and_share_their_scale():
    train, test = redshifts.samples(3, 2000, 500)
    np.testing.assert_allclose(train.inputs.mean(axis=0), 0, atol=1e-10)
    np.testing.assert_allclose(train.inputs.std(axis=0), 1, rtol=1e-10)
    assert 0 < np.abs(test.inputs.mean(axis=0)).max() < 0.3
    assert not np.isin(test.magnitudes[:, 2], train.magnitudes[:, 2]).all()
    assert set(np.unique(train.blue)) == {0.0, 1.0} and (train.target > 0).all()


def test_batches_show_every_galaxy_once_an_epoch():
    rows = redshifts.batch_rows(5, 7, 100, 25)
    assert rows.shape == (7, 25)
    assert sorted(rows[:4].ravel()) == list(range(100))
    assert not np.array_equal(rows[0], rows[4])
    np.testing.assert_array_equal(rows, redshifts.batch_rows(5, 7, 100, 25))
    with pytest.raises(ValueError, match="received 200, expected from 1 to the 100"):
        redshifts.batch_rows(5, 1, 100, 200)


def test_an_answer_of_another_shape_is_refused_and_not_broadcast():
    _, test = redshifts.samples(3, 50, 40)
    assert redshifts.rmse(test.target + 0.5, test) == pytest.approx(0.5)
    with pytest.raises(ValueError, match=r"received shape \(40,\), expected \(40, 1\)"):
        redshifts.rmse(test.target[:, 0], test)


def test_the_start_has_the_variance_it_says():
    kernel, bias = redshifts.start(1, (400, 300, 1))[:2]
    assert kernel.var() == pytest.approx(2 / 400, rel=0.02) and not bias.any()


def test_the_network_is_the_one_of_the_weights():
    start = redshifts.start(2)
    x = np.random.default_rng(0).normal(size=(6, 5)).astype("float32")
    h = np.maximum(np.maximum(x @ start[0] + start[1], 0) @ start[2] + start[3], 0)
    said = redshift_backends.network(start)(x)
    np.testing.assert_allclose(np.asarray(said), h @ start[4] + start[5], rtol=1e-4, atol=1e-5)


def test_a_child_on_jax_takes_the_steps_that_we_take():
    pytest.importorskip("jax", reason="JAX comes with the [scaling] extra")
    train, test = redshifts.samples(3, 200, 20)
    start, rows = redshifts.start(2), redshifts.batch_rows(2, 4, 200, 50)
    data = {"x": train.inputs, "y": train.target, "rows": rows}
    model, losses = redshift_backends.train(start, **data)
    found = redshift_backends.on_backend("jax", start, x_test=test.inputs, **data)
    assert found["backend"] == "jax" and found["drawn"].shape == (3,)
    np.testing.assert_allclose(found["losses"], losses, rtol=1e-4)
    weights = np.concatenate([np.ravel(w) for w in model.get_weights()])
    np.testing.assert_allclose(found["weights"], weights, atol=1e-4)
    np.testing.assert_allclose(
        found["predicted"], np.asarray(model(test.inputs.astype("float32"))), atol=1e-3
    )


def test_children_that_cannot_be_are_refused():
    start = redshifts.start(2)
    with pytest.raises(ValueError, match="received 'theano', expected one of tensorflow, jax"):
        redshift_backends.on_backend("theano", start)
