"""Exercises of the chapter *Validation Curves*."""

from typing import Any

import numpy as np

from firstlight.exercises.engine import Exercise, expect, expect_close

__all__ = ["EXERCISES"]

_KEY = {
    "A": "network too small",
    "B": "leak",
    "C": "overfitting",
    "D": "step too short",
    "E": "validation set too small",
    "F": "healthy",
    "G": "step too long",
    "H": "labels mixed up",
}
_LOOK = {
    "A": "both curves are high, flat and together: data or patience would not help.",
    "B": "near zero, on a sky where nobody gets below 0.4. Which galaxies is it shown?",
    "C": "the curves part, and the blue one turns upward while the other goes on falling.",
    "D": "both are still falling, smoothly and slowly. What would make them fall faster?",
    "E": "the training curve is smooth, only the blue one jumps. How many galaxies judge it?",
    "F": "both fall, level off low, and stay close. Must something be wrong?",
    "G": "it never leaves the coin, not even on galaxies that it has seen many times.",
    "H": "compare it with C: does blue ever come below the coin? What is there to learn?",
}


def _check_diagnose(answer: Any) -> None:
    expect(isinstance(answer, dict), "give a dictionary, from each letter to a diagnosis.")
    missing = sorted(set(_KEY) - set(answer))
    expect(not missing, f"no diagnosis yet for {', '.join(missing)}.")
    unknown = sorted({str(word) for word in answer.values()} - set(_KEY.values()))
    expect(not unknown, f"not among the eight diagnoses: {', '.join(unknown)}. Mind the spelling.")
    for letter, word in _KEY.items():
        expect(answer[letter] == word, f"look at {letter} again: {_LOOK[letter]}")


def _check_scale(answer: Any) -> None:
    expect(callable(answer), "give the function itself: scale, without brackets.")
    random = np.random.default_rng(3)
    train, test = random.normal(5, 2, (40, 3)), random.normal(6, 3, (30, 3))
    got = answer(train, test)
    expect(isinstance(got, tuple | list) and len(got) == 2, "give two arrays: train and test.")
    ours, theirs = (np.asarray(part, dtype=float) for part in got)
    mean, std = train.mean(axis=0), train.std(axis=0)
    both = np.concatenate([train, test])
    expect(
        not np.allclose(ours, (train - both.mean(axis=0)) / both.std(axis=0)),
        "the mean and the scatter contain the test set: it has had a say in the training.",
    )
    expect(
        not np.allclose(ours, (train - train.mean()) / train.std()),
        "one number for all features; a magnitude and a radius need their own.",
    )
    expect_close(
        ours, (train - mean) / std, "subtract the mean of each feature, divide by its std."
    )
    expect(
        not np.allclose(theirs, (test - test.mean(axis=0)) / test.std(axis=0)),
        "the test set was scaled by itself: a survey that is half a magnitude deeper would look "
        "the same as yours.",
    )
    expect_close(theirs, (test - mean) / std, "the test set gets the training set's two numbers.")
    train[:, 1], test[:, 1] = 7.0, 7.0
    with np.errstate(all="ignore"):
        ours, theirs = (np.asarray(part, dtype=float) for part in answer(train, test))
    expect(
        bool(np.isfinite(ours).all() and np.isfinite(theirs).all()),
        "a feature that never changes has std zero, and you divide by it.",
    )
    expect_close(theirs[:, 1], np.zeros(30), "a feature that never changes should stay at zero.")


def _check_split(answer: Any) -> None:
    expect(callable(answer), "give the function itself: split, without brackets.")
    random = np.random.default_rng(4)
    group = random.permutation(np.repeat(np.arange(100, 120), random.integers(1, 30, 20)))
    got = np.asarray(answer(group, 0.25, 1))
    expect(
        got.shape == group.shape,
        f"the shape is {got.shape}, it should be {group.shape}: one answer for each row.",
    )
    expect(got.dtype == bool, "give True or False for each row.")
    torn = [night for night in np.unique(group) if len(set(got[group == night])) > 1]
    expect(not torn, f"{len(torn)} of 20 nights stand on both sides: that is the leak.")
    n_test = len(np.unique(group[got]))
    expect(n_test != 15, "fifteen nights of twenty are for testing: True should mean the test set.")
    expect(n_test == 5, f"{n_test} nights are for testing; a quarter of twenty is five.")
    same = np.asarray(answer(group, 0.25, 1))
    expect(bool((same == got).all()), "the same seed gives another split; who draws the lots?")
    drawn = {tuple(np.unique(group[np.asarray(answer(group, 0.25, s))])) for s in range(12)}
    expect(len(drawn) > 6, "always the same nights: draw them at random, from the seed.")


def _check_stop(answer: Any) -> None:
    expect(callable(answer), "give the function itself: stop, without brackets.")
    cases = (
        ([0.5, 0.6, 0.4, 0.45, 0.46, 0.47], 2, (2, 4)),
        ([0.9, 0.8, 0.7, 0.6], 2, (3, 3)),
        ([0.9, 0.7, 0.6, 0.65, 0.64, 0.66, 0.5], 3, (2, 5)),
    )
    for losses, patience, wanted in cases:
        got = answer(list(losses), patience)
        expect(
            isinstance(got, tuple | list) and len(got) == 2, "give two numbers: kept and stopped."
        )
        kept, stopped = int(got[0]), int(got[1])
        best = int(np.argmin(losses))
        expect(
            not (kept == best != wanted[0]),
            f"epoch {best} comes after the stop at {wanted[1]}: it was never trained.",
        )
        expect(
            not (kept == wanted[1] != wanted[0]),
            "you keep the last weights; early stopping goes back to the best.",
        )
        expect(kept == wanted[0], f"for {losses} the weights of epoch {wanted[0]} are kept.")
        expect(
            stopped != wanted[1] + 1,
            f"one epoch too long: patience {patience} means {patience} epochs without a new low.",
        )
        expect(stopped == wanted[1], f"for {losses} with patience {patience} it stops at "
               f"{wanted[1]}, not {stopped}. Count from the last new low.")  # fmt: skip


def _check_needed(answer: Any) -> None:
    expect(callable(answer), "give the function itself: needed, without brackets.")
    a, b, c = 3.0, 0.5, 0.4
    got = float(answer(0.5, a, b, c))
    expect(abs(got - (a / 0.5) ** (1 / b)) > 1e-6, "the floor: only what lies above c falls.")
    expect(
        abs(got - (0.1 / a) ** (1 / b)) > 1e-9, "less than one galaxy? The fraction is upside down."
    )
    expect(abs(got - (a / 0.1) ** b) > 1e-6, "to undo a power b, raise to 1/b.")
    expect_close(got, 900.0, "solve c + a N^(-b) = target for N.", rtol=1e-6)
    for target in (0.4, 0.3):
        try:
            with np.errstate(all="ignore"):
                below = answer(target, a, b, c)
        except ZeroDivisionError:
            below = None
        lost = below is None or isinstance(below, complex) or not np.isposinf(float(below))
        expect(not lost, f"a target of {target} with a floor of {c} is never reached: infinity.")


def _best_of(n: int) -> float:
    from scipy import stats

    z = np.linspace(-8, 8, 4_001)
    return float(np.trapezoid(z * n * stats.norm.pdf(z) * stats.norm.cdf(z) ** (n - 1), z))


def _check_optimism(answer: Any) -> None:
    expect(callable(answer), "give the function itself: optimism, without brackets.")
    n, e, t = 50, 0.04, 0.03
    got, expected = float(answer(n, e, t)), _best_of(n)
    expect(
        abs(got / (e * expected) - 1) > 1e-3,
        "that would be right if all networks were equally good; here some of the excess is real.",
    )
    expect(
        abs(got / (np.hypot(e, t) * expected) - 1) > 1e-3,
        "that is the whole excess of the winner; which share of it is luck?",
    )
    expect(
        abs(got / (t**2 / np.hypot(e, t) * expected) - 1) > 1e-3,
        "that is the true gain; the luck is the other part.",
    )
    expect(
        abs(got / (e**2 / np.hypot(e, t) * np.sqrt(2 * np.log(n))) - 1) > 1e-3,
        "the root of 2 ln N is the limit for very large N; at fifty it is a quarter too much.",
    )
    expect_close(
        got, e**2 / np.hypot(e, t) * expected, "the excess s E_N, times sigma_e^2 / s^2.", rtol=1e-3
    )
    expect_close(float(answer(1, e, t)), 0.0, "one network: nothing was chosen.", atol=1e-6)


def _scale(train: Any, test: Any) -> Any:
    mean, std = train.mean(axis=0), train.std(axis=0)
    std = np.where(std > 0, std, 1)
    return (train - mean) / std, (test - mean) / std


def _scale_by_all(train: Any, test: Any) -> Any:
    both = np.concatenate([train, test])
    return tuple((part - both.mean(axis=0)) / both.std(axis=0) for part in (train, test))


def _scale_each(train: Any, test: Any) -> Any:
    return tuple((part - part.mean(axis=0)) / part.std(axis=0) for part in (train, test))


def _scale_once(train: Any, test: Any) -> Any:
    return tuple((part - train.mean()) / train.std() for part in (train, test))


def _scale_bare(train: Any, test: Any) -> Any:
    return tuple((part - train.mean(axis=0)) / train.std(axis=0) for part in (train, test))


def _split(group: Any, share: float, seed: int) -> Any:
    names = np.unique(group)
    random = np.random.default_rng(seed)
    return np.isin(group, random.choice(names, round(share * len(names)), replace=False))


def _split_rows(group: Any, share: float, seed: int) -> Any:
    return np.random.default_rng(seed).random(len(group)) < share


def _split_first(group: Any, share: float, seed: int) -> Any:
    names = np.unique(group)
    return np.isin(group, names[: round(share * len(names))])


def _stop(losses: Any, patience: int) -> tuple[int, int]:
    kept = epoch = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[kept]:
            kept = epoch
        if epoch - kept >= patience:
            break
    return kept, epoch


def _stop_late(losses: Any, patience: int) -> tuple[int, int]:
    kept, stopped = _stop(losses, patience + 1)
    return kept, stopped


def _stop_all(losses: Any, patience: int) -> tuple[int, int]:
    return int(np.argmin(losses)), _stop(losses, patience)[1]


def _stop_last(losses: Any, patience: int) -> tuple[int, int]:
    stopped = _stop(losses, patience)[1]
    return stopped, stopped


def _needed(target: float, a: float, b: float, c: float) -> float:
    return float((a / (target - c)) ** (1 / b)) if target > c else float("inf")


def _optimism(n: int, e: float, t: float) -> float:
    return float(e**2 / np.hypot(e, t) * _best_of(n))


EXERCISES = {
    "diagnose": Exercise(
        check=_check_diagnose,
        right=lambda: dict(_KEY),
        praise="Right, all eight. Now look at your own.",
        wrong={
            "small and slow": (
                lambda: {**_KEY, "A": "step too short", "D": "network too small"},
                "high, flat and together",
            ),
            "leak as healthy": (lambda: {**_KEY, "B": "healthy"}, "Which galaxies is it shown"),
            "slow as healthy": (lambda: {**_KEY, "D": "healthy"}, "still falling"),
            "jumping blamed on the step": (lambda: {**_KEY, "E": "step too long"}, "judge it"),
            "mixed labels as overfitting": (
                lambda: {**_KEY, "H": "overfitting"},
                "ever come below the coin",
            ),
            "incomplete": (lambda: {"A": "network too small"}, "no diagnosis yet"),
            "other words": (lambda: {**_KEY, "C": "over-fitting"}, "Mind the spelling"),
        },
    ),
    "scale": Exercise(
        check=_check_scale,
        right=lambda: _scale,
        praise="Right. Keep the two numbers with the model; its next user needs them.",
        wrong={
            "all data": (lambda: _scale_by_all, "had a say"),
            "each by itself": (lambda: _scale_each, "scaled by itself"),
            "one number": (lambda: _scale_once, "need their own"),
            "division by zero": (lambda: _scale_bare, "you divide by it"),
        },
    ),
    "split": Exercise(
        check=_check_split,
        right=lambda: _split,
        praise="Right. scikit-learn calls it GroupShuffleSplit.",
        wrong={
            "by row": (lambda: _split_rows, "on both sides"),
            "always the first": (lambda: _split_first, "always the same nights"),
            "upside down": (
                lambda: lambda group, share, seed: ~_split(group, share, seed),
                "should mean the test set",
            ),
        },
    ),
    "stop": Exercise(
        check=_check_stop,
        right=lambda: _stop,
        praise="Right: this is what Keras's EarlyStopping does, with restore_best_weights.",
        wrong={
            "looks into the future": (lambda: _stop_all, "was never trained"),
            "last weights": (lambda: _stop_last, "goes back to the best"),
            "one too long": (lambda: _stop_late, "one epoch too long"),
        },
    ),
    "needed": Exercise(
        check=_check_needed,
        right=lambda: _needed,
        praise="Right, and now you can answer the survey.",
        wrong={
            "no floor": (lambda: lambda target, a, b, c: (a / target) ** (1 / b), "the floor"),
            "upside down": (
                lambda: lambda target, a, b, c: ((target - c) / a) ** (1 / b),
                "upside down",
            ),
            "wrong power": (
                lambda: lambda target, a, b, c: (a / (target - c)) ** b,
                "undo a power",
            ),
            "no infinity": (
                lambda: lambda target, a, b, c: (a / (target - c)) ** (1 / b),
                "never reached",
            ),
        },
    ),
    "optimism": Exercise(
        check=_check_optimism,
        right=lambda: _optimism,
        praise="Right. Write N beside the score and let the reader do this sum.",
        wrong={
            "all equal": (lambda: lambda n, e, t: e * _best_of(n), "if all networks were equally"),
            "whole excess": (lambda: lambda n, e, t: np.hypot(e, t) * _best_of(n), "whole excess"),
            "the gain": (
                lambda: lambda n, e, t: t**2 / np.hypot(e, t) * _best_of(n),
                "the true gain",
            ),
            "the limit": (
                lambda: lambda n, e, t: e**2 / np.hypot(e, t) * np.sqrt(2 * np.log(n)),
                "for very large N",
            ),
        },
    ),
}
