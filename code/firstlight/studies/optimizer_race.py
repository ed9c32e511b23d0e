"""Six optimizers raced on four problems, and four schedules on one of them.

Everybody has the same number of trials over the same width of learning rates, on seeds that do
not judge it (`measure`). The problems stand in `optimizer_problems`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.autodiff import optimizers
from firstlight.autodiff.schedules import CosineDecay, PiecewiseConstantDecay
from firstlight.sky import galaxies, photometry
from firstlight.studies.cards import Fingerprint, digest
from firstlight.studies.optimizer_problems import Problem, catalog, votes, zero_points
from firstlight.studies.stored import Sweep

__all__ = ["FIELD", "JUDGES", "PROBLEMS", "SCHEDULES", "SWEEPS", "TRIALS", "measure",
           "measure_schedule", "rates", "run"]  # fmt: skip

PROBLEMS: Mapping[str, Callable[[int], Problem]] = {
    "zero points": zero_points,
    "raw catalog": catalog,
    "standardized catalog": partial(catalog, standardized=True),
    "galaxies": votes,
}
FIELD: Mapping[str, Mapping[str, Any]] = {
    "SGD": {"kind": "sgd"},
    "momentum": {"kind": "sgd", "momentum": 0.9},
    "Nesterov": {"kind": "sgd", "momentum": 0.9, "nesterov": True},
    "RMSprop": {"kind": "rmsprop"},
    "Adam": {"kind": "adam"},
    "AdamW": {"kind": "adamw"},
}
TUNERS, JUDGES = range(901, 906), range(11, 21)  # seeds that tune, seeds that judge
TRIALS, DECADES = 13, 4
# Middle of the range of each; moved until no best trial lay at an end of its range.
MIDDLES: Mapping[str, Mapping[str, float]] = {
    "zero points": {"SGD": 0.1, "momentum": 0.1, "Nesterov": 0.1, "Adam": 0.1, "AdamW": 0.1},
    "raw catalog": {"SGD": 1e-5, "momentum": 1e-6, "Nesterov": 1e-6},
    "standardized catalog": {"SGD": 0.3, "momentum": 0.1, "Nesterov": 0.1},
    "galaxies": {"SGD": 0.3, "momentum": 0.03, "Nesterov": 0.03},
}
MIDDLE_OF_OTHERS = 0.01
WARM = 10  # one step in so many warms up


def _constant(rate: float, steps: int) -> Callable[[int], float]:
    return lambda step: rate


def _stairs(rate: float, steps: int) -> Callable[[int], float]:
    stops = [steps // 2, 3 * steps // 4]
    return PiecewiseConstantDecay(stops, [rate, rate / 10, rate / 100])


def _warm(rate: float, steps: int) -> Callable[[int], float]:
    warm = steps // WARM
    return CosineDecay(0.0, steps - warm, warmup_target=rate, warmup_steps=warm)


SCHEDULES: Mapping[str, Callable[[float, int], Callable[[int], float]]] = {
    "constant": _constant,
    "stairs": _stairs,
    "cosine": CosineDecay,
    "warm-up, cosine": _warm,
}


def run(
    problem: Problem, name: str, rate: float, schedule: str = "warm-up, cosine", **options: Any
) -> float:
    """Score at the end of one optimizer's walk; infinite if it went astray.

    Args:
        problem: Where.
        name: Of `FIELD`.
        rate: Highest learning rate.
        schedule: Of `SCHEDULES`.
        **options: Settings beyond those of the field.

    Returns:
        What `problem.score` says of the last values.
    """
    settings = {**FIELD[name], **options}
    planned = SCHEDULES[schedule](float(rate), problem.steps)
    optimizer = optimizers.get(settings.pop("kind"), learning_rate=planned, **settings)
    values: Any = problem.values
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(problem.steps):
            try:
                values = optimizer.step(values, problem.slope(values, step))
            except ValueError:  # not finite: that is how diverging looks
                return float("inf")
        score = problem.score(values)
    return score if np.isfinite(score) else float("inf")


def rates(problem: str, name: str) -> NDArray[np.float64]:
    """The trials of one optimizer on one problem, from low to high."""
    middle = MIDDLES[problem].get(name, MIDDLE_OF_OTHERS)
    return middle * np.logspace(-DECADES / 2, DECADES / 2, TRIALS)


@cache
def _problem(name: str, seed: int) -> Problem:
    return PROBLEMS[name](seed)


def measure(problem: str, name: str, schedule: str = "warm-up, cosine") -> dict[str, float]:
    """Tune on some seeds, judge on others: a row of the stored run.

    Args:
        problem: Of `PROBLEMS`.
        name: Of `FIELD`.
        schedule: Of `SCHEDULES`.

    Returns:
        Best rate, its place among the trials, the mean score of each trial, and the score
        of the best under each judging seed.
    """
    tried = rates(problem, name)
    means = [  # not the median: a rate that fails on one sky of five should not win
        float(np.mean([run(_problem(problem, s), name, rate, schedule) for s in TUNERS]))
        for rate in tried
    ]
    best = int(np.argmin(means))
    found = {"rate": float(tried[best]), "place": float(best)}
    found |= {f"trial_{k}": score for k, score in enumerate(means)}
    judged = {s: run(_problem(problem, s), name, tried[best], schedule) for s in JUDGES}
    return found | {f"seed_{s}": score for s, score in judged.items()}


def measure_schedule(name: str, schedule: str) -> dict[str, float]:
    """`measure` on the standardized catalog, under one schedule."""
    return measure("standardized catalog", name, schedule)


def fingerprint() -> Fingerprint:
    """What the stored runs depend on: field, trials, a few numbers of each sky and problem."""
    field = {name: dict(settings) for name, settings in FIELD.items()}
    trials = [TRIALS, DECADES, WARM, MIDDLE_OF_OTHERS, list(TUNERS), list(JUDGES)]
    middles = {problem: dict(values) for problem, values in MIDDLES.items()}
    sky = galaxies.stretch(galaxies.simulate(2, seed=5, size=32).images)
    catalog_of_three = photometry.simulate(3, seed=5).magnitudes / 20
    strip = zero_points(5, n=8)
    seen = [*sky.mean(axis=(1, 2)).ravel(), *catalog_of_three.ravel()]
    seen += list(strip.slope(strip.values, 0)[0])
    walked = run(strip, "Adam", 0.01)
    return Fingerprint(
        architecture=digest(field),
        training=digest([trials, middles, list(SCHEDULES)]),
        simulator=tuple(float(value) for value in [*seen, walked]),
    )


SWEEPS: Mapping[str, Sweep] = {
    "optimizers-race": Sweep(
        "optimizers-race",
        [{"problem": problem, "name": name} for problem in PROBLEMS for name in FIELD],
        measure,
        fingerprint,
    ),
    "optimizers-schedules": Sweep(
        "optimizers-schedules",
        [{"name": n, "schedule": s} for n in ("momentum", "Adam") for s in SCHEDULES],
        measure_schedule,
        fingerprint,
    ),
}
