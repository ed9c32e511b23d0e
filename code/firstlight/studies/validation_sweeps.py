"""Stored runs of the chapter *Validation Curves*: leaks, cures, and the size of the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firstlight.sky import galaxies
from firstlight.studies import validation_curves as study
from firstlight.studies import validation_leaks as leaks
from firstlight.studies.cards import Fingerprint, architecture_digest, digest
from firstlight.studies.stored import Sweep

__all__ = ["CURES", "SIZES", "SWEEPS", "cured", "leaked", "sized", "skies"]

N_TRAIN, N_VALIDATION, N_TEST = 400, 400, 2_000
# What each cure changes: arguments of the network, arguments of the training.
CURES: Mapping[str, tuple[dict[str, float], dict[str, Any]]] = {
    "nothing": ({}, {}),
    "decay": ({}, {"weight_decay": 2.0}),
    "dropout": ({"dropout": 0.7}, {}),
    "turns": ({}, {"augment": True}),
    "together": ({"dropout": 0.3}, {"augment": True}),
}
SIZES = (100, 200, 400, 800, 1_600, 6_400)
LONG: Mapping[str, Any] = {"steps": 8_000, "every": 100, "patience": 10, "augment": True}
SEEDS = range(601, 613)


def skies(seed: int) -> tuple[study.Stamps, study.Stamps, study.Stamps]:
    """Training, validation and test discs of the study of cures.

    Args:
        seed: Of all three, which are independent.
    """
    counts = (N_TRAIN, N_VALIDATION, N_TEST)
    return tuple(study.simulate(n, 3 * int(seed) + k) for k, n in enumerate(counts))  # type: ignore[return-value]


def cured(seed: int) -> dict[str, float]:
    """One row of the table of cures: every cure on the same galaxies.

    Args:
        seed: Of galaxies, first weights and order.

    Returns:
        `<cure>_loss` and `<cure>_right` on the test galaxies after the last step;
        `<cure>_early_loss` and `<cure>_early_right` with the weights of the lowest validation
        loss; `<cure>_step`, where that was.
    """
    seed, row = int(seed), {}
    train, validation, test = skies(seed)
    for name, (of_network, of_training) in CURES.items():
        model = study.network(seed, **of_network)  # type: ignore[arg-type]
        curves = study.fit(model, train, validation, seed=seed, **of_training)
        row[f"{name}_loss"], row[f"{name}_right"] = study.scores(model, test)
        model.set_weights(curves.best_weights)
        row[f"{name}_early_loss"], row[f"{name}_early_right"] = study.scores(model, test)
        row[f"{name}_step"] = float(curves.step[curves.best])
    return row


def leaked(seed: int, kind: str) -> dict[str, float]:
    """One row of the table of leaks: the same rows split in two ways.

    Args:
        seed: Of everything.
        kind: One of `validation_leaks.KINDS`.

    Returns:
        Share of right answers on the split's own test rows and on the fresh sky, for the
        careless split (`row_own`, `row_fresh`) and the careful one (`group_own`, `group_fresh`).
    """
    seed = int(seed)
    data = leaks.sample(kind, seed)
    row = {}
    for name, test in (
        ("row", leaks.by_row(len(data.group), 0.25, seed)),
        ("group", leaks.by_group(data.group, 0.25, seed)),
    ):
        model, own = study.network(seed), data.stamps.pick(test)
        study.fit(model, data.stamps.pick(~test), own, seed=seed, every=study.CONFIG["steps"])
        row[f"{name}_own"] = study.scores(model, own)[1]
        row[f"{name}_fresh"] = study.scores(model, data.fresh)[1]
    return row


def sized(seed: int) -> dict[str, float]:
    """One row of the learning curve: a network for every size, stopped early.

    Args:
        seed: Of the galaxies, of which fewer are the first of more, and of the networks.

    Returns:
        `loss_<n>` and `right_<n>` on three thousand test galaxies, and `short_<n>`, the share of
        right answers of a network that was given a quarter of the steps.
    """
    seed, row = int(seed), {}
    train = study.simulate(max(SIZES), 3 * seed)
    validation, test = study.simulate(500, 3 * seed + 1), study.simulate(3_000, 3 * seed + 2)
    for n in SIZES:
        model = study.network(seed)
        curves = study.fit(model, train.pick(slice(n)), validation, seed=seed, **LONG)
        model.set_weights(curves.best_weights)
        row[f"loss_{n}"], row[f"right_{n}"] = study.scores(model, test)
    model, hurried = study.network(seed), {**LONG, "steps": LONG["steps"] // 4}
    curves = study.fit(model, train, validation, seed=seed, **hurried)
    model.set_weights(curves.best_weights)
    row[f"short_{n}"] = study.scores(model, test)[1]
    return row


def _fingerprint(settings: Mapping[str, Any]) -> Fingerprint:
    """What a stored run depends on: the network, its settings, two discs."""
    sample = galaxies.stretch(study.light(2, seed=20_261_123)[0])[:, 4:12:3, 4:12:3].ravel()
    return Fingerprint(
        architecture_digest(study.network(0)),
        digest({"study": study.CONFIG, **settings}),
        tuple(map(float, sample)),
    )


def _of_leaks() -> Fingerprint:
    names = ("N_GALAXIES", "TURNS", "N_NIGHTS", "SAME_KIND", "SKY", "SHALLOW")
    return _fingerprint({name: getattr(leaks, name) for name in names})


def _of_cures() -> Fingerprint:
    return _fingerprint({"cures": CURES, "counts": (N_TRAIN, N_VALIDATION, N_TEST)})


def _of_sizes() -> Fingerprint:
    return _fingerprint({"sizes": SIZES, "long": LONG})


SWEEPS = {
    "validation-leaks": Sweep(
        "validation-leaks",
        [{"seed": seed, "kind": kind} for seed in SEEDS[:10] for kind in leaks.KINDS],
        leaked,
        _of_leaks,
    ),
    "validation-cures": Sweep(
        "validation-cures", [{"seed": seed} for seed in SEEDS], cured, _of_cures
    ),
    "validation-sizes": Sweep(
        "validation-sizes", [{"seed": seed} for seed in SEEDS[:8]], sized, _of_sizes
    ),
}
