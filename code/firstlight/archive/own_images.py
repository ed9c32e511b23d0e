"""A reader's own stamps: npz, npy and simulated shards here, FITS and HDF5 next door.

Whatever the file, the images come out in one order, (n, y, x, bands), a batch at a time, so that
memory does not grow with the file.
"""

import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from firstlight.archive.errors import DataCorrupt, DataError
from firstlight.archive.own_files import About, about, broken, kind_of, pick

__all__ = ["Stamps", "bands_last", "columns_of", "open_stamps"]

Array = NDArray[Any]
_SMALL = ("labels", "votes", "ids")


@dataclass(frozen=True)
class Stamps:
    """Stamps in a file, not read yet.

    Args:
        path: The file or folder.
        kind: As `own_files.kind_of` says.
        layout: Shape of the images as they lie in the file.
        n: How many stamps.
        about: What the file says of them.
        columns: `labels`, `votes` and `ids`, whichever there are, each of n rows or not.
        batches: Called with a number, yields so many stamps at a time, (k, y, x, bands).
    """

    path: Path
    kind: str
    layout: tuple[int, ...]
    n: int
    about: About
    columns: dict[str, Array]
    batches: Callable[[int], Iterator[Array]]


def open_stamps(path: Path, images: str | None = None) -> Stamps:
    """Looks into a file of stamps: FITS, HDF5, npz, npy, or a folder of shards.

    Args:
        path: The file or folder.
        images: Name of the array (HDF5 path, FITS extension) if it is not one of the usual.

    Returns:
        The stamps; nothing large is read yet.

    Raises:
        DataError: If it holds no images, with what it holds instead.
        DataCorrupt: If it is empty, truncated, or something else than its name says.
    """
    path = Path(path)
    kind = kind_of(path)
    if kind in ("csv", "ecsv"):
        raise DataError(f"{path}: received a table, expected images: this study looks at stamps. "
                        "Give a FITS, HDF5 or npz file.")  # fmt: skip
    if kind in ("fits", "hdf5"):
        room: Any = import_module(f"firstlight.archive.own_images_{kind}")
        return room.open_stamps(path, images)
    return {"npz": _npz, "npy": _npy, "shards": _shards}[kind](path, images)


def bands_last(
    layout: tuple[int, ...], n_names: int | None
) -> tuple[int, Callable[[Array], Array]]:
    """How many stamps a layout holds, and how to bring them into (n, y, x, bands).

    Args:
        layout: Shape in the file: (n, y, x), (n, y, x, bands), (n, bands, y, x), or one stamp.
        n_names: Number of bands that the file names, or None.

    Returns:
        The number, and a function for batches of the first axis (of everything, for one stamp).

    Raises:
        DataError: If no axis can be the bands.

    Example:
        >>> bands_last((500, 3, 48, 48), None)[0]
        500
    """
    few = 9  # no stamp is so small, no survey has so many bands
    if len(layout) == 2:
        return 1, lambda a: a[None, :, :, None]
    if len(layout) == 3:
        first, _, last = layout
        if layout[0] == layout[1] and last <= few < first:
            return 1, lambda a: a[None]
        if first == n_names and first > 1:
            return 1, lambda a: np.moveaxis(a, 0, -1)[None]
        return first, lambda a: a[..., None]
    if len(layout) == 4 and layout[3] <= few < layout[2]:
        return layout[0], lambda a: a
    if len(layout) == 4 and layout[1] <= few < layout[2]:
        return layout[0], lambda a: np.moveaxis(a, 1, -1)
    raise DataError(
        f"images: received shape {layout}, expected (n, y, x) for one band, (n, y, x, bands) or "
        f"(n, bands, y, x). With NumPy: images.reshape or np.moveaxis bring it there."
    )


def columns_of(found: dict[str, Array]) -> dict[str, Array]:
    """Labels, votes and names out of a file's small arrays: text or numbers.

    Args:
        found: Arrays by the file's own names.
    """
    out = {}
    for what in _SMALL:
        key = pick(found, what)
        if key is not None:
            values = np.asarray(found[key])
            if values.dtype.kind == "O":
                values = np.array([_text(value) for value in values.ravel()]).reshape(values.shape)
            out[what] = np.char.decode(values) if values.dtype.kind == "S" else values
    return out


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


# --- npy and npz -----------------------------------------------------------------------


def _header(path: Path, file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else None
    shape, fortran, dtype = (read or np.lib.format.read_array_header_2_0)(file)
    if dtype.hasobject:
        raise DataError(
            f"{path}: received an array of Python objects, expected numbers. All stamps must have "
            "one size: np.stack(images).astype('float32')."
        )
    if fortran and len(shape) > 1:
        raise DataError(f"{path}: received an array in Fortran order, expected C order, of which a "
                        "part can be read. Save np.ascontiguousarray(images).")  # fmt: skip
    return shape, fortran, dtype


def _streamed(path: Path, opened: Callable[[], Any], batch: int) -> Iterator[Array]:
    """Rows of an npy stream, a batch at a time, packed or not."""
    with opened() as file:
        shape, _, dtype = _header(path, file)
        each = int(np.prod(shape[1:], dtype=np.int64)) * dtype.itemsize
        for start in range(0, shape[0], batch):
            k = min(batch, shape[0] - start)
            data = file.read(k * each)
            if len(data) < k * each:
                raise broken(path, f"it ends at row {start + len(data) // max(each, 1)}")
            yield np.frombuffer(data, dtype).reshape(k, *shape[1:])


def _one_array(
    path: Path, kind: str, opened: Callable[[], Any], about: About, columns: dict[str, Array]
) -> Stamps:
    with opened() as file:
        layout, _, dtype = _header(path, file)
    if dtype.kind not in "fiub":
        raise DataError(f"{path}: received images of type {dtype}, expected numbers.")
    n, arrange = bands_last(layout, len(about["bands"]) if "bands" in about else None)
    whole = n != layout[0] or len(layout) == 2

    def batches(size: int) -> Iterator[Array]:
        if whole:  # one stamp: all of its rows
            yield arrange(np.concatenate(list(_streamed(path, opened, layout[0]))))
            return
        for part in _streamed(path, opened, size):
            yield arrange(part)

    return Stamps(path, kind, layout, n, about, columns, batches)


def _npy(path: Path, images: str | None) -> Stamps:
    with open(path, "rb") as file:
        if file.read(6) != b"\x93NUMPY":
            raise broken(path, "it does not begin as an npy file does")
    return _one_array(path, "npy", lambda: open(path, "rb"), About(), {})


def _npz(path: Path, images: str | None) -> Stamps:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
        key = _key(path, names, images)
        with np.load(path, allow_pickle=False) as arrays:
            small = {name: arrays[name] for name in names if name != key and _wanted(name)}
    except (zipfile.BadZipFile, EOFError, OSError) as problem:
        raise broken(path, problem) from problem

    class Member:
        def __enter__(self) -> Any:
            self.archive = zipfile.ZipFile(path)
            self.file = self.archive.open(f"{key}.npy")
            return self.file

        def __exit__(self, *_: object) -> None:
            self.file.close()
            self.archive.close()

    return _guarded(_one_array(path, "npz", Member, about(small), columns_of(small)))


def _guarded(stamps: Stamps) -> Stamps:
    """The same, with errors of the zip format told as ours."""

    def batches(size: int) -> Iterator[Array]:
        try:
            yield from stamps.batches(size)
        except (zipfile.BadZipFile, EOFError) as problem:
            raise broken(stamps.path, problem) from problem

    return Stamps(stamps.path, stamps.kind, stamps.layout, stamps.n, stamps.about, stamps.columns,
                  batches)  # fmt: skip


def _wanted(name: str) -> bool:
    kinds = (*_SMALL, "bands", "pixel_arcsec", "unit", "zero_point", "sky_sigma")
    return any(pick([name], what) for what in kinds)


def _key(path: Path, names: list[str], wanted: str | None) -> str:
    if wanted is not None and wanted not in names:
        raise DataError(f"{path}: received no array {wanted!r}, expected one of those there are: "
                        f"{', '.join(names)}.")  # fmt: skip
    key = wanted or pick(names, "images")
    if key is None:
        raise DataError(f"{path}: received arrays {', '.join(names) or 'none'}, expected one "
                        "called images. Rename it, or add --images NAME.")  # fmt: skip
    return key


# --- shards of `firstlight simulate` ---------------------------------------------------


def _shards(path: Path, images: str | None) -> Stamps:
    """A folder that `firstlight simulate` wrote."""
    from firstlight.archive.shards import MANIFEST, read_shards

    if not (path / MANIFEST).is_file():
        raise DataError(f"{path}: received a folder without {MANIFEST}, expected one that "
                        "`firstlight simulate` wrote, or a file.")  # fmt: skip
    votes, layout = [], (0,)
    for arrays, _ in read_shards(path):  # checks every file; keeps the votes only
        votes.append(arrays["votes"] if "votes" in arrays else np.empty((0, 0)))
        layout = arrays["images"].shape
    n = int(_plan(path)["n"])
    known = About(bands=("g", "r", "i")[: layout[-1]], unit="sky sigma")
    columns = {"votes": np.concatenate(votes)} if len(votes[0]) else {}

    def batches(size: int) -> Iterator[Array]:
        for arrays, _ in read_shards(path, check=False):
            for start in range(0, len(arrays["images"]), size):
                yield arrays["images"][start : start + size]

    return Stamps(path, "shards", (n, *layout[1:]), n, known, columns, batches)


def _plan(path: Path) -> dict[str, Any]:
    from firstlight.archive.shards import MANIFEST

    try:
        return dict(json.loads((path / MANIFEST).read_text(encoding="utf-8"))["plan"])
    except (ValueError, KeyError) as problem:
        raise DataCorrupt(f"{path / MANIFEST}: received {problem}, expected a plan.") from problem
