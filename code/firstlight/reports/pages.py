"""The report in Markdown: what was read, what the network says, where it is far from home."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.archive.store import write_atomically
from firstlight.reports.outcome import Example, Outcome
from firstlight.studies.own_data import Scored, Task

__all__ = ["judge", "report", "summary", "write"]

Bins = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]
LISTED = 20  # objects left out that the report lists; the table lists all
MANY = 0.1  # share left out from which it is a warning
FEW = 30  # objects below which nothing can be said about the training sky
CAUSES = {
    "brightness": "objects brighter or fainter than those of the training",
    "half-light radius": "another pixel scale, or stamps cut wider or tighter",
    "sky level": "a sky that was not subtracted, or galaxies that fill the stamp",
    "sky noise": "a unit that is not the sky noise, or noise that varies over the survey",
    "neighbors alike": "resampled, drizzled or smoothed images, or galaxies that fill the stamp",
    "color": "other filters, another order of the bands, or another population",
    "visits": "longer or shorter light curves",
    "span": "another length of the survey",
    "amplitude": "another band, or other kinds of stars",
    "error": "deeper or shallower photometry, or errors that are not magnitudes",
    "period": "other kinds of stars, or periods in another unit",
}


def judge(
    outcome: Outcome,
    task: Task,
    rows: NDArray[np.intp],
    labels: NDArray[Any] | None,
    votes: NDArray[Any] | None,
    whole: Scored,
) -> None:
    """Adds metrics and reliability, where there are labels; and the warnings on the sky.

    Args:
        outcome: Is changed.
        task: The network.
        rows: Of the objects that were judged, in the order of `whole`.
        labels: Codes of all objects, -1 for none, or None.
        votes: Vote fractions of all objects, or None.
        whole: What the network said.
    """
    if votes is not None and task.judge_votes and task.positive_votes:
        known = np.isfinite(votes[rows]).all(axis=1)
        truth = votes[rows][known]
        _measure(outcome, task.judge_votes, truth, _some(whole, known))
        if known.any():
            outcome.reliability = _bins(task.positive_votes(truth), whole.scores[known])
    elif labels is not None:
        known = labels[rows] >= 0
        codes = labels[rows][known]
        _measure(outcome, task.judge, codes, _some(whole, known))
        if known.any():
            outcome.reliability = _bins(task.positive(codes), whole.scores[known])
    _warn(outcome)


def _some(whole: Scored, rows: NDArray[np.bool_]) -> Scored:
    return Scored(*(column[rows] for column in whole))


def _measure(outcome: Outcome, judged: Any, truth: NDArray[Any], scored: Scored) -> None:
    outcome.labeled = len(truth)
    if len(truth):
        outcome.metrics = judged(truth, scored)


def _bins(truth: NDArray[Any], scores: NDArray[np.float32]) -> Bins:
    from firstlight.evaluation.metrics import calibration

    found = calibration(np.asarray(truth, float)[:, None], scores[:, None], bins=5)
    return found.predicted, found.observed, found.counts


def _warn(outcome: Outcome) -> None:
    share = len(outcome.left_out) / outcome.n
    if share > MANY:
        outcome.warnings.append(
            f"{share:.0%} of the {outcome.objects} could not be judged. What is left may not be a "
            "fair sample of what you have."
        )
    if outcome.judged < FEW:
        outcome.notes.append(
            f"with {outcome.judged} {outcome.objects}, little can be said about whether they "
            "resemble the training sky"
        )
    told = sorted((s for s in outcome.shifts if s.told), key=lambda s: -s.distance)
    for shift in told:
        cause = next((text for name, text in CAUSES.items() if name in shift.name), "")
        outcome.warnings.append(
            f"{'Far from' if shift.told == 2 else 'Unlike'} the training sky in {shift.name}: "
            f"median {_number(shift.yours[1])} here, {_number(shift.home[1])} there; "
            f"{shift.outside:.0%} of your {outcome.objects} lie beyond all but 1 % of the "
            f"simulated ones. Usual causes: {cause}."
        )


def _number(value: float) -> str:
    return f"{value:.3g}"


def summary(outcome: Outcome) -> dict[str, Any]:
    """The outcome as plain JSON values."""
    return {
        "study": outcome.study,
        "n": outcome.n,
        "judged": outcome.judged,
        "mended": len(outcome.mended),
        "left_out": len(outcome.left_out),
        "labeled": outcome.labeled,
        "classes": dict(outcome.classes),
        "metrics": {m.name: {"value": m.value.value, "low": m.value.low, "high": m.value.high}
                    for m in outcome.metrics},
        "shifts": {s.name: {"distance": s.distance, "outside": s.outside, "told": s.told}
                   for s in outcome.shifts},
        "warnings": outcome.warnings,
        "notes": outcome.notes,
    }  # fmt: skip


def write(outcome: Outcome, out: Path) -> None:
    """Writes figure, report and metrics into a folder, each whole or not at all.

    Args:
        outcome: Judged.
        out: The folder, which exists.
    """
    picture, alt = _figure(outcome)
    write_atomically(out / "figure.png", picture)
    write_atomically(out / "metrics.json", json.dumps(summary(outcome), indent=1).encode())
    write_atomically(out / "report.md", report(outcome, alt).encode())


def _figure(outcome: Outcome) -> tuple[bytes, str]:
    import matplotlib

    matplotlib.use("agg", force=False)
    import matplotlib.pyplot as plt

    from firstlight.figures.evaluations import evaluation
    from firstlight.figures.style import use

    with matplotlib.rc_context():
        use()
        fig = evaluation(
            outcome.scores, outcome.home_scores, _shown(outcome.high), _shown(outcome.low),
            score=outcome.score, objects=outcome.objects, reliability=outcome.reliability,
        )  # fmt: skip
        alt = _alt(outcome)
        stream = io.BytesIO()
        fig.savefig(stream, format="png", dpi=160, metadata={"Description": alt})
        plt.close(fig)
    return stream.getvalue(), alt


def _shown(examples: Iterable[Example]) -> list[tuple[str, float, Any]]:
    return [(each.name, each.score, each.picture) for each in examples]


def _alt(outcome: Outcome) -> str:
    s, home = outcome.scores, outcome.home_scores
    text = (
        f"Histogram of {len(s)} scores ({outcome.score}): median {np.median(s):.2f}, "
        f"{(s > 0.5).mean():.0%} above one half; on the simulated sky, median "
        f"{np.median(home):.2f}, {(home > 0.5).mean():.0%} above one half."
    )
    if outcome.reliability is not None:
        said, seen, _ = outcome.reliability
        off = np.abs(said - seen).max()
        text += f" Reliability in {len(said)} bins departs from the diagonal by up to {off:.2f}."
    if outcome.high:
        best, worst = outcome.high[0].score, outcome.low[0].score
        text += f" Below, the {outcome.objects} that score highest (from {best:.2f})"
        text += f" and lowest (from {worst:.2f})."
    return text


def report(outcome: Outcome, alt: str) -> str:
    """The report in Markdown.

    Args:
        outcome: Judged.
        alt: Of the figure.
    """
    from firstlight import __version__

    s = outcome.scores
    stars = outcome.objects == "stars"
    folded = " The examples are folded with the period given there, two cycles." * stars
    lines = [
        f"# {outcome.study}: what the network says of your {outcome.objects}",
        "",
        "A network knows only the sky it was trained on. Read the warnings first.",
        "",
        *_section("Warnings", [f"- {text}" for text in outcome.warnings]
                  or ["None: in the few numbers compared below, your data resemble the training."]),
        *_section("What was read", [
            f"- {outcome.source}",
            *(f"- {note[0].upper()}{note[1:]}." for note in outcome.notes),
            f"- Weights: {outcome.weights.name}, firstlight {__version__}.",
        ]),
        *_section("Scores", [
            f"{outcome.judged} of {outcome.n} {outcome.objects} were judged "
            f"({len(outcome.mended)} after a repair), {len(outcome.left_out)} left out. The score "
            f"is the {outcome.score}: median {np.median(s):.3f}, {(s > 0.5).sum()} above one half. "
            + ", ".join(f"{name}: {count}" for name, count in outcome.classes.most_common()) + ".",
            "",
            outcome.caution,
            "",
            f"![{alt}](figure.png)",
            "",
            "Blue: yours; black outline: the same network on its own simulated sky. Every score "
            "stands in `predictions.csv`." + folded,
        ]),
        *_metrics(outcome),
        *_shifts(outcome),
        *_left_out(outcome),
    ]  # fmt: skip
    return "\n".join(lines).rstrip() + "\n"


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"## {title}", "", *lines, ""]


def _metrics(outcome: Outcome) -> list[str]:
    if not outcome.metrics:
        return _section("Against labels", ["The file has no labels, so nothing here says whether "
                                           "the network is right."])  # fmt: skip
    rows = ["| | value | 95 % interval | |", "|---|---|---|---|"]
    rows += [f"| {m.name} | {m.value.value:.3f} | {m.value.low:.3f} to {m.value.high:.3f} | "
             f"{m.words} |" for m in outcome.metrics]  # fmt: skip
    lines = [f"{outcome.labeled} judged {outcome.objects} have a label.", "", *rows]
    if outcome.reliability is not None:
        lines += ["", "Reliability: of the objects with about this score, what did the labels say?",
                  "", "| mean score | labels | objects |", "|---|---|---|"]  # fmt: skip
        lines += [f"| {a:.2f} | {b:.2f} | {int(n)} |"
                  for a, b, n in zip(*outcome.reliability, strict=True)]  # fmt: skip
    return _section("Against labels", lines)


def _shifts(outcome: Outcome) -> list[str]:
    words = ("", "unlike", "FAR")
    rows = ["| | yours (16, 50, 84 %) | training sky | distance | beyond 99 % | |",
            "|---|---|---|---|---|---|"]  # fmt: skip
    rows += [f"| {s.name} | {', '.join(map(_number, s.yours))} | {', '.join(map(_number, s.home))} "
             f"| {s.distance:.2f} | {s.outside:.0%} | {words[s.told]} |"
             for s in outcome.shifts]  # fmt: skip
    text = (
        "Each number of your data beside that of the simulated sky. The distance is Kolmogorov and "
        f"Smirnov's, 0 for equal distributions, 1 for disjoint ones. {outcome.strangers} of "
        f"{outcome.judged} {outcome.objects} lie beyond 99 % of the training sky in at least one "
        "(column `unlike_training` of the table). No warning here is no proof: a sky can differ "
        "in ways that these numbers do not see."
    )
    return _section("Is this the sky it was trained on?", [text, "", *rows])


def _left_out(outcome: Outcome) -> list[str]:
    lines: list[str] = []
    for what, rows in (("left out", outcome.left_out), ("judged after a repair", outcome.mended)):
        if rows:
            lines += [f"{len(rows)} {what}:", ""]
            lines += [f"- row {row}, {name}: {reason}" for row, name, reason in rows[:LISTED]]
            lines += [f"- and {len(rows) - LISTED} more, in `predictions.csv`"] * (
                len(rows) > LISTED
            )
            lines.append("")
    return _section("Left out or mended", lines or ["Nothing."])
