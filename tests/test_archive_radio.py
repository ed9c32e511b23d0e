"""The FIRST radio galaxies: made ones in the same layout, and the real ones."""

import io
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from archive_kit import folder, plant  # noqa: F401
from firstlight.archive import cache, radio

# ruff: noqa: F811  (fixtures are imported by name)
NAME = "first/galaxy_data_h5.zip"


def made_archive() -> bytes:
    """Twelve galaxies: more than ten, so that data_10 must not come before data_2."""
    inner = io.BytesIO()
    with h5py.File(inner, "w") as file:
        for index in range(12):
            group = file.create_group(f"data_{index}")
            group["Img"] = np.full((300, 300), index, np.uint8)
            group["Img"].attrs.update(RA=10.0 * index, DEC=-1.0 * index, Source="Proctor_Tab1")
            group["Label_literature"] = float(index % 4)
            group["Split_literature"] = "test" if index > 9 else "train"
    outer = io.BytesIO()
    with zipfile.ZipFile(outer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("galaxy_data_h5.h5", inner.getvalue())
    return outer.getvalue()


def test_galaxies_keep_their_order_class_and_place(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, folder, NAME, made_archive())
    for _ in range(2):  # parsed, then from the compact copy
        galaxies = radio.first_radio_galaxies()
        assert galaxies.images[:, 0, 0].tolist() == list(range(12))
        assert galaxies.labels.tolist() == [0, 1, 2, 3] * 3
        assert galaxies.ra_deg[11] == 110 and galaxies.dec_deg[11] == -11
    assert len(radio.first_radio_galaxies("test")) == 2
    assert len(radio.first_radio_galaxies("valid")) == 0


def test_a_split_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="received 'validation', expected one of"):
        radio.first_radio_galaxies("validation")


def test_the_real_set_has_the_published_numbers() -> None:
    if not cache.available(NAME):
        pytest.skip("the package firstgalaxydata is not installed")
    galaxies = radio.first_radio_galaxies()
    assert np.bincount(galaxies.labels).tolist() == [495, 924, 391, 348]
    sizes = {split: int((galaxies.splits == split).sum()) for split in ("train", "valid", "test")}
    assert sizes == {"train": 1758, "valid": 200, "test": 200}
    assert galaxies.images.shape == (2158, 300, 300)
    assert np.bincount(radio.first_radio_galaxies("test").labels).tolist() == [50] * 4
