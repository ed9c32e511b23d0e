"""Color images of simulated galaxies, every parameter kept as truth.

The way of the data: `population.draw` (priors) -> `parts.light` (light, part by
part) -> point-spread function, pixels and noise -> `volunteers` (what people would
say of it). `simulate` does all of it, in blocks of `BLOCK` galaxies, each with its
own random stream: the same seed gives the same sky, however many workers draw it.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from . import checks, gz2_tree, parts, population, structure, volunteers
from .render import Grid, point_spread
from .surveys import BANDS, SDSS, Survey

BLOCK = 64
_EYE_SIGMA = 3.0  # contrast is judged against light plus this much sky noise, per pixel
FEATURES = (
    "arms", "bar", "ring", "clumps", "lopsided", "companion", "tail", "arc", "star", "dust", "boxy",
    "trail",
)  # fmt: skip


@dataclass(frozen=True)
class Sky:
    """Simulated galaxies and their truth.

    Args:
        images: `(n, size, size, 3)` float32, bands g, r, i, in units of the empty
            sky's standard deviation per pixel; the sky level is subtracted.
        truth: One row a galaxy (see `population.draw`), with `visible_*` columns: the
            contrast of each feature after blurring, as an eye could see it.
        probabilities: `(n, 37)` true cumulative vote fractions.
    """

    images: np.ndarray
    truth: pd.DataFrame
    probabilities: np.ndarray

    def __len__(self) -> int:
        return len(self.images)


def simulate(
    n: int,
    seed: int,
    *,
    size: int = 48,
    survey: Survey = SDSS,
    workers: int = 1,
    progress: bool = False,
) -> Sky:
    """Simulates n galaxies as one survey would see them.

    Args:
        n: How many, at least 1.
        seed: Same seed, same sky; the first k of n galaxies are the same for any n.
        size: Pixels on a side of a stamp, even and from 32 to 256. Stamps scale with the
            galaxy, as Galaxy Zoo's did (`population.STAMP_IN_R90`).
        survey: Seeing, sky and depth.
        workers: Processes that draw side by side.
        progress: Show a progress bar.

    Returns:
        A `Sky` of n galaxies.

    Raises:
        ValueError: For an empty batch, a bad size, seed, survey or number of workers.

    Example:
        >>> sky = simulate(4, seed=1)
        >>> sky.images.shape, sky.probabilities.shape
        ((4, 48, 48, 3), (4, 37))
    """
    _check(n, seed, size, workers, survey)
    blocks = [(seed, block, size, survey) for block in range(-(-n // BLOCK))]
    if workers == 1:
        drawn = (_block(*job) for job in blocks)
    else:
        from joblib import Parallel, delayed  # fresh processes: forking TensorFlow can hang

        run = Parallel(n_jobs=workers, return_as="generator")
        drawn = run(delayed(_block)(*job) for job in blocks)
    images = np.empty((n, size, size, 3), dtype=np.float32)  # filled as blocks arrive: no copy
    votes = np.empty((n, gz2_tree.N_ANSWERS), dtype=np.float32)
    tables = []
    for block, part in enumerate(_watched(drawn, progress, len(blocks))):
        start, stop = block * BLOCK, min((block + 1) * BLOCK, n)
        images[start:stop] = part.images[: stop - start]
        votes[start:stop] = part.probabilities[: stop - start]
        tables.append(part.truth)
    return Sky(images, pd.concat(tables, ignore_index=True)[:n], votes)


def stretch(images: np.ndarray, softening: float = 3.0) -> np.ndarray:
    """Compresses sky-sigma images to numbers of order one, faint and bright alike.

    Args:
        images: Any shape, in units of the sky's standard deviation.
        softening: Where the stretch turns from linear to logarithmic, sky sigma.

    Returns:
        float32 array `arcsinh(images / softening) / 4` (Lupton, Gunn & Szalay 1999).

    Raises:
        ValueError: If an image holds NaN or infinity, or the softening is not positive.
    """
    images = np.asarray(images, dtype=np.float32)
    if not (softening > 0 and np.isfinite(softening)):
        raise ValueError(f"softening: received {softening}, expected a positive number of sigma.")
    if not np.isfinite(images).all():
        bad = int((~np.isfinite(images)).sum())
        raise ValueError(
            f"images: received {bad} pixels that are NaN or infinite, expected finite values. "
            "Mask or interpolate bad pixels first (np.nan_to_num is rarely what you want)."
        )
    return np.arcsinh(images / np.float32(softening)) / np.float32(4.0)


def render(
    truth: pd.DataFrame, rng: np.random.Generator, *, survey: Survey = SDSS, size: int = 48
) -> tuple[np.ndarray, pd.DataFrame]:
    """Noise-free images of the galaxies in a truth table, all of them at once.

    Args:
        truth: As `population.draw` returns it; change a column to ask "what if". A thousand
            galaxies of 48 pixels take about 0.3 GB of memory: pass more in pieces.
        rng: For the grain of clumpy discs.
        survey: Zero points and sky.
        size: Pixels on a side.

    Returns:
        Images `(n, size, size, 3)` in sky sigma, and a frame with the `visible_*` columns and
        the sky's sigma in electrons (`sky_sigma_g_electrons`, ...).

    Raises:
        ValueError: If a column is missing, not finite or, being a length, not positive; if the
            size is odd or out of range.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> render(population.draw(2, rng), rng)[0].shape
        (2, 48, 48, 3)
    """
    _check_size("render", size)
    checks.table("render", truth, population.columns(), population.POSITIVE)
    grid = Grid(size)
    pixels = parts.Pixels(truth)
    groups, by_feature = parts.light(grid, truth, pixels, rng)
    weights = _band_weights(truth, survey, pixels.pixel_arcsec)
    psf = [point_spread(grid, pixels.fwhm(band)) for band in BANDS]
    images = np.empty((len(truth), size, size, 3), dtype=np.float32)
    for b in range(3):
        total = sum(groups[g] * weights[g][:, b, None, None] for g in parts.GROUPS)
        images[..., b] = grid.images(total * psf[b])
    sigma = survey.sky_sigma(pixels.pixel_arcsec)
    _add_trails(images, grid, truth, pixels)
    visible = _visibility(grid, truth, by_feature, images[..., 1], psf[1], weights, pixels)
    truth_sigma = pd.DataFrame(
        {f"sky_sigma_{b}_electrons": sigma[:, i] for i, b in enumerate(BANDS)}
    )
    return images, pd.concat([visible, truth_sigma.set_index(truth.index)], axis=1)


def observe(
    images: np.ndarray, sigma_electrons: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Adds the noise of sky, source and detector, as Gaussian of the right variance.

    Args:
        images: Noise-free, `(n, s, s, 3)`, in sky sigma.
        sigma_electrons: The empty sky's sigma in electrons, `(n, 3)`.
        rng: Source of randomness.

    Returns:
        Noisy images of the same shape; variance is 1 + signal / sigma_electrons.

    Raises:
        ValueError: If the shapes do not fit or a sigma is not positive.
    """
    expected = (len(images), images.shape[-1])
    if images.ndim != 4 or sigma_electrons.shape != expected or not (sigma_electrons > 0).all():
        raise ValueError(
            f"observe: received images of shape {images.shape} with sigma_electrons of shape "
            f"{sigma_electrons.shape}; expected (n, s, s, bands) and positive numbers (n, bands)."
        )
    variance = 1 + np.maximum(images, 0) / sigma_electrons[:, None, None, :].astype(np.float32)
    return images + np.sqrt(variance) * rng.standard_normal(images.shape, dtype=np.float32)


def _band_weights(
    truth: pd.DataFrame, survey: Survey, pixel_arcsec: np.ndarray
) -> dict[str, np.ndarray]:
    """Light in sky sigma, `(n, 3)`, of one unit of r light in each color group."""
    sigma = survey.sky_sigma(pixel_arcsec)
    r_mag = truth["r_mag"].to_numpy()
    weights = {}
    for group in parts.GROUPS:
        g_r, r_i = truth[f"{group}_g_r"].to_numpy(), truth[f"{group}_r_i"].to_numpy()
        magnitudes = np.stack([r_mag + g_r, r_mag, r_mag - r_i], axis=1)
        weights[group] = (survey.electrons(magnitudes) / sigma).astype(np.float32)
    return weights


def _add_trails(images: np.ndarray, grid: Grid, truth: pd.DataFrame, pixels: parts.Pixels) -> None:
    """Draws satellite trails across the stamps of artifacts, in place."""
    rows = np.flatnonzero(truth["trail_sigma"].to_numpy() > 0)
    if len(rows):
        images[rows] += _trail_light(grid, truth, pixels, rows)[..., None]


def _trail_light(
    grid: Grid, truth: pd.DataFrame, pixels: parts.Pixels, rows: np.ndarray
) -> np.ndarray:
    light = structure.trail(
        grid, truth["trail_angle_rad"].to_numpy()[rows], pixels("trail_offset_r90")[rows]
    )
    width = np.maximum(pixels.fwhm("r")[rows] / 2.355, 0.6)
    kept = slice(grid.start, grid.start + grid.size)
    strength = truth["trail_sigma"].to_numpy()[rows] / width
    return light[:, kept, kept] * strength[:, None, None].astype(np.float32)


def _visibility(grid, truth, by_feature, image, psf, weights, pixels) -> pd.DataFrame:
    """Root-mean-square contrast of every feature over the galaxy's area, in r."""
    area = np.pi * pixels.r90**2
    base = np.abs(image) + _EYE_SIGMA
    columns = {f"visible_{name}": np.zeros(len(truth)) for name in FEATURES}
    for name, (rows, transforms, group) in by_feature.items():
        light = grid.images(transforms * psf[rows]) * weights[group][rows, 1, None, None]
        contrast = np.sum((light / base[rows]) ** 2, axis=(1, 2))
        columns[f"visible_{name}"][rows] = np.sqrt(contrast / area[rows])
    rows = np.flatnonzero(truth["trail_sigma"].to_numpy() > 0)
    if len(rows):
        light = _trail_light(grid, truth, pixels, rows)
        contrast = np.sum((light / base[rows]) ** 2, axis=(1, 2))
        columns["visible_trail"][rows] = np.sqrt(contrast / area[rows])
    return pd.DataFrame(columns, index=truth.index)


def _block(seed: int, block: int, size: int, survey: Survey) -> Sky:
    rng = np.random.default_rng([seed, block])
    truth = population.draw(BLOCK, rng, survey, size)
    images, seen = render(truth, rng, survey=survey, size=size)
    truth = pd.concat([truth, seen], axis=1)
    sigma = truth[[f"sky_sigma_{b}_electrons" for b in BANDS]].to_numpy()
    return Sky(observe(images, sigma, rng), truth, volunteers.probabilities(truth))


def _watched(jobs, progress: bool, total: int | None = None):
    if not progress:
        return jobs
    from tqdm import tqdm

    return tqdm(jobs, total=total, unit="block", desc="galaxies")


def _check(n: int, seed: int, size: int, workers: int, survey: Survey) -> None:
    checks.whole("simulate", "n", n, 1, 100_000_000)
    checks.whole("simulate", "seed", seed, 0, 2**63)
    checks.whole("simulate", "workers", workers, 1, 1024)
    _check_size("simulate", size)
    if not isinstance(survey, Survey):
        raise ValueError(
            f"simulate: received survey={survey!r}, expected a sky.surveys.Survey such as SDSS."
        )


def _check_size(where: str, size: int) -> None:
    checks.whole(where, "size", size, 32, 256)
    if size % 2:
        raise ValueError(f"{where}: received size={size}, expected an even number of pixels.")
