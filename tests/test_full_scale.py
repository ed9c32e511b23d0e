"""What every study does alike: weights beside a card, whole or explained."""

import keras
import numpy as np
import pytest

from firstlight.studies import full_scale
from firstlight.studies.cards import Fingerprint, read_card
from firstlight.studies.study import Study

CONFIG = {"steps": 6, "batch_size": 4, "learning_rate": 0.05, "weight_decay": 0.0, "ema": 0.0,
          "widths": (3,), "n_test": 20}  # fmt: skip
NOW = Fingerprint("a", "b", (1.0, 2.0))


def build(config):
    first = keras.layers.Dense(config["widths"][0], activation="tanh")
    return keras.Sequential([keras.Input((2,)), first, keras.layers.Dense(1)])


def study(tmp_path, evaluate=lambda weights, data: {"error": 0.5}):
    return Study("toy", {"build": CONFIG, "full": {**CONFIG, "steps": 9}}, lambda c, s: None,
                 None, evaluate, tmp_path / "toy.npz")  # fmt: skip


def fitted(seed=1):
    random = np.random.default_rng(3)
    x = random.normal(size=(32, 2)).astype(np.float32)
    return full_scale.fit(build, CONFIG, x, x[:, :1], seed, loss="mse"), x


def kept(tmp_path, judge=lambda weights: {"error": 0.5}):
    (model, _), x = fitted()
    weights = full_scale.keep(
        study(tmp_path), CONFIG, 1, model, tmp_path / "toy.npz", NOW, {"cpu_s": 2.0}, judge,
        lambda found: {"error": (found["error"] - 0.1, found["error"] + 0.1)},
    )  # fmt: skip
    return model, weights, x


def test_a_fit_learns_and_a_seed_decides_it():
    (one, history), x = fitted()
    (two, _), _ = fitted()
    (other, _), _ = fitted(seed=2)
    assert history.step[-1] == CONFIG["steps"]
    fresh = full_scale.fit(build, {**CONFIG, "steps": 0}, x, x[:, :1], 1, loss="mse")[0]
    before, after = (np.mean((m.predict(x, verbose=0) - x[:, :1]) ** 2) for m in (fresh, one))
    assert after < 0.8 * before
    assert np.array_equal(one.predict(x, verbose=0), two.predict(x, verbose=0))
    assert not np.allclose(one.predict(x, verbose=0), other.predict(x, verbose=0))


def test_without_steps_the_network_is_fresh():
    model, history = full_scale.fit(build, {**CONFIG, "steps": 0}, np.zeros((4, 2)),
                                    np.zeros((4, 1), np.float32), 1, loss="mse")  # fmt: skip
    assert len(history.loss) == 0 and model.count_params() == 13


def test_what_is_kept_can_be_loaded(tmp_path):
    model, weights, x = kept(tmp_path)
    card = read_card(weights.with_suffix(".card.json"))
    assert card["scale"] == "build" and card["metrics"] == {"error": 0.5}
    assert card["bands"] == {"error": [0.4, 0.6]} and card["cpu_s"] == 2.0
    assert card["command"] == "firstlight train toy --scale build --seed 1"
    again = full_scale.load(study(tmp_path), None, build)
    assert np.allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), atol=2e-3)


def test_a_test_that_breaks_off_loses_neither_weights_nor_card(tmp_path):
    def judge(weights):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept(tmp_path, judge)
    assert read_card(tmp_path / "toy.card.json")["metrics"] == {}
    full_scale.load(study(tmp_path), tmp_path / "toy.npz", build)


def test_missing_weights_or_card_name_the_command(tmp_path):
    _, weights, _ = kept(tmp_path)
    weights.with_suffix(".card.json").rename(tmp_path / "shared.card.json")
    with pytest.raises(FileNotFoundError, match="firstlight train toy --scale full"):
        full_scale.load(study(tmp_path), weights, build)
    again = full_scale.load(study(tmp_path), weights, build, tmp_path / "shared.card.json")
    assert again.count_params() == 13
    with pytest.raises(FileNotFoundError, match="no such weights"):
        full_scale.load(study(tmp_path), tmp_path / "other.npz", build)


@pytest.mark.parametrize(
    ("now", "measured", "state"),
    [(NOW, 0.9, "fresh"), (Fingerprint("a", "b", (1.0, 3.0)), 0.55, "renewed"),
     (Fingerprint("a", "b", (1.0, 3.0)), 0.9, "failed")],
)  # fmt: skip
def test_stored_weights_are_measured_again_when_the_sky_changed(tmp_path, now, measured, state):
    asked = []

    def simulate(config, seed, n):
        asked.append((config["widths"], seed, n))

    _, weights, _ = kept(tmp_path)
    book = study(tmp_path, lambda weights, data: {"error": measured})
    assert full_scale.check(book, weights, lambda config: now, simulate).state == state
    assert asked == ([] if state == "fresh" else [((3,), 2, 20)])


def test_a_stopwatch_counts_both_times():
    watch = full_scale.Stopwatch(wall=-10.0, cpu=-5.0)
    read = watch.read()
    assert read["wall_s"] > 10 and read["cpu_s"] > 5
