"""Facts that the chapter *Generic Architecture and Neurons* stands on, without its training."""

import csv
import json
import re
from math import factorial
from pathlib import Path

import numpy as np
import pytest

import firstlight
from firstlight.autodiff import Dense, Flatten, Sequential
from firstlight.exercises.engine import judge
from firstlight.exercises.neurons import EXERCISES
from firstlight.sky import galaxies, photometry
from firstlight.studies.cards import digest

RUNS = Path(firstlight.__file__).parent / "studies" / "runs"
PAGE = Path(__file__).parents[1] / "book" / "components" / "neurons.md"
TRAINING = re.compile(r"train\(|Dense\(|Conv2D\(|simulate\(|^n_train|stretch\(|eight_ways|makers")


def fingerprint():
    """What the stored run depends on: the chapter's lines that train, and a few galaxies."""
    text = PAGE.read_text(encoding="utf-8")
    cells = re.findall(r"```\{code-cell\}.*?```", text, flags=re.S)
    lines = [line.strip() for cell in cells for line in cell.splitlines() if TRAINING.search(line)]
    magnitudes = photometry.simulate(6, seed=5).magnitudes.round(4).ravel().tolist()
    images = galaxies.simulate(2, seed=5, size=32).images.mean(axis=(1, 2)).round(3)
    return {"training": digest(lines), "simulator": magnitudes + images.ravel().tolist()}


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


@pytest.mark.parametrize("name", EXERCISES)
def test_hints_of_an_exercise_differ_from_each_other(name):
    exercise = EXERCISES[name]
    assert judge(exercise, exercise.right()).ok
    hints = [judge(exercise, make()).message for make, _ in exercise.wrong.values()]
    assert len(set(hints)) == len(hints)


def test_the_stored_run_has_ten_seeds_and_lies_in_its_bands():
    with open(RUNS / "neurons.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    card = json.loads((RUNS / "neurons.card.json").read_text(encoding="utf-8"))
    seeds = {row["seed"] for row in rows}
    assert len(seeds) >= 10 and sorted(map(int, seeds)) == card["seeds"]
    for row in rows:
        low, high = card["bands"][row["claim"]]
        low, high = (-np.inf if low is None else low), (np.inf if high is None else high)
        assert low <= float(row["value"]) <= high, row["claim"]


def test_the_stored_run_is_of_this_chapter_and_this_sky():
    card = json.loads((RUNS / "neurons.card.json").read_text(encoding="utf-8"))
    now = fingerprint()
    again = f"the stored run is stale; make it anew: {card['command']}"
    assert card["fingerprint"]["training"] == now["training"], again
    assert np.allclose(card["fingerprint"]["simulator"], now["simulator"], atol=2e-3), again
