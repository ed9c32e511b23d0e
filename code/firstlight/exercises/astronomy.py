"""Exercises of the chapter *Deep Learning in Astronomy*."""

from collections.abc import Callable
from typing import Any

import numpy as np

from firstlight.exercises.engine import Exercise, expect, expect_close

__all__ = ["EXERCISES"]


def _check_log_growth(answer: Any) -> None:
    expect(callable(answer), "give the function itself: log_growth, without brackets.")
    given = answer(100.0, 400.0)
    expect(
        isinstance(given, tuple | list) and len(given) == 2,
        "give two things: the growth and its standard error.",
    )
    growth, error = float(given[0]), float(given[1])
    expect(abs(growth - 4) > 1e-9, "that is the ratio itself; its logarithm is asked for.")
    expect(abs(growth + np.log(4)) > 1e-9, "the sign: growth is positive if the later count is.")
    expect_close(growth, np.log(4), "try 100 and 400: the logarithm of their ratio is ln 4.")
    expect(
        abs(error - np.sqrt(500)) > 1e-9,
        "that is the error of the difference of the counts, in papers; a logarithm has no unit.",
    )
    expect(abs(error - 0.0125) > 1e-9, "that is the variance; a standard error is its root.")
    expect(
        abs(error - 0.15) > 1e-9,
        "errors of independent counts add in square, so the sum is smaller than you say.",
    )
    expect_close(error, np.sqrt(0.0125), "the variances of the two logarithms, 1/n each, add.")


def _check_poisson_fit(answer: Any) -> None:
    expect(callable(answer), "give the function itself: fit_growth, without brackets.")
    years, counts = np.arange(2015, 2022), np.array([1, 4, 12, 48, 104, 152, 205])
    rate = float(answer(years, counts))
    expect(
        abs(rate - _log_slope(years, counts)) > 1e-4,
        "that is the straight line through the logarithms, which trusts one paper as much as 205.",
    )
    expect(
        abs(rate - float(np.polyfit(years, counts, 1)[0])) > 1e-3,
        "that is a slope in papers a year; the growth rate r is per year, and dimensionless.",
    )
    expect(
        abs(np.exp(rate) - np.exp(np.exp(_poisson(years, counts)))) > 1e-4,
        "that is e to the r, the factor from one year to the next; r itself is asked for.",
    )
    expect_close(
        rate, _poisson(years, counts), "the likelihood is not at its maximum there.", rtol=2e-3
    )
    silent = np.array([0, 0, 3, 5, 9, 20, 31])
    with_zero = float(answer(years, silent))
    expect(np.isfinite(with_zero), "a year without papers breaks it: do not take ln of a count.")
    expect_close(
        with_zero,
        _poisson(years, silent),
        "with years that have no papers it goes wrong; they count too.",
        rtol=2e-3,
    )


def _log_slope(years: Any, counts: Any) -> float:
    with np.errstate(divide="ignore"):
        return float(np.polyfit(years, np.log(counts), 1)[0])


def _poisson(years: Any, counts: Any, steps: int = 60) -> float:
    """Newton's method on the Poisson likelihood of an exponential, damped."""
    t = np.asarray(years, float) - np.mean(years)
    n = np.asarray(counts, float)
    basis = np.column_stack([np.ones_like(t), t])
    p = np.array([np.log(n.mean()), 0.0])
    for _ in range(steps):
        mu = np.exp(basis @ p)
        step = np.linalg.solve(basis.T @ (mu[:, None] * basis), basis.T @ (n - mu))
        p = p + step / max(1.0, float(np.abs(step).max()))
    return float(p[1])


def _drop_zeros(years: Any, counts: Any) -> float:
    kept = np.asarray(counts) > 0
    return _poisson(np.asarray(years)[kept], np.asarray(counts)[kept])


def _check_purity(answer: Any) -> None:
    expect(callable(answer), "give the function itself: purity, without brackets.")
    value = float(answer(0.8, 0.95, 0.1))
    real, false = 0.1 * 0.8, 0.9 * 0.05
    expect(
        abs(value - 0.8 / 0.85) > 1e-9,
        "the prevalence does not enter; this is right only where half of all are real.",
    )
    expect(abs(value - real / false) > 1e-9, "those are the odds; turn them into a share.")
    expect(
        abs(value - real / (real + 0.9 * 0.95)) > 1e-9,
        "the rejection is the share thrown out; false alarms are what is left of it.",
    )
    expect(
        abs(value - real / (real + 0.05)) > 1e-9,
        "false alarms come from the others only, and these are a share 1 - prevalence of all.",
    )
    expect_close(value, real / (real + false), "count among 1000: kept and real, over all kept.")
    expect_close(float(answer(1.0, 1.0, 0.01)), 1.0, "a perfect finder has no false alarm.")


_RIGHT_CLAIMS: dict[str, dict[str, float | None]] = {
    "A": {"accuracy": 0.99, "completeness": 0.0, "purity": None},
    "B": {"accuracy": 0.96, "completeness": 1.0, "purity": 0.2},
}
_CLAIM_HINTS = {
    ("A", "accuracy"): "A is right about 990 galaxies of a thousand, without a look at one.",
    ("A", "completeness"): "how many of the ten lenses does A find?",
    ("A", "purity"): "A has no candidates, so there is no share of them; write None.",
    ("B", "accuracy"): "count B's mistakes, 40 of a thousand, and not its candidates.",
    ("B", "completeness"): "completeness asks only about the real lenses, and B finds them all.",
    ("B", "purity"): "B names fifty candidates; how many of these are lenses?",
}


def _check_claims(answer: Any) -> None:
    expect(
        isinstance(answer, dict) and all(isinstance(answer.get(f), dict) for f in "AB"),
        "give the dictionary of the two finders, with a dictionary for each.",
    )
    missing = [
        f"{finder}: {what}" for finder, what in _CLAIM_HINTS if answer[finder].get(what, ...) is ...
    ]
    expect(not missing, f"still open: {', '.join(missing)}.")
    for (finder, what), hint in _CLAIM_HINTS.items():
        right, given = _RIGHT_CLAIMS[finder][what], answer[finder][what]
        if right is None or given is None:
            expect(right is None and given is None, f"{finder}, {what}: {hint}")
        else:
            expect(abs(float(given) - right) < 1e-6, f"{finder}, {what}: {hint}")


def _model(x: np.ndarray) -> np.ndarray:
    return x[:, 0] ** 2 + 3 * x[:, 1]


def _check_effect(answer: Any) -> None:
    expect(callable(answer), "give the function itself: effect, without brackets.")
    x = np.random.default_rng(8).normal(size=(50, 3))
    x[:, 1] += 0.8 * x[:, 0]
    before = x.copy()
    value = np.asarray(answer(_model, x, 0, 0.5), float)
    expect(
        np.array_equal(x, before),
        "the reader's array came out changed. Copy it before you add to it.",
    )
    expect(value.shape == (), f"one number is asked for, the mean; the shape is {value.shape}.")
    true = float(np.mean(_model(x + np.array([0.5, 0, 0])) - _model(x)))
    expect(abs(value + true) > 1e-9, "the sign: what it says after the change, less before.")
    expect(abs(value - true / 0.5) > 1e-9, "that is a change per unit; do not divide by it.")
    everywhere = float(np.mean(_model(x + 0.5) - _model(x)))
    expect(abs(value - everywhere) > 1e-9, "all the columns were changed; leave the rest alone.")
    slope = float(np.polyfit(x[:, 0], _model(x), 1)[0])
    expect(
        abs(value - 0.5 * slope) > 1e-9,
        "that is a regression slope: what goes along with the column, not what it does.",
    )
    expect_close(value, true, "ask the model twice, before and after, and average the difference.")
    expect(abs(float(answer(_model, x, 2, 9.0))) < 1e-9, "the model ignores column 2; so must you.")


def _in_place(model: Callable[..., Any], x: Any, column: int, change: float) -> Any:
    old = np.mean(model(x))
    x[:, column] += change
    return np.mean(model(x)) - old


def _effect(model: Callable[..., Any], x: Any, column: int, change: float) -> Any:
    changed = np.array(x, float)
    changed[:, column] += change
    return np.mean(model(changed) - model(np.asarray(x, float)))


def _slope(model: Callable[..., Any], x: Any, column: int, change: float) -> Any:
    return change * np.polyfit(x[:, column], model(x), 1)[0]


_MATCH = {
    "Galaxy Zoo": ("stacked", "forest on measured shapes"),
    "semantic autoencoder": ("stacked", "least-squares fit"),
    "RR Lyrae": ("recurrent", "forest on Fourier terms"),
    "deconvolution": ("u-net", "Richardson-Lucy"),
}
_MATCH_HINTS = {
    "Galaxy Zoo": (
        "one image of fixed size goes in and 37 fractions come out, neither sequence nor image.",
        "which classical method reads concentration, Gini and the like?",
    ),
    "semantic autoencoder": (
        "the encoder turns a fixed image into three numbers; only the renderer gives an image.",
        "three parameters of a known profile: how did you fit such a thing before networks?",
    ),
    "RR Lyrae": (
        "a light curve is as long as the observer was patient; which shape takes any length?",
        "a periodic curve is described by its harmonics; who reads these?",
    ),
    "deconvolution": (
        "the answer is an image as sharp as the question was blurred; which shape gives images?",
        "which of the four methods takes blur out of a picture?",
    ),
}


def _check_match(answer: Any) -> None:
    expect(isinstance(answer, dict), "give the dictionary, with the four studies as its keys.")
    for study in _MATCH:
        pair = answer.get(study)
        expect(
            isinstance(pair, tuple | list) and len(pair) == 2 and ... not in pair,
            f"{study}: still open; give a pair, shape and rival.",
        )
    for study, right in _MATCH.items():
        for given, wanted, hint in zip(answer[study], right, _MATCH_HINTS[study], strict=True):
            same = str(given).lower().replace("–", "-") == wanted.lower()
            expect(same, f"{study}, {given!r}: {hint}")


def _with(study: str, shape: str | None = None, rival: str | None = None) -> dict[str, Any]:
    old = _MATCH[study]
    return {**_MATCH, study: (shape or old[0], rival or old[1])}


EXERCISES = {
    "log_growth": Exercise(
        check=_check_log_growth,
        right=lambda: lambda a, b: (np.log(b / a), np.sqrt(1 / a + 1 / b)),
        praise="Right. To see growth of 10 % at three sigma you need about two thousand papers "
        "a year.",
        wrong={
            "ratio": (lambda: lambda a, b: (b / a, np.sqrt(1 / a + 1 / b)), "the ratio itself"),
            "backward": (
                lambda: lambda a, b: (np.log(a / b), np.sqrt(1 / a + 1 / b)),
                "growth is positive",
            ),
            "papers": (lambda: lambda a, b: (np.log(b / a), np.sqrt(a + b)), "has no unit"),
            "variance": (lambda: lambda a, b: (np.log(b / a), 1 / a + 1 / b), "is its root"),
            "sum": (
                lambda: lambda a, b: (np.log(b / a), 1 / np.sqrt(a) + 1 / np.sqrt(b)),
                "add in square",
            ),
            "one": (lambda: lambda a, b: np.log(b / a), "give two things"),
        },
    ),
    "poisson_fit": Exercise(
        check=_check_poisson_fit,
        right=lambda: _poisson,
        praise="Right, and it counts the empty years, which a line through logarithms cannot.",
        wrong={
            "logarithms": (lambda: _log_slope, "through the logarithms"),
            "papers a year": (
                lambda: lambda years, counts: np.polyfit(years, counts, 1)[0],
                "in papers a year",
            ),
            "factor": (lambda: lambda y, n: np.exp(_poisson(y, n)), "e to the r"),
            "empty years": (lambda: _drop_zeros, "they count too"),
            "half way": (lambda: lambda y, n: _poisson(y, n, steps=1), "not at its maximum"),
        },
    ),
    "purity": Exercise(
        check=_check_purity,
        right=lambda: lambda c, q, p: p * c / (p * c + (1 - p) * (1 - q)),
        praise="Right. At a prevalence of 1 in 1000, a purity of one half at 90 % completeness "
        "takes a rejection of 99.91 %.",
        wrong={
            "no prevalence": (lambda: lambda c, q, p: c / (c + 1 - q), "half of all are real"),
            "odds": (lambda: lambda c, q, p: p * c / ((1 - p) * (1 - q)), "into a share"),
            "kept": (lambda: lambda c, q, p: p * c / (p * c + (1 - p) * q), "thrown out"),
            "all": (lambda: lambda c, q, p: p * c / (p * c + 1 - q), "from the others only"),
        },
    ),
    "read_claims": Exercise(
        check=_check_claims,
        right=lambda: {finder: dict(values) for finder, values in _RIGHT_CLAIMS.items()},
        praise="Right: the finder that never looks wins on accuracy.",
        wrong={
            "untouched": (
                lambda: {f: dict.fromkeys(v, ...) for f, v in _RIGHT_CLAIMS.items()},
                "still open",
            ),
            "a purity of zero": (
                lambda: {**_RIGHT_CLAIMS, "A": {**_RIGHT_CLAIMS["A"], "purity": 0.0}},
                "no candidates",
            ),
            "candidates": (
                lambda: {**_RIGHT_CLAIMS, "B": {**_RIGHT_CLAIMS["B"], "accuracy": 0.95}},
                "count B's mistakes",
            ),
            "false alarms": (
                lambda: {**_RIGHT_CLAIMS, "B": {**_RIGHT_CLAIMS["B"], "purity": 0.25}},
                "fifty candidates",
            ),
        },
    ),
    "effect": Exercise(
        check=_check_effect,
        right=lambda: _effect,
        praise="Right. Mind what it asks: for correlated inputs the changed galaxy may not exist.",
        wrong={
            "in place": (lambda: _in_place, "came out changed"),
            "per unit": (lambda: lambda m, x, c, d: _effect(m, x, c, d) / d, "per unit"),
            "backward": (lambda: lambda m, x, c, d: -_effect(m, x, c, d), "less before"),
            "everything": (lambda: lambda m, x, c, d: np.mean(m(x + d) - m(x)), "all the columns"),
            "slope": (lambda: _slope, "a regression slope"),
            "no mean": (
                lambda: lambda m, x, c, d: m(x + d * np.eye(x.shape[1])[c]) - m(x),
                "one number",
            ),
        },
    ),
    "match": Exercise(
        check=_check_match,
        right=lambda: dict(_MATCH),
        praise="Right. Name the rival before you train; afterward it is tempting to forget it.",
        wrong={
            "not filled in": (lambda: dict.fromkeys(_MATCH, (..., ...)), "still open"),
            "zoo in a u-net": (lambda: _with("Galaxy Zoo", "u-net"), "37 fractions"),
            "stacked star": (lambda: _with("RR Lyrae", "stacked"), "any length"),
            "stacked image": (lambda: _with("deconvolution", "stacked"), "gives images"),
            "forest for a fit": (
                lambda: _with("semantic autoencoder", rival="forest on measured shapes"),
                "three parameters",
            ),
            "fit for a forest": (
                lambda: _with("Galaxy Zoo", rival="least-squares fit"),
                "concentration, Gini",
            ),
        },
    ),
}
