"""What does not fit a network is told before it runs: shape, bands, pixel, unit, holes, labels."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.archive.errors import DataError
from firstlight.archive.own_curves import Curve, Curves
from firstlight.archive.own_files import About
from firstlight.archive.own_images import Stamps, bands_last
from firstlight.evaluation import home_sky, stamp_checks
from firstlight.studies import curve_inputs, inputs, own_data, own_labels

SIDE = 16


def sky(n, bands=3, seed=1, side=SIDE, colors=(1.0, 2.0, 3.0)):
    """Round galaxies in white noise, in units of that noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    width = rng.uniform(1.5, 2.5, (n, 1, 1, 1))
    light = np.exp(-(x**2 + y**2)[None, :, :, None] / (2 * width**2))
    flux = rng.lognormal(3, 0.5, (n, 1, 1, 1)) * np.asarray(colors)[:bands]
    return (light * flux + rng.normal(size=(n, side, side, bands))).astype(np.float32)


WANTS = inputs.ImageInput(("g", "r", "i"), SIDE, 0.2, "a galaxy", "anything", lambda n, s: sky(n))


def stamps(images, columns=None, **about):
    layout = images.shape
    return Stamps(Path("my.fits"), "fits", layout, len(images), About(about), columns or {},
                  lambda size: iter([images]))  # fmt: skip


# --- holes -------------------------------------------------------------------------------


def test_good_stamps_pass_as_they_are():
    images = sky(5)
    kept = stamp_checks.check_stamps(images, "gri")
    assert kept.good.all() and kept.reasons == [""] * 5
    np.testing.assert_array_equal(kept.images, images)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda a: a.__setitem__((0, slice(0, 4)), np.nan), "4 rows at the bottom: the edge"),
        (lambda a: a.__setitem__((0, slice(12, 16)), np.nan), "4 rows at the top: the edge"),
        (lambda a: a.__setitem__((0, slice(None), slice(0, 5)), np.inf), "5 columns at the left"),
        (lambda a: a.__setitem__((0, slice(6, 9), slice(6, 9)), np.nan), "in the middle"),
        (lambda a: a.__setitem__((0, ..., 1), np.nan), "33.3% of the pixels.*in r, everywhere"),
        (lambda a: a.__setitem__(0, np.nan), "100.0% of the pixels"),
        (lambda a: a.__setitem__(0, 7.0), r"band g, r, i is constant \(7 everywhere\)"),
        (lambda a: a.__setitem__((0, ..., 2), 0.0), r"band i is constant \(0 everywhere\)"),
    ],
)
def test_a_spoiled_stamp_is_left_out_with_the_reason_and_the_others_are_not(spoil, reason):
    images = sky(3)
    whole = images.copy()
    spoil(images)
    kept = stamp_checks.check_stamps(images, "gri")
    assert kept.good.tolist() == [False, True, True]
    np.testing.assert_array_equal(kept.images, whole[1:])
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(kept.reasons[0])


@settings(max_examples=30, deadline=None)
@given(holes=st.sets(st.tuples(st.integers(0, 15), st.integers(0, 15), st.integers(0, 2)),
                     max_size=12))  # fmt: skip
def test_mending_touches_holes_only_and_never_without_saying_so(holes):
    images = sky(2)
    spoiled = images.copy()
    for place in holes:
        spoiled[(1, *place)] = np.nan
    kept = stamp_checks.check_stamps(spoiled, "gri")
    few = len(holes) <= stamp_checks.MENDED * images[0].size
    assert kept.good.tolist() == [True, few]
    assert bool(kept.reasons[1]) == bool(holes)
    assert np.isfinite(kept.images).all()
    if few:
        same = np.isfinite(spoiled[1])
        np.testing.assert_array_equal(kept.images[1][same], images[1][same])
        assert np.abs(kept.images[1]).max() <= np.abs(images[1]).max()


# --- units -------------------------------------------------------------------------------


def test_flux_of_any_unit_comes_out_in_units_of_the_noise():
    images = sky(200, side=32, colors=(0.3, 0.3, 0.3))
    for scale, level in ((1.0, 0.0), (37.0, 1000.0), (1e-9, -2e-9)):
        found = stamp_checks.in_sky_sigma((images * scale + level).astype(np.float64))
        noise = stamp_checks.sky_of(found).noise
        assert np.median(noise) == pytest.approx(1, abs=1e-3)
        assert np.corrcoef(found.ravel(), images.ravel())[0, 1] > 0.99
    known = stamp_checks.in_sky_sigma(images * 37, noise=np.full(3, 37.0))
    assert np.median(stamp_checks.sky_of(known).noise) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(
    ("change", "looks"),
    [
        (lambda a: a, "sky sigma"),
        (lambda a: 120 * a + 500, "flux"),
        (lambda a: 1e-3 * a, "flux"),
        (lambda a: np.arcsinh(a / 3) / 4, "stretched"),
        (lambda a: 27 - 2.5 * np.log10(np.maximum(a + 9, 0.1)), "magnitudes"),
    ],
)
def test_the_unit_is_guessed(change, looks):
    assert stamp_checks.guess_unit(change(sky(50)).astype(np.float32)) == looks


# --- the training sky --------------------------------------------------------------------


def test_a_sky_is_like_itself_and_unlike_others():
    home = home_sky.stamp_statistics(sky(400, seed=1), "gri")
    same = home_sky.stamp_statistics(sky(300, seed=2), "gri")
    assert not any(shift.told for shift in home_sky.compare(same, home))
    assert np.mean([bool(text) for text in home_sky.strangers(same, home)]) < 0.15


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (lambda a: a * 4, {"brightness", "sky noise"}),
        (lambda a: a + 3, {"sky level"}),
        (lambda a: (a + np.roll(a, 1, 2)) / 2**0.5, {"neighbors alike"}),
        (lambda a: a[..., ::-1], {"color g - r", "color r - i"}),
        (lambda a: np.concatenate([a[:, :, :, :1] * 9, a[..., 1:]], axis=-1), {"color g - r"}),
    ],
)
def test_what_has_changed_is_named(change, names):
    home = home_sky.stamp_statistics(sky(400, seed=1), "gri")
    found = home_sky.compare(home_sky.stamp_statistics(change(sky(300, seed=2)), "gri"), home)
    assert names <= {shift.name for shift in found if shift.told}


def test_size_is_the_half_light_radius():
    y, x = np.mgrid[:48, :48] - 23.5
    image = np.exp(-(x**2 + y**2) / (2 * 4.0**2)).astype(np.float32)[None, ..., None] * 1000
    noise = np.random.default_rng(1).normal(size=image.shape).astype(np.float32)
    found = home_sky.stamp_statistics(image + noise, "g")["half-light radius"][0]
    assert found == pytest.approx(4.0 * np.sqrt(2 * np.log(2)), rel=0.07)


def test_few_objects_raise_no_alarm():
    home = {"size": np.random.default_rng(1).normal(size=300)}
    assert home_sky.compare({"size": np.array([4.0])}, home)[0].told == 0


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_order_of_unnamed_bands_is_seen_in_the_colors(order):
    images = sky(200, seed=3)
    lies = [""] * 3
    for place, source in enumerate(order):
        lies[place] = "gri"[source]
    found = home_sky.better_order(images[..., list(order)], sky(300, seed=4), "gri")
    assert found == (None if order == (0, 1, 2) else tuple(lies))


# --- what a network wants ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("images", "about", "told"),
    [
        (sky(70)[..., :1], {}, "images of 1 band.*expected 3: g, r, i"),
        (sky(70), {"bands": ("g", "r")}, "3 band.*and 2 name"),
        (sky(70), {"bands": ("g", "r", "z")}, "received the bands g, r, z.*without i"),
        (sky(70, side=20), {}, r"20 x 20 pixels.*16 x 16.*images\[:, 2:18, 2:18\]"),
        (sky(70, side=12), {}, "12 x 12 pixels.*Cut larger stamps"),
        (sky(70)[:, :14], {}, "14 x 16"),
        (sky(70), {"pixel_arcsec": 0.4}, r"pixels of 0.4.*zoom\(image, 2.000\) / 4.000.*least 8"),
        (sky(70), {"unit": "mag"}, r"magnitudes have no value.*zero_point"),
        (sky(70), {"unit": "mag", "zero_point": np.array(27.0)}, r"\(mag - 27\)"),
        (27 - sky(70) / 9, {}, "that fall toward the middle"),
        (sky(70), {"unit": "furlong"}, "the unit 'furlong'.*--unit flux"),
        (sky(70) * 50, {}, "no unit.*noise 5.*--unit electron"),
        (sky(70) * 50, {"unit": "sky sigma"}, "'sky sigma' but a sky of level"),
        (np.arcsinh(sky(70) / 3) / 4, {}, "look stretched"),
        (sky(70), {"unit": "adu", "sky_sigma": np.ones(2)}, r"sky_sigma of shape \(2,\)"),
    ],
)
def test_what_does_not_fit_is_told_with_the_cure(images, about, told):
    with pytest.raises(DataError, match=f"received(.|\n)*expected|{told}") as problem:
        inputs.admit(stamps(images, **about), images.astype(np.float32), WANTS)
    message = str(problem.value)
    with pytest.raises(AssertionError, match=told):
        raise AssertionError(message)
    assert "my.fits" in message and "received" in message and "expected" in message


def test_what_fits_is_admitted_and_assumptions_are_told():
    images = sky(70)
    plan = inputs.admit(stamps(images), images, WANTS)
    assert plan.take == (0, 1, 2) and plan.unit == "sky sigma" and len(plan.notes) == 3
    about = {"bands": ("g", "r", "i"), "pixel_arcsec": 0.2, "unit": "sky sigma"}
    assert inputs.admit(stamps(images, **about), images, WANTS).notes == []


@pytest.mark.parametrize("unit", ["electron", "e-/s", "ADU", "nJy", "MJy/sr", "erg / s / cm2"])
def test_linear_units_are_known(unit):
    plan = inputs.admit(stamps(sky(70) * 9, unit=unit), sky(70) * 9, WANTS)
    assert plan.unit == unit.lower() and plan.noise is None


def test_named_bands_are_put_in_order_and_others_left():
    images = sky(70)
    four = np.concatenate([images[..., ::-1], images[..., :1]], axis=-1)
    about = {"bands": ("i", "r", "g", "z"), "unit": "sky sigma", "pixel_arcsec": 0.2}
    plan = inputs.admit(stamps(four, **about), four, WANTS)
    np.testing.assert_array_equal(four[..., list(plan.take)], images)
    assert "picked by name" in plan.notes[0]


def test_the_reader_wins_over_the_file():
    images = sky(70)
    file = stamps(images * 50, bands=("i", "r", "g"), unit="sky sigma", pixel_arcsec=0.9)
    given = About(bands=("g", "r", "i"), unit="adu", pixel_arcsec=0.2)
    plan = inputs.admit(file, images * 50, WANTS, given)
    assert plan.unit == "adu" and plan.take == (0, 1, 2)
    there = inputs.to_sky_sigma(images * 50, plan, np.arange(70))
    assert np.median(stamp_checks.sky_of(there).noise) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("shape", [(), (3,), (70, 3)])
def test_a_known_noise_is_used(shape):
    images = sky(70)
    plan = inputs.admit(stamps(images * 50, unit="adu", sky_sigma=np.full(shape, 50.0)),
                        images * 50, WANTS)  # fmt: skip
    rows = np.arange(10, 20)
    there = inputs.to_sky_sigma(images[rows] * 50, plan, rows)
    level = np.median(stamp_checks.sky_of(images[rows]).level)
    np.testing.assert_allclose(there, images[rows], atol=abs(level) + 1)


# --- labels ------------------------------------------------------------------------------

KNOWN = {"lens": 1, "no lens": 0, "other": 0}


@pytest.mark.parametrize(
    ("labels", "codes"),
    [
        ([1, 0, -1], [1, 0, -1]),
        ([1.0, 0.0, np.nan], [1, 0, -1]),
        (["Lens", "no lens", ""], [1, 0, -1]),
        ([[1], [0], [1]], [1, 0, 1]),
        ([True, False, True], None),
    ],
)
def test_labels_are_names_or_numbers(labels, codes):
    if codes is None:
        with pytest.raises(DataError, match="received the label True"):
            own_labels.coded("f", np.array(labels), 3, KNOWN)
        return
    assert own_labels.coded("f", np.array(labels), 3, KNOWN).tolist() == codes


def test_labels_that_do_not_fit():
    with pytest.raises(DataError, match=r"labels of shape \(2,\), expected \(3,\)"):
        own_labels.coded("f", np.array([0, 1]), 3, KNOWN)
    with pytest.raises(DataError, match="'arc' .object 1., expected one of lens, no lens, other"):
        own_labels.coded("f", np.array(["lens", "arc", ""]), 3, KNOWN)


# --- metrics and the registry ------------------------------------------------------------


def test_metrics_are_those_of_a_hand_count():
    found = {m.name: m.value for m in own_data.binary_metrics(
        np.array([1, 1, 1, 0, 0]), np.array([0.9, 0.8, 0.2, 0.7, 0.1], np.float32))}  # fmt: skip
    assert found["precision"].value == pytest.approx(2 / 3)
    assert found["recall"].value == pytest.approx(2 / 3)
    assert found["error rate"].value == pytest.approx(2 / 5)
    assert found["AUROC"].value == pytest.approx(5 / 6)
    assert all(m.low <= m.value <= m.high for m in found.values())


def test_one_class_alone_has_no_roc():
    names = [m.name for m in own_data.binary_metrics(np.ones(3), np.full(3, 0.9, np.float32))]
    assert names == ["precision", "recall", "error rate"]


def test_an_unknown_study_is_told():
    with pytest.raises(ValueError, match="expected one that takes data from outside: galaxy-zoo"):
        own_data.get("activations")


# --- light curves ------------------------------------------------------------------------

CURVES = curve_inputs.CurveInput(8, 75, "i", "anything", lambda n, s: None, lambda c: None)


def curve(visits=20, period=float("nan"), scale=1.0, mean=15.0, span=100.0, error=0.02):
    rng = np.random.default_rng(1)
    return Curve("V1", np.sort(rng.uniform(0, span, visits)),
                 mean + scale * rng.normal(0, 0.3, visits), np.full(visits, error), period,
                 "", 0)  # fmt: skip


def file_of(**units):
    columns = {"star_id": "star_id", "time": "mjd", "mag": "mag", "mag_err": "e_mag"}
    return Curves(Path("my.csv"), "csv", columns, units, 0)


@pytest.mark.parametrize(
    ("units", "first", "told"),
    [
        ({"time": "s"}, curve(), "column mjd in s, expected days.*86400"),
        ({"mag": "Jy"}, curve(), "column mag in Jy, expected magnitudes"),
        ({}, curve(span=4e6), "span.*expected days"),
        ({}, curve(mean=5e3), "magnitudes about 5e.03"),
        ({}, curve(scale=40), "swing by"),
        ({}, curve(error=20.0), "errors about 20.*divide by 1000"),
    ],
)
def test_units_of_light_curves(units, first, told):
    with pytest.raises(DataError, match=told):
        curve_inputs.admit_curves(file_of(**units), [first], CURVES)


def test_light_curves_that_fit():
    notes = curve_inputs.admit_curves(file_of(time="d", mag="mag"), [curve()], CURVES)
    assert len(notes) == 1 and "periodogram" in notes[0]


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (curve(), ""),
        (curve(period=0.5), ""),
        (curve(visits=7), "7 usable visits, expected 8"),
        (curve(scale=0), "constant magnitude (15 at every visit)"),
        (curve(span=0), "all visits at one time"),
        (curve(period=-1.0), "period of -1 days"),
    ],
)
def test_stars_that_cannot_be_judged(one, reason):
    found = curve_inputs.check_curve(one, CURVES)
    assert found.startswith(reason) and bool(found) == bool(reason)


def test_padding_keeps_every_visit():
    both = [curve(visits=9), curve(visits=20, period=0.5)]
    packed = curve_inputs.padded(both)
    assert packed.mask.sum(axis=1).tolist() == [9, 20]
    for k, one in enumerate(both):
        np.testing.assert_array_equal(packed.magnitudes[k, packed.mask[k]], one.magnitudes)
    assert np.isnan(packed.period_days[0]) and packed.period_days[1] == 0.5


def test_a_layout_that_no_axis_explains():
    with pytest.raises(DataError, match="expected .n, y, x. for one band"):
        bands_last((5, 20, 20, 20), None)
