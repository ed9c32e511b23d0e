"""Exercises of the chapter *Mergers*."""

from typing import Any

import numpy as np

from firstlight.evaluation.transfer_tests import corrected_fraction, paired_test
from firstlight.exercises.engine import Exercise, expect, expect_close

__all__ = ["EXERCISES"]


def _pull(star: Any, centers: Any, mass: Any, softening: float) -> Any:
    gap = np.asarray(centers) - np.asarray(star)
    cubed = ((gap**2).sum(axis=1) + softening**2) ** 1.5
    return (np.asarray(mass)[:, None] * gap / cubed[:, None]).sum(axis=0)


def _check_pull(answer: Any) -> None:
    expect(callable(answer), "give the function itself: pull, without brackets.")
    star = np.array([0.5, -0.2, 0.1])
    centers, mass, a = np.array([[0.0, 0.0, 0.0], [2.0, 1.0, -0.5]]), np.array([1.0, 0.4]), 0.3
    got = np.asarray(answer(star, centers, mass, a), float)
    expect(got.shape == (3,), "one star, one acceleration: three numbers.")
    right = _pull(star, centers, mass, a)
    expect(not np.allclose(got, -right), "the star flees; it should fall toward the centers.")
    expect(
        not np.allclose(got, _pull(star, centers[:1], mass[:1], a)),
        "only the first galaxy pulls; a tide needs both.",
    )
    expect(
        not np.allclose(got, _pull(star, centers, np.ones(2), a)),
        "the second galaxy is lighter: mind the masses.",
    )
    expect(
        not np.allclose(got, _pull(star, centers, mass, 1e-9)),
        "nothing softens the centers: a star that passes one would be flung out of the picture.",
    )
    gap = centers - star
    plain = (gap**2).sum(axis=1) + a
    expect(
        not np.allclose(got, (mass[:, None] * gap / plain[:, None] ** 1.5).sum(axis=0)),
        "the softening is a length: it enters squared, beside the squared gap.",
    )
    square = (gap**2).sum(axis=1) + a**2
    expect(
        not np.allclose(got, (mass[:, None] * gap / square[:, None]).sum(axis=0)),
        "gap over its square falls as one over distance; gravity needs the power 3/2.",
    )
    expect_close(got, right, "mass times gap over (gap squared plus softening squared)^(3/2).")


def _split(encounter: Any, share: float, seed: int) -> Any:
    known = np.unique(encounter)
    chosen = np.random.default_rng(seed).permutation(known)[: round(share * len(known))]
    return np.isin(encounter, chosen)


def _check_split(answer: Any) -> None:
    expect(callable(answer), "give the function itself: split, without brackets.")
    encounter = np.repeat(np.arange(40), 5)
    encounter = np.random.default_rng(5).permutation(encounter)
    test = np.asarray(answer(encounter, 0.25, 3))
    expect(
        test.shape == encounter.shape and test.dtype == bool,
        "give True or False for every scene.",
    )
    shared = set(encounter[test]) & set(encounter[~test])
    expect(not shared, "an encounter stands on both sides: the network can recognize it.")
    expect(test.any() and not test.all(), "one of the two sides is empty.")
    expect(abs(test.mean() - 0.25) < 0.02, "the test should hold the share of encounters asked.")
    other = np.asarray(answer(encounter, 0.25, 4))
    expect(not np.array_equal(test, other), "the seed changes nothing: draw the encounters.")
    again = np.asarray(answer(encounter, 0.25, 3))
    expect(np.array_equal(test, again), "the same seed should give the same split.")


def _check_flips(answer: Any) -> None:
    expect(callable(answer), "give the function itself: p_value, without brackets.")
    first = np.array([0.130, 0.118, 0.125, 0.140, 0.121, 0.127, 0.124])
    second = np.array([0.110, 0.116, 0.110, 0.128, 0.131, 0.109, 0.125])
    got = float(answer(first, second))
    gap = first - second
    n = len(gap)
    signs = 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
    means = signs @ gap / n
    one = np.mean(means >= gap.mean() * (1 - 1e-12))
    right = paired_test(first, second).p_value
    expect(0 <= got <= 1, "a p-value is a share, from zero to one.")
    expect(
        not np.isclose(got, one) or np.isclose(one, right),
        "only one side: a loss as large would have surprised you as much.",
    )
    expect(
        not np.isclose(got, np.mean(np.abs(means) > np.abs(gap.mean()) * (1 + 1e-12))),
        "count the pattern that happened, too: at least as large, not larger.",
    )
    from scipy import stats

    expect(
        not np.isclose(got, stats.ttest_ind(first, second).pvalue),
        "the seeds are the same for both: compare them in pairs.",
    )
    expect(
        not np.isclose(got, stats.ttest_rel(first, second).pvalue),
        "that is Student's test, which assumes normal differences: try all signs instead.",
    )
    plus = int((gap > 0).sum())
    for ranks in (stats.wilcoxon(first, second).pvalue, stats.binomtest(plus, n).pvalue):
        expect(
            not np.isclose(got, ranks),
            "that uses only ranks or signs: keep the sizes of the differences, flip their signs.",
        )
    expect_close(got, right, "the share of all patterns of signs with a mean at least as large.")


def _check_fraction(answer: Any) -> None:
    expect(callable(answer), "give the function itself: true_share, without brackets.")
    for share, complete, false in ((0.17, 0.85, 0.1), (0.12, 0.8, 0.1), (0.08, 0.85, 0.05)):
        got = float(answer(share, complete, false))
        expect(not np.isclose(got, share / complete), "what of the false alarms among them?")
        expect(not np.isclose(got, share - false), "some mergers were missed as well.")
        expect(
            not np.isclose(got, (share - false) / complete),
            "false alarms come from those that are *not* mergers, and these are fewer than all.",
        )
        expect(
            not np.isclose(got, (share - false) / (complete + false)),
            "mind the sign: a true merger adds C and takes away F.",
        )
        right = corrected_fraction(round(share * 10**6), 10**6, round(complete * 10**6), 10**6,
                                   round(false * 10**6), 10**6).value  # fmt: skip
        expect_close(got, right, "solve share = f C + (1 - f) F for f.")


def _check_purity(answer: Any) -> None:
    expect(callable(answer), "give the function itself: purity, without brackets.")
    for f, complete, false in ((0.02, 0.8, 0.1), (0.05, 0.7, 0.02)):
        got = float(answer(f, complete, false))
        right = f * complete / (f * complete + (1 - f) * false)
        even = complete / (complete + false)
        expect(
            not np.isclose(got, even),
            "that is the purity of a sample half of mergers; the sky holds few.",
        )
        expect(
            not np.isclose(got, 1 - false),
            "one minus the false-alarm rate is about non-mergers, not about those called.",
        )
        expect(
            not np.isclose(got, f * complete / (f * complete + false)),
            "only the others, a share 1 - f, give false alarms.",
        )
        expect(
            not np.isclose(got, f / (f * complete + (1 - f) * false)),
            "above the line as below: only the share C of the mergers is called.",
        )
        expect(
            not np.isclose(got, 1 - right),
            "that is the share of false ones among the called: purity counts the true ones.",
        )
        expect_close(got, right, "true ones over all that were called.")


def _p_value(first: Any, second: Any) -> float:
    return paired_test(first, second).p_value


EXERCISES = {
    "pull": Exercise(
        check=_check_pull,
        right=lambda: _pull,
        praise="Right. With two lines more it moves, and you have Toomre and Toomre's program.",
        wrong={
            "away": (lambda: lambda s, c, m, a: -_pull(s, c, m, a), "the star flees"),
            "one galaxy": (lambda: lambda s, c, m, a: _pull(s, c[:1], m[:1], a), "a tide needs"),
            "equal masses": (lambda: lambda s, c, m, a: _pull(s, c, np.ones(2), a), "is lighter"),
            "not softened": (lambda: lambda s, c, m, a: _pull(s, c, m, 1e-9), "nothing softens"),
            "softening not squared": (
                lambda: (
                    lambda s, c, m, a: (
                        m[:, None] * (c - s) / (((c - s) ** 2).sum(axis=1) + a)[:, None] ** 1.5
                    ).sum(axis=0)
                ),
                "enters squared",
            ),
            "wrong power": (
                lambda: (
                    lambda s, c, m, a: (
                        m[:, None] * (c - s) / (((c - s) ** 2).sum(axis=1) + a**2)[:, None]
                    ).sum(axis=0)
                ),
                "power 3/2",
            ),
        },
    ),
    "split": Exercise(
        check=_check_split,
        right=lambda: _split,
        praise="Right. Groups first, then rows: so for galaxies, for nights, for patients.",
        wrong={
            "by scene": (
                lambda: lambda e, share, seed: np.random.default_rng(seed).random(len(e)) < share,
                "on both sides",
            ),
            "always the first": (
                lambda: lambda e, share, seed: e < np.quantile(e, share),
                "the seed changes nothing",
            ),
            "half": (lambda: lambda e, share, seed: _split(e, 0.5, seed), "the share of"),
            "empty": (lambda: lambda e, share, seed: np.zeros(len(e), bool), "is empty"),
        },
    ),
    "flips": Exercise(
        check=_check_flips,
        right=lambda: _p_value,
        praise="Right. No normal distribution was assumed, only that the labels might be swapped.",
        wrong={
            "one side": (
                lambda: (
                    lambda a, b: float(
                        np.mean(
                            (1 - 2 * ((np.arange(128)[:, None] >> np.arange(7)) & 1)) @ (a - b)
                            >= (a - b).sum() * (1 - 1e-12)
                        )
                    )
                ),
                "only one side",
            ),
            "strictly larger": (
                lambda: (
                    lambda a, b: float(
                        np.mean(
                            np.abs(
                                (1 - 2 * ((np.arange(128)[:, None] >> np.arange(7)) & 1)) @ (a - b)
                            )
                            > abs((a - b).sum()) * (1 + 1e-12)
                        )
                    )
                ),
                "count the pattern that happened",
            ),
            "not paired": (
                lambda: lambda a, b: float(__import__("scipy.stats").stats.ttest_ind(a, b).pvalue),
                "compare them in pairs",
            ),
            "student": (
                lambda: lambda a, b: float(__import__("scipy.stats").stats.ttest_rel(a, b).pvalue),
                "Student's test",
            ),
            "ranks": (
                lambda: lambda a, b: float(__import__("scipy.stats").stats.wilcoxon(a, b).pvalue),
                "only ranks or signs",
            ),
        },
    ),
    "fraction": Exercise(
        check=_check_fraction,
        right=lambda: lambda share, complete, false: (share - false) / (complete - false),
        praise="Right. The smaller the true share, the more the false alarms decide.",
        wrong={
            "completeness only": (lambda: lambda s, c, f: s / c, "what of the false alarms"),
            "alarms only": (lambda: lambda s, c, f: s - f, "some mergers were missed"),
            "alarms from all": (lambda: lambda s, c, f: (s - f) / c, "that are *not* mergers"),
            "plus": (lambda: lambda s, c, f: (s - f) / (c + f), "mind the sign"),
        },
    ),
    "purity": Exercise(
        check=_check_purity,
        right=lambda: lambda f, c, a: f * c / (f * c + (1 - f) * a),
        praise="Right. Completeness belongs to the classifier, purity to the sky it looks at.",
        wrong={
            "even sample": (lambda: lambda f, c, a: c / (c + a), "half of mergers"),
            "specificity": (lambda: lambda f, c, a: 1 - a, "about non-mergers"),
            "alarms from all": (lambda: lambda f, c, a: f * c / (f * c + a), "a share 1 - f"),
            "all mergers": (
                lambda: lambda f, c, a: f / (f * c + (1 - f) * a),
                "above the line as below",
            ),
            "impurity": (
                lambda: lambda f, c, a: (1 - f) * a / (f * c + (1 - f) * a),
                "the share of false ones",
            ),
        },
    ),
}
