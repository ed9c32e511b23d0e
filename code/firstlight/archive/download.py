"""Bring one file from its server into the cache, whole or not at all.

The transport is pooch's. Around it: one process at a time per file, a hidden
temporary file beside the target that is renamed only once its sha256 is right, new
attempts where they may help, and one clear message where they do not.
"""

import errno
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from firstlight.archive.errors import (
    CacheFull,
    CacheNotWritable,
    DataAbsent,
    DataCorrupt,
    DataGone,
    DataTruncated,
    DataUnreachable,
)
from firstlight.archive.registry import Entry
from firstlight.archive.store import cache_dir, digest, writable

__all__ = ["fetch_one"]

PAUSE_S = 1.0  # before the second attempt; doubled before each further one
LOCK_PATIENCE_S = 3600.0
_BUSY = (408, 425, 429, 500, 502, 503, 504)
_FULL = (errno.ENOSPC, errno.EDQUOT)
_NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)


def fetch_one(
    entry: Entry, *, progress: bool = False, attempts: int = 3, timeout_s: float = 30
) -> Path:
    """Download one entry into the cache, unless another process does so meanwhile.

    Args:
        entry: A download of the registry.
        progress: Show a progress bar on standard error.
        attempts: How often to try where trying again may help.
        timeout_s: Seconds without an answer after which a server counts as silent.

    Returns:
        The path of the verified file.

    Raises:
        DataUnreachable: If the server cannot be reached.
        DataGone: If it does not have the file.
        DataCorrupt: If it sends something else, or never the whole file.
        CacheNotWritable: If the cache folder cannot be written.
        CacheFull: If the disk is full.
    """
    target = cache_dir() / entry.name
    with _explained(entry, target):
        if not writable(target.parent):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(entry, progress):
            if target.is_file() and digest(target) == entry.sha256:
                return target  # another process brought it while we waited
            _check_room(entry, target)
            _attempt(entry, target, progress, max(1, attempts), timeout_s)
    return target


@contextmanager
def _explained(entry: Entry, target: Path) -> Iterator[None]:
    """Turns what the operating system says about the cache into our own words."""
    try:
        yield
    except OSError as problem:
        if problem.errno in _FULL:
            raise CacheFull(_full(entry, target)) from problem
        if problem.errno in _NOT_WRITABLE:
            raise CacheNotWritable(
                f"{entry.name}: received a cache that does not hold it and cannot be written "
                f"({cache_dir()}: {problem.strerror}), expected a folder with write permission. "
                "Point FIRSTLIGHT_DATA to a folder of your own."
            ) from problem
        raise


def _full(entry: Entry, target: Path) -> str:
    return (
        f"{entry.name}: received a full disk at {target.parent}, expected room for "
        f"{entry.size / 1e6:.1f} MB. Make room, or point FIRSTLIGHT_DATA to another disk."
    )


def _check_room(entry: Entry, target: Path) -> None:
    if shutil.disk_usage(target.parent).free < entry.size:
        raise CacheFull(_full(entry, target))


@contextmanager
def _alone(entry: Entry, progress: bool) -> Iterator[None]:
    """Holds the lock of this entry; a second process waits here and then finds the file."""
    from filelock import FileLock, Timeout

    folder = cache_dir() / ".locks"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / (entry.name.replace("/", "--") + ".lock"))
    try:
        lock.acquire(timeout=1)
    except Timeout:
        if progress:
            print(f"{entry.name}: another process is fetching it; waiting", file=sys.stderr)
        try:
            lock.acquire(timeout=LOCK_PATIENCE_S)
        except Timeout:
            raise DataUnreachable(
                f"{entry.name}: received a lock held by another process for "
                f"{LOCK_PATIENCE_S / 60:.0f} minutes, expected it to finish. Stop that "
                f"process, or point FIRSTLIGHT_DATA elsewhere ({lock.lock_file})."
            ) from None
    try:
        yield
    finally:
        lock.release()


def _attempt(entry: Entry, target: Path, progress: bool, attempts: int, timeout_s: float) -> None:
    part = target.with_name(f".{target.name}.part")
    pause = PAUSE_S
    try:
        for attempt in range(1, attempts + 1):
            try:
                _download(entry, part, progress, timeout_s)
                _check(entry, part)
                os.replace(part, target)
                return
            except (DataUnreachable, DataTruncated) as problem:
                if attempt == attempts:
                    raise
                if progress:
                    print(f"{problem}\nTrying again in {pause:.0f} s.", file=sys.stderr)
            time.sleep(pause)
            pause *= 2
    finally:
        part.unlink(missing_ok=True)


def _download(entry: Entry, part: Path, progress: bool, timeout_s: float) -> None:
    import requests
    from pooch import HTTPDownloader

    bar: Any = _bar(entry) if progress else False
    fetch = HTTPDownloader(progressbar=bar, chunk_size=1 << 16, timeout=timeout_s)
    try:
        with open(part, "wb") as file:
            fetch(entry.url, file, None)
            file.flush()
            os.fsync(file.fileno())
    except requests.HTTPError as problem:
        raise _refused(entry, problem) from problem
    except requests.exceptions.ChunkedEncodingError as problem:
        raise DataTruncated(
            f"{entry.name}: received {part.stat().st_size} bytes before the connection broke, "
            f"expected {entry.size} bytes from {entry.url}. Try again later."
        ) from problem
    except requests.RequestException as problem:
        raise DataUnreachable(
            f"{entry.name}: received no answer from {entry.url} ({_reason(problem)}), expected "
            f"{entry.size / 1e6:.1f} MB. Check the network, or copy the file by hand to "
            f"{cache_dir() / entry.name}"
        ) from problem
    finally:
        if bar:
            bar.close()


def _bar(entry: Entry) -> Any:
    from tqdm import tqdm

    return tqdm(
        total=entry.size, unit="B", unit_scale=True, desc=entry.name, file=sys.stderr, leave=True
    )


def _refused(entry: Entry, problem: Any) -> DataAbsent:
    status = problem.response.status_code
    said = f"{entry.name}: received HTTP {status} from {entry.url}, expected the file. "
    if status in _BUSY:
        return DataUnreachable(said + "The server is overloaded: try again later.")
    return DataGone(said + "It has moved or is gone: update firstlight, or report it to the book.")


def _reason(problem: BaseException) -> str:
    kind = type(problem).__name__
    words = {
        "ConnectTimeout": "the connection timed out",
        "ReadTimeout": "it fell silent",
        "ConnectionError": "no connection",
        "SSLError": "no secure connection",
        "ProxyError": "the proxy refused",
    }
    return words.get(kind, kind)


def _check(entry: Entry, part: Path) -> None:
    with open(part, "rb") as file:
        received = hashlib.file_digest(file, "sha256").hexdigest()
    if received == entry.sha256:
        return
    size = part.stat().st_size
    kind = "an empty file" if size == 0 else f"{size} bytes with sha256 {received[:12]}..."
    raise DataCorrupt(
        f"{entry.name}: received {kind} from {entry.url}, expected {entry.size} bytes with "
        f"sha256 {entry.sha256[:12]}... Something between you and the server altered the file "
        "(a login page, a proxy), or the server did; nothing was stored."
    )
