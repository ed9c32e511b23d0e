"""Periods for Gaia stars from OGLE, by the patch of sky that is written into a source id.

The light curves that Dekany & Grebel (2022) published are folded, and come without periods and
without positions. But the upper bits of a Gaia source id are the number of the HEALPix pixel of
level 12 in which the star was first seen, 51 arcsec across (Gorski et al. 2005). So an RR Lyrae
star of OGLE that lies in that pixel, alone, is the same star.
"""

import numpy as np
import pandas as pd

from firstlight.archive.ogle import (
    ogle4_bulge_positions,
    ogle4_bulge_rrab,
    ogle4_disk_positions,
    ogle4_disk_rrab,
)

__all__ = ["FILES", "LEVEL", "gaia_periods", "nested_pixel", "source_pixel", "unique_pairs"]

LEVEL = 12
FILES = (
    "ogle4/blg_ident_edit.dat",
    "ogle4/gd_ident.dat",
    "ogle4/gd_RRab.dat",
    "ogle4/o4rrab_bulge_v_gpr_dff_param.dat",
)
_SHAPES = ["amplitude_i_mag", "r21", "phi21", "r31", "phi31"]


def gaia_periods(star_ids: np.ndarray) -> pd.DataFrame:
    """Periods and I-band shapes of Gaia's RRab stars, where OGLE-IV has them.

    Args:
        star_ids: Gaia source ids of RRab stars, as in `vvv.feh_predictions`.

    Returns:
        One row for each star that shares its pixel with one RRab star of OGLE-IV whose period is
        in the cache, in the order given: `star_id`, `ogle_id`, `ra_deg`, `dec_deg`,
        `period_days`, `amplitude_i_mag`, `r21`, `phi21`, `r31`, `phi31` (I band, cosine series,
        radians; NaN for stars of the bulge, whose tables hold V-band shapes).

    Raises:
        DataAbsent: If a table is not in the cache; see `FILES`.
    """
    places = pd.concat([ogle4_bulge_positions(), ogle4_disk_positions()], ignore_index=True)
    places = places[places["subtype"] == "RRab"].rename(columns={"star_id": "ogle_id"})
    pixels = nested_pixel(places["ra_deg"].to_numpy(), places["dec_deg"].to_numpy())
    ours, theirs = unique_pairs(source_pixel(star_ids), pixels)
    table = places.iloc[theirs][["ogle_id", "ra_deg", "dec_deg"]]
    table.insert(0, "star_id", np.asarray(star_ids)[ours])
    known = pd.concat([
        ogle4_disk_rrab()[["star_id", "period_days", *_SHAPES]],
        ogle4_bulge_rrab()[["star_id", "period_days"]],
    ]).rename(columns={"star_id": "ogle_id"})  # fmt: skip
    return table.merge(known, on="ogle_id", how="inner", validate="many_to_one")


def source_pixel(source_ids: np.ndarray, level: int = LEVEL) -> np.ndarray:
    """The nested HEALPix pixel that a Gaia source id begins with.

    Args:
        source_ids: Whole numbers, shape (n,).
        level: From 0 (twelve pixels) to 12.

    Returns:
        Pixel numbers, int64, shape (n,).

    Raises:
        ValueError: If the level is none of these.
    """
    if not 0 <= level <= LEVEL:
        raise ValueError(f"level: received {level}, expected 0 to {LEVEL}.")
    return np.asarray(source_ids, np.int64) >> (35 + 2 * (LEVEL - level))


def nested_pixel(ra_deg: np.ndarray, dec_deg: np.ndarray, level: int = LEVEL) -> np.ndarray:
    """The nested HEALPix pixel in which a position lies (Gorski et al. 2005, ApJ 622, 759).

    Args:
        ra_deg: Right ascension, shape (n,).
        dec_deg: Declination from -90 to 90, shape (n,).
        level: Each level halves the sides; there are 12 * 4**level pixels.

    Returns:
        Pixel numbers, int64, shape (n,).

    Raises:
        ValueError: If a declination is beyond the poles or a number is missing.

    Example:
        >>> nested_pixel([45.0, 45.0], [89.9, -89.9], level=0).tolist()
        [0, 8]
    """
    ra, dec = np.asarray(ra_deg, float), np.asarray(dec_deg, float)
    if not (np.isfinite(ra).all() and (np.abs(dec) <= 90).all()):
        raise ValueError(
            "nested_pixel: received a missing number or a declination beyond 90 deg; expected "
            "degrees. Turn hours into degrees, drop stars without a position."
        )
    side = 2**level
    z = np.sin(np.radians(dec))
    quarter = (ra % 360) / 90  # 0 to 4
    # Around the equator: where do the two families of diagonals cross?
    rising, falling = 0.5 + quarter - 0.75 * z, 0.5 + quarter + 0.75 * z
    up, down = (np.floor(side * x).astype(np.int64) for x in (rising, falling))
    a, b = up // side, down // side
    belt = np.where(a == b, a % 4 + 4, np.where(a < b, a % 4, b % 4 + 8))
    x_belt, y_belt = down % side, side - 1 - up % side
    # Around a pole: the distance from it, and from the meridians that bound the quarter.
    # The sine of the distance over the root of (1 + |z|) keeps its digits at the pole.
    wedge = np.minimum(quarter.astype(np.int64), 3)
    along = quarter - wedge
    reach = side * np.cos(np.radians(dec)) * np.sqrt(3 / (1 + np.abs(z)))
    j, k = (np.minimum((reach * t).astype(np.int64), side - 1) for t in (along, 1 - along))
    north = z > 0
    x_cap, y_cap = (np.where(north, side - 1 - k, j), np.where(north, side - 1 - j, k))
    cap = np.abs(z) > 2 / 3
    face = np.where(cap, np.where(north, wedge, wedge + 8), belt)
    x, y = np.where(cap, x_cap, x_belt), np.where(cap, y_cap, y_belt)
    return face * side**2 + _spread(x) + 2 * _spread(y)


def _spread(number: np.ndarray) -> np.ndarray:
    """Puts a zero between any two binary digits."""
    bits = np.arange(32)
    return (((number[..., None] >> bits) & 1) << (2 * bits)).sum(axis=-1)


def unique_pairs(ours: np.ndarray, theirs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of two lists of pixels that share a pixel with nobody else.

    Args:
        ours: Pixel of each star of one list, (n,).
        theirs: Pixel of each star of the other, (m,).

    Returns:
        Rows of the first list, rising, and the rows of the second that belong to them. A pixel
        with two stars of either list gives no pair.
    """
    single, first = (_alone(np.asarray(pixels)) for pixels in (ours, theirs))
    shared = np.intersect1d(np.asarray(ours)[single], np.asarray(theirs)[first])
    mine = single[np.searchsorted(np.asarray(ours)[single], shared)]  # both rise with the pixel
    yours = first[np.searchsorted(np.asarray(theirs)[first], shared)]
    order = np.argsort(mine)
    return mine[order], yours[order]


def _alone(pixels: np.ndarray) -> np.ndarray:
    _, first, count = np.unique(pixels, return_index=True, return_counts=True)
    return first[count == 1]
