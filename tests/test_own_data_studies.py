"""The studies on data from outside: real weights, tiny files, and a way there and back."""

import json

import numpy as np
import pytest
from astropy.io import fits

from firstlight import cli, studies
from firstlight.archive.errors import DataError
from firstlight.evaluation import stamp_checks
from firstlight.reports import own_images
from firstlight.sky import gz2_tree, surveys
from firstlight.studies import (
    galaxy_zoo,
    galaxy_zoo_data,
    lens_finder,
    lens_finder_data,
    mergers,
    mergers_data,
    own_data,
)

ROOMS = {"galaxy-zoo": galaxy_zoo_data, "lens-finder": lens_finder_data, "mergers": mergers_data}
CONFIGS = {"galaxy-zoo": galaxy_zoo.FULL, "lens-finder": lens_finder.FULL,
           "mergers": mergers.FULL}  # fmt: skip


def test_every_study_of_images_takes_data_from_outside():
    assert set(own_data.MODULES) >= set(ROOMS) and set(own_data.MODULES) <= set(studies.NAMES)


@pytest.mark.parametrize("name", ROOMS)
def test_the_declaration_is_what_the_training_sky_gives(name):
    wants = ROOMS[name].accepts(CONFIGS[name])
    home = wants.home(8, 3)
    assert home.shape == (8, wants.size, wants.size, len(wants.bands))
    assert stamp_checks.guess_unit(home.astype(np.float32)) == "sky sigma"
    assert wants.bands == surveys.BANDS[: len(wants.bands)]
    np.testing.assert_array_equal(home, wants.home(8, 3))


@pytest.fixture(scope="module")
def tasks():
    return {name: own_data.get(name) for name in ROOMS}


@pytest.mark.parametrize("name", ROOMS)
def test_scores_from_a_file_are_those_of_the_study(tasks, name, tmp_path):
    data = studies.get(name).simulate(CONFIGS[name], 5, n=24)
    sky = data.sky if name == "galaxy-zoo" else data.images
    truth = {"votes": data.votes} if name == "galaxy-zoo" else {"labels": data.labels}
    path = tmp_path / "a.npz"
    bands = np.array(surveys.BANDS[: sky.shape[-1]])
    np.savez(path, images=sky, bands=bands, pixel_arcsec=0.2, unit="sky sigma", **truth)
    found = own_images.evaluate(tasks[name], path, tmp_path / "out", home=48)
    if name == "galaxy-zoo":
        from firstlight import training
        from firstlight.layers.augmentation import MIRRORS

        model = galaxy_zoo.full_scale.load(galaxy_zoo.STUDY, None, galaxy_zoo.build_model)
        known = training.predict(model, data.images, symmetries=MIRRORS)[:, 1]
    elif name == "mergers":
        shown = mergers.network_input(sky)
        known = mergers.predict(mergers.load(), shown, symmetries=4)
    else:
        model = lens_finder.full_scale.load(lens_finder.STUDY, None, lens_finder.build_model)
        known = lens_finder.score(model, sky)
    np.testing.assert_allclose(found.scores, known, atol=2e-5)
    assert found.labeled == 24 and found.metrics and found.reliability is not None


def test_flux_in_fits_gives_nearly_the_scores_of_sky_sigma(tasks, tmp_path):
    """Reversed by name, in electrons on a pedestal, bands first, big-endian: the same answer."""
    data = studies.get("galaxy-zoo").simulate(CONFIGS["galaxy-zoo"], 6, n=64)
    np.savez(tmp_path / "a.npz", images=data.sky, bands=["g", "r", "i"], unit="sky sigma")
    hdu = fits.PrimaryHDU(np.moveaxis(data.sky[..., ::-1] * 17 + 250, -1, 1).astype(">f4"))
    hdu.header["BANDS"], hdu.header["BUNIT"] = "i,r,g", "electron"
    labels = np.array(galaxy_zoo_data.NAMES)[data.votes[:, :3].argmax(axis=1)]
    table = fits.BinTableHDU.from_columns([fits.Column("label", "10A", array=labels)])
    fits.HDUList([hdu, table]).writeto(tmp_path / "b.fits")
    plain = own_images.evaluate(tasks["galaxy-zoo"], tmp_path / "a.npz", tmp_path / "a", home=48)
    flux = own_images.evaluate(tasks["galaxy-zoo"], tmp_path / "b.fits", tmp_path / "b", home=48)
    assert np.corrcoef(plain.scores, flux.scores)[0, 1] > 0.97
    assert [m.name for m in flux.metrics][0] == "agreement"


def test_simulated_shards_go_straight_in(tmp_path, capsys, monkeypatch, tasks):
    monkeypatch.setattr(own_data, "get", lambda name, weights, scale: tasks[name])
    monkeypatch.setattr(own_images.evaluate, "__kwdefaults__",
                        {**own_images.evaluate.__kwdefaults__, "home": 48})  # fmt: skip
    sky, out = tmp_path / "sky", tmp_path / "out"
    simulate = ["simulate", "galaxies", "-n", "70", "--out", str(sky), "--shard", "40"]
    assert cli.main(simulate) == 0
    assert cli.main(["evaluate", "galaxy-zoo", "--data", str(sky), "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert "Judged 70 of 70 stamps" in told and "RMSE: 0.0" in told
    header = (out / "predictions.csv").read_text().splitlines()[0]
    assert all(answer in header for answer in gz2_tree.ANSWERS)
    known = json.loads((out / "metrics.json").read_text())
    card = json.loads(galaxy_zoo.WEIGHTS.with_suffix(".card.json").read_text())
    rmse = known["metrics"]["RMSE"]
    assert rmse["low"] * 0.9 < card["metrics"]["rmse_averaged"] < rmse["high"] * 1.1


def test_the_hard_lens_finder_wants_three_bands(tmp_path):
    task = own_data.get("lens-finder", scale="full-hard")
    assert task.accepts.bands == ("g", "r", "i") and task.weights.name == "lens-finder-hard.npz"
    np.savez(tmp_path / "a.npz", images=np.random.default_rng(1).normal(size=(8, 48, 48)))
    with pytest.raises(DataError, match="images of 1 band.*expected 3"):
        own_images.evaluate(task, tmp_path / "a.npz", tmp_path / "out")


def test_missing_weights_say_how_to_make_them(tmp_path):
    with pytest.raises(FileNotFoundError, match="firstlight train lens-finder --scale full"):
        own_data.get("lens-finder", tmp_path / "none.npz")
