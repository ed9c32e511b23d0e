"""Tasks on which one architecture's assumption pays and another's costs, at equal parameters.

A task makes data from a seed, lists its arms (who competes, and how each is shown the data) and
scores answers by an error: the lower, the better. All arms of a task see the same examples,
take the same number of steps, and have the same number of parameters to within five per cent.
Learning rates were tried on other seeds: two for most arms (0.01, and 0.003 or 0.004), three for
the towers, for the networks of "crowd" and "sky" (0.003, 0.006, 0.012: in "crowd" all the same to
one per cent of F1) and for the GRU of "recall" (0.003, 0.01, 0.03: all the same).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from firstlight import training
from firstlight.models import architectures as nets
from firstlight.sky import cadence, fields, folding, groups, photometry, variables
from firstlight.studies.architecture_sequences import alerts, flares

__all__ = ["Arm", "CURVES", "PHASES", "SIDE", "STEPS", "TASKS", "Task", "Trained", "answers",
           "binned", "curves", "fit", "measure", "shown", "split"]  # fmt: skip

Array = NDArray[Any]
Data = tuple[Array, Array]
CURVES = ("RRab", "RRc", "Cep", "EB")
PHASES, STEPS, NODES, SIDE = 16, 32, 16, 48
_FOLDED = dataclasses.replace(cadence.VVV, epochs=(15, 30))


class Arm(NamedTuple):
    """A competitor.

    Args:
        build: Makes its network, without arguments.
        see: What it is shown, made of the task's inputs.
        rate: Peak learning rate.
    """

    build: Callable[[], keras.Model]
    see: Callable[[Array], Array] = lambda x: x
    rate: float = 0.01


@dataclasses.dataclass(frozen=True)
class Task:
    """A question with known answers.

    Args:
        make: `make(seed, part)` gives inputs and answers; part is "train" or "test".
        arms: Who competes, by name; the first is the one whose assumption is at home here.
        loss: A Keras loss.
        error: Of predictions against answers; the lower, the better.
        steps: Optimizer steps of every arm.
        batch: Examples a step.
    """

    make: Callable[[int, str], Data]
    arms: Mapping[str, Arm]
    loss: Any
    error: Callable[[Array, Array], float]
    steps: int = 400
    batch: int = 64


class Trained(NamedTuple):
    """An arm after its training: the network, what it answers on the test set, its error."""

    model: keras.Model
    answers: Array
    error: float


def split(seed: int, part: str) -> int:
    """A seed for one part of a task's data; training and test never share one."""
    return 2 * seed + (part == "test")


def wrong(p: Array, y: Array) -> float:
    """Share of yes-or-no questions answered wrongly."""
    return float(np.mean((np.asarray(p) > 0.5) != (np.asarray(y) > 0.5)))


def wrong_class(p: Array, y: Array) -> float:
    """Share of objects put into the wrong class."""
    return float(np.mean(np.argmax(p, axis=1) != y))


def rms(p: Array, y: Array) -> float:
    """Root of the mean squared error, in standard deviations of the answers."""
    return float(np.sqrt(np.mean((p - y) ** 2) / np.var(y)))


def shown(images: Array) -> Array:
    """Images in sky sigma as the networks see them: an arcsinh stretch, and a channel axis."""
    return np.asarray(np.arcsinh(images[..., None] / 3) / 2, np.float32)


def _pairs(ask: str, spread: float = 7.0) -> Callable[[int, str], Data]:
    def make(seed: int, part: str) -> Data:
        sky = fields.pairs(2500 if part == "train" else 4000, split(seed, part), spread=spread)
        y = sky.double[:, None] if ask == "two" else sky.center / spread
        return shown(sky.images), y.astype(np.float32)

    return make


def curves(seed: int, part: str) -> Data:
    """Folded light curves of 15 to 30 visits and their types, by place in `CURVES`.

    Returns:
        `(n, 30, 3)`: phase, magnitude less the star's mean over the star's scatter, and one for
        a measurement; zeros where there is none. Stars lend their shapes to one part only.
    """
    stars = variables.simulate(2000 if part == "train" else 3000, split(seed, part), part=part,
                               survey=_FOLDED, shares=dict.fromkeys(CURVES, 1.0))  # fmt: skip
    folded = folding.fold(*stars.curves, stars.period_days)
    seen = folded.mask
    n = seen.sum(axis=1, keepdims=True)
    m = np.where(seen, folded.magnitudes - (folded.magnitudes * seen).sum(1, keepdims=True) / n, 0)
    m = m / np.sqrt((m**2).sum(axis=1, keepdims=True) / n)
    x = np.stack([folded.phases * seen, m, seen], axis=-1).astype(np.float32)
    return x, np.array([CURVES.index(name) for name in stars.labels])


def binned(x: Array) -> Array:
    """Curves on a grid: the mean magnitude in each of `PHASES` bins, gaps bridged in a circle."""
    rows, seen = np.arange(len(x))[:, None], x[..., 2] > 0
    place = np.minimum((x[..., 0] * PHASES).astype(int), PHASES - 1)
    total, count = np.zeros((len(x), PHASES)), np.zeros((len(x), PHASES))
    np.add.at(total, (rows, place), x[..., 1] * seen)
    np.add.at(count, (rows, place), seen)
    grid = total / np.maximum(count, 1)
    for curve, k in zip(grid, count, strict=True):
        known = np.flatnonzero(k)
        curve[:] = np.interp(np.arange(PHASES), known, curve[known], period=PHASES)
    return grid.astype(np.float32)


def _alerts(seed: int, part: str) -> Data:
    return alerts(8000 if part == "train" else 4000, split(seed, part), steps=16)


def _flares(seed: int, part: str) -> Data:
    return flares(800 if part == "train" else 4000, split(seed, part), steps=STEPS)


def _members(seed: int, part: str) -> Data:
    """Galaxies in the order of their velocities: the graph cannot tell, and the list needs it."""
    cones = groups.simulate(3000 if part == "train" else 2000, split(seed, part))
    order = np.argsort(cones.galaxies[..., 2], axis=1)[..., None]
    y = np.take_along_axis(cones.member[..., None], order, axis=1)
    return np.take_along_axis(cones.galaxies, order, axis=1), y.astype(np.float32)


def _alone(seed: int, part: str) -> Data:
    n = 300 if part == "train" else 1000
    sky = photometry.simulate(NODES * n, split(seed, part))
    x = (sky.magnitudes - [23.6, 22.7, 21.8, 21.2, 20.9]) / 1.5
    y = (np.log1p(sky.redshift) - 0.36) / 0.14
    return (x.reshape(n, NODES, 5).astype(np.float32),
            y.reshape(n, NODES, 1).astype(np.float32))  # fmt: skip


def _crowd(seed: int, part: str) -> Data:
    sky = fields.simulate(400 if part == "train" else 80, split(seed, part), size=SIDE)
    return shown(sky.images), fields.centers(sky)[..., None]


def _sky(seed: int, part: str) -> Data:
    """Crowded fields on an uneven background, which is the answer, in sky sigma."""
    n, number = 300 if part == "train" else 80, split(seed, part)
    light = 1.5 * fields.background(n, number, size=SIDE, scale=16.0)
    return shown(fields.simulate(n, number, size=SIDE).images + light), light[..., None]


def hills(y: Any, p: Any) -> Any:
    """Squared error of a map of sources, in which a source weighs more than the empty sky."""
    return keras.ops.mean((1 + 10 * y) * keras.ops.square(y - p))


TASKS: Mapping[str, Task] = {
    "one or two": Task(_pairs("two"), {
        "convolutional": Arm(lambda: nets.convolutional(24, 15, 1, "sigmoid")),
        "dense": Arm(lambda: nets.dense((24, 24, 1), (7,), 1, "sigmoid")),
    }, "binary_crossentropy", wrong, steps=300),
    "where": Task(_pairs("where", 3.0), {
        "dense": Arm(lambda: nets.dense((24, 24, 1), (7,), 2)),
        "convolutional": Arm(lambda: nets.convolutional(24, 20, 2, strides=(2, 1))),
    }, "mse", rms, steps=300),
    "where, near the frame": Task(_pairs("where", 8.0), {
        "convolutional": Arm(lambda: nets.convolutional(24, 20, 2, strides=(2, 1))),
    }, "mse", rms, steps=300),
    "light curves": Task(curves, {
        "GRU": Arm(lambda: nets.recurrent("GRU", 30, 3, 20, 4, "softmax")),
        "dense, list": Arm(lambda: nets.dense((30, 3), (16,), 4, "softmax")),
        "dense, grid": Arm(lambda: nets.dense((PHASES,), (34, 26), 4, "softmax"), binned),
    }, "sparse_categorical_crossentropy", wrong_class, steps=500),
    "recall": Task(_alerts, {
        "attention": Arm(lambda: nets.recall(16, 4, 17), rate=0.02),
        "GRU": Arm(lambda: nets.recurrent("GRU", 16, 4, 18, 1)),
    }, "mse", rms, steps=500),
    "arrow": Task(_flares, {
        "GRU": Arm(lambda: nets.recurrent("GRU", STEPS, 1, 18, 1, "sigmoid")),
        "attention": Arm(lambda: nets.attention(STEPS, 1, 12)),
    }, "binary_crossentropy", wrong, steps=400),
    "members": Task(_members, {
        "graph": Arm(lambda: nets.graph(24, 3, 13, 3, "sigmoid")),
        "dense": Arm(lambda: nets.dense((24, 3), (18,), 24, "sigmoid")),
    }, "binary_crossentropy", wrong, steps=500),
    "alone": Task(_alone, {
        "each": Arm(lambda: nets.each(NODES, 5, (36, 36))),
        "graph": Arm(lambda: nets.graph(NODES, 5, 16, 2)),
    }, "mse", rms, steps=400, batch=32),
    "crowd": Task(_crowd, {
        "U-net": Arm(lambda: nets.unet(8, SIDE), rate=0.006),
        "convolutions": Arm(lambda: nets.convolutions(19, 4, SIDE), rate=0.006),
    }, hills, lambda p, y: float(np.mean((p - y) ** 2)), steps=240, batch=16),
    "sky": Task(_sky, {
        "U-net": Arm(lambda: nets.unet(8, SIDE), rate=0.012),
        "convolutions": Arm(lambda: nets.convolutions(19, 4, SIDE), rate=0.012),
    }, "mse", rms, steps=240, batch=16),
}  # fmt: skip


def answers(model: keras.Model, x: Array, batch: int = 500) -> Array:
    """What a model says of many examples."""
    parts = [np.asarray(model(x[k : k + batch], training=False)) for k in range(0, len(x), batch)]
    return np.concatenate(parts)


def fit(
    task: str | Task, arm: str, seed: int, data: tuple[Data, Data] | None = None, starts: int = 1
) -> Trained:  # fmt: skip
    """Train one arm of a task and test it.

    Args:
        task: Of `TASKS`, or one of your own.
        arm: Of its arms.
        seed: Of the data, the weights and the batches.
        data: Training and test part, if they are made already.
        starts: How often to train, each time on the same data from other weights and batches.

    Returns:
        The network and its answers, both of the first start, and the mean error of all starts.

    Raises:
        ValueError: If there is no such task or arm.
    """
    if isinstance(task, str):
        if task not in TASKS:
            raise ValueError(f"task: received {task!r}, expected one of {', '.join(TASKS)}.")
        task = TASKS[task]
    if arm not in task.arms:
        raise ValueError(f"arm: received {arm!r}, expected one of {', '.join(task.arms)}.")
    data = data or (task.make(seed, "train"), task.make(seed, "test"))
    if starts > 1:
        runs = [fit(task, arm, seed + 1000 * k, data) for k in range(starts)]
        return runs[0]._replace(error=float(np.mean([run.error for run in runs])))
    (x, y), (x_test, y_test) = data
    who = task.arms[arm]
    training.set_seed(seed)
    model = who.build()
    training.compile_model(model, steps=task.steps, learning_rate=who.rate, loss=task.loss)
    training.fit(model, who.see(x), _flat(y, model), steps=task.steps, batch_size=task.batch,
                 seed=seed, report_every=task.steps)  # fmt: skip
    said = answers(model, who.see(x_test)).reshape(y_test.shape if y_test.ndim > 1 else (-1, 4))
    return Trained(model, said, task.error(said, y_test))


def _flat(y: Array, model: keras.Model) -> Array:
    """Answers in the shape of the network's output: a dense one gives all nodes in one row."""
    width = model.output_shape[1:]
    return y.reshape(len(y), *width) if y.ndim > 1 and None not in width else y


def measure(task: str, seed: int) -> dict[str, float]:
    """The error of every arm of a task from one start, on the same examples."""
    chosen = TASKS[task]
    data = chosen.make(int(seed), "train"), chosen.make(int(seed), "test")
    return {arm: fit(task, arm, int(seed), data).error for arm in chosen.arms}
