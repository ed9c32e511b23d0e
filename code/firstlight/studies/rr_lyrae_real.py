"""Real RR Lyrae stars as the network takes them: Stripe 82, and the RRab stars of VVV."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.archive import stripe82, vvv
from firstlight.sky import folding
from firstlight.sky.variables import signal_to_noise
from firstlight.studies import rr_lyrae_sky as skies

__all__ = ["FILES", "RealStars", "adaptation_folds", "stripe82_stars", "vvv_stars"]

FILES = {
    "stripe82": ("stripe82/table1.tar.gz", "stripe82/table2.dat.gz", "stripe82/table3.dat.gz"),
    "vvv": ("vvv/lc_target_k.tar.gz", "vvv/inner_bulge_new_rrab.dat"),
}
LEAST_ERROR = 0.006  # mag: that of the deep training survey


@dataclass(frozen=True)
class RealStars:
    """Real light curves and what the published catalog says of them.

    Args:
        curves: Times, magnitudes, errors and mask, padded, each (n, epochs).
        rrab: Whether the catalog calls them RRab, (n,).
        period_days: Published, (n,).
        snr: As `sky.variables.signal_to_noise`, (n,).
        unit_periods: True where the times are phases already.
    """

    curves: skies.Curves
    rrab: NDArray[np.bool_]
    period_days: NDArray[np.float64]
    snr: NDArray[np.float64]
    unit_periods: bool = False

    def __len__(self) -> int:
        return len(self.rrab)

    def folded(self, periods: NDArray[Any], points: int) -> NDArray[np.float16]:
        """The curves as the network sees them: see `rr_lyrae_sky.folded`.

        Args:
            periods: In days, (n, candidates). Curves that come folded take their own.
            points: Of the network.
        """
        periods = np.asarray(periods, float).reshape(len(self), -1)
        if self.unit_periods:
            return skies.folded(self.curves, np.ones_like(periods), points, periods)
        return skies.folded(self.curves, periods, points)


def stripe82_stars(band: str = "i") -> RealStars:
    """379 RRab and 104 RRc stars of Stripe 82 (Sesar et al. 2010).

    Args:
        band: One of `archive.stripe82.BANDS`.

    Raises:
        DataAbsent: If the tables are not in the cache.
    """
    table, all_curves = stripe82.stripe82_rr_lyrae(), stripe82.stripe82_light_curves()
    visits = all_curves[all_curves["band"] == band].sort_values(["star_id", "time_mjd"])
    visits = visits[visits["star_id"].isin(table.index)]
    lengths = visits.groupby("star_id").size()
    curves = _padded(
        lengths.to_numpy(), visits["time_mjd"].to_numpy(float), visits["mag"].to_numpy(float),
        np.hypot(visits["mag_err"].to_numpy(float), LEAST_ERROR),
    )  # fmt: skip
    table = table.loc[lengths.index]
    period = table["period_days"].to_numpy(float)
    return RealStars(curves, (table["type"] == "ab").to_numpy(), period, _snr(curves, period))


def vvv_stars() -> RealStars:
    """4 447 RRab stars that Dekany & Grebel (2020) found, folded with their periods.

    The files hold no errors: each point gets the scatter around a fit of six harmonics.

    Raises:
        DataAbsent: If the files are not in the cache.
    """
    curves = vvv.vvv_light_curves("K")
    table = vvv.vvv_rrab().drop_duplicates("star_id").set_index("star_id").loc[curves.star_ids]
    times, magnitudes, errors, mask = _padded(
        curves.lengths, curves.phases, curves.magnitudes, np.full(len(curves.phases), 0.03)
    )
    ones = np.ones(len(mask))
    fit = folding.fourier_fit(times, magnitudes, errors, mask, ones, harmonics=6)
    errors = np.where(mask, np.maximum(fit.scatter_mag, LEAST_ERROR)[:, None], 0.0)
    return RealStars(
        (times, magnitudes, errors, mask), np.ones(len(mask), bool),
        table["period_days"].to_numpy(float), table["snr"].to_numpy(float), unit_periods=True,
    )  # fmt: skip


def adaptation_folds(rrab: NDArray[np.bool_], count: int, seed: int) -> NDArray[np.int64]:
    """A fold for every star, each with its share of both types.

    Args:
        rrab: Shape (n,).
        count: How many folds.
        seed: Of the order.

    Returns:
        Numbers from 0 to `count` - 1, (n,).
    """
    fold = np.empty(len(rrab), np.int64)
    rng = np.random.default_rng(seed)
    for kind in (False, True):
        rows = rng.permutation(np.flatnonzero(rrab == kind))
        fold[rows] = np.arange(len(rows)) % count
    return fold


def _padded(
    lengths: NDArray[Any], times: NDArray[Any], magnitudes: NDArray[Any], errors: NDArray[Any]
) -> skies.Curves:
    """Curves that lie one behind another, in rows of one length."""
    mask = np.arange(lengths.max()) < lengths[:, None]
    out = [np.zeros(mask.shape) for _ in range(3)]
    for array, values in zip(out, (times, magnitudes, errors), strict=True):
        array[mask] = values
    return out[0], out[1], out[2], mask


def _snr(curves: skies.Curves, period: NDArray[Any]) -> NDArray[np.float64]:
    """By the errors, as in the simulation: three harmonics leave a steep rise over."""
    _, _, errors, mask = curves
    fit = folding.fourier_fit(*curves, period, harmonics=3)
    noise = np.sqrt((errors**2).sum(axis=1) / mask.sum(axis=1))
    return signal_to_noise(fit.amplitude_mag, noise, mask.sum(axis=1))
