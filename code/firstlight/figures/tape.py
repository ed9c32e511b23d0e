"""A tape as a picture: every value a box, every use an arrow, both passes in numbers."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from firstlight.autodiff.tape import tape
from firstlight.figures.style import INK, MUTED, PALETTE, PAPER

__all__ = ["graph"]

_MOST = 24
_SIGNS = {"add": "+", "subtract": "−", "multiply": "×", "divide": "÷", "power": "power",
          "negative": "minus", "matmul": "@", "exp": "exp"}  # fmt: skip


def graph(result: Any, names: Mapping[str, Any] | None = None) -> Figure:
    """Draw what a tensor was made from, read off its own tape.

    Args:
        result: Tensor; after `backward` the gradients are written below the values.
        names: From a name to the tensor that bears it; the others show their operation.

    Returns:
        Matplotlib figure; give it to `show`. Leaves stand on the left, the result on the right.

    Raises:
        ValueError: If the tape is too long to be read.

    Example:
        >>> from firstlight.autodiff import Tensor
        >>> x = Tensor(2.0)
        >>> fig = graph(x * x, {"x": x})
    """
    nodes = tape(result)
    if len(nodes) > _MOST:
        raise ValueError(
            f"graph: received a tape of {len(nodes)} tensors, expected at most {_MOST} so that "
            "they can be read. Draw a part of it, or a smaller example."
        )
    places = _places(nodes)
    called = {id(tensor): name for name, tensor in (names or {}).items()}
    columns = max(x for x, _ in places.values()) + 1
    rows = max(y for _, y in places.values()) - min(y for _, y in places.values()) + 1
    fig, ax = plt.subplots(figsize=(7, 0.55 + 0.82 * rows))

    def beside(node: Any, side: int) -> tuple[float, float]:
        x, y = places[id(node)]
        return x + side * (_half(node, columns / 7) + 0.03), y

    for node in nodes:
        for parent in dict.fromkeys(node.parents):
            uses = node.parents.count(parent)
            for bow in (0.0,) if uses == 1 else (0.5, -0.5):
                _arrow(ax, beside(parent, 1), beside(node, -1), bow)
        _box(ax, places[id(node)], node, called.get(id(node)), columns / 7)
    ys = [y for _, y in places.values()]
    ax.set(xlim=(-0.55, columns - 0.45), ylim=(min(ys) - 0.6, max(ys) + 0.6))
    ax.axis("off")
    return fig


def _places(nodes: list[Any]) -> dict[int, tuple[float, float]]:
    """Column by the longest way from a leaf; within it, near the parents."""
    column: dict[int, int] = {}
    for node in nodes:
        column[id(node)] = max((column[id(p)] + 1 for p in node.parents), default=0)
    for node in reversed(nodes):  # a leaf stands right before its first use
        for parent in node.parents:
            if not parent.links:
                uses = [column[id(n)] for n in nodes if any(p is parent for p in n.parents)]
                column[id(parent)] = min(uses) - 1
    groups: dict[int, list[Any]] = defaultdict(list)
    for node in nodes:
        groups[column[id(node)]].append(node)
    heights: dict[int, float] = {}
    for x in sorted(groups):
        group = groups[x]
        wanted = {
            id(n): float(np.mean([heights[id(p)] for p in n.parents])) if n.parents else -i
            for i, n in enumerate(group)
        }
        group.sort(key=lambda n: -wanted[id(n)])  # noqa: B023  (sorted at once)
        middle = float(np.mean([wanted[id(n)] for n in group])) if x else 0.0
        for i, node in enumerate(group):
            heights[id(node)] = middle + (len(group) - 1) / 2 - i
    return {id(node): (column[id(node)], heights[id(node)]) for node in nodes}


def _number(array: Any) -> str:
    shown = np.asarray(array)
    if shown.size > 1:
        return " by ".join(str(n) for n in shown.shape)
    return f"{float(shown.ravel()[0]):.3g}".replace("-", "−")


def _box(ax: Axes, place: tuple[float, float], node: Any, name: str | None, inch: float) -> None:
    x, y = place
    word, value = name or _SIGNS.get(node.operation, node.operation), _number(node.value)
    ax.text(x, y + 0.26, word, ha="center", va="bottom", fontsize=11, color=INK, zorder=4,
            fontweight="normal" if node.links else "bold")  # fmt: skip
    half = _half(node, inch)
    edge = MUTED if node.links else INK
    ax.add_patch(
        FancyBboxPatch((x - half, y - 0.1), 2 * half, 0.3, zorder=3, facecolor=PAPER,
                       edgecolor=edge, boxstyle="round,pad=0,rounding_size=0.06")
    )  # fmt: skip
    ax.text(x, y + 0.05, value, ha="center", va="center", fontsize=10.5, zorder=4,
            color=PALETTE[0])  # fmt: skip
    if node.gradient is not None:
        ax.text(x, y - 0.15, _number(node.gradient), ha="center", va="top", fontsize=10.5,
                color=PALETTE[1], zorder=4)  # fmt: skip


def _half(node: Any, inch: float) -> float:
    """Half the width of a box, in columns; an inch is so many of them."""
    return inch * (0.05 + 0.04 * len(_number(node.value)))


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], bow: float) -> None:
    ax.annotate("", (end[0], end[1] + 0.05), (start[0], start[1] + 0.05), zorder=1,
                arrowprops={"arrowstyle": "-|>", "color": MUTED, "linewidth": 1, "shrinkA": 0,
                            "shrinkB": 0, "connectionstyle": f"arc3,rad={bow}"})  # fmt: skip
