"""Facts that the chapter *What is Deep Learning?* stands on, without its training runs."""

import numpy as np
import pytest

from firstlight.exercises.what_is_deep_learning import EXERCISES


def relu(a):
    return np.maximum(0, a)


def fold(t):
    return 2 * relu(t) - 4 * relu(t - 0.5)


@pytest.mark.parametrize("k", range(1, 11))
def test_k_folds_make_two_to_the_k_pieces(k):
    t = np.linspace(0, 1, 2**13 + 1)
    for _ in range(k):
        t = fold(t)
    assert 1 + np.count_nonzero(np.diff(np.diff(t))) == 2**k


def test_a_fold_of_two_neurons_is_the_tent():
    t = np.linspace(0, 1, 101)
    assert np.allclose(fold(t), 1 - np.abs(1 - 2 * t))


def test_a_shallow_network_has_at_most_one_piece_more_than_neurons():
    random = np.random.default_rng(4)
    t = np.linspace(-3, 3, 60_001)
    for m in (1, 5, 20):
        w, b, a = random.normal(size=(3, m))
        on = relu(np.outer(t, w) + b) > 0
        changes = np.count_nonzero(np.any(on[1:] != on[:-1], axis=1))
        assert changes <= m
        assert np.isfinite(relu(np.outer(t, w) + b) @ a).all()


def test_the_squares_of_floor_and_avoidable_error_add():
    random = np.random.default_rng(2)
    x = random.normal(size=400_000)
    y = x + 0.5 * random.normal(size=x.size)  # E[y | x] = x, floor 0.5
    guess = 1.2 * x
    total = np.mean((guess - y) ** 2)
    assert total == pytest.approx(0.5**2 + np.mean((guess - x) ** 2), rel=0.01)


def test_the_widths_of_the_race_are_the_widest_that_fit():
    widest = EXERCISES["widest"].right()
    assert [widest(depth, 1200) for depth in (1, 2, 4, 8)] == [299, 32, 18, 12]
