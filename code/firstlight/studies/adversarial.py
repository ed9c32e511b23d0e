"""Two networks against each other: the first game, its mended form, and Wasserstein's.

After Goodfellow et al. (2014, arXiv 1406.2661), Arjovsky, Chintala & Bottou (2017, arXiv
1701.07875) and Gulrajani et al. (2017, arXiv 1704.00028). A run can be stopped and resumed like
those of `training.fit`: everything random is a function of the seed and the step. The loop is
written in TensorFlow.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["RULES", "Duel", "Game", "fit", "rate"]

Floats = NDArray[np.float32]

RULES = ("wasserstein", "minimax", "non-saturating")


@dataclass(frozen=True)
class Game:
    """The rules.

    Args:
        steps: Of the generator.
        batch_size: Real examples, and as many generated ones, a step.
        critic_steps: Of the critic for each of the generator.
        learning_rate: Of the generator's Adam, constant for the first half, then falling to zero.
        critic_rate: Of the critic's.
        penalty: Weight of the mean square by which the critic's slope misses 1.
        penalty_every: The penalty is taken at every so many critic steps, with as many times the
            weight: it is the dearest part.
        ema: Momentum of the running mean of the generator's weights.
        rule: One of `RULES`. In the other two the critic's number is the logit of "real".
    """

    steps: int
    batch_size: int = 16
    critic_steps: int = 2
    learning_rate: float = 1e-3
    critic_rate: float = 1e-3
    penalty: float = 10.0
    penalty_every: int = 1
    ema: float = 0.98
    rule: str = "wasserstein"

    def __post_init__(self) -> None:
        whole = {"steps": 0, "batch_size": 2, "critic_steps": 1, "penalty_every": 1}
        for name, least in whole.items():
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ValueError(
                    f"Game: received {name}={value!r}, expected a whole number of {least} or more."
                )
        if self.rule not in RULES:
            raise ValueError(
                f"Game: received rule={self.rule!r}, expected one of {', '.join(RULES)}."
            )
        if not 0 <= self.ema < 1 or self.penalty < 0 or self.learning_rate <= 0:
            raise ValueError(
                f"Game: received ema={self.ema}, penalty={self.penalty}, learning_rate="
                f"{self.learning_rate}; expected 0 to 1, 0 or more, and above 0."
            )


@dataclass
class Duel:
    """How a game went.

    Args:
        step: Steps of the generator at each entry.
        cpu_s: CPU seconds until then, interruptions included.
        gap: The critic's mean score of real examples less that of generated ones, since the
            entry before: its estimate of the Wasserstein distance.
        slope: Mean slope of the critic between the two, which should be 1.
        monitor: What `fit(monitor=...)` returned.
    """

    step: list[int] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    gap: list[float] = field(default_factory=list)
    slope: list[float] = field(default_factory=list)
    monitor: list[float] = field(default_factory=list)


def rate(step: int, steps: int) -> float:
    """The share of the learning rate at a step: 1 for the first half, then down to 0."""
    return float(min(1.0, 2 * (1 - step / max(steps, 1))))


def fit(
    generator: Any,
    critic: Any,
    real: Callable[[int, np.random.Generator], Floats],
    game: Game,
    *,
    seed: int = 0,
    latent: Callable[[int, np.random.Generator], Floats] | None = None,
    also: Callable[[Any], Any] | None = None,
    monitor: Callable[[Any], float] | None = None,
    report_every: int = 50,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every_s: float = 60.0,
    resume: bool = True,
    progress: bool = False,
) -> Duel:
    """Play; the generator then holds the mean of its weights.

    Args:
        generator: A Keras model from noise to examples.
        critic: A Keras model from examples to numbers (n, 1).
        real: `real(n, rng)`: n real examples.
        game: The rules.
        seed: Of noise and choice; weights have the seed of `training.set_seed`.
        latent: `latent(n, rng)`: what the generator takes; standard normal noise by default.
        also: A further loss of the generator, from a batch of its examples.
        monitor: Called with the generator (its present weights) at every report.
        report_every: Steps between entries.
        checkpoint: File for the state, written whole or not at all, and kept after the run.
        checkpoint_every_s: Seconds between checkpoints, which are written between steps.
        resume: False starts afresh even if there is a checkpoint.
        progress: Show a progress bar.

    Returns:
        How it went.

    Raises:
        FloatingPointError: If a loss is no longer finite.
        ValueError: If the checkpoint is of another run.
    """
    from tqdm import tqdm

    table = _Table(generator, critic, game, also)
    state = _State(table, {**game.__dict__, "seed": seed}, checkpoint)
    if resume:
        state.restore()
    shape, n = tuple(generator.input_shape[1:]), game.batch_size
    latent = latent or (lambda n, rng: rng.standard_normal((n, *shape), np.float32))
    bar = tqdm(total=game.steps, initial=state.step, disable=not progress, desc="playing")
    try:
        while state.step < game.steps:
            rng = np.random.default_rng([seed, 3, state.step])
            table.set_rate(rate(state.step, game.steps))
            for turn in range(game.critic_steps):
                noise, share = latent(n, rng), rng.random((n, 1), np.float32)
                number = state.step * game.critic_steps + turn
                state.take(table.critic_turn(real(n, rng), noise, share, number))
            table.generator_turn(latent(n, rng), state.step)
            state.step += 1
            if state.step % report_every == 0 or state.step == game.steps:
                state.report(monitor(generator) if monitor is not None else float("nan"))
            bar.update(1)
            state.save_if_due(checkpoint_every_s)
    finally:
        bar.close()
    state.save()
    if game.steps:
        table.put_mean()
    return state.duel


class _Table:
    """The two players, their optimizers, and a turn of each, compiled."""

    def __init__(self, generator: Any, critic: Any, game: Game, also: Any) -> None:
        import keras
        import tensorflow as tf

        self.generator, self.critic, self.game, self.also, self.tf = (
            generator,
            critic,
            game,
            also,
            tf,
        )
        adam = {"beta_1": 0.0, "beta_2": 0.9}
        self.rates = (game.learning_rate, game.critic_rate)
        self.optimizers = [keras.optimizers.Adam(rate, **adam) for rate in self.rates]
        for optimizer, model in zip(self.optimizers, (generator, critic), strict=True):
            optimizer.build(model.trainable_variables)
        self.mean = [tf.Variable(v) for v in generator.trainable_variables]
        self._with, self._without, self._move = (
            tf.function(one) for one in (self._penalized, self._plain, self._generate)
        )

    def variables(self) -> list[Any]:
        """All that a checkpoint must hold."""
        seen: dict[int, Any] = {}
        found = [*self.generator.variables, *self.critic.variables, *self.mean]
        for optimizer in self.optimizers:
            found += optimizer.variables
        for variable in found:
            seen.setdefault(id(variable), variable)
        return list(seen.values())

    def set_rate(self, share: float) -> None:
        for optimizer, rate in zip(self.optimizers, self.rates, strict=True):
            optimizer.learning_rate = share * rate

    def put_mean(self) -> None:
        for variable, mean in zip(self.generator.trainable_variables, self.mean, strict=True):
            variable.assign(mean)

    def critic_turn(
        self, real: Floats, noise: Floats, share: Floats, number: int
    ) -> tuple[float, float]:
        tensors = [self.tf.constant(each) for each in (real, noise, share)]
        due = self.game.penalty > 0 and number % self.game.penalty_every == 0
        turn = self._with if due else self._without
        return tuple(float(each) for each in turn(*tensors))  # type: ignore[return-value]

    def generator_turn(self, noise: Floats, step: int) -> None:
        momentum = min(self.game.ema, (1 + step) / (10 + step))
        self._move(self.tf.constant(noise), self.tf.constant(momentum, self.tf.float32))

    def _judge(self, real: Any, fake: Any) -> tuple[Any, Any]:
        """Gap of the scores, and the critic's loss."""
        tf, n = self.tf, self.tf.shape(real)[0]
        scores = self.critic(tf.concat([real, fake], 0), training=True)
        gap = tf.reduce_mean(scores[:n]) - tf.reduce_mean(scores[n:])
        if self.game.rule == "wasserstein":
            return gap, -gap
        return gap, tf.reduce_mean(tf.nn.softplus(-scores[:n]) + tf.nn.softplus(scores[n:]))

    def _penalized(self, real: Any, noise: Any, share: Any) -> Any:
        tf, game = self.tf, self.game
        fake = self.generator(noise, training=True)
        share = tf.reshape(share, [-1] + [1] * (len(real.shape) - 1))
        between = real + share * (fake - real)
        with tf.GradientTape() as tape:
            gap, loss = self._judge(real, fake)
            with tf.GradientTape() as inner:
                inner.watch(between)
                score = tf.reduce_sum(self.critic(between, training=True))
            slopes = tf.reshape(inner.gradient(score, between), [tf.shape(real)[0], -1])
            size = tf.sqrt(tf.reduce_sum(slopes**2, axis=1) + 1e-12)
            weight = game.penalty * game.penalty_every
            loss += weight * tf.reduce_mean((size - 1) ** 2)
        self._improve(1, tape.gradient(loss, self.critic.trainable_variables))
        return gap, tf.reduce_mean(size)

    def _plain(self, real: Any, noise: Any, share: Any) -> Any:
        tf = self.tf
        fake = self.generator(noise, training=True)
        with tf.GradientTape() as tape:
            gap, loss = self._judge(real, fake)
        self._improve(1, tape.gradient(loss, self.critic.trainable_variables))
        return gap, tf.constant(float("nan"))

    def _generate(self, noise: Any, momentum: Any) -> None:
        tf = self.tf
        with tf.GradientTape() as tape:
            fake = self.generator(noise, training=True)
            scores = self.critic(fake, training=True)
            if self.game.rule == "non-saturating":
                loss = tf.reduce_mean(tf.nn.softplus(-scores))
            else:
                bent = tf.nn.softplus(scores) if self.game.rule == "minimax" else scores
                loss = -tf.reduce_mean(bent)
            if self.also is not None:
                loss += self.also(fake)
        self._improve(0, tape.gradient(loss, self.generator.trainable_variables))
        for mean, variable in zip(self.mean, self.generator.trainable_variables, strict=True):
            mean.assign(momentum * mean + (1 - momentum) * tf.convert_to_tensor(variable))

    def _improve(self, player: int, gradients: Any) -> None:
        model = (self.generator, self.critic)[player]
        self.optimizers[player].apply(gradients, model.trainable_variables)


class _State:
    """Where a run stands, in memory and on disk."""

    def __init__(self, table: _Table, identity: dict[str, Any], path: Any) -> None:
        self.table, self.identity = table, identity
        self.path = Path(path) if path is not None else None
        self.step, self.duel = 0, Duel()
        self.since: list[tuple[float, float]] = []
        self.cpu_began, self.saved_at = time.process_time(), time.monotonic()

    def take(self, result: tuple[float, float]) -> None:
        if not np.isfinite(result[0]):
            raise FloatingPointError(
                f"critic: received a gap of {result[0]} at step {self.step}, expected a finite "
                "number. Lower the learning rates, or look for NaN in the real examples."
            )
        self.since.append(result)

    def report(self, value: float) -> None:
        gaps, slopes = np.array(self.since).T
        known = slopes[np.isfinite(slopes)]
        self.duel.step.append(self.step)
        self.duel.cpu_s.append(time.process_time() - self.cpu_began)
        self.duel.gap.append(float(gaps.mean()))
        self.duel.slope.append(float(known.mean()) if len(known) else float("nan"))
        self.duel.monitor.append(float(value))
        self.since = []

    def save_if_due(self, every_s: float) -> None:
        if time.monotonic() - self.saved_at > every_s:
            self.save()

    def save(self) -> None:
        if self.path is None:
            return
        state = {"identity": self.identity, "step": self.step, "since": self.since,
                 "cpu_s": time.process_time() - self.cpu_began,
                 "duel": self.duel.__dict__}  # fmt: skip
        arrays = {f"v{i}": np.asarray(v) for i, v in enumerate(self.table.variables())}
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
        variables = self.table.variables()
        shapes = [tuple(v.shape) for v in variables]
        if state["identity"] != self.identity or shapes != [a.shape for a in arrays]:
            raise ValueError(
                f"checkpoint {self.path}: received a run with {state['identity']}, expected "
                f"{self.identity} and the same layers. Delete the file, or pass resume=False."
            )
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)
        self.step, self.duel = int(state["step"]), Duel(**state["duel"])
        self.since = [(gap, slope) for gap, slope in state["since"]]
        self.cpu_began = time.process_time() - state["cpu_s"]
