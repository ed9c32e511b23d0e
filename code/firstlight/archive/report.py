"""What `firstlight data list`, `fetch` and `verify` print."""

import shutil
import sys

from firstlight.archive import cache, registry

__all__ = ["fetch_all", "human_size", "show", "verify_all"]


def show(names: list[str]) -> None:
    """Prints the named entries, by folder, with their state on this machine."""
    width = max((len(name) for name in names), default=0)
    columns = shutil.get_terminal_size((110, 24)).columns
    header = ""
    for name in names:
        entry = registry.get(name)
        if header != (header := f"{name.split('/')[0]}  ({entry.licence})"):
            print(header)
        state = cache.state(name)
        mark = {cache.ABSENT: "-", entry.sha256: "+"}.get(state, "!")
        line = f" {mark} {name:{width}} {human_size(entry.size):>8}  {entry.description}"
        print(line if not sys.stdout.isatty() else line[:columns])
    print("\n+ here and verified   - not here   ! here, but not the right content")
    print(f"Cache folder: {cache.cache_dir()}")


def human_size(size: int) -> str:
    """Bytes in words: `4.6 MB`."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size / 1e3:.0f} kB"


def fetch_all(names: list[str], *, once: bool = False) -> list[str]:
    """Fetches one file after the other, with progress bars on a terminal.

    Args:
        names: Names of the registry.
        once: One quick try of each, for a build that can do without.

    Returns:
        The messages of the files that could not be had.

    Raises:
        DataUnreachable: At the first file, if there is no network; the others would
            meet the same. Likewise `CacheNotWritable` and `CacheFull`.
    """
    attempts, timeout_s = (1, 5.0) if once else (3, 30.0)
    failures = []
    for name in names:
        try:
            cache.fetch(name, progress=sys.stderr.isatty(), attempts=attempts, timeout_s=timeout_s)
            print(f"+ {name}", flush=True)
        except (cache.DataUnreachable, cache.CacheFull, cache.CacheNotWritable):
            raise
        except cache.DataError as problem:
            print(f"! {name}", flush=True)
            failures.append(str(problem))
    return failures


def verify_all(names: list[str]) -> tuple[list[str], list[str]]:
    """Reads every file again and prints a verdict for each.

    Returns:
        The names of what is wrong, and of what is absent.
    """
    wrong, absent = [], []
    for name in names:
        verdict = cache.verify([name])[name]
        if verdict == "verified":
            print(f"+ {name}", flush=True)
        elif verdict == cache.ABSENT:
            absent.append(name)
            print(f"- {name}: not here", flush=True)
        else:
            wrong.append(name)
            print(f"! {verdict}", flush=True)
    return wrong, absent
