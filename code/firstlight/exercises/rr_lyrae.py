"""Exercises of the chapter *RR Lyrae*."""

from typing import Any

import numpy as np

from firstlight.exercises.engine import Exercise, expect, expect_close

__all__ = ["EXERCISES"]

_TURN = 2 * np.pi


def _fold(times: Any, period: float) -> Any:
    return (np.asarray(times) / period) % 1.0


def _check_fold(answer: Any) -> None:
    expect(callable(answer), "give the function itself: fold, without brackets.")
    times, period = np.array([55000.3, 55000.9, 55001.4, 54990.2, -3.1]), 0.55
    got = np.asarray(answer(times, period), float)
    expect(got.shape == times.shape, "one phase for each visit, in the order of the visits.")
    right = _fold(times, period)
    expect(
        not np.allclose(got, times % period),
        "those are days since the last cycle began; divide by the period to get phases.",
    )
    expect(
        not np.allclose(got, (times * period) % 1.0),
        "multiply by the frequency, which is one over the period.",
    )
    expect(
        not np.allclose(got, times / period),
        "whole cycles are still in there: keep the fraction.",
    )
    expect(
        (got >= 0).all(), "a phase is negative: round down, not toward zero, also before day zero."
    )
    expect_close(got, right, "times over period, and of that the fraction.")


def _masked_mean(values: Any, mask: Any) -> Any:
    there = np.asarray(mask, float)[:, :, None]
    return (np.asarray(values) * there).sum(axis=1) / there.sum(axis=1)


def _check_mean(answer: Any) -> None:
    expect(callable(answer), "give the function itself: masked_mean, without brackets.")
    rng = np.random.default_rng(1)
    values, lengths = rng.normal(2, 1, (3, 6, 2)), np.array([6, 4, 1])
    mask = np.arange(6) < lengths[:, None]
    got = np.asarray(answer(values, mask), float)
    expect(got.shape == (3, 2), "one number for each curve and feature: the points go away.")
    right = _masked_mean(values, mask)
    padded = np.where(mask[:, :, None], values, 0.0)
    expect(
        not np.allclose(got, values.mean(axis=1)),
        "the padding speaks with the rest: leave it out.",
    )
    expect(
        not np.allclose(got, padded.mean(axis=1)),
        "padding no longer adds, but it still counts: divide by the points that are there.",
    )
    expect(
        not np.allclose(got, padded.sum(axis=1)),
        "that is the sum; long curves would look louder than short ones.",
    )
    expect(
        not np.allclose(got, padded.sum(axis=1) / lengths.mean()),
        "each curve has its own number of points.",
    )
    expect_close(got, right, "sum over the points that are there, over their number.")


def _precision(share: float, recall: float, false: float) -> float:
    return share * recall / (share * recall + (1 - share) * false)


def _check_precision(answer: Any) -> None:
    expect(callable(answer), "give the function itself: precision, without brackets.")
    for share, recall, false in ((0.35, 0.99, 0.004), (1e-4, 0.95, 0.001)):
        got = float(answer(share, recall, false))
        right = _precision(share, recall, false)
        expect(
            not np.isclose(got, recall / (recall + false)),
            "that holds where half of the stars are RRab; give each kind its share.",
        )
        expect(
            not np.isclose(got, 1 - false),
            "one minus the rate of false alarms is about the others, not about those called.",
        )
        expect(
            not np.isclose(got, share * recall / (share * recall + false)),
            "only the others, a share 1 - f of all, give false alarms.",
        )
        expect(
            not np.isclose(got, 1 - right),
            "that is the share of wrong ones among those called.",
        )
        expect_close(got, right, "true ones called over all that are called.")


def _phi31(phases: Any) -> Any:
    phases = np.asarray(phases, float)
    return (phases[..., 2] - 3 * phases[..., 0]) % _TURN


def _check_phi31(answer: Any) -> None:
    expect(callable(answer), "give the function itself: phi31, without brackets.")
    phases = np.random.default_rng(2).uniform(0, _TURN, (5, 3))
    got = np.asarray(answer(phases), float)
    expect(got.shape == (5,), "one number for each star.")
    right = _phi31(phases)
    expect(
        not np.allclose(got, (phases[:, 2] - phases[:, 0]) % _TURN),
        "start the clock later and this changes: the third harmonic turns three times as fast.",
    )
    expect(
        not np.allclose(got, (phases[:, 1] - 2 * phases[:, 0]) % _TURN),
        "that is the second harmonic; columns count from zero.",
    )
    expect(
        not np.allclose(got, (3 * phases[:, 0] - phases[:, 2]) % _TURN),
        "mind the sign: the third harmonic comes first.",
    )
    expect(
        not np.allclose(got, phases[:, 2] - 3 * phases[:, 0]),
        "right up to whole turns: bring it between 0 and 2 pi, or equal stars look different.",
    )
    expect_close(got, right, "phi_3 - 3 phi_1, modulo a turn.")


EXERCISES = {
    "fold": Exercise(
        check=_check_fold,
        right=lambda: _fold,
        praise="Right. Percent signs in Python round down, so it works before day zero as well.",
        wrong={
            "days": (lambda: lambda t, p: t % p, "divide by the period"),
            "times period": (lambda: lambda t, p: (t * p) % 1, "one over the period"),
            "cycles": (lambda: lambda t, p: t / p, "keep the fraction"),
            "toward zero": (lambda: lambda t, p: t / p - np.trunc(t / p), "not toward zero"),
        },
    ),
    "masked_mean": Exercise(
        check=_check_mean,
        right=lambda: _masked_mean,
        praise="Right. Keras does this in GlobalAveragePooling1D, if a mask reaches it.",
        wrong={
            "no mask": (lambda: lambda v, m: v.mean(axis=1), "leave it out"),
            "zeros count": (
                lambda: lambda v, m: (v * m[:, :, None]).mean(axis=1), "points that are there",
            ),
            "sum": (lambda: lambda v, m: (v * m[:, :, None]).sum(axis=1), "louder than short"),
            "one length": (
                lambda: lambda v, m: (v * m[:, :, None]).sum(axis=1) / m.sum(axis=1).mean(),
                "its own number",
            ),
        },
    ),
    "precision": Exercise(
        check=_check_precision,
        right=lambda: _precision,
        praise="Right. Among all stars one in ten thousand is RRab: there false alarms rule.",
        wrong={
            "even": (lambda: lambda f, r, a: r / (r + a), "half of the stars"),
            "complement": (lambda: lambda f, r, a: 1 - a, "not about those called"),
            "all others": (lambda: lambda f, r, a: f * r / (f * r + a), "share 1 - f"),
            "impurity": (lambda: lambda f, r, a: 1 - _precision(f, r, a), "wrong ones"),
        },
    ),
    "phi31": Exercise(
        check=_check_phi31,
        right=lambda: _phi31,
        praise="Right. With the period it says how metal-rich an RRab star is.",
        wrong={
            "plain difference": (
                lambda: lambda p: (p[..., 2] - p[..., 0]) % _TURN, "three times as fast",
            ),
            "second harmonic": (
                lambda: lambda p: (p[..., 1] - 2 * p[..., 0]) % _TURN, "count from zero",
            ),
            "sign": (lambda: lambda p: (3 * p[..., 0] - p[..., 2]) % _TURN, "mind the sign"),
            "whole turns": (lambda: lambda p: p[..., 2] - 3 * p[..., 0], "whole turns"),
        },
    ),
}  # fmt: skip
