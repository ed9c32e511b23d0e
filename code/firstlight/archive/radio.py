"""Real radio galaxies of the VLA FIRST survey in four classes (Griese et al. 2023)."""

import io
import zipfile
from dataclasses import dataclass

import numpy as np

from firstlight.archive import cache, derived

__all__ = ["CLASSES", "RadioGalaxies", "first_radio_galaxies"]

CLASSES = ("FRI", "FRII", "Compact", "Bent")
_NAME = "first/galaxy_data_h5.zip"
_SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class RadioGalaxies:
    """Radio images with their classes.

    The images are for scholarly, educational and private non-commercial use.

    Args:
        images: Shape (n, 300, 300), uint8. Pixels below three times the local noise were
            set to that level by the authors.
        labels: Shape (n,), index into `CLASSES`.
        splits: Shape (n,), "train", "valid" or "test".
        ra_deg: Right ascension (J2000).
        dec_deg: Declination (J2000).
        catalogs: The catalog that gave the label.
    """

    images: np.ndarray
    labels: np.ndarray
    splits: np.ndarray
    ra_deg: np.ndarray
    dec_deg: np.ndarray
    catalogs: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


def first_radio_galaxies(split: str | None = None) -> RadioGalaxies:
    """2 158 radio galaxies: 495 FRI, 924 FRII, 391 compact, 348 bent.

    Args:
        split: "train" (1 758), "valid" (200) or "test" (200); all by default
            (0.2 GB of memory).

    Returns:
        The galaxies in the order of the file.

    Raises:
        DataAbsent: If the package that holds them is not installed.
        DataCorrupt: If the file is not the right one.
        ValueError: If there is no such split.

    Example:
        >>> test = first_radio_galaxies("test")  # doctest: +SKIP
        >>> test.images.shape  # doctest: +SKIP
        (200, 300, 300)
    """
    if split is not None and split not in _SPLITS:
        raise ValueError(f"split: received {split!r}, expected one of {_SPLITS} or None.")
    path = cache.path(_NAME)
    columns = derived.arrays(_NAME, 1, lambda: _parse(path.read_bytes()))
    if split is not None:
        chosen = columns["splits"] == split
        columns = {name: column[chosen] for name, column in columns.items()}
    return RadioGalaxies(**columns)


def _parse(zipped: bytes) -> dict[str, np.ndarray]:
    """Reads the HDF5 file inside the zip: one group for each galaxy."""
    import h5py

    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        content = archive.read(archive.namelist()[0])
    with h5py.File(io.BytesIO(content), "r") as file:
        groups = [file[key] for key in sorted(file, key=lambda key: int(key.split("_")[1]))]
        marks = [dict(group["Img"].attrs) for group in groups]
        return {
            "images": np.stack([group["Img"][()] for group in groups]),
            "labels": np.array([int(group["Label_literature"][()]) for group in groups]),
            "splits": np.array([group["Split_literature"][()].decode() for group in groups]),
            "ra_deg": np.array([float(mark["RA"]) for mark in marks]),
            "dec_deg": np.array([float(mark["DEC"]) for mark in marks]),
            "catalogs": np.array([str(mark["Source"]) for mark in marks]),
        }
