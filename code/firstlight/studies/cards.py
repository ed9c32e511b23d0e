"""Cards: what a file of weights or a stored run was made from, and whether that still holds.

A card keeps three fingerprints: the architecture, the training configuration, and a few dozen
numbers that the simulator gives at a fixed seed. The last are compared with a tolerance, since
two machines agree to rounding error and not to the bit.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["Fingerprint", "Verdict", "architecture_digest", "check_card", "digest", "read_card",
           "same_fingerprint", "versions", "write_card"]  # fmt: skip

TOLERANCE = 2e-3


@dataclass(frozen=True)
class Fingerprint:
    """What must be unchanged for a result to stand.

    Args:
        architecture: Digest of the network, see `architecture_digest`.
        training: Digest of the training configuration.
        simulator: Numbers of order one from a small sky at a fixed seed.
    """

    architecture: str
    training: str
    simulator: tuple[float, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "architecture": self.architecture,
            "training": self.training,
            "simulator": [round(value, 5) for value in self.simulator],
        }


def digest(value: Any) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of a value's canonical JSON.

    Args:
        value: Plain numbers, strings, lists and mappings. Tuples count as lists.
    """
    text = json.dumps(value, sort_keys=True, default=_plain, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (tuple, set, np.ndarray)):
        return list(value)
    raise TypeError(f"digest: received {type(value).__name__}, expected plain JSON values.")


def architecture_digest(model: Any) -> str:
    """Digest of a Keras model: its layers, their sizes and arguments, and the shapes of weights.

    Names are left out, because Keras counts layers up over a session. So a renamed layer, a
    docstring or a comment changes nothing, and another kernel, activation or width does.

    Args:
        model: A built Keras model.
    """
    keep = ("units", "filters", "kernel_size", "strides", "padding", "activation", "rate",
            "use_bias", "turns", "flips", "views", "mode", "sizes", "parents", "epsilon",
            "pool_size", "factors", "recenter", "rings", "weight", "soft", "limit",
            "half_width", "oversample", "psf", "stddev")  # fmt: skip
    layers = []
    for layer in model.layers:
        config = layer.get_config()
        arguments = {name: str(config[name]) for name in keep if name in config}
        shapes = [list(weight.shape) for weight in layer.weights]
        layers.append([type(layer).__name__, arguments, shapes])
    return digest(layers)


def versions() -> dict[str, str]:
    """Versions of what a result depends on, and of Python."""
    found = {"python": platform.python_version()}
    for package in ("tensorflow", "tensorflow_cpu", "keras", "numpy", "galsim", "scikit-learn"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def write_card(path: Path, card: Mapping[str, Any]) -> None:
    """Write a card as JSON, whole or not at all; the day is added."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    text = json.dumps({**card, "date": date.today().isoformat()}, indent=1, default=_plain)
    try:
        scratch.write_text(text + "\n", encoding="utf-8")
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


def read_card(path: Path) -> dict[str, Any]:
    """Read a card.

    Raises:
        ValueError: If it is not JSON or lacks the fingerprint, with the file's name.
    """
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"card {path}: received no valid JSON ({error}). Make it anew.") from None
    missing = {"fingerprint", "command", "metrics", "bands"} - set(card)
    if missing:
        raise ValueError(f"card {path}: received no {sorted(missing)}. Make it anew.")
    return card


def same_fingerprint(stored: Mapping[str, Any], now: Fingerprint) -> list[str]:
    """What differs between a stored fingerprint and the present one; empty if nothing does."""
    changed = [name for name in ("architecture", "training") if stored[name] != getattr(now, name)]
    old, new = np.asarray(stored["simulator"], float), np.asarray(now.simulator, float)
    if old.shape != new.shape or not np.allclose(old, new, rtol=TOLERANCE, atol=TOLERANCE):
        changed.append("simulator")
    return changed


@dataclass(frozen=True)
class Verdict:
    """What became of a card: `state` is "fresh", "renewed" or "failed"."""

    state: str
    message: str

    @property
    def ok(self) -> bool:
        """False only if something must be run."""
        return self.state != "failed"


def check_card(
    path: Path,
    now: Fingerprint,
    measure: Callable[[], Mapping[str, float]],
    *,
    write: bool = True,
) -> Verdict:
    """Does a result still stand? If what it was made from has changed, measure it again.

    Args:
        path: The card.
        now: The present fingerprint.
        measure: Evaluates the weights (or a point of the stored run) as things are now.
        write: Whether a renewed card is written.

    Returns:
        "fresh" if nothing changed; "renewed" if something did and every banded metric, measured
        now, lies in the card's band; "failed" otherwise, with the command that mends it.
    """
    card = read_card(path)
    changed = same_fingerprint(card["fingerprint"], now)
    if not changed:
        return Verdict("fresh", f"{path.name}: nothing it depends on has changed.")
    what = " and ".join(changed)
    try:
        metrics = {name: float(value) for name, value in measure().items()}
    except ValueError as error:
        return Verdict("failed", f"{path.name}: {what} changed, and {error} Run: {card['command']}")
    outside = _outside(metrics, card["bands"])
    if outside:
        return Verdict(
            "failed",
            f"{path.name}: {what} changed, and {'; '.join(outside)}. Run: {card['command']}",
        )
    if write:
        write_card(path, {**card, "metrics": metrics, "fingerprint": now.as_dict()})
    return Verdict("renewed", f"{path.name}: {what} changed, its metrics still hold; card renewed.")


def _outside(metrics: Mapping[str, float], bands: Mapping[str, Sequence[float]]) -> list[str]:
    out = []
    for name, (low, high) in bands.items():
        value = metrics.get(name, float("nan"))
        if not low <= value <= high:
            out.append(f"{name} is {value:.5g}, outside {low:.5g} to {high:.5g}")
    return out
