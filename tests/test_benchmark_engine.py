"""The engine's benchmark: what it compares is the same work; the times belong to a machine."""

import numpy as np
import pytest
from benchmarks import engine

pytest.importorskip("tensorflow")


@pytest.mark.parametrize("kind", engine.AIM)
def test_both_take_the_same_steps(kind, monkeypatch):
    monkeypatch.setitem(engine.SHAPE, kind, (4, *engine.SHAPE[kind][1:]))
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=engine.SHAPE[kind]), rng.integers(0, 10, 4)
    model = engine.network(kind, "float64")
    ours, theirs = engine.our_step(model, x, y), engine.keras_step(model, x, y)
    losses = [(ours(), theirs()) for _ in range(5)]
    assert np.allclose(*zip(*losses, strict=True), rtol=1e-6)  # Keras takes its loss in 32 bits
    assert losses[-1][0] < losses[0][0]
    engine.bare_products(kind, "float32")()


def test_the_dense_network_is_as_large_as_it_says():
    assert engine.network("dense", "float32").count_params() == 269_322


def test_rows_judge_both_precisions():
    ms = {"ours": 4.0, "ours, 64 bits": 12.0, "theirs": 2.0, "products": 1.0}
    narrow, wide = engine.rows("dense", ms)
    assert (narrow.ratio, narrow.met, wide.ratio, wide.met) == (2, True, 6, False)
    assert "products take NumPy 1 ms" in narrow.note and "64 bits" in wide.note
