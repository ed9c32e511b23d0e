"""The registry: complete, pinned, and helpful about names."""

import os
import re
from pathlib import Path

import pytest

from firstlight.archive import registry
from firstlight.archive.entry import Repository
from firstlight.archive.errors import DataUnknown
from firstlight.archive.sources import DOWNLOADS, WHEELS

ENTRIES = list(registry.REGISTRY.values())


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_entry_is_pinned_and_told(entry: registry.Entry) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", entry.sha256)
    assert entry.size > 0
    assert entry.licence and entry.citation and entry.description
    assert bool(entry.url) != (entry.wheel is not None)
    assert re.fullmatch(r"[a-z0-9]+/[A-Za-z0-9_.-]+", entry.name)
    if "githubusercontent" in entry.url:
        assert re.search(r"/[0-9a-f]{40}/", entry.url), "a branch is no pin"
    assert " " not in entry.url and "'" not in entry.url.replace("%27", "")


def test_the_registry_is_what_the_sources_list() -> None:
    assert ENTRIES == [*DOWNLOADS, *WHEELS], "a name given twice would hide an entry"
    assert all(entry.url for entry in DOWNLOADS) and all(entry.wheel for entry in WHEELS)


def test_a_path_with_blanks_becomes_an_address() -> None:
    repository = Repository("somebody/something", "0" * 40, "MIT", "Nobody")
    made = repository.entry("a/b.dat", "runs/model['16' '5e-6'].dat", 3, "f" * 64, "made")
    assert made.url.endswith(f"/{'0' * 40}/runs/model%5B%2716%27%20%275e-6%27%5D.dat")
    assert made.source == made.url and made.wheel is None


def test_no_two_entries_hold_the_same_file() -> None:
    assert len({entry.sha256 for entry in ENTRIES}) == len(ENTRIES)
    assert len({entry.url for entry in ENTRIES if entry.url}) == 20


def test_small_downloads_are_small() -> None:
    small = registry.names(small=True, wheels=False)
    assert 20e6 < registry.total_size(small) < 40e6
    assert not any(name.startswith("galaxy10/") for name in small)


def test_a_folder_names_its_files_in_the_registrys_order() -> None:
    assert registry.names("gz2", "vvv") == [
        name for name in registry.REGISTRY if name.startswith(("vvv/", "gz2/"))
    ]
    assert registry.names("vvv/") == registry.names("vvv")


@pytest.mark.parametrize(
    ("typo", "meant"),
    [("gz2/table5.csv", "gz2/table5.csv.gz"), ("ogle4/gd_rrab.dat", "ogle4/gd_RRab.dat")],
)
def test_a_typo_is_answered_with_the_nearest_name(typo: str, meant: str) -> None:
    with pytest.raises(DataUnknown, match=f"received '{re.escape(typo)}'.*{re.escape(meant)}"):
        registry.get(typo)


def test_nonsense_is_answered_with_the_way_to_the_list() -> None:
    with pytest.raises(DataUnknown, match="data list"):
        registry.names("zzzzzzzz")


def test_sizes_are_those_of_the_real_files() -> None:
    folder = os.environ.get("FIRSTLIGHT_DATA")
    here = [e for e in ENTRIES if folder and e.url and (Path(folder) / e.name).is_file()]
    if not here:
        pytest.skip("FIRSTLIGHT_DATA does not name a folder with the real data")
    for entry in here:
        assert entry.rough_size or (Path(folder or "") / entry.name).stat().st_size == entry.size
