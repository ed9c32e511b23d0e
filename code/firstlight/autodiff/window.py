"""Where the window of a convolution or a pooling stops on an image, and what it sees there."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from firstlight.autodiff.checks import Floats

__all__ = ["Pair", "Window", "pair"]

Pair = int | Sequence[int]


class Window:
    """A window that slides over images.

    Args:
        size: Its height and width in pixels.
        strides: From one stop to the next.
        padding: "valid" stops inside the image; "same" goes on beyond its border, so that there
            are height / stride stops, rounded up, as TensorFlow counts them.
        dilation: Distance of the pixels that it looks at.

    Raises:
        ValueError: If one of them makes no sense.

    Example:
        >>> Window((2, 2), (2, 2)).stops((5, 4))
        (2, 2)
    """

    def __init__(
        self, size: Pair, strides: Pair = 1, padding: str = "valid", dilation: Pair = 1
    ) -> None:
        self.size, self.strides = pair("size", size), pair("strides", strides)
        self.padding, self.dilation = padding, pair("dilation", dilation)
        if padding not in ("valid", "same"):
            raise ValueError(f"padding: received {padding!r}, expected 'valid' or 'same'.")

    def stops(self, image: Sequence[int]) -> tuple[int, int]:
        """How many stops fit along height and width of an image."""
        return self._along(image, 0)[0], self._along(image, 1)[0]

    def pad(self, x: Floats, fill: float = 0.0) -> Floats:
        """The images with the border that the padding asks for."""
        borders = [self._along(x.shape[1:3], axis)[1:] for axis in (0, 1)]
        if not any(map(any, borders)):
            return x
        return np.pad(x, [(0, 0), *borders, (0, 0)], constant_values=fill)

    def crop(self, padded: Floats, image: Sequence[int]) -> Floats:
        """The images without that border."""
        (_, top, _), (_, left, _) = (self._along(image, axis) for axis in (0, 1))
        return padded[:, top : top + image[0], left : left + image[1]]

    def shifts(self, padded: Floats, stops: tuple[int, int]) -> list[Floats]:
        """For each place in the window, row by row, what it sees at all stops: views."""
        starts = [(i * self.dilation[0], j * self.dilation[1]) for i in range(self.size[0])
                  for j in range(self.size[1])]  # fmt: skip
        spans = [(n - 1) * stride + 1 for n, stride in zip(stops, self.strides, strict=True)]
        return [padded[:, i : i + spans[0] : self.strides[0], j : j + spans[1] : self.strides[1]]
                for i, j in starts]  # fmt: skip

    def spread(self, image: Sequence[int], amounts: Any, like: Floats) -> Floats:
        """The way back: add an amount for each place in the window to the pixels seen from it.

        Args:
            image: Height and width of the images.
            amounts: One array a place, `(n, *stops, channels)`.
            like: An array of the wanted batch, channels and dtype, `(n, ..., channels)`.
        """
        padded = self.pad(np.zeros((len(like), *image, like.shape[-1]), like.dtype))
        for view, amount in zip(self.shifts(padded, self.stops(image)), amounts, strict=True):
            view += amount
        return self.crop(padded, image)

    def _along(self, image: Sequence[int], axis: int) -> tuple[int, int, int]:
        length, stride = image[axis], self.strides[axis]
        reach = (self.size[axis] - 1) * self.dilation[axis] + 1
        if self.padding == "same":
            stops = -(-length // stride)
            missing = max((stops - 1) * stride + reach - length, 0)
            return stops, missing // 2, missing - missing // 2
        return max((length - reach) // stride + 1, 0), 0, 0


def pair(name: str, value: Any) -> tuple[int, int]:
    """Height and width, from one whole number for both, or from two.

    Example:
        >>> pair("strides", 2)
        (2, 2)
    """
    both = tuple(value) if isinstance(value, Sequence) else (value, value)
    whole = all(isinstance(n, int | np.integer) and not isinstance(n, bool) and n >= 1
                for n in both)  # fmt: skip
    if len(both) != 2 or not whole:
        raise ValueError(
            f"{name}: received {value!r}, expected a whole number of 1 or more, or two of them, "
            "for height and width."
        )
    return int(both[0]), int(both[1])
