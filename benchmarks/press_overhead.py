"""What the press adds to the work of the chapters themselves.

The same chapters are run twice on a copy of the book: their cells as plain scripts, one
after the other, and by the press from nothing (kernels, tracing, ledger, pages). Judged is
wall time x chapters at once / CPU seconds of the scripts.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import Row
from firstlight.press.chapter import read_chapter
from firstlight.press.execute import THREADS, slots
from firstlight.press.toc import Book, Page, read_book

ROOT = Path(__file__).parents[1]
AIM = 1.15
NOT_COPIED = (".git", ".venv", "_build", "dist", "__pycache__", "*_cache", ".hypothesis")


@dataclass(frozen=True)
class Cost:
    """What a process and its children took, in seconds."""

    wall_s: float
    cpu_s: float


def script(book: Book, page: Page) -> str:
    """A chapter's cells as one plain Python script.

    Args:
        book: The book.
        page: An executable page.

    Returns:
        The cells in their order; lines for IPython alone (`%`, `!`) are left out.
    """
    cells = [cell for cell in read_chapter(book.root, page).notebook.cells]
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "code")
    kept = [line for line in text.splitlines() if not line.lstrip().startswith(("%", "!"))]
    return "\n".join(kept) + "\n"


def measure(command: list[str], folder: Path, environ: dict[str, str], log: Path) -> Cost:
    """Run a command to its end.

    Args:
        command: What to run.
        folder: Where.
        environ: Its environment.
        log: Where its output goes.

    Returns:
        Its cost.

    Raises:
        RuntimeError: If it fails; with the last lines of its output.
    """
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with log.open("wb") as out:
        done = subprocess.run(
            command, cwd=folder, env=environ, stdout=out, stderr=subprocess.STDOUT, check=False
        )
    wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        tail = "\n".join(log.read_text("utf-8", "replace").splitlines()[-12:])
        raise RuntimeError(f"{' '.join(command)}: exit status {done.returncode}\n{tail}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu)


def plain_scripts(book: Book, folder: Path) -> list[Cost]:
    """The cost of every chapter as a plain script, with the threads that a kernel has."""
    environ = {**os.environ, **THREADS, "PYTHONPATH": str(book.code), "MPLBACKEND": "agg"}
    costs = []
    for number, page in enumerate(book.chapters):
        path = folder / f"{number}.py"
        path.write_text(script(book, page), "utf-8")
        command = [sys.executable, str(path)]
        costs.append(measure(command, page.path.parent, environ, folder / "script.log"))
        print(f"  {page.docname} as a script: {costs[-1].cpu_s:.0f} CPU s", flush=True)
    return costs


def chapters_at_once(costs: list[Cost], cores: int) -> int:
    """How many chapters at once keep busy to the end.

    With two chapters of very different length a second core waits whatever the press does;
    then fewer at once measure the press and not the table of contents.

    Example:
        >>> chapters_at_once([Cost(300, 300), Cost(20, 20)], cores=2)
        1
    """
    cpu = [cost.cpu_s for cost in costs]
    return max(1, min(cores, int(sum(cpu) / max(cpu))))


def run(root: Path = ROOT) -> list[Row]:
    """Measure both on this machine, which should have nothing else to do.

    Args:
        root: The folder of the book.

    Returns:
        One row.
    """
    busy = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="firstlight-bench-") as place:
        folder = Path(place)
        copy = folder / "book"
        shutil.copytree(root, copy, ignore=shutil.ignore_patterns(*NOT_COPIED))
        book = read_book(copy)
        costs = plain_scripts(book, folder)
        jobs = chapters_at_once(costs, slots())
        command = [sys.executable, "-m", "firstlight.press", "book", "--jobs", str(jobs)]
        environ = {**os.environ, "PYTHONPATH": str(book.code)}
        press = measure([*command, "--root", str(copy)], copy, environ, folder / "press.log")
    cpu = sum(cost.cpu_s for cost in costs)
    note = (
        f"{len(costs)} chapters, {jobs} at once; the press took {press.wall_s:.0f} s of wall "
        f"time for executing and rendering, the scripts {cpu:.0f} CPU seconds."
    )
    if busy > 0.5:
        note += f" Load {busy:.1f} when it began: other work made the wall time longer."
    ours = press.wall_s * jobs
    return [Row("press overhead", ours, cpu, "s", ours / cpu, AIM, note=note)]
