"""The job script that a cluster under SLURM wants: resources, a kill foreseen, a way back."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Resources", "script"]

_NAME = re.compile(r"[\w.@-]+")
AT_ONCE_S = 120
RESTARTS = 20  # a job that comes back more often than this is not getting anywhere


@dataclass(frozen=True)
class Resources:
    """What a job asks for.

    Args:
        hours: By the clock, after which SLURM ends it.
        cores: On one node.
        memory_gb: In all.
        gpus: On that node.
        partition: As the cluster calls it; empty for its default.
        account: Who pays; empty where nobody asks.
        setup: A line of the shell that brings Python, such as `source ~/.venv/bin/activate`.
    """

    hours: float = 8.0
    cores: int = 1
    memory_gb: float = 4.0
    gpus: int = 0
    partition: str = ""
    account: str = ""
    setup: str = ""

    def __post_init__(self) -> None:
        if not (self.hours > 0 and self.cores >= 1 and self.memory_gb > 0 and self.gpus >= 0):
            raise ValueError(
                f"resources: received {self.hours} hours, {self.cores} cores, {self.memory_gb} GB, "
                f"{self.gpus} GPUs; expected more than nothing of the first three."
            )
        for name in ("partition", "account"):
            word = getattr(self, name)
            if word and not _NAME.fullmatch(word):
                raise ValueError(
                    f"{name}: received {word!r}, expected one word of letters, digits, . _ @ -."
                )

    @property
    def walltime(self) -> str:
        """As SLURM writes it: days-hours:minutes:seconds."""
        minutes = max(1, round(60 * self.hours))
        days, minutes = divmod(minutes, 24 * 60)
        return f"{days}-{minutes // 60:02d}:{minutes % 60:02d}:00"


def script(words: Sequence[str], need: Resources) -> str:
    """A job script for one command of `firstlight`, which SLURM may kill and start again.

    Two minutes before the time is up SLURM interrupts the command, which then writes its
    checkpoint. The job is put back into the queue, and `--resume` goes on from there.

    Args:
        words: What stands after `firstlight`, such as `["train", "galaxy-zoo"]`.
        need: The resources.

    Returns:
        The text for `sbatch`.

    Raises:
        ValueError: If there is no command, or a word has a line break.
    """
    if not words or any("\n" in word for word in [*words, need.setup]):
        raise ValueError("job: received no command, or one of several lines, expected one line.")
    resumable = words[0] in ("train", "simulate", "sweep") and "--resume" not in words
    command = shlex.join(["firstlight", *words, *(["--resume"] if resumable else [])])
    name = "-".join(["firstlight", *(word for word in words[:2] if _NAME.fullmatch(word))])
    optional = {"partition": need.partition, "account": need.account,
                "gres": f"gpu:{need.gpus}" if need.gpus else ""}  # fmt: skip
    asked = {
        "job-name": name, "nodes": "1", "ntasks": "1", "cpus-per-task": str(need.cores),
        "mem": f"{round(1024 * need.memory_gb)}M", "time": need.walltime,
        **{key: value for key, value in optional.items() if value},
        "output": "%x-%j.log", "open-mode": "append", "signal": "INT@120",
    }  # fmt: skip
    head = [f"#SBATCH --{key}={value}" for key, value in asked.items()]
    return "\n".join([
        "#!/bin/bash", *head, "#SBATCH --requeue", "",
        "set -uo pipefail",
        *([need.setup] if need.setup else []),
        "export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}",
        "",
        "# Interrupted in time, or thrown off its node, the command has kept what it finished.",
        f"srun --kill-on-bad-exit=1 {command}",
        "status=$?",
        "# What fails at once would fail again; what fails late was stopped, and goes on.",
        f"if [ $status -ne 0 ] && [ $SECONDS -ge {AT_ONCE_S} ] && "
        f"[ \"${{SLURM_RESTART_COUNT:-0}}\" -lt {RESTARTS} ]; then",
        "    scontrol requeue \"$SLURM_JOB_ID\"",
        "fi",
        "exit $status", "",
    ])  # fmt: skip
