"""Objectives, exercises with folded solutions, predictions, captions, conditional text.

A directive cannot hold code cells, so a solution is everything between the two marks::

    :::{solution} galaxy_zoo.parents
    :::
    prose, executed code cells, figures
    :::{solution-end}
    :::

which a transform then moves into one `<details>`.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.domains.std import StandardDomain
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from firstlight.press.shown import look

logger = logging.getLogger(__name__)
_OBJECTIVE = re.compile(r"^[-*]\s+\[([a-z][a-z0-9-]*)\]\s+(.*)$")


class box(nodes.General, nodes.Element):
    """A labeled part of the page: an exercise, a prediction, the objectives."""


class fold(nodes.General, nodes.Element):
    """A solution, folded."""


class fold_mark(nodes.Invisible, nodes.Element):
    """Where a solution begins or ends; none is left after reading."""


class objective(nodes.list_item):
    """What the reader will be able to do."""


class figure_caption(nodes.General, nodes.Element):
    """The words under a figure."""


class _Aid(SphinxDirective):
    has_content = True

    def warn(self, message: str, *values: Any) -> None:
        logger.warning(message, *values, location=self.get_location(), type="firstlight")

    def parse(self, lines: list[str], into: nodes.Element) -> None:
        self.state.nested_parse(StringList(lines, ""), self.content_offset, into)

    def count(self, kind: str) -> int:
        number: int = self.env.temp_data.get(f"fl_{kind}", 0) + 1
        self.env.temp_data[f"fl_{kind}"] = number
        return number

    def label(self, node: nodes.Element, name: str, text: str) -> None:
        """Give the node an id, and make it a target for {ref}."""
        anchor = nodes.make_id(name)
        node["ids"].append(anchor)
        domain = self.env.get_domain("std")
        assert isinstance(domain, StandardDomain)
        key = nodes.fully_normalize_name(name)
        other = domain.labels.get(key)
        if other and (
            other[0] != self.env.docname or key in self.env.temp_data.get("fl_names", ())
        ):
            self.warn("the name %r is taken by %s; choose another", name, other[0])
        self.env.temp_data.setdefault("fl_names", set()).add(key)
        domain.labels[key] = (self.env.docname, anchor, text)
        domain.anonlabels[key] = (self.env.docname, anchor)


class Exercise(_Aid):
    """An exercise's statement; its name is what `check` is called with."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {"name": directives.unchanged_required, "tests": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """Build the box."""
        number = self.count("exercise")
        label = f"Exercise {number}"
        node = box(kind="exercise", kicker=label, label=label.lower())
        node["tests"] = self.options.get("tests", "").split()
        if "name" in self.options:
            self.label(node, self.options["name"], label)
        else:
            self.warn("exercise %r needs :name: module.exercise", self.arguments[0])
            self.label(node, f"exercise-{number}", label)
        found, _ = self.state.inline_text(self.arguments[0], self.lineno)
        node += nodes.paragraph("", "", *found, classes=["fl-title"])
        self.parse(list(self.content), node)
        return [node]


class Predict(_Aid):
    """A question to commit to before the next cell answers it."""

    def run(self) -> list[nodes.Node]:
        """Build the box."""
        node = box(kind="predict", kicker="Before you run it")
        self.parse(list(self.content), node)
        return [node]


class Objectives(_Aid):
    """What the reader can do afterwards; each is tested by a quiz or an exercise."""

    def run(self) -> list[nodes.Node]:
        """Build the box."""
        node = box(kind="objectives", kicker="After this page you can")
        items = nodes.bullet_list(bullet="-")
        texts: list[tuple[str, str]] = []
        for line in self.content:
            match = _OBJECTIVE.match(line)
            if match:
                texts.append((match.group(1), match.group(2)))
            elif line.startswith(" ") and texts:
                texts[-1] = (texts[-1][0], f"{texts[-1][1]} {line.strip()}")
            elif line.strip():
                self.warn("objectives: %r is not of the form: - [id] what the reader can do", line)
        for name, text in texts:
            found, _ = self.state.inline_text(text, self.lineno)
            items += objective("", nodes.paragraph("", "", *found), objective=name)
        node += items
        return [node]


class Solution(_Aid):
    """Marks where an exercise's solution begins."""

    required_arguments = 1
    has_content = False

    def run(self) -> list[nodes.Node]:
        """Leave a mark."""
        mark = fold_mark(exercise=self.arguments[0], opens=True)
        self.set_source_info(mark)
        return [mark]


class SolutionEnd(_Aid):
    """Marks where it ends."""

    has_content = False

    def run(self) -> list[nodes.Node]:
        """Leave a mark."""
        mark = fold_mark(opens=False)
        self.set_source_info(mark)
        return [mark]


class Measured(_Aid):
    """Content for builds in which all the named claims were measured."""

    required_arguments = 1
    final_argument_whitespace = True
    shows_when = True

    def run(self) -> list[nodes.Node]:
        """Show the content, or nothing."""
        measured = True
        for name in self.arguments[0].split():
            record = look(self.env, f"value:{name}").values.get(name)
            if record is None:
                self.warn("claim %r: no page measures it, nor skips it", name)
            measured = measured and record is not None and "skipped" not in record
        if measured is not self.shows_when:
            return []
        holder = nodes.Element()
        self.parse(list(self.content), holder)
        return list(holder.children)


class Unmeasured(Measured):
    """Content for builds in which one of the named claims was not measured."""

    shows_when = False


class Caption(_Aid):
    """The words under the figure that the cell before has shown."""

    option_spec = {"name": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """Number it on its page."""
        number = self.count("figure")
        node = figure_caption(number=number)
        if "name" in self.options:
            self.label(node, self.options["name"], f"Figure {number}")
        self.parse(list(self.content), node)
        first = node.children[0] if node.children else None
        if not isinstance(first, nodes.paragraph):
            self.warn("caption: expected a paragraph that tells the eye where to go")
            return [node]
        first.insert(0, nodes.strong("", f"Figure {number}."))
        first.insert(1, nodes.Text(" "))
        return [node]


class FoldSolutions(SphinxTransform):
    """Moves what stands between the marks of a solution into a fold."""

    default_priority = 200

    def apply(self, **_: Any) -> None:
        """Fold every solution of the document."""
        for mark in list(self.document.findall(fold_mark)):
            siblings = mark.parent.children
            if mark not in siblings:
                continue  # the end of a solution that is folded already
            start = siblings.index(mark)
            ends = [i for i, n in enumerate(siblings) if isinstance(n, fold_mark) and i > start]
            if not mark["opens"] or not ends or siblings[ends[0]]["opens"]:
                logger.warning(
                    "solution: needs both {solution} and, in the same section, {solution-end}; "
                    "no headings in between", location=mark, type="firstlight",
                )  # fmt: skip
                mark.parent.remove(mark)
                continue
            folded = fold("", *siblings[start + 1 : ends[0]], exercise=mark["exercise"])
            mark.parent.children[start : ends[0] + 1] = [folded]
            folded.parent = mark.parent


class LinkObjectives(SphinxTransform):
    """Says beside each objective which question or exercise tests it."""

    default_priority = 210

    def apply(self, **_: Any) -> None:
        """Add the links, and warn about objectives without and tests of nothing."""
        testers: dict[str, list[nodes.Element]] = {}
        for node in self.document.findall(lambda n: isinstance(n, nodes.Element) and "tests" in n):
            for name in node["tests"]:
                testers.setdefault(name, []).append(node)
        for item in self.document.findall(objective):
            found = testers.pop(item["objective"], [])
            if not found:
                logger.warning(
                    "objective %r: no quiz or exercise tests it (:tests: %s)", item["objective"],
                    item["objective"], location=item, type="firstlight",
                )  # fmt: skip
                continue
            note = nodes.inline(classes=["fl-tested"])
            for node in found:
                note += nodes.Text(", " if len(note) else "")
                note += nodes.reference("", node["label"], refid=node["ids"][0], internal=True)
            item.children[0] += [nodes.Text(" "), note]
        for name, found in testers.items():
            logger.warning(
                "%s tests %r, which is not among the page's objectives", found[0]["label"], name,
                location=found[0], type="firstlight",
            )  # fmt: skip


def visit_box(self: Any, node: box) -> None:
    """HTML: a group with its label."""
    anchor = f' id="{node["ids"][0]}"' if node["ids"] else ""
    self.body.append(
        f'<div class="fl-box fl-{node["kind"]}"{anchor}><p class="fl-kicker">{node["kicker"]}</p>'
    )


def visit_caption(self: Any, node: figure_caption) -> None:
    """HTML: a caption with its anchor."""
    anchor = f' id="{node["ids"][0]}"' if node["ids"] else ""
    self.body.append(f'<div class="fl-caption"{anchor}>')


def visit_fold(self: Any, node: fold) -> None:
    """HTML: a native fold; nothing to script."""
    self.body.append('<details class="fl-solution"><summary>Solution</summary>')


def _close(tag: str) -> Any:
    return lambda self, node: self.body.append(f"</{tag}>\n")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register directives, transforms and how they look."""
    plain = (lambda *_: None, lambda *_: None)
    app.add_node(box, html=(visit_box, _close("div")), latex=plain, text=plain)
    app.add_node(fold, html=(visit_fold, _close("details")), latex=plain, text=plain)
    app.add_node(figure_caption, html=(visit_caption, _close("div")), latex=plain, text=plain)
    item = (lambda self, node: self.visit_list_item(node),
            lambda self, node: self.depart_list_item(node))  # fmt: skip
    app.add_node(objective, html=item, latex=item, text=item)
    app.add_directive("exercise", Exercise)
    app.add_directive("predict", Predict)
    app.add_directive("objectives", Objectives)
    app.add_directive("solution", Solution)
    app.add_directive("solution-end", SolutionEnd)
    app.add_directive("measured", Measured)
    app.add_directive("unmeasured", Unmeasured)
    app.add_directive("caption", Caption)
    app.add_transform(FoldSolutions)
    app.add_transform(LinkObjectives)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
