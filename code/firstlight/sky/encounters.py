"""Encounters of two galaxies: a restricted three-body run, after Toomre & Toomre (1972).

Two softened masses fall past each other. Around each move stars without mass, which
feel both centers and each other not at all. That is enough for bridges, tails and
shells, and so cheap that hundreds of encounters can be followed at once.

Units: lengths in R90 of the primary galaxy, its mass and G are one. For a galaxy of
12 kpc that turns at 200 km/s the unit of time is about 55 million years.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from . import checks

__all__ = ["BEFORE", "Encounters", "circular_speed", "draw", "follow", "orbits", "potential",
           "stars"]  # fmt: skip

Floats = NDArray[np.float64]

SOFTENING = 0.33  # of the primary, R90: its rotation is flat-topped at half its radius
SCALE = 0.325  # exponential scale length of a disc over its R90, as in `population`
STEP = 0.05
BEFORE = 4.0  # time between the start and the pericenter of the undisturbed orbit
AFTER = 8.0
LEAST_RATIO = 0.25
DRAG, DRAG_RADIUS = 1.1, 0.9  # friction of the centers in each other's unseen halo
DISRUPTION = 0.6  # e-folding time in which a satellite that is torn apart loses its mass
NUMBERS = ("mass_ratio", "pericenter_r90", "size_ratio", "spin_1_x", "spin_1_y", "spin_1_z",
           "spin_2_x", "spin_2_y", "spin_2_z")  # fmt: skip


@dataclass(frozen=True)
class Encounters:
    """Where the two centers go.

    Args:
        table: One row an encounter, see `draw`; `t_pericenter` and `t_coalescence` are added
            (infinity where the centers stay apart).
        times: Shape (steps + 1,).
        centers: Positions, shape (steps + 1, n, 2, 3), about the barycenter.
        velocities: Same shape.
        mass: Of both galaxies at each time, shape (steps + 1, n, 2): satellites may dissolve.
    """

    table: pd.DataFrame
    times: Floats
    centers: Floats
    velocities: Floats
    mass: Floats

    def __len__(self) -> int:
        return len(self.table)


def draw(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draws the parameters of n encounters.

    Args:
        n: How many, 1 or more.
        rng: Source of randomness.

    Returns:
        A table: `mass_ratio` (log-uniform from 0.25 to 1), `pericenter_r90`, `size_ratio`,
        `hot_1` and `hot_2` (no disc), the unit vectors `spin_1_x` and so on about which the
        discs turn, isotropic (the orbit lies in the x-y plane and turns about +z), and
        `disrupted`: small satellites on nearly radial orbits may be torn apart.

    Raises:
        ValueError: If n is not a whole number above zero.
    """
    checks.whole("encounters.draw", "n", n, 1, 1_000_000)
    mass_ratio = 10 ** rng.uniform(np.log10(LEAST_RATIO), 0.0, n)
    table = pd.DataFrame({"mass_ratio": mass_ratio})
    table["pericenter_r90"] = rng.uniform(0.2, 0.9, n)
    table["size_ratio"] = mass_ratio**0.4 * np.exp(rng.normal(0, 0.1, n))
    table["hot_1"], table["hot_2"] = rng.random((2, n)) < 0.22
    for galaxy in (1, 2):
        spin = rng.normal(size=(n, 3))
        spin /= np.linalg.norm(spin, axis=1, keepdims=True)
        for k, axis in enumerate("xyz"):
            table[f"spin_{galaxy}_{axis}"] = spin[:, k]
    radial = (mass_ratio < 0.4) & (table["pericenter_r90"] < 0.5)
    table["disrupted"] = radial & (rng.random(n) < 0.7)
    return table


def potential(radius: Floats, mass: Floats | float, softening: Floats | float) -> Floats:
    """Potential energy per mass at a distance from a softened point (Plummer 1911)."""
    return -mass / np.sqrt(np.asarray(radius) ** 2 + np.asarray(softening) ** 2)


def circular_speed(
    radius: Floats, mass: Floats | float = 1.0, softening: Floats | float = SOFTENING
) -> Floats:
    """Speed of a circular orbit, sqrt(M r^2 / (r^2 + a^2)^(3/2))."""
    r2 = np.asarray(radius) ** 2
    return np.sqrt(mass * r2 / (r2 + np.asarray(softening) ** 2) ** 1.5)


def orbits(table: pd.DataFrame) -> Encounters:
    """Follows the centers: parabolas that friction bends into mergers.

    Args:
        table: As `draw` returns it.

    Returns:
        Their paths from `BEFORE` ahead of the pericenter of the free parabola to `AFTER`.

    Raises:
        ValueError: If a column is missing, not finite, or if a mass ratio, a size ratio or a
            pericenter is not positive.
    """
    checks.table("orbits", table, (*NUMBERS, "hot_1", "hot_2", "disrupted"), NUMBERS[:3])
    if not len(table):
        raise ValueError("orbits: received an empty table, expected one encounter or more.")
    q = table["mass_ratio"].to_numpy()
    a2 = SOFTENING**2 * (1 + table["size_ratio"].to_numpy() ** 2)
    relative, speed = _parabola(table["pericenter_r90"].to_numpy(), 1 + q)
    times: Floats = np.arange(round((BEFORE + AFTER) / STEP) + 1).astype(float) * STEP - BEFORE
    path, pace = np.empty((2, len(times), len(q), 3))
    path[0], pace[0] = relative, speed
    for step in range(1, len(times)):
        for half in range(2):  # the drag depends on speed, so: kick, drift, kick, with half steps
            gravity = -(1 + q)[:, None] * relative / _cubed(relative, a2)[:, None]
            distance = np.sqrt((relative**2).sum(1))
            rub = DRAG * q**0.7 / (1 + (distance / DRAG_RADIUS) ** 2) ** 2
            speed = (speed + 0.5 * STEP * gravity) * np.exp(-0.5 * STEP * rub)[:, None]
            if not half:
                relative = relative + STEP * speed
        path[step], pace[step] = relative, speed
    share = np.stack([-q / (1 + q), 1 / (1 + q)], axis=1)[None, :, :, None]
    mass = np.broadcast_to(np.stack([np.ones_like(q), q], axis=1), (len(times), len(q), 2)).copy()
    table = table.assign(**_events(path, times))
    late = np.maximum(times[:, None] - table["t_pericenter"].to_numpy(), 0) / DISRUPTION
    mass[..., 1] *= np.where(table["disrupted"].to_numpy(), np.exp(-late), 1.0)
    return Encounters(table, times, path[:, :, None] * share, pace[:, :, None] * share, mass)


def _parabola(pericenter: Floats, mass: Floats) -> tuple[Floats, Floats]:
    """Position and velocity on a parabolic orbit, `BEFORE` ahead of pericenter (Barker)."""
    rate = -3 * BEFORE * np.sqrt(mass / (2 * pericenter**3)) / 2
    root = np.cbrt(rate + np.sqrt(rate**2 + 1))
    tangent = root - 1 / root  # of half the true anomaly
    angle = 2 * np.arctan(tangent)
    radius = pericenter * (1 + tangent**2)
    flat = np.zeros_like(angle)
    position = np.stack([radius * np.cos(angle), radius * np.sin(angle), flat], axis=1)
    pace = np.sqrt(mass / (2 * pericenter))
    return position, np.stack([-pace * np.sin(angle), pace * (1 + np.cos(angle)), flat], axis=1)


def _cubed(relative: Floats, a2: Floats) -> Floats:
    return ((relative**2).sum(-1) + a2) ** 1.5


def _events(path: Floats, times: Floats) -> dict[str, Floats]:
    """When the centers first stand closest, and when they no longer part."""
    distance = np.sqrt((path**2).sum(-1))
    turns = (distance[1:-1] <= distance[:-2]) & (distance[1:-1] <= distance[2:])
    turns |= np.arange(len(times) - 2)[:, None] == len(times) - 3
    pericenter = times[1 + turns.argmax(0)]
    apart = distance > 0.3
    last = len(times) - 1 - apart[::-1].argmax(0)
    merged = np.where(last < len(times) - 1, times[np.minimum(last + 1, len(times) - 1)], np.inf)
    return {"t_pericenter": pericenter, "t_coalescence": merged}


def stars(
    table: pd.DataFrame, n: int, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats, Floats]:
    """Stars in equilibrium about both centers, before anything happens.

    A disc is an exponential one on nearly circular orbits, sampled evenly in radius and weighted
    by its light, so that the thin outskirts, which make the tails, are well covered. A hot galaxy
    is a Plummer sphere with its isotropic velocities (Aarseth, Henon & Wielen 1974).

    Args:
        table: As `draw` returns it.
        n: Stars of each galaxy.
        rng: Source of randomness.

    Returns:
        Positions and velocities about the own center, shape (m, 2, n, 3), the first radius and
        the light, shape (m, 2, n); the light of a galaxy sums to one.
    """
    m = len(table)
    q, s = table["mass_ratio"].to_numpy(), table["size_ratio"].to_numpy()
    mass, size = np.stack([np.ones(m), q], 1)[..., None], np.stack([np.ones(m), s], 1)[..., None]
    hot = table[["hot_1", "hot_2"]].to_numpy()[..., None]
    spin = np.stack([table[[f"spin_{g}_{x}" for x in "xyz"]].to_numpy() for g in (1, 2)], 1)
    cold_x, cold_v, light = _disc(spin, n, rng, mass, size)
    hot_x, hot_v = _sphere((m, 2, n), rng)
    pace = np.sqrt(mass / (SOFTENING * size))[..., None]
    x = np.where(hot[..., None], hot_x * SOFTENING * size[..., None], cold_x)
    v = np.where(hot[..., None], hot_v * pace, cold_v)
    light = np.where(hot, 1.0, light)
    return x, v, np.sqrt((x**2).sum(-1)), light / light.sum(-1, keepdims=True)


def _disc(
    spin: Floats, n: int, rng: np.random.Generator, mass: Floats, size: Floats
) -> tuple[Floats, Floats, Floats]:
    m = len(spin)
    radius = rng.uniform(0.04, 1.7, (m, 2, n))
    azimuth = rng.uniform(0, 2 * np.pi, (m, 2, n))
    light = radius * np.exp(-radius / SCALE)
    helper = np.where(np.abs(spin[..., 2:]) < 0.9, [0.0, 0.0, 1.0], [1.0, 0.0, 0.0])
    e1 = np.cross(spin, helper)
    e1 /= np.linalg.norm(e1, axis=-1, keepdims=True)
    e2 = np.cross(spin, e1)
    cos, sin = np.cos(azimuth)[..., None], np.sin(azimuth)[..., None]
    outward = cos * e1[..., None, :] + sin * e2[..., None, :]
    onward = cos * e2[..., None, :] - sin * e1[..., None, :]
    up = spin[..., None, :]
    height = 0.04 * size * rng.normal(size=radius.shape)
    pace = circular_speed(radius * size, mass, SOFTENING * size)
    stray = 0.06 * pace[..., None] * rng.normal(size=(m, 2, n, 3))
    x = (radius * size)[..., None] * outward + height[..., None] * up
    return x, pace[..., None] * onward + stray, light


def _sphere(shape: tuple[int, ...], rng: np.random.Generator) -> tuple[Floats, Floats]:
    """A Plummer sphere of unit mass and length, cut where 98 % of its mass is inside."""
    radius = 1 / np.sqrt(rng.uniform(1e-4, 0.98, shape) ** (-2 / 3) - 1)
    grid = np.linspace(0, 1, 513)
    share = np.cumsum(grid**2 * (1 - grid**2) ** 3.5)
    speed = np.interp(rng.random(shape), share / share[-1], grid)
    speed *= np.sqrt(2) * (1 + radius**2) ** -0.25
    ways = rng.normal(size=(2, *shape, 3))
    ways /= np.linalg.norm(ways, axis=-1, keepdims=True)
    return radius[..., None] * ways[0], speed[..., None] * ways[1]


def follow(
    encounters: Encounters, x: Floats, v: Floats, steps: NDArray[np.intp]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Moves the stars in the field of both centers, by leapfrog.

    Args:
        encounters: The paths of the centers.
        x: First positions about the own center, shape (n, 2, stars, 3).
        v: First velocities, same shape.
        steps: Rows of `encounters.times` at which to look, shape (n, looks).

    Returns:
        Positions and velocities about the barycenter, shape (n, looks, 2, stars, 3).
    """
    n, _, count, _ = x.shape
    steps = np.asarray(steps)
    if steps.shape[:1] != (n,) or steps.min() < 0 or steps.max() >= len(encounters.times):
        raise ValueError(
            f"follow: received steps of shape {steps.shape} up to {steps.max()}, expected {n} rows "
            f"of numbers from 0 to {len(encounters.times) - 1}."
        )
    place = np.moveaxis(x + encounters.centers[0][:, :, None], -1, 0).reshape(3, n, -1)
    pace = np.moveaxis(v + encounters.velocities[0][:, :, None], -1, 0).reshape(3, n, -1)
    place, pace = place.astype(np.float32), pace.astype(np.float32)
    size = np.stack([np.ones(n), encounters.table["size_ratio"].to_numpy()], axis=1)
    softening = ((SOFTENING * size) ** 2).astype(np.float32)
    centers = encounters.centers.astype(np.float32)
    mass = encounters.mass.astype(np.float32)
    seen, moving = np.empty((2, n, steps.shape[1], 2, count, 3), np.float32)
    pull = _pull(place, centers[0], mass[0], softening)
    for step in range(int(steps.max()) + 1):
        if step:
            pace += np.float32(STEP / 2) * pull
            place += np.float32(STEP) * pace
            pull = _pull(place, centers[step], mass[step], softening)
            pace += np.float32(STEP / 2) * pull
        for row, look in zip(*np.nonzero(steps == step), strict=True):
            seen[row, look] = np.moveaxis(place[:, row].reshape(3, 2, count), 0, -1)
            moving[row, look] = np.moveaxis(pace[:, row].reshape(3, 2, count), 0, -1)
    return seen, moving


def _pull(place: NDArray, centers: NDArray, mass: NDArray, softening: NDArray) -> NDArray:
    pull = np.zeros_like(place)
    for g in (0, 1):
        gap = place - centers[:, g].T[:, :, None]
        square = gap[0] ** 2 + gap[1] ** 2 + gap[2] ** 2 + softening[:, g, None]
        pull -= gap * (mass[:, g, None] / (square * np.sqrt(square)))
    return pull
