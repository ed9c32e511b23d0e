"""Facts that the chapter *Validation Curves* stands on, and its stored runs."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import firstlight
from firstlight.studies import validation_curves as study
from firstlight.studies import validation_eight as eight
from firstlight.studies import validation_leaks as leaks
from firstlight.studies import validation_sweeps as sweeps
from firstlight.studies.cards import same_fingerprint
from firstlight.studies.stored import read_run

RUNS = Path(firstlight.__file__).parent / "studies" / "runs"
quick = settings(max_examples=40, deadline=None)
ALL_SWEEPS = {**sweeps.SWEEPS, **eight.SWEEPS}


def expected_best(n):
    z = np.linspace(-8, 8, 4_001)
    return np.trapezoid(z * n * stats.norm.pdf(z) * stats.norm.cdf(z) ** (n - 1), z)


def test_fewer_discs_are_the_first_of_more():
    few, more = study.simulate(5, seed=3), study.simulate(70, seed=3)
    assert np.array_equal(few.x, more.x[:5]) and few.x.shape == (5, 16, 16, 1)
    assert few.y.ravel().tolist() == [1, 0, 1, 0, 1]


def test_eight_symmetries_keep_label_and_light():
    stamps = study.simulate(4, seed=3)
    turned = study.all_turns(stamps)
    assert turned.x.shape == (32, 16, 16, 1)
    assert np.allclose(turned.x.sum(axis=(1, 2)), np.tile(stamps.x.sum(axis=(1, 2)), (8, 1)))
    assert np.array_equal(turned.y, np.tile(stamps.y, (8, 1)))
    assert len({turned.x[k].tobytes() for k in range(0, 32, 4)}) == 8


def test_turns_by_any_angle_keep_most_of_the_light():
    light, labels = study.light(3, seed=4, turns=6)
    assert light.shape == (18, 16, 16) and labels.shape == (18, 1)
    total = light.sum(axis=(1, 2)).reshape(6, 3)
    assert np.all(np.abs(total / total.mean(axis=0) - 1) < 0.1)


@quick
@given(st.integers(2, 40), st.integers(0, 10**6), st.floats(0.1, 0.6))
def test_the_careful_split_tears_no_group_apart(n_groups, seed, share):
    group = np.random.default_rng(seed).integers(0, n_groups, 300)
    test = leaks.by_group(group, share, seed)
    known = np.unique(group)
    assert all(len(set(test[group == name])) == 1 for name in known)
    assert len(np.unique(group[test])) == round(share * len(known))
    assert leaks.by_row(300, share, seed).sum() == round(share * 300)


@pytest.mark.parametrize("kind", leaks.KINDS)
def test_rows_of_a_group_belong_together(kind):
    data = leaks.sample(kind, 6, n_fresh=20)
    labels = data.stamps.y[:, 0]
    assert len(data.group) == len(labels) and len(data.fresh.x) == 20
    if kind == "night":
        even = data.group % 2 == 0
        assert np.mean(labels[even]) == pytest.approx(leaks.SAME_KIND, abs=0.08)
        assert np.mean(labels[~even]) == pytest.approx(1 - leaks.SAME_KIND, abs=0.08)
    else:
        repeats = len(labels) // leaks.N_GALAXIES[kind]
        assert repeats == (leaks.TURNS if kind == "turned" else 2)
        assert all(len(set(labels[data.group == name])) == 1 for name in range(20))
        assert np.all(np.bincount(data.group) == repeats)


def test_an_unknown_leak_is_refused():
    with pytest.raises(ValueError, match="expected one of turned, twice, night"):
        leaks.sample("twin", 1)
    with pytest.raises(ValueError, match="expected one of A"):
        eight.run("Z")


def test_training_is_repeatable_and_keeps_the_best_weights():
    train, looked_at = study.simulate(64, seed=1), study.simulate(64, seed=2)
    told = []
    for _ in range(2):
        model = study.network(3, width=2, dropout=0.2)
        curves = study.fit(model, train, looked_at, seed=4, steps=30, every=5, learning_rate=0.02)
        told.append(curves.validation)
    assert told[0] == pytest.approx(told[1], abs=1e-6)
    assert curves.step == [5, 10, 15, 20, 25, 30]
    assert curves.best == int(np.argmin(curves.validation))
    model.set_weights(curves.best_weights)
    assert study.scores(model, looked_at)[0] == pytest.approx(min(curves.validation), abs=1e-6)


def test_patience_ends_a_training():
    train, looked_at = study.simulate(64, seed=1), study.simulate(64, seed=2)
    model = study.network(3, width=1)
    curves = study.fit(
        model, train, looked_at, seed=4, steps=400, every=2, learning_rate=1.0, patience=3
    )
    assert len(curves.step) == curves.best + 4 < 200


def test_scores_are_the_cross_entropy_and_the_share_right():
    stamps = study.simulate(4, seed=1)
    a = np.array([[2.0], [-1.0], [-0.5], [3.0]])
    loss, right = study.scores(lambda x: a, stamps)
    p = 1 / (1 + np.exp(-a))
    by_hand = -np.mean(stamps.y * np.log(p) + (1 - stamps.y) * np.log(1 - p))
    assert (loss, right) == (pytest.approx(by_hand), 0.5)


@quick
@given(st.integers(0, 10**6))
def test_the_smallest_singular_value_falls_until_the_square_and_grows_beyond(seed):
    columns = np.random.default_rng(seed).normal(size=(12, 40))
    smallest = [np.linalg.svd(columns[:, :p], compute_uv=False)[-1] for p in range(1, 41)]
    assert np.all(np.diff(smallest[:12]) <= 1e-12)
    assert np.all(np.diff(smallest[11:]) >= -1e-12)


def test_least_squares_keeps_p_parts_in_n_of_the_noise():
    random = np.random.default_rng(2)
    design = random.normal(size=(40, 9))
    noise = random.normal(size=(40, 4_000))
    kept = design @ np.linalg.lstsq(design, noise, rcond=None)[0]
    assert kept.var() == pytest.approx(9 / 40, rel=0.02)


def test_the_best_of_a_few_is_known_exactly():
    assert expected_best(1) == pytest.approx(0, abs=1e-9)
    assert expected_best(2) == pytest.approx(1 / np.sqrt(np.pi))
    assert expected_best(3) == pytest.approx(1.5 / np.sqrt(np.pi))


def test_the_winner_owes_this_much_to_luck():
    random = np.random.default_rng(9)
    sigma_e, sigma_t, n = 0.04, 0.02, 30
    true, luck = (random.normal(0, s, (20_000, n)) for s in (sigma_t, sigma_e))
    winner = np.argmax(true + luck, axis=1)[:, None]
    formula = sigma_e**2 / np.hypot(sigma_e, sigma_t) * expected_best(n)
    assert np.take_along_axis(luck, winner, 1).mean() == pytest.approx(formula, rel=0.02)


@pytest.mark.parametrize("name", ALL_SWEEPS)
def test_a_stored_run_is_whole_and_of_this_code(name):
    sweep = ALL_SWEEPS[name]
    card = json.loads((RUNS / f"{name}.card.json").read_text(encoding="utf-8"))
    assert card["complete"] and len(read_run(name)) == len(sweep.points)
    changed = same_fingerprint(card["fingerprint"], sweep.fingerprint())
    assert not changed, f"{changed} changed; make it anew: {sweep.command}"


def test_the_eight_patients_have_what_the_key_says():
    coin = np.log(2)
    shown = {row["letter"]: eight.drawn(row) for row in read_run("validation-eight")}
    t = {letter: np.array(curves[1]) for letter, curves in shown.items()}
    v = {letter: np.array(curves[2]) for letter, curves in shown.items()}
    assert t["A"][-1] > 0.57 and abs(v["A"][-1] - t["A"][-1]) < 0.05
    assert v["B"][-1] < 0.1
    assert v["C"][-1] > 1.5 * v["C"].min() and t["C"][-1] < 0.1
    assert t["D"][-1] > 0.55 and np.all(np.diff(t["D"][::4]) < 0)
    jumps = {letter: np.abs(np.diff(v[letter][8:])).mean() for letter in "EF"}
    assert jumps["E"] > 2 * jumps["F"]
    assert v["F"][-1] < 0.5 and v["F"][-1] - t["F"][-1] < 0.12
    assert np.abs(t["G"][2:] - coin).max() < 0.05
    assert v["H"].min() > coin - 0.01 and v["C"].min() < coin - 0.02 and t["H"][-1] < 0.1
