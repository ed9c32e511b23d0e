"""Deconvolution without a network: Richardson-Lucy, Wiener and total variation, in batches.

All three are told the kernel and the noise, which is one sigma a pixel. A star outside the image
is not known to any of them: beyond the edge the sky is dark.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from firstlight.sky.degradation import check_images

__all__ = ["chambolle", "mean_power", "radial_bins", "richardson_lucy", "total_variation", "wiener"]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


class _Blur:
    """Convolution with a kernel and its transpose, on a grid large enough not to wrap around."""

    def __init__(self, size: int, kernel: Doubles) -> None:
        self.size, self.reach = size, kernel.shape[0] // 2
        self.padded = fft.next_fast_len(size + 2 * self.reach, real=True)
        self.transfer = fft.rfft2(kernel.astype(np.float32), s=(self.padded, self.padded))
        # The kernel stands in the corner of its array: bring its middle to the origin.
        k = 2j * np.pi * self.reach
        shift = (
            np.exp(k * fft.rfftfreq(self.padded))[None]
            * np.exp(k * fft.fftfreq(self.padded))[:, None]
        )
        self.transfer = (self.transfer * shift).astype(np.complex64)

    def __call__(self, images: Floats, transpose: bool = False) -> Floats:
        transfer = np.conj(self.transfer) if transpose else self.transfer
        full = fft.irfft2(
            fft.rfft2(images, s=(self.padded, self.padded)) * transfer,
            s=(self.padded, self.padded),
        )
        return full[:, : self.size, : self.size].astype(np.float32)


def richardson_lucy(
    images: Floats, kernel: Doubles, iterations: int = 20, background: float = 1.0
) -> Floats:
    """Richardson-Lucy deconvolution with a known background.

    Each step multiplies the guess by the blurred ratio of data to model (Richardson 1972; Lucy
    1974). It converges toward the most likely non-negative image under Poisson noise; stopped
    early, it stays smooth.

    Args:
        images: In sigma of the noise, shape (n, size, size).
        kernel: Of unit sum.
        iterations: Steps: the one knob, to be tuned.
        background: Added to data and model alike. At 1 a Poisson variable of this mean has the
            noise that the empty sky has (Snyder et al. 1993).

    Returns:
        Non-negative images of the same shape.

    Raises:
        ValueError: For bad images or kernel, no iterations, or a negative background.
    """
    images = check_images("richardson_lucy", images, kernel)
    if iterations < 1 or not background >= 0:
        raise ValueError(
            f"richardson_lucy: received iterations={iterations}, background={background}; expected "
            "1 step or more and a background of 0 or more."
        )
    blur = _Blur(images.shape[1], kernel)
    data = np.maximum(images + np.float32(background), 0)
    kept = np.maximum(blur(np.ones_like(images[:1]), transpose=True), 1e-3)
    guess = np.full_like(images, 1.0) * np.maximum(images.mean(axis=(1, 2), keepdims=True), 0.01)
    for _ in range(iterations):
        model = np.maximum(blur(guess) + np.float32(background), 1e-6)
        guess = guess * np.maximum(blur(data / model, transpose=True), 0) / kept
    return guess


def radial_bins(size: int) -> tuple[NDArray[np.intp], Doubles]:
    """Which ring of wavenumbers each mode of `scipy.fft.rfft2` belongs to.

    Args:
        size: Pixels on a side, even.

    Returns:
        Ring numbers, shape (size, size // 2 + 1), and each ring's wavenumber in cycles a pixel;
        ring i holds modes of i - 1/2 to i + 1/2 cycles a side. The corners beyond the Nyquist
        wavenumber share the last ring.
    """
    k = np.hypot(fft.fftfreq(size)[:, None], fft.rfftfreq(size)[None])
    ring = np.minimum(np.rint(k * size).astype(int), size // 2)
    return ring, np.arange(size // 2 + 1) / size


def mean_power(images: Floats) -> Doubles:
    """Mean power spectrum of images of unit flux: what a Wiener filter must know of galaxies.

    Args:
        images: Sharp ones, shape (n, size, size).

    Returns:
        Shape (size // 2 + 1,): mean |transform|^2 by ring of `radial_bins`, over flux squared.
    """
    images = check_images("mean_power", images)
    flux = images.sum(axis=(1, 2), keepdims=True)
    power = np.mean(np.abs(fft.rfft2(images / flux)) ** 2, axis=0, dtype=float)
    ring, _ = radial_bins(images.shape[1])
    return np.bincount(ring.ravel(), power.ravel()) / np.bincount(ring.ravel())


def wiener(images: Floats, kernel: Doubles, power: Doubles, damping: float = 1.0) -> Floats:
    """The linear filter of least expected squared error, for galaxies of a known mean spectrum.

    Args:
        images: In sigma of the noise, shape (n, size, size).
        kernel: Of unit sum.
        power: From `mean_power`, of other galaxies.
        damping: Factor on the noise power: 1 if spectrum and noise are as stated; to be tuned.

    Returns:
        Images of the same shape; they may be negative.

    Raises:
        ValueError: For bad images or kernel, a spectrum of another size, or no damping.
    """
    images = check_images("wiener", images, kernel)
    size = images.shape[1]
    if len(power) != size // 2 + 1 or not damping > 0:
        raise ValueError(
            f"wiener: received a spectrum of {len(power)} rings and damping={damping}, expected "
            f"{size // 2 + 1} rings for images of {size} pixels, and a positive factor."
        )
    reach = kernel.shape[0] // 2
    field = np.zeros((size, size))
    rows = np.arange(-reach, reach + 1) % size
    np.add.at(field, (rows[:, None], rows[None]), kernel)
    transfer = fft.rfft2(field)
    ring, _ = radial_bins(size)
    flux = np.maximum(images.sum(axis=(1, 2), dtype=float), 10.0)[:, None, None]
    signal = flux**2 * power[ring]
    gain = np.conj(transfer) * signal / (np.abs(transfer) ** 2 * signal + damping * size**2)
    return fft.irfft2(fft.rfft2(images) * gain, s=(size, size)).astype(np.float32)


def _gradient(x: Floats) -> Floats:
    out = np.zeros((2, *x.shape), x.dtype)
    out[0, :, :-1] = x[:, 1:] - x[:, :-1]
    out[1, :, :, :-1] = x[:, :, 1:] - x[:, :, :-1]
    return out


def _divergence(p: Floats) -> Floats:
    out = np.zeros(p.shape[1:], p.dtype)
    out[:, :-1] += p[0, :, :-1]
    out[:, 1:] -= p[0, :, :-1]
    out[:, :, :-1] += p[1, :, :, :-1]
    out[:, :, 1:] -= p[1, :, :, :-1]
    return out


def chambolle(
    images: Floats, weight: float, iterations: int = 50, dual: Floats | None = None
) -> tuple[Floats, Floats]:
    """Minimizes |x - image|^2 / 2 + weight TV(x), the sum of gradient lengths (Chambolle 2004).

    Args:
        images: Shape (n, size, size).
        weight: Of the total variation, in the units of the images.
        iterations: Of the dual ascent.
        dual: Where an earlier call ended; None starts from zero.

    Returns:
        The smoothed images, and the dual variable, shape (2, n, size, size).
    """
    dual = np.zeros((2, *images.shape), images.dtype) if dual is None else dual
    for _ in range(iterations):
        ascent = _gradient(_divergence(dual) + images / np.float32(weight))
        dual = (dual + 0.249 * ascent) / (1 + 0.249 * np.sqrt((ascent**2).sum(axis=0)))
    return images + np.float32(weight) * _divergence(dual), dual


def total_variation(
    images: Floats, kernel: Doubles, weight: float = 1.0, iterations: int = 60
) -> Floats:
    """Deconvolution that prefers flat surfaces with edges: least squares plus total variation.

    By accelerated proximal steps (Beck & Teboulle 2009): a step along the gradient of the misfit,
    then `chambolle`, which begins where it ended the last time; negative light is cut off.

    Args:
        images: In sigma of the noise, shape (n, size, size).
        kernel: Of unit sum.
        weight: Of the total variation, in sigma: the one knob, to be tuned.
        iterations: Steps.

    Returns:
        Non-negative images of the same shape.

    Raises:
        ValueError: For bad images or kernel, or a weight or number of steps that is not positive.
    """
    images = check_images("total_variation", images, kernel)
    if not weight > 0 or iterations < 1:
        raise ValueError(
            f"total_variation: received weight={weight}, iterations={iterations}; expected a "
            "positive weight and 1 step or more."
        )
    blur = _Blur(images.shape[1], kernel)
    x = ahead = np.maximum(images, 0)
    momentum, dual = 1.0, None
    for _ in range(iterations):
        moved = ahead - blur(blur(ahead) - images, transpose=True)
        smooth, dual = chambolle(moved, weight, 5, dual)
        new = np.maximum(smooth, 0)
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = new + np.float32((momentum - 1) / following) * (new - x)
        x, momentum = new, following
    return x
