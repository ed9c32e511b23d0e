"""The slider of `figures.frames`: radio buttons over frames, no scripts.

Every frame of the page's shade is fetched with the first, so that none is waited for. The
style sheet draws the buttons as a track and shows the frame that is chosen; without styles,
and on paper, all frames stand below one another or side by side, each with its words.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

__all__ = ["frame_view", "frames_node", "frames_nodes", "setup"]

_SYMBOL = re.compile(r"\$([^$]*)\$")


class frames_node(nodes.General, nodes.Element):
    """A slider: what it changes, its stops, and the frames."""


class frame_view(nodes.General, nodes.Element):
    """One frame: its words, and its two images."""


def frames_nodes(
    data: dict[str, Any], group: str, images: Callable[[dict[str, Any]], list[nodes.Element]]
) -> list[nodes.Element]:
    """The slider's nodes.

    Args:
        data: The book's own data, as `figures.sliders.frames_bundle` makes it.
        group: A name that no other slider of the page has.
        images: Makes the two images of one figure.

    Returns:
        One node.
    """
    labels = [frame["label"] for frame in data["frames"]]
    first = data["frames"][0]
    wide = first["width"] > 1.5 * first["height"]
    slider = frames_node(
        group=group, title=data["name"], start=data["start"], labels=labels, wide=wide
    )
    for number, frame in enumerate(data["frames"], 1):
        light, dark = images(frame)
        light["ids"] = [f"{group}-{number}-image"]
        slider += frame_view("", light, dark, words=frame["words"])
    return [slider]


def title_html(name: str) -> str:
    """What the slider changes, with its symbols as mathematics is set.

    Args:
        name: Text with perhaps a letter, and its subscript, between dollar signs.

    Returns:
        HTML.

    Example:
        >>> title_html("weight $w_1$")
        'weight <var>w<sub>1</sub></var>'
    """

    def symbol(match: re.Match[str]) -> str:
        letter, _, below = match.group(1).partition("_")
        below = below.strip("{}")
        return f"<var>{letter}{f'<sub>{below}</sub>' if below else ''}</var>"

    return _SYMBOL.sub(symbol, html.escape(name))


def visit_frames(self: Any, node: frames_node) -> None:
    """HTML: a group of native radio buttons, then the frames."""
    group, labels = node["group"], node["labels"]
    kind = f"fl-frames{' fl-wide' * node['wide']}{' fl-many' * (len(labels) > 8)}"
    self.body.append(
        f'<fieldset class="{kind}" style="--fl-stops: {len(labels)}">'
        f"<legend>{title_html(node['title'])}</legend>\n"
    )
    for number, label in enumerate(labels, 1):
        checked = " checked" if number == node["start"] + 1 else ""
        name = f"{group}-{number}"
        self.body.append(
            f'<input type="radio" name="{group}" id="{name}" autocomplete="off" '
            f'aria-describedby="{name}-image"{checked}>'
            f'<label for="{name}">{html.escape(label)}</label>\n'
        )
    self.body.append('<div class="fl-views">\n')


def depart_frames(self: Any, node: frames_node) -> None:
    """HTML: close what was opened."""
    self.body.append("</div></fieldset>\n")


def visit_view(self: Any, node: frame_view) -> None:
    """HTML: a frame, with words for where it stands beside the others."""
    self.body.append(
        f'<div class="fl-view"><div class="fl-words">{html.escape(node["words"])}</div>\n'
    )


def depart_view(self: Any, node: frame_view) -> None:
    """HTML: close the frame."""
    self.body.append("</div>\n")


def setup(app: Sphinx) -> None:
    """Register how the nodes look in HTML; elsewhere the images follow one another."""
    plain = (lambda *_: None, lambda *_: None)
    app.add_node(frames_node, html=(visit_frames, depart_frames), latex=plain, text=plain)
    app.add_node(frame_view, html=(visit_view, depart_view), latex=plain, text=plain)
