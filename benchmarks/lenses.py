"""How fast lenses are drawn: `sky.lenses` beside a plain loop through lenstronomy.

Both draw the same lenses on one core: an elliptical isothermal lens with shear, a Sersic lens
galaxy and a source of a Sersic body with three knots, blurred by a Moffat point-spread
function. The loop goes through lenstronomy's high-level `ImageModel`, one image after another,
with as many points a pixel as ours takes where the source is. It draws no field galaxies, adds
no noise, and is handed every flux; `simulate` draws and adds them, and solves for the flux
that gives the wanted S/N. In three bands the loop is three models, ours traces its rays once.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from benchmarks import Row
from benchmarks.simulator import rates
from firstlight.sky import lens_light, lens_population, lenses
from firstlight.sky.render import MOFFAT_BETA

AIM = 5.0  # in three bands, what the book trains on
ONE_BAND = 2.0
PIXEL, SIZE = 0.2, 48
LOOP, BLOCK, ROUNDS = 10, 256, 3


def scene(n: int, seed: int) -> lenses.Scene:
    """Lenses only, with the Sersic lens galaxies that ours tabulates."""
    return lens_population.draw(
        n, np.random.default_rng(seed), lens_fraction=1.0, kinds=("alone",), shares=(1.0,),
        einstein_radius_arcsec=(0.5, 2.5), snr=(6, 100), seeing_arcsec=(0.8, 0.8, 0.8),
        seeing_scatter=0.0, side_arcsec=SIZE * PIXEL,
    )  # fmt: skip


@cache
def kernel() -> np.ndarray:
    """The point-spread function on pixels, from GalSim: the night is the same for all."""
    import galsim

    psf = galsim.Moffat(beta=MOFFAT_BETA, fwhm=0.8)
    drawn = psf.drawImage(nx=31, ny=31, scale=PIXEL, method="no_pixel").array
    return np.asarray(drawn / drawn.sum(), float)


def plain_loop(given: lenses.Scene, points: int = lens_light.FINE) -> np.ndarray:
    """Draws each lens with lenstronomy's ImageModel.

    Args:
        given: Lenses of unit source flux and unit lens-galaxy amplitude.
        points: Points on a side of each pixel.

    Returns:
        Images of the lensed sources alone, `(n, SIZE, SIZE)`, flux 1 before lensing, then of the
        lens galaxies, stacked on a first axis of 2.
    """
    from lenstronomy.Data.imaging_data import ImageData
    from lenstronomy.Data.psf import PSF
    from lenstronomy.ImSim.image_model import ImageModel
    from lenstronomy.LensModel.lens_model import LensModel
    from lenstronomy.LightModel.light_model import LightModel
    from lenstronomy.Util.param_util import phi_q2_ellipticity

    half = (SIZE - 1) / 2 * PIXEL
    grid = {"image_data": np.zeros((SIZE, SIZE)), "ra_at_xy_0": -half, "dec_at_xy_0": -half,
            "transform_pix2angle": PIXEL * np.eye(2)}  # fmt: skip
    out = np.empty((2, len(given.truth), SIZE, SIZE))
    for row, t in enumerate(given.truth.to_dict("records")):
        own = given.parts[(given.parts["owner"] == row) & (given.parts["role"] == "source")]
        center = {"center_x": t["lens_x_arcsec"], "center_y": t["lens_y_arcsec"]}
        m1, m2 = phi_q2_ellipticity(t["mass_angle_rad"], t["mass_axis_ratio"])
        l1, l2 = phi_q2_ellipticity(t["lens_angle_rad"], t["lens_axis_ratio"])
        mass = [{"theta_E": t["einstein_radius_arcsec"], "e1": m1, "e2": m2, **center},
                {"gamma1": t["shear_1"], "gamma2": t["shear_2"],
                 "ra_0": t["lens_x_arcsec"], "dec_0": t["lens_y_arcsec"]}]  # fmt: skip
        source, kinds = [], []
        for p in own.to_dict("records"):
            place = {"center_x": p["x_arcsec"], "center_y": p["y_arcsec"]}
            if p["shape"] == "knot":
                kinds.append("GAUSSIAN")
                source.append({"amp": p["flux"], "sigma": p["radius_arcsec"], **place})
                continue
            kinds.append("SERSIC_ELLIPSE")
            e1, e2 = phi_q2_ellipticity(p["angle_rad"], p["axis_ratio"])
            b = 1.6783469900166605  # of an exponential; amp is the brightness at the radius
            amp = p["flux"] * b**2 * np.exp(-b) / (2 * np.pi * p["radius_arcsec"] ** 2)
            source.append({"amp": amp, "R_sersic": p["radius_arcsec"], "n_sersic": 1.0,
                           "e1": e1, "e2": e2, **place})  # fmt: skip
        galaxy = [{"amp": 1.0, "R_sersic": t["lens_radius_arcsec"], "e1": l1, "e2": l2,
                   "n_sersic": t["lens_sersic_n"], **center}]  # fmt: skip
        model = ImageModel(
            ImageData(**grid),
            PSF(psf_type="PIXEL", kernel_point_source=kernel()),
            LensModel(["SIE", "SHEAR"]), LightModel(kinds), LightModel(["SERSIC_ELLIPSE"]),
            kwargs_numerics={"supersampling_factor": points, "supersampling_convolution": False},
        )  # fmt: skip
        out[0, row] = model.source_surface_brightness(source, mass)
        out[1, row] = model.lens_surface_brightness(galaxy)
    return out


def run() -> list[Row]:
    """Measure both in turns on one core, in three bands and in one.

    Returns:
        Two rows.
    """
    few = scene(LOOP, 1)
    rows = []
    for bands, aim in ((("g", "r", "i"), AIM), (("g",), ONE_BAND)):
        only = {"bands": bands, "lens_fraction": 1.0}
        rate = rates(
            {
                "ours": (BLOCK, lambda turn, only=only: lenses.simulate(BLOCK, seed=turn, **only)),
                "loop": (LOOP, lambda turn, bands=bands: [plain_loop(few) for _ in bands]),
            },
            ROUNDS,
        )
        note = (
            f"noisy stamps of {SIZE} x {SIZE} pixels, all lenses, for a CPU second of one core, "
            f"best of {ROUNDS} rounds in turns; the loop draws lens and source only, without noise."
        )
        rows.append(Row(f"lenses in {''.join(bands)}", rate["ours"], rate["loop"], "images/s",
                        rate["ours"] / rate["loop"], aim, at_most=False, note=note))  # fmt: skip
    return rows
