"""Galaxy Zoo without a network: the numbers astronomers measure, and a forest that reads them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from firstlight.evaluation.morphology import colors, measure
from firstlight.evaluation.photometry import CHUNK, apertures, centers, recenter

__all__ = ["classical_features", "classical_regressor"]

Floats = NDArray[np.float32]

RINGS = 10
ORDERS = 6  # azimuthal Fourier orders: 1 lopsided, 2 bars and two arms, 3 and more further arms
SHAPES = (
    "petrosian_radius",
    "r20",
    "r50",
    "r80",
    "concentration",
    "asymmetry",
    "gini",
    "m20",
    "axis_ratio",
    "flux",
    "n_pixels",
    "signal_to_noise",
)


@lru_cache(maxsize=4)
def _ring_basis(side: int) -> Floats:
    """Azimuthal Fourier weights of each ring, shape (4, side * side, RINGS, 2 * ORDERS + 1)."""
    distance = apertures(side).distance
    edges = np.linspace(0, side / 2, RINGS + 1)
    basis = np.zeros((4, side * side, RINGS, 2 * ORDERS + 1), np.float32)
    for parity in range(4):
        cy, cx = (side - 1 + np.array(divmod(parity, 2))) / 2
        angle = np.arctan2(np.arange(side)[:, None] - cy, np.arange(side) - cx).ravel()
        r = distance[parity].ravel()
        waves = np.stack(
            [np.ones_like(angle)]
            + [wave(m * angle) for m in range(1, ORDERS + 1) for wave in (np.cos, np.sin)],
            axis=1,
        )
        for ring in range(RINGS):
            inside = (r >= edges[ring]) & (r < edges[ring + 1])
            basis[parity, inside, ring] = waves[inside] / max(inside.sum(), 1)
    return basis


def _rings(cube: Floats, band: int) -> dict[str, Floats]:
    """Radial profiles of every band and the azimuthal structure of one."""
    side, n_bands = cube.shape[1], cube.shape[3]
    twice = centers(np.ascontiguousarray(cube[..., band]))
    basis = _ring_basis(side)
    modes = np.empty((len(cube), n_bands, RINGS, 2 * ORDERS + 1), np.float32)
    for b in range(n_bands):
        stamp, parity = recenter(np.ascontiguousarray(cube[..., b]), twice)
        flat = stamp.reshape(len(stamp), -1)
        for value in np.unique(parity):
            rows = parity == value
            found = flat[rows] @ basis[value].reshape(side * side, -1)
            modes[rows, b] = found.reshape(-1, RINGS, 2 * ORDERS + 1)
    profile = modes[..., 0]
    out = {f"profile_{b}_{k}": np.arcsinh(profile[:, b, k]) for b in range(n_bands)
           for k in range(RINGS)}  # fmt: skip
    blue = np.arcsinh(profile[:, 0]) - np.arcsinh(profile[:, -1])
    out |= {f"color_{k}": blue[:, k] for k in range(RINGS)}
    wave = modes[:, band, :, 1::2] + 1j * modes[:, band, :, 2::2]  # (n, rings, orders)
    level = np.abs(profile[:, band]) + 1.0  # one sky sigma keeps empty rings quiet
    for m in range(ORDERS):
        for k in range(RINGS):
            out[f"wave_{m + 1}_{k}"] = np.abs(wave[:, k, m]) / level[:, k]
    for m in (0, 1, 2):  # how a pattern turns from ring to ring: bars do not, arms do
        turn = wave[:, 1:, m] * wave[:, :-1, m].conj() / (level[:, 1:] * level[:, :-1])
        for k in range(RINGS - 1):
            out[f"straight_{m + 1}_{k}"] = turn[:, k].real
            out[f"winding_{m + 1}_{k}"] = np.abs(turn[:, k].imag)
    return {name: np.asarray(values, np.float32) for name, values in out.items()}


def classical_features(
    images: ArrayLike, *, band: int = 1, noise: float = 1.0
) -> tuple[Floats, list[str]]:
    """Everything an astronomer would measure before the age of networks, and a little more.

    Concentration, asymmetry, Gini, M20, sizes, moments and signal-to-noise (see
    `morphology.measure`), asymmetry, concentration and Gini of the other bands, colors, profiles
    in ten rings of each band, and in the chosen band the Fourier amplitudes around each ring
    (orders 1 to 6) with the turn of the pattern from ring to ring: a bar keeps its angle, a
    spiral arm changes it. All of it is blind to how the galaxy lies on the stamp.

    Args:
        images: Shape (n, side, side, bands), in units of the sky noise.
        band: The band in which shapes are measured (r of g, r, i).
        noise: Sky noise per pixel.

    Returns:
        Features, shape (n, n_features), finite; and their names.
    """
    cube = np.asarray(images, np.float32)
    if cube.ndim != 4:
        raise ValueError(f"images: received shape {cube.shape}, expected (n, side, side, bands).")
    shapes = measure(cube[..., band], noise=noise)
    table = {name: shapes[name] for name in SHAPES}
    for name in ("flux", "signal_to_noise"):
        table[name] = np.arcsinh(table[name])
    for b in range(cube.shape[3]):
        if b != band:
            other = measure(cube[..., b], noise=noise)
            for name in ("concentration", "asymmetry", "gini", "m20", "axis_ratio"):
                table[f"{name}_{b}"] = other[name]
    color = colors(cube, band=band, noise=noise)
    table |= {f"total_color_{k}": color[:, k] for k in range(color.shape[1])}
    parts = [_rings(cube[k : k + CHUNK], band) for k in range(0, len(cube), CHUNK)]
    table |= {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    values = np.stack(list(table.values()), axis=1)
    return np.nan_to_num(values, posinf=0.0, neginf=0.0), list(table)


def classical_regressor(
    kind: str = "extra_trees", *, trees: int = 100, leaf: int = 3, share: float = 0.4, seed: int = 0
) -> Any:
    """A regressor from features to the 37 vote fractions.

    A forest's prediction is a mean of observed votes. Means keep sums and proportions, so it
    obeys the decision tree without being told.

    Args:
        kind: `"extra_trees"`, `"random_forest"` or `"boosting"` (one gradient-boosted model per
            answer, which does not obey the tree).
        trees: Number of trees, or of boosting rounds.
        leaf: Fewest galaxies in a leaf.
        share: Share of the features tried at each split.
        seed: Of the trees.

    Returns:
        A scikit-learn regressor with `fit(features, votes)` and `predict(features)`.
    """
    from sklearn import ensemble
    from sklearn.multioutput import MultiOutputRegressor

    forests = {
        "extra_trees": ensemble.ExtraTreesRegressor,
        "random_forest": ensemble.RandomForestRegressor,
    }
    if kind in forests:
        return forests[kind](
            n_estimators=trees, min_samples_leaf=leaf, max_features=share, random_state=seed
        )
    if kind != "boosting":
        known = ", ".join([*forests, "boosting"])
        raise ValueError(f"kind: received {kind!r}, expected one of {known}.")
    return MultiOutputRegressor(
        ensemble.HistGradientBoostingRegressor(
            max_iter=trees,
            learning_rate=0.08,
            max_leaf_nodes=15,
            min_samples_leaf=max(leaf, 10),
            max_features=share,
            random_state=seed,
        )
    )
