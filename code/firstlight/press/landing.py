"""The landing page: a drawing inside the page, ways into the book, the studies in one table.

What an author writes::

    :::{drawing} ../images/first_light.svg
    The words under it.
    :::

    :::{ways}
    Read | why/what-is-deep-learning | The pages work offline.
    Launch | binder:supervised/galaxy-zoo | In the browser.
    :::

    :::{studies}
    Galaxy Zoo | supervised/galaxy-zoo | {cite:t}`Dieleman2015` | 0.0749 | {claim}`zoo.rmse:.3f`
    :::

With ``:columns: to beat`` a row has one more cell, before the last, under that head; with
``:columns: network | to beat`` two. A claim there that is not in the ledger is left out.

Pages are named from the folder of the page that is written. A study whose claims are not
in the ledger yet reads "not yet rebuilt", and changes by itself when they are.
"""

from __future__ import annotations

import posixpath
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from firstlight.press.shown import look
from firstlight.press.sources import repository

logger = logging.getLogger(__name__)
NOT_YET = "not yet rebuilt"
HEAD = ("study", "the paper", "its figure", "this build")
CLAIM = re.compile(r"\{claim\}`\s*([\w.]+)")
ASIDE = re.compile(r"[:,]?\s*\{claim\}`[^`]*`")
BETWEEN = re.compile(r"\s+\|\s+")
_SVG = "http://www.w3.org/2000/svg"


class drawing(nodes.General, nodes.Element):
    """A vector drawing that stands in the page itself, so that its colors follow the theme."""


class _Rows(SphinxDirective):
    """A directive whose content is lines of cells, with bars between them."""

    has_content = True
    columns: tuple[str, ...]

    def rows(self) -> Iterator[list[str]]:
        """The cells of every line; a line with too few or too many is warned about."""
        lines = [line.strip() for line in self.content if line.strip()]
        for line in lines:
            cells = BETWEEN.split(line)
            if len(cells) == len(self.columns):
                yield cells
                continue
            self.warn(
                "%s: received %d cells in %r, expected %s. Put ' | ' between them.",
                self.name, len(cells), line, " | ".join(self.columns),
            )  # fmt: skip

    def warn(self, message: str, *values: Any) -> None:
        """Warn at this directive's place."""
        logger.warning(message, *values, location=self.get_location(), type="firstlight")

    def inline(self, text: str, *classes: str) -> nodes.paragraph:
        """A paragraph of inline markup."""
        found, messages = self.state.inline_text(text, self.lineno)
        return nodes.paragraph("", "", *found, *messages, classes=list(classes))

    def page(self, name: str) -> str:
        """Document name of a page that is named from this page's folder."""
        here = posixpath.dirname(self.env.docname)
        return posixpath.normpath(posixpath.join(here, name))

    def link(self, docname: str, text: str) -> nodes.Element:
        """A link to a page of the book."""
        return addnodes.pending_xref(
            "", nodes.inline("", text), refdomain="std", reftype="doc", reftarget=f"/{docname}",
            refexplicit=True, refwarn=True, refdoc=self.env.docname,
        )  # fmt: skip


class Drawing(_Rows):
    """``{drawing} path.svg``: an SVG file in the page, with words under it.

    The file's `<desc>` becomes the alternative text.
    """

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Read the file, or warn that it cannot be shown."""
        _, place = self.env.relfn2path(self.arguments[0])
        path = Path(place)
        self.env.note_dependency(str(path))
        try:
            svg, words = read_svg(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            self.warn("drawing: %s", error)
            return []
        node = drawing(svg=svg, alt=words)
        self.state.nested_parse(self.content, self.content_offset, node)
        return [node]


def read_svg(text: str) -> tuple[str, str]:
    """Prepare a drawing to stand in a page.

    Args:
        text: An SVG file with a `<desc>`.

    Returns:
        The drawing, labeled by its description and without tooltips; and the description.

    Raises:
        ValueError: If it is no SVG, or says not what it shows.

    Example:
        >>> svg = '<svg xmlns="http://www.w3.org/2000/svg"><desc>A round galaxy.</desc></svg>'
        >>> read_svg(svg)[0]
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="A round galaxy." />'
    """
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        raise ValueError(
            f"received a file that is not well-formed ({error}), expected SVG"
        ) from error
    words = " ".join((root.findtext(f"{{{_SVG}}}desc") or "").split())
    if root.tag != f"{{{_SVG}}}svg" or not words:
        raise ValueError(
            f"received <{root.tag}> with the description {words!r}; expected an <svg> with a "
            "<desc> that says what it shows. Let its generator write one."
        )
    for child in [*root.findall(f"{{{_SVG}}}title"), *root.findall(f"{{{_SVG}}}desc")]:
        root.remove(child)
    root.set("role", "img")
    root.set("aria-label", words)
    ET.register_namespace("", _SVG)
    return ET.tostring(root, encoding="unicode").strip(), words


class Ways(_Rows):
    """``{ways}``: a few links side by side, each with a line of words.

    A target is a page, `binder:` and a page, or `-` for none.
    """

    columns = ("name", "target", "words")

    def run(self) -> list[nodes.Node]:
        """Build the list."""
        items = nodes.bullet_list(bullet="-", classes=["fl-ways"])
        for name, target, words in self.rows():
            head = nodes.paragraph(classes=["fl-way"])
            head += self.target(name, target)
            items += nodes.list_item("", head, self.inline(words))
        return [items]

    def target(self, name: str, target: str) -> nodes.Node:
        """The name, linked to where it leads."""
        kind, _, rest = target.rpartition(":")
        if target == "-":
            return nodes.strong("", name)
        if kind == "binder":
            address = binder(self.env.app, self.page(rest))
            return nodes.reference("", name, refuri=address, internal=False)
        return self.link(self.page(target), name)


def binder(app: Sphinx, docname: str) -> str:
    """Where Binder opens a page: the address that the page's own launch button has."""
    options = app.config.html_theme_options
    hub = options.get("launch_buttons", {}).get("binderhub_url", "https://mybinder.org")
    branch = options.get("repository_branch") or "main"
    where = "/".join(repository(Path(app.confdir)).split("/")[-2:])
    return f"{hub.rstrip('/')}/v2/gh/{where}/{branch}?urlpath=lab/tree/{docname}.md"


class Studies(_Rows):
    """``{studies}``: what the papers found, and what this build finds."""

    columns = ("name", "page", "paper", "its figure", "claims")
    option_spec = {"columns": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """Build the table from the ledger."""
        more = tuple(text.strip() for text in self.options.get("columns", "").split("|") if text)
        self.columns = (*Studies.columns[:-1], *more, Studies.columns[-1])
        head = (*HEAD[:-1], *more, HEAD[-1])
        group = nodes.tgroup(cols=len(head))
        group += [nodes.colspec(colwidth=1) for _ in head]
        group += nodes.thead("", _row([nodes.paragraph("", text) for text in head]))
        body = nodes.tbody()
        for name, page, *between, ours in self.rows():
            measured = self.measured(ours)
            first = nodes.paragraph("", "", self.study(name, page, measured))
            last = self.inline(ours) if measured else nodes.paragraph("", NOT_YET)
            row = _row([first, *[self.inline(self.known(text)) for text in between], last])
            row["classes"].append("fl-rebuilt" if measured else "fl-not-yet")
            body += row
        group += body
        classes = ["fl-studies", *(["fl-more"] if more else [])]
        return [nodes.table("", group, classes=classes)]

    def measured(self, ours: str) -> bool:
        """Whether every claim that a cell names stands in the ledger."""
        if not CLAIM.search(ours):
            self.warn("studies: received %r, expected {claim}`study.metric` in it", ours)
            return False
        return self.stand(ours)

    def stand(self, text: str) -> bool:
        """Whether the ledger has all claims of a text."""
        found = [name in look(self.env, f"value:{name}").values for name in CLAIM.findall(text)]
        return all(found)

    def known(self, text: str) -> str:
        """The text as it is, or without its claims if the ledger lacks one of them."""
        return text if self.stand(text) else ASIDE.sub("", text)

    def study(self, name: str, page: str, measured: bool) -> nodes.Node:
        """The study's name, linked where there is such a page."""
        docname = self.page(page)
        if docname in self.env.found_docs:
            return self.link(docname, name)
        if measured:
            self.warn("studies: %r has claims, but there is no page %r", name, docname)
        return nodes.Text(name)


def _row(cells: list[nodes.paragraph]) -> nodes.row:
    return nodes.row("", *[nodes.entry("", cell) for cell in cells])


def visit_drawing(self: Any, node: drawing) -> None:
    """HTML: the drawing, and its words under it."""
    self.body.append(f'<figure class="fl-drawing">\n{node["svg"]}\n<figcaption>')


def depart_drawing(self: Any, node: drawing) -> None:
    """HTML: the end of the words."""
    self.body.append("</figcaption></figure>\n")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directives."""
    plain = (lambda *_: None, lambda *_: None)
    app.add_node(drawing, html=(visit_drawing, depart_drawing), latex=plain, text=plain)
    app.add_directive("drawing", Drawing)
    app.add_directive("ways", Ways)
    app.add_directive("studies", Studies)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
