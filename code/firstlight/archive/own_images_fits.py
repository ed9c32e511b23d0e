"""A reader's stamps in FITS: a cube, one cube for each band, or a table with a column of images."""

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from firstlight.archive.errors import DataError
from firstlight.archive.own_files import ALIASES, About, about, broken, pick, short_band
from firstlight.archive.own_images import Stamps, bands_last, columns_of

__all__ = ["open_stamps", "whole"]

_BAND_LETTERS = set("ugrizyjhk")


def open_stamps(path: Path, images: str | None = None) -> Stamps:
    """Looks into a FITS file.

    Args:
        path: The file, packed or not.
        images: Name of the extension (or of the table column) if it cannot be guessed.

    Returns:
        The stamps; bands from `BANDS`, `FILTER` or the extensions' names, the pixel from
        `PIXSCALE` or the WCS, the unit from `BUNIT`; labels and names from a table beside them.

    Raises:
        DataError: If there are no images, with a list of what there is.
        DataCorrupt: If the file ends too early.
    """
    from astropy.io import fits

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")  # truncation is told in our words
        try:
            with fits.open(path) as hdus:
                whole(path, hdus, told)
                return _look(path, hdus, images)
        except OSError as problem:
            raise broken(path, problem) from problem


def whole(path: Path, hdus: Any, told: list[Any]) -> None:
    """Insists that every extension ends before the file does.

    Args:
        path: The file.
        hdus: It, opened.
        told: Warnings recorded since.

    Raises:
        DataCorrupt: If it does not.
    """
    size = path.stat().st_size
    for hdu in hdus:
        info = hdu.fileinfo()
        if info and path.suffix.lower() != ".gz" and info["datLoc"] + hdu.size > size:
            raise broken(path, f"extension {hdu.name or 'PRIMARY'} should reach to byte "
                               f"{info['datLoc'] + hdu.size:,}")  # fmt: skip
    for warning in told:
        if re.search("truncated|validating header", str(warning.message)):
            raise broken(path, "a header breaks off")


def _look(path: Path, hdus: Any, images: str | None) -> Stamps:
    pictures = [i for i, hdu in enumerate(hdus) if hdu.is_image and len(hdu.shape) >= 2]
    tables = [i for i, hdu in enumerate(hdus) if not hdu.is_image and hasattr(hdu, "columns")]
    there = ", ".join(f"{hdu.name or i} {_described(hdu)}" for i, hdu in enumerate(hdus))
    small: dict[str, Any] = {}
    for i in tables:
        for name in hdus[i].columns.names:
            if any(pick([name], what) for what in ("labels", "votes", "ids")):
                small[name] = np.array(hdus[i].data[name])
    column = _column(hdus, tables, images)
    if column is not None:
        index, name = column
        return _from_table(path, hdus[index], index, name, small)
    chosen = _chosen(path, hdus, pictures, images, there)
    headers = [hdus[i].header for i in (0, *chosen)]
    known = _about(headers)
    if len(chosen) > 1 or "bands" not in known:
        names = [_band(hdus[i]) for i in chosen]
        if all(names):
            known["bands"] = tuple(names)
    shape = tuple(hdus[chosen[0]].shape)
    layout = shape if len(chosen) == 1 else (*shape, len(chosen))
    n, arrange = bands_last(layout, len(known["bands"]) if "bands" in known else None)

    def batches(size: int) -> Iterator[Any]:
        from astropy.io import fits

        with warnings.catch_warnings(), fits.open(path) as again:
            warnings.simplefilter("ignore")
            if n != layout[0] or len(layout) == 2:  # one stamp
                yield arrange(_native(_joined([again[i].data for i in chosen])))
                return
            for start in range(0, n, size):
                stop = min(start + size, n)
                yield arrange(_native(_joined([again[i].section[start:stop] for i in chosen])))

    return Stamps(path, "fits", layout, n, known, columns_of(small), batches)


def _described(hdu: Any) -> str:
    if hdu.is_image:
        return str(tuple(hdu.shape)) if hdu.shape else "(empty)"
    return f"table of {', '.join(hdu.columns.names)}" if hasattr(hdu, "columns") else "(unknown)"


def _joined(parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else np.stack(parts, axis=-1)


def _native(array: Any) -> Any:
    return np.asarray(array).astype(np.asarray(array).dtype.newbyteorder("="), copy=False)


def _chosen(
    path: Path, hdus: Any, pictures: list[int], images: str | None, there: str
) -> list[int]:
    if images is not None:
        named = [i for i in pictures if hdus[i].name.lower() == images.lower()]
        if not named:
            raise DataError(f"{path}: received no image extension {images!r}, expected one of "
                            f"those there are: {there}.")  # fmt: skip
        return named[:1]
    if len(pictures) == 1:
        return pictures
    usual = [i for i in pictures if hdus[i].name.lower() in ALIASES["images"]]
    if usual:
        return usual[:1]
    bands = [i for i in pictures if _band(hdus[i])]
    if bands and len(bands) == len(pictures):
        if len({tuple(hdus[i].shape) for i in bands}) > 1:
            raise DataError(f"{path}: received bands of different shapes ({there}), expected the "
                            "same (n, y, x) for each.")  # fmt: skip
        return bands
    raise DataError(f"{path}: received {there}, expected one image extension, or one of shape "
                    "(n, y, x) for each band, named after it. Add --images NAME.")  # fmt: skip


def _band(hdu: Any) -> str | None:
    for name in (hdu.header.get("FILTER"), hdu.header.get("BAND"), hdu.name):
        if name and short_band(name) in _BAND_LETTERS:
            return short_band(name)
    return None


def _about(headers: list[Any]) -> About:
    """Header cards in the words of `own_files`; later headers win."""
    found: dict[str, Any] = {}
    for header in headers:
        for name in header:
            if name and any(pick([name], what) for what in ("bands", "unit", "pixel_arcsec",
                                                            "zero_point")):  # fmt: skip
                found[name] = header[name]
        if "pixel_arcsec" not in found and str(header.get("CTYPE1", "")).startswith("RA"):
            scale = header.get("CDELT2") or header.get("CD2_2")
            if "CD1_1" in header:
                corners = [header.get(f"CD{i}_{j}", 0.0) for i in (1, 2) for j in (1, 2)]
                scale = np.sqrt(abs(corners[0] * corners[3] - corners[1] * corners[2]))
            if scale:
                found["pixel_arcsec"] = abs(scale) * 3600
    if len(headers) > 2:  # one extension a band: FILTER names one of several
        found = {name: value for name, value in found.items() if not pick([name], "bands")}
    return about(found)


def _column(hdus: Any, tables: list[int], images: str | None) -> tuple[int, str] | None:
    for i in tables:
        names = hdus[i].columns.names
        name = images if images in names else pick(names, "images")
        if name is not None:
            return i, name
    return None


def _from_table(path: Path, hdu: Any, index: int, name: str, small: dict[str, Any]) -> Stamps:
    layout = (len(hdu.data), *hdu.data[name].shape[1:])
    known = _about([hdu.header])
    n, arrange = bands_last(layout, len(known["bands"]) if "bands" in known else None)

    def batches(size: int) -> Iterator[Any]:
        from astropy.io import fits

        with fits.open(path, memmap=True) as again:
            for start in range(0, n, size):
                yield arrange(_native(again[index].data[start : start + size][name]))

    return Stamps(path, "fits", layout, n, known, columns_of(small), batches)
