"""Real RR Lyrae stars of SDSS Stripe 82: 379 ab, 104 c (Sesar et al. 2010)."""

import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd

from firstlight.archive import cache

__all__ = ["BANDS", "stripe82_light_curves", "stripe82_rr_lyrae"]

BANDS = ("u", "g", "r", "i", "z")


def stripe82_rr_lyrae() -> pd.DataFrame:
    """The stars: type, period, amplitudes, position, distance.

    Returns:
        483 rows indexed by `star_id`: `type` ("ab" or "c"), `period_days`; in each band b
        `amplitude_b_mag`, `brightest_b_mag` (template at maximum), `epoch_b_mjd`,
        `template_b`; then `ra_deg`, `dec_deg`, `extinction_r_mag`, `distance_kpc`
        (heliocentric).

    Raises:
        DataAbsent: If a table is not in the cache.
    """
    fits = _read("stripe82/table2.dat.gz").set_index("id")
    table = pd.DataFrame({"type": fits["type"], "period_days": fits["P"]})
    for band in BANDS:
        table[f"amplitude_{band}_mag"] = fits[f"{band}A"]
        table[f"brightest_{band}_mag"] = fits[f"{band}0"]
        table[f"epoch_{band}_mjd"] = fits[f"{band}E"]
        table[f"template_{band}"] = fits[f"{band}T"]
    places = _read("stripe82/table3.dat.gz").set_index("id")
    table["ra_deg"] = places["ra"] % 360
    table["dec_deg"] = places["dec"]
    table["extinction_r_mag"] = places["rExt"]
    table["distance_kpc"] = places["d"]
    table.index.name = "star_id"
    return table


def stripe82_light_curves() -> pd.DataFrame:
    """The measurements, one row for each star, band and night.

    Returns:
        Columns `star_id`, `band` ("u", "g", "r", "i", "z"), `time_mjd`, `mag` (not
        corrected for extinction) and `mag_err`. Missing measurements are left out.

    Raises:
        DataAbsent: If the file is not in the cache.

    Example:
        >>> curves = stripe82_light_curves()  # doctest: +SKIP
        >>> one = curves[(curves.star_id == 4099) & (curves.band == "g")]  # doctest: +SKIP
    """
    parts = []
    with tarfile.open(cache.path("stripe82/table1.tar.gz"), "r:gz") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.name.endswith(".dat") else None
            if content is not None:
                parts.append(_star(int(Path(member.name).stem), content.read()))
    return pd.concat(parts, ignore_index=True)


def _star(star_id: int, content: bytes) -> pd.DataFrame:
    """One file: ra, dec, then (time, magnitude, error) in each of the five bands."""
    rows = np.loadtxt(io.BytesIO(content), ndmin=2)
    nights = rows[:, 2:17].reshape(-1, len(BANDS), 3)
    flat = nights.transpose(1, 0, 2).reshape(-1, 3)
    table = pd.DataFrame(flat, columns=["time_mjd", "mag", "mag_err"])
    table.insert(0, "band", np.repeat(BANDS, len(rows)))
    table.insert(0, "star_id", star_id)
    measured = table["mag"].between(0, 90) & table["mag_err"].between(0, 90)  # 99.999: none
    return table[measured]


def _read(name: str) -> pd.DataFrame:
    """A table whose first line, after `#`, names the columns."""
    with gzip.open(cache.path(name), "rt", encoding="ascii") as file:
        header = file.readline().lstrip("#").split()
        return pd.read_csv(file, sep=r"\s+", header=None, names=header)
