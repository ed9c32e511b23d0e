"""Facts that the chapter *Activation Functions* stands on, without its training runs."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtri

import firstlight
from firstlight.autodiff.activations import derivative, get
from firstlight.exercises.activations import EXERCISES
from firstlight.exercises.engine import judge
from firstlight.sky import photometry
from firstlight.studies.cards import digest

RUNS = Path(firstlight.__file__).parent / "studies" / "runs"
PAGE = Path(__file__).parents[1] / "book" / "components" / "activations.md"
TRAINING = re.compile(r"\.fit\(|Dense\(|simulate\(|schedules\.|\": \(\"|def network|def race")
BELL = ndtri((np.arange(20_000) + 0.5) / 20_000)


def fingerprint():
    """What the stored run depends on: the chapter's lines that train, and a few galaxies."""
    text = PAGE.read_text(encoding="utf-8")
    cells = re.findall(r"```\{code-cell\}.*?```", text, flags=re.S)
    lines = [line.strip() for cell in cells for line in cell.splitlines() if TRAINING.search(line)]
    sky = photometry.simulate(6, seed=5)
    return {"training": digest(lines), "simulator": sky.magnitudes.round(4).ravel().tolist()}


def test_relu_passes_half_of_the_power_and_half_of_the_squared_derivative():
    assert np.mean(get("relu")(BELL) ** 2) == pytest.approx(0.5, rel=1e-3)
    assert np.mean(derivative("relu")(BELL) ** 2) == pytest.approx(0.5, rel=1e-3)
    assert get("relu")(BELL).mean() == pytest.approx(1 / np.sqrt(2 * np.pi), rel=1e-3)


@pytest.mark.parametrize("alpha", [0.0, 0.2, 0.5, 1.0])
def test_the_start_of_the_exercise_keeps_the_variance_of_leaky_relu(alpha):
    variance = EXERCISES["start_variance"].right()(256, alpha)
    passed = np.mean(get("leaky_relu")(BELL, negative_slope=alpha) ** 2)
    assert 256 * variance * passed == pytest.approx(1, rel=1e-3)


def test_selu_reproduces_mean_and_variance_and_gelu_is_half_its_sum_near_zero():
    h = get("selu")(BELL)
    assert h.mean() == pytest.approx(0, abs=1e-4) and h.var() == pytest.approx(1, rel=1e-3)
    assert derivative("gelu")(0.0) == pytest.approx(0.5)


def test_the_sigmoid_is_never_steeper_than_a_quarter():
    a = np.linspace(-9, 9, 1801)
    assert derivative("sigmoid")(a).max() == pytest.approx(0.25)


@pytest.mark.parametrize("n", [2, 16, 64])
def test_a_mean_sets_the_condition_number(n):
    mean, variance = 0.4, 0.34
    curvature = np.linalg.eigvalsh(variance * np.eye(n) + mean**2 * np.ones((n, n)))
    assert curvature[-1] / curvature[0] == pytest.approx(1 + n * mean**2 / variance)


@pytest.mark.parametrize("degree", [2, 3])
def test_any_number_of_polynomial_neurons_spans_d_plus_one_functions(degree):
    random = np.random.default_rng(8)
    x = np.linspace(0, 1, 200)
    h = (np.outer(x, random.normal(size=40)) + random.normal(size=40)) ** degree
    assert np.linalg.matrix_rank(h, tol=1e-9) == degree + 1


def test_log_odds_of_two_bells_of_equal_width_are_linear():
    x = np.linspace(-3, 3, 61)
    bells = np.exp(-((x - np.array([[1.0], [-0.5]])) ** 2) / 2)
    odds = 0.3 * bells[0] / (0.7 * bells[1])
    assert np.allclose(get("sigmoid")(np.log(odds)), odds / (1 + odds))
    assert np.allclose(np.diff(np.log(odds), 2), 0)


@pytest.mark.parametrize("name", EXERCISES)
def test_hints_of_an_exercise_differ_from_each_other(name):
    exercise = EXERCISES[name]
    assert judge(exercise, exercise.right()).ok
    hints = [judge(exercise, make()).message for make, _ in exercise.wrong.values()]
    assert len(set(hints)) == len(hints)


def test_the_stored_run_has_ten_seeds_and_lies_in_its_bands():
    with open(RUNS / "activations.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    card = json.loads((RUNS / "activations.card.json").read_text(encoding="utf-8"))
    seeds = {row["seed"] for row in rows}
    assert len(seeds) >= 10 and sorted(map(int, seeds)) == card["seeds"]
    for row in rows:
        low = float(row["low"]) if row["low"] else -np.inf
        high = float(row["high"]) if row["high"] else np.inf
        assert low <= float(row["value"]) <= high, row["claim"]


def test_the_stored_run_is_of_this_chapter_and_this_sky():
    card = json.loads((RUNS / "activations.card.json").read_text(encoding="utf-8"))
    now = fingerprint()
    again = f"the stored run is stale; make it anew: {card['command']}"
    assert card["fingerprint"]["training"] == now["training"], again
    assert np.allclose(card["fingerprint"]["simulator"], now["simulator"], atol=2e-3), again
