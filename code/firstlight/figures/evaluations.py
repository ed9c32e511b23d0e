"""The figure of a report: scores, reliability where labels allow it, and extreme examples."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from firstlight.figures.galaxies import to_rgb
from firstlight.figures.style import INK, MUTED, PALETTE

__all__ = ["evaluation"]

_BINS = [k / 20 for k in range(21)]
Picture = tuple[str, float, Any]  # name, score, image or (phases, magnitudes)


def evaluation(
    scores: ArrayLike,
    home: ArrayLike,
    high: Sequence[Picture],
    low: Sequence[Picture],
    *,
    score: str = "score",
    objects: str = "stamps",
    truth: ArrayLike | None = None,
    reliability: tuple[ArrayLike, ArrayLike, ArrayLike] | None = None,
) -> Figure:
    """Draw how a network scored a reader's objects, beside how it scores its own sky.

    Args:
        scores: Of the reader's objects, 0 to 1, shape (n,).
        home: Of simulated ones.
        high: Name, score and picture of those that scored highest; up to six. A picture is an
            image (side, side, bands) in units of the sky noise, or a pair of phases and
            magnitudes.
        low: Likewise, lowest.
        score: What the score is, for the axis.
        objects: What they are called.
        truth: True for a yes, shape (n,), where there are labels for all.
        reliability: Mean score, share of yeses and number in bins of the score.

    Returns:
        Matplotlib figure, 7 inches wide.

    Raises:
        ValueError: If there are no scores.

    Example:
        >>> fig = evaluation([0.1, 0.9], [0.2, 0.8], [("a", 0.9, np.ones((8, 8, 1)))], [])
        >>> len(fig.axes) > 1
        True
    """
    s = np.asarray(scores, float)
    if not len(s):
        raise ValueError("scores: received none, expected one or more objects that were judged.")
    count = max(len(high), len(low), 1)
    fig = plt.figure(figsize=(7.0, 3.0 + 1.28 * bool(len(high)) + 1.28 * bool(len(low))))
    top, *rows = fig.subfigures(1 + bool(len(high)) + bool(len(low)), 1,
                                height_ratios=[3.0] + [1.28] * (bool(high) + bool(low)),
                                squeeze=False).ravel()  # fmt: skip
    panels = top.subplots(1, 1 if reliability is None else 2, squeeze=False,
                          width_ratios=None if reliability is None else (3, 2))[0]  # fmt: skip
    _histogram(panels[0], s, np.asarray(home, float), score, objects, truth)
    if reliability is not None:
        _reliability(panels[1], *(np.asarray(each, float) for each in reliability))
    named = [("highest", high)] * bool(high) + [("lowest", low)] * bool(low)
    for row, (what, some) in zip(rows, named, strict=True):
        _row(row, what, some, count)
    return fig


def _histogram(
    ax: Axes, s: NDArray[Any], home: NDArray[Any], score: str, objects: str, truth: Any
) -> None:
    weight = np.full(len(s), 1 / len(s))
    if truth is None:
        ax.hist(s, _BINS, weights=weight, color=PALETTE[0], alpha=0.75, label=f"your {objects}")
    else:
        yes = np.asarray(truth, bool)
        parts, weights = [s[yes], s[~yes]], [weight[yes], weight[~yes]]
        ax.hist(parts, _BINS, weights=weights, stacked=True, color=PALETTE[:2], alpha=0.75,
                label=[f"your {objects}: label yes", f"your {objects}: label no"])  # fmt: skip
    if len(home):
        ax.hist(home, _BINS, weights=np.full(len(home), 1 / len(home)), histtype="step",
                color=INK, lw=1.4, label="simulated sky")  # fmt: skip
    ax.set(xlim=(0, 1), xlabel=score, ylabel=f"share of {objects}", title="Scores")
    ax.set_ylim(top=1.3 * ax.get_ylim()[1])  # room for the legend
    ax.legend(loc="upper center", fontsize=9.5)


def _reliability(ax: Axes, said: NDArray[Any], seen: NDArray[Any], counts: NDArray[Any]) -> None:
    ax.plot([0, 1], [0, 1], color=MUTED, lw=1)
    error = np.sqrt(np.maximum(seen * (1 - seen), 0.05) / counts)
    ax.errorbar(said, seen, error, fmt="o", color=PALETTE[2], ms=5, lw=1.2)
    ax.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xlabel="mean score", title="Reliability")
    ax.set_ylabel("found among them")


def _row(fig: Any, what: str, some: Sequence[Picture], count: int) -> None:
    axes = fig.subplots(1, count, squeeze=False)[0]
    for place, ax in enumerate(axes):
        if place >= len(some):
            ax.axis("off")
            continue
        name, score, picture = some[place]
        if isinstance(picture, tuple):
            phases, magnitudes = picture
            twice = np.concatenate([phases, np.asarray(phases) + 1])
            ax.plot(twice, np.tile(magnitudes, 2), ".", ms=2.5, color=PALETTE[0])
            ax.invert_yaxis()
            ax.set(xticks=[], yticks=[])
        else:
            image = np.asarray(picture, float)
            if image.shape[-1] == 3:
                ax.imshow(to_rgb(image), origin="lower")
            else:
                gray = np.arcsinh(image.mean(axis=-1) / 3)
                ax.imshow(gray, origin="lower", cmap="gray", vmin=-0.4, vmax=max(gray.max(), 1.0))
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        short = name if len(name) <= 13 else f"{name[:12]}\u2026"
        ax.set_xlabel(f"{short}\n{score:.2f}", fontsize=8.5, labelpad=2, color=INK)
        if not place:
            ax.set_ylabel(what, fontsize=10, color=INK)
