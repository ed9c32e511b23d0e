"""The cosmic web's study: examples, the told spectrum, walks, and a training in small."""

import numpy as np
import pytest

from firstlight.evaluation import mapped_fields
from firstlight.sky import cosmic_web as sky
from firstlight.studies import cosmic_web as study
from firstlight.studies import cosmic_web_data as seen

TINY = {**study.BUILD, "n_train": 2, "n_test": 3, "finer": 1, "fall_steps": 2, "channels": 2,
        "blocks": 1, "widths": (4, 4, 4), "steps": 2, "batch_size": 4, "n_draw": 64}  # fmt: skip


@pytest.fixture(scope="module")
def boxes():
    return study.training_set(TINY, 1)


def test_training_and_test_boxes_never_meet(boxes):
    test = study.simulate(TINY, 1, n=2)
    assert len(test) == 2 and len(boxes) == 2
    assert np.abs(test.density - boxes.density).max() > 1


def test_examples_are_slices_moved_about(boxes):
    slices, _ = sky.slices(boxes)
    field = mapped_fields.fit(slices)
    batch = seen.examples(slices[:1], field)(5, np.random.default_rng(0))
    assert batch.shape == (5, 64, 64, 1) and batch.dtype == np.float32
    floor = np.exp(field.log_density[0])
    for one in batch[..., 0]:
        np.testing.assert_allclose(
            np.sort(np.exp(one), axis=None), np.sort(np.maximum(slices[0], floor), axis=None),
            rtol=1e-4,
        )  # fmt: skip


def test_the_told_spectrum_is_best_when_it_is_right(boxes):
    slices, _ = sky.slices(boxes)
    logs = seen.ring_powers(slices)
    assert logs.shape == (len(slices), len(seen.RINGS) - 1)
    loss = seen.spectrum_loss(2.0, np.exp(logs).mean(axis=0))
    order = np.random.default_rng(0).permutation(len(slices))
    log_density = np.log(np.maximum(slices, 1e-3))[order][..., None]
    right = float(loss(log_density))
    assert abs(right) < 0.2
    assert float(loss(log_density + np.log(1.5))) > right + 1


def test_walks_stay_normal():
    one, other = np.random.default_rng(0).normal(size=(2, 4000))
    np.testing.assert_allclose(seen.mix(one, other, 0), one)
    np.testing.assert_allclose(seen.mix(one, other, 1), other, atol=1e-6)
    assert seen.mix(one, other, 0.5).std() == pytest.approx(1, abs=0.06)
    with pytest.raises(ValueError, match="share=2"):
        seen.mix(one, other, 2)


def test_the_measures_of_simulated_slices_are_small(boxes):
    found = study.measured(sky.slices(boxes)[0], study.simulate(TINY, 3))
    assert found["power_mean_deviation"] < 0.25
    assert found["histogram_gap"] < 0.05
    assert found["peak_ratio"] == pytest.approx(1, abs=0.3)


def test_training_is_repeatable_and_writes_weights_and_a_card(tmp_path):
    from firstlight.studies.cards import read_card

    weights = study.train(TINY, 1, tmp_path)
    card = read_card(weights.with_suffix(".card.json"))
    assert card["study"] == "cosmic-web" and card["scale"] == "custom"
    found = study.evaluate(weights, study.simulate(TINY, 2))
    assert found == pytest.approx(card["metrics"])
    assert set(card["bands"]) <= set(found)
    drawn = study.draw(study.load(weights), 70, 3)
    assert drawn.shape == (70, 64, 64) and (drawn > 0).all()
    with pytest.raises(FileNotFoundError, match="firstlight train cosmic-web --scale full"):
        study.load(tmp_path / "none.npz")


def test_what_is_shipped_is_small():
    model = study.build_model(study.FULL)
    assert 2 * model.count_params() < 8e6
    assert study.fingerprint(TINY).as_dict()["simulator"]
