"""`mutants`: a chapter broken on purpose must break a claim, and the book's own table fits it."""

from pathlib import Path

import pytest

from firstlight.press.chapter import read_chapter
from firstlight.press.errors import PressError
from firstlight.press.mutants import Mutant, judge, mutate, read_mutants
from firstlight.press.toc import read_book
from small_book import SmallBook

ROOT = Path(__file__).parents[1]
CELL = "from firstlight.claims import claim\nx = 2 + 2\n_ = claim('demo.sum', x, low=3, high=5)"
TABLE = """
[[mutant]]
chapter = "sums"
name = "nothing wrong"
kind = "control"

[[mutant]]
chapter = "sums"
name = "lost one summand"
kind = "crude"
old = "2 + 2"
new = "2"
breaks = ["demo."]
"""
SUBTLE = """
[[mutant]]
chapter = "sums"
name = "a little less"
kind = "near miss"
old = "2 + 2"
new = "2 + 1.5"
breaks = ["demo."]
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> SmallBook:
    book = SmallBook(tmp_path_factory.mktemp("mutants"))
    book.page("sums", CELL)
    return book


def test_mutants_are_killed_and_one_that_lives_is_named(book: SmallBook) -> None:
    book.write("mutants.toml", TABLE)
    status, said = book.press("mutants", "book/sums")
    assert status == 0 and "crude: breaks demo.sum" in said
    assert "control: breaks nothing" in said
    book.write("mutants.toml", TABLE + SUBTLE)
    status, said = book.press("mutants", "book/sums")
    assert status == 1 and "a little less" in said and "not as it should be" in said


@pytest.mark.parametrize("old, times", [("3 + 3", 0), ("x", 2)])
def test_text_that_is_not_there_once_is_refused(book: SmallBook, old: str, times: int) -> None:
    read = read_book(book.root)
    chapter = read_chapter(read.root, read.page("sums"))
    with pytest.raises(PressError, match=f"stands {times} times in the code of sums"):
        mutate(chapter, Mutant("sums", "wrong", "crude", old, "y", ("demo.",)))


def test_only_claims_that_were_named_count() -> None:
    claims = [{"name": "demo.a", "value": 9.0, "low": 0, "high": 1}, {"name": "x", "skipped": "-"}]
    mutant = Mutant("sums", "wrong", "crude", "2", "3", ("other.",))
    assert judge(mutant, claims) == (False, ["demo.a"])
    assert judge(Mutant("sums", "fine", "control"), claims) == (False, ["demo.a"])
    assert judge(Mutant("sums", "fine", "control"), claims[1:]) == (True, [])


def test_an_entry_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mutants.toml").write_text('[[mutant]]\nchapter="a"\nname="b"\nkind="odd"\n')
    with pytest.raises(PressError, match="received kind 'odd'"):
        read_mutants(tmp_path)


def test_the_books_own_mutants_fit_its_chapters() -> None:
    book = read_book(ROOT)
    mutants = read_mutants(ROOT)
    assert {mutant.kind for mutant in mutants} == {"control", "crude", "near miss"}
    for mutant in mutants:
        chapter = read_chapter(book.root, book.page(mutant.chapter))
        assert (mutate(chapter, mutant).cells != chapter.cells) == (mutant.kind != "control")
