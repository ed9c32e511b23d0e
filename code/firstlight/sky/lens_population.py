"""Which lenses, impostors and field galaxies there are, and what each is made of.

`draw` returns a `Scene`: one row of truth for each stamp, and a table of parts, one row for
each blob, knot or arc of light in it besides the lens galaxy. Every stamp, lens or not, has a
massive elliptical galaxy in its middle, drawn before its label is known; nothing about that
galaxy can tell what it does. The numbers here are ours, set to look like the galaxies of
published searches; the color tracks follow luminous red galaxies.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from . import lens_impostors
from .surveys import BANDS, Survey

__all__ = ["LSST", "NEIGHBORS", "PLAIN", "Scene", "draw"]

# Two exposures of 15 s, after Ivezic et al. (2019) and the project's note SMTN-002.
LSST = Survey(
    name="LSST-like single visit",
    seeing_arcsec=(0.83, 0.79, 0.77),
    seeing_scatter=0.10,
    zero_point_mag=(32.20, 32.05, 31.86),
    sky_mag_arcsec2=(22.26, 21.20, 20.48),
    read_noise_electrons=12.7,
    native_pixel_arcsec=0.2,
)
PLAIN = ("alone", "field")
NEIGHBORS = 0.8  # field galaxies in a stamp of 9.6 arcsec, on average
SOURCE_REACH = 0.6  # sources lie within this many Einstein radii of the axis
_KM_S_LIGHT, _HUBBLE, _MATTER = 299_792.458, 70.0, 0.3
_REDSHIFTS = np.linspace(0, 4, 801)
_TRACK = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_RED_G_R = (1.2, 1.45, 1.62, 1.68, 1.70, 1.72, 1.75, 1.75)
_RED_R_I = (0.42, 0.48, 0.56, 0.72, 0.92, 1.08, 1.15, 1.2)
_K_R = (0.2, 0.33, 0.45, 0.65, 0.9, 1.15, 1.4, 1.6)


class Scene(NamedTuple):
    """What is in each stamp.

    Args:
        truth: One row a stamp; lengths in arcsec, angles in radians.
        parts: One row for each further piece of light; `owner` is its stamp's row in `truth`.
    """

    truth: pd.DataFrame
    parts: pd.DataFrame

    def take(self, rows: np.ndarray) -> "Scene":
        """The same stamps in another order, or some of them."""
        rows = np.asarray(rows)
        pieces = [self.parts[self.parts["owner"] == row].assign(owner=at)
                  for at, row in enumerate(rows)]  # fmt: skip
        parts = pd.concat(pieces, ignore_index=True) if pieces else self.parts[:0]
        return Scene(self.truth.iloc[rows].reset_index(drop=True), parts)


def _distances() -> tuple[np.ndarray, np.ndarray]:
    """Comoving distance (Mpc) at `_REDSHIFTS`, flat universe."""
    rate = 1 / np.sqrt(_MATTER * (1 + _REDSHIFTS) ** 3 + 1 - _MATTER)
    steps = 0.5 * (rate[1:] + rate[:-1]) * np.diff(_REDSHIFTS)
    return _REDSHIFTS, _KM_S_LIGHT / _HUBBLE * np.concatenate([[0.0], np.cumsum(steps)])


def draw(
    n: int,
    rng: np.random.Generator,
    *,
    lens_fraction: float,
    kinds: tuple[str, ...],
    shares: tuple[float, ...],
    einstein_radius_arcsec: tuple[float, float],
    snr: tuple[float, float],
    seeing_arcsec: tuple[float, ...],
    seeing_scatter: float,
    side_arcsec: float,
) -> Scene:
    """Draws n stamps; `sky.lenses.simulate` checks the arguments and says what they mean."""
    truth = _galaxies(n, rng, einstein_radius_arcsec)
    night = np.exp(rng.normal(0, seeing_scatter, n))
    for band, seeing in zip(BANDS, seeing_arcsec, strict=True):
        truth[f"seeing_{band}_arcsec"] = seeing * night
    is_lens = rng.random(n) < lens_fraction
    other = rng.choice(len(kinds), size=n, p=np.asarray(shares) / sum(shares))
    kind = np.where(is_lens, "lens", np.asarray(kinds)[other])
    truth.insert(0, "kind", kind)
    truth.insert(1, "label", is_lens.astype(np.int8))
    truth["snr"] = np.exp(rng.uniform(np.log(snr[0]), np.log(snr[1]), n)) * (kind != "alone")
    truth["feature_g_r"] = rng.normal(0.25, 0.2, n)
    truth["feature_r_i"] = rng.normal(0.12, 0.12, n)
    lens_impostors.recolor(truth, rng)
    parts = [
        _sources(truth, np.flatnonzero(np.isin(kind, ("lens", "field"))), side_arcsec, rng),
        lens_impostors.draw(truth, rng),
        _neighbors(n, side_arcsec, rng),
    ]
    return Scene(truth, pd.concat(parts, ignore_index=True).fillna(0.0))


def _galaxies(n: int, rng: np.random.Generator, radii: tuple[float, float]) -> pd.DataFrame:
    """Massive ellipticals: from the Einstein radius to dispersion, light, size and color."""
    z, comoving = _distances()
    z_lens = np.clip(rng.normal(0.52, 0.14, n), 0.25, 0.85)
    z_source = rng.uniform(1.2, 3.0, n)
    d_lens, d_source = np.interp(z_lens, z, comoving), np.interp(z_source, z, comoving)
    truth = pd.DataFrame({"einstein_radius_arcsec": rng.uniform(*radii, n)})
    ratio = 1 - d_lens / d_source
    radian = truth["einstein_radius_arcsec"] / 206_265
    sigma = _KM_S_LIGHT * np.sqrt(radian / (4 * np.pi * ratio))
    truth["z_lens"], truth["z_source"], truth["dispersion_km_s"] = z_lens, z_source, sigma
    absolute = -21.7 - 7.5 * np.log10(sigma / 200) + rng.normal(0, 0.35, n)  # Faber & Jackson
    modulus = 5 * np.log10(d_lens * (1 + z_lens)) + 25
    truth["lens_r_mag"] = absolute + modulus + np.interp(z_lens, _TRACK, _K_R) - 0.9 * z_lens
    truth["lens_g_r"] = np.interp(z_lens, _TRACK, _RED_G_R) + rng.normal(0, 0.06, n)
    truth["lens_r_i"] = np.interp(z_lens, _TRACK, _RED_R_I) + rng.normal(0, 0.04, n)
    kiloparsec = 4.5 * (sigma / 200) ** 1.2 * np.exp(rng.normal(0, 0.2, n))
    truth["lens_radius_arcsec"] = kiloparsec / (1000 * d_lens / (1 + z_lens)) * 206_265
    truth["lens_sersic_n"] = rng.choice([2.5, 3.0, 4.0, 5.0], n, p=[0.15, 0.25, 0.4, 0.2])
    truth["lens_axis_ratio"] = np.clip(rng.normal(0.78, 0.13, n), 0.45, 0.99)
    truth["lens_angle_rad"] = rng.uniform(0, np.pi, n)
    truth["lens_x_arcsec"], truth["lens_y_arcsec"] = rng.normal(0, 0.06, (2, n))
    truth["mass_axis_ratio"] = np.clip(truth["lens_axis_ratio"] + rng.normal(0, 0.06, n), 0.45, 1)
    truth["mass_angle_rad"] = truth["lens_angle_rad"] + rng.normal(0, 0.15, n)
    truth["shear_1"], truth["shear_2"] = rng.normal(0, 0.03, (2, n))
    return truth


def _sources(
    truth: pd.DataFrame, rows: np.ndarray, side: float, rng: np.random.Generator
) -> pd.DataFrame:
    """Star-forming galaxies: a Sersic body and three knots. Lensed, or far from the axis."""
    m = len(rows)
    lensed = truth["kind"].to_numpy()[rows] == "lens"
    angle = rng.uniform(0, 2 * np.pi, m)
    theta = truth["einstein_radius_arcsec"].to_numpy()[rows]
    near = SOURCE_REACH * theta * np.sqrt(rng.random(m))
    far = rng.uniform(1.2, 0.46 * side, m)
    distance = np.where(lensed, near, far)
    size = np.clip(np.exp(rng.normal(np.log(0.26), 0.35, m)), 0.12, 0.7)
    body = pd.DataFrame({
        "owner": rows, "role": np.where(lensed, "source", "field"), "shape": "sersic",
        "x_arcsec": distance * np.cos(angle), "y_arcsec": distance * np.sin(angle),
        "radius_arcsec": np.where(lensed, size, 1.8 * size), "sersic_n": 1.0,
        "axis_ratio": rng.uniform(0.4, 1, m), "angle_rad": rng.uniform(0, np.pi, m),
    })  # fmt: skip
    knotted = rng.uniform(0, 0.5, m)
    body["flux"] = 1 - knotted
    pieces = [body]
    for share in (0.5, 0.3, 0.2):
        around, out = rng.uniform(0, 2 * np.pi, m), body["radius_arcsec"] * rng.uniform(0.2, 1.3, m)
        pieces.append(body.assign(
            shape="knot", flux=knotted * share, axis_ratio=1.0, sersic_n=0.0,
            x_arcsec=body["x_arcsec"] + out * np.cos(around),
            y_arcsec=body["y_arcsec"] + out * np.sin(around),
            radius_arcsec=rng.uniform(0.04, 0.09, m),
        ))  # fmt: skip
    return pd.concat(pieces, ignore_index=True)


def _neighbors(n: int, side: float, rng: np.random.Generator) -> pd.DataFrame:
    """Galaxies that happen to be in the field of any stamp; flux is given by their magnitude."""
    owner = np.repeat(np.arange(n), rng.poisson(NEIGHBORS * (side / 9.6) ** 2, n))
    m = len(owner)
    x, y = rng.uniform(-side / 2, side / 2, (2, m))
    clear = np.hypot(x, y) > 0.8
    magnitude = np.log10(rng.uniform(10 ** (0.35 * 21.5), 10 ** (0.35 * 25.0), m)) / 0.35
    size = np.exp(rng.normal(np.log(0.4), 0.35, m)) * 10 ** (-0.07 * (magnitude - 24))
    table = pd.DataFrame({
        "owner": owner, "role": "neighbor", "shape": "sersic", "x_arcsec": x, "y_arcsec": y,
        "radius_arcsec": size, "sersic_n": 1.0, "axis_ratio": rng.uniform(0.25, 1, m),
        "angle_rad": rng.uniform(0, np.pi, m), "flux": 1.0, "g_mag": magnitude,
        "g_r": rng.normal(0.55, 0.35, m), "r_i": rng.normal(0.28, 0.2, m),
    })  # fmt: skip
    return table[clear]
