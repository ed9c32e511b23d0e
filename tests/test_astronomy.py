"""Facts that the chapter *Deep Learning in Astronomy* stands on."""

from pathlib import Path

import numpy as np
import pytest

from firstlight.exercises.astronomy import EXERCISES
from firstlight.exercises.engine import judge
from firstlight.sky import galaxies, gz2_tree, population, volunteers

PAGE = Path(__file__).parents[1] / "book" / "why" / "astronomy.md"
COUNTS = {2015: 1, 2016: 4, 2017: 12, 2018: 48, 2019: 104, 2020: 152, 2021: 205}


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


def test_an_array_that_comes_out_changed_is_noticed():
    exercise = EXERCISES["effect"]
    answer, _ = exercise.wrong["in place"]
    assert "Copy it" in judge(exercise, answer()).message
