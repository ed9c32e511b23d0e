"""Claims: what is judged, what is recorded, and what a failure says."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstlight.claims import ClaimError, claim, quote, skip

finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


@pytest.fixture
def trace(tmp_path, monkeypatch):
    path = tmp_path / "trace.jsonl"
    monkeypatch.setenv("FIRSTLIGHT_TRACE", str(path))
    monkeypatch.delenv("FIRSTLIGHT_CLAIMS", raising=False)
    return lambda: [json.loads(line) for line in path.read_text().splitlines()]


@given(value=finite, low=finite, high=finite)
def test_a_claim_holds_exactly_when_its_value_lies_in_the_band(value, low, high):
    low, high = sorted((low, high))
    if low <= value <= high:
        assert claim("demo.value", value, low=low, high=high) == value
    else:
        with pytest.raises(ClaimError) as caught:
            claim("demo.value", value, low=low, high=high)
        assert (caught.value.name, caught.value.band) == ("demo.value", (low, high))


def test_the_ends_of_the_band_belong_to_it():
    assert claim("demo.value", 2, low=2, high=3) == 2
    assert claim("demo.value", 3, low=2, high=3) == 3


def test_a_band_may_be_open_on_one_side():
    assert claim("demo.speedup", 7.5, low=5) == 7.5
    with pytest.raises(ClaimError, match="expected at least 5"):
        claim("demo.speedup", 4.9, low=5)
    with pytest.raises(ClaimError, match="expected at most 1"):
        claim("demo.error", 1.1, high=1)


def test_a_failed_claim_says_claim_value_and_band():
    with pytest.raises(ClaimError, match=r"demo\.rmse: received 0\.5, expected 0\.1 to 0\.2"):
        claim("demo.rmse", 0.5, low=0.1, high=0.2)


@pytest.mark.parametrize(
    "name", ["rmse", "Demo.rmse", "demo.", ".rmse", "demo.rmse.x", "demo rmse", ""]
)
def test_names_are_study_dot_metric(name):
    for make in (lambda: claim(name, 1, low=0), lambda: quote(name, 1), lambda: skip(name, "why")):
        with pytest.raises(ValueError, match=r"study\.metric"):
            make()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_only_finite_values_are_claimed_or_quoted(value):
    with pytest.raises(ValueError, match="finite"):
        claim("demo.value", value, low=0)
    with pytest.raises(ValueError, match="finite"):
        quote("demo.value", value)


def test_a_claim_without_a_band_is_no_claim():
    with pytest.raises(ValueError, match="no band"):
        claim("demo.value", 1)
    with pytest.raises(ValueError, match="swap"):
        claim("demo.value", 1, low=2, high=0)


def test_numbers_of_other_libraries_are_taken():
    numpy = pytest.importorskip("numpy")
    assert type(claim("demo.value", numpy.float32(0.5), high=1)) is float
    assert quote("demo.n", numpy.int64(3)) == 3


def test_everything_is_recorded_for_the_press(trace):
    claim("demo.rmse", 0.07, low=0.06, high=0.08, unit="mag")
    quote("demo.n", 12000, "images")
    quote("demo.share", 0.5)
    quote("demo.worst", "boxy bulges")
    skip("demo.real", "the data are absent")
    assert trace() == [
        {"claim": "demo.rmse", "value": 0.07, "low": 0.06, "high": 0.08, "unit": "mag"},
        {"quote": "demo.n", "value": 12000, "unit": "images"},
        {"quote": "demo.share", "value": 0.5, "unit": ""},
        {"quote": "demo.worst", "value": "boxy bulges", "unit": ""},
        {"claim": "demo.real", "skipped": "the data are absent"},
    ]


def test_a_failed_claim_is_recorded_before_it_stops(trace):
    with pytest.raises(ClaimError):
        claim("demo.rmse", 9, high=1)
    assert trace()[0]["value"] == 9


def test_seeds_and_mutants_only_record(trace, monkeypatch, capsys):
    monkeypatch.setenv("FIRSTLIGHT_CLAIMS", "record")
    assert claim("demo.rmse", 9, high=1) == 9
    assert trace()[0] == {"claim": "demo.rmse", "value": 9.0, "low": None, "high": 1, "unit": ""}
    assert "OUT OF BAND" in capsys.readouterr().out


def test_nothing_is_written_without_a_press(tmp_path, monkeypatch):
    monkeypatch.delenv("FIRSTLIGHT_TRACE", raising=False)
    monkeypatch.chdir(tmp_path)
    claim("demo.rmse", 1, low=0)
    quote("demo.n", 1)
    assert list(tmp_path.iterdir()) == []


def test_a_long_text_is_no_quote_and_a_gap_has_a_reason():
    with pytest.raises(ValueError, match="at most 80"):
        quote("demo.text", "x" * 81)
    with pytest.raises(ValueError, match="no reason"):
        skip("demo.real", " ")
