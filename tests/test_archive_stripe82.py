"""RR Lyrae stars of Stripe 82: made files in the published layout, and the real ones."""

import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from archive_kit import folder, plant, real  # noqa: F401
from firstlight.archive import stripe82

# ruff: noqa: F811  (fixtures are imported by name)


def made_tar(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def test_each_measurement_becomes_a_row(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    night = "-33.1 0.35 " + " ".join(f"5146{b}.5 1{b}.25 0.0{b + 1}" for b in range(5))
    lost = "-33.1 0.35 " + " ".join("51470.5 99.999 99.999" for _ in range(5))
    files = {"table1/42.dat": f"{night}\n{lost}\n", "table1/0README": "words"}
    plant(monkeypatch, folder, "stripe82/table1.tar.gz", made_tar(files))
    curves = stripe82.stripe82_light_curves()
    assert curves["band"].tolist() == list(stripe82.BANDS)
    assert set(curves["star_id"]) == {42}
    np.testing.assert_allclose(curves["time_mjd"], [51460.5 + b for b in range(5)])
    np.testing.assert_allclose(curves["mag"], [10.25 + b for b in range(5)])
    np.testing.assert_allclose(curves["mag_err"], [0.01 * (b + 1) for b in range(5)])


def test_stars_come_from_two_tables(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bands = " ".join(f"{b}A {b}0 {b}E {b}T" for b in "ugriz")
    fits = f"#id type P {bands}\n7 ab 0.64 " + " ".join(["0.5 17.8 51075.2 101"] * 5) + "\n"
    places = "#id ra dec rExt d rGC uF\n7 -33.0 1.1 0.089 17.75 20.03 18.1\n"
    plant(monkeypatch, folder, "stripe82/table2.dat.gz", gzip.compress(fits.encode()))
    plant(monkeypatch, folder, "stripe82/table3.dat.gz", gzip.compress(places.encode()))
    star = stripe82.stripe82_rr_lyrae().loc[7]
    assert star["type"] == "ab" and star["period_days"] == 0.64
    assert star["ra_deg"] == 327.0, "right ascension runs from 0 to 360"
    assert star["amplitude_g_mag"] == 0.5 and star["distance_kpc"] == 17.75


def test_the_real_stars_are_those_of_the_paper(real: None) -> None:
    stars, curves = stripe82.stripe82_rr_lyrae(), stripe82.stripe82_light_curves()
    assert stars["type"].value_counts().to_dict() == {"ab": 379, "c": 104}
    assert set(curves["star_id"]) == set(stars.index)
    assert not stars.isna().any().any() and not curves.isna().any().any()
    assert stars["ra_deg"].between(0, 360).all() and stars["dec_deg"].abs().max() < 1.3
    # Folded with the published period, a star repeats itself: neighbors in phase agree
    # better than neighbors in time.
    star = curves[(curves["star_id"] == 4099) & (curves["band"] == "g")]
    phase = (star["time_mjd"] / stars.loc[4099, "period_days"]) % 1
    folded = star["mag"].to_numpy()[np.argsort(phase)]
    assert np.abs(np.diff(folded)).mean() < 0.5 * np.abs(np.diff(star["mag"])).mean()
