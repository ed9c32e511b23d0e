"""Eclipsing binaries by geometry: two similar ellipsoids in an orbit, from detached to contact.

The model of Russell: both stars are prolate ellipsoids of the same elongation that point
at each other. Seen from anywhere, their outlines are similar ellipses drawn out along the
line between their centers; shrinking the sky along that line turns both into circles.
So one formula, the overlap of two limb-darkened circles, holds from detached to contact.
"""

import numpy as np
import pandas as pd

from . import checks

__all__ = ["KINDS", "KIND_SHARES", "draw", "eclipsed", "flux", "roche_radius"]

KINDS = ("EW", "EB", "EA")  # contact, semi-detached, detached
KIND_SHARES = (0.5, 0.2, 0.3)
LIMB_DARKENING = {"Ks": 0.30, "I": 0.50}  # linear law, sun-like stars, rounded
_GRAVITY = 0.3  # flux goes as (visible area)^(1 + this): the far ends are the darker ones
_TURNS = np.pi * (np.arange(16) + 0.5) / 16
_NODES, _WEIGHTS = 0.5 * (1 - np.cos(_TURNS)), 0.5 * np.sin(_TURNS) * np.pi / 16  # 0 to 1
_COLUMNS = (
    "period_days", "mass_ratio", "radius_1", "radius_2", "elongation", "surface_ratio",
    "inclination_rad", "eccentricity", "periastron_rad", "third_light", "asymmetry",
)  # fmt: skip


def roche_radius(mass_ratio: np.ndarray) -> np.ndarray:
    """Radius of the sphere as large as a star's Roche lobe (Eggleton 1983).

    Args:
        mass_ratio: Mass of this star over that of the other.

    Returns:
        In units of the separation, within 1 % of the exact value.

    Example:
        >>> round(float(roche_radius(np.array(1.0))), 3)
        0.379
    """
    third = np.cbrt(mass_ratio)
    return np.asarray(0.49 * third**2 / (0.6 * third**2 + np.log1p(third)))


def draw(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draws the truth of n eclipsing binaries.

    There is no measured table behind this: OGLE-III lists none. Contact binaries have
    periods of 0.235 to 0.99 days, as those that Hong et al. (2022) study in the bulge; the
    other numbers are ours, tuned by eye until folded curves look like real ones.

    Args:
        n: How many.
        rng: Source of randomness.

    Returns:
        One row a binary: `kind`, `period_days` (of the orbit), `mass_ratio` (second over
        first, up to 1), `radius_1`, `radius_2` and `elongation` (in units of the separation
        and of the radius), `surface_ratio` (brightness per area, second over first),
        `inclination_rad`, `eccentricity`, `periastron_rad`, `third_light` (share of all
        light), `asymmetry` (of the maxima: O'Connell effect, relative flux).

    Raises:
        ValueError: If n is not a whole number of 0 or more.
    """
    checks.whole("draw", "n", n, 0, 100_000_000)
    kind = rng.choice(3, size=n, p=KIND_SHARES)
    q = rng.uniform(np.choose(kind, [0.12, 0.2, 0.4]), 1.0)
    log_p = np.choose(kind, [np.log(0.40), np.log(0.85), np.log(2.0)])
    period = np.exp(log_p + np.choose(kind, [0.24, 0.45, 0.7]) * rng.standard_normal(n))
    period = np.clip(
        period, np.choose(kind, [0.235, 0.35, 0.6]), np.choose(kind, [0.99, 4.0, 12.0])
    )
    lobe_1, lobe_2 = roche_radius(1 / q), roche_radius(q)
    wide = rng.uniform(0.8, 2.2, (2, n)) / (5.3 * period ** (2 / 3))  # solar radii, 2 solar masses
    u, v = rng.uniform(size=(2, n))
    fill_1 = np.choose(kind, [1 + 0.08 * u, 0.6 + 0.38 * u, np.minimum(wide[0] / lobe_1, 0.85)])
    fill_2 = np.choose(
        kind, [1 + 0.08 * u, 0.9 + 0.1 * v, np.minimum(q**0.8 * wide[1] / lobe_2, 0.85)]
    )
    r1, r2 = fill_1 * lobe_1, fill_2 * lobe_2
    surface = np.choose(
        kind, [np.exp(0.06 * rng.standard_normal(n)), rng.uniform(0.35, 0.95, n),
               rng.uniform(0.3, 1.05, n)])  # fmt: skip
    tide = 1.5 * (q * r1**5 + surface * r2**5 / q) / (r1**2 + surface * r2**2)
    stretch = 1 + tide * (1 + 1.5 * np.maximum(fill_1, fill_2) ** 6)
    can_be_eccentric = (kind == 2) & (period > 3)
    eccentricity = np.where(can_be_eccentric, 0.5 * rng.beta(1, 3, n), 0.0)
    return pd.DataFrame({
        "kind": np.array(KINDS)[kind], "period_days": period, "mass_ratio": q,
        "radius_1": r1, "radius_2": r2, "surface_ratio": surface,
        "elongation": np.minimum(stretch, 1 / (r1 + r2).clip(0.2)).clip(1.0),
        "inclination_rad": np.arccos(rng.uniform(0, 0.85, n) * np.minimum(r1 + r2, 0.9)),
        "eccentricity": np.minimum(eccentricity, 0.7 * (1 - 1.2 * (r1 + r2)).clip(0)),
        "periastron_rad": rng.uniform(0, 2 * np.pi, n),
        "third_light": 0.5 * rng.beta(1, 4, n),
        "asymmetry": np.choose(kind, [0.015, 0.010, 0.0]) * rng.standard_normal(n),
    })  # fmt: skip


def flux(binaries: pd.DataFrame, cycles: np.ndarray, limb_darkening: float = 0.3) -> np.ndarray:
    """Light of binaries, relative to both stars seen as spheres out of eclipse.

    Args:
        binaries: As `draw` gives them; change a column to ask "what if".
        cycles: Shape (n, m), time over orbital period. At a whole number of cycles (of a
            circular orbit) the second star is in front.
        limb_darkening: Of the linear law, 0 (none) to 1.

    Returns:
        Shape (n, m), positive.

    Raises:
        ValueError: If a column is missing or not finite, radii are not positive, shapes
            do not fit, or the limb darkening is outside 0 to 1.
    """
    checks.table("flux", binaries, _COLUMNS, ("period_days", "mass_ratio", "radius_1", "radius_2"))
    if cycles.ndim != 2 or len(cycles) != len(binaries) or not 0 <= limb_darkening <= 1:
        raise ValueError(
            f"flux: received cycles of shape {cycles.shape} for {len(binaries)} binaries and "
            f"limb_darkening={limb_darkening}; expected (binaries, m) and a number from 0 to 1."
        )
    t = {name: binaries[name].to_numpy(float)[:, None] for name in _COLUMNS}
    distance, angle = _orbit(cycles, t["eccentricity"], t["periastron_rad"])
    sin_i = np.sin(t["inclination_rad"])
    across = np.sqrt(np.maximum(1 - (np.cos(angle) * sin_i) ** 2, 0))  # sine to the line of sight
    drawn_out = np.sqrt(1 + (t["elongation"] ** 2 - 1) * across**2)
    apart = distance * across / drawn_out
    light_1, light_2 = t["radius_1"] ** 2, t["surface_ratio"] * t["radius_2"] ** 2
    second_in_front = np.cos(angle) > 0
    front = np.where(second_in_front, t["radius_2"], t["radius_1"])
    back = np.where(second_in_front, t["radius_1"], t["radius_2"])
    lost = eclipsed(apart / back, front / back, limb_darkening)
    lost = lost * np.where(second_in_front, light_1, light_2) / (light_1 + light_2)
    stars = (1 - lost) * drawn_out ** (1 + _GRAVITY) * (1 + t["asymmetry"] * np.sin(angle))
    return np.asarray((1 - t["third_light"]) * stars + t["third_light"])


def eclipsed(distance: np.ndarray, radius: np.ndarray, limb_darkening: float) -> np.ndarray:
    """Share of the light of a unit circle that a dark circle hides.

    Args:
        distance: Between the centers, in radii of the circle behind.
        radius: Of the circle in front, same unit, same shape.
        limb_darkening: Of the linear law, 0 to 1.

    Returns:
        From 0 to 1, within 0.0005. Rings about the center of the circle behind that are
        hidden whole are integrated exactly, those hidden in part by a rule of 16 nodes.
    """
    shape = np.broadcast_shapes(distance.shape, radius.shape)
    hidden = np.zeros(shape)
    touching = np.broadcast_to(distance < 1 + radius, shape)
    d = np.maximum(np.broadcast_to(distance, shape)[touching], 1e-9)
    k = np.broadcast_to(radius, shape)[touching]
    whole = _within(np.clip(k - d, 0, 1), limb_darkening)
    inner, outer = np.minimum(np.abs(d - k), 1), np.minimum(d + k, 1)
    ring = inner[:, None] + (outer - inner)[:, None] * _NODES
    light = (1 - limb_darkening * (1 - np.sqrt(1 - ring**2))) * 2 * ring
    cosine = (ring**2 + (d**2 - k**2)[:, None]) / np.maximum(2 * ring * d[:, None], 1e-12)
    part = (light * np.arccos(np.clip(cosine, -1, 1)) / np.pi) @ _WEIGHTS * (outer - inner)
    hidden[touching] = (whole + part) / _within(np.ones(1), limb_darkening)
    return np.minimum(hidden, 1.0)


def _within(radius: np.ndarray, limb_darkening: float) -> np.ndarray:
    """Light inside a radius, over pi times the brightness of the middle."""
    beyond = np.maximum(1 - radius**2, 0) ** 1.5
    return (1 - limb_darkening) * radius**2 + limb_darkening * 2 / 3 * (1 - beyond)


def _orbit(
    cycles: np.ndarray, eccentricity: np.ndarray, periastron: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Distance (of the semi-major axis) and angle from the conjunction that opens a cycle."""
    e = eccentricity
    start = np.pi / 2 - periastron  # true anomaly at conjunction, second star in front
    opening = 2 * np.arctan2(np.sqrt(1 - e) * np.sin(start / 2), np.sqrt(1 + e) * np.cos(start / 2))
    mean = 2 * np.pi * (cycles % 1) + opening - e * np.sin(opening)
    anomaly = mean + e * np.sin(mean)
    for _ in range(6):  # Kepler's equation by Newton
        anomaly = anomaly - (anomaly - e * np.sin(anomaly) - mean) / (1 - e * np.cos(anomaly))
    true = 2 * np.arctan2(
        np.sqrt(1 + e) * np.sin(anomaly / 2), np.sqrt(1 - e) * np.cos(anomaly / 2)
    )
    return 1 - e * np.cos(anomaly), true - start
