"""VVV and Gaia RRab stars: made files in the published layout, and the real ones."""

from pathlib import Path

import numpy as np
import pytest

from archive_kit import folder, plant, real  # noqa: F401
from firstlight.archive import vvv
from test_archive_stripe82 import made_tar

# ruff: noqa: F811  (fixtures are imported by name)


def test_curves_of_unequal_length_come_apart_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "lc_target_k/30_bin.dat": "0.1 15.0\n0.6 15.5\n1.1 15.0\n",  # the last repeats the first
        "lc_target_k/4_bin.dat": "0.2 14.0\n",
        "lc_target_k/notes.txt": "words",
    }
    plant(monkeypatch, folder, "vvv/lc_target_k.tar.gz", made_tar(files))
    for _ in range(2):  # parsed, then from the compact copy
        curves = vvv.vvv_light_curves("K")
        assert curves.star_ids.tolist() == [4, 30] and len(curves) == 2
        pairs = [(phase.tolist(), magnitude.tolist()) for phase, magnitude in curves]
        assert pairs == [([0.2], [14.0]), ([0.1, 0.6], [15.0, 15.5])]
        assert curves[-1][0].tolist() == [0.1, 0.6]
    with pytest.raises(IndexError):
        curves[2]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: vvv.vvv_light_curves("J"), "received 'J', expected one of"),
        (lambda: vvv.feh_predictions("test"), "received 'test', expected 'val' or 'train'"),
    ],
)
def test_what_does_not_exist_is_refused(call, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=words):
        call()


def test_the_catalog_reads_ten_columns_and_no_more(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        "# id Name RA DEC period meanmag_k totamp_k aper snr prob crossid_gaia remark\n"
        '  3690341459 7 17:05:27.27 -34:33:50.9 0.643188 14.657 0.171 3 78.5 0.99 "" "a b"\n'
        '  3860246845 3 17:14:55.14 -30:48:57.7 0.480962 14.464 0.329 3 159.8 "" "" v\n'
    )
    plant(monkeypatch, folder, "vvv/inner_bulge_new_rrab.dat", text.encode())
    stars = vvv.vvv_rrab()
    assert stars["star_id"].tolist() == [3690341459, 3860246845]
    assert stars["probability"].iloc[0] == 0.99 and np.isnan(stars["probability"].iloc[1])
    assert stars["ra_deg"].iloc[0] == pytest.approx(256.363625)


def test_real_predictions_reproduce_the_published_scatter(real: None) -> None:
    held_out, trained = vvv.feh_predictions("val"), vvv.feh_predictions("train")
    assert len(held_out) == 4_458 and held_out["star_id"].is_unique
    assert len(trained) == 9 * len(held_out)
    residual = held_out["feh_dex"] - held_out["predicted_feh_dex"]
    assert np.sqrt((residual**2).mean()) == pytest.approx(0.178, abs=5e-4)
    assert 1 - residual.var() / held_out["feh_dex"].var() == pytest.approx(0.860, abs=1e-3)
    assert np.isin(held_out["star_id"], vvv.vvv_light_curves("G").star_ids).all()


def test_real_curves_and_catalog_belong_together(real: None) -> None:
    curves, stars = vvv.vvv_light_curves("K"), vvv.vvv_rrab()
    assert len(curves) == 4_447 and set(curves.star_ids) == set(stars["star_id"])
    assert len(vvv.vvv_light_curves("G")) == 13_323
    assert curves.phases.min() >= 0 and curves.phases.max() < 1
    mean = stars.set_index("star_id")["mean_k_mag"].loc[curves.star_ids].to_numpy()
    medians = np.array([np.median(magnitudes) for _, magnitudes in curves])
    assert np.abs(medians - mean).max() < 0.5
