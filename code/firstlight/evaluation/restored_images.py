"""How good is a restored galaxy? Pixels, photometry, shapes, scales, and what was invented."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import gaussian_filter, maximum_filter

from firstlight.evaluation.deconvolution import radial_bins
from firstlight.sky.degradation import SHARP_FWHM, check_images

__all__ = ["Invented", "feature_test", "knot_map", "psnr", "residual_power", "shapes", "ssim"]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
CORE = 5.0  # pixels around the middle that belong to the bulge, not to a knot
NEAR = 2  # pixels within which a feature counts as the same
_WEIGHT_SIGMA = 0.16  # of the Gaussian under which shapes are measured, sides


def psnr(truth: Floats, restored: Floats) -> Doubles:
    """Peak signal over root-mean-square error, in decibels: 20 log10(peak / rms).

    Args:
        truth: Shape (n, size, size).
        restored: The same shape.

    Returns:
        One number an image. The peak is the true image's own, so numbers of other papers, whose
        peak is that of their format, are not to be compared.

    Raises:
        ValueError: If the shapes differ or a value is not finite.

    Example:
        >>> truth = np.ones((1, 4, 4)); float(psnr(truth, truth - 0.1)[0].round(3))
        20.0
    """
    truth, restored = _pair("psnr", truth, restored)
    rms = np.sqrt(np.mean((restored - truth) ** 2, axis=(1, 2)))
    return np.asarray(20 * np.log10(truth.max(axis=(1, 2)) / np.maximum(rms, 1e-12)))


def ssim(truth: Floats, restored: Floats) -> Doubles:
    """Structural similarity (Wang et al. 2004, by scikit-image), with each image's own peak.

    Args:
        truth: Shape (n, size, size).
        restored: The same shape.

    Returns:
        One number an image, 1 if they are the same.

    Raises:
        ValueError: If the shapes differ or a value is not finite.
    """
    from skimage.metrics import structural_similarity

    truth, restored = _pair("ssim", truth, restored)
    return np.array([structural_similarity(a, b, data_range=float(a.max()))
                     for a, b in zip(truth, restored, strict=True)])  # fmt: skip


def shapes(images: Floats) -> pd.DataFrame:
    """Light, size and ellipticity under a fixed round Gaussian weight.

    Args:
        images: Shape (n, size, size).

    Returns:
        Columns `flux` (all of the light), `radius` (root of the weighted mean square radius,
        pixels), `e1` and `e2`, one row an image. The weight makes numbers of true and restored
        images comparable; it makes neither of them that of the galaxy's isophotes.

    Raises:
        ValueError: For bad images.
    """
    images = check_images("shapes", images)
    size = images.shape[1]
    axis = np.arange(size) - (size - 1) / 2
    x, y = axis[None, None, :], axis[None, :, None]
    light = images * np.exp(-0.5 * (x**2 + y**2) / (_WEIGHT_SIGMA * size) ** 2)
    total = np.maximum(light.sum(axis=(1, 2)), 1e-6)
    mx, my = ((light * c).sum(axis=(1, 2)) / total for c in (x, y))
    dx, dy = x - mx[:, None, None], y - my[:, None, None]
    xx, yy, xy = ((light * c).sum(axis=(1, 2)) / total for c in (dx**2, dy**2, dx * dy))
    trace = np.maximum(xx + yy, 1e-6)
    return pd.DataFrame({"flux": images.sum(axis=(1, 2), dtype=float), "radius": np.sqrt(trace),
                         "e1": (xx - yy) / trace, "e2": 2 * xy / trace})  # fmt: skip


def residual_power(truth: Floats, restored: Floats) -> tuple[Doubles, Doubles]:
    """On which scales the restored images err: power of the residual over power of the truth.

    Args:
        truth: Shape (n, size, size).
        restored: The same shape.

    Returns:
        Wavenumbers in cycles a pixel, and the ratio in each ring, summed over all images. One
        means that nothing is known at that scale, or that zeros would have done as well.

    Raises:
        ValueError: If the shapes differ or a value is not finite.
    """
    truth, restored = _pair("residual_power", truth, restored)
    ring, k = radial_bins(truth.shape[1])
    parts = [np.bincount(ring.ravel(), (np.abs(fft.rfft2(x)) ** 2).sum(axis=0).ravel())
             for x in (restored - truth, truth)]  # fmt: skip
    return k, parts[0] / np.maximum(parts[1], 1e-30)


def knot_map(images: Floats) -> Floats:
    """At every pixel, the flux of a knot that would explain the local excess of light.

    The difference of two Gaussians, scaled so that a star of unit flux on an empty sky gives one.

    Args:
        images: Shape (n, size, size).

    Returns:
        The same shape.

    Raises:
        ValueError: For bad images.
    """
    images = check_images("knot_map", images)
    star = SHARP_FWHM / 2.355  # of a Gaussian of the sharp picture's width; variances add
    narrow, wide = 1.0, 3.0
    peak = sum(sign / (2 * np.pi * (star**2 + s**2)) for sign, s in ((1, narrow), (-1, wide)))
    gap = gaussian_filter(images, (0, narrow, narrow)) - gaussian_filter(images, (0, wide, wide))
    return (gap / np.float32(peak)).astype(np.float32)


class Invented(NamedTuple):
    """Features found and invented by a method.

    Attributes:
        found: One for each planted knot that is bright enough: is it in the restored image?
        knot_snr: Its signal over noise in the blurred image.
        false: Features of each restored image that are not in the true one, shape (n,).
        real: Features of each restored image that are.
    """

    found: NDArray[np.bool_]
    knot_snr: Doubles
    false: NDArray[np.int64]
    real: NDArray[np.int64]


def feature_test(
    truth: Floats, restored: Floats, knots: pd.DataFrame, share: float = 0.01
) -> Invented:
    """The hallucination test: which knots were found, and which knots were never there.

    A *feature* is a peak of `knot_map` that claims at least `share` of its galaxy's light, away
    from the middle. A planted knot is found if the restored map reaches half of its true flux
    nearby. A feature of the restored image is false if the true map nearby has less than half
    of what it claims.

    Args:
        truth: Sharp images, shape (n, size, size).
        restored: What a method makes of the blurred ones.
        knots: As `sky.degradation.Scenes.knots`.
        share: Least share of the light; fainter planted knots are not asked for.

    Returns:
        An `Invented`.

    Raises:
        ValueError: If the shapes differ, a value is not finite, or the share is not in 0 to 1.
    """
    truth, restored = _pair("feature_test", truth, restored)
    if not 0 < share < 1:
        raise ValueError(f"share: received {share}, expected a share of the light, 0 to 1.")
    n, size = truth.shape[:2]
    nearby = (1, 2 * NEAR + 1, 2 * NEAR + 1)
    true_map, map_ = knot_map(truth), knot_map(restored)
    true_near, near = maximum_filter(true_map, nearby), maximum_filter(map_, nearby)
    least = share * truth.sum(axis=(1, 2))[:, None, None]
    axis = np.arange(size) - (size - 1) / 2
    outside = np.hypot(axis[None], axis[:, None]) > CORE
    feature = (map_ == near) & (map_ > least) & outside
    invented = feature & (true_near < 0.5 * map_)
    galaxy = knots["galaxy"].to_numpy(dtype=int)
    x, y = (np.rint(knots[c].to_numpy()).astype(int) for c in ("x", "y"))
    flux = knots["flux"].to_numpy()
    asked = (flux > least[galaxy, 0, 0]) & outside[y, x]
    found = (near[galaxy, y, x] > 0.5 * flux)[asked]
    return Invented(found, knots["snr"].to_numpy()[asked], invented.sum(axis=(1, 2)),
                    (feature & ~invented).sum(axis=(1, 2)))  # fmt: skip


def _pair(where: str, truth: Floats, restored: Floats) -> tuple[Floats, Floats]:
    truth, restored = check_images(where, truth), check_images(where, restored)
    if truth.shape != restored.shape:
        raise ValueError(
            f"{where}: received shapes {truth.shape} and {restored.shape}, expected the same "
            "galaxies in the same order, true and restored."
        )
    return truth, restored
