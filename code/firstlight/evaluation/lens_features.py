"""Finding lenses without a network: what arc finders measure, and a classifier that reads it.

Three ways to take the lens galaxy out of an image (turn it by 180 degrees, subtract a model of
elliptical isophotes, subtract another band as RingFinder does: Gavazzi et al. 2014), and on
each residual the statistics of arcs: light in windows of a polar map, its counter-image, the
largest piece above the noise and how it lies. Gabor filters, the features of the support
vector machine that came out best of the classical entries to the first lens-finding challenge
(Metcalf et al. 2019), are averaged over orientations.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft, ndimage

from firstlight.evaluation.photometry import CHUNK, centers, recenter

__all__ = ["isophote_residual", "lens_classifier", "lens_features", "turned_residual"]

Floats = NDArray[np.float32]
Columns = dict[str, Floats]

RINGS = np.array([2, 3.5, 5, 6.5, 8, 10, 12, 14.5, 17])  # radii of the polar map, pixels
ANGLES = 36
WINDOWS = (3, 6, 12)  # lengths of arcs, in steps of 10 degrees
ELECTRONS = 21.0  # in one sky sigma of an LSST visit in g: what the galaxy's own noise needs
FREQUENCIES = (0.08, 0.14, 0.24)  # of the Gabor filters, cycles per pixel
ORIENTATIONS = 6


def turned_residual(images: ArrayLike) -> Floats:
    """What changes when a galaxy is turned by half a turn about its center.

    Args:
        images: One band, shape (n, side, side).

    Returns:
        The image, centered to half a pixel, minus itself turned; same shape.
    """
    batch = np.asarray(images, np.float32)
    centered, parity = recenter(batch, centers(batch))
    turned = centered[:, ::-1, ::-1].copy()
    # about the center of the stamp's middle pixel rather than its corner, where that is closer
    for value in range(1, 4):
        rows = np.flatnonzero(parity == value)
        dy, dx = divmod(value, 2)
        turned[rows] = np.roll(turned[rows], (dy, dx), axis=(1, 2))
    return np.asarray(centered - turned, np.float32)


@lru_cache(maxsize=4)
def _grid(side: int) -> tuple[Floats, Floats]:
    axis = np.arange(side, dtype=np.float32) - (side - 1) / 2
    x, y = np.meshgrid(axis, axis)
    return x.ravel(), y.ravel()


def _ellipses(flat: Floats, side: int) -> Floats:
    """Elliptical radius of every pixel, by moments in a round Gaussian window, `(n, pixels)`."""
    x, y = _grid(side)
    window = np.exp(-(x**2 + y**2) / (2 * 5.0**2))
    light = np.maximum(flat, 0) * window
    total = np.maximum(light.sum(axis=1), 1e-6)
    xx, yy, xy = (light @ moment / total for moment in (x * x, y * y, x * y))
    size = np.maximum(xx + yy, 1e-3)
    e1, e2 = (xx - yy) / size, 2 * xy / size
    # the window rounds the galaxy: its inverse variance must be taken off again
    gain = 1 / np.clip(1 - size / (2 * 5.0**2), 0.3, 1)
    e1, e2 = np.clip(e1 * gain, -0.6, 0.6), np.clip(e2 * gain, -0.6, 0.6)
    squared = (1 - e1)[:, None] * (x * x) + (1 + e1)[:, None] * (y * y) - 2 * e2[:, None] * (x * y)
    return np.sqrt(np.maximum(squared, 0) / np.sqrt(1 - e1**2 - e2**2)[:, None])


def isophote_residual(images: ArrayLike) -> Floats:
    """The image less a galaxy of concentric elliptical isophotes.

    Args:
        images: One band, shape (n, side, side), the galaxy in the middle.

    Returns:
        Same shape. The brightness at each elliptical radius is a low quantile, so that an arc
        raises the model little.
    """
    batch = np.asarray(images, np.float32)
    side = batch.shape[1]
    flat = batch.reshape(len(batch), -1)
    radius = _ellipses(flat, side)
    order = np.argsort(radius, axis=1)
    bins = np.unique(np.r_[np.arange(0, 24, 6), np.geomspace(24, side * side, 18).astype(int)])
    sorted_light = np.take_along_axis(flat, order, 1)
    sorted_radius = np.take_along_axis(radius, order, 1)
    level = np.stack([np.quantile(sorted_light[:, a:b], 0.42, axis=1)
                      for a, b in zip(bins[:-1], bins[1:], strict=True)], axis=1)  # fmt: skip
    middle = np.stack([sorted_radius[:, a:b].mean(axis=1)
                       for a, b in zip(bins[:-1], bins[1:], strict=True)], axis=1)  # fmt: skip
    model = np.stack([np.interp(r, m, v) for r, m, v in zip(radius, middle, level, strict=True)])
    return np.asarray((flat - model).reshape(batch.shape), np.float32)


@lru_cache(maxsize=4)
def _polar(side: int) -> Floats:
    """Weights that average pixels into a polar map, `(pixels, RINGS * ANGLES)`."""
    x, y = _grid(side)
    turn = 2 * np.pi * np.arange(ANGLES) / ANGLES
    weights = np.empty((len(RINGS), ANGLES, len(x)), np.float32)
    for k, radius in enumerate(RINGS):
        for j, angle in enumerate(turn):
            gap = np.hypot(x - radius * np.cos(angle), y - radius * np.sin(angle))
            near = np.exp(-0.5 * (gap / 1.4) ** 2)
            weights[k, j] = near / np.sqrt((near**2).sum())  # unit noise in, unit noise out
    return weights.reshape(-1, side * side).T.copy()


def _arcs(significance: Floats, name: str) -> Columns:
    """Statistics of arcs on maps in units of their noise, `(n, side, side)`."""
    n, side, _ = significance.shape
    polar = (significance.reshape(n, -1) @ _polar(side)).reshape(n, len(RINGS), ANGLES)
    out: Columns = {}
    clipped = np.clip(polar, -30, 30)
    best = {}
    for window in WINDOWS:
        wide = np.concatenate([clipped, clipped[..., : window - 1]], axis=2)
        total = np.cumsum(np.pad(wide, ((0, 0), (0, 0), (1, 0))), axis=2)
        sums = (total[..., window:] - total[..., :-window]) / np.sqrt(window)
        ordered = sums.max(axis=2)
        best[window] = sums
        for k in range(len(RINGS)):
            out[f"{name}_arc_{window}_{k}"] = ordered[:, k]
        out[f"{name}_arc_{window}"] = ordered.max(axis=1)
    sums = best[WINDOWS[1]]
    where = sums.reshape(n, -1).argmax(axis=1)
    ring, angle = np.divmod(where, ANGLES)
    rows = np.arange(n)
    out[f"{name}_radius"] = RINGS[ring]
    opposite = (angle + ANGLES // 2 + np.arange(-3, 4)[:, None]) % ANGLES
    inside = np.stack([np.where(np.arange(len(RINGS))[None] <= ring[:, None], sums[rows, :, o], -9)
                       .max(axis=1) for o in opposite])  # fmt: skip
    out[f"{name}_counter"] = inside.max(axis=0)
    out[f"{name}_contrast"] = sums[rows, ring].max(1) - np.median(sums[rows, ring], axis=1)
    waves = np.abs(np.fft.rfft(clipped, axis=2))[..., 1:5] / ANGLES
    for m in range(4):
        out[f"{name}_wave_{m + 1}"] = waves[:, 2:7, m].mean(axis=1)
    out |= {f"{name}_mean_{k}": clipped[:, k].mean(axis=1) for k in range(len(RINGS))}
    return out | _pieces(significance, name)


def _pieces(significance: Floats, name: str) -> Columns:
    """The largest connected piece above the noise: size, light, elongation, how it lies."""
    n, side, _ = significance.shape
    smooth = ndimage.gaussian_filter(significance, (0, 1.2, 1.2)) * np.float32(2 * 1.2 * 1.7725)
    out = np.zeros((n, 6), np.float32)
    x, y = _grid(side)
    links = np.ones((3, 3), int)
    for i in range(n):
        labels, count = ndimage.label(smooth[i] > 3.5, structure=links)
        if not count:
            continue
        flat, light = labels.ravel(), np.maximum(significance[i].ravel(), 0)
        sums = np.bincount(flat, light)
        sums[0] = 0
        top = int(sums.argmax())
        mine = flat == top
        w = light[mine] / max(sums[top], 1e-6)
        mx, my = w @ x[mine], w @ y[mine]
        dx, dy = x[mine] - mx, y[mine] - my
        xx, yy, xy = w @ (dx * dx) + 0.1, w @ (dy * dy) + 0.1, w @ (dx * dy)
        e = np.array([xx - yy, 2 * xy]) / (xx + yy)
        radial = 2 * np.arctan2(my, mx)
        tangential = -(e[0] * np.cos(radial) + e[1] * np.sin(radial))
        out[i] = (
            count,
            mine.sum(),
            np.arcsinh(sums[top]),
            np.hypot(*e),
            tangential,
            np.hypot(mx, my),
        )
    names = ("pieces", "area", "light", "elongation", "tangential", "distance")
    return {f"{name}_{label}": out[:, k] for k, label in enumerate(names)}


@lru_cache(maxsize=4)
def _gabor_bank(side: int) -> NDArray[np.complex64]:
    """Transforms of scikit-image's Gabor kernels, `(frequencies, orientations, side, side)`."""
    from skimage.filters import gabor_kernel

    bank = np.zeros((len(FREQUENCIES), ORIENTATIONS, side, side), np.complex64)
    for k, frequency in enumerate(FREQUENCIES):
        for j in range(ORIENTATIONS):
            kernel = gabor_kernel(frequency, theta=np.pi * j / ORIENTATIONS)
            kernel -= kernel.mean()
            kernel /= np.sqrt((np.abs(kernel) ** 2).sum())
            half = np.array(kernel.shape) // 2
            cut = [slice(max(h - side // 2 + 1, 0), h + side // 2) for h in half]
            kernel = kernel[cut[0], cut[1]]
            whole = np.zeros((side, side), complex)
            whole[: kernel.shape[0], : kernel.shape[1]] = kernel
            shift = [-(size // 2) for size in kernel.shape]
            bank[k, j] = np.fft.fft2(np.roll(whole, shift, axis=(0, 1)))
    return bank


def _gabor(significance: Floats, name: str) -> Columns:
    """Strength of edges at three scales in three annuli, averaged and sorted by orientation."""
    side = significance.shape[1]
    x, y = _grid(side)
    distance = np.hypot(x, y)
    transform = fft.fft2(np.clip(significance, -30, 30))
    out: Columns = {}
    for k, filters in enumerate(_gabor_bank(side)):
        found = np.abs(fft.ifft2(transform[:, None] * filters)).reshape(
            len(transform), ORIENTATIONS, -1
        )
        for ring, (low, high) in enumerate(((0, 5), (5, 10), (10, 18))):
            inside = found[..., (distance >= low) & (distance < high)]
            strength = np.sort(inside.std(axis=2), axis=1)
            label = f"{name}_gabor_{k}_{ring}"
            out |= {f"{label}_mean": inside.mean(axis=(1, 2)),
                    f"{label}_std": strength.mean(axis=1), f"{label}_most": strength[:, -1], f"{label}_least": strength[:, 0],
                    f"{label}_peak": inside.max(axis=(1, 2))}  # fmt: skip
    return out


def _colors(cube: Floats, scaled: Floats) -> Columns:
    """Colors in rings and how blue the rings are against the middle."""
    side = cube.shape[1]
    x, y = _grid(side)
    distance = np.hypot(x, y)
    out: Columns = {}
    edges = (0, 2, 4, 6, 8, 11, 15)
    flux = [cube.reshape(len(cube), -1, cube.shape[3])[:, (distance >= a) & (distance < b)]
            .mean(axis=1) for a, b in zip(edges[:-1], edges[1:], strict=True)]  # fmt: skip
    for k, value in enumerate(flux):
        tone = np.arcsinh(value)
        out[f"blue_{k}"], out[f"green_{k}"] = tone[:, 0] - tone[:, -1], tone[:, 0] - tone[:, 1]
        out[f"excess_{k}"] = scaled.reshape(len(cube), -1)[
            :, (distance >= edges[k]) & (distance < edges[k + 1])
        ].mean(axis=1)
    return out


def _chunk(cube: Floats) -> Columns:
    """All features of some stamps, the first band the bluest."""
    blue = np.ascontiguousarray(cube[..., 0])
    place = centers(np.ascontiguousarray(cube[..., -1]))
    middle = np.stack([recenter(np.ascontiguousarray(cube[..., b]), place)[0]
                       for b in range(cube.shape[3])], axis=-1)  # fmt: skip
    smooth = ndimage.gaussian_filter(np.maximum(middle[..., 0], 0), (0, 1, 1))
    noise = np.sqrt(1 + smooth / ELECTRONS)
    turned = turned_residual(blue) / (np.sqrt(2) * noise)
    smoothed = isophote_residual(middle[..., 0]) / noise
    out = _arcs(turned, "turned") | _arcs(smoothed, "smooth")
    out |= _gabor(smoothed, "smooth") | _gabor(middle[..., 0] / noise, "image")
    if cube.shape[3] > 1:
        x, y = _grid(cube.shape[1])
        core = (np.hypot(x, y) < 3).reshape(cube.shape[1:3])
        red = np.maximum(middle[:, core, -1].sum(axis=1), 1e-3)
        scale = np.clip(middle[:, core, 0].sum(axis=1) / red, 0, 3)[:, None, None]
        apart = middle[..., 0] - scale * middle[..., -1]
        red_noise = 1 + ndimage.gaussian_filter(np.maximum(middle[..., -1], 0), (0, 1, 1)) / 28
        scaled = (apart / np.sqrt(noise**2 + scale**2 * red_noise)).astype(np.float32)
        out |= _arcs(scaled, "scaled") | _gabor(scaled, "scaled") | _colors(middle, scaled)
    return out


def lens_features(images: ArrayLike) -> tuple[Floats, list[str]]:
    """What classical arc finders measure on stamps in one band or several.

    Args:
        images: Shape (n, side, side, bands), sky noise 1, bands from blue to red.

    Returns:
        Features, shape (n, n_features), finite; and their names. All are blind to how the
        stamp is turned, but for the pixels' grid.

    Raises:
        ValueError: If the shape is another or pixels are not finite.
    """
    cube = np.asarray(images, np.float32)
    if cube.ndim != 4 or cube.shape[1] != cube.shape[2] or not len(cube):
        raise ValueError(
            f"images: received shape {cube.shape}, expected (n, side, side, bands) with n of 1 "
            "or more. One band wants images[..., None]."
        )
    if not np.isfinite(cube).all():
        raise ValueError("images: received NaN or infinite pixels, expected finite ones.")
    parts = [_chunk(cube[k : k + CHUNK]) for k in range(0, len(cube), CHUNK)]
    names = list(parts[0])
    table = np.stack([np.concatenate([part[name] for part in parts]) for name in names], axis=1)
    return np.nan_to_num(table.astype(np.float32), posinf=0.0, neginf=0.0), names


def lens_classifier(kind: str = "boosting", *, seed: int = 0, **settings: Any) -> Any:
    """A classifier from features to the probability of a lens.

    Args:
        kind: `"boosting"` (gradient-boosted trees), `"forest"` (extremely randomized trees) or
            `"svm"` (support vectors with a Gaussian kernel, as in the challenge).
        seed: Of the trees, or of the support vectors' calibration.
        **settings: Of the scikit-learn estimator, in place of those tuned here.

    Returns:
        A scikit-learn classifier; `score = fitted.decision_function(x)` for the support
        vectors, `fitted.predict_proba(x)[:, 1]` for the trees.
    """
    from sklearn import ensemble, pipeline, preprocessing, svm

    if kind == "boosting":
        tuned = {"max_iter": 300, "learning_rate": 0.06, "max_leaf_nodes": 15,
                 "min_samples_leaf": 20, "l2_regularization": 1.0, "max_features": 0.3}  # fmt: skip
        return ensemble.HistGradientBoostingClassifier(random_state=seed, **{**tuned, **settings})
    if kind == "forest":
        tuned = {"n_estimators": 300, "min_samples_leaf": 2, "max_features": 0.3}
        return ensemble.ExtraTreesClassifier(random_state=seed, **{**tuned, **settings})
    if kind == "svm":
        tuned = {"C": 3.0, "gamma": 0.1 / 60, "cache_size": 500}
        return pipeline.make_pipeline(
            preprocessing.QuantileTransformer(
                n_quantiles=200, output_distribution="normal", random_state=seed
            ),
            svm.SVC(random_state=seed, **{**tuned, **settings}),
        )
    raise ValueError(f"kind: received {kind!r}, expected 'boosting', 'forest' or 'svm'.")
