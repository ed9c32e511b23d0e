"""What every optimizer does besides its own formula: rates, clipping, decay, checks, memory."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np

from firstlight.autodiff import clipping
from firstlight.autodiff.checks import Floats, as_floats

__all__ = ["Optimizer", "Rate", "State", "number"]

Rate = float | Callable[[int], float]
State = dict[str, Floats]


class _Trained(Protocol):
    value: Any


class Optimizer:
    """What all optimizers share: the learning rate, clipping, weight decay, the count of steps.

    Args:
        learning_rate: A number of 0 or more, or a function of the number of steps taken.
        weight_decay: Fraction of a parameter lost in a step, before it is multiplied by the
            learning rate; None for none. It does not pass through the gradient.
        clipnorm: Largest length of each gradient.
        clipvalue: Largest size of each number of a gradient.
        global_clipnorm: Largest length of all gradients together.

    Raises:
        ValueError: If a number is out of range, or more than one clipping is given.
    """

    SLOTS: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        learning_rate: Rate,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
    ) -> None:
        self.learning_rate: Rate = learning_rate
        if not callable(learning_rate):
            self.learning_rate = number(learning_rate, "learning_rate")
        self.weight_decay = None if weight_decay is None else number(weight_decay, "weight_decay")
        ways = {
            clipping.clip_by_norm: clipnorm,
            clipping.clip_by_value: clipvalue,
            clipping.clip_by_global_norm: global_clipnorm,
        }
        self._clips = [(way, limit) for way, limit in ways.items() if limit is not None]
        if len(self._clips) > 1:
            raise ValueError(
                f"received clipnorm={clipnorm}, clipvalue={clipvalue}, "
                f"global_clipnorm={global_clipnorm}, expected one of them at most."
            )
        for way, limit in self._clips:
            way([], limit)  # tells now, not at the first step, when the limit is none
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next step is the first."""
        self.iterations = 0
        self.state: list[State] = []

    def step(self, values: Sequence[Any], gradients: Sequence[Any]) -> list[Floats]:
        """Parameters after one step.

        Args:
            values: The parameters, arrays of any shapes.
            gradients: Of the loss, one for each parameter and of its shape.

        Returns:
            New arrays of the parameters' dtypes; those given stay as they were.

        Raises:
            ValueError: If numbers, shapes or NaNs say that this is no step; nothing is
                remembered of it.

        Example:
            >>> from firstlight.autodiff.optimizers import SGD
            >>> SGD(0.1).step([[1.0]], [[2.0]])
            [array([0.8])]
        """
        arrays = [as_floats(value, f"parameter {k}") for k, value in enumerate(values)]
        slopes = clipping.finite(gradients)
        self._check_shapes([a.shape for a in arrays], [g.shape for g in slopes])
        rate = self.learning_rate
        if callable(rate):
            rate = number(rate(self.iterations), f"learning_rate at step {self.iterations}")
        for way, limit in self._clips:
            slopes = way(slopes, limit)
        if not self.state:
            self.state = [{slot: np.zeros_like(a) for slot in self.SLOTS} for a in arrays]
        self.iterations += 1
        kept = 1 - rate * (self.weight_decay or 0.0)
        return [
            np.asarray(array * kept + self.change(slope.astype(array.dtype), rate, state))
            for array, slope, state in zip(arrays, slopes, self.state, strict=True)
        ]

    def apply(self, gradients: Sequence[Any], variables: Sequence[_Trained]) -> None:
        """One step of things that keep their array in `.value`, which is replaced.

        Args:
            gradients: One for each variable.
            variables: What is trained.

        Raises:
            ValueError: As `step` does.
        """
        new = self.step([variable.value for variable in variables], gradients)
        for variable, value in zip(variables, new, strict=True):
            variable.value = value

    def change(self, gradient: Floats, rate: float, state: State) -> Floats:
        """What is added to one parameter; brings its state up to date."""
        raise NotImplementedError

    def _check_shapes(self, values: list[Any], gradients: list[Any]) -> None:
        if values != gradients:
            raise ValueError(
                f"received gradients of shapes {gradients}, expected {values}: one gradient for "
                "each parameter, in the same order."
            )
        known = [state[self.SLOTS[0]].shape for state in self.state] if self.SLOTS else values
        if self.state and values != known:
            raise ValueError(
                f"received parameters of shapes {values}, expected {known} as in the steps "
                "before. An optimizer remembers one network: make another, or call reset()."
            )


def number(
    value: Any, name: str, above: float | None = None, below: float = np.inf, most: float = np.inf
) -> float:
    """A setting as a float, or an error that says what it may be.

    Args:
        value: What was given.
        name: Whom the error names.
        above: Strict lower limit; by default 0 is allowed and less is not.
        below: Strict upper limit.
        most: Upper limit.

    Returns:
        The value.

    Raises:
        ValueError: If it is no real number within the limits.
    """
    low = value > above if above is not None and _real(value) else _real(value) and value >= 0
    if not (low and value < below and value <= most):
        end = f", below {below}" if below < np.inf else f" and at most {most}" * (most < np.inf)
        start = "above 0" if above is not None else "of 0 or more"
        raise ValueError(f"{name}: received {value!r}, expected a number {start}{end}.")
    return float(value)


def _real(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
