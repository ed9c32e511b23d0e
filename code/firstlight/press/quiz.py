"""The quiz: native buttons, feedback on every option, no scripts.

The chosen option's feedback appears through CSS alone; all of it stands folded below the
question, and in print. Syntax::

    :::{quiz} Which loss would you take?
    :tests: losses
    - [ ] wrong option :: why it is wrong
    - [x] right option :: why it is right
    :::
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

logger = logging.getLogger(__name__)
_OPTION = re.compile(r"^[-*]\s+\[([ xX])\]\s+(.*)$")


class quiz_node(nodes.General, nodes.Element):
    """One question: a legend, perhaps more text, and options."""


class quiz_legend(nodes.General, nodes.Element):
    """The question's first paragraph."""


class quiz_option(nodes.General, nodes.Element):
    """A button with its label and its feedback."""


class quiz_label(nodes.General, nodes.Element):
    """What the option says."""


class quiz_feedback(nodes.General, nodes.Element):
    """Why the option is right or wrong."""


class quiz_answers(nodes.General, nodes.Element):
    """All feedback, folded."""


@dataclass
class Option:
    """One option as written."""

    right: bool
    text: str
    feedback: str


def read_options(lines: list[str]) -> tuple[list[str], list[Option], list[str]]:
    """Split a quiz into further text, options and complaints.

    Args:
        lines: The directive's content.

    Returns:
        Lines before the first option; the options; what is wrong with them, in words.

    Example:
        >>> read_options(["- [x] yes :: because", "- [ ] no :: on the contrary"])[1][0].feedback
        'because'
    """
    before: list[str] = []
    raw: list[tuple[bool, str]] = []
    problems: list[str] = []
    for line in lines:
        match = _OPTION.match(line)
        if match:
            raw.append((match.group(1) != " ", match.group(2)))
        elif not raw:
            before.append(line)
        elif line.startswith((" ", "\t")):
            right, text = raw[-1]
            raw[-1] = (right, f"{text} {line.strip()}")
        elif line.strip():
            problems.append(f"line {line.strip()!r} is neither an option nor indented under one")
    options = []
    for right, text in raw:
        said, mark, why = text.partition(" :: ")
        if not mark or not why.strip():
            problems.append(f"option {said.strip()!r} has no feedback; write: option :: why")
        options.append(Option(right, said.strip(), why.strip()))
    return before, options, problems


class Quiz(SphinxDirective):
    """Directive for one question."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec = {
        "name": directives.unchanged,
        "tests": directives.unchanged,
        "multiple": directives.flag,
    }

    def run(self) -> list[nodes.Node]:
        """Build the question's nodes, and warn where it is not a fair question."""
        before, options, problems = read_options(list(self.content))
        multiple = "multiple" in self.options
        n_right = sum(option.right for option in options)
        if len(options) < 2:
            problems.append(f"{len(options)} option(s), expected two or more")
        elif n_right == 0 or (n_right > 1 and not multiple):
            problems.append(f"{n_right} right options, expected one (or give :multiple:)")
        for problem in problems:
            logger.warning("quiz: %s", problem, location=self.get_location(), type="firstlight")
        number = self.env.temp_data["fl_quiz"] = self.env.temp_data.get("fl_quiz", 0) + 1
        name = nodes.make_id(self.options.get("name", f"quiz-{number}"))
        quiz = quiz_node(multiple=multiple, number=number, ids=[name], label=f"question {number}")
        quiz["tests"] = self.options.get("tests", "").split()
        self.set_source_info(quiz)
        self.state.document.note_explicit_target(quiz, quiz)
        quiz += quiz_legend("", *self._inline(self.arguments[0]))
        self.state.nested_parse(StringList(before, ""), self.content_offset, quiz)
        quiz += [self._option(option, quiz, index) for index, option in enumerate(options, 1)]
        quiz += self._answers(options)
        return [quiz]

    def _inline(self, text: str) -> list[nodes.Node]:
        found, _ = self.state.inline_text(text, self.lineno)
        return list(found)

    def _option(self, option: Option, quiz: quiz_node, index: int) -> quiz_option:
        group = quiz["ids"][0]
        node = quiz_option(
            group=group, input_id=f"{group}-{index}", multiple=quiz["multiple"], right=option.right
        )
        node += quiz_label("", *self._inline(option.text), input_id=f"{group}-{index}")
        node += quiz_feedback("", *self._inline(option.feedback), right=option.right)
        return node

    def _answers(self, options: list[Option]) -> quiz_answers:
        items = nodes.bullet_list(bullet="-")
        for option in options:
            verdict = "Right: " if option.right else "Not quite: "
            said = nodes.emphasis("", "", *self._inline(option.text))
            text = [said, nodes.Text(". "), nodes.strong("", verdict)]
            items += nodes.list_item(
                "", nodes.paragraph("", "", *text, *self._inline(option.feedback))
            )
        return quiz_answers("", items)


def visit_quiz(self: Any, node: quiz_node) -> None:
    """HTML: a form that goes nowhere (`dialog`), so that Enter and Clear need no script."""
    name = node["ids"][0]
    hint = "Choose all that hold." if node["multiple"] else "Choose one."
    self.body.append(
        f'<form class="fl-quiz" method="dialog" id="{name}">'
        f'<p class="fl-kicker">Question {node["number"]} <span>{hint}</span></p><fieldset>'
    )


def depart_quiz(self: Any, node: quiz_node) -> None:
    """HTML: close what was opened."""
    self.body.append("</fieldset></form>\n")


def visit_option(self: Any, node: quiz_option) -> None:
    """HTML: a native radio button or checkbox."""
    kind = "checkbox" if node["multiple"] else "radio"
    self.body.append(
        f'<div class="fl-option"><input type="{kind}" name="{node["group"]}" '
        f'id="{node["input_id"]}" autocomplete="off">'
    )


def visit_feedback(self: Any, node: quiz_feedback) -> None:
    """HTML: a live region, so that a screen reader says it when the option is chosen."""
    kind, verdict = ("right", "Right.") if node["right"] else ("wrong", "Not quite.")
    self.body.append(
        f'<div class="fl-feedback fl-{kind}" role="status"><p><strong>{verdict}</strong> '
    )


def _wrap(opening: str, closing: str) -> tuple[Any, Any]:
    def visit(self: Any, node: nodes.Element) -> None:
        self.body.append(opening.format(**node.attributes))

    def depart(self: Any, node: nodes.Element) -> None:
        self.body.append(closing)

    return visit, depart


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive and how it looks in HTML; elsewhere it reads as plain text."""
    plain = (lambda *_: None, lambda *_: None)
    look: list[tuple[type[nodes.Element], tuple[Any, Any]]] = [
        (quiz_node, (visit_quiz, depart_quiz)),
        (quiz_legend, _wrap("<legend>", "</legend>")),
        (quiz_option, (visit_option, _wrap("", "</div>")[1])),
        (quiz_label, _wrap('<label for="{input_id}">', "</label>")),
        (quiz_feedback, (visit_feedback, _wrap("", "</p></div>")[1])),
        (quiz_answers, _wrap(
            '<details class="fl-answers"><summary>All answers, explained</summary>', "</details>"
            '<button class="fl-clear" type="reset">Clear</button>')),
    ]  # fmt: skip
    for node, html in look:
        app.add_node(node, html=html, latex=plain, text=plain)
    app.add_directive("quiz", Quiz)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
