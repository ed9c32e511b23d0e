"""A cosmic web without learning: a Gaussian field with the right spectrum and histogram.

A field with Gaussian pixels is drawn, and each pixel is mapped to the density of the same rank.
The map changes the spectrum in a way that is known exactly: if two pixels have the correlation r
before, they have the covariance sum_n c_n^2 r^n after, with the map's coefficients c_n in Hermite
polynomials (Mehler's formula). So the spectrum *before* is chosen such that the one *after* is
that of the data. What remains to chance is all that spectrum and histogram leave open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft
from scipy.special import ndtr

from firstlight.evaluation.web_statistics import checked

__all__ = ["LIMIT", "SCORES", "MappedField", "fit", "smooth_power"]

Floats = NDArray[np.float64]

LIMIT = 4.8  # scores beyond are cut off: fewer than one pixel in a million has one
SCORES = np.linspace(-LIMIT, LIMIT, 193)
_ORDERS = 24


@dataclass(frozen=True)
class MappedField:
    """A Gaussian field and the map from its pixels to densities.

    Args:
        log_density: Logarithm of the density at each of `SCORES`, rising.
        power: Mean square of each wave of the Gaussian field, in the layout of `fft2` and such
            that pixels have variance 1, shape (pixels, pixels).
    """

    log_density: Floats
    power: Floats

    @property
    def pixels(self) -> int:
        """Along a side."""
        return len(self.power)

    def scores(self, slices: ArrayLike) -> NDArray[np.float32]:
        """The Gaussian pixels that would be mapped to given densities, shape (n, p, p)."""
        density = checked("MappedField.scores", slices)
        low = np.exp(self.log_density[0])
        return np.interp(
            np.log(np.maximum(density, low)), self.log_density, SCORES
        ).astype(np.float32)  # fmt: skip

    def density(self, scores: ArrayLike) -> NDArray[np.float32]:
        """Densities of Gaussian pixels, any shape; scores beyond `LIMIT` count as `LIMIT`."""
        return np.exp(np.interp(np.asarray(scores), SCORES, self.log_density)).astype(np.float32)

    def sample(self, n: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Gaussian fields before the map, shape (n, pixels, pixels).

        Args:
            n: How many.
            rng: Where the randomness comes from.
        """
        noise = rng.standard_normal((n, self.pixels, self.pixels), dtype=np.float32)
        half = np.sqrt(self.power[:, : self.pixels // 2 + 1])
        waves = fft.rfft2(noise) * half.astype(np.float32)
        return np.asarray(fft.irfft2(waves, s=noise.shape[1:]), np.float32)

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Mapped fields: densities, shape (n, pixels, pixels)."""
        return self.density(self.sample(n, rng))


def fit(slices: ArrayLike, rounds: int = 60) -> MappedField:
    """Learn the histogram and the spectrum of slices.

    Args:
        slices: Densities in units of the mean, shape (n, pixels, pixels).
        rounds: Of mending the spectrum where no Gaussian field has exactly the one wanted.

    Returns:
        The mapped field.

    Raises:
        ValueError: If the slices are odd, empty, negative or not finite, or all pixels are alike.
    """
    density = checked("fit", slices)
    if np.ptp(density) == 0:
        raise ValueError("fit: received slices without any contrast, expected some structure.")
    log_density = _quantiles(density)
    covariance = _mehler(log_density)
    wanted = smooth_power(density)
    # Covariance between pixels after the map, from the spectrum; then pixel by pixel backward.
    after = fft.ifft2(wanted).real
    r = np.linspace(-1, 1, 4001)
    before = np.interp(after * (covariance(1.0) / after[0, 0]), covariance(r), r)
    power = np.maximum(fft.fft2(before).real, 0)
    for _ in range(rounds):
        power *= power.size / power.sum()
        got = fft.fft2(covariance(np.clip(fft.ifft2(power).real, -1, 1))).real
        mend = np.clip(wanted / np.maximum(got, 1e-9 * wanted.max()), 0.5, 2) ** 0.7
        power = np.maximum(power, 1e-7 * power.max()) * mend
    return MappedField(log_density, power * power.size / power.sum())


def smooth_power(density: NDArray[np.float32]) -> Floats:
    """Mean square of each wave, the same in all directions, shape (pixels, pixels).

    Shells of one step in wavenumber are averaged, and read in between by straight lines of the
    logarithm.
    """
    n, pixels, _ = density.shape
    total = np.zeros((pixels, pixels))
    for start in range(0, n, 256):
        waves = fft.fft2(density[start : start + 256])
        total += (np.square(waves.real) + np.square(waves.imag)).sum(axis=0, dtype=float)
    total /= n * pixels**2
    one = np.fft.fftfreq(pixels) * pixels
    k = np.hypot(one[:, None], one)
    shell = np.rint(k).astype(int)
    count = np.bincount(shell.ravel())
    mean = np.bincount(shell.ravel(), total.ravel()) / count
    at = np.bincount(shell.ravel(), k.ravel()) / count
    power = np.exp(np.interp(k, at[1:], np.log(np.maximum(mean[1:], 1e-12 * mean[1:].max()))))
    power[0, 0] = np.mean((density.mean(axis=(1, 2), dtype=float) - density.mean(dtype=float)) ** 2)
    power[0, 0] *= pixels**2
    return power


def _quantiles(density: NDArray[np.float32]) -> Floats:
    """Log density at each of `SCORES`, straight on where there are no pixels left."""
    ranked = np.sort(density, axis=None)
    place = ndtr(SCORES) * len(ranked) - 0.5
    inside = (place >= 0) & (place <= len(ranked) - 1)
    values = np.log(np.maximum(np.interp(place[inside], np.arange(len(ranked)), ranked), 1e-4))
    scores = SCORES[inside]
    slope = [max((values[i + 8] - values[i]) / (scores[i + 8] - scores[i]), 0.05) for i in (0, -9)]
    found = np.interp(SCORES, scores, values)
    found = np.where(SCORES < scores[0], values[0] + slope[0] * (SCORES - scores[0]), found)
    found = np.where(SCORES > scores[-1], values[-1] + slope[1] * (SCORES - scores[-1]), found)
    return np.maximum.accumulate(found) + 1e-6 * np.arange(len(found))


def _mehler(log_density: Floats):  # type: ignore[no-untyped-def]
    """Covariance of two densities as a function of the correlation of their scores."""
    from numpy.polynomial.hermite_e import hermeval

    at = np.linspace(-7, 7, 5601)
    weight = np.exp(-(at**2) / 2) * (at[1] - at[0]) / np.sqrt(2 * np.pi)
    values = np.exp(np.interp(at, SCORES, log_density))
    squares, factorial = [0.0], 1.0
    for order in range(1, _ORDERS + 1):
        factorial *= order
        unit = np.zeros(order + 1)
        unit[order] = 1
        squares.append(float(np.sum(weight * values * hermeval(at, unit))) ** 2 / factorial)
    return np.polynomial.Polynomial(squares)
