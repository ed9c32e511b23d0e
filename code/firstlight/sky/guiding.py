"""A guide camera on a small telescope: one star, seeing, noise, and a mount that wanders.

Lengths are in pixels of the guide camera, light in electrons per exposure. `frames` takes
pictures, `Mount` moves the star between two of them, `least_error` says how well its place can
be read off one frame, and `least_pointing_error` how well a mount can be held with such readings.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erf

__all__ = ["CAMERA", "MOUNT", "Camera", "Mount", "frames", "least_error", "least_pointing_error"]

Floats = NDArray[np.float64]
_TO_SIGMA = 1 / np.sqrt(8 * np.log(2))
_WING_LIGHT, _WING_WIDTH = 0.2, 2.0  # core and wing: a double Gaussian, as SDSS fits its stars


@dataclass(frozen=True)
class Camera:
    """What turns starlight into a picture.

    Args:
        size: Pixels on a side; the guider wants the star in the middle.
        zero_point: Electrons per exposure from a star of magnitude 0.
        sky: Electrons per pixel and exposure from sky and dark current.
        read_noise: Electrons, rms.
        fwhm: Median seeing, pixels.
        fwhm_scatter: Scatter of the seeing from frame to frame, in its logarithm.
        shake: Random motion of the image within the air, pixels rms on each axis.
    """

    size: int = 24
    zero_point: float = 1.2e7
    sky: float = 2.0
    read_noise: float = 3.0
    fwhm: float = 3.0
    fwhm_scatter: float = 0.12
    shake: float = 0.1


@dataclass(frozen=True)
class Mount:
    """What moves the star between two frames.

    Args:
        drift: Motion per frame along the two axes, pixels.
        wander: Random step per frame, pixels rms on each axis.
        gusts: Chance of a gust of wind in a frame.
        gust: Length of its push, pixels, in any direction.
    """

    drift: tuple[float, float] = (0.06, -0.03)
    wander: float = 0.15
    gusts: float = 0.01
    gust: float = 4.0

    def step(self, n: int, rng: np.random.Generator) -> Floats:
        """How far each of n mounts moves until its next frame, shape (n, 2)."""
        steps = np.asarray(self.drift) + self.wander * rng.standard_normal((n, 2))
        angle = rng.uniform(0, 2 * np.pi, n)
        push = self.gust * (rng.random(n) < self.gusts)
        return steps + push[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


CAMERA, MOUNT = Camera(), Mount()


def frames(
    offsets: ArrayLike,
    magnitudes: ArrayLike,
    seed: int | np.random.Generator,
    *,
    camera: Camera = CAMERA,
) -> NDArray[np.float32]:
    """Pictures of one star each, sky subtracted.

    Args:
        offsets: Where the telescope points beside the star, shape (n, 2): the star stands at
            the middle of the frame plus (x, y), plus what the air adds.
        magnitudes: Of the stars, one number or shape (n,).
        seed: A seed or a generator, for seeing, shake and noise.
        camera: The guide camera.

    Returns:
        float32 array (n, size, size), electrons; rows are y, columns x. The noise is Gaussian
        with the variance of star, sky and read-out.

    Raises:
        ValueError: If the offsets are not finite pairs or the magnitudes do not fit them.

    Example:
        >>> picture = frames([[0.0, 0.0]], 9.0, seed=1)[0]
        >>> picture.shape, bool(picture[11:13, 11:13].mean() > 100)
        ((24, 24), True)
    """
    places = _pairs(offsets)
    rng = np.random.default_rng(seed)
    n = len(places)
    fwhm = camera.fwhm * np.exp(camera.fwhm_scatter * rng.standard_normal(n))
    places = places + camera.shake * rng.standard_normal((n, 2))
    flux = _flux(magnitudes, n, camera)
    light = flux[:, None, None] * _stars(places, fwhm, camera.size)
    sigma = np.sqrt(light + np.float32(camera.sky + camera.read_noise**2))
    return light + sigma * rng.standard_normal(light.shape, dtype=np.float32)


def least_error(magnitudes: ArrayLike, *, camera: Camera = CAMERA) -> Floats:
    """The Cramer-Rao floor: the least rms error of a star's place on one axis, in one frame.

    With light f(x0) in each pixel and Gaussian noise of variance v, the Fisher information is
    the sum over the pixels of (df/dx0)^2 / v. Seeing and flux are taken as known, and what the
    variance itself tells of the place is left aside. The shake of the air is added, because it
    moves the picture and not the telescope.

    Args:
        magnitudes: Of the stars, any shape.
        camera: The guide camera, at its median seeing.

    Returns:
        Pixels, same shape.

    Example:
        >>> bool(least_error(9.0) < least_error(13.0))
        True
    """
    values = np.atleast_1d(np.asarray(magnitudes, dtype=float))
    step, width = 1e-3, np.array([camera.fwhm])
    either = [_stars(np.array([[x, 0.0]]), width, camera.size) for x in (step, -step)]
    slope = (either[0].astype(float) - either[1]) / (2 * step)
    star = _stars(np.zeros((1, 2)), width, camera.size)
    flux = _flux(values.ravel(), values.size, camera)[:, None, None]
    variance = flux * star + camera.sky + camera.read_noise**2
    information = ((flux * slope) ** 2 / variance).sum(axis=(1, 2))
    errors = np.sqrt(1 / information + camera.shake**2)
    return errors.reshape(np.shape(magnitudes))


def least_pointing_error(reading: ArrayLike, wander: float) -> Floats:
    """The least rms pointing error on one axis of a wandering mount, corrected once a frame.

    A random walk of step q, read with error r: the best prediction before a frame has variance
    P with 1 / (P - q^2) = 1 / P + 1 / r^2, the steady state of the Kalman filter.

    Args:
        reading: Error r of one reading, pixels rms.
        wander: Step q per frame, pixels rms.

    Returns:
        sqrt(P), pixels, same shape as `reading`.

    Raises:
        ValueError: If an error is negative or not finite.

    Example:
        >>> float(least_pointing_error(0.0, 0.15))
        0.15
    """
    r2, q2 = np.square(np.asarray(reading, dtype=float)), wander**2
    if not (np.isfinite(r2).all() and wander >= 0 and np.all(np.asarray(reading) >= 0)):
        raise ValueError(
            f"reading, wander: received {reading!r} and {wander!r}, expected finite errors of 0 "
            "or more, in pixels."
        )
    return np.sqrt((q2 + np.sqrt(q2 * q2 + 4 * q2 * r2)) / 2)


def _stars(places: Floats, fwhm: Floats, size: int) -> NDArray[np.float32]:
    """Stars of unit light, integrated over the pixels, (n, size, size)."""
    edges = np.arange(size + 1) - size / 2
    total = np.zeros((len(places), size, size), dtype=np.float32)
    core = fwhm * _TO_SIGMA
    for share, width in ((1 - _WING_LIGHT, core), (_WING_LIGHT, _WING_WIDTH * core)):
        scaled = (edges - places[:, :, None]) / (np.sqrt(2) * width[:, None, None])
        inside = (0.5 * np.diff(erf(scaled), axis=2)).astype(np.float32)
        total += np.float32(share) * inside[:, 1, :, None] * inside[:, 0, None, :]
    return total


def _flux(magnitudes: ArrayLike, n: int, camera: Camera) -> NDArray[np.float32]:
    values = np.asarray(magnitudes, dtype=float)
    if values.ndim > 1 or values.size not in (1, n) or not np.isfinite(values).all():
        raise ValueError(
            f"magnitudes: received shape {values.shape}, expected one finite number or one for "
            f"each of {n} frames."
        )
    flux = camera.zero_point * 10 ** (-0.4 * np.broadcast_to(values.ravel(), (n,)))
    return flux.astype(np.float32)


def _pairs(offsets: ArrayLike) -> Floats:
    places = np.asarray(offsets, dtype=float)
    if places.ndim != 2 or places.shape[1] != 2 or not np.isfinite(places).all():
        raise ValueError(
            f"offsets: received shape {places.shape}, expected (n, 2), finite numbers in pixels. "
            "One star is [[x, y]]."
        )
    return places
