"""Spiral arms by hand-made features or by a learned network: the same galaxies, the same CPU."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from firstlight.evaluation.classical import classical_features
from firstlight.sky import checks, galaxies, population
from firstlight.sky.surveys import BANDS, SDSS
from firstlight.studies.cards import Fingerprint, architecture_digest, digest
from firstlight.studies.stored import Sweep

__all__ = ["CONFIG", "LIVE", "SIZES", "STANDARD", "SWEEPS", "Discs", "accuracy", "fingerprint",
           "fit_forest", "fit_network", "measure", "network", "network_probability", "simulate",
           "standard_columns"]  # fmt: skip

Floats = NDArray[np.float32]

CONFIG: Mapping[str, Any] = {
    "size": 32,
    "n_test": 2_000,
    "faintest_r_mag": 16.5,
    "smallest_r90_arcsec": 8.0,
    "most_inclined_deg": 60.0,
    "weakest_arms": 0.5,
    "widths": (16, 32, 64),
    "steps": 640,
    "batch_size": 64,
    "learning_rate": 1e-2,
    "weight_decay": 1e-4,
    "ema": 0.99,
    "trees": 100,
    "settings": ((1, 0.3), (3, 0.3), (8, 0.5)),  # galaxies in a leaf, share of the features
}
SIZES = (100, 400, 1_600, 6_400)
LIVE = 1_600  # the point that the chapter runs again
SEEDS = range(501, 506)
STANDARD = ("petrosian_radius", "concentration", "asymmetry", "gini", "m20", "axis_ratio",
            "signal_to_noise", "total_color_0", "total_color_1",
            *(f"{name}_{band}" for band in (0, 2)
              for name in ("concentration", "asymmetry", "gini", "m20", "axis_ratio")))  # fmt: skip
_HALF = galaxies.BLOCK // 2


@dataclass(frozen=True)
class Discs:
    """Disc galaxies, every other one with spiral arms.

    Args:
        images: Shape (n, size, size, 3), bands g, r, i, in units of the sky noise.
        arms: Whether there are arms, shape (n,), booleans.
        truth: One row a galaxy, see `sky.population.draw`.
    """

    images: Floats
    arms: NDArray[np.bool_]
    truth: pd.DataFrame

    def __len__(self) -> int:
        return len(self.images)

    @property
    def labels(self) -> Floats:
        """What the network is to answer, shape (n, 1): 1 with arms, 0 without."""
        return self.arms[:, None].astype(np.float32)


def simulate(n: int, seed: int) -> Discs:
    """Bright, large discs seen from above rather than edge-on; half of them have clear arms.

    Bars, rings, clumps and dust occur in both halves. Mergers and foreground stars are left out,
    and so are weak arms, which nobody could label.

    Args:
        n: How many, 1 or more.
        seed: Same seed, same galaxies; the first k are the same for any n.

    Returns:
        Discs with and without arms by turns.

    Raises:
        ValueError: If n or the seed is not a whole number in range.

    Example:
        >>> discs = simulate(4, seed=1)
        >>> discs.images.shape, discs.arms.tolist()
        ((4, 32, 32, 3), [True, False, True, False])
    """
    checks.whole("simulate", "n", n, 1, 1_000_000)
    checks.whole("simulate", "seed", seed, 0, 2**63)
    images, tables = [], []
    for block in range(-(-n // galaxies.BLOCK)):
        rng = np.random.default_rng([seed, block])
        truth = _draw(rng)
        light, seen = galaxies.render(truth, rng, size=CONFIG["size"])
        sigma = seen[[f"sky_sigma_{band}_electrons" for band in BANDS]].to_numpy()
        images.append(galaxies.observe(light, sigma, rng))
        tables.append(truth)
    truth = pd.concat(tables, ignore_index=True)[:n]
    return Discs(np.concatenate(images)[:n], truth["arms"].to_numpy() > 0, truth)


def _draw(rng: np.random.Generator) -> pd.DataFrame:
    """One block of truth: arms, no arms, arms, ..."""
    with_arms: list[pd.DataFrame] = []
    without: list[pd.DataFrame] = []
    while min(sum(len(part) for part in parts) for parts in (with_arms, without)) < _HALF:
        pool = population.draw(2048, rng, SDSS, CONFIG["size"])
        chosen = pool[
            (pool["kind"] == "disc")
            & (pool["r_mag"] < CONFIG["faintest_r_mag"])
            & (pool["r90_arcsec"] > CONFIG["smallest_r90_arcsec"])
            & (pool["inclination_rad"] < np.radians(CONFIG["most_inclined_deg"]))
            & ~pool["merging"]
            & (pool["star_share"] == 0)
        ]
        with_arms.append(chosen[chosen["arm_strength"] > CONFIG["weakest_arms"]])
        without.append(chosen[chosen["arms"] == 0])
    pairs = [pd.concat(part)[:_HALF] for part in (with_arms, without)]
    order = np.arange(2 * _HALF).reshape(2, _HALF).T.ravel()
    return pd.concat(pairs, ignore_index=True).iloc[order].reset_index(drop=True)


def standard_columns(names: Sequence[str]) -> list[int]:
    """Where the standard measures of morphology stand among the names of the features."""
    return [list(names).index(name) for name in STANDARD]


def fit_forest(features: ArrayLike, arms: ArrayLike, seed: int) -> Any:
    """A forest whose settings were chosen among a few by its out-of-bag galaxies.

    Args:
        features: Shape (n, n_features).
        arms: Shape (n,), booleans.
        seed: Of the trees.

    Returns:
        The scikit-learn classifier with the best out-of-bag score.
    """
    from sklearn.ensemble import ExtraTreesClassifier

    tried = [
        ExtraTreesClassifier(CONFIG["trees"], min_samples_leaf=leaf, max_features=share,
                             bootstrap=True, oob_score=True, random_state=seed).fit(features, arms)
        for leaf, share in CONFIG["settings"]
    ]  # fmt: skip
    return max(tried, key=lambda forest: float(forest.oob_score_))


def network() -> Any:
    """The small CNN of the chapter: three convolutions, one mean over the image, one sigmoid."""
    import keras
    from keras import layers

    first, *further = CONFIG["widths"]
    stack = [
        keras.Input((CONFIG["size"], CONFIG["size"], 3)),
        layers.Conv2D(first, 7, strides=2, padding="same", activation="relu"),
    ]
    for width in further:
        stack += [
            layers.Conv2D(width, 3, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
        ]
    return keras.Sequential(
        [*stack, layers.GlobalAveragePooling2D(), layers.Dense(1, activation="sigmoid")]
    )


def fit_network(model: Any, images: Floats, labels: Floats, seed: int, steps: int = 0) -> Any:
    """Train for a fixed number of steps on turned and mirrored copies.

    Args:
        model: As `network` makes it.
        images: In units of the sky noise, shape (n, size, size, 3); they are stretched here.
        labels: Shape (n, 1).
        seed: Of the order and the turns.
        steps: How many; those of `CONFIG` by default.

    Returns:
        The same model, trained.
    """
    from firstlight import training
    from firstlight.layers.augmentation import random_symmetry

    n_steps = steps or CONFIG["steps"]
    kept = ("learning_rate", "weight_decay", "ema")
    training.compile_model(
        model, steps=n_steps, loss="binary_crossentropy", **{name: CONFIG[name] for name in kept}
    )
    training.fit(model, galaxies.stretch(images), labels, steps=n_steps, seed=seed,
                 batch_size=CONFIG["batch_size"], augment=random_symmetry)  # fmt: skip
    return model


def network_probability(model: Any, images: Floats) -> Floats:
    """The network's probability of arms, averaged over the eight symmetries of the square."""
    from firstlight import training

    return training.predict(model, galaxies.stretch(images), symmetries=8)[:, 0]


def accuracy(answer: ArrayLike, truth: ArrayLike) -> float:
    """Share of right answers; probabilities count as yes above one half.

    Args:
        answer: Booleans or probabilities, shape (n,).
        truth: Booleans, shape (n,).
    """
    given, true = np.asarray(answer, float), np.asarray(truth, bool)
    if given.shape != true.shape:
        raise ValueError(
            f"answer: received shape {given.shape} for {true.shape} galaxies, expected the same; "
            "Keras gives a column, take [:, 0]."
        )
    return float(np.mean((given > 0.5) == true))


def measure(seed: int, n_train: int, steps: int) -> dict[str, float]:
    """One point of the stored run: three methods taught by the same galaxies.

    Args:
        seed: Of the galaxies, the trees and the network.
        n_train: Examples to learn from; fewer are the first of more.
        steps: Of the network's training. With other than those of `CONFIG` the forests, which
            would only repeat themselves, are left out.

    Returns:
        Accuracies on fresh galaxies, and the CPU seconds that each method spent on learning,
        the measuring of features included.
    """
    seed, steps = int(seed), int(steps)
    train, test = simulate(int(n_train), 2 * seed), simulate(CONFIG["n_test"], 2 * seed + 1)
    found = _measure_network(train, test, seed, steps)
    return found | _measure_forests(train, test, seed) if steps == CONFIG["steps"] else found


def _measure_network(train: Discs, test: Discs, seed: int, steps: int) -> dict[str, float]:
    from firstlight import training

    training.set_seed(seed)
    model = network()
    began = time.process_time()
    fit_network(model, train.images, train.labels, seed, steps)
    cpu_s = time.process_time() - began
    right = accuracy(network_probability(model, test.images), test.arms)
    return {"network": right, "cpu_network": cpu_s}


def _measure_forests(train: Discs, test: Discs, seed: int) -> dict[str, float]:
    began = time.process_time()
    of_train, names = classical_features(train.images)
    forest = fit_forest(of_train, train.arms, seed)
    cpu_s = time.process_time() - began
    of_test, _ = classical_features(test.images)
    columns = standard_columns(names)
    standard = fit_forest(of_train[:, columns], train.arms, seed)
    return {
        "forest": accuracy(forest.predict(of_test), test.arms),
        "standard": accuracy(standard.predict(of_test[:, columns]), test.arms),
        "cpu_forest": cpu_s,
    }


def fingerprint() -> Fingerprint:
    """What the stored run depends on: the network, the settings, two galaxies."""
    discs = simulate(2, seed=20_261_123)
    sample = galaxies.stretch(discs.images)[:, 8:24:5, 8:24:5].ravel()
    return Fingerprint(architecture_digest(network()), digest(CONFIG), tuple(map(float, sample)))


def _point(seed: int, n_train: int, times: int = 1) -> dict[str, int]:
    return {"seed": seed, "n_train": n_train, "steps": times * CONFIG["steps"]}


SWEEPS = {
    "features": Sweep(
        "features",
        [_point(seed, n) for seed in SEEDS for n in SIZES]
        + [_point(seed, n, times=3) for seed in SEEDS[:3] for n in (max(SIZES), LIVE)],
        measure,
        fingerprint,
    )
}
