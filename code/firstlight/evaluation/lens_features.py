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

from firstlight.evaluation.lens_arcs import (
    Columns,
    Floats,
    arc_statistics,
    isophote_residual,
    pixel_offsets,
    turned_residual,
)
from firstlight.evaluation.photometry import CHUNK, centers, recenter

__all__ = ["lens_classifier", "lens_features"]


ELECTRONS = 21.0  # in one sky sigma of an LSST visit in g: what the galaxy's own noise needs
FREQUENCIES = (0.08, 0.14, 0.24)  # of the Gabor filters, cycles per pixel
ORIENTATIONS = 6


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
    x, y = pixel_offsets(side)
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
                    f"{label}_std": strength.mean(axis=1), f"{label}_most": strength[:, -1],
                    f"{label}_least": strength[:, 0],
                    f"{label}_peak": inside.max(axis=(1, 2))}  # fmt: skip
    return out


def _colors(cube: Floats, scaled: Floats) -> Columns:
    """Colors in rings and how blue the rings are against the middle."""
    side = cube.shape[1]
    x, y = pixel_offsets(side)
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
    out = arc_statistics(turned, "turned") | arc_statistics(smoothed, "smooth")
    out |= _gabor(smoothed, "smooth") | _gabor(middle[..., 0] / noise, "image")
    if cube.shape[3] > 1:
        x, y = pixel_offsets(cube.shape[1])
        core = (np.hypot(x, y) < 3).reshape(cube.shape[1:3])
        red = np.maximum(middle[:, core, -1].sum(axis=1), 1e-3)
        scale = np.clip(middle[:, core, 0].sum(axis=1) / red, 0, 3)[:, None, None]
        apart = middle[..., 0] - scale * middle[..., -1]
        red_noise = 1 + ndimage.gaussian_filter(np.maximum(middle[..., -1], 0), (0, 1, 1)) / 28
        scaled = (apart / np.sqrt(noise**2 + scale**2 * red_noise)).astype(np.float32)
        out |= arc_statistics(scaled, "scaled") | _gabor(scaled, "scaled") | _colors(middle, scaled)
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
    cube = np.asarray(images)
    if cube.ndim != 4 or cube.shape[1] != cube.shape[2] or not len(cube):
        raise ValueError(
            f"images: received shape {cube.shape}, expected (n, side, side, bands) with n of 1 "
            "or more. One band wants images[..., None]."
        )
    parts = []
    for start in range(0, len(cube), CHUNK):  # a copy of all stamps would fill a small machine
        some = cube[start : start + CHUNK].astype(np.float32)
        if not np.isfinite(some).all():
            raise ValueError("images: received NaN or infinite pixels, expected finite ones.")
        parts.append(_chunk(some))
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
        tuned = {
            "max_iter": 400,
            "learning_rate": 0.05,
            "max_leaf_nodes": 31,
            "min_samples_leaf": 20,
            "l2_regularization": 1.0,
            "max_features": 0.15,
        }
        return ensemble.HistGradientBoostingClassifier(random_state=seed, **{**tuned, **settings})
    if kind == "forest":
        tuned = {"n_estimators": 300, "min_samples_leaf": 2, "max_features": 0.3}
        return ensemble.ExtraTreesClassifier(random_state=seed, **{**tuned, **settings})
    if kind == "svm":
        tuned = {"C": 10.0, "gamma": 0.1 / 60, "cache_size": 500}
        return pipeline.make_pipeline(
            preprocessing.QuantileTransformer(
                n_quantiles=200, output_distribution="normal", random_state=seed
            ),
            svm.SVC(random_state=seed, **{**tuned, **settings}),
        )
    raise ValueError(f"kind: received {kind!r}, expected 'boosting', 'forest' or 'svm'.")
