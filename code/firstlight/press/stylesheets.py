"""Style sheets without the rules that no page uses.

The theme brings 390 kB of rules, for every part that any site might have; a phone downloads
and reads them all before it shows a word. Beside each sheet a copy is written that holds only
the rules whose classes stand in some page or in some script, and the pages ask for that copy.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import tinycss2
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.util.typing import ExtensionMetadata

from firstlight.press.store import write_atomic

__all__ = ["names_in_use", "setup", "used_rules"]

# Names that scripts put together from parts.
MADE_UP = ("bs-", "mjx", "MJX")
GROUPS = ("media", "supports", "layer", "container")
_CLASSES = re.compile(r'\bclass="([^"]*)"')
_WORD = re.compile(r"[A-Za-z_][\w-]*")
_CLASS = re.compile(r"\.(-?[A-Za-z_](?:[\w-]|\\.)*)")
# What is excluded by a selector need not exist; what stands in brackets is no class.
_ASIDE = re.compile(r":not\((?:[^()]|\([^()]*\))*\)|\[[^\]]*\]")
_LINK = re.compile(r'(<link\b[^>]*?\bhref="((?:[^":?]*/)?_static/([^"?]*?)(?:\.used)?\.css))[^"]*"')


def names_in_use(pages: Iterable[str], scripts: Iterable[str]) -> set[str]:
    """Every class that a page bears, and every word of a script: it may be a class, too.

    Args:
        pages: HTML.
        scripts: JavaScript.

    Example:
        >>> sorted(names_in_use(['<p class="a b">'], ["add('c-d')"]))
        ['a', 'add', 'b', 'c-d']
    """
    names: set[str] = set()
    for page in pages:
        for value in _CLASSES.findall(page):
            names.update(value.split())
    for script in scripts:
        names.update(_WORD.findall(script))
    return names


def used_rules(sheet: str, names: set[str]) -> str:
    """The sheet without rules that ask for a class which nothing bears.

    Args:
        sheet: CSS.
        names: What `names_in_use` gives.

    Returns:
        CSS: of a rule with several selectors those that can match; everything that is no
        rule of style (fonts, frames of animations, pages for print) as it is.

    Example:
        >>> used_rules(".a, .b > p {color: red} .b {top: 0}", {"a"})
        '.a{color: red}'
    """
    rules = tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True)
    return "".join(_kept(rule, names) for rule in rules)


def _kept(rule: Any, names: set[str]) -> str:
    if rule.type == "at-rule" and rule.lower_at_keyword in GROUPS and rule.content is not None:
        inner = used_rules(tinycss2.serialize(rule.content), names)
        head = tinycss2.serialize(rule.prelude)
        return f"@{rule.at_keyword}{head}{{{inner}}}" if inner else ""
    if rule.type == "qualified-rule":
        selectors = [s for s in _selectors(rule.prelude) if _can_match(s, names)]
        body = tinycss2.serialize(rule.content)
        return f"{','.join(selectors)}{{{body}}}" if selectors else ""
    return str(rule.serialize())


def _selectors(prelude: list[Any]) -> list[str]:
    """The selectors of a rule: parted at commas, but not at those within parentheses."""
    parts: list[list[Any]] = [[]]
    for token in prelude:
        if token.type == "literal" and token.value == ",":
            parts.append([])
        else:
            parts[-1].append(token)
    return [tinycss2.serialize(part).strip() for part in parts]


def _can_match(selector: str, names: set[str]) -> bool:
    """Whether every class it asks for is borne by something. `:is(.a, .b)` needs but one."""
    plain = _ASIDE.sub("", selector)
    if ":is(" in plain or ":where(" in plain or ":has(" in plain:
        return True
    wanted = (name.replace("\\", "") for name in _CLASS.findall(plain))
    return all(name in names or name.startswith(MADE_UP) for name in wanted)


def lighten_sheets(app: Sphinx, error: Exception | None) -> None:
    """When all pages are written: write the copies, and let the pages ask for them."""
    if error is not None or not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    home = Path(app.outdir)
    static = home / "_static"
    pages = {path: path.read_text("utf-8") for path in sorted(home.rglob("*.html"))}
    scripts = (path for path in static.rglob("*.js") if "mathjax" not in path.parts)
    names = names_in_use(pages.values(), (s.read_text("utf-8", "replace") for s in scripts))
    marks: dict[str, str] = {}
    for sheet in sorted(static.rglob("*.css")):
        if not sheet.name.endswith(".used.css"):
            text = used_rules(sheet.read_text("utf-8"), names)
            write_atomic(sheet.with_suffix(".used.css"), text)
            place = sheet.relative_to(static).with_suffix("").as_posix()
            marks[place] = hashlib.sha256(text.encode()).hexdigest()[:8]

    def asked(match: re.Match[str]) -> str:
        place = match.group(3)
        if place not in marks:
            return match.group()
        folder = match.group(2).rpartition("_static/")[0]
        tag = match.group(1).removesuffix(match.group(2))
        return f'{tag}{folder}_static/{place}.used.css?v={marks[place]}"'

    for path, page in pages.items():
        lighter = _LINK.sub(asked, page)
        if lighter != page:
            write_atomic(path, lighter)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Lighten the sheets when a build has ended."""
    app.connect("build-finished", lighten_sheets, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
