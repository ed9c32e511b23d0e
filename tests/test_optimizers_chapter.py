"""Facts that the chapter *Optimizers* stands on, without its training."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import firstlight
from firstlight.autodiff.optimizers import SGD, Adam, AdamW
from firstlight.studies import optimizer_problems, optimizer_race
from firstlight.studies.cards import same_fingerprint
from firstlight.studies.stored import read_run

RUNS = Path(firstlight.__file__).parent / "studies" / "runs"
PAGE = Path(__file__).parents[1] / "book" / "training" / "optimizers.md"
quick = settings(max_examples=40, deadline=None)


@quick
@given(st.floats(0.05, 0.98), st.floats(0.01, 0.99))
def test_between_the_ends_of_the_plateau_all_roots_have_one_size(root, place):
    low, high = (1 - root) ** 2, (1 + root) ** 2
    a = low + place * (high - low)
    sizes = np.abs(np.roots([1, -(1 + root**2 - a), root**2]))
    np.testing.assert_allclose(sizes, root, rtol=1e-6)


@quick
@given(st.floats(2.0, 1e5))
def test_the_best_memory_puts_the_spectrum_on_the_plateau(kappa):
    root = (np.sqrt(kappa) - 1) / (np.sqrt(kappa) + 1)
    eta = (1 + root) ** 2 / kappa  # the highest curvature is kappa, the lowest 1
    assert eta * 1 == pytest.approx((1 - root) ** 2)
    assert eta * kappa == pytest.approx((1 + root) ** 2)


@quick
@given(st.floats(0, 0.95), st.floats(0.001, 0.1), st.integers(0, 10**6))
def test_keras_nesterov_is_the_slope_at_the_place_ahead(beta, eta, seed):
    random = np.random.default_rng(seed)
    curvature = random.uniform(0.1, 3, 4)
    theta, m, ahead = random.normal(size=4), np.zeros(4), None
    optimizer = SGD(eta, beta, nesterov=True)
    stored = theta
    for _ in range(20):
        ahead = theta + beta * m
        np.testing.assert_allclose(stored, ahead, atol=1e-10)
        stored = optimizer.step([stored], [curvature * stored])[0]
        m = beta * m - eta * curvature * ahead
        theta = theta + m


def test_the_floor_of_the_noise_reproduces_itself():
    for eta, lam, s in ((0.1, 1.0, 2.0), (0.5, 3.0, 0.7)):
        floor = eta * s**2 / (lam * (2 - eta * lam))
        assert (1 - eta * lam) ** 2 * floor + eta**2 * s**2 == pytest.approx(floor)


def test_a_mean_that_starts_at_zero_is_short_by_one_less_beta_to_the_t():
    m = 0.0
    for t in range(1, 30):
        m = 0.9 * m + 0.1 * 5.0
        assert m == pytest.approx(5.0 * (1 - 0.9**t))


def test_adams_edge_of_stability_is_at_38():
    """Momentum as a mean: frozen v, slope a z; the longest stable step times curvature."""

    def size(a):
        return np.abs(np.roots([1, -(1 + 0.9 - 0.1 * a), 0.9])).max()

    assert size(37.9) < 1 < size(38.1)
    assert 2 * (1 + 0.9) / (1 - 0.9) == pytest.approx(38)


def test_in_reddis_example_the_majority_moves_adam_up():
    """Over a period of three, with v forgotten between: the two small slopes outvote the large."""
    x, optimizer = np.zeros(1), Adam(1e-4, beta_1=0, beta_2=1 / 10)
    for t in range(3000):
        x = optimizer.step([x], [np.array([3.0 if t % 3 == 0 else -1.0])])[0]
    assert x[0] > 0.01  # uphill, though the slopes sum to +1 over a period


def test_the_decay_of_adamw_is_a_power_and_does_not_ask_the_gradient():
    theta, optimizer = np.ones(3), AdamW(0.01, weight_decay=0.5)
    for _ in range(100):
        theta = optimizer.step([theta], [np.zeros(3)])[0]
    np.testing.assert_allclose(theta, (1 - 0.005) ** 100)


def test_gradients_through_time_on_the_page_are_those_of_finite_differences():
    cell = next(c for c in re.findall(r"```\{code-cell\} ipython3\n(.*?)```",
                                      PAGE.read_text("utf-8"), re.S)
                if "def back_through_time" in c)  # fmt: skip
    names = {"np": np}
    exec(compile(cell, str(PAGE), "exec"), names)
    random = np.random.default_rng(2)
    values = [random.normal(size=(2, 4)), 0.5 * random.normal(size=(4, 4)), random.normal(size=4),
              random.normal(size=(4, 1)), random.normal(size=1)]  # fmt: skip
    x, y = names["frames_of_a_star"](random, batch=5, T=6)
    assert (x[..., 1].sum(axis=1) == 2).all()
    assert np.allclose((x[..., 0] * x[..., 1]).sum(axis=1), y[:, 0])
    _, gradients = names["back_through_time"](values, x, y)
    for k, gradient in enumerate(gradients):
        for place in np.ndindex(gradient.shape):
            sides = []
            for h in (1e-6, -1e-6):
                moved = [value.copy() for value in values]
                moved[k][place] += h
                sides.append(names["back_through_time"](moved, x, y)[0])
            assert (sides[0] - sides[1]) / 2e-6 == pytest.approx(gradient[place], abs=1e-6)


@pytest.mark.parametrize("make", [optimizer_problems.catalog, optimizer_problems.zero_points])
def test_slopes_of_a_problem_are_those_of_its_loss(make, monkeypatch):
    problem = make(3)
    again = make(3)
    for one, two in zip(
        problem.slope(problem.values, 4), again.slope(again.values, 4), strict=True
    ):
        assert np.array_equal(one, two), "same seed, same batch"
    if make is optimizer_problems.zero_points:
        flat = problem.slope([np.ones(100)], 0)[0] - problem.slope([np.zeros(100)], 0)[0]
        assert np.allclose(flat, 0), "a shift of the whole strip changes nothing"


def test_backpropagation_of_the_race_is_right():
    random = np.random.default_rng(5)
    x, y = random.normal(size=(40, 3)), random.normal(size=(40, 2))
    values = optimizer_problems.dense_start([3, 5, 2], 1)
    slope = optimizer_problems.batched(x, y, lambda out, true: out - true, seed=1, size=8)
    rows = np.random.default_rng([1, 7]).integers(40, size=8)

    def loss(values):
        error = optimizer_problems.network(values, x[rows])[-1] - y[rows]
        return 0.5 * np.sum(error**2) / 8

    for k, gradient in enumerate(slope(values, 7)):
        for place in np.ndindex(gradient.shape):
            sides = []
            for h in (1e-6, -1e-6):
                moved = [value.copy() for value in values]
                moved[k][place] += h
                sides.append(loss(moved))
            assert (sides[0] - sides[1]) / 2e-6 == pytest.approx(gradient[place], abs=1e-6)


def test_everybody_has_as_many_trials_over_as_many_decades():
    for problem in optimizer_race.PROBLEMS:
        for name in optimizer_race.FIELD:
            rates = optimizer_race.rates(problem, name)
            assert len(rates) == optimizer_race.TRIALS
            assert rates[-1] / rates[0] == pytest.approx(10**optimizer_race.DECADES)
    assert not set(optimizer_race.TUNERS) & set(optimizer_race.JUDGES)


def test_a_run_that_goes_astray_scores_infinity_and_a_good_one_a_number():
    strip = optimizer_problems.zero_points(1, n=8, steps=60)
    assert optimizer_race.run(strip, "SGD", 1e9) == np.inf
    assert optimizer_race.run(strip, "momentum", 0.1) < strip.score(strip.values)


@pytest.mark.parametrize("name", optimizer_race.SWEEPS)
def test_the_sweeps_are_complete_and_of_this_code(name):
    sweep = optimizer_race.SWEEPS[name]
    card = json.loads((RUNS / f"{name}.card.json").read_text(encoding="utf-8"))
    rows = read_run(name)
    assert card["complete"] and len(rows) == len(sweep.points)
    again = f"the stored run is stale; make it anew: {sweep.command}"
    assert same_fingerprint(card["fingerprint"], sweep.fingerprint()) == [], again
    for row in rows:
        assert 0 < row["place"] < optimizer_race.TRIALS - 1, "no best trial at an end"
