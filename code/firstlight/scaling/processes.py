"""A function in fresh processes: one of them, or several that train one network together.

A chapter's kernel stays small, because TensorFlow or JAX live and die in the child. Children
that share a training find each other over the loopback; when one of them dies, the others
would wait for it for ever, so whoever started them ends them.
"""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firstlight.archive.errors import DataError
from firstlight.scaling.rank import PARENT

__all__ = ["Answer", "ChildDied", "Job", "call", "cores", "start"]

BACKENDS = ("jax", "tensorflow", "none")
_POLL_S = 0.02
_TAIL = 6  # lines of a dead child's last words


class ChildDied(DataError):
    """A process ended before it had an answer."""


@dataclass(frozen=True)
class Answer:
    """What one process found, and what it took.

    Args:
        value: What the function returned.
        cpu_s: CPU seconds of the function, without the start of the process.
        start_cpu_s: CPU seconds of the start: imports, and finding the others.
        peak_mb: Largest resident memory.
    """

    value: Any
    cpu_s: float
    start_cpu_s: float
    peak_mb: float


def cores() -> list[int]:
    """The cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


class Job:
    """Processes at work; `wait` for them, or `kill` one to see what happens."""

    def __init__(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], processes: int,
        backend: str, pin: bool,
    ) -> None:  # fmt: skip
        import cloudpickle  # takes functions of a notebook, too

        self.folder = Path(tempfile.mkdtemp(prefix="firstlight-job-"))
        (self.folder / "call").write_bytes(cloudpickle.dumps((function, arguments)))
        address = f"127.0.0.1:{_free_port()}" if processes > 1 else ""
        self.children: list[subprocess.Popen[bytes]] = []
        for rank in range(processes):
            home = cores()[rank % len(cores())] if pin else -1
            words = [str(self.folder), str(rank), str(processes), address, str(home)]
            with open(self.folder / f"log-{rank}", "wb") as log:
                self.children.append(subprocess.Popen(
                    [sys.executable, "-m", "firstlight.scaling.rank", *words],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=_environment(backend),
                ))  # fmt: skip

    def kill(self, rank: int = 0) -> None:
        """Kill one process outright (SIGKILL), as a scheduler or the kernel would."""
        self.children[rank].kill()
        self.children[rank].wait()

    def wait(self, timeout_s: float = 3600.0) -> list[Answer]:
        """Wait for all of them.

        Args:
            timeout_s: Seconds after which they are ended.

        Returns:
            The answer of each, in order.

        Raises:
            ChildDied: If one ended without an answer; the others are then ended, too.
        """
        deadline = time.monotonic() + timeout_s
        try:
            while any(child.poll() is None for child in self.children):
                if any(child.poll() for child in self.children):
                    break
                if time.monotonic() > deadline:
                    raise ChildDied(
                        f"processes: received no answer in {timeout_s:.0f} s, expected one. "
                        "Give them longer, or less to do."
                    )
                time.sleep(_POLL_S)
            self._judge()
            return [
                pickle.loads((self.folder / f"answer-{rank}").read_bytes())
                for rank in range(len(self.children))
            ]
        finally:
            self.end()

    def _judge(self) -> None:
        for rank, child in enumerate(self.children):
            status = child.poll()
            if status:
                how = f"signal {-status} ({_signal(-status)})" if status < 0 else f"status {status}"
                words = (self.folder / f"log-{rank}").read_text("utf-8", "replace").splitlines()
                said = " | ".join(line.strip() for line in words[-_TAIL:] if line.strip())
                raise ChildDied(
                    f"process {rank + 1} of {len(self.children)}: received an end by {how}, "
                    f"expected an answer. What was saved is kept: start again to go on from "
                    f"there.{f' Its last words: {said}' if said and status > 0 else ''}"
                )

    def end(self) -> None:
        """End whatever still runs, and clear up."""
        for child in self.children:
            if child.poll() is None:
                child.kill()
            child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def start(
    function: Callable[..., Any], *arguments: Any, processes: int = 1, backend: str = "jax",
    pin: bool = False,
) -> Job:  # fmt: skip
    """Start a function in fresh processes.

    Args:
        function: Called with the arguments in every process; what it needs it imports itself.
        *arguments: Anything that can be pickled.
        processes: How many; if more than one, they form one Keras data-parallel group.
        backend: Keras's backend there; `none` where Keras is not needed.
        pin: Keep each process on a core of its own (as far as there are that many), so that
            one process means one core.

    Returns:
        The running job.

    Raises:
        ValueError: If the backend is unknown, or cannot be shared among processes.
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend: received {backend!r}, expected one of {', '.join(BACKENDS)}.")
    if processes < 1 or (processes > 1 and backend != "jax"):
        raise ValueError(
            f"processes: received {processes} with the backend {backend}, expected one, or more "
            "on the JAX backend: Keras 3 shares a fit among processes only there."
        )
    return Job(function, arguments, processes, backend, pin)


def call(function: Callable[..., Any], *arguments: Any, **options: Any) -> list[Answer]:
    """Start a function in fresh processes and wait for the answers; see `start`.

    Example:
        >>> call(sum, [1, 2], backend="none")[0].value
        3
    """
    return start(function, *arguments, **options).wait()


def _environment(backend: str) -> dict[str, str]:
    env = dict(os.environ)
    env.pop("KERAS_BACKEND", None)
    env[PARENT] = str(os.getpid())
    path = [str(Path(__file__).parents[2]), env.get("PYTHONPATH", "")]
    if path[0] not in path[1].split(os.pathsep):
        env["PYTHONPATH"] = os.pathsep.join(part for part in path if part)
    if backend == "jax":
        env |= {"KERAS_BACKEND": "jax", "JAX_CPU_COLLECTIVES_IMPLEMENTATION": "gloo"}
    elif backend == "tensorflow":
        env |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    return env


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
