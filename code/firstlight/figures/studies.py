"""Schematics of the studies: what flows where, and what is compared with what."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Polygon
from numpy.typing import ArrayLike

from firstlight.figures.style import INK, MUTED, PALETTE, PAPER

__all__ = ["semantic_autoencoder"]

_WIDTH, _HEIGHT, _MIDDLE = 7.0, 2.5, 1.45
_SIDE = 1.3  # of a picture, inches


def semantic_autoencoder(data: ArrayLike, numbers: Mapping[str, str], render: ArrayLike) -> Figure:
    """Draw image, encoder, numbers, renderer and rendered image in a row, the loss beneath.

    Args:
        data: What the encoder sees, shape (side, side).
        numbers: Name and value of each parameter, as text; at most four.
        render: What the renderer makes of them, shape (side, side).

    Returns:
        Matplotlib figure, 7 inches wide; give it to `show`.

    Raises:
        ValueError: If an image is not square or not finite, or there is no number or too many.

    Example:
        >>> fig = semantic_autoencoder(np.eye(8), {"scale": "2 px"}, np.eye(8))
        >>> float(fig.get_size_inches()[0])
        7.0
    """
    pictures = [_checked("data", data), _checked("render", render)]
    if not 1 <= len(numbers) <= 4:
        raise ValueError(f"numbers: received {len(numbers)}, expected one to four. Show the main.")
    fig = plt.figure(figsize=(_WIDTH, _HEIGHT))
    fig.set_layout_engine("none")
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, _WIDTH), ylim=(0, _HEIGHT))
    ax.axis("off")
    for left, picture, name in zip((0.1, 5.6), pictures, ("data", "rendered"), strict=True):
        _picture(fig, left, picture)
        ax.text(left + _SIDE / 2, 2.2, name, ha="center", va="bottom", fontsize=11)
    _trapezoid(ax, 1.65, 1.2, 0.55)
    ax.text(2.05, _MIDDLE, "encoder", ha="center", va="center", color=PAPER, fontsize=11)
    ax.text(2.05, 0.7, "all the weights", ha="center", va="center", color=MUTED, fontsize=10)
    _numbers(ax, numbers)
    ax.add_patch(_box(4.4, 1.05, 0.95, 0.8, PAPER, INK))
    ax.text(4.875, _MIDDLE, "renderer", ha="center", va="center", fontsize=11)
    ax.text(4.875, 0.7, "no weights", ha="center", va="center", color=MUTED, fontsize=10)
    for start, end in ((1.42, 1.63), (2.47, 2.7), (4.12, 4.38), (5.37, 5.58)):
        _arrow(ax, (start, _MIDDLE), (end, _MIDDLE))
    ax.plot([0.75, 0.75, 6.25, 6.25], [0.75, 0.42, 0.42, 0.75], color=PALETTE[1], lw=1.3)
    ax.text(3.5, 0.2, "loss: how far the two differ", ha="center", va="center", fontsize=11,
            color=PALETTE[1])  # fmt: skip
    return fig


def _checked(name: str, image: ArrayLike) -> np.ndarray:
    picture = np.asarray(image, dtype=float)
    if picture.ndim != 2 or len(set(picture.shape)) != 1 or not np.isfinite(picture).all():
        raise ValueError(
            f"{name}: received shape {picture.shape} with {int(np.isnan(picture).sum())} NaN, "
            "expected one square image of finite numbers."
        )
    return picture


def _picture(fig: Figure, left: float, picture: np.ndarray) -> None:
    place = (left / _WIDTH, (_MIDDLE - _SIDE / 2) / _HEIGHT, _SIDE / _WIDTH, _SIDE / _HEIGHT)
    ax = fig.add_axes(place)
    level = max(float(np.abs(picture).max()), 1e-12) / 10
    ax.imshow(np.arcsinh(picture / level), cmap="gray", origin="lower")
    ax.axis("off")


def _numbers(ax: Axes, numbers: Mapping[str, str]) -> None:
    gap = 1.2 / len(numbers)
    for row, (name, value) in enumerate(numbers.items()):
        y = _MIDDLE + gap * ((len(numbers) - 1) / 2 - row)
        ax.add_patch(_box(2.75, y - 0.15, 1.35, 0.3, PAPER, PALETTE[0]))
        ax.text(3.425, y, f"{name} {value}", ha="center", va="center", fontsize=10)


def _trapezoid(ax: Axes, left: float, tall: float, short: float) -> None:
    corners = [(left, _MIDDLE - tall / 2), (left, _MIDDLE + tall / 2),
               (left + 0.8, _MIDDLE + short / 2), (left + 0.8, _MIDDLE - short / 2)]  # fmt: skip
    ax.add_patch(Polygon(corners, facecolor=PALETTE[0], edgecolor="none"))


def _box(x: float, y: float, width: float, height: float, face: str, edge: str) -> FancyBboxPatch:
    style = "round,pad=0,rounding_size=0.05"
    return FancyBboxPatch((x, y), width, height, boxstyle=style, facecolor=face, edgecolor=edge,
                          linewidth=1.1)  # fmt: skip


def _arrow(ax: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    ax.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1.3})
