"""What varies, and how: truth and noise-free magnitudes of each family of `variables`."""

import numpy as np
import pandas as pd

from . import eclipses, variable_shapes
from .cadence import TimeSurvey

__all__ = ["PARTS", "SUBTYPE_SHARES", "constant", "eclipsing", "parents", "pulsating"]

PARTS: dict[str, tuple[float, float]] = {
    "all": (0.0, 1.0), "train": (0.0, 0.7), "validation": (0.7, 0.85), "test": (0.85, 1.0),
}  # fmt: skip
SUBTYPE_SHARES: dict[str, dict[str, float]] = {
    "RRab": {"RRab": 1.0}, "RRc": {"RRc": 1.0}, "Cep": {"Cep-F": 0.7, "Cep-1O": 0.3},
    "T2Cep": {"BLHer": 0.45, "WVir": 0.40, "RVTau": 0.15},
}  # fmt: skip
_BLAZHKO_SHARE = 0.3  # of RRab stars (Smolec 2005)
_CONTINUED = ("RRab", "Cep-F")
_CONSTANT = {"quiet": 0.4, "wander": 0.35, "drift": 0.25}

Drawn = tuple[pd.DataFrame, np.ndarray]


def parents(subtype: str, population: str, part: str) -> np.ndarray:
    """Rows of `variable_shapes.table` from which a set draws the shapes of a subtype.

    Args:
        subtype: Of `variable_shapes.SUBTYPES`.
        population: Of `variable_shapes.POPULATIONS`.
        part: A key of `PARTS`; "train", "validation" and "test" have no row in common.

    Returns:
        Row numbers, rising.
    """
    table = variable_shapes.table()
    fits = (table["subtype"] == subtype) & table["population"].isin([population, "both"])
    rows = np.flatnonzero(fits.to_numpy())
    start, stop = np.round(np.array(PARTS[part]) * len(rows)).astype(int)
    return rows[start:stop]


def pulsating(
    types: np.ndarray, times: np.ndarray, survey: TimeSurvey, part: str, rng: np.random.Generator
) -> Drawn:
    """Pulsating stars: measured shapes, brought to the survey's band.

    Three in ten RRab stars show the Blazhko effect: their amplitude swings by 5 to 25 % with
    a period of 20 to 200 days (depth and period are ours).

    Args:
        types: Shape (n,), keys of `SUBTYPE_SHARES`.
        times: Shape (n, epochs), days.
        survey: Its band and population count.
        part: A key of `PARTS`.
        rng: Source of randomness.

    Returns:
        One row a star: `subtype`, `parent` (the OGLE star), `period_days`, `amplitude_mag`,
        `amplitude_i_mag`, `r21`, `phi21`, `r31`, `phi31` (cosine series, radians; in the
        survey's band), `epoch_mjd` (when the first harmonic is faintest), `feh_dex`,
        `blazhko_depth`, `blazhko_days`; and magnitudes less their mean, (n, epochs).
    """
    n = len(types)
    rows = np.zeros(n, int)
    for kind, mixture in SUBTYPE_SHARES.items():
        mine = np.flatnonzero(types == kind)
        which = rng.choice(len(mixture), size=len(mine), p=list(mixture.values()))
        for k, subtype in enumerate(mixture):
            pool = parents(subtype, survey.population, part)
            rows[mine[which == k]] = rng.choice(pool, size=int((which == k).sum()))
    own = variable_shapes.table().iloc[rows].reset_index(drop=True)
    in_ks = variable_shapes.to_ks(own, rng)  # drawn in either band: the stream stays the same
    shapes = in_ks if survey.band == "Ks" else own
    amplitude = in_ks["amplitude_ks_mag"] if survey.band == "Ks" else own["amplitude_i_mag"]
    period = own["period_days"].to_numpy()
    epoch = survey.opposition_mjd + period * rng.uniform(size=n)
    r21, phi21, r31, phi31 = shapes[["r21", "phi21", "r31", "phi31"]].to_numpy().T
    goes_on = own["subtype"].isin(_CONTINUED).to_numpy()
    ratios, phases = variable_shapes.continued(r21, phi21, r31, phi31, goes_on)
    has_blazhko = (own["subtype"] == "RRab").to_numpy() & (rng.uniform(size=n) < _BLAZHKO_SHARE)
    depth = np.where(has_blazhko, rng.uniform(0.05, 0.25, n), 0.0)
    slow = np.exp(rng.uniform(np.log(20), np.log(200), n))
    since = times - epoch[:, None]
    swing = 1 + depth[:, None] * np.cos(
        2 * np.pi * (since / slow[:, None] + rng.uniform(size=(n, 1)))
    )
    unit = variable_shapes.series(ratios, phases, since / period[:, None])
    truth = pd.DataFrame({
        "subtype": own["subtype"], "parent": own["star_id"], "period_days": period,
        "amplitude_mag": amplitude, "amplitude_i_mag": own["amplitude_i_mag"],
        "r21": r21, "phi21": phi21, "r31": r31, "phi31": phi31, "epoch_mjd": epoch,
        "feh_dex": variable_shapes.metallicity(own), "blazhko_depth": depth,
        "blazhko_days": np.where(has_blazhko, slow, np.nan),
    })  # fmt: skip
    return truth, amplitude.to_numpy()[:, None] * swing * unit


def eclipsing(times: np.ndarray, survey: TimeSurvey, rng: np.random.Generator) -> Drawn:
    """Eclipsing binaries (see `eclipses`).

    Args:
        times: Shape (n, epochs), days.
        survey: Its band sets the limb darkening.
        rng: Source of randomness.

    Returns:
        `eclipses.draw`'s table with `kind` as `subtype`, `epoch_mjd` (of primary minimum)
        and `amplitude_mag`; and magnitudes less their mean, (n, epochs).
    """
    n = len(times)
    binaries = eclipses.draw(n, rng)
    epoch = survey.opposition_mjd + binaries["period_days"].to_numpy() * rng.uniform(size=n)
    dark = eclipses.LIMB_DARKENING[survey.band]
    grid = np.arange(120) / 120  # primary minimum, however narrow, is at 0: the amplitude holds
    whole = -2.5 * np.log10(eclipses.flux(binaries, np.broadcast_to(grid, (n, 120)), dark))
    cycles = (times - epoch[:, None]) / binaries["period_days"].to_numpy()[:, None]
    magnitudes = -2.5 * np.log10(eclipses.flux(binaries, cycles, dark))
    truth = binaries.rename(columns={"kind": "subtype"}).assign(
        epoch_mjd=epoch, amplitude_mag=np.ptp(whole, axis=1)
    )
    return truth, magnitudes - whole.mean(axis=1)[:, None]


def constant(times: np.ndarray, sigma_mag: np.ndarray, rng: np.random.Generator) -> Drawn:
    """Stars that do not pulsate, as a survey sees them.

    Two in five are quiet. The others wander (correlated noise: an Ornstein-Uhlenbeck process
    of 0.3 to 1.5 times the noise of a visit and a memory of 5 to 200 days) or drift (by 0.02 to
    0.12 mag from first visit to last, as where two stars of a crowd move apart). Shares and
    sizes are ours.

    Args:
        times: Shape (n, epochs), days, rising; padding at the end.
        sigma_mag: Shape (n,), noise of one visit.
        rng: Source of randomness.

    Returns:
        `subtype` and `amplitude_mag` (what the drift and wander come to at these times); and
        magnitudes less their mean, (n, epochs).
    """
    n, m = times.shape
    kind = rng.choice(list(_CONSTANT), size=n, p=list(_CONSTANT.values()))
    memory = np.exp(rng.uniform(np.log(5), np.log(200), n))
    size = sigma_mag * rng.uniform(0.3, 1.5, n)
    steps = rng.standard_normal((n, m))
    wander = np.empty((n, m))
    wander[:, 0] = steps[:, 0]
    for j in range(1, m):
        kept = np.exp(-np.maximum(times[:, j] - times[:, j - 1], 0) / memory)
        wander[:, j] = kept * wander[:, j - 1] + np.sqrt(1 - kept**2) * steps[:, j]
    span = np.maximum(times.max(axis=1) - times[:, 0], 1.0)
    slope = rng.uniform(0.02, 0.12, n) * rng.choice([-1, 1], n)
    drift = slope[:, None] * ((times - times[:, :1]) / span[:, None] - 0.5)
    found = np.select(
        [(kind == "wander")[:, None], (kind == "drift")[:, None]],
        [size[:, None] * wander, drift], 0.0,
    )  # fmt: skip
    held = np.where(times > 0, found, np.nan)
    return pd.DataFrame({
        "subtype": kind, "amplitude_mag": np.nanmax(held, axis=1) - np.nanmin(held, axis=1)
    }), np.where(times > 0, found, 0.0)  # fmt: skip
