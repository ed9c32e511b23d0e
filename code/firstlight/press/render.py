"""Figures on the page: a light and a dark image, alt text, and no layout that jumps.

A figure that holds several frames becomes a slider (see `frames`).
"""

from __future__ import annotations

import base64
import hashlib
from functools import partial
from typing import Any

from docutils import nodes
from myst_nb.core.render import load_mime_renders
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata

from firstlight.press import frames

logger = logging.getLogger(__name__)

MIME = "application/vnd.firstlight.figure+json"


class figure_image(nodes.image):
    """One of a figure's two images."""


class FigureRenderer:
    """MyST-NB's plug-in for the figures that `firstlight.figures.show` displays."""

    mime_priority_overrides = [("*", MIME, 1)]

    @staticmethod
    def handle_mime(renderer: Any, data: Any, inline: bool) -> list[nodes.Element] | None:
        """Nodes for our own type; nothing for its stand-ins; None for what is not ours.

        Args:
            renderer: MyST-NB's element renderer, which writes files beside the pages.
            data: One representation of an output.
            inline: Whether it stands in a line of text.

        Returns:
            Two images, of which the theme shows one; or a slider over many.
        """
        ours = bool(data.output_metadata.get("firstlight"))
        if data.mime_type == MIME and not inline:
            if "frames" in data.content:
                group = f"frames-{data.cell_index}-{data.output_index}"
                return frames.frames_nodes(data.content, group, partial(_images, renderer))
            return _images(renderer, data.content)
        if ours:
            return []
        if data.mime_type in ("image/png", "image/svg+xml", "image/jpeg"):
            renderer.logger.warning(
                f"cell {data.cell_index}: a figure that did not go through figures.show(fig, "
                "alt=...), so it has neither alt text nor a dark version",
                subtype="figure", line=data.line,
            )  # fmt: skip
        return None


def _images(renderer: Any, figure: dict[str, Any]) -> list[nodes.Element]:
    found: list[nodes.Element] = []
    for shade in ("light", "dark"):
        kind, text = figure["format"], figure[shade]
        content = text.encode() if kind == "svg" else base64.b64decode(text)
        name = f"{hashlib.sha256(content).hexdigest()[:20]}.{kind}"
        found.append(
            figure_image(
                uri=renderer.write_file([name], content, overwrite=False, exists_ok=True),
                alt=figure["alt"],
                pixels=(figure["width"], figure["height"]),
                classes=["fl-figure", f"only-{shade}"],
            )
        )
    return found


def check_figures(app: Sphinx, doctree: nodes.document) -> None:
    """Warn about a figure without a caption, and a caption without a figure."""
    from firstlight.press.study_aids import figure_caption

    shown = [n for n in doctree.findall(nodes.container) if n.get("mime_type") == MIME]
    captioned: set[int] = set()
    for caption in doctree.findall(figure_caption):
        before = _before(caption)
        if before is None or not any(n in shown for n in before.findall(nodes.container)):
            logger.warning(
                "caption %s: there is no figure right before it", caption["number"],
                location=caption, type="firstlight",
            )  # fmt: skip
        else:
            captioned.update(id(n) for n in before.findall(nodes.container))
    for node in shown:
        if id(node) not in captioned:
            logger.warning(
                "a figure without a caption: put {caption} right after its cell",
                location=_cell(node), type="firstlight",
            )  # fmt: skip


def _before(node: nodes.Element) -> nodes.Element | None:
    siblings = node.parent.children
    for other in reversed(siblings[: siblings.index(node)]):
        if isinstance(other, nodes.Element) and not isinstance(
            other, (nodes.comment, nodes.target)
        ):
            return other
    return None


def _cell(node: nodes.Element) -> nodes.Element:
    while node.parent is not None and node.get("nb_element") != "cell_code":
        node = node.parent
    return node


def visit_image(self: Any, node: figure_image) -> None:
    """HTML: an image whose room is known before it has come."""
    uri = self.builder.images.get(node["uri"])
    source = f"{self.builder.imgpath}/{uri}" if uri else node["uri"]
    width, height = node["pixels"]
    anchor = f' id="{node["ids"][0]}"' if node["ids"] else ""
    self.body.append(
        f'<img class="{" ".join(node["classes"])}"{anchor} src="{self.attval(source)}" '
        f'alt="{self.attval(node["alt"])}" width="{width}" height="{height}" decoding="async">\n'
    )


def depart_image(self: Any, node: figure_image) -> None:
    """HTML: an image has no end tag."""


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the renderer, also where the package's entry points are not installed."""
    renderers = load_mime_renders()
    if FigureRenderer not in renderers:
        renderers.append(FigureRenderer)  # type: ignore[arg-type]
    app.add_node(
        figure_image,
        html=(visit_image, depart_image),
        latex=(lambda self, node: self.visit_image(node), depart_image),
        text=(lambda *_: None, lambda *_: None),
    )
    frames.setup(app)
    app.connect("doctree-read", check_figures)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
