"""Pages that arrive sooner: nothing is fetched that is not shown, nothing waits without need.

The theme blocks every page on half a megabyte of Font Awesome for some fifteen icons; the
icons are drawn by `_static/firstlight-icons.css` instead. Scripts run once the text stands,
mathematics last of all, and a figure is fetched when the reader comes near it, so that of
its light and its dark form only one is. The letters of text and titles are asked for before
the style sheet that names them. Every page says in its head what it is about.
"""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from firstlight.press.mending import rewrite

__all__ = ["describe", "lighten", "setup"]

ICONS = "firstlight-icons.css"
MATHJAX = {"async": "async", "fetchpriority": "low"}
# Search engines show about this many characters.
DESCRIPTION = 155
# Pages that Sphinx makes, which have no text of their own.
MADE = {
    "search": "Search {book}: type a word, and every page that holds it is listed.",
    "genindex": "Every term and every name in the code of {book}, from A to Z, with a link to "
    "where it is explained.",
}
LETTERS = ("source-serif-4-latin-wght-normal", "source-sans-3-latin-600-normal")
# Excerpts are fetched from the other pages, which a browser refuses between files.
NO_EXCERPTS = (
    'if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;'
)

# Fonts that a script adds make Chromium read all fonts anew, and the page jump: those of
# MathJax stand in _static/firstlight-mathjax.css instead.
SETTLED = """MathJax.startup = {ready() {
  const fonts = MathJax._?.output?.chtml?.fonts?.tex_ts?.TeXFont;
  if (fonts) fonts.defaultFonts = {};
  MathJax.startup.defaultReady();
}};"""
# The theme's script, which asks the system, runs only when the page is there: a dark page
# would first be shown light. Without scripts a page bears no theme, which is the light one.
NOW = """const mode = document.documentElement.dataset.mode;
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.theme = mode !== "auto" ? mode : dark ? "dark" : "light";"""

# By a script, because a page that is read from the disk may use a font but not preload it.
EARLY = """<script>if (location.protocol !== "file:") [{addresses}].forEach(href => document.head.append(
    Object.assign(document.createElement("link"), {{rel: "preload", as: "font", crossOrigin: "", href}})));</script>
  """  # noqa: E501

_SHEET = re.compile(r'href="([^"]*/)?firstlight\.css')
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z“\"])")
_STATED = re.compile(r'(<html[^>]*?) data-theme="auto"')
_LATER = re.compile(
    r'document\.documentElement\.dataset\.theme = localStorage\.getItem\([^;]*"auto";'
)
_PRELOAD = re.compile(r'\s*<link rel="preload" as="script"[^>]*>')
_FONT_AWESOME = re.compile(r'\s*<script src="[^"]*/fontawesome\.js[^"]*"></script>')
# The script that fills DOCUMENTATION_OPTIONS is small, and scripts in the page add to it.
_SCRIPT = re.compile(r'<script (?![^>]*\b(?:defer|async)\b)(?=[^>]*\bsrc=")(?![^>]*_options\.js)')
_FIGURE = re.compile(r'<img class="fl-figure(?![^>]*\bloading=)')


def lighten(page: str) -> str:
    """Take from a page what only delays it.

    Args:
        page: A page's HTML.

    Returns:
        The page. Font Awesome goes only where our own icons are there instead.

    Example:
        >>> lighten('<head><script src="a.js"></script></head>')
        '<head><script defer="defer" src="a.js"></script></head>'
    """
    head, end, body = page.partition("</head>")
    if ICONS in head:
        head = _FONT_AWESOME.sub("", head)
    head = _STATED.sub(r"\1", _LATER.sub(NOW, head))
    head = _early_letters(_SCRIPT.sub('<script defer="defer" ', _PRELOAD.sub("", head)))
    return head + end + _FIGURE.sub('<img loading="lazy" class="fl-figure', body)


def _early_letters(head: str) -> str:
    """Ask for the fonts of text and titles at the top of the head."""
    sheet = _SHEET.search(head)
    if sheet is None or 'as: "font"' in head:
        return head
    folder = f"{sheet.group(1) or ''}fonts"
    addresses = ", ".join(f'"{folder}/{name}.woff2"' for name in LETTERS)
    before, script, after = head.partition("<script")
    return before + EARLY.format(addresses=addresses) + script + after


def describe(doctree: nodes.document) -> str:
    """What a page is about, in its own words.

    Args:
        doctree: The page.

    Returns:
        As many sentences of its first paragraph of prose as search engines show; the
        first is cut between words if it is longer. Empty if there is no prose.
    """
    for paragraph in doctree.findall(nodes.paragraph):
        within = paragraph.parent
        if isinstance(within, nodes.section) and not any(
            name.startswith("fl-") for name in paragraph["classes"]
        ):
            first, *others = _SENTENCE.split(" ".join(paragraph.astext().split()))
            words = first
            for sentence in others:
                if len(f"{words} {sentence}") > DESCRIPTION:
                    break
                words = f"{words} {sentence}"
            if len(words) <= DESCRIPTION:
                return words
            return words[:DESCRIPTION].rsplit(" ", 1)[0].rstrip(",;:.") + " …"
    return ""


def introduce(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Put a page's description into its head, unless its author wrote one."""
    if pagename == "search":
        app.add_js_file(None, body=NO_EXCERPTS)
    files = [str(getattr(file, "filename", "")) for file in context.get("script_files", [])]
    if any(name.endswith("mathjax/tex-chtml.js") for name in files):
        app.add_js_file(None, body=SETTLED)
    tags = context.get("metatags") or ""
    if 'name="description"' in tags:
        return
    words = describe(doctree) if doctree is not None else ""
    if not words:  # the index, the search, a page that is all table
        name = context.get("title") or pagename.rpartition("/")[2]
        made = MADE.get(pagename, f"{name}, a page of {{book}}.")
        words = made.format(book=context.get("docstitle") or app.config.project)
    words = html.escape(html.unescape(re.sub(r"<[^>]*>", "", words)))
    context["metatags"] = f'{tags}\n<meta name="description" content="{words}">'


def mathematics_last(app: Sphinx, config: Any) -> None:
    """The text does not wait for the script that sets the mathematics."""
    if (Path(app.confdir) / "_static" / "mathjax").is_dir():
        config.mathjax_options = {**MATHJAX, **config.mathjax_options}


def setup(app: Sphinx) -> ExtensionMetadata:
    """Lighten pages as they are written."""
    app.connect("config-inited", mathematics_last)
    app.connect("html-page-context", introduce, priority=800)
    app.connect("builder-inited", lambda app: rewrite(app, lighten))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
