"""The Hubble Deep Field with sources planted into its blends: truth on a real sky.

The picture is the color composite of Williams et al. (1996) that comes with scikit-image, 8 bits
a color and stretched for the eye. So S/N is meant in units of what is left of the noise in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from firstlight.evaluation.source_finding import match, peaks, sharpened
from firstlight.sky import fields

__all__ = ["PART", "Planted", "Trial", "plant", "recovered", "sky", "threshold_for", "trial"]

PART = (512, 768)  # pixels of the picture that are used, from its upper left corner
_STAMP, _CLEAR = 24, 2.0


class Planted(NamedTuple):
    """A real image with sources that are not there.

    Args:
        image: In sky sigma.
        places: x and y of what was planted, pixels, (n, 2).
        snr: Signal-to-noise ratio of each, were it alone, (n,).
    """

    image: NDArray[np.float32]
    places: NDArray[np.float64]
    snr: NDArray[np.float64]


def sky() -> NDArray[np.float32]:
    """Part of the Hubble Deep Field: the mean of its colors, in sigma of its darkest pixels."""
    from astropy.stats import sigma_clipped_stats
    from skimage import data

    gray = data.hubble_deep_field().mean(axis=-1)[: PART[0], : PART[1]]
    _, median, sigma = sigma_clipped_stats(gray, sigma=2.5)
    return np.asarray((gray - median) / sigma, np.float32)


def plant(
    image: NDArray[np.float32], seed: int, *, apart: tuple[float, float] = (3.0, 6.0),
    snr: tuple[float, float] = (12.0, 40.0), taken: Sequence[NDArray[np.float64]] = (),
) -> Planted:  # fmt: skip
    """Put a faint source beside every real one that has room for it.

    Args:
        image: In sky sigma.
        seed: Of places, shapes and brightness.
        apart: Distance from the real source, pixels.
        snr: Range of signal-to-noise ratios, uniform in the logarithm.
        taken: Lists of positions near which nothing is planted: what the methods to be compared
            find there already.

    Returns:
        The image with the sources, and what they are.
    """
    random = np.random.default_rng([seed, 9])
    hosts = peaks(sharpened(image[None], 1.0, 1.8, 0.8), 10.0)[0]
    hosts = hosts[random.permutation(len(hosts))]
    turn, far = random.uniform(0, 2 * np.pi, len(hosts)), random.uniform(*apart, len(hosts))
    places = hosts + far[:, None] * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    kept: list[int] = []
    busy = np.concatenate([*taken, np.empty((0, 2))])
    for k, (x, y) in enumerate(places):
        inside = _STAMP < x < image.shape[1] - _STAMP and _STAMP < y < image.shape[0] - _STAMP
        near = len(busy) and np.hypot(*(busy - (x, y)).T).min() < _CLEAR
        others = places[kept]
        crowded = len(others) and np.hypot(*(others - (x, y)).T).min() < _STAMP
        if inside and not near and not crowded:
            kept.append(k)
    places = places[kept]
    n = len(places)
    shape = fields.simulate(-(-n // 8) + 8, seed, size=64).truth.iloc[:n].reset_index(drop=True)
    corner = np.round(places).astype(int) - _STAMP // 2
    low, high = (float(v) for v in np.log(snr))
    ratio = np.exp(random.uniform(low, high, n))
    offset = places - corner - (_STAMP - 1) / 2
    light = fields.stamps(shape.assign(snr=ratio, x=offset[:, 0], y=offset[:, 1]), size=_STAMP)
    planted = image.copy()
    for (x, y), stamp in zip(corner, light, strict=True):
        planted[y : y + _STAMP, x : x + _STAMP] += stamp
    return Planted(planted, places, ratio)


def recovered(found: NDArray[np.float64], planted: Planted) -> NDArray[np.bool_]:
    """Which of the planted sources have a detection of their own within 1.5 pixels."""
    got = np.zeros(len(planted.places), bool)
    got[match(found, planted.places)[:, 1]] = True
    return got


def threshold_for(maps: NDArray[np.float64], number: int) -> float:
    """The threshold above which a map has about so many peaks.

    Args:
        maps: One map, (1, height, width).
        number: Wanted.
    """
    from scipy.ndimage import maximum_filter

    image = maps[0]
    ordered = np.sort(image[image == maximum_filter(image, 3)])[::-1]
    return float(ordered[min(number, len(ordered) - 1)])


class Trial(NamedTuple):
    """How methods compare on the same planted sources.

    Args:
        already: Positions of what each finds in the untouched picture, (n, 2), by name.
        got: For each planted source of all rounds, whether the method found it, by name.
    """

    already: dict[str, NDArray[np.float64]]
    got: dict[str, NDArray[np.bool_]]

    def lead(self, own: str, rival: str) -> tuple[float, float]:
        """Mean difference of two methods' shares, source by source, and its standard error."""
        gain = self.got[own].astype(float) - self.got[rival]
        return float(gain.mean()), float(gain.std(ddof=1) / np.sqrt(len(gain)))


def trial(
    image: NDArray[np.float32], maps: Mapping[str, Callable[[NDArray[np.float32]], NDArray[Any]]],
    seed: int, *, number: int = 1200, rounds: int = 4, snr: tuple[float, float] = (12.0, 40.0),
) -> Trial:  # fmt: skip
    """Plant sources again and again, and ask every method for them.

    Args:
        image: In sky sigma.
        maps: Functions that turn an image into a map `(1, height, width)` whose peaks are
            sources, by name.
        seed: Of what is planted.
        number: Sources that each may find in the untouched image; that sets its threshold.
        rounds: How often to plant anew.
        snr: Range of signal-to-noise ratios.

    Raises:
        ValueError: If rounds is below one.
    """
    if rounds < 1:
        raise ValueError(f"trial: received rounds={rounds}, expected 1 or more.")
    before = {name: function(image) for name, function in maps.items()}
    limit = {name: threshold_for(m, number) for name, m in before.items()}
    already = {name: peaks(m, limit[name])[0] for name, m in before.items()}
    got: dict[str, list[NDArray[np.bool_]]] = {name: [] for name in maps}
    for k in range(rounds):
        planted = plant(image, rounds * seed + k, snr=snr, taken=list(already.values()))
        for name, function in maps.items():
            found = peaks(function(planted.image), limit[name])[0]
            got[name].append(recovered(found, planted))
    return Trial(already, {name: np.concatenate(parts) for name, parts in got.items()})
