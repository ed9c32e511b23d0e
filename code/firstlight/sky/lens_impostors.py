"""Non-lenses that look like lenses: spirals, rings, mergers, chance alignments.

An impostor sits on the same kind of elliptical galaxy as a lens. Its light is drawn with the
same signal-to-noise ratio as that of a lensed source, at the distance where the galaxy's
lensed images would be, so that neither flux nor size tells them apart: only the shape does.
"""

import numpy as np
import pandas as pd

__all__ = ["HARD", "HARD_SHARES", "draw", "recolor", "ridge"]

HARD = ("spiral", "ring", "merger", "chance")
HARD_SHARES = (0.30, 0.15, 0.20, 0.35)


def recolor(truth: pd.DataFrame, rng: np.random.Generator) -> None:
    """Gives arms, rings and tails the colors of their own stars, in place."""
    kind = truth["kind"].to_numpy()
    for name, g_r, r_i, scatter in (
        ("spiral", 0.45, 0.22, 0.15), ("ring", 0.35, 0.18, 0.2), ("merger", 0.8, 0.35, 0.25),
    ):  # fmt: skip
        rows = np.flatnonzero(kind == name)
        young = rng.normal(0, scatter, len(rows))
        truth.loc[rows, "feature_g_r"] = g_r + young
        truth.loc[rows, "feature_r_i"] = r_i + 0.5 * young


def draw(truth: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The parts of every impostor in a truth table.

    Args:
        truth: With `kind` and `einstein_radius_arcsec`.
        rng: Source of randomness.

    Returns:
        Parts as in `lens_population.Scene`, role "feature".
    """
    kind = truth["kind"].to_numpy()
    radius = truth["einstein_radius_arcsec"].to_numpy()
    makers = {"spiral": _spirals, "ring": _rings, "merger": _mergers, "chance": _chances}
    pieces = []
    for name, make in makers.items():
        rows = np.flatnonzero(kind == name)
        if len(rows):
            pieces += [piece.assign(role="feature") for piece in make(rows, radius[rows], rng)]
    return pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame()


def _spirals(rows: np.ndarray, radius: np.ndarray, rng: np.random.Generator) -> list[pd.DataFrame]:
    """Two to four logarithmic arms on a thin disk."""
    m = len(rows)
    tilt, angle, phase = rng.uniform(0.4, 1, m), rng.uniform(0, np.pi, m), rng.uniform(0, 6.3, m)
    growth = np.tan(np.radians(rng.uniform(10, 26, m))) * rng.choice([-1, 1], m)
    arms = rng.choice([2, 2, 2, 3, 4], m)
    armed = rng.uniform(0.45, 0.8, m)
    disk = pd.DataFrame({
        "owner": rows, "shape": "sersic", "radius_arcsec": radius * rng.uniform(0.9, 1.5, m),
        "sersic_n": 1.0, "axis_ratio": tilt, "angle_rad": angle, "flux": 1 - armed,
        "x_arcsec": 0.0, "y_arcsec": 0.0,
    })  # fmt: skip
    pieces = [disk]
    begin, reach = radius * rng.uniform(0.5, 0.9, m), rng.uniform(2.2, 4.5, m)
    width = rng.uniform(0.08, 0.16, m)
    for arm in range(4):
        there = np.flatnonzero(arm < arms)
        piece = disk.iloc[there].assign(
            shape="ridge", flux=(armed * np.exp(rng.normal(0, 0.25, m)) / arms)[there],
            radius_arcsec=begin[there], growth=growth[there], reach_rad=reach[there],
            width=width[there], phase_rad=(phase + 2 * np.pi * arm / arms)[there], clumps=0.3,
        )  # fmt: skip
        pieces.append(piece)
    return pieces


def _rings(rows: np.ndarray, radius: np.ndarray, rng: np.random.Generator) -> list[pd.DataFrame]:
    """A ring of young stars around an old bulge, wider and less regular than Einstein's."""
    m = len(rows)
    x, y = rng.normal(0, 0.08, (2, m)) * radius
    return [pd.DataFrame({
        "owner": rows, "shape": "ridge", "x_arcsec": x, "y_arcsec": y,
        "radius_arcsec": radius * rng.uniform(0.8, 1.5, m), "axis_ratio": rng.uniform(0.55, 1, m),
        "angle_rad": rng.uniform(0, np.pi, m), "flux": 1.0, "growth": 0.0, "reach_rad": 0.0,
        "width": rng.uniform(0.08, 0.28, m), "phase_rad": rng.uniform(0, 2 * np.pi, m),
        "clumps": rng.uniform(0, 0.7, m),
    })]  # fmt: skip


def _mergers(rows: np.ndarray, radius: np.ndarray, rng: np.random.Generator) -> list[pd.DataFrame]:
    """A second nucleus, and one or two tidal tails that swing outward."""
    m = len(rows)
    angle, distance = rng.uniform(0, 2 * np.pi, m), radius * rng.uniform(0.7, 1.5, m)
    core = rng.uniform(0.25, 0.7, m)
    nucleus = pd.DataFrame({
        "owner": rows, "shape": "sersic", "x_arcsec": distance * np.cos(angle),
        "y_arcsec": distance * np.sin(angle), "radius_arcsec": rng.uniform(0.2, 0.6, m),
        "sersic_n": 2.5, "axis_ratio": rng.uniform(0.5, 1, m),
        "angle_rad": rng.uniform(0, np.pi, m), "flux": core,
    })  # fmt: skip
    pieces = [nucleus]
    hand, tails = rng.choice([-1, 1], m), rng.choice([1, 2], m)
    for tail in range(2):
        there = np.flatnonzero(tail < tails)
        pieces.append(pd.DataFrame({
            "owner": rows, "shape": "ridge", "x_arcsec": 0.0, "y_arcsec": 0.0,
            "radius_arcsec": distance * rng.uniform(0.8, 1.1, m),
            "axis_ratio": rng.uniform(0.7, 1, m), "angle_rad": rng.uniform(0, np.pi, m),
            "flux": (1 - core) / tails, "growth": hand * rng.uniform(0.08, 0.5, m),
            "reach_rad": rng.uniform(0.9, 2.4, m), "width": rng.uniform(0.08, 0.2, m),
            "phase_rad": angle + np.pi * tail + rng.normal(0, 0.3, m), "clumps": 0.2,
        }).iloc[there])  # fmt: skip
    return pieces


def _chances(rows: np.ndarray, radius: np.ndarray, rng: np.random.Generator) -> list[pd.DataFrame]:
    """One to three blue galaxies, some edge-on, that lie across the line to the elliptical."""
    m = len(rows)
    number = rng.choice([1, 2, 3], m, p=[0.5, 0.35, 0.15])
    pieces = []
    for k in range(3):
        there = np.flatnonzero(k < number)
        angle = rng.uniform(0, 2 * np.pi, m)
        distance = radius * rng.uniform(0.9, 1.9, m)
        pieces.append(pd.DataFrame({
            "owner": rows, "shape": "sersic", "x_arcsec": distance * np.cos(angle),
            "y_arcsec": distance * np.sin(angle),
            "radius_arcsec": np.clip(np.exp(rng.normal(np.log(0.45), 0.35, m)), 0.15, 1.2),
            "sersic_n": 1.0, "axis_ratio": rng.uniform(0.15, 0.7, m),
            "angle_rad": angle + np.pi / 2 + rng.normal(0, 0.45, m),
            "flux": np.exp(rng.normal(0, 0.6, m)),
        }).iloc[there])  # fmt: skip
    return pieces


def ridge(
    x: np.ndarray, y: np.ndarray, *, radius: np.ndarray, axis_ratio: np.ndarray,
    angle: np.ndarray, growth: np.ndarray, reach: np.ndarray, width: np.ndarray,
    phase: np.ndarray, clumps: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Brightness along a curve about a center: an arm, a ring or a tail.

    In the plane of a tilted disk the ridge is r = radius exp(growth turn): a circle where
    growth is 0, otherwise a logarithmic spiral whose pitch is arctan(growth).

    Args:
        x, y: Positions from the center.
        radius: Where it begins, in the unit of x.
        axis_ratio, angle: Tilt of the plane and direction of its major axis.
        growth: d ln r / d angle; negative turns clockwise, still outward.
        reach: Angle over which it extends; 0 for a closed ring.
        width: Standard deviation across, in ln r.
        phase: Azimuth of its beginning.
        clumps: Relative amplitude of the unevenness along it, 0 to 1.

    Returns:
        Surface brightness, of no particular flux, the shape of x.
    """
    cos, sin = np.cos(angle), np.sin(angle)
    along, across = x * cos + y * sin, (y * cos - x * sin) / axis_ratio
    hand = np.where(growth < 0, -1.0, 1.0).astype(x.dtype)
    closed = reach == 0
    turn = np.mod(hand * (np.arctan2(across, along) - phase), np.float32(2 * np.pi))
    log_r = 0.5 * np.log(np.maximum(along**2 + across**2, 1e-4)) - np.log(radius)
    away = (log_r - np.abs(growth) * turn) / width
    fade = np.where(closed, 1.0, 1 / (1 + np.exp((turn - reach) / np.float32(0.2))))
    rise = np.where(closed, 1.0, 1 / (1 + np.exp((np.float32(0.15) - turn) / np.float32(0.06))))
    uneven = 1 + clumps * np.cos(3 * turn + phase) * np.cos(2 * turn - 3 * phase)
    return np.asarray(uneven * fade * rise * np.exp(-0.5 * away**2), dtype=x.dtype)
