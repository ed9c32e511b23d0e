"""Colliding galaxies, lone galaxies and strangers in one line of sight, with known truth.

Every scene starts from a pair: two galaxies of `sky.population` and an encounter of
`sky.encounters`. A *merger* is that pair some time after its pericenter. A *superposition*
is the same pair had it never met, one galaxy in front of the other. *Isolated* is its
primary alone. All three get the same brightness, apparent size, seeing and noise.

What the tide has not moved of a galaxy is drawn by `sky.galaxies`, with its bulge, arms and
clumps. What it has moved is drawn star by star, where the restricted three-body run put it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from . import checks, encounters, galaxies, merger_light, population
from .merger_light import Placed
from .surveys import BANDS, SDSS, Survey

__all__ = ["COADD", "KINDS", "SHARES", "STAGES", "Scenes", "simulate"]

KINDS = ("merger", "isolated", "superposition")
SHARES = (0.5, 0.25, 0.25)
STAGES = ("approach", "first passage", "apart", "remnant", "none")
ENCOUNTERS, LOOKS = 16, 6  # of a block
STARS = 1200
FIELD = 4.3  # side of a stamp over the mean radius that holds half and four fifths of the light
FIELD_SCATTER = 0.25  # of its logarithm
# Twenty exposures or so, added up, as in the Stripe 82 of the Sloan survey: a single one buries
# most tails under the noise of the sky.
COADD = SDSS.worse(depth_mag=-1.5)
CLOSEST = 0.35  # R90: nearer strangers would be taken for one galaxy
_TRUTH = ("mass_ratio", "pericenter_r90", "size_ratio", "hot_1", "hot_2", "disrupted")
Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Scenes:
    """Images of mergers and of others, with their truth.

    Args:
        images: `(n, size, size, 3)` float32, bands g, r, i, in units of the empty sky's
            standard deviation per pixel; the sky level is subtracted.
        truth: One row a scene: `merger` (the label), `kind`, `stage`, `encounter` (never shared
            between different seeds), `time` since pericenter in units of `sky.encounters`,
            `separation_r90` on the sky, `moved` (share of the light that the tide displaced),
            the parameters of the encounter, brightness and conditions.
    """

    images: NDArray[np.float32]
    truth: pd.DataFrame

    def __len__(self) -> int:
        return len(self.images)

    @property
    def labels(self) -> NDArray[np.int64]:
        """1 for a merger, 0 for anything else, shape (n,)."""
        return self.truth["merger"].to_numpy().astype(np.int64)


def simulate(
    n: int,
    seed: int,
    *,
    size: int = 64,
    survey: Survey = COADD,
    shares: Sequence[float] = SHARES,
    when: tuple[float, float] = (0.5, 6.0),
) -> Scenes:
    """Simulates n scenes as one survey would see them.

    Args:
        n: How many, at least 1.
        seed: Same seed, same scenes; the first k of n are the same for any n.
        size: Pixels on a side, even and from 32 to 256.
        survey: Seeing, sky and depth.
        shares: Of mergers, isolated galaxies and superpositions.
        when: Between which times after pericenter mergers are seen; below zero they are still
            approaching. From -2 to 7.

    Returns:
        The scenes.

    Raises:
        ValueError: For an empty batch, shares that are not a distribution, times out of range,
            or a bad size, seed or survey.

    Example:
        >>> simulate(3, seed=1).images.shape
        (3, 64, 64, 3)
    """
    _check(n, seed, size, survey, shares, when)
    blocks = -(-n // (ENCOUNTERS * LOOKS))
    drawn = [_block(seed, block, size, survey, np.asarray(shares, float), when)
             for block in range(blocks)]  # fmt: skip
    truth = pd.concat([part.truth for part in drawn], ignore_index=True)[:n]
    return Scenes(np.concatenate([part.images for part in drawn])[:n], truth)


def _check(n, seed, size, survey, shares, when) -> None:
    checks.whole("mergers.simulate", "n", n, 1, 10_000_000)
    checks.whole("mergers.simulate", "seed", seed, 0, 2**63)
    checks.whole("mergers.simulate", "size", size, 32, 256)
    p = np.asarray(shares, float)
    if p.shape != (3,) or not (p >= 0).all() or not np.isclose(p.sum(), 1):
        raise ValueError(
            f"shares: received {shares}, expected three numbers of 0 or more for {KINDS}, with a "
            "sum of one."
        )
    if not -2 <= when[0] < when[1] <= encounters.AFTER - 1:
        raise ValueError(
            f"when: received {when}, expected two rising times from -2 to {encounters.AFTER - 1}."
        )
    if size % 2 or not isinstance(survey, Survey):
        raise ValueError(
            f"simulate: received size={size} and survey={survey!r}, expected an even number of "
            "pixels and a sky.surveys.Survey such as SDSS."
        )


def _block(seed: int, block: int, size: int, survey: Survey, shares, when) -> Scenes:
    rng = np.random.default_rng([seed, block])
    paths = encounters.orbits(encounters.draw(ENCOUNTERS, rng))
    x, v, first, light = encounters.stars(paths.table, STARS, rng)
    after = rng.uniform(when[0], when[1], (ENCOUNTERS, LOOKS))
    times = paths.table["t_pericenter"].to_numpy()[:, None] + after
    steps = np.round((times - paths.times[0]) / encounters.STEP).astype(int)
    seen, moving = encounters.follow(paths, x, v, steps)
    row = np.repeat(np.arange(ENCOUNTERS), LOOKS)
    look = steps.ravel()
    truth = paths.table.iloc[row][[*_TRUTH, "t_coalescence", "t_pericenter"]]
    truth = truth.reset_index(drop=True)
    truth["kind"] = rng.choice(KINDS, len(row), p=shares)
    truth["merger"] = truth["kind"] == "merger"
    truth["encounter"] = block * ENCOUNTERS + row
    truth["time"] = paths.times[look] - truth["t_pericenter"]
    truth["stage"] = _stages(truth, paths.times[look])
    centers = paths.centers[look, row]
    own = seen.reshape(len(row), 2, STARS, 3) - centers[:, :, None]
    pace = moving.reshape(own.shape) - paths.velocities[look, row][:, :, None]
    spin = np.stack([paths.table[[f"spin_{g}_{k}" for k in "xyz"]].to_numpy()[row]
                     for g in (1, 2)], axis=1)  # fmt: skip
    gone = _moved(truth, own, pace, spin, first[row], (x[row], v[row]), paths.mass[look, row])
    scene = _stage(truth, own, x[row], spin, centers, gone, light[row], rng)
    _conditions(truth, scene, size, survey, rng)
    images = merger_light.draw(truth, scene, size, survey, rng)
    sigma = survey.sky_sigma(truth["pixel_arcsec"].to_numpy())
    order = rng.permutation(len(row))  # so that neighbors are not of one encounter
    observed = galaxies.observe(images, sigma, rng)[order]
    return Scenes(observed, truth.iloc[order].reset_index(drop=True))


def _stages(truth: pd.DataFrame, times: Doubles) -> NDArray:
    late = times >= truth["t_coalescence"].to_numpy()
    early = truth["time"].to_numpy()
    stage = np.where(late, "remnant", np.where(early < 2, "first passage", "apart"))
    stage = np.where(early < 0, "approach", stage)
    return np.where(truth["merger"], stage, "none")


def _moved(truth, own, pace, spin, first, start, mass) -> NDArray[np.bool_]:
    """Which stars the tide has carried off: out of their circle or plane, or out of their orbit."""
    size = np.stack([np.ones(len(truth)), truth["size_ratio"].to_numpy()], 1)[..., None]
    height = np.einsum("ngsk,ngk->ngs", own, spin)
    radius = np.sqrt((own**2).sum(-1))
    flat = np.sqrt(np.maximum(radius**2 - height**2, 0))
    off = np.hypot(flat - first, height) > 0.25 * first + 0.10 * size
    full = np.stack([np.ones(len(truth)), truth["mass_ratio"].to_numpy()], 1)[..., None]
    softening = encounters.SOFTENING * size

    def energy(x, v, m):
        return 0.5 * (v**2).sum(-1) + encounters.potential(np.sqrt((x**2).sum(-1)), m, softening)

    before = energy(start[0], start[1], full)
    freed = energy(own, pace, mass[..., None]) > before + 0.35 * np.abs(before)
    hot = truth[["hot_1", "hot_2"]].to_numpy()[..., None]
    return np.where(hot, freed, off) & truth["merger"].to_numpy()[:, None, None]


def _stage(truth, own, quiet, spin, centers, gone, light, rng) -> Placed:
    """Puts galaxies and stars on the sky, seen from a random direction."""
    n = len(truth)
    turn = _rotations(n, rng)
    alien = np.stack([turn, _rotations(n, rng)], axis=1)  # strangers know nothing of each other
    merger = truth["merger"].to_numpy()[:, None, None, None]
    frames = np.where(merger, turn[:, None], alien)
    about = np.einsum("ngij,ngsj->ngsi", frames, np.where(merger, own, quiet))
    gap = np.einsum("nij,nj->ni", turn, centers[:, 1] - centers[:, 0])[:, :2]
    distance = np.sqrt((gap**2).sum(1))
    stranger = (truth["kind"] == "superposition").to_numpy()
    far = np.where(stranger & (distance < CLOSEST), rng.uniform(CLOSEST, 1.6, n), distance)
    gap *= (far / np.maximum(distance, 1e-9))[:, None]
    alone = (truth["kind"] == "isolated").to_numpy()
    truth["separation_r90"] = np.where(alone, np.nan, far)
    second = truth["mass_ratio"] * np.exp(rng.normal(0, 0.15, n))
    second = np.where(alone, 0.0, second)
    share = np.stack([1 / (1 + second), second / (1 + second)], axis=1)
    place = np.stack([np.zeros((n, 2)), gap], axis=1)
    lent = rng.uniform(0, 0.6, (n, 2, 1)) * ~truth[["hot_1", "hot_2"]].to_numpy()[..., None]
    weight = np.where(merger[..., 0], gone, lent) * light
    spins = np.einsum("ngij,ngj->ngi", frames, spin)
    return Placed(place, about[..., :2] + place[:, :, None], weight, spins, share, light)


def _rotations(n: int, rng: np.random.Generator) -> Doubles:
    """Rotations drawn evenly from all there are, shape (n, 3, 3)."""
    from scipy.spatial.transform import Rotation

    return Rotation.random(n, rng=rng).as_matrix()


def _conditions(truth: pd.DataFrame, scene: Placed, size: int, survey, rng) -> None:
    """Brightness, apparent size and seeing: drawn without a look at the kind of scene."""
    n = len(truth)
    prior = population.draw(n, rng, survey, size)
    truth["r_mag"] = prior["r_mag"]
    field = 1.5 * population.STAMP_IN_R90 * prior["r90_arcsec"]
    truth["pixel_arcsec"] = field / size
    for band in BANDS:
        truth[f"seeing_{band}_arcsec"] = prior[f"seeing_{band}_arcsec"]
    distance = np.sqrt((scene.stars**2).sum(-1)).reshape(n, -1)
    light = (scene.all_light * scene.share[..., None]).reshape(n, -1)
    order = np.argsort(distance, axis=1)
    inside = np.cumsum(np.take_along_axis(light, order, 1), axis=1)
    radii = np.take_along_axis(distance, order, 1)
    half, most = (radii[np.arange(n), (inside < part).sum(1)] for part in (0.5, 0.8))
    sides = FIELD * np.sqrt(half * most) * np.exp(rng.normal(0, FIELD_SCATTER, n))
    truth["r90_arcsec"] = field / sides  # of the primary
    truth["x_r90"], truth["y_r90"] = rng.normal(0, 0.03, (2, n)) * sides
