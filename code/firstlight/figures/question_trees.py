"""The Galaxy Zoo 2 questionnaire as a tree, drawn from the questions that the code uses."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import FancyBboxPatch
from matplotlib.textpath import TextPath

from firstlight.figures.style import INK, MUTED, PALETTE, PAPER
from firstlight.sky.gz2_tree import ANSWERS, N_ANSWERS, QUESTIONS, STARTS, parent_column

__all__ = ["question_tree"]

# Inches, but for the type size and the line widths, which are points.
_WIDTH, _MARGIN, _ROW, _BOX, _GAP = 7.0, 0.06, 0.25, 0.29, 0.2
_STUB, _PAD, _LIFT, _TYPE, _WIDEST, _HAIR = 0.24, 0.07, 0.027, 13.0, 12.0, 0.8


def question_tree(fractions: Any = None) -> Figure:
    """Draw the 11 questions and 37 answers; each line leads from an answer to what it opens.

    Filled boxes are put to everybody, outlined ones only to those who gave the answer on the
    left, by whose fraction theirs are multiplied (`gz2_tree.cumulative`).

    Args:
        fractions: Shape `(37,)`, the mean cumulative fractions in the order of
            `gz2_tree.ANSWERS`. The lines are then as wide as the fractions, but for a hairline
            where hardly anybody went.

    Returns:
        Matplotlib figure, 7 inches wide; give it to `show`.

    Raises:
        ValueError: If `fractions` has another shape or is not between 0 and 1.

    Example:
        >>> fig = question_tree()
        >>> float(fig.get_size_inches()[0])
        7.0
    """
    widths = _line_widths(fractions)
    columns = _columns()
    left = _left_edges(columns)
    heights = [_heights(column) for column in columns]
    total = max(sum(h) + _GAP * (len(h) - 1) for h in heights) + 2 * _MARGIN
    fig = plt.figure(figsize=(_WIDTH, total))
    fig.set_layout_engine("none")  # layout="none" would not outlive the first savefig
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, _WIDTH), ylim=(0, total))
    ax.axis("off")
    places: dict[int, tuple[float, float]] = {}
    for x, column, tall in zip(left, columns, heights, strict=True):
        tops = _tops(tall, total)
        places.update({q: (x, top) for q, top in zip(column, tops, strict=True)})
    color = MUTED if fractions is None else PALETTE[0]
    for question, (x, top) in places.items():
        _draw_question(ax, question, x, top, widths, color)
    for question, (x, top) in places.items():
        _draw_way(ax, question, (x, top - _BOX / 2), places, widths, color)
    if fractions is not None:
        _draw_key(ax, left[0], total - _MARGIN - heights[0][0], _MARGIN + heights[0][-1])
    return fig


def _line_widths(fractions: Any) -> np.ndarray:
    if fractions is None:
        return np.full(N_ANSWERS, 1.4)
    values = np.asarray(fractions, dtype=float)
    if values.shape != (N_ANSWERS,):
        raise ValueError(
            f"fractions: received shape {values.shape}, expected ({N_ANSWERS},), one number an "
            "answer. Average over the galaxies first: fractions.mean(axis=0)."
        )
    outside = ~((values >= 0) & (values <= 1 + 1e-6))
    if outside.any():
        answer = int(np.flatnonzero(outside)[0])
        raise ValueError(
            f"fractions: received {values[answer]:g} for {ANSWERS[answer]}, expected a number "
            "from 0 to 1. Counts of votes must be divided by the number of volunteers."
        )
    return np.maximum(_WIDEST * values, _HAIR)


def _columns() -> list[list[int]]:
    """Question indices by depth, each column in the order of the answers that lead to it."""
    columns = [[q for q, question in enumerate(QUESTIONS) if question.parent is None]]
    while columns[-1]:
        following = [
            (columns[-1].index(question.parent[0]), question.parent[1], q)
            for q, question in enumerate(QUESTIONS)
            if question.parent is not None and question.parent[0] in columns[-1]
        ]
        columns.append([q for *_, q in sorted(following)])
    return columns[:-1]


def _heights(column: Sequence[int]) -> list[float]:
    return [_BOX + _ROW * len(QUESTIONS[q].answers) for q in column]


def _tops(heights: Sequence[float], total: float) -> list[float]:
    """Upper edges of the cards of one column, spread over the whole height."""
    free = (total - 2 * _MARGIN - sum(heights)) / max(len(heights) - 1, 1)
    below = np.cumsum([0.0, *heights[:-1]])
    return [float(total - _MARGIN - y - free * k) for k, y in enumerate(below)]


def _left_edges(columns: Sequence[Sequence[int]]) -> list[float]:
    """Left edges of the columns, so that the ways between them are equally long."""
    wide = [max(_card_width(q) for q in column) for column in columns]
    between = (_WIDTH - 2 * _MARGIN - sum(wide)) / max(len(columns) - 1, 1)
    return [_MARGIN + sum(wide[:k]) + between * k for k in range(len(columns))]


def _card_width(question: int) -> float:
    answers = max(_text_width(_plain(a)) for a in QUESTIONS[question].answers)
    return max(_box_width(question), _STUB + 2 * _PAD + answers)


def _box_width(question: int) -> float:
    return _text_width(_title(question), weight="bold") + 2.3 * _PAD


def _text_width(text: str, weight: str = "normal") -> float:
    family = plt.rcParams["font.family"]
    font = FontProperties(family=family, weight=weight)
    return float(TextPath((0, 0), text, size=_TYPE, prop=font).get_extents().x1) / 72


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _title(question: int) -> str:
    return _plain(QUESTIONS[question].name) + "?"


def _row(top: float, answer: int) -> float:
    return top - _BOX - _ROW * (answer + 0.5) - 0.02


def _draw_question(
    ax: Axes, question: int, x: float, top: float, widths: np.ndarray, color: str
) -> None:
    """The box, and beneath it a branch for each answer."""
    everybody = QUESTIONS[question].parent is None
    ax.add_patch(
        FancyBboxPatch(
            (x, top - _BOX), _box_width(question), _BOX, boxstyle="round,pad=0,rounding_size=0.06",
            facecolor=PALETTE[0] if everybody else PAPER, edgecolor=PALETTE[0], linewidth=1.3,
            zorder=3,
        )
    )  # fmt: skip
    ax.text(x + _PAD, top - _BOX / 2 + _LIFT, _title(question), weight="bold", fontsize=_TYPE,
            va="center_baseline", color=PAPER if everybody else INK, zorder=4)  # fmt: skip
    spine = x + 0.1
    first = STARTS[question]
    last = len(QUESTIONS[question].answers) - 1
    ax.plot([spine, spine], [top - _BOX, _row(top, last)], color=MUTED, linewidth=_HAIR, zorder=1)
    for answer, name in enumerate(QUESTIONS[question].answers):
        y = _row(top, answer)
        ax.plot([spine, x + _STUB], [y, y], color=color, linewidth=widths[first + answer],
                solid_capstyle="butt", label=ANSWERS[first + answer], zorder=2)  # fmt: skip
        ax.text(x + _STUB + _PAD, y + _LIFT, _plain(name), fontsize=_TYPE, color=INK,
                va="center_baseline", zorder=4)  # fmt: skip


def _draw_way(
    ax: Axes,
    question: int,
    end: tuple[float, float],
    places: dict[int, tuple[float, float]],
    widths: np.ndarray,
    color: str,
) -> None:
    """The line from the parent's answer to the box of the question that it opens."""
    column, parent = parent_column(question), QUESTIONS[question].parent
    if column is None or parent is None:
        return
    source, answer = parent
    x, top = places[source]
    text = _text_width(_plain(QUESTIONS[source].answers[answer]))
    start = x + _STUB + 2 * _PAD + text
    level = [q for q in places if places[q][0] == x]
    bend = max(start, x + max(_card_width(q) for q in level))
    step = np.linspace(0, 1, 40)
    y = _row(top, answer)
    ax.plot([start, *(bend + (end[0] - bend) * step)],
            [y, *(y + (end[1] - y) * (3 - 2 * step) * step**2)],
            color=color, linewidth=widths[column], solid_capstyle="butt",
            solid_joinstyle="round", label=ANSWERS[column], zorder=2)  # fmt: skip


def _draw_key(ax: Axes, x: float, above: float, below: float) -> None:
    """What the widths mean, in the gap between the two questions put to everybody."""
    middle = (above + below) / 2
    for rank, (fraction, text) in enumerate(((1.0, "everybody"), (0.5, "half"), (0.1, "a tenth"))):
        y = middle + (1 - rank) * _ROW
        ax.plot([x + 0.1, x + 0.38], [y, y], color=MUTED, linewidth=_WIDEST * fraction,
                solid_capstyle="butt")  # fmt: skip
        ax.text(x + 0.46, y + _LIFT, text, fontsize=_TYPE - 1, color=MUTED, va="center_baseline")
