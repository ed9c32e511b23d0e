"""One look for every figure: thin axes, direct labels, colors that all readers can tell apart.

The same figure is drawn twice, in ink on paper and in chalk on slate, by exchanging the
colors of `LIGHT` for those of `DARK`. Pure white is left alone, because it is what one
writes on top of images of the sky.
"""

import dataclasses
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib import font_manager

__all__ = ["DARK", "DIVERGING", "GRID", "INK", "LIGHT", "MUTED", "PALETTE", "PAPER", "SEQUENTIAL",
           "label_lines", "use"]  # fmt: skip

PAPER, INK, MUTED, GRID = "#fcfcfa", "#1d2129", "#5b6270", "#d8dade"
# Blue, vermilion, green, violet, ochre, slate: at least 3:1 on paper; the first four
# stay apart for every eye.
PALETTE = ("#1464b4", "#c94a14", "#0c8a6c", "#7d2f7a", "#b08400", "#6b7280")

LIGHT = (PAPER, INK, MUTED, GRID, *PALETTE)
DARK = ("#14171c", "#e8e9ec", "#a4abb8", "#3a3f48",
        "#4c8ff5", "#ff8a54", "#58d6b0", "#d884c8", "#e3b341", "#9aa3b2")  # fmt: skip

SEQUENTIAL = "cividis"
DIVERGING = "PuOr"

_WIDTH, _HEIGHT = 7.0, 3.6
_FAMILY = "Source Sans 3"
_FONTS = {"Regular": 400, "Italic": 400, "Semibold": 700}


def use() -> None:
    """Set matplotlib's defaults to the house style, for the rest of the session.

    Called by `show` too late for a figure that exists, so call it in the chapter's
    first cell.

    Example:
        >>> from firstlight import figures
        >>> figures.use()
    """
    _load_fonts()
    mpl.rcParams.update(
        {
            "figure.figsize": (_WIDTH, _HEIGHT),
            "figure.dpi": 96,
            "figure.facecolor": PAPER,
            "figure.edgecolor": PAPER,
            "figure.constrained_layout.use": True,
            "savefig.facecolor": PAPER,
            "font.family": [_FAMILY, "DejaVu Sans"],
            "font.size": 11.5,
            "mathtext.fontset": "custom",
            "mathtext.rm": _FAMILY,
            "mathtext.it": f"{_FAMILY}:italic",
            "mathtext.bf": f"{_FAMILY}:bold",
            "mathtext.bfit": f"{_FAMILY}:bold",
            "mathtext.sf": _FAMILY,
            "mathtext.cal": f"{_FAMILY}:italic",
            "mathtext.fallback": "stixsans",
            "text.color": INK,
            "axes.facecolor": PAPER,
            "axes.edgecolor": MUTED,
            "axes.linewidth": 0.7,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.labelcolor": INK,
            "axes.labelsize": 11.5,
            "axes.titlesize": 12.5,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.titlecolor": INK,
            "axes.titlepad": 8,
            "axes.axisbelow": True,
            "axes.grid": False,
            "axes.prop_cycle": cycler(color=PALETTE),
            "grid.color": GRID,
            "grid.linewidth": 0.6,
            "xtick.color": MUTED,
            "ytick.color": MUTED,
            "xtick.labelcolor": INK,
            "ytick.labelcolor": INK,
            "xtick.labelsize": 10.5,
            "ytick.labelsize": 10.5,
            "xtick.major.width": 0.7,
            "ytick.major.width": 0.7,
            "xtick.minor.width": 0.5,
            "ytick.minor.width": 0.5,
            "xtick.major.size": 4,
            "ytick.major.size": 4,
            "lines.linewidth": 1.8,
            "lines.markersize": 5,
            "lines.solid_capstyle": "round",
            "patch.linewidth": 0.7,
            "hatch.linewidth": 0.7,
            "legend.frameon": False,
            "legend.fontsize": 10.5,
            "image.cmap": SEQUENTIAL,
            "image.interpolation": "nearest",
            "svg.fonttype": "path",
            "svg.hashsalt": "first light",
        }
    )


@cache
def _load_fonts() -> None:
    """Make the typeface known to matplotlib, and the half-bold for the bold.

    Its own names would make it a family apart, which bold titles would not find.
    """
    manager = font_manager.fontManager
    for name, weight in _FONTS.items():
        manager.addfont(Path(__file__).parent / "fonts" / f"SourceSans3-{name}.ttf")
        entry = dataclasses.replace(manager.ttflist[-1], name=_FAMILY, weight=weight)
        manager.ttflist[-1] = entry


def label_lines(
    axes: Any, names: Sequence[str] | None = None, *, gap: float = 0.06, pad: float = 0.015
) -> list[Any]:
    """Write each line's name at its right end, in its color, in place of a legend.

    Args:
        axes: Matplotlib axes with at least one labeled line.
        names: Texts in the order of the lines; by default the lines' own labels,
            lines without a label being passed over.
        gap: Smallest vertical distance between two labels, in fractions of the axes.
        pad: Distance from the end of the axes, in fractions of the axes.

    Returns:
        The text artists, in the order of the lines.

    Raises:
        ValueError: If there is nothing to label, or names and lines differ in number.

    Example:
        >>> import matplotlib.pyplot as plt
        >>> fig, ax = plt.subplots()
        >>> _ = ax.plot([0, 1], label="training")
        >>> [text.get_text() for text in label_lines(ax)]
        ['training']
    """
    axes.get_ylim()  # settles the limits, which transData below relies on
    lines = [line for line in axes.lines if names or not line.get_label().startswith("_")]
    texts = list(names) if names else [line.get_label() for line in lines]
    if not lines or len(texts) != len(lines):
        raise ValueError(
            f"label_lines: received {len(texts)} names for {len(lines)} lines, expected one each; "
            "give plot(..., label=...) or pass names."
        )
    to_fraction = (axes.transData + axes.transAxes.inverted()).transform
    ends = [float(to_fraction(line.get_xydata()[-1])[1]) for line in lines]
    heights = spread(ends, gap)
    return [
        axes.text(
            1 + pad,
            height,
            text,
            color=line.get_color(),
            va="center",
            ha="left",
            transform=axes.transAxes,
            clip_on=False,
        )  # fmt: skip
        for height, text, line in zip(heights, texts, lines, strict=True)
    ]


def spread(values: Sequence[float], gap: float) -> list[float]:
    """Move values apart as little as needed so that neighbors differ by `gap` or more.

    Args:
        values: Wanted positions, in any order.
        gap: Smallest distance allowed between two of them.

    Returns:
        New positions in the order given; their order along the axis is kept.

    Example:
        >>> spread([0.0, 0.0], 0.5)
        [-0.25, 0.25]
    """
    order = sorted(range(len(values)), key=lambda i: values[i])
    blocks: list[tuple[list[int], float]] = []
    for index in order:
        block, center = [index], values[index]
        while blocks and center - blocks[-1][1] < gap * (len(block) + len(blocks[-1][0])) / 2:
            previous, middle = blocks.pop()
            total = len(previous) + len(block)
            center = (middle * len(previous) + center * len(block)) / total
            block = previous + block
        blocks.append((block, center))
    placed = [0.0] * len(values)
    for block, center in blocks:
        for rank, index in enumerate(block):
            placed[index] = center + (rank - (len(block) - 1) / 2) * gap
    return placed
