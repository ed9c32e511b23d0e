"""What a network wants of images that come from outside, and what is said when they do not fit.

Each study declares an `ImageInput` beside itself (`lens_finder_data` and its like). A file is
compared with it before anything is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstlight.archive.errors import DataError
from firstlight.archive.own_files import About
from firstlight.archive.own_images import Stamps
from firstlight.evaluation import stamp_checks

__all__ = ["LINEAR", "Admission", "ImageInput", "admit", "choose_bands",
           "to_sky_sigma"]  # fmt: skip

Floats = NDArray[np.float32]
SIGMA = ("sky sigma", "sky_sigma", "skysigma", "sigma")
LINEAR = (
    "adu",
    "count",
    "counts",
    "ct",
    "dn",
    "e",
    "e-",
    "electron",
    "electrons",
    "photon",
    "photons",
    "nanomaggy",
    "nanomaggies",
    "nmgy",
    "jy",
    "mjy",
    "ujy",
    "njy",
    "erg",
    "flux",
)  # fmt: skip  (each also per second, per square arcsec, ...)
PIXEL_TOLERANCE = 0.03  # relative; more changes a lens's size as much as the next lens does


@dataclass(frozen=True)
class ImageInput:
    """Stamps as one study's network takes them: unit of the sky noise, sky subtracted.

    Args:
        bands: Names, in the order of the last axis.
        size: Pixels on a side.
        pixel_arcsec: Side of a pixel; None where stamps scale with the galaxy.
        frame: In words, what a stamp holds: where the object sits and how much room it has.
        free: In words, what is allowed to differ.
        home: `home(n, seed)`: stamps of the simulated sky that it was trained on, (n, size,
            size, bands) in units of the sky noise.
    """

    bands: tuple[str, ...]
    size: int
    pixel_arcsec: float | None
    frame: str
    free: str
    home: Callable[[int, int], Floats]


@dataclass(frozen=True)
class Admission:
    """How the stamps of a file become input, decided once for all of them.

    Args:
        take: Which bands of the file, in which order.
        noise: Sky noise that the file states, or None to measure it.
        unit: "sky sigma" or the linear unit that is divided by the noise.
        notes: What was assumed or changed, for the report.
    """

    take: tuple[int, ...]
    unit: str
    noise: NDArray[Any] | None = None
    notes: list[str] = field(default_factory=list)


def admit(
    stamps: Stamps, first: Floats, wants: ImageInput, given: About | None = None
) -> Admission:
    """Compares a file with what a network wants.

    Args:
        stamps: From `own_images.open_stamps`.
        first: Some of them without holes, (k, y, x, bands), as they lie in the file.
        wants: The declaration.
        given: What the reader says on the command line; it wins over the file.

    Returns:
        How to turn the stamps into input.

    Raises:
        DataError: If they do not fit: received, expected, how to mend it.
    """
    known = About({**stamps.about, **(given or {})})
    take, notes = choose_bands(stamps, first.shape[-1], wants, given)
    _shape(stamps, first.shape[1:3], wants)
    _pixel(stamps, wants, known, notes)
    noise = known.get("sky_sigma")
    unit = _unit(stamps, first[..., list(take)], known, notes)
    if noise is not None and unit != "sky sigma":
        noise = _noise(stamps, np.asarray(noise), first.shape[-1], take)
        notes.append("the noise that the file states was used")
    elif unit != "sky sigma":
        notes.append(
            f"sky level and noise were measured in the outer {stamp_checks.FRAME} pixels of each "
            "stamp; where a galaxy reaches them the noise comes out too large: store sky_sigma in "
            "the file if you know it"
        )
    return Admission(take, unit, None if unit == "sky sigma" else noise, notes)


def choose_bands(
    stamps: Stamps, n: int, wants: ImageInput, given: About | None = None
) -> tuple[tuple[int, ...], list[str]]:
    """Which bands of a file a network takes, in its order.

    Args:
        stamps: From `own_images.open_stamps`.
        n: How many bands the images have.
        wants: The declaration.
        given: What the reader says; it wins over the file.

    Returns:
        Places on the last axis, and what was assumed.

    Raises:
        DataError: If a band is missing, or names and images differ in number.
    """
    names = {**stamps.about, **(given or {})}.get("bands")
    expected = ", ".join(wants.bands)
    if names is not None and len(names) != n:
        raise DataError(
            f"{stamps.path}: received {n} band(s) of images and {len(names)} name(s) "
            f"({', '.join(names)}), expected one name each. Correct them, or say --bands."
        )
    if names is None:
        if n != len(wants.bands):
            raise DataError(
                f"{stamps.path}: received images of {n} band(s), layout {stamps.layout}, expected "
                f"{len(wants.bands)}: {expected}. Take these bands, or name all of them "
                "(an array `bands`, or --bands) and they are picked out."
            )
        note = f"the file names no bands; they were taken for {expected}, in this order"
        return tuple(range(n)), [note]
    missing = [band for band in wants.bands if band not in names]
    if missing:
        raise DataError(
            f"{stamps.path}: received the bands {', '.join(names)}, expected {expected} (without "
            f"{', '.join(missing)} the network has nothing to compare). If a filter of yours is "
            "close to it, call it so: --bands."
        )
    take = tuple(names.index(band) for band in wants.bands)
    if take == tuple(range(n)):
        return take, []
    return take, [f"bands lie as {', '.join(names)} in the file; {expected} were picked by name"]


def _shape(stamps: Stamps, shape: tuple[int, ...], wants: ImageInput) -> None:
    size = wants.size
    if shape == (size, size):
        return
    y, x = shape
    if y >= size and x >= size:
        a, b = (y - size) // 2, (x - size) // 2
        fix = (f"If the object is in the middle and the pixels are as they should be, cut it out: "
               f"images[:, {a}:{a + size}, {b}:{b + size}]")  # fmt: skip
    else:
        fix = "Cut larger stamps from the survey's images; padding would put an edge into the sky"
    raise DataError(
        f"{stamps.path}: received stamps of {y} x {x} pixels (layout {stamps.layout}), expected "
        f"{size} x {size}: {wants.frame}. {fix}."
    )


def _pixel(stamps: Stamps, wants: ImageInput, known: About, notes: list[str]) -> None:
    ours, yours = wants.pixel_arcsec, known.get("pixel_arcsec")
    if ours is None:
        return
    if yours is None:
        notes.append(f"the file states no pixel scale; {ours:g} arcsec was assumed")
        return
    if abs(yours / ours - 1) > PIXEL_TOLERANCE:
        factor = yours / ours
        raise DataError(
            f"{stamps.path}: received pixels of {yours:g} arcsec, expected {ours:g} arcsec. "
            f"Resample with scipy.ndimage.zoom(image, {factor:.3f}) / {factor**2:.3f}, which keeps "
            f"the flux, from stamps of at least {int(np.ceil(wants.size / factor))} pixels, then "
            f"cut the middle {wants.size}. The noise becomes correlated: the report will say so."
        )


def _unit(stamps: Stamps, first: Floats, known: About, notes: list[str]) -> str:
    said = known.get("unit")
    word = str(said or "").strip().lower()
    if word in ("mag", "mags", "magnitude", "magnitudes") or word.startswith("mag"):
        raise _magnitudes(stamps, f"the unit {said!r}", known)
    if said is not None and word not in SIGMA and word.split("/")[0].split(" ")[0] not in LINEAR:
        raise DataError(
            f"{stamps.path}: received the unit {said!r}, expected sky sigma, or a linear unit of "
            f"flux such as electron, adu, nJy or nanomaggy. If it is linear, say --unit flux."
        )
    looks = stamp_checks.guess_unit(first)
    sky = stamp_checks.sky_of(first)
    level, noise = float(np.median(sky.level)), float(np.median(sky.noise))
    if looks == "magnitudes":
        raise _magnitudes(stamps, f"values about {level:.1f} that fall toward the middle", known)
    if said is None and looks != "sky sigma":
        hint = (" Numbers so small look stretched (asinh, logarithm, or 8-bit colors): take the "
                "images before that." if looks == "stretched" else "")  # fmt: skip
        raise DataError(
            f"{stamps.path}: received no unit, and a sky of level {level:.3g} and noise "
            f"{noise:.3g} at the edge of the stamps; expected noise 1 and level 0 (units of the "
            f"sky noise), or a stated unit: --unit electron (or adu, nJy, flux) and both are "
            f"measured and taken away.{hint}"
        )
    if word in SIGMA and (noise > 2.5 or noise < 0.4 or abs(level) > 5):
        raise DataError(
            f"{stamps.path}: received the unit {said!r} but a sky of level {level:.3g} and noise "
            f"{noise:.3g} at the edge of the stamps, expected about 0 and 1. Say --unit flux to "
            "have both measured, or divide by the noise yourself."
        )
    if said is None:
        notes.append("the file states no unit; its sky has the noise of images in sky sigma")
    return "sky sigma" if said is None or word in SIGMA else word


def _magnitudes(stamps: Stamps, what: str, known: About) -> DataError:
    zero = known.get("zero_point")
    text = f"{float(np.ravel(zero)[0]):g}" if zero is not None else "zero_point"
    return DataError(
        f"{stamps.path}: received {what}, expected a linear flux: magnitudes have no value where "
        f"the sky is negative. Convert before you cut stamps: flux = 10 ** (-0.4 * (mag - {text}))"
        "; then --unit flux."
    )


def _noise(stamps: Stamps, noise: NDArray[Any], n: int, take: Sequence[int]) -> NDArray[Any]:
    if noise.ndim == 0 or noise.size == 1:
        return np.full(len(take), float(noise.ravel()[0]))
    if noise.shape in ((n,), (stamps.n, n)):
        return np.asarray(noise[..., list(take)], float)
    raise DataError(f"{stamps.path}: received sky_sigma of shape {noise.shape}, expected one "
                    f"number, one for each band ({n},), or ({stamps.n}, {n}).")  # fmt: skip


def to_sky_sigma(images: Floats, plan: Admission, rows: NDArray[np.intp]) -> Floats:
    """Stamps without holes, in units of the sky noise.

    Args:
        images: Shape (k, size, size, bands), in the order of the declaration.
        plan: From `admit`.
        rows: Which stamps of the file they are, (k,).
    """
    if plan.unit == "sky sigma":
        return images
    noise = plan.noise
    if noise is not None and noise.ndim == 2:
        noise = noise[rows]
    return stamp_checks.in_sky_sigma(images, noise)
