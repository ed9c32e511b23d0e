"""A feed-forward network as it is: one circle a unit, one line a weight, from the real model."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from firstlight.figures.style import INK, MUTED, PALETTE, PAPER

__all__ = ["network"]

_PASSING = ("InputLayer", "Activation", "Dropout", "ReLU", "LeakyReLU", "ELU", "Softmax", "Flatten")


def network(
    model: Any,
    *,
    max_units: int = 12,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    values: Sequence[Any] | None = None,
) -> Figure:
    """Draw a stack of dense layers with its weights: blue pushes up, vermilion pushes down.

    Args:
        model: Built Keras model whose layers with weights are all `Dense`.
        max_units: Most units drawn in a layer; the rest are told in a number.
        inputs: Names of the inputs, one each, written beside them.
        outputs: Names of the outputs.
        values: What the neurons carry, one list a column from the input on; each circle is
            then filled, blue for positive, vermilion for negative, the more the larger the
            number beside the largest of its column.

    Returns:
        Matplotlib figure; give it to `show`. The thicker a line, the larger its weight
        beside the largest of its layer.

    Raises:
        ValueError: If the model is not built or holds a layer that cannot be drawn so, or if
            values and columns differ.

    Example:
        >>> import keras  # doctest: +SKIP
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])  # doctest: +SKIP
        >>> fig = network(model)  # doctest: +SKIP
    """
    kernels, captions = _stack(model)
    widths = [kernels[0].shape[0], *(kernel.shape[1] for kernel in kernels)]
    shown = [min(width, max_units) for width in widths]
    tallest = max(shown)
    fig, ax = plt.subplots(figsize=(min(7.0, 1.6 + 1.5 * len(widths)), 0.9 + 0.3 * tallest))
    heights = [
        (np.arange(n)[::-1] - (n - 1) / 2) * min(2.0, (tallest + 1) / (n + 1)) for n in shown
    ]
    for column, kernel in enumerate(kernels):
        _draw_weights(ax, column, heights[column], heights[column + 1], kernel)
    bottom = -(tallest - 1) / 2 - 1.1
    for column, (width, y) in enumerate(zip(widths, heights, strict=True)):
        x = np.full(len(y), column)
        ax.scatter(x, y, s=110, facecolor=PAPER, edgecolor=INK, linewidth=1.1, zorder=3)
        if values is not None:
            _fill(ax, column, y, values, widths)
        hidden = f"\n+ {width - len(y)} more" if width > len(y) else ""
        ax.text(column, bottom, captions[column] + hidden, ha="center", va="top", fontsize=10,
                color=MUTED)  # fmt: skip
    _name(ax, inputs, heights[0], -0.14, "right", "inputs")
    _name(ax, outputs, heights[-1], len(widths) - 1 + 0.14, "left", "outputs")
    ax.set(xlim=(-0.6, len(widths) - 0.4), ylim=(bottom - 1.2, (tallest - 1) / 2 + 0.7))
    ax.axis("off")
    return fig


def _fill(ax: Any, column: int, y: Any, values: Sequence[Any], widths: Sequence[int]) -> None:
    given = [int(np.size(carried)) for carried in values]
    if given != list(widths):
        raise ValueError(
            f"values: received {given} numbers, expected {list(widths)}, a column each."
        )
    carried = np.ravel(np.asarray(values[column], dtype=float))
    share = np.abs(carried) / (np.abs(carried).max() or 1.0)
    for height, number, opacity in zip(y, carried, share, strict=False):
        color = PALETTE[0] if number > 0 else PALETTE[1]
        ax.scatter([column], [height], s=110, facecolor=color, edgecolor="none", alpha=opacity,
                   zorder=4)  # fmt: skip


def _stack(model: Any) -> tuple[list[np.ndarray], list[str]]:
    kernels: list[np.ndarray] = []
    captions: list[str] = []
    for layer in model.layers:
        kind = type(layer).__name__
        if kind == "Dense":
            if not layer.built:
                raise ValueError("model: received one without weights; call it once or give Input.")
            kernels.append(np.asarray(layer.get_weights()[0]))
            activation = layer.activation.__name__
            units = "1 unit" if layer.units == 1 else f"{layer.units} units"
            captions.append(units if activation == "linear" else f"{units}, {activation}")
        elif kind not in _PASSING:
            raise ValueError(
                f"model: received a layer {layer.name!r} of type {kind}, expected Dense layers "
                f"(and {', '.join(_PASSING)}); a network of other layers needs another drawing."
            )
        elif kind in ("Activation", "ReLU", "LeakyReLU", "ELU", "Softmax") and captions:
            function = getattr(getattr(layer, "activation", None), "__name__", kind)
            captions[-1] += f", {function}"
    if not kernels:
        raise ValueError("model: received no Dense layer, expected at least one.")
    n = kernels[0].shape[0]
    return kernels, ["1 input" if n == 1 else f"{n} inputs", *captions]


def _draw_weights(ax: Any, column: int, left: Any, right: Any, kernel: np.ndarray) -> None:
    shown = kernel[: len(left), : len(right)]
    strength = np.abs(shown) / (np.abs(kernel).max() or 1.0)
    ends = [[(column, y0), (column + 1, y1)] for y0 in left for y1 in right]
    for sign, color in ((1, PALETTE[0]), (-1, PALETTE[1])):
        chosen = np.flatnonzero((shown * sign > 0).ravel())
        if len(chosen) == 0:
            continue
        flat = strength.ravel()[chosen]
        ax.add_collection(
            LineCollection(
                [ends[i] for i in chosen],
                colors=color,
                linewidths=0.3 + 2.2 * flat,
                alpha=0.25 + 0.65 * flat,
                zorder=1,
            )  # fmt: skip
        )


def _name(ax: Any, names: Sequence[str] | None, y: Any, x: float, ha: str, kind: str) -> None:
    if names is None:
        return
    if len(names) < len(y):
        raise ValueError(f"{kind}: received {len(names)} names, expected {len(y)} or more.")
    for name, height in zip(names, y, strict=False):
        ax.text(x, height, name, ha=ha, va="center", fontsize=10.5, color=INK)
