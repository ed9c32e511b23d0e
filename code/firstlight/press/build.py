"""A build, from the sources to the pages: what `make book` and `make chapter` do."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import filelock

from firstlight.press import store
from firstlight.press.chapter import read_chapter
from firstlight.press.display import Display
from firstlight.press.errors import PressError
from firstlight.press.execute import Manner, Outcome, Task, describe, execute
from firstlight.press.ledger import shown_digest, write_ledger
from firstlight.press.toc import Book, Page, read_book
from firstlight.press.tracing import read_trace, snapshot

DAY_S = 86_400


@dataclass(frozen=True)
class Options:
    """What a build was asked for.

    Args:
        only: The one page to execute and render, None for the whole book.
        jobs: How many chapters to run at once, None for as many as fit.
        force: Whether to execute chapters that are not stale, too.
    """

    only: str | None = None
    jobs: int | None = None
    force: bool = False


@contextmanager
def one_build(book: Book) -> Iterator[None]:
    """Hold the book's build folder; wait for another build to end, and say so."""
    book.press.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(book.press / "lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        print("Another build of this book is running; waiting for it to end.", flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def build(root: Path, options: Options | None = None) -> int:
    """Build the book, or one page of it.

    Args:
        root: The book's folder.
        options: What to build.

    Returns:
        0 if all went well, 1 if a chapter failed or a page has a problem.

    Raises:
        PressError: If the build cannot go on.
    """
    options = options or Options()
    begun = time.monotonic()
    book = read_book(root)
    only = book.page(options.only).docname if options.only else None
    with one_build(book):
        fetch_small_data(book)
        run = Executions(book, options, only)
        run.execute_stale()
        if run.failures:
            print("\n" + "\n\n".join(run.failures))
            kept = " The other chapters are done and kept." if len(run.wanted) > 1 else ""
            print(f"\nThe book was not built.{kept}")
            return 1
        return _finish(run, begun)


class Executions:
    """The executions of one build.

    Args:
        book: The book.
        options: What was asked for.
        only: The one page to execute, None for all.
    """

    def __init__(self, book: Book, options: Options, only: str | None):
        self.book, self.options, self.only = book, options, only
        self.wanted = [p for p in book.chapters if only in (None, p.docname)]
        self.executed: set[str] = set()
        self.failures: list[str] = []
        self.before = snapshot(book.code)

    def execute_stale(self) -> None:
        """Execute the chapters that need it, and keep what they gave."""
        display = Display([page.docname for page in self.wanted])
        tasks = []
        for page in self.wanted:
            record = store.load(self.book, page.docname)
            reason = store.why_stale(self.book, page, record)
            if reason is None and not self.options.force:
                display.done(page.docname, "cached")
                continue
            if record is not None:
                print(f"  {page.docname}: {reason or 'asked for'}")
            chapter = read_chapter(self.book.root, page)
            tasks.append(Task(chapter, page.docname, record.wall_s if record else None))
        scratch = self.book.press / "run"
        shutil.rmtree(scratch, ignore_errors=True)  # what a killed build left
        scratch.mkdir(parents=True)
        how = Manner(self.options.jobs, cell_timeout(self.book), scratch)
        execute(self.book, tasks, self._ended, how, display)

    def _ended(self, outcome: Outcome) -> str:
        page = outcome.task.chapter.page
        if outcome.failure:
            self.failures.append(describe(f"{page.docname}.md", outcome.failure))
            return f"FAILED in cell {outcome.failure['cell']}"
        trace, result = read_trace(outcome.trace), outcome.result
        record = store.make_record(self.book, page, outcome.task.chapter.cells, trace, self.before)
        cost = {key: result[key] for key in ("wall_s", "cpu_s", "peak_rss_mb", "stderr")}
        store.save(self.book, replace(record, **cost), outcome.notebook)
        self.executed.add(page.docname)
        held = sum("skipped" not in claim for claim in trace.claims)
        return (
            f"done in {result['wall_s']:.0f} s ({result['cpu_s']:.0f} CPU s, "
            f"{result['peak_rss_mb'] / 1000:.1f} GB, {count(held, 'claim')} held)"
        )

    def records(self) -> list[store.Record]:
        """Every chapter's record, as far as there is one."""
        found = (store.load(self.book, page.docname) for page in self.book.chapters)
        return [record for record in found if record is not None]


def _finish(run: Executions, begun: float) -> int:
    """Ledger and pages, once all chapters are executed."""
    from firstlight.press.pages import render

    book, records = run.book, run.records()

    def write() -> dict[str, Any]:
        wall_s = time.monotonic() - begun
        return write_ledger(book.root, records, run.executed, wall_s, whole=run.only is None)

    shown = shown_digest(write())
    current = {page.docname: page for page in book.chapters}
    usable = [record for record in records if _shows(book, current[record.docname], record)]
    problems = _noise(book, run.wanted) + render(book, usable, shown, run.only)
    if problems:
        print("\n" + "\n".join(problems))
        print(f"\nThe book was not built: {count(len(problems), 'problem')}.")
        return 1
    write()  # once more: now the time includes the pages
    path = book.html / f"{run.only or book.pages[0].docname}.html"
    held = sum("skipped" not in c for r in records for c in r.claims)
    what = "Page" if run.only else count(len(book.pages), "page")
    seconds = f"{time.monotonic() - begun:.0f} s"
    done = f"{len(run.executed)} executed, {count(held, 'claim')} held"
    print(f"{what} built in {seconds} ({done}). Open:\n{path}")
    return 0


def count(n: int, noun: str) -> str:
    """A number and its noun.

    Example:
        >>> count(1, "claim"), count(31, "claim")
        ('1 claim', '31 claims')
    """
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _shows(book: Book, page: Page, record: store.Record) -> bool:
    """Whether a record's outputs belong to the cells that the page has now."""
    if record.notebook != store.file_digest(store.notebook_path(book, page.docname)):
        return False
    if record.source == store.source_digest(book.root, page):
        return True
    return record.cells == read_chapter(book.root, page).cells


def _noise(book: Book, pages: list[Page]) -> list[str]:
    """What chapters left on standard error: warnings that a reader would see."""
    found = []
    for page in pages:
        record = store.load(book, page.docname)
        for item in record.stderr if record else []:
            found.append(
                f"{page.docname}.md: cell {item['cell']} wrote to standard error: {item['line']} "
                "(mend its cause; if readers should see it, tag the cell allow-stderr)"
            )
    return found


def cell_timeout(book: Book) -> int | None:
    """Seconds that one cell may take, from `execute: timeout` (an hour if unset)."""
    import yaml

    path = book.root / "_config.yml"
    config: Any = yaml.safe_load(path.read_text("utf-8")) if path.is_file() else {}
    timeout = ((config or {}).get("execute") or {}).get("timeout", 3600)
    return int(timeout) if timeout and int(timeout) > 0 else None


def fetch_small_data(book: Book) -> None:
    """Try once to bring in the small optional data; without them the book is built, too.

    Args:
        book: The book. Only one that holds the archive itself is served, and after a
            failure the next try is a day later, so that a build offline is not slowed.
    """
    if not (book.code / "firstlight" / "archive").is_dir():
        return
    from firstlight.archive import cache, registry

    missing = [n for n in registry.names(small=True, wheels=False) if cache.state(n) == "absent"]
    marker = book.press / "fetch-failed"
    if not missing or (marker.is_file() and time.time() - marker.stat().st_mtime < DAY_S):
        return
    print(f"Fetching the small optional data ({count(len(missing), 'file')})", flush=True)
    try:
        cache.fetch(missing, attempts=1, timeout_s=10)
    except Exception as error:  # whatever it is: these data are optional
        store.write_atomic(marker, f"{error}\n")
        print(f"  not to be had, so the book is built without them: {str(error).splitlines()[0]}")


def clean(root: Path) -> None:
    """Remove all that a build made.

    Args:
        root: The book's folder.

    Raises:
        PressError: If a build is running.
    """
    folder = root.resolve() / "_build"
    if not folder.exists():
        return
    lock = filelock.FileLock(folder / ".press" / "lock")
    if (folder / ".press").is_dir():
        try:
            with lock.acquire(timeout=0):
                pass
        except filelock.Timeout:
            raise PressError("a build of this book is running; nothing was removed.") from None
    shutil.rmtree(folder)
