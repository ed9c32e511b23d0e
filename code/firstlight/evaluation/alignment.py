"""Turn every galaxy the same way up, as astronomers have done since they measured angles.

A network must learn each pattern in every orientation. The position angle takes most of that
away before it starts: after `align`, the major axis lies along x and the center in the middle,
and all that is left to learn twice are mirror images.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from firstlight.evaluation.morphology import measure
from firstlight.evaluation.photometry import CHUNK, centers
from firstlight.layers.augmentation import warp

__all__ = ["align"]

Floats = NDArray[np.float32]


def align(
    sky: Floats, images: Floats | None = None, *, band: int = 1, noise: float = 1.0
) -> Floats:
    """Turn each image so that the galaxy's major axis lies along x, its center in the middle.

    Args:
        sky: Images in units of the sky noise, shape (n, side, side, bands), to be measured.
        images: What is turned, the same shape; `sky` itself by default.
        band: The band in which center and position angle are measured.
        noise: Sky noise per pixel.

    Returns:
        A new array of the shape of `images`. Interpolation smooths the noise a little.

    Raises:
        ValueError: If the two do not belong together.
    """
    turned = sky if images is None else images
    if np.ndim(sky) != 4 or turned.shape != sky.shape:
        raise ValueError(
            f"sky, images: received shapes {np.shape(sky)} and {np.shape(turned)}, expected the "
            "same (n, side, side, bands) for both."
        )
    parts = []
    for start in range(0, len(sky), CHUNK):
        one = np.ascontiguousarray(sky[start : start + CHUNK, :, :, band])
        offset = (centers(one) - (one.shape[1] - 1)) / 2
        angle = measure(one, noise=noise)["position_angle"]
        batch = np.asarray(turned[start : start + CHUNK], np.float32)
        parts.append(warp(batch, angle, shift_x=offset[:, 1], shift_y=offset[:, 0]))
    return np.concatenate(parts)
