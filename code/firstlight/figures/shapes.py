"""The shape of a network, drawn from the real Keras model: one block for each layer."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from firstlight.figures.style import INK, MUTED, PALETTE, PAPER

__all__ = ["shapes"]

Point = tuple[float, float]
_HIDDEN = ("Activation", "Dropout", "Normalization", "Rescaling", "Flatten")


def shapes(stacked: Any, recurrent: Any, unet: Any, *, steps: int = 5) -> Figure:
    """Draw a stacked, a recurrent and a U-shaped network side by side.

    Args:
        stacked: Keras model made of a row of layers.
        recurrent: Keras model that holds one recurrent layer; drawn step after step.
        unet: Keras model on images, with `Concatenate` layers for its bridges.
        steps: How many steps of the recurrent model to draw.

    Returns:
        Matplotlib figure; give it to `show`. A block's height grows with the number of
        units, or with the side of the image.

    Raises:
        ValueError: If the second model has no recurrent layer, or the third no bridge.

    Example:
        >>> fig = shapes(a, b, c)  # doctest: +SKIP
    """
    fig, axes = plt.subplots(1, 3, figsize=(7.0, 3.1), width_ratios=(0.8, 1.1, 1.5))
    _stacked(axes[0], stacked)
    _recurrent(axes[1], recurrent, steps)
    _unet(axes[2], unet)
    for ax in axes:
        ax.set(ylim=(-1.45, 1.25))
        ax.axis("off")
    return fig


def _stacked(ax: Axes, model: Any) -> None:
    widths = [model.input_shape[-1], *(layer.output.shape[-1] for layer in _drawn(model))]
    heights = [0.16 * np.sqrt(width) for width in widths]
    for x, (width, height) in enumerate(zip(widths, heights, strict=True)):
        _block(ax, x, 0.0, 0.34, height, _color(x, len(widths)))
        ax.text(x, -height / 2 - 0.08, str(width), ha="center", va="top", fontsize=9, color=MUTED)
        if x:
            _arrow(ax, (x - 0.8, 0), (x - 0.2, 0))
    ax.set(xlim=(-0.5, len(widths) - 0.5))
    ax.set_title("Stacked")


def _recurrent(ax: Axes, model: Any, steps: int) -> None:
    cells = [layer for layer in model.layers if hasattr(layer, "cell")]
    if not cells:
        raise ValueError("recurrent: received a model without a recurrent layer, expected one.")
    units = cells[0].cell.units
    for x in range(steps):
        _block(ax, x, 0.0, 0.5, 0.5, PALETTE[0])
        ax.text(x, 0, str(units), ha="center", va="center", fontsize=9, color=PAPER)
        _arrow(ax, (x, -0.75), (x, -0.3))
        ax.text(x, -0.8, f"$x_{x + 1}$", ha="center", va="top", fontsize=10, color=INK)
        if x:
            _arrow(ax, (x - 0.74, 0), (x - 0.27, 0))
    _arrow(ax, (steps - 1, 0.28), (steps - 1, 0.72))
    ax.text(steps - 1, 0.76, "$y$", ha="center", va="bottom", fontsize=10, color=INK)
    ax.text((steps - 1) / 2, -1.2, "the same weights at each step", ha="center", va="top",
            fontsize=9, color=MUTED)  # fmt: skip
    ax.set(xlim=(-0.5, steps - 0.5))
    ax.set_title("Recurrent")


def _unet(ax: Axes, model: Any) -> None:
    maps = [layer for layer in model.layers if len(layer.output.shape) == 4]
    bridges = [layer for layer in maps if type(layer).__name__ == "Concatenate"]
    if not bridges:
        raise ValueError("unet: received a model without Concatenate layers, expected a U-net.")
    shown = [layer for layer in maps if type(layer).__name__ in ("InputLayer", "Conv2D")]
    top = max(layer.output.shape[1] for layer in shown)
    place: dict[str, Point] = {}
    for x, layer in enumerate(shown):
        side, channels = layer.output.shape[1], layer.output.shape[3]
        y = 0.55 - 0.75 * np.log2(top / side)
        height = 0.8 * side / top
        _block(ax, x, y, 0.22 + 0.012 * channels, height, _color(x, len(shown)))
        ax.text(x, y - height / 2 - 0.05, f"{side}", ha="center", va="top", fontsize=8.5,
                color=MUTED)  # fmt: skip
        place[layer.name] = (x, y)
        if x:
            _arrow(ax, _beside(place[shown[x - 1].name], 0.25), _beside((x, y), -0.28))
    for bridge in bridges:
        near = shown[[m.name for m in shown].index(_next_convolution(maps, bridge))]
        far = _source(bridge, place)
        _arrow(ax, _beside(place[far], 0.25), _beside(place[near.name], -0.28), PALETTE[1])
    ax.set(xlim=(-0.6, len(shown) - 0.4))
    ax.set_title("U-net")


def _source(bridge: Any, place: dict[str, Point]) -> str:
    """Name of the earliest drawn layer that feeds the bridge."""
    feeding = [tensor._keras_history.operation.name for tensor in bridge.input]
    return min((name for name in feeding if name in place), key=lambda name: place[name][0])


def _next_convolution(maps: list[Any], bridge: Any) -> str:
    later = maps[maps.index(bridge) + 1 :]
    return str(next(layer.name for layer in later if type(layer).__name__ == "Conv2D"))


def _drawn(model: Any) -> list[Any]:
    skip = (*_HIDDEN, "InputLayer")
    return [layer for layer in model.layers if type(layer).__name__ not in skip]


def _color(x: int, n: int) -> str:
    return PALETTE[5] if x == 0 else PALETTE[2] if x == n - 1 else PALETTE[0]


def _beside(point: Point, dx: float) -> Point:
    return point[0] + dx, point[1]


def _block(ax: Axes, x: float, y: float, width: float, height: float, color: str) -> None:
    ax.add_patch(plt.Rectangle((x - width / 2, y - height / 2), width, height, facecolor=color,
                               edgecolor=INK, linewidth=0.7))  # fmt: skip


def _arrow(ax: Axes, start: Point, end: Point, color: str = INK) -> None:
    ax.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": color, "lw": 1.1})
