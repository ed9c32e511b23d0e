"""Learning rates that change with the step: Keras's names, arguments and formulas.

A schedule is called with the number of steps already taken, and returns a learning rate. Any
other function of the step will do as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["CosineDecay", "ExponentialDecay", "PiecewiseConstantDecay"]


@dataclass(frozen=True)
class CosineDecay:
    """Half a cosine from the full rate to `alpha` of it, after a linear warm-up if wanted.

    Args:
        initial_learning_rate: Rate at step 0.
        decay_steps: Length of the decay, counted from the end of the warm-up.
        alpha: What remains at the end, as a fraction of the highest rate.
        warmup_target: Rate at the end of the warm-up; None for no warm-up.
        warmup_steps: Length of the warm-up.

    Raises:
        ValueError: If a rate is negative, or a length is none.

    Example:
        >>> rate = CosineDecay(0.0, 80, warmup_target=0.1, warmup_steps=20)
        >>> rate(10), rate(20), round(rate(60), 3), rate(100)
        (0.05, 0.1, 0.05, 0.0)
    """

    initial_learning_rate: float
    decay_steps: int
    alpha: float = 0.0
    warmup_target: float | None = None
    warmup_steps: int = 0

    def __post_init__(self) -> None:
        _rate(self.initial_learning_rate, "initial_learning_rate")
        _steps(self.decay_steps, "decay_steps")
        _rate(self.alpha, "alpha")
        if self.warmup_target is not None:
            _rate(self.warmup_target, "warmup_target")
            _steps(self.warmup_steps, "warmup_steps")
        elif self.warmup_steps:
            raise ValueError(
                f"warmup_steps: received {self.warmup_steps} without a warmup_target, expected "
                "both. initial_learning_rate is where the warm-up starts."
            )

    def __call__(self, step: int) -> float:
        """Rate of the step that follows `step` steps."""
        top = self.initial_learning_rate
        if self.warmup_target is not None:
            top = self.warmup_target
            if step < self.warmup_steps:
                start = self.initial_learning_rate
                return start + (top - start) * step / self.warmup_steps
        done = min(step - self.warmup_steps, self.decay_steps) / self.decay_steps
        cosine = 0.5 * (1 + np.cos(np.pi * done))
        return float(top * ((1 - self.alpha) * cosine + self.alpha))


@dataclass(frozen=True)
class ExponentialDecay:
    """The rate times `decay_rate` for every `decay_steps` steps.

    Args:
        initial_learning_rate: Rate at step 0.
        decay_steps: After so many steps the rate has fallen by one factor.
        decay_rate: The factor, above 0.
        staircase: Whether it falls in jumps.

    Raises:
        ValueError: If a rate is negative, or a length is none.

    Example:
        >>> ExponentialDecay(0.1, 100, 0.5)(200)
        0.025
    """

    initial_learning_rate: float
    decay_steps: int
    decay_rate: float
    staircase: bool = False

    def __post_init__(self) -> None:
        _rate(self.initial_learning_rate, "initial_learning_rate")
        _steps(self.decay_steps, "decay_steps")
        if not _rate(self.decay_rate, "decay_rate"):
            raise ValueError("decay_rate: received 0, expected a factor above 0.")

    def __call__(self, step: int) -> float:
        """Rate of the step that follows `step` steps."""
        done = step / self.decay_steps
        power = np.floor(done) if self.staircase else done
        return float(self.initial_learning_rate * self.decay_rate**power)


@dataclass(frozen=True)
class PiecewiseConstantDecay:
    """Rates that hold between given steps: the stairs of many older papers.

    Args:
        boundaries: Rising steps; at a boundary itself the earlier rate still holds.
        values: Rates, one more than boundaries.

    Raises:
        ValueError: If the lengths do not fit, the boundaries do not rise, a rate is negative.

    Example:
        >>> rate = PiecewiseConstantDecay([100, 200], [0.1, 0.01, 0.001])
        >>> rate(100), rate(101), rate(500)
        (0.1, 0.01, 0.001)
    """

    boundaries: Sequence[int]
    values: Sequence[float]

    def __post_init__(self) -> None:
        if len(self.values) != len(self.boundaries) + 1:
            raise ValueError(
                f"values: received {len(self.values)} for {len(self.boundaries)} boundaries, "
                "expected one more: before the first, between them, after the last."
            )
        if any(b <= a for a, b in zip(self.boundaries, self.boundaries[1:], strict=False)):
            raise ValueError(f"boundaries: received {self.boundaries}, expected rising steps.")
        for value in self.values:
            _rate(value, "values")

    def __call__(self, step: int) -> float:
        """Rate of the step that follows `step` steps."""
        return float(self.values[int(np.searchsorted(self.boundaries, step))])


def _rate(value: float, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < np.inf:
        raise ValueError(f"{name}: received {value!r}, expected a number of 0 or more.")
    return float(value)


def _steps(value: int, name: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name}: received {value!r}, expected a whole number, 1 or more.")
