"""Layers for images: convolution and pooling, with Keras's names and arguments."""

from collections.abc import Callable
from typing import Any

from firstlight.autodiff import initializers
from firstlight.autodiff import operations as ops
from firstlight.autodiff.base import Layer
from firstlight.autodiff.convolution import average_pooling, conv2d, max_pooling
from firstlight.autodiff.layers import Neurons
from firstlight.autodiff.tensor import Tensor
from firstlight.autodiff.window import Pair, Window, pair

__all__ = ["AveragePooling2D", "Conv2D", "GlobalAveragePooling2D", "MaxPooling2D"]


class Conv2D(Neurons):
    """Filters that slide over an image: neurons that share their weights at all places.

    Args:
        filters: Neurons, 1 or more.
        kernel_size: Height and width of what one of them sees.
        strides: From one stop to the next.
        padding: "valid" or "same".
        dilation_rate: Distance of the pixels looked at.
        activation: Name, or function of an array; None for no bend.
        use_bias: Whether each filter adds a constant.
        kernel_initializer: See `initializers`; biases start at zero.
        seed: Of the random start.
        dtype: float64, or float32 as Keras has it.
        name: See `Layer`.

    Raises:
        ValueError: If an argument makes no sense; when called, if the input is no batch of
            images with the channels of the first, or too small for the window.

    Example:
        >>> layer = Conv2D(8, 3, padding="same", activation="relu", seed=1)
        >>> layer(np.zeros((2, 32, 32, 3))).shape, layer.count_params()
        ((2, 32, 32, 8), 224)
    """

    keras_keeps = "Keras keeps (height, width, channels, filters)."

    def __init__(
        self,
        filters: int,
        kernel_size: Pair,
        strides: Pair = 1,
        padding: str = "valid",
        dilation_rate: Pair = 1,
        activation: str | Callable[[Any], Any] | None = None,
        use_bias: bool = True,
        kernel_initializer: str | initializers.Initializer = "glorot_uniform",
        seed: int | None = None,
        dtype: str = "float64",
        name: str | None = None,
    ) -> None:
        super().__init__(filters, activation, use_bias, kernel_initializer, seed, dtype, name)
        self.window = Window(kernel_size, strides, padding, dilation_rate)

    def shapes(self, n_in: int) -> dict[str, tuple[int, ...]]:
        """`kernel`, `(height, width, channels, filters)`, and `bias` if there is one."""
        shapes = super().shapes(n_in)
        return {**shapes, "kernel": (*self.window.size, *shapes["kernel"])}

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse what is no batch of images; the first call makes the kernel."""
        _images(self.name, shape)
        if not self.built:
            self.build(shape[3])
        if shape[3] != self.kernel.shape[2]:
            raise ValueError(
                f"{self.name}: received images of {shape[3]} channels (shape {shape}), expected "
                f"{self.kernel.shape[2]}, as when the layer was built. Channels are the last axis."
            )

    def forward(self, x: Tensor, *weights: Tensor, training: bool) -> Tensor:
        """From `(n, height, width, channels)` to `(n, *stops, filters)`."""
        window = self.window
        summed = conv2d(x, weights[0], window.strides, window.padding, window.dilation)
        summed = summed + weights[1] if self.use_bias else summed
        return ops.cast(ops.activate(summed, self.activation), self.dtype)

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """`(*stops, filters)`."""
        _images(self.name, (1, *shape))
        return (*self.window.stops(shape[:2]), self.units)


class _Pooling(Layer):
    pool: Callable[..., Tensor]

    def __init__(
        self,
        pool_size: Pair = 2,
        strides: Pair | None = None,
        padding: str = "valid",
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        size = pair("pool_size", pool_size)
        self.window = Window(size, size if strides is None else strides, padding)

    def check(self, shape: tuple[int, ...]) -> None:
        _images(self.name, shape)

    def forward(self, x: Tensor, *weights: Tensor, training: bool) -> Tensor:
        window = self.window
        return type(self).pool(x, window.size, window.strides, window.padding)

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        _images(self.name, (1, *shape))
        return (*self.window.stops(shape[:2]), shape[2])


class MaxPooling2D(_Pooling):
    """Keep the largest value of each window: was the feature there, wherever exactly?

    Args:
        pool_size: Height and width of the window.
        strides: From stop to stop; by default the window's size.
        padding: "valid" or "same".
        name: See `Layer`.

    Example:
        >>> MaxPooling2D(2)(np.zeros((5, 32, 32, 8))).shape
        (5, 16, 16, 8)
    """

    pool = staticmethod(max_pooling)


class AveragePooling2D(_Pooling):
    """Keep the mean of each window: how much of the feature was there?

    Its arguments and shapes are those of `MaxPooling2D`.
    """

    pool = staticmethod(average_pooling)


class GlobalAveragePooling2D(Layer):
    """The mean of each channel over the image: what is in it, not where.

    Example:
        >>> GlobalAveragePooling2D()(np.zeros((5, 8, 8, 16))).shape
        (5, 16)
    """

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse what is no batch of images."""
        _images(self.name, shape)

    def forward(self, x: Tensor, *weights: Tensor, training: bool) -> Tensor:
        """From `(n, height, width, channels)` to `(n, channels)`."""
        return x.mean(axis=(1, 2))

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """`(channels,)`."""
        return shape[-1:]


def _images(name: str, shape: tuple[int, ...]) -> None:
    if len(shape) != 4:
        raise ValueError(
            f"{name}: received a batch of shape {shape}, expected (n, height, width, channels). "
            "One image makes a batch by x[None], a gray one gets its channel by x[..., None]."
        )
