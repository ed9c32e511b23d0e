"""A reader's own files: which kind a path is, and what names in it mean.

`own_images` and its siblings read stamps, `own_curves` reads light curves. They know nothing of
any study: what a network expects is compared with what came in `firstlight.studies.inputs`.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from firstlight.archive.errors import DataAbsent, DataCorrupt, DataError

__all__ = ["ALIASES", "KINDS", "About", "about", "broken", "kind_of", "pick", "short_band"]

KINDS = {
    "fits": (".fits", ".fit", ".fts", ".fits.gz", ".fits.fz"),
    "hdf5": (".h5", ".hdf5", ".hdf"),
    "npz": (".npz",),
    "npy": (".npy",),
    "csv": (".csv", ".tsv"),
    "ecsv": (".ecsv",),
}
ALIASES: Mapping[str, tuple[str, ...]] = {
    "images": ("images", "image", "stamps", "cutouts"),
    "labels": ("labels", "label", "class"),
    "votes": ("votes",),
    "ids": ("ids", "id", "objid", "object_id", "name", "names"),
    "bands": ("bands", "band", "filters", "filter"),
    "pixel_arcsec": ("pixel_arcsec", "pixel_scale", "pixscale", "pixel_scale_arcsec"),
    "unit": ("unit", "units", "bunit"),
    "zero_point": ("zero_point", "zeropoint", "zp", "magzero"),
    "sky_sigma": ("sky_sigma",),
}


class About(dict[str, Any]):
    """What a file says of its images: `bands`, `pixel_arcsec`, `unit`, `zero_point`, `sky_sigma`.

    Only what it says is in there.
    """


def kind_of(path: Path) -> str:
    """One of `KINDS`, or "shards" for a folder.

    Raises:
        DataAbsent: If there is nothing, or nothing in it.
        DataError: If the name ends in a way that means nothing to us.
    """
    if path.is_dir():
        return "shards"
    if not path.exists():
        raise DataAbsent(f"{path}: received a path where nothing lies, expected a file. Look "
                         "at the spelling, and at the folder you are in.")  # fmt: skip
    if not path.stat().st_size:
        raise DataCorrupt(
            f"{path}: received an empty file of 0 bytes, expected data. The program that wrote it "
            "broke off, or the disk was full: write it again."
        )
    name = path.name.lower()
    for kind, endings in KINDS.items():
        if name.endswith(endings):
            return kind
    known = ", ".join(ending for ends in KINDS.values() for ending in ends)
    raise DataError(f"{path}: received a file that ends in {path.suffix or 'nothing'!r}, expected "
                    f"{known}, or a folder of shards. Rename it if it is one of these, or "
                    "convert it.")  # fmt: skip


def broken(path: Path, problem: object) -> DataCorrupt:
    """The error for a file that ends before it should, or is not what its name says."""
    size = path.stat().st_size
    return DataCorrupt(
        f"{path}: received a file that is truncated or not what its name says ({size:,} bytes; "
        f"{problem}), expected a whole one. Copy or download it again and compare the sizes."
    )


def pick(keys: Iterable[str], what: str) -> str | None:
    """The key that holds `what`, by any of its usual names, whatever the case; None if none does.

    Example:
        >>> pick(["X", "Cutouts", "label"], "images")
        'Cutouts'
    """
    lower = {key.lower().rsplit("/", 1)[-1]: key for key in reversed(list(keys))}
    return next((lower[name] for name in ALIASES[what] if name in lower), None)


def short_band(name: object) -> str:
    """The letter of a filter: "HSC-G", "g_sdss", "SDSS g'" and b"g" all mean g.

    Names without a single letter standing alone, such as "F606W", stay as they are.

    Example:
        >>> [short_band(name) for name in ("HSC-G", "g_sdss", "F606W")]
        ['g', 'g', 'f606w']
    """
    text = (name.decode() if isinstance(name, bytes) else str(name)).strip().lower()
    letters = [token for token in re.split(r"[^a-z0-9]+", text) if re.fullmatch("[a-z]", token)]
    return letters[0] if len(letters) == 1 else text


def about(found: Mapping[str, Any]) -> About:
    """Reads what a file says of itself: header cards, attributes, or small arrays.

    Args:
        found: Names to values, in the file's own spelling.

    Returns:
        What is understood; a value that makes no sense is an error.

    Raises:
        DataError: If a pixel scale or a noise is not a positive number.
    """
    known = About()
    for what in ("bands", "pixel_arcsec", "unit", "zero_point", "sky_sigma"):
        key = pick(found, what)
        if key is None:
            continue
        value = np.asarray(found[key])
        if what == "bands":
            words = value.ravel().tolist()
            if len(words) == 1:
                words = split_bands(words[0], one=key.lower() in ("filter", "band"))
            known[what] = tuple(short_band(word) for word in words)
        elif what == "unit":
            word = value.ravel().tolist()[0] if value.size else ""
            text = word.decode() if isinstance(word, bytes) else str(word)
            if text.strip():
                known[what] = text.strip()
        else:
            known[what] = _positive(key, value, what)
    return known


def split_bands(text: object, one: bool = False) -> list[str]:
    """ "g,r,i", "g r i" and "gri" are three bands.

    Args:
        text: As the reader or the file has it.
        one: Whether blanks belong to the name, as in the card FILTER = 'g DECam SDSS c0001'.

    Example:
        >>> split_bands("gri"), split_bands("HSC-G, HSC-R")
        (['g', 'r', 'i'], ['HSC-G', 'HSC-R'])
    """
    word = (text.decode() if isinstance(text, bytes) else str(text)).strip()
    parts = [part for part in re.split(r"[,;]+" if one else r"[,;\s]+", word) if part]
    if len(parts) == 1 and re.fullmatch(r"[ugrizyUGRIZY]{2,6}", word):
        return list(word)
    return parts


def _positive(key: str, value: Any, what: str) -> Any:
    try:
        numbers = np.asarray(value, float)
    except (TypeError, ValueError):
        numbers = np.array(np.nan)
    good = np.isfinite(numbers).all() and (what == "zero_point" or (numbers > 0).all())
    if not (good and numbers.size):
        raise DataError(f"{key}: received {value!r}, expected "
                        f"{'a finite' if what == 'zero_point' else 'a positive'} number. Correct "
                        "it in the file, or leave it out.")  # fmt: skip
    return float(numbers.ravel()[0]) if what == "pixel_arcsec" else numbers
