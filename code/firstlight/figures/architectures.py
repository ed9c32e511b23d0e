"""Networks of any wiring, drawn from the live model; and rows of two dots, pays and costs."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from firstlight.figures.style import GRID, INK, MUTED, PALETTE

__all__ = ["edges", "ledger", "matrices", "portraits", "wiring"]

_HIDDEN = {
    "Flatten", "Masking", "MaxPooling2D", "UpSampling2D", "Activation", "GetItem", "Reshape",
    "ReLU", "Dropout", "Relu", "Concatenate",
}  # fmt: skip
_WORDS = {
    "InputLayer": "input", "Conv2D": "conv", "Conv1D": "conv", "MultiHeadAttention": "attention",
    "Messages": "messages", "Places": "places", "GlobalMaxPooling2D": "max",
    "GlobalAveragePooling1D": "mean", "SimpleRNN": "RNN", "Dense": "dense",
}  # fmt: skip
_ALL_TO_ALL = {"MultiHeadAttention", "Messages"}
_RECURRENT = {"SimpleRNN", "LSTM", "GRU"}


def edges(model: Any) -> tuple[list[Any], list[tuple[int, int]]]:
    """The layers worth drawing, and which of them feeds which.

    Args:
        model: A functional Keras model.

    Returns:
        Layers in the model's order, without those that only reshape, join or resize; and pairs
        of places in that list. What feeds a hidden layer counts as feeding its successor.
    """
    drawn = [layer for layer in model.layers if type(layer).__name__ not in _HIDDEN]
    index = {layer.name: k for k, layer in enumerate(drawn)}

    def sources(operation: Any) -> set[int]:
        found: set[int] = set()
        for tensor in operation._inbound_nodes[0].input_tensors:
            feeding = tensor._keras_history.operation
            if feeding.name in index:
                found.add(index[feeding.name])
            else:
                found |= sources(feeding)
        return found

    pairs = [
        (source, target)
        for target, layer in enumerate(drawn)
        if type(layer).__name__ != "InputLayer"
        for source in sorted(sources(layer))
    ]
    return drawn, pairs


def _size(layer: Any) -> tuple[int, int]:
    """Places (of a side, if an image) and channels of what leaves a layer."""
    output = layer.output[0] if isinstance(layer.output, list) else layer.output
    shape = [n or 1 for n in output.shape[1:]]
    return (shape[0], 1) if len(shape) == 1 else (shape[0], shape[-1])


def wiring(ax: Axes, model: Any, *, words: bool = True) -> None:
    """Draw a functional model: a block a layer, as high as it has places, an arc where it skips.

    Args:
        ax: Where; its axis is turned off.
        model: A functional Keras model.
        words: Whether kind and size of each layer are written.
    """
    drawn, pairs = edges(model)
    height = [0.10 + 0.125 * np.log2(_size(layer)[0] + 1) for layer in drawn]
    width = [0.16 + 0.05 * np.log2(_size(layer)[1] + 1) for layer in drawn]
    for k, layer in enumerate(drawn):
        kind = type(layer).__name__
        if kind == "Add":
            ax.plot(k, 0, "o", color=PALETTE[1], markersize=5, zorder=3)
            continue
        color = PALETTE[5] if k == 0 else PALETTE[2] if k == len(drawn) - 1 else PALETTE[0]
        ax.add_patch(plt.Rectangle((k - width[k] / 2, -height[k] / 2), width[k], height[k],
                                   facecolor=color, edgecolor=INK, linewidth=0.6))  # fmt: skip
        if kind in _RECURRENT:
            ax.annotate("", (k + 0.1, height[k] / 2), (k - 0.1, height[k] / 2),
                        arrowprops={"arrowstyle": "-|>", "color": PALETTE[1], "lw": 1.4,
                                    "connectionstyle": "arc3,rad=-1.8"})  # fmt: skip
        if kind in _ALL_TO_ALL:
            _crossings(ax, k, height[k])
        if words:
            places, channels = _size(layer)
            size = f"{places}" if channels == 1 else f"{places}, {channels}"
            ax.text(k, -0.66, f"{_WORDS.get(kind, kind)}\n{size}", ha="center", va="top",
                    fontsize=9.5, color=MUTED, linespacing=1.05)  # fmt: skip
    for k, layer in enumerate(drawn):
        if type(layer).__name__ == "Add":
            height[k], width[k] = 0.06, 0.2
    for source, target in pairs:
        straight = target == source + 1
        start, end = source + width[source] / 2, target - width[target] / 2
        top = max(height[source : target + 1]) / 2
        arrow = {"arrowstyle": "-|>", "lw": 1.0, "color": INK}
        if straight and not words:
            ax.plot([start, end], [0, 0], color=INK, lw=0.8, zorder=0)
        elif straight:
            ax.annotate("", (end, 0), (start, 0), arrowprops=arrow)
        else:
            bend = 0.5 if words else 1.2
            bend = min(bend, (0.25 + top) / (end - start) * 2 * bend)
            arrow |= {"color": PALETTE[1], "connectionstyle": f"arc3,rad={-bend}"}
            low = 0.0 if words else 0.5
            ax.annotate("", (target - 0.02, height[target] / 2),
                        (source + 0.02, max(height[source] / 2 * (1 - low), 0.0)),
                        arrowprops=arrow)  # fmt: skip
    ax.set(xlim=(-0.6, len(drawn) - 0.4), ylim=(-1.12 if words else -0.7, 1.02))
    ax.axis("off")


def _crossings(ax: Axes, x: float, height: float) -> None:
    y = np.linspace(-0.38, 0.38, 4) * height
    for a in y:
        for b in y:
            ax.plot([x - 0.32, x + 0.32], [a, b], color=PALETTE[1], lw=0.5, zorder=3)


def portraits(models: Mapping[str, Any]) -> Figure:
    """One row a model: its name, its wiring.

    Args:
        models: Functional Keras models by name.

    Returns:
        Matplotlib figure; give it to `show`.
    """
    fig, axes = plt.subplots(len(models), 1, figsize=(7.0, 1.28 * len(models)))
    for ax, (name, model) in zip(np.atleast_1d(axes), models.items(), strict=True):
        wiring(ax, model, words=len(model.layers) < 16)
        ax.set_title(name, loc="left", fontsize=11, y=0.92, pad=0)
    return fig


def matrices(found: Mapping[str, Any], *, columns: int = 4) -> Figure:
    """Who listens to whom: one square a layer, rows are outputs, columns are inputs.

    Args:
        found: Matrices by name, of any sign; each is shown beside its own largest entry.
        columns: Squares in a row of the figure.

    Returns:
        Matplotlib figure; give it to `show`.
    """
    rows = -(-len(found) // columns)
    fig, axes = plt.subplots(rows, columns, figsize=(7.0, 1.95 * rows + 0.1))
    for ax in axes.flat:
        ax.axis("off")
    for ax, (name, matrix) in zip(axes.flat, found.items(), strict=False):
        ax.axis("on")
        a = np.abs(np.asarray(matrix, float))
        shown = np.where(a > 1e-6 * a.max(), 0.12 + 0.88 * np.sqrt(a / a.max()), 0.0)
        ax.imshow(shown, cmap="cividis", vmin=0, vmax=1)
        ax.set_title(name, fontsize=10.5)
        ax.set(xticks=[], yticks=[])
    axes.flat[0].set(xlabel="input", ylabel="output")
    return fig


def _within(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= value <= limits[1]


def ledger(rows: Sequence[tuple[str, Sequence[float], Sequence[float]]]) -> Figure:
    """For each architecture two clouds of dots: the rival's error over its own, on two tasks.

    Args:
        rows: Name, ratios on the task where the assumption is at home, ratios on the other.

    Returns:
        Matplotlib figure; give it to `show`. Right of one the assumption pays.
    """
    fig, ax = plt.subplots(figsize=(7.0, 0.55 * len(rows) + 0.9))
    for k, (_, home, away) in enumerate(rows):
        for values, color, dy in ((home, PALETTE[0], -0.13), (away, PALETTE[1], 0.13)):
            ax.plot(values, np.full(len(values), k + dy), "o", color=color, alpha=0.45,
                    markersize=4, markeredgewidth=0)  # fmt: skip
            ax.plot([np.exp(np.mean(np.log(values)))], [k + dy], "|", color=color, markersize=13,
                    markeredgewidth=2.4)  # fmt: skip
        ax.axhline(k + 0.5, color=GRID, lw=0.6)
    ax.axvline(1, color=MUTED, lw=1)
    ax.set(xscale="log", ylim=(len(rows) - 0.5, -0.5),
           xlabel="error of the rival, over its own error (equal parameters)")  # fmt: skip
    ax.set_yticks(range(len(rows)), [name for name, _, _ in rows])
    ticks = [t for t in (0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32) if _within(t, ax.get_xlim())]
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.minorticks_off()
    ax.tick_params(axis="y", length=0)
    return fig
