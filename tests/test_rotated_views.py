"""Rotated views: shapes, order, exact equivariance; and the random symmetries of training."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest
from keras import ops

from firstlight.layers.augmentation import (
    MIRRORS,
    dihedral,
    random_mirror,
    random_symmetry,
    random_warp,
    warp,
)
from firstlight.layers.rotated_views import MergeViews, RotatedViews


def pictures(n=3, side=8, channels=2, seed=0):
    return np.random.default_rng(seed).normal(size=(n, side, side, channels)).astype("float32")


@pytest.mark.parametrize(("turns", "flips", "views"), [(1, False, 1), (2, True, 4), (4, True, 8)])
def test_views_are_the_quarter_turns_in_order(turns, flips, views):
    images, layer = pictures(), RotatedViews(turns, flips=flips)
    found = ops.convert_to_numpy(layer(images)).reshape(3, views, 8, 8, 2)
    assert layer.views == views
    for k in range(turns):
        turned = np.rot90(images, k * 4 // turns, axes=(1, 2))
        np.testing.assert_array_equal(found[:, k], turned)
        if flips:
            np.testing.assert_array_equal(found[:, turns + k], turned[:, :, ::-1])


def shared_network(mode, flips=True, seed=0):
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((8, 8, 2))
    views = RotatedViews(4, flips=flips)
    x = keras.layers.Conv2D(5, 3, activation="relu")(views(inputs))
    x = keras.layers.Dense(4)(keras.layers.Flatten()(x))
    return keras.Model(inputs, MergeViews(views.views, mode)(x))


@pytest.mark.parametrize("mode", ["mean", "max"])
def test_merged_answers_are_the_same_for_all_eight_symmetries(mode):
    model, images = shared_network(mode), pictures()
    answer = model(images)
    for symmetry in range(8):
        np.testing.assert_allclose(model(dihedral(images, symmetry)), answer, atol=2e-6)


def test_turning_the_image_permutes_the_concatenated_views():
    model, images = shared_network("concatenate", flips=False), pictures()
    parts = np.asarray(model(images)).reshape(3, 4, 4)
    turned = np.asarray(model(np.rot90(images, axes=(1, 2)))).reshape(3, 4, 4)
    np.testing.assert_allclose(turned, np.roll(parts, -1, axis=1), atol=2e-6)


def test_merging_undoes_folding():
    folded = RotatedViews(4, flips=True)(pictures())
    merged = ops.convert_to_numpy(MergeViews(8, "concatenate")(folded))
    assert merged.shape == (3, 8, 8, 16)
    np.testing.assert_array_equal(merged[..., :2], pictures())
    np.testing.assert_allclose(
        MergeViews(8, "mean")(folded), merged.reshape(3, 8, 8, 8, 2).mean(axis=3), atol=1e-6
    )


def test_symbolic_shapes_and_saving(tmp_path):
    model = shared_network("concatenate")
    assert model.output_shape == (None, 32)
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(again(pictures()), model(pictures()), atol=1e-6)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="turns: received 3"):
        RotatedViews(3)
    with pytest.raises(ValueError, match="square images"):
        RotatedViews(4)(np.zeros((1, 8, 6, 1), "float32"))
    with pytest.raises(ValueError, match="mode: received 'sum'"):
        MergeViews(4, "sum")
    with pytest.raises(ValueError, match="symmetry: received 8"):
        dihedral(pictures(), 8)


def test_the_eight_symmetries_are_eight():
    image = pictures(1)
    assert len({dihedral(image, k).tobytes() for k in range(8)}) == 8


def test_random_symmetry_gives_each_of_the_eight_alike():
    images = np.repeat(pictures(1), 4000, axis=0)
    found = random_symmetry(images, np.random.default_rng(0))
    keys = [dihedral(images[:1], k).tobytes() for k in range(8)]
    counts = np.bincount([keys.index(image.tobytes()) for image in found[:, None]], minlength=8)
    assert counts.sum() == 4000 and counts.min() > 400  # 500 expected, +-21


def test_warp_without_motion_changes_nothing():
    images = pictures(side=12)
    same = random_warp(images, np.random.default_rng(0), rotation_deg=0, shift=0, zoom=1)
    np.testing.assert_allclose(same[:, :-1, :-1], images[:, :-1, :-1], atol=1e-5)


def test_warp_moves_a_blob_as_told_and_keeps_its_light():
    y, x = np.mgrid[:48, :48] - 23.5
    blob = np.exp(-0.5 * ((x - 8) ** 2 + y**2) / 9).astype("float32")
    images = np.repeat(blob[None, :, :, None], 50, axis=0)
    found = random_warp(images, np.random.default_rng(0), shift=0, zoom=1.0)[..., 0]
    radius = np.hypot((found * x).sum((1, 2)), (found * y).sum((1, 2))) / found.sum((1, 2))
    np.testing.assert_allclose(radius, 8, atol=0.1)
    np.testing.assert_allclose(found.sum((1, 2)), blob.sum(), rtol=0.01)


def test_warp_zooms_by_at_most_the_given_factor():
    y, x = np.mgrid[:48, :48] - 23.5
    blob = np.exp(-0.5 * (x**2 + y**2) / 9).astype("float32")
    images = np.repeat(blob[None, :, :, None], 200, axis=0)
    light = random_warp(images, np.random.default_rng(1), shift=0, zoom=1.2).sum((1, 2, 3))
    zoom = np.sqrt(light / blob.sum())
    assert zoom.min() == pytest.approx(1 / 1.2, abs=0.03)
    assert zoom.max() == pytest.approx(1.2, abs=0.03)


def test_random_mirror_keeps_the_axes():
    images = np.repeat(pictures(1), 400, axis=0)
    found = random_mirror(images, np.random.default_rng(0))
    keys = {dihedral(images[:1], k).tobytes() for k in MIRRORS}
    assert {image.tobytes() for image in found[:, None]} == keys
    for k in MIRRORS:  # the first axis stays the first axis
        line = np.zeros((1, 8, 8, 1), "float32")
        line[:, 3:5] = 1
        np.testing.assert_array_equal(dihedral(line, k), line)


@pytest.mark.parametrize("quarter", [1, 2, 3])
def test_a_quarter_turn_by_interpolation_is_the_exact_one(quarter):
    images = pictures(side=12)
    turned = warp(images, -90.0 * quarter)
    exact = np.rot90(images, -quarter, axes=(1, 2))
    np.testing.assert_allclose(turned[:, 1:-1, 1:-1], exact[:, 1:-1, 1:-1], atol=1e-4)
