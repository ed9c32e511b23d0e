"""The study of deconvolution: its U-net, its critic, its tuning, and its judge."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import galsim
import numpy as np
import pytest

from firstlight.models.deconvolution import adversarial_pair, patch_critic, restoration_unet
from firstlight.sky.galaxies import stretch
from firstlight.studies import deconvolution as study

TINY = {**study.BUILD, "n_train": 48, "n_validation": 16, "n_test": 32, "size": 32, "width": 4,
        "levels": 2, "steps": 3, "batch_size": 8, "critic_width": 4}  # fmt: skip


@pytest.fixture(scope="module")
def train():
    return study.simulate(TINY, 1, "train")


@pytest.fixture(scope="module")
def test_scenes():
    return study.simulate(TINY, 1)


def test_an_untrained_network_hands_the_blurred_image_on(test_scenes):
    unet = restoration_unet(32, 4, 2)
    restored = study.restore(unet, test_scenes.blurred)
    np.testing.assert_allclose(restored, test_scenes.blurred, rtol=1e-3, atol=1e-3)


def test_the_stretch_is_undone():
    x = np.linspace(-30, 3000, 500, dtype=np.float32)
    np.testing.assert_allclose(study.unstretch(stretch(x)), x, rtol=1e-4, atol=1e-3)


def test_the_critic_judges_patches_and_does_not_learn_behind_the_generator():
    unet, critic = restoration_unet(16, 4, 2), patch_critic(16, 4, 2)
    pair = adversarial_pair(unet, critic)
    assert [tuple(s) for s in pair.output_shape] == [(None, 16, 16, 1), (None, 4, 4, 1)]
    learns = sum(int(np.prod(w.shape)) for w in pair.trainable_weights)
    assert learns == unet.count_params()


@pytest.mark.parametrize("adversarial", [False, True])
def test_both_trainings_move_the_generator_and_draw_curves(adversarial, train, test_scenes):
    unet, curves = study.fit_network(TINY, train, 1, adversarial=adversarial)
    assert len(curves["error"]) == 3 and np.isfinite(curves["error"]).all()
    assert len(curves["critic"]) == (3 if adversarial else 0)
    restored = study.restore(unet, test_scenes.blurred)
    assert restored.shape == test_scenes.sharp.shape and np.isfinite(restored).all()
    assert np.abs(restored - test_scenes.blurred).max() > 0


def test_both_trainings_begin_with_the_same_error(train):
    errors = [study.fit_network({**TINY, "steps": 2}, train, 1, adversarial=a)[1]["error"][0]
              for a in (False, True)]  # fmt: skip
    assert errors[0] == pytest.approx(errors[1], rel=1e-4)


@pytest.mark.parametrize("name", study.CLASSICAL)
def test_tuning_takes_the_best_knob(name, train):
    validation = study.simulate(TINY, 1, "validation")
    method, tried = study.tune(name, train, validation)
    assert [knob for knob, _ in tried] == [float(k) for k in study.CLASSICAL[name]]
    restored = method(validation.blurred)
    found = study.judge(validation, restored)["psnr"]
    assert found == pytest.approx(max(value for _, value in tried), abs=1e-6)


def test_the_truth_is_judged_perfect_and_a_blurred_image_is_not(test_scenes):
    perfect = study.judge(test_scenes, test_scenes.sharp)
    assert perfect["ssim"] == pytest.approx(1) and perfect["false"] == 0
    assert perfect["flux"] == pytest.approx(0, abs=1e-6) and perfect["ellipticity"] == 0
    blurred = study.judge(test_scenes, test_scenes.blurred)
    assert blurred["psnr"] < perfect["psnr"] and blurred["ssim"] < 1


def test_a_galaxy_from_elsewhere_is_seen_as_ours_are():
    galaxies = [galsim.Exponential(half_light_radius=0.5), galsim.Sersic(2.0, 0.4)]
    sharp, blurred = study.real_galaxies(galaxies, 100.0, 1)
    assert sharp.shape == blurred.shape == (2, 64, 64)
    power = np.sqrt((blurred**2).sum(axis=(1, 2)) - 64**2)
    np.testing.assert_allclose(power, 100, rtol=0.05)
    np.testing.assert_allclose(blurred.sum(axis=(1, 2)), sharp.sum(axis=(1, 2)), rtol=0.3)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="received 'tests', expected one of"):
        study.simulate(TINY, 1, "tests")
    with pytest.raises(ValueError, match="size=30, levels=2"):
        restoration_unet(30, 4, 2)
    with pytest.raises(ValueError, match="size=30, levels=2"):
        patch_critic(30, 4, 2)
    with pytest.raises(ValueError, match="NaN"):
        study.restore(restoration_unet(16, 4, 2), np.full((1, 16, 16), np.nan))
