"""Real RRab stars of the VVV survey and of Gaia (Dekany & Grebel 2020, 2022)."""

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from firstlight.archive import cache, derived
from firstlight.archive.ogle import sexagesimal

__all__ = ["LightCurves", "feh_predictions", "vvv_light_curves", "vvv_rrab"]

_FILES = {"K": "vvv/lc_target_k.tar.gz", "G": "vvv/lc_dev_g.tar.gz"}


@dataclass(frozen=True)
class LightCurves:
    """Phase-folded light curves of unequal length.

    Args:
        star_ids: Shape (n,).
        lengths: Shape (n,), points of each curve.
        phases: All phases in one row, from 0 up to 1, star after star. Phase zero is where
            the first Fourier component has phase zero, not maximum light.
        magnitudes: The magnitudes, likewise.
    """

    star_ids: np.ndarray
    lengths: np.ndarray
    phases: np.ndarray
    magnitudes: np.ndarray

    def __len__(self) -> int:
        return len(self.star_ids)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Phase and magnitude of the curve at `index` (not: of that star id)."""
        ends = self._ends
        start = int(ends[index] - self.lengths[index])
        return self.phases[start : ends[index]], self.magnitudes[start : ends[index]]

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        return (self[index] for index in range(len(self)))

    @property
    def _ends(self) -> np.ndarray:
        return np.cumsum(self.lengths)


def vvv_light_curves(band: str = "K") -> LightCurves:
    """Phase-folded light curves of real RRab stars.

    Args:
        band: "K" for 4 447 stars of the VVV survey (Ks, inner bulge), "G" for 13 323
            stars of Gaia, of which 4 458 have an [Fe/H] in `feh_predictions`.

    Returns:
        The curves in increasing order of star id. The files hold no periods and no errors.
        They repeat the first part of the cycle at its end; the repeats are left out here.

    Raises:
        ValueError: If there is no such band.
        DataAbsent: If the file is not in the cache.

    Example:
        >>> curves = vvv_light_curves("K")  # doctest: +SKIP
        >>> phase, ks_mag = curves[0]  # doctest: +SKIP
    """
    if band not in _FILES:
        raise ValueError(f"band: received {band!r}, expected one of {tuple(_FILES)}.")
    path = cache.path(_FILES[band])
    return LightCurves(**derived.arrays(_FILES[band], 1, lambda: _parse(path)))


def _parse(path: Path) -> dict[str, np.ndarray]:
    curves: dict[int, np.ndarray] = {}
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            name = re.fullmatch(r"(\d+)_bin\.dat", Path(member.name).name)
            content = archive.extractfile(member) if name else None
            if name and content is not None:
                points = np.array(content.read().split(), float).reshape(-1, 2)
                curves[int(name[1])] = points[points[:, 0] < 1]
    star_ids = np.array(sorted(curves), np.int64)
    points = np.concatenate([curves[star_id] for star_id in star_ids.tolist()])
    return {
        "star_ids": star_ids,
        "lengths": np.array([len(curves[star_id]) for star_id in star_ids.tolist()]),
        "phases": points[:, 0],
        "magnitudes": points[:, 1],
    }


def feh_predictions(part: str = "val") -> pd.DataFrame:
    """The published [Fe/H] regressor's predictions on the Gaia stars, ten folds.

    Args:
        part: "val": each of 4 458 stars once, predicted by the network that had not seen
            it. "train": the nine other times.

    Returns:
        Columns `star_id` (Gaia source id), `fold` (0 to 9), `feh_dex` (the label, itself
        photometric) and `predicted_feh_dex`.

    Raises:
        ValueError: If there is no such part.
        DataAbsent: If the table is not in the cache.
    """
    if part not in ("val", "train"):
        raise ValueError(f"part: received {part!r}, expected 'val' or 'train'.")
    columns = ["star_id", "fold", "feh_dex", "predicted_feh_dex"]
    path = cache.path(f"vvv/g_predict_{part}.dat")
    return pd.read_csv(path, sep=r"\s+", header=None, names=columns)


def vvv_rrab() -> pd.DataFrame:
    """The catalog of the 4 447 RRab stars found toward the inner bulge (Dekany & Grebel 2020).

    Returns:
        Columns `star_id` (as in `vvv_light_curves("K")`), `ra_deg`, `dec_deg` (J2000),
        `period_days`, `mean_k_mag`, `amplitude_k_mag`, `snr`, `probability` (of being an
        RRab star, by the authors' classifier; NaN where the catalog gives none).

    Raises:
        DataAbsent: If the table is not in the cache.
    """
    content = cache.path("vvv/inner_bulge_new_rrab.dat").read_text(encoding="ascii")
    # The quoted cross-identifications behind these ten columns hold blanks.
    rows = [line.split()[:10] for line in content.splitlines() if line and line[0] != "#"]
    names = "id name ra dec period meanmag_k totamp_k aper snr prob".split()
    table = pd.DataFrame(rows, columns=names)
    return pd.DataFrame(
        {
            "star_id": table["id"].astype(np.int64),
            "ra_deg": 15 * sexagesimal(table["ra"]),
            "dec_deg": sexagesimal(table["dec"]),
            "period_days": table["period"].astype(float),
            "mean_k_mag": table["meanmag_k"].astype(float),
            "amplitude_k_mag": table["totamp_k"].astype(float),
            "snr": table["snr"].astype(float),
            "probability": pd.to_numeric(table["prob"], errors="coerce"),
        }
    )
