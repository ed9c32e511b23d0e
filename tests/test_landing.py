"""The landing page: its drawing, its doors, and a table that follows the ledger."""

import re
from pathlib import Path

import pytest

pytest.importorskip("myst_nb")

from firstlight.figures.style import DARK, LIGHT, PALETTE
from firstlight.press.landing import NOT_YET, binder, read_svg
from firstlight.press.prose import lint
from firstlight.press.sources import repository
from test_extension import Book

ROOT = Path(__file__).parents[1]
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><title>T</title>'
    "<desc>A round\n galaxy &amp; its halo.</desc><circle r='4' class='fl-ink'/></svg>"
)
ROW = "The zoo | page | Willett | 0.1 | {claim}`demo.rmse:.3f`"


@pytest.fixture
def book(tmp_path):
    return Book(tmp_path)


def rmse(value=0.0714):
    return {"name": "demo.rmse", "value": value, "low": 0.06, "high": 0.08, "unit": ""}


def studies(*rows):
    return "# Front\n\n:::{studies}\n" + "\n".join(rows) + "\n:::\n"


def cells(html):
    """The cells of the page's table, as plain text."""
    table = html.partition("<tbody>")[2].partition("</tbody>")[0]
    return [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", table)]


def test_a_study_that_is_measured_shows_its_value_and_its_page(book):
    book.ledger([rmse()])
    book.page("page", "# Page\n\nProse.")
    book.page("front", studies(ROW))
    assert book.build()[1] == ""
    html = book.html("front")
    assert cells(html) == ["The zoo", "Willett", "0.1", "0.071"]
    assert 'href="page.html"' in html.partition("<tbody>")[2]
    assert NOT_YET not in html


def test_a_study_that_is_not_says_so_and_follows_the_ledger(book):
    book.page("page", "# Page\n\nProse.")
    row = ROW.replace("| page |", "| nowhere |")
    book.page("front", studies(row))
    assert book.build()[1] == ""
    assert cells(book.html("front")) == ["The zoo", "Willett", "0.1", NOT_YET]
    assert "nowhere" not in book.html("front")
    book.page("nowhere", "# Here now\n\nProse.")
    book.ledger([rmse(0.0666)], file="nowhere.md")
    read, warnings = book.build()
    assert warnings == "" and "front" in read
    assert cells(book.html("front"))[-1] == "0.067"
    assert 'href="nowhere.html"' in book.html("front").partition("<tbody>")[2]


def test_a_study_is_rebuilt_only_when_all_of_it_is(book):
    book.ledger([rmse()])
    book.page("page", "# Page\n\nProse.")
    book.page("front", studies(ROW + ", {claim}`demo.full:.2f` at full scale"))
    assert book.build()[1] == ""
    assert cells(book.html("front"))[-1] == NOT_YET


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("The zoo | page | Willett", "received 3 cells"),
        ("The zoo | page | Willett | 0.1 | soon", "expected {claim}"),
        (ROW.replace("| page |", "| nowhere |"), "there is no page 'nowhere'"),
    ],
)
def test_a_row_that_cannot_be_right_is_told(book, row, complaint):
    book.ledger([rmse()])
    book.page("page", "# Page\n\nProse.")
    book.page("front", studies(row))
    assert complaint in book.build()[1]


def test_ways_lead_to_pages_and_to_binder(book):
    book.page("page", "# Page\n\nProse.")
    book.page(
        "front",
        "# Front\n\n:::{ways}\nRead | page | Words with a [link](page.md).\n"
        "Launch | binder:page | More.\nStay | - | Here.\n:::\n",
    )
    assert book.build()[1] == ""
    html = book.html("front")
    assert html.count('href="page.html"') >= 2
    (address,) = re.findall(r'href="(https://mybinder[^"]*)"', html)
    assert address == binder(book.app, "page")
    owner_and_name = "/".join(repository(ROOT).split("/")[-2:])
    assert f"/v2/gh/{owner_and_name}/" in address and address.endswith("lab/tree/page.md")
    assert "<strong>Stay</strong>" in html


def test_a_way_to_nowhere_is_told(book):
    book.page("front", "# Front\n\n:::{ways}\nRead | nowhere | Words.\n:::\n")
    assert "nowhere" in book.build()[1]


def test_a_drawing_stands_in_the_page_and_is_described(book):
    (book.folder / "a.svg").write_text(SVG)
    book.page("front", "# Front\n\n:::{drawing} a.svg\nWords *under* it.\n:::\n")
    assert book.build()[1] == ""
    html = book.html("front")
    assert 'role="img" aria-label="A round galaxy &amp; its halo."' in html
    assert "<title>T</title>" not in html.partition("<figure")[2], "would be a tooltip"
    assert "Words <em>under</em> it." in html.partition("<figcaption>")[2]
    (book.folder / "a.svg").write_text(SVG.replace("round", "flat"))
    assert book.build()[0] == ["front"]
    assert "A flat galaxy" in book.html("front")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("no svg", "not well-formed"),
        ("<html><desc>Words.</desc></html>", "expected an <svg>"),
        (SVG.replace("desc>", "metadata>"), "expected an <svg> with a <desc>"),
    ],
)
def test_a_drawing_that_says_nothing_is_refused(text, complaint):
    with pytest.raises(ValueError, match=complaint):
        read_svg(text)


def test_a_drawing_that_is_missing_is_told(book):
    book.page("front", "# Front\n\n:::{drawing} none.svg\n:::\n")
    assert "none.svg" in book.build()[1]


def test_the_front_page_lists_seven_studies_three_doors_and_three_readers():
    text = (ROOT / "book" / "index.md").read_text("utf-8")
    blocks = re.findall(r":::\{(\w+)\}[^\n]*\n(.*?)\n:::", text, re.S)
    rows = [(name, content.splitlines()) for name, content in blocks]
    assert [(name, len(lines)) for name, lines in rows if name != "drawing"] == [
        ("ways", 3), ("studies", 7), ("ways", 3),
    ]  # fmt: skip
    table = next(lines for name, lines in rows if name == "studies")
    bibliography = (ROOT / "references.bib").read_text("utf-8")
    for line in table:
        (key,) = re.findall(r"\{cite:t\}`(\w+)`", line)
        assert f"{{{key}," in bibliography
    assert lint(ROOT / "book" / "index.md") == []


def test_the_page_s_colors_are_those_of_the_figures():
    """The style sheet cannot read `figures.style`, so the two are compared."""
    css = (ROOT / "_static" / "firstlight.css").read_text("utf-8")
    blue, ochre = LIGHT.index(PALETTE[0]), LIGHT.index(PALETTE[4])
    wanted = {"paper": 0, "ink": 1, "muted": 2, "line": 3, "blue": blue, "ochre": ochre}
    for name, index in wanted.items():
        light, dark, *_ = re.findall(rf"--fl-{name}: (#[0-9a-f]+);", css)
        assert (light, dark) == (LIGHT[index], DARK[index]), name


def test_a_table_of_studies_can_have_more_columns(book):
    book.ledger([rmse()])
    book.page("page", "# Page\n\nProse.")
    more = "The zoo | page | Willett | 0.1 | a forest: {claim}`demo.rmse:.2f` | {claim}`demo.rmse`"
    book.page("front", studies(":columns: to beat", more))
    assert book.build()[1] == ""
    html = book.html("front")
    assert cells(html)[3] == "a forest: 0.07" and len(cells(html)) == 5
    assert ">to beat<" in html and "fl-more" in html
    book.page("front", studies(":columns: to beat", more.replace("demo.rmse:.2f", "not.yet:.2f")))
    assert book.build()[1] == "" and cells(book.html("front"))[3] == "a forest"
    book.page("front", studies(":columns: to beat", ROW))
    assert "received 5 cells" in book.build()[1]
