"""From a file to its report: nothing is lost, nothing half written, and memory stays bounded."""

import csv
import json
import re
import tracemalloc
from dataclasses import replace
from pathlib import Path

import h5py
import matplotlib
import numpy as np
import pytest
from astropy.table import Table
from matplotlib import image as pictures

from firstlight import cli, reports
from firstlight.archive.errors import DataError
from firstlight.figures.evaluations import evaluation
from firstlight.reports import outcome, own_curves, own_images, pages
from firstlight.studies import own_data
from firstlight.studies.curve_inputs import CurveInput
from test_own_data_checks import WANTS, curve, sky

matplotlib.use("agg")


def bright(images):
    """A network that knows one thing: how bright the middle is."""
    middle = images[:, 6:10, 6:10].mean(axis=(1, 2, 3))
    return own_data.yes_or_no((1 / (1 + np.exp(2 - middle / 10))).astype(np.float32), "no", "yes")


TASK = own_data.Task(
    "made", WANTS, "probability of being bright", bright, {"yes": 1, "no": 0},
    lambda labels, scored: own_data.binary_metrics(labels, scored.scores),
    lambda labels: np.asarray(labels) == 1, "It is a guess.", Path("made.npz"),
)  # fmt: skip


def save(path, images, **more):
    more = {"bands": ["g", "r", "i"], "pixel_arcsec": 0.2, "unit": "sky sigma", **more}
    np.savez(path, images=images, **more)
    return path


def rows_of(out):
    with open(out / "predictions.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_every_stamp_has_a_row_and_every_bad_one_a_reason(tmp_path):
    images = sky(300, seed=5)
    images[7] = np.nan
    images[11] = 3.0
    images[290, 0, :2] = np.nan
    names = [f"J{k:03d}" for k in range(300)]
    labels = (bright(np.nan_to_num(images)).scores > 0.4).astype(int)
    labels[20] = -1
    found = own_images.evaluate(
        TASK, save(tmp_path / "a.npz", images, ids=names, labels=labels), tmp_path / "out"
    )
    rows = rows_of(tmp_path / "out")
    assert [row["id"] for row in rows] == names
    status = {row["id"]: row["status"] for row in rows}
    assert [name for name in names if status[name] == "left out"] == ["J007", "J011"]
    assert [name for name in names if status[name] == "mended"] == ["J290"]
    assert rows[7]["score"] == "" and "100.0% of the pixels" in rows[7]["reason"]
    alone = bright(images[5:6]).scores[0]
    assert float(rows[5]["score"]) == pytest.approx(alone, abs=1e-6)
    assert (found.n, found.judged, found.labeled) == (300, 298, 297)
    report = (tmp_path / "out" / "report.md").read_text()
    for text in ("J007: 100.0% of the pixels", "J290: mended", "AUROC", "297 judged stamps have",
                 "Reliability", "It is a guess.", "](figure.png)"):  # fmt: skip
        assert text in report
    known = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert known["left_out"] == 2 and known["metrics"]["recall"]["low"] < 1
    assert not list((tmp_path / "out").glob(".*"))
    (alt,) = re.findall(r"!\[(.*)\]", report)
    assert "298 scores" in alt and "median" in alt and len(alt) > 100
    assert pictures.imread(tmp_path / "out" / "figure.png").shape[1] == 7 * 160


def test_a_sky_like_the_training_raises_no_warning_and_another_does(tmp_path):
    home = own_images.evaluate(TASK, save(tmp_path / "a.npz", sky(300, seed=5)), tmp_path / "a")
    assert home.warnings == [] and "None: in the few" in (tmp_path / "a/report.md").read_text()
    far = sky(300, seed=6)
    far = (far + np.roll(far, 1, 1) + np.roll(far, 1, 2)) / 3**0.5 * 2
    away = own_images.evaluate(TASK, save(tmp_path / "b.npz", far), tmp_path / "b")
    told = " ".join(away.warnings)
    assert "neighbors alike" in told and "resampled, drizzled" in told and "brightness" in told
    assert away.strangers > 200
    assert any(row["unlike_training"] for row in rows_of(tmp_path / "b"))


def test_reversed_bands_without_names_are_a_warning(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, sky(200, seed=5)[..., ::-1])
    found = own_images.evaluate(TASK, path, tmp_path / "a")
    assert "may lie in the order i, r, g" in found.warnings[0]
    assert "--bands i,r,g" in found.warnings[0]
    named = own_data.MODULES and own_images.evaluate(
        TASK, path, tmp_path / "b", given=own_images.About(bands=("i", "r", "g"))
    )
    assert not any("order" in text for text in named.warnings)


def test_strict_stops_and_leaves_nothing_half_written(tmp_path):
    images = sky(80)
    images[70] = np.nan
    with pytest.raises(DataError, match="stamp 70 of which 100.0% of the pixels"):
        own_images.evaluate(TASK, save(tmp_path / "a.npz", images), tmp_path / "a", strict=True)
    assert list((tmp_path / "a").iterdir()) == []


@pytest.mark.parametrize("noise", [{}, {"sky_sigma": 40.0}])
def test_a_measured_sky_is_compared_with_a_measured_sky(tmp_path, noise):
    path = save(tmp_path / "a.npz", sky(300, seed=5) * 40 + 300, unit="electron", **noise)
    assert own_images.evaluate(TASK, path, tmp_path / "out").warnings == []


def test_holes_in_a_band_that_is_not_needed_do_no_harm(tmp_path):
    images = np.concatenate([sky(70), np.full((70, 16, 16, 1), np.nan)], axis=-1)
    path = save(tmp_path / "a.npz", images, bands=["g", "r", "i", "z"])
    assert own_images.evaluate(TASK, path, tmp_path / "out").judged == 70


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"labels": [0, 1]}, "labels of shape"),
        ({"labels": ["arc"] * 40}, "received the label 'arc'"),
        ({"ids": ["a"]}, r"ids of shape \(1,\), expected \(40,\)"),
        ({"images": np.full((40, 16, 16, 3), np.nan)}, "40 stamps of which none can be judged"),
        ({"images": np.zeros((40, 16, 16, 3))}, "none can be judged; the first: band g, r, i"),
        ({"images": np.zeros((0, 16, 16, 3))}, "at least one stamp"),
        ({"images": np.full((40, 20, 20, 3), np.nan)}, "20 x 20 pixels"),
    ],
)
def test_what_cannot_be_judged_at_all(tmp_path, more, told):
    images = more.pop("images", sky(40))
    path = save(tmp_path / "a.npz", images, **more)
    with pytest.raises(DataError, match=told):
        own_images.evaluate(TASK, path, tmp_path / "out")


def test_memory_does_not_grow_with_the_file(tmp_path):
    peaks = []
    for n in (600, 2400):
        path = tmp_path / f"{n}.h5"
        with h5py.File(path, "w") as file:
            data = file.create_dataset("images", (n, 16, 16, 3), "f4")
            for start in range(0, n, 600):
                data[start : start + 600] = sky(600, seed=start)
            data.attrs.update(bands="gri", unit="sky sigma", pixel_arcsec=0.2)
        own_images.evaluate(TASK, path, tmp_path / "warm", home=32)  # imports, fonts
        tracemalloc.start()
        own_images.evaluate(TASK, path, tmp_path / f"out{n}", home=32)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    file_growth = (2400 - 600) * 16 * 16 * 3 * 4
    assert peaks[1] - peaks[0] < 0.25 * file_growth


def test_votes_stand_in_for_labels(tmp_path):
    task = replace(
        TASK, votes=2, columns=("dark", "light"),
        score_batch=lambda images: bright(images)._replace(
            more=np.stack([1 - bright(images).scores, bright(images).scores], 1)
        ),
        judge_votes=lambda votes, scored: [own_data.Metric(
            "rmse", own_data.Interval(float(np.abs(votes - scored.more).max()), 0, 1), "largest")],
        positive_votes=lambda votes: votes[:, 1],
    )  # fmt: skip
    images = sky(60)
    votes = task.score_batch(images).more.astype(float)
    votes[3] = np.nan
    found = own_images.evaluate(task, save(tmp_path / "a.npz", images, votes=votes), tmp_path / "a")
    assert found.labeled == 59 and found.metrics[0].value.value < 1e-6
    assert set(rows_of(tmp_path / "a")[0]) >= {"dark", "light"}
    with pytest.raises(DataError, match=r"votes of shape \(60, 1\), expected \(60, 2\)"):
        own_images.evaluate(task, save(tmp_path / "b.npz", images, votes=votes[:, :1]), tmp_path)


# --- light curves ------------------------------------------------------------------------


def home_curves(n, seed):
    from firstlight.studies.curve_inputs import padded

    rng = np.random.default_rng(seed)
    return padded([replace(curve(visits=int(rng.integers(20, 40)), scale=rng.uniform(0.2, 1)),
                           star=f"H{k}") for k in range(n)])  # fmt: skip


def lively(curves):
    spread = np.where(curves.mask, curves.magnitudes - 15, 0).std(axis=1)
    return own_data.yes_or_no(np.clip(2 * spread, 0, 1).astype(np.float32), "quiet", "lively")


STARS = replace(
    TASK, score_batch=lively, classes={"lively": 1, "quiet": 0},
    accepts=CurveInput(8, 75, "i", "anything", home_curves,
                       lambda c: np.where(np.isfinite(c.period_days), c.period_days, 0.55)),
)  # fmt: skip


def star_table(n=30):
    rng = np.random.default_rng(2)
    visits = 25
    scale = np.repeat(rng.uniform(0.05, 0.5, n), visits)
    table = Table({"star_id": np.repeat([f"V{k}" for k in range(n)], visits),
                   "mjd": rng.uniform(0, 100, n * visits),
                   "mag": 15 + scale * rng.normal(size=n * visits),
                   "mag_err": np.full(n * visits, 0.02),
                   "label": np.where(scale > 0.3, "lively", "quiet")})  # fmt: skip
    table["mag"][:20] = np.nan
    table["mag"][visits] = np.nan
    return table


@pytest.mark.parametrize("name", ["a.csv", "a.ecsv", "a.fits"])
def test_light_curves_end_to_end(tmp_path, name):
    star_table().write(tmp_path / name)
    found = reports.evaluate(STARS, str(tmp_path / name), str(tmp_path / "out"))
    rows = rows_of(tmp_path / "out")
    assert [row["id"] for row in rows] == [f"V{k}" for k in range(30)]
    assert rows[0]["status"] == "left out"
    assert rows[0]["reason"] == "5 usable visits (20 without a number), expected 8 or more"
    assert rows[1]["status"] == "mended" and rows[1]["period_days"] == "0.55000"
    assert (found.n, found.judged, found.labeled) == (30, 29, 29)
    report = (tmp_path / "out" / "report.md").read_text()
    assert "your stars" in report and "amplitude (mag)" in report and "periodogram" in report


def test_options_for_images_are_not_for_stars(tmp_path):
    star_table().write(tmp_path / "a.csv")
    with pytest.raises(DataError, match="received options for images"):
        own_curves.evaluate(STARS, tmp_path / "a.csv", tmp_path, images="x")
    with pytest.raises(DataError, match="the star V0: 5 usable visits"):
        own_curves.evaluate(STARS, tmp_path / "a.csv", tmp_path, strict=True)


def test_curve_statistics_are_read_off():
    from firstlight.studies.curve_inputs import padded

    numbers = own_curves.curve_statistics(padded([curve(visits=30)]), np.array([10.0]))
    assert numbers["visits"] == 30 and numbers["log period (days)"] == 1
    assert numbers["error (mag)"][0] == pytest.approx(0.02)


# --- pages, the figure, the command ------------------------------------------------------


def test_many_left_out_is_a_warning_and_the_list_is_cut(tmp_path):
    images = sky(60)
    images[:30] = np.nan
    own_images.evaluate(TASK, save(tmp_path / "a.npz", images), tmp_path / "out")
    report = (tmp_path / "out" / "report.md").read_text()
    assert "50% of the stamps could not be judged" in report
    assert report.count("- row ") == pages.LISTED and "- and 10 more" in report


def test_a_failed_table_leaves_the_old_one(tmp_path):
    path = tmp_path / "predictions.csv"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), outcome.Predictions(path, ()) as table:
        table.left_out(0, "a", "why")
        raise ZeroDivisionError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_figure_without_scores_is_refused():
    with pytest.raises(ValueError, match="received none"):
        evaluation([], [], [], [])


@pytest.mark.parametrize("reliable", [False, True])
def test_the_figure_shows_all_that_it_is_given(reliable):
    import matplotlib.pyplot as plt

    bins = (np.array([0.1, 0.9]), np.array([0.2, 0.8]), np.array([5, 5])) if reliable else None
    color = ("a name much too long for it", 0.9, sky(1)[0])
    folded = ("b", 0.1, (np.array([0.1, 0.5]), np.array([15.0, 15.2])))
    truth = [True, False]
    fig = evaluation([0.1, 0.9], [0.5], [color], [folded], truth=truth, reliability=bins)
    assert len(fig.axes) == 3 + reliable
    words = [ax.get_xlabel() for ax in fig.axes]
    assert "a name much \u2026\n0.90" in words
    plt.close(fig)


@pytest.fixture
def command(monkeypatch):
    monkeypatch.setattr(own_data, "get", lambda name, weights, scale: TASK)

    def run(*words):
        return cli.main(["evaluate", "lens-finder", *map(str, words)])

    return run


def test_the_command_says_what_it_found(tmp_path, command, capsys):
    images = sky(60) * 40 + 300
    images[3] = np.nan
    np.savez(tmp_path / "mine.npz", cutouts=images)
    words = ("--data", tmp_path / "mine.npz", "--out", tmp_path / "out", "--bands", "g,r,i",
             "--pixel", "0.2", "--unit", "electron")  # fmt: skip
    assert command(*words) == 0
    told = capsys.readouterr()
    assert "Judged 59 of 60 stamps: 0 mended, 1 left out." in told.out
    assert str(tmp_path / "out" / "report.md") in told.out
    assert command(*words, "--json") == 0
    assert json.loads(capsys.readouterr().out)["judged"] == 59


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["--data", "no.fits"], 1, "nothing lies"),
        (["--bands", "gri"], 2, "--bands: received without --data"),
        (["--strict"], 2, "--strict: received without --data"),
    ],
)
def test_the_command_errs_in_one_line(command, capsys, words, status, told):
    assert command(*words) == status
    err = capsys.readouterr().err
    assert told in err and err.count("\n") == 1


def test_a_study_that_takes_no_data_is_told(capsys):
    assert cli.main(["evaluate", "galaxy-zo", "--data", "x.fits"]) == 2
    assert "Did you mean 'galaxy-zoo'?" in capsys.readouterr().err


@pytest.mark.parametrize("progress", [False, True])
def test_a_bar_tells_how_far_it_is(tmp_path, capsys, progress):
    own_images.evaluate(TASK, save(tmp_path / "a.npz", sky(40)), tmp_path, progress=progress)
    assert ("40/40" in capsys.readouterr().err) == progress
