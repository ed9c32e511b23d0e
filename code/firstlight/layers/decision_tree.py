"""A decision tree as the last layer of a network: vote fractions that obey the questionnaire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

__all__ = ["DecisionTreeHead", "TreeCrossEntropy"]

Parent = Sequence[int] | None


def _check_tree(sizes: Sequence[int], parents: Sequence[Parent]) -> list[int]:
    """Question indices with every parent before its children; ValueError where none exists."""
    if len(sizes) != len(parents) or not sizes:
        raise ValueError(
            f"tree: received {len(sizes)} sizes and {len(parents)} parents, expected one of each "
            "per question. Give `None` as the parent of a question put to everybody."
        )
    for question, size in enumerate(sizes):
        if int(size) != size or size < 2:
            raise ValueError(
                f"sizes[{question}]: received {size!r}, expected a whole number of answers, 2 or "
                "more. A question with one answer tells nothing: leave it out."
            )
    for question, parent in enumerate(parents):
        if parent is None:
            continue
        if len(parent) != 2 or not 0 <= parent[0] < len(sizes):
            raise ValueError(
                f"parents[{question}]: received {parent!r}, expected None or (question, answer) "
                f"with question from 0 to {len(sizes) - 1}."
            )
        if not 0 <= parent[1] < sizes[parent[0]]:
            raise ValueError(
                f"parents[{question}]: received answer {parent[1]}, but question {parent[0]} has "
                f"answers 0 to {sizes[parent[0]] - 1}."
            )
    return _top_down(parents)


def _top_down(parents: Sequence[Parent]) -> list[int]:
    order: list[int] = []
    while len(order) < len(parents):
        ready = [
            question
            for question, parent in enumerate(parents)
            if question not in order and (parent is None or parent[0] in order)
        ]
        if not ready:
            stuck = [question for question in range(len(parents)) if question not in order]
            raise ValueError(
                f"parents: received a loop among questions {stuck}, expected a tree. Every chain "
                "of parents must end at a question whose parent is None."
            )
        order.extend(ready)
    return order


@keras.saving.register_keras_serializable("firstlight")
class DecisionTreeHead(keras.layers.Layer):
    """Turn logits into the answer fractions of a questionnaire in which answers open questions.

    Within each question the activated logits are divided by their sum, so that the answers
    share one; each question is then multiplied by the probability of the answer that leads to
    it. No output can break the tree: a galaxy that is 20 % disk has spiral arms in at most 20 %
    of the votes, whatever the weights.

    With `activation="relu"` a fraction can be exactly proportional to a logit and nearly zero
    (Dieleman, Willett & Dambre 2015, MNRAS 450, 1441). `epsilon` is added after the ReLU: it
    keeps the sum from zero, so that a question whose logits are all negative gets equal shares
    rather than 0 / 0, and it bounds every fraction away from zero by epsilon / sum. With
    `"softmax"` no question can fall silent, at the price of fractions that only creep to zero.

    Args:
        sizes: Number of answers of each question, in the order of the columns.
        parents: For each question `(question, answer)`, counted from zero, or None if it is put
            to everybody.
        activation: `"relu"` or `"softmax"`.
        epsilon: Added to each rectified logit; used by `"relu"` only.

    Input shape: `(n, sum(sizes))`. Output shape: the same.

    Raises:
        ValueError: If sizes and parents describe no tree.

    Example:
        >>> head = DecisionTreeHead(sizes=[2, 3], parents=[None, (0, 1)])
        >>> head(keras.ops.array([[1.0, 3.0, 2.0, 1.0, 1.0]]))  # doctest: +SKIP
        [[0.25, 0.75, 0.375, 0.1875, 0.1875]]
    """

    def __init__(
        self,
        sizes: Sequence[int],
        parents: Sequence[Parent],
        *,
        activation: str = "relu",
        epsilon: float = 1e-3,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if activation not in ("relu", "softmax"):
            raise ValueError(
                f"activation: received {activation!r}, expected 'relu' (divisive normalization) "
                "or 'softmax'."
            )
        if not epsilon > 0:
            raise ValueError(f"epsilon: received {epsilon!r}, expected a small positive number.")
        self._order = _check_tree(sizes, parents)
        self.sizes = [int(size) for size in sizes]
        self.parents = [None if p is None else [int(p[0]), int(p[1])] for p in parents]
        self.activation = activation
        self.epsilon = float(epsilon)
        self._starts = [sum(self.sizes[:question]) for question in range(len(self.sizes))]

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Check that there is one logit for each answer."""
        if input_shape[-1] != sum(self.sizes):
            raise ValueError(
                f"input: received {input_shape[-1]} logits, expected {sum(self.sizes)}, one per "
                "answer. Put a Dense layer of that many units before the tree."
            )

    def call(self, logits: Any) -> Any:
        """Cumulative answer fractions, shape `(n, sum(sizes))`."""
        fractions: dict[int, Any] = {}
        for question in self._order:
            start = self._starts[question]
            shares = self._shares(logits[:, start : start + self.sizes[question]])
            parent = self.parents[question]
            if parent is not None:
                asked = fractions[parent[0]][:, parent[1] : parent[1] + 1]
                shares = shares * asked
            fractions[question] = shares
        return ops.concatenate([fractions[q] for q in range(len(self.sizes))], axis=-1)

    def _shares(self, logits: Any) -> Any:
        if self.activation == "softmax":
            return ops.softmax(logits, axis=-1)
        positive = ops.relu(logits) + self.epsilon
        return positive / ops.sum(positive, axis=-1, keepdims=True)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """The shape of the input."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Plain lists and numbers, from which `from_config` makes the same layer."""
        return {
            **super().get_config(),
            "sizes": self.sizes,
            "parents": self.parents,
            "activation": self.activation,
            "epsilon": self.epsilon,
        }


@keras.saving.register_keras_serializable("firstlight")
class TreeCrossEntropy(keras.losses.Loss):
    """Multinomial cross-entropy of the tree: each question weighted by the share asked it.

    For cumulative fractions y (observed) and p (predicted) it is the sum over answers of
    y (log p_parent - log p), which is the negative log-likelihood of the votes per volunteer.

    Args:
        sizes: Number of answers of each question.
        parents: As in `DecisionTreeHead`.
        floor: Predicted fractions are raised to at least this before the logarithm.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        parents: Sequence[Parent],
        *,
        floor: float = 1e-6,
        name: str = "tree_cross_entropy",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        _check_tree(sizes, parents)
        self.sizes = [int(size) for size in sizes]
        self.parents = [None if p is None else [int(p[0]), int(p[1])] for p in parents]
        self.floor = float(floor)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Negative log-likelihood per galaxy, shape `(n,)`."""
        log_p = ops.log(ops.maximum(y_pred, self.floor))
        total = -ops.sum(y_true * log_p, axis=-1)
        for question, parent in enumerate(self.parents):
            if parent is not None:
                start = sum(self.sizes[:question])
                asked = ops.sum(y_true[:, start : start + self.sizes[question]], axis=-1)
                total = total + asked * log_p[:, sum(self.sizes[: parent[0]]) + parent[1]]
        return total

    def get_config(self) -> dict[str, Any]:
        """Plain lists and numbers."""
        return {
            **super().get_config(),
            "sizes": self.sizes,
            "parents": self.parents,
            "floor": self.floor,
        }
