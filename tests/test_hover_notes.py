"""Notes beside links: right words, in the page, for pointer, keyboard, touch, and no scripts."""

import io
import re
import shutil
from pathlib import Path

import pytest

pytest.importorskip("myst_nb")

from docutils import nodes
from sphinx.testing.util import SphinxTestApp
from sphinx.util import logging as sphinx_logging

from firstlight.press.hover_notes import SCRIPT, to_html

ROOT = Path(__file__).parents[1]
STYLES = "firstlight-notes.css"
CONF = """
extensions = ["myst_nb", "sphinxcontrib.bibtex", "firstlight.press.hover_notes"]
bibtex_bibfiles = ["works.bib"]
bibtex_reference_style = "author_year"
nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath"]
exclude_patterns = ["_build"]
html_theme = "basic"
html_static_path = ["_static"]
html_css_files = ["firstlight-notes.css", "page.css"]
html_js_files = ["firstlight-notes.js"]
"""
GLOSSARY = """# Words

```{glossary}
ReLU
  The bend $\\max(0, a)$, *not* a [sigmoid](index.md); see {term}`flux`. %s

  A second paragraph that stays here.

flux
  Energy per area & time, < infinity.
```

{term}`flux` on its own page.
"""
WORKS = """@article{Leavitt1912,
  author = {Leavitt, Henrietta S.}, title = {Periods of 25 Variable Stars},
  journal = {Harvard Circular}, volume = {173}, pages = {1}, year = {%s}, eprint = {0000.0001}
}
"""
PAGE = """# Page

A {term}`ReLU`, again a {term}`rectifier <ReLU>`, and stars {cite:p}`Leavitt1912`.
{cite:t}`Leavitt1912` is a name. See the [words](../words.md).
"""


class Book:
    """A small book with a glossary and a bibliography."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "conf.py").write_text(CONF)
        (folder / "_static").mkdir()
        for name in (SCRIPT, STYLES):
            shutil.copy(ROOT / "_static" / name, folder / "_static")
        (folder / "_static/page.css").write_text(".body { position: relative; padding: 0 16px; }")
        toc = "```{toctree}\na/page\nwords\nworks\n```\n"
        self.write("index.md", f"# Book\n\n{toc}")
        self.write("a/page.md", PAGE)
        self.write("works.md", "# Works\n\n```{bibliography}\n```\n")
        self.define()

    def write(self, name, text):
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_text(text, encoding="utf-8")

    def define(self, more="", year=1912):
        self.write("words.md", GLOSSARY % more)
        self.write("works.bib", WORKS % year)

    def build(self, builder="html"):
        warnings = io.StringIO()
        app = SphinxTestApp(builder, srcdir=self.folder, builddir=self.folder / "_build",
                            warning=warnings)  # fmt: skip
        try:
            app.build()
        finally:
            app.cleanup()
            sphinx_logging.setup(app, io.StringIO(), io.StringIO())
        assert warnings.getvalue() == ""
        return self

    def html(self, name="a/page", builder="html"):
        return (self.folder / "_build" / builder / f"{name}.html").read_text(encoding="utf-8")

    def notes(self, name="a/page"):
        """Per note: what the link says, what it names, the id, the words."""
        found = re.findall(
            r'<span class="fl-noted"><a aria-describedby="([^"]*)" [^>]*>(.*?)</a>'
            r'<span class="fl-note" role="tooltip" id="([^"]*)">(.*?)</span></span>(?!<)',
            self.html(name).replace("</span></span>]", "</span></span> ]"), re.S,
        )  # fmt: skip
        plain = [(re.sub("<[^>]+>", "", text), ref, name, note) for ref, text, name, note in found]
        return [(text, ref, name, note.replace("\n", " ")) for text, ref, name, note in plain]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return Book(tmp_path_factory.mktemp("notes")).build()


def test_each_link_names_its_own_note(built):
    notes = built.notes()
    assert [note[0] for note in notes] == ["ReLU", "rectifier", "Leavitt, 1912", "1912"]
    assert all(described == name for _, described, name, _ in notes)
    assert len({name for _, _, name, _ in notes}) == len(notes)


def test_a_term_shows_the_first_paragraph_of_its_definition(built):
    words = built.notes()[0][3]
    assert words == (
        'The bend <span class="math notranslate nohighlight">\\(\\max(0, a)\\)</span>, '
        "<em>not</em> a sigmoid; see flux."
    )


def test_a_work_shows_author_title_journal_and_year(built):
    words = built.notes()[2][3]
    assert "Leavitt" in words and "Periods of 25 variable stars" in words
    assert "<em>Harvard Circular</em>, 173:1, 1912" in words
    assert "arXiv:0000.0001" in words
    assert "<a" not in words, "a note that vanishes is no place for links"


def test_the_note_takes_the_place_of_the_title_that_only_a_mouse_can_read(built):
    assert "title=" not in re.search(r"<a aria-describedby[^>]*>", built.html()).group()


def test_other_links_and_the_glossary_itself_have_no_notes(built):
    assert 'href="../words.html">' in built.html()  # the plain link, and nothing beside it
    assert built.html().count('class="fl-note"') == 4
    assert "fl-note" not in built.html("words").replace("firstlight-notes", "").replace(STYLES, "")


def test_links_work_where_nothing_shows(built):
    anchors = set(re.findall(r'id="([^"]+)"', built.html("words") + built.html("works")))
    targets = re.findall(r'aria-describedby="[^"]*" [^>]*href="[^"#]*#([^"]+)"', built.html())
    assert len(targets) == 4 and set(targets) <= anchors


def test_notes_are_not_searched(built):
    index = (built.folder / "_build/html/searchindex.js").read_text()
    (places,) = re.findall(r'"?infin\w*"?:\s*(\d+|\[[^\]]*\])', index)
    docnames = re.findall(r'"(.*?)"', re.search(r'"?docnames"?:\s*\[(.*?)\]', index).group(1))
    assert docnames[int(places)] == "words"  # a number, not a list: on one page only


def test_the_script_waits_for_the_page(built):
    (tag,) = re.findall(rf"<script[^>]*{SCRIPT}[^>]*>", built.html())
    assert "defer" in tag


def test_a_change_of_a_definition_or_a_work_reaches_the_pages_that_show_it(tmp_path):
    book = Book(tmp_path).build()
    book.define(more="New words.")
    assert "New words." in book.build().notes()[0][3]
    book.define(more="New words.", year=1913)
    assert "1913" in book.build().notes()[2][3]


def test_paper_and_books_have_no_notes(tmp_path):
    book = Book(tmp_path).build("singlehtml")
    assert "fl-noted" not in book.html("index", "singlehtml")


def test_a_definition_is_escaped_and_loses_ids_and_links():
    paragraph = nodes.paragraph()
    paragraph += [
        nodes.Text("a < b & "), nodes.strong("", "c", ids=["x"]),
        nodes.reference("", "d", refuri="https://example.org"), nodes.literal("", "<e>"),
    ]  # fmt: skip
    assert to_html(paragraph) == "a &lt; b &amp; <strong>c</strong>d<code>&lt;e&gt;</code>"


# ---------------------------------------------------------------- in a browser


@pytest.fixture(scope="module")
def chromium():
    sync_api = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no chromium on this machine: notes are not tried in a browser")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def opened(chromium, built, **settings):
    page = chromium.new_context(viewport={"width": 390, "height": 700}, **settings).new_page()
    page.set_default_timeout(5000)
    page.goto((built.folder / "_build/html/a/page.html").as_uri())
    return page, page.locator(".fl-noted > a").first, page.locator(".fl-note").first


@pytest.mark.parametrize("scripts", [True, False])
def test_hover_and_focus_show_a_note(chromium, built, scripts):
    page, link, note = opened(chromium, built, java_script_enabled=scripts)
    assert not note.is_visible()
    link.hover()
    assert note.is_visible()
    page.mouse.move(0, 690)
    assert not note.is_visible()
    link.focus()
    assert note.is_visible()


def test_escape_shuts_a_note_and_coming_back_opens_it(chromium, built):
    page, link, note = opened(chromium, built)
    link.focus()
    page.keyboard.press("Escape")
    assert not note.is_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    assert note.is_visible()


def test_the_pointer_can_go_onto_the_note(chromium, built):
    page, link, note = opened(chromium, built)
    link.hover()
    link_box, note_box = link.bounding_box(), note.bounding_box()
    x = link_box["x"] + link_box["width"] / 2
    page.mouse.move(x, link_box["y"] + link_box["height"] / 2)
    page.mouse.move(x, note_box["y"] + note_box["height"] / 2, steps=12)
    assert note.is_visible()


def test_a_note_stays_within_the_page(chromium, built):
    page, _, _ = opened(chromium, built)
    width = page.evaluate("document.documentElement.scrollWidth")
    for link in page.locator(".fl-noted > a").all():
        link.focus()
        box = page.locator(".fl-note:visible").bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_first_tap_reads_and_a_second_one_follows(chromium, built):
    page, link, note = opened(chromium, built, has_touch=True, is_mobile=True)
    link.tap()
    assert note.is_visible() and page.url.endswith("page.html")
    page.touchscreen.tap(200, 650)
    assert not note.is_visible()
    link.tap()
    link.tap()
    page.wait_for_url("**/words.html#*")


def test_print_has_no_notes(chromium, built):
    page, link, note = opened(chromium, built)
    page.emulate_media(media="print")
    link.focus()
    assert not note.is_visible()
