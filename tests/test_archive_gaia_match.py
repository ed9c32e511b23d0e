"""Gaia's stars and OGLE's, matched by the patch of sky that stands in a source id."""

from pathlib import Path

import numpy as np
import pytest

from archive_kit import folder, plant, real  # noqa: F401
from firstlight.archive import gaia_match, vvv
from firstlight.archive.gaia_match import nested_pixel, source_pixel, unique_pairs

# ruff: noqa: F811  (fixtures are imported by name)


def uniform_sky(n, seed):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))


def test_the_twelve_faces_lie_where_the_paper_has_them():
    ra = [45, 135, 225, 315, 0, 90, 180, 270, 45, 135, 225, 315]
    dec = [60] * 4 + [0] * 4 + [-60] * 4
    assert nested_pixel(ra, dec, level=0).tolist() == list(range(12))


def test_each_level_quarters_the_one_before():
    ra, dec = uniform_sky(4000, 1)
    for level in range(12):
        finer = nested_pixel(ra, dec, level + 1)
        np.testing.assert_array_equal(finer >> 2, nested_pixel(ra, dec, level))


def test_all_pixels_have_the_same_area():
    ra, dec = uniform_sky(192_000, 2)
    count = np.bincount(nested_pixel(ra, dec, level=2), minlength=192)
    assert len(count) == 192
    assert ((count - 1000) ** 2 / 1000).sum() < 191 + 4 * np.sqrt(2 * 191)  # chi squared


def test_a_pixel_is_a_small_patch():
    ra, dec = uniform_sky(200, 3)
    step = 0.5 / 3600  # half an arcsecond aside is mostly in the same pixel, two arcmin never
    assert np.mean(nested_pixel(ra, dec) == nested_pixel(ra, np.clip(dec + step, -90, 90))) > 0.95
    assert not np.any(nested_pixel(ra, dec) == nested_pixel(ra, dec - np.sign(dec) / 30))


def test_the_poles_and_the_ends_of_the_circle_belong_to_a_pixel():
    pixels = nested_pixel([0, 360, 359.999999999, 0, 10], [0, 0, 0, 90, -90])
    assert pixels[0] == pixels[1]
    assert ((pixels >= 0) & (pixels < 12 * 4**12)).all()


def test_impossible_positions_and_levels_are_refused():
    for dec in (91.0, np.nan):
        with pytest.raises(ValueError, match="beyond 90 deg"):
            nested_pixel([10.0], [dec])
    with pytest.raises(ValueError, match="received 13, expected 0 to 12"):
        source_pixel(np.array([1]), level=13)


def made_ids(ra, dec, seed=0):
    """Source ids as Gaia gives them: the pixel, then a counter."""
    rest = np.random.default_rng(seed).integers(0, 2**35, len(ra))
    return (nested_pixel(np.asarray(ra), np.asarray(dec)) << 35) | rest


def test_a_made_up_id_leads_back_to_its_pixel():
    ra, dec = uniform_sky(500, 4)
    ids = made_ids(ra, dec)
    np.testing.assert_array_equal(source_pixel(ids), nested_pixel(ra, dec))
    np.testing.assert_array_equal(source_pixel(ids, level=5), nested_pixel(ra, dec, level=5))


def test_only_stars_alone_in_their_pixel_are_paired():
    ours, theirs = np.array([7, 3, 9, 3, 5]), np.array([5, 9, 9, 7, 8, 3])
    mine, yours = unique_pairs(ours, theirs)
    assert mine.tolist() == [0, 4] and yours.tolist() == [3, 0]
    none = unique_pairs(ours, np.array([100]))
    assert [len(rows) for rows in none] == [0, 0]


def test_periods_come_through_made_tables(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bulge = "OGLE-BLG-RRLYR-00931 RRab 17:05:07.49 -32:37:57.2\n"
    disk = (
        "OGLE-GD-RRLYR-00001  RRab  10:35:56.15 -62:38:40.7\n"
        "OGLE-GD-RRLYR-00002  RRc   10:36:12.01 -62:34:50.0\n"  # its subtype is left out
        "OGLE-GD-RRLYR-00003  RRab  10:36:26.74 -62:31:08.4\n"  # has no period
    )
    plant(monkeypatch, folder, "ogle4/blg_ident_edit.dat", bulge.encode())
    plant(monkeypatch, folder, "ogle4/gd_ident.dat", disk.encode())
    row = "17.6 19.2 0.5555 0.0000047 7000.12 0.626 0.526 4.300 0.315 2.564\n"
    plant(monkeypatch, folder, "ogle4/gd_RRab.dat", f"OGLE-GD-RRLYR-00001 {row}".encode())
    header = "# id Nep period totamp phi21 phi31 meanmag snr\n"
    text = header + " b00931 147 0.448686 0.753 8.3 4.7 22.0 24.7\n"
    plant(monkeypatch, folder, "ogle4/o4rrab_bulge_v_gpr_dff_param.dat", text.encode())
    ra = 15 * np.array([10 + 35 / 60 + 56.15 / 3600, 10 + 36 / 60 + 12.01 / 3600, 2,
                        10 + 36 / 60 + 26.74 / 3600, 17 + 5 / 60 + 7.49 / 3600])  # fmt: skip
    dec = -np.array([62 + 38 / 60 + 40.7 / 3600, 62 + 34 / 60 + 50 / 3600, -10,
                     62 + 31 / 60 + 8.4 / 3600, 32 + 37 / 60 + 57.2 / 3600])  # fmt: skip
    ids = made_ids(ra, dec)
    found = gaia_match.gaia_periods(ids)
    assert found["star_id"].tolist() == [ids[0], ids[4]]
    assert found["period_days"].tolist() == [0.5555, 0.448686]
    assert found["phi31"].iloc[0] == 2.564 and np.isnan(found["phi31"].iloc[1])


def test_the_real_stars_find_their_periods(real: None) -> None:
    labels = vvv.feh_predictions("val")
    found = gaia_match.gaia_periods(labels["star_id"].to_numpy())
    assert len(found) == 2792
    assert found["period_days"].between(0.3, 1.0).all()
    # The label is a formula of period and shape, so a right match lies close to a plane.
    both = labels.merge(found, on="star_id").dropna()
    x = np.c_[np.ones(len(both)), both[["period_days", "phi31", "amplitude_i_mag", "r21"]]]
    y = both["feh_dex"].to_numpy()
    off = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    assert np.mean(np.abs(off) < 0.3) > 0.99
