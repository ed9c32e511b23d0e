"""What can go wrong with a data file, each with its own name.

Every message says what was received, what was expected, and how to fix it.
"""


class DataError(RuntimeError):
    """Something is wrong with the data or with the place where they are kept."""


class DataUnknown(DataError):
    """The registry has no entry of that name."""


class DataAbsent(DataError):
    """The file is not in the cache (or its package is not installed)."""


class DataCorrupt(DataError):
    """The file is there, or came from the server, but its content is not the right one."""


class DataUnreachable(DataAbsent):
    """The server could not be reached, or has no time for us: later it may."""


class DataGone(DataAbsent):
    """The server answers that it does not have the file."""


class DataTruncated(DataCorrupt):
    """The connection broke before the whole file had come."""


class CacheNotWritable(DataAbsent):
    """The file is not in the cache and the cache cannot be written."""


class CacheFull(DataAbsent):
    """The disk that holds the cache has no room for the file."""
