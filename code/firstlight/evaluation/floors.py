"""How small can the error get? Floors set by finite votes, and by votes and noise together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "EnsembleFloor",
    "ensemble_floor",
    "vote_floor",
    "vote_floor_from_votes",
    "vote_variance",
]

Doubles = NDArray[np.float64]


def _fractions(values: ArrayLike, name: str) -> Doubles:
    array = np.asarray(values, np.float64)
    if array.ndim != 2 or not len(array):
        raise ValueError(f"{name}: received shape {array.shape}, expected (n, answers).")
    if not (array.min() >= -1e-6 and array.max() <= 1 + 1e-6):
        raise ValueError(
            f"{name}: received values from {array.min():.3g} to {array.max():.3g}, expected "
            "fractions from 0 to 1. Divide vote counts by the number of volunteers."
        )
    return np.clip(array, 0.0, 1.0)


def _volunteers(n_volunteers: ArrayLike, n: int, least: int) -> Doubles:
    counts = np.broadcast_to(np.asarray(n_volunteers, np.float64), (n,))
    if not (counts >= least).all():
        raise ValueError(
            f"n_volunteers: received {counts.min():g}, expected {least} or more per galaxy."
        )
    return counts[:, None]


def vote_variance(probabilities: ArrayLike, n_volunteers: ArrayLike) -> Doubles:
    """Variance of every cumulative vote fraction when finitely many volunteers walk the tree.

    Let k of n volunteers give the parent answer, which has probability P, and m of those k this
    answer, which has conditional probability c. The cumulative fraction is (m / k) (k / n) =
    m / n. By the law of total variance

        Var(m / n) = E[k c (1 - c)] / n^2 + Var(k c) / n^2
                   = P c (1 - c) / n + c^2 Var(k / n),

    and with Var(k / n) = P (1 - P) / n this is p (1 - p) / n for p = P c. So the binomial law
    goes down the tree by induction, and holds for each of the 37 columns: nothing is
    approximated, and galaxies whose question nobody was asked (k = 0) are included.

    Args:
        probabilities: True cumulative probabilities, shape (n, answers).
        n_volunteers: Volunteers per galaxy, a number or shape (n,).

    Returns:
        Variances, shape (n, answers).
    """
    p = _fractions(probabilities, "probabilities")
    return p * (1 - p) / _volunteers(n_volunteers, len(p), 1)


def vote_floor(probabilities: ArrayLike, n_volunteers: ArrayLike) -> float:
    """Expected RMSE of the predictor that knows every true probability.

    Args:
        probabilities: True cumulative probabilities, shape (n, answers).
        n_volunteers: Volunteers per galaxy, a number or shape (n,).

    Returns:
        Root of the mean `vote_variance`: no network can do better on average, since the votes
        that it is judged by scatter about the truth by this much.

    Example:
        >>> vote_floor([[0.5, 0.5]], 25)
        0.1
    """
    return float(np.sqrt(vote_variance(probabilities, n_volunteers).mean()))


def vote_floor_from_votes(votes: ArrayLike, n_volunteers: ArrayLike) -> float:
    """The same floor where the truth is unknown, from observed fractions alone.

    For f = m / n, E[f (1 - f)] = p (1 - p) (n - 1) / n, so f (1 - f) / (n - 1) is an unbiased
    estimate of the variance.

    Args:
        votes: Observed cumulative fractions, shape (n, answers).
        n_volunteers: Volunteers per galaxy, a number or shape (n,), 2 or more.

    Returns:
        The estimated floor.
    """
    f = _fractions(votes, "votes")
    return float(np.sqrt((f * (1 - f) / (_volunteers(n_volunteers, len(f), 2) - 1)).mean()))


class EnsembleFloor(NamedTuple):
    """What an ensemble says about the error that remains when training luck is averaged out."""

    rmse: float  # of infinitely many such networks, extrapolated
    ensemble_rmse: float  # of the mean of the given networks
    member_rmse: float  # root of the members' mean squared error
    members: int


def ensemble_floor(observed: ArrayLike, predictions: ArrayLike) -> EnsembleFloor:
    """Error of an infinite ensemble, from a finite one: votes and image noise together.

    The mean of M networks has expected squared error E + V / M, where V is the variance among
    networks and E the error of infinitely many. V is estimated without bias from the spread of
    the M, and V / M is taken off. E is an upper bound on the information floor of the images:
    what such networks, given this many images, cannot tell however often one asks.

    Args:
        observed: Vote fractions, shape (n, answers).
        predictions: Of M networks trained independently, shape (M, n, answers), M of 2 or more.

    Returns:
        An `EnsembleFloor`.

    Raises:
        ValueError: If there is one network only, or the shapes do not fit.
    """
    y, p = np.asarray(observed, np.float64), np.asarray(predictions, np.float64)
    if p.ndim != 3 or len(p) < 2 or p.shape[1:] != y.shape:
        raise ValueError(
            f"predictions: received shape {p.shape} for observations of shape {y.shape}, "
            "expected (networks, n, answers) with 2 networks or more."
        )
    together = ((y - p.mean(axis=0)) ** 2).mean()
    spread = p.var(axis=0, ddof=1).mean() / len(p)
    return EnsembleFloor(
        rmse=float(np.sqrt(max(together - spread, 0.0))),
        ensemble_rmse=float(np.sqrt(together)),
        member_rmse=float(np.sqrt(((y - p) ** 2).mean())),
        members=len(p),
    )
