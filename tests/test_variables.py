"""The simulator of variable stars: shapes of OGLE-III, geometry of eclipses, cadence, noise."""

# ruff: noqa: F811  (fixtures are imported by name)
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive_kit import real  # noqa: F401
from firstlight.sky import cadence, eclipses, folding, periods, variable_population, variables
from firstlight.sky import variable_shapes as shapes

TURN = 2 * np.pi


@cache
def stars(n=3000, seed=1, **settings):
    return variables.simulate(n, seed, **settings)


@cache
def only(kind, n=1500, seed=2, survey=cadence.VVV):
    return variables.simulate(n, seed, survey=survey, shares={kind: 1.0})


def turned(difference):
    return (difference + np.pi) % TURN - np.pi


# --- pulsating stars ---------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(
    r21=st.floats(0.05, 0.9), r31=st.floats(0.02, 0.7),
    phi21=st.floats(0, TURN), phi31=st.floats(0, TURN), on=st.booleans(),
)  # fmt: skip
def test_a_series_has_the_fourier_terms_it_was_made_of(r21, r31, phi21, phi31, on):
    one = [np.array([value]) for value in (r21, phi21, r31, phi31)]
    ratios, phases = shapes.continued(*one, on=np.array([on]))
    cycles = np.arange(64)[None] / 64
    found = np.fft.rfft(shapes.series(ratios, phases, cycles)[0])
    assert abs(found[0]) < 1e-9  # the mean over a cycle
    np.testing.assert_allclose(np.abs(found[2:4]) / np.abs(found[1]), [r21, r31], rtol=1e-6)
    for k, wanted in ((2, phi21), (3, phi31)):
        phase = np.angle(found[k]) - k * np.angle(found[1])
        assert abs(turned(phase - wanted)) < 1e-6
    above = np.abs(found[4 : shapes.HARMONICS + 1])
    assert (above > 0).all() == on or above.max() < 1e-9
    assert np.abs(found[shapes.HARMONICS + 1 :]).max() < 1e-9
    dense = shapes.series(ratios, phases, np.arange(2048)[None] / 2048)
    assert np.ptp(dense) == pytest.approx(1, abs=0.01)


def test_without_noise_a_pulsating_star_has_the_amplitude_and_terms_of_its_truth():
    found = only("RRab", 200)
    quiet = found.truth[found.truth["blazhko_depth"] == 0].iloc[:40]
    times = np.sort(np.random.default_rng(1).uniform(55000, 57000, (len(quiet), 300)), axis=1)
    ratios, phases = shapes.continued(
        *(quiet[name].to_numpy() for name in ("r21", "phi21", "r31", "phi31")),
        on=np.ones(len(quiet), bool),
    )
    period = quiet["period_days"].to_numpy()
    cycles = (times - quiet["epoch_mjd"].to_numpy()[:, None]) / period[:, None]
    clean = quiet["amplitude_mag"].to_numpy()[:, None] * shapes.series(ratios, phases, cycles)
    flat, mask = np.full(times.shape, 0.01), np.ones(times.shape, bool)
    fit = folding.fourier_fit(times, clean, flat, mask, period, harmonics=7, clip=1e6)
    np.testing.assert_allclose(fit.amplitude_mag, quiet["amplitude_mag"], rtol=0.01)
    np.testing.assert_allclose(fit.ratios[:, 1], quiet["r21"], atol=1e-3)
    assert np.abs(turned(fit.relative_phases[:, 2] - quiet["phi31"].to_numpy())).max() < 0.01
    np.testing.assert_allclose(fit.scatter_mag, 0, atol=1e-4)


def test_the_shipped_shapes_are_those_of_the_ogle_catalog(real):
    from firstlight.archive import ogle

    chosen = shapes.select(ogle.ogle3_variables())
    pd.testing.assert_frame_equal(chosen, shapes.table(), check_dtype=False)


def test_the_shipped_table_is_in_order():
    table = shapes.table()
    assert table["star_id"].is_unique
    assert set(table["subtype"]) == set(shapes.SUBTYPES)
    numbers = table.drop(columns=["star_id", "subtype", "population"])
    assert np.isfinite(numbers.to_numpy()).all()
    bulge = table[(table["subtype"] == "RRab") & (table["population"] == "bulge")]
    assert bulge["star_id"].str.startswith("OGLE-BLG-RRLYR").all()
    # Oosterhoff: the metal-poor stars of the clouds pulsate more slowly.
    clouds = table[(table["subtype"] == "RRab") & (table["population"] == "clouds")]
    assert clouds["period_days"].median() > bulge["period_days"].median() + 0.01


@pytest.mark.parametrize("subtype", shapes.SUBTYPES)
def test_periods_and_amplitudes_are_distributed_as_in_the_catalog(subtype):
    from scipy.stats import ks_2samp

    kind = next(k for k, mix in variable_population.SUBTYPE_SHARES.items() if subtype in mix)
    survey = replace(cadence.VVV, band="I")
    truth = only(kind, 1500, 3, survey).truth
    mine = truth[truth["subtype"] == subtype]
    table = shapes.table()
    theirs = table[(table["subtype"] == subtype) & (table["population"] != "clouds")]
    for ours, name in (("period_days",) * 2, ("amplitude_mag", "amplitude_i_mag"), ("r21",) * 2):
        assert ks_2samp(mine[ours], theirs[name]).pvalue > 1e-3, name


def test_in_ks_curves_are_smaller_rounder_and_later():
    in_i = only("RRab", 1500, 3, replace(cadence.VVV, band="I")).truth
    in_ks = only("RRab", 1500, 3).truth
    ratio = in_ks["amplitude_mag"] / in_ks["amplitude_i_mag"]
    assert 0.40 < ratio.median() < 0.60
    assert in_ks["r21"].median() < in_i["r21"].median()
    assert in_ks["phi31"].median() > in_i["phi31"].median() + 1.5
    by_kind = {kind: only(kind, 600, 4).truth for kind in ("RRc", "Cep")}
    medians = {k: (t["amplitude_mag"] / t["amplitude_i_mag"]).median() for k, t in by_kind.items()}
    assert medians["RRc"] < ratio.median() < 1.1 * medians["Cep"]


@cache
def real_vvv():
    """Every second VVV curve: enough for medians, at half the cost."""
    from firstlight.archive import vvv

    curves, table = vvv.vvv_light_curves("K"), vvv.vvv_rrab().set_index("star_id")
    rows = range(1, len(curves), 2)
    most = max(len(curves[i][0]) for i in rows)
    phases, mags = np.zeros((2, len(rows), most))
    mask = np.zeros(mags.shape, bool)
    for j, i in enumerate(rows):
        phase, mag = curves[i]
        phases[j, : len(phase)], mags[j, : len(phase)], mask[j, : len(phase)] = phase, mag, True
    errors = np.full(mags.shape, 0.03)
    fit = folding.fourier_fit(phases, mags, errors, mask, np.ones(len(rows)), harmonics=4)
    return table.loc[curves.star_ids[1::2]], fit, mask.sum(axis=1)


def test_simulated_ks_curves_fit_like_real_vvv_curves(real):
    table, theirs, n_epochs = real_vvv()
    found = only("RRab", 4000, 7)
    near = np.exp(-0.5 * ((found.truth["mean_mag"] - 14.93) / 0.5) ** 2)
    found = found.take(np.random.default_rng(0).uniform(size=len(found)) < near)
    arrays = found.curves
    ours = folding.fourier_fit(*arrays, found.period_days, harmonics=4)
    snr = variables.signal_to_noise(ours.amplitude_mag, ours.scatter_mag, ours.kept.sum(1))
    true_snr = variables.signal_to_noise(theirs.amplitude_mag, theirs.scatter_mag, n_epochs)
    for low, high in ((0.45, 0.52), (0.52, 0.58), (0.58, 0.66)):
        mine = (found.period_days > low) & (found.period_days < high) & (snr > 60)
        real_ones = table["period_days"].between(low, high).to_numpy() & (true_snr > 60)
        pairs = {
            "amplitude": (ours.amplitude_mag, theirs.amplitude_mag, 0.025),
            "R21": (ours.ratios[:, 1], theirs.ratios[:, 1], 0.04),
            "R31": (ours.ratios[:, 2], theirs.ratios[:, 2], 0.04),
            "R41": (ours.ratios[:, 3], theirs.ratios[:, 3], 0.04),
            "phi21": (ours.relative_phases[:, 1], theirs.relative_phases[:, 1], 0.12),
            "phi31": (ours.relative_phases[:, 2], theirs.relative_phases[:, 2], 0.20),
            "phi41": (ours.relative_phases[:, 3], theirs.relative_phases[:, 3], 0.35),
        }
        for name, (a, b, within) in pairs.items():
            assert np.median(a[mine]) == pytest.approx(np.median(b[real_ones]), abs=within), name


def test_signal_to_noise_is_that_of_the_published_catalog(real):
    table, fit, n_epochs = real_vvv()
    ratio = variables.signal_to_noise(fit.amplitude_mag, fit.scatter_mag, n_epochs) / table["snr"]
    assert ratio.median() == pytest.approx(1, abs=0.05)
    assert ratio.quantile(0.9) / ratio.quantile(0.1) < 1.6


def test_noise_is_that_of_the_published_curves(real):
    table, fit, _ = real_vvv()
    mag = table["mean_k_mag"].to_numpy()
    for low in (13.5, 14.0, 14.5, 15.0):
        among = (mag > low) & (mag <= low + 0.5)
        expected = cadence.VVV.sigma(np.array(low + 0.25))
        assert np.median(fit.scatter_mag[among]) == pytest.approx(expected, rel=0.15)


def test_metallicity_belongs_to_rrab_stars_and_to_their_i_band_shape():
    found = stars()
    is_ab = found.labels == "RRab"
    assert found.truth.loc[~is_ab, "feh_dex"].isna().all()
    feh = found.truth.loc[is_ab, "feh_dex"]
    assert feh.isna().mean() < 0.02
    assert feh.median() == pytest.approx(-1.0, abs=0.2)  # Pietrukowicz et al. 2012: -1.02
    table = shapes.table()
    in_table = pd.Series(shapes.metallicity(table), index=table["star_id"])
    parents = found.truth.loc[is_ab, "parent"]
    np.testing.assert_allclose(feh, in_table[parents], rtol=1e-6)
    clouds = (table["population"] == "clouds").to_numpy()
    assert np.nanmedian(in_table[clouds]) < np.nanmedian(in_table[~clouds]) - 0.1


# --- eclipsing binaries ------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.floats(0.02, 2.5), st.floats(0.02, 1.5))
def test_without_limb_darkening_the_hidden_light_is_the_overlap_of_two_circles(distance, radius):
    d, k = distance, radius
    if d >= 1 + k:
        area = 0.0
    elif d <= abs(1 - k):
        area = min(1, k) ** 2
    else:
        a = np.arccos((d**2 + 1 - k**2) / (2 * d))
        b = np.arccos((d**2 + k**2 - 1) / (2 * d * k))
        area = (
            a + k**2 * b - 0.5 * np.sqrt((k + 1 - d) * (d + k - 1) * (d - k + 1) * (d + k + 1))
        ) / np.pi
    found = eclipses.eclipsed(np.array([d]), np.array([k]), 0.0)[0]
    assert found == pytest.approx(area, abs=1e-3)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 1))
def test_depth_is_bounded_by_geometry(seed, dark):
    one = eclipses.draw(8, np.random.default_rng(seed)).assign(elongation=1.0, asymmetry=0.0)
    light = eclipses.flux(one, np.broadcast_to(np.arange(400) / 400, (8, 400)), dark)
    assert (light > 0).all() and light.max() <= 1 + 1e-9
    first, second = one["radius_1"] ** 2, one["surface_ratio"] * one["radius_2"] ** 2
    seen = 1 - one["third_light"]
    at_most = seen * np.maximum(first, second) / (first + second)
    assert (1 - light.min(axis=1) <= at_most + 1e-9).all()


def binary(**columns):
    plain = {
        "period_days": 1.0, "mass_ratio": 1.0, "radius_1": 0.2, "radius_2": 0.1, "elongation": 1.0,
        "surface_ratio": 0.5, "inclination_rad": np.pi / 2, "eccentricity": 0.0,
        "periastron_rad": 0.3, "third_light": 0.0, "asymmetry": 0.0,
    }  # fmt: skip
    return pd.DataFrame([plain | columns])


def test_a_central_eclipse_hides_exactly_what_it_covers():
    cycles = np.array([[0.0, 0.25, 0.5, 7.0]])
    found = eclipses.flux(binary(), cycles, 0.0)[0]
    first, second = 0.2**2, 0.5 * 0.1**2
    transit, total = 1 - 0.1**2 / (first + second), first / (first + second)
    np.testing.assert_allclose(found, [transit, 1, total, transit], rtol=1e-3)
    grazing = eclipses.flux(binary(inclination_rad=np.arccos(0.31)), cycles, 0.3)[0]
    np.testing.assert_allclose(grazing, 1)
    half = eclipses.flux(binary(third_light=0.5), cycles, 0.0)[0]
    np.testing.assert_allclose(1 - half, 0.5 * (1 - found), atol=1e-9)


@pytest.mark.parametrize("turn", [0.06, 0.09, 0.12])
def test_eclipses_of_ellipsoids_are_overlaps_of_ellipses(turn):
    first, second, stretch, tilt = 0.38, 0.30, 1.3, 1.4
    one = binary(radius_1=first, radius_2=second, elongation=stretch, inclination_rad=tilt)
    angle = TURN * turn
    x, y = np.sin(angle), np.cos(angle) * np.cos(tilt)  # from star to star, on the sky
    across = np.hypot(x, y)
    drawn_out = np.sqrt(1 + (stretch**2 - 1) * across**2)
    u, v = np.meshgrid(np.linspace(-2, 2, 1600), np.linspace(-2, 2, 1600))
    along = (u * x + v * y) / across
    beside = (u * y - v * x) / across

    def inside(radius, center):
        return ((along - center) / drawn_out) ** 2 + beside**2 < radius**2

    back = inside(first, 0.0)
    hidden = (back & inside(second, across)).sum() / back.sum()
    light = eclipses.flux(one, np.array([[turn]]), 0.0)[0, 0]
    lost = 1 - light / drawn_out**1.3  # far ends are darker by gravity: power 1 + 0.3
    assert hidden > 0.01
    assert lost == pytest.approx(hidden * first**2 / (first**2 + 0.5 * second**2), rel=0.01)


def test_an_eccentric_orbit_moves_the_second_eclipse_and_keeps_the_first():
    cycles = np.arange(2000)[None] / 2000
    found = eclipses.flux(binary(eccentricity=0.4, periastron_rad=0.0), cycles, 0.3)[0]
    assert found[0] < 0.9
    later = np.argmin(np.where((cycles[0] > 0.15) & (cycles[0] < 0.85), found, 2)) / 2000
    # e cos(omega) = 0.4: Kepler's equation puts the second conjunction near 0.5 +- 0.25
    assert abs(later - 0.5) == pytest.approx(2 * 0.4 / np.pi, abs=0.03)


def test_contact_binaries_vary_all_the_time_and_touch():
    assert eclipses.roche_radius(np.array(1.0)) == pytest.approx(0.379, abs=0.001)
    drawn = eclipses.draw(4000, np.random.default_rng(1))
    contact = drawn[drawn["kind"] == "EW"]
    reach = contact["elongation"] * (contact["radius_1"] + contact["radius_2"])
    assert (reach > 0.75).all() and (reach <= 1 + 1e-9).all()
    detached = drawn[drawn["kind"] == "EA"]
    q = detached["mass_ratio"].to_numpy()
    assert (detached["radius_1"] < eclipses.roche_radius(1 / q)).all()
    assert (detached["radius_2"] < eclipses.roche_radius(q)).all()
    assert contact["period_days"].between(0.235, 0.99).all()  # Hong et al. 2022
    away = np.array([[0.15, 0.20, 0.25]])
    out_of_eclipse = eclipses.flux(binary(elongation=1.2), away, 0.3)[0]
    assert (np.diff(out_of_eclipse) > 0).all()
    np.testing.assert_allclose(eclipses.flux(binary(), away, 0.3)[0], 1)


def test_eclipses_reach_the_magnitudes():
    found = only("EB", 400)
    assert (found.truth["amplitude_mag"] > 0).all()
    deep = (found.snr > 60) & (found.truth["subtype"] == "EW")
    kept = found.take(deep.to_numpy())
    folded = folding.fold(*kept.curves, kept.period_days / 2)
    fit = folding.fourier_fit(*folded, np.ones(len(kept)), harmonics=1)
    assert np.median(2 * fit.amplitudes[:, 0] / kept.truth["amplitude_mag"]) == pytest.approx(
        0.85, abs=0.2
    )


# --- cadence and noise -------------------------------------------------------------------------


def test_visits_fall_in_seasons_and_nights_while_the_field_is_up():
    survey = cadence.VVV
    times, mask = survey.visits(300, np.random.default_rng(1))
    assert (mask.sum(axis=1) >= survey.epochs[0]).all() and mask.shape == (300, survey.epochs[1])
    assert (np.diff(times, axis=1)[mask[:, 1:]] > 0).all()
    assert (mask[:, :-1] >= mask[:, 1:]).all() and (times[~mask] == 0).all()
    t = times[mask]
    year = (t - survey.opposition_mjd + 182.6) % 365.25 - 182.6
    assert np.abs(year).max() < survey.season_days + 2
    from_midnight = (t - survey.midnight_day + 0.5) % 1 - 0.5
    assert np.abs(from_midnight).max() < 0.21
    assert np.abs(from_midnight + year / 365.25).max() < 0.18  # of the meridian
    season = np.round((t - survey.opposition_mjd) / 365.25).astype(int)
    shares = np.bincount(season, minlength=6) / len(t)
    np.testing.assert_allclose(shares, np.array(survey.seasons) / sum(survey.seasons), atol=0.04)


def test_the_window_has_a_peak_at_one_cycle_a_day():
    times, mask = cadence.VVV.visits(40, np.random.default_rng(2))
    for frequency, above in ((1.0027, 0.6), (0.63, 0.0)):
        turns = np.where(mask, np.exp(2j * np.pi * frequency * times), 0)
        window = np.abs(turns.sum(axis=1) / mask.sum(axis=1)).mean()
        assert window > above if above else window < 0.25


@settings(max_examples=20, deadline=None)
@given(
    st.integers(2, 30), st.integers(0, 40), st.floats(1, 130), st.floats(50_000, 60_000),
    st.lists(st.floats(0.1, 1), min_size=1, max_size=8),
)  # fmt: skip
def test_any_survey_gives_rising_times_and_padding(fewest, more, season, opposition, seasons):
    survey = replace(
        cadence.VVV, epochs=(fewest, fewest + more), season_days=season,
        opposition_mjd=opposition, seasons=tuple(seasons),
    )  # fmt: skip
    times, mask = survey.visits(20, np.random.default_rng(1))
    count = mask.sum(axis=1)
    assert count.min() >= fewest and count.max() <= fewest + more
    assert (np.diff(np.where(mask, times, np.inf)[:, :2], axis=1) >= 0).all()
    assert (times[mask] > opposition - 140).all() and (times[~mask] == 0).all()


def test_noise_has_the_stated_variance_and_a_floor():
    survey = replace(cadence.VVV, outlier_share=0.0)
    rng = np.random.default_rng(1)
    clean = np.linspace(11, 17, 400)[:, None] * np.ones((1, 200))
    measured, errors, wrong = survey.observe(clean, np.ones(clean.shape, bool), rng)
    assert not wrong.any()
    pulls = (measured - clean) / errors
    assert pulls.std() == pytest.approx(1, abs=0.01) and abs(pulls.mean()) < 0.01
    typical = np.exp(np.log(errors).mean(axis=1))
    np.testing.assert_allclose(np.median(typical / survey.sigma(clean[:, 0])), 1, rtol=0.05)
    assert survey.sigma(np.array(10.0)) == pytest.approx(survey.floor_mag, rel=0.01)
    assert survey.sigma(np.array(18.0)) == pytest.approx(0.034 * 10**1.2, rel=0.01)


def test_outliers_come_as_often_as_stated_and_stand_out():
    survey = replace(cadence.VVV, outlier_share=0.05)
    clean, mask = np.full((500, 60), 14.0), np.ones((500, 60), bool)
    measured, errors, wrong = survey.observe(clean, mask, np.random.default_rng(1))
    assert wrong.mean() == pytest.approx(0.05, abs=0.005)
    pulls = np.abs(measured - clean) / errors
    assert np.median(pulls[wrong]) > 6 and np.median(pulls[~wrong]) < 0.8


def test_constant_stars_are_quiet_wander_or_drift():
    found = only("constant", 900)
    truth = found.truth
    assert truth["period_days"].isna().all() and (truth["parent"] == "").all()
    assert set(truth["subtype"]) == {"quiet", "wander", "drift"}
    quiet = found.take((truth["subtype"] == "quiet").to_numpy())
    assert (quiet.truth["amplitude_mag"] == 0).all() and (quiet.snr == 0).all()
    pulls = (quiet.magnitudes - quiet.truth["mean_mag"].to_numpy()[:, None]) / np.where(
        quiet.mask, quiet.errors, 1
    )
    assert np.median(np.abs(pulls[quiet.mask])) == pytest.approx(0.6745, abs=0.03)

    def remembered(subtype):  # correlation of neighbors in time
        some = found.take((truth["subtype"] == subtype).to_numpy())
        level = np.nanmedian(np.where(some.mask, some.magnitudes, np.nan), axis=1)
        off = np.clip(
            (some.magnitudes - level[:, None]) / np.where(some.mask, some.errors, 1), -3, 3
        )
        both = some.mask[:, 1:]
        return np.corrcoef(off[:, 1:][both], off[:, :-1][both])[0, 1]

    assert abs(remembered("quiet")) < 0.05
    assert remembered("wander") > 0.15


# --- the whole ---------------------------------------------------------------------------------


def test_arrays_and_truth_fit_together():
    found = stars()
    shape = (3000, cadence.VVV.epochs[1])
    assert found.times.shape == found.magnitudes.shape == found.errors.shape == shape
    assert found.mask.shape == shape and found.mask.dtype == bool and len(found) == 3000
    for array in (found.times, found.magnitudes, found.errors):
        assert np.isfinite(array).all() and (array[~found.mask] == 0).all()
    assert (found.errors[found.mask] > 0).all()
    truth = found.truth
    np.testing.assert_array_equal(truth["n_epochs"], found.mask.sum(axis=1))
    expected = truth["amplitude_mag"] * np.sqrt(truth["n_epochs"]) / truth["noise_mag"]
    np.testing.assert_allclose(found.snr, expected)
    varies = found.labels != "constant"
    assert np.isfinite(found.period_days[varies]).all()
    share = pd.Series(found.labels).value_counts(normalize=True)
    for kind, wanted in variables.SHARES.items():
        assert share[kind] == pytest.approx(wanted, abs=0.03)


def test_brightness_cadence_and_noise_do_not_betray_the_type():
    from scipy.stats import ks_2samp

    found = stars()
    ab = found.labels == "RRab"
    sums = {"mean": found.truth["mean_mag"], "n": found.truth["n_epochs"],
            "first": pd.Series(found.times[:, 0]), "wrong": found.truth["n_outliers"]}  # fmt: skip
    for name, values in sums.items():
        assert ks_2samp(values[ab], values[~ab]).pvalue > 1e-3, name


def test_the_same_seed_gives_the_same_stars_however_many():
    few, many = variables.simulate(5, 8), variables.simulate(variables.BLOCK + 12, 8)
    for name in ("times", "magnitudes", "errors", "mask"):
        np.testing.assert_array_equal(getattr(few, name), getattr(many, name)[:5])
    pd.testing.assert_frame_equal(few.truth, many.truth[:5])
    assert len(many) == variables.BLOCK + 12 and many.truth.index.is_unique
    assert not np.array_equal(few.times, variables.simulate(5, 9).times)


def test_parts_share_no_star():
    found = {part: set(stars(1500, 5, part=part).truth["parent"]) - {""} for part in
             ("train", "validation", "test")}  # fmt: skip
    assert all(found.values())
    assert not found["train"] & found["test"]
    assert not found["train"] & found["validation"]
    assert not found["validation"] & found["test"]
    for subtype in shapes.SUBTYPES:
        rows = [variable_population.parents(subtype, "bulge", p) for p in found]
        whole = variable_population.parents(subtype, "bulge", "all")
        np.testing.assert_array_equal(np.concatenate(rows), whole)


def test_stripe82_meets_the_stars_of_the_halo():
    found = only("RRab", 300, 6, cadence.STRIPE82)
    assert found.band == "I"
    assert not found.truth["parent"].str.contains("BLG").any()
    assert found.mask.sum(axis=1).min() >= 22


def test_taking_stars_keeps_rows_together():
    found = stars(300, 4)
    rows = np.array([7, 3, 250])
    some = found.take(rows)
    np.testing.assert_array_equal(some.times, found.times[rows])
    assert some.truth["parent"].tolist() == found.truth["parent"].iloc[rows].tolist()
    mask = found.labels == "EB"
    assert (found.take(mask).labels == "EB").all()


# --- folding and periods -----------------------------------------------------------------------


def test_folding_sorts_and_aligns_like_the_archive():
    found = only("RRab", 200)
    arrays = found.curves
    folded = folding.fold(*arrays, found.period_days)
    gaps = np.diff(np.where(folded.mask, folded.phases, 2.0), axis=1)
    assert (gaps >= 0).all() and folded.phases.max() < 1 and folded.phases.min() >= 0
    np.testing.assert_array_equal(folded.mask.sum(axis=1), found.mask.sum(axis=1))
    np.testing.assert_allclose(
        folded.magnitudes.sum(axis=1), found.magnitudes.sum(axis=1), rtol=1e-5
    )
    again = folding.fourier_fit(*folded, np.ones(len(found)), harmonics=1)
    assert np.abs(turned(again.phases[:, 0] + np.pi / 2)).max() < 0.02  # a sine that starts at 0


def test_the_periodogram_is_that_of_astropy():
    from astropy.timeseries import LombScargle

    found = stars()
    for i in (0, 5):
        seen = found.mask[i]
        t, y, e = (a[i, seen].astype(float) for a in (found.times, found.magnitudes, found.errors))
        ours = periods.periodogram(t - t.mean(), y, e, 0.05, 3e-3, 1000)
        theirs = LombScargle(t - t.mean(), y, e).power(
            0.05 + 3e-3 * np.arange(1000), method="cython"
        )
        np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_the_strongest_period_is_the_true_one_of_most_rrab_stars():
    found = only("RRab", 200)
    found = found.take(found.snr > 60)
    arrays = found.curves
    period, height = periods.strongest_period(*arrays)
    right = np.abs(period / found.period_days - 1) < 5e-4
    assert right.mean() > 0.9 and height[right].min() > 0.3
    assert np.abs(period / found.period_days - 1)[right].max() < 1e-4


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n": 0}, "n=0"),
        ({"n": 2.0}, "n=2.0"),
        ({"seed": -1}, "seed=-1"),
        ({"part": "holdout"}, "part='holdout', expected one of"),
        ({"shares": {"Mira": 1.0}}, "expected numbers of 0 or more"),
        ({"shares": {"RRab": -1.0, "EB": 2.0}}, "expected numbers of 0 or more"),
        ({"shares": {}}, "not all zero"),
        ({"shares": {"RRab": np.nan}}, "expected numbers"),
    ],
)
def test_bad_arguments_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        variables.simulate(**{"n": 2, "seed": 1, **wrong})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"band": "J"}, "band='J'"),
        ({"population": "disk"}, "population='disk'"),
        ({"epochs": (60, 40)}, "fewest, most"),
        ({"epochs": (1, 40)}, "epochs=1"),
        ({"mean_mag": (16.0, 13.0)}, "bright, faint"),
        ({"floor_mag": np.nan}, "finite numbers"),
        ({"floor_mag": 0.0, "sigma_mag": 0.0}, "some noise"),
        ({"outlier_share": 0.7}, "share below 0.5"),
        ({"seasons": ()}, "seasons"),
        ({"season_days": 200.0}, "up by day"),
    ],
)
def test_bad_surveys_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        replace(cadence.VVV, **wrong)


def test_bad_curves_and_binaries_are_named():
    found = stars(300, 4)
    arrays = [found.times[:4], found.magnitudes[:4], found.errors[:4], found.mask[:4]]
    with pytest.raises(ValueError, match="search one first"):
        folding.fold(*arrays, np.full(4, np.nan))
    with pytest.raises(ValueError, match="periods of \\(n,\\)"):
        folding.fold(*arrays, np.ones(3))
    with pytest.raises(ValueError, match="fewer harmonics"):
        folding.fourier_fit(*arrays, np.ones(4), harmonics=60)
    with pytest.raises(ValueError, match="Set the mask to False"):
        folding.fourier_fit(arrays[0], arrays[1] * np.nan, *arrays[2:], np.ones(4))
    with pytest.raises(ValueError, match="rising numbers"):
        periods.strongest_period(*arrays, period_range_days=(2.0, 1.0))
    with pytest.raises(ValueError, match="noise of zero"):
        variables.signal_to_noise(np.ones(2), np.zeros(2), np.ones(2))
    with pytest.raises(ValueError, match="NaN or infinity"):
        eclipses.flux(binary(radius_1=np.nan), np.zeros((1, 3)))
    with pytest.raises(ValueError, match="zero or less"):
        eclipses.flux(binary(radius_1=0.0), np.zeros((1, 3)))
    with pytest.raises(ValueError, match="binaries, m"):
        eclipses.flux(binary(), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="n=-1"):
        eclipses.draw(-1, np.random.default_rng(1))
