"""Surveys as a simulator sees them: seeing, pixels, sky and depth, band by band."""

from dataclasses import dataclass, replace

import numpy as np

BANDS: tuple[str, str, str] = ("g", "r", "i")


@dataclass(frozen=True)
class Survey:
    """What the atmosphere, the telescope and the exposure do to a galaxy.

    Args:
        name: For captions and cards.
        seeing_arcsec: Median full width at half maximum of the point-spread
            function in g, r and i, arcsec.
        seeing_scatter: Standard deviation of ln(seeing) from night to night; the
            three bands share one night.
        zero_point_mag: Magnitude of a source that yields one electron in the exposure.
        sky_mag_arcsec2: Sky brightness, mag per square arcsec.
        read_noise_electrons: Per native pixel.
        native_pixel_arcsec: The detector's pixel, on which read noise counts.
    """

    name: str
    seeing_arcsec: tuple[float, float, float]
    seeing_scatter: float
    zero_point_mag: tuple[float, float, float]
    sky_mag_arcsec2: tuple[float, float, float]
    read_noise_electrons: float
    native_pixel_arcsec: float

    def __post_init__(self) -> None:
        for label in ("seeing_arcsec", "zero_point_mag", "sky_mag_arcsec2"):
            values = np.asarray(getattr(self, label), dtype=float)
            if values.shape != (3,) or not np.isfinite(values).all() or (values <= 0).any():
                raise ValueError(
                    f"Survey.{label}: received {getattr(self, label)!r}, expected three positive "
                    f"numbers in the order {BANDS}."
                )
        small = (self.seeing_scatter, self.read_noise_electrons, self.native_pixel_arcsec)
        if not (np.isfinite(small).all() and min(small) >= 0 and self.native_pixel_arcsec > 0):
            raise ValueError(
                f"Survey: received seeing_scatter={self.seeing_scatter}, read_noise_electrons="
                f"{self.read_noise_electrons}, native_pixel_arcsec={self.native_pixel_arcsec}; "
                "expected a scatter and a noise of 0 or more and a pixel above 0."
            )

    def electrons(self, magnitudes: np.ndarray) -> np.ndarray:
        """Electrons from sources of the given g, r, i magnitudes, shape `(..., 3)`."""
        return 10.0 ** (-0.4 * (np.asarray(magnitudes) - np.asarray(self.zero_point_mag)))

    def sky_sigma(self, pixel_arcsec: np.ndarray) -> np.ndarray:
        """Noise of the empty sky, electrons per pixel, in each band.

        Args:
            pixel_arcsec: Side of the pixel, shape `(n,)`, arcsec.

        Returns:
            Shape `(n, 3)`: the square root of sky electrons plus read noise, both
            scaled to the pixel's area.
        """
        area = np.asarray(pixel_arcsec, dtype=float)[:, None] ** 2
        sky = self.electrons(np.asarray(self.sky_mag_arcsec2)) * area
        read = self.read_noise_electrons**2 * area / self.native_pixel_arcsec**2
        return np.sqrt(sky + read)

    def worse(self, seeing: float = 1.0, depth_mag: float = 0.0) -> "Survey":
        """The same survey under a worse sky.

        Args:
            seeing: Factor on the seeing (1.5 blurs by half as much again).
            depth_mag: Magnitudes of depth lost: noise grows by 10^(0.4 depth_mag).

        Returns:
            A new `Survey`.

        Raises:
            ValueError: If the factor is not positive or the depth not finite.
        """
        if not (seeing > 0 and np.isfinite(seeing) and np.isfinite(depth_mag)):
            raise ValueError(
                f"worse: received seeing={seeing}, depth_mag={depth_mag}; expected a positive "
                "factor and a finite number of magnitudes."
            )
        g, r, i = self.seeing_arcsec
        sky_g, sky_r, sky_i = self.sky_mag_arcsec2
        brighter = 2 * depth_mag  # noise is the square root of the sky's light
        return replace(
            self,
            name=f"{self.name}, seeing x{seeing:g}, {depth_mag:g} mag shallower",
            seeing_arcsec=(seeing * g, seeing * r, seeing * i),
            sky_mag_arcsec2=(sky_g - brighter, sky_r - brighter, sky_i - brighter),
            read_noise_electrons=self.read_noise_electrons * 10 ** (0.4 * depth_mag),
        )


# Approximate single-exposure values of the SDSS imaging survey (54 s in drift scan).
SDSS = Survey(
    name="SDSS-like",
    seeing_arcsec=(1.44, 1.32, 1.26),
    seeing_scatter=0.10,
    zero_point_mag=(30.0, 29.9, 29.6),
    sky_mag_arcsec2=(21.8, 20.9, 20.2),
    read_noise_electrons=5.0,
    native_pixel_arcsec=0.396,
)
