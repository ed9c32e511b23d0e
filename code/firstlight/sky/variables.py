"""Light curves of variable stars and their impostors, every parameter kept as truth.

After Dekany & Grebel (2020), who look for RRab stars among everything that varies in the
VVV survey of the bulge. Pulsating stars have the measured shapes of OGLE-III stars, brought to
the survey's band (`variable_shapes`); eclipsing binaries are geometry (`eclipses`); constant
stars have what a survey takes for variation: noise, slow wander and drift. `cadence` says when
the survey looks and how well.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from . import checks, variable_population
from .cadence import VVV, TimeSurvey
from .variable_population import PARTS

__all__ = ["BLOCK", "PARTS", "SHARES", "TYPES", "Variables", "signal_to_noise", "simulate"]

BLOCK = 256
TYPES = ("RRab", "RRc", "Cep", "T2Cep", "EB", "constant")
SHARES: dict[str, float] = {
    "RRab": 0.35, "RRc": 0.15, "Cep": 0.10, "T2Cep": 0.10, "EB": 0.20, "constant": 0.10,
}  # fmt: skip
COLUMNS = (
    "subtype", "period_days", "amplitude_mag", "epoch_mjd", "parent", "feh_dex", "amplitude_i_mag",
    "r21", "phi21", "r31", "phi31", "blazhko_depth", "blazhko_days", "mass_ratio", "radius_1",
    "radius_2", "elongation", "surface_ratio", "inclination_rad", "eccentricity",
    "periastron_rad", "third_light", "asymmetry",
)  # fmt: skip


@dataclass(frozen=True)
class Variables:
    """Simulated light curves and their truth.

    Args:
        times: `(n, epochs)` float64, days (MJD), rising; 0 where the mask is False.
        magnitudes: `(n, epochs)` float32; 0 where the mask is False.
        errors: `(n, epochs)` float32, mag, standard deviation of the noise; likewise.
        mask: `(n, epochs)` bool, True for a measurement. Padding is at the end.
        truth: One row a star: `type`, `subtype`, `period_days` (NaN if constant; of the orbit,
            if a binary), `amplitude_mag` (peak to peak, in the survey's band), `mean_mag`,
            `n_epochs`, `noise_mag`, `snr`, `feh_dex` (RRab only), `parent` (the OGLE star whose
            shape it has), and all else that went into it.
        band: "Ks" or "I".
    """

    times: np.ndarray
    magnitudes: np.ndarray
    errors: np.ndarray
    mask: np.ndarray
    truth: pd.DataFrame
    band: str

    def __len__(self) -> int:
        return len(self.times)

    @property
    def labels(self) -> np.ndarray:
        """The type of each star, one of `TYPES`, `(n,)`."""
        return self.truth["type"].to_numpy(str)

    @property
    def period_days(self) -> np.ndarray:
        """True periods, `(n,)`; NaN for constant stars."""
        return self.truth["period_days"].to_numpy()

    @property
    def snr(self) -> np.ndarray:
        """Signal-to-noise ratio of the whole curve (see `signal_to_noise`), `(n,)`."""
        return self.truth["snr"].to_numpy()

    @property
    def curves(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Times, magnitudes, errors, mask: `folding.fold(*stars.curves, stars.period_days)`."""
        return self.times, self.magnitudes, self.errors, self.mask

    def take(self, rows: np.ndarray) -> "Variables":
        """Some of the stars, in the given order (or under a mask)."""
        truth = self.truth.iloc[np.arange(len(self))[rows]].reset_index(drop=True)
        times, magnitudes, errors, mask = (array[rows] for array in self.curves)
        return Variables(times, magnitudes, errors, mask, truth, self.band)


def signal_to_noise(
    amplitude_mag: np.ndarray, noise_mag: np.ndarray, n_epochs: np.ndarray
) -> np.ndarray:
    """S/N of a light curve: amplitude over noise, times the root of the number of points.

    This is what the catalog of Dekany & Grebel (2020) holds: recomputed from 4 447 real
    curves, ours over theirs is 0.97 (median) with a scatter of 12 %.

    Args:
        amplitude_mag: Peak to peak.
        noise_mag: Standard deviation of the residuals.
        n_epochs: Points of the curve.

    Returns:
        Shape of the arguments.

    Raises:
        ValueError: If a noise is not positive.

    Example:
        >>> float(signal_to_noise(np.array(0.25), np.array(0.03125), np.array(36)))
        48.0
    """
    if not (np.asarray(noise_mag) > 0).all():
        raise ValueError(
            "signal_to_noise: received a noise of zero or less, or NaN; expected positive numbers."
        )
    return np.asarray(amplitude_mag * np.sqrt(n_epochs) / noise_mag)


def simulate(
    n: int,
    seed: int,
    *,
    survey: TimeSurvey = VVV,
    shares: Mapping[str, float] = SHARES,
    part: str = "all",
) -> Variables:
    """Simulates the light curves of n stars as one survey would measure them.

    Args:
        n: How many, at least 1.
        seed: Same seed, same stars; the first k of n are the same for any n.
        survey: Cadence, band and noise: `cadence.VVV`, `cadence.STRIPE82`, or one of these
            with `dataclasses.replace(VVV, epochs=(20, 30))`.
        shares: Of each type, out of `TYPES`; they are divided by their sum.
        part: Which OGLE stars lend their shapes: "all", or one of "train", "validation"
            and "test", which have no star in common (whatever the seeds).

    Returns:
        `Variables` of n stars.

    Raises:
        ValueError: For an empty batch, a bad seed, an unknown type or part, or shares that
            are negative or all zero.

    Example:
        >>> stars = simulate(5, seed=1)
        >>> stars.times.shape == stars.mask.shape == (5, VVV.epochs[1])
        True
    """
    checks.whole("simulate", "n", n, 1, 100_000_000)
    checks.whole("simulate", "seed", seed, 0, 2**63)
    if part not in PARTS:
        raise ValueError(f"simulate: received part={part!r}, expected one of {tuple(PARTS)}.")
    values = np.array([shares.get(name, 0.0) for name in TYPES], float)
    unknown = set(shares) - set(TYPES)
    if unknown or not (np.isfinite(values).all() and values.min() >= 0 and values.sum() > 0):
        raise ValueError(
            f"simulate: received shares={dict(shares)}, expected numbers of 0 or more, not all "
            f"zero, for types out of {TYPES}."
        )
    blocks = [
        _block(np.random.default_rng([seed, block]), survey, values / values.sum(), part)
        for block in range(-(-n // BLOCK))
    ]
    times, magnitudes, errors, mask = (
        np.concatenate([getattr(block, name) for block in blocks])[:n]
        for name in ("times", "magnitudes", "errors", "mask")
    )
    truth = pd.concat([block.truth for block in blocks], ignore_index=True)[:n]
    return Variables(times, magnitudes, errors, mask, truth, survey.band)


def _block(
    rng: np.random.Generator, survey: TimeSurvey, shares: np.ndarray, part: str
) -> Variables:
    kind = np.array(TYPES)[rng.choice(len(TYPES), size=BLOCK, p=shares)]
    level = rng.uniform(*survey.mean_mag, BLOCK)
    times, mask = survey.visits(BLOCK, rng)
    clean = np.zeros(times.shape)
    tables = []
    pulsating, binary, constant = (
        np.flatnonzero(np.isin(kind, names))
        for names in (list(variable_population.SUBTYPE_SHARES), ["EB"], ["constant"])
    )
    if len(pulsating):
        table, clean[pulsating] = variable_population.pulsating(
            kind[pulsating], times[pulsating], survey, part, rng
        )
        tables.append(table.set_index(pulsating))
    if len(binary):
        table, clean[binary] = variable_population.eclipsing(times[binary], survey, rng)
        tables.append(table.set_index(binary))
    if len(constant):
        noise = survey.sigma(level[constant])
        table, clean[constant] = variable_population.constant(times[constant], noise, rng)
        tables.append(table.set_index(constant))
    truth = pd.concat(tables).reindex(columns=list(COLUMNS)).sort_index()
    truth.insert(0, "type", kind)
    truth["parent"] = truth["parent"].fillna("")
    measured, errors, wrong = survey.observe(level[:, None] + clean, mask, rng)
    truth["mean_mag"], truth["n_epochs"], truth["n_outliers"] = level, mask.sum(1), wrong.sum(1)
    truth["noise_mag"] = np.sqrt((errors**2).sum(axis=1) / mask.sum(axis=1))
    truth["snr"] = signal_to_noise(
        truth["amplitude_mag"].to_numpy(), truth["noise_mag"].to_numpy(), mask.sum(axis=1)
    )
    return Variables(
        times, measured.astype(np.float32), errors.astype(np.float32), mask, truth, survey.band
    )
