"""What the lens simulator asks of its arguments."""

from collections.abc import Mapping, Sequence

import numpy as np

from . import checks
from .lens_population import Scene
from .surveys import BANDS

__all__ = ["prior", "scene", "seeing", "stamp"]

_RADII = ("einstein_radius_arcsec", "lens_radius_arcsec", "lens_axis_ratio", "mass_axis_ratio")


def stamp(where: str, size: int, pixel_arcsec: float, bands: Sequence[str]) -> None:
    """Insists on a stamp that can be drawn and on known bands."""
    checks.whole(where, "size", size, 32, 128)
    if size % 2:
        raise ValueError(f"{where}: received size={size}, expected an even number of pixels.")
    if not (np.isfinite(pixel_arcsec) and pixel_arcsec > 0):
        raise ValueError(
            f"{where}: received pixel_arcsec={pixel_arcsec}, expected a positive number of arcsec."
        )
    wrong = isinstance(bands, str) or not len(bands) or len(set(bands)) != len(bands)
    if wrong or not set(bands) <= set(BANDS):
        raise ValueError(
            f"{where}: received bands={bands!r}, expected a tuple of different bands out of "
            f"{BANDS}, such as ('g',)."
        )


def prior(
    lens_fraction: float,
    impostors: str,
    known: Mapping[str, object],
    einstein_radius_arcsec: tuple[float, float],
    snr: tuple[float, float],
) -> None:
    """Insists on a fraction, a known kind of non-lenses and two positive ranges."""
    if not 0 <= lens_fraction <= 1:
        raise ValueError(
            f"simulate: received lens_fraction={lens_fraction}, expected a number from 0 to 1."
        )
    if impostors not in known:
        raise ValueError(
            f"simulate: received impostors={impostors!r}, expected one of {tuple(known)}."
        )
    ranges = {"einstein_radius_arcsec": einstein_radius_arcsec, "snr": snr}
    for name, values in ranges.items():
        pair = np.asarray(values, dtype=float)
        if pair.shape != (2,) or not np.isfinite(pair).all() or not 0 < pair[0] <= pair[1]:
            raise ValueError(
                f"simulate: received {name}={values!r}, expected two finite positive numbers, the "
                "smaller first, such as (0.5, 2.5)."
            )


def seeing(
    where: str, fwhm_arcsec: Sequence[float] | np.ndarray, scatter: float, pixel_arcsec: float
) -> None:
    """Insists on a seeing that the pixels can show."""
    values = np.asarray(fwhm_arcsec, dtype=float)
    if not np.isfinite(values).all() or (values < pixel_arcsec).any():
        raise ValueError(
            f"{where}: received a seeing of {values.min(initial=np.inf):.3g} arcsec for pixels of "
            f"{pixel_arcsec:g} arcsec, expected finite widths of at least a pixel. Draw smaller "
            "pixels: the point-spread function is lost between these."
        )
    if values.shape[-1:] != (3,):
        raise ValueError(
            f"{where}: received seeing_arcsec={fwhm_arcsec!r}, expected three widths, for {BANDS}."
        )
    if not (np.isfinite(scatter) and scatter >= 0):
        raise ValueError(f"{where}: received seeing_scatter={scatter}, expected 0 or more.")


def scene(where: str, given: Scene, pixel_arcsec: float) -> None:
    """Insists on stamps to draw, on finite numbers, and on lengths above zero."""
    truth, parts = given
    if not len(truth):
        raise ValueError(f"{where}: received an empty scene, expected at least one stamp.")
    for name, table in (("truth", truth), ("parts", parts)):
        numbers = table.select_dtypes("number")
        finite = np.isfinite(numbers.to_numpy(float)).all(axis=0)
        bad = [str(name) for name, ok in zip(numbers, finite, strict=True) if not ok]
        if bad:
            raise ValueError(
                f"{where}: received NaN or infinity in {bad} of {name}, expected finite numbers."
            )
    lengths = {column: truth[column] for column in _RADII} | {
        "radius_arcsec": parts["radius_arcsec"]
    }
    small = [column for column, values in lengths.items() if not (values > 0).all()]
    if small:
        raise ValueError(
            f"{where}: received values of zero or less in {small}, expected positive lengths."
        )
    seeing(where, truth[[f"seeing_{band}_arcsec" for band in BANDS]].to_numpy(), 0.0, pixel_arcsec)
