"""Three ways to let the answer slip into the test set, and the same data split properly."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from firstlight.sky import galaxies
from firstlight.studies import validation_curves as study

__all__ = ["KINDS", "Sample", "by_group", "by_row", "sample"]

KINDS = ("turned", "twice", "night")
N_GALAXIES = {"turned": 100, "twice": 500, "night": 600}
TURNS = 24  # of 15 degrees
N_NIGHTS = 40
SAME_KIND = 0.85  # of a night's galaxies: a cluster, or the field
SKY = 1.0  # residual of a night, in sky noise of one pixel: its level and its two slopes
SHALLOW = 1.0  # noise of one visit, in the same units


class Sample(NamedTuple):
    """Rows of a catalog, and which of them belong together.

    Args:
        stamps: One row each.
        group: The galaxy or the night of each row, shape (n,).
        fresh: Two thousand rows of other galaxies and other nights, for the truth.
    """

    stamps: study.Stamps
    group: NDArray[np.intp]
    fresh: study.Stamps


def sample(kind: str, seed: int, n_fresh: int = 2_000) -> Sample:
    """A small catalog in which rows belong together.

    Args:
        kind: "turned": every galaxy in twenty-four orientations. "twice": every galaxy on two
            nights, with noise of its own. "night": each night has a residual sky of its own, and
            looked mostly at discs with arms, or mostly at discs without.
        seed: Of everything.
        n_fresh: Rows of the sky that nobody has touched.

    Returns:
        The catalog, its groups, and the fresh sky.

    Raises:
        ValueError: If there is no such kind.

    Example:
        >>> sample("twice", 1, n_fresh=2).group[:4].tolist()
        [0, 1, 2, 3]
    """
    if kind not in KINDS:
        raise ValueError(f"kind: received {kind!r}, expected one of {', '.join(KINDS)}.")
    n = N_GALAXIES[kind]
    make = {"turned": _turned, "twice": _twice, "night": _nights}[kind]
    stamps, group = make(n, 2 * seed)
    return Sample(stamps, group, make(n_fresh, 2 * seed + 1)[0].pick(slice(n_fresh)))


def _turned(n: int, seed: int) -> tuple[study.Stamps, NDArray[np.intp]]:
    gray, labels = study.light(n, seed, TURNS if n < 1000 else 1)
    return study.Stamps(galaxies.stretch(gray)[..., None], labels), np.arange(len(gray)) % n


def _twice(n: int, seed: int) -> tuple[study.Stamps, NDArray[np.intp]]:
    gray, labels = study.light(n, seed)
    noise = np.random.default_rng([seed, 7]).normal(0, SHALLOW, (2, *gray.shape))
    visits = np.concatenate([gray + noise[0], gray + noise[1]]).astype(np.float32)
    stretched = galaxies.stretch(visits)[..., None]
    return study.Stamps(stretched, np.tile(labels, (2, 1))), np.tile(np.arange(n), 2)


def _nights(n: int, seed: int) -> tuple[study.Stamps, NDArray[np.intp]]:
    """Even nights look at arms, odd ones at discs without, but for a few galaxies each."""
    rng = np.random.default_rng([seed, 8])
    gray, labels = study.light(n, seed)
    even = (labels[:, 0] > 0.5) == (rng.random(n) < SAME_KIND)
    night = 2 * rng.integers(0, N_NIGHTS // 2, n) + ~even
    level, *slopes = rng.normal(0, SKY, (3, N_NIGHTS))
    line = np.linspace(-1, 1, study.CONFIG["side"])
    sky = level[:, None, None] + slopes[0][:, None, None] * line
    sky = sky + slopes[1][:, None, None] * line[:, None]
    seen = (gray + sky[night]).astype(np.float32)
    return study.Stamps(galaxies.stretch(seen)[..., None], labels), night


def by_row(n: int, share: float, seed: int) -> NDArray[np.bool_]:
    """The careless split: every row alone draws its lot.

    Args:
        n: Rows.
        share: Of them that are for testing.
        seed: Of the lots.

    Returns:
        True for the test set, shape (n,).
    """
    test = np.zeros(n, bool)
    test[np.random.default_rng([seed, 9]).permutation(n)[: round(share * n)]] = True
    return test


def by_group(group: NDArray[np.intp], share: float, seed: int) -> NDArray[np.bool_]:
    """The careful split: all rows of a galaxy, or of a night, go the same way.

    Args:
        group: What each row belongs to, shape (n,).
        share: Of the groups that are for testing.
        seed: Of the lots.

    Returns:
        True for the test set, shape (n,).
    """
    known = np.unique(group)
    chosen = known[by_row(len(known), share, seed)]
    return np.isin(group, chosen)
