"""Six applications of deep learning in one style: what goes in, the network, what comes out.

The sizes are those of the papers named in `SCHEMES`; the little pictures are our own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Ellipse, FancyBboxPatch, Polygon, Rectangle

from firstlight.figures.style import GRID, INK, MUTED, PALETTE, PAPER

__all__ = ["SCHEMES", "Scheme", "application", "describe"]

Glyph = Callable[[Any, float, float], None]
_BLUE, _RED, _GREEN, _VIOLET, _OCHRE, _SLATE = PALETTE


@dataclass(frozen=True)
class Scheme:
    """One application.

    Args:
        paper: Key of the paper in `references.bib`.
        takes: What goes in, two short lines.
        stages: Parts of the network in order: a name, and the relative height of its block.
        network: The network in a few words, with its size.
        gives: What comes out, two short lines.
        learned: What it learned from.
        glyphs: Names of the pictures for input and output.
    """

    paper: str
    takes: str
    stages: tuple[tuple[str, float], ...]
    network: str
    gives: str
    learned: str
    glyphs: tuple[str, str]


SCHEMES = {
    "driving": Scheme(
        "Bojarski2016",
        "one camera frame\n66 × 200 pixels",
        (("24", 1.0), ("36", 0.8), ("48", 0.62), ("64", 0.48), ("64", 0.4), ("dense", 0.3)),
        "5 convolutions, 3 dense layers: 250 000 parameters",
        "one number:\nhow far to steer",
        "72 hours of people driving, and what the wheel did",
        ("road", "wheel"),
    ),
    "proteins": Scheme(
        "Jumper2021",
        "a sequence, and\nits relatives",
        (("Evoformer\n48 blocks", 1.0), ("structure\n8 blocks", 0.62)),
        "attention between relatives, and between pairs of residues",
        "coordinates of\nevery atom",
        "measured structures, and its own confident guesses",
        ("chain", "fold"),
    ),
    "language": Scheme(
        "Raffel2020",
        "text, with the task\nwritten in front",
        (("encoder\n24 blocks", 1.0), ("decoder\n24 blocks", 1.0)),
        "a transformer: 11 billion parameters at its largest",
        "text",
        "750 GB of web pages with words blotted out",
        ("task", "answer"),
    ),
    "vision": Scheme(
        "He2017",
        "a photograph",
        (("ResNet,\npyramid", 1.0), ("where?", 0.66), ("what,\noutline", 0.5)),
        "one trunk, three answers for each candidate region",
        "box, class and\noutline of each object",
        "115 000 photographs, objects outlined by hand",
        ("scene", "masks"),
    ),
    "fakes": Scheme(
        "Zi2021",
        "faces cut from\na video",
        (("attention\non the face", 0.8), ("convolutions", 1.0)),
        "a classifier told where on the face to look",
        "real or fake",
        "7 314 sequences of faces, from 707 videos found online",
        ("faces", "verdict"),
    ),
    "games": Scheme(
        "Vinyals2019",
        "a list of units,\na coarse map",
        (("transformer", 0.9), ("memory\n(LSTM)", 0.7), ("pointer", 0.5)),
        "139 million weights, 55 million of them used in play",
        "which unit does\nwhat, where, when",
        "971 000 replays of people, then each other, for 44 days",
        ("map", "order"),
    ),
}


def application(name: str) -> Figure:
    """Draw one application: input, network and output in a row, the teacher beneath.

    Args:
        name: A key of `SCHEMES`.

    Returns:
        Matplotlib figure, 7 inches wide; give it to `show`.

    Raises:
        ValueError: If there is no such application.

    Example:
        >>> fig = application("driving")
        >>> float(fig.get_size_inches()[0])
        7.0
    """
    scheme = _find(name)
    fig = plt.figure(figsize=(7.0, 2.45))
    fig.set_layout_engine("none")
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, 7.0), ylim=(0, 2.45))
    ax.axis("off")
    for x, glyph, words in ((0.95, 0, scheme.takes), (6.05, 1, scheme.gives)):
        ax.add_patch(_card(x - 0.62, 1.24, 1.24, 1.06, PAPER, GRID))
        GLYPHS[scheme.glyphs[glyph]](ax, x, 1.77)
        ax.text(x, 1.12, words, ha="center", va="top", fontsize=11, linespacing=1.1)
    _arrow(ax, (1.62, 1.77), (2.0, 1.77))
    _arrow(ax, (5.0, 1.77), (5.38, 1.77))
    _blocks(ax, scheme.stages)
    ax.text(3.5, 0.93, scheme.network, ha="center", va="top", fontsize=10.5, color=MUTED)
    ax.add_patch(_card(0.9, 0.08, 5.2, 0.4, PAPER, _GREEN))
    ax.text(3.5, 0.28, f"learned from: {scheme.learned}", ha="center", va="center", fontsize=11)
    _arrow(ax, (3.5, 0.5), (3.5, 0.7), _GREEN)
    return fig


def describe(name: str) -> str:
    """The same application in words, for those who cannot see the drawing.

    Args:
        name: A key of `SCHEMES`.

    Returns:
        One line: input, network, output, teacher.

    Raises:
        ValueError: If there is no such application.

    Example:
        >>> describe("driving").startswith("In goes one camera frame")
        True
    """
    scheme = _find(name)
    line = f"In goes {scheme.takes}. The network: {scheme.network}. Out comes {scheme.gives}. "
    return " ".join(f"{line}It learned from {scheme.learned}.".split())


def _find(name: str) -> Scheme:
    if name not in SCHEMES:
        raise ValueError(
            f"application: received {name!r}, expected one of {', '.join(map(repr, SCHEMES))}."
        )
    return SCHEMES[name]


def _blocks(ax: Any, stages: tuple[tuple[str, float], ...]) -> None:
    left, right, gap = 2.08, 4.92, 0.1
    width = (right - left - gap * (len(stages) - 1)) / len(stages)
    for k, (name, height) in enumerate(stages):
        x, tall = left + k * (width + gap), 1.06 * height
        ax.add_patch(_card(x, 1.77 - tall / 2, width, tall, _BLUE, _BLUE))
        ax.text(x + width / 2, 1.77, name, ha="center", va="center", color=PAPER,
                fontsize=9 if len(stages) > 4 else 10.5, linespacing=1.05)  # fmt: skip


def _card(x: float, y: float, width: float, height: float, face: str, edge: str) -> FancyBboxPatch:
    style = "round,pad=0,rounding_size=0.06"
    return FancyBboxPatch((x, y), width, height, boxstyle=style, facecolor=face, edgecolor=edge,
                          linewidth=1.1)  # fmt: skip


def _arrow(ax: Any, start: tuple[float, float], end: tuple[float, float], color: str = INK) -> None:
    ax.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": color, "lw": 1.3})


def _road(ax: Any, x: float, y: float) -> None:
    ax.add_patch(Rectangle((x - 0.5, y - 0.4), 1.0, 0.45, facecolor=GRID, edgecolor="none"))
    lane = [(x - 0.36, y - 0.4), (x + 0.3, y - 0.4), (x + 0.12, y + 0.05), (x + 0.06, y + 0.05)]
    ax.add_patch(Polygon(lane, facecolor=_SLATE, edgecolor="none"))
    for t in (0.05, 0.4, 0.68):
        ax.plot([x - 0.03 + 0.12 * t, x - 0.03 + 0.12 * (t + 0.15)],
                [y - 0.4 + 0.45 * t, y - 0.4 + 0.45 * (t + 0.15)], color=PAPER, lw=1.6)  # fmt: skip
    ax.add_patch(Circle((x - 0.3, y + 0.28), 0.09, facecolor=_OCHRE, edgecolor="none"))


def _wheel(ax: Any, x: float, y: float) -> None:
    ax.add_patch(Circle((x, y), 0.36, facecolor="none", edgecolor=INK, linewidth=4))
    for angle in np.deg2rad((110, 230, 350)):
        ax.plot([x, x + 0.34 * np.cos(angle)], [y, y + 0.34 * np.sin(angle)], color=INK, lw=2.5)
    turn = {"arrowstyle": "-|>", "color": _RED, "lw": 1.6, "connectionstyle": "arc3,rad=0.35"}
    ax.annotate("", (x - 0.5, y + 0.2), (x - 0.12, y + 0.48), arrowprops=turn)


def _chain(ax: Any, x: float, y: float) -> None:
    for row, dy in enumerate((0.3, 0.1, -0.1, -0.3)):
        for k in range(8):
            changed = row in (1, 3) and k in (2, 5)  # two places that change together
            color = _RED if changed else (_BLUE, _OCHRE, _GREEN)[k * k % 3]
            ax.add_patch(Circle((x - 0.46 + 0.13 * k, y + dy), 0.05, facecolor=color,
                                edgecolor="none"))  # fmt: skip


def _fold(ax: Any, x: float, y: float) -> None:
    t = np.linspace(0, 1, 200)
    along = x - 0.42 + 0.84 * t + 0.12 * np.sin(26 * t)
    height = y + 0.26 * np.sin(7 * t) * (1 - 0.4 * t) + 0.1 * np.cos(26 * t)
    ax.plot(along, height, color=_VIOLET, lw=3)


def _task(ax: Any, x: float, y: float) -> None:
    words = "translate English\nto German:\nClear skies."
    ax.text(x, y, words, ha="center", va="center", fontsize=9.5, color=INK, linespacing=1.2)


def _answer(ax: Any, x: float, y: float) -> None:
    ax.text(x, y, "Klarer Himmel.", ha="center", va="center", fontsize=10.5, color=INK)


_THINGS = ((-0.24, 0.12, 0.4, 0.22, 25), (0.22, -0.14, 0.3, 0.3, 0), (0.3, 0.26, 0.2, 0.12, -20))


def _scene(ax: Any, x: float, y: float) -> None:
    for dx, dy, width, height, angle in _THINGS:
        ax.add_patch(Ellipse((x + dx, y + dy), width, height, angle=angle, facecolor=_SLATE,
                             edgecolor="none", alpha=0.75))  # fmt: skip


def _masks(ax: Any, x: float, y: float) -> None:
    for (dx, dy, width, height, angle), color in zip(_THINGS, PALETTE, strict=False):
        ax.add_patch(Ellipse((x + dx, y + dy), width, height, angle=angle, facecolor=color,
                             edgecolor="none"))  # fmt: skip
        ax.add_patch(Rectangle((x + dx - 0.23, y + dy - 0.19), 0.46, 0.38, facecolor="none",
                               edgecolor=color, linewidth=1.2))  # fmt: skip


def _faces(ax: Any, x: float, y: float) -> None:
    for k, color in ((2, GRID), (1, GRID), (0, PAPER)):
        cx, cy = x - 0.1 + 0.14 * k, y - 0.04 + 0.06 * k
        ax.add_patch(Ellipse((cx, cy), 0.56, 0.74, facecolor=color, edgecolor=INK, linewidth=1.2))
    for side in (-1, 1):
        ax.add_patch(Circle((x - 0.1 + 0.12 * side, y + 0.06), 0.035, facecolor=INK))
    ax.plot([x - 0.22, x - 0.1, x + 0.02], [y - 0.17, y - 0.22, y - 0.17], color=INK, lw=1.5)


def _verdict(ax: Any, x: float, y: float) -> None:
    for dy, word, share, color in ((0.2, "real", 0.25, _GREEN), (-0.2, "fake", 0.85, _RED)):
        ax.text(x - 0.5, y + dy, word, va="center", fontsize=10.5, color=INK)
        ax.add_patch(Rectangle((x - 0.1, y + dy - 0.09), 0.62 * share, 0.18, facecolor=color,
                               edgecolor="none"))  # fmt: skip


def _map(ax: Any, x: float, y: float) -> None:
    ax.add_patch(Rectangle((x - 0.42, y - 0.42), 0.84, 0.84, facecolor=GRID, edgecolor="none"))
    ours = ((-0.3, -0.3), (-0.18, -0.24), (-0.28, -0.14), (-0.1, -0.32))
    theirs = ((0.28, 0.3), (0.16, 0.26), (0.3, 0.15))
    for places, color in ((ours, _BLUE), (theirs, _RED)):
        for dx, dy in places:
            ax.add_patch(Circle((x + dx, y + dy), 0.05, facecolor=color, edgecolor="none"))


def _order(ax: Any, x: float, y: float) -> None:
    _map(ax, x, y)
    ax.annotate("", (x + 0.12, y + 0.2), (x - 0.16, y - 0.2), arrowprops={
        "arrowstyle": "-|>", "color": INK, "lw": 1.8})  # fmt: skip


GLYPHS: dict[str, Glyph] = {
    "road": _road, "wheel": _wheel, "chain": _chain, "fold": _fold, "task": _task,
    "answer": _answer, "scene": _scene, "masks": _masks, "faces": _faces, "verdict": _verdict,
    "map": _map, "order": _order,
}  # fmt: skip
