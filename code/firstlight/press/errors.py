"""What the press says when it cannot go on: one plain message, never a traceback."""

from __future__ import annotations

import errno

FULL = (errno.ENOSPC, errno.EDQUOT) if hasattr(errno, "EDQUOT") else (errno.ENOSPC,)


class PressError(Exception):
    """A build that cannot go on; its text is all that the author needs to read."""


def disk_message(error: BaseException) -> str | None:
    """One clear line if `error` means a full disk (or a spent quota), else None.

    Args:
        error: Anything raised while files were written, an `OSError` or what
            SQLite, a notebook or Sphinx made of it.

    Returns:
        The line to print, or None where the error is of another kind.

    Example:
        >>> disk_message(OSError(errno.ENOSPC, "No space left on device", "a.json"))
        'the disk is full (at a.json). Free some space and run the command again: \
finished chapters are kept.'
    """
    seen: BaseException | None = error
    while seen is not None:
        full = isinstance(seen, OSError) and seen.errno in FULL
        if full or "disk is full" in str(seen):
            name = getattr(seen, "filename", None)
            where = f" (at {name})" if name else ""
            return (
                f"the disk is full{where}. Free some space and run the command again: "
                "finished chapters are kept."
            )
        seen = seen.__cause__ or seen.__context__
    return None
