"""The Galaxy Zoo networks: shapes, symmetry, the tree, and that they learn."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest

from firstlight import training
from firstlight.layers.augmentation import dihedral
from firstlight.models import galaxy_zoo
from firstlight.sky import gz2_tree

SMALL = {"size": 32, "widths": (8, 16), "depths": (0, 1), "dense": 16}


def images(n=6, size=32):
    return np.random.default_rng(0).normal(size=(n, size, size, 3)).astype("float32")


def build(name, **settings):
    training.set_seed(1)
    if name == "plain_cnn":
        return galaxy_zoo.plain_cnn(size=32, width=4, dense=16, **settings)
    return getattr(galaxy_zoo, name)(**{**SMALL, **settings})


@pytest.mark.parametrize("name", ["plain_cnn", "galaxy_cnn", "rotated_cnn"])
@pytest.mark.parametrize("head", galaxy_zoo.HEADS)
def test_every_network_gives_fractions(name, head):
    votes = np.asarray(build(name, head=head)(images()))
    assert votes.shape == (6, 37) and votes.min() >= 0 and votes.max() <= 1
    if head != "sigmoid":
        for question in range(11):
            column = gz2_tree.parent_column(question)
            asked = 1.0 if column is None else votes[:, column]
            total = votes[:, gz2_tree.slices(question)].sum(axis=1)
            np.testing.assert_allclose(total, asked, atol=1e-6)


def test_independent_fractions_break_the_tree():
    votes = np.asarray(build("galaxy_cnn", head="sigmoid")(images()))
    assert np.abs(votes[:, :3].sum(axis=1) - 1).max() > 0.1


def test_mean_of_all_views_forgets_orientation():
    model = build("rotated_cnn", flips=True, merge="mean")
    for symmetry in range(8):
        turned = np.ascontiguousarray(dihedral(images(), symmetry))
        np.testing.assert_allclose(model(turned), model(images()), atol=1e-5)


def test_views_share_their_weights():
    plain, rotated = build("galaxy_cnn"), build("rotated_cnn", merge="mean")
    assert plain.count_params() == rotated.count_params()
    assert build("rotated_cnn").count_params() == plain.count_params() + 3 * 16 * 16


def test_the_relu_head_starts_with_every_question_alive():
    model = build("galaxy_cnn", head="tree_relu")
    logits = keras.Model(model.input, model.get_layer("logits").output)(images())
    alive = [np.asarray(logits)[:, gz2_tree.slices(q)].max(axis=1) > 0 for q in range(11)]
    assert np.mean(alive) > 0.99


@pytest.mark.parametrize("head", galaxy_zoo.HEADS)
def test_a_network_learns_how_bright_means_smooth(head):
    rng = np.random.default_rng(0)
    bright = rng.random((128, 1)).astype("float32")
    pictures = images(128, 16) * 0.1 + bright[:, :, None, None]
    conditional = np.concatenate([np.full((128, s), 1 / s) for s in gz2_tree.SIZES], axis=1)
    conditional[:, :3] = np.concatenate([bright, 1 - bright, 0 * bright], axis=1)
    votes = gz2_tree.cumulative(conditional).astype("float32")
    training.set_seed(2)
    model = galaxy_zoo.galaxy_cnn(16, (8, 16), (0, 0), dense=16, head=head)
    loss = "mse" if head == "sigmoid" else galaxy_zoo.tree_loss()
    training.compile_model(model, steps=150, learning_rate=5e-3, loss=loss)
    training.fit(model, pictures, votes, steps=150, batch_size=32)
    error = np.sqrt(((training.predict(model, pictures) - votes) ** 2).mean())
    baseline = np.sqrt(votes.var(axis=0).mean())
    assert error < 0.5 * baseline


def test_mean_predictor_is_the_mean_and_obeys_the_tree():
    rng = np.random.default_rng(0)
    conditional = np.concatenate([rng.dirichlet(np.ones(s), 50) for s in gz2_tree.SIZES], axis=1)
    votes = gz2_tree.cumulative(conditional)
    mean = galaxy_zoo.mean_predictor(votes)
    np.testing.assert_allclose(mean, votes.mean(axis=0), rtol=1e-6)
    assert mean[gz2_tree.slices("bar")].sum() == pytest.approx(mean[4], rel=1e-5)


def test_the_frame_of_sky_is_not_looked_at():
    model, pictures = build("galaxy_cnn"), images()
    changed = pictures.copy()
    changed[:, : galaxy_zoo.FRAME] = changed[:, :, -galaxy_zoo.FRAME :] = 9.0
    np.testing.assert_array_equal(model(changed), model(pictures))
    changed[:, galaxy_zoo.FRAME] = 9.0
    assert np.abs(np.asarray(model(changed)) - np.asarray(model(pictures))).max() > 1e-6


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="head: received 'linear'"):
        build("galaxy_cnn", head="linear")
    with pytest.raises(ValueError, match="received 2 and 1"):
        build("galaxy_cnn", depths=(1,))
