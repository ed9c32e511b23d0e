"""Facts that the chapter *Weights and Biases* stands on, without its training."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.autodiff import Dense, Sequential

quick = settings(max_examples=50, deadline=None)
planes = st.tuples(st.integers(2, 5), st.integers(0, 10**6))


def drawn(plane):
    n, seed = plane
    random = np.random.default_rng(seed)
    return random.normal(size=n), random.normal(), random


@quick
@given(planes)
def test_weights_are_the_normal_and_bias_over_length_the_place(plane):
    w, b, random = drawn(plane)
    size = np.linalg.norm(w)
    foot = -b / size * w / size
    along = random.normal(size=len(w))
    along -= (along @ w) * w / size**2
    assert w @ (foot + along) + b == pytest.approx(0, abs=1e-9)


@quick
@given(planes)
def test_the_slope_at_the_boundary_is_a_quarter_of_the_length(plane):
    w, b, _ = drawn(plane)
    layer = Dense(1, "sigmoid", kernel_initializer="zeros")
    layer.set_weights([w[:, None], [b]])
    size = np.linalg.norm(w)
    n, h = w / size, 1e-5 / size
    foot = -b / size * n
    rise = layer((foot + h * n)[None]) - layer((foot - h * n)[None])
    assert rise[0, 0] / (2 * h) == pytest.approx(size / 4, rel=1e-6)
    ends = [layer((foot + side * np.log(9) / size * n)[None])[0, 0] for side in (-1, 1)]
    assert ends == pytest.approx([0.1, 0.9])


@quick
@given(planes, st.floats(-3, 3))
def test_weights_that_sum_to_zero_do_not_see_a_common_shift(plane, shift):
    w, b, random = drawn(plane)
    w = w - w.mean()
    x = random.normal(size=(4, len(w)))
    assert np.allclose((x + shift) @ w + b, x @ w + b)


def test_errors_of_colors_have_the_covariance_on_the_page():
    jacobian = np.array([[1, -1, 0], [0, 1, -1]])
    g, r, i = 0.3, 0.5, 0.2
    c = jacobian @ np.diag([g**2, r**2, i**2]) @ jacobian.T
    assert np.allclose(c, [[g**2 + r**2, -(r**2)], [-(r**2), r**2 + i**2]])
    random = np.random.default_rng(8)
    delta = random.normal(size=(200_000, 3)) * [g, r, i] @ jacobian.T
    w = np.array([-1 / 8, 1])
    assert np.var(delta @ w) == pytest.approx(w @ c @ w, rel=0.02)


def test_two_bells_of_one_shape_make_a_sigmoid_whose_bias_holds_the_prior():
    from scipy.stats import multivariate_normal

    random = np.random.default_rng(3)
    root = random.normal(size=(2, 2))
    c, means, prior = root @ root.T + np.eye(2), random.normal(size=(2, 2)), np.array([0.7, 0.3])
    w = np.linalg.solve(c, means[1] - means[0])
    b = -0.5 * (means[1] + means[0]) @ w + np.log(prior[1] / prior[0])
    x = random.normal(size=(20, 2))
    p = [
        share * multivariate_normal(mean, c).pdf(x)
        for share, mean in zip(prior, means, strict=True)
    ]
    assert np.allclose(1 / (1 + np.exp(-(x @ w + b))), p[1] / (p[0] + p[1]))


def test_the_derivative_of_the_loss_is_error_times_input():
    random = np.random.default_rng(4)
    x, y = random.normal(size=(30, 3)), random.integers(0, 2, 30)
    w, b = random.normal(size=3), 0.3

    def loss(w, b):
        a = x @ w + b
        return np.mean(np.logaddexp(0, a) - y * a)

    error = 1 / (1 + np.exp(-(x @ w + b))) - y
    h = 1e-6
    by_hand = [(loss(w + h * e, b) - loss(w - h * e, b)) / (2 * h) for e in np.eye(3)]
    assert np.allclose(by_hand, error @ x / 30, atol=1e-8)
    assert (loss(w, b + h) - loss(w, b - h)) / (2 * h) == pytest.approx(error.mean(), abs=1e-8)


def test_no_line_makes_the_exclusive_or():
    from scipy.optimize import linprog

    corners = np.array([[1, 1], [-1, -1], [1, -1], [-1, 1]])
    side = np.array([1, 1, -1, -1])
    rows = -side[:, None] * np.column_stack([corners, np.ones(4)])
    found = linprog(np.zeros(3), A_ub=rows, b_ub=-np.ones(4), bounds=[(None, None)] * 3)
    assert not found.success


def test_arms_trail_and_the_top_recedes_where_the_page_says():
    """Right side near and turning counterclockwise: the top recedes, arms wind clockwise."""
    tilt, omega, pitch = np.deg2rad(50), 1.0, np.deg2rad(20)
    top = np.array([0.0, 1.0])
    velocity = omega * np.array([-top[1], top[0]])  # in the plane of the disk
    toward_us = velocity[0] * np.sin(tilt)  # the right side, x > 0, is lifted toward us
    assert toward_us < 0  # so it recedes
    radii = np.array([1.0, 2.0])
    angle = -np.log(radii) / np.tan(pitch)  # trailing: the outer part lags behind the rotation
    assert angle[1] < angle[0]  # outward the arm turns clockwise


@pytest.mark.parametrize("n", [2, 4])
def test_networks_written_by_hand_make_the_product_of_signs(n):
    kernel = np.array([[1, -1, 1, -1], [1, -1, -1, 1]])[:, :n]
    first = Dense(n, "relu", use_bias=False, kernel_initializer="zeros")
    first.set_weights([kernel])
    last = Dense(1, kernel_initializer="zeros")
    last.set_weights([np.array([[1], [1], [-1], [-1]])[:n], [-0.8 if n == 2 else 0]])
    x = np.array([[1, 1], [-1, -1], [1, -1], [-1, 1]], dtype=float)
    assert (np.sign(Sequential([first, last])(x)[:, 0]) == [1, 1, -1, -1]).all()
