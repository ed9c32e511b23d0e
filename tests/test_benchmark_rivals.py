"""The rivals of the benchmarks are what they say they are; who is faster is not judged here."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import json

import numpy as np
import pytest
from benchmarks import peer, simulator
from benchmarks import variables as searches

from firstlight.sky import galaxies, variables
from firstlight.sky.surveys import SDSS
from sky_kit import plain


def test_the_plain_loop_draws_the_galaxies_that_the_simulator_draws():
    truth = plain(6, disc_truncation=0.0, x_r90=0.0, y_r90=0.0, r90_arcsec=5.6,
                  pixel_arcsec=2.6 * 5.6 / 48, sersic_n=2.0)  # fmt: skip
    clean = galaxies.render(truth, np.random.default_rng(0))[0]
    sigma = SDSS.sky_sigma(truth["pixel_arcsec"].to_numpy())[:, None, None, :]
    loop = simulator.plain_loop(truth, seed=1) / sigma
    pull = (loop - clean) / np.sqrt(1 + np.maximum(clean, 0) / sigma)
    assert pull.std() == pytest.approx(1, abs=0.02)
    assert pull.mean() == pytest.approx(0, abs=0.05)


def test_the_loop_is_given_whole_galaxies_with_tabulated_indices():
    truth = simulator.truth_table(20, seed=3)
    assert len(truth) == 20
    assert set(truth["kind"]) <= {"elliptical", "disc"}
    assert set(truth["sersic_n"]) <= set(simulator.SERSIC_INDICES)
    assert np.isfinite(simulator.plain_loop(truth[:3], seed=1)).all()


def test_rates_are_taken_in_turns_and_the_first_round_is_not_counted():
    called = []
    work = {name: (5, lambda turn, name=name: called.append((name, turn))) for name in "ab"}
    found = simulator.rates(work, rounds=2)
    assert called == [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2), ("b", 2)]
    assert found["a"] > 0


def test_the_peer_has_the_published_layers_and_number_of_parameters():
    model = peer.galaxy10_network(10, 0.005)
    convolutions = 3 * 3 * 3 * 8 + 8 + 3 * 3 * 8 * 16 + 16
    dense = (17 * 17 * 16 + 1) * 256 + (256 + 1) * 128 + (128 + 1) * 10
    assert model.count_params() == convolutions + dense
    assert model.input_shape == (None, 69, 69, 3)


def test_resampling_keeps_levels_and_orientation():
    x = np.broadcast_to(np.linspace(0, 1, 48, dtype=np.float32)[:, None, None], (1, 48, 48, 3))
    larger = peer.resampled(x)
    assert larger.shape == (1, 69, 69, 3)
    np.testing.assert_allclose(larger[0, :, 5, 1], np.linspace(0, 1, 69), atol=0.02)


def test_the_time_of_a_trial_is_that_of_the_first_epoch_that_gets_there():
    trial = peer.Trial(0.005, [10.0, 20.0, 30.0], [0.14, 0.12, 0.13], epochs=5)
    assert trial.cut
    assert trial.reached(0.125) == 20 and trial.reached(0.14) == 10


def test_an_interrupted_benchmark_takes_up_the_finished_trials(tmp_path, monkeypatch):
    monkeypatch.setattr(peer, "STATE", tmp_path / "state.json")
    trained = []

    def train(rate, epochs, *_):
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(rate)
        return peer.Trial(rate, [1.0], [0.1 + rate], epochs)

    monkeypatch.setattr(peer, "train_peer", train)
    with pytest.raises(KeyboardInterrupt):
        peer.peer_run(np.zeros(1), np.zeros(1), lambda model: 0.0)
    assert len(json.loads(peer.STATE.read_text())["trials"]) == 2
    again = []

    def rest(rate, epochs, *_):
        again.append((rate, epochs))
        return peer.Trial(rate, [2.0], [0.1 + rate], epochs)

    monkeypatch.setattr(peer, "train_peer", rest)
    chosen = peer.peer_run(np.zeros(1), np.zeros(1), lambda model: 0.0)
    lowest = min(peer.RATES)  # the best of the made-up errors
    assert (chosen.rate, chosen.epochs) == (lowest, peer.EPOCHS)
    assert again == [(peer.RATES[2], peer.TRIAL_EPOCHS), (lowest, peer.EPOCHS)]


def test_both_searches_find_the_same_periods():
    shares = {"RRab": 1.0}
    stars = variables.simulate(4, seed=5, shares=shares)
    ours = searches.strongest_period(*stars.curves, period_range_days=searches.RANGE_DAYS)[0]
    # ours looks once more around its peak; astropy's grid has steps of 1e-3 of a period
    np.testing.assert_allclose(searches.astropy_loop(stars), ours, rtol=2e-3)
