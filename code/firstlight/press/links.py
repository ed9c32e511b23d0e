"""Checks the built HTML: every internal link leads somewhere, no other host is asked."""

from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

_TAG = re.compile(r"""<([a-zA-Z][\w-]*)((?:[^>"']|"[^"]*"|'[^']*')*)>""")
_ATTRIBUTE = re.compile(r"""([^\s=>/"']+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""")
_RAW = re.compile(r"<!--.*?-->|(<(script|style)\b[^>]*>).*?</\2>", re.DOTALL | re.IGNORECASE)

# Tags and attributes that make a browser ask for something as soon as the page opens.
_LOADS = {("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src"),
          ("video", "src"), ("audio", "src"), ("embed", "src"), ("object", "data")}  # fmt: skip
_LOADING_LINKS = {"stylesheet", "preload", "prefetch", "preconnect", "dns-prefetch", "icon",
                  "shortcut icon", "modulepreload", "manifest"}  # fmt: skip


def check(folder: Path, root: Path | None = None) -> list[str]:
    """Check all pages of a built book.

    Args:
        folder: The folder of the HTML.
        root: What paths in the messages are relative to.

    Returns:
        One line per problem; empty if there is none.
    """
    pages = {
        path: _tags(path.read_text("utf-8", "replace"))
        for path in sorted(folder.rglob("*.html"))
        if "_static" not in path.relative_to(folder).parts
    }
    anchors = {path: _anchors(tags) for path, tags in pages.items()}
    problems = []
    for path, tags in pages.items():
        name = path.relative_to(root or folder).as_posix()
        seen = set()
        for tag, attributes in tags:
            for problem in _problems(path, tag, attributes, folder, anchors):
                if problem not in seen:
                    seen.add(problem)
                    problems.append(f"{name}: {problem}")
    return problems


def _tags(text: str) -> list[tuple[str, dict[str, str]]]:
    text = _RAW.sub(lambda found: found.group(1) or "", text)
    found = []
    for tag, attributes in _TAG.findall(text):
        if attributes:
            values = {
                name.lower(): html.unescape(a or b or c)
                for name, a, b, c in _ATTRIBUTE.findall(attributes)
            }
            found.append((tag.lower(), values))
    return found


def _anchors(tags: list[tuple[str, dict[str, str]]]) -> set[str]:
    found = {values["id"] for _, values in tags if "id" in values}
    return found | {values["name"] for tag, values in tags if tag == "a" and "name" in values}


def _problems(
    page: Path, tag: str, attributes: dict[str, str], folder: Path, anchors: dict[Path, set[str]]
) -> list[str]:
    found = []
    for name in ("href", "src", "data"):
        target = attributes.get(name)
        if not target or (name == "data" and tag != "object"):
            continue
        parts = urlsplit(target)
        if parts.scheme in ("http", "https") or target.startswith("//"):
            loads = (tag, name) in _LOADS or (
                tag == "link" and attributes.get("rel", "").lower() in _LOADING_LINKS
            )
            if loads:
                found.append(f"asks another host for {target}; the book must stand alone")
        elif not parts.scheme:
            broken = _broken(page, parts.path, unquote(parts.fragment), folder, anchors)
            if broken:
                found.append(f"link to {target}: {broken}")
    return found


def _broken(
    page: Path, path: str, fragment: str, folder: Path, anchors: dict[Path, set[str]]
) -> str | None:
    """Why a relative link leads nowhere, None if it does lead somewhere."""
    goal = page
    if path:
        base = folder if path.startswith("/") else page.parent
        goal = (base / unquote(path).lstrip("/")).resolve()
        if goal.is_dir():
            goal = goal / "index.html"
        if not goal.is_file():
            return "there is no such file"
    known = anchors.get(goal)
    if fragment and known is not None and fragment not in known and fragment != "top":
        return "there is no such place on that page"
    return None
