"""The bound, and the fits that reach it: known cases, chance, refusals."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.evaluation import bound, fits
from firstlight.layers.sersic import ExponentialDisk, SersicRenderer
from firstlight.models.semantic_autoencoder import from_shape, to_shape

SIZE, NOISE, HALF = 32, 0.025, 1 / 16
DISK, GRID = ExponentialDisk(SIZE, HALF), fits.Grid(SIZE, HALF)


class Line:
    """A picture that is linear in its numbers: (n, 2) to (n, 4, 4, 1)."""

    A = np.random.default_rng(0).normal(size=(2, 16)).astype("f4")

    def __call__(self, parameters):
        return np.reshape(np.asarray(parameters) @ self.A, (-1, 4, 4, 1))


def disks(n, seed=0):
    rng = np.random.default_rng(seed)
    shape = np.stack([rng.uniform(0.01, 0.03, n), rng.uniform(0.2, 0.75, n),
                      rng.uniform(0, 180, n)], axis=1)  # fmt: skip
    return from_shape(shape)


def test_a_straight_line_has_the_bound_of_linear_regression():
    exact = np.linalg.inv(Line.A.astype(float) @ Line.A.T) * 0.3**2
    np.testing.assert_allclose(bound.bound(Line(), [[0.4, -1.0]], 0.3)[0], exact, rtol=1e-3)


@given(st.floats(0.01, 10))
@settings(max_examples=20, deadline=None)
def test_twice_the_noise_is_twice_the_error(noise):
    once, twice = (bound.bound(Line(), [[0.4, -1.0]], s) for s in (noise, 2 * noise))
    np.testing.assert_allclose(twice, 4 * once, rtol=1e-6)
    assert (np.linalg.eigvalsh(once[0]) > 0).all()


def test_noise_may_differ_from_pixel_to_pixel():
    slope = bound.jacobian(Line(), np.zeros((1, 2)))
    half = np.where(np.arange(16) < 8, 1.0, 1e6)[None]  # half of the pixels say nothing
    left = slope[0, :8].astype(float)
    np.testing.assert_allclose(bound.fisher(slope, half)[0], left.T @ left, rtol=1e-5)


def test_the_bound_of_the_papers_set_up():
    # 64 pixels, scales 0.01-0.05, ellipticities 0.2-0.75: root mean square over the prior.
    rng = np.random.default_rng(1)
    shape = np.stack([rng.uniform(0.01, 0.05, 300), rng.uniform(0.2, 0.75, 300),
                      rng.uniform(20, 160, 300)], axis=1)  # fmt: skip
    numbers = from_shape(shape)
    found = bound.propagate(bound.bound(ExponentialDisk(64), numbers, NOISE), to_shape, numbers)
    scale, ellipticity, angle = np.sqrt(np.einsum("naa->na", found) ** 1).T
    assert np.sqrt((scale**2).mean()) == pytest.approx(1.02e-4, rel=0.06)
    assert np.sqrt((ellipticity**2).mean()) == pytest.approx(0.0031, rel=0.06)
    assert np.sqrt((angle**2).mean()) == pytest.approx(0.30, rel=0.12)


def test_a_fit_reaches_the_bound_and_cannot_pass_it():
    numbers = disks(400)
    covariance = bound.bound(DISK, numbers, NOISE)
    images = np.asarray(DISK(numbers.astype("f4")))[..., 0]
    images = images + NOISE * np.random.default_rng(5).standard_normal(images.shape)
    found = [fits.fit_disk(image, GRID, NOISE, fits.moments_start(image, HALF)) for image in images]
    rest = np.array([fit.parameters for fit in found]) - numbers
    ratio = bound.robust_ratio(rest, covariance)
    assert (ratio > 0.85).all() and (ratio < 1.15).all()  # 400 galaxies know it to 6 per cent
    chi2 = np.array([fit.chi2 for fit in found])
    assert abs(chi2.mean() - (SIZE**2 - 3)) < 5 * np.sqrt(2 * SIZE**2 / 400)
    assert all(fit.converged and fit.calls < 30 for fit in found)


@pytest.mark.parametrize("index", range(3))
def test_slopes_are_those_of_the_layer_and_of_differences(index):
    p = disks(3)[index]
    layer = np.asarray(DISK.slopes(p[None].astype("f4"))[1]).reshape(-1, 3)
    exact = fits.disk_slopes(p, GRID)
    np.testing.assert_allclose(layer, exact, atol=2e-4)
    for k, one in enumerate(1e-5 * np.eye(3)):
        difference = (fits.disk(p + one, GRID) - fits.disk(p - one, GRID)) / 2e-5
        np.testing.assert_allclose(difference, exact[:, k], atol=1e-6)
    drawn = np.asarray(DISK(p[None].astype("f4"))).ravel()
    np.testing.assert_allclose(fits.disk(p, GRID), drawn, atol=1e-5)


def test_moments_point_the_right_way():
    numbers = disks(60, seed=2)
    start = np.array([fits.moments_start(fits.disk(p, GRID).reshape(SIZE, SIZE), HALF)
                      for p in numbers])  # fmt: skip
    assert np.abs(np.median(start - numbers, axis=0)).max() < 0.15
    angle = to_shape(start)[:, 2] - to_shape(numbers)[:, 2]
    assert np.abs((angle + 90) % 180 - 90).max() < 12


def test_a_sersic_fit_finds_what_was_drawn():
    along = np.exp(-((np.arange(11) - 5.0) ** 2) / 3)
    draw = SersicRenderer(24, np.outer(along, along) / along.sum() ** 2)
    truth = np.array([np.log(300.0), 0.4, -0.3, np.log(3.0), 0.4, -0.2, np.log(1.5)])
    image = np.asarray(draw(truth[None].astype("f4")))[0, ..., 0]
    image = image + 0.05 * np.random.default_rng(2).standard_normal(image.shape)
    starts = [[5.3, 0, 0, 1.4, 0, 0, 0.0], [5.3, 0, 0, 0.8, 0.2, 0.2, 1.0]]
    limits = [[0, -5, -5, -1, -3, -3, np.log(0.61)], [9, 5, 5, 3, 3, 3, np.log(5.9)]]
    found = fits.fit_sersic(image, draw, 0.05, starts, limits)
    sigma = np.sqrt(np.diag(bound.bound(draw, truth[None], 0.05)[0]))
    assert (np.abs(found.parameters - truth) < 5 * sigma).all() and found.chi2 < 24**2 * 1.3


def test_dispersion_is_blind_to_a_few_outliers():
    values = np.random.default_rng(0).normal(3, 2, 4000)
    assert bound.dispersion(values) == pytest.approx(2, rel=0.06)
    values[:40] = 1e6
    assert bound.dispersion(values) == pytest.approx(2, rel=0.08)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: bound.bound(DISK, [[-4.0, np.nan, 0.0]], NOISE), "finite numbers"),
        (lambda: bound.bound(DISK, [-4.0, 0.0, 0.0], NOISE), "expected .n, p."),
        (lambda: bound.bound(Line(), [[0.0, 0.0]], 0.0), "noise: received zero"),
        (lambda: bound.bound(lambda p: Line()(np.asarray(p)[:, :1] * np.ones(2)), [[1.0, 1.0]], 1),
         "1 of 1 galaxies whose picture does not tell all numbers apart"),
        (lambda: fits.fit_disk(np.zeros((8, 8)), GRID, NOISE, [-4, 0, 0]), "received 64 pixels"),
        (lambda: fits.fit_disk(np.full((32, 32), np.nan), GRID, NOISE, [-4, 0, 0]), "NaN"),
        (lambda: fits.fit_sersic(np.full((32, 32), np.nan), DISK, NOISE, [-4, 0, 0]), "NaN"),
        (lambda: fits.fit_sersic(np.zeros((32, 32)), DISK, 0.0, [-4, 0, 0]), "positive noise"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_a_reason(make, reason):
    with pytest.raises(ValueError, match=reason):
        make()
