"""Judging a generator whose examples are points: does it cover, does it invent, does it copy?"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

__all__ = ["copying", "modes", "neighbor_accuracy"]


def _points(where: str, **sets: ArrayLike) -> list[NDArray[np.float64]]:
    found = []
    for name, each in sets.items():
        rows = np.asarray(each, float)
        if rows.ndim != 2 or len(rows) < 2 or not np.isfinite(rows).all():
            raise ValueError(
                f"{where}: received {name} of shape {rows.shape}, expected (n, features) finite "
                "numbers with n of 2 or more. A generator that has diverged gives NaN."
            )
        found.append(rows)
    if len({rows.shape[1] for rows in found}) > 1:
        raise ValueError(f"{where}: received sets with different numbers of features.")
    return found


def modes(
    points: ArrayLike, centers: ArrayLike, scatter: float, *, reach: float = 3.0
) -> tuple[NDArray[np.int64], float]:
    """How many points lie on each of the clusters that the data are known to have.

    Args:
        points: Generated, shape (n, features).
        centers: Of the clusters, shape (clusters, features).
        scatter: Standard deviation of a cluster along each axis.
        reach: A point within so many standard deviations of a center is on the cluster.

    Returns:
        Points on each cluster, and the share of all points that are on none.

    Raises:
        ValueError: If the shapes do not fit, or scatter is not above zero.

    Example:
        >>> modes([[0, 0], [0.1, 0], [9, 9]], [[0, 0], [1, 1]], 0.1)[0].tolist()
        [2, 0]
    """
    ours, theirs = _points("modes", points=points, centers=centers)
    if not scatter > 0:
        raise ValueError(f"modes: received scatter={scatter}, expected a number above 0.")
    distance, nearest = cKDTree(theirs).query(ours)
    on = distance <= reach * scatter
    return np.bincount(nearest[on], minlength=len(theirs)), float(1 - on.mean())


def neighbor_accuracy(points: ArrayLike, real: ArrayLike) -> tuple[float, float]:
    """Can the nearest neighbor tell generated points from real ones?

    Both sets are put together, and each point is guessed to be of the kind of its nearest
    neighbor (Lopez-Paz & Oquab 2017, arXiv 1610.06545). Sets that are alike leave half of the
    guesses right. More is right where they differ; *less* where the one holds copies of the other.

    Args:
        points: Generated, shape (n, features).
        real: As many real ones.

    Returns:
        Share of guesses that are right, among the generated and among the real points. Collapse
        shows in the first, which rises, and invention in both.

    Raises:
        ValueError: If the sets are not equally large: the larger would be guessed more often.
    """
    ours, theirs = _points("neighbor_accuracy", points=points, real=real)
    if len(ours) != len(theirs):
        raise ValueError(
            f"neighbor_accuracy: received {len(ours)} and {len(theirs)} points, expected equally "
            "many: otherwise a neighbor is more often one of the larger set."
        )
    _, near = cKDTree(np.concatenate([ours, theirs])).query(np.concatenate([ours, theirs]), k=2)
    n = len(ours)
    itself = near[:, 0] == np.arange(2 * n)  # of two points at one place either may come first
    other = np.where(itself, near[:, 1], near[:, 0])
    return float(np.mean(other[:n] < n)), float(np.mean(other[n:] >= n))


def copying(points: ArrayLike, unseen: ArrayLike, training: ArrayLike) -> float:
    """How near generated points come to training points, beside points that nobody learned.

    Args:
        points: Generated, shape (n, features).
        unseen: Real ones that were not used for training.
        training: What the generator learned from.

    Returns:
        Ratio of the median distances to the nearest training point: about 1 as it should be, 0
        for a generator that copies.
    """
    ours, theirs, known = _points("copying", points=points, unseen=unseen, training=training)
    tree = cKDTree(known)
    near = [float(np.median(tree.query(each)[0])) for each in (ours, theirs)]
    if near[1] == 0:
        raise ValueError(
            "copying: received unseen points that are in the training set, expected others. Split "
            "the data before anything is learned."
        )
    return near[0] / near[1]
