"""Groups of galaxies in a narrow cone of a redshift survey: who belongs, and who is in the way.

Members follow a projected NFW profile (Navarro, Frenk & White 1997) and a Gaussian of velocities;
the size of a group follows from its velocity dispersion. Others stand anywhere in the cone, alone
or in small knots of their own. Positions are in Mpc, velocities in 1000 km/s along the line of
sight, both from the middle of the cone, which is not the middle of the group.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from . import checks

__all__ = ["APERTURE_MPC", "DEPTH", "Groups", "log_odds", "odds", "radius_200",
           "simulate"]  # fmt: skip

BLOCK = 256
APERTURE_MPC = 1.5  # radius of the cone
DEPTH = 2.5  # half its depth, 1000 km/s
HUBBLE = 0.07  # 1000 km/s per Mpc
_CONCENTRATION = 4.0
_MEMBERS = (5, 14)
_DISPERSION = (0.2, 0.55)  # 1000 km/s
_OFFSET = (0.35, 0.6)  # rms offset of the group from the middle of the cone: Mpc, 1000 km/s
_KNOTTED = 0.4  # share of the others that stand in knots


@dataclass(frozen=True)
class Groups:
    """Cones with one group each; the galaxies of a cone are in random order.

    Args:
        galaxies: `(n, nodes, 3)` float32: x and y in Mpc, velocity in 1000 km/s.
        member: `(n, nodes)` bool, True for the group's own.
        center: `(n, 3)`, of the group, as `galaxies`.
        dispersion: `(n,)`, of its velocities, 1000 km/s.
    """

    galaxies: np.ndarray
    member: np.ndarray
    center: np.ndarray
    dispersion: np.ndarray

    def __len__(self) -> int:
        return len(self.galaxies)


def radius_200(dispersion: np.ndarray) -> np.ndarray:
    """Radius of a group in Mpc, sqrt(3) sigma / (10 H), from its dispersion in 1000 km/s."""
    return np.asarray(np.sqrt(3) * np.asarray(dispersion) / (10 * HUBBLE))


def _mass(x: np.ndarray) -> np.ndarray:
    """NFW mass within x scale radii, up to a factor."""
    return np.asarray(np.log1p(x) - x / (1 + x))


def _radii(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Projected distances from the center in units of the radius r_200."""
    grid = np.linspace(1e-3, _CONCENTRATION, 400)
    share = _mass(grid) / _mass(grid[-1:])
    r = np.interp(rng.random(shape), share, grid) / _CONCENTRATION
    return np.asarray(r * np.sqrt(1 - rng.uniform(-1, 1, shape) ** 2))


def simulate(n: int, seed: int, *, nodes: int = 24) -> Groups:
    """Simulates n cones with `nodes` galaxies each.

    Args:
        n: How many.
        seed: Same seed, same cones; the first k of n are the same for any n.
        nodes: Galaxies in a cone, 16 or more; 5 to 14 of them are members.

    Returns:
        The cones.

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> cones = simulate(10, seed=1)
        >>> cones.galaxies.shape, bool((cones.member.sum(axis=1) >= 5).all())
        ((10, 24, 3), True)
    """
    checks.whole("simulate", "n", n, 1, 10_000_000)
    checks.whole("simulate", "seed", seed, 0, 2**63)
    checks.whole("simulate", "nodes", nodes, 16, 1000)
    parts = [_block(np.random.default_rng([seed, b]), nodes) for b in range(-(-n // BLOCK))]
    return Groups(*(np.concatenate(arrays)[:n] for arrays in zip(*parts, strict=True)))


def _block(rng: np.random.Generator, nodes: int) -> tuple[np.ndarray, ...]:
    number = rng.integers(_MEMBERS[0], _MEMBERS[1] + 1, BLOCK)
    low, high = (float(v) for v in np.log(_DISPERSION))
    sigma = np.exp(rng.uniform(low, high, BLOCK))
    center = rng.normal(size=(BLOCK, 3)) * [_OFFSET[0], _OFFSET[0], _OFFSET[1]]
    member = np.arange(nodes) < number[:, None]
    shape = (BLOCK, nodes)
    R, turn = radius_200(sigma)[:, None] * _radii(rng, shape), rng.uniform(0, 2 * np.pi, shape)
    own = np.stack([R * np.cos(turn), R * np.sin(turn), sigma[:, None] * rng.normal(size=shape)], 2)
    galaxies = np.where(member[..., None], own + center[:, None], _others(rng, nodes))
    order = rng.permuted(np.tile(np.arange(nodes), (BLOCK, 1)), axis=1)
    galaxies = np.take_along_axis(galaxies, order[..., None], axis=1).astype(np.float32)
    return galaxies, np.take_along_axis(member, order, axis=1), center, sigma


def _others(rng: np.random.Generator, nodes: int) -> np.ndarray:
    """Galaxies anywhere in the cone; some of them near the one before."""
    R = APERTURE_MPC * np.sqrt(rng.random((BLOCK, nodes)))
    turn = rng.uniform(0, 2 * np.pi, (BLOCK, nodes))
    place = np.stack([R * np.cos(turn), R * np.sin(turn),
                      rng.uniform(-DEPTH, DEPTH, (BLOCK, nodes))], axis=2)  # fmt: skip
    knotted = rng.random((BLOCK, nodes)) < _KNOTTED
    near = rng.normal(size=place.shape) * [0.15, 0.15, 0.12]
    for k in range(1, nodes):
        place[:, k] = np.where(knotted[:, k, None], place[:, k - 1] + near[:, k], place[:, k])
    return place


def odds(groups: Groups) -> np.ndarray:
    """Log odds of membership for someone who knows the group's center, size and dispersion.

    Nobody does, so no method that sees the galaxies alone should do better. Knots are ignored:
    the others are taken to be spread evenly.

    Args:
        groups: The cones.

    Returns:
        `(n, nodes)`; positive where membership is the likelier.
    """
    number = groups.member.sum(axis=1)
    return log_odds(groups.galaxies, groups.center, groups.dispersion, number)


def log_odds(
    galaxies: np.ndarray, center: np.ndarray, dispersion: np.ndarray, number: np.ndarray
) -> np.ndarray:
    """Log odds that a galaxy belongs to a group rather than to an even spread of others.

    Args:
        galaxies: `(n, nodes, 3)`, Mpc and 1000 km/s.
        center: Of the groups, `(n, 3)`.
        dispersion: Of their velocities, 1000 km/s, `(n,)`.
        number: Of their members, `(n,)`.

    Returns:
        `(n, nodes)`.
    """
    middles, density = _surface_density()
    apart = galaxies - center[:, None]
    sigma, number = dispersion[:, None], number[:, None]
    r200 = radius_200(sigma)
    R = np.hypot(apart[..., 0], apart[..., 1]) / r200
    inside = np.interp(R, middles, density, right=0.0) / r200**2
    speed = np.exp(-((apart[..., 2] / sigma) ** 2) / 2) / (np.sqrt(2 * np.pi) * sigma)
    alone = 1 / (np.pi * APERTURE_MPC**2 * 2 * DEPTH)
    others = galaxies.shape[1] - number
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(number * inside * speed) - np.log(others * alone))


@cache
def _surface_density() -> tuple[np.ndarray, np.ndarray]:
    """Members per unit area at projected distances in units of r_200, from many draws."""
    edges = np.linspace(0, 1, 41)
    counts, _ = np.histogram(_radii(np.random.default_rng(0), (400_000,)), edges)
    return (edges[1:] + edges[:-1]) / 2, counts / counts.sum() / (np.pi * np.diff(edges**2))
