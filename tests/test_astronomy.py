"""Facts that the chapter *Deep Learning in Astronomy* stands on."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

import firstlight
from firstlight.exercises.astronomy import EXERCISES
from firstlight.exercises.engine import judge
from firstlight.sky import galaxies, gz2_tree, photometry, population, volunteers
from firstlight.studies.cards import digest

RUNS = Path(firstlight.__file__).parent / "studies" / "runs"
PAGE = Path(__file__).parents[1] / "book" / "why" / "astronomy.md"
COUNTS = {2015: 1, 2016: 4, 2017: 12, 2018: 48, 2019: 104, 2020: 152, 2021: 205}
MEASURING = re.compile(r"simulate\(|lstsq\(|\.draw\(|assign\(|classical_|load_weights|CURVES|noise")


def fingerprint():
    """What the stored run depends on: the lines that measure, and a few galaxies of each sky."""
    text = PAGE.read_text(encoding="utf-8")
    cells = re.findall(r"```\{code-cell\}.*?```", text, flags=re.S)
    lines = [line.strip() for cell in cells for line in cell.splitlines() if MEASURING.search(line)]
    votes = galaxies.simulate(4, seed=5).probabilities[:, :3]
    colors = photometry.simulate(4, seed=5, red=True).magnitudes
    return {
        "measuring": digest(lines),
        "simulator": [*votes.round(4).ravel().tolist(), *colors.round(4).ravel().tolist()],
    }


def test_the_counts_are_those_of_the_lecture_s_chart():
    assert str(COUNTS) in PAGE.read_text(encoding="utf-8")


def test_newton_finds_the_zero_of_the_score():
    years, counts = np.array(list(COUNTS)), np.array(list(COUNTS.values()))
    rate = EXERCISES["poisson_fit"].right()(years, counts)
    t = years - years.mean()
    shape = np.exp(rate * t)
    mu = shape * counts.sum() / shape.sum()  # the score of the level is zero by this
    assert np.sum(t * (counts - mu)) == pytest.approx(0, abs=1e-6)


def test_the_error_of_a_logarithm_of_counts_is_right():
    random = np.random.default_rng(3)
    first, second = random.poisson(150, 40_000), random.poisson(200, 40_000)
    growth, error = EXERCISES["log_growth"].right()(150.0, 200.0)
    observed = np.log(second / first)
    assert observed.mean() == pytest.approx(growth, abs=0.005)
    assert observed.std() == pytest.approx(error, rel=0.02)


def test_purity_agrees_with_counting():
    random = np.random.default_rng(4)
    real = random.random(400_000) < 0.02
    kept = np.where(real, random.random(real.size) < 0.9, random.random(real.size) < 0.03)
    purity = EXERCISES["purity"].right()(0.9, 0.97, 0.02)
    assert real[kept].mean() == pytest.approx(purity, rel=0.03)


def test_paint_changes_no_volunteer_and_erased_arms_change_many():
    """The truth of the chapter's interventions, straight from the simulator."""
    pool = population.draw(400, np.random.default_rng(5))
    spirals = pool[(pool.arm_strength > 0.5) & (pool.inclination_rad < 1.05)].reset_index(drop=True)

    def share(truth):
        _, seen = galaxies.render(truth, np.random.default_rng(6))
        table = truth.join(seen)
        return volunteers.probabilities(table)[:, gz2_tree.ANSWERS.index("spiral/yes")]

    old = {"young_g_r": spirals.old_g_r, "young_r_i": spirals.old_r_i}
    as_it_is = share(spirals)
    assert np.allclose(share(spirals.assign(**old)), as_it_is)
    assert share(spirals.assign(arm_strength=0.0)).mean() < 0.1 * as_it_is.mean()


@pytest.mark.parametrize("name", EXERCISES)
def test_hints_of_an_exercise_differ_from_each_other(name):
    exercise = EXERCISES[name]
    assert judge(exercise, exercise.right()).ok
    hints = [judge(exercise, make()).message for make, _ in exercise.wrong.values()]
    assert len(set(hints)) == len(hints)


def test_an_array_that_comes_out_changed_is_noticed():
    exercise = EXERCISES["effect"]
    answer, _ = exercise.wrong["in place"]
    assert "Copy it" in judge(exercise, answer()).message


def test_the_stored_run_has_ten_seeds_and_lies_in_its_bands():
    with open(RUNS / "astronomy.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    card = json.loads((RUNS / "astronomy.card.json").read_text(encoding="utf-8"))
    seeds = {row["seed"] for row in rows}
    assert len(seeds) >= 10 and sorted(map(int, seeds)) == card["seeds"]
    for row in rows:
        low = float(row["low"]) if row["low"] else -np.inf
        high = float(row["high"]) if row["high"] else np.inf
        assert low <= float(row["value"]) <= high, row["claim"]


def test_the_stored_run_is_of_this_chapter_and_this_sky():
    card = json.loads((RUNS / "astronomy.card.json").read_text(encoding="utf-8"))
    now = fingerprint()
    again = f"the stored run is stale; make it anew: {card['command']}"
    assert card["fingerprint"]["measuring"] == now["measuring"], again
    assert np.allclose(card["fingerprint"]["simulator"], now["simulator"], atol=2e-3), again
