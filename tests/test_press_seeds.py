"""`seeds`: claims under other seeds, out of the build's way."""

import csv
from pathlib import Path

import pytest

from firstlight.press.seeds import Scatter, report
from small_book import SmallBook

CELL = (
    "import firstlight\nfrom firstlight.claims import claim, skip\n"
    "s = firstlight.seed() / 1000\n"
    "_ = claim('demo.wide', s, low=0, high=1000)\n"
    "_ = claim('demo.narrow', s, high=102.5)\n"
    "skip('demo.real', 'no data')"
)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> SmallBook:
    book = SmallBook(tmp_path_factory.mktemp("seeds"))
    book.page("seeded", CELL)
    return book


def test_every_value_is_judged_and_written(book: SmallBook, tmp_path: Path) -> None:
    table = tmp_path / "bands.csv"
    status, said = book.press("seeds", "seeded", "-n", "3", "--csv", str(table))
    assert status == 1  # 103 is out of the narrow band
    assert "OUT at seed 103" in said and "out of band: demo.narrow" in said
    assert "values: 101, 102, 103" in said and "not measured: no data" in said
    rows = list(csv.DictReader(table.open()))
    assert [row["value"] for row in rows if row["claim"] == "demo.wide"] == [
        "101.0",
        "102.0",
        "103.0",
    ]
    assert not (book.root / "_build").exists()


def test_all_held_is_success(book: SmallBook) -> None:
    status, said = book.press("seeds", "seeded", "-n", "1", "--first", "7")
    assert status == 0 and "every claim held" in said


def test_scatter_is_the_sample_standard_deviation() -> None:
    claim = Scatter("demo.x", rows=[(1, 1.0, None, 3.0), (2, 3.0, None, 3.0)])
    assert claim.out == []
    assert "1.4142" in report({"demo.x": claim}) and "at most 3" in report({"demo.x": claim})


def test_a_value_that_is_no_number_is_out() -> None:
    assert Scatter("demo.x", rows=[(1, float("nan"), None, 3.0)]).out == [1]
