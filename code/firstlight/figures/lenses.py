"""Lenses for the eye: color stamps, completeness over two properties, ROC where it matters."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from firstlight.evaluation.completeness import Map
from firstlight.evaluation.detection import roc
from firstlight.figures.galaxies import stamps
from firstlight.figures.style import GRID, INK, MUTED, PALETTE, PAPER, SEQUENTIAL

__all__ = ["LSST_BALANCE", "completeness_map", "lens_stamps", "rejection_curves"]

# From units of the sky noise in g, r, i of an LSST visit to one flux scale, with g lifted so that
# an elliptical at redshift 0.5 looks orange and a star-forming source behind it blue.
LSST_BALANCE = (1.35, 0.95, 1.5)


def lens_stamps(images: ArrayLike, titles: Sequence[str] | None = None, **settings: Any) -> Figure:
    """A gallery of lenses: in color from g, r, i, in gray from one band.

    Args:
        images: Shape (n, size, size, bands), one band or g, r, i, in units of the sky noise.
        titles: One short text for each.
        **settings: `columns`, `size`, and in color `black`, `white`, `soft`, `weights`.

    Returns:
        Matplotlib figure; give it to `show`.

    Example:
        >>> len(lens_stamps(np.zeros((2, 32, 32, 1))).axes)
        2
    """
    pictures = np.asarray(images, np.float32)
    if pictures.ndim != 4 or pictures.shape[-1] not in (1, 3):
        raise ValueError(
            f"images: received shape {pictures.shape}, expected (n, size, size, 1) or "
            "(n, size, size, 3), bands g, r, i."
        )
    if pictures.shape[-1] == 3:
        colors = {"black": -1.5, "white": 70.0, "soft": 3.0, "weights": LSST_BALANCE, **settings}
        return stamps(pictures, titles, **colors)
    return stamps(np.arcsinh(np.clip(pictures[..., 0], -2, 80) / 3), titles, **settings)


def rejection_curves(
    scores: Mapping[str, ArrayLike],
    labels: ArrayLike,
    *,
    among: ArrayLike | None = None,
    mark: float = 0.01,
) -> Figure:
    """Completeness against the share of non-lenses let through, that on a logarithmic axis.

    On linear axes all that a survey can use hides in the leftmost hundredth.

    Args:
        scores: By name, each of shape (n,).
        labels: 0 or 1, shape (n,).
        among: Which lenses count, boolean, shape (n,); all by default.
        mark: Share of non-lenses at which a vertical line stands.

    Returns:
        Matplotlib figure; give it to `show`.

    Example:
        >>> fig = rejection_curves({"ours": [3.0, 2.0, 1.0, 0.0]}, [1, 1, 0, 0])
        >>> fig.axes[0].get_xscale()
        'log'
    """
    y = np.asarray(labels)
    kept = np.ones(y.shape, bool) if among is None else (y == 0) | np.asarray(among, bool)
    negatives = int((y == 0).sum())
    fig, ax = plt.subplots(figsize=(6.2, 3.8))
    lowest = 0.5 / negatives
    for color, (name, values) in zip(PALETTE, scores.items(), strict=False):
        curve = roc(np.asarray(values)[kept], y[kept])
        ax.step(
            np.maximum(curve.false_positive_rate, lowest), curve.true_positive_rate,
            where="post", color=color, label=name,
        )  # fmt: skip
    chance = np.geomspace(lowest, 1, 100)
    ax.plot(chance, chance, color=MUTED, lw=1, ls=":", label="guessing")
    ax.axvline(mark, color=GRID, lw=1.2, zorder=0)
    ax.text(mark, 1.02, f"{1 - mark:.0%} rejected", color=MUTED, fontsize=10, ha="center",
            va="bottom")  # fmt: skip
    ax.set(xscale="log", xlim=(lowest, 1), ylim=(0, 1.0), xlabel="share of non-lenses let through",
           ylabel="share of lenses found")  # fmt: skip
    ax.legend(loc="lower right", frameon=True, framealpha=0.9, edgecolor="none", facecolor=PAPER)
    return fig


def completeness_map(
    found: Map,
    edges: tuple[ArrayLike, ArrayLike],
    *,
    names: tuple[str, str] = ("Einstein radius (arcsec)", "S/N of the source"),
    corner: tuple[float, float] | None = None,
) -> Figure:
    """Completeness in bins of two properties, each bin's value and its error written on it.

    Args:
        found: As `evaluation.completeness.binned_completeness` gives it, two axes.
        edges: Of the bins.
        names: Of the two properties.
        corner: Lower limits of a region to outline, such as that of gold lenses.

    Returns:
        Matplotlib figure; give it to `show`.
    """
    x, y = (np.asarray(each, float) for each in edges)
    if found.value.shape != (len(x) - 1, len(y) - 1):
        raise ValueError(
            f"found: received a map of shape {found.value.shape} for {len(x)} and {len(y)} edges, "
            "expected one bin less than edges on either axis."
        )
    fig, ax = plt.subplots(figsize=(6.2, 4.0))
    steps_x, steps_y = np.arange(len(x)), np.arange(len(y))  # equal cells: room for the numbers
    mesh = ax.pcolormesh(steps_x, steps_y, found.value.T, cmap=SEQUENTIAL, vmin=0, vmax=1)
    half = (found.high - found.low) / 2
    for i, j in np.ndindex(found.value.shape):
        if found.counts[i, j]:
            shade = "#ffffff" if found.value[i, j] < 0.55 else "#000000"
            ax.text(i + 0.5, j + 0.58, f"{found.value[i, j]:.0%}", color=shade, ha="center",
                    va="center", fontsize=12)  # fmt: skip
            ax.text(i + 0.5, j + 0.27, f"± {half[i, j]:.0%}", color=shade, ha="center",
                    va="center", fontsize=9)  # fmt: skip
    ax.set_xticks(steps_x, [f"{value:g}" for value in x])
    ax.set_yticks(steps_y, [f"{value:g}" for value in y])
    ax.set(xlabel=names[0], ylabel=names[1])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    if corner is not None:
        left, low = np.interp(corner[0], x, steps_x), np.interp(corner[1], y, steps_y)
        ax.plot([left, left, steps_x[-1]], [steps_y[-1], low, low], color=INK, lw=2.5)
        ax.plot([left, left, steps_x[-1]], [steps_y[-1], low, low], color="#ffffff", lw=1)
    bar = fig.colorbar(mesh, ax=ax, pad=0.02, format=lambda value, _: f"{value:.0%}")
    bar.set_label("share of lenses found")
    bar.outline.set_visible(False)  # type: ignore[operator]
    return fig
