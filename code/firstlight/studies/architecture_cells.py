"""Three cells, simple, LSTM and GRU: what each keeps, on nights of more and more alerts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from firstlight.models import architectures as nets
from firstlight.studies.architecture_sequences import alerts
from firstlight.studies.architecture_tasks import (
    TASKS,
    Arm,
    Array,
    Data,
    Task,
    fit,
    rms,
    split,
)

__all__ = ["KINDS", "NIGHTS", "folded", "measure", "night"]

KINDS: Mapping[str, tuple[str, int, float]] = {
    "simple": ("SimpleRNN", 34, 0.003), "LSTM": ("LSTM", 16, 0.01), "GRU": ("GRU", 18, 0.01),
}  # fmt: skip
"""Keras's name of a cell, the size of its state, its learning rate."""
NIGHTS = (2, 4, 8, 16)


def night(steps: int) -> Task:
    """Recall on nights of so many alerts, with three cells of equal size and one attention.

    The last arm is the GRU again, which hears the question before the alerts.

    Args:
        steps: Alerts a night, the last included.
    """

    def make(seed: int, part: str) -> Data:
        return alerts(8000 if part == "train" else 4000, split(seed, part), steps=steps)

    def first(x: Array) -> Array:
        return x[:, ::-1]

    def cell(kind: str, units: int) -> Arm:
        return Arm(lambda: nets.recurrent(kind, steps, 4, units, 1), rate=0.01)

    arms = {"attention": Arm(lambda: nets.recall(steps, 4, 17), rate=0.02)}
    arms |= {name: cell(kind, n)._replace(rate=rate) for name, (kind, n, rate) in KINDS.items()}
    return Task(make, arms | {"GRU, asked first": arms["GRU"]._replace(see=first)},
                "mse", rms, steps=500)  # fmt: skip


def folded() -> Task:
    """The task "light curves" for the two cells that it does not have, of the same size."""
    task = TASKS["light curves"]
    arms = {
        "simple": Arm(lambda: nets.recurrent("SimpleRNN", 30, 3, 36, 4, "softmax"), rate=0.003),
        "LSTM": Arm(lambda: nets.recurrent("LSTM", 30, 3, 17, 4, "softmax")),
    }
    return dataclasses.replace(task, arms=arms)


def measure(task: str, seed: int) -> dict[str, float]:
    """Errors of all arms from one start, on the same examples.

    Args:
        task: "light curves", or "recall" with a number of alerts behind it.
        seed: Of data, weights and batches.
    """
    name, _, steps = task.rpartition(" ")
    chosen = night(int(steps)) if name == "recall" else folded()
    data = chosen.make(seed, "train"), chosen.make(seed, "test")
    word = name if name == "recall" else task
    return {f"{word}: {arm}": fit(chosen, arm, seed, data).error for arm in chosen.arms}
