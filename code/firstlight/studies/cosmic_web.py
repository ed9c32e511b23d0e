"""The cosmic web: simulated slices, a generator that refines Gaussian fields, a critic.

After Rodriguez et al. (2018, Comput. Astrophys. Cosmol. 5, 4).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.evaluation import mapped_fields, web_shapes, web_statistics
from firstlight.sky import cosmic_web as sky
from firstlight.studies import adversarial, full_scale
from firstlight.studies import cosmic_web_data as seen
from firstlight.studies.cards import Fingerprint, Verdict, architecture_digest, digest
from firstlight.studies.study import Config, Study

__all__ = ["BUILD", "FULL", "HEIGHT", "STUDY", "WEIGHTS", "build_model", "check", "draw",
           "evaluate", "fingerprint", "fit_model", "load", "measured", "simulate", "train",
           "training_set"]  # fmt: skip

Floats = NDArray[np.float32]

WEIGHTS = Path(__file__).parents[1] / "models" / "weights" / "cosmic-web.npz"
SEED_OF_FINGERPRINT = 20_180_112  # any fixed number
HEIGHT = 8.0  # of the peaks that are counted, in units of the mean density
BUILD: Config = {
    "n_train": 8,
    "n_test": 8,
    "pixels": 64,
    "finer": 2,
    "fall_steps": 5,
    "channels": 8,
    "blocks": 2,
    "extra": 1,
    "widths": (12, 24, 48),
    "steps": 300,
    "batch_size": 16,
    "critic_steps": 2,
    "learning_rate": 1e-3,
    "critic_rate": 2e-3,
    "penalty": 10.0,
    "penalty_every": 2,
    "ema": 0.98,
    "spectrum": 3.0,
    "n_draw": 1_024,
}
FULL: Config = {
    **BUILD,
    "n_train": 40,
    "n_test": 24,
    "channels": 24,
    "blocks": 4,
    "widths": (32, 64, 128),
    "steps": 20_000,
    "batch_size": 32,
    "critic_steps": 3,
    "ema": 0.999,
    "n_draw": 4_096,
}


def simulate(config: Config, seed: int, *, n: int | None = None) -> sky.Boxes:
    """Fresh test boxes, which no training ever sees.

    Args:
        config: `n_test`, `pixels`, `finer` and `fall_steps` are used.
        seed: 0 or more.
        n: How many boxes; `n_test` by default.
    """
    return _boxes(config, n or config["n_test"], 2 * seed + 1)


def training_set(config: Config, seed: int) -> sky.Boxes:
    """The boxes that a generator is trained on; the first k of n are the same for any n."""
    return _boxes(config, config["n_train"], 2 * seed)


def _boxes(config: Config, n: int, seed: int) -> sky.Boxes:
    return sky.simulate(
        n, seed, pixels=config["pixels"], finer=config["finer"], steps=config["fall_steps"]
    )


def build_model(config: Config, field: mapped_fields.MappedField | None = None) -> Any:
    """The generator of a configuration, untrained: what it draws are mapped Gaussian fields.

    Args:
        config: `pixels`, `channels`, `blocks` and `extra` are used.
        field: Spectrum and histogram of the data; None leaves the noise white.

    Returns:
        A Keras model from white noise to log densities.
    """
    import tensorflow as tf

    from firstlight.models.cosmic_web import set_field, web_generator

    tf.get_logger().setLevel("ERROR")  # it warns that each network has a graph of its own
    keys = ("pixels", "channels", "blocks", "extra")
    generator = web_generator(**{key: config[key] for key in keys})
    return generator if field is None else set_field(generator, field.power, field.log_density)


def fit_model(
    config: Config,
    boxes: sky.Boxes,
    seed: int,
    *,
    checkpoint: Path | None = None,
    resume: bool = True,
    progress: bool = False,
    monitor: Callable[[Any], float] | None = None,
) -> tuple[Any, adversarial.Duel]:
    """Build the two networks and let them play.

    Args:
        config: Everything but the sky.
        boxes: From `training_set`.
        seed: Of weights, noise and choice.
        checkpoint: See `adversarial.fit`.
        resume: See `adversarial.fit`.
        progress: Show a progress bar.
        monitor: See `adversarial.fit`.

    Returns:
        The trained generator, and how the game went.
    """
    from firstlight import training
    from firstlight.models.cosmic_web import web_critic

    slices, _ = sky.slices(boxes)
    field = mapped_fields.fit(slices)
    logs = seen.ring_powers(slices)
    training.set_seed(seed)
    generator = build_model(config, field)
    critic = web_critic(
        config["pixels"], config["widths"], seen.RINGS, logs.mean(axis=0), logs.std(axis=0)
    )
    rules = ("steps", "batch_size", "critic_steps", "learning_rate", "critic_rate", "penalty",
             "penalty_every", "ema")  # fmt: skip
    duel = adversarial.fit(
        generator, critic, seen.examples(slices, field),
        adversarial.Game(**{key: config[key] for key in rules}), seed=seed,
        also=_also(config, np.exp(logs).mean(axis=0)),
        monitor=monitor, checkpoint=checkpoint, resume=resume, progress=progress,
    )  # fmt: skip
    return generator, duel


def _also(config: Config, power: Floats) -> Callable[[Any], Any] | None:
    return seen.spectrum_loss(config["spectrum"], power) if config["spectrum"] else None


def draw(generator: Any, n: int, seed: int) -> Floats:
    """Generated slices: densities in units of the mean, shape (n, pixels, pixels)."""
    noise, out = np.random.default_rng([seed, 4]), []
    for start in range(0, n, 64):
        some = noise.standard_normal((64, *generator.input_shape[1:]), np.float32)
        out.append(np.exp(generator.predict_on_batch(some)[: n - start, ..., 0]))
    return np.concatenate(out)


def measured(slices: Floats, boxes: sky.Boxes) -> dict[str, float]:
    """How far slices are from those of boxes, in the numbers of the chapter.

    Args:
        slices: Independent slices, densities in units of the mean.
        boxes: Test boxes.

    Returns:
        `power_mean_deviation` and `power_max_deviation` over the bins from 0.06 to 0.4 h/Mpc,
        `power_error` (mean standard error of the ratio), `histogram_gap`, `peak_ratio` above
        `HEIGHT`, `correlation_gap` of the log powers, `skewness_deviation` (rms, relative; the
        two lowest bins, where there is hardly any, left out), and
        `euler_gap` and `ridge_ratio`, which see the shapes.
    """
    test, groups = sky.slices(boxes)
    size = boxes.box_mpc_h
    ours, theirs = (web_statistics.power_spectra(each, size) for each in (slices, test))
    ratio = web_statistics.power_ratio(ours, theirs, reference_groups=groups)
    peaks = [web_statistics.peak_counts(each, HEIGHT).mean() for each in (slices, test)]
    skew = [web_statistics.band_skewness(each, size)[2:] for each in (slices, test)]
    return {
        "power_mean_deviation": ratio.mean_deviation,
        "power_max_deviation": ratio.max_deviation,
        "power_error": float(ratio.error.mean()),
        "histogram_gap": web_statistics.histogram_gap(slices, test),
        "peak_ratio": float(peaks[0] / peaks[1]),
        "correlation_gap": web_statistics.correlation_gap(ours, theirs),
        "euler_gap": web_shapes.euler_gap(slices, test),
        "ridge_ratio": web_shapes.ridge_share(slices) / web_shapes.ridge_share(test),
        "skewness_deviation": float(np.sqrt(np.mean((skew[0] / skew[1] - 1) ** 2))),
    }


def load(weights: Path | None = None) -> Any:
    """The generator of stored weights, as their card describes it.

    Args:
        weights: An npz file; None for those of the package.

    Raises:
        FileNotFoundError: If they were never made, with the command that makes them.
    """
    return full_scale.load(STUDY, weights, build_model)


def train(
    config: Config, seed: int, out: Path, *, resume: bool = True, progress: bool = False
) -> Path:
    """Simulate, train, and write the generator's weights and their card.

    Args:
        config: `BUILD`, `FULL`, or one like them.
        seed: Of everything.
        out: Folder for checkpoint, weights and card.
        resume: Continue from the checkpoint, if there is one.
        progress: Show a progress bar.

    Returns:
        The weights.
    """
    out, watch = Path(out), full_scale.Stopwatch()
    boxes = training_set(config, seed)
    generator, duel = fit_model(config, boxes, seed, checkpoint=out / "checkpoint.npz",
                                resume=resume, progress=progress)  # fmt: skip
    test = simulate(config, seed + 1)
    return full_scale.keep(
        STUDY, config, seed, generator, out / WEIGHTS.name, fingerprint(config),
        {**watch.read(), "train_cpu_s": round(duel.cpu_s[-1], 1) if duel.cpu_s else 0.0},
        lambda weights: evaluate(weights, test), _bands,
    )  # fmt: skip


def _bands(found: dict[str, float]) -> dict[str, tuple[float, float]]:
    """The weights stay, the test boxes change: three errors of the power for what rests on it."""
    luck = 3 * found["power_error"]
    return {
        "power_mean_deviation": (0.0, found["power_mean_deviation"] + luck),
        "power_max_deviation": (0.0, found["power_max_deviation"] + 2 * luck),
        "peak_ratio": (found["peak_ratio"] - luck, found["peak_ratio"] + luck),
    }


def evaluate(weights: Path | None, data: sky.Boxes) -> dict[str, float]:
    """The numbers of `measured` for stored weights on test boxes.

    Args:
        weights: An npz file beside its card; None for those of the package.
        data: From `simulate`.
    """
    from firstlight.studies.cards import read_card

    path = Path(weights) if weights is not None else WEIGHTS
    n = int(read_card(path.with_suffix(".card.json"))["config"]["n_draw"])
    return measured(draw(load(path), n, SEED_OF_FINGERPRINT), data)


def fingerprint(config: Config) -> Fingerprint:
    """What a result with this configuration depends on, as things are now."""
    from firstlight.models.cosmic_web import web_critic

    box = sky.simulate(2, SEED_OF_FINGERPRINT, pixels=32, finer=1, steps=config["fall_steps"])
    levels = np.quantile(np.log(box.density + 0.05), np.linspace(0.05, 0.95, 10))
    power = web_statistics.power_spectra(
        sky.slices(box)[0], box.box_mpc_h, (0.06, 0.1, 0.2, 0.35)
    ).mean(axis=0)
    networks = [architecture_digest(each) for each in (
        build_model(config), web_critic(config["pixels"], config["widths"], seen.RINGS),
    )]  # fmt: skip
    return Fingerprint(
        architecture=digest(networks),
        training=digest(full_scale.tuples(config)),
        simulator=(*levels.tolist(), *(np.log10(power)).tolist()),
    )


def check(write: bool = True, weights: Path = WEIGHTS) -> Verdict:
    """Do the package's full-scale weights still belong to this code? See `cards.check_card`."""
    return full_scale.check(STUDY, weights, fingerprint, simulate, write=write)


STUDY = Study("cosmic-web", {"build": BUILD, "full": FULL}, simulate, train, evaluate, WEIGHTS)
"""What `firstlight train cosmic-web` runs."""
