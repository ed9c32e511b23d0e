"""Convolution and pooling of images on tensors: one matrix product, or a few sums of shifted views.

Images are `(n, height, width, channels)`, kernels `(height, width, channels in, filters)`, as in
Keras. All functions look at an image through `Window.shifts`: for each place in the window, the
image as seen from that place. Writing into these views is the way back.
"""

from typing import Any

import numpy as np

from firstlight.autodiff.checks import Floats
from firstlight.autodiff.tensor import Tensor, as_tensor, lift
from firstlight.autodiff.window import Pair, Window

__all__ = ["average_pooling", "conv2d", "max_pooling"]


def conv2d(
    x: Any, kernel: Any, strides: Pair = 1, padding: str = "valid", dilation: Pair = 1
) -> Tensor:
    """Slide every filter over every image, by one matrix product (im2col).

    What the window sees at each stop is written in one row, so that weighing it is a product
    with the kernel, as in a dense layer. Keras calls this convolution; it is a correlation.

    Args:
        x: Images, `(n, height, width, channels)`: tensor or array.
        kernel: Weights, `(height, width, channels, filters)`: tensor or array.
        strides: See `Window`, as are the other two.
        padding: "valid" or "same".
        dilation: Distance of the pixels looked at.

    Returns:
        Tensor, `(n, *stops, filters)`.

    Raises:
        ValueError: If the shapes do not fit, or no window fits into the image.

    Example:
        >>> conv2d(np.ones((1, 4, 4, 3)), np.ones((3, 3, 3, 1))).value[0, :, :, 0]
        array([[27., 27.],
               [27., 27.]])
    """
    x = as_tensor(x, "conv2d") if not isinstance(kernel, Tensor) else lift(x, kernel)
    kernel = lift(kernel, x)
    weights = kernel.value
    if len(weights.shape) != 4 or x.ndim != 4 or weights.shape[2] != x.shape[3]:
        raise ValueError(
            f"conv2d: received images {x.shape} and a kernel {weights.shape}, expected (n, height, "
            "width, channels) and (height, width, channels, filters). A gray image needs an axis "
            "of one channel, x[..., None]; kernels of PyTorch are transposed by (2, 3, 1, 0)."
        )
    window = Window(weights.shape[:2], strides, padding, dilation)
    image, stops = x.shape[1:3], _stops("conv2d", window, x.shape)
    places, filters = window.size[0] * window.size[1], weights.shape[3]
    seen = np.stack(window.shifts(window.pad(x.value), stops), axis=3)
    rows = seen.reshape(-1, places * x.shape[3])
    value = (rows @ weights.reshape(-1, filters)).reshape(len(x), *stops, filters)

    def to_images(g: Floats) -> Floats:
        by_place = weights.reshape(places, -1, filters).transpose(0, 2, 1)
        return window.spread(image, (g @ matrix for matrix in by_place), seen)

    def to_kernel(g: Floats) -> Floats:
        return (rows.T @ g.reshape(-1, filters)).reshape(weights.shape)

    return Tensor(value, "conv2d", [(x, to_images), (kernel, to_kernel)])


def max_pooling(
    x: Any, pool_size: Pair = 2, strides: Pair | None = None, padding: str = "valid"
) -> Tensor:
    """The largest value that the window sees; the first of equals gets the whole gradient.

    Args:
        x: Images, `(n, height, width, channels)`: tensor or array.
        pool_size: Height and width of the window.
        strides: From stop to stop; by default the window's size, so that none overlap.
        padding: "valid" or "same".

    Returns:
        Tensor, `(n, *stops, channels)`.

    Example:
        >>> max_pooling(np.arange(16.0).reshape(1, 4, 4, 1)).value[0, :, :, 0]
        array([[ 5.,  7.],
               [13., 15.]])
    """
    x, window, stops = _pooled("max_pooling", x, pool_size, strides, padding)
    views = window.shifts(window.pad(x.value, -np.inf), stops)
    value, winner = views[0].copy(), np.zeros(views[0].shape, np.int32)
    for place, view in enumerate(views[1:], 1):
        np.copyto(winner, place, where=view > value)
        np.maximum(value, view, out=value)

    def pull(g: Floats) -> Floats:
        amounts = (g * (winner == place) for place in range(len(views)))
        return window.spread(x.shape[1:3], amounts, g)

    return Tensor(value, "max_pooling", [(x, pull)])


def average_pooling(
    x: Any, pool_size: Pair = 2, strides: Pair | None = None, padding: str = "valid"
) -> Tensor:
    """The mean of what the window sees, padding left out; all that it sees share the gradient.

    Args:
        x: Images, `(n, height, width, channels)`: tensor or array.
        pool_size: Height and width of the window.
        strides: From stop to stop; by default the window's size.
        padding: "valid" or "same".

    Returns:
        Tensor, `(n, *stops, channels)`.

    Example:
        >>> average_pooling(np.arange(16.0).reshape(1, 4, 4, 1)).value[0, :, :, 0]
        array([[ 2.5,  4.5],
               [10.5, 12.5]])
    """
    x, window, stops = _pooled("average_pooling", x, pool_size, strides, padding)
    image = x.shape[1:3]
    ones = np.ones((1, *image, 1), x.value.dtype)
    count: Any = sum(window.shifts(window.pad(ones), stops))
    value = sum(window.shifts(window.pad(x.value), stops)) / count

    def pull(g: Floats) -> Floats:
        amounts = [g / count] * (window.size[0] * window.size[1])
        return window.spread(image, amounts, g)

    return Tensor(value, "average_pooling", [(x, pull)])


def _pooled(
    name: str, x: Any, pool_size: Pair, strides: Pair | None, padding: str
) -> tuple[Tensor, Window, tuple[int, int]]:
    x = as_tensor(x, name)
    if x.ndim != 4:
        raise ValueError(
            f"{name}: received shape {x.shape}, expected (n, height, width, channels). One image "
            "makes a batch by x[None], a gray one gets its channel by x[..., None]."
        )
    window = Window(pool_size, pool_size if strides is None else strides, padding)
    return x, window, _stops(name, window, x.shape)


def _stops(name: str, window: Window, shape: tuple[int, ...]) -> tuple[int, int]:
    stops = window.stops(shape[1:3])
    if min(stops) < 1:
        raise ValueError(
            f"{name}: received images of {shape[1]} x {shape[2]} pixels and a window of "
            f"{window.size} with dilation {window.dilation}, expected one that fits. Take "
            "padding='same', a smaller window, or pool less before."
        )
    return stops
