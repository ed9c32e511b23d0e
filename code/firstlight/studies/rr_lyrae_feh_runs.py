"""The stored run of [Fe/H]: the published ten folds, every method, star by star."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

import numpy as np

from firstlight.evaluation.feh_baselines import (
    FITS,
    damped_shapes,
    tuned_forest,
    tuned_process,
)
from firstlight.studies import rr_lyrae_feh as study
from firstlight.studies.cards import Fingerprint, architecture_digest, digest
from firstlight.studies.stored import Sweep

__all__ = ["COLUMNS", "SEED", "SWEEPS", "calibrated", "fingerprint", "measure", "pooled"]

SEED = 701
COLUMNS = ("network", "sigma", "process", "process_sigma", "forest")
_MILLI = 1000


@lru_cache(maxsize=1)
def _everything() -> tuple[study.Stars, dict[str, Any]]:
    stars = study.load()
    curves = stars.phases, stars.magnitudes, stars.mask, stars.period_days
    return stars, {fit: damped_shapes(*curves, fit) for fit in FITS}


def measure(fold: int) -> dict[str, Any]:
    """Every method on one fold, after learning from the other nine.

    Args:
        fold: 0 to 9, as the authors number them.

    Returns:
        Errors in dex, and for each of `COLUMNS` the predictions of the fold's stars as words, in
        thousandths of a dex and in the order of `rr_lyrae_feh.load`.
    """
    stars, shapes = _everything()
    train, test = (np.flatnonzero((stars.fold == int(fold)) == side) for side in (False, True))
    began = time.process_time()
    mean, sigma = study.train_and_predict(stars, train, test, SEED + int(fold))
    seconds = time.process_time() - began
    process = tuned_process(shapes, stars.feh_dex, train, test, SEED)
    forest = tuned_forest(shapes, stars.feh_dex, train, test, SEED)
    values = (mean, sigma, process.feh_dex, process.sigma_dex, forest.feh_dex)
    truth = stars.feh_dex[test]
    guesses = {"network": mean, "published": stars.published_dex[test],
               "process": process.feh_dex, "forest": forest.feh_dex}  # fmt: skip
    errors = {f"rmse_{name}": float(np.sqrt(np.mean((guess - truth) ** 2)))
              for name, guess in guesses.items()}  # fmt: skip
    words = {name: " ".join(str(round(_MILLI * float(v))) for v in column)
             for name, column in zip(COLUMNS, values, strict=True)}  # fmt: skip
    return {"stars": len(test), **errors, "cpu_s": seconds, "process_fit": process.fit,
            "forest_fit": forest.fit, **words}  # fmt: skip


def pooled(rows: list[dict[str, Any]], fold: Any) -> dict[str, Any]:
    """Predictions of all folds, put back in the order of the stars.

    Args:
        rows: Of the stored run, from `stored.read_run`.
        fold: The fold of each star, (n,).

    Returns:
        For each of `COLUMNS` an array in dex, (n,); NaN for folds that are not made yet.

    Raises:
        ValueError: If a fold has another number of stars than the run.
    """
    found = {name: np.full(len(fold), np.nan) for name in COLUMNS}
    for row in rows:
        mine = np.flatnonzero(np.asarray(fold) == int(row["fold"]))
        for name in COLUMNS:
            values = np.array(str(row[name]).split(), float) / _MILLI
            if len(values) != len(mine):
                raise ValueError(
                    f"fold {int(row['fold'])}: received {len(mine)} stars, expected the "
                    f"{len(values)} of the stored run. Type: firstlight sweep rr-lyrae-feh"
                )
            found[name][mine] = values
    return found


def calibrated(pulls: Any, fold: Any, level: float) -> Any:
    """How many stated sigmas hold a share of the stars, fold by fold, from the other folds.

    Args:
        pulls: Residual over stated sigma of each star, (n,).
        fold: The fold of each star, (n,).
        level: The share, such as 0.683.

    Returns:
        Half-widths in stated sigmas, (n,); the conformal quantile of the other folds' stars.
    """
    size, fold = np.abs(np.asarray(pulls, float)), np.asarray(fold)
    widths = np.empty(len(size))
    for k in np.unique(fold):
        others = np.sort(size[fold != k])
        rank = min(int(np.ceil((len(others) + 1) * level)), len(others))
        widths[fold == k] = others[rank - 1]
    return widths


def fingerprint() -> Fingerprint:
    """What the run depends on: the network, its training, the fits, two made-up stars."""
    from firstlight.models.rr_lyrae_feh import metallicity_network

    c = study.BUILD
    shape = {k: c[k] for k in ("filters", "units", "stride", "dropout")}
    stars = study.made_up(12, seed=5)
    shown = study.draw(stars, np.arange(2), 6, 5).ravel()
    curves = stars.phases, stars.magnitudes, stars.mask, stars.period_days
    fitted = [np.asarray(damped_shapes(*curves, fit))[:2].ravel() for fit in FITS]
    return Fingerprint(
        architecture_digest(metallicity_network(c["points"], **shape)),
        digest([c, FITS, SEED]),
        tuple(map(float, np.concatenate([shown, *fitted]))),
    )


SWEEPS = {
    "rr-lyrae-feh": Sweep(
        "rr-lyrae-feh", [{"fold": k} for k in range(10)], measure, fingerprint
    ),
}
