"""The lens finder's channels, network and study: symmetry, noise, counts, and that it learns."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight import studies, training
from firstlight.exercises import lens_finder as exercises
from firstlight.layers.augmentation import dihedral
from firstlight.layers.lens_channels import (
    HalfTurnDifference,
    IsophoteResidual,
    SkyStretch,
    centroid,
)
from firstlight.models import lens_finder as networks
from firstlight.studies import cards, lens_finder_sky
from firstlight.studies import lens_finder as study

SMALL = {"size": 32, "stem": 4, "widths": (8, 16), "depths": (1, 1)}
LAYERS = (SkyStretch, HalfTurnDifference, IsophoteResidual)


def ellipse(x0=0.0, y0=0.0, axis_ratio=0.7, angle=0.5, flux=3000.0, side=48, scale=3.5):
    """A Gaussian galaxy, shape (1, side, side, 1); offsets in pixels from the middle."""
    along = np.arange(side) - (side - 1) / 2
    x, y = np.meshgrid(along - x0, along - y0)
    u = x * np.cos(angle) + y * np.sin(angle)
    v = y * np.cos(angle) - x * np.sin(angle)
    light = np.exp(-(u**2 * axis_ratio + v**2 / axis_ratio) / (2 * scale**2))
    return (flux * light / light.sum())[None, ..., None].astype("float32")


def noise(n=40, side=48, bands=1, seed=0):
    return np.random.default_rng(seed).normal(size=(n, side, side, bands)).astype("float32")


# --- channels ------------------------------------------------------------------------


@pytest.mark.parametrize("layer", [SkyStretch(), HalfTurnDifference(), IsophoteResidual()])
def test_channels_turn_with_the_image(layer):
    images = 20 * ellipse(0.3, -0.2, side=32) / 3 + noise(3, 32, 2)
    for symmetry in range(8):
        turned = np.ascontiguousarray(dihedral(images, symmetry))
        expected = dihedral(np.asarray(layer(images)), symmetry)
        np.testing.assert_allclose(np.asarray(layer(turned)), expected, atol=2e-3)


@pytest.mark.parametrize("cls", LAYERS)
def test_channels_keep_their_settings_and_refuse_what_is_not_square(cls):
    layer = cls.from_config(cls().get_config())
    assert layer.get_config() == {**cls().get_config(), "name": layer.name}
    assert layer.compute_output_shape((None, 8, 8, 2)) == (None, 8, 8, 2)
    with pytest.raises(ValueError, match="expected \\(n, side, side"):
        cls()(np.zeros((1, 8, 9, 1), "float32"))


@pytest.mark.parametrize(
    ("cls", "wrong"),
    [(SkyStretch, {"soft": 0}), (SkyStretch, {"limit": -1}), (IsophoteResidual, {"weight": 0}),
     (IsophoteResidual, {"rings": 1})],
)  # fmt: skip
def test_bad_settings_are_refused(cls, wrong):
    with pytest.raises(ValueError, match="received"):
        cls(**wrong)


def test_the_stretch_is_odd_rising_and_clipped():
    values = np.asarray(
        SkyStretch()(np.array([[-300, -250], [250, 300]], "float32")[None, ..., None])
    )
    assert values[0, 0, 0] == values[0, 0, 1] == -values[0, 1, 0] == -values[0, 1, 1]
    small = np.asarray(SkyStretch(soft=2.0)(np.full((1, 2, 2, 1), 0.01, "float32")))
    np.testing.assert_allclose(small, 0.01 / 4, rtol=1e-4)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.4, 1.0), st.floats(0, np.pi), st.floats(2, 6))
def test_a_centered_ellipse_vanishes_under_a_half_turn(axis_ratio, angle, scale):
    galaxy = ellipse(axis_ratio=axis_ratio, angle=angle, scale=scale)
    left = HalfTurnDifference(recenter=False)(galaxy)
    assert float(np.abs(left).max()) < 1e-4 * galaxy.max()


def test_the_half_turn_is_odd_and_keeps_the_noise():
    images = noise()
    found = np.asarray(HalfTurnDifference(recenter=False)(images))
    np.testing.assert_allclose(found, -found[:, ::-1, ::-1], atol=1e-6)
    assert abs(found.std() - 1) < 0.01


@pytest.mark.parametrize(("x0", "y0"), [(0.3, 0.0), (-0.15, 0.2), (0.0, -0.25)])
def test_the_centroid_is_found_and_an_offset_galaxy_vanishes_too(x0, y0):
    galaxy = ellipse(x0, y0, scale=2.0)
    found = [float(np.ravel(c)[0]) for c in centroid(galaxy)]
    np.testing.assert_allclose(found, (x0, y0), atol=0.02)
    bare = np.abs(HalfTurnDifference(recenter=False)(galaxy)).max()
    assert np.abs(HalfTurnDifference()(galaxy)).max() < 0.3 * bare  # to first order


def test_isophotes_take_the_galaxy_and_leave_the_arc():
    galaxy, arc = ellipse(0.2, -0.3), ellipse(9.0, 4.0, scale=1.5, flux=150.0)
    alone = np.asarray(IsophoteResidual()(galaxy))
    assert np.abs(alone).sum() < 0.05 * galaxy.sum()
    left = np.asarray(IsophoteResidual()(galaxy + arc))
    peak = np.unravel_index(left[0, ..., 0].argmax(), (48, 48))
    assert abs(peak[1] - 32.5) <= 1 and abs(peak[0] - 27.5) <= 1
    assert left.max() > 0.8 * arc.max()


def test_isophotes_conserve_light_and_bear_an_empty_sky():
    left = np.asarray(IsophoteResidual()(noise(5)))
    assert np.isfinite(left).all() and abs(left.mean()) < 0.02
    assert not np.asarray(IsophoteResidual()(np.zeros((2, 16, 16, 1), "float32"))).any()


def test_bands_do_not_mix():
    images = np.concatenate([ellipse(0.3), noise(1)], axis=-1)
    for layer in (HalfTurnDifference(), IsophoteResidual()):
        both = np.asarray(layer(images))
        for band in range(2):
            alone = np.asarray(layer(images[..., band : band + 1]))
            np.testing.assert_allclose(both[..., band : band + 1], alone, atol=1e-4)


# --- network -------------------------------------------------------------------------


def build(**changes):
    training.set_seed(1)
    return networks.lens_finder(**{**SMALL, **changes})


def test_a_unit_costs_what_the_chapter_derives():
    images = keras.Input((8, 8, 64))
    unit = keras.Model(images, networks.bottleneck_unit(images, 64, ratio=4))
    learned = sum(int(np.prod(w.shape)) for w in unit.trainable_weights)
    assert learned == exercises.EXERCISES["unit_parameters"].right()(64, 4) == 4544


def test_the_way_past_a_unit_is_empty():
    images = keras.Input((8, 8, 16))
    unit = keras.Model(images, networks.bottleneck_unit(images, 16))
    unit.set_weights([np.zeros_like(w) if w.ndim == 4 else w for w in unit.get_weights()])
    x = noise(2, 8, 16)
    np.testing.assert_array_equal(np.asarray(unit(x)), x)


def test_a_stride_halves_and_a_width_widens():
    images = keras.Input((8, 8, 16))
    assert networks.bottleneck_unit(images, 32, stride=2).shape == (None, 4, 4, 32)
    with pytest.raises(ValueError, match="expected a ratio from 1 to filters"):
        networks.bottleneck_unit(images, 4, ratio=8)


@pytest.mark.parametrize("bands", [1, 3])
def test_the_network_gives_probabilities(bands):
    found = np.asarray(build(bands=bands)(10 * noise(5, 32, bands)))
    assert found.shape == (5, 1) and 0 < found.min() and found.max() < 1


def test_channels_count_and_unknown_ones_are_refused():
    first = [w for w in build(bands=3).weights if w.ndim == 4][0]
    assert tuple(first.shape) == (7, 7, 9, 4)
    assert [w for w in build(channels=("image",)).weights if w.ndim == 4][0].shape[2] == 1
    with pytest.raises(ValueError, match="channels: received \\('sky',\\)"):
        build(channels=("sky",))
    with pytest.raises(ValueError, match="one width and one depth"):
        build(depths=(1,))


@pytest.mark.parametrize("depths", [(1,), (2, 1), (1, 1, 2)])
def test_the_receptive_field_is_what_gradients_say(depths):
    import tensorflow as tf

    training.set_seed(2)
    side = 64
    widths = tuple(8 for _ in depths)
    model = networks.lens_finder(size=side, stem=8, widths=widths, depths=depths, ratio=1,
                                 channels=("image",))  # fmt: skip
    last = [layer for layer in model.layers if type(layer).__name__ == "Add"][-1]
    features = keras.Model(model.input, last.output)
    images = tf.constant(noise(4, side))
    with tf.GradientTape() as tape:
        tape.watch(images)
        middle = features(images).shape[1] // 2
        value = tf.reduce_sum(features(images)[:, middle, middle] ** 2)
    seen = np.abs(tape.gradient(value, images).numpy()).max(axis=(0, 2, 3)) > 0
    assert np.ptp(np.flatnonzero(seen)) + 1 == networks.receptive_field(depths)


def test_the_mean_over_eight_views_forgets_how_the_camera_was_turned():
    model, images = build(), 5 * noise(3, 32)
    answer = training.predict(model, images, symmetries=8)
    for symmetry in range(8):
        turned = np.ascontiguousarray(dihedral(images, symmetry))
        np.testing.assert_allclose(training.predict(model, turned, symmetries=8), answer, atol=1e-4)


def test_a_network_learns_to_see_a_second_source():
    rng = np.random.default_rng(0)
    labels = (np.arange(192) % 2).astype("float32")[:, None]
    images = noise(192, 32)
    for k, label in enumerate(labels[:, 0]):
        angle = rng.uniform(0, 2 * np.pi)
        images[k] += ellipse(angle=angle, side=32)[0]
        if label:
            images[k] += ellipse(8 * np.cos(angle), 8 * np.sin(angle), 1.0, 0, 250, 32, 1.5)[0]
    model = build()
    training.compile_model(
        model, steps=100, learning_rate=1e-2, loss="binary_crossentropy", ema=0.9
    )
    training.fit(model, images[:128], labels[:128], steps=100, batch_size=32)
    found = training.predict(model, images[128:])[:, 0] > 0.5
    assert np.mean(found == labels[128:, 0]) > 0.9


# --- study ---------------------------------------------------------------------------

TOY = {
    **lens_finder_sky.BUILD, "n_train": 256, "n_test": 300, "size": 32, "stem": 4,
    "widths": (8, 16),
    "depths": (1, 1), "steps": 12, "batch_size": 32,
}  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return study.train(TOY, 3, tmp_path_factory.mktemp("lens"))


def test_scales_fit_on_a_shelf_and_know_their_bands():
    for scale, bands in (("build", 1), ("full", 1), ("full-hard", 3)):
        config = studies.get("lens-finder").scales[scale]
        model = study.build_model(config)
        assert model.input_shape == (None, 48, 48, bands)
        assert 2 * model.count_params() < 8e6
    others = study.BUILD["n_test"] * (1 - study.BUILD["lens_fraction_test"])
    assert others > 10_000, "one per cent of the non-lenses are a hundred"


def test_the_two_test_sets_are_never_mixed():
    plain, hard = (set(study.simulate(TOY, 1, n=200, impostors=k).kind) for k in ("plain", "hard"))
    assert plain & hard == {"lens"} and plain - hard == {"alone", "field"}
    assert set(study.simulate({**TOY, "impostors": "mixed"}, 1, n=200).kind) == hard


def test_training_stamps_are_no_test_stamps_and_come_again():
    images, labels = study.training_set(TOY, 1)
    again, _ = study.training_set(TOY, 1)
    np.testing.assert_array_equal(images, again)
    assert images.shape == (256, 32, 32, 1) and 0.3 < labels.mean() < 0.7
    test = study.simulate(TOY, 1).images.astype(np.float16)
    assert not {i.tobytes() for i in images} & {i.tobytes() for i in test}
    assert not np.array_equal(images, study.training_set(TOY, 2)[0])


def test_a_trained_study_has_a_card_and_can_be_examined(trained):
    card = cards.read_card(trained.with_suffix(".card.json"))
    assert card["command"].startswith("firstlight train lens-finder")
    assert set(card["bands"]) <= set(card["metrics"])
    data = study.simulate(TOY, 4)
    found = study.evaluate(trained, data)
    assert found.keys() == card["metrics"].keys()
    np.testing.assert_allclose(found["auroc"], card["metrics"]["auroc"], atol=1e-4)


def test_weights_that_are_not_there_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="firstlight train lens-finder --scale full"):
        study.evaluate(tmp_path / "none.npz", study.simulate(TOY, 1))


def test_several_looks_are_predictions_of_turned_images():
    model, images = build(), 5 * noise(5, 32) + 20 * ellipse(0.3, -0.2, side=32)
    expected = [training.predict(model, dihedral(images, k))[:, 0] for k in study.VIEWS]
    found = study.looks(model, images, batch_size=3)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    np.testing.assert_allclose(study.score(model, images), found.mean(axis=0), atol=1e-6)
    with pytest.raises(ValueError, match="without a Conv2D"):
        networks.halves(keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)]))


def test_a_perfect_score_finds_everything(monkeypatch):
    data = study.simulate(TOY, 6)
    monkeypatch.setattr(study, "looks", lambda *_: np.array([data.labels] * 4, float))
    found = study.judged(None, data)
    assert found["auroc_once"] == found["completeness_once"] == 1


def test_the_stored_weights_stand():
    for weights in (study.WEIGHTS, study.HARD_WEIGHTS):
        if weights.exists():
            verdict = study.check(write=False, weights=weights)
            assert verdict.ok, verdict.message
