"""What pages show of the ledger: looked up by name, formatted, and remembered.

Each page remembers what it was shown. When the ledger says otherwise at the next build,
that page is read again, and no other.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole
from sphinx.util.typing import ExtensionMetadata

from firstlight.press.ledger import shown_digest

logger = logging.getLogger(__name__)

NOT_MEASURED = "not measured in this build"
_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


class Ledger:
    """The ledger of the build that these pages belong to.

    Args:
        path: The file; an absent one reads as empty.
    """

    def __init__(self, path: Path):
        try:
            self.data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self.data = {}
        self.chapters: list[dict[str, Any]] = self.data.get("chapters", [])
        self.values: dict[str, dict[str, Any]] = {}
        for chapter in self.chapters:
            for record in [*chapter.get("quotes", []), *chapter.get("claims", [])]:
                self.values[record["name"]] = {**record, "file": chapter["file"]}

    def state(self, key: str) -> str:
        """What a page sees under a key, as a text that differs when that differs.

        Args:
            key: `value:<claim>`, `chapter:<file>`, `source:<path>` or `all`.
        """
        kind, _, name = key.partition(":")
        if kind == "value":
            seen: Any = self.values.get(name)
        elif kind == "chapter":
            versions = self.data.get("book", {}).get("versions")
            seen = [self.chapter(name), versions]
        elif kind == "source":
            path = Path(name)
            seen = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        else:
            seen = shown_digest(self.data)
        return json.dumps(seen, sort_keys=True)

    def chapter(self, file: str) -> dict[str, Any] | None:
        """A chapter's record without the flag that says whether it ran this time."""
        for chapter in self.chapters:
            if chapter["file"] == file:
                return {k: v for k, v in chapter.items() if k not in ("cached", "depends")}
        return None


def ledger_of(app: Sphinx) -> Ledger:
    """The ledger, read once per build."""
    found: Ledger | None = getattr(app, "_firstlight_ledger", None)
    if found is None:
        found = Ledger(Path(app.confdir) / app.config.firstlight_ledger)
        app._firstlight_ledger = found  # type: ignore[attr-defined]
    return found


def look(env: BuildEnvironment, key: str) -> Ledger:
    """Remember that the page being read depends on `key`, and return the ledger."""
    ledger = ledger_of(env.app)
    _memory(env).setdefault(env.docname, {})[key] = ledger.state(key)
    return ledger


def _memory(env: BuildEnvironment) -> dict[str, dict[str, str]]:
    shown: dict[str, dict[str, str]] = env.__dict__.setdefault("firstlight_shown", {})
    return shown


def outdated(app: Sphinx, env: BuildEnvironment, *_: Any) -> list[str]:
    """Pages to read again, because what they showed has changed."""
    ledger = ledger_of(app)
    return [
        docname
        for docname, shown in _memory(env).items()
        if docname in env.found_docs
        and any(ledger.state(key) != state for key, state in shown.items())
    ]


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Drop what a page was shown, before it is read again."""
    _memory(env).pop(docname, None)


def merge(app: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment) -> None:
    """Take over what a parallel reader remembered."""
    _memory(env).update({d: s for d, s in _memory(other).items() if d in docnames})


class claim_value(nodes.inline):
    """A number that a cell has measured."""


class ClaimRole(SphinxRole):
    """``{claim}`study.metric:.3f` ``: a measured value, from this page or another."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Insert the value, or warn that nobody measured it."""
        name, _, spec = re.sub(r"^([\w.]+) u$", r"\1: u", self.text.strip()).partition(":")
        record = look(self.env, f"value:{name}").values.get(name)
        if record is None:
            logger.warning(
                "claim %r: no page measures it. Call claim() or quote() in a cell, or mend the "
                "name.", name, location=self.get_location(), type="firstlight",
            )  # fmt: skip
            return [nodes.problematic(self.rawtext, self.rawtext)], []
        if "skipped" in record:
            text, why = NOT_MEASURED, str(record["skipped"])
        else:
            try:
                text, why = format_value(record, spec), _provenance(record)
            except (ValueError, KeyError) as error:
                logger.warning(
                    "claim %s: cannot be shown as %r: %s", name, spec, error,
                    location=self.get_location(), type="firstlight",
                )  # fmt: skip
                return [nodes.problematic(self.rawtext, self.rawtext)], []
        return [claim_value(self.rawtext, text, title=why, name=name)], []


def format_value(record: dict[str, Any], spec: str = "") -> str:
    """A claim or quote as it stands in a sentence.

    Args:
        record: `value`, perhaps `unit`, `low` and `high`.
        spec: A Python format specification; before it `low` or `high` for a bound of the
            band, after it ` u` for the unit.

    Returns:
        The text, with a true minus sign and powers of ten.

    Raises:
        ValueError: If the format does not fit the value, or that side has no bound.

    Example:
        >>> format_value({"value": 0.07123, "unit": "mag"}, ".3f u")
        '0.071\\xa0mag'
        >>> format_value({"value": 12000})
        '12,000'
    """
    spec = spec.rstrip()
    with_unit = spec == "u" or spec.endswith(" u")
    spec = spec[:-1].strip() if with_unit else spec.strip()
    value: Any = record["value"]
    for side in ("low", "high"):
        if spec.startswith(side):
            value, spec = record.get(side), spec[len(side) :]
            if value is None:
                raise ValueError(f"its band has no {side} end")
    text = _format_number(value, spec)
    unit = f"\u00a0{record.get('unit')}" if with_unit and record.get("unit") else ""
    return text + unit


def _format_number(value: Any, spec: str) -> str:
    if isinstance(value, str):
        return format(value, spec)
    if spec.endswith("d"):
        if float(value) != round(value):
            raise ValueError(f"{value} is not whole")
        value = round(value)
    if spec:
        text = format(value, spec)
    elif isinstance(value, int) or abs(value) >= 1000:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.3g}"
    exponent = re.search(r"e([+-]\d+)", text)
    if exponent:
        power = str(int(exponent.group(1))).translate(_SUPERSCRIPT)
        text = f"{text[: exponent.start()]} × 10{power}"
    return text.replace("-", "\u2212")


def _provenance(record: dict[str, Any]) -> str:
    page = record["file"].removesuffix(".md").removeprefix("book/")
    if "low" not in record:
        return f"{record['name']}, measured in this build by {page}"
    low, high = record["low"], record["high"]
    if low is None:
        band = f"at most {high:g}"
    else:
        band = f"at least {low:g}" if high is None else f"{low:g} to {high:g}"
    return f"{record['name']}, measured in this build by {page}; it must be {band}"


def visit_claim(translator: Any, node: claim_value) -> None:
    """HTML: the value, and on hover where it comes from."""
    translator.body.append(
        f'<data class="fl-claim" value="{translator.attval(node["name"])}" '
        f'title="{translator.attval(node["title"])}">'
    )


def depart_claim(translator: Any, node: claim_value) -> None:
    """HTML: the end of the value."""
    translator.body.append("</data>")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the role and the staleness rule."""
    app.add_config_value("firstlight_ledger", "_build/ledger.json", "env", str)
    plain = (lambda *_: None, lambda *_: None)
    app.add_node(claim_value, html=(visit_claim, depart_claim), latex=plain, text=plain)
    app.add_role("claim", ClaimRole())
    app.connect("env-get-outdated", outdated)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
