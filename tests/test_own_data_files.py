"""A reader's own files: every format comes out alike, and every broken one says what is wrong."""

import zipfile

import h5py
import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.archive import own_curves, own_files, own_images, own_images_fits, own_images_hdf5
from firstlight.archive.errors import DataAbsent, DataCorrupt, DataError
from firstlight.archive.shards import Plan, write_shards

N, SIDE = 7, 16


@pytest.fixture
def stamps():
    return np.random.default_rng(1).normal(size=(N, SIDE, SIDE, 3)).astype(np.float32)


def read(path, images=None, batch=3):
    found = own_images.open_stamps(path, images)
    parts = list(found.batches(batch))
    assert all(len(part) <= batch for part in parts) or found.n == 1
    return found, np.concatenate(parts)


# --- what a path is ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "error", "told"),
    [
        ("no.fits", None, DataAbsent, "nothing lies"),
        ("a.fits", b"", DataCorrupt, "empty file"),
        ("a.jpeg", b"x", DataError, "ends in '.jpeg'"),
        ("a", b"x", DataError, "ends in 'nothing'"),
        ("a.csv", b"x,y\n1,2\n", DataError, "received a table, expected images"),
        ("a.fits", b"SIMPLE  = nonsense", DataCorrupt, "truncated or not what its name says"),
        ("a.h5", b"nonsense", DataCorrupt, "truncated or not what its name says"),
        ("a.npz", b"nonsense", DataCorrupt, "truncated or not what its name says"),
        ("a.npy", b"nonsense", DataCorrupt, "truncated or not what its name says"),
    ],
)
def test_a_file_that_is_none_of_ours(tmp_path, name, content, error, told):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match="received.*expected") as problem:
        own_images.open_stamps(path)
    assert told in str(problem.value)


def test_a_folder_without_a_manifest(tmp_path):
    with pytest.raises(DataError, match=r"folder without manifest\.json"):
        own_images.open_stamps(tmp_path)


@pytest.mark.parametrize(
    ("text", "bands"), [("gri", "gri"), ("g, r i", "gri"), ("HSC-G,HSC-R", "gr"), ("g", "g")]
)
def test_names_of_bands(text, bands):
    names = [own_files.short_band(name) for name in own_files.split_bands(text)]
    assert names == list(bands)


def test_a_long_filter_card_is_one_band():
    card = "g DECam SDSS c0001 4720.0 1520.0"
    assert own_files.about({"FILTER": card}) == {"bands": ("g",)}
    assert own_files.about({"FILTER": "g,r,i"})["bands"] == ("g", "r", "i")


def test_a_packed_cube_is_whole(tmp_path, stamps):
    packed = fits.CompImageHDU((1000 * stamps[..., 0]).astype(np.int16))
    fits.HDUList([fits.PrimaryHDU(), packed]).writeto(tmp_path / "a.fits.fz")
    found, images = read(tmp_path / "a.fits.fz")
    np.testing.assert_array_equal(images[..., 0], (1000 * stamps[..., 0]).astype(np.int16))
    cut(tmp_path / "a.fits.fz", 0.4)
    with pytest.raises(DataCorrupt, match="truncated"):
        read(tmp_path / "a.fits.fz")


@pytest.mark.parametrize("value", [-0.2, 0.0, "wide", float("nan")])
def test_a_pixel_that_is_no_length(value):
    with pytest.raises(DataError, match="pixscale: received.*expected a positive number"):
        own_files.about({"pixscale": value})


# --- formats -----------------------------------------------------------------------------


def write_npz(path, images, compressed=False, **more):
    (np.savez_compressed if compressed else np.savez)(path, images=images, **more)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("first", [False, True])
def test_npz(tmp_path, stamps, compressed, first):
    path = tmp_path / "a.npz"
    write_npz(path, np.moveaxis(stamps, -1, 1) if first else stamps, compressed,
              labels=np.arange(N) % 2, bands=["g", "r", "i"], pixel_arcsec=0.2, unit="adu",
              ids=[f"s{k}" for k in range(N)])  # fmt: skip
    found, images = read(path)
    np.testing.assert_array_equal(images, stamps)
    assert found.about == {"bands": ("g", "r", "i"), "pixel_arcsec": 0.2, "unit": "adu"}
    assert found.columns["ids"][2] == "s2" and found.columns["labels"].tolist()[:2] == [0, 1]


def test_npy_of_one_band(tmp_path, stamps):
    np.save(tmp_path / "a.npy", stamps[..., 0])
    found, images = read(tmp_path / "a.npy")
    np.testing.assert_array_equal(images, stamps[..., :1])
    assert found.n == N


@pytest.mark.parametrize("shape", [(SIDE, SIDE), (SIDE, SIDE, 3)])
def test_one_stamp_alone(tmp_path, stamps, shape):
    one = stamps[0].reshape(SIDE, SIDE, 3)[..., : (shape + (1,))[2]].reshape(shape)
    np.save(tmp_path / "a.npy", one)
    found, images = read(tmp_path / "a.npy")
    assert found.n == 1 and images.shape == (1, SIDE, SIDE, (shape + (1,))[2])
    np.testing.assert_array_equal(images.reshape(shape), one)


def test_three_bands_of_one_stamp_are_told_from_three_stamps(tmp_path, stamps):
    cube = np.moveaxis(stamps[0], -1, 0)
    write_npz(tmp_path / "a.npz", cube, bands=["g", "r", "i"])
    write_npz(tmp_path / "b.npz", cube)
    assert read(tmp_path / "a.npz")[1].shape == (1, SIDE, SIDE, 3)
    assert read(tmp_path / "b.npz")[1].shape == (3, SIDE, SIDE, 1)


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("where", ["dataset", "file"])
def test_hdf5(tmp_path, stamps, first, where):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        data = np.moveaxis(stamps, -1, 1) if first else stamps
        images = file.create_dataset("survey/cutouts", data=data)
        (images if where == "dataset" else file).attrs.update(bands="gri", pixel_scale=0.2)
        file["survey/label"] = [b"lens"] * N
    found, images = read(path)
    np.testing.assert_array_equal(images, stamps)
    assert found.about == {"bands": ("g", "r", "i"), "pixel_arcsec": 0.2}
    assert found.columns["labels"].tolist() == ["lens"] * N


def test_hdf5_with_a_dataset_for_each_band(tmp_path, stamps):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for k, name in enumerate(("HSC-G", "HSC-R", "HSC-I")):
            file[name] = stamps[..., k]
    found, images = read(tmp_path / "a.h5")
    order = [found.about["bands"].index(band) for band in "gri"]
    np.testing.assert_array_equal(images[..., order], stamps)


def test_hdf5_without_the_key_lists_the_keys(tmp_path, stamps):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["galaxies/data"] = stamps
        file["redshift"] = np.zeros(N)
    with pytest.raises(DataError, match=r"galaxies/data \(7, 16, 16, 3\), redshift \(7,\)"):
        own_images.open_stamps(tmp_path / "a.h5")
    with pytest.raises(DataError, match="received no dataset 'data'"):
        own_images_hdf5.open_stamps(tmp_path / "a.h5", "data")
    np.testing.assert_array_equal(read(tmp_path / "a.h5", "galaxies/data")[1], stamps)


@pytest.mark.parametrize("scaled", [False, True])
def test_fits_cube(tmp_path, stamps, scaled):
    path = tmp_path / "a.fits"
    data = np.moveaxis(stamps, -1, 1)
    hdu = fits.PrimaryHDU((1000 * data).astype(np.int16) if scaled else data)
    if scaled:
        hdu.header["BSCALE"], hdu.header["BZERO"] = 0.001, 0.0
    hdu.header["BANDS"], hdu.header["PIXSCALE"], hdu.header["BUNIT"] = "g,r,i", 0.2, "electron"
    labels = Table({"ID": [f"s{k}" for k in range(N)], "label": np.arange(N) % 2})
    fits.HDUList([hdu, fits.BinTableHDU(labels)]).writeto(path)
    found, images = read(path)
    np.testing.assert_allclose(images, stamps, atol=0.002 if scaled else 0)
    assert found.about == {"bands": ("g", "r", "i"), "pixel_arcsec": 0.2, "unit": "electron"}
    assert found.columns["ids"][3] == "s3" and found.columns["labels"].tolist()[3] == 1
    assert images.dtype.isnative


def test_fits_with_an_extension_for_each_band_and_a_wcs(tmp_path, stamps):
    hdus = [fits.PrimaryHDU()]
    for name in "RGI":
        hdu = fits.ImageHDU(stamps[..., "gri".index(name.lower())], name=name)
        hdu.header.update(CTYPE1="RA---TAN", CD1_1=-0.2 / 3600, CD2_2=0.2 / 3600)
        hdus.append(hdu)
    fits.HDUList(hdus).writeto(tmp_path / "a.fits.gz")
    found, images = read(tmp_path / "a.fits.gz")
    assert found.about["bands"] == ("r", "g", "i")
    assert found.about["pixel_arcsec"] == pytest.approx(0.2)
    np.testing.assert_array_equal(images[..., [1, 0, 2]], stamps)


def test_fits_table_with_a_column_of_images(tmp_path, stamps):
    table = Table({"objid": np.arange(N), "image": stamps, "class": ["lens"] * N})
    table.write(tmp_path / "a.fits")
    found, images = read(tmp_path / "a.fits")
    np.testing.assert_array_equal(images, stamps)
    assert found.columns["labels"].tolist() == ["lens"] * N


def test_fits_that_could_mean_several_things_lists_them(tmp_path, stamps):
    hdus = [fits.PrimaryHDU(), *(fits.ImageHDU(stamps[k, ..., 0], name=f"S{k}") for k in (0, 1))]
    fits.HDUList(hdus).writeto(tmp_path / "a.fits")
    with pytest.raises(DataError, match=r"S0 \(16, 16\), S1 \(16, 16\)"):
        own_images_fits.open_stamps(tmp_path / "a.fits")
    assert read(tmp_path / "a.fits", "s1")[1].shape == (1, SIDE, SIDE, 1)
    with pytest.raises(DataError, match="no image extension 'S9'"):
        own_images.open_stamps(tmp_path / "a.fits", "S9")


def make_shard(n, seed):
    rng = np.random.default_rng(seed)
    arrays = {"images": rng.normal(size=(n, SIDE, SIDE, 3)), "votes": np.full((n, 37), 0.5)}
    return arrays, pd.DataFrame({"z": np.zeros(n)})


def test_shards_of_simulate(tmp_path):
    write_shards(tmp_path / "sky", Plan(5, 1, 2), make_shard)
    found, images = read(tmp_path / "sky")
    assert found.n == 5 and images.shape == (5, SIDE, SIDE, 3)
    assert found.columns["votes"].shape == (5, 37)
    assert found.about == {"bands": ("g", "r", "i"), "unit": "sky sigma"}


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 9), bands=st.integers(1, 5), batch=st.integers(1, 10), swap=st.booleans())
def test_whatever_the_layout_no_stamp_is_lost_or_moved(tmp_path_factory, n, bands, batch, swap):
    images = np.arange(n * 12 * 12 * bands, dtype=np.float32).reshape(n, 12, 12, bands)
    path = tmp_path_factory.mktemp("h") / "a.npz"
    write_npz(path, np.moveaxis(images, -1, 1) if swap else images)
    found, got = read(path, batch=batch)
    assert found.n == n
    np.testing.assert_array_equal(got, images)


# --- broken ones -------------------------------------------------------------------------


def cut(path, share=0.6):
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])


@pytest.mark.parametrize("name", ["a.npz", "a.npy", "a.h5", "a.fits"])
def test_a_truncated_file_is_told(tmp_path, stamps, name):
    path = tmp_path / name
    if name.endswith("npz"):
        write_npz(path, stamps)
    elif name.endswith("npy"):
        np.save(path, stamps)
    elif name.endswith("h5"):
        with h5py.File(path, "w") as file:
            file["images"] = stamps
    else:
        fits.PrimaryHDU(stamps).writeto(path)
    cut(path)
    with pytest.raises(DataCorrupt, match="truncated.*Copy or download it again"):
        read(path)


def test_a_damaged_zip_is_told_where_it_shows(tmp_path, stamps):
    path = tmp_path / "a.npz"
    write_npz(path, stamps)
    with zipfile.ZipFile(path) as archive:
        offset = archive.getinfo("images.npy").header_offset
    data = bytearray(path.read_bytes())
    data[offset + 400] ^= 255
    path.write_bytes(bytes(data))
    with pytest.raises(DataCorrupt, match="CRC"):
        read(path)


@pytest.mark.parametrize(
    ("array", "told"),
    [
        (np.array([None, "a"], object), "array of Python objects"),
        (np.asfortranarray(np.zeros((4, 16, 16))), "Fortran order"),
        (np.full((2, 16, 16), "a"), "expected numbers"),
        (np.zeros((2, 16, 16, 16)), r"received shape \(2, 16, 16, 16\)"),
        (np.zeros(5), r"received shape \(5,\)"),
    ],
)
def test_arrays_that_are_no_stamps(tmp_path, array, told):
    np.savez(tmp_path / "a.npz", images=array)
    with pytest.raises(DataError, match=told):
        own_images.open_stamps(tmp_path / "a.npz")


def test_an_npz_without_images_lists_its_arrays(tmp_path, stamps):
    np.savez(tmp_path / "a.npz", data=stamps, z=np.zeros(N))
    with pytest.raises(DataError, match="received arrays data, z, expected one called images"):
        own_images.open_stamps(tmp_path / "a.npz")
    with pytest.raises(DataError, match="received no array 'dat'"):
        own_images.open_stamps(tmp_path / "a.npz", "dat")
    assert read(tmp_path / "a.npz", "data")[0].n == N


# --- light curves ------------------------------------------------------------------------


def curves_table(n=4, visits=6):
    rng = np.random.default_rng(3)
    star = np.repeat([f"V{k}" for k in range(n)], visits)
    return Table({"star_id": star, "mjd": rng.uniform(0, 100, n * visits),
                  "mag": rng.normal(15, 0.2, n * visits), "e_mag": np.full(n * visits, 0.02),
                  "period": np.repeat(0.5 + 0.1 * np.arange(n), visits),
                  "type": np.repeat(["RRab", ""] * (n // 2), visits)})  # fmt: skip


def same(curve, table, star):
    rows = table[table["star_id"] == star]
    order = np.argsort(rows["mjd"])
    np.testing.assert_allclose(curve.times, rows["mjd"][order])
    np.testing.assert_allclose(curve.magnitudes, rows["mag"][order])


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.ecsv", "b.ecsv", "a.fits"])
@pytest.mark.parametrize("mixed", [False, True])
def test_every_table_gives_the_same_curves(tmp_path, name, mixed):
    table = curves_table()
    table["mjd"].unit, table["mag"].unit = "d", "mag"
    if mixed:
        table = table[np.random.default_rng(1).permutation(len(table))]
    forms = {"a.csv": {}, "a.tsv": {"format": "ascii.tab"}, "a.ecsv": {},
             "b.ecsv": {"delimiter": ","}, "a.fits": {}}  # fmt: skip
    table.write(tmp_path / name, **forms[name])
    found = own_curves.open_curves(tmp_path / name)
    stars = {curve.star: curve for curve in found.stars()}
    assert set(stars) == {"V0", "V1", "V2", "V3"}
    for star, curve in stars.items():
        same(curve, table, star)
    assert stars["V2"].period_days == pytest.approx(0.7)
    assert stars["V0"].label == "RRab" and stars["V1"].label == ""
    assert found.columns["mag_err"] == "e_mag"
    assert (found.units.get("time") == "d") == (name.endswith(("ecsv", "fits")))


@pytest.mark.parametrize("name", ["a.csv", "a.fits"])
@pytest.mark.parametrize("rows", [1, 5, 6, 7])
def test_a_large_table_is_read_in_pieces_and_no_star_is_cut(tmp_path, monkeypatch, name, rows):
    table = curves_table()
    table.write(tmp_path / name)
    monkeypatch.setattr(own_curves, "SMALL", 0)
    monkeypatch.setattr(own_curves, "_ROWS", rows)
    stars = list(own_curves.open_curves(tmp_path / name).stars())
    assert [curve.star for curve in stars] == ["V0", "V1", "V2", "V3"]
    for curve in stars:
        same(curve, table, curve.star)


def test_a_large_table_must_be_sorted(tmp_path, monkeypatch):
    table = curves_table()
    table[np.argsort(table["mjd"])].write(tmp_path / "a.csv")
    monkeypatch.setattr(own_curves, "SMALL", 0)
    monkeypatch.setattr(own_curves, "_ROWS", 5)
    with pytest.raises(DataError, match="Sort it by star_id"):
        list(own_curves.open_curves(tmp_path / "a.csv").stars())


def test_visits_without_a_number_are_counted(tmp_path):
    table = curves_table()
    table["mag"][1], table["e_mag"][2], table["e_mag"][3] = np.nan, 0.0, -1.0
    table.write(tmp_path / "a.csv")
    first = next(own_curves.open_curves(tmp_path / "a.csv").stars())
    assert first.dropped == 3 and len(first.times) == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("star_id,mjd,flux,flux_err\na,1,2,3\n", r"mag = zero_point - 2.5 \* log10\(flux\)"),
        ("star_id,mjd,mag\na,1,2\n", "If the survey gives no errors"),
        ("x,y\n1,2\n", "received the columns x, y, expected also star_id, time, mag, mag_err"),
        ("star_id,mjd,mag,mag_err\n", "a table without rows"),
        ("star_id,mjd,mag,mag_err\na,1,bright,0.1\n", "received 'bright' in the column mag"),
    ],
)
def test_tables_that_are_no_light_curves(tmp_path, text, told):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=told):
        list(own_curves.open_curves(path).stars())


def test_images_are_no_light_curves(tmp_path, stamps):
    np.save(tmp_path / "a.npy", stamps)
    fits.PrimaryHDU(stamps).writeto(tmp_path / "a.fits")
    with pytest.raises(DataError, match="expected a table of light curves"):
        own_curves.open_curves(tmp_path / "a.npy")
    with pytest.raises(DataError, match="without a table"):
        own_curves.open_curves(tmp_path / "a.fits")
