"""The table of survey sizes: figures that fit together, with a source for each."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from firstlight.archive.survey_sizes import (
    AS_OF,
    LECTURE_2022,
    SURVEYS,
    SurveySize,
    table,
    table_2022,
)

ROOT = Path(__file__).parents[1]
each = pytest.mark.parametrize("survey", SURVEYS, ids=lambda survey: survey.survey)


@each
def test_every_figure_has_a_source_and_a_paper(survey):
    bibliography = (ROOT / "references.bib").read_text("utf-8")
    assert survey.source.startswith("http") and survey.note
    assert f"{{{survey.cite}," in bibliography


@each
def test_no_raw_total_beats_its_rate(survey):
    """Thirty years at the full rate, day and night, is more than any survey observes."""
    if not np.isnan(survey.raw_tb):
        days = 1000 * survey.raw_tb / survey.raw_gb_per_day
        assert 100 < days < 30 * 365


def test_gaia_s_rate_is_its_volume_over_its_days():
    (gaia,) = (survey for survey in SURVEYS if survey.survey == "Gaia")
    assert gaia.raw_gb_per_day == pytest.approx(141_064 / 3827, rel=2e-3)


def test_euclid_s_raw_total_is_six_years_of_its_rate():
    (euclid,) = (survey for survey in SURVEYS if survey.survey == "Euclid")
    assert euclid.raw_tb == pytest.approx(6 * 365.25 * euclid.raw_gb_per_day / 1000, rel=2e-3)


def test_what_has_not_ended_is_not_called_measured():
    status = {survey.survey: survey.status for survey in SURVEYS}
    assert [status[name] for name in ("Euclid", "Rubin (LSST)", "SKA")] == ["design"] * 3


def test_the_table_is_in_order_and_keeps_kinds_apart():
    frame = table()
    assert list(frame["start"]) == sorted(frame["start"])
    assert frame["survey"].is_unique and len(frame) == len(SURVEYS)
    assert {"raw_gb_per_day", "raw_tb", "archive_tb", "status"} <= set(frame.columns)
    assert frame["raw_tb"].dtype == float
    assert AS_OF.split()[-1] == "2026"


def test_the_lecture_s_table_is_the_lecture_s():
    frame = table_2022()
    assert frame["tb"].to_list() == [25.4, 50, 200e3, 4.6e6]
    assert len(LECTURE_2022) == 4
    assert all(a < b for a, b in itertools.pairwise(frame["start"]))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"status": "rumor"}, "received status 'rumor', expected 'measured' or 'design'"),
        ({"raw_tb": 0.0}, "raw_tb: received 0.0, expected a positive number"),
        ({"archive_tb": -3.0}, "archive_tb: received -3.0"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        SurveySize("Argus", 2031.0, **wrong)
