"""From a balanced test set to the sky: calibrated scores, rarer targets, what a survey yields."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from firstlight.evaluation import metrics
from firstlight.evaluation.detection import _split, wilson
from firstlight.evaluation.metrics import Interval

__all__ = [
    "Reliability",
    "Yield",
    "at_prevalence",
    "reliability",
    "selection_odds",
    "survey_yield",
    "temperature",
]

Doubles = NDArray[np.float64]


class Reliability(NamedTuple):
    """How often a score is right, in bins of the score."""

    predicted: Doubles  # mean score of each bin that is not empty
    observed: Doubles  # share of positives there
    low: Doubles  # Wilson's interval of it
    high: Doubles
    counts: NDArray[np.int64]
    error: float  # expected calibration error: mean |observed - predicted|, weighted by counts


def reliability(
    probabilities: ArrayLike, labels: ArrayLike, bins: int = 10, *, confidence: float = 0.95
) -> Reliability:
    """Of all that a network calls lenses with 80 %, are 80 % lenses?

    Args:
        probabilities: Shape (n,), from 0 to 1.
        labels: 0 or 1, shape (n,).
        bins: Number of equal bins.
        confidence: Of the intervals.

    Returns:
        A `Reliability`; it holds for the prevalence of the test set and for no other.
    """
    p = _probabilities(probabilities)
    _split(p, labels)
    found = metrics.calibration(np.asarray(labels, float)[:, None], p[:, None], bins)
    hits = np.round(found.observed * found.counts)
    return Reliability(
        found.predicted, found.observed, *wilson(hits, found.counts, confidence), found.counts,
        found.error,
    )  # fmt: skip


def _probabilities(values: ArrayLike) -> Doubles:
    p = np.asarray(values, np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(
            f"probabilities: received values from {p.min():.3g} to {p.max():.3g}, expected 0 to 1. "
            "Logits want a sigmoid first."
        )
    return p


def temperature(logits: ArrayLike, labels: ArrayLike) -> float:
    """The number by which logits must be divided for the best likelihood (Guo et al. 2017).

    Fit it on validation data. Above 1, the network was too sure of itself. The order of the
    scores, and with it the ROC, stays as it was.

    Args:
        logits: Shape (n,): log(p / (1 - p)).
        labels: 0 or 1, shape (n,).

    Returns:
        The temperature, from 0.05 to 20.

    Example:
        >>> round(temperature([4.0, 4.0, 4.0, -4.0], [1, 1, 0, 0]), 1)
        3.6
    """
    from scipy.optimize import minimize_scalar

    _split(logits, labels)
    z = np.asarray(logits, np.float64) * np.where(np.asarray(labels) == 1, 1, -1)
    found = minimize_scalar(
        lambda log_t: np.logaddexp(0, -z / np.exp(log_t)).mean(),
        bounds=(np.log(0.05), np.log(20)),
        method="bounded",
    )
    return float(np.exp(found.x))


def at_prevalence(
    probabilities: ArrayLike, prevalence: float, *, trained_at: float = 0.5
) -> Doubles:
    """The same evidence under another prior.

    Bayes' rule says posterior odds = prior odds x likelihood ratio. A calibrated network's odds
    hold the prior of its training set; the ratio of the two priors' odds turns one into the
    other, as long as lenses look like the training's lenses and non-lenses like its non-lenses.

    Args:
        probabilities: Calibrated at `trained_at`, any shape.
        prevalence: Share of positives where they are used.
        trained_at: Share of positives where they were calibrated.

    Returns:
        Probabilities of the same shape.

    Example:
        >>> round(float(at_prevalence(0.99, 1e-4)), 4)
        0.0098
    """
    for name, share in (("prevalence", prevalence), ("trained_at", trained_at)):
        if not 0 < share < 1:
            raise ValueError(f"{name}: received {share}, expected a share between 0 and 1.")
    p = _probabilities(probabilities)
    shift = prevalence / (1 - prevalence) * (1 - trained_at) / trained_at
    return p * shift / (p * shift + 1 - p)


def selection_odds(completeness: float, contamination: float, prevalence: float) -> float:
    """True candidates for each false one among all that a threshold lets through.

    Args:
        completeness: Share of positives above the threshold.
        contamination: Share of negatives above it, above 0.
        prevalence: Share of positives on the sky.

    Returns:
        Odds.

    Example:
        >>> round(1 / selection_odds(0.9, 0.01, 1e-4))
        111
    """
    if not contamination > 0:
        raise ValueError(
            f"contamination: received {contamination}, expected a share above 0. None among the "
            "test set's negatives is not none on the sky: take an upper limit."
        )
    return completeness / contamination * prevalence / (1 - prevalence)


class Yield(NamedTuple):
    """What a survey hands to the people who look at candidates, each with its interval."""

    lenses: Interval  # found in the whole survey
    false_per_deg2: Interval
    false_per_lens: Interval


def survey_yield(
    scores: ArrayLike,
    labels: ArrayLike,
    threshold: float,
    *,
    galaxies_per_deg2: float,
    area_deg2: float,
    prevalence: float = 1e-4,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
    repeats: int = 4000,
    seed: int = 0,
) -> Yield:
    """Lenses found and false alarms raised, for a threshold that was fixed beforehand.

    Uncertain are the shares that the test set measures: that of the positives by drawing random
    weights for them (the Bayesian bootstrap, Rubin 1981), that of the negatives from Jeffreys'
    posterior, which gives an upper limit even where none was let through; and the number of
    lenses that the area happens to hold, which is Poisson's. The prevalence itself is given.

    Args:
        scores: Of the test set, shape (n,).
        labels: 0 or 1, shape (n,).
        threshold: Candidates are what lies above it.
        galaxies_per_deg2: Galaxies that are looked at, per square degree.
        area_deg2: Of the survey, square degrees.
        prevalence: Share of lenses among those galaxies.
        weights: Of each object, shape (n,), where lenses on the sky are distributed otherwise
            than in the test set; those of negatives are ignored.
        confidence: Probability that each interval should hold.
        repeats: Draws.
        seed: Of the draws.

    Returns:
        A `Yield`.
    """
    positive, negative = _split(scores, labels)
    share = np.ones(len(positive))
    if weights is not None:
        share = np.asarray(weights, float)[np.asarray(labels) == 1]
    share = share / share.sum()
    rng = np.random.default_rng(seed)
    drawn = rng.standard_exponential((repeats, len(positive))) * share
    above = (positive > threshold).astype(float)
    rate = drawn @ above / drawn.sum(axis=1)
    k, n = int((negative > threshold).sum()), len(negative)
    wrong = rng.beta(k + 0.5, n - k + 0.5, repeats)
    lenses = prevalence * galaxies_per_deg2 * area_deg2
    others = (1 - prevalence) * galaxies_per_deg2
    found = rng.poisson(lenses, repeats) * rate
    best_rate, best_wrong = float(share @ above), k / n

    def interval(value: float, draws: Doubles) -> Interval:
        low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
        return Interval(value, min(float(low), value), max(float(high), value))

    true_per_deg2 = prevalence * galaxies_per_deg2
    return Yield(
        interval(lenses * best_rate, found),
        interval(others * best_wrong, others * wrong),
        interval(
            others * best_wrong / max(true_per_deg2 * best_rate, 1e-300),
            others * wrong / np.maximum(true_per_deg2 * rate, 1e-300),
        ),
    )
