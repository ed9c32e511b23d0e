"""A reader's stamps, from the file to the report: a batch at a time, one pass."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.archive.errors import DataError
from firstlight.archive.own_files import About
from firstlight.archive.own_images import Stamps, open_stamps
from firstlight.evaluation import home_sky
from firstlight.evaluation.stamp_checks import check_stamps, in_sky_sigma
from firstlight.reports import pages
from firstlight.reports.outcome import Collected, Example, Outcome, Predictions
from firstlight.studies.inputs import (
    Admission,
    ImageInput,
    admit,
    choose_bands,
    to_sky_sigma,
)
from firstlight.studies.own_data import Scored, Task
from firstlight.studies.own_labels import coded

__all__ = ["evaluate"]

BATCH = 256
LOOK = 512  # stamps from which unit and order of the bands are judged
HOME = 384  # simulated stamps that stand for the training sky
HOME_SEED = 20_260_311  # any fixed number that no training uses
EXAMPLES = 6


def evaluate(
    task: Task,
    path: Path,
    out: Path,
    *,
    given: About | None = None,
    images: str | None = None,
    strict: bool = False,
    progress: bool = False,
    home: int = HOME,
) -> Outcome:
    """Applies a network to stamps in a file; writes predictions, a figure and a report.

    Args:
        task: From `own_data.get`.
        path: FITS, HDF5, npz, npy, or a folder of shards.
        out: Folder for `predictions.csv`, `figure.png`, `report.md` and `metrics.json`.
        given: What the reader says of bands, pixel and unit; it wins over the file.
        images: Name of the array, if it is not one of the usual.
        strict: Stop at the first stamp that cannot be judged instead of leaving it out.
        progress: Show a progress bar.
        home: Simulated stamps for the comparison with the training sky.

    Returns:
        What was found.

    Raises:
        DataError: If the file does not fit, or no stamp in it can be judged.
    """
    stamps, wants = open_stamps(path, images), task.accepts
    names = _names(stamps)
    labels, votes = _labels(stamps, task)
    plan, look = _plan(stamps, wants, given)
    outcome = Outcome(task.study, _source(stamps, plan, wants), task.score, task.caution,
                      task.weights, "stamps", stamps.n, notes=list(plan.notes))  # fmt: skip
    simulated = wants.home(home, HOME_SEED)
    outcome.home_scores = task.score_batch(simulated).scores
    fixed: tuple[str, ...] = ()
    if plan.unit != "sky sigma":  # like with like: the sky is measured in the frame of both
        simulated = in_sky_sigma(simulated, None if plan.noise is None else np.float32(1))
        fixed = ("sky level", "sky noise") if plan.noise is None else ("sky level",)
    theirs = home_sky.stamp_statistics(simulated, wants.bands)
    theirs = {name: values for name, values in theirs.items() if name not in fixed}
    _order(outcome, look, simulated, wants, stamps, given)
    statistics: list[dict[str, NDArray[np.float64]]] = []
    scored: list[Scored] = []
    rows: list[NDArray[np.intp]] = []
    shown = Collected(EXAMPLES)
    out.mkdir(parents=True, exist_ok=True)
    with Predictions(out / "predictions.csv", task.columns) as table:
        for start, batch in _watched(stamps, progress):
            kept = check_stamps(batch[..., list(plan.take)], wants.bands)
            good = start + np.flatnonzero(kept.good)
            if strict and not kept.good.all():
                bad = int(np.flatnonzero(~kept.good)[0])
                raise DataError(f"{path}: received stamp {start + bad} of which "
                                f"{kept.reasons[bad]}, expected stamps that can be judged. Mend "
                                "it, or leave --strict out.")  # fmt: skip
            if len(good):
                sky = to_sky_sigma(kept.images, plan, good)
                found, numbers = task.score_batch(sky), home_sky.stamp_statistics(sky, wants.bands)
                far = home_sky.strangers(numbers, theirs)
                outcome.strangers += sum(map(bool, far))
                _remember(shown, names, good, found, sky)
                statistics.append(numbers)
                scored.append(found if task.votes or labels is not None else _slim(found))
                rows.append(good)
            _write(table, outcome, names, start, kept, found if len(good) else None, far
                   if len(good) else [])  # fmt: skip
        if not rows:
            raise DataError(f"{path}: received {stamps.n} stamps of which none can be judged; the "
                            f"first: {outcome.left_out[0][2]}. Expected finite images of the "
                            "sky.")  # fmt: skip
    whole = _joined(scored)
    outcome.scores = whole.scores
    outcome.classes.update(whole.classes.tolist())
    ours = {name: np.concatenate([part[name] for part in statistics]) for name in theirs}
    outcome.shifts = home_sky.compare(ours, theirs)
    outcome.high, outcome.low = shown.high, shown.low
    pages.judge(outcome, task, np.concatenate(rows), labels, votes, whole)
    pages.write(outcome, out)
    return outcome


def _names(stamps: Stamps) -> NDArray[Any] | None:
    ids = stamps.columns.get("ids")
    if ids is not None and ids.shape != (stamps.n,):
        raise DataError(f"{stamps.path}: received ids of shape {ids.shape}, expected "
                        f"({stamps.n},), one for each stamp.")  # fmt: skip
    return ids


def _labels(stamps: Stamps, task: Task) -> tuple[NDArray[Any] | None, NDArray[Any] | None]:
    labels, votes = stamps.columns.get("labels"), stamps.columns.get("votes")
    if votes is not None and task.votes:
        if votes.shape != (stamps.n, task.votes):
            raise DataError(f"{stamps.path}: received votes of shape {votes.shape}, expected "
                            f"({stamps.n}, {task.votes}), in the order of "
                            "firstlight.sky.gz2_tree.ANSWERS.")  # fmt: skip
        return None, np.asarray(votes, float)
    if labels is None:
        return None, None
    return coded(stamps.path, labels, stamps.n, task.classes), None


def _plan(
    stamps: Stamps, wants: ImageInput, given: About | None
) -> tuple[Admission, NDArray[np.float32]]:
    """Decides from the first stamps that have no large holes."""
    look: list[NDArray[np.float32]] = []
    rows: list[int] = []
    reason, seen = "", 0
    if stamps.n == 0:
        raise DataError(f"{stamps.path}: received images of shape {stamps.layout}, expected at "
                        "least one stamp. The program that cut them found none?")  # fmt: skip
    for batch in stamps.batches(LOOK):
        take = list(choose_bands(stamps, batch.shape[-1], wants, given)[0])
        kept = check_stamps(batch[..., take], wants.bands)
        good = np.array(batch[kept.good], np.float32)
        good[..., take] = kept.images
        look.append(good)
        rows += (seen + np.flatnonzero(kept.good)).tolist()
        reason = reason or next((r for r in kept.reasons if r), "")
        seen += len(batch)
        if len(rows) >= 64:
            break
    if not rows:  # shape and pixel are told first
        first = np.nan_to_num(np.asarray(batch, np.float32))
        admit(stamps, first, wants, About({**(given or {}), "unit": "flux"}))
        raise DataError(f"{stamps.path}: received {seen} stamps of which none can be judged; the "
                        f"first: {reason}. Expected finite images of the sky.")  # fmt: skip
    first = np.concatenate(look)
    plan = admit(stamps, first, wants, given)
    return plan, to_sky_sigma(first[..., list(plan.take)], plan, np.array(rows))


def _source(stamps: Stamps, plan: Admission, wants: ImageInput) -> str:
    kind = {"fits": "FITS", "hdf5": "HDF5", "shards": "shards of firstlight simulate"}
    return (f"{stamps.path} ({kind.get(stamps.kind, stamps.kind)}): {stamps.n} stamps, layout "
            f"{stamps.layout}, read as {', '.join(wants.bands)} in units of "
            f"{plan.unit if plan.unit == 'sky sigma' else plan.unit + ', divided by the noise'}"
            )  # fmt: skip


def _order(
    outcome: Outcome,
    look: NDArray[np.float32],
    simulated: NDArray[np.float32],
    wants: ImageInput,
    stamps: Stamps,
    given: About | None,
) -> None:
    if "bands" in stamps.about or (given and "bands" in given):
        return
    seems = home_sky.better_order(look, simulated, wants.bands)
    if seems:
        outcome.warnings.append(
            f"The bands may lie in the order {', '.join(seems)}: so the colors would fit the "
            f"training sky far better than as {', '.join(wants.bands)}. The file does not say. If "
            f"so, run again with --bands {','.join(seems)}."
        )


def _watched(stamps: Stamps, progress: bool) -> Iterator[tuple[int, NDArray[Any]]]:
    from tqdm import tqdm

    start = 0
    with tqdm(total=stamps.n, unit="stamp", disable=not progress, file=sys.stderr) as bar:
        for batch in stamps.batches(BATCH):
            yield start, batch
            start += len(batch)
            bar.update(len(batch))


def _slim(found: Scored) -> Scored:
    """Without further columns, which are on the disk already."""
    return Scored(found.scores, found.classes, np.empty((len(found.scores), 0), np.float32))


def _joined(parts: list[Scored]) -> Scored:
    return Scored(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _name(names: NDArray[Any] | None, row: int) -> str:
    return str(row) if names is None else str(names[row])


def _remember(
    shown: Collected, names: Any, good: NDArray[np.intp], found: Scored, sky: NDArray[np.float32]
) -> None:
    order = np.argsort(found.scores)
    few = set(order[:EXAMPLES].tolist()) | set(order[-EXAMPLES:].tolist())
    shown.add(Example(_name(names, good[k]), float(found.scores[k]), sky[k].copy()) for k in few)


def _write(
    table: Predictions, outcome: Outcome, names: Any, start: int, kept: Any, found: Any, far: Any
) -> None:
    place = 0
    for k, (fit, reason) in enumerate(zip(kept.good, kept.reasons, strict=True)):
        name = _name(names, start + k)
        if not fit:
            table.left_out(start + k, name, reason)
            outcome.left_out.append((start + k, name, reason))
            continue
        table.judged(start + k, name, found, place, reason, far[place])
        if reason:
            outcome.mended.append((start + k, name, reason))
        place += 1
