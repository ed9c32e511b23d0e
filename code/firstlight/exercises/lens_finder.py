"""Exercises of the chapter *Lens finder*."""

from typing import Any

import numpy as np

from firstlight.exercises.engine import Exercise, expect, expect_close

__all__ = ["EXERCISES"]

_LIGHT_KM_S = 299_792.458
_ARCSEC = 180 * 3600 / np.pi  # arcseconds in a radian


def _einstein(sigma_km_s: Any, d_s: Any, d_ls: Any) -> Any:
    return 4 * np.pi * (sigma_km_s / _LIGHT_KM_S) ** 2 * d_ls / d_s * _ARCSEC


def _check_einstein(answer: Any) -> None:
    expect(callable(answer), "give the function itself: einstein_radius, without brackets.")
    sigma, d_s, d_ls = 220.0, 1700.0, 1100.0
    value = float(answer(sigma, d_s, d_ls))
    right = _einstein(sigma, d_s, d_ls)
    for wrong, hint in (
        (right / _ARCSEC, "that is in radians; the sky is measured in arcseconds."),
        (right / _ARCSEC * 180 / np.pi, "that is in degrees; 3600 arcseconds make one."),
        (right / (d_ls / d_s) ** 2, "distances upside down: the farther the source is behind "
         "the lens, the larger the ring."),
        (right / (d_ls / d_s), "that is the bend itself; seen from here it shrinks by the ratio "
         "of two distances."),
        (_einstein(np.sqrt(sigma * _LIGHT_KM_S), d_s, d_ls), "the velocity counts squared: the "
         "bend is that of a potential."),
        (right / 2, "half of it: that is Newton's bend, and Einstein's is twice as large."),
        (right / 4, "a factor of four is missing: it stands before the pi."),
        (right / np.pi, "a factor of pi is missing: the circle holds the mass pi sigma^2 xi / G."),
    ):  # fmt: skip
        expect(not np.isclose(value, wrong, rtol=1e-6), hint)
    expect(
        np.isclose(float(answer(2 * sigma, d_s, d_ls)), 4 * value, rtol=1e-6),
        "twice the velocity should give four times the radius; yours does not.",
    )
    expect_close(value, right, "220 km/s, 1700 and 1100 Mpc give 0.91 arcseconds or so.",
                 rtol=2e-3)  # fmt: skip
    expect_close(float(answer(sigma, 1500.0, 400.0)), _einstein(sigma, 1500.0, 400.0),
                 "right for 1700 and 1100 Mpc, wrong for 1500 and 400: how do the distances enter?",
                 rtol=2e-3)  # fmt: skip


def _bottleneck(filters: int, ratio: int) -> int:
    narrow = filters // ratio
    kernels = filters * narrow + 9 * narrow**2 + narrow * filters
    return kernels + 2 * (filters + narrow + narrow)


def _check_bottleneck(answer: Any) -> None:
    expect(callable(answer), "give the function itself: unit_parameters, without brackets.")
    value = float(answer(96, 3))
    right, narrow = _bottleneck(96, 3), 32
    for wrong, hint in (
        (right - 2 * (96 + 2 * narrow) + 6 * 96, "after the squeeze there are fewer features to "
         "normalize."),
        (right - 2 * (96 + 2 * narrow), "those are the kernels; each normalization also learns "
         "a gain and an offset for every feature it sees."),
        (right + 2 * (96 + 2 * narrow), "four numbers for each normalized feature: two of them, "
         "the running mean and variance, are measured and not learned."),
        (right - 8 * narrow**2, "the middle kernel is three by three; you counted one pixel."),
        (right + 2 * narrow + 96, "the convolutions have no biases here: the normalization that "
         "follows would take them away again."),
        (2 * 9 * 96**2 + 4 * 96, "that is a unit of two plain 3x3 convolutions, without the "
         "squeeze."),
    ):  # fmt: skip
        expect(not np.isclose(value, wrong, rtol=1e-9), hint)
    expect_close(value, right, "filters 96 and ratio 3: three kernels between 96, 32, 32 and 96 "
           "features, and three normalizations.")  # fmt: skip
    expect_close(float(answer(32, 2)), _bottleneck(32, 2),
                 "right for 96 and 3, wrong for 32 and 2.")  # fmt: skip


def _half_turn(x: Any) -> Any:
    return (x - x[:, ::-1, ::-1]) / np.sqrt(2)


def _check_half_turn(answer: Any) -> None:
    expect(callable(answer), "give the function itself: half_turn, without brackets.")
    rng = np.random.default_rng(7)
    images = rng.normal(size=(40, 6, 6, 2))
    right = _half_turn(images)
    value = np.asarray(answer(images.copy()), dtype=float)
    expect(value.shape == images.shape, f"the shape is {value.shape}, it should stay "
           f"{images.shape}.")  # fmt: skip
    for wrong, hint in (
        (right * np.sqrt(2), "the right difference, but its noise is larger than one: divide by "
         "what two independent noises add up to."),
        (right / np.sqrt(2), "noises add in squares: the difference of two is not twice as loud."),
        (-right, "turn the sign: an arc should stay bright where it is."),
        (_mirror(images), "that is a mirror: a tilted ellipse is not its own mirror image."),
        (_reversed_all(images), "you turned the list of galaxies or the bands as well."),
        (_quarter(images), "a quarter turn: an ellipse does not survive that, only a circle."),
    ):  # fmt: skip
        expect(not np.allclose(value, wrong), hint)
    symmetric = images + images[:, ::-1, ::-1]
    expect_close(np.asarray(answer(symmetric.copy())), 0 * symmetric, "a picture with point "
                 "symmetry should vanish.", atol=1e-6)  # fmt: skip
    expect_close(value, right, "neither shape nor symmetry is wrong; is it x minus its half turn, "
                 "over the root of two?", rtol=1e-3, atol=1e-3)  # fmt: skip


def _mirror(x: Any) -> Any:
    return (x - x[:, :, ::-1]) / np.sqrt(2)


def _reversed_all(x: Any) -> Any:
    return (x - x[::-1, ::-1, ::-1]) / np.sqrt(2)


def _quarter(x: Any) -> Any:
    return (x - np.rot90(x, axes=(1, 2))) / np.sqrt(2)


def _completeness(lens: Any, other: Any, rejection: float = 0.99) -> float:
    return float(np.mean(lens > np.quantile(other, rejection)))


def _check_completeness(answer: Any) -> None:
    expect(callable(answer), "give the function itself: kept, without brackets.")
    rng = np.random.default_rng(8)
    lens, other = rng.normal(1.0, 1, 4_000), -2.5 + rng.gumbel(0, 0.8, 20_000)
    value = float(answer(lens, other, 0.99))
    found = _completeness
    for wrong, hint in (
        (found(lens, np.concatenate([lens, other])), "your threshold is a quantile of all scores: "
         "then it depends on how many lenses are in the sample."),
        (found(lens, lens), "your threshold rejects 99 % of the lenses; it should be set by what "
         "is not a lens."),
        (found(lens, other, 0.01), "you reject one per cent and keep the rest: the other tail."),
        (1 - found(lens, other), "that is the share of the lenses that is lost."),
        (float(np.mean(lens > 0.99)), "0.99 is a share of the non-lenses, not a score."),
        (float(np.mean(lens > other.mean() + 2.3263 * other.std())), "scores are not Gaussian; "
         "count them."),
        (_purity(lens, other), "that is the share of the candidates that are lenses; it changes "
         "with their number."),
    ):  # fmt: skip
        expect(not np.isclose(value, wrong, atol=2e-4), hint)
    expect(np.isclose(float(answer(3 * lens + 1, 3 * other + 1, 0.99)), value, atol=1e-3),
           "stretch all scores alike and nothing should change; yours does.")  # fmt: skip
    expect_close(value, found(lens, other), "set the threshold so that one non-lens in a hundred "
                 "lies above, then count lenses.", atol=2e-3)  # fmt: skip
    expect_close(float(answer(lens, other, 0.9)), found(lens, other, 0.9), "right at 99 %, wrong "
                 "at 90 %: is the rejection used?", atol=2e-3)  # fmt: skip


def _purity(lens: Any, other: Any) -> float:
    cut = np.quantile(other, 0.99)
    return float(np.sum(lens > cut) / (np.sum(lens > cut) + np.sum(other > cut)))


def _posterior(score: Any, prevalence: float) -> Any:
    odds = score / (1 - score) * prevalence / (1 - prevalence)
    return odds / (1 + odds)


def _check_posterior(answer: Any) -> None:
    expect(callable(answer), "give the function itself: in_the_survey, without brackets.")
    score, rare = np.array([0.2, 0.5, 0.9, 0.999]), 1e-4

    def ask(prevalence: float) -> Any:
        return np.array([float(answer(float(one), prevalence)) for one in score])

    value = ask(rare)
    odds = score / (1 - score) * rare / (1 - rare)
    for wrong, hint in (
        (odds, "those are odds; a probability is odds over one plus odds."),
        (score * rare, "a product of two probabilities treats them as independent events; "
         "multiply odds."),
        (score, "the score is right where half the galaxies are lenses, as in training; here "
         "they are rare."),
        (_posterior(score, 1 - rare), "you raised every score: the rarer the lens, the less a "
         "score is worth."),
    ):  # fmt: skip
        expect(not np.allclose(value, wrong, rtol=1e-6), hint)
    expect_close(ask(0.5), score, "with half the galaxies lenses nothing "
                 "should change: that is how the network was trained.")  # fmt: skip
    expect_close(value, _posterior(score, rare), "a score of 0.5 is no evidence either way: it "
                 "should return the prevalence.", rtol=1e-6)  # fmt: skip


EXERCISES = {
    "einstein_radius": Exercise(
        _check_einstein,
        lambda: _einstein,
        {
            "in radians": (
                lambda: lambda s, ds, dls: _einstein(s, ds, dls) / _ARCSEC,
                "in radians",
            ),
            "distances swapped": (
                lambda: lambda s, ds, dls: _einstein(s, dls, ds),
                "distances upside down",
            ),
            "no distances": (
                lambda: lambda s, ds, dls: _einstein(s, 1.0, 1.0),
                "seen from here it shrinks",
            ),
            "velocity not squared": (
                lambda: lambda s, ds, dls: _einstein(np.sqrt(s * _LIGHT_KM_S), ds, dls),
                "the velocity counts squared",
            ),
        },
        "Right. Measure a ring and two redshifts, and you have weighed a galaxy.",
    ),
    "unit_parameters": Exercise(
        _check_bottleneck,
        lambda: _bottleneck,
        {
            "kernels only": (
                lambda: lambda f, r: _bottleneck(f, r) - 2 * (f + 2 * (f // r)),
                "a gain and an offset",
            ),
            "running statistics too": (
                lambda: lambda f, r: _bottleneck(f, r) + 2 * (f + 2 * (f // r)),
                "measured and not learned",
            ),
            "one pixel in the middle": (
                lambda: lambda f, r: _bottleneck(f, r) - 8 * (f // r) ** 2,
                "three by three",
            ),
            "with biases": (
                lambda: lambda f, r: _bottleneck(f, r) + 2 * (f // r) + f,
                "have no biases here",
            ),
        },
        "Right. Two plain convolutions of 64 features would need sixteen times as many.",
    ),
    "half_turn": Exercise(
        _check_half_turn,
        lambda: _half_turn,
        {
            "noise too loud": (lambda: lambda x: x - x[:, ::-1, ::-1], "larger than one"),
            "a mirror": (lambda: _mirror, "that is a mirror"),
            "a quarter turn": (lambda: _quarter, "a quarter turn"),
            "the list reversed": (lambda: _reversed_all, "list of galaxies"),
        },
        "Right. It is odd under the half turn, so the network sees every arc twice, once negative.",
    ),
    "completeness": Exercise(
        _check_completeness,
        lambda: _completeness,
        {
            "quantile of everything": (
                lambda: lambda a, b, r=0.99: _completeness(a, np.concatenate([a, b]), r),
                "of all scores",
            ),
            "quantile of the lenses": (
                lambda: lambda a, b, r=0.99: _completeness(a, a, r),
                "99 % of the lenses",
            ),
            "the other tail": (
                lambda: lambda a, b, r=0.99: _completeness(a, b, 1 - r),
                "the other tail",
            ),
            "a score of 0.99": (lambda: lambda a, b, r=0.99: float(np.mean(a > r)), "not a score"),
            "purity": (lambda: lambda a, b, r=0.99: _purity(a, b), "changes with their number"),
        },
        "Right. Neither a rescaled score nor another number of lenses changes it.",
    ),
    "in_the_survey": Exercise(
        _check_posterior,
        lambda: _posterior,
        {
            "odds": (
                lambda: lambda p, pi: p / (1 - p) * pi / (1 - pi),
                "odds over one plus odds",
            ),
            "a product": (lambda: lambda p, pi: p * pi, "treats them as independent"),
            "the score itself": (lambda: lambda p, pi: p, "as in training"),
            "the wrong way": (lambda: lambda p, pi: _posterior(p, 1 - pi), "raised every score"),
        },
        "Right. Only a score beyond 0.9999 beats even odds there.",
    ),
}
