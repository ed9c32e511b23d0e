"""One neuron as it is: its inputs, weights, bias, sum and bend, read off the real layer."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, Rectangle

from firstlight.figures.style import GRID, INK, MUTED, PALETTE, PAPER

__all__ = ["neuron"]

_SUM, _BEND, _OUT = 4.1, 6.15, 8.1  # where the stages stand, the inputs being at zero
_MOST = 8


def neuron(layer: Any, x: Any, *, inputs: Sequence[str] | None = None, unit: int = 0) -> Figure:
    """Draw one neuron of a dense layer at work on one example, with its true numbers.

    Args:
        layer: Built dense layer, of Keras or of `firstlight.autodiff`.
        x: One example, shape (n_in,), at most eight numbers.
        inputs: Names of the inputs; by default x1, x2, ...
        unit: Which neuron of the layer.

    Returns:
        Matplotlib figure; give it to `show`. Blue pushes up, vermilion pushes down, and a
        thick line is a large product of weight and input.

    Raises:
        ValueError: If the layer is not built or not dense, the example does not fit it, or the
            output depends on the neighbors (softmax).

    Example:
        >>> from firstlight.autodiff.layers import Dense
        >>> fig = neuron(Dense(1, "relu", kernel_initializer="ones"), [1.0, 2.0])
    """
    example = np.asarray(x, dtype=float)
    weights, bias = _parameters(layer, example, unit)
    a = float(weights @ example) + bias
    output = float(np.asarray(layer(example[None]), dtype=float)[0, unit])
    _check_bend(layer, a, output, np.abs(weights * example).sum() + abs(bias))
    names = list(inputs or (f"$x_{i + 1}$" for i in range(len(example))))
    if len(names) != len(example):
        raise ValueError(f"inputs: received {len(names)} names, expected {len(example)}.")
    half = max(1.25, 0.55 * len(example))
    fig, ax = plt.subplots(figsize=(6.4, 1.05 + 1.0 * half))
    _linear(ax, example, weights, bias, a, names)
    _bend(ax, layer, a, output)
    stages = ((-0.35, _SUM + 0.5, "1  linear"), (_BEND - 0.75, _BEND + 0.75, f"2  {_name(layer)}"))
    for start, end, words in stages:
        ax.plot([start, end], [half + 0.35] * 2, color=MUTED, linewidth=0.8)
        ax.text((start + end) / 2, half + 0.43, words, ha="center", va="bottom", color=MUTED)
    ax.set(xlim=(-1.0, _OUT + 0.75), ylim=(-half - 0.1, half + 0.85), aspect="equal")
    ax.axis("off")
    return fig


def _parameters(layer: Any, example: np.ndarray, unit: int) -> tuple[np.ndarray, float]:
    """Weights and bias of one neuron, in double precision."""
    if getattr(layer, "built", False) is False or not hasattr(layer, "kernel"):
        raise ValueError(
            f"layer: received a {type(layer).__name__} without weights, expected a dense layer "
            "that has them; call it once, or layer.build(...)."
        )
    kernel = np.asarray(layer.kernel, dtype=float)
    if kernel.ndim != 2 or not 0 <= unit < kernel.shape[1]:
        raise ValueError(
            f"unit: received {unit} for a kernel of shape {kernel.shape}, expected a dense layer "
            "and the number of one of its neurons, counted from 0."
        )
    if example.shape != kernel.shape[:1] or len(example) > _MOST or not np.isfinite(example).all():
        raise ValueError(
            f"x: received shape {example.shape}, expected one finite example of shape "
            f"({kernel.shape[0]},), at most {_MOST} numbers so that they can be read."
        )
    bias = 0.0 if layer.bias is None else float(np.asarray(layer.bias, dtype=float)[unit])
    return kernel[:, unit], bias


def _check_bend(layer: Any, a: float, output: float, size: float) -> None:
    """The drawing shows one number going in and one coming out: that must be the truth."""
    alone = float(_bent(layer, np.array([[a]]))[0, 0])
    if not np.isclose(alone, output, rtol=1e-4, atol=1e-5 * max(size, 1.0)):
        raise ValueError(
            f"layer: received activation {_name(layer)!r}, whose output here is {output:.4g} and "
            f"for this neuron alone {alone:.4g}; expected one that looks at a single number "
            "(softmax looks at the whole layer)."
        )


def _bent(layer: Any, a: np.ndarray) -> np.ndarray:
    return np.asarray(layer.activation(a.astype("float32")), dtype=float)


def _name(layer: Any) -> str:
    return str(getattr(layer.activation, "__name__", "activation"))


def _number(value: float) -> str:
    return f"{value:.4g}".replace("-", "\u2212")


def _color(value: float) -> str:
    return PALETTE[0] if value >= 0 else PALETTE[1]


def _linear(
    ax: Axes, x: np.ndarray, weights: np.ndarray, bias: float, a: float, names: list[str]
) -> None:
    products = weights * x
    largest = np.abs(products).max() or 1.0
    heights = 1.1 * ((len(x) - 1) / 2 - np.arange(len(x)))
    for y, name, value, weight, product in zip(heights, names, x, weights, products, strict=True):
        color = _color(product)
        ax.plot([0, _SUM], [y, 0], color=color, zorder=1, alpha=0.85,
                linewidth=0.5 + 3 * abs(product) / largest)  # fmt: skip
        ax.add_patch(Circle((0, y), 0.4, facecolor=PAPER, edgecolor=INK, linewidth=1.1, zorder=2))
        ax.text(0, y, _number(value), ha="center", va="center", fontsize=10)
        ax.text(-0.5, y, name, ha="right", va="center", fontsize=12)
        for along, words in ((1.1, f"\u00d7 {_number(weight)}"), (2.55, f"= {_number(product)}")):
            _label(ax, along, y * (1 - along / _SUM), words, color)
    ax.add_patch(Circle((_SUM, 0), 0.5, facecolor=PAPER, edgecolor=INK, linewidth=1.4, zorder=2))
    ax.text(_SUM, 0, "sum", ha="center", va="center", fontsize=11)
    _arrow(ax, (_SUM, -1.1), (_SUM, -0.52), _color(bias))
    ax.text(_SUM, -1.15, f"$b$ = {_number(bias)}", ha="center", va="top", color=_color(bias))
    _arrow(ax, (_SUM + 0.52, 0), (_BEND - 0.74, 0), INK)
    ax.text((_SUM + _BEND) / 2 - 0.11, 0.12, f"$a$ = {_number(a)}", ha="center", va="bottom",
            fontsize=10.5)  # fmt: skip


def _label(ax: Axes, x: float, y: float, words: str, color: str) -> None:
    """A number on its line, which is cut out for it; a patch turns dark with the page."""
    width, height = 0.08 + 0.108 * len(words), 0.34
    ax.add_patch(Rectangle((x - width / 2, y - height / 2), width, height, facecolor=PAPER,
                           edgecolor="none", zorder=2))  # fmt: skip
    ax.text(x, y, words, ha="center", va="center", color=color, fontsize=10.5, zorder=3)


def _bend(ax: Axes, layer: Any, a: float, output: float) -> None:
    """The activation as a small plot, with the point where this example stands."""
    reach = max(4.0, 1.3 * abs(a))
    grid = np.linspace(-reach, reach, 161)
    curve = _bent(layer, grid[None])[0]
    small = ax.inset_axes((_BEND - 0.72, -0.72, 1.44, 1.44), transform=ax.transData)
    small.axvline(0, color=GRID, linewidth=0.8)
    small.axhline(0, color=GRID, linewidth=0.8)
    small.plot(grid, curve, color=INK)
    small.plot(a, output, "o", color=PALETTE[2], markersize=7, zorder=4)
    small.margins(y=0.15)
    small.set(xticks=[], yticks=[])
    small.spines[["top", "right"]].set_visible(True)
    small.set_xlabel("$a$", labelpad=1)
    small.set_title("$g(a)$", loc="center", fontsize=10.5, fontweight="normal", pad=3)
    _arrow(ax, (_BEND + 0.74, 0), (_OUT - 0.62, 0), INK)
    ax.text(_OUT, 0, f"$\\hat{{y}}$ = {_number(output)}", ha="center", va="center", fontsize=12,
            color=PALETTE[2])  # fmt: skip


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], color: str) -> None:
    # Not `annotate`: the arrow of an annotation would keep its color on the dark page.
    ax.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=11, color=color,
                                 linewidth=1.2, shrinkA=0, shrinkB=0))  # fmt: skip
