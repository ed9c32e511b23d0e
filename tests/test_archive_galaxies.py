"""Loaders of real galaxies: on made tables always, on the real ones where they are."""

import gzip
import io
import re
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from archive_kit import folder, plant, real  # noqa: F401
from firstlight.archive import cache, galaxies
from firstlight.archive.errors import DataAbsent, DataCorrupt
from firstlight.sky import gz2_tree

# ruff: noqa: F811  (fixtures are imported by name)
Patch = pytest.MonkeyPatch


def votes_table(fractions: np.ndarray, counts: np.ndarray, shuffle: bool = False) -> bytes:
    """A table laid out as the published one: a few columns an answer, one row a galaxy."""
    columns: dict[str, np.ndarray] = {
        "objid": np.arange(len(counts)) + 8_647_474_690_312_307_154,
        "ra": np.full(len(counts), 309.0),
        "dec": np.full(len(counts), -1.0),
        "total_classifications": counts[:, :3].sum(axis=1),
    }
    tasks = [q for q, size in enumerate(gz2_tree.SIZES) for _ in range(size)]
    for answer, task in enumerate(tasks[::-1] if shuffle else tasks):
        stem = f"t{task + 1:02d}_made_a{answer + 1:02d}_made"
        columns[f"{stem}_count"] = counts[:, answer]
        columns[f"{stem}_weighted_fraction"] = fractions[:, answer].round(3)
    return gzip.compress(pd.DataFrame(columns).to_csv(index=False).encode())


def test_votes_multiply_down_the_tree(folder: Path, monkeypatch: Patch) -> None:
    rng = np.random.default_rng(1)
    fractions = np.concatenate([rng.dirichlet(np.ones(s), 50) for s in gz2_tree.SIZES], axis=1)
    fractions[0, gz2_tree.slices("arms")] = 0  # nobody was asked
    counts = rng.integers(0, 9, fractions.shape)
    plant(monkeypatch, folder, "gz2/table5.csv.gz", votes_table(fractions, counts))
    votes = galaxies.gz2_votes()
    assert tuple(votes.columns) == gz2_tree.ANSWERS
    values = votes.to_numpy()
    for question in range(len(gz2_tree.QUESTIONS)):
        parent = gz2_tree.parent_column(question)
        total = values[1:, gz2_tree.slices(question)].sum(axis=1)
        expected = 1.0 if parent is None else values[1:, parent]
        np.testing.assert_allclose(total, expected, rtol=1e-12)
    assert (values[0, gz2_tree.slices("arms")] == 0).all()
    # the product of two thousandths' roundings
    chain = fractions[:, 1] * fractions[:, 4] * fractions[:, 7]
    np.testing.assert_allclose(votes["spiral/yes"], chain, atol=3e-3)


def test_classifications_count_those_asked(folder: Path, monkeypatch: Patch) -> None:
    counts = np.arange(2 * 37).reshape(2, 37)
    plant(monkeypatch, folder, "gz2/table5.csv.gz", votes_table(np.ones((2, 37)) / 3, counts))
    asked = galaxies.gz2_classifications()
    assert asked["edge_on"].tolist() == [3 + 4, 40 + 41]
    assert asked["total_classifications"].tolist() == [0 + 1 + 2, 37 + 38 + 39]
    assert asked.index.equals(galaxies.gz2_votes().index)


def test_a_table_of_another_tree_is_refused(folder: Path, monkeypatch: Patch) -> None:
    ones = np.ones((2, 37))
    table = votes_table(ones, ones.astype(int), shuffle=True)
    plant(monkeypatch, folder, "gz2/table5.csv.gz", table)
    with pytest.raises(DataCorrupt, match="in another order"):
        galaxies.gz2_votes()


@pytest.mark.parametrize(
    ("load", "name"),
    [
        (galaxies.gz2_votes, "gz2/table5.csv.gz"),
        (galaxies.galaxy10_sdss, "galaxy10/Galaxy10.h5"),
        (galaxies.galaxy10_decals, "galaxy10/Galaxy10_DECals.h5"),
        (galaxies.cosmos_galaxies, "cosmos/"),
    ],
)
def test_without_data_the_loader_says_what_to_type(folder: Path, load, name: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DataAbsent, match=f"firstlight data fetch {name}"):
        load()


def galaxy10_file(**columns: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name, values in columns.items():
            file[name] = values
    return buffer.getvalue()


def test_galaxy10_reads_only_the_rows_asked_for(folder: Path, monkeypatch: Patch) -> None:
    images = np.random.default_rng(2).integers(0, 255, (9, 4, 4, 3), np.uint8)
    labels = np.arange(9, dtype=np.uint8)
    content = galaxy10_file(images=images, ans=labels, pxscale=np.linspace(0.2, 0.3, 9))
    plant(monkeypatch, folder, "galaxy10/Galaxy10_DECals.h5", content)
    some = galaxies.galaxy10_decals(slice(2, 8, 3))
    np.testing.assert_array_equal(some.images, images[2:8:3])
    assert some.labels.tolist() == [2, 5] and len(some.classes) == 10
    np.testing.assert_allclose(some.pixel_arcsec, np.linspace(0.2, 0.3, 9)[2:8:3])
    plant(monkeypatch, folder, "galaxy10/Galaxy10.h5", galaxy10_file(images=images, ans=labels))
    assert len(galaxies.galaxy10_sdss().images) == 9


def test_the_hubble_picture_is_the_one_scikit_image_shows(folder: Path) -> None:
    from skimage import data

    picture = galaxies.hubble_deep_field()
    assert picture.shape == (872, 1000, 3) and picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, data.hubble_deep_field())


def test_real_votes_are_those_of_the_catalog(real: None) -> None:
    votes, asked = galaxies.gz2_votes(), galaxies.gz2_classifications()
    assert votes.shape == (19_761, 37) and votes.index.is_unique
    values = votes.to_numpy()
    assert 0 <= values.min() and values.max() <= 1 + 1e-12
    rmse = np.sqrt(np.mean((values - values.mean(axis=0)) ** 2))
    assert rmse == pytest.approx(0.147, abs=5e-4)
    noise = np.sqrt(np.mean(values * (1 - values) / 40))
    assert noise == pytest.approx(0.036, abs=5e-4)
    assert asked["total_classifications"].median() == 20
    assert (asked["smooth_or_features"] == asked["total_classifications"]).all()
    # Whom the tree leads to the first question of a branch is who chose that branch.
    assert asked["edge_on"].mean() / 20.26 == pytest.approx(votes.iloc[:, 1].mean(), abs=0.02)


def test_the_real_table_names_some_columns_wrongly(real: None) -> None:
    """What the appendix on the data warns of: if it changes, the page must, too."""
    table = pd.read_csv(cache.path("gz2/table5.csv.gz"))

    def columns(ending: str) -> np.ndarray:
        return table[[c for c in table.columns if re.search(ending, c)]].to_numpy()

    counts, weights = columns("_count$"), columns("_weight$")
    shares, weighted = columns("(?<!_weighted)_fraction$"), columns("_weighted_fraction$")
    assert counts.shape == weights.shape == weighted.shape
    assert (counts == weights).all()
    by_count = counts[:, :3] / counts[:, :3].sum(axis=1, keepdims=True)
    assert (np.abs(by_count - weighted[:, :3]) > 2e-3).any(axis=1).mean() > 0.3
    assert (shares == weighted).all()


def test_real_cosmos_galaxies_can_be_drawn(real: None) -> None:
    catalog = galaxies.cosmos_galaxies()
    assert catalog.nobjects == 100
    for kind in ("real", "parametric"):
        galaxy = catalog.makeGalaxy(0, gal_type=kind)
        assert galaxy.flux == pytest.approx(108.3, rel=0.1)
    one_by_one = galaxies.RealGalaxies()
    assert len(one_by_one) == 100 and len([galaxy.flux for galaxy in one_by_one]) == 100
    assert one_by_one[-1].flux == catalog.makeGalaxy(99, gal_type="real").flux
    with pytest.raises(IndexError, match="received 100, expected one of 100"):
        one_by_one[100]
