"""Real galaxies under a simulated sky: size, blur, light and noise are those asked for."""

import galsim
import numpy as np
import pytest

from firstlight.archive import cache
from firstlight.archive import galaxies as archive
from firstlight.evaluation import morphology
from firstlight.sky.population import STAMP_IN_R90
from firstlight.sky.restage import CONDITIONS, R90_OVER_HALF_LIGHT, own_noise, restage
from firstlight.sky.surveys import SDSS
from sky_kit import GALAXIES, plain, sky, visible

HALF_LIGHT = 0.4  # arcsec, of a galaxy in a Hubble image


def conditions(n=6, **columns):
    return visible(plain(n)).assign(**columns)


def discs(n=6):
    return [galsim.Exponential(half_light_radius=HALF_LIGHT)] * n


def staged(n=6, galaxies=None, seed=1, **columns):
    return restage(galaxies or discs(n), np.full(n, HALF_LIGHT), conditions(n, **columns), seed)


def test_the_light_is_that_of_the_simulated_galaxy():
    rows = conditions()
    images = staged()
    assert images.shape == (6, 48, 48) and images.dtype == np.float32
    electrons = SDSS.electrons(rows["r_mag"].to_numpy()[:, None] * np.ones(3))[:, 1]
    expected = electrons / rows["sky_sigma_r_electrons"]
    scatter = np.sqrt(48**2 + expected / rows["sky_sigma_r_electrons"])
    assert (np.abs(images.sum(axis=(1, 2)) - expected) < 4 * scatter).all()


def test_the_size_is_that_of_the_simulated_galaxy():
    images = staged(r_mag=13.0, seeing_r_arcsec=0.1)
    radius = morphology.measure(images, noise=1.0)["r50"]
    np.testing.assert_allclose(radius, 48 / STAMP_IN_R90 / R90_OVER_HALF_LIGHT, rtol=0.05)


def test_worse_seeing_blurs_the_same_galaxy():
    sharp, soft = staged(r_mag=14.0), staged(r_mag=14.0, seeing_r_arcsec=3.0)
    assert (soft.max(axis=(1, 2)) < 0.9 * sharp.max(axis=(1, 2))).all()


def test_fainter_galaxies_drown_in_noise_of_unit_sigma():
    noise = staged(64, r_mag=35.0)
    assert noise.std() == pytest.approx(1, rel=0.01)
    assert noise.mean() == pytest.approx(0, abs=0.01)


def test_the_angular_size_of_the_original_does_not_matter():
    small = staged(galaxies=discs())
    rows = conditions()
    large = restage([disc.dilate(7) for disc in discs()], np.full(6, 7 * HALF_LIGHT), rows, 1)
    np.testing.assert_allclose(small, large, rtol=1e-3, atol=1e-2)


def test_the_same_seed_gives_the_same_noise_and_another_other():
    np.testing.assert_array_equal(staged(seed=2), staged(seed=2))
    assert (staged(seed=2) != staged(seed=3)).any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"half_light_arcsec": np.ones(5)}, "received 6 galaxies and 5 radii"),
        ({"half_light_arcsec": -np.ones(6)}, "half-light radius of -1 arcsec, expected positive"),
        ({"half_light_arcsec": np.full(6, np.nan)}, "half-light radius of nan arcsec"),
        ({"seed": 1.5}, "received seed=1.5, expected a whole number"),
        ({"size": 0}, "received size=0, expected a whole number"),
        ({"galaxies": [galsim.Exponential(half_light_radius=0.4, flux=-1.0)] * 6}, "galaxy 0 with"),
        *(({"drop": name}, rf"without \['{name}'\]") for name in CONDITIONS),
        *(({"nan": name}, rf"NaN or infinity in \['{name}'\]") for name in CONDITIONS),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(change, message):
    rows = conditions()
    if "drop" in change:
        rows = rows.drop(columns=change.pop("drop"))
    if "nan" in change:
        rows[change.pop("nan")] = np.nan
    arguments = {"galaxies": discs(), "half_light_arcsec": np.full(6, HALF_LIGHT), "seed": 1}
    with pytest.raises(ValueError, match=message):
        restage(conditions=rows, **{**arguments, **change})


needs_cosmos = pytest.mark.skipif(
    not cache.available(*archive.COSMOS_FILES), reason="the COSMOS galaxies are not in the cache"
)


def cosmos():
    return archive.RealGalaxies(), archive.cosmos_half_light_arcsec()


def test_galaxies_without_noise_of_their_own_are_refused():
    with pytest.raises(ValueError, match="galaxy 0 without noise of its own"):
        own_noise(discs(), np.full(6, HALF_LIGHT), conditions(), 1)


@needs_cosmos
def test_the_noise_lent_is_the_noise_in_the_real_images():
    real, half_light = cosmos()
    rows = sky(400, 90210).truth.iloc[:100]
    noise = own_noise(real, half_light, rows, 3)
    staged = restage(real, half_light, rows, 4)
    corners = np.concatenate([staged[:, :6, :6], staged[:, -6:, -6:]], axis=1)
    lent = np.concatenate([noise[:, :6, :6], noise[:, -6:, -6:]], axis=1)
    # Corners hold the sky's unit variance, what came along, and the outskirts of some galaxies:
    # at least as much as the first two, in the quiet half of them hardly more. (The lenders are
    # drawn at random, so distributions are compared, not galaxies.)
    shares = [0.1, 0.25, 0.5, 0.75, 0.9]
    measured = np.quantile(corners.std(axis=(1, 2)), shares)
    expected = np.quantile(np.sqrt(1 + lent.var(axis=(1, 2))), shares)
    assert (measured > 0.95 * expected).all() and measured[0] < 1.15 * expected[0]
    assert expected[-1] > 1.5
    brighter = rows.assign(r_mag=rows["r_mag"] - 2.5)
    np.testing.assert_allclose(own_noise(real, half_light, brighter, 3), 10 * noise, rtol=1e-4)


@needs_cosmos
def test_real_galaxies_measure_as_simulated_ones_do():
    from scipy.stats import ks_2samp

    real, half_light = cosmos()
    simulated = sky(6000, 90210)
    alone = simulated.truth["kind"].isin(GALAXIES)
    for name in ("companion_share", "star_share", "arc_share"):
        alone &= simulated.truth[name] == 0
    rows = np.flatnonzero(alone)[:1000]
    truth = simulated.truth.iloc[rows]
    images = restage(real, half_light, truth.iloc[:100], 3)
    carried = own_noise(real, half_light, truth, 3)
    ours = morphology.measure(simulated.images[rows][..., 1] + carried, noise=1.0)
    theirs = morphology.measure(images, noise=1.0)
    for name in ("concentration", "asymmetry", "gini", "m20", "axis_ratio"):
        # One sample of a hundred scatters by 0.14 (95 %) even if both are drawn alike.
        assert ks_2samp(ours[name], theirs[name]).statistic < 0.18, name
