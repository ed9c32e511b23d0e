"""Small faults of the theme's pages, mended in each page as it is written.

Each is something that axe, the checker of accessibility, objects to and that neither a
setting nor a style sheet can change. A mend that no longer finds its place does nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.util.typing import ExtensionMetadata

__all__ = ["mend", "rewrite", "setup"]

# TeX longer than this may be wider than a phone; then it scrolls, and the keyboard must
# be able to reach it.
LONG_TEX = 40

Replacement: TypeAlias = "str | Callable[[re.Match[str]], str]"


def _reachable(match: re.Match[str]) -> str:
    opening, tex = match.groups()
    if len(tex) <= LONG_TEX:
        return match.group()
    return f'{opening} tabindex="0" role="group" aria-label="Equation">{tex}'


MENDS: tuple[tuple[re.Pattern[str], Replacement], ...] = (
    # The search button shows words; its name must hold them all, so they are its name.
    (re.compile(r'(<button class="btn search-button-field[^>]*?) title="\w+" aria-label="\w+"'),
     r"\1"),
    # Three icons in one button, each with a name that is not the button's.
    (re.compile(r'(<i class="theme-switch [^>]*?)\s+title="[^"]*"'), r"\1"),
    # Read together with the word beside it: "Run this page as a notebook on Binder".
    (re.compile(r'<img alt="Binder logo"'), '<img alt="Run this page as a notebook on"'),
    # A folded cell's words ("Show code cell source") are its name.
    (re.compile(r'<summary aria-label="Toggle hidden content">'), "<summary>"),
    # The sidebar's mark stands in no landmark.
    (re.compile(r'<div id="pst-primary-sidebar"(?! role)'),
     '<div id="pst-primary-sidebar" role="region" aria-label="The book"'),
    # A list must have list items in it; the role of a bibliography's entry is obsolete.
    (re.compile(r'(<div class="citation"[^>]*?) role="doc-biblioentry"'), r'\1 role="listitem"'),
    (re.compile(r'(<div class="math notranslate nohighlight"(?: id="[^"]*")?)>'
                r'(\s*(?:<span class="eqno">.*?</span>)?\s*\\\[[^<]*?\\\]\s*</div>)', re.DOTALL),
     _reachable),
    # A head cell with nothing in it heads nothing; a screen reader would announce it all the same.
    (re.compile(r"<th\b([^>]*)>((?:\s|&nbsp;|\xa0|<p>\s*</p>)*)</th>"), r"<td\1>\2</td>"),
)  # fmt: skip


def mend(page: str) -> str:
    """Mend what can be mended.

    Args:
        page: A page's HTML.

    Returns:
        The page; mending it again changes nothing.

    Example:
        >>> mend('<i class="theme-switch fa-sun" data-mode="light"  title="Light"></i>')
        '<i class="theme-switch fa-sun" data-mode="light"></i>'
    """
    for pattern, replacement in MENDS:
        page = pattern.sub(replacement, page)
    return page


def rewrite(app: Sphinx, change: Callable[[str], str]) -> None:
    """Have whatever the page templates produce pass through a function.

    Args:
        app: The Sphinx application; where it writes no HTML, nothing is done.
        change: Takes a page's HTML and returns it changed.
    """
    if not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    render = app.builder.templates.render

    def changed(template: str, context: dict[str, Any]) -> str:
        return change(render(template, context))

    app.builder.templates.render = changed  # type: ignore[method-assign]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Mend pages as they are written."""
    app.connect("builder-inited", lambda app: rewrite(app, mend))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
