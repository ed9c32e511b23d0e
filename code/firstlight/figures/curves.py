"""The curve that every training ends with."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from firstlight.figures.style import MUTED, PALETTE, label_lines

__all__ = ["learning_curves"]


def learning_curves(
    history: Any,
    metric: str = "loss",
    names: tuple[str, str] = ("training", "validation"),
) -> tuple[Figure, Axes]:
    """Training and validation curves, epoch by epoch, with the best epoch marked.

    Args:
        history: What `model.fit` returns, its `.history`, or any mapping from names to
            one value per epoch.
        metric: Key to draw; its validation partner is `val_<metric>`, drawn where it exists.
        names: What to call the two curves.

    Returns:
        Figure and axes; give the figure to `show`.

    Raises:
        ValueError: If the history lacks the metric.

    Example:
        >>> fig, ax = learning_curves({"loss": [3, 2, 1], "val_loss": [3, 2, 2.5]})
        >>> ax.get_xlabel()
        'epoch'
    """
    record: Mapping[str, Sequence[float]] = getattr(history, "history", history)
    if metric not in record:
        raise ValueError(
            f"metric: received {metric!r}, expected one of {', '.join(sorted(record)) or 'none'}."
        )
    fig, ax = plt.subplots()
    for key, name, color in (
        (metric, names[0], PALETTE[1]),
        (f"val_{metric}", names[1], PALETTE[0]),
    ):
        if key in record:
            values = np.asarray(record[key], dtype=float)
            ax.plot(np.arange(1, len(values) + 1), values, color=color, label=name)
    if f"val_{metric}" in record:
        values = np.asarray(record[f"val_{metric}"], dtype=float)
        best = int(np.nanargmin(values))
        ax.plot(best + 1, values[best], "o", color=PALETTE[0], markersize=7, label="_best")
        ax.annotate(
            f"epoch {best + 1}", (best + 1, values[best]), (0, -16), textcoords="offset points",
            ha="center", color=MUTED, fontsize=10,
        )  # fmt: skip
    ax.set(xlabel="epoch", ylabel=metric.replace("_", " "))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.margins(x=0, y=0.12)
    label_lines(ax)
    return fig, ax
