"""Which pages the book has, from `_toc.yml`, and which of them are executed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from firstlight.press.errors import PressError

HEADER = """---
file_format: mystnb
kernelspec:
  name: python3
  display_name: Python 3
---"""

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,}|:{3,})\s*(.*)$")


@dataclass(frozen=True)
class Page:
    """One page of the book.

    Args:
        docname: Its name in the table of contents, `book/supervised/galaxy-zoo`.
        path: The source file.
        text: The source.
        executable: Whether it holds code cells.
        exclusive: Whether it must run alone (it measures time, or starts processes).
    """

    docname: str
    path: Path
    text: str
    executable: bool
    exclusive: bool


@dataclass(frozen=True)
class Book:
    """A book: its folder, its pages, and where its build goes.

    Args:
        root: The folder that holds `_toc.yml`, `_config.yml` and `code/`.
        pages: In the order of the table of contents; the first is the root page.
    """

    root: Path
    pages: tuple[Page, ...]

    @property
    def build(self) -> Path:
        """The build folder."""
        return self.root / "_build"

    @property
    def press(self) -> Path:
        """The press's own cache: records, executed notebooks, logs."""
        return self.build / ".press"

    @property
    def html(self) -> Path:
        """The pages."""
        return self.build / "html"

    @property
    def code(self) -> Path:
        """The companion code, whose files chapters depend on."""
        return self.root / "code"

    @property
    def chapters(self) -> tuple[Page, ...]:
        """The pages that are executed."""
        return tuple(page for page in self.pages if page.executable)

    def page(self, name: str) -> Page:
        """Find a page by a name as an author types it.

        Args:
            name: `supervised/galaxy-zoo`, `book/supervised/galaxy-zoo` or the file's path.

        Returns:
            The page.

        Raises:
            PressError: If the table of contents has no such page.
        """
        wanted = name.replace("\\", "/").removesuffix(".md").removeprefix("./")
        wanted = wanted.removeprefix(f"{self.root.as_posix()}/")
        for candidate in (wanted, f"book/{wanted}"):
            for page in self.pages:
                if page.docname == candidate:
                    return page
        known = ", ".join(page.docname.removeprefix("book/") for page in self.pages)
        raise PressError(f"no page {name!r} in _toc.yml. It has: {known}.")


def read_book(root: Path) -> Book:
    """Read the table of contents and the head of every page.

    Args:
        root: The folder that holds `_toc.yml`.

    Returns:
        The book.

    Raises:
        PressError: With every problem found: no table of contents, a page that is
            missing, code cells without the header that makes them run.
    """
    root = root.resolve()
    toc = root / "_toc.yml"
    if not toc.is_file():
        raise PressError(f"no _toc.yml in {root}. Run this in the book's folder, or give --root.")
    try:
        names = list(dict.fromkeys(_names(yaml.safe_load(toc.read_text("utf-8")))))
    except yaml.YAMLError as error:
        raise PressError(f"_toc.yml cannot be read: {error}") from None
    pages, problems = [], []
    for name in names:
        try:
            pages.append(_read_page(root, name.removesuffix(".md")))
        except PressError as error:
            problems.append(str(error))
    if problems:
        raise PressError("\n".join(problems))
    return Book(root, tuple(pages))


def _names(node: Any) -> Iterator[str]:
    """Every page named in a table of contents, in its order."""
    if isinstance(node, list):
        for item in node:
            yield from _names(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in ("root", "file"):
                yield str(value)
            elif isinstance(value, list):
                yield from _names(value)


def _read_page(root: Path, docname: str) -> Page:
    path = root / f"{docname}.md"
    if not path.is_file():
        raise PressError(f"{docname}.md: named in _toc.yml, but there is no such file.")
    text = path.read_text("utf-8")
    meta = front_matter(text, f"{docname}.md")
    cells = has_code_cells(text)
    if cells and not _is_notebook(meta):
        raise PressError(
            f"{docname}.md: has code cells but no header, so none of them would run. "
            f"Put this at its very top:\n{HEADER}"
        )
    if cells and (meta.get("kernelspec") or {}).get("name") != "python3":
        raise PressError(f"{docname}.md: its header names no kernel. It should read:\n{HEADER}")
    return Page(docname, path, text, cells, bool(meta.get("exclusive", False)))


def _is_notebook(meta: dict[str, Any]) -> bool:
    text = (meta.get("jupytext") or {}).get("text_representation") or {}
    return meta.get("file_format") == "mystnb" or text.get("format_name") == "myst"


def front_matter(text: str, name: str) -> dict[str, Any]:
    """The YAML block at the top of a page.

    Args:
        text: The page's source.
        name: What to call it in an error.

    Returns:
        Its content; empty where the page has none.

    Raises:
        PressError: If there is one and it cannot be read.
    """
    lines = text.splitlines()
    if not lines or lines[0].rstrip() != "---":
        return {}
    ends = [n for n, line in enumerate(lines[1:], 1) if line.rstrip() in ("---", "...")]
    try:
        meta = yaml.safe_load("\n".join(lines[1 : ends[0]])) if ends else None
    except yaml.YAMLError as error:
        raise PressError(f"{name}: its header cannot be read: {error}") from None
    return meta if isinstance(meta, dict) else {}


def has_code_cells(text: str) -> bool:
    """Whether a page has a code cell at its top level.

    A cell shown inside another fence (an example in a how-to) does not count.

    Args:
        text: The page's source.

    Returns:
        True if MyST-NB would find a cell to execute.

    Example:
        >>> has_code_cells("```{code-cell}\\n1\\n```")
        True
        >>> has_code_cells("````\\n```{code-cell}\\n1\\n```\\n````")
        False
    """
    fence = ""
    for line in text.splitlines():
        found = _FENCE.match(line)
        if not found:
            continue
        marks, info = found.groups()
        if fence:
            if marks[0] == fence[0] and len(marks) >= len(fence) and not info:
                fence = ""
        elif marks[0] != ":":
            if info.startswith("{code-cell}"):
                return True
            fence = marks
    return False
