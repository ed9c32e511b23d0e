"""Two networks against each other: the game is played, stopped, resumed, and refuses nonsense."""

import keras
import numpy as np
import pytest

from firstlight.studies import adversarial


def players(seed=0):
    keras.utils.set_random_seed(seed)
    generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    critic = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(16, "leaky_relu"), keras.layers.Dense(1)]
    )
    return generator, critic


def real(n, rng):
    return rng.normal(3, 0.5, (n, 1)).astype(np.float32)


def test_the_generator_finds_the_data():
    generator, critic = players()
    game = adversarial.Game(150, 32, learning_rate=0.03, critic_rate=0.02, penalty=1.0, ema=0.9)
    duel = adversarial.fit(generator, critic, real, game, report_every=50,
                           monitor=lambda g: float(g.get_weights()[1][0]))  # fmt: skip
    drawn = generator.predict_on_batch(np.random.default_rng(1).normal(size=(500, 2)))
    assert drawn.mean() == pytest.approx(3, abs=0.5)
    assert duel.step == [50, 100, 150] and np.isfinite(duel.gap + duel.slope).all()
    assert abs(duel.gap[-1]) < abs(duel.gap[0]) and (np.diff(duel.cpu_s) >= 0).all()
    assert duel.monitor[-1] == pytest.approx(3, abs=0.6)


@pytest.mark.parametrize("rule", ["minimax", "non-saturating"])
def test_the_first_games_are_played_too(rule):
    generator, critic = players(4)
    game = adversarial.Game(150, 32, learning_rate=0.02, critic_rate=0.01, penalty=0.0, rule=rule)
    adversarial.fit(generator, critic, real, game)
    drawn = generator.predict_on_batch(np.zeros((1, 2), np.float32))
    assert drawn.mean() > 1


def test_what_the_generator_takes_may_be_chosen():
    generator, critic = players()
    seen = []

    def latent(n, rng):
        seen.append(n)
        return np.ones((n, 2), np.float32)

    adversarial.fit(generator, critic, real, adversarial.Game(2, 4), latent=latent)
    assert seen == [4] * 6


def test_a_further_loss_is_heeded():
    generator, critic = players()
    game = adversarial.Game(60, 16, learning_rate=0.05, penalty=1.0, ema=0.5)
    adversarial.fit(
        generator, critic, real, game,
        also=lambda fake: 50 * keras.ops.mean(keras.ops.square(fake + 1)),
    )  # fmt: skip
    drawn = generator.predict_on_batch(np.zeros((4, 2), np.float32))
    assert drawn.mean() == pytest.approx(-1, abs=0.5)


def test_a_game_that_was_stopped_ends_as_one_that_was_not(tmp_path):
    game = adversarial.Game(6, 8, penalty_every=2)
    whole, critic = players(1)
    adversarial.fit(whole, critic, real, game, seed=5)

    def stops(n, rng, calls=[0]):  # noqa: B006
        calls[0] += 1
        if calls[0] == 8:
            raise KeyboardInterrupt
        return real(n, rng)

    path, often = tmp_path / "game.npz", {"seed": 5, "checkpoint_every_s": 0.0}
    with pytest.raises(KeyboardInterrupt):
        adversarial.fit(*players(1), stops, game, checkpoint=path, **often)
    again = players(2)
    duel = adversarial.fit(*again, real, game, seed=5, checkpoint=path, report_every=2)
    assert duel.step[-1] == 6
    for one, other in zip(whole.get_weights(), again[0].get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    with pytest.raises(ValueError, match="received a run with"):
        adversarial.fit(*again, real, adversarial.Game(7, 8), seed=5, checkpoint=path)
    finished = adversarial.fit(*players(3), real, game, seed=5, checkpoint=path)
    assert finished.step == duel.step


def test_the_rate_is_held_and_then_falls():
    assert [adversarial.rate(step, 100) for step in (0, 50, 75, 100)] == [1, 1, 0.5, 0]


@pytest.mark.parametrize("bad", [{"steps": -1}, {"batch_size": 1}, {"critic_steps": 0},
                                 {"ema": 1.0}, {"penalty": -1.0}, {"rule": "chess"}])  # fmt: skip
def test_rules_that_make_no_sense_are_refused(bad):
    with pytest.raises(ValueError, match="Game: received"):
        adversarial.Game(**{"steps": 3, **bad})


def test_real_examples_with_nan_are_noticed():
    with pytest.raises(FloatingPointError, match="received a gap of nan at step 0"):
        adversarial.fit(*players(), lambda n, rng: np.full((n, 1), np.nan, np.float32),
                        adversarial.Game(2, 4))  # fmt: skip
