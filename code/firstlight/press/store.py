"""Keeps each chapter's last execution, and says whether it still holds."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import platform
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from firstlight.press.chapter import read_chapter, source_digest
from firstlight.press.errors import PressError, disk_message
from firstlight.press.toc import Book, Page
from firstlight.press.tracing import CHANGED, Trace, file_digest, folder_digest

FORMAT = 1
LOCKS = ("requirements.txt", "requirements-data.txt")
# Where outputs go, where the data lie and how strict claims are do not change a result.
NOT_SETTINGS = ("FIRSTLIGHT_TRACE", "FIRSTLIGHT_DATA", "FIRSTLIGHT_CLAIMS")


@dataclass
class Record:
    """One chapter's last successful execution: its cost, its results, all it depended on."""

    docname: str
    source: str
    cells: str
    kernel: str
    locks: dict[str, str]
    settings: dict[str, str]
    files: dict[str, str]
    folders: dict[str, str]
    entries: dict[str, str]
    notebook: str
    wall_s: float
    cpu_s: float
    peak_rss_mb: float
    claims: list[dict[str, Any]] = field(default_factory=list)
    quotes: list[dict[str, Any]] = field(default_factory=list)
    stderr: list[dict[str, Any]] = field(default_factory=list)
    format: int = FORMAT


def settings() -> dict[str, str]:
    """The `FIRSTLIGHT_*` settings that can change a result."""
    return {
        name: value
        for name, value in sorted(os.environ.items())
        if name.startswith("FIRSTLIGHT_") and not name.startswith(NOT_SETTINGS)
    }


def locks(root: Path) -> dict[str, str]:
    """Digests of the lock files."""
    return {name: file_digest(root / name) for name in LOCKS}


def kernel() -> str:
    """The interpreter that chapters run on."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{python} {platform.system()} {platform.machine()}"


def entry_state(name: str, recorded: str) -> str:
    """State of a registry entry now: its SHA-256, or `absent`.

    Args:
        name: The entry.
        recorded: Its state when the chapter ran, returned where no archive can be asked.
    """
    try:
        return _archive_state(name)
    except ImportError:
        return recorded


@cache
def _archive_state(name: str) -> str:
    archive = import_module("firstlight.archive.cache")
    try:
        return str(archive.state(name))
    except (LookupError, RuntimeError):
        return "no longer in the registry"


def make_record(
    book: Book, page: Page, cells: str, trace: Trace, before: dict[str, tuple[int, int]]
) -> Record:
    """A record of an execution that has just ended, still without its cost.

    Args:
        book: The book.
        page: The chapter.
        cells: Digest of its cells.
        trace: What it touched and measured.
        before: The companion code's `snapshot` before it ran; what has changed since
            is recorded so that the chapter counts as stale.

    Returns:
        The record.
    """
    files = {}
    for name in trace.files:
        digest = file_digest(Path(name))
        files[_relative(book, name)] = digest if _unchanged(name, before) else CHANGED
    folders = {_relative(book, name): folder_digest(Path(name)) for name in trace.folders}
    return Record(
        docname=page.docname, source=source_digest(book.root, page), cells=cells,
        kernel=kernel(), locks=locks(book.root), settings=settings(), files=files,
        folders=folders, entries=trace.entries, notebook="", wall_s=0, cpu_s=0, peak_rss_mb=0,
        claims=trace.claims, quotes=trace.quotes,
    )  # fmt: skip


def _unchanged(name: str, before: dict[str, tuple[int, int]]) -> bool:
    try:
        status = os.stat(name)
    except OSError:
        return name not in before
    return before.get(name) == (status.st_mtime_ns, status.st_size)


def _relative(book: Book, name: str) -> str:
    path = Path(name)
    for root in (book.root, book.root.resolve()):
        if path.is_relative_to(root):
            return path.relative_to(root).as_posix()
    return Path(os.path.realpath(path)).relative_to(os.path.realpath(book.root)).as_posix()


def why_stale(book: Book, page: Page, record: Record | None) -> str | None:
    """Why a chapter must be executed again.

    Args:
        book: The book.
        page: The chapter.
        record: Its last execution, None if there is none.

    Returns:
        The reason in a few words, None if the record still holds.
    """
    if record is None:
        return "never executed"
    if record.format != FORMAT:
        return "recorded by another version of the press"
    if record.kernel != kernel():
        return "another Python"
    if notebook_path(book, page.docname).is_file() is False or record.notebook != file_digest(
        notebook_path(book, page.docname)
    ):
        return "its outputs are missing"
    if record.stderr:
        return "it wrote to standard error"
    for name, digest in locks(book.root).items():
        if record.locks.get(name) != digest:
            return f"{name} changed"
    if record.settings != settings():
        names = {name for name, _ in record.settings.items() ^ settings().items()}
        return f"{', '.join(sorted(names))} changed"
    for name, digest in record.files.items():
        if file_digest(book.root / name) != digest:
            return f"{name} changed"
    for name, digest in record.folders.items():
        if folder_digest(book.root / name) != digest:
            return f"files came or went in {name}"
    for name, state in record.entries.items():
        if entry_state(name, state) != state:
            return f"registry entry {name} changed"
    if record.source != source_digest(book.root, page):
        if record.cells != read_chapter(book.root, page).cells:
            return "its cells changed"
    return None


def record_path(book: Book, docname: str) -> Path:
    """Where a chapter's record lies."""
    return book.press / f"{docname.replace('/', '__')}.json"


def notebook_path(book: Book, docname: str) -> Path:
    """Where a chapter's executed notebook lies."""
    return book.press / f"{docname.replace('/', '__')}.ipynb"


def load(book: Book, docname: str) -> Record | None:
    """Read a record.

    Args:
        book: The book.
        docname: The chapter.

    Returns:
        The record, or None if there is none that can be read.
    """
    try:
        return Record(**json.loads(record_path(book, docname).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def save(book: Book, record: Record, notebook: str) -> None:
    """Keep a chapter's execution.

    The notebook goes first and the record, which holds its digest, after it: a build
    that is killed in between leaves a record that does not match, never a wrong page.

    Args:
        book: The book.
        record: The record.
        notebook: The executed notebook as JSON text.

    Raises:
        PressError: If the disk is full.
    """
    digest = hashlib.sha256(notebook.encode()).hexdigest()
    record = dataclasses.replace(record, notebook=digest)
    write_atomic(notebook_path(book, record.docname), notebook)
    text = json.dumps(dataclasses.asdict(record), indent=1)
    write_atomic(record_path(book, record.docname), text)


def write_atomic(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Args:
        path: The file; its folder is made.
        text: Its content.

    Raises:
        PressError: If the disk is full; what was at `path` before is still there.
    """
    partial = path.with_name(f".{path.name}.part")  # one build at a time: no two writers
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        message = disk_message(error)
        raise PressError(message or f"cannot write {path}: {error.strerror}.") from error
