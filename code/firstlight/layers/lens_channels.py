"""What to subtract from the picture of a galaxy so that an arc stands out."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

__all__ = ["HalfTurnDifference", "IsophoteResidual", "SkyStretch", "centroid"]


def _square(name: str, input_shape: tuple[int | None, ...]) -> None:
    if len(input_shape) != 4 or input_shape[1] is None or input_shape[1] != input_shape[2]:
        raise ValueError(
            f"{name}: received images of shape {tuple(input_shape)}, expected (n, side, side, "
            "bands). Crop them to squares around the galaxy."
        )


class _SameShape(keras.layers.Layer):
    """A layer without weights that returns square images of the shape it was given."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Check that the images are square."""
        _square(type(self).__name__, input_shape)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of the input."""
        return input_shape


@keras.saving.register_keras_serializable("firstlight")
class SkyStretch(_SameShape):
    """Clip, then compress: `arcsinh(x / soft) / 2`, for images in units of the sky noise.

    Lanusse et al. (2018, MNRAS 473, 3895) divide by the noise and clip at 250; the arcsinh of
    Lupton et al. (2004) is added here, because bright centers would else rule the first layer.

    Args:
        soft: Where the stretch turns from linear to logarithmic, in units of the noise.
        limit: Values beyond plus or minus this are clipped.

    Example:
        >>> float(SkyStretch()(keras.ops.zeros((1, 4, 4, 1)))[0, 0, 0, 0])
        0.0
    """

    def __init__(self, soft: float = 3.0, limit: float = 250.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not (soft > 0 and limit > 0):
            raise ValueError(f"soft, limit: received {soft}, {limit}; expected both above 0.")
        self.soft, self.limit = soft, limit

    def call(self, images: Any) -> Any:
        """Images of the same shape, of order one."""
        return ops.arcsinh(ops.clip(images, -self.limit, self.limit) / self.soft) / 2

    def get_config(self) -> dict[str, Any]:
        """Numbers from which `from_config` makes the same layer."""
        return {**super().get_config(), "soft": self.soft, "limit": self.limit}


@keras.saving.register_keras_serializable("firstlight")
class HalfTurnDifference(_SameShape):
    """An image minus itself turned by 180 degrees, over the square root of two.

    Whatever has point symmetry about the turning point vanishes: an elliptical galaxy of any
    shape and profile, a pair of equal arms. A source that is not exactly behind its lens does
    not. The noise of the difference is that of the image again.

    A galaxy a third of a pixel off the middle would leave a bright and a dark half, so the
    turning point is its centroid: the turned image is shifted by twice the offset, to first
    order, with its own slope.

    Args:
        recenter: False turns about the middle of the image, exactly.

    Example:
        >>> images = keras.ops.ones((1, 6, 6, 1))
        >>> float(keras.ops.sum(keras.ops.abs(HalfTurnDifference()(images))))
        0.0
    """

    def __init__(self, recenter: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.recenter = recenter

    def call(self, images: Any) -> Any:
        """Shape as the images."""
        turned = ops.flip(images, axis=(1, 2))
        if self.recenter:
            x0, y0 = centroid(images)
            turned = turned - 2 * (x0 * _slope(turned, 2) + y0 * _slope(turned, 1))
        return (images - turned) / np.float32(np.sqrt(2))

    def get_config(self) -> dict[str, Any]:
        """The argument from which `from_config` makes the same layer."""
        return {**super().get_config(), "recenter": self.recenter}


def _slope(images: Any, axis: int) -> Any:
    return (ops.roll(images, -1, axis=axis) - ops.roll(images, 1, axis=axis)) / 2


def centroid(images: Any, weight: float = 3.0, rounds: int = 3) -> tuple[Any, Any]:
    """Where the light has its middle, under a round Gaussian weight that moves along.

    Args:
        images: Shape (n, side, side, bands), in units of the noise.
        weight: Standard deviation of the weight, in pixels.
        rounds: How often the weight is moved to the last centroid.

    Returns:
        Offsets from the middle of the image along columns and rows, in pixels, at most 2; each
        of shape (n, 1, 1, bands).
    """
    side = images.shape[1]
    along = np.arange(side, dtype="float32") - np.float32((side - 1) / 2)
    x, y = along[None, None, :, None], along[None, :, None, None]
    x0 = y0 = ops.zeros_like(images[:, :1, :1, :])
    for _ in range(rounds):
        columns = ops.exp(-((x - x0) ** 2) / (2 * weight**2))
        rows = ops.exp(-((y - y0) ** 2) / (2 * weight**2))
        light = images * rows * columns
        flux = ops.maximum(ops.sum(light, axis=(1, 2), keepdims=True), 50.0)
        # Galaxy and weight share the pull; a step of 1.5 makes up for most of the weight's.
        x0 = ops.clip(x0 + 1.5 * ops.sum(light * (x - x0), (1, 2), keepdims=True) / flux, -2, 2)
        y0 = ops.clip(y0 + 1.5 * ops.sum(light * (y - y0), (1, 2), keepdims=True) / flux, -2, 2)
    return x0, y0


@keras.saving.register_keras_serializable("firstlight")
class IsophoteResidual(_SameShape):
    """An image minus the mean over its own ellipses of equal light.

    The ellipse is centered on the centroid. It has the galaxy's second moments under a round
    Gaussian weight, corrected for the weight as if the galaxy were Gaussian itself. Each pixel
    belongs to the two nearest rings, in proportion; the mean of each ring is interpolated back.

    Args:
        weight: Standard deviation of the weight, in pixels.
        rings: How many radii from the middle to the corner; closer in the middle.

    Input shape: `(n, side, side, bands)`; each band has its own ellipses.
    """

    def __init__(self, weight: float = 5.0, rings: int = 20, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not (weight > 0 and rings >= 2):
            raise ValueError(
                f"weight, rings: received {weight}, {rings}; expected above 0, and 2 or more."
            )
        self.weight, self.rings = weight, rings

    def call(self, images: Any) -> Any:
        """What is left of each image when its elliptical mean is taken off."""
        side, bands = images.shape[1], images.shape[3]
        light = ops.reshape(ops.moveaxis(images, 3, 1), (-1, side * side))
        x0, y0 = (ops.reshape(offset, (-1, 1)) for offset in centroid(images))
        radius = _elliptical_radius(light, side, self.weight, x0, y0)
        place = ops.arcsinh(radius / 8) * ((self.rings - 1) / np.arcsinh(0.09 * side))
        place = ops.minimum(place, self.rings - 1.001)
        inner = ops.floor(place)
        outward = place - inner
        row = ops.arange(ops.shape(light)[0], dtype="int32")[:, None] * self.rings
        inner = ops.cast(inner, "int32") + row
        model = _ring_means(light, inner, outward, self.rings)
        rest = light - (1 - outward) * ops.take(model, inner) - outward * ops.take(model, inner + 1)
        return ops.moveaxis(ops.reshape(rest, (-1, bands, side, side)), 1, 3)

    def get_config(self) -> dict[str, Any]:
        """Numbers from which `from_config` makes the same layer."""
        return {**super().get_config(), "weight": self.weight, "rings": self.rings}


def _ring_means(light: Any, inner: Any, outward: Any, rings: int) -> Any:
    """Mean light of every ring of every image, one after the other: shape (n * rings,)."""
    place = ops.reshape(ops.stack([inner, inner + 1]), (-1,))
    share = ops.stack([1 - outward, outward])
    total = ops.shape(light)[0] * rings
    flux = ops.segment_sum(ops.reshape(share * light, (-1,)), place, num_segments=total)
    area = ops.segment_sum(ops.reshape(share, (-1,)), place, num_segments=total)
    return flux / (area + 1e-3)


def _elliptical_radius(light: Any, side: int, weight: float, x0: Any, y0: Any) -> Any:
    """Radius of the ellipse through each pixel, in pixels: shape (n, pixels)."""
    along = np.arange(side, dtype="float32") - np.float32((side - 1) / 2)
    x, y = (grid.ravel() for grid in np.meshgrid(along, along))
    x, y = x - x0, y - y0
    w = ops.exp(-(x**2 + y**2) / (2 * weight**2))
    flux = ops.maximum(ops.sum(light * w, axis=1), 50.0)  # a blank picture gets circles
    xx, yy, xy = (ops.sum(light * (w * p), axis=1) / flux for p in (x * x, y * y, x * y))
    xx, yy = ops.maximum(xx, 1.0), ops.maximum(yy, 1.0)
    det = ops.maximum(xx * yy - xy**2, 0.3 * xx * yy)
    # The inverse moments of weighted light are those of light plus those of the weight.
    a, b, c = yy / det - 1 / weight**2, xx / det - 1 / weight**2, -xy / det
    trace = ops.maximum(a + b, 0.01)
    a, b = ops.maximum(a, 0.15 * trace), ops.maximum(b, 0.15 * trace)
    scale = ops.sqrt(ops.maximum(a * b - c * c, 0.05 * a * b))
    squared = a[:, None] * x**2 + b[:, None] * y**2 + 2 * c[:, None] * x * y
    return ops.sqrt(ops.maximum(squared / scale[:, None], 0.01))
