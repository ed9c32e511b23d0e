"""From gradients to steps: SGD, momentum, Nesterov, RMSprop, Adam, AMSGrad, AdamW.

Names, defaults and formulas are Keras's, so that a trajectory here equals one there. All that
an optimizer remembers of a parameter stands in `state`: `momentum`, a running mean of
gradients, and `velocity`, a running mean of their squares.
"""

from typing import Any

import numpy as np

from firstlight.autodiff.checks import Floats
from firstlight.autodiff.optimizer import Optimizer, Rate, State, number

__all__ = ["Adam", "AdamW", "Optimizer", "RMSprop", "SGD", "get"]


class SGD(Optimizer):
    """Gradient descent, with momentum if wanted (Polyak 1964; Nesterov 1983).

    Args:
        learning_rate: See `Optimizer`.
        momentum: How much of the last change is kept, from 0 to 1.
        nesterov: Whether the momentum of this step acts before its gradient is added.
        **options: See `Optimizer`.

    Example:
        >>> optimizer = SGD(0.1, momentum=0.9)
        >>> optimizer.step(optimizer.step([0.0], [1.0]), [1.0])
        [array(-0.29)]
    """

    SLOTS = ("momentum",)

    def __init__(
        self,
        learning_rate: Rate = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        self.momentum = number(momentum, "momentum", most=1)
        self.nesterov = nesterov

    def change(self, gradient: Floats, rate: float, state: State) -> Floats:
        """Minus the rate times the gradient, plus what is left of the last change."""
        state["momentum"] = self.momentum * state["momentum"] - rate * gradient
        if self.nesterov and self.momentum:
            return self.momentum * state["momentum"] - rate * gradient
        return state["momentum"]


class RMSprop(Optimizer):
    """The gradient over the root of its running mean square (Tieleman & Hinton 2012).

    Args:
        learning_rate: See `Optimizer`.
        rho: Memory of the mean square, 0 or more and below 1.
        momentum: As in `SGD`, of the changes.
        epsilon: Added to the mean square, under the root.
        centered: Whether the mean's square is subtracted: a variance instead.
        **options: See `Optimizer`.
    """

    SLOTS = ("velocity", "momentum", "average_gradient")

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        self.rho = number(rho, "rho", below=1)
        self.momentum = number(momentum, "momentum", most=1)
        self.epsilon = number(epsilon, "epsilon", above=0)
        self.centered = centered

    def change(self, gradient: Floats, rate: float, state: State) -> Floats:
        """Steps of about the rate, whatever the size of the gradient."""
        v = state["velocity"] = self.rho * state["velocity"] + (1 - self.rho) * gradient**2
        if self.centered:
            mean = self.rho * state["average_gradient"] + (1 - self.rho) * gradient
            state["average_gradient"] = mean
            v = v - mean**2
        forward = rate * gradient / np.sqrt(v + self.epsilon)
        state["momentum"] = self.momentum * state["momentum"] + forward
        return -state["momentum"]


class Adam(Optimizer):
    """Mean of the gradients over the root of their mean square, both corrected for the start.

    Kingma & Ba (2015); with `amsgrad` the mean square never falls (Reddi, Kale & Kumar 2018).
    As in Keras, epsilon is added to the root before the correction.

    Args:
        learning_rate: See `Optimizer`.
        beta_1: Memory of the mean, 0 or more and below 1.
        beta_2: Memory of the mean square, 0 or more and below 1.
        epsilon: Added to the root.
        amsgrad: Whether to divide by the largest mean square so far.
        **options: See `Optimizer`.

    Example:
        >>> Adam(0.1).step([1.0], [1e6])
        [array(0.9)]
    """

    SLOTS = ("momentum", "velocity", "velocity_hat")

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        self.beta_1 = number(beta_1, "beta_1", below=1)
        self.beta_2 = number(beta_2, "beta_2", below=1)
        self.epsilon = number(epsilon, "epsilon", above=0)
        self.amsgrad = amsgrad

    def change(self, gradient: Floats, rate: float, state: State) -> Floats:
        """At most about the rate, in every coordinate alike."""
        m = state["momentum"] = self.beta_1 * state["momentum"] + (1 - self.beta_1) * gradient
        v = self.beta_2 * state["velocity"] + (1 - self.beta_2) * gradient**2
        state["velocity"] = v
        if self.amsgrad:
            v = state["velocity_hat"] = np.maximum(state["velocity_hat"], v)
        t = self.iterations
        rate = rate * (1 - self.beta_2**t) ** 0.5 / (1 - self.beta_1**t)
        return -rate * m / (np.sqrt(v) + self.epsilon)


class AdamW(Adam):
    """Adam that shrinks the parameters themselves in each step (Loshchilov & Hutter 2019).

    It shrinks all that it is given, biases too, as Keras does by default.

    Args:
        learning_rate: See `Optimizer`.
        weight_decay: See `Optimizer`.
        **options: See `Adam` and `Optimizer`.
    """

    def __init__(
        self, learning_rate: Rate = 0.001, weight_decay: float = 0.004, **options: Any
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, **options)


_NAMES = {"adam": Adam, "adamw": AdamW, "rmsprop": RMSprop, "sgd": SGD}


def get(identifier: "str | Optimizer", **options: Any) -> Optimizer:
    """An optimizer by its name; one that is already there passes through.

    Args:
        identifier: `"sgd"`, `"rmsprop"`, `"adam"`, `"adamw"` in any case, or an optimizer.
        **options: What the class takes.

    Returns:
        The optimizer.

    Raises:
        ValueError: If there is no such name.

    Example:
        >>> get("Adam", learning_rate=0.01).learning_rate
        0.01
    """
    if isinstance(identifier, Optimizer) and not options:
        return identifier
    if not isinstance(identifier, str) or identifier.lower() not in _NAMES:
        raise ValueError(
            f"optimizer: received {identifier!r}, expected one of {', '.join(_NAMES)}; momentum, "
            "nesterov and amsgrad are arguments of these."
        )
    return _NAMES[identifier.lower()](**options)
