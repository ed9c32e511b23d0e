"""Two ways from an image to a class: measured features and a forest, or a network's own."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from firstlight.figures.galaxies import to_rgb
from firstlight.figures.style import INK, MUTED, PALETTE, PAPER

__all__ = ["pipelines"]

_QUIET = ("BatchNormalization", "ReLU", "Activation", "Dropout", "InputLayer")
_LEARNED, _MADE = PALETTE[0], PALETTE[4]


def pipelines(
    image: Any, names: Sequence[str], learner: Any, model: Any, *, rows: int = 5
) -> Figure:
    """Draw feature extractor and learner, once made by hand and once learned.

    Args:
        image: One galaxy, shape (size, size, 3), bands g, r, i, in units of the sky noise.
        names: Names of the hand-made features; the first few are written out.
        learner: A fitted scikit-learn forest that reads them.
        model: Keras model whose last layer is `Dense`; the layers before it are drawn one block
            each, normalization and activation apart.
        rows: How many names to write out.

    Returns:
        Matplotlib figure; give it to `show`.

    Raises:
        ValueError: If the names and the forest do not fit, or the model does not end in `Dense`.

    Example:
        >>> fig = pipelines(images[0], names, forest, model)  # doctest: +SKIP
    """
    expected = getattr(learner, "n_features_in_", None)
    if expected != len(names):
        raise ValueError(
            f"names: received {len(names)} for a learner of {expected} features, expected one "
            "each; fit the forest on the features that you name."
        )
    drawn = [layer for layer in model.layers if type(layer).__name__ not in _QUIET]
    if not drawn or type(drawn[-1]).__name__ != "Dense":
        raise ValueError(
            f"model: received one that ends in {type(drawn[-1]).__name__ if drawn else 'nothing'}, "
            "expected a Dense layer as its learner."
        )
    fig, axes = plt.subplots(2, 1, figsize=(7.0, 4.5))
    trees = len(learner.estimators_)
    for ax in axes:
        ax.imshow(to_rgb(np.asarray(image)), extent=(0, 1.5, -0.75, 0.75), zorder=2)
        ax.set(xlim=(-0.1, 10.1), ylim=(-1.35, 1.45), aspect="auto")
        ax.axis("off")
    _by_hand(axes[0], list(names), rows, trees)
    _by_network(axes[1], drawn)
    return fig


def _by_hand(ax: Axes, names: list[str], rows: int, trees: int) -> None:
    ax.set_title("Features made by hand, a learner that is trained")
    _arrow(ax, 1.6, 2.1)
    _box(ax, 2.2, 6.2, _MADE)
    shown = [*names[:rows], f"and {len(names) - rows} more"] if len(names) > rows else names
    for name, y in zip(shown, np.linspace(0.62, -0.62, len(shown)), strict=True):
        ax.text(4.2, y, name.replace("_", " "), ha="center", va="center", fontsize=9, color=INK)
    _arrow(ax, 6.3, 7.0)
    _box(ax, 7.1, 8.7, _LEARNED)
    ax.text(7.9, 0, f"{trees}\ntrees", ha="center", va="center", fontsize=10, color=INK)
    _ending(ax, 8.8, (2.2, 6.2), (7.1, 8.7), f"{len(names)}\nnumbers")


def _by_network(ax: Axes, drawn: list[Any]) -> None:
    ax.set_title("Features learned together with their learner")
    _arrow(ax, 1.6, 2.1)
    *extractor, last = drawn
    places = np.linspace(2.65, 5.75, len(extractor))
    for x, layer in zip(places, extractor, strict=True):
        shape = layer.output.shape[1:]
        side, channels = (shape[0], shape[-1]) if len(shape) == 3 else (1, shape[-1])
        height = 0.35 + 0.055 * side
        _block(ax, x, height, 0.2 + 0.006 * channels, _LEARNED)
        kind = "mean" if "Pool" in type(layer).__name__ else "conv"
        size = f"{side}×{side}×{channels}" if side > 1 else f"{channels}"
        ax.text(x, -0.74, f"{kind}\n{size}", ha="center", va="center", fontsize=8.5, color=MUTED)
    _arrow(ax, 6.3, 7.0)
    _block(ax, 7.9, 0.4, 0.28, _LEARNED)
    ax.text(7.9, -0.74, f"dense\n{last.units}", ha="center", va="center", fontsize=8.5,
            color=MUTED)  # fmt: skip
    n = int(extractor[-1].output.shape[-1])
    _ending(ax, 8.8, (2.2, 6.2), (7.1, 8.7), f"{n}\nnumbers")


def _ending(
    ax: Axes, start: float, left: tuple[float, float], right: tuple[float, float], passed: str
) -> None:
    """Arrow to the answer, and the two braces that name the parts."""
    _arrow(ax, start, start + 0.5)
    ax.text(start + 0.6, 0, "arms?", ha="left", va="center", fontsize=11, color=INK)
    ax.text(6.65, 0.14, passed, ha="center", va="bottom", fontsize=8.5, color=MUTED)
    for (x0, x1), word in ((left, "feature extractor"), (right, "learner")):
        ax.plot([x0, x0, x1, x1], [0.95, 1.03, 1.03, 0.95], color=MUTED, linewidth=0.8)
        ax.text((x0 + x1) / 2, 1.08, word, ha="center", va="bottom", fontsize=9.5, color=MUTED)


def _box(ax: Axes, x0: float, x1: float, color: str) -> None:
    ax.add_patch(plt.Rectangle((x0, -0.85), x1 - x0, 1.7, facecolor=PAPER, edgecolor=color,
                               linewidth=1.6))  # fmt: skip


def _block(ax: Axes, x: float, height: float, width: float, color: str) -> None:
    ax.add_patch(plt.Rectangle((x - width / 2, 0.1 - height / 2), width, height, facecolor=color,
                               edgecolor=INK, linewidth=0.7))  # fmt: skip


def _arrow(ax: Axes, x0: float, x1: float) -> None:
    ax.annotate("", (x1, 0), (x0, 0), arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1.1})
