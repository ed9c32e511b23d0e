"""A reader's own light curves: a table with one visit a row, in CSV, ECSV or FITS.

The rows of a star may lie anywhere in a small table. A large one is read piece by piece, and the
rows of each star must follow one another.
"""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from firstlight.archive.errors import DataError
from firstlight.archive.own_files import broken, kind_of

__all__ = ["COLUMNS", "Curve", "Curves", "open_curves"]

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "star_id": ("star_id", "star", "id", "source_id", "object_id", "objid", "name"),
    "time": ("time", "mjd", "jd", "hjd", "bjd", "time_mjd", "t"),
    "mag": ("mag", "magnitude", "mag_psf", "m"),
    "mag_err": ("mag_err", "magerr", "e_mag", "mag_error", "err", "error", "sigma"),
    "period": ("period", "period_days", "per", "p"),
    "label": ("label", "class", "type"),
}
SMALL = 64e6  # bytes up to which a table is read whole and put in order
_ROWS = 200_000  # of a large one at a time
_NEEDED = ("star_id", "time", "mag", "mag_err")


@dataclass(frozen=True)
class Curve:
    """The visits to one star that have numbers.

    Args:
        star: Its name.
        times: Days, rising.
        magnitudes: Same shape.
        errors: Same shape, positive.
        period_days: NaN if the table gives none.
        label: "" if the table gives none.
        dropped: Visits without a number, or with an error of 0 or less.
    """

    star: str
    times: NDArray[np.float64]
    magnitudes: NDArray[np.float64]
    errors: NDArray[np.float64]
    period_days: float
    label: str
    dropped: int


@dataclass(frozen=True)
class Curves:
    """Light curves in a file, not read yet.

    Args:
        path: The file.
        kind: "csv", "ecsv" or "fits".
        columns: What stands in which column.
        units: Of these columns, where the file says.
        rows: Visits in the file if known without reading it, else 0.
    """

    path: Path
    kind: str
    columns: dict[str, str]
    units: dict[str, str]
    rows: int

    def stars(self) -> Iterator[Curve]:
        """One star after the other.

        Raises:
            DataError: If the rows of a star do not follow one another in a large table, or a
                number is none.
        """
        seen: set[str] = set()
        rest: pd.DataFrame | None = None
        small = self.path.stat().st_size <= SMALL
        pieces = _pieces(self)
        if small:
            pieces = iter([pd.concat(list(pieces), ignore_index=True)])
        for piece in pieces:
            table = piece if rest is None else pd.concat([rest, piece], ignore_index=True)
            last = table["star_id"].iloc[-1]
            groups = list(table.groupby("star_id", sort=False))
            for star, rows in groups:
                if star == last and not small:
                    rest = rows
                    continue
                yield _curve(self, str(star), rows, seen)
        if rest is not None:
            yield _curve(self, str(rest["star_id"].iloc[0]), rest, seen)


def open_curves(path: Path) -> Curves:
    """Looks into a table of light curves.

    Args:
        path: CSV, TSV, ECSV or FITS.

    Returns:
        The curves; nothing large is read yet.

    Raises:
        DataError: If it is no table, or a column is missing.
        DataCorrupt: If it is empty or broken.
    """
    path = Path(path)
    kind = kind_of(path)
    if kind not in ("csv", "ecsv", "fits"):
        raise DataError(f"{path}: received {kind}, expected a table of light curves: CSV, ECSV or "
                        "FITS, one visit a row.")  # fmt: skip
    if kind == "fits":
        names, units, rows = _fits_columns(path)
    else:
        names, units, rows = *_text_columns(path, kind), 0
    lower = {name.lower(): name for name in reversed(names)}
    found = {what: next((lower[a] for a in aliases if a in lower), None)
             for what, aliases in COLUMNS.items()}  # fmt: skip
    missing = [what for what in _NEEDED if found[what] is None]
    if missing:
        raise DataError(_missing(path, names, missing))
    columns = {what: name for what, name in found.items() if name is not None}
    said = {what: units[name] for what, name in columns.items() if units.get(name)}
    return Curves(path, kind, columns, said, rows)


def _missing(path: Path, names: list[str], missing: list[str]) -> str:
    fix = "Rename them in the header"
    flux = next((name for name in names if "flux" in name.lower()), None)
    if flux and "mag" in missing:
        fix = (f"Fluxes are not magnitudes: mag = zero_point - 2.5 * log10({flux}), mag_err = "
               f"1.086 * flux_err / {flux}, without the visits of negative flux")  # fmt: skip
    elif missing == ["mag_err"]:
        fix = "If the survey gives no errors, take the scatter of a constant star of that magnitude"
    return (f"{path}: received the columns {', '.join(names)}, expected also "
            f"{', '.join(missing)} (one visit a row: star_id, time in days, mag, mag_err; if you "
            f"have them period in days, label). {fix}.")  # fmt: skip


def _text_columns(path: Path, kind: str) -> tuple[list[str], dict[str, str]]:
    units: dict[str, str] = {}
    if kind == "ecsv":
        from astropy.io import ascii as tables

        with open(path, encoding="utf-8", errors="replace") as file:
            head = []
            for line in file:
                head.append(line)
                if not line.startswith("#"):
                    break
        try:
            table = tables.read(head, format="ecsv")
        except Exception as problem:
            raise broken(path, f"no ECSV header: {problem}") from problem
        units = {name: str(table[name].unit or "") for name in table.colnames}
    try:
        names = list(pd.read_csv(path, nrows=0, **_dialect(path, kind)).columns)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as problem:
        raise broken(path, problem) from problem
    return names, units


def _dialect(path: Path, kind: str) -> dict[str, Any]:
    if path.suffix.lower() == ".tsv":
        return {"sep": "\t", "comment": "#"}
    if kind == "ecsv":
        with open(path, encoding="utf-8", errors="replace") as file:
            comma = any("delimiter: ','" in line for line in file if line.startswith("#"))
        return {"sep": "," if comma else r"\s+", "comment": "#"}
    return {"sep": ",", "comment": "#", "skipinitialspace": True}


def _fits_columns(path: Path) -> tuple[list[str], dict[str, str], int]:
    from astropy.io import fits

    from firstlight.archive.own_images_fits import whole

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            with fits.open(path) as hdus:
                whole(path, hdus, told)
                tables = [hdu for hdu in hdus if hasattr(hdu, "columns")]
                if not tables:
                    raise DataError(f"{path}: received a FITS file without a table, expected one "
                                    "of light curves: this study looks at stars.")  # fmt: skip
                columns = tables[0].columns
                units = {column.name: str(column.unit or "") for column in columns}
                return list(columns.names), units, len(tables[0].data)
        except OSError as problem:
            raise broken(path, problem) from problem


def _pieces(curves: Curves) -> Iterator[pd.DataFrame]:
    """The table under our own names, some rows at a time."""
    names = {name: what for what, name in curves.columns.items()}
    if curves.kind == "fits":
        from astropy.io import fits

        with fits.open(curves.path, memmap=True) as hdus:
            data = next(hdu for hdu in hdus if hasattr(hdu, "columns")).data
            for start in range(0, len(data), _ROWS):
                some = data[start : start + _ROWS]
                yield _clean(curves, pd.DataFrame({what: _native(some[name])
                                                   for name, what in names.items()}))  # fmt: skip
        return
    text = {curves.columns[what]: str for what in ("star_id", "label") if what in curves.columns}
    try:
        for piece in pd.read_csv(curves.path, usecols=list(names), dtype=text, chunksize=_ROWS,
                                 **_dialect(curves.path, curves.kind)):  # fmt: skip
            yield _clean(curves, piece.rename(columns=names))
    except (pd.errors.ParserError, UnicodeDecodeError) as problem:
        raise broken(curves.path, problem) from problem


def _native(array: Any) -> Any:
    values = np.asarray(array)
    if values.dtype.kind == "S":
        return np.char.decode(values)
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _clean(curves: Curves, table: pd.DataFrame) -> pd.DataFrame:
    if table.empty:
        raise DataError(f"{curves.path}: received a table without rows, expected light curves.")
    for what in ("time", "mag", "mag_err", "period"):
        if what in table and table[what].dtype.kind not in "fiu":
            numbers = pd.to_numeric(table[what], errors="coerce")
            words = table[what].astype(str).str.strip().str.lower()
            wrong = numbers.isna() & ~words.isin(["", "nan", "none", "null", "--", "inf", "-inf"])
            if wrong.any():
                row = int(np.flatnonzero(wrong)[0])
                raise DataError(f"{curves.path}: received {table[what].iloc[row]!r} in the column "
                                f"{curves.columns[what]}, expected numbers.")  # fmt: skip
            table[what] = numbers
    table["star_id"] = table["star_id"].astype(str).str.strip()
    return table


def _curve(curves: Curves, star: str, rows: pd.DataFrame, seen: set[str]) -> Curve:
    if star in seen:
        raise DataError(f"{curves.path}: received the star {star} again after others, expected all "
                        "of its rows together: so large a table is read piece by piece. Sort it "
                        f"by {curves.columns['star_id']}.")  # fmt: skip
    seen.add(star)
    t, m, e = (rows[what].to_numpy(float) for what in ("time", "mag", "mag_err"))
    good = np.isfinite(t) & np.isfinite(m) & np.isfinite(e) & (e > 0)
    order = np.argsort(t[good], kind="stable")
    period = float(rows["period"].iloc[0]) if "period" in rows else float("nan")
    label = rows["label"].iloc[0] if "label" in rows else ""
    return Curve(star, t[good][order], m[good][order], e[good][order], period,
                 "" if pd.isna(label) else str(label), int((~good).sum()))  # fmt: skip
