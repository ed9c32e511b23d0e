"""Figures of the lens finder: what they draw is what they are given."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from firstlight.evaluation.completeness import binned_completeness
from firstlight.figures.lenses import completeness_map, lens_stamps, rejection_curves


def bells(n=400):
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 2
    return rng.normal(1.5 * labels, 1), labels, rng.uniform(0, 1, (2, n))


def test_a_curve_ends_where_everything_is_let_through():
    scores, labels, _ = bells()
    fig = rejection_curves({"ours": scores, "theirs": -scores}, labels, among=scores > -5)
    lines = {line.get_label(): line.get_xydata() for line in fig.axes[0].lines}
    assert {"ours", "theirs", "guessing"} <= set(lines)
    np.testing.assert_allclose(lines["ours"][-1], (1, 1))
    assert lines["ours"][:, 1].mean() > lines["theirs"][:, 1].mean()


def test_every_bin_shows_its_share_and_error():
    scores, labels, (x, y) = bells()
    edges = ([0, 0.5, 1], [0, 0.3, 0.6, 1])
    found = binned_completeness(scores, labels, [x, y], edges, rejection=0.9)
    fig = completeness_map(found, edges, corner=(0.5, 0.3))
    words = [text.get_text() for text in fig.axes[0].texts]
    assert len(words) == 12
    assert f"{found.value[0, 0]:.0%}" in words


def test_stamps_come_in_gray_and_in_color():
    for bands in (1, 3):
        fig = lens_stamps(np.zeros((5, 32, 32, bands)), list("abcde"), columns=3)
        assert len(fig.axes) == 5


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="bands g, r, i"):
        lens_stamps(np.zeros((2, 32, 32)))
    scores, labels, (x, _) = bells()
    found = binned_completeness(scores, labels, [x], [[0, 0.5, 1]])
    with pytest.raises(ValueError, match="one bin less"):
        completeness_map(found, ([0, 1], [0, 1]))
