"""Facts that the chapter *Architectures* stands on, without its training."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.evaluation import group_finding, source_finding
from firstlight.evaluation.reach import reach
from firstlight.figures import architectures as drawings
from firstlight.layers.messages import Messages, Places
from firstlight.models import architectures as nets
from firstlight.sky import fields, groups
from firstlight.studies import (
    architecture_cells,
    architecture_crowd,
    architecture_depth,
    architecture_tasks,
)
from firstlight.studies import architecture_hubble as hubble
from firstlight.studies import architecture_runs as runs
from firstlight.studies.architecture_sequences import alerts, cross_match, flares
from firstlight.studies.cards import read_card, same_fingerprint
from firstlight.studies.stored import RUNS

quick = settings(max_examples=15, deadline=None)


# --- skies ---------------------------------------------------------------------------


def test_a_planted_source_has_the_signal_to_noise_ratio_that_its_table_says():
    truth = fields.simulate(4, seed=3, size=32).truth.iloc[:20].assign(x=0.2, y=-0.4, snr=30.0)
    light = fields.stamps(truth, size=48)
    np.testing.assert_allclose(np.sqrt((light**2).sum(axis=(1, 2))), 30, rtol=0.03)


def test_a_field_is_the_sum_of_its_sources_and_unit_noise():
    sky = fields.simulate(8, seed=4, size=32, sources=2)
    size = sky.images.shape[1]
    for k in range(8):
        t = sky.sources(k)
        centered = t.assign(x=t["x"] - (size - 1) / 2, y=t["y"] - (size - 1) / 2)
        model = fields.stamps(centered, size=size).sum(axis=0) if len(t) else 0
        assert (sky.images[k] - model).std() == pytest.approx(1, abs=0.1)


def test_fields_of_one_seed_begin_alike_and_neighbors_are_mutual():
    long, short = fields.simulate(20, seed=1, size=32), fields.simulate(5, seed=1, size=32)
    np.testing.assert_array_equal(long.images[:5], short.images)
    t = long.sources(0)
    if len(t) > 1:
        apart = np.hypot(*(t[["x", "y"]].to_numpy()[:, None] - t[["x", "y"]].to_numpy()).T)
        assert (t["nearest"] >= np.where(apart > 0, apart, np.inf).min(axis=0) - 1e-9).all()
    hills = fields.centers(short)
    assert hills.shape == short.images.shape and 0 <= hills.min() and hills.max() <= 1
    with pytest.raises(ValueError, match="received size=33"):
        fields.simulate(1, seed=1, size=33)


def test_pairs_have_their_light_where_they_say():
    sky = fields.pairs(200, seed=2, spread=3.0)
    axis = np.arange(24) - 11.5
    light = np.where(sky.images > 2, sky.images, 0)
    x = (light.sum(axis=1) * axis).sum(axis=1) / light.sum(axis=(1, 2))
    assert np.abs(x - sky.center[:, 0]).mean() < 0.4
    assert 0.35 < sky.double.mean() < 0.65


def test_a_group_has_the_size_that_its_dispersion_asks_for():
    cones = groups.simulate(3000, seed=5)
    assert groups.radius_200(np.array(0.4)) == pytest.approx(np.sqrt(3) * 0.4 / 0.7)
    away = cones.galaxies - cones.center[:, None]
    own = cones.member
    R = np.hypot(away[..., 0], away[..., 1]) / groups.radius_200(cones.dispersion)[:, None]
    assert R[own].max() <= 1.001
    pull = (away[..., 2] / cones.dispersion[:, None])[own]
    assert pull.std() == pytest.approx(1, abs=0.02) and abs(pull.mean()) < 0.02
    right = np.mean((groups.odds(cones) > 0) == own)
    assert right > np.mean(own == (R < 0.5))


def test_the_last_alert_comes_from_where_an_earlier_one_came_from():
    x, y = alerts(500, seed=1, steps=8, error=0.001)
    np.testing.assert_allclose(np.linalg.norm(x[..., :3], axis=-1), 1, rtol=1e-5)
    np.testing.assert_allclose(cross_match(x), y)
    first, _ = alerts(500, seed=1, steps=8, error=0.001, ask_first=True)
    np.testing.assert_array_equal(first[:, ::-1], x)
    with pytest.raises(ValueError, match="steps=1"):
        alerts(2, seed=1, steps=1)


def test_a_flare_backward_is_a_flare_whose_mean_lies_before_its_peak():
    x, y = flares(3000, seed=1, noise=0.0)
    t = np.arange(32)
    mean = (x[..., 0] * t).sum(axis=1) / x[..., 0].sum(axis=1)
    after = mean > x[..., 0].argmax(axis=1)
    inside = (x[..., 0].argmax(axis=1) > 9) & (x[..., 0].argmax(axis=1) < 22)
    assert np.mean(after[inside] == (y[inside, 0] > 0.5)) > 0.97


# --- networks ------------------------------------------------------------------------


@quick
@given(st.integers(0, 10**6))
def test_messages_have_no_order_and_places_give_one(seed):
    random = np.random.default_rng(seed)
    h = random.normal(size=(2, 7, 3)).astype("float32")
    order = random.permutation(7)
    layer = Messages(4)
    np.testing.assert_allclose(layer(h[:, order]), np.asarray(layer(h))[:, order], atol=1e-5)
    places = Places()
    moved = np.asarray(places(h[:, order])) - np.asarray(places(h))[:, order]
    assert np.abs(moved).max() > 1e-3 or (order == np.arange(7)).all()


def test_messages_are_the_equation_of_the_page():
    h = np.random.default_rng(1).normal(size=(1, 5, 3)).astype("float32")
    layer = Messages(4)
    out = np.asarray(layer(h))
    wr, ws, u, v = (np.asarray(getattr(layer, f"w_{k}")) for k in
                    ("receiver", "sender", "self", "mean"))  # fmt: skip
    for i in range(5):
        m = np.mean([np.maximum(h[0, i] @ wr + h[0, j] @ ws, 0) for j in range(5)], axis=0)
        np.testing.assert_allclose(out[0, i], np.maximum(h[0, i] @ u + m @ v, 0), atol=1e-5)
    assert Messages.from_config(layer.get_config()).units == 4
    with pytest.raises(ValueError, match="units=0"):
        Messages(0)


def test_the_arms_of_a_task_have_equal_parameters():
    for name, task in architecture_tasks.TASKS.items():
        sizes = [arm.build().count_params() for arm in task.arms.values()]
        assert max(sizes) / min(sizes) < 1.06, (name, sizes)
    towers = {arm: architecture_depth.count(architecture_depth.start(
        0, width=kind.get("width", 16), blocks=kind.get("blocks", 15)))
        for arm, kind in architecture_depth.ARMS.items()}  # fmt: skip
    assert max(towers.values()) / min(towers.values()) < 1.05


def test_operations_are_those_of_the_table():
    assert nets.operations(nets.dense((6,), (5,), 2)) == 6 * 5 + 5 * 2
    two = nets.convolutions(4, 1, side=8)
    assert nets.operations(two) == 64 * (9 * 4 + 4)
    gru = nets.recurrent("GRU", 10, 3, 5, 1)
    assert nets.operations(gru) == 10 * (3 * 15 + 5 * 15) + 5
    x = keras.Input((7, 4))
    head = keras.Model(x, keras.layers.MultiHeadAttention(1, 4)(x, x))
    assert nets.operations(head) == 4 * 7 * 16 + 2 * 49 * 4
    assert nets.operations(nets.graph(6, 3, 4, 1)) == 6 * (3 * 12 + 16) + 6 * 4
    with pytest.raises(ValueError, match="kind BatchNormalization"):
        nets.operations(keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization()]))
    with pytest.raises(ValueError, match="received 'Elman'"):
        nets.recurrent("Elman", 2, 1, 3, 1)


def test_a_tower_of_the_engine_is_the_keras_model_of_that_name():
    theta = architecture_depth.start(3, blocks=2)
    for v in theta:
        v.value = v.value + 0.1
    model = nets.residual(5, 16, 2)
    model.set_weights([v.value for v in theta])
    x = np.random.default_rng(1).normal(size=(9, 5))
    ours = architecture_depth.tower(theta, x, skip=True).value
    np.testing.assert_allclose(ours, np.asarray(model(x.astype("float32"))), rtol=1e-4, atol=1e-4)


def test_reach_is_the_matrix_of_a_linear_map():
    W = np.random.default_rng(1).normal(size=(4, 6))
    found = reach(lambda x: np.einsum("ij,bjc->bi", W, x), np.zeros((6, 1)))
    np.testing.assert_allclose(found, np.abs(W), rtol=1e-4)
    with pytest.raises(ValueError, match="shape"):
        reach(lambda x: x, np.zeros(3))


# --- finders -------------------------------------------------------------------------


def test_a_catalog_of_the_truth_is_complete_and_pure():
    sky = fields.simulate(6, seed=2, size=48)
    parts = [sky.sources(k) for k in range(6)]
    places = [p[["x", "y"]].to_numpy() for p in parts]
    rest = [[p[n].to_numpy() for p in parts] for n in ("snr", "nearest")]
    assert source_finding.score(places, places, *rest) == (1, 1, 1, 1)
    none = source_finding.score([np.empty((0, 2))] * 6, places, *rest)
    assert none.completeness == 0 and none.f1 == 0


def test_empty_sky_through_a_filter_has_unit_noise_and_few_peaks():
    dark = np.random.default_rng(3).normal(size=(4, 64, 64))
    maps = source_finding.sharpened(dark, **architecture_crowd.FILTER)
    assert maps.std() == pytest.approx(1, abs=0.05)
    assert sum(len(p) for p in source_finding.peaks(maps, 4.5)) <= 1
    assert sum(len(p) for p in source_finding.deblended(dark, **architecture_crowd.DEBLEND)) <= 2


def test_classical_finders_find_a_lonely_star_to_a_fraction_of_a_pixel():
    truth = fields.simulate(2, seed=1).truth.iloc[:1]
    star = truth.assign(x=1.3, y=-2.2, snr=60.0, radius=1e-3, axis_ratio=1.0)
    image = fields.stamps(star, size=48) + np.random.default_rng(1).normal(size=(1, 48, 48))
    at = np.array([1.3, -2.2]) + 23.5
    sky = fields.Fields(image.astype(np.float32), truth)
    for catalog in architecture_crowd.catalogs(sky, {}).values():
        assert np.hypot(*(catalog[0] - at).T).min() < 0.3


def test_friends_hang_together_and_a_mixture_that_knows_the_middle_does_better():
    cones = groups.simulate(400, seed=6)
    links = group_finding.tuned(cones.galaxies[:200], cones.member[:200])
    test, truth = cones.galaxies[200:], cones.member[200:]
    near = group_finding.friends(test, *links)
    offset = group_finding.offsets(cones.galaxies[:200], cones.member[:200])
    np.testing.assert_allclose(offset, (0.35, 0.35, 0.6), rtol=0.2)
    fitted = group_finding.mixture(test, offset)
    assert ((fitted >= 0) & (fitted <= 1)).all()
    right = np.mean((fitted > 0.5) == truth)
    assert 0.8 < np.mean(near == truth) < right
    assert np.mean((group_finding.mixture(test, np.inf) > 0.5) == truth) < right - 0.02
    order = np.random.default_rng(0).permutation(24)
    again = group_finding.friends(test[:, order], *links)  # of two equal groups either may win
    np.testing.assert_array_equal(again.sum(axis=1), near.sum(axis=1))


def test_what_is_planted_into_hubble_is_away_from_what_was_found():
    image = hubble.sky()
    assert image.shape == hubble.PART and abs(np.median(image)) < 0.5
    maps = source_finding.sharpened(image[None], **architecture_crowd.FILTER)
    limit = hubble.threshold_for(maps, 1000)
    there = source_finding.peaks(maps, limit)[0]
    assert abs(len(there) - 1000) < 20
    planted = hubble.plant(image, 3, taken=[there])
    assert len(planted.places) > 100
    assert not hubble.recovered(there, planted).any()
    added = planted.image - image
    assert np.sqrt((added**2).sum()) == pytest.approx(np.sqrt((planted.snr**2).sum()), rel=0.05)


def test_a_method_that_paints_the_truth_recovers_all_that_is_planted():
    image = hubble.sky()
    maps = source_finding.sharpened(image[None], **architecture_crowd.FILTER)
    blind = {"filter": lambda im: source_finding.sharpened(im[None], **architecture_crowd.FILTER),
             "blind": lambda im: maps}  # fmt: skip
    faint, bright = (hubble.trial(image, blind, 3, rounds=2, snr=snr)
                     for snr in ((3.0, 6.0), (12.0, 40.0)))  # fmt: skip
    assert not bright.got["blind"].any() and len(bright.got["filter"]) > 200
    assert faint.got["filter"].mean() < 0.1 < bright.got["filter"].mean()
    lead, error = bright.lead("filter", "blind")
    assert lead == bright.got["filter"].mean() and 0 < error < 0.05
    with pytest.raises(ValueError, match="rounds=0"):
        hubble.trial(image, blind, 3, rounds=0)


def test_a_model_of_one_size_paints_an_image_of_another():
    maps = architecture_crowd.hubble_maps(nets.unet(8, 48))
    image = np.random.default_rng(1).normal(size=(64, 80)).astype(np.float32)
    assert {name: f(image).shape for name, f in maps.items()} == {
        "U-net": (1, 64, 80), "peaks": (1, 64, 80)}  # fmt: skip


def test_three_cells_and_attention_are_of_one_size():
    night, folded = architecture_cells.night(4), architecture_cells.folded()
    sizes = [arm.build().count_params() for arm in night.arms.values()]
    assert max(sizes) / min(sizes) < 1.06
    curves = architecture_tasks.TASKS["light curves"].arms
    sizes = [curves[k].build().count_params() for k in ("GRU", "dense, list")]
    sizes += [arm.build().count_params() for arm in folded.arms.values()]
    assert max(sizes) / min(sizes) < 1.06
    x, _ = night.make(3, "test")
    first = night.arms["GRU, asked first"].see(x)
    np.testing.assert_array_equal(first[:, 0], x[:, -1])


def test_a_ratio_joins_runs_by_their_start():
    rows = [{"task": "a 4", "seed": 1.0, "a: x": 1.0, "a: y": ""},
            {"task": "a 4", "seed": 1.0, "a: y": 3.0, "a: x": ""},
            {"task": "a 4", "seed": 2.0, "a: x": 5.0}]  # fmt: skip
    np.testing.assert_allclose(runs.ratio(rows, "a 4", "x", "y"), [3.0])


# --- drawings and the stored run -----------------------------------------------------


def test_the_drawing_knows_the_bridges():
    drawn, pairs = drawings.edges(nets.unet(2, 16))
    jumps = [(a, b) for a, b in pairs if b > a + 1]
    assert len(jumps) == 2 and len(drawn) == 9
    fig = drawings.portraits({"one": nets.residual(2, 3, 2), "two": nets.recall(4, 2, 3)})
    assert len(fig.axes) == 2
    assert len(drawings.matrices({"a": np.eye(3), "b": np.ones((2, 2))}).axes) == 4
    assert drawings.ledger([("a", [2.0, 3.0], [0.5])]).axes[0].get_xscale() == "log"


def test_binned_curves_keep_a_sine():
    phase = np.sort(np.random.default_rng(1).random((5, 30)), axis=1)
    x = np.stack([phase, np.sin(2 * np.pi * phase), np.ones_like(phase)], axis=-1)
    middle = (np.arange(16) + 0.5) / 16
    np.testing.assert_allclose(architecture_tasks.binned(x).mean(axis=0),
                               np.sin(2 * np.pi * middle), atol=0.25)  # fmt: skip


def test_arms_that_are_not_there_are_named():
    with pytest.raises(ValueError, match="task: received 'naps'"):
        architecture_tasks.fit("naps", "dense", 0)
    with pytest.raises(ValueError, match="arm: received 'oracle'"):
        architecture_tasks.fit("where", "oracle", 0)
    with pytest.raises(ValueError, match="expected 'thirty layers'"):
        architecture_depth.measure("forty layers", 0)


@pytest.mark.parametrize("name", sorted(runs.SWEEPS))
def test_the_stored_runs_belong_to_this_code(name):
    card = read_card(RUNS / f"{name}.card.json")
    changed = same_fingerprint(card["fingerprint"], runs.SWEEPS[name].fingerprint())
    assert not changed, f"{changed} changed. Run: firstlight sweep {name}"
    assert card["complete"], f"Run: firstlight sweep {name} --resume"


def test_a_background_is_smooth_and_of_unit_variance():
    light = fields.background(300, seed=2, size=32, scale=6.0)
    assert light.std() == pytest.approx(1, abs=0.05) and abs(light.mean()) < 0.1
    near = np.mean(light[:, :, 6:] * light[:, :, :-6]) / light.var()
    assert near == pytest.approx(np.exp(-(6**2) / (4 * 6**2)), abs=0.04)
    x, y = architecture_tasks.TASKS["sky"].make(3, "test")
    assert x.shape == y.shape and y.std() == pytest.approx(1.5, abs=0.15)
