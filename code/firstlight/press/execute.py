"""Executes chapters side by side, longest first, exclusive ones alone at the end."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

import firstlight
from firstlight.press.chapter import Chapter, first_line
from firstlight.press.display import Display
from firstlight.press.toc import Book

CHAPTER_MB = 1600  # what a chapter may need: a machine short of memory runs fewer at once

THREADS = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "PYTHONHASHSEED": "0",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}


@dataclass(frozen=True)
class Task:
    """One execution of a chapter.

    Args:
        chapter: The chapter.
        label: What to call this execution (`seeds` runs a chapter several times).
        expected_s: How long it took last time, None if never: unknown ones go first.
        env: Further settings for the kernel.
    """

    chapter: Chapter
    label: str
    expected_s: float | None = None
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How an execution ended.

    Args:
        task: What was executed.
        trace: The file of what it touched and measured.
        notebook: The executed notebook as JSON text, empty after a failure.
        result: Its cost, and `failure` (None if all went well), as `worker.run` returns.
    """

    task: Task
    trace: Path
    notebook: str
    result: dict[str, Any]

    @property
    def failure(self) -> dict[str, Any] | None:
        """What went wrong, None if all went well."""
        return self.result["failure"]  # type: ignore[no-any-return]


def slots(jobs: int | None = None) -> int:
    """How many chapters to run at once: one per core, as far as memory allows."""
    if jobs:
        return max(1, jobs)
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    memory = psutil.virtual_memory().available // (CHAPTER_MB * 2**20)
    return max(1, min(cores, int(memory)))


def kernel_env(book: Book, trace: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """The environment of a chapter's kernel.

    Args:
        book: The book, whose `code/` comes first on the path.
        trace: The file to which the kernel notes what it touches.
        extra: Settings of this execution.

    Returns:
        All of its variables.
    """
    env = dict(os.environ)
    env.pop("MPLBACKEND", None)  # the kernel draws inline
    here = Path(__file__).parent / "trace"
    path = [str(here), str(book.code), env.get("PYTHONPATH", "")]
    env.update(THREADS)
    env["PYTHONPATH"] = os.pathsep.join(part for part in path if part)
    env["FIRSTLIGHT_TRACE"] = str(trace)
    env["FIRSTLIGHT_TRACE_CODE"] = str(book.code)
    # The reader's own IPython start-up files must not change the book.
    env["IPYTHONDIR"] = str(trace.parent / "ipython")
    env["JUPYTER_PLATFORM_DIRS"] = "1"
    # Nor must their Matplotlib settings, nor a list of fonts that another environment left.
    if os.access(sys.prefix, os.W_OK):
        env["MPLCONFIGDIR"] = str(Path(sys.prefix) / "var" / "matplotlib")
    env.update(extra)
    return env


@dataclass(frozen=True)
class Manner:
    """How tasks are executed.

    Args:
        jobs: How many at once; as many as the machine has cores if None.
        timeout: Seconds that a cell may take.
        scratch: Where workers leave their files; the system's temporary folder if None.
    """

    jobs: int | None = None
    timeout: int | None = 3600
    scratch: Path | None = None


class Running:
    """A worker process at work on one task."""

    def __init__(
        self, book: Book, task: Task, how: Manner, events: queue.Queue[Any]
    ):  # fmt: skip
        self.task = task
        self.folder = Path(tempfile.mkdtemp(prefix="firstlight-", dir=how.scratch))
        self.trace = self.folder / "trace.jsonl"
        job = {
            "notebook": str(self.folder / "in.ipynb"),
            "executed": str(self.folder / "out.ipynb"),
            "result": str(self.folder / "result.json"),
            "folder": str(task.chapter.page.path.parent),
            "env": kernel_env(book, self.trace, task.env),
            "timeout": how.timeout,
        }
        import nbformat

        nbformat.write(task.chapter.notebook, job["notebook"])
        (self.folder / "job.json").write_text(json.dumps(job), "utf-8")
        env = dict(os.environ)
        package = str(Path(firstlight.__file__).parents[1])
        env["PYTHONPATH"] = os.pathsep.join(filter(None, [package, env.get("PYTHONPATH")]))
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "firstlight.press.worker", str(self.folder / "job.json")],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=env,
                start_new_session=True,  # Ctrl-C reaches the press, which ends its workers
            )  # fmt: skip
        threading.Thread(target=self._listen, args=(events,), daemon=True).start()

    def _listen(self, events: queue.Queue[Any]) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            try:
                step = json.loads(line)
                events.put((self, f", cell {step['cell']} of {step['of']}"))
            except (ValueError, KeyError, TypeError):
                continue
        self.process.wait()
        events.put((self, None))

    def outcome(self) -> Outcome:
        """What the ended worker left behind."""
        try:
            result = json.loads((self.folder / "result.json").read_text("utf-8"))
        except (OSError, ValueError):
            lines = (self.folder / "log").read_text("utf-8", "replace").strip().splitlines()
            reason = lines[-1] if lines else f"exit status {self.process.returncode}"
            kind = "the worker stopped"
            result = {"failure": {"cell": 0, "source": "", "kind": kind, "reason": reason,
                                  "traceback": lines[-12:-1]}}  # fmt: skip
        executed = self.folder / "out.ipynb"
        text = executed.read_text("utf-8") if result["failure"] is None else ""
        return Outcome(self.task, self.trace, text, result)

    def end(self) -> None:
        """End the worker and its kernel, and clear up."""
        if self.process.stdin is not None:
            self.process.stdin.close()  # the worker then kills its kernel and leaves
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def execute(
    book: Book,
    tasks: list[Task],
    ended: Callable[[Outcome], str],
    how: Manner | None = None,
    display: Display | None = None,
) -> None:
    """Execute tasks; all of them, also after one has failed.

    Args:
        book: The book.
        tasks: What to execute.
        ended: Called with each outcome as it comes; returns the words for its live line.
        how: How many at once, and so on.
        display: The live lines.

    Raises:
        KeyboardInterrupt: After Ctrl-C, when the workers are gone.
    """
    how = how or Manner()
    display = display or Display([task.label for task in tasks])
    side_by_side = [task for task in tasks if not task.chapter.page.exclusive]
    alone = [task for task in tasks if task.chapter.page.exclusive]
    side_by_side.sort(key=lambda task: task.expected_s or float("inf"), reverse=True)
    for waiting, limit in ((side_by_side, slots(how.jobs)), (alone, 1)):
        _drain(book, waiting, limit, ended, how, display)


def _drain(
    book: Book, waiting: list[Task], limit: int, ended: Callable[[Outcome], str],
    how: Manner, display: Display,
) -> None:  # fmt: skip
    events: queue.Queue[Any] = queue.Queue()
    waiting = list(waiting)
    running: set[Running] = set()
    try:
        while waiting or running:
            while waiting and len(running) < limit:
                worker = Running(book, waiting.pop(0), how, events)
                running.add(worker)
                display.running(worker.task.label)
            try:
                worker, step = events.get(timeout=1.0)
            except queue.Empty:
                display.redraw()
                continue
            if step is not None:
                display.running(worker.task.label, step)
                continue
            running.discard(worker)
            try:
                display.done(worker.task.label, ended(worker.outcome()))
            finally:
                worker.end()
    finally:
        for worker in running:
            worker.end()


def describe(name: str, failure: dict[str, Any]) -> str:
    """The one plain message about a failed chapter.

    Args:
        name: The chapter.
        failure: What went wrong, as `worker.failure` says it.

    Returns:
        Chapter, cell, reason, and the end of the traceback.
    """
    where = f"{name}: "
    if failure["cell"]:
        where += f"cell {failure['cell']} ({first_line(failure['source'])}) failed\n"
    lines = [where + f"    {failure['kind']}: {failure['reason']}"]
    if failure["traceback"]:
        lines.append("  The end of its traceback:")
        lines += [f"    {line}" for line in failure["traceback"]]
    return "\n".join(lines)
