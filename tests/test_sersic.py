"""Galaxies from numbers: GalSim's pixels, flux, symmetries, gradients, refusals."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import galsim
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from firstlight.layers import ellipses, scoring, sersic_mixture
from firstlight.layers.sersic import ExponentialDisk, SersicRenderer, check_images, check_psf

PIXEL = 0.2  # arcsec
FINE = galsim.GSParams(folding_threshold=3e-4, maxk_threshold=1e-4, kvalue_accuracy=1e-6,
                       maximum_fft_size=16384)  # fmt: skip


def star(fwhm_arcsec=0.7, oversample=1, side=101):
    """A Moffat star with the pixel in it, its sum set to one."""
    scene = galsim.Convolve(galsim.Moffat(beta=3.5, fwhm=fwhm_arcsec), galsim.Pixel(PIXEL))
    image = scene.drawImage(nx=side, ny=side, scale=PIXEL / oversample, method="no_pixel")
    return image.array.astype(float) / image.array.sum(dtype=float)


def gaussian(sigma=1.3, side=21):
    along = np.arange(side) - side // 2
    one = np.exp(-(along**2) / (2 * sigma**2))
    return np.outer(one, one) / one.sum() ** 2


DRAW = SersicRenderer(32, gaussian())
DISK = ExponentialDisk(32)
# flux, x, y, radius, eta_1, eta_2, index
numbers = st.tuples(
    st.floats(1, 100), st.floats(-3, 3), st.floats(-3, 3), st.floats(1, 3), st.floats(-1, 1),
    st.floats(-1, 1), st.floats(0.7, 2),
)  # fmt: skip


def row(flux=1.0, x=0.0, y=0.0, radius=3.0, eta_1=0.0, eta_2=0.0, index=1.0):
    return np.array([[np.log(flux), x, y, np.log(radius), eta_1, eta_2, np.log(index)]], "float32")


def image(layer, parameters):
    return np.asarray(layer(np.asarray(parameters, "float32")), float)[..., 0]


# --- the profile ---------------------------------------------------------------------


def test_many_gaussians_are_a_sersic_profile():
    k = np.geomspace(0.01, 60, 100)
    np.testing.assert_allclose(  # an exponential disk has a closed transform
        sersic_mixture.exact_transform(k, 1.0), (1 + (k / 1.6783469900166605) ** 2) ** -1.5,
        atol=1e-8,
    )  # fmt: skip
    for index in (0.7, 2.5, 4.0, 6.0):
        profile = galsim.Sersic(n=index, half_light_radius=1.0)
        theirs = [profile.kValue(value, 0.0).real for value in k]
        np.testing.assert_allclose(sersic_mixture.exact_transform(k, index), theirs, atol=3e-4)
    with pytest.raises(ValueError, match=r"index: received 0\.3"):
        sersic_mixture.exact_transform(k, 0.3)


@pytest.mark.parametrize("index", [0.6, 0.77, 1.0, 1.9, 4.0, 6.0])
def test_fourteen_gaussians_do_nearly_as_well(index):
    shares, half = (np.asarray(part, float)[0] for part in sersic_mixture.gaussians(
        np.log([[index]]).astype("float32")))  # fmt: skip
    k = np.concatenate([[0.0], np.geomspace(0.05, 40, 100)])
    ours = np.exp(-((k[:, None] ** 2) * half)) @ shares
    np.testing.assert_allclose(ours, sersic_mixture.exact_transform(k, index), atol=1.5e-3)
    assert abs(shares.sum() - 1) < 1e-6


# --- GalSim's pixels -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("fwhm_arcsec", "oversample"), [(0.7, 1), (0.4, 2)], ids=["3.5 pixels", "2 pixels"]
)
@pytest.mark.parametrize("index", [0.7, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("radius", [1.5, 6.0])
def test_pixels_are_those_of_galsim(fwhm_arcsec, oversample, index, radius):
    draw = SersicRenderer(64, star(fwhm_arcsec, oversample, 151), oversample=oversample)
    ours = image(draw, row(100.0, 0.3, -0.7, radius, 0.5, -0.6, index))[0]
    galaxy = galsim.Sersic(n=index, half_light_radius=radius * PIXEL, flux=100.0, gsparams=FINE)
    galaxy = galaxy.shear(eta1=0.5, eta2=-0.6).shift(0.3 * PIXEL, -0.7 * PIXEL)
    scene = galsim.Convolve(galaxy, galsim.Moffat(beta=3.5, fwhm=fwhm_arcsec), gsparams=FINE)
    theirs = scene.drawImage(nx=64, ny=64, scale=PIXEL).array
    assert np.abs(ours - theirs).max() < 5e-4 * theirs.max()


def test_a_wider_box_keeps_the_wings_of_a_large_galaxy_away():
    galaxy = galsim.Sersic(n=4.0, half_light_radius=5 * PIXEL, gsparams=FINE)
    scene = galsim.Convolve(galaxy, galsim.Moffat(beta=3.5, fwhm=0.7), gsparams=FINE)
    theirs = scene.drawImage(nx=32, ny=32, scale=PIXEL).array
    gaps = [
        np.abs(image(SersicRenderer(32, star(), padding=p), row(radius=5.0, index=4.0))[0] - theirs)
        for p in (1.5, 2.0, 4.0)
    ]
    worst = [gap.max() / theirs.max() for gap in gaps]
    assert worst[0] > worst[1] > worst[2] and worst[1] < 1.5e-3 and worst[2] < 3e-4


# --- flux and symmetries -------------------------------------------------------------


@given(numbers)
@settings(max_examples=25, deadline=None)
def test_flux_is_conserved(p):
    # A dozen half-light radii or more around it: what is missing lies outside the image.
    flux, x, y, radius, eta_1, eta_2, index = p
    drawn = image(DRAW, row(flux, x, y, radius / 2, eta_1 / 2, eta_2 / 2, index))
    assert drawn.sum() == pytest.approx(flux, rel=4e-3)
    assert drawn.min() > -1e-3 * drawn.max()


@given(numbers)
@settings(max_examples=20, deadline=None)
def test_the_symmetries_of_the_sky_are_those_of_the_image(p):
    flux, x, y, radius, eta_1, eta_2, index = p
    here = image(DRAW, row(*p))[0]
    tolerance = 3e-5 * here.max()
    mirrored = image(DRAW, row(flux, -x, y, radius, eta_1, -eta_2, index))[0]
    np.testing.assert_allclose(mirrored, here[:, ::-1], atol=tolerance)
    swapped = image(DRAW, row(flux, y, x, radius, -eta_1, eta_2, index))[0]
    np.testing.assert_allclose(swapped, here.T, atol=tolerance)
    turned = image(DRAW, row(flux, -x, -y, radius, eta_1, eta_2, index))[0]
    np.testing.assert_allclose(turned, here[::-1, ::-1], atol=tolerance)
    moved = image(DRAW, row(flux, x + 1, y, radius, eta_1, eta_2, index))[0]
    np.testing.assert_allclose(moved[:, 5:-4], here[:, 4:-5], atol=tolerance)
    doubled = image(DRAW, row(2 * flux, x, y, radius, eta_1, eta_2, index))[0]
    np.testing.assert_allclose(doubled, 2 * here, atol=tolerance)


def test_the_shape_means_what_it_says():
    # Second moments of a Gaussian-like profile, without a star: q = exp(-|eta|), half the angle.
    for angle in (0.0, 0.4, 1.2, 2.9):
        eta = 0.9 * np.array([np.cos(2 * angle), np.sin(2 * angle)])
        draw = SersicRenderer(64, np.ones((1, 1)))
        light = image(draw, row(1.0, 0, 0, 5.0, *eta, 0.6))[0]
        yy, xx = np.indices((64, 64)) - 31.5
        xx2, yy2, xy = (np.sum(light * w) for w in (xx * xx, yy * yy, xx * yy))
        values, vectors = np.linalg.eigh([[xx2, xy], [xy, yy2]])
        assert np.sqrt(values[0] / values[1]) == pytest.approx(np.exp(-0.9), rel=3e-3)
        found = np.arctan2(vectors[1, 1], vectors[0, 1])
        assert np.sin(found - angle) == pytest.approx(0, abs=1e-3)
        assert light[np.hypot(xx, yy) < 64].sum() == pytest.approx(1, abs=1e-3)


def test_half_the_light_lies_within_the_half_light_radius():
    draw = SersicRenderer(128, np.ones((1, 1)))
    yy, xx = np.indices((128, 128)) - 63.5
    for index in (0.8, 1.0, 2.0):
        light = image(draw, row(radius=12.0, index=index))[0]
        assert light[np.hypot(xx, yy) < 12].sum() == pytest.approx(0.5, abs=6e-3)


def test_the_papers_disk_is_its_formula():
    scale, q, angle = 0.03, 0.4, 0.7
    eta = -np.log(q)
    found = image(DISK, [[np.log(scale * np.sqrt(q)), eta * np.cos(1.4), eta * np.sin(1.4)]])[0]
    along = np.linspace(-1 / 16, 1 / 16, 32)
    y, x = np.meshgrid(along, along, indexing="ij")
    major, minor = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    np.testing.assert_allclose(found, np.exp(-np.hypot(major, minor / q) / scale), atol=2e-6)


# --- gradients -----------------------------------------------------------------------


def slopes(layer, parameters, weights):
    """Gradient of a weighted sum of pixels in the parameters, by the backend."""
    import tensorflow as tf

    x = tf.constant(parameters)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = ops.sum(layer(x) * weights)
    return np.asarray(tape.gradient(value, x))[0]


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="uses TensorFlow's tape")
@pytest.mark.parametrize("round_one", [False, True], ids=["flat", "round"])
@pytest.mark.parametrize("layer", [DRAW, DISK], ids=["Sersic", "disk"])
def test_gradients_are_finite_differences(layer, round_one):
    shape = [0.0, 0.0] if round_one else [0.5, -0.3]
    disk = layer is DISK
    start = np.array([[np.log(0.02), *shape]] if disk else row(3, 0.4, -0.2, 3, *shape, 1.7), "f4")
    weights = np.random.default_rng(2).normal(size=(1, 32, 32, 1)).astype("f4")
    exact = slopes(layer, start, weights)
    assert np.isfinite(exact).all()
    for k in range(start.shape[1]):
        step = np.zeros_like(start)
        step[0, k] = 0.02
        up, down = (image(layer, start + s * step)[..., None] for s in (1, -1))
        difference = float(np.sum((up - down) * weights)) / 0.04
        largest = float(np.abs(exact).max())
        assert exact[k] == pytest.approx(difference, rel=5e-3, abs=2e-3 * largest)


# --- as a layer, and what is refused -------------------------------------------------


@pytest.mark.parametrize("layer", [DRAW, DISK], ids=["Sersic", "disk"])
def test_it_is_a_layer_that_can_be_stored(layer):
    n = 3 if layer is DISK else 7
    inputs = keras.Input((n,))
    model = keras.Model(inputs, layer(inputs))
    assert model.output_shape == (None, 32, 32, 1) and model.count_params() == 0
    again = type(layer).from_config(layer.get_config())
    x = np.random.default_rng(0).normal(0, 0.3, (2, n)).astype("f4")
    np.testing.assert_array_equal(image(again, x), image(layer, x))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: SersicRenderer(32, 0.9 * gaussian()), "psf: received a sum of 0.9, expected 1"),
        (lambda: SersicRenderer(32, gaussian()[1:, 1:]), "psf: received shape .20, 20."),
        (lambda: SersicRenderer(32, np.full((3, 3), np.nan)), "psf: received NaN"),
        (lambda: SersicRenderer(31, gaussian()), "received size=31, expected an even"),
        (lambda: SersicRenderer(32, gaussian(), oversample=0), "oversample, padding: received 0"),
        (lambda: ExponentialDisk(33), "received size=33"),
        (lambda: ExponentialDisk(32, half_width=-1), "half_width: received -1"),
        (lambda: DISK.build((None, 7)), "expected .n, 3.: log_scale, eta_1, eta_2"),
        (lambda: DRAW.build((None, 3)), "expected .n, 7.: log_flux, x, y"),
        (lambda: check_psf(np.ones(3)), "psf: received shape"),
        (lambda: check_images(np.zeros((2, 63, 63))), "odd size, 63 pixels, expected a multiple"),
        (lambda: check_images(np.zeros((2, 60, 60)), 8), "expected a multiple of 8"),
        (lambda: check_images(np.full((2, 8, 8), np.nan)), "NaN or infinity in 2 of 2"),
        (lambda: check_images(np.zeros((0, 8, 8))), "n of 1 or more"),
        (lambda: check_images(np.zeros((2, 8, 9))), "square cutouts"),
    ],
)
def test_bad_input_is_refused_with_a_reason(make, reason):
    with pytest.raises(ValueError, match=reason):
        make()


def test_good_input_passes():
    assert check_images(np.zeros((2, 8, 8))).shape == (2, 8, 8, 1)
    assert check_psf(gaussian()).dtype == np.float64
    assert ellipses.stretch_matrix(np.float32(0.0), np.float32(0.0))[2] == 0


# --- slopes, and a step of a fit as a layer ------------------------------------------


@pytest.mark.parametrize("shape", [(0.9, -0.3), (0.02, 0.01), (0.0, 0.0)])
def test_the_disks_own_slopes_are_differences(shape):
    start = np.array([[np.log(0.02), *shape]], "f4")
    drawn, exact = (np.asarray(part) for part in DISK.slopes(start))
    np.testing.assert_allclose(drawn[0, ..., 0], image(DISK, start)[0], atol=2e-6)

    class Plain:  # a decoder that knows no slopes
        def __call__(self, parameters):
            return DISK(parameters)

    np.testing.assert_allclose(np.asarray(scoring.slopes(Plain(), start)[1]), exact, atol=3e-4)


@pytest.mark.parametrize("shape", [(0.9, -0.3), (0.02, 0.01), (0.0, 0.0)])
@pytest.mark.parametrize("index", [0.9, 4.0])
def test_the_renderers_own_slopes_are_differences(shape, index):
    start = row(50.0, 0.4, -0.7, 2.5, *shape, index)
    drawn, exact = (np.asarray(part) for part in DRAW.slopes(start))
    np.testing.assert_allclose(drawn[0, ..., 0], image(DRAW, start)[0], atol=1e-5)
    plain = np.asarray(scoring.slopes(lambda p: DRAW(p), start)[1])
    for k in range(7):
        scale = np.abs(exact[..., k]).max()
        np.testing.assert_allclose(plain[..., k], exact[..., k], atol=2e-3 * scale)
    outside = np.asarray(DRAW.slopes(row(index=9.0))[1])
    assert not outside[..., 6].any()  # beyond its range the index is held


def test_one_step_ends_where_least_squares_do():
    random = np.random.default_rng(3)
    truth = np.array([[np.log(0.02), 0.6, -0.4], [np.log(0.015), -0.3, 0.2]], "f4")
    seen = np.asarray(DISK(truth)) + 0.025 * random.standard_normal((2, 32, 32, 1), "f4")
    near = truth + random.normal(0, 0.01, truth.shape).astype("f4")
    once = np.asarray(scoring.GaussNewton(DISK)([seen, near]))
    often = np.asarray(scoring.GaussNewton(DISK, steps=6)([seen, near]))
    jac = np.asarray(DISK.slopes(truth)[1], float).reshape(2, -1, 3)
    sigma = 0.025 / np.sqrt(np.einsum("npa,npa->na", jac, jac))  # smaller than the bound
    assert (np.abs(once - often) < 0.2 * sigma).all()
    far = np.asarray(scoring.GaussNewton(DISK, steps=10)([seen, truth + np.float32(0.3)]))
    np.testing.assert_allclose(far, often, atol=1e-4)


def test_a_step_through_the_sersic_renderer_finds_all_seven_numbers():
    truth = row(40.0, 0.3, -0.2, 3.0, 0.3, -0.2, 1.3)
    guess = truth + np.array([[0.03, 0.1, -0.1, 0.05, 0.05, -0.05, 0.05]], "f4")
    found = np.asarray(scoring.GaussNewton(DRAW, steps=4)([DRAW(truth), guess]))
    np.testing.assert_allclose(found, truth, atol=2e-2)


def test_the_step_is_a_layer_that_can_be_stored_and_refuses_nonsense():
    layer = scoring.GaussNewton(DISK, steps=2)
    again = scoring.GaussNewton.from_config(layer.get_config())
    assert again.steps == 2 and again.decoder.size == 32
    with pytest.raises(ValueError, match="steps, ridge, longest: received 0"):
        scoring.GaussNewton(DISK, steps=0)
