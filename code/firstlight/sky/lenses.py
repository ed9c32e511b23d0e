"""Strong gravitational lenses and what is mistaken for them, every parameter kept as truth.

After Lanusse et al. (2018): stamps of single exposures of an LSST-like survey, half of them
lenses (an elliptical isothermal galaxy with external shear that bends the light of a clumpy
blue galaxy behind it). Their mocks come from LensPop (Collett 2015), whose definition of the
signal-to-noise ratio of the lensed source is used here, and PICS. Non-lenses are "plain" (the
same galaxies, alone or with an unlensed galaxy in the field) or "hard" (spirals, rings,
mergers and chance alignments).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from . import checks, galaxies, lens_checks, lens_impostors, lens_light, lens_population
from .lens_population import LSST, PLAIN, Scene
from .render import Grid, point_spread
from .surveys import BANDS

__all__ = ["BLOCK", "GOLD", "IMPOSTORS", "Lenses", "Light", "render", "signal_to_noise", "simulate"]

BLOCK = 256
GOLD = (1.4, 20.0)  # Einstein radius (arcsec) and S/N above which the paper quotes its result
_HARD = dict(zip(lens_impostors.HARD, lens_impostors.HARD_SHARES, strict=True))
IMPOSTORS: dict[str, dict[str, float]] = {
    "plain": {name: 0.5 for name in PLAIN},
    "hard": _HARD,
    "mixed": {name: 0.25 for name in PLAIN} | {name: 0.5 * s for name, s in _HARD.items()},
}


class Light(NamedTuple):
    """Noise-free stamps, in units of the sky noise, `(n, size, size, bands)`.

    Args:
        background: The galaxy in the middle and its field.
        feature: The lensed source, or whatever imitates it.
        flux_g: Flux of the feature in g, units of the sky noise, `(n,)`.
        magnification: Of the source; 1 for what is not lensed, `(n,)`.
    """

    background: np.ndarray
    feature: np.ndarray
    flux_g: np.ndarray
    magnification: np.ndarray


@dataclass(frozen=True)
class Lenses:
    """Simulated stamps and their truth.

    Args:
        images: `(n, size, size, bands)` float32, in units of the empty sky's standard
            deviation per pixel, sky subtracted.
        truth: One row a stamp: `kind`, `label`, `einstein_radius_arcsec`, `snr` and all else.
        parts: The blobs, knots and arcs besides the lens galaxy; `owner` is the row in `truth`.
        bands: The bands, in the order of the images' last axis.
    """

    images: np.ndarray
    truth: pd.DataFrame
    parts: pd.DataFrame
    bands: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.images)

    @property
    def labels(self) -> np.ndarray:
        """1 for a lens, 0 for none, `(n,)` int8."""
        return self.truth["label"].to_numpy()

    @property
    def kind(self) -> np.ndarray:
        """`lens`, or the name of the non-lens, `(n,)`."""
        return self.truth["kind"].to_numpy(str)

    @property
    def einstein_radius_arcsec(self) -> np.ndarray:
        """Of a lens; of a non-lens, what that galaxy's would be."""
        return self.truth["einstein_radius_arcsec"].to_numpy()

    @property
    def snr(self) -> np.ndarray:
        """S/N in g of the lensed source or of what imitates it; 0 where there is nothing."""
        return self.truth["snr"].to_numpy()

    @property
    def gold(self) -> np.ndarray:
        """Lenses with an Einstein radius above 1.4 arcsec and an S/N above 20."""
        radius, snr = GOLD
        return (self.labels == 1) & (self.einstein_radius_arcsec > radius) & (self.snr > snr)


def simulate(
    n: int,
    *,
    seed: int,
    bands: tuple[str, ...] = ("g",),
    lens_fraction: float = 0.5,
    impostors: str = "plain",
    einstein_radius_arcsec: tuple[float, float] = (0.5, 2.5),
    snr: tuple[float, float] = (6.0, 100.0),
    size: int = 48,
    pixel_arcsec: float = 0.2,
    seeing_arcsec: tuple[float, float, float] = LSST.seeing_arcsec,
    seeing_scatter: float = LSST.seeing_scatter,
    workers: int = 1,
) -> Lenses:
    """Simulates n stamps, each with a massive elliptical galaxy in its middle.

    Args:
        n: How many, at least 1.
        seed: Same seed, same stamps; the first k of n are the same for any n.
        bands: Of "g", "r", "i", in any order.
        lens_fraction: Probability that a stamp is a lens.
        impostors: Non-lenses: "plain", "hard", or "mixed" (half and half).
        einstein_radius_arcsec: Range; uniform within.
        snr: Range of the S/N in g of the lensed source (or impostor); log-uniform within.
        size: Pixels on a side, even, from 32 to 128.
        pixel_arcsec: Side of a pixel.
        seeing_arcsec: Median full width at half maximum in g, r and i.
        seeing_scatter: Standard deviation of ln(seeing) from night to night.
        workers: Processes that draw side by side.

    Returns:
        `Lenses` of n stamps.

    Raises:
        ValueError: For an empty batch, an unknown band or kind, a radius or S/N that is
            negative or NaN, or a seeing smaller than a pixel.

    Example:
        >>> lenses = simulate(4, seed=1, bands=("g", "r", "i"))
        >>> lenses.images.shape, lenses.labels.shape
        ((4, 48, 48, 3), (4,))
    """
    checks.whole("simulate", "n", n, 1, 100_000_000)
    checks.whole("simulate", "seed", seed, 0, 2**63)
    checks.whole("simulate", "workers", workers, 1, 1024)
    lens_checks.stamp("simulate", size, pixel_arcsec, bands)
    lens_checks.prior(lens_fraction, impostors, IMPOSTORS, einstein_radius_arcsec, snr)
    lens_checks.seeing("simulate", seeing_arcsec, seeing_scatter, pixel_arcsec)
    prior = {
        "lens_fraction": lens_fraction, "kinds": tuple(IMPOSTORS[impostors]),
        "shares": tuple(IMPOSTORS[impostors].values()), "snr": snr,
        "einstein_radius_arcsec": einstein_radius_arcsec, "seeing_arcsec": seeing_arcsec,
        "seeing_scatter": seeing_scatter, "side_arcsec": size * pixel_arcsec,
    }  # fmt: skip
    jobs = [
        (seed, block, tuple(bands), prior, size, pixel_arcsec) for block in range(-(-n // BLOCK))
    ]
    if workers == 1:
        blocks = (_block(*job) for job in jobs)
    else:
        from joblib import Parallel, delayed  # fresh processes: forking TensorFlow can hang

        blocks = Parallel(n_jobs=workers, return_as="generator")(
            delayed(_block)(*job) for job in jobs
        )
    images = np.empty((n, size, size, len(bands)), np.float32)
    truths, owned = [], []
    for start, block in zip(range(0, n, BLOCK), blocks, strict=True):
        images[start : start + BLOCK] = block.images[: n - start]
        truths.append(block.truth)
        owned.append(block.parts.assign(owner=block.parts["owner"] + start))
    truth = pd.concat(truths, ignore_index=True)[:n]
    parts = pd.concat(owned, ignore_index=True)
    return Lenses(images, truth, parts[parts["owner"] < n], tuple(bands))


def _block(
    seed: int, block: int, bands: tuple[str, ...], prior: dict[str, object], size: int, pixel: float
) -> Lenses:
    rng = np.random.default_rng([seed, block])
    scene = lens_population.draw(BLOCK, rng, **prior)  # type: ignore[arg-type]
    light = render(scene, bands=bands, size=size, pixel_arcsec=pixel)
    sigma = LSST.sky_sigma(np.array([pixel]))[0]
    used = np.broadcast_to(sigma[[BANDS.index(band) for band in bands]], (BLOCK, len(bands)))
    noisy = galaxies.observe(light.background + light.feature, used, rng)
    with np.errstate(divide="ignore"):
        feature = LSST.zero_point_mag[0] - 2.5 * np.log10(light.flux_g * sigma[0])
    truth = scene.truth.assign(
        feature_g_mag=np.where(light.flux_g > 0, feature, 99.0), magnification=light.magnification
    )
    return Lenses(noisy, truth, scene.parts, bands)


def render(
    scene: Scene, *, bands: tuple[str, ...] = ("g",), size: int = 48, pixel_arcsec: float = 0.2
) -> Light:
    """Noise-free stamps of a scene, all of them at once.

    Args:
        scene: As `lens_population.draw` gives it; change a column to ask "what if".
        bands: Of "g", "r", "i", in any order.
        size: Pixels on a side.
        pixel_arcsec: Side of a pixel.

    Returns:
        Background and feature apart, so that each can be looked at.

    Raises:
        ValueError: If a number is NaN, a length not positive, or the seeing below a pixel.
    """
    lens_checks.stamp("render", size, pixel_arcsec, bands)
    lens_checks.scene("render", scene, pixel_arcsec)
    truth, parts = scene
    grid = Grid(size)
    sigma = LSST.sky_sigma(np.array([pixel_arcsec]))[0].astype(np.float32)
    lens = lens_light.lens_transforms(grid, truth, pixel_arcsec)
    is_neighbor = parts["role"].to_numpy() == "neighbor"
    around = parts[is_neighbor]
    neighbors = lens_light.neighbor_transforms(
        grid, around, len(truth), pixel_arcsec, _electrons(around, "g_mag", "g_r", "r_i") / sigma
    )
    feature, magnified = lens_light.feature_transforms(
        grid, truth, parts[~is_neighbor], pixel_arcsec
    )
    own = _electrons(
        truth.assign(g=truth["lens_r_mag"] + truth["lens_g_r"]), "g", "lens_g_r", "lens_r_i"
    ) / sigma  # fmt: skip
    ratio = _electrons(truth.assign(g=0.0), "g", "feature_g_r", "feature_r_i")
    ratio = ratio / ratio[:, :1] * sigma[0] / sigma
    behind, ahead = {}, {}
    for band in dict.fromkeys(("g", *bands)):
        b = BANDS.index(band)
        psf = point_spread(grid, truth[f"seeing_{band}_arcsec"].to_numpy() / pixel_arcsec)
        behind[band] = grid.images((lens * own[:, b, None, None] + neighbors[:, b]) * psf)
        ahead[band] = grid.images(feature * psf) * ratio[:, b, None, None].astype(np.float32)
    flux = _flux_for(truth["snr"].to_numpy(), ahead["g"], behind["g"], sigma[0])
    shape = flux.astype(np.float32)[:, None, None, None]
    return Light(
        np.stack([behind[band] for band in bands], axis=-1).astype(np.float32),
        np.stack([ahead[band] for band in bands], axis=-1).astype(np.float32) * shape,
        flux,
        magnified,
    )


def _electrons(table: pd.DataFrame, g: str, g_r: str, r_i: str) -> np.ndarray:
    """Electrons in g, r, i from a magnitude and two colors, `(n, 3)`."""
    in_g = table[g].to_numpy() if len(table) else np.zeros(0)
    in_r = in_g - table[g_r].to_numpy()
    magnitudes = np.stack([in_g, in_r, in_r - table[r_i].to_numpy()], axis=1)
    return LSST.electrons(magnitudes).astype(np.float32)


def signal_to_noise(feature: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """S/N of an extended source, as LensPop computes it (Collett 2015).

    Pixels are taken from the most significant down; of all these growing sets, the one whose
    summed light stands highest above the noise of the sum counts.

    Args:
        feature: Noise-free light of the source alone, `(n, size, size)`.
        variance: Noise variance of each pixel from everything in the image, same shape and unit.

    Returns:
        The ratio, `(n,)`.

    Example:
        >>> float(signal_to_noise(np.full((1, 3, 3), 2.0), np.ones((1, 3, 3)))[0])
        6.0
    """
    light = np.maximum(feature.reshape(len(feature), -1), 0)
    noise = variance.reshape(len(feature), -1)
    order = np.argsort(-light / np.sqrt(noise), axis=1)
    signal = np.cumsum(np.take_along_axis(light, order, 1), axis=1, dtype=float)
    total = np.cumsum(np.take_along_axis(noise, order, 1), axis=1, dtype=float)
    return np.asarray((signal / np.sqrt(total)).max(axis=1))


def _flux_for(snr: np.ndarray, unit: np.ndarray, behind: np.ndarray, sigma: float) -> np.ndarray:
    """The flux at which a source of shape `unit` has the wanted S/N, `(n,)`.

    For a given set of pixels, S/N = f A / sqrt(V + f A / sigma) is a quadratic in f. The set
    of the largest S/N needs the smallest f. Its order is improved once, with the source's own
    noise.
    """
    light = np.maximum(unit.reshape(len(unit), -1), 0).astype(float)
    noise = 1 + np.maximum(behind.reshape(len(unit), -1), 0) / sigma
    wanted = snr[:, None]
    flux = np.zeros((len(snr), 1))
    for _ in range(2):
        rank = -light / np.sqrt(noise + flux * light / sigma)
        order = np.argsort(rank.astype(np.float32), axis=1)
        a = np.maximum(np.cumsum(np.take_along_axis(light, order, 1), axis=1), 1e-12)
        v = np.cumsum(np.take_along_axis(noise, order, 1), axis=1)
        shot = wanted**2 / (a * sigma)
        flux = (0.5 * (shot + np.sqrt(shot**2 + 4 * wanted**2 * v / a**2))).min(axis=1)[:, None]
    return np.where(light.any(axis=1), flux[:, 0], 0.0)
