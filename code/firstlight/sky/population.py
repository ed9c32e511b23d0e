"""The priors: what kinds of galaxies there are, and how bright, large and blue.

`draw(n, rng)` returns the truth table from which `sky.galaxies` renders images.
The mixture imitates the Galaxy Zoo 2 main sample (r < 17 mag, Petrosian R90
above 3 arcsec; Willett et al. 2013); its numbers are ours, tuned until answer
frequencies and image statistics agree with real ones (see `sky.volunteers`).
"""

from functools import cache

import numpy as np
import pandas as pd

from . import checks
from .surveys import SDSS, Survey

KINDS = ("elliptical", "disc", "irregular", "star", "artifact")
KIND_SHARES = (0.19, 0.68, 0.085, 0.015, 0.030)
STAMP_IN_R90 = 2.4  # side of a stamp over R90: Galaxy Zoo, too, scaled stamps to the galaxy
ARM_NUMBERS = (1, 2, 3, 4, 5, 6)
ARM_SHARES = (0.06, 0.60, 0.13, 0.07, 0.07, 0.07)
# Columns that must be above zero for a galaxy to be drawn.
POSITIVE = (
    "r90_arcsec", "pixel_arcsec", "seeing_g_arcsec", "seeing_r_arcsec", "seeing_i_arcsec",
    "sersic_n", "bulge_axis_ratio", "bulge_radius_r90", "disc_thickness", "disc_scale_r90",
    "pitch_rad", "bar_length_r90", "bar_axis_ratio", "ring_radius_r90", "companion_radius_r90",
    "companion_axis_ratio", "arc_radius_r90",
)  # fmt: skip


def draw(n: int, rng: np.random.Generator, survey: Survey = SDSS, size: int = 48) -> pd.DataFrame:
    """Draws the truth of n galaxies.

    Args:
        n: How many.
        rng: Source of randomness.
        survey: Whose seeing to draw.
        size: Pixels on a side of the stamp; sets the pixel scale.

    Returns:
        One row a galaxy. Lengths end in `_arcsec`, or are in units of R90 where they end
        in `_r90`; angles end in `_rad`; `*_share` are fractions of the total light in r.

    Raises:
        ValueError: If n is not a whole number of 0 or more.

    Example:
        >>> draw(3, np.random.default_rng(1))["kind"].isin(KINDS).all()
        np.True_
    """
    checks.whole("draw", "n", n, 0, 100_000_000)
    kind = rng.choice(len(KINDS), size=n, p=KIND_SHARES)
    truth = pd.DataFrame({"kind": pd.Categorical.from_codes(kind, KINDS)})
    truth["r_mag"] = _magnitudes(n, rng)
    truth["r90_arcsec"] = np.clip(
        np.exp(rng.normal(np.log(7.5) - 0.16 * (truth["r_mag"] - 16.3), 0.30, n)), 3.0, 20.0
    )
    truth["pixel_arcsec"] = STAMP_IN_R90 * truth["r90_arcsec"] / size
    night = np.exp(rng.normal(0.0, survey.seeing_scatter, n))
    for band, seeing in zip("gri", survey.seeing_arcsec, strict=True):
        truth[f"seeing_{band}_arcsec"] = seeing * night
    truth["x_r90"], truth["y_r90"] = rng.normal(0, 0.025, (2, n))
    truth["angle_rad"] = rng.uniform(0, np.pi, n)
    _shape(truth, kind, rng)
    _disc_structure(truth, kind, rng)
    _oddities(truth, kind, rng)
    _colors(truth, kind, rng)
    return truth


@cache
def columns() -> tuple[str, ...]:
    """The names of all columns of a truth table."""
    return tuple(str(name) for name in draw(0, np.random.default_rng(0)).columns)


def _magnitudes(n: int, rng: np.random.Generator) -> np.ndarray:
    """r from 13 to 17 mag, counts rising as 10^(0.45 r): a little below Euclidean."""
    low, high = 10 ** (0.45 * 13.0), 10 ** (0.45 * 17.0)
    return np.log10(rng.uniform(low, high, n)) / 0.45


def _shape(truth: pd.DataFrame, kind: np.ndarray, rng: np.random.Generator) -> None:
    """Bulges, ellipticals and the tilt of discs."""
    n = len(truth)
    is_disc = kind == 1
    truth["sersic_n"] = np.where(
        kind == 0,
        np.clip(rng.gamma(5, 0.53, n) + 0.2, 0.7, 5.0),
        np.clip(rng.normal(2, 0.8, n), 0.7, 4),
    )
    truth["axis_ratio"] = np.clip(1 - rng.gamma(2.0, 0.17, n), 0.22, 1.0)
    truth["bulge_share"] = np.where(is_disc, rng.beta(0.7, 2.8, n), kind == 0)
    truth["bulge_axis_ratio"] = np.where(is_disc, rng.uniform(0.75, 1, n), truth["axis_ratio"])
    truth["bulge_radius_r90"] = np.where(
        is_disc,
        0.045 + 0.16 * truth["bulge_share"] ** 0.5 * np.exp(rng.normal(0, 0.2, n)),
        1 / (2.25 + 0.12 * truth["sersic_n"]),
    )
    truth["boxy"] = np.where(is_disc & (rng.random(n) < 0.2), rng.uniform(0.5, 1, n), 0.0)
    cos_i = rng.uniform(0.0, 1.0, n) ** 0.85
    truth["inclination_rad"] = np.where(is_disc, np.arccos(cos_i), np.arccos(truth["axis_ratio"]))
    truth["disc_thickness"] = np.exp(rng.normal(np.log(0.14), 0.25, n))
    truth["disc_truncation"] = rng.beta(3.0, 0.25, n)
    truth["disc_scale_r90"] = np.where(kind == 2, 0.31, 0.325) * np.exp(rng.normal(0, 0.06, n))


def _disc_structure(truth: pd.DataFrame, kind: np.ndarray, rng: np.random.Generator) -> None:
    """Arms, bars, rings and the grain of star formation."""
    n = len(truth)
    is_disc = kind == 1
    has_arms = is_disc & (rng.random(n) < 0.70)
    truth["arms"] = np.where(has_arms, rng.choice(ARM_NUMBERS, n, p=ARM_SHARES), 0)
    truth["pitch_rad"] = np.radians(np.clip(rng.gamma(5.0, 3.6, n) + 4, 7, 45))
    truth["arm_strength"] = np.where(has_arms, np.clip(rng.beta(2.3, 1.1, n), 0.05, 1), 0.0)
    truth["arm_sharpness"] = np.exp(rng.normal(np.log(1.5), 0.35, n))
    truth["arm_phase_rad"] = rng.uniform(0, 2 * np.pi, n)
    truth["arm_hand"] = rng.choice([-1.0, 1.0], n)
    truth["arm_wander_rad"] = np.abs(rng.normal(0, 0.15, n))
    has_bar = is_disc & (rng.random(n) < 0.30)
    truth["bar_share"] = np.where(has_bar, 0.06 + 0.30 * rng.beta(1.5, 2.5, n), 0.0)
    truth["bar_length_r90"] = rng.uniform(0.22, 0.55, n)
    truth["bar_axis_ratio"] = rng.uniform(0.22, 0.42, n)
    truth["bar_phase_rad"] = rng.uniform(0, np.pi, n)
    has_ring = is_disc & (rng.random(n) < 0.14)
    truth["ring_share"] = np.where(has_ring, rng.uniform(0.05, 0.30, n), 0.0)
    truth["ring_radius_r90"] = rng.uniform(0.35, 0.75, n)
    truth["clumpiness"] = np.where(
        kind == 2, rng.uniform(0.5, 1.1, n), np.where(is_disc, rng.gamma(2.2, 0.20, n), 0.0)
    )
    truth["clump_grain_r90"] = np.where(
        kind == 2, rng.uniform(0.08, 0.2, n), rng.uniform(0.04, 0.09, n)
    )
    truth["lopsidedness"] = np.where(kind == 2, rng.uniform(0.1, 0.6, n), rng.gamma(1.6, 0.105, n))
    truth["lopsided_phase_rad"] = rng.uniform(0, 2 * np.pi, n)
    dusty = is_disc & (rng.random(n) < 0.35)
    truth["dust"] = np.where(dusty, rng.uniform(0.2, 0.95, n), 0.0)


def _oddities(truth: pd.DataFrame, kind: np.ndarray, rng: np.random.Generator) -> None:
    """Companions, tails, arcs, stars in the way: what "anything odd?" is about."""
    n = len(truth)
    galaxy = kind < 3
    merging = galaxy & (rng.random(n) < 0.075)
    chance = galaxy & ~merging & (rng.random(n) < 0.10)
    truth["merging"] = merging
    truth["companion_share"] = np.where(
        merging, rng.uniform(0.15, 0.5, n), np.where(chance, rng.uniform(0.02, 0.15, n), 0.0)
    )
    truth["companion_distance_r90"] = np.where(
        merging, rng.uniform(0.3, 1.1, n), rng.uniform(0.5, 1.4, n)
    )
    truth["companion_phase_rad"] = rng.uniform(0, 2 * np.pi, n)
    truth["companion_radius_r90"] = rng.uniform(0.10, 0.28, n) * np.where(merging, 1, 0.5)
    truth["companion_axis_ratio"] = rng.uniform(0.4, 1, n)
    truth["companion_angle_rad"] = rng.uniform(0, np.pi, n)
    tidal = (merging & (rng.random(n) < 0.75)) | (galaxy & (rng.random(n) < 0.035))
    truth["tail_share"] = np.where(tidal, rng.uniform(0.03, 0.22, n), 0.0)
    truth["tail_phase_rad"] = rng.uniform(0, 2 * np.pi, n)
    truth["tail_reach_rad"] = rng.uniform(1.0, 3.2, n)
    truth["tail_growth"] = rng.uniform(0.10, 0.35, n)
    lens = galaxy & (rng.random(n) < 0.022)
    truth["arc_share"] = np.where(lens, rng.uniform(0.02, 0.12, n), 0.0)
    truth["arc_radius_r90"] = rng.uniform(0.45, 0.9, n)
    truth["arc_reach_rad"] = rng.uniform(0.8, 2.4, n)
    truth["arc_phase_rad"] = rng.uniform(0, 2 * np.pi, n)
    star = galaxy & (rng.random(n) < 0.10)
    truth["star_share"] = np.where(star, 10 ** rng.uniform(-1.7, 0.0, n), 0.0)
    truth["star_x_r90"], truth["star_y_r90"] = rng.uniform(-1.3, 1.3, (2, n))
    truth["trail_sigma"] = np.where(kind == 4, 10 ** rng.uniform(0.8, 1.9, n), 0.0)
    truth["trail_angle_rad"] = rng.uniform(0, np.pi, n)
    truth["trail_offset_r90"] = rng.normal(0, 0.35, n)


def _colors(truth: pd.DataFrame, kind: np.ndarray, rng: np.random.Generator) -> None:
    """g - r and r - i of the old stars (bulge, bar) and the young ones (disc, arms)."""
    n = len(truth)
    truth["old_g_r"] = rng.normal(0.80, 0.07, n)
    truth["old_r_i"] = 0.18 + 0.27 * truth["old_g_r"] + rng.normal(0, 0.02, n)
    young = np.where(kind == 2, rng.normal(0.35, 0.10, n), rng.normal(0.55, 0.11, n))
    truth["young_g_r"] = np.clip(young - 0.10 * truth["arm_strength"], 0.1, 0.95)
    truth["young_r_i"] = 0.08 + 0.40 * truth["young_g_r"] + rng.normal(0, 0.03, n)
    truth["other_g_r"] = rng.normal(0.65, 0.25, n)
    truth["other_r_i"] = 0.05 + 0.42 * truth["other_g_r"] + rng.normal(0, 0.05, n)
