"""Facts that the chapter *Gradient Descent and Loss* stands on, without its walks."""

import csv
import itertools
import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import firstlight
from firstlight.exercises.engine import judge
from firstlight.exercises.gradient_descent import EXERCISES
from firstlight.sky import photometry
from firstlight.studies.cards import digest
from firstlight.studies.descent import Network

RUNS = Path(firstlight.__file__).parent / "studies" / "runs"
PAGE = Path(__file__).parents[1] / "book" / "training" / "gradient-descent.md"
TRAINING = re.compile(
    r"simulate\(|random\.|Network\(|walk\(|descend\(|wander\(|survey\(|theta = theta|lstsq"
)
quick = settings(max_examples=30, deadline=None)
POGSON = 2.5 / np.log(10)


def fingerprint():
    """What the stored run depends on: the lines that walk and draw, and a few galaxies."""
    text = PAGE.read_text(encoding="utf-8")
    cells = re.findall(r"```\{code-cell\}.*?```", text, flags=re.S)
    lines = [line.strip() for cell in cells for line in cell.splitlines() if TRAINING.search(line)]
    sky = photometry.simulate(6, seed=5)
    return {"training": digest(lines), "simulator": sky.magnitudes.round(4).ravel().tolist()}


@quick
@given(st.floats(-3, 3), st.integers(0, 6))
def test_the_derivative_of_each_loss_by_the_last_sum_is_the_error(a, count):
    h = 1e-5
    for log_p, answer, y in [
        (stats.norm.logpdf, lambda a: a, count / 3),
        (stats.bernoulli.logpmf, lambda a: 1 / (1 + np.exp(-a)), count % 2),
        (stats.poisson.logpmf, np.exp, count),
    ]:
        slope = -(log_p(y, answer(a + h)) - log_p(y, answer(a - h))) / (2 * h)
        assert slope == pytest.approx(answer(a) - y, abs=1e-6)


@pytest.mark.parametrize("mu", [50, 200, 1000])
def test_one_electron_is_lost_half_a_one_won_and_the_logarithm_settles_it(mu):
    y = np.arange(1, 4 * mu + 50)
    p = stats.poisson.pmf(y, mu)
    p /= p.sum()
    assert 1 / (p @ (1 / y)) - mu == pytest.approx(-1, abs=3 / mu)
    assert np.sqrt(p @ y**2) - mu == pytest.approx(0.5, abs=1 / mu)
    assert (np.sqrt(1 + 4 * (p @ y**2)) - 1) / 2 == pytest.approx(mu, rel=1e-9)
    trial = mu + np.linspace(-1, 1, 2001)
    price = (p @ y**2) / trial - 2 * mu + trial + np.log(trial)
    assert trial[price.argmin()] == pytest.approx(mu, abs=2e-3)


@pytest.mark.parametrize("power, coefficient", [(0, 0.5), (0.5, 0), (1, -0.5), (2, -1.5)])
def test_magnitudes_weighted_by_a_power_of_flux_are_off_as_derived(power, coefficient):
    s = 0.02
    node, weight = np.polynomial.hermite_e.hermegauss(40)
    f = 1 + s * node
    w = weight * f**power
    off = -POGSON * (w @ np.log(f)) / w.sum()
    assert off / (POGSON * s**2) == pytest.approx(coefficient, abs=0.003)


@quick
@given(st.integers(0, 10**6))
def test_the_network_s_gradient_is_that_of_its_loss(seed):
    random = np.random.default_rng(seed)
    network = Network((3, 5, 4, 1))
    theta = network.start(seed) + 0.1 * random.normal(size=network.n_parameters)
    x, y = random.normal(size=(7, 3)), random.normal(size=7)
    d = random.normal(size=theta.shape)
    h = 1e-6
    rise = network.loss(theta + h * d, x, y) - network.loss(theta - h * d, x, y)
    assert rise / (2 * h) == pytest.approx(network.gradient(theta, x, y) @ d, rel=1e-5, abs=1e-9)


def test_the_network_is_keras_s_with_the_same_weights():
    keras = pytest.importorskip("keras")
    network = Network((5, 24, 24, 1))
    theta = network.start(seed=3) + 0.05
    model = keras.Sequential(
        [keras.Input((5,)), *[keras.layers.Dense(24, "tanh") for _ in range(2)],
         keras.layers.Dense(1)]
    )  # fmt: skip
    model.set_weights([part for m in network.matrices(theta) for part in (m[:-1], m[-1])])
    assert model.count_params() == network.n_parameters
    x = np.random.default_rng(1).normal(size=(6, 5))
    assert np.allclose(model(x)[:, 0], network.predict(theta, x), atol=1e-5)


def test_matrices_are_views_and_sizes_are_checked():
    network = Network((2, 3, 1))
    theta = network.start(seed=1)
    network.matrices(theta)[0][0, 0] = 7
    assert theta[0] == 7
    with pytest.raises(ValueError, match="two positive numbers"):
        Network((5,))


@quick
@given(st.integers(0, 10**6), st.integers(1, 6))
def test_noise_of_a_batch_without_replacement_over_all_batches_there_are(seed, size):
    rows = np.random.default_rng(seed).normal(size=(6, 2))
    mean = rows.mean(axis=0)
    batches = [rows[list(b)].mean(axis=0) for b in itertools.combinations(range(6), size)]
    measured = np.mean(np.sum((np.array(batches) - mean) ** 2, axis=1))
    assert measured == pytest.approx(rows.var(axis=0).sum() / size * (6 - size) / 5, abs=1e-12)


@pytest.mark.parametrize("step", [0.3, 1.0, 1.7])
def test_the_floor_solves_the_steady_state(step):
    curvature, noise, batch = 0.9, 2.3, 8
    variance = 0.0
    for _ in range(2000):
        variance = (1 - step * curvature) ** 2 * variance + step**2 * noise / batch
    assert 0.5 * curvature * variance == pytest.approx(
        step / (2 * batch) * noise / (2 - step * curvature)
    )


@pytest.mark.parametrize("share, falls", [(1.99, True), (2.01, False)])
def test_the_edge_of_a_quadratic_is_sharp(share, falls):
    curvature = np.array([0.1, 1.0, 8.0])
    theta = np.ones(3)
    for _ in range(4000):
        theta = theta - share / 8 * curvature * theta
    assert (np.abs(theta[2]) < 1) == falls


def test_the_condition_number_of_a_trend_is_the_one_of_the_page():
    t = np.random.default_rng(2).uniform(100, 140, 500)
    curvature = np.linalg.eigvalsh(np.array([[np.mean(t**2), t.mean()], [t.mean(), 1]]))
    assert np.prod(curvature) == pytest.approx(t.var())
    assert np.sum(curvature) == pytest.approx(np.mean(t**2) + 1)
    kappa = np.mean(t**2) ** 2 / t.var()
    assert curvature[1] / curvature[0] == pytest.approx(kappa, rel=1e-3)


def test_day_zero_of_the_modified_julian_date():
    time = pytest.importorskip("astropy.time")
    assert time.Time(0, format="mjd").iso.startswith("1858-11-17")


@pytest.mark.parametrize("name", EXERCISES)
def test_hints_of_an_exercise_differ_from_each_other(name):
    exercise = EXERCISES[name]
    assert judge(exercise, exercise.right()).ok
    hints = [judge(exercise, make()).message for make, _ in exercise.wrong.values()]
    assert len(set(hints)) == len(hints)


def test_the_stored_run_has_ten_seeds_and_lies_in_its_bands():
    with open(RUNS / "gradient-descent.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    card = json.loads((RUNS / "gradient-descent.card.json").read_text(encoding="utf-8"))
    seeds = {row["seed"] for row in rows}
    assert len(seeds) >= 10 and sorted(map(int, seeds)) == card["seeds"]
    for row in rows:
        low = float(row["low"]) if row["low"] else -np.inf
        high = float(row["high"]) if row["high"] else np.inf
        assert low <= float(row["value"]) <= high, row["claim"]


def test_the_stored_run_is_of_this_chapter_and_this_sky():
    card = json.loads((RUNS / "gradient-descent.card.json").read_text(encoding="utf-8"))
    now = fingerprint()
    again = f"the stored run is stale; make it anew: {card['command']}"
    assert card["fingerprint"]["training"] == now["training"], again
    assert np.allclose(card["fingerprint"]["simulator"], now["simulator"], atol=2e-3), again
