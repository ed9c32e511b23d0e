"""The ledger: what every chapter measured and what it cost, in one file."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from firstlight.press.store import Record, write_atomic

PACKAGES = (
    "firstlight", "tensorflow", "tensorflow-cpu", "keras", "numpy", "scipy", "pandas",
    "scikit-learn", "matplotlib", "astropy", "galsim", "jupyter-book", "myst-nb", "sphinx",
)  # fmt: skip


def ledger_path(root: Path) -> Path:
    """Where a book's ledger lies."""
    return root / "_build" / "ledger.json"


def read_ledger(root: Path) -> dict[str, Any]:
    """Read a book's ledger.

    Args:
        root: The book's folder.

    Returns:
        The ledger; one without chapters if there is none.
    """
    try:
        found = json.loads(ledger_path(root).read_text("utf-8"))
        return found if isinstance(found, dict) else {"chapters": [], "book": {}}
    except (OSError, ValueError):
        return {"chapters": [], "book": {}}


def write_ledger(
    root: Path, records: list[Record], executed: set[str], wall_s: float, whole: bool = True
) -> dict[str, Any]:
    """Write the ledger of a build.

    Args:
        root: The book's folder.
        records: One per chapter, in the order of the table of contents.
        executed: The chapters that this build executed; the others are `cached` and
            keep the figures of their last execution.
        wall_s: Seconds since the build began.
        whole: Whether this is a build of the book; one of a single chapter leaves
            the book's times as they were.

    Returns:
        The ledger.
    """
    before = read_ledger(root).get("book", {})
    cold = bool(records) and executed >= {record.docname for record in records}
    book = {
        "cold_wall_s": round(wall_s, 1) if cold and whole else before.get("cold_wall_s"),
        "last_wall_s": round(wall_s, 1) if whole else before.get("last_wall_s"),
        "cpu_s": round(sum(record.cpu_s for record in records), 1),
        "cores": os.cpu_count() or 1,
        "versions": versions(),
    }
    chapters = [chapter_entry(record, record.docname not in executed) for record in records]
    ledger = {"chapters": chapters, "book": book}
    write_atomic(ledger_path(root), json.dumps(ledger, indent=1) + "\n")
    return ledger


def chapter_entry(record: Record, cached: bool) -> dict[str, Any]:
    """One chapter of the ledger."""
    return {
        "file": f"{record.docname}.md",
        "wall_s": round(record.wall_s, 2),
        "cpu_s": round(record.cpu_s, 2),
        "peak_rss_mb": round(record.peak_rss_mb, 1),
        "cached": cached,
        "depends": sorted(record.files),
        "claims": record.claims,
        "quotes": record.quotes,
    }


def shown_digest(ledger: dict[str, Any]) -> str:
    """Digest of what pages show of a ledger.

    Which chapters were cached and how long this build took differ from build to build;
    they alone are no reason to render a page again.

    Args:
        ledger: The ledger.

    Returns:
        SHA-256, in hexadecimal.
    """
    chapters = [
        {key: value for key, value in chapter.items() if key != "cached"}
        for chapter in ledger.get("chapters", [])
    ]
    book = {k: v for k, v in ledger.get("book", {}).items() if not k.endswith("_wall_s")}
    text = json.dumps([chapters, book], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that matter to a result."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
