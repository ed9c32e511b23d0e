"""The classical baseline: features that turn with nothing, a forest that obeys the tree."""

import numpy as np
import pytest

from firstlight.evaluation import classical
from firstlight.sky import galaxies, gz2_tree


@pytest.fixture(scope="module")
def sky():
    return galaxies.simulate(192, 7)


def test_features_are_finite_named_and_do_not_notice_a_quarter_turn(sky):
    features, names = classical.classical_features(sky.images[:64])
    turned, _ = classical.classical_features(np.rot90(sky.images[:64], axes=(1, 2)))
    assert features.shape == (64, len(names)) and len(set(names)) == len(names)
    assert np.isfinite(features).all()
    scale = features.std(axis=0) + 1e-6
    moved = np.abs(turned - features) / scale
    assert np.median(moved) < 1e-3 and np.mean(moved < 0.1) > 0.9


def test_the_forest_obeys_the_questionnaire_and_beats_the_mean(sky):
    features, _ = classical.classical_features(sky.images)
    forest = classical.classical_regressor(trees=20).fit(features[:128], sky.probabilities[:128])
    predicted = forest.predict(features[128:])
    for question in range(len(gz2_tree.QUESTIONS)):
        column = gz2_tree.parent_column(question)
        asked = 1.0 if column is None else predicted[:, column]
        total = predicted[:, gz2_tree.slices(question)].sum(axis=1)
        np.testing.assert_allclose(total, asked, atol=1e-6)
    truth = sky.probabilities[128:]
    mean = sky.probabilities[:128].mean(axis=0)
    assert np.mean((predicted - truth) ** 2) < 0.9 * np.mean((mean - truth) ** 2)


def test_bad_input_says_what_was_expected(sky):
    with pytest.raises(ValueError, match=r"received shape .* expected \(n, side, side, bands\)"):
        classical.classical_features(sky.images[0])
    with pytest.raises(ValueError, match="received 'oak', expected one of"):
        classical.classical_regressor("oak")
