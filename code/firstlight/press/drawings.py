"""Folds the code of cells that only draw: the figure stays, how it is drawn opens on request.

This is decided when a page is rendered and changes nothing that is executed: notebooks, on
Binder and at home, show every cell whole.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.typing import ExtensionMetadata

LONG = 8
"""Lines from which a fold is worth its click."""
_DRAWS = re.compile(r"^\s*figures\.(show|frames)\(", re.M)
_TEACHES = re.compile(r"\b(claim|quote|skip|check|fit|train|simulate)\(|^class |GradientTape", re.M)


class drawn_code(nodes.General, nodes.Element):
    """The code of a figure, folded."""


def only_draws(source: str) -> bool:
    """Does a cell draw a figure, at some length, and nothing else that a reader came for?

    Args:
        source: The cell.

    Example:
        >>> only_draws("figures.show(fig, alt='a galaxy')")  # short: it may stay
        False
    """
    long = sum(bool(line.strip()) for line in source.splitlines()) >= LONG
    return long and bool(_DRAWS.search(source)) and not _TEACHES.search(source)


class FoldDrawings(SphinxTransform):
    """Moves the source of every drawing cell into a fold."""

    default_priority = 190

    def apply(self, **_: Any) -> None:
        """Fold them all."""
        for cell in list(self.document.findall(nodes.container)):
            if cell.get("nb_element") != "cell_code" or cell.get("hide_mode") or not cell.children:
                continue
            source = cell.children[0]
            if source.get("nb_element") == "cell_code_source" and only_draws(source.astext()):
                cell.replace(source, drawn_code("", source))


def visit_drawing(self: Any, node: drawn_code) -> None:
    """HTML: a native fold; nothing to script."""
    self.body.append('<details class="fl-how"><summary>How this figure is drawn</summary>')


def depart_drawing(self: Any, node: drawn_code) -> None:
    """HTML: its end."""
    self.body.append("</details>\n")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the transform and how a fold looks."""
    plain = (lambda *_: None, lambda *_: None)
    app.add_node(drawn_code, html=(visit_drawing, depart_drawing), latex=plain, text=plain)
    app.add_transform(FoldDrawings)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
