"""A plain training loop: batches, a loss, its gradients, a step; and again."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from firstlight.autodiff import losses
from firstlight.autodiff.tape import gradients

__all__ = ["batches", "fit"]


def fit(
    model: Any,
    x: np.ndarray,
    y: np.ndarray,
    loss: Any,
    optimizer: Any,
    batch_size: int = 32,
    epochs: int = 1,
    seed: int | None = None,
    order: Iterable[Any] | None = None,
) -> list[float]:
    """Train a network.

    Args:
        model: Such as `Sequential`: called with a batch and `training=True`, it returns a tensor.
        x: Examples along the first axis.
        y: Their truth, along the first axis.
        loss: Name of one of `losses`, or a function of (y_true, y_pred) that returns a tensor.
        optimizer: With `apply(gradients, variables)`, such as those of `optimizers`.
        batch_size: Examples in a step; the last of an epoch may have fewer.
        epochs: How often each example is seen.
        seed: Of the order of the examples, which are shuffled anew in each epoch.
        order: The batches instead, each an array of row numbers; then batch_size, epochs and
            seed are not used.

    Returns:
        The loss of each batch before its step.

    Raises:
        ValueError: If x and y differ in length, there is neither seed nor order, or a loss is
            not finite, with the number of the step.

    Example:
        >>> from firstlight.autodiff import Dense, Sequential
        >>> from firstlight.autodiff.optimizers import SGD
        >>> x = np.linspace(-1, 1, 64)[:, None]
        >>> model = Sequential([Dense(1)], seed=1)
        >>> history = fit(model, x, 3 * x, "mean_squared_error", SGD(0.5), epochs=20, seed=1)
        >>> round(float(model.get_weights()[0][0, 0]), 3)
        3.0
    """
    if len(x) != len(y):
        raise ValueError(
            f"fit: received {len(x)} examples and {len(y)} truths, expected as many. Compare the "
            "first axes of x and y."
        )
    x, y = np.asarray(x), np.asarray(y)
    measure = losses.get(loss)
    history: list[float] = []
    for rows in order if order is not None else batches(len(x), batch_size, epochs, seed):
        try:
            wrong = measure(y[rows], model(x[rows], training=True))
            variables = model.trainable_variables
            optimizer.apply(gradients(wrong, variables), variables)
        except ValueError as error:
            raise ValueError(f"fit: step {len(history)}: {error}") from error
        history.append(float(wrong))
    return history


def batches(n: int, batch_size: int, epochs: int, seed: int | None) -> Iterator[np.ndarray]:
    """Row numbers of batch after batch, in a new random order for each epoch.

    Args:
        n: Examples.
        batch_size: How many make a batch; the last of an epoch may have fewer.
        epochs: How often each example appears.
        seed: Of the order.

    Raises:
        ValueError: If a number is less than 1, or there is no seed.

    Example:
        >>> [len(rows) for rows in batches(5, 2, 1, seed=0)]
        [2, 2, 1]
    """
    if min(n, batch_size, epochs) < 1 or seed is None:
        raise ValueError(
            f"batches: received n={n}, batch_size={batch_size}, epochs={epochs}, seed={seed}, "
            "expected whole numbers, the first three 1 or more. Without a seed no run can be "
            "repeated."
        )
    rng = np.random.default_rng(seed)
    for _ in range(epochs):
        shuffled = rng.permutation(n)
        yield from (shuffled[start : start + batch_size] for start in range(0, n, batch_size))
