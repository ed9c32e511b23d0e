"""Is that the cosmic web? Statistics of density slices, and how far two sets of them are apart.

Slices are densities in units of the mean density, shape (n, pixels, pixels), and periodic.
Wavenumbers are in h/Mpc. The range from 0.06 to 0.4 h/Mpc, in which Rodriguez et al. (2018) quote
their 1 to 2 %, is cut into eight bins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft

__all__ = ["EDGES", "HEIGHTS", "PowerRatio", "band_skewness", "bins", "correlation_gap",
           "histogram_gap", "log_power_correlation", "peak_counts", "power_ratio",
           "power_spectra"]  # fmt: skip

Floats = NDArray[np.float64]

EDGES: tuple[float, ...] = tuple(np.geomspace(0.06, 0.4, 9).round(5).tolist())
HEIGHTS = (2.0, 4.0, 8.0, 16.0)  # of peaks, in units of the mean density


def checked(where: str, slices: ArrayLike) -> NDArray[np.float32]:
    """The slices as float32, if that is what they are.

    Args:
        where: The function that was called.
        slices: Shape (n, pixels, pixels).

    Returns:
        The same.

    Raises:
        ValueError: If they are of another shape, odd, not finite, or negative.
    """
    found = np.asarray(slices, np.float32)
    if found.ndim != 3 or found.shape[1] != found.shape[2] or not found.size or found.shape[1] % 2:
        raise ValueError(
            f"{where}: received slices of shape {found.shape}, expected (n, pixels, pixels) with "
            "n of at least 1 and an even number of pixels. Drop the channel axis, if there is one."
        )
    if not np.isfinite(found).all() or found.min() < 0:
        raise ValueError(
            f"{where}: received NaN, infinite or negative densities, expected numbers of 0 or "
            "more, in units of the mean density. A generator's scores must be mapped back first."
        )
    return found


def bins(
    pixels: int, box_mpc_h: float, edges: ArrayLike = EDGES
) -> tuple[NDArray[np.intp], Floats, Floats]:
    """Which waves of a slice belong to which bin of wavenumber.

    Args:
        pixels: Along the side of a slice, even.
        box_mpc_h: Side in Mpc/h.
        edges: Of the bins in h/Mpc, rising.

    Returns:
        Three arrays: the bin of each wave in the layout of `rfft2`, -1 for none; its weight, 2
        where it stands for its mirror image too; and the mean wavenumber of each bin.

    Raises:
        ValueError: If the edges do not rise, reach beyond the Nyquist wavenumber, or hold a bin
            without waves.
    """
    limits = np.asarray(edges, float)
    nyquist = np.pi * pixels / box_mpc_h
    if limits.ndim != 1 or len(limits) < 2 or not np.all(np.diff(limits) > 0):
        raise ValueError(f"bins: received edges {limits}, expected two or more rising numbers.")
    if not 0 < limits[0] or not limits[-1] <= nyquist:
        raise ValueError(
            f"bins: received edges from {limits[0]:g} to {limits[-1]:g} h/Mpc, expected them above "
            f"0 and below the Nyquist wavenumber {nyquist:.3g} of {pixels} pixels in "
            f"{box_mpc_h:g} Mpc/h. Take a smaller box or more pixels."
        )
    one = np.fft.fftfreq(pixels) * pixels * 2 * np.pi / box_mpc_h
    k = np.hypot(one[:, None], np.abs(one[: pixels // 2 + 1]))
    which = np.digitize(k, limits) - 1
    which[which == len(limits) - 1] = -1
    weight = np.full(k.shape, 2.0)
    weight[:, [0, pixels // 2]] = 1
    count = np.bincount(which[which >= 0], weight[which >= 0], len(limits) - 1)
    if not count.all():
        raise ValueError(
            f"bins: received bins without a single wave, of edges {limits.round(3)}, expected them "
            f"wider than the step between waves, {2 * np.pi / box_mpc_h:.3g} h/Mpc."
        )
    mean_k = np.bincount(which[which >= 0], (k * weight)[which >= 0], len(limits) - 1) / count
    return which, weight, mean_k


def power_spectra(
    slices: ArrayLike, box_mpc_h: float, edges: ArrayLike = EDGES
) -> NDArray[np.float64]:
    """Power of each slice in each bin, (Mpc/h)^2.

    The contrast is taken to the mean of the universe, not of the slice, so that a slice through a
    cluster has more power than one through a void.

    Args:
        slices: Shape (n, pixels, pixels).
        box_mpc_h: Side in Mpc/h.
        edges: See `bins`.

    Returns:
        Shape (n, bins).

    Raises:
        ValueError: As `checked` and `bins` do.
    """
    density = checked("power_spectra", slices)
    n, pixels, _ = density.shape
    which, weight, _ = bins(pixels, box_mpc_h, edges)
    last = int(which.max()) + 1
    share = np.zeros((which.size, last), np.float32)
    inside = np.flatnonzero(which.ravel() >= 0)
    share[inside, which.ravel()[inside]] = weight.ravel()[inside]
    share /= share.sum(axis=0)
    found = np.empty((n, last))
    for start in range(0, n, 256):
        waves = fft.rfft2(density[start : start + 256])
        power = np.square(waves.real) + np.square(waves.imag)
        found[start : start + 256] = power.reshape(len(power), -1) @ share
    return found * (box_mpc_h / pixels**2) ** 2


@dataclass(frozen=True)
class PowerRatio:
    """Mean power of one set of slices over that of another, bin by bin.

    Args:
        ratio: Shape (bins,).
        error: Its standard error from both sets' scatter, the boxes taken as a whole.
    """

    ratio: Floats
    error: Floats

    @property
    def mean_deviation(self) -> float:
        """Mean distance of the ratio from 1 over the bins."""
        return float(np.abs(self.ratio - 1).mean())

    @property
    def max_deviation(self) -> float:
        """Largest distance of the ratio from 1 among the bins."""
        return float(np.abs(self.ratio - 1).max())


def power_ratio(
    spectra: ArrayLike,
    reference: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    reference_groups: ArrayLike | None = None,
) -> PowerRatio:
    """Compare mean powers, with the luck of either sample in the error.

    Slices of one box share its waves, so they are no independent draws: give their boxes as
    groups, and the scatter is taken between boxes.

    Args:
        spectra: From `power_spectra`, shape (n, bins).
        reference: The same of the slices to compare with.
        groups: Number of the box of each slice; None if all are independent.
        reference_groups: The same for the reference.

    Returns:
        Ratio and error.

    Raises:
        ValueError: If the shapes do not fit, or a set has fewer than two independent members.
    """
    top, top_error = _mean("spectra", spectra, groups)
    base, base_error = _mean("reference", reference, reference_groups)
    if top.shape != base.shape:
        raise ValueError(
            f"power_ratio: received {len(top)} and {len(base)} bins, expected the same edges."
        )
    ratio = top / base
    return PowerRatio(ratio, ratio * np.hypot(top_error / top, base_error / base))


def _mean(name: str, values: ArrayLike, groups: ArrayLike | None) -> tuple[Floats, Floats]:
    rows = np.asarray(values, float)
    which = np.arange(len(rows)) if groups is None else np.asarray(groups)
    if rows.ndim != 2 or which.shape != rows.shape[:1]:
        raise ValueError(
            f"power_ratio: received {name} of shape {rows.shape} with groups of shape "
            f"{which.shape}, expected (n, bins) and one group for each row."
        )
    _, number, count = np.unique(which, return_inverse=True, return_counts=True)
    if len(count) < 2:
        raise ValueError(
            f"power_ratio: received {name} from one box alone, expected two or more: one says "
            "nothing about how much luck there is."
        )
    means = np.zeros((len(count), rows.shape[1]))
    np.add.at(means, number, rows)
    means /= count[:, None]
    return rows.mean(axis=0), means.std(axis=0, ddof=1) / np.sqrt(len(count))


def histogram_gap(slices: ArrayLike, reference: ArrayLike) -> float:
    """Largest gap between the cumulative histograms of two sets of pixels (Kolmogorov-Smirnov).

    Args:
        slices: Shape (n, pixels, pixels).
        reference: Shape (m, pixels, pixels).

    Returns:
        From 0 (the same distribution) to 1 (no value in common).
    """
    ours = np.sort(checked("histogram_gap", slices), axis=None)
    theirs = np.sort(checked("histogram_gap", reference), axis=None)
    at = np.unique(np.quantile(np.concatenate([ours, theirs]), np.linspace(0, 1, 2001)))
    below = [np.searchsorted(one, at, side="right") / len(one) for one in (ours, theirs)]
    return float(np.abs(below[0] - below[1]).max())


def peak_counts(slices: ArrayLike, heights: ArrayLike = HEIGHTS) -> NDArray[np.float64]:
    """How many peaks each slice has: pixels above all eight around them, and above a height.

    Args:
        slices: Shape (n, pixels, pixels).
        heights: Of peaks, in units of the mean density.

    Returns:
        Shape (n, heights).
    """
    density = checked("peak_counts", slices)
    peak = np.ones(density.shape, bool)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            if down or right:
                peak &= density > np.roll(density, (down, right), axis=(1, 2))
    levels = np.atleast_1d(np.asarray(heights, float))
    return np.stack([(peak & (density > h)).sum(axis=(1, 2)) for h in levels], axis=1).astype(float)


def log_power_correlation(spectra: ArrayLike) -> NDArray[np.float64]:
    """How the log powers of different bins go together from slice to slice.

    In a Gaussian field the bins know nothing of each other. Where matter clumps, a cluster lifts
    all of them at once.

    Args:
        spectra: From `power_spectra`, shape (n, bins).

    Returns:
        Correlation matrix, shape (bins, bins).

    Raises:
        ValueError: If there are fewer than three slices, or a power is not positive.
    """
    rows = np.asarray(spectra, float)
    if rows.ndim != 2 or len(rows) < 3 or not np.all(rows > 0):
        raise ValueError(
            f"log_power_correlation: received shape {rows.shape}, expected (n, bins) of three or "
            "more slices with positive powers."
        )
    return np.atleast_2d(np.corrcoef(np.log(rows), rowvar=False))


def correlation_gap(spectra: ArrayLike, reference: ArrayLike) -> float:
    """Rms difference of the correlations between different bins.

    Args:
        spectra: From `power_spectra`, shape (n, bins).
        reference: Shape (m, bins).

    Returns:
        0 for the same correlations.
    """
    gap = log_power_correlation(spectra) - log_power_correlation(reference)
    return float(np.sqrt(np.mean(gap[np.triu_indices(len(gap), 1)] ** 2)))


def band_skewness(
    slices: ArrayLike, box_mpc_h: float, edges: ArrayLike = EDGES
) -> NDArray[np.float64]:
    """Skewness of the pixels when all waves but those of one bin are taken out.

    It is the mean bispectrum of nearly equilateral triangles, in units of the power to the
    three halves: 0 for a Gaussian field, above 0 where crests are sharper than troughs.

    Args:
        slices: Shape (n, pixels, pixels).
        box_mpc_h: Side in Mpc/h.
        edges: See `bins`.

    Returns:
        One number for each bin, over all slices.
    """
    density = checked("band_skewness", slices)
    which, _, _ = bins(density.shape[1], box_mpc_h, edges)
    second, third = np.zeros((2, int(which.max()) + 1))
    for start in range(0, len(density), 256):
        waves = fft.rfft2(density[start : start + 256])
        for band in range(len(second)):
            kept = fft.irfft2(np.where(which == band, waves, 0), s=density.shape[1:])
            second[band] += np.sum(kept**2, dtype=float)
            third[band] += np.sum(kept**3, dtype=float)
    return np.asarray(third / density.size / (second / density.size) ** 1.5)


def summary(values: Any) -> str:
    """Numbers of a statistic in one line, for alt texts."""
    return ", ".join(f"{value:.2f}" for value in np.ravel(values))
