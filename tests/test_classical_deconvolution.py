"""Classical deconvolution against scikit-image and against what must hold; image metrics."""

import numpy as np
import pandas as pd
import pytest
from skimage.restoration import denoise_tv_chambolle
from skimage.restoration import richardson_lucy as their_richardson_lucy

from firstlight.evaluation import deconvolution, restored_images
from firstlight.evaluation.deconvolution import (
    chambolle,
    mean_power,
    radial_bins,
    richardson_lucy,
    total_variation,
    wiener,
)
from firstlight.sky.degradation import atmosphere, blur, simulate

KERNEL = atmosphere(4.0, 15)
METHODS = {
    "richardson_lucy": lambda x, k: richardson_lucy(x, k, 10),
    "wiener": lambda x, k: wiener(x, k, np.ones(x.shape[1] // 2 + 1)),
    "total_variation": lambda x, k: total_variation(x, k, 0.5, 10),
}


def spot(size=32, sigma=2.5, x=0.5, y=0.5, flux=1000.0):
    axis = np.arange(size) - (size - 1) / 2
    light = np.exp(-((axis - x) ** 2 + (axis[:, None] - y) ** 2) / (2 * sigma**2))
    return (flux * light / light.sum())[None].astype("float32")


@pytest.fixture(scope="module")
def scenes():
    return simulate(24, 11)


def test_blurring_and_its_transpose_are_adjoint():
    rng = np.random.default_rng(1)
    kernel = rng.random((7, 7))
    kernel /= kernel.sum()
    operator = deconvolution._Blur(20, kernel)
    a, b = (rng.normal(size=(1, 20, 20)).astype("float32") for _ in range(2))
    np.testing.assert_allclose(operator(a), blur(a, kernel), atol=1e-5)
    forward, backward = (operator(a) * b).sum(), (a * operator(b, transpose=True)).sum()
    assert forward == pytest.approx(backward, rel=1e-4)


def test_richardson_lucy_is_that_of_scikit_image_far_from_the_edge():
    blurred = blur(spot(48), KERNEL) + np.float32(0.05)
    ours = richardson_lucy(blurred, KERNEL, 15, background=0.0)[0]
    theirs = their_richardson_lucy(blurred[0], KERNEL, num_iter=15, clip=False)
    inside = slice(16, 32)
    np.testing.assert_allclose(ours[inside, inside], theirs[inside, inside], rtol=0.03, atol=0.02)


def test_richardson_lucy_sharpens_and_keeps_the_light():
    truth = spot()
    blurred = blur(truth, KERNEL)
    restored = richardson_lucy(blurred, KERNEL, 200)
    assert (restored >= 0).all()
    assert restored.sum() == pytest.approx(truth.sum(), rel=0.01)
    assert np.abs(restored - truth).max() < 0.3 * np.abs(blurred - truth).max()


def test_without_noise_to_speak_of_wiener_inverts_the_blur():
    truth = spot(flux=1e6)
    restored = wiener(blur(truth, KERNEL), KERNEL, mean_power(truth))
    np.testing.assert_allclose(restored, truth, atol=0.01 * truth.max())


def test_where_there_is_only_noise_wiener_says_nothing():
    noise = np.random.default_rng(2).normal(size=(4, 32, 32)).astype("float32")
    restored = wiener(noise, KERNEL, mean_power(spot()))
    assert restored.std() < 0.2
    assert np.std(wiener(noise, KERNEL, mean_power(spot()), damping=0.01)) > restored.std()


def test_the_mean_power_is_that_of_the_transform():
    truth = spot()
    power = mean_power(truth)
    assert power[0] == pytest.approx(1)  # unit flux
    ring, k = radial_bins(32)
    assert ring.shape == (32, 17) and k[0] == 0 and k[-1] == 0.5
    sigma, pixel = 2.5, np.hypot(np.fft.fftfreq(32)[:, None], np.fft.rfftfreq(32)[None])
    modes = np.exp(-((2 * np.pi * pixel * sigma) ** 2))  # of every wave, then over its ring
    expected = np.array([modes[ring == number].mean() for number in range(5)])
    np.testing.assert_allclose(power[:5], expected, rtol=0.01)


def test_chambolle_is_that_of_scikit_image():
    image = np.random.default_rng(3).random((2, 16, 16)).astype("float32")
    ours, _ = chambolle(image, 0.1, 400)
    for mine, noisy in zip(ours, image, strict=True):
        theirs = denoise_tv_chambolle(noisy, weight=0.1, eps=1e-9, max_num_iter=2000)
        np.testing.assert_allclose(mine, theirs, atol=5e-3)


def test_total_variation_flattens_noise_and_restores_an_edge():
    truth = np.zeros((1, 32, 32), "float32")
    truth[:, 10:22, 10:22] = 40.0
    rng = np.random.default_rng(4)
    blurred = blur(truth, KERNEL) + rng.normal(size=truth.shape).astype("float32")
    restored = total_variation(blurred, KERNEL, 1.0, 80)
    assert (restored >= 0).all()
    assert np.sqrt(np.mean((restored - truth) ** 2)) < 0.6 * np.sqrt(
        np.mean((blurred - truth) ** 2)
    )
    assert restored[:, :6].std() < 0.3


@pytest.mark.parametrize("name", METHODS)
def test_every_method_brings_galaxies_closer_to_the_truth(name, scenes):
    images, truth = scenes.blurred, scenes.sharp
    good = {
        "richardson_lucy": lambda: richardson_lucy(images, scenes.kernel, 15),
        "wiener": lambda: wiener(images, scenes.kernel, mean_power(truth)),
        "total_variation": lambda: total_variation(images, scenes.kernel, 0.5, 40),
    }[name]()
    gain = restored_images.psnr(truth, good) - restored_images.psnr(truth, images)
    assert np.median(gain) > 1.0


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(
    ("images", "kernel", "message"),
    [
        (np.full((1, 32, 32), np.nan), KERNEL, "NaN"),
        (np.ones((1, 31, 31)), KERNEL, "even size"),
        (np.ones((1, 32, 32)), 2 * KERNEL, "a sum of one"),
        (np.ones((0, 32, 32)), KERNEL, "one image or more"),
    ],
    ids=["NaN", "odd", "PSF", "empty"],
)
def test_bad_input_is_refused(name, images, kernel, message):
    with pytest.raises(ValueError, match=message):
        METHODS[name](images, kernel)


def test_bad_settings_are_refused():
    x = spot()
    for call, message in (
        (lambda: richardson_lucy(x, KERNEL, 0), "iterations=0"),
        (lambda: richardson_lucy(x, KERNEL, 5, -1.0), "background=-1"),
        (lambda: wiener(x, KERNEL, np.ones(9)), "spectrum of 9 rings"),
        (lambda: wiener(x, KERNEL, np.ones(17), 0.0), "damping=0"),
        (lambda: total_variation(x, KERNEL, -1.0), "weight=-1"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


# ---------------------------------------------------------------- what is measured of them


def test_decibels_and_similarity():
    truth = spot()
    off = truth + 0.1 * truth.max()
    assert restored_images.psnr(truth, off)[0] == pytest.approx(20, abs=1e-3)
    assert restored_images.psnr(3 * truth, 3 * off)[0] == pytest.approx(20, abs=1e-3)
    assert restored_images.ssim(truth, truth)[0] == pytest.approx(1)
    assert restored_images.ssim(truth, off)[0] < 0.9


def test_shapes_of_a_gaussian():
    axis = np.arange(64) - 31.5
    sigma_x, sigma_y, w = 4.0, 3.0, 0.16 * 64
    light = np.exp(-0.5 * ((axis / sigma_x) ** 2 + (axis[:, None] / sigma_y) ** 2))[None]
    found = restored_images.shapes(light.astype("float32")).iloc[0]
    xx, yy = (1 / (1 / s**2 + 1 / w**2) for s in (sigma_x, sigma_y))
    assert found["radius"] == pytest.approx(np.sqrt(xx + yy), rel=1e-3)
    assert found["e1"] == pytest.approx((xx - yy) / (xx + yy), rel=1e-3)
    assert found["e2"] == pytest.approx(0, abs=1e-5)
    assert found["flux"] == pytest.approx(light.sum(), rel=1e-5)


def test_the_residual_of_zeros_is_the_whole_truth():
    truth = simulate(4, 2).sharp
    k, ratio = restored_images.residual_power(truth, np.zeros_like(truth))
    np.testing.assert_allclose(ratio, 1, rtol=1e-4)
    assert (restored_images.residual_power(truth, truth)[1] == 0).all()
    half = restored_images.residual_power(truth, truth / 2)[1]
    np.testing.assert_allclose(half, 0.25, rtol=1e-4)
    assert len(k) == 33


def test_the_map_reads_the_flux_of_a_star():
    star = spot(64, sigma=2.0 / 2.355, x=8.5, y=-5.5, flux=70.0)
    found = restored_images.knot_map(star)[0]
    peak = np.unravel_index(found.argmax(), found.shape)
    assert (peak[1], peak[0]) == (40, 26)
    assert found.max() == pytest.approx(70, rel=0.1)
    flat = np.full((1, 64, 64), 5.0, "float32")
    assert np.abs(restored_images.knot_map(flat)).max() < 1e-3


def test_what_was_planted_is_found_and_what_was_not_is_false():
    galaxy, knot = spot(64, 6.0), spot(64, 2 / 2.355, x=12.5, y=0.5, flux=40.0)
    elsewhere = spot(64, 2 / 2.355, x=-11.5, y=4.5, flux=40.0)
    table = pd.DataFrame({"galaxy": [0], "x": [44.0], "y": [32.0], "flux": [40.0], "snr": [20.0]})
    truth = galaxy + knot
    perfect = restored_images.feature_test(truth, truth, table)
    assert perfect.found.tolist() == [True]
    assert (perfect.real.tolist(), perfect.false.tolist()) == ([1], [0])
    smooth = restored_images.feature_test(truth, galaxy, table)
    assert smooth.found.tolist() == [False]
    assert (smooth.real.tolist(), smooth.false.tolist()) == ([0], [0])
    dreamt = restored_images.feature_test(truth, galaxy + elsewhere, table)
    assert (dreamt.found.tolist(), dreamt.false.tolist()) == ([False], [1])
    faint = restored_images.feature_test(truth, truth, table.assign(flux=2.0))
    assert len(faint.found) == 0  # too faint to be asked for


def test_metrics_refuse_what_does_not_fit():
    truth = spot()
    for call in (restored_images.psnr, restored_images.ssim, restored_images.residual_power):
        with pytest.raises(ValueError, match="expected the same galaxies"):
            call(truth, spot(64))
        with pytest.raises(ValueError, match="NaN"):
            call(truth, np.full_like(truth, np.nan))
    empty = pd.DataFrame({"galaxy": [], "x": [], "y": [], "flux": [], "snr": []})
    with pytest.raises(ValueError, match="share: received 2"):
        restored_images.feature_test(truth, truth, empty, share=2)
