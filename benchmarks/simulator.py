"""How fast galaxies are drawn: `sky.galaxies.simulate` beside a plain GalSim loop.

Both draw one galaxy at a time or in blocks on one core, in three bands, with noise. The loop
does the least that draws the same kind of galaxy: a Sersic bulge and an inclined exponential
disc, each with its own color, convolved with the same seeing. It has no arms, bars, dust,
companions or clumps, and measures nothing; `simulate` has, and asks the volunteers as well.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import Row
from firstlight.sky import galaxies, population
from firstlight.sky.render import MOFFAT_BETA, SERSIC_INDICES
from firstlight.sky.surveys import BANDS, SDSS

if TYPE_CHECKING:
    import pandas as pd

AIM = 5.0  # times the loop, on one core
NEEDED = 300.0  # color images a second on two cores
SIZE = 48
LOOP, BLOCKS, ROUNDS = 60, 640, 4


def truth_table(n: int, seed: int) -> pd.DataFrame:
    """Galaxies for the loop, with the few Sersic indices that GalSim then tabulates once."""
    truth = population.draw(2 * n, np.random.default_rng(seed), SDSS, SIZE)
    truth = truth[truth["kind"].isin(["elliptical", "disc"])][:n]
    nodes = np.asarray(SERSIC_INDICES)
    nearest = np.abs(nodes - truth["sersic_n"].to_numpy()[:, None]).argmin(axis=1)
    return truth.assign(sersic_n=nodes[nearest])


def plain_loop(truth: pd.DataFrame, seed: int) -> np.ndarray:
    """Draws each galaxy with GalSim, band by band.

    Args:
        truth: As `sky.population.draw` gives it.
        seed: For the noise.

    Returns:
        Images in electrons, shape (n, SIZE, SIZE, 3).
    """
    import galsim

    rng = np.random.default_rng(seed)
    images = np.empty((len(truth), SIZE, SIZE, 3), np.float32)
    for image, row in zip(images, truth.to_dict("records"), strict=True):
        turn = row["angle_rad"] * galsim.radians
        bulge = galsim.Sersic(
            row["sersic_n"], half_light_radius=row["bulge_radius_r90"] * row["r90_arcsec"]
        ).shear(q=row["bulge_axis_ratio"], beta=turn)
        scale = row["disc_scale_r90"] * row["r90_arcsec"]
        disc = galsim.InclinedExponential(
            row["inclination_rad"] * galsim.radians,
            scale_radius=scale,
            scale_height=row["disc_thickness"] * scale,
        ).rotate(turn)
        share, pixel = row["bulge_share"], row["pixel_arcsec"]
        old, young = _electrons(row, "old"), _electrons(row, "young")
        sigma = SDSS.sky_sigma(np.array([pixel]))[0]
        for b, band in enumerate(BANDS):
            galaxy = bulge.withFlux(old[b] * share)
            if share < 1:
                galaxy += disc.withFlux(young[b] * (1 - share))
            psf = galsim.Moffat(beta=MOFFAT_BETA, fwhm=row[f"seeing_{band}_arcsec"])
            clean = galsim.Convolve(galaxy, psf).drawImage(nx=SIZE, ny=SIZE, scale=pixel).array
            noise = np.sqrt(sigma[b] ** 2 + np.maximum(clean, 0))
            image[..., b] = clean + noise * rng.standard_normal(clean.shape)
    return images


def _electrons(row: dict[str, Any], age: str) -> np.ndarray:
    r = row["r_mag"]
    return SDSS.electrons(np.array([r + row[f"{age}_g_r"], r, r - row[f"{age}_r_i"]]))


def rates(work: dict[str, tuple[int, Callable[[int], object]]], rounds: int) -> dict[str, float]:
    """Images per CPU second of each kind of work, taken in turns so that both see one machine.

    Args:
        work: By name: images in a call, and the call, which is given the number of the round.
        rounds: How often each is called; the first is not counted, for it fills tables.

    Returns:
        The best rate of each by name: what other work on the machine slows down least.
    """
    found: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(rounds + 1):
        for name, (images, call) in work.items():
            begun = time.process_time()
            call(turn)
            if turn:
                found[name].append(images / (time.process_time() - begun))
    return {name: max(each) for name, each in found.items()}


def run() -> list[Row]:
    """Measure both, on one core in turns, then ours on two.

    Returns:
        Two rows.
    """
    truth = truth_table(LOOP, seed=1)
    rate = rates(
        {
            "ours": (BLOCKS, lambda turn: galaxies.simulate(BLOCKS, 100 + turn, size=SIZE)),
            "loop": (LOOP, lambda turn: plain_loop(truth, turn)),
        },
        ROUNDS,
    )
    workers = min(2, os.cpu_count() or 1)
    galaxies.simulate(2 * galaxies.BLOCK, 1, workers=workers)  # starts the processes
    begun = time.monotonic()
    galaxies.simulate(4 * BLOCKS, 2, size=SIZE, workers=workers)
    wall = 4 * BLOCKS / (time.monotonic() - begun)
    one = (
        f"color images of {SIZE} x {SIZE} pixels for a CPU second of one core, best of {ROUNDS} "
        "rounds in turns; the loop draws bulge and disc only, and asks no volunteers."
    )
    two = (
        f"by the clock, {workers} processes, {os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}."
    )
    return [
        Row("simulator", rate["ours"], rate["loop"], "images/s", rate["ours"] / rate["loop"], AIM,
            at_most=False, note=one),
        Row("simulator, two cores", wall, NEEDED, "images/s", wall / NEEDED, 1.0, at_most=False,
            note=two),
    ]  # fmt: skip
