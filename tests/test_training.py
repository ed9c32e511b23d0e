"""Training resumes to the same end, schedules have their shape, weights survive the disk."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest

from firstlight import training
from firstlight.layers.augmentation import random_symmetry


def tiny(steps=30, ema=0.9, seed=3):
    training.set_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(2),
        ]
    )
    return training.compile_model(model, steps=steps, learning_rate=0.01, ema=ema)


def data(n=64):
    rng = np.random.default_rng(0)
    images = rng.normal(size=(n, 8, 8, 1)).astype("float32")
    return images, np.stack([images.mean((1, 2, 3)), images.std((1, 2, 3))], axis=1)


class Stop:
    """An augmentation that interrupts the run before the given step."""

    def __init__(self, at, error=KeyboardInterrupt):
        self.calls, self.at, self.error = 0, at, error

    def __call__(self, images, rng):
        self.calls += 1
        if self.calls > self.at:
            raise self.error
        return random_symmetry(images, rng)


SETTINGS = {"steps": 30, "batch_size": 16, "seed": 5, "report_every": 7}


@pytest.mark.parametrize("stop_at", [1, 13, 28])
def test_an_interrupted_run_ends_in_the_same_weights(tmp_path, stop_at):
    whole = tiny()
    told = training.fit(whole, *data(), augment=random_symmetry, **SETTINGS)
    path = tmp_path / "run.npz"
    with pytest.raises(KeyboardInterrupt):
        training.fit(tiny(), *data(), augment=Stop(stop_at), checkpoint=path, **SETTINGS)
    again = tiny(seed=99)  # another start: everything must come from the checkpoint
    resumed = training.fit(again, *data(), augment=random_symmetry, checkpoint=path, **SETTINGS)
    for a, b in zip(whole.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    assert resumed.step == told.step == [7, 14, 21, 28, 30]
    np.testing.assert_allclose(resumed.loss, told.loss, rtol=1e-5)


def test_a_killed_run_resumes_from_its_last_checkpoint(tmp_path):
    whole, path = tiny(), tmp_path / "run.npz"
    training.fit(whole, *data(), augment=random_symmetry, **SETTINGS)
    with pytest.raises(SystemError):  # not caught by fit: as if the process had been killed
        training.fit(
            tiny(), *data(), augment=Stop(20, SystemError), checkpoint=path,
            checkpoint_every_s=0, **SETTINGS,
        )  # fmt: skip
    again = tiny()
    training.fit(again, *data(), augment=random_symmetry, checkpoint=path, **SETTINGS)
    for a, b in zip(whole.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    assert [p.name for p in tmp_path.iterdir()] == ["run.npz"]


def test_a_finished_run_is_not_run_again(tmp_path):
    path, first = tmp_path / "run.npz", tiny()
    training.fit(first, *data(), checkpoint=path, **SETTINGS)
    again = tiny(seed=1)
    training.fit(again, *data(), augment=Stop(0), checkpoint=path, **SETTINGS)
    np.testing.assert_array_equal(first.get_weights()[0], again.get_weights()[0])


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    path = tmp_path / "run.npz"
    training.fit(tiny(), *data(), checkpoint=path, **SETTINGS)
    with pytest.raises(ValueError, match="'steps': 30.*resume=False"):
        training.fit(tiny(), *data(), checkpoint=path, **{**SETTINGS, "steps": 31})
    training.fit(tiny(31), *data(), checkpoint=path, resume=False, **{**SETTINGS, "steps": 31})


def test_the_same_seed_gives_the_same_run_and_another_does_not():
    runs = [tiny(seed=s) for s in (3, 3, 4)]
    for run in runs:
        training.fit(run, *data(), **SETTINGS)
    first, same, other = (run.get_weights()[0] for run in runs)
    np.testing.assert_allclose(first, same, atol=1e-7)
    assert not np.allclose(first, other)


def test_averaged_weights_are_put_in_place():
    with_ema, without = tiny(), tiny(ema=None)
    for model in (with_ema, without):
        training.fit(model, *data(), **SETTINGS)
    assert not np.allclose(with_ema.get_weights()[0], without.get_weights()[0])


def test_training_learns_a_mean_and_a_spread():
    model = tiny(steps=300)
    history = training.fit(model, *data(256), steps=300, batch_size=32, report_every=100)
    assert history.loss[-1] < 0.3 * history.loss[0]
    assert np.all(np.diff(history.cpu_s) > 0)


def test_the_loss_reported_is_the_mean_since_the_last_report():
    single, grouped = tiny(ema=None), tiny(ema=None)
    every = training.fit(single, *data(), **{**SETTINGS, "report_every": 1})
    seventh = training.fit(grouped, *data(), **SETTINGS)
    assert seventh.loss[1] == pytest.approx(np.mean(every.loss[7:14]), rel=1e-4)


def test_monitor_is_kept_in_the_history():
    model = tiny()
    history = training.fit(model, *data(), monitor=lambda m: 0.5, **SETTINGS)
    assert history.monitor == [0.5] * 5


def test_warmup_cosine_rises_peaks_and_falls():
    schedule = training.warmup_cosine(0.1, steps=100, warmup=0.2, final=0.01)
    rate = np.array([float(schedule(step)) for step in range(101)])
    assert rate.argmax() == 20 and rate.max() == pytest.approx(0.1)
    assert np.all(np.diff(rate[:21]) > 0) and np.all(np.diff(rate[20:]) < 0)
    assert rate[60] == pytest.approx(0.1 * (0.5 + 0.5 * 0.01), rel=1e-3)
    assert rate[100] == pytest.approx(0.001, rel=1e-3)


def test_weights_survive_float16(tmp_path):
    model = tiny()
    training.save_weights(model, tmp_path / "w.npz")
    again = training.load_weights(tiny(seed=8), tmp_path / "w.npz")
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-6)
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="do not fit"):
        training.load_weights(other, tmp_path / "w.npz")


def test_weights_beyond_float16_are_refused_and_leave_no_file(tmp_path):
    model = tiny()
    model.set_weights([w + 1e6 for w in model.get_weights()])
    with pytest.raises(ValueError, match="beyond float16"):
        training.save_weights(model, tmp_path / "w.npz")
    assert not list(tmp_path.iterdir())


def test_averaging_over_symmetries_is_invariant():
    model, (images, _) = tiny(), data(6)
    whole = training.predict(model, images, symmetries=8)
    turned = training.predict(model, np.rot90(images, axes=(1, 2)), symmetries=8, batch_size=4)
    np.testing.assert_allclose(whole, turned, atol=1e-5)
    single = training.predict(model, images)
    np.testing.assert_allclose(single, model.predict(images, verbose=0), atol=1e-6)


def test_bad_arguments_are_refused():
    images, targets = data(8)
    with pytest.raises(ValueError, match="received 8, 8, 9"):
        training.fit(tiny(), images, targets, steps=2, batch_size=9)
    with pytest.raises(ValueError, match="symmetries: received 3"):
        training.predict(tiny(), images, symmetries=3)
    with pytest.raises(FloatingPointError, match="step 0"):
        training.fit(tiny(), images, targets * np.nan, steps=2, batch_size=4)
    with pytest.raises(ValueError, match="2 steps or more"):
        training.warmup_cosine(0.1, steps=1)
