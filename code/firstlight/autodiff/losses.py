"""Losses: one number for how wrong a batch of answers is, with Keras's names and reductions.

Each takes the truth (an array), the answers (a tensor, or an array), and returns a tensor: the
mean over the batch, or what `reduction` asks for.
"""

from typing import Any

import numpy as np

from firstlight.autodiff import operations as ops
from firstlight.autodiff.checks import Floats, as_floats
from firstlight.autodiff.tensor import Tensor, as_tensor

__all__ = ["binary_crossentropy", "categorical_crossentropy", "get", "mean_absolute_error",
           "mean_squared_error", "sparse_categorical_crossentropy"]  # fmt: skip

EPSILON = 1e-7  # Keras keeps probabilities this far from 0 and 1
MEAN = "sum_over_batch_size"


def mean_squared_error(y_true: Any, y_pred: Any, reduction: str | None = MEAN) -> Tensor:
    """Squared difference, averaged over the last axis: the loss of Gaussian errors of one size.

    Args:
        y_true: Truth, an array in the shape of the answers.
        y_pred: Answers, `(n, ...)`.
        reduction: "sum_over_batch_size" for the mean over all that is left, "sum" for its sum,
            None for one loss an example. So for all losses here.

    Returns:
        Tensor: a single number, or one number an example.

    Raises:
        ValueError: If the shapes differ, or a number is NaN.

    Example:
        >>> mean_squared_error([[1.0], [2.0]], [[1.0], [4.0]]).value
        array(2.)
    """
    y_true, y_pred = _same("mean_squared_error", y_true, y_pred)
    return _reduce(ops.square(y_pred - y_true).mean(axis=-1), reduction)


def mean_absolute_error(y_true: Any, y_pred: Any, reduction: str | None = MEAN) -> Tensor:
    """Size of the difference, averaged over the last axis: the loss of Laplace's errors."""
    y_true, y_pred = _same("mean_absolute_error", y_true, y_pred)
    return _reduce(ops.absolute(y_pred - y_true).mean(axis=-1), reduction)


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, reduction: str | None = MEAN
) -> Tensor:
    """Minus the log probability of yes-or-no labels, averaged over the last axis.

    Args:
        y_true: 0 or 1, or anything between; an array in the shape of the answers.
        y_pred: Probabilities, or log odds with `from_logits`.
        from_logits: Whether the sigmoid is still to come: exact however sure the answer is.
        reduction: See `mean_squared_error`.

    Example:
        >>> float(binary_crossentropy([[1.0]], [[0.0]], from_logits=True))
        0.6931471805599453
    """
    y_true, y_pred = _same("binary_crossentropy", y_true, y_pred)
    _between_0_and_1("y_true", y_true, "Give labels of 0 and 1.")
    if from_logits:
        each = ops.softplus(y_pred) - y_true * y_pred
    else:
        p = _probabilities(y_pred)
        each = -(y_true * ops.log(p) + (1 - y_true) * ops.log(1 - p))
    return _reduce(each.mean(axis=-1), reduction)


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, reduction: str | None = MEAN
) -> Tensor:
    """Minus the log probability of labels that are shares of one, along the last axis.

    Args:
        y_true: Shares of each class, such as one-hot labels or votes, `(n, classes)`.
        y_pred: Probabilities, or scores with `from_logits`, in the same shape.
        from_logits: Whether the softmax is still to come.
        reduction: See `mean_squared_error`.

    Example:
        >>> float(categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]))
        0.6931471805599453
    """
    y_true, y_pred = _same("categorical_crossentropy", y_true, y_pred)
    if from_logits:
        logs = ops.log_softmax(y_pred)
    else:
        _between_0_and_1("y_pred", y_pred.value, "Give from_logits=True if these are scores.")
        logs = ops.log(_probabilities(y_pred / y_pred.sum(axis=-1, keepdims=True)))
    return _reduce(-(y_true * logs).sum(axis=-1), reduction)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, reduction: str | None = MEAN
) -> Tensor:
    """Minus the log probability of the class that each example is of.

    Args:
        y_true: Number of the class, from 0, whole numbers of shape `(n,)` or `(n, 1)`.
        y_pred: Probabilities, or scores with `from_logits`, `(n, classes)`.
        from_logits: Whether the softmax is still to come.
        reduction: See `mean_squared_error`.

    Raises:
        ValueError: If a label is no class, or there is not one label an example.

    Example:
        >>> float(sparse_categorical_crossentropy([1], [[0.5, 0.5]]))
        0.6931471805599453
    """
    y_pred = as_tensor(y_pred, "y_pred")
    rows = _labels(y_true, y_pred.shape)
    logs = ops.log_softmax(y_pred if from_logits else ops.log(_probabilities(y_pred)))
    return _reduce(-logs[np.arange(len(rows)), rows], reduction)


_ALL = {function.__name__: function for function in (
    mean_squared_error, mean_absolute_error, binary_crossentropy, categorical_crossentropy,
    sparse_categorical_crossentropy)}  # fmt: skip


def get(name: Any) -> Any:
    """The loss of that name; a function of truth and answers passes.

    Example:
        >>> get("mean_squared_error") is mean_squared_error
        True
    """
    if callable(name):
        return name
    if name not in _ALL:
        raise ValueError(
            f"loss: received {name!r}, expected one of {', '.join(_ALL)}, or a function of "
            "(y_true, y_pred) that returns a tensor."
        )
    return _ALL[name]


def _same(name: str, y_true: Any, y_pred: Any) -> tuple[Floats, Tensor]:
    y_pred = as_tensor(y_pred, "y_pred")
    if isinstance(y_true, Tensor):
        raise ValueError(
            f"{name}: received a Tensor as y_true, expected an array: the truth has no gradient. "
            "Give (y_true, y_pred) in this order, or y_true.value."
        )
    y_true = as_floats(y_true, "y_true", y_pred.value.dtype)
    if y_true.shape != y_pred.shape or not y_true.ndim:
        raise ValueError(
            f"{name}: received y_true of shape {y_true.shape} and y_pred of shape {y_pred.shape}, "
            "expected one shape, (n, outputs). Broadcasting would compare every example with "
            "every other: index with y[:, None], or reshape."
        )
    return y_true, y_pred


def _labels(y_true: Any, shape: tuple[int, ...]) -> np.ndarray:
    labels = np.asarray(y_true)
    rows = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if len(shape) != 2 or rows.shape != shape[:1]:
        raise ValueError(
            f"sparse_categorical_crossentropy: received labels of shape {labels.shape} and answers "
            f"of shape {shape}, expected (n,) and (n, classes). One-hot labels belong to "
            "categorical_crossentropy."
        )
    whole = rows.astype(int) if rows.dtype.kind in "iuf" else None
    if whole is None or (whole != rows).any() or (whole < 0).any() or (whole >= shape[1]).any():
        raise ValueError(
            f"sparse_categorical_crossentropy: received labels such as {rows[:3]} of "
            f"{rows.dtype}, expected whole numbers from 0 to {shape[1] - 1}. Count classes from 0."
        )
    return whole


def _between_0_and_1(name: str, values: Floats, cure: str) -> None:
    if values.size and (values.min() < 0 or values.max() > 1 + 1e-6):
        raise ValueError(
            f"{name}: received values from {values.min():.3g} to {values.max():.3g}, expected "
            f"probabilities, 0 to 1. {cure}"
        )


def _probabilities(p: Tensor) -> Tensor:
    """As Keras clips them, away from log 0; a probability that was clipped gets no gradient."""
    _between_0_and_1("y_pred", p.value, "Give from_logits=True if these are scores.")
    inside = (p.value >= EPSILON) & (p.value <= 1 - EPSILON)
    return ops.where(inside, p, np.clip(p.value, EPSILON, 1 - EPSILON))


def _reduce(each: Tensor, reduction: str | None) -> Tensor:
    if reduction is None:
        return each
    if reduction not in (MEAN, "sum"):
        raise ValueError(
            f"reduction: received {reduction!r}, expected 'sum_over_batch_size', 'sum' or None."
        )
    return each.sum() if reduction == "sum" else each.mean()
