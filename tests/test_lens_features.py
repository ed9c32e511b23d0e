"""Classical lens finding: what the residuals leave, what the statistics see, who wins."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from functools import cache

import numpy as np
import pytest

from firstlight.evaluation.detection import auroc
from firstlight.evaluation.lens_arcs import isophote_residual, turned_residual
from firstlight.evaluation.lens_features import lens_classifier, lens_features
from firstlight.sky import lenses


def galaxy(q=0.7, angle=0.5, x=0.0, y=0.0, peak=200.0, side=48):
    """A noise-free elliptical exponential."""
    axis = np.arange(side) - (side - 1) / 2
    u, v = np.meshgrid(axis - x, axis - y)
    along = u * np.cos(angle) + v * np.sin(angle)
    across = v * np.cos(angle) - u * np.sin(angle)
    return peak * np.exp(-np.sqrt(q * along**2 + across**2 / q + 4) / 4)


def arc(radius=9.0, middle=1.0, half_length=0.6, peak=8.0, side=48):
    axis = np.arange(side) - (side - 1) / 2
    x, y = np.meshgrid(axis, axis)
    r, away = np.hypot(x, y), np.angle(np.exp(1j * (np.arctan2(y, x) - middle)))
    return peak * np.exp(-0.5 * ((r - radius) / 1.5) ** 2 - 0.5 * (away / half_length) ** 4)


@pytest.mark.parametrize(("x", "y"), [(0, 0), (0.5, 0), (0, -0.5), (0.5, 0.5), (2, -1.5)])
def test_a_symmetric_galaxy_turns_into_itself(x, y):
    left = turned_residual(galaxy(x=x, y=y)[None])[0]
    inner = left[6:-6, 6:-6]
    assert np.abs(inner).max() < 1e-2


def test_an_arc_stays_and_leaves_its_shadow():
    left = turned_residual((galaxy() + arc())[None])[0]
    assert left.max() == pytest.approx(-left.min(), rel=1e-3)
    assert left.max() > 6


@pytest.mark.parametrize("q", [0.6, 0.8, 1.0])
def test_isophotes_take_most_of_a_galaxy_and_little_of_an_arc(q):
    alone, with_arc = isophote_residual(np.stack([galaxy(q), galaxy(q) + arc()]))
    assert np.abs(alone).sum() < 0.12 * galaxy(q).sum()
    kept = ((with_arc - alone) * arc()).sum() / (arc() ** 2).sum()
    assert kept > 0.6


def features(image):
    noisy = image + np.random.default_rng(0).normal(0, 1, image.shape)
    values, names = lens_features(noisy[None, ..., None])
    return dict(zip(names, values[0], strict=True))


def test_a_tangential_arc_is_told_from_a_radial_streak():
    across = features(galaxy() + arc(peak=12))
    axis = np.arange(48) - 23.5
    x, y = np.meshgrid(axis, axis)
    streak = 12 * np.exp(-0.5 * ((x - 10) / 5) ** 2 - 0.5 * (y / 1.5) ** 2)
    along = features(galaxy() + streak)
    assert across["turned_tangential"] > 0.3
    assert along["turned_tangential"] < -0.3
    assert across["turned_distance"] == pytest.approx(8.4, abs=1)
    assert across["turned_radius"] == pytest.approx(9, abs=1.1)
    assert across["turned_arc_6"] > 2 * features(galaxy())["turned_arc_6"]


def test_features_do_not_care_how_the_stamp_is_turned():
    stamps = lenses.simulate(24, seed=1, bands=("g", "i")).images
    straight, names = lens_features(stamps)
    turned = lens_features(np.rot90(stamps, axes=(1, 2)).copy())[0]
    mirrored = lens_features(stamps[:, ::-1].copy())[0]
    scale = straight.std(axis=0) + 1e-3
    for other in (turned, mirrored):
        apart = np.median(np.abs(other - straight) / scale, axis=0)
        worst = sorted(zip(apart, names, strict=True))[-1]
        assert worst[0] < 0.5, worst


def test_features_are_the_same_in_any_batch():
    stamps = lenses.simulate(12, seed=2, bands=("g", "r", "i")).images
    whole, names = lens_features(stamps)
    one = lens_features(stamps[5:6])[0]
    np.testing.assert_allclose(one[0], whole[5], rtol=2e-3, atol=2e-3)
    assert len(set(names)) == len(names) == whole.shape[1]
    assert np.isfinite(whole).all()


@cache
def split(bands):
    found = []
    for seed, n in ((3, 1200), (4, 800)):
        some = lenses.simulate(n, seed=seed, bands=bands, snr=(20, 100),
                               einstein_radius_arcsec=(1.4, 2.5))  # fmt: skip
        found.append((lens_features(some.images)[0], some.labels))
    return found


@pytest.mark.parametrize("kind", ["boosting", "forest", "svm"])
def test_a_classifier_finds_bright_lenses(kind):
    (x, y), (x_test, y_test) = split(("g",))
    small = {"boosting": {"max_iter": 60}, "forest": {"n_estimators": 60}, "svm": {}}[kind]
    model = lens_classifier(kind, seed=1, **small).fit(x, y)
    score = model.decision_function(x_test) if kind == "svm" else model.predict_proba(x_test)[:, 1]
    assert auroc(score, y_test).value > 0.9


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 48, 48)), "images\\[..., None\\]"),
        (np.zeros((0, 48, 48, 1)), "n of 1"),
        (np.full((1, 48, 48, 1), np.nan), "NaN"),
    ],
)
def test_bad_images_are_named(images, message):
    with pytest.raises(ValueError, match=message):
        lens_features(images)


def test_an_unknown_classifier_is_named():
    with pytest.raises(ValueError, match="boosting"):
        lens_classifier("network")
