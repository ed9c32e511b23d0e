"""Galaxies drawn from a few numbers, so that a loss on pixels has a gradient in the numbers.

`ExponentialDisk` is the decoder of Aragon-Calvo & Carvajal (2020, MNRAS 498, 3713): no
atmosphere, three numbers. `SersicRenderer` draws any Sersic profile behind any point-spread
function, seven numbers. Both have no weights to train.

Shapes are given as (eta_1, eta_2), see `layers.ellipses`.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike, NDArray

from firstlight.layers.ellipses import hyperbolic, stretch_matrix, third
from firstlight.layers.sersic_mixture import gaussians

__all__ = ["NAMES", "ExponentialDisk", "SersicRenderer", "check_images", "check_psf"]

NAMES = ("log_flux", "x", "y", "log_radius", "eta_1", "eta_2", "log_index")
FAINT = 1e-6  # beyond the wavenumbers where the point-spread function falls below, nothing is left


def _columns(parameters: Any, count: int) -> list[Any]:
    """The columns of (n, count), each of shape (n, 1, 1)."""
    return [ops.reshape(parameters[:, k], (-1, 1, 1)) for k in range(count)]


def _numbers(name: str, input_shape: tuple[int | None, ...], names: tuple[str, ...]) -> None:
    if len(input_shape) != 2 or input_shape[1] != len(names):
        raise ValueError(
            f"{name}: received parameters of shape {tuple(input_shape)}, expected "
            f"(n, {len(names)}): {', '.join(names)}."
        )


def _even(name: str, size: int) -> None:
    if not isinstance(size, int | np.integer) or size < 4 or size % 2:
        raise ValueError(
            f"{name}: received size={size!r}, expected an even number of pixels, 4 or more. "
            "Crop a row and a column."
        )


@keras.saving.register_keras_serializable("firstlight")
class ExponentialDisk(keras.layers.Layer):
    """The light exp(-r / s) of a thin disk, of peak one, sampled at the middle of each pixel.

    Args:
        size: Pixels on a side, even.
        half_width: Coordinate of the outermost pixels; they run from minus to plus this.

    Input shape: `(n, 3)`: log_scale, eta_1, eta_2. The scale is the geometric mean of those along
        both axes, in units of the coordinates.
    Output shape: `(n, size, size, 1)`.

    Example:
        >>> disk = ExponentialDisk(8, half_width=1.0)(np.zeros((2, 3), "float32"))
        >>> disk.shape, round(float(disk[0, 3, 7, 0]), 4)  # exp(-hypot(1, 1/7))
        ((2, 8, 8, 1), 0.3642)
    """

    NAMES = ("log_scale", "eta_1", "eta_2")

    def __init__(self, size: int = 64, half_width: float = 1 / 16, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        _even("ExponentialDisk", size)
        if not 0 < half_width < np.inf:
            raise ValueError(f"half_width: received {half_width}, expected a positive number.")
        self.size, self.half_width = int(size), float(half_width)
        along = np.linspace(-half_width, half_width, size, dtype="float32")
        y, x = np.meshgrid(along, along, indexing="ij")
        self._squares = [(product)[None] for product in (x * x, y * y, 2 * x * y)]

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Check that there are three numbers a galaxy."""
        _numbers("ExponentialDisk", input_shape, self.NAMES)

    def call(self, parameters: Any) -> Any:
        """Images of shape `(n, size, size, 1)`."""
        log_scale, eta_1, eta_2 = _columns(parameters, 3)
        xx, yy, xy = stretch_matrix(-eta_1, -eta_2)  # the inverse: lengths along the major shrink
        squared = sum(m * s for m, s in zip((xx, yy, xy), self._squares, strict=True))
        return ops.exp(-ops.sqrt(squared) * ops.exp(-log_scale))[..., None]

    def slopes(self, parameters: Any) -> tuple[Any, Any]:
        """Images and their derivatives in the three numbers, by the formula.

        Args:
            parameters: Shape (n, 3).

        Returns:
            Shapes (n, size, size, 1) and (n, size, size, 3).
        """
        log_scale, eta_1, eta_2 = _columns(parameters, 3)
        x2, y2, xy2 = self._squares
        eta2 = eta_1**2 + eta_2**2
        cosh, sinh = hyperbolic(eta2)
        along = eta_1 * (x2 - y2) + eta_2 * xy2
        radius = ops.sqrt(cosh * (x2 + y2) - sinh * along) * ops.exp(-log_scale)
        image = ops.exp(-radius)
        common = image * ops.exp(-2 * log_scale) / (2 * radius)
        bend = third(cosh, sinh, eta2) * along - sinh * (x2 + y2)
        columns = [image * radius]
        for eta, own in ((eta_1, x2 - y2), (eta_2, xy2)):
            columns.append(common * (sinh * own + eta * bend))
        return image[..., None], ops.stack(columns, axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """An image of one band for every row."""
        return (input_shape[0], self.size, self.size, 1)

    def get_config(self) -> dict[str, Any]:
        """Numbers from which `from_config` makes the same layer."""
        return {**super().get_config(), "size": self.size, "half_width": self.half_width}


@keras.saving.register_keras_serializable("firstlight")
class SersicRenderer(keras.layers.Layer):
    """Sersic profiles behind a point-spread function, differentiable in all their numbers.

    The profile is a sum of Gaussians whose weights are smooth in the index (`sersic_mixture`). A
    sheared Gaussian has a closed transform; it is multiplied by that of the point-spread function
    and brought back by two products with matrices of sines and cosines. The box that this makes
    periodic is `padding` times as wide as the image, so that wings come back from far away.

    Args:
        size: Pixels on a side of the images, even.
        psf: The point-spread function *with the pixel in it*, as a star would be seen, shape
            (side, side) with side odd and a sum of one. Its middle pixel is its origin.
        oversample: How many samples of `psf` lie along one pixel of the images. A star's image
            narrower than two and a half pixels needs 2 or more.
        padding: Width of the periodic box over that of the image.

    Input shape: `(n, 7)`, the columns of `NAMES`: log_flux, the logarithm of all the flux; x and y
        of the center, in pixels from the middle of the image; log_radius, the logarithm of the
        half-light radius in pixels (of the circle of equal area); eta_1 and eta_2; log_index,
        held between 0.6 and 6.
    Output shape: `(n, size, size, 1)`, flux a pixel.

    Raises:
        ValueError: If the size is odd or the point-spread function is not one.

    Example:
        >>> draw = SersicRenderer(16, psf=np.ones((1, 1)))
        >>> draw(np.array([[5, 0, 0, 0.5, 0, 0, 0]], "float32")).shape
        (1, 16, 16, 1)
    """

    def __init__(
        self, size: int, psf: ArrayLike, oversample: int = 1, padding: float = 2.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        _even("SersicRenderer", size)
        self.psf = check_psf(psf)
        if not (isinstance(oversample, int | np.integer) and oversample >= 1 and padding >= 1):
            raise ValueError(
                f"oversample, padding: received {oversample!r}, {padding!r}; expected a whole "
                "number of 1 or more, and a number of 1 or more."
            )
        self.size, self.oversample, self.padding = int(size), int(oversample), float(padding)
        self._prepare()

    def _prepare(self) -> None:
        """The point-spread function's transform, and the waves, as constants."""
        box = 2 * int(round(self.padding * self.size / 2))
        top = self.oversample * box // 2
        step = 2 * np.pi / box
        m = np.arange(0, top + 1)
        place = (np.arange(len(self.psf)) - len(self.psf) // 2) / self.oversample
        wave = np.exp(-1j * step * np.outer(np.arange(-top, top + 1), place))
        star = wave @ self.psf @ wave[top:].T  # (2 top + 1, top + 1): ky, kx
        seen = np.flatnonzero(np.abs(star).max(axis=0) > FAINT)[-1]
        seen = max(seen, np.abs(np.flatnonzero(np.abs(star).max(axis=1) > FAINT) - top).max())
        star, m = star[top - seen : top + seen + 1, : seen + 1], m[: seen + 1]
        edge = np.where(np.arange(-seen, seen + 1) % max(2 * top, 1) == top, 0.5, 1.0)
        edge[0] = 0.5 if seen == top else 1.0  # plus and minus Nyquist are one wave
        twice = np.where((m == 0) | (m == top), 1.0, 2.0)
        star = star * edge[:, None] * twice / box**2
        self._kx = (step * m).astype("f4")
        self._ky = (step * np.arange(-seen, seen + 1)).astype("f4")
        self._star = star.real.astype("f4"), star.imag.astype("f4")
        x = np.arange(self.size) - (self.size - 1) / 2
        self._along_x = [f(np.outer(self._kx, x)).astype("f4") for f in (np.cos, np.sin)]
        self._along_y = [f(np.outer(x, self._ky)).astype("f4") for f in (np.cos, np.sin)]

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Check that there are seven numbers a galaxy."""
        _numbers("SersicRenderer", input_shape, NAMES)

    def call(self, parameters: Any) -> Any:
        """Images of shape `(n, size, size, 1)`."""
        log_flux, x, y, log_radius, eta_1, eta_2, log_index = _columns(parameters, 7)
        k2 = self._squares(log_radius, eta_1, eta_2)[0]
        light = ops.exp(log_flux) * self._profile(k2, log_index)[0]
        real, imaginary = (light * part for part in self._star)
        return self._picture(real, imaginary, x, y)[..., None]

    def slopes(self, parameters: Any) -> tuple[Any, Any]:
        """Images and their derivatives in the seven numbers, by the formula.

        Args:
            parameters: Shape (n, 7).

        Returns:
            Shapes (n, size, size, 1) and (n, size, size, 7).
        """
        log_flux, x, y, log_radius, eta_1, eta_2, log_index = _columns(parameters, 7)
        k2, k2_1, k2_2 = self._squares(log_radius, eta_1, eta_2, slopes=True)
        light, by_k2, by_index = self._profile(k2, log_index, slopes=True)
        flux, (real, imaginary) = ops.exp(log_flux), self._star

        def picture(part: Any) -> Any:
            part = flux * part
            return self._picture(part * real, part * imaginary, x, y)

        def moved(k: Any) -> Any:  # times -i k
            part = flux * light * k
            return self._picture(part * imaginary, -part * real, x, y)

        image = picture(light)
        columns = [image, moved(self._kx[None, None, :]), moved(self._ky[None, :, None]),
                   *(picture(by_k2 * part) for part in (2 * k2, k2_1, k2_2)),
                   picture(by_index)]  # fmt: skip
        return image[..., None], ops.stack(columns, axis=-1)

    def _picture(self, real: Any, imaginary: Any, x: Any, y: Any) -> Any:
        """From a transform to an image about (x, y), shape (n, size, size)."""
        cos, sin = ops.cos(self._kx * x), ops.sin(self._kx * x)
        real, imaginary = real * cos + imaginary * sin, imaginary * cos - real * sin
        cos_x, sin_x = self._along_x
        rows = (ops.matmul(real, cos_x) - ops.matmul(imaginary, sin_x),
                ops.matmul(real, sin_x) + ops.matmul(imaginary, cos_x))  # fmt: skip
        cos, sin = ops.cos(self._ky[:, None] * y), ops.sin(self._ky[:, None] * y)
        rows = rows[0] * cos + rows[1] * sin, rows[1] * cos - rows[0] * sin
        cos_y, sin_y = self._along_y
        return ops.matmul(cos_y, rows[0]) - ops.matmul(sin_y, rows[1])

    def _squares(
        self, log_radius: Any, eta_1: Any, eta_2: Any, slopes: bool = False
    ) -> tuple[Any, ...]:
        """Squared wavenumbers on the circle of the galaxy, in units of its half-light radius."""
        kx, ky = self._kx[None, None, :], self._ky[None, :, None]
        total, difference, twice = kx**2 + ky**2, kx**2 - ky**2, 2 * kx * ky
        r2, eta2 = ops.exp(2 * log_radius), eta_1**2 + eta_2**2
        cosh, sinh = hyperbolic(eta2)
        along = eta_1 * difference + eta_2 * twice
        k2 = r2 * (cosh * total + sinh * along)
        if not slopes:
            return (k2,)
        bend = sinh * total + third(cosh, sinh, eta2) * along
        return k2, r2 * (eta_1 * bend + sinh * difference), r2 * (eta_2 * bend + sinh * twice)

    def _profile(self, k2: Any, log_index: Any, slopes: bool = False) -> tuple[Any, ...]:
        """Transform of a centered profile of unit flux, and its slopes in k2 and log_index."""
        log_index = ops.reshape(log_index, (-1, 1))
        weights, half_variance, *more = gaussians(log_index, slopes)
        light, by_k2, by_index = 0.0, 0.0, 0.0
        for j in range(weights.shape[1]):
            one = (slice(None), slice(j, j + 1), None)
            wave = ops.exp(-half_variance[one] * k2)
            light = light + weights[one] * wave
            if slopes:
                by_k2 = by_k2 - (weights[one] * half_variance[one]) * wave
                by_index = by_index + (more[0][one] - more[1][one] * k2) * wave
        return light, by_k2, by_index

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """An image of one band for every row."""
        return (input_shape[0], self.size, self.size, 1)

    def get_config(self) -> dict[str, Any]:
        """Numbers from which `from_config` makes the same layer."""
        own = {"size": self.size, "psf": self.psf.tolist(), "oversample": self.oversample,
               "padding": self.padding}  # fmt: skip
        return {**super().get_config(), **own}


def check_psf(psf: ArrayLike) -> NDArray[np.float64]:
    """Insist on a point-spread function: square, odd, finite, with a sum of one.

    Args:
        psf: Shape (side, side).

    Returns:
        The same, as float64.

    Raises:
        ValueError: If it is anything else, with what to do about it.
    """
    found = np.asarray(psf, dtype=float)
    if found.ndim != 2 or found.shape[0] != found.shape[1] or found.shape[0] % 2 == 0:
        raise ValueError(
            f"psf: received shape {found.shape}, expected a square of an odd number of pixels, so "
            "that one pixel is in the middle. Crop or pad it by a row and a column."
        )
    if not np.isfinite(found).all():
        raise ValueError("psf: received NaN or infinity, expected finite numbers.")
    if abs(found.sum() - 1) > 1e-3:
        raise ValueError(
            f"psf: received a sum of {found.sum():.5g}, expected 1, so that no flux is lost or "
            "made. Divide it by its sum; if the stamp cuts its wings off, take a larger one first."
        )
    return found


def check_images(images: ArrayLike, multiple: int = 2) -> NDArray[np.float32]:
    """Insist on finite, square images whose side an encoder can halve.

    Args:
        images: Shape (n, side, side) or (n, side, side, 1).
        multiple: Of which the side has to be a multiple.

    Returns:
        Shape (n, side, side, 1), float32.

    Raises:
        ValueError: If the shape is another, there is none, or a pixel is not finite.
    """
    found = np.asarray(images, dtype=np.float32)
    found = found[..., None] if found.ndim == 3 else found
    if found.ndim != 4 or found.shape[1] != found.shape[2] or found.shape[3] != 1 or not len(found):
        raise ValueError(
            f"images: received shape {np.shape(images)}, expected (n, side, side) with n of 1 or "
            "more: square cutouts of one band."
        )
    if found.shape[1] % multiple:
        raise ValueError(
            f"images: received an odd size, {found.shape[1]} pixels, expected a multiple of "
            f"{multiple}. Crop {found.shape[1] % multiple} rows and columns."
        )
    bad = np.flatnonzero(~np.isfinite(found).all(axis=(1, 2, 3)))
    if len(bad):
        raise ValueError(
            f"images: received NaN or infinity in {len(bad)} of {len(found)}, first in number "
            f"{bad[0]}; expected finite pixels. Drop those images, or mask and fill the pixels."
        )
    return found
