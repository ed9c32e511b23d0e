"""Executes one chapter in a kernel of its own, and measures what it costs.

The press starts one such process per chapter: `python -m firstlight.press.worker JOB`.
`JOB` names a JSON file with the notebook, the folder to run in, the kernel's
environment and where the results go. Progress is written to standard output, one JSON
object per cell. When standard input closes, the press is gone: the kernel is killed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil

SAMPLE_S = 0.25
TAIL = 12  # lines of a traceback that are worth reading first

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# What TensorFlow's C++ side (absl logging) writes to file descriptor 2. Python warnings
# and Python loggers are not matched: the author must see those.
_NOISE = re.compile(
    r"""^(?:
        [IWEF]\d{4}\ \d\d:\d\d:\d+\.\d+\ .*
      | \d{4}-\d\d-\d\d\ \d\d:\d\d:\d\d\.\d+:\ [IWEF]\ .*
      | WARNING:\ All\ log\ messages\ before\ absl::InitializeLog\(\)\ is\ called.*
      | To\ enable\ the\ following\ instructions:.*
      | \s*Skipping\ registering\ GPU\ devices.*
    )$""",
    re.VERBOSE,
)


class Meter:
    """Follows the CPU time and the memory of a process and of all its children.

    Args:
        pid: The process. Children that have ended count through their parent, which
            waited for them.
    """

    def __init__(self, pid: int):
        self.process = psutil.Process(pid)
        self.peak_rss = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(SAMPLE_S):
            self.sample()

    def sample(self) -> float:
        """Note the memory now; return the CPU seconds so far."""
        rss, cpu = 0, 0.0
        for process in tree(self.process):
            try:
                with process.oneshot():
                    rss += process.memory_info().rss
                    times = process.cpu_times()
            except psutil.Error:
                continue
            cpu += times.user + times.system
            cpu += getattr(times, "children_user", 0) + getattr(times, "children_system", 0)
        self.peak_rss = max(self.peak_rss, rss)
        return cpu

    def stop(self) -> float:
        """End the sampling; return the CPU seconds in all."""
        self._stop.set()
        self._thread.join()
        return self.sample()


def tree(process: psutil.Process) -> list[psutil.Process]:
    """A process and all its living descendants."""
    try:
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def kill_tree(pid: int) -> None:
    """Kill a process and all its descendants, at once."""
    try:
        processes = tree(psutil.Process(pid))
    except psutil.Error:
        return
    for process in processes:
        try:
            process.kill()
        except psutil.Error:
            continue


def quiet(text: str) -> str:
    """Standard error without TensorFlow's C++ log lines.

    Args:
        text: What a cell wrote to standard error.

    Returns:
        The rest; empty if nothing else was there.

    Example:
        >>> quiet("I0000 00:00:1732.5 42 gpu.cc:1] no GPU\\nUserWarning: look\\n")
        'UserWarning: look\\n'
    """
    kept = [line for line in text.splitlines(keepends=True) if not _NOISE.match(line.rstrip())]
    return "".join(kept) if any(line.strip() for line in kept) else ""


def clean(notebook: Any) -> list[dict[str, Any]]:
    """Take log noise out of a notebook's outputs.

    Args:
        notebook: An executed notebook, changed in place.

    Returns:
        What is left on standard error, `{"cell", "line"}` for each cell: things that
        an author must look at. Cells tagged `remove-stderr` or `allow-stderr` are let be.
    """
    left = []
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(cells, 1):
        kept, error = [], ""
        for output in cell.outputs:
            if output.output_type == "stream" and output.name == "stderr":
                output.text = quiet(output.text)
                error += output.text
                if not output.text:
                    continue
            kept.append(output)
        cell.outputs = kept
        tags = cell.metadata.get("tags", [])
        if error and "remove-stderr" not in tags and "allow-stderr" not in tags:
            line = next(line for line in error.splitlines() if line.strip())
            left.append({"cell": number, "line": _ANSI.sub("", line).strip()})
    return left


def failure(number: int, source: str, error: Exception) -> dict[str, Any]:
    """What went wrong in a cell, in the form that the press prints.

    Args:
        number: The cell, counted from 1 among the code cells.
        source: Its text.
        error: What nbclient raised.

    Returns:
        `{"cell", "source", "reason", "kind", "traceback"}`.
    """
    name, reason = getattr(error, "ename", type(error).__name__), getattr(error, "evalue", "")
    if not reason:
        reason = str(error).strip() or "no reason given"
    if name in ("DeadKernelError", "RuntimeError") and "died" in str(error).lower():
        name, reason = "the kernel died", "killed from outside, most often for want of memory"
    if name == "CellTimeoutError":
        reason = "the cell took longer than `execute: timeout` in _config.yml allows"
    lines = _ANSI.sub("", str(getattr(error, "traceback", ""))).strip().splitlines()
    lines = [line.rstrip() for line in lines if line.strip()]
    tail = [] if name == "ClaimError" else lines[-TAIL:]
    return {"cell": number, "source": source, "kind": name,
            "reason": _ANSI.sub("", reason), "traceback": tail}  # fmt: skip


def start_client(job: dict[str, Any], notebook: Any) -> Any:
    """A notebook client on this very interpreter, whatever kernels the user has installed."""
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    specs = KernelSpecManager()
    specs.kernel_dirs = []  # only ipykernel's own, which runs sys.executable
    manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=specs)
    return NotebookClient(
        notebook,
        km=manager,
        timeout=job.get("timeout"),
        startup_timeout=180,
        shutdown_kernel="immediate",
        store_widget_state=False,
        record_timing=False,  # times of day would change every run
        resources={"metadata": {"path": job["folder"]}},
    )


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Execute a notebook.

    Args:
        job: `notebook` (path of the notebook to execute), `executed` (path to write it to),
            `folder` (working folder), `env` (the kernel's environment), `timeout` (seconds
            a cell, or null).

    Returns:
        `wall_s`, `cpu_s`, `peak_rss_mb`, `stderr` and `failure` (null if all went well).
    """
    import nbformat
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook = nbformat.read(job["notebook"], 4)
    client = start_client(job, notebook)
    _follow_the_press(Path(job["result"]).parent)
    begun, failed, number, source = time.monotonic(), None, 0, ""
    with client.setup_kernel(env=job["env"], cleanup_kc=True):
        meter = Meter(client.km.provisioner.pid)
        codes = [index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
        try:
            for number, index in enumerate(codes, 1):  # noqa: B007
                print(json.dumps({"cell": number, "of": len(codes)}), flush=True)
                source = notebook.cells[index].source
                client.execute_cell(notebook.cells[index], index)
        except (CellExecutionError, CellTimeoutError, DeadKernelError, RuntimeError) as error:
            failed = failure(number, source, error)
        cpu_s = meter.stop()
        wall_s = time.monotonic() - begun
        for child in tree(meter.process)[1:]:
            kill_tree(child.pid)
    stderr = clean(notebook)
    notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    if failed is None:
        nbformat.write(notebook, job["executed"])
    peak = meter.peak_rss / 2**20
    return {"wall_s": wall_s, "cpu_s": cpu_s, "peak_rss_mb": peak, "stderr": stderr,
            "failure": failed}  # fmt: skip


def _follow_the_press(scratch: Path) -> None:
    """Kill the kernel and leave as soon as the press is gone (standard input closes)."""

    def wait() -> None:
        while sys.stdin.buffer.read(1):
            pass
        for child in tree(psutil.Process())[1:]:
            kill_tree(child.pid)
        shutil.rmtree(scratch, ignore_errors=True)
        os._exit(3)

    threading.Thread(target=wait, daemon=True).start()


def main() -> int:
    """Run the job named on the command line and write its result."""
    job = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    result = run(job)
    partial = Path(job["result"] + ".part")
    partial.write_text(json.dumps(result), "utf-8")
    partial.replace(job["result"])
    sys.stdout.flush()
    # Nothing is left to do, and interpreter shutdown costs a tenth of a second.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
