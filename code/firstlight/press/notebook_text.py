"""A page's Markdown as a notebook can show it: directives, roles and links in plain words.

Jupyter, Colab and GitHub know ordinary Markdown, mathematics and `<details>`. They do not
know the book's quizzes, claims and citations, so these are written out here.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from firstlight.press.errors import PressError
from firstlight.press.landing import ASIDE, BETWEEN, CLAIM, HEAD, NOT_YET
from firstlight.press.quiz import read_options
from firstlight.press.shown import NOT_MEASURED, Ledger, format_value
from firstlight.press.sources import find_source

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,}|:{3,})\s*(.*?)\s*$")
_DIRECTIVE = re.compile(r"^\{([\w:-]+)\}\s*(.*)$")
_OPTION = re.compile(r"^:([\w-]+):\s*(.*)$")
_ROLE = re.compile(r"``.+?``|\{([a-z][\w:-]*)\}`([^`]+)`")
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!\w+:|/)([^)\s#]+?)\.md(#[^)\s]*)?\)")
_OBJECTIVE = re.compile(r"^[-*]\s+\[[a-z][a-z0-9-]*\]\s+")
_TARGET = re.compile(r"^\([\w.-]+\)=\s*$")
_EXPLICIT = re.compile(r"^(.*?)\s*<([^<>]+)>$", re.DOTALL)
_CODE = {"code-block", "code", "sourcecode"}
_SILENT = {"tableofcontents", "toctree", "bibliography", "contents", "index"}


@dataclass
class Setting:
    """What the pages know and a notebook has to be told.

    Args:
        root: The book's folder.
        ledger: What the build measured.
        citations: Authors and year of every work, by its key.
        repository: The repository's address.
        site: The address of the published pages.
    """

    root: Path
    ledger: Ledger
    citations: dict[str, tuple[str, str]]
    repository: str
    site: str


@dataclass
class Plain:
    """Turns the Markdown cells of one page into plain ones, in their order.

    Args:
        setting: What the pages know.
        docname: The page.
        labels: What `{ref}` shows for a name on this page.
    """

    setting: Setting
    docname: str
    labels: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    in_solution: bool = False
    _open: bool = False

    def cell(self, text: str) -> str:
        """One Markdown cell in plain Markdown; empty if nothing of it is to be shown.

        Args:
            text: The cell as the author wrote it.

        Raises:
            PressError: If it shows a claim or a citation that does not exist.
        """
        lines = text.splitlines()
        self._open = False
        if self.in_solution and lines and "{solution-end}" not in lines[0]:
            lines = [":::{solution}", ":::", *lines]
        lines = self._inlines(self._blocks(lines))
        if self._open:  # a fold cannot reach beyond its cell
            lines += ["", "</details>"]
        return re.sub(r"\n(\s*\n){2,}", "\n\n", "\n".join(lines)).replace("\0", "").strip()

    def _blocks(self, lines: list[str]) -> list[str]:
        out: list[str] = []
        position = 0
        while position < len(lines):
            opening = _FENCE.match(lines[position])
            if not opening:
                if not _TARGET.match(lines[position]):
                    out.append(lines[position])
                position += 1
                continue
            end = _closing(lines, position, opening.group(1))
            found = _DIRECTIVE.match(opening.group(2))
            if found:
                done = self._directive(found.group(1), found.group(2), lines[position + 1 : end])
                out += ["", *done, ""] if done else []
            else:
                out += [f"\0{line}" for line in lines[position : end + 1]]  # no roles in code
            position = end + 1
        return out

    def _inlines(self, lines: list[str]) -> list[str]:
        """Roles and links; they may run over line ends, but not into code."""
        out: list[str] = []
        prose: list[str] = []
        for line in [*lines, "\0"]:
            if not line.startswith("\0"):
                prose.append(line)
                continue
            if prose:
                out += self._inline("\n".join(prose)).split("\n")
                prose = []
            out.append(line)
        return out[:-1]

    def _inline(self, text: str) -> str:
        def role(match: re.Match[str]) -> str:
            return self._role(match.group(1), match.group(2)) if match.group(1) else match.group()

        def link(match: re.Match[str]) -> str:
            return f"[{match.group(1)}]({self._address(match.group(2))}{match.group(3) or ''})"

        return _LINK.sub(link, _ROLE.sub(role, text))

    def _address(self, page: str) -> str:
        """Where another page of the book stands, seen from outside of it."""
        return f"{self.setting.site}/{self._beside(page)}.html"

    def _beside(self, path: str) -> str:
        """A path that this page names, as the book's folder has it."""
        return posixpath.normpath(posixpath.join(posixpath.dirname(self.docname), path))

    def _role(self, name: str, text: str) -> str:
        explicit = _EXPLICIT.match(text)
        shown, target = explicit.groups() if explicit else (text, text)
        if name == "claim":
            return self._claim(text.strip())
        if name.startswith("cite"):
            return self._cite(name, text)
        if name == "source":
            return self._source(text)
        if name == "math":
            return f"${text}$"
        if name in ("ref", "numref") and not explicit:
            return self.labels.get(target, target)
        if name == "doc":
            return f"[{shown if explicit else Path(target).name}]({self._address(target)})"
        return shown

    def _claim(self, text: str) -> str:
        name, _, spec = re.sub(r"^([\w.]+) u$", r"\1: u", text).partition(":")
        record = self.setting.ledger.values.get(name)
        if record is None:
            raise PressError(f"{self.docname}.md: shows {name!r}, which the ledger does not have.")
        return NOT_MEASURED if "skipped" in record else format_value(record, spec)

    def _cite(self, role: str, keys: str) -> str:
        works = []
        for key in (key.strip() for key in keys.split(",")):
            if key not in self.setting.citations:
                raise PressError(f"{self.docname}.md: cites {key!r}, not in references.bib.")
            works.append(self.setting.citations[key])
        if role.startswith(("cite:t", "cite:ct")):
            return ", ".join(f"{authors} ({year})" for authors, year in works)
        return "(" + "; ".join(f"{authors}, {year}" for authors, year in works) + ")"

    def _source(self, text: str) -> str:
        module, _, member = text.strip().partition(":")
        path = find_source(self.setting.root, module)
        shown = f"`{module}.{member}`" if member else f"`{module}`"
        if path is None or not self.setting.repository:
            return shown
        file = path.relative_to(self.setting.root).as_posix()
        return f"[{shown}]({self.setting.repository}/blob/main/{file})"

    def _count(self, kind: str) -> int:
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return self.counts[kind]

    def _directive(self, name: str, argument: str, content: list[str]) -> list[str]:
        options: dict[str, str] = {}
        while content and (found := _OPTION.match(content[0])):
            options[found.group(1)] = found.group(2)
            content = content[1:]
        known: Callable[..., list[str]] | None
        known = getattr(self, "_do_" + name.replace("-", "_"), None)
        if known:
            return known(argument, content, options)
        if name in _SILENT:
            return []
        if name in _CODE:
            return [f"\0{line}" for line in (f"```{argument}", *content, "```")]
        if name == "math":
            return ["$$", argument, *content, "$$"] if argument else ["$$", *content, "$$"]
        if name in ("figure", "image"):
            alt = options.get("alt", "")
            source = f"{self.setting.repository}/raw/main/{self._beside(argument)}"
            return [f"![{alt}]({source})", "", *self._blocks(content)]
        label = argument or name.replace("-", " ").capitalize()
        return _quote([f"**{label}**", "", *self._blocks(content)])

    def _do_objectives(self, _: str, content: list[str], __: Any) -> list[str]:
        items = [_OBJECTIVE.sub("- ", line) for line in content]
        return ["**After this page you can**", "", *self._blocks(items)]

    def _do_predict(self, _: str, content: list[str], __: Any) -> list[str]:
        return _quote(["**Before you run it**", "", *self._blocks(content)])

    def _do_exercise(self, title: str, content: list[str], options: dict[str, str]) -> list[str]:
        label = f"Exercise {self._count('exercise')}"
        self.labels[options.get("name", label)] = label
        return [f"**{label}. {title}**", "", *self._blocks(content)]

    def _do_solution(self, *_: Any) -> list[str]:
        self.in_solution = self._open = True
        return ["<details><summary><b>Solution</b> (its cells below are hidden, too)</summary>"]

    def _do_solution_end(self, *_: Any) -> list[str]:
        opened, self.in_solution, self._open = self._open, False, False
        return ["", "</details>"] if opened else []

    def _do_caption(self, _: str, content: list[str], options: dict[str, str]) -> list[str]:
        label = f"Figure {self._count('figure')}"
        self.labels[options.get("name", label)] = label
        words = [line for line in content if line.strip()]
        return self._blocks([f"**{label}.** {words[0]}" if words else label, *words[1:]])

    def _do_quiz(self, question: str, content: list[str], _: Any) -> list[str]:
        before, options, _problems = read_options(content)
        out = [f"**Question {self._count('quiz')}.** {question}", *self._blocks(before), ""]
        out += [f"- {option.text}" for option in options]
        out += ["", "<details><summary>All answers, explained</summary>", ""]
        for option in options:
            verdict = "Right:" if option.right else "Not quite:"
            out.append(f'- "{option.text}" **{verdict}** {option.feedback}')
        return [*out, "", "</details>"]

    def _do_studies(self, _: str, content: list[str], options: dict[str, str]) -> list[str]:
        more = [text.strip() for text in options.get("columns", "").split("|") if text]
        head = [*HEAD[:-1], *more, HEAD[-1]]
        out = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
        for line in filter(str.strip, content):
            name, page, *between, ours = BETWEEN.split(line.strip())
            if (self.setting.root / f"{self._beside(page)}.md").is_file():
                name = f"[{name}]({self._address(page)})"
            between = [text if self._stand(text) else ASIDE.sub("", text) for text in between]
            ours = ours if self._stand(ours) else f"*{NOT_YET}*"
            out.append(f"| {' | '.join([name, *between, ours])} |")
        return out

    def _stand(self, text: str) -> bool:
        """Whether the ledger has all claims of a text."""
        return all(name in self.setting.ledger.values for name in CLAIM.findall(text))

    def _measured(self, names: str) -> bool:
        records = [self.setting.ledger.values.get(name) for name in names.split()]
        return all(record is not None and "skipped" not in record for record in records)

    def _do_measured(self, names: str, content: list[str], _: Any) -> list[str]:
        return self._blocks(content) if self._measured(names) else []

    def _do_unmeasured(self, names: str, content: list[str], _: Any) -> list[str]:
        return [] if self._measured(names) else self._blocks(content)


def _closing(lines: list[str], start: int, marks: str) -> int:
    """The line that closes a fence; the last one if none does."""
    for number in range(start + 1, len(lines)):
        found = _FENCE.match(lines[number])
        if found and not found.group(2) and found.group(1)[0] == marks[0]:
            if len(found.group(1)) >= len(marks):
                return number
    return len(lines)


def _quote(lines: list[str]) -> list[str]:
    return [f"\0> {line[1:]}" if line.startswith("\0") else f"> {line}".rstrip() for line in lines]
