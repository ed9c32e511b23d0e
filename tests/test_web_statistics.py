"""Statistics of slices, their nearest neighbors, and the web that needs no learning."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.evaluation import mapped_fields, web_neighbors, web_shapes, web_statistics

seeds = st.integers(0, 2**32 - 1)
BOX = 256.0


def gaussian(n, pixels, seed, slope=-1.0):
    """Gaussian slices whose power falls as k^slope, and their wavenumbers in h/Mpc."""
    one = np.fft.fftfreq(pixels) * pixels * 2 * np.pi / BOX
    k = np.hypot(one[:, None], one)
    k[0, 0] = np.inf
    noise = np.fft.fft2(np.random.default_rng(seed).normal(size=(n, pixels, pixels)))
    field = np.fft.ifft2(noise * np.sqrt(k**slope)).real
    return field / field.std(), k


def web(n, pixels=32, seed=0, height=1.2):
    """Lognormal slices with mean 1."""
    field, _ = gaussian(n, pixels, seed)
    return np.exp(height * field - height**2 / 2).astype(np.float32)


# ---------------------------------------------------------------- web_statistics


@settings(max_examples=10, deadline=None)
@given(seeds, st.floats(-2, 0))
def test_the_spectrum_of_a_known_field(seed, slope):
    pixels, n = 64, 64
    field, k = gaussian(n, pixels, seed, slope)
    found = web_statistics.power_spectra(field - field.min(), BOX).mean(axis=0)
    # Known: k^slope, up to the factor that gave the pixels variance 1.
    size = np.sum(k[np.isfinite(k)] ** slope) / pixels**2 * pixels**2 / BOX**2
    edges = np.array(web_statistics.EDGES)
    rings = [(k >= low) & (k < high) for low, high in zip(edges[:-1], edges[1:], strict=True)]
    wanted = np.array([(k[at] ** slope).mean() for at in rings]) / size
    count = np.array([at.sum() for at in rings]) * n / 2
    assert (np.abs(found / wanted - 1) < 6 / np.sqrt(count) + 0.02).all()


@settings(max_examples=10, deadline=None)
@given(seeds, st.tuples(st.integers(0, 31), st.integers(0, 31)))
def test_statistics_do_not_see_shifts_and_turns(seed, shift):
    here = web(3, seed=seed)
    there = np.rot90(np.roll(here, shift, axis=(1, 2)), axes=(1, 2))
    for one in (
        lambda each: web_statistics.power_spectra(each, BOX / 2, (0.1, 0.2, 0.4)),
        web_statistics.peak_counts,
        lambda each: web_statistics.band_skewness(each, BOX / 2, (0.1, 0.2, 0.4)),
    ):
        np.testing.assert_allclose(one(here), one(there), rtol=2e-3, atol=1e-4)
    assert web_statistics.histogram_gap(here, there) == 0


def test_power_of_a_single_wave_lands_in_one_bin():
    pixels = 64
    wave = 8 * 2 * np.pi / BOX
    x = np.arange(pixels) * BOX / pixels
    slices = np.broadcast_to(1 + 0.5 * np.cos(wave * x), (2, pixels, pixels))
    found = web_statistics.power_spectra(slices, BOX)[0]
    (bin_,) = np.flatnonzero(found > 1e-6 * found.max())
    which, weight, mean_k = web_statistics.bins(pixels, BOX)
    assert web_statistics.EDGES[bin_] <= wave < web_statistics.EDGES[bin_ + 1]
    assert found[bin_] * weight[which == bin_].sum() == pytest.approx(BOX**2 * 0.5**2 / 2, rel=1e-4)
    assert (np.diff(mean_k) > 0).all()


def test_the_ratio_of_powers_and_its_error():
    rng = np.random.default_rng(0)
    boxes = np.repeat(np.arange(10), 20)
    reference = rng.normal(size=(10, 4))[boxes] * 0.1 + 1
    found = web_statistics.power_ratio(
        1.1 * reference, reference, groups=boxes, reference_groups=boxes
    )
    np.testing.assert_allclose(found.ratio, 1.1)
    assert found.mean_deviation == pytest.approx(0.1) == found.max_deviation
    # Slices of a box are alike here: taken as independent, they seem to say too much.
    blind = web_statistics.power_ratio(1.1 * reference, reference)
    assert (found.error > 3 * blind.error).all()


def test_peaks_are_counted_once():
    slices = np.ones((1, 8, 8), np.float32)
    slices[0, 0, 0] = 5  # at the corner: the slice is periodic
    slices[0, 4, 4] = 3
    slices[0, 4, 5] = 2.5
    assert web_statistics.peak_counts(slices, (0.5, 2, 4, 8)).tolist() == [[2, 2, 1, 0]]


def test_histograms_apart():
    slices = web(4)
    assert web_statistics.histogram_gap(slices, slices) == 0
    assert web_statistics.histogram_gap(slices, slices + 100) == 1
    assert 0.01 < web_statistics.histogram_gap(slices, 1.2 * slices) < 0.3


def test_clumps_lift_all_bins_together_and_skew_them():
    calm = 1 + 0.05 * gaussian(400, 32, 1)[0]
    wild = web(400, height=1.5)
    edges = (0.1, 0.2, 0.3)
    calm_power, wild_power = (web_statistics.power_spectra(each, BOX / 2, edges)
                              for each in (calm, wild))  # fmt: skip
    assert abs(web_statistics.log_power_correlation(calm_power)[0, 1]) < 0.15
    assert web_statistics.log_power_correlation(wild_power)[0, 1] > 0.4
    assert web_statistics.correlation_gap(wild_power, wild_power) == 0
    assert web_statistics.correlation_gap(calm_power, wild_power) > 0.3
    assert np.abs(web_statistics.band_skewness(calm, BOX / 2, edges)).max() < 0.1
    assert web_statistics.band_skewness(wild, BOX / 2, edges).min() > 0.5
    assert web_statistics.summary([1, 2.346]) == "1.00, 2.35"


@pytest.mark.parametrize("bad, says", [
    (np.ones((2, 7, 7)), "an even number of pixels"), (np.ones((8, 8)), "expected .n, pixels"),
    (np.empty((0, 8, 8)), "n of at least 1"), (np.full((1, 8, 8), np.nan), "received NaN"),
    (-np.ones((1, 8, 8)), "negative"),
])  # fmt: skip
def test_bad_slices_are_refused(bad, says):
    for one in (
        web_statistics.peak_counts,
        mapped_fields.fit,
        lambda each: web_statistics.power_spectra(each, BOX),
        lambda each: web_neighbors.nearest(each, each),
    ):
        with pytest.raises(ValueError, match=says):
            one(bad)


def test_bad_bins_and_groups_are_refused():
    with pytest.raises(ValueError, match="below the Nyquist wavenumber 0.402"):
        web_statistics.bins(64, 500.0, (0.06, 0.5))
    with pytest.raises(ValueError, match="two or more rising"):
        web_statistics.bins(64, BOX, (0.2, 0.1))
    with pytest.raises(ValueError, match="without a single wave"):
        web_statistics.bins(64, BOX, (0.06, 0.0601, 0.1))
    spectra = np.ones((4, 3))
    with pytest.raises(ValueError, match="one box alone"):
        web_statistics.power_ratio(spectra, spectra, groups=np.zeros(4))
    with pytest.raises(ValueError, match="the same edges"):
        web_statistics.power_ratio(spectra, np.ones((4, 2)))
    with pytest.raises(ValueError, match="one group for each row"):
        web_statistics.power_ratio(spectra, spectra, groups=np.zeros(3))
    with pytest.raises(ValueError, match="positive powers"):
        web_statistics.log_power_correlation(np.zeros((4, 3)))


# ---------------------------------------------------------------- web_shapes


def test_islands_and_holes_are_counted():
    sea = np.ones((1, 12, 12), np.float32)
    sea[0, 0, 0] = sea[0, 4, 4] = sea[0, 5, 5] = 3  # corners do not hold together
    sea[0, 7:11, 1:5] = 3
    sea[0, 8, 2] = 1
    assert web_shapes.euler_curve(sea, (0.5, 2, 5)).tolist() == [[0, 3, 0]]  # the torus has 0


@settings(max_examples=10, deadline=None)
@given(seeds, st.tuples(st.integers(0, 31), st.integers(0, 31)), st.floats(0.5, 3))
def test_shapes_do_not_see_shifts_turns_and_labels(seed, shift, power):
    here = web(3, seed=seed)
    there = np.rot90(np.roll(here, shift, axis=(1, 2)), axes=(1, 2)) ** power
    at = web_shapes.levels(here, (0.2, 0.5, 0.9))
    np.testing.assert_array_equal(
        web_shapes.euler_curve(here, at), web_shapes.euler_curve(there, at**power)
    )
    assert web_shapes.euler_gap(here, there) < 0.2
    turned = np.rot90(np.roll(here, shift, axis=(1, 2)), axes=(1, 2))
    assert web_shapes.ridge_share(turned) == pytest.approx(web_shapes.ridge_share(here), abs=2e-3)


def test_drawn_out_fields_have_ridges():
    field, _ = gaussian(20, 32, 3)
    round_ = np.exp(field)
    waves = np.fft.fft2(np.random.default_rng(3).normal(size=(20, 32, 32)))
    k = np.hypot(np.fft.fftfreq(32)[:, None] * 6, np.fft.fftfreq(32)) + 0.05  # long along x
    long = np.fft.ifft2(waves / k).real
    assert web_shapes.ridge_share(np.exp(long / long.std())) > web_shapes.ridge_share(round_) + 0.1
    with pytest.raises(ValueError, match="ridge_share: received smooth=0"):
        web_shapes.ridge_share(round_, smooth=0)
    assert web_shapes.euler_gap(np.exp(long), round_) > 2


# ---------------------------------------------------------------- web_neighbors


@settings(max_examples=8, deadline=None)
@given(seeds, st.integers(0, 7), st.tuples(st.integers(0, 31), st.integers(0, 31)))
def test_a_copy_is_found_however_it_is_turned(seed, turn, shift):
    library = web(6, seed=seed)
    copy = np.rot90(np.roll(library[[4]], shift, axis=(1, 2)), turn % 4, axes=(1, 2))
    copy = copy[:, ::-1] if turn >= 4 else copy
    distance, which = web_neighbors.nearest(copy, library)
    assert which[0] == 4 and distance[0] < 2e-3


def test_copying_and_collapse_are_seen():
    training, unseen, fresh = web(40, seed=1), web(20, seed=2), web(20, seed=3)
    assert web_neighbors.copying(fresh, unseen, training) == pytest.approx(1, abs=0.06)
    assert web_neighbors.copying(np.roll(training[:20], 3, axis=1), unseen, training) < 0.01
    nearly = training[:20] * np.exp(0.2 * gaussian(20, 32, 9)[0])
    assert web_neighbors.copying(nearly, unseen, training) < 0.5
    assert web_neighbors.variety(fresh, unseen) == pytest.approx(1, abs=0.06)
    assert web_neighbors.variety(fresh[np.arange(20) % 5], unseen) < 0.01


def test_bad_neighbors_are_refused():
    with pytest.raises(ValueError, match="equally many"):
        web_neighbors.variety(web(3), web(4))
    with pytest.raises(ValueError, match="the same size"):
        web_neighbors.distances(web(3, 32), web(3, 16))
    with pytest.raises(ValueError, match="even density"):
        web_neighbors.distances(np.ones((2, 8, 8)), np.ones((2, 8, 8)))


# ---------------------------------------------------------------- mapped_fields


def test_the_mapped_field_has_the_spectrum_and_the_histogram_of_the_data():
    data = web(400, seed=5)
    field = mapped_fields.fit(data)
    drawn = field.draw(800, np.random.default_rng(6))
    assert web_statistics.histogram_gap(drawn, data) < 0.01
    edges = tuple(np.geomspace(0.12, 0.7, 6))
    ratio = web_statistics.power_ratio(*(
        web_statistics.power_spectra(each, BOX / 2, edges) for each in (drawn, data)
    ))  # fmt: skip
    assert ratio.mean_deviation < 0.06
    # The data were a mapped field: so the Gaussian below them is found again.
    before, k = gaussian(400, 32, 5)
    known = np.where(np.isfinite(k), 1 / k, 0)
    known *= known.size / known.sum()
    rings = (k > 0.05) & (k < 0.7)
    assert np.median(field.power[rings] / known[rings]) == pytest.approx(1, abs=0.08)


def test_scores_and_densities_are_each_others_inverse():
    data = web(40, seed=7)
    field = mapped_fields.fit(data)
    scores = field.scores(data)
    assert scores.mean() == pytest.approx(0, abs=0.02) and scores.std() == pytest.approx(
        1, abs=0.02
    )
    np.testing.assert_allclose(field.density(scores), data, rtol=0.02)
    assert field.pixels == 32
    assert (np.diff(field.log_density) > 0).all()
    assert field.sample(200, np.random.default_rng(0)).std() == pytest.approx(1, abs=0.03)
    power = mapped_fields.smooth_power(data)
    assert power.mean() == pytest.approx(data.var(), rel=0.1)


def test_an_even_sea_cannot_be_mapped():
    with pytest.raises(ValueError, match="without any contrast"):
        mapped_fields.fit(np.ones((3, 8, 8)))
