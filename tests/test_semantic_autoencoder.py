"""The semantic autoencoder: numbers and shapes, what is compared with what, the whole way."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.layers.sersic import ExponentialDisk
from firstlight.models import semantic_autoencoder as models
from firstlight.studies import cards, get
from firstlight.studies import semantic_autoencoder as study

TOY = {**study.BUILD, "n_train": 200, "n_test": 40, "widths": (8,), "binning": 4, "steps": 4,
       "batch_size": 16}  # fmt: skip
SHAPES = st.tuples(st.floats(0.005, 0.1), st.floats(0.01, 0.9), st.floats(0, 179.99))


# --- numbers and shapes --------------------------------------------------------------


@given(st.lists(SHAPES, min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_shapes_go_to_numbers_and_back(shapes):
    shapes = np.array(shapes)
    back = models.to_shape(models.from_shape(shapes))
    np.testing.assert_allclose(back[:, :2], shapes[:, :2], rtol=1e-6)
    apart = (back[:, 2] - shapes[:, 2] + 90) % 180 - 90
    np.testing.assert_allclose(apart, 0, atol=1e-6)


def test_shapes_that_cannot_be_are_refused():
    for wrong in ([[-0.01, 0.3, 10]], [[0.01, 1.0, 10]]):
        with pytest.raises(ValueError, match="shape: received"):
            models.from_shape(wrong)


def test_half_a_turn_changes_the_papers_number_and_not_the_shape():
    layer = models.ShapeFromAngle()
    ends = np.asarray(layer(np.array([[0.3, 0.5, 0.0], [0.3, 0.5, 1.0]], "f4")))
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-5)
    middle = models.to_shape(np.asarray(layer(np.array([[0.25, 0.5, 0.25]], "f4"))))[0]
    np.testing.assert_allclose(middle, [0.02, 0.475, 45.0], rtol=1e-4)


# --- what is compared with what ------------------------------------------------------


def perfect(size=64):
    """An encoder that is told the truth by a cheat: it returns constants."""
    image = keras.Input((size, size, 1))
    encoder = models.dense_encoder(size, study.CENTER, study.SPREAD, binning=4, widths=(4,))
    return keras.Model(image, encoder(image))


def test_the_misfit_of_the_truth_is_the_noise_or_nothing():
    disk = ExponentialDisk(64)
    truth = np.tile(np.array([study.CENTER], "f4"), (8, 1))  # what an untrained network says
    for target, expected in (("clean", 0.0), ("noisy", 1.0)):
        model = models.autoencoder(perfect(), disk, study.NOISE, target)
        found = np.asarray(model(truth, training=True))
        assert found.shape == (8, 1)
        np.testing.assert_allclose(found, expected, atol=0.12)
    with pytest.raises(ValueError, match="target: received 'other'"):
        models.autoencoder(perfect(), disk, study.NOISE, "other")


def test_the_encoder_sees_a_picture_and_no_number():
    # Two skies with the same picture must get the same answer: round galaxies at any angle.
    model = study.build_model(TOY)
    encoder = study.encoder_of(model)
    assert encoder.input_shape == (None, 64, 64, 1) and encoder.output_shape == (None, 3)
    assert model.count_params() == encoder.count_params()  # the decoder has nothing to learn
    refined = study.with_step(encoder)
    assert refined.count_params() == encoder.count_params()


def test_an_untrained_network_says_the_middle_of_the_prior():
    images = np.random.default_rng(0).normal(size=(3, 64, 64, 1))
    found = study.measure(study.encoder_of(study.build_model(TOY)), images)
    np.testing.assert_allclose(found, np.tile(study.CENTER, (3, 1)), atol=1e-5)
    numbers = study.training_numbers({**TOY, "n_train": 20_000}, 0)
    np.testing.assert_allclose(numbers.mean(axis=0), study.CENTER, atol=0.05)
    np.testing.assert_allclose(numbers.std(axis=0), study.SPREAD, atol=0.1)


def test_the_loss_counts_relative_misfits():
    loss = models.pixel_loss(0.0)
    a, b = (float(np.asarray(loss(None, np.float32(v)))) for v in (2.0, 20.0))
    assert b - a == pytest.approx(np.log(10), rel=1e-5)


def test_two_steps_of_a_fit_reach_the_bound_even_from_a_rough_guess():
    data = study.simulate(study.BUILD, 5, n=300)
    rough = data.numbers + np.random.default_rng(1).normal(0, 0.05, data.numbers.shape)
    from firstlight.layers.scoring import GaussNewton

    step = GaussNewton(ExponentialDisk(64), steps=3)
    found = np.asarray(step([data.images, rough.astype("f4")]))
    before, after = study.errors(rough, data), study.errors(found, data)
    assert before["crb_ratio"] > 4 and 0.85 < after["crb_ratio"] < 1.2
    assert after["scale"] < 0.000554 / 4 and after["ellipticity"] < 0.00914 / 2.5
    assert after["angle_deg"] < 0.924 / 2.5


# --- skies, and the whole way --------------------------------------------------------


def test_errors_of_the_truth_are_zero_and_of_a_wrap_small():
    data = study.simulate(TOY, 1)
    zero = study.errors(data.numbers, data)
    assert max(zero.values()) < 1e-3
    other = data.shape + [0, 0, 180.0]
    assert study.errors(models.from_shape(other), data)["angle_deg"] < 1e-3


def test_skies_differ_between_seeds_and_between_training_and_test():
    one, again, other = (study.simulate(TOY, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.images, again.images)
    assert not np.isin(one.numbers, other.numbers).any()
    assert not np.isin(one.numbers, study.training_numbers(TOY, 1)).any()
    assert one.images.shape == (40, 64, 64, 1) and len(one) == 40


def test_the_whole_way_at_toy_scale(tmp_path):
    weights = study.train(TOY, 3, tmp_path)
    card = cards.read_card(weights.with_suffix(".card.json"))
    assert card["study"] == "semantic-autoencoder" and card["config"]["steps"] == 4
    found = study.evaluate(weights, study.simulate(TOY, 4))
    assert found == pytest.approx(card["metrics"], rel=1e-3)
    assert found["step_crb_ratio"] < found["crb_ratio"]
    verdict = study.check(weights=weights, write=False)
    assert verdict.ok, verdict.message


@pytest.mark.parametrize("encoder", study.ENCODERS)
@pytest.mark.parametrize("target", study.TARGETS)
def test_every_encoder_and_target_learns(encoder, target):
    config = {**TOY, "encoder": encoder, "target": target, "steps": 2, "batch_size": 4}
    model, history = study.fit_model(config, study.training_numbers(TOY, 0), 0)
    assert np.isfinite(history.loss).all() and study.encoder_of(model).output_shape == (None, 3)


def test_it_is_listed_and_refuses_what_makes_no_sense(tmp_path):
    assert get("semantic-autoencoder") is study.STUDY
    assert 2 * study.encoder_of(study.build_model(study.FULL)).count_params() < 8e6
    with pytest.raises(ValueError, match="encoder, target: received 'other'"):
        study.build_model({**TOY, "encoder": "other"})
    with pytest.raises(ValueError, match="binning, center, spread: received 3"):
        models.dense_encoder(64, (0,), (1,), binning=3)
    encoder = study.encoder_of(study.build_model(TOY))
    with pytest.raises(ValueError, match="received 32 pixels on a side, expected 64"):
        study.measure(encoder, np.zeros((2, 32, 32)))
    with pytest.raises(ValueError, match="NaN"):
        study.measure(encoder, np.full((2, 64, 64), np.nan))
    with pytest.raises(FileNotFoundError, match="firstlight train semantic-autoencoder"):
        study.load(tmp_path / "none.npz")
