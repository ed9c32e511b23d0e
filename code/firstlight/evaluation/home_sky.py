"""Is this still the sky that the network was trained on? A few numbers of each object, compared.

Two samples are compared statistic by statistic (Kolmogorov and Smirnov's largest distance of two
cumulative distributions). A network can leave its home in ways that none of these show; but
where one of them does, its scores on its own sky say little about those on yours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise, permutations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from firstlight.evaluation.photometry import apertures
from firstlight.evaluation.stamp_checks import FRAME, sky_of

__all__ = ["FAR", "NOTABLE", "Shift", "better_order", "compare", "stamp_statistics", "strangers"]

Doubles = NDArray[np.float64]
NOTABLE, FAR = 0.3, 0.6  # distances from which a shift is told, and told loudly
_SURE = 1e-3  # probability by chance above which nothing is told
_TAILS = (0.005, 0.995)  # of the training sky: what lies beyond is a stranger


def stamp_statistics(images: NDArray[np.float32], bands: Sequence[str]) -> dict[str, Doubles]:
    """Brightness, size, noise and colors of stamps, each (n,).

    Args:
        images: Shape (n, side, side, bands), in units of the sky noise.
        bands: Their names.

    Returns:
        Name to values: `brightness` and `half-light radius` in the middle band, `sky level` and
        `sky noise` of the frame, `neighbors alike` (correlation of neighboring pixels of the
        frame: 0 for white noise, more for resampled images), and one color for each pair of
        neighboring bands (magnitudes, of flux in units of the noise).
    """
    n, side = images.shape[:2]
    circles = apertures(side)
    inside = np.stack(
        [images[..., b].reshape(n, -1) @ circles.weights[0] for b in range(len(bands))], 1
    )
    whole = int(np.searchsorted(circles.radii, side / 2)) - 1
    core = max(int(np.searchsorted(circles.radii, side / 8)), 1)
    middle = len(bands) // 2
    growth = inside[:, middle, : whole + 1]
    reached = np.maximum.accumulate(growth, axis=1) >= growth[:, -1:] / 2
    sky = sky_of(np.asarray(images, np.float32))
    found = {
        "brightness": np.arcsinh(inside[:, middle, whole] / 20.0) / np.log(10.0),
        "half-light radius": np.asarray(circles.radii[reached.argmax(axis=1)], float),
        "sky level": sky.level.mean(axis=1),
        "sky noise": sky.noise.mean(axis=1),
        "neighbors alike": _alike(images),
    }
    light = np.maximum(inside[:, :, core], 1.0)
    for (a, first), (b, second) in pairwise(enumerate(bands)):
        found[f"color {first} - {second}"] = 2.5 * np.log10(light[:, b] / light[:, a])
    return {name: np.asarray(values, np.float64) for name, values in found.items()}


def _alike(images: NDArray[np.float32]) -> Doubles:
    """Correlation of neighbors along the lowest and the highest rows, mean of the bands."""
    strips = np.concatenate([images[:, :FRAME], images[:, -FRAME:]], axis=1).astype(float)
    strips = np.clip(strips - np.median(strips, axis=2, keepdims=True), -4, 4)
    product = (strips[:, :, 1:] * strips[:, :, :-1]).mean(axis=(1, 2))
    return np.asarray((product / np.maximum((strips**2).mean(axis=(1, 2)), 1e-12)).mean(axis=-1))


class Shift(NamedTuple):
    """One statistic on the reader's sky and on the training's.

    Args:
        name: Of the statistic.
        yours: Its 16 %, 50 % and 84 % quantiles.
        home: Likewise, on the simulated sky.
        distance: Kolmogorov and Smirnov's, 0 to 1.
        outside: Share of the reader's objects beyond all but 1 % of the training's.
        told: 0 if it may be chance or is small, 1 if notable, 2 if far.
    """

    name: str
    yours: tuple[float, float, float]
    home: tuple[float, float, float]
    distance: float
    outside: float
    told: int


def compare(yours: Mapping[str, Doubles], home: Mapping[str, Doubles]) -> list[Shift]:
    """Every statistic of two samples.

    Args:
        yours: Name to values, (n,).
        home: The same names, (m,).

    Returns:
        One `Shift` each, in the order of `home`.

    Example:
        >>> compare({"size": np.ones(50)}, {"size": np.arange(50.0) + 9})[0].told
        2
    """
    from scipy.stats import ks_2samp

    out = []
    for name, theirs in home.items():
        exact = "exact" if len(yours[name]) < 100 else "asymp"
        test = ks_2samp(yours[name], theirs, method=exact)
        distance, sure = float(test.statistic), float(test.pvalue) < _SURE
        told = 0 if not sure or distance < NOTABLE else 1 if distance < FAR else 2
        outside = float(_beyond(yours[name], theirs).mean())
        out.append(
            Shift(name, _quantiles(yours[name]), _quantiles(theirs), distance, outside, told)
        )
    return out


def _quantiles(values: Doubles) -> tuple[float, float, float]:
    low, middle, high = np.quantile(values, [0.16, 0.5, 0.84])
    return float(low), float(middle), float(high)


def _beyond(values: Doubles, home: Doubles) -> NDArray[np.bool_]:
    low, high = np.quantile(home, _TAILS)
    return np.asarray((values < low) | (values > high))


def strangers(yours: Mapping[str, Doubles], home: Mapping[str, Doubles]) -> list[str]:
    """For each object, the statistics in which it lies beyond all but 1 % of the training sky.

    Args:
        yours: Name to values, (n,).
        home: The same names.

    Returns:
        Their names, joined by "; ", one text for each object.
    """
    beyond = {name: _beyond(yours[name], theirs) for name, theirs in home.items()}
    n = len(next(iter(beyond.values())))
    return ["; ".join(name for name, far in beyond.items() if far[k]) for k in range(n)]


def better_order(
    images: NDArray[np.float32], home: NDArray[np.float32], bands: Sequence[str]
) -> tuple[str, ...] | None:
    """Another order of the bands under which the colors fit the training sky far better.

    Args:
        images: The reader's stamps, in units of the sky noise, (n, side, side, bands).
        home: Stamps of the training sky.
        bands: The order expected.

    Returns:
        The order in which they seem to lie, or None if the expected one fits about as well.
    """
    if len(bands) < 2 or len(images) < 20:
        return None
    theirs = _colors(home)
    scores = {}
    for order in permutations(range(len(bands))):
        ours = _colors(images[..., list(order)])
        scores[order] = float(np.mean([_distance(a, b) for a, b in zip(ours, theirs, strict=True)]))
    best = min(scores, key=lambda order: scores[order])
    as_is = scores[tuple(range(len(bands)))]
    if as_is < NOTABLE or scores[best] > 0.5 * as_is:
        return None
    found = [""] * len(bands)
    for place, source in enumerate(best):
        found[source] = bands[place]
    return tuple(found)


def _colors(images: NDArray[np.float32]) -> list[Doubles]:
    side = images.shape[1]
    core = slice(side // 2 - side // 8, side // 2 + side // 8)
    light = np.maximum(images[:, core, core].sum(axis=(1, 2)), 1.0)
    return [np.log(light[:, b] / light[:, a]) for a, b in pairwise(range(images.shape[-1]))]


def _distance(a: Doubles, b: Doubles) -> float:
    both = np.sort(np.concatenate([a, b]))
    rank = [np.searchsorted(np.sort(x), both, side="right") / len(x) for x in (a, b)]
    return float(np.abs(rank[0] - rank[1]).max())
