"""Compact copies of tables that take long to parse, kept beside the cache.

A copy is named after the sha256 of its source and the version of the code that made
it, so it can never outlive either. Where nothing can be written the table is parsed
anew: slower, never wrong.
"""

import io
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from firstlight.archive.registry import get
from firstlight.archive.store import cache_dir, writable, write_atomically

__all__ = ["arrays"]

Arrays = dict[str, np.ndarray]


def arrays(name: str, version: int, parse: Callable[[], Arrays]) -> Arrays:
    """What `parse` returns, from a compact copy where there is one.

    Args:
        name: The registry's name of the source.
        version: Raised whenever `parse` changes what it returns.
        parse: Reads the (verified) source into named arrays, none of them of objects.

    Returns:
        The named arrays.
    """
    file_name = f"{name.replace('/', '--')}-{get(name).sha256[:12]}-v{version}.npz"
    for folder in _folders():
        try:
            with np.load(folder / file_name, allow_pickle=False) as file:
                return {key: file[key] for key in file.files}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            continue  # absent or damaged: try the next, else parse
    parsed = parse()
    for folder in filter(writable, _folders()):
        if _write(folder, file_name, parsed):
            break
    return parsed


def _folders() -> list[Path]:
    """Where copies may lie: in the cache, or, if that is read-only, in the platform's."""
    own = cache_dir() / ".derived"
    if writable(own):
        return [own]
    with warnings.catch_warnings():  # its progress bar asks for widgets that a book has not
        warnings.simplefilter("ignore")
        import pooch

    return [own, Path(pooch.os_cache("firstlight")) / ".derived"]


def _write(folder: Path, file_name: str, parsed: Arrays) -> bool:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **parsed)  # type: ignore[arg-type]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / file_name, buffer.getvalue())
    except OSError:
        return False
    return True
