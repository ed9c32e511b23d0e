"""The semantic autoencoder: three numbers that a galaxy is drawn from, read off its picture.

After Aragon-Calvo & Carvajal (2020, MNRAS 498, 3713), first in their own set-up: exponential disks
of peak one on 64 by 64 pixels, noise of 0.025. Where their network stops, ours takes one step
of a fit through the decoder, and stands at the Cramer-Rao bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from firstlight.studies import full_scale
from firstlight.studies.cards import Fingerprint, Verdict, architecture_digest, digest
from firstlight.studies.study import Config, Study

__all__ = ["BUILD", "ENCODERS", "FULL", "STUDY", "TARGETS", "WEIGHTS", "Disks", "build_model",
           "check", "encoder_of", "errors", "evaluate", "fingerprint", "fit_model", "load",
           "measure", "simulate", "train", "training_numbers", "with_step"]  # fmt: skip

WEIGHTS = Path(__file__).parents[1] / "models" / "weights" / "semantic-autoencoder.npz"
SEED_OF_FINGERPRINT = 20_200_828  # any fixed number
ENCODERS, TARGETS = ("dense", "paper"), ("noisy", "clean")
PIXELS, NOISE, HALF_WIDTH = 64, 0.025, 1 / 16  # the paper's
SCALES, ELLIPTICITIES, ANGLES = (0.01, 0.05), (0.2, 0.75), (0.0, 180.0)
# What the encoder says before training, and in units of what it speaks: mean and scatter of
# log_scale, eta_1 and eta_2 over the prior.
CENTER, SPREAD = (-3.95, 0.0, 0.0), (0.45, 0.5, 0.5)

BUILD: Config = {
    "n_train": 100_000,
    "n_test": 1_000,
    "encoder": "dense",
    "widths": (256, 256, 128),
    "binning": 2,
    "target": "noisy",
    "steps": 5_000,
    "batch_size": 64,
    "learning_rate": 2e-3,
    "weight_decay": 0.0,
    "ema": 0.98,
}
FULL: Config = {
    **BUILD,
    "n_train": 500_000,
    "n_test": 4_000,
    "widths": (512, 512, 256),
    "steps": 24_000,
    "batch_size": 128,
    "ema": 0.999,
}


@dataclass(frozen=True)
class Disks:
    """Simulated galaxies with their truth.

    Args:
        images: With noise, shape (n, 64, 64, 1).
        shape: Scale, ellipticity and angle in degrees, shape (n, 3).
        numbers: The same as the decoder takes them: log_scale, eta_1, eta_2.
        covariance: The Cramer-Rao bound of `numbers`, shape (n, 3, 3).
    """

    images: NDArray[np.float32]
    shape: NDArray[np.float64]
    numbers: NDArray[np.float32]
    covariance: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.images)


def _decoder() -> Any:
    from firstlight.layers.sersic import ExponentialDisk

    return ExponentialDisk(PIXELS, HALF_WIDTH, name="disk")


def _draw_shapes(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    ranges = (SCALES, ELLIPTICITIES, ANGLES)
    return np.stack([rng.uniform(low, high, n) for low, high in ranges], axis=1)


def training_numbers(config: Config, seed: int) -> NDArray[np.float32]:
    """What the training galaxies are drawn from, shape (n_train, 3); nobody else learns it.

    Args:
        config: `n_train` is used.
        seed: 0 or more.
    """
    from firstlight.models.semantic_autoencoder import from_shape

    rng = np.random.default_rng([seed, 0])
    return from_shape(_draw_shapes(config["n_train"], rng)).astype(np.float32)


def simulate(config: Config, seed: int, *, n: int | None = None) -> Disks:
    """A test sky: galaxies that no training ever sees, with noise and with their bound.

    Args:
        config: `n_test` is used.
        seed: 0 or more.
        n: How many; `n_test` by default.
    """
    from firstlight.evaluation.bound import bound
    from firstlight.models.semantic_autoencoder import from_shape

    rng, decoder = np.random.default_rng([seed, 1]), _decoder()
    shape = _draw_shapes(n or config["n_test"], rng)
    numbers = from_shape(shape).astype(np.float32)
    parts = [np.asarray(decoder(numbers[at : at + 500])) for at in range(0, len(numbers), 500)]
    images = np.concatenate(parts)
    images += NOISE * rng.standard_normal(images.shape, np.float32)
    return Disks(images, shape, numbers, bound(decoder, numbers, NOISE))


def build_model(config: Config) -> Any:
    """The autoencoder of a configuration, with random weights: from numbers to misfits.

    Args:
        config: `encoder`, `widths`, `binning` and `target` are used.

    Returns:
        A Keras model; `encoder_of` takes the encoder out of it.

    Raises:
        ValueError: If the encoder or the target is unknown.
    """
    from firstlight.models import semantic_autoencoder as models

    if config["encoder"] not in ENCODERS or config["target"] not in TARGETS:
        raise ValueError(
            f"encoder, target: received {config['encoder']!r}, {config['target']!r}; expected "
            f"one of {', '.join(ENCODERS)} and one of {', '.join(TARGETS)}."
        )
    if config["encoder"] == "paper":
        encoder = models.paper_encoder(PIXELS)
    else:
        encoder = models.dense_encoder(
            PIXELS, CENTER, SPREAD, binning=config["binning"], widths=config["widths"]
        )
    return models.autoencoder(encoder, _decoder(), NOISE, config["target"])


def encoder_of(model: Any) -> Any:
    """The half that looks: from images (n, 64, 64, 1) to the decoder's numbers (n, 3)."""
    return next(part for part in model.layers if hasattr(part, "layers"))


def with_step(encoder: Any, steps: int = 1) -> Any:
    """The encoder followed by steps of a fit through the decoder; see `layers.scoring`."""
    from firstlight.models.semantic_autoencoder import refined

    return refined(encoder, _decoder(), steps)


def fit_model(
    config: Config,
    numbers: NDArray[np.float32],
    seed: int,
    *,
    checkpoint: Path | None = None,
    resume: bool = True,
    progress: bool = False,
) -> tuple[Any, Any]:
    """Build and train the autoencoder of a configuration.

    Args:
        config: Everything but the sky.
        numbers: From `training_numbers`.
        seed: Of weights, order and noise.
        checkpoint: See `training.fit`.
        resume: See `training.fit`.
        progress: Show a progress bar.

    Returns:
        The trained autoencoder and its history.
    """
    from firstlight.models.semantic_autoencoder import pixel_loss

    floor = 3 / PIXELS**2 if config["target"] == "clean" else 0.0
    return full_scale.fit(
        build_model,
        {**config, "batch_size": min(config["batch_size"], len(numbers))},
        numbers,
        np.zeros((len(numbers), 1), np.float32),
        seed,
        loss=pixel_loss(floor),
        checkpoint=checkpoint,
        resume=resume,
        progress=progress,
    )


def measure(encoder: Any, images: ArrayLike, batch_size: int = 500) -> NDArray[np.float64]:
    """What an encoder reads off images: the decoder's numbers, shape (n, 3).

    Args:
        encoder: From `encoder_of` or `with_step`.
        images: Shape (n, 64, 64, 1).
        batch_size: Images at a time.

    Raises:
        ValueError: If an image has another size, or NaN.
    """
    from firstlight.layers.sersic import check_images

    seen = check_images(images, multiple=8)
    if seen.shape[1] != PIXELS:
        raise ValueError(
            f"images: received {seen.shape[1]} pixels on a side, expected {PIXELS}. Cut or rebin "
            "them to the scale of the training."
        )
    parts = [encoder.predict_on_batch(seen[at : at + batch_size])
             for at in range(0, len(seen), batch_size)]  # fmt: skip
    return np.concatenate([np.asarray(part, float) for part in parts])


def errors(found: ArrayLike, data: Disks) -> dict[str, float]:
    """Errors of measured numbers, by the paper's statistic and by the bound's.

    Args:
        found: The decoder's numbers, shape (n, 3).
        data: With the truth.

    Returns:
        `scale`, `ellipticity` and `angle_deg`: standard deviations of true minus measured, where
        the difference of two angles is at most 90 degrees. `crb_ratio`: the worst of the three
        robust dispersions in units of the bound.
    """
    from firstlight.evaluation.bound import propagate, robust_ratio
    from firstlight.models.semantic_autoencoder import to_shape

    rest = to_shape(found) - data.shape
    rest[:, 2] = (rest[:, 2] + 90) % 180 - 90

    def change(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        near = to_shape(numbers)
        near[:, 2] = (near[:, 2] - data.shape[:, 2] + 90) % 180 - 90  # no jump at 180 degrees
        return near

    covariance = propagate(data.covariance, change, data.numbers)
    ratio = robust_ratio(rest, covariance)
    spread = dict(zip(("scale", "ellipticity", "angle_deg"), rest.std(axis=0), strict=True))
    return {name: float(value) for name, value in {**spread, "crb_ratio": ratio.max()}.items()}


def load(weights: Path | None = None) -> Any:
    """The encoder whose weights are stored, as its card describes it.

    Args:
        weights: An npz file; None for those of the package.

    Raises:
        FileNotFoundError: If they were never made, with the command that makes them.
    """
    return encoder_of(full_scale.load(STUDY, weights, build_model))


def train(
    config: Config, seed: int, out: Path, *, resume: bool = True, progress: bool = False
) -> Path:
    """Train once; write weights and a card.

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
    model, history = fit_model(config, training_numbers(config, seed), seed, resume=resume,
                               progress=progress, checkpoint=out / "checkpoint.npz")  # fmt: skip
    test = simulate(config, seed + 1)
    spent = round(history.cpu_s[-1], 1) if history.cpu_s else 0.0
    return full_scale.keep(
        STUDY, config, seed, model, out / WEIGHTS.name, fingerprint(config),
        {**watch.read(), "train_cpu_s": spent}, lambda weights: evaluate(weights, test),
        # The weights stay, the test sky changes: a dispersion of n galaxies, outliers among them.
        lambda found: {name: (0.8 * value, 1.25 * value) for name, value in found.items()},
    )  # fmt: skip


def evaluate(weights: Path | None, data: Disks) -> dict[str, float]:
    """Errors of the stored encoder on a test sky, alone and with one step of a fit behind it.

    Args:
        weights: An npz file; None for those of the package.
        data: From `simulate`.

    Returns:
        What `errors` gives, and the same with `step_` before the name.
    """
    encoder = load(weights)
    alone = errors(measure(encoder, data.images), data)
    step = errors(measure(with_step(encoder), data.images), data)
    return {**alone, **{f"step_{name}": value for name, value in step.items()}}


def fingerprint(config: Config) -> Fingerprint:
    """What a result with this configuration depends on, as things are now."""
    sky = simulate(config, SEED_OF_FINGERPRINT, n=64)
    levels = np.quantile(sky.images, np.linspace(0.02, 0.98, 13))
    sigma = np.sqrt(np.einsum("naa->na", sky.covariance)).mean(axis=0)
    model = build_model(config)
    return Fingerprint(
        architecture=digest([architecture_digest(encoder_of(model)), architecture_digest(model)]),
        training=digest(full_scale.tuples(config)),
        simulator=(*levels.tolist(), *(100 * sigma).tolist(), *sky.shape.mean(axis=0).tolist()),
    )


def check(write: bool = True, weights: Path = WEIGHTS) -> Verdict:
    """Do the package's full-scale weights still belong to this code? See `cards.check_card`."""
    return full_scale.check(STUDY, weights, fingerprint, simulate, write=write)


STUDY = Study(
    "semantic-autoencoder", {"build": BUILD, "full": FULL}, simulate, train, evaluate, WEIGHTS
)
