"""Facts that the chapter *Some example applications* stands on, without its training runs."""

import re
from pathlib import Path

import numpy as np
import pytest

from firstlight.exercises.applications import EXERCISES

PAGE = Path(__file__).parents[1] / "book" / "why" / "applications.md"
TEXT = PAGE.read_text(encoding="utf-8")


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
