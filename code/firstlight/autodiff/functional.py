"""What a layer computes, as plain functions of the input and the parameters.

Nothing here keeps a state or checks for NaN. Arrays give arrays, tensors give tensors: the same
lines serve both, because a tensor does its arithmetic as an array does.
"""

from typing import Any

import numpy as np

__all__ = ["affine", "flatten"]


def affine(x: Any, kernel: Any, bias: Any = None) -> Any:
    """The linear stage of a layer: weighted sums of the inputs, plus a bias for each neuron.

    Args:
        x: One example to a row, `(n, n_in)`.
        kernel: Weights, one column a neuron, `(n_in, units)`.
        bias: One number a neuron, `(units,)`; None for none.

    Returns:
        `x @ kernel + bias`, `(n, units)`.

    Raises:
        ValueError: If the shapes do not fit.

    Example:
        >>> affine(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), np.array([5.0]))
        array([[16.]])
    """
    if x.ndim != 2 or kernel.ndim != 2 or x.shape[1] != kernel.shape[0]:
        raise ValueError(
            f"affine: received x of shape {x.shape} and a kernel of shape {kernel.shape}, expected "
            "(n, n_in) and (n_in, units). One example stands in one row; flatten images first."
        )
    if bias is None:
        return x @ kernel
    if bias.shape != (kernel.shape[1],):
        raise ValueError(
            f"affine: received a bias of shape {bias.shape}, expected ({kernel.shape[1]},): "
            "one number for each column of the kernel."
        )
    return x @ kernel + bias


def flatten(x: Any) -> Any:
    """Write all numbers of each example in one row, the last axis running fastest.

    Args:
        x: Examples along the first axis, `(n, ...)`.

    Returns:
        `(n, product of the other lengths)`, in the order of Keras and of `numpy.reshape`.

    Raises:
        ValueError: If there is no axis of examples.

    Example:
        >>> flatten(np.arange(8).reshape(2, 2, 2))
        array([[0, 1, 2, 3],
               [4, 5, 6, 7]])
    """
    if x.ndim == 0:
        raise ValueError(
            "flatten: received a single number, expected examples along the first axis. "
            "Put one example x in a batch of one: x[None]."
        )
    return x.reshape(len(x), int(np.prod(x.shape[1:], dtype=int)))
