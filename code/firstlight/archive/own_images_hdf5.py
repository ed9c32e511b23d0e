"""A reader's stamps in HDF5: one dataset of images, or one for each band."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from firstlight.archive.errors import DataError
from firstlight.archive.own_files import about, broken, pick, short_band
from firstlight.archive.own_images import Stamps, bands_last, columns_of

__all__ = ["open_stamps"]

_BAND_LETTERS = set("ugrizyjhk")


def open_stamps(path: Path, images: str | None = None) -> Stamps:
    """Looks into an HDF5 file.

    Args:
        path: The file.
        images: Path of the dataset inside it, if it is not called `images`.

    Returns:
        The stamps; bands, pixel scale and unit come from attributes of the dataset or the file,
        or from small datasets of these names.

    Raises:
        DataError: If there is no such dataset, with a list of those there are.
        DataCorrupt: If it cannot be read.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            shapes: dict[str, tuple[int, ...]] = {}
            file.visititems(
                lambda name, item: (
                    shapes.update({name: item.shape}) if isinstance(item, h5py.Dataset) else None
                )
            )
            keys, names = _keys(path, shapes, images)
            small = {name: file[name][()] for name, shape in shapes.items()
                     if name not in keys and _small(shape)}  # fmt: skip
            found = {**small, **dict(file.attrs), **dict(file[keys[0]].attrs)}
            dtypes = [file[key].dtype for key in keys]
    except OSError as problem:
        raise broken(path, problem) from problem
    for key, dtype in zip(keys, dtypes, strict=True):
        if dtype.kind not in "fiub":
            raise DataError(f"{path}: received {key} of type {dtype}, expected numbers.")
    if names:
        found["bands"] = names
    known = about(found)
    layout = shapes[keys[0]] if len(keys) == 1 else (*shapes[keys[0]], len(keys))
    n, arrange = bands_last(layout, len(known["bands"]) if "bands" in known else None)

    def batches(size: int) -> Iterator[Any]:
        try:
            with h5py.File(path, "r") as file:
                if n != layout[0]:  # one stamp
                    yield arrange(_joined([file[key][()] for key in keys]))
                    return
                for start in range(0, n, size):
                    rows = slice(start, start + size)
                    yield arrange(_joined([file[key][rows] for key in keys]))
        except OSError as problem:
            raise broken(path, problem) from problem

    return Stamps(path, "hdf5", layout, n, known, columns_of(small), batches)


def _joined(parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else np.stack(parts, axis=-1)


def _small(shape: tuple[int, ...]) -> bool:
    return len(shape) <= 1 or (len(shape) == 2 and shape[1] <= 64)


def _keys(
    path: Path, shapes: dict[str, tuple[int, ...]], images: str | None
) -> tuple[list[str], list[str]]:
    there = ", ".join(f"{name} {shape}" for name, shape in shapes.items()) or "none"
    if images is not None:
        if images.strip("/") not in shapes:
            raise DataError(f"{path}: received no dataset {images!r}, expected one of those there "
                            f"are: {there}.")  # fmt: skip
        return [images.strip("/")], []
    key = pick(shapes, "images")
    if key is not None:
        return [key], []
    by_band = [
        name
        for name, shape in shapes.items()
        if len(shape) == 3 and short_band(name.rsplit("/", 1)[-1]) in _BAND_LETTERS
    ]
    if not by_band:
        raise DataError(f"{path}: received the datasets {there}, expected one called images, or "
                        "one of shape (n, y, x) for each band. Add --images NAME, or rename "
                        "it.")  # fmt: skip
    if len({shapes[name] for name in by_band}) > 1:
        raise DataError(f"{path}: received bands of different shapes ({there}), expected the same "
                        "(n, y, x) for each.")  # fmt: skip
    return by_band, [short_band(name.rsplit("/", 1)[-1]) for name in by_band]
