"""Finds results typed by hand: numbers in the prose that no cell has measured.

A number in plain prose that states a result must come from a claim; a number from a
paper stands in a sentence with its citation; a setting is inline code or math.
`python -m firstlight.press.prose book/why/page.md` lints pages by hand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["Finding", "lint", "lint_text"]

FIX = (
    "measure it in a cell and insert it with {claim}`study.metric:.3g`; or cite its paper in the "
    "same sentence; or, if it is a setting, write it as inline code or math"
)
# Directives whose content, and whose title, is prose of the book.
_PROSE = {
    "admonition", "attention", "caption", "caution", "danger", "dropdown", "epigraph", "error",
    "exercise", "figure", "hint", "important", "list-table", "margin", "measured", "note",
    "objectives", "predict", "pull-quote", "quiz", "seealso", "sidebar", "tip", "topic",
    "unmeasured", "warning", "grid", "grid-item-card", "card", "tab-item", "tab-set",
}  # fmt: skip
_TITLED = {"quiz", "exercise", "admonition", "margin", "dropdown", "note", "predict"}
_UNITS = (
    r"times|[x×]|fold|seconds?|milliseconds?|minutes?|min|hours?|days|images?|galaxies|stamps|"
    r"parameters|weights|dex|mag|magnitudes?|[kMG]B|[kMG]iB|megabytes?|gigabytes?|"
    r"sigma|standard\s+deviations?|per\s?cent|percent|points?|CPU"
)
_NUMBER = r"\d(?:[\d,\u202f\u00a0]|\s(?=\d{3}\b))*"
_RESULT = re.compile(
    rf"(?<![\w.\-/])(?:[+\-\u2212~])?(?:"
    rf"{_NUMBER}\.\d+(?:[eE][+\-]?\d+)?(?:\s?%|[\s\u202f\u00a0-]?(?:{_UNITS})\b)?"  # 0.147, 3.5 s
    rf"|\.\d+"
    rf"|{_NUMBER}[eE][+\-]?\d+"
    rf"|{_NUMBER}\s?%"
    rf"|{_NUMBER}[\s\u202f\u00a0-]?(?:{_UNITS})\b"
    rf"|{_NUMBER}[\s\u202f\u00a0](?:m?s|h)\b"  # but not "the 1990s"
    rf")(?![\w])"
)
_VERSION = re.compile(
    r"(?:Python|TensorFlow|Keras|NumPy|version|versions|CC BY(?:-SA)?|BSD-3|Section|Chapter|Figure|"
    r"Table|Equation|Eq\.|Sect\.|Fig\.)[\s\u00a0]*$"
)
_MATH_RESULT = re.compile(
    r"(?:=|<|>|\\(?:approx|simeq|sim|leq?|geq?|lesssim|gtrsim|ll|gg)\b)\s*[+\-]?(\d*\.\d+)"
)
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\u201d*_]*\s+(?=[\"'(\u201c*_]*[A-Z\d\uE000-\uE002])")
_CODE, _CITE, _CLAIM = "\ue000", "\ue001", "\ue002"


@dataclass(frozen=True)
class Finding:
    """One number that should not be there.

    Attributes:
        path: The page.
        line: Line of the paragraph's source where the number stands, from 1.
        text: The number as typed.
        context: The sentence around it.
    """

    path: Path
    line: int
    text: str
    context: str

    def __str__(self) -> str:
        return (
            f"{self.path}:{self.line}: {self.text!r} is a result typed by hand, in "
            f'"{self.context}": {FIX}.'
        )


def lint(path: Path | str) -> list[Finding]:
    """Find results typed by hand on one page.

    Args:
        path: A MyST Markdown file.

    Returns:
        Findings in the order of the page; empty if it is clean.

    Raises:
        OSError: If the page cannot be read.
    """
    place = Path(path)
    return lint_text(place.read_text(encoding="utf-8"), place)


def lint_text(text: str, path: Path | str = "page.md") -> list[Finding]:
    """Find results typed by hand in Markdown source.

    Args:
        text: MyST Markdown.
        path: What to call it in the findings.

    Returns:
        Findings in the order of the page.

    Example:
        >>> [found.text for found in lint_text("The network reaches 0.071, 40 % less.")]
        ['0.071', '40 %']
        >>> lint_text("A kernel of $\\\\sigma = 2$ pixels and `0.5` for the rest.")
        []
    """
    found: list[Finding] = []
    for line, paragraph in _paragraphs(text, 0):
        found += _in_paragraph(paragraph, line, Path(path))
    return sorted(found, key=lambda finding: finding.line)


def _in_paragraph(paragraph: str, line: int, path: Path) -> Iterator[Finding]:
    start = 0
    for sentence in _SENTENCE_END.split(paragraph):
        start = paragraph.index(sentence, start)
        if _CITE not in sentence:
            for match in _RESULT.finditer(sentence):
                if not _VERSION.search(sentence[: match.start()]):
                    at = line + paragraph.count("\n", 0, start + match.start())
                    yield Finding(path, at, match.group().strip(), _shorten(sentence, match))
        start += len(sentence)


def _shorten(sentence: str, match: re.Match[str], around: int = 40) -> str:
    left, right = max(0, match.start() - around), match.end() + around
    text = sentence[left:right].translate({ord(c): "\u2026" for c in (_CODE, _CITE, _CLAIM)})
    return " ".join(text.split())


def _paragraphs(text: str, first_line: int) -> Iterator[tuple[int, str]]:
    """Paragraphs of plain prose, with the line each starts on (from 1)."""
    tokens = _parser().parse(text)
    heading = False
    row: list[tuple[int, str]] | None = None
    for token in tokens:
        heading = token.type == "heading_open" or (heading and token.type != "heading_close")
        line = first_line + (token.map[0] if token.map else 0) + 1
        if token.type == "tr_open":
            row = []
        elif token.type == "tr_close" and row:
            yield row[0][0], " | ".join(cell for _, cell in row)
            row = None
        elif token.type == "inline" and not heading:
            content = _plain(token.children or [])
            if row is not None:
                row.append((line, content))
            else:
                yield line, content
        elif token.type in ("fence", "colon_fence"):
            yield from _in_directive(token, line)


def _in_directive(token: Any, line: int) -> Iterator[tuple[int, str]]:
    match = re.match(r"\{([\w:-]+)\}\s*(.*)", token.info.strip())
    if not match or match.group(1) not in _PROSE:
        return
    name, title = match.groups()
    if name in _TITLED and title:
        yield from _paragraphs(title, line - 1)
    lines = token.content.split("\n")
    start = 0
    if lines and lines[0].strip() == "---":
        start = next((i for i, text in enumerate(lines[1:], 1) if text.strip() == "---"), 0) + 1
    while start < len(lines) and re.match(r"\s*:[\w-]+:", lines[start]):
        start += 1
    yield from _paragraphs("\n".join(lines[start:]), line + start)


def _plain(children: list[Any]) -> str:
    """Inline content as plain text; what needs no claim becomes a placeholder."""
    parts: list[str] = []
    links = 0
    for child in children:
        kind = child.type
        if kind == "link_open":
            links += 1
        elif kind == "link_close":
            links -= 1
        elif kind in ("softbreak", "hardbreak"):
            parts.append("\n")
        elif kind == "text" and not links:
            parts.append(child.content)
        elif kind == "math_inline":
            parts.append(_math(child.content))
        elif kind == "myst_role":
            role = child.meta["name"]
            mark = _CITE if role.startswith("cite") else _CLAIM if role == "claim" else _CODE
            parts.append(mark)
        elif kind not in ("text", "strong_open", "strong_close", "em_open", "em_close"):
            parts.append(_CODE)
    return "".join(parts)


def _math(content: str) -> str:
    """Math is free, unless it says that something equals a number with three digits."""
    results = [value for value in _MATH_RESULT.findall(content) if _significant(value) >= 3]
    return " ".join(f"{_CODE} = {value}" for value in results) or _CODE


def _significant(number: str) -> int:
    return len(number.replace(".", "").lstrip("0"))


@cache
def _parser() -> Any:
    from markdown_it.renderer import RendererHTML
    from myst_parser.config.main import MdParserConfig
    from myst_parser.parsers.mdit import create_md_parser

    extensions = {"amsmath", "colon_fence", "dollarmath", "tasklist", "deflist", "attrs_inline"}
    return create_md_parser(MdParserConfig(enable_extensions=extensions), RendererHTML)


def main(arguments: list[str]) -> int:
    """Lint the pages named on the command line; 1 if anything was found."""
    findings = [finding for name in arguments for finding in lint(name)]
    print("\n".join(map(str, findings)) if findings else "No result is typed by hand.")
    return bool(findings)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
