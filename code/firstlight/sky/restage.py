"""Real galaxies, seen again through a worse telescope.

A Hubble image is nearly the truth for a telescope on the ground. To compare our
simulated galaxies with real ones, each real galaxy is given the relative size,
seeing and depth of a simulated one: same pixels across R90, same blur over R90,
same light over sky noise. What remains different is the galaxy itself, and the noise
that the real image brought along, for which there is `own_noise`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from . import checks
from .population import STAMP_IN_R90
from .render import MOFFAT_BETA
from .surveys import SDSS, Survey

if TYPE_CHECKING:
    import galsim

CONDITIONS = ("seeing_r_arcsec", "r90_arcsec", "r_mag", "sky_sigma_r_electrons")
R90_OVER_HALF_LIGHT = 2.3  # of an exponential disc, whose Petrosian R90 holds 90 % of the light


def restage(
    galaxies: "Sequence[galsim.GSObject]",
    half_light_arcsec: np.ndarray,
    conditions: pd.DataFrame,
    seed: int,
    *,
    size: int = 48,
    survey: Survey = SDSS,
) -> np.ndarray:
    """Draws real galaxies under the conditions of simulated ones, in r.

    Args:
        galaxies: GalSim objects of real galaxies, deconvolved from their telescope.
        half_light_arcsec: Their half-light radii, `(n,)`, arcsec.
        conditions: Rows of a simulated sky's truth, one per galaxy: `seeing_r_arcsec`,
            `r90_arcsec`, `r_mag` and `sky_sigma_r_electrons` are used.
        seed: For the noise.
        size: Pixels on a side.
        survey: Whose zero point to use.

    Returns:
        `(n, size, size)` float32 images in sky sigma, noise of sky and source added on top
        of what the real image brought along (see `own_noise`).

    Raises:
        ValueError: If lengths disagree, a radius is not positive, a condition is missing or a
            galaxy holds no light.
    """
    _check("restage", galaxies, half_light_arcsec, seed, size)
    if len(conditions) != len(galaxies):
        raise ValueError(
            f"restage: received {len(galaxies)} galaxies and {len(conditions)} conditions; "
            "expected one condition per galaxy."
        )
    checks.table("restage", conditions, CONDITIONS, CONDITIONS)
    half_light_arcsec = np.asarray(half_light_arcsec, dtype=float)
    rng = np.random.default_rng(seed)
    sigma = conditions["sky_sigma_r_electrons"].to_numpy()
    light = _light(conditions, survey)
    blur = (conditions["seeing_r_arcsec"] / conditions["r90_arcsec"]).to_numpy()
    images = np.empty((len(galaxies), size, size), dtype=np.float32)
    for k, galaxy in enumerate(galaxies):
        clean = _draw(galaxy, R90_OVER_HALF_LIGHT * half_light_arcsec[k], blur[k], size)
        if not clean.sum() > 0:
            raise ValueError(
                f"restage: received galaxy {k} with a flux of {clean.sum():g}, expected light."
            )
        clean *= light[k] / clean.sum()
        variance = 1 + np.maximum(clean, 0) / sigma[k]
        images[k] = clean + np.sqrt(variance) * rng.standard_normal(clean.shape)
    return images


def own_noise(
    galaxies: "Sequence[galsim.GSObject]",
    half_light_arcsec: np.ndarray,
    conditions: pd.DataFrame,
    seed: int,
    *,
    size: int = 48,
    survey: Survey = SDSS,
) -> np.ndarray:
    """The noise that real galaxies bring along, for simulated galaxies to carry as well.

    A galaxy seen at a signal-to-noise of fifty and restaged as a bright one keeps the noise of
    fifty, deconvolved and blurred again. It looks like asymmetry. For a fair comparison each
    simulated galaxy is given the noise of some real one, in proportion to its light.

    Args:
        galaxies: As for `restage`; those from real images know their noise.
        half_light_arcsec: Their half-light radii, `(n,)`, arcsec.
        conditions: Of the m simulated galaxies, as for `restage`.
        seed: Which real galaxy lends its noise to which simulated one, and the noise itself.
        size: Pixels on a side.
        survey: Whose zero point to use.

    Returns:
        `(m, size, size)` float32, in sky sigma, to be added to simulated images.

    Raises:
        ValueError: As `restage`, or if a galaxy has no noise of its own.
    """
    import galsim

    _check("own_noise", galaxies, half_light_arcsec, seed, size)
    checks.table("own_noise", conditions, CONDITIONS, CONDITIONS)
    blur = float(np.median(conditions["seeing_r_arcsec"] / conditions["r90_arcsec"]))
    random = galsim.BaseDeviate(seed % 2**31 + 1)
    lent = np.empty((len(galaxies), size, size), dtype=np.float32)
    for k, galaxy in enumerate(galaxies):
        if getattr(galaxy, "noise", None) is None:
            raise ValueError(
                f"own_noise: received galaxy {k} without noise of its own, expected one from a "
                'real image (makeGalaxy(gal_type="real")).'
            )
        seen, scale = _seen(galaxy, R90_OVER_HALF_LIGHT * half_light_arcsec[k], blur, size)
        noise = galsim.Image(size, size, scale=scale, init_value=0.0)
        noise.addNoise(seen.noise.copy(rng=random))
        light = seen.drawImage(nx=size, ny=size, scale=scale).array.sum()
        lent[k] = noise.array / light
    rng = np.random.default_rng(seed)
    lender = rng.integers(0, len(galaxies), len(conditions))
    return lent[lender] * _light(conditions, survey)[:, None, None].astype(np.float32)


def _check(where: str, galaxies: Sequence, half_light: np.ndarray, seed: int, size: int) -> None:
    checks.whole(where, "seed", seed, 0, 2**63)
    checks.whole(where, "size", size, 8, 1024)
    half_light = np.asarray(half_light, dtype=float)
    if not len(galaxies) or len(galaxies) != len(half_light):
        raise ValueError(
            f"{where}: received {len(galaxies)} galaxies and {len(half_light)} radii; expected "
            "one radius per galaxy, and a galaxy at least."
        )
    if not (half_light > 0).all():
        raise ValueError(
            f"{where}: received a half-light radius of {half_light.min():g} arcsec, expected "
            "positive numbers."
        )


def _light(conditions: pd.DataFrame, survey: Survey) -> np.ndarray:
    """Light in r of each galaxy, in sky sigma, `(n,)`."""
    magnitudes = np.repeat(conditions["r_mag"].to_numpy()[:, None], 3, axis=1)
    return survey.electrons(magnitudes)[:, 1] / conditions["sky_sigma_r_electrons"].to_numpy()


def _seen(
    galaxy: "galsim.GSObject", r90_arcsec: float, blur: float, size: int
) -> "tuple[galsim.GSObject, float]":
    """A galaxy behind the atmosphere, and the pixel scale in arcsec."""
    import galsim

    seen = galsim.Convolve(galaxy, galsim.Moffat(beta=MOFFAT_BETA, fwhm=blur * r90_arcsec))
    return seen, STAMP_IN_R90 * r90_arcsec / size


def _draw(galaxy: "galsim.GSObject", r90_arcsec: float, blur: float, size: int) -> np.ndarray:
    seen, scale = _seen(galaxy, r90_arcsec, blur, size)
    return seen.drawImage(nx=size, ny=size, scale=scale).array.astype(float)
