"""Domain shift: labels from one survey, galaxies from another, and what can be done about it.

Every method starts from the same network, trained on the first survey, and may take as many
further steps with as many images as any other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from firstlight.layers.augmentation import random_symmetry, random_warp
from firstlight.sky import two_surveys
from firstlight.sky.galaxies import stretch
from firstlight.studies.study import Config

__all__ = ["BUILD", "FEW", "METHODS", "Skies", "accuracy", "adapt", "balanced_accuracy",
           "other_telescope", "predict", "skies", "train_source", "train_target"]  # fmt: skip

Floats = NDArray[np.float32]

METHODS = ("none", "statistics", "augmentation", "mmd", "coral", "adversarial")
FEW = (10, 50, 200, 500)  # labels of the second survey
BUILD: Config = {
    "n_labeled": 3_000,
    "n_unlabeled": 3_000,
    "n_few": 500,
    "n_test": 2_000,
    "size": 32,
    "widths": (16, 32, 64),
    "features": 32,
    "steps": 300,
    "batch_size": 64,
    "learning_rate": 3e-3,
    "adapt_steps": 200,
    "adapt_rate": 1e-3,
    "weight_mmd": 1.0,
    "weight_coral": 10.0,
    "weight_adversarial": 0.3,
}


@dataclass(frozen=True)
class Skies:
    """Galaxies of a study, no galaxy in two sets; images in sky sigma.

    Args:
        labeled: As the first survey sees them.
        labels: 1 for late types, 0 for early ones.
        unlabeled: Others, as the second survey sees them.
        few: Yet others by the second survey, for which labels were bought.
        few_labels: These labels.
        test: Seen by both, with labels for judging.
    """

    labeled: Floats
    labels: NDArray[np.int64]
    unlabeled: Floats
    few: Floats
    few_labels: NDArray[np.int64]
    test: two_surveys.Pair


def skies(
    config: Config,
    seed: int,
    *,
    second: two_surveys.View = two_surveys.LEGACY,
    late_share: float = 0.5,
) -> Skies:
    """Simulates all galaxies of a study.

    Args:
        config: `n_labeled`, `n_unlabeled`, `n_few`, `n_test` and `size` are used.
        seed: 0 or more.
        second: The survey without labels.
        late_share: Share of late types in the second survey, and in the test; the first has
            one half.
    """
    numbers = [config[name] for name in ("n_labeled", "n_unlabeled", "n_few", "n_test")]
    shares = (0.5, late_share, late_share, late_share)
    pairs = [
        two_surveys.simulate(n, 4 * seed + k, second=second, late_share=share, size=config["size"])
        for k, (n, share) in enumerate(zip(numbers, shares, strict=True))
    ]
    labeled, unlabeled, few, test = pairs
    return Skies(labeled.first, labeled.labels, unlabeled.second, few.second, few.labels, test)


def other_telescope(images: Floats, rng: np.random.Generator) -> Floats:
    """Augmentation by what might differ between telescopes, for someone who has not seen the other.

    Each image gets another depth, pixel scale and seeing, and each band a gain of its own.
    Noise is added where the sky has become quieter than one sigma. A picture cannot be made
    sharper or deeper than it is, only brighter, and its noise with it.

    Args:
        images: In sky sigma, shape (n, size, size, 3).
        rng: Source of randomness.

    Returns:
        A new array of the same shape, in sky sigma.
    """
    n = len(images)
    out = random_warp(images, rng, shift=0.5, zoom=1.8)
    gain = np.exp(rng.normal(0.3, 0.6, (n, 1)) + rng.normal(0, 0.4, (n, 3)))
    width = rng.uniform(0, 1.2, n)
    for k in range(n):
        out[k] = gaussian_filter(out[k], (width[k], width[k], 0)) if width[k] > 0.3 else out[k]
    out *= gain[:, None, None, :].astype(np.float32)
    corner = out[:, :4].std(axis=(1, 2))  # the sky, as it is now
    missing = np.sqrt(np.maximum(1 - corner**2, 0))[:, None, None, :].astype(np.float32)
    return out + missing * rng.standard_normal(out.shape, dtype=np.float32)


Batches = Callable[[np.random.Generator, int], tuple[Floats, NDArray[Any], NDArray[Any]]]


def _labeled(images: Floats, labels: NDArray[Any], augment: Any = None) -> Batches:
    def draw(rng: np.random.Generator, n: int) -> tuple[Floats, NDArray[Any], NDArray[Any]]:
        rows = rng.integers(0, len(images), n)
        x = images[rows] if augment is None else augment(images[rows], rng)
        return x, labels[rows], np.ones(n, np.float32)

    return draw


def _both(data: Skies) -> Batches:
    """Half of a batch with labels, half of it without: these weigh nothing, the others double."""
    first = _labeled(data.labeled, data.labels)

    def draw(rng: np.random.Generator, n: int) -> tuple[Floats, NDArray[Any], NDArray[Any]]:
        x, y, _ = first(rng, n // 2)
        other = data.unlabeled[rng.integers(0, len(data.unlabeled), n // 2)]
        weight = np.repeat(np.array([2.0, 0.0], np.float32), n // 2)
        return np.concatenate([x, other]), np.concatenate([y, 0 * y]), weight

    return draw


def _train(
    model: Any, batches: Batches, config: Config, steps: int, rate: float, seed: int
) -> list[float]:
    from firstlight import training
    from firstlight.layers.gradient_reversal import reversal_schedule

    training.compile_model(model, steps=steps, learning_rate=rate, weight_decay=1e-4,
                           loss="binary_crossentropy")  # fmt: skip
    critic = next((layer for layer in model.layers if layer.name == "critic"), None)
    losses = []
    for step in range(steps):
        rng = np.random.default_rng([seed, step])
        x, y, weight = batches(rng, config["batch_size"])
        if critic is not None:
            critic.reversal.strength.assign(reversal_schedule(step / steps))
        x = random_symmetry(stretch(x), rng)
        target = y[:, None].astype(np.float32)
        losses.append(float(np.mean(model.train_on_batch(x, target, sample_weight=weight))))
    return losses


def _network(config: Config, align: str = "none") -> Any:
    import tensorflow as tf

    from firstlight.models.domain_shift import survey_cnn

    tf.get_logger().setLevel("ERROR")  # it warns that each network has a graph of its own
    weight = config.get(f"weight_{align}", 0.0)
    return survey_cnn(config["size"], config["widths"], config["features"], align=align,
                      weight=weight)  # fmt: skip


def train_source(config: Config, data: Skies, seed: int) -> Any:
    """The network that all methods start from: trained on the first survey alone.

    Args:
        config: See `BUILD`.
        data: From `skies`.
        seed: Of weights and batches.
    """
    return _from_nothing(config, _labeled(data.labeled, data.labels), config["steps"], seed)


def train_target(config: Config, images: Floats, labels: NDArray[np.int64], seed: int) -> Any:
    """What labels of the second survey alone would give: as many steps as any other method.

    Args:
        config: See `BUILD`.
        images: Of the second survey, in sky sigma.
        labels: 0 or 1.
        seed: Of weights and batches.
    """
    steps = config["steps"] + config["adapt_steps"]
    return _from_nothing(config, _labeled(images, labels), steps, seed)


def _from_nothing(config: Config, batches: Batches, steps: int, seed: int) -> Any:
    from firstlight import training

    training.set_seed(seed)
    model = _network(config)
    _train(model, batches, config, steps, config["learning_rate"], seed)
    return model


def adapt(config: Config, base: Any, data: Skies, seed: int, method: str, labels: int = 0) -> Any:
    """One method, from the common start, with the common number of steps.

    Args:
        config: See `BUILD`.
        base: From `train_source`; it is left as it is.
        data: From `skies`.
        seed: Of batches, and of an adversary's weights.
        method: One of `METHODS`, or `"labels"`: fine-tuning on labels of the second survey.
        labels: How many of these.

    Returns:
        Another network.

    Raises:
        ValueError: If the method is unknown, or labels are asked for that are not there.
    """
    from firstlight import training
    from firstlight.models.domain_shift import ALIGNMENTS, copy_weights

    if method not in (*METHODS, "labels") or not 0 <= labels <= len(data.few):
        raise ValueError(
            f"adapt: received method={method!r}, labels={labels}; expected one of "
            f"{', '.join(METHODS)}, or 'labels' with at most {len(data.few)} of them."
        )
    training.set_seed(seed + 1)
    model = copy_weights(base, _network(config, method if method in ALIGNMENTS else "none"))
    if method == "statistics":
        return _new_statistics(model, config, data.unlabeled, seed)
    if method == "labels":
        batches = _labeled(data.few[:labels], data.few_labels[:labels])
    elif method in ("mmd", "coral", "adversarial"):
        batches = _both(data)
    else:
        augment = other_telescope if method == "augmentation" else None
        batches = _labeled(data.labeled, data.labels, augment)
    _train(model, batches, config, config["adapt_steps"], config["adapt_rate"], seed + 1)
    return model


def _new_statistics(model: Any, config: Config, images: Floats, seed: int) -> Any:
    """Batch normalization learns the second survey's means and variances; no weight moves."""
    for step in range(config["adapt_steps"]):
        rng = np.random.default_rng([seed, step])
        rows = rng.integers(0, len(images), config["batch_size"])
        model(stretch(images[rows]), training=True)
    return model


def predict(model: Any, images: Floats) -> Floats:
    """Probability of a late type, shape (n,), from images in sky sigma."""
    from firstlight import training

    return training.predict(model, stretch(images))[:, 0]


def accuracy(labels: NDArray[np.int64], probability: Floats) -> float:
    """Share of galaxies on the right side of one half."""
    return float(np.mean((probability > 0.5) == (labels == 1)))


def balanced_accuracy(labels: NDArray[np.int64], probability: Floats) -> float:
    """Mean over both classes of the share that is right: it does not depend on their shares."""
    right = (probability > 0.5) == (labels == 1)
    return float(np.mean([right[labels == kind].mean() for kind in (0, 1)]))
