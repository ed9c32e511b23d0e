"""Facts that the chapter *Some example applications* stands on, without its training runs."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

import firstlight
from firstlight.exercises.applications import EXERCISES
from firstlight.exercises.engine import judge
from firstlight.sky import galaxies, guiding
from firstlight.studies.cards import digest

RUNS = Path(firstlight.__file__).parent / "studies" / "runs"
PAGE = Path(__file__).parents[1] / "book" / "why" / "applications.md"
TEXT = PAGE.read_text(encoding="utf-8")
TRAINING = re.compile(
    r"student\(|detector\(|views\(|Dense\(|Conv2D\(|frames\(|simulate\(|forger\(|night\(|gains"
)


def fingerprint():
    """What the stored run depends on: the chapter's lines that train, a star and a galaxy."""
    cells = re.findall(r"```\{code-cell\}.*?```", TEXT, flags=re.S)
    lines = [line.strip() for cell in cells for line in cell.splitlines() if TRAINING.search(line)]
    star = guiding.frames([[1.0, -2.0]], 10.0, seed=5)[0, 8:14, 11:15]
    galaxy = galaxies.simulate(1, seed=5, size=48).images[0, 22:26, 22:26, 1]
    sky = np.concatenate([star.ravel(), galaxy.ravel()]).astype(float)
    return {"training": digest(lines), "simulator": sky.round(3).tolist()}


def test_the_integral_of_the_page_is_right():
    """sum over fine pixels of (d psi / d x0)^2 for a Gaussian star = 1 / (8 pi sigma^4)."""
    sigma, step = 1.7, 0.05
    x, y = np.meshgrid(np.arange(-15, 15, step), np.arange(-15, 15, step))
    star = np.exp(-(x**2 + y**2) / (2 * sigma**2)) / (2 * np.pi * sigma**2)
    total = np.sum((x / sigma**2 * star) ** 2) * step**2
    assert total == pytest.approx(1 / (8 * np.pi * sigma**4), rel=1e-6)


def test_enlarging_takes_power_from_the_highest_wavenumbers():
    from scipy.ndimage import zoom

    noise = np.random.default_rng(3).standard_normal((200, 24, 24))
    large = zoom(noise, (1, 2, 2), order=1, mode="nearest", grid_mode=True)
    power = (np.abs(np.fft.fft2(large / large.std())) ** 2).mean(axis=0) / 48**2
    k = np.hypot(*np.meshgrid(np.fft.fftfreq(48), np.fft.fftfreq(48)))
    assert power[k > 0.4].mean() < 0.2 < 1 < power[(k > 0) & (k < 0.1)].mean()


def test_ten_of_eleven_accusations_are_false():
    innocent = EXERCISES["innocent"].right()
    assert innocent(0.001, 0.99, 0.01) == pytest.approx(10 / 11, abs=0.005)


def test_every_heading_of_the_lecture_is_here():
    for heading in (
        "# Some example applications", "### Self-driving cars", "### Protein structure prediction",
        "### Natural language processing, translation, and text generation", "### Computer vision",
        "### Deep fakes", "### Video games",
    ):  # fmt: skip
        assert re.search(rf"^{re.escape(heading)}", TEXT, re.M), heading
    assert all(f"Figure 2{letter}" in TEXT for letter in "abcdef")
    assert "https://www.youtube.com/c/K%C3%A1rolyZsolnai/featured" in TEXT


@pytest.mark.parametrize("name", EXERCISES)
def test_hints_of_an_exercise_differ_from_each_other(name):
    exercise = EXERCISES[name]
    assert judge(exercise, exercise.right()).ok
    hints = [judge(exercise, make()).message for make, _ in exercise.wrong.values()]
    assert len(set(hints)) == len(hints)


def test_the_stored_run_has_ten_seeds_and_lies_in_its_bands():
    with open(RUNS / "applications.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    card = json.loads((RUNS / "applications.card.json").read_text(encoding="utf-8"))
    seeds = {row["seed"] for row in rows}
    assert len(seeds) >= 10 and sorted(map(int, seeds)) == card["seeds"]
    for row in rows:
        low = float(row["low"]) if row["low"] else -np.inf
        high = float(row["high"]) if row["high"] else np.inf
        assert low <= float(row["value"]) <= high, row["claim"]


def test_the_stored_run_is_of_this_chapter_and_this_sky():
    card = json.loads((RUNS / "applications.card.json").read_text(encoding="utf-8"))
    now = fingerprint()
    again = f"the stored run is stale; make it anew: {card['command']}"
    assert card["fingerprint"]["training"] == now["training"], again
    assert np.allclose(card["fingerprint"]["simulator"], now["simulator"], atol=0.02), again
