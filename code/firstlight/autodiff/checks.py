"""What layers and the tape ask of the numbers that they are given."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "OFF_THE_TAPE", "all_tensors", "as_floats", "as_gradient", "as_leaf",
           "attempt", "broadcast_from", "finite_gradient", "fresh", "replacement"]  # fmt: skip

Floats = NDArray[np.floating[Any]]
OFF_THE_TAPE = (
    "Tensor: received where NumPy or Matplotlib expected an array. Use a function of "
    "firstlight.autodiff.operations to stay on the tape, or .value to leave it."
)


def as_floats(x: Any, name: str, dtype: Any = None) -> Floats:
    """Floats, all of them finite, or an error that says which are not.

    Args:
        x: Anything that NumPy makes an array of.
        name: Whom the error names.
        dtype: Wanted dtype; by default floats are left as they are and all else is float64.

    Returns:
        The array; not copied where nothing had to change.

    Raises:
        ValueError: If x is not numeric, or holds NaN or infinity.
    """
    try:
        array = np.asarray(x)
        if array.dtype.kind not in "fiub":
            raise TypeError(array.dtype)
        kept = dtype or (array.dtype if array.dtype.kind == "f" else np.float64)
        array = array.astype(kept, copy=False)
        finite = np.isfinite(array)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name}: received {type(x).__name__} that is no array of real numbers, expected one, "
            "all rows of one length."
        ) from None
    if not finite.all():
        bad = np.argwhere(~finite)
        raise ValueError(
            f"{name}: received {len(bad)} of {array.size} numbers that are NaN or infinite, the "
            f"first at {tuple(map(int, bad[0]))}, expected finite ones. Find where they come from; "
            "mask or interpolate bad pixels before the network sees them."
        )
    return array


def as_leaf(value: Any) -> Floats:
    """A copy in floats for a tensor that somebody writes down; whole numbers are refused."""
    floats = np.array(as_floats(value, "Tensor"))
    kind = np.asarray(value).dtype
    if kind.kind in "iub":
        raise ValueError(
            f"Tensor: received whole numbers ({kind}), expected real ones: a gradient asks what a "
            "small change does, and these have none. Write 3.0, or x.astype(float); labels and "
            "indices stay arrays."
        )
    return floats


def replacement(name: str, old: Floats, new: Any) -> Floats:
    """A new value for a variable, in the precision of the old one; NaN may pass."""
    value = np.asarray(new, old.dtype)
    if value.shape != old.shape:
        raise ValueError(
            f"{name}: received a new value of shape {value.shape}, expected {old.shape}, as it "
            "had. Reshape, or sum over the axis that is too many; another shape is another "
            "variable."
        )
    return value


def attempt(function: Any, a: Floats, b: Floats) -> Floats:
    """A function of two arrays, or an error that says why their shapes do not fit."""
    try:
        return np.asarray(function(a, b))
    except ValueError:
        rule = (
            "(..., m, k) @ (..., k, n), one k for both: transpose or reshape one of them"
            if function is np.matmul
            else "shapes that agree from the right, or have length 1: reshape, or index with None"
        )
        raise ValueError(
            f"{function.__name__}: received shapes {a.shape} and {b.shape}, expected {rule}."
        ) from None


def broadcast_from(shape: tuple[int, ...], operand: tuple[int, ...]) -> None:
    """Refuse a gradient whose shape an operand cannot have been broadcast to."""
    tail = shape[len(shape) - len(operand) :]
    pairs = zip(tail, operand, strict=False)
    if len(shape) < len(operand) or any(n != own and own != 1 for n, own in pairs):
        raise ValueError(
            f"unbroadcast: received a gradient of shape {shape} for an operand of shape {operand}, "
            "expected that shape, or one to which it broadcasts. Mend the rule that returned it."
        )


def fresh(tape: Sequence[Any]) -> None:
    """Refuse a tape whose results hold gradients already."""
    if any(node.links and node.gradient is not None for node in tape):
        raise ValueError(
            "backward: received a tape that was walked back before, expected a fresh one: what "
            "flows through its results would count twice. Compute the loss again, add two losses "
            "before one backward(), or use gradients(loss, variables), which keeps nothing."
        )


def as_gradient(tape: Sequence[Any], gradient: Any) -> Floats:
    """The gradient with which a walk back begins: 1 for a loss."""
    tensor = tape[-1]
    if tensor.constant:
        raise ValueError(
            "backward: received a tensor made from constants alone, expected one that depends on "
            "a Tensor or Variable. Arrays, .value and stop_gradient end the tape; call the "
            "network with a Tensor, or with training=True."
        )
    _finite_values(tape)
    if gradient is None and tensor.size != 1:
        raise ValueError(
            f"backward: received a tensor of shape {tensor.shape}, expected a single number. Take "
            "its sum or mean, or give a gradient of that shape."
        )
    start = np.ones(tensor.shape) if gradient is None else as_floats(gradient, "gradient")
    if start.shape != tensor.shape:
        raise ValueError(
            f"gradient: received shape {start.shape}, expected {tensor.shape}, one number for each "
            "of the tensor's."
        )
    return start.astype(tensor.value.dtype)


def _finite_values(tape: Sequence[Any]) -> None:
    if np.isfinite(tape[-1].value).all():
        return
    first = next(node for node in tape if not np.isfinite(node.value).all())
    operands = ", ".join(
        f"{p.operation} of shape {p.shape} from {p.value.min():.3g} to {p.value.max():.3g}"
        for p in first.parents
        if p.size
    )
    raise ValueError(
        f"backward: received a loss that is NaN or infinite, expected a finite one. The first such "
        f"value came from {first.operation!r}, whose operands are: {operands or 'empty'}. Keep "
        "log, division and powers away from 0; if training went well before, take a smaller step."
    )


def finite_gradient(gradient: Floats) -> None:
    """Refuse to hand out a gradient that is not finite."""
    if not np.isfinite(gradient).all():
        bad = int(np.count_nonzero(~np.isfinite(gradient)))
        raise ValueError(
            f"backward: received {bad} of {gradient.size} slopes that are NaN or infinite, "
            "expected finite ones, though the loss is finite. sqrt, log and powers below 1 are "
            "vertical at 0, also behind a where: keep their operand away from 0. Otherwise the "
            "gradient has exploded: take fewer steps in time, or smaller weights."
        )


def all_tensors(tensor: Any, variables: Sequence[Any]) -> None:
    """Refuse numbers and arrays where only tensors have gradients."""
    if not hasattr(tensor, "links"):
        raise ValueError(
            f"gradients: received a loss of type {type(tensor).__name__}, expected a Tensor. A "
            "network that is called with an array records nothing: call it with a Tensor, or with "
            "training=True."
        )
    for variable in variables:
        if not hasattr(variable, "links"):
            raise ValueError(
                f"gradients: received {type(variable).__name__} among the variables, expected "
                "Tensors. Give those from which the loss was computed, not their values."
            )
