"""Layers for periodic maps: edges that meet, fields with a spectrum, the spectrum of a field."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

__all__ = ["GaussianField", "LogPower", "Lookup", "WrapPadding"]


@keras.saving.register_keras_serializable("firstlight")
class WrapPadding(keras.layers.Layer):
    """Continue a periodic map beyond its edges, so that a convolution does not see them.

    Args:
        width: Pixels on each side.

    Input shape: `(n, side, side, channels)`.
    Output shape: `(n, side + 2 width, side + 2 width, channels)`.

    Example:
        >>> ops.convert_to_numpy(WrapPadding(1)(ops.reshape(ops.arange(4.0), (1, 2, 2, 1))))[0, 0]
        array([[3.],
               [2.],
               [3.],
               [2.]], dtype=float32)
    """

    def __init__(self, width: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(width, bool) or not isinstance(width, int) or width < 1:
            raise ValueError(f"WrapPadding: received width={width!r}, expected 1 pixel or more.")
        self.width = width

    def build(self, input_shape: Any) -> None:
        """Check that the map is as wide as what is added."""
        if len(input_shape) != 4 or min(input_shape[1:3]) < self.width:
            raise ValueError(
                f"WrapPadding: received shape {tuple(input_shape)} for width={self.width}, "
                "expected (n, side, side, channels) with a side of at least the width."
            )

    def call(self, maps: Any) -> Any:
        """The map with its neighbors' edges around it."""
        w = self.width
        maps = ops.concatenate([maps[:, -w:], maps, maps[:, :w]], axis=1)
        return ops.concatenate([maps[:, :, -w:], maps, maps[:, :, :w]], axis=2)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Wider by twice the width."""
        n, rows, columns, channels = input_shape
        return (n, rows + 2 * self.width, columns + 2 * self.width, channels)

    def get_config(self) -> dict[str, Any]:
        """For saving."""
        return {**super().get_config(), "width": self.width}


@keras.saving.register_keras_serializable("firstlight")
class GaussianField(keras.layers.Layer):
    """Give white noise a spectrum: multiply its waves.

    The amplitudes are weights that no training moves; `set_power` sets them.

    Input shape: `(n, side, side, channels)`, each channel a map of its own.
    Output shape: The same.
    """

    def build(self, input_shape: Any) -> None:
        """One amplitude for each wave; 1 for all, which leaves the noise white."""
        self.amplitude = self.add_weight(
            shape=tuple(input_shape[1:3]), initializer="ones", trainable=False, name="amplitude"
        )

    def set_power(self, power: Any) -> None:
        """Take over a spectrum.

        Args:
            power: Mean square of each wave in the layout of `fft2`, shape (side, side); with mean
                1 the pixels have variance 1.

        Raises:
            ValueError: If it is negative, not finite, or not that of a real field.
        """
        values, side = np.asarray(power, np.float32), tuple(self.amplitude.shape)
        fits = values.shape == side and np.all(values >= 0)
        if fits:
            mirrored = np.roll(values[::-1, ::-1], (1, 1), axis=(0, 1))
            fits = np.allclose(values, mirrored, rtol=1e-3, atol=1e-6 * values.max())
        if not fits:
            raise ValueError(
                f"set_power: received shape {values.shape}, expected {side} of 0 or more, where "
                "the waves k and -k have the same power."
            )
        self.amplitude.assign(np.sqrt(values))

    def call(self, noise: Any) -> Any:
        """Maps with that spectrum."""
        waves = ops.transpose(noise, (0, 3, 1, 2))
        real, imaginary = ops.fft2((waves, ops.zeros_like(waves)))
        field, _ = ops.ifft2((real * self.amplitude, imaginary * self.amplitude))
        return ops.transpose(field, (0, 2, 3, 1))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """As it came in."""
        return input_shape


@keras.saving.register_keras_serializable("firstlight")
class Lookup(keras.layers.Layer):
    """Read a table between evenly spaced entries, by straight lines.

    The entries are weights that no training moves; `set_table` sets them. Beyond the ends the
    table keeps its last value, and the gradient is zero.

    Args:
        low: Where the table begins.
        high: Where it ends.
        entries: How many there are.
    """

    def __init__(self, low: float, high: float, entries: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not low < high or entries < 2:
            raise ValueError(
                f"Lookup: received {entries} entries from {low} to {high}, expected 2 or more, "
                "rising."
            )
        self.low, self.high, self.entries = float(low), float(high), int(entries)

    def build(self, input_shape: Any) -> None:
        """The table; a straight line from `low` to `high`, which changes nothing."""
        self.table = self.add_weight(
            shape=(self.entries,), initializer="zeros", trainable=False, name="table"
        )
        self.table.assign(np.linspace(self.low, self.high, self.entries, dtype=np.float32))

    def set_table(self, values: Any) -> None:
        """Take over a table.

        Args:
            values: At evenly spaced places from `low` to `high`, shape (entries,), finite.

        Raises:
            ValueError: If they are not.
        """
        found = np.asarray(values, np.float32)
        if found.shape != (self.entries,) or not np.isfinite(found).all():
            raise ValueError(
                f"set_table: received shape {found.shape}, expected ({self.entries},) finite "
                "numbers."
            )
        self.table.assign(found)

    def call(self, x: Any) -> Any:
        """The table at x, any shape."""
        place = (ops.clip(x, self.low, self.high) - self.low) / (self.high - self.low)
        place = place * (self.entries - 1)
        left = ops.clip(ops.cast(ops.floor(ops.stop_gradient(place)), "int32"), 0, self.entries - 2)
        rest = place - ops.cast(left, place.dtype)
        return ops.take(self.table, left) * (1 - rest) + ops.take(self.table, left + 1) * rest

    def compute_output_shape(self, input_shape: Any) -> Any:
        """As it came in."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """For saving."""
        config = {"low": self.low, "high": self.high, "entries": self.entries}
        return {**super().get_config(), **config}


@keras.saving.register_keras_serializable("firstlight")
class LogPower(keras.layers.Layer):
    """Logarithm of the mean power of a map in rings of wavenumber.

    Written as products with cosines and sines, which can be differentiated as often as one
    likes on every backend.

    Args:
        edges: Of the rings, in waves along the side of the map, rising; the last one at most half
            the side.

    Input shape: `(n, side, side, 1)`.
    Output shape: `(n, rings)`.
    """

    def __init__(self, edges: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.edges = tuple(float(edge) for edge in edges)
        if len(self.edges) < 2 or min(np.diff(self.edges)) <= 0 or self.edges[0] <= 0:
            raise ValueError(
                f"LogPower: received edges {self.edges}, expected two or more rising numbers above "
                "0, in waves along the side."
            )

    def build(self, input_shape: Any) -> None:
        """Cosines, sines, and the share of each wave in each ring."""
        side, last = input_shape[1], int(np.floor(self.edges[-1]))
        if len(input_shape) != 4 or input_shape[3] != 1 or side is None or 2 * last > side:
            raise ValueError(
                f"LogPower: received shape {tuple(input_shape)} with edges to {self.edges[-1]:g}, "
                "expected (n, side, side, 1) with edges up to half the side."
            )
        up, right = np.arange(-last, last + 1), np.arange(last + 1)
        k = np.hypot(up[:, None], right)
        ring = np.digitize(k, self.edges) - 1
        mirror = np.where(right == 0, 1.0, 2.0) * np.ones_like(k)
        share = np.zeros((len(self.edges) - 1, *k.shape), np.float32)
        for which in range(len(share)):
            here = np.where(ring == which, mirror, 0)
            if not here.any():
                raise ValueError(
                    f"LogPower: received no wave from {self.edges[which]:g} to "
                    f"{self.edges[which + 1]:g}, expected wider rings."
                )
            share[which] = here / here.sum()
        angle = 2 * np.pi / side * np.arange(side)
        self._share = share.reshape(len(share), -1).T.copy()
        self._rows = [f(np.outer(up, angle)).astype(np.float32) for f in (np.cos, np.sin)]
        self._columns = [f(np.outer(angle, right)).astype(np.float32) for f in (np.cos, np.sin)]
        self._pixels = side**2

    def call(self, maps: Any) -> Any:
        """Shape (n, rings)."""
        field = maps[..., 0]
        by_cos, by_sin = (ops.matmul(field, columns) for columns in self._columns)
        cos, sin = self._rows
        real = ops.matmul(cos, by_cos) - ops.matmul(sin, by_sin)
        imaginary = ops.matmul(sin, by_cos) + ops.matmul(cos, by_sin)
        power = (ops.square(real) + ops.square(imaginary)) / self._pixels
        flat = ops.reshape(power, (-1, self._share.shape[0]))
        return ops.log(ops.matmul(flat, self._share) + 1e-6)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """One number for each ring."""
        return (input_shape[0], len(self.edges) - 1)

    def get_config(self) -> dict[str, Any]:
        """For saving."""
        return {**super().get_config(), "edges": list(self.edges)}
