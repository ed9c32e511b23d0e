"""Studies at toy scale: the whole way, cards that notice, stored runs that resume, mutants."""

import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest

from firstlight import studies
from firstlight.studies import (
    cards,
    galaxy_zoo,
    galaxy_zoo_runs,
    galaxy_zoo_sky,
    mutants,
    stored,
)

TOY = {
    **galaxy_zoo.BUILD,
    "n_train": 64,
    "n_test": 32,
    "size": 32,
    "widths": (4, 8),
    "depths": (0, 1),
    "dense": 8,
    "steps": 6,
    "batch_size": 16,
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    return galaxy_zoo.train(TOY, 5, out)


def test_importing_the_studies_loads_no_tensorflow():
    code = "import sys, firstlight.studies; sys.exit('tensorflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_study_and_every_sweep_can_be_had_by_name():
    for name in studies.NAMES:
        study = studies.get(name)
        assert study.name == name and {"build", "full"} <= set(study.scales)
    known = {import_module(room) for room in studies._SWEEPS.values()}
    assert set(studies.SWEEPS) == {name for module in known for name in module.SWEEPS}
    with pytest.raises(ValueError, match="received 'galaxies', expected one of galaxy-zoo"):
        studies.get("galaxies")
    with pytest.raises(ValueError, match="sweep: received 'x'"):
        studies.sweep("x")


@pytest.mark.parametrize("scale", ["build", "full"])
def test_every_scale_builds_a_network_small_enough_to_ship(scale):
    model = galaxy_zoo.build_model(studies.get("galaxy-zoo").scales[scale])
    assert model.output_shape == (None, 37)
    assert 2 * model.count_params() < 8e6  # bytes in float16


def test_training_and_test_skies_never_meet():
    images, votes = galaxy_zoo_sky.training_set(TOY, 5)
    data = galaxy_zoo_sky.simulate(TOY, 5)
    assert images.shape == (64, 32, 32, 3) and votes.shape == (64, 37) and len(data) == 32
    gaps = np.abs(images[:, None] - data.images[None]).max(axis=(2, 3, 4))
    assert gaps.min() > 0.05
    again = galaxy_zoo_sky.simulate(TOY, 5)
    np.testing.assert_array_equal(data.images, again.images)
    np.testing.assert_array_equal(data.votes, again.votes)


def test_train_writes_weights_and_a_card_that_says_how(trained):
    card = cards.read_card(trained.with_suffix(".card.json"))
    assert card["config"]["steps"] == 6 and card["seed"] == 5 and card["scale"] == "custom"
    assert {"rmse", "rmse_averaged", "rmse_vote_floor"} <= set(card["metrics"])
    data = galaxy_zoo_sky.simulate(TOY, 6)
    found = galaxy_zoo.evaluate(trained, data)
    assert found["rmse"] == pytest.approx(card["metrics"]["rmse"], rel=1e-4)
    assert found["tree_violation"] < 1e-5
    assert found["rmse"] > found["rmse_vote_floor"] > 0


def test_aligned_galaxies_go_the_whole_way(tmp_path):
    toy = {**TOY, "align": True, "augment": "mirror"}
    weights = galaxy_zoo.train(toy, 5, tmp_path)
    data = galaxy_zoo_sky.simulate(toy, 6)
    assert not np.allclose(data.images, galaxy_zoo_sky.simulate({**TOY, "align": False}, 6).images)
    found = galaxy_zoo.evaluate(weights, data)
    assert found["tree_violation"] < 1e-5 and found["rmse"] > found["rmse_vote_floor"]


def test_evaluating_what_is_not_there_names_the_command(tmp_path):
    with pytest.raises(FileNotFoundError, match="firstlight train galaxy-zoo --scale full"):
        galaxy_zoo.evaluate(tmp_path / "none.npz", galaxy_zoo_sky.simulate(TOY, 1))


def test_configurations_that_make_no_sense_are_refused():
    images, votes = np.zeros((16, 32, 32, 3), np.float32), np.zeros((16, 37), np.float32)
    for change, reason in (
        ({"network": "resnet"}, "network: received 'resnet'"),
        ({"augment": "cutmix"}, "augment: received 'cutmix'"),
        ({"loss": "mae"}, "loss: received 'mae'"),
    ):
        with pytest.raises(ValueError, match=reason):
            galaxy_zoo.fit_model({**TOY, **change}, images, votes, 0)


# --- cards ---------------------------------------------------------------------------


def model(**changes):
    return galaxy_zoo.build_model({**TOY, **changes})


def test_the_architecture_digest_sees_sizes_and_not_names():
    same = cards.architecture_digest(model())
    assert same == cards.architecture_digest(model())
    for change in ({"widths": (4, 9)}, {"head": "tree_relu"}, {"depths": (1, 1)}, {"dense": 9}):
        assert cards.architecture_digest(model(**change)) != same


def print_of(simulator=(0.5, 0.25), architecture="a", training="t"):
    return cards.Fingerprint(architecture, training, tuple(simulator))


@pytest.fixture
def card(tmp_path):
    path = tmp_path / "w.card.json"
    cards.write_card(
        path,
        {
            "fingerprint": print_of().as_dict(),
            "command": "firstlight train it",
            "metrics": {"rmse": 0.1},
            "bands": {"rmse": (0.09, 0.11)},
        },
    )
    return path


def never():
    raise AssertionError("a fresh card must not be measured again")


def test_a_card_is_fresh_while_nothing_changes_but_rounding(card):
    assert cards.check_card(card, print_of(), never).state == "fresh"
    assert cards.check_card(card, print_of((0.5001, 0.25)), never).state == "fresh"


@pytest.mark.parametrize(
    "now", [print_of((0.6, 0.25)), print_of(architecture="b"), print_of(training="u")]
)
def test_a_changed_card_is_renewed_if_its_metrics_hold(card, now):
    verdict = cards.check_card(card, now, lambda: {"rmse": 0.105})
    assert verdict.state == "renewed" and verdict.ok
    assert cards.check_card(card, now, never).state == "fresh"
    assert cards.read_card(card)["metrics"]["rmse"] == 0.105


@pytest.mark.parametrize("value", [0.12, float("nan")])
def test_a_changed_card_fails_with_the_command_if_they_do_not(card, value):
    before = card.read_text()
    verdict = cards.check_card(card, print_of((0.6, 0.2)), lambda: {"rmse": value})
    assert verdict.state == "failed" and not verdict.ok
    assert "simulator changed" in verdict.message and "firstlight train it" in verdict.message
    assert card.read_text() == before


def test_weights_that_no_longer_fit_fail_the_card(card):
    def refuse():
        raise ValueError("the shapes do not fit.")

    verdict = cards.check_card(card, print_of(architecture="b"), refuse)
    assert verdict.state == "failed" and "firstlight train it" in verdict.message


def test_a_broken_card_is_named(tmp_path):
    path = tmp_path / "x.card.json"
    path.write_text("{")
    with pytest.raises(ValueError, match="x.card.json: received no valid JSON"):
        cards.read_card(path)
    path.write_text("{}")
    with pytest.raises(ValueError, match="received no .*'fingerprint'"):
        cards.read_card(path)


def test_the_simulator_fingerprint_is_the_same_twice_and_moves_with_the_sky(trained):
    now = galaxy_zoo.fingerprint(TOY)
    assert cards.same_fingerprint(now.as_dict(), galaxy_zoo.fingerprint(TOY)) == []
    other = galaxy_zoo.fingerprint({**TOY, "size": 34})
    assert "simulator" in cards.same_fingerprint(now.as_dict(), other)


def test_the_packages_own_cards_stand():
    """Weights and stored runs of the package belong to this code, or say what to run."""
    if galaxy_zoo.WEIGHTS.exists():
        verdict = galaxy_zoo.check(write=False)
        assert verdict.ok, verdict.message
    for name, sweep in galaxy_zoo_runs.SWEEPS.items():
        path = stored.RUNS / f"{name}.card.json"
        if path.exists():
            card = cards.read_card(path)
            changed = cards.same_fingerprint(card["fingerprint"], sweep.fingerprint())
            assert not changed, f"{name}: {changed} changed. Run: {sweep.command}"


# --- stored runs ---------------------------------------------------------------------


def toy_sweep(calls, fail_at=None, architecture="a"):
    def measure(seed, n):
        calls.append((seed, n))
        if len(calls) == fail_at:
            raise KeyboardInterrupt
        return {"rmse": seed + n / 10}

    points = [{"seed": s, "n": n} for s in (1, 2) for n in (3, 4)]
    return stored.Sweep("toy", points, measure, lambda: print_of(architecture=architecture))


def test_an_interrupted_sweep_goes_on_where_it_stopped(tmp_path):
    calls = []
    with pytest.raises(KeyboardInterrupt):
        stored.run_sweep(toy_sweep(calls, fail_at=3), tmp_path)
    assert len(stored.read_run("toy", tmp_path)) == 2
    stored.run_sweep(toy_sweep(calls), tmp_path)
    assert calls == [(1, 3), (1, 4), (2, 3), (2, 3), (2, 4)]
    rows = stored.read_run("toy", tmp_path)
    assert [row["rmse"] for row in rows] == [1.3, 1.4, 2.3, 2.4]
    assert json.loads((tmp_path / "toy.card.json").read_text())["complete"]


def test_a_sweep_of_other_code_starts_anew(tmp_path):
    calls = []
    stored.run_sweep(toy_sweep(calls), tmp_path)
    stored.run_sweep(toy_sweep(calls, architecture="b"), tmp_path)
    assert len(calls) == 8


def test_a_missing_run_names_the_command(tmp_path):
    with pytest.raises(FileNotFoundError, match="firstlight sweep toy"):
        stored.read_run("toy", tmp_path)


def test_the_prediction_interval_holds_the_next_value_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(2000):
        values = rng.normal(3, 2, 11)
        low, high = stored.prediction_interval(values[:10], 0.9)
        hits += low <= values[10] <= high
    assert hits / 2000 == pytest.approx(0.9, abs=0.02)
    with pytest.raises(ValueError, match="received 9, expected 10"):
        stored.prediction_interval(np.zeros(9))


def test_a_classical_method_is_judged_on_a_sky_that_it_has_not_seen(monkeypatch):
    rng = np.random.default_rng(8)
    features, unseen = rng.normal(size=(400, 5)), rng.normal(size=(200, 5))
    law = rng.normal(size=(5, 37))
    sky = (features, features @ law, unseen, unseen @ law)
    monkeypatch.setattr(galaxy_zoo_runs, "_classical_sky", lambda seed: sky)
    for kind in ("extra_trees", "boosting"):
        setting = {"kind": kind, "trees": 20, "leaf": 3, "share": 1.0}
        found = galaxy_zoo_runs.measure_classical(**setting, seed=3)
        assert 0 < found["rmse"] < 0.8 * np.std(sky[3])
        assert found["fit_cpu_s"] > 0


# --- mutants -------------------------------------------------------------------------


def test_mutants_are_of_every_kind_and_change_what_they_say():
    kinds = [mutant.kind for mutant in mutants.MUTANTS]
    assert kinds.count("control") == 1 and kinds.count("crude") >= 2
    assert kinds.count("near miss") >= 5
    for mutant in mutants.MUTANTS:
        assert set(mutant.changes) <= set(galaxy_zoo.BUILD)
        wrong = dict(galaxy_zoo.BUILD) | dict(mutant.changes) != dict(galaxy_zoo.BUILD)
        assert wrong or mutant.shuffle or mutant.kind == "control"


def test_a_mutant_must_break_a_claim_and_the_control_none():
    limits = {"rmse": stored.Band(0.08, 0.09), "tree_violation": stored.Band(0, 1e-5)}
    good, bad = {"rmse": 0.085, "tree_violation": 0}, {"rmse": 0.085, "tree_violation": 0.2}
    control, mutant = mutants.MUTANTS[0], mutants.MUTANTS[1]
    assert mutants.verdict(control, good, limits) == (True, [])
    assert mutants.verdict(control, bad, limits) == (False, ["tree_violation"])
    assert mutants.verdict(mutant, good, limits) == (False, [])
    assert mutants.verdict(mutant, {**good, "rmse": np.nan}, limits) == (True, ["rmse"])


def test_a_run_of_mutants_prints_counts_and_resumes(tmp_path, monkeypatch, capsys):
    rng = np.random.default_rng(0)
    rows = [{name: float(rng.normal(0.1, 0.001)) for name in mutants.METRICS} for _ in range(12)]
    stored.write_rows(tmp_path / "galaxy-zoo-seeds.csv", rows)
    trainings = []

    def measure(mutant):
        trainings.append(mutant.name)
        value = 0.1 if mutant.kind == "control" or mutant.name == "half the data" else 0.2
        return {name: value for name in mutants.METRICS} | {"tree_violation": 0.0}

    monkeypatch.setattr(mutants, "measure", measure)
    monkeypatch.setattr(galaxy_zoo, "fingerprint", lambda config: print_of())
    assert mutants.run(out=tmp_path, folder=tmp_path) == 1
    told = capsys.readouterr().out
    assert "half the data" in told and "not as it should be" in told and "1 of " in told
    assert mutants.run("galaxy-zoo", out=tmp_path, folder=tmp_path) == 1
    assert len(trainings) == len(mutants.MUTANTS)
    with pytest.raises(ValueError, match="study: received"):
        mutants.run("lenses", out=tmp_path, folder=tmp_path)
