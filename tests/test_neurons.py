"""Facts that the chapter *Generic Architecture and Neurons* stands on, without its training."""

from math import factorial

import numpy as np
import pytest

from firstlight.autodiff import Dense, Flatten, Sequential


def relu(a):
    return np.maximum(0, a)


def network(seed, widths=(6, 9, 7, 2)):
    random = np.random.default_rng(seed)
    pairs = zip(widths, widths[1:], strict=False)
    return [a for n, m in pairs for a in (random.normal(size=(n, m)), random.normal(size=m))]


def forward(x, weights):
    W1, b1, W2, b2, W3, b3 = weights
    return relu(relu(x @ W1 + b1) @ W2 + b2) @ W3 + b3


@pytest.mark.parametrize("seed", range(5))
def test_rearranged_hidden_neurons_compute_the_same(seed):
    weights, random = network(seed), np.random.default_rng(seed)
    x, one, two = random.normal(size=(20, 6)), random.permutation(9), random.permutation(7)
    W1, b1, W2, b2, W3, b3 = weights
    other = [W1[:, one], b1[one], W2[one][:, two], b2[two], W3[two], b3]
    assert np.allclose(forward(x, weights), forward(x, other), atol=1e-12)


def test_the_orders_of_three_neurons_are_six_different_points_and_one_function():
    from itertools import permutations

    W1, b1, W2, b2 = network(3, (2, 3, 1))
    x = np.random.default_rng(1).normal(size=(10, 2))
    points, answers = set(), []
    for order in map(list, permutations(range(3))):
        points.add(W1[:, order].tobytes() + W2[order].tobytes())
        answers.append(relu(x @ W1[:, order] + b1[order]) @ W2[order] + b2)
    assert len(points) == factorial(3)
    assert np.ptp(answers, axis=0).max() < 1e-12


def test_a_dense_layer_does_not_know_its_neighbors():
    random = np.random.default_rng(2)
    images, order = random.normal(size=(4, 8, 8)), random.permutation(64)
    model = Sequential([Flatten(), Dense(5, "tanh"), Dense(1)], seed=3, input_shape=(8, 8))
    before = model(images)
    kernel, *rest = model.get_weights()
    model.set_weights([kernel[order], *rest])
    mixed = images.reshape(4, 64)[:, order].reshape(4, 8, 8)
    assert np.allclose(model(mixed), before, atol=1e-12)


def test_equal_neurons_get_equal_derivatives():
    x = np.random.default_rng(4).normal(size=(30, 5))
    y = np.sin(x[:, :1])
    W, v = np.full((5, 4), 0.3), np.full((4, 1), 0.2)
    h = np.tanh(x @ W)
    error = h @ v - y
    by_W = x.T @ ((error @ v.T) * (1 - h**2))
    assert np.ptp(by_W, axis=1).max() < 1e-12 and np.abs(by_W).max() > 1e-3
    assert np.ptp(h.T @ error) < 1e-12


def test_the_napkin_of_the_giant():
    assert 96 * 12 * 12_288**2 == pytest.approx(175e9, rel=0.01)
