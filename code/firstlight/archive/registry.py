"""The one list of real data, by name.

Two kinds of entry. A *download* has a `url` and lies in the cache folder under its
own name. A *wheel* travels inside an installed Python package, which is never
imported: the file is found through the package's metadata.
"""

from difflib import get_close_matches

from firstlight.archive.entry import Entry, Wheel
from firstlight.archive.errors import DataUnknown
from firstlight.archive.sources import DOWNLOADS, WHEELS

__all__ = ["REGISTRY", "Entry", "Wheel", "get", "names", "total_size"]

REGISTRY: dict[str, Entry] = {entry.name: entry for entry in (*DOWNLOADS, *WHEELS)}


def get(name: str) -> Entry:
    """The entry of that name.

    Args:
        name: Such as `"gz2/table5.csv.gz"`.

    Raises:
        DataUnknown: If there is none; the message names the nearest.

    Example:
        >>> get("gz2/table5.csv.gz").licence
        'MIT'
    """
    if name in REGISTRY:
        return REGISTRY[name]
    near = get_close_matches(name, REGISTRY, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]!r}?" if near else "`firstlight data list` shows all names."
    raise DataUnknown(f"data: received {name!r}, expected a name of the registry. {hint}")


def names(*patterns: str, small: bool | None = None, wheels: bool | None = None) -> list[str]:
    """Names in the registry's order.

    Args:
        patterns: Names, or their beginnings up to a slash (`"vvv"` for all of VVV);
            none given means all.
        small: Keep only the small optional set (`True`) or only the rest (`False`).
        wheels: Keep only what travels in packages (`True`) or only downloads (`False`).

    Raises:
        DataUnknown: If a pattern fits nothing.

    Example:
        >>> names("gz2")
        ['gz2/table5.csv.gz']
    """
    chosen: dict[str, None] = {}
    for pattern in patterns:
        folder = pattern.rstrip("/") + "/"
        inside = [name for name in REGISTRY if name.startswith(folder)]
        chosen.update(dict.fromkeys(inside or [get(pattern).name]))
    entries = [REGISTRY[name] for name in REGISTRY if not patterns or name in chosen]
    return [
        entry.name
        for entry in entries
        if small in (None, entry.small) and wheels in (None, entry.wheel is not None)
    ]


def total_size(which: list[str]) -> int:
    """Bytes of the named files together."""
    return sum(get(name).size for name in which)
