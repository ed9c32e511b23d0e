"""Facts that the chapter *Backpropagation* stands on, and its drawing of a tape."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.autodiff import Tensor, operations
from firstlight.autodiff.tape import tape
from firstlight.figures.tape import graph

quick = settings(max_examples=50, deadline=None)
number = st.floats(-2, 2)


def pixel(amplitude, center, width, x=1.0, d=2.0):
    a, c, s = (Tensor(float(value)) for value in (amplitude, center, width))
    u = (Tensor(x) - c) / s
    r = a * operations.exp(u * u * -0.5) - d
    return r * r, (a, c, s)


@quick
@given(number, number, st.floats(0.5, 2))
def test_one_pixel_s_gradients_are_those_on_the_page(amplitude, center, width):
    loss, leaves = pixel(amplitude, center, width)
    loss.backward()
    u = (1.0 - center) / width
    h = np.exp(-(u**2) / 2)
    r = amplitude * h - 2.0
    by_hand = [2 * r * h, 2 * r * amplitude * h * u / width, 2 * r * amplitude * h * u**2 / width]
    assert [leaf.gradient for leaf in leaves] == pytest.approx(by_hand, abs=1e-12)


@quick
@given(st.integers(2, 40), st.floats(0.1, 8))
def test_skips_of_one_over_the_root_grow_by_an_exponential_at_most(n_layers, v):
    growth = (1 + v / (2 * n_layers)) ** n_layers
    assert 1 < growth < np.exp(v / 2)


def test_the_best_steps_are_the_minima_of_their_errors():
    eps, f, second, third = 1e-16, 3.0, 0.7, 5.0
    h = np.geomspace(1e-10, 1e-1, 200_001)
    one_sided = h * second / 2 + eps * f / h
    central = h**2 * third / 6 + eps * f / h
    assert h[one_sided.argmin()] == pytest.approx((2 * eps * f / second) ** (1 / 2), rel=1e-3)
    assert h[central.argmin()] == pytest.approx((3 * eps * f / third) ** (1 / 3), rel=1e-3)


@pytest.mark.parametrize(("c", "n_layers"), [(1, 64), (3, 48), (2, 200)])
def test_segments_of_the_root_hold_least(c, n_layers):
    k = np.arange(1, n_layers + 1)
    best = k[(k + c * n_layers / k).argmin()]
    assert best == pytest.approx(np.sqrt(c * n_layers), abs=1)
    assert (best + c * n_layers / best) == pytest.approx(2 * np.sqrt(c * n_layers), rel=0.01)


@quick
@given(st.integers(0, 10**6), st.floats(1.1, 9))
def test_normalized_sums_do_not_see_the_size_of_the_weights(seed, factor):
    random = np.random.default_rng(seed)
    x, w = random.normal(size=(30, 4)), random.normal(size=(4, 3))

    def normalized(sums):
        return (sums - sums.mean(axis=0)) / sums.std(axis=0)

    assert np.allclose(normalized(x @ w), normalized(factor * x @ w))


def test_unbraked_steps_keep_the_pendulum_swinging():
    z, velocity, seen = 1.0, 0.0, []
    for _ in range(10_000):
        velocity -= 0.01 * z
        z += velocity
        seen.append(abs(z))
    assert max(seen[-100:]) > 0.99


def test_the_drawing_has_a_box_for_every_value_and_an_arrow_for_every_use():
    loss, _ = pixel(3.0, 0.5, 1.0)
    loss.backward()
    figure = graph(loss, {"loss": loss})
    (axes,) = figure.axes
    written = [text.get_text() for text in axes.texts]
    uses = sum(len(node.parents) for node in tape(loss))
    assert written.count("") == uses
    assert len(written) - uses == 3 * len(tape(loss))
    assert "loss" in written and f"{float(loss.value):.3g}" in written
    plt.close(figure)


def test_values_alone_are_drawn_before_the_walk_back():
    x = Tensor(np.zeros((2, 3)))
    figure = graph((x + x).sum())
    words = [text.get_text() for text in figure.axes[0].texts]
    assert "2 by 3" in words and len([word for word in words if word]) == 2 * 3
    plt.close(figure)


def test_a_tape_too_long_to_read_is_refused():
    v = Tensor(1.0)
    for _ in range(30):
        v = v * 0.5
    with pytest.raises(ValueError, match="received a tape of 31 tensors, expected at most 24"):
        graph(v)
