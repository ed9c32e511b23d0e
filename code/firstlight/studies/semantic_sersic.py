"""Beyond the paper: Sersic galaxies behind a point-spread function, seven numbers, no truth needed.

The images are in units of their noise, which is all that the network is trained with: it draws
what it believes to have seen, and is judged by the picture it saw, noise and all.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from firstlight.studies import full_scale
from firstlight.studies.study import Config

__all__ = ["BUILD", "CENTER", "FULL", "LIMITS", "PIXELS", "SPREAD", "Galaxies", "build_model",
           "decoder", "fit", "fit_model", "ratios", "seconds_each", "simulate", "starts", "star",
           "training_numbers"]  # fmt: skip

PIXELS, FWHM = 48, 3.0  # pixels on a side; width of a star in pixels
SNR, RADII, RATIOS, INDICES, OFFSET = (20.0, 400.0), (1.5, 7.0), (0.2, 1.0), (0.7, 5.0), 1.5
# log_flux, x, y, log_radius, eta_1, eta_2, log_index over the prior: middle and scatter.
CENTER = (6.75, 0.0, 0.0, 1.2, 0.0, 0.0, 0.6)
SPREAD = (0.92, 0.9, 0.9, 0.45, 0.5, 0.5, 0.57)
LIMITS = ((0.0, -8, -8, -1.5, -3, -3, float(np.log(0.61))),
          (14.0, 8, 8, 3.2, 3, 3, float(np.log(5.99))))  # fmt: skip

BUILD: Config = {
    "n_train": 50_000,
    "n_test": 500,
    "widths": (256, 256, 128),
    "binning": 2,
    "soft": 3.0,
    "target": "noisy",
    "steps": 1_500,
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
    "steps": 20_000,
    "batch_size": 128,
    "ema": 0.999,
}


@dataclass(frozen=True)
class Galaxies:
    """Simulated galaxies with their truth.

    Args:
        images: In units of the noise, shape (n, 48, 48, 1).
        numbers: What they were drawn from, columns as in `layers.sersic.NAMES`, shape (n, 7).
        snr: Signal over noise of each under a perfect filter, shape (n,).
        covariance: The Cramer-Rao bound of `numbers`, shape (n, 7, 7).
    """

    images: NDArray[np.float32]
    numbers: NDArray[np.float32]
    snr: NDArray[np.float64]
    covariance: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.images)


def star(side: int = 25) -> NDArray[np.float64]:
    """A round Gaussian star with a sum of one, shape (side, side)."""
    sigma = FWHM / np.sqrt(8 * np.log(2))
    along = np.exp(-((np.arange(side) - side // 2) ** 2) / (2 * sigma**2))
    return np.asarray(np.outer(along, along) / along.sum() ** 2)


def decoder(psf: ArrayLike | None = None) -> Any:
    """The layer that draws the galaxies.

    Args:
        psf: See `layers.sersic.SersicRenderer`; by default that of `star`.
    """
    from firstlight.layers.sersic import SersicRenderer

    return SersicRenderer(PIXELS, star() if psf is None else psf, padding=1.5, name="sersic")


def _draw(n: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Numbers of n galaxies: signal over noise, radius and index are uniform in the logarithm."""
    snr, radius, index = (np.exp(rng.uniform(*np.log(ends), n)) for ends in (SNR, RADII, INDICES))
    eta, twice = -np.log(rng.uniform(*RATIOS, n)), rng.uniform(0, 2 * np.pi, n)
    # The light spreads over about so many pixels; the exact number depends on the profile.
    pixels = 4 * np.pi * (radius**2 / 2 + (FWHM / 2.355) ** 2)
    x, y = rng.uniform(-OFFSET, OFFSET, (2, n))
    columns = [np.log(snr * np.sqrt(pixels)), x, y, np.log(radius), eta * np.cos(twice),
               eta * np.sin(twice), np.log(index)]  # fmt: skip
    return np.stack(columns, axis=1).astype(np.float32)


def training_numbers(config: Config, seed: int) -> NDArray[np.float32]:
    """What the training galaxies are drawn from, shape (n_train, 7).

    Args:
        config: `n_train` is used.
        seed: 0 or more.
    """
    return _draw(config["n_train"], np.random.default_rng([seed, 2]))


def simulate(config: Config, seed: int, *, n: int | None = None) -> Galaxies:
    """A test sky that no training ever sees.

    Args:
        config: `n_test` is used.
        seed: 0 or more.
        n: How many; `n_test` by default.
    """
    from firstlight.evaluation.bound import fisher
    from firstlight.layers.scoring import slopes

    rng, draw = np.random.default_rng([seed, 3]), decoder()
    numbers = _draw(n or config["n_test"], rng)
    images, information = [], []
    for at in range(0, len(numbers), 50):
        drawn, slope = (np.asarray(part) for part in slopes(draw, numbers[at : at + 50]))
        images.append(drawn)
        information.append(fisher(slope.reshape(len(slope), -1, slope.shape[-1]), 1.0))
    clean = np.concatenate(images)
    noise = rng.standard_normal(clean.shape, np.float32)
    snr = np.sqrt((clean.astype(float) ** 2).sum(axis=(1, 2, 3)))
    return Galaxies(clean + noise, numbers, snr, np.linalg.inv(np.concatenate(information)))


def build_model(config: Config) -> Any:
    """The autoencoder of a configuration, with random weights: from numbers to misfits.

    Args:
        config: `widths`, `binning`, `soft` and `target` are used.
    """
    from firstlight.models import semantic_autoencoder as models

    encoder = models.dense_encoder(PIXELS, CENTER, SPREAD, binning=config["binning"],
                                   widths=config["widths"], soft=config["soft"])  # fmt: skip
    return models.autoencoder(encoder, decoder(), 1.0, config["target"])


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
        The trained autoencoder and its history; `semantic_autoencoder.encoder_of` opens it.
    """
    from firstlight.models.semantic_autoencoder import pixel_loss

    floor = len(CENTER) / PIXELS**2 if config["target"] == "clean" else 0.0
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


def starts(image: ArrayLike) -> NDArray[np.float64]:
    """Two guesses for a fit, a disk and a spheroid, both with the moments of the image.

    Args:
        image: In units of the noise, shape (48, 48).

    Returns:
        Shape (2, 7).
    """
    from firstlight.evaluation.fits import moments_start

    light = np.asarray(image, float)
    log_scale, eta_1, eta_2 = moments_start(light, (len(light) - 1) / 2)
    star_sigma = FWHM / 2.355
    radius = np.sqrt(max(np.exp(2 * (log_scale + 0.52)) - star_sigma**2, 1.0))
    flux = np.log(max(light.sum(), 10.0))
    return np.array([[flux, 0, 0, np.log(radius), eta_1, eta_2, index]
                     for index in (0.0, np.log(3.0))])  # fmt: skip


def fit(image: ArrayLike, draw: Any = None) -> Any:
    """The classical way: least squares with exact slopes from two starts; see `evaluation.fits`.

    Args:
        image: In units of the noise, shape (48, 48).
        draw: The renderer; by default `decoder()`, which a caller of many fits makes once.
    """
    from firstlight.evaluation.fits import fit_sersic

    return fit_sersic(image, draw or decoder(), 1.0, starts(image), LIMITS)


def ratios(found: ArrayLike, data: Galaxies, edges: ArrayLike) -> NDArray[np.float64]:
    """Robust dispersions in units of the bound, by signal over noise.

    Args:
        found: Measured numbers, shape (n, 7).
        data: With the truth.
        edges: Of the bins in signal over noise, rising, one more than bins.

    Returns:
        Shape (bins, 7); NaN in a bin of fewer than ten galaxies.
    """
    from firstlight.evaluation.bound import robust_ratio

    rest, ends = np.asarray(found, float) - data.numbers, np.asarray(edges, float)
    rows = []
    for low, high in zip(ends[:-1], ends[1:], strict=True):
        inside = (data.snr >= low) & (data.snr < high)
        enough = inside.sum() >= 10
        rows.append(robust_ratio(rest[inside], data.covariance[inside]) if enough
                    else np.full(rest.shape[1], np.nan))  # fmt: skip
    return np.array(rows)


def seconds_each(measure: Any, images: ArrayLike, repeats: int = 3) -> float:
    """CPU seconds that a measurement takes per galaxy, the fastest of several tries.

    Args:
        measure: Called with the images, once before the clock starts.
        images: Shape (n, ...).
        repeats: How many tries.
    """
    seen = np.asarray(images)
    measure(seen)
    best = np.inf
    for _ in range(repeats):
        began = time.process_time()
        measure(seen)
        best = min(best, time.process_time() - began)
    return best / len(seen)
