"""The stored run of every chapter: enough seeds, in the bands of its page, and not stale."""

import csv
import json
from pathlib import Path

import pytest

import firstlight
from firstlight.press.chapter_runs import Band, bands, fingerprint, troubles
from firstlight.press.seeds import Scatter, write_table

BOOK = Path(__file__).parents[1] / "book"
RUNS = Path(firstlight.__file__).parent / "studies" / "runs"
CARDS = {
    card["chapter"]: (path, card)
    for path in sorted(RUNS.glob("*.card.json"))
    if "chapter" in (card := json.loads(path.read_text(encoding="utf-8")))
}

PAGE = """# Demo

```{code-cell} ipython3
:tags: [hide-input]
x = simulate(3)  # a small sky
claim("demo.x", x, low=-1 / 2, high=0.5)
for name in "ab":
    claim(f"demo.by_{name}", x, high=2)
claim("demo.free", x, low=x - 1)
```
"""


@pytest.mark.parametrize("chapter", CARDS)
def test_the_stored_run_stands(chapter):
    path, card = CARDS[chapter]
    table = path.with_name(path.name.replace(".card.json", ".csv"))
    text = (BOOK / f"{chapter}.md").read_text(encoding="utf-8")
    assert list(troubles(table, card, text)) == []


def test_every_chapter_with_claims_has_one():
    from firstlight.press.toc import read_book

    pages = [page for page in read_book(BOOK.parent).pages if page.executable]
    claimed = {page.docname.removeprefix("book/") for page in pages if "claim(" in page.text}
    studies = {"supervised/galaxy-zoo"}  # a study's own sweeps are judged in its own tests
    assert claimed - studies == set(CARDS)


def test_bands_are_read_where_they_are_plain_numbers():
    found = bands(PAGE)
    assert found == [Band(r"demo\.x", -0.5, 0.5), Band(r"demo\.by_.+?", float("-inf"), 2.0)]


def stored(tmp_path, value=0.4, seeds=range(11, 21)):
    table = tmp_path / "demo.csv"
    rows = [(seed, value, None, 9.0) for seed in seeds]
    write_table(table, {"demo.x": Scatter("demo.x", rows=rows)})
    card = {"seeds": list(seeds), "command": "do it", "lines": r"simulate\(",
            "fingerprint": fingerprint(PAGE, r"simulate\(")}  # fmt: skip
    return table, card


def test_a_run_is_judged_by_the_page_s_present_bands(tmp_path):
    assert list(troubles(*stored(tmp_path), PAGE)) == []
    (first, *_) = troubles(*stored(tmp_path, 0.6), PAGE)
    assert first == "demo.x is 0.6 at seed 11, outside -0.5 to 0.5"


@pytest.mark.parametrize(
    ("old", "new", "stale"),
    [
        ("simulate(3)", "simulate(4)", True),
        ("# a small sky", "# any sky", False),
        ("high=0.5", "high=0.45", False),
        ("# Demo", "# Demonstration", False),
    ],
)
def test_only_lines_that_matter_make_a_run_stale(tmp_path, old, new, stale):
    found = list(troubles(*stored(tmp_path), PAGE.replace(old, new)))
    assert bool(found) == stale and all("do it" in line for line in found)


def test_a_change_of_the_simulator_makes_a_run_stale(tmp_path):
    text = PAGE.replace("simulate(3)", "guiding.simulate(3)")
    table, card = stored(tmp_path)
    card["fingerprint"] = fingerprint(text, card["lines"])
    assert list(troubles(table, card, text)) == []
    card["fingerprint"]["simulator"]["guiding"] *= 1.01
    (only,) = troubles(table, card, text)
    assert "sky.guiding has changed" in only


def test_nine_seeds_are_too_few(tmp_path):
    (only,) = troubles(*stored(tmp_path, seeds=range(11, 20)), PAGE)
    assert "9 seeds" in only


def test_the_values_are_numbers_under_every_seed():
    for path, card in CARDS.values():
        with open(path.with_name(path.name.replace(".card.json", ".csv")), newline="") as file:
            rows = list(csv.DictReader(file))
        assert {row["claim"] for row in rows} == set(card["metrics"])
        assert {int(row["seed"]) for row in rows} == set(card["seeds"])
