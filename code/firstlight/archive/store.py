"""Where data files lie, and what they hold: the floor under `cache` and `download`.

A file is hashed once. The result is remembered with the file's size and times, in
memory and, where the cache can be written, in `.verified.json` beside the data: a
file that changed in any way is hashed again.
"""

import hashlib
import json
import os
import uuid
import warnings
from importlib import metadata
from pathlib import Path

from firstlight.archive.registry import Entry, get

__all__ = ["cache_dir", "digest", "locate", "trace", "writable", "write_atomically"]

_MEMORY_FILE = ".verified.json"
_Stamp = tuple[int, int, int]
_memory: dict[str, tuple[_Stamp, str]] = {}
_read_from: set[Path] = set()


def cache_dir() -> Path:
    """The folder of the downloads: `FIRSTLIGHT_DATA`, or the platform's cache folder.

    Returns:
        An absolute path; the folder need not exist.
    """
    chosen = os.environ.get("FIRSTLIGHT_DATA", "").strip()
    if chosen:
        return Path(chosen).expanduser().absolute()
    with warnings.catch_warnings():  # its progress bar asks for widgets that a book has not
        warnings.simplefilter("ignore")
        import pooch

    return Path(pooch.os_cache("firstlight"))


def locate(entry: Entry) -> Path | None:
    """Where the file of `entry` lies now, or `None` if it does not."""
    if entry.wheel is None:
        found = cache_dir() / entry.name
    else:
        try:
            installed = metadata.distribution(entry.wheel.package)
        except metadata.PackageNotFoundError:
            return None
        found = Path(str(installed.locate_file(entry.wheel.path)))
    return found if found.is_file() else None


def digest(path: Path, *, again: bool = False) -> str:
    """The sha256 of a file, computed once as long as the file does not change.

    Args:
        path: The file.
        again: Read it again even if it is remembered.

    Raises:
        OSError: If the file cannot be read.
    """
    key, stamp = str(path), _stamp(path)
    _recall()
    if not again and key in _memory and _memory[key][0] == stamp:
        return _memory[key][1]
    with open(path, "rb") as file:
        value = hashlib.file_digest(file, "sha256").hexdigest()
    _memory[key] = (stamp, value)
    _remember()
    return value


def _stamp(path: Path) -> _Stamp:
    status = path.stat()
    # The change time cannot be set back by hand, so that a file edited in place and
    # given its old modification time is still noticed.
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _recall() -> None:
    folder = cache_dir()
    if folder in _read_from:
        return
    _read_from.add(folder)
    for key, known in _read(folder / _MEMORY_FILE).items():
        _memory.setdefault(key, known)


def _read(file: Path) -> dict[str, tuple[_Stamp, str]]:
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        return {
            str(key): ((int(size), int(mtime), int(ctime)), str(sha256))
            for key, (size, mtime, ctime, sha256) in rows.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}  # absent or damaged: the files are simply hashed again


def _remember() -> None:
    folder = cache_dir()
    if not folder.is_dir() or not writable(folder):
        return
    known = {**_read(folder / _MEMORY_FILE), **_memory}
    rows = {key: [*stamp, sha256] for key, (stamp, sha256) in sorted(known.items())}
    try:
        write_atomically(folder / _MEMORY_FILE, json.dumps(rows, indent=0).encode())
    except OSError:
        pass  # only a convenience: without it the next process hashes once more


def writable(folder: Path) -> bool:
    """Whether we may write into `folder`, or could make it where it does not exist.

    A folder that nobody may write is read-only for the administrator too, although the
    operating system would let him: somebody took the trouble to mark it so.
    """
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return bool(folder.stat().st_mode & 0o222) and os.access(folder, os.W_OK)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever sees half of it.

    Args:
        path: Where; its folder must exist.
        content: The whole new content.

    Raises:
        OSError: If it cannot be written; the old file, if any, is then untouched.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.part")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def trace(name: str, state: str) -> None:
    """Tell the press which data a chapter looked up (`FIRSTLIGHT_TRACE`), else nothing."""
    target = os.environ.get("FIRSTLIGHT_TRACE")
    if not target:
        return
    line = json.dumps({"entry": get(name).name, "state": state}) + "\n"
    handle = os.open(target, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(handle, line.encode())  # one write: lines of two processes never mix
    finally:
        os.close(handle)
