"""Facts that the chapter *Features, made and learned* stands on, without its training runs."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from firstlight.evaluation.classical import classical_features
from firstlight.figures.pipelines import pipelines
from firstlight.studies import features as study
from firstlight.studies.cards import read_card, same_fingerprint
from firstlight.studies.stored import RUNS, read_run


@pytest.fixture(scope="module")
def discs():
    return study.simulate(64, seed=3)


def test_every_other_disc_has_arms_and_all_are_as_the_page_says(discs):
    truth = discs.truth
    assert discs.arms.tolist() == [True, False] * 32
    assert (truth["arm_strength"][discs.arms] > 0.5).all()
    assert (truth["arms"][~discs.arms] == 0).all()
    assert (truth["r_mag"] < 16.5).all() and (truth["r90_arcsec"] > 8).all()
    assert (truth["inclination_rad"] < np.radians(60)).all()
    assert discs.images.shape == (64, 32, 32, 3) and np.isfinite(discs.images).all()


def test_fewer_galaxies_are_the_first_of_more_and_other_seeds_are_others(discs):
    few = study.simulate(10, seed=3)
    np.testing.assert_array_equal(few.images, discs.images[:10])
    other = study.simulate(10, seed=4).images
    assert np.abs(few.images[:, None] - other[None]).max(axis=(2, 3, 4)).min() > 1


@pytest.mark.parametrize(("n", "seed"), [(0, 1), (2.5, 1), (4, -1)])
def test_a_senseless_sky_is_refused(n, seed):
    with pytest.raises(ValueError, match="simulate: received"):
        study.simulate(n, seed)


def test_the_standard_measures_are_among_the_features(discs):
    _, names = classical_features(discs.images[:4])
    columns = study.standard_columns(names)
    assert [names[k] for k in columns] == list(study.STANDARD)
    assert len(set(columns)) == 19 and len(names) == 178


def test_accuracy_counts_right_answers_and_refuses_a_column():
    assert study.accuracy([0.9, 0.2, 0.6, 0.4], [True, False, False, True]) == 0.5
    with pytest.raises(ValueError, match=r"take \[:, 0\]"):
        study.accuracy([[0.9], [0.2]], [True, False])


def test_a_few_steps_of_training_lower_the_loss(discs):
    from firstlight import training

    training.set_seed(1)
    model = study.network()
    before = study.network_probability(model, discs.images)
    study.fit_network(model, discs.images, discs.labels, seed=1, steps=20)
    after = study.network_probability(model, discs.images)
    assert after.shape == (64,) and not np.allclose(before, after)


def test_the_figure_is_drawn_from_the_real_objects(discs):
    features, names = classical_features(discs.images)
    forest = study.fit_forest(features, discs.arms, seed=1)
    fig = pipelines(discs.images[0], names, forest, study.network())
    words = [text.get_text() for ax in fig.axes for text in ax.texts]
    assert "178\nnumbers" in words and "64\nnumbers" in words and "100\ntrees" in words
    assert "conv\n16×16×16" in words and "dense\n1" in words
    plt.close(fig)
    with pytest.raises(ValueError, match="names: received 3"):
        pipelines(discs.images[0], names[:3], forest, study.network())
    import keras

    with pytest.raises(ValueError, match="Dense layer as its learner"):
        pipelines(discs.images[0], names, forest, keras.Sequential(study.network().layers[:-1]))


def test_the_stored_run_is_of_this_network_and_this_sky():
    card = read_card(RUNS / "features.card.json")
    changed = same_fingerprint(card["fingerprint"], study.fingerprint())
    assert not changed, f"{changed} changed; make it anew: {card['command']}"


def test_the_stored_run_holds_every_size_for_every_sky():
    run = pd.DataFrame(read_run("features")).apply(pd.to_numeric)
    usual = run[run["steps"] == study.CONFIG["steps"]]
    assert (usual.groupby("seed")["n_train"].apply(set) == set(study.SIZES)).all()
    assert usual[["network", "forest", "standard"]].notna().all().all()
    patient = run[run["steps"] == 3 * study.CONFIG["steps"]]
    assert set(patient["n_train"]) == {study.LIVE, max(study.SIZES)}
    assert len(run) == len(study.SWEEPS["features"].points)


@pytest.mark.parametrize("m", [64, 256])
def test_the_two_laws_of_width_hold_for_a_sine(m):
    t = np.linspace(0, 1, 20_001)
    truth = np.sin(2 * np.pi * t)
    nodes = np.linspace(0, 1, m + 1)
    chords = np.interp(t, nodes, np.sin(2 * np.pi * nodes))
    steps = np.sin(2 * np.pi * (np.minimum(np.floor(t * m), m - 1) + 0.5) / m)

    def rms(error):
        return np.sqrt(np.mean(error**2))

    first, second = 2 * np.pi / np.sqrt(2), (2 * np.pi) ** 2 / np.sqrt(2)
    assert rms(chords - truth) == pytest.approx(second / np.sqrt(120) / m**2, rel=0.01)
    assert rms(steps - truth) == pytest.approx(first / np.sqrt(12) / m, rel=0.01)
