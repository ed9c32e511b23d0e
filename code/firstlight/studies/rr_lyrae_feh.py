"""[Fe/H] of real RRab stars from Gaia's light curves, on the published ten folds.

Choices (width, steps, dropout) were made on folds 8 and 9 after learning from folds 2 to 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["BUILD", "FILES", "Stars", "draw", "load", "made_up", "train_and_predict"]

Doubles = NDArray[np.float64]
BUILD: dict[str, Any] = {
    "points": 48, "filters": 32, "units": 16, "stride": 3, "dropout": 0.2, "epochs": 60,
    "batch": 64, "rate": 0.006, "decay": 0.01, "starts": 2, "looks": 4,
}  # fmt: skip
FILES = ("vvv/g_predict_val.dat", "vvv/lc_dev_g.tar.gz", "ogle4/blg_ident_edit.dat",
         "ogle4/gd_ident.dat", "ogle4/gd_RRab.dat",
         "ogle4/o4rrab_bulge_v_gpr_dff_param.dat")  # fmt: skip


@dataclass(frozen=True)
class Stars:
    """Folded light curves with their periods and labels.

    Args:
        phases: Rising, 0 to 1, (n, most points); 0 where the mask is False.
        magnitudes: Likewise.
        mask: True for a measurement; padding at the end.
        period_days: Shape (n,).
        feh_dex: The labels, photometric, (n,).
        published_dex: What the published network says, (n,).
        fold: 0 to 9, (n,).
    """

    phases: Doubles
    magnitudes: Doubles
    mask: NDArray[np.bool_]
    period_days: Doubles
    feh_dex: Doubles
    published_dex: Doubles
    fold: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.fold)


def load() -> Stars:
    """The Gaia stars with a label and, by `archive.gaia_match`, a period.

    Raises:
        DataAbsent: If a file of `FILES` is not in the cache.
    """
    from firstlight.archive.gaia_match import gaia_periods
    from firstlight.archive.vvv import feh_predictions, vvv_light_curves

    table = feh_predictions("val")
    table = table.merge(gaia_periods(table["star_id"].to_numpy()), on="star_id")
    curves = vvv_light_curves("G")
    rows = np.searchsorted(curves.star_ids, table["star_id"].to_numpy())
    shape = len(table), int(curves.lengths[rows].max())
    phases, magnitudes, mask = np.zeros(shape), np.zeros(shape), np.zeros(shape, bool)
    for k, row in enumerate(rows.tolist()):
        phase, magnitude = curves[row]
        order = np.argsort(phase)
        phases[k, : len(order)], magnitudes[k, : len(order)] = phase[order], magnitude[order]
        mask[k, : len(order)] = True
    return Stars(phases, magnitudes, mask,
                 *(table[c].to_numpy() for c in ("period_days", "feh_dex", "predicted_feh_dex",
                                                 "fold")))  # fmt: skip


def made_up(n: int, seed: int) -> Stars:
    """Stars for tests: two harmonics, whose relative phase and period make the label.

    Args:
        n: How many, at least ten.
        seed: Of everything random.
    """
    rng = np.random.default_rng(seed)
    count = rng.integers(24, 41, n)
    mask = np.arange(40) < count[:, None]
    phases = np.sort(np.where(mask, rng.random((n, 40)), 2.0), axis=1)
    period, turn = rng.uniform(0.45, 0.75, n), rng.normal(0, 0.5, n)
    angle = 2 * np.pi * phases
    curve = 0.3 * np.sin(angle) + 0.15 * np.sin(2 * angle + turn[:, None])
    noisy = 16 + curve + rng.normal(0, 0.01, mask.shape)
    feh = -1.4 - 5 * (period - 0.6) + 0.8 * turn
    return Stars(np.where(mask, phases, 0), np.where(mask, noisy, 0), mask, period, feh,
                 feh + rng.normal(0, 0.2, n), np.arange(n) % 10)  # fmt: skip


def draw(stars: Stars, rows: NDArray[Any], points: int, seed: Any) -> NDArray[np.float32]:
    """Curves as the network takes them: thinned where long, round again where short.

    Args:
        stars: All of them.
        rows: Which.
        points: Of each curve; a longer one gives as many of its points, drawn at random.
        seed: Or a generator. Where on its cycle a curve begins is random as well.

    Returns:
        Shape (rows, points, 7): phase times period, magnitude from the mean, sine and cosine of
        the phase, period, and the two steps from point to point, all of order one.
    """
    rng = np.random.default_rng(seed)
    phase, magnitude, mask = stars.phases[rows], stars.magnitudes[rows], stars.mask[rows]
    n, period = mask.sum(axis=1, keepdims=True), stars.period_days[rows][:, None]
    middle = _mean_over_phase(phase, magnitude, mask)[:, None]
    chance = np.where(mask, rng.random(mask.shape), 2.0)
    kept = np.argsort(np.argsort(chance, axis=1), axis=1) < np.minimum(n, points)
    order = np.argsort(~kept, axis=1, kind="stable")[:, :points]  # in order of phase
    k = np.minimum(n, points)
    place = np.arange(points) + rng.integers(0, 10**6, (len(n), 1)) % k
    order = np.take_along_axis(order, place % k, axis=1)
    q = np.take_along_axis(phase, order, axis=1)
    m = np.take_along_axis(magnitude, order, axis=1) - middle
    step = np.gradient(q + place // k, axis=1)
    angle = 2 * np.pi * q
    return np.stack([
        (q * period - 0.28) / 0.17, m / 0.25, np.sin(angle), np.cos(angle),
        np.broadcast_to((period - 0.57) / 0.09, q.shape), step * period / 0.02 - 1,
        np.gradient(m, axis=1) / 0.05,
    ], axis=2).astype(np.float32)  # fmt: skip


def _mean_over_phase(phase: Doubles, magnitude: Doubles, mask: NDArray[np.bool_]) -> Doubles:
    """Mean magnitude, each point weighted by the stretch of phase that it stands for."""
    n = mask.sum(axis=1, keepdims=True)
    i = np.arange(mask.shape[1])
    after = np.take_along_axis(phase, (i + 1) % n, axis=1) + (i + 1 >= n)
    before = np.take_along_axis(phase, (i - 1) % n, axis=1) - (i == 0)
    width = np.where(mask, after - before, 0.0)
    return (width * magnitude).sum(axis=1) / width.sum(axis=1)


def train_and_predict(
    stars: Stars, train: NDArray[Any], test: NDArray[Any], seed: int,
    config: Mapping[str, Any] | None = None,
) -> tuple[Doubles, Doubles]:  # fmt: skip
    """Learn from some stars, from several starts, and predict others.

    Args:
        stars: All of them; labels of test stars are not looked at.
        train: Rows to learn from.
        test: Rows to predict.
        seed: Of the first start; the others follow.
        config: Like `BUILD`, which it is by default.

    Returns:
        Mean and standard deviation of [Fe/H] in dex, not yet calibrated, each of shape (test,).
        The variance is the starts' own on average, plus that of their means.

    Raises:
        ValueError: If a test star is among the training stars.
    """
    import keras

    from firstlight.models.rr_lyrae_feh import FLOOR, gaussian_loss, metallicity_network
    from firstlight.training import set_seed

    if np.intersect1d(train, test).size:
        raise ValueError("train, test: received stars on both sides, expected none. Split again.")
    c = {**BUILD, **(config or {})}
    center, spread = stars.feh_dex[train].mean(), stars.feh_dex[train].std()
    label = ((stars.feh_dex - center) / spread).astype(np.float32)[:, None]
    steps = len(train) // c["batch"] * c["epochs"]
    means, variances = [], []
    for start in range(c["starts"]):
        set_seed(seed + 1000 * start)
        rng = np.random.default_rng(seed + 1000 * start)
        shape = {k: c[k] for k in ("filters", "units", "stride", "dropout")}
        model = metallicity_network(c["points"], **shape)
        rise = max(steps // 10, 1)
        rate = keras.optimizers.schedules.CosineDecay(
            c["rate"] / 10, max(steps - rise, 1), warmup_target=c["rate"], warmup_steps=rise
        )
        model.compile(keras.optimizers.AdamW(rate, weight_decay=c["decay"], clipnorm=1.0),
                      gaussian_loss, jit_compile=True)  # fmt: skip
        for _ in range(c["epochs"]):
            order = rng.permutation(train)[: len(train) // c["batch"] * c["batch"]]
            curves = draw(stars, order, c["points"], rng)
            for k in range(0, len(order), c["batch"]):
                part = slice(k, k + c["batch"])
                model.train_on_batch(curves[part], label[order[part]])
        looks = [np.asarray(model(draw(stars, test, c["points"], rng))) for _ in range(c["looks"])]
        guess = np.mean(looks, axis=0)
        means.append(guess[:, 0])
        variances.append((guess[:, 1] + FLOOR) ** 2)
    sigma = np.sqrt(np.mean(variances, axis=0) + np.var(means, axis=0))
    return np.mean(means, axis=0) * spread + center, sigma * spread
