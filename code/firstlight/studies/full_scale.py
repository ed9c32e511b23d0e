"""What every study does alike: fit a configuration, keep weights beside a card, load both again."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.studies.cards import (
    Fingerprint,
    Verdict,
    check_card,
    read_card,
    versions,
    write_card,
)
from firstlight.studies.study import Config, Study

__all__ = ["Stopwatch", "check", "fit", "keep", "load", "tuples"]

Build = Callable[[Config], Any]


@dataclass
class Stopwatch:
    """Runs from the moment that it is made."""

    wall: float = field(default_factory=time.perf_counter)
    cpu: float = field(default_factory=time.process_time)

    def read(self) -> dict[str, float]:
        """Seconds since then: `wall_s` of the clock, `cpu_s` of this process."""
        return {
            "wall_s": round(time.perf_counter() - self.wall, 1),
            "cpu_s": round(time.process_time() - self.cpu, 1),
        }


def fit(
    build: Build,
    config: Config,
    images: NDArray[Any],
    targets: NDArray[np.float32],
    seed: int,
    *,
    loss: Any,
    augment: Any = None,
    checkpoint: Path | None = None,
    resume: bool = True,
    progress: bool = False,
) -> tuple[Any, Any]:
    """Build, compile and train the network of a configuration.

    Args:
        build: Makes the model of a configuration.
        config: `steps`, `batch_size`, `learning_rate`, `weight_decay` and `ema` are used here.
        images: What the network takes, shape (n, ...).
        targets: Shape (n, outputs).
        seed: Of weights, order, dropout and augmentation.
        loss: A Keras loss, or its name.
        augment: See `training.fit`.
        checkpoint: See `training.fit`.
        resume: See `training.fit`.
        progress: Show a progress bar.

    Returns:
        The trained model and its history; with no steps, both fresh.
    """
    from firstlight import training

    training.set_seed(seed)
    model = build(config)
    if config["steps"] < 1:
        return model, training.History()
    training.compile_model(
        model, steps=config["steps"], learning_rate=config["learning_rate"],
        weight_decay=config["weight_decay"], ema=config["ema"], loss=loss,
    )  # fmt: skip
    history = training.fit(
        model, images, targets, steps=config["steps"], batch_size=config["batch_size"], seed=seed,
        augment=augment, checkpoint=checkpoint, resume=resume, progress=progress,
    )  # fmt: skip
    return model, history


def keep(
    study: Study,
    config: Config,
    seed: int,
    model: Any,
    weights: Path,
    now: Fingerprint,
    facts: Mapping[str, Any],
    judge: Callable[[Path], Mapping[str, float]],
    bands: Callable[[Mapping[str, float]], Mapping[str, tuple[float, float]]],
) -> Path:
    """Store weights and their card; the card is there before the test, should that break off.

    Args:
        study: Whose weights they are.
        config: They were trained with.
        seed: Of everything.
        model: The trained network.
        weights: The file to write; the card lies beside it.
        now: The fingerprint of the configuration.
        facts: More for the card, such as what a `Stopwatch` says.
        judge: Metrics of a file of weights, on a test sky.
        bands: In which metrics have to stay if the card is renewed.

    Returns:
        The weights.
    """
    from firstlight import training

    weights = training.save_weights(model, weights)
    scale = next((name for name, known in study.scales.items() if known == config), "custom")
    card = {
        "study": study.name,
        "scale": scale,
        "command": f"firstlight train {study.name} --scale {scale} --seed {seed}",
        "seed": seed,
        "config": dict(config),
        "fingerprint": now.as_dict(),
        "parameters": model.count_params(),
        "device": _device(),
        **facts,
        "versions": versions(),
        "metrics": {},
        "bands": {},
    }
    path = weights.with_suffix(".card.json")
    write_card(path, card)
    found = judge(weights)
    write_card(path, {**card, "metrics": found, "bands": bands(found)})
    return weights


def _device() -> str:
    import keras

    gpus = [name for name in keras.distribution.list_devices() if "gpu" in name]
    return gpus[0] if gpus else f"{os.cpu_count()} cores, {platform.machine()}"


def load(study: Study, weights: Path | None, build: Build, card: Path | None = None) -> Any:
    """The network of stored weights, built as their card says.

    Args:
        study: Whose weights they are.
        weights: An npz file; None for those of the package.
        build: Makes the model of a configuration.
        card: The one that describes them; by default the one beside them, of the same name.

    Raises:
        FileNotFoundError: If there is none, with the command that makes it.
    """
    from firstlight import training

    path = Path(weights) if weights is not None else study.weights
    card = path.with_suffix(".card.json") if card is None else card
    if not path.exists() or not card.exists():
        raise FileNotFoundError(
            f"{path}: no such weights, or no card beside them. Make them: "
            f"firstlight train {study.name} --scale full"
        )
    return training.load_weights(build(tuples(read_card(card)["config"])), path)


def check(
    study: Study,
    weights: Path,
    fingerprint: Callable[[Config], Fingerprint],
    simulate: Callable[..., Any],
    *,
    write: bool = True,
) -> Verdict:
    """Do stored weights still belong to this code? See `cards.check_card`.

    Args:
        study: Whose weights they are.
        weights: Beside their card.
        fingerprint: Of a configuration, as things are now.
        simulate: The study's test sky, `simulate(config, seed, n=...)`.
        write: Whether a renewed card is written.
    """
    path = weights.with_suffix(".card.json")
    card = read_card(path)
    config = tuples(card["config"])

    def measure() -> Mapping[str, float]:
        sky = simulate(config, int(card["seed"]) + 1, n=min(config["n_test"], 6_000))
        return study.evaluate(weights, sky)

    known = study.scales.get(card["scale"], study.scales["full"])
    return check_card(path, fingerprint(known), measure, write=write)


def tuples(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration as it was before JSON made lists of its tuples."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in config.items()}
