"""Reads back what a chapter noted while it ran: files, registry entries, claims, quotes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHANGED = "changed while the chapter ran"
ABSENT = "absent"


@dataclass
class Trace:
    """What one run of a chapter touched and measured.

    Args:
        files: Files under `code/` that it imported or opened, absolute.
        folders: Folders under `code/` that it listed, absolute.
        entries: Registry entries it looked up, with their state then.
        claims: Claims in the ledger's form, in order; the last of a name counts.
        quotes: Quoted numbers in the ledger's form.
    """

    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    entries: dict[str, str] = field(default_factory=dict)
    claims: list[dict[str, Any]] = field(default_factory=list)
    quotes: list[dict[str, Any]] = field(default_factory=list)


def read_trace(path: Path) -> Trace:
    """Read a trace file.

    Args:
        path: A file of one JSON object per line; a last line cut short by a kill is ignored.

    Returns:
        Its content, each thing once.
    """
    trace = Trace()
    claims: dict[str, dict[str, Any]] = {}
    quotes: dict[str, dict[str, Any]] = {}
    lines = path.read_text("utf-8", "replace").splitlines() if path.is_file() else []
    for line in lines:
        try:
            note = json.loads(line)
        except ValueError:
            continue
        if "file" in note:
            trace.files.append(note["file"])
        elif "dir" in note:
            trace.folders.append(note["dir"])
        elif "entry" in note:
            trace.entries[note["entry"]] = note["state"]
        elif "claim" in note:
            claims[note["claim"]] = _claim(note)
        elif "quote" in note:
            name, unit = note["quote"], note.get("unit", "")
            quotes[name] = {"name": name, "value": note["value"], "unit": unit}
    trace.files, trace.folders = sorted(set(trace.files)), sorted(set(trace.folders))
    trace.claims, trace.quotes = list(claims.values()), list(quotes.values())
    return trace


def _claim(note: dict[str, Any]) -> dict[str, Any]:
    if "skipped" in note:
        return {"name": note["claim"], "skipped": note["skipped"]}
    return {
        "name": note["claim"],
        "value": note["value"],
        "low": note.get("low"),
        "high": note.get("high"),
        "unit": note.get("unit", ""),
    }


def file_digest(path: Path) -> str:
    """SHA-256 of a file, or `absent`.

    Args:
        path: The file; one that a chapter looked for and did not find may not exist.

    Returns:
        Hexadecimal digest.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ABSENT


def folder_digest(path: Path) -> str:
    """SHA-256 of the names in a folder, or `absent`.

    Args:
        path: The folder; Python's own caches in it do not count.

    Returns:
        Hexadecimal digest.
    """
    try:
        names = sorted(entry.name for entry in path.iterdir() if entry.name != "__pycache__")
    except OSError:
        return ABSENT
    return hashlib.sha256("\0".join(names).encode()).hexdigest()


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Modification time and size of every file under a folder.

    Taken before a chapter runs, it tells afterwards whether what the chapter read
    may have been edited meanwhile.

    Args:
        folder: The companion code's folder.

    Returns:
        Path to (time in ns, size in bytes).
    """
    found = {}
    for path in folder.rglob("*"):
        if "__pycache__" not in path.parts:
            try:
                status = path.stat()
            except OSError:
                continue
            found[str(path)] = (status.st_mtime_ns, status.st_size)
    return found
