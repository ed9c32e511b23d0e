"""Least-squares fits of profiles to pictures: the classical way, good starts and exact slopes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares

__all__ = ["Fit", "disk", "disk_slopes", "fit_disk", "fit_sersic", "moments_start"]

Doubles = NDArray[np.float64]


class Fit(NamedTuple):
    """What a fit found.

    Args:
        parameters: Shape (p,).
        chi2: Sum of squares over the variance of the noise.
        calls: How often the profile was drawn.
        converged: Whether the algorithm said so.
    """

    parameters: Doubles
    chi2: float
    calls: int
    converged: bool


class Grid:
    """Squares of the coordinates of all pixels, made once for many fits.

    Args:
        size: Pixels on a side.
        half_width: Coordinate of the outermost pixels.
    """

    def __init__(self, size: int, half_width: float) -> None:
        along = np.linspace(-half_width, half_width, size)
        y, x = (part.ravel() for part in np.meshgrid(along, along, indexing="ij"))
        self.total, self.difference, self.twice = x * x + y * y, x * x - y * y, 2 * x * y


def _radius(parameters: ArrayLike, grid: Grid) -> tuple[Doubles, Doubles, float, float]:
    log_scale, eta_1, eta_2 = (float(value) for value in np.asarray(parameters, float))
    eta = float(np.hypot(eta_1, eta_2))
    cosh, sinh = float(np.cosh(eta)), float(np.sinh(eta) / eta) if eta > 1e-6 else 1.0
    along = eta_1 * grid.difference + eta_2 * grid.twice
    squared = np.maximum(cosh * grid.total - sinh * along, 0)
    return np.sqrt(squared) * np.exp(-log_scale), along, cosh, sinh


def disk(parameters: ArrayLike, grid: Grid) -> Doubles:
    """Pixels of the disk exp(-r / s), as `layers.sersic.ExponentialDisk` draws it.

    Args:
        parameters: log_scale, eta_1 and eta_2.
        grid: Where.

    Returns:
        Shape (pixels,), float64.
    """
    return np.asarray(np.exp(-_radius(parameters, grid)[0]))


def disk_slopes(parameters: ArrayLike, grid: Grid) -> Doubles:
    """Derivatives of `disk` in its three numbers, shape (pixels, 3)."""
    radius, along, cosh, sinh = _radius(parameters, grid)
    log_scale, eta_1, eta_2 = (float(value) for value in np.asarray(parameters, float))
    squared = eta_1**2 + eta_2**2
    third = (cosh - sinh) / squared if squared > 1e-4 else 1 / 3
    image = np.exp(-radius)
    common = image * (np.exp(-2 * log_scale) / 2) / np.maximum(radius, 1e-12)
    bend = third * along - sinh * grid.total
    return np.stack([image * radius, common * (sinh * grid.difference + eta_1 * bend),
                     common * (sinh * grid.twice + eta_2 * bend)], axis=1)  # fmt: skip


def moments_start(image: ArrayLike, half_width: float, rounds: int = 3) -> Doubles:
    """A guess of log_scale, eta_1 and eta_2 from second moments of the light.

    The light is weighted by an ellipse that is fitted to the last moments, so that noise far out
    counts little; for an exponential profile under such a weight the moments are turned into a
    scale by a constant found once from noise-free disks.

    Args:
        image: Shape (size, size).
        half_width: Coordinate of the outermost pixels.
        rounds: How often the weight is matched.

    Returns:
        Shape (3,).
    """
    light = np.asarray(image, float)
    grid = Grid(len(light), half_width)
    flat = light.ravel()
    matrix = np.array([0.5 * half_width, 0.0, 0.0]) ** 2 + [0, 0, 0]
    xx = yy = float(matrix[0])
    xy = 0.0
    for _ in range(rounds):
        det = max(xx * yy - xy * xy, 1e-12)
        x2, y2 = (grid.total + grid.difference) / 2, (grid.total - grid.difference) / 2
        weight = np.exp(-0.5 * (yy * x2 + xx * y2 - xy * grid.twice) / det)
        seen = flat * weight
        total = max(float(seen.sum()), 1e-6 * len(flat))
        # A Gaussian under a Gaussian weight as wide as itself has half its own variance.
        xx, yy, xy = (2 * float((seen * part).sum()) / total for part in (x2, y2, grid.twice / 2))
        floor = (half_width / len(light)) ** 2
        xx, yy = max(xx, floor), max(yy, floor)
        xy = float(np.clip(xy, -0.95 * np.sqrt(xx * yy), 0.95 * np.sqrt(xx * yy)))
    det = max(xx * yy - xy * xy, floor**2)
    excess = np.hypot((xx - yy) / 2, xy)
    mean = (xx + yy) / 2
    eta = 0.5 * np.log((mean + excess) / max(mean - excess, floor / 4))
    angle = np.arctan2(xy, (xx - yy) / 2)
    return np.array([0.25 * np.log(det) + LOG_SCALE_OVER_SIGMA, eta * np.cos(angle),
                     eta * np.sin(angle)])  # fmt: skip


LOG_SCALE_OVER_SIGMA = -0.15  # of matched moments, measured on noise-free disks


def fit_disk(
    image: ArrayLike, grid: Grid, noise: float, start: ArrayLike, tolerance: float = 1e-5
) -> Fit:
    """The exponential disk that fits an image best, by Levenberg and Marquardt with exact slopes.

    If the fit is worse than noise explains by five standard deviations, it is repeated from
    three other angles and the best is kept.

    Args:
        image: Shape (size, size).
        grid: The coordinates of its pixels.
        noise: Standard deviation of a pixel.
        start: log_scale, eta_1 and eta_2, from `moments_start` for example.
        tolerance: Relative change of the numbers or of chi^2 at which it stops; a looser one saves
            calls, until the scatter grows.

    Returns:
        The numbers, chi^2 and the calls.
    """
    flat = np.asarray(image, float).ravel()
    if not np.isfinite(flat).all() or len(flat) != len(grid.total):
        raise ValueError(
            f"fit_disk: received {len(flat)} pixels, with or without NaN; expected "
            f"{len(grid.total)} finite ones, as many as the grid has."
        )
    worst = len(flat) + 5 * np.sqrt(2 * len(flat))
    best, calls = None, 0
    for turn in range(4):
        turned = np.array(start, float)
        cos, sin = np.cos(turn * np.pi / 2), np.sin(turn * np.pi / 2)
        turned[1:] = cos * turned[1] - sin * turned[2], sin * turned[1] + cos * turned[2]
        found = least_squares(
            lambda p: (disk(p, grid) - flat) / noise, turned, method="lm",
            jac=lambda p: disk_slopes(p, grid) / noise, xtol=tolerance, ftol=tolerance, gtol=1e-8,
        )  # fmt: skip
        calls += int(found.nfev)
        if best is None or found.cost < best.cost:
            best = found
        if 2 * best.cost < worst:
            break
    return Fit(best.x, float(2 * best.cost), calls, bool(best.success))


def fit_sersic(
    image: ArrayLike, draw: Any, noise: ArrayLike, start: ArrayLike, bounds: Any = None
) -> Fit:
    """The Sersic profile behind a point-spread function that fits an image best.

    Args:
        image: Shape (size, size).
        draw: A `layers.sersic.SersicRenderer`, or another decoder.
        noise: Standard deviation of a pixel, a number or shape (size, size).
        start: A guess of the decoder's numbers, or several, shape (p,) or (starts, p); the best
            fit is kept.
        bounds: Lowest and highest values as two rows, shape (2, p); None for none.

    Returns:
        The numbers, chi^2 and the calls.

    Raises:
        ValueError: If the image has NaN, or the noise is not positive.
    """
    from firstlight.layers.scoring import slopes

    light, sigma = np.asarray(image, float), np.asarray(noise, float)
    if not np.isfinite(light).all() or not (sigma > 0).all():
        raise ValueError(
            "fit_sersic: received NaN in the image or noise of zero or less; expected finite "
            "pixels and positive noise. Give bad pixels a large noise and a finite value."
        )
    sigma = np.broadcast_to(sigma, light.shape).ravel()
    seen = light.ravel()

    def rest(p: Doubles) -> Doubles:
        drawn = np.asarray(draw(p[None].astype(np.float32)), float)
        return (drawn.ravel() - seen) / sigma

    def slope(p: Doubles) -> Doubles:
        found = np.asarray(slopes(draw, p[None].astype(np.float32))[1], float)
        return np.asarray(found.reshape(len(seen), -1) / sigma[:, None])

    limits = (-np.inf, np.inf) if bounds is None else tuple(np.asarray(bounds, float))
    best, calls = None, 0
    for guess in np.atleast_2d(np.asarray(start, float)):
        inside = guess if bounds is None else np.clip(guess, limits[0] + 1e-6, limits[1] - 1e-6)
        found = least_squares(rest, inside, jac=slope, bounds=limits, x_scale="jac",
                              xtol=1e-5, ftol=1e-5, gtol=1e-6, max_nfev=60)  # fmt: skip
        calls += int(found.nfev)
        if best is None or found.cost < best.cost:
            best = found
    return Fit(best.x, float(2 * best.cost), calls, bool(best.success))
