"""Breaks chapters on purpose, one line at a time: some claim of theirs must notice.

`mutants.toml` in the book's folder lists what to break: in which chapter, which text of a code
cell becomes which other text, and which claims ought to notice. A mutant is killed if one of
these claims leaves its band or is no number; claims are only recorded meanwhile, so that all
can be seen. (Studies have mutants of their own, in `firstlight.studies.mutants`.)
"""

from __future__ import annotations

import copy
import dataclasses
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firstlight.press.chapter import Chapter, cells_digest, read_chapter
from firstlight.press.errors import PressError
from firstlight.press.execute import Manner, Outcome, Task, execute
from firstlight.press.seeds import held
from firstlight.press.toc import Book
from firstlight.press.tracing import read_trace

TABLE = "mutants.toml"
KINDS = ("control", "crude", "near miss")


@dataclass(frozen=True)
class Mutant:
    """One line of a chapter, broken.

    Args:
        chapter: The page, such as `why/what-is-deep-learning`.
        name: What is wrong, in words.
        kind: One of `KINDS`; a control changes nothing and must break nothing.
        old: Text that stands in exactly one code cell, once.
        new: What stands there instead.
        breaks: Beginnings of the names of the claims that ought to notice.
    """

    chapter: str
    name: str
    kind: str
    old: str = ""
    new: str = ""
    breaks: tuple[str, ...] = ()


def read_mutants(root: Path) -> list[Mutant]:
    """The mutants of a book; none if it has no table of them.

    Args:
        root: The book's folder.

    Raises:
        PressError: If an entry is not as `Mutant` describes.
    """
    path = root / TABLE
    if not path.is_file():
        return []
    found = []
    for entry in tomllib.loads(path.read_text("utf-8")).get("mutant", []):
        try:
            mutant = Mutant(**{**entry, "breaks": tuple(entry.get("breaks", ()))})
        except TypeError as error:
            raise PressError(f"{TABLE}: {entry}: {error}") from error
        if mutant.kind not in KINDS or (mutant.kind != "control" and not mutant.breaks):
            raise PressError(
                f"{TABLE}: {mutant.name!r}: received kind {mutant.kind!r} and breaks "
                f"{list(mutant.breaks)}, expected one of {', '.join(KINDS)} and some claims."
            )
        found.append(mutant)
    return found


def mutate(chapter: Chapter, mutant: Mutant) -> Chapter:
    """A copy of a chapter with the mutant's text in place.

    Raises:
        PressError: If the old text does not stand in the chapter's code exactly once.
    """
    if mutant.kind == "control":
        return chapter
    notebook: Any = copy.deepcopy(chapter.notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    times = sum(cell.source.count(mutant.old) for cell in code) if mutant.old else 0
    if times != 1:
        raise PressError(
            f"{TABLE}: {mutant.name!r}: {mutant.old!r} stands {times} times in the code of "
            f"{mutant.chapter}, expected once."
        )
    for cell in code:
        cell.source = cell.source.replace(mutant.old, mutant.new)
    return dataclasses.replace(chapter, notebook=notebook, cells=cells_digest(notebook))


def judge(mutant: Mutant, claims: list[dict[str, Any]]) -> tuple[bool, list[str]]:
    """Was a mutant judged rightly, and which claims noticed?

    Args:
        mutant: The mutant.
        claims: Its recorded claims.

    Returns:
        Whether it was: a control must break no claim, any other one of those it names. And the
        names of all claims out of their bands.
    """
    measured = [c for c in claims if "skipped" not in c]
    broken = [c["name"] for c in measured if not held(float(c["value"]), c["low"], c["high"])]
    if mutant.kind == "control":
        return not broken, broken
    return any(name.startswith(mutant.breaks) for name in broken), broken


def run_mutants(book: Book, name: str | None = None, jobs: int | None = None) -> int:
    """Execute every mutant of the chapters and print which claims it breaks.

    Args:
        book: The book.
        name: One chapter only.
        jobs: How many at once.

    Returns:
        0 if every mutant was killed and every control lived, else 1.
    """
    page = book.page(name) if name is not None else None
    wanted = [m for m in read_mutants(book.root) if page in (None, book.page(m.chapter))]
    if not wanted:
        return 0
    by_label = {f"{m.chapter}: {m.name}": m for m in wanted}
    environment = {"FIRSTLIGHT_CLAIMS": "record"}
    tasks = [
        Task(mutate(read_chapter(book.root, book.page(m.chapter)), m), label, None, environment)
        for label, m in by_label.items()
    ]
    missed: list[str] = []

    def ended(outcome: Outcome) -> str:
        mutant = by_label[outcome.task.label]
        if outcome.failure:
            # A cell that fails is noticed too, unless nothing was wrong.
            reason = str(outcome.failure["reason"]).splitlines() or [""]
            right, says = mutant.kind != "control", f"a cell failed ({reason[0][:80]})"
        else:
            right, broken = judge(mutant, read_trace(outcome.trace).claims)
            says = "breaks " + (", ".join(broken) or "nothing")
        if not right:
            missed.append(outcome.task.label)
        return f"{mutant.kind}: {says}" + ("" if right else "   <-- not as it should be")

    execute(book, tasks, ended, Manner(jobs=jobs))
    if missed:
        print(f"{len(missed)} of {len(tasks)} were not judged rightly: tighten the claims.")
    return int(bool(missed))
