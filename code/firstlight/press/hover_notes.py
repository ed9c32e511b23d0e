"""Definitions and references that can be read without leaving the sentence.

A link to a glossary term, or to a work cited, gets a note beside it that shows when the
link is pointed at or focused. The text is in the page: nothing is fetched, and without
scripts `firstlight-notes.css` still shows it. `firstlight-notes.js` adds what styles
cannot do: Escape, touch, and a place that is always on the screen.
"""

from __future__ import annotations

import hashlib
import html
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import ExtensionMetadata

SCRIPT = "firstlight-notes.js"
PAGES = ("html", "dirhtml")  # other builders have no pointer: paper, e-books
_TAGS: dict[type[nodes.Node], str] = {
    nodes.emphasis: "em", nodes.strong: "strong", nodes.literal: "code",
    nodes.subscript: "sub", nodes.superscript: "sup",
}  # fmt: skip


class noted_reference(nodes.reference):
    """A link with a note: `note` is its HTML, `note_id` the id of the element that holds it.

    The note is an attribute and not a child, so that the search index does not find a
    definition on every page that uses the term.
    """


def to_html(node: nodes.Node) -> str:
    """Inline HTML of a definition, without links or ids (it may stand on a page many times).

    Args:
        node: A node or a text; mathematics stays as it is, for MathJax.

    Returns:
        Phrasing content.
    """
    if isinstance(node, nodes.Text):
        return html.escape(node.astext(), quote=False)
    if isinstance(node, nodes.math):
        formula = html.escape(node.astext())
        return rf'<span class="math notranslate nohighlight">\({formula}\)</span>'
    inside = "".join(to_html(child) for child in node.children)
    tag = _TAGS.get(type(node))
    return f"<{tag}>{inside}</{tag}>" if tag else inside


def definitions(env: BuildEnvironment) -> dict[tuple[str, str], str]:
    """Every term of every glossary.

    Args:
        env: The environment, after all pages were read.

    Returns:
        Notes as HTML, by page and id of the term.
    """
    known: dict[tuple[str, str], tuple[str, str]] = env.domaindata["std"]["objects"]
    pages = {place[0] for (kind, _), place in known.items() if kind == "term"}
    found = {}
    for docname in sorted(pages):
        for item in env.get_doctree(docname).findall(nodes.definition_list_item):
            first = next(iter(item.findall(nodes.paragraph)), None)
            for term in item.findall(nodes.term):
                for name in term["ids"] if first is not None else ():
                    found[docname, name] = to_html(first)
    return found


def references(env: BuildEnvironment) -> dict[tuple[str, str], str]:
    """Every work in a bibliography.

    Args:
        env: The environment, after all pages were read.

    Returns:
        Notes as HTML, by page and id of the entry.
    """
    found = {}
    for citation in getattr(env.domains.get("cite"), "citations", ()):
        text = citation.formatted_entry.text.render_as("html")
        # Nothing to click inside a note, and no marks of the formatter.
        text = re.sub(r"</?(?:a|span)\b[^>]*>", "", text)
        place = citation.bibliography_key.docname, citation.citation_id
        found[place] = " ".join(text.split())
    return found


def notes_digest(env: BuildEnvironment) -> str:
    """Digest of all that notes can show."""
    notes = sorted(definitions(env).items()) + sorted(references(env).items())
    return hashlib.sha256(repr(notes).encode()).hexdigest()


def outdated(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Pages to write again: all of them, if a definition or a work cited has changed."""
    memory: Any = env
    before = getattr(memory, "firstlight_notes", None)
    memory.firstlight_notes = notes_digest(env)
    return [] if before in (None, memory.firstlight_notes) else sorted(env.found_docs)


def add_notes(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the notes beside the links of a page."""
    if app.builder.name not in PAGES:
        return
    notes = {
        (app.builder.get_target_uri(page), name): text
        for (page, name), text in (definitions(app.env) | references(app.env)).items()
    }
    links = list(_links(doctree, app.builder.get_target_uri(docname), notes))
    for number, (link, note) in enumerate(links, 1):
        noted = noted_reference("", "", *link.children, **link.attributes)
        noted.attributes.pop("reftitle", None)  # the same words, but only for a mouse
        noted["note"], noted["note_id"] = note, f"note-{number}"
        link.replace_self(noted)


def _links(
    doctree: nodes.document, here: str, notes: dict[tuple[str, str], str]
) -> Iterator[tuple[nodes.reference, str]]:
    for link in doctree.findall(nodes.reference):
        address, _, name = link.get("refuri", "").partition("#")
        if address and (_is_term(link) or _is_citation(link)):  # on its own page: no echo
            note = notes.get((_resolve(here, address), name))
            if note:
                yield link, note


def _is_term(link: nodes.reference) -> bool:
    return any("std-term" in child.get("classes", ()) for child in link.findall(nodes.inline))


def _is_citation(link: nodes.reference) -> bool:
    ancestor = link.parent
    while ancestor is not None:
        if isinstance(ancestor, nodes.Element) and "bibtex-citation" in ancestor["classes"]:
            return True
        ancestor = ancestor.parent
    return False


def _resolve(here: str, address: str) -> str:
    """The target of a relative address, as the builder names it."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(here), address))


def visit_noted(translator: Any, node: noted_reference) -> None:
    """Open the frame and the link, which names its note for screen readers."""
    translator.body.append('<span class="fl-noted">')
    translator.visit_reference(node)
    described = f'<a aria-describedby="{node["note_id"]}" '
    translator.body[-1] = translator.body[-1].replace("<a ", described, 1)


def depart_noted(translator: Any, node: noted_reference) -> None:
    """Close the link and put the note behind it."""
    translator.depart_reference(node)
    note = f'<span class="fl-note" role="tooltip" id="{node["note_id"]}">{node["note"]}</span>'
    translator.body.append(f"{note}</span>")


def load_script(app: Sphinx, config: Any) -> None:
    """Let the script wait until the page is there; Jupyter Book would have it block."""
    if not (Path(app.confdir) / "_static" / SCRIPT).is_file():
        return
    others = [file for file in config.html_js_files if file not in (SCRIPT, (SCRIPT, {}))]
    config.html_js_files = [*others, (SCRIPT, {"defer": "defer"})]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the notes."""
    visitors: Any = (visit_noted, depart_noted)
    app.add_node(noted_reference, override=True, html=visitors)
    app.connect("config-inited", load_script)
    app.connect("env-updated", outdated, priority=900)
    app.connect("doctree-resolved", add_notes, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
