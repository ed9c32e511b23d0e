"""The plane with eight clusters: the data, the small players, and how generators are judged."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.evaluation import generators
from firstlight.models import toy_gan as models
from firstlight.studies import adversarial, toy_gan

rng = np.random.default_rng(0)


def test_the_ring_is_as_it_says():
    stars = toy_gan.ring(4000, np.random.default_rng(1))
    count, lost = generators.modes(stars, toy_gan.centers(), toy_gan.SCATTER)
    assert (np.abs(count - 500) < 100).all()
    assert lost == pytest.approx(np.exp(-4.5), abs=0.006)  # beyond three sigma in a plane
    both = toy_gan.told(500, np.random.default_rng(2))
    near = np.linalg.norm(both[:, None, :2] - toy_gan.centers(), axis=2).argmin(axis=1)
    assert (both[:, 2:].argmax(axis=1) == near).all()
    with pytest.raises(ValueError, match="clusters=0"):
        toy_gan.centers(0)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 7))
def test_a_generator_that_has_collapsed_is_seen(kept):
    stars = toy_gan.centers()[[kept]] + 0.01 * rng.normal(size=(300, 2))
    count, lost = generators.modes(stars, toy_gan.centers(), toy_gan.SCATTER)
    assert count.argmax() == kept and (count > 0).sum() == 1 and lost == 0
    real = toy_gan.ring(300, rng)
    fake, true = generators.neighbor_accuracy(stars, real)
    assert fake > 0.9 and true > 0.8


def test_the_same_cloud_cannot_be_told_apart_and_copies_show():
    real, other, unseen = (toy_gan.ring(1500, np.random.default_rng(i)) for i in range(3))
    assert np.mean(generators.neighbor_accuracy(other, real)) == pytest.approx(0.5, abs=0.04)
    assert np.mean(generators.neighbor_accuracy(real + 1e-6, real)) < 0.1
    assert generators.copying(other, unseen, real) == pytest.approx(1, abs=0.12)
    assert generators.copying(real[:100], unseen, real) == 0
    with pytest.raises(ValueError, match="in the training set"):
        generators.copying(other, real, real)


def test_bad_points_are_refused():
    good = np.zeros((5, 2))
    for bad in (np.full((5, 2), np.nan), np.zeros(5), np.zeros((1, 2))):
        with pytest.raises(ValueError, match="has diverged gives NaN"):
            generators.modes(bad, good, 0.1)
    with pytest.raises(ValueError, match="different numbers of features"):
        generators.modes(good, np.zeros((5, 3)), 0.1)
    with pytest.raises(ValueError, match="scatter=0"):
        generators.modes(good, good, 0)
    with pytest.raises(ValueError, match="equally many"):
        generators.neighbor_accuracy(good, np.zeros((4, 2)))


def test_players_have_the_shapes_they_say():
    plain, aware = models.toy_generator(3, 8), models.toy_generator(3, 8, labels=4)
    assert plain.output_shape == (None, 2) and aware.output_shape == (None, 6)
    given_ = rng.normal(size=(2, 7)).astype(np.float32)
    np.testing.assert_array_equal(aware.predict_on_batch(given_)[:, 2:], given_[:, 3:])
    assert models.toy_critic(8, labels=4).input_shape == (None, 6)
    with pytest.raises(ValueError, match="width=0"):
        models.toy_critic(0)
    with pytest.raises(ValueError, match="latent=0"):
        models.toy_generator(0)


@pytest.mark.parametrize("conditional", [False, True])
def test_a_game_is_played_and_repeated(conditional):
    game = adversarial.Game(3, 16, critic_steps=1)
    real = toy_gan.told if conditional else toy_gan.ring
    one, other = (
        toy_gan.play(game, 3, real=real, width=8, conditional=conditional) for _ in range(2)
    )
    drawn = one.draw(50, 1)
    assert drawn.shape == (50, 10 if conditional else 2) and np.isfinite(drawn).all()
    np.testing.assert_allclose(drawn, other.draw(50, 1), atol=1e-5)
    assert one.duel.step == [3]
