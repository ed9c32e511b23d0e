"""Training that can be watched, interrupted and resumed, and ends in the same weights."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from firstlight.layers.augmentation import dihedral
from firstlight.models.storage import load_weights, save_weights

__all__ = [
    "History",
    "compile_model",
    "fit",
    "load_weights",
    "predict",
    "save_weights",
    "set_seed",
    "warmup_cosine",
]

Floats = NDArray[np.float32]
Augmentation = Callable[[Floats, np.random.Generator], Floats]


def set_seed(seed: int) -> None:
    """Seed Python, NumPy and the Keras backend, before a model is built.

    Args:
        seed: A whole number, 0 or more; taken modulo 2^32.
    """
    if seed < 0:
        raise ValueError(f"seed: received {seed}, expected 0 or more.")
    keras.utils.set_random_seed(int(seed) % 2**32)


def warmup_cosine(
    peak: float, steps: int, warmup: float = 0.1, final: float = 0.0
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Learning rate that rises linearly to its peak, then falls along a half cosine.

    Args:
        peak: Highest learning rate.
        steps: Optimizer steps of the whole run.
        warmup: Share of the steps spent rising.
        final: Learning rate at the end, as a share of the peak.

    Returns:
        A Keras schedule (Loshchilov & Hutter 2017, arXiv 1608.03983, without restarts).
    """
    rising = max(1, round(warmup * steps))
    if not 0 < rising < steps:
        raise ValueError(
            f"steps, warmup: received {steps} steps with a share {warmup} of warm-up, expected "
            "2 steps or more, of which some come after the warm-up."
        )
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=peak / rising,
        decay_steps=steps - rising,
        alpha=final,
        warmup_target=peak,
        warmup_steps=rising,
    )


def compile_model(
    model: keras.Model,
    *,
    steps: int,
    learning_rate: float = 2e-3,
    warmup: float = 0.1,
    weight_decay: float = 0.0,
    ema: float | None = None,
    loss: Any = "mse",
) -> keras.Model:
    """Give a model the book's usual optimizer: Adam, warm-up, cosine decay, averaged weights.

    Args:
        model: Any Keras model.
        steps: Steps of the whole run, over which the learning rate falls to zero.
        learning_rate: Its peak.
        warmup: Share of the steps before the peak.
        weight_decay: Decoupled decay (AdamW) on everything but biases and gains.
        ema: Momentum of the running mean of the weights, which `fit` puts in place at the end;
            None keeps the last weights.
        loss: Any Keras loss.

    Returns:
        The same model, compiled. XLA is left off on a CPU, where it slows convolutions down.
    """
    optimizer = keras.optimizers.AdamW(
        learning_rate=warmup_cosine(learning_rate, steps, warmup),
        weight_decay=weight_decay,
        use_ema=ema is not None,
        ema_momentum=0.99 if ema is None else ema,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    on_gpu = any(device.startswith("gpu") for device in keras.distribution.list_devices())
    model.compile(optimizer=optimizer, loss=loss, jit_compile="auto" if on_gpu else False)
    return model


@dataclass
class History:
    """The learning curve of a run.

    Args:
        step: Steps taken at each entry.
        cpu_s: CPU seconds spent in the run until then, interruptions included.
        loss: Mean training loss since the entry before.
        monitor: What `fit(monitor=...)` returned, NaN where there is none.
    """

    step: list[int] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    monitor: list[float] = field(default_factory=list)

    def add(self, step: int, cpu_s: float, loss: float, monitor: float) -> None:
        """Append one entry."""
        self.step.append(step)
        self.cpu_s.append(cpu_s)
        self.loss.append(loss)
        self.monitor.append(monitor)


def fit(
    model: keras.Model,
    images: NDArray[Any],
    targets: Floats,
    *,
    steps: int,
    batch_size: int = 64,
    seed: int = 0,
    augment: Augmentation | None = None,
    monitor: Callable[[keras.Model], float] | None = None,
    report_every: int = 50,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every_s: float = 60.0,
    resume: bool = True,
    progress: bool = False,
) -> History:
    """Train a compiled model for a number of steps, resuming where an earlier call was stopped.

    Batches and augmentation are functions of (seed, step) alone, and a checkpoint holds the
    weights, the optimizer and the states of dropout. So a run that was killed and started
    again takes the same steps as one that was left in peace.

    Under `keras.distribution.DataParallel` in several processes, each takes its share of every
    batch, and the steps are those of one process: only the order of sums differs. The first
    process alone writes the checkpoint. A run may go on in another number of processes.

    Args:
        model: A compiled model, for example from `compile_model` with the same `steps`.
        images: Training images, shape (n, ...), n of at least `batch_size`.
        targets: What they should give, shape (n, ...).
        steps: Optimizer steps of the whole run.
        batch_size: Images a step.
        seed: Of the order and the augmentation; dropout and weights have the seed of `set_seed`.
        augment: Changes a batch of images before it is shown, from its own random generator.
        monitor: Called with the model at every report; a number to keep in the history.
        report_every: Steps between entries of the history.
        checkpoint: File to which the state is written, each time whole or not at all. It is
            kept after the run: a finished run resumes to its end at once.
        checkpoint_every_s: Seconds between checkpoints; one is also written when interrupted.
        resume: False starts afresh even if there is a checkpoint.
        progress: Show a progress bar.

    Returns:
        The learning curve. The model then holds the averaged weights, if it has an `ema`.

    Raises:
        ValueError: If the batch exceeds the data or cannot be shared evenly among the processes,
            or if the checkpoint is of another run.
        FloatingPointError: If the loss is no longer finite.
    """
    if not 0 < batch_size <= len(images) or len(images) != len(targets):
        raise ValueError(
            f"images, targets, batch_size: received {len(images)}, {len(targets)}, {batch_size}; "
            "expected as many targets as images, and a batch that is not larger."
        )
    rank, mine = _share(batch_size)
    identity = {"steps": steps, "batch_size": batch_size, "seed": seed, "n": len(images)}
    run = _Run(model, identity, Path(checkpoint) if checkpoint is not None else None, rank == 0)
    if resume:
        run.restore()
    bar = _bar(run.step, steps, progress)
    try:
        for rows in _batches(run.step, steps, len(images), batch_size, seed):
            batch = np.asarray(images[rows], np.float32)
            if augment is not None:
                batch = augment(batch, np.random.default_rng([seed, 2, run.step]))
            run.take_step(batch[mine], targets[rows[mine]])
            if run.step % report_every == 0 or run.step == steps:
                loss = run.report(monitor)
                bar.set_postfix(loss=f"{loss:.5f}")
            bar.update(1)
            run.save_if_due(checkpoint_every_s)
    except KeyboardInterrupt:
        run.save()
        raise
    finally:
        bar.close()
    run.save()
    if getattr(model.optimizer, "use_ema", False):
        model.optimizer.finalize_variable_values(model.trainable_variables)
    return run.history


def _share(batch_size: int) -> tuple[int, slice]:
    """Which process this is, and its part of every batch."""
    if keras.distribution.distribution() is None or keras.backend.backend() != "jax":
        return 0, slice(None)
    import jax

    rank, processes = jax.process_index(), jax.process_count()
    each, rest = divmod(batch_size, processes)
    if rest:
        raise ValueError(
            f"batch_size: received {batch_size} for {processes} processes, expected a multiple, so "
            "that each takes the same share. Choose another number of processes."
        )
    return rank, slice(rank * each, (rank + 1) * each)


def _batches(
    start: int, steps: int, n: int, batch_size: int, seed: int
) -> Iterator[NDArray[np.intp]]:
    """The rows of every batch from step `start` on: they depend on (seed, step) and no more."""
    per_epoch, known, order = n // batch_size, -1, np.empty(0, np.intp)
    for step in range(start, steps):
        epoch, place = divmod(step, per_epoch)
        if epoch != known:
            known, order = epoch, np.random.default_rng([seed, 1, epoch]).permutation(n)
        yield order[place * batch_size : (place + 1) * batch_size]


def _bar(start: int, steps: int, progress: bool) -> Any:
    from tqdm import tqdm

    return tqdm(total=steps, initial=start, unit="step", disable=not progress, desc="training")


class _Run:
    """The state of a run between steps, in memory and on disk."""

    def __init__(
        self, model: keras.Model, identity: dict[str, int], path: Path | None, writes: bool = True
    ) -> None:
        self.model, self.identity, self.path, self.writes = model, identity, path, writes
        self.history, self.step = History(), 0
        self.loss_sum, self.loss_steps = 0.0, 0
        self.cpu_began, self.saved_at = time.process_time(), time.monotonic()

    @property
    def cpu_s(self) -> float:
        """CPU seconds of this run, those before an interruption included."""
        return time.process_time() - self.cpu_began

    def take_step(self, batch: Floats, targets: Floats) -> None:
        loss = float(np.asarray(self.model.train_on_batch(batch, targets)))
        if not np.isfinite(loss):
            raise FloatingPointError(
                f"loss: received {loss} at step {self.step}, expected a finite number. Lower the "
                "learning rate, or look for NaN in the images and targets."
            )
        self.step += 1
        self.loss_sum += loss
        self.loss_steps += 1

    def report(self, monitor: Callable[[keras.Model], float] | None) -> float:
        loss = self.loss_sum / self.loss_steps
        value = float(monitor(self.model)) if monitor is not None else float("nan")
        self.history.add(self.step, self.cpu_s, loss, value)
        self.loss_sum, self.loss_steps = 0.0, 0
        return loss

    def save_if_due(self, every_s: float) -> None:
        if time.monotonic() - self.saved_at > every_s:
            self.save()

    def _variables(self) -> list[Any]:
        optimizer = self.model.optimizer
        if not optimizer.built:
            optimizer.build(self.model.trainable_variables)
        seen: dict[int, Any] = {}
        for variable in [*self.model.variables, *optimizer.variables]:
            seen.setdefault(id(variable), variable)
        return list(seen.values())

    def save(self) -> None:
        if self.path is None or not self.writes:
            return
        state = {
            **self.identity,
            "step": self.step,
            "cpu_s": self.cpu_s,
            "loss_sum": self.loss_sum,
            "loss_steps": self.loss_steps,
            "history": self.history.__dict__,
        }
        arrays: dict[str, Any] = {f"v{i}": np.asarray(v) for i, v in enumerate(self._variables())}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        scratch = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        try:
            with open(scratch, "wb") as file:
                np.savez(file, state=np.array(json.dumps(state)), **arrays)
            os.replace(scratch, self.path)
        finally:
            scratch.unlink(missing_ok=True)
        self.saved_at = time.monotonic()

    def restore(self) -> None:
        if self.path is None or not self.path.exists():
            return
        with np.load(self.path, allow_pickle=False) as file:
            state = json.loads(str(file["state"]))
            arrays = [file[f"v{i}"] for i in range(len(file.files) - 1)]
        variables = self._variables()
        other = {k: state[k] for k in self.identity if state[k] != self.identity[k]}
        shapes = [tuple(v.shape) for v in variables]
        if other or shapes != [a.shape for a in arrays]:
            raise ValueError(
                f"checkpoint {self.path}: received a run with {other or 'other layers'}, expected "
                f"{self.identity}. Delete the file, or pass resume=False to start afresh."
            )
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)
        self.history = History(**state["history"])
        self.step, self.cpu_began = int(state["step"]), time.process_time() - state["cpu_s"]
        self.loss_sum, self.loss_steps = state["loss_sum"], state["loss_steps"]


def predict(
    model: keras.Model,
    images: NDArray[Any],
    *,
    batch_size: int = 256,
    symmetries: int | Sequence[int] = 1,
) -> Floats:
    """Predictions in batches, averaged over exact symmetries of the images if asked.

    Args:
        model: The network.
        images: Shape (n, side, side, channels).
        batch_size: Images at a time.
        symmetries: Which symmetries of the square to average over, as `dihedral` numbers them
            (`augmentation.MIRRORS` for aligned images), or how many: 1, 2, 4 or 8.

    Returns:
        Shape (n, outputs).
    """
    counts = {1: (0,), 2: (0, 4), 4: (0, 1, 2, 3), 8: tuple(range(8))}
    if isinstance(symmetries, int):
        if symmetries not in counts:
            raise ValueError(f"symmetries: received {symmetries}, expected 1, 2, 4 or 8.")
        symmetries = counts[symmetries]
    parts = []
    for start in range(0, len(images), batch_size):
        batch = np.asarray(images[start : start + batch_size], np.float32)
        views = [
            np.asarray(model.predict_on_batch(np.ascontiguousarray(dihedral(batch, symmetry))))
            for symmetry in symmetries
        ]
        parts.append(np.mean(views, axis=0, dtype=np.float32))
    return np.concatenate(parts)
