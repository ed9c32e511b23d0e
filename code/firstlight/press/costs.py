"""What a page cost, under its title; what all of them cost and claimed, in tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from firstlight.press.shown import NOT_MEASURED, format_value, look


def cost_line(chapter: dict[str, Any], versions: dict[str, str]) -> str:
    """One sentence or two on what a page took to run.

    Args:
        chapter: Its entry in the ledger.
        versions: The build's versions, by package.

    Returns:
        Text without markup.

    Example:
        >>> cost_line({"cpu_s": 211.7, "peak_rss_mb": 912.0, "claims": [{"value": 1}]}, {})
        'This page ran in 212 CPU seconds with 0.9 GB; 1 claim held.'
    """
    seconds = chapter["cpu_s"]
    spent = f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.1f}"
    claims = chapter.get("claims", [])
    held = sum("skipped" not in claim for claim in claims)
    text = f"This page ran in {spent} CPU seconds with {chapter['peak_rss_mb'] / 1000:.1f} GB"
    if held:
        text += f"; {held} {'claim' if held == 1 else 'claims'} held"
    if held < len(claims):
        text += f", {len(claims) - held} could not be measured here"
    text += "."
    tensorflow = versions.get("tensorflow") or versions.get("tensorflow-cpu")
    if tensorflow and "keras" in versions:
        text += f" Built with TensorFlow {tensorflow} and Keras {versions['keras']}."
    return text


def add_cost_line(app: Sphinx, doctree: nodes.document) -> None:
    """Put the line under the title of a page that was executed."""
    env = app.env
    file = f"{env.docname}.md"
    ledger = look(env, f"chapter:{file}")
    chapter = ledger.chapter(file)
    title = next(iter(doctree.findall(nodes.title)), None)
    if chapter is None or title is None:
        return
    line = cost_line(chapter, ledger.data.get("book", {}).get("versions", {}))
    section = title.parent
    section.insert(section.index(title) + 1, nodes.paragraph("", line, classes=["fl-cost"]))


class LedgerTable(SphinxDirective):
    """``{ledger}``: a table of chapters; ``{ledger} claims``: of everything claimed."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Build the table from the ledger of this build."""
        what = directives.choice(self.arguments[0] if self.arguments else "chapters",
                                 ("chapters", "claims", "versions"))  # fmt: skip
        ledger = look(self.env, "all")
        if not ledger.chapters:
            return [nodes.paragraph("", "No chapter has been executed yet.")]
        if what == "versions":
            versions = sorted(ledger.data["book"]["versions"].items())
            return [_table(["package", "version"], [[name, v] for name, v in versions])]
        make = _chapter_rows if what == "chapters" else _claim_rows
        head, rows = make(self, ledger.chapters)
        return [_table(head, rows)]


Cell: TypeAlias = "str | nodes.Node"


def _chapter_rows(
    directive: SphinxDirective, chapters: Sequence[dict[str, Any]]
) -> tuple[list[str], list[list[Cell]]]:
    rows: list[list[Cell]] = []
    for chapter in chapters:
        claims = chapter["claims"]
        held = sum("skipped" not in claim for claim in claims)
        told = f"{held}" if held == len(claims) else f"{held}, {len(claims) - held} not measured"
        rows.append([
            _page(directive, chapter["file"]), f"{chapter['cpu_s']:.0f}",
            f"{chapter['wall_s']:.0f}", f"{chapter['peak_rss_mb'] / 1000:.1f}", told,
        ])  # fmt: skip
    total = sum(chapter["cpu_s"] for chapter in chapters)
    memory = max(chapter["peak_rss_mb"] for chapter in chapters) / 1000
    n_held = sum("skipped" not in claim for c in chapters for claim in c["claims"])
    rows.append(["all pages", f"{total:.0f}", "", f"{memory:.1f} at most", f"{n_held}"])
    return ["page", "CPU seconds", "seconds on the clock", "memory (GB)", "claims held"], rows


def _claim_rows(
    directive: SphinxDirective, chapters: Sequence[dict[str, Any]]
) -> tuple[list[str], list[list[Cell]]]:
    rows: list[list[Cell]] = []
    for chapter in chapters:
        for claim in chapter["claims"]:
            name = nodes.literal("", claim["name"])
            page = _page(directive, chapter["file"])
            if "skipped" in claim:
                rows.append([name, NOT_MEASURED, "", "", page])
                continue
            low, high = ("" if claim[side] is None else format_value({"value": claim[side]})
                         for side in ("low", "high"))  # fmt: skip
            rows.append([name, format_value(claim, " u"), low, high, page])
    return ["claim", "value", "at least", "at most", "page"], rows


def _page(directive: SphinxDirective, file: str) -> nodes.Node:
    docname = file.removesuffix(".md")
    shown = docname.removeprefix("book/")
    env = directive.env
    if docname not in env.found_docs:
        return nodes.literal("", shown)
    link = addnodes.pending_xref(
        "", nodes.inline("", shown), refdomain="std", reftype="doc", reftarget=f"/{docname}",
        refexplicit=True, refwarn=True, refdoc=env.docname,
    )  # fmt: skip
    return link


def _table(head: Sequence[Cell], rows: Sequence[Sequence[Cell]]) -> nodes.table:
    group = nodes.tgroup(cols=len(head))
    group += [nodes.colspec(colwidth=1) for _ in head]
    group += nodes.thead("", _row(head))
    group += nodes.tbody("", *[_row(row) for row in rows])
    return nodes.table("", group, classes=["fl-ledger"])


def _row(cells: Sequence[Cell]) -> nodes.row:
    return nodes.row("", *[
        nodes.entry("", nodes.paragraph("", "", nodes.Text(c) if isinstance(c, str) else c))
        for c in cells
    ])  # fmt: skip


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the cost line and the tables."""
    app.connect("doctree-read", add_cost_line)
    app.add_directive("ledger", LedgerTable)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
