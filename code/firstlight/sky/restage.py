"""Real galaxies, seen again through a worse telescope.

A Hubble image is nearly the truth for a telescope on the ground. To compare our
simulated galaxies with real ones, each real galaxy is given the relative size,
seeing and depth of a simulated one: same pixels across R90, same blur over R90,
same light over sky noise. What remains different is the galaxy itself.
"""

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
    galaxies: "list[galsim.GSObject]",
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
        of the little that the real image brought along.

    Raises:
        ValueError: If lengths disagree, a radius is not positive, a condition is missing or a
            galaxy holds no light.
    """
    checks.whole("restage", "seed", seed, 0, 2**63)
    checks.whole("restage", "size", size, 8, 1024)
    half_light_arcsec = np.asarray(half_light_arcsec, dtype=float)
    if not len(galaxies) == len(half_light_arcsec) == len(conditions):
        raise ValueError(
            f"restage: received {len(galaxies)} galaxies, {len(half_light_arcsec)} radii and "
            f"{len(conditions)} conditions; expected one radius and one condition per galaxy."
        )
    if not (half_light_arcsec > 0).all():
        raise ValueError(
            f"restage: received a half-light radius of {half_light_arcsec.min():g} arcsec, "
            "expected positive numbers."
        )
    checks.table("restage", conditions, CONDITIONS, CONDITIONS)
    rng = np.random.default_rng(seed)
    sigma = conditions["sky_sigma_r_electrons"].to_numpy()
    light = survey.electrons(np.full((len(sigma), 3), conditions["r_mag"].to_numpy()[:, None]))
    blur = (conditions["seeing_r_arcsec"] / conditions["r90_arcsec"]).to_numpy()
    images = np.empty((len(galaxies), size, size), dtype=np.float32)
    for k, galaxy in enumerate(galaxies):
        clean = _draw(galaxy, R90_OVER_HALF_LIGHT * half_light_arcsec[k], blur[k], size)
        if not clean.sum() > 0:
            raise ValueError(
                f"restage: received galaxy {k} with a flux of {clean.sum():g}, expected light."
            )
        clean *= light[k, 1] / sigma[k] / clean.sum()
        variance = 1 + np.maximum(clean, 0) / sigma[k]
        images[k] = clean + np.sqrt(variance) * rng.standard_normal(clean.shape)
    return images


def _draw(galaxy: "galsim.GSObject", r90_arcsec: float, blur: float, size: int) -> np.ndarray:
    import galsim

    seen = galsim.Convolve(galaxy, galsim.Moffat(beta=MOFFAT_BETA, fwhm=blur * r90_arcsec))
    scale = STAMP_IN_R90 * r90_arcsec / size
    return seen.drawImage(nx=size, ny=size, scale=scale).array.astype(float)
