"""A reader's light curves, from the table to the report: some stars at a time, one pass."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.archive.errors import DataError
from firstlight.archive.own_curves import Curve, open_curves
from firstlight.evaluation import home_sky
from firstlight.reports import pages
from firstlight.reports.outcome import Collected, Example, Outcome, Predictions
from firstlight.studies.curve_inputs import Padded, admit_curves, check_curve, padded
from firstlight.studies.own_data import Scored, Task
from firstlight.studies.own_labels import coded

__all__ = ["curve_statistics", "evaluate"]

BATCH = 200
HOME = 300
HOME_SEED = 20_260_311
EXAMPLES = 5


def evaluate(
    task: Task,
    path: Path,
    out: Path,
    *,
    strict: bool = False,
    progress: bool = False,
    home: int = HOME,
    **unused: Any,
) -> Outcome:
    """Applies a network to light curves in a table; writes predictions, a figure and a report.

    Args:
        task: From `own_data.get`, of a study that looks at stars.
        path: CSV, ECSV or FITS.
        out: Folder for `predictions.csv`, `figure.png`, `report.md` and `metrics.json`.
        strict: Stop at the first star that cannot be judged instead of leaving it out.
        progress: Show a progress bar.
        home: Simulated stars for the comparison with the training sky.
        **unused: What only images have (`given`, `images`) must be empty.

    Returns:
        What was found.

    Raises:
        DataError: If the table does not fit, or no star in it can be judged.
    """
    odd = [name for name, value in unused.items() if value]
    if odd:
        raise DataError(
            f"{path}: received options for images, expected none: {task.study} looks at light "
            "curves. Leave --bands, --pixel, --unit and --images out."
        )
    curves, wants = open_curves(path), task.accepts
    notes = admit_curves(curves, list(islice(curves.stars(), BATCH)), wants)
    columns = ", ".join(f"{what} from {name}" for what, name in curves.columns.items())
    outcome = Outcome(task.study, f"{path} ({curves.kind}): {columns}", task.score, task.caution,
                      task.weights, "stars", notes=notes)  # fmt: skip
    simulated = wants.home(home, HOME_SEED)
    days = wants.fold(simulated)
    outcome.home_scores = task.score_batch(simulated._replace(period_days=days)).scores
    theirs = curve_statistics(simulated, days)
    scored: list[Scored] = []
    statistics: list[dict[str, NDArray[np.float64]]] = []
    rows: list[int] = []
    labels: list[str] = []
    shown = Collected(EXAMPLES)
    out.mkdir(parents=True, exist_ok=True)
    with Predictions(out / "predictions.csv", ("period_days", *task.columns)) as table:
        for batch in _watched(curves, progress):
            good: list[Curve] = []
            for curve in batch:
                reason = check_curve(curve, wants)
                if reason and strict:
                    raise DataError(f"{path}: received the star {curve.star}: {reason}. Mend it, "
                                    "or leave --strict out.")  # fmt: skip
                if reason:
                    table.left_out(outcome.n, curve.star, reason)
                    outcome.left_out.append((outcome.n, curve.star, reason))
                else:
                    rows.append(outcome.n)
                    good.append(curve)
                labels.append(curve.label)
                outcome.n += 1
            if good:
                found, numbers, used = _judged(task, good)
                far = home_sky.strangers(numbers, theirs)
                outcome.strangers += sum(map(bool, far))
                _keep(table, outcome, rows[-len(good) :], good, found, used, far)
                shown.add(_examples(good, found, used))
                scored.append(found)
                statistics.append(numbers)
        if not rows:
            raise DataError(f"{path}: received {outcome.n} stars of which none can be judged; the "
                            f"first: {outcome.left_out[0][2]}.")  # fmt: skip
    whole = Scored(*(np.concatenate(column) for column in zip(*scored, strict=True)))
    outcome.source += f"; {outcome.n} stars"
    outcome.scores = whole.scores
    outcome.classes.update(whole.classes.tolist())
    ours = {name: np.concatenate([part[name] for part in statistics]) for name in theirs}
    outcome.shifts = home_sky.compare(ours, theirs)
    outcome.high, outcome.low = shown.high, shown.low
    codes = coded(path, np.array(labels), outcome.n, task.classes) if any(labels) else None
    pages.judge(outcome, task, np.array(rows), codes, None, whole)
    pages.write(outcome, out)
    return outcome


def curve_statistics(
    curves: Padded, period_days: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Visits, span, amplitude, error and period of light curves, each (n,).

    Args:
        curves: Padded.
        period_days: With which they are folded, (n,).
    """
    mask = curves.mask
    times, magnitudes, errors = (
        np.where(mask, values, np.nan) for values in (curves.times, curves.magnitudes,
                                                      curves.errors))  # fmt: skip
    low, high = np.nanquantile(magnitudes, [0.05, 0.95], axis=1)
    return {
        "visits": mask.sum(axis=1).astype(float),
        "span (days)": np.nanmax(times, axis=1) - np.nanmin(times, axis=1),
        "amplitude (mag)": high - low,
        "error (mag)": np.nanmedian(errors, axis=1),
        "log period (days)": np.log10(period_days),
    }


def _judged(
    task: Task, good: list[Curve]
) -> tuple[Scored, dict[str, NDArray[np.float64]], NDArray[np.float64]]:
    curves = padded(good)
    days = task.accepts.fold(curves)
    found = task.score_batch(curves._replace(period_days=days))
    return found, curve_statistics(curves, days), days


def _keep(
    table: Predictions, outcome: Outcome, rows: list[int], good: list[Curve], found: Scored,
    days: NDArray[np.float64], far: list[str],
) -> None:  # fmt: skip
    wide = found._replace(more=np.column_stack([days, found.more]))
    for k, (row, curve) in enumerate(zip(rows, good, strict=True)):
        reason = f"{curve.dropped} visits without a number left out" if curve.dropped else ""
        table.judged(row, curve.star, wide, k, reason, far[k])
        if reason:
            outcome.mended.append((row, curve.star, reason))


def _examples(good: list[Curve], found: Scored, days: NDArray[np.float64]) -> Iterator[Example]:
    order = np.argsort(found.scores)
    for k in set(order[:EXAMPLES].tolist()) | set(order[-EXAMPLES:].tolist()):
        curve = good[k]
        phases = (curve.times / days[k]) % 1
        yield Example(curve.star, float(found.scores[k]), (phases, curve.magnitudes))


def _watched(curves: Any, progress: bool) -> Iterator[list[Curve]]:
    from tqdm import tqdm

    stars = curves.stars()
    with tqdm(unit="star", disable=not progress, file=sys.stderr) as bar:
        while batch := list(islice(stars, BATCH)):
            yield batch
            bar.update(len(batch))
