"""What a smooth profile cannot say: arms, bars, rings, tails, arcs, clumps, trails.

Every function returns maps on the padded pixels, `(m, p, p)`, for m galaxies at
once. Lengths are in pixels, angles in radians. Maps that redistribute the light of
a disc have zero mean along each circle of the disc, so adding them changes no flux.
"""

import numpy as np
from scipy import fft, special

from .render import SAME_HALF_LIGHT, Grid


def disc_plane(
    grid: Grid, center: np.ndarray, inclination: np.ndarray, angle: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Radius (pixels) and azimuth in the plane of each tilted disc.

    Args:
        grid: The pixels.
        center: `(m, 2)`, pixels from the middle of the stamp.
        inclination: 0 face-on, `(m,)`; the tilt is undone, so stay below ~80 degrees.
        angle: Position angle of the major axis, `(m,)`.

    Returns:
        `(radius, azimuth)`, both `(m, p, p)` float32.
    """
    x, y = grid.offsets(center)
    cos, sin, cos_i = _columns(np.cos(angle), np.sin(angle), np.cos(inclination))
    along = x * cos + y * sin
    across = (y * cos - x * sin) / cos_i
    return np.hypot(along, across), np.arctan2(across, along)


def disc_light(
    radius: np.ndarray, scale: np.ndarray, truncation: np.ndarray, inclination: np.ndarray
) -> np.ndarray:
    """Surface brightness of a tilted thin disc of unit flux (`render.tilted_disc`)."""
    scale, truncation, cos_i = _columns(scale, truncation, np.cos(inclination))
    sigma = np.float32(SAME_HALF_LIGHT) * scale
    light = (1 - truncation) * np.exp(-radius / scale) / scale**2
    u = 0.5 * (radius / sigma) ** 2
    light += truncation * 0.5 * (1 + u) * np.exp(-u) / sigma**2
    return light / (2 * np.pi * cos_i)


def spiral(
    radius: np.ndarray,
    azimuth: np.ndarray,
    *,
    scale: np.ndarray,
    arms: np.ndarray,
    pitch: np.ndarray,
    sharpness: np.ndarray,
    phase: np.ndarray,
    wander: np.ndarray,
) -> np.ndarray:
    """Contrast of logarithmic spiral arms: the light at a point over its circle's mean, minus 1.

    Args:
        radius, azimuth: In the plane of the disc, `(m, p, p)`.
        scale: Scale length of the disc, pixels, `(m,)`.
        arms: Number of arms, `(m,)`.
        pitch: Angle between an arm and the circle it crosses, `(m,)`.
        sharpness: Concentration of light on the ridge (0 none), `(m,)`.
        phase: Azimuth of the first arm at one scale length, `(m,)`.
        wander: Amplitude by which arms stray from the ideal curve, radians, `(m,)`.

    Returns:
        `(m, p, p)`, at least -1; the mean over every circle is zero.
    """
    scale, arms, pitch, sharpness, phase, wander = _columns(
        scale, arms, pitch, sharpness, phase, wander
    )
    log_r = np.log(np.maximum(radius / scale, 0.05))
    winding = log_r / np.tan(pitch) + phase
    stray = wander * np.sin(2.3 * log_r + 3 * phase)
    ridge = np.exp(sharpness * (np.cos(arms * (azimuth - winding - stray)) - 1))
    mean = special.i0e(sharpness)
    onset = special.expit((radius / scale - 0.7) / 0.15)
    fade = special.expit((4.5 - radius / scale) / 0.4)
    return (ridge / mean - 1) * onset * fade


def bar(radius: np.ndarray, azimuth: np.ndarray, length: np.ndarray, q: np.ndarray,
        phase: np.ndarray) -> np.ndarray:  # fmt: skip
    """A bar of unit flux: flat along its length, with a sharp end and a soft side.

    Args:
        radius, azimuth: In the plane of the disc, `(m, p, p)`.
        length: Semi-major axis, pixels, `(m,)`.
        q: Axis ratio, `(m,)`.
        phase: Direction of the bar in the plane, `(m,)`.
    """
    length, q, phase = _columns(length, q, phase)
    u = np.abs(radius * np.cos(azimuth - phase)) / length
    v = np.abs(radius * np.sin(azimuth - phase)) / (q * length)
    light = np.exp(-(u**4) - v**1.6)
    return light / np.maximum(light.sum(axis=(1, 2), keepdims=True), 1e-9)


def ring(radius: np.ndarray, ring_radius: np.ndarray, width: np.ndarray) -> np.ndarray:
    """A circular ring of unit flux in the plane of the disc."""
    ring_radius, width = _columns(ring_radius, width)
    light = np.exp(-0.5 * ((radius - ring_radius) / width) ** 2)
    return light / np.maximum(light.sum(axis=(1, 2), keepdims=True), 1e-9)


def tail(
    radius: np.ndarray,
    azimuth: np.ndarray,
    *,
    start: np.ndarray,
    reach: np.ndarray,
    growth: np.ndarray,
    width: np.ndarray,
    phase: np.ndarray,
) -> np.ndarray:
    """A curved arc of unit flux: a tidal tail that opens outward, or a lensed arc.

    Args:
        radius, azimuth: About the galaxy, on the sky, `(m, p, p)`.
        start: Radius at which the arc leaves, pixels, `(m,)`.
        reach: Angle over which it extends, `(m,)`.
        growth: d ln r / d angle; 0 is an arc of a circle, `(m,)`.
        width: Standard deviation across, in ln r, `(m,)`.
        phase: Azimuth at which it starts, `(m,)`.
    """
    start, reach, growth, width, phase = _columns(start, reach, growth, width, phase)
    turn = np.mod(azimuth - phase, 2 * np.pi)
    distance = np.log(np.maximum(radius, 0.3) / start) - growth * turn
    along = special.expit((reach - turn) / 0.12) * special.expit((turn - 0.1) / 0.06)
    light = along * np.exp(-0.5 * (distance / width) ** 2)
    return light / np.maximum(light.sum(axis=(1, 2), keepdims=True), 1e-9)


def clumps(grid: Grid, rng: np.random.Generator, grain: np.ndarray) -> np.ndarray:
    """Gaussian random fields of zero mean and unit variance, smooth below `grain` pixels."""
    p, m = grid.padded, len(grain)
    kx, ky = grid.wavenumbers()
    noise = rng.standard_normal((m, p, p), dtype=np.float32)
    k2 = (kx**2 + ky**2) * _columns(grain)[0] ** 2
    field = fft.irfft2(fft.rfft2(noise) * np.exp(-0.5 * k2), s=(p, p))
    field -= field.mean(axis=(1, 2), keepdims=True)
    return field / field.std(axis=(1, 2), keepdims=True)


def trail(grid: Grid, angle: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """A satellite trail one pixel wide through the stamp, one unit of light per pixel of length."""
    x, y = grid.offsets(np.zeros((len(angle), 2)))
    cos, sin, offset = _columns(np.cos(angle), np.sin(angle), offset)
    return np.exp(-0.5 * ((y * cos - x * sin - offset) / 0.6) ** 2) / 1.504


def spikes(grid: Grid, center: np.ndarray, angle: np.ndarray, length: np.ndarray) -> np.ndarray:
    """The four diffraction spikes of a bright star, of unit flux."""
    x, y = grid.offsets(center)
    cos, sin, length = _columns(np.cos(angle), np.sin(angle), length)
    u, v = np.abs(x * cos + y * sin), np.abs(y * cos - x * sin)
    light = np.exp(-u / length - (v / 0.7) ** 2) + np.exp(-v / length - (u / 0.7) ** 2)
    return light / light.sum(axis=(1, 2), keepdims=True)


def _columns(*values: np.ndarray) -> list[np.ndarray]:
    return [np.asarray(value, dtype=np.float32)[:, None, None] for value in values]
