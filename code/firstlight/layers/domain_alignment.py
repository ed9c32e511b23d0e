"""Losses that pull the features of two surveys together, as layers for a batch in two halves.

The first half of every training batch comes from the survey with labels, the second from the
one without. Each layer hands its input on unchanged and adds a loss while training. Give the
second half a `sample_weight` of zero, since nobody knows its labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from firstlight.layers.gradient_reversal import GradientReversal

__all__ = ["KINDS", "DomainCritic", "MomentAlignment", "coral", "mmd"]

KINDS = ("mmd", "coral")
SCALES = (0.25, 0.5, 1.0, 2.0, 4.0)


def _squared_distances(a: Any, b: Any) -> Any:
    """|a_i - b_j|^2, shape `(n, m)`; never below zero, whatever the rounding."""
    square = ops.sum(a**2, axis=1)[:, None] + ops.sum(b**2, axis=1)[None]
    return ops.maximum(square - 2 * ops.matmul(a, ops.transpose(b)), 0.0)


def mmd(first: Any, second: Any, scales: Sequence[float] = SCALES) -> Any:
    """Squared maximum mean discrepancy of two samples, with a sum of Gaussian kernels.

    Every kernel k(x, y) = exp(-|x - y|^2 / (c m)) has its own factor c; m is the mean squared
    distance of the two samples, through which no gradient flows. The estimate keeps the
    diagonal (Gretton et al. 2012, JMLR 13, 723, equation 5), so it is never negative.

    Args:
        first: Features of one survey, shape `(n, d)`.
        second: Features of the other, shape `(m, d)`.
        scales: The factors c.

    Returns:
        A scalar: zero if both samples are the same, at most 2.

    Example:
        >>> float(mmd(ops.ones((4, 2)), ops.ones((4, 2))))
        0.0
    """
    aa, bb, ab = (_squared_distances(*pair)
                  for pair in ((first, first), (second, second), (first, second)))  # fmt: skip
    width = ops.stop_gradient(ops.mean(ab)) + 1e-8
    total = 0.0
    for c in scales:
        means = [ops.mean(ops.exp(-d / (c * width))) for d in (aa, bb, ab)]
        total = total + means[0] + means[1] - 2 * means[2]
    return total / len(scales)


def coral(first: Any, second: Any) -> Any:
    """How much the covariances of two samples differ (Sun & Saenko 2016, arXiv 1607.01719).

    Args:
        first: Features of one survey, shape `(n, d)`.
        second: Features of the other, shape `(m, d)`.

    Returns:
        A scalar: the squared Frobenius norm of the difference, over 4 d^2. It does not see a
        difference of the means.

    Example:
        >>> float(coral(ops.eye(2), ops.eye(2) + 1.0))
        0.0
    """
    gap = _covariance(first) - _covariance(second)
    return ops.sum(gap**2) / (4 * gap.shape[0] ** 2)


def _covariance(x: Any) -> Any:
    centered = x - ops.mean(x, axis=0, keepdims=True)
    return ops.matmul(ops.transpose(centered), centered) / (ops.shape(x)[0] - 1)


def _halves(x: Any) -> tuple[Any, Any]:
    half = ops.shape(x)[0] // 2
    return x[:half], x[half : 2 * half]


@keras.saving.register_keras_serializable("firstlight")
class MomentAlignment(keras.layers.Layer):
    """Adds the distance between the two halves of a batch to the loss, while training.

    Args:
        kind: `"mmd"` or `"coral"`.
        weight: Factor on the distance.

    Input shape: `(2 n, d)`. Output shape: the same.

    Raises:
        ValueError: If the kind is unknown or the weight negative.

    Example:
        >>> MomentAlignment("coral", 10.0).kind
        'coral'
    """

    def __init__(self, kind: str = "mmd", weight: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if kind not in KINDS or not weight >= 0:
            raise ValueError(
                f"MomentAlignment: received kind={kind!r}, weight={weight}; expected one of "
                f"{', '.join(KINDS)} and a weight of 0 or more."
            )
        self.kind, self.weight = kind, float(weight)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """The input; adds a loss if training."""
        if training:
            distance = mmd if self.kind == "mmd" else coral
            self.add_loss(self.weight * distance(*_halves(x)))
        return x

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """The shape of the input."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """For saving."""
        return {**super().get_config(), "kind": self.kind, "weight": self.weight}


@keras.saving.register_keras_serializable("firstlight")
class DomainCritic(keras.layers.Layer):
    """A small network that tells the two halves of a batch apart, behind a gradient reversal.

    Args:
        units: Of its hidden layer.
        weight: Factor on its cross-entropy, for the critic and for the features alike.
        strength: Of the reversal, to begin with; see `GradientReversal`.

    Input shape: `(2 n, d)`. Output shape: the same.

    Raises:
        ValueError: If there are no units, or the weight is negative.

    Example:
        >>> DomainCritic(8).units
        8
    """

    def __init__(
        self, units: int = 32, weight: float = 1.0, strength: float = 1.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if units < 1 or not weight >= 0:
            raise ValueError(
                f"DomainCritic: received units={units}, weight={weight}; expected 1 unit or more "
                "and a weight of 0 or more."
            )
        self.units, self.weight = int(units), float(weight)
        self.reversal = GradientReversal(strength)
        self.hidden = keras.layers.Dense(self.units, activation="relu")
        self.answer = keras.layers.Dense(1)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """The critic's two dense layers."""
        self.hidden.build(input_shape)
        self.answer.build((input_shape[0], self.units))

    def call(self, x: Any, training: bool | None = None) -> Any:
        """The input; adds a loss if training."""
        if training:
            first, second = _halves(self.logits(self.reversal(x)))
            # Cross-entropy of "is it the second survey?", from logits, for both halves.
            loss = ops.mean(ops.softplus(first)) + ops.mean(ops.softplus(-second))
            self.add_loss(self.weight * loss / 2)
        return x

    def logits(self, x: Any) -> Any:
        """How sure the critic is of the second survey: positive if it is, shape `(n, 1)`."""
        return self.answer(self.hidden(x))

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """The shape of the input."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """For saving."""
        settings = {"units": self.units, "weight": self.weight, "strength": self.reversal.start}
        return {**super().get_config(), **settings}
