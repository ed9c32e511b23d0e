"""Two witnesses for a gradient: central finite differences, and TensorFlow's GradientTape."""

import numpy as np

from firstlight.autodiff.tensor import Tensor

STEP = 1e-5


def ours(function, arrays, weights):
    """Value and gradients of (weights * function(*arrays)).sum(), by the engine."""
    tensors = [Tensor(array) for array in arrays]
    result = function(*tensors)
    result.backward(weights)
    empty = [np.zeros_like(array) for array in arrays]
    return result.value, [
        zero if t.gradient is None else t.gradient for t, zero in zip(tensors, empty, strict=True)
    ]


def differences(function, arrays, weights):
    """The same gradients by moving each number a little to either side."""
    slopes = []
    for number, array in enumerate(arrays):
        slope = np.zeros_like(array)
        for place in np.ndindex(array.shape):
            moved = [np.array(a) for a in arrays]
            moved[number][place] += STEP
            above = function(*map(Tensor, moved)).value
            moved[number][place] -= 2 * STEP
            below = function(*map(Tensor, moved)).value
            slope[place] = ((above - below) * weights).sum() / (2 * STEP)
        slopes.append(slope)
    return slopes


def tensorflow(function, arrays, weights):
    """Value and gradients by TensorFlow."""
    import tensorflow as tf

    tensors = [tf.constant(array) for array in arrays]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        result = function(*tensors)
    slopes = tape.gradient(result, tensors, tf.constant(weights), "zero")
    return result.numpy(), [tf.convert_to_tensor(slope).numpy() for slope in slopes]


def near(one, other, tolerance=1e-6):
    """Largest difference, as a share of the largest number or of 1, is within the tolerance."""
    one, other = np.asarray(one), np.asarray(other)
    assert one.shape == other.shape, (one.shape, other.shape)
    if one.size:
        scale = max(1.0, float(np.abs(other).max()))
        assert np.abs(one - other).max() <= tolerance * scale, np.abs(one - other).max()


def agree(function, theirs, arrays, seed=0, numerically=True):
    """Forward and backward, all witnesses say the same.

    Args:
        function: Of tensors.
        theirs: The same in TensorFlow; None where TensorFlow has none.
        arrays: Operands.
        seed: Of the gradient that arrives.
        numerically: Whether to take finite differences, too.
    """
    shape = function(*map(Tensor, arrays)).shape
    weights = np.random.default_rng([seed, 7]).normal(size=shape)
    value, slopes = ours(function, arrays, weights)
    assert all(slope.shape == array.shape for slope, array in zip(slopes, arrays, strict=True))
    if theirs is not None:
        expected, wanted = tensorflow(theirs, arrays, weights)
        near(value, expected, 1e-10)
        for slope, want in zip(slopes, wanted, strict=True):
            near(slope, want, 1e-9)
    if numerically:
        for slope, want in zip(slopes, differences(function, arrays, weights), strict=True):
            near(slope, want, 1e-6)
