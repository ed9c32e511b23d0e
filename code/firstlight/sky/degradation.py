"""Galaxies seen sharply, and the same galaxies from the ground: blurred, and in noise.

The sharp picture is what a space telescope would record, two pixels wide where a star stands.
The blurred one is the sharp one convolved with an atmosphere, plus noise. Some galaxies carry
knots of young stars whose places and brightness are known, so that one can ask whether a
restored knot was there, and whether a knot that was there has been restored.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from scipy import fft

from . import checks, parts, population
from .render import MOFFAT_BETA, Grid, point_spread

__all__ = ["KERNEL_FWHM", "Scenes", "atmosphere", "blur", "check_images", "degrade", "simulate"]

BLOCK = 64
SHARP_FWHM = 2.0  # pixels, of a star in the sharp picture
KERNEL_FWHM = 6.0  # pixels, of the atmosphere that comes on top
SNR = (20.0, 300.0)
KNOT_SHARES = (0.004, 0.06)  # of the galaxy's light
_R90_PIXELS = (9.0, 19.0)
_NOT_HERE = ("companion_share", "tail_share", "arc_share", "star_share", "trail_sigma")


@dataclass(frozen=True)
class Scenes:
    """Galaxies with their truth; images in units of the blurred picture's noise.

    Args:
        sharp: `(n, size, size)` float32, without noise.
        blurred: The same through the atmosphere, with noise of one sigma a pixel.
        snr: Signal over noise of each blurred galaxy, by its own profile, `(n,)`.
        kernel: The atmosphere, `(k, k)`, of unit sum.
        truth: One row a galaxy, see `population.draw`.
        knots: One row a planted knot: `galaxy`, `x`, `y` (column and row, pixels), `flux` and
            `snr` (in the blurred picture, were it alone).
    """

    sharp: np.ndarray
    blurred: np.ndarray
    snr: np.ndarray
    kernel: np.ndarray
    truth: pd.DataFrame
    knots: pd.DataFrame

    def __len__(self) -> int:
        return len(self.sharp)


@cache
def _atmosphere(fwhm: float, size: int) -> np.ndarray:
    import galsim

    image = galsim.Moffat(beta=MOFFAT_BETA, fwhm=fwhm).drawImage(
        nx=size, ny=size, scale=1.0, method="no_pixel"
    )
    kernel = np.maximum(image.array.astype(np.float64), 0)
    return kernel / kernel.sum()


def atmosphere(fwhm: float = KERNEL_FWHM, size: int = 31) -> np.ndarray:
    """A Moffat profile as a kernel of unit sum.

    Args:
        fwhm: Full width at half maximum, pixels.
        size: Pixels on a side, odd.

    Returns:
        Shape `(size, size)`.

    Raises:
        ValueError: If the width is not positive, or the size even.

    Example:
        >>> float(atmosphere(4.0).sum().round(6))
        1.0
    """
    checks.whole("atmosphere", "size", size, 3, 511)
    if not 0.5 <= fwhm <= size or size % 2 == 0:
        raise ValueError(
            f"atmosphere: received fwhm={fwhm}, size={size}; expected a width of half a pixel or "
            "more that fits into an odd number of pixels."
        )
    return _atmosphere(float(fwhm), size).copy()


def check_images(where: str, images: np.ndarray, kernel: np.ndarray | None = None) -> np.ndarray:
    """Insists on finite, square, even-sided images, and on a kernel that keeps the light.

    Args:
        where: The function that was called.
        images: Shape `(n, size, size)`.
        kernel: A point-spread function.

    Returns:
        The images as float32.

    Raises:
        ValueError: For NaN, an odd or unequal side, an empty batch, or a kernel whose sum is
            not one.
    """
    images = np.asarray(images)
    square = images.ndim == 3 and images.shape[1] == images.shape[2] and len(images) > 0
    if not square or images.shape[1] % 2:
        raise ValueError(
            f"{where}: received images of shape {images.shape}, expected (n, size, size) with an "
            "even size and one image or more. Cut or pad them."
        )
    if not np.isfinite(images).all():
        bad = int((~np.isfinite(images)).sum())
        raise ValueError(
            f"{where}: received {bad} pixels that are NaN or infinite, expected finite values. "
            "Mask or interpolate bad pixels first."
        )
    if kernel is not None:
        fits = kernel.ndim == 2 and kernel.shape[0] == kernel.shape[1] and kernel.shape[0] % 2
        if not fits or not np.isfinite(kernel).all() or abs(float(kernel.sum()) - 1) > 1e-3:
            raise ValueError(
                f"{where}: received a kernel of shape {kernel.shape} and sum {kernel.sum():.4g}, "
                "expected a square of odd side and a sum of one. Divide it by its sum: otherwise "
                "the restored galaxy has another brightness."
            )
    return images.astype(np.float32, copy=False)


def blur(images: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Convolves images with a kernel; beyond the edge the sky is dark.

    Args:
        images: Shape `(n, size, size)`.
        kernel: Of unit sum, odd side.

    Returns:
        float32, the same shape.

    Raises:
        ValueError: See `check_images`.

    Example:
        >>> blur(np.ones((1, 8, 8)), atmosphere(2.0, 3)).shape
        (1, 8, 8)
    """
    images = check_images("blur", images, kernel)
    size, reach = images.shape[1], kernel.shape[0] // 2
    padded = fft.next_fast_len(size + 2 * reach, real=True)
    light = fft.rfft2(images, s=(padded, padded)) * fft.rfft2(
        kernel.astype(np.float32), s=(padded, padded)
    )
    full = fft.irfft2(light, s=(padded, padded))
    return full[:, reach : reach + size, reach : reach + size].astype(np.float32)


def degrade(
    sharp: np.ndarray, kernel: np.ndarray, snr: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Sees sharp images from the ground.

    Args:
        sharp: Shape `(n, size, size)`, any units.
        kernel: The atmosphere, of unit sum.
        snr: Wanted signal over noise of each blurred image by its own profile: the root of the
            sum of its squared pixels, over sigma. Shape `(n,)`.
        seed: Of the noise.

    Returns:
        The sharp images and the blurred ones with noise, both in units of sigma.

    Raises:
        ValueError: See `check_images`; or if an image holds no light, or an S/N is not positive.
    """
    sharp = check_images("degrade", sharp, kernel)
    checks.whole("degrade", "seed", seed, 0, 2**63)
    snr = np.broadcast_to(np.asarray(snr, dtype=float), len(sharp))
    clean = blur(sharp, kernel)
    power = np.sqrt((clean.astype(float) ** 2).sum(axis=(1, 2)))
    if not (snr > 0).all() or not (power > 0).all():
        raise ValueError(
            f"degrade: received a smallest S/N of {snr.min():g} and a faintest image of power "
            f"{power.min():g}, expected positive numbers. Drop empty images."
        )
    factor = (snr / power)[:, None, None].astype(np.float32)
    noise = np.random.default_rng(seed).standard_normal(clean.shape, dtype=np.float32)
    return sharp * factor, clean * factor + noise


def simulate(
    n: int,
    seed: int,
    *,
    size: int = 64,
    kernel: np.ndarray | None = None,
    snr: tuple[float, float] = SNR,
    knots: float = 1.5,
    arms: bool | None = None,
) -> Scenes:
    """Simulates galaxies, sharp and from the ground.

    Args:
        n: How many, at least 1.
        seed: Same seed, same galaxies; the first k of n are the same for any n.
        size: Pixels on a side, even.
        kernel: The atmosphere; `atmosphere()` by default.
        snr: S/N of the blurred galaxies is log-uniform between these.
        knots: Mean number of planted knots in a disk; 0 plants none.
        arms: True gives every disk two arms, False takes all arms, bars, rings and grain away,
            None leaves things as they are drawn.

    Returns:
        A `Scenes`.

    Raises:
        ValueError: For an empty batch, a bad size, seed, range of S/N or number of knots.

    Example:
        >>> simulate(2, seed=1).blurred.shape
        (2, 64, 64)
    """
    checks.whole("simulate", "n", n, 1, 100_000_000)
    checks.whole("simulate", "seed", seed, 0, 2**63)
    checks.whole("simulate", "size", size, 32, 256)
    kernel = atmosphere() if kernel is None else np.asarray(kernel, dtype=float)
    if size % 2 or not 0 < snr[0] <= snr[1] < np.inf or not 0 <= knots < np.inf:
        raise ValueError(
            f"simulate: received size={size}, snr={snr}, knots={knots}; expected an even size, two "
            "rising positive numbers, and a mean of 0 or more."
        )
    blocks = [_block(seed, b, size, kernel, snr, knots, arms) for b in range(-(-n // BLOCK))]
    truth = pd.concat([block.truth for block in blocks], ignore_index=True)[:n]
    planted = pd.concat(
        [block.knots.assign(galaxy=block.knots["galaxy"] + b * BLOCK)
         for b, block in enumerate(blocks)], ignore_index=True)  # fmt: skip
    planted = planted[planted["galaxy"] < n].reset_index(drop=True)
    sharp, blurred, ratio = (np.concatenate([getattr(block, name) for block in blocks])[:n]
                             for name in ("sharp", "blurred", "snr"))  # fmt: skip
    return Scenes(sharp, blurred, ratio, kernel, truth, planted)


def _block(
    seed: int,
    block: int,
    size: int,
    kernel: np.ndarray,
    snr: tuple[float, float],
    knots: float,
    arms: bool | None,
) -> Scenes:
    rng = np.random.default_rng([seed, block])
    truth = _draw(rng, size, arms)
    grid, pixels = Grid(size), parts.Pixels(truth)
    groups, _ = parts.light(grid, truth, pixels, np.random.default_rng([seed, block, 1]))
    psf = point_spread(grid, np.full(BLOCK, SHARP_FWHM))
    planted = _knots(np.random.default_rng([seed, block, 2]), truth, pixels, knots, size)
    light = np.sum(list(groups.values()), axis=0)
    for row in planted.itertuples():
        place = np.array([[row.x - (size - 1) / 2, row.y - (size - 1) / 2]])
        light[row.galaxy] += grid.phase(place)[0] * np.float32(row.flux)
    sharp = np.maximum(grid.images(light * psf), 0).astype(np.float32)
    wanted = _log_uniform(rng, snr, BLOCK)
    scaled, blurred = degrade(sharp, kernel, wanted, int(rng.integers(2**31)))
    factor = scaled.sum(axis=(1, 2)) / sharp.sum(axis=(1, 2))
    star = blur(grid.images(psf[:1] * grid.phase(np.full((1, 2), 0.5))), kernel)
    one = float(np.sqrt((star**2).sum()))
    flux = planted["flux"].to_numpy() * factor[planted["galaxy"].to_numpy(dtype=int)]
    return Scenes(scaled, blurred, wanted, kernel, truth, planted.assign(flux=flux, snr=flux * one))


def _draw(rng: np.random.Generator, size: int, arms: bool | None) -> pd.DataFrame:
    """Disks and ellipticals alone on the sky, of a size that the atmosphere nearly hides."""
    pool = population.draw(3 * BLOCK, rng, size=size)
    kept = pool[pool["kind"].isin(["elliptical", "disc", "irregular"])]
    truth = kept.iloc[:BLOCK].reset_index(drop=True).assign(pixel_arcsec=1.0)
    radius = _log_uniform(rng, _R90_PIXELS, BLOCK) * size / 64
    truth = truth.assign(r90_arcsec=radius, **dict.fromkeys(_NOT_HERE, 0.0))
    disc = (truth["kind"] == "disc").to_numpy()
    if arms is True:
        strength = np.where(disc, 0.9, 0.0)
        truth = truth.assign(arms=np.where(disc, 2.0, 0.0), arm_strength=strength)
    elif arms is False:
        bare = ("arms", "arm_strength", "bar_share", "ring_share", "clumpiness", "lopsidedness")
        truth = truth.assign(**dict.fromkeys(bare, 0.0))
    return truth


def _log_uniform(rng: np.random.Generator, ends: tuple[float, float], n: int) -> np.ndarray:
    return np.exp(rng.uniform(np.log(ends[0]), np.log(ends[1]), n))


def _knots(
    rng: np.random.Generator, truth: pd.DataFrame, pixels: parts.Pixels, mean: float, size: int
) -> pd.DataFrame:
    """Places and fluxes (shares of the galaxy's light) of planted knots, in the disks' planes."""
    disc = (truth["kind"] != "elliptical").to_numpy()
    number = np.where(disc, rng.poisson(mean, len(truth)), 0)
    galaxy = np.repeat(np.arange(len(truth)), number)
    m = len(galaxy)
    radius = rng.uniform(0.25, 0.85, m) * pixels.r90[galaxy]
    azimuth = rng.uniform(0, 2 * np.pi, m)
    flux = _log_uniform(rng, KNOT_SHARES, m)
    tilt, angle = (truth[name].to_numpy()[galaxy] for name in ("inclination_rad", "angle_rad"))
    along, across = radius * np.cos(azimuth), radius * np.sin(azimuth) * np.cos(tilt)
    x = along * np.cos(angle) - across * np.sin(angle) + pixels.center[galaxy, 0] + (size - 1) / 2
    y = along * np.sin(angle) + across * np.cos(angle) + pixels.center[galaxy, 1] + (size - 1) / 2
    table = pd.DataFrame({"galaxy": galaxy, "x": x, "y": y, "flux": flux, "snr": np.zeros(m)})
    inside = (np.minimum(x, y) > 4) & (np.maximum(x, y) < size - 5)
    return table[inside].reset_index(drop=True)
