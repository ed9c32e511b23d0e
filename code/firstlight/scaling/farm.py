"""Workers that make the shards of a large set: on this machine, or sent for by SLURM.

Dask keeps the list of what is to be done. A worker that is killed is replaced, and its shard
given to another; since a shard depends on its seed alone, nobody can tell afterwards.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from firstlight.archive.errors import DataError

__all__ = ["CLUSTERS", "Workers", "hired"]

CLUSTERS = ("local", "slurm")
ATTEMPTS = 3  # deaths that one shard is forgiven; at the next it is blamed itself


class Workers:
    """A farm for `archive.shards.write_shards`.

    Args:
        client: A Dask client.
    """

    def __init__(self, client: Any) -> None:
        self.client = client

    def __call__(
        self, task: Callable[[int], Any], shards: Sequence[int]
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        """Have every shard made by some worker; they come as they are finished."""
        from distributed import KilledWorker, as_completed

        futures = self.client.map(task, list(shards), pure=False)
        try:
            for future in as_completed(futures):
                yield future.result()
        except KilledWorker as problem:
            raise DataError(
                f"workers: {ATTEMPTS + 1} of them died one after the other over one shard, "
                "expected them to live. Most often the memory does not suffice: take fewer "
                f"--workers or a smaller --shard, then go on with --resume. ({problem.task})"
            ) from None
        finally:
            self.client.cancel(futures)

    def pids(self) -> list[int]:
        """The process of each worker."""
        return sorted(self.client.run(_pid).values())


def _pid() -> int:
    import os

    return os.getpid()


@contextmanager
def hired(
    workers: int, cluster: str = "local", **settings: Any
) -> Iterator[Workers]:  # fmt: skip
    """Workers for as long as they are needed.

    Args:
        workers: How many processes, of one thread each.
        cluster: `local`: on this machine; `slurm`: one job each, whose partition, account and
            so on stand in the reader's own `~/.config/dask/jobqueue.yaml`, or in `settings`.
        **settings: For `dask_jobqueue.SLURMCluster`.

    Yields:
        The farm.

    Raises:
        DataError: If Dask is not installed, or there is no SLURM.
        ValueError: If the cluster is unknown.
    """
    if cluster not in CLUSTERS:
        raise ValueError(f"cluster: received {cluster!r}, expected one of {', '.join(CLUSTERS)}.")
    try:
        import dask
        from distributed import Client
    except ImportError:
        raise DataError(
            "workers: received no Dask, expected it installed: pip install 'firstlight[scaling]'. "
            "Or leave --workers out."
        ) from None
    if cluster == "slurm" and shutil.which("sbatch") is None:
        raise DataError(
            "--cluster slurm: received no `sbatch`, expected a machine that can send jobs. Log "
            "in to the cluster first, or leave --cluster out."
        )
    made = {"local": local, "slurm": slurm}[cluster]
    quiet = logging.getLogger("distributed")
    level, before = quiet.level, {}
    with dask.config.set({"distributed.scheduler.allowed-failures": ATTEMPTS}):
        for name in ("distributed.nanny", "distributed.scheduler", "distributed.core"):
            before[name] = logging.getLogger(name).level
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            with made(workers, **settings) as work, Client(work) as client:
                client.wait_for_workers(1 if cluster == "slurm" else workers)
                yield Workers(client)
        finally:
            quiet.setLevel(level)
            for name, old in before.items():
                logging.getLogger(name).setLevel(old)


def local(workers: int) -> Any:
    """A Dask cluster of processes on this machine, without a web page of its own."""
    from distributed import LocalCluster

    return LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0",
        memory_limit=0, silence_logs=logging.CRITICAL,
    )  # fmt: skip


def slurm(workers: int, **settings: Any) -> Any:
    """A Dask cluster whose workers are SLURM jobs of one core each.

    Args:
        workers: How many jobs.
        **settings: For `dask_jobqueue.SLURMCluster`; over those of `jobqueue.yaml`.
    """
    from dask_jobqueue import SLURMCluster

    defaults = {
        "cores": 1, "processes": 1, "memory": "2GB", "walltime": "08:00:00",
        "scheduler_options": {"dashboard_address": ":0"},  # any free port
    }  # fmt: skip
    work = SLURMCluster(**{**defaults, **settings})
    work.scale(workers)
    return work
