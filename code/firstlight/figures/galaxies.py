"""Galaxies for the eye: color images after Lupton, and galleries of them."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from firstlight.figures.style import INK

__all__ = ["SDSS_BALANCE", "stamps", "to_rgb"]

# The sky is brightest in i, so in units of its noise red galaxies would look green.
SDSS_BALANCE = (1.05, 0.91, 1.12)


def to_rgb(
    images: Any,
    *,
    black: float = -1.0,
    white: float = 120.0,
    soft: float = 3.0,
    weights: tuple[float, float, float] = SDSS_BALANCE,
) -> np.ndarray:
    """Color images whose bright centers keep their color (Lupton et al. 2004).

    The mean of the three bands is stretched, by asinh(flux / soft), and each band keeps its
    share of it; a pixel that overflows is dimmed as a whole instead of bleached.

    Args:
        images: Shape (..., size, size, 3), bands g, r, i, in units of the sky's standard
            deviation per pixel, sky subtracted.
        black: Mean flux drawn as black, in the same units.
        white: Mean flux drawn as full brightness.
        soft: Flux where the stretch turns from linear to logarithmic.
        weights: Factors of g, r and i before they are combined; by default those that make
            an SDSS elliptical yellow and a spiral blue-white.

    Returns:
        Array of the same shape, uint8; red from i, green from r, blue from g.

    Raises:
        ValueError: If the last axis is not the three bands, or the levels are not in order.

    Example:
        >>> to_rgb(np.full((1, 1, 3), -1.0)).ravel().tolist()
        [0, 0, 0]
    """
    flux = np.asarray(images, dtype=np.float32)
    if flux.ndim < 3 or flux.shape[-1] != 3:
        raise ValueError(
            f"images: received shape {flux.shape}, expected (..., size, size, 3), bands g, r, i."
        )
    if not black < white or soft <= 0:
        raise ValueError(
            f"levels: received black={black}, white={white}, soft={soft}, "
            "expected black < white and soft > 0."
        )
    bands = np.maximum(flux[..., ::-1] * np.asarray(weights, dtype=np.float32)[::-1] - black, 0)
    mean = bands.mean(axis=-1, keepdims=True)
    stretched = np.arcsinh(mean / soft) / np.arcsinh((white - black) / soft)
    color = bands * stretched / np.maximum(mean, 1e-6)
    color /= np.maximum(color.max(axis=-1, keepdims=True), 1)
    return np.round(255 * color).astype(np.uint8)


def stamps(
    images: Any,
    titles: Sequence[str] | None = None,
    *,
    columns: int = 6,
    size: float = 1.1,
    **levels: Any,
) -> Figure:
    """A gallery: images side by side, without axes, a short line of text under each.

    Args:
        images: Shape (n, size, size, 3): uint8 RGB, or g, r, i in sky sigma, which then go
            through `to_rgb`; or (n, size, size) in gray.
        titles: One text for each image, of one or two short lines.
        columns: Images in a row.
        size: Side of one image in inches.
        **levels: `black`, `white`, `soft` and `weights` for `to_rgb`.

    Returns:
        Matplotlib figure; give it to `show`.

    Raises:
        ValueError: If the shapes do not fit, or there is no image, or the titles differ in number.

    Example:
        >>> fig = stamps(np.zeros((3, 8, 8, 3)), ["one", "two", "three"])
        >>> len(fig.axes)
        3
    """
    pictures = np.asarray(images)
    color = pictures.ndim == 4 and pictures.shape[-1] == 3
    if len(pictures) == 0 or not (color or pictures.ndim == 3):
        raise ValueError(
            f"images: received shape {pictures.shape}, expected (n, size, size, 3) or "
            "(n, size, size), with n of at least one."
        )
    if titles is not None and len(titles) != len(pictures):
        raise ValueError(
            f"titles: received {len(titles)} for {len(pictures)} images, expected one each."
        )
    if color and pictures.dtype != np.uint8:
        pictures = to_rgb(pictures, **levels)
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    lines = max((title.count("\n") + 1 for title in titles), default=0) if titles else 0
    fig, axes = plt.subplots(
        rows, columns, figsize=(columns * size, rows * (size + 0.17 * lines)), squeeze=False
    )
    fig.set_layout_engine("constrained", w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.01)
    for index, ax in enumerate(axes.flat):
        if index >= len(pictures):
            ax.remove()
            continue
        ax.imshow(pictures[index], origin="lower", cmap="gray")
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        if titles is not None:
            ax.set_xlabel(titles[index], fontsize=9, labelpad=3, color=INK)
    return fig
