"""The light of each galaxy, part by part, before the atmosphere blurs it.

A part is a Fourier transform in units of the galaxy's own light in r, and belongs to
one of three color groups: old stars, young stars, others (companions, stars in front).
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from . import structure
from .render import Grid, sersic, tilted_disc

GROUPS = ("old", "young", "other")
Add = Callable[..., None]
Truth = dict[str, np.ndarray]


class Pixels:
    """Lengths of a truth table in pixels of each galaxy's own stamp."""

    def __init__(self, truth: pd.DataFrame):
        self.truth = truth
        self.pixel_arcsec = truth["pixel_arcsec"].to_numpy()
        self.r90 = (truth["r90_arcsec"] / truth["pixel_arcsec"]).to_numpy()
        self.center = self.place(truth["x_r90"], truth["y_r90"])

    def __call__(self, column: str) -> np.ndarray:
        return self.truth[column].to_numpy() * self.r90

    def place(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.stack([np.asarray(x) * self.r90, np.asarray(y) * self.r90], axis=1)

    def fwhm(self, band: str) -> np.ndarray:
        return self.truth[f"seeing_{band}_arcsec"].to_numpy() / self.pixel_arcsec


def light(
    grid: Grid, truth: pd.DataFrame, pixels: Pixels, rng: np.random.Generator
) -> tuple[dict[str, np.ndarray], dict[str, tuple[np.ndarray, np.ndarray, str]]]:
    """The light of each galaxy before blurring, as Fourier transforms.

    Returns:
        Two dictionaries. The first holds the sum of all parts of one color ("old",
        "young", "other"), transforms in units of the galaxy's light in r. The second
        holds, by feature, `(rows, transforms, group)`: the contribution that makes it visible.
    """
    t = {name: truth[name].to_numpy() for name in truth.columns if name != "kind"}
    kind = truth["kind"].astype(str).to_numpy()
    m = len(truth)
    home = grid.phase(pixels.center)
    groups = {g: np.zeros(home.shape, dtype=np.complex64) for g in GROUPS}
    parts: dict[str, tuple[np.ndarray, np.ndarray, str]] = {}

    def add(
        group: str,
        rows: np.ndarray,
        transforms: np.ndarray,
        feature: str = "",
        smooth: np.ndarray | float = 0.0,
    ) -> None:
        groups[group][rows] += transforms
        if feature and len(rows):
            parts[feature] = (rows, transforms - smooth, group)

    bulge = np.where(np.isin(kind, ("elliptical", "artifact")), 1.0, t["bulge_share"])
    bulge = np.where(kind == "star", 0.0, bulge)
    disc = np.where(np.isin(kind, ("disc", "irregular")), 1 - bulge, 0.0)
    bar_share = np.where(np.cos(t["inclination_rad"]) > 0.3, t["bar_share"], 0.0) * disc
    ring_share = np.where(np.cos(t["inclination_rad"]) > 0.2, t["ring_share"], 0.0) * disc
    disc = disc - bar_share - ring_share
    everyone = np.arange(m)
    edge = np.sin(t["inclination_rad"]) ** 8
    boxy = t["boxy"] * edge * (disc > 0)
    light = sersic(
        grid, pixels("bulge_radius_r90"), t["sersic_n"], t["bulge_axis_ratio"], t["angle_rad"]
    )
    add("old", everyone, home * light * (bulge * (1 - boxy))[:, None, None])

    rows = in_disc = np.flatnonzero(disc > 0)
    geometry = (t["inclination_rad"][rows], t["angle_rad"][rows])
    scale = pixels("disc_scale_r90")[rows]
    flat = tilted_disc(
        grid, scale, t["disc_truncation"][rows], t["disc_thickness"][rows], *geometry
    )
    add("young", rows, home[rows] * flat * disc[rows, None, None])
    _add_structure(grid, t, pixels, disc, rng, add)
    _add_bars_and_rings(grid, t, pixels, bar_share, ring_share, add)

    rows = np.flatnonzero((t["dust"] > 0) & (disc > 0) & (edge > 0.3))
    thin = tilted_disc(grid, pixels("disc_scale_r90")[rows], t["disc_truncation"][rows],
                       0.3 * t["disc_thickness"][rows], t["inclination_rad"][rows],
                       t["angle_rad"][rows])  # fmt: skip
    lost = 0.27 * t["dust"][rows] * disc[rows] * edge[rows]
    missing = -home[rows] * lost[:, None, None]
    add("young", rows, missing * thin, "dust", missing * flat[np.searchsorted(in_disc, rows)])

    rows = np.flatnonzero(boxy * bulge > 0.01)
    share = (bulge * boxy)[rows, None, None]
    round_bulge = home[rows] * light[rows] * share
    add("old", rows, _boxy_bulge(grid, t, pixels, rows) * share, "boxy", round_bulge)
    _add_oddities(grid, t, pixels, kind, home, add)
    return groups, parts


def _add_structure(
    grid: Grid, t: Truth, pixels: Pixels, disc: np.ndarray, rng: np.random.Generator, add: Add
) -> None:
    """Arms, clumps and lopsidedness: light moved about in a disc, none added."""
    tilt = np.minimum(t["inclination_rad"], np.arccos(0.2))
    rows = np.flatnonzero((disc > 0) & (t["inclination_rad"] < np.arccos(0.12)))
    if not len(rows):
        return
    radius, azimuth = structure.disc_plane(
        grid, pixels.center[rows], tilt[rows], t["angle_rad"][rows]
    )
    azimuth = azimuth * t["arm_hand"][rows, None, None].astype(np.float32)
    scale = pixels("disc_scale_r90")[rows]
    light = structure.disc_light(radius, scale, t["disc_truncation"][rows], tilt[rows])
    light = light * disc[rows, None, None].astype(np.float32)

    grain = np.maximum(pixels("clump_grain_r90")[rows], 0.8)
    sigma = t["clumpiness"][rows, None, None].astype(np.float32)
    grains = np.exp(sigma * structure.clumps(grid, rng, grain) - sigma**2 / 2)
    lean = np.cos(azimuth - t["lopsided_phase_rad"][rows, None, None].astype(np.float32))
    lean *= np.minimum(radius / scale[:, None, None].astype(np.float32) / 2.5, 1.0)
    lean *= np.minimum(t["lopsidedness"], 0.9)[rows, None, None].astype(np.float32)

    arms = np.zeros_like(light)
    armed = np.flatnonzero(t["arms"][rows] > 0)
    r = rows[armed]
    arms[armed] = t["arm_strength"][r, None, None] * structure.spiral(
        radius[armed], azimuth[armed], scale=scale[armed], arms=t["arms"][r],
        pitch=t["pitch_rad"][r], sharpness=t["arm_sharpness"][r], phase=t["arm_phase_rad"][r],
        wander=t["arm_wander_rad"][r],
    )  # fmt: skip
    change = light * ((1 + arms) * grains * (1 + lean) - 1)
    change -= light * (change.sum(axis=(1, 2)) / light.sum(axis=(1, 2)))[:, None, None]
    add("young", rows, grid.transform(change))
    _note(add, rows[armed], grid.transform((light * arms)[armed]), "arms")
    _note(add, rows, grid.transform(light * (grains - 1)), "clumps")
    _note(add, rows, grid.transform(light * lean), "lopsided")


def _note(add: Add, rows: np.ndarray, transforms: np.ndarray, feature: str) -> None:
    """Records a feature whose light has been added already."""
    add("young", rows, transforms, feature)
    add("young", rows, -transforms)


def _add_bars_and_rings(
    grid: Grid, t: Truth, pixels: Pixels, bar_share: np.ndarray, ring_share: np.ndarray, add: Add
) -> None:
    for feature, share in (("bar", bar_share), ("ring", ring_share)):
        rows = np.flatnonzero(share > 0)
        if not len(rows):
            continue
        radius, azimuth = structure.disc_plane(
            grid, pixels.center[rows], t["inclination_rad"][rows], t["angle_rad"][rows]
        )
        if feature == "bar":
            light = structure.bar(radius, azimuth, pixels("bar_length_r90")[rows],
                                  t["bar_axis_ratio"][rows], t["bar_phase_rad"][rows])  # fmt: skip
            extent = 0.20 * pixels("bar_length_r90")[rows]
        else:
            size = pixels("ring_radius_r90")[rows]
            light = structure.ring(radius, size, 0.12 * size)
            extent = 0.50 * size
        # What blur cannot tell from a bar or a ring: as much light in a disc of like extent.
        smooth = grid.phase(pixels.center[rows]) * tilted_disc(
            grid, extent, np.ones(len(rows)), t["disc_thickness"][rows],
            t["inclination_rad"][rows], t["angle_rad"][rows],
        )  # fmt: skip
        group, share = ("old" if feature == "bar" else "young"), share[rows, None, None]
        add(group, rows, grid.transform(light * share), feature, smooth * share)


def _boxy_bulge(grid: Grid, t: Truth, pixels: Pixels, rows: np.ndarray) -> np.ndarray:
    """Transforms of box-shaped bulges of unit flux, aligned with their edge-on discs."""
    x, y = grid.offsets(pixels.center[rows])
    cos, sin = np.cos(t["angle_rad"][rows]), np.sin(t["angle_rad"][rows])
    cos, sin = cos[:, None, None].astype(np.float32), sin[:, None, None].astype(np.float32)
    half = (1.3 * pixels("bulge_radius_r90")[rows])[:, None, None].astype(np.float32)
    u, v = np.abs(x * cos + y * sin) / half, np.abs(y * cos - x * sin) / (0.75 * half)
    light = np.exp(-1.7 * (u**4 + v**4) ** 0.25)
    return grid.transform(light / np.maximum(light.sum(axis=(1, 2), keepdims=True), 1e-9))


def _add_oddities(
    grid: Grid, t: Truth, pixels: Pixels, kind: np.ndarray, home: np.ndarray, add: Add
) -> None:
    """Companions, tails, arcs and stars."""
    rows = np.flatnonzero(t["companion_share"] > 0)
    distance, phase = t["companion_distance_r90"][rows], t["companion_phase_rad"][rows]
    there = np.stack([distance * np.cos(phase), distance * np.sin(phase)], axis=1)
    there = there * pixels.r90[rows, None] + pixels.center[rows]
    light = sersic(grid, pixels("companion_radius_r90")[rows], np.full(len(rows), 1.5),
                   t["companion_axis_ratio"][rows], t["companion_angle_rad"][rows])  # fmt: skip
    share = t["companion_share"][rows, None, None]
    add("other", rows, grid.phase(there) * light * share, "companion", home[rows] * light * share)

    for feature, start, growth, width in (("tail", 0.5, None, 0.13), ("arc", None, 0.0, 0.07)):
        rows = np.flatnonzero(t[f"{feature}_share"] > 0)
        if not len(rows):
            continue
        level = np.zeros(len(rows))
        radius, azimuth = structure.disc_plane(grid, pixels.center[rows], level, level)
        begin = start * pixels.r90[rows] if start else pixels("arc_radius_r90")[rows]
        light = structure.tail(
            radius, azimuth, start=begin, reach=t[f"{feature}_reach_rad"][rows],
            growth=t["tail_growth"][rows] if growth is None else np.full(len(rows), growth),
            width=np.full(len(rows), width), phase=t[f"{feature}_phase_rad"][rows],
        )  # fmt: skip
        share = t[f"{feature}_share"][rows, None, None]
        add("young", rows, grid.transform(light * share), feature)

    rows = np.flatnonzero(t["star_share"] > 0)
    there = pixels.place(t["star_x_r90"], t["star_y_r90"])[rows] + pixels.center[rows]
    add("other", rows, grid.phase(there) * t["star_share"][rows, None, None], "star")
    rows = np.flatnonzero(kind == "star")
    light = structure.spikes(
        grid, pixels.center[rows], t["angle_rad"][rows], 0.35 * pixels.r90[rows]
    )
    add("other", rows, 0.93 * home[rows] + 0.07 * grid.transform(light))
